//! Every rule form: what it grants.

use creditbank_domain::rules::{
    Amount, CourseKind, Finding, Form, LineTarget, Rounding, RoundingMode, Selector, TargetPlace,
};
use creditbank_domain::{Category, Credit};

use super::fixture::*;

#[test]
fn a_course_is_worth_what_the_programme_says() {
    let rule = course_rule("r", "大学英语", "英语（1）");
    let cases = [
        (outcome(1, "大学英语").worth("4"), "r 0001 4"),
        (outcome(1, "大学英语").worth("2"), "r 0001 4"),
        (outcome(1, "大学英语").worth("9"), "r 0001 4"),
        (outcome(1, "大学语文"), "r NOT_SELECTED"),
    ];
    for (source, expected) in cases {
        assert_eq!(under(&rule, &[source]), [expected]);
    }
}

#[test]
fn amounts_are_as_the_rule_says_and_a_course_is_never_more_than_itself() {
    let electives = TargetPlace::Electives;
    let course = |key: &str| TargetPlace::Course(key.to_owned());
    let ratio = Amount::Ratio {
        numerator: 1,
        denominator: 2,
    };
    let cases = [
        (electives.clone(), Amount::Source, "r free 4"),
        (
            electives.clone(),
            Amount::Fixed(credits("2.25")),
            "r free 2.25",
        ),
        (electives.clone(), Amount::PerHours(hours("16")), "r free 4"),
        (
            electives.clone(),
            Amount::PerHours(hours("0")),
            "r NO_CREDIT",
        ),
        (electives.clone(), ratio, "r free 2"),
        (electives.clone(), Amount::Target, "r NO_CREDIT"),
        (electives, Amount::Fixed(Credit::ZERO), "r NO_CREDIT"),
        (course("0002"), Amount::Target, "r 0002 6"),
        (course("高等数学"), Amount::Source, "r 0002 4"),
        (course("0002"), Amount::Fixed(credits("99")), "r 0002 6"),
        (course("0002"), ratio, "r 0002 2"),
        (course("0009"), Amount::Target, "r TARGET_MISSING"),
        (
            TargetPlace::Module("more".into()),
            Amount::Target,
            "r more 4",
        ),
        (
            TargetPlace::Module("required".into()),
            Amount::Target,
            "r TARGET_EXCLUDED",
        ),
        (
            TargetPlace::Module("none".into()),
            Amount::Source,
            "r TARGET_MISSING",
        ),
        (TargetPlace::SameCourse, Amount::Target, "r TARGET_MISSING"),
        (
            TargetPlace::Tagged("专业课".into()),
            Amount::Target,
            "r TARGET_MISSING",
        ),
    ];
    for (to, amount, expected) in cases {
        let rule = rule(
            "r",
            Form::CertificateToCredits,
            named("证书"),
            vec![target(to, amount)],
        );
        assert_eq!(under(&rule, &[outcome(1, "证书")]), [expected], "{rule:?}");
    }
}

#[test]
fn what_a_rule_needs_of_the_source_must_be_known() {
    let electives = |amount| vec![target(TargetPlace::Electives, amount)];
    let ratio = Amount::Ratio {
        numerator: 1,
        denominator: 2,
    };
    let cases = [
        (Amount::Source, "r CREDITS_UNKNOWN"),
        (ratio, "r CREDITS_UNKNOWN"),
        (Amount::PerHours(hours("16")), "r HOURS_TOO_FEW"),
    ];
    for (amount, expected) in cases {
        let rule = rule(
            "r",
            Form::CertificateToCredits,
            named("证书"),
            electives(amount),
        );
        assert_eq!(under(&rule, &[certificate(1, "证书")]), [expected]);
    }
}

