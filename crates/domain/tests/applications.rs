//! Applications: every step from every state, whose votes count, when a step is too early or too late, and what is due.

use creditbank_domain::application::{
    Due, Proceeding, State, StepKind, StepTaken, Task, Terms, Vote,
};
use creditbank_domain::calendar::Calendar;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::rules::{Process, Review};
use creditbank_domain::{LeafIndex, Refusal};
use jiff::civil::{Date, date};

const BANK: InstitutionNumber = InstitutionNumber(0);
const AGENT: InstitutionNumber = InstitutionNumber(1);
const ORIGIN: InstitutionNumber = InstitutionNumber(2);
const MONDAY: Date = date(2025, 3, 3);

const APPLICATION: StepKind = StepKind::Application;
const GRANT: StepKind = StepKind::Notice { grant: true };
const DECLINE: StepKind = StepKind::Notice { grant: false };
const GRANTED: StepKind = StepKind::Decision { grant: true };
const DECLINED: StepKind = StepKind::Decision { grant: false };

/// A vote of the reviewer with that number, who belongs to the institution with that number.
fn vote(reviewer: u32, of: u32, approve: bool) -> StepTaken {
    let kind = StepKind::Review {
        approve,
        of: InstitutionNumber(of),
    };
    StepTaken {
        actor: InstitutionNumber(reviewer),
        ..step(kind, MONDAY)
    }
}

fn step(kind: StepKind, on: Date) -> StepTaken {
    let actor = match kind {
        StepKind::Application | StepKind::Appeal | StepKind::Withdrawal => AGENT,
        StepKind::Objection => ORIGIN,
        _ => BANK,
    };
    StepTaken {
        kind,
        actor,
        on,
        leaf: LeafIndex(0),
    }
}

fn steps(kinds: &[StepKind]) -> Vec<StepTaken> {
    kinds.iter().map(|kind| step(*kind, MONDAY)).collect()
}

fn proceeding(kinds: &[StepKind]) -> Proceeding {
    Proceeding::fold(&steps(kinds)).expect("steps in their order")
}

/// Whether a step may be taken on a day by these terms.
struct Rules {
    process: Process,
    calendar: Calendar,
    reviews: Vec<Review>,
    origins: Vec<InstitutionNumber>,
}

impl Rules {
    fn of(reviews: &[Review]) -> Self {
        Self {
            process: Process::default(),
            calendar: Calendar::default(),
            reviews: reviews.to_vec(),
            origins: vec![ORIGIN],
        }
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            process: &self.process,
            calendar: &self.calendar,
            reviews: &self.reviews,
            origins: &self.origins,
            nothing_left: false,
        }
    }

    fn allow(&self, kinds: &[StepKind], kind: StepKind, on: Date) -> Result<(), Refusal> {
        proceeding(kinds).allow(&step(kind, on), &self.terms())
    }
}

/// A way to each state.
fn ways() -> Vec<(Vec<StepKind>, State)> {
    use StepKind::{Acceptance, Appeal, Closing, Objection, Return, Reversal, Withdrawal};
    let review = vote(9, 9, true).kind;
    vec![
        (vec![APPLICATION], State::Submitted),
        (vec![APPLICATION, Acceptance], State::Accepted),
        (vec![APPLICATION, Return], State::Returned),
        (vec![APPLICATION, Acceptance, review], State::UnderReview),
        (vec![APPLICATION, Acceptance, review, GRANT], State::Noticed),
        (
            vec![APPLICATION, Acceptance, review, GRANT, Objection],
            State::Noticed,
        ),
        (
            vec![APPLICATION, Acceptance, review, GRANT, DECLINE],
            State::Noticed,
        ),
        (vec![APPLICATION, GRANTED], State::Decided { granted: true }),
        (
            vec![APPLICATION, Acceptance, DECLINE, DECLINED],
            State::Decided { granted: false },
        ),
        (
            vec![APPLICATION, GRANTED, Appeal],
            State::Appealed { granted: true },
        ),
        (
            vec![APPLICATION, DECLINED, Appeal],
            State::Appealed { granted: false },
        ),
        (
            vec![APPLICATION, GRANTED, Closing],
            State::Final { granted: true },
        ),
        (
            vec![APPLICATION, DECLINED, Appeal, Closing],
            State::Final { granted: false },
        ),
        (
            vec![APPLICATION, GRANTED, Closing, Reversal],
            State::Reversed,
        ),
        (
            vec![APPLICATION, DECLINED, Appeal, Reversal],
            State::Reversed,
        ),
        (vec![APPLICATION, Withdrawal], State::Withdrawn),
    ]
}

