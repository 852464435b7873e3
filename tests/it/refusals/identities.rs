//! Identity documents: each row of a list is decided alone.

use creditbank_client::Refused;
use creditbank_wire::v1;

use super::check_refused;
use crate::bank::Bank;
use crate::institution::Institution;

#[tokio::test(flavor = "multi_thread")]
async fn identities_are_refused_alone_and_with_their_field() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let _other = Institution::new(&bank, "other").await;
    let row = |kind: v1::IdentityKind, number: &str, issuer: &str| v1::EnrolLearnerRequest {
        identity: Some(v1::Identity {
            kind: kind.into(),
            number: number.into(),
            issuer: issuer.into(),
        }),
        name: "古力·阿依夏木".into(),
    };
    use v1::IdentityKind::{Passport, ResidentId, StudentNumber};
    let cases = [
        (row(ResidentId, "319901194505120011", ""), "", ""),
        (
            row(ResidentId, "319901194505120012", ""),
            "BAD_CHECK_DIGIT",
            "identity.number",
        ),
        (
            row(ResidentId, "339901201002290023", ""),
            "NOT_A_DATE",
            "identity.number",
        ),
        (
            row(ResidentId, "31990119450512001", ""),
            "WRONG_LENGTH",
            "identity.number",
        ),
        (row(ResidentId, "319901201202290040", ""), "", ""),
        (row(Passport, "E12345678", ""), "MISSING", "identity.number"),
        (row(Passport, "E12345678", "CHN"), "", ""),
        (
            row(StudentNumber, "20240001", "other"),
            "PERMISSION_DENIED",
            "identity.issuer",
        ),
        (row(StudentNumber, "20240001", "fudan"), "", ""),
        (row(StudentNumber, "", ""), "MISSING", "identity.number"),
        (v1::EnrolLearnerRequest::default(), "MISSING", "identity"),
        (
            v1::EnrolLearnerRequest {
                name: "长".repeat(101),
                ..row(ResidentId, "329901198810204561", "")
            },
            "TOO_LONG",
            "name",
        ),
        (row(ResidentId, "319901194505120011", ""), "", ""),
    ];
    let rows: Vec<_> = cases.iter().map(|(row, ..)| row.clone()).collect();
    let results = creditbank_client::learners::resolve(&fudan.line, rows, true)
        .await
        .unwrap();
    for (at, ((_, code, field), result)) in cases.iter().zip(&results).enumerate() {
        assert_eq!(
            (result.code.as_str(), result.field.as_str()),
            (*code, *field),
            "row {at}"
        );
        assert_eq!(
            result.learner.len(),
            if code.is_empty() { 16 } else { 0 },
            "row {at}"
        );
    }
    assert_eq!(
        results[0].learner, results[12].learner,
        "one person, one archive"
    );
    assert!(results[0].created && !results[12].created);
    let rows = vec![row(StudentNumber, "1", ""); 1001];
    let request = v1::ResolveLearnersRequest {
        rows,
        enrol_missing: true,
    };
    let mut answers = fudan
        .line
        .learner()
        .resolve_learners(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    check_refused(
        "1,001 rows",
        &Refused::new(answers.message().await.unwrap_err()),
        "TOO_MANY",
        "rows",
    );
    bank.check_log();
}
