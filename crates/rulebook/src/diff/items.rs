//! Everything that a set has, as items with fields in words.

use creditbank_domain::points::Earns;
use creditbank_domain::rules::{
    Agreement, Base, Course, DatedBy, Dimension, Excess, Framework, FrameworkLevel, Limit, Maximum,
    Minimum, Module, ModuleKind, Period, Place, Process, Programme, RuleSet, SubjectMatch, Wording,
};
use creditbank_domain::standard::{Standard, WalkStandard};

use super::facts::{Facts, Item, both, period, written};
use super::rule;
use crate::names::hundredths_text;
use crate::read::{EXCESSES, MODULE_KINDS, ROUNDING_MODES};
use crate::words::{same, words};

/// The items of a set, in the order of their subjects and ids.
pub(super) fn items(set: &RuleSet) -> Vec<Item> {
    let mut items = vec![
        head(set),
        framework(set),
        abbreviations(set),
        process(set),
        calendar(set),
    ];
    items.extend(documents(set));
    items.extend(set.origins.iter().map(|it| {
        let mut facts = Facts::default();
        rule::selector(&mut facts, "", &it.selector);
        Item {
            title: it.title.clone(),
            facts: facts.0,
            ..Item::new(set, 6, "origin", &it.id, it.place)
        }
    }));
    items.extend(set.wholes.iter().map(|it| {
        let mut facts = Facts::default();
        facts.list("parts", ("部分", "parts"), &it.parts, |part| {
            same(part.clone())
        });
        facts.text("clause", ("条款", "clause"), &it.clause);
        Item {
            facts: facts.0,
            ..Item::new(set, 7, "whole", &it.whole, it.place)
        }
    }));
    items.extend(set.agreements.iter().flat_map(|it| agreement(set, it)));
    items.extend(set.programmes.iter().map(|it| programme(set, it)));
    items.extend(set.rules.iter().map(|it| Item {
        title: it.title.clone(),
        period: it.effective,
        by_completion: it.dated_by == DatedBy::Completion,
        facts: rule::facts(it).0,
        ..Item::new(set, 10, "rule", &it.id, it.place)
    }));
    items.extend(set.limits.iter().map(|it| limit(set, it)));
    items.extend(set.standards.iter().map(|it| standard(set, it)));
    items.extend(earning(set));
    items.sort_by(|a, b| (a.key(), a.period.from).cmp(&(b.key(), b.period.from)));
    items
}

/// Something that a set has once.
fn single(
    set: &RuleSet,
    rank: u8,
    subject: &'static str,
    title: (&str, &str),
    facts: Facts,
) -> Item {
    Item {
        title: both(title),
        facts: facts.0,
        ..Item::new(set, rank, subject, "", Place::default())
    }
}

fn head(set: &RuleSet) -> Item {
    let mut facts = Facts::default();
    facts.plain("id", ("标识", "id"), &set.id);
    facts.plain("version", ("版本", "version"), &set.version);
    facts.add("title", both(("名称", "title")), set.title.clone());
    facts.add(
        "effective",
        both(("生效期", "period")),
        period(set.effective),
    );
    facts.plain(
        "rounding.unit",
        ("取整单位", "rounding unit"),
        set.rounding.unit,
    );
    let mode = written(&ROUNDING_MODES, &set.rounding.mode);
    facts.plain("rounding.mode", ("取整方式", "rounding mode"), mode);
    single(set, 0, "set", ("规则集", "rule set"), facts)
}

