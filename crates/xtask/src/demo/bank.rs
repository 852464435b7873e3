//! The demo's running bank: on free ports, gone with everything it wrote when the demo ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{binary, call};
use crate::step;

/// What the server prints on stdout once it serves.
const READY: &str = "ready";

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
    grpc: u16,
}

impl Bank {
    /// Creates the ledger and its keys, starts the server and waits until it says that it is ready.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let (grpc, http) = (free_port()?, free_port()?);
        let init = "init bank --origin demo.example/creditbank --test-regions";
        println!("$ creditbank {init}");
        step::run(&mut call(
            folder,
            &init.split(' ').map(str::to_owned).collect::<Vec<_>>(),
        ))?;
        let serve = format!("serve bank --grpc 127.0.0.1:{grpc} --http 127.0.0.1:{http}");
        println!("$ creditbank {serve}");
        let mut command = call(
            folder,
            &serve.split(' ').map(str::to_owned).collect::<Vec<_>>(),
        );
        let mut server = command
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
            grpc,
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
                return Ok(bank);
            }
        }
        bail!("the server ended before it was ready")
    }

    /// How a command reaches the bank.
    pub(super) fn at(&self) -> Vec<String> {
        let server = format!("http://127.0.0.1:{}", self.grpc);
        ["--server", &server, "--bank", "bank/bank.pub"]
            .map(str::to_owned)
            .to_vec()
    }

    /// How a command reaches the bank as its operator.
    pub(super) fn as_operator(&self) -> Vec<String> {
        [self.at(), vec!["--key".into(), "bank/operator.key".into()]].concat()
    }

    /// Prints a command and runs it.
    pub(super) fn run(&self, arguments: &[String]) -> Result<()> {
        println!("$ creditbank {}", arguments.join(" "));
        step::run(&mut call(&self.folder, arguments))
    }

    /// The command as one types it in another terminal.
    pub(super) fn line(&self, arguments: &[String]) -> String {
        format!(
            "(cd {} && {} {})",
            self.folder.display(),
            binary().display(),
            arguments.join(" ")
        )
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

    /// Stops the server and removes its folder.
    pub(super) fn stop(self) {
        println!(
            "\nStopping the bank and removing {}.",
            self.folder.display()
        );
        drop(self);
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

fn janitor(server: u32, folder: &Path) -> Result<Child> {
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
fn free_port() -> Result<u16> {
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
