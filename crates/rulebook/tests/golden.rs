//! What the shipped sets decide, to the hundredth: a build that decides any worked example otherwise, in whatever
//! detail, is another judge than the one that recorded the decisions of a bank.
//!
//! `golden/decisions.txt` holds each example's decision. A set is never changed once it was published, only followed by
//! another version; whoever adds examples appends what this test writes beside its build.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use creditbank_domain::rules::{Compiled, Decision, LineTarget, Missing};
use creditbank_rulebook::{Source, examples, read, run};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rules");
const GOLDEN: &str = include_str!("golden/decisions.txt");

#[test]
fn every_worked_example_is_decided_as_it_always_was() {
    let mut text = String::new();
    for (name, sources) in sets() {
        let set = Compiled::new(read(sources.clone()).expect("a shipped set is right"));
        for example in examples(&sources).expect("its examples are right") {
            let Some(decision) = run(&set, &example).decision else {
                continue;
            };
            let (title, programme) = (&example.title.zh, &decision.programme);
            writeln!(text, "{name}: {title}\n  {programme} {}", decision.date).unwrap();
            write_decision(&mut text, &decision);
        }
    }
    if text != GOLDEN {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("decisions.txt");
        fs::write(&path, &text).unwrap();
        let (line, (now, was)) = (1..)
            .zip(text.lines().zip(GOLDEN.lines()))
            .find(|(_, (now, was))| now != was)
            .unwrap_or((0, ("more", "less")));
        panic!(
            "line {line} was {was:?} and is {now:?}; all of it is in {}",
            path.display()
        );
    }
}

fn write_decision(text: &mut String, decision: &Decision) {
    for line in &decision.lines {
        let to = match &line.to {
            LineTarget::Course(code) => code,
            LineTarget::Module(id) => id,
            LineTarget::Nothing => "nothing",
        };
        let (outcomes, credits) = (leaves(&line.outcomes), line.credits.hundredths());
        let (spent, grade) = (line.source_credits.hundredths(), line.grade);
        let exclusive = if line.exclusive { " exclusive" } else { "" };
        write!(
            text,
            "  + {} {outcomes} {to} {credits} of {spent} {grade:?}{exclusive}",
            line.rule
        )
        .unwrap();
        for (limit, group) in &line.counted.groups {
            write!(text, " {limit}:{group}").unwrap();
        }
        text.push('\n');
    }
    for refused in &decision.refused {
        let (rule, outcomes) = (&refused.rule, leaves(&refused.outcomes));
        writeln!(text, "  - {rule} {outcomes} {}", refused.reason.code()).unwrap();
    }
    let progress = &decision.progress;
    let amounts = [progress.studied, progress.recognised, progress.total];
    let [studied, recognised, total] = amounts.map(creditbank_domain::Credit::hundredths);
    let automatic = decision.automatic;
    writeln!(
        text,
        "  = {studied} {recognised} {total} automatic {automatic}"
    )
    .unwrap();
    let missing: Vec<String> = progress.missing.iter().map(missing).collect();
    if !missing.is_empty() {
        writeln!(text, "  ? {}", missing.join(", ")).unwrap();
    }
}

fn missing(missing: &Missing) -> String {
    match missing {
        Missing::Course(code) => code.clone(),
        Missing::Module { module, credits } => format!("module {module} {}", credits.hundredths()),
        Missing::Residency(credits) => format!("residency {}", credits.hundredths()),
        Missing::AtLevel(credits) => format!("level {}", credits.hundredths()),
        Missing::Minimum { minimum, credits } => {
            format!("minimum {minimum} {}", credits.hundredths())
        }
        Missing::Total(credits) => format!("total {}", credits.hundredths()),
    }
}

fn leaves(outcomes: &[creditbank_domain::LeafIndex]) -> String {
    let outcomes: Vec<_> = outcomes.iter().map(ToString::to_string).collect();
    outcomes.join(",")
}

/// The shipped sets by name.
fn sets() -> Vec<(String, Vec<Source>)> {
    let mut sets: Vec<_> = entries(Path::new(DIRECTORY))
        .into_iter()
        .filter(|(_, path)| path.is_dir())
        .map(|(name, directory)| {
            let files = entries(&directory).into_iter();
            let sources = files.map(|(name, path)| {
                Source::from_file(name, &fs::read(path).unwrap()).expect("UTF-8")
            });
            (name, sources.collect())
        })
        .collect();
    sets.sort_by(|(one, _), (next, _)| one.cmp(next));
    sets
}

fn entries(directory: &Path) -> Vec<(String, std::path::PathBuf)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect()
}
