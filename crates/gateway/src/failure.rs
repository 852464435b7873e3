//! What did not work, as a page or as JSON: a stable code, a text in both languages, a status. Never what was sent.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use creditbank_client::ClientError;
use creditbank_domain::Refusal;
use creditbank_wire::status;
use tonic::Code;

use crate::sign_in::SignInError;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut { next: String },
    /// There is nothing here, or nothing that this person may see: one answer for both.
    #[error("not found")]
    NotFound,
    /// The form is not of this session.
    #[error("the form does not belong to this session")]
    ForeignForm,
    /// A relative looks and does not act, or an act is the learner's own.
    #[error("only the learner may do this")]
    NotYours,
    /// What was sent cannot be read.
    #[error("the request cannot be read")]
    Unreadable,
    /// A value that was sent breaks a rule.
    #[error("{field}: {}", .refusal.code())]
    Refused {
        refusal: Refusal,
        field: &'static str,
    },
    /// There is something here, but not for this method.
    #[error("the method is not allowed here")]
    Method,
    /// A body that is no JSON.
    #[error("the body is no JSON")]
    NotJson,
    /// A body that is too large.
    #[error("the body is too large")]
    TooLarge,
    /// A body that did not come in time.
    #[error("the body did not come in time")]
    Slow,
    /// Something took longer than it may.
    #[error("no answer in time")]
    Late,
    /// A program error.
    #[error("an internal error")]
    Internal,
    /// Nobody was signed in, whatever the reason.
    #[error("the sign-in was not completed")]
    SignInFailed,
    /// The identity provider does not answer.
    #[error("the identity provider does not answer")]
    ProviderSilent,
    /// Too many requests of one client.
    #[error("too many requests")]
    TooMany { retry_s: u64 },
    /// The ledger.
    #[error(transparent)]
    Bank(#[from] ClientError),
    /// A page could not be written.
    #[error(transparent)]
    Page(#[from] askama::Error),
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        tracing::warn!(%error, "nobody was signed in");
        match error {
            SignInError::Unreachable => Self::ProviderSilent,
            SignInError::Code | SignInError::Token(_) => Self::SignInFailed,
        }
    }
}

/// A failure as it is told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) zh: String,
    pub(crate) en: String,
    /// Path of the field at fault, if one is.
    pub(crate) field: String,
    pub(crate) retry_s: Option<u64>,
}

impl Failure {
    /// What is told of it.
    pub(crate) fn told(&self) -> Told {
        let (status, code, zh, en) = match self {
            Self::SignedOut { .. } => (401, "SIGNED_OUT", "请先登录。", "Please sign in first."),
            Self::NotFound => (
                404,
                "NOT_FOUND",
                "没有这个页面，或您无权查看。",
                "There is nothing here that you may see.",
            ),
            Self::ForeignForm => (
                403,
                "FORM_NOT_YOURS",
                "页面已过期，请返回重试。",
                "This page is out of date; please go back and try again.",
            ),
            Self::NotYours => (
                403,
                "LEARNER_ONLY",
                "此事须由本人办理。",
                "Only the learner can do this.",
            ),
            Self::Unreadable => (
                400,
                "MALFORMED",
                "无法读取所提交的内容。",
                "What was sent cannot be read.",
            ),
            Self::TooMany { .. } => (
                429,
                "TOO_MANY_REQUESTS",
                "操作太频繁，请稍候再试。",
                "Too many requests; please wait a moment.",
            ),
            Self::Page(_) | Self::Internal => (
                500,
                "INTERNAL",
                "页面暂时无法显示。",
                "This page cannot be shown now.",
            ),
            Self::SignInFailed => (
                400,
                "SIGN_IN_FAILED",
                "登录没有完成，请重新登录。",
                "The sign-in was not completed; please sign in again.",
            ),
            Self::ProviderSilent => (
                503,
                "PROVIDER_UNAVAILABLE",
                "统一身份认证暂时无法应答，请稍后再试。",
                "The identity service cannot answer now; please try again later.",
            ),
            Self::Method | Self::NotJson | Self::TooLarge | Self::Slow | Self::Late => {
                self.of_http()
            }
            Self::Refused { refusal, field } => return of_refusal(refusal, field),
            Self::Bank(error) => return of_bank(error),
        };
        Told {
            status: code_of(status),
            code: code.to_owned(),
            zh: zh.to_owned(),
            en: en.to_owned(),
            field: String::new(),
            retry_s: match self {
                Self::TooMany { retry_s } => Some(*retry_s),
                Self::ProviderSilent | Self::Late => Some(5),
                _ => None,
            },
        }
    }

