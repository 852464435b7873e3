//! `select = { … }`: which outcomes something is about.

use creditbank_domain::Category;
use creditbank_domain::identifier::{InstitutionId, OccupationCode};
use creditbank_domain::outcome::{LearningStage, SkillLevel};
use creditbank_domain::rules::Selector;

use super::page::Kind;
use super::table::{Table, Value};

/// Most values of one key.
pub(crate) const VALUES_MAX: usize = 256;

impl<'a> Value<'a> {
    /// A selector.
    pub(crate) fn selector(&self) -> Option<Selector> {
        self.table(selector)
    }

    /// A category by its code.
    pub(crate) fn category(&self) -> Option<Category> {
        self.coded(&Category::ALL, Category::code)
    }

    /// A skill level by its code.
    pub(crate) fn skill_level(&self) -> Option<SkillLevel> {
        self.coded(SkillLevel::ALL, SkillLevel::code)
    }

    /// A stage of education by its code.
    pub(crate) fn stage(&self) -> Option<LearningStage> {
        self.coded(LearningStage::ALL, LearningStage::code)
    }

    /// An institution's id.
    pub(crate) fn institution(&self) -> Option<InstitutionId> {
        self.parsed(
            InstitutionId::parse,
            (
                "机构标识（如 shou）",
                "the id of an institution, such as shou",
            ),
        )
    }

    /// An occupation's code.
    pub(crate) fn occupation(&self) -> Option<OccupationCode> {
        self.parsed(
            OccupationCode::parse,
            (
                "2022 年版职业分类大典的职业编码（如 4-10-01-05）",
                "an occupation of the 2022 classification, such as 4-10-01-05",
            ),
        )
    }

    /// One value or a list of them.
    pub(crate) fn values<T: PartialEq>(&self, read: impl Fn(&Self) -> Option<T>) -> Option<Vec<T>> {
        self.one_or_more(VALUES_MAX, read)
    }
}

fn selector(t: &Table<'_>) -> Selector {
    Selector {
        categories: t.or_default("category", |v| v.values(Value::category)),
        achievements: t.or_default("achievement", |v| v.values(Value::name_key)),
        institutions: t.or_default("institution", |v| v.values(Value::institution)),
        regions: t.or_default("region", |v| v.values(Value::region)),
        occupations: t.or_default("occupation", |v| v.values(Value::occupation)),
        skill_levels: t.or_default("skill_level", |v| v.values(Value::skill_level)),
        printed_levels: t.or_default("printed_level", |v| v.values(Value::name_key)),
        stages: t.or_default("stage", |v| v.values(Value::stage)),
        graduated: t.take("graduated", Value::flag),
        projects: t.or_default("project", |v| v.values(Value::text)),
        standards: t.or_default("standard", |v| v.values(|id| id.reference(Kind::Standard))),
        x_certificate: t.take("x_certificate", Value::flag),
    }
}
