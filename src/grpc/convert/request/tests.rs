use super::*;
use crate::ids::Epoch;

const ID: &str = "01900000-0000-7000-8000-000000000001";

fn reason<T: std::fmt::Debug>(parsed: Result<T, Invalid>) -> (&'static str, &'static str) {
    let invalid = parsed.expect_err("refused");
    assert!(!invalid.problem.is_empty());
    (invalid.field, invalid.reason)
}

#[test]
fn table_ids() {
    assert_eq!(
        table_id("t", ID),
        Ok(TableId(0x0190_0000_0000_7000_8000_0000_0000_0001))
    );
    assert_eq!(reason(table_id("t", "")), ("t", "MissingTableId"));
    for text in [
        "7",
        "01900000-0000-7000-8000-00000000000g",
        "🂡",
        &"0".repeat(10_000),
    ] {
        assert_eq!(reason(table_id("t", text)), ("t", "BadTableId"), "{text}");
    }
}

#[test]
fn table_names() {
    assert_eq!(table_name(" The Big Game ").as_deref(), Ok("The Big Game"));
    assert_eq!(table_name(&"x".repeat(64)).map(|name| name.len()), Ok(64));
    for text in ["", "  ", "a\nb", "a\0", &"x".repeat(65)] {
        assert_eq!(
            reason(table_name(text)),
            ("name", "BadTableName"),
            "{text:?}"
        );
    }
}

#[test]
fn marks() {
    let wire = |request_id, first_attempt| {
        Some(v1::RequestMark {
            request_id,
            first_attempt,
        })
    };
    assert_eq!(
        mark(wire(1, true)),
        Ok(Mark {
            id: 1,
            first_attempt: true
        })
    );
    assert_eq!(
        mark(wire(u64::MAX, false)),
        Ok(Mark {
            id: u64::MAX,
            first_attempt: false
        })
    );
    assert_eq!(reason(mark(None)), ("mark", "MissingMark"));
    assert_eq!(
        reason(mark(wire(0, true))),
        ("mark.request_id", "BadRequestId")
    );
}

#[test]
fn actions() {
    let wire = |action: i32, to| v1::ActRequest {
        hand: 3,
        turn: 4,
        action,
        to,
        ..v1::ActRequest::default()
    };
    let check = |action: v1::ActionKind, to, expected| {
        let order = Order::Act {
            hand: HandNo(3),
            turn: Turn(4),
            action: expected,
        };
        assert_eq!(act(&wire(action.into(), to)), Ok(order));
    };
    check(v1::ActionKind::Fold, 0, Action::Fold);
    check(v1::ActionKind::Check, 0, Action::Check);
    check(v1::ActionKind::Call, 0, Action::Call);
    check(v1::ActionKind::RaiseTo, 400, Action::RaiseTo { to: 400 });
    check(
        v1::ActionKind::RaiseTo,
        u64::MAX,
        Action::RaiseTo { to: u64::MAX },
    );
    assert_eq!(reason(act(&wire(0, 0))), ("action", "MissingAction"));
    assert_eq!(reason(act(&wire(77, 0))), ("action", "BadAction"));
    assert_eq!(
        reason(act(&wire(v1::ActionKind::Call.into(), 400))),
        ("to", "AmountWithoutRaise")
    );
}

#[test]
fn seats() {
    let name = Name::new("Ada").expect("a name");
    let wire = |seat| v1::SitRequest {
        seat,
        buy_in: 500,
        post_now: true,
        ..v1::SitRequest::default()
    };
    let order = |seat| Order::Sit {
        seat,
        name: "Ada".into(),
        buy_in: 500,
        post_now: true,
    };
    assert_eq!(sit(&wire(None), &name), Ok(order(None)));
    assert_eq!(sit(&wire(Some(0)), &name), Ok(order(Some(SeatNo(0)))));
    assert_eq!(
        sit(&wire(Some(255)), &name),
        Ok(order(Some(SeatNo(255)))),
        "the rules say what seats there are"
    );
    assert_eq!(reason(sit(&wire(Some(256)), &name)), ("seat", "BadSeat"));
}

#[test]
fn hands_watches_and_formats() {
    assert_eq!(hand(7), Ok(HandNo(7)));
    assert_eq!(reason(hand(0)), ("hand", "MissingHand"));
    let wire = |after_sequence| v1::WatchTable {
        table_id: ID.into(),
        after_sequence,
    };
    assert_eq!(watch("t", &wire(None)).map(|(_, after)| after), Ok(None));
    assert_eq!(
        watch("t", &wire(Some(0))).map(|(_, after)| after),
        Ok(Some(Seq(0)))
    );
    assert_eq!(format(v1::HandFormat::Phh.into()), Ok(Format::Phh));
    assert_eq!(format(v1::HandFormat::Ohh.into()), Ok(Format::Ohh));
    assert_eq!(reason(format(0)), ("format", "BadFormat"));
    assert_eq!(reason(format(9)), ("format", "BadFormat"));
}

#[test]
fn pages() {
    let pages = Pages {
        usual: 50,
        most: 200,
    };
    for (asked, size) in [(0, 50), (1, 1), (200, 200), (201, 200), (u32::MAX, 200)] {
        assert_eq!(pages.size(asked), size);
    }
    assert_eq!(after_table(""), Ok(None));
    assert_eq!(after_table(ID), table_id("t", ID).map(Some));
    assert_eq!(reason(after_table("x")), ("page_token", "BadPageToken"));
}

#[test]
fn positions() {
    let wire = position(Position {
        epoch: Epoch(3),
        seq: Seq(9),
    });
    assert_eq!(
        wire,
        v1::Position {
            epoch: 3,
            sequence: 9
        }
    );
}
