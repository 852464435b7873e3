//! `creditbank peer`: other regions' banks.

mod admit;
mod list;
mod resume;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use self::admit::Admit;
use self::list::List;
use self::resume::Resume;
use crate::config::Folder;
use crate::peer_card::{Facts, PeerCard};

/// Know other regions' banks: exchange cards, pin them, register their keys.
#[derive(clap::Args)]
#[command(after_help = "\
Two banks that are to deal with each other exchange cards, and each does two things with the
other's: `peer add` pins where it is and the key of its log in bank.toml, and `peer admit`
registers it in the ledger with all its keys. Then each cosigns the other's checkpoints.

At the bank of Shanghai, whose peer is the bank of Jiangsu:
  creditbank peer card bank --id shanghai --grpc https://sh.example:7300 --http http://sh.example:7301 > shanghai.peer
  creditbank peer add bank jiangsu.peer           then restart the bank
  creditbank peer admit --card jiangsu.peer --key bank/operator.key --bank bank/bank.pub
  creditbank peer list bank

A key of a peer is replaced in the ledger: register the new one with `peer admit` of its new card,
and revoke the old one with `creditbank institution revoke-key` when it is no longer used. Between
the two entries both are accepted.")]
pub(crate) struct Peer {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Card(Card),
    Add(Add),
    Admit(Admit),
    List(List),
    Resume(Resume),
}

/// Print this bank's card, for the operators of other banks; keys that are still missing are made.
#[derive(clap::Args)]
struct Card {
    /// This bank's folder.
    dir: PathBuf,
    /// Id that this bank is to have at its peers: 3 to 32 small letters, digits and hyphens.
    #[arg(long)]
    id: String,
    /// Name of this bank for people; its origin if not given.
    #[arg(long)]
    name: Option<String>,
    /// Where its gRPC service is reached from outside.
    #[arg(long, value_name = "URL")]
    grpc: String,
    /// Where its public log is reached from outside.
    #[arg(long, value_name = "URL")]
    http: String,
}

/// Pin a peer in bank.toml; takes effect with the next start.
#[derive(clap::Args)]
struct Add {
    /// This bank's folder.
    dir: PathBuf,
    /// The peer's card.
    card: PathBuf,
    /// Certificate authority that vouches for its https addresses, PEM; a path from the folder.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Peer {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Card(card) => card.run(),
            Action::Add(add) => add.run(),
            Action::Admit(admit) => admit.run(),
            Action::List(list) => list.run(),
            Action::Resume(resume) => resume.run(),
        }
    }
}

impl Card {
    fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let region = folder.settings()?.region;
        folder.make_peer_keys()?;
        folder.take_id(&self.id)?;
        let facts = Facts {
            id: self.id,
            name: self.name,
            region,
            grpc: self.grpc,
            http: self.http,
            former_sign: folder.other_signers()?,
        };
        let card = PeerCard::of(&folder.newest_keys()?, facts)?;
        print!("{}", card.to_file()?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let card = PeerCard::read(&self.card)?;
        ensure!(
            folder.keys()?.log.name() != card.origin,
            "{} is this bank's own card",
            self.card.display()
        );
        if folder.add_peer(&card.settings(self.ca))? {
            println!("peer {} pinned; it is known after the next start", card.id);
        } else {
            println!("peer {} was pinned already", card.id);
        }
        Ok(ExitCode::SUCCESS)
    }
}