fn framework(set: &RuleSet) -> Item {
    let Framework {
        levels,
        skills,
        stages,
        printed,
    } = &set.framework;
    let mut facts = Facts::default();
    for (level, title) in levels {
        let number = level.number();
        let label = words!("等级 {number}", "level {number}");
        facts.add(format!("levels.{number}"), label, title.clone());
    }
    let mut row = |key: String, label: Wording, level: FrameworkLevel| {
        let number = level.number();
        facts.add(key, label, words!("等级 {number}", "level {number}"));
    };
    for (skill, level) in skills {
        row(
            format!("skills.{skill}"),
            both((skill.label_zh(), skill.code())),
            *level,
        );
    }
    for (stage, level) in stages {
        row(
            format!("stages.{stage}"),
            both((stage.label_zh(), stage.code())),
            *level,
        );
    }
    for (text, level) in printed {
        row(format!("printed.{text}"), same(text.clone()), *level);
    }
    single(set, 1, "framework", ("资历框架", "framework"), facts)
}

fn abbreviations(set: &RuleSet) -> Item {
    let mut facts = Facts::default();
    for (short, long) in &set.abbreviations {
        facts.add(short.clone(), same(short.clone()), same(long.clone()));
    }
    single(set, 2, "abbreviations", ("简称", "abbreviations"), facts)
}

fn process(set: &RuleSet) -> Item {
    let Process {
        accept_days,
        review_days,
        notice_days,
        appeal_days,
        panel_catalogued,
        panel_uncatalogued,
        panel_standard,
        clause,
    } = &set.process;
    let mut facts = Facts::default();
    let mut days = |key: &str, label: (&str, &str), days: u16| {
        facts.add(
            key,
            both(label),
            words!("{days} 个工作日", "{days} working days"),
        );
    };
    days("accept_days", ("受理时限", "to accept"), *accept_days);
    days("review_days", ("评审时限", "to review"), *review_days);
    days("notice_days", ("公示期", "public notice"), *notice_days);
    days("appeal_days", ("申诉期", "to appeal"), *appeal_days);
    let mut panel = |key: &str, label: (&str, &str), count: u8| {
        facts.add(key, both(label), words!("{count} 人", "{count} reviewers"));
    };
    let catalogued = ("目录内成果评审", "panel for catalogued outcomes");
    panel("panel_catalogued", catalogued, *panel_catalogued);
    let uncatalogued = ("目录外成果评审", "panel for uncatalogued outcomes");
    panel("panel_uncatalogued", uncatalogued, *panel_uncatalogued);
    panel(
        "panel_standard",
        ("标准评审", "panel for standards"),
        *panel_standard,
    );
    facts.text("clause", ("条款", "clause"), clause);
    single(set, 3, "process", ("办理流程", "process"), facts)
}

fn calendar(set: &RuleSet) -> Item {
    let mut facts = Facts::default();
    for day in &set.calendar.holidays {
        facts.add(
            day.to_string(),
            same(day.to_string()),
            words!("休息", "off"),
        );
    }
    for day in &set.calendar.workdays {
        facts.add(
            day.to_string(),
            same(day.to_string()),
            words!("上班", "worked"),
        );
    }
    facts.option(
        "covers_to",
        ("日历截至", "covers to"),
        set.calendar.covers_to,
    );
    single(set, 4, "calendar", ("日历", "calendar"), facts)
}

fn documents(set: &RuleSet) -> impl Iterator<Item = Item> {
    (0..).zip(&set.documents).map(move |(number, it)| {
        let mut facts = Facts::default();
        facts.add("title", both(("名称", "title")), it.title.clone());
        facts.text("source", ("依据", "source"), &it.source);
        let place = Place {
            document: number,
            line: 1,
        };
        Item {
            facts: facts.0,
            ..Item::new(set, 5, "document", &it.name, place)
        }
    })
}

/// An agreement, once for each of its versions: they are in force one after the other.
fn agreement(set: &RuleSet, it: &Agreement) -> Vec<Item> {
    let version = |(version, days): &(String, Period)| {
        let mut facts = Facts::default();
        facts.add("title", both(("名称", "title")), it.title.clone());
        facts.plain("version", ("版本", "version"), version);
        facts.plain("from", ("来源地", "from"), &it.from);
        facts.plain("to", ("接收地", "to"), &it.to);
        facts.flag("mutual", ("双向", "both ways"), it.mutual);
        facts.list(
            "categories",
            ("类别", "categories"),
            &it.categories,
            |it| both((it.label_zh(), it.label_en())),
        );
        facts.text("clause", ("条款", "clause"), &it.clause);
        Item {
            title: it.title.clone(),
            period: *days,
            by_completion: true,
            facts: facts.0,
            ..Item::new(set, 8, "agreement", &it.id, it.place)
        }
    };
    it.versions.iter().map(version).collect()
}

