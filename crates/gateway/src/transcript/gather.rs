//! Reads an archive into a transcript.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::record::commitment;
use creditbank_wire::v1;
use jiff::civil::Date;

use super::route::Unprinted;
use super::seal::seal;
use super::sheet::{
    Group, Holder, Languages, Pair, RECORDS_MAX, Record, RecordSet, SET_MAX, Transcript,
};
use crate::app::App;
use crate::failure::Failure;
use crate::show;
use crate::words::Lang;

/// Records a page of the ledger's answer.
const PAGE: u32 = 500;
/// Pages that are read at most for chosen records.
const PAGES_MAX: usize = 40;

/// What a learner wants printed.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) languages: Languages,
    /// Only these; empty for all in force or disputed.
    pub(super) leaves: BTreeSet<u64>,
    /// Only of these; empty for all.
    pub(super) categories: Vec<i32>,
}

/// The transcript of a learner, every set with the link to the public page that verifies it.
pub(super) async fn gather(
    app: &App,
    learner: &str,
    choice: &Choice,
    today: Date,
) -> Result<Transcript, Unprinted> {
    let profile = app.learner_profile(learner).await?;
    let (found, log_size) = records(app, learner, choice).await?;
    let lines = lines(app, &found).await;
    let verify_link = format!("{}/verify", app.options.base_url);
    let issuer = &app.known().issuer;
    Ok(Transcript {
        languages: choice.languages,
        bank: Pair::new(&issuer.name_zh, &issuer.name_en),
        holder: holder(profile),
        printed_on: today,
        log_origin: issuer.origin.clone(),
        log_size,
        groups: groups(lines, &verify_link),
        verify_link,
        shared_until: None,
    })
}

async fn records(
    app: &App,
    learner: &str,
    choice: &Choice,
) -> Result<(Vec<v1::ArchiveRecord>, u64), Unprinted> {
    let mut found = Vec::new();
    let mut token = String::new();
    let mut log_size = 0;
    for _ in 0..PAGES_MAX {
        let request = v1::ListRecordsRequest {
            learner: learner.to_owned(),
            page_size: PAGE,
            page_token: token,
            categories: choice.categories.clone(),
            states: states(choice),
            ..Default::default()
        };
        let page = app.records(request).await?;
        log_size = page.tree_size;
        let chosen = |it: &v1::ArchiveRecord| {
            choice.leaves.is_empty() || choice.leaves.contains(&it.leaf_index)
        };
        let shown = |it: &v1::ArchiveRecord| chosen(it) && show::outcome(&it.payload).is_some();
        found.extend(page.records.into_iter().filter(shown));
        if found.len() > RECORDS_MAX {
            return Err(Unprinted::TooManyRecords);
        }
        token = page.next_page_token;
        if token.is_empty() || (found.len() == choice.leaves.len() && !found.is_empty()) {
            break;
        }
    }
    // A record that is not there and one that is another's have one answer.
    if !choice.leaves.is_empty() && found.len() != choice.leaves.len() {
        return Err(Failure::NotFound.into());
    }
    Ok((found, log_size))
}

/// All states for records that were chosen; else those that an archive stands by.
fn states(choice: &Choice) -> Vec<i32> {
    if choice.leaves.is_empty() {
        vec![
            v1::RecordState::Active as i32,
            v1::RecordState::Disputed as i32,
        ]
    } else {
        Vec::new()
    }
}

/// Category and line of each record.
async fn lines(app: &App, found: &[v1::ArchiveRecord]) -> Vec<(i32, Record)> {
    let outcomes = found
        .iter()
        .filter_map(|it| Some((it, show::outcome(&it.payload)?)));
    let outcomes: Vec<_> = outcomes.collect();
    let nameless = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.institution_name.is_empty());
    let issuers = nameless.map(|(it, _)| &*it.issuer);
    let names = app.institution_names(issuers).await;
    let line = |(it, outcome): (&v1::ArchiveRecord, v1::Outcome)| {
        let issuer = names.of(&it.issuer);
        ((outcome.category() as i32), record(it, outcome, issuer))
    };
    outcomes.into_iter().map(line).collect()
}

/// The commitment in the log. Without a salt there is none to be held against, and the seal fits no file.
fn commitment_of(it: &v1::ArchiveRecord) -> [u8; 32] {
    let salt = <&[u8; 32]>::try_from(&*it.salt);
    salt.map_or([0; 32], |salt| commitment(salt, &it.payload))
}

