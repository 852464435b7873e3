//! `SubmissionService`: deposits, and what an institution reads back of its own.

use std::pin::Pin;
use std::sync::Arc;

use creditbank_client::trace::TARGET;
use creditbank_domain::identifier::{InstitutionId, RecordId};
use creditbank_domain::record::{KeyId, Role};
use creditbank_domain::registry::Institution;
use creditbank_domain::{Fault, LeafIndex, Refusal};
use creditbank_store::{Go, SUBMISSION_BLOCK, StoreError};
use creditbank_wire::convert::record;
use creditbank_wire::status::violation;
use creditbank_wire::v1;
use creditbank_wire::v1::submission_service_server::SubmissionService;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument as _, trace_span};

use super::auth::Caller;
use super::page::{self, Query};
use super::{Services, failed, refuse, refuse_all};
use crate::admission::{Admitted, NotAdmitted, SignedBatch};
use crate::head::{Head, envelope, hashes};
use crate::measure::refused_row as count_refused;
use crate::queue::{Decided, Decision};
use crate::vault;

/// Batches that a stream reads ahead of its answers.
const STREAM_BATCHES_AHEAD: usize = 64;
/// Batches of up to this many records are verified where they are read; larger ones on any idle core.
const INLINE_RECORDS_MAX: usize = 16;
/// Default items of a page of submissions.
const SUBMISSIONS_PAGE: u32 = 100;

/// Who makes records; which kinds, is a matter of the role.
const SUBMITTERS: [Role; 5] = [
    Role::Institution,
    Role::Operator,
    Role::Reviewer,
    Role::LearnerAgent,
    Role::Gateway,
];

type Answer = oneshot::Receiver<Result<Decided, Fault>>;

#[tonic::async_trait]
impl SubmissionService for Services {
    async fn submit_batch(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.submit_own(request).await
    }

    type SubmitStreamStream =
        Pin<Box<dyn Stream<Item = Result<v1::SubmitBatchResponse, Status>> + Send>>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<v1::SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let caller = self.caller(&request, &SUBMITTERS)?;
        let (pending, answers) = mpsc::channel(STREAM_BATCHES_AHEAD);
        let read = read(self.clone(), caller, request.into_inner(), pending);
        tokio::spawn(read.in_current_span());
        Ok(Response::new(Box::pin(
            ReceiverStream::new(answers).then(Pending::finish),
        )))
    }

    async fn get_submission(
        &self,
        request: Request<v1::GetSubmissionRequest>,
    ) -> Result<Response<v1::Submission>, Status> {
        let caller = self.caller(&request, &[&SUBMITTERS[..], &[Role::Auditor]].concat())?;
        let request = request.into_inner();
        let issuer = self.issuer(&caller, &request.issuer)?;
        let record_id = RecordId::from_slice(&request.record_id)
            .map_err(|refusal| refuse(refusal, "record_id"))?;
        let head = self.bank.head();
        let row = head
            .snapshot
            .id(issuer.number, &record_id)
            .map_err(|error| failed(&error))?;
        let row = row.ok_or_else(|| refuse(Refusal::NotFound { what: "record" }, "record_id"))?;
        let mut submission = summary(&head, row.index).map_err(|error| failed(&error))?;
        submission.receipt = Some(head.receipt(row.index).map_err(|error| failed(&error))?);
        if caller.role != Role::Auditor {
            self.open(&head, &issuer, row.learner, &mut submission)?;
        }
        Ok(Response::new(submission))
    }

    async fn list_submissions(
        &self,
        request: Request<v1::ListSubmissionsRequest>,
    ) -> Result<Response<v1::ListSubmissionsResponse>, Status> {
        let caller = self.caller(&request, &[&SUBMITTERS[..], &[Role::Auditor]].concat())?;
        let request = request.into_inner();
        let issuer = self.issuer(&caller, &request.issuer)?;
        let size = page::size(request.page_size, SUBMISSIONS_PAGE)
            .map_err(|refusal| refuse(refusal, "page_size"))?;
        let query = Query::of(&[b"submissions", issuer.profile.id.as_str().as_bytes()]);
        let before = query
            .number(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let head = self.bank.head();
        let (submissions, next) = list(&head, &issuer, before.unwrap_or(u64::MAX), size)
            .map_err(|error| failed(&error))?;
        let next_page_token = next
            .map(|index| query.token(&index.to_be_bytes()))
            .unwrap_or_default();
        Ok(Response::new(v1::ListSubmissionsResponse {
            submissions,
            next_page_token,
        }))
    }
}

impl Services {
    /// Submits a batch of the caller's own records.
    pub(super) async fn submit_own(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        let caller = self.caller(&request, &SUBMITTERS)?;
        let request = request.into_inner();
        let sequence = request.sequence;
        let batch = self.batch(&caller, request)?;
        let room = self
            .bank
            .queue()
            .room_now(batch.bytes())
            .map_err(|refusal| refuse(refusal, ""))?;
        let answer = self.enqueue(batch, room)?;
        decided(sequence, answer).await.map(Response::new)
    }

