//! What a record says, as names and values for a list: everything a desk may see of it, in words.

use creditbank_wire::Message as _;
use creditbank_wire::v1;
use creditbank_wire::v1::outcome::Detail;
use creditbank_wire::v1::payload::Content;

use super::named::Named;
use super::names;
use crate::ask::institutions::Names;
use crate::show;
use crate::words::Lang;

/// A name and a value.
pub(crate) type Fact = (&'static str, String);

/// Collects what is there; what is empty is not told.
struct Facts<'a> {
    lang: Lang,
    names: &'a Names,
    found: Vec<Fact>,
}

impl<'a> Facts<'a> {
    fn new(lang: Lang, names: &'a Names) -> Self {
        let found = Vec::new();
        Self { lang, names, found }
    }

    fn put(&mut self, zh: &'static str, en: &'static str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.found.push((self.lang.pick(zh, en), value));
        }
    }

    /// Hundredths, where there are some.
    fn amount(&mut self, zh: &'static str, en: &'static str, amount: Option<u32>) {
        let text = amount.map(|it| show::hundredths(u64::from(it)));
        self.put(zh, en, text.unwrap_or_default());
    }
}

/// What a payload says; nothing where its learner was erased.
pub(crate) fn payload(lang: Lang, names: &Names, bytes: &[u8]) -> Vec<Fact> {
    let mut facts = Facts::new(lang, names);
    let payload = v1::Payload::decode(bytes)
        .ok()
        .filter(|_| !bytes.is_empty());
    let Some(payload) = payload else {
        return facts.found;
    };
    facts.put(
        "申学码",
        "Learner code",
        show::learner_code(&payload.learner),
    );
    match &payload.content {
        Some(Content::Outcome(it)) => facts.outcome(it),
        Some(Content::Amendment(it)) => {
            facts.put("更正原因", "Reason of the amendment", &*it.reason);
            it.outcome.iter().for_each(|it| facts.outcome(it));
        }
        Some(Content::Transferred(it)) => {
            facts.put("转出方", "Origin", &*it.origin);
            facts.put("发证机构", "Issuer", &*it.issuer_name);
            it.outcome.iter().for_each(|it| facts.outcome(it));
        }
        Some(Content::Revocation(it)) => facts.put("撤销原因", "Reason", &*it.reason),
        Some(Content::Confirmation(it)) => facts.put("确认原因", "Reason", &*it.reason),
        Some(Content::Review(it)) => {
            let vote = lang.pick(
                if it.approve { "同意" } else { "不同意" },
                if it.approve { "for" } else { "against" },
            );
            facts.put("意见", "Vote", vote);
            facts.put("理由", "Reason", &*it.reason);
        }
        Some(Content::Application(it)) => {
            facts.put("专业", "Programme", &*it.programme);
            facts.put("说明", "Note", &*it.note);
        }
        Some(
            Content::Objection(it)
            | Content::Appeal(it)
            | Content::Withdrawal(it)
            | Content::Acceptance(it)
            | Content::Return(it)
            | Content::Reversal(it)
            | Content::Closing(it),
        ) => facts.put("理由", "Reason", &*it.reason),
        _ => {}
    }
    facts.found
}

/// What an outcome is.
pub(crate) fn outcome(lang: Lang, names: &Names, it: &v1::Outcome) -> Vec<Fact> {
    let mut facts = Facts::new(lang, names);
    facts.outcome(it);
    facts.found
}

