//! A house bot: sits at one table and plays at the pace of people, for ever.

use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::bots::{Dice, Sight, Strategy, Temper};
use super::calls::{ForTurn, RequestIds};
use super::error::CallError;
use super::model::{Status, TableModel};
use super::session::Player;
use super::watch::{Update, Watch, WatchOptions};

/// Plays at a table until the server refuses its stream. Sits down if it does not sit, brings chips when it has none.
pub async fn play(player: Player, table: String, strategy: Strategy, mut dice: Dice) {
    let mut watch = Watch::open(player.clone(), vec![table.clone()], WatchOptions::default());
    let mut ids = RequestIds::default();
    let mut model: Option<TableModel> = None;
    let mut asked: Option<ForTurn> = None;
    while let Some(update) = watch.next().await {
        match update {
            Update::Snapshot { view, .. } => model = TableModel::new(&view).ok(),
            Update::Event { event, .. } => {
                if model
                    .as_mut()
                    .is_some_and(|model| model.apply(&event).is_err())
                {
                    watch.remove(&table);
                    watch.add(&table);
                }
            }
            Update::Over { .. } => return,
            Update::Connected { .. }
            | Update::Lost { .. }
            | Update::Reset { .. }
            | Update::Gap { .. }
            | Update::Rewound { .. }
            | Update::Refused { .. } => {}
        }
        let Some(model) = &model else { continue };
        if let Err(error) = consider(
            &player, &table, model, strategy, &mut dice, &mut ids, &mut asked,
        )
        .await
        {
            tracing::debug!(%table, %error, "a house bot's call failed");
        }
    }
}

async fn consider(
    player: &Player,
    table: &str,
    model: &TableModel,
    strategy: Strategy,
    dice: &mut Dice,
    ids: &mut RequestIds,
    asked: &mut Option<ForTurn>,
) -> Result<(), CallError> {
    let Some((no, seat)) = model.seat_of(player.id()) else {
        let stakes = &model.stakes;
        let buy_in = stakes
            .buy_in_max
            .min(stakes.big_blind * BUY_IN_BLINDS)
            .max(stakes.buy_in_min);
        player
            .sit(table, ids.next(floor()), None, buy_in, true)
            .await?;
        return Ok(());
    };
    if let Some(question) = model.asks_to_run_twice(no) {
        if asked.replace(question) != Some(question) {
            player
                .run_twice(table, ids.next(floor()), question, true)
                .await?;
        }
        return Ok(());
    }
    let Some(turn) = model.turn.filter(|turn| turn.seat == no && model.running) else {
        let broke = !model.running && seat.stack + seat.queued < model.stakes.big_blind;
        if broke {
            player
                .top_up(table, ids.next(floor()), model.stakes.buy_in_min)
                .await?;
        } else if !model.running && seat.status == Status::SittingOut {
            player.sit_in(table, ids.next(floor()), true).await?;
        } else if strategy == Strategy::Sharp(Temper::Bold)
            && model.stakes.game.straddle.is_some()
            && !seat.straddles
        {
            player.straddle(table, ids.next(floor()), true).await?;
        }
        return Ok(());
    };
    let this = ForTurn {
        hand: model.hand,
        turn: turn.turn,
    };
    if asked.replace(this) == Some(this) {
        return Ok(());
    }
    // As long as people think; never so long that the clock runs out.
    let thinks = THINKS_LEAST + Duration::from_millis(dice.below(THINKS_MORE_MS));
    let clock = Duration::from_millis(u64::from(turn.time_left_ms) / 2);
    sleep(thinks.min(clock)).await;
    let sight = Sight::of(model, &turn, seat);
    player
        .act(
            table,
            ids.next(floor()),
            this,
            strategy.decide(&sight, dice),
        )
        .await?;
    Ok(())
}

/// A bot that starts again under its old name goes on above the ids it used before.
fn floor() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

const BUY_IN_BLINDS: u64 = 100;
const THINKS_LEAST: Duration = Duration::from_millis(400);
const THINKS_MORE_MS: u64 = 1_600;
