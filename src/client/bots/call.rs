//! What a bot asks of a table.

use super::check::Deed;
use crate::client::calls::{Answer, ForTurn};
use crate::client::error::CallError;
use crate::client::session::Player;

/// What a session is asked to do at a table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Sit { buy_in: u64 },
    TopUp { amount: u64 },
    SitIn,
    Straddle,
    Leave,
    RunTwice(ForTurn),
    Act(Deed),
}

/// Asks the server for it, until there is an answer.
pub(super) async fn ask(
    player: &Player,
    table: &str,
    id: u64,
    call: Call,
) -> Result<Answer, CallError> {
    match call {
        Call::Sit { buy_in } => player
            .sit(table, id, None, buy_in, true)
            .await
            .map(|(answer, _seat)| answer),
        Call::TopUp { amount } => player.top_up(table, id, amount).await,
        Call::SitIn => player.sit_in(table, id, true).await,
        Call::Straddle => player.straddle(table, id, true).await,
        Call::Leave => player.leave(table, id).await,
        // All bots agree: so boards are run twice wherever the table lets them.
        Call::RunTwice(question) => player.run_twice(table, id, question, true).await,
        Call::Act(deed) => {
            let (hand, turn) = (deed.hand, deed.turn);
            let turn = ForTurn { hand, turn };
            player.act(table, id, turn, deed.what).await
        }
    }
}
