//! `creditbank institution`: who may deposit what, and with which keys.

mod register;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use creditbank_client::Bank;
use creditbank_domain::outcome::Category;
use creditbank_wire::convert::record::category_numbers;
use creditbank_wire::v1;

use self::register::Register;
use self::show::{list, show};
use crate::connection::{Connection, Key, block_on};
use crate::print;
use crate::public_keys::PublicKeys;

/// Register institutions, their keys and what they may deposit.
#[derive(clap::Args)]
#[command(after_help = "\
Changes need the operator's key; an institution may add a key to itself and revoke one of its
own. Reading needs no key.

Examples:
  export CREDITBANK_KEY=bank/operator.key CREDITBANK_BANK=bank/bank.pub
  creditbank institution register fudan --name 复旦大学 --public-keys fudan.key.pub
  creditbank institution register --file institutions.csv --keys keys
  creditbank institution list
  creditbank institution categories fudan --category degree-course,training
  creditbank institution revoke-key fudan --key-id 9f86… --doubtful-from 4711")]
pub(crate) struct Institution {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Action {
    Register(Register),
    /// Print all institutions.
    List,
    /// Print one institution with the history of its keys and categories.
    Show {
        /// Its id.
        institution: String,
    },
    /// Suspend an institution: it can neither deposit nor read until it is resumed.
    Suspend {
        /// Its id.
        institution: String,
        /// Let it act again.
        #[arg(long)]
        resume: bool,
    },
    /// Admit further keys of an institution.
    AddKey {
        /// Its id.
        institution: String,
        /// The public halves, as `creditbank keygen` writes them.
        #[arg(long, value_name = "FILE")]
        public_keys: PathBuf,
    },
    /// Revoke a key: it signs nothing from now on, and what it signed stays valid.
    RevokeKey {
        /// Its id.
        institution: String,
        /// The key's id, 64 hexadecimal digits; `institution show` prints it.
        #[arg(long, value_name = "HEX")]
        key_id: String,
        /// It was compromised: every record it signed from this leaf on is disputed until confirmed.
        #[arg(long, value_name = "INDEX")]
        doubtful_from: Option<u64>,
    },
    /// Replace the categories that an institution may deposit.
    Categories {
        /// Its id.
        institution: String,
        /// The categories, with commas; none takes all away.
        #[arg(long, value_delimiter = ',')]
        category: Vec<String>,
    },
}

impl Institution {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(self.act())
    }

    async fn act(self) -> Result<ExitCode> {
        let json = self.json;
        match &self.action {
            Action::List => list(&self.connection.connect_public().await?, json).await?,
            Action::Show { institution } => {
                let request = v1::GetInstitutionRequest {
                    institution_id: institution.clone(),
                };
                let bank = self.connection.connect_public().await?;
                show(
                    &bank
                        .call(request, |line, it| async move {
                            line.registry().get_institution(it).await
                        })
                        .await?,
                    json,
                );
            }
            action => {
                let bank = self.connection.connect(self.caller.required()?).await?;
                change(&bank, action, json).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn change(bank: &Bank, action: &Action, json: bool) -> Result<()> {
    let changed = match action {
        Action::Register(register) => return register.run(bank, json).await,
        Action::List | Action::Show { .. } => return Ok(()),
        Action::Suspend {
            institution,
            resume,
        } => {
            let request = v1::SuspendInstitutionRequest {
                institution_id: institution.clone(),
                suspended: !resume,
            };
            bank.call(request, |line, it| async move {
                line.registry().suspend_institution(it).await
            })
            .await?
        }
        Action::AddKey {
            institution,
            public_keys,
        } => {
            let keys = PublicKeys::read(public_keys)?;
            ensure!(
                keys.institution()?.as_str() == institution,
                "{} holds the keys of another institution",
                public_keys.display()
            );
            let mut changed = v1::Institution::default();
            for key in keys.messages()? {
                let request = v1::AddKeyRequest {
                    institution_id: institution.clone(),
                    key: Some(key),
                };
                changed = bank
                    .call(request, |line, it| async move {
                        line.registry().add_key(it).await
                    })
                    .await?;
            }
            changed
        }
        Action::RevokeKey {
            institution,
            key_id,
            doubtful_from,
        } => {
            let key_id = print::from_hex(key_id)
                .context("a key id has 64 hexadecimal digits")?
                .into();
            let request = v1::RevokeKeyRequest {
                institution_id: institution.clone(),
                key_id,
                doubtful_from: *doubtful_from,
            };
            bank.call(request, |line, it| async move {
                line.registry().revoke_key(it).await
            })
            .await?
        }
        Action::Categories {
            institution,
            category,
        } => {
            let categories = categories(category)?;
            let request = v1::SetPermittedCategoriesRequest {
                institution_id: institution.clone(),
                categories,
            };
            bank.call(request, |line, it| async move {
                line.registry().set_permitted_categories(it).await
            })
            .await?
        }
    };
    show(&changed, json);
    Ok(())
}

fn categories(codes: &[String]) -> Result<Vec<i32>> {
    let parse = |code: &String| {
        Category::parse(code).with_context(|| {
            format!(
                "no category {code:?}; there are {}",
                Category::ALL.map(Category::code).join(", ")
            )
        })
    };
    Ok(category_numbers(
        &codes.iter().map(parse).collect::<Result<Vec<_>>>()?,
    ))
}

/// Every institution, page after page.
async fn all(bank: &Bank) -> Result<Vec<v1::Institution>> {
    let mut institutions = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListInstitutionsRequest {
            page_size: 1_000,
            page_token,
        };
        let page = bank
            .call(request, |line, it| async move {
                line.registry().list_institutions(it).await
            })
            .await?;
        institutions.extend(page.institutions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(institutions);
        }
    }
}
