//! A programme made ready: its courses by code, name and tag, and how much unassigned credit its modules hold.

use super::archive::Entry;
use super::compile::{Table, gather};
use super::programme::{Course, Programme};
use crate::Credit;

/// A programme made ready. Courses are numbered through all modules in order.
#[derive(Debug)]
pub(super) struct Plan {
    /// Its position in the set.
    pub(super) position: u32,
    /// Module and position in it, by course.
    courses: Vec<(u32, u32)>,
    by_code: Table<String, u32>,
    by_code_key: Table<String, u32>,
    by_name_key: Table<String, u32>,
    by_tag: Table<String, Vec<u32>>,
    by_module: Table<String, u32>,
    /// What its major is called, as keys.
    subjects: Vec<String>,
    /// The modules that take unassigned credit.
    electives: Vec<u32>,
    /// By module: most credit that counts for unassigned credit, in hundredths.
    capacities: Vec<u64>,
}

impl Plan {
    pub(super) fn new(position: u32, programme: &Programme, key: &impl Fn(&str) -> String) -> Self {
        let places = (0..).zip(&programme.modules).flat_map(|(module, it)| {
            let courses = (0..).zip(&it.courses);
            courses.map(move |(course, it)| ((module, course), it))
        });
        let courses = || (0..).zip(places.clone());
        let first = |of: &dyn Fn(&Course) -> String| {
            let mut table = Table::default();
            for (at, (_, course)) in courses() {
                table.entry(of(course)).or_insert(at);
            }
            table
        };
        let tagged = |(at, (_, course)): (u32, (_, &Course))| {
            let tags = course.tags.clone();
            tags.into_iter().map(move |tag| (tag, at))
        };
        let mut by_module = Table::default();
        for (at, module) in (0..).zip(&programme.modules) {
            by_module.entry(module.id.clone()).or_insert(at);
        }
        Self {
            position,
            by_code: first(&|course| course.code.clone()),
            by_code_key: first(&|course| key(&course.code)),
            by_name_key: first(&|course| key(&course.name)),
            by_tag: gather(courses().flat_map(tagged)),
            by_module,
            subjects: subjects(programme).map(key).collect(),
            electives: (0..)
                .zip(&programme.modules)
                .filter(|(_, module)| module.unassigned)
                .map(|(at, _)| at)
                .collect(),
            capacities: (0..programme.modules.len())
                .map(|module| capacity(programme, module))
                .collect(),
            courses: places.clone().map(|(place, _)| place).collect(),
        }
    }

    /// How many courses there are.
    pub(super) fn len(&self) -> usize {
        self.courses.len()
    }

    /// The module that a course is in.
    pub(super) fn module_of(&self, course: u32) -> u32 {
        self.courses[course as usize].0
    }

    /// A course by its number.
    pub(super) fn course<'p>(&self, programme: &'p Programme, course: u32) -> &'p Course {
        let (module, position) = self.courses[course as usize];
        &programme.modules[module as usize].courses[position as usize]
    }

    /// A course by its code as it is written.
    pub(super) fn by_code(&self, code: &str) -> Option<u32> {
        self.by_code.get(code).copied()
    }

    /// A course by the key of its code or name.
    pub(super) fn by_key(&self, key: &str) -> Option<u32> {
        let course = self
            .by_code_key
            .get(key)
            .or_else(|| self.by_name_key.get(key));
        course.copied()
    }

    /// The course of the same code or name as an outcome's.
    pub(super) fn same_course(&self, entry: &Entry<'_>) -> Option<u32> {
        let find = |table: &Table<String, u32>, key: &str| {
            (!key.is_empty()).then(|| table.get(key).copied())?
        };
        find(&self.by_code_key, &entry.code).or_else(|| find(&self.by_name_key, &entry.name))
    }

    /// Courses that carry a tag, in order.
    pub(super) fn tagged(&self, tag: &str) -> &[u32] {
        self.by_tag.get(tag).map_or(&[], Vec::as_slice)
    }

    /// Whether a key is what the programme's major is called.
    pub(super) fn is_subject(&self, key: &str) -> bool {
        self.subjects.iter().any(|it| it == key)
    }

    /// A module by its id.
    pub(super) fn module(&self, id: &str) -> Option<u32> {
        self.by_module.get(id).copied()
    }

    /// The modules that take unassigned credit, in order.
    pub(super) fn electives(&self) -> &[u32] {
        &self.electives
    }

    /// Most credit in a module, as far as unassigned credit goes, in hundredths.
    pub(super) fn capacity(&self, module: u32) -> u64 {
        self.capacities[module as usize]
    }
}

fn subjects(programme: &Programme) -> impl Iterator<Item = &str> {
    let names = programme.subject_names.iter().map(String::as_str);
    let code = programme.subject.as_str();
    names.chain(Some(code).filter(|code| !code.is_empty()))
}

/// A module holds its maximum, or what the minima of the others leave of the total.
fn capacity(programme: &Programme, module: usize) -> u64 {
    let hundredths = |credits: Credit| u64::from(credits.hundredths());
    let minima: u64 = programme.modules.iter().map(|it| hundredths(it.min)).sum();
    let module = &programme.modules[module];
    let rest = || hundredths(programme.total).saturating_sub(minima - hundredths(module.min));
    module.max.map_or_else(rest, hundredths)
}
