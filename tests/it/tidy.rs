//! Style is a test: who may name whom, what is fenced in, what is banned, how long a file may be.
//!
//! Every rule is a function of a path and a text, so that each is shown to catch what it is for.

mod code;

use std::fs;
use std::path::{Path, PathBuf};

use code::{code_of, first_word, has_word, named, without_tests};

/// What a module of the root package may name of it, lowest first. Absent is forbidden, a module that is not here too.
const LAYERS: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("config", &[]),
    ("telemetry", &["config"]),
    ("phh", &[]),
    ("store", &["ids"]),
    ("table", &["ids", "store"]),
    ("cluster", &["ids", "store", "table"]),
    ("keep", &["ids", "store", "table"]),
    ("accounts", &["ids", "store", "table", "cluster"]),
    ("lobby", &["ids", "store", "table", "cluster"]),
    ("stats", &["ids", "store", "table", "cluster"]),
    (
        "grpc",
        &[
            "ids", "store", "table", "cluster", "accounts", "lobby", "stats", "phh",
        ],
    ),
    (
        "tree",
        &[
            "ids",
            "store",
            "table",
            "cluster",
            "accounts",
            "lobby",
            "stats",
            "grpc",
            "config",
            "telemetry",
            "keep",
        ],
    ),
    // The other side of the wire: it knows what the wire says.
    ("client", &[]),
    (
        "cli",
        &["client", "config", "keep", "phh", "telemetry", "tree"],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Commands that run a node, and so may also name what is in it.
const NODE_COMMANDS: [&str; 2] = ["src/cli/serve", "src/cli/dev"];

/// Words, and the only places (beginnings of paths) whose code may hold them.
const FENCES: &[(&str, &[&str])] = &[
    ("rusqlite::", &["src/store/embedded"]),
    ("scylla::", &["src/store/cassandra"]),
    ("orp_models::", &["src/store/conformance/"]),
    ("tonic::", &["src/grpc/", "src/client/", "proto/"]),
    ("proto::", &["src/grpc/", "src/client/", "src/cli/"]),
    // The command says how the node ended, so it names why a supervisor stops.
    (
        "supervisors::",
        &["src/tree/", "src/cluster/", "src/table/", "src/cli/serve"],
    ),
    (
        "ractor::",
        &[
            "src/tree/",
            "src/cluster/",
            "src/table/",
            "supervisors/src/",
        ],
    ),
    ("env::var", &["src/config/"]),
    // Decks; keys and nonces; tokens. Nothing else needs chance that nobody can guess.
    (
        "getrandom::",
        &[
            "src/table/shuffle.rs",
            "src/table/seal.rs",
            "src/accounts/token.rs",
            "src/accounts/sessions.rs",
        ],
    ),
    ("rand_chacha::", &["src/table/shuffle.rs"]),
    // The names of new players, of a writer's incarnations, of watches.
    (
        "new_v4",
        &[
            "src/accounts/sessions.rs",
            "src/tree/setup.rs",
            "src/grpc/watch/registry.rs",
        ],
    ),
];

/// What no code of the server holds, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    (
        ".unwrap()",
        "say with `expect` why it holds, or return the error",
    ),
    ("cfg!(test)", "the tested code is the code that runs"),
    ("todo!", "finish it"),
    ("unimplemented!", "finish it"),
    ("dbg!", "log it"),
    ("map_err(|_|", "keep the cause"),
];

/// What the rules engine cannot hold: it only computes, and every time the same.
const BANNED_IN_ENGINE: [&str; 9] = [
    "std::",
    "f32",
    "f64",
    "async",
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "rand::",
];

/// Dependencies of the crates that promise to have few.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("src/engine/Cargo.toml", &["serde", "thiserror"]),
    (
        "supervisors/Cargo.toml",
        &["ractor", "thiserror", "tokio", "tracing"],
    ),
];

/// Lines of code of one file, without comments and blank lines: what one can read at a sitting.
const CODE_LINES_MAX: usize = 500;

/// Files that got away, and the most lines they may have until they are split by topic.
const LONG_FILES: &[(&str, usize)] = &[
    ("src/table/actor.rs", 700),
    ("src/table/shard/log.rs", 750),
    ("src/store/log/tests.rs", 650),
    ("src/grpc/server/tests.rs", 750),
    ("supervisors/tests/it/dynamic.rs", 550),
];

/// Lines of the README, which is to be read, not to be complete.
const README_LINES_MAX: usize = 200;

/// Places of one machine.
const MACHINE_PATHS: [&str; 3] = [
    concat!("/", "work/"),
    concat!("/", "root/"),
    concat!("/", "Users/"),
];

/// Not ours to read: what is built, installed or kept by git.
const NOT_SOURCES: [&str; 5] = ["target", ".git", ".venv", "corpus", "artifacts"];

