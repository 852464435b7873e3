//! Declarations: what institutions and reviewers put into the public log about projects (准入项目). They hold no personal
//! data, so they have neither payload nor salt; everybody reads them.

use bytes::Bytes;
use creditbank_domain::record::{FORMAT_VERSION, RecordKind};
use creditbank_wire::v1::{self, statement::Content};
use prost::Message;

use crate::record::RecordMaker;

impl RecordMaker {
    /// The institution applies for a project to be admitted (准入申请). `proposal.institution` becomes the issuer.
    #[must_use]
    pub fn proposal(
        &self,
        natural_key: &[u8],
        mut proposal: v1::ProjectProposed,
    ) -> v1::SignedRecord {
        proposal.institution = self.issuer().to_string();
        self.declaration(natural_key, Content::ProjectProposed(proposal))
    }

    /// The reviewer votes on a project (专家评审). `review.reviewer` becomes the issuer.
    #[must_use]
    pub fn project_review(
        &self,
        natural_key: &[u8],
        mut review: v1::ProjectReviewed,
    ) -> v1::SignedRecord {
        review.reviewer = self.issuer().to_string();
        self.declaration(natural_key, Content::ProjectReviewed(review))
    }

    fn declaration(&self, natural_key: &[u8], content: Content) -> v1::SignedRecord {
        let statement = v1::Statement {
            version: FORMAT_VERSION,
            content: Some(content),
        };
        let envelope = v1::Envelope {
            version: FORMAT_VERSION,
            issuer: self.issuer().to_string(),
            record_id: Bytes::copy_from_slice(self.record_id(natural_key).as_bytes()),
            kind: RecordKind::Declaration as i32,
            statement: statement.encode_to_vec().into(),
            ..v1::Envelope::default()
        };
        v1::SignedRecord {
            envelope: envelope.encode_to_vec().into(),
            ..v1::SignedRecord::default()
        }
    }
}
