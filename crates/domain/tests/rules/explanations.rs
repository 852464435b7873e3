//! What a decision says to the learner, in both languages.

use creditbank_domain::LeafIndex;
use creditbank_domain::rules::{
    Amount, Compiled, Decision, Form, Language, Maximum, Reason, RefusedUse, Rounding,
    RoundingMode, TargetPlace, evaluate, explain,
};
use creditbank_domain::{Credit, Hours};

use super::fixture::*;

fn decided() -> (Compiled, Learner, Decision) {
    let per_hours = target(TargetPlace::Electives, Amount::PerHours(hours("16")));
    let rules = vec![
        course_rule("外语转换", "英语", "0001"),
        rule(
            "学时转换",
            Form::HoursToCredits,
            named("书法"),
            vec![per_hours],
        ),
        course_rule("数学转换", "语文", "0002"),
    ];
    let limits = vec![
        limit("选修限额", vec![], Maximum::Credits(credits("5")))
            .with(|it| it.scope.electives_only = false),
    ];
    let set = set(rules, limits).with(|it| {
        it.rounding = Rounding {
            unit: credits("0.5"),
            mode: RoundingMode::Floor,
        };
    });
    let learner = Learner::new([
        outcome(1, "英语"),
        elder_class(2, "书法", "25", 9),
        outcome(3, "语文"),
    ]);
    let set = Compiled::new(set);
    let uses = [
        using("外语转换", &[1]),
        using("学时转换", &[2]),
        using("数学转换", &[3]),
    ];
    let decision = evaluate(&set, &learner.case(), &uses);
    (set, learner, decision)
}

#[test]
fn a_decision_reads_in_chinese() {
    let (set, learner, decision) = decided();
    let sentences = explain(&set, &decision, &learner.held, Language::Chinese);
    let expected = [
        "2026-06-30 申请“工商管理”：本次共认定 5 学分。",
        "“英语”：认定为课程“英语(一)”，4 学分。",
        "“书法”：认定为模块“free”，1 学分。",
        "“语文”：没有认定，因为限额“选修限额”（§9）已经用完或不够。依据：“数学转换”（§1）。",
        "到现在：修得 0 学分，认定 5 学分，总共需要 60 学分。",
        "还缺必修课“高等数学”，6 学分。",
        "“学时转换”（§1），“书法”：按 2024-05-01 当天有效的规定办理；学时合计 25 学时；\
         模块“free”：25 学时 ÷ 每学分 16 学时 = 1 又 9/16 学分；\
         限额“选修限额”（§9）：最多 5 学分，已用 4 学分，这次需要 1.57，给予 1；\
         计入模块“free”，1 学分。",
        "总学分还差 55 学分。",
    ];
    for sentence in expected {
        assert!(
            sentences.iter().any(|it| it == sentence),
            "{sentence}\nis not in\n{sentences:#?}"
        );
    }
    assert_eq!(sentences[0], expected[0]);
}

#[test]
fn a_decision_reads_in_english() {
    let (set, learner, decision) = decided();
    let sentences = explain(&set, &decision, &learner.held, Language::English);
    let expected = [
        "Applied on 2026-06-30 for “工商管理”: 5 credits are granted.",
        "“英语”: 4 credits for course “英语(一)”.",
        "“语文”: nothing is granted, because the limit “选修限额” (§9) leaves too little. By “数学转换” (§1).",
        "Still missing: the required course “高等数学”, 6 credits.",
        "“学时转换” (§1), “书法”: the version in force on 2024-05-01 decides; together 25 hours; \
         module “free”: 25 hours ÷ 16 hours a credit = 1 9/16 credits; \
         limit “选修限额” (§9): at most 5 credits, 4 used, 1.57 asked for, 1 granted; \
         1 credits for module “free”.",
    ];
    for sentence in expected {
        assert!(
            sentences.iter().any(|it| it == sentence),
            "{sentence}\nis not in\n{sentences:#?}"
        );
    }
}

#[test]
fn every_reason_has_words_in_both_languages() {
    let (date, leaf) = (APPLIED, LeafIndex(1));
    let reasons = [
        Reason::ProgrammeUnknown,
        Reason::RuleUnknown,
        Reason::OutcomeUnknown,
        Reason::OutcomeRepeated,
        Reason::NotSelected,
        Reason::NotInForce { on: date },
        Reason::NotPassed,
        Reason::TooOld { until: date },
        Reason::CertificateExpired { until: date },
        Reason::OutsideWindow,
        Reason::CompletedLater,
        Reason::GradeTooLow,
        Reason::GradeNotComparable,
        Reason::LevelTooLow {
            level: level(1),
            needed: level(2),
        },
        Reason::LevelUnknown,
        Reason::CreditsTooFew {
            credits: Credit::ZERO,
            needed: Credit::ZERO,
        },
        Reason::CreditsUnknown,
        Reason::HoursTooFew {
            hours: Hours::ZERO,
            needed: Hours::ZERO,
        },
        Reason::AttendanceTooLow {
            basis_points: 1,
            needed: 2,
        },
        Reason::AttestorsMissing,
        Reason::ByRecognition,
        Reason::NotByAssessment,
        Reason::NoAgreement,
        Reason::ProgrammeExcluded,
        Reason::SubjectExcluded,
        Reason::TargetMissing,
        Reason::NotOneCourse,
        Reason::TargetExcluded,
        Reason::AlreadyStudied,
        Reason::AlreadyRecognised,
        Reason::AlreadyUsed { decision: leaf },
        Reason::UsedElsewhere { decision: leaf },
        Reason::WholeAndPart { other: leaf },
        Reason::SourcesTooFew {
            filled: 1,
            needed: 2,
        },
        Reason::SourcesTooMany,
        Reason::LimitReached { limit: "l".into() },
        Reason::NoRoom,
        Reason::NoCredit,
        Reason::RoundsToNothing,
    ];
    let (set, learner, decision) = decided();
    let mut told = std::collections::BTreeSet::new();
    for reason in &reasons {
        let refused = RefusedUse {
            rule: "r".into(),
            outcomes: vec![leaf],
            reason: reason.clone(),
        };
        let decision = Decision {
            refused: vec![refused],
            ..decision.clone()
        };
        for language in [Language::Chinese, Language::English] {
            let sentence = explain(&set, &decision, &learner.held, language).swap_remove(3);
            assert!(!sentence.contains(reason.code()), "{sentence}");
            let has_han = sentence
                .replace("英语", "")
                .contains(|c: char| ('一'..='龥').contains(&c));
            assert_eq!(has_han, language == Language::Chinese, "{sentence}");
            assert!(told.insert(sentence.clone()), "{sentence}");
        }
    }
}
