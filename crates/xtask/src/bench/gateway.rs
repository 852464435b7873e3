//! The gateway under load: a learner's archive page of 20 records, held against an empty page of the same gateway.
//!
//! The empty page is one that a signed-in learner gets with its frame, session and compression, but with nothing of the
//! ledger on it. So the ratio says what reading, opening, laying out and proving 20 records costs.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use creditbank_client::InstitutionKeys;
use creditbank_domain::{InstitutionId, LearnerCode};
use creditbank_wire::v1;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::bank::{Bank, program};
use crate::load::{self, Measured, Until, scatter};
use crate::options::Options;
use crate::process::{Server, Used};
use crate::records::ROWS_PER_LEARNER;
use crate::report::{Entry, Report};

/// Learners at once.
const LEARNERS_AT_ONCE: usize = 50;
/// Learners who are signed in.
const SIGNED_IN: u64 = 500;
/// Name of the limit.
const EMPTY_PAGE: &str = "empty_page";
/// A page that shows nothing of the ledger.
const EMPTY_PATH: &str = "/help";
const ARCHIVE_PATH: &str = "/archive";
const TARGET: f64 = 0.6;
/// What browsers of 2024 and later say.
const BROWSER_TAKES: &str = "gzip, deflate, br, zstd";
/// More than one load generator makes.
const REQUESTS_A_MINUTE: u32 = 1_000_000_000;

/// Measures both pages on the ledger as it is.
pub(crate) async fn measure(options: &Options, bank: &Bank, report: &mut Report) -> Result<()> {
    if !options.wants("gateway_archive") {
        return Ok(());
    }
    let gateway = start(bank).await?;
    let address = gateway.said("http")?.to_owned();
    let cookies = sign_in(bank, &address).await?;
    let mut limit = None;
    for (name, path) in [(EMPTY_PAGE, EMPTY_PATH), ("gateway_archive", ARCHIVE_PATH)] {
        let (mut runs, mut ledger_us) = (Vec::new(), Vec::new());
        for _ in 0..options.runs() {
            let before = Used::start(&gateway);
            let ledger = Used::start(bank.server());
            let run = pages(options, &address, path, &cookies).await?;
            ledger_us.push(ledger.each(run.count).server_us);
            runs.push(run.with_used(&before));
        }
        let run = load::median(runs);
        ledger_us.sort_by(f64::total_cmp);
        let ledger_us = ledger_us[ledger_us.len() / 2];
        let entry = Entry::of(name, &run, "pages/s");
        if name == EMPTY_PAGE {
            limit = Some(run.rate());
            report.add(entry.note(&format!(
                "{EMPTY_PATH}, signed in, {LEARNERS_AT_ONCE} at once"
            )));
        } else {
            let note = format!(
                "{ROWS_PER_LEARNER} of {} records, {LEARNERS_AT_ONCE} learners at once, + {ledger_us:.0} µs of the ledger",
                bank.deposited()
            );
            report.add(
                entry
                    .against(EMPTY_PAGE, limit)
                    .at_least(TARGET)
                    .note(&note),
            );
        }
    }
    gateway.stop()
}

/// A gateway of its own process, with limits that one load generator cannot reach.
async fn start(bank: &Bank) -> Result<Server> {
    let keys = InstitutionKeys::generate(InstitutionId::parse("bench-gateway")?)?;
    let folder = bank.folder();
    bank.admit(&keys, v1::Role::Gateway).await?;
    std::fs::write(folder.join("gateway.key"), &*keys.to_file())?;
    std::fs::write(folder.join("gateway.toml"), settings(bank, folder)?)?;
    let mut command = program()?;
    command
        .arg("gateway")
        .arg(folder.join("gateway.toml"))
        .arg("--development-login");
    Server::start(&mut command)
}

/// One connection that a lane has to itself.
type Line = SendRequest<Full<Bytes>>;

async fn connect(address: &str) -> Result<Line> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (line, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(line)
}

/// Signs learners in who have all their records; their cookies.
async fn sign_in(bank: &Bank, address: &str) -> Result<Arc<Vec<String>>> {
    let learners = bank.rows().learners_with_all_rows(bank.deposited()) as u64;
    ensure!(learners > 0, "no learner has all rows yet");
    let mut line = connect(address).await?;
    let mut cookies = Vec::new();
    for number in 0..SIGNED_IN.min(learners) {
        let learner = bank.rows().learner((scatter(number) % learners) as usize);
        cookies.push(session_of(&mut line, address, learner).await?);
    }
    Ok(Arc::new(cookies))
}

async fn session_of(line: &mut Line, address: &str, learner: LearnerCode) -> Result<String> {
    let form = format!("learner={:016}", learner.as_u64());
    let request = Request::builder()
        .method(Method::POST)
        .uri("/sign-in/development")
        .header(HOST, address)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))?;
    line.ready().await?;
    let response = line.send_request(request).await?;
    let (parts, body) = response.into_parts();
    body.collect().await?;
    let cookies = parts.headers.get_all(SET_COOKIE).iter();
    let mut values = cookies.filter_map(|it| it.to_str().ok()?.split(';').next());
    let session = values.find(|it| it.starts_with("session="));
    session
        .map(str::to_owned)
        .with_context(|| format!("no session: {}", parts.status))
}

async fn pages(
    options: &Options,
    address: &str,
    path: &'static str,
    cookies: &Arc<Vec<String>>,
) -> Result<Measured> {
    let mut lines = Vec::new();
    for _ in 0..LEARNERS_AT_ONCE {
        lines.push(connect(address).await?);
    }
    let lines = Arc::new(Mutex::new(lines));
    let (address, cookies) = (address.to_owned(), Arc::clone(cookies));
    let call = move |number: u64| {
        let (address, cookies, lines) = (address.clone(), Arc::clone(&cookies), Arc::clone(&lines));
        async move {
            let idle = lines.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut line = idle.context("as many connections as calls")?;
            let cookie = &cookies[(scatter(number) % cookies.len() as u64) as usize];
            let request = Request::builder()
                .uri(path)
                .header(HOST, address)
                .header(COOKIE, cookie)
                .header(ACCEPT_ENCODING, BROWSER_TAKES)
                .body(Full::default())?;
            line.ready().await?;
            let response = line.send_request(request).await?;
            let status = response.status();
            response.into_body().collect().await?;
            if status != StatusCode::OK {
                bail!("{path}: {status}");
            }
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
            Ok(())
        }
    };
    load::calls(LEARNERS_AT_ONCE, Until::Passed(options.window()), call).await
}

fn settings(bank: &Bank, folder: &Path) -> Result<String> {
    let server = bank.server();
    let own = |name: &str| folder.join(name).display().to_string();
    Ok(format!(
        "listen = \"127.0.0.1:0\"\nbank_url = \"http://{}\"\nbank = {:?}\nlog_url = \"http://{}\"\n\
         key = {:?}\nsession_key = {:?}\nclient_requests_a_minute = {REQUESTS_A_MINUTE}\n",
        server.said("grpc")?,
        own("bank/bank.pub"),
        server.said("http")?,
        own("gateway.key"),
        own("session.key"),
    ))
}
