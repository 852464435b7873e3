//! `RecognitionService`: simulations, plans, and applications from submission to closing.

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_domain::application::Task;
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::{RecordKind, Role};
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::rules::{
    Compiled, Decision, Language, Missing, Use, candidates, evaluate, explain, explain_next,
};
use creditbank_domain::text::Label;
use creditbank_domain::{Digest32, LeafIndex, Refusal};
use creditbank_planner::{Goal, Plan, plan};
use creditbank_rulebook::decision_json;
use creditbank_store::{ApplicationRow, Go, StoreError};
use creditbank_wire::convert::recognition::{
    application_message, ruling_message, use_message, uses,
};
use creditbank_wire::convert::record;
use creditbank_wire::v1;
use creditbank_wire::v1::recognition_service_server::RecognitionService;
use jiff::civil::Date;
use tonic::{Request, Response, Status};

use super::auth::Caller;
use super::learner::{code, digits};
use super::page::{self, Query};
use super::rule::{day_or_today, named_set};
use super::{Services, failed, refuse, refuse_all};
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock::{self, day_of};
use crate::head::Head;
use crate::recognition::{
    Action, CaseFile, Evidence, Holdings, Process, Scope, depositor, message_at,
};

/// Default applications of a page.
const PAGE: u32 = 20;
/// Most applications of a page: each is read and opened.
const PAGE_MAX: usize = 200;
/// Most rows of the work queue that a filter may pass over for one page.
const SCANNED_MAX: usize = 10_000;
/// Most outcomes that a panel is shown of one application.
const EVIDENCE_MAX: usize = 512;
/// Who asks on behalf of learners.
const FOR_LEARNERS: [Role; 3] = [Role::Gateway, Role::LearnerAgent, Role::Operator];
/// Who looks at applications.
const READERS: [Role; 6] = [
    Role::Gateway,
    Role::LearnerAgent,
    Role::Operator,
    Role::Reviewer,
    Role::Auditor,
    Role::Institution,
];

