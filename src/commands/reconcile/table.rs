//! A report for people: totals first, then details.

use anyhow::{Context as _, Result};
use creditbank_domain::reconcile::Tally;
use creditbank_wire::v1;

use super::lines::{self, Direction, Standing, Total};
use super::words::{self, say};
use crate::print::{self, Language, hex};

pub(super) fn print(report: &v1::ReconciliationReport, language: Language) -> Result<()> {
    head(report, language);
    let directions = lines::directions(report);
    for direction in directions.context("the bank gave a statement that cannot be read")? {
        totals(&direction, language);
    }
    details(report, language);
    tail(report, language);
    Ok(())
}

fn head(it: &v1::ReconciliationReport, language: Language) {
    let (own, peer, period) = (&it.own_origin, &it.peer_origin, &it.period);
    let cut = it.own.as_ref().map_or(0, |own| own.cut_ms);
    let cut = print::moment(cut);
    let zh = format!("对账单 {period}  {own} ↔ {peer}  截止 {cut}");
    let en = format!("Statement {period}  {own} <-> {peer}  cut {cut}");
    print::out(&language.say(zh, en));
    let items = |it: &Option<v1::PeriodStated>| it.as_ref().map_or(0, |it| it.items);
    let (hash, theirs) = (hex(&it.own_hash), hex(&it.their_hash));
    let (own_items, their_items) = (items(&it.own), items(&it.theirs));
    let (leaf, closed) = (it.own_leaf, it.closed_at_leaf);
    let zh = format!("本行 {hash}  {own_items} 项  记录 {leaf}，关账记录 {closed}");
    let en = format!("ours   {hash}  {own_items} items  leaf {leaf}, closed at {closed}");
    print::out(&language.say(zh, en));
    let leaf = it.their_receipt.as_ref().map_or(0, |it| it.leaf_index);
    let zh = format!("对方 {theirs}  {their_items} 项  对方记录 {leaf}");
    let en = format!("theirs {theirs}  {their_items} items  leaf {leaf} of their log");
    print::out(&language.say(zh, en));
    let is_agreed = it.own_hash == it.their_hash;
    let verdict = match is_agreed {
        true => ("两份对账单相符。", "The two statements agree."),
        false => ("两份对账单不符。", "The two statements differ."),
    };
    print::out(&say(verdict, language));
}

fn totals(direction: &Direction, language: Language) {
    let (origin, receiver) = (&direction.origin, &direction.receiver);
    print::out("");
    print::out(&format!("{origin} → {receiver}"));
    let header = match language {
        Language::Zh => [
            "",
            "笔数",
            "来源学分",
            "授予学分",
            "对方笔数",
            "对方来源学分",
            "",
        ],
        Language::En => [
            "",
            "COUNT",
            "SOURCE",
            "CREDITED",
            "THEIR COUNT",
            "THEIR SOURCE",
            "",
        ],
    };
    let rows: Vec<_> = direction
        .totals
        .iter()
        .map(|it| row(it, language))
        .collect();
    print::table(header, &rows);
}

fn row(it: &Total, language: Language) -> [String; 7] {
    let credits = |tally: Tally| print::hundredths(tally.source);
    let credited = it.credited.map(|(own, _)| print::hundredths(own));
    let mark = match it.differs() {
        true => say(("← 不符", "<- differs"), language),
        false => String::new(),
    };
    [
        say(it.name, language),
        it.own.count.to_string(),
        credits(it.own),
        credited.unwrap_or_default(),
        it.theirs.count.to_string(),
        credits(it.theirs),
        mark,
    ]
}

fn details(report: &v1::ReconciliationReport, language: Language) {
    let rows: Vec<_> = lines::all(report)
        .map(|(standing, it)| detail(standing, it, language))
        .collect();
    if rows.is_empty() {
        return;
    }
    print::out("");
    let header = match language {
        Language::Zh => [
            "转移编号",
            "",
            "类别",
            "阶段",
            "金额",
            "本行状态",
            "对方状态",
            "由谁处理",
            "处理办法",
            "首见",
        ],
        Language::En => [
            "TRANSFER", "", "CLASS", "STAGE", "AMOUNT", "OURS", "THEIRS", "WHO ACTS", "ACTION",
            "SINCE",
        ],
    };
    print::table(header, &rows);
}

fn detail(standing: Standing, it: &v1::PeriodDifference, language: Language) -> [String; 10] {
    let state = |item: &Option<v1::PeriodItem>| {
        let state = lines::state(item.as_ref());
        state.map_or_else(
            || "-".to_owned(),
            |state| say(words::state(state), language),
        )
    };
    let (class, stage, action, actor) = match lines::kinds(it) {
        Some((class, stage, action, actor)) => (
            words::class(class),
            words::stage(stage),
            words::action(action),
            words::actor(actor),
        ),
        None => (("?", "?"), ("?", "?"), ("?", "?"), ("?", "?")),
    };
    [
        hex(&it.transfer_id),
        say(standing.name(), language),
        say(class, language),
        say(stage, language),
        print::hundredths(u64::from(it.amount_hundredths)),
        state(&it.own),
        state(&it.theirs),
        say(actor, language),
        say(action, language),
        it.since.clone(),
    ]
}

fn tail(report: &v1::ReconciliationReport, language: Language) {
    let (open, cleared) = (lines::open(report).count(), report.cleared.len());
    let (suspense, bytes) = (
        print::hundredths(report.suspense_hundredths),
        report.bytes_exchanged,
    );
    print::out("");
    let zh = format!(
        "未核销差异 {open} 项，挂账 {suspense} 学分；本期核销 {cleared} 项；比对往来 {bytes} 字节"
    );
    let en = format!(
        "{open} differences open, {suspense} credits in suspense; {cleared} cleared; {bytes} bytes exchanged to find them"
    );
    print::out(&language.say(zh, en));
    if !report.is_complete {
        let text = (
            "差异过多，未全部查找：请先核对双方的数据。",
            "So much differs that not all of it was looked for: check the data of both banks first.",
        );
        print::out(&say(text, language));
    }
}
