//! How a settings file is read: the defaults, then the file, then the environment. Every fault is found, each with its place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Beginning of every name in the environment that the program reads.
pub(crate) const PREFIX: &str = "CREDITBANK_";
/// What the program reads from the environment beside settings.
const OTHER_NAMES: [&str; 7] = [
    "CREDITBANK_LOG",
    "CREDITBANK_LOG_FORMAT",
    "CREDITBANK_TRACES",
    "CREDITBANK_SERVER",
    "CREDITBANK_BANK",
    "CREDITBANK_CA",
    "CREDITBANK_KEY",
];

/// How the environment may override a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overrides {
    /// Before the key in capitals.
    pub(crate) prefix: &'static str,
    /// The keys that it may name.
    pub(crate) keys: &'static [&'static str],
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// File and line, or the name in the environment.
    pub(crate) place: String,
    /// The key, such as `peer[0].grpc`; empty for the file as a whole.
    pub(crate) key: String,
    /// What it should be.
    pub(crate) rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, rule } = self;
        if key.is_empty() {
            write!(f, "{place}: {rule}")
        } else {
            write!(f, "{place}: {key}: {rule}")
        }
    }
}

/// Settings, and where each of them was said.
#[derive(Debug)]
pub(crate) struct Reading<S> {
    pub(crate) settings: S,
    /// By key: file and line, or the name in the environment. A key that is not here has its default.
    pub(crate) places: BTreeMap<String, String>,
}

impl<S> Reading<S> {
    /// A fault of one key, at the place where it was said.
    pub(crate) fn fault(&self, key: &str, rule: impl Into<String>) -> Fault {
        let place = self.places.get(key);
        Fault {
            place: place.map_or("default", String::as_str).to_owned(),
            key: key.to_owned(),
            rule: rule.into(),
        }
    }

    /// A fault for each number that is out of its bounds.
    pub(crate) fn outside(&self, numbers: &[Number]) -> Vec<Fault> {
        let outside = numbers
            .iter()
            .filter(|it| !(it.least..=it.most).contains(&it.value));
        let fault = |it: &Number| {
            let Number {
                key,
                value,
                least,
                most,
            } = it;
            self.fault(key, format!("{value} is not between {least} and {most}"))
        };
        outside.map(fault).collect()
    }
}

/// A number among the settings, with the least and the most that it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    key: &'static str,
    value: i64,
    least: i64,
    most: i64,
}

impl Number {
    pub(crate) fn new(key: &'static str, value: impl TryInto<i64>, least: i64, most: i64) -> Self {
        // What is beyond is out of every bound.
        let value = value.try_into().unwrap_or(i64::MAX);
        Self {
            key,
            value,
            least,
            most,
        }
    }
}

/// Everything in the environment that begins like ours, in the order of the names.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are read here; the home of the environment"
)]
pub(crate) fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let ours = std::env::vars_os().filter_map(text);
    ours.filter(|(name, _)| name.starts_with(PREFIX)).collect()
}

/// What a service manager says to a process that it has started.
#[derive(Debug, Default)]
pub(crate) struct Manager {
    /// Where it wants to be told; a path, or `@` and the name of an abstract socket.
    pub(crate) socket: Option<OsString>,
    /// It takes the process for dead when it hears nothing for so long.
    pub(crate) watchdog: Option<Duration>,
}

impl Manager {
    /// As the environment of this process has it.
    #[expect(
        clippy::disallowed_methods,
        reason = "systemd's own names; the home of the environment"
    )]
    pub(crate) fn of_process() -> Self {
        Self::new(std::process::id(), |name| std::env::var_os(name))
    }

    fn new(process: u32, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        let is_meant = number("WATCHDOG_PID").is_none_or(|it| it == u64::from(process));
        let watchdog = number("WATCHDOG_USEC").filter(|it| *it > 0 && is_meant);
        Self {
            socket: variable("NOTIFY_SOCKET").filter(|it| !it.is_empty()),
            watchdog: watchdog.map(Duration::from_micros),
        }
    }
}