#[tonic::async_trait]
impl RecognitionService for Services {
    async fn simulate(
        &self,
        request: Request<v1::SimulateRequest>,
    ) -> Result<Response<v1::Evaluation>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let request = request.into_inner();
        let mut asked = request.uses;
        asked.sort_unstable_by(|one, next| {
            (&one.rule, &one.outcomes, &one.courses).cmp(&(
                &next.rule,
                &next.outcomes,
                &next.courses,
            ))
        });
        let asked = uses(asked).map_err(|fault| refuse_all(&[fault]))?;
        let question = self.question(
            &request.learner,
            (&request.rule_set_hash, &request.rule_set),
            (request.programme, &asked),
            &request.date,
        )?;
        let evaluation = self
            .blocking(move || {
                let case = question.holdings.case(&question.programme, question.date);
                let asked = match asked.is_empty() {
                    true => candidates(&question.set, &case),
                    false => asked,
                };
                let decision = evaluate(&question.set, &case, &asked);
                evaluation(&question, decision, asked)
            })
            .await?;
        Ok(Response::new(evaluation))
    }

    async fn plan(
        &self,
        request: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanResponse>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let request = request.into_inner();
        let goal = match v1::PlanGoal::try_from(request.goal) {
            Ok(v1::PlanGoal::Unspecified) => Goal::MostCredits,
            Ok(v1::PlanGoal::FewestOutcomes) => Goal::FewestOutcomes,
            Err(_) => return Err(refuse(Refusal::ChoiceUnknown, "goal")),
        };
        let question = self.question(
            &request.learner,
            (&request.rule_set_hash, &request.rule_set),
            (request.programme, &[]),
            &request.date,
        )?;
        let answer = self
            .blocking(move || {
                let case = question.holdings.case(&question.programme, question.date);
                let Plan {
                    uses,
                    decision,
                    proven,
                    next_steps,
                } = plan(&question.set, &case, goal);
                let said = |language| explain_next(&question.set, &decision, &next_steps, language);
                v1::PlanResponse {
                    uses: uses.iter().map(use_message).collect(),
                    proven,
                    next_steps_zh: said(Language::Chinese),
                    next_steps_en: said(Language::English),
                    evaluation: Some(evaluation(&question, decision, uses)),
                }
            })
            .await?;
        Ok(Response::new(answer))
    }

    async fn apply(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.submit_steps(request, RecordKind::Application).await
    }

    async fn review(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.submit_steps(request, RecordKind::Review).await
    }

    async fn object(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.submit_steps(request, RecordKind::Objection).await
    }

    async fn appeal(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.submit_steps(request, RecordKind::Appeal).await
    }

    async fn withdraw(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.submit_steps(request, RecordKind::Withdrawal).await
    }

    async fn advance(
        &self,
        request: Request<v1::AdvanceRequest>,
    ) -> Result<Response<v1::ApplicationFile>, Status> {
        let caller = self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        Label::parse(&request.reason).map_err(|refusal| refuse(refusal, "reason"))?;
        let application = LeafIndex(request.application);
        let action = self.action(request.action, application)?;
        let taken = self
            .bank
            .advance(learner, application, action, &request.reason)
            .await;
        taken.map_err(|faults| refuse_all(&faults))?;
        self.application(&caller, application).map(Response::new)
    }

    async fn get_application(
        &self,
        request: Request<v1::GetApplicationRequest>,
    ) -> Result<Response<v1::ApplicationFile>, Status> {
        let caller = self.caller(&request, &READERS)?;
        let application = LeafIndex(request.into_inner().application);
        self.application(&caller, application).map(Response::new)
    }

    async fn list_applications(
        &self,
        request: Request<v1::ListApplicationsRequest>,
    ) -> Result<Response<v1::ListApplicationsResponse>, Status> {
        let caller = self.caller(&request, &READERS)?;
        let request = request.into_inner();
        let size =
            page::size(request.page_size, PAGE).map_err(|refusal| refuse(refusal, "page_size"))?;
        let size = size.min(PAGE_MAX);
        let learner = match request.learner.as_str() {
            "" => None,
            text => Some(code(text, "learner")?),
        };
        let query = {
            use prost::Message;
            let plain = v1::ListApplicationsRequest {
                page_size: 0,
                page_token: String::new(),
                ..request.clone()
            };
            Query::of(&[b"applications", &plain.encode_to_vec()])
        };
        let from = query
            .number(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let head = self.bank.head();
        let (rows, next) = self.queue(&head, &request.states, learner, from.unwrap_or(0), size)?;
        let mut applications = Vec::with_capacity(rows.len());
        for index in rows {
            let Some(file) = self.file(&caller, &head, index, false)? else {
                continue;
            };
            // A notice names nobody, so nobody finds it by whom it is about.
            let is_named = learner.is_none() || !file.learner.is_empty();
            if is_named && (file.overdue || !request.overdue) {
                applications.push(file);
            }
        }
        Ok(Response::new(v1::ListApplicationsResponse {
            applications,
            next_page_token: next
                .map(|index| query.token(&index.to_be_bytes()))
                .unwrap_or_default(),
        }))
    }
}

/// Whose outcomes are looked at, under which rules, for what.
struct Question {
    set: Arc<Compiled>,
    hash: Digest32,
    programme: String,
    date: Date,
    holdings: Holdings,
}

impl Services {
    fn question(
        &self,
        learner: &str,
        (hash, id): (&[u8], &str),
        (programme, uses): (String, &[Use]),
        date: &str,
    ) -> Result<Question, Status> {
        let learner = code(learner, "learner")?;
        let head = self.bank.head();
        let hash = named_set(&head, hash, id, date)?;
        let set = self.compiled(&head, &hash)?;
        if !set.set().programmes.iter().any(|it| it.id == programme) {
            return Err(refuse(Refusal::ProgrammeUnknown, "programme"));
        }
        let scope = Scope {
            set: &set,
            programme: &programme,
            uses,
        };
        let holdings = self.holdings(head, learner, &scope)?;
        Ok(Question {
            hash,
            programme,
            date: day_or_today(date)?,
            holdings,
            set,
        })
    }

