//! `AccessService`: sign-in, codes at desks, grants and looks.

use creditbank_domain::access::{
    DESK_RECORDS_MAX, DelegateLabel, DeskPurpose, GrantKind, Recipient, SHARE_RECORDS_MAX,
    SharePurpose, SubjectPart, masked_name,
};
use creditbank_domain::record::Role;
use creditbank_domain::{Fault, Refusal};
use creditbank_wire::v1;
use creditbank_wire::v1::access_service_server::AccessService;
use creditbank_wire::v1::grant::Content;
use prost::Message;
use tokio::task::block_in_place;
use tonic::{Request, Response, Status};

use super::archive::Reader;
use super::auth::Caller;
use super::learner::{code, digits};
use super::page::{self, Query};
use super::{Services, done, failed, refuse, refuse_all};
use crate::access::{Allowed, NewGrant, Place, newest_first};
use crate::archive::Archive;

/// Default items of a page, and the most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;
/// Who stands at a window.
const WINDOWS: [Role; 2] = [Role::Operator, Role::LearnerAgent];
/// What the text of a code on a phone begins with; anything else is a printed code.
const SCANNED: &str = creditbank_domain::access::CODE_PREFIX;

#[tonic::async_trait]
impl AccessService for Services {
    async fn link_subject(
        &self,
        request: Request<v1::LinkSubjectRequest>,
    ) -> Result<Response<v1::LinkSubjectResponse>, Status> {
        self.caller(&request, &WINDOWS)?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let (issuer, subject) = subject(request.subject)?;
        let linked = block_in_place(|| {
            self.bank
                .link_subject(learner, issuer.as_str(), subject.as_str())
        });
        done(linked, "learner")?;
        Ok(Response::new(v1::LinkSubjectResponse {}))
    }

    async fn unlink_subject(
        &self,
        request: Request<v1::UnlinkSubjectRequest>,
    ) -> Result<Response<v1::UnlinkSubjectResponse>, Status> {
        self.caller(&request, &WINDOWS)?;
        let (issuer, subject) = subject(request.into_inner().subject)?;
        let unlinked = || self.bank.unlink_subject(issuer.as_str(), subject.as_str());
        done(block_in_place(unlinked), "subject")?;
        Ok(Response::new(v1::UnlinkSubjectResponse {}))
    }

