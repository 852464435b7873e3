//! The problem as an integer program.
//!
//! One choice an offer; for an offer of several courses one a course; whole multiples of the unit for credit without a
//! course. All amounts are in grains, the largest amount that divides them all.
//!
//! That is what an offer may be granted at most. What it is granted at least takes much more to say: credit is cut only
//! by a limit that is used up, by modules that are full or by courses that have their credit already, so wherever an
//! offer is granted less than it could be, a further choice must name what stopped it, among all that comes before. It
//! is said of the offers in [`Question::exact`] alone.

use std::collections::BTreeMap;

use creditbank_domain::rules::{Missing, Offer, Problem, Share, Unit};

use crate::search::Aim;
use crate::solver::{Optimum, Program, Solved, Sum, Work};

/// Most candidates whose order is decided by one call: their weights are powers of two.
pub(crate) const BLOCK: usize = 12;

/// What is asked of one call.
pub(crate) struct Question<'q> {
    /// What a choice must achieve.
    pub(crate) aim: Aim,
    /// The offers of which the model says all it can: what each is granted at least. It would grow with the square of
    /// their number.
    pub(crate) exact: &'q [bool],
    /// Choices that are known not to do.
    pub(crate) excluded: &'q [Vec<bool>],
    /// What is asked for.
    pub(crate) wanted: Wanted<'q>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'q> {
    /// The best score, if it is above this one.
    Best(Option<i64>),
    /// A score that is reached, and how the offers from the first on are fixed; the next [`BLOCK`] of them are put in
    /// order.
    Order(i64, &'q [bool]),
}

/// What the solver found.
pub(crate) enum Answer {
    /// A choice and its score, which no choice exceeds that the question admits.
    Best(Vec<bool>, i64),
    /// A choice that the question admits, before it gave up.
    Some(Vec<bool>),
    /// No choice is admitted.
    Impossible,
    /// It gave up.
    Unknown,
}

/// Asks the solver.
pub(crate) fn ask(
    problem: &Problem,
    scale: Scale,
    question: &Question<'_>,
    work: &mut Work,
) -> Answer {
    let mut model = Model::new(problem, scale);
    model.choices();
    model.budgets();
    model.courses();
    model.rooms();
    for offer in (0..problem.offers.len()).filter(|offer| question.exact[*offer]) {
        model.grants(offer);
        model.cuts(offer);
    }
    if question.aim == Aim::Complete {
        model.completion();
    }
    for excluded in question.excluded {
        model.exclude(excluded);
    }
    let score = model.score(question.aim);
    let objective = match question.wanted {
        Wanted::Best(above) => {
            if let Some(above) = above {
                model.program.at_least(&score, &Sum::constant(above + 1));
            }
            score.clone()
        }
        Wanted::Order(floor, fixed) => {
            model.program.at_least(&score, &Sum::constant(floor));
            model.order(fixed)
        }
    };
    let chosen = |optimum: &Optimum| model.x.iter().map(|x| optimum.value(x) == 1).collect();
    match model.program.maximise(&objective, work) {
        Solved::Optimum(optimum) => Answer::Best(chosen(&optimum), optimum.value(&score)),
        Solved::Feasible(optimum) => Answer::Some(chosen(&optimum)),
        Solved::Impossible => Answer::Impossible,
        Solved::Unknown => Answer::Unknown,
    }
}

/// How credits and outcomes are put into one number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// All amounts are multiples of this, in hundredths.
    grain: u64,
    /// More than all credits together, in grains.
    credits: i64,
    /// More than all outcomes together.
    outcomes: i64,
}

impl Scale {
    pub(crate) fn new(problem: &Problem) -> Self {
        let parts = problem.offers.iter().flat_map(|offer| &offer.parts);
        let grain = parts.clone().fold(problem.unit, |grain, part| {
            let grain = divisor(grain, part.rest);
            divisor(divisor(grain, part.least), part.most)
        });
        let credits: u64 = parts.map(|part| part.most / grain).sum();
        let outcomes: usize = problem.offers.iter().map(spends).sum();
        Self {
            grain,
            credits: credits as i64 + 1,
            outcomes: outcomes as i64 + 1,
        }
    }

