//! The printed transcript (学习成果证明): a tagged PDF in Chinese, English or both, with a QR code a set of records that
//! leads to verification.
//!
//! [`gather`] reads an archive into a [`sheet::Transcript`]; [`typeset`] makes a PDF of one, with no ledger and no clock, so
//! that equal content gives equal bytes; [`seal`] ties the paper to a file of its records; [`route`] is where it is asked for, and bounds how much is printed at once. The page itself is
//! `typst/transcript.typ`. What institutions and learners wrote reaches it as values, never as markup.

mod fonts;
mod gather;
mod printable;
mod route;
mod seal;
mod sheet;
#[cfg(test)]
mod tests;
mod typeset;
mod values;

pub(crate) use route::routes;
