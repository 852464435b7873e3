//! The demo of four banks: Shanghai, Jiangsu, Zhejiang and Anhui, each a process of its own, move outcomes between them
//! and close two months, the first with a difference of every class.
//!
//! What their operators, colleges and windows would type is what runs here. Two things are only for rehearsals: the
//! ledgers' clocks are shifted, because nobody can wait for the end of a month, and the differences are made on purpose,
//! because sound banks have none.

mod months;
mod people;
mod region;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_domain::reconcile::Period;
use jiff::Timestamp;

use self::months::Settled;
use self::people::Group;
use self::region::{PLACES, Region};
use super::printed::Show;
use super::{binary, temporary};
use crate::step::Steps;
use crate::{cargo, machine, setup, step};

/// From where to where outcomes go, and of how many learners.
const ROUTES: [(usize, usize, usize); 4] = [
    (SHANGHAI, JIANGSU, 150),
    (JIANGSU, SHANGHAI, 100),
    (ANHUI, SHANGHAI, 50),
    (SHANGHAI, ZHEJIANG, 1),
];
/// Of the first two, how many are recognised.
const RECOGNISED: [usize; 2] = [60, 40];
/// How long it is waited for what the banks do by themselves.
const BOUND: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(300);
/// Behind the end of a month: what is on its way then is not late any more.
const SETTLED_MS: u64 = 3 * 86_400_000;
/// A month that ends sooner is not begun.
const SPARE_MS: u64 = 3_600_000;

/// Removes the folder that the regions' folders lie in, once they are gone.
const SWEEPER: &str = r#"
trap '' INT HUP TERM
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do rmdir -- "$1" 2>/dev/null && break; sleep 0.5; done
"#;

const SHANGHAI: usize = 0;
const JIANGSU: usize = 1;
const ZHEJIANG: usize = 2;
const ANHUI: usize = 3;

/// Builds, and tells the whole story; leaves the banks running unless told otherwise.
pub(super) fn run(exit: bool) -> Result<()> {
    let mut steps = Steps::start();
    steps.step("set-up", setup::build)?;
    steps.step("build", || step::run(&mut cargo::programs()))?;
    let root = Root::new()?;
    // Declared behind the folder, and so gone before it.
    let mut regions = Vec::new();
    for place in &PLACES {
        regions.push(Region::new(&root.path, place)?);
    }
    let month = Month::now()?;
    steps.step("make four banks that know each other", || {
        meet(&mut regions, &month)
    })?;
    steps.step("rules, colleges and windows", || furnish(&regions))?;
    transfer(&mut steps, &mut regions, &month)?;
    let next = first_month(&mut steps, &mut regions, &month)?;
    second_month(&mut steps, &mut regions, &next)?;
    if exit {
        steps.step("stop and check all banks", || end(&mut regions))?;
        steps.finish();
        return Ok(());
    }
    steps.finish();
    stay(&mut regions)
}

/// The folder of the demo.
struct Root {
    path: PathBuf,
    sweeper: Child,
}

impl Root {
    fn new() -> Result<Self> {
        let path = temporary()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", SWEEPER, "sweeper"]).arg(&path);
        let sweeper = shell.stdin(Stdio::piped()).spawn();
        let sweeper = sweeper.context("cannot start sh")?;
        Ok(Self { path, sweeper })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        // The regions' janitors have removed theirs; those that were stopped before had none.
        let _ = fs::remove_dir_all(&self.path);
        let _ = self.sweeper.wait();
    }
}

/// A month, and how far the ledgers' clocks are ahead in it.
struct Month {
    period: Period,
    ahead_s: u64,
}

impl Month {
    /// This one, or the next if it ends soon.
    fn now() -> Result<Self> {
        let (now_ms, mut ahead_s) = (now_ms()?, 0);
        if Period::of(now_ms + SPARE_MS)? != Period::of(now_ms)? {
            ahead_s = 2 * SPARE_MS / 1000;
        }
        Ok(Self {
            period: Period::of(now_ms + ahead_s * 1000)?,
            ahead_s,
        })
    }

    /// The next one, some days after this is over.
    fn next(&self) -> Result<Self> {
        let then_ms = self.period.cut_ms() + SETTLED_MS;
        Ok(Self {
            period: self.period.next(),
            ahead_s: then_ms.saturating_sub(now_ms()?) / 1000,
        })
    }
}

