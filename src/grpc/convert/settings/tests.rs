use super::*;

fn full() -> Settings {
    Settings {
        ante: Ante::Each(5),
        rake: Rake {
            per_10_000: 500,
            caps: vec![100, 200, 300],
        },
        clock: Clock {
            action_ms: 1,
            bank_ms: 2,
            bank_gain_ms: 3,
            reconnect_ms: 4,
        },
        show_all_in: false,
        sit_out_buttons: 7,
        timeouts_to_sit_out: 0,
        rathole_ms: 7_200_000,
        ..Settings::new(9, 50, 100)
    }
}

#[test]
fn what_is_written_reads_the_same() {
    for ante in [Ante::None, Ante::Each(5), Ante::BigBlind(100)] {
        let settings = Settings { ante, ..full() };
        assert_eq!(parse(Some(wire(&settings))), Ok(settings));
    }
    let plain = Settings::new(2, 1, 2);
    assert_eq!(parse(Some(wire(&plain))), Ok(plain));
}

#[test]
fn what_is_absent_has_a_default() {
    let wire = v1::Settings {
        show_all_in: None,
        timeouts_to_sit_out: None,
        ..wire(&full())
    };
    let settings = parse(Some(wire)).expect("complete");
    assert!(settings.show_all_in);
    assert_eq!(settings.timeouts_to_sit_out, 2);
}

#[test]
fn contradictions_are_named() {
    let check = |change: fn(&mut v1::Settings), field: &str, reason: &str| {
        let mut wire = wire(&full());
        change(&mut wire);
        let invalid = parse(Some(wire)).expect_err("refused");
        assert_eq!((invalid.field, invalid.reason), (field, reason));
    };
    check(|s| s.seats = 11, "settings.seats", "BadSeats");
    check(|s| s.seats = 258, "settings.seats", "TooLarge");
    check(|s| s.small_blind = 0, "settings.small_blind", "BadBlinds");
    check(
        |s| s.small_blind = s.big_blind + 1,
        "settings.small_blind",
        "BadBlinds",
    );
    check(|s| s.big_blind_ante = 5, "settings.ante", "TwoAntes");
    check(|s| s.ante = u64::MAX, "settings.ante", "BadAnte");
    check(
        |s| s.buy_in_min = s.buy_in_max + 1,
        "settings.buy_in_min",
        "BadBuyIn",
    );
    check(
        |s| s.buy_in_max = u64::MAX,
        "settings.buy_in_min",
        "BadBuyIn",
    );
    check(
        |s| s.rake_per_10000 = 10_001,
        "settings.rake_per_10000",
        "BadRake",
    );
    check(
        |s| s.rake_caps = vec![1; 1_000],
        "settings.rake_caps",
        "BadRakeCaps",
    );
    check(|s| s.action_ms = 0, "settings.action_ms", "BadClock");
    check(
        |s| s.rathole_ms = 86_400_001,
        "settings.rathole_ms",
        "BadRathole",
    );
    check(
        |s| s.sit_out_buttons = 256,
        "settings.sit_out_buttons",
        "TooLarge",
    );
    check(
        |s| s.timeouts_to_sit_out = Some(300),
        "settings.timeouts_to_sit_out",
        "TooLarge",
    );
    assert_eq!(
        parse(None).map_err(|invalid| invalid.reason),
        Err("MissingSettings")
    );
}
