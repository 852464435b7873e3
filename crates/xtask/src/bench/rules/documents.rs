//! The rule set of the bench, as documents that a policy officer could have written: twelve programmes of 48 courses and
//! a thousand rules of every form but one, under the limits that real banks have.
//!
//! Rules about something that no learner has are the same rules over again, about other achievements.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, ensure};
use creditbank_domain::rules::{Rule, RuleSet, Selector, TargetPlace};
use creditbank_rulebook::{Source, read};

/// Programmes of the set.
pub(super) const PROGRAMMES: usize = 12;
/// Courses of a programme.
pub(super) const COURSES: usize = 48;
/// Of which courses that rules grant credit for.
pub(super) const COURSES_IN_RULES: usize = 40;
/// Rules of the set.
pub(super) const RULES: usize = 1_000;

/// What programmes are of, and the first part of the names of their courses.
const SUBJECTS: [&str; PROGRAMMES] = [
    "会计", "护理", "电工", "物流", "旅游", "园艺", "机械", "软件", "法律", "学前", "养老", "电商",
];
/// A skill that belongs to each subject.
pub(super) const OCCUPATIONS: [&str; PROGRAMMES] = [
    "2-06-03-00",
    "4-14-01-02",
    "6-31-01-03",
    "4-02-06-03",
    "4-07-04-01",
    "4-09-10-01",
    "6-18-01-01",
    "4-04-05-01",
    "2-07-04-00",
    "4-10-01-03",
    "4-10-01-05",
    "4-01-06-01",
];
/// Skill levels that rules tell apart.
pub(super) const LEVELS: [&str; 5] = [
    "elementary",
    "intermediate",
    "advanced",
    "technician",
    "senior-technician",
];
const TOPICS: [&str; 8] = [
    "基础", "原理", "实务", "概论", "应用", "案例", "方法", "管理",
];
const KINDS: [&str; 6] = ["理论", "导读", "专题", "实训", "研究", "史论"];
/// Rules of a document: below the most bytes of one.
const RULES_PER_DOCUMENT: usize = 100;

/// The name of a course of a programme.
pub(super) fn course_name(programme: usize, course: usize) -> String {
    let (topic, kind) = (course % TOPICS.len(), course / TOPICS.len());
    format!("{}{}{}", SUBJECTS[programme], TOPICS[topic], KINDS[kind])
}

/// The name of something that a rule of a programme is about.
pub(super) fn source_name(programme: usize, what: &str, number: usize) -> String {
    format!("{}{what}{}", SUBJECTS[programme], number + 1)
}

/// The code of a self-study paper for a course.
pub(super) fn paper(programme: usize, course: usize) -> String {
    format!("{:05}", 10_000 + programme * 100 + course)
}

/// The set of a thousand rules.
pub(super) fn set() -> Result<RuleSet> {
    let rules = rules();
    ensure!(rules.len() == RULES, "{} rules", rules.len());
    let mut sources = vec![document("base", BASE), document("limits", LIMITS)];
    sources.push(document(
        "programmes",
        &(0..PROGRAMMES).map(programme).collect::<String>(),
    ));
    for (number, rules) in rules.chunks(RULES_PER_DOCUMENT).enumerate() {
        sources.push(document(&format!("rules-{number}"), &rules.concat()));
    }
    read(sources).map_err(|findings| anyhow!("the bench's rules: {:?}", findings.first()))
}

/// A set with `count` rules in all, of which those of `set` alone are about anything that a learner has.
pub(super) fn grown(set: &RuleSet, count: usize) -> RuleSet {
    let mut grown = set.clone();
    for copy in 1.. {
        let left = count.saturating_sub(grown.rules.len());
        if left == 0 {
            break;
        }
        let others = set.rules.iter().filter(|rule| !is_general(rule));
        grown
            .rules
            .extend(others.take(left).map(|rule| another(rule, copy)));
    }
    grown.rules.sort_by(|one, next| one.id.cmp(&next.id));
    grown
}

