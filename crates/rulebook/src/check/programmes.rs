//! Whether a programme's numbers allow anybody to complete it.

use creditbank_domain::Credit;
use creditbank_domain::rules::{Module, ModuleKind, Programme};

use super::Desk;
use crate::finding::code;
use crate::names::hundredths_text;
use crate::words::words;

pub(super) fn check(desk: &mut Desk<'_>) {
    for programme in &desk.set.programmes {
        whole(desk, programme);
        for module in &programme.modules {
            part(desk, programme, module);
        }
    }
}

fn whole(desk: &mut Desk<'_>, programme: &Programme) {
    let total = programme.total;
    let modules = &programme.modules;
    let min: u64 = modules
        .iter()
        .map(|it| u64::from(it.min.hundredths()))
        .sum();
    if min > u64::from(total.hundredths()) {
        let min = hundredths_text(min);
        let message = words!(
            "各模块最低学分合计 {min}，超过总学分 {total}",
            "the modules ask for {min} credits, more than the total of {total}"
        );
        desk.error(code::PROGRAMME_SUMS, programme.place, message);
    }
    let room: Option<u64> = modules.iter().map(capacity).sum();
    if room.is_some_and(|room| room < u64::from(total.hundredths())) {
        let room = hundredths_text(room.unwrap_or_default());
        let message = words!(
            "各模块最多只能得 {room} 学分，达不到总学分 {total}",
            "the modules can give {room} credits at most, less than the total of {total}"
        );
        desk.error(code::PROGRAMME_SUMS, programme.place, message);
    }
    let at_level = programme
        .at_level
        .map_or(Credit::ZERO, |(_, credits)| credits);
    for (key, credits) in [("residency", programme.residency), ("at_level", at_level)] {
        if credits > total {
            let message = words!(
                "{key} {credits} 超过总学分 {total}",
                "{key} of {credits} is more than the total of {total}"
            );
            desk.error(code::PROGRAMME_SUMS, programme.place, message);
        }
    }
}

/// The most hundredths of credit that can lie in a module; none where there is no bound.
fn capacity(module: &Module) -> Option<u64> {
    let courses = courses(module);
    match (module.max, module.unassigned) {
        (Some(max), true) => Some(max.hundredths().into()),
        (Some(max), false) => Some(courses.min(max.hundredths().into())),
        (None, true) => None,
        (None, false) => Some(courses),
    }
}

fn courses(module: &Module) -> u64 {
    let courses = module.courses.iter();
    courses
        .map(|course| u64::from(course.credits.hundredths()))
        .sum()
}

fn part(desk: &mut Desk<'_>, programme: &Programme, module: &Module) {
    let (id, min) = (&module.id, module.min);
    let sum = courses(module);
    if let Some(max) = module.max
        && module.kind == ModuleKind::Required
        && sum > u64::from(max.hundredths())
    {
        let sum = hundredths_text(sum);
        let message = words!(
            "模块 {id} 的必修课程共 {sum} 学分，超过 max {max}",
            "the required courses of module {id} have {sum} credits, more than its max of {max}"
        );
        desk.error(code::PROGRAMME_SUMS, programme.place, message);
    }
    if let Some(room) = capacity(module)
        && room < u64::from(min.hundredths())
    {
        let room = hundredths_text(room);
        let message = words!(
            "模块 {id} 最多只能得 {room} 学分，达不到 min {min}",
            "module {id} can give {room} credits at most, less than its min of {min}"
        );
        desk.error(code::PROGRAMME_SUMS, programme.place, message);
    }
}
