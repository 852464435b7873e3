//! What something says, as a list of fields in words.

use std::fmt::Display;

use creditbank_domain::rules::{Period, Place, RuleSet, Wording};
use jiff::civil::Date;

use crate::words::{same, words};

/// Something that a set has, with what it says.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Order among subjects.
    pub(super) rank: u8,
    pub(super) subject: &'static str,
    pub(super) id: String,
    pub(super) title: Wording,
    pub(super) document: String,
    pub(super) line: u32,
    pub(super) period: Period,
    /// Whether the days of its period are days of completion.
    pub(super) by_completion: bool,
    pub(super) facts: Vec<Fact>,
}

/// A field of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) key: String,
    pub(super) label: Wording,
    pub(super) value: Wording,
}

/// Fields being gathered; what is not stated is left out.
#[derive(Default)]
pub(super) struct Facts(pub(super) Vec<Fact>);

impl Facts {
    /// A field in words.
    pub(super) fn add(&mut self, key: impl Into<String>, label: Wording, value: Wording) {
        self.0.push(Fact {
            key: key.into(),
            label,
            value,
        });
    }

    /// A field that reads the same in both languages.
    pub(super) fn plain(&mut self, key: &str, label: (&str, &str), value: impl Display) {
        self.add(key, both(label), same(value.to_string()));
    }

    /// The same, if there is one.
    pub(super) fn option<T: Display>(&mut self, key: &str, label: (&str, &str), value: Option<T>) {
        if let Some(value) = value {
            self.plain(key, label, value);
        }
    }

    /// A text, unless it is empty.
    pub(super) fn text(&mut self, key: &str, label: (&str, &str), value: &str) {
        self.option(key, label, Some(value).filter(|value| !value.is_empty()));
    }

    /// A list, unless it is empty.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        label: (&str, &str),
        values: &[T],
        word: impl Fn(&T) -> Wording,
    ) {
        if !values.is_empty() {
            self.add(key, both(label), join(values.iter().map(word)));
        }
    }

    /// `yes`, where it holds.
    pub(super) fn flag(&mut self, key: &str, label: (&str, &str), holds: bool) {
        if holds {
            self.add(key, both(label), words!("是", "yes"));
        }
    }

    /// A share.
    pub(super) fn share(&mut self, key: &str, label: (&str, &str), basis_points: Option<u16>) {
        let share = basis_points.map(|it| crate::names::hundredths_text(it.into()) + "%");
        self.option(key, label, share);
    }
}

impl Item {
    /// A new item at a place.
    pub(super) fn new(
        set: &RuleSet,
        rank: u8,
        subject: &'static str,
        id: &str,
        place: Place,
    ) -> Self {
        let document = set.documents.get(usize::from(place.document));
        Self {
            rank,
            subject,
            id: id.to_owned(),
            title: Wording::default(),
            document: document.map_or_else(String::new, |it| it.name.clone()),
            line: place.line,
            period: Period::default(),
            by_completion: false,
            facts: Vec::new(),
        }
    }

    /// What it is found by.
    pub(super) fn key(&self) -> (u8, &str) {
        (self.rank, &self.id)
    }

    /// The subject in words.
    pub(super) fn subject_words(&self) -> Wording {
        both(match self.subject {
            "agreement" => ("协议", "agreement"),
            "document" => ("文件", "document"),
            "earning" => ("积分规则", "earning rule"),
            "honour" => ("荣誉", "honour"),
            "limit" => ("限额", "limit"),
            "origin" => ("来源", "origin"),
            "programme" => ("专业教学计划", "programme"),
            "rule" => ("规则", "rule"),
            "standard" => ("单元标准", "standard"),
            "whole" => ("整体与部分", "whole and parts"),
            other => (other, other),
        })
    }

    /// Its title, or its id.
    pub(super) fn name(&self) -> Wording {
        if self.title.zh.is_empty() {
            same(self.id.clone())
        } else {
            self.title.clone()
        }
    }

    /// Behind a change: for which days it is, in a set that decides from `set_from` on.
    pub(super) fn days(&self, set_from: Option<Date>) -> Wording {
        let Period { mut from, to } = self.period;
        if matches!(self.subject, "set" | "document") {
            return Wording::default();
        }
        if !self.by_completion {
            from = from.max(set_from);
        }
        let (zh, en) = match self.by_completion {
            true => ("取得的成果", "for outcomes completed"),
            false => ("的申请", "for applications"),
        };
        match (from, to) {
            (None, None) => Wording::default(),
            (Some(from), None) => words!("，适用于 {from} 起{zh}", ", {en} from {from}"),
            (None, Some(to)) => words!("，适用于 {to} 止{zh}", ", {en} until {to}"),
            (Some(from), Some(to)) => {
                words!("，适用于 {from} 至 {to} {zh}", ", {en} from {from} to {to}")
            }
        }
    }

    /// What it says, in one sentence.
    pub(super) fn summary(&self) -> Wording {
        let facts = self
            .facts
            .iter()
            .filter(|fact| !matches!(fact.key.as_str(), "title" | "clause"));
        let parts = facts.map(|fact| Wording {
            zh: format!("{} {}", fact.label.zh, fact.value.zh),
            en: format!("{} {}", fact.label.en, fact.value.en),
        });
        let all = parts.reduce(|all, next| Wording {
            zh: all.zh + "；" + &next.zh,
            en: all.en + "; " + &next.en,
        });
        all.map_or_else(Wording::default, |all| Wording {
            zh: format!("：{}", all.zh),
            en: format!(": {}", all.en),
        })
    }
}

/// A pair as a wording.
pub(super) fn both((zh, en): (&str, &str)) -> Wording {
    Wording {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// A list in words.
pub(super) fn join(values: impl Iterator<Item = Wording>) -> Wording {
    let all = values.reduce(|all, next| Wording {
        zh: all.zh + "、" + &next.zh,
        en: all.en + ", " + &next.en,
    });
    all.unwrap_or_default()
}

/// A period in words.
pub(super) fn period(period: Period) -> Wording {
    match (period.from, period.to) {
        (None, None) => words!("不限", "always"),
        (Some(from), None) => words!("{from} 起", "from {from}"),
        (None, Some(to)) => words!("至 {to}", "until {to}"),
        (Some(from), Some(to)) => words!("{from} 至 {to}", "{from} to {to}"),
    }
}

/// How a value is written in documents.
pub(super) fn written<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    let found = words.iter().find(|(_, known)| known == value);
    found.map_or("", |(word, _)| *word)
}
