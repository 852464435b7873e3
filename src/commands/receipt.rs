//! `creditbank receipt`: the proof of one record, as a text.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use creditbank_client::receipt::{BundleReader, Verifier, receipt_text};
use creditbank_domain::RecordId;
use creditbank_wire::v1;

use crate::connection::{Connection, Key, block_on};

/// Get the receipt of one record: a text that proves it offline.
#[derive(clap::Args)]
#[command(after_help = "\
The text is a C2SP tlog-proof: the leaf, its inclusion proof and the bank's signed checkpoint.
Whoever has the bank's public key can check it without asking anybody: creditbank verify
receipt.txt --bank bank.pub

Examples:
  creditbank receipt 4711          by its place in the log; needs no key
  creditbank receipt 0123456789abcdef0123456789abcdef --key fudan.key --bank bank.pub
Without the bank, out of a receipts file:
  creditbank receipt 0123456789abcdef0123456789abcdef --from results.csv.receipts --bank bank.pub")]
pub(crate) struct Receipt {
    /// Leaf index, or record id of 32 hexadecimal digits.
    record: String,
    /// Take it out of this receipts file instead of asking the bank.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Where it goes; stdout if not given.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

impl Receipt {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let text = match (&self.from, record_id(&self.record)) {
            (Some(file), Some(id)) => self.extract(file, id)?,
            (Some(_), None) => bail!("--from finds records by their id of 32 hexadecimal digits"),
            (None, Some(id)) => block_on(self.of_record(id))?,
            (None, None) => block_on(self.of_leaf())?,
        };
        match &self.output {
            None => std::io::stdout().write_all(text.as_bytes())?,
            Some(path) => {
                std::fs::write(path, text)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                println!("receipt in {}", path.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn of_leaf(&self) -> Result<String> {
        let leaf_index = self.record.parse().with_context(|| {
            format!("{:?} is neither a leaf index nor a record id", self.record)
        })?;
        let bank = self.connection.connect_public().await?;
        let request = v1::GetReceiptRequest { leaf_index };
        written(
            &bank
                .call(request, |line, it| async move {
                    line.log().get_receipt(it).await
                })
                .await?,
        )
    }

    async fn of_record(&self, id: RecordId) -> Result<String> {
        let bank = self.connection.connect(self.caller.required()?).await?;
        let request = v1::GetSubmissionRequest {
            issuer: String::new(),
            record_id: id.as_bytes().to_vec().into(),
        };
        let found = bank
            .call(request, |line, it| async move {
                line.submission().get_submission(it).await
            })
            .await?;
        written(&found.receipt.context("the bank gave no receipt")?)
    }

    fn extract(&self, file: &Path, id: RecordId) -> Result<String> {
        let key = self
            .connection
            .log_keys()?
            .context("say with --bank FILE which bank it is")?;
        let mut verifier = Verifier::new(key);
        let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        for bundle in BundleReader::new(BufReader::with_capacity(1 << 20, open)) {
            let bundle = bundle.with_context(|| format!("in {}", file.display()))?;
            let has = |envelope: &bytes::Bytes| memmem(envelope, id.as_bytes());
            let may_have = bundle.envelopes.iter().any(has)
                || bundle.receipts.iter().any(|receipt| has(&receipt.leaf));
            if may_have && let Some(proof) = verifier.extract(&bundle, id)? {
                return Ok(proof.encode());
            }
        }
        bail!("{} holds no receipt of {id}", file.display())
    }
}

/// Whether `bytes` hold `wanted` anywhere: a quick look before a bundle is verified.
fn memmem(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn record_id(text: &str) -> Option<RecordId> {
    RecordId::parse(text).ok()
}

fn written(receipt: &v1::Receipt) -> Result<String> {
    receipt_text(receipt)
        .ok()
        .context("the bank's receipt is malformed")
}
