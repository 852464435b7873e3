//! Whatever disk, process and clock do, nothing that was acknowledged is lost or changed, and the log has one history.
//!
//! Every round hurts a bank under load at a place that chance chooses, starts it again, derives its database again and
//! holds it against everything that its clients were ever told. In the gate a few rounds; `cargo xtask torture` goes on for
//! as long as it is told to, a seed after the other.

mod disk;
mod half;
pub(crate) mod system_calls;

use crate::bank::Bank;
use crate::chance::Chance;
use crate::crash::Scene;
use disk::Disk;

/// Rounds of a test where nobody says otherwise.
const ROUNDS: u64 = 3;
/// Batches of a client in a round; most rounds end before.
const BATCHES: u64 = 25;
/// Operations of the disk among which one is chosen: a round's load makes some hundred.
const OPERATIONS: u64 = 250;

/// How many rounds a test has.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of what the task runner tells the tests"
)]
fn rounds() -> u64 {
    let rounds = std::env::var("CREDITBANK_TORTURE_ROUNDS").ok();
    rounds.map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"))
}

/// A bank whose folder lies on a disk that loses what was not synced. The disk goes after the bank.
struct Frail {
    scene: Scene,
    disk: Disk,
}

impl Frail {
    async fn new(test: &str) -> Option<Self> {
        let mut disk = Disk::mount()?;
        let chance = Chance::new(test);
        let mut bank = made_on(&disk);
        small(&bank);
        disk.order("settle");
        bank.start();
        let scene = Scene::with(bank, chance).await;
        Some(Self { scene, disk })
    }

    /// The power goes, now if it has not gone before, and comes back.
    fn cut(&mut self) {
        if self.scene.bank.runs() {
            self.scene.bank.kill();
        }
        let seed = self.scene.chance.below(u64::MAX);
        println!("{}", self.disk.order(&format!("cut {seed}")));
    }

    /// Makes something happen at one of the next operations.
    fn arm(&mut self, what: &str, among: u64) {
        let nth = 1 + self.scene.chance.below(among);
        println!("{what} {nth}");
        self.disk.order(&format!("{what} {nth}"));
    }
}

/// A new bank on a disk.
fn made_on(disk: &Disk) -> Bank {
    let beside = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(disk.folder(), beside.path().join("bank")).expect("room");
    Bank::made_in(beside)
}

/// Gives a bank so little memory that it writes table files all the time.
fn small(bank: &Bank) {
    let settings = bank.dir().join("bank.toml");
    let text = std::fs::read_to_string(&settings).expect("init wrote it");
    let small = text.replace("write_buffer_mib = 256", "write_buffer_mib = 4");
    assert_ne!(text, small);
    std::fs::write(settings, small).expect("room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let Some(mut frail) = Frail::new("power").await else {
        return;
    };
    for round in 0..rounds() {
        println!("round {round}");
        frail.arm("die any", OPERATIONS);
        frail.scene.submit(BATCHES, None).await;
        frail.cut();
        // Every third time the power goes again while the bank starts.
        if frail.scene.chance.below(3) == 0 {
            frail.arm("die any", 60);
            if let Err(said) = frail.scene.bank.starts_or_refuses() {
                println!("while it starts: {said}");
            }
            frail.cut();
        }
        frail.scene.audit().await;
    }
    frail.scene.bank.check_log();
}

#[test]
fn a_bank_that_was_made_is_there_after_a_power_cut() {
    let mut chance = Chance::new("made");
    for _ in 0..rounds() {
        let Some(mut disk) = Disk::mount() else {
            return;
        };
        let mut bank = made_on(&disk);
        println!("{}", disk.order(&format!("cut {}", chance.below(u64::MAX))));
        bank.start();
        assert_eq!(bank.check_log()["leaves"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_or_is_full_costs_nothing_acknowledged() {
    const FAULTS: [(&str, u64); 5] = [
        ("fail sync", 60),
        ("fail write", 120),
        ("fail name", 20),
        ("full", 120),
        ("fail any", OPERATIONS),
    ];
    let Some(mut frail) = Frail::new("faults").await else {
        return;
    };
    for round in 0..rounds().div_ceil(ROUNDS) {
        for (what, among) in FAULTS {
            frail.arm(what, among);
            let told = frail.scene.submit(BATCHES, None).await;
            println!("round {round}: {told} batches acknowledged");
            // Sometimes the process alone ends and finds in memory what is not on the disk.
            if frail.scene.chance.below(2) == 0 {
                frail.scene.bank.kill();
                frail.disk.order("heal");
            } else {
                frail.cut();
            }
            frail.scene.audit().await;
        }
    }
    frail.scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_whose_syncs_do_nothing_is_found_out() {
    let Some(mut frail) = Frail::new("lies").await else {
        return;
    };
    frail.disk.order("lie");
    assert!(frail.scene.submit(BATCHES, None).await > 0);
    frail.cut();
    let audit = || tokio::runtime::Handle::current().block_on(frail.scene.audit());
    let audit = || tokio::task::block_in_place(audit);
    let audited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(audit));
    assert!(audited.is_err(), "records were lost, and nothing noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_found_or_changes_nothing() {
    for round in 0..rounds() {
        let Some(mut frail) = Frail::new("flips").await else {
            return;
        };
        frail.scene.submit(BATCHES, None).await;
        if frail.scene.chance.below(2) == 0 {
            frail.scene.bank.stop();
        } else {
            frail.scene.bank.kill();
        }
        let seed = frail.scene.chance.below(u64::MAX);
        let flipped = frail.disk.order(&format!("flip {seed} db"));
        let (code, said) = frail.scene.bank.check_finds();
        println!("round {round}: {flipped}: check ends with {code:?}");
        assert!(code.is_some(), "check has no end of its own: {said}");
        if code == Some(0) {
            frail.scene.audit().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_jump_and_processes_that_die_cost_nothing_acknowledged() {
    const JUMP_S: u64 = 400 * 24 * 3600;
    let mut bank = Bank::made();
    small(&bank);
    bank.start();
    let mut scene = Scene::with(bank, Chance::new("clocks")).await;
    for round in 0..rounds() {
        let shift = scene.chance.below(JUMP_S).cast_signed() - (JUMP_S / 2).cast_signed();
        let kill_after = 1 + scene.chance.below(2 * BATCHES);
        println!("round {round}: {shift} s, killed after {kill_after}");
        scene.bank.stop();
        scene
            .bank
            .start_with(&["--clock-shift", &shift.to_string()]);
        scene.reconnect().await;
        scene.submit(BATCHES, Some(kill_after)).await;
        scene.audit().await;
    }
    scene.bank.check_log();
}
