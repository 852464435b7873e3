//! An example on another day: what is told of one day can be shown with outcomes of this year.

use std::sync::Arc;

use creditbank_domain::outcome::Detail;
use creditbank_domain::rules::Held;
use creditbank_domain::{Outcome, OutcomeDraft};
use jiff::Span;
use jiff::civil::Date;

use super::Example;

impl Example {
    /// The archive as if the example's day were `day`: every date of an outcome moves by as many days. None where an
    /// outcome could not be deposited then, such as a paper before the session of its examination.
    #[must_use]
    pub fn archive_on(&self, day: Date) -> Option<Vec<Held>> {
        let span = Span::new().days((day - self.date).get_days());
        let held = self.held.iter().map(|held| {
            let outcome = moved(&held.outcome, span)?.check(day).ok()?;
            Some(Held {
                outcome: Arc::new(outcome),
                ..held.clone()
            })
        });
        held.collect()
    }
}

fn moved(outcome: &Outcome, span: Span) -> Option<OutcomeDraft> {
    let mut draft = outcome.clone().into_draft();
    draft.completed_on = draft.completed_on.checked_add(span).ok()?;
    for day in draft.started_on.iter_mut() {
        *day = day.checked_add(span).ok()?;
    }
    match &mut draft.detail {
        Detail::SkillCertificate(certificate) => {
            for day in certificate.valid_until.iter_mut() {
                *day = day.checked_add(span).ok()?;
            }
        }
        Detail::HumanitiesWalk(walk) => {
            for point in &mut walk.points {
                point.at = point.at.checked_add(span).ok()?;
            }
        }
        _ => {}
    }
    Some(draft)
}
