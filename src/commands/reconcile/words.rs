//! What states, classes and actions are called, in both languages. Their codes are the domain's.

use creditbank_domain::reconcile::{Action, Actor, Class, Stage};
use creditbank_domain::transfer::State;
use creditbank_wire::v1;

use crate::print::Language;

/// A text in Chinese and English.
pub(super) type Text = (&'static str, &'static str);

pub(super) const STATED: Text = ("已出对账单", "stated");
pub(super) const AGREED: Text = ("已关账，相符", "closed, agreed");
pub(super) const DIFFERS: Text = ("已关账，不符", "closed, differs");

pub(super) fn say((zh, en): Text, language: Language) -> String {
    language.say(zh.to_owned(), en.to_owned())
}

pub(super) fn list_header(language: Language) -> [&'static str; 6] {
    match language {
        Language::Zh => [
            "对方账本",
            "对账期",
            "状态",
            "未核销差异",
            "挂账",
            "本行哈希",
        ],
        Language::En => ["PEER", "PERIOD", "STATE", "OPEN", "SUSPENSE", "OWN HASH"],
    }
}

pub(super) fn progress(it: &v1::ReconcileProgress, language: Language) -> String {
    use v1::reconcile_progress::Stage as S;
    let done = it.done;
    let (zh, en) = match it.stage() {
        S::Reading => (
            format!("读取转移记录：{done} 项"),
            format!("reading transfers: {done} items"),
        ),
        S::Asking => (
            "等待对方的对账单".into(),
            "asking for the peer's statement".into(),
        ),
        S::Comparing => (
            format!("比对：第 {done} 轮"),
            format!("comparing: round {done}"),
        ),
        S::Closing | S::Unspecified => ("关账".into(), "closing".into()),
    };
    language.say(zh, en)
}

pub(super) const fn class(class: Class) -> Text {
    match class {
        Class::OriginOnly => ("仅转出方有", "only at the origin"),
        Class::ReceiverOnly => ("仅转入方有", "only at the receiver"),
        Class::Amount => ("金额不符", "amounts differ"),
        Class::Version => ("规则或协议版本不符", "versions differ"),
        Class::State => ("状态不符", "states differ"),
        Class::TwoReceivers => ("同一成果同一用途两处使用", "one outcome used twice"),
        Class::Revoked => ("结算后成果被撤销", "revoked after settlement"),
        Class::Outcome => ("所指成果不符", "different outcomes"),
    }
}

pub(super) const fn stage(stage: Stage) -> Text {
    match stage {
        Stage::Doubtful => ("存疑", "doubtful"),
        Stage::Suspense => ("挂账", "suspense"),
    }
}

pub(super) const fn actor(actor: Actor) -> Text {
    match actor {
        Actor::Origin => ("转出方", "origin"),
        Actor::Receiver => ("转入方", "receiver"),
        Actor::Both => ("双方", "both"),
    }
}

pub(super) const fn action(action: Action) -> Text {
    match action {
        Action::Resend => (
            "重发；截止后两日仍无着落则挂账",
            "send again; in suspense two days after the cut",
        ),
        Action::ResendAndSuspend => ("重发，金额挂账", "send again; the amount is in suspense"),
        Action::FreezeAndProve => (
            "冻结学分，出示转出方签名的放行",
            "freeze the credit, show the origin's signed release",
        ),
        Action::ReverseUnsigned => ("无签名的放行，冲正", "no signed release: reverse"),
        Action::RestoreRelease => ("补记其已签名的放行", "restore the release that it signed"),
        Action::Recompute => (
            "按规则集重新计算，以公布的规则为准",
            "compute again; the published rule decides",
        ),
        Action::Redecide => (
            "适用版本有误，重新认定",
            "decided by the wrong version: decide again",
        ),
        Action::TakeLaterStep => ("补记在后的已签名步骤", "take the later signed step in"),
        Action::FillSequence => ("先补齐缺少的步骤", "fill the missing steps first"),
        Action::ReverseLaterReservation => (
            "以最早的预留为准，冲正后一项",
            "the earliest reservation holds: reverse this one",
        ),
        Action::ReverseAndNotify => (
            "冲正，告知学习者，可申诉",
            "reverse, tell the learner, hear an appeal",
        ),
        Action::HoldToRelease => (
            "以转出方签名的放行为准",
            "the origin's signed release holds",
        ),
    }
}

pub(super) const fn state(state: State) -> Text {
    match state {
        State::Requested => ("已申请", "requested"),
        State::Refused => ("不予转移", "refused"),
        State::Reserved => ("已预留", "reserved"),
        State::Released => ("已放行", "released"),
        State::UnderReview => ("审核中", "under review"),
        State::Recalling => ("撤回中", "recalling"),
        State::Rejected => ("已拒收", "rejected"),
        State::Recognised => ("已认定", "recognised"),
        State::Declined => ("不予认定", "declined"),
        State::Recalled => ("已退还", "recalled"),
        State::Reversed => ("已冲正", "reversed"),
    }
}