/// A document with its head.
pub(super) fn document(name: &str, text: &str) -> Source {
    let head = format!("[document]\ntitle = \"{name}\"\nsource = \"made up\"\n\n");
    Source {
        name: format!("{name}.toml"),
        text: head + text,
    }
}

/// Whether a rule is about a whole category: there are few of these, however many rules there are.
fn is_general(rule: &Rule) -> bool {
    let mut slots = rule.slots.iter();
    slots.any(|slot| slot.selector.achievements.is_empty() && slot.selector.occupations.is_empty())
}

fn another(rule: &Rule, copy: usize) -> Rule {
    let mut other = rule.clone();
    other.id = format!("{}-{copy:03}", rule.id);
    for slot in &mut other.slots {
        let selector: &mut Selector = &mut slot.selector;
        selector.occupations.clear();
        if selector.achievements.is_empty() {
            selector.achievements.push(rule.id.clone());
        }
        for name in &mut selector.achievements {
            write!(name, "另{copy}").expect("a string");
        }
    }
    for target in &mut other.grant.targets {
        if let TargetPlace::Course(name) = &mut target.to {
            write!(name, "另{copy}").expect("a string");
        }
    }
    other
}

fn programme(number: usize) -> String {
    let course = |at: usize| {
        let (name, credits) = (course_name(number, at), 2 + at % 3);
        let more = match at {
            10..30 => ", tags = [\"核心\"]",
            36 => ", kind = \"practice\"",
            37 => ", kind = \"thesis\"",
            _ => "",
        };
        format!(
            "  {{ code = \"{number:02}{at:02}\", name = \"{name}\", credits = \"{credits}\"{more} }},\n"
        )
    };
    let courses = |places: std::ops::Range<usize>| places.map(course).collect::<String>();
    format!(
        r#"[[programme]]
id = "programme-{number}"
title = "{subject}"
institution = "open-university"
region = "31"
kind = "degree"
level = 5
subject = "52{number:02}"
total = "120"
residency = "30"
clause = "plan"

[[programme.module]]
id = "major"
title = "专业"
kind = "required"
min = "90"
courses = [
{major}]

[[programme.module]]
id = "choice"
title = "任选"
kind = "elective"
min = "6"
courses = [
{choice}]

[[programme.module]]
id = "free"
title = "通识"
kind = "elective"
min = "0"
max = "20"
unassigned = true

"#,
        subject = SUBJECTS[number],
        major = courses(0..38),
        choice = courses(38..COURSES),
    )
}

fn rules() -> Vec<String> {
    let of_programmes = (0..PROGRAMMES).flat_map(rules_of);
    of_programmes.chain(general_rules()).collect()
}

fn rules_of(programme: usize) -> impl Iterator<Item = String> {
    let each = |count: usize, rule: fn(usize, usize) -> String| {
        (0..count).map(move |number| rule(programme, number))
    };
    each(COURSES_IN_RULES, course_rule)
        .chain(each(10, paper_rule))
        .chain(each(5, skill_rule))
        .chain(each(5, test_rule))
        .chain(each(5, large_course_rule))
        .chain(each(5, parts_rule))
        .chain(each(5, hours_rule))
        .chain(each(3, conversion_rule))
        .chain(each(2, block_rule))
        .chain(each(3, nothing_rule))
}

fn course_rule(p: usize, n: usize) -> String {
    let name = course_name(p, n);
    rule(
        &format!("course-{p:02}-{n:02}"),
        &format!(
            r#"form = "course-to-course"
select = {{ category = "degree-course", achievement = "{name}" }}
when = {{ min_grade = {{ percentage = "60", five-level = "pass" }}, valid_years = 8, except_courses = ["practice", "thesis"], credits_not_below_target = true, programmes = ["programme-{p}"] }}
grant = [{{ course = "{name}" }}]
grade = {{ record = "exempt" }}"#
        ),
    )
}

