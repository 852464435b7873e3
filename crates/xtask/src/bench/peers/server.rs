//! A PostgreSQL server of our own: made, started, ended.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::clock;

/// Where Debian puts the programs, by version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Longest wait for a start or a stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// As much memory as our block cache and write buffers have, and room for the log between checkpoints; durability is
/// as it comes: fsync and synchronous_commit are on.
const SETTINGS: [&str; 8] = [
    "listen_addresses=",
    "shared_buffers=768MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "max_connections=120",
    "fsync=on",
    "synchronous_commit=on",
    "logging_collector=off",
];

/// See the module. Dropping it ends the server.
pub(super) struct Postgres {
    folder: TempDir,
    child: Child,
}

impl Postgres {
    pub(super) fn start() -> Result<Self> {
        let programs = programs()?;
        let user = User::look()?;
        let folder = tempfile::Builder::new()
            .prefix("creditbank-bench-pg-")
            .tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        user.own(&data)?;
        let mut initdb = user.command(&programs.join("initdb"), folder.path());
        initdb
            .args([
                "--auth=trust",
                "--username=bench",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data);
        let made = initdb.output().context("initdb")?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let sockets = folder.path().join("socket");
        fs::create_dir(&sockets)?;
        user.own(&sockets)?;
        let mut server = user.command(&programs.join("postgres"), folder.path());
        server.arg("-D").arg(&data).arg("-k").arg(&sockets);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let child = server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { folder, child })
    }

    /// Connects, as soon as it answers.
    pub(super) async fn connect(&self) -> Result<Client> {
        let sockets = self.folder.path().join("socket");
        let start = clock::now();
        loop {
            let mut config = tokio_postgres::Config::new();
            config.host_path(&sockets).user("bench").dbname("postgres");
            match config.connect(NoTls).await {
                Ok((client, connection)) => {
                    tokio::spawn(connection);
                    return Ok(client);
                }
                Err(error) if start.elapsed() > PATIENCE => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Ends it in order (a fast shutdown).
    pub(super) fn stop(mut self) -> Result<()> {
        self.signal()?;
        let start = clock::now();
        while start.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("PostgreSQL did not end within {} s", PATIENCE.as_secs())
    }

    fn signal(&self) -> Result<()> {
        let asked = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()?;
        ensure!(asked.success(), "cannot signal PostgreSQL");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT and SIGINT reach its own children, SIGKILL would orphan them. It may have ended already.
        if matches!(self.child.try_wait(), Ok(None)) && self.signal().is_ok() {
            let _ = self.child.wait();
        }
    }
}

/// Who runs it: PostgreSQL refuses to run as root.
struct User(Option<(u32, u32)>);

impl User {
    fn look() -> Result<Self> {
        if id(&["-u"])? != 0 {
            return Ok(Self(None));
        }
        Ok(Self(Some((
            id(&["-u", "postgres"])?,
            id(&["-g", "postgres"])?,
        ))))
    }

    fn own(&self, path: &Path) -> Result<()> {
        Ok(self
            .0
            .map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))?)
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

fn id(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| {
        format!(
            "there is no user for PostgreSQL: id {}",
            arguments.join(" ")
        )
    })
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf> {
    let entries =
        fs::read_dir(PROGRAMS).context("PostgreSQL is not installed: cargo xtask setup --peers")?;
    let version = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str()?.parse::<u32>().ok())
    };
    let newest = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/postgres").is_file());
    let newest = newest
        .max_by_key(version)
        .context("PostgreSQL is not installed: cargo xtask setup --peers")?;
    Ok(newest.join("bin"))
}
