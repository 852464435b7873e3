//! Projects of institutions, from proposal to admission under a standard, as the fold of public statements.

use creditbank_domain::catalogue::{Catalogue, ProjectKind, ProjectState, Proposal, rule_set_hash};
use creditbank_domain::identifier::{InstitutionId, UnifiedSocialCreditCode};
use creditbank_domain::record::Algorithm;
use creditbank_domain::record::{InstitutionProfile, KeyPurpose, PublicKey, Role, Statement};
use creditbank_domain::registry::Registry;
use creditbank_domain::rules::Period;
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Category, LeafIndex, Refusal};
use jiff::civil::date;
use sha2::{Digest, Sha256};

const DOCUMENT: &str = "the catalogue does not read it";

/// A registry with a published set, an elder university and reviewers; statements go in one a leaf.
struct Log {
    registry: Registry,
    size: u64,
}

impl Log {
    fn new() -> Self {
        let mut log = Self {
            registry: Registry::default(),
            size: 0,
        };
        let keys = vec![key(0)];
        let origin = "sh.example/log".to_owned();
        log.take(Statement::LogOpened { origin, keys });
        log.admit_institution("elder", Role::Institution, Some("91350100M000100Y43"));
        log.admit_institution("colleague", Role::Reviewer, Some("91350100M000100Y43"));
        for reviewer in ["one", "two", "three"] {
            log.admit_institution(reviewer, Role::Reviewer, None);
        }
        log.take(Statement::RuleDocument {
            text: DOCUMENT.into(),
        });
        log.take(Statement::RuleSetPublished {
            set_id: "set".into(),
            version: "1".into(),
            documents: documents(),
            effective: Period::default(),
        });
        log
    }

    fn admit_institution(&mut self, name: &str, role: Role, uscc: Option<&str>) {
        let number = u8::try_from(self.size).unwrap();
        let profile = InstitutionProfile {
            id: id(name),
            display_name: name.into(),
            role,
            uscc: uscc.map(|it| UnifiedSocialCreditCode::parse(it).unwrap()),
            school_code: None,
            region: None,
        };
        self.take(Statement::InstitutionAdmitted {
            profile,
            keys: vec![key(number)],
            categories: Vec::new(),
        });
    }

    fn offer(&mut self, statement: Statement) -> Result<LeafIndex, Refusal> {
        let index = LeafIndex(self.size);
        self.registry.check(index, &statement)?;
        self.registry.apply(index, &statement);
        self.size += 1;
        Ok(index)
    }

    fn take(&mut self, statement: Statement) -> LeafIndex {
        self.offer(statement).expect("it follows")
    }

    fn catalogue(&self) -> &Catalogue {
        self.registry.catalogue()
    }

    fn state(&self) -> ProjectState {
        let project = self.catalogue().project(&id("elder"), &code());
        project.expect("it was proposed").state
    }

    fn deposit(&self, day: jiff::civil::Date) -> Result<(), Refusal> {
        let admitted =
            self.catalogue()
                .admit(&id("elder"), Some(&code()), Category::ElderCourse, day);
        admitted.map(|_| ())
    }
}

fn id(name: &str) -> InstitutionId {
    InstitutionId::parse(name).unwrap()
}

fn code() -> Code {
    Code::parse("painting").unwrap()
}

fn key(number: u8) -> PublicKey {
    PublicKey {
        algorithm: Algorithm::Ed25519,
        purpose: KeyPurpose::Sign,
        bytes: [number; 32],
    }
}

fn documents() -> Vec<(String, [u8; 32])> {
    vec![("set.toml".into(), Sha256::digest(DOCUMENT).into())]
}

fn proposed(standard: &str) -> Statement {
    Statement::ProjectProposed(Box::new(Proposal {
        institution: id("elder"),
        project: code(),
        title: Label::parse("国画").unwrap(),
        category: Category::ElderCourse,
        rule_set: rule_set_hash(&documents()),
        standard: standard.into(),
        standard_version: "1".into(),
        kind: ProjectKind::Course,
    }))
}

fn voted(reviewer: &str, approve: bool) -> Statement {
    Statement::ProjectReviewed {
        reviewer: id(reviewer),
        institution: id("elder"),
        project: code(),
        approve,
    }
}

fn admitted(panel: u8) -> Statement {
    Statement::ProjectAdmitted {
        institution: id("elder"),
        project: code(),
        panel,
        expires_on: Some(date(2026, 12, 31)),
    }
}

