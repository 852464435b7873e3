//! From the rows of a file to outcomes: which column fills which field, as a TOML file says.
//!
//! ```toml
//! category = "degree-course"
//!
//! [fields]
//! external_id = "编号"                                     # the column 编号, as it is
//! form = { column = "类别", map = { "成教" = 30 } }         # through a table of codes
//! year = { constant = 2026 }                               # the same for every row
//! completed_on = { column = "日期", format = "%d/%m/%Y" }  # a date in another order
//! ```
//!
//! A mapping is bound to a file's header once; reading a row then looks nothing up by name. It knows neither the
//! bank nor the network.

mod detail;
mod fault;
mod field;
mod file;
mod memo;
mod moment;
mod reading;
mod source;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_domain::grade::{FiveLevel, PassFail, Percentage, Points};
use creditbank_domain::identifier::{DocumentKind, InstitutionId, LearnerCode, TestRegions};
use creditbank_domain::outcome::{
    Achievement, Category, Evidence, EvidenceKind, ObtainedBy, Outcome, OutcomeDraft,
};
use creditbank_domain::text::{Code, Label, PersonName, Uri};
use creditbank_domain::{Credit, Grade, Hours, IdentityDocument, Refusal};
use jiff::civil::Date;

use self::detail::Memos;
pub(crate) use self::fault::Problem;
use self::fault::unreadable;
pub(crate) use self::fault::{no_key, repeated_row};
pub(crate) use self::field::Field;
use self::field::Fields;
pub(crate) use self::file::BUILT_IN;
use self::file::MappingFile;
use self::memo::Memo;
use self::reading::{Reading, column_of};
use self::source::{Scheme, Source};
use crate::table::{Reject, Row};

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapped {
    /// Who deposits; none where the mapping does not say.
    pub(crate) institution: Option<InstitutionId>,
    pub(crate) learner: Learner,
    /// Tells the row from every other of the institution; the record's id is derived from it under a secret.
    pub(crate) natural_key: Vec<u8>,
    pub(crate) outcome: Outcome,
}

/// Whom a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Learner {
    /// By the bank's own code.
    Code(LearnerCode),
    /// By an identity document.
    Identity(Identity),
}

/// An identity document as the row has it; its form was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) kind: DocumentKind,
    pub(crate) number: String,
    pub(crate) issuer: String,
    pub(crate) name: String,
    /// Equal only for the same document.
    pub(crate) key: String,
}

/// A mapping that was read and not bound to a file yet.
#[derive(Clone, Debug)]
pub(crate) struct Mapping(MappingFile);

impl Mapping {
    /// The text of a built-in mapping, or of a file.
    pub(crate) fn text(name: &str) -> Result<String> {
        MappingFile::text(name)
    }

    /// Loads a built-in mapping, or a file.
    pub(crate) fn load(name: &str) -> Result<Self> {
        Self::parse(&MappingFile::text(name)?).with_context(|| format!("in the mapping {name}"))
    }

    /// Reads the text of a mapping.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        MappingFile::parse(text).map(Self)
    }

    /// Every column that the mapping names, each once.
    pub(crate) fn columns(&self) -> Vec<String> {
        let of_fields = Field::ALL
            .iter()
            .filter_map(|field| self.0.fields.at(*field)?.0.column.clone());
        let mut columns: Vec<String> = Vec::new();
        for column in of_fields.chain(self.0.natural_key.iter().flatten().cloned()) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// Binds the mapping to a file's header. `institution` is who deposits where the mapping does not say.
    pub(crate) fn bind(
        self,
        header: &[String],
        institution: Option<&InstitutionId>,
    ) -> Result<Mapper> {
        let category = self.0.category.as_deref().map(|code| {
            let known = || Category::ALL.map(Category::code).join(", ");
            Category::parse(code)
                .map_err(|_| anyhow::anyhow!("no category {code:?}; there are {}", known()))
        });
        let category = category.transpose()?;
        let natural_key = self
            .0
            .natural_key
            .map(|columns| columns.iter().map(|it| place(header, it)).collect());
        let natural_key = natural_key.transpose()?;
        let fields = self
            .0
            .fields
            .try_map(|field, value| Source::bind(field, value.0, header))?;
        ensure!(
            category.is_some() != fields.category.is_some(),
            "say the category either for all rows or as a field"
        );
        for field in [Field::AchievementName, Field::CompletedOn] {
            ensure!(
                fields.at(field).is_some(),
                "the mapping does not say where {} comes from",
                field.name()
            );
        }
        ensure!(
            fields.learner_code.is_some() || fields.identity_number.is_some(),
            "the mapping says neither where identity_number nor where learner_code comes from"
        );
        let institution = institution.cloned();
        Ok(Mapper {
            fields,
            category,
            natural_key,
            institution,
            memos: Memos::default(),
            categories: Memo::default(),
        })
    }
}

