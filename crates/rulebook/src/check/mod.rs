//! What is well written and yet wrong: contradictions, what can never be reached, sums that do not fit, gaps.
//!
//! Errors are what no bank can mean; warnings are what it may mean, but should look at.

mod amounts;
mod care;
mod gaps;
mod limits;
mod overlap;
mod programmes;
mod reach;
mod relate;

use creditbank_domain::rules::{Compiled, Place, Programme, Rule, RuleSet, Wording};

use crate::example::Example;
use crate::finding::{Finding, Severity};

/// Looks a set over, together with its worked examples. Findings come in the order of documents and lines.
#[must_use]
pub fn check(set: &RuleSet, examples: &[Example]) -> Vec<Finding> {
    // Compiled, so that short names are written out in selectors.
    let compiled = Compiled::new(set.clone());
    let mut desk = Desk {
        set: compiled.set(),
        findings: Vec::new(),
    };
    overlap::check(&mut desk);
    reach::check(&mut desk);
    amounts::check(&mut desk);
    gaps::check(&mut desk);
    limits::check(&mut desk);
    programmes::check(&mut desk);
    care::check(&mut desk, &compiled, examples);
    let mut findings = desk.findings;
    findings.sort_by(|a, b| (&a.document, a.line).cmp(&(&b.document, b.line)));
    findings.dedup();
    findings
}

/// A set being looked over, and what was found.
struct Desk<'a> {
    set: &'a RuleSet,
    findings: Vec<Finding>,
}

impl<'a> Desk<'a> {
    fn error(&mut self, code: &'static str, place: Place, message: Wording) {
        self.findings
            .push(Finding::at(self.set, place, Severity::Error, code, message));
    }

    fn warn(&mut self, code: &'static str, place: Place, message: Wording) {
        self.findings.push(Finding::at(
            self.set,
            place,
            Severity::Warning,
            code,
            message,
        ));
    }

    /// The programmes that a rule is for.
    fn programmes_of(&self, rule: &Rule) -> Vec<&'a Programme> {
        let conditions = &rule.conditions;
        let is_meant = |programme: &&Programme| {
            let named =
                conditions.programmes.is_empty() || conditions.programmes.contains(&programme.id);
            let subject = programme.subject.as_str();
            let mut excluded = conditions.except_subjects.iter();
            named
                && conditions
                    .programme_kind
                    .is_none_or(|kind| kind == programme.kind)
                && (subject.is_empty()
                    || !excluded.any(|prefix| subject.starts_with(prefix.as_str())))
        };
        self.set.programmes.iter().filter(is_meant).collect()
    }
}
