//! What became of a bank's backups, as whoever watches the bank has to know it.
//!
//! The program that makes backups notes it in a file beside the database, in a folder that it writes to anyway: so no call
//! has to be believed, and it is remembered across restarts. A note proves nothing and is in no backup.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How old the newest backup may be before somebody has to act; the alert `BackupIsOld` says the same.
pub const BACKUP_AGE_MAX_S: u64 = 2 * 86_400;

/// What is known of the backups that were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackedUp {
    /// When the last one was whole at its target, and what was not to stay had been removed there, older learners' keys
    /// with it; seconds since the epoch, 0 if there was none.
    pub finished_at_s: u64,
    /// Leaves in it.
    pub leaves: u64,
    /// Attempts that have failed since.
    pub failed: u64,
}

impl BackedUp {
    /// After a backup that was finished.
    #[must_use]
    pub fn finished(at_s: u64, leaves: u64) -> Self {
        Self {
            finished_at_s: at_s,
            leaves,
            failed: 0,
        }
    }

    /// After another attempt that came to nothing.
    #[must_use]
    pub fn failed_again(self) -> Self {
        Self {
            failed: self.failed.saturating_add(1),
            ..self
        }
    }

    /// What was noted beside a database; nothing, where no backup was ever tried.
    ///
    /// # Errors
    /// The file cannot be read, or is none of these.
    pub fn read(database: &Path) -> io::Result<Self> {
        match fs::read(place(database)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Notes it. If we crash before this returns, the note before holds, and says less than is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, database: &Path) -> io::Result<()> {
        let (place, new) = (place(database), database.with_file_name("backup.noted.new"));
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(new, place)
    }
}

fn place(database: &Path) -> PathBuf {
    database.with_file_name("backup.noted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_what_is_known_of_the_backup_before_and_a_success_forgets_failures() {
        let never = BackedUp::default().failed_again();
        assert_eq!((never.finished_at_s, never.failed), (0, 1));
        let made = BackedUp::finished(1_000, 7);
        assert_eq!(made.failed, 0);
        let failed = made.failed_again().failed_again();
        assert_eq!((failed.finished_at_s, failed.leaves), (1_000, 7));
        assert_eq!(failed.failed, 2);
    }
}
