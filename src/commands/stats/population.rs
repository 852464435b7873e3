//! Residents, from a file that an operator writes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use creditbank_domain::statistics::Population;

use crate::connection;

/// The file, as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    dated: toml::value::Datetime,
    residents: BTreeMap<String, u64>,
}

/// Reads a population. Its values are judged by the bank.
pub(super) fn read(path: &Path) -> Result<Population> {
    let text = String::from_utf8(connection::read(path)?)
        .with_context(|| format!("{} is not UTF-8", path.display()))?;
    parse(&text).with_context(|| format!("{} is not a file of residents", path.display()))
}

fn parse(text: &str) -> Result<Population> {
    let file: File = toml::from_str(text)?;
    let district = |name: &str| match name {
        "total" => Ok(0),
        code => code
            .parse()
            .with_context(|| format!("{code} is neither total nor a district code")),
    };
    let residents = file.residents.iter();
    let residents = residents.map(|(name, residents)| Ok((district(name)?, *residents)));
    Ok(Population {
        source: file.source,
        dated: file.dated.to_string(),
        residents: residents.collect::<Result<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn residents_are_read_from_a_named_and_dated_file() {
        let read = parse(
            "source = \"第七次人口普查\"\ndated = 2020-11-01\n[residents]\ntotal = 24870895\n310101 = 662030\n",
        );
        let read = read.unwrap();
        assert_eq!(read.dated, "2020-11-01");
        assert_eq!(read.residents, [(0, 24_870_895), (310_101, 662_030)].into());
        for wrong in [
            "source = \"x\"\n[residents]\ntotal = 1\n",
            "source = \"x\"\ndated = 2020-11-01\n[residents]\nall = 1\n",
            "source = \"x\"\ndated = 2020-11-01\n[residents]\ntotal = -1\n",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
