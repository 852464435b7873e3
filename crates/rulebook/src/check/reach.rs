//! What no outcome, programme or day can ever meet.

use creditbank_domain::Category;
use creditbank_domain::rules::{
    Agreement, Course, DatedBy, FrameworkLevel, LevelFloor, Module, ModuleKind, Period, Place,
    Programme, Rule, Selector, TargetPlace, Wording, names,
};

use super::Desk;
use super::relate::{categories, emptiness, meet};
use crate::finding::code;
use crate::names::place_text;
use crate::words::words;

pub(super) fn check(desk: &mut Desk<'_>) {
    let set = desk.set;
    cycles(desk);
    for rule in &set.rules {
        rule_is_reachable(desk, rule);
        targets_exist(desk, rule);
    }
    let minima = set.programmes.iter().flat_map(|programme| {
        let minima = programme.minima.iter();
        minima.map(|it| (&it.selector, programme.place))
    });
    let selectors = set
        .limits
        .iter()
        .map(|it| (&it.scope.selector, it.place))
        .chain(set.origins.iter().map(|it| (&it.selector, it.place)))
        .chain(set.earning.iter().map(|it| (&it.selector, it.place)))
        .chain(minima);
    for (selector, place) in selectors {
        if let Some(message) = emptiness(selector) {
            desk.error(code::UNREACHABLE, place, message);
        }
    }
    for limit in &set.limits {
        if !limit.effective.overlaps(&set.effective) {
            let message = words!(
                "限额的生效期与规则集的生效期没有共同的日子",
                "the limit is in force on no day on which the set is"
            );
            desk.error(code::UNREACHABLE, limit.place, message);
        }
    }
    for (index, origin) in set.origins.iter().enumerate() {
        let mut earlier = set.origins[..index].iter();
        if let Some(other) = earlier.find(|it| it.selector.covers(&origin.selector)) {
            let id = &other.id;
            let message = words!(
                "此来源的成果都已归入前面的来源 {id}；请调换次序或收窄 {id}",
                "every outcome of this origin is of the origin {id} before it; change their order or narrow {id}"
            );
            desk.warn(code::UNREACHABLE, origin.place, message);
        }
    }
}

fn rule_is_reachable(desk: &mut Desk<'_>, rule: &Rule) {
    let set = desk.set;
    let mut reasons: Vec<Wording> = Vec::new();
    reasons.extend(rule.slots.iter().find_map(|slot| emptiness(&slot.selector)));
    reasons.extend(no_category(rule));
    reasons.extend(no_level(desk, rule));
    reasons.extend(no_day(desk, rule));
    let programmes = desk.programmes_of(rule);
    if programmes.is_empty() && !set.programmes.is_empty() {
        reasons.push(words!(
            "programmes、programme_kind 与 except_subjects 合起来不剩任何专业教学计划",
            "programmes, programme_kind and except_subjects together leave no programme"
        ));
    } else {
        reasons.extend(no_agreement(desk, rule, &programmes));
    }
    for reason in reasons {
        desk.error(code::UNREACHABLE, rule.place, reason);
    }
}

/// Conditions that no outcome of the categories selected can meet.
fn no_category(rule: &Rule) -> Option<Wording> {
    let asks = |holds: fn(Category) -> bool| {
        let mut slots = rule.slots.iter().map(|slot| categories(&slot.selector));
        slots.any(|it| !it.is_empty() && !it.into_iter().any(holds))
    };
    let has_sessions = |it| matches!(it, Category::CommunityCourse | Category::ElderCourse);
    if rule.conditions.min_attendance_bp.is_some() && asks(has_sessions) {
        return Some(words!(
            "min_attendance 只有社区教育和老年教育的成果能满足，select 选的是别的类别",
            "min_attendance is met by community and elder courses alone, and select names other categories"
        ));
    }
    if rule.conditions.two_attestors && asks(|it| it == Category::DualTrack) {
        return Some(words!(
            "two_attestors 只有双元制成果能满足，select 选的是别的类别",
            "two_attestors is met by dual-track outcomes alone, and select names other categories"
        ));
    }
    None
}

