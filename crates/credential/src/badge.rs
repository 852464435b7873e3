//! One record as an Open Badge.
//!
//! Every struct here is closed: a JSON-LD processor drops terms that its contexts do not define without a word, and what it
//! drops is not signed. A test holds our canonical form against another processor's for each of them.

use creditbank_domain::outcome::Detail;
use creditbank_domain::{InstitutionId, LeafIndex, LearnerCode, Outcome};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Number;

use crate::base_url::BaseUrl;
use crate::context::{CREDENTIALS_V2, OPEN_BADGES};
use crate::evidence::{self, Evidence};
use crate::identity::Identity;
use crate::proof::{Credential, Issuer, Profile, Signed};
use crate::status::StatusEntry;
use crate::{CredentialError, decimal, time, wording};

const CONTEXT: [&str; 2] = [CREDENTIALS_V2, OPEN_BADGES];

/// Who deposited a record.
#[derive(Clone, Copy, Debug)]
pub struct Institution<'a> {
    /// Its id in the bank.
    pub id: &'a InstitutionId,
    /// Its registered name.
    pub name: &'a str,
}

/// A record in force, with what proves it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Whose it is.
    pub learner: LearnerCode,
    /// Where it stands in the log.
    pub leaf: LeafIndex,
    /// Who deposited it.
    pub institution: Institution<'a>,
    /// When it was deposited.
    pub deposited_at: Timestamp,
    /// What was achieved.
    pub outcome: &'a Outcome,
    /// Its receipt, as [`evidence::RECEIPT`] says.
    pub receipt: &'a str,
    /// Salt of its commitment.
    pub salt: &'a [u8; 32],
    /// Its payload, as the institution sent it.
    pub payload: &'a [u8],
}

/// `OpenBadgeCredential`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Badge {
    #[serde(rename = "@context")]
    context: [&'static str; 2],
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 2],
    name: String,
    issuer: Profile,
    valid_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    awarded_date: String,
    credential_subject: AchievementSubject,
    credential_status: StatusEntry,
    evidence: [Evidence; 2],
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AchievementSubject {
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    identifier: [Identity; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_start_date: Option<String>,
    activity_end_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_earned: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<String>,
    achievement: Achievement,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result: Vec<ResultValue>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Achievement {
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    name: String,
    description: String,
    achievement_type: &'static str,
    criteria: Criteria,
    creator: Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_available: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    human_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    specialization: Option<String>,
    in_language: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result_description: Vec<ResultDescription>,
}

#[derive(Clone, Debug, Serialize)]
struct Criteria {
    narrative: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultDescription {
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    name: &'static str,
    result_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_max: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultValue {
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    result_description: String,
    value: String,
}

impl Credential for Badge {
    fn contexts(&self) -> &'static [&'static str] {
        &CONTEXT
    }
}

impl Badge {
    /// From when it holds.
    pub(crate) fn valid_from(&self) -> &str {
        &self.valid_from
    }
}

/// Signs a record as an Open Badge. It holds from the record's deposit, and until the end of a certificate that has one.
///
/// # Errors
/// Only faults of this program.
pub fn issue(
    issuer: &Issuer<'_>,
    base: &BaseUrl,
    record: &Record<'_>,
    created: Timestamp,
) -> Result<Signed<Badge>, CredentialError> {
    let outcome = record.outcome;
    let leaf = record.leaf.to_string();
    let badge = Badge {
        context: CONTEXT,
        id: issuer.urn(&["credential", &leaf]),
        kind: ["VerifiableCredential", "OpenBadgeCredential"],
        name: outcome.achievement.name.to_string(),
        issuer: issuer.profile(),
        valid_from: time::utc(record.deposited_at)?,
        valid_until: valid_until(outcome),
        awarded_date: time::day(outcome.completed_on, outcome.completed_at),
        credential_subject: subject(issuer, record),
        credential_status: StatusEntry::new(base, record.leaf),
        evidence: [
            evidence::receipt(record.receipt),
            evidence::opening(record.salt, record.payload),
        ],
    };
    Signed::new(badge, issuer, created)
}

fn valid_until(outcome: &Outcome) -> Option<String> {
    match &outcome.detail {
        Detail::SkillCertificate(certificate) => certificate.valid_until.map(time::end_of),
        _ => None,
    }
}

fn subject(issuer: &Issuer<'_>, record: &Record<'_>) -> AchievementSubject {
    let outcome = record.outcome;
    let credits = outcome
        .credits
        .map(|credit| decimal::from_hundredths(credit.hundredths()));
    let (result_description, result) = results(issuer, record).into_iter().unzip();
    AchievementSubject {
        kind: ["AchievementSubject"],
        identifier: [Identity::of(record.learner, &[*record.salt])],
        activity_start_date: outcome.started_on.map(|date| time::day(date, None)),
        activity_end_date: time::day(outcome.completed_on, outcome.completed_at),
        credits_earned: credits.clone(),
        license_number: match &outcome.detail {
            Detail::SkillCertificate(certificate) => {
                certificate.number.as_ref().map(ToString::to_string)
            }
            _ => None,
        },
        term: wording::term(outcome),
        achievement: achievement(issuer, record, credits, result_description),
        result,
    }
}

/// The achievement has the record's own id: two records of one course may differ in name and credits, and would become
/// one node of a graph with both.
fn achievement(
    issuer: &Issuer<'_>,
    record: &Record<'_>,
    credits_available: Option<Number>,
    result_description: Vec<ResultDescription>,
) -> Achievement {
    let (outcome, institution) = (record.outcome, record.institution);
    let id = institution.id.as_str();
    Achievement {
        id: issuer.urn(&["achievement", id, &record.leaf.to_string()]),
        kind: ["Achievement"],
        name: outcome.achievement.name.to_string(),
        description: wording::description(outcome.category()),
        achievement_type: wording::achievement_type(outcome),
        criteria: Criteria {
            narrative: wording::criteria(institution.name),
        },
        creator: Profile::new(issuer.urn(&["institution", id]), institution.name),
        credits_available,
        human_code: outcome.achievement.code.as_ref().map(ToString::to_string),
        specialization: wording::specialization(outcome),
        in_language: "zh-CN",
        result_description,
    }
}

/// Grade, hours and level: what the vocabulary has no member of its own for.
fn results(issuer: &Issuer<'_>, record: &Record<'_>) -> Vec<(ResultDescription, ResultValue)> {
    let outcome = record.outcome;
    let leaf = record.leaf.to_string();
    let result = |part: &str, name, result_type, value_max, value: String| {
        let id = issuer.urn(&["result", &leaf, part]);
        let description = ResultDescription {
            id: id.clone(),
            kind: ["ResultDescription"],
            name,
            result_type,
            value_max,
        };
        let value = ResultValue {
            kind: ["Result"],
            result_description: id,
            value,
        };
        (description, value)
    };
    let grade = outcome.grade.map(|grade| {
        let (result_type, max) = wording::grade_type(&grade);
        let max = max.map(|max| decimal::from_hundredths(max).to_string());
        result("grade", "成绩 Grade", result_type, max, grade.to_string())
    });
    let hours = outcome
        .hours
        .map(|hours| result("hours", "学时 Hours", "Result", None, hours.to_string()));
    let level = match &outcome.detail {
        Detail::SkillCertificate(certificate) => wording::level(certificate),
        _ => None,
    };
    let level = level.map(|level| result("level", "等级 Level", "PerformanceLevel", None, level));
    [grade, hours, level].into_iter().flatten().collect()
}
