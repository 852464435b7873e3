//! Transfers between banks (学分跨区转移): the learner's consent at the bank that holds an outcome, the request at the one
//! that is to recognise it, and what peers and operators ask.

use creditbank_domain::record::{RecordKind, RecordRef};
use creditbank_domain::transfer::TransferId;
use creditbank_domain::{Digest32, LearnerCode};
use creditbank_wire::v1::{self, payload::Content};
use sha2::{Digest, Sha256};

use crate::connection::{Bank, Line};
use crate::failure::ClientError;
use crate::record::{RecordMaker, reference};

/// The digest by which a consent binds the notice that the learner was shown.
#[must_use]
pub fn notice_digest(notice: &[u8]) -> Digest32 {
    Sha256::digest(notice).into()
}

impl RecordMaker {
    /// The learner consents to give one outcome to another bank (单独同意). Withdrawn by a
    /// [`revocation`](RecordMaker::revocation) of it, until the outcome is released.
    #[must_use]
    pub fn consent(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        consent: v1::Consent,
    ) -> v1::SignedRecord {
        let content = Content::Consent(consent);
        self.make(
            natural_key,
            RecordKind::Consent,
            learner,
            content,
            None,
            None,
        )
    }

    /// The learner asks for the outcome that a consent in the log of `origin` is about (转移申请).
    #[must_use]
    pub fn transfer_request(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        origin: &str,
        consent: &RecordRef,
        id: TransferId,
    ) -> v1::SignedRecord {
        let content = Content::TransferRequest(v1::TransferRequest {
            origin: origin.to_owned(),
            consent: Some(reference(consent)),
            transfer_id: id.0.to_vec().into(),
        });
        let kind = RecordKind::TransferRequest;
        self.make(natural_key, kind, learner, content, None, None)
    }
}

/// Steps of a peer bank, in order, behind the last that was taken in.
///
/// # Errors
/// If the caller is no peer bank, has shown two histories, or the bank could not be reached.
pub async fn read_steps(
    bank: &Bank,
    request: v1::ReadStepsRequest,
) -> Result<v1::ReadStepsResponse, ClientError> {
    let send = |line: Line, request| async move { line.transfers().read_steps(request).await };
    bank.call(request, send).await
}

/// One transfer.
///
/// # Errors
/// If it is unknown, the caller may not ask, or the bank could not be reached.
pub async fn transfer(bank: &Bank, id: TransferId) -> Result<v1::TransferView, ClientError> {
    let request = v1::GetTransferRequest {
        transfer_id: id.0.to_vec().into(),
    };
    let send = |line: Line, request| async move { line.transfers().get_transfer(request).await };
    bank.call(request, send).await
}

/// A page of the transfers with a peer bank.
///
/// # Errors
/// If the peer or the state is unknown, the caller may not ask, or the bank could not be reached.
pub async fn transfers(
    bank: &Bank,
    request: v1::ListTransfersRequest,
) -> Result<v1::ListTransfersResponse, ClientError> {
    let send = |line: Line, request| async move { line.transfers().list_transfers(request).await };
    bank.call(request, send).await
}

/// Asks for a released outcome back.
///
/// # Errors
/// If it is not on its way any more, the caller may not ask, or the bank could not be reached.
pub async fn recall(bank: &Bank, id: TransferId) -> Result<v1::TransferView, ClientError> {
    let request = v1::RecallTransferRequest {
        transfer_id: id.0.to_vec().into(),
    };
    let send = |line: Line, request| async move { line.transfers().recall_transfer(request).await };
    bank.call(request, send).await
}
