//! The sequencer: one thread that takes what is waiting, plans it, commits it and answers.
//!
//! It never sleeps to fill a group while the disk is idle: the group grows by itself while the previous one syncs.
//! Planning ([`draft`]) is pure; the effects are the straight line in [`Sequencer::commit`].

mod draft;
mod recent;

use std::sync::Arc;

use creditbank_client::trace::TARGET;
use creditbank_domain::{Fault, Refusal};
use creditbank_merkle::{Checkpoint, Hash, TreeSize};
use creditbank_store::{Anchor, AnchorFile, Plan, StoreError};
use tokio::sync::mpsc;
use tracing::{Span, trace_span};

use self::draft::Draft;
use self::recent::Recent;
use crate::admission::Admitted;
use crate::bank::Bank;
use crate::clock;
use crate::erase;
use crate::head::Head;
use crate::measure::{begin, lap, stages};
use crate::queue::{Decided, Decision, Job, Message};
use crate::recognition::follow::Changed;
use crate::steps::Step;

/// Most records of one commit.
const GROUP_RECORDS_MAX: usize = 16_384;
/// Exit code of a bank that could not make a commit durable (`EX_IOERR`).
const EXIT_IO: i32 = 74;

/// See the module.
pub(crate) struct Sequencer {
    bank: Arc<Bank>,
    anchor: AnchorFile,
    recent: Recent,
}

impl Sequencer {
    pub(crate) fn new(bank: Arc<Bank>, anchor: AnchorFile) -> Self {
        let recent = Recent::new(bank.head().row.size);
        Self {
            bank,
            anchor,
            recent,
        }
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Message>) {
        let mut stopping = false;
        while let Some(first) = (!stopping).then(|| next(&mut jobs)).flatten() {
            let mut records = first.admitted.records();
            let mut group = vec![first];
            while records < GROUP_RECORDS_MAX && !stopping {
                match jobs.try_recv() {
                    Ok(Message::Job(job)) => {
                        records += job.admitted.records();
                        group.push(job);
                    }
                    Ok(Message::Ask(reply)) => drop(reply.send(())),
                    Ok(Message::Stop) => stopping = true,
                    Err(_) => break,
                }
            }
            // A caller that has gone away does not want an answer; it will ask again with the same ids.
            group.retain(|job| !job.reply.is_closed());
            self.work(group);
        }
    }

    /// Decides and commits one batch on this thread, for the first entry of a log.
    pub(crate) fn once(&mut self, admitted: Admitted) -> Result<Decided, Fault> {
        let bank = Arc::clone(&self.bank);
        let room = bank.queue().room_now(1).map_err(whole)?;
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        self.work(vec![Job {
            admitted,
            reply,
            _room: room,
            since: begin(),
            spans: [Span::none(), Span::none()],
        }]);
        answer.try_recv().map_err(|_| whole(Refusal::Internal))?
    }

    fn work(&mut self, group: Vec<Job>) {
        if !self.bank.takes_changes() {
            let refuse = |job: Job| job.reply.send(Err(whole(Refusal::ReadOnly)));
            group.into_iter().for_each(|job| drop(refuse(job)));
            return;
        }
        let head = self.bank.head();
        let now_ms = clock::now_ms().max(head.row.deposited_at_ms);
        let mut since = begin();
        for job in &group {
            stages().queued.record(since.duration_since(job.since));
        }
        let mut draft = Draft::new(&self.bank, Arc::clone(&head), &self.recent, now_ms);
        let batches = group.len();
        let mut decided = Vec::with_capacity(batches);
        let mut replies = Vec::with_capacity(group.len());
        for Job {
            admitted,
            reply,
            _room,
            spans: [call, queue],
            ..
        } in group
        {
            drop(queue);
            let commit = trace_span!(target: TARGET, parent: &call, "commit", batches);
            match draft.add(admitted) {
                Ok(rows) => {
                    decided.push(rows);
                    replies.push((reply, (_room, commit)));
                }
                Err(draft::Failure::Refused(fault)) => drop(reply.send(Err(fault))),
                // A draft that was left half-way is worth nothing: no batch of the group is decided.
                Err(draft::Failure::Store(error)) => {
                    tracing::error!(%error, "reading for a plan failed; the group is refused");
                    drop(reply.send(Err(whole(Refusal::StorageFailed))));
                    for (reply, _room) in replies {
                        drop(reply.send(Err(whole(Refusal::StorageFailed))));
                    }
                    return;
                }
            }
        }
        let finished = draft.finish();
        lap(&stages().plan, &mut since);
        count(&decided);
        let head = match finished {
            Some(finished) => self.commit(head, finished),
            None => head,
        };
        for ((reply, _room), rows) in replies.into_iter().zip(decided) {
            let decided = Decided {
                head: Arc::clone(&head),
                deposited_at_ms: now_ms,
                rows,
            };
            drop(reply.send(Ok(decided)));
        }
        self.bank.reach(Step::Answered);
    }

