//! What can go wrong between an institution and its bank.
//!
//! A refusal of the bank keeps everything the bank said: the stable code to act on, the fields at fault, and the texts
//! for people in Chinese and English.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use creditbank_domain::Refusal;
use creditbank_wire::{status, v1};
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An option that cannot work, found before anything was sent.
    #[error("{0}")]
    Configuration(&'static str),
    /// The address or certificate is not usable, or nobody answers there.
    #[error("cannot connect: {}", causes(.0))]
    Connect(tonic::transport::Error),
    /// The token could not be signed.
    #[error("cannot sign a token")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// The bank refused, or the connection broke and retrying did not help.
    #[error(transparent)]
    Refused(#[from] Box<Refused>),
    /// What was to be sent breaks a rule that is known here already.
    #[error("{0}")]
    NotSendable(#[from] Refusal),
    /// The bank's answer breaks the contract.
    #[error("the bank's answer breaks the contract: {0}")]
    Contract(&'static str),
    /// The bank did not answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
}

impl ClientError {
    /// The refusal of the bank, if it is one.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// The stable code of the refusal, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) => refused.code.as_deref(),
            Self::NotSendable(refusal) => Some(refusal.code()),
            _ => None,
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(Refused::new(status)))
    }
}

/// A call that ended with a status other than OK.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The gRPC status code; of a row, which has none, `FAILED_PRECONDITION`.
    pub grpc: Code,
    /// The stable code, such as `CATEGORY_NOT_ADMITTED`; absent when the bank itself did not speak.
    pub code: Option<String>,
    /// The parameters of the refusal.
    pub params: HashMap<String, String>,
    /// The fields at fault, with their own codes.
    pub violations: Vec<Violation>,
    /// The text in Chinese; may be empty.
    pub message_zh: String,
    /// The text in English.
    pub message_en: String,
    /// When the bank asks to try again.
    pub retry_after: Option<Duration>,
    /// Whether trying the same again may help.
    pub transient: bool,
}

/// A field at fault, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refused {
    /// Reads everything a status says.
    #[must_use]
    pub fn new(status: Status) -> Self {
        let (code, params) = status::refusal_from_status(&status).unzip();
        let mut refused = Self {
            grpc: status.code(),
            code,
            params: params.unwrap_or_default(),
            violations: Vec::new(),
            message_zh: String::new(),
            message_en: described(&status),
            retry_after: None,
            transient: is_transient(&status),
        };
        for detail in status.get_error_details_vec() {
            refused.note(detail);
        }
        refused
    }

    /// A row of a batch that was accepted otherwise; its first violation gives code and texts.
    #[must_use]
    pub fn of_row(row: &v1::RefusedRow) -> Self {
        let first = row.violations.first().cloned().unwrap_or_default();
        let violation = |it: &v1::Violation| Violation {
            field: it.field.clone(),
            code: it.code.clone(),
            message: match it.clause.as_str() {
                "" => format!("{} {}", it.message_zh, it.message_en),
                clause => format!("{} {} ({clause})", it.message_zh, it.message_en),
            },
        };
        Self {
            grpc: Code::FailedPrecondition,
            code: Some(first.code),
            params: HashMap::new(),
            violations: row.violations.iter().map(violation).collect(),
            message_zh: first.message_zh,
            message_en: first.message_en,
            retry_after: None,
            transient: false,
        }
    }

    /// Reads the `refusal` of a streamed response.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, ClientError> {
        let status = status::status_from_bytes(bytes)
            .map_err(|_| ClientError::Contract("the refusal of a batch is no google.rpc.Status"))?;
        Ok(Self::new(status))
    }

    /// Whether a fresh token may help: the connection behind the old one is gone, or its time is over.
    #[must_use]
    pub fn wants_new_token(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some("TOKEN_REPLAYED" | "TOKEN_EXPIRED")
        )
    }

    fn note(&mut self, detail: ErrorDetail) {
        match detail {
            ErrorDetail::RetryInfo(info) => self.retry_after = info.retry_delay,
            ErrorDetail::LocalizedMessage(text) if text.locale.starts_with("zh") => {
                self.message_zh = text.message;
            }
            ErrorDetail::LocalizedMessage(text) if text.locale.starts_with("en") => {
                self.message_en = text.message;
            }
            ErrorDetail::BadRequest(bad) => {
                let violation = |it: tonic_types::FieldViolation| Violation {
                    field: it.field,
                    code: it.reason,
                    message: it.description,
                };
                self.violations = bad.field_violations.into_iter().map(violation).collect();
            }
            _ => {}
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message_en)?,
            None => write!(f, "{:?}: {}", self.grpc, self.message_en)?,
        }
        if !self.message_zh.is_empty() {
            write!(f, " {}", self.message_zh)?;
        }
        self.violations
            .iter()
            .try_for_each(|it| write!(f, "\n  {}: {} {}", it.field, it.code, it.message))
    }
}

impl Error for Refused {}

/// The violations of a row as one line, for people.
#[must_use]
pub fn describe_row(row: &v1::RefusedRow) -> String {
    let one = |it: &v1::Violation| match it.clause.as_str() {
        "" => format!("{}: {} {}", it.field, it.code, it.message_en),
        clause => format!("{}: {} {} ({clause})", it.field, it.code, it.message_en),
    };
    row.violations
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The bank asks for patience, or the connection broke. A status that was made on this side (it has a source) and is
/// not our own deadline is a broken connection, whatever its code.
fn is_transient(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted => true,
        Code::Unknown | Code::Internal | Code::Cancelled => status
            .source()
            .is_some_and(|source| !source.is::<tonic::TimeoutExpired>()),
        _ => false,
    }
}

fn described(status: &Status) -> String {
    match status.source() {
        Some(source) => {
            let text = causes(source);
            format!("{}: {text}{}", status.message(), hint(&text))
        }
        None => status.message().to_owned(),
    }
}

/// How HTTP/2 fails on a port that speaks TLS.
const NO_HTTP2: [&str; 2] = ["frame with invalid size", "broken pipe"];

fn hint(text: &str) -> &'static str {
    if NO_HTTP2.iter().any(|it| text.contains(it)) {
        " (if the bank has a certificate there, its address begins with https)"
    } else {
        ""
    }
}

/// An error with its chain of causes, each said once.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
