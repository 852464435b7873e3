//! Admitting institutions: one, or all of a file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_client::{Bank, InstitutionKeys};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::outcome::Category;
use creditbank_wire::convert::record::category_numbers;
use creditbank_wire::v1;

use super::show::{profile, show};
use super::{all, categories};
use crate::connection::{read_keys, write_keys};
use crate::print;
use crate::public_keys::PublicKeys;
use crate::table::{Options, Row, Table};

/// Most institutions that are admitted by one call.
const ADMITTED_MAX: usize = 1_000;

/// Admit one institution, or all of a file.
#[derive(clap::Args)]
#[command(after_help = "\
A file (CSV, XLSX or NDJSON) has the columns institution and name, and may have role, categories
(with semicolons), uscc, school_code and region. With --keys DIR, DIR/ID.key is used, and made
where it is missing. Institutions that are registered already are left as they are, so an
interrupted run is finished by running it again.

Examples:
  creditbank institution register college-1 --name 示例学院 --public-keys college-1.key.pub \\
    --key bank/operator.key --bank bank/bank.pub
  creditbank institution register --file institutions.csv --keys keys \\
    --key bank/operator.key --bank bank/bank.pub")]
pub(super) struct Register {
    /// Id of one institution.
    #[arg(required_unless_present = "file")]
    institution: Option<String>,
    /// Its name, as on its certificates.
    #[arg(long, required_unless_present = "file")]
    name: Option<String>,
    /// Its public halves, as `creditbank keygen` writes them.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    public_keys: Option<PathBuf>,
    /// institution, operator, gateway, peer-bank, auditor, reviewer, learner-agent or backup-agent.
    #[arg(long, default_value = "institution")]
    role: String,
    /// What it may deposit, with commas; every category if not given, none for other roles than institution.
    #[arg(long, value_delimiter = ',')]
    category: Vec<String>,
    /// Unified social credit code (统一社会信用代码).
    #[arg(long)]
    uscc: Option<String>,
    /// School code (学校标识码), 10 digits.
    #[arg(long)]
    school_code: Option<String>,
    /// Region (行政区划代码), 6 digits.
    #[arg(long)]
    region: Option<String>,
    /// A file with many institutions.
    #[arg(long, conflicts_with_all = ["institution", "name"])]
    file: Option<PathBuf>,
    /// Folder of key files ID.key; missing ones are made.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

impl Register {
    pub(super) async fn run(&self, bank: &Bank, json: bool) -> Result<()> {
        let Some(file) = &self.file else {
            let request = self.one()?;
            let admitted = bank
                .call(request, |line, it| async move {
                    line.registry().create_institution(it).await
                })
                .await?;
            show(&admitted, json);
            return Ok(());
        };
        let folder = self
            .keys
            .as_deref()
            .context("say with --keys DIR where the key files are")?;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let there: HashSet<_> = all(bank)
            .await?
            .into_iter()
            .map(|it| profile(&it).institution_id)
            .collect();
        let mut requests = self.many(file, folder)?;
        let count = requests.len();
        requests.retain(|it| {
            it.profile
                .as_ref()
                .is_some_and(|profile| !there.contains(&profile.institution_id))
        });
        let new = requests.len();
        for chunk in requests.chunks(ADMITTED_MAX) {
            let request = v1::BatchCreateInstitutionsRequest {
                requests: chunk.to_vec(),
            };
            bank.call(request, |line, it| async move {
                line.registry().batch_create_institutions(it).await
            })
            .await?;
        }
        if json {
            print::json(&serde_json::json!({ "registered": new, "already_there": count - new }));
        } else {
            println!(
                "{new} institutions registered, {} were there already",
                count - new
            );
        }
        Ok(())
    }

