//! Transfers to and from other regions' banks, and the papers of a learner that they rest on.

use creditbank_client::{ClientError, Line, recognition, transfer};
use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::TransferId;
use creditbank_wire::Message as _;
use creditbank_wire::v1::{self, payload::Content};

use crate::app::App;
use crate::show;

/// Records of a page while papers are looked for, and pages asked for: no more records are ever read for one page.
const RECORDS_PAGE: u32 = 1000;
const RECORDS_PAGES_MAX: usize = 20;
/// Papers of one learner that are read.
const PAPERS_MAX: usize = 200;

/// What a transfer rests on in the archive of a learner.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    /// Leaf of the consent or the request.
    pub(crate) leaf: u64,
    pub(crate) at_ms: u64,
    /// The consent was withdrawn.
    pub(crate) revoked: bool,
    /// Who signed it: a consent is withdrawn through the same agent.
    pub(crate) issuer: String,
    pub(crate) kind: PaperKind,
    /// Name of the outcome that a consent is about, where it was read with it.
    pub(crate) outcome: String,
}

/// Which side this bank is on.
#[derive(Debug, Clone)]
pub(crate) enum PaperKind {
    /// An outcome of this archive is to go to another bank.
    Consent { consent: v1::Consent, salt: Vec<u8> },
    /// An outcome of another bank is to come.
    Request(v1::TransferRequest),
}

impl App {
    /// Consents and requests of a learner, newest first. An outcome is older than a consent to give it, so its name is found
    /// on the way.
    pub(crate) async fn papers(&self, learner: &str) -> Result<Vec<Paper>, ClientError> {
        let mut request = v1::ListRecordsRequest {
            learner: learner.to_owned(),
            page_size: RECORDS_PAGE,
            ..Default::default()
        };
        let mut papers: Vec<Paper> = Vec::new();
        for _ in 0..RECORDS_PAGES_MAX {
            let send = |line: Line, it| async move { line.archive().list_records(it).await };
            let page = self.bank.call(request.clone(), send).await?;
            for record in &page.records {
                let about = papers
                    .iter_mut()
                    .filter(|it| it.is_about(record.leaf_index));
                let mut about = about.peekable();
                if about.peek().is_some() {
                    let name = outcome_name(record);
                    about.for_each(|it| it.outcome.clone_from(&name));
                }
                papers.extend(paper(record));
            }
            if page.next_page_token.is_empty() || papers.len() >= PAPERS_MAX {
                break;
            }
            request.page_token = page.next_page_token;
        }
        papers.truncate(PAPERS_MAX);
        Ok(papers)
    }

    /// One paper of a learner; nothing where another record is, or none.
    pub(crate) async fn paper(
        &self,
        learner: &str,
        leaf: u64,
    ) -> Result<Option<Paper>, ClientError> {
        let found = self.record(learner, leaf).await?.record;
        let Some(mut paper) = found.as_ref().and_then(paper) else {
            return Ok(None);
        };
        if let PaperKind::Consent { consent, .. } = &paper.kind
            && let Some(outcome) = &consent.outcome
        {
            let held = self.record(learner, outcome.leaf_index).await?.record;
            paper.outcome = held.as_ref().map(outcome_name).unwrap_or_default();
        }
        Ok(Some(paper))
    }

    /// The transfer that a paper is about: its id, and of a consent how another bank names it.
    pub(crate) async fn transfer_of(
        &self,
        paper: &Paper,
    ) -> Result<(TransferId, Option<RecordRef>), ClientError> {
        match &paper.kind {
            PaperKind::Request(request) => {
                let id = TransferId::from_slice(&request.transfer_id);
                Ok((id.map_err(ClientError::NotSendable)?, None))
            }
            PaperKind::Consent { salt, .. } => {
                let salt = <[u8; 32]>::try_from(salt.as_slice());
                let salt = salt.map_err(|_| ClientError::Contract("a salt has 32 bytes"))?;
                let consent = recognition::named(&self.bank, paper.leaf).await?;
                let id = TransferId::of(self.bank.origin(), &consent, &salt);
                Ok((id, Some(consent)))
            }
        }
    }

    /// A transfer as far as this bank knows of it; nothing before the other bank has asked.
    pub(crate) async fn transfer(
        &self,
        id: TransferId,
    ) -> Result<Option<v1::TransferView>, ClientError> {
        match transfer::transfer(&self.bank, id).await {
            Ok(view) => Ok(Some(view)),
            Err(error) if error.code() == Some("TRANSFER_UNKNOWN") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn paper(record: &v1::ArchiveRecord) -> Option<Paper> {
    let kind = match v1::Payload::decode(&record.payload[..]).ok()?.content? {
        Content::Consent(consent) => PaperKind::Consent {
            consent,
            salt: record.salt.to_vec(),
        },
        Content::TransferRequest(request) => PaperKind::Request(request),
        _ => return None,
    };
    Some(Paper {
        leaf: record.leaf_index,
        at_ms: record.deposited_at_ms,
        revoked: record.state() == v1::RecordState::Revoked,
        issuer: record.issuer.clone(),
        kind,
        outcome: String::new(),
    })
}

impl Paper {
    /// Whether it is a consent to give the outcome at this leaf.
    fn is_about(&self, leaf: u64) -> bool {
        match &self.kind {
            PaperKind::Consent { consent, .. } => {
                consent.outcome.as_ref().map(|it| it.leaf_index) == Some(leaf)
            }
            PaperKind::Request(_) => false,
        }
    }
}

fn outcome_name(record: &v1::ArchiveRecord) -> String {
    let outcome = show::outcome(&record.payload);
    let achievement = outcome.and_then(|it| it.achievement);
    achievement.map(|it| it.name).unwrap_or_default()
}
