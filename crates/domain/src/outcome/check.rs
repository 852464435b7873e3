//! The rules between the fields of an outcome: all of them are looked at, and every fault is told.

use jiff::civil::{Date, date};

use super::{
    Attendance, CommunityCourse, DegreeCourse, Detail, DualTrack, ElderCourse, HumanitiesWalk,
    Outcome, OutcomeDraft, SelfStudyExam, SkillCertificate, VenueLearning,
};
use crate::identifier::RegionCode;
use crate::{Fault, Faults, Refusal};

/// The first day an outcome can carry: higher education of this kind is younger.
pub const EARLIEST_COMPLETION: Date = date(1949, 10, 1);
/// The most days between the first and the last day.
pub const DURATION_DAYS_MAX: i32 = 20 * 366;
/// The most years by which a class year (届别) may lie after the completion of a course.
const CLASS_YEARS_AHEAD_MAX: i16 = 10;
/// The most pieces of evidence.
pub const EVIDENCE_MAX: u32 = 16;
/// The most sessions of a course.
pub const SESSIONS_MAX: u16 = 1_000;
/// The most minutes of one visit: a day.
pub const MINUTES_MAX: u16 = 24 * 60;
/// The fewest points of a walk.
pub const WALK_POINTS_MIN: u32 = 1;
/// The most points of a walk.
pub const WALK_POINTS_MAX: u32 = 64;

impl OutcomeDraft {
    /// The outcome, or every fault of the draft with its field; `today` is the local date of the issuer.
    pub fn check(self, today: Date) -> Result<Outcome, Vec<Fault>> {
        let mut faults = Faults::default();
        self.check_dates(today, &mut faults);
        self.check_evidence(&mut faults);
        self.check_detail(&mut faults);
        match faults.into_vec() {
            none if none.is_empty() => Ok(Outcome(self)),
            faults => Err(faults),
        }
    }

    fn check_dates(&self, today: Date, faults: &mut Faults) {
        let completed = self.completed_on;
        faults.require(
            completed <= today,
            "completed_on",
            Refusal::CompletedInFuture,
        );
        let too_early = Refusal::DateTooEarly {
            earliest: EARLIEST_COMPLETION,
        };
        faults.require(completed >= EARLIEST_COMPLETION, "completed_on", too_early);
        let Some(started) = self.started_on else {
            return;
        };
        faults.require(started <= completed, "started_on", Refusal::EndBeforeStart);
        let longest = Refusal::OutOfRange {
            min: 0,
            max: DURATION_DAYS_MAX.into(),
        };
        faults.require(
            (completed - started).get_days() <= DURATION_DAYS_MAX,
            "started_on",
            longest,
        );
    }

    fn check_evidence(&self, faults: &mut Faults) {
        faults.require(
            self.evidence.len() <= EVIDENCE_MAX as usize,
            "evidence",
            Refusal::TooMany { max: EVIDENCE_MAX },
        );
        for (index, piece) in self.evidence.iter().enumerate() {
            if let Some(first) = self.evidence[..index]
                .iter()
                .position(|earlier| earlier.sha256 == piece.sha256)
            {
                faults.add(
                    format!("evidence[{index}].sha256"),
                    Refusal::Repeated {
                        first: first as u32,
                    },
                );
            }
        }
    }

    fn check_detail(&self, faults: &mut Faults) {
        match &self.detail {
            Detail::DegreeCourse(course) => self.check_degree_course(course, faults),
            Detail::SelfStudyExam(exam) => self.check_self_study_exam(exam, faults),
            Detail::SkillCertificate(certificate) => {
                self.check_skill_certificate(certificate, faults)
            }
            Detail::Training(_) => self.require_institution_name(faults),
            Detail::CommunityCourse(course) => self.check_community_course(course, faults),
            Detail::ElderCourse(course) => self.check_elder_course(course, faults),
            Detail::VenueLearning(visit) => check_visit(visit, faults),
            Detail::HumanitiesWalk(walk) => self.check_walk(walk, faults),
            Detail::DualTrack(track) => self.check_dual_track(track, faults),
        }
    }

    fn check_degree_course(&self, course: &DegreeCourse, faults: &mut Faults) {
        faults.require(
            self.grade.is_some() || course.result.is_some(),
            "grade",
            Refusal::Missing,
        );
        check_year(
            course.year,
            self.completed_on.year() + CLASS_YEARS_AHEAD_MAX,
            faults,
        );
    }

    fn check_self_study_exam(&self, exam: &SelfStudyExam, faults: &mut Faults) {
        faults.require(self.grade.is_some(), "grade", Refusal::Missing);
        let completed = (self.completed_on.year(), self.completed_on.month());
        let session = (exam.session.year() as i16, exam.session.month() as i8);
        faults.require(
            session <= completed,
            "detail.session",
            Refusal::Inconsistent {
                with: "completed_on",
            },
        );
    }