    fn one(&self) -> Result<v1::CreateInstitutionRequest> {
        let id = self.institution.clone().context("which institution?")?;
        let keys = match (&self.public_keys, &self.keys) {
            (Some(path), _) => {
                let keys = PublicKeys::read(path)?;
                ensure!(
                    keys.institution()?.as_str() == id,
                    "{} holds the keys of another institution",
                    path.display()
                );
                keys.messages()?
            }
            (None, Some(folder)) => keys_in(folder, &id)?.public_keys(),
            (None, None) => bail!("give the institution's keys with --public-keys FILE"),
        };
        let role = role(&self.role)?;
        let profile = v1::InstitutionProfile {
            institution_id: id,
            display_name: self.name.clone().unwrap_or_default(),
            role,
            uscc: self.uscc.clone().unwrap_or_default(),
            school_code: self.school_code.clone().unwrap_or_default(),
            region: self.region.clone().unwrap_or_default(),
        };
        Ok(v1::CreateInstitutionRequest {
            profile: Some(profile),
            keys,
            categories: self.permitted("", role)?,
        })
    }

    fn many(&self, file: &Path, folder: &Path) -> Result<Vec<v1::CreateInstitutionRequest>> {
        const COLUMNS: [&str; 7] = [
            "institution",
            "name",
            "role",
            "categories",
            "uscc",
            "school_code",
            "region",
        ];
        let wanted = COLUMNS.map(str::to_owned);
        let table = Table::open(
            file,
            &Options::default(),
            &wanted,
            &Arc::new(AtomicU64::new(0)),
        )?;
        let places = COLUMNS.map(|name| table.header.iter().position(|it| it == name));
        ensure!(
            places[0].is_some() && places[1].is_some(),
            "{} needs the columns institution and name",
            file.display()
        );
        let mut requests = Vec::new();
        table.for_each(&mut |row| {
            let request = self.of_row(&row, &places, folder);
            requests.push(
                request.with_context(|| format!("row {} of {}", row.number, file.display()))?,
            );
            Ok(())
        })?;
        Ok(requests)
    }

    fn of_row(
        &self,
        row: &Row,
        places: &[Option<usize>; 7],
        folder: &Path,
    ) -> Result<v1::CreateInstitutionRequest> {
        let cell = |place: Option<usize>| {
            place
                .and_then(|place| row.cells.get(place))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let [
            institution_id,
            display_name,
            role_name,
            permitted,
            uscc,
            school_code,
            region,
        ] = places.map(cell);
        let keys = keys_in(folder, &institution_id)?.public_keys();
        let role = role(if role_name.is_empty() {
            &self.role
        } else {
            &role_name
        })?;
        let categories = self.permitted(&permitted, role)?;
        let profile = v1::InstitutionProfile {
            institution_id,
            display_name,
            role,
            uscc,
            school_code,
            region,
        };
        Ok(v1::CreateInstitutionRequest {
            profile: Some(profile),
            keys,
            categories,
        })
    }

    /// The categories of a cell, or else of the flags, or else all that the role may deposit.
    fn permitted(&self, cell: &str, role: i32) -> Result<Vec<i32>> {
        let of_cell: Vec<_> = cell
            .split([';', ',', ' ', '；'])
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect();
        match (of_cell.is_empty(), self.category.is_empty()) {
            (false, _) => categories(&of_cell),
            (true, false) => categories(&self.category),
            (true, true) if role == v1::Role::Institution as i32 => {
                Ok(category_numbers(&Category::ALL))
            }
            (true, true) => Ok(Vec::new()),
        }
    }
}

/// The keys of an institution in a folder; made where there are none.
fn keys_in(folder: &Path, id: &str) -> Result<InstitutionKeys> {
    let institution =
        InstitutionId::parse(id).with_context(|| format!("{id:?} is no id of an institution"))?;
    let path = folder.join(format!("{institution}.key"));
    if path.exists() {
        return read_keys(&path);
    }
    let keys = InstitutionKeys::generate(institution).context("the system has no randomness")?;
    write_keys(&path, &keys)?;
    Ok(keys)
}

fn role(name: &str) -> Result<i32> {
    let roles = [
        v1::Role::Institution,
        v1::Role::Operator,
        v1::Role::Gateway,
        v1::Role::PeerBank,
        v1::Role::Auditor,
        v1::Role::Reviewer,
        v1::Role::LearnerAgent,
        v1::Role::BackupAgent,
    ];
    let known = roles
        .into_iter()
        .find(|role| print::word(role.as_str_name(), "ROLE_") == name);
    let role = known.with_context(|| {
        let known = roles.map(|role| print::word(role.as_str_name(), "ROLE_"));
        format!("no role {name:?}; there are {}", known.join(", "))
    })?;
    Ok(role as i32)
}
