//! The demo's running bank: on free ports, gone with everything it wrote when the demo ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::printed::{self, Show};
use super::{call, words};
use crate::step;

/// What the server prints on stdout once it serves.
pub(super) const READY: &str = "ready";

/// A shell that outlives the demo by a moment: when the demo's end of the pipe closes, however the
/// demo ended, it stops the server ($1), waits for it and removes the folder ($2).
const JANITOR: &str = r#"
trap '' INT HUP TERM
read -r _
kill "$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.5; done
kill -9 "$1" 2>/dev/null
rm -rf -- "$2"
"#;

/// A server in a temporary folder on loopback.
pub(super) struct Bank {
    folder: PathBuf,
    server: Child,
    janitor: Child,
    address: String,
    log: String,
}

impl Bank {
    /// Creates the ledger and its keys, starts the server and waits until it says that it is ready.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let (grpc, http) = (free_port()?, free_port()?);
        let init = words("init bank --origin demo.example/creditbank --test-regions");
        println!("{}", printed::command(&init));
        step::run(&mut call(folder, &init))?;
        let serve = words(&format!(
            "serve bank --grpc 127.0.0.1:{grpc} --http 127.0.0.1:{http}"
        ));
        println!("{}", printed::command(&serve));
        let mut server = call(folder, &serve)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let janitor = janitor(server.id(), folder)?;
        let said = server
            .stdout
            .take()
            .context("the server's stdout is piped")?;
        let bank = Self {
            folder: folder.to_owned(),
            server,
            janitor,
            address: format!("http://127.0.0.1:{grpc}"),
            log: format!("http://127.0.0.1:{http}"),
        };
        let mut lines = BufReader::new(said).lines();
        for line in lines.by_ref() {
            let line = line?;
            println!("{line}");
            if line.starts_with(READY) {
                // Whatever it says later is passed on: a full pipe would stop it.
                std::thread::spawn(move || {
                    lines
                        .map_while(Result::ok)
                        .for_each(|line| println!("{line}"))
                });
                println!("$ {}", bank.export());
                return Ok(bank);
            }
        }
        bail!("the server ended before it was ready")
    }

    /// Address of its gRPC service.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Address of its public log.
    pub(super) fn log(&self) -> &str {
        &self.log
    }

    /// How commands know the bank, as one types it.
    pub(super) fn export(&self) -> String {
        let set = |(name, value): (&str, &str)| format!(" {name}={value}");
        let variables: String = self.environment().map(set).concat();
        format!("export{variables}")
    }

    /// Prints a command and runs it; what it says goes straight to the terminal.
    pub(super) fn run(&self, line: &str) -> Result<()> {
        let words = words(line);
        println!("{}", printed::command(&words));
        step::run(&mut self.call(&words))
    }

    /// Prints a command, runs it, shows what it says and gives it back.
    pub(super) fn tell(&self, line: &str, show: Show) -> Result<String> {
        self.tell_by(line, |_| show)
    }

    /// The same, where what it says decides how much of it is shown.
    pub(super) fn tell_by(&self, line: &str, show: impl FnOnce(&str) -> Show) -> Result<String> {
        println!("{}", printed::command(&words(line)));
        let said = self.ask(line)?;
        print!("{}", printed::said(&said, show(&said)));
        Ok(said)
    }

    /// Runs a command and gives back what it says.
    pub(super) fn ask(&self, line: &str) -> Result<String> {
        step::output(&mut self.call(&words(line)))
    }

    /// Waits until the server ends, by Ctrl-C or by itself.
    pub(super) fn wait(mut self) -> Result<()> {
        let status = self.server.wait()?;
        if status.success() {
            Ok(())
        } else {
            bail!("the server ended: {status}")
        }
    }

    /// Stops the server, has what is left looked at, and removes the folder.
    pub(super) fn stop(mut self, look: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        println!("\nStopping the bank.");
        step::run(Command::new("kill").arg(self.server.id().to_string()))?;
        let status = self.server.wait()?;
        ensure!(status.success(), "the server ended: {status}");
        let looked = look(&self);
        println!("\nRemoving {}.", self.folder.display());
        looked
    }

    fn call(&self, words: &[String]) -> Command {
        let mut command = call(&self.folder, words);
        command.envs(self.environment());
        command
    }

    fn environment(&self) -> [(&str, &str); 2] {
        [
            ("CREDITBANK_SERVER", &self.address),
            ("CREDITBANK_BANK", "bank/bank.pub"),
        ]
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        // Closing the pipe is the janitor's sign. Our child must be reaped to be seen gone.
        drop(self.janitor.stdin.take());
        let _ = self.server.wait();
        let _ = self.janitor.wait();
    }
}

/// See [`JANITOR`].
pub(super) fn janitor(server: u32, folder: &Path) -> Result<Child> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", JANITOR, "janitor", &server.to_string()])
        .arg(folder);
    shell
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start sh")
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_janitor_stops_the_server_and_removes_its_folder() {
        let folder =
            std::env::temp_dir().join(format!("creditbank-janitor-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut server = Command::new("sleep").arg("600").spawn().unwrap();
        let mut janitor = janitor(server.id(), &folder).unwrap();
        drop(janitor.stdin.take());
        assert!(!server.wait().unwrap().success(), "it was stopped");
        janitor.wait().unwrap();
        assert!(!folder.exists());
    }
}
