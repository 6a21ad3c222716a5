use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use http::{HeaderValue, header::AUTHORIZATION};
use prost::Message;
use tonic::Code;

use super::*;
use crate::grpc::tests::stage::Node;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn headers(authorization: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !authorization.is_empty() {
        let value = HeaderValue::from_str(authorization).expect("a header");
        headers.insert(AUTHORIZATION, value);
    }
    headers
}

async fn code(door: &Door, rpc: Rpc, authorization: &str, peer: IpAddr) -> Code {
    let admitted = door.admit(rpc, &headers(authorization), Some(peer)).await;
    admitted.map_or_else(|status| status.code(), |_| Code::Ok)
}

/// S11: the enum that `rule` matches over is what the wire offers, nothing less.
#[test]
fn every_call_of_the_descriptors_has_a_rule() {
    let files = prost_types::FileDescriptorSet::decode(proto::DESCRIPTORS).expect("built in");
    let mut offered = BTreeSet::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                offered.insert(format!(
                    "/{}.{}/{}",
                    file.package(),
                    service.name(),
                    method.name()
                ));
            }
        }
    }
    let ruled: BTreeSet<String> = Rpc::ALL.iter().map(|rpc| rpc.path().to_owned()).collect();
    assert_eq!(offered, ruled);
    for rpc in Rpc::ALL {
        assert_eq!(Rpc::of_path(rpc.path()), Some(*rpc));
        let admin = rpc.path().starts_with("/poker.v1.AdminService/");
        assert_eq!(rule(*rpc) == Rule::Operator, admin, "{rpc:?}");
    }
    let public: Vec<&Rpc> = Rpc::ALL
        .iter()
        .filter(|rpc| rule(**rpc) == Rule::Public)
        .collect();
    assert_eq!(public, [&Rpc::CreateGuest]);
    assert_eq!(Rpc::of_path("/poker.v1.TableService/Nothing"), None);
}

#[tokio::test]
async fn each_call_admits_whom_its_rule_names() {
    let node = Node::start().await;
    let guest = node
        .sessions
        .create_guest("Ada", HERE)
        .await
        .expect("a guest");
    let key = Token::random().expect("random bits");
    let player = format!("Bearer {}", guest.token.to_text());
    let operator = format!("Bearer {}", key.to_text());
    let public = Door::Players(node.sessions.clone());
    let nodes = Door::Nodes(node.sessions.clone());
    let local = Door::Operators(Operators::ThisMachine);
    let keyed = Door::Operators(Operators::Token(key.hash()));
    for rpc in Rpc::ALL.iter().copied() {
        let expected = |public, session, operator| match rule(rpc) {
            Rule::Public => public,
            Rule::Session => session,
            Rule::Operator => operator,
        };
        let (ok, denied, unknown) = (Code::Ok, Code::PermissionDenied, Code::Unauthenticated);
        let callers = [
            ("", unknown, unknown),
            (&player, ok, unknown),
            (&operator, unknown, ok),
        ];
        for (who, with_session, with_key) in callers {
            for peer in [HERE, ELSEWHERE] {
                let at_public = code(&public, rpc, who, peer).await;
                assert_eq!(
                    at_public,
                    expected(ok, with_session, denied),
                    "{rpc:?} {who}"
                );
                let for_operators = if passed_on(rpc) { ok } else { denied };
                assert_eq!(
                    code(&nodes, rpc, who, peer).await,
                    expected(ok, with_session, for_operators),
                    "{rpc:?} {who}"
                );
                let near = if peer == HERE { ok } else { denied };
                let at_local = code(&local, rpc, who, peer).await;
                assert_eq!(
                    at_local,
                    expected(denied, denied, near),
                    "{rpc:?} {who} {peer}"
                );
                let at_keyed = code(&keyed, rpc, who, peer).await;
                assert_eq!(
                    at_keyed,
                    expected(denied, denied, with_key),
                    "{rpc:?} {who}"
                );
            }
        }
    }
}

#[tokio::test]
async fn tokens_come_as_bearer_and_no_other_way() {
    let node = Node::start().await;
    let guest = node
        .sessions
        .create_guest("Ada", HERE)
        .await
        .expect("a guest");
    let token = guest.token.to_text();
    let door = Door::Players(node.sessions.clone());
    for (authorization, expected) in [
        (format!("Bearer {token}"), Code::Ok),
        (format!("bearer {token}"), Code::Ok),
        (format!("Bearer  {token} "), Code::Ok),
        (token.clone(), Code::Unauthenticated),
        (format!("Basic {token}"), Code::Unauthenticated),
        (format!("Bearer {token}x"), Code::Unauthenticated),
        ("Bearer".to_owned(), Code::Unauthenticated),
        ("Bearer ".to_owned(), Code::Unauthenticated),
    ] {
        assert_eq!(
            code(&door, Rpc::Act, &authorization, HERE).await,
            expected,
            "{authorization}"
        );
    }
    let admitted = door
        .admit(Rpc::Act, &headers(&format!("Bearer {token}")), None)
        .await;
    assert!(matches!(admitted, Ok(Admitted::Player(session)) if session == guest.session));
}
