//! What a configuration may say, and how it is told that it may not.

use super::*;

fn error(text: &str) -> String {
    Config::from_parts(Some(("my.yaml", text)), &[])
        .expect_err(text)
        .to_string()
}

#[test]
fn the_defaults_read() {
    let config = Config::default();
    assert_eq!(
        (config.grpc.port, config.server.snapshot_interval),
        (50_051, 100)
    );
    assert_eq!(
        Config::from_parts(Some(("empty", "")), &[]).expect("empty is fine"),
        config
    );
    assert_eq!(
        Config::from_parts(Some(("same", DEFAULT)), &[]).expect("the defaults are fine"),
        config
    );
}

#[test]
fn a_file_names_only_what_it_changes() {
    let config =
        Config::from_parts(Some(("my.yaml", "server:\n  shards: 4\n")), &[]).expect("fine");
    assert_eq!(config.server.shards, 4);
    assert_eq!(config.grpc, Config::default().grpc);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let check = |text: &str, expected: &str| assert_eq!(error(text), expected);
    check(
        "# mine\nserver:\n  snapshot_intervall: 5\n",
        "my.yaml:3: unknown key `server.snapshot_intervall`; did you mean `snapshot_interval`?",
    );
    check("colour: red\n", "my.yaml:1: unknown key `colour`");
    check(
        "grcp:\n  port: 1\n",
        "my.yaml:1: unknown key `grcp`; did you mean `grpc`?",
    );
    check(
        "grpc:\n  port: fifty\n",
        "my.yaml:2: `grpc.port` is a text; wanted a whole number",
    );
    check(
        "grpc:\n  port: -1\n",
        "my.yaml:2: `grpc.port` is a number below zero or with a fraction; wanted a whole number",
    );
    check(
        "server: 7\n",
        "my.yaml:1: `server` is a whole number; wanted a section",
    );
    check(
        "- a\n- b\n",
        "my.yaml: `the file` is a list; wanted a list of sections",
    );
    check(
        "server:\n  shards: 0\n",
        "my.yaml:2: `server.shards`: there is at least one shard",
    );
    check(
        "server:\n  commit_interval_ms: 26\n",
        "my.yaml:2: `server.commit_interval_ms`: 0 to 25: players wait for it",
    );
    check(
        "ops:\n  port: 50051\n",
        "my.yaml:2: `ops.port`: not the port of grpc",
    );
    assert!(error("grpc:\n  port: 70000\n").starts_with("my.yaml:2: `grpc.port`: "));
    assert!(error("store: floppy\n").starts_with("my.yaml:1: `store`: "));
    assert!(error("grpc: [\n").starts_with("my.yaml:"));
}

#[test]
fn the_environment_overrides_the_file() {
    let variable = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let load = |variables: &[(String, String)]| {
        Config::from_parts(Some(("f", "grpc:\n  port: 1\n")), variables)
    };
    assert_eq!(
        load(&variable("ORP_GRPC__PORT", "7"))
            .expect("fine")
            .grpc
            .port,
        7
    );
    assert_eq!(
        load(&variable("ORP_SERVER__NODE", "12"))
            .expect("fine")
            .server
            .node,
        "12"
    );
    let wrong = load(&variable("ORP_GRPC__PROT", "7"))
        .expect_err("there is no such key")
        .to_string();
    assert_eq!(
        wrong,
        "environment variable ORP_GRPC__PROT: unknown key `grpc.prot`; did you mean `port`?"
    );
}

#[test]
fn every_knob_is_explained() {
    let mut explained = false;
    for line in DEFAULT.lines() {
        let body = line.trim_start();
        if body.starts_with('#') {
            explained = true;
        } else if body.is_empty() {
            explained = false;
        } else if let Some((key, value)) = body.split_once(':') {
            let section = value.trim().is_empty();
            assert!(section || explained, "`{key}` has no comment above it");
        }
    }
}