    async fn find_subject(
        &self,
        request: Request<v1::FindSubjectRequest>,
    ) -> Result<Response<v1::FindSubjectResponse>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let (issuer, subject) = subject(request.into_inner().subject)?;
        let found = self.bank.find_subject(issuer.as_str(), subject.as_str());
        let learner = done(found, "subject")?.map(digits).unwrap_or_default();
        Ok(Response::new(v1::FindSubjectResponse { learner }))
    }

    async fn issue_code(
        &self,
        request: Request<v1::IssueCodeRequest>,
    ) -> Result<Response<v1::IssueCodeResponse>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let request = request.into_inner();
        let purpose = purpose(request.purpose, &request.categories);
        let allowed = Allowed {
            learner: code(&request.learner, "learner")?,
            purpose: purpose.map_err(|fault| refuse_all(&[fault]))?,
            categories: request.categories,
        };
        let issued = done(self.bank.issue_code(allowed), "learner")?;
        Ok(Response::new(issued))
    }

    async fn redeem_code(
        &self,
        request: Request<v1::RedeemCodeRequest>,
    ) -> Result<Response<v1::Presented>, Status> {
        let desks = [Role::Institution, Role::Operator, Role::LearnerAgent];
        let caller = self.caller(&request, &desks)?;
        let allowed = self.redeemed(&caller, request.into_inner())?;
        block_in_place(|| self.presented(allowed)).map(Response::new)
    }

    async fn create_grant(
        &self,
        request: Request<v1::CreateGrantRequest>,
    ) -> Result<Response<v1::CreateGrantResponse>, Status> {
        use v1::create_grant_request::Content as Asked;
        let at_window = matches!(
            request.get_ref().content,
            Some(Asked::PrintedCode(_) | Asked::Delegation(_))
        );
        let windows = if at_window { &WINDOWS[..] } else { &[] };
        let caller = self.caller(&request, &[&[Role::Gateway], windows].concat())?;
        let window = match caller.role {
            Role::Gateway => String::new(),
            _ => self.name_of(&caller),
        };
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let new = new_grant(request, window).map_err(|fault| refuse_all(&[fault]))?;
        let made = block_in_place(|| self.bank.create_grant(learner, new));
        let (grant, secret) = done(made, "learner")?;
        Ok(Response::new(v1::CreateGrantResponse {
            grant: Some(grant),
            secret,
        }))
    }

    async fn list_grants(
        &self,
        request: Request<v1::ListGrantsRequest>,
    ) -> Result<Response<v1::ListGrantsResponse>, Status> {
        let caller = self.caller(&request, &[&[Role::Gateway], &WINDOWS[..]].concat())?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let query = Query::of(&[b"grants", request.learner.as_bytes()]);
        let (size, from) = paging(&query, request.page_size, &request.page_token)?;
        let mut grants = done(block_in_place(|| self.bank.grants(learner)), "learner")?;
        if caller.role != Role::Gateway {
            grants.retain(|(_, grant)| !matches!(grant.content, Some(Content::Share(_))));
            let grants = grants.iter_mut();
            grants.for_each(|(_, grant)| (grant.looks, grant.last_look_at_ms) = (0, None));
        }
        let (grants, next) = newest_first(grants, from, size);
        Ok(Response::new(v1::ListGrantsResponse {
            grants,
            next_page_token: token(&query, next),
        }))
    }

    async fn withdraw_grant(
        &self,
        request: Request<v1::WithdrawGrantRequest>,
    ) -> Result<Response<v1::Grant>, Status> {
        let roles = [Role::Gateway, Role::Operator, Role::LearnerAgent];
        self.caller(&request, &roles)?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let id = id(&request.grant_id, "grant_id")?;
        let withdrawn = block_in_place(|| self.bank.withdraw_grant(learner, id));
        done(withdrawn, "learner").map(Response::new)
    }

    async fn open_share(
        &self,
        request: Request<v1::OpenShareRequest>,
    ) -> Result<Response<v1::OpenedShare>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let request = request.into_inner();
        let viewer = Recipient::parse_optional(&request.viewer);
        let viewer = viewer.map_err(|refusal| refuse(refusal, "viewer"))?;
        let viewer = viewer.as_ref().map(Recipient::as_str);
        let opened = block_in_place(|| self.bank.open_share(&request.secret, viewer));
        done(opened, "").map(Response::new)
    }

    async fn list_delegations(
        &self,
        request: Request<v1::ListDelegationsRequest>,
    ) -> Result<Response<v1::ListDelegationsResponse>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let delegate = code(&request.into_inner().delegate, "delegate")?;
        let grants = block_in_place(|| self.bank.delegations(delegate));
        let grants = done(grants, "delegate")?;
        Ok(Response::new(v1::ListDelegationsResponse { grants }))
    }

    async fn use_delegation(
        &self,
        request: Request<v1::UseDelegationRequest>,
    ) -> Result<Response<v1::Delegation>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let request = request.into_inner();
        let delegate = code(&request.delegate, "delegate")?;
        let id = id(&request.grant_id, "grant_id")?;
        let used = block_in_place(|| self.bank.use_delegation(delegate, id, request.begin));
        done(used, "grant_id").map(Response::new)
    }

    async fn list_looks(
        &self,
        request: Request<v1::ListLooksRequest>,
    ) -> Result<Response<v1::ListLooksResponse>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let grant = match request.grant_id.is_empty() {
            true => None,
            false => Some(id(&request.grant_id, "grant_id")?),
        };
        let query = Query::of(&[b"looks", request.learner.as_bytes(), &request.grant_id]);
        let (size, from) = paging(&query, request.page_size, &request.page_token)?;
        // One more than the page tells where the next one begins.
        let looks = block_in_place(|| self.bank.looks(learner, grant, from, size + 1));
        let (looks, next) = newest_first(done(looks, "learner")?, from, size);
        Ok(Response::new(v1::ListLooksResponse {
            looks,
            next_page_token: token(&query, next),
        }))
    }
}

