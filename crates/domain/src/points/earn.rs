//! What outcomes earn: under which rule, how many points, and why not.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::{Date, DateTime};

use super::entry::{Entry, Reason};
use super::purse::Purse;
use super::{EarningRule, Earns};
use crate::outcome::{Detail, ObtainedBy, WalkPoint};
use crate::rules::{Held, Selector};
use crate::text::Code;
use crate::{Hours, LeafIndex, Outcome};

/// Fewest minutes between two different learning points of walks. Points carry codes and times but no place; nobody
/// reads one point and walks to the next in less.
pub const WALK_GAP_MINUTES: i64 = 5;

/// What some outcomes earn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Entries that may follow in this order.
    pub entries: Vec<Entry>,
    /// What earned nothing, or not all.
    pub withheld: Vec<Withheld>,
}

/// Points that an outcome did not earn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The outcome.
    pub outcome: LeafIndex,
    /// The rule that would have given them.
    pub rule: String,
    /// Why not.
    pub why: Why,
}

/// Why an outcome earned nothing, or not all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What it has of hours or attendance is not enough for one point.
    NotEnough,
    /// The rule gives no more on that day of completion.
    DayMax {
        /// How many points it did not earn.
        points: u32,
    },
    /// At the same time as another outcome that earns.
    Overlaps {
        /// That one.
        with: LeafIndex,
    },
    /// Two learning points of walks sooner after each other than anybody walks.
    TooFast {
        /// The outcome that has the other point; itself for a walk that is too fast in itself.
        with: LeafIndex,
    },
}

/// The entries that the outcomes of an archive are worth on a day, and what is withheld.
///
/// `held` is the whole archive: what has earned already earns nothing again, but fills its day and its time. Of several
/// rules the first that selects an outcome, and is in force on its day of completion, decides. `selects` says whether a
/// selector takes an outcome. Outcomes are taken in the order of their days, their times and their leaves, those that
/// have earned first, so that the order of `held` does not matter. A credit that was itself recognised is no activity
/// and earns nothing. A lot expires so many months after the day of its entry.
pub fn earn(
    rules: &[EarningRule],
    held: &[Held],
    selects: impl Fn(&Selector, &Held) -> bool,
    purse: &Purse,
    on: Date,
) -> Earned {
    let mut activities: Vec<_> = held.iter().filter_map(Activity::of).collect();
    activities.sort_by_key(|it| {
        let day = it.held.outcome.completed_on;
        let has_earned = purse.earned_by(it.held.leaf).is_some();
        (
            Reverse(has_earned),
            day,
            it.span.as_ref().map(|span| span.start),
            it.held.leaf,
        )
    });
    let mut taken = Taken::default();
    let mut earned = Earned::default();
    for activity in activities {
        let leaf = activity.held.leaf;
        if let Some((rule, points)) = purse.earned_by(leaf) {
            taken.fill(rule, activity, points);
            continue;
        }
        let completed_on = activity.held.outcome.completed_on;
        let rule = rules.iter().find(|rule| {
            rule.effective.contains(completed_on) && selects(&rule.selector, activity.held)
        });
        let Some(rule) = rule.filter(|_| !purse.has_earned(leaf)) else {
            continue;
        };
        let (points, why) = taken.grant(rule, &activity);
        if let Some(why) = why {
            let rule = rule.id.clone();
            earned.withheld.push(Withheld {
                outcome: leaf,
                rule,
                why,
            });
        }
        if points > 0 {
            taken.fill(&rule.id, activity, points);
            earned.entries.push(Entry {
                on,
                points,
                reason: Reason::Earned {
                    rule: rule.id.clone(),
                    outcome: leaf,
                    expires_on: rule.expires_on(on),
                },
            });
        }
    }
    earned
}

impl EarningRule {
    /// The points of an outcome before any cap.
    fn points(&self, outcome: &Outcome) -> u32 {
        match self.earns {
            Earns::PerHours { hours, points } => {
                let full = stated_hours(outcome).hundredths() / hours.hundredths().max(1);
                full.saturating_mul(points)
            }
            Earns::PerAttendance(points) => {
                let attended = outcome.detail.attendance().map_or(0, |it| it.attended);
                u32::from(attended).saturating_mul(points)
            }
            Earns::PerOutcome(points) => points,
        }
    }

    /// The last day of a lot that is earned on a day.
    fn expires_on(&self, on: Date) -> Option<Date> {
        let months = self.expires_months?;
        Some(on.saturating_add(Span::new().months(months)))
    }
}

