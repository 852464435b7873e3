//! The rows that are deposited, in the bank and in its peers alike: degree courses with payloads of 250 bytes.
//!
//! They come as a school sends them: file after file, in each the results of 500 learners, course by course, until
//! every learner has 20. So neighbouring rows are about different learners, and record ids are scattered over the
//! whole key space.

use anyhow::{Result, ensure};
use creditbank_client::{InstitutionKeys, RecordMaker, batch};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;

/// Rows of a learner.
pub(crate) const ROWS_PER_LEARNER: u64 = 20;
/// Learners of one file.
const LEARNERS_PER_FILE: u64 = 500;
/// Bytes of every payload.
const PAYLOAD_BYTES: usize = 250;

/// Makes rows by their number.
pub(crate) struct Rows {
    origin: String,
    keys: InstitutionKeys,
    maker: RecordMaker,
    learners: Vec<LearnerCode>,
    padding: String,
}

impl Rows {
    pub(crate) fn new(
        origin: &str,
        keys: &InstitutionKeys,
        learners: Vec<LearnerCode>,
    ) -> Result<Self> {
        let mut rows = Self {
            origin: origin.to_owned(),
            keys: keys.clone(),
            maker: RecordMaker::new(keys),
            learners,
            padding: String::new(),
        };
        while rows.record(0).payload.len() < PAYLOAD_BYTES {
            rows.padding.push('x');
        }
        let bytes = rows.record(0).payload.len();
        ensure!(bytes == PAYLOAD_BYTES, "a payload of {bytes} bytes");
        Ok(rows)
    }

    /// The learner whom a row is about, by place in the list.
    pub(crate) fn learner_of(&self, row: u64) -> usize {
        let (file, row) = (
            row / (LEARNERS_PER_FILE * ROWS_PER_LEARNER),
            row % LEARNERS_PER_FILE,
        );
        ((file * LEARNERS_PER_FILE + row) % self.learners.len() as u64) as usize
    }

    pub(crate) fn learner(&self, place: usize) -> LearnerCode {
        self.learners[place]
    }

    /// How many learners the first rows are about, all of them with all their rows.
    pub(crate) fn learners_with_all_rows(&self, rows: u64) -> usize {
        let files = rows / (LEARNERS_PER_FILE * ROWS_PER_LEARNER);
        ((files * LEARNERS_PER_FILE) as usize).min(self.learners.len())
    }

    pub(crate) fn record(&self, row: u64) -> v1::SignedRecord {
        let outcome = v1::Outcome {
            achievement: Some(v1::Achievement {
                code: format!("C{:05}", row % 997),
                name: "高等数学（上册）".into(),
            }),
            credits_hundredths: Some(400),
            hours_hundredths: Some(6400),
            grade: Some(v1::Grade {
                scheme: Some(v1::grade::Scheme::PercentageHundredths(8550)),
            }),
            completed_on: "2026-06-30".into(),
            external_id: format!("{row:012}"),
            institution_name: format!("Bench College {}", self.padding),
            detail: Some(v1::outcome::Detail::DegreeCourse(v1::DegreeCourse {
                form: 31,
                stage: 20,
                subject: "数学与应用数学".into(),
                year: 2026,
                term: 51,
                result: 0,
            })),
            ..v1::Outcome::default()
        };
        let learner = self.learners[self.learner_of(row)];
        self.maker
            .outcome(format!("bench/{row}").as_bytes(), learner, outcome)
    }

    /// Signed batches of `size` rows, `count` rows in all, made on all cores.
    pub(crate) fn batches(
        &self,
        first: u64,
        count: u64,
        size: u64,
    ) -> Result<Vec<v1::SubmitBatchRequest>> {
        let starts: Vec<u64> = (first..first + count).step_by(size as usize).collect();
        let cores = std::thread::available_parallelism()?.get();
        let make = |starts: &[u64]| -> Result<Vec<_>> {
            let batch = |start: &u64| {
                let rows = (*start..(*start + size).min(first + count)).map(|row| self.record(row));
                Ok(batch::sign(&self.origin, &self.keys, rows.collect())?)
            };
            starts.iter().map(batch).collect()
        };
        std::thread::scope(|scope| {
            let part = starts.len().div_ceil(cores).max(1);
            let threads: Vec<_> = starts
                .chunks(part)
                .map(|starts| scope.spawn(move || make(starts)))
                .collect();
            let mut batches = Vec::with_capacity(starts.len());
            for thread in threads {
                batches.extend(thread.join().expect("it does not panic")?);
            }
            Ok(batches)
        })
    }
}
