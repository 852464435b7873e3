//! Whether a programme's numbers allow anybody to complete it.

use creditbank_domain::Credit;
use creditbank_domain::rules::{Form, LimitScope, Maximum, Minimum, Module, ModuleKind, Programme};

use super::Desk;
use super::relate::{meet, overlap};
use crate::finding::code;
use crate::names::hundredths_text;
use crate::words::words;

pub(super) fn check(desk: &mut Desk<'_>) {
    for programme in &desk.set.programmes {
        whole(desk, programme);
        for module in &programme.modules {
            part(desk, programme, module);
        }
        for minimum in &programme.minima {
            can_be_had(desk, programme, minimum);
            is_within_limits(desk, programme, minimum);
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
    let minima = programme.minima.iter();
    let minima = minima.map(|it| (it.id.as_str(), it.credits));
    let parts = [("residency", programme.residency), ("at_level", at_level)];
    for (key, credits) in parts.into_iter().chain(minima) {
        if credits > total {
            let message = words!(
                "{key} {credits} 超过总学分 {total}",
                "{key} of {credits} is more than the total of {total}"
            );
            desk.error(code::PROGRAMME_SUMS, programme.place, message);
        }
    }
}

/// A minimum needs a rule that grants credit for what it asks for, or courses of the institution itself.
fn can_be_had(desk: &mut Desk<'_>, programme: &Programme, minimum: &Minimum) {
    let institutions = &minimum.selector.institutions;
    let has_courses = programme.modules.iter().any(|it| !it.courses.is_empty());
    let is_studied =
        has_courses && meet(institutions, std::slice::from_ref(&programme.institution));
    let mut rules = desk.set.rules.iter().filter(|rule| {
        let is_meant = desk
            .programmes_of(rule)
            .iter()
            .any(|it| it.id == programme.id);
        is_meant && rule.form != Form::NoCredit
    });
    let is_recognised = rules.any(|rule| {
        let mut slots = rule.slots.iter();
        slots.all(|slot| overlap(&slot.selector, &minimum.selector))
    });
    if !is_studied && !is_recognised {
        let id = &minimum.id;
        let message = words!(
            "下限 {id} 所要的成果，没有规则给本专业教学计划学分",
            "no rule gives credit in this programme for the outcomes that minimum {id} asks for"
        );
        desk.error(code::UNREACHABLE, programme.place, message);
    }
}

/// A limit on the outcomes of a minimum that leaves less than it asks for; what is studied counts in no limit.
fn is_within_limits(desk: &mut Desk<'_>, programme: &Programme, minimum: &Minimum) {
    let counts_all = |scope: &LimitScope| {
        let own = LimitScope {
            selector: scope.selector.clone(),
            programmes: scope.programmes.clone(),
            ..LimitScope::default()
        };
        *scope == own
            && meet(&scope.programmes, std::slice::from_ref(&programme.id))
            && scope.selector.covers(&minimum.selector)
    };
    let mut limits = desk.set.limits.iter();
    let found = limits.find_map(|limit| match limit.max {
        Maximum::Credits(most) => {
            (most < minimum.credits && limit.per.is_empty() && counts_all(&limit.scope))
                .then_some((&limit.id, most))
        }
        _ => None,
    });
    if let Some((limit, most)) = found {
        let (id, credits) = (&minimum.id, minimum.credits);
        let message = words!(
            "下限 {id} 要 {credits} 学分，限额 {limit} 只让通过 {most} 学分",
            "minimum {id} asks for {credits} credits, and limit {limit} lets {most} of them through"
        );
        desk.warn(code::PROGRAMME_SUMS, programme.place, message);
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