fn place(header: &[String], column: &str) -> Result<usize> {
    match header.iter().position(|it| it == column) {
        Some(index) => Ok(index),
        None => bail!(
            "the file has no column {column:?}, which natural_key names; it has {}",
            header.join(", ")
        ),
    }
}

/// Reads rows of one file. Workers clone it.
#[derive(Clone, Debug)]
pub(crate) struct Mapper {
    fields: Fields<Source>,
    category: Option<Category>,
    natural_key: Option<Vec<usize>>,
    institution: Option<InstitutionId>,
    memos: Memos,
    categories: Memo<Category>,
}

impl Mapper {
    /// What a row says, or everything that is wrong with it; `today` is the local date.
    pub(crate) fn read(&mut self, row: &Row, today: Date) -> Result<Mapped, Vec<Reject>> {
        if let Some(trouble) = row.trouble {
            return Err(vec![unreadable(trouble)]);
        }
        let mut reading = Reading::of(&self.fields, row);
        let institution = match reading.optional(Field::Institution, InstitutionId::parse) {
            Some(None) => Some(self.institution.clone()),
            read => read,
        };
        let learner = learner(&mut reading, institution.as_ref().and_then(Option::as_ref));
        let category = match self.category {
            Some(category) => Some(category),
            None => reading.required(Field::Category, |text| {
                self.categories.of(text, Category::parse)
            }),
        };
        let draft = draft(&mut reading, category, &mut self.memos);
        let built = (|| Some((institution?, learner?, draft?)))();
        let (institution, learner, draft) = reading.finish(built)?;
        let outcome = draft.check(today).map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| Problem::from(fault.refusal).at(self.column(&fault.field)))
                .collect::<Vec<_>>()
        })?;
        let natural_key = match &self.natural_key {
            Some(columns) => key_of(
                "columns",
                columns
                    .iter()
                    .map(|it| row.cells.get(*it).unwrap_or_default().trim()),
            ),
            None => default_key(&outcome, &learner),
        };
        Ok(Mapped {
            institution,
            learner,
            natural_key,
            outcome,
        })
    }

    /// What a clerk knows the field of a path by: the file's column, or the field's name.
    pub(crate) fn column<'a>(&'a self, path: &'a str) -> &'a str {
        Field::of_path(path).map_or(path, |field| column_of(&self.fields, field))
    }
}

fn learner(row: &mut Reading<'_>, institution: Option<&InstitutionId>) -> Option<Learner> {
    if let Some(code) = row.optional(Field::LearnerCode, LearnerCode::parse)? {
        return Some(Learner::Code(code));
    }
    let kind = row
        .optional(Field::IdentityKind, DocumentKind::parse)?
        .unwrap_or(DocumentKind::ResidentId);
    let issuer = row.text(Field::IdentityIssuer).unwrap_or_default();
    let issuer = match (kind, institution) {
        (DocumentKind::StudentNumber, Some(institution)) if issuer.is_empty() => {
            institution.as_str()
        }
        _ => &issuer,
    };
    let name = row.optional(Field::LearnerName, |text| {
        PersonName::parse(text).map(|_| text.to_owned())
    });
    // Whether numbers of the tests are admitted is for the bank to say.
    let read = |number: &str| {
        // Nobody is known yet who deposits: the form of the number is all there is to check.
        let issuer = if kind == DocumentKind::StudentNumber && issuer.is_empty() {
            InstitutionId::BANK
        } else {
            issuer
        };
        let document = IdentityDocument::parse(kind, issuer, number, TestRegions::Accept)?;
        Ok((document.canonical(), number.to_owned()))
    };
    let (key, number) = row.required(Field::IdentityNumber, read)?;
    Some(Learner::Identity(Identity {
        kind,
        number,
        issuer: issuer.to_owned(),
        name: name?.unwrap_or_default(),
        key,
    }))
}

