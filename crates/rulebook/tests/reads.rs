//! What documents say, key by key, and how they are addressed.

mod base_set;

use base_set::{base, read_beside_base, source};
use creditbank_domain::grade::{FiveLevel, Percentage, Scale};
use creditbank_domain::identifier::{InstitutionId, OccupationCode};
use creditbank_domain::outcome::{LearningStage, SkillLevel};
use creditbank_domain::rules::{
    Amount, Base, Conditions, CourseKind, DatedBy, Dimension, Excess, Form, FrameworkLevel,
    GradeFloor, GradeRecord, GradeRule, Grant, LevelFloor, LimitScope, Maximum, Minimum, Period,
    Place, ProgrammeKind, Review, Rule, Selector, Slot, SubjectMatch, Target, TargetPlace, Wording,
};
use creditbank_domain::{Category, Credit, Hours};
use creditbank_rulebook::manifest;
use jiff::civil::date;

fn wording(zh: &str, en: &str) -> Wording {
    Wording {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn percent(text: &str) -> Percentage {
    Percentage::parse(text).expect("a grade")
}

fn credits(text: &str) -> Credit {
    Credit::parse(text).expect("an amount")
}

#[test]
fn every_key_of_a_rule_is_what_the_domain_has() {
    let document = "[[rule]]\nid = 'r'\ntitle = { zh = '甲', en = 'A' }\nclause = 'c'\nform = 'many-to-one'\n\
        effective = { from = '2025-01-01', to = '2026-12-31' }\ndated_by = 'application'\nreview = 'uncatalogued'\nexclusive = true\nneed = 1\n\
        not_above_source = true\ngrant = [ { course = '高等数学(上)', credits = '6' } ]\n\
        grade = { table = [ { from = { five-level = 'good', percentage = '80' }, to = '85' } ], ceiling = '90' }\n\
        when = { min_grade = { percentage = '60', pass = true, cet-710 = '425' }, level = 4, valid_years = 5, \
        completed = { from = '2020-01-01' }, agreement = 'sh-ah', min_attendance = '66.67%', min_hours = '32', min_credits = '2.5', \
        credits_not_below_target = true, two_attestors = true, by_assessment = true, programmes = ['nursing'], \
        programme_kind = 'degree', except_subjects = ['0502'], except_courses = ['practice', 'thesis'], only_tags = ['统设必修'], \
        required_only = true }\n\
        [[rule.slot]]\ntitle = 's'\nmin_grade = { five-level = 'pass' }\nselect = { category = 'skill-certificate', \
        achievement = ['英语(一)', 'CET-4'], institution = 'shou', region = ['31', '3401', '310115'], occupation = '4-10-01-05', \
        skill_level = ['intermediate'], printed_level = '中级', stage = 'undergraduate', graduated = true, project = 'p', \
        standard = 'elder', x_certificate = false }\n\
        [[rule.slot]]\nselect = {}\n";
    let set = read_beside_base(document).expect("right");
    let rule = set.rules.iter().find(|rule| rule.id == "r").expect("read");
    let selector = Selector {
        categories: vec![Category::SkillCertificate],
        achievements: vec!["英语1".into(), "cet4".into()],
        institutions: vec![InstitutionId::parse("shou").expect("an id")],
        regions: vec!["31".into(), "3401".into(), "310115".into()],
        occupations: vec![OccupationCode::parse("4-10-01-05").expect("a code")],
        skill_levels: vec![SkillLevel::Intermediate],
        printed_levels: vec!["中级".into()],
        stages: vec![LearningStage::Undergraduate],
        graduated: Some(true),
        projects: vec!["p".into()],
        standards: vec!["elder".into()],
        x_certificate: Some(false),
    };
    let conditions = Conditions {
        min_grade: vec![
            GradeFloor::Percentage(percent("60")),
            GradeFloor::Pass,
            GradeFloor::Points(Scale::Cet, 42_500),
        ],
        min_level: LevelFloor::AtLeast(FrameworkLevel::new(4).expect("a level")),
        valid_years: Some(5),
        completed: Period {
            from: Some(date(2020, 1, 1)),
            to: None,
        },
        agreement: Some("sh-ah".into()),
        min_attendance_bp: Some(6_667),
        min_hours: Some(Hours::from_hundredths(3_200)),
        min_credits: Some(credits("2.5")),
        credits_not_below_target: true,
        two_attestors: true,
        by_assessment: true,
        programmes: vec!["nursing".into()],
        programme_kind: Some(ProgrammeKind::Degree),
        except_subjects: vec!["0502".into()],
        except_course_kinds: vec![CourseKind::Practice, CourseKind::Thesis],
        only_tags: vec!["统设必修".into()],
        required_only: true,
    };
    let slots = vec![
        Slot {
            title: wording("s", "s"),
            selector,
            min_grade: vec![GradeFloor::FiveLevel(FiveLevel::Pass)],
        },
        Slot {
            title: Wording::default(),
            selector: Selector::default(),
            min_grade: Vec::new(),
        },
    ];
    let expected = Rule {
        id: "r".into(),
        title: wording("甲", "A"),
        clause: "c".into(),
        form: Form::ManyToOne,
        effective: Period {
            from: Some(date(2025, 1, 1)),
            to: Some(date(2026, 12, 31)),
        },
        dated_by: DatedBy::Application,
        review: Review::Uncatalogued,
        slots,
        need: 1,
        conditions,
        grant: Grant {
            targets: vec![Target {
                to: TargetPlace::Course("高等数学上".into()),
                amount: Amount::Fixed(credits("6")),
            }],
            pick: 1,
            remainder_to_electives: false,
            not_above_source: true,
        },
        grade: GradeRule {
            record: GradeRecord::Table(vec![
                (GradeFloor::FiveLevel(FiveLevel::Good), percent("85")),
                (GradeFloor::Percentage(percent("80")), percent("85")),
            ]),
            ceiling: Some(percent("90")),
        },
        exclusive: true,
        place: Place {
            document: 1,
            line: 2,
        },
    };
    assert_eq!(*rule, expected);
}

/// Targets as they are written, one a rule, with the amount each has.
#[test]
fn targets_and_amounts_are_what_the_domain_has() {
    let cases = [
        (
            "course-to-course",
            "same_course = true",
            TargetPlace::SameCourse,
            Amount::Target,
        ),
        (
            "course-to-course",
            "tagged = '统设必修', credits = 'source'",
            TargetPlace::Tagged("统设必修".into()),
            Amount::Source,
        ),
        (
            "certificate-to-credits",
            "electives = true, credits = '4'",
            TargetPlace::Electives,
            Amount::Fixed(credits("4")),
        ),
        (
            "hours-to-credits",
            "module = 'basic', per_hours = '16'",
            TargetPlace::Module("basic".into()),
            Amount::PerHours(Hours::from_hundredths(1_600)),
        ),
        (
            "unit-conversion",
            "electives = true, ratio = '1/2'",
            TargetPlace::Electives,
            Amount::Ratio {
                numerator: 1,
                denominator: 2,
            },
        ),
    ];
    for (form, target, to, amount) in cases {
        let document = format!(
            "[[rule]]\nid = 'r'\ntitle = 't'\nform = '{form}'\nselect = {{}}\ngrant = [ {{ {target} }} ]"
        );
        let set = read_beside_base(&document).unwrap_or_else(|it| panic!("{document}\n{it:?}"));
        let rule = set.rules.iter().find(|rule| rule.id == "r").expect("read");
        assert_eq!(rule.grant.targets, [Target { to, amount }]);
        let whole = (rule.review, rule.need, rule.grant.pick, rule.effective);
        assert_eq!(whole, (Review::Catalogued, 1, 1, Period::default()));
    }
}

#[test]
fn every_key_of_a_limit_is_what_the_domain_has() {
    let document = "[[limit]]\nid = 'l'\ntitle = 't'\nselect = { category = 'training' }\norigins = ['self-study']\nrules = ['elder-hours']\n\
        programmes = ['nursing']\ntags = ['统设必修']\nexcept_courses = ['practice']\nelectives_only = true\nsubject = 'same'\n\
        per = ['outcome', 'achievement', 'institution', 'year:03-01', 'semester:09-01', 'day', 'category', 'origin']\n\
        max = { credit_share = '35%', of = 'scope' }\nexcess = 'refuse'\n";
    let set = read_beside_base(document).expect("right");
    let limit = set
        .limits
        .iter()
        .find(|limit| limit.id == "l")
        .expect("read");
    let scope = LimitScope {
        selector: Selector {
            categories: vec![Category::Training],
            ..Selector::default()
        },
        subject: Some(SubjectMatch::Same),
        origins: vec!["self-study".into()],
        rules: vec!["elder-hours".into()],
        programmes: vec!["nursing".into()],
        tags: vec!["统设必修".into()],
        except_course_kinds: vec![CourseKind::Practice],
        electives_only: true,
    };
    assert_eq!(limit.scope, scope);
    assert_eq!(
        limit.per,
        [
            Dimension::Outcome,
            Dimension::Achievement,
            Dimension::Institution,
            Dimension::Year { month: 3, day: 1 },
            Dimension::Semester { month: 9, day: 1 },
            Dimension::Day,
            Dimension::Category,
            Dimension::Origin,
        ]
    );
    assert_eq!(
        limit.max,
        Maximum::CreditShare {
            basis_points: 3_500,
            of: Base::Scope
        }
    );
    assert_eq!(limit.excess, Excess::Refuse);
}

#[test]
fn what_a_programme_asks_for_beside_its_modules_is_what_the_domain_has() {
    let document = "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'nile'\nkind = 'degree'\nlevel = 6\nsubject = '0501'\n\
        subject_names = ['汉语言文学', '中文']\ntotal = '140'\n\
        minimum = [ { id = 'accredited', title = { zh = '甲', en = 'A' }, select = { standard = 'elder' }, credits = '18' } ]\n\
        [[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'elective'\nmin = '0'\nunassigned = true\n";
    let set = read_beside_base(document).expect("right");
    let programme = set.programmes.iter().find(|it| it.id == "p").expect("read");
    assert_eq!(programme.region, "");
    assert_eq!(programme.subject_names, ["汉语言文学", "中文"]);
    let minimum = Minimum {
        id: "accredited".into(),
        title: wording("甲", "A"),
        selector: Selector {
            standards: vec!["elder".into()],
            ..Selector::default()
        },
        credits: credits("18"),
    };
    assert_eq!(programme.minima, [minimum]);
}

/// The hash is that of the published bytes: computed here by other means.
#[test]
fn a_set_is_addressed_by_its_bytes_whatever_their_order() {
    let (a, b) = (source("a.toml", "a = 1\n"), source("b-2.toml", "b = 2\n"));
    let hash = manifest(&[a.clone(), b.clone()]).hash();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "df7611ed7f57e67f262d271a3599340b5eaacf4520ce14e91239c23b7ed8c01c"
    );
    assert_eq!(manifest(&[b.clone(), a.clone()]).hash(), hash);
    assert_ne!(manifest(&[a]).hash(), hash);
    let set = creditbank_rulebook::read(vec![base()]).expect("right");
    assert_eq!(set.hash, manifest(&[base()]).hash());
}
