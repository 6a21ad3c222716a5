//! What must hold, whatever happened: the promises P1 to P8, each against the log as it
//! stands in the store.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use engine::{Event, Fact, Viewer};
use openrustpoker::{
    ids::{Seq, TableId},
    table::{
        Standing,
        frame::{EventFrame, Frame, Sight},
    },
};

use super::UNBROKEN;
use super::{
    chain::{Histories, History, decks, fact},
    players::Told,
    run::{Report, Room},
    watchers::Stream,
};

/// P7: with nobody at the tables, every hand ends by its clocks.
pub async fn settle(room: &Arc<Room>, tables: &[TableId]) -> Result<(), String> {
    let mut random = openrustpoker::store::memory::SplitMix(1);
    for table in tables {
        let mut quiet = false;
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let Some(node) = room.at(*table, &mut random) else {
                continue;
            };
            let seen = node.tables.view(*table, Viewer::Spectator).await;
            let seen = match seen {
                Ok(seen) => seen,
                Err(openrustpoker::table::request::CallError::Parked) => {
                    let list = node.tables.admin_list(Some(Standing::Parked)).await;
                    return Err(format!("P7: table {table} is parked: {list:?}"));
                }
                Err(_) => continue,
            };
            let ready = seen.view.seats.iter().flatten();
            let ready = ready.filter(|seat| seat.away.is_none() && seat.stack > 0);
            quiet = seen.view.hand.is_none() && ready.count() < 2;
            if quiet {
                break;
            }
        }
        if !quiet {
            return Err(format!("P7: a hand of table {table} does not end"));
        }
    }
    Ok(())
}

/// Everything else.
pub async fn judge(
    room: &Arc<Room>,
    tables: &[TableId],
    histories: &Histories,
) -> Result<Report, String> {
    let mut report = Report {
        takeovers: histories.takeovers,
        ..Report::default()
    };
    for table in tables {
        let history = histories.tables.get(table);
        let history = history.ok_or(format!("P2: table {table} is not in the log"))?;
        chips(*table, history)?;
        clocks(room, *table, history)?;
        report.events += history.steps.len();
        report.hands += hands(*table, history)?;
    }
    answers(room, histories, &mut report)?;
    for shown in &*room.ears.shown.lock().expect(UNBROKEN) {
        report.shown += 1;
        let (table, at) = (shown.view.table, shown.view.position.seq);
        let folded = histories.tables[&table].view(at, shown.viewer);
        if folded.as_ref() != Some(&shown.view.view) {
            return Err(format!(
                "P2, P6: an owner of table {table} showed another {at}"
            ));
        }
    }
    for stream in &*room.streams.0.lock().expect(UNBROKEN) {
        report.frames += stream.frames.len();
        frames(stream, &histories.tables[&stream.table])?;
    }
    clear_cards(room, histories)?;
    archive(room, tables, histories).await?;
    Ok(report)
}

/// P1: from the facts alone, and from the ledger.
fn chips(table: TableId, history: &History) -> Result<(), String> {
    let (mut came, mut went) = (0, 0);
    for step in &history.steps {
        let Some(fact) = fact(&step.stamped) else {
            continue;
        };
        if let Fact::SeatTaken { buy_in: more, .. } | Fact::TopUpQueued { amount: more, .. } = fact
        {
            came += more;
        }
        went += fact.chips_out().map_or(0, |(_, amount)| amount);
        let (chips, rake) = (step.table.chips(), step.table.rake());
        if came != went + chips + rake {
            let at = step.stamped.seq;
            return Err(format!(
                "P1: table {table} at {at}: {came} came, {went} went, {chips} are there, {rake} raked"
            ));
        }
    }
    Ok(())
}

