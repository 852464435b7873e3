//! Codes, grants, looks, and acting for somebody else.

use creditbank_client::{ClientError, Line};
use creditbank_wire::v1;

use crate::app::App;

impl App {
    /// A code for a desk, which lives a minute and serves once.
    pub(crate) async fn fresh_code(
        &self,
        request: v1::IssueCodeRequest,
    ) -> Result<v1::IssueCodeResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().issue_code(it).await };
        self.bank.call(request, send).await
    }

    /// Makes a share, a printed code or a delegation. Its secret is told in this answer and never again; an attempt whose
    /// answer was lost may leave a grant whose secret nobody knows, which the learner sees and can end.
    pub(crate) async fn create_grant(
        &self,
        request: v1::CreateGrantRequest,
    ) -> Result<v1::CreateGrantResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().create_grant(it).await };
        self.bank.call(request, send).await
    }

    /// What a learner has granted, newest first.
    pub(crate) async fn grants(
        &self,
        request: v1::ListGrantsRequest,
    ) -> Result<v1::ListGrantsResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().list_grants(it).await };
        self.bank.call(request, send).await
    }

    /// Ends a grant at once.
    pub(crate) async fn withdraw_grant(
        &self,
        learner: &str,
        grant_id: [u8; 16],
    ) -> Result<v1::Grant, ClientError> {
        let ask = v1::WithdrawGrantRequest {
            learner: learner.to_owned(),
            grant_id: grant_id.to_vec().into(),
        };
        let send = |line: Line, it| async move { line.access().withdraw_grant(it).await };
        self.bank.call(ask, send).await
    }

    /// What a share shows; without `viewer` only whom it is for, and nothing is noted.
    pub(crate) async fn open_share(
        &self,
        secret: &str,
        viewer: &str,
    ) -> Result<v1::OpenedShare, ClientError> {
        let ask = v1::OpenShareRequest {
            secret: secret.to_owned(),
            viewer: viewer.to_owned(),
        };
        let send = |line: Line, it| async move { line.access().open_share(it).await };
        self.bank.call(ask, send).await
    }

    /// Those who let this learner act for them.
    pub(crate) async fn delegations(&self, delegate: &str) -> Result<Vec<v1::Grant>, ClientError> {
        let ask = v1::ListDelegationsRequest {
            delegate: delegate.to_owned(),
        };
        let send = |line: Line, it| async move { line.access().list_delegations(it).await };
        Ok(self.bank.call(ask, send).await?.grants)
    }

    /// Whether somebody may act by this grant now.
    pub(crate) async fn use_delegation(
        &self,
        delegate: &str,
        grant_id: [u8; 16],
        begin: bool,
    ) -> Result<v1::Delegation, ClientError> {
        let ask = v1::UseDelegationRequest {
            delegate: delegate.to_owned(),
            grant_id: grant_id.to_vec().into(),
            begin,
        };
        let send = |line: Line, it| async move { line.access().use_delegation(it).await };
        self.bank.call(ask, send).await
    }

    /// Who looked, newest first.
    pub(crate) async fn looks(
        &self,
        request: v1::ListLooksRequest,
    ) -> Result<v1::ListLooksResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().list_looks(it).await };
        self.bank.call(request, send).await
    }
}
