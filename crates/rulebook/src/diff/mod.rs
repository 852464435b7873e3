//! What differs between two sets, in words a policy officer would use: field by field, with the days it is for.

mod facts;
mod items;
mod rule;

use creditbank_domain::rules::{Period, RuleSet, Wording};
use jiff::civil::Date;

use self::facts::{Fact, Item};
use crate::words::words;

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// A field of it says something else.
    Changed,
}

impl ChangeKind {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// Of what: `rule`, `limit`, `programme`, `standard`, `agreement`, `process` …
    pub subject: &'static str,
    /// Its id; empty for what a set has once.
    pub id: String,
    /// The field that changed, such as `when.min_grade.percentage`; empty for what is added or removed.
    pub field: String,
    /// The change in words.
    pub text: Wording,
    /// Where it stands now: document and line; of what was removed, where it stood.
    pub document: String,
    /// The line.
    pub line: u32,
    /// Whether it is for days before the new set is in force, on which the old one decided already.
    pub reaches_back: bool,
}

/// What changes from `old` to `new`, in the order set, framework, process, agreements, programmes, rules, limits,
/// standards, points; within each by id.
#[must_use]
pub fn diff(old: &RuleSet, new: &RuleSet) -> Vec<Change> {
    let (before, after) = (items::items(old), items::items(new));
    let desk = Desk::new(old, new);
    let mut keys: Vec<_> = before.iter().chain(&after).map(Item::key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut changes = Vec::new();
    for key in keys {
        let of = |items: &[Item]| -> Vec<Item> {
            let start = items.partition_point(|item| item.key() < key);
            items[start..]
                .iter()
                .take_while(|item| item.key() == key)
                .cloned()
                .collect()
        };
        desk.compare(&of(&before), &of(&after), &mut changes);
    }
    changes
}

/// The days of the two sets.
struct Desk {
    /// First day on which the new set decides.
    from: Option<Date>,
    /// Whether it decides on days on which the old one was the first to.
    replaces: bool,
}

impl Desk {
    fn new(old: &RuleSet, new: &RuleSet) -> Self {
        let from = new.effective.from;
        let replaces = match (old.effective.from, from) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(old), Some(new)) => new <= old,
        };
        Self { from, replaces }
    }

    /// Versions of one thing. Each is held against the old version that begins on the same day, else against the one
    /// that was in force when it begins.
    fn compare(&self, old: &[Item], new: &[Item], changes: &mut Vec<Change>) {
        let same_start = |one: &Item, other: &&Item| one.period.from == other.period.from;
        let succeeded = |one: &Item, day: Date| one.period.contains(day);
        for item in new {
            let counterpart = old.iter().find(|it| same_start(item, it));
            let predecessor = || {
                let day = item.period.from?;
                old.iter().find(|it| succeeded(it, day))
            };
            match (counterpart, old) {
                (Some(old), _) => {
                    let is_succeeded = new.iter().any(|it| follows(item, it));
                    self.fields(old, item, is_succeeded, changes);
                }
                (None, [old]) if new.len() == 1 => self.fields(old, item, false, changes),
                (None, _) => match predecessor() {
                    Some(old) => self.succession(old, item, changes),
                    None => changes.push(self.added(item)),
                },
            }
        }
        for item in old {
            let kept = new.iter().any(|it| same_start(item, &it));
            let is_compared = old.len() == 1 && new.len() == 1;
            if !kept && !is_compared {
                changes.push(self.removed(item));
            }
        }
    }

    fn added(&self, item: &Item) -> Change {
        let (subject, title) = (item.subject_words(), item.name());
        let (days, facts) = (item.days(self.from), item.summary());
        Change {
            text: Wording {
                zh: format!("新增{}“{}”{}{}", subject.zh, title.zh, days.zh, facts.zh),
                en: format!("new {} “{}”{}{}", subject.en, title.en, days.en, facts.en),
            },
            ..self.change(ChangeKind::Added, item, String::new(), item.period.from)
        }
    }

    fn removed(&self, item: &Item) -> Change {
        let (subject, title, days) = (item.subject_words(), item.name(), item.days(self.from));
        Change {
            text: Wording {
                zh: format!("删除{}“{}”{}", subject.zh, title.zh, days.zh),
                en: format!("removed: {} “{}”{}", subject.en, title.en, days.en),
            },
            ..self.change(ChangeKind::Removed, item, String::new(), item.period.from)
        }
    }

    /// Fields of the same version. That it ends where its successor begins is said by the successor.
    fn fields(&self, old: &Item, new: &Item, is_succeeded: bool, changes: &mut Vec<Change>) {
        for (before, after) in differing(&old.facts, &new.facts) {
            if let Some(change) = self.field(new, before, after, new.period.from) {
                changes.push(change);
            }
        }
        let only_end = old.period.from == new.period.from && is_succeeded;
        if old.period != new.period && !only_end {
            let (before, after) = (facts::period(old.period), facts::period(new.period));
            let day = first_difference(old.period, new.period);
            let label = words!("生效期", "period");
            changes.push(Change {
                text: changed(&new.name(), &label, &before, &after, &Wording::default()),
                ..self.change(ChangeKind::Changed, new, "effective".to_owned(), day)
            });
        }
    }

    /// A new version against the one that was in force until it begins.
    fn succession(&self, old: &Item, new: &Item, changes: &mut Vec<Change>) {
        let count = changes.len();
        for (before, after) in differing(&old.facts, &new.facts) {
            changes.extend(self.field(new, before, after, new.period.from));
        }
        if changes.len() == count {
            changes.push(self.added(new));
        }
    }

    fn field(
        &self,
        item: &Item,
        before: Option<&Fact>,
        after: Option<&Fact>,
        day: Option<Date>,
    ) -> Option<Change> {
        let fact = after.or(before)?;
        let none = words!("无", "none");
        let value = |fact: Option<&Fact>| fact.map_or_else(|| none.clone(), |it| it.value.clone());
        let (old, new) = (value(before), value(after));
        Some(Change {
            text: changed(&item.name(), &fact.label, &old, &new, &item.days(self.from)),
            ..self.change(ChangeKind::Changed, item, fact.key.clone(), day)
        })
    }

    fn change(&self, kind: ChangeKind, item: &Item, field: String, day: Option<Date>) -> Change {
        let before_set = item.by_completion
            && match (day, self.from) {
                (_, None) => true,
                (None, Some(_)) => true,
                (Some(day), Some(from)) => day < from,
            };
        Change {
            kind,
            subject: item.subject,
            id: item.id.clone(),
            field,
            text: Wording::default(),
            document: item.document.clone(),
            line: item.line,
            reaches_back: self.replaces || before_set,
        }
    }
}