    /// The score of so many credits, in hundredths, for so many outcomes; more is better.
    pub(crate) fn score(self, aim: Aim, credits: u64, outcomes: usize) -> i64 {
        let (of_credits, of_outcomes) = self.weights(aim);
        self.grains(credits) * of_credits - outcomes as i64 * of_outcomes
    }

    const fn weights(self, aim: Aim) -> (i64, i64) {
        match aim {
            Aim::Credits => (self.outcomes, 1),
            Aim::Complete => (1, self.credits),
        }
    }

    const fn grains(self, hundredths: u64) -> i64 {
        (hundredths / self.grain) as i64
    }
}

struct Model<'p> {
    problem: &'p Problem,
    scale: Scale,
    program: Program,
    /// By offer: whether it is chosen.
    x: Vec<Sum>,
    /// By offer and part.
    parts: Vec<Vec<Granted>>,
    /// By budget: the parts that it counts, as offer and part, in order.
    counted: Vec<Vec<(usize, usize)>>,
    /// By budget: whether its limit can be reached at all.
    binds: Vec<bool>,
}

/// What a part is granted.
struct Granted {
    /// Credits.
    credits: Sum,
    /// For a course, whether it is granted.
    course: Option<Sum>,
    /// For other credit, how it lies in modules.
    modules: Vec<(usize, Sum)>,
}

impl<'p> Model<'p> {
    fn new(problem: &'p Problem, scale: Scale) -> Self {
        let mut program = Program::default();
        let x = problem.offers.iter().map(|_| program.choice()).collect();
        let mut counted = vec![Vec::new(); problem.budgets.len()];
        for (at, _, part) in each_part(problem) {
            part.budgets
                .iter()
                .for_each(|(budget, _)| counted[*budget].push(at));
        }
        let mut model = Self {
            problem,
            scale,
            program,
            x,
            parts: Vec::new(),
            binds: Vec::new(),
            counted,
        };
        model.parts = (0..problem.offers.len())
            .map(|offer| model.parts_of(offer))
            .collect();
        model.binds = (0..problem.budgets.len())
            .map(|budget| model.can_bind(budget))
            .collect();
        model
    }

    fn parts_of(&mut self, offer: usize) -> Vec<Granted> {
        let it = &self.problem.offers[offer];
        let is_single = it.parts.len() == 1;
        let parts = it.parts.iter().map(|part| {
            if part.course.is_none() {
                return self.unassigned(part);
            }
            let course = if is_single {
                self.x[offer].clone()
            } else {
                self.program.choice()
            };
            Granted {
                credits: self.course(part, &course),
                course: Some(course),
                modules: Vec::new(),
            }
        });
        parts.collect()
    }

    /// Credit for a course: whole, or within the little that rounding may take.
    fn course(&mut self, part: &Share, course: &Sum) -> Sum {
        let credits = course.times(self.scale.grains(part.least));
        let more = (part.most - part.least).div_ceil(self.problem.unit);
        if more == 0 {
            return credits;
        }
        let units = self.program.whole(more);
        self.program.at_most(&units, &course.times(more as i64));
        credits.plus(self.scale.grains(self.problem.unit), &units)
    }

    /// Credit without a course: whole units, lying in one module or several.
    fn unassigned(&mut self, part: &Share) -> Granted {
        let units = self.program.whole(part.most / self.problem.unit);
        let credits = units.times(self.scale.grains(self.problem.unit));
        let modules: Vec<(usize, Sum)> = match part.modules.as_slice() {
            [module] => vec![(*module, credits.clone())],
            modules => {
                let most = self.scale.grains(part.most) as u64;
                let lies = modules
                    .iter()
                    .map(|module| (*module, self.program.real(0, most)));
                let lies: Vec<(usize, Sum)> = lies.collect();
                let sum = lies.iter().map(|(_, inside)| inside).sum();
                self.program.equal(&sum, &credits);
                lies
            }
        };
        Granted {
            credits,
            course: None,
            modules,
        }
    }

