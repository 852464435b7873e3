//! Random histories, held against a ledger that a reader can check by eye: a list of records and a few plain rules.
//!
//! Each history deposits, amends, revokes, confirms, changes keys and categories, merges, erases and restarts; every
//! answer must be the one that the model gives, and so must every query afterwards, on pages of every size.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use creditbank_client::{ClientError, InstitutionKeys, RecordMaker, Refused};
use creditbank_domain::record::{KeyPurpose, RecordRef};
use creditbank_domain::{LeafIndex, LearnerCode};
use creditbank_wire::v1::{self, RecordKind, RecordState};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::archive::all;
use crate::bank::{Bank, leaves};
use crate::chance::Chance;
use crate::institution::{Institution, course, digits, seed, visit};

const CASES: u32 = 10;
const STEPS_MAX: usize = 45;
const ISSUERS: usize = 3;
const LEARNERS: usize = 4;
const CATEGORIES: [v1::Category; 2] = [v1::Category::DegreeCourse, v1::Category::VenueLearning];

/// One step of a history; numbers name things modulo how many there are.
#[derive(Debug, Clone)]
enum Step {
    Deposit {
        issuer: usize,
        rows: Vec<(usize, usize)>,
    },
    Repeat {
        record: usize,
    },
    Change {
        kind: RecordKind,
        issuer: usize,
        record: usize,
        learner: Option<usize>,
    },
    ChangeKey {
        issuer: usize,
        doubted: Option<usize>,
    },
    Permit {
        issuer: usize,
        categories: usize,
    },
    Merge {
        kept: usize,
        gone: usize,
    },
    Erase {
        learner: usize,
    },
    Restart {
        killed: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        Just(RecordKind::Amendment),
        Just(RecordKind::Revocation),
        Just(RecordKind::Confirmation)
    ];
    let number = 0..1000_usize;
    prop_oneof![
        8 => (0..ISSUERS, prop::collection::vec((0..LEARNERS, 0..CATEGORIES.len()), 1..6))
            .prop_map(|(issuer, rows)| Step::Deposit { issuer, rows }),
        2 => number.clone().prop_map(|record| Step::Repeat { record }),
        8 => (kind, 0..ISSUERS + 3, number.clone(), prop::option::weighted(0.2, 0..LEARNERS))
            .prop_map(|(kind, issuer, record, learner)| Step::Change { kind, issuer, record, learner }),
        1 => (0..ISSUERS, prop::option::of(number)).prop_map(|(issuer, doubted)| Step::ChangeKey { issuer, doubted }),
        1 => (0..ISSUERS, 0..4_usize).prop_map(|(issuer, categories)| Step::Permit { issuer, categories }),
        1 => (0..LEARNERS, 0..LEARNERS).prop_map(|(kept, gone)| Step::Merge { kept, gone }),
        1 => (0..LEARNERS).prop_map(|learner| Step::Erase { learner }),
        1 => any::<bool>().prop_map(|killed| Step::Restart { killed }),
    ]
}

/// A record as the model keeps it.
#[derive(Debug, Clone)]
struct Record {
    place: RecordRef,
    /// `ISSUERS` is the bank.
    issuer: usize,
    /// Which of its keys signed it.
    key: usize,
    learner: usize,
    kind: RecordKind,
    category: Option<usize>,
    sent: v1::SignedRecord,
    amended_by: Option<u64>,
    revoked_by: Option<u64>,
    confirmed_by: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct Learner {
    merged_into: Option<usize>,
    erased: bool,
}

/// The naive ledger.
#[derive(Debug, Default)]
struct Model {
    leaves: u64,
    records: Vec<Record>,
    learners: Vec<Learner>,
    /// By issuer: what it may deposit now.
    permitted: Vec<BTreeSet<usize>>,
    /// By issuer and key: the first leaf in doubt.
    doubtful_from: Vec<Vec<Option<u64>>>,
}

impl Model {
    /// Beside a log that has so many leaves of institutions and projects already.
    fn new(leaves: u64) -> Self {
        let (learners, permitted) = (
            vec![Learner::default(); LEARNERS],
            vec![BTreeSet::from([0, 1]); ISSUERS],
        );
        Self {
            leaves,
            learners,
            permitted,
            doubtful_from: vec![vec![None]; ISSUERS],
            records: vec![],
        }
    }

    fn survivor(&self, learner: usize) -> usize {
        self.learners[learner].merged_into.unwrap_or(learner)
    }