    /// Those that have to do with HTTP alone.
    fn of_http(&self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::Method => (
                405,
                "METHOD_NOT_ALLOWED",
                "此处不接受这种请求方式。",
                "This method is not allowed here.",
            ),
            Self::NotJson => (
                415,
                "NOT_JSON",
                "请求内容须为 JSON。",
                "The body must be JSON.",
            ),
            Self::TooLarge => (
                413,
                "TOO_LARGE",
                "所提交的内容过大。",
                "What was sent is too large.",
            ),
            Self::Slow => (
                408,
                "TOO_SLOW",
                "提交超时，请检查网络后重试。",
                "What was sent did not arrive in time; please try again.",
            ),
            _ => (
                503,
                "LATE",
                "暂时无法应答，请稍后再试。",
                "There was no answer in time; please try again later.",
            ),
        }
    }

    /// A failure of the ledger where what is unknown to it and what is somebody else's have one answer.
    pub(crate) fn of_unknown(error: ClientError) -> Self {
        match error.refused().map(|it| it.grpc) {
            Some(Code::NotFound) => Self::NotFound,
            _ => Self::Bank(error),
        }
    }
}

fn of_refusal(refusal: &Refusal, field: &str) -> Told {
    let (zh, en) = status::text(refusal);
    Told {
        status: code_of(status::http_status(refusal)),
        code: refusal.code().to_owned(),
        zh,
        en,
        field: field.to_owned(),
        retry_s: None,
    }
}

/// What the ledger refused, in its own words; what only this gateway did wrong there is told to nobody.
fn of_bank(error: &ClientError) -> Told {
    let Some(refused) = error.refused() else {
        return unavailable(error);
    };
    let Some(code) = refused.code.as_deref().filter(|_| !is_ours(refused.grpc)) else {
        return unavailable(error);
    };
    Told {
        status: code_of(http_of(refused.grpc)),
        code: code.to_owned(),
        zh: refused.message_zh.clone(),
        en: refused.message_en.clone(),
        field: refused
            .violations
            .first()
            .map(|it| it.field.clone())
            .unwrap_or_default(),
        retry_s: refused.retry_after.map(|it| it.as_secs().max(1)),
    }
}

fn unavailable(error: &ClientError) -> Told {
    tracing::error!(%error, "the ledger did not answer");
    Told {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "LEDGER_UNAVAILABLE".to_owned(),
        zh: "学分银行暂时无法应答，请稍后再试。您的记录不受影响。".to_owned(),
        en: "The credit bank cannot answer now; please try again later. Your records are safe."
            .to_owned(),
        field: String::new(),
        retry_s: Some(5),
    }
}

/// Whether a status is about the gateway itself: its token, its role, its request.
fn is_ours(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated
            | Code::Unknown
            | Code::Internal
            | Code::Unavailable
            | Code::Unimplemented
    )
}

fn http_of(code: Code) -> u16 {
    match code {
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::DeadlineExceeded => 504,
        _ => 400,
    }
}

fn code_of(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for Failure {
    /// Status and what is to be told; [`crate::frame::tell`] writes page or JSON, because only it knows the visitor.
    fn into_response(self) -> Response {
        let told = self.told();
        let mut response = told.status.into_response();
        if let Self::SignedOut { next } = self {
            response.extensions_mut().insert(Next(next));
        }
        response.extensions_mut().insert(told);
        response
    }
}

/// Where to go on after signing in.
#[derive(Debug, Clone)]
pub(crate) struct Next(pub(crate) String);