fn suspended(suspended: bool) -> Statement {
    Statement::ProjectSuspended {
        institution: id("elder"),
        project: code(),
        suspended,
    }
}

#[test]
fn a_panel_admits_by_its_size_and_its_majority() {
    use Refusal::{PanelRejected, PanelTooSmall};
    let votes = |log: &mut Log, votes: &[(&str, bool)]| {
        for (reviewer, approve) in votes {
            log.take(voted(reviewer, *approve));
        }
    };
    type Row<'a> = (&'a [(&'a str, bool)], u8, Result<(), Refusal>);
    let table: [Row<'_>; 6] = [
        (&[], 1, Err(PanelTooSmall { needed: 1 })),
        (&[("one", true)], 1, Ok(())),
        (
            &[("one", true), ("two", true)],
            3,
            Err(PanelTooSmall { needed: 3 }),
        ),
        (&[("one", true), ("two", true), ("three", true)], 3, Ok(())),
        (&[("one", true), ("two", false)], 1, Err(PanelRejected)),
        (&[("one", true), ("two", true), ("three", false)], 2, Ok(())),
    ];
    for (cast, panel, expected) in table {
        let mut log = Log::new();
        log.take(proposed("elder"));
        votes(&mut log, cast);
        let decided = log.offer(admitted(panel)).map(|_| ());
        assert_eq!(decided, expected, "{cast:?} of {panel}");
    }
}

#[test]
fn a_reviewer_votes_once_and_never_on_the_project_of_their_own_institution() {
    let mut log = Log::new();
    assert_eq!(log.offer(voted("one", true)), Err(Refusal::ProjectUnknown));
    log.take(proposed("elder"));
    let refused = log.offer(voted("colleague", true));
    assert_eq!(refused, Err(Refusal::PanelConflict));
    let refused = log.offer(voted("elder", true));
    assert_eq!(refused, Err(Refusal::PermissionDenied));
    log.take(voted("one", true));
    assert_eq!(log.offer(voted("one", false)), Err(Refusal::AlreadyVoted));
    log.take(admitted(1));
    assert_eq!(log.offer(voted("two", true)), Err(Refusal::ProjectDecided));
}

#[test]
fn outcomes_are_deposited_while_their_project_is_admitted() {
    let (day, late) = (date(2026, 12, 31), date(2027, 1, 1));
    let mut log = Log::new();
    assert_eq!(log.deposit(day), Err(Refusal::ProjectUnknown));
    log.take(proposed("elder"));
    assert_eq!(log.deposit(day), Err(Refusal::ProjectNotAdmitted));
    log.take(voted("one", true));
    log.take(admitted(1));
    assert_eq!(log.deposit(day), Ok(()));
    assert_eq!(log.deposit(late), Err(Refusal::ProjectExpired));
    log.take(suspended(true));
    assert_eq!(log.deposit(day), Err(Refusal::ProjectSuspended));
    let again = log.offer(suspended(true));
    assert_eq!(again, Err(Refusal::ProjectNotAdmitted));
    log.take(suspended(false));
    assert_eq!(log.deposit(day), Ok(()));
    let expires_on = Some(day);
    assert_eq!(log.state(), ProjectState::Admitted { expires_on });
}

#[test]
fn a_later_standard_does_not_reach_what_was_deposited_under_an_earlier_one() {
    let mut log = Log::new();
    log.take(proposed("lenient"));
    log.take(voted("one", true));
    let first = log.take(admitted(1));
    let deposit = LeafIndex(first.0 + 1);
    let at = |log: &Log, leaf| {
        let standard = log.catalogue().standard_at(&id("elder"), &code(), leaf);
        standard.map(str::to_owned)
    };
    assert_eq!(at(&log, deposit).as_deref(), Some("lenient"));
    assert_eq!(at(&log, first), None, "nothing stands under it before");
    log.size += 1;
    log.take(proposed("strict"));
    assert_eq!(at(&log, deposit).as_deref(), Some("lenient"));
    log.take(voted("two", true));
    let second = log.take(admitted(1));
    let behind = LeafIndex(second.0 + 1);
    assert_eq!(at(&log, deposit).as_deref(), Some("lenient"));
    assert_eq!(at(&log, behind).as_deref(), Some("strict"));
}
