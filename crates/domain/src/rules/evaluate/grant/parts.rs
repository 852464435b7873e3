//! What a use could be granted at most, part by part, before anything else is chosen: what a plan chooses among.

use super::super::super::amount::Exact;
use super::super::super::rule::{Amount, Rule};
use super::super::super::set::RoundingMode;
use super::super::limits::{Asking, Tally};
use super::super::state::State;
use super::super::targets::{Aim, Wanted, named, unnamed};
use super::Granting;

/// Credit that a use may be granted for one target.
#[derive(Debug)]
pub(in crate::rules::evaluate) struct Part {
    /// The course, or none for credit that no course is tied to.
    pub(in crate::rules::evaluate) course: Option<u32>,
    /// The modules that credit without a course may lie in, in order.
    pub(in crate::rules::evaluate) modules: Vec<u32>,
    /// What it is granted at least, if no limit, room or source stops it, in hundredths.
    pub(in crate::rules::evaluate) least: u64,
    /// What it is granted at most.
    pub(in crate::rules::evaluate) most: u64,
    /// For a course, what limits are asked for.
    pub(in crate::rules::evaluate) asked: u64,
    /// For what is left of the source, the credits that it and the other parts share, where that is all there is to it.
    pub(in crate::rules::evaluate) rest: u64,
    /// Where it is counted.
    pub(in crate::rules::evaluate) tallies: Vec<Tally>,
}

/// The parts of a use that meets its rule, and most that they may be worth together.
pub(in crate::rules::evaluate) fn parts(
    state: &mut State<'_>,
    rule: &Rule,
    sources: &[usize],
    courses: &[String],
) -> (Vec<Part>, u64) {
    let context = state.context;
    let wanted: Vec<Wanted<'_>> = match courses {
        [] => unnamed(context, rule, sources).collect(),
        courses => named(context, rule, sources, courses).unwrap_or_default(),
    };
    let electives = context.electives().to_vec();
    let mut granting = Granting::new(state, rule, sources);
    let mut parts = Vec::new();
    for it in &wanted {
        let Some(aim) = it.aim else { continue };
        let Ok(amount) = granting.amount(it.target, aim) else {
            continue;
        };
        let part = match aim {
            Aim::Course(course) => granting.course_part(course, amount),
            Aim::Module(module) if electives.contains(&module) => {
                granting.unassigned_part(vec![module], amount)
            }
            Aim::Module(_) => None,
            Aim::Electives => granting.unassigned_part(electives.clone(), amount),
        };
        parts.extend(part);
    }
    let mut most = granting.most;
    if let (true, Some(credits)) = (rule.grant.remainder_to_electives, granting.credits) {
        // What targets give comes out of the source, if they do not convert; only then do they leave less of it.
        let given: u64 = parts.iter().map(|part| part.most).sum();
        let mut amounts = rule.grant.targets.iter().map(|target| target.amount);
        let converts = amounts.any(|amount| matches!(amount, Amount::Ratio { .. }));
        most = most.min(if converts {
            given + credits
        } else {
            given.max(credits)
        });
        let left = credits.saturating_sub(granting.spent);
        let rest = granting.unassigned_part(electives, Exact::whole(left));
        let shares = granting.shares(&parts, left);
        parts.extend(rest.map(|part| Part {
            least: 0,
            rest: if shares { left } else { 0 },
            ..part
        }));
    }
    (parts, most)
}

impl Granting<'_, '_, '_> {
    fn course_part(&mut self, at: u32, amount: Exact) -> Option<Part> {
        let course = self.state.context.course(at);
        self.is_open(at, course, amount).ok()?;
        let whole = u64::from(course.credits.hundredths());
        let (least, most) = if amount == Exact::whole(whole) {
            (whole, whole)
        } else {
            // Less than a course is cut to the multiple below where limits leave no room for the rounding.
            let unit = self.state.context.unit();
            let (_, most) = self.multiples(amount, whole.min(self.most));
            (most.min(amount.floor() / unit * unit), most)
        };
        let tallies = self.tallies(Some(at), amount);
        (most > 0).then_some(Part {
            course: Some(at),
            modules: Vec::new(),
            least,
            most,
            asked: amount.ceil(),
            rest: 0,
            tallies,
        })
    }

    fn unassigned_part(&mut self, modules: Vec<u32>, amount: Exact) -> Option<Part> {
        let unit = self.state.context.unit();
        let rooms = modules
            .iter()
            .map(|module| self.state.room(*module) / unit * unit);
        let room: u64 = rooms.sum();
        let (least, most) = self.multiples(amount, u64::MAX);
        let (least, most) = (least.min(room), most.min(room));
        let tallies = self.tallies(None, amount);
        (most > 0 && !modules.is_empty()).then_some(Part {
            course: None,
            modules,
            least,
            most,
            asked: most,
            rest: 0,
            tallies,
        })
    }

    /// Whether what the parts leave of a source is its credits less theirs, whatever is granted: each costs what it is
    /// worth, all targets are looked at, and nothing is rounded.
    fn shares(&self, parts: &[Part], left: u64) -> bool {
        let grant = &self.rule.grant;
        let unit = self.state.context.unit();
        let mut targets = grant.targets.iter();
        let converts = targets.any(|target| matches!(target.amount, Amount::Ratio { .. }));
        let mut amounts = parts.iter().map(|part| (part.least, part.most));
        let are_exact = amounts.all(|(least, most)| least == most && most.is_multiple_of(unit));
        !converts
            && !grant.not_above_source
            && usize::from(grant.pick) >= grant.targets.len()
            && are_exact
            && left.is_multiple_of(unit)
            && parts.iter().map(|part| part.most).sum::<u64>() <= left
    }

    /// The multiples of the unit that an amount may become: one, but for halves that go to the even multiple, which
    /// depend on how the amount falls into modules.
    fn multiples(&self, amount: Exact, limit: u64) -> (u64, u64) {
        let rounding = self.state.context.set.set().rounding;
        let rounded = u64::from(amount.rounded(rounding, limit).hundredths());
        let unit = self.state.context.unit();
        match rounding.mode {
            RoundingMode::HalfEven => (
                amount.floor() / unit * unit,
                amount.ceil().div_ceil(unit) * unit,
            ),
            RoundingMode::Floor | RoundingMode::HalfUp => (rounded, rounded),
        }
    }

    fn tallies(&mut self, course: Option<u32>, amount: Exact) -> Vec<Tally> {
        let context = self.state.context;
        let asking = Asking {
            rule: self.rule,
            sources: self.sources,
            course: course.map(|course| context.course(course)),
            amount,
        };
        self.state.limits.tallies(context, asking)
    }
}
