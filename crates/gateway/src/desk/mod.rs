//! The desk: pages for institutions, reviewers and operators, under a key of their own.
