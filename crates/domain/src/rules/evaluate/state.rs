//! What a decision has granted so far: the outcomes used, the courses recognised, the modules filled, the limits spent.
//! What one use took can be given back.

use super::super::amount::Exact;
use super::super::archive::Entry;
use super::super::decision::{Counted, LineTarget};
use super::super::rule::Rule;
use super::super::wholes::Node;
use super::context::Context;
use super::limits::{Asking, Limits, Tally};
use crate::{Credit, LeafIndex};

/// What is granted so far, by this decision and those before it.
#[derive(Debug)]
pub(in crate::rules) struct State<'a> {
    pub(in crate::rules) context: &'a Context<'a>,
    pub(super) limits: Limits<'a>,
    /// By outcome of the archive.
    used: Vec<bool>,
    /// Wholes and parts that have credit in the programme, with the outcomes that have it.
    nodes: Vec<(Node, LeafIndex)>,
    /// By course of the programme.
    courses: Vec<Standing>,
    /// By module: credit of studied and recognised courses and credit that no course is tied to, in hundredths.
    modules: Vec<u64>,
}

/// Where a course stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Studied,
    Recognised,
}

/// Where granted credit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Course(u32),
    Module(u32),
    Nothing,
}

/// Credit granted for one target.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) spot: Spot,
    pub(super) credits: Credit,
    /// What it spends of the source's credits, in hundredths.
    pub(super) spent: u64,
    pub(super) tallies: Vec<Tally>,
}

impl<'a> State<'a> {
    /// Before the first use.
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        Self::with(context, Limits::new(context))
    }

    /// The same without limits.
    pub(in crate::rules) fn unlimited(context: &'a Context<'a>) -> Self {
        Self::with(context, Limits::none())
    }

    fn with(context: &'a Context<'a>, limits: Limits<'a>) -> Self {
        let mut state = Self {
            context,
            limits,
            used: vec![false; context.archive.len()],
            nodes: Vec::new(),
            courses: vec![Standing::Open; context.plan.len()],
            modules: vec![0; context.programme.modules.len()],
        };
        state.add_earlier();
        state.add_studied();
        state
    }

    fn add_earlier(&mut self) {
        for line in self.context.earlier_lines() {
            let plan = self.context.plan;
            match &line.to {
                LineTarget::Course(code) => {
                    if let Some(course) = plan.by_code(code) {
                        self.take(Spot::Course(course), line.credits);
                    }
                }
                LineTarget::Module(id) => {
                    if let Some(module) = plan.module(id) {
                        self.take(Spot::Module(module), line.credits);
                    }
                }
                LineTarget::Nothing => {}
            }
            let places = line
                .outcomes
                .iter()
                .filter_map(|leaf| self.context.find(*leaf));
            let places: Vec<usize> = places.collect();
            self.occupy(&places);
        }
    }

    fn add_studied(&mut self) {
        for at in 0..self.context.archive.len() {
            let Some(course) = self.context.studied[at] else {
                continue;
            };
            self.occupy(&[at]);
            match self.standing(course) {
                Standing::Open => {
                    let credits = self.context.course(course).credits;
                    self.take(Spot::Course(course), credits);
                    self.courses[course as usize] = Standing::Studied;
                }
                Standing::Recognised => self.courses[course as usize] = Standing::Studied,
                Standing::Studied => {}
            }
        }
    }

    pub(super) fn standing(&self, course: u32) -> Standing {
        self.courses[course as usize]
    }

    /// Room for unassigned credit in a module, in hundredths.
    pub(super) fn room(&self, module: u32) -> u64 {
        let capacity = self.context.plan.capacity(module);
        capacity.saturating_sub(self.modules[module as usize])
    }

    /// Whether an outcome was used by an earlier use of the proposal.
    pub(super) fn is_used(&self, at: usize) -> bool {
        self.used[at]
    }

    /// The first outcome with credit in the programme that contains this one or is contained in it.
    pub(super) fn related(&self, entry: &Entry<'_>) -> Option<LeafIndex> {
        let wholes = &self.context.set.wholes;
        let is_related = |other: Node| {
            let mut nodes = entry.nodes.iter().flatten();
            nodes.any(|node| wholes.is_related(*node, other))
        };
        let related = self.nodes.iter().filter(|(node, _)| is_related(*node));
        related.map(|(_, leaf)| *leaf).min()
    }

    /// Marks outcomes as used for the programme.
    pub(super) fn occupy(&mut self, sources: &[usize]) {
        for at in sources {
            let entry = &self.context.archive[*at];
            self.used[*at] = true;
            let nodes = entry.nodes.iter().flatten();
            self.nodes
                .extend(nodes.map(|node| (*node, entry.held.leaf)));
        }
    }

    /// Takes a course or room in a module.
    pub(super) fn take(&mut self, spot: Spot, credits: Credit) {
        let module = match spot {
            Spot::Course(course) => {
                self.courses[course as usize] = Standing::Recognised;
                self.context.plan.module_of(course)
            }
            Spot::Module(module) => module,
            Spot::Nothing => return,
        };
        self.modules[module as usize] += u64::from(credits.hundredths());
    }

    /// Gives back everything that a use was granted.
    pub(super) fn give_back(&mut self, granted: &[Granted]) {
        for it in granted.iter().rev() {
            let module = match it.spot {
                Spot::Course(course) => {
                    self.courses[course as usize] = Standing::Open;
                    self.context.plan.module_of(course)
                }
                Spot::Module(module) => module,
                Spot::Nothing => continue,
            };
            self.modules[module as usize] -= u64::from(it.credits.hundredths());
            let is_course = matches!(it.spot, Spot::Course(_));
            self.limits
                .uncount(it.credits.hundredths(), is_course, &it.tallies);
        }
    }

    /// The limits and groups that count credit without a course from one outcome.
    pub(in crate::rules) fn groups(&mut self, rule: &Rule, at: usize) -> Vec<(usize, usize)> {
        let asking = Asking {
            rule,
            sources: &[at],
            course: None,
            amount: Exact::whole(0),
        };
        let tallies = self.limits.tallies(self.context, asking);
        tallies
            .iter()
            .map(|tally| (tally.limit, tally.group))
            .collect()
    }

    /// What a line says about where it was counted.
    pub(super) fn counted(&self, granted: &Granted) -> Counted {
        self.limits.counted(&granted.tallies)
    }

    /// Where granted credit goes, by code or id.
    pub(super) fn target(&self, spot: Spot) -> LineTarget {
        let context = self.context;
        match spot {
            Spot::Course(course) => LineTarget::Course(context.course(course).code.clone()),
            Spot::Module(module) => {
                LineTarget::Module(context.programme.modules[module as usize].id.clone())
            }
            Spot::Nothing => LineTarget::Nothing,
        }
    }
}
