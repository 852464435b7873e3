//! What learners ask: that a record be corrected, or that they be erased.
//!
//! A request waits in the queue of whoever deposited the record, and in that of the bank, which sees all of them.

use creditbank_domain::access::{ENDED_KEPT_MAX, REQUESTS_OPEN_MAX};
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{AccessChange, AccessKey, Damage, Go, StoreError};
use creditbank_wire::v1;
use creditbank_wire::v1::learner_request::Content;

use super::row::{Kept, Owner, Place, REQUEST};
use super::{NotDone, digits};
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock;
use crate::recognition::depositor;

/// The bank's own queue, which holds every request.
const BANK: InstitutionNumber = InstitutionNumber(0);
/// Most rows of a queue that one page passes over; it then ends early, with a token.
const SCANNED_MAX: usize = 2000;

/// A request to be made; texts are checked.
pub(crate) struct Asked {
    pub(crate) id: [u8; 16],
    pub(crate) content: Content,
}

/// Who answers or looks at a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// An institution: what concerns its own deposits.
    Institution(InstitutionNumber),
    /// The bank's operator: everything.
    Operator,
}

impl Who {
    const fn queue(self) -> InstitutionNumber {
        match self {
            Self::Institution(number) => number,
            Self::Operator => BANK,
        }
    }

    fn sees(self, pointers: &[AccessKey]) -> bool {
        let queue = self.queue();
        pointers
            .iter()
            .any(|it| matches!(it, AccessKey::Queue(number, ..) if *number == queue))
    }
}

type Request = Kept<v1::LearnerRequest>;

fn is_open(request: &v1::LearnerRequest) -> bool {
    request.state == v1::RequestState::Open as i32
}

impl Bank {
    /// A learner asks. The same again gives what was asked.
    pub(crate) fn create_request(
        &self,
        learner: LearnerCode,
        asked: Asked,
    ) -> Result<v1::LearnerRequest, NotDone> {
        self.require_changes()?;
        let mut latest = self.access().writing();
        let owner = self.owner(learner)?;
        let now = latest.moment();
        let (content, code, issuer) = self.completed(&owner, asked.content)?;
        if let Some(known) = self.known(&owner, asked.id)? {
            let is_same = known.content.as_ref() == Some(&content);
            return match is_same {
                true => Ok(known),
                false => Err(Refusal::RequestIdTaken.at("request_id").into()),
            };
        }
        let kept: Vec<Request> = self.kept(&owner, REQUEST)?;
        require_room(&kept, &content)?;
        let queue = |number| AccessKey::Queue(number, now, asked.id);
        let mut pointers = vec![AccessKey::Asked(asked.id), queue(BANK)];
        pointers.extend(issuer.filter(|it| *it != BANK).map(queue));
        let request = Kept {
            code,
            id: asked.id,
            kind: REQUEST,
            pointers,
            content: v1::LearnerRequest {
                request_id: asked.id.to_vec().into(),
                learner: digits(LearnerCode::from_u64(code)?),
                created_at_ms: now,
                state: v1::RequestState::Open as i32,
                content: Some(content),
                answer: String::new(),
                answered_at_ms: None,
            },
        };
        let leads = request.pointers.iter();
        let leads = leads.map(|key| (*key, Some(code.to_be_bytes().to_vec())));
        let mut changes = too_old(kept);
        changes.extend(leads);
        changes.push(request.change(&owner)?);
        self.store().write_access(&changes)?;
        Ok(request.content)
    }

    /// A request with what only the bank knows; the code that it lies under, and who is to answer it beside the bank.
    fn completed(
        &self,
        owner: &Owner,
        content: Content,
    ) -> Result<(Content, u64, Option<InstitutionNumber>), NotDone> {
        let Content::Correction(correction) = content else {
            return Ok((content, owner.learner().as_u64(), None));
        };
        let archive = Archive::open(self, self.head(), owner.learner(), None)??;
        let index = LeafIndex(correction.leaf_index);
        let unknown = || Refusal::RecordUnknown.at("correction.leaf_index");
        if index.0 >= archive.head.row.size {
            return Err(unknown().into());
        }
        let found = archive.find(index)?.ok_or_else(unknown)?;
        // The institution knows the record by the code that it was deposited under.
        let code = archive.code_of(index)?.ok_or_else(unknown)?;
        let issuer = depositor(&archive.head, index)?;
        let completed = v1::Correction {
            issuer: found.issuer,
            record_id: found.header.record_id.as_bytes().to_vec().into(),
            ..correction
        };
        let issuer = issuer.map(|it| it.number);
        Ok((Content::Correction(completed), code.as_u64(), issuer))
    }

    /// What was asked under this id; refused if it was asked by another learner, or is no request.
    fn known(&self, owner: &Owner, id: [u8; 16]) -> Result<Option<v1::LearnerRequest>, NotDone> {
        let taken = || Refusal::RequestIdTaken.at("request_id");
        if let Some(row) = self.store().access_row(&AccessKey::Asked(id))? {
            if !owner.has(asker(&row)?) {
                return Err(taken().into());
            }
            let kept = self.kept_one::<v1::LearnerRequest>(owner, REQUEST, id)?;
            return Ok(kept.map(|it| it.content));
        }
        for code in owner.codes() {
            let key = AccessKey::Grant(code, id);
            if self.store().access_row(&key)?.is_some() {
                return Err(taken().into());
            }
        }
        Ok(None)
    }