#[test]
fn every_step_from_every_state_leads_on_or_is_refused() {
    use StepKind::{Acceptance, Appeal, Closing, Objection, Return, Reversal, Withdrawal};
    let kinds = [
        APPLICATION,
        Acceptance,
        Return,
        vote(8, 8, true).kind,
        GRANT,
        Objection,
        GRANTED,
        DECLINED,
        Appeal,
        Closing,
        Reversal,
        Withdrawal,
    ];
    let held = |granted: bool| {
        if granted {
            ["appealed", "final", "reversed"]
        } else {
            ["appealed", "final", ""]
        }
    };
    let expected = |state: State| -> [&'static str; 12] {
        match state {
            State::Submitted => [
                "",
                "accepted",
                "returned",
                "",
                "",
                "",
                "decided",
                "decided",
                "",
                "",
                "",
                "withdrawn",
            ],
            State::Accepted | State::UnderReview => [
                "",
                "",
                "",
                "under-review",
                "noticed",
                "",
                "decided",
                "decided",
                "",
                "",
                "",
                "withdrawn",
            ],
            State::Noticed => [
                "",
                "",
                "",
                "",
                "noticed",
                "noticed",
                "decided",
                "decided",
                "",
                "",
                "",
                "withdrawn",
            ],
            State::Decided { granted } => {
                let [appealed, closed, reversed] = held(granted);
                [
                    "", "", "", "", "", "", "", "", appealed, closed, reversed, "",
                ]
            }
            State::Appealed { .. } => ["", "", "", "", "", "", "", "", "", "final", "reversed", ""],
            State::Final { granted: true } => {
                ["", "", "", "", "", "", "", "", "", "", "reversed", ""]
            }
            _ => [""; 12],
        }
    };
    for (way, state) in ways() {
        let before = proceeding(&way);
        assert_eq!(before.state(), state, "{way:?}");
        for (kind, expected) in kinds.into_iter().zip(expected(state)) {
            let mut after = before.clone();
            let told = match after.apply(&step(kind, MONDAY)) {
                Ok(()) => after.state().code(),
                Err(refusal) => {
                    let open = Refusal::StepNotAllowed {
                        state: state.code(),
                    };
                    let closed = Refusal::ApplicationClosed;
                    assert_eq!(
                        refusal,
                        if state.is_closed() { closed } else { open },
                        "{state:?} {kind:?}"
                    );
                    assert_eq!(after, before);
                    ""
                }
            };
            assert_eq!(told, expected, "{state:?} {kind:?}");
        }
    }
}

#[test]
fn a_decision_keeps_what_it_granted_to_the_end() {
    use StepKind::{Appeal, Closing};
    for grant in [true, false] {
        let decision = StepKind::Decision { grant };
        let it = proceeding(&[APPLICATION, decision, Appeal, Closing]);
        assert_eq!(it.state(), State::Final { granted: grant });
    }
}

#[test]
fn an_application_begins_with_its_application() {
    let unknown = Err(Refusal::ApplicationUnknown);
    assert_eq!(Proceeding::fold(&[]), unknown);
    assert_eq!(Proceeding::fold(&steps(&[StepKind::Acceptance])), unknown);
}

