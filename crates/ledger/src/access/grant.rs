//! Grants: made, listed, withdrawn, and found by their secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_domain::access::{
    DELEGATIONS_OPEN_MAX, ENDED_KEPT_MAX, GRANTS_OPEN_MAX, GrantKind, PrintedSecret, is_open,
};
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{AccessChange, AccessKey, pointed, pointer};
use creditbank_wire::v1;
use creditbank_wire::v1::grant::Content;
use sha2::{Digest, Sha256};

use super::row::{GRANT, Kept, Owner, Place};
use super::{NotDone, digits};
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock;
use crate::vault::fill;

const SECRET_CONTEXT: &[u8] = b"creditbank/secret/v1\n";

/// A grant to be made, its fields checked one by one.
pub(crate) struct NewGrant {
    pub(crate) kind: GrantKind,
    pub(crate) content: Content,
    pub(crate) expires_at_ms: u64,
    /// Of the institution at whose window it is made.
    pub(crate) window: String,
}

/// What opens a grant; told once.
pub(crate) type Secret = String;

/// The key under which a secret leads to its grant.
pub(super) fn secret_key(secret: &str) -> AccessKey {
    let digest = Sha256::new().chain_update(SECRET_CONTEXT);
    AccessKey::Secret(digest.chain_update(secret).finalize().into())
}

/// Whether a grant holds at a moment.
pub(super) fn is_grant_open(grant: &v1::Grant, now_ms: u64) -> bool {
    is_open(now_ms, grant.expires_at_ms, grant.withdrawn_at_ms)
}

impl Bank {
    /// Makes a grant; gives the secret of one that has any.
    pub(crate) fn create_grant(
        &self,
        learner: LearnerCode,
        new: NewGrant,
    ) -> Result<(v1::Grant, Secret), NotDone> {
        self.require_changes()?;
        let expiry = new.kind.check_expiry(clock::now_ms(), new.expires_at_ms);
        expiry.map_err(|refusal| refusal.at("expires_at_ms"))?;
        let mut latest = self.access().writing();
        let now = latest.moment();
        let owner = self.owner(learner)?;
        let kept: Vec<Kept<v1::Grant>> = self.kept(&owner, GRANT)?;
        require_room(&kept, new.kind, now)?;
        let mut id = [0; 16];
        fill(&mut id);
        let code = owner.learner().as_u64();
        let (content, lead, secret) = self.prepared(&owner, id, new.content, now)?;
        let kept_now = Kept {
            code,
            id,
            kind: GRANT,
            pointers: vec![lead.0],
            content: v1::Grant {
                grant_id: id.to_vec().into(),
                created_at_ms: now,
                expires_at_ms: new.expires_at_ms,
                content: Some(content),
                window: new.window,
                ..v1::Grant::default()
            },
        };
        let mut changes = too_old(kept, now);
        changes.extend([kept_now.change(&owner)?, lead]);
        self.store().write_access(&changes)?;
        Ok((kept_now.content, secret))
    }

    /// What a grant says, the row that leads to it, and its secret.
    fn prepared(
        &self,
        owner: &Owner,
        id: [u8; 16],
        content: Content,
        now: u64,
    ) -> Result<(Content, AccessChange, Secret), NotDone> {
        let code = owner.learner().as_u64();
        let by_secret = |secret: &str| (secret_key(secret), Some(pointer(code, &id)));
        Ok(match content {
            Content::Share(share) => {
                self.require_records(owner, &share)?;
                let mut random = [0; 32];
                fill(&mut random);
                let secret = URL_SAFE_NO_PAD.encode(random);
                (Content::Share(share), by_secret(&secret), secret)
            }
            Content::PrintedCode(printed) => {
                let mut random = [0; 19];
                fill(&mut random);
                let secret = PrintedSecret::from_random(&random);
                let lead = by_secret(&secret.canonical());
                (Content::PrintedCode(printed), lead, secret.to_string())
            }
            Content::Delegation(delegation) => {
                let delegate = self.delegate(owner, &delegation.delegate, now)?;
                let key = AccessKey::Delegate(delegate.as_u64(), id);
                let delegation = v1::Delegation {
                    delegate: digits(delegate),
                    ..delegation
                };
                let lead = (key, Some(code.to_be_bytes().to_vec()));
                (Content::Delegation(delegation), lead, String::new())
            }
        })
    }

