//! Whenever the server is killed, nothing that was acknowledged is lost or changed, and the log has one history.
//!
//! Clients submit without pause while the server is killed, at random moments or at a named step of the pipeline. After
//! each end the database is derived again, and the next server is held against everything that any client has ever been
//! told: each leaf, each checkpoint, each receipt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use creditbank_client::receipt::Verifier;
use creditbank_client::{Acknowledgement, learners, submit};
use creditbank_domain::LearnerCode;
use creditbank_ledger::Step;
use creditbank_merkle::{Checkpoint, Hash, TreeSize, leaf_hash, root_of, verify_consistency};
use creditbank_wire::v1;
use tokio::sync::mpsc;

use crate::bank::{Bank, ORIGIN};
use crate::chance::Chance;
use crate::institution::{Institution, digits, student};

const ROUNDS: u64 = 15;
const CLIENTS: u64 = 3;
/// Most records of a batch.
const RECORDS_MAX: u64 = 60;
/// Most learners that are enrolled in a round.
const LEARNERS_MAX: usize = 25;
/// Batches of a client in a round; the server ends before.
const BATCHES: u64 = 512;

/// Everything that the clients were ever told.
#[derive(Default)]
struct Told {
    /// Leaf bytes by index.
    leaves: BTreeMap<u64, bytes::Bytes>,
    /// Signed checkpoints by size.
    checkpoints: BTreeMap<u64, Checkpoint>,
    /// Batches that were acknowledged since the last audit, and with which first leaf.
    acknowledged: Vec<Acknowledgement>,
    /// Batches that were sent and not answered.
    unanswered: Vec<v1::SubmitBatchRequest>,
    /// Learners that were enrolled since the last audit: student numbers with their codes. They lie beside the log.
    enrolled: Vec<(String, String)>,
}

/// A bank under attack, with its clients.
pub(crate) struct Scene {
    pub(crate) bank: Bank,
    clients: Vec<Institution>,
    learner: LearnerCode,
    told: Told,
    pub(crate) chance: Chance,
    /// Records signed so far, so that each has another key.
    signed: u64,
}

/// What a client tells the test.
enum Heard {
    Acknowledged(Box<Acknowledgement>),
    Ended(Box<v1::SubmitBatchRequest>),
    Enrolled(String, String),
}

impl Scene {
    async fn new(test: &str) -> Self {
        Self::with(Bank::new(), Chance::new(test)).await
    }

