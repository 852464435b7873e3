//! Unit standards (认证单元): what an outcome of an admitted project must be to be deposited.
//!
//! A standard looks at one outcome alone, because a row is decided alone. What a learner may collect over several
//! outcomes (hours a day, walks a day) is a limit of recognition or of earning points.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Span;
use jiff::civil::Date;

use crate::credit::write_hundredths;
use crate::outcome::{Attendance, Detail, EvidenceKind, HumanitiesWalk};
use crate::rules::{FrameworkLevel, Period, Place, Wording};
use crate::{Category, Fault, Faults, Hours, Outcome, Refusal};

/// Years behind which no time limit ends before the calendar does.
const YEARS_MAX: u16 = 19_998;

/// A version of a unit standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standard {
    /// Its id, such as `elder-course`.
    pub id: String,
    /// Its version, such as `2026`.
    pub version: String,
    /// What it is called.
    pub title: Wording,
    /// The clause it carries out; refusals cite it.
    pub clause: String,
    /// Categories it is for.
    pub categories: Vec<Category>,
    /// Its level in the framework, where it has one.
    pub level: Option<FrameworkLevel>,
    /// Days of completion it is for.
    pub effective: Period,
    /// Whether the catalogue lists it: then one reviewer admits a project, else a panel.
    pub catalogued: bool,
    /// Least hours.
    pub min_hours: Option<Hours>,
    /// Most hours of one outcome.
    pub max_hours: Option<Hours>,
    /// Least attendance in basis points.
    pub min_attendance_bp: Option<u16>,
    /// Most years from completion to deposit.
    pub deposit_within_years: Option<u16>,
    /// Kinds of evidence that must be bound by digest.
    pub evidence: Vec<EvidenceKind>,
    /// Both attesting parties must be named.
    pub two_attestors: bool,
    /// A grade is required and must be a pass where its scheme has one.
    pub pass_required: bool,
    /// For walks.
    pub walk: Option<WalkStandard>,
    /// Where it stands.
    pub place: Place,
}

/// What a humanities walk must be (人文行走).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkStandard {
    /// Least number of points.
    pub min_points: u16,
    /// Most days from the first point to the last.
    pub window_days: u16,
    /// Least minutes between two points.
    pub min_gap_minutes: u16,
    /// Hours that a walk may claim.
    pub hours: Hours,
    /// Most hours on one day, whatever the number of points.
    pub day_hours_max: Hours,
}

impl Standard {
    /// Everything in which an outcome deposited on a day falls short of the standard, each citing its clause. Fields are
    /// named as [`OutcomeDraft::check`](crate::OutcomeDraft::check) names them.
    #[must_use]
    pub fn check(&self, outcome: &Outcome, deposited_on: Date) -> Vec<Fault> {
        let mut faults = Faults::default();
        self.check_days(outcome, deposited_on, &mut faults);
        self.check_hours(outcome, &mut faults);
        self.check_attendance(outcome, &mut faults);
        self.check_support(outcome, &mut faults);
        if let Some(walk) = &self.walk {
            walk.check(outcome, &mut faults);
        }
        let faults = faults.into_vec().into_iter();
        faults.map(|fault| fault.citing(&*self.clause)).collect()
    }

    /// The last day on which an outcome can be deposited: the anniversary counts, 28 February stands for 29 February.
    #[must_use]
    pub fn deposit_until(&self, completed_on: Date) -> Option<Date> {
        let years = self.deposit_within_years?;
        Some(completed_on.saturating_add(Span::new().years(years.min(YEARS_MAX))))
    }

    fn check_days(&self, outcome: &Outcome, deposited_on: Date, faults: &mut Faults) {
        let is_meant = self.categories.contains(&outcome.category());
        faults.require(is_meant, "project", Refusal::CategoryNotOfStandard);
        let completed_on = outcome.completed_on;
        let in_force = self.effective.contains(completed_on);
        faults.require(in_force, "completed_on", Refusal::StandardNotInForce);
        if let (Some(years), Some(until)) =
            (self.deposit_within_years, self.deposit_until(completed_on))
        {
            let too_late = Refusal::DepositedTooLate { years };
            faults.require(deposited_on <= until, "completed_on", too_late);
        }
    }

