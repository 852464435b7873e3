//! A certified identity provider (npm oidc-provider) as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::browser::{Answer, Browser};

/// A provider that signs anybody in as any account. It ends with this.
pub(crate) struct Provider {
    child: Child,
    pub(crate) issuer: String,
    pub(crate) address: SocketAddr,
}

/// The folder of the provider's packages, which `cargo xtask test` installs and names.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of what the task runner tells the tests"
)]
fn packages() -> Option<String> {
    let folder = std::env::var("CREDITBANK_OIDC").ok();
    assert!(
        folder.is_some() || std::env::var("CI").is_err(),
        "CI has no identity provider: run `cargo xtask test`"
    );
    folder
}

impl Provider {
    /// Starts it for a gateway at this address; `None` where it is not installed.
    pub(crate) fn start(base_url: &str) -> Option<Self> {
        let Some(packages) = packages() else {
            println!("SKIPPED: CREDITBANK_OIDC is not set; `cargo xtask test` sets it");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .args([format!("{base_url}/sign-in/return"), format!("{base_url}/")])
            .env("NODE_MODULES_AT", packages)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let stdout = child.stdout.take().expect("piped");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let issuer = lines.find_map(|line| Some(line.strip_prefix("ready ")?.to_owned()));
        let issuer = issuer.expect("the provider serves");
        let address = issuer["http://".len()..].parse().expect("an address");
        // It may go on talking to nobody.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            child,
            issuer,
            address,
        })
    }

    /// Goes the way of a person who signs in as `account`; gives the address that leads back to the gateway.
    pub(crate) fn sign_in(&self, authorize: &str, account: &str) -> String {
        let mut browser = Browser::new(self.address);
        let mut at = self.path(authorize).expect("an address of the provider");
        for _ in 0..12 {
            let page = browser.get(&at);
            let led = match page.status {
                200 => self.answer(&mut browser, &page, account),
                _ => page,
            };
            let location = led.header("location").to_owned();
            assert!(!location.is_empty(), "{}: {}", led.status, led.text());
            match self.path(&location) {
                Some(path) => at = path,
                None => return location,
            }
        }
        panic!("the provider leads in circles");
    }

    /// Fills in the form of a page: who it is, or that it is agreed.
    fn answer(&self, browser: &mut Browser, page: &Answer, account: &str) -> Answer {
        let text = page.text();
        let action = text
            .split("action=\"")
            .nth(1)
            .and_then(|it| it.split('"').next());
        let action = action.unwrap_or_else(|| panic!("no form: {text}"));
        let action = self.path(action).unwrap_or_else(|| action.to_owned());
        if text.contains("name=\"login\"") {
            browser.post(
                &action,
                &[("prompt", "login"), ("login", account), ("password", "x")],
            )
        } else {
            browser.post(&action, &[("prompt", "consent")])
        }
    }

    /// The path of an address of this provider.
    fn path(&self, address: &str) -> Option<String> {
        if address.starts_with('/') {
            return Some(address.to_owned());
        }
        address.strip_prefix(&self.issuer).map(str::to_owned)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