    fn can_bind(&self, budget: usize) -> bool {
        let it = self.problem.budgets[budget];
        let spent = self.counted[budget].iter().map(|(offer, part)| {
            let part = &self.problem.offers[*offer].parts[*part];
            match it.unit {
                Unit::Credits => part.most,
                Unit::Courses => part.course.is_some().into(),
                Unit::Outcomes => new_outcomes(part, budget),
            }
        });
        spent.sum::<u64>() > it.left
    }

    /// What each offer needs and excludes.
    fn choices(&mut self) {
        let mut users: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (offer, it) in self.problem.offers.iter().enumerate() {
            for leaf in &it.proposed.outcomes {
                users.entry(*leaf).or_default().push(offer);
            }
        }
        let one = Sum::constant(1);
        for offers in users.values().filter(|offers| offers.len() > 1) {
            let sum = offers.iter().map(|offer| &self.x[*offer]).sum();
            self.program.at_most(&sum, &one);
        }
        for (first, second) in &self.problem.exclusions {
            let sum = self.x[*first].clone().plus(1, &self.x[*second]);
            self.program.at_most(&sum, &one);
        }
        for (offer, it) in self.problem.offers.iter().enumerate() {
            self.offer(offer, it);
        }
    }

    /// An offer that is chosen is granted something, one that is not nothing, and none more than it is worth.
    fn offer(&mut self, offer: usize, it: &Offer) {
        let (x, parts) = (&self.x[offer], &self.parts[offer]);
        for (part, granted) in it.parts.iter().zip(parts) {
            match &granted.course {
                Some(_) if parts.len() == 1 => {}
                Some(course) => self.program.at_most(course, x),
                None => {
                    let most = self.scale.grains(part.most);
                    self.program.at_most(&granted.credits, &x.times(most));
                }
            }
        }
        let all: Sum = parts.iter().map(|it| &it.credits).sum();
        let least = it
            .parts
            .iter()
            .map(|part| part.most.min(self.problem.unit))
            .min();
        let least = self.scale.grains(least.unwrap_or(0));
        self.program.at_least(&all, &x.times(least));
        if it.most < it.parts.iter().map(|part| part.most).sum() {
            self.program
                .at_most(&all, &x.times(self.scale.grains(it.most)));
        }
        if parts.len() > it.pick {
            let courses = parts.iter().filter_map(|it| it.course.as_ref()).sum();
            self.program.at_most(&courses, &x.times(it.pick as i64));
        }
    }

    /// Limits leave what they leave.
    fn budgets(&mut self) {
        for (budget, it) in self.problem.budgets.iter().enumerate() {
            if !self.binds[budget] {
                continue;
            }
            let spent = self.spent(budget, self.problem.offers.len());
            let has_course = |(offer, part): &(usize, usize)| {
                self.problem.offers[*offer].parts[*part].course.is_some()
            };
            let left = match it.unit {
                Unit::Credits if self.counted[budget].iter().any(has_course) => {
                    self.scale.grains(it.left)
                }
                Unit::Credits => self
                    .scale
                    .grains(it.left / self.problem.unit * self.problem.unit),
                Unit::Courses | Unit::Outcomes => it.left as i64,
            };
            self.program.at_most(&spent, &Sum::constant(left));
        }
    }

    /// What the offers before `until` spend of a budget. Outcomes are counted where all parts of an offer count, so that
    /// it is certain that one of them does.
    fn spent(&self, budget: usize, until: usize) -> Sum {
        let parts = self.counted[budget]
            .iter()
            .take_while(|(offer, _)| *offer < until);
        let granted = |(offer, part): &(usize, usize)| &self.parts[*offer][*part];
        match self.problem.budgets[budget].unit {
            Unit::Credits => parts.map(|at| &granted(at).credits).sum(),
            Unit::Courses => parts.filter_map(|at| granted(at).course.as_ref()).sum(),
            Unit::Outcomes => {
                let mut sum = Sum::default();
                for (offer, part) in parts {
                    let all = &self.problem.offers[*offer].parts;
                    let counts = |part: &Share| part.budgets.iter().any(|(it, _)| *it == budget);
                    if *part == 0 && all.iter().all(counts) {
                        sum.add(new_outcomes(&all[0], budget) as i64, &self.x[*offer]);
                    }
                }
                sum
            }
        }
    }

