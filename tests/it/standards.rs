//! Standards of the tests: a rule set that asks for nothing, and projects admitted under it, so that institutions can
//! deposit what needs a project.

use creditbank_client::{batch, submit};
use creditbank_wire::v1;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::bank::{Bank, ORIGIN};
use crate::institution::{Institution, admission, keys};

/// A set with one standard for each category that needs a project; each takes everything.
const OPEN: &str = r#"
[document]
title = "测试标准"
source = "test"

[set]
id = "open"
version = "1"
title = "Open"
effective = { from = "2020-01-01" }

[[standard]]
id = "open"
version = "1"
title = "Open"
clause = "第一条"
catalogued = true
categories = ["training", "community-course", "elder-course", "venue-learning", "humanities-walk", "dual-track"]
"#;

/// Whether outcomes of a category need a project.
pub(crate) fn needs_project(category: v1::Category) -> bool {
    !matches!(
        category,
        v1::Category::DegreeCourse | v1::Category::SelfStudyExam | v1::Category::SkillCertificate
    )
}

/// The project of the tests for a category.
pub(crate) fn project(category: v1::Category) -> String {
    format!("project-{}", category as i32)
}

/// Publishes a rule set of one document; gives its hash.
pub(crate) async fn publish(bank: &Bank, text: &str) -> Vec<u8> {
    let mut rules = bank.operator().await.rules();
    let document = v1::RuleFile {
        name: "set.toml".into(),
        text: text.to_owned(),
    };
    let request = v1::PublishRuleSetRequest {
        documents: vec![document],
        validate_only: false,
    };
    let published = rules.publish_rule_set(request).await;
    published
        .expect("the set is right")
        .into_inner()
        .hash
        .to_vec()
}

/// Admits the project of the tests for each category that needs one.
pub(crate) async fn admit(bank: &Bank, institution: &Institution, categories: &[v1::Category]) {
    let needed: Vec<_> = categories
        .iter()
        .copied()
        .filter(|category| needs_project(*category))
        .collect();
    if needed.is_empty() {
        return;
    }
    let listed = bank
        .operator()
        .await
        .rules()
        .list_rule_sets(v1::ListRuleSetsRequest {
            set_id: "open".into(),
            ..Default::default()
        })
        .await
        .expect("everybody may read")
        .into_inner();
    let (hash, reviewer) = match listed.rule_sets.first() {
        Some(set) => (
            set.hash.to_vec(),
            Institution::known(bank, keys("reviewer").into()).await,
        ),
        None => {
            let reviewer = registered(bank, "reviewer", v1::Role::Reviewer).await;
            (publish(bank, OPEN).await, reviewer)
        }
    };
    for category in needed {
        let proposal = v1::ProjectProposed {
            institution: institution.id().into(),
            project: project(category),
            title: "测试项目".into(),
            category: category.into(),
            rule_set_hash: hash.clone().into(),
            standard: "open".into(),
            standard_version: "1".into(),
            kind: v1::ProjectKind::Course.into(),
        };
        decide(bank, institution, &reviewer, proposal).await;
    }
}

/// Registers somebody of another role than an institution's, and connects.
pub(crate) async fn registered(bank: &Bank, id: &str, role: v1::Role) -> Institution {
    let keys = std::sync::Arc::new(keys(id));
    let mut registry = bank.operator().await.registry();
    registry
        .create_institution(admission(&keys, role, &[]))
        .await
        .expect("the operator admits");
    Institution::known(bank, keys).await
}

/// Proposes a project, has it reviewed by one reviewer and admitted.
pub(crate) async fn decide(
    bank: &Bank,
    institution: &Institution,
    reviewer: &Institution,
    proposal: v1::ProjectProposed,
) {
    use v1::statement::Content;
    let project = proposal.project.clone();
    declare(institution, Content::ProjectProposed(proposal)).await;
    let review = v1::ProjectReviewed {
        reviewer: reviewer.id().into(),
        institution: institution.id().into(),
        project: project.clone(),
        approve: true,
    };
    declare(reviewer, Content::ProjectReviewed(review)).await;
    let request = v1::DecideProjectRequest {
        institution: institution.id().into(),
        project,
        admit: true,
        expires_on: String::new(),
    };
    let mut rules = bank.operator().await.rules();
    rules
        .decide_project(request)
        .await
        .expect("one reviewer is enough");
}

/// Puts a declaration into the log.
pub(crate) async fn declare(who: &Institution, content: v1::statement::Content) {
    let decided = try_to_declare(who, content).await;
    assert!(decided.refused.is_empty(), "{:?}", decided.refused);
}

/// The same, whatever the bank says.
pub(crate) async fn try_to_declare(
    who: &Institution,
    content: v1::statement::Content,
) -> v1::SubmitBatchResponse {
    let statement = v1::Statement {
        version: 1,
        content: Some(content),
    }
    .encode_to_vec();
    let envelope = v1::Envelope {
        version: 1,
        issuer: who.id().into(),
        record_id: Sha256::digest(&statement)[..16].to_vec().into(),
        kind: v1::RecordKind::Declaration.into(),
        statement: statement.into(),
        ..Default::default()
    };
    let record = v1::SignedRecord {
        envelope: envelope.encode_to_vec().into(),
        ..Default::default()
    };
    let batch = batch::sign(ORIGIN, &who.keys, vec![record]).expect("one record");
    let acknowledged = submit::submit(&who.line, batch).await;
    acknowledged.expect("the batch is right").response
}