    /// The clients of a bank that runs.
    pub(crate) async fn with(bank: Bank, chance: Chance) -> Self {
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            clients.push(Institution::new(&bank, &format!("school-{client}")).await);
        }
        let learner = clients[0].enrol("1").await;
        Self {
            bank,
            clients,
            learner,
            told: Told::default(),
            chance,
            signed: 0,
        }
    }

    /// Lets all clients submit until the server ends; kills it after this many acknowledgements, if given.
    async fn submit_until_the_end(&mut self, kill_after: Option<u64>) {
        self.submit(BATCHES, kill_after).await;
        if kill_after.is_none() {
            self.bank.ended();
        }
    }

    /// Lets all clients submit so many batches, or until the server ends; kills it after this many acknowledgements, if
    /// given. Tells how many there were.
    pub(crate) async fn submit(&mut self, batches: u64, kill_after: Option<u64>) -> u64 {
        let (sender, mut heard) = mpsc::channel(1024);
        for client in &self.clients {
            self.signed += 1_000_000;
            let sizes: Vec<_> = (0..batches)
                .map(|_| 1 + self.chance.below(RECORDS_MAX))
                .collect();
            tokio::spawn(submit_without_pause(
                Batches::new(client, self.learner, self.signed, sizes),
                sender.clone(),
            ));
        }
        let numbers = (self.signed..).take(LEARNERS_MAX);
        tokio::spawn(enrol_without_pause(
            self.clients[0].line.clone(),
            numbers,
            sender,
        ));
        let mut acknowledged = 0;
        while let Some(one) = heard.recv().await {
            match one {
                Heard::Acknowledged(one) => self.told.acknowledged.push(*one),
                Heard::Ended(request) => {
                    self.told.unanswered.push(*request);
                    continue;
                }
                Heard::Enrolled(number, code) => {
                    self.told.enrolled.push((number, code));
                    continue;
                }
            }
            acknowledged += 1;
            if kill_after == Some(acknowledged) {
                // Somewhere within a commit: a commit takes about a millisecond.
                tokio::time::sleep(Duration::from_micros(self.chance.below(2000))).await;
                self.bank.kill();
            }
        }
        acknowledged
    }

    /// Derives the database again, starts the server and holds it against everything that was told.
    pub(crate) async fn audit(&mut self) {
        self.bank.check_log();
        self.bank.start();
        self.audit_running().await;
    }

    /// The same of a server that runs already.
    pub(crate) async fn audit_running(&mut self) {
        let mut verifier = self.bank.verifier();
        self.reconnect().await;
        for one in std::mem::take(&mut self.told.acknowledged) {
            self.told.note(&mut verifier, &one);
            let again = self.resend(one.request.clone()).await;
            assert_eq!(
                again.response.created, None,
                "an acknowledged batch was lost"
            );
            let first = one.response.created.as_ref();
            for row in &again.response.duplicates {
                let (now, then) = (row.receipt.as_ref(), first.filter(|it| it.rows.is_empty()));
                let now = now.map(|receipt| receipt.leaf_index);
                let then = then.map(|created| created.first_leaf_index + u64::from(row.row));
                assert!(then.is_none() || now == then, "a record moved");
            }
            self.told.note(&mut verifier, &again);
        }
        for (number, code) in std::mem::take(&mut self.told.enrolled) {
            let again = learners::enrol(&self.clients[0].line, student(&number)).await;
            let again = again.expect("the bank is up again");
            assert_eq!(again.learner, code, "a learner was forgotten");
        }
        for request in std::mem::take(&mut self.told.unanswered) {
            let now = self.resend(request).await;
            self.told.note(&mut verifier, &now);
        }
        self.hold_the_log_against_what_was_told().await;
    }

    /// Connects the clients to a server that was started again.
    pub(crate) async fn reconnect(&mut self) {
        for client in &mut self.clients {
            client.reconnect(&self.bank).await;
        }
    }

    async fn resend(&self, request: v1::SubmitBatchRequest) -> Acknowledgement {
        let client = self
            .clients
            .iter()
            .find(|client| client.id() == request.issuer)
            .expect("one of ours");
        submit::submit(&client.line, request)
            .await
            .expect("the bank is up again")
    }

    async fn hold_the_log_against_what_was_told(&self) {
        let mut log = self.bank.anybody().await.log();
        let note = log
            .get_checkpoint(v1::GetCheckpointRequest {})
            .await
            .unwrap()
            .into_inner()
            .note;
        let newest = Checkpoint::open(&note, &self.bank.public_key()).unwrap();
        assert_eq!(newest.origin, ORIGIN);
        let leaves = all_leaves(&self.bank).await;
        assert_eq!(leaves.len() as u64, newest.size.value());
        let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        assert_eq!(root_of(&hashes), newest.root);
        for (index, leaf) in &self.told.leaves {
            assert_eq!(leaves.get(*index as usize), Some(leaf), "leaf {index}");
        }
        for (size, checkpoint) in &self.told.checkpoints {
            let request = v1::GetConsistencyProofRequest {
                old_size: *size,
                new_size: newest.size.value(),
            };
            let proof = log
                .get_consistency_proof(request)
                .await
                .unwrap()
                .into_inner()
                .hashes;
            let proof: Vec<_> = proof
                .iter()
                .map(|hash| Hash::try_from(&hash[..]).unwrap())
                .collect();
            let consistent = verify_consistency(
                TreeSize::new(*size),
                &checkpoint.root,
                newest.size,
                &newest.root,
                &proof,
            );
            assert_eq!(
                consistent,
                Ok(()),
                "the checkpoint of {size} is of another history"
            );
        }
    }
}

impl Told {
    /// Verifies an acknowledgement and keeps what it says; it must not contradict what was said before.
    fn note(&mut self, verifier: &mut Verifier, one: &Acknowledgement) {
        let verified = verifier.verify_acknowledgement(&one.request, &one.response);
        let verified = verified.unwrap_or_else(|error| panic!("{error}\n{}", error.report));
        assert_eq!(verified.records.len(), one.request.records.len());
        for row in &one.response.duplicates {
            let receipt = row.receipt.as_ref().expect("a duplicate has a receipt");
            self.note_checkpoint(verifier, &receipt.checkpoint);
            let before = self.leaves.insert(receipt.leaf_index, receipt.leaf.clone());
            assert!(
                before.is_none_or(|before| before == receipt.leaf),
                "leaf {} changed",
                receipt.leaf_index
            );
        }
        if let Some(created) = &one.response.created {
            self.note_checkpoint(verifier, &created.checkpoint);
        }
    }

    fn note_checkpoint(&mut self, verifier: &Verifier, note: &str) {
        let checkpoint = verifier.bank().open(note).expect("the bank signed it");
        let known = self
            .checkpoints
            .entry(checkpoint.size.value())
            .or_insert_with(|| checkpoint.clone());
        assert_eq!(*known, checkpoint, "two histories of one size");
    }
}

/// Batches of one client, each with records that were never sent before.
struct Batches {
    line: creditbank_client::Bank,
    requests: std::vec::IntoIter<v1::SubmitBatchRequest>,
}

