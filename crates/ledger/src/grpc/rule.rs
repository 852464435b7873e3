//! `RuleService`: rule sets and projects. Every change is a statement in the log.

use std::pin::Pin;
use std::sync::Arc;

use creditbank_domain::catalogue::{
    DOCUMENTS_MAX, Project, ProjectKind, ProjectState, PublishedSet, rule_set_hash,
};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{Role, Statement};
use creditbank_domain::rules::{Compiled, RuleSet};
use creditbank_domain::text::Code;
use creditbank_domain::{Digest32, Fault, Refusal};
use creditbank_rulebook::{Example, Severity, Source, run};
use creditbank_wire::convert::catalogue::{date, proposal_message};
use creditbank_wire::convert::record::digest;
use creditbank_wire::v1;
use creditbank_wire::v1::rule_service_server::RuleService;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::page::{self, Query};
use super::{Services, comparison, failed, refuse, refuse_all};
use crate::clock;
use crate::head::Head;
use crate::recognition::documents;

/// Default rule sets or projects of a page.
const PAGE: u32 = 100;

#[tonic::async_trait]
impl RuleService for Services {
    async fn publish_rule_set(
        &self,
        request: Request<v1::PublishRuleSetRequest>,
    ) -> Result<Response<v1::RuleSet>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let (set, sources) = checked(request.documents)?;
        let digests: Vec<(String, Digest32)> = sources
            .iter()
            .map(|source| (source.name.clone(), Sha256::digest(&source.text).into()))
            .collect();
        let hash = rule_set_hash(&digests);
        if request.validate_only {
            return Ok(Response::new(described(&set, hash, None, Vec::new())));
        }
        let head = self.bank.head();
        let catalogue = head.registry.catalogue();
        let mut statements = Vec::new();
        for (source, (_, digest)) in sources.iter().zip(&digests) {
            let text = source.text.clone();
            let statement = Statement::RuleDocument { text };
            if catalogue.document(digest).is_none() && !statements.contains(&statement) {
                statements.push(statement);
            }
        }
        statements.push(Statement::RuleSetPublished {
            set_id: set.id.clone(),
            version: set.version.clone(),
            documents: digests,
            effective: set.effective,
        });
        let stated = self.bank.state(statements).await;
        stated.map_err(|fault| refuse_all(&[fault.refusal.at("documents")]))?;
        let head = self.bank.head();
        let published = published(&head, &hash)?;
        let at = Some(published.published_at.0);
        Ok(Response::new(described(&set, hash, at, Vec::new())))
    }

    async fn get_rule_set(
        &self,
        request: Request<v1::GetRuleSetRequest>,
    ) -> Result<Response<v1::RuleSet>, Status> {
        let request = request.into_inner();
        let head = self.bank.head();
        let hash = named_set(&head, &request.hash, &request.set_id, &request.date)?;
        let set = published(&head, &hash)?;
        let sources = documents(&head.snapshot, &head.registry, set);
        let files = sources.map_err(|error| failed(&error))?;
        let files = files.into_iter().map(|source| v1::RuleFile {
            name: source.name,
            text: source.text,
        });
        let compiled = self.compiled(&head, &hash)?;
        let at = Some(set.published_at.0);
        Ok(Response::new(described(
            compiled.set(),
            hash,
            at,
            files.collect(),
        )))
    }

    async fn list_rule_sets(
        &self,
        request: Request<v1::ListRuleSetsRequest>,
    ) -> Result<Response<v1::ListRuleSetsResponse>, Status> {
        let request = request.into_inner();
        let size =
            page::size(request.page_size, PAGE).map_err(|refusal| refuse(refusal, "page_size"))?;
        let query = Query::of(&[b"rule-sets", request.set_id.as_bytes()]);
        let before = query
            .number(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let head = self.bank.head();
        let newest = head.registry.catalogue().sets().iter().rev().filter(|set| {
            (request.set_id.is_empty() || set.id == request.set_id)
                && before.is_none_or(|before| set.published_at.0 < before)
        });
        let mut found: Vec<_> = newest.take(size + 1).collect();
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().map(|set| set.published_at.0).filter(|_| more);
        let rule_sets = found.into_iter().map(|set| {
            let compiled = self.compiled(&head, &set.hash)?;
            let at = Some(set.published_at.0);
            Ok(described(compiled.set(), set.hash, at, Vec::new()))
        });
        Ok(Response::new(v1::ListRuleSetsResponse {
            rule_sets: rule_sets.collect::<Result<_, Status>>()?,
            next_page_token: last
                .map(|place| query.token(&place.to_be_bytes()))
                .unwrap_or_default(),
        }))
    }

    type CompareDecisionsStream =
        Pin<Box<dyn Stream<Item = Result<v1::CompareDecisionsResponse, Status>> + Send>>;

    async fn compare_decisions(
        &self,
        request: Request<v1::CompareDecisionsRequest>,
    ) -> Result<Response<Self::CompareDecisionsStream>, Status> {
        self.caller(&request, &[Role::Operator, Role::Auditor])?;
        let request = request.into_inner();
        let (set, _) = checked(request.documents)?;
        let only = match request.rule_set_hash.is_empty() {
            true => None,
            false => Some(named_set(
                &self.bank.head(),
                &request.rule_set_hash,
                "",
                "",
            )?),
        };
        let stream = comparison::start(Arc::clone(&self.bank), set, only)?;
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn decide_project(
        &self,
        request: Request<v1::DecideProjectRequest>,
    ) -> Result<Response<v1::Project>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let (institution, code) = named_project(&request.institution, &request.project)?;
        let head = self.bank.head();
        let project = known(&head, &institution, &code)?;
        let statement = if request.admit {
            let expires_on = (!request.expires_on.is_empty()).then(|| date(&request.expires_on));
            Statement::ProjectAdmitted {
                panel: self.panel(&head, project)?,
                institution: institution.clone(),
                project: code.clone(),
                expires_on: expires_on
                    .transpose()
                    .map_err(|refusal| refuse(refusal, "expires_on"))?,
            }
        } else {
            Statement::ProjectRefused {
                institution: institution.clone(),
                project: code.clone(),
            }
        };
        self.state_project(statement, &institution, &code).await
    }

    async fn suspend_project(
        &self,
        request: Request<v1::SuspendProjectRequest>,
    ) -> Result<Response<v1::Project>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let (institution, code) = named_project(&request.institution, &request.project)?;
        let statement = Statement::ProjectSuspended {
            institution: institution.clone(),
            project: code.clone(),
            suspended: request.suspended,
        };
        self.state_project(statement, &institution, &code).await
    }

    async fn get_project(
        &self,
        request: Request<v1::GetProjectRequest>,
    ) -> Result<Response<v1::Project>, Status> {
        let request = request.into_inner();
        let (institution, code) = named_project(&request.institution, &request.project)?;
        self.project(&self.bank.head(), &institution, &code)
            .map(Response::new)
    }

    async fn list_projects(
        &self,
        request: Request<v1::ListProjectsRequest>,
    ) -> Result<Response<v1::ListProjectsResponse>, Status> {
        let request = request.into_inner();
        let size =
            page::size(request.page_size, PAGE).map_err(|refusal| refuse(refusal, "page_size"))?;
        let states: Vec<u8> = request.states.iter().map(|state| *state as u8).collect();
        let query = Query::of(&[b"projects", request.institution.as_bytes(), &states]);
        let place = query
            .place(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let after = place.map(project_key).transpose()?;
        let head = self.bank.head();
        let projects = head.registry.catalogue().projects_after(after.as_ref());
        let wanted = projects.filter(|project| {
            let whose = project.proposal.institution.as_str();
            (request.institution.is_empty() || whose == request.institution)
                && (states.is_empty() || states.contains(&(state(project.state) as u8)))
        });
        let mut found: Vec<_> = wanted.take(size + 1).collect();
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more).map(|project| {
            let proposal = &project.proposal;
            query.token(format!("{} {}", proposal.institution, proposal.project).as_bytes())
        });
        let projects = found
            .into_iter()
            .map(|project| self.described(&head, project));
        Ok(Response::new(v1::ListProjectsResponse {
            projects: projects.collect::<Result<_, _>>()?,
            next_page_token: last.unwrap_or_default(),
        }))
    }
}

