//! Nodes that want a login and certificates: `--auth --mtls`.

use std::path::PathBuf;

use openrustpoker::store::cassandra::schema;
use openrustpoker::store::cassandra::{
    CassandraOptions, CassandraStore, Login, Password, TlsFiles,
};

use super::{everywhere, fresh_name, options, told};

fn file(name: &str) -> PathBuf {
    PathBuf::from(told("CASSANDRA_TLS")).join(name)
}

fn unlocked(keyspace: &str) -> CassandraOptions {
    CassandraOptions {
        login: Some(Login {
            user: told("CASSANDRA_USER"),
            password: Password::of_file(format!("{}\n", told("CASSANDRA_PASSWORD"))),
        }),
        tls: Some(TlsFiles {
            ca: file("ca.pem"),
            client: Some((file("client.pem"), file("client.key"))),
        }),
        ..options(keyspace)
    }
}

async fn refusal(options: &CassandraOptions) -> String {
    match CassandraStore::open(options).await {
        Ok(_) => panic!("it opens with {options:?}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn a_wrong_key_opens_nothing_and_says_so() {
    let name = fresh_name();
    let right = unlocked(&name);
    // The first role is there some time after the nodes answer.
    let patient = CassandraOptions {
        connect_patience: std::time::Duration::from_secs(60),
        ..right.clone()
    };
    schema::create(&patient, Some(&everywhere()))
        .await
        .expect("the right keys open it");
    CassandraStore::open(&right)
        .await
        .expect("the right keys open it");

    let secret = "hunter2";
    let wrong = CassandraOptions {
        login: Some(Login {
            user: "cassandra".into(),
            password: Password::of_file(secret.into()),
        }),
        ..right.clone()
    };
    assert!(!format!("{wrong:?}").contains(secret), "{wrong:?}");
    assert_eq!(
        refusal(&wrong).await,
        "Cassandra refuses the login of cassandra: correct cassandra.user and the file of cassandra.password_file"
    );
    let none = CassandraOptions {
        login: None,
        ..right.clone()
    };
    assert_eq!(
        refusal(&none).await,
        "Cassandra asks for a login: set cassandra.user and cassandra.password_file"
    );

    let tls = |ca: &str, client: Option<(&str, &str)>| CassandraOptions {
        tls: Some(TlsFiles {
            ca: file(ca),
            client: client.map(|(cert, key)| (file(cert), file(key))),
        }),
        ..right.clone()
    };
    let client = Some(("client.pem", "client.key"));
    let distrusted = refusal(&tls("stranger.pem", client)).await;
    assert_eq!(
        distrusted,
        "no TLS with Cassandra: invalid peer certificate: UnknownIssuer; cassandra.tls_ca_file has to hold the authority of \
         its certificates, which name the nodes' addresses"
    );
    let anonymous = refusal(&tls("ca.pem", None)).await;
    assert!(
        anonymous.contains("or a client's certificate (cassandra.tls_cert_file)"),
        "{anonymous}"
    );
    let gone = refusal(&tls("nowhere.pem", client)).await;
    assert!(gone.starts_with("cannot read certificates in "), "{gone}");
    let unfit = refusal(&tls("ca.pem", Some(("client.pem", "stranger.key")))).await;
    assert!(unfit.contains("client.pem"), "{unfit}");
}
