//! Credentials and status lists.
