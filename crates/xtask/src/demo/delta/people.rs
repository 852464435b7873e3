//! The learners of the demo: their courses, what they consent to, what they ask for, and what is recognised.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::region::Region;
use crate::demo::printed::Show;
use crate::demo::rate;
use crate::step;

/// Courses that the shipped rules know by name in every region, and their credits.
const COURSES: [(&str, u32); 6] = [
    ("消费者行为学", 4),
    ("市场调查", 4),
    ("电子商务概论", 4),
    ("管理学基础", 4),
    ("市场营销学", 5),
    ("商务谈判", 3),
];
/// Commands that run at one time.
const HANDS: usize = 4;

const MAPPING: &str = include_str!("courses.toml");
const NOTICE: &str = include_str!("notice.txt");

/// Learners whose outcomes go from one region to another; regions by their places.
pub(super) struct Group {
    from: usize,
    to: usize,
    learners: Vec<Learner>,
}

#[derive(Clone, Debug, Default)]
struct Learner {
    /// Codes at home and at the recipient.
    codes: [String; 2],
    /// Leaf of the outcome at home.
    outcome: u64,
    ticket: String,
    transfer: String,
}

/// What a recognition needs to know.
#[derive(Clone, Debug)]
struct Arrived {
    learner: String,
    record: u64,
}

impl Group {
    /// As many courses deposited at one region, and their learners known at both.
    pub(super) fn deposit(
        regions: &[Region],
        from: usize,
        to: usize,
        count: usize,
    ) -> Result<Self> {
        let (home, there) = (&regions[from], &regions[to]);
        let number = |row: usize| format!("{from}{to}{:04}", row + 1);
        let mut courses = String::from("学号,课程,学分,成绩,完成日期,编号\n");
        for row in 0..count {
            let (course, credits) = COURSES[row % COURSES.len()];
            let (number, grade) = (number(row), 60 + row % 40);
            writeln!(
                courses,
                "{number},{course},{credits},{grade},2024-01-20,{number}"
            )?;
        }
        let file = format!("courses-{}.csv", there.id());
        home.write("courses.toml", MAPPING)?;
        home.write("notice.txt", NOTICE)?;
        home.write(&file, &courses)?;
        let college = format!("{}-ou", home.id());
        let import =
            format!("import {file} --mapping courses.toml --key keys/{college}.key --quiet");
        home.tell(&import, Show::First(4))?;
        let people: Vec<_> = (0..count).map(number).collect();
        let codes = [known(home, &people)?, known(there, &people)?];
        let window = format!("keys/{}-window.key", home.id());
        let archive = |code: &String| format!("archive {code} --json --key {window}");
        let archives: Vec<_> = codes[0].iter().map(archive).collect();
        let archives = all(home, &archives, "archives", Show::First(5))?;
        let learner = |(row, archive): (usize, &String)| {
            let records: Value = serde_json::from_str(archive).context("archive gave no JSON")?;
            Ok(Learner {
                codes: codes.each_ref().map(|codes| codes[row].clone()),
                outcome: records[0]["leaf_index"].as_u64().context("a course")?,
                ..Learner::default()
            })
        };
        let learners = archives.iter().enumerate().map(learner);
        Ok(Self {
            from,
            to,
            learners: learners.collect::<Result<_>>()?,
        })
    }

    /// Consents of all, the first one shown.
    pub(super) fn consent(&mut self, regions: &[Region]) -> Result<()> {
        let (from, to) = (&regions[self.from], &regions[self.to]);
        let line = |it: &Learner| {
            format!(
                "transfer consent {} --outcome {} --to {} --recipient-learner {} --purpose degree --programme {} \
                 --notice notice.txt --json --key keys/{}-window.key",
                it.codes[0],
                it.outcome,
                to.origin(),
                it.codes[1],
                to.place.programme,
                from.id()
            )
        };
        let text = |value: &Value, name: &str| {
            let text = value[name].as_str().map(str::to_owned);
            text.with_context(|| format!("transfer consent gave no {name}"))
        };
        let lines: Vec<_> = self.learners.iter().map(line).collect();
        for (learner, said) in
            self.learners
                .iter_mut()
                .zip(all(from, &lines, "consents", Show::All)?)
        {
            let value: Value = serde_json::from_str(&said).context("no JSON")?;
            (learner.ticket, learner.transfer) =
                (text(&value, "ticket")?, text(&value, "transfer")?);
        }
        Ok(())
    }

    /// Requests of all at the other bank, the first one shown.
    pub(super) fn request(&self, regions: &[Region]) -> Result<()> {
        let to = &regions[self.to];
        let line = |it: &Learner| {
            format!(
                "transfer request {} --ticket {} --key keys/{}-window.key",
                it.codes[1],
                it.ticket,
                to.id()
            )
        };
        let lines: Vec<_> = self.learners.iter().map(line).collect();
        all(to, &lines, "requests", Show::All).map(drop)
    }

    /// The first transfer, as the recipient has it.
    pub(super) fn show(&self, regions: &[Region]) -> Result<String> {
        let to = &regions[self.to];
        let first = self.learners.first().context("a group has learners")?;
        let (id, window) = (&first.transfer, to.id());
        let show = format!("transfer show {id} --wait 60 --key keys/{window}-window.key");
        to.tell(&show, Show::All)
    }

