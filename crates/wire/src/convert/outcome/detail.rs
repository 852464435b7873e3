//! The detail of each category: `Outcome.detail` to and from [`Detail`].

use creditbank_domain::identifier::{
    InstitutionId, OccupationCode, Province, RegionCode, SkillCertificateNumber,
    UnifiedSocialCreditCode,
};
use creditbank_domain::outcome::{
    Attendance, Attestor, CommunityCourse, DegreeCourse, DegreeForm, Detail, DualTrack,
    ElderCourse, ExamCourseCode, HumanitiesWalk, LearningStage, SelfStudyExam, Session,
    SkillCertificate, SkillLevel, StudyResult, Term, Training, VenueLearning, WALK_POINTS_MAX,
    WalkPoint,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Fault, Faults};

use super::value::{
    date, date_time, list, optional, required, required_part, saturated, spelled, text, whole,
};
use crate::v1;
use crate::v1::outcome::Detail as Message;

/// The field of `Outcome` that holds a detail.
pub(super) const fn field_of(detail: &v1::outcome::Detail) -> &'static str {
    match detail {
        Message::DegreeCourse(_) => "degree_course",
        Message::SelfStudyExam(_) => "self_study_exam",
        Message::SkillCertificate(_) => "skill_certificate",
        Message::Training(_) => "training",
        Message::CommunityCourse(_) => "community_course",
        Message::ElderCourse(_) => "elder_course",
        Message::VenueLearning(_) => "venue_learning",
        Message::HumanitiesWalk(_) => "humanities_walk",
        Message::DualTrack(_) => "dual_track",
    }
}

/// The fields of a category; faults are named from the detail on.
pub(super) fn parse(message: Message) -> Result<Detail, Vec<Fault>> {
    match message {
        Message::DegreeCourse(course) => degree_course(&course).map(Detail::DegreeCourse),
        Message::SelfStudyExam(exam) => self_study_exam(&exam).map(Detail::SelfStudyExam),
        Message::SkillCertificate(certificate) => {
            skill_certificate(&certificate).map(Detail::SkillCertificate)
        }
        Message::Training(v1::Training { certificate }) => {
            Ok(Detail::Training(Training { certificate }))
        }
        Message::CommunityCourse(course) => community_course(course).map(Detail::CommunityCourse),
        Message::ElderCourse(course) => elder_course(course).map(Detail::ElderCourse),
        Message::VenueLearning(visit) => venue_learning(&visit).map(Detail::VenueLearning),
        Message::HumanitiesWalk(walk) => humanities_walk(walk).map(Detail::HumanitiesWalk),
        Message::DualTrack(track) => dual_track(track).map(Detail::DualTrack),
    }
}

fn degree_course(message: &v1::DegreeCourse) -> Result<DegreeCourse, Vec<Fault>> {
    let mut faults = Faults::default();
    let form = faults.take("form", required(message.form, DegreeForm::from_number));
    let stage = faults.take("stage", required(message.stage, LearningStage::from_number));
    let subject = faults.take("subject", Label::parse_optional(&message.subject));
    let year = faults.take("year", required(message.year, saturated));
    let term = faults.take("term", optional(message.term, Term::from_number));
    let result = faults.take("result", optional(message.result, StudyResult::from_number));
    whole(faults, || {
        Some(DegreeCourse {
            form: form?,
            stage: stage?,
            subject: subject?,
            year: year?,
            term: term?,
            result: result?,
        })
    })
}

fn self_study_exam(message: &v1::SelfStudyExam) -> Result<SelfStudyExam, Vec<Fault>> {
    let mut faults = Faults::default();
    let course_code = faults.take(
        "course_code",
        spelled(&message.course_code, ExamCourseCode::parse),
    );
    let session = faults.take("session", spelled(&message.session, Session::parse));
    let province = faults.take(
        "province",
        required(message.province, Province::from_number),
    );
    whole(faults, || {
        Some(SelfStudyExam {
            course_code: course_code?,
            session: session?,
            province: province?,
        })
    })
}

