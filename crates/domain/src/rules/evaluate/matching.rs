//! Which of several things fills which of several places, where each fills at most one.

/// Fills as many places as possible with `things`; for each place the thing in it. `fits(thing, place)` says what is
/// possible. Augmenting paths; both numbers are small.
pub(in crate::rules) fn fill(
    things: usize,
    places: usize,
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let mut filled = vec![None; places];
    for thing in 0..things {
        let mut tried = vec![false; places];
        put(thing, &fits, &mut filled, &mut tried);
    }
    filled
}

/// Finds a place for `thing`, a free one if there is one, moving others if that makes room. Nested at most once a place.
fn put(
    thing: usize,
    fits: &impl Fn(usize, usize) -> bool,
    filled: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for step in 0..2 * filled.len() {
        let (place, is_first_round) = (step % filled.len(), step < filled.len());
        let is_its_round = filled[place].is_none() == is_first_round;
        if tried[place] || !is_its_round || !fits(thing, place) {
            continue;
        }
        tried[place] = true;
        if filled[place].is_none_or(|other| put(other, fits, filled, tried)) {
            filled[place] = Some(thing);
            return true;
        }
    }
    false
}
