//! Words of refusals: states and things by their codes, moments, and why a transfer goes no further.

use creditbank_domain::transfer::Reason;
use jiff::Timestamp;
use jiff::tz::Offset;

/// States of applications and transfers, and things that can be asked for, as an administrator calls them.
const NAMES: [(&str, &str); 24] = [
    ("submitted", "已提交"),
    ("accepted", "已受理"),
    ("returned", "已退回"),
    ("under-review", "评审中"),
    ("noticed", "公示中"),
    ("decided", "已决定"),
    ("appealed", "申诉中"),
    ("final", "终局"),
    ("reversed", "已撤销"),
    ("withdrawn", "已撤回"),
    ("requested", "已申请"),
    ("refused", "不予转移"),
    ("reserved", "已预留"),
    ("released", "已放行"),
    ("recalling", "撤回中"),
    ("recalled", "已退还"),
    ("rejected", "已拒收"),
    ("recognised", "已认定"),
    ("declined", "不予认定"),
    ("key", "密钥"),
    ("project", "项目"),
    ("record", "记录"),
    ("redemption", "兑换单"),
    ("reconciliation", "对账结果"),
];

/// A code with its Chinese name in front, where it has one.
pub(super) fn named(code: &str) -> String {
    match NAMES.iter().find(|(it, _)| *it == code) {
        Some((_, name)) => format!("{name} {code}"),
        None => code.to_owned(),
    }
}

/// A moment as clocks in China show it, to the minute: periods end at midnight there.
pub(super) fn beijing(ms: u64) -> String {
    let moment = i64::try_from(ms).map(Timestamp::from_millisecond);
    let Ok(Ok(moment)) = moment else {
        return "?".to_owned();
    };
    let local = Offset::constant(8).to_datetime(moment);
    local.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Why a transfer goes no further, in Chinese and in English.
#[must_use]
pub const fn reason_text(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::ConsentMissing => (
            "没有有效的学习者同意。",
            "There is no consent of the learner in force.",
        ),
        Reason::ConsentForOther => (
            "同意书是给另一家银行或另一类数据的。",
            "The consent is for another bank, or another kind of data.",
        ),
        Reason::ConsentWithdrawn => (
            "学习者已撤回同意。",
            "The learner has withdrawn the consent.",
        ),
        Reason::OutcomeNotInForce => (
            "成果已撤销、已更正或存疑。",
            "The outcome is revoked, amended or disputed.",
        ),
        Reason::OutcomeDerived => (
            "成果本身由其他成果认定而来，不得连环认定。",
            "The outcome was itself recognised from another: there are no chains.",
        ),
        Reason::OutcomeReserved => (
            "成果已为同一用途预留给另一项转移，以最早的预留为准。",
            "Another transfer holds the outcome for the same purpose; the earliest reservation holds.",
        ),
        Reason::OutcomeSpent => (
            "成果已在转出方用于认定，不能再用。",
            "The outcome is spent at the origin.",
        ),
        Reason::LearnerErased => (
            "学习者已在转出方注销。",
            "The learner was erased at the origin.",
        ),
        Reason::AgreementMissing => (
            "两地之间没有涵盖此方向、类别和日期的协议。",
            "No agreement between the regions covers this direction, category and day.",
        ),
        Reason::NotCosigned => (
            "转入方未在期限内为转出方账本出具见证签名。",
            "The receiver has not cosigned the origin's log in time.",
        ),
        Reason::PackageUnreadable => (
            "数据包无法打开或格式不对。",
            "The package does not open, or is not of the form.",
        ),
        Reason::SignatureInvalid => (
            "机构签名或密钥无效。",
            "The institution's signature or key does not hold.",
        ),
        Reason::CommitmentMismatch => (
            "内容与账本中的承诺不符。",
            "The content does not open the commitment in the log.",
        ),
        Reason::InclusionInvalid => (
            "记录不在所示检查点的账本中。",
            "The record is not in the log of the checkpoint.",
        ),
        Reason::CheckpointInvalid => (
            "检查点没有转出方的有效签名。",
            "The origin has not signed the checkpoint.",
        ),
        Reason::CosignatureMissing => (
            "检查点没有转入方自己的见证签名。",
            "The checkpoint lacks the receiver's own cosignature.",
        ),
        Reason::LearnerDiffers => (
            "同意书写的是转入方的另一位学习者。",
            "The consent names another learner of the receiver's.",
        ),
        Reason::InstitutionForeign => (
            "机构不在转出方地区，或与本地机构重名。",
            "The institution is not of the origin's region, or bears the name of a local one.",
        ),
        Reason::PackageDiffers => (
            "数据包与放行步骤所述不符。",
            "The package is not what the release says.",
        ),
        Reason::RequestGone => (
            "提出申请的学习者已不在转入方。",
            "The learner who asked is gone from the receiver.",
        ),
        Reason::NothingGranted => (
            "按规则或评审不予认定。",
            "By the rules or the panel nothing is granted.",
        ),
        Reason::DecisionReversed => ("认定决定已撤销。", "The decision was reversed."),
        Reason::PackageTooLarge => (
            "数据包过大，转入方的学习档案无法保存。",
            "The package is more than an archive of the receiver can keep.",
        ),
        Reason::Undecided => ("期限内未作决定。", "Nobody decided in time."),
        Reason::RecognisedLate => (
            "撤回之后才认定，而成果已另作他用。",
            "Recognised after the recall, when the outcome was no longer free.",
        ),
        Reason::LearnersWish => ("学习者要求撤回。", "The learner wants it back."),
    }
}
