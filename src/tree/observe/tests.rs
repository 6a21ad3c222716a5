use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{
    ChildSpec, DynamicHandle, DynamicSpec, Echo, Intensity, Probe, StartFn, SupervisorSpec,
};

use super::*;

/// Answers a probe with its number; one of `u32::MAX` never does.
struct Table;

struct Ask(Echo);

impl Message for Ask {}

impl Actor for Table {
    type Msg = Ask;
    type State = u32;
    type Arguments = u32;

    async fn pre_start(&self, _: ActorRef<Ask>, number: u32) -> Result<u32, ActorProcessingErr> {
        Ok(number)
    }

    async fn handle(
        &self,
        _: ActorRef<Ask>,
        Ask(echo): Ask,
        number: &mut u32,
    ) -> Result<(), ActorProcessingErr> {
        if *number == u32::MAX {
            std::future::pending::<()>().await;
        }
        echo.answer(*number as usize);
        Ok(())
    }
}

fn table(number: u32) -> StartFn {
    StartFn::actor(move || (Table, number))
}

/// A shard like ours: a log, and tables.
fn branch(tables: &std::sync::mpsc::Sender<DynamicHandle<u64>>) -> SupervisorSpec {
    let keep = tables.clone();
    let dynamic = DynamicSpec::<u64>::new(Restart::Transient)
        .name(|table| format!("table-{table:04}"))
        .probe(Probe::new(Ask))
        .into_child("tables", move |handle| {
            keep.send(handle).expect("the test goes on");
        });
    SupervisorSpec::new(Strategy::RestForOne)
        .intensity(Intensity::new(10, Duration::from_secs(60)))
        .child(ChildSpec::from_start("log", table(0)).probe(Probe::new(Ask)))
        .child(dynamic)
}

/// A node with so many shards, each with these tables.
async fn node(shards: u16, tables: &[u32]) -> SupervisorHandle {
    let (keep, kept) = std::sync::mpsc::channel();
    let mut node = SupervisorSpec::new(Strategy::OneForOne);
    for shard in 0..shards {
        node = node.child(branch(&keep).into_child(branch_name(ShardId(shard))));
    }
    let door = ChildSpec::from_start("door", table(7));
    let node = node.child(door).start().await.expect("starts");
    for handle in kept.try_iter() {
        for (key, number) in (0_u64..).zip(tables) {
            let started = handle.start_child_from(key, table(*number)).await;
            started.expect("starts");
        }
    }
    node
}

async fn lines(node: &SupervisorHandle, shard: Option<u16>) -> Vec<TreeLine> {
    let (_keep, handle) = watch::channel(Some(node.clone()));
    observe(handle)(shard.map(ShardId)).await
}

fn names(lines: &[TreeLine]) -> Vec<(u32, &str)> {
    lines
        .iter()
        .map(|line| (line.depth, line.name.as_str()))
        .collect()
}

#[tokio::test]
async fn a_small_tree_is_drawn_in_full() {
    let node = node(2, &[0, 3]).await;
    let lines = lines(&node, None).await;
    let shard = [
        (2, "log"),
        (2, "tables"),
        (3, "table-0000"),
        (3, "table-0001"),
    ];
    let mut expected = vec![(0, "node"), (1, "shard-0000")];
    expected.extend(shard);
    expected.push((1, "shard-0001"));
    expected.extend(shard);
    expected.push((1, "door"));
    assert_eq!(names(&lines), expected);
    let TreeKind::Supervisor {
        strategy,
        max,
        period,
        ..
    } = lines[1].kind
    else {
        panic!("{:?}", lines[1]);
    };
    assert_eq!(
        (strategy, max, period),
        ("rest_for_one", 10, Duration::from_secs(60))
    );
    assert_eq!((lines[5].waiting, lines[5].restart), (Some(3), "transient"));
    assert!(matches!(lines[5].mailbox, Mailbox::Waits(_)));
    assert!(lines.iter().all(|line| line.age.is_some()), "{lines:?}");
    let door = lines.last().expect("there are some");
    assert_eq!((door.mailbox, door.waiting), (Mailbox::NotProbed, None));
}

#[tokio::test]
async fn many_tables_are_summed_up_unless_their_shard_is_asked_for() {
    let node = node(2, &[2; 300]).await;
    let all = lines(&node, None).await;
    assert_eq!(all.len(), 1 + 2 * 4 + 1, "{:?}", names(&all));
    let sum = &all[4];
    let kind = TreeKind::Children {
        all: 300,
        probed: 256,
    };
    assert_eq!((&sum.kind, sum.waiting), (&kind, Some(512)));
    let one = lines(&node, Some(1)).await;
    assert_eq!(one.len(), 1 + 4 + (3 + 300) + 1);
    assert_eq!(one[8].name, "table-0000");
}

#[tokio::test]
async fn many_shards_have_a_line_each_and_one_in_full() {
    let node = node(20, &[1, 1]).await;
    let all = lines(&node, None).await;
    assert_eq!(all.len(), 1 + 20 + 1, "{:?}", names(&all));
    assert_eq!(
        (all[3].name.as_str(), all[3].waiting),
        ("shard-0002", Some(2))
    );
    let one = lines(&node, Some(2)).await;
    assert_eq!(one.len(), all.len() + 4);
    assert_eq!(one[6].name, "table-0000");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_answer_is_silent_and_delays_nobody_else() {
    let node = node(3, &[u32::MAX, 1]).await;
    let began = tokio::time::Instant::now();
    let lines = lines(&node, None).await;
    assert_eq!(began.elapsed(), LOOK_MAX, "all are asked side by side");
    let silent = lines
        .iter()
        .filter(|line| matches!(line.mailbox, Mailbox::Silent(_)));
    let silent: Vec<&str> = silent.map(|line| line.name.as_str()).collect();
    assert_eq!(silent, ["table-0000"; 3]);
    assert_eq!(lines[5].waiting, Some(1), "{:?}", lines[5]);
}