fn draft(
    row: &mut Reading<'_>,
    category: Option<Category>,
    memos: &mut Memos,
) -> Option<OutcomeDraft> {
    let name = row.required(Field::AchievementName, Label::parse);
    let code = row.optional(Field::AchievementCode, Code::parse);
    let project = row.optional(Field::Project, Code::parse);
    let credits = row.optional(Field::Credits, Credit::parse);
    let hours = row.optional(Field::Hours, Hours::parse);
    let scheme = row.fields.grade.as_ref().and_then(|source| source.scheme);
    let grade = row.optional(Field::Grade, |text| {
        grade(scheme.unwrap_or(Scheme::AsWritten), text)
    });
    let format = |source: &Option<Source>| source.as_ref().and_then(|source| source.format.clone());
    let (on, at, start) = (
        &row.fields.completed_on,
        &row.fields.completed_at,
        &row.fields.started_on,
    );
    let (on, at, start) = (format(on), format(at), format(start));
    let completed = row.required(Field::CompletedOn, |text| {
        moment::moment(text, on.as_deref())
    });
    let completed_at = row.optional(Field::CompletedAt, |text| moment::time(text, at.as_deref()));
    let started_on = row.optional(Field::StartedOn, |text| {
        moment::moment(text, start.as_deref())
    });
    let obtained_by = row.optional(Field::ObtainedBy, ObtainedBy::parse);
    let external_id = row.optional(Field::ExternalId, Code::parse);
    let institution_name = row.optional(Field::InstitutionName, Label::parse);
    let evidence = row.optional(Field::Evidence, evidence);
    let detail = category.and_then(|category| detail::read(category, row, memos));
    let (completed_on, time_of_day) = completed?;
    Some(OutcomeDraft {
        achievement: Achievement {
            code: code?,
            name: name?,
        },
        project: project?,
        credits: credits?,
        hours: hours?,
        grade: grade?,
        completed_on,
        completed_at: completed_at?.flatten().or(time_of_day),
        obtained_by: obtained_by?,
        started_on: started_on?.map(|(date, _)| date),
        external_id: external_id?,
        institution_name: institution_name?,
        evidence: evidence?.unwrap_or_default(),
        detail: detail?,
    })
}

fn grade(scheme: Scheme, text: &str) -> Result<Grade, Refusal> {
    match scheme {
        Scheme::Percentage => Percentage::parse(text).map(Grade::Percentage),
        Scheme::FiveLevel => FiveLevel::parse(text).map(Grade::FiveLevel),
        Scheme::PassFail => PassFail::parse(text).map(Grade::PassFail),
        Scheme::Points(scale) => Points::parse(scale, text).map(Grade::Points),
        Scheme::AsWritten if text.starts_with(|c: char| c.is_ascii_digit()) => {
            Percentage::parse(text).map(Grade::Percentage)
        }
        Scheme::AsWritten => match text {
            "合格" | "不合格" | "通过" | "未通过" => {
                PassFail::parse(text).map(Grade::PassFail)
            }
            _ => FiveLevel::parse(text).map(Grade::FiveLevel),
        },
    }
}

/// KIND SHA256 [URI], with semicolons between.
fn evidence(text: &str) -> Result<Vec<Evidence>, Refusal> {
    let malformed = Refusal::Malformed {
        expected: "KIND SHA256 [URI];…",
    };
    let piece = |text: &str| {
        let mut parts = text.split_whitespace();
        let kind = EvidenceKind::parse(parts.next().ok_or(malformed)?)?;
        let sha256 = parts.next().and_then(digest).ok_or(malformed)?;
        let uri = parts.next().map(Uri::parse).transpose()?;
        if parts.next().is_some() {
            Err(malformed)
        } else {
            Ok(Evidence { kind, uri, sha256 })
        }
    };
    text.split([';', '；'])
        .filter(|text| !text.trim().is_empty())
        .map(piece)
        .collect()
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2).filter(|_| is_hex)?, 16).ok()?;
    }
    Some(digest)
}

/// The external id, or else everything that tells one achievement of a learner from another.
fn default_key(outcome: &Outcome, learner: &Learner) -> Vec<u8> {
    if let Some(id) = &outcome.external_id {
        return key_of("external-id", [id.as_str()]);
    }
    let learner = match learner {
        Learner::Code(code) => code.as_u64().to_string(),
        Learner::Identity(identity) => identity.key.clone(),
    };
    let code = outcome.achievement.code.as_ref().map_or("", Code::as_str);
    let time = outcome
        .completed_at
        .map(|time| time.to_string())
        .unwrap_or_default();
    let day = outcome.completed_on.to_string();
    let name = outcome.achievement.name.as_str();
    key_of(
        "outcome",
        [outcome.category().code(), &learner, code, name, &day, &time],
    )
}

/// Parts with their lengths before them, so that no two lists give the same bytes.
fn key_of<'a>(kind: &'a str, parts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut key = Vec::with_capacity(96);
    for part in std::iter::once(kind).chain(parts) {
        key.extend_from_slice(&(part.len() as u32).to_be_bytes());
        key.extend_from_slice(part.as_bytes());
    }
    key
}

#[cfg(test)]
mod tests;
