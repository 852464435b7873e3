//! What a step found, in words.

use super::amounts::{decimal, exact, grade};
use super::{Language, Teller};
use crate::rules::{Amount, Finding, Maximum, RoundingMode, Step};

impl Teller<'_> {
    pub(super) fn finding(&self, step: &Step) -> String {
        match &step.finding {
            Finding::InForce { on } => self.say(
                format!("按 {on} 当天有效的规定办理"),
                format!("the version in force on {on} decides"),
            ),
            Finding::Agreed { agreement, version } => {
                let mut agreements = self.set.set().agreements.iter();
                let known = agreements.find(|it| it.id == *agreement);
                let title = match known {
                    Some(it) => self.titled(&it.title, agreement, &it.clause),
                    None => format!("“{agreement}”"),
                };
                self.say(
                    format!("适用协议{title}第 {version} 版"),
                    format!("covered by the agreement {title}, version {version}"),
                )
            }
            Finding::Valid { until } => self.say(
                format!("在有效期内，最晚可以在 {until} 申请"),
                format!("still valid; it could be applied for until {until}"),
            ),
            Finding::Level { level, needed } => {
                let (level, needed) = (level.number(), needed.number());
                self.say(
                    format!("等级是 {level} 级，要求不低于 {needed} 级，符合"),
                    format!("it is of level {level}, at least {needed} is needed"),
                )
            }
            Finding::GradeMet { grade: it } => self.say(
                format!("成绩 {} 达到要求", grade(*it, Language::Chinese)),
                format!("the grade {} is sufficient", grade(*it, Language::English)),
            ),
            Finding::HoursSummed { hours } => self.say(
                format!("学时合计 {hours} 学时"),
                format!("together {hours} hours"),
            ),
            Finding::Mapped { .. } => self.mapped(step),
            Finding::Limited { .. } => self.limited(&step.finding),
            Finding::Rounded { .. } => self.rounded(&step.finding),
            Finding::Granted { to, credits } => {
                let to = self.target(to);
                self.say(
                    format!("计入{to}，{credits} 学分"),
                    format!("{credits} credits for {to}"),
                )
            }
            Finding::Remainder {
                credits,
                to_electives: true,
            } => self.say(
                format!("余下的 {credits} 学分计为选修学分"),
                format!("the remaining {credits} credits become elective credit"),
            ),
            Finding::Remainder {
                credits,
                to_electives: false,
            } => self.say(
                format!("还有 {credits} 学分没有用上"),
                format!("{credits} credits of the source stay unused"),
            ),
            Finding::Skipped { to, reason } => {
                let (to, reason) = (self.target(to), self.reason(reason));
                self.say(
                    format!("{to}没有认定，因为{reason}"),
                    format!("nothing for {to}, because {reason}"),
                )
            }
            Finding::Refused(reason) => {
                let reason = self.reason(reason);
                self.say(
                    format!("没有认定，因为{reason}"),
                    format!("nothing is granted, because {reason}"),
                )
            }
        }
    }

    /// The arithmetic of an amount: what went in, what was done with it, what came out.
    fn mapped(&self, step: &Step) -> String {
        let Finding::Mapped {
            to,
            source,
            numerator,
            denominator,
        } = &step.finding
        else {
            return String::new();
        };
        let to = self.target(to);
        let amount = exact(*numerator, *denominator, self.language);
        let source = decimal((*source).into());
        let rule = self.rule(&step.rule, Some(step.place));
        let mut amounts = rule
            .iter()
            .flat_map(|it| &it.grant.targets)
            .map(|it| it.amount);
        let conversion =
            amounts.find(|it| matches!(it, Amount::PerHours(_) | Amount::Ratio { .. }));
        match conversion {
            Some(Amount::PerHours(hours)) => self.say(
                format!("{to}：{source} 学时 ÷ 每学分 {hours} 学时 = {amount} 学分"),
                format!("{to}: {source} hours ÷ {hours} hours a credit = {amount} credits"),
            ),
            Some(Amount::Ratio {
                numerator,
                denominator,
            }) => self.say(
                format!("{to}：{source} 学分 × {numerator}/{denominator} = {amount} 学分"),
                format!("{to}: {source} credits × {numerator}/{denominator} = {amount} credits"),
            ),
            _ => self.say(
                format!("{to}：按规定值 {amount} 学分"),
                format!("{to}: worth {amount} credits by the rule"),
            ),
        }
    }

    fn limited(&self, finding: &Finding) -> String {
        let Finding::Limited {
            limit,
            group,
            used,
            max,
            asked,
            granted,
        } = finding
        else {
            return String::new();
        };
        let known = self.limit(limit);
        let title = match known {
            Some(it) => self.titled(&it.title, limit, &it.clause),
            None => format!("“{limit}”"),
        };
        let in_credits = known
            .is_some_and(|it| matches!(it.max, Maximum::Credits(_) | Maximum::CreditShare { .. }));
        let outcomes = known.is_some_and(|it| matches!(it.max, Maximum::Outcomes(_)));
        let number = |count: &u64| {
            if in_credits {
                decimal(*count)
            } else {
                count.to_string()
            }
        };
        let (used, max, asked, granted) =
            (number(used), number(max), number(asked), number(granted));
        let (zh, en) = match (in_credits, outcomes) {
            (true, _) => ("学分", "credits"),
            (false, true) => ("项成果", "outcomes"),
            (false, false) => ("门课程", "courses"),
        };
        let (of_zh, of_en) = if group.is_empty() {
            (String::new(), String::new())
        } else {
            (format!("（{group}）"), format!(" ({group})"))
        };
        self.say(
            format!("限额{title}{of_zh}：最多 {max} {zh}，已用 {used} {zh}，这次需要 {asked}，给予 {granted}"),
            format!("limit {title}{of_en}: at most {max} {en}, {used} used, {asked} asked for, {granted} granted"),
        )
    }

    fn rounded(&self, finding: &Finding) -> String {
        let Finding::Rounded {
            numerator,
            denominator,
            credits,
            unit,
            mode,
        } = finding
        else {
            return String::new();
        };
        let amount = exact(*numerator, *denominator, self.language);
        let (zh, en) = match mode {
            RoundingMode::Floor => ("舍去零头", "rounded down"),
            RoundingMode::HalfUp => ("四舍五入", "rounded half up"),
            RoundingMode::HalfEven => ("四舍六入五成双", "rounded half to even"),
        };
        self.say(
            format!("{amount} 学分按 {unit} 学分为单位{zh}，得 {credits} 学分"),
            format!("{amount} credits {en} to a multiple of {unit}: {credits} credits"),
        )
    }
}