#[test]
fn the_same_course_is_found_by_code_or_name() {
    let same = || vec![target(TargetPlace::SameCourse, Amount::Target)];
    let rule = rule("r", Form::CourseToCourse, Selector::default(), same());
    let coded = |name: &str, code: &str| {
        let code = creditbank_domain::text::Code::parse(code).ok();
        outcome(1, name).with(|it| it.draft.achievement.code = code)
    };
    let cases = [
        (outcome(1, "英语 I"), "r 0001 4"),
        (outcome(1, "PLC应用"), "r 0004 3"),
        (coded("外语", "0001"), "r 0001 4"),
        (coded("高等数学", "9999"), "r 0002 6"),
        (outcome(1, "外语"), "r TARGET_MISSING"),
        (outcome(1, "0001"), "r TARGET_MISSING"),
    ];
    for (source, expected) in cases {
        assert_eq!(
            under(&rule, std::slice::from_ref(&source)),
            [expected],
            "{:?}",
            source.draft.achievement
        );
    }
}

#[test]
fn one_certificate_becomes_several_courses_and_the_rest_elective_credit() {
    let rule = |remainder, not_above| {
        let targets = vec![to_course("电工基础"), to_course("PLC应用")];
        rule("r", Form::OneToMany, named("电工"), targets).with(|it| {
            it.grant.remainder_to_electives = remainder;
            it.grant.not_above_source = not_above;
        })
    };
    let cases: &[(&str, bool, bool, &[&str])] = &[
        ("8", true, true, &["r 0003 4", "r 0004 3", "r free 1"]),
        ("8", false, true, &["r 0003 4", "r 0004 3"]),
        ("7", true, true, &["r 0003 4", "r 0004 3"]),
        ("6", true, true, &["r 0003 4", "r free 2"]),
        ("6", false, true, &["r 0003 4"]),
        ("6", true, false, &["r 0003 4", "r 0004 3"]),
        ("3.5", true, true, &["r 0004 3", "r free 0.5"]),
        ("2", true, true, &["r CREDITS_TOO_FEW"]),
        (
            "30",
            true,
            true,
            &["r 0003 4", "r 0004 3", "r free 6", "r more 10"],
        ),
    ];
    for (worth, remainder, not_above, expected) in cases {
        let source = outcome(1, "电工").worth(worth);
        assert_eq!(
            under(&rule(*remainder, *not_above), &[source]),
            *expected,
            "{worth}"
        );
    }
}

#[test]
fn each_target_costs_the_source_what_its_own_amount_says() {
    let double = Amount::Ratio {
        numerator: 2,
        denominator: 1,
    };
    let rule = rule(
        "r",
        Form::OneToMany,
        named("电工"),
        vec![
            target(
                TargetPlace::Module("more".into()),
                Amount::Fixed(credits("3")),
            ),
            target(TargetPlace::Course("0003".into()), double),
        ],
    )
    .with(|it| it.grant.remainder_to_electives = true);
    // 3 of 6 for the module, 2 for a course of 4 at two for one, 1 is left.
    assert_eq!(
        under(&rule, &[outcome(1, "电工").worth("6")]),
        ["r more 3", "r 0003 4", "r free 1"]
    );
}

#[test]
fn a_remainder_never_pays_for_a_course_that_has_its_credit() {
    let rule = rule(
        "r",
        Form::OneToMany,
        named("电工"),
        vec![to_course("0003"), to_course("0004")],
    )
    .with(|it| it.grant.remainder_to_electives = true);
    let set = set(vec![rule], vec![]);
    let learner = Learner::new([
        outcome(1, "电工").worth("8"),
        outcome(2, "PLC 应用").of("shou"),
    ]);
    let decision = learner.decide(&set, &[using("r", &[1])]);
    assert_eq!(short(&decision), ["r 0003 4", "r free 1"]);
    let unused = decision.trace.iter().find_map(|step| match step.finding {
        Finding::Remainder {
            credits,
            to_electives: false,
        } => Some(credits),
        _ => None,
    });
    assert_eq!(unused, Some(credits("3")));
}