    /// Every course once.
    fn courses(&mut self) {
        let mut by_code: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for (at, _, part) in each_part(self.problem) {
            if let Some((code, _)) = &part.course {
                by_code.entry(code).or_default().push(at);
            }
        }
        for places in by_code.values() {
            let granted =
                |(offer, part): &(usize, usize)| self.parts[*offer][*part].course.as_ref();
            let sum = places.iter().filter_map(granted).sum();
            self.program.at_most(&sum, &Sum::constant(1));
        }
    }

    /// Of several courses that are granted together, each is that nothing stops.
    fn grants(&mut self, offer: usize) {
        let it = &self.problem.offers[offer];
        if it.parts.len() == 1 || !it.is_firm {
            return;
        }
        let courses = it.parts.iter().filter(|share| share.course.is_some());
        for share in courses.filter(|share| share.least > 0) {
            let mut done = self.taken(offer, share);
            for (budget, _) in &share.budgets {
                if self.binds[*budget] {
                    let full = self.full(*budget, offer, share.asked);
                    done.add(1, &self.stop(offer, &[full]));
                }
            }
            self.program.at_least(&done, &self.x[offer]);
        }
    }

    /// Whether a course has credit from an offer or one before it.
    fn taken(&self, offer: usize, share: &Share) -> Sum {
        let same = |(at, _, other): &((usize, usize), &Offer, &Share)| {
            at.0 <= offer && other.course == share.course
        };
        let places = each_part(self.problem).filter(same);
        places
            .filter_map(|((offer, part), ..)| self.parts[offer][part].course.as_ref())
            .sum()
    }

    /// What the offers up to one spend of a budget, and from what on a course of so much credit is refused.
    fn full(&self, budget: usize, offer: usize, asked: u64) -> (Sum, i64) {
        let it = self.problem.budgets[budget];
        let spent = self.spent(budget, offer + 1);
        let enough = match it.unit {
            Unit::Credits => (it.left + 1)
                .saturating_sub(asked)
                .div_ceil(self.scale.grain) as i64,
            Unit::Courses => it.left as i64,
            // Not every outcome that counts is in the sum.
            Unit::Outcomes => 0,
        };
        (spent, enough)
    }

    /// Modules hold what they hold, in whole units.
    fn rooms(&mut self) {
        for (module, room) in self.problem.rooms.iter().enumerate() {
            let granted = self.parts.iter().flatten().flat_map(|it| &it.modules);
            let inside = granted.filter(|(at, _)| *at == module);
            let sum = inside.map(|(_, credits)| credits).sum();
            let room = room / self.problem.unit * self.problem.unit;
            self.program
                .at_most(&sum, &Sum::constant(self.scale.grains(room)));
        }
    }

