//! The ends of months: differences made on purpose, reports of both banks, the view of a third party.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use creditbank_domain::reconcile::{Class, Period};

use super::region::Region;
use crate::demo::printed::Show;

/// What can be made on purpose.
const CLASSES: [Class; 7] = [
    Class::OriginOnly,
    Class::ReceiverOnly,
    Class::Amount,
    Class::Version,
    Class::State,
    Class::TwoReceivers,
    Class::Revoked,
];

/// One difference of every class between two stopped banks; those that both know alike are made at both.
pub(super) fn rehearse(one: &Region, other: &Region) -> Result<()> {
    let make = |at: &Region, peer: &Region, class: Class, transfer: Option<&str>| {
        let (peer, class) = (peer.id(), class.code());
        let named = transfer.map(|id| format!(" --transfer {id}"));
        let named = named.unwrap_or_default();
        at.tell(
            &format!("rehearse bank --peer {peer} --difference {class}{named}"),
            Show::All,
        )
    };
    for class in [Class::OriginOnly, Class::State] {
        make(one, other, class, None)?;
    }
    for class in [Class::ReceiverOnly, Class::Amount, Class::Version] {
        make(other, one, class, None)?;
    }
    for class in [Class::TwoReceivers, Class::Revoked] {
        let said = make(other, one, class, None)?;
        let id = said.split_whitespace().next();
        make(one, other, class, Some(id.context("an id")?))?;
    }
    Ok(())
}

/// Closes a month at both banks of a pair; the second report is in English.
pub(super) fn close(one: &Region, other: &Region, period: Period, show: Show) -> Result<bool> {
    let mut differs = false;
    for (at, peer, language) in [(one, other, ""), (other, one, " --language en")] {
        let peer = peer.id();
        let line =
            format!("reconcile --peer {peer} --period {period}{language} --key bank/operator.key");
        differs |= at.finds(&line, show)?.1;
    }
    Ok(differs)
}

/// Fails unless both banks have a difference of every class, standing as it should.
pub(super) fn is_named(one: &Region, other: &Region, period: Period, standing: &str) -> Result<()> {
    for (at, peer) in [(one, other), (other, one)] {
        let line = format!(
            "reconcile --peer {} --period {period} --show --format json --key bank/operator.key",
            peer.id()
        );
        let report = at.json(&line)?;
        let differences = report["differences"].as_array().context("a list")?;
        let found: BTreeSet<_> = differences
            .iter()
            .filter(|it| it["standing"] == standing)
            .filter_map(|it| it["class"].as_str())
            .collect();
        let wanted: BTreeSet<_> = CLASSES.map(Class::code).into();
        ensure!(
            found == wanted,
            "the bank of {} has {standing} {found:?}, and should have {wanted:?}",
            at.id()
        );
        println!(
            "  {}: {} differences {standing}, one of every class",
            at.place.name,
            differences.len()
        );
    }
    Ok(())
}

/// What somebody finds who has nothing but the public logs of all banks; says whether something is open.
pub(super) fn audit(regions: &[Region]) -> Result<bool> {
    let first = regions.first().context("there are regions")?;
    let banks = regions.iter().map(|it| format!(" --bank {}", it.http()));
    let keys = regions
        .iter()
        .map(|it| format!(" --trust ../{}/bank/bank.pub", it.id()));
    let (banks, keys): (String, String) = (banks.collect(), keys.collect());
    Ok(first
        .finds(&format!("audit{banks}{keys} --quiet"), Show::All)?
        .1)
}

/// What a stopped bank's own check says; whether it has found something.
pub(super) fn check(region: &Region, show: Show) -> Result<bool> {
    Ok(region.finds("check bank --quiet", show)?.1)
}
