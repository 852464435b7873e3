//! What a transcript says, apart from how it is printed.

use jiff::civil::Date;

/// The most records of one transcript.
pub(crate) const RECORDS_MAX: usize = 2_000;
/// The most records of one set, which has one QR code.
pub(crate) const SET_MAX: usize = 50;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pair {
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Pair {
    /// Both texts.
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// In which languages a transcript is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Languages {
    /// 中文
    Zh,
    /// English
    En,
    /// Chinese, with English beside it.
    Both,
}

impl Languages {
    /// As an address has it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            "both" => Some(Self::Both),
            _ => None,
        }
    }

    /// As an address has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
            Self::Both => "both",
        }
    }
}

/// A transcript of learning outcomes.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    pub(crate) languages: Languages,
    /// Name of the bank.
    pub(crate) bank: Pair,
    pub(crate) holder: Holder,
    pub(crate) printed_on: Date,
    /// Origin of the log, and its size when the records were read.
    pub(crate) log_origin: String,
    pub(crate) log_size: u64,
    /// One a category, in their order; at most [`RECORDS_MAX`] records in all.
    pub(crate) groups: Vec<Group>,
    /// Address of the page that verifies.
    pub(crate) verify_link: String,
    /// Until when the links of the sets work; `None` where they lead to `verify_link`.
    pub(crate) shared_until: Option<Date>,
}

/// Whose transcript it is. Its `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct Holder {
    /// As in the document; may be empty.
    pub(crate) name: String,
    /// 16 digits in groups of four.
    pub(crate) code: String,
    /// Kind and masked number of each document.
    pub(crate) identities: Vec<(Pair, String)>,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holder(redacted)")
    }
}

/// The records of a category.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) category: Pair,
    /// Each of 1 to [`SET_MAX`] records.
    pub(crate) sets: Vec<RecordSet>,
}

/// Records that are verified together.
#[derive(Debug, Clone)]
pub(crate) struct RecordSet {
    pub(crate) records: Vec<Record>,
    /// What the QR code holds.
    pub(crate) link: String,
}

/// A line of the transcript.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) leaf_index: u64,
    /// The commitment to it in the log.
    pub(crate) commitment: [u8; 32],
    pub(crate) name: String,
    pub(crate) institution: String,
    /// ISO 8601.
    pub(crate) completed_on: String,
    pub(crate) credits_hundredths: Option<u32>,
    pub(crate) hours_hundredths: Option<u32>,
    /// Empty where there is none.
    pub(crate) grade: Pair,
    pub(crate) state: Pair,
    pub(crate) is_in_force: bool,
}

/// Sums over the records in force of a group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) records: u64,
    pub(crate) credits_hundredths: u64,
    pub(crate) hours_hundredths: u64,
}

impl Group {
    /// Sums over the records in force.
    pub(crate) fn totals(&self) -> Totals {
        let in_force = || {
            let records = self.sets.iter().flat_map(|it| &it.records);
            records.filter(|it| it.is_in_force)
        };
        let sum =
            |amount: fn(&Record) -> Option<u32>| in_force().filter_map(amount).map(u64::from).sum();
        Totals {
            records: in_force().map(|_| 1).sum(),
            credits_hundredths: sum(|it| it.credits_hundredths),
            hours_hundredths: sum(|it| it.hours_hundredths),
        }
    }
}
