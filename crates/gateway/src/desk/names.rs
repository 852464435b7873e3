//! What closed sets are called at a desk: kinds of records, states, steps, roles, documents.

use creditbank_wire::v1;

use crate::words::Lang;

/// A kind of record.
pub(crate) fn kind(lang: Lang, number: i32) -> &'static str {
    use v1::RecordKind as K;
    let (zh, en) = match K::try_from(number).unwrap_or_default() {
        K::Unspecified => ("其他", "other"),
        K::Outcome => ("学习成果", "learning outcome"),
        K::Amendment => ("更正", "amendment"),
        K::Revocation => ("撤销", "revocation"),
        K::Confirmation => ("重新确认", "confirmation"),
        K::Application => ("认定申请", "application"),
        K::Review => ("评审意见", "review"),
        K::Objection => ("异议", "objection"),
        K::Appeal => ("申诉", "appeal"),
        K::Withdrawal => ("撤回", "withdrawal"),
        K::Declaration => ("声明", "declaration"),
        K::Consent => ("单独同意", "consent"),
        K::TransferRequest => ("转移申请", "transfer request"),
        K::Merge => ("档案合并", "merge"),
        K::Statement => ("银行公告", "statement"),
        K::Acceptance => ("受理", "acceptance"),
        K::Return => ("退回", "return"),
        K::Notice => ("公示", "notice"),
        K::Decision => ("认定决定", "decision"),
        K::Reversal => ("撤销认定", "reversal"),
        K::Closing => ("办结", "closing"),
        K::Points => ("积分", "points"),
        K::Transfer => ("转移步骤", "transfer step"),
        K::Transferred => ("转入成果", "transferred outcome"),
    };
    lang.pick(zh, en)
}

/// Where an application stands.
pub(crate) fn application(lang: Lang, state: v1::ApplicationState) -> &'static str {
    use v1::ApplicationState as S;
    let (zh, en) = match state {
        S::Unspecified => ("未知", "unknown"),
        S::Submitted => ("已提交", "submitted"),
        S::Accepted => ("评审中", "under review"),
        S::Returned => ("已退回", "returned"),
        S::Noticed => ("公示中", "noticed"),
        S::Decided => ("已决定", "decided"),
        S::Appealed => ("申诉中", "appealed"),
        S::Closed => ("已办结", "closed"),
        S::Reversed => ("已撤销", "reversed"),
        S::Withdrawn => ("已撤回", "withdrawn"),
    };
    lang.pick(zh, en)
}

/// What is due, as the ledger writes it.
pub(crate) fn due(lang: Lang, step: &str) -> &'static str {
    let (zh, en) = match step {
        "accept" => ("受理", "accept"),
        "review" => ("专家评审", "votes of the panel"),
        "notice" => ("公示", "give notice"),
        "decide" => ("决定", "decide"),
        "resolve-appeal" => ("处理申诉", "resolve the appeal"),
        "close" => ("办结", "close"),
        _ => ("", ""),
    };
    lang.pick(zh, en)
}

/// Where a project stands.
pub(crate) fn project(lang: Lang, state: v1::ProjectState) -> &'static str {
    use v1::ProjectState as S;
    let (zh, en) = match state {
        S::Unspecified => ("未知", "unknown"),
        S::Proposed => ("评审中", "under review"),
        S::Admitted => ("已准入", "admitted"),
        S::Suspended => ("已暂停", "suspended"),
        S::Refused => ("未准入", "refused"),
    };
    lang.pick(zh, en)
}

/// Where a request of a learner stands.
pub(crate) fn request(lang: Lang, state: v1::RequestState) -> &'static str {
    use v1::RequestState as S;
    let (zh, en) = match state {
        S::Unspecified => ("未知", "unknown"),
        S::Open => ("待答复", "open"),
        S::Agreed => ("已同意", "agreed"),
        S::Declined => ("不同意", "declined"),
        S::Withdrawn => ("已撤回", "withdrawn"),
    };
    lang.pick(zh, en)
}

/// A state of a record.
pub(crate) fn record(lang: Lang, state: v1::RecordState) -> &'static str {
    use v1::RecordState as S;
    let (zh, en) = match state {
        S::Unspecified => ("未知", "unknown"),
        S::Active => ("有效", "in force"),
        S::Amended => ("已更正", "amended"),
        S::Revoked => ("已撤销", "revoked"),
        S::Disputed => ("存疑", "disputed"),
    };
    lang.pick(zh, en)
}

/// A role.
pub(crate) fn role(lang: Lang, role: v1::Role) -> &'static str {
    use v1::Role as R;
    let (zh, en) = match role {
        R::Unspecified => ("未知", "unknown"),
        R::Institution => ("机构", "institution"),
        R::Operator => ("运营方", "operator"),
        R::Gateway => ("网关", "gateway"),
        R::PeerBank => ("对等银行", "peer bank"),
        R::Auditor => ("审计", "auditor"),
        R::Reviewer => ("评审专家", "reviewer"),
        R::LearnerAgent => ("代办窗口", "learners' agent"),
        R::BackupAgent => ("备份", "backup agent"),
    };
    lang.pick(zh, en)
}

/// What a key is for.
pub(crate) fn key_purpose(lang: Lang, purpose: v1::KeyPurpose) -> &'static str {
    use v1::KeyPurpose as P;
    let (zh, en) = match purpose {
        P::Unspecified => ("未知", "unknown"),
        P::Authenticate => ("登录", "signs in"),
        P::Sign => ("签章", "signs records"),
        P::Log => ("检查点", "signs checkpoints"),
        P::Cosign => ("见证", "cosigns"),
        P::Seal => ("封装", "seals packages"),
        P::Credential => ("证明与申学码", "credentials and codes"),
    };
    lang.pick(zh, en)
}

/// A purpose of a code.
pub(crate) fn purpose(lang: Lang, purpose: v1::DeskPurpose) -> &'static str {
    use v1::DeskPurpose as P;
    let (zh, en) = match purpose {
        P::Unspecified => ("未知", "unknown"),
        P::CheckIn => ("签到办理", "check in"),
        P::Totals => ("出示累计", "totals"),
        P::Records => ("出示记录", "records"),
    };
    lang.pick(zh, en)
}

/// Documents that may be presented with a printed code: number and name.
pub(crate) fn documents(lang: Lang) -> Vec<(i32, &'static str)> {
    use v1::IdentityKind as K;
    let all = [
        (K::ResidentId, "居民身份证", "resident identity card"),
        (K::Passport, "护照", "passport"),
        (
            K::ResidencePermit,
            "港澳台居民居住证",
            "residence permit (Hong Kong, Macao, Taiwan)",
        ),
        (
            K::HongKongMacaoPermit,
            "港澳居民来往内地通行证",
            "Hong Kong and Macao travel permit",
        ),
        (
            K::TaiwanPermit,
            "台湾居民来往大陆通行证",
            "Taiwan travel permit",
        ),
        (
            K::PermanentResidentId,
            "外国人永久居留身份证",
            "foreign permanent resident card",
        ),
    ];
    all.map(|(kind, zh, en)| (kind as i32, lang.pick(zh, en)))
        .to_vec()
}
