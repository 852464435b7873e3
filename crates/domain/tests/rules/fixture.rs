//! A small programme, and builders of outcomes, rules and limits that fill in what a case does not care about.

use std::sync::Arc;

use creditbank_domain::grade::Percentage;
use creditbank_domain::identifier::{InstitutionId, RegionCode};
use creditbank_domain::outcome::{
    Achievement, Attendance, DegreeCourse, DegreeForm, Detail, ElderCourse, LearningStage,
    OutcomeDraft, SkillCertificate, SkillLevel, Term,
};
use creditbank_domain::rules::{
    Amount, Case, Compiled, Conditions, Course, CourseKind, DatedBy, Decision, Dimension, Excess,
    Form, FrameworkLevel, GradeRule, Grant, Held, Limit, LimitScope, Line, LineTarget, Maximum,
    Module, ModuleKind, Period, Place, Prior, Programme, ProgrammeKind, RecordedGrade, Review,
    Rule, RuleSet, Selector, Slot, Target, TargetPlace, Use, Wording, evaluate, names,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Credit, Grade, Hours, LeafIndex};
use jiff::civil::{Date, date};

/// The day of application, unless a case says otherwise.
pub(crate) const APPLIED: Date = date(2026, 6, 30);

pub(crate) fn credits(text: &str) -> Credit {
    Credit::parse(text).expect("credits")
}

pub(crate) fn hours(text: &str) -> Hours {
    Hours::parse(text).expect("hours")
}

pub(crate) fn percent(text: &str) -> Percentage {
    Percentage::parse(text).expect("per cent")
}

pub(crate) fn level(number: u8) -> FrameworkLevel {
    FrameworkLevel::new(number).expect("a level")
}

pub(crate) fn institution(id: &str) -> InstitutionId {
    InstitutionId::parse(id).expect("an institution")
}

pub(crate) fn wording(text: &str) -> Wording {
    Wording {
        zh: text.to_owned(),
        en: text.to_owned(),
    }
}

pub(crate) fn days(from: Option<Date>, to: Option<Date>) -> Period {
    Period { from, to }
}

/// An outcome before it is held: a degree course of another college, passed, of 4 credits and 64 hours.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) leaf: u64,
    pub(crate) issuer: &'static str,
    pub(crate) region: Option<&'static str>,
    pub(crate) standard: Option<&'static str>,
    pub(crate) draft: OutcomeDraft,
}

pub(crate) fn outcome(leaf: u64, name: &str) -> Outcome {
    Outcome {
        leaf,
        issuer: "other-college",
        region: Some("320102"),
        standard: None,
        draft: OutcomeDraft {
            achievement: Achievement {
                code: None,
                name: Label::parse(name).expect("a name"),
            },
            project: None,
            credits: Some(credits("4")),
            hours: Some(hours("64")),
            grade: Some(Grade::Percentage(percent("85"))),
            completed_on: date(2024, 5, 1),
            completed_at: None,
            started_on: None,
            external_id: Code::parse("1").ok(),
            institution_name: Label::parse("某学校").ok(),
            evidence: Vec::new(),
            obtained_by: None,
            detail: Detail::DegreeCourse(DegreeCourse {
                form: DegreeForm::Adult,
                stage: LearningStage::JuniorCollege,
                subject: None,
                year: 2020,
                term: None,
                result: None,
            }),
        },
    }
}

/// A certificate of an occupation without credits, hours or grade.
pub(crate) fn certificate(leaf: u64, name: &str) -> Outcome {
    outcome(leaf, name).with(|it| {
        it.draft.credits = None;
        it.draft.hours = None;
        it.draft.grade = None;
        it.draft.detail = Detail::SkillCertificate(SkillCertificate {
            number: None,
            occupation: None,
            occupation_name: None,
            level: Some(SkillLevel::Intermediate),
            level_printed: None,
            valid_until: None,
            x_certificate: false,
        });
    })
}

/// A class of elder education, without credits or grade.
pub(crate) fn elder_class(leaf: u64, name: &str, hours_text: &str, attended: u16) -> Outcome {
    outcome(leaf, name).with(|it| {
        it.draft.credits = None;
        it.draft.grade = None;
        it.draft.hours = Some(hours(hours_text));
        it.draft.detail = Detail::ElderCourse(ElderCourse {
            attendance: Attendance {
                planned: 10,
                attended,
            },
            year: 2020,
            term: Term::Spring,
            region: None,
            site: None,
        });
    })
}

