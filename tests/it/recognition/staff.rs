//! What people write is text on every page that staff sees, and what would change how it is read is not taken at all.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::{Scene, placed, rules, used};
use crate::access::{self, delegation, enrol, grant_by, printed};
use crate::bank::{Bank, command};
use crate::gateway::browser::Browser;
use crate::institution::{Institution, admission, course, digits, keys};
use crate::standards::{self, try_to_declare};
use creditbank_client::InstitutionKeys;
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use creditbank_wire::v1::statement::Content;

/// What somebody writes where a name or a reason is asked for.
const HOSTILE: &str = "甲<script>alert(1)</script>\"'>";
/// How a page shows it.
const SHOWN: &str = "甲&#60;script&#62;alert(1)&#60;/script&#62;";
/// It is shown as 乙txt.exe丙.
const REVERSED: &str = "乙\u{202e}exe.txt\u{202c}丙";

/// A desk, and the browser that it opened for.
struct Desk {
    process: Child,
    browser: Browser,
}

impl Desk {
    fn open(bank: &Bank, keys: &InstitutionKeys) -> Self {
        let file = bank.beside().join(format!("{}.key", keys.institution()));
        std::fs::write(&file, keys.to_file()).expect("room");
        let mut process = command()
            .args([
                "desk",
                "serve",
                "--server",
                &format!("http://{}", bank.grpc()),
            ])
            .arg("--key")
            .arg(file)
            .arg("--bank")
            .arg(bank.dir().join("bank.pub"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut told = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut told).expect("text");
        let (address, path) = told
            .trim()
            .strip_prefix("http://")
            .and_then(|it| it.split_once('/'))
            .unwrap_or_else(|| panic!("no address but {told:?}"));
        let mut browser = Browser::new(address.parse().expect("an address"));
        browser.get(&format!("/{path}")).is(303);
        Self { process, browser }
    }

    /// Demands that each of these pages shows what was written, as text.
    #[track_caller]
    fn shows(&mut self, pages: &[&str]) {
        for path in pages {
            let page = self.browser.get(path).is(200).text();
            is_text(path, &page);
        }
    }

    /// Sends a form from this page, and demands the same of the answer.
    #[track_caller]
    fn answers(&mut self, path: &str, to: &str, fields: &[(&str, &str)]) {
        let page = self.browser.get(path).is(200).text();
        let token = page.split("name=\"csrf\" value=\"").nth(1);
        let token = token.and_then(|it| it.split('"').next()).expect("a form");
        let fields = [&[("csrf", token)], fields].concat();
        let page = self.browser.post(to, &fields).is(200).text();
        is_text(to, &page);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[track_caller]
fn is_text(path: &str, page: &str) {
    assert!(page.contains(SHOWN), "{path} does not show it: {page}");
    assert!(!page.contains("<script>alert"), "{path}: {page}");
    assert!(!page.contains("\"'>"), "{path} ends an attribute: {page}");
}

/// Names and titles that came from outside, in a rule set too.
async fn hostile_scene() -> (Scene, Institution, u64) {
    let mut scene = Scene::new(0, 0).await;
    let quoted = HOSTILE.replace('"', "\\\"");
    let titled = rules("2", 0, 0, "")
        .replace("护理", &quoted)
        .replace("社会学", &quoted);
    let set = standards::publish(&scene.bank, &titled).await;
    scene.set = set.try_into().expect("a hash");
    let gateway = standards::registered(&scene.bank, "gateway", v1::Role::Gateway).await;
    let outcome = scene.course(HOSTILE).await;
    let uses = vec![used("uncatalogued", &[outcome])];
    let application = apply(&scene, HOSTILE, uses)
        .await
        .expect("it may be granted");
    scene
        .advanced(application, &[v1::ApplicationAction::Accept])
        .await;
    review(&scene, application, HOSTILE).await.expect("a vote");
    (scene, gateway, application)
}

async fn apply(scene: &Scene, note: &str, uses: Vec<v1::Use>) -> Result<u64, String> {
    let form = v1::Application {
        programme: "nursing".into(),
        uses,
        note: note.to_owned(),
    };
    let maker = &scene.window.maker;
    let record = maker.application(note.as_bytes(), scene.learner, &scene.set, form);
    let batch = scene.window.sign(vec![record]);
    placed(scene.window.line.recognition().apply(batch).await)
}

async fn review(scene: &Scene, application: u64, reason: &str) -> Result<u64, String> {
    let expert = &scene.experts[0];
    let target = scene.named(application).await;
    let record = expert
        .maker
        .review(reason.as_bytes(), scene.learner, target, true, reason);
    let batch = expert.sign(vec![record]);
    placed(expert.line.recognition().review(batch).await)
}

/// A gateway passes on that a learner asks for a correction.
async fn correct(
    gateway: &Institution,
    learner: LearnerCode,
    leaf_index: u64,
    text: &str,
) -> Result<(), String> {
    let correction = v1::Correction {
        leaf_index,
        text: text.to_owned(),
        ..Default::default()
    };
    let request = v1::CreateRequestRequest {
        learner: digits(learner),
        request_id: vec![7; 16].into(),
        content: Some(v1::create_request_request::Content::Correction(correction)),
    };
    let asked = gateway.line.line().requests().create_request(request).await;
    access::told(asked).map(drop)
}

async fn admit(bank: &Bank, name: &str) -> Result<(), String> {
    let mut request = admission(&keys("hostile"), v1::Role::Institution, &[]);
    if let Some(profile) = &mut request.profile {
        name.clone_into(&mut profile.display_name);
    }
    let mut registry = bank.operator().await.registry();
    access::told(registry.create_institution(request).await).map(drop)
}

/// Proposes a project; gives the code that refused it.
async fn propose(scene: &Scene, title: &str) -> Option<String> {
    let open = v1::ListRuleSetsRequest {
        set_id: "open".into(),
        ..Default::default()
    };
    let sets = scene.operator.rules().list_rule_sets(open).await;
    let sets = sets.expect("everybody may read").into_inner();
    let proposal = v1::ProjectProposed {
        institution: "college".into(),
        project: "hostile".into(),
        title: title.to_owned(),
        category: v1::Category::ElderCourse.into(),
        rule_set_hash: sets.rule_sets[0].hash.clone(),
        standard: "open".into(),
        standard_version: "1".into(),
        kind: v1::ProjectKind::Course.into(),
    };
    let answer = try_to_declare(&scene.college, Content::ProjectProposed(proposal)).await;
    let row = answer.refused.first()?;
    Some(row.violations[0].code.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_write_is_text_on_every_page_of_staff() {
    let (scene, gateway, application) = hostile_scene().await;
    let bank = &scene.bank;
    admit(bank, HOSTILE).await.expect("any name");
    assert_eq!(propose(&scene, HOSTILE).await, None);
    let record = scene.course(&format!("{HOSTILE}2")).await;
    let leaf = record.leaf_index.0;
    correct(&gateway, scene.learner, leaf, HOSTILE)
        .await
        .expect("any text");
    let person = enrol(&scene.other, "E12345678", HOSTILE).await;
    let deposited = scene.other.maker.outcome(b"shown", person, course(HOSTILE));
    scene.other.deposit(bank, vec![deposited]).await;
    let paper = printed(v1::DeskPurpose::Records);
    let (_, secret) = grant_by(&gateway.line, person, 90, paper)
        .await
        .expect("a code");
    let relative = delegation(scene.learner, HOSTILE);
    grant_by(&scene.window.line, person, 90, relative)
        .await
        .expect("any label");

    let file = format!("/applications/{application}");
    let mut school = Desk::open(bank, &scene.other.keys);
    school.shows(&["/requests"]);
    let list = school.browser.get("/submissions").text();
    let link = list.split("href=\"/submissions/").nth(1).expect("a record");
    let id = link.split('"').next().unwrap_or_default().to_owned();
    school.shows(&[&format!("/submissions/{id}")]);
    let number = v1::IdentityKind::Passport as i32;
    let purpose = (v1::DeskPurpose::Records as i32).to_string();
    let form = [
        ("purpose", &*purpose),
        ("code", &*secret),
        ("document", &*number.to_string()),
        ("number", "E12345678"),
        ("issuer", "CHN"),
    ];
    school.answers("/scan", "/scan", &form);
    let mut expert = Desk::open(bank, &scene.experts[0].keys);
    expert.shows(&["/projects", &file]);
    let mut operator = Desk::open(bank, &bank.operator_keys());
    operator.shows(&["/projects", "/institutions", "/institutions/hostile", &file]);
    let mut window = Desk::open(bank, &scene.window.keys);
    window.answers(
        "/window",
        "/window/allowed",
        &[("learner", &digits(person))],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_change_how_it_is_read_is_not_taken() {
    let (scene, gateway, application) = hostile_scene().await;
    let bank = &scene.bank;
    let refused = Err("BAD_CHARACTER".to_owned());
    assert_eq!(
        admit(bank, REVERSED).await,
        refused,
        "a name of an institution"
    );
    assert_eq!(
        propose(&scene, REVERSED).await,
        refused.clone().err(),
        "a title"
    );
    let record = scene.course("人口学").await;
    let asked = correct(&gateway, scene.learner, record.leaf_index.0, REVERSED).await;
    assert_eq!(asked, refused, "a request");
    let reversed = scene
        .other
        .maker
        .outcome(b"r", scene.learner, course(REVERSED));
    let answer = scene
        .other
        .submit(vec![reversed])
        .await
        .expect("an answer")
        .response;
    assert_eq!(
        answer.refused[0].violations[0].code, "BAD_CHARACTER",
        "a course"
    );
    let relative = delegation(scene.learner, REVERSED);
    let person = enrol(&scene.other, "E12345678", "李四").await;
    let granted = grant_by(&scene.window.line, person, 90, relative).await;
    assert_eq!(granted.map(drop), refused, "who a relative is");
    let voted = review(&scene, application, REVERSED).await.map(drop);
    assert_eq!(voted, refused, "a reason");
    let uses = vec![used("uncatalogued", &[record])];
    assert_eq!(
        apply(&scene, REVERSED, uses).await.map(drop),
        refused,
        "a note"
    );
}