/// P7: every hand that began has ended, and no machine voided one.
fn hands(table: TableId, history: &History) -> Result<usize, String> {
    let (mut begun, mut ended) = (0_usize, 0_usize);
    for step in &history.steps {
        let fact = fact(&step.stamped);
        if let Some(Fact::HandVoided { hand }) = fact {
            return Err(format!("P7: hand {hand} of table {table} was voided"));
        }
        begun += usize::from(matches!(fact, Some(Fact::HandStarted { .. })));
        ended += usize::from(matches!(fact, Some(Fact::HandEnded { .. })));
    }
    if begun != ended {
        return Err(format!(
            "P7: table {table}: {begun} hands began, {ended} ended"
        ));
    }
    Ok(ended)
}

/// P6, R19: nobody was timed out before the promised time since his turn began or since
/// this owner's reign began, whichever was later.
fn clocks(room: &Arc<Room>, table: TableId, history: &History) -> Result<(), String> {
    let reigns = room.cluster.reigns.lock().expect(UNBROKEN);
    let mut since: Option<(u64, u64)> = None;
    for step in &history.steps {
        let now = step.stamped.at_ms;
        let reign = reigns.get(&step.writer.0).copied();
        let reign = reign.ok_or("a row of nobody who ever took over")?;
        if let Some(
            Fact::TimedOut { .. }
            | Fact::TimeBankStarted { .. }
            | Fact::ReconnectTimeStarted { .. },
        ) = fact(&step.stamped)
        {
            let (start, ms) = since.ok_or("a clock ran out that did not run")?;
            let ran = now.saturating_sub(start.max(reign));
            if ran < ms {
                let at = step.stamped.seq;
                return Err(format!("P6: table {table} at {at}: {ran} ms of {ms} ms"));
            }
        }
        let clock = step.table.clock();
        if let Some(
            Fact::TurnStarted { .. }
            | Fact::TimeBankStarted { .. }
            | Fact::ReconnectTimeStarted { .. },
        ) = fact(&step.stamped)
        {
            since = clock.map(|clock| (now, u64::from(clock.ms)));
        }
    }
    Ok(())
}

/// P2 and P3: done is in the log once and where it was said; refused is not.
fn answers(room: &Arc<Room>, histories: &Histories, report: &mut Report) -> Result<(), String> {
    let mut done: BTreeMap<_, Vec<Seq>> = BTreeMap::new();
    for (table, history) in &histories.tables {
        for (player, id, refused, seq) in &history.causes {
            if !refused {
                done.entry((*table, *player, *id)).or_default().push(*seq);
            }
        }
    }
    if let Some((request, at)) = done.iter().find(|(_, at)| at.len() > 1) {
        return Err(format!("P2: {request:?} was done at {at:?}"));
    }
    for heard in &*room.ears.heard.lock().expect(UNBROKEN) {
        let key = (heard.table, heard.player, heard.id);
        let at = done.get(&key).map(|at| at[0]);
        match &heard.told {
            Told::Done(answer) => {
                report.acknowledged += 1;
                if at != Some(answer.position.seq) {
                    return Err(format!("P2: {heard:?}, in the log at {at:?}"));
                }
            }
            // It says only that this copy does nothing.
            Told::Refused("StaleRequest") => report.refused += 1,
            Told::Refused(_) | Told::Busy => {
                report.refused += 1;
                if at.is_some() {
                    return Err(format!("P3: {heard:?}, in the log at {at:?}"));
                }
            }
            Told::Unknown => report.unknown += 1,
        }
    }
    Ok(())
}

