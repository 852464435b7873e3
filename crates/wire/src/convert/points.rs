//! `points.proto`: how points move, and why some do not.

use creditbank_domain::points::{
    Account, ENTRIES_MAX, Entry, Honour, Purse, Reason, Redemption, RedemptionId, RedemptionState,
    Why, Withheld,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Fault, LeafIndex, Refusal};
use jiff::civil::Date;

use super::catalogue::date;
use crate::v1;

/// The entries of one record.
pub fn entries(message: v1::PointsEntry) -> Result<Vec<Entry>, Fault> {
    if message.movements.is_empty() {
        return Err(Refusal::Missing.at("movements"));
    }
    if message.movements.len() > ENTRIES_MAX {
        let max = ENTRIES_MAX as u32;
        return Err(Refusal::TooMany { max }.at("movements"));
    }
    let entries = message
        .movements
        .into_iter()
        .enumerate()
        .map(|(row, it)| entry(it).map_err(|fault| fault.within(&format!("movements[{row}]"))));
    entries.collect()
}

/// The inverse of [`entries`].
#[must_use]
pub fn entries_message(entries: &[Entry]) -> v1::PointsEntry {
    v1::PointsEntry {
        movements: entries.iter().map(movement).collect(),
    }
}

fn entry(message: v1::PointsMovement) -> Result<Entry, Fault> {
    use v1::points_movement::Reason as Said;
    if message.points == 0 {
        return Err(Refusal::Missing.at("points"));
    }
    let reason = match message
        .reason
        .ok_or_else(|| Refusal::Missing.at("reason"))?
    {
        Said::Earned(it) => earned(&it).map_err(|fault| fault.within("earned"))?,
        Said::Reserved(it) => Reason::Reserved {
            redemption: redemption_id(&it.redemption)
                .map_err(|refusal| refusal.at("reserved.redemption"))?,
            purpose: Label::parse(&it.purpose).map_err(|refusal| refusal.at("reserved.purpose"))?,
        },
        Said::Confirmed(id) => Reason::Confirmed {
            redemption: redemption_id(&id).map_err(|refusal| refusal.at("confirmed"))?,
        },
        Said::Cancelled(id) => Reason::Cancelled {
            redemption: redemption_id(&id).map_err(|refusal| refusal.at("cancelled"))?,
        },
        Said::Expired(true) => Reason::Expired,
        Said::Expired(false) => return Err(Refusal::NotCanonical.at("expired")),
        Said::ClawedBack(outcome) => Reason::ClawedBack {
            outcome: LeafIndex(outcome),
        },
    };
    Ok(Entry {
        on: date(&message.on).map_err(|refusal| refusal.at("on"))?,
        points: message.points,
        reason,
    })
}

fn earned(message: &v1::PointsEarned) -> Result<Reason, Fault> {
    let rule = Code::parse(&message.rule).map_err(|refusal| refusal.at("rule"))?;
    let expires_on = (!message.expires_on.is_empty()).then(|| date(&message.expires_on));
    Ok(Reason::Earned {
        rule: rule.to_string(),
        outcome: LeafIndex(message.outcome),
        expires_on: expires_on
            .transpose()
            .map_err(|refusal| refusal.at("expires_on"))?,
    })
}

/// The message of one entry.
#[must_use]
pub fn movement(entry: &Entry) -> v1::PointsMovement {
    use v1::points_movement::Reason as Said;
    let reason = match &entry.reason {
        Reason::Earned {
            rule,
            outcome,
            expires_on,
        } => Said::Earned(v1::PointsEarned {
            rule: rule.clone(),
            outcome: outcome.0,
            expires_on: day(*expires_on),
        }),
        Reason::Reserved {
            redemption,
            purpose,
        } => Said::Reserved(v1::PointsReserved {
            redemption: redemption.to_vec().into(),
            purpose: purpose.to_string(),
        }),
        Reason::Confirmed { redemption } => Said::Confirmed(redemption.to_vec().into()),
        Reason::Cancelled { redemption } => Said::Cancelled(redemption.to_vec().into()),
        Reason::Expired => Said::Expired(true),
        Reason::ClawedBack { outcome } => Said::ClawedBack(outcome.0),
    };
    v1::PointsMovement {
        on: entry.on.to_string(),
        points: entry.points,
        reason: Some(reason),
    }
}