    /// A batch that this caller may submit.
    fn batch(
        &self,
        caller: &Caller,
        request: v1::SubmitBatchRequest,
    ) -> Result<SignedBatch, Status> {
        let batch =
            SignedBatch::new(request, self.bank.origin()).map_err(|fault| refuse_all(&[fault]))?;
        let own = if caller.role == Role::Operator {
            InstitutionId::BANK
        } else {
            &caller.id
        };
        if batch.issuer() == own {
            Ok(batch)
        } else {
            Err(refuse(Refusal::IssuerMismatch, "issuer"))
        }
    }

    fn enqueue(&self, batch: SignedBatch, room: OwnedSemaphorePermit) -> Result<Answer, Status> {
        let admission = trace_span!(target: TARGET, "admission", records = batch.records());
        let admitted = admission.in_scope(|| Admitted::admit(&self.bank, batch));
        drop(admission);
        let admitted = admitted.map_err(|error| match error {
            NotAdmitted::Refused(fault) => refuse_all(&[fault]),
            NotAdmitted::Store(error) => failed(&error),
        })?;
        self.bank
            .queue()
            .send(admitted, room)
            .map_err(|refusal| refuse(refusal, ""))
    }

    /// The issuer that is asked about: the caller itself, unless it may look at others.
    fn issuer(&self, caller: &Caller, named: &str) -> Result<Arc<Institution>, Status> {
        let id = if named.is_empty() { &caller.id } else { named };
        let sees_others = matches!(caller.role, Role::Operator | Role::Auditor);
        if id != caller.id && !sees_others {
            return Err(refuse(Refusal::PermissionDenied, "issuer"));
        }
        let head = self.bank.head();
        let institution = head.registry.institution(id).map(Arc::clone);
        institution.ok_or_else(|| refuse(Refusal::IssuerUnknown, "issuer"))
    }

    fn open(
        &self,
        head: &Head,
        issuer: &Institution,
        learner: u64,
        submission: &mut v1::Submission,
    ) -> Result<(), Status> {
        let index = LeafIndex(submission.leaf_index);
        let Ok(code) = creditbank_domain::identifier::LearnerCode::from_u64(learner) else {
            return Ok(());
        };
        let Some(row) = head
            .snapshot
            .vault_row(learner, index)
            .map_err(|error| failed(&error))?
        else {
            return Ok(());
        };
        let key = self
            .bank
            .learner_key(code)
            .map_err(|error| failed(&error))?;
        let Ok(key) = key else { return Ok(()) };
        let header = vault::header(&row).map_err(|_| refuse(Refusal::Internal, ""))?;
        let opened = key.open_record(issuer.profile.id.as_str(), &header.record_id, &row);
        let opened = opened.map_err(|_| refuse(Refusal::Internal, ""))?;
        submission.payload = opened.payload.into();
        submission.salt = opened.salt.to_vec().into();
        Ok(())
    }
}

/// Reads a stream of batches; the bounded channel to the answers is the flow control.
async fn read(
    services: Services,
    caller: Caller,
    mut requests: Streaming<v1::SubmitBatchRequest>,
    pending: mpsc::Sender<Pending>,
) {
    loop {
        let request = match requests.message().await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(status) => return drop(pending.send(Pending::Broken(status)).await),
        };
        let sequence = request.sequence;
        let next = match services.batch(&caller, request) {
            Err(status) => Pending::Refused(sequence, status),
            Ok(batch) => match services.bank.queue().room_soon(batch.bytes()).await {
                Err(refusal) => Pending::Refused(sequence, refuse(refusal, "")),
                Ok(room) => services.start(sequence, batch, room),
            },
        };
        if pending.send(next).await.is_err() {
            return;
        }
    }
}

impl Services {
    fn start(&self, sequence: u64, batch: SignedBatch, room: OwnedSemaphorePermit) -> Pending {
        if batch.records() <= INLINE_RECORDS_MAX {
            return match self.enqueue(batch, room) {
                Ok(answer) => Pending::Queued(sequence, answer),
                Err(status) => Pending::Refused(sequence, status),
            };
        }
        let services = self.clone();
        Pending::Verifying(
            sequence,
            tokio::spawn(async move { services.enqueue(batch, room) }.in_current_span()),
        )
    }
}

/// A batch of a stream that has no answer yet.
enum Pending {
    Queued(u64, Answer),
    Verifying(u64, tokio::task::JoinHandle<Result<Answer, Status>>),
    Refused(u64, Status),
    Broken(Status),
}

impl Pending {
    async fn finish(self) -> Result<v1::SubmitBatchResponse, Status> {
        let (sequence, answered) = match self {
            Self::Queued(sequence, answer) => (sequence, decided(sequence, answer).await),
            Self::Verifying(sequence, task) => match task.await {
                Ok(Ok(answer)) => (sequence, decided(sequence, answer).await),
                Ok(Err(status)) => (sequence, Err(status)),
                Err(_) => (sequence, Err(refuse(Refusal::Internal, ""))),
            },
            Self::Refused(sequence, status) => (sequence, Err(status)),
            Self::Broken(status) => return Err(status),
        };
        answered.or_else(|status| {
            let refusal = bytes::Bytes::copy_from_slice(status.details());
            Ok(v1::SubmitBatchResponse {
                sequence,
                refusal,
                ..v1::SubmitBatchResponse::default()
            })
        })
    }
}

