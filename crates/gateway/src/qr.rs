//! QR codes as one path of a picture, on pages and in print: no script, no style, nothing that has to be trusted as markup.

use fast_qr::{ECL, QRBuilder};
use serde::Serialize;

/// Light modules around a code; readers need four (ISO/IEC 18004).
const QUIET: usize = 4;

/// A code to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Qr {
    /// Modules of a side, with the quiet zone: the side of the picture's view box.
    pub(crate) side: usize,
    /// The dark modules, a run of each row as one rectangle: the `d` of a path.
    pub(crate) path: String,
}

impl Qr {
    /// A code of a text, which survives 15 % of damage (level M); nothing for a text beyond 2,331 bytes.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let mut path = String::new();
        for y in 0..code.size {
            let mut x = 0;
            while x < code.size {
                let dark = code[y][x..].iter().take_while(|it| it.value()).count();
                if dark > 0 {
                    path += &format!("M{} {}h{dark}v1h-{dark}z", x + QUIET, y + QUIET);
                }
                x += dark.max(1);
            }
        }
        let side = code.size + 2 * QUIET;
        Some(Self { side, path })
    }
}

#[cfg(test)]
mod tests {
    use super::{QUIET, Qr};

    /// Draws a path back into modules, and says how many are dark.
    fn dark(qr: &Qr) -> Vec<(usize, usize)> {
        let runs = qr.path.split('z').filter(|it| !it.is_empty());
        let run = |it: &str| {
            let (place, shape) = it.split_once('h').expect("a run");
            let (x, y) = place[1..].split_once(' ').expect("a place");
            let length = shape.split('v').next().expect("a length");
            [x, y, length].map(|it| it.parse::<usize>().expect("a number"))
        };
        runs.map(run)
            .flat_map(|[x, y, length]| (x..x + length).map(move |x| (x, y)))
            .collect()
    }

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_zone() {
        let qr = Qr::of("CB1.AAAA").expect("short");
        let modules = dark(&qr);
        let (near, far) = (QUIET, qr.side - QUIET - 7);
        for (x, y) in [(near, near), (far, near), (near, far)] {
            for step in 0..7 {
                assert!(modules.contains(&(x + step, y)), "finder at {x},{y}");
                assert!(modules.contains(&(x, y + step)), "finder at {x},{y}");
            }
            assert!(!modules.contains(&(x + 1, y + 1)), "ring at {x},{y}");
        }
        let inside = QUIET..qr.side - QUIET;
        assert!(
            modules
                .iter()
                .all(|(x, y)| inside.contains(x) && inside.contains(y))
        );
    }

    #[test]
    fn a_learner_code_is_large_enough_to_scan_at_240_pixels() {
        let qr = Qr::of(&format!("CB1.{}", "a".repeat(118))).expect("fits");
        assert!(240 / qr.side >= 4, "{} modules", qr.side);
        assert_eq!(Qr::of(&"a".repeat(3_000)), None);
    }
}
