//! Recognition in the demo: rule sets published, projects admitted, and learners who simulate, plan, apply and are
//! decided, one of them by a panel.

mod dates;
mod learners;
mod totals;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

pub(super) use self::learners::Learner;
pub(super) use self::totals::Decided;
use super::bank::Bank;
use super::printed::Show;
use crate::machine;
use crate::step::Steps;

/// The shipped sets.
const SETS: [&str; 5] = [
    "shanghai-open",
    "certificates",
    "elder-and-community",
    "delta",
    "korea-acbs",
];
/// The set that is published as the demo's own variant, which differs in its process alone.
const VARIED: &str = "certificates";
const VARIANT: &str = "certificates-demo";
const PROCESS: &str = include_str!("process.toml");
const PARTNERS: &str = include_str!("institutions.csv");

const OPERATOR: &str = "--key bank/operator.key";
const WINDOW: &str = "--key keys/window.key";
const REVIEWERS: [(&str, &str); 3] = [
    ("expert-1", "内容与学时核对无误"),
    ("expert-2", "与课程要求相当"),
    ("expert-3", "等级符合资历框架"),
];

/// What the partners have admitted. The first asks for credit in degrees, and so for a panel of three; the standards of
/// the others are catalogued.
const PROJECTS: &str = include_str!("projects.csv");

/// What is shown of a project that is admitted like the one before it.
const STANDING: [&str; 4] = ["title", "standard", "state", "approvals"];

/// Everything, and what became of it.
pub(super) fn run(
    steps: &mut Steps,
    bank: &Bank,
    learner: Option<Learner>,
    folder: &Path,
) -> Result<Decided> {
    steps.step("check and publish the rule sets", || {
        prepare(folder)?;
        publish(bank)
    })?;
    steps.step("register partners and reviewers", || {
        bank.run(&format!(
            "institution register --file partners.csv --keys keys {OPERATOR}"
        ))
    })?;
    steps.step("review and admit projects", || admit(bank))?;
    let mut decided = Decided::new();
    if learner.is_none() {
        println!("\nNone of the imported results is worth anything under the shipped rules.");
    }
    for learner in learner.into_iter().chain(learners::samples()) {
        steps.step(learner.step, || recognise(bank, &learner, &mut decided))?;
    }
    Ok(decided)
}

