//! The gRPC services, one file each. Handlers translate and look after limits; decisions are made elsewhere.

mod access;
mod archive;
pub(crate) mod auth;
mod backup;
pub(crate) mod calls;
mod comparison;
mod credential;
mod learner;
mod log;
mod page;
mod points;
mod recognition;
mod reconciliation;
mod registry;
mod request;
mod rule;
mod statistics;
mod submission;
mod transfer;

use std::sync::Arc;

use creditbank_domain::record::Role;
use creditbank_domain::{Fault, Refusal};
use creditbank_store::StoreError;
use creditbank_wire::status::to_status;
use tonic::{Request, Status};

use self::auth::{Caller, Tokens};
use self::calls::Call;
use crate::access::NotDone;
use crate::bank::Bank;
use crate::measure::refused_call;
use crate::sequencer::give_up;

/// What every service needs.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) bank: Arc<Bank>,
    pub(crate) tokens: Arc<Tokens>,
    /// Held while the database is copied for a backup.
    copying: Arc<tokio::sync::Mutex<()>>,
}

impl Services {
    pub(crate) fn new(bank: Arc<Bank>) -> Self {
        Self {
            bank,
            tokens: Arc::new(Tokens::new()),
            copying: Arc::default(),
        }
    }

    /// Who calls, if it may act in one of `roles`.
    fn caller<T>(&self, request: &Request<T>, roles: &[Role]) -> Result<Caller, Status> {
        let caller = self.known(request)?;
        if roles.contains(&caller.role) {
            Ok(caller)
        } else {
            Err(refuse(Refusal::PermissionDenied, ""))
        }
    }

    /// Who calls, if it has not too many calls open already. Asked once a call.
    fn known<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        if let Some(caller) = request.extensions().get::<Caller>() {
            return Ok(caller.clone());
        }
        let caller = self.tokens.authenticate(&self.bank, request);
        let caller = caller.map_err(|refusal| refuse(refusal, ""))?;
        if let Some(call) = request.extensions().get::<Arc<Call>>() {
            call.of(caller.number)
                .map_err(|refusal| refuse(refusal, ""))?;
        }
        Ok(caller)
    }
}

impl tonic::service::Interceptor for Services {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let caller = self.known(&request)?;
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

/// Carries a change through to its end, though its caller may go away meanwhile: whoever waits for the same lock then
/// sees what came of it.
async fn carried<T: Send + 'static>(
    change: impl Future<Output = T> + Send + 'static,
) -> Result<T, Status> {
    let carried = tokio::spawn(change).await;
    carried.map_err(|_| refuse(Refusal::Internal, ""))
}

/// One refusal as a status.
fn refuse(refusal: Refusal, field: &str) -> Status {
    refuse_all(&[refusal.at(field)])
}

fn refuse_all(faults: &[Fault]) -> Status {
    refused_call(faults);
    to_status(faults)
}

/// What was done, or why not; a refusal that names no field is about `field`.
fn done<T>(done: Result<T, NotDone>, field: &str) -> Result<T, Status> {
    done.map_err(|error| match error {
        NotDone::Refused(fault) if fault.field.is_empty() => refuse(fault.refusal, field),
        NotDone::Refused(fault) => refuse_all(&[fault]),
        NotDone::Store(error) => failed(&error),
    })
}

/// A store that cannot be read: the operator gets the reason, the caller a code. One that cannot be written ends the process,
/// for whatever comes next could not be written either.
fn failed(error: &StoreError) -> Status {
    if matches!(error, StoreError::NotWritten(_)) {
        give_up(error, "writing");
    }
    tracing::error!(%error, "the store could not be read");
    refuse(Refusal::StorageFailed, "")
}
