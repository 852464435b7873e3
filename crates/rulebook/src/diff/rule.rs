//! Rules and selectors as fields in words.

use creditbank_domain::rules::{
    Amount, Conditions, CourseKind, GradeFloor, GradeRecord, Grant, LevelFloor, ProgrammeKind,
    Review, Rule, Selector, TargetPlace, Wording,
};

use super::facts::{Facts, both, join, period, written};
use crate::read::{DATED_BY, FORMS, five_level_code};
use crate::words::{same, words};

/// What a rule says.
pub(super) fn facts(rule: &Rule) -> Facts {
    let mut facts = Facts::default();
    facts.add("title", both(("名称", "title")), rule.title.clone());
    facts.text("clause", ("条款", "clause"), &rule.clause);
    facts.plain("form", ("形式", "form"), written(&FORMS, &rule.form));
    facts.plain(
        "dated_by",
        ("以何日为准", "dated by"),
        written(&DATED_BY, &rule.dated_by),
    );
    facts.add("review", both(("评审", "review")), review(rule.review));
    facts.flag(
        "exclusive",
        ("只用于一个目的", "serves no other purpose"),
        rule.exclusive,
    );
    let single = rule.slots.len() == 1;
    for (number, slot) in (1..).zip(&rule.slots) {
        let prefix = if single {
            String::new()
        } else {
            format!("slot[{number}].")
        };
        selector(&mut facts, &prefix, &slot.selector);
        floors(&mut facts, &format!("{prefix}min_grade"), &slot.min_grade);
    }
    if !single {
        facts.plain("need", ("须满足的来源数", "sources needed"), rule.need);
    }
    conditions(&mut facts, &rule.conditions);
    grant(&mut facts, &rule.grant);
    grade(&mut facts, rule);
    facts
}

fn review(review: Review) -> Wording {
    both(match review {
        Review::None => ("不须评审", "none"),
        Review::Catalogued => ("目录内成果评审", "panel for catalogued outcomes"),
        Review::Uncatalogued => ("目录外成果评审", "panel for uncatalogued outcomes"),
    })
}

/// What a selector asks for; `prefix` names the slot.
pub(super) fn selector(facts: &mut Facts, prefix: &str, it: &Selector) {
    let text = |value: &String| same(value.clone());
    let key = |name: &str| format!("{prefix}select.{name}");
    facts.list(
        &key("category"),
        ("类别", "category"),
        &it.categories,
        |it| both((it.label_zh(), it.label_en())),
    );
    facts.list(
        &key("achievement"),
        ("成果", "achievement"),
        &it.achievements,
        text,
    );
    facts.list(
        &key("institution"),
        ("机构", "institution"),
        &it.institutions,
        |it| same(it.to_string()),
    );
    facts.list(&key("region"), ("地区", "region"), &it.regions, text);
    facts.list(
        &key("occupation"),
        ("职业", "occupation"),
        &it.occupations,
        |it| Wording {
            zh: it.name().to_owned(),
            en: it.to_string(),
        },
    );
    facts.list(
        &key("skill_level"),
        ("技能等级", "skill level"),
        &it.skill_levels,
        |it| both((it.label_zh(), it.code())),
    );
    facts.list(
        &key("printed_level"),
        ("证书等级", "printed level"),
        &it.printed_levels,
        text,
    );
    facts.list(&key("stage"), ("教育层次", "stage"), &it.stages, |it| {
        both((it.label_zh(), it.code()))
    });
    facts.option(&key("graduated"), ("毕业", "graduated"), it.graduated);
    facts.list(&key("project"), ("项目", "project"), &it.projects, text);
    facts.list(
        &key("standard"),
        ("单元标准", "standard"),
        &it.standards,
        text,
    );
    facts.option(
        &key("x_certificate"),
        ("1+X 证书", "X-certificate"),
        it.x_certificate,
    );
}

/// Least grades, a field each scheme.
fn floors(facts: &mut Facts, key: &str, floors: &[GradeFloor]) {
    for floor in floors {
        let (scheme, value) = floor_words(floor);
        let key = format!("{key}.{scheme}");
        facts.add(key, both(("最低成绩", "least grade")), value);
    }
}

/// A least grade: its scheme, and the grade in words.
pub(super) fn floor_words(floor: &GradeFloor) -> (&'static str, Wording) {
    match floor {
        GradeFloor::Percentage(it) => {
            let grade = crate::names::hundredths_text(it.hundredths().into());
            ("percentage", words!("{grade} 分", "{grade} %"))
        }
        GradeFloor::FiveLevel(level) => (
            "five-level",
            Wording {
                zh: level.label_zh().to_owned(),
                en: five_level_code(*level).to_owned(),
            },
        ),
        GradeFloor::Pass => ("pass", words!("合格", "pass")),
        GradeFloor::Points(scale, points) => {
            let (points, id) = (crate::names::hundredths_text((*points).into()), scale.id());
            (id, words!("{points} 分（{id}）", "{points} points ({id})"))
        }
    }
}

