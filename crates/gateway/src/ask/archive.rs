//! The archive of one learner, what proves a record, and what is taken away of it.

use creditbank_client::{ClientError, Line};
use creditbank_wire::v1;

use crate::app::App;

/// Records of one answer when a whole archive is read.
const RECORDS_AT_ONCE: u32 = 1000;
/// Answers that are read of one archive.
const ANSWERS_MAX: usize = 20;

impl App {
    /// Records, newest first.
    pub(crate) async fn records(
        &self,
        request: v1::ListRecordsRequest,
    ) -> Result<v1::ListRecordsResponse, ClientError> {
        let send = |line: Line, it| async move { line.archive().list_records(it).await };
        self.bank.call(request, send).await
    }

    /// Records that match, newest first, until `is_enough` says so: 20,000 at most. Each is handed over once.
    pub(crate) async fn each_record(
        &self,
        mut request: v1::ListRecordsRequest,
        mut is_enough: impl FnMut(v1::ArchiveRecord) -> bool,
    ) -> Result<(), ClientError> {
        request.page_size = RECORDS_AT_ONCE;
        for _ in 0..ANSWERS_MAX {
            let answer = self.records(request.clone()).await?;
            if answer.records.into_iter().any(&mut is_enough) || answer.next_page_token.is_empty() {
                break;
            }
            request.page_token = answer.next_page_token;
        }
        Ok(())
    }

    /// One record with its history.
    pub(crate) async fn record(
        &self,
        learner: &str,
        leaf_index: u64,
    ) -> Result<v1::GetRecordResponse, ClientError> {
        let ask = v1::GetRecordRequest {
            learner: learner.to_owned(),
            leaf_index,
        };
        let send = |line: Line, it| async move { line.archive().get_record(it).await };
        self.bank.call(ask, send).await
    }

    /// Sums by category.
    pub(crate) async fn totals(&self, learner: &str) -> Result<v1::Totals, ClientError> {
        let learner = learner.to_owned();
        let send = |line: Line, it| async move { line.archive().get_totals(it).await };
        self.bank.call(v1::GetTotalsRequest { learner }, send).await
    }

    /// What proves one leaf.
    pub(crate) async fn proof(&self, leaf_index: u64) -> Result<v1::Receipt, ClientError> {
        let send = |line: Line, it| async move { line.log().get_receipt(it).await };
        self.bank
            .call(v1::GetReceiptRequest { leaf_index }, send)
            .await
    }

    /// A credential of these records, ascending, as it is handed out.
    pub(crate) async fn credential_of(
        &self,
        learner: &str,
        form: v1::CredentialForm,
        leaf_indexes: Vec<u64>,
    ) -> Result<String, ClientError> {
        let ask = v1::IssueCredentialRequest {
            learner: learner.to_owned(),
            form: form as i32,
            leaf_indexes,
            base_url: self.options.base_url.clone(),
        };
        let send = |line: Line, it| async move { line.credentials().issue_credential(it).await };
        Ok(self.bank.call(ask, send).await?.credential)
    }
}