/// The hours that an outcome states; of a visit that states none, its minutes.
fn stated_hours(outcome: &Outcome) -> Hours {
    match (outcome.hours, &outcome.detail) {
        (Some(hours), _) => hours,
        (None, Detail::VenueLearning(visit)) => {
            Hours::from_hundredths(u32::from(visit.minutes) * 100 / 60)
        }
        (None, _) => Hours::ZERO,
    }
}

/// An outcome that may earn, with its time where it states one.
struct Activity<'a> {
    held: &'a Held,
    span: Option<TimeSpan<'a>>,
}

/// A time in which a learner was in one place, or on one walk.
struct TimeSpan<'a> {
    start: DateTime,
    end: DateTime,
    /// First and last point of a walk.
    ends: Option<(&'a Code, &'a Code)>,
}

impl<'a> Activity<'a> {
    fn of(held: &'a Held) -> Option<Self> {
        let outcome = &*held.outcome;
        let is_activity = outcome.obtained_by != Some(ObtainedBy::Recognition);
        is_activity.then(|| Self {
            held,
            span: TimeSpan::of(outcome),
        })
    }
}

impl<'a> TimeSpan<'a> {
    /// A walk lasts from its first point to its last, a visit as long as it says until the time it was completed.
    fn of(outcome: &'a Outcome) -> Option<Self> {
        match &outcome.detail {
            Detail::HumanitiesWalk(walk) => {
                let (first, last) = walk.points.first().zip(walk.points.last())?;
                Some(Self {
                    start: first.at,
                    end: last.at,
                    ends: Some((&first.code, &last.code)),
                })
            }
            Detail::VenueLearning(visit) => {
                let end = outcome.completed_on.to_datetime(outcome.completed_at?);
                Some(Self {
                    start: end.saturating_sub(Span::new().minutes(visit.minutes)),
                    end,
                    ends: None,
                })
            }
            _ => None,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start == other.start || (self.start < other.end && other.start < self.end)
    }

    /// Whether the last point of one walk and the first of another, which do not overlap, are too close in time.
    fn is_too_fast(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.ends, other.ends) else {
            return false;
        };
        if self.start < other.start {
            is_jump((own.1, self.end), (others.0, other.start))
        } else {
            is_jump((others.1, other.end), (own.0, self.start))
        }
    }
}

/// Whether nobody walks from one point to the other in that time.
fn is_jump(from: (&Code, DateTime), to: (&Code, DateTime)) -> bool {
    let soonest = from.1.saturating_add(Span::new().minutes(WALK_GAP_MINUTES));
    from.0 != to.0 && to.1 < soonest
}

fn has_jump(points: &[WalkPoint]) -> bool {
    let mut pairs = points.windows(2);
    pairs.any(|pair| is_jump((&pair[0].code, pair[0].at), (&pair[1].code, pair[1].at)))
}

/// What is taken already: times, and points by rule and day.
#[derive(Default)]
struct Taken<'a> {
    activities: Vec<Activity<'a>>,
    points: BTreeMap<(String, Date), u32>,
}

impl<'a> Taken<'a> {
    /// How many points an activity earns under a rule, and why not more.
    fn grant(&self, rule: &EarningRule, activity: &Activity<'a>) -> (u32, Option<Why>) {
        if let Some(why) = self.conflict(activity) {
            return (0, Some(why));
        }
        let points = rule.points(&activity.held.outcome);
        if points == 0 {
            return (0, Some(Why::NotEnough));
        }
        let key = (rule.id.clone(), activity.held.outcome.completed_on);
        let before = self.points.get(&key).copied().unwrap_or(0);
        let room = rule.day_max.unwrap_or(u32::MAX).saturating_sub(before);
        let granted = points.min(room);
        let withheld = points - granted;
        (
            granted,
            (withheld > 0).then_some(Why::DayMax { points: withheld }),
        )
    }

    fn conflict(&self, activity: &Activity<'a>) -> Option<Why> {
        let span = activity.span.as_ref()?;
        if let Detail::HumanitiesWalk(walk) = &activity.held.outcome.detail
            && has_jump(&walk.points)
        {
            let with = activity.held.leaf;
            return Some(Why::TooFast { with });
        }
        self.activities.iter().find_map(|other| {
            let (earlier, with) = (other.span.as_ref()?, other.held.leaf);
            if span.overlaps(earlier) {
                Some(Why::Overlaps { with })
            } else if span.is_too_fast(earlier) {
                Some(Why::TooFast { with })
            } else {
                None
            }
        })
    }

    fn fill(&mut self, rule: &str, activity: Activity<'a>, points: u32) {
        let key = (rule.to_owned(), activity.held.outcome.completed_on);
        let sum = self.points.entry(key).or_default();
        *sum = sum.saturating_add(points);
        if activity.span.is_some() {
            self.activities.push(activity);
        }
    }
}
