//! A decision as JSON, byte for byte.

mod base_set;

use base_set::{base, source};
use creditbank_domain::rules::{Case, Compiled, simulate};
use creditbank_rulebook::{decision_json, examples, read};

/// Three outcomes of a learner of nursing: one recognised with a limit, one by hours, one refused.
const DOCUMENT: &str = "document = { title = 't', source = 's' }\n\
    [[rule]]\nid = 'refuses'\ntitle = 't'\nclause = 'art. 10'\nform = 'certificate-to-credits'\n\
    select = { category = 'skill-certificate' }\nwhen.valid_years = 2\ngrant = [ { electives = true, credits = 'source' } ]\n\
    [[limit]]\nid = 'a-year'\ntitle = 'l'\nclause = 'art. 11'\nper = ['year:03-01']\nmax = { credits = '1.5' }\nelectives_only = true\n\
    [[example]]\ntitle = 't'\nprogramme = 'nursing'\ndate = '2026-06-30'\noutcomes = [\n\
    { id = 1, category = 'degree-course', name = '高数', credits = '6', grade = '80', completed_on = '2024-07-01' },\n\
    { id = 2, category = 'elder-course', name = '国画', hours = '32', planned = 16, attended = 16, completed_on = '2025-06-20' },\n\
    { id = 3, category = 'skill-certificate', name = '养老护理员', credits = '4', completed_on = '2024-06-29' },\n]\n\
    uses = [ { rule = 'same-course', outcomes = [1] }, { rule = 'elder-hours', outcomes = [2] }, { rule = 'refuses', outcomes = [3] } ]\n\
    expect.credits = '7.5'\n";

#[test]
fn a_decision_reads_as_it_always_did() {
    let sources = vec![base(), source("more.toml", DOCUMENT)];
    let example = examples(&sources).expect("right").remove(0);
    let set = Compiled::new(read(sources).expect("right"));
    let decision = creditbank_rulebook::run(&set, &example)
        .decision
        .expect("for a programme");
    let mut json = decision_json(&set, &decision, &example.held);
    // The sentences are the engine's own and tested there; here they must be there, in both languages.
    let explanation = json["explanation"].take();
    let count = |language: &str| explanation[language].as_array().map_or(0, Vec::len);
    assert!(
        count("zh") > 5 && count("zh") == count("en"),
        "{explanation}"
    );
    let golden = include_str!("documents/decision.json");
    assert_eq!(format!("{json:#}\n"), golden);
    // What a simulation finds is written the same way.
    let case = Case {
        programme: "nursing",
        date: example.date,
        held: &example.held,
        prior: &[],
    };
    let (_, simulated) = simulate(&set, &case);
    assert_eq!(
        decision_json(&set, &simulated, &example.held)["credits"],
        750
    );
}
