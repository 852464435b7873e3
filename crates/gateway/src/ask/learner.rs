//! Who a learner is: name and masked documents, and whose account it is that signed in.

use creditbank_client::{ClientError, Line};
use creditbank_wire::v1;

use crate::app::App;
use crate::sign_in::Account;

impl App {
    /// Name and documents of a learner.
    pub(crate) async fn learner_profile(
        &self,
        learner: &str,
    ) -> Result<v1::LearnerProfile, ClientError> {
        let learner = learner.to_owned();
        let send = |line: Line, it| async move { line.learner().get_learner(it).await };
        self.bank
            .call(v1::GetLearnerRequest { learner }, send)
            .await
    }

    /// The learner code behind an account; empty if it is nobody's.
    pub(crate) async fn learner_of(&self, account: &Account) -> Result<String, ClientError> {
        let subject = v1::Subject {
            issuer: account.issuer.clone(),
            subject: account.subject.clone(),
        };
        let request = v1::FindSubjectRequest {
            subject: Some(subject),
        };
        let send = |line: Line, it| async move { line.access().find_subject(it).await };
        Ok(self.bank.call(request, send).await?.learner)
    }
}