#[test]
fn several_outcomes_become_one_course_when_enough_of_them_fit() {
    let slots = ["高等数学(上)", "高等数学(下)", "高等数学(补)"];
    let rule = |need| {
        rule(
            "r",
            Form::ManyToOne,
            named(slots[0]),
            vec![to_course("高等数学")],
        )
        .with(|it| {
            it.slots = slots.iter().map(|name| slot(named(name))).collect();
            it.need = need;
        })
    };
    let some = |names: &[&str]| -> Vec<Outcome> {
        (1..)
            .zip(names)
            .map(|(leaf, name)| outcome(leaf, name))
            .collect()
    };
    let cases: &[(u8, &[&str], &str)] = &[
        (2, &["高等数学(上)", "高等数学(下)"], "r 0002 6"),
        (2, &["高等数学(补)", "高等数学(上)"], "r 0002 6"),
        (2, &["高等数学(上)"], "r SOURCES_TOO_FEW"),
        (2, &["高等数学(上)", "高等数学(上)"], "r SOURCES_TOO_MANY"),
        (
            2,
            &["高等数学(上)", "高等数学(下)", "高等数学(补)"],
            "r SOURCES_TOO_MANY",
        ),
        (
            3,
            &["高等数学(上)", "高等数学(下)", "高等数学(补)"],
            "r 0002 6",
        ),
        (2, &["高等数学(上)", "大学语文"], "r NOT_SELECTED"),
        (2, &[], "r SOURCES_TOO_FEW"),
    ];
    for (need, names, expected) in cases {
        assert_eq!(
            under(&rule(*need), &some(names)),
            [*expected],
            "{need} of {names:?}"
        );
    }
}

#[test]
fn outcomes_are_put_into_slots_so_that_all_fit() {
    // The first outcome fits both slots, the second only the first: it must not take it away.
    let either = Selector {
        achievements: vec!["a".into(), "b".into()],
        ..Selector::default()
    };
    let rule = rule("r", Form::ManyToOne, either, vec![to_course("0002")]).with(|it| {
        it.slots.push(slot(named("a")));
        it.need = 2;
    });
    assert_eq!(
        under(&rule, &[outcome(1, "a"), outcome(2, "b")]),
        ["r 0002 6"]
    );
    assert_eq!(
        under(&rule, &[outcome(1, "b"), outcome(2, "a")]),
        ["r 0002 6"]
    );
    assert_eq!(
        under(&rule, &[outcome(1, "b"), outcome(2, "b")]),
        ["r SOURCES_TOO_MANY"]
    );
}

#[test]
fn hours_are_summed_before_they_are_rounded_once() {
    let rule = {
        let selector = Selector {
            categories: vec![Category::ElderCourse],
            ..Selector::default()
        };
        let per_hours = target(TargetPlace::Electives, Amount::PerHours(hours("16")));
        rule("r", Form::HoursToCredits, selector, vec![per_hours])
    };
    let classes = |texts: &[&str]| -> Vec<Outcome> {
        (1..)
            .zip(texts)
            .map(|(leaf, text)| elder_class(leaf, "书法", text, 10))
            .collect()
    };
    let cases: &[(RoundingMode, &[&str], &str)] = &[
        (RoundingMode::Floor, &["12", "12", "12"], "r free 2"),
        (RoundingMode::Floor, &["15.99"], "r free 0.5"),
        (RoundingMode::HalfUp, &["12"], "r free 1"),
        (RoundingMode::HalfUp, &["11.99"], "r free 0.5"),
        (RoundingMode::HalfEven, &["12"], "r free 1"),
        (RoundingMode::HalfEven, &["20"], "r free 1"),
        (RoundingMode::HalfEven, &["20.01"], "r free 1.5"),
        (RoundingMode::Floor, &["7.99"], "r ROUNDS_TO_NOTHING"),
    ];
    for (mode, texts, expected) in cases {
        let set = set(vec![rule.clone()], vec![]).with(|it| {
            it.rounding = Rounding {
                unit: credits("0.5"),
                mode: *mode,
            };
        });
        let learner = Learner::new(classes(texts));
        let leaves: Vec<u64> = (1..).take(texts.len()).collect();
        let decision = learner.decide(&set, &[using("r", &leaves)]);
        assert_eq!(short(&decision), [*expected], "{mode:?} {texts:?}");
    }
}