    /// Credit without a course is whole unless something stops it that is named: a limit that is used up, or modules
    /// that are full. What is left of a source is whole but for what other parts take of it.
    fn cuts(&mut self, offer: usize) {
        let it = &self.problem.offers[offer];
        for (part, share) in it.parts.iter().enumerate() {
            let least = match share.rest {
                0 if share.course.is_some() || !it.is_firm => continue,
                0 => self.scale.grains(share.least),
                rest => self.scale.grains(rest.min(share.most)),
            };
            let unit = self.scale.grains(self.problem.unit);
            let mut stopped = Sum::default();
            let budgets = share.budgets.iter().map(|(budget, _)| *budget);
            for budget in budgets {
                if !self.can_cut(budget) {
                    continue;
                }
                let spent = self.spent(budget, offer + 1);
                let it = self.problem.budgets[budget];
                // A limit that does not cut still takes what rounding would add.
                let most = if it.cuts { least } else { unit.min(least) };
                let full = (spent, self.used_up(it.left));
                stopped.add(most, &self.stop(offer, &[full]));
            }
            if self.can_fill(&share.modules) {
                let modules = share.modules.iter();
                let full = modules.map(|at| {
                    let inside = self.inside(*at, offer + 1);
                    (inside, self.used_up(self.problem.rooms[*at]))
                });
                let full: Vec<(Sum, i64)> = full.collect();
                stopped.add(least, &self.stop(offer, &full));
            }
            let mut granted = self.parts[offer][part].credits.clone();
            if share.rest > 0 {
                granted.add(1, &self.costs(offer, it));
                // Others may have taken the courses of an offer that is not chosen.
                let all = self
                    .scale
                    .grains(it.parts.iter().map(|part| part.most).sum());
                let left = Sum::constant(self.scale.grains(share.rest) + all);
                let chosen = granted.clone().plus(all, &self.x[offer]);
                self.program.at_most(&chosen, &left);
            }
            granted.add(1, &stopped);
            self.program.at_least(&granted, &self.x[offer].times(least));
        }
    }

    /// What an offer's parts take of its source, before what is left of it.
    fn costs(&self, offer: usize, it: &Offer) -> Sum {
        let mut costs = Sum::default();
        for (share, granted) in it.parts.iter().zip(&self.parts[offer]) {
            if share.course.is_some() {
                costs.add(self.scale.grains(share.most), &self.taken(offer, share));
            } else if share.rest == 0 {
                costs.add(1, &granted.credits);
            }
        }
        costs
    }

    /// A choice that is one only if each sum is at least so much.
    fn stop(&mut self, offer: usize, full: &[(Sum, i64)]) -> Sum {
        let stop = self.program.choice();
        self.program.at_most(&stop, &self.x[offer]);
        for (spent, enough) in full {
            self.program.at_least(spent, &stop.times(*enough));
        }
        stop
    }

    /// From how many grains on so much is used up to less than a unit.
    fn used_up(&self, left: u64) -> i64 {
        let enough = (left + 1).saturating_sub(self.problem.unit);
        enough.div_ceil(self.scale.grain) as i64
    }

    fn can_cut(&self, budget: usize) -> bool {
        self.problem.budgets[budget].unit == Unit::Credits && self.binds[budget]
    }

    fn can_fill(&self, modules: &[usize]) -> bool {
        let inside = |part: &Share| {
            let course = part
                .course
                .as_ref()
                .is_some_and(|(_, at)| modules.contains(at));
            course || part.modules.iter().any(|at| modules.contains(at))
        };
        let parts = each_part(self.problem).map(|(_, _, part)| part);
        let most: u64 = parts
            .filter(|part| inside(part))
            .map(|part| part.most)
            .sum();
        most > modules.iter().map(|at| self.problem.rooms[*at]).sum()
    }

    /// Credit that the offers before `until` put into a module.
    fn inside(&self, module: usize, until: usize) -> Sum {
        let mut sum = Sum::default();
        for ((offer, part), _, share) in each_part(self.problem) {
            let granted = &self.parts[offer][part];
            if offer < until && share.course.as_ref().is_some_and(|(_, at)| *at == module) {
                sum.add(1, &granted.credits);
            }
            for (_, credits) in granted
                .modules
                .iter()
                .filter(|(at, _)| offer < until && *at == module)
            {
                sum.add(1, credits);
            }
        }
        sum
    }

