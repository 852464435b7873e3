//! `BackupService`: a copy of the database for the program that backs the bank up.

use creditbank_domain::Refusal;
use creditbank_domain::record::Role;
use creditbank_wire::v1;
use creditbank_wire::v1::backup_service_server::BackupService;
use tonic::{Request, Response, Status};

use super::{Services, refuse};

/// Who has copies made.
const COPIERS: [Role; 2] = [Role::BackupAgent, Role::Operator];

#[tonic::async_trait]
impl BackupService for Services {
    async fn take_copy(
        &self,
        request: Request<v1::TakeCopyRequest>,
    ) -> Result<Response<v1::TakeCopyResponse>, Status> {
        self.caller(&request, &COPIERS)?;
        let _one_at_a_time = self.copying.lock().await;
        let checkpoint = self.bank.take_copy().await.map_err(|error| {
            tracing::error!(%error, "the database could not be copied for a backup");
            refuse(Refusal::StorageFailed, "")
        })?;
        Ok(Response::new(v1::TakeCopyResponse { checkpoint }))
    }
}
