//! `CredentialService`: what a learner takes away, and what the public reads to check it.

use creditbank_credential::{BaseUrl, CLR_MEMBERS_MAX, StatusPurpose, did_key};
use creditbank_domain::Refusal;
use creditbank_domain::record::{KeyPurpose, Role};
use creditbank_wire::v1;
use creditbank_wire::v1::credential_service_server::CredentialService;
use ed25519_dalek::VerifyingKey;
use tonic::{Request, Response, Status};

use super::learner::code;
use super::{Services, failed, refuse, refuse_all};
use crate::credential::{self, Form, IssueError, Order};
use crate::rotation;

/// Who asks for credentials: a gateway for the learner who is signed in.
const ISSUES: [Role; 2] = [Role::Gateway, Role::Operator];

#[tonic::async_trait]
impl CredentialService for Services {
    async fn issue_credential(
        &self,
        request: Request<v1::IssueCredentialRequest>,
    ) -> Result<Response<v1::IssueCredentialResponse>, Status> {
        self.caller(&request, &ISSUES)?;
        let request = request.into_inner();
        let order = Order {
            learner: code(&request.learner, "learner")?,
            form: form(&request)?,
            leaves: &request.leaf_indexes,
            base: &base_url(&request.base_url)?,
        };
        let room = self.bank.thinking().acquire().await;
        let _room = room.map_err(|_| refuse(Refusal::ShuttingDown, ""))?;
        let made = tokio::task::block_in_place(|| credential::issue(&self.bank, &order));
        let credential = made.map_err(|error| refused(&error))?;
        Ok(Response::new(v1::IssueCredentialResponse { credential }))
    }

    async fn get_status_list(
        &self,
        request: Request<v1::GetStatusListRequest>,
    ) -> Result<Response<v1::GetStatusListResponse>, Status> {
        let request = request.into_inner();
        let purpose = match request.purpose() {
            v1::StatusPurpose::Revocation => StatusPurpose::Revocation,
            v1::StatusPurpose::Refresh => StatusPurpose::Refresh,
            v1::StatusPurpose::Unspecified => {
                return Err(refuse(Refusal::ChoiceUnknown, "purpose"));
            }
        };
        let base = base_url(&request.base_url)?;
        let make = || credential::status_list(&self.bank, purpose, request.list, &base);
        let list = tokio::task::block_in_place(make).map_err(|error| refused(&error))?;
        let credential = list.to_string();
        Ok(Response::new(v1::GetStatusListResponse { credential }))
    }

    async fn get_issuer(
        &self,
        _: Request<v1::GetIssuerRequest>,
    ) -> Result<Response<v1::CredentialIssuer>, Status> {
        let key = self.bank.credential_key();
        let key = key.ok_or_else(|| refuse(Refusal::CredentialsNotConfigured, ""))?;
        let public = key.verifying_key();
        let (name_zh, name_en) = self.bank.name();
        let head = self.bank.head();
        let own = public.to_bytes();
        // What a key has signed holds when it was replaced, and not when it was stolen.
        let earlier = rotation::of_bank(&head.registry, KeyPurpose::Credential)
            .filter(|it| it.doubtful_from.is_none() && it.key.bytes != own)
            .filter_map(|it| VerifyingKey::from_bytes(&it.key.bytes).ok());
        Ok(Response::new(v1::CredentialIssuer {
            did: did_key(&public),
            public_key: public.to_bytes().to_vec().into(),
            origin: self.bank.origin().to_owned(),
            log_key: self.bank.log_key().to_string(),
            name_zh: name_zh.to_owned(),
            name_en: name_en.to_owned(),
            log_keys: self
                .bank
                .log_keys()
                .all()
                .iter()
                .map(ToString::to_string)
                .collect(),
            earlier_dids: earlier.map(|key| did_key(&key)).collect(),
        }))
    }
}

/// The form, if as many leaves as it takes are asked for, ascending.
fn form(request: &v1::IssueCredentialRequest) -> Result<Form, Status> {
    let (form, max) = match request.form() {
        v1::CredentialForm::OpenBadge => (Form::OpenBadge, 1),
        v1::CredentialForm::Clr => (Form::Clr, CLR_MEMBERS_MAX),
        v1::CredentialForm::Unspecified => return Err(refuse(Refusal::ChoiceUnknown, "form")),
    };
    let leaves = &request.leaf_indexes;
    let refusal = if leaves.is_empty() {
        Refusal::Missing
    } else if leaves.len() > max {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        Refusal::TooMany { max }
    } else if !leaves.is_sorted_by(|a, b| a < b) {
        Refusal::NotAscending
    } else {
        return Ok(form);
    };
    Err(refuse(refusal, "leaf_indexes"))
}

fn base_url(text: &str) -> Result<BaseUrl, Status> {
    BaseUrl::parse(text).map_err(|refusal| refuse(refusal, "base_url"))
}

fn refused(error: &IssueError) -> Status {
    match error {
        IssueError::Store(error) => failed(error),
        IssueError::Refused(fault) => refuse_all(std::slice::from_ref(fault)),
        IssueError::Credential(error) => {
            tracing::error!(%error, "a credential could not be made");
            refuse(Refusal::Internal, "")
        }
    }
}