fn programme(set: &RuleSet, it: &Programme) -> Item {
    let mut facts = Facts::default();
    facts.add("title", both(("名称", "title")), it.title.clone());
    facts.plain("institution", ("院校", "institution"), &it.institution);
    facts.text("region", ("所在地", "region"), &it.region);
    facts.plain("kind", ("类型", "kind"), rule::kind(it.kind));
    facts.plain("level", ("等级", "level"), it.level.number());
    facts.text("subject", ("专业代码", "subject"), &it.subject);
    facts.list(
        "subject_names",
        ("专业名称", "names of the subject"),
        &it.subject_names,
        |name| same(name.clone()),
    );
    facts.plain("total", ("总学分", "total credits"), it.total);
    facts.plain("residency", ("在校学分", "residency"), it.residency);
    if let Some((level, credits)) = it.at_level {
        let level = level.number();
        let value = words!(
            "等级 {level} 以上 {credits} 学分",
            "{credits} credits at level {level} or above"
        );
        facts.add("at_level", both(("等级要求", "at level")), value);
    }
    for minimum in &it.minima {
        minimum_facts(&mut facts, minimum);
    }
    facts.text("clause", ("条款", "clause"), &it.clause);
    for module in &it.modules {
        module_facts(&mut facts, module);
    }
    Item {
        title: it.title.clone(),
        period: it.effective,
        facts: facts.0,
        ..Item::new(set, 9, "programme", &it.id, it.place)
    }
}

fn minimum_facts(facts: &mut Facts, it: &Minimum) {
    let (id, credits) = (&it.id, it.credits);
    let value = Wording {
        zh: format!("{}，至少 {credits} 学分", it.title.zh),
        en: format!("{}, at least {credits} credits", it.title.en),
    };
    facts.add(
        format!("minimum.{id}"),
        words!("下限 {id}", "minimum {id}"),
        value,
    );
    rule::selector(facts, &format!("minimum.{id}."), &it.selector);
}

fn module_facts(facts: &mut Facts, it: &Module) {
    let id = &it.id;
    let kind = match it.kind {
        ModuleKind::Required => "必修",
        ModuleKind::Elective => "选修",
    };
    let (min, written) = (it.min, written(&MODULE_KINDS, &it.kind));
    let (max_zh, max_en) = it.max.map_or_else(Default::default, |max| {
        (
            format!("，最多 {max} 学分"),
            format!(", at most {max} credits"),
        )
    });
    let (free_zh, free_en) = match it.unassigned {
        true => ("，可容纳不对应课程的学分", ", may hold unassigned credit"),
        false => ("", ""),
    };
    let value = words!(
        "{kind}，至少 {min} 学分{max_zh}{free_zh}",
        "{written}, at least {min} credits{max_en}{free_en}"
    );
    facts.add(
        format!("module.{id}"),
        words!("模块 {id}", "module {id}"),
        value,
    );
    for Course {
        code,
        name,
        credits,
        kind,
        tags,
    } in &it.courses
    {
        let (kind, tags) = (rule::course_kind(*kind), tags.join(" "));
        let value = Wording {
            zh: format!("{name}，{credits} 学分，{}，模块 {id} {tags}", kind.zh)
                .trim_end()
                .to_owned(),
            en: format!("{name}, {credits} credits, {}, module {id} {tags}", kind.en)
                .trim_end()
                .to_owned(),
        };
        facts.add(
            format!("course.{code}"),
            words!("课程 {code}", "course {code}"),
            value,
        );
    }
}

