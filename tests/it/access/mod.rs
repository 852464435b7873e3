//! Who sees what of an archive: only what its learner allows, as long as it is allowed, and the learner sees who looked.

mod codes;
mod delegations;
mod printed;
mod roles;
mod shares;
mod subjects;
mod windows;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use creditbank_client::{Bank as Connection, Refused, learners};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;

use crate::bank::Bank;
use crate::institution::{Institution, admission, course, digits, keys, visit};

pub(crate) const DAY_MS: u64 = 86_400_000;
/// The name of the scene's learner.
pub(crate) const NAME: &str = "张三丰";

/// A bank with a gateway, a window and an institution; a learner with two courses and a visit, and another learner.
pub(crate) struct Scene {
    pub(crate) bank: Bank,
    pub(crate) gateway: Connection,
    pub(crate) window: Connection,
    pub(crate) fudan: Institution,
    pub(crate) learner: LearnerCode,
    pub(crate) other: LearnerCode,
    /// Of the learner: two courses, then a visit.
    pub(crate) leaves: [u64; 3],
    /// Of the other.
    pub(crate) others_leaf: u64,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let bank = Bank::new();
        let both = [v1::Category::DegreeCourse, v1::Category::VenueLearning];
        let fudan = Institution::admitted(&bank, "fudan", &both).await;
        let gateway = registered(&bank, "gateway", v1::Role::Gateway).await;
        let window = registered(&bank, "window", v1::Role::LearnerAgent).await;
        let learner = enrol(&fudan, "E12345678", NAME).await;
        let other = enrol(&fudan, "E87654321", "李四").await;
        let outcome =
            |key: &str, learner, outcome| fudan.maker.outcome(key.as_bytes(), learner, outcome);
        let records = vec![
            outcome("a", learner, course("高等数学")),
            outcome("b", learner, course("线性代数")),
            outcome("v", learner, visit("青铜器", "2024-05-01")),
            outcome("x", other, course("别人的课")),
        ];
        let places = fudan.deposit(&bank, records).await;
        let leaf = |i: usize| places[i].leaf_index.0;
        Self {
            leaves: [leaf(0), leaf(1), leaf(2)],
            others_leaf: leaf(3),
            bank,
            gateway,
            window,
            fudan,
            learner,
            other,
        }
    }

    /// Starts the bank again, with the ledger's clock so many days later.
    pub(crate) async fn days_later(&mut self, days: u64) {
        self.bank.stop();
        let seconds = (days * 86_400).to_string();
        self.bank.start_with(&["--clock-shift", &seconds]);
        self.fudan.reconnect(&self.bank).await;
        self.gateway = self.bank.connect(&Arc::new(keys("gateway"))).await;
        self.window = self.bank.connect(&Arc::new(keys("window"))).await;
    }

    /// Makes a grant of a learner that holds for so many days.
    pub(crate) async fn grant(
        &self,
        learner: LearnerCode,
        days: u64,
        content: v1::create_grant_request::Content,
    ) -> Result<(v1::Grant, String), String> {
        grant_by(&self.gateway, learner, days, content).await
    }

    pub(crate) async fn grants(&self, learner: LearnerCode) -> Vec<v1::Grant> {
        grants_told(&self.gateway, learner).await
    }

    pub(crate) async fn withdraw(
        &self,
        learner: LearnerCode,
        grant: &v1::Grant,
    ) -> Result<v1::Grant, String> {
        let request = v1::WithdrawGrantRequest {
            learner: digits(learner),
            grant_id: grant.grant_id.clone(),
        };
        told(self.gateway.line().access().withdraw_grant(request).await)
    }

    /// Who looked at an archive, newest first.
    pub(crate) async fn looks(&self, learner: LearnerCode) -> Vec<v1::Look> {
        let request = v1::ListLooksRequest {
            learner: digits(learner),
            ..Default::default()
        };
        let listed = told(self.gateway.line().access().list_looks(request).await);
        listed.expect("a gateway lists looks").looks
    }

    pub(crate) async fn who_looked(&self, learner: LearnerCode) -> Vec<String> {
        self.looks(learner)
            .await
            .into_iter()
            .map(|it| it.who)
            .collect()
    }

    pub(crate) async fn merge(&self, kept: LearnerCode, merged: LearnerCode) {
        let request = v1::MergeLearnersRequest {
            learner: digits(kept),
            merged_learner: digits(merged),
            reason: "重复建档".into(),
        };
        let mut learners = self.bank.operator().await.learner();
        learners
            .merge_learners(request)
            .await
            .expect("two archives");
    }
}

