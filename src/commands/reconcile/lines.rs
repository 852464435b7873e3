//! A report as lines of totals and of differences: what every form prints.

use creditbank_domain::Refusal;
use creditbank_domain::reconcile::{Action, Actor, Class, Flow, PeriodStatement, Stage, Tally};
use creditbank_domain::transfer::State;
use creditbank_wire::convert::reconciliation::period_statement;
use creditbank_wire::v1;

use super::words::Text;

/// A total of one direction, at both banks.
pub(super) struct Total {
    pub(super) code: &'static str,
    pub(super) name: Text,
    pub(super) own: Tally,
    pub(super) theirs: Tally,
    /// Credit granted, for what was settled.
    pub(super) credited: Option<(u64, u64)>,
}

impl Total {
    pub(super) fn differs(&self) -> bool {
        self.own != self.theirs || self.credited.is_some_and(|(own, theirs)| own != theirs)
    }
}

/// All totals of one direction.
pub(super) struct Direction {
    pub(super) origin: String,
    pub(super) receiver: String,
    pub(super) totals: Vec<Total>,
}

/// Whether a difference is new, old or over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Opened,
    StillOpen,
    Cleared,
}

impl Standing {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::StillOpen => "still-open",
            Self::Cleared => "cleared",
        }
    }

    pub(super) const fn name(self) -> Text {
        match self {
            Self::Opened => ("本期发现", "found now"),
            Self::StillOpen => ("前期未核销", "still open"),
            Self::Cleared => ("本期核销", "cleared now"),
        }
    }
}

/// Differences that are open after the period.
pub(super) fn open(
    report: &v1::ReconciliationReport,
) -> impl Iterator<Item = &v1::PeriodDifference> {
    report.opened.iter().chain(&report.still_open)
}

/// All differences: new ones, old ones, and those that are over.
pub(super) fn all(
    report: &v1::ReconciliationReport,
) -> impl Iterator<Item = (Standing, &v1::PeriodDifference)> {
    let standing = |standing| move |it| (standing, it);
    let opened = report.opened.iter().map(standing(Standing::Opened));
    let still = report.still_open.iter().map(standing(Standing::StillOpen));
    let cleared = report.cleared.iter().map(standing(Standing::Cleared));
    opened.chain(still).chain(cleared)
}

/// Class, stage, action and actor of a difference.
pub(super) type Kinds = (Class, Stage, Action, Actor);

/// The kinds of a difference; of a bank that knows more than this program, none.
pub(super) fn kinds(it: &v1::PeriodDifference) -> Option<Kinds> {
    let number = |number: i32| number.cast_unsigned();
    Some((
        Class::from_number(number(it.class))?,
        Stage::from_number(number(it.stage))?,
        Action::from_number(number(it.action))?,
        Actor::from_number(number(it.actor))?,
    ))
}

/// Where an item stands; none where there is no item.
pub(super) fn state(item: Option<&v1::PeriodItem>) -> Option<State> {
    let place = usize::try_from(item?.state).ok()?.checked_sub(1)?;
    State::ALL.get(place).copied()
}

/// Totals of both directions.
pub(super) fn directions(report: &v1::ReconciliationReport) -> Result<Vec<Direction>, Refusal> {
    let read = |it: &Option<v1::PeriodStated>| {
        let it = it.as_ref().ok_or(Refusal::Missing)?;
        period_statement(it)
    };
    let (own, theirs): (PeriodStatement, PeriodStatement) =
        (read(&report.own)?, read(&report.theirs)?);
    let origins = own.pair.origins();
    let direction = |place: usize| {
        Ok(Direction {
            origin: origins[place].to_owned(),
            receiver: origins[1 - place].to_owned(),
            totals: totals(&own.flows[place], &theirs.flows[place])?,
        })
    };
    [direction(0), direction(1)].into_iter().collect()
}

fn totals(own: &Flow, theirs: &Flow) -> Result<Vec<Total>, Refusal> {
    let of = |code, name, part: fn(&Flow) -> Result<Tally, Refusal>| {
        Ok(Total {
            code,
            name,
            own: part(own)?,
            theirs: part(theirs)?,
            credited: None,
        })
    };
    let mut totals = vec![
        of("opening", ("期初未结", "open at the beginning"), |it| {
            Ok(it.opening)
        })?,
        of("released", ("本期放行", "released"), |it| {
            Ok(it.released)
        })?,
        of(
            "again",
            ("以前结算本期又有变动", "moved again"),
            |it| Ok(it.again),
        )?,
        of(
            "all-released",
            ("放行合计", "all released"),
            Flow::all_released,
        )?,
        of("pending", ("在途", "pending"), Flow::pending)?,
        of("recognised", ("认定", "recognised"), Flow::recognised)?,
        of(
            "reversed-of-them",
            ("其中已冲正", "of them reversed"),
            |it| Ok(it.in_state(State::Reversed)),
        )?,
        of("declined", ("不予认定", "declined"), Flow::declined)?,
        of("recalled", ("退还", "recalled"), Flow::recalled)?,
    ];
    totals.push(Total {
        credited: Some((own.settled.credited, theirs.settled.credited)),
        ..of("settled", ("本期结算", "settled"), |it| {
            Ok(it.settled.source)
        })?
    });
    totals.push(Total {
        credited: Some((own.reversed.credited, theirs.reversed.credited)),
        ..of(
            "reversals",
            ("本期冲正结算", "reversals settled"),
            |it| Ok(it.reversed.source),
        )?
    });
    Ok(totals)
}
