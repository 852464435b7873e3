//! What an institution deposits in one go: learners resolved, records made and signed, answers verified.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};
use creditbank_client::batch::{self, Batcher};
use creditbank_client::receipt::{BankKey, Verifier, bundle_of};
use creditbank_client::trace::TARGET;
use creditbank_client::{
    Acknowledgement, Bank, ClientError, InstitutionKeys, Options, RecordMaker, submit,
};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::BATCH_RECORDS_MAX;
use creditbank_wire::v1;
use tokio::sync::OnceCell;
use tracing::{Instrument as _, trace_span};

use super::learners::{Cache, resolve};
use crate::connection::read_keys;
use crate::mapping::{Learner, no_key, repeated_row};
use crate::table::{Reject, Row};

/// Where keys of institutions are found.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    /// One institution's.
    One(Arc<InstitutionKeys>),
    /// A folder of files named ID.key.
    Folder(PathBuf),
}

impl Holder {
    /// The keys of an institution; the reason to refuse its rows, if there are none.
    pub(super) fn keys(
        &self,
        institution: &InstitutionId,
    ) -> Result<Result<Arc<InstitutionKeys>, Reject>> {
        match self {
            Self::One(keys) if keys.institution() == institution => Ok(Ok(Arc::clone(keys))),
            Self::One(_) => Ok(Err(no_key(institution.as_str()))),
            Self::Folder(folder) => {
                let path = folder.join(format!("{institution}.key"));
                if !path.exists() {
                    return Ok(Err(no_key(institution.as_str())));
                }
                let keys = read_keys(&path)?;
                if keys.institution() != institution {
                    bail!(
                        "{} holds the keys of {}",
                        path.display(),
                        keys.institution()
                    );
                }
                Ok(Ok(Arc::new(keys)))
            }
        }
    }
}

/// How to reach the bank, and how to check what it says.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) options: Options,
    pub(crate) holder: Holder,
    /// Without it receipts are kept as they come.
    pub(crate) bank_key: Option<BankKey>,
}

/// A row on its way.
pub(super) struct Item {
    pub(super) row: Row,
    pub(super) learner: Learner,
    pub(super) natural_key: Vec<u8>,
    pub(super) outcome: v1::Outcome,
}

/// How the rows of a deposit were decided.
#[derive(Default)]
pub(super) struct Deposited {
    pub(super) bundles: Vec<v1::ReceiptBundle>,
    pub(super) created: u64,
    pub(super) already: u64,
    pub(super) refused: Vec<(Row, Vec<Reject>)>,
}

/// One institution's way to the bank.
pub(super) struct Lane {
    access: Access,
    keys: Arc<InstitutionKeys>,
    maker: RecordMaker,
    bank: OnceCell<Bank>,
    learners: Arc<Mutex<Cache>>,
}

impl Lane {
    pub(super) fn new(
        access: Access,
        keys: Arc<InstitutionKeys>,
        learners: Arc<Mutex<Cache>>,
    ) -> Self {
        let maker = RecordMaker::new(&keys);
        Self {
            access,
            keys,
            maker,
            bank: OnceCell::new(),
            learners,
        }
    }

