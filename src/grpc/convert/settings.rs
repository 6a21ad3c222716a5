//! What a table plays.

use engine::{Ante, ButtonRule, Clock, Rake, Settings};
use proto::v1;

use super::game;
use crate::grpc::status::{self, Invalid};

/// Settings that a table can be made of.
pub fn parse(wire: Option<v1::Settings>) -> Result<Settings, Invalid> {
    let Some(wire) = wire else {
        return Err(Invalid::new(
            "settings",
            "MissingSettings",
            "send what the table plays",
        ));
    };
    let settings = Settings {
        seats: small("settings.seats", wire.seats)?,
        small_blind: wire.small_blind,
        big_blind: wire.big_blind,
        ante: ante(wire.ante, wire.big_blind_ante)?,
        buy_in_min: wire.buy_in_min,
        buy_in_max: wire.buy_in_max,
        rake: Rake {
            per_10_000: wire.rake_per_10000,
            caps: wire.rake_caps,
        },
        clock: Clock {
            action_ms: wire.action_ms,
            bank_ms: wire.bank_ms,
            bank_gain_ms: wire.bank_gain_ms,
            reconnect_ms: wire.reconnect_ms,
        },
        show_all_in: wire.show_all_in.unwrap_or(SHOW_ALL_IN),
        button: if wire.moving_button {
            ButtonRule::Moving
        } else {
            ButtonRule::Dead
        },
        sit_out_buttons: small("settings.sit_out_buttons", wire.sit_out_buttons)?,
        timeouts_to_sit_out: small(
            "settings.timeouts_to_sit_out",
            wire.timeouts_to_sit_out.unwrap_or(TIMEOUTS_TO_SIT_OUT),
        )?,
        rathole_ms: wire.rathole_ms,
        game: game::parse(wire.game, wire.big_blind)?,
    };
    settings.check().map_err(|error| status::settings(&error))?;
    Ok(settings)
}

/// The same on the wire.
pub fn wire(settings: &Settings) -> v1::Settings {
    let (ante, big_blind_ante) = match settings.ante {
        Ante::None => (0, 0),
        Ante::Each(ante) => (ante, 0),
        Ante::BigBlind(ante) => (0, ante),
    };
    v1::Settings {
        seats: settings.seats.into(),
        small_blind: settings.small_blind,
        big_blind: settings.big_blind,
        ante,
        big_blind_ante,
        buy_in_min: settings.buy_in_min,
        buy_in_max: settings.buy_in_max,
        rake_per_10000: settings.rake.per_10_000,
        rake_caps: settings.rake.caps.clone(),
        action_ms: settings.clock.action_ms,
        bank_ms: settings.clock.bank_ms,
        reconnect_ms: settings.clock.reconnect_ms,
        bank_gain_ms: settings.clock.bank_gain_ms,
        show_all_in: Some(settings.show_all_in),
        sit_out_buttons: settings.sit_out_buttons.into(),
        timeouts_to_sit_out: Some(settings.timeouts_to_sit_out.into()),
        rathole_ms: settings.rathole_ms,
        game: game::wire(&settings.game),
        moving_button: settings.button == ButtonRule::Moving,
    }
}

fn ante(each: u64, big_blind: u64) -> Result<Ante, Invalid> {
    match (each, big_blind) {
        (0, 0) => Ok(Ante::None),
        (each, 0) => Ok(Ante::Each(each)),
        (0, big_blind) => Ok(Ante::BigBlind(big_blind)),
        (_, _) => Err(Invalid::new(
            "settings.ante",
            "TwoAntes",
            "send ante or big_blind_ante, not both",
        )),
    }
}

pub(super) fn small(field: &'static str, number: u32) -> Result<u8, Invalid> {
    u8::try_from(number)
        .map_err(|cause| Invalid::new(field, "TooLarge", format!("at most {}: {cause}", u8::MAX)))
}

/// R9.
const SHOW_ALL_IN: bool = true;
/// R19.
const TIMEOUTS_TO_SIT_OUT: u32 = 2;

#[cfg(test)]
mod tests;
