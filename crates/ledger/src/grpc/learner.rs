//! `LearnerService`: enrolling, resolving, merging, erasing.

use std::pin::Pin;
use std::sync::Arc;

use creditbank_domain::access::masked_number;
use creditbank_domain::identifier::{DocumentKind, IdentityDocument, LearnerCode};
use creditbank_domain::record::Role;
use creditbank_domain::text::{Label, PersonName};
use creditbank_domain::{Fault, Refusal};
use creditbank_wire::status::violation;
use creditbank_wire::v1;
use creditbank_wire::v1::learner_service_server::LearnerService;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::auth::Caller;
use super::{Services, carried, failed, refuse, refuse_all};
use crate::learners::{Identified, Resolved};
use crate::queue::{Decided, Decision};

/// Most rows of one chunk.
const CHUNK_ROWS_MAX: u32 = 1000;
/// Chunks that a stream reads ahead of its answers.
const STREAM_CHUNKS_AHEAD: usize = 16;

/// Whoever sees identity documents: a window does, of people who come to it.
const ROLES: [Role; 4] = [
    Role::Institution,
    Role::Operator,
    Role::Gateway,
    Role::LearnerAgent,
];

#[tonic::async_trait]
impl LearnerService for Services {
    async fn enrol_learner(
        &self,
        request: Request<v1::EnrolLearnerRequest>,
    ) -> Result<Response<v1::ResolvedLearner>, Status> {
        let caller = self.caller(&request, &ROLES)?;
        let row = self
            .identified(&caller, request.into_inner())
            .map_err(|fault| refuse_all(&[fault]))?;
        let resolved = self.resolve_chunk(vec![Ok(row)], true)?.pop();
        let resolved = resolved.ok_or_else(|| refuse(Refusal::Internal, ""))?;
        let resolved = resolved.map_err(|refusal| refuse(refusal, "identity"))?;
        Ok(Response::new(v1::ResolvedLearner {
            learner: digits(resolved.learner),
            created: resolved.created,
        }))
    }

    async fn get_learner(
        &self,
        request: Request<v1::GetLearnerRequest>,
    ) -> Result<Response<v1::LearnerProfile>, Status> {
        self.caller(&request, &[Role::Gateway, Role::Operator])?;
        let learner = code(&request.into_inner().learner, "learner")?;
        let profile = self.bank.profile(learner).map_err(|error| failed(&error))?;
        let profile = profile.map_err(|refusal| refuse(refusal, "learner"))?;
        let identities = profile.documents.iter().map(|it| v1::MaskedIdentity {
            kind: it.kind,
            masked_number: masked_number(&it.number),
        });
        Ok(Response::new(v1::LearnerProfile {
            learner: digits(profile.learner),
            name: profile.name,
            identities: identities.collect(),
        }))
    }

    type ResolveLearnersStream =
        Pin<Box<dyn Stream<Item = Result<v1::ResolveLearnersResponse, Status>> + Send>>;

