//! The archive of one learner.

use creditbank_client::ClientError;
use creditbank_wire::v1;

use crate::app::App;

impl App {
    /// Records, newest first.
    pub(crate) async fn records(
        &self,
        request: v1::ListRecordsRequest,
    ) -> Result<v1::ListRecordsResponse, ClientError> {
        let send = |line: creditbank_client::Line, it| async move {
            line.archive().list_records(it).await
        };
        self.bank.call(request, send).await
    }

    /// Sums by category.
    pub(crate) async fn totals(&self, learner: &str) -> Result<v1::Totals, ClientError> {
        let learner = learner.to_owned();
        let send =
            |line: creditbank_client::Line, it| async move { line.archive().get_totals(it).await };
        self.bank.call(v1::GetTotalsRequest { learner }, send).await
    }
}
