//! A record as a line of a list.

use creditbank_wire::Message as _;
use creditbank_wire::v1;

use crate::ask::institutions::Names;
use crate::frame::Frame;
use crate::show;

/// A record as a line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) leaf_index: u64,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) institution: String,
    /// Where it comes from, if from another region.
    pub(crate) from_region: Option<String>,
    pub(crate) completed_on: String,
    /// Credits, hours and grade, in words.
    pub(crate) amounts: Vec<String>,
    pub(crate) state: State,
    /// Whether a decision stands on it.
    pub(crate) used: bool,
}

/// The state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(pub(crate) v1::RecordState);

impl State {
    /// Of a record.
    pub(crate) fn of(record: &v1::ArchiveRecord) -> Self {
        Self(v1::RecordState::try_from(record.state).unwrap_or_default())
    }

    /// In a word.
    pub(crate) fn word(self, f: &Frame) -> String {
        match self.0 {
            v1::RecordState::Active => f.t("archive-state-active"),
            v1::RecordState::Amended => f.t("archive-state-amended"),
            v1::RecordState::Revoked => f.t("archive-state-revoked"),
            v1::RecordState::Disputed => f.t("archive-state-disputed"),
            v1::RecordState::Unspecified => f.t("archive-state-unknown"),
        }
    }

    /// What it means, in a sentence.
    pub(crate) fn meaning(self, f: &Frame) -> String {
        match self.0 {
            v1::RecordState::Active => f.t("archive-meaning-active"),
            v1::RecordState::Amended => f.t("archive-meaning-amended"),
            v1::RecordState::Revoked => f.t("archive-meaning-revoked"),
            v1::RecordState::Disputed => f.t("archive-meaning-disputed"),
            v1::RecordState::Unspecified => f.t("archive-meaning-unknown"),
        }
    }

    /// The look of its tag, beside the word.
    pub(crate) fn look(self) -> &'static str {
        match self.0 {
            v1::RecordState::Active => "good",
            v1::RecordState::Revoked => "bad",
            v1::RecordState::Disputed => "warn",
            v1::RecordState::Amended | v1::RecordState::Unspecified => "calm",
        }
    }

    /// Whether it holds as it stands.
    pub(crate) fn is_active(self) -> bool {
        self.0 == v1::RecordState::Active
    }
}

impl Row {
    /// A record that shows an outcome; no other has a line.
    pub(crate) fn of(f: &Frame, names: &Names, record: &v1::ArchiveRecord) -> Option<Self> {
        let (outcome, origin) = parts(&record.payload)?;
        let institution = match &origin {
            Some(origin) => origin.institution.clone(),
            None => names.of(&record.issuer).to_owned(),
        };
        Some(Self {
            leaf_index: record.leaf_index,
            category: show::category(f.view.lang, outcome.category() as i32),
            institution,
            from_region: origin.map(|it| it.region(f)),
            amounts: amounts(f, &outcome),
            completed_on: outcome.completed_on,
            name: outcome.achievement.map(|it| it.name).unwrap_or_default(),
            state: State::of(record),
            used: !record.used_by.is_empty(),
        })
    }

    /// The year it was completed in; empty where it is not known.
    pub(crate) fn year(&self) -> &str {
        self.completed_on.get(..4).unwrap_or_default()
    }
}

/// Where an outcome of another region's bank comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Of the log there.
    pub(crate) log: String,
    pub(crate) institution: String,
    region_code: String,
    /// The only programme that it may be used for.
    pub(crate) programme: String,
}

impl Origin {
    /// Of a payload, if it came from another bank.
    pub(crate) fn of(payload: &[u8]) -> Option<Self> {
        match v1::Payload::decode(payload).ok()?.content? {
            v1::payload::Content::Transferred(it) => Some(Self::from(it)),
            _ => None,
        }
    }

    /// The province, as people say it; the name of the log where that is all that is known.
    pub(crate) fn region(&self, f: &Frame) -> String {
        match super::details::province(f, self.region_code.get(..2).unwrap_or_default()) {
            Some(name) => name,
            None => self.log.clone(),
        }
    }
}

impl From<v1::Transferred> for Origin {
    fn from(it: v1::Transferred) -> Self {
        Self {
            institution: if it.issuer_name.is_empty() {
                it.issuer
            } else {
                it.issuer_name
            },
            log: it.origin,
            region_code: it.issuer_region,
            programme: it.programme,
        }
    }
}

/// The outcome of a payload, if it shows one, and where it comes from, if from another region.
fn parts(payload: &[u8]) -> Option<(v1::Outcome, Option<Origin>)> {
    let mut payload = v1::Payload::decode(payload).ok()?;
    match payload.content.take() {
        Some(v1::payload::Content::Transferred(mut it)) => {
            Some((it.outcome.take()?, Some(Origin::from(it))))
        }
        content => {
            payload.content = content;
            Some((payload.deposited_outcome()?, None))
        }
    }
}

/// Credits, hours and grade in words, as far as there are any.
pub(crate) fn amounts(f: &Frame, outcome: &v1::Outcome) -> Vec<String> {
    let sum = |amount: Option<u32>| amount.filter(|it| *it > 0).map(u64::from);
    let credits = sum(outcome.credits_hundredths)
        .map(|it| f.t1("archive-credits", "n", &show::hundredths(it)));
    let hours =
        sum(outcome.hours_hundredths).map(|it| f.t1("archive-hours", "n", &show::hundredths(it)));
    let grade = show::grade(f.view.lang, outcome.grade.as_ref());
    let grade = (!grade.is_empty()).then(|| f.t1("archive-grade-is", "grade", &grade));
    credits.into_iter().chain(hours).chain(grade).collect()
}

/// The lines of a page, by year of completion, the newest first.
pub(crate) fn by_year(mut rows: Vec<Row>) -> Vec<(String, Vec<Row>)> {
    rows.sort_by(|a, b| (&b.completed_on, b.leaf_index).cmp(&(&a.completed_on, a.leaf_index)));
    let mut years: Vec<(String, Vec<Row>)> = Vec::new();
    for row in rows {
        match years.last_mut() {
            Some((year, rows)) if year == row.year() => rows.push(row),
            _ => years.push((row.year().to_owned(), vec![row])),
        }
    }
    years
}

#[cfg(test)]
mod tests {
    use creditbank_wire::v1;

    use super::{Row, State, by_year};

    fn row(leaf_index: u64, completed_on: &str) -> Row {
        Row {
            leaf_index,
            name: String::new(),
            category: String::new(),
            institution: String::new(),
            from_region: None,
            completed_on: completed_on.to_owned(),
            amounts: Vec::new(),
            state: State(v1::RecordState::Active),
            used: false,
        }
    }

    #[test]
    fn a_page_is_grouped_by_year_and_the_newest_stands_first() {
        let rows = vec![
            row(9, "2019-01-02"),
            row(8, "2024-06-30"),
            row(7, ""),
            row(6, "2024-06-30"),
            row(5, "2019-12-31"),
        ];
        let years: Vec<_> = by_year(rows)
            .into_iter()
            .map(|(year, rows)| {
                let leaves: Vec<_> = rows.iter().map(|it| it.leaf_index).collect();
                (year, leaves)
            })
            .collect();
        let expected = [
            ("2024".to_owned(), vec![8, 6]),
            ("2019".to_owned(), vec![5, 9]),
            (String::new(), vec![7]),
        ];
        assert_eq!(years, expected);
        assert!(by_year(Vec::new()).is_empty());
    }
}
