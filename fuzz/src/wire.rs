//! Requests of clients: what prost reads is parsed or refused; a refusal is a status with a rule's name.

use engine::Name;
use openrustpoker::grpc::convert::{hand, request, settings};
use prost::Message;
use proto::v1;

use super::rules::Game;

/// The first byte says which request the others are.
pub fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % KINDS {
        0 => read(bytes, |asked: v1::CreateTableRequest| {
            drop(request::table_name(&asked.name));
            drop(request::table_id("table_id", &asked.table_id));
            if let Ok(read) = settings::parse(asked.settings) {
                let again = settings::parse(Some(settings::wire(&read)));
                assert!(
                    again.is_ok_and(|again| again == read),
                    "settings go both ways"
                );
            }
        }),
        1 => read(bytes, |asked: v1::SitRequest| {
            let name = Name::new("someone").expect("a name");
            drop(request::mark(asked.mark));
            drop(request::sit(&asked, &name));
        }),
        2 => read(bytes, |asked: v1::ActRequest| {
            drop(request::mark(asked.mark));
            drop(request::act(&asked));
            drop(request::table_id("table_id", &asked.table_id));
        }),
        3 => read(bytes, |asked: v1::WatchSessionRequest| {
            for table in &asked.tables {
                drop(request::watch("tables", table));
            }
        }),
        4 => read(bytes, |asked: v1::ListTablesRequest| {
            let pages = request::Pages {
                usual: 10,
                most: 100,
            };
            assert!(pages.size(asked.page_size) <= 100, "a page has an end");
            drop(request::after_table(&asked.page_token));
        }),
        5 => read(bytes, |asked: v1::ListHandsRequest| {
            if let Ok(Some(cursor)) = hand::Cursor::parse(&asked.page_token) {
                let again = hand::Cursor::parse(&cursor.token());
                assert!(
                    again.is_ok_and(|again| again == Some(cursor)),
                    "places go both ways"
                );
            }
        }),
        6 => read(bytes, |asked: v1::RunTwiceRequest| {
            drop(request::mark(asked.mark));
            drop(request::hand(asked.hand));
            drop(request::table_id("table_id", &asked.table_id));
        }),
        _ => read(bytes, |asked: v1::ExportHandRequest| {
            drop(request::hand(asked.hand));
            drop(request::format(asked.format));
        }),
    }
}

/// One request of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let table_id = "01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
    let mark = Some(v1::RequestMark {
        request_id: 3,
        first_attempt: true,
    });
    let requests = [
        v1::CreateTableRequest {
            name: "a table".into(),
            settings: Some(settings::wire(&engine::Settings::new(6, 5, 10))),
            table_id: table_id.clone(),
        }
        .encode_to_vec(),
        v1::SitRequest {
            table_id: table_id.clone(),
            mark,
            seat: Some(2),
            buy_in: 400,
            post_now: true,
        }
        .encode_to_vec(),
        v1::ActRequest {
            table_id: table_id.clone(),
            mark,
            hand: 1,
            turn: 2,
            action: v1::ActionKind::RaiseTo.into(),
            to: 40,
        }
        .encode_to_vec(),
        v1::WatchSessionRequest {
            tables: vec![v1::WatchTable {
                table_id: table_id.clone(),
                after_sequence: Some(9),
            }],
        }
        .encode_to_vec(),
        v1::ListTablesRequest {
            page_size: 20,
            page_token: table_id.clone(),
            open_seats: true,
        }
        .encode_to_vec(),
        v1::ListHandsRequest {
            page_token: format!("1700000000000.{table_id}.7"),
            ..Default::default()
        }
        .encode_to_vec(),
        v1::RunTwiceRequest {
            table_id: table_id.clone(),
            mark,
            hand: 1,
            turn: 2,
            agree: true,
        }
        .encode_to_vec(),
        v1::ExportHandRequest {
            hand: 7,
            format: v1::HandFormat::Phh.into(),
            ..Default::default()
        }
        .encode_to_vec(),
    ];
    // Tables of other games are created by the first kind of request.
    let games = (1..=16).map(|number| {
        v1::CreateTableRequest {
            name: "a table".into(),
            settings: Some(settings::wire(&Game::settings(number * 13))),
            table_id: table_id.clone(),
        }
        .encode_to_vec()
    });
    let games: Vec<Vec<u8>> = games.collect();
    (0u8..)
        .zip(requests)
        .chain(games.into_iter().map(|bytes| (0, bytes)))
        .map(|(kind, bytes)| [vec![kind], bytes].concat())
        .collect()
}

fn read<M: Message + Default>(bytes: &[u8], and: impl FnOnce(M)) {
    if let Ok(message) = M::decode(bytes) {
        and(message);
    }
}

/// How many requests are tried.
const KINDS: u8 = 8;
