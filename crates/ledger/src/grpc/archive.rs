//! `ArchiveService`: a learner's archive, newest first.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::ops::Deref;

use creditbank_domain::record::{RecordKind, Role};
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Go, StoreError};
use creditbank_wire::v1;
use creditbank_wire::v1::archive_service_server::ArchiveService;
use prost::Message;
use tonic::{Request, Response, Status};

use super::auth::Caller;
use super::learner::code;
use super::page::{self, Query};
use super::{Services, failed, refuse};
use crate::archive::{Archive, Found};
use crate::recognition::used;

/// Default records of a page.
const RECORDS_PAGE: u32 = 20;
/// Who reads archives; an institution what it deposited itself.
const READERS: [Role; 4] = [
    Role::Institution,
    Role::Operator,
    Role::Gateway,
    Role::LearnerAgent,
];
/// Who learns names, as from `LearnerService`.
const NAME_READERS: [Role; 2] = [Role::Gateway, Role::Operator];
/// Most records that a filter may pass over for one page; the page then ends early, with a token.
const SCANNED_MAX: usize = 10_000;

#[tonic::async_trait]
impl ArchiveService for Services {
    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Result<Response<v1::ListRecordsResponse>, Status> {
        let caller = self.caller(&request, &READERS)?;
        let request = request.into_inner();
        let size = page::size(request.page_size, RECORDS_PAGE)
            .map_err(|refusal| refuse(refusal, "page_size"))?;
        let name = self.name_for(&caller, &request)?;
        let with_totals = request.with_totals;
        let query = query(&request);
        let before = query
            .number(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let reader = Reader(self.archive(&caller, &request.learner)?);
        let filter = Filter::new(&reader, request)?;
        let before = before.unwrap_or(reader.0.head.row.size);
        let page = reader.page(&filter, before, size, with_totals);
        let mut page = page.map_err(|error| failed(&error))?;
        if page.may_be_used {
            let marked = reader.mark_used(&mut page.records);
            marked.map_err(|error| failed(&error))?;
        }
        let next_page_token = page
            .next
            .map(|index| query.token(&index.to_be_bytes()))
            .unwrap_or_default();
        let tree_size = reader.0.head.row.size;
        Ok(Response::new(v1::ListRecordsResponse {
            records: page.records,
            next_page_token,
            tree_size,
            totals: page.totals,
            name,
        }))
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::GetRecordResponse>, Status> {
        let caller = self.caller(&request, &READERS)?;
        let request = request.into_inner();
        let reader = Reader(self.archive(&caller, &request.learner)?);
        let index = LeafIndex(request.leaf_index);
        let found = reader.record(index).map_err(|error| failed(&error))?;
        found
            .map(Response::new)
            .ok_or_else(|| refuse(Refusal::RecordUnknown, "leaf_index"))
    }

    async fn get_totals(
        &self,
        request: Request<v1::GetTotalsRequest>,
    ) -> Result<Response<v1::Totals>, Status> {
        let caller = self.caller(&request, &READERS)?;
        let reader = Reader(self.archive(&caller, &request.into_inner().learner)?);
        let categories = reader.totals().map_err(|error| failed(&error))?;
        Ok(Response::new(v1::Totals {
            categories,
            tree_size: reader.0.head.row.size,
        }))
    }
}

impl Services {
    /// The learner's name, if it is asked for and this caller learns it.
    fn name_for(
        &self,
        caller: &Caller,
        request: &v1::ListRecordsRequest,
    ) -> Result<String, Status> {
        if !request.with_name {
            return Ok(String::new());
        }
        if !NAME_READERS.contains(&caller.role) {
            return Err(refuse(Refusal::PermissionDenied, "with_name"));
        }
        let profile = self.bank.profile(code(&request.learner, "learner")?);
        let profile = profile.map_err(|error| failed(&error))?;
        Ok(profile.map_err(|refusal| refuse(refusal, "learner"))?.name)
    }

    /// The archive that this caller may read.
    fn archive(&self, caller: &Caller, learner: &str) -> Result<Archive, Status> {
        let learner = code(learner, "learner")?;
        let only = (caller.role == Role::Institution).then_some(caller.number);
        let opened = Archive::open(&self.bank, self.bank.head(), learner, only);
        opened
            .map_err(|error| failed(&error))?
            .map_err(|refusal| refuse(refusal, "learner"))
    }
}

/// Reads pages of an archive.
pub(super) struct Reader(pub(super) Archive);

impl Reader {
    /// A page of records below `before`. With totals the whole archive is read, once for both.
    fn page(
        &self,
        filter: &Filter,
        before: u64,
        size: usize,
        with_totals: bool,
    ) -> Result<Page, StoreError> {
        let all = self.0.head.row.size;
        let from = if with_totals { all } else { before };
        let (mut totals, mut may_be_used) = (Totals::default(), from < all);
        let mut found = Vec::with_capacity(size + 1);
        for part in &self.0.parts {
            let (mut taken, mut scanned) = (0, 0);
            self.0.scan(part, from, |record| {
                let index = record.index.0;
                may_be_used |= record.header.kind == RecordKind::Decision;
                let outcome = LazyCell::new(|| outcome(&record.opened.payload));
                if with_totals && record.state == v1::RecordState::Active {
                    totals.add(outcome.as_ref());
                }
                if index < before && taken <= size && scanned < SCANNED_MAX {
                    scanned += 1;
                    if filter.admits(&record, &outcome) {
                        taken += 1;
                        found.push((index, Some(record.into())));
                    }
                    if scanned == SCANNED_MAX {
                        // Marks how far the scan came; the next page goes on below it.
                        found.push((index, None));
                    }
                }
                if with_totals || (taken <= size && scanned < SCANNED_MAX) {
                    Go::Continue(())
                } else {
                    Go::Break(())
                }
            })?;
        }
        let (records, next) = cut(found, size);
        Ok(Page {
            records,
            next,
            totals: totals.into_list(),
            may_be_used,
        })
    }

    /// One record with its history; nothing if it is not in the archive, or not for this reader.
    fn record(&self, index: LeafIndex) -> Result<Option<v1::GetRecordResponse>, StoreError> {
        if index.0 >= self.0.head.row.size {
            return Ok(None);
        }
        let Some(found) = self.0.find(index)? else {
            return Ok(None);
        };
        let history = self.0.history(&found)?;
        // Newest first, as `mark_used` has it.
        let mut history: Vec<_> = history
            .into_iter()
            .rev()
            .map(v1::ArchiveRecord::from)
            .collect();
        self.mark_used(&mut history)?;
        history.reverse();
        let mut record = v1::ArchiveRecord::from(found);
        let itself = history.iter().find(|it| it.leaf_index == index.0);
        record.used_by = itself.map(|it| it.used_by.clone()).unwrap_or_default();
        Ok(Some(v1::GetRecordResponse {
            record: Some(record),
            history,
            tree_size: self.0.head.row.size,
        }))
    }

    /// Says of records what they are used for. An institution is not told: what became of its outcomes is the learner's.
    fn mark_used(&self, records: &mut [v1::ArchiveRecord]) -> Result<(), StoreError> {
        let Some(oldest) = records.last().filter(|_| self.0.only.is_none()) else {
            return Ok(());
        };
        let used = used(&self.0, LeafIndex(oldest.leaf_index))?;
        for record in records {
            let by = used.get(&LeafIndex(record.leaf_index));
            record.used_by = by.into_iter().flatten().map(|it| it.0).collect();
        }
        Ok(())
    }

    /// The newest outcomes in force of some categories; none means all.
    pub(super) fn newest(
        &self,
        categories: &[i32],
        count: usize,
    ) -> Result<Vec<v1::ArchiveRecord>, StoreError> {
        let every = || (1..=9).collect();
        let filter = Filter {
            // Only outcomes have a category.
            categories: match categories {
                [] => every(),
                some => some.to_vec(),
            },
            states: vec![v1::RecordState::Active as i32],
            issuer: None,
            completed_from: String::new(),
            completed_to: String::new(),
        };
        let mut records = Vec::with_capacity(count);
        let mut before = Some(self.0.head.row.size);
        while let Some(below) = before
            && records.len() < count
        {
            let page = self.page(&filter, below, count - records.len(), false)?;
            records.extend(page.records);
            before = page.next;
        }
        Ok(records)
    }

    pub(super) fn totals(&self) -> Result<Vec<v1::CategoryTotal>, StoreError> {
        let mut totals = Totals::default();
        for part in &self.0.parts {
            self.0.scan(part, self.0.head.row.size, |record| {
                if record.state == v1::RecordState::Active {
                    totals.add(outcome(&record.opened.payload).as_ref());
                }
                Go::Continue(())
            })?;
        }
        Ok(totals.into_list())
    }
}

/// A page of an archive.
struct Page {
    records: Vec<v1::ArchiveRecord>,
    /// Where the next one begins.
    next: Option<u64>,
    /// Empty unless asked for.
    totals: Vec<v1::CategoryTotal>,
    /// Whether a decision may stand on a record of it: one was read on the way, or not all newer records were read.
    may_be_used: bool,
}

/// The newest of what was found in all codes, and where to go on. Without a record an entry says how far a scan came.
fn cut(
    mut found: Vec<(u64, Option<v1::ArchiveRecord>)>,
    size: usize,
) -> (Vec<v1::ArchiveRecord>, Option<u64>) {
    found.sort_unstable_by_key(|(index, record)| (std::cmp::Reverse(*index), record.is_none()));
    let mut records = Vec::with_capacity(size);
    let mut last = None;
    for (index, record) in found {
        let Some(record) = record else {
            return (records, Some(index));
        };
        if records.len() == size {
            return (records, last);
        }
        last = Some(index);
        records.push(record);
    }
    (records, None)
}

/// Sums by category, of outcomes in force.
#[derive(Default)]
struct Totals(BTreeMap<i32, v1::CategoryTotal>);

impl Totals {
    fn add(&mut self, outcome: Option<&v1::Outcome>) {
        let Some(outcome) = outcome else { return };
        let category = outcome.category() as i32;
        let total = self.0.entry(category).or_default();
        total.category = category;
        total.records += 1;
        total.credits_hundredths += u64::from(outcome.credits_hundredths.unwrap_or(0));
        total.hours_hundredths += u64::from(outcome.hours_hundredths.unwrap_or(0));
    }

    fn into_list(self) -> Vec<v1::CategoryTotal> {
        self.0.into_values().collect()
    }
}

/// What a page is restricted to; empty parts restrict nothing.
struct Filter {
    categories: Vec<i32>,
    states: Vec<i32>,
    issuer: Option<InstitutionNumber>,
    completed_from: String,
    completed_to: String,
}

impl Filter {
    fn new(reader: &Reader, request: v1::ListRecordsRequest) -> Result<Self, Status> {
        let issuer = match request.issuer.as_str() {
            "" => None,
            id => {
                let institution = reader.0.head.registry.institution(id);
                Some(
                    institution
                        .ok_or_else(|| refuse(Refusal::IssuerUnknown, "issuer"))?
                        .number,
                )
            }
        };
        for (date, field) in [
            (&request.completed_from, "completed_from"),
            (&request.completed_to, "completed_to"),
        ] {
            let is_date = date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok();
            if !date.is_empty() && !is_date {
                return Err(refuse(Refusal::NotADate, field));
            }
        }
        Ok(Self {
            categories: request.categories,
            states: request.states,
            issuer,
            completed_from: request.completed_from,
            completed_to: request.completed_to,
        })
    }

    fn admits(&self, record: &Found, outcome: &impl Deref<Target = Option<v1::Outcome>>) -> bool {
        if !self.states.is_empty() && !self.states.contains(&(record.state as i32)) {
            return false;
        }
        if self
            .issuer
            .is_some_and(|issuer| issuer != record.header.issuer)
        {
            return false;
        }
        let bounds = [&self.completed_from, &self.completed_to];
        if self.categories.is_empty() && bounds.iter().all(|bound| bound.is_empty()) {
            return true;
        }
        // ISO dates of one length compare as text.
        outcome.as_ref().is_some_and(|outcome| {
            let on = &outcome.completed_on;
            (self.categories.is_empty() || self.categories.contains(&(outcome.category() as i32)))
                && (self.completed_from.is_empty() || *on >= self.completed_from)
                && (self.completed_to.is_empty() || *on <= self.completed_to)
        })
    }
}

fn query(request: &v1::ListRecordsRequest) -> Query {
    let plain = v1::ListRecordsRequest {
        page_size: 0,
        page_token: String::new(),
        with_totals: false,
        with_name: false,
        ..request.clone()
    };
    Query::of(&[b"records", &plain.encode_to_vec()])
}

/// The outcome that a payload shows, if any.
fn outcome(payload: &[u8]) -> Option<v1::Outcome> {
    v1::Payload::decode(payload).ok()?.deposited_outcome()
}