impl Facts<'_> {
    fn outcome(&mut self, it: &v1::Outcome) {
        let lang = self.lang;
        let achievement = it.achievement.clone().unwrap_or_default();
        self.put("名称", "Name", achievement.name);
        self.put("代码", "Code", achievement.code);
        let category = it.category() as i32;
        self.put("类别", "Category", show::category(lang, category));
        self.amount("学分", "Credits", it.credits_hundredths);
        self.amount("学时", "Hours", it.hours_hundredths);
        self.put("成绩", "Grade", show::grade(lang, it.grade.as_ref()));
        self.put("获得日期", "Completed on", &*it.completed_on);
        self.put("开始日期", "Started on", &*it.started_on);
        self.put(
            "证书所印机构",
            "Institution as printed",
            &*it.institution_name,
        );
        self.put("准入项目", "Project", &*it.project);
        self.put("机构编号", "Own number", &*it.external_id);
        let obtained = match it.obtained_by() {
            v1::ObtainedBy::Unspecified => "",
            v1::ObtainedBy::Assessment => lang.pick("考核认定", "assessment"),
            v1::ObtainedBy::Recognition => lang.pick("学分认定", "recognition"),
        };
        self.put("取得方式", "Obtained by", obtained);
        if let Some(detail) = &it.detail {
            self.detail(detail);
        }
        let evidence = it.evidence.len();
        let evidence = (evidence > 0).then(|| evidence.to_string());
        self.put("佐证材料", "Documents", evidence.unwrap_or_default());
    }

    fn detail(&mut self, detail: &Detail) {
        match detail {
            Detail::DegreeCourse(it) => {
                self.put("专业", "Subject", &*it.subject);
                self.number("届别", "Year", it.year);
            }
            Detail::SelfStudyExam(it) => {
                self.put("课程代码", "Course code", &*it.course_code);
                self.put("考期", "Session", &*it.session);
                self.number("考区", "Province", it.province);
            }
            Detail::SkillCertificate(it) => {
                self.put("证书编号", "Certificate", &*it.number);
                self.put("职业", "Occupation", &*it.occupation_name);
                self.put("职业代码", "Occupation code", &*it.occupation);
                self.put("等级", "Level", skill_level(self.lang, it));
                self.put("有效期至", "Valid until", &*it.valid_until);
            }
            Detail::Training(it) => {
                let (zh, en) = match it.certificate {
                    true => ("有", "yes"),
                    false => ("无", "no"),
                };
                self.put("证书", "Certificate", self.lang.pick(zh, en));
            }
            Detail::CommunityCourse(it) => {
                self.attendance(it.attendance);
                self.put("教学点", "Site", &*it.site);
            }
            Detail::ElderCourse(it) => {
                self.attendance(it.attendance);
                self.put("教学点", "Site", &*it.site);
            }
            Detail::VenueLearning(it) => {
                self.put("场馆", "Venue", &*it.venue);
                self.put("活动", "Activity", &*it.activity);
                self.number("分钟", "Minutes", it.minutes);
            }
            Detail::HumanitiesWalk(it) => {
                self.put("线路", "Route", &*it.route);
                self.put("学习点", "Points visited", it.points.len().to_string());
            }
            Detail::DualTrack(it) => {
                self.put("企业", "Enterprise", &*it.enterprise_name);
                let college = it.college_attestor.as_ref();
                let college = college.map(|it| self.names.of(&it.institution).to_owned());
                self.put("院校", "College", college.unwrap_or_default());
            }
        }
    }

    fn number(&mut self, zh: &'static str, en: &'static str, number: u32) {
        let text = (number > 0).then(|| number.to_string());
        self.put(zh, en, text.unwrap_or_default());
    }

    fn attendance(&mut self, attendance: Option<v1::Attendance>) {
        let text = attendance.map(|it| format!("{} / {}", it.attended, it.planned));
        self.put(
            "出勤（到课 / 计划）",
            "Attended / planned",
            text.unwrap_or_default(),
        );
    }
}

fn skill_level(lang: Lang, it: &v1::SkillCertificate) -> String {
    let (zh, en) = match it.level {
        1 => ("一级（高级技师）", "1 (senior technician)"),
        2 => ("二级（技师）", "2 (technician)"),
        3 => ("三级（高级工）", "3 (advanced)"),
        4 => ("四级（中级工）", "4 (intermediate)"),
        5 => ("五级（初级工）", "5 (elementary)"),
        6 => ("特级技师", "special technician"),
        7 => ("首席技师", "chief technician"),
        8 => ("学徒工", "apprentice"),
        _ => return it.level_printed.clone(),
    };
    lang.pick(zh, en).to_owned()
}

/// A record of an archive in one row, for a table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) completed_on: String,
    pub(crate) amount: String,
    pub(crate) state: &'static str,
    pub(crate) issuer: Named,
}

/// A record that tells of an outcome.
pub(crate) fn row(lang: Lang, names: &Names, record: &v1::ArchiveRecord) -> Option<Row> {
    let outcome = show::outcome(&record.payload)?;
    let credits = outcome.credits_hundredths.map(|it| {
        let amount = show::hundredths(u64::from(it));
        lang.pick(format!("{amount} 学分"), format!("{amount} credits"))
    });
    let hours = outcome.hours_hundredths.map(|it| {
        let amount = show::hundredths(u64::from(it));
        lang.pick(format!("{amount} 学时"), format!("{amount} hours"))
    });
    let amounts: Vec<_> = [credits, hours].into_iter().flatten().collect();
    Some(Row {
        category: show::category(lang, outcome.category() as i32),
        amount: amounts.join(lang.pick("，", ", ")),
        state: names::record(lang, record.state()),
        issuer: Named::institution(names, &record.issuer),
        name: outcome.achievement.map(|it| it.name).unwrap_or_default(),
        completed_on: outcome.completed_on,
    })
}
