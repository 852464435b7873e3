//! Where a learner stands in a programme, and what is missing.

use super::decision::{Line, LineTarget, Missing, ModuleProgress, Progress};
use super::evaluate::Context;
use super::programme::ModuleKind;
use super::set::FrameworkLevel;
use crate::Credit;

/// The programme with what was studied, what earlier decisions granted and what `lines` grant. A course counts once;
/// studied, if it is both.
pub(super) fn progress(context: &Context<'_>, lines: &[Line]) -> Progress {
    let mut sums = Sums::new(context);
    sums.add_studied();
    for line in context.earlier_lines() {
        sums.add(line);
    }
    for line in lines {
        sums.add(line);
    }
    sums.finish()
}

/// Sums in hundredths.
struct Sums<'c, 'a> {
    context: &'c Context<'a>,
    /// By course of the programme.
    done: Vec<bool>,
    modules: Vec<u64>,
    studied: u64,
    recognised: u64,
    /// Recognised credit for something that the programme no longer has.
    elsewhere: u64,
    at_level: u64,
    /// By minimum of the programme.
    minima: Vec<u64>,
}

impl<'c, 'a> Sums<'c, 'a> {
    fn new(context: &'c Context<'a>) -> Self {
        Self {
            context,
            done: vec![false; context.plan.len()],
            modules: vec![0; context.programme.modules.len()],
            studied: 0,
            recognised: 0,
            elsewhere: 0,
            at_level: 0,
            minima: vec![0; context.programme.minima.len()],
        }
    }

    fn add_studied(&mut self) {
        let programme = self.context.programme;
        for (at, entry) in self.context.archive.iter().enumerate() {
            let Some(course) = self.context.studied[at] else {
                continue;
            };
            if std::mem::replace(&mut self.done[course as usize], true) {
                continue;
            }
            let credits = u64::from(self.context.course(course).credits.hundredths());
            self.studied += credits;
            self.modules[self.context.plan.module_of(course) as usize] += credits;
            if self.counts_at_level(entry.level().or(Some(programme.level))) {
                self.at_level += credits;
            }
            self.add_to_minima(std::iter::once(Some(at)), credits);
        }
    }

    fn add(&mut self, line: &Line) {
        let plan = self.context.plan;
        let credits = u64::from(line.credits.hundredths());
        let module = match &line.to {
            LineTarget::Nothing => return,
            LineTarget::Module(id) => plan.module(id),
            LineTarget::Course(code) => match plan.by_code(code) {
                Some(course) if std::mem::replace(&mut self.done[course as usize], true) => return,
                course => course.map(|course| plan.module_of(course)),
            },
        };
        self.recognised += credits;
        match module {
            Some(module) => self.modules[module as usize] += credits,
            None => self.elsewhere += credits,
        }
        let context = self.context;
        let entries = line.outcomes.iter().map(|leaf| context.find(*leaf));
        let levels = entries.clone().map(|at| context.archive[at?].level());
        if self.counts_at_level(levels.min().flatten()) {
            self.at_level += credits;
        }
        self.add_to_minima(entries, credits);
    }

    /// Counts credit for the minima whose selectors take every outcome that it rests on.
    fn add_to_minima(&mut self, places: impl Iterator<Item = Option<usize>> + Clone, credits: u64) {
        let (archive, minima) = (&self.context.archive, &self.context.programme.minima);
        for (sum, minimum) in self.minima.iter_mut().zip(minima) {
            let is_of = |at: usize| archive[at].is_selected_by(&minimum.selector);
            if places.clone().all(|at| at.is_some_and(is_of)) {
                *sum += credits;
            }
        }
    }

    fn counts_at_level(&self, level: Option<FrameworkLevel>) -> bool {
        let needed = self.context.programme.at_level;
        needed.is_some_and(|(needed, _)| level.is_some_and(|level| level >= needed))
    }

    fn finish(self) -> Progress {
        let programme = self.context.programme;
        let pairs = || programme.modules.iter().zip(&self.modules);
        let counted = |module: &super::Module, sum: u64| {
            let most = module.max.map_or(u64::MAX, |max| max.hundredths().into());
            credit(sum.min(most))
        };
        let modules: Vec<ModuleProgress> = pairs()
            .map(|(module, sum)| ModuleProgress {
                module: module.id.clone(),
                kind: module.kind,
                credits: counted(module, *sum),
                min: module.min,
            })
            .collect();
        let sum: u64 = modules
            .iter()
            .map(|it| u64::from(it.credits.hundredths()))
            .sum();
        Progress {
            studied: credit(self.studied),
            recognised: credit(self.recognised),
            total: programme.total,
            missing: self.missing(&modules, sum + self.elsewhere),
            modules,
        }
    }

    fn missing(&self, modules: &[ModuleProgress], sum: u64) -> Vec<Missing> {
        let programme = self.context.programme;
        let mut missing = Vec::new();
        let mut done = self.done.iter();
        for (module, progress) in programme.modules.iter().zip(modules) {
            for (course, done) in module.courses.iter().zip(&mut done) {
                if module.kind == ModuleKind::Required && !done {
                    missing.push(Missing::Course(course.code.clone()));
                }
            }
            if let Some(credits) = lack(module.min, progress.credits.hundredths().into()) {
                let module = module.id.clone();
                missing.push(Missing::Module { module, credits });
            }
        }
        missing.extend(lack(programme.residency, self.studied).map(Missing::Residency));
        let at_level = programme
            .at_level
            .and_then(|(_, needed)| lack(needed, self.at_level));
        missing.extend(at_level.map(Missing::AtLevel));
        for (minimum, sum) in programme.minima.iter().zip(&self.minima) {
            if let Some(credits) = lack(minimum.credits, *sum) {
                let minimum = minimum.id.clone();
                missing.push(Missing::Minimum { minimum, credits });
            }
        }
        missing.extend(lack(programme.total, sum).map(Missing::Total));
        missing
    }
}

fn lack(needed: Credit, sum: u64) -> Option<Credit> {
    let lack = u64::from(needed.hundredths()).saturating_sub(sum);
    (lack > 0).then(|| credit(lack))
}

fn credit(hundredths: u64) -> Credit {
    Credit::from_hundredths(u32::try_from(hundredths).unwrap_or(u32::MAX))
}