fn skill_certificate(message: &v1::SkillCertificate) -> Result<SkillCertificate, Vec<Fault>> {
    let mut faults = Faults::default();
    let number = faults.take(
        "number",
        optional(&*message.number, |text| {
            spelled(text, SkillCertificateNumber::parse)
        }),
    );
    let occupation = faults.take(
        "occupation",
        optional(&*message.occupation, |text| {
            spelled(text, OccupationCode::parse)
        }),
    );
    let occupation_name = faults.take(
        "occupation_name",
        Label::parse_optional(&message.occupation_name),
    );
    let level = faults.take("level", optional(message.level, SkillLevel::from_number));
    let level_printed = faults.take(
        "level_printed",
        Label::parse_optional(&message.level_printed),
    );
    let valid_until = faults.take("valid_until", optional(&*message.valid_until, date));
    whole(faults, || {
        Some(SkillCertificate {
            number: number?,
            occupation: occupation?,
            occupation_name: occupation_name?,
            level: level?,
            level_printed: level_printed?,
            valid_until: valid_until?,
            x_certificate: message.x_certificate,
        })
    })
}

fn attendance(message: v1::Attendance) -> Result<Attendance, Vec<Fault>> {
    let mut faults = Faults::default();
    let planned = faults.take("planned", required(message.planned, saturated));
    let attended = faults.take("attended", saturated(message.attended));
    whole(faults, || {
        Some(Attendance {
            planned: planned?,
            attended: attended?,
        })
    })
}

fn community_course(message: v1::CommunityCourse) -> Result<CommunityCourse, Vec<Fault>> {
    let mut faults = Faults::default();
    let attendance = faults.take_part("attendance", required_part(message.attendance, attendance));
    let region = faults.take(
        "region",
        optional(&*message.region, |text| spelled(text, RegionCode::parse)),
    );
    let site = faults.take("site", Label::parse_optional(&message.site));
    whole(faults, || {
        Some(CommunityCourse {
            attendance: attendance?,
            region: region?,
            site: site?,
        })
    })
}

fn elder_course(message: v1::ElderCourse) -> Result<ElderCourse, Vec<Fault>> {
    let mut faults = Faults::default();
    let attendance = faults.take_part("attendance", required_part(message.attendance, attendance));
    let year = faults.take("year", required(message.year, saturated));
    let term = faults.take("term", required(message.term, Term::from_number));
    let region = faults.take(
        "region",
        optional(&*message.region, |text| spelled(text, RegionCode::parse)),
    );
    let site = faults.take("site", Label::parse_optional(&message.site));
    whole(faults, || {
        Some(ElderCourse {
            attendance: attendance?,
            year: year?,
            term: term?,
            region: region?,
            site: site?,
        })
    })
}

fn venue_learning(message: &v1::VenueLearning) -> Result<VenueLearning, Vec<Fault>> {
    let mut faults = Faults::default();
    let venue = faults.take("venue", Label::parse(&message.venue));
    let activity = faults.take("activity", Label::parse(&message.activity));
    let minutes = faults.take("minutes", required(message.minutes, saturated));
    whole(faults, || {
        Some(VenueLearning {
            venue: venue?,
            activity: activity?,
            minutes: minutes?,
        })
    })
}

fn humanities_walk(message: v1::HumanitiesWalk) -> Result<HumanitiesWalk, Vec<Fault>> {
    let mut faults = Faults::default();
    let route = faults.take("route", Code::parse(&message.route));
    let points = faults.take_part("points", list(message.points, WALK_POINTS_MAX, walk_point));
    whole(faults, || {
        Some(HumanitiesWalk {
            route: route?,
            points: points?,
        })
    })
}

fn walk_point(message: v1::WalkPoint) -> Result<WalkPoint, Vec<Fault>> {
    let mut faults = Faults::default();
    let code = faults.take("code", Code::parse(&message.code));
    let at = faults.take("at", required(&*message.at, date_time));
    whole(faults, || {
        Some(WalkPoint {
            code: code?,
            at: at?,
        })
    })
}

fn dual_track(message: v1::DualTrack) -> Result<DualTrack, Vec<Fault>> {
    let mut faults = Faults::default();
    let enterprise_name = faults.take("enterprise_name", Label::parse(&message.enterprise_name));
    let enterprise_code = faults.take(
        "enterprise_code",
        spelled(&message.enterprise_code, UnifiedSocialCreditCode::parse),
    );
    let enterprise = message.enterprise_attestor.map(attestor).transpose();
    let enterprise_attestor = faults.take_part("enterprise_attestor", enterprise);
    let college_attestor = faults.take_part(
        "college_attestor",
        message.college_attestor.map(attestor).transpose(),
    );
    whole(faults, || {
        Some(DualTrack {
            enterprise_name: enterprise_name?,
            enterprise_code: enterprise_code?,
            enterprise_attestor: enterprise_attestor?,
            college_attestor: college_attestor?,
        })
    })
}

