//! Applications: what is asked for, voted on, decided, taken back, and who may see and do it.

mod commands;
mod compared;
mod follow;
mod panel;
mod people;
mod process;
mod recomputed;
mod staff;

use std::time::Duration;

use creditbank_client::{Bank as Connection, Refused, recognition::named};
use creditbank_domain::record::RecordRef;
use creditbank_domain::{Digest32, LearnerCode};
use creditbank_wire::v1;

use crate::bank::{BOUND, Bank, leaves};
use crate::institution::{Institution, admission, attended, course, digits, keys};
use crate::standards::{self, project, registered};

/// How often it is asked whether the bank has done what follows by itself.
const POLL: Duration = Duration::from_millis(10);

/// A set whose rules ask for no panel, for one reviewer, and for three.
pub(crate) fn rules(version: &str, notice_days: u32, appeal_days: u32, more: &str) -> String {
    format!(
        r#"
[document]
title = "认定办法"
source = "test"

[set]
id = "works"
version = "{version}"
title = "Works"
effective = {{ from = "2020-01-01" }}

[process]
notice_days = {notice_days}
appeal_days = {appeal_days}

[calendar]
covers_to = "2099-12-31"

[[programme]]
id = "nursing"
title = "护理"
institution = "shou"
region = "31"
kind = "degree"
level = 5
total = "75"
clause = "plan"

  [[programme.module]]
  id = "general"
  title = "公共基础"
  kind = "required"
  min = "9"
  courses = [{{ code = "0001", name = "英语", credits = "3" }}, {{ code = "0002", name = "高等数学", credits = "6" }}]

  [[programme.module]]
  id = "electives"
  title = "选修"
  kind = "elective"
  min = "5"
  max = "66"
  unassigned = true

[[rule]]
id = "elder-hours"
title = "老年教育学时"
clause = "第五条"
form = "hours-to-credits"
review = "none"
select = {{ category = "elder-course" }}
when = {{ min_attendance = "70%" }}
grant = [{{ electives = true, per_hours = "16" }}]

[[rule]]
id = "same-course"
title = "同名课程"
clause = "第六条"
form = "course-to-course"
select = {{ category = "degree-course" }}
grant = [{{ same_course = true }}]
grade = {{ record = "exempt" }}

[[rule]]
id = "uncatalogued"
title = "目录外课程"
clause = "第七条"
form = "block-transfer"
review = "uncatalogued"
select = {{ category = "degree-course", achievement = "社会学" }}
grant = [{{ electives = true, credits = "source" }}]

[[limit]]
id = "elder-cap"
title = "老年教育至多三学分"
clause = "第八条"
rules = ["elder-hours"]
max = {{ credits = "3" }}

{more}"#
    )
}

/// A running bank with a published set, two schools, a window for learners, experts, and a learner.
struct Scene {
    bank: Bank,
    operator: Connection,
    college: Institution,
    other: Institution,
    window: Institution,
    experts: Vec<Institution>,
    learner: LearnerCode,
    set: Digest32,
}

impl Scene {
    /// `notice_days` and `appeal_days` are those of the set.
    async fn new(notice_days: u32, appeal_days: u32) -> Self {
        let bank = Bank::new();
        let taught = [v1::Category::DegreeCourse, v1::Category::ElderCourse];
        let college = Institution::admitted(&bank, "college", &taught).await;
        let other = Institution::admitted(&bank, "other", &taught).await;
        let window = registered(&bank, "window", v1::Role::LearnerAgent).await;
        let mut experts = Vec::new();
        for number in 1..=4 {
            let id = format!("expert-{number}");
            experts.push(registered(&bank, &id, v1::Role::Reviewer).await);
        }
        let set = standards::publish(&bank, &rules("1", notice_days, appeal_days, "")).await;
        Self {
            operator: bank.operator().await,
            learner: college.enrol("1").await,
            bank,
            college,
            other,
            window,
            experts,
            set: set.try_into().expect("a hash"),
        }
    }

    /// Starts the bank again and connects everybody anew.
    async fn restart(&mut self, arguments: &[&str]) {
        if self.bank.runs() {
            self.bank.stop();
        }
        self.bank.start_with(arguments);
        self.reconnect().await;
    }

    async fn reconnect(&mut self) {
        self.operator = self.bank.operator().await;
        let fixed = [&mut self.college, &mut self.other, &mut self.window];
        for one in fixed.into_iter().chain(&mut self.experts) {
            one.reconnect(&self.bank).await;
        }
    }

    /// A class for elders of so many hours, deposited by the college.
    async fn elder(&self, key: &str, hours: u32) -> RecordRef {
        self.elder_of(self.learner, key, hours).await
    }

