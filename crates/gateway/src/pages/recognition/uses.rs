//! Uses of outcomes as a form carries them: one checkbox a use, its value the use itself as JSON.
//!
//! The bank evaluates whatever comes back; what a form says is only a proposal about the learner's own archive.

use creditbank_domain::Refusal;
use creditbank_wire::v1;

use crate::failure::Failure;

/// Most uses of one application, and outcomes or courses of one use.
pub(super) const USES_MAX: usize = 256;
/// Most characters of a note or a reason.
pub(super) const TEXT_MAX: usize = 200;

/// A use as the value of a field: `["rule",[leaf,…],["course",…]]`.
pub(super) fn to_value(it: &v1::Use) -> String {
    serde_json::json!([it.rule, it.outcomes, it.courses]).to_string()
}

/// The uses of a form, in the order of the wire; what stands twice stands once.
pub(super) fn from_values(values: &[String]) -> Result<Vec<v1::Use>, Failure> {
    if values.len() > USES_MAX {
        return Err(Failure::Unreadable);
    }
    let mut uses = values
        .iter()
        .map(|it| from_value(it))
        .collect::<Option<Vec<_>>>()
        .ok_or(Failure::Unreadable)?;
    uses.sort_unstable_by(|one, next| {
        (&one.rule, &one.outcomes, &one.courses).cmp(&(&next.rule, &next.outcomes, &next.courses))
    });
    uses.dedup();
    Ok(uses)
}

fn from_value(value: &str) -> Option<v1::Use> {
    type Parts = (String, Vec<u64>, Vec<String>);
    let (rule, mut outcomes, mut courses) = serde_json::from_str::<Parts>(value).ok()?;
    let is_small = outcomes.len() <= USES_MAX && courses.len() <= USES_MAX;
    if rule.is_empty() || outcomes.is_empty() || !is_small {
        return None;
    }
    outcomes.sort_unstable();
    outcomes.dedup();
    courses.sort_unstable();
    courses.dedup();
    Some(v1::Use {
        rule,
        outcomes,
        courses,
    })
}

/// What a person wrote into a form: without blanks at its ends, on one line, not longer than the bank takes. Where
/// `needed`, not empty.
pub(super) fn text(written: &str, field: &'static str, needed: bool) -> Result<String, Failure> {
    let text = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let refused = |refusal| Err(Failure::Refused { refusal, field });
    if needed && text.is_empty() {
        return refused(Refusal::Missing);
    }
    if text.chars().count() > TEXT_MAX {
        let max = TEXT_MAX as u32;
        return refused(Refusal::TooLong { max });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_comes_back_from_a_form_as_it_went_out() {
        let it = v1::Use {
            rule: "r06-\"ncre\",2".to_owned(),
            outcomes: vec![7, 9],
            courses: vec!["A,1:2".to_owned(), "英语\"Ⅱ\"".to_owned()],
        };
        let values = [to_value(&it), to_value(&it)];
        assert_eq!(from_values(&values).ok(), Some(vec![it]));
    }

    #[test]
    fn a_form_is_put_into_the_order_of_the_wire_and_anything_else_is_refused() {
        let cases: [(&[&str], Option<&str>); 9] = [
            (
                &[r#"["b",[9,7,7],[]]"#, r#"["a",[3],["y","x"]]"#],
                Some("a[3][\"x\", \"y\"] b[7, 9][] "),
            ),
            (&[], Some("")),
            (&[r#"["a",[],[]]"#], None),
            (&[r#"["",[1],[]]"#], None),
            (&[r#"["a",[-1],[]]"#], None),
            (&[r#"["a",[1.5],[]]"#], None),
            (&[r#"["a",[1]]"#], None),
            (&[r#"["a",[1],[],0]"#], None),
            (&["a=1"], None),
        ];
        for (values, read) in cases {
            let values: Vec<String> = values.iter().map(|it| (*it).to_owned()).collect();
            let found = from_values(&values).ok().map(|uses| {
                let shown = uses
                    .iter()
                    .map(|it| format!("{}{:?}{:?} ", it.rule, it.outcomes, it.courses));
                shown.collect::<String>()
            });
            assert_eq!(found.as_deref(), read, "{values:?}");
        }
        let many = vec![r#"["a",[1],[]]"#.to_owned(); USES_MAX + 1];
        assert!(from_values(&many).is_err());
    }

    #[test]
    fn texts_are_one_line_and_no_longer_than_the_bank_takes() {
        let long = "学".repeat(TEXT_MAX);
        let over = "学".repeat(TEXT_MAX + 1);
        for (written, needed, read) in [
            ("  一\r\n二 ", true, Some("一 二")),
            ("", false, Some("")),
            (" \n", true, None),
            (long.as_str(), true, Some(long.as_str())),
            (over.as_str(), false, None),
        ] {
            assert_eq!(text(written, "note", needed).ok().as_deref(), read);
        }
    }
}