fn attestor(message: v1::Attestor) -> Result<Attestor, Vec<Fault>> {
    let mut faults = Faults::default();
    let institution = faults.take("institution", InstitutionId::parse(&message.institution));
    let mentor = faults.take("mentor", Code::parse(&message.mentor));
    whole(faults, || {
        Some(Attestor {
            institution: institution?,
            mentor: mentor?,
        })
    })
}

/// The inverse of [`parse`].
pub(super) fn to_message(detail: &Detail) -> Message {
    match detail {
        Detail::DegreeCourse(course) => Message::DegreeCourse(degree_course_to_message(course)),
        Detail::SelfStudyExam(exam) => Message::SelfStudyExam(self_study_exam_to_message(exam)),
        Detail::SkillCertificate(it) => Message::SkillCertificate(skill_certificate_to_message(it)),
        Detail::Training(training) => Message::Training(v1::Training {
            certificate: training.certificate,
        }),
        Detail::CommunityCourse(course) => {
            Message::CommunityCourse(community_course_to_message(course))
        }
        Detail::ElderCourse(course) => Message::ElderCourse(elder_course_to_message(course)),
        Detail::VenueLearning(visit) => Message::VenueLearning(venue_learning_to_message(visit)),
        Detail::HumanitiesWalk(walk) => Message::HumanitiesWalk(humanities_walk_to_message(walk)),
        Detail::DualTrack(track) => Message::DualTrack(dual_track_to_message(track)),
    }
}

fn degree_course_to_message(course: &DegreeCourse) -> v1::DegreeCourse {
    v1::DegreeCourse {
        form: course.form.number(),
        stage: course.stage.number(),
        subject: text(&course.subject),
        year: course.year.into(),
        term: course.term.map_or(0, Term::number),
        result: course.result.map_or(0, StudyResult::number),
    }
}

fn self_study_exam_to_message(exam: &SelfStudyExam) -> v1::SelfStudyExam {
    v1::SelfStudyExam {
        course_code: exam.course_code.to_string(),
        session: exam.session.to_string(),
        province: exam.province.number(),
    }
}

fn skill_certificate_to_message(certificate: &SkillCertificate) -> v1::SkillCertificate {
    v1::SkillCertificate {
        number: text(&certificate.number),
        occupation: text(&certificate.occupation),
        occupation_name: text(&certificate.occupation_name),
        level: certificate.level.map_or(0, SkillLevel::number),
        level_printed: text(&certificate.level_printed),
        valid_until: text(&certificate.valid_until),
        x_certificate: certificate.x_certificate,
    }
}

fn attendance_to_message(attendance: Attendance) -> v1::Attendance {
    v1::Attendance {
        planned: attendance.planned.into(),
        attended: attendance.attended.into(),
    }
}

fn community_course_to_message(course: &CommunityCourse) -> v1::CommunityCourse {
    v1::CommunityCourse {
        attendance: Some(attendance_to_message(course.attendance)),
        region: text(&course.region),
        site: text(&course.site),
    }
}

fn elder_course_to_message(course: &ElderCourse) -> v1::ElderCourse {
    v1::ElderCourse {
        attendance: Some(attendance_to_message(course.attendance)),
        year: course.year.into(),
        term: course.term.number(),
        region: text(&course.region),
        site: text(&course.site),
    }
}

fn venue_learning_to_message(visit: &VenueLearning) -> v1::VenueLearning {
    v1::VenueLearning {
        venue: visit.venue.to_string(),
        activity: visit.activity.to_string(),
        minutes: visit.minutes.into(),
    }
}

fn humanities_walk_to_message(walk: &HumanitiesWalk) -> v1::HumanitiesWalk {
    let point = |point: &WalkPoint| v1::WalkPoint {
        code: point.code.to_string(),
        at: point.at.to_string(),
    };
    v1::HumanitiesWalk {
        route: walk.route.to_string(),
        points: walk.points.iter().map(point).collect(),
    }
}

fn dual_track_to_message(track: &DualTrack) -> v1::DualTrack {
    v1::DualTrack {
        enterprise_name: track.enterprise_name.to_string(),
        enterprise_code: track.enterprise_code.to_string(),
        enterprise_attestor: track.enterprise_attestor.as_ref().map(attestor_to_message),
        college_attestor: track.college_attestor.as_ref().map(attestor_to_message),
    }
}

fn attestor_to_message(attestor: &Attestor) -> v1::Attestor {
    v1::Attestor {
        institution: attestor.institution.to_string(),
        mentor: attestor.mentor.to_string(),
    }
}