/// P8 and P5: each stream is a gapless part of the log, as its viewer may see it; where
/// it is not, it says so first.
fn frames(stream: &Stream, history: &History) -> Result<(), String> {
    let table = stream.table;
    let mut next = stream.after.map(|after| after.0 + 1);
    let mut reset = stream.after.is_none();
    for frame in &stream.frames {
        match frame {
            Frame::Reset { .. } => reset = true,
            Frame::Snapshot(view) => {
                if !std::mem::take(&mut reset) {
                    return Err(format!("P8: table {table}: a snapshot without a reset"));
                }
                let folded = history.view(view.position.seq, stream.viewer);
                if folded.as_ref() != Some(&view.view) {
                    let at = view.position.seq;
                    return Err(format!(
                        "P8: table {table}: the snapshot at {at} is another"
                    ));
                }
                next = Some(view.position.seq.0 + 1);
            }
            Frame::Event(event) => {
                let at = event.position.seq;
                if reset || next != Some(at.0) {
                    return Err(format!("P8: table {table}: {at} where {next:?} is next"));
                }
                sight(event, history, stream.viewer)?;
                next = Some(at.0 + 1);
            }
        }
    }
    Ok(())
}

fn sight(frame: &EventFrame, history: &History, viewer: Viewer) -> Result<(), String> {
    let (table, at) = (frame.table, frame.position.seq);
    let step = history
        .at(at)
        .ok_or(format!("P8: table {table} has no {at}"))?;
    if step.stamped.at_ms != frame.at_ms {
        return Err(format!("P8: table {table}: {at} is another event"));
    }
    let right = match (&frame.sight, &step.stamped.event) {
        (Sight::Public(seen), Event::Public(fact)) => {
            matches!(&seen.event, Event::Public(seen) if seen == fact)
        }
        (Sight::Won { stamped, .. }, Event::Public(fact)) => {
            matches!(&stamped.event, Event::Public(seen) if seen == fact)
        }
        (Sight::Turn { legal, .. }, Event::Public(Fact::TurnStarted { seat, turn })) => {
            legal.seat == *seat && legal.turn == *turn
        }
        (Sight::Own { seat, cards }, Event::Private(_)) => {
            match engine::see(&step.table, &step.stamped.event, viewer) {
                engine::Seen::HoleCards {
                    seat: own,
                    cards: its,
                } => *seat == own && *cards == its,
                engine::Seen::Public(_) | engine::Seen::Nothing => false,
            }
        }
        (Sight::Hidden, Event::Private(_)) => {
            let seen = engine::see(&step.table, &step.stamped.event, viewer);
            matches!(seen, engine::Seen::Nothing)
        }
        _ => false,
    };
    if right {
        Ok(())
    } else {
        Err(format!(
            "P5, P8: table {table}: {viewer:?} saw something else at {at}"
        ))
    }
}

/// P5, S3: no stored cell holds a part of a deck in the order in which it is dealt.
fn clear_cards(room: &Arc<Room>, histories: &Histories) -> Result<(), String> {
    let mut windows = std::collections::HashMap::new();
    for deck in decks(histories) {
        for at in 0..=deck.len() - WINDOW {
            let window: [u8; WINDOW] = deck[at..at + WINDOW].try_into().expect("as long");
            windows.insert(window, at);
        }
    }
    for (name, bytes) in room.cluster.tape.memory.raw_cells() {
        let found = bytes.windows(WINDOW).any(|window| {
            let cards = window.iter().all(|byte| *byte < 52);
            cards && windows.contains_key(window)
        });
        if found {
            return Err(format!("P5: {name} holds cards in clear"));
        }
    }
    Ok(())
}

/// Every finished hand is in the archive.
async fn archive(
    room: &Arc<Room>,
    tables: &[TableId],
    histories: &Histories,
) -> Result<(), String> {
    use openrustpoker::store::Store;
    tokio::time::sleep(Duration::from_secs(5)).await;
    for table in tables {
        for step in &histories.tables[table].steps {
            let Some(Fact::HandEnded { hand }) = fact(&step.stamped) else {
                continue;
            };
            let found = room.cluster.tape.memory.hand(*table, *hand).await;
            if !matches!(found, Ok(Some(_))) {
                return Err(format!("hand {hand} of table {table} is not archived"));
            }
        }
    }
    Ok(())
}

/// Long enough that chance never makes one: 52!/44! is about 3·10¹³.
const WINDOW: usize = 8;
