//! The fixture: a bank with an institution and two learners, and a gateway before it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use creditbank_client::learners;
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;

use super::browser::Browser;
use crate::bank::{BOUND, Bank, command, signal};
use crate::institution::{Institution, admission, digits, keys, student};

/// A learner with courses in the log.
pub(crate) struct Learner {
    /// 16 digits.
    pub(crate) code: String,
    pub(crate) name: &'static str,
    pub(crate) leaves: Vec<u64>,
}

/// Courses of every learner.
pub(crate) const COURSES: usize = 3;

/// A bank, and the gateway before it. Both end with it.
pub(crate) struct Scene {
    pub(crate) bank: Bank,
    pub(crate) fudan: Institution,
    pub(crate) one: Learner,
    pub(crate) other: Learner,
    gateway: Option<Child>,
    address: SocketAddr,
    /// Where it tells how it is, if it was asked to.
    metrics: Option<SocketAddr>,
}

impl Scene {
    /// With the development login.
    pub(crate) async fn new() -> Self {
        Self::with("client_requests_a_minute = 100000\nlearner_changes_a_minute = 100000\n").await
    }

    /// With the development login and these settings.
    pub(crate) async fn with(settings: &str) -> Self {
        let mut scene = Self::before_gateway().await;
        scene.start(
            settings,
            &["--listen", "127.0.0.1:0", "--development-login"],
        );
        scene
    }

    /// A bank that its gateway is set up for, stopped: the gateway has to wait for it.
    pub(crate) async fn before_ledger() -> Self {
        let mut scene = Self::before_gateway().await;
        scene.bank.settle();
        scene.bank.stop();
        scene.bank.start();
        scene.configure("");
        scene.bank.stop();
        scene
    }

    /// Everything but the gateway.
    pub(crate) async fn before_gateway() -> Self {
        let bank = Bank::new();
        let fudan = Institution::new(&bank, "fudan").await;
        let request = admission(&keys("gateway"), v1::Role::Gateway, &[]);
        let mut registry = bank.operator().await.registry();
        registry
            .create_institution(request)
            .await
            .expect("admitted");
        let one = learner(&bank, &fudan, "1", "张桂兰").await;
        let other = learner(&bank, &fudan, "2", "李建国").await;
        Self {
            bank,
            fudan,
            one,
            other,
            gateway: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            metrics: None,
        }
    }

    /// The gateway's folder.
    pub(crate) fn web(&self) -> PathBuf {
        self.bank.beside().join("web")
    }

    /// Writes the settings; `more` stands at their end.
    pub(crate) fn configure(&self, more: &str) -> PathBuf {
        let web = self.web();
        fs::create_dir_all(&web).expect("a folder beside the bank");
        fs::write(web.join("gateway.key"), keys("gateway").to_file()).expect("room");
        fs::copy(self.bank.dir().join("bank.pub"), web.join("bank.pub")).expect("room");
        let (grpc, http) = (self.bank.grpc(), self.bank.http());
        let settings = format!("bank_url = \"http://{grpc}\"\nlog_url = \"http://{http}\"\n{more}");
        let file = web.join("gateway.toml");
        fs::write(&file, settings).expect("room");
        file
    }

    /// Starts the gateway, and waits until it serves.
    pub(crate) fn start(&mut self, settings: &str, arguments: &[&str]) {
        self.configure(settings);
        let lines = self.launch(arguments);
        self.ready(&lines);
    }

    /// Starts the gateway by the settings that are written; gives what it prints.
    pub(crate) fn launch(&mut self, arguments: &[&str]) -> Receiver<String> {
        self.launch_in(arguments, &[])
    }

    /// The same in this environment.
    pub(crate) fn launch_in(
        &mut self,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Receiver<String> {
        let file = self.web().join("gateway.toml");
        let said = File::create(self.web().join("gateway.log")).expect("a file");
        let mut child = command()
            .arg("gateway")
            .arg(file)
            .args(arguments)
            .env("CREDITBANK_LOG", "debug,h2=info,hyper=info,tower=info")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .expect("the binary was built");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = sync_channel(4);
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        self.gateway = Some(child);
        lines
    }

    /// Waits until it serves.
    pub(crate) fn ready(&mut self, lines: &Receiver<String>) {
        let line = lines.recv_timeout(BOUND);
        let line = line.unwrap_or_else(|_| panic!("the gateway does not serve: {}", self.said()));
        let mut words = line
            .strip_prefix("ready http=")
            .unwrap_or_default()
            .split(' ');
        let address = words.next().and_then(|it| it.parse().ok());
        self.address = address.unwrap_or_else(|| panic!("not ready but {line:?}"));
        self.metrics = words.find_map(|it| it.strip_prefix("metrics=")?.parse().ok());
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) fn stop(&mut self) {
        let mut child = self.gateway.take().expect("it runs");
        signal(child.id(), "TERM");
        let status = child.wait().expect("a child of ours");
        assert!(status.success(), "{status}: {}", self.said());
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it tells how it is.
    pub(crate) fn metrics(&self) -> SocketAddr {
        self.metrics.expect("it was started with --metrics")
    }

    /// Process id of the gateway.
    pub(crate) fn process(&self) -> u32 {
        self.gateway.as_ref().expect("it runs").id()
    }

    /// What the gateway wrote to its log.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.web().join("gateway.log")).unwrap_or_default()
    }

    /// A browser that nobody is signed in with.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser of a learner who is signed in.
    pub(crate) fn signed_in(&self, learner: &Learner) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(&learner.code);
        browser
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut child) = self.gateway.take() {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            eprintln!("the gateway said:\n{}", self.said());
        }
    }
}

async fn learner(bank: &Bank, fudan: &Institution, number: &str, name: &'static str) -> Learner {
    let mut request = student(number);
    name.clone_into(&mut request.name);
    let enrolled = learners::enrol(&fudan.line, request)
        .await
        .expect("enrolled");
    let code = LearnerCode::parse(&enrolled.learner).expect("a code");
    let records = (0..COURSES).map(|at| fudan.course(&format!("{number}-{at}"), code));
    let places = fudan.deposit(bank, records.collect()).await;
    Learner {
        code: digits(code),
        name,
        leaves: places.iter().map(|it| it.leaf_index.0).collect(),
    }
}
