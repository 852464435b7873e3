//! What a value may be: ids, texts, amounts, dates, shares, words of a closed list.

use creditbank_domain::identifier::{Province, RegionCode};
use creditbank_domain::rules::names;
use creditbank_domain::rules::{FrameworkLevel, Period, Wording};
use creditbank_domain::{Credit, Hours, Refusal};
use jiff::civil::Date;

use super::page::Kind;
use super::table::{Table, Value, shorten};
use crate::finding::code;
use crate::words::{same, words};

/// Most characters of an id.
const ID_CHARS_MAX: usize = 64;
/// Most characters of a title, a clause, a name.
const TEXT_CHARS_MAX: usize = 300;
/// A whole as basis points.
const WHOLE_BP: u32 = 10_000;

impl<'a> Value<'a> {
    /// An id: `[a-z0-9][a-z0-9-]*`.
    pub(crate) fn id(&self) -> Option<String> {
        let text = self.raw_text("文本", "a text")?;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_id = text.len() <= ID_CHARS_MAX
            && text.starts_with(is_plain)
            && text.chars().all(|c| is_plain(c) || c == '-');
        if is_id {
            return Some(text.to_owned());
        }
        let shown = shorten(text);
        let message = words!(
            "{shown} 不能作标识：只用小写字母、数字和连字符，最长 {ID_CHARS_MAX} 字",
            "{shown} is no id: small letters, digits and hyphens, at most {ID_CHARS_MAX} characters"
        );
        self.fault(code::ID, message)
    }

    /// An id of something that the set must have.
    pub(crate) fn reference(&self, kind: Kind) -> Option<String> {
        let id = self.id()?;
        self.page.refer(kind, &id, self.line);
        Some(id)
    }

    /// A text of one line.
    pub(crate) fn text(&self) -> Option<String> {
        let text = self.raw_text("文本", "a text")?;
        let key = shorten(self.key);
        let message = if text.trim().is_empty() {
            words!("{key} 是空的", "{key} is empty")
        } else if text.chars().count() > TEXT_CHARS_MAX {
            words!(
                "{key} 超过 {TEXT_CHARS_MAX} 字",
                "{key} has more than {TEXT_CHARS_MAX} characters"
            )
        } else if text.chars().any(char::is_control) {
            words!(
                "{key} 含有换行或控制字符",
                "{key} has line breaks or control characters"
            )
        } else {
            return Some(text.to_owned());
        };
        self.fault(code::TEXT, message)
    }

    /// A name or code, as its key.
    pub(crate) fn name_key(&self) -> Option<String> {
        self.text().map(|text| names::key(&text))
    }

    /// A text for both languages, or one each.
    pub(crate) fn wording(&self) -> Option<Wording> {
        if matches!(self.node, toml::de::DeValue::Table(_)) {
            return self.table(|t| Wording {
                zh: t.must("zh", Value::text),
                en: t.must("en", Value::text),
            });
        }
        self.text().map(same)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self.node {
            toml::de::DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_type("true 或 false", "true or false"),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, min: u32, max: u32) -> Option<u32> {
        let toml::de::DeValue::Integer(integer) = self.node else {
            return self.wrong_type("不带引号的整数", "a whole number without quotes");
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let key = shorten(self.key);
        number
            .filter(|number| (min..=max).contains(number))
            .or_else(|| {
                let message = words!(
                    "{key} 应为 {min} 至 {max} 的整数",
                    "{key} must be a whole number from {min} to {max}"
                );
                self.fault(code::NUMBER, message)
            })
    }

    /// A whole number that a `u16` holds, at least `min`.
    pub(crate) fn short(&self, min: u16) -> Option<u16> {
        self.whole(min.into(), u16::MAX.into())
            .and_then(|number| u16::try_from(number).ok())
    }

    /// A whole number that a `u8` holds, at least 1.
    pub(crate) fn byte(&self) -> Option<u8> {
        self.whole(1, u8::MAX.into())
            .and_then(|number| u8::try_from(number).ok())
    }

    /// Credits: a decimal in quotes.
    pub(crate) fn credit(&self) -> Option<Credit> {
        self.amount(Credit::parse)
    }

    /// Hours: a decimal in quotes.
    pub(crate) fn hours(&self) -> Option<Hours> {
        self.amount(Hours::parse)
    }

    /// Hours that something is divided by.
    pub(crate) fn divisor_hours(&self) -> Option<Hours> {
        let hours = self.hours()?;
        if hours == Hours::ZERO {
            return self.zero();
        }
        Some(hours)
    }

    /// Tells that it divides by zero.
    pub(crate) fn zero<T>(&self) -> Option<T> {
        let key = shorten(self.key);
        self.fault(
            code::ZERO_DIVISOR,
            words!("{key} 不能为零", "{key} must not be zero"),
        )
    }

    fn amount<T>(&self, parse: fn(&str) -> Result<T, Refusal>) -> Option<T> {
        let text = self.raw_text(
            "引号中的数，如 \"2.5\"",
            "a decimal in quotes, such as \"2.5\"",
        )?;
        parse(text).ok().or_else(|| {
            let (key, shown) = (shorten(self.key), shorten(text));
            let message = words!(
                "{key} = \"{shown}\" 不是数：写作 \"4\" 或 \"2.5\"，最多两位小数，不为负",
                "{key} = \"{shown}\" is no amount: write \"4\" or \"2.5\", at most two decimals, not negative"
            );
            self.fault(code::AMOUNT, message)
        })
    }

    /// A day, `"2026-06-30"`.
    pub(crate) fn date(&self) -> Option<Date> {
        let text = self.raw_text(
            "引号中的日期，如 \"2026-06-30\"",
            "a date in quotes, such as \"2026-06-30\"",
        )?;
        parse_date(text).or_else(|| {
            let shown = shorten(text);
            let message = words!(
                "\"{shown}\" 不是日期：写作 \"2026-06-30\"",
                "\"{shown}\" is no date: write \"2026-06-30\""
            );
            self.fault(code::DATE, message)
        })
    }

    /// A period `{ from, to }`, either end open.
    pub(crate) fn period(&self) -> Option<Period> {
        self.table(|t| t.period())
    }

    /// A share in basis points, `"35%"` or `"33.33%"`, above zero and at most a whole.
    pub(crate) fn share(&self) -> Option<u16> {
        let text = self.raw_text(
            "引号中的百分比，如 \"35%\"",
            "a share in quotes, such as \"35%\"",
        )?;
        let basis_points = text
            .strip_suffix('%')
            .filter(|number| !number.contains(char::is_whitespace))
            .and_then(|number| Credit::parse(number).ok())
            .map(Credit::hundredths)
            .filter(|basis_points| (1..=WHOLE_BP).contains(basis_points));
        basis_points.and_then(|it| u16::try_from(it).ok()).or_else(|| {
            let shown = shorten(text);
            let message = words!(
                "\"{shown}\" 不是百分比：写作 \"35%\"，大于 0 且不超过 100，最多两位小数",
                "\"{shown}\" is no share: write \"35%\", above 0 and at most 100, at most two decimals"
            );
            self.fault(code::SHARE, message)
        })
    }

    /// One of a closed list of words.
    pub(crate) fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.raw_text("文本", "a text")?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).or_else(|| {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.not_among(text, &list.join(", "))
        })
    }