fn paper_rule(p: usize, n: usize) -> String {
    let (paper, name) = (paper(p, n), course_name(p, n));
    rule(
        &format!("paper-{p:02}-{n:02}"),
        &format!(
            r#"form = "course-to-course"
select = {{ category = "self-study-exam", achievement = "{paper}" }}
when = {{ min_grade = {{ percentage = "60" }}, valid_years = 6 }}
grant = [{{ course = "{name}" }}]
grade = {{ record = "source", ceiling = "70" }}"#
        ),
    )
}

fn skill_rule(p: usize, n: usize) -> String {
    let (occupation, level) = (OCCUPATIONS[p], LEVELS[n]);
    let [one, other] = [10 + 2 * n, 11 + 2 * n].map(|course| course_name(p, course));
    rule(
        &format!("skill-{p:02}-{n:02}"),
        &format!(
            r#"form = "certificate-to-courses"
select = {{ category = "skill-certificate", occupation = "{occupation}", skill_level = "{level}" }}
when = {{ level = 3, valid_years = 5, only_tags = ["核心"] }}
grant = [{{ course = "{one}" }}, {{ course = "{other}" }}]
pick = 1
grade = {{ record = "exempt" }}"#
        ),
    )
}

fn test_rule(p: usize, n: usize) -> String {
    let name = source_name(p, "等级考试", n);
    rule(
        &format!("test-{p:02}-{n:02}"),
        &format!(
            r#"form = "certificate-to-credits"
review = "none"
select = {{ category = "skill-certificate", achievement = "{name}" }}
when = {{ valid_years = 6 }}
grant = [{{ electives = true, credits = "3" }}]"#
        ),
    )
}

fn large_course_rule(p: usize, n: usize) -> String {
    let name = source_name(p, "综合课", n);
    let [one, other] = [20 + 2 * n, 21 + 2 * n].map(|course| course_name(p, course));
    rule(
        &format!("large-{p:02}-{n:02}"),
        &format!(
            r#"form = "one-to-many"
select = {{ category = "degree-course", achievement = "{name}" }}
when = {{ min_grade = {{ percentage = "60" }} }}
grant = [{{ course = "{one}" }}, {{ course = "{other}" }}]
remainder = "electives"
grade = {{ record = "source" }}"#
        ),
    )
}

fn parts_rule(p: usize, n: usize) -> String {
    let [one, other] = ["上册", "下册"].map(|part| source_name(p, part, n));
    let course = course_name(p, 30 + n);
    rule(
        &format!("parts-{p:02}-{n:02}"),
        &format!(
            r#"form = "many-to-one"
when = {{ min_grade = {{ percentage = "60" }}, valid_years = 10 }}
grant = [{{ course = "{course}" }}]
grade = {{ record = "source", ceiling = "90" }}

[[rule.slot]]
title = "上册"
select = {{ category = "degree-course", achievement = "{one}" }}

[[rule.slot]]
title = "下册"
select = {{ category = "degree-course", achievement = "{other}" }}"#
        ),
    )
}

fn hours_rule(p: usize, n: usize) -> String {
    let name = source_name(p, "讲座", n);
    rule(
        &format!("hours-{p:02}-{n:02}"),
        &format!(
            r#"form = "hours-to-credits"
review = "none"
select = {{ category = ["elder-course", "community-course"], achievement = "{name}" }}
when = {{ min_attendance = "70%" }}
grant = [{{ electives = true, per_hours = "16" }}]"#
        ),
    )
}

fn conversion_rule(p: usize, n: usize) -> String {
    let [one, other] = [0, 1].map(|more| source_name(p, "选修课", 2 * n + more));
    rule(
        &format!("convert-{p:02}-{n:02}"),
        &format!(
            r#"form = "unit-conversion"
select = {{ category = "degree-course", achievement = ["{one}", "{other}"] }}
when = {{ agreement = "delta" }}
grant = [{{ electives = true, ratio = "1/2" }}]"#
        ),
    )
}

fn block_rule(p: usize, n: usize) -> String {
    let name = source_name(p, "本科", n);
    rule(
        &format!("block-{p:02}-{n:02}"),
        &format!(
            r#"form = "block-transfer"
select = {{ stage = "undergraduate", graduated = true, achievement = "{name}" }}
grant = [{{ electives = true, credits = "6" }}]"#
        ),
    )
}

