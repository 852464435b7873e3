//! The one map from a refusal to its gRPC code, HTTP status and texts, and statuses that carry it whole.
//!
//! Codes steer, texts inform: a client reads `ErrorInfo.reason`, a person the text. Texts say what is wrong and what to
//! do; they are made of a refusal's parameters alone, which never hold what the caller sent.

mod words;

use std::collections::HashMap;
use std::time::Duration;

use creditbank_domain::{Fault, Refusal};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, FieldViolation, LocalizedMessage, RetryInfo, StatusExt, pb,
};

pub use self::words::reason_text;
use self::words::{beijing, named};
use crate::v1;

/// `ErrorInfo.domain` of every refusal.
pub const DOMAIN: &str = "creditbank";
/// The most field violations in a status. Details travel in a header, and some clients take no more than 8 KiB of
/// headers; a row's refusal travels in the response and names every fault.
pub const VIOLATIONS_MAX: usize = 8;

/// The HTTP status of a refusal, which its gRPC code decides (as `google.rpc.Code` has it).
#[must_use]
pub const fn http_status(refusal: &Refusal) -> u16 {
    match grpc_code(refusal) {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

/// The status of a call that was refused. The first fault decides its code and texts; all of them (at most
/// [`VIOLATIONS_MAX`]) are field violations where they name a field. No fault at all is a fault of the service.
#[must_use]
pub fn to_status(faults: &[Fault]) -> Status {
    let broken = Refusal::Internal.at("");
    let first = faults.first().unwrap_or(&broken);
    let (zh, en) = text(&first.refusal);
    let mut details: Vec<ErrorDetail> = vec![error_info(&first.refusal).into()];
    if let Refusal::QueueFull { retry_ms } = first.refusal {
        details.push(RetryInfo::new(Some(Duration::from_millis(retry_ms))).into());
    }
    let violations: Vec<_> = faults
        .iter()
        .filter(|fault| !fault.field.is_empty())
        .take(VIOLATIONS_MAX)
        .map(field_violation)
        .collect();
    if !violations.is_empty() {
        details.push(BadRequest::new(violations).into());
    }
    let message = if first.field.is_empty() {
        en.clone()
    } else {
        format!("{}: {en}", first.field)
    };
    details.push(LocalizedMessage::new("zh-CN", zh).into());
    details.push(LocalizedMessage::new("en", en).into());
    Status::with_error_details_vec(grpc_code(&first.refusal), message, details)
}

/// A fault as a row of a response tells it.
#[must_use]
pub fn violation(fault: &Fault) -> v1::Violation {
    let (message_zh, message_en) = text(&fault.refusal);
    v1::Violation {
        field: fault.field.clone(),
        code: fault.refusal.code().to_owned(),
        message_zh,
        message_en,
        clause: fault.clause.as_deref().unwrap_or_default().to_owned(),
    }
}

/// For clients: the refusal's code and parameters, if the status is a refusal of ours.
#[must_use]
pub fn refusal_from_status(status: &Status) -> Option<(String, HashMap<String, String>)> {
    let info = status
        .get_details_error_info()
        .filter(|info| info.domain == DOMAIN)?;
    Some((info.reason, info.metadata))
}

/// For clients: the status in the bytes of a `google.rpc.Status`, as `SubmitBatchResponse.refusal` carries it. Such
/// bytes are [`Status::details`] of what [`to_status`] gave.
pub fn status_from_bytes(bytes: &[u8]) -> Result<Status, prost::DecodeError> {
    let status = pb::Status::decode(bytes)?;
    Ok(Status::with_details(
        Code::from_i32(status.code),
        status.message,
        bytes.to_vec().into(),
    ))
}

fn error_info(refusal: &Refusal) -> ErrorInfo {
    let params: HashMap<_, _> = refusal
        .params()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    ErrorInfo::new(refusal.code(), DOMAIN, params)
}

fn field_violation(fault: &Fault) -> FieldViolation {
    let (zh, en) = text(&fault.refusal);
    FieldViolation {
        field: fault.field.clone(),
        description: match &fault.clause {
            Some(clause) => format!("{zh} {en} ({clause})"),
            None => format!("{zh} {en}"),
        },
        reason: fault.refusal.code().to_owned(),
        localized_message: None,
    }
}

/// Declares code and texts of every refusal in one table, which the compiler holds complete. A text may name the
/// parameters of its refusal, and takes further arguments in parentheses.
macro_rules! refusals {
    ($($variant:ident $({ $($param:ident),* })? => $code:ident,
        $zh:literal $(($($zh_arg:expr),*))?, $en:literal $(($($en_arg:expr),*))?;)*) => {
        /// The gRPC code of a refusal.
        #[must_use]
        pub const fn grpc_code(refusal: &Refusal) -> Code {
            match refusal { $(Refusal::$variant $({ $($param: _),* })? => Code::$code,)* }
        }

        /// The texts of a refusal for people, in Chinese and English.
        #[must_use]
        pub fn text(refusal: &Refusal) -> (String, String) {
            match refusal {
                $(Refusal::$variant $({ $($param),* })? =>
                    (format!($zh $(, $($zh_arg),*)?), format!($en $(, $($en_arg),*)?)),)*
            }
        }
    };
}

refusals! {
    // One value.
    Missing => InvalidArgument,
        "此项必填，请补充。",
        "This is required; please fill it in.";
    TooLong { max } => InvalidArgument,
        "内容过长，最多 {max} 个字符，请缩短。",
        "Too long: at most {max} characters; please shorten it.";
    WrongLength { expected } => InvalidArgument,
        "长度不对，应为 {expected} 位，请核对是否有遗漏或多余。",
        "Wrong length: exactly {expected} are needed; please check for missing or extra ones.";
    BadCharacter { position } => InvalidArgument,
        "第 {position} 个字符不允许出现在这里，请改正。",
        "Character {position} is not allowed here; please correct it.";
    Malformed { expected } => InvalidArgument,
        "格式不对，应为 {expected}。",
        "Not in the expected form, which is {expected}.";
    BadCheckDigit => InvalidArgument,
        "校验位不符，号码可能抄错，请对照原件核对每一位。",
        "The check digit does not match: the number may be mistyped; please compare it with the original.";
    NotADate => InvalidArgument,
        "不是有效日期，请按 YYYY-MM-DD 填写实际存在的日期。",
        "Not a valid date; please give an existing day as YYYY-MM-DD.";
    OutOfRange { min, max } => InvalidArgument,
        "超出范围，应在 {min} 到 {max} 之间。",
        "Out of range: it must be from {min} to {max}.";
    Negative => InvalidArgument,
        "不能为负数。",
        "It cannot be negative.";
    NotANumber => InvalidArgument,
        "不是数字，请用阿拉伯数字填写，如 2.5。",
        "Not a number; please write it in digits, such as 2.5.";
    TooManyDecimals { max } => InvalidArgument,
        "小数过多，最多保留 {max} 位；系统不会自行舍入，请自行确定后填写。",
        "Too many decimals: at most {max} are kept and nothing is rounded for you; please decide and shorten it.";
    Overflow => InvalidArgument,
        "数值过大，无法记录，请核对。",
        "The number is too large to be recorded; please check it.";
    DateInFuture => InvalidArgument,
        "日期尚未到来，请核对。",
        "This day has not come yet; please check the date.";
    DateTooEarly { earliest } => InvalidArgument,
        "日期过早，最早为 {earliest}，请核对。",
        "Too early: the first day accepted is {earliest}; please check the date.";
    TooFew { min } => InvalidArgument,
        "数量不足，至少需要 {min} 项。",
        "Too few: at least {min} are needed.";
    TooMany { max } => InvalidArgument,
        "数量过多，最多 {max} 项。",
        "Too many: at most {max} are allowed.";
    Repeated { first } => InvalidArgument,
        "与列表中第 {first} 项（从 0 数起）重复，请删去其中一项。",
        "The same as item {first} (counted from 0) of the list; please remove one of them.";
    Reserved => InvalidArgument,
        "此名称为系统保留，请另取一个。",
        "This name is reserved; please choose another.";

    // Values of closed tables.
    RegionUnknown => InvalidArgument,
        "没有这个行政区划代码，请按 GB/T 2260 核对。",
        "There is no such region code; please check it against GB/T 2260.";
    RegionNotValidThen => InvalidArgument,
        "该行政区划代码在当时尚未启用或已经撤销，请填写当时有效的代码。",
        "This region code was not in force at that date; please give the one that was.";
    RegionOfTests => InvalidArgument,
        "这是仅供测试的行政区划代码，正式环境不接受，请填写真实号码。",
        "This region code is for tests alone and not accepted here; please give the real number.";
    OccupationUnknown => InvalidArgument,
        "《职业分类大典（2022 年版）》中没有这个职业代码，请核对到细类。",
        "The 2022 classification has no such occupation; please give the code of an occupation, not of a group.";
    LevelUnknown => InvalidArgument,
        "没有这个技能等级，请从八级中选择；证书上另有写法的，请照原样填入“证书所印等级”。",
        "There is no such skill level; please choose one of the eight, or give the level as printed instead.";
    CategoryUnknown => InvalidArgument,
        "没有这个学习成果类别，请从已公布的类别中选择。",
        "There is no such category of outcome; please choose one of those published.";
    GradeScaleUnknown => InvalidArgument,
        "没有这种成绩制式，请使用百分制、五级制、两级制或已登记的积分制。",
        "There is no such scheme of grades; please use per cent, five levels, pass or fail, or a registered scale.";
    ChoiceUnknown => InvalidArgument,
        "不在可选范围内，请从规定的选项中选择。",
        "Not one of the choices; please take one of those listed.";

    // Values that contradict each other.
    Inconsistent { with } => InvalidArgument,
        "与 {with} 矛盾，请核对这两项。",
        "Contradicts {with}; please check both.";
    EndBeforeStart => InvalidArgument,
        "结束日期早于开始日期，请核对两个日期。",
        "The end lies before the start; please check both dates.";
    NotAscending => InvalidArgument,
        "时间应晚于前一项，请按先后顺序排列。",
        "It must be later than the item before it; please put them in order of time.";
    AttestorMissing => InvalidArgument,
        "缺少一方证明人；双元制成果须由企业和学校共同证明。",
        "An attesting party is missing: a dual-track outcome needs both the enterprise and the college.";
    AttestorRepeated => InvalidArgument,
        "两方证明人属于同一机构；企业与学校须分别证明。",
        "Both attesting parties are of one institution; the enterprise and the college must attest separately.";

    // The outcome as a whole.
    CompletedInFuture => InvalidArgument,
        "获得日期尚未到来，请在成果取得之后再存入。",
        "The day of completion has not come yet; please deposit the outcome once it is achieved.";
    CategoryNotAdmitted { category } => PermissionDenied,
        "贵机构未获准存入“{}”（{category}）类成果，请先向学分银行申请准入。" (category.label_zh()),
        "Your institution is not admitted to deposit “{}” ({category}); please apply to the bank for it first."
            (category.label_en());

    // The published standard that an outcome is held against.
    CategoryNotOfStandard => FailedPrecondition,
        "该项目的认证单元标准不适用于这类成果，请核对项目编号。",
        "The standard of this project is not for outcomes of this category; please check the project.";
    StandardNotInForce => FailedPrecondition,
        "获得日期不在该标准的适用期内，请核对日期，或按当时有效的标准申请项目。",
        "The standard was not in force on the day of completion; please check the day, or have the project admitted \
         under the standard of that time.";
    DepositedTooLate { years } => FailedPrecondition,
        "已超过存入期限：成果须在获得后 {years} 年内存入。",
        "Too late: an outcome of this standard is deposited within {years} years of its completion.";
    HoursBelowStandard { needed } => FailedPrecondition,
        "学时不足，该标准至少需要 {needed} 学时。",
        "Too few hours: this standard needs at least {needed}.";
    HoursAboveStandard { most } => FailedPrecondition,
        "学时超过该标准对一项成果或一天的上限 {most} 学时，请核对。",
        "Too many hours: this standard admits at most {most} for one outcome or one day; please check them.";
    AttendanceBelowStandard { needed } => FailedPrecondition,
        "出勤率不足，该标准要求不低于 {needed}。",
        "Attendance is too low: this standard needs at least {needed}.";
    EvidenceMissing { kind } => FailedPrecondition,
        "缺少佐证材料“{}”（{kind}），请附上其摘要。" (kind.label_zh()),
        "Evidence of the kind {kind} is missing; please bind its digest.";
    NotPassed => FailedPrecondition,
        "该标准要求成绩合格，请核对成绩。",
        "This standard needs a grade that is a pass; please check the grade.";
    WalkPointsTooFew { min } => FailedPrecondition,
        "学习点不足，该标准至少需要走访 {min} 个。",
        "Too few learning points: this standard needs at least {min}.";
    WalkPointsTooClose { min_minutes } => FailedPrecondition,
        "与前一个学习点相隔太近，至少应间隔 {min_minutes} 分钟。",
        "Too soon after the point before: at least {min_minutes} minutes are needed between two.";
    WalkTooLong { days } => FailedPrecondition,
        "首尾学习点相隔过久，应在 {days} 天之内完成。",
        "The walk takes too long: it is to be completed within {days} days.";

    // The batch and its bytes.
    BatchEmpty => InvalidArgument,
        "批次中没有记录，请至少放入一条。",
        "The batch has no records; please put at least one into it.";
    BatchTooLarge { count, max } => InvalidArgument,
        "批次有 {count} 条记录，超过上限 {max} 条，请拆分后再提交。",
        "The batch has {count} records and at most {max} are allowed; please split it.";
    RecordTooLarge { bytes, max } => InvalidArgument,
        "记录有 {bytes} 字节，超过上限 {max} 字节，请精简内容。",
        "The record has {bytes} bytes and at most {max} are allowed; please shorten it.";
    NotCanonical => InvalidArgument,
        "写法不规范：每个值只有一种写法，请用最新版客户端重新生成。",
        "Not canonical: every value has one way to be written; please produce it again with a current client.";
    UnknownVersion { version } => InvalidArgument,
        "不认识格式版本 {version}，请使用本行支持的版本。",
        "Format version {version} is not known here; please use one that this bank supports.";
    OriginForeign => InvalidArgument,
        "这是为另一本账制作的，请核对所连接的学分银行。",
        "This was made for another ledger; please check which bank you are connected to.";
    IssuerMismatch => PermissionDenied,
        "签发机构与提交者或批次不一致；机构只能以自己的名义存入。",
        "The issuer is not the caller or not that of the batch; an institution deposits in its own name only.";
    IssuerUnknown => NotFound,
        "没有这个机构，请核对机构标识，或先向学分银行登记。",
        "There is no such institution; please check its id, or register it with the bank first.";
    IssuerSuspended => PermissionDenied,
        "该机构已被暂停业务，请联系学分银行。",
        "The institution is suspended; please contact the bank.";
    KeyUnknown => Unauthenticated,
        "该机构没有登记这把密钥，请核对，或先登记。",
        "The institution has no such key; please check which key was used, or register it first.";
    KeyRevoked => Unauthenticated,
        "这把密钥已被吊销，请换用有效的密钥。",
        "This key was revoked; please use a valid one.";
    KeyWrongPurpose => Unauthenticated,
        "这把密钥登记的用途不同；身份认证与签名须各用各的密钥。",
        "This key is registered for another purpose; calls and records are signed with different keys.";
    KeySmallOrder => InvalidArgument,
        "这不是安全的公钥（小阶点），请重新生成密钥对。",
        "This public key is not safe (a point of small order); please generate a new pair.";
    KeyExists => AlreadyExists,
        "这把密钥已经登记过，无需再次登记。",
        "This key is registered already; there is nothing more to do.";
    AlgorithmUnknown { algorithm } => InvalidArgument,
        "不认识签名算法 {algorithm}，请使用 1（Ed25519）。",
        "Signature algorithm {algorithm} is not known here; please use 1 (Ed25519).";
    SignatureInvalid => Unauthenticated,
        "签名验证不通过，请核对密钥和所签内容后重新签名。",
        "The signature does not verify; please check the key and what was signed, and sign again.";
    RootMismatch => InvalidArgument,
        "所签的根与批次中的记录不符；签名之后请勿改动或调换记录。",
        "The signed root is not that of the records; please do not change or reorder them once they are signed.";
    CommitmentMismatch => InvalidArgument,
        "承诺值与内容不符，请用同一份内容和盐重新计算。",
        "The commitment is not that of salt and payload; please compute it again from those that are sent.";
    KindNotAllowed => InvalidArgument,
        "记录种类与签发机构或内容不符，请核对。",
        "The kind of record does not fit its issuer or its content; please check it.";
    RecordIdConflict { differs } => AlreadyExists,
        "该记录号下已有另一条记录，{differs} 不同；如需更正，请提交更正记录。",
        "Another record stands under this id and its {differs} differs; to correct it, please deposit an amendment.";
    RecordIdRepeatedInBatch { first_row } => InvalidArgument,
        "记录号与本批次第 {first_row} 行（从 0 数起）相同而内容不同，请更换其一。",
        "Row {first_row} (counted from 0) of this batch has the same id and other content; please change one of them.";

    // The record that an amendment or a revocation refers to.
    TargetMissing => NotFound,
        "找不到所指的原记录，请核对其序号。",
        "The record referred to does not exist; please check its index.";
    TargetForeign => PermissionDenied,
        "所指的原记录由其他机构签发，只有签发机构可以更正或撤销。",
        "The record referred to is another institution's; only its issuer can amend or revoke it.";
    TargetHashMismatch => FailedPrecondition,
        "所指序号上的记录与给出的哈希不符，请从原回执取值。",
        "The record at that index has another hash; please take both from its receipt.";
    TargetRevoked => FailedPrecondition,
        "所指的原记录已被撤销，不能再更改；如有需要，请存入新记录。",
        "The record referred to is revoked and cannot change any more; please deposit a new one if needed.";
    TargetNotAmendable => FailedPrecondition,
        "所指的原记录不可更改或已被更正，请改指最新的记录。",
        "The record referred to cannot be changed or was amended already; please refer to the newest one.";
    TargetLearnerDiffers => InvalidArgument,
        "所指的原记录属于另一位学习者，请核对。",
        "The record referred to is another learner's; please check both.";

    // Learners and institutions.
    LearnerUnknown => NotFound,
        "没有这个学习者，请核对申学码，或先为其建档。",
        "There is no such learner; please check the learner code, or enrol the learner first.";
    LearnerErased => NotFound,
        "该学习者的档案已应要求删除，不能再存入或查询。",
        "This learner's archive was erased and can neither be read nor added to.";
    IdentityTaken => AlreadyExists,
        "该证件已属于另一份档案；如为同一人，请申请合并档案。",
        "This document belongs to another archive; if it is the same person, please ask for a merge.";
    MergeSelf => InvalidArgument,
        "不能把档案并入其自身，请核对两个申学码。",
        "An archive cannot be merged into itself; please check both learner codes.";
    InstitutionExists => AlreadyExists,
        "该机构标识已被使用，请另取一个。",
        "An institution of this id exists; please choose another.";
    ProjectUnknown => FailedPrecondition,
        "该机构没有这个准入项目，请核对项目编号，或先申请准入。",
        "The institution has no such project; please check its code, or apply for admission first.";

    // Rule sets and projects.
    ProjectMissing => FailedPrecondition,
        "此类成果须属于已准入的项目，请填写项目编号，或先申请准入。",
        "An outcome of this category belongs to an admitted project; please name it, or apply for admission first.";
    ProjectForOtherCategory { category } => FailedPrecondition,
        "该项目准入的成果类别是“{}”（{category}），与此成果不符。" (category.label_zh()),
        "The project is admitted for outcomes of another category: “{}” ({category})." (category.label_en());
    ProjectNotAdmitted => FailedPrecondition,
        "该项目尚未准入，或未获准入。",
        "The project is not admitted, or not yet.";
    ProjectSuspended => FailedPrecondition,
        "该项目已暂停准入，暂不能存入其成果。",
        "The project is suspended; its outcomes cannot be deposited for now.";
    ProjectExpired => FailedPrecondition,
        "成果的获得日期晚于该项目准入的最后一日。",
        "The outcome was completed after the last day for which the project is admitted.";
    ProjectExists => AlreadyExists,
        "该机构已有此编号的项目。",
        "The institution has a project of this code.";
    ProjectDecided => FailedPrecondition,
        "该项目已有准入结论。",
        "The project has been decided already.";
    PanelRejected => FailedPrecondition,
        "评审专家中赞成者不多于反对者。",
        "Not more reviewers approved than rejected.";
    PanelApproved => FailedPrecondition,
        "评审专家中赞成者多于反对者，不能公示为不同意。",
        "More reviewers approved than rejected; a refusal cannot be published.";
    RuleSetUnknown => NotFound,
        "没有公布过这个规则集。",
        "No such rule set is published.";
    RuleSetNotInForce => FailedPrecondition,
        "这个版本的规则集今天不受理申请，请使用现行版本。",
        "This version of the rule set does not decide applications of today; please use the one in force.";
    RuleSetExists => AlreadyExists,
        "这个规则集已经公布；内容有变动时请给出新的版本。",
        "This rule set is published already; give a new version when its content changes.";
    RuleSetInvalid { errors } => InvalidArgument,
        "规则集有 {errors} 处错误，请先用 creditbank rules check 检查。",
        "The rule set has {errors} errors; please check it with creditbank rules check first.";
    DocumentExists => AlreadyExists,
        "这份文件已在账本中。",
        "The document is in the log already.";
    DocumentMissing => FailedPrecondition,
        "规则集的某份文件不在账本中，请重新发布规则集（creditbank rules publish）。",
        "A document of the rule set is not in the log; please publish the set again (creditbank rules \
         publish).";
    StandardUnknown => FailedPrecondition,
        "该规则集中没有这个认证单元标准或版本。",
        "The rule set has no such unit standard or version.";
    ProgrammeUnknown => FailedPrecondition,
        "该规则集中没有这个专业，或当日不受理其申请。",
        "The rule set has no such programme, or it takes no applications on this day.";

    // Applications.
    ApplicationUnknown => NotFound,
        "该学习者没有这项申请。",
        "The learner has no such application.";
    ApplicationClosed => FailedPrecondition,
        "申请已经办结。",
        "The application is over.";
    StepNotAllowed { state } => FailedPrecondition,
        "目前的状态（{}）不允许这一步，请重新查看后再办理。" (named(state)),
        "It stands at {state}, from which this step does not follow; please look again.";
    AlreadyVoted => FailedPrecondition,
        "该评审专家已经投过票。",
        "The reviewer has voted already.";
    PanelTooSmall { needed } => FailedPrecondition,
        "评审专家不足，须满 {needed} 位；评审申请时，同一机构的专家只计一位。",
        "The panel is too small: it needs {needed} reviewers; for an application, those of one institution count as one.";
    PanelConflict => FailedPrecondition,
        "评审须回避：不能只由成果来源机构的专家评审。",
        "Conflict of interest: reviewers of the outcome's origin cannot decide alone.";
    NoticeRunning { until } => FailedPrecondition,
        "公示期至 {until} 止，届满后方可决定。",
        "Public notice runs until {until}; the decision can be made after it.";
    NoticeOver { until } => FailedPrecondition,
        "公示期已于 {until} 届满，不再接受异议。",
        "Public notice ended on {until}; objections are not taken any more.";
    DecisionDiffers => FailedPrecondition,
        "决定与公示内容不一致；未经公示不得改为同意，未收到异议不得改为不同意。",
        "The decision is not what was published: without an objection it cannot be turned into a refusal, and never into \
         a grant.";
    AppealRunning { until } => FailedPrecondition,
        "申诉期至 {until} 止，届满后方可办结。",
        "An appeal can be made until {until}; the application can be closed after it.";
    AppealTooLate { until } => FailedPrecondition,
        "申诉期已于 {until} 届满。",
        "The time for an appeal ended on {until}.";
    ApplicationMoved => Aborted,
        "该申请刚有新的进展，请重新查看后再试。",
        "The application has just moved on; please look again and retry.";
    NoticeOutdated => FailedPrecondition,
        "公示后情况有变，现在的评定与公示内容不一致，请重新公示。",
        "What was noticed is not what would be decided now; please publish it again.";
    NothingGranted => FailedPrecondition,
        "按现行规则，此申请不能获得任何学分；请先用模拟查看原因。",
        "By the rules in force nothing of this application would be granted; please simulate it to see why.";

    // Transfers.
    TransferUnknown => NotFound,
        "没有这项转移，请核对转移编号。",
        "There is no such transfer; please check its id.";
    SequenceGap { expected } => Aborted,
        "不是下一步：应为第 {expected} 步，请从该步重新读取。",
        "Not the next step: step {expected} is; please read again from there.";
    OutcomeBound => FailedPrecondition,
        "该成果已为同一用途预留给另一项转移，以最早的预留为准。",
        "Another transfer holds this outcome for the same purpose; the earliest reservation holds.";
    TransferMoved => Aborted,
        "该转移刚有新的进展，请重新查看后再试。",
        "The transfer has just moved on; please look again and retry.";
    ConsentUsed => FailedPrecondition,
        "成果已经放行，同意不能再撤回；可以申请撤回转移，或向转入方提出。",
        "The outcome is released already, so the consent cannot be withdrawn; ask for a recall, or ask the receiver.";
    PeerUnknown => NotFound,
        "没有登记这家对等银行，请先登记（creditbank peer admit）。",
        "No such peer bank is registered; please admit it first (creditbank peer admit).";
    PeerStopped => FailedPrecondition,
        "该对等银行曾出示两份不同的历史，往来已停止，须由运营方处理。",
        "This peer bank has shown two histories; nothing is done with it until an operator has cleared it.";
    PeersNotConfigured => FailedPrecondition,
        "本行尚未配置所属地区或对等银行密钥（bank.toml 的 region，creditbank peer card）。",
        "This bank has no region or no keys for peers yet (region in bank.toml, creditbank peer card).";
    PeriodOpen { until_ms } => FailedPrecondition,
        "该对账期到 {}（北京时间）才结束，请在此之后对账。" (beijing(*until_ms)),
        "The period is not over before {} (Beijing time); please reconcile after that." (beijing(*until_ms));
    StepsMissing { expected } => FailedPrecondition,
        "另一方的步骤尚未全部到达（缺第 {expected} 步），请稍后再对账；不等的话可用 --incomplete，缺少的步骤记为差异。",
        "Steps of the other bank have not all arrived (step {expected} is missing); please reconcile later, or do it with \
         --incomplete now, which makes differences of them.";
    PeriodBeforeOpen => FailedPrecondition,
        "前一对账期尚未关闭，请按顺序对账。",
        "The period before it is not closed; please reconcile in order.";
    PeriodClosed => FailedPrecondition,
        "该对账期已经关闭，不再更改；更正请记入以后的对账期。",
        "The period is closed and never changes; a correction belongs to a later one.";
    YearbookOpen => FailedPrecondition,
        "该年度尚未结束，年鉴在年度结束后发布。",
        "The year is not over; its yearbook is published afterwards.";
    YearbookEmpty => FailedPrecondition,
        "该年度没有任何记录，未发布年鉴；请核对年度。",
        "There is nothing of that year, so no yearbook was published; please check the year.";
    YearbookPublished => FailedPrecondition,
        "该年度的年鉴已发布。年鉴一经发布不再更改。",
        "The yearbook of that year was published, and never changes.";
    YearbookUnknown => NotFound,
        "没有该年度的年鉴。",
        "No yearbook of that year was published.";
    PeerUnreachable => Unavailable,
        "对等银行没有应答，请稍后再试。",
        "The peer bank does not answer; please try again later.";
    PeerInvalid { check } => FailedPrecondition,
        "对等银行所说的内容未通过核验（{check}），未予采用。",
        "What the peer bank says does not verify ({check}); nothing of it was used.";

    // Points.
    PointsTooFew { available } => FailedPrecondition,
        "积分数量不对：须多于零，且不超过可用的 {available} 分。",
        "Not so many points: more than none, and at most the {available} that can be redeemed.";
    PointsOwed { owed } => FailedPrecondition,
        "尚欠 {owed} 分：已兑换的积分因成果撤销被扣回，补足后方可兑换。",
        "{owed} points are owed, because an outcome was revoked whose points had been redeemed; nothing can be redeemed \
         until they are earned again.";
    RedemptionExists => AlreadyExists,
        "该兑换单号已被使用，请另取一个。",
        "A redemption of this id exists; please choose another id.";
    RedemptionClosed => FailedPrecondition,
        "该兑换已确认或已取消，不能再更改。",
        "The redemption was confirmed or cancelled already and cannot change any more.";

    // Who may see what, and what learners ask for.
    RecordUnknown => NotFound,
        "该学习档案中没有这条记录，请核对。",
        "The archive has no such record; please check what you asked for.";
    SubjectLinked => AlreadyExists,
        "该登录账号已绑定另一位学习者，请先到窗口解除绑定。",
        "This account belongs to another learner; please have it unlinked at a window first.";
    CodeInvalid => InvalidArgument,
        "不是本行的申学码，请重新出示。",
        "This is not a code of this bank; please show it again.";
    CodeExpired => FailedPrecondition,
        "该码已失效，请学习者出示新的码。",
        "The code does not hold any longer; please ask the learner for a new one.";
    CodeUsed => FailedPrecondition,
        "该码已用过一次，请学习者刷新后出示新的码。",
        "The code was used already; please ask the learner for a new one.";
    PurposeNotAllowed => PermissionDenied,
        "学习者出示此码的用途不同，请选择相同用途或请学习者重新出示。",
        "The learner showed this code for another purpose; please choose that one, or ask for another code.";
    IdentityMismatch => PermissionDenied,
        "证件与此码不符，请核对证件。",
        "The document does not belong to this code; please check it.";
    TriesTooMany { minutes } => FailedPrecondition,
        "此码与不符的证件一同出示次数过多，请 {minutes} 分钟后再试。",
        "The code was presented with wrong documents too often; please try again in {minutes} minutes.";
    GrantsTooMany { max } => FailedPrecondition,
        "有效的授权过多，最多 {max} 项，请先撤回不再需要的。",
        "There are too many open grants, at most {max}; please withdraw those that are no longer needed.";
    ExpiryInvalid { days } => InvalidArgument,
        "有效期须晚于现在，且最长 {days} 天。",
        "It must end in the future, at most {days} days ahead.";
    GrantUnknown => NotFound,
        "没有此项授权，或授权已经失效。",
        "There is no such grant, or it does not hold any longer.";
    ShareClosed => NotFound,
        "此分享不存在或已关闭，请向分享人索取新的链接。",
        "This share does not exist or is closed; please ask whoever shared it for a new link.";
    RequestOpen => AlreadyExists,
        "同样的申请尚未答复，请等待答复或先撤回。",
        "The same was asked already and is not answered yet; please wait, or take that request back.";
    RequestsTooMany { max } => FailedPrecondition,
        "待答复的申请过多，最多 {max} 件，请等待答复。",
        "There are too many open requests, at most {max}; please wait for answers.";
    RequestUnknown => NotFound,
        "没有这件申请，请核对。",
        "There is no such request; please check what you asked for.";
    RequestAnswered => FailedPrecondition,
        "该申请已经答复或撤回，不能再更改。",
        "The request was answered or taken back already and cannot change any more.";
    RequestIdTaken => AlreadyExists,
        "该申请编号已被使用，请另取一个。",
        "The id of the request is taken; please choose another.";

    // Credentials.
    RecordNotInForce => FailedPrecondition,
        "该记录已被更正或撤销，或尚待重新确认，不能据此出具证明。",
        "The record was amended or revoked, or waits for its confirmation; no credential is made of it.";
    StatusListUnknown => NotFound,
        "还没有这份状态列表，请核对其编号。",
        "There is no such status list yet; please check its number.";
    CredentialsNotConfigured => FailedPrecondition,
        "本行尚未配置证明的签名密钥，请联系学分银行。",
        "This bank has no key for credentials yet; please contact it.";

    // The caller.
    PermissionDenied => PermissionDenied,
        "无权进行此操作；如确有需要，请联系学分银行。",
        "You may not do this; if you need to, please contact the bank.";
    TokenMissing => Unauthenticated,
        "请求没有携带令牌，请先签发令牌。",
        "The call carries no token; please sign one and send it along.";
    TokenMalformed => Unauthenticated,
        "令牌格式不对，请重新签发。",
        "The token is not of the expected form; please sign a new one.";
    TokenExpired => Unauthenticated,
        "令牌已过期或尚未生效，请校准本机时钟后重新签发。",
        "The token has expired or is not valid yet; please check your clock and sign a new one.";
    TokenTooLong { max_seconds } => Unauthenticated,
        "令牌有效期过长，最长 {max_seconds} 秒，请缩短后重新签发。",
        "The token lives too long: at most {max_seconds} seconds; please sign a shorter one.";
    TokenReplayed => Unauthenticated,
        "令牌已经用过，每次请求请签发新的令牌。",
        "The token was used before; please sign a new one for each call.";
    TokenAudience => Unauthenticated,
        "令牌是为另一本账签发的，请核对所连接的学分银行。",
        "The token is for another ledger; please check which bank you are connected to.";

    // The request.
    PageTokenInvalid => InvalidArgument,
        "翻页标记无效，请不改动其他条件沿用上次返回的标记，或从第一页开始。",
        "The page token is not valid; please send back the last one with the same query, or start at the first page.";
    NotFound { what } => NotFound,
        "找不到所查询的内容（{}），请核对。" (named(what)),
        "There is no such {what}; please check what you asked for.";
    IndexOutOfRange { size } => OutOfRange,
        "序号超出范围，账中目前共有 {size} 条。",
        "Beyond the end of the log, which has {size} entries now.";

    // The service.
    QueueFull { retry_ms } => ResourceExhausted,
        "系统繁忙，请在 {retry_ms} 毫秒后重试；重复提交不会重复记账。",
        "The bank is busy; please try again in {retry_ms} ms. Sending again never records twice.";
    DeadlineExceeded => DeadlineExceeded,
        "未能在时限内完成，请重试；重复提交不会重复记账。",
        "It could not be done in time; please try again. Sending again never records twice.";
    ReadOnly => Unavailable,
        "系统暂时只能查询，不能存入，请稍后再试。",
        "The bank takes no changes at the moment; please try again later. Reading works.";
    ShuttingDown => Unavailable,
        "系统正在停机维护，请稍后重试。",
        "The bank is stopping for maintenance; please try again shortly.";
    StorageFailed => Unavailable,
        "存储故障，未得到回执的内容均未确认，请稍后重新提交；重复提交不会重复记账。",
        "The store failed and nothing was acknowledged; please send it again later. It will not be recorded twice.";
    Internal => Internal,
        "系统内部错误，请联系学分银行。",
        "The bank has an internal fault; please contact it.";
}
