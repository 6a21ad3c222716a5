//! Finished hands of each game, as the archive keeps them: told, replayed, written as PHH and as OHH.

use openrustpoker::client::{GameName, Player};
use proto::v1::HandFormat;

use super::{Stage, game, orp, settings};

/// The games that the format has a code for; the others have one of our own, and say in words what it means.
const WITH_CODE: [&str; 5] = ["nlhe", "flhe", "plo", "flo8", "short-deck"];

#[tokio::test(flavor = "multi_thread")]
async fn hands_of_each_game_are_kept_and_written() {
    for name in GameName::all().map(GameName::name) {
        let mut table = settings(game(name));
        table.ante = openrustpoker::client::usual_ante(&game(name), 100);
        let mut stage = Stage::open(&table, 3).await;
        Box::pin(checked_down(&mut stage)).await;
        let [ann, _, _] = &stage.players[..] else {
            panic!("three players")
        };
        let phh = archived(ann, &stage.table, HandFormat::Phh).await;
        let ohh = archived(ann, &stage.table, HandFormat::Ohh).await;
        let ohh: serde_json::Value = serde_json::from_str(&ohh).expect("it is JSON");
        assert!(ohh["ohh"]["rounds"].is_array(), "{name}: {ohh}");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("hand.phh");
        std::fs::write(&file, &phh).expect("it is written");
        let told = orp(&["phh", "check", &file.display().to_string()], 0);
        // Whoever is beaten may give up unseen, and then nobody else can tell that he was.
        let unseen = phh.contains("????") && told.contains("cards that the file does not know");
        let exact = told.contains("1 hands, 1 exact");
        assert!(exact || unseen, "{name}: {told}\n{phh}");
        assert_eq!(phh.contains("_game"), !WITH_CODE.contains(&name), "{phh}");
    }
}

/// Everybody calls and checks to the end of the first hand.
async fn checked_down(stage: &mut Stage) {
    for _ in 0..30 {
        let seen = stage
            .until(0, "the hand goes on", |seen| {
                seen.legal.is_some() || seen.hand > 1
            })
            .await;
        if seen.hand > 1 {
            return;
        }
        let check = seen.legal.as_ref().is_some_and(|legal| legal.check);
        let what = match check {
            true => openrustpoker::client::Move::Check,
            false => openrustpoker::client::Move::Call,
        };
        stage.act(&seen, what).await.expect("a legal action");
    }
    panic!("the first hand does not end");
}

/// The first hand. The archive comes after the answer.
async fn archived(player: &Player, table: &str, format: HandFormat) -> String {
    for _ in 0..10_000 {
        let hands = player.hands(table, "", 10).await.expect("a list").hands;
        if hands.iter().any(|hand| hand.hand == 1) {
            let text = player.export_hand(table, 1, format).await;
            return text.expect("a text");
        }
    }
    panic!("the hand is not archived");
}