fn changed(
    name: &Wording,
    label: &Wording,
    old: &Wording,
    new: &Wording,
    days: &Wording,
) -> Wording {
    Wording {
        zh: format!(
            "{} {}：{} → {}{}",
            name.zh, label.zh, old.zh, new.zh, days.zh
        )
        .trim_start()
        .to_owned(),
        en: format!(
            "{} {}: {} → {}{}",
            name.en, label.en, old.en, new.en, days.en
        )
        .trim_start()
        .to_owned(),
    }
}

/// Whether `next` begins the day after `item` ends.
fn follows(item: &Item, next: &Item) -> bool {
    let end = item.period.to.and_then(|day| day.tomorrow().ok());
    end.is_some() && end == next.period.from
}

/// The first day on which one period contains it and the other does not; none if that is open.
fn first_difference(one: Period, other: Period) -> Option<Date> {
    if one.from != other.from {
        return one.from.min(other.from);
    }
    let end = match (one.to, other.to) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (end, None) | (None, end) => end,
    };
    end.and_then(|day| day.tomorrow().ok())
}

/// Facts that differ, by key in the order of the new ones, then those that are gone.
fn differing<'a>(old: &'a [Fact], new: &'a [Fact]) -> Vec<(Option<&'a Fact>, Option<&'a Fact>)> {
    let find = |facts: &'a [Fact], key: &str| facts.iter().find(|fact| fact.key == key);
    let mut pairs = Vec::new();
    for fact in new {
        let before = find(old, &fact.key);
        if before.is_none_or(|before| before.value != fact.value) {
            pairs.push((before, Some(fact)));
        }
    }
    let gone = old.iter().filter(|fact| find(new, &fact.key).is_none());
    pairs.extend(gone.map(|fact| (Some(fact), None)));
    pairs
}
