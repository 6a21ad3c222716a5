//! The options of a table that say which game it plays.

use engine::{Betting, Blinds, CapOff, Limits, Straddle, StraddleFrom, StraddleRaise};

use crate::scene::number;

/// `no-limit`, `pot-limit`, `pot-limit+ante`, or `limit:200,4,never`: the big bet, how many raises, and where the cap is off.
pub fn betting(value: &str) -> Result<Betting, String> {
    match value.split_once(':') {
        None if value == "no-limit" => Ok(Betting::NoLimit),
        None if value == "pot-limit" => Ok(Betting::PotLimit { count_ante: false }),
        None if value == "pot-limit+ante" => Ok(Betting::PotLimit { count_ante: true }),
        Some(("limit", limits)) => {
            let [big_bet, raises_max, cap_off] = three(limits)?;
            let cap_off = match cap_off {
                "street" => CapOff::StreetHeadsUp,
                "hand" => CapOff::HandHeadsUp,
                "never" => CapOff::Never,
                _ => return Err("the cap is off heads-up on a street, in a hand, or never".into()),
            };
            Ok(Betting::FixedLimit(Limits {
                big_bet: number(big_bet)?,
                raises_max: number(raises_max)?,
                cap_off,
            }))
        }
        _ => Err(format!("no betting: {value}")),
    }
}

/// `utg,straddle,3`: from where, what a raise is by, and how many players it takes.
pub fn straddle(value: &str) -> Result<Straddle, String> {
    let [from, min_raise, players_min] = three(value)?;
    let from = match from {
        "utg" => StraddleFrom::UnderTheGun,
        "button" => StraddleFrom::Button,
        "either" => StraddleFrom::Either,
        _ => return Err("a straddle is from utg, button or either".into()),
    };
    let min_raise = match min_raise {
        "straddle" => StraddleRaise::ByStraddle,
        "big-blind" => StraddleRaise::ByBigBlind,
        _ => return Err("a raise is by straddle or by big-blind".into()),
    };
    Ok(Straddle {
        from,
        min_raise,
        players_min: number(players_min)?,
    })
}

/// `both` or `button`.
pub fn blinds_of(value: &str) -> Result<Blinds, String> {
    match value {
        "both" => Ok(Blinds::SmallAndBig),
        "button" => Ok(Blinds::Button),
        _ => Err("blinds-of=both or blinds-of=button".into()),
    }
}

fn three(value: &str) -> Result<[&str; 3], String> {
    let parts: Vec<&str> = value.split(',').collect();
    parts
        .try_into()
        .map_err(|_| format!("not three values: {value}"))
}
