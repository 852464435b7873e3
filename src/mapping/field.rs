//! The fields that a mapping can fill, flat, by the names that mapping files use.

use serde::Deserialize;

/// Declares [`Field`] and [`Fields`] from one list, so that they cannot drift apart.
macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $name:ident = $variant:ident,)*) => {
        /// One field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Field {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Field {
            /// All of them, in the order in which files have them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in mapping files.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name),)* }
            }

            /// What it is.
            pub(crate) const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)* }
            }
        }

        /// Something for each field that has it.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Fields<T> {
            $($(#[doc = $doc])+ pub(super) $name: Option<T>,)*
        }

        impl<T> Fields<T> {
            /// Makes something else of each, as long as nothing fails.
            pub(super) fn try_map<U, E>(self, make: impl Fn(Field, T) -> Result<Option<U>, E>) -> Result<Fields<U>, E> {
                Ok(Fields {
                    $($name: match self.$name { Some(it) => make(Field::$variant, it)?, None => None },)*
                })
            }

            /// What a field has.
            pub(super) fn at(&self, field: Field) -> Option<&T> {
                match field { $(Field::$variant => self.$name.as_ref(),)* }
            }
        }
    };
}

fields! {
    /// Id of the institution that deposits; by default that of the key.
    institution = Institution,
    /// Learner code (申学码), in place of an identity.
    learner_code = LearnerCode,
    /// resident-id (the default), passport, student-number …
    identity_kind = IdentityKind,
    /// Number of the identity document (证件号码).
    identity_number = IdentityNumber,
    /// Country of a passport, institution of a student number (by default the depositing one).
    identity_issuer = IdentityIssuer,
    /// Name of the learner (姓名), as in the document.
    learner_name = LearnerName,
    /// Category of the outcome, where it differs by row.
    category = Category,
    /// The institution's own id of the outcome (外部编号).
    external_id = ExternalId,
    /// Name of the course, certificate, training or activity (名称).
    achievement_name = AchievementName,
    /// The institution's code of it.
    achievement_code = AchievementCode,
    /// Id of the admitted project (准入项目).
    project = Project,
    /// Credit (学分), at most two decimals.
    credits = Credits,
    /// Hours (学时), at most two decimals.
    hours = Hours,
    /// Grade (成绩); see `scheme` and `scale`.
    grade = Grade,
    /// Day of completion or award (获得日期).
    completed_on = CompletedOn,
    /// Time of that day; by default what stands behind the date.
    completed_at = CompletedAt,
    /// How it was obtained, where not by study or examination: assessment, recognition (取得方式).
    obtained_by = ObtainedBy,
    /// First day.
    started_on = StartedOn,
    /// Name of the institution as printed (办学机构).
    institution_name = InstitutionName,
    /// Evidence: kind, SHA-256 in hexadecimal and, if any, address, with blanks between; several with semicolons.
    evidence = Evidence,
    /// Degree course: 30 adult, 31 ordinary (教育类别).
    form = Form,
    /// Degree course: 20 undergraduate, 21 junior college … (教育层次).
    stage = Stage,
    /// Degree course: major (专业名称).
    subject = Subject,
    /// Degree and elder course: year (届别).
    year = Year,
    /// Degree and elder course: 50 spring, 51 autumn (季).
    term = Term,
    /// Degree course: 40 graduated, 41 incomplete (结果).
    result = Result,
    /// Self-study examination: course code, 5 digits (课程代码).
    course_code = CourseCode,
    /// Self-study examination: yyyy-mm (考期).
    session = Session,
    /// Self-study examination: province, 2 digits.
    province = Province,
    /// Skill certificate: number (证书编号).
    certificate_number = CertificateNumber,
    /// Skill certificate: occupation code.
    occupation = Occupation,
    /// Skill certificate: occupation as printed (职业名称).
    occupation_name = OccupationName,
    /// Skill certificate: level, 1 to 8 (等级).
    level = Level,
    /// Skill certificate: level as printed, where it is none of the eight.
    level_printed = LevelPrinted,
    /// Skill certificate: last day it is valid.
    valid_until = ValidUntil,
    /// Skill certificate: whether it is of the 1+X pilot.
    x_certificate = XCertificate,
    /// Training: whether a certificate was given (是否有证).
    has_certificate = HasCertificate,
    /// Community and elder course: sessions planned (计划课次).
    sessions_planned = SessionsPlanned,
    /// Community and elder course: sessions attended (出勤课次).
    sessions_attended = SessionsAttended,
    /// Community and elder course: region of the site, 6 digits.
    region = Region,
    /// Community and elder course: site (教学点).
    site = Site,
    /// Venue learning: venue (场馆).
    venue = Venue,
    /// Venue learning: activity (活动).
    activity = Activity,
    /// Venue learning: minutes.
    minutes = Minutes,
    /// Humanities walk: route (线路).
    route = Route,
    /// Humanities walk: points as CODE@2026-05-01T09:30:00, with semicolons between (学习点).
    points = Points,
    /// Dual track: enterprise (企业).
    enterprise_name = EnterpriseName,
    /// Dual track: unified social credit code of the enterprise.
    enterprise_code = EnterpriseCode,
    /// Dual track: institution id that answers for the enterprise.
    enterprise_institution = EnterpriseInstitution,
    /// Dual track: mentor of the enterprise (企业导师), never an identity number.
    enterprise_mentor = EnterpriseMentor,
    /// Dual track: institution id of the college.
    college_institution = CollegeInstitution,
    /// Dual track: mentor of the college (学校导师).
    college_mentor = CollegeMentor,
}

/// Fields whose paths in an outcome are not their names.
const PATHS: [(&str, Field); 15] = [
    // The id of a record is derived from the natural key, which is the external id where there is one.
    ("envelope.record_id", Field::ExternalId),
    ("achievement.name", Field::AchievementName),
    ("achievement.code", Field::AchievementCode),
    ("attendance.planned", Field::SessionsPlanned),
    ("attendance.attended", Field::SessionsAttended),
    ("number", Field::CertificateNumber),
    ("certificate", Field::HasCertificate),
    ("credits_hundredths", Field::Credits),
    ("hours_hundredths", Field::Hours),
    (
        "enterprise_attestor.institution",
        Field::EnterpriseInstitution,
    ),
    ("enterprise_attestor.mentor", Field::EnterpriseMentor),
    ("enterprise_attestor", Field::EnterpriseInstitution),
    ("college_attestor.institution", Field::CollegeInstitution),
    ("college_attestor.mentor", Field::CollegeMentor),
    ("college_attestor", Field::CollegeInstitution),
];

/// What stands before a field's own path, in the domain and on the wire.
const WRAPPINGS: [&str; 12] = [
    "payload.",
    "outcome.",
    "detail.",
    "degree_course.",
    "self_study_exam.",
    "skill_certificate.",
    "training.",
    "community_course.",
    "elder_course.",
    "venue_learning.",
    "humanities_walk.",
    "dual_track.",
];

impl Field {
    /// The field that a path such as `payload.outcome.grade.points` is about.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let mut rest = path;
        while let Some(inner) = WRAPPINGS
            .iter()
            .find_map(|wrapping| rest.strip_prefix(wrapping))
        {
            rest = inner;
        }
        if let Some((_, field)) = PATHS.iter().find(|(known, _)| *known == rest) {
            return Some(*field);
        }
        let name = rest.split(['.', '[']).next().unwrap_or_default();
        let alias = if name == "learner" {
            "learner_code"
        } else {
            name
        };
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.name() == alias)
    }
}
