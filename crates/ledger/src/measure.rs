//! What is measured of the pipeline, stage by stage, for whoever watches a bank.
//!
//! Handles are made once, so that a measurement costs an atomic addition; without a recorder it costs nothing. What is a
//! state, such as the depth of the queue, is read when somebody asks ([`Bank::sample`]). No label holds more than a name of
//! the program's own, or a peer's resource id: nothing personal, nothing without a bound.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use creditbank_domain::{Fault, Refusal};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::backed_up::BackedUp;
use crate::bank::Bank;
use crate::clock;

/// Handles of everything that is measured while it happens.
pub(crate) struct Stages {
    /// From a decoded batch to an admitted one.
    pub(crate) admission: Histogram,
    /// Of that, the signature.
    pub(crate) verification: Histogram,
    /// From admission until the sequencer takes the batch.
    pub(crate) queued: Histogram,
    pub(crate) group_batches: Histogram,
    pub(crate) group_records: Histogram,
    pub(crate) plan: Histogram,
    /// One atomic write with its sync.
    pub(crate) commit: Histogram,
    pub(crate) sign: Histogram,
    /// The anchor's write, sync and rename.
    pub(crate) anchor: Histogram,
    pub(crate) created: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) refused: Counter,
    pub(crate) cosigned: Counter,
    pub(crate) not_cosigned: Counter,
    /// Calls that are open.
    pub(crate) calls: Gauge,
}

static STAGES: LazyLock<Stages> = LazyLock::new(Stages::new);

/// The stages of this process. The recorder, if there is to be one, is installed before the first use.
pub(crate) fn stages() -> &'static Stages {
    &STAGES
}

/// A moment to measure from.
pub(crate) fn begin() -> Instant {
    clock::instant()
}

/// Measures how long a stage took, and begins the next.
pub(crate) fn lap(stage: &Histogram, since: &mut Instant) {
    let now = clock::instant();
    stage.record(now.duration_since(*since));
    *since = now;
}

/// Counts refusals of calls, by the first fault of each.
pub(crate) fn refused_call(faults: &[Fault]) {
    let code = faults
        .first()
        .map_or(Refusal::Internal.code(), |fault| fault.refusal.code());
    counter!("creditbank_refusals_total", "of" => "call", "code" => code).increment(1);
}

/// Counts refusals of rows, by the first fault of each.
pub(crate) fn refused_row(faults: &[Fault]) {
    if let Some(fault) = faults.first() {
        counter!("creditbank_refusals_total", "of" => "row", "code" => fault.refusal.code())
            .increment(1);
    }
}

impl Stages {
    fn new() -> Self {
        describe();
        for refusal in [
            Refusal::Internal,
            Refusal::StorageFailed,
            Refusal::ReadOnly,
            Refusal::QueueFull { retry_ms: 0 },
        ] {
            // There from the start, so that the first one is an increase.
            counter!("creditbank_refusals_total", "of" => "call", "code" => refusal.code())
                .absolute(0);
        }
        let records =
            |result: &'static str| counter!("creditbank_records_total", "result" => result);
        let asked =
            |result: &'static str| counter!("creditbank_cosignatures_total", "result" => result);
        Self {
            admission: histogram!("creditbank_admission_seconds"),
            verification: histogram!("creditbank_verification_seconds"),
            queued: histogram!("creditbank_queue_wait_seconds"),
            group_batches: histogram!("creditbank_group_batches"),
            group_records: histogram!("creditbank_group_records"),
            plan: histogram!("creditbank_plan_seconds"),
            commit: histogram!("creditbank_commit_seconds"),
            sign: histogram!("creditbank_sign_seconds"),
            anchor: histogram!("creditbank_anchor_seconds"),
            created: records("created"),
            duplicate: records("duplicate"),
            refused: records("refused"),
            cosigned: asked("cosigned"),
            not_cosigned: asked("failed"),
            calls: gauge!("creditbank_calls_in_flight"),
        }
    }
}

