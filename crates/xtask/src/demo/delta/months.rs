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

/// Transfers that both banks have settled, by id: those that a bank is the origin of, and those that it receives.
pub(super) struct Settled {
    given: Vec<String>,
    taken: Vec<String>,
}

impl Settled {
    pub(super) fn of(region: &Region, peer: &Region) -> Result<Self> {
        let line = format!(
            "transfer list --peer {} --state recognised --limit 0 --json --key bank/operator.key",
            peer.id()
        );
        let all = region.json(&line)?;
        let side = |side: &str| {
            let all = all.as_array().into_iter().flatten();
            let of = all.filter(|it| it["side"] == side && it["acknowledged"] == true);
            let ids = of.filter_map(|it| it["transfer"].as_str());
            ids.map(str::to_owned).collect()
        };
        Ok(Self {
            given: side("origin"),
            taken: side("receiver"),
        })
    }
}

/// One difference of every class between two stopped banks, each in another transfer; those that both know alike are
/// made at both.
pub(super) fn rehearse(one: &Region, other: &Region, settled: Settled) -> Result<()> {
    let (mut given, mut taken) = (settled.given.into_iter(), settled.taken.into_iter());
    let make = |(at, peer): (&Region, &Region), class: Class, id: Option<&str>| {
        let (peer, class) = (peer.id(), class.code());
        let id = id.context("too few transfers are settled")?;
        let line = format!("rehearse bank --peer {peer} --difference {class} --transfer {id}");
        at.tell(&line, Show::All).map(drop)
    };
    let (here, there) = ((one, other), (other, one));
    make(here, Class::OriginOnly, taken.next().as_deref())?;
    make(here, Class::State, given.next().as_deref())?;
    make(there, Class::ReceiverOnly, taken.next().as_deref())?;
    make(there, Class::Amount, given.next().as_deref())?;
    make(there, Class::Version, given.next().as_deref())?;
    for class in [Class::TwoReceivers, Class::Revoked] {
        let id = given.next();
        make(here, class, id.as_deref())?;
        make(there, class, id.as_deref())?;
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
        .finds(&format!("audit{banks}{keys} --quiet"), Show::Wide)?
        .1)
}

/// What a stopped bank's own check says; whether it has found something.
pub(super) fn check(region: &Region, show: Show) -> Result<bool> {
    Ok(region.finds("check bank --quiet", show)?.1)
}
