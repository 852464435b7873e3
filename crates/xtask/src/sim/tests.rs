//! The simulation as a test: a bounded number of seeds, and mutants that must be found.

use super::*;

#[test]
fn no_promise_is_broken_in_the_first_seeds() {
    let code = Code::real();
    for seed in 1..=60 {
        let result = World::new(&code, seed, false).run(STEPS_DEFAULT);
        assert_eq!(result, Ok(()), "seed {seed}");
    }
}
