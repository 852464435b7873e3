//! Credentials that a learner takes away.