/// Reads a file with what the environment says, or tells everything that is wrong.
pub(crate) fn read<S>(
    file: &Path,
    overrides: Overrides,
    environment: &BTreeMap<String, String>,
) -> Result<Reading<S>, Vec<Fault>>
where
    S: Serialize + DeserializeOwned + Default,
{
    let name = file.file_name().unwrap_or(file.as_os_str());
    let name = name.to_string_lossy();
    let whole = |rule: String| Fault {
        place: name.to_string(),
        key: String::new(),
        rule,
    };
    let text = std::fs::read_to_string(file).map_err(|error| vec![whole(error.to_string())])?;
    let at = |span: Range<usize>| format!("{name}:{}", line(&text, span.start));
    let (document, mut faults) = match DeTable::parse(&text) {
        Ok(document) => faults_of::<S>(document, &at),
        Err(error) => {
            let place = error.span().map_or(name.to_string(), at);
            let rule = error.message().to_owned();
            let key = String::new();
            return Err(vec![Fault { place, key, rule }]);
        }
    };
    let mut places = BTreeMap::new();
    for (key, _) in document.get_ref() {
        places.insert(key.get_ref().to_string(), at(key.span()));
    }
    let mut figment = Figment::from(Serialized::defaults(S::default())).merge(Toml::string(&text));
    for key in overrides.keys {
        let place = format!("{}{}", overrides.prefix, key.to_uppercase());
        let Some(text) = environment.get(&place) else {
            continue;
        };
        let value: figment::value::Value = text.parse().unwrap_or_else(|never| match never {});
        let alone = Figment::from(Serialized::defaults(S::default()));
        if let Err(error) = alone.merge((key, value.clone())).extract::<S>() {
            faults.push(Fault {
                place,
                key: (*key).to_owned(),
                rule: error.kind.to_string(),
            });
            continue;
        }
        figment = figment.merge((key, value));
        places.insert((*key).to_owned(), place);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let settings = figment.extract();
    let settings = settings.map_err(|error| vec![whole(error.kind.to_string())])?;
    Ok(Reading { settings, places })
}

/// Names in the environment that begin like ours and that nothing reads.
pub(crate) fn unknown_names(
    environment: &BTreeMap<String, String>,
    known: &[Overrides],
) -> Vec<Fault> {
    let is_known = |name: &str| {
        let names = |it: &Overrides| {
            let key = name.strip_prefix(it.prefix).map(str::to_lowercase);
            key.is_some_and(|key| it.keys.contains(&key.as_str()))
        };
        OTHER_NAMES.contains(&name) || known.iter().any(names)
    };
    let unknown = environment.keys().filter(|name| !is_known(name));
    let fault = |name: &String| Fault {
        place: name.clone(),
        key: String::new(),
        rule: "no setting can be given under this name in the environment".to_owned(),
    };
    unknown.map(fault).collect()
}

/// Takes one fault after the other out of a document, until what is left can be read.
fn faults_of<'a, S: DeserializeOwned + Default>(
    mut document: Spanned<DeTable<'a>>,
    at: &impl Fn(Range<usize>) -> String,
) -> (Spanned<DeTable<'a>>, Vec<Fault>) {
    let mut faults = Vec::new();
    while let Err(error) = S::deserialize(toml::Deserializer::from(document.clone())) {
        let span = error.span().unwrap_or_default();
        let key = remove(document.get_mut(), &span);
        faults.push(Fault {
            place: at(span),
            key: key.clone().unwrap_or_default(),
            rule: error.message().trim().to_owned(),
        });
        if key.is_none() {
            break;
        }
    }
    (document, faults)
}

/// Removes what an error is about: the innermost key or value at its place; gives the key with the keys around it.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let holds = |it: &Range<usize>| it.start <= span.start && span.end <= it.end;
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let name = key.get_ref().to_string();
        if key.span() == *span {
            found = Some((name.clone(), name));
            break;
        }
        let whole = holds(&value.span());
        match value.get_mut() {
            DeValue::Table(inner) => {
                if let Some(inside) = remove(inner, span) {
                    return Some(format!("{name}.{inside}"));
                }
            }
            DeValue::Array(items) => {
                for (number, item) in items.iter_mut().enumerate() {
                    let DeValue::Table(inner) = item.get_mut() else {
                        continue;
                    };
                    if let Some(inside) = remove(inner, span) {
                        return Some(format!("{name}[{number}].{inside}"));
                    }
                }
                let at = items.iter().position(|item| holds(&item.span()));
                if let Some(number) = at {
                    let mut left = toml::de::DeArray::new();
                    let others = items.iter().enumerate().filter(|(it, _)| *it != number);
                    others.for_each(|(_, item)| left.push(item.clone()));
                    *items = left;
                    return Some(format!("{name}[{number}]"));
                }
            }
            _ => {}
        }
        if whole {
            found = Some((name.clone(), name));
            break;
        }
    }
    let (name, told) = found?;
    table.remove(name.as_str());
    Some(told)
}

fn line(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// What the example says when every key is taken out of its comment.
#[cfg(test)]
pub(crate) fn uncommented(example: &str) -> String {
    let is_key = |line: &&str| {
        let word = line.trim_start_matches("# ").split([' ', ']']).next();
        line.starts_with("# [")
            || line.starts_with("# ") && line.contains(" = ") && word.is_some_and(is_name)
    };
    let lines = example.lines().filter(is_key);
    lines.map(|line| format!("{}\n", &line[2..])).collect()
}

#[cfg(test)]
fn is_name(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_of_another_process_is_not_ours() {
        for (pairs, socket, watchdog_ms) in [
            (&[][..], None, None),
            (&[("NOTIFY_SOCKET", "")], None, None),
            (&[("NOTIFY_SOCKET", "@x")], Some("@x"), None),
            (&[("WATCHDOG_USEC", "2000")], None, Some(2)),
            (&[("WATCHDOG_USEC", "0")], None, None),
            (&[("WATCHDOG_USEC", "soon")], None, None),
            (
                &[("WATCHDOG_USEC", "2000"), ("WATCHDOG_PID", "7")],
                None,
                Some(2),
            ),
            (
                &[("WATCHDOG_USEC", "2000"), ("WATCHDOG_PID", "8")],
                None,
                None,
            ),
        ] {
            let found = |name: &str| pairs.iter().find(|it| it.0 == name);
            let manager = Manager::new(7, |name| found(name).map(|it| it.1.into()));
            assert_eq!(manager.socket, socket.map(OsString::from), "{pairs:?}");
            let watchdog = watchdog_ms.map(Duration::from_millis);
            assert_eq!(manager.watchdog, watchdog, "{pairs:?}");
        }
    }
}
