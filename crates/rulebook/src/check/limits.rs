//! Limits that can never bite, and limits that let nothing through.

use creditbank_domain::Category;
use creditbank_domain::rules::{Base, Course, Form, Limit, Maximum, Programme, SubjectMatch};

use super::Desk;
use super::relate::{categories, meet};
use crate::finding::code;
use crate::words::words;

/// A whole in basis points.
const WHOLE_BP: u64 = 10_000;

pub(super) fn check(desk: &mut Desk<'_>) {
    let set = desk.set;
    for limit in &set.limits {
        counts_something(desk, limit);
        let programmes: Vec<&Programme> = set
            .programmes
            .iter()
            .filter(|it| meet(&limit.scope.programmes, std::slice::from_ref(&it.id)))
            .collect();
        if !programmes.is_empty() {
            knows_subjects(desk, limit, &programmes);
            never_bites(desk, limit, &programmes);
            lets_nothing_through(desk, limit, &programmes);
        }
    }
}

/// A scope of rules that grant nothing, or of tags and electives that no programme has.
fn counts_something(desk: &mut Desk<'_>, limit: &Limit) {
    let set = desk.set;
    let scope = &limit.scope;
    let grants = |id: &String| {
        let mut versions = set.rules.iter().filter(|rule| rule.id == *id);
        versions.any(|rule| rule.form != Form::NoCredit)
    };
    if !scope.rules.is_empty() && !scope.rules.iter().any(grants) {
        let message = words!(
            "rules 中的规则都不给学分，此限额永不起作用",
            "none of the rules it names gives credit: the limit never bites"
        );
        desk.warn(code::LIMIT_IDLE, limit.place, message);
    }
    let programmes = || {
        let all = set.programmes.iter();
        all.filter(|it| meet(&scope.programmes, std::slice::from_ref(&it.id)))
    };
    for tag in &scope.tags {
        let mut courses = programmes().flat_map(courses_of);
        if !courses.any(|course| course.tags.contains(tag)) {
            let message = words!("没有课程带标签 {tag}", "no course carries the tag {tag}");
            desk.warn(code::LIMIT_IDLE, limit.place, message);
        }
    }
    let mut modules = programmes().flat_map(|it| &it.modules);
    if scope.electives_only && !modules.any(|module| module.unassigned) {
        let message = words!(
            "electives_only，但没有专业教学计划有 unassigned = true 的模块",
            "electives_only, but no programme has a module with unassigned = true"
        );
        desk.warn(code::LIMIT_IDLE, limit.place, message);
    }
}

/// A limit that looks at the major: of outcomes that have one, and of programmes that say what theirs is called.
fn knows_subjects(desk: &mut Desk<'_>, limit: &Limit, programmes: &[&Programme]) {
    let Some(subject) = limit.scope.subject else {
        return;
    };
    let possible = categories(&limit.scope.selector);
    if subject == SubjectMatch::Same && !possible.contains(&Category::DegreeCourse) {
        let message = words!(
            "subject = \"same\" 只有 degree-course 的成果能满足，select 选的是别的类别",
            "subject = \"same\" is met by degree courses alone, and select names other categories"
        );
        desk.error(code::UNREACHABLE, limit.place, message);
    }
    for programme in programmes.iter().filter(|it| it.subject_names.is_empty()) {
        let id = &programme.id;
        let message = words!(
            "此限额按专业区分，但专业教学计划 {id} 没有 subject_names，说不出哪些专业名称算相同",
            "this limit looks at the major, but programme {id} has no subject_names to say which are the same"
        );
        desk.warn(code::SUBJECT_UNNAMED, limit.place, message);
    }
}

/// A limit at or above everything that there is.
fn never_bites(desk: &mut Desk<'_>, limit: &Limit, programmes: &[&Programme]) {
    let is_idle = |programme: &&Programme| match limit.max {
        Maximum::Credits(credits) => credits >= programme.total,
        Maximum::Courses(count) => usize::from(count) >= courses_of(programme).count(),
        Maximum::Outcomes(_) => false,
        Maximum::CreditShare { basis_points, of } => {
            u64::from(basis_points) >= WHOLE_BP && of == Base::Programme
        }
        Maximum::CourseShare { basis_points, .. } => u64::from(basis_points) >= WHOLE_BP,
    };
    if programmes.iter().all(is_idle) {
        let message = words!(
            "限额不小于专业教学计划的总量，永不起作用",
            "the limit is not below the whole programme, so it never bites"
        );
        desk.warn(code::LIMIT_IDLE, limit.place, message);
    }
}

fn lets_nothing_through(desk: &mut Desk<'_>, limit: &Limit, programmes: &[&Programme]) {
    let unit = desk.set.rounding.unit;
    let closes = |programme: &Programme| match limit.max {
        Maximum::Credits(max) => is_closed(u64::from(max.hundredths()), limit, programme, unit),
        Maximum::CreditShare { basis_points, of } => {
            let base: u64 = match of {
                Base::Programme => programme.total.hundredths().into(),
                Base::Scope => {
                    let courses = courses_of(programme).filter(|it| is_in_scope(limit, it));
                    courses.map(|it| u64::from(it.credits.hundredths())).sum()
                }
            };
            let max = base * u64::from(basis_points) / WHOLE_BP;
            base > 0 && is_closed(max, limit, programme, unit)
        }
        Maximum::CourseShare { basis_points, of } => {
            let courses = courses_of(programme);
            let base = courses
                .filter(|it| of == Base::Programme || is_in_scope(limit, it))
                .count();
            base > 0 && (base as u64 * u64::from(basis_points)) < WHOLE_BP
        }
        Maximum::Courses(count) | Maximum::Outcomes(count) => count == 0,
    };
    for programme in programmes.iter().filter(|it| closes(it)) {
        let id = &programme.id;
        let message = words!(
            "此限额在专业教学计划 {id} 中什么也不让通过",
            "in programme {id} this limit lets nothing through"
        );
        desk.warn(code::LIMIT_CLOSED, limit.place, message);
    }
}

/// Whether so many hundredths are less than the smallest credit that could be given.
fn is_closed(
    max: u64,
    limit: &Limit,
    programme: &Programme,
    unit: creditbank_domain::Credit,
) -> bool {
    let courses = courses_of(programme).filter(|it| is_in_scope(limit, it));
    let smallest = courses.map(|it| u64::from(it.credits.hundredths())).min();
    let below_unit = max < u64::from(unit.hundredths());
    let below_courses = smallest.is_none_or(|smallest| max < smallest);
    below_unit && (limit.scope.electives_only || below_courses)
}

fn is_in_scope(limit: &Limit, course: &Course) -> bool {
    !limit.scope.except_course_kinds.contains(&course.kind)
        && meet_tags(&limit.scope.tags, &course.tags)
}

fn meet_tags(wanted: &[String], tags: &[String]) -> bool {
    wanted.is_empty() || tags.iter().any(|tag| wanted.contains(tag))
}

fn courses_of(programme: &Programme) -> impl Iterator<Item = &Course> {
    programme.modules.iter().flat_map(|module| &module.courses)
}
