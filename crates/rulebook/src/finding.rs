//! What is wrong with rule documents, said so that whoever wrote them knows what to change.

use std::fmt;

use creditbank_domain::rules::{Place, RuleSet, Wording};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The set cannot be published.
    Error,
    /// It can, but look at it.
    Warning,
}

impl Severity {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its stable code, one of [`CODES`].
    pub code: &'static str,
    /// The document; empty for what is about the set as a whole.
    pub document: String,
    /// The line, from 1; 0 for what is about the set as a whole.
    pub line: u32,
    /// What is wrong and what to change.
    pub message: Wording,
}

impl Finding {
    /// A finding at a place of the set.
    pub(crate) fn at(
        set: &RuleSet,
        place: Place,
        severity: Severity,
        code: &'static str,
        message: Wording,
    ) -> Self {
        let document = set.documents.get(usize::from(place.document));
        Self {
            severity,
            code,
            document: document.map_or_else(String::new, |document| document.name.clone()),
            line: place.line,
            message,
        }
    }

    /// A fault about a document as a whole, or about the set where `document` is empty.
    pub(crate) fn whole(code: &'static str, document: &str, message: Wording) -> Self {
        Self {
            severity: Severity::Error,
            code,
            document: document.to_owned(),
            line: u32::from(!document.is_empty()),
            message,
        }
    }
}

/// As compilers print it, in English.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (severity, code, message) = (self.severity.code(), self.code, &self.message.en);
        if !self.document.is_empty() {
            write!(f, "{}:{}: ", self.document, self.line)?;
        }
        write!(f, "{severity} {code}: {message}")
    }
}

/// Declares the codes: a constant each, and all of them in a table.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// The constants behind [`CODES`].
        pub(crate) mod code {
            $($(#[$doc])* pub(crate) const $name: &str = stringify!($name);)*
        }

        /// Every code that a finding may carry. A code keeps its meaning for ever.
        pub const CODES: &[&str] = &[$(code::$name),*];
    };
}

codes! {
    /// A document's name is not `[a-z0-9][a-z0-9-]*.toml`, or there are two of it.
    DOCUMENT_NAME
    /// No documents, or too many.
    DOCUMENT_COUNT
    /// A document is too large.
    DOCUMENT_TOO_LARGE
    /// Not UTF-8, a byte order mark, or a carriage return.
    DOCUMENT_BYTES
    /// Not TOML.
    SYNTAX
    /// A document without `[document]`.
    DOCUMENT_MISSING
    /// No `[set]`, or two.
    SET_COUNT
    /// A table that a set has once stands in two documents.
    TABLE_REPEATED
    /// A key that means nothing here.
    KEY_UNKNOWN
    /// A key that must be there.
    KEY_MISSING
    /// Two keys of which only one may be there.
    KEY_CONFLICT
    /// Another type of TOML value.
    TYPE
    /// A list with nothing in it, too much in it, or the same twice.
    LIST
    /// An empty or too long text, or one with control characters.
    TEXT
    /// Not an id.
    ID
    /// Not an amount of credits or hours, or out of range.
    AMOUNT
    /// Not a whole number in range.
    NUMBER
    /// Not a date.
    DATE
    /// A period that ends before it begins.
    PERIOD
    /// Not a share such as `"35%"`.
    SHARE
    /// None of the words that may stand here.
    CHOICE
    /// A divisor of zero.
    ZERO_DIVISOR
    /// The same id twice, or twice in overlapping periods.
    ID_REPEATED
    /// An id that the set does not have.
    REFERENCE
    /// A key that this form of rule may not have.
    FORM_EXCLUDES
    /// A key that this form of rule needs.
    FORM_NEEDS
    /// An example's outcome that no institution could deposit.
    EXAMPLE_OUTCOME
    /// Two rules give different credit for the same, or one gives what the other denies.
    CONTRADICTION
    /// Two rules are about the same outcomes and the same target.
    OVERLAP
    /// Something that no outcome, programme or day can ever meet.
    UNREACHABLE
    /// A target that no programme of the rule has.
    TARGET_UNKNOWN
    /// A target that stands twice in one rule.
    TARGET_REPEATED
    /// Targets that together exceed what the source is worth, or may.
    TARGETS_EXCEED_SOURCE
    /// Days between two versions on which none is in force.
    DATE_GAP
    /// A limit that can never bite.
    LIMIT_IDLE
    /// A limit that lets nothing through.
    LIMIT_CLOSED
    /// A limit looks at the major, and a programme does not say what its major is called.
    SUBJECT_UNNAMED
    /// A programme that nobody can complete, or whose numbers contradict each other.
    PROGRAMME_SUMS
    /// A whole that is a part of itself by way of others.
    WHOLE_CYCLE
    /// No clause is cited.
    CLAUSE_MISSING
    /// A document that does not say where it comes from.
    SOURCE_MISSING
    /// No example uses it.
    EXAMPLE_MISSING
}
