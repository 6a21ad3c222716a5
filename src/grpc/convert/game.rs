//! Which game a table plays.

use engine::{
    Betting, Blinds, CapOff, Game, Limits, Straddle, StraddleFrom, StraddleRaise, Variant,
};
use proto::v1;

use super::settings::small;
use crate::grpc::status::Invalid;

/// The game of a table with this big blind. Whether it contradicts itself, the settings say.
pub fn parse(wire: Option<v1::Game>, big_blind: u64) -> Result<Game, Invalid> {
    let Some(wire) = wire else {
        return Ok(Game::default());
    };
    Ok(Game {
        variant: variant(&wire)?,
        low: wire.low,
        betting: betting(&wire, big_blind)?,
        blinds: if wire.button_blind {
            Blinds::Button
        } else {
            Blinds::SmallAndBig
        },
        straddle: wire.straddle.map(straddle).transpose()?,
        run_twice: wire.run_twice,
    })
}

/// The same on the wire; nothing for plain no-limit Hold'em.
pub fn wire(game: &Game) -> Option<v1::Game> {
    if game.is_plain() {
        return None;
    }
    let (betting, count_ante, limits) = match game.betting {
        Betting::NoLimit => (v1::Betting::NoLimit, false, None),
        Betting::PotLimit { count_ante } => (v1::Betting::PotLimit, count_ante, None),
        Betting::FixedLimit(limits) => (v1::Betting::FixedLimit, false, Some(wire_limits(limits))),
    };
    let variant = match game.variant {
        Variant::Holdem => v1::Variant::Holdem,
        Variant::ShortDeck => v1::Variant::ShortDeck,
        Variant::Omaha4 => v1::Variant::Omaha,
        Variant::Omaha5 => v1::Variant::Omaha5,
        Variant::Omaha6 => v1::Variant::Omaha6,
    };
    Some(v1::Game {
        variant: variant.into(),
        low: game.low,
        betting: betting.into(),
        count_ante,
        limits,
        button_blind: game.blinds == Blinds::Button,
        straddle: game.straddle.map(|straddle| v1::StraddleRule {
            under_the_gun: straddle.from != StraddleFrom::Button,
            button: straddle.from != StraddleFrom::UnderTheGun,
            raise_by_big_blind: straddle.min_raise == StraddleRaise::ByBigBlind,
            players_min: straddle.players_min.into(),
        }),
        run_twice: game.run_twice,
    })
}

fn variant(wire: &v1::Game) -> Result<Variant, Invalid> {
    Ok(match v1::Variant::try_from(wire.variant) {
        Ok(v1::Variant::Unspecified | v1::Variant::Holdem) => Variant::Holdem,
        Ok(v1::Variant::ShortDeck) => Variant::ShortDeck,
        Ok(v1::Variant::Omaha) => Variant::Omaha4,
        Ok(v1::Variant::Omaha5) => Variant::Omaha5,
        Ok(v1::Variant::Omaha6) => Variant::Omaha6,
        Err(cause) => return Err(unknown("settings.game.variant", "BadVariant", &cause)),
    })
}

/// What belongs to another betting structure is refused: nobody can tell what was meant.
fn betting(wire: &v1::Game, big_blind: u64) -> Result<Betting, Invalid> {
    let betting = v1::Betting::try_from(wire.betting)
        .map_err(|cause| unknown("settings.game.betting", "BadBetting", &cause))?;
    if wire.count_ante && betting != v1::Betting::PotLimit {
        return Err(Invalid::new(
            "settings.game.count_ante",
            "CountedAnteWithoutPotLimit",
            "only in pot limit is there a pot to count it to",
        ));
    }
    if wire.limits.is_some() && betting != v1::Betting::FixedLimit {
        return Err(Invalid::new(
            "settings.game.limits",
            "LimitsWithoutFixedLimit",
            "limits belong to fixed limit",
        ));
    }
    Ok(match betting {
        v1::Betting::Unspecified | v1::Betting::NoLimit => Betting::NoLimit,
        v1::Betting::PotLimit => Betting::PotLimit {
            count_ante: wire.count_ante,
        },
        v1::Betting::FixedLimit => Betting::FixedLimit(limits(wire.limits, big_blind)?),
    })
}

fn limits(wire: Option<v1::Limits>, big_blind: u64) -> Result<Limits, Invalid> {
    let usual = Limits::new(big_blind);
    let Some(wire) = wire else { return Ok(usual) };
    let cap_off = match v1::CapOff::try_from(wire.cap_off) {
        Ok(v1::CapOff::Unspecified | v1::CapOff::StreetHeadsUp) => CapOff::StreetHeadsUp,
        Ok(v1::CapOff::HandHeadsUp) => CapOff::HandHeadsUp,
        Ok(v1::CapOff::Never) => CapOff::Never,
        Err(cause) => return Err(unknown("settings.game.limits.cap_off", "BadCapOff", &cause)),
    };
    Ok(Limits {
        big_bet: match wire.big_bet {
            0 => usual.big_bet,
            big_bet => big_bet,
        },
        raises_max: match wire.raises_max {
            0 => usual.raises_max,
            raises_max => small("settings.game.limits.raises_max", raises_max)?,
        },
        cap_off,
    })
}

fn wire_limits(limits: Limits) -> v1::Limits {
    let cap_off = match limits.cap_off {
        CapOff::StreetHeadsUp => v1::CapOff::StreetHeadsUp,
        CapOff::HandHeadsUp => v1::CapOff::HandHeadsUp,
        CapOff::Never => v1::CapOff::Never,
    };
    v1::Limits {
        big_bet: limits.big_bet,
        raises_max: limits.raises_max.into(),
        cap_off: cap_off.into(),
    }
}

fn straddle(wire: v1::StraddleRule) -> Result<Straddle, Invalid> {
    let from = match (wire.under_the_gun, wire.button) {
        (true, false) => StraddleFrom::UnderTheGun,
        (false, true) => StraddleFrom::Button,
        (true, true) => StraddleFrom::Either,
        (false, false) => {
            return Err(Invalid::new(
                "settings.game.straddle",
                "StraddleFromNowhere",
                "say from where players may straddle, or leave the rule out",
            ));
        }
    };
    Ok(Straddle {
        from,
        min_raise: if wire.raise_by_big_blind {
            StraddleRaise::ByBigBlind
        } else {
            StraddleRaise::ByStraddle
        },
        players_min: match wire.players_min {
            0 => Straddle::PLAYERS_MIN,
            players => small("settings.game.straddle.players_min", players)?,
        },
    })
}

fn unknown(field: &'static str, reason: &'static str, cause: &dyn std::fmt::Display) -> Invalid {
    Invalid::new(field, reason, format!("no value of the list: {cause}"))
}

#[cfg(test)]
mod tests;
