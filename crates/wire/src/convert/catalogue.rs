//! Statements about rule sets and projects.

use creditbank_domain::catalogue::{ProjectKind, Proposal};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::Statement;
use creditbank_domain::rules::Period;
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Category, Refusal};
use jiff::civil::Date;

use super::record::digest;
use crate::v1;
use crate::v1::statement::Content;

/// Reads a statement about rule sets or projects; any other kind is not for here.
pub(super) fn statement(content: Content) -> Result<Statement, Refusal> {
    Ok(match content {
        Content::RuleDocument(it) => Statement::RuleDocument { text: it.text },
        Content::RuleSetPublished(it) => Statement::RuleSetPublished {
            set_id: Code::parse(&it.set_id)?.to_string(),
            version: Code::parse(&it.version)?.to_string(),
            documents: it
                .documents
                .into_iter()
                .map(|document| Ok((document.name, digest(&document.sha256)?)))
                .collect::<Result<_, Refusal>>()?,
            effective: Period {
                from: optional_date(&it.effective_from)?,
                to: optional_date(&it.effective_to)?,
            },
        },
        Content::ProjectProposed(it) => Statement::ProjectProposed(Box::new(proposal(&it)?)),
        Content::ProjectReviewed(it) => Statement::ProjectReviewed {
            reviewer: InstitutionId::parse(&it.reviewer)?,
            institution: InstitutionId::parse(&it.institution)?,
            project: Code::parse(&it.project)?,
            approve: it.approve,
        },
        Content::ProjectAdmitted(it) => Statement::ProjectAdmitted {
            institution: InstitutionId::parse(&it.institution)?,
            project: Code::parse(&it.project)?,
            panel: u8::try_from(it.panel).map_err(|_| Refusal::Overflow)?,
            expires_on: optional_date(&it.expires_on)?,
        },
        Content::ProjectRefused(it) => Statement::ProjectRefused {
            institution: InstitutionId::parse(&it.institution)?,
            project: Code::parse(&it.project)?,
        },
        Content::ProjectSuspended(it) => Statement::ProjectSuspended {
            institution: InstitutionId::parse(&it.institution)?,
            project: Code::parse(&it.project)?,
            suspended: it.suspended,
        },
        _ => return Err(Refusal::KindNotAllowed),
    })
}

/// The inverse of [`statement`]. The other statements are written by `record`, which calls this last.
pub(super) fn content(statement: &Statement) -> Content {
    match statement {
        Statement::RuleDocument { text } => {
            Content::RuleDocument(v1::RuleDocument { text: text.clone() })
        }
        Statement::RuleSetPublished {
            set_id,
            version,
            documents,
            effective,
        } => {
            let document = |(name, sha256): &(String, [u8; 32])| v1::RuleSetDocument {
                name: name.clone(),
                sha256: sha256.to_vec().into(),
            };
            Content::RuleSetPublished(v1::RuleSetPublished {
                set_id: set_id.clone(),
                version: version.clone(),
                documents: documents.iter().map(document).collect(),
                effective_from: date_text(effective.from),
                effective_to: date_text(effective.to),
            })
        }
        Statement::ProjectProposed(it) => Content::ProjectProposed(proposal_message(it)),
        Statement::ProjectReviewed {
            reviewer,
            institution,
            project,
            approve,
        } => Content::ProjectReviewed(v1::ProjectReviewed {
            reviewer: reviewer.to_string(),
            institution: institution.to_string(),
            project: project.to_string(),
            approve: *approve,
        }),
        Statement::ProjectAdmitted {
            institution,
            project,
            panel,
            expires_on,
        } => Content::ProjectAdmitted(v1::ProjectAdmitted {
            institution: institution.to_string(),
            project: project.to_string(),
            panel: u32::from(*panel),
            expires_on: date_text(*expires_on),
        }),
        Statement::ProjectRefused {
            institution,
            project,
        } => Content::ProjectRefused(v1::ProjectRefused {
            institution: institution.to_string(),
            project: project.to_string(),
        }),
        Statement::ProjectSuspended {
            institution,
            project,
            suspended,
        } => Content::ProjectSuspended(v1::ProjectSuspended {
            institution: institution.to_string(),
            project: project.to_string(),
            suspended: *suspended,
        }),
        _ => unreachable!("record::statement_message writes the other statements itself"),
    }
}

/// A proposal as its institution declares it.
pub fn proposal(it: &v1::ProjectProposed) -> Result<Proposal, Refusal> {
    let kind = ProjectKind::ALL
        .into_iter()
        .find(|kind| *kind as i32 == it.kind);
    Ok(Proposal {
        institution: InstitutionId::parse(&it.institution)?,
        project: Code::parse(&it.project)?,
        title: Label::parse(&it.title)?,
        category: Category::from_number(it.category.cast_unsigned())?,
        rule_set: digest(&it.rule_set_hash)?,
        standard: Code::parse(&it.standard)?.to_string(),
        standard_version: Code::parse(&it.standard_version)?.to_string(),
        kind: kind.ok_or(Refusal::ChoiceUnknown)?,
    })
}

/// The inverse of [`proposal`].
#[must_use]
pub fn proposal_message(it: &Proposal) -> v1::ProjectProposed {
    v1::ProjectProposed {
        institution: it.institution.to_string(),
        project: it.project.to_string(),
        title: it.title.to_string(),
        category: it.category.number() as i32,
        rule_set_hash: it.rule_set.to_vec().into(),
        standard: it.standard.clone(),
        standard_version: it.standard_version.clone(),
        kind: it.kind as i32,
    }
}

/// A date of the wire; empty is none.
pub(super) fn optional_date(text: &str) -> Result<Option<Date>, Refusal> {
    (!text.is_empty()).then(|| date(text)).transpose()
}

/// A date of the wire: `YYYY-MM-DD`, and nothing else that a parser might take.
pub fn date(text: &str) -> Result<Date, Refusal> {
    let date: Date = text.parse().map_err(|_| Refusal::NotADate)?;
    if date.to_string() == text {
        Ok(date)
    } else {
        Err(Refusal::NotADate)
    }
}

fn date_text(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}
