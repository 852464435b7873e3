//! `RegistryService`: institutions, keys and categories. Every change is a statement in the log.

use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{Algorithm, KeyId, PublicKey, Role, Statement};
use creditbank_domain::registry::KEYS_PER_INSTITUTION_MAX;
use creditbank_domain::{Fault, LeafIndex, Refusal};
use creditbank_wire::convert::{record, registry};
use creditbank_wire::v1;
use creditbank_wire::v1::registry_service_server::RegistryService;
use tonic::{Request, Response, Status};

use super::auth::Caller;
use super::page::{self, Query};
use super::{Services, refuse, refuse_all};
use crate::bank::usable_key;
use crate::peers::seal::seal;

/// Most institutions of one request.
const INSTITUTIONS_MAX: u32 = 1000;
/// Who may change keys.
const KEY_HOLDERS: [Role; 6] = [
    Role::Operator,
    Role::Institution,
    Role::Gateway,
    Role::PeerBank,
    Role::Reviewer,
    Role::LearnerAgent,
];
/// Default institutions of a page.
const INSTITUTIONS_PAGE: u32 = 100;

#[tonic::async_trait]
impl RegistryService for Services {
    async fn create_institution(
        &self,
        request: Request<v1::CreateInstitutionRequest>,
    ) -> Result<Response<v1::Institution>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let statement = admission(request.into_inner()).map_err(|fault| refuse_all(&[fault]))?;
        let created = self.admit(vec![statement]).await?;
        created
            .into_iter()
            .next()
            .map(Response::new)
            .ok_or_else(|| refuse(Refusal::Internal, ""))
    }

    async fn batch_create_institutions(
        &self,
        request: Request<v1::BatchCreateInstitutionsRequest>,
    ) -> Result<Response<v1::BatchCreateInstitutionsResponse>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let requests = request.into_inner().requests;
        if requests.is_empty() {
            return Err(refuse(Refusal::TooFew { min: 1 }, "requests"));
        }
        if requests.len() > INSTITUTIONS_MAX as usize {
            return Err(refuse(
                Refusal::TooMany {
                    max: INSTITUTIONS_MAX,
                },
                "requests",
            ));
        }
        let parsed = requests.into_iter().enumerate().map(|(row, request)| {
            admission(request).map_err(|fault| fault.within(&format!("requests[{row}]")))
        });
        let (statements, faults): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
        let faults: Vec<Fault> = faults.into_iter().filter_map(Result::err).collect();
        if !faults.is_empty() {
            return Err(refuse_all(&faults));
        }
        let institutions = self
            .admit(statements.into_iter().flatten().collect())
            .await?;
        Ok(Response::new(v1::BatchCreateInstitutionsResponse {
            institutions,
        }))
    }

    async fn get_institution(
        &self,
        request: Request<v1::GetInstitutionRequest>,
    ) -> Result<Response<v1::Institution>, Status> {
        self.institution(&request.into_inner().institution_id)
            .map(Response::new)
    }

    async fn list_institutions(
        &self,
        request: Request<v1::ListInstitutionsRequest>,
    ) -> Result<Response<v1::ListInstitutionsResponse>, Status> {
        let request = request.into_inner();
        let size = page::size(request.page_size, INSTITUTIONS_PAGE)
            .map_err(|refusal| refuse(refusal, "page_size"))?;
        let query = Query::of(&[b"institutions"]);
        let place = query
            .place(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let after = place.map(String::from_utf8).transpose();
        let after = after.map_err(|_| refuse(Refusal::PageTokenInvalid, "page_token"))?;
        let head = self.bank.head();
        let mut found: Vec<_> = head
            .registry
            .after(after.as_deref())
            .take(size + 1)
            .collect();
        let more = found.len() > size;
        found.truncate(size);
        let last = found
            .last()
            .map(|institution| institution.profile.id.as_str());
        let next_page_token = last
            .filter(|_| more)
            .map(|id| query.token(id.as_bytes()))
            .unwrap_or_default();
        let institutions = found
            .into_iter()
            .map(|institution| registry::institution(institution))
            .collect();
        Ok(Response::new(v1::ListInstitutionsResponse {
            institutions,
            next_page_token,
        }))
    }

    async fn suspend_institution(
        &self,
        request: Request<v1::SuspendInstitutionRequest>,
    ) -> Result<Response<v1::Institution>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let institution = known_id(&request.institution_id)?;
        if institution.is_bank() {
            return Err(refuse(Refusal::Reserved, "institution_id"));
        }
        self.change(Statement::InstitutionSuspended {
            institution,
            suspended: request.suspended,
        })
        .await
    }

    async fn set_permitted_categories(
        &self,
        request: Request<v1::SetPermittedCategoriesRequest>,
    ) -> Result<Response<v1::Institution>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let institution = known_id(&request.institution_id)?;
        let categories = record::categories(&request.categories)
            .map_err(|refusal| refuse(refusal, "categories"))?;
        self.change(Statement::CategoriesPermitted {
            institution,
            categories,
        })
        .await
    }

    async fn add_key(
        &self,
        request: Request<v1::AddKeyRequest>,
    ) -> Result<Response<v1::Institution>, Status> {
        let caller = self.caller(&request, &KEY_HOLDERS)?;
        let request = request.into_inner();
        let institution = own_or_any(&caller, &request.institution_id)?;
        let key = request.key.ok_or_else(|| refuse(Refusal::Missing, "key"))?;
        let key = usable(&key).map_err(|refusal| refuse(refusal, "key"))?;
        self.change(Statement::KeyAdmitted { institution, key })
            .await
    }

    async fn revoke_key(
        &self,
        request: Request<v1::RevokeKeyRequest>,
    ) -> Result<Response<v1::Institution>, Status> {
        let caller = self.caller(&request, &KEY_HOLDERS)?;
        let request = request.into_inner();
        let institution = own_or_any(&caller, &request.institution_id)?;
        let key_id =
            KeyId(record::digest(&request.key_id).map_err(|refusal| refuse(refusal, "key_id"))?);
        if self.bank.signs_with(&key_id) {
            // Without its signing key the bank could state nothing any more, not even a new key; and nobody would believe
            // its checkpoints. `creditbank keys` replaces them.
            return Err(refuse(Refusal::Reserved, "key_id"));
        }
        let doubtful_from = request.doubtful_from.map(LeafIndex);
        self.change(Statement::KeyRevoked {
            institution,
            key_id,
            doubtful_from,
        })
        .await
    }
}