/// Writes the partners, their results and the rule documents into the demo's folder.
fn prepare(folder: &Path) -> Result<()> {
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("partners.csv", PARTNERS)?;
    let today = dates::today();
    for (name, text) in learners::samples().iter().filter_map(|it| it.results) {
        write(name, &dates::moved(text, today)?)?;
    }
    let shipped = machine::root().join("deploy/rules");
    for (from, to) in SETS
        .map(|set| (set, set))
        .into_iter()
        .chain([(VARIED, VARIANT)])
    {
        let to = folder.join("rules").join(to);
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(shipped.join(from))? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    let variant = |name: &str| format!("rules/{VARIANT}/{name}");
    write(&variant("process.toml"), PROCESS)?;
    let head = fs::read_to_string(folder.join(variant("set.toml")))?;
    let version = "version = \"2026.1\"";
    write(
        &variant("set.toml"),
        &head.replace(version, "version = \"2026.1-demo\""),
    )
}

fn publish(bank: &Bank) -> Result<()> {
    for set in SETS {
        bank.tell(
            &format!("rules test rules/{set} --language zh"),
            Show::First(6),
        )?;
        if set == VARIED {
            println!("\n  办理流程另出演示版：不设公示期，评审三人。差别如下。");
            println!("  The demo varies the process of this set; this is how:\n");
            let diff = format!("rules diff rules/{VARIED} rules/{VARIANT} --language zh");
            bank.tell(&diff, Show::All)?;
        }
        let set = if set == VARIED { VARIANT } else { set };
        let publish = format!("rules publish rules/{set} --language zh {OPERATOR}");
        bank.tell(&publish, Show::All)?;
    }
    Ok(())
}

/// Proposals, votes and admissions: the first in full.
fn admit(bank: &Bank) -> Result<()> {
    for (place, line) in PROJECTS.lines().skip(1).enumerate() {
        let [institution, id, title, category, rules, standard] =
            line.split(',').collect::<Vec<_>>()[..]
        else {
            bail!("projects.csv has a line without six columns: {line}");
        };
        let (proposed, show) = match place {
            0 => (Show::All, Show::All),
            _ => (Show::Nothing, Show::Only(&STANDING)),
        };
        let propose = format!(
            "standard propose {id} --title {title} --category {category} --rules {rules} --standard {standard} \
             --key keys/{institution}.key"
        );
        let said = bank.tell(&propose, proposed)?;
        let panel = field(&said, "approvals").and_then(|it| it.split(' ').nth(2)?.parse().ok());
        let panel = panel.unwrap_or(REVIEWERS.len()).min(REVIEWERS.len());
        for (reviewer, _) in &REVIEWERS[..panel] {
            let review =
                format!("standard review {institution} {id} --approve --key keys/{reviewer}.key");
            bank.tell(&review, Show::Nothing)?;
        }
        let decide = format!("standard decide {institution} {id} --admit {OPERATOR}");
        bank.tell(&decide, show)?;
    }
    Ok(())
}

/// One learner, from the results to the decision.
fn recognise(bank: &Bank, learner: &Learner, decided: &mut Decided) -> Result<()> {
    println!("{}：{}。\n", learner.name, learner.about);
    if let Some((file, _)) = learner.results {
        let import = format!("import {file} --keys keys --quiet");
        bank.tell(&import, Show::All)?;
    }
    let code = enrolled(bank, learner)?;
    let archive = bank.tell(&format!("archive {code} --limit 12 {OPERATOR}"), Show::All)?;
    let (rules, programme) = (learner.rules, learner.programme);
    let aim = format!("{code} --rules {rules} --programme {programme}");
    bank.tell(
        &format!("apply simulate {aim} {WINDOW}"),
        Show::UnderHeadings(6, 1),
    )?;
    bank.tell(
        &format!("apply plan {aim} {WINDOW}"),
        Show::UnderHeadings(6, 0),
    )?;
    if let Some((rule, name)) = learner.doubt {
        let outcome = archive.lines().find(|line| line.contains(name));
        let outcome = outcome.and_then(|line| line.split(' ').next());
        let outcome = outcome.with_context(|| format!("{name} is not in the archive"))?;
        println!("\n  “{name}”为什么没有认定？");
        let ask = format!("apply simulate {aim} --use {rule}={outcome} {WINDOW}");
        bank.tell(&ask, Show::UnderHeadings(3, 0))?;
    }
    let submit = format!("apply submit {aim} --plan {WINDOW}");
    let said = bank.tell_by(&submit, |said| match is_open(said) {
        true => Show::Only(&["application", "learner", "state", "due", "use"]),
        false => Show::UnderHeadings(8, 20),
    })?;
    let leaf = field(&said, "application").context("apply submit named no application")?;
    if is_open(&said) {
        review(bank, leaf)?;
    }
    if learner.earns {
        let award = format!("points award {code} --rules {rules} --language zh {OPERATOR}");
        bank.tell(&award, Show::First(4))?;
        let purse = format!("points show {code} --language zh {WINDOW}");
        bank.tell(&purse, Show::First(3))?;
    }
    decided.add(bank, learner, &code, leaf)
}

/// The learner's code, as the institution that knows the learner is told it.
fn enrolled(bank: &Bank, learner: &Learner) -> Result<String> {
    let (number, keeper) = (&learner.number, &learner.keeper);
    let document = match learner.document {
        "resident-id" => String::new(),
        kind => format!(" --kind {kind} --issuer {keeper}"),
    };
    let enrol = format!("learner enrol {number}{document} --key keys/{keeper}.key");
    let said = bank.tell(&enrol, Show::All)?;
    let code = said.split_whitespace().next();
    code.map(str::to_owned)
        .context("learner enrol gave no code")
}

/// Acceptance, the panel, the notice and the decision.
fn review(bank: &Bank, leaf: &str) -> Result<()> {
    let step = Show::Only(&["state", "due"]);
    println!("\n  有规则须经评审：受理、评审、公示、决定。\n");
    bank.tell(&format!("review accept {leaf} {OPERATOR}"), step)?;
    for (reviewer, reason) in REVIEWERS {
        let vote =
            format!("review vote {leaf} --approve --reason {reason} --key keys/{reviewer}.key");
        bank.tell(&vote, Show::Nothing)?;
    }
    bank.tell(&format!("review notice {leaf} {OPERATOR}"), step)?;
    bank.tell(
        &format!("review decide {leaf} {OPERATOR}"),
        Show::UnderHeadings(8, 20),
    )?;
    Ok(())
}

/// Whether an application waits for the bank.
fn is_open(said: &str) -> bool {
    field(said, "state").is_some_and(|state| state.starts_with("submitted"))
}

/// What a command said of something: the rest of the line that begins with its name.
fn field<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    let after = |line: &'a str| line.strip_prefix(name)?.strip_prefix(' ');
    said.lines().find_map(after).map(str::trim)
}