impl Outcome {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn on(self, day: Date) -> Self {
        self.with(|it| it.draft.completed_on = day)
    }

    pub(crate) fn of(self, issuer: &'static str) -> Self {
        self.with(|it| it.issuer = issuer)
    }

    pub(crate) fn worth(self, text: &str) -> Self {
        self.with(|it| it.draft.credits = Some(credits(text)))
    }

    pub(crate) fn graded(self, grade: Grade) -> Self {
        self.with(|it| it.draft.grade = Some(grade))
    }

    pub(crate) fn held(self) -> Held {
        let outcome = self.draft.check(date(2030, 1, 1)).expect("an outcome");
        Held::new(
            LeafIndex(self.leaf),
            institution(self.issuer),
            self.region
                .map(|it| RegionCode::parse(it).expect("a region")),
            Arc::new(outcome),
            self.standard.map(Arc::from),
        )
    }
}

pub(crate) fn named(name: &str) -> Selector {
    Selector {
        achievements: vec![names::key(name)],
        ..Selector::default()
    }
}

pub(crate) fn slot(selector: Selector) -> Slot {
    Slot {
        title: wording(""),
        selector,
        min_grade: Vec::new(),
    }
}

pub(crate) fn to_course(name: &str) -> Target {
    target(TargetPlace::Course(names::key(name)), Amount::Target)
}

pub(crate) fn target(to: TargetPlace, amount: Amount) -> Target {
    Target { to, amount }
}

/// A rule in force at all times, for outcomes of one selector.
pub(crate) fn rule(id: &str, form: Form, selector: Selector, targets: Vec<Target>) -> Rule {
    Rule {
        id: id.to_owned(),
        title: wording(id),
        clause: "§1".to_owned(),
        form,
        effective: Period::default(),
        dated_by: DatedBy::Completion,
        review: Review::None,
        slots: vec![slot(selector)],
        need: 1,
        conditions: Conditions::default(),
        grant: Grant {
            pick: targets.len() as u8,
            targets,
            remainder_to_electives: false,
            not_above_source: false,
        },
        grade: GradeRule::default(),
        exclusive: false,
        place: Place::default(),
    }
}

/// A rule from an outcome of that name to a course.
pub(crate) fn course_rule(id: &str, from: &str, to: &str) -> Rule {
    rule(id, Form::CourseToCourse, named(from), vec![to_course(to)])
}

/// A rule from an outcome of that name to elective credit, as much as it carries.
pub(crate) fn elective_rule(id: &str, from: &str) -> Rule {
    let electives = target(TargetPlace::Electives, Amount::Source);
    rule(id, Form::CertificateToCredits, named(from), vec![electives])
}