impl Batches {
    fn new(client: &Institution, learner: LearnerCode, first: u64, sizes: Vec<u64>) -> Self {
        let mut key = first;
        let mut request = |records: u64| {
            let keys = key..key + records;
            key += records;
            client.sign(
                keys.map(|key| client.course(&key.to_string(), learner))
                    .collect(),
            )
        };
        let requests: Vec<_> = sizes.into_iter().map(&mut request).collect();
        Self {
            line: client.line.clone(),
            requests: requests.into_iter(),
        }
    }
}

async fn submit_without_pause(batches: Batches, heard: mpsc::Sender<Heard>) {
    for request in batches.requests {
        let answer = submit::submit(&batches.line, request.clone()).await;
        let ends = answer.is_err();
        let one = match answer {
            Ok(one) => Heard::Acknowledged(Box::new(one)),
            Err(_) => Heard::Ended(Box::new(request)),
        };
        if heard.send(one).await.is_err() || ends {
            return;
        }
    }
}

/// Enrols learners until the server ends, for each of these numbers one at most.
async fn enrol_without_pause(
    line: creditbank_client::Bank,
    numbers: impl Iterator<Item = u64> + Send,
    heard: mpsc::Sender<Heard>,
) {
    for number in numbers {
        let number = number.to_string();
        let Ok(enrolled) = learners::enrol(&line, student(&number)).await else {
            return;
        };
        let enrolled = Heard::Enrolled(number, enrolled.learner);
        if heard.send(enrolled).await.is_err() {
            return;
        }
    }
}

/// Every leaf of the log.
pub(crate) async fn all_leaves(bank: &Bank) -> Vec<bytes::Bytes> {
    let mut log = bank.anybody().await.log();
    let mut leaves = Vec::new();
    loop {
        let request = v1::ListEntriesRequest {
            first_leaf_index: leaves.len() as u64,
            page_size: 1000,
        };
        let page = log.list_entries(request).await.unwrap().into_inner().leaves;
        if page.is_empty() {
            return leaves;
        }
        leaves.extend(page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_random_moments_loses_nothing_acknowledged() {
    let mut scene = Scene::new("crash").await;
    for round in 0..ROUNDS {
        let kill_after = 1 + scene.chance.below(40);
        println!("round {round}: killed after {kill_after}");
        scene.submit_until_the_end(Some(kill_after)).await;
        scene.audit().await;
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_at_any_step_of_an_append_loses_nothing_acknowledged() {
    let mut scene = Scene::new("steps").await;
    for step in Step::ALL.into_iter().filter(|step| step.is_of_append()) {
        for nth in [1, 2, 7] {
            println!("{}:{nth}", step.name());
            scene.bank.stop();
            scene
                .bank
                .start_with(&["--abort-at", &format!("{}:{nth}", step.name())]);
            scene.reconnect().await;
            scene.submit_until_the_end(None).await;
            scene.audit().await;
        }
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_cut_off_is_finished_before_anything_is_served() {
    for step in Step::ALL
        .into_iter()
        .filter(|step| step.name().starts_with("erasure") || step.name() == "written")
    {
        let mut bank = Bank::new();
        let mut fudan = Institution::new(&bank, "fudan").await;
        let (gone, stays) = (fudan.enrol("gone").await, fudan.enrol("stays").await);
        let records = (0..50).map(|i| fudan.course(&format!("gone/{i}"), gone));
        let records = records.chain([fudan.course("stays", stays)]).collect();
        fudan.deposit(&bank, records).await;
        bank.stop();
        bank.start_with(&["--abort-at", step.name()]);
        let operator = Arc::new(bank.operator().await);
        let erased = operator
            .learner()
            .erase_learner(v1::EraseLearnerRequest {
                learner: digits(gone),
            })
            .await;
        assert!(erased.is_err(), "{}: nobody was told", step.name());
        bank.ended();
        bank.start();
        fudan.reconnect(&bank).await;
        let totals = |learner| v1::GetTotalsRequest {
            learner: digits(learner),
        };
        let status = fudan
            .line
            .archive()
            .get_totals(totals(gone))
            .await
            .unwrap_err();
        assert_eq!(
            creditbank_client::Refused::new(status).code.as_deref(),
            Some("LEARNER_UNKNOWN"),
            "{}",
            step.name()
        );
        let kept = fudan
            .line
            .archive()
            .get_totals(totals(stays))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(kept.categories[0].records, 1);
        let found = v1::ResolveLearnersRequest {
            rows: vec![student("gone")],
            enrol_missing: false,
        };
        let found = fudan
            .line
            .learner()
            .resolve_learners(tokio_stream::once(found))
            .await
            .unwrap();
        let found = found.into_inner().message().await.unwrap().unwrap();
        assert_eq!(found.results[0].code, "LEARNER_UNKNOWN", "{}", step.name());
        let report = bank.check_log();
        assert_eq!(report["erased"], 50, "{}", step.name());
    }
}
