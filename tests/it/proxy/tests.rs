//! What each fault does, seen by a client and by a node that answers everything.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::frame::{EXECUTE, Frame, PREPARE, RESULT};
use super::{Fault, Kind, Plan, Proxy, Rates};

const APPEND: &str = "UPDATE shard_log SET next_n = ? WHERE shard = ? IF writer = ?";
const SEAL: &str = "UPDATE shard_log SET sealed_by = ? WHERE shard = ? IF sealed_by = null";
const SHORT: Duration = Duration::from_millis(30);
const WORKS: &str = "nothing is in the way";

/// What a node was asked to execute, by the streams of the requests.
type Executed = Arc<Mutex<Vec<i16>>>;

/// A node that prepares and executes everything, with `[applied] = true`.
async fn node() -> (std::net::SocketAddr, Executed) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect(WORKS);
    let address = listener.local_addr().expect(WORKS);
    let executed = Executed::default();
    let log = Arc::clone(&executed);
    tokio::spawn(async move {
        while let Ok((mut driver, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                while let Ok(Some(request)) = Frame::read(&mut driver).await {
                    let mut body = BytesMut::new();
                    if request.opcode == PREPARE {
                        let text = request.text().expect("a text");
                        body.put_u32(4);
                        body.put_u16(u16::try_from(text.len()).expect("short"));
                        body.put_slice(text.as_bytes());
                    } else {
                        log.lock().expect(WORKS).push(request.stream);
                        for word in [2, 4, 1, 1, 1] {
                            body.put_u32(word);
                        }
                        body.put_u8(1);
                    }
                    let answer = Frame {
                        version: 0x84,
                        opcode: RESULT,
                        body: body.freeze(),
                        ..request
                    };
                    if driver.write_all(&answer.encode()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, executed)
}

struct Setting {
    plan: Arc<Plan>,
    proxy: Proxy,
    executed: Executed,
    driver: TcpStream,
}

impl Setting {
    async fn new() -> Self {
        let (node, executed) = node().await;
        let plan = Arc::new(Plan::default());
        let any = "127.0.0.1:0".parse().expect("an address");
        let proxy = Proxy::start(any, node, Arc::clone(&plan))
            .await
            .expect(WORKS);
        let driver = TcpStream::connect(proxy.address()).await.expect(WORKS);
        let mut setting = Self {
            plan,
            proxy,
            executed,
            driver,
        };
        for text in [APPEND, SEAL] {
            setting.send(PREPARE, 7, text, 4).await;
            assert_eq!(setting.heard().await, Some(7));
        }
        setting
    }

    /// A request whose body begins with a text after a length of so many bytes.
    async fn send(&mut self, opcode: u8, stream: i16, text: &str, length_bytes: usize) {
        let mut body = BytesMut::new();
        let length = u32::try_from(text.len()).expect("short").to_be_bytes();
        body.put_slice(&length[4 - length_bytes..]);
        body.put_slice(text.as_bytes());
        let frame = Frame {
            version: 4,
            flags: 0,
            stream,
            opcode,
            body: body.freeze(),
        };
        self.driver.write_all(&frame.encode()).await.expect(WORKS);
    }

    async fn execute(&mut self, stream: i16, text: &str) {
        self.send(EXECUTE, stream, text, 2).await;
    }

    /// The stream of the next answer; `None` if the connection was cut.
    async fn heard(&mut self) -> Option<i16> {
        let answer = Frame::read(&mut self.driver).await.ok().flatten();
        answer.map(|frame| frame.stream)
    }

    async fn executed(&self) -> Vec<i16> {
        assert!(self.plan.settle(Duration::from_secs(10)).await);
        self.executed.lock().expect(WORKS).clone()
    }
}

/// An append on stream 1 that meets the fault, then a seal on stream 2: what is heard, what is executed, and how many were
/// applied without being heard. Where only time says what comes first, any order is right.
async fn check(fault: Fault, mut heard: Vec<Option<i16>>, mut executed: Vec<i16>, unheard: u64) {
    let mut setting = Setting::new().await;
    setting.plan.script(Kind::Append, fault);
    setting.execute(1, APPEND).await;
    setting.execute(2, SEAL).await;
    let mut answers = Vec::new();
    for _ in &heard {
        answers.push(setting.heard().await);
    }
    setting.plan.release();
    let first_try = |stream: &i16| if *stream >= 30_000 { -1 } else { *stream };
    let mut found = setting.executed().await.iter().map(first_try).collect();
    if matches!(fault, Fault::Twice(_) | Fault::Delay(..) | Fault::Late(_)) {
        for streams in [&mut found, &mut executed] {
            streams.sort_unstable();
        }
        for streams in [&mut answers, &mut heard] {
            streams.sort_unstable();
        }
    }
    assert_eq!((answers, found), (heard, executed), "{fault:?}");
    let tally = setting.plan.tally();
    assert_eq!(tally.applied_unheard, unheard, "{fault:?}");
    assert_eq!(tally.hit(Kind::Append), u64::from(fault.name().is_some()));
    assert_eq!((tally.hit(Kind::Seal), setting.plan.in_flight()), (0, 0));
}

#[tokio::test]
async fn each_fault_does_what_it_says() {
    check(Fault::None, vec![Some(1), Some(2)], vec![1, 2], 0).await;
    check(Fault::LoseRequest, vec![Some(2)], vec![2], 0).await;
    check(Fault::CutBefore, vec![None], vec![], 0).await;
    check(Fault::LoseAnswer, vec![Some(2)], vec![1, 2], 1).await;
    check(Fault::Hold, vec![Some(2)], vec![2, 1], 1).await;
    check(Fault::Late(SHORT), vec![Some(2)], vec![2, 1], 1).await;
    check(
        Fault::Twice(SHORT),
        vec![Some(2), Some(1)],
        vec![1, 2, -1],
        1,
    )
    .await;
    let delay = Fault::Delay(SHORT, SHORT);
    check(delay, vec![Some(2), Some(1)], vec![2, 1], 0).await;
    check(Fault::Stall(SHORT), vec![Some(1), Some(2)], vec![1, 2], 0).await;
}

/// The answer is cut after it applied.
#[tokio::test]
async fn a_cut_after_is_a_cut_after_it_applied() {
    let mut setting = Setting::new().await;
    setting.plan.script(Kind::Append, Fault::CutAfter);
    setting.execute(1, APPEND).await;
    assert_eq!(setting.heard().await, None);
    assert_eq!(setting.executed().await, [1]);
    assert_eq!(setting.plan.tally().applied_unheard, 1);
}

/// A client that hangs up takes nothing back that is on its way.
#[tokio::test]
async fn a_late_statement_outlives_its_client() {
    let mut setting = Setting::new().await;
    setting.plan.script(Kind::Append, Fault::Hold);
    setting.plan.script(Kind::Seal, Fault::CutBefore);
    setting.execute(1, APPEND).await;
    setting.execute(2, SEAL).await;
    assert_eq!(setting.heard().await, None);
    assert!(setting.executed.lock().expect(WORKS).is_empty());
    setting.plan.release();
    assert_eq!(setting.executed().await, [1]);
}

#[tokio::test]
async fn a_node_that_is_cut_off_is_not_there() {
    let mut setting = Setting::new().await;
    setting.proxy.cut_off();
    assert_eq!(setting.heard().await, None);
    let address = setting.proxy.address();
    setting.driver = TcpStream::connect(address).await.expect(WORKS);
    assert_eq!(setting.heard().await, None, "a new connection ends, too");
    setting.proxy.let_through();
    setting.driver = TcpStream::connect(address).await.expect(WORKS);
    setting.execute(3, SEAL).await;
    assert_eq!(setting.heard().await, Some(3));
}

/// The same seed does the same to the same statements.
#[test]
fn a_seed_replays_what_it_chose() {
    let rates = Rates {
        lose_answer: 2_000,
        late: 2_000,
        longest: SHORT,
        delay: SHORT,
        ..Rates::default()
    };
    let faults = |seed| {
        let plan = Plan::default();
        plan.seed(seed, rates);
        let chosen = (0..100).map(|_| plan.next(Kind::Append));
        chosen.collect::<Vec<_>>()
    };
    assert_eq!(faults(5), faults(5));
    assert_ne!(faults(5), faults(6));
}

#[test]
fn statements_are_told_apart() {
    for (text, kind) in [
        (APPEND, Kind::Append),
        (SEAL, Kind::Seal),
        (
            "INSERT INTO shard_log (shard) VALUES (?) IF NOT EXISTS",
            Kind::CreateSegment,
        ),
        (
            "INSERT INTO shards (shard) VALUES (?) IF NOT EXISTS",
            Kind::WinEpoch,
        ),
        (
            "UPDATE shards SET epoch = ? WHERE shard = ? IF epoch = ?",
            Kind::WinEpoch,
        ),
        (
            "UPDATE shards SET tail_epoch = ? WHERE shard = ? IF epoch = ?",
            Kind::SetTail,
        ),
        (
            "UPDATE shards SET low_epoch = ? WHERE shard = ? IF low_k = ?",
            Kind::AdvanceLow,
        ),
        (
            "UPDATE cluster SET feature_level = ? WHERE one = 0 IF x = ?",
            Kind::OtherConditional,
        ),
        (
            "DELETE FROM shard_log WHERE shard = ? AND n >= 0",
            Kind::PlainWrite,
        ),
        ("SELECT epoch FROM shards WHERE shard = ?", Kind::Read),
        ("SELECT * FROM system.peers", Kind::Other),
        ("USE a_keyspace", Kind::Other),
    ] {
        assert_eq!(Kind::of(text), kind, "{text}");
    }
}

/// A body without a header of its own reads as nothing, not as a panic.
#[test]
fn foreign_bodies_say_nothing() {
    for body in [&b""[..], &[0, 0, 0, 9], &[255; 12]] {
        let frame = Frame {
            version: 4,
            flags: 0,
            stream: 0,
            opcode: RESULT,
            body: Bytes::copy_from_slice(body),
        };
        assert_eq!((frame.text(), frame.says_applied()), (None, false));
        assert_eq!(
            (frame.executed().is_some(), frame.prepared()),
            (body == [0, 0, 0, 9], None)
        );
    }
}
