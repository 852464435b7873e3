//! Grades (成绩): a closed set of schemes, each with its own closed range of values.

use std::fmt;

use crate::Refusal;
use crate::credit::{parse_hundredths, write_hundredths};

/// A grade in one of the admitted schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grade {
    /// Per cent (百分制).
    Percentage(Percentage),
    /// One of five levels (五级制).
    FiveLevel(FiveLevel),
    /// Passed or not (两级制).
    PassFail(PassFail),
    /// Points on a named scale (积分制).
    Points(Points),
}

impl Grade {
    /// Whether the learner passed; none where the scale names no pass mark.
    #[must_use]
    pub fn is_pass(&self) -> Option<bool> {
        match self {
            Self::Percentage(percentage) => Some(percentage.0 >= Percentage::PASS),
            Self::FiveLevel(level) => Some(*level != FiveLevel::Fail),
            Self::PassFail(result) => Some(*result == PassFail::Pass),
            Self::Points(points) => points.scale.pass().map(|pass| points.hundredths >= pass),
        }
    }
}

/// Prints what a transcript prints: "87.5", "良好", "合格", "8 (gce-a-level-points)".
impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentage(percentage) => write_hundredths(f, percentage.0),
            Self::FiveLevel(level) => f.write_str(level.label_zh()),
            Self::PassFail(result) => f.write_str(result.label_zh()),
            Self::Points(points) => {
                write_hundredths(f, points.hundredths)?;
                write!(f, " ({})", points.scale.id())
            }
        }
    }
}

/// Per cent in hundredths: 0..=10000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentage(u32);

impl Percentage {
    /// The largest, in hundredths.
    pub const MAX: u32 = 10_000;
    /// The pass mark (60 分及格), in hundredths.
    pub const PASS: u32 = 6_000;

    /// From hundredths of a per cent.
    pub fn from_hundredths(hundredths: u32) -> Result<Self, Refusal> {
        within(hundredths, Self::MAX).map(Self)
    }

    /// Parses "87", "87.5".
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::from_hundredths(parse_hundredths(text)?)
    }

    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }
}

/// Five levels (五级制), best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FiveLevel {
    /// 优秀, A.
    Excellent,
    /// 良好, B.
    Good,
    /// 中等, C.
    Medium,
    /// 及格, D.
    Pass,
    /// 不及格, E.
    Fail,
}

impl FiveLevel {
    /// All, best first.
    pub const ALL: [Self; 5] = [
        Self::Excellent,
        Self::Good,
        Self::Medium,
        Self::Pass,
        Self::Fail,
    ];

    /// Parses 优秀|优, 良好|良, 中等|中, 及格|合格, 不及格|不合格, or a letter A–E.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.trim() {
            "优秀" | "优" | "A" | "a" => Ok(Self::Excellent),
            "良好" | "良" | "B" | "b" => Ok(Self::Good),
            "中等" | "中" | "C" | "c" => Ok(Self::Medium),
            "及格" | "合格" | "D" | "d" => Ok(Self::Pass),
            "不及格" | "不合格" | "E" | "e" => Ok(Self::Fail),
            "" => Err(Refusal::Missing),
            _ => Err(Refusal::ChoiceUnknown),
        }
    }

    /// The stable number, 1..=5, best first.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32 + 1
    }

    /// From its stable number.
    pub fn from_number(number: u32) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|level| level.number() == number)
            .ok_or(Refusal::ChoiceUnknown)
    }

    /// As a transcript prints it.
    #[must_use]
    pub const fn label_zh(self) -> &'static str {
        match self {
            Self::Excellent => "优秀",
            Self::Good => "良好",
            Self::Medium => "中等",
            Self::Pass => "及格",
            Self::Fail => "不及格",
        }
    }
}

/// Passed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PassFail {
    /// 合格.
    Pass,
    /// 不合格.
    Fail,
}

