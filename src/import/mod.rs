//! The import of a file: read, map, deposit, keep the receipts, hand the bad rows back.
//!
//! ```text
//! reader thread ─ chunks of rows ─▶ mapping workers ─ in order ─▶ coordinator ─ batches ─▶ lanes (one an institution)
//!                                                                 │ bad rows                │ receipts, refused rows
//!                                                                 ▼                         ▼
//!                                                             rejects file              receipts file
//! ```
//!
//! Every arrow is bounded, so memory stays flat whatever the file's size. A record's id is derived from its row, so a
//! run that was interrupted at any moment is finished by running it again: what the bank has already, it says so.

mod lane;
mod learners;
mod receipts;
mod summary;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use creditbank_domain::Refusal;
use creditbank_domain::identifier::InstitutionId;
use creditbank_wire::convert::outcome;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument as _;

pub(crate) use self::lane::{Access, Holder};
use self::lane::{Deposited, Item, Lane};
use self::learners::Cache;
use self::receipts::Receipts;
pub(crate) use self::summary::Summary;
use crate::clock;
use crate::mapping::{Mapper, Mapping, Problem};
use crate::table::{Options, Reject, Rejects, Row, Table};

/// Rows that are mapped in one go, and deposited in one batch.
const CHUNK_ROWS: usize = 1_000;
/// Chunks read ahead, and chunks being mapped.
const CHUNKS_MAX: usize = 2;
const MAPPING_MAX: usize = 3;
/// Batches under way.
const DEPOSITS_MAX: usize = 8;
/// Rows that wait for their batch to fill, over all institutions.
const WAITING_ROWS_MAX: usize = 50_000;
/// Institutions whose connections are kept.
const LANES_MAX: usize = 256;

/// What to import.
pub(crate) struct Import {
    pub(crate) file: PathBuf,
    pub(crate) options: Options,
    pub(crate) mapping: Mapping,
    /// Who deposits where the mapping does not say.
    pub(crate) institution: Option<InstitutionId>,
    pub(crate) receipts: PathBuf,
    pub(crate) quiet: bool,
}

impl Import {
    /// Imports the file; without `access` it only checks every row.
    pub(crate) async fn run(self, access: Option<Access>) -> Result<Summary> {
        let started = clock::now();
        let bytes_read = Arc::new(AtomicU64::new(0));
        let table = Table::open(
            &self.file,
            &self.options,
            &self.mapping.columns(),
            &bytes_read,
        )?;
        let mapper = self.mapping.bind(&table.header, self.institution.as_ref());
        let mapper =
            mapper.with_context(|| format!("the mapping does not fit {}", self.file.display()))?;
        let bar = bar(&self.file, self.quiet)?;
        let summary = Summary {
            dry_run: access.is_none(),
            ..Summary::default()
        };
        let mut coordinator = Coordinator {
            rejects: Rejects::of(&self.file, &table.header, &table.style),
            receipts: access
                .as_ref()
                .map(|_| Receipts::open(&self.receipts))
                .transpose()?,
            mapper: mapper.clone(),
            access,
            learners: Arc::default(),
            lanes: HashMap::new(),
            waiting: 0,
            deposits: JoinSet::new(),
            summary,
        };
        let mut mapped = map(read(table), mapper, clock::today());
        let outcome = async {
            while let Some(chunk) = mapped.recv().await {
                coordinator.take(chunk.await??).await?;
                bar.set_position(bytes_read.load(Ordering::Relaxed));
                bar.set_message(coordinator.summary.rate(started.elapsed()));
            }
            coordinator.deposit_all().await
        }
        .await;
        bar.finish_and_clear();
        // Whatever happened, what was decided is kept.
        let mut summary = coordinator
            .finish()
            .and_then(|summary| outcome.map(|()| summary))
            .with_context(|| {
                format!(
                    "{} is not imported to its end; once the cause is gone, run the same command again: nothing is doubled",
                    self.file.display()
                )
            })?;
        summary.elapsed = started.elapsed();
        Ok(summary)
    }
}

fn bar(file: &Path, quiet: bool) -> Result<ProgressBar> {
    if quiet {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left")?;
    Ok(ProgressBar::new(std::fs::metadata(file)?.len()).with_style(style))
}

/// Reads a table on a thread of its own.
fn read(table: Table) -> mpsc::Receiver<Result<Vec<Row>>> {
    let (chunks, receiver) = mpsc::channel(CHUNKS_MAX);
    tokio::task::spawn_blocking(move || {
        let mut chunk = Vec::with_capacity(CHUNK_ROWS);
        let read = table.for_each(&mut |row| {
            chunk.push(row);
            if chunk.len() == CHUNK_ROWS {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_ROWS));
                chunks
                    .blocking_send(Ok(full))
                    .context("the import has ended")?;
            }
            Ok(())
        });
        // If the import has ended, nobody is left to tell.
        let _ = chunks.blocking_send(read.map(|()| chunk));
    });
    receiver
}

/// A row and what it says, or why it says nothing.
struct Mapped {
    /// None where nobody is named.
    institution: Option<InstitutionId>,
    item: Item,
}

type Chunk = Vec<Result<Mapped, (Row, Vec<Reject>)>>;

/// Maps chunks on several threads; they come out in the order in which they went in.
fn map(
    mut chunks: mpsc::Receiver<Result<Vec<Row>>>,
    mapper: Mapper,
    today: Date,
) -> mpsc::Receiver<JoinHandle<Result<Chunk>>> {
    let (mapped, receiver) = mpsc::channel(MAPPING_MAX);
    tokio::spawn(async move {
        while let Some(chunk) = chunks.recv().await {
            let mut mapper = mapper.clone();
            let work = tokio::task::spawn_blocking(move || {
                Ok(chunk?
                    .into_iter()
                    .map(|row| map_row(&mut mapper, row, today))
                    .collect())
            });
            if mapped.send(work).await.is_err() {
                return;
            }
        }
    });
    receiver
}

