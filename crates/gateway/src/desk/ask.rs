//! What a desk asks of the ledger, one method a question.

use creditbank_client::receipt::Verifier;
use creditbank_client::recognition::named;
use creditbank_client::record::natural_key;
use creditbank_client::submit::submit_one;
use creditbank_client::{ClientError, Line, RecordMaker};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;

use super::app::DeskApp;

/// One method a call: name, service, method, question and answer.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident: $service:ident.$method:ident($ask:ident) -> $answer:ident;)*) => {
        impl DeskApp {
            $($(#[$doc])*
            pub(crate) async fn $name(&self, ask: v1::$ask) -> Result<v1::$answer, ClientError> {
                let send = |line: Line, it| async move { line.$service().$method(it).await };
                self.bank.call(ask, send).await
            })*
        }
    };
}

calls! {
    /// What a learner allowed this desk to see.
    redeem: access.redeem_code(RedeemCodeRequest) -> Presented;
    /// A code on paper, or a relative who may act, for somebody at the window.
    grant: access.create_grant(CreateGrantRequest) -> CreateGrantResponse;
    /// What was printed for somebody, and who may act for them.
    grants: access.list_grants(ListGrantsRequest) -> ListGrantsResponse;
    /// Ends one of these.
    withdraw: access.withdraw_grant(WithdrawGrantRequest) -> Grant;
    /// Ties an account to a learner.
    link: access.link_subject(LinkSubjectRequest) -> LinkSubjectResponse;
    /// Unties it.
    unlink: access.unlink_subject(UnlinkSubjectRequest) -> UnlinkSubjectResponse;
    /// What this institution deposited.
    submissions: submission.list_submissions(ListSubmissionsRequest) -> ListSubmissionsResponse;
    /// One of them.
    submission: submission.get_submission(GetSubmissionRequest) -> Submission;
    /// What learners ask for.
    requests: requests.list_requests(ListRequestsRequest) -> ListRequestsResponse;
    /// Answers one.
    answer: requests.answer_request(AnswerRequestRequest) -> LearnerRequest;
    /// Erases an archive for ever.
    erase: learner.erase_learner(EraseLearnerRequest) -> EraseLearnerResponse;
    /// The work queue.
    applications: recognition.list_applications(ListApplicationsRequest) -> ListApplicationsResponse;
    /// One of it.
    application: recognition.get_application(GetApplicationRequest) -> ApplicationFile;
    /// The bank's next step.
    advance: recognition.advance(AdvanceRequest) -> ApplicationFile;
    /// Projects.
    projects: rules.list_projects(ListProjectsRequest) -> ListProjectsResponse;
    /// One of them.
    project: rules.get_project(GetProjectRequest) -> Project;
    /// Admits one, or refuses it.
    decide_project: rules.decide_project(DecideProjectRequest) -> Project;
    /// Suspends one, or takes it up again.
    suspend_project: rules.suspend_project(SuspendProjectRequest) -> Project;
    /// Institutions.
    institutions: registry.list_institutions(ListInstitutionsRequest) -> ListInstitutionsResponse;
    /// One of them.
    institution: registry.get_institution(GetInstitutionRequest) -> Institution;
    /// Suspends one, or lets it act again.
    suspend: registry.suspend_institution(SuspendInstitutionRequest) -> Institution;
    /// Takes a key back.
    revoke_key: registry.revoke_key(RevokeKeyRequest) -> Institution;
    /// The archive of whoever has this document; opened if there is none.
    enrol: learner.enrol_learner(EnrolLearnerRequest) -> ResolvedLearner;
    /// The newest signed checkpoint.
    checkpoint: log.get_checkpoint(GetCheckpointRequest) -> Checkpoint;
    /// One leaf.
    leaf: log.get_leaf(GetLeafRequest) -> GetLeafResponse;
}

impl DeskApp {
    /// Signs a vote on an application. Said again it is the same record, also from the command line.
    pub(crate) async fn vote(
        &self,
        application: u64,
        learner: LearnerCode,
        approve: bool,
        reason: &str,
    ) -> Result<(), ClientError> {
        let target = named(&self.bank, application).await?;
        let leaf = application.to_be_bytes();
        let said = [u8::from(approve)];
        let key = natural_key(&[b"review", &leaf, &said, reason.as_bytes()]);
        let record = self.maker()?.review(&key, learner, target, approve, reason);
        self.deposit(record).await
    }

    /// Signs an objection to what is noticed.
    pub(crate) async fn object(
        &self,
        application: u64,
        learner: LearnerCode,
        reason: &str,
    ) -> Result<(), ClientError> {
        let target = named(&self.bank, application).await?;
        let leaf = application.to_be_bytes();
        let key = natural_key(&[b"objection", &leaf, reason.as_bytes()]);
        let record = self.maker()?.objection(&key, learner, target, reason);
        self.deposit(record).await
    }

    /// Signs a vote on a project. It may be proposed again after a refusal, and is then voted on again.
    pub(crate) async fn vote_on_project(
        &self,
        project: &v1::Project,
        approve: bool,
    ) -> Result<(), ClientError> {
        let proposal = project.proposal.clone().unwrap_or_default();
        let key = natural_key(&[
            b"project review",
            proposal.institution.as_bytes(),
            proposal.project.as_bytes(),
            &project.proposed_at.to_be_bytes(),
            &[u8::from(approve)],
        ]);
        let review = v1::ProjectReviewed {
            reviewer: String::new(),
            institution: proposal.institution,
            project: proposal.project,
            approve,
        };
        let record = self.maker()?.project_review(&key, review);
        self.deposit(record).await
    }

    fn maker(&self) -> Result<RecordMaker, ClientError> {
        let keys = self.bank.keys();
        let keys = keys.ok_or(ClientError::Configuration("a desk has keys"))?;
        Ok(RecordMaker::new(keys))
    }

    /// Puts a record into the log, and verifies its receipt where the bank's key is known.
    async fn deposit(&self, record: v1::SignedRecord) -> Result<(), ClientError> {
        let placed = submit_one(&self.bank, record).await?;
        if let Some(keys) = &self.log_keys {
            let it = &placed.acknowledgement;
            let verified =
                Verifier::new(keys.clone()).verify_acknowledgement(&it.request, &it.response);
            verified.map_err(|_| ClientError::Contract("the receipt does not hold"))?;
        }
        Ok(())
    }
}
