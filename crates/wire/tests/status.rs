//! Every refusal has a status and texts in both languages, and its status carries it whole.

use std::time::Duration;

use creditbank_domain::outcome::EvidenceKind;
use creditbank_domain::standard::Share;
use creditbank_domain::{Category, Fault, Hours, Refusal};
use creditbank_wire::status::{
    DOMAIN, VIOLATIONS_MAX, grpc_code, http_status, refusal_from_status, status_from_bytes, text,
    to_status, violation,
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// One refusal of every code, in the order of [`Refusal::CODES`], with parameters that no text holds by chance.
#[rustfmt::skip]
fn samples() -> Vec<Refusal> {
    use Refusal::*;
    vec![
        Missing, TooLong { max: 7301 }, WrongLength { expected: 7302 }, BadCharacter { position: 7303 },
        Malformed { expected: "field-7304" }, BadCheckDigit, NotADate, OutOfRange { min: -7305, max: 7306 },
        Negative, NotANumber, TooManyDecimals { max: 7307 }, Overflow, DateInFuture,
        DateTooEarly { earliest: jiff::civil::date(1949, 10, 1) }, TooFew { min: 7309 }, TooMany { max: 7310 },
        Repeated { first: 7311 }, Reserved, RegionUnknown, RegionNotValidThen, RegionOfTests, OccupationUnknown,
        LevelUnknown, CategoryUnknown, GradeScaleUnknown, ChoiceUnknown, Inconsistent { with: "field-7312" },
        EndBeforeStart, NotAscending, AttestorMissing, AttestorRepeated, CompletedInFuture,
        CategoryNotAdmitted { category: Category::ElderCourse }, CategoryNotOfStandard, StandardNotInForce,
        DepositedTooLate { years: 7314 }, HoursBelowStandard { needed: Hours::from_hundredths(731500) },
        HoursAboveStandard { most: Hours::from_hundredths(731600) },
        AttendanceBelowStandard { needed: Share(7317) }, EvidenceMissing { kind: EvidenceKind::Photograph },
        NotPassed, WalkPointsTooFew { min: 7319 }, WalkPointsTooClose { min_minutes: 7320 },
        WalkTooLong { days: 7321 }, BatchEmpty, BatchTooLarge { count: 7322, max: 7323 },
        RecordTooLarge { bytes: 7324, max: 7325 }, NotCanonical, UnknownVersion { version: 7326 }, OriginForeign,
        IssuerMismatch, IssuerUnknown, IssuerSuspended, KeyUnknown, KeyRevoked, KeyWrongPurpose, KeySmallOrder,
        KeyExists, AlgorithmUnknown { algorithm: 7327 }, SignatureInvalid, RootMismatch, CommitmentMismatch,
        KindNotAllowed, RecordIdConflict { differs: "field-7328" }, RecordIdRepeatedInBatch { first_row: 7329 },
        TargetMissing, TargetForeign, TargetHashMismatch, TargetRevoked, TargetNotAmendable, TargetLearnerDiffers,
        LearnerUnknown, LearnerErased, IdentityTaken, MergeSelf, InstitutionExists, ProjectUnknown, ProjectMissing,
        ProjectForOtherCategory { category: Category::ElderCourse }, ProjectNotAdmitted, ProjectSuspended,
        ProjectExpired, ProjectExists, ProjectDecided, PanelRejected, PanelApproved, RuleSetUnknown,
        RuleSetNotInForce, RuleSetExists, RuleSetInvalid { errors: 7331 }, DocumentExists, DocumentMissing,
        StandardUnknown, ProgrammeUnknown, ApplicationUnknown, ApplicationClosed,
        StepNotAllowed { state: "field-7332" }, AlreadyVoted, PanelTooSmall { needed: 7333 }, PanelConflict,
        NoticeRunning { until: jiff::civil::date(1949, 10, 1) },
        NoticeOver { until: jiff::civil::date(1949, 10, 1) }, DecisionDiffers,
        AppealRunning { until: jiff::civil::date(1949, 10, 1) },
        AppealTooLate { until: jiff::civil::date(1949, 10, 1) }, ApplicationMoved, NoticeOutdated, NothingGranted,
        TransferUnknown, SequenceGap { expected: 7344 }, OutcomeBound, TransferMoved, ConsentUsed, PeerUnknown,
        PeerStopped, PeersNotConfigured, PeriodOpen { until_ms: 1_796_054_400_000 }, StepsMissing { expected: 7347 }, PeriodBeforeOpen, PeriodClosed,
        YearbookOpen, YearbookEmpty, YearbookPublished, YearbookUnknown,
        PeerUnreachable, PeerInvalid { check: "field-7346" },
        PointsTooFew { available: 7338 }, PointsOwed { owed: 7339 }, RedemptionExists, RedemptionClosed,
        RecordUnknown, SubjectLinked, CodeInvalid, CodeExpired, CodeUsed, PurposeNotAllowed, IdentityMismatch,
        TriesTooMany { minutes: 7351 }, GrantsTooMany { max: 7352 }, ExpiryInvalid { days: 7353 }, GrantUnknown, ShareClosed,
        RequestOpen, RequestsTooMany { max: 7354 }, RequestUnknown, RequestAnswered, RequestIdTaken,
        RecordNotInForce, StatusListUnknown, CredentialsNotConfigured,
        PermissionDenied, TokenMissing, TokenMalformed, TokenExpired, TokenTooLong { max_seconds: 7340 },
        TokenReplayed, TokenAudience, PageTokenInvalid, NotFound { what: "field-7341" },
        IndexOutOfRange { size: 7342 }, QueueFull { retry_ms: 7343 }, DeadlineExceeded, ReadOnly, ShuttingDown,
        StorageFailed, Internal,
    ]
}

#[test]
fn every_code_has_a_sample() {
    let codes: Vec<_> = samples().iter().map(Refusal::code).collect();
    assert_eq!(codes, Refusal::CODES);
}

#[test]
fn every_refusal_is_an_error_over_grpc_and_http() {
    for refusal in samples() {
        assert_ne!(grpc_code(&refusal), Code::Ok, "{refusal}");
        assert!((400..600).contains(&http_status(&refusal)), "{refusal}");
    }
}

#[test]
fn every_text_is_in_its_language_and_names_every_parameter() {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for refusal in samples() {
        let (zh, en) = text(&refusal);
        assert!(
            zh.chars().any(is_chinese) && zh.ends_with('。'),
            "{refusal}: {zh}"
        );
        assert!(
            !en.chars().any(is_chinese) && en.ends_with('.'),
            "{refusal}: {en}"
        );
        for (name, value) in refusal.params() {
            // A moment is told as people write it.
            let value = match name {
                "until_ms" => "2026-12-01 00:00".to_owned(),
                _ => value,
            };
            assert!(
                zh.contains(&value) && en.contains(&value),
                "{refusal} does not tell {name}: {zh} {en}"
            );
        }
    }
}

#[test]
fn states_are_told_in_chinese_by_their_chinese_names() {
    use creditbank_domain::application::State as Of;
    let granted = true;
    let applications = [
        Of::Submitted,
        Of::Accepted,
        Of::Returned,
        Of::UnderReview,
        Of::Noticed,
        Of::Decided { granted },
        Of::Appealed { granted },
        Of::Final { granted },
        Of::Reversed,
        Of::Withdrawn,
    ];
    let transfers = creditbank_domain::transfer::State::ALL.map(|it| it.code());
    for state in applications.map(Of::code).into_iter().chain(transfers) {
        let (zh, _) = text(&Refusal::StepNotAllowed { state });
        assert!(
            zh.contains(&format!(" {state}）")),
            "{zh} has no name for it"
        );
    }
}

#[test]
fn no_two_refusals_read_the_same() {
    let mut texts: Vec<_> = samples().iter().map(text).collect();
    texts.sort();
    texts.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1);
    assert_eq!(texts.len(), Refusal::CODES.len());
}