    /// Deposits rows. An error means that the bank cannot be reached or breaks its contract; whatever was not
    /// acknowledged can be sent again.
    pub(super) async fn deposit(self: Arc<Self>, items: Vec<Item>) -> Result<Deposited> {
        let connect = || Bank::connect(self.access.options.clone(), Some(Arc::clone(&self.keys)));
        let bank = self.bank.get_or_try_init(connect).await?.clone();
        let learners: Vec<_> = items.iter().map(|item| &item.learner).collect();
        let codes = match resolve(&bank, &self.learners, &learners).await {
            Ok(codes) => codes,
            Err(error) => {
                return self.refuse_all(items.into_iter().map(|item| item.row).collect(), error);
            }
        };
        let mut deposited = Deposited::default();
        let (mut rows, mut records) = (Vec::new(), Vec::new());
        for (item, code) in items.into_iter().zip(codes) {
            match code {
                Ok(code) => {
                    rows.push(item.row);
                    records.push((item.natural_key, code, item.outcome));
                }
                Err(reject) => deposited.refused.push((item.row, vec![reject])),
            }
        }
        let lane = Arc::clone(&self);
        let requests = tokio::task::spawn_blocking(move || lane.sign(records)).await??;
        let mut rows = rows.into_iter();
        for request in requests {
            let rows: Vec<Row> = rows.by_ref().take(request.records.len()).collect();
            let first_row = rows.first().map(|row| row.number);
            let span = trace_span!(target: TARGET, "batch", first_row, rows = rows.len());
            match submit::submit(&bank, request).instrument(span).await {
                Ok(answer) => self.settle(answer, rows, &mut deposited).await?,
                Err(error) => deposited
                    .refused
                    .append(&mut self.refuse_all(rows, error)?.refused),
            }
        }
        Ok(deposited)
    }

    fn sign(
        &self,
        records: Vec<(Vec<u8>, creditbank_domain::LearnerCode, v1::Outcome)>,
    ) -> Result<Vec<v1::SubmitBatchRequest>> {
        let mut batcher = Batcher::new(BATCH_RECORDS_MAX);
        let mut batches = Vec::new();
        for (natural_key, learner, outcome) in records {
            batches.extend(batcher.push(self.maker.outcome(&natural_key, learner, outcome)));
        }
        batches.extend(batcher.take());
        let sign = |records| batch::sign(&self.access.options.origin, &self.keys, records);
        Ok(batches.into_iter().map(sign).collect::<Result<_, _>>()?)
    }

    /// Takes the answer to a batch apart, once it is verified.
    async fn settle(
        &self,
        answer: Acknowledgement,
        rows: Vec<Row>,
        into: &mut Deposited,
    ) -> Result<()> {
        let bank_key = self.access.bank_key.clone();
        let verify = move || {
            if let Some(key) = bank_key {
                Verifier::new(key)
                    .verify_acknowledgement(&answer.request, &answer.response)
                    .context("the bank's receipts do not hold: do not trust this bank, and keep this message")?;
            }
            Ok::<_, anyhow::Error>((
                bundle_of(&answer.request, &answer.response),
                answer.response,
            ))
        };
        let (bundle, response) = tokio::task::spawn_blocking(verify).await??;
        into.bundles.extend(bundle);
        let (already, refused) = (response.duplicates.len(), response.refused.len());
        into.already += already as u64;
        into.created += rows.len().saturating_sub(already + refused) as u64;
        let mut rows: Vec<_> = rows.into_iter().map(Some).collect();
        for refused in response.refused {
            let row = rows.get_mut(refused.row as usize).and_then(Option::take);
            let row = row.context("the bank refuses a row that was not sent")?;
            into.refused
                .push((row, refused.violations.into_iter().map(told).collect()));
        }
        Ok(())
    }

    /// A refusal of everything at once: where many institutions deposit, one of them must not hold up the others.
    fn refuse_all(&self, rows: Vec<Row>, error: ClientError) -> Result<Deposited> {
        let reject = match (&self.access.holder, error.refused()) {
            (Holder::Folder(_), Some(refused)) if !refused.transient && refused.code.is_some() => {
                Reject {
                    field: "institution".to_owned(),
                    code: refused.code.clone().unwrap_or_default(),
                    message_zh: refused.message_zh.clone(),
                    message_en: refused.message_en.clone(),
                }
            }
            _ => return Err(error.into()),
        };
        let refused = rows
            .into_iter()
            .map(|row| (row, vec![reject.clone()]))
            .collect();
        Ok(Deposited {
            refused,
            ..Deposited::default()
        })
    }
}

fn told(violation: v1::Violation) -> Reject {
    if violation.code == "RECORD_ID_REPEATED_IN_BATCH" {
        return repeated_row();
    }
    Reject {
        field: violation.field,
        code: violation.code,
        message_zh: violation.message_zh,
        message_en: violation.message_en,
    }
}