#[test]
fn an_applicant_chooses_among_targets() {
    let tagged = || target(TargetPlace::Tagged("专业课".into()), Amount::Target);
    let either = rule(
        "r",
        Form::CertificateToCourses,
        named("证书"),
        vec![to_course("0001"), to_course("0002")],
    )
    .with(|it| it.grant.pick = 1);
    let one_tagged = rule(
        "r",
        Form::CertificateToCourses,
        named("证书"),
        vec![tagged()],
    );
    let two_tagged = rule(
        "r",
        Form::CertificateToCourses,
        named("证书"),
        vec![tagged(), to_course("0003")],
    );
    let fixed = course_rule("r", "证书", "0001");
    let cases: &[(_, &[&str], &[&str])] = &[
        (&either, &["0001"], &["r 0001 4"]),
        (&either, &["0002"], &["r 0002 6"]),
        (&either, &["0002", "0001"], &["r TARGET_MISSING"]),
        (&either, &["0003"], &["r TARGET_MISSING"]),
        (&either, &["none"], &["r TARGET_MISSING"]),
        (&either, &[], &["r 0001 4"]),
        (&one_tagged, &["0003"], &["r 0003 4"]),
        (&one_tagged, &["0001"], &["r TARGET_MISSING"]),
        (&one_tagged, &[], &["r TARGET_MISSING"]),
        // 0003 fits both targets, 0004 only the tag: both are found places.
        (&two_tagged, &["0003", "0004"], &["r 0004 3", "r 0003 4"]),
        (&two_tagged, &["0003"], &["r 0003 4"]),
        (&fixed, &["0001"], &["r 0001 4"]),
        (&fixed, &["0002"], &["r TARGET_MISSING"]),
    ];
    for (rule, courses, expected) in cases {
        let learner = Learner::new([outcome(1, "证书")]);
        let set = set(vec![(*rule).clone()], vec![]);
        let decision = learner.decide(&set, &[choosing("r", &[1], courses)]);
        assert_eq!(short(&decision), *expected, "{courses:?}");
    }
}

#[test]
fn no_credit_is_said_and_spends_nothing() {
    let none = rule("a", Form::NoCredit, named("英语"), vec![]);
    let some = course_rule("b", "英语", "0001");
    let set = set(vec![none, some], vec![]);
    let learner = Learner::new([outcome(1, "英语")]);
    let decision = learner.decide(&set, &[using("a", &[1]), using("b", &[1])]);
    assert_eq!(short(&decision), ["a nothing 0", "b 0001 4"]);
    let learner = learner.after(900, "business", decision.lines[..1].to_vec());
    assert_eq!(
        short(&learner.decide(&set, &[using("b", &[1])])),
        ["b 0001 4"]
    );
}

#[test]
fn elective_credit_fills_modules_in_order_until_there_is_no_room() {
    let rule = elective_rule("r", "证书");
    let cases: &[(&str, &[&str])] = &[
        ("6", &["r free 6"]),
        ("7", &["r free 6", "r more 1"]),
        ("40", &["r free 6", "r more 10"]),
    ];
    for (worth, expected) in cases {
        assert_eq!(
            under(&rule, &[outcome(1, "证书").worth(worth)]),
            *expected,
            "{worth}"
        );
    }
    let set = set(vec![rule], vec![]);
    let learner = Learner::new([outcome(1, "证书").worth("40"), outcome(2, "证书")]);
    let decision = learner.decide(&set, &[using("r", &[1]), using("r", &[2])]);
    assert_eq!(short(&decision), ["r free 6", "r more 10", "r NO_ROOM"]);
}