    /// Why a row is refused, if it is.
    fn deposit(&self, issuer: usize, learner: usize, category: usize) -> Option<&'static str> {
        if !self.permitted[issuer].contains(&category) {
            return Some("CATEGORY_NOT_ADMITTED");
        }
        self.learners[learner].erased.then_some("LEARNER_UNKNOWN")
    }

    fn change(
        &self,
        kind: RecordKind,
        issuer: usize,
        target: &Record,
        learner: usize,
    ) -> Option<&'static str> {
        if kind == RecordKind::Amendment
            && let Some(refused) = self.deposit(issuer, learner, target.category.unwrap_or(0))
        {
            return Some(refused);
        }
        let shows_outcome = matches!(target.kind, RecordKind::Outcome | RecordKind::Amendment);
        match target {
            _ if self.learners[learner].erased => Some("LEARNER_UNKNOWN"),
            _ if target.issuer != issuer => Some("TARGET_FOREIGN"),
            _ if !shows_outcome => Some("TARGET_NOT_AMENDABLE"),
            _ if self.learners[target.learner].erased => Some("TARGET_LEARNER_DIFFERS"),
            _ if self.survivor(target.learner) != self.survivor(learner) => {
                Some("TARGET_LEARNER_DIFFERS")
            }
            Record {
                revoked_by: Some(_),
                ..
            } => Some("TARGET_REVOKED"),
            Record {
                amended_by: Some(_),
                ..
            } if kind != RecordKind::Confirmation => Some("TARGET_NOT_AMENDABLE"),
            _ => None,
        }
    }

    fn merge(&self, kept: usize, gone: usize) -> Option<&'static str> {
        let [one, two] = [kept, gone].map(|learner| &self.learners[learner]);
        if one.erased || two.erased {
            Some("LEARNER_UNKNOWN")
        } else if kept == gone {
            Some("MERGE_SELF")
        } else if one.merged_into.is_some() || two.merged_into.is_some() {
            Some("IDENTITY_TAKEN")
        } else {
            None
        }
    }

    fn state(&self, record: &Record) -> (RecordState, Option<u64>) {
        let doubtful_from = self
            .doubtful_from
            .get(record.issuer)
            .and_then(|keys| keys[record.key]);
        let in_doubt = doubtful_from.is_some_and(|from| from <= record.place.leaf_index.0);
        match record {
            Record {
                revoked_by: Some(by),
                ..
            } => (RecordState::Revoked, Some(*by)),
            Record {
                amended_by: Some(by),
                ..
            } => (RecordState::Amended, Some(*by)),
            Record {
                confirmed_by: None, ..
            } if in_doubt => (RecordState::Disputed, None),
            Record { confirmed_by, .. } => (RecordState::Active, *confirmed_by),
        }
    }

    /// An archive, newest first, as far as `caller` sees it; the bank sees all.
    fn archive(&self, learner: usize, caller: usize) -> Vec<&Record> {
        let survivor = self.survivor(learner);
        let shown = |record: &&Record| {
            self.survivor(record.learner) == survivor
                && (caller == ISSUERS || record.issuer == caller)
        };
        self.records.iter().rev().filter(shown).collect()
    }
}

/// The bank under test, beside the model of it.
struct Beside {
    bank: Bank,
    issuers: Vec<Institution>,
    operator: Institution,
    codes: Vec<LearnerCode>,
    model: Model,
    /// Names records.
    count: usize,
}

impl Beside {
    async fn new() -> Self {
        let bank = Bank::new();
        let mut issuers = Vec::new();
        for issuer in 0..ISSUERS {
            issuers
                .push(Institution::admitted(&bank, &format!("school-{issuer}"), &CATEGORIES).await);
        }
        let mut codes = Vec::new();
        for learner in 0..LEARNERS {
            codes.push(issuers[0].enrol(&learner.to_string()).await);
        }
        let operator = Institution::known(&bank, bank.operator_keys()).await;
        let leaves = leaves(&operator.line).await;
        Self {
            bank,
            issuers,
            operator,
            codes,
            model: Model::new(leaves),
            count: 0,
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Deposit { issuer, rows } => self.deposit(*issuer, rows).await,
            Step::Repeat { record } => self.repeat(*record).await,
            Step::Change {
                kind,
                issuer,
                record,
                learner,
            } => self.change(*kind, *issuer, *record, *learner).await,
            Step::ChangeKey { issuer, doubted } => self.change_key(*issuer, *doubted).await,
            Step::Permit { issuer, categories } => self.permit(*issuer, *categories).await,
            Step::Merge { kept, gone } => self.merge(*kept, *gone).await,
            Step::Erase { learner } => self.erase(*learner).await,
            Step::Restart { killed } => self.restart(*killed).await,
        }
    }

