//! `creditbank points show`.

use anyhow::Result;
use creditbank_client::{Bank, points};
use creditbank_wire::v1;
use serde_json::{Value, json};

use crate::print::{self, Language, hex, word};

/// Most records of a page of the history.
const PAGE: u32 = 1_000;

/// A purse with so many records of its history; 0 means all.
pub(super) async fn whole(
    bank: &Bank,
    request: v1::GetPointsRequest,
    limit: u32,
) -> Result<v1::Purse> {
    let limit = if limit == 0 { u32::MAX } else { limit };
    let page = |token: String| v1::GetPointsRequest {
        page_size: limit.min(PAGE),
        page_token: token,
        ..request.clone()
    };
    let mut purse = points::purse(bank, page(String::new())).await?;
    while !purse.next_page_token.is_empty() && purse.history.len() < limit as usize {
        let next = points::purse(bank, page(purse.next_page_token)).await?;
        purse.history.extend(next.history);
        purse.next_page_token = next.next_page_token;
    }
    purse.history.truncate(limit as usize);
    Ok(purse)
}

/// Everything as JSON.
pub(super) fn json(purse: &v1::Purse) -> Value {
    let balances: serde_json::Map<_, _> = purse
        .balances
        .iter()
        .map(|it| (account(it), Value::from(it.points)))
        .collect();
    let lot = |it: &v1::PointsLot| json!({ "points": it.points, "expires_on": it.expires_on });
    let record = |it: &v1::PointsRecord| {
        json!({
            "leaf_index": it.leaf_index,
            "deposited_at": print::moment(it.deposited_at_ms),
            "movements": it.movements.iter().map(print::movement).collect::<Vec<_>>(),
        })
    };
    json!({
        "balances": balances,
        "available": purse.available,
        "owed": purse.owed,
        "lifetime": purse.lifetime,
        "lots": purse.lots.iter().map(lot).collect::<Vec<_>>(),
        "open_redemptions": purse.open_redemptions.iter().map(redemption_json).collect::<Vec<_>>(),
        "rule_set_hash": hex(&purse.rule_set_hash),
        "honour": purse.honour.as_ref().map(honour_json),
        "next_honour": purse.next_honour.as_ref().map(honour_json),
        "history": purse.history.iter().map(record).collect::<Vec<_>>(),
        "tree_size": purse.tree_size,
    })
}

/// Everything for people.
pub(super) fn print(purse: &v1::Purse, language: Language) {
    let say = |zh: String, en: String| print::out(&language.say(zh, en));
    let (available, owed, lifetime) = (purse.available, purse.owed, purse.lifetime);
    say(
        format!("可用 {available} 分，欠 {owed} 分，累计 {lifetime} 分"),
        format!("{available} points available, {owed} owed, {lifetime} ever earned"),
    );
    if let Some(it) = &purse.honour {
        say(
            format!("荣誉：{}", it.title_zh),
            format!("honour: {}", it.title_en),
        );
    }
    if let Some(it) = &purse.next_honour {
        say(
            format!("下一荣誉：{}，{} 分", it.title_zh, it.min_points),
            format!(
                "next honour: {}, from {} points on",
                it.title_en, it.min_points
            ),
        );
    }
    let balances = purse
        .balances
        .iter()
        .map(|it| [account(it), it.points.to_string()]);
    print::table(["ACCOUNT", "POINTS"], &balances.collect::<Vec<_>>());
    let day = |day: &str| match day {
        "" => "-".to_owned(),
        day => day.to_owned(),
    };
    let lots = purse.lots.iter();
    let lots: Vec<_> = lots
        .map(|it| [it.points.to_string(), day(&it.expires_on)])
        .collect();
    if !lots.is_empty() {
        print::table(["LEFT", "LAST DAY"], &lots);
    }
    for it in &purse.open_redemptions {
        print::out(&redemption(it, language));
    }
    for record in &purse.history {
        for movement in record.movements.iter().rev() {
            print::out(&format!(
                "{:>10}  {}",
                record.leaf_index,
                line(movement, language)
            ));
        }
    }
}

/// One movement, in words.
pub(super) fn line(movement: &v1::PointsMovement, language: Language) -> String {
    use v1::points_movement::Reason;
    let (zh, en) = match &movement.reason {
        Some(Reason::Earned(it)) => (
            format!("记录 {} 按 {} 获得", it.outcome, it.rule),
            format!("earned by record {} under {}", it.outcome, it.rule),
        ),
        Some(Reason::Reserved(it)) => (
            format!("冻结：{}（{}）", it.purpose, hex(&it.redemption)),
            format!("reserved for {} ({})", it.purpose, hex(&it.redemption)),
        ),
        Some(Reason::Confirmed(id)) => (
            format!("已兑换（{}）", hex(id)),
            format!("redeemed ({})", hex(id)),
        ),
        Some(Reason::Cancelled(id)) => (
            format!("取消兑换（{}）", hex(id)),
            format!("given back ({})", hex(id)),
        ),
        Some(Reason::Expired(_)) => ("过期".to_owned(), "expired".to_owned()),
        Some(Reason::ClawedBack(outcome)) => (
            format!("记录 {outcome} 撤销或更正，扣回"),
            format!("taken back: record {outcome} does not hold any longer"),
        ),
        None => Default::default(),
    };
    let words = language.say(zh, en);
    format!("{}  {:>6}  {words}", movement.on, movement.points)
}

/// One redemption, in words.
pub(super) fn redemption(it: &v1::Redemption, language: Language) -> String {
    let (zh, en) = match it.state() {
        v1::RedemptionState::Unspecified => ("?", "?"),
        v1::RedemptionState::Reserved => ("已冻结", "reserved"),
        v1::RedemptionState::Confirmed => ("已兑换", "redeemed"),
        v1::RedemptionState::Cancelled => ("已取消", "cancelled"),
    };
    let (id, points, purpose) = (hex(&it.redemption), it.points, &it.purpose);
    language.say(
        format!("兑换 {id}：{zh} {points} 分，{purpose}"),
        format!("redemption {id}: {en}, {points} points for {purpose}"),
    )
}

/// One redemption as JSON.
pub(super) fn redemption_json(it: &v1::Redemption) -> Value {
    json!({
        "redemption": hex(&it.redemption),
        "purpose": it.purpose,
        "points": it.points,
        "state": word(it.state().as_str_name(), "REDEMPTION_STATE_"),
    })
}

fn honour_json(it: &v1::Honour) -> Value {
    let title = json!({ "zh": it.title_zh, "en": it.title_en });
    json!({ "id": it.id, "title": title, "min_points": it.min_points })
}

fn account(balance: &v1::PointsBalance) -> String {
    word(balance.account().as_str_name(), "POINTS_ACCOUNT_")
}