    async fn resolve_learners(
        &self,
        request: Request<Streaming<v1::ResolveLearnersRequest>>,
    ) -> Result<Response<Self::ResolveLearnersStream>, Status> {
        let caller = self.caller(&request, &ROLES)?;
        let (answers, stream) = mpsc::channel(STREAM_CHUNKS_AHEAD);
        let services = self.clone();
        let mut chunks = request.into_inner();
        tokio::spawn(async move {
            loop {
                let answer = match chunks.message().await {
                    Ok(Some(chunk)) => services.answer(&caller, chunk),
                    Ok(None) => return,
                    Err(status) => Err(status),
                };
                let ends = answer.is_err();
                if answers.send(answer).await.is_err() || ends {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn merge_learners(
        &self,
        request: Request<v1::MergeLearnersRequest>,
    ) -> Result<Response<v1::MergeLearnersResponse>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let merged = code(&request.merged_learner, "merged_learner")?;
        Label::parse(&request.reason).map_err(|refusal| refuse(refusal, "reason"))?;
        for (code, field) in [(learner, "learner"), (merged, "merged_learner")] {
            let known = self
                .bank
                .store()
                .learner(code.as_u64())
                .map_err(|error| failed(&error))?;
            known.ok_or_else(|| refuse(Refusal::LearnerUnknown, field))?;
        }
        let bank = Arc::clone(&self.bank);
        let merging = async move {
            bank.merge(&digits(learner), &digits(merged), &request.reason)
                .await
        };
        let decided = carried(merging).await?;
        let receipt = receipt(decided.map_err(|faults| refuse_all(&faults))?)?;
        Ok(Response::new(v1::MergeLearnersResponse {
            receipt: Some(receipt),
        }))
    }

    async fn erase_learner(
        &self,
        request: Request<v1::EraseLearnerRequest>,
    ) -> Result<Response<v1::EraseLearnerResponse>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let learner = code(&request.into_inner().learner, "learner")?;
        let erased = self.bank.erase(learner).await;
        let erased = erased.map_err(|refusal| refuse(refusal, "learner"))?;
        Ok(Response::new(v1::EraseLearnerResponse {
            records_erased: erased.records,
            purged: erased.purged,
            receipt: Some(receipt(erased.decided)?),
        }))
    }
}

impl Services {
    fn answer(
        &self,
        caller: &Caller,
        chunk: v1::ResolveLearnersRequest,
    ) -> Result<v1::ResolveLearnersResponse, Status> {
        // A stream outlives the moment in which its caller was admitted.
        let head = self.bank.head();
        if head
            .registry
            .institution(&caller.id)
            .is_none_or(|institution| institution.suspended)
        {
            return Err(refuse(Refusal::IssuerSuspended, ""));
        }
        if chunk.rows.len() > CHUNK_ROWS_MAX as usize {
            return Err(refuse(
                Refusal::TooMany {
                    max: CHUNK_ROWS_MAX,
                },
                "rows",
            ));
        }
        let parsed: Vec<_> = chunk
            .rows
            .into_iter()
            .map(|row| self.identified(caller, row))
            .collect();
        let fields: Vec<_> = parsed
            .iter()
            .map(|row| row.as_ref().err().map(|fault| fault.field.clone()))
            .collect();
        let rows = parsed
            .into_iter()
            .map(|row| row.map_err(|fault| fault.refusal))
            .collect();
        let resolved = self.resolve_chunk(rows, chunk.enrol_missing)?;
        let results = resolved
            .into_iter()
            .zip(fields)
            .map(|(row, field)| result(row, field));
        Ok(v1::ResolveLearnersResponse {
            results: results.collect(),
        })
    }

    fn resolve_chunk(
        &self,
        rows: Vec<Result<Identified, Refusal>>,
        enrol_missing: bool,
    ) -> Result<Vec<Result<Resolved, Refusal>>, Status> {
        if enrol_missing && !self.bank.takes_changes() {
            return Err(refuse(Refusal::ReadOnly, ""));
        }
        // One synced write a chunk: the worker that waits for the disk lends its place to another.
        let resolved = tokio::task::block_in_place(|| self.bank.resolve(rows, enrol_missing));
        resolved.map_err(|error| failed(&error))
    }

    pub(super) fn identified(
        &self,
        caller: &Caller,
        row: v1::EnrolLearnerRequest,
    ) -> Result<Identified, Fault> {
        let identity = row
            .identity
            .ok_or_else(|| Refusal::Missing.at("identity"))?;
        let kind = u32::try_from(identity.kind).map_err(|_| Refusal::ChoiceUnknown);
        let kind = kind
            .and_then(DocumentKind::from_number)
            .map_err(|refusal| refusal.at("identity.kind"))?;
        let mut issuer = identity.issuer.as_str();
        if kind == DocumentKind::StudentNumber {
            if issuer.is_empty() {
                issuer = &caller.id;
            }
            if caller.role == Role::Institution && issuer != caller.id {
                return Err(Refusal::PermissionDenied.at("identity.issuer"));
            }
        }
        let document =
            IdentityDocument::parse(kind, issuer, &identity.number, self.bank.test_regions());
        let document = document.map_err(|refusal| refusal.at("identity.number"))?;
        let name = (!row.name.is_empty())
            .then(|| PersonName::parse(&row.name))
            .transpose();
        Ok(Identified {
            document,
            name: name.map_err(|refusal| refusal.at("name"))?,
        })
    }
}

fn result(row: Result<Resolved, Refusal>, field: Option<String>) -> v1::ResolveResult {
    match row {
        Ok(resolved) => v1::ResolveResult {
            learner: digits(resolved.learner),
            created: resolved.created,
            ..v1::ResolveResult::default()
        },
        Err(refusal) => {
            let told = violation(&refusal.at(field.unwrap_or_else(|| "identity".into())));
            v1::ResolveResult {
                code: told.code,
                field: told.field,
                message_zh: told.message_zh,
                message_en: told.message_en,
                ..v1::ResolveResult::default()
            }
        }
    }
}

/// A learner code as messages carry it: 16 digits.
pub(super) fn digits(code: LearnerCode) -> String {
    format!("{:016}", code.as_u64())
}

pub(super) fn code(text: &str, field: &str) -> Result<LearnerCode, Status> {
    LearnerCode::parse(text).map_err(|refusal| refuse(refusal, field))
}

fn receipt(decided: Decided) -> Result<v1::Receipt, Status> {
    match decided.rows.as_slice() {
        [Decision::Created(index) | Decision::Duplicate(index)] => {
            decided.head.receipt(*index).map_err(|error| failed(&error))
        }
        [Decision::Refused(faults)] => Err(refuse_all(faults)),
        _ => Err(refuse(Refusal::Internal, "")),
    }
}