    fn outcome(category: usize, name: &str) -> v1::Outcome {
        if category == 0 {
            course(name)
        } else {
            visit(name, "2024-05-01")
        }
    }

    async fn deposit(&mut self, issuer: usize, rows: &[(usize, usize)]) {
        let mut records = Vec::new();
        for (learner, category) in rows {
            self.count += 1;
            let key = self.count.to_string();
            let outcome = Self::outcome(*category, &key);
            let sent =
                self.issuers[issuer]
                    .maker
                    .outcome(key.as_bytes(), self.codes[*learner], outcome);
            let refused = self.model.deposit(issuer, *learner, *category);
            records.push((
                self.record(issuer, *learner, RecordKind::Outcome, Some(*category), sent),
                refused,
            ));
        }
        self.submit(issuer, records).await;
    }

    fn record(
        &self,
        issuer: usize,
        learner: usize,
        kind: RecordKind,
        category: Option<usize>,
        sent: v1::SignedRecord,
    ) -> Record {
        let place = RecordRef {
            leaf_index: LeafIndex(0),
            leaf_hash: [0; 32],
        };
        let key = self
            .model
            .doubtful_from
            .get(issuer)
            .map_or(0, |keys| keys.len() - 1);
        Record {
            place,
            issuer,
            key,
            learner,
            kind,
            category,
            sent,
            amended_by: None,
            revoked_by: None,
            confirmed_by: None,
        }
    }

