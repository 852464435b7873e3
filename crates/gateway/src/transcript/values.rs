//! A transcript as the values that `typst/transcript.typ` reads: the one place that knows both.

use typst::foundations::{Array, Bytes, Dict, Value, dict};

use super::fonts::Fonts;
use super::printable::printable;
use super::sheet::{Group, Pair, Record, RecordSet, Transcript};
use super::typeset::Unprintable;
use crate::qr::Qr;
use crate::show;

/// The values of a transcript.
pub(super) fn values(it: &Transcript, fonts: &Fonts) -> Result<Dict, Unprintable> {
    let mut writer = Writer {
        fonts,
        has_codes: false,
    };
    let groups = writer.groups(it)?;
    // From here on a character that is lost is a failure: the name is what a transcript is about.
    let has_codes = std::mem::take(&mut writer.has_codes);
    let bank = writer.pair(&it.bank);
    let holder = writer.holder(it);
    if writer.has_codes {
        return Err(Unprintable::Glyph);
    }
    let until = it.shared_until.map(|day| day.to_string());
    Ok(dict! {
        "languages" => it.languages.as_str(),
        "bank" => bank,
        "date" => dict! {
            "year" => i64::from(it.printed_on.year()),
            "month" => i64::from(it.printed_on.month()),
            "day" => i64::from(it.printed_on.day()),
        },
        "day" => it.printed_on.to_string(),
        "holder" => holder,
        "log" => dict! { "origin" => &*it.log_origin, "size" => it.log_size.to_string() },
        "totals" => it.groups.iter().map(totals).collect::<Array>(),
        "groups" => groups,
        "unprintable" => has_codes,
        "shared-until" => until.map_or(Value::None, |it| Value::Str(it.into())),
        "verify-link" => &*it.verify_link,
    })
}

fn totals(group: &Group) -> Value {
    let totals = group.totals();
    Value::Dict(dict! {
        "category" => plain(&group.category),
        "records" => totals.records.to_string(),
        "credits" => show::hundredths(totals.credits_hundredths),
        "hours" => show::hundredths(totals.hours_hundredths),
    })
}

/// Our own words, which the fonts have.
fn plain(pair: &Pair) -> Dict {
    dict! { "zh" => &*pair.zh, "en" => &*pair.en }
}

struct Writer<'a> {
    fonts: &'a Fonts,
    /// Whether a character was written as its code.
    has_codes: bool,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) -> String {
        let printable = printable(text, self.fonts);
        self.has_codes |= printable.has_codes;
        printable.text
    }

    fn pair(&mut self, pair: &Pair) -> Dict {
        dict! { "zh" => self.text(&pair.zh), "en" => self.text(&pair.en) }
    }

    fn holder(&mut self, it: &Transcript) -> Dict {
        let mut identities = Array::new();
        for (kind, number) in &it.holder.identities {
            let number = self.text(number);
            identities.push(Value::Dict(
                dict! { "kind" => plain(kind), "number" => number },
            ));
        }
        dict! {
            "name" => self.text(&it.holder.name),
            "code" => &*it.holder.code,
            "identities" => identities,
        }
    }

    fn groups(&mut self, it: &Transcript) -> Result<Array, Unprintable> {
        let mut groups = Array::new();
        for group in &it.groups {
            let mut sets = Array::new();
            for set in &group.sets {
                sets.push(Value::Dict(self.set(set)?));
            }
            groups.push(Value::Dict(
                dict! { "category" => plain(&group.category), "sets" => sets },
            ));
        }
        Ok(groups)
    }

    fn set(&mut self, set: &RecordSet) -> Result<Dict, Unprintable> {
        let leaves = || set.records.iter().map(|it| it.leaf_index);
        let end = |leaf: Option<u64>| leaf.map(|it| it.to_string()).unwrap_or_default();
        let qr = svg(&Qr::of(&set.link).ok_or(Unprintable::Link)?);
        Ok(dict! {
            "records" => set.records.iter().map(|it| self.record(it)).collect::<Array>(),
            "first" => end(leaves().min()),
            "last" => end(leaves().max()),
            "link" => &*set.link,
            // Without what stands behind #, which nobody types.
            "address" => set.link.split('#').next().unwrap_or_default(),
            "qr" => Bytes::from_string(qr),
        })
    }

    fn record(&mut self, it: &Record) -> Value {
        let amount = |hundredths: Option<u32>| {
            let amount = hundredths.map(|it| show::hundredths(u64::from(it)));
            amount.unwrap_or_default()
        };
        Value::Dict(dict! {
            "name" => self.text(&it.name),
            "institution" => self.text(&it.institution),
            "completed" => self.text(&it.completed_on),
            "credits" => amount(it.credits_hundredths),
            "hours" => amount(it.hours_hundredths),
            "grade" => self.pair(&it.grade),
            "state" => plain(&it.state),
            "in-force" => it.is_in_force,
            "leaf" => it.leaf_index.to_string(),
        })
    }
}

/// A QR code as one path of horizontal runs: sharp at any size, and without seams.
fn svg(code: &Qr) -> String {
    let Qr { side, path } = code;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{path}"/></svg>"#
    )
}