    /// Waits until all are under review at the recipient.
    pub(super) fn arrive(&self, regions: &[Region]) -> Result<()> {
        self.wait(regions, "under-review", false, self.learners.len())
    }

    fn wait(&self, regions: &[Region], state: &str, noted: bool, count: usize) -> Result<()> {
        let name = regions[self.to].place.name;
        super::until(&format!("{name}: {count} transfers {state}"), || {
            let found = self.in_state(regions, state)?;
            let is = |it: &&Value| it["acknowledged"].as_bool() == Some(noted);
            Ok(found.iter().filter(is).count() >= count)
        })
    }

    fn in_state(&self, regions: &[Region], state: &str) -> Result<Vec<Value>> {
        let peer = regions[self.from].id();
        let list = format!(
            "transfer list --peer {peer} --state {state} --limit 0 --json --key bank/operator.key"
        );
        let found = regions[self.to].json(&list)?;
        let is_ours = |it: &&Value| {
            let id = it["transfer"].as_str();
            self.learners.iter().any(|of| Some(&*of.transfer) == id)
        };
        let found = found.as_array().context("transfer list gave no list")?;
        Ok(found.iter().filter(is_ours).cloned().collect())
    }

    /// The same, and waits until both banks have the recognitions.
    pub(super) fn recognise(&self, regions: &[Region], rule: &str, count: usize) -> Result<()> {
        self.apply(regions, rule, count)?;
        self.wait(regions, "recognised", true, count)
    }

    /// Applies for `count` of those that have come, by one rule; the first one is explained.
    pub(super) fn apply(&self, regions: &[Region], rule: &str, count: usize) -> Result<()> {
        let to = &regions[self.to];
        let mut arrived = Vec::new();
        for it in self.in_state(regions, "under-review")?.iter().take(count) {
            let of = |learner: &&Learner| Some(&*learner.transfer) == it["transfer"].as_str();
            let learner = self.learners.iter().find(of).context("of this group")?;
            arrived.push(Arrived {
                learner: learner.codes[1].clone(),
                record: it["record"].as_u64().context("it is in the archive")?,
            });
        }
        ensure!(
            arrived.len() == count,
            "not enough transfers are under review"
        );
        let (programme, window) = (to.place.programme, to.id());
        let line = |it: &Arrived| {
            format!(
                "apply submit {} --rules delta --programme {programme} --use {rule}={} --key keys/{window}-window.key",
                it.learner, it.record
            )
        };
        let lines: Vec<_> = arrived.iter().map(line).collect();
        let Some((first, rest)) = lines.split_first() else {
            return Ok(());
        };
        to.tell(first, Show::UnderHeadings(8, 20))?;
        many(to, rest, "applications").map(drop)
    }
}

/// Codes of learners at a region, by the student numbers of its college.
fn known(region: &Region, people: &[String]) -> Result<Vec<String>> {
    let college = format!("{}-ou", region.id());
    let mut csv = String::from("identity_number,identity_kind,identity_issuer\n");
    for number in people {
        writeln!(csv, "{number},student-number,{college}")?;
    }
    region.write("people.csv", &csv)?;
    let line = format!("learner resolve --file people.csv --enrol --key keys/{college}.key");
    let said = region.tell(&line, Show::Nothing)?;
    let codes = said.lines().skip(1).map(|line| line.split(',').nth(1));
    let codes: Option<Vec<_>> = codes.map(|code| code.map(str::to_owned)).collect();
    let codes = codes.context("learner resolve gave other columns")?;
    ensure!(codes.len() == people.len(), "not everybody was enrolled");
    Ok(codes)
}

/// Runs commands of one kind, the first one shown; gives what they say, in their order.
fn all(region: &Region, lines: &[String], what: &str, show: Show) -> Result<Vec<String>> {
    let Some((first, rest)) = lines.split_first() else {
        return Ok(Vec::new());
    };
    let mut said = vec![region.tell(first, show)?];
    said.extend(many(region, rest, what)?);
    Ok(said)
}

/// Runs commands, a few at a time, and says how many a second.
fn many(region: &Region, lines: &[String], what: &str) -> Result<Vec<String>> {
    let (started, next) = (step::now(), AtomicUsize::new(0));
    let work = || {
        let mut done = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(line) = lines.get(at)
        {
            done.push((at, region.ask(line)?));
        }
        Ok(done)
    };
    let done: Vec<Result<Vec<(usize, String)>>> = std::thread::scope(|scope| {
        let hands: Vec<_> = (0..HANDS).map(|_| scope.spawn(work)).collect();
        let joined = hands.into_iter().map(|hand| hand.join());
        joined.map(|done| done.expect("no panic")).collect()
    });
    let mut said = BTreeMap::new();
    for done in done {
        said.extend(done?);
    }
    let (count, elapsed) = (lines.len() as u64, started.elapsed());
    if count == 0 {
        return Ok(Vec::new());
    }
    println!(
        "  …… and {count} more {what}, a process each, {} a second",
        rate(count, elapsed)
    );
    Ok(said.into_values().collect())
}