#[test]
fn the_fold_keeps_votes_objections_the_decision_and_the_last_leaf() {
    let mut steps = steps(&[APPLICATION, StepKind::Acceptance]);
    steps.extend([vote(9, 7, true), vote(10, 8, false)]);
    steps.extend(
        [GRANT, StepKind::Objection, GRANTED, StepKind::Appeal].map(|kind| step(kind, MONDAY)),
    );
    (10..)
        .zip(&mut steps)
        .for_each(|(leaf, step)| step.leaf = LeafIndex(leaf));
    let it = Proceeding::fold(&steps).unwrap();
    let vote = |reviewer, of, approve| Vote {
        reviewer: InstitutionNumber(reviewer),
        of: InstitutionNumber(of),
        approve,
    };
    assert_eq!(it.votes(), [vote(9, 7, true), vote(10, 8, false)]);
    assert_eq!(it.objections(), 1);
    assert_eq!(
        (it.decision(), it.last()),
        (Some(LeafIndex(16)), LeafIndex(17))
    );
}

#[test]
fn the_panel_is_large_enough_agreed_and_not_of_the_origin_alone() {
    use Review::{Catalogued, None as Unreviewed, Uncatalogued};
    /// Reviews of the rules used, votes as reviewer, institution and approval, the notice, and what follows.
    type Row = (
        &'static [Review],
        &'static [(u32, u32, bool)],
        StepKind,
        Result<(), Refusal>,
    );
    let too_small = |needed| Err(Refusal::PanelTooSmall { needed });
    let table: [Row; 18] = [
        (&[Catalogued], &[], GRANT, too_small(1)),
        (&[Catalogued], &[(9, 9, true)], GRANT, Ok(())),
        (
            &[Catalogued],
            &[(9, 9, false)],
            GRANT,
            Err(Refusal::PanelRejected),
        ),
        (&[Catalogued], &[(9, 9, false)], DECLINE, Ok(())),
        (
            &[Catalogued],
            &[(9, 9, true)],
            DECLINE,
            Err(Refusal::PanelApproved),
        ),
        // The origin's own reviewer may vote, and does not carry it alone: not even with others against it.
        (
            &[Catalogued],
            &[(9, 2, true)],
            GRANT,
            Err(Refusal::PanelConflict),
        ),
        (&[Catalogued], &[(9, 2, true), (10, 3, true)], GRANT, Ok(())),
        (
            &[Catalogued],
            &[(9, 2, true), (8, 2, true), (10, 3, false)],
            GRANT,
            Err(Refusal::PanelRejected),
        ),
        // Nor does it help others to a majority, and one institution has one voice.
        (
            &[Catalogued],
            &[(9, 2, true), (8, 2, true), (10, 3, true), (11, 4, false)],
            GRANT,
            Err(Refusal::PanelRejected),
        ),
        (
            &[Catalogued],
            &[(9, 2, true), (8, 2, true), (10, 3, true), (11, 4, false)],
            DECLINE,
            Ok(()),
        ),
        (
            &[Catalogued],
            &[(9, 3, true), (8, 3, true), (10, 4, false), (11, 5, false)],
            GRANT,
            Err(Refusal::PanelRejected),
        ),
        // The largest panel of the rules used, counted in institutions.
        (
            &[Unreviewed, Uncatalogued, Catalogued],
            &[(9, 4, true), (10, 5, true)],
            GRANT,
            too_small(3),
        ),
        (
            &[Uncatalogued],
            &[(9, 4, true), (10, 5, true), (11, 5, true)],
            GRANT,
            too_small(3),
        ),
        (
            &[Uncatalogued],
            &[(9, 4, true), (10, 5, true), (11, 5, true)],
            DECLINE,
            too_small(3),
        ),
        (
            &[Uncatalogued],
            &[(9, 4, true), (10, 5, true), (11, 6, false)],
            GRANT,
            Ok(()),
        ),
        // As many against as for it is no majority.
        (
            &[Catalogued],
            &[(9, 4, true), (10, 5, false)],
            GRANT,
            Err(Refusal::PanelRejected),
        ),
        (
            &[Catalogued],
            &[(9, 4, true), (10, 5, false)],
            DECLINE,
            Ok(()),
        ),
        (&[Unreviewed], &[], GRANT, Err(Refusal::PanelRejected)),
    ];
    for (row, (reviews, votes, notice, expected)) in table.into_iter().enumerate() {
        let mut all = steps(&[APPLICATION, StepKind::Acceptance]);
        all.extend(
            votes
                .iter()
                .map(|(reviewer, of, approve)| vote(*reviewer, *of, *approve)),
        );
        let rules = Rules::of(reviews);
        let it = Proceeding::fold(&all).unwrap();
        assert_eq!(
            it.allow(&step(notice, MONDAY), &rules.terms()),
            expected,
            "row {row}"
        );
    }
}