fn nothing_rule(p: usize, n: usize) -> String {
    let name = source_name(p, "短训", n);
    rule(
        &format!("nothing-{p:02}-{n:02}"),
        &format!(
            "form = \"no-credit\"\nselect = {{ category = \"training\", achievement = \"{name}\" }}"
        ),
    )
}

/// Rules about a whole category or institution, which every outcome of it meets.
fn general_rules() -> [String; 4] {
    let same = r#"form = "course-to-course"
select = { category = "degree-course", institution = "partner-college" }
when = { min_grade = { percentage = "70" }, valid_years = 8, except_courses = ["practice", "thesis"] }
grant = [{ same_course = true }]
grade = { record = "source" }"#;
    let hours = |category: &str| {
        format!(
            "form = \"hours-to-credits\"\nselect = {{ category = \"{category}\" }}\ngrant = [{{ electives = true, per_hours = \"32\" }}]"
        )
    };
    [
        rule("same-course", same),
        rule("walks", &hours("humanities-walk")),
        rule("dual-track", &hours("dual-track")),
        rule("venues", &hours("venue-learning")),
    ]
}

fn rule(id: &str, rest: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\ntitle = \"{id}\"\nclause = \"art. 4\"\n{rest}\n\n")
}

const BASE: &str = r#"[set]
id = "bench"
version = "2026.1"
title = "bench"
rounding = { unit = "0.5", mode = "floor" }

[framework]
skills = { elementary = 3, intermediate = 4, advanced = 5, technician = 6, senior-technician = 7 }
stages = { junior-college = 5, undergraduate = 6 }

[abbreviations]
"计基" = "计算机应用基础"
"高数" = "高等数学"

[[origin]]
id = "self-study"
title = "自考"
select = { category = "self-study-exam" }

[[origin]]
id = "certificates"
title = "证书"
select = { category = "skill-certificate" }

[[origin]]
id = "partners"
title = "合作院校"
select = { institution = ["partner-college", "second-college"] }

[[whole]]
whole = "会计等级考试1"
parts = ["会计等级考试2", "会计等级考试3"]
clause = "art. 3"

[[agreement]]
id = "delta"
title = "长三角"
from = "34"
to = "31"
mutual = true
clause = "art. 2"
versions = [{ version = "1", from = "2015-01-01", to = "2022-12-31" }, { version = "2", from = "2023-01-01" }]
"#;

const LIMITS: &str = r#"[[limit]]
id = "a-certificate"
title = "每证至多 8 学分"
clause = "art. 5"
select = { category = "skill-certificate" }
per = "outcome"
max = { credits = "8" }

[[limit]]
id = "institution-a-year"
title = "每校每年至多 12 学分"
clause = "art. 5"
per = ["institution", "year:03-01"]
max = { credits = "12" }

[[limit]]
id = "half-year"
title = "每半年至多 24 学分"
clause = "art. 5"
per = "semester:03-01"
max = { credits = "24" }

[[limit]]
id = "elders-a-year"
title = "老年教育每年至多 4 学分"
clause = "art. 5"
select = { category = "elder-course" }
per = "year:03-01"
max = { credits = "4" }

[[limit]]
id = "self-study"
title = "自考至多 15%"
clause = "art. 5"
origins = "self-study"
max = { credit_share = "15%", of = "programme" }

[[limit]]
id = "core"
title = "核心课程至多一半"
clause = "art. 5"
tags = "核心"
max = { course_share = "50%", of = "scope" }

[[limit]]
id = "free"
title = "不对应课程的至多 12 学分"
clause = "art. 5"
electives_only = true
max = { credits = "12" }

[[limit]]
id = "outcomes"
title = "至多 26 项成果"
clause = "art. 5"
max = { outcomes = 26 }

[[limit]]
id = "share"
title = "至多 45%"
clause = "art. 5"
max = { credit_share = "45%", of = "programme" }
"#;
