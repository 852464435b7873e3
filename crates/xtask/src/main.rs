//! The project's chores: set-up, the gate, the demo, the simulation, the bench. Never shipped.
//!
//! It compiles in seconds with nothing but Rust and gcc, because it is what installs the rest.
//! The bench itself is the bin `bench` of this package, behind the feature of that name.

mod cargo;
mod demo;
mod deny;
mod fuzz;
mod gate;
mod machine;
mod sbom;
mod setup;
mod sim;
mod step;
mod tidy;
mod torture;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
The project's chores.

Usage: cargo xtask COMMAND

  test [--only NAME…]  The gate, here and in CI: format, tidy, deny, clippy, build, tests, doc
                       tests, browser tests. Stops at the first failure. --only runs just the tests whose names
                       contain a NAME.
  browser [--only NAME…]
                       Only the last step of the gate: the pages in Debian's Chromium, as learners, a
                       desk, an employer, a reviewer and an operator see them. Screenshots are left in
                       target/browser/screens.
  ci                   The same as test.
  tidy                 What the compiler cannot see: arrows between crates, lengths, documents
                       that list things.
  deny                 Licences, sources and advisories of the dependencies.
  demo [--data FILE] [--rows N] [--exit]
                       Starts a bank in a temporary folder, imports results into it, verifies every
                       receipt offline, publishes the shipped rule sets, has four learners apply
                       and be decided, and leaves it running with the commands to try next. FILE
                       has the columns lea,school,student,score,…; without it, N rows (20000) are
                       made up. --exit ends it and computes all decisions again.
  demo --delta [--exit]
                       Starts the banks of four regions, moves 300 outcomes between them while one
                       is stopped and started, makes a difference of every class, and closes two
                       months: the first finds them, the second clears them. A third party audits
                       the four public logs. --exit ends it and derives every database again.
  bench [--quick] [--peers] [FLAGS…]
                       Measures this machine, then the bank against it. --quick ends within a
                       minute; --peers runs PostgreSQL beside it; `bench --help` tells the rest.
  sim [--seeds N] [--first SEED] [--steps M] [--trace]
                       Simulates four banks that transfer outcomes while everything goes wrong, a
                       world a seed (100), and checks what a transfer promises after every event.
                       A broken promise is told with the command that replays it.
  sbom FILE            Writes the bill of materials of the program: CycloneDX 1.6, every crate linked into
                       it with version, licence and SHA-256.
  torture [--minutes N] [--seed S] [--rounds N]
                       Hurts banks under load: power cuts on a disk that loses what was not synced,
                       disks that fail or are full, failing system calls, flipped bits, clocks that
                       jump, kills; after each, everything that was acknowledged is looked for. One
                       seed, or as many as fit into N minutes.
  fuzz [NAME…] [--seconds N]
                       libFuzzer on the decoders of foreign bytes, each for N seconds (60); a folder of
                       tests/fuzz/corpus is a NAME. An input that breaks one is kept there.
  setup [--peers]      Installs what the others need and nothing else. They all do so themselves.

What is missing is named, with the reason, before it is installed: Debian packages with apt-get (as
root or through sudo; otherwise the command is printed for you to run), Python packages into
target/venv, Node packages into target/npm. What is present is left alone. There is one build profile, so there is no --release.
sccache is used when it is on the PATH.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::from(step::exit_code(&error))
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<()> {
    if arguments
        .iter()
        .any(|a| ["-h", "--help", "help"].contains(a))
        && arguments.first() != Some(&"bench")
    {
        print!("{HELP}");
        return Ok(());
    }
    match arguments {
        ["test" | "ci"] => gate::run(),
        ["test", "--only", names @ ..] if !names.is_empty() => gate::only(names),
        ["browser"] => gate::browser(&[]),
        ["browser", "--only", names @ ..] if !names.is_empty() => gate::browser(names),
        ["tidy"] => tidy::run(),
        ["deny"] => deny::run(),
        ["demo", flags @ ..] => demo::run(&demo::Options::parse(flags)?),
        ["bench", flags @ ..] => gate::bench(flags),
        ["sbom", file] => sbom::write(file.as_ref()),
        ["sim", flags @ ..] => sim::run(&sim::Options::parse(flags)?),
        ["torture", flags @ ..] => torture::run(&torture::Options::parse(flags)?),
        ["fuzz", arguments @ ..] => fuzz::run(&fuzz::Options::parse(arguments)?),
        ["setup"] => setup::everything(false),
        ["setup", "--peers"] => setup::everything(true),
        [] => bail!("which command? `cargo xtask --help` lists them"),
        other => bail!(
            "unknown: {}. `cargo xtask --help` lists the commands",
            other.join(" ")
        ),
    }
}