/// A level floor above everything that the framework gives to what a slot selects.
fn no_level(desk: &Desk<'_>, rule: &Rule) -> Option<Wording> {
    let needed = match rule.conditions.min_level {
        LevelFloor::Any => return None,
        LevelFloor::AtLeast(level) => level,
        LevelFloor::Programme => desk.programmes_of(rule).iter().map(|it| it.level).min()?,
    };
    let number = needed.number();
    let mut best = rule
        .slots
        .iter()
        .map(|slot| best_level(desk, &slot.selector));
    best.any(|best| best.is_none_or(|best| best < needed)).then(|| {
        words!(
            "要求等级 {number} 以上，但 [framework] 没有给所选成果这样高的等级",
            "level {number} or above is needed, but [framework] gives no outcome that is selected so high a level"
        )
    })
}

/// The highest level that an outcome which the selector takes can have.
fn best_level(desk: &Desk<'_>, selector: &Selector) -> Option<FrameworkLevel> {
    let framework = &desk.set.framework;
    let possible = categories(selector);
    let mut levels: Vec<FrameworkLevel> = Vec::new();
    if possible.contains(&Category::SkillCertificate) {
        let skills = framework.skills.iter();
        let skills = skills.filter(|(it, _)| meet(&selector.skill_levels, &[*it]));
        levels.extend(skills.map(|(_, level)| *level));
        let printed = framework.printed.iter();
        let printed =
            printed.filter(|(it, _)| meet(&selector.printed_levels, std::slice::from_ref(it)));
        let is_by_skill = !selector.skill_levels.is_empty();
        levels.extend(printed.filter(|_| !is_by_skill).map(|(_, level)| *level));
    }
    if possible.contains(&Category::DegreeCourse) {
        let stages = framework.stages.iter();
        let stages = stages.filter(|(it, _)| meet(&selector.stages, &[*it]));
        levels.extend(stages.map(|(_, level)| *level));
    }
    let standards = desk.set.standards.iter();
    let standards = standards.filter(|it| {
        meet(&selector.standards, std::slice::from_ref(&it.id)) && meet(&it.categories, &possible)
    });
    levels.extend(standards.filter_map(|it| it.level));
    levels.into_iter().max()
}

/// No day on which it is in force, of those on which an outcome may be completed or applied for.
fn no_day(desk: &Desk<'_>, rule: &Rule) -> Option<Wording> {
    let completed = rule.conditions.completed;
    let until = Period {
        from: None,
        to: desk.set.effective.to,
    };
    let never = match rule.dated_by {
        DatedBy::Completion => {
            !rule.effective.overlaps(&completed)
                || !rule.effective.overlaps(&until)
                || !completed.overlaps(&until)
        }
        DatedBy::Application => {
            !rule.effective.overlaps(&desk.set.effective) || !completed.overlaps(&until)
        }
    };
    never.then(|| {
        words!(
            "生效期、completed 与规则集的生效期没有共同的日子",
            "its period, completed and the set's period have no day in common"
        )
    })
}

/// An agreement that cannot cover any outcome and programme of the rule.
fn no_agreement(desk: &Desk<'_>, rule: &Rule, programmes: &[&Programme]) -> Option<Wording> {
    let id = rule.conditions.agreement.as_ref()?;
    let agreement = desk.set.agreements.iter().find(|it| it.id == *id)?;
    let covers = |from: &str, to: &str| {
        let receives = programmes.iter().any(|it| it.region == to);
        let sends = |selector: &Selector| {
            let regions = &selector.regions;
            regions.is_empty() || regions.iter().any(|digits| digits.starts_with(from))
        };
        receives && rule.slots.iter().all(|slot| sends(&slot.selector))
    };
    let pair = covers(&agreement.from, &agreement.to)
        || agreement.mutual && covers(&agreement.to, &agreement.from);
    if !pair {
        return Some(words!(
            "协议 {id} 的两端与本规则的专业教学计划所在地或 select 的 region 对不上",
            "the two sides of agreement {id} match neither the programmes of this rule nor the region of its select"
        ));
    }
    let of_category = |slot: &Selector| meet(&agreement.categories, &categories(slot));
    if !rule.slots.iter().all(|slot| of_category(&slot.selector)) {
        return Some(words!(
            "协议 {id} 不包括 select 所选的类别",
            "agreement {id} does not cover the categories that select names"
        ));
    }
    (!covers_days(agreement, rule)).then(|| {
        words!(
            "协议 {id} 的各版本与本规则的生效期没有共同的日子",
            "no version of agreement {id} has a day in common with this rule"
        )
    })
}

