//! What a service manager is told, by a manager of our own: when a process serves, reads its settings again, works, stops.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::now;
use super::reload::reload;
use crate::bank::{BOUND, Bank, leaves, signal};
use crate::gateway::fixture::Scene;
use crate::institution::Institution;
use crate::torture::system_calls::Injector;

/// A manager gives up after this, so it is told three times as often.
const WATCHDOG_USEC: &str = "300000";
/// Longer than that.
const SILENCE: Duration = Duration::from_millis(1500);

/// A manager's end.
struct Manager(UnixDatagram);

impl Manager {
    fn new(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).expect("a free name");
        socket.set_read_timeout(Some(BOUND)).expect("a bound");
        Self(socket)
    }

    /// One for a bank, and its address. An abstract name is of the whole machine.
    fn of(bank: &Bank) -> (Self, &'static str) {
        let name = format!("creditbank-{}", bank.beside().display());
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        (Self::new(&address), format!("@{name}").leak())
    }

    /// Waits until nothing was told for longer than a manager waits.
    #[track_caller]
    fn hears_nothing_more(&self) {
        self.0.set_read_timeout(Some(SILENCE)).expect("a bound");
        let began = now();
        while self.0.recv(&mut [0; 256]).is_ok() {
            assert!(began.elapsed() < BOUND, "it goes on telling");
        }
        self.0.set_read_timeout(Some(BOUND)).expect("a bound");
    }

    /// What it is told next, apart from being told again that the process works.
    fn told(&self) -> String {
        loop {
            let told = self.message();
            if told != "WATCHDOG=1" {
                return told;
            }
        }
    }

    fn message(&self) -> String {
        let mut bytes = [0; 256];
        let read = self.0.recv(&mut bytes).expect("it is told something");
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    /// Demands what a reload between two moments is told as.
    #[track_caller]
    fn hears_of_reload(&self, after_us: i64) {
        let told = self.told();
        let moment = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        let moment = moment.and_then(|it| it.parse::<i64>().ok());
        let moment = moment.unwrap_or_else(|| panic!("{told:?}"));
        assert!((after_us..=monotonic_us()).contains(&moment), "{moment}");
        assert_eq!(self.told(), "READY=1");
    }
}

fn monotonic_us() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_tells_that_it_serves_reloads_works_and_stops() {
    let mut bank = Bank::made();
    let (manager, socket) = Manager::of(&bank);
    bank.start_in(&[("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", "30000")]);
    assert_eq!(manager.message(), "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.message(), "WATCHDOG=1");
    }
    let before_us = monotonic_us();
    reload(bank.process(), || bank.said());
    manager.hears_of_reload(before_us);
    // Whatever came of it: the bank goes on as it was.
    fs::write(bank.dir().join("bank.toml"), "nonsense = 1\n").expect("room");
    reload(bank.process(), || bank.said());
    manager.hears_of_reload(before_us);
    fs::write(bank.dir().join("bank.toml"), "test_regions = true\n").expect("room");
    bank.stop();
    assert_eq!(manager.told(), "STOPPING=1");
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_whose_disk_hangs_tells_the_watchdog_no_more_until_it_goes_on() {
    let mut bank = Bank::made();
    let (manager, socket) = Manager::of(&bank);
    bank.start_in(&[("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", WATCHDOG_USEC)]);
    assert_eq!(manager.message(), "READY=1");
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    let before = leaves(&fudan.line).await;
    // Ten minutes a sync: longer than the test.
    let Some(hangs) = Injector::attach(&bank, "fdatasync", "delay_enter=600000000") else {
        return;
    };
    let batch = fudan.sign(vec![fudan.course("1", learner)]);
    let mut submission = fudan.line.submission();
    let deposit = tokio::spawn(async move { submission.submit_batch(batch).await });
    manager.hears_nothing_more();
    assert!(!deposit.is_finished(), "nothing is acknowledged");
    assert_eq!(
        leaves(&bank.anybody().await).await,
        before,
        "readers are answered"
    );
    drop(hangs);
    let deposited = deposit.await.expect("no panic").expect("acknowledged");
    assert!(deposited.into_inner().created.is_some());
    assert_eq!(manager.message(), "WATCHDOG=1");
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_tells_that_it_serves_once_its_ledger_has_answered() {
    let mut scene = Scene::before_ledger().await;
    let path = scene.web().join("notify");
    let manager = Manager::new(&SocketAddr::from_pathname(&path).expect("a path"));
    let path = path.to_str().expect("UTF-8");
    let lines = scene.launch_in(
        &["--listen", "127.0.0.1:0", "--development-login"],
        &[
            ("NOTIFY_SOCKET", path),
            ("WATCHDOG_USEC", "30000"),
            ("WATCHDOG_PID", "1"),
        ],
    );
    while !scene.said().contains("does not answer yet") {
        tokio::task::yield_now().await;
    }
    // A reload before the start has ended is not told, or it would be taken for that end.
    reload(scene.process(), || scene.said());
    manager.0.set_nonblocking(true).expect("a socket");
    manager
        .0
        .recv(&mut [0; 16])
        .expect_err("nothing is told yet");
    manager.0.set_nonblocking(false).expect("a socket");
    scene.bank.start();
    scene.ready(&lines);
    assert_eq!(manager.message(), "READY=1");
    let before_us = monotonic_us();
    reload(scene.process(), || scene.said());
    manager.hears_of_reload(before_us);
    signal(scene.process(), "TERM");
    // The watchdog is meant for another process, so nothing else was told.
    assert_eq!(manager.message(), "STOPPING=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_waits_for_its_ledger_in_a_reload_ends_when_it_is_asked_to() {
    let mut scene = Scene::before_gateway().await;
    scene.configure("");
    let path = scene.web().join("notify");
    let manager = Manager::new(&SocketAddr::from_pathname(&path).expect("a path"));
    let lines = scene.launch_in(
        &["--listen", "127.0.0.1:0", "--development-login"],
        &[("NOTIFY_SOCKET", path.to_str().expect("UTF-8"))],
    );
    scene.ready(&lines);
    assert_eq!(manager.message(), "READY=1");
    signal(scene.bank.process(), "STOP");
    signal(scene.process(), "HUP");
    assert!(manager.message().starts_with("RELOADING=1"));
    signal(scene.process(), "TERM");
    let ended = lines.recv_timeout(BOUND);
    signal(scene.bank.process(), "CONT");
    assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "it ends");
}
