//! What a player may type.

/// A line, understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    Fold,
    Check,
    Call,
    /// Bet or raise, to a total on this street.
    RaiseTo(u64),
    /// Without an amount: where there is only one.
    Raise,
    AllIn,
    SitOut,
    Back,
    TopUp(u64),
    /// Straddle from now on, or not.
    Straddle(bool),
    /// Deal the rest of the board twice, or not.
    RunTwice(bool),
    Leave,
    Table,
    Help,
    Quit,
    /// An empty line.
    Nothing,
}

/// A line that is not understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("{0:?} is no command; help lists them")]
    Unknown(String),
    #[error("{0} needs an amount: {0} 500")]
    NoAmount(&'static str),
    #[error("{0} stands alone, without an amount")]
    Alone(&'static str),
    #[error("{0:?} is not an amount")]
    NotAnAmount(String),
    #[error("{0:?} is too much")]
    TooMuch(String),
}

impl Command {
    /// Whether it is a decision in a hand.
    pub(super) fn is_move(self) -> bool {
        match self {
            Command::Fold
            | Command::Check
            | Command::Call
            | Command::RaiseTo(_)
            | Command::Raise
            | Command::AllIn => true,
            Command::SitOut
            | Command::Back
            | Command::TopUp(_)
            | Command::Straddle(_)
            | Command::RunTwice(_)
            | Command::Leave
            | Command::Table
            | Command::Help
            | Command::Quit
            | Command::Nothing => false,
        }
    }
}

/// Understands a line: words in any case, amounts with or without commas, "to" where people say it.
pub(super) fn parse(line: &str) -> Result<Command, CommandError> {
    let line = line.trim().to_lowercase();
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| *word != "to")
        .collect();
    match words.as_slice() {
        [] => Ok(Command::Nothing),
        ["f" | "fold"] => Ok(Command::Fold),
        ["f" | "fold", ..] => Err(CommandError::Alone("fold")),
        ["k" | "check"] => Ok(Command::Check),
        ["k" | "check", ..] => Err(CommandError::Alone("check")),
        ["c" | "call"] => Ok(Command::Call),
        ["c" | "call", ..] => Err(CommandError::Alone("call")),
        ["a" | "allin" | "all-in"] | ["all", "in"] => Ok(Command::AllIn),
        ["r" | "raise" | "b" | "bet"] => Ok(Command::Raise),
        ["r" | "raise" | "b" | "bet", amount] => parse_amount(amount).map(Command::RaiseTo),
        ["out" | "sitout" | "sit-out"] | ["sit", "out"] => Ok(Command::SitOut),
        ["back" | "in" | "sitin"] | ["sit", "in"] => Ok(Command::Back),
        ["top" | "topup" | "top-up" | "add"] | ["top", "up"] => {
            Err(CommandError::NoAmount("top up"))
        }
        ["topup" | "top-up" | "add" | "top", amount] | ["top", "up", amount] => {
            parse_amount(amount).map(Command::TopUp)
        }
        ["straddle"] | ["straddle", "on"] => Ok(Command::Straddle(true)),
        ["straddle", "off"] => Ok(Command::Straddle(false)),
        ["twice"] => Ok(Command::RunTwice(true)),
        ["once"] => Ok(Command::RunTwice(false)),
        ["leave"] => Ok(Command::Leave),
        ["t" | "table"] => Ok(Command::Table),
        ["h" | "?" | "help"] => Ok(Command::Help),
        ["q" | "quit" | "exit"] => Ok(Command::Quit),
        _ => Err(CommandError::Unknown(
            line.chars().take(QUOTED_MAX).collect(),
        )),
    }
}

fn parse_amount(text: &str) -> Result<u64, CommandError> {
    let digits: String = text.chars().filter(|c| *c != ',' && *c != '_').collect();
    let quoted = || text.chars().take(QUOTED_MAX).collect();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CommandError::NotAnAmount(quoted()));
    }
    // Only digits: what does not parse is beyond 64 bits.
    digits.parse().or(Err(CommandError::TooMuch(quoted())))
}

pub(super) const HELP: &str = "\
  fold (f)   check (k)   call (c)   raise 500 or bet 500 (r 500): to 500 in all on this street   all-in (a)
  sit out    back        top up 500      straddle, straddle off: from the next hand on
  twice, once: how often to deal the rest of the board, when the table asks
  table (t)  help (h)    leave: leave the seat    quit (q): leave the seat and end";

/// As much of a wrong line as is said again.
const QUOTED_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::{Command, CommandError, parse};

    #[test]
    fn lines() {
        let check = |line: &str, expected: Result<Command, CommandError>| {
            assert_eq!(parse(line), expected, "{line}")
        };
        check("", Ok(Command::Nothing));
        check("f", Ok(Command::Fold));
        check(" FOLD ", Ok(Command::Fold));
        check("k", Ok(Command::Check));
        check("c", Ok(Command::Call));
        check("call", Ok(Command::Call));
        check("r 500", Ok(Command::RaiseTo(500)));
        check("raise to 1,500", Ok(Command::RaiseTo(1_500)));
        check("bet 500", Ok(Command::RaiseTo(500)));
        check("a", Ok(Command::AllIn));
        check("all in", Ok(Command::AllIn));
        check("all-in", Ok(Command::AllIn));
        check("sit out", Ok(Command::SitOut));
        check("back", Ok(Command::Back));
        check("top up 2000", Ok(Command::TopUp(2_000)));
        check("topup 2000", Ok(Command::TopUp(2_000)));
        check("leave", Ok(Command::Leave));
        check("t", Ok(Command::Table));
        check("?", Ok(Command::Help));
        check("quit", Ok(Command::Quit));
        check("raise", Ok(Command::Raise));
        check("straddle", Ok(Command::Straddle(true)));
        check("straddle off", Ok(Command::Straddle(false)));
        check("call 500", Err(CommandError::Alone("call")));
        check("fold please", Err(CommandError::Alone("fold")));
        check("twice", Ok(Command::RunTwice(true)));
        check("once", Ok(Command::RunTwice(false)));
        check("top up", Err(CommandError::NoAmount("top up")));
        check("r x", Err(CommandError::NotAnAmount("x".into())));
        check("r -5", Err(CommandError::NotAnAmount("-5".into())));
        check("r 5.5", Err(CommandError::NotAnAmount("5.5".into())));
        check(
            "r 99999999999999999999",
            Err(CommandError::TooMuch("99999999999999999999".into())),
        );
        check("dance", Err(CommandError::Unknown("dance".into())));
    }
}
