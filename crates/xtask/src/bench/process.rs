//! Child processes: started, looked at through /proc, and ended by their id, come what may.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::clock;

/// Longest wait for a process to end by itself after it was asked to.
const STOP_BOUND: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    /// What it printed when it was ready.
    pub(crate) ready: String,
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts a server that prints one line beginning with `ready` once it serves.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let start = clock::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut server = Self {
            child,
            ready: String::new(),
            started_in: Duration::ZERO,
        };
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next().transpose()? {
            if line.starts_with("ready") {
                server.started_in = start.elapsed();
                server.ready = line;
                // A pipe that nobody reads would stop the server one day.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
        }
        let status = server.child.wait()?;
        bail!("{command:?} ended before it was ready: {status}")
    }

    /// The value behind `name=` in the ready line.
    pub(crate) fn said(&self, name: &str) -> Result<&str> {
        let field = self
            .ready
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        field.with_context(|| format!("no {name}= in: {}", self.ready))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory now and at its peak.
    pub(crate) fn memory_mib(&self) -> Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let field = |name: &str| -> Option<f64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let (now, peak) = (field("VmRSS:"), field("VmHWM:"));
        Ok((
            now.context("VmRSS")? / 1024.0,
            peak.context("VmHWM")? / 1024.0,
        ))
    }

    /// Processor time of its threads of this name, for each that all of it has used.
    pub(crate) fn share_of(&self, thread: &str) -> Result<f64> {
        let tasks = format!("/proc/{}/task", self.id());
        let mut used_us = 0;
        for task in std::fs::read_dir(&tasks).with_context(|| tasks.clone())? {
            let task = task?.path();
            // A thread may have ended meanwhile.
            let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default();
            if name.trim() == thread {
                used_us += ticks_us(&task.join("stat"));
            }
        }
        Ok(used_us as f64 / processor_us(self.id()).max(1) as f64)
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status()?;
        if !asked.success() {
            bail!("cannot signal process {}", self.id());
        }
        let start = clock::now();
        while start.elapsed() < STOP_BOUND {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    bail!("it ended with {status}")
                };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!(
            "process {} did not end within {} s",
            self.id(),
            STOP_BOUND.as_secs()
        )
    }

    /// Kills it on the spot (`kill -9`).
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of a server and of this program, its load.
pub(crate) struct Used {
    server: u32,
    server_us: u64,
    own_us: u64,
}

/// The same, of one call or record, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UsedEach {
    pub(crate) server_us: f64,
    pub(crate) own_us: f64,
}

impl Used {
    /// Begins to count.
    pub(crate) fn start(server: &Server) -> Self {
        Self::of(server.id())
    }

    fn of(server: u32) -> Self {
        Self {
            server,
            server_us: processor_us(server),
            own_us: processor_us(std::process::id()),
        }
    }

    /// What was used since then, for each of so many.
    pub(crate) fn each(&self, count: u64) -> UsedEach {
        let now = Self::of(self.server);
        let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / count.max(1) as f64;
        UsedEach {
            server_us: each(now.server_us, self.server_us),
            own_us: each(now.own_us, self.own_us),
        }
    }
}

fn processor_us(id: u32) -> u64 {
    ticks_us(Path::new(&format!("/proc/{id}/stat")))
}

/// By the scheduler's own count of ticks.
fn ticks_us(stat: &Path) -> u64 {
    const TICK_US: u64 = 10_000;
    let stat = std::fs::read_to_string(stat).unwrap_or_default();
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th fields behind it.
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = behind
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok());
    ticks.sum::<u64>() * TICK_US
}
