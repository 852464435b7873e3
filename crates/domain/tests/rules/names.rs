//! Names and codes as keys.

use creditbank_domain::rules::{Compiled, names::key};
use proptest::prelude::*;

use super::fixture::{Learner, With, course_rule, outcome, set, short, using};

#[test]
fn names_that_mean_the_same_have_one_key() {
    let groups: &[&[&str]] = &[
        &[
            "英语(一)",
            "英语（1）",
            "英语I",
            "英语 1",
            "英语Ⅰ",
            "英语①",
            "英语一",
            "英 语（ 一 ）",
            "英语[I]",
            "英语(1).",
        ],
        &[
            "高等数学(上)",
            "高等数学（上）",
            "高等数学 上",
            "高等数学的上",
        ],
        &["高等数学(下)"],
        &["高等数学I(上)", "高等数学(一)上"],
        &["CET-4", "cet 4", "ＣＥＴ４", "CET-IV"],
        &[
            "教育学与心理学",
            "教育学和心理学",
            "教育学、心理学",
            "教育学及心理学",
        ],
        &["大学语文(十二)", "大学语文XII", "大学语文12"],
        &["大学语文(二十一)", "大学语文21"],
        &["C语言"],
        &["C++语言"],
        &["C#语言"],
        &["CI", "ci"],
        &["1+X"],
        &["和"],
        &["五四"],
    ];
    for (at, group) in groups.iter().enumerate() {
        let first = key(group[0]);
        assert!(!first.is_empty(), "{group:?}");
        for name in *group {
            assert_eq!(key(name), first, "{name}");
        }
        for other in &groups[..at] {
            assert_ne!(key(other[0]), first, "{} and {}", other[0], group[0]);
        }
    }
    assert_eq!(key(" \u{3000}"), "");
}

#[test]
fn abbreviations_stand_for_names_and_for_stems_with_a_number() {
    let cases = [
        ("高数", "高等数学", true),
        ("高数(上)", "高等数学(上)", true),
        ("高数(一)", "高等数学Ⅰ", true),
        ("高数值分析", "高等数学值分析", false),
    ];
    for (written, meant, same) in cases {
        let set = set(vec![course_rule("r", meant, "0002")], vec![])
            .with(|it| it.abbreviations = vec![("高数".into(), "高等数学".into())]);
        let learner = Learner::new([outcome(1, written)]);
        let expected = if same { "r 0002 6" } else { "r NOT_SELECTED" };
        assert_eq!(
            short(&learner.decide(&set, &[using("r", &[1])])),
            [expected],
            "{written}"
        );
        let set = set.with(|it| it.rules = vec![course_rule("r", written, "0002")]);
        let learner = Learner::new([outcome(1, meant)]);
        assert_eq!(
            short(&learner.decide(&set, &[using("r", &[1])])),
            [expected],
            "{meant}"
        );
        let found = Compiled::new(set).set().rules[0].slots[0]
            .selector
            .achievements
            .clone();
        assert_eq!(found == [key(meant)], same, "{written}");
    }
}

proptest! {
    #[test]
    fn a_key_is_the_key_of_itself(name in "[a-cxivXIV一二十五上下的和 ()（）.+#ⅠⅫ①㈠0-2]{0,12}|\\PC{0,12}") {
        let once = key(&name);
        prop_assert_eq!(key(&once), once.clone());
        prop_assert_eq!(once.is_empty(), name.trim().is_empty());
    }
}
