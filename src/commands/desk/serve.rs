//! `creditbank desk serve`: the desk as pages, on the machine of whoever uses it.

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_gateway::{DeskOptions, GatewayError, serve_desk};
use tokio::sync::mpsc;

use crate::connection::{Connection, Key, block_on};
use crate::stop::stop;

/// Open the desk of an institution, a reviewer, an operator or a learners' agent in the browser.
#[derive(clap::Args)]
#[command(after_help = "\
The desk runs on this machine with the key that is given, and listens on loopback alone. It prints
an address that opens it once, for one browser. Enter prints a new one; whoever opens that one takes
the desk over. Which pages there are follows from the key's role.

Examples:
  creditbank desk serve --key museum.key --bank bank.pub
  creditbank desk serve --key bank/operator.key --bank bank/bank.pub --listen 127.0.0.1:7400

Exit code 0: stopped; 1: the bank refused; 2: wrong usage; 3: the bank could not be reached.")]
pub(super) struct Serve {
    /// Where to listen, on loopback; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
}

impl Serve {
    pub(super) fn run(&self, caller: &Key, connection: &Connection) -> Result<ExitCode> {
        let options = DeskOptions {
            listen: self.listen,
            bank: connection.options()?,
            keys: caller.required()?,
            log_keys: connection.log_keys()?,
        };
        block_on(async {
            let stop = stop()?;
            let served = serve_desk(options, |address| println!("{address}"), enter(), stop).await;
            served.map_err(|error| match error {
                GatewayError::Bank(error) => error.into(),
                other => anyhow::Error::from(other),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A message each time somebody presses Enter. The thread that reads ends with the process: nothing can wake it.
fn enter() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || sender.blocking_send(()).is_err() {
                return;
            }
        }
    });
    receiver
}