fn now_ms() -> Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the demo's months end when it says so"
    )]
    let now = Timestamp::now();
    u64::try_from(now.as_millisecond()).context("the clock is before 1970")
}

/// Waits until something is so.
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = step::now();
    while !is_so()? {
        ensure!(started.elapsed() < BOUND, "{what}: not within {BOUND:?}");
        std::thread::sleep(PAUSE);
    }
    println!("  {what} after {} ms", started.elapsed().as_millis());
    Ok(())
}

/// Banks, cards, and what each does with the others' cards. What Shanghai types is shown; the others do the same.
fn meet(regions: &mut [Region], month: &Month) -> Result<()> {
    let show = |at: usize, region: &Region, line: &str| match at {
        SHANGHAI => region.tell(line, Show::First(3)),
        _ => region.ask(line),
    };
    let mut cards = Vec::new();
    for (at, region) in regions.iter().enumerate() {
        let (origin, province) = (region.origin(), region.place.province);
        let init = format!("init bank --origin {origin} --region {province} --test-regions");
        show(at, region, &init)?;
        let (id, grpc, http) = (region.id(), region.grpc(), region.http());
        let card = format!("peer card bank --id {id} --grpc {grpc} --http {http}");
        cards.push(show(at, region, &card)?);
    }
    println!(
        "  江苏、浙江、安徽各自办同样的事；四家交换名片。(So do the others; they exchange cards.)"
    );
    let others = |at: usize| (0..PLACES.len()).filter(move |other| *other != at);
    for (at, region) in regions.iter_mut().enumerate() {
        for other in others(at) {
            let card = format!("{}.peer", PLACES[other].id);
            region.write(&card, &cards[other])?;
            show(at, region, &format!("peer add bank {card}"))?;
        }
        region.start(month.ahead_s)?;
    }
    for (at, region) in regions.iter().enumerate() {
        for other in others(at) {
            let id = PLACES[other].id;
            let admit = format!("peer admit --card {id}.peer --key bank/operator.key");
            show(at, region, &admit)?;
        }
    }
    Ok(())
}

/// The rules of the Delta, a college and a window in each region.
fn furnish(regions: &[Region]) -> Result<()> {
    let rules = machine::root().join("deploy/rules/delta");
    for (at, region) in regions.iter().enumerate() {
        for entry in fs::read_dir(&rules)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            region.write(&format!("rules/{name}"), &fs::read_to_string(&path)?)?;
        }
        region.write("institutions.csv", &region.institutions())?;
        let show = if at == SHANGHAI {
            Show::First(4)
        } else {
            Show::Nothing
        };
        let publish = "rules publish rules --language zh --key bank/operator.key";
        region.tell(publish, show)?;
        let register =
            "institution register --file institutions.csv --keys keys --key bank/operator.key";
        region.tell(register, show)?;
    }
    Ok(())
}

/// Outcomes on their way, a bank that is away meanwhile, and recognitions.
fn transfer(steps: &mut Steps, regions: &mut [Region], month: &Month) -> Result<()> {
    let mut groups = steps.step("deposit courses, know the learners at both ends", || {
        let deposit = |(from, to, count)| Group::deposit(regions, from, to, count);
        ROUTES.into_iter().map(deposit).collect::<Result<Vec<_>>>()
    })?;
    steps.step("consents, where the outcomes are", || {
        groups
            .iter_mut()
            .try_for_each(|group| group.consent(regions))
    })?;
    let [to_jiangsu, to_shanghai, from_anhui, to_zhejiang] = &groups[..] else {
        bail!("there are four routes");
    };
    steps.step("requests, while the bank of Shanghai is away", || {
        println!("  上海的银行停机，江苏的窗口照常受理。(Shanghai is stopped; Jiangsu goes on.)\n");
        regions[SHANGHAI].stop()?;
        to_jiangsu.request(regions)?;
        println!("\n  上海重新开机，自行补上。(Shanghai starts again and catches up by itself.)\n");
        regions[SHANGHAI].start(month.ahead_s)?;
        to_jiangsu.arrive(regions)
    })?;
    steps.step("the other requests", || {
        to_shanghai.request(regions)?;
        from_anhui.request(regions)?;
        to_shanghai.arrive(regions)?;
        from_anhui.arrive(regions)?;
        println!("\n  浙江与上海没有协议：不予转移。(No agreement with Zhejiang: refused.)\n");
        to_zhejiang.request(regions)?;
        to_zhejiang.show(regions).map(drop)
    })?;
    steps.step("recognise a part of them", || {
        let [js, sh] = RECOGNISED;
        to_jiangsu.recognise(regions, "js-sh-course", js)?;
        to_shanghai.recognise(regions, "js-sh-course", sh)?;
        println!("\n  安徽的课程须经评审，提出后待上海受理。(Anhui's courses need a panel: these wait.)\n");
        from_anhui.apply(regions, "ah-sh-course", 3)
    })
}