fn covers_days(agreement: &Agreement, rule: &Rule) -> bool {
    let by_completion = rule.dated_by == DatedBy::Completion;
    agreement.versions.iter().any(|(_, days)| {
        days.overlaps(&rule.conditions.completed)
            && (!by_completion || days.overlaps(&rule.effective))
    })
}

/// Each target is in some programme of the rule, and not excluded there.
fn targets_exist(desk: &mut Desk<'_>, rule: &Rule) {
    let programmes = desk.programmes_of(rule);
    if programmes.is_empty() {
        return;
    }
    for target in &rule.grant.targets {
        let takes = |programme: &&&Programme| has_target(programme, rule, &target.to);
        if programmes.iter().find(takes).is_none() {
            let place = place_text(&target.to);
            let message = words!(
                "本规则的专业教学计划中没有去向 {place}，或已被 except_courses、only_tags、required_only 排除",
                "no programme of this rule has the target {place}, or except_courses, only_tags or required_only \
                 leave it out"
            );
            desk.error(code::TARGET_UNKNOWN, rule.place, message);
        }
    }
    for id in &rule.conditions.programmes {
        let programme = programmes.iter().find(|it| it.id == *id);
        let has_any = |programme: &&&Programme| {
            let targets = rule.grant.targets.iter();
            let mut here = targets.map(|target| has_target(programme, rule, &target.to));
            rule.grant.targets.is_empty() || here.any(|it| it)
        };
        if programme.is_some_and(|it| !has_any(&it)) {
            let message = words!(
                "programmes 列有 {id}，但它没有本规则的任何去向",
                "programmes names {id}, which has none of this rule's targets"
            );
            desk.warn(code::TARGET_UNKNOWN, rule.place, message);
        }
    }
}

fn has_target(programme: &Programme, rule: &Rule, place: &TargetPlace) -> bool {
    let courses = || {
        let modules = programme.modules.iter();
        modules.flat_map(|module| module.courses.iter().map(move |course| (module, course)))
    };
    let may = |(module, course): &(&Module, &Course)| is_admitted(rule, module, course);
    let named = |key: &str, course: &Course| {
        names::key(&course.code) == key || names::key(&course.name) == key
    };
    match place {
        TargetPlace::Course(key) => courses().filter(may).any(|(_, it)| named(key, it)),
        TargetPlace::SameCourse => {
            let lists = || rule.slots.iter().map(|slot| &slot.selector.achievements);
            lists().any(Vec::is_empty) && courses().any(|it| may(&it))
                || courses()
                    .filter(may)
                    .any(|(_, it)| lists().flatten().any(|achievement| named(achievement, it)))
        }
        TargetPlace::Tagged(tag) => courses().filter(may).any(|(_, it)| it.tags.contains(tag)),
        TargetPlace::Electives => programme.modules.iter().any(|module| module.unassigned),
        TargetPlace::Module(id) => {
            let mut modules = programme.modules.iter();
            modules.any(|module| module.id == *id && module.unassigned)
        }
    }
}

fn is_admitted(rule: &Rule, module: &Module, course: &Course) -> bool {
    let conditions = &rule.conditions;
    !conditions.except_course_kinds.contains(&course.kind)
        && (conditions.only_tags.is_empty()
            || course
                .tags
                .iter()
                .any(|tag| conditions.only_tags.contains(tag)))
        && (!conditions.required_only || module.kind == ModuleKind::Required)
}

/// Wholes that are parts of themselves.
fn cycles(desk: &mut Desk<'_>) {
    let wholes = &desk.set.wholes;
    let found: Vec<Place> = wholes
        .iter()
        .filter(|whole| {
            let mut reached: Vec<&str> = Vec::new();
            let mut open: Vec<&str> = whole.parts.iter().map(String::as_str).collect();
            while let Some(part) = open.pop() {
                if !reached.contains(&part) {
                    reached.push(part);
                    let of_part = wholes.iter().filter(|it| it.whole == part);
                    open.extend(of_part.flat_map(|it| &it.parts).map(String::as_str));
                }
            }
            reached.contains(&whole.whole.as_str())
        })
        .map(|whole| whole.place)
        .collect();
    for place in found {
        let message = words!(
            "此整体经由其部分又成为自身的部分",
            "by way of its parts this whole is a part of itself"
        );
        desk.error(code::WHOLE_CYCLE, place, message);
    }
}