/// An answer, or the code of its refusal.
pub(crate) fn told<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Result<T, String> {
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| Refused::new(status).code.unwrap_or_default())
}

pub(crate) async fn registered(bank: &Bank, id: &str, role: v1::Role) -> Connection {
    let keys = Arc::new(keys(id));
    let request = admission(&keys, role, &[]);
    let mut registry = bank.operator().await.registry();
    registry
        .create_institution(request)
        .await
        .expect("a new id");
    bank.connect(&keys).await
}

/// Makes a grant of a learner, as whoever this line belongs to.
pub(crate) async fn grant_by(
    line: &Connection,
    learner: LearnerCode,
    days: u64,
    content: v1::create_grant_request::Content,
) -> Result<(v1::Grant, String), String> {
    let request = v1::CreateGrantRequest {
        learner: digits(learner),
        expires_at_ms: now_ms() + days * DAY_MS,
        content: Some(content),
    };
    let made = told(line.line().access().create_grant(request).await)?;
    Ok((made.grant.expect("a grant"), made.secret))
}

/// What whoever this line belongs to is told of a learner's grants.
pub(crate) async fn grants_told(line: &Connection, learner: LearnerCode) -> Vec<v1::Grant> {
    let request = v1::ListGrantsRequest {
        learner: digits(learner),
        ..Default::default()
    };
    let listed = told(line.line().access().list_grants(request).await);
    listed.expect("whoever may list").grants
}

/// A passport.
pub(crate) fn passport(number: &str) -> v1::Identity {
    v1::Identity {
        kind: v1::IdentityKind::Passport.into(),
        number: number.to_owned(),
        issuer: "CHN".into(),
    }
}

pub(crate) async fn enrol(fudan: &Institution, number: &str, name: &str) -> LearnerCode {
    let request = v1::EnrolLearnerRequest {
        identity: Some(passport(number)),
        name: name.to_owned(),
    };
    let enrolled = learners::enrol(&fudan.line, request).await;
    LearnerCode::parse(&enrolled.expect("it is a passport").learner).expect("a code")
}

#[expect(clippy::disallowed_methods, reason = "expiries are wall-clock time")]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_millis() as u64
}

pub(crate) fn share(leaves: &[u64], recipient: &str) -> v1::create_grant_request::Content {
    v1::create_grant_request::Content::Share(v1::Share {
        recipient: recipient.to_owned(),
        purpose: "应聘".to_owned(),
        leaf_indexes: leaves.to_vec(),
        with_name: true,
    })
}

pub(crate) fn printed(purpose: v1::DeskPurpose) -> v1::create_grant_request::Content {
    v1::create_grant_request::Content::PrintedCode(v1::PrintedCode {
        purpose: purpose.into(),
        categories: Vec::new(),
    })
}

pub(crate) fn delegation(delegate: LearnerCode, label: &str) -> v1::create_grant_request::Content {
    v1::create_grant_request::Content::Delegation(v1::Delegation {
        delegate: digits(delegate),
        scope: v1::DelegationScope::View.into(),
        label: label.to_owned(),
        ..Default::default()
    })
}

/// Redeems a code at a desk.
pub(crate) async fn redeem(
    desk: &Connection,
    code: &str,
    purpose: v1::DeskPurpose,
    identity: Option<v1::Identity>,
) -> Result<v1::Presented, String> {
    let request = v1::RedeemCodeRequest {
        code: code.to_owned(),
        purpose: purpose.into(),
        identity,
    };
    told(desk.line().access().redeem_code(request).await)
}

/// A code for a learner to show.
pub(crate) async fn issue(
    scene: &Scene,
    purpose: v1::DeskPurpose,
    categories: &[v1::Category],
) -> Result<String, String> {
    let request = v1::IssueCodeRequest {
        learner: digits(scene.learner),
        purpose: purpose.into(),
        categories: categories.iter().map(|it| i32::from(*it)).collect(),
    };
    told(scene.gateway.line().access().issue_code(request).await).map(|it| it.code)
}

/// Opens a share.
pub(crate) async fn open(
    scene: &Scene,
    secret: &str,
    viewer: &str,
) -> Result<v1::OpenedShare, String> {
    let request = v1::OpenShareRequest {
        secret: secret.to_owned(),
        viewer: viewer.to_owned(),
    };
    told(scene.gateway.line().access().open_share(request).await)
}