pub(crate) trait With: Sized {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl With for Rule {}
impl With for RuleSet {}
impl With for Limit {}
impl With for Programme {}

pub(crate) fn limit(id: &str, per: Vec<Dimension>, max: Maximum) -> Limit {
    Limit {
        id: id.to_owned(),
        title: wording(id),
        clause: "§9".to_owned(),
        effective: Period::default(),
        scope: LimitScope::default(),
        per,
        max,
        excess: Excess::Trim,
        place: Place::default(),
    }
}

pub(crate) fn course(code: &str, name: &str, worth: &str) -> Course {
    Course {
        code: code.to_owned(),
        name: name.to_owned(),
        credits: credits(worth),
        kind: CourseKind::Theory,
        tags: Vec::new(),
    }
}

/// 60 credits: six required courses of 29, two elective modules, both for unassigned credit, of at most 6 and 10.
pub(crate) fn programme() -> Programme {
    let tagged = |tag: &str, course: Course| Course {
        tags: vec![tag.to_owned()],
        ..course
    };
    let of_kind = |kind, course: Course| Course { kind, ..course };
    let module = |id: &str, kind, min, max, courses| Module {
        id: id.to_owned(),
        title: wording(id),
        kind,
        min: credits(min),
        max,
        unassigned: kind == ModuleKind::Elective,
        courses,
    };
    let required = vec![
        tagged("统设必修", course("0001", "英语(一)", "4")),
        tagged("统设必修", course("0002", "高等数学", "6")),
        tagged("专业课", course("0003", "电工基础", "4")),
        tagged("专业课", course("0004", "PLC 应用", "3")),
        of_kind(CourseKind::Practice, course("0005", "综合实践", "4")),
        of_kind(CourseKind::Thesis, course("0006", "毕业论文", "8")),
    ];
    let elective = vec![course("0101", "艺术欣赏", "2")];
    Programme {
        id: "business".to_owned(),
        title: wording("工商管理"),
        institution: institution("shou"),
        region: "31".to_owned(),
        kind: ProgrammeKind::Degree,
        level: level(5),
        subject: "1202".to_owned(),
        subject_names: Vec::new(),
        total: credits("60"),
        residency: Credit::ZERO,
        at_level: None,
        minima: Vec::new(),
        modules: vec![
            module("required", ModuleKind::Required, "29", None, required),
            module(
                "free",
                ModuleKind::Elective,
                "0",
                Some(credits("6")),
                elective,
            ),
            module(
                "more",
                ModuleKind::Elective,
                "4",
                Some(credits("10")),
                vec![],
            ),
        ],
        effective: Period::default(),
        clause: "§1".to_owned(),
        place: Place::default(),
    }
}

/// A set with these rules and limits for [`programme`].
pub(crate) fn set(rules: Vec<Rule>, limits: Vec<Limit>) -> RuleSet {
    RuleSet {
        id: "test".to_owned(),
        version: "1".to_owned(),
        rules,
        limits,
        programmes: vec![programme()],
        ..RuleSet::default()
    }
}

pub(crate) fn using(rule: &str, outcomes: &[u64]) -> Use {
    Use {
        rule: rule.to_owned(),
        outcomes: outcomes.iter().map(|leaf| LeafIndex(*leaf)).collect(),
        courses: Vec::new(),
    }
}

pub(crate) fn choosing(rule: &str, outcomes: &[u64], courses: &[&str]) -> Use {
    Use {
        courses: courses.iter().map(|it| (*it).to_owned()).collect(),
        ..using(rule, outcomes)
    }
}

/// Outcomes and earlier decisions to decide on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learner {
    pub(crate) held: Vec<Held>,
    pub(crate) prior: Vec<Prior>,
}

impl Learner {
    pub(crate) fn new(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        Self {
            held: outcomes.into_iter().map(Outcome::held).collect(),
            prior: Vec::new(),
        }
    }

    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            programme: "business",
            date: APPLIED,
            held: &self.held,
            prior: &self.prior,
        }
    }

    pub(crate) fn decide(&self, set: &RuleSet, uses: &[Use]) -> Decision {
        evaluate(&Compiled::new(set.clone()), &self.case(), uses)
    }

    /// Lets a decision stand, under the number `decision`, for a programme.
    pub(crate) fn after(mut self, decision: u64, programme: &str, lines: Vec<Line>) -> Self {
        self.prior.push(Prior {
            decision: LeafIndex(decision),
            programme: programme.to_owned(),
            lines,
        });
        self
    }
}

/// A decision in short lines: what is granted, then what is refused.
pub(crate) fn short(decision: &Decision) -> Vec<String> {
    let granted = decision.lines.iter().map(|line| {
        let to = match &line.to {
            LineTarget::Course(code) => code.as_str(),
            LineTarget::Module(id) => id.as_str(),
            LineTarget::Nothing => "nothing",
        };
        let grade = match line.grade {
            RecordedGrade::None => String::new(),
            RecordedGrade::Exempt => " 免考".to_owned(),
            RecordedGrade::Grade(grade) => format!(" ({grade})"),
        };
        format!("{} {to} {}{grade}", line.rule, line.credits)
    });
    let refused = decision.refused.iter();
    let refused = refused.map(|it| format!("{} {}", it.rule, it.reason.code()));
    granted.chain(refused).collect()
}

/// The decision on these outcomes under one rule, all of them used.
pub(crate) fn under(rule: &Rule, outcomes: &[Outcome]) -> Vec<String> {
    let leaves: Vec<u64> = outcomes.iter().map(|it| it.leaf).collect();
    let learner = Learner::new(outcomes.iter().cloned());
    let set = set(vec![rule.clone()], Vec::new());
    short(&learner.decide(&set, &[using(&rule.id, &leaves)]))
}