#[test]
fn a_client_reads_back_code_and_parameters() {
    for refusal in samples() {
        let status = to_status(&[refusal.at("some.field")]);
        assert_eq!(status.code(), grpc_code(&refusal));
        let (code, mut params) = refusal_from_status(&status).expect("a refusal of ours");
        assert_eq!(code, refusal.code());
        for (name, value) in refusal.params() {
            assert_eq!(params.remove(name), Some(value), "{refusal}");
        }
        assert!(params.is_empty(), "{refusal}");
    }
}

#[test]
fn a_status_carries_both_languages_and_every_field() {
    let faults = [
        Refusal::TooLong { max: 64 }.at("project"),
        Refusal::Missing.at("grade"),
    ];
    let status = to_status(&faults);
    let (zh, en) = text(&faults[0].refusal);
    assert_eq!(status.message(), format!("project: {en}"));

    let details = status.check_error_details_vec().expect("details decode");
    let messages = details.iter().filter_map(|detail| match detail {
        ErrorDetail::LocalizedMessage(it) => Some((it.locale.as_str(), it.message.as_str())),
        _ => None,
    });
    assert_eq!(
        messages.collect::<Vec<_>>(),
        [("zh-CN", zh.as_str()), ("en", en.as_str())]
    );

    let info = status.get_details_error_info().expect("error info");
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("TOO_LONG", DOMAIN)
    );

    let fields = status
        .get_details_bad_request()
        .expect("field violations")
        .field_violations;
    let told: Vec<_> = fields
        .iter()
        .map(|it| (it.field.as_str(), it.reason.as_str()))
        .collect();
    assert_eq!(told, [("project", "TOO_LONG"), ("grade", "MISSING")]);
    assert_eq!(fields[0].description, format!("{zh} {en}"));
}