    fn holdings(
        &self,
        head: Arc<Head>,
        learner: LearnerCode,
        scope: &Scope<'_>,
    ) -> Result<Holdings, Status> {
        let archive = Archive::open(&self.bank, head, learner, None)
            .map_err(|error| failed(&error))?
            .map_err(|refusal| refuse(refusal, "learner"))?;
        Holdings::read(&archive, None, scope)
            .map_err(|error| failed(&error))?
            .map_err(|refusal| refuse(refusal, "learner"))
    }

    /// Runs what takes longer than a look-up off the runtime's own threads, one at a time a core.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let room = self.bank.thinking().acquire().await;
        let _room = room.map_err(|_| refuse(Refusal::ShuttingDown, ""))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| refuse(Refusal::Internal, ""))
    }

    /// A batch of steps of one kind, like any other batch.
    async fn submit_steps(
        &self,
        request: Request<v1::SubmitBatchRequest>,
        kind: RecordKind,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        for (row, record) in request.get_ref().records.iter().enumerate() {
            let envelope = record::canonical::<v1::Envelope>(&record.envelope);
            if envelope.is_ok_and(|envelope| envelope.kind != kind as i32) {
                let field = format!("records[{row}].envelope.kind");
                return Err(refuse(Refusal::KindNotAllowed, &field));
            }
        }
        self.submit_own(request).await
    }

    fn action(&self, number: i32, application: LeafIndex) -> Result<Action, Status> {
        use v1::ApplicationAction as A;
        let action = A::try_from(number).map_err(|_| refuse(Refusal::ChoiceUnknown, "action"))?;
        Ok(match action {
            A::Unspecified => return Err(refuse(Refusal::Missing, "action")),
            A::Accept => Action::Accept,
            A::Return => Action::Return,
            A::Notice => Action::Notice,
            A::Decide => Action::Decide,
            A::Decline => self.declining(application)?,
            A::Close => Action::Close,
            A::Reverse => Action::Reverse,
        })
    }

    /// What is declined is noticed first, like everything that a panel finds.
    fn declining(&self, application: LeafIndex) -> Result<Action, Status> {
        let row = self.bank.head().snapshot.application(application);
        let row = row.map_err(|error| failed(&error))?;
        let noticed = row.is_some_and(|row| row.kind == RecordKind::Notice as u8);
        Ok(match noticed {
            true => Action::Decline,
            false => Action::NoticeDecline,
        })
    }

    fn application(
        &self,
        caller: &Caller,
        index: LeafIndex,
    ) -> Result<v1::ApplicationFile, Status> {
        let file = self.file(caller, &self.bank.head(), index, true)?;
        file.ok_or_else(|| refuse(Refusal::ApplicationUnknown, "application"))
    }

    /// An application as a caller may see it: an institution sees what stands on its own outcomes, and what is noticed.
    fn file(
        &self,
        caller: &Caller,
        head: &Arc<Head>,
        index: LeafIndex,
        whole: bool,
    ) -> Result<Option<v1::ApplicationFile>, Status> {
        let file = CaseFile::read(&self.bank, head, index).map_err(|error| failed(&error))?;
        let Ok(file) = file else {
            return Ok(None);
        };
        let process = Process::of(&self.bank, head, &file).map_err(|error| failed(&error))?;
        let process = process.map_err(|refusal| refuse(refusal, "application"))?;
        // Reviewers see what a panel looks at; institutions what stands on their own outcomes.
        let is_own = match caller.role {
            Role::Institution => self.deposited(caller.number, head, &file)?,
            Role::Reviewer => !process.terms().is_automatic(),
            _ => true,
        };
        let state = application_state(&file.row);
        if !is_own && state != v1::ApplicationState::Noticed {
            return Ok(None);
        }
        let evaluation = match file.ruling().filter(|_| whole && is_own) {
            Some(ruling) => Some(self.explained(head, &file, &process.set, ruling)?),
            None => None,
        };
        let is_panel = whole && is_own && matches!(caller.role, Role::Operator | Role::Reviewer);
        let (outcomes, expected) = match is_panel {
            true => self.evidence(head, &file, &process.set)?,
            false => Default::default(),
        };
        let due = process.proceeding.due(&process.terms());
        let steps = file.steps.iter().map(|step| {
            let actor = head.registry.by_number(step.actor);
            v1::ApplicationStep {
                leaf_index: step.leaf.0,
                kind: step.kind as i32,
                actor: actor
                    .map(|it| it.profile.id.to_string())
                    .unwrap_or_default(),
                deposited_at_ms: step.at_ms,
                approve: step.approve,
                reason: step.reason.clone(),
            }
        });
        let shown = |text: &str| {
            if is_own {
                text.to_owned()
            } else {
                String::new()
            }
        };
        Ok(Some(v1::ApplicationFile {
            application: index.0,
            learner: shown(&digits(file.learner)),
            rule_set_hash: file.rule_set.to_vec().into(),
            form: Some(application_message(&file.form, &shown(&file.note))),
            state: state as i32,
            steps: steps.collect(),
            evaluation,
            due_on: due.map(|due| due.day.to_string()).unwrap_or_default(),
            due_step: due.map(|due| task(due.task).to_owned()).unwrap_or_default(),
            overdue: due.is_some_and(|due| due.day < clock::today()),
            applied_on: day_of(file.submitted_at_ms).to_string(),
            outcomes,
            expected,
        }))
    }

    fn deposited(
        &self,
        institution: InstitutionNumber,
        head: &Head,
        file: &CaseFile,
    ) -> Result<bool, Status> {
        for outcome in file.form.uses.iter().flat_map(|it| &it.outcomes) {
            let owner = depositor(head, *outcome).map_err(|error| failed(&error))?;
            if owner.is_some_and(|owner| owner.number == institution) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a panel looks at: the outcomes that are claimed, and before a ruling what the rules would grant of them. Of a
    /// learner who is gone there is nothing to look at.
    fn evidence(
        &self,
        head: &Arc<Head>,
        file: &CaseFile,
        set: &Arc<Compiled>,
    ) -> Result<(Vec<v1::ArchiveRecord>, Option<v1::Evaluation>), Status> {
        let archive = Archive::open(&self.bank, Arc::clone(head), file.learner, None)
            .map_err(|error| failed(&error))?;
        let Ok(archive) = archive else {
            return Ok(Default::default());
        };
        let claimed = file.form.uses.iter().flat_map(|it| &it.outcomes).copied();
        let claimed: BTreeSet<LeafIndex> = claimed.collect();
        let leaves = claimed.into_iter().take(EVIDENCE_MAX);
        let outcomes =
            claimed_records(&self.bank, &archive, leaves).map_err(|error| failed(&error))?;
        if file.ruling().is_some() {
            return Ok((outcomes, None));
        }
        let (programme, uses) = (file.form.programme.clone(), file.form.uses.clone());
        let scope = Scope {
            set,
            programme: &programme,
            uses: &uses,
        };
        let holdings = Holdings::read(&archive, None, &scope).map_err(|error| failed(&error))?;
        let Ok(holdings) = holdings else {
            return Ok((outcomes, None));
        };
        let question = Question {
            set: Arc::clone(set),
            hash: file.rule_set,
            date: day_of(file.submitted_at_ms),
            programme,
            holdings,
        };
        let case = question.holdings.case(&question.programme, question.date);
        let decision = evaluate(set, &case, &uses);
        Ok((outcomes, Some(evaluation(&question, decision, uses))))
    }

    /// The evaluation behind a ruling, made again for its explanation of what the ruling looked at.
    fn explained(
        &self,
        head: &Arc<Head>,
        file: &CaseFile,
        set: &Arc<Compiled>,
        ruling: &Ruling,
    ) -> Result<v1::Evaluation, Status> {
        let (store, key) = (self.bank.store(), self.bank.key_encryption());
        let mut evidence = Evidence::new(store, &head.snapshot, &head.registry, key);
        let holdings = evidence.holdings(ruling).map_err(|error| failed(&error))?;
        let holdings = holdings.map_err(|lost| refuse(lost.refusal(), "application"))?;
        let question = Question {
            set: Arc::clone(set),
            hash: file.rule_set,
            programme: ruling.programme.clone(),
            date: ruling.applied_on,
            holdings,
        };
        let case = question.holdings.case(&question.programme, question.date);
        let mut decision = evaluate(set, &case, &ruling.uses);
        if ruling.lines.is_empty() && !decision.lines.is_empty() {
            // The panel declined: whatever the rules would give, nothing was granted.
            decision.progress = evaluate(set, &case, &[]).progress;
            decision.lines.clear();
            decision.trace.clear();
        }
        let mut answer = evaluation(&question, decision, ruling.uses.clone());
        let reason = file.steps.iter().rev().find(|step| step.ruling.is_some());
        let reason = reason.map(|step| step.reason.as_str()).unwrap_or_default();
        answer.decision = Some(ruling_message(ruling, reason));
        answer.credits_hundredths = granted(&ruling.lines);
        Ok(answer)
    }

    /// A page of the work queue, oldest first, and where the next one begins.
    fn queue(
        &self,
        head: &Head,
        states: &[i32],
        learner: Option<LearnerCode>,
        from: u64,
        size: usize,
    ) -> Result<(Vec<LeafIndex>, Option<u64>), Status> {
        let learners = match learner {
            None => None,
            Some(learner) => {
                let codes = self.bank.archive_codes(learner);
                let codes = codes.map_err(|error| failed(&error))?;
                let codes = codes.map_err(|refusal| refuse(refusal, "learner"))?;
                Some(codes.iter().map(|code| code.as_u64()).collect::<Vec<_>>())
            }
        };
        let (mut rows, mut next, mut scanned) = (Vec::new(), None, 0);
        let walked = head.snapshot.applications(LeafIndex(from), |index, row| {
            if rows.len() == size || scanned == SCANNED_MAX {
                next = Some(index.0);
                return Go::Break(());
            }
            scanned += 1;
            let state = application_state(&row) as i32;
            let is_wanted = (states.is_empty() || states.contains(&state))
                && learners
                    .as_ref()
                    .is_none_or(|codes| codes.contains(&row.learner));
            if is_wanted && row.learner != 0 {
                rows.push(index);
            }
            Go::Continue(())
        });
        walked.map_err(|error| failed(&error))?;
        Ok((rows, next))
    }
}

/// Records of an archive by their leaves, as they are now; what cannot be read is left out.
fn claimed_records(
    bank: &Bank,
    archive: &Archive,
    leaves: impl Iterator<Item = LeafIndex>,
) -> Result<Vec<v1::ArchiveRecord>, StoreError> {
    let (head, key) = (&archive.head, bank.key_encryption());
    let mut evidence = Evidence::new(bank.store(), &head.snapshot, &head.registry, key);
    let mut found = Vec::new();
    for index in leaves {
        let Ok((issuer, payload)) = evidence.record(index)? else {
            continue;
        };
        let envelope = message_at(&head.snapshot, index)?;
        let issuer = head.registry.by_number(issuer);
        let is_doubtful = issuer.is_some_and(|it| it.has_doubtful_key());
        let mut rows = archive.parts.iter().flat_map(|it| &it.states);
        let row = rows.find(|(at, _)| *at == index).map(|(_, row)| *row);
        let row = row.unwrap_or_default();
        let (state, changed_by) = archive.state(index, row, is_doubtful)?;
        found.push(v1::ArchiveRecord {
            leaf_index: index.0,
            issuer: envelope.issuer,
            record_id: envelope.record_id,
            kind: envelope.kind,
            state: state as i32,
            changed_by: changed_by.map(|it| it.0),
            payload: payload.into(),
            ..Default::default()
        });
    }
    Ok(found)
}

/// What an evaluation tells a caller.
fn evaluation(question: &Question, decision: Decision, uses: Vec<Use>) -> v1::Evaluation {
    let (set, held) = (&question.set, &question.holdings.held);
    let explanation = |language| explain(set, &decision, held, language);
    let (explanation_zh, explanation_en) = (
        explanation(Language::Chinese),
        explanation(Language::English),
    );
    let explanation_json = decision_json(set, &decision, held).to_string();
    let progress = decision.progress.clone();
    let (leaves, prior) = question.holdings.leaves();
    let ruling = Ruling::of(decision, leaves, prior, uses);
    v1::Evaluation {
        rule_set_hash: question.hash.to_vec().into(),
        credits_hundredths: granted(&ruling.lines),
        decision: Some(ruling_message(&ruling, "")),
        explanation_zh,
        explanation_en,
        explanation_json,
        missing: progress.missing.iter().map(missing).collect(),
        studied_hundredths: progress.studied.hundredths(),
        total_hundredths: progress.total.hundredths(),
        recognised_hundredths: progress.recognised.hundredths(),
    }
}

pub(super) fn granted(lines: &[creditbank_domain::rules::Line]) -> u32 {
    let credits = lines.iter().map(|line| line.credits.hundredths());
    credits.fold(0, u32::saturating_add)
}

fn missing(missing: &Missing) -> v1::MissingPart {
    use v1::missing_part::Part;
    let (part, credits) = match missing {
        Missing::Course(code) => (Part::Course(code.clone()), 0),
        Missing::Module { module, credits } => (Part::Module(module.clone()), credits.hundredths()),
        Missing::Residency(credits) => (Part::Residency(true), credits.hundredths()),
        Missing::AtLevel(credits) => (Part::AtLevel(true), credits.hundredths()),
        Missing::Minimum { minimum, credits } => {
            (Part::Minimum(minimum.clone()), credits.hundredths())
        }
        Missing::Total(credits) => (Part::Total(true), credits.hundredths()),
    };
    v1::MissingPart {
        part: Some(part),
        credits_hundredths: credits,
    }
}

/// Where an application stands, by the last step that changed it.
fn application_state(row: &ApplicationRow) -> v1::ApplicationState {
    use v1::ApplicationState as S;
    match RecordKind::from_number(u32::from(row.kind)) {
        Some(RecordKind::Application) => S::Submitted,
        Some(RecordKind::Acceptance) => S::Accepted,
        Some(RecordKind::Return) => S::Returned,
        Some(RecordKind::Notice) => S::Noticed,
        Some(RecordKind::Decision) => S::Decided,
        Some(RecordKind::Appeal) => S::Appealed,
        Some(RecordKind::Closing) => S::Closed,
        Some(RecordKind::Reversal) => S::Reversed,
        Some(RecordKind::Withdrawal) => S::Withdrawn,
        _ => S::Unspecified,
    }
}

/// What is due, in the words of the actions that do it.
const fn task(task: Task) -> &'static str {
    match task {
        Task::Accept => "accept",
        Task::Review => "review",
        Task::Notice => "notice",
        Task::Decide => "decide",
        Task::ResolveAppeal => "resolve-appeal",
        Task::Close => "close",
    }
}
