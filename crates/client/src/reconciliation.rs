//! Reconciliation (对账): what operators and auditors ask of their own bank, and peer banks of each other.

use creditbank_wire::v1;
use tonic::Streaming;

use crate::connection::{Bank, Line};
use crate::failure::ClientError;

/// Closes a period with a peer bank: progress, then the report. Operators.
///
/// # Errors
/// If the period is not over or not the next one, the peer does not answer, or the bank could not be reached.
pub async fn reconcile(
    bank: &Bank,
    request: v1::ReconcileRequest,
) -> Result<Streaming<v1::ReconcileResponse>, ClientError> {
    let send = |line: Line, it| async move { line.reconciliation().reconcile(it).await };
    bank.call(request, send).await
}

/// The report of a closed period. Operators and auditors.
///
/// # Errors
/// If the period is not closed, or the bank could not be reached.
pub async fn report(
    bank: &Bank,
    request: v1::GetReconciliationRequest,
) -> Result<v1::ReconciliationReport, ClientError> {
    let send = |line: Line, it| async move { line.reconciliation().get_reconciliation(it).await };
    bank.call(request, send).await
}

/// A page of the periods that were stated. Operators and auditors.
///
/// # Errors
/// If there is no such peer, or the bank could not be reached.
pub async fn list(
    bank: &Bank,
    request: v1::ListReconciliationsRequest,
) -> Result<v1::ListReconciliationsResponse, ClientError> {
    let send = |line: Line, it| async move { line.reconciliation().list_reconciliations(it).await };
    bank.call(request, send).await
}

/// The bank's statement of a period with the caller. Peer banks.
///
/// # Errors
/// If the period is not over or not the next one, steps are missing, or the bank could not be reached.
pub async fn state_period(
    bank: &Bank,
    request: v1::StatePeriodRequest,
) -> Result<v1::StatePeriodResponse, ClientError> {
    let send = |line: Line, it| async move { line.reconciliation().state_period(it).await };
    bank.call(request, send).await
}

/// Count and root of ranges of the bank's items with the caller. Peer banks.
///
/// # Errors
/// If there are too many ranges, or the bank could not be reached.
pub async fn compare_ranges(
    bank: &Bank,
    request: v1::CompareRangesRequest,
) -> Result<v1::CompareRangesResponse, ClientError> {
    let send = |line: Line, it| async move { line.reconciliation().compare_ranges(it).await };
    bank.call(request, send).await
}

/// Items of the bank with the caller. Peer banks.
///
/// # Errors
/// If too many are asked for, or the bank could not be reached.
pub async fn list_items(
    bank: &Bank,
    request: v1::ListItemsRequest,
) -> Result<v1::ListItemsResponse, ClientError> {
    let send = |line: Line, it| async move { line.reconciliation().list_items(it).await };
    bank.call(request, send).await
}
