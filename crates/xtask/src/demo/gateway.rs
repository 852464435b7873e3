//! The demo's gateway: the pages of the learners who were decided, with a sign-in for everybody, on loopback.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::bank::{Bank, READY, free_port, janitor};
use super::printed::{self, Show};
use super::{call, words};
use crate::step;

/// Its folder in that of the demo.
const FOLDER: &str = "gateway";

/// A gateway on loopback.
pub(super) struct Gateway {
    server: Child,
    janitor: Child,
    address: String,
}

impl Gateway {
    /// Registers it, starts it and waits until it says that it is ready.
    pub(super) fn start(bank: &Bank, folder: &Path) -> Result<Self> {
        let own = folder.join(FOLDER);
        fs::create_dir(&own).with_context(|| format!("cannot create {}", own.display()))?;
        bank.run(&format!("keygen gateway --output {FOLDER}/gateway.key"))?;
        bank.run(&format!(
            "institution register gateway --name 学分银行网上服务（示例） --role gateway --public-keys \
             {FOLDER}/gateway.key.pub --key bank/operator.key"
        ))?;
        let port = free_port()?;
        fs::write(own.join("gateway.toml"), settings(bank, port))?;
        let serve = words(&format!(
            "gateway {FOLDER}/gateway.toml --development-login"
        ));
        println!("{}", printed::command(&serve));
        let mut command = call(folder, &serve);
        let mut server = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the gateway")?;
        let janitor = janitor(server.id(), &own)?;
        let said = server.stdout.take().context("its stdout is piped")?;
        let gateway = Self {
            server,
            janitor,
            address: format!("http://127.0.0.1:{port}"),
        };
        let mut lines = BufReader::new(said).lines();
        for line in lines.by_ref() {
            let line = line?;
            if line.starts_with(READY) {
                print!("{}", printed::said(&line, Show::All));
                // A full pipe would stop it.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(gateway);
            }
        }
        bail!("the gateway ended before it was ready")
    }

    /// Where a learner signs in.
    pub(super) fn sign_in(&self, code: &str) -> String {
        format!("{}/sign-in?learner={code}", self.address)
    }

    /// Where anybody verifies a record.
    pub(super) fn verify(&self) -> String {
        format!("{}/verify", self.address)
    }

    /// Stops it.
    pub(super) fn stop(mut self) -> Result<()> {
        step::run(Command::new("kill").arg(self.server.id().to_string()))?;
        let status = self.server.wait()?;
        ensure!(status.success(), "the gateway ended: {status}");
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // As in `Bank`.
        drop(self.janitor.stdin.take());
        let _ = self.server.wait();
        let _ = self.janitor.wait();
    }
}

fn settings(bank: &Bank, port: u16) -> String {
    format!(
        "# The gateway of the demo; deploy/gateway.toml explains every line.\n\
         listen = \"127.0.0.1:{port}\"\n\
         bank_url = \"{}\"\n\
         log_url = \"{}\"\n\
         bank = \"../bank/bank.pub\"\n\
         key = \"gateway.key\"\n\
         agent_key = \"../keys/window.key\"\n\
         session_key = \"session.key\"\n",
        bank.address(),
        bank.log()
    )
}
