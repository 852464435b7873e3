//! The bank under load: the `creditbank` program in a process of its own, one institution, its learners.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use creditbank_client::receipt::BankKey;
use creditbank_client::{Bank as Connected, InstitutionKeys, Options as Connection, learners};
use creditbank_domain::{InstitutionId, LearnerCode};
use creditbank_wire::v1;
use tempfile::TempDir;

use crate::load::CONNECTIONS;
use crate::process::{Server, Used};
use crate::records::{ROWS_PER_LEARNER, Rows};
use crate::report::Entry;
use crate::{clock, submit};

const ORIGIN: &str = "bench.example/log";
const INSTITUTION: &str = "bench-college";
/// Rows that are signed ahead of the clock in one go while a ledger is filled.
const FILL_ROWS: u64 = 100_000;

/// Longest wait for compactions.
const SETTLE_SECONDS_MAX: u64 = 60;
/// Processor time of a second in which a server counts as idle.
const IDLE_US_PER_S: f64 = 30_000.0;

/// A bank that runs, and what was deposited in it.
pub(crate) struct Bank {
    folder: TempDir,
    server: Option<Server>,
    connected: Connected,
    keys: Arc<InstitutionKeys>,
    rows: Arc<Rows>,
    /// Rows from this number on have not been deposited.
    next_row: u64,
}

impl Bank {
    /// Makes and starts one, with learners enough for this many rows.
    pub(crate) async fn start(rows: u64) -> Result<Self> {
        Self::start_with(rows, "").await
    }

    /// The same with these settings.
    pub(crate) async fn start_with(rows: u64, settings: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("creditbank-bench-")
            .tempdir()?;
        init(folder.path())?;
        let file = folder.path().join("bank/bank.toml");
        let written = std::fs::read_to_string(&file)?;
        std::fs::write(&file, format!("{settings}{written}"))?;
        let server = serve(folder.path())?;
        let keys = Arc::new(InstitutionKeys::generate(InstitutionId::parse(
            INSTITUTION,
        )?)?);
        register(folder.path(), &server, &keys).await?;
        let connected = connect(&server, &keys).await?;
        let count = rows.div_ceil(ROWS_PER_LEARNER) + 500;
        let start = clock::now();
        let codes = enrol(&connected, count).await?;
        let enrolled_per_s = clock::rate_since(start, count);
        println!("  {count} learners enrolled, {enrolled_per_s:.0} a second");
        let rows = Arc::new(Rows::new(ORIGIN, &keys, codes)?);
        Ok(Self {
            folder,
            server: Some(server),
            connected,
            keys,
            rows,
            next_row: 0,
        })
    }

    pub(crate) fn connected(&self) -> &Connected {
        &self.connected
    }

    pub(crate) fn keys(&self) -> &Arc<InstitutionKeys> {
        &self.keys
    }

    pub(crate) fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }

    /// How many rows were deposited; all below this number.
    pub(crate) fn deposited(&self) -> u64 {
        self.next_row
    }

    pub(crate) fn server(&self) -> &Server {
        self.server
            .as_ref()
            .expect("it runs unless it is being restarted")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Admits somebody in another role.
    pub(crate) async fn admit(&self, keys: &InstitutionKeys, role: v1::Role) -> Result<()> {
        admit(self.folder(), self.server(), keys, role).await
    }

    /// The memory that the server has in use.
    pub(crate) fn memory(&self) -> Result<Entry> {
        let (now, peak) = self.server().memory_mib()?;
        let size = self.deposited();
        let note = format!("of the server at {size} records; its peak {peak:.0} MiB");
        Ok(Entry::new("memory", now, "MiB").note(&note))
    }

    pub(crate) fn key(&self) -> Result<BankKey> {
        let text = std::fs::read_to_string(self.folder.path().join("bank/bank.pub"))?;
        Ok(text.trim().parse()?)
    }

    /// Signed batches of rows that were never deposited.
    pub(crate) fn batches(&mut self, rows: u64, size: u64) -> Result<Vec<v1::SubmitBatchRequest>> {
        let batches = self.rows.batches(self.next_row, rows, size)?;
        self.next_row += rows;
        Ok(batches)
    }

    /// Deposits rows until there are this many; how many that took, and at which rate.
    pub(crate) async fn fill(&mut self, rows: u64) -> Result<Option<(u64, f64)>> {
        let (mut count, mut elapsed) = (0, Duration::ZERO);
        while self.next_row < rows {
            let part = FILL_ROWS.min(rows - self.next_row);
            let batches = self.batches(part, 1000)?;
            let run = submit::stream(self, batches, 4, 8).await?;
            count += part;
            elapsed += run.measured.elapsed;
        }
        Ok((count > 0).then(|| (count, clock::rate(count, elapsed))))
    }

    /// Waits, within a bound, until the server is idle: after a load the database still compacts for a while.
    pub(crate) async fn settle(&self) {
        for _ in 0..SETTLE_SECONDS_MAX {
            let before = Used::start(self.server());
            tokio::time::sleep(Duration::from_secs(1)).await;
            if before.each(1).server_us < IDLE_US_PER_S {
                return;
            }
        }
    }

    /// Ends the server in order and gives the folder.
    pub(crate) fn stop(&mut self) -> Result<PathBuf> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        Ok(self.folder.path().join("bank"))
    }

    /// Kills the server (`kill -9`).
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), Server::kill)
    }

    /// Starts the server again; how long until it serves.
    pub(crate) async fn start_again(&mut self) -> Result<Duration> {
        let server = serve(self.folder.path())?;
        let took = server.started_in;
        self.connected = connect(&server, &self.keys).await?;
        self.server = Some(server);
        Ok(took)
    }
}

