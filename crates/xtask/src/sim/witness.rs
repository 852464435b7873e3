//! Witnesses: what a bank cosigns of its peers' logs. A consistency proof is modelled by what it proves, the root that
//! the log had at the older size; the proofs themselves are tested in `creditbank-merkle`.

use creditbank_merkle::{EMPTY_ROOT, Hash};

/// A checkpoint that is to be cosigned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// Its size.
    pub(super) size: u64,
    /// Its root.
    pub(super) root: Hash,
    /// The size that the witness is thought to have cosigned.
    pub(super) old: u64,
    /// The root at that size.
    pub(super) old_root: Hash,
}

/// What a witness says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Cosigned.
    Cosign,
    /// It has cosigned another size: ask again from there.
    Conflict(u64),
    /// Two roots at one size: kept as evidence.
    Fork,
}

/// A witness that has cosigned nothing.
pub(super) const NOTHING: (u64, Hash) = (0, EMPTY_ROOT);

/// Judges a checkpoint by the last one that was cosigned.
pub(super) fn judge(last: (u64, Hash), shown: &Shown) -> Verdict {
    match shown {
        Shown { old, .. } if *old != last.0 => Verdict::Conflict(last.0),
        Shown { old_root, .. } if *old_root != last.1 => Verdict::Fork,
        Shown { size, root, .. } if *size == last.0 && *root != last.1 => Verdict::Fork,
        Shown { size, .. } if *size < last.0 => Verdict::Conflict(last.0),
        _ => Verdict::Cosign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_signs_one_history() {
        let (a, b) = (Hash([1; 32]), Hash([2; 32]));
        let shown = |old, old_root, size, root| Shown {
            size,
            root,
            old,
            old_root,
        };
        for (last, shown, verdict) in [
            (NOTHING, shown(0, EMPTY_ROOT, 5, a), Verdict::Cosign),
            ((5, a), shown(5, a, 9, b), Verdict::Cosign),
            ((5, a), shown(0, EMPTY_ROOT, 9, b), Verdict::Conflict(5)),
            ((5, a), shown(5, b, 9, b), Verdict::Fork),
            ((5, a), shown(5, a, 5, b), Verdict::Fork),
            ((5, a), shown(5, a, 4, b), Verdict::Conflict(5)),
        ] {
            assert_eq!(judge(last, &shown), verdict, "{last:?} {shown:?}");
        }
    }
}