fn limit(set: &RuleSet, it: &Limit) -> Item {
    let mut facts = Facts::default();
    let text = |value: &String| same(value.clone());
    facts.add("title", both(("名称", "title")), it.title.clone());
    facts.text("clause", ("条款", "clause"), &it.clause);
    facts.add("max", both(("上限", "limit")), maximum(&it.max));
    facts.list("per", ("分别计算", "for each"), &it.per, |it| {
        dimension(*it)
    });
    facts.add("excess", both(("超出时", "beyond it")), {
        let written = written(&EXCESSES, &it.excess);
        match it.excess {
            Excess::Trim => words!("截去超出部分", "{written}"),
            Excess::Refuse => words!("整项拒绝", "{written}"),
        }
    });
    let scope = &it.scope;
    rule::selector(&mut facts, "", &scope.selector);
    if let Some(subject) = scope.subject {
        let value = match subject {
            SubjectMatch::Same => words!("与专业教学计划相同", "the programme's"),
            SubjectMatch::Other => words!("与专业教学计划不同", "another than the programme's"),
        };
        facts.add("subject", both(("专业", "major")), value);
    }
    facts.list("origins", ("来源", "origins"), &scope.origins, text);
    facts.list("rules", ("规则", "rules"), &scope.rules, text);
    facts.list(
        "programmes",
        ("专业教学计划", "programmes"),
        &scope.programmes,
        text,
    );
    facts.list("tags", ("标签", "tags"), &scope.tags, text);
    facts.list(
        "except_courses",
        ("不计课程", "courses not counted"),
        &scope.except_course_kinds,
        |it| rule::course_kind(*it),
    );
    facts.flag(
        "electives_only",
        ("只计选修学分", "electives only"),
        scope.electives_only,
    );
    Item {
        title: it.title.clone(),
        period: it.effective,
        facts: facts.0,
        ..Item::new(set, 11, "limit", &it.id, it.place)
    }
}

fn dimension(dimension: Dimension) -> Wording {
    match dimension {
        Dimension::Outcome => words!("每项成果", "outcome"),
        Dimension::Achievement => words!("同名成果", "achievement"),
        Dimension::Institution => words!("每个机构", "institution"),
        Dimension::Year { month, day } => {
            words!(
                "每年（{month} 月 {day} 日起）",
                "year from {month:02}-{day:02}"
            )
        }
        Dimension::Semester { month, day } => {
            words!(
                "每半年（{month} 月 {day} 日起）",
                "half-year from {month:02}-{day:02}"
            )
        }
        Dimension::Day => words!("每天", "day"),
        Dimension::Category => words!("每个类别", "category"),
        Dimension::Origin => words!("每个来源", "origin"),
    }
}

fn maximum(max: &Maximum) -> Wording {
    let base = |of: Base| match of {
        Base::Programme => ("专业教学计划", "the programme's"),
        Base::Scope => ("所计课程", "the counted courses'"),
    };
    match *max {
        Maximum::Credits(credits) => words!("{credits} 学分", "{credits} credits"),
        Maximum::Courses(count) => words!("{count} 门课程", "{count} courses"),
        Maximum::Outcomes(count) => words!("{count} 项成果", "{count} outcomes"),
        Maximum::CreditShare { basis_points, of } => {
            let ((zh, en), share) = (base(of), hundredths_text(basis_points.into()));
            words!("{zh}学分的 {share}%", "{share}% of {en} credits")
        }
        Maximum::CourseShare { basis_points, of } => {
            let ((zh, en), share) = (base(of), hundredths_text(basis_points.into()));
            words!("{zh}门数的 {share}%", "{share}% of {en} number")
        }
    }
}

