//! `creditbank institution`: who may deposit what, and with which keys.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_client::{Bank, InstitutionKeys};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::outcome::Category;
use creditbank_wire::convert::record::category_numbers;
use creditbank_wire::v1;

use crate::connection::{Connection, Key, block_on, read_keys, write_keys};
use crate::print;
use crate::public_keys::PublicKeys;
use crate::table::{Options, Row, Table};

/// Most institutions that are admitted by one call.
const ADMITTED_MAX: usize = 1_000;

/// Register institutions, their keys and what they may deposit.
#[derive(clap::Args)]
#[command(after_help = "\
Changes need the operator's key; an institution may add a key to itself and revoke one of its own. Reading needs no key.

Examples:
  creditbank institution register fudan --name 复旦大学 --public-keys fudan.key.pub --category degree-course \\
      --key bank/operator.key --bank bank/bank.pub
  creditbank institution register --file institutions.csv --keys keys --key bank/operator.key --bank bank/bank.pub
  creditbank institution list
  creditbank institution categories fudan --category degree-course,training --key bank/operator.key --bank bank/bank.pub
  creditbank institution revoke-key fudan --key-id 9f86… --doubtful-from 4711 --key bank/operator.key --bank bank/bank.pub")]
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

/// Admit one institution, or all of a file.
#[derive(clap::Args)]
#[command(after_help = "\
A file (CSV, XLSX or NDJSON) has the columns institution and name, and may have role, categories (with semicolons), uscc,
school_code and region. With --keys DIR, DIR/ID.key is used, and made where it is missing. Institutions that are
registered already are left as they are, so an interrupted run is finished by running it again.")]
struct Register {
    /// Id of one institution.
    #[arg(required_unless_present = "file")]
    institution: Option<String>,
    /// Its name, as on its certificates.
    #[arg(long, required_unless_present = "file")]
    name: Option<String>,
    /// Its public halves, as `creditbank keygen` writes them.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    public_keys: Option<PathBuf>,
    /// institution, operator, gateway, peer-bank or auditor.
    #[arg(long, default_value = "institution")]
    role: String,
    /// What it may deposit, with commas; every category if not given.
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

impl Institution {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(self.act())
    }

