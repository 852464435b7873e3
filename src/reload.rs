//! What changes without a restart: SIGHUP has settings and certificates read again. What cannot be used is said and changes
//! nothing.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::notify::{self, State};

/// What is read again.
pub(crate) trait Again: Send + 'static {
    /// Reads it; what cannot be used is the error. A stop does not wait for it.
    fn again(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Reads it at every SIGHUP, one after the other.
pub(crate) fn at_hangup(mut it: impl Again) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            notify::tell(State::Reloading);
            if let Err(error) = it.again().await {
                tracing::error!(error = %format!("{error:#}"), "reloading failed; everything stays as it was");
            }
            notify::tell(State::Reloaded);
        }
    });
    Ok(())
}

/// Says what became of settings that are different now. `taken` names those that need no restart.
pub(crate) fn tell<S: Serialize>(before: &S, now: &S, taken: &[&str]) {
    for key in changed(before, now) {
        if taken.contains(&key.as_str()) {
            tracing::info!(%key, "the setting is taken");
        } else {
            tracing::warn!(%key, "the setting has changed and needs a restart");
        }
    }
}

fn changed<S: Serialize>(before: &S, now: &S) -> BTreeSet<String> {
    let table = |settings: &S| toml::Table::try_from(settings).unwrap_or_default();
    let (before, now) = (table(before), table(now));
    let keys = before.keys().chain(now.keys());
    let differs = |key: &&String| before.get(*key) != now.get(*key);
    keys.filter(differs).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn what_changed_is_named_whatever_was_added_or_left_out() {
        let before = Settings::default();
        let now = Settings {
            log: "debug".to_owned(),
            metrics: Some(([127, 0, 0, 1], 7302).into()),
            ..Settings::default()
        };
        let names = BTreeSet::from(["log".to_owned(), "metrics".to_owned()]);
        assert_eq!(changed(&before, &now), names);
        assert_eq!(changed(&now, &before), names);
        assert_eq!(changed(&now, &now), BTreeSet::new());
    }
}
