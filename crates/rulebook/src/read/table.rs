//! Tables and values with their lines. What is asked of a table is what may stand in it: the rest is a fault.

use std::cell::{Cell, RefCell};

use creditbank_domain::rules::{Place, Wording};
use toml::de::{DeTable, DeValue};

use super::page::Page;
use crate::finding::code;
use crate::words::words;

/// A table being read. [`Value::table`] and [`Table::root`] tell unknown keys once it has been.
pub(crate) struct Table<'a> {
    page: &'a Page<'a>,
    line: u32,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    /// Whether keys that were not asked for may stand here.
    is_free: Cell<bool>,
}

/// A value with the key it stands under.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) page: &'a Page<'a>,
    pub(crate) key: &'a str,
    pub(crate) line: u32,
    pub(crate) node: &'a DeValue<'a>,
}

impl<'a> Table<'a> {
    /// Reads a document's own table.
    pub(crate) fn root<T>(
        page: &'a Page<'a>,
        entries: &'a DeTable<'a>,
        read: impl FnOnce(&Self) -> T,
    ) -> T {
        Self::new(page, 1, entries).read(read)
    }

    fn new(page: &'a Page<'a>, line: u32, entries: &'a DeTable<'a>) -> Self {
        Self {
            page,
            line,
            entries,
            asked: RefCell::default(),
            is_free: Cell::default(),
        }
    }

    fn read<T>(self, read: impl FnOnce(&Self) -> T) -> T {
        let result = read(&self);
        if !self.is_free.get() {
            self.tell_unknown();
        }
        result
    }

    fn tell_unknown(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.entries.iter() {
            let (name, line) = (key.get_ref().as_ref(), self.page.line(&key.span()));
            if !asked.contains(&name) {
                let mut known = asked.clone();
                known.sort_unstable();
                known.dedup();
                let known = known.join(", ");
                let name = shorten(name);
                let message = words!(
                    "未知的键 {name}；此处可用：{known}",
                    "unknown key {name}; known here are: {known}"
                );
                self.page.fault(code::KEY_UNKNOWN, line, message);
            }
        }
    }

    /// Where the table stands.
    pub(crate) fn place(&self) -> Place {
        self.page.place(self.line)
    }

    /// A fault of the table as a whole.
    pub(crate) fn fault(&self, code: &'static str, message: Wording) {
        self.page.fault(code, self.line, message);
    }

    /// A fault of a key's value, or of the table where the key is not there.
    pub(crate) fn fault_at(&self, key: &str, code: &'static str, message: Wording) {
        let line = self
            .entries
            .get(key)
            .map(|node| self.page.line(&node.span()));
        self.page.fault(code, line.unwrap_or(self.line), message);
    }

    /// Whether the key is there. It stays unknown until it is asked for.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.get(key).is_some()
    }

    /// Says that its other keys are read elsewhere, or are people's own.
    pub(crate) fn free(&self) {
        self.is_free.set(true);
    }

    /// Names a key that may stand here and is read elsewhere.
    pub(crate) fn pass(&self, key: &'static str) {
        self.asked.borrow_mut().push(key);
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        let (_, node) = self.entries.get_key_value(key)?;
        Some(Value {
            page: self.page,
            key,
            line: self.page.line(&node.span()),
            node: node.get_ref(),
        })
    }

    /// What a key says, if it is there.
    pub(crate) fn take<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        self.value(key).and_then(|value| read(&value))
    }

    /// What a key says that must be there.
    pub(crate) fn need<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key);
        if value.is_none() {
            self.missing(key);
        }
        value.and_then(|value| read(&value))
    }

    /// The same, or its default behind a fault that was told.
    pub(crate) fn must<T: Default>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> T {
        self.need(key, read).unwrap_or_default()
    }

    /// What a key says, or its default.
    pub(crate) fn or_default<T: Default>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> T {
        self.take(key, read).unwrap_or_default()
    }

    /// Tells that a key is missing.
    pub(crate) fn missing(&self, key: &str) {
        self.fault(code::KEY_MISSING, words!("缺少 {key}", "{key} is missing"));
    }

    /// Tells that of these keys two are there; says whether so.
    pub(crate) fn conflict(&self, keys: &[&str]) -> bool {
        let there: Vec<&str> = keys.iter().copied().filter(|key| self.has(key)).collect();
        if there.len() > 1 {
            let there = there.join(", ");
            let message = words!(
                "{there} 只能写其中一项",
                "only one of {there} may stand here"
            );
            self.fault(code::KEY_CONFLICT, message);
        }
        there.len() > 1
    }

    /// The keys and values of a table whose keys people choose, in the order they are written.
    pub(crate) fn pairs(&self) -> Vec<Value<'a>> {
        self.free();
        let mut pairs: Vec<_> = self.entries.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        let value = |(key, node): (
            &'a toml::Spanned<toml::de::DeString<'a>>,
            &'a toml::Spanned<DeValue<'a>>,
        )| Value {
            page: self.page,
            key: key.get_ref().as_ref(),
            line: self.page.line(&key.span()),
            node: node.get_ref(),
        };
        pairs.into_iter().map(value).collect()
    }
}

