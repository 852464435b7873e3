//! `RequestService`: what learners ask of institutions and of the bank.

use creditbank_domain::Refusal;
use creditbank_domain::access::RequestText;
use creditbank_domain::record::Role;
use creditbank_wire::v1;
use creditbank_wire::v1::create_request_request::Content as Wished;
use creditbank_wire::v1::learner_request::Content;
use creditbank_wire::v1::request_service_server::RequestService;
use prost::Message;
use tokio::task::block_in_place;
use tonic::{Request, Response, Status};

use super::access::{id, paging, token};
use super::learner::code;
use super::page::Query;
use super::{Services, done, refuse};
use crate::access::{Asked, Who, newest_first};

#[tonic::async_trait]
impl RequestService for Services {
    async fn create_request(
        &self,
        request: Request<v1::CreateRequestRequest>,
    ) -> Result<Response<v1::LearnerRequest>, Status> {
        let roles = [Role::Gateway, Role::Operator, Role::LearnerAgent];
        self.caller(&request, &roles)?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let asked = Asked {
            id: id(&request.request_id, "request_id")?,
            content: content(request.content)?,
        };
        let made = block_in_place(|| self.bank.create_request(learner, asked));
        done(made, "learner").map(Response::new)
    }

    async fn list_requests(
        &self,
        request: Request<v1::ListRequestsRequest>,
    ) -> Result<Response<v1::ListRequestsResponse>, Status> {
        let roles = [Role::Gateway, Role::Institution, Role::Operator];
        let caller = self.caller(&request, &roles)?;
        let request = request.into_inner();
        let plain = v1::ListRequestsRequest {
            page_size: 0,
            page_token: String::new(),
            ..request.clone()
        };
        let query = Query::of(&[b"requests", &plain.encode_to_vec()]);
        let (size, from) = paging(&query, request.page_size, &request.page_token)?;
        let states = &request.states;
        let whose = match (caller.role, request.learner.as_str()) {
            (Role::Institution, "") => Who::Institution(caller.number),
            (Role::Institution, _) => return Err(refuse(Refusal::PermissionDenied, "learner")),
            (Role::Operator, "") => Who::Operator,
            (_, learner) => {
                let learner = code(learner, "learner")?;
                let all = block_in_place(|| self.bank.requests_of(learner));
                let mut all = done(all, "learner")?;
                all.retain(|(_, it)| states.is_empty() || states.contains(&it.state));
                let (requests, next) = newest_first(all, from, size);
                return Ok(page(&query, requests, next));
            }
        };
        let page_of = || self.bank.request_queue(whose, states, from, size);
        let (requests, next) = done(block_in_place(page_of), "")?;
        Ok(page(&query, requests, next))
    }

    async fn answer_request(
        &self,
        request: Request<v1::AnswerRequestRequest>,
    ) -> Result<Response<v1::LearnerRequest>, Status> {
        let caller = self.caller(&request, &[Role::Institution, Role::Operator])?;
        let request = request.into_inner();
        let id = id(&request.request_id, "request_id")?;
        let answer = RequestText::parse(&request.answer);
        let answer = answer.map_err(|refusal| refuse(refusal, "answer"))?;
        let who = match caller.role {
            Role::Operator => Who::Operator,
            _ => Who::Institution(caller.number),
        };
        let answer = answer.as_str();
        let answered = || self.bank.answer_request(who, id, request.agree, answer);
        done(block_in_place(answered), "request_id").map(Response::new)
    }

    async fn withdraw_request(
        &self,
        request: Request<v1::WithdrawRequestRequest>,
    ) -> Result<Response<v1::LearnerRequest>, Status> {
        self.caller(&request, &[Role::Gateway])?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let id = id(&request.request_id, "request_id")?;
        let withdrawn = block_in_place(|| self.bank.withdraw_request(learner, id));
        done(withdrawn, "learner").map(Response::new)
    }
}

fn page(
    query: &Query,
    requests: Vec<v1::LearnerRequest>,
    next: Option<crate::access::Place>,
) -> Response<v1::ListRequestsResponse> {
    Response::new(v1::ListRequestsResponse {
        requests,
        next_page_token: token(query, next),
    })
}

/// What is asked, with its texts checked; what only the bank knows is left out.
fn content(content: Option<Wished>) -> Result<Content, Status> {
    match content {
        None => Err(refuse(Refusal::Missing, "content")),
        Some(Wished::Correction(correction)) => {
            let text = RequestText::parse(&correction.text);
            text.map_err(|refusal| refuse(refusal, "correction.text"))?;
            Ok(Content::Correction(v1::Correction {
                leaf_index: correction.leaf_index,
                text: correction.text,
                ..v1::Correction::default()
            }))
        }
        Some(Wished::Erasure(erasure)) => {
            let text = RequestText::parse_optional(&erasure.text);
            text.map_err(|refusal| refuse(refusal, "erasure.text"))?;
            Ok(Content::Erasure(erasure))
        }
    }
}
