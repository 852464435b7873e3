//! Proposing a project.

use anyhow::{Context as _, Result, bail};
use creditbank_client::Bank;
use creditbank_domain::outcome::Category;
use creditbank_wire::{Message as _, v1};

use super::{Which, project};
use crate::connection::Connection;
use crate::print;
use crate::recognition as common;

/// Apply for a project to be admitted under a unit standard. Institutions.
#[derive(clap::Args)]
pub(super) struct Propose {
    /// The institution's own code of the project; outcomes name it.
    project: String,
    /// Title of the project, as people know it.
    #[arg(long)]
    title: String,
    /// Category of its outcomes.
    #[arg(long)]
    category: String,
    /// Rule set that the standard stands in, by id or hash.
    #[arg(long, value_name = "ID|HASH")]
    rules: String,
    /// The unit standard; `rules show` prints them.
    #[arg(long, value_name = "ID")]
    standard: String,
    /// Its version; needed only where the set has several.
    #[arg(long, value_name = "VERSION")]
    standard_version: Option<String>,
    /// course, certificate, training, venue, walk or programme; what fits the category if not given.
    #[arg(long)]
    kind: Option<String>,
}

impl Propose {
    pub(super) async fn run(&self, connection: &Connection, bank: &Bank) -> Result<v1::Project> {
        let set = common::rule_set(bank, &self.rules, "").await?;
        let category = category(&self.category)?;
        let proposal = v1::ProjectProposed {
            institution: String::new(),
            project: self.project.clone(),
            title: self.title.clone(),
            category: category.number().cast_signed(),
            rule_set_hash: set.hash.clone(),
            standard: self.standard.clone(),
            standard_version: self.version(&set)?,
            kind: self.kind(category)?.into(),
        };
        let institution = bank
            .keys()
            .context("who proposes?")?
            .institution()
            .to_string();
        let which = Which {
            institution,
            project: self.project.clone(),
        };
        // A refused project may be proposed again: that is another record.
        let refused = project(bank, &which).await.ok();
        let refused = refused.filter(|it| it.state() == v1::ProjectState::Refused);
        let key = common::natural_key(&[
            b"project proposal",
            &proposal.encode_to_vec(),
            &refused.map_or(0, |it| it.decided_at).to_be_bytes(),
        ]);
        let record = common::maker(bank)?.proposal(&key, proposal);
        common::deposit(connection, bank, record).await?;
        project(bank, &which).await
    }

    fn version(&self, set: &v1::RuleSet) -> Result<String> {
        if let Some(version) = &self.standard_version {
            return Ok(version.clone());
        }
        let (_, set) = common::read_set(set)?;
        let versions: Vec<_> = set
            .standards
            .iter()
            .filter(|standard| standard.id == self.standard)
            .map(|standard| standard.version.as_str())
            .collect();
        match versions[..] {
            [version] => Ok(version.to_owned()),
            [] => {
                let all: Vec<_> = set.standards.iter().map(|it| it.id.as_str()).collect();
                bail!(
                    "{} {} has no standard {:?}; it has {}",
                    set.id,
                    set.version,
                    self.standard,
                    all.join(", ")
                )
            }
            _ => bail!(
                "{} has several versions; choose with --standard-version: {}",
                self.standard,
                versions.join(", ")
            ),
        }
    }

    fn kind(&self, category: Category) -> Result<v1::ProjectKind> {
        use v1::ProjectKind as K;
        const ALL: [K; 6] = [
            K::Course,
            K::Certificate,
            K::Training,
            K::Venue,
            K::Walk,
            K::Programme,
        ];
        let Some(wanted) = &self.kind else {
            return Ok(match category {
                Category::SkillCertificate => K::Certificate,
                Category::Training => K::Training,
                Category::VenueLearning => K::Venue,
                Category::HumanitiesWalk => K::Walk,
                _ => K::Course,
            });
        };
        let name = |kind: &K| print::word(kind.as_str_name(), "PROJECT_KIND_");
        let found = ALL.into_iter().find(|kind| name(kind) == *wanted);
        found.with_context(|| {
            let all = ALL.each_ref().map(name).join(", ");
            format!("no kind {wanted:?}; there are {all}")
        })
    }
}

fn category(code: &str) -> Result<Category> {
    Category::parse(code).with_context(|| {
        let known = Category::ALL.map(Category::code).join(", ");
        format!("no category {code:?}; there are {known}")
    })
}