#[test]
fn a_full_queue_says_when_to_come_again() {
    let status = to_status(&[Refusal::QueueFull { retry_ms: 250 }.at("")]);
    assert_eq!(status.code(), Code::ResourceExhausted);
    let retry = status.get_details_retry_info().expect("retry info");
    assert_eq!(retry.retry_delay, Some(Duration::from_millis(250)));
    assert!(
        status.get_details_bad_request().is_none(),
        "it is about no field"
    );
}

#[test]
fn a_status_fits_into_the_headers_of_any_client() {
    let longest = samples()
        .into_iter()
        .max_by_key(|refusal| text(refusal).0.len() + text(refusal).1.len());
    let fault = longest
        .expect("samples")
        .at("payload.amendment.outcome.humanities_walk.points[63].at");
    let status = to_status(&vec![fault; 1000]);
    let violations = status
        .get_details_bad_request()
        .expect("field violations")
        .field_violations;
    assert_eq!(violations.len(), VIOLATIONS_MAX);
    let in_base64 = status.details().len().div_ceil(3) * 4;
    assert!(
        in_base64 + status.message().len() < 8 * 1024 - 1024,
        "{in_base64}"
    );
}

#[test]
fn a_refusal_without_faults_is_our_own_fault() {
    let status = to_status(&[]);
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(
        refusal_from_status(&status).expect("a refusal").0,
        "INTERNAL"
    );
}

#[test]
fn a_status_in_a_stream_is_that_of_a_call() {
    let status = to_status(&[Refusal::SignatureInvalid.at("signature")]);
    let again = status_from_bytes(status.details()).expect("a status");
    assert_eq!(
        (again.code(), again.message(), again.details()),
        (status.code(), status.message(), status.details())
    );
    assert!(status_from_bytes(&[0xff]).is_err());
}

#[test]
fn a_foreign_status_is_no_refusal_of_ours() {
    assert_eq!(
        refusal_from_status(&Status::unavailable("a proxy is tired")),
        None
    );
}

#[test]
fn a_violation_names_field_code_and_texts() {
    let fault: Fault = Refusal::OutOfRange { min: 0, max: 100 }.at("grade.percentage_hundredths");
    let told = violation(&fault);
    assert_eq!(
        (told.field.as_str(), told.code.as_str()),
        ("grade.percentage_hundredths", "OUT_OF_RANGE")
    );
    assert_eq!((told.message_zh, told.message_en), text(&fault.refusal));
}

#[test]
fn a_fault_cites_the_clause_of_what_was_not_met() {
    let clause = "人文行走认证单元 第三条";
    let fault = Refusal::WalkPointsTooFew { min: 4 }.at("detail.points");
    assert_eq!(violation(&fault).clause, "");
    let cited = fault.clone().citing(clause).within("payload.outcome");
    assert_eq!(violation(&cited).clause, clause);
    let description = |fault: Fault| {
        let status = to_status(&[fault]);
        let request = status.get_details_bad_request().expect("field violations");
        request.field_violations[0].description.clone()
    };
    assert_eq!(
        description(cited),
        format!("{} ({clause})", description(fault.clone()))
    );
    assert_eq!(
        fault.clone().citing(""),
        fault,
        "an empty clause cites nothing"
    );
}