    /// The straight line from a plan to a published head. A failure ends the process: nothing that is not durable,
    /// signed and anchored is ever answered, and a failed sync is never tried again.
    fn commit(&mut self, before: Arc<Head>, finished: draft::Finished) -> Arc<Head> {
        let draft::Finished {
            plan,
            edge,
            registry,
            ids,
            erased,
        } = finished;
        self.bank.reach(Step::Planned);
        // If we crash before the write returns, the recovered log holds all of the plan or nothing of it.
        let mut since = begin();
        must(self.bank.store().commit(&plan), "committing");
        lap(&stages().commit, &mut since);
        self.bank.reach(Step::Written);
        let note = self.sign(&plan);
        lap(&stages().sign, &mut since);
        self.bank.reach(Step::Signed);
        // If we crash before the anchor advances, the older one still holds: the log may be longer than it says.
        let anchor = Anchor {
            size: plan.head.size,
            root: Hash(plan.head.root),
        };
        must(self.anchor.advance(anchor), "anchoring");
        lap(&stages().anchor, &mut since);
        self.bank.reach(Step::Anchored);
        let snapshot = Arc::new(self.bank.store().snapshot());
        let tiles = Arc::clone(&before.tiles);
        plan.tiles.iter().for_each(|tile| tiles.add(tile));
        let head = Arc::new(Head {
            snapshot,
            row: plan.head,
            edge,
            note,
            registry,
            tiles,
        });
        self.bank.publish(head);
        self.recent.add(before.row.size, ids);
        if !plan.learners.is_empty() {
            // A name of an earlier merge has to learn of this one too.
            let names = plan.learners.iter();
            let names = names.flat_map(|(code, row)| std::iter::once(code).chain(&row.merged));
            self.bank.forget(names.copied());
        }
        self.bank.reach(Step::Published);
        self.bank.desk().committed(&plan);
        if !plan.views.ended.is_empty() {
            self.bank.lists().changed();
        }
        let changed = plan
            .views
            .states
            .keys()
            .map(|learner| Changed::Archive(*learner));
        let applied = plan.views.applications.iter();
        let applied = applied.filter(|(_, row)| row.steps == 0);
        self.bank
            .follow(changed.chain(applied.map(|(index, _)| Changed::Applied(*index))));
        for handle in erased {
            let gone = must(erase::carry_out(&self.bank, &handle), "erasing");
            // What is sealed or named in the old snapshot must not be read again.
            self.bank.refresh();
            if let Some(gone) = gone {
                self.bank.purge_later(gone);
            }
        }
        self.bank.head()
    }

    fn sign(&self, plan: &Plan) -> String {
        let size = TreeSize::new(plan.head.size);
        let checkpoint = Checkpoint {
            origin: self.bank.origin().to_owned(),
            size,
            root: Hash(plan.head.root),
        };
        self.bank.sign_checkpoint(&checkpoint)
    }
}

/// Waits for a job; `None` at the end. Whoever asks meanwhile is answered.
fn next(jobs: &mut mpsc::Receiver<Message>) -> Option<Job> {
    loop {
        match jobs.blocking_recv()? {
            Message::Job(job) => return Some(job),
            Message::Ask(reply) => drop(reply.send(())),
            Message::Stop => return None,
        }
    }
}

/// Counts what became of the records of a group.
fn count(decided: &[Vec<Decision>]) {
    let (mut created, mut duplicate, mut refused) = (0_u32, 0, 0);
    for decision in decided.iter().flatten() {
        match decision {
            Decision::Created(_) => created += 1,
            Decision::Duplicate(_) => duplicate += 1,
            Decision::Refused(_) => refused += 1,
        }
    }
    let stages = stages();
    stages.group_batches.record(decided.len() as f64);
    stages.group_records.record(f64::from(created));
    stages.created.increment(u64::from(created));
    stages.duplicate.increment(duplicate);
    stages.refused.increment(refused);
}

/// A refusal of the batch as a whole.
fn whole(refusal: Refusal) -> Fault {
    refusal.at("")
}

fn must<T>(result: Result<T, StoreError>, doing: &str) -> T {
    result.unwrap_or_else(|error| give_up(&error, doing))
}

/// Ends the process: what failed is never tried again by it.
pub(crate) fn give_up(error: &StoreError, doing: &str) -> ! {
    tracing::error!(%error, "{doing} failed; the bank stops and acknowledges nothing more");
    std::process::exit(EXIT_IO)
}
