//! Rule documents as people write them, and the rule sets of the domain that they say.
//!
//! A rule set is a directory of TOML documents. This crate reads them ([`read`]), tells everything that is wrong with
//! its document and line, looks for what is well written and yet wrong ([`check`]), runs the worked examples
//! ([`examples`], [`run`]), says in words what differs between two sets ([`diff`]), names the published bytes
//! ([`manifest`]) and writes decisions as JSON ([`decision_json`]).
//!
//! It has a wall of its own because it alone knows TOML and JSON: the domain stays free of both. It opens no file,
//! reads no clock, and decides nothing: decisions are `creditbank_domain::rules::evaluate`'s alone.

mod check;
mod decision;
mod diff;
mod example;
mod finding;
mod names;
mod read;
mod source;
mod words;

pub use self::check::check;
pub use self::decision::decision_json;
pub use self::diff::{Change, ChangeKind, diff};
pub use self::example::{
    Before, Breach, Example, ExampleResult, Expect, ExpectedLine, ExpectedRefusal, examples, run,
};
pub use self::finding::{CODES, Finding, Severity};
pub use self::read::read;
pub use self::source::{
    DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, Manifest, NAME_BYTES_MAX, Source, manifest,
};