/// The program, built beside this one.
pub(crate) fn program() -> Result<Command> {
    let own = std::env::current_exe().context("this program's own path")?;
    let program = own.with_file_name("creditbank");
    ensure!(program.is_file(), "{} is not built", program.display());
    Ok(Command::new(program))
}

pub(crate) fn init(folder: &Path) -> Result<()> {
    let bank = folder.join("bank");
    let made = program()?
        .arg("init")
        .arg(&bank)
        .args(["--origin", ORIGIN, "--test-regions"])
        .output()?;
    ensure!(
        made.status.success(),
        "init: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    Ok(())
}

pub(crate) fn serve(folder: &Path) -> Result<Server> {
    let any = "127.0.0.1:0";
    let mut command = program()?;
    command
        .arg("serve")
        .arg(folder.join("bank"))
        .args(["--grpc", any, "--http", any]);
    // As it is operated: what it measures of itself is part of what it costs.
    command.args(["--metrics", any]);
    Server::start(&mut command)
}

/// Admits an institution for every category, as the operator.
pub(crate) async fn register(folder: &Path, server: &Server, keys: &InstitutionKeys) -> Result<()> {
    admit(folder, server, keys, v1::Role::Institution).await
}

async fn admit(
    folder: &Path,
    server: &Server,
    keys: &InstitutionKeys,
    role: v1::Role,
) -> Result<()> {
    let operator = std::fs::read_to_string(folder.join("bank/operator.key"))?;
    let operator = connect(server, &Arc::new(InstitutionKeys::parse(&operator)?)).await?;
    let profile = v1::InstitutionProfile {
        institution_id: keys.institution().to_string(),
        display_name: "Bench College".into(),
        role: role as i32,
        ..v1::InstitutionProfile::default()
    };
    let request = v1::CreateInstitutionRequest {
        profile: Some(profile),
        keys: keys.public_keys(),
        categories: match role {
            v1::Role::Institution => (1..=9).collect(),
            _ => Vec::new(),
        },
    };
    operator.registry().create_institution(request).await?;
    Ok(())
}

async fn connect(server: &Server, keys: &Arc<InstitutionKeys>) -> Result<Connected> {
    let mut connection = Connection::new(format!("http://{}", server.said("grpc")?), ORIGIN);
    connection.connections = CONNECTIONS;
    Ok(Connected::connect(connection, Some(Arc::clone(keys))).await?)
}

async fn enrol(bank: &Connected, count: u64) -> Result<Vec<LearnerCode>> {
    let identity = |number: u64| v1::Identity {
        kind: v1::IdentityKind::StudentNumber as i32,
        number: format!("{number:010}"),
        issuer: String::new(),
    };
    let request = |number| v1::EnrolLearnerRequest {
        identity: Some(identity(number)),
        name: "测试".into(),
    };
    let resolved = learners::resolve(bank, (0..count).map(request).collect(), true).await?;
    let code = |result: &v1::ResolveResult| {
        LearnerCode::parse(&result.learner)
            .with_context(|| format!("{}: {}", result.code, result.message_en))
    };
    resolved.iter().map(code).collect()
}
