//! Codes that a learner shows at a desk, on a phone and on paper.

use creditbank_client::{ClientError, Line};
use creditbank_wire::v1;

use crate::app::App;

impl App {
    /// A code that lives a minute and serves once.
    pub(crate) async fn fresh_code(
        &self,
        request: v1::IssueCodeRequest,
    ) -> Result<v1::IssueCodeResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().issue_code(it).await };
        self.bank.call(request, send).await
    }

    /// A code on paper.
    pub(crate) async fn paper_code(
        &self,
        request: v1::CreateGrantRequest,
    ) -> Result<v1::CreateGrantResponse, ClientError> {
        let send = |line: Line, it| async move { line.access().create_grant(it).await };
        self.bank.call(request, send).await
    }
}
