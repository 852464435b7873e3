//! The fixture: a bank in a temporary folder, run as the built binary.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use creditbank_client::receipt::{BankKey, LogKeys, Verifier};
use creditbank_client::{Bank as Connection, InstitutionKeys, Options, RetryPolicy};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use serde_json::Value;
use tempfile::TempDir;

use crate::institution::digits;

/// The log's name in all tests.
pub(crate) const ORIGIN: &str = "bank.test/log";
/// How long anything that should happen may take, on a machine that does much else.
pub(crate) const BOUND: Duration = Duration::from_secs(120);

/// A bank's folder, and its server while it runs. The server ends with it.
pub(crate) struct Bank {
    folder: TempDir,
    server: Option<Server>,
    origin: String,
    /// Where gRPC and the public log are served; free ports, if nobody needs to know before.
    at: [SocketAddr; 2],
    /// What its server finds in the environment.
    environment: Vec<(&'static str, &'static str)>,
}

struct Server {
    child: Child,
    /// What it prints; ends with the process.
    lines: Receiver<String>,
    grpc: SocketAddr,
    http: SocketAddr,
    /// Where it tells how it is, if it was asked to.
    metrics: Option<SocketAddr>,
}

impl Bank {
    /// A new bank, running.
    pub(crate) fn new() -> Self {
        let mut bank = Self::made();
        bank.start();
        bank
    }

    /// A new bank that does not run yet.
    pub(crate) fn made() -> Self {
        Self::made_in(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A new bank in a folder of the caller's choice.
    pub(crate) fn made_in(folder: TempDir) -> Self {
        let bank = Self::in_folder(folder, ORIGIN);
        let made = bank.run(&["init", "{dir}", "--origin", ORIGIN, "--test-regions"]);
        assert!(made.status.success(), "init: {}", told(&made));
        bank
    }

    /// A bank of another origin that does not run yet, made with further arguments of `init`.
    pub(crate) fn made_as(origin: &str, arguments: &[&str]) -> Self {
        let bank = Self::in_folder(tempfile::tempdir().expect("a temporary folder"), origin);
        let made = bank.run(&[&["init", "{dir}", "--origin", origin], arguments].concat());
        assert!(made.status.success(), "init: {}", told(&made));
        bank
    }

    /// A second bank out of a copy of this one's folder, keys and all, on ports of its own.
    pub(crate) fn twin(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy_folder(&self.dir(), &folder.path().join("bank"));
        Self::in_folder(folder, &self.origin)
    }

    /// A bank that does not run yet, out of a copy of a folder that somebody kept.
    pub(crate) fn kept(from: &Path, origin: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy_folder(from, &folder.path().join("bank"));
        Self::in_folder(folder, origin)
    }

    fn in_folder(folder: TempDir, origin: &str) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            folder,
            server: None,
            origin: origin.to_owned(),
            at: [free; 2],
            environment: Vec::new(),
        }
    }

    /// Chooses the ports, for others to know before the bank runs: gRPC, then the public log.
    pub(crate) fn settle(&mut self) -> [SocketAddr; 2] {
        // Held together, so that they differ; free again before the bank takes them.
        let free = self.at.map(|at| TcpListener::bind(at).expect("free ports"));
        self.at = free.map(|port| port.local_addr().expect("it is bound"));
        self.at
    }

