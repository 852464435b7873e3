//! Why a use or a target gets nothing, in words that follow "because".

use super::Teller;
use super::amounts::share;
use crate::rules::Reason;

impl Teller<'_> {
    pub(super) fn reason(&self, reason: &Reason) -> String {
        let (zh, en) = plain(reason);
        if !zh.is_empty() {
            return self.say(zh.to_owned(), en.to_owned());
        }
        self.with_facts(reason)
    }

    /// The reasons that say more than that they apply.
    fn with_facts(&self, reason: &Reason) -> String {
        match reason {
            Reason::NotInForce { on } => self.say(
                format!("{on} 当天没有有效的规定"),
                format!("no version of the rule is in force on {on}"),
            ),
            Reason::TooOld { until } => self.say(
                format!("已经过了有效期，最晚应在 {until} 申请"),
                format!("it is too old: it could be applied for until {until}"),
            ),
            Reason::CertificateExpired { until } => self.say(
                format!("证书在 {until} 已经到期"),
                format!("the certificate was valid until {until}"),
            ),
            Reason::LevelTooLow { level, needed } => {
                let (level, needed) = (level.number(), needed.number());
                self.say(
                    format!("等级是 {level} 级，低于要求的 {needed} 级"),
                    format!("its level is {level}, but {needed} is needed"),
                )
            }
            Reason::CreditsTooFew { credits, needed } => self.say(
                format!("可用的学分是 {credits}，需要 {needed}"),
                format!("it carries {credits} credits, but {needed} are needed"),
            ),
            Reason::HoursTooFew { hours, needed } => self.say(
                format!("学时是 {hours}，需要 {needed}"),
                format!("it carries {hours} hours, but {needed} are needed"),
            ),
            Reason::AttendanceTooLow {
                basis_points,
                needed,
            } => {
                let (attended, needed) = (share(*basis_points), share(*needed));
                self.say(
                    format!("出勤率是 {attended}，要求不低于 {needed}"),
                    format!("attendance is {attended}, but {needed} is needed"),
                )
            }
            Reason::AlreadyUsed { decision } => self.say(
                format!("这项成果已经在第 {decision} 号决定中用过"),
                format!("decision {decision} used it for this programme"),
            ),
            Reason::UsedElsewhere { decision } => self.say(
                format!("这项成果已经在第 {decision} 号决定中用于别处，不能再用"),
                format!(
                    "decision {decision} used it for another purpose, and it may serve one only"
                ),
            ),
            Reason::WholeAndPart { other } => {
                let other = self.outcome(*other);
                self.say(
                    format!("它和{other}是整体与部分的关系，只能认定一个"),
                    format!("it and {other} are a whole and its part, and only one counts"),
                )
            }
            Reason::SourcesTooFew { filled, needed } => self.say(
                format!("需要 {needed} 项成果，只有 {filled} 项"),
                format!("{needed} outcomes are needed, and there are {filled}"),
            ),
            Reason::LimitReached { limit } => {
                let title = match self.limit(limit) {
                    Some(it) => self.titled(&it.title, limit, &it.clause),
                    None => format!("“{limit}”"),
                };
                self.say(
                    format!("限额{title}已经用完或不够"),
                    format!("the limit {title} leaves too little"),
                )
            }
            _ => self.say(reason.code().to_owned(), reason.code().to_owned()),
        }
    }
}

/// The reasons that are said once for all; empty for those that need their facts.
fn plain(reason: &Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::ProgrammeUnknown => ("没有这个专业或项目", "there is no such programme"),
        Reason::RuleUnknown => ("没有这条规则", "there is no such rule"),
        Reason::OutcomeUnknown => (
            "学习档案里没有这项成果，或者它已经无效",
            "there is no such outcome in the archive, or it is not in force",
        ),
        Reason::OutcomeRepeated => ("同一项成果这次已经用过", "the same outcome is used already"),
        Reason::NotSelected => (
            "这条规则不适用于这项成果",
            "the rule is not about this outcome",
        ),
        Reason::NotPassed => ("没有合格", "it was not passed"),
        Reason::OutsideWindow => (
            "完成日期不在规定的时间内",
            "it was not completed within the days that the rule is for",
        ),
        Reason::CompletedLater => (
            "完成日期在申请日之后",
            "it was completed after the day of application",
        ),
        Reason::GradeTooLow => ("成绩低于要求", "the grade is too low"),
        Reason::GradeNotComparable => (
            "没有成绩，或者这种记分方式没有规定的最低成绩",
            "there is no grade, or the rule names no floor for its scheme",
        ),
        Reason::LevelUnknown => (
            "资历框架没有给出它的等级",
            "the framework gives it no level",
        ),
        Reason::CreditsUnknown => ("这项成果没有登记学分", "it carries no credits"),
        Reason::AttestorsMissing => (
            "缺少企业和学校双方的证明",
            "it is not attested by both parties",
        ),
        Reason::ByRecognition => (
            "它本身是认定得来的，不能再次认定",
            "it is itself recognised credit, which is no source",
        ),
        Reason::NotByAssessment => ("它不是通过考核取得的", "it was not obtained by assessment"),
        Reason::NoAgreement => (
            "两地的协议不包括这项成果",
            "no agreement between the two regions covers it",
        ),
        Reason::ProgrammeExcluded => (
            "这条规则不适用于这个专业",
            "the rule is not for this programme",
        ),
        Reason::SubjectExcluded => (
            "这条规则不适用于本学科的专业",
            "the rule is not for programmes of this subject",
        ),
        Reason::TargetMissing => (
            "这个专业没有对应的课程或模块，或者没有选好课程",
            "the programme has no such course or module, or none was chosen that the rule allows",
        ),
        Reason::NotOneCourse => (
            "几项成果不是同一门课程",
            "the outcomes are not of one and the same course",
        ),
        Reason::TargetExcluded => (
            "这类课程不能这样认定",
            "the rule leaves out courses or modules of this kind",
        ),
        Reason::AlreadyStudied => (
            "这门课在本校已经学过并合格",
            "it was studied and passed already",
        ),
        Reason::AlreadyRecognised => ("这门课已经认定过", "the course is recognised already"),
        Reason::SourcesTooMany => (
            "成果太多，这条规则用不了这么多",
            "there are more outcomes than the rule takes, or two for one place",
        ),
        Reason::NoRoom => (
            "选修学分已经满了",
            "there is no room left for elective credit",
        ),
        Reason::NoCredit => ("按规定不计学分", "it is worth no credit by the rule"),
        Reason::RoundsToNothing => ("取整以后不足一个单位", "what it is worth rounds to nothing"),
        _ => ("", ""),
    }
}
