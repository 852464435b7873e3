//! The closed lists that outcomes choose from, each with stable numbers.
//!
//! Numbers of 20, 30, 40 and 50 upwards are those of Shanghai's production interface
//! (`alipay.commerce.educate.creditbank`), so that its records pass through unchanged; the others are ours.

use std::fmt;

use crate::Refusal;

/// Declares a closed list: variants, stable numbers, English codes and Chinese labels in one table.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $unknown:ident { $($variant:ident = $number:literal, $code:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $label] $variant = $number,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable number.
            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// From its stable number.
            pub fn from_number(number: u32) -> Result<Self, Refusal> {
                Self::ALL.iter().copied().find(|c| c.number() == number).ok_or(Refusal::$unknown)
            }

            /// From its number, code or Chinese label.
            pub fn parse(text: &str) -> Result<Self, Refusal> {
                let text = text.trim();
                if text.is_empty() {
                    return Err(Refusal::Missing);
                }
                let known = |c: &Self| text == c.code() || text == c.label_zh() || text == c.number().to_string();
                Self::ALL.iter().copied().find(known).ok_or(Refusal::$unknown)
            }

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The Chinese label.
            #[must_use]
            pub const fn label_zh(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

choice! {
    /// Adult or ordinary education (教育类别, `course_property`).
    DegreeForm, ChoiceUnknown {
        Adult = 30, "adult", "成人高等教育";
        Ordinary = 31, "ordinary", "普通高等教育";
    }
}

choice! {
    /// Stage of education (教育层次, `learning_stage`). 22 and above are ours.
    LearningStage, ChoiceUnknown {
        Undergraduate = 20, "undergraduate", "本科";
        JuniorCollege = 21, "junior-college", "专科";
        Graduate = 22, "graduate", "研究生";
        UpperSecondary = 23, "upper-secondary", "高中阶段";
    }
}

choice! {
    /// How the programme ended (结果, `course_result_code`).
    StudyResult, ChoiceUnknown {
        Graduated = 40, "graduated", "毕业";
        Incomplete = 41, "incomplete", "结业肄业";
    }
}

choice! {
    /// Half of the year (毕业季, `course_season`).
    Term, ChoiceUnknown {
        Spring = 50, "spring", "春";
        Autumn = 51, "autumn", "秋";
    }
}

choice! {
    /// The eight levels of skill (新八级工). 1 to 5 are the official numbers, which fall as skill rises.
    SkillLevel, LevelUnknown {
        SeniorTechnician = 1, "senior-technician", "高级技师";
        Technician = 2, "technician", "技师";
        Advanced = 3, "advanced", "高级工";
        Intermediate = 4, "intermediate", "中级工";
        Elementary = 5, "elementary", "初级工";
        SpecialTechnician = 6, "special-technician", "特级技师";
        ChiefTechnician = 7, "chief-technician", "首席技师";
        Apprentice = 8, "apprentice", "学徒工";
    }
}

choice! {
    /// What a piece of evidence is (佐证材料).
    EvidenceKind, ChoiceUnknown {
        Certificate = 1, "certificate", "证书";
        Transcript = 2, "transcript", "成绩单";
        Attendance = 3, "attendance", "考勤记录";
        Work = 4, "work", "作品";
        Photograph = 5, "photograph", "照片";
        Other = 6, "other", "其他";
    }
}

choice! {
    /// How it was obtained, where not by study or examination (取得方式).
    ObtainedBy, ChoiceUnknown {
        Assessment = 1, "assessment", "考核认定";
        Recognition = 2, "recognition", "学分认定";
    }
}

impl SkillLevel {
    /// Its place among the eight, ascending with skill: 0 学徒工 … 7 首席技师.
    #[must_use]
    pub const fn rank(self) -> u32 {
        match self {
            Self::Apprentice => 0,
            Self::SpecialTechnician => 6,
            Self::ChiefTechnician => 7,
            other => 6 - other.number(),
        }
    }
}
