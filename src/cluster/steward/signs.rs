//! Signs of life: this node's beats, and the answers of its peers.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::{Instant, MissedTickBehavior};

use super::{StewardMsg, StewardOptions, StewardState, tell};
use crate::{
    cluster::{
        fabric::{Answer, Ask, AskError},
        peer::Peer,
    },
    store::NodeBeat,
    table::level,
};

/// Writes this node's beats, and reads those of all others.
pub(super) async fn beat(options: StewardOptions, steward: ActorRef<StewardMsg>) {
    let mut every = tokio::time::interval(options.beat_every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = NodeBeat {
        node: options.me.name.to_string(),
        incarnation: options.me.incarnation,
        beat: 0,
        address: options.nodes.clone(),
        reads: Some(level::KNOWN),
    };
    let (mut silent_since, mut mute) = (None, false);
    loop {
        every.tick().await;
        beat.beat += 1;
        let patience = options.beat_every.max(STATEMENT_MIN);
        let from = Instant::now();
        let written = tokio::time::timeout(patience, options.store.put_beat(&beat)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!(?written, "this node's beat was not written");
            let silent = *silent_since.get_or_insert(from);
            if silent.elapsed() >= MUTE_AFTER * options.beat_every && !mute {
                mute = true;
                tell(&steward, StewardMsg::Mute(mute));
            }
            continue;
        }
        silent_since = None;
        if mute {
            mute = false;
            tell(&steward, StewardMsg::Mute(mute));
        }
        match tokio::time::timeout(patience, options.store.beats()).await {
            Ok(Ok(found)) => tell(&steward, StewardMsg::Beats(found)),
            unread => tracing::warn!(?unread, "the beats of the other nodes were not read"),
        }
    }
}

impl StewardState {
    /// Asks every linked peer how it is, one question at a time.
    pub(super) fn ask_peers(&mut self, myself: &ActorRef<StewardMsg>) {
        let linked = self.options.fabric.linked();
        self.peers.retain(|peer, _| linked.contains(peer));
        for peer in linked {
            let about = self.peers.entry(peer.clone()).or_default();
            if std::mem::replace(&mut about.asking, true) {
                continue;
            }
            // One that did not answer is asked again at once: a frozen node is to be noticed soon.
            let at_once = about.status.is_none() || about.missed.any();
            let (options, myself) = (self.options.clone(), myself.clone());
            self.spawn(async move {
                if !at_once {
                    tokio::time::sleep(options.ask_every).await;
                }
                // A busy machine is late now and then; a process that is gone has closed its link.
                let patience = 2 * options.ask_every;
                let answer = options.fabric.ask(&peer, Ask::Status, patience).await;
                tell(&myself, StewardMsg::Answered(peer, answer));
            });
        }
    }

    pub(super) fn answered(&mut self, peer: Peer, answer: Result<Answer, AskError>) {
        let Some(about) = self.peers.get_mut(&peer) else {
            return;
        };
        about.asking = false;
        let answered = answer.is_ok();
        match answer {
            Ok(Answer::Status(status)) => about.status = Some(status),
            Ok(Answer::HandedOver | Answer::StillHere | Answer::Unknown) => {}
            Err(error) => tracing::debug!(%error, "a peer gives no sign of life"),
        }
        if about.missed.count(answered) {
            tracing::warn!(peer = %peer.name, "no answer three times in a row: closing the link");
            self.options.fabric.cut(&peer);
            self.peers.remove(&peer);
        }
    }
}

/// Times the interval of beats without one that was written: then others may think that this node is gone.
const MUTE_AFTER: u32 = 4;
/// A busy store takes its time, and a beat that is late is better than none.
const STATEMENT_MIN: Duration = Duration::from_secs(1);