/// What each name means, as the exporter's HELP lines say it.
fn describe() {
    for (name, help) in [
        (
            "creditbank_admission_seconds",
            "A batch from decoding to admission: limits, signature, sealing, look-ups.",
        ),
        (
            "creditbank_verification_seconds",
            "The signature of a batch, and the root that it signs.",
        ),
        (
            "creditbank_queue_wait_seconds",
            "An admitted batch until the sequencer takes it.",
        ),
        ("creditbank_plan_seconds", "Planning of one commit."),
        (
            "creditbank_commit_seconds",
            "One atomic write of a commit with its fdatasync.",
        ),
        ("creditbank_sign_seconds", "Signing of one checkpoint."),
        (
            "creditbank_anchor_seconds",
            "Writing, syncing and renaming of the anchor file.",
        ),
        (
            "creditbank_call_seconds",
            "A gRPC call until its last byte was made.",
        ),
    ] {
        describe_histogram!(name, Unit::Seconds, help);
    }
    describe_histogram!("creditbank_group_batches", "Batches of one commit.");
    describe_histogram!("creditbank_group_records", "Records of one commit.");
    for (name, help) in [
        (
            "creditbank_records_total",
            "Records that were decided, by what became of them.",
        ),
        (
            "creditbank_refusals_total",
            "Calls and rows that were refused, by their stable code.",
        ),
        (
            "creditbank_calls_total",
            "gRPC calls that ended, by status.",
        ),
        (
            "creditbank_cosignatures_total",
            "Own checkpoints that were brought to peers.",
        ),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        ("creditbank_calls_in_flight", "gRPC calls that are open."),
        (
            "creditbank_connections",
            "Connections that are open, by port.",
        ),
        (
            "creditbank_queue_bytes",
            "Bytes of batches between admission and answer.",
        ),
        (
            "creditbank_queue_batches",
            "Batches that wait for the sequencer.",
        ),
        ("creditbank_tree_size", "Leaves of the log."),
        (
            "creditbank_checkpoint_age_seconds",
            "Time since the newest leaf was deposited.",
        ),
        (
            "creditbank_takes_changes",
            "1 while the disk has room and no peer has overtaken this bank.",
        ),
        (
            "creditbank_disk_free_bytes",
            "Bytes that are free where the database lies.",
        ),
        (
            "creditbank_backup_timestamp_seconds",
            "When the last backup was finished; 0 if none ever was.",
        ),
        ("creditbank_backup_leaves", "Leaves in the last backup."),
        (
            "creditbank_backup_failures",
            "Attempts to back up that have failed since.",
        ),
        (
            "creditbank_peer_lag_leaves",
            "Leaves that a peer has not cosigned yet.",
        ),
        (
            "creditbank_peer_cosigned_size",
            "Size of the peer's log that this bank has cosigned.",
        ),
        (
            "creditbank_peer_stopped",
            "1 if the peer's log has forked and the bank deals with it no more.",
        ),
        (
            "creditbank_store",
            "A property of the database, summed over its families.",
        ),
    ] {
        describe_gauge!(name, help);
    }
}

impl Bank {
    /// Measures what is a state and no event. Whoever watches calls it before reading the metrics.
    pub fn sample(&self) {
        let head = self.head();
        let (bytes, batches) = self.queue().depth();
        set("creditbank_queue_bytes", bytes as u64);
        set("creditbank_queue_batches", batches as u64);
        set("creditbank_tree_size", head.row.size);
        let age = Duration::from_millis(clock::now_ms().saturating_sub(head.row.deposited_at_ms));
        gauge!("creditbank_checkpoint_age_seconds").set(age.as_secs_f64());
        set("creditbank_takes_changes", u64::from(self.takes_changes()));
        if let Some(free) = self.disk_free() {
            set("creditbank_disk_free_bytes", free);
        }
        // What cannot be read is told as no backup, so that somebody looks.
        let backed_up = BackedUp::read(self.directory()).unwrap_or_default();
        set(
            "creditbank_backup_timestamp_seconds",
            backed_up.finished_at_s,
        );
        set("creditbank_backup_leaves", backed_up.leaves);
        set("creditbank_backup_failures", backed_up.failed);
        for peer in self.peers().all() {
            let of_peer = |name: &'static str, value: u64| {
                gauge!(name, "peer" => peer.id().to_owned()).set(value as f64);
            };
            let ours = peer.cosigned_ours().map_or(0, |it| it.size);
            of_peer(
                "creditbank_peer_lag_leaves",
                head.row.size.saturating_sub(ours),
            );
            let theirs = peer.cosigned().map_or(0, |it| it.size);
            of_peer("creditbank_peer_cosigned_size", theirs);
            of_peer("creditbank_peer_stopped", u64::from(peer.is_stopped()));
        }
        for (property, value) in self.store().properties() {
            gauge!("creditbank_store", "property" => property).set(value as f64);
        }
    }

    /// Whether callers should come: not once a stop has begun. A bank that takes no changes still answers readers.
    pub fn is_ready(&self) -> bool {
        !self.is_stopping()
    }

    /// Whether the sequencer works: waits until it has worked off what is queued now.
    pub async fn works(&self) -> bool {
        self.queue().is_worked_off().await
    }
}

fn set(name: &'static str, value: u64) {
    gauge!(name).set(value as f64);
}