fn standard(set: &RuleSet, it: &Standard) -> Item {
    let mut facts = Facts::default();
    facts.add("title", both(("名称", "title")), it.title.clone());
    facts.text("clause", ("条款", "clause"), &it.clause);
    facts.list(
        "categories",
        ("类别", "categories"),
        &it.categories,
        |it| both((it.label_zh(), it.label_en())),
    );
    facts.option(
        "level",
        ("等级", "level"),
        it.level.map(FrameworkLevel::number),
    );
    facts.flag(
        "catalogued",
        ("列入目录", "in the catalogue"),
        it.catalogued,
    );
    facts.option("min_hours", ("最少学时", "least hours"), it.min_hours);
    facts.option("max_hours", ("最多学时", "most hours"), it.max_hours);
    facts.share(
        "min_attendance",
        ("最低出勤率", "least attendance"),
        it.min_attendance_bp,
    );
    if let Some(years) = it.deposit_within_years {
        let value = words!("{years} 年内", "within {years} years");
        facts.add("deposit_within_years", both(("存入期限", "deposit")), value);
    }
    facts.list(
        "evidence",
        ("佐证材料", "evidence"),
        &it.evidence,
        |it| both((it.label_zh(), it.code())),
    );
    facts.flag(
        "two_attestors",
        ("双方签章", "attested by two"),
        it.two_attestors,
    );
    facts.flag(
        "pass_required",
        ("须合格", "pass required"),
        it.pass_required,
    );
    if let Some(walk) = &it.walk {
        walk_facts(&mut facts, walk);
    }
    Item {
        title: it.title.clone(),
        period: it.effective,
        by_completion: true,
        facts: facts.0,
        ..Item::new(
            set,
            12,
            "standard",
            &format!("{} {}", it.id, it.version),
            it.place,
        )
    }
}

fn walk_facts(facts: &mut Facts, walk: &WalkStandard) {
    facts.plain(
        "walk.min_points",
        ("最少学习点", "least points"),
        walk.min_points,
    );
    facts.plain(
        "walk.window_days",
        ("期限（天）", "window in days"),
        walk.window_days,
    );
    let gap = ("两点间隔（分钟）", "minutes between points");
    facts.plain("walk.min_gap_minutes", gap, walk.min_gap_minutes);
    facts.plain("walk.hours", ("每次学时", "hours a walk"), walk.hours);
    facts.plain(
        "walk.day_hours_max",
        ("每日学时上限", "hours a day at most"),
        walk.day_hours_max,
    );
}

fn earning(set: &RuleSet) -> impl Iterator<Item = Item> {
    let rules = set.earning.iter().map(move |it| {
        let mut facts = Facts::default();
        facts.add("title", both(("名称", "title")), it.title.clone());
        facts.text("clause", ("条款", "clause"), &it.clause);
        rule::selector(&mut facts, "", &it.selector);
        facts.add("earns", both(("所得", "earns")), earns(it.earns));
        facts.option("day_max", ("每日上限", "most a day"), it.day_max);
        facts.option(
            "expires_months",
            ("有效月数", "expires after months"),
            it.expires_months,
        );
        Item {
            title: it.title.clone(),
            period: it.effective,
            by_completion: true,
            facts: facts.0,
            ..Item::new(set, 13, "earning", &it.id, it.place)
        }
    });
    let honours = set.honours.iter().map(move |it| {
        let mut facts = Facts::default();
        facts.add("title", both(("名称", "title")), it.title.clone());
        facts.text("clause", ("条款", "clause"), &it.clause);
        facts.plain("min_points", ("所需积分", "points needed"), it.min_points);
        Item {
            title: it.title.clone(),
            facts: facts.0,
            ..Item::new(set, 14, "honour", &it.id, it.place)
        }
    });
    rules.chain(honours)
}

fn earns(earns: Earns) -> Wording {
    match earns {
        Earns::PerHours { hours, points } => {
            words!(
                "每 {hours} 学时 {points} 分",
                "{points} points for {hours} hours"
            )
        }
        Earns::PerAttendance(points) => {
            words!("每次出勤 {points} 分", "{points} points a session")
        }
        Earns::PerOutcome(points) => {
            words!("每项成果 {points} 分", "{points} points an outcome")
        }
    }
}
