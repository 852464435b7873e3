//! Rules: what is granted, what is refused and why.
//!
//! A decision is written as short lines, `rule to credits` or `rule REASON`, so that a table of cases can be read.

mod arbitrary;
mod conditions;
mod duplicates;
mod explanations;
mod fixture;
mod forms;
mod grades;
mod limits;
mod names;
mod one_course;
mod progress;
mod properties;
mod proposals;
mod scopes;
mod versions;
