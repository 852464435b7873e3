//! Stages 5 to 7: what each target is worth, whether it is still open, what the limits let through, rounded once.

mod parts;

pub(super) use self::parts::{Part, parts};
use super::super::amount::Exact;
use super::super::decision::{Finding, Reason};
use super::super::limit::Excess;
use super::super::programme::Course;
use super::super::rule::{Amount, Form, Rule, Target};
use super::conditions;
use super::limits::{Asking, Stopped, Tally};
use super::state::{Granted, Spot, Standing, State};
use super::targets::{Aim, Wanted, as_written, missing, named, unnamed};
use super::trace::Trace;
use crate::{Credit, Hours};

/// Grants what a use is worth, or says why it is worth nothing. What was granted stays taken; on refusal nothing is.
pub(super) fn grant(
    state: &mut State<'_>,
    rule: &Rule,
    sources: &[usize],
    courses: &[String],
    trace: &mut Trace,
) -> Result<Vec<Granted>, Reason> {
    if is_nothing(rule) {
        return Ok(vec![Granted {
            spot: Spot::Nothing,
            credits: Credit::ZERO,
            spent: 0,
            tallies: Vec::new(),
        }]);
    }
    let context = state.context;
    let named = match courses {
        [] => None,
        courses => Some(named(context, rule, sources, courses)?),
    };
    let mut granting = Granting::new(state, rule, sources);
    let done = match named {
        None => granting.all(unnamed(context, rule, sources), trace),
        Some(named) => granting.all(named.into_iter(), trace),
    };
    match done {
        Ok(()) => Ok(granting.granted),
        Err(reason) => {
            let granted = granting.granted;
            state.give_back(&granted);
            Err(reason)
        }
    }
}

/// Whether a rule says that its outcomes are worth nothing.
pub(in crate::rules) fn is_nothing(rule: &Rule) -> bool {
    rule.form == Form::NoCredit
        || (rule.grant.targets.is_empty() && !rule.grant.remainder_to_electives)
}

/// Why a target gets nothing.
enum Stop {
    /// This target; others may get something.
    Target(Reason),
    /// The whole use.
    Use(Reason),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Target(reason)
    }
}

/// The granting of one use.
struct Granting<'s, 'a, 'u> {
    state: &'s mut State<'a>,
    rule: &'u Rule,
    sources: &'u [usize],
    /// Credits of the sources together, in hundredths; none if one of them carries none.
    credits: Option<u64>,
    /// Hours of the sources together, in hundredths; none if one of them carries none.
    hours: Option<u64>,
    /// Credits granted so far.
    given: u64,
    /// Most that may be granted in all.
    most: u64,
    /// The source's credits spent so far, or withheld because what they are worth has credit already.
    spent: u64,
    /// How the amount that is being granted comes from the source.
    amount: Amount,
    granted: Vec<Granted>,
}

impl<'s, 'a, 'u> Granting<'s, 'a, 'u> {
    fn new(state: &'s mut State<'a>, rule: &'u Rule, sources: &'u [usize]) -> Self {
        let archive = &state.context.archive;
        let outcomes = || sources.iter().map(|at| &archive[*at].outcome);
        let credits = outcomes()
            .map(|it| it.credits.map(|it| u64::from(it.hundredths())))
            .sum();
        let hours = outcomes()
            .map(|it| it.hours.map(|it| u64::from(it.hundredths())))
            .sum();
        Self {
            state,
            rule,
            sources,
            credits,
            hours,
            given: 0,
            most: if rule.grant.not_above_source {
                credits.unwrap_or(0)
            } else {
                u64::MAX
            },
            spent: 0,
            amount: Amount::Source,
            granted: Vec::new(),
        }
    }

