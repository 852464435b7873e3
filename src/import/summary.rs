//! What an import did, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::table::Rejects;

/// What an import did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(super) dry_run: bool,
    pub(crate) read: u64,
    /// In a dry run: rows that would be sent.
    pub(crate) valid: u64,
    pub(crate) created: u64,
    /// Deposited by an earlier run.
    pub(crate) already: u64,
    pub(crate) refused: u64,
    pub(super) by_code: BTreeMap<String, u64>,
    pub(super) rejects: Option<PathBuf>,
    pub(crate) elapsed: Duration,
}

impl Summary {
    pub(super) fn note_rejects(&mut self, rejects: &Rejects) {
        self.refused = rejects.rows();
        self.by_code = rejects.by_code().clone();
        self.rejects = (self.refused > 0).then(|| rejects.path().to_owned());
    }

    /// Rows read so far and how many a second.
    pub(super) fn rate(&self, elapsed: Duration) -> String {
        format!(
            "{} rows, {} a second",
            self.read,
            per_second(self.read, elapsed)
        )
    }

    /// The same as one JSON object.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "dry_run": self.dry_run,
            "read": self.read,
            "valid": self.valid,
            "created": self.created,
            "already_there": self.already,
            "refused": self.refused,
            "refused_by_code": self.by_code,
            "rejects_file": self.rejects,
            "milliseconds": self.elapsed.as_millis() as u64,
            "rows_per_second": per_second(self.read, self.elapsed),
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14}{:>12}", "rows read", self.read)?;
        if self.dry_run {
            writeln!(
                f,
                "{:<14}{:>12}  (dry run: nothing was sent)",
                "in order", self.valid
            )?;
        } else {
            writeln!(f, "{:<14}{:>12}", "created", self.created)?;
            writeln!(f, "{:<14}{:>12}", "already there", self.already)?;
        }
        writeln!(f, "{:<14}{:>12}", "refused", self.refused)?;
        for (code, rows) in &self.by_code {
            writeln!(f, "  {code:<32}{rows:>12}")?;
        }
        if let Some(path) = &self.rejects {
            writeln!(
                f,
                "Refused rows are in {} with their reasons. 被拒行及原因见此文件。",
                path.display()
            )?;
        }
        let (seconds, tenths) = (
            self.elapsed.as_millis() / 1000,
            self.elapsed.as_millis() % 1000 / 100,
        );
        write!(
            f,
            "{seconds}.{tenths} s, {} rows a second",
            per_second(self.read, self.elapsed)
        )
    }
}

/// Whole rows a second.
fn per_second(rows: u64, elapsed: Duration) -> u64 {
    let rate = u128::from(rows) * 1000 / elapsed.as_millis().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}
