//! Shares: records for whoever has the link.

use creditbank_domain::{LeafIndex, Refusal};
use creditbank_wire::v1;
use creditbank_wire::v1::grant::Content;

use super::NotDone;
use super::grant::{is_grant_open, secret_key};
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock;

/// Characters of the secret of a share.
const SECRET_CHARACTERS: usize = 43;

impl Bank {
    /// What a share shows to somebody; without a viewer only to whom it goes and what for.
    pub(crate) fn open_share(
        &self,
        secret: &str,
        viewer: Option<&str>,
    ) -> Result<v1::OpenedShare, NotDone> {
        if secret.len() != SECRET_CHARACTERS {
            return Err(Refusal::ShareClosed.into());
        }
        if viewer.is_some() {
            self.require_changes()?;
        }
        let mut writing = viewer.map(|_| self.access().writing());
        let found = self.by_secret(&secret_key(secret))?;
        let (owner, mut kept) = found.ok_or(Refusal::ShareClosed)?;
        let latest = writing.as_mut();
        let now = latest.map_or_else(clock::now_ms, |latest| latest.moment());
        let Some(Content::Share(share)) = kept.content.content.clone() else {
            return Err(Refusal::ShareClosed.into());
        };
        if !is_grant_open(&kept.content, now) {
            return Err(Refusal::ShareClosed.into());
        }
        let mut opened = v1::OpenedShare {
            recipient: share.recipient,
            purpose: share.purpose,
            expires_at_ms: kept.content.expires_at_ms,
            ..v1::OpenedShare::default()
        };
        let Some(viewer) = viewer else {
            return Ok(opened);
        };
        self.note_use(&owner, &mut kept, viewer, 0, now)?;
        drop(writing);
        let learner = owner.learner();
        let archive = Archive::open(self, self.head(), learner, None)?;
        let archive = archive.map_err(|_| Refusal::ShareClosed)?;
        for index in share.leaf_indexes {
            let found = archive.find(LeafIndex(index))?;
            opened.records.extend(found.map(v1::ArchiveRecord::from));
        }
        if share.with_name {
            opened.name = self
                .profile(learner)?
                .map_err(|_| Refusal::ShareClosed)?
                .name;
        }
        opened.learner = super::digits(learner);
        Ok(opened)
    }
}
