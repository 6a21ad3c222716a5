use std::{num::NonZeroU32, time::Duration};

use super::*;
use crate::store::memory::MemoryStore;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn sessions(store: &Arc<MemoryStore>, burst: u32) -> Sessions {
    let burst = NonZeroU32::new(burst).expect("tests give a burst");
    let guests = GuestLimit {
        burst,
        every: Duration::from_secs(60),
    };
    let store: Arc<dyn Store> = Arc::<MemoryStore>::clone(store);
    Sessions::new(store, SessionSettings { cached: 16, guests })
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn a_guest_is_known_by_his_token_only() {
    let store = Arc::new(MemoryStore::new());
    let ours = sessions(&store, 10);
    let guest = ours.create_guest("  Ada ", HERE).await.expect("a guest");
    assert_eq!(guest.session.name.as_str(), "Ada");
    let text = guest.token.to_text();
    assert_eq!(
        ours.authenticate(&text).await.expect("known"),
        guest.session
    );

    // Another node, or the same after a restart: from the store.
    let theirs = sessions(&store, 10);
    assert_eq!(
        theirs.authenticate(&text).await.expect("stored"),
        guest.session
    );

    let other = Token::random().expect("random bits").to_text();
    for wrong in ["", "x", &text[..42], &other, &format!("{text} ")] {
        let answer = ours.authenticate(wrong).await;
        assert!(
            matches!(answer, Err(AccountsError::UnknownToken)),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn the_token_is_not_at_rest() {
    let store = Arc::new(MemoryStore::new());
    let guest = sessions(&store, 10)
        .create_guest("Ada", HERE)
        .await
        .expect("a guest");
    let text = guest.token.to_text();
    for (cell, bytes) in store.raw_cells() {
        assert!(
            !contains(&bytes, text.as_bytes()) && !contains(cell.as_bytes(), text.as_bytes()),
            "{cell}"
        );
    }
}

#[tokio::test]
async fn players_and_tokens_are_new_each_time() {
    let ours = sessions(&Arc::new(MemoryStore::new()), 10);
    let one = ours.create_guest("Ada", HERE).await.expect("a guest");
    let other = ours.create_guest("Ada", HERE).await.expect("a guest");
    assert_ne!(one.session.player, other.session.player);
    assert!(one.token != other.token);
}

#[tokio::test(start_paused = true)]
async fn an_address_makes_so_many_guests() {
    let ours = sessions(&Arc::new(MemoryStore::new()), 2);
    assert!(ours.create_guest("a", HERE).await.is_ok());
    assert!(ours.create_guest("b", HERE).await.is_ok());
    let refused = ours.create_guest("c", HERE).await.err();
    assert!(
        matches!(refused, Some(AccountsError::TooManyGuests { retry_after }) if retry_after == Duration::from_secs(60))
    );
    // A name that is refused costs nothing; another address has its own.
    assert!(matches!(
        ours.create_guest("", HERE).await.err(),
        Some(AccountsError::Name(_))
    ));
    assert!(
        ours.create_guest("d", "192.0.2.7".parse().expect("an address"))
            .await
            .is_ok()
    );
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(ours.create_guest("e", HERE).await.is_ok());
}