#[test]
fn without_a_maximum_a_module_holds_what_the_others_leave_of_the_total() {
    let rule = elective_rule("r", "证书");
    let set = set(vec![rule], vec![]).with(|it| it.programmes[0].modules[1].max = None);
    let learner = Learner::new([outcome(1, "证书").worth("99")]);
    // 60 in all, 29 required, 4 of the other elective module: 27 are left.
    let decision = learner.decide(&set, &[using("r", &[1])]);
    assert_eq!(short(&decision), ["r free 27", "r more 10"]);
}

#[test]
fn a_block_fills_one_module() {
    let block = target(
        TargetPlace::Module("more".into()),
        Amount::Fixed(credits("40")),
    );
    let selector = Selector {
        graduated: Some(true),
        ..Selector::default()
    };
    let rule = rule("r", Form::BlockTransfer, selector, vec![block]);
    let graduate = outcome(1, "专科").with(|it| {
        if let creditbank_domain::outcome::Detail::DegreeCourse(course) = &mut it.draft.detail {
            course.result = Some(creditbank_domain::outcome::StudyResult::Graduated);
        }
    });
    assert_eq!(under(&rule, &[graduate]), ["r more 10"]);
    assert_eq!(under(&rule, &[outcome(1, "专科")]), ["r NOT_SELECTED"]);
}

#[test]
fn targets_that_a_rule_leaves_out_get_nothing() {
    let rule = rule(
        "r",
        Form::CertificateToCourses,
        named("证书"),
        vec![
            to_course("0001"),
            to_course("0003"),
            to_course("0005"),
            to_course("0101"),
        ],
    );
    let all = ["r 0001 4", "r 0003 4", "r 0005 4", "r 0101 2"];
    assert_eq!(under(&rule, &[outcome(1, "证书")]), all);
    let without = rule
        .clone()
        .with(|it| it.conditions.except_course_kinds = vec![CourseKind::Practice]);
    assert_eq!(
        under(&without, &[outcome(1, "证书")]),
        [all[0], all[1], all[3]]
    );
    let required = rule.clone().with(|it| it.conditions.required_only = true);
    assert_eq!(under(&required, &[outcome(1, "证书")]), all[..3]);
    let tagged = rule
        .clone()
        .with(|it| it.conditions.only_tags = vec!["统设必修".into()]);
    assert_eq!(under(&tagged, &[outcome(1, "证书")]), all[..1]);
    let low = rule.with(|it| it.conditions.credits_not_below_target = true);
    assert_eq!(under(&low, &[outcome(1, "证书").worth("2")]), all[3..]);
}

#[test]
fn what_is_skipped_is_told() {
    let rule = rule(
        "r",
        Form::OneToMany,
        named("证书"),
        vec![to_course("0001"), to_course("没有")],
    );
    let learner = Learner::new([outcome(1, "证书")]);
    let decision = learner.decide(&set(vec![rule], vec![]), &[using("r", &[1])]);
    let skipped = decision.trace.iter().find_map(|step| match &step.finding {
        Finding::Skipped {
            to: LineTarget::Course(course),
            reason,
        } => Some((course.as_str(), reason.code())),
        _ => None,
    });
    assert_eq!(skipped, Some(("没有", "TARGET_MISSING")));
}

#[test]
fn a_use_that_grants_nothing_is_refused() {
    let only_remainder = rule("r", Form::OneToMany, named("证书"), vec![])
        .with(|it| it.grant.remainder_to_electives = true);
    assert_eq!(
        under(&only_remainder, &[outcome(1, "证书").worth("4")]),
        ["r free 4"]
    );
    assert_eq!(
        under(&only_remainder, &[outcome(1, "证书").worth("0")]),
        ["r NO_CREDIT"]
    );
    assert_eq!(
        under(&only_remainder, &[certificate(1, "证书")]),
        ["r CREDITS_UNKNOWN"]
    );
}
