//! Which rules may be about an outcome: by the most selective part of each selector, so that rules about something
//! else cost nothing.

use super::archive::Entry;
use super::compile::{Table, gather};
use super::rule::{Rule, Selector};
use crate::Category;
use crate::identifier::{InstitutionId, OccupationCode};
use crate::outcome::Detail;

/// A slot of a rule, by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SlotRef {
    /// The rule.
    pub(super) rule: u32,
    /// The slot in it.
    pub(super) slot: u32,
}

/// Slots by what they select. Each slot is under one kind of key only, and under each of its values.
#[derive(Debug)]
pub(super) struct Index {
    achievements: Table<String, Vec<SlotRef>>,
    occupations: Table<OccupationCode, Vec<SlotRef>>,
    projects: Table<String, Vec<SlotRef>>,
    standards: Table<String, Vec<SlotRef>>,
    institutions: Table<InstitutionId, Vec<SlotRef>>,
    categories: Table<Category, Vec<SlotRef>>,
    everything: Vec<SlotRef>,
}

/// The part of a selector that an index is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Achievement,
    Occupation,
    Project,
    Standard,
    Institution,
    Category,
    Nothing,
}

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let slots = || {
            (0..).zip(rules).flat_map(|(rule, it)| {
                let slots = (0..).zip(&it.slots);
                slots.map(move |(slot, it)| (SlotRef { rule, slot }, &it.selector))
            })
        };
        let of = |part| slots().filter(move |(_, selector)| most_selective(selector) == part);
        Self {
            achievements: gather(
                of(Part::Achievement).flat_map(|(at, it)| each(at, &it.achievements)),
            ),
            occupations: gather(
                of(Part::Occupation).flat_map(|(at, it)| each(at, &it.occupations)),
            ),
            projects: gather(of(Part::Project).flat_map(|(at, it)| each(at, &it.projects))),
            standards: gather(of(Part::Standard).flat_map(|(at, it)| each(at, &it.standards))),
            institutions: gather(
                of(Part::Institution).flat_map(|(at, it)| each(at, &it.institutions)),
            ),
            categories: gather(of(Part::Category).flat_map(|(at, it)| each(at, &it.categories))),
            everything: of(Part::Nothing).map(|(at, _)| at).collect(),
        }
    }

    /// The slots that may be about an outcome, each at most twice; the rest of each selector is still to be tested.
    pub(super) fn slots<'i>(&'i self, entry: &Entry<'_>) -> impl Iterator<Item = SlotRef> + 'i {
        let outcome = entry.outcome;
        let occupation = match &outcome.detail {
            Detail::SkillCertificate(it) => it.occupation,
            _ => None,
        };
        let project = outcome.project.as_ref().map(|it| it.as_str());
        let by_name = |name: &str| (!name.is_empty()).then(|| self.achievements.get(name))?;
        let code = by_name(&entry.code);
        let name = if entry.code == entry.name {
            None
        } else {
            by_name(&entry.name)
        };
        let lists = [
            code,
            name,
            occupation.and_then(|it| self.occupations.get(&it)),
            project.and_then(|it| self.projects.get(it)),
            entry
                .held
                .standard
                .as_deref()
                .and_then(|it| self.standards.get(it)),
            self.institutions.get(&entry.held.issuer),
            self.categories.get(&outcome.category()),
            Some(&self.everything),
        ];
        lists.into_iter().flatten().flatten().copied()
    }
}

fn most_selective(selector: &Selector) -> Part {
    let parts = [
        (selector.achievements.is_empty(), Part::Achievement),
        (selector.occupations.is_empty(), Part::Occupation),
        (selector.projects.is_empty(), Part::Project),
        (selector.standards.is_empty(), Part::Standard),
        (selector.institutions.is_empty(), Part::Institution),
        (selector.categories.is_empty(), Part::Category),
    ];
    parts
        .into_iter()
        .find(|(is_empty, _)| !is_empty)
        .map_or(Part::Nothing, |(_, part)| part)
}

fn each<T: Clone>(at: SlotRef, values: &[T]) -> impl Iterator<Item = (T, SlotRef)> {
    values.iter().map(move |value| (value.clone(), at))
}