impl PassFail {
    /// Parses 合格|通过|及格|pass, 不合格|未通过|不及格|fail.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.trim() {
            "合格" | "通过" | "及格" | "pass" | "Pass" | "PASS" => Ok(Self::Pass),
            "不合格" | "未通过" | "不及格" | "fail" | "Fail" | "FAIL" => Ok(Self::Fail),
            "" => Err(Refusal::Missing),
            _ => Err(Refusal::ChoiceUnknown),
        }
    }

    /// As a transcript prints it.
    #[must_use]
    pub const fn label_zh(self) -> &'static str {
        match self {
            Self::Pass => "合格",
            Self::Fail => "不合格",
        }
    }
}

/// Points on a named scale, 0..=its maximum, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Points {
    scale: Scale,
    hundredths: u32,
}

impl Points {
    /// From hundredths of a point.
    pub fn from_hundredths(scale: Scale, hundredths: u32) -> Result<Self, Refusal> {
        Ok(Self {
            scale,
            hundredths: within(hundredths, scale.max())?,
        })
    }

    /// Parses "8", "3.7".
    pub fn parse(scale: Scale, text: &str) -> Result<Self, Refusal> {
        Self::from_hundredths(scale, parse_hundredths(text)?)
    }

    /// The scale.
    #[must_use]
    pub const fn scale(self) -> Scale {
        self.scale
    }

    /// In hundredths of a point.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.hundredths
    }
}

/// The named scales: identifier, maximum and pass mark in whole points. A scale is added here, never changed.
const SCALES: [(Scale, &str, u32, Option<u32>); 8] = [
    (Scale::GceALevel, "gce-a-level-points", 10, Some(2)),
    (Scale::Gpa4, "gpa-4.0", 4, Some(1)),
    (Scale::Gpa5, "gpa-5.0", 5, Some(1)),
    (Scale::Cet, "cet-710", 710, None),
    (Scale::CollegeUpgrade, "upgrade-exam-450", 450, None),
    (Scale::Marks120, "marks-120", 120, Some(72)),
    (Scale::Marks150, "marks-150", 150, Some(90)),
    (Scale::Score, "score", 99_999, None),
];

/// A named scale of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// GCE A-level points as the schools of England counted them: E 2 … A 10.
    GceALevel,
    /// Grade point average up to 4.
    Gpa4,
    /// Grade point average up to 5.
    Gpa5,
    /// College English Test (全国大学英语四、六级), up to 710; each use sets its own mark.
    Cet,
    /// Upgrade examination (专升本) of three papers, up to 450; the mark is set every year.
    CollegeUpgrade,
    /// A paper of 120 marks.
    Marks120,
    /// A paper of 150 marks.
    Marks150,
    /// A bare score whose maximum the source does not state, as Shanghai's interface carries it.
    Score,
}

impl Scale {
    /// All scales.
    pub fn all() -> impl Iterator<Item = Self> {
        SCALES.into_iter().map(|(scale, ..)| scale)
    }

    /// From its identifier.
    pub fn parse(id: &str) -> Result<Self, Refusal> {
        let row = SCALES.iter().find(|(_, name, ..)| *name == id.trim());
        row.map(|(scale, ..)| *scale)
            .ok_or(Refusal::GradeScaleUnknown)
    }

    /// The stable identifier.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().1
    }

    /// The maximum, in hundredths.
    #[must_use]
    pub fn max(self) -> u32 {
        self.row().2 * 100
    }

    /// The pass mark in hundredths, if the scale has one.
    #[must_use]
    pub fn pass(self) -> Option<u32> {
        self.row().3.map(|pass| pass * 100)
    }

    fn row(self) -> &'static (Self, &'static str, u32, Option<u32>) {
        &SCALES[self as usize]
    }
}

fn within(hundredths: u32, max: u32) -> Result<u32, Refusal> {
    if hundredths <= max {
        Ok(hundredths)
    } else {
        Err(Refusal::OutOfRange {
            min: 0,
            max: i64::from(max / 100),
        })
    }
}