    /// Submits rows whose fate the model knows, and takes the created ones into the model.
    async fn submit(&mut self, issuer: usize, rows: Vec<(Record, Option<&'static str>)>) {
        let sent = rows.iter().map(|(record, _)| record.sent.clone()).collect();
        let decided = self.issuers[issuer]
            .submit(sent)
            .await
            .expect("a right batch");
        let refused: BTreeMap<_, _> = decided
            .response
            .refused
            .iter()
            .map(|row| (row.row, row.violations[0].code.as_str()))
            .collect();
        let expected: BTreeMap<_, _> = (0..)
            .zip(&rows)
            .filter_map(|(row, (_, refused))| Some((row, (*refused)?)))
            .collect();
        assert_eq!(refused, expected);
        let verified = self.issuers[issuer].verify(&self.bank, &decided).records;
        let created = rows.into_iter().filter(|(_, refused)| refused.is_none());
        for ((mut record, _), verified) in created.zip(verified) {
            assert_eq!(
                verified.leaf_index, self.model.leaves,
                "the next place in the log"
            );
            record.place = crate::institution::place(&verified);
            self.model.leaves += 1;
            self.model.records.push(record);
        }
    }

    /// A record of an institution, if there is one.
    fn of_institution(&self, record: usize) -> Option<usize> {
        let of_institutions: Vec<_> = (0..self.model.records.len())
            .filter(|at| self.model.records[*at].issuer < ISSUERS)
            .collect();
        (!of_institutions.is_empty()).then(|| of_institutions[record % of_institutions.len()])
    }

    async fn repeat(&mut self, record: usize) {
        let Some(at) = self.of_institution(record) else {
            return;
        };
        let record = &self.model.records[at];
        let refused =
            self.model
                .deposit(record.issuer, record.learner, record.category.unwrap_or(0));
        let says_category = record
            .category
            .is_some_and(|_| refused == Some("CATEGORY_NOT_ADMITTED"));
        if says_category || self.model.learners[record.learner].erased {
            return;
        }
        let decided = self.issuers[record.issuer]
            .submit(vec![record.sent.clone()])
            .await
            .expect("a right batch");
        let [duplicate] = &decided.response.duplicates[..] else {
            panic!("{:?}", decided.response)
        };
        assert_eq!(
            duplicate.receipt.as_ref().unwrap().leaf_index,
            record.place.leaf_index.0
        );
    }

    async fn change(
        &mut self,
        kind: RecordKind,
        issuer: usize,
        record: usize,
        learner: Option<usize>,
    ) {
        let Some(at) = self.of_institution(record) else {
            return;
        };
        let target = self.model.records[at].clone();
        // Mostly the issuer itself, now and then another one.
        let issuer = if issuer < ISSUERS {
            issuer
        } else {
            target.issuer
        };
        let learner = learner.unwrap_or(target.learner);
        self.count += 1;
        let (key, code) = (self.count.to_string(), self.codes[learner]);
        let (maker, category) = (&self.issuers[issuer].maker, target.category.unwrap_or(0));
        let (key, place) = (key.as_bytes(), target.place);
        let sent = match kind {
            RecordKind::Amendment => {
                maker.amendment(key, code, place, Self::outcome(category, "new"), "error")
            }
            RecordKind::Revocation => maker.revocation(key, code, place, "error"),
            _ => maker.confirmation(key, code, place, "checked"),
        };
        let refused = self.model.change(kind, issuer, &target, learner);
        let shown = (kind == RecordKind::Amendment).then_some(category);
        let by = self.model.leaves;
        self.submit(
            issuer,
            vec![(self.record(issuer, learner, kind, shown, sent), refused)],
        )
        .await;
        if refused.is_none() {
            let target = &mut self.model.records[at];
            match kind {
                RecordKind::Amendment => target.amended_by = Some(by),
                RecordKind::Revocation => target.revoked_by = Some(by),
                _ => target.confirmed_by = Some(by),
            }
        }
    }

    /// Adds a new signing key and revokes the old one, from some record of the issuer on as compromised.
    async fn change_key(&mut self, issuer: usize, doubted: Option<usize>) {
        let id = format!("school-{issuer}");
        let generation = self.model.doubtful_from[issuer].len();
        let institution = &self.issuers[issuer];
        let old = institution.keys.key_id(KeyPurpose::Sign).0.to_vec();
        let name = institution.keys.institution().clone();
        let sign = seed(&id, &format!("sign {generation}"));
        let keys = InstitutionKeys::from_seeds(
            name,
            &sign,
            &seed(&id, "authenticate"),
            &seed(&id, "import"),
        );
        let key = Some(keys.public_keys()[0].clone());
        let mut registry = institution.line.registry();
        registry
            .add_key(v1::AddKeyRequest {
                institution_id: id.clone(),
                key,
            })
            .await
            .expect("a new key");
        let doubtful_from = doubted.map(|from| from as u64 % self.model.leaves);
        let revoke = v1::RevokeKeyRequest {
            institution_id: id,
            key_id: old.into(),
            doubtful_from,
        };
        registry.revoke_key(revoke).await.expect("its own key");
        self.model.leaves += 2;
        *self.model.doubtful_from[issuer].last_mut().unwrap() = doubtful_from;
        self.model.doubtful_from[issuer].push(None);
        let keys = Arc::new(keys);
        self.issuers[issuer] = Institution {
            maker: RecordMaker::new(&keys),
            line: self.bank.connect(&keys).await,
            keys,
        };
    }

    async fn permit(&mut self, issuer: usize, categories: usize) {
        let permitted: BTreeSet<_> = (0..CATEGORIES.len())
            .filter(|category| categories >> category & 1 == 1)
            .collect();
        let request = v1::SetPermittedCategoriesRequest {
            institution_id: format!("school-{issuer}"),
            categories: permitted
                .iter()
                .map(|category| CATEGORIES[*category].into())
                .collect(),
        };
        self.operator
            .line
            .registry()
            .set_permitted_categories(request)
            .await
            .expect("the operator permits");
        self.model.leaves += 1;
        self.model.permitted[issuer] = permitted;
    }

    async fn merge(&mut self, kept: usize, gone: usize) {
        let request = v1::MergeLearnersRequest {
            learner: digits(self.codes[kept]),
            merged_learner: digits(self.codes[gone]),
            reason: "same".into(),
        };
        let merged = self.operator.line.learner().merge_learners(request).await;
        let refused = merged
            .as_ref()
            .err()
            .map(|status| Refused::new(status.clone()).code.unwrap_or_default());
        assert_eq!(refused.as_deref(), self.model.merge(kept, gone));
        let Ok(merged) = merged else { return };
        let receipt = merged.into_inner().receipt.unwrap();
        let verified = self.bank.verifier().verify_receipt(&receipt, None).unwrap();
        for learner in &mut self.model.learners {
            if learner.merged_into == Some(gone) {
                learner.merged_into = Some(kept);
            }
        }
        self.model.learners[gone].merged_into = Some(kept);
        let mut record = self.record(
            ISSUERS,
            kept,
            RecordKind::Merge,
            None,
            v1::SignedRecord::default(),
        );
        record.place = crate::institution::place(&verified.records[0]);
        assert_eq!(record.place.leaf_index.0, self.model.leaves);
        self.model.leaves += 1;
        self.model.records.push(record);
    }

    async fn erase(&mut self, learner: usize) {
        let request = v1::EraseLearnerRequest {
            learner: digits(self.codes[learner]),
        };
        let erased = self.operator.line.learner().erase_learner(request).await;
        if self.model.learners[learner].erased {
            let refused = Refused::new(erased.expect_err("erased already"));
            assert_eq!(refused.code.as_deref(), Some("LEARNER_UNKNOWN"));
            return;
        }
        let survivor = self.model.survivor(learner);
        let codes: Vec<_> = (0..LEARNERS)
            .filter(|code| self.model.survivor(*code) == survivor)
            .collect();
        let records = self
            .model
            .records
            .iter()
            .filter(|record| codes.contains(&record.learner))
            .count();
        assert_eq!(
            erased.expect("it is there").into_inner().records_erased,
            records as u64
        );
        self.model.leaves += 1;
        codes
            .into_iter()
            .for_each(|code| self.model.learners[code].erased = true);
    }

    async fn restart(&mut self, killed: bool) {
        if killed {
            self.bank.kill()
        } else {
            self.bank.stop()
        }
        self.bank.start();
        for institution in self.issuers.iter_mut().chain([&mut self.operator]) {
            institution.reconnect(&self.bank).await;
        }
    }

    /// Every query gives what the model gives.
    async fn compare(&mut self, chance: &mut Chance) {
        let note = self
            .operator
            .line
            .log()
            .get_checkpoint(v1::GetCheckpointRequest {})
            .await
            .unwrap()
            .into_inner()
            .note;
        assert_eq!(
            note.lines().nth(1),
            Some(self.model.leaves.to_string().as_str())
        );
        for learner in 0..LEARNERS {
            for caller in 0..=ISSUERS {
                self.compare_archive(learner, caller, chance).await;
            }
        }
        for issuer in 0..ISSUERS {
            self.compare_submissions(issuer, chance).await;
            self.compare_registry(issuer).await;
        }
    }

    async fn compare_archive(&self, learner: usize, caller: usize, chance: &mut Chance) {
        let institution = self.issuers.get(caller).unwrap_or(&self.operator);
        let learner_code = digits(self.codes[learner]);
        let totals = institution
            .line
            .archive()
            .get_totals(v1::GetTotalsRequest {
                learner: learner_code.clone(),
            })
            .await;
        if self.model.learners[learner].erased {
            assert_eq!(
                ClientError::from(totals.unwrap_err()).code(),
                Some("LEARNER_UNKNOWN")
            );
            return;
        }
        let expected = self.model.archive(learner, caller);
        let mut counted: BTreeMap<i32, u64> = BTreeMap::new();
        for record in &expected {
            if let (Some(category), (RecordState::Active, _)) =
                (record.category, self.model.state(record))
            {
                *counted.entry(CATEGORIES[category].into()).or_default() += 1;
            }
        }
        let totals = totals.unwrap().into_inner().categories;
        assert_eq!(
            totals
                .iter()
                .map(|total| (total.category, total.records))
                .collect::<BTreeMap<_, _>>(),
            counted
        );
        let query = v1::ListRecordsRequest {
            learner: learner_code,
            page_size: 1 + u32::try_from(chance.below(9)).unwrap(),
            ..Default::default()
        };
        for query in self.queries(query, chance) {
            let shown = all(institution, query.clone()).await;
            let shown: Vec<_> = shown
                .iter()
                .map(|it| (it.leaf_index, it.kind(), (it.state(), it.changed_by)))
                .collect();
            let kept = expected.iter().filter(|record| self.admits(&query, record));
            let kept: Vec<_> = kept
                .map(|it| (it.place.leaf_index.0, it.kind, self.model.state(it)))
                .collect();
            assert_eq!(shown, kept, "{query:?} of {caller}");
        }
    }

    /// The plain query, and some with filters.
    fn queries(
        &self,
        query: v1::ListRecordsRequest,
        chance: &mut Chance,
    ) -> [v1::ListRecordsRequest; 4] {
        let category = CATEGORIES[usize::try_from(chance.below(2)).unwrap()];
        let state = 1 + i32::try_from(chance.below(4)).unwrap();
        let issuer = format!("school-{}", chance.below(ISSUERS as u64));
        [
            v1::ListRecordsRequest {
                categories: vec![category.into()],
                ..query.clone()
            },
            v1::ListRecordsRequest {
                states: vec![state],
                ..query.clone()
            },
            v1::ListRecordsRequest {
                issuer,
                completed_from: "2024-06-01".into(),
                ..query.clone()
            },
            query,
        ]
    }

    fn admits(&self, query: &v1::ListRecordsRequest, record: &Record) -> bool {
        let category = record
            .category
            .map(|category| i32::from(CATEGORIES[category]));
        // Courses are completed on the 30th of June, visits on the 1st of May.
        let from = query.completed_from.is_empty() || record.category == Some(0);
        let issuer = query.issuer.is_empty() || query.issuer == format!("school-{}", record.issuer);
        let state =
            query.states.is_empty() || query.states.contains(&self.model.state(record).0.into());
        let category = query.categories.is_empty()
            || category.is_some_and(|it| query.categories.contains(&it));
        from && issuer && state && category
    }

    async fn compare_submissions(&self, issuer: usize, chance: &mut Chance) {
        let mut request = v1::ListSubmissionsRequest {
            page_size: 1 + u32::try_from(chance.below(30)).unwrap(),
            ..Default::default()
        };
        let mut service = self.issuers[issuer].line.submission();
        let mut listed = Vec::new();
        loop {
            let page = service
                .list_submissions(request.clone())
                .await
                .unwrap()
                .into_inner();
            // What it declared about its projects came before the model.
            let records = page.submissions.into_iter();
            let records = records.filter(|it| it.kind() != v1::RecordKind::Declaration);
            listed.extend(records.map(|it| it.leaf_index));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let own: Vec<_> = self
            .model
            .records
            .iter()
            .rev()
            .filter(|record| record.issuer == issuer)
            .collect();
        assert_eq!(
            listed,
            own.iter()
                .map(|record| record.place.leaf_index.0)
                .collect::<Vec<_>>()
        );
        for record in own.iter().take(5) {
            let envelope =
                <v1::Envelope as prost::Message>::decode(&record.sent.envelope[..]).unwrap();
            let request = v1::GetSubmissionRequest {
                issuer: String::new(),
                record_id: envelope.record_id,
            };
            let found = service.get_submission(request).await.unwrap().into_inner();
            assert_eq!(found.leaf_index, record.place.leaf_index.0);
            let gone = self.model.learners[record.learner].erased;
            let payload = if gone {
                bytes::Bytes::new()
            } else {
                record.sent.payload.clone()
            };
            assert_eq!(found.payload, payload);
        }
    }

    async fn compare_registry(&self, issuer: usize) {
        let request = v1::GetInstitutionRequest {
            institution_id: format!("school-{issuer}"),
        };
        let found = self.issuers[issuer]
            .line
            .registry()
            .get_institution(request)
            .await
            .unwrap()
            .into_inner();
        let permitted: Vec<_> = self.model.permitted[issuer]
            .iter()
            .map(|it| i32::from(CATEGORIES[*it]))
            .collect();
        assert_eq!(found.categories, permitted);
        let signing = found.keys.iter().filter(|it| {
            it.key
                .as_ref()
                .is_some_and(|key| key.purpose() == v1::KeyPurpose::Sign)
        });
        let doubtful: Vec<_> = signing.map(|key| key.doubtful_from).collect();
        assert_eq!(doubtful, self.model.doubtful_from[issuer]);
    }
}

#[test]
fn random_histories_give_what_a_naive_ledger_gives() {
    let mut chance = Chance::new("model");
    let seed: Vec<u8> = (0..32)
        .map(|_| u8::try_from(chance.below(256)).unwrap())
        .collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config {
        cases: CASES,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let history = prop::collection::vec(step(), 5..STEPS_MAX);
    let ran = TestRunner::new_with_rng(config, rng).run(&history, |history| {
        runtime.block_on(async {
            let mut beside = Beside::new().await;
            for (number, step) in history.iter().enumerate() {
                beside.step(step).await;
                if number % 15 == 14 {
                    beside.compare(&mut chance_of(number)).await;
                }
            }
            beside.compare(&mut chance_of(history.len())).await;
            beside.bank.check_log();
        });
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}

/// Chance that follows from the place in the history, so that a failure is the same when it is shrunk.
fn chance_of(number: usize) -> Chance {
    Chance::from_seed(number as u64)
}