    /// One of a closed list of the domain, by its stable code.
    pub(crate) fn coded<T: Copy + 'static>(
        &self,
        all: &[T],
        code: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let words: Vec<(&str, T)> = all.iter().map(|value| (code(*value), *value)).collect();
        self.choice(&words)
    }

    /// Tells that a word is none of those that may stand here.
    pub(crate) fn not_among<T>(&self, text: &str, list: &str) -> Option<T> {
        let (key, shown) = (shorten(self.key), shorten(text));
        let message = words!(
            "{key} 不能是 \"{shown}\"；可用：{list}",
            "{key} cannot be \"{shown}\"; it may be: {list}"
        );
        self.fault(code::CHOICE, message)
    }

    /// A text that the domain parses, such as an occupation.
    pub(crate) fn parsed<T>(
        &self,
        parse: impl Fn(&str) -> Result<T, Refusal>,
        (zh, en): (&str, &str),
    ) -> Option<T> {
        let text = self.raw_text("文本", "a text")?;
        parse(text).ok().or_else(|| {
            let (key, shown) = (shorten(self.key), shorten(text));
            let message = words!(
                "{key} = \"{shown}\" 不是{zh}",
                "{key} = \"{shown}\" is not {en}"
            );
            self.fault(code::CHOICE, message)
        })
    }

    /// A level of the framework.
    pub(crate) fn level(&self) -> Option<FrameworkLevel> {
        let number = self.whole(1, 10)?;
        u8::try_from(number).ok().and_then(FrameworkLevel::new)
    }

    /// Two digits of a province.
    pub(crate) fn province(&self) -> Option<String> {
        let known = ("省级行政区代码（两位）", "a province of two digits");
        self.parsed(Province::parse, known)
            .map(|province| province.to_string())
    }

    /// The digits that regions begin with: two of a province, four of a city, six of a county.
    pub(crate) fn region(&self) -> Option<String> {
        let parse = |text: &str| match text.len() {
            2 => Province::parse(text).map(|_| text.to_owned()),
            4 => RegionCode::parse(&format!("{text}00")).map(|_| text.to_owned()),
            _ => RegionCode::parse(text).map(|region| region.to_string()),
        };
        self.parsed(
            parse,
            (
                "行政区划代码（2、4 或 6 位）",
                "a region of 2, 4 or 6 digits",
            ),
        )
    }
}

impl Table<'_> {
    /// The keys `from` and `to` of a period.
    pub(crate) fn period(&self) -> Period {
        let (from, to) = (self.take("from", Value::date), self.take("to", Value::date));
        if let (Some(first), Some(last)) = (from, to)
            && last < first
        {
            let message = words!(
                "期间的最后一天 {last} 早于第一天 {first}",
                "the period ends on {last}, before it begins on {first}"
            );
            self.fault(code::PERIOD, message);
        }
        Period { from, to }
    }
}

/// `YYYY-MM-DD` and nothing else.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let is_form = text.len() == 10
        && text.bytes().enumerate().all(|(at, c)| match at {
            4 | 7 => c == b'-',
            _ => c.is_ascii_digit(),
        });
    if is_form { text.parse().ok() } else { None }
}
