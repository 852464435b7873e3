//! Days between two versions on which none is in force.

use creditbank_domain::rules::{Period, Place};

use super::Desk;
use crate::finding::code;
use crate::words::words;

pub(super) fn check(desk: &mut Desk<'_>) {
    let set = desk.set;
    for versions in set.rules.chunk_by(|a, b| a.id == b.id) {
        let days = versions.iter().map(|rule| (rule.effective, rule.place));
        tell(desk, ("规则", "rule"), &versions[0].id, days.collect());
    }
    for versions in set.standards.chunk_by(|a, b| a.id == b.id) {
        let days = versions.iter().map(|it| (it.effective, it.place));
        tell(
            desk,
            ("单元标准", "standard"),
            &versions[0].id,
            days.collect(),
        );
    }
    for agreement in &set.agreements {
        let days = agreement
            .versions
            .iter()
            .map(|(_, days)| (*days, agreement.place));
        tell(desk, ("协议", "agreement"), &agreement.id, days.collect());
    }
}

fn tell(desk: &mut Desk<'_>, (zh, en): (&str, &str), id: &str, mut days: Vec<(Period, Place)>) {
    days.sort_by_key(|(period, _)| period.from);
    let mut covered = None;
    for (index, (period, place)) in days.iter().enumerate() {
        let gap = covered
            .zip(period.from)
            .and_then(|(last, from): (jiff::civil::Date, _)| {
                let (first, before) = (last.tomorrow().ok()?, from.yesterday().ok()?);
                (index > 0 && first <= before).then_some((first, before))
            });
        if let Some((first, last)) = gap {
            let message = words!(
                "{zh} {id} 在 {first} 至 {last} 之间没有任何版本生效",
                "no version of {en} {id} is in force from {first} to {last}"
            );
            desk.warn(code::DATE_GAP, *place, message);
        }
        match period.to {
            None => return,
            Some(to) => covered = covered.max(Some(to)),
        }
    }
}