    fn check_skill_certificate(&self, certificate: &SkillCertificate, faults: &mut Faults) {
        self.require_institution_name(faults);
        let identified = certificate.number.is_some() || self.external_id.is_some();
        faults.require(identified, "detail.number", Refusal::Missing);
        let graded = certificate.level.is_some() || certificate.level_printed.is_some();
        faults.require(graded, "detail.level", Refusal::Missing);
        if let Some(until) = certificate.valid_until {
            faults.require(
                until >= self.completed_on,
                "detail.valid_until",
                Refusal::EndBeforeStart,
            );
        }
        let Some(number) = &certificate.number else {
            return;
        };
        if let Some(level) = certificate.level {
            let with = Refusal::Inconsistent {
                with: "detail.number",
            };
            faults.require(number.admits_level(level), "detail.level", with);
        }
        let admitted = number.admits_year(self.completed_on.year());
        faults.require(
            admitted,
            "detail.number",
            Refusal::Inconsistent {
                with: "completed_on",
            },
        );
    }

    fn check_community_course(&self, course: &CommunityCourse, faults: &mut Faults) {
        faults.require(self.hours.is_some(), "hours", Refusal::Missing);
        check_attendance(course.attendance, faults);
        self.check_region(course.region, faults);
    }

    fn check_elder_course(&self, course: &ElderCourse, faults: &mut Faults) {
        faults.require(self.hours.is_some(), "hours", Refusal::Missing);
        check_attendance(course.attendance, faults);
        check_year(course.year, self.completed_on.year(), faults);
        self.check_region(course.region, faults);
    }

    fn check_walk(&self, walk: &HumanitiesWalk, faults: &mut Faults) {
        let (few, many) = (
            Refusal::TooFew {
                min: WALK_POINTS_MIN,
            },
            Refusal::TooMany {
                max: WALK_POINTS_MAX,
            },
        );
        faults.require(
            walk.points.len() >= WALK_POINTS_MIN as usize,
            "detail.points",
            few,
        );
        faults.require(
            walk.points.len() <= WALK_POINTS_MAX as usize,
            "detail.points",
            many,
        );
        let mut before = None;
        for (index, point) in walk.points.iter().enumerate() {
            let field = format!("detail.points[{index}].at");
            let is_late = point.at.date() > self.completed_on;
            faults.require(
                !is_late,
                &field,
                Refusal::Inconsistent {
                    with: "completed_on",
                },
            );
            faults.require(
                before.is_none_or(|before| before < point.at),
                field,
                Refusal::NotAscending,
            );
            before = Some(point.at);
        }
    }

    fn check_dual_track(&self, track: &DualTrack, faults: &mut Faults) {
        faults.require(
            self.credits.is_some() || self.hours.is_some(),
            "credits",
            Refusal::Missing,
        );
        faults.require(
            track.enterprise_attestor.is_some(),
            "detail.enterprise_attestor",
            Refusal::AttestorMissing,
        );
        faults.require(
            track.college_attestor.is_some(),
            "detail.college_attestor",
            Refusal::AttestorMissing,
        );
        if let (Some(enterprise), Some(college)) =
            (&track.enterprise_attestor, &track.college_attestor)
        {
            let distinct = enterprise.institution != college.institution;
            faults.require(
                distinct,
                "detail.college_attestor.institution",
                Refusal::AttestorRepeated,
            );
        }
    }

    fn require_institution_name(&self, faults: &mut Faults) {
        faults.require(
            self.institution_name.is_some(),
            "institution_name",
            Refusal::Missing,
        );
    }
    fn check_region(&self, region: Option<RegionCode>, faults: &mut Faults) {
        let exists = region.is_none_or(|region| region.exists_at(self.completed_on));
        faults.require(exists, "detail.region", Refusal::RegionNotValidThen);
    }
}

fn check_year(year: u16, latest: i16, faults: &mut Faults) {
    let (min, max) = (EARLIEST_COMPLETION.year().into(), i64::from(latest));
    faults.require(
        (min..=max).contains(&i64::from(year)),
        "detail.year",
        Refusal::OutOfRange { min, max },
    );
}

fn check_attendance(attendance: Attendance, faults: &mut Faults) {
    let Attendance { planned, attended } = attendance;
    let range = Refusal::OutOfRange {
        min: 1,
        max: SESSIONS_MAX.into(),
    };
    faults.require(
        (1..=SESSIONS_MAX).contains(&planned),
        "detail.attendance.planned",
        range,
    );
    let with = Refusal::Inconsistent {
        with: "detail.attendance.planned",
    };
    faults.require(attended <= planned, "detail.attendance.attended", with);
}

fn check_visit(visit: &VenueLearning, faults: &mut Faults) {
    let range = Refusal::OutOfRange {
        min: 1,
        max: MINUTES_MAX.into(),
    };
    faults.require(
        (1..=MINUTES_MAX).contains(&visit.minutes),
        "detail.minutes",
        range,
    );
}