#[test]
fn the_sources_are_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(root, &mut files);
    assert!(
        files.len() > 100,
        "only {} files under {}",
        files.len(),
        root.display()
    );
    let sources: Vec<(String, String)> = files
        .iter()
        .filter_map(|file| {
            let path = file.strip_prefix(root).expect("it was found there");
            // What is not text has no style.
            Some((
                path.to_string_lossy().into_owned(),
                fs::read_to_string(file).ok()?,
            ))
        })
        .collect();
    let declared = sources
        .iter()
        .flat_map(|(path, text)| test_modules(path, text));
    let modules: Vec<String> = declared.collect();
    let mut found: Vec<String> = sources
        .iter()
        .flat_map(|(path, text)| complaints(path, text, &modules))
        .collect();
    for page in ["README.md", "LICENSE"] {
        if !root.join(page).exists() {
            found.push(format!("{page} is missing"));
        }
    }
    assert!(
        found.is_empty(),
        "{} complaints:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// What `src/table/mod.rs` says in the samples.
const TESTS_OF_TABLE: &str = "mod actor;\n#[cfg(test)]\nmod tests;\nmod watch;\n";

#[test]
fn every_rule_catches_what_it_is_for() {
    for (path, text, complaint) in [
        (
            "src/store/log.rs",
            "use crate::table::Tables;",
            "store may not name table",
        ),
        (
            "src/store/log.rs",
            "use crate::{\n    ids::Seq,\n    grpc::{self, tree::X},\n};",
            "store may not name grpc",
        ),
        (
            "src/phh/parse.rs",
            "fn f(x: crate::ids::Seq) {}",
            "phh may not name ids",
        ),
        (
            "src/cli/table.rs",
            "use crate::store::Store;",
            "cli may not name store",
        ),
        (
            "src/main.rs",
            "use openrustpoker::grpc;",
            "main may not name grpc",
        ),
        ("src/extra.rs", "", "no layer"),
        (
            "src/store/log.rs",
            "use rusqlite::Connection;",
            "rusqlite::",
        ),
        ("src/table/actor.rs", "use tonic::Status;", "tonic::"),
        ("src/table/actor.rs", "std::env::var(NAME)", "env::var"),
        (
            "src/table/actor.rs",
            "getrandom::fill(&mut seed)",
            "getrandom::",
        ),
        (
            "src/table/actor.rs",
            "rand_chacha::ChaCha20Rng",
            "rand_chacha::",
        ),
        ("src/table/actor.rs", "uuid::Uuid::new_v4()", "new_v4"),
        ("src/table/actor.rs", "seat.unwrap()", ".unwrap()"),
        ("src/table/actor.rs", "if cfg!(test) {}", "cfg!(test)"),
        ("supervisors/src/spec.rs", "todo!()", "todo!"),
        (
            "supervisors/src/spec.rs",
            "unimplemented!()",
            "unimplemented!",
        ),
        ("src/table/actor.rs", "x.map_err(|_| Refused)", "map_err"),
        ("src/engine/src/bet.rs", "let share: f64 = 0.5;", "f64"),
        ("src/engine/src/bet.rs", "use std::time::Instant;", "std::"),
        ("src/engine/src/bet.rs", "async fn deal() {}", "async"),
        ("src/engine/src/bet.rs", "HashMap::new()", "HashMap"),
        (
            "src/engine/Cargo.toml",
            "[dependencies]\nserde.workspace = true\nrand = \"1\"\n",
            "rand",
        ),
        (
            "supervisors/Cargo.toml",
            "[dependencies]\nengine.workspace = true\n",
            "engine",
        ),
        ("src/ids.rs", "#[allow(dead_code)]\nfn f() {}", "reason"),
        (
            "src/ids.rs",
            &"x();\n".repeat(CODE_LINES_MAX + 1),
            "501 lines of code",
        ),
        ("README.md", &"x\n".repeat(README_LINES_MAX), "lines"),
        ("tests/run", MACHINE_PATHS[0], "machine"),
    ] {
        let found = complaints(
            path,
            text,
            &test_modules("src/table/mod.rs", TESTS_OF_TABLE),
        );
        assert!(
            found.iter().any(|it| it.contains(complaint)),
            "{path}: {text}: {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_left_alone() {
    for (path, text) in [
        (
            "src/cli/serve.rs",
            "use crate::{store::Store, table::Tables};",
        ),
        ("src/store/embedded/mod.rs", "use rusqlite::Connection;"),
        (
            "src/table/actor.rs",
            "// x.unwrap() /* todo! */\nlet s = \"tonic:: \\\" todo!\"; let c = '\"'; let r = r#\"env::var\"#;",
        ),
        (
            "src/table/actor.rs",
            "fn f<'a>(x: &'a str) {}\n#[cfg(test)]\nmod tests {\n    fn g() { x.unwrap(); }\n}\n",
        ),
        ("src/table/tests.rs", "use crate::grpc; x.unwrap();"),
        ("src/table/tests/slow.rs", "x.unwrap();"),
        ("src/engine/src/bet.rs", "fn asynchronous(my_f64: u64) {}"),
        (
            "src/ids.rs",
            "#[allow(\n    dead_code,\n    reason = \"it is read by hand\",\n)]\nfn f() {}",
        ),
        (
            "src/engine/Cargo.toml",
            "[dependencies]\nserde.workspace = true\n[dev-dependencies]\nrand = \"1\"\n",
        ),
        ("src/ids.rs", &"x();\n// why\n\n".repeat(CODE_LINES_MAX)),
    ] {
        assert_eq!(
            complaints(
                path,
                text,
                &test_modules("src/table/mod.rs", TESTS_OF_TABLE)
            ),
            Vec::<String>::new(),
            "{path}: {text}"
        );
    }
}

/// Everything that is wrong with a file.
fn complaints(path: &str, text: &str, modules: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    if MACHINE_PATHS.iter().any(|place| text.contains(place)) {
        found.push("a path of one machine".into());
    }
    if path == "README.md" && text.lines().count() >= README_LINES_MAX {
        found.push(format!("{README_LINES_MAX} lines or more"));
    }
    if let Some((_, allowed)) = DEPENDENCIES.iter().find(|(manifest, _)| *manifest == path) {
        found.extend(dependencies(text, allowed));
    }
    if path.ends_with(".rs") {
        let code = code_of(text);
        let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
        let got_away = LONG_FILES.iter().find(|(file, _)| *file == path);
        let most = got_away.map_or(CODE_LINES_MAX, |(_, lines)| *lines);
        if lines > most {
            found.push(format!("{lines} lines of code, more than {most}"));
        }
        found.extend(bare_allows(&code));
        if ["src/", "supervisors/src/"]
            .iter()
            .any(|dir| path.starts_with(dir))
            && !is_test(path, modules)
        {
            found.extend(of_the_server(path, without_tests(&code)));
        }
    }
    found
        .iter()
        .map(|complaint| format!("{path}: {complaint}"))
        .collect()
}

/// What is wrong with code that runs in the server.
fn of_the_server(path: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, places) in FENCES {
        if has_word(code, word) && !places.iter().any(|place| path.starts_with(place)) {
            found.push(format!("`{word}` belongs in {}", places.join(", ")));
        }
    }
    for (word, instead) in BANNED {
        if has_word(code, word) {
            found.push(format!("`{word}`: {instead}"));
        }
    }
    if path.starts_with("src/engine/src/") {
        let banned = BANNED_IN_ENGINE.iter().filter(|word| has_word(code, word));
        found.extend(banned.map(|word| format!("`{word}` in the rules engine")));
    } else if let Some(inside) = path
        .strip_prefix("src/")
        .filter(|_| !path.starts_with("src/engine/"))
    {
        found.extend(layers(path, inside, code));
    }
    found
}

fn layers(path: &str, inside: &str, code: &str) -> Vec<String> {
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    let Some((_, lower)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{module} has no layer in tests/it/tidy.rs")];
    };
    let runs_a_node = NODE_COMMANDS
        .iter()
        .any(|command| path.starts_with(command));
    named(code)
        .filter(|name| LAYERS.iter().any(|(module, _)| module == name))
        .filter(|name| *name != module && !lower.contains(name))
        .filter(|name| !(runs_a_node && ["store", "table"].contains(name)))
        .map(|name| format!("{module} may not name {name}"))
        .collect()
}

fn bare_allows(code: &str) -> Vec<String> {
    let allows = ["#[allow(", "#![allow("]
        .into_iter()
        .flat_map(|allow| code.split(allow).skip(1));
    allows
        .filter(|rest| {
            !rest
                .split(']')
                .next()
                .unwrap_or_default()
                .contains("reason =")
        })
        .map(|rest| {
            format!(
                "`allow({}` without a reason",
                rest.split(']').next().unwrap_or_default()
            )
        })
        .collect()
}

fn dependencies(manifest: &str, allowed: &[&str]) -> Vec<String> {
    let after = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = after.split("\n[").next().unwrap_or_default();
    let names = section
        .lines()
        .map(first_word)
        .filter(|name| !name.is_empty());
    names
        .filter(|name| !allowed.contains(name))
        .map(|name| format!("depends on {name}"))
        .collect()
}

/// Whether a file is built for tests only: it is in a folder of tests, or its parent says so.
fn is_test(path: &str, modules: &[String]) -> bool {
    ["/tests/", "/examples/"]
        .iter()
        .any(|folder| path.contains(folder))
        || modules
            .iter()
            .any(|module| path == format!("{module}.rs") || path.starts_with(&format!("{module}/")))
}

/// The modules that a file declares for tests only, as paths without their ending.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let folder = ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .find_map(|root| path.strip_suffix(root))
        .map_or_else(|| path.replace(".rs", "/"), str::to_owned);
    let after = text
        .split("#[cfg(test)]\n")
        .skip(1)
        .filter_map(|rest| rest.lines().next());
    after
        .filter_map(|line| line.trim().strip_suffix(';')?.rsplit_once("mod "))
        .map(|(_, module)| format!("{folder}{module}"))
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources can be read") {
        let entry = entry.expect("an entry can be read");
        let (path, name) = (entry.path(), entry.file_name());
        if NOT_SOURCES.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if entry.file_type().expect("it has a type").is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
