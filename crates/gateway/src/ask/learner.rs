//! Name and documents of the learner.
