//! Looks: that somebody saw something of an archive. Kept for three years, the newest ten thousand.

use creditbank_domain::access::{LOOKS_KEPT_MAX, is_look_kept};
use creditbank_domain::identifier::LearnerCode;
use creditbank_store::{AccessChange, AccessKey, Damage, Go, StoreError};
use creditbank_wire::v1;
use creditbank_wire::v1::grant::Content;
use prost::Message;

use super::NotDone;
use super::row::{GRANT, Kept, Owner, Place};
use crate::bank::Bank;
use crate::clock;
use crate::vault::fill;

/// Most old looks that go with one that comes.
const GONE_AT_ONCE_MAX: usize = 1000;

impl Bank {
    /// Notes that a grant was used; whoever calls holds the lock. If we crash before this returns, nothing was shown.
    pub(super) fn note_use(
        &self,
        owner: &Owner,
        kept: &mut Kept<v1::Grant>,
        who: &str,
        purpose: i32,
        now: u64,
    ) -> Result<(), NotDone> {
        kept.content.looks += 1;
        kept.content.last_look_at_ms = Some(now);
        let look = v1::Look {
            at_ms: now,
            grant_id: kept.id.to_vec().into(),
            who: who.to_owned(),
            purpose,
        };
        let mut changes = self.look_changes(owner, kept.code, look)?;
        changes.push(kept.change(owner)?);
        Ok(self.store().write_access(&changes)?)
    }

    /// Writes a look, and takes away those that are too old or too many.
    pub(super) fn look_changes(
        &self,
        owner: &Owner,
        code: u64,
        look: v1::Look,
    ) -> Result<Vec<AccessChange>, NotDone> {
        let now = look.at_ms;
        let mut random = [0; 4];
        fill(&mut random);
        let id = look_id(now, &random);
        let sealed = owner
            .key(code)?
            .seal_access(code, &id, &look.encode_to_vec());
        let mut changes = vec![(AccessKey::Look(code, now, random), Some(sealed))];
        let mut kept = 1;
        let from = AccessKey::Look(code, u64::MAX, [0; 4]);
        self.store().access_rows(&from, |key, _| {
            if let AccessKey::Look(_, at_ms, _) = key {
                kept += 1;
                if kept > LOOKS_KEPT_MAX || !is_look_kept(now, at_ms) {
                    changes.push((key, None));
                }
            }
            if changes.len() > GONE_AT_ONCE_MAX {
                Go::Break(())
            } else {
                Go::Continue(())
            }
        })?;
        Ok(changes)
    }

    /// Who looked at an archive, from a place on: at most `count` looks of each code, or of one grant alone.
    pub(crate) fn looks(
        &self,
        learner: LearnerCode,
        grant: Option<[u8; 16]>,
        from: Option<Place>,
        count: usize,
    ) -> Result<Vec<(Place, v1::Look)>, NotDone> {
        let owner = self.owner(learner)?;
        let labels = self.labels(&owner)?;
        let now = clock::now_ms();
        let mut looks = Vec::new();
        for code in owner.codes() {
            let (mut of_code, mut failed) = (0, false);
            let key = owner.key(code)?;
            let start = from.map_or(u64::MAX, |place| place.at_ms);
            let start = AccessKey::Look(code, start, [0; 4]);
            self.store().access_rows(&start, |row, sealed| {
                let AccessKey::Look(_, at_ms, random) = row else {
                    return Go::Continue(());
                };
                let opened = key.open_access(code, &look_id(at_ms, &random), sealed).ok();
                let Some(look) = opened.and_then(|it| v1::Look::decode(&it[..]).ok()) else {
                    failed = true;
                    return Go::Break(());
                };
                let place = place(at_ms, random, code);
                let is_behind = from.is_none_or(|from| !is_before(place, from));
                let is_asked = grant.is_none_or(|grant| look.grant_id[..] == grant);
                if is_behind && is_asked && is_look_kept(now, at_ms) {
                    of_code += 1;
                    looks.push((place, named(look, &labels)));
                }
                if of_code < count {
                    Go::Continue(())
                } else {
                    Go::Break(())
                }
            })?;
            if failed {
                return Err(StoreError::Damaged(Damage::Row("access")).into());
            }
        }
        Ok(looks)
    }

    /// How delegates are called, by grant. A look does not say it itself, so that nothing of a delegate who is erased
    /// stays in it.
    fn labels(&self, owner: &Owner) -> Result<Vec<([u8; 16], String)>, NotDone> {
        let kept: Vec<Kept<v1::Grant>> = self.kept(owner, GRANT)?;
        let label = |it: Kept<v1::Grant>| match it.content.content {
            Some(Content::Delegation(delegation)) => Some((it.id, delegation.label)),
            _ => None,
        };
        Ok(kept.into_iter().filter_map(label).collect())
    }
}

fn named(mut look: v1::Look, labels: &[([u8; 16], String)]) -> v1::Look {
    if let Some((_, label)) = labels.iter().find(|(id, _)| look.grant_id[..] == *id) {
        look.who.clone_from(label);
    }
    look
}

fn look_id(at_ms: u64, random: &[u8; 4]) -> [u8; 12] {
    let mut id = [0; 12];
    id[..8].copy_from_slice(&(!at_ms).to_be_bytes());
    id[8..].copy_from_slice(random);
    id
}

fn place(at_ms: u64, random: [u8; 4], code: u64) -> Place {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&random);
    id[4..12].copy_from_slice(&code.to_be_bytes());
    Place { at_ms, id }
}

fn is_before(place: Place, from: Place) -> bool {
    (std::cmp::Reverse(place.at_ms), place.id) < (std::cmp::Reverse(from.at_ms), from.id)
}