impl Services {
    /// States admissions, all or none, and answers with the institutions.
    async fn admit(&self, statements: Vec<Statement>) -> Result<Vec<v1::Institution>, Status> {
        let ids: Vec<String> = statements
            .iter()
            .filter_map(|statement| match statement {
                Statement::InstitutionAdmitted { profile, .. } => Some(profile.id.to_string()),
                _ => None,
            })
            .collect();
        let stated = self.bank.state(statements).await;
        stated.map_err(|fault| refuse_all(&[named(fault, "profile.institution_id")]))?;
        ids.iter().map(|id| self.institution(id)).collect()
    }

    async fn change(&self, statement: Statement) -> Result<Response<v1::Institution>, Status> {
        let (id, field) = match &statement {
            Statement::KeyAdmitted { institution, .. } => (institution.to_string(), "key"),
            Statement::KeyRevoked { institution, .. } => (institution.to_string(), "key_id"),
            Statement::CategoriesPermitted { institution, .. }
            | Statement::InstitutionSuspended { institution, .. } => {
                (institution.to_string(), "institution_id")
            }
            _ => return Err(refuse(Refusal::Internal, "")),
        };
        let stated = self.bank.state(vec![statement]).await;
        stated.map_err(|fault| refuse_all(&[named(missing_key(fault), field)]))?;
        self.institution(&id).map(Response::new)
    }

    fn institution(&self, id: &str) -> Result<v1::Institution, Status> {
        let head = self.bank.head();
        let found = head
            .registry
            .institution(id)
            .map(|institution| registry::institution(institution));
        found.ok_or_else(|| {
            refuse(
                Refusal::NotFound {
                    what: "institution",
                },
                "institution_id",
            )
        })
    }
}

/// A key that an administrator names is not found; only a caller's own unknown key makes the caller unknown.
fn missing_key(fault: Fault) -> Fault {
    match fault.refusal {
        Refusal::KeyUnknown => Refusal::NotFound { what: "key" }.at(fault.field),
        _ => fault,
    }
}

/// Says which field of the request a statement was made of.
fn named(fault: Fault, field: &str) -> Fault {
    let field = if fault.field.is_empty() {
        field.to_owned()
    } else {
        format!("{}.{field}", fault.field)
    };
    Fault { field, ..fault }
}

/// The institution whose keys a caller changes: its own, or any for an operator.
fn own_or_any(caller: &Caller, id: &str) -> Result<InstitutionId, Status> {
    let institution = known_id(id)?;
    if caller.role != Role::Operator && caller.id != institution.as_str() {
        return Err(refuse(Refusal::PermissionDenied, "institution_id"));
    }
    Ok(institution)
}

fn known_id(id: &str) -> Result<InstitutionId, Status> {
    InstitutionId::parse(id).map_err(|refusal| refuse(refusal, "institution_id"))
}

fn usable(key: &v1::PublicKey) -> Result<PublicKey, Refusal> {
    let key = record::public_key(key)?;
    match key.algorithm {
        Algorithm::Ed25519 => drop(usable_key(&key.bytes)?),
        // What cannot be sealed for it, nobody would ever open.
        Algorithm::X25519 => {
            drop(seal(&key.bytes, b"", b"", b"").map_err(|_| Refusal::KeySmallOrder)?)
        }
    }
    Ok(key)
}

fn admission(request: v1::CreateInstitutionRequest) -> Result<Statement, Fault> {
    let profile = record::profile(
        request
            .profile
            .ok_or_else(|| Refusal::Missing.at("profile"))?,
    )?;
    if profile.id.is_bank() {
        return Err(Refusal::Reserved.at("profile.institution_id"));
    }
    if request.keys.len() > KEYS_PER_INSTITUTION_MAX as usize {
        return Err(Refusal::TooMany {
            max: KEYS_PER_INSTITUTION_MAX,
        }
        .at("keys"));
    }
    let keys = request.keys.iter().enumerate();
    let keys =
        keys.map(|(row, key)| usable(key).map_err(|refusal| refusal.at(format!("keys[{row}]"))));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let categories =
        record::categories(&request.categories).map_err(|refusal| refusal.at("categories"))?;
    Ok(Statement::InstitutionAdmitted {
        profile,
        keys,
        categories,
    })
}