    fn require_records(&self, owner: &Owner, share: &v1::Share) -> Result<(), NotDone> {
        let archive = Archive::open(self, self.head(), owner.learner(), None)??;
        for (place, index) in share.leaf_indexes.iter().enumerate() {
            let is_there =
                *index < archive.head.row.size && archive.code_of(LeafIndex(*index))?.is_some();
            if !is_there {
                let field = format!("share.leaf_indexes[{place}]");
                return Err(Refusal::RecordUnknown.at(field).into());
            }
        }
        Ok(())
    }

    /// All grants of a learner, with their places in a list.
    pub(crate) fn grants(&self, learner: LearnerCode) -> Result<Vec<(Place, v1::Grant)>, NotDone> {
        let owner = self.owner(learner)?;
        let kept: Vec<Kept<v1::Grant>> = self.kept(&owner, GRANT)?;
        let placed = kept.into_iter().map(|it| {
            let at_ms = it.content.created_at_ms;
            (Place { at_ms, id: it.id }, it.content)
        });
        Ok(placed.collect())
    }

    /// Ends a grant. One that has ended stays as it is.
    pub(crate) fn withdraw_grant(
        &self,
        learner: LearnerCode,
        id: [u8; 16],
    ) -> Result<v1::Grant, NotDone> {
        self.require_changes()?;
        let _one_at_a_time = self.access().writing();
        let owner = self.owner(learner)?;
        let kept = self.kept_one::<v1::Grant>(&owner, GRANT, id)?;
        let mut kept = kept.ok_or_else(|| Refusal::GrantUnknown.at("grant_id"))?;
        let now = clock::now_ms();
        if is_grant_open(&kept.content, now) {
            kept.content.withdrawn_at_ms = Some(now);
            let change = kept.change(&owner)?;
            self.store().write_access(&[change])?;
        }
        Ok(kept.content)
    }

    /// The grant that a secret leads to, whatever became of it.
    pub(super) fn by_secret(
        &self,
        key: &AccessKey,
    ) -> Result<Option<(Owner, Kept<v1::Grant>)>, NotDone> {
        let Some(row) = self.store().access_row(key)? else {
            return Ok(None);
        };
        let (code, id) = pointed(&row)?;
        let owner = match self.owner_of(code) {
            Err(NotDone::Refused(fault)) if fault.refusal == Refusal::LearnerUnknown => {
                return Ok(None);
            }
            owner => owner?,
        };
        let kept = self.kept_one(&owner, GRANT, id)?;
        Ok(kept.map(|kept| (owner, kept)))
    }
}

fn require_room(kept: &[Kept<v1::Grant>], kind: GrantKind, now: u64) -> Result<(), Refusal> {
    let open = || kept.iter().filter(|it| is_grant_open(&it.content, now));
    if open().count() >= GRANTS_OPEN_MAX as usize {
        return Err(Refusal::GrantsTooMany {
            max: GRANTS_OPEN_MAX,
        });
    }
    let is_delegation =
        |it: &&Kept<v1::Grant>| matches!(it.content.content, Some(Content::Delegation(_)));
    let delegations = open().filter(is_delegation).count();
    if kind == GrantKind::Delegation && delegations >= DELEGATIONS_OPEN_MAX as usize {
        return Err(Refusal::GrantsTooMany {
            max: DELEGATIONS_OPEN_MAX,
        });
    }
    Ok(())
}

/// Takes away the oldest grants that ended, where there are too many.
fn too_old(kept: Vec<Kept<v1::Grant>>, now: u64) -> Vec<AccessChange> {
    let ended = kept.into_iter();
    let mut ended: Vec<_> = ended
        .filter(|it| !is_grant_open(&it.content, now))
        .collect();
    ended.sort_unstable_by_key(|it| std::cmp::Reverse(it.content.created_at_ms));
    let gone = ended.get(ENDED_KEPT_MAX..).unwrap_or_default();
    gone.iter().flat_map(Kept::removal).collect()
}
