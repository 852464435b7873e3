//! The golden documents of `crates/credential`, one badge of each category of outcome, a CLR and a status list.

use serde_json::{Value, json};

use crate::mutation::{self, Mutation};
use crate::verifiers::{Verifier, node, python, root};

/// When the golden documents were signed.
const SIGNED_AT: &str = "2026-11-20T02:03:04+00:00";

pub(crate) fn golden(name: &str) -> Value {
    let path = root().join("crates/credential/tests/data").join(name);
    let text = std::fs::read_to_string(path).expect("a golden document");
    serde_json::from_str(&text).expect("JSON")
}

fn names() -> Vec<String> {
    let folder = root().join("crates/credential/tests/data");
    let entries = std::fs::read_dir(folder).expect("the golden documents");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort_unstable();
    assert_eq!(names.len(), 12, "nine badges, two CLRs and a status list");
    names
}

fn case(name: &str, what: &str, credential: &Value) -> Value {
    json!({"name": name, "what": what, "credential": credential, "now": SIGNED_AT})
}

fn accepts_all(verifier: Option<Verifier>) {
    let Some(mut verifier) = verifier else {
        return;
    };
    let names = names();
    // Whether a list is still fresh is asked of the clock by one verifier; its signature is looked at here.
    let cases = names.iter().map(|name| case(name, "verify", &golden(name)));
    for verdict in verifier.ask(cases.collect()) {
        assert_eq!(verdict["rdfc"], true, "{}: {verdict}", verifier.name());
        assert_eq!(verdict["jcs"], true, "{}: {verdict}", verifier.name());
    }
}

#[test]
fn node_verifies_every_document_by_both_suites() {
    accepts_all(node());
}

#[test]
fn python_verifies_every_document_by_both_suites() {
    accepts_all(python());
}

#[test]
fn canonical_rdf_and_json_are_those_of_other_processors() {
    let Some(mut node) = node() else {
        return;
    };
    // Signed bytes that differ between processors would be refused by half the world, and a term that ours drops would not
    // be signed at all; the other processor stops at a term that it would have to drop.
    for (document, nquads) in [
        ("clr.json", "clr.nq"),
        ("status-list.json", "status-list.nq"),
    ] {
        let verdict = node.ask_one(case(document, "nquads", &golden(document)));
        let path = root().join("crates/credential/tests/data").join(nquads);
        let ours = std::fs::read_to_string(path).unwrap();
        assert_eq!(verdict["nquads"], ours, "{document}");
    }
    for document in names() {
        let document = golden(&document);
        let verdict = node.ask_one(case("", "jcs", &document));
        let ours = creditbank_credential::canon::jcs(&document).unwrap();
        assert_eq!(verdict["jcs"], String::from_utf8(ours).unwrap());
    }
}

#[test]
fn badges_match_the_schema_of_open_badges() {
    let Some(mut python) = python() else {
        return;
    };
    let mut badges: Vec<Value> = names()
        .iter()
        .filter(|name| name.starts_with("badge-"))
        .map(|name| golden(name))
        .collect();
    let clr = golden("clr.json");
    let members = clr["credentialSubject"]["verifiableCredential"].as_array();
    badges.extend(members.expect("members").iter().cloned());
    let cases = badges
        .iter()
        .map(|badge| case("", "schema", badge))
        .collect();
    for verdict in python.ask(cases) {
        assert_eq!(verdict["schema"], json!([]), "{verdict}");
    }
    let mut wrong = golden("badge-training.json");
    wrong["credentialSubject"]["achievement"]["achievementType"] = json!(7);
    let verdict = python.ask_one(case("", "schema", &wrong));
    assert_ne!(verdict["schema"], json!([]), "the schema is looked at");
}

/// What the Python verifiers let pass, none of which is a signature over other content. openvc-core takes the context of the
/// second proof from the document, which is signed. A CLR is beyond the strict verifier of openbadgeslib, so its envelope is
/// checked without a look for terms that mean nothing; those inside its badges are found.
fn python_passes(mutation: &Mutation) -> bool {
    let is_of_envelope = !mutation.name.contains("/verifiableCredential/");
    let is_clr = mutation.credential["type"][1] == "ClrCredential";
    mutation.only_context_of_proof
        || (is_clr && is_of_envelope && mutation.name.starts_with("add "))
}

/// Every mutation is refused by each suite whose signature covers what was changed.
fn refuses(verifier: Option<Verifier>, mutations: Vec<Mutation>) {
    let Some(mut verifier) = verifier else {
        return;
    };
    let cases = mutations.iter();
    let cases = cases.map(|it| case(&it.name, "verify", &it.credential));
    let verdicts = verifier.ask(cases.collect());
    let wrong: Vec<_> = mutations
        .iter()
        .zip(&verdicts)
        .filter(|(mutation, verdict)| {
            (mutation.fails_rdfc && verdict["rdfc"] == true)
                || (mutation.fails_jcs && verdict["jcs"] == true)
        })
        .map(|(mutation, verdict)| format!("{}: {verdict}", mutation.name))
        .collect();
    let count = mutations.len();
    assert!(count > 50, "only {count} mutations");
    assert_eq!(wrong, Vec::<String>::new(), "of {count} mutations");
    // A verifier that refused everything would pass as well.
    let half = |suite: &str| verdicts.iter().any(|verdict| verdict[suite] == true);
    assert!(
        half("rdfc") && half("jcs"),
        "each proof stands without the other"
    );
}

#[test]
fn node_refuses_a_badge_after_any_change() {
    let badge = golden("badge-degree-course.json");
    let mut mutations = mutation::structural(&badge);
    mutations.extend(mutation::bytes(&badge, 7));
    refuses(node(), mutations);
}

#[test]
fn python_refuses_a_badge_after_any_change() {
    let badge = golden("badge-degree-course.json");
    let mut mutations = mutation::structural(&badge);
    mutations.extend(mutation::bytes(&badge, 61));
    mutations.retain(|mutation| !python_passes(mutation));
    refuses(python(), mutations);
}

#[test]
fn node_refuses_a_clr_after_any_change() {
    let mutations = mutation::structural(&golden("clr-of-two.json"));
    refuses(node(), mutations.into_iter().step_by(3).collect());
}

#[test]
fn python_refuses_a_clr_after_any_change() {
    let mutations = mutation::structural(&golden("clr-of-two.json"));
    let some = mutations.into_iter().filter(|it| !python_passes(it));
    refuses(python(), some.step_by(7).collect());
}

#[test]
fn node_refuses_a_status_list_after_any_change() {
    refuses(node(), mutation::structural(&golden("status-list.json")));
}