impl Services {
    /// Uses a code up, or finds a printed one.
    fn redeemed(&self, caller: &Caller, request: v1::RedeemCodeRequest) -> Result<Allowed, Status> {
        let purpose = DeskPurpose::from_number(request.purpose);
        let purpose = purpose.map_err(|refusal| refuse(refusal, "purpose"))?;
        let who = self.name_of(caller);
        let text = request.code.trim();
        if text.starts_with(SCANNED) {
            let taken = block_in_place(|| self.bank.take_code(text, purpose, &who));
            return done(taken, "code");
        }
        let document = match request.identity {
            None => None,
            identity => {
                let row = v1::EnrolLearnerRequest {
                    identity,
                    name: String::new(),
                };
                let identified = self.identified(caller, row);
                Some(identified.map_err(|fault| refuse_all(&[fault]))?.document)
            }
        };
        let document = document.as_ref();
        let taken = block_in_place(|| self.bank.take_printed(text, document, purpose, &who));
        done(taken, "code")
    }

    /// As learners know whoever calls.
    fn name_of(&self, caller: &Caller) -> String {
        let head = self.bank.head();
        let who = head.registry.by_number(caller.number);
        who.map_or(&caller.id, |it| &it.profile.display_name)
            .clone()
    }

    /// Exactly what was allowed.
    fn presented(&self, allowed: Allowed) -> Result<v1::Presented, Status> {
        let closed = |_| refuse(Refusal::CodeExpired, "code");
        let profile = self.bank.profile(allowed.learner);
        let profile = profile.map_err(|error| failed(&error))?.map_err(closed)?;
        let mut presented = v1::Presented {
            purpose: allowed.purpose as i32,
            masked_name: masked_name(&profile.name),
            ..v1::Presented::default()
        };
        let archive = || {
            let head = self.bank.head();
            let archive = Archive::open(&self.bank, head, allowed.learner, None);
            let archive = archive.map_err(|error| failed(&error))?;
            archive.map(Reader).map_err(closed)
        };
        match allowed.purpose {
            DeskPurpose::CheckIn => presented.learner = digits(profile.learner),
            DeskPurpose::Totals => {
                presented.totals = archive()?.totals().map_err(|error| failed(&error))?;
            }
            DeskPurpose::Records => {
                let newest = archive()?.newest(&allowed.categories, DESK_RECORDS_MAX);
                let newest = newest.map_err(|error| failed(&error))?;
                presented.records = newest.into_iter().map(nameless).collect();
            }
        }
        Ok(presented)
    }
}

/// A record as a desk sees it: the learner code in its payload is not what was allowed, and with another payload the
/// salt opens nothing.
fn nameless(record: v1::ArchiveRecord) -> v1::ArchiveRecord {
    let payload = v1::Payload::decode(&record.payload[..]).map(|it| v1::Payload {
        learner: String::new(),
        ..it
    });
    v1::ArchiveRecord {
        payload: payload
            .map(|it| it.encode_to_vec())
            .unwrap_or_default()
            .into(),
        salt: bytes::Bytes::new(),
        ..record
    }
}

fn subject(subject: Option<v1::Subject>) -> Result<(SubjectPart, SubjectPart), Status> {
    let subject = subject.ok_or_else(|| refuse(Refusal::Missing, "subject"))?;
    let part = |text: &str, field| SubjectPart::parse(text).map_err(|it| refuse(it, field));
    Ok((
        part(&subject.issuer, "subject.issuer")?,
        part(&subject.subject, "subject.subject")?,
    ))
}

