//! How selectors stand to each other, and whether anything can meet one.

use creditbank_domain::Category;
use creditbank_domain::rules::{Selector, Wording};

use crate::words::words;

/// Whether every outcome that `narrow` selects is one that `wide` selects.
pub(super) fn covers(wide: &Selector, narrow: &Selector) -> bool {
    let regions = wide.regions.is_empty()
        || !narrow.regions.is_empty()
            && narrow.regions.iter().all(|digits| {
                wide.regions
                    .iter()
                    .any(|prefix| digits.starts_with(prefix.as_str()))
            });
    regions
        && holds(&wide.categories, &narrow.categories)
        && holds(&wide.achievements, &narrow.achievements)
        && holds(&wide.institutions, &narrow.institutions)
        && holds(&wide.occupations, &narrow.occupations)
        && holds(&wide.skill_levels, &narrow.skill_levels)
        && holds(&wide.printed_levels, &narrow.printed_levels)
        && holds(&wide.stages, &narrow.stages)
        && holds(&wide.projects, &narrow.projects)
        && holds(&wide.standards, &narrow.standards)
        && (wide.graduated.is_none() || wide.graduated == narrow.graduated)
        && (wide.x_certificate.is_none() || wide.x_certificate == narrow.x_certificate)
}

/// Whether a list that allows everything when empty allows all that the other does.
fn holds<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || !narrow.is_empty() && narrow.iter().all(|value| wide.contains(value))
}

/// Whether two lists, each of which allows everything when empty, have something in common.
pub(super) fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|value| other.contains(value))
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
