//! A rule set made ready to decide: names written out, rules found by what they select, programmes by their courses.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::archive::Entry;
use super::case::Held;
use super::index::Index;
use super::limit::Limit;
use super::names::{key, stem};
use super::plan::Plan;
use super::rule::Rule;
use super::set::RuleSet;
use super::wholes::Wholes;

/// A table without randomness. What is put in comes from published documents, never from a request.
pub(super) type Table<K, V> = HashMap<K, V, FixedState>;

/// Collects what belongs to each key, in order.
pub(super) fn gather<K: Eq + Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> Table<K, Vec<V>> {
    let mut table: Table<K, Vec<V>> = Table::default();
    for (key, value) in pairs {
        table.entry(key).or_default().push(value);
    }
    table
}

/// A rule set made ready to decide; made once, when a set is read.
#[derive(Debug)]
pub struct Compiled {
    set: RuleSet,
    /// What the key of a short name stands for.
    abbreviations: Table<String, String>,
    /// Positions of the versions of a rule, by its id.
    versions: Table<String, Vec<u32>>,
    /// Slots by what they select.
    pub(super) index: Index,
    /// Limits in the order in which they are held against credit, with their ids as lines share them.
    limits: Vec<(Arc<str>, u32)>,
    /// Programmes by id.
    plans: Table<String, Plan>,
    /// Wholes and their parts.
    pub(super) wholes: Wholes,
}

impl Compiled {
    /// Makes a set ready. Where the set has abbreviations, they are written out in its selectors and wholes.
    #[must_use]
    pub fn new(mut set: RuleSet) -> Self {
        let pairs = set.abbreviations.iter();
        let abbreviations: Table<_, _> =
            pairs.map(|(short, long)| (key(short), key(long))).collect();
        if !abbreviations.is_empty() {
            write_out(&mut set, &abbreviations);
        }
        let versions = gather(
            (0..)
                .zip(&set.rules)
                .map(|(at, rule)| (rule.id.clone(), at)),
        );
        let name = |text: &str| spelled(&abbreviations, &key(text)).into_owned();
        let plans = (0..).zip(&set.programmes);
        let plans = plans
            .map(|(at, it)| (it.id.clone(), Plan::new(at, it, &name)))
            .collect();
        Self {
            versions,
            index: Index::new(&set.rules),
            limits: order_of_limits(&set.limits),
            plans,
            wholes: Wholes::new(&set.wholes),
            abbreviations,
            set,
        }
    }

    /// The set, with its abbreviations written out.
    #[must_use]
    pub const fn set(&self) -> &RuleSet {
        &self.set
    }

    /// Whether an outcome is one of those that `selector`, a selector of this set, is about.
    #[must_use]
    pub fn selects(&self, selector: &super::Selector, held: &Held) -> bool {
        Entry::new(self, held).is_selected_by(selector)
    }

    /// Whether any rule may be about an outcome.
    #[must_use]
    pub fn concerns(&self, held: &Held) -> bool {
        let entry = Entry::new(self, held);
        self.index.slots(&entry).next().is_some()
    }

    /// The versions of a rule in the order of the set; none if there is no such rule.
    pub(super) fn versions(&self, id: &str) -> impl Iterator<Item = &Rule> + Clone {
        let positions = self.versions.get(id).map_or(&[][..], Vec::as_slice);
        positions.iter().map(|at| self.rule(*at))
    }

    /// A rule by its position.
    pub(super) fn rule(&self, at: u32) -> &Rule {
        &self.set.rules[at as usize]
    }

    /// Limits in the order in which they are held against credit: those for each outcome, those for each of something
    /// else, those of the whole programme, each group in the order of ids.
    pub(super) fn limits(&self) -> impl Iterator<Item = (&Arc<str>, &Limit)> {
        let limits = self.limits.iter();
        limits.map(|(id, at)| (id, &self.set.limits[*at as usize]))
    }

    /// A programme by its id.
    pub(super) fn plan(&self, programme: &str) -> Option<&Plan> {
        self.plans.get(programme)
    }

    /// A key with its abbreviation written out.
    pub(super) fn spelled<'k>(&self, key: &'k str) -> Cow<'k, str> {
        spelled(&self.abbreviations, key)
    }
}

fn spelled<'k>(abbreviations: &Table<String, String>, key: &'k str) -> Cow<'k, str> {
    if abbreviations.is_empty() || key.is_empty() {
        return Cow::Borrowed(key);
    }
    if let Some(long) = abbreviations.get(key) {
        return Cow::Owned(long.clone());
    }
    let (stem, number) = stem(key);
    let long = (!number.is_empty()).then(|| abbreviations.get(stem));
    long.flatten().map_or(Cow::Borrowed(key), |long| {
        Cow::Owned(format!("{long}{number}"))
    })
}

fn write_out(set: &mut RuleSet, abbreviations: &Table<String, String>) {
    let write = |key: &mut String| {
        if let Cow::Owned(long) = spelled(abbreviations, key) {
            *key = long;
        }
    };
    let slots = set.rules.iter_mut().flat_map(|rule| &mut rule.slots);
    let minima = set.programmes.iter_mut().flat_map(|it| &mut it.minima);
    let selectors = slots
        .map(|slot| &mut slot.selector)
        .chain(set.limits.iter_mut().map(|limit| &mut limit.scope.selector))
        .chain(set.origins.iter_mut().map(|origin| &mut origin.selector))
        .chain(set.earning.iter_mut().map(|rule| &mut rule.selector))
        .chain(minima.map(|minimum| &mut minimum.selector));
    selectors
        .flat_map(|selector| &mut selector.achievements)
        .for_each(write);
    for target in set
        .rules
        .iter_mut()
        .flat_map(|rule| &mut rule.grant.targets)
    {
        if let super::TargetPlace::Course(key) = &mut target.to {
            write(key);
        }
    }
    for whole in &mut set.wholes {
        write(&mut whole.whole);
        whole.parts.iter_mut().for_each(write);
    }
}

fn order_of_limits(limits: &[Limit]) -> Vec<(Arc<str>, u32)> {
    let group = |limit: &Limit| match limit.per.as_slice() {
        [] => 2,
        per if per.contains(&super::Dimension::Outcome) => 0,
        _ => 1,
    };
    let mut order: Vec<u32> = (0..).take(limits.len()).collect();
    order.sort_by_key(|at| {
        let limit = &limits[*at as usize];
        (group(limit), &limit.id)
    });
    let with_id = |at: u32| (limits[at as usize].id.as_str().into(), at);
    order.into_iter().map(with_id).collect()
}
