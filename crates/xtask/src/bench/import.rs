//! The whole way of a file: `creditbank import` from CSV to verified receipts on disk.

use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};
use creditbank_client::InstitutionKeys;
use creditbank_domain::InstitutionId;

use crate::options::Options;
use crate::report::{Entry, Report};
use crate::{bank, clock};

const INSTITUTION: &str = "sample-college";

/// Imports a made-up file into a fresh bank, and holds the rate against that of ready-made batches.
pub(crate) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let rows: u64 = if options.quick { 50_000 } else { 500_000 };
    let folder = tempfile::Builder::new()
        .prefix("creditbank-bench-")
        .tempdir()?;
    let path = |name: &str| folder.path().join(name);
    bank::init(folder.path())?;
    let server = bank::serve(folder.path())?;
    let keys = InstitutionKeys::generate(InstitutionId::parse(INSTITUTION)?)?;
    bank::register(folder.path(), &server, &keys).await?;
    std::fs::write(path("institution.key"), keys.to_file().as_bytes())?;
    let mut sample = bank::program()?;
    sample.args([
        "sample",
        "--institution",
        INSTITUTION,
        "--rows",
        &rows.to_string(),
        "--output",
    ]);
    run(sample.arg(path("results.csv")))?;
    let mut import = bank::program()?;
    import.arg("import").arg(path("results.csv")).arg("--quiet");
    import
        .arg("--key")
        .arg(path("institution.key"))
        .arg("--bank")
        .arg(path("bank/bank.pub"));
    import.args(["--server", &format!("http://{}", server.said("grpc")?)]);
    let start = clock::now();
    run(&mut import)?;
    let rate = clock::rate_since(start, rows);
    let receipts = std::fs::metadata(path("results.csv.receipts"))?.len();
    ensure!(
        receipts > rows * 32,
        "{receipts} bytes of receipts for {rows} rows"
    );
    let entry = Entry::new("import_csv", rate, "rows/s");
    let limit = "submit_stream_1000";
    let entry = entry.against(limit, report.value(limit)).at_least(0.5);
    report.add(entry.note(&format!(
        "{rows} rows, learners enrolled on the way, receipts verified and kept"
    )));
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    bail!(
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&said)
    )
}
