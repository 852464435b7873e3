//! The categories of learning outcomes (学习成果类别).

use std::fmt;

use crate::Refusal;

/// A category of outcome. Its number and its code are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Credit of a degree course (学历教育课程), adult or ordinary.
    DegreeCourse = 1,
    /// A paper of the self-study examinations (高等教育自学考试).
    SelfStudyExam = 2,
    /// A certificate of a skill level (职业技能等级证书), X-certificates included.
    SkillCertificate = 3,
    /// Vocational or social training (社会培训).
    Training = 4,
    /// A course of community education (社区教育).
    CommunityCourse = 5,
    /// A course of elder education (老年教育).
    ElderCourse = 6,
    /// Learning at a museum, library or other venue (社会场馆学习).
    VenueLearning = 7,
    /// A humanities walk (人文行走).
    HumanitiesWalk = 8,
    /// Work-study dual track, enterprise and college (双元制).
    DualTrack = 9,
}

/// The categories with their codes and labels, by number.
const TABLE: [(Category, &str, &str, &str); 9] = [
    (
        Category::DegreeCourse,
        "degree-course",
        "学历教育课程",
        "Degree course",
    ),
    (
        Category::SelfStudyExam,
        "self-study-exam",
        "自学考试",
        "Self-study examination",
    ),
    (
        Category::SkillCertificate,
        "skill-certificate",
        "职业技能等级证书",
        "Skill-level certificate",
    ),
    (Category::Training, "training", "社会培训", "Training"),
    (
        Category::CommunityCourse,
        "community-course",
        "社区教育",
        "Community course",
    ),
    (
        Category::ElderCourse,
        "elder-course",
        "老年教育",
        "Elder course",
    ),
    (
        Category::VenueLearning,
        "venue-learning",
        "社会场馆学习",
        "Venue learning",
    ),
    (
        Category::HumanitiesWalk,
        "humanities-walk",
        "人文行走",
        "Humanities walk",
    ),
    (Category::DualTrack, "dual-track", "双元制", "Dual track"),
];

impl Category {
    /// All, by number.
    pub const ALL: [Self; 9] = {
        let mut all = [Self::DegreeCourse; 9];
        let mut row = 0;
        while row < TABLE.len() {
            all[row] = TABLE[row].0;
            row += 1;
        }
        all
    };

    /// The stable number, 1..=9.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// From its stable number.
    pub fn from_number(number: u32) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|category| category.number() == number)
            .ok_or(Refusal::CategoryUnknown)
    }

    /// From its stable code.
    pub fn parse(code: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|category| category.code() == code.trim())
            .ok_or(Refusal::CategoryUnknown)
    }

    /// The stable code, such as `degree-course`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// The Chinese label.
    #[must_use]
    pub const fn label_zh(self) -> &'static str {
        self.row().2
    }

    /// The English label.
    #[must_use]
    pub const fn label_en(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        &TABLE[self as usize - 1]
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
