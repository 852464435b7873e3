//! What every page of a desk shares.

use std::net::SocketAddr;
use std::sync::Arc;

use creditbank_client::receipt::LogKeys;
use creditbank_client::{Bank, InstitutionKeys, Line};
use creditbank_wire::v1;

use super::door::Door;
use super::pages::Place;
use crate::app::GatewayError;
use crate::ask::institutions::Institutions;

/// What whoever opens a desk chooses.
#[derive(Debug)]
pub struct DeskOptions {
    /// Where to listen: loopback alone. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How to reach the ledger.
    pub bank: creditbank_client::Options,
    /// Keys of an institution, a reviewer, an operator or a learners' agent.
    pub keys: Arc<InstitutionKeys>,
    /// The bank's public key: with it the receipt of everything that is signed here is verified.
    pub log_keys: Option<LogKeys>,
}

/// Whose desk it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Office {
    Institution,
    Reviewer,
    Operator,
    Agent,
}

impl Office {
    /// The desk of a role; some roles have none.
    pub(crate) fn of(role: v1::Role) -> Option<Self> {
        match role {
            v1::Role::Institution => Some(Self::Institution),
            v1::Role::Reviewer => Some(Self::Reviewer),
            v1::Role::Operator => Some(Self::Operator),
            v1::Role::LearnerAgent => Some(Self::Agent),
            v1::Role::Unspecified
            | v1::Role::Gateway
            | v1::Role::PeerBank
            | v1::Role::Auditor
            | v1::Role::BackupAgent => None,
        }
    }

    pub(crate) fn is_institution(self) -> bool {
        self == Self::Institution
    }

    /// What there is to do; the first is where one begins.
    pub(crate) fn places(self) -> &'static [Place] {
        use Place as P;
        match self {
            Self::Institution => &[P::Scan, P::Submissions, P::Applications, P::Requests],
            Self::Reviewer => &[P::Applications, P::Projects],
            Self::Operator => &[
                P::Applications,
                P::Projects,
                P::Requests,
                P::Institutions,
                P::Window,
                P::Scan,
                P::Health,
            ],
            Self::Agent => &[P::Scan, P::Window],
        }
    }
}

/// What every page of a desk shares.
pub(crate) struct DeskApp {
    pub(crate) bank: Bank,
    pub(crate) log_keys: Option<LogKeys>,
    /// Name of the bank, Chinese and English.
    pub(crate) bank_names: (String, String),
    /// Names of institutions, as they were read last.
    pub(crate) institutions: Institutions,
    pub(crate) office: Office,
    /// Resource id and name of whose desk it is.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) door: Door,
    pub(crate) address: SocketAddr,
}

impl DeskApp {
    /// Connects to the ledger, and asks it whose key this is.
    pub(crate) async fn connect(
        options: DeskOptions,
        address: SocketAddr,
    ) -> Result<Self, GatewayError> {
        let id = options.keys.institution().to_string();
        let bank = Bank::connect(options.bank, Some(options.keys)).await?;
        let ask = v1::GetInstitutionRequest {
            institution_id: id.clone(),
        };
        let send = |line: Line, it| async move { line.registry().get_institution(it).await };
        let institution = bank.call(ask, send).await?;
        let profile = institution.profile.unwrap_or_default();
        let office = Office::of(profile.role()).ok_or_else(|| {
            let role = profile.role().as_str_name();
            let who = "a desk is for institutions, reviewers, operators and learners' agents";
            GatewayError::Option(format!("{who}; {id} is {role}"))
        })?;
        let ask = v1::GetIssuerRequest {};
        let send = |line: Line, it| async move { line.credentials().get_issuer(it).await };
        // A desk works without the name of its bank.
        let issuer = bank.call(ask, send).await.ok();
        let named = issuer.filter(|it| !it.name_zh.is_empty());
        Ok(Self {
            bank_names: named.map_or_else(
                || ("学分银行".to_owned(), "Credit bank".to_owned()),
                |it| (it.name_zh, it.name_en),
            ),
            bank,
            institutions: Institutions::default(),
            log_keys: options.log_keys,
            office,
            id,
            name: profile.display_name,
            door: Door::default(),
            address,
        })
    }

    /// How browsers address this desk.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The cookie of this desk: browsers do not tell the ports of one machine apart.
    pub(crate) fn cookie_name(&self) -> String {
        format!("desk-{}", self.address.port())
    }
}