    /// The programme is complete: courses, modules, credit at its level and of its minima, and the whole. Amounts in hundredths, since
    /// those of the programme need not be whole grains.
    fn completion(&mut self) {
        let (all, grain) = (self.problem.offers.len(), self.scale.grain as i64);
        let progress = &self.problem.progress;
        let mut counted = Sum::default();
        for (module, it) in progress.modules.iter().enumerate() {
            let has = u64::from(it.credits.hundredths());
            let least = has.max(it.min.hundredths().into());
            let most = self.problem.most[module]
                .unwrap_or(u32::MAX.into())
                .max(has);
            if least > most {
                // What the module asks for is more than what counts in it.
                self.program.at_least(&Sum::default(), &Sum::constant(1));
                return;
            }
            let credits = self.program.real(least, most);
            let inside = Sum::constant(has as i64).plus(grain, &self.inside(module, all));
            self.program.at_most(&credits, &inside);
            counted.add(1, &credits.plus(-1, &Sum::constant(has as i64)));
        }
        for missing in &progress.missing {
            let parts = each_part(self.problem);
            let granted = parts.map(|((offer, part), _, share)| (share, &self.parts[offer][part]));
            let (sum, needed) = match missing {
                Missing::Module { .. } => continue,
                Missing::Course(code) => {
                    let of_course = granted.filter(|(share, _)| {
                        share.course.as_ref().is_some_and(|(it, _)| it == code)
                    });
                    (of_course.filter_map(|(_, it)| it.course.as_ref()).sum(), 1)
                }
                Missing::Residency(credits) => (Sum::default(), credits.hundredths().into()),
                Missing::AtLevel(credits) => {
                    let high = granted.filter(|(share, _)| share.at_level);
                    let sum: Sum = high.map(|(_, it)| &it.credits).sum();
                    (sum.times(grain), credits.hundredths().into())
                }
                Missing::Minimum { minimum, credits } => {
                    let of_kind = granted.filter(|(share, _)| share.minima.contains(minimum));
                    let sum: Sum = of_kind.map(|(_, it)| &it.credits).sum();
                    (sum.times(grain), credits.hundredths().into())
                }
                Missing::Total(credits) => (counted.clone(), credits.hundredths().into()),
            };
            self.program.at_least(&sum, &Sum::constant(needed));
        }
    }

    /// Any choice but this one.
    fn exclude(&mut self, choice: &[bool]) {
        let mut changed = Sum::default();
        for (x, chosen) in self.x.iter().zip(choice) {
            changed.add(i64::from(*chosen), &Sum::constant(1));
            changed.add(if *chosen { -1 } else { 1 }, x);
        }
        self.program.at_least(&changed, &Sum::constant(1));
    }

    /// Fixes the first offers; the weights of the next ones, so that the largest sum contains the first that can be.
    fn order(&mut self, fixed: &[bool]) -> Sum {
        for (x, value) in self.x.iter().zip(fixed) {
            self.program.equal(x, &Sum::constant((*value).into()));
        }
        let mut objective = Sum::default();
        for (at, x) in self.x.iter().skip(fixed.len()).take(BLOCK).enumerate() {
            objective.add(1 << (BLOCK - 1 - at), x);
        }
        objective
    }

    fn score(&self, aim: Aim) -> Sum {
        let (of_credits, of_outcomes) = self.scale.weights(aim);
        let credits: Sum = self.parts.iter().flatten().map(|it| &it.credits).sum();
        let mut score = credits.times(of_credits);
        for (offer, x) in self.problem.offers.iter().zip(&self.x) {
            score.add(-of_outcomes * spends(offer) as i64, x);
        }
        score
    }
}

/// Every part, with its offer and its place: offer and part.
fn each_part(problem: &Problem) -> impl Iterator<Item = ((usize, usize), &Offer, &Share)> {
    problem.offers.iter().enumerate().flat_map(|(offer, it)| {
        let parts = it.parts.iter().enumerate();
        parts.map(move |(part, share)| ((offer, part), it, share))
    })
}

fn spends(offer: &Offer) -> usize {
    offer.proposed.outcomes.len()
}

fn new_outcomes(share: &Share, budget: usize) -> u64 {
    let mut budgets = share.budgets.iter();
    budgets
        .find(|(it, _)| *it == budget)
        .map_or(0, |(_, new)| *new)
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
