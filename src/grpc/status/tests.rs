use engine::NameError;

use super::*;
use crate::{accounts::NameProblem, ids::TableId, store::Statement};

const SOON: Duration = Duration::from_millis(200);

fn check(status: &Status, code: Code, reason: &str, retry: Option<Duration>) {
    let details = status.get_error_details();
    let info = details.error_info().expect("every error has an ErrorInfo");
    assert_eq!(
        (status.code(), info.reason.as_str()),
        (code, reason),
        "{status:?}"
    );
    assert_eq!(info.domain, DOMAIN);
    let found = details.retry_info().and_then(|info| info.retry_delay);
    assert_eq!(found, retry, "{status:?}");
    assert!(!status.message().is_empty());
}

#[test]
fn tables_say_done_refused_or_unknown() {
    let refused = CallError::Refused {
        rule: "NotYourTurn",
        text: "it is the turn of seat 3".into(),
    };
    let status = call(refused);
    check(&status, Code::FailedPrecondition, "NotYourTurn", None);
    assert_eq!(status.message(), "it is the turn of seat 3");
    check(
        &call(CallError::NoSuchTable(TableId(1))),
        Code::NotFound,
        "NoSuchTable",
        None,
    );
    check(
        &call(CallError::Unknown { retry_after: SOON }),
        Code::Unavailable,
        "OutcomeUnknown",
        Some(SOON),
    );
    let busy = CallError::Busy {
        reason: "it is starting",
        retry_after: SOON,
    };
    check(&call(busy), Code::Unavailable, "Busy", Some(SOON));
    let elsewhere = call(CallError::Elsewhere);
    let soon = Some(Duration::from_millis(100));
    check(&elsewhere, Code::Unavailable, "Elsewhere", soon);
    assert!(elsewhere.metadata().contains_key(ELSEWHERE));
    check(
        &call(CallError::Parked),
        Code::FailedPrecondition,
        "TableParked",
        None,
    );
    check(
        &too_late(),
        Code::DeadlineExceeded,
        "OutcomeUnknown",
        Some(Duration::ZERO),
    );
}

#[test]
fn a_refusal_says_what_would_be_legal() {
    let status = call(CallError::Rejected(Reject::Rathole { must_bring: 200 }));
    check(&status, Code::FailedPrecondition, "Rathole", None);
    let details = status.get_error_details();
    let info = details.error_info().expect("every error has an ErrorInfo");
    assert_eq!(
        info.metadata.get("must_bring").map(String::as_str),
        Some("200")
    );
}

#[test]
fn malformed_fields_are_named() {
    let status: Status =
        Invalid::new("mark.request_id", "BadRequestId", "request ids begin at 1").into();
    check(&status, Code::InvalidArgument, "BadRequestId", None);
    let details = status.get_error_details();
    let violations = &details
        .bad_request()
        .expect("a bad request")
        .field_violations;
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].field, "mark.request_id");
    assert_eq!(violations[0].description, "request ids begin at 1");
}

#[test]
fn sessions_say_what_to_do() {
    let name = AccountsError::Name(NameProblem::Form(NameError));
    check(
        &accounts(name),
        Code::InvalidArgument,
        "BadDisplayName",
        None,
    );
    let many = AccountsError::TooManyGuests { retry_after: SOON };
    check(
        &accounts(many),
        Code::ResourceExhausted,
        "TooManyGuests",
        Some(SOON),
    );
    check(
        &accounts(AccountsError::UnknownToken),
        Code::Unauthenticated,
        "UnknownToken",
        None,
    );
    check(&no_token(), Code::Unauthenticated, "NoToken", None);
    check(&wrong_door(), Code::PermissionDenied, "WrongDoor", None);
}

#[test]
fn what_a_store_says_stays_here() {
    let statement = Statement::Session;
    let transient = StoreError::Unavailable {
        statement,
        source: "10.0.0.7 refused".into(),
    };
    let status = store(&transient);
    check(
        &status,
        Code::Unavailable,
        "StoreUnavailable",
        Some(STORE_RETRY),
    );
    assert!(!format!("{status:?}").contains("10.0.0.7"));
    let full = StoreError::Full {
        statement,
        place: "/var/lib/poker".into(),
    };
    let status = store(&full);
    check(&status, Code::Unavailable, "StoreFull", Some(STORE_RETRY));
    assert!(!format!("{status:?}").contains("/var/lib"));
    let corrupt = StoreError::Corrupt {
        statement,
        finding: "cell 17 holds a secret".into(),
    };
    let status = store(&corrupt);
    check(&status, Code::Internal, "Store", None);
    assert!(!format!("{status:?}").contains("secret"));
}

#[test]
fn settings_name_their_field() {
    let check = |error: SettingsError, field: &str| assert_eq!(settings(&error).field, field);
    check(SettingsError::Seats { seats: 11 }, "settings.seats");
    check(
        SettingsError::Blinds { small: 2, big: 1 },
        "settings.small_blind",
    );
    check(
        SettingsError::BuyIn { min: 2, max: 1 },
        "settings.buy_in_min",
    );
    check(SettingsError::Clock, "settings.action_ms");
}

#[test]
fn the_rules_tell_the_bound_that_was_missed() {
    let check_bound = |reject: Reject, reason: &str, bound: Option<(&str, &str)>| {
        let status = call(CallError::Rejected(reject));
        check(&status, Code::FailedPrecondition, reason, None);
        assert_eq!(status.message(), reject.to_string());
        let details = status.get_error_details();
        let metadata = &details.error_info().expect("always there").metadata;
        let found: Vec<(&str, &str)> = metadata
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(found, bound.into_iter().collect::<Vec<_>>());
    };
    check_bound(
        Reject::RaiseBelowMinimum { min_to: 400 },
        "RaiseBelowMinimum",
        Some(("min_to", "400")),
    );
    check_bound(
        Reject::RaiseAboveStack { max_to: 900 },
        "RaiseAboveStack",
        Some(("max_to", "900")),
    );
    check_bound(
        Reject::NotYourTurn {
            seat: engine::SeatNo(3),
        },
        "NotYourTurn",
        Some(("seat", "3")),
    );
    check_bound(
        Reject::BuyInBelowMinimum { min: 2_000 },
        "BuyInBelowMinimum",
        Some(("min", "2000")),
    );
    check_bound(Reject::NotSeated, "NotSeated", None);
}
