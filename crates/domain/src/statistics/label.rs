//! What tables, figures and values are called, in Chinese and English.

use jiff::civil::Date;

use super::cell::{Dimension, MEASURES, Subject, Table};
use crate::Category;
use crate::identifier::RegionCode;
use crate::rules::Wording;

fn say(zh: impl Into<String>, en: impl Into<String>) -> Wording {
    Wording {
        zh: zh.into(),
        en: en.into(),
    }
}

impl Subject {
    /// What it is called.
    #[must_use]
    pub fn label(self) -> Wording {
        match self {
            Self::Learning => say("学习", "Learning"),
            Self::Recognition => say("学分认定", "Recognition"),
            Self::Points => say("学习积分", "Points"),
        }
    }

    /// What its figures are called, in their order.
    #[must_use]
    pub fn measure_labels(self) -> [Wording; MEASURES] {
        match self {
            Self::Learning => [
                say("学习人数", "Learners"),
                say("学习人次", "Attendances"),
                say("完成人次", "Completions"),
                say("学时", "Hours"),
                say("学分", "Credits"),
            ],
            Self::Recognition => [
                say("涉及人数", "People concerned"),
                say("申请件数", "Applications"),
                say("决定件数", "Decisions"),
                say("转换件数", "Conversions"),
                say("申诉件数", "Appeals"),
            ],
            Self::Points => [
                say("涉及人数", "People concerned"),
                say("变动笔数", "Movements"),
                say("获得积分", "Earned"),
                say("兑换积分", "Redeemed"),
                say("到期或收回", "Expired or taken back"),
            ],
        }
    }

    /// What its figures are counted in, in their order.
    #[must_use]
    pub fn units(self) -> [Wording; MEASURES] {
        let units = match self {
            Self::Learning => [
                ("人", "people"),
                ("人次", "records"),
                ("人次", "records"),
                ("学时", "hours"),
                ("学分", "credits"),
            ],
            Self::Recognition => [
                ("人", "people"),
                ("件", "cases"),
                ("件", "cases"),
                ("件", "cases"),
                ("件", "cases"),
            ],
            Self::Points => [
                ("人", "people"),
                ("笔", "entries"),
                ("分", "points"),
                ("分", "points"),
                ("分", "points"),
            ],
        };
        units.map(|(zh, en)| say(zh, en))
    }

    /// Whether a figure is in hundredths.
    #[must_use]
    pub const fn is_hundredths(self, measure: usize) -> bool {
        matches!(self, Self::Learning) && measure >= 3
    }
}

impl Table {
    /// What it is called.
    #[must_use]
    pub fn label(self) -> Wording {
        match self {
            Self::Total => say("全年合计", "The year as a whole"),
            Self::Month => say("按月份", "By month"),
            Self::Category => say("按类别", "By category"),
            Self::District => say("按办学机构所在区", "By district of the institution"),
            Self::Institution => say("按机构", "By institution"),
            Self::Age => say("按年龄段", "By age"),
            Self::Sex => say("按性别", "By sex"),
            Self::Tenure => say("新学习者与老学习者", "New and returning learners"),
            Self::MonthCategory => say("按月份和类别", "By month and category"),
            Self::CategoryDistrict => say("按类别和区", "By category and district"),
            Self::CategoryAge => say("按类别和年龄段", "By category and age"),
            Self::AgeSex => say("按年龄段和性别", "By age and sex"),
            Self::Days => say("按决定用时", "By days to the decision"),
        }
    }
}

impl Dimension {
    /// What it is called.
    #[must_use]
    pub fn label(self) -> Wording {
        match self {
            Self::Month => say("月份", "Month"),
            Self::Category => say("类别", "Category"),
            Self::District => say("区", "District"),
            Self::Institution => say("机构", "Institution"),
            Self::Age => say("年龄段", "Age"),
            Self::Sex => say("性别", "Sex"),
            Self::Tenure => say("新老", "New or returning"),
            Self::Days => say("天数", "Days"),
        }
    }

    /// What a value is called in a year. A district has the name that its code had then; of an institution only its number
    /// is known here.
    #[must_use]
    pub fn value_label(self, value: u32, year: u16) -> Wording {
        let unknown = || say("不详", "Unknown");
        match self {
            Self::Month => say(format!("{value} 月"), format!("{year}-{value:02}")),
            Self::Category => Category::from_number(value).map_or_else(
                |_| unknown(),
                |category| say(category.label_zh(), category.label_en()),
            ),
            Self::District => district(value, year).unwrap_or_else(unknown),
            Self::Age => match value {
                1 => say("17 岁及以下", "17 and under"),
                2 => say("18–34 岁", "18–34"),
                3 => say("35–49 岁", "35–49"),
                4 => say("50–59 岁", "50–59"),
                5 => say("60–69 岁", "60–69"),
                6 => say("70–79 岁", "70–79"),
                7 => say("80 岁及以上", "80 and over"),
                _ => unknown(),
            },
            Self::Sex => match value {
                1 => say("男", "Male"),
                2 => say("女", "Female"),
                _ => unknown(),
            },
            Self::Tenure => match value {
                1 => say("新学习者", "New"),
                _ => say("老学习者", "Returning"),
            },
            Self::Institution | Self::Days => say(value.to_string(), value.to_string()),
        }
    }
}

/// A district with the name that its code had at the end of a year.
fn district(code: u32, year: u16) -> Option<Wording> {
    let region = RegionCode::parse(&format!("{code:06}")).ok()?;
    let last = Date::new(i16::try_from(year).ok()?, 12, 31).ok()?;
    let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    let name = region.name_at(last).or_else(|| region.name_at(first));
    let name = name.map_or_else(|| code.to_string(), str::to_owned);
    Some(say(name.clone(), format!("{name} ({code})")))
}
