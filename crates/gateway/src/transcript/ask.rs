//! What a transcript asks of the ledger.

use bytes::Bytes;
use creditbank_client::{ClientError, Line};
use creditbank_wire::v1;

use crate::app::App;

impl App {
    /// Name and documents of a learner.
    pub(super) async fn transcript_holder(
        &self,
        learner: &str,
    ) -> Result<v1::LearnerProfile, ClientError> {
        let learner = learner.to_owned();
        let send = |line: Line, it| async move { line.learner().get_learner(it).await };
        self.bank
            .call(v1::GetLearnerRequest { learner }, send)
            .await
    }

    /// The name of an institution; its id where it has none.
    pub(super) async fn transcript_institution(&self, id: &str) -> Result<String, ClientError> {
        let ask = v1::GetInstitutionRequest {
            institution_id: id.to_owned(),
        };
        let send = |line: Line, it| async move { line.registry().get_institution(it).await };
        let found = self.bank.call(ask, send).await?;
        let name = found.profile.map(|it| it.display_name).unwrap_or_default();
        Ok(if name.is_empty() { id.to_owned() } else { name })
    }

    /// Makes a share. An attempt whose answer was lost may leave one whose secret nobody knows; the learner sees it.
    pub(super) async fn open_transcript_share(
        &self,
        request: v1::CreateGrantRequest,
    ) -> Result<v1::CreateGrantResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().create_grant(it).await };
        self.bank.call(request, send).await
    }

    /// Ends a share.
    pub(super) async fn close_transcript_share(
        &self,
        learner: &str,
        grant_id: Bytes,
    ) -> Result<v1::Grant, ClientError> {
        let ask = v1::WithdrawGrantRequest {
            learner: learner.to_owned(),
            grant_id,
        };
        let send = |line: Line, it| async move { line.access().withdraw_grant(it).await };
        self.bank.call(ask, send).await
    }
}