async fn decided(sequence: u64, answer: Answer) -> Result<v1::SubmitBatchResponse, Status> {
    let decided = answer
        .await
        .map_err(|_| refuse(Refusal::ShuttingDown, ""))?;
    let decided = decided.map_err(|fault| refuse_all(&[fault]))?;
    response(sequence, decided).map_err(|error| failed(&error))
}

fn response(sequence: u64, decided: Decided) -> Result<v1::SubmitBatchResponse, StoreError> {
    let mut response = v1::SubmitBatchResponse {
        sequence,
        ..v1::SubmitBatchResponse::default()
    };
    let mut created: Option<(LeafIndex, u64)> = None;
    let mut rows = Vec::new();
    for (row, decision) in (0..).zip(&decided.rows) {
        match decision {
            Decision::Created(index) => {
                let (_, count) = created.get_or_insert((*index, 0));
                *count += 1;
                rows.push(row);
            }
            Decision::Duplicate(index) => {
                let receipt = Some(decided.head.receipt(*index)?);
                response.duplicates.push(v1::DuplicateRow { row, receipt });
            }
            Decision::Refused(faults) => response.refused.push(refused_row(row, faults)),
        }
    }
    if let Some((first, count)) = created {
        if rows.len() == decided.rows.len() {
            rows.clear();
        }
        response.created = Some(v1::CreatedRows {
            first_leaf_index: first.0,
            rows,
            deposited_at_ms: decided.deposited_at_ms,
            range_proof: hashes(&decided.head.range(first, count)?),
            checkpoint: decided.head.note.clone(),
        });
    }
    Ok(response)
}

fn refused_row(row: u32, faults: &[Fault]) -> v1::RefusedRow {
    count_refused(faults);
    v1::RefusedRow {
        row,
        violations: faults.iter().map(violation).collect(),
    }
}

/// What a leaf says of its record in public.
fn summary(head: &Head, index: LeafIndex) -> Result<v1::Submission, StoreError> {
    let chunk = head.snapshot.chunk(index)?;
    Ok(describe(
        index,
        envelope(&chunk, index)?,
        chunk.deposited_at_ms,
    ))
}

fn describe(index: LeafIndex, envelope: &[u8], deposited_at_ms: u64) -> v1::Submission {
    let envelope = record::canonical::<v1::Envelope>(envelope).unwrap_or_default();
    v1::Submission {
        record_id: envelope.record_id,
        leaf_index: index.0,
        kind: envelope.kind,
        deposited_at_ms,
        ..v1::Submission::default()
    }
}

/// Records of an issuer below `before`, newest first, and where the next page begins.
fn list(
    head: &Head,
    issuer: &Institution,
    before: u64,
    size: usize,
) -> Result<(Vec<v1::Submission>, Option<u64>), StoreError> {
    let mut found = Vec::with_capacity(size);
    let mut broken = None;
    if before == 0 {
        return Ok((found, None));
    }
    head.snapshot
        .submissions(
            issuer.number,
            (before - 1) / SUBMISSION_BLOCK,
            |block| match block_of(head, issuer, block) {
                Ok(records) => {
                    found.extend(
                        records
                            .into_iter()
                            .rev()
                            .filter(|record| record.leaf_index < before),
                    );
                    if found.len() >= size {
                        Go::Break(())
                    } else {
                        Go::Continue(())
                    }
                }
                Err(error) => {
                    broken = Some(error);
                    Go::Break(())
                }
            },
        )?;
    found.truncate(size);
    let next = (found.len() == size)
        .then(|| found.last().map(|last| last.leaf_index))
        .flatten();
    broken.map_or(Ok((found, next)), Err)
}

/// An issuer's records in one block of the log, oldest first.
fn block_of(
    head: &Head,
    issuer: &Institution,
    block: u64,
) -> Result<Vec<v1::Submission>, StoreError> {
    let leaves = block * SUBMISSION_BLOCK..(block + 1) * SUBMISSION_BLOCK;
    let mut records = Vec::new();
    head.snapshot.chunks(LeafIndex(leaves.start), |chunk| {
        let owner = head
            .registry
            .key(&KeyId(chunk.key_id))
            .map(|(owner, _)| owner.number);
        if owner == Some(issuer.number) {
            let inside = chunk
                .created()
                .filter(|(index, ..)| leaves.contains(&index.0));
            records.extend(
                inside.map(|(index, _, envelope)| describe(index, envelope, chunk.deposited_at_ms)),
            );
        }
        if chunk.first.0 + chunk.leaves() >= leaves.end {
            Go::Break(())
        } else {
            Go::Continue(())
        }
    })?;
    Ok(records)
}