#[test]
fn a_reviewer_votes_once() {
    let rules = Rules::of(&[Review::Catalogued]);
    let mut all = steps(&[APPLICATION, StepKind::Acceptance]);
    all.push(vote(9, 4, true));
    let it = Proceeding::fold(&all).unwrap();
    assert_eq!(
        it.allow(&vote(9, 5, false), &rules.terms()),
        Err(Refusal::AlreadyVoted)
    );
    assert_eq!(it.allow(&vote(10, 4, false), &rules.terms()), Ok(()));
}

#[test]
fn only_what_needs_no_panel_is_decided_at_once() {
    use Review::{Catalogued, None as Unreviewed};
    type Row = (
        &'static [Review],
        &'static [StepKind],
        StepKind,
        Result<(), Refusal>,
    );
    let refused = |state| Err(Refusal::StepNotAllowed { state });
    let table: [Row; 7] = [
        (&[Unreviewed, Unreviewed], &[APPLICATION], GRANTED, Ok(())),
        (
            &[Unreviewed],
            &[APPLICATION, StepKind::Acceptance],
            GRANTED,
            Ok(()),
        ),
        (
            &[Unreviewed],
            &[APPLICATION],
            DECLINED,
            refused("submitted"),
        ),
        (&[], &[APPLICATION], GRANTED, refused("submitted")),
        (
            &[Unreviewed, Catalogued],
            &[APPLICATION],
            GRANTED,
            refused("submitted"),
        ),
        (
            &[Catalogued],
            &[APPLICATION, StepKind::Acceptance],
            GRANTED,
            refused("accepted"),
        ),
        (
            &[Catalogued],
            &[APPLICATION, StepKind::Acceptance],
            DECLINED,
            refused("accepted"),
        ),
    ];
    for (row, (reviews, kinds, decision, expected)) in table.into_iter().enumerate() {
        assert_eq!(
            Rules::of(reviews).allow(kinds, decision, MONDAY),
            expected,
            "row {row}"
        );
    }
}

#[test]
fn what_was_published_is_decided_unless_somebody_objects() {
    let rules = Rules::of(&[Review::Catalogued]);
    let later = date(2025, 4, 1);
    let differs = Err(Refusal::DecisionDiffers);
    let table = [
        (GRANT, false, GRANTED, Ok(())),
        (GRANT, false, DECLINED, differs),
        (GRANT, true, GRANTED, Ok(())),
        (GRANT, true, DECLINED, Ok(())),
        (DECLINE, false, DECLINED, Ok(())),
        (DECLINE, false, GRANTED, differs),
        (DECLINE, true, GRANTED, differs),
    ];
    for (notice, objection, decision, expected) in table {
        let mut kinds = vec![APPLICATION, StepKind::Acceptance, notice];
        kinds.extend(objection.then_some(StepKind::Objection));
        assert_eq!(
            rules.allow(&kinds, decision, later),
            expected,
            "{kinds:?} {decision:?}"
        );
    }
}

