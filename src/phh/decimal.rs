//! Amounts of a hand history: decimals read from their text and scaled by powers of ten, never floats.

use std::fmt;
use std::str::FromStr;

/// An amount that is not negative, exactly as written: `units / 10^places`, without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decimal {
    units: u64,
    places: u8,
}

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with at most one point among them.
    #[error("{0:?} is not an amount")]
    NotAnAmount(String),
    /// Below zero: PokerKit's notation of a posted bet, which no Hold'em hand of ours has.
    #[error("{0} is negative")]
    Negative(String),
    /// More digits than fit.
    #[error("{0} has too many digits")]
    TooLong(String),
}

impl Decimal {
    /// How many decimal places it takes to write this amount.
    pub fn places(self) -> u8 {
        self.places
    }

    /// Whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// The amount counted in `10^-places`. `None` if it is finer than that, or too large to count so.
    pub fn scaled(self, places: u8) -> Option<u64> {
        let power = 10u64.checked_pow(places.checked_sub(self.places)?.into())?;
        self.units.checked_mul(power)
    }

    /// An amount of whole `10^-places`.
    pub fn new(units: u64, places: u8) -> Decimal {
        let mut amount = Decimal { units, places };
        while amount.places > 0 && amount.units.is_multiple_of(10) {
            amount = Decimal {
                units: amount.units / 10,
                places: amount.places - 1,
            };
        }
        amount
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Decimal, DecimalError> {
        if text.starts_with('-') {
            return Err(DecimalError::Negative(text.to_owned()));
        }
        let digits = text.strip_prefix('+').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let all = || {
            whole
                .bytes()
                .chain(fraction.bytes())
                .filter(|byte| *byte != b'_')
        };
        if whole.is_empty() || !all().all(|byte| byte.is_ascii_digit()) || all().next().is_none() {
            return Err(DecimalError::NotAnAmount(text.to_owned()));
        }
        let add = |units: u64, byte: u8| units.checked_mul(10)?.checked_add(u64::from(byte - b'0'));
        let units = all()
            .try_fold(0, add)
            .ok_or_else(|| DecimalError::TooLong(text.to_owned()))?;
        let places = fraction.bytes().filter(|byte| *byte != b'_').count();
        if places > PLACES_MAX {
            return Err(DecimalError::TooLong(text.to_owned()));
        }
        Ok(Decimal::new(units, places as u8))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(point) = 10u64
            .checked_pow(self.places.into())
            .filter(|point| *point > 1)
        else {
            return write!(f, "{}", self.units);
        };
        let width = usize::from(self.places);
        write!(f, "{}.{:0width$}", self.units / point, self.units % point)
    }
}

/// More places than any currency has, and few enough that 10 to their power fits a `u64`.
const PLACES_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        let check = |text: &str, units, places| {
            assert_eq!(text.parse(), Ok(Decimal { units, places }), "{text}")
        };
        check("0", 0, 0);
        check("0.00", 0, 0);
        check("2.50", 25, 1);
        check("1259450.25", 125_945_025, 2);
        check("+1_000", 1000, 0);
        check("100.", 100, 0);
        check("0.05", 5, 2);
        check("18446744073709551615", u64::MAX, 0);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".5", "1.2.3", "inf", "nan", "1e3", "0x10", "_", "12a"] {
            assert_eq!(
                text.parse::<Decimal>(),
                Err(DecimalError::NotAnAmount(text.to_owned()))
            );
        }
        assert!(matches!(
            "-5".parse::<Decimal>(),
            Err(DecimalError::Negative(_))
        ));
        assert!(matches!(
            "18446744073709551616".parse::<Decimal>(),
            Err(DecimalError::TooLong(_))
        ));
        assert!(matches!(
            "0.0000000000000000001".parse::<Decimal>(),
            Err(DecimalError::TooLong(_))
        ));
    }

    #[test]
    fn amounts_scale_only_to_what_holds_them() {
        let amount: Decimal = "12.5".parse().unwrap();
        assert_eq!(amount.scaled(0), None);
        assert_eq!(amount.scaled(1), Some(125));
        assert_eq!(amount.scaled(3), Some(12_500));
        assert_eq!(amount.scaled(200), None);
        assert_eq!(amount.to_string(), "12.5");
        assert_eq!(Decimal::new(1205, 2).to_string(), "12.05");
        assert_eq!(Decimal::new(1200, 2).to_string(), "12");
    }
}
