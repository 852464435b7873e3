//! Points (激励积分): what a learner has, awards, and redemptions from reservation to the end.
//!
//! A redemption is named by its counter. [`redemption_id`] makes the id of the wire out of the counter's own number, so
//! that a counter that asks again after a broken connection asks for the same redemption, and points are set aside once.

use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use sha2::{Digest, Sha256};

use crate::connection::{Bank, Line};
use crate::failure::ClientError;

const REDEMPTION_CONTEXT: &[u8] = b"creditbank/redemption/v1\n";

/// The id of a redemption, from the counter's own number of it (兑换单号). Two counters whose numbers may be the same
/// put something of their own before them.
#[must_use]
pub fn redemption_id(number: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(REDEMPTION_CONTEXT)
        .chain_update(number)
        .finalize()
        .into();
    *digest.first_chunk().expect("32 bytes")
}

/// What a learner has, and a page of the history.
///
/// # Errors
/// If the learner is unknown, the caller may not ask, or the bank could not be reached.
pub async fn purse(bank: &Bank, request: v1::GetPointsRequest) -> Result<v1::Purse, ClientError> {
    let send = |line: Line, request| async move { line.points().get_points(request).await };
    bank.call(request, send).await
}

/// Enters what a learner's outcomes have earned. Operators.
///
/// # Errors
/// If the set is unknown or not in force, the caller may not award, or the bank could not be reached.
pub async fn award(
    bank: &Bank,
    request: v1::AwardPointsRequest,
) -> Result<v1::AwardPointsResponse, ClientError> {
    let send = |line: Line, request| async move { line.points().award_points(request).await };
    bank.call(request, send).await
}

/// Sets points of a learner aside (冻结).
///
/// # Errors
/// If there are not as many, points are owed, or the id names a redemption of something else.
pub async fn reserve(
    bank: &Bank,
    learner: LearnerCode,
    redemption: [u8; 16],
    points: u32,
    purpose: &str,
) -> Result<v1::RedemptionResponse, ClientError> {
    let request = v1::ReservePointsRequest {
        learner: digits(learner),
        redemption: redemption.to_vec().into(),
        points,
        purpose: purpose.to_owned(),
    };
    let send = |line: Line, request| async move { line.points().reserve_points(request).await };
    bank.call(request, send).await
}

/// Says that a redemption took place (兑换).
///
/// # Errors
/// If there is no such redemption, it was cancelled, or points are owed.
pub async fn confirm(
    bank: &Bank,
    learner: LearnerCode,
    redemption: [u8; 16],
) -> Result<v1::RedemptionResponse, ClientError> {
    let request = v1::ConfirmRedemptionRequest {
        learner: digits(learner),
        redemption: redemption.to_vec().into(),
    };
    let send = |line: Line, request| async move { line.points().confirm_redemption(request).await };
    bank.call(request, send).await
}

/// Says that a redemption did not take place (取消).
///
/// # Errors
/// If there is no such redemption, or it was confirmed.
pub async fn cancel(
    bank: &Bank,
    learner: LearnerCode,
    redemption: [u8; 16],
) -> Result<v1::RedemptionResponse, ClientError> {
    let request = v1::CancelRedemptionRequest {
        learner: digits(learner),
        redemption: redemption.to_vec().into(),
    };
    let send = |line: Line, request| async move { line.points().cancel_redemption(request).await };
    bank.call(request, send).await
}

/// A code as messages carry it.
fn digits(learner: LearnerCode) -> String {
    format!("{:016}", learner.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_redemption_is_a_part_of_the_format() {
        // printf 'creditbank/redemption/v1\nDH-1' | sha256sum
        let expected = "4ac256add83cfcedfa17a7a637eea880";
        let id = redemption_id("DH-1");
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
        assert_ne!(id, redemption_id("DH-2"));
    }
}