#[test]
fn periods_run_in_working_days_and_their_last_day_counts() {
    use StepKind::{Acceptance, Appeal, Closing, Objection};
    let noticed: &[StepKind] = &[APPLICATION, Acceptance, GRANT];
    let decided: &[StepKind] = &[APPLICATION, GRANTED];
    let day = |day| date(2025, 3, day);
    // From Monday the 3rd: 5 working days end on the 10th, 15 on the 24th.
    let (notice, appeal) = (day(10), day(24));
    let table = [
        (noticed, Objection, day(3), Ok(())),
        (noticed, Objection, day(10), Ok(())),
        (
            noticed,
            Objection,
            day(11),
            Err(Refusal::NoticeOver { until: notice }),
        ),
        (
            noticed,
            GRANTED,
            day(10),
            Err(Refusal::NoticeRunning { until: notice }),
        ),
        (noticed, GRANTED, day(11), Ok(())),
        (decided, Appeal, day(24), Ok(())),
        (
            decided,
            Appeal,
            day(25),
            Err(Refusal::AppealTooLate { until: appeal }),
        ),
        (
            decided,
            Closing,
            day(24),
            Err(Refusal::AppealRunning { until: appeal }),
        ),
        (decided, Closing, day(25), Ok(())),
        (&[APPLICATION, GRANTED, Appeal], Closing, day(3), Ok(())),
    ];
    let rules = Rules::of(&[Review::Catalogued]);
    for (kinds, kind, on, expected) in table {
        assert_eq!(
            rules.allow(kinds, kind, on),
            expected,
            "{kinds:?} {kind:?} {on}"
        );
    }
    // A holiday moves the last day.
    let mut longer = Rules::of(&[Review::Catalogued]);
    longer.calendar.holidays = vec![day(5)];
    let running = Err(Refusal::NoticeRunning { until: day(11) });
    assert_eq!(longer.allow(noticed, GRANTED, day(11)), running);
}

#[test]
fn an_objection_does_not_make_the_notice_longer() {
    let rules = Rules::of(&[Review::Catalogued]);
    let mut all = steps(&[APPLICATION, StepKind::Acceptance, GRANT]);
    all.push(step(StepKind::Objection, date(2025, 3, 10)));
    let it = Proceeding::fold(&all).unwrap();
    assert_eq!(
        it.allow(&step(GRANTED, date(2025, 3, 11)), &rules.terms()),
        Ok(())
    );
}

#[test]
fn a_period_of_no_days_does_not_run() {
    use StepKind::{Acceptance, Appeal, Closing, Objection};
    let mut rules = Rules::of(&[Review::Catalogued]);
    (rules.process.notice_days, rules.process.appeal_days) = (0, 0);
    let noticed: &[StepKind] = &[APPLICATION, Acceptance, GRANT];
    let decided: &[StepKind] = &[APPLICATION, GRANTED];
    let until = MONDAY;
    assert_eq!(rules.allow(noticed, GRANTED, MONDAY), Ok(()));
    assert_eq!(
        rules.allow(noticed, Objection, MONDAY),
        Err(Refusal::NoticeOver { until })
    );
    assert_eq!(rules.allow(decided, Closing, MONDAY), Ok(()));
    assert_eq!(
        rules.allow(decided, Appeal, MONDAY),
        Err(Refusal::AppealTooLate { until })
    );
}

