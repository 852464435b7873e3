//! The learner's archive on the web.