/// The first month: differences are made, both pairs close, everybody can see what is open.
fn first_month(steps: &mut Steps, regions: &mut [Region], month: &Month) -> Result<Month> {
    let (period, next) = (month.period, month.next()?);
    steps.step("make a difference of every class", || {
        println!(
            "  仅供演练：改动停机银行的数据，不动账本。(For rehearsals: rows, not the log.)\n"
        );
        let settled = Settled::of(&regions[SHANGHAI], &regions[JIANGSU])?;
        regions.iter_mut().try_for_each(Region::stop)?;
        months::rehearse(&regions[SHANGHAI], &regions[JIANGSU], settled)
    })?;
    steps.step("close the first month", || {
        println!("  {period} 已过。({period} is over.)\n");
        for region in &mut *regions {
            region.start(next.ahead_s)?;
        }
        let (sh, js, ah) = (&regions[SHANGHAI], &regions[JIANGSU], &regions[ANHUI]);
        ensure!(
            months::close(sh, js, period, Show::Wide)?,
            "they should differ"
        );
        months::is_named(sh, js, period, "opened")?;
        let differs = months::close(sh, ah, period, Show::First(5))?;
        ensure!(!differs, "nothing was changed between Shanghai and Anhui");
        Ok(())
    })?;
    steps.step("audit the four public logs", || {
        ensure!(months::audit(regions)?, "differences are open");
        Ok(())
    })?;
    Ok(next)
}

/// The second month: what was changed is folded again from the log, and the differences are cleared.
fn second_month(steps: &mut Steps, regions: &mut [Region], month: &Month) -> Result<()> {
    let (period, then) = (month.period, month.next()?);
    steps.step("find the changes, and fold the views again", || {
        regions.iter_mut().try_for_each(Region::stop)?;
        for region in [&regions[SHANGHAI], &regions[JIANGSU]] {
            ensure!(
                months::check(region, Show::Only(&["FINDING"]))?,
                "rows differ"
            );
            region.tell("rebuild bank", Show::All)?;
        }
        Ok(())
    })?;
    steps.step("close the second month", || {
        for region in &mut *regions {
            region.start(then.ahead_s)?;
        }
        let (sh, js, ah) = (&regions[SHANGHAI], &regions[JIANGSU], &regions[ANHUI]);
        ensure!(!months::close(sh, js, period, Show::Wide)?, "all is mended");
        months::is_named(sh, js, period, "cleared")?;
        let differs = months::close(sh, ah, period, Show::First(5))?;
        ensure!(!differs, "nothing was changed between Shanghai and Anhui");
        Ok(())
    })?;
    steps.step("audit again", || {
        ensure!(!months::audit(regions)?, "nothing is open any more");
        Ok(())
    })
}

/// Stops all and derives everything again.
fn end(regions: &mut [Region]) -> Result<()> {
    regions.iter_mut().try_for_each(Region::stop)?;
    for region in &*regions {
        ensure!(!months::check(region, Show::All)?, "everything agrees");
    }
    Ok(())
}

/// Leaves the banks up, and tells what to try.
fn stay(regions: &mut [Region]) -> Result<()> {
    println!("\nThe four banks are running. Try next, in another terminal:\n");
    let path = binary();
    let path = path.parent().unwrap_or(Path::new("/"));
    let shanghai = &regions[SHANGHAI];
    println!("  cd {}", shanghai.folder().display());
    println!("  export PATH={}:$PATH", path.display());
    println!("  {} CREDITBANK_KEY=bank/operator.key", shanghai.export());
    for command in [
        "transfer list --peer jiangsu --limit 10",
        "reconcile --list",
        "peer list bank --http ",
    ] {
        let url = if command.ends_with(' ') {
            shanghai.http()
        } else {
            String::new()
        };
        println!("  creditbank {command}{url}");
    }
    println!("\nThe other banks have their folders beside it. Ctrl-C ends all and removes them.");
    regions[SHANGHAI].wait()
}