    /// An outcome that states no hours does not show that it has enough of them.
    fn check_hours(&self, outcome: &Outcome, faults: &mut Faults) {
        if let Some(needed) = self.min_hours {
            let enough = outcome.hours.is_some_and(|hours| hours >= needed);
            faults.require(enough, "hours", Refusal::HoursBelowStandard { needed });
        }
        if let Some(most) = self.max_hours {
            let admitted = outcome.hours.is_none_or(|hours| hours <= most);
            faults.require(admitted, "hours", Refusal::HoursAboveStandard { most });
        }
    }

    /// A share that is asked for is met by what states its attendance alone.
    fn check_attendance(&self, outcome: &Outcome, faults: &mut Faults) {
        let Some(needed) = self.min_attendance_bp else {
            return;
        };
        let below = Refusal::AttendanceBelowStandard {
            needed: Share(needed),
        };
        match outcome.detail.attendance() {
            Some(Attendance { planned, attended }) => {
                let enough = u32::from(attended) * 10_000 >= u32::from(planned) * u32::from(needed);
                faults.require(enough, "detail.attendance.attended", below);
            }
            None => faults.add("detail", below),
        }
    }

    fn check_support(&self, outcome: &Outcome, faults: &mut Faults) {
        for kind in self.evidence.iter().copied() {
            let is_bound = outcome.evidence.iter().any(|piece| piece.kind == kind);
            faults.require(is_bound, "evidence", Refusal::EvidenceMissing { kind });
        }
        if self.pass_required {
            let passed = outcome
                .grade
                .is_some_and(|grade| grade.is_pass() != Some(false));
            faults.require(passed, "grade", Refusal::NotPassed);
        }
        // Dual track is the category with two parties, and its outcomes have both, of different institutions.
        if self.two_attestors {
            let has_two = matches!(outcome.detail, Detail::DualTrack(_));
            faults.require(has_two, "detail", Refusal::AttestorMissing);
        }
    }
}

impl WalkStandard {
    fn check(&self, outcome: &Outcome, faults: &mut Faults) {
        let too_few = Refusal::WalkPointsTooFew {
            min: self.min_points,
        };
        let Detail::HumanitiesWalk(walk) = &outcome.detail else {
            return faults.add("detail", too_few);
        };
        let visited: BTreeSet<_> = walk
            .points
            .iter()
            .map(|point| point.code.as_str())
            .collect();
        let enough = visited.len() >= usize::from(self.min_points);
        faults.require(enough, "detail.points", too_few);
        self.check_times(walk, faults);
        let days: BTreeSet<_> = walk.points.iter().map(|point| point.at.date()).collect();
        let by_days = self
            .day_hours_max
            .hundredths()
            .saturating_mul(days.len() as u32);
        let most = self.hours.min(Hours::from_hundredths(by_days));
        let admitted = outcome.hours.is_none_or(|hours| hours <= most);
        faults.require(admitted, "hours", Refusal::HoursAboveStandard { most });
    }

    fn check_times(&self, walk: &HumanitiesWalk, faults: &mut Faults) {
        let too_close = Refusal::WalkPointsTooClose {
            min_minutes: self.min_gap_minutes,
        };
        let gap = Span::new().minutes(self.min_gap_minutes);
        for (index, pair) in walk.points.windows(2).enumerate() {
            let far_enough = pair[0].at.saturating_add(gap) <= pair[1].at;
            let field = format!("detail.points[{}].at", index + 1);
            faults.require(far_enough, field, too_close);
        }
        let ends = walk.points.first().zip(walk.points.last());
        let last_day = |first: Date| first.saturating_add(Span::new().days(self.window_days));
        let in_time = ends.is_none_or(|(first, last)| last.at.date() <= last_day(first.at.date()));
        let days = self.window_days;
        faults.require(in_time, "detail.points", Refusal::WalkTooLong { days });
    }
}

/// A share in basis points; prints as "70%", "66.67%".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u16);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hundredths(f, self.0.into())?;
        f.write_str("%")
    }
}