#[test]
fn the_work_queue_knows_what_is_due_and_when() {
    use Review::{Catalogued, None as Unreviewed};
    use StepKind::{Acceptance, Appeal, Closing, Return, Reversal, Withdrawal};
    let due = |day, task| Some(Due { day, task });
    let in_review = date(2025, 3, 31);
    let review = vote(9, 9, true).kind;
    let table: [(&[Review], &[StepKind], Option<Due>); 14] = [
        (
            &[Catalogued],
            &[APPLICATION],
            due(date(2025, 3, 10), Task::Accept),
        ),
        (
            &[Unreviewed],
            &[APPLICATION],
            due(date(2025, 3, 10), Task::Decide),
        ),
        (
            &[Catalogued],
            &[APPLICATION, Acceptance],
            due(in_review, Task::Review),
        ),
        (
            &[Catalogued],
            &[APPLICATION, Acceptance, review],
            due(in_review, Task::Notice),
        ),
        (
            &[Review::Uncatalogued],
            &[APPLICATION, Acceptance, review],
            due(in_review, Task::Review),
        ),
        (
            &[Unreviewed],
            &[APPLICATION, Acceptance],
            due(in_review, Task::Decide),
        ),
        (
            &[Catalogued],
            &[APPLICATION, Acceptance, GRANT],
            due(date(2025, 3, 11), Task::Decide),
        ),
        (
            &[Catalogued],
            &[APPLICATION, GRANTED],
            due(date(2025, 3, 25), Task::Close),
        ),
        (
            &[Catalogued],
            &[APPLICATION, GRANTED, Appeal],
            due(in_review, Task::ResolveAppeal),
        ),
        (&[Catalogued], &[APPLICATION, GRANTED, Closing], None),
        (&[Catalogued], &[APPLICATION, GRANTED, Reversal], None),
        (&[Catalogued], &[APPLICATION, Return], None),
        (&[Catalogued], &[APPLICATION, Withdrawal], None),
        (&[Catalogued], &[APPLICATION, Acceptance, Withdrawal], None),
    ];
    for (reviews, kinds, expected) in table {
        let rules = Rules::of(reviews);
        assert_eq!(proceeding(kinds).due(&rules.terms()), expected, "{kinds:?}");
    }
}

#[test]
fn a_vote_does_not_put_the_review_off() {
    let rules = Rules::of(&[Review::Uncatalogued]);
    let mut all = steps(&[APPLICATION, StepKind::Acceptance]);
    all.push(StepTaken {
        on: date(2025, 3, 20),
        ..vote(9, 9, true)
    });
    let it = Proceeding::fold(&all).unwrap();
    assert_eq!(
        it.due(&rules.terms()).map(|due| due.day),
        Some(date(2025, 3, 31))
    );
}

#[test]
fn what_the_bank_and_the_agent_may_always_do_needs_no_panel() {
    use StepKind::{Acceptance, Return, Reversal, Withdrawal};
    let rules = Rules::of(&[Review::Uncatalogued]);
    for (kinds, kind) in [
        (&[APPLICATION][..], Acceptance),
        (&[APPLICATION], Return),
        (&[APPLICATION], Withdrawal),
        (&[APPLICATION, Acceptance, GRANT], Withdrawal),
        (&[APPLICATION, GRANTED], Reversal),
        (&[APPLICATION, GRANTED, StepKind::Closing], Reversal),
    ] {
        assert_eq!(
            rules.allow(kinds, kind, MONDAY),
            Ok(()),
            "{kinds:?} {kind:?}"
        );
    }
    assert_eq!(
        rules.allow(&[APPLICATION, Withdrawal], Acceptance, MONDAY),
        Err(Refusal::ApplicationClosed)
    );
}

#[test]
fn what_needs_no_panel_and_grants_nothing_any_more_is_decided_so() {
    let rules = Rules::of(&[Review::None]);
    let it = Proceeding::fold(&steps(&[APPLICATION])).unwrap();
    let refused = step(DECLINED, MONDAY);
    let terms = rules.terms();
    assert_eq!(
        it.allow(&refused, &terms),
        Err(Refusal::StepNotAllowed { state: "submitted" })
    );
    let terms = Terms {
        nothing_left: true,
        ..terms
    };
    assert_eq!(it.allow(&refused, &terms), Ok(()));
}