fn conditions(facts: &mut Facts, it: &Conditions) {
    floors(facts, "when.min_grade", &it.min_grade);
    match it.min_level {
        LevelFloor::Any => {}
        LevelFloor::AtLeast(level) => {
            facts.plain("when.level", ("最低等级", "least level"), level.number());
        }
        LevelFloor::Programme => facts.add(
            "when.level",
            both(("最低等级", "least level")),
            words!("不低于专业教学计划", "not below the programme's"),
        ),
    }
    if let Some(years) = it.valid_years {
        let value = words!("{years} 年", "{years} years");
        facts.add("when.valid_years", both(("有效期", "valid for")), value);
    }
    if it.completed != Default::default() {
        facts.add(
            "when.completed",
            both(("取得日期", "completed")),
            period(it.completed),
        );
    }
    facts.option(
        "when.agreement",
        ("协议", "agreement"),
        it.agreement.as_deref(),
    );
    facts.share(
        "when.min_attendance",
        ("最低出勤率", "least attendance"),
        it.min_attendance_bp,
    );
    facts.option("when.min_hours", ("最少学时", "least hours"), it.min_hours);
    facts.option(
        "when.min_credits",
        ("最少学分", "least credits of the source"),
        it.min_credits,
    );
    facts.flag(
        "when.credits_not_below_target",
        ("学分不低于目标课程", "credits not below the target's"),
        it.credits_not_below_target,
    );
    facts.flag(
        "when.two_attestors",
        ("双方签章", "attested by two"),
        it.two_attestors,
    );
    facts.flag(
        "when.by_assessment",
        ("须经考核", "by assessment"),
        it.by_assessment,
    );
    programme_conditions(facts, it);
}

/// What a rule asks of programmes and their courses.
fn programme_conditions(facts: &mut Facts, it: &Conditions) {
    let text = |value: &String| same(value.clone());
    facts.list(
        "when.programmes",
        ("专业教学计划", "programmes"),
        &it.programmes,
        text,
    );
    facts.option(
        "when.programme_kind",
        ("计划类型", "kind of programme"),
        it.programme_kind.map(kind),
    );
    facts.list(
        "when.except_subjects",
        ("排除专业", "subjects left out"),
        &it.except_subjects,
        text,
    );
    facts.list(
        "when.except_courses",
        ("排除课程", "courses left out"),
        &it.except_course_kinds,
        |it| course_kind(*it),
    );
    facts.list("when.only_tags", ("只限标签", "tags"), &it.only_tags, text);
    facts.flag(
        "when.required_only",
        ("只限必修课", "required courses only"),
        it.required_only,
    );
}

/// A kind of programme as it is written.
pub(super) fn kind(kind: ProgrammeKind) -> &'static str {
    match kind {
        ProgrammeKind::Degree => "degree",
        ProgrammeKind::NonDegree => "non-degree",
    }
}

/// A kind of course in words.
pub(super) fn course_kind(kind: CourseKind) -> Wording {
    both(match kind {
        CourseKind::Theory => ("理论课", "theory"),
        CourseKind::Practice => ("实践环节", "practice"),
        CourseKind::Thesis => ("毕业论文（设计）", "thesis"),
    })
}

fn grant(facts: &mut Facts, it: &Grant) {
    for (index, target) in it.targets.iter().enumerate() {
        let place = place(&target.to);
        let before = it.targets[..index]
            .iter()
            .filter(|other| other.to == target.to)
            .count();
        let key = match before {
            0 => format!("grant.{}", crate::names::place_text(&target.to)),
            count => format!(
                "grant.{} ({})",
                crate::names::place_text(&target.to),
                count + 1
            ),
        };
        let label = Wording {
            zh: format!("给 {}", place.zh),
            en: format!("credit for {}", place.en),
        };
        facts.add(key, label, amount(&target.amount));
    }
    if usize::from(it.pick) < it.targets.len() {
        facts.plain("pick", ("任选", "pick"), it.pick);
    }
    facts.flag(
        "remainder",
        ("余下学分转为选修", "the remainder becomes electives"),
        it.remainder_to_electives,
    );
    facts.flag(
        "not_above_source",
        ("合计不超过来源学分", "together not above the source"),
        it.not_above_source,
    );
}

fn place(place: &TargetPlace) -> Wording {
    match place {
        TargetPlace::Course(key) => words!("课程 {key}", "course {key}"),
        TargetPlace::SameCourse => words!("同名课程", "the same course"),
        TargetPlace::Tagged(tag) => words!("带标签 {tag} 的课程", "a course tagged {tag}"),
        TargetPlace::Electives => words!("选修学分", "electives"),
        TargetPlace::Module(id) => words!("模块 {id}", "module {id}"),
    }
}

fn amount(amount: &Amount) -> Wording {
    match amount {
        Amount::Target => words!("目标课程的学分", "the course's credits"),
        Amount::Source => words!("来源的学分", "the source's credits"),
        Amount::Fixed(credits) => words!("{credits} 学分", "{credits} credits"),
        Amount::PerHours(hours) => words!("每 {hours} 学时 1 学分", "1 credit for {hours} hours"),
        Amount::Ratio {
            numerator,
            denominator,
        } => words!(
            "来源 {denominator} 学分折 {numerator} 学分",
            "{numerator} credits for {denominator} of the source's"
        ),
    }
}

fn grade(facts: &mut Facts, rule: &Rule) {
    let value = match &rule.grade.record {
        GradeRecord::None => words!("不记成绩", "none"),
        GradeRecord::Exempt => words!("免考", "exempt"),
        GradeRecord::Source => words!("原成绩", "the source's"),
        GradeRecord::Table(rows) => join(rows.iter().map(|(floor, to)| {
            let (scheme, from) = floor_words(floor);
            let to = crate::names::hundredths_text(to.hundredths().into());
            Wording {
                zh: format!("{scheme} {} 以上记 {to}", from.zh),
                en: format!("{scheme} {} or better becomes {to}", from.en),
            }
        })),
    };
    facts.add("grade.record", both(("记录成绩", "recorded grade")), value);
    let ceiling = rule
        .grade
        .ceiling
        .map(|it| crate::names::hundredths_text(it.hundredths().into()));
    facts.option("grade.ceiling", ("成绩上限", "grade at most"), ceiling);
}
