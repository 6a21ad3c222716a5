//! How many streams of a player watch a table, and what the table was told of it (R18).
//!
//! Pure: what to tell comes back as a value. A table hears of the first stream and of the end of the last one, and hears it
//! in that order: while it is being told, nothing else is told about the same player, and afterwards only what is news then.

use std::collections::HashMap;

use engine::PlayerId;

use crate::ids::TableId;

/// The streams of all players, by table.
#[derive(Default)]
pub struct Presence(HashMap<(PlayerId, TableId), Known>);

#[derive(Default)]
struct Known {
    streams: u32,
    /// What the table knows.
    told: bool,
    /// Whether it is being told something now.
    telling: bool,
}

impl Presence {
    /// A stream began to watch a table. Returns what to tell the table now.
    #[must_use]
    pub fn enter(&mut self, player: PlayerId, table: TableId) -> Option<bool> {
        let known = self.0.entry((player, table)).or_default();
        known.streams = known.streams.saturating_add(1);
        known.news()
    }

    /// A stream that had entered watches the table no more. Returns what to tell the table now.
    #[must_use]
    pub fn leave(&mut self, player: PlayerId, table: TableId) -> Option<bool> {
        let known = self.0.get_mut(&(player, table))?;
        known.streams = known.streams.saturating_sub(1);
        let news = known.news();
        self.forget(player, table);
        news
    }

    /// The table was told. Returns what to tell it next.
    #[must_use]
    pub fn told(&mut self, player: PlayerId, table: TableId, connected: bool) -> Option<bool> {
        let known = self.0.get_mut(&(player, table))?;
        known.told = connected;
        known.telling = false;
        let news = known.news();
        self.forget(player, table);
        news
    }

    /// Whether this is still what the table should know.
    pub fn holds(&self, player: PlayerId, table: TableId, connected: bool) -> bool {
        self.0
            .get(&(player, table))
            .is_some_and(|known| (known.streams > 0) == connected)
    }

    fn forget(&mut self, player: PlayerId, table: TableId) {
        if self.0.get(&(player, table)).is_some_and(Known::over) {
            self.0.remove(&(player, table));
        }
    }
}

impl Known {
    fn news(&mut self) -> Option<bool> {
        let connected = self.streams > 0;
        if self.telling || connected == self.told {
            return None;
        }
        self.telling = true;
        Some(connected)
    }

    fn over(&self) -> bool {
        self.streams == 0 && !self.told && !self.telling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: PlayerId = PlayerId(1);
    const TABLE: TableId = TableId(7);

    /// `+` a stream enters, `-` one leaves, `!` the table has been told. After each step: what to tell, as `+`, `-` or `.`.
    fn check(steps: &str, expected: &str) {
        let (mut presence, mut telling, mut told) = (Presence::default(), None, String::new());
        for step in steps.chars() {
            let news = match step {
                '+' => presence.enter(ME, TABLE),
                '-' => presence.leave(ME, TABLE),
                _ => presence.told(
                    ME,
                    TABLE,
                    telling
                        .take()
                        .expect("only what is being told has been told"),
                ),
            };
            if news.is_some() {
                assert_eq!(telling, None, "{steps}: told two things at once");
                telling = news;
            }
            told.push(match news {
                Some(true) => '+',
                Some(false) => '-',
                None => '.',
            });
        }
        assert_eq!(told, expected, "{steps}");
        let streams = steps.matches('+').count() - steps.matches('-').count();
        let quiet = telling.is_none() && streams == 0;
        assert_eq!(
            presence.0.is_empty(),
            quiet,
            "{steps}: what is over is forgotten, and nothing else"
        );
    }

    #[test]
    fn the_first_stream_and_the_end_of_the_last_one_are_told() {
        check("+!-!", "+.-.");
        check("+!+-+--!", "+.....-.");
    }

    #[test]
    fn what_changes_while_a_table_is_told_is_told_afterwards() {
        check("+-!!", "+.-.");
        check("+!-+!!", "+.-.+.");
        check("+!-+-!", "+.-...");
        check("+-+!", "+...");
    }
}