impl Services {
    async fn state_project(
        &self,
        statement: Statement,
        institution: &InstitutionId,
        code: &Code,
    ) -> Result<Response<v1::Project>, Status> {
        let stated = self.bank.state(vec![statement]).await;
        stated.map_err(|fault| refuse_all(&[fault.refusal.at("project")]))?;
        self.project(&self.bank.head(), institution, code)
            .map(Response::new)
    }

    fn project(
        &self,
        head: &Head,
        institution: &InstitutionId,
        code: &Code,
    ) -> Result<v1::Project, Status> {
        self.described(head, known(head, institution, code)?)
    }

    fn described(&self, head: &Head, project: &Project) -> Result<v1::Project, Status> {
        let expires_on = match project.state {
            ProjectState::Admitted { expires_on } | ProjectState::Suspended { expires_on } => {
                expires_on
            }
            ProjectState::Proposed | ProjectState::Refused => None,
        };
        let ids = |ids: &std::collections::BTreeSet<InstitutionId>| {
            ids.iter().map(ToString::to_string).collect()
        };
        Ok(v1::Project {
            proposal: Some(proposal_message(&project.proposal)),
            state: state(project.state) as i32,
            expires_on: expires_on.map(|day| day.to_string()).unwrap_or_default(),
            proposed_at: project.proposed_at.0,
            decided_at: project.decided_at.0,
            approvals: ids(&project.approvals),
            rejections: ids(&project.rejections),
            panel: u32::from(self.panel(head, project)?),
        })
    }