    async fn elder_of(&self, learner: LearnerCode, key: &str, hours: u32) -> RecordRef {
        let maker = &self.college.maker;
        let record = maker.outcome(key.as_bytes(), learner, elder(key, hours));
        self.college.deposit(&self.bank, vec![record]).await[0]
    }

    /// A degree course of three credits, deposited by the other school.
    async fn course(&self, name: &str) -> RecordRef {
        let record = self
            .other
            .maker
            .outcome(name.as_bytes(), self.learner, course(name));
        self.other.deposit(&self.bank, vec![record]).await[0]
    }

    /// A record of an application, which the window signs.
    fn application(&self, key: &str, uses: Vec<v1::Use>) -> v1::SignedRecord {
        self.application_of(self.learner, key, uses)
    }

    fn application_of(
        &self,
        learner: LearnerCode,
        key: &str,
        uses: Vec<v1::Use>,
    ) -> v1::SignedRecord {
        let form = v1::Application {
            programme: "nursing".into(),
            uses,
            note: "请予认定".into(),
        };
        let maker = &self.window.maker;
        maker.application(key.as_bytes(), learner, &self.set, form)
    }

    /// Applies; gives the leaf of the application.
    async fn apply(&self, key: &str, uses: Vec<v1::Use>) -> Result<u64, String> {
        let record = self.application(key, uses);
        let batch = self.window.sign(vec![record]);
        placed(self.window.line.recognition().apply(batch).await)
    }

    /// Applies and waits until the bank has decided by itself.
    async fn granted(&self, key: &str, uses: Vec<v1::Use>) -> v1::ApplicationFile {
        let application = self.apply(key, uses).await.expect("something is granted");
        self.becomes(application, v1::ApplicationState::Decided)
            .await
    }

    /// A vote of the expert with this number, from 0.
    async fn vote(&self, expert: usize, application: u64, approve: bool) -> Result<u64, String> {
        let expert = &self.experts[expert];
        let target = self.named(application).await;
        let key = application.to_be_bytes();
        let record = expert
            .maker
            .review(&key, self.learner, target, approve, "已审");
        placed(
            expert
                .line
                .recognition()
                .review(expert.sign(vec![record]))
                .await,
        )
    }

    /// The window appeals.
    async fn appeal(&self, application: u64) -> Result<u64, String> {
        let target = self.named(application).await;
        let key = [&b"appeal"[..], &application.to_be_bytes()].concat();
        let record = self
            .window
            .maker
            .appeal(&key, self.learner, target, "不服决定");
        let batch = self.window.sign(vec![record]);
        placed(self.window.line.recognition().appeal(batch).await)
    }

    /// The window withdraws.
    async fn withdraw(&self, application: u64) -> Result<u64, String> {
        let target = self.named(application).await;
        let key = [&b"withdrawal"[..], &application.to_be_bytes()].concat();
        let record = self
            .window
            .maker
            .withdrawal(&key, self.learner, target, "不再申请");
        let batch = self.window.sign(vec![record]);
        placed(self.window.line.recognition().withdraw(batch).await)
    }

    /// A school objects.
    async fn object(&self, school: &Institution, application: u64) -> Result<u64, String> {
        let target = self.named(application).await;
        let key = [&b"objection"[..], &application.to_be_bytes()].concat();
        let record = school
            .maker
            .objection(&key, self.learner, target, "证书存疑");
        let batch = school.sign(vec![record]);
        placed(school.line.recognition().object(batch).await)
    }

    async fn named(&self, leaf: u64) -> RecordRef {
        named(&self.operator, leaf).await.expect("there is a leaf")
    }

    /// The bank's next step, taken by its operator.
    async fn advance(
        &self,
        application: u64,
        action: v1::ApplicationAction,
    ) -> Result<v1::ApplicationFile, String> {
        let request = v1::AdvanceRequest {
            learner: digits(self.learner),
            application,
            action: action.into(),
            reason: "依规则".into(),
        };
        let answer = self.operator.recognition().advance(request).await;
        answer.map(tonic::Response::into_inner).map_err(code)
    }

    /// Steps that must succeed, one after the other.
    async fn advanced(&self, application: u64, actions: &[v1::ApplicationAction]) {
        for action in actions {
            let taken = self.advance(application, *action).await;
            assert!(taken.is_ok(), "{action:?}: {taken:?}");
        }
    }

    /// An application as the operator sees it.
    async fn file(&self, application: u64) -> v1::ApplicationFile {
        file(&self.operator, application).await.expect("a file")
    }