fn record(it: &v1::ArchiveRecord, outcome: v1::Outcome, issuer: &str) -> Record {
    let grade = |lang| show::grade(lang, outcome.grade.as_ref());
    Record {
        leaf_index: it.leaf_index,
        commitment: commitment_of(it),
        grade: Pair::new(grade(Lang::Zh), grade(Lang::En)),
        name: outcome.achievement.map(|it| it.name).unwrap_or_default(),
        institution: if outcome.institution_name.is_empty() {
            issuer.to_owned()
        } else {
            outcome.institution_name
        },
        completed_on: outcome.completed_on,
        credits_hundredths: outcome.credits_hundredths,
        hours_hundredths: outcome.hours_hundredths,
        state: state(it.state()),
        is_in_force: it.state() == v1::RecordState::Active,
    }
}

fn state(state: v1::RecordState) -> Pair {
    match state {
        v1::RecordState::Active => Pair::new("有效", "In force"),
        v1::RecordState::Amended => Pair::new("已更正", "Amended"),
        v1::RecordState::Revoked => Pair::new("已撤销", "Revoked"),
        v1::RecordState::Disputed => Pair::new("存疑", "Disputed"),
        v1::RecordState::Unspecified => Pair::new("未知", "Unknown"),
    }
}

/// Groups in the order of categories, lines in the order of days; what has no category last.
fn groups(lines: Vec<(i32, Record)>, link: &str) -> Vec<Group> {
    let mut by_category: BTreeMap<(bool, i32), Vec<Record>> = BTreeMap::new();
    for (category, record) in lines {
        let key = (category == 0, category);
        by_category.entry(key).or_default().push(record);
    }
    let group = |((_, category), mut records): ((bool, i32), Vec<Record>)| {
        records
            .sort_by(|a, b| (&a.completed_on, a.leaf_index).cmp(&(&b.completed_on, b.leaf_index)));
        let name = |lang| show::category(lang, category);
        let set = |records: &[Record]| RecordSet {
            records: records.to_vec(),
            link: format!("{link}#{}", seal(records)),
        };
        Group {
            category: Pair::new(name(Lang::Zh), name(Lang::En)),
            sets: records.chunks(SET_MAX).map(set).collect(),
        }
    };
    by_category.into_iter().map(group).collect()
}

fn holder(profile: v1::LearnerProfile) -> Holder {
    let identity = |it: v1::MaskedIdentity| (kind(it.kind()), it.masked_number);
    Holder {
        code: show::learner_code(&profile.learner),
        name: profile.name,
        identities: profile.identities.into_iter().map(identity).collect(),
    }
}

fn kind(kind: v1::IdentityKind) -> Pair {
    use v1::IdentityKind as Kind;
    match kind {
        Kind::ResidentId => Pair::new("居民身份证", "Resident identity card"),
        Kind::Passport => Pair::new("护照", "Passport"),
        Kind::ResidencePermit => Pair::new(
            "港澳台居民居住证",
            "Residence permit for Hong Kong, Macao and Taiwan residents",
        ),
        Kind::HongKongMacaoPermit => Pair::new(
            "港澳居民来往内地通行证",
            "Mainland travel permit for Hong Kong and Macao residents",
        ),
        Kind::TaiwanPermit => Pair::new(
            "台湾居民来往大陆通行证",
            "Mainland travel permit for Taiwan residents",
        ),
        Kind::PermanentResidentId => Pair::new(
            "外国人永久居留身份证",
            "Foreign permanent resident identity card",
        ),
        Kind::StudentNumber => Pair::new("学号（未经核验）", "Student number (not verified)"),
        Kind::Unspecified => Pair::new("其他证件", "Other document"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Pair, Record, groups};

    fn line(category: i32, leaf_index: u64, completed_on: &str) -> (i32, Record) {
        let record = Record {
            leaf_index,
            commitment: [0; 32],
            name: String::new(),
            institution: String::new(),
            completed_on: completed_on.to_owned(),
            credits_hundredths: None,
            hours_hundredths: None,
            grade: Pair::default(),
            state: Pair::default(),
            is_in_force: true,
        };
        (category, record)
    }

    #[test]
    fn records_stand_by_category_and_day_in_sets_of_fifty() {
        let mut lines = vec![
            line(0, 1, "2020-01-01"),
            line(6, 9, "2024-01-01"),
            line(6, 8, "2024-01-01"),
            line(6, 10, "2019-01-01"),
        ];
        lines.extend((100..151).map(|leaf| line(1, leaf, "2021-01-01")));
        let groups = groups(lines, "https://bank.example/verify");
        let names: Vec<&str> = groups.iter().map(|it| &*it.category.en).collect();
        assert_eq!(names.len(), 3);
        assert_eq!(names[2], "Other");
        let sizes: Vec<usize> = groups[0].sets.iter().map(|it| it.records.len()).collect();
        assert_eq!(sizes, [50, 1]);
        let elder = &groups[1].sets[0].records;
        let leaves: Vec<u64> = elder.iter().map(|it| it.leaf_index).collect();
        assert_eq!(leaves, [10, 8, 9]);
    }
}