    /// Requests of one learner, with their places.
    pub(crate) fn requests_of(
        &self,
        learner: LearnerCode,
    ) -> Result<Vec<(Place, v1::LearnerRequest)>, NotDone> {
        let owner = self.owner(learner)?;
        let kept: Vec<Request> = self.kept(&owner, REQUEST)?;
        let placed = kept.into_iter().map(|it| {
            let at_ms = it.content.created_at_ms;
            (Place { at_ms, id: it.id }, it.content)
        });
        Ok(placed.collect())
    }

    /// A page of a queue, newest first, and where the next one begins.
    pub(crate) fn request_queue(
        &self,
        who: Who,
        states: &[i32],
        from: Option<Place>,
        size: usize,
    ) -> Result<(Vec<v1::LearnerRequest>, Option<Place>), NotDone> {
        let start = from.map_or((u64::MAX, [0; 16]), |place| (place.at_ms, place.id));
        let mut rows = Vec::new();
        let from = AccessKey::Queue(who.queue(), start.0, start.1);
        self.store().access_rows(&from, |key, value| {
            if let AccessKey::Queue(_, at_ms, id) = key {
                rows.push((Place { at_ms, id }, value.to_vec()));
            }
            if rows.len() > SCANNED_MAX {
                Go::Break(())
            } else {
                Go::Continue(())
            }
        })?;
        let mut requests = Vec::new();
        for (number, (place, row)) in rows.into_iter().enumerate() {
            if requests.len() == size || number == SCANNED_MAX {
                return Ok((requests, Some(place)));
            }
            let Some((_, kept)) = self.request_at(&row, place.id)? else {
                continue;
            };
            if states.is_empty() || states.contains(&kept.content.state) {
                requests.push(kept.content);
            }
        }
        Ok((requests, None))
    }

    /// Answers a request, once.
    pub(crate) fn answer_request(
        &self,
        who: Who,
        id: [u8; 16],
        agree: bool,
        answer: &str,
    ) -> Result<v1::LearnerRequest, NotDone> {
        let unknown = || Refusal::RequestUnknown.at("request_id");
        self.require_changes()?;
        let _one_at_a_time = self.access().writing();
        let row = self.store().access_row(&AccessKey::Asked(id))?;
        let found = self.request_at(&row.ok_or_else(unknown)?, id)?;
        let (owner, mut kept) = found.ok_or_else(unknown)?;
        if !who.sees(&kept.pointers) {
            return Err(unknown().into());
        }
        if !is_open(&kept.content) {
            return Err(Refusal::RequestAnswered.at("request_id").into());
        }
        let state = match agree {
            true => v1::RequestState::Agreed,
            false => v1::RequestState::Declined,
        };
        kept.content.state = state as i32;
        kept.content.answer = answer.to_owned();
        kept.content.answered_at_ms = Some(clock::now_ms());
        self.store().write_access(&[kept.change(&owner)?])?;
        Ok(kept.content)
    }

    /// The learner takes a request back. Again it changes nothing.
    pub(crate) fn withdraw_request(
        &self,
        learner: LearnerCode,
        id: [u8; 16],
    ) -> Result<v1::LearnerRequest, NotDone> {
        self.require_changes()?;
        let _one_at_a_time = self.access().writing();
        let owner = self.owner(learner)?;
        let kept = self.kept_one::<v1::LearnerRequest>(&owner, REQUEST, id)?;
        let mut kept = kept.ok_or_else(|| Refusal::RequestUnknown.at("request_id"))?;
        if kept.content.state == v1::RequestState::Withdrawn as i32 {
            return Ok(kept.content);
        }
        if !is_open(&kept.content) {
            return Err(Refusal::RequestAnswered.at("request_id").into());
        }
        kept.content.state = v1::RequestState::Withdrawn as i32;
        self.store().write_access(&[kept.change(&owner)?])?;
        Ok(kept.content)
    }

    /// The request that a row leads to; nothing if its learner is gone.
    fn request_at(&self, row: &[u8], id: [u8; 16]) -> Result<Option<(Owner, Request)>, NotDone> {
        let owner = match self.owner_of(asker(row)?) {
            Err(NotDone::Refused(fault)) if fault.refusal == Refusal::LearnerUnknown => {
                return Ok(None);
            }
            owner => owner?,
        };
        let kept = self.kept_one(&owner, REQUEST, id)?;
        Ok(kept.map(|kept| (owner, kept)))
    }
}

fn asker(row: &[u8]) -> Result<u64, StoreError> {
    let code = row.try_into().map(u64::from_be_bytes);
    code.map_err(|_| StoreError::Damaged(Damage::Row("access")))
}

fn require_room(kept: &[Request], content: &Content) -> Result<(), NotDone> {
    let open = || kept.iter().filter(|it| is_open(&it.content));
    let is_same = |it: &Request| match (&it.content.content, content) {
        (Some(Content::Correction(one)), Content::Correction(other)) => {
            one.leaf_index == other.leaf_index
        }
        (Some(Content::Erasure(_)), Content::Erasure(_)) => true,
        _ => false,
    };
    if open().any(is_same) {
        return Err(Refusal::RequestOpen.into());
    }
    if open().count() >= REQUESTS_OPEN_MAX as usize {
        let max = REQUESTS_OPEN_MAX;
        return Err(Refusal::RequestsTooMany { max }.into());
    }
    Ok(())
}

/// Takes away the oldest requests that are over, where there are too many.
fn too_old(kept: Vec<Request>) -> Vec<AccessChange> {
    let mut over: Vec<_> = kept
        .into_iter()
        .filter(|it| !is_open(&it.content))
        .collect();
    over.sort_unstable_by_key(|it| std::cmp::Reverse(it.content.created_at_ms));
    let gone = over.get(ENDED_KEPT_MAX..).unwrap_or_default();
    gone.iter().flat_map(Kept::removal).collect()
}
