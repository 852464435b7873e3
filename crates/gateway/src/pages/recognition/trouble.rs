//! What a learner does when the bank has refused a step: the page that they come from says it, above its own content.
//!
//! After a refused step the browser is led back with the code in the address. A code names a reason, never a person, and
//! only codes that exist are shown.

use axum::response::{IntoResponse, Redirect, Response};
use creditbank_client::ClientError;
use creditbank_domain::Refusal;
use tonic::Code;

use crate::failure::Failure;
use crate::frame::Frame;

/// A refused step, in words.
pub(super) struct Trouble {
    pub(super) code: &'static str,
    /// What happened and what to do.
    pub(super) text: String,
}

/// Codes with words of their own.
const KNOWN: [(&str, &str); 28] = [
    ("APPLICATION_MOVED", "recognition-trouble-moved"),
    ("APPLICATION_CLOSED", "recognition-trouble-closed"),
    ("STEP_NOT_ALLOWED", "recognition-trouble-moved"),
    ("APPEAL_TOO_LATE", "recognition-trouble-appeal-late"),
    ("NOTHING_GRANTED", "recognition-trouble-nothing"),
    ("RULE_SET_NOT_IN_FORCE", "recognition-trouble-rules-changed"),
    ("RULE_SET_UNKNOWN", "recognition-trouble-rules-changed"),
    ("PROGRAMME_UNKNOWN", "recognition-trouble-programme"),
    ("RECORD_ID_CONFLICT", "recognition-trouble-form-used"),
    ("CONSENT_USED", "recognition-trouble-consent-used"),
    ("PEER_UNKNOWN", "recognition-trouble-peer"),
    ("PEER_STOPPED", "recognition-trouble-peer-stopped"),
    ("TRANSFER_UNKNOWN", "recognition-trouble-transfer-unknown"),
    ("TRANSFER_MOVED", "recognition-trouble-moved"),
    ("OUTCOME_BOUND", "recognition-trouble-bound"),
    ("TARGET_FOREIGN", "recognition-trouble-foreign"),
    ("TARGET_MISSING", "recognition-trouble-outcome"),
    ("TARGET_REVOKED", "recognition-trouble-revoked"),
    ("TARGET_NOT_AMENDABLE", "recognition-trouble-outcome"),
    ("TARGET_HASH_MISMATCH", "recognition-trouble-outcome"),
    ("TARGET_LEARNER_DIFFERS", "recognition-trouble-outcome"),
    ("MISSING", "recognition-trouble-missing"),
    ("TOO_LONG", "recognition-trouble-too-long"),
    ("BAD_CHARACTER", "recognition-trouble-character"),
    ("BAD_CHECK_DIGIT", "recognition-trouble-learner-code"),
    ("WRONG_LENGTH", "recognition-trouble-learner-code"),
    ("QUEUE_FULL", "recognition-trouble-busy"),
    ("PERMISSION_DENIED", "recognition-trouble-agent"),
];
const OTHER: &str = "recognition-trouble-other";

impl Trouble {
    /// Of a code in an address or an answer; nothing for what is no code.
    pub(super) fn of(f: &Frame, code: &str) -> Option<Self> {
        let code = Refusal::CODES.iter().copied().find(|it| *it == code)?;
        Some(Self {
            code,
            text: f.t(key(code)),
        })
    }

    /// Of a failure that a page can be shown with; another is passed on.
    pub(super) fn of_failure(f: &Frame, failure: Failure) -> Result<Self, Failure> {
        let found = Self::of(f, code_of(&failure).unwrap_or_default());
        found.ok_or(failure)
    }
}

fn key(code: &str) -> &'static str {
    let known = KNOWN.iter().find(|(it, _)| *it == code);
    known.map_or(OTHER, |(_, key)| key)
}

fn code_of(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::Bank(error) => {
            let is_refusal = error.refused().is_none_or(|it| !is_ours(it.grpc));
            error.code().filter(|_| is_refusal)
        }
        Failure::Refused { refusal, .. } => Some(refusal.code()),
        _ => None,
    }
}

/// Whether a status is no answer about what the learner asked for.
fn is_ours(code: Code) -> bool {
    use Code::{Internal, Unauthenticated, Unavailable, Unimplemented, Unknown};
    matches!(
        code,
        Internal | Unauthenticated | Unavailable | Unimplemented | Unknown
    )
}

/// Leads back to a page that says what to do. A failure that has no code of the bank is passed on.
pub(super) fn back(failure: impl Into<Failure>, page: &str) -> Result<Response, Failure> {
    let failure = failure.into();
    let known = code_of(&failure).filter(|code| Refusal::CODES.contains(code));
    match known {
        Some(code) => Ok(Redirect::to(&format!("{page}?trouble={code}")).into_response()),
        None => Err(failure),
    }
}

/// One answer for what is not there and what is another's.
pub(super) fn unknown_is_not_found(error: ClientError) -> Failure {
    match error.code() {
        Some(
            "APPLICATION_UNKNOWN"
            | "RECORD_UNKNOWN"
            | "PROGRAMME_UNKNOWN"
            | "RULE_SET_UNKNOWN"
            | "RULE_SET_NOT_IN_FORCE"
            | "INDEX_OUT_OF_RANGE"
            | "LEARNER_ERASED",
        ) => Failure::NotFound,
        _ => Failure::Bank(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Lang, text};

    #[test]
    fn every_code_of_the_bank_has_words_that_say_what_to_do() {
        for code in Refusal::CODES {
            for lang in [Lang::Zh, Lang::En] {
                let key = key(code);
                assert_ne!(text(lang, key, &[]), key, "{code}");
            }
        }
        for (code, _) in KNOWN {
            assert!(Refusal::CODES.contains(&code), "{code} is no code");
        }
    }

    #[test]
    fn only_what_the_bank_says_is_led_back() {
        let refused = Failure::Refused {
            refusal: Refusal::ApplicationMoved,
            field: "reason",
        };
        let response = back(refused, "/recognition/applications/7").expect("led back");
        assert_eq!(
            response.headers()["location"],
            "/recognition/applications/7?trouble=APPLICATION_MOVED"
        );
        assert!(back(Failure::NotYours, "/recognition").is_err());
    }
}