    /// Waits until an application is in a state.
    async fn becomes(&self, application: u64, state: v1::ApplicationState) -> v1::ApplicationFile {
        let waiting = async {
            loop {
                let file = self.file(application).await;
                if file.state() == state {
                    return file;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(BOUND, waiting).await;
        waited.unwrap_or_else(|_| panic!("application {application} does not become {state:?}"))
    }

    /// What uses would be granted; none means all that the archive offers.
    async fn simulate(&self, uses: Vec<v1::Use>) -> v1::Evaluation {
        let request = v1::SimulateRequest {
            learner: digits(self.learner),
            rule_set: "works".into(),
            programme: "nursing".into(),
            uses,
            ..Default::default()
        };
        let answer = self.window.line.recognition().simulate(request).await;
        answer.expect("a window simulates").into_inner()
    }

    /// Leaves in the log.
    async fn leaves(&self) -> u64 {
        leaves(&self.operator).await
    }

    /// Revokes a record of the college.
    async fn revoke(&self, target: RecordRef) {
        let key = [&b"revoke"[..], &target.leaf_index.0.to_be_bytes()].concat();
        let maker = &self.college.maker;
        let record = maker.revocation(&key, self.learner, target, "登记有误");
        self.college.deposit(&self.bank, vec![record]).await;
    }
}

/// A class for elders, all sessions attended.
fn elder(name: &str, hours: u32) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: String::new(),
            name: name.to_owned(),
        }),
        project: project(v1::Category::ElderCourse),
        hours_hundredths: Some(hours * 100),
        completed_on: "2024-06-30".to_owned(),
        detail: Some(attended()),
        ..Default::default()
    }
}

/// A use of outcomes under a rule.
pub(crate) fn used(rule: &str, outcomes: &[RecordRef]) -> v1::Use {
    let mut leaves: Vec<_> = outcomes.iter().map(|it| it.leaf_index.0).collect();
    leaves.sort_unstable();
    v1::Use {
        rule: rule.to_owned(),
        outcomes: leaves,
        courses: Vec::new(),
    }
}

/// The leaf of the one record of a batch, or the code that refused it.
pub(crate) fn placed(
    answer: Result<tonic::Response<v1::SubmitBatchResponse>, tonic::Status>,
) -> Result<u64, String> {
    let response = answer.map_err(code)?.into_inner();
    if let Some(row) = response.refused.first() {
        return Err(row.violations[0].code.clone());
    }
    let duplicate = || response.duplicates[0].receipt.as_ref().expect("a receipt");
    Ok(response
        .created
        .as_ref()
        .map_or_else(|| duplicate().leaf_index, |it| it.first_leaf_index))
}

async fn file(line: &Connection, application: u64) -> Result<v1::ApplicationFile, String> {
    let request = v1::GetApplicationRequest { application };
    let answer = line.recognition().get_application(request).await;
    answer.map(tonic::Response::into_inner).map_err(code)
}

/// Everything of the work queue that a caller sees.
async fn queue(
    line: &Connection,
    query: v1::ListApplicationsRequest,
) -> Result<Vec<v1::ApplicationFile>, String> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListApplicationsRequest {
            page_token,
            ..query.clone()
        };
        let answer = line.recognition().list_applications(request).await;
        let page = answer.map_err(code)?.into_inner();
        found.extend(page.applications);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

fn code(status: tonic::Status) -> String {
    let refused = Refused::new(status);
    refused
        .code
        .unwrap_or_else(|| format!("{:?}", refused.grpc))
}

/// Credits of an evaluation.
fn credits(file: &v1::ApplicationFile) -> u32 {
    file.evaluation
        .as_ref()
        .map_or(0, |it| it.credits_hundredths)
}

/// The kinds of the steps of an application.
fn kinds(file: &v1::ApplicationFile) -> Vec<v1::RecordKind> {
    file.steps.iter().map(v1::ApplicationStep::kind).collect()
}

/// A school with a unified social credit code, and an expert of the same one.
pub(crate) async fn with_expert(
    bank: &Bank,
    school: &str,
    uscc: &str,
) -> (Institution, Institution) {
    let mut registry = bank.operator().await.registry();
    let expert = format!("{school}-expert");
    let both = [
        (
            school,
            v1::Role::Institution,
            vec![v1::Category::DegreeCourse],
        ),
        (&expert, v1::Role::Reviewer, vec![]),
    ];
    let mut made = Vec::new();
    for (id, role, categories) in both {
        let keys = std::sync::Arc::new(keys(id));
        let mut request = admission(&keys, role, &categories);
        if let Some(profile) = &mut request.profile {
            profile.uscc = uscc.to_owned();
        }
        let created = registry.create_institution(request).await;
        created.expect("the operator admits");
        made.push(Institution::known(bank, keys).await);
    }
    let expert = made.pop().expect("two");
    (made.pop().expect("two"), expert)
}