/// The id of a redemption: 16 bytes.
pub fn redemption_id(bytes: &[u8]) -> Result<RedemptionId, Refusal> {
    match bytes.is_empty() {
        true => Err(Refusal::Missing),
        false => bytes
            .try_into()
            .map_err(|_| Refusal::WrongLength { expected: 16 }),
    }
}

/// The message of a redemption.
#[must_use]
pub fn redemption_message(id: RedemptionId, it: &Redemption) -> v1::Redemption {
    let state = match it.state {
        RedemptionState::Reserved => v1::RedemptionState::Reserved,
        RedemptionState::Confirmed => v1::RedemptionState::Confirmed,
        RedemptionState::Cancelled => v1::RedemptionState::Cancelled,
    };
    v1::Redemption {
        redemption: id.to_vec().into(),
        purpose: it.purpose.to_string(),
        points: it.points,
        state: state as i32,
    }
}

/// All balances of a purse.
#[must_use]
pub fn balances(purse: &Purse) -> Vec<v1::PointsBalance> {
    let balance = |account: &Account| v1::PointsBalance {
        account: account_number(*account) as i32,
        points: purse.balance(*account),
    };
    Account::ALL.iter().map(balance).collect()
}

const fn account_number(account: Account) -> v1::PointsAccount {
    match account {
        Account::Issued => v1::PointsAccount::Issued,
        Account::Available => v1::PointsAccount::Available,
        Account::Reserved => v1::PointsAccount::Reserved,
        Account::Redeemed => v1::PointsAccount::Redeemed,
        Account::Expired => v1::PointsAccount::Expired,
        Account::ClawedBack => v1::PointsAccount::ClawedBack,
    }
}

/// What is left of a purse, in the order in which it will be used up.
#[must_use]
pub fn lots(purse: &Purse) -> Vec<v1::PointsLot> {
    let lots = purse.remaining().into_iter();
    let lots = lots.map(|(points, expires_on)| v1::PointsLot {
        points,
        expires_on: day(expires_on),
    });
    lots.collect()
}

/// The message of an honour.
#[must_use]
pub fn honour_message(it: &Honour) -> v1::Honour {
    v1::Honour {
        id: it.id.clone(),
        title_zh: it.title.zh.clone(),
        title_en: it.title.en.clone(),
        min_points: it.min_points,
    }
}

/// What an outcome did not earn, with the reason in words.
#[must_use]
pub fn withheld_message(it: &Withheld) -> v1::WithheldPoints {
    let own = it.outcome;
    let (code, message_zh, message_en) = match it.why {
        Why::NotEnough => (
            "POINTS_NOT_ENOUGH",
            "学时或出勤不足一分".to_owned(),
            "its hours or attendance are not enough for one point".to_owned(),
        ),
        Why::DayMax { points } => (
            "POINTS_DAY_MAX",
            format!("当日积分已达上限，{points} 分不计"),
            format!("the day's most is reached: {points} points are not counted"),
        ),
        Why::Overlaps { with } => (
            "POINTS_OVERLAP",
            format!("与记录 {with} 时间重叠"),
            format!("it took place at the same time as record {with}"),
        ),
        Why::TooFast { with } if with == own => (
            "POINTS_TOO_FAST",
            "行走速度超出可能".to_owned(),
            "nobody walks as fast".to_owned(),
        ),
        Why::TooFast { with } => (
            "POINTS_TOO_FAST",
            format!("与记录 {with} 之间的行走速度超出可能"),
            format!("nobody walks as fast from or to record {with}"),
        ),
    };
    v1::WithheldPoints {
        outcome: own.0,
        rule: it.rule.clone(),
        code: code.to_owned(),
        message_zh,
        message_en,
    }
}

fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
