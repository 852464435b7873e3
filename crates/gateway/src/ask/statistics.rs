//! Yearbooks. They never change, so one that was read is kept; the list is read again after a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use creditbank_client::{ClientError, statistics};
use creditbank_domain::statistics::Yearbook;
use creditbank_wire::v1;

use crate::app::App;
use crate::clock;

/// How long the list of years is good.
const GOOD_MS: u64 = 60_000;
/// Yearbooks that are kept: more than anybody turns pages of.
const KEPT_MAX: usize = 32;

/// One yearbook with the names of its institutions.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) yearbook: Yearbook,
    pub(crate) hash: Vec<u8>,
    pub(crate) institutions: Vec<v1::InstitutionName>,
}

/// What was read before.
#[derive(Debug, Default)]
pub(crate) struct Yearbooks(Mutex<Read>);

#[derive(Debug, Default)]
struct Read {
    years: Vec<u16>,
    read_ms: u64,
    kept: HashMap<u16, Arc<Published>>,
}

impl Yearbooks {
    fn with<T>(&self, look: impl FnOnce(&mut Read) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// The years whose yearbooks were published, newest first.
    pub(crate) async fn yearbook_years(&self) -> Result<Vec<u16>, ClientError> {
        let now_ms = clock::now_ms();
        let is_good = |read: &mut Read| {
            (now_ms.saturating_sub(read.read_ms) < GOOD_MS).then(|| read.years.clone())
        };
        if let Some(years) = self.yearbooks.with(is_good) {
            return Ok(years);
        }
        let listed = statistics::list(&self.bank).await?;
        let years = listed.iter().rev();
        let years: Vec<u16> = years.filter_map(|it| it.year.try_into().ok()).collect();
        self.yearbooks.with(|read| {
            read.years.clone_from(&years);
            read.read_ms = now_ms;
        });
        Ok(years)
    }

    /// The yearbook of a year; none where there is none.
    pub(crate) async fn yearbook(&self, year: u16) -> Result<Option<Arc<Published>>, ClientError> {
        if let Some(kept) = self.yearbooks.with(|read| read.kept.get(&year).cloned()) {
            return Ok(Some(kept));
        }
        if !self.yearbook_years().await?.contains(&year) {
            return Ok(None);
        }
        let (message, yearbook) = statistics::get(&self.bank, year).await?;
        let published = Arc::new(Published {
            yearbook,
            hash: message.hash.to_vec(),
            institutions: message.institutions,
        });
        self.yearbooks.with(|read| {
            if read.kept.len() < KEPT_MAX {
                read.kept.insert(year, Arc::clone(&published));
            }
        });
        Ok(Some(published))
    }
}