fn map_row(mapper: &mut Mapper, row: Row, today: Date) -> Result<Mapped, (Row, Vec<Reject>)> {
    match mapper.read(&row, today) {
        Ok(mapped) => {
            let outcome = outcome::to_message(&mapped.outcome);
            let item = Item {
                row,
                learner: mapped.learner,
                natural_key: mapped.natural_key,
                outcome,
            };
            Ok(Mapped {
                institution: mapped.institution,
                item,
            })
        }
        Err(rejects) => Err((row, rejects)),
    }
}

/// An institution's rows that wait for their batch, and its way to the bank.
struct Waiting {
    lane: Result<Arc<Lane>, Reject>,
    items: Vec<Item>,
}

/// Sorts rows by institution, keeps deposits under way, and writes down what was decided.
struct Coordinator {
    mapper: Mapper,
    /// None in a dry run.
    access: Option<Access>,
    learners: Arc<Mutex<Cache>>,
    lanes: HashMap<InstitutionId, Waiting>,
    /// Items in all lanes.
    waiting: usize,
    deposits: JoinSet<Result<Deposited>>,
    rejects: Rejects,
    receipts: Option<Receipts>,
    summary: Summary,
}

impl Coordinator {
    async fn take(&mut self, chunk: Chunk) -> Result<()> {
        self.summary.read += chunk.len() as u64;
        for row in chunk {
            match row {
                Err((row, reasons)) => self.rejects.write(&row, &reasons)?,
                Ok(Mapped {
                    institution: Some(institution),
                    item,
                }) => self.enqueue(institution, item).await?,
                Ok(Mapped {
                    institution: None,
                    item,
                }) if self.access.is_some() => {
                    let reason =
                        Problem::from(Refusal::Missing).at(self.mapper.column("institution"));
                    self.rejects.write(&item.row, &[reason])?;
                }
                Ok(_) => self.summary.valid += 1,
            }
        }
        Ok(())
    }

    async fn enqueue(&mut self, institution: InstitutionId, item: Item) -> Result<()> {
        let Some(access) = &self.access else {
            self.summary.valid += 1;
            return Ok(());
        };
        if !self.lanes.contains_key(&institution) {
            if self.lanes.len() >= LANES_MAX {
                self.lanes.retain(|_, waiting| !waiting.items.is_empty());
            }
            let keys = access.holder.keys(&institution)?;
            let lane = keys
                .map(|keys| Arc::new(Lane::new(access.clone(), keys, Arc::clone(&self.learners))));
            self.lanes.insert(
                institution.clone(),
                Waiting {
                    lane,
                    items: Vec::new(),
                },
            );
        }
        let waiting = self.lanes.get_mut(&institution).context("just inserted")?;
        match &waiting.lane {
            Err(reject) => return self.rejects.write(&item.row, std::slice::from_ref(reject)),
            Ok(_) => waiting.items.push(item),
        }
        self.waiting += 1;
        if waiting.items.len() >= CHUNK_ROWS {
            self.deposit(&institution).await?;
        } else if self.waiting > WAITING_ROWS_MAX {
            let longest = self
                .lanes
                .iter()
                .max_by_key(|(_, waiting)| waiting.items.len());
            let longest = longest.map_or(institution, |(institution, _)| institution.clone());
            self.deposit(&longest).await?;
        }
        Ok(())
    }

    /// Sends what waits for one institution, as soon as there is room.
    async fn deposit(&mut self, institution: &InstitutionId) -> Result<()> {
        while self.deposits.len() >= DEPOSITS_MAX {
            self.settle_one().await?;
        }
        let Some(waiting) = self.lanes.get_mut(institution) else {
            return Ok(());
        };
        let items = std::mem::take(&mut waiting.items);
        self.waiting -= items.len();
        if let (Ok(lane), false) = (&waiting.lane, items.is_empty()) {
            let deposit = Arc::clone(lane).deposit(items);
            self.deposits.spawn(deposit.in_current_span());
        }
        Ok(())
    }

    /// Sends everything that waits, and sees it decided.
    async fn deposit_all(&mut self) -> Result<()> {
        let mut institutions: Vec<_> = self.lanes.keys().cloned().collect();
        institutions.sort_unstable();
        for institution in institutions {
            self.deposit(&institution).await?;
            // Nothing more comes for it: its connection can go.
            self.lanes.remove(&institution);
        }
        while !self.deposits.is_empty() {
            self.settle_one().await?;
        }
        Ok(())
    }

    /// Writes down how one deposit was decided.
    async fn settle_one(&mut self) -> Result<()> {
        let Some(deposited) = self.deposits.join_next().await else {
            return Ok(());
        };
        let deposited = deposited??;
        self.summary.created += deposited.created;
        self.summary.already += deposited.already;
        for bundle in deposited.bundles {
            self.receipts
                .as_mut()
                .context("a deposit keeps receipts")?
                .add(bundle)?;
        }
        for (row, mut reasons) in deposited.refused {
            for reason in &mut reasons {
                reason.field = self.mapper.column(&reason.field).to_owned();
            }
            self.rejects.write(&row, &reasons)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary> {
        self.rejects.finish()?;
        if let Some(receipts) = self.receipts {
            receipts.finish()?;
        }
        self.summary.note_rejects(&self.rejects);
        Ok(self.summary)
    }
}