/// A purpose, and categories where there can be any.
fn purpose(number: i32, categories: &[i32]) -> Result<DeskPurpose, Fault> {
    let purpose = DeskPurpose::from_number(number).map_err(|refusal| refusal.at("purpose"))?;
    if purpose != DeskPurpose::Records && !categories.is_empty() {
        let with = "purpose";
        return Err(Refusal::Inconsistent { with }.at("categories"));
    }
    for (place, category) in categories.iter().enumerate() {
        let at = |refusal: Refusal| refusal.at(format!("categories[{place}]"));
        let is_known =
            v1::Category::try_from(*category).is_ok_and(|it| it != v1::Category::Unspecified);
        if !is_known {
            return Err(at(Refusal::CategoryUnknown));
        }
        if let Some(first) = categories[..place].iter().position(|it| it == category) {
            let first = u32::try_from(first).unwrap_or(u32::MAX);
            return Err(at(Refusal::Repeated { first }));
        }
    }
    Ok(purpose)
}

fn new_grant(request: v1::CreateGrantRequest, window: String) -> Result<NewGrant, Fault> {
    use v1::create_grant_request::Content as Asked;
    let missing = || Refusal::Missing.at("content");
    let (kind, content) = match request.content.ok_or_else(missing)? {
        Asked::Share(share) => {
            Recipient::parse(&share.recipient).map_err(|it| it.at("share.recipient"))?;
            SharePurpose::parse(&share.purpose).map_err(|it| it.at("share.purpose"))?;
            leaves(&share.leaf_indexes)?;
            (GrantKind::Share, Content::Share(share))
        }
        Asked::PrintedCode(printed) => {
            let checked = purpose(printed.purpose, &printed.categories);
            checked.map_err(|fault| fault.within("printed_code"))?;
            (GrantKind::PrintedCode, Content::PrintedCode(printed))
        }
        Asked::Delegation(delegation) => {
            let label = DelegateLabel::parse(&delegation.label);
            label.map_err(|it| it.at("delegation.label"))?;
            let scope = v1::DelegationScope::try_from(delegation.scope);
            let scope = scope.map_err(|_| Refusal::ChoiceUnknown.at("delegation.scope"))?;
            if scope == v1::DelegationScope::Unspecified {
                return Err(Refusal::Missing.at("delegation.scope"));
            }
            let delegation = v1::Delegation {
                learner: String::new(),
                masked_name: String::new(),
                ..delegation
            };
            (GrantKind::Delegation, Content::Delegation(delegation))
        }
    };
    Ok(NewGrant {
        kind,
        content,
        expires_at_ms: request.expires_at_ms,
        window,
    })
}

fn leaves(indexes: &[u64]) -> Result<(), Fault> {
    let field = "share.leaf_indexes";
    if indexes.is_empty() {
        return Err(Refusal::TooFew { min: 1 }.at(field));
    }
    if indexes.len() > SHARE_RECORDS_MAX as usize {
        let max = SHARE_RECORDS_MAX;
        return Err(Refusal::TooMany { max }.at(field));
    }
    if indexes.is_sorted_by(|one, next| one < next) {
        Ok(())
    } else {
        Err(Refusal::NotAscending.at(field))
    }
}

pub(super) fn id(bytes: &[u8], field: &str) -> Result<[u8; 16], Status> {
    bytes
        .try_into()
        .map_err(|_| refuse(Refusal::WrongLength { expected: 16 }, field))
}

/// Size of a page and where it begins.
pub(super) fn paging(
    query: &Query,
    size: u32,
    token: &str,
) -> Result<(usize, Option<Place>), Status> {
    let size = page::size_up_to(size, PAGE, PAGE_MAX);
    let size = size.map_err(|refusal| refuse(refusal, "page_size"))?;
    let place = query.place(token).and_then(|place| {
        let place = place.map(|bytes| Place::from_bytes(&bytes));
        place.transpose()
    });
    Ok((size, place.map_err(|it| refuse(it, "page_token"))?))
}

pub(super) fn token(query: &Query, next: Option<Place>) -> String {
    next.map(|place| query.token(&place.to_bytes()))
        .unwrap_or_default()
}
