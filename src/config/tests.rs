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
    check("7: red\n", "my.yaml:1: unknown key `7`");
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
        "server:\n  park_after: 0\n",
        "my.yaml:2: `server.park_after`: at least 1",
    );
    check(
        "server:\n  commit_interval_ms: 26\n",
        "my.yaml:2: `server.commit_interval_ms`: 0 to 25: players wait for it",
    );
    check(
        "ops:\n  port: 50051\n",
        "my.yaml:2: `ops.port`: not the port of grpc",
    );
    check(
        "grpc:\n  port: 70000\nops:\n  port: 70001\n",
        "my.yaml:2: `grpc.port`: invalid value: integer `70000`, expected u16",
    );
    check(
        "grpc:\n  cors_origins: [7]\n",
        "my.yaml:2: `grpc.cors_origins`: invalid type: integer `7`, expected a string",
    );
    check(
        "ops: {}\ngrpc: {prot: 1}\n",
        "my.yaml:2: unknown key `grpc.prot`; did you mean `port`?",
    );
    check(
        "grpc:\n  port:\n",
        "my.yaml:2: `grpc.port` is empty; wanted a whole number",
    );
    assert!(error("store: floppy\n").starts_with("my.yaml:1: `store`: "));
    assert!(error("grpc: [\n").starts_with("my.yaml:"));
}

#[test]
fn what_cassandra_needs_is_asked_for_on_cassandra_only() {
    let check = |cassandra: &str, expected: &str| {
        let head = "store: cassandra\nsecrets:\n  deck_key_file: keys\ncassandra:\n  hosts: [a, \"b:9043\"]\n";
        let text = format!("{head}{cassandra}");
        let read = Config::from_parts(Some(("my.yaml", &text)), &[]);
        assert_eq!(
            read.err().map_or(String::new(), |error| error.to_string()),
            expected,
            "{text}"
        );
        let elsewhere = text.replace("store: cassandra", "store: embedded");
        assert!(
            Config::from_parts(Some(("my.yaml", &elsewhere)), &[]).is_ok(),
            "{elsewhere}"
        );
    };
    check("", "");
    check("  consistency: local_quorum\n  data_centre: dc1\n", "");
    check("  user: orp\n  password_file: secret\n", "");
    check(
        "  user: orp\n",
        "built-in defaults: `cassandra.password_file`: cassandra.user and cassandra.password_file go together",
    );
    check(
        "  consistency: local_quorum\n",
        "built-in defaults: `cassandra.data_centre`: named with `consistency: local_quorum`, and only then",
    );
    check(
        "  data_centre: dc1\n",
        "my.yaml:6: `cassandra.data_centre`: named with `consistency: local_quorum`, and only then",
    );
    check(
        "  keyspace: \"Poker; DROP\"\n",
        "my.yaml:6: `cassandra.keyspace`: 1 to 48 small letters, digits and underlines, a letter first",
    );
    check(
        "  tls_cert_file: us.pem\n  tls_key_file: us.key\n",
        "built-in defaults: `cassandra.tls_ca_file`: needed with cassandra.tls_cert_file: whose certificates are trusted",
    );
    assert_eq!(
        error("store: cassandra\n"),
        "built-in defaults: `secrets.deck_key_file`: with `store: cassandra` every node opens every deck, so a file with \
         the same keys has to be named for all"
    );
}

#[test]
fn the_example_of_a_cluster_reads() {
    let text = include_str!("../../config/cluster.yaml");
    let variables = [(
        "ORP_CLUSTER__ADVERTISE".to_owned(),
        "node-0:50053".to_owned(),
    )];
    let config =
        Config::from_parts(Some(("cluster.yaml", text)), &variables).expect("it is an example");
    assert_eq!(config.store, StoreKind::Cassandra);
    assert!(config.cluster.enabled);
}

#[test]
fn shards_are_the_stores_unless_they_are_named() {
    let shards = |text: &str| {
        Config::from_parts(Some(("f", text)), &[])
            .expect(text)
            .shards()
            .get()
    };
    assert_eq!(shards(""), 8);
    let on_cassandra = "store: cassandra\nsecrets:\n  deck_key_file: keys\n";
    assert_eq!(shards(on_cassandra), 256);
    assert_eq!(
        shards(&format!("{on_cassandra}server:\n  shards: 12\n")),
        12
    );
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
fn what_is_not_ours_in_the_environment_is_left_alone() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = || OsString::from_vec(vec![0xff]);
    let load = |name: &str, value: OsString| {
        let all = [
            ("PATH".into(), bytes()),
            (bytes(), bytes()),
            (name.into(), value),
        ];
        variables(all.into_iter()).and_then(|ours| Config::from_parts(None, &ours))
    };
    assert_eq!(load("ORP_OPS__PORT", "0".into()).expect("fine").ops.port, 0);
    let check = |name: &str, value: OsString, expected: &str| {
        let refused = load(name, value).expect_err(name).to_string();
        assert_eq!(refused, expected);
    };
    check(
        "ORP_LOG__LEVEL",
        bytes(),
        "environment variable ORP_LOG__LEVEL is not UTF-8",
    );
    check(
        "ORP_ORP_GRPC__PORT",
        "1".into(),
        "environment variable ORP_ORP_GRPC__PORT: unknown key `orp_grpc`",
    );
}

#[test]
fn a_misspelt_level_is_refused() {
    let check = |level: &str, fine: bool| {
        let text = format!("log:\n  level: \"{level}\"\n");
        let read = Config::from_parts(Some(("my.yaml", &text)), &[]);
        assert_eq!(read.is_ok(), fine, "{level}: {read:?}");
    };
    check("WARN", true);
    check("info, openrustpoker::table=debug", true);
    check("inof", false);
    check("info,openrustpoker::table", false);
    check("info,openrustpoker::table=loud", false);
    check("", false);
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

#[test]
fn a_cluster_must_hold_together() {
    let check = |text: &str, word: &str| {
        let told = error(text);
        assert!(told.contains(word), "{told}");
    };
    check(
        "cluster:\n  enabled: true\n",
        "my.yaml:2: `cluster.enabled`: a cluster needs a store that its nodes share",
    );
    check("cluster:\n  seeds: [nonsense]\n", "each is `host:port`");
    check("cluster:\n  beat_ms: 1\n", "50 to 60000");
    let seeded = Config::default().with_seeds(vec!["a:1".into()]);
    let told = seeded.expect_err("the store is embedded").to_string();
    assert!(
        told.contains("the embedded store serves one node"),
        "{told}"
    );
    let alone = Config::default().with_seeds(Vec::new()).expect("one node");
    assert_eq!(alone, Config::default());
}