    /// The bank's folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("bank")
    }

    /// A folder for files beside the bank.
    pub(crate) fn beside(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same with further arguments, such as a step to end at.
    pub(crate) fn start_with(&mut self, arguments: &[&str]) {
        assert!(self.server.is_none(), "it runs already");
        match self.launch(arguments) {
            Ok(server) => self.server = Some(server),
            Err(message) => panic!("the bank does not start: {message}"),
        }
    }

    /// Starts a server that must refuse to serve; gives what it said.
    pub(crate) fn refuses_to_start(&mut self) -> String {
        let refused = self.starts_or_refuses();
        refused.expect_err("the bank serves what it should refuse")
    }

    /// Starts a server that may refuse to serve; then gives what it said.
    pub(crate) fn starts_or_refuses(&mut self) -> Result<(), String> {
        self.server = Some(self.launch(&[])?);
        Ok(())
    }

    /// Starts the server with this in its environment.
    pub(crate) fn start_in(&mut self, environment: &[(&'static str, &'static str)]) {
        self.environment = environment.to_vec();
        self.start();
    }

    fn launch(&self, arguments: &[&str]) -> Result<Server, String> {
        let said = self.beside().join("server.log");
        let mut child = command()
            .arg("serve")
            .arg(self.dir())
            .args(["--grpc", &self.at[0].to_string()])
            .args(["--http", &self.at[1].to_string()])
            .args(arguments)
            .envs(self.environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&said).expect("a file beside the bank"))
            .spawn()
            .expect("the binary was built");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = sync_channel(64);
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        match lines.recv_timeout(BOUND) {
            Ok(line) => {
                let (grpc, http, metrics) =
                    addresses(&line).unwrap_or_else(|| panic!("not ready but {line:?}"));
                Ok(Server {
                    child,
                    lines,
                    grpc,
                    http,
                    metrics,
                })
            }
            Err(RecvTimeoutError::Disconnected) => {
                child.wait().expect("a child of ours");
                Err(fs::read_to_string(&said).unwrap_or_default())
            }
            Err(RecvTimeoutError::Timeout) => {
                drop(child.kill());
                panic!(
                    "the bank neither serves nor ends: {}",
                    fs::read_to_string(&said).unwrap_or_default()
                );
            }
        }
    }

    /// What the server wrote to stderr since its last start.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.beside().join("server.log")).unwrap_or_default()
    }

    /// Stops the server as an operator does, and waits for its end.
    pub(crate) fn stop(&mut self) {
        let id = self.running().child.id();
        signal(id, "TERM");
        let status = self.ended();
        assert!(
            status.success(),
            "the bank stops with {status}: {}",
            self.said()
        );
    }

    /// Kills the server as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.running().child.kill().expect("a child of ours");
        self.ended();
    }

    /// Waits until the server has ended by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut server = self.server.take().expect("it runs");
        loop {
            match server.lines.recv_timeout(BOUND) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return server.child.wait().expect("a child of ours");
                }
                Err(RecvTimeoutError::Timeout) => {
                    drop(server.child.kill());
                    panic!("the bank does not end: {}", self.said());
                }
            }
        }
    }

    fn running(&mut self) -> &mut Server {
        self.server.as_mut().expect("it runs")
    }

    /// Whether a server runs.
    pub(crate) fn runs(&self) -> bool {
        self.server.is_some()
    }

    /// Address of the gRPC service.
    pub(crate) fn grpc(&self) -> SocketAddr {
        self.server.as_ref().expect("it runs").grpc
    }

    /// Address of the public log.
    pub(crate) fn http(&self) -> SocketAddr {
        self.server.as_ref().expect("it runs").http
    }

    /// Where it tells how it is.
    pub(crate) fn metrics(&self) -> SocketAddr {
        let server = self.server.as_ref().expect("it runs");
        server.metrics.expect("it was started with --metrics")
    }

    /// Process id of the server.
    pub(crate) fn process(&self) -> u32 {
        self.server.as_ref().expect("it runs").child.id()
    }

    /// How to connect; nothing is tried twice.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(format!("http://{}", self.grpc()), &*self.origin);
        options.retry = RetryPolicy::NEVER;
        options.call_timeout = BOUND;
        options
    }

    /// A connection under these keys.
    pub(crate) async fn connect(&self, keys: &Arc<InstitutionKeys>) -> Connection {
        Connection::connect(self.options(), Some(Arc::clone(keys)))
            .await
            .expect("the bank answers")
    }

    /// A connection without keys.
    pub(crate) async fn anybody(&self) -> Connection {
        Connection::connect(self.options(), None)
            .await
            .expect("the bank answers")
    }

    /// A connection of the bank's operator.
    pub(crate) async fn operator(&self) -> Connection {
        self.connect(&self.operator_keys()).await
    }

    /// Has the operator erase a learner.
    pub(crate) async fn erase(&self, learner: LearnerCode) {
        let request = v1::EraseLearnerRequest {
            learner: digits(learner),
        };
        let mut learners = self.operator().await.learner();
        let erased = learners.erase_learner(request).await;
        erased.expect("the operator erases");
    }

    /// The operator's keys.
    pub(crate) fn operator_keys(&self) -> Arc<InstitutionKeys> {
        let file = fs::read_to_string(self.dir().join("operator.key")).expect("init wrote it");
        Arc::new(InstitutionKeys::parse(&file).expect("init wrote it"))
    }

    /// The public key of the log.
    pub(crate) fn public_key(&self) -> BankKey {
        let file = fs::read_to_string(self.dir().join("bank.pub")).expect("init wrote it");
        file.trim().parse().expect("init wrote it")
    }

    /// A verifier of receipts that knows the public keys of the bank's log and nothing else.
    pub(crate) fn verifier(&self) -> Verifier {
        let file = fs::read_to_string(self.dir().join("bank.pub")).expect("init wrote it");
        Verifier::new(file.parse::<LogKeys>().expect("init wrote it"))
    }

    /// Runs a command of the binary; `{dir}` stands for the bank's folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let dir = self.dir();
        let dir = dir.to_str().expect("a path in UTF-8");
        let arguments = arguments
            .iter()
            .map(|argument| argument.replace("{dir}", dir));
        command()
            .args(arguments)
            .output()
            .expect("the binary was built")
    }

    /// Stops the server, derives everything again and demands that all of it agrees; gives the report.
    pub(crate) fn check_log(&mut self) -> Value {
        if self.runs() {
            self.stop();
        }
        let output = self.run(&["check", "{dir}", "--json", "--quiet"]);
        assert!(output.status.success(), "check: {}", told(&output));
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(report["findings"], Value::Array(Vec::new()));
        report
    }

    /// Checks a damaged database: the exit code, and everything that was said.
    pub(crate) fn check_finds(&self) -> (Option<i32>, String) {
        let output = self.run(&["check", "{dir}", "--quiet"]);
        (output.status.code(), told(&output))
    }

    /// A copy of the folder as it is now, for a backup; `restore` brings it back.
    pub(crate) fn backup(&self, name: &str) {
        copy_folder(&self.dir(), &self.beside().join(name));
    }

    /// Replaces part of the folder (such as `db`) by that of a backup.
    pub(crate) fn restore(&self, name: &str, part: &str) {
        let (from, to) = (self.beside().join(name).join(part), self.dir().join(part));
        if from.is_dir() {
            fs::remove_dir_all(&to).expect("there is one");
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).expect("the backup has it");
        }
    }

    /// Files of the database with this ending, in the order of their names.
    pub(crate) fn database_files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir().join("db")).expect("a database");
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("readable").path())
            .collect();
        files.retain(|path| path.to_str().is_some_and(|path| path.ends_with(ending)));
        files.sort();
        files
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.child.kill());
            drop(server.child.wait());
            if std::thread::panicking() {
                eprintln!("the server said:\n{}", self.said());
            }
        }
    }
}

/// The binary under test, without settings of the machine and of the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "what the machine says beside the tests is taken away"
)]
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|it| it.starts_with("CREDITBANK_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Leaves in the log.
pub(crate) async fn leaves(line: &Connection) -> u64 {
    let request = v1::GetCheckpointRequest {};
    let checkpoint = line.log().get_checkpoint(request).await;
    let note = checkpoint.expect("everybody may ask").into_inner().note;
    let size = note.lines().nth(1).expect("a checkpoint");
    size.parse().expect("a checkpoint")
}

/// Everything that a command said.
pub(crate) fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {process}"))
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
}

/// `ready ORIGIN grpc=ADDR http=ADDR leaves=N`, and perhaps `metrics=ADDR`.
fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr, Option<SocketAddr>)> {
    let mut words = line.strip_prefix("ready ")?.split(' ').skip(1);
    let grpc = words.next()?.strip_prefix("grpc=")?.parse().ok()?;
    let http = words.next()?.strip_prefix("http=")?.parse().ok()?;
    let metrics = words.find_map(|it| it.strip_prefix("metrics=")?.parse().ok());
    Some((grpc, http, metrics))
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("room for a copy");
        }
    }
}