    /// How many reviewers must approve a project: what the process of its rule set says of its kind.
    fn panel(&self, head: &Head, project: &Project) -> Result<u8, Status> {
        let proposal = &project.proposal;
        let compiled = self.compiled(head, &proposal.rule_set)?;
        let set = compiled.set();
        let standard = set.standards.iter().find(|standard| {
            standard.id == proposal.standard && standard.version == proposal.standard_version
        });
        let standard = standard.ok_or_else(|| refuse(Refusal::StandardUnknown, "project"))?;
        Ok(match (proposal.kind, standard.catalogued) {
            (ProjectKind::Programme, _) => set.process.panel_standard,
            (_, true) => set.process.panel_catalogued,
            (_, false) => set.process.panel_uncatalogued,
        })
    }

    /// A published set, compiled.
    pub(super) fn compiled(&self, head: &Head, hash: &Digest32) -> Result<Arc<Compiled>, Status> {
        let set = self.bank.rule_set(head, hash);
        set.map_err(|error| failed(&error))?
            .map_err(|refusal| refuse(refusal, "rule_set_hash"))
    }
}

/// Reads and checks the documents of a set, sorted by name; every error is a field violation.
fn checked(files: Vec<v1::RuleFile>) -> Result<(RuleSet, Vec<Source>), Status> {
    if files.is_empty() {
        return Err(refuse(Refusal::Missing, "documents"));
    }
    if files.len() > DOCUMENTS_MAX {
        let max = DOCUMENTS_MAX as u32;
        return Err(refuse(Refusal::TooMany { max }, "documents"));
    }
    let mut sources: Vec<Source> = files
        .into_iter()
        .map(|file| Source {
            name: file.name,
            text: file.text,
        })
        .collect();
    sources.sort_unstable_by(|one, next| one.name.cmp(&next.name));
    let examples = creditbank_rulebook::examples(&sources);
    let findings = match (creditbank_rulebook::read(sources.clone()), examples) {
        (Ok(set), Ok(examples)) => {
            let mut findings = creditbank_rulebook::check(&set, &examples);
            findings.retain(|finding| finding.severity == Severity::Error);
            if findings.is_empty() {
                return worked(set, &examples).map(|set| (set, sources));
            }
            findings
        }
        (Err(findings), _) | (_, Err(findings)) => findings,
    };
    let errors = findings.len() as u32;
    let faults: Vec<Fault> = findings
        .into_iter()
        .map(|finding| {
            let field = format!("documents[{}:{}]", finding.document, finding.line);
            // The finding's own code and sentence travel where a clause would be cited.
            let said = format!("{}: {}", finding.code, finding.message.en);
            Refusal::RuleSetInvalid { errors }.at(field).citing(said)
        })
        .collect();
    Err(refuse_all(&faults))
}

