//! How selectors stand to each other, and whether anything can meet one.

use creditbank_domain::Category;
use creditbank_domain::rules::{Selector, Wording};

use crate::words::words;

/// Whether two lists, each of which allows everything when empty, have something in common.
pub(super) fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|value| other.contains(value))
}

/// Whether an outcome can meet both selectors, as far as each of their parts says.
pub(super) fn overlap(one: &Selector, other: &Selector) -> bool {
    let agree =
        |one: Option<bool>, other: Option<bool>| one.is_none() || other.is_none() || one == other;
    let is_within = |one: &[String], other: &[String]| {
        one.iter().any(|digits| {
            other
                .iter()
                .any(|prefix| digits.starts_with(prefix.as_str()))
        })
    };
    let regions = meet(&one.regions, &other.regions)
        || is_within(&one.regions, &other.regions)
        || is_within(&other.regions, &one.regions);
    let possible = categories(other);
    categories(one).iter().any(|it| possible.contains(it))
        && regions
        && meet(&one.achievements, &other.achievements)
        && meet(&one.institutions, &other.institutions)
        && meet(&one.occupations, &other.occupations)
        && meet(&one.skill_levels, &other.skill_levels)
        && meet(&one.printed_levels, &other.printed_levels)
        && meet(&one.stages, &other.stages)
        && meet(&one.projects, &other.projects)
        && meet(&one.standards, &other.standards)
        && agree(one.graduated, other.graduated)
        && agree(one.x_certificate, other.x_certificate)
}

/// The categories that a selector can meet at all: those it names, less those that lack what else it asks for.
pub(super) fn categories(selector: &Selector) -> Vec<Category> {
    let of_certificate = !selector.occupations.is_empty()
        || !selector.skill_levels.is_empty()
        || !selector.printed_levels.is_empty()
        || selector.x_certificate == Some(true);
    let of_degree = !selector.stages.is_empty() || selector.graduated.is_some();
    let fits = |category: &Category| {
        (selector.categories.is_empty() || selector.categories.contains(category))
            && (!of_certificate || *category == Category::SkillCertificate)
            && (!of_degree || *category == Category::DegreeCourse)
    };
    Category::ALL.into_iter().filter(fits).collect()
}

/// Why nothing can meet a selector, if so.
pub(super) fn emptiness(selector: &Selector) -> Option<Wording> {
    categories(selector).is_empty().then(|| {
        words!(
            "select 不可能选中任何成果：职业、技能等级、证书等级、1+X 只属于 skill-certificate，stage 和 graduated 只属于 \
             degree-course",
            "select can meet no outcome: occupation, skill_level, printed_level and x_certificate belong to \
             skill-certificate alone, stage and graduated to degree-course"
        )
    })
}
