//! Uses of outcomes as they are written on a command line.

use creditbank_wire::v1;

/// Reads `RULE=LEAF,LEAF[:COURSE,COURSE]`; leaves and courses come out in the order of the wire.
pub(super) fn parse_use(text: &str) -> Result<v1::Use, String> {
    let form = || format!("{text:?} is not RULE=LEAF,LEAF[:COURSE,COURSE]");
    let (rule, rest) = text.split_once('=').ok_or_else(form)?;
    let (outcomes, courses) = match rest.split_once(':') {
        Some((outcomes, courses)) => (outcomes, courses.split(',').map(str::trim).collect()),
        None => (rest, Vec::new()),
    };
    if rule.trim().is_empty() || courses.iter().any(|course| course.is_empty()) {
        return Err(form());
    }
    let leaf = |text: &str| {
        let leaf = text.trim().parse::<u64>();
        leaf.map_err(|_| format!("{text:?} is no leaf: `creditbank archive` prints the leaves"))
    };
    let mut outcomes = outcomes
        .split(',')
        .map(leaf)
        .collect::<Result<Vec<_>, _>>()?;
    let mut courses: Vec<_> = courses.into_iter().map(str::to_owned).collect();
    outcomes.sort_unstable();
    courses.sort_unstable();
    Ok(v1::Use {
        rule: rule.trim().to_owned(),
        outcomes,
        courses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::use_text;

    #[test]
    fn a_use_is_read_as_it_is_printed_and_anything_else_is_refused() {
        for (text, printed) in [
            ("r1=7", Some("r1=7")),
            ("r1=9, 7", Some("r1=7,9")),
            ("r1=7:0002,0001", Some("r1=7:0001,0002")),
            ("r1", None),
            ("=7", None),
            ("r1=", None),
            ("r1=x", None),
            ("r1=7,", None),
            ("r1=7:", None),
            ("r1=7:a,,b", None),
            ("r1=-7", None),
        ] {
            let parsed = parse_use(text).ok().map(|it| use_text(&it));
            assert_eq!(parsed.as_deref(), printed, "{text}");
        }
    }
}
