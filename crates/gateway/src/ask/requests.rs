//! Corrections and erasure wishes.

use creditbank_client::{ClientError, Line};
use creditbank_wire::v1;

use crate::app::App;

/// Requests that are read at once. A learner with more sees the newest.
const REQUESTS_READ_MAX: u32 = 200;

impl App {
    /// Asks for a correction or an erasure; the same id again changes nothing.
    pub(crate) async fn create_request(
        &self,
        request: v1::CreateRequestRequest,
    ) -> Result<v1::LearnerRequest, ClientError> {
        let send = |line: Line, it| async move { line.requests().create_request(it).await };
        self.bank.call(request, send).await
    }

    /// What a learner has asked for, newest first.
    pub(crate) async fn requests(
        &self,
        learner: &str,
    ) -> Result<Vec<v1::LearnerRequest>, ClientError> {
        let ask = v1::ListRequestsRequest {
            learner: learner.to_owned(),
            page_size: REQUESTS_READ_MAX,
            ..Default::default()
        };
        let send = |line: Line, it| async move { line.requests().list_requests(it).await };
        Ok(self.bank.call(ask, send).await?.requests)
    }

    /// Takes a request back.
    pub(crate) async fn withdraw_request(
        &self,
        learner: &str,
        request_id: [u8; 16],
    ) -> Result<v1::LearnerRequest, ClientError> {
        let ask = v1::WithdrawRequestRequest {
            learner: learner.to_owned(),
            request_id: request_id.to_vec().into(),
        };
        let send = |line: Line, it| async move { line.requests().withdraw_request(it).await };
        self.bank.call(ask, send).await
    }
}
