//! The desk of transfers: takes the steps that are this bank's to take, and reads those of its peers. One step at a time,
//! each from what is committed, so that a stop between any two costs nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use creditbank_client::receipt::{Opening, Step as Checked, StepResult};
use creditbank_client::transfer::read_steps;
use creditbank_client::{Bank as PeerConnection, InstitutionKeys, Options};
use creditbank_domain::identifier::{InstitutionId, LearnerCode};
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::book::{Place, Shelf};
use creditbank_domain::transfer::duty::{self, Terms};
use creditbank_domain::transfer::{Reason, Side, Step, TransferId};
use creditbank_domain::{Fault, LeafIndex, Refusal};
use creditbank_merkle::Note;
use creditbank_store::{Go, Plan, ShelfKey, StoreError};
use creditbank_wire::convert::leaf;
use creditbank_wire::convert::transfer::{Entry, entry};
use creditbank_wire::v1;
use tokio::sync::{Notify, watch};

use super::package::{Expected, kept, verifier, verify};
use super::paper::Papers;
use super::row::TransferRow;
use super::shelf::{Shelves, bound};
use super::{origin, peers, receiver};
use crate::admission::Seen;
use crate::bank::Bank;
use crate::clock;
use crate::head::Head;
use crate::peers::Peer;
use crate::queue::{Decided, Decision};
use crate::statement::Stepping;
use crate::vault;

/// How often it is looked for transfers that have something to do.
const TICK: Duration = Duration::from_millis(500);
/// How often all open transfers are looked at, whatever is known of them; milliseconds.
const ALL_MS: u64 = 60_000;
/// Learners whose change is remembered one by one; beyond them everything is looked at once.
const TOUCHED_MAX: usize = 4096;
/// Most steps of one transfer in one look.
const STEPS_AT_ONCE: usize = 4;
/// Steps of a peer asked for at once.
const PAGE: u32 = 64;
/// How long a peer may let its answer wait for a first step.
const WAIT: Duration = Duration::from_secs(20);
/// How far a peer's clock may be ahead for its steps to be waited for.
const EARLY_MAX: Duration = Duration::from_secs(10);
/// First and longest pause before a peer that did not answer is asked again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// What the desk is told of commits.
#[derive(Debug)]
pub(crate) struct Desk {
    touched: Mutex<Touched>,
    wake: Notify,
    /// Size of the log with the newest step in it, for those who wait for one.
    stepped: watch::Sender<u64>,
    /// How long the two sides of a transfer wait.
    terms: Terms,
}

#[derive(Debug)]
struct Touched {
    learners: BTreeSet<u64>,
    everybody: bool,
}

impl Desk {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            // A start does not know what it has missed.
            touched: Mutex::new(Touched {
                learners: BTreeSet::new(),
                everybody: true,
            }),
            wake: Notify::new(),
            stepped: watch::Sender::new(0),
            terms,
        }
    }

    /// Learns what a commit changed. Never waits.
    pub(crate) fn committed(&self, plan: &Plan) {
        if plan.views.shelf.is_empty()
            && plan.views.states.is_empty()
            && plan.views.applications.is_empty()
        {
            return;
        }
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = plan.views.applications.values().map(|row| row.learner);
        touched.learners.extend(plan.views.states.keys().copied());
        touched.learners.extend(moved);
        if touched.learners.len() > TOUCHED_MAX {
            touched.learners.clear();
            touched.everybody = true;
        }
        drop(touched);
        if !plan.views.shelf.is_empty() {
            self.stepped.send_replace(plan.head.size);
        }
        self.wake.notify_one();
    }

    /// Resolves when a step was taken since.
    pub(crate) fn stepped(&self) -> watch::Receiver<u64> {
        self.stepped.subscribe()
    }

    /// A peer has cosigned more: steps may be told, and outcomes released, that could not be before.
    pub(crate) fn cosigned(&self) {
        self.stepped.send_modify(|_| {});
        self.wake.notify_one();
    }

    /// Learners were erased or merged: who had transfers is not known any more.
    pub(crate) fn touch_everybody(&self) {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        touched.everybody = true;
        drop(touched);
        self.wake.notify_one();
    }

    fn take(&self) -> Touched {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        Touched {
            learners: std::mem::take(&mut touched.learners),
            everybody: std::mem::take(&mut touched.everybody),
        }
    }
}

