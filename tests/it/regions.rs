//! Four banks as four processes, with real files and ports, killed and started again at random while outcomes move.

use creditbank_client::transfer::{recall, transfer};
use creditbank_domain::LearnerCode;
use creditbank_domain::transfer::TransferId;
use creditbank_wire::v1;

use crate::chance::Chance;
use crate::delta::{Region, regions, until};

/// Transfers, and after how many of them somebody is killed.
const TRANSFERS: u64 = 40;
const CALM: u64 = 4;
/// The ways that an agreement covers: from, to.
const WAYS: [(usize, usize); 3] = [(0, 1), (1, 0), (3, 0)];

struct Asked {
    from: usize,
    to: usize,
    learner: LearnerCode,
    id: TransferId,
    recalled: bool,
}

/// Kills a bank as a power cut would, and starts it again.
async fn cut(region: &mut Region) {
    region.bank.kill();
    region.bank.start();
    region.reconnect().await;
}

async fn ask(regions: &[Region], number: u64, (from, to): (usize, usize)) -> Asked {
    let name = format!("learner {number}");
    let (origin, receiver) = (&regions[from], &regions[to]);
    let here = origin.college.enrol(&name).await;
    let learner = receiver.college.enrol(&name).await;
    let outcome = origin.deposit(&name, here).await;
    let (consent, id) = origin.consent(here, outcome, receiver, learner).await;
    receiver.request(learner, origin, (consent, id)).await;
    Asked {
        from,
        to,
        learner,
        id,
        recalled: false,
    }
}

/// What a bank says of a transfer, once it has come to rest there.
async fn rest(region: &Region, asked: &Asked) -> v1::TransferView {
    let mut last = String::new();
    until("rest", &mut last, async |last| {
        let view = transfer(&region.window.line, asked.id).await.ok()?;
        *last = format!("{} {}", view.state, view.acknowledged);
        let rests = view.acknowledged || (view.state == "under-review" && !asked.recalled);
        rests.then_some(view)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn four_banks_killed_at_random_lose_no_step_and_say_the_same_in_the_end() {
    let mut chance = Chance::new("four banks");
    let mut regions = regions(4).await;
    let mut asked = Vec::new();
    for number in 0..TRANSFERS {
        let way = WAYS[usize::try_from(chance.below(3)).expect("one of three")];
        asked.push(ask(&regions, number, way).await);
        if number % CALM == 0 {
            let victim = usize::try_from(chance.below(4)).expect("one of four");
            cut(&mut regions[victim]).await;
        }
    }
    for (number, asked) in asked.iter_mut().enumerate() {
        let view = rest(&regions[asked.to], asked).await;
        let record = view.record.expect("the outcome is in the archive");
        match number % 3 {
            0 if asked.from != 3 => {
                regions[asked.to].apply(asked.learner, record).await;
            }
            1 => {
                let line = &regions[asked.from].window.line;
                asked.recalled = recall(line, asked.id).await.is_ok();
            }
            _ => {}
        }
        if number as u64 % CALM == 2 {
            let victim = usize::try_from(chance.below(4)).expect("one of four");
            cut(&mut regions[victim]).await;
        }
    }
    let mut ends = std::collections::BTreeMap::new();
    for (number, asked) in asked.iter().enumerate() {
        let is_applied = number % 3 == 0 && asked.from != 3;
        let mut last = String::new();
        let (here, there) = (&regions[asked.from], &regions[asked.to]);
        let state = until("agreement", &mut last, async |last| {
            let (one, other) = (rest(here, asked).await, rest(there, asked).await);
            *last = format!(
                "{} {} / {} {}",
                one.state,
                one.steps.len(),
                other.state,
                other.steps.len()
            );
            let same = one.state == other.state && steps(&one) == steps(&other);
            let done = !is_applied || one.acknowledged;
            (same && done).then_some(one.state)
        })
        .await;
        *ends.entry(state).or_insert(0) += 1;
    }
    assert!(ends["recognised"] > 0 && ends["recalled"] > 0, "{ends:?}");
    for mut region in regions {
        region.bank.check_log();
    }
}

/// What each side has done, in its own order: two banks hear of crossing steps in different ones.
fn steps(view: &v1::TransferView) -> Vec<(i32, u64, u64, Option<v1::TransferStep>)> {
    let steps = view.steps.iter();
    let mut steps: Vec<_> = steps
        .map(|it| (it.by, it.sequence, it.at_ms, it.step.clone()))
        .collect();
    steps.sort_by_key(|(by, sequence, ..)| (*by, *sequence));
    steps
}