    fn all<'w>(
        &mut self,
        wanted: impl ExactSizeIterator<Item = Wanted<'w>>,
        trace: &mut Trace,
    ) -> Result<(), Reason> {
        let count = wanted.len();
        let needs_credits =
            self.rule.grant.remainder_to_electives || self.rule.grant.not_above_source;
        if needs_credits && self.credits.is_none() {
            return Err(Reason::CreditsUnknown);
        }
        let (mut taken, mut first_refusal) = (0, None);
        for it in wanted {
            if taken == self.rule.grant.pick {
                break;
            }
            match self.target(&it, trace) {
                Ok(()) => taken += 1,
                Err(Stop::Use(reason)) => return Err(reason),
                Err(Stop::Target(reason)) => {
                    if count > 1 {
                        let to = it.aim.and_then(spot_of).map_or_else(
                            || as_written(&it.target.to),
                            |spot| self.state.target(spot),
                        );
                        let reason = reason.clone();
                        trace.step(self.rule.place, || Finding::Skipped { to, reason });
                    }
                    first_refusal.get_or_insert(reason);
                }
            }
        }
        if taken == 0 && count > 0 {
            return Err(first_refusal.unwrap_or(Reason::TargetMissing));
        }
        self.remainder(trace)
    }

    fn target(&mut self, wanted: &Wanted<'_>, trace: &mut Trace) -> Result<(), Stop> {
        let to = &wanted.target.to;
        let aim = wanted.aim.ok_or_else(|| missing(to, self.sources))?;
        self.amount = wanted.target.amount;
        let amount = self.amount(wanted.target, aim)?;
        if amount.is_zero() {
            return Err(Reason::NoCredit.into());
        }
        match aim {
            Aim::Course(course) => self.course(course, amount, trace),
            Aim::Module(module) => {
                let amount = self.within_source(amount)?;
                let to = Spot::Module(module);
                self.mapped(to, amount, trace);
                if !self.state.context.programme.modules[module as usize].unassigned {
                    return Err(Reason::TargetExcluded.into());
                }
                self.unassigned(&[module], amount, trace)
            }
            Aim::Electives => {
                let amount = self.within_source(amount)?;
                self.electives(amount, trace)
            }
        }
    }

    /// What a target is worth by the rule, exactly; a course never more than its own credits.
    fn amount(&self, target: &Target, aim: Aim) -> Result<Exact, Reason> {
        let programme = self.state.context.programme;
        let own = |credits: Credit| u64::from(credits.hundredths());
        let course = match aim {
            Aim::Course(course) => Some(own(self.state.context.course(course).credits)),
            Aim::Module(_) | Aim::Electives => None,
        };
        let amount = match (target.amount, aim) {
            (Amount::Target, Aim::Module(module)) => {
                Exact::whole(own(programme.modules[module as usize].min))
            }
            (Amount::Target, _) => Exact::whole(course.unwrap_or(0)),
            (Amount::Source, _) => Exact::whole(self.credits.ok_or(Reason::CreditsUnknown)?),
            (Amount::Fixed(credits), _) => Exact::whole(own(credits)),
            (Amount::PerHours(needed), _) => {
                let hours = Hours::ZERO;
                let hours = self.hours.ok_or(Reason::HoursTooFew { hours, needed })?;
                Exact::fraction(hours * 100, needed.hundredths().into())
            }
            (
                Amount::Ratio {
                    numerator,
                    denominator,
                },
                _,
            ) => {
                let credits = self.credits.ok_or(Reason::CreditsUnknown)?;
                Exact::fraction(credits * u64::from(numerator), denominator.into())
            }
        };
        Ok(course.map_or(amount, |most| amount.at_most(most)))
    }

    /// Credit for a course: all of it or none.
    fn course(&mut self, at: u32, amount: Exact, trace: &mut Trace) -> Result<(), Stop> {
        let course = self.state.context.course(at);
        self.is_open(at, course, amount)?;
        if amount.ceil() > self.left() {
            return Err(too_few(self.left(), amount.ceil()).into());
        }
        self.mapped(Spot::Course(at), amount, trace);
        let most = course.credits.hundredths().into();
        self.place(Spot::Course(at), Some(course), amount, most, trace)
    }

    /// Whether a course may have credit under the rule and has none yet.
    fn is_open(&mut self, at: u32, course: &Course, amount: Exact) -> Result<(), Reason> {
        let conditions = &self.rule.conditions;
        conditions::course(self.state.context, conditions, at)?;
        if conditions.credits_not_below_target {
            let credits = self.credits.ok_or(Reason::CreditsUnknown)?;
            if credits < u64::from(course.credits.hundredths()) {
                return Err(too_few(credits, course.credits.hundredths().into()));
            }
        }
        let reason = match self.state.standing(at) {
            Standing::Open => return Ok(()),
            Standing::Studied => Reason::AlreadyStudied,
            Standing::Recognised => Reason::AlreadyRecognised,
        };
        // What it is worth has its credit: it does not become a remainder.
        self.spent += self.cost(amount.floor());
        Err(reason)
    }

    /// Not more than the source's own credits leave, where the rule says so.
    fn within_source(&self, amount: Exact) -> Result<Exact, Reason> {
        let left = self.left();
        if left == 0 {
            return Err(too_few(left, amount.ceil()));
        }
        Ok(amount.at_most(left))
    }

    /// How much may still be granted.
    const fn left(&self) -> u64 {
        self.most.saturating_sub(self.given)
    }

    /// Elective credit, in the modules that take it, in their order.
    fn electives(&mut self, amount: Exact, trace: &mut Trace) -> Result<(), Stop> {
        let open = self.state.context.electives();
        if let Some(first) = open.first() {
            self.mapped(Spot::Module(*first), amount, trace);
        }
        self.unassigned(open, amount, trace)
    }

    /// Credit that no course is tied to, in the first of the modules that has room, the rest in the next.
    fn unassigned(
        &mut self,
        modules: &[u32],
        amount: Exact,
        trace: &mut Trace,
    ) -> Result<(), Stop> {
        let (mut left, mut refusal) = (amount, None);
        let mut granted = false;
        for module in modules {
            let room = self.state.room(*module);
            if room == 0 {
                continue;
            }
            let piece = left.at_most(room);
            let before = self.given;
            match self.place(Spot::Module(*module), None, piece, room, trace) {
                Ok(()) => granted = true,
                Err(Stop::Use(reason)) => return Err(Stop::Use(reason)),
                Err(Stop::Target(reason)) => {
                    refusal.get_or_insert(reason);
                }
            }
            if piece == left {
                break;
            }
            left = left.without(self.given - before);
        }
        if granted {
            return Ok(());
        }
        Err(refusal.unwrap_or(Reason::NoRoom).into())
    }

    /// Holds the limits against an amount, rounds what they let through and takes it. `most` is what the place holds.
    fn place(
        &mut self,
        spot: Spot,
        course: Option<&Course>,
        amount: Exact,
        most: u64,
        trace: &mut Trace,
    ) -> Result<(), Stop> {
        let context = self.state.context;
        let (rule, sources) = (self.rule, self.sources);
        let asking = Asking {
            rule,
            sources,
            course,
            amount,
        };
        let clipped = match self.state.limits.clip(context, asking, trace) {
            Ok(clipped) => clipped,
            Err(Stopped(limit)) => return Err(stop(limit.excess, &limit.id)),
        };
        let rounding = context.set.set().rounding;
        let whole_course =
            course.filter(|it| Exact::whole(it.credits.hundredths().into()) == amount);
        let credits = match whole_course {
            Some(course) => course.credits,
            None => clipped
                .amount
                .rounded(rounding, clipped.most.min(most).min(self.left())),
        };
        if credits == Credit::ZERO {
            return Err(match clipped.bitten {
                Some(limit) => stop(Excess::Trim, &limit.id),
                None => Reason::RoundsToNothing.into(),
            });
        }
        let Exact {
            numerator,
            denominator,
        } = clipped.amount;
        if clipped.amount != Exact::whole(credits.hundredths().into()) {
            let unit = rounding.unit;
            let mode = rounding.mode;
            trace.step(rule.place, || Finding::Rounded {
                numerator,
                denominator,
                credits,
                unit,
                mode,
            });
        }
        self.state.take(spot, credits);
        self.state
            .limits
            .count(context, asking, credits.hundredths(), &clipped.tallies);
        let to = || self.state.target(spot);
        trace.step(rule.place, || Finding::Granted { to: to(), credits });
        self.note(spot, credits, clipped.tallies);
        Ok(())
    }

    fn note(&mut self, spot: Spot, credits: Credit, tallies: Vec<Tally>) {
        let given = u64::from(credits.hundredths());
        let left = self
            .credits
            .map_or(0, |credits| credits.saturating_sub(self.spent));
        let spent = self.cost(given).min(left);
        self.given += given;
        self.spent += spent;
        self.granted.push(Granted {
            spot,
            credits,
            spent,
            tallies,
        });
    }

    /// What credit costs of the source's: as much, unless the target converts.
    fn cost(&self, credits: u64) -> u64 {
        match self.amount {
            Amount::Ratio {
                numerator,
                denominator,
            } if numerator > 0 => (credits * u64::from(denominator)).div_ceil(numerator.into()),
            _ => credits,
        }
    }

    /// What is left of the source: elective credit where the rule says so, else unused.
    fn remainder(&mut self, trace: &mut Trace) -> Result<(), Reason> {
        // Without credits something else was granted: what needs them has refused before.
        let Some(credits) = self.credits else {
            return Ok(());
        };
        let left = credits.saturating_sub(self.spent);
        if self.rule.grant.remainder_to_electives && left > 0 {
            let before = self.given;
            self.most = self.most.min(before + left);
            self.amount = Amount::Source;
            let as_electives = self.electives(Exact::whole(left), trace);
            if let Err(Stop::Use(reason)) = as_electives {
                return Err(reason);
            }
            if let (Err(Stop::Target(reason)), true) = (as_electives, self.granted.is_empty()) {
                return Err(reason);
            }
            let credits = Credit::from_hundredths(saturated(self.given - before));
            if credits > Credit::ZERO {
                let to_electives = true;
                trace.step(self.rule.place, || Finding::Remainder {
                    credits,
                    to_electives,
                });
            }
        }
        if self.granted.is_empty() {
            return Err(Reason::NoCredit);
        }
        let spent: u64 = self.granted.iter().map(|it| it.spent).sum();
        let credits = Credit::from_hundredths(saturated(credits.saturating_sub(spent)));
        if self.spends_credits() && credits > Credit::ZERO {
            let to_electives = false;
            trace.step(self.rule.place, || Finding::Remainder {
                credits,
                to_electives,
            });
        }
        Ok(())
    }

    /// Whether the rule gives credit for credit, so that what is left means something.
    fn spends_credits(&self) -> bool {
        let grant = &self.rule.grant;
        let mut targets = grant.targets.iter();
        let by_source =
            |target: &Target| matches!(target.amount, Amount::Source | Amount::Ratio { .. });
        grant.remainder_to_electives || grant.not_above_source || targets.any(by_source)
    }

    fn mapped(&self, spot: Spot, amount: Exact, trace: &mut Trace) {
        let by_hours = || {
            let mut targets = self.rule.grant.targets.iter();
            targets.any(|target| matches!(target.amount, Amount::PerHours(_)))
        };
        let hours = self.hours.filter(|_| by_hours());
        if let Some(hours) = hours {
            let hours = Hours::from_hundredths(saturated(hours));
            trace.step(self.rule.place, || Finding::HoursSummed { hours });
        }
        trace.step(self.rule.place, || Finding::Mapped {
            to: self.state.target(spot),
            source: saturated(hours.or(self.credits).unwrap_or(0)),
            numerator: amount.numerator,
            denominator: amount.denominator,
        });
    }
}

fn spot_of(aim: Aim) -> Option<Spot> {
    match aim {
        Aim::Course(course) => Some(Spot::Course(course)),
        Aim::Module(module) => Some(Spot::Module(module)),
        Aim::Electives => None,
    }
}

fn stop(excess: Excess, limit: &str) -> Stop {
    let reason = Reason::LimitReached {
        limit: limit.to_owned(),
    };
    match excess {
        Excess::Trim => Stop::Target(reason),
        Excess::Refuse => Stop::Use(reason),
    }
}

fn too_few(credits: u64, needed: u64) -> Reason {
    Reason::CreditsTooFew {
        credits: Credit::from_hundredths(saturated(credits)),
        needed: Credit::from_hundredths(saturated(needed)),
    }
}

fn saturated(hundredths: u64) -> u32 {
    u32::try_from(hundredths).unwrap_or(u32::MAX)
}
