use alloc::vec;

use super::{Ante, Settings, SettingsError};

fn check(change: impl FnOnce(&mut Settings), expected: Result<(), SettingsError>) {
    let mut settings = Settings::new(6, 50, 100);
    change(&mut settings);
    assert_eq!(settings.check(), expected);
}

#[test]
fn sound_settings_pass() {
    check(|_| {}, Ok(()));
    check(|s| s.seats = 2, Ok(()));
    check(|s| s.seats = 10, Ok(()));
    check(|s| s.small_blind = 100, Ok(()));
    check(|s| s.ante = Ante::BigBlind(100), Ok(()));
    check(|s| s.rake.caps = vec![1; 9], Ok(()));
    check(|s| s.rathole_ms = Settings::RATHOLE_MS_MAX, Ok(()));
}

#[test]
fn contradictions_are_named() {
    check(|s| s.seats = 1, Err(SettingsError::Seats { seats: 1 }));
    check(|s| s.seats = 11, Err(SettingsError::Seats { seats: 11 }));
    check(
        |s| s.small_blind = 0,
        Err(SettingsError::Blinds { small: 0, big: 100 }),
    );
    check(
        |s| s.small_blind = 101,
        Err(SettingsError::Blinds {
            small: 101,
            big: 100,
        }),
    );
    check(
        |s| s.ante = Ante::Each(0),
        Err(SettingsError::Ante { ante: 0, big: 100 }),
    );
    check(
        |s| s.ante = Ante::BigBlind(1001),
        Err(SettingsError::Ante {
            ante: 1001,
            big: 100,
        }),
    );
    check(
        |s| s.buy_in_min = 0,
        Err(SettingsError::BuyIn {
            min: 0,
            max: 10_000,
        }),
    );
    check(
        |s| s.buy_in_min = 10_001,
        Err(SettingsError::BuyIn {
            min: 10_001,
            max: 10_000,
        }),
    );
    check(
        |s| s.buy_in_max = u64::MAX,
        Err(SettingsError::BuyIn {
            min: 2_000,
            max: u64::MAX,
        }),
    );
    check(
        |s| s.rake.per_10_000 = 10_001,
        Err(SettingsError::Rake { per_10_000: 10_001 }),
    );
    check(
        |s| s.rake.caps = vec![1; 10],
        Err(SettingsError::RakeCaps { caps: 10 }),
    );
    check(|s| s.clock.action_ms = 0, Err(SettingsError::Clock));
    check(
        |s| s.rathole_ms = Settings::RATHOLE_MS_MAX + 1,
        Err(SettingsError::Rathole {
            ms: Settings::RATHOLE_MS_MAX + 1,
        }),
    );
}
