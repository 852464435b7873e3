//! Amounts as JSON numbers. Both canonical forms print a number as ECMAScript does, so at most two decimals are written:
//! there every printer agrees, and hundredths come back exactly.

use serde_json::Number;

/// Hundredths as the shortest JSON number: 250 is 2.5.
///
/// The text is read into the nearest binary fraction, and that is where floating point begins and ends here: the shortest
/// text of that fraction is the one we had, which a test holds against every printer.
#[must_use]
pub fn from_hundredths(hundredths: u32) -> Number {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    if part == 0 {
        return Number::from(whole);
    }
    format!("{whole}.{part:02}")
        .parse()
        .expect("digits around a point are a JSON number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortest(hundredths: u32) -> String {
        creditbank_domain::Credit::from_hundredths(hundredths).to_string()
    }

    #[test]
    fn amounts_are_printed_alike_by_json_and_by_its_canonical_form() {
        let near = (0..=200_000).chain(u32::MAX - 1_000..=u32::MAX);
        let far = (0..32).flat_map(|bit| (1_u32 << bit).saturating_sub(50)..(1_u32 << bit) + 50);
        for hundredths in near.chain(far) {
            let number = from_hundredths(hundredths);
            let expected = shortest(hundredths);
            assert_eq!(serde_json::to_string(&number).unwrap(), expected);
            assert_eq!(
                serde_json_canonicalizer::to_string(&number).unwrap(),
                expected
            );
        }
    }
}
