//! How long a grant lasts, as people say it.

use crate::clock;
use crate::failure::Failure;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// The longest terms end so much earlier: the ledger's clock may be behind ours, and it allows no more than the term.
const CLOCKS_DIFFER_MS: u64 = 3600 * 1000;

/// Terms of a share, as forms have them.
pub(super) const SHARE: [&str; 4] = ["week", "month", "quarter", "year"];
/// Terms of a relative's access.
pub(crate) const RELATIVE: [&str; 4] = ["month", "half-year", "year", "three-years"];

/// When a grant of one of these terms that begins now ends.
pub(crate) fn expires_at_ms(allowed: &[&str], term: &str) -> Result<u64, Failure> {
    if !allowed.contains(&term) {
        return Err(Failure::Unreadable);
    }
    length_ms(term)
        .map(|it| clock::now_ms() + it)
        .ok_or(Failure::Unreadable)
}

fn length_ms(term: &str) -> Option<u64> {
    Some(match term {
        "week" => 7 * DAY_MS,
        "month" => 30 * DAY_MS,
        "quarter" => 90 * DAY_MS,
        "half-year" => 182 * DAY_MS,
        "year" => 365 * DAY_MS - CLOCKS_DIFFER_MS,
        "three-years" => 3 * 365 * DAY_MS - CLOCKS_DIFFER_MS,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{RELATIVE, SHARE, expires_at_ms, length_ms};

    #[test]
    fn every_term_on_offer_has_a_length_and_no_other_is_taken() {
        for terms in [SHARE, RELATIVE] {
            let lengths: Vec<_> = terms
                .iter()
                .map(|it| length_ms(it).expect("a term"))
                .collect();
            assert!(lengths.is_sorted());
            assert!(terms.iter().all(|it| expires_at_ms(&terms, it).is_ok()));
        }
        assert!(expires_at_ms(&SHARE, "three-years").is_err());
        assert!(expires_at_ms(&SHARE, "for ever").is_err());
        assert!(length_ms("year") < Some(365 * super::DAY_MS));
    }
}