/// Works until `stopped`.
pub(crate) async fn run(bank: Arc<Bank>, stopped: watch::Receiver<bool>) {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(until(stopped.clone(), work(Arc::clone(&bank))));
    for peer in 0..bank.peers().all().len() {
        let bank = Arc::clone(&bank);
        let reading = async move { read(&bank, &bank.peers().all()[peer]).await };
        tasks.spawn(until(stopped.clone(), reading));
    }
    while tasks.join_next().await.is_some() {}
}

async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = work => {}
    }
}

/// Takes this bank's steps.
async fn work(bank: Arc<Bank>) {
    // Requests that nothing can be done about while this process runs.
    let mut over = BTreeSet::new();
    let mut all_at_ms = 0;
    loop {
        let mut touched = bank.desk().take();
        let now_ms = clock::now_ms();
        if now_ms >= all_at_ms + ALL_MS {
            touched.everybody = true;
            all_at_ms = now_ms;
        }
        let places = tokio::task::block_in_place(|| due(&bank, &touched));
        match places {
            Ok((requests, places)) => {
                for request in requests.difference(&over.clone()) {
                    match take_up(&bank, *request).await {
                        Ok(true) => {}
                        Ok(false) => drop(over.insert(*request)),
                        Err(faults) => tell(Err(faults)),
                    }
                }
                for place in places {
                    tell(advance(&bank, place).await);
                }
            }
            Err(error) => tracing::error!(%error, "transfers could not be looked through"),
        }
        tokio::select! {
            () = bank.desk().wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// What could not be done now is tried at the next look.
fn tell(done: Result<(), Vec<Fault>>) {
    let Err(faults) = done else { return };
    let later = |fault: &Fault| {
        matches!(
            fault.refusal,
            Refusal::TransferMoved | Refusal::QueueFull { .. } | Refusal::ShuttingDown
        )
    };
    if !faults.iter().all(later) {
        let codes: Vec<_> = faults.iter().map(|fault| fault.refusal.code()).collect();
        tracing::warn!(?codes, "a step of a transfer could not be taken");
    }
}

/// Requests that wait, and transfers that may need a step: the open ones that wait for nobody else, and those of learners of
/// whom something has changed.
fn due(
    bank: &Bank,
    touched: &Touched,
) -> Result<(BTreeSet<LeafIndex>, BTreeSet<Place>), StoreError> {
    let head = bank.head();
    let snapshot = &head.snapshot;
    let mut requests = BTreeSet::new();
    snapshot.shelf_rows(&ShelfKey::Request(LeafIndex(0)), |key, _| {
        if let ShelfKey::Request(leaf) = key {
            requests.insert(leaf);
        }
        Go::Continue(())
    })?;
    let mut open = Vec::new();
    for peer in peers(&head.registry) {
        snapshot.shelf_rows(&ShelfKey::Open(peer.number, [0; 16]), |key, _| {
            if let ShelfKey::Open(peer, id) = key {
                open.push((peer, TransferId(id)));
            }
            Go::Continue(())
        })?;
    }
    let shelves = Shelves::over(Arc::clone(snapshot));
    let now_ms = clock::now_ms();
    let mut places = BTreeSet::new();
    for place in open {
        let row = shelves.row(place)?;
        let waits = |row: TransferRow| duty::waits(&row.transfer, &bank.desk().terms, now_ms);
        if touched.everybody || !row.is_some_and(waits) {
            places.insert(place);
        }
    }
    let mut learners = touched.learners.clone();
    if touched.everybody {
        snapshot.changed_learners(|learner| {
            learners.insert(learner);
            Go::Continue(())
        })?;
        snapshot.applications(LeafIndex(0), |_, row| {
            if row.kind == RecordKind::Reversal as u8 {
                learners.insert(row.learner);
            }
            Go::Continue(())
        })?;
    }
    for learner in learners {
        if let Ok(learner) = LearnerCode::from_u64(learner) {
            places.extend(of_learner(bank, &head, learner)?);
        }
    }
    Ok((requests, places))
}

/// The transfers that rest on outcomes of a learner: those that bind a changed one, and those that brought one.
fn of_learner(
    bank: &Bank,
    head: &Arc<Head>,
    learner: LearnerCode,
) -> Result<BTreeSet<Place>, StoreError> {
    let mut places = BTreeSet::new();
    let Ok(codes) = bank.archive_codes(learner)? else {
        return Ok(places);
    };
    for code in codes {
        for (outcome, _) in head.snapshot.states(code.as_u64())? {
            places.extend(bound(&head.snapshot, outcome)?);
        }
        let mut brought = Vec::new();
        head.snapshot.vault(code.as_u64(), None, |index, row| {
            if vault::header(row).is_ok_and(|it| it.kind == RecordKind::Transferred) {
                brought.push(index);
            }
            Go::Continue(())
        })?;
        for index in brought {
            let papers = Papers { bank, head };
            if let Some((_, came)) = papers.transferred(index)?
                && let Some((place, _)) = super::find(head, came.id)?
            {
                places.insert(place);
            }
        }
    }
    Ok(places)
}

/// Takes a learner's request up: the receiver's first step. Nothing can be done where the learner is gone, the peer was taken
/// out of the settings, or another request with the same consent came first.
async fn take_up(bank: &Bank, request: LeafIndex) -> Result<bool, Vec<Fault>> {
    let _one_at_a_time = bank.stepping().lock().await;
    let head = bank.head();
    let papers = Papers { bank, head: &head };
    let found = tokio::task::block_in_place(|| papers.request(request)).map_err(failed)?;
    let Some((_, asked)) = found else {
        return Ok(false);
    };
    let Some(peer) = bank.peers().of_origin(asked.origin.as_str()) else {
        return Ok(false);
    };
    // It may be registered later.
    let Some(number) = number(&head, peer) else {
        return Ok(true);
    };
    let consent = asked.consent;
    let own = Own {
        head: &head,
        peer,
        place: (number, asked.id),
        side: Side::Receiver,
    };
    let entry = own.entry(Step::Requested { consent }, Some(request))?;
    match put(bank, vec![Stepping { entry, seen: None }]).await {
        Err(faults) if faults.iter().all(|it| is_known(it.refusal)) => Ok(false),
        done => done.map(|_| true),
    }
}

const fn is_known(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::StepNotAllowed { .. } | Refusal::TransferUnknown
    )
}

/// Takes the steps of a transfer that are this bank's to take now.
async fn advance(bank: &Bank, place: Place) -> Result<(), Vec<Fault>> {
    for _ in 0..STEPS_AT_ONCE {
        if bank.is_stopping() || !step(bank, place, None).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Takes one step, or the one that is wished for; says whether there was one.
async fn step(bank: &Bank, place: Place, wish: Option<Reason>) -> Result<bool, Vec<Fault>> {
    let _one_at_a_time = bank.stepping().lock().await;
    let head = bank.head();
    let row = Shelves::over(Arc::clone(&head.snapshot)).row(place);
    let Some(row) = row.map_err(failed)? else {
        return Err(vec![Refusal::TransferUnknown.at("transfer_id")]);
    };
    let institution = head.registry.by_number(place.0);
    let peer = institution.and_then(|it| bank.peers().get(it.profile.id.as_str()));
    let Some(peer) = peer.filter(|peer| !bank.peers().is_stopped(peer.id())) else {
        return Ok(false);
    };
    let next = tokio::task::block_in_place(|| next(bank, &head, peer, place, &row, wish));
    let next = next.map_err(failed)?;
    if row.transfer.side == Side::Receiver {
        bank.give_back(&head, &row).await?;
    }
    let Some((step, seen)) = next else {
        return Ok(false);
    };
    let own = Own {
        head: &head,
        peer,
        place,
        side: row.transfer.side,
    };
    let entry = own.entry(step, None)?;
    put(bank, vec![Stepping { entry, seen }]).await?;
    Ok(true)
}

fn next(
    bank: &Bank,
    head: &Arc<Head>,
    peer: &Peer,
    place: Place,
    row: &TransferRow,
    wish: Option<Reason>,
) -> Result<Option<(Step, Option<Seen>)>, StoreError> {
    let transfer = &row.transfer;
    match transfer.side {
        Side::Origin => {
            let mut known = origin::known(bank, head, peer, place, transfer)?;
            known.facts.is_wanted_back = wish.is_some();
            let (terms, now_ms) = (&bank.desk().terms, clock::now_ms());
            let step = duty::of_origin(transfer, &known.facts, terms, now_ms);
            Ok(step.map(|step| {
                // Only a reservation and a release rest on what may change until they are committed.
                let rests = matches!(step, Step::Reserved { .. } | Step::Released(_));
                (step, known.seen.filter(|_| rests))
            }))
        }
        Side::Receiver => {
            let known = receiver::known(bank, head, row)?;
            Ok(duty::of_receiver(transfer, &known).map(|step| (step, None)))
        }
    }
}

impl Bank {
    /// Asks for a released outcome back, as the learner wishes.
    pub(crate) async fn recall(&self, place: Place) -> Result<(), Vec<Fault>> {
        let head = self.head();
        let row = Shelves::over(Arc::clone(&head.snapshot)).row(place);
        let row = row.map_err(failed)?;
        let row = row.ok_or_else(|| vec![Refusal::TransferUnknown.at("transfer_id")])?;
        let reason = Reason::LearnersWish;
        if row.transfer.side != Side::Origin {
            let state = row.transfer.state().code();
            return Err(vec![Refusal::StepNotAllowed { state }.at("transfer_id")]);
        }
        if row.transfer.recalled().is_some() {
            return Ok(());
        }
        row.transfer
            .allow(&Step::Recalled(reason))
            .map_err(|refusal| vec![refusal.at("transfer_id")])?;
        match row.transfer.state().is_pending() {
            true => step(self, place, Some(reason)).await.map(drop),
            false => {
                let state = row.transfer.state().code();
                Err(vec![Refusal::StepNotAllowed { state }.at("transfer_id")])
            }
        }
    }
}

/// What an own step needs to become an entry.
struct Own<'a> {
    head: &'a Arc<Head>,
    peer: &'a Peer,
    place: Place,
    side: Side,
}

impl Own<'_> {
    /// The entry of an own step: the next one.
    fn entry(&self, step: Step, record: Option<LeafIndex>) -> Result<Entry, Vec<Fault>> {
        let shelves = Shelves::over(Arc::clone(&self.head.snapshot));
        let pair = shelves.pair(self.place.0).map_err(failed)?;
        let peer = InstitutionId::parse(self.peer.id());
        Ok(Entry {
            id: self.place.1,
            peer: peer.map_err(|refusal| vec![refusal.at("")])?,
            peer_origin: self.peer.origin().to_owned(),
            side: self.side,
            sequence: pair.sent + 1,
            step,
            heard: None,
            record: record.map(|leaf| leaf.0),
        })
    }
}

async fn put(bank: &Bank, steps: Vec<Stepping>) -> Result<Decided, Vec<Fault>> {
    let decided = bank.enter_steps(steps).await.map_err(|fault| vec![fault])?;
    let refused = decided.rows.iter().find_map(|row| match row {
        Decision::Refused(faults) => Some(faults.clone()),
        _ => None,
    });
    refused.map_or(Ok(decided), Err)
}

fn number(head: &Head, peer: &Peer) -> Option<InstitutionNumber> {
    head.registry.institution(peer.id()).map(|it| it.number)
}

fn failed(error: StoreError) -> Vec<Fault> {
    tracing::error!(%error, "a transfer could not be read");
    vec![Refusal::StorageFailed.at("")]
}

/// Reads a peer's steps, from the last one that this bank has taken in. A peer that does not answer is asked again, with
/// growing pauses; a bank that was down catches up by itself.
async fn read(bank: &Bank, peer: &Peer) {
    let mut pause = PAUSE.0;
    let mut connection = None;
    loop {
        match read_once(bank, peer, &mut connection).await {
            Ok(true) => pause = PAUSE.0,
            Ok(false) => tokio::time::sleep(TICK).await,
            Err(what) => {
                tracing::warn!(peer = peer.id(), %what, "steps of a peer bank cannot be read now");
                connection = None;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Reads one page; says whether the peer was asked.
async fn read_once(
    bank: &Bank,
    peer: &Peer,
    connection: &mut Option<PeerConnection>,
) -> Result<bool, String> {
    let head = bank.head();
    let Some(number) = number(&head, peer).filter(|_| !bank.peers().is_stopped(peer.id())) else {
        return Ok(false);
    };
    let open = match connection.take() {
        Some(open) => open,
        None => connect(bank, peer).await?,
    };
    let shelves = Shelves::over(Arc::clone(&head.snapshot));
    let pair = shelves.pair(number).map_err(|error| error.to_string())?;
    let request = v1::ReadStepsRequest {
        after: pair.heard,
        page_size: PAGE,
        wait_ms: u32::try_from(WAIT.as_millis()).unwrap_or(u32::MAX),
    };
    drop(head);
    let answer = read_steps(&open, request).await;
    let answer = answer.map_err(|error| error.to_string())?;
    for sent in answer.steps {
        let sequence = sent.sequence;
        come(&sent).await?;
        let heard = hear(bank, peer, number, sent).await;
        heard.map_err(|faults| {
            let codes: Vec<_> = faults.iter().map(ToString::to_string).collect();
            format!("step {sequence}: {}", codes.join(", "))
        })?;
    }
    *connection = Some(open);
    Ok(true)
}

/// Waits until a step is not of the future any more. Else an effect would be dated before its cause, and a cut could fall
/// between them. A clock that is far ahead is an operator's business.
async fn come(sent: &v1::SentStep) -> Result<(), String> {
    let receipt = sent.receipt.as_ref();
    let taken = receipt.and_then(|it| leaf::decode(&it.leaf).ok());
    let taken_ms = taken.map_or(0, |leaf| leaf.deposited_at_ms);
    let early = Duration::from_millis(taken_ms.saturating_sub(clock::now_ms()));
    if early > EARLY_MAX {
        let seconds = early.as_secs();
        return Err(format!("its clock is {seconds} s ahead of this bank's"));
    }
    tokio::time::sleep(early).await;
    Ok(())
}

/// Connects as the peer bank that this bank is to the other.
pub(crate) async fn connect(bank: &Bank, peer: &Peer) -> Result<PeerConnection, String> {
    let (id, key) = bank
        .known_as()
        .ok_or("this bank has no id or no key for its peers: `creditbank peer card` makes both")?;
    let seed = key.to_bytes();
    // What this bank signs at a peer are the tokens of its calls, nothing else.
    let keys = InstitutionKeys::from_seeds(id.clone(), &seed, &seed, &seed);
    let mut options = Options::new(peer.options().grpc.clone(), peer.origin());
    options.ca_pem.clone_from(&peer.options().ca_pem);
    options.call_timeout = WAIT + WAIT / 2;
    let connected = PeerConnection::connect(options, Some(Arc::new(keys))).await;
    connected.map_err(|error| error.to_string())
}

/// Takes in one step of a peer: verified, kept with its proof, and, of a release, opened and answered in one commit.
async fn hear(
    bank: &Bank,
    peer: &Peer,
    number: InstitutionNumber,
    sent: v1::SentStep,
) -> Result<(), Vec<Fault>> {
    let _one_at_a_time = bank.stepping().lock().await;
    let head = bank.head();
    let told = told_by(bank, &head, peer, &sent)
        .map_err(|check| vec![Refusal::PeerInvalid { check }.at("")])?;
    let receipt = sent.receipt.unwrap_or_default();
    let place = (number, told.id);
    let side = told.side.other();
    let own = Own {
        head: &head,
        peer,
        place,
        side,
    };
    let heard = Entry {
        id: told.id,
        peer: InstitutionId::parse(peer.id()).map_err(|refusal| vec![refusal.at("")])?,
        peer_origin: peer.origin().to_owned(),
        side,
        sequence: told.sequence,
        step: told.step.clone(),
        heard: Some(Box::new(v1::TransferHeard {
            leaf: receipt.leaf,
            leaf_index: receipt.leaf_index,
            salt: sent.salt,
            entry: sent.entry,
        })),
        record: None,
    };
    let mut steps = vec![Stepping {
        entry: heard,
        seen: None,
    }];
    let known = Shelves::over(Arc::clone(&head.snapshot)).row(place);
    let known = known.map_err(failed)?;
    let is_next = known.is_some_and(|row| row.transfer.allow(&told.step).is_ok());
    if matches!(told.step, Step::Released(_)) && side == Side::Receiver && is_next {
        let (answer, record) = receive(bank, &head, peer, &told, place, sent.package).await?;
        steps.push(Stepping {
            entry: own.entry(answer, record)?,
            seen: None,
        });
    }
    let decided = bank.enter_steps(steps).await.map_err(|fault| vec![fault])?;
    match decided.rows.first() {
        Some(Decision::Refused(faults)) => Err(faults.clone()),
        _ => Ok(()),
    }
}

/// Opens a package; what is right goes to the learner's archive. The answer, and the leaf of the outcome.
async fn receive(
    bank: &Bank,
    head: &Arc<Head>,
    peer: &Peer,
    told: &Entry,
    place: Place,
    package: Option<v1::SealedPackage>,
) -> Result<(Step, Option<LeafIndex>), Vec<Fault>> {
    let Step::Released(release) = &told.step else {
        unreachable!("the caller has matched it")
    };
    let papers = Papers { bank, head };
    let row = Shelves::over(Arc::clone(&head.snapshot)).row(place);
    let row = row.map_err(failed)?;
    let request = row.as_ref().and_then(|row| row.request);
    let asked = match request {
        Some(request) => papers.request(request).map_err(failed)?,
        None => None,
    };
    let rejected = |reason| Ok((Step::Rejected(reason), None));
    let Some((learner, asked)) = asked else {
        return rejected(Reason::RequestGone);
    };
    let Ok(codes) = bank.archive_codes(learner).map_err(failed)? else {
        return rejected(Reason::RequestGone);
    };
    let Some(reserved) = row.as_ref().and_then(|row| row.transfer.reserved()) else {
        return rejected(Reason::PackageDiffers);
    };
    let expected = Expected {
        id: told.id,
        release,
        reserved,
        consent: &asked.consent,
        learner: &codes,
    };
    let look = || verify(bank, head, peer, &expected, package.as_ref());
    let verified = tokio::task::block_in_place(look);
    match verified.map_err(failed)? {
        Err(reason) => rejected(reason),
        Ok(verified) => {
            let outcome = kept(peer, told.id, verified);
            match bank.keep(learner, told.id, outcome).await {
                Ok(leaf) => Ok((Step::Received, Some(leaf))),
                // What will be refused again must not hold up the steps behind it.
                Err(faults) if faults.iter().all(|it| is_final(it.refusal)) => {
                    rejected(Reason::PackageTooLarge)
                }
                Err(faults) => Err(faults),
            }
        }
    }
}

/// Whether a record that was refused for it is refused whenever it comes.
const fn is_final(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::RecordTooLarge { .. } | Refusal::NotCanonical | Refusal::LearnerErased
    )
}

/// What a peer has told: an entry of its log under a checkpoint that this bank has cosigned, signed by it, addressed to this
/// bank. Else the check that failed.
fn told_by(
    bank: &Bank,
    head: &Head,
    peer: &Peer,
    sent: &v1::SentStep,
) -> Result<Entry, &'static str> {
    let receipt = sent.receipt.as_ref().ok_or("receipt")?;
    let note = Note::parse(&receipt.checkpoint).map_err(|_| "checkpoint")?;
    let mut verifier = verifier(bank, head, peer, &note)?;
    let own = bank.peers().cosigner().ok_or("own cosignature")?;
    own.public().verify(&note).map_err(|_| "own cosignature")?;
    let (salt, payload) = (&sent.salt[..], &sent.entry[..]);
    let verified = verifier.verify_receipt(receipt, Some(Opening { salt, payload }));
    let verified = verified.map_err(|error| match error.step {
        Checked::Decoding => "canonical form",
        Checked::BatchRoot => "batch root",
        Checked::IssuerSignature => "bank signature",
        Checked::Checkpoint => "checkpoint",
        Checked::Inclusion => "inclusion proof",
        Checked::Opening => "commitment",
    })?;
    let is_signed = verified.report.of(Checked::IssuerSignature) == &StepResult::Ok;
    let record = verified.records.first().ok_or("receipt")?;
    let is_step = &*record.issuer == InstitutionId::BANK && record.kind == v1::RecordKind::Transfer;
    if !is_signed || !is_step {
        return Err("bank signature");
    }
    let told = entry(payload).map_err(|_| "entry")?;
    let is_ours = told.heard.is_none() && told.peer_origin == bank.origin();
    let in_order = told.sequence == sent.sequence;
    match is_ours && in_order {
        true => Ok(told),
        false => Err("addressee"),
    }
}