    async fn act(self) -> Result<ExitCode> {
        let json = self.json;
        match &self.action {
            Action::List => list(&self.connection.connect_public().await?, json).await?,
            Action::Show { institution } => {
                let request = v1::GetInstitutionRequest { institution_id: institution.clone() };
                let bank = self.connection.connect_public().await?;
                show(&bank.call(request, |line, it| async move { line.registry().get_institution(it).await }).await?, json);
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
        Action::Suspend { institution, resume } => {
            let request = v1::SuspendInstitutionRequest { institution_id: institution.clone(), suspended: !resume };
            bank.call(request, |line, it| async move { line.registry().suspend_institution(it).await }).await?
        }
        Action::AddKey { institution, public_keys } => {
            let keys = PublicKeys::read(public_keys)?;
            ensure!(keys.institution()?.as_str() == institution, "{} holds the keys of another institution", public_keys.display());
            let mut changed = v1::Institution::default();
            for key in keys.messages()? {
                let request = v1::AddKeyRequest { institution_id: institution.clone(), key: Some(key) };
                changed = bank.call(request, |line, it| async move { line.registry().add_key(it).await }).await?;
            }
            changed
        }
        Action::RevokeKey { institution, key_id, doubtful_from } => {
            let key_id = print::from_hex(key_id).context("a key id has 64 hexadecimal digits")?.into();
            let request = v1::RevokeKeyRequest { institution_id: institution.clone(), key_id, doubtful_from: *doubtful_from };
            bank.call(request, |line, it| async move { line.registry().revoke_key(it).await }).await?
        }
        Action::Categories { institution, category } => {
            let categories = categories(category)?;
            let request = v1::SetPermittedCategoriesRequest { institution_id: institution.clone(), categories };
            bank.call(request, |line, it| async move { line.registry().set_permitted_categories(it).await }).await?
        }
    };
    show(&changed, json);
    Ok(())
}

impl Register {
    async fn run(&self, bank: &Bank, json: bool) -> Result<()> {
        let Some(file) = &self.file else {
            let request = self.one()?;
            let admitted = bank.call(request, |line, it| async move { line.registry().create_institution(it).await }).await?;
            show(&admitted, json);
            return Ok(());
        };
        let folder = self.keys.as_deref().context("say with --keys DIR where the key files are")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let there: HashSet<_> = all(bank).await?.into_iter().map(|it| profile(&it).institution_id).collect();
        let mut requests = self.many(file, folder)?;
        let count = requests.len();
        requests.retain(|it| it.profile.as_ref().is_some_and(|profile| !there.contains(&profile.institution_id)));
        let new = requests.len();
        for chunk in requests.chunks(ADMITTED_MAX) {
            let request = v1::BatchCreateInstitutionsRequest { requests: chunk.to_vec() };
            bank.call(request, |line, it| async move { line.registry().batch_create_institutions(it).await }).await?;
        }
        if json {
            print::json(&serde_json::json!({ "registered": new, "already_there": count - new }));
        } else {
            println!("{new} institutions registered, {} were there already", count - new);
        }
        Ok(())
    }

    fn one(&self) -> Result<v1::CreateInstitutionRequest> {
        let id = self.institution.clone().context("which institution?")?;
        let keys = match (&self.public_keys, &self.keys) {
            (Some(path), _) => {
                let keys = PublicKeys::read(path)?;
                ensure!(keys.institution()?.as_str() == id, "{} holds the keys of another institution", path.display());
                keys.messages()?
            }
            (None, Some(folder)) => keys_in(folder, &id)?.public_keys(),
            (None, None) => bail!("give the institution's keys with --public-keys FILE"),
        };
        let profile = v1::InstitutionProfile {
            institution_id: id,
            display_name: self.name.clone().unwrap_or_default(),
            role: role(&self.role)?,
            uscc: self.uscc.clone().unwrap_or_default(),
            school_code: self.school_code.clone().unwrap_or_default(),
            region: self.region.clone().unwrap_or_default(),
        };
        Ok(v1::CreateInstitutionRequest { profile: Some(profile), keys, categories: self.permitted("")? })
    }

    fn many(&self, file: &Path, folder: &Path) -> Result<Vec<v1::CreateInstitutionRequest>> {
        const COLUMNS: [&str; 7] = ["institution", "name", "role", "categories", "uscc", "school_code", "region"];
        let wanted = COLUMNS.map(str::to_owned);
        let table = Table::open(file, &Options::default(), &wanted, &Arc::new(AtomicU64::new(0)))?;
        let places = COLUMNS.map(|name| table.header.iter().position(|it| it == name));
        ensure!(places[0].is_some() && places[1].is_some(), "{} needs the columns institution and name", file.display());
        let mut requests = Vec::new();
        table.for_each(&mut |row| {
            let request = self.of_row(&row, &places, folder);
            requests.push(request.with_context(|| format!("row {} of {}", row.number, file.display()))?);
            Ok(())
        })?;
        Ok(requests)
    }

    fn of_row(&self, row: &Row, places: &[Option<usize>; 7], folder: &Path) -> Result<v1::CreateInstitutionRequest> {
        let cell = |place: Option<usize>| place.and_then(|place| row.cells.get(place)).unwrap_or_default().trim().to_owned();
        let [institution_id, display_name, role_name, permitted, uscc, school_code, region] = places.map(cell);
        let keys = keys_in(folder, &institution_id)?.public_keys();
        let role = role(if role_name.is_empty() { &self.role } else { &role_name })?;
        let categories = self.permitted(&permitted)?;
        let profile = v1::InstitutionProfile { institution_id, display_name, role, uscc, school_code, region };
        Ok(v1::CreateInstitutionRequest { profile: Some(profile), keys, categories })
    }

    /// The categories of a cell, or else of the flags, or else all.
    fn permitted(&self, cell: &str) -> Result<Vec<i32>> {
        let of_cell: Vec<_> = cell.split([';', ',', ' ', '；']).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        match (of_cell.is_empty(), self.category.is_empty()) {
            (false, _) => categories(&of_cell),
            (true, false) => categories(&self.category),
            (true, true) => Ok(category_numbers(&Category::ALL)),
        }
    }
}

/// The keys of an institution in a folder; made where there are none.
fn keys_in(folder: &Path, id: &str) -> Result<InstitutionKeys> {
    let institution = InstitutionId::parse(id).with_context(|| format!("{id:?} is no id of an institution"))?;
    let path = folder.join(format!("{institution}.key"));
    if path.exists() {
        return read_keys(&path);
    }
    let keys = InstitutionKeys::generate(institution).context("the system has no randomness")?;
    write_keys(&path, &keys)?;
    Ok(keys)
}

fn role(name: &str) -> Result<i32> {
    let roles = [v1::Role::Institution, v1::Role::Operator, v1::Role::Gateway, v1::Role::PeerBank, v1::Role::Auditor];
    let known = roles.into_iter().find(|role| print::word(role.as_str_name(), "ROLE_") == name);
    let role = known.with_context(|| format!("no role {name:?}; there are institution, operator, gateway, peer-bank, auditor"))?;
    Ok(role as i32)
}

fn categories(codes: &[String]) -> Result<Vec<i32>> {
    let parse = |code: &String| {
        Category::parse(code)
            .with_context(|| format!("no category {code:?}; there are {}", Category::ALL.map(Category::code).join(", ")))
    };
    Ok(category_numbers(&codes.iter().map(parse).collect::<Result<Vec<_>>>()?))
}

/// Every institution, page after page.
async fn all(bank: &Bank) -> Result<Vec<v1::Institution>> {
    let mut institutions = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListInstitutionsRequest { page_size: 1_000, page_token };
        let page = bank.call(request, |line, it| async move { line.registry().list_institutions(it).await }).await?;
        institutions.extend(page.institutions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(institutions);
        }
    }
}

async fn list(bank: &Bank, json: bool) -> Result<()> {
    let institutions = all(bank).await?;
    if json {
        print::json(&institutions.iter().map(to_json).collect());
        return Ok(());
    }
    let row = |it: &v1::Institution| {
        let profile = profile(it);
        let keys = it.keys.iter().filter(|key| key.valid_until.is_none()).count();
        let state = if it.suspended { "suspended" } else { "active" };
        [profile.institution_id, profile.display_name, role_name(profile.role), state.to_owned(), keys.to_string(), codes(&it.categories)]
    };
    let rows: Vec<_> = institutions.iter().map(row).collect();
    print::table(["institution", "name", "role", "state", "keys", "categories"], &rows);
    Ok(())
}

fn show(institution: &v1::Institution, json: bool) {
    if json {
        return print::json(&to_json(institution));
    }
    let profile = profile(institution);
    println!("institution   {}", profile.institution_id);
    println!("name          {}", profile.display_name);
    println!("role          {}", role_name(profile.role));
    println!("state         {}", if institution.suspended { "suspended" } else { "active" });
    println!("admitted      leaf {}", institution.admitted_at);
    println!("categories    {}", codes(&institution.categories));
    for (name, text) in [("uscc", profile.uscc), ("school code", profile.school_code), ("region", profile.region)] {
        if !text.is_empty() {
            println!("{name:<14}{text}");
        }
    }
    for key in &institution.keys {
        let until = print::or_dash(key.valid_until);
        let doubtful = key.doubtful_from.map(|from| format!(", doubtful from leaf {from}")).unwrap_or_default();
        println!("key           {}  {}  leaves {} to {until}{doubtful}", print::hex(&key.key_id), purpose(key), key.valid_from);
    }
}

fn to_json(institution: &v1::Institution) -> serde_json::Value {
    let profile = profile(institution);
    let key = |key: &v1::InstitutionKey| {
        serde_json::json!({
            "key_id": print::hex(&key.key_id),
            "purpose": purpose(key),
            "valid_from": key.valid_from,
            "valid_until": key.valid_until,
            "doubtful_from": key.doubtful_from,
        })
    };
    serde_json::json!({
        "institution": profile.institution_id,
        "name": profile.display_name,
        "role": role_name(profile.role),
        "uscc": profile.uscc,
        "school_code": profile.school_code,
        "region": profile.region,
        "suspended": institution.suspended,
        "admitted_at": institution.admitted_at,
        "categories": institution.categories.iter().map(|it| print::category(*it)).collect::<Vec<_>>(),
        "keys": institution.keys.iter().map(key).collect::<Vec<_>>(),
    })
}

fn profile(institution: &v1::Institution) -> v1::InstitutionProfile {
    institution.profile.clone().unwrap_or_default()
}

fn role_name(role: i32) -> String {
    print::word(v1::Role::try_from(role).unwrap_or_default().as_str_name(), "ROLE_")
}

fn purpose(key: &v1::InstitutionKey) -> String {
    let purpose = key.key.as_ref().map_or(0, |key| key.purpose);
    print::word(v1::KeyPurpose::try_from(purpose).unwrap_or_default().as_str_name(), "KEY_PURPOSE_")
}

fn codes(categories: &[i32]) -> String {
    if categories.len() == Category::ALL.len() {
        return "all".to_owned();
    }
    categories.iter().map(|it| print::category(*it)).collect::<Vec<_>>().join(", ")
}