/// A set decides what its own worked examples say, or is not published.
fn worked(set: RuleSet, examples: &[Example]) -> Result<RuleSet, Status> {
    let compiled = Compiled::new(set.clone());
    let results = examples.iter().map(|it| run(&compiled, it));
    let failed: Vec<_> = results.filter(|it| !it.is_passed()).collect();
    if failed.is_empty() {
        return Ok(set);
    }
    let errors = failed.len() as u32;
    let faults: Vec<Fault> = failed
        .into_iter()
        .map(|it| {
            let field = format!("documents[{}:{}]", it.document, it.line);
            let first = it.differences.first().map_or("", |it| it.en.as_str());
            let said = format!("EXAMPLE_FAILED: {first}");
            Refusal::RuleSetInvalid { errors }.at(field).citing(said)
        })
        .collect();
    Err(refuse_all(&faults))
}

fn described(
    set: &RuleSet,
    hash: Digest32,
    published_at: Option<u64>,
    documents: Vec<v1::RuleFile>,
) -> v1::RuleSet {
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    v1::RuleSet {
        hash: hash.to_vec().into(),
        set_id: set.id.clone(),
        version: set.version.clone(),
        title_zh: set.title.zh.clone(),
        title_en: set.title.en.clone(),
        effective_from: day(set.effective.from),
        effective_to: day(set.effective.to),
        published_at,
        programmes: set.programmes.iter().map(|it| it.id.clone()).collect(),
        documents,
    }
}

fn published<'a>(head: &'a Head, hash: &Digest32) -> Result<&'a PublishedSet, Status> {
    let set = head.registry.catalogue().set(hash);
    set.map(|set| &**set)
        .ok_or_else(|| refuse(Refusal::RuleSetUnknown, "hash"))
}

/// The set that a request names: by hash, or by id the version in force on a day.
pub(super) fn named_set(head: &Head, hash: &[u8], id: &str, day: &str) -> Result<Digest32, Status> {
    if !hash.is_empty() {
        return digest(hash).map_err(|refusal| refuse(refusal, "rule_set_hash"));
    }
    let day = day_or_today(day)?;
    let set = head.registry.catalogue().in_force(id, day);
    set.map(|set| set.hash)
        .ok_or_else(|| refuse(Refusal::RuleSetUnknown, "rule_set"))
}

/// A day of a request; empty is today.
pub(super) fn day_or_today(day: &str) -> Result<Date, Status> {
    if day.is_empty() {
        return Ok(clock::today());
    }
    date(day).map_err(|refusal| refuse(refusal, "date"))
}

fn known<'a>(
    head: &'a Head,
    institution: &InstitutionId,
    code: &Code,
) -> Result<&'a Project, Status> {
    let found = head.registry.catalogue().project(institution, code);
    found
        .map(|found| &**found)
        .ok_or_else(|| refuse(Refusal::NotFound { what: "project" }, "project"))
}

fn named_project(institution: &str, project: &str) -> Result<(InstitutionId, Code), Status> {
    let id = InstitutionId::parse(institution).map_err(|refusal| refuse(refusal, "institution"))?;
    let code = Code::parse(project).map_err(|refusal| refuse(refusal, "project"))?;
    Ok((id, code))
}

/// The place that a page token names: institution and project with a blank between; an institution's id has none.
fn project_key(place: Vec<u8>) -> Result<(InstitutionId, Code), Status> {
    let wrong = || refuse(Refusal::PageTokenInvalid, "page_token");
    let text = String::from_utf8(place).map_err(|_| wrong())?;
    let (institution, project) = text.split_once(' ').ok_or_else(wrong)?;
    let id = InstitutionId::parse(institution).map_err(|_| wrong())?;
    Ok((id, Code::parse(project).map_err(|_| wrong())?))
}

fn state(state: ProjectState) -> v1::ProjectState {
    match state {
        ProjectState::Proposed => v1::ProjectState::Proposed,
        ProjectState::Admitted { .. } => v1::ProjectState::Admitted,
        ProjectState::Suspended { .. } => v1::ProjectState::Suspended,
        ProjectState::Refused => v1::ProjectState::Refused,
    }
}
