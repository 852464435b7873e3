//! Registering a peer in the ledger, with all its keys.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use creditbank_client::Bank;
use creditbank_wire::v1;

use crate::connection::{Connection, Key, block_on};
use crate::peer_card::PeerCard;

/// Register a peer, or those of its keys that are new, at a running bank.
#[derive(clap::Args)]
#[command(after_help = "\
What is registered already is left as it is, so an interrupted run is finished by running it again.
A card with a new key admits that key beside the old one.

Example:
  creditbank peer admit --card jiangsu.peer --key bank/operator.key --bank bank/bank.pub")]
pub(super) struct Admit {
    /// The peer's card.
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

impl Admit {
    pub(super) fn run(self) -> Result<ExitCode> {
        let card = PeerCard::read(&self.card)?;
        block_on(async move {
            let bank = self.connection.connect(self.caller.required()?).await?;
            let new = admit(&bank, &card).await?;
            match new {
                0 => println!("peer {} was registered already, with all its keys", card.id),
                new => println!("peer {} registered: {new} keys are new", card.id),
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Gives how many keys were new.
async fn admit(bank: &Bank, card: &PeerCard) -> Result<usize> {
    let mut keys = card.keys()?;
    let Some(found) = find(bank, &card.id).await? else {
        let request = v1::CreateInstitutionRequest {
            profile: Some(card.profile()),
            keys: keys.clone(),
            categories: Vec::new(),
        };
        bank.call(request, |line, it| async move {
            line.registry().create_institution(it).await
        })
        .await?;
        return Ok(keys.len());
    };
    let is_peer = found
        .profile
        .is_some_and(|profile| profile.role() == v1::Role::PeerBank);
    ensure!(
        is_peer,
        "{} is registered with another role; a bank needs an id of its own",
        card.id
    );
    keys.retain(|key| !found.keys.iter().any(|it| it.key.as_ref() == Some(key)));
    for key in &keys {
        let request = v1::AddKeyRequest {
            institution_id: card.id.clone(),
            key: Some(key.clone()),
        };
        bank.call(request, |line, it| async move {
            line.registry().add_key(it).await
        })
        .await?;
    }
    Ok(keys.len())
}

async fn find(bank: &Bank, id: &str) -> Result<Option<v1::Institution>> {
    let request = v1::GetInstitutionRequest {
        institution_id: id.to_owned(),
    };
    let found = bank.call(request, |line, it| async move {
        line.registry().get_institution(it).await
    });
    match found.await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Some("NOT_FOUND") => Ok(None),
        Err(error) => Err(error.into()),
    }
}
