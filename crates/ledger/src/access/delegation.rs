//! Delegations: somebody else acts for a learner (亲属代办).

use creditbank_domain::Refusal;
use creditbank_domain::access::{DELEGATIONS_OPEN_MAX, masked_name};
use creditbank_domain::identifier::LearnerCode;
use creditbank_store::{AccessKey, Damage, Go, StoreError};
use creditbank_wire::v1;
use creditbank_wire::v1::grant::Content;

use super::grant::is_grant_open;
use super::row::{GRANT, Kept, Owner};
use super::{NotDone, digits};
use crate::bank::Bank;
use crate::clock;

impl Bank {
    /// Whom a learner lets act: another code, whose learner has not too many to act for.
    pub(super) fn delegate(
        &self,
        owner: &Owner,
        text: &str,
        now: u64,
    ) -> Result<LearnerCode, NotDone> {
        let at = |refusal: Refusal| refusal.at("delegation.delegate");
        let delegate = LearnerCode::parse(text).map_err(at)?;
        if owner.has(delegate.as_u64()) {
            return Err(at(Refusal::Inconsistent { with: "learner" }).into());
        }
        let delegate = match self.owner(delegate) {
            // No answer tells whether somebody has an archive: such a grant leads to nobody.
            Err(NotDone::Refused(fault)) if fault.refusal == Refusal::LearnerUnknown => {
                return Ok(delegate);
            }
            owner => owner?,
        };
        if self.delegated(&delegate, now)?.len() >= DELEGATIONS_OPEN_MAX as usize {
            let max = DELEGATIONS_OPEN_MAX;
            return Err(at(Refusal::GrantsTooMany { max }).into());
        }
        Ok(delegate.learner())
    }

    /// Open grants that let a learner act for others, as that learner is told of them.
    pub(crate) fn delegations(&self, delegate: LearnerCode) -> Result<Vec<v1::Grant>, NotDone> {
        let delegate = self.owner(delegate)?;
        let mut told = Vec::new();
        for (owner, kept) in self.delegated(&delegate, clock::now_ms())? {
            let delegation = self.told(&owner, &kept)?;
            told.push(v1::Grant {
                content: Some(Content::Delegation(delegation)),
                looks: 0,
                last_look_at_ms: None,
                ..kept.content
            });
        }
        told.sort_unstable_by_key(|it| std::cmp::Reverse(it.created_at_ms));
        Ok(told)
    }

    /// Whether somebody may act for another now, by a grant; `begin` notes it as a look.
    pub(crate) fn use_delegation(
        &self,
        delegate: LearnerCode,
        id: [u8; 16],
        begin: bool,
    ) -> Result<v1::Delegation, NotDone> {
        let unknown = || Refusal::GrantUnknown.at("grant_id");
        if begin {
            self.require_changes()?;
        }
        let mut writing = begin.then(|| self.access().writing());
        let delegate = self.owner(delegate);
        let delegate = delegate.map_err(|error| error.unknown_as(Refusal::GrantUnknown))?;
        let latest = writing.as_mut();
        let now = latest.map_or_else(clock::now_ms, |latest| latest.moment());
        let mut found = None;
        for code in delegate.codes() {
            let row = self.store().access_row(&AccessKey::Delegate(code, id))?;
            if let Some(row) = row {
                found = self.open_delegation(id, &row, now)?;
            }
        }
        let (owner, mut kept) = found.ok_or_else(unknown)?;
        if begin {
            self.note_use(&owner, &mut kept, "", 0, now)?;
        }
        self.told(&owner, &kept)
    }

    fn delegated(
        &self,
        delegate: &Owner,
        now: u64,
    ) -> Result<Vec<(Owner, Kept<v1::Grant>)>, NotDone> {
        let mut rows = Vec::new();
        for code in delegate.codes() {
            let from = AccessKey::Delegate(code, [0; 16]);
            self.store().access_rows(&from, |key, value| {
                if let AccessKey::Delegate(_, id) = key {
                    rows.push((id, value.to_vec()));
                }
                Go::Continue(())
            })?;
        }
        let opened = rows
            .into_iter()
            .map(|(id, row)| self.open_delegation(id, &row, now));
        opened.filter_map(Result::transpose).collect()
    }

    /// The open grant that a row under a delegate leads to.
    fn open_delegation(
        &self,
        id: [u8; 16],
        row: &[u8],
        now: u64,
    ) -> Result<Option<(Owner, Kept<v1::Grant>)>, NotDone> {
        let code = row.try_into().map(u64::from_be_bytes);
        let code = code.map_err(|_| StoreError::Damaged(Damage::Row("access")))?;
        let owner = match self.owner_of(code) {
            Err(NotDone::Refused(fault)) if fault.refusal == Refusal::LearnerUnknown => {
                return Ok(None);
            }
            owner => owner?,
        };
        let kept = self.kept_one::<v1::Grant>(&owner, GRANT, id)?;
        let open = kept.filter(|kept| is_grant_open(&kept.content, now));
        Ok(open.map(|kept| (owner, kept)))
    }

    /// A delegation as the delegate is told of it: whose archive it is instead of whom it names.
    fn told(&self, owner: &Owner, kept: &Kept<v1::Grant>) -> Result<v1::Delegation, NotDone> {
        let Some(Content::Delegation(delegation)) = &kept.content.content else {
            return Err(Refusal::GrantUnknown.at("grant_id").into());
        };
        let profile = self.profile(owner.learner())??;
        Ok(v1::Delegation {
            delegate: String::new(),
            learner: digits(profile.learner),
            masked_name: masked_name(&profile.name),
            ..delegation.clone()
        })
    }
}
