//! An outcome as rules look at it: which selectors it meets, which level it has.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::case::Held;
use super::compile::Compiled;
use super::names::key;
use super::rule::Selector;
use super::set::FrameworkLevel;
use super::wholes::Node;
use crate::Outcome;
use crate::outcome::{Detail, SkillCertificate, StudyResult};

/// An outcome with what is asked of it often.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    set: &'a Compiled,
    pub(super) held: &'a Held,
    pub(super) outcome: &'a Outcome,
    /// Key of its code, with abbreviations written out; may be empty.
    pub(super) code: Cow<'a, str>,
    /// Key of its name, with abbreviations written out.
    pub(super) name: Cow<'a, str>,
    /// Its place among wholes and parts, by code and by name.
    pub(super) nodes: [Option<Node>; 2],
    printed_level: OnceCell<String>,
    subject: OnceCell<Option<String>>,
    origin: OnceCell<Option<usize>>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(set: &'a Compiled, held: &'a Held) -> Self {
        let (code, name) = (set.spelled(&held.code_key), set.spelled(&held.name_key));
        Self {
            nodes: [set.wholes.node(&code), set.wholes.node(&name)],
            set,
            held,
            outcome: &held.outcome,
            code,
            name,
            printed_level: OnceCell::new(),
            subject: OnceCell::new(),
            origin: OnceCell::new(),
        }
    }

    /// Whether a selector is about it.
    pub(super) fn is_selected_by(&self, selector: &Selector) -> bool {
        let outcome = self.outcome;
        within(&selector.categories, &outcome.category())
            && self.is_achievement(&selector.achievements)
            && within(&selector.institutions, &self.held.issuer)
            && self.is_from(&selector.regions)
            && self.is_certificate(selector)
            && self.is_degree_course(selector)
            && text_within(
                &selector.projects,
                outcome.project.as_ref().map(|it| it.as_str()),
            )
            && text_within(&selector.standards, self.held.standard.as_deref())
    }

    /// The origin of the set that it is of: the first that selects it.
    pub(super) fn origin(&self) -> Option<usize> {
        *self.origin.get_or_init(|| {
            let origins = &self.set.set().origins;
            origins
                .iter()
                .position(|it| self.is_selected_by(&it.selector))
        })
    }

    /// Key of the major it was studied in, with abbreviations written out; only a degree course has one.
    pub(super) fn subject(&self) -> Option<&str> {
        let subject = self.subject.get_or_init(|| match &self.outcome.detail {
            Detail::DegreeCourse(course) => {
                let subject = key(course.subject.as_ref()?.as_str());
                Some(self.set.spelled(&subject).into_owned())
            }
            _ => None,
        });
        subject.as_deref()
    }

    /// Its level in the framework: of the certificate as known, then as printed; of the stage of education; else of
    /// the unit standard it was deposited under.
    pub(super) fn level(&self) -> Option<FrameworkLevel> {
        let framework = &self.set.set().framework;
        let by_detail = match &self.outcome.detail {
            Detail::SkillCertificate(it) => it
                .level
                .and_then(|level| find(&framework.skills, &level))
                .or_else(|| find(&framework.printed, self.printed_level(it)?)),
            Detail::DegreeCourse(it) => find(&framework.stages, &it.stage),
            _ => None,
        };
        by_detail.or_else(|| self.level_of_standard())
    }

    fn level_of_standard(&self) -> Option<FrameworkLevel> {
        let id = self.held.standard.as_deref()?;
        let completed = self.outcome.completed_on;
        let mut standards = self.set.set().standards.iter();
        let standard = standards.find(|it| it.id == id && it.effective.contains(completed))?;
        standard.level
    }

    fn is_achievement(&self, achievements: &[String]) -> bool {
        achievements.is_empty()
            || achievements
                .iter()
                .any(|key| !key.is_empty() && (*key == self.name || *key == self.code))
    }

    fn is_from(&self, regions: &[String]) -> bool {
        if regions.is_empty() {
            return true;
        }
        let Some(region) = self.held.region else {
            return false;
        };
        let code = region.to_string();
        regions
            .iter()
            .any(|digits| code.starts_with(digits.as_str()))
    }

    fn is_certificate(&self, selector: &Selector) -> bool {
        let certificate = match &self.outcome.detail {
            Detail::SkillCertificate(it) => Some(it),
            _ => None,
        };
        let is_x = certificate.is_some_and(|it| it.x_certificate);
        let occupation = certificate.and_then(|it| it.occupation);
        let level = certificate.and_then(|it| it.level);
        selector.x_certificate.is_none_or(|x| x == is_x)
            && option_within(&selector.occupations, occupation.as_ref())
            && option_within(&selector.skill_levels, level.as_ref())
            && (selector.printed_levels.is_empty()
                || certificate
                    .and_then(|it| self.printed_level(it))
                    .is_some_and(|level| selector.printed_levels.contains(level)))
    }

    fn is_degree_course(&self, selector: &Selector) -> bool {
        if selector.stages.is_empty() && selector.graduated.is_none() {
            return true;
        }
        let Detail::DegreeCourse(course) = &self.outcome.detail else {
            return false;
        };
        let graduated = course.result == Some(StudyResult::Graduated);
        within(&selector.stages, &course.stage)
            && selector.graduated.is_none_or(|needed| needed == graduated)
    }

    fn printed_level(&self, certificate: &SkillCertificate) -> Option<&String> {
        let printed = certificate.level_printed.as_ref()?;
        Some(self.printed_level.get_or_init(|| key(printed.as_str())))
    }
}

fn within<T: PartialEq>(list: &[T], value: &T) -> bool {
    list.is_empty() || list.contains(value)
}

fn option_within<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}

fn text_within(list: &[String], value: Option<&str>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.iter().any(|it| it == value))
}

fn find<K: PartialEq>(pairs: &[(K, FrameworkLevel)], key: &K) -> Option<FrameworkLevel> {
    pairs
        .iter()
        .find(|(it, _)| it == key)
        .map(|(_, level)| *level)
}