impl<'a> Value<'a> {
    /// A fault of this value.
    pub(crate) fn fault<T>(&self, code: &'static str, message: Wording) -> Option<T> {
        self.page.fault(code, self.line, message);
        None
    }

    /// Tells that it is of another type.
    pub(crate) fn wrong_type<T>(&self, zh: &str, en: &str) -> Option<T> {
        let key = shorten(self.key);
        let (found_zh, found_en) = match self.node {
            DeValue::String(_) => ("文本", "a text"),
            DeValue::Integer(_) => ("整数", "a whole number"),
            DeValue::Float(_) => ("小数", "a decimal without quotes"),
            DeValue::Boolean(_) => ("true/false", "true or false"),
            DeValue::Datetime(_) => ("不带引号的日期", "a date without quotes"),
            DeValue::Array(_) => ("列表", "a list"),
            DeValue::Table(_) => ("表", "a table"),
        };
        let message = words!(
            "{key} 应为{zh}，此处是{found_zh}",
            "{key} must be {en}; this is {found_en}"
        );
        self.fault(code::TYPE, message)
    }

    /// A text as it is.
    pub(crate) fn raw_text(&self, zh: &str, en: &str) -> Option<&'a str> {
        match self.node {
            DeValue::String(text) => Some(text.as_ref()),
            _ => self.wrong_type(zh, en),
        }
    }

    /// A table; unknown keys in it are told.
    pub(crate) fn table<T>(&self, read: impl FnOnce(&Table<'a>) -> T) -> Option<T> {
        match self.node {
            DeValue::Table(entries) => Some(Table::new(self.page, self.line, entries).read(read)),
            _ => self.wrong_type("表 { … }", "a table { … }"),
        }
    }

    /// A table whose keys people choose: its pairs, in the order they are written.
    pub(crate) fn pairs(&self) -> Option<Vec<Value<'a>>> {
        match self.node {
            DeValue::Table(entries) => Some(Table::new(self.page, self.line, entries).pairs()),
            _ => self.wrong_type("表 { … }", "a table { … }"),
        }
    }

    /// The elements of a list, at most `max`.
    pub(crate) fn elements(&self, max: usize) -> Option<Vec<Value<'a>>> {
        let DeValue::Array(array) = self.node else {
            return self.wrong_type("列表 [ … ]", "a list [ … ]");
        };
        let (key, count) = (self.key, array.len());
        if count > max {
            let message = words!(
                "{key} 有 {count} 项，最多 {max} 项",
                "{key} has {count} entries, the most is {max}"
            );
            return self.fault(code::LIST, message);
        }
        let element = |node: &'a toml::Spanned<DeValue<'a>>| Value {
            line: self.page.line(&node.span()),
            node: node.get_ref(),
            ..*self
        };
        Some(array.iter().map(element).collect())
    }

    /// One value, or a list of any number that are all different, none included.
    pub(crate) fn any_number<T: PartialEq>(
        &self,
        max: usize,
        read: impl Fn(&Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        match self.node {
            DeValue::Array(array) if array.is_empty() => Some(Vec::new()),
            _ => self.one_or_more(max, read),
        }
    }

    /// One value, or a list of at least one that are all different.
    pub(crate) fn one_or_more<T: PartialEq>(
        &self,
        max: usize,
        read: impl Fn(&Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        if !matches!(self.node, DeValue::Array(_)) {
            return read(self).map(|value| vec![value]);
        }
        let elements = self.elements(max)?;
        let key = self.key;
        if elements.is_empty() {
            let message = words!(
                "{key} 是空列表；不限制时请删去此键",
                "{key} is an empty list; leave the key out where everything is meant"
            );
            return self.fault(code::LIST, message);
        }
        let mut values = Vec::with_capacity(elements.len());
        for element in &elements {
            let Some(value) = read(element) else { continue };
            if values.contains(&value) {
                let message = words!("{key} 中此项重复", "{key} names this twice");
                element.fault::<()>(code::LIST, message);
            }
            values.push(value);
        }
        Some(values)
    }
}

/// Keys are the writer's own; a long one is cut in messages.
pub(crate) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    match text.char_indices().nth(CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
