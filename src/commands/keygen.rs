//! `creditbank keygen`: keys of an institution.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use creditbank_client::InstitutionKeys;
use creditbank_domain::identifier::InstitutionId;
use creditbank_ledger::vault::random_seed;

use crate::connection::{read_keys, write_keys};
use crate::public_keys::PublicKeys;

/// Make the keys of an institution.
#[derive(clap::Args)]
#[command(after_help = "\
Two files are written. FILE holds the secrets (mode 0600) and never leaves the institution: keep
a copy off this machine, because without its import secret a file that is imported again is
deposited twice. FILE.pub holds the public halves: send it to the bank's operator, who registers
it. Keys that take over from others (--renew) keep their import secret.

Examples:
  creditbank keygen fudan                        writes fudan.key and fudan.key.pub
  creditbank keygen fudan --output keys/fudan.key
  creditbank keygen fudan --public-of fudan.key  prints the public halves once more
  creditbank keygen fudan --renew fudan.key --output fudan-2027.key")]
pub(crate) struct Keygen {
    /// Id of the institution: 3 to 32 small letters, digits and hyphens, beginning with a letter.
    institution: String,
    /// Where the secrets go; ID.key if not given.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Make nothing: print the public halves of this key file.
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    public_of: Option<PathBuf>,
    /// The keys before, whose import secret the new ones keep.
    #[arg(
        long,
        value_name = "FILE",
        requires = "output",
        conflicts_with = "public_of"
    )]
    renew: Option<PathBuf>,
}

impl Keygen {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let institution = InstitutionId::parse(&self.institution)
            .with_context(|| format!("{:?} is no id of an institution", self.institution))?;
        if let Some(path) = &self.public_of {
            print!("{}", PublicKeys::of(&read_keys(path)?).to_file());
            return Ok(ExitCode::SUCCESS);
        }
        let path = self
            .output
            .unwrap_or_else(|| PathBuf::from(format!("{institution}.key")));
        let keys = match &self.renew {
            Some(before) => renewed(before, &institution)?,
            None => {
                InstitutionKeys::generate(institution).context("the system has no randomness")?
            }
        };
        write_keys(&path, &keys)?;
        let public = path.with_added_extension("pub");
        std::fs::write(&public, PublicKeys::of(&keys).to_file())
            .with_context(|| format!("cannot write {}", public.display()))?;
        println!("secrets      {}  (keep it)", path.display());
        println!("public keys  {}  (send it to the bank)", public.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// New keys with the import secret of those before.
fn renewed(before: &Path, institution: &InstitutionId) -> Result<InstitutionKeys> {
    let keys = read_keys(before)?;
    ensure!(
        keys.institution() == institution,
        "{} holds the keys of {}",
        before.display(),
        keys.institution()
    );
    Ok(keys
        .with_sign(&random_seed())
        .with_authenticate(&random_seed()))
}
