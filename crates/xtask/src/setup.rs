//! Installs what is missing, and says what and why first. What is present is left alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, machine, step};

/// A Debian package that something here cannot do without.
struct Need {
    package: &'static str,
    reason: &'static str,
    present: fn() -> bool,
}

const BUILD: &[Need] = &[
    Need {
        package: "gcc",
        reason: "links Rust programs and compiles the C libraries (lz4, zstd, AWS-LC)",
        present: || machine::program("cc").is_some(),
    },
    Need {
        package: "g++",
        reason: "compiles RocksDB, the embedded database, which is C++",
        present: || machine::program("c++").is_some(),
    },
    Need {
        package: "libclang-dev",
        reason: "lets RocksDB's binding generator read the C headers",
        present: machine::has_libclang,
    },
];

const PYTHON: &[Need] = &[Need {
    package: "python3-venv",
    reason: "keeps the tools of the gate and the Python tests in target/venv",
    present: || machine::succeeds("python3", &["-c", "import ensurepip, venv"]),
}];

const TRANSCRIPT: &[Need] = &[
    Need {
        package: "fonts-noto-cjk",
        reason: "has the Song type (SIL Open Font License) that the gateway sets transcripts in",
        present: || machine::has_font("NotoSerifCJK-Regular.ttc"),
    },
    Need {
        package: "fonts-hanazono",
        reason: "has the rare characters of names that Noto lacks (SIL Open Font License)",
        present: || machine::has_font("HanaMinB.ttf"),
    },
    Need {
        package: "poppler-utils",
        reason: "reads transcripts in the tests: their text, their fonts, their QR codes as pictures",
        present: || machine::program("pdftotext").is_some(),
    },
];

const OPERATION: &[Need] = &[
    Need {
        package: "prometheus",
        reason: "has promtool, which reads the alert rules in the tests and fires them",
        present: || machine::program("promtool").is_some(),
    },
    Need {
        package: "logrotate",
        reason: "reads its configuration in the tests",
        present: || Path::new("/usr/sbin/logrotate").is_file(),
    },
    Need {
        package: "systemd",
        reason: "has systemd-analyze, which examines the units in the tests",
        present: || machine::program("systemd-analyze").is_some(),
    },
    Need {
        package: "curl",
        reason: "runs in the runbook, whose commands the tests execute",
        present: || machine::program("curl").is_some(),
    },
];

const NODE: &[Need] = &[
    Need {
        package: "nodejs",
        reason: "runs verifiers of credentials that are not ours, for the tests",
        present: || machine::program("node").is_some(),
    },
    Need {
        package: "npm",
        reason: "installs them into target/npm",
        present: || machine::program("npm").is_some(),
    },
];

const BROWSER: &[Need] = &[Need {
    package: "chromium",
    reason: "opens the pages in the browser tests",
    present: || machine::program("chromium").is_some(),
}];

const PEERS: &[Need] = &[Need {
    package: "postgresql",
    reason: "is what the bench compares with; it runs a server of its own in a temporary folder",
    present: machine::has_postgres,
}];

/// Everything that any command needs; `peers` adds what the bench compares with.
pub(crate) fn everything(peers: bool) -> Result<()> {
    build()?;
    python()?;
    transcript()?;
    operation()?;
    verifiers()?;
    identity_provider()?;
    schemathesis()?;
    browser()?;
    crate::deny::install()?;
    if peers {
        self::peers()?;
    }
    println!("Everything is here.");
    Ok(())
}

/// What compiling needs.
pub(crate) fn build() -> Result<()> {
    install(BUILD)
}

/// What the tests of the printed transcript need.
pub(crate) fn transcript() -> Result<()> {
    install(TRANSCRIPT)
}

/// What the tests of `deploy/` need.
pub(crate) fn operation() -> Result<()> {
    install(OPERATION)
}

/// What `bench --peers` needs.
pub(crate) fn peers() -> Result<()> {
    install(PEERS)
}

/// The Python of the tests, with the packages they name.
pub(crate) fn python() -> Result<PathBuf> {
    let why = "the Python tests: a partner's client, an oracle for identifiers, readers of transcripts and credentials";
    let folder = pip(&machine::root().join("tests/python/requirements.txt"), why)?;
    Ok(folder.join("python"))
}

/// Installs pinned Python packages once into target/venv; returns the folder of its programs.
pub(crate) fn pip(list: &Path, why: &str) -> Result<PathBuf> {
    let venv = machine::target().join("venv");
    let bin = venv.join("bin");
    let wanted =
        std::fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let name = list.file_name().context("a list of packages has a name")?;
    let stamp = venv.join(name).with_extension("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(bin);
    }
    install(PYTHON)?;
    if !bin.join("python").exists() {
        println!("Making a Python environment in {}.", venv.display());
        step::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    println!("Installing into {} for {why}:", venv.display());
    for line in wanted.lines().filter(|line| line.contains("==")) {
        println!("  {}", line.trim_end_matches(" \\"));
    }
    let quiet = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    step::run(Command::new(bin.join("python")).args(quiet).arg(list))?;
    // Written last: an installation that was interrupted is done again.
    std::fs::write(&stamp, &wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(bin)
}

/// The Node packages that verify credentials in the tests; returns the folder in which they are found.
pub(crate) fn verifiers() -> Result<PathBuf> {
    let why = "the tests of credentials: verifiers that are not ours";
    npm(&machine::root().join("tests/credentials"), why)
}

/// The identity provider of the tests of sign-in; returns the folder in which its packages are found.
pub(crate) fn identity_provider() -> Result<PathBuf> {
    let why = "the tests of sign-in: a certified identity provider";
    npm(&machine::root().join("tests/oidc"), why)
}

/// What holds the gateway against its OpenAPI document.
pub(crate) fn schemathesis() -> Result<PathBuf> {
    let why = "the tests of the gateway: what it does, held against its OpenAPI document";
    let list = machine::root().join("tests/python/schemathesis.txt");
    Ok(pip(&list, why)?.join("schemathesis"))
}

/// A browser, and the Node packages that drive it in the tests; returns the folder in which they are found.
pub(crate) fn browser() -> Result<PathBuf> {
    install(BROWSER)?;
    // Pages are set in the same fonts as transcripts.
    transcript()?;
    let why = "the browser tests: what drives a browser, and what finds barriers in pages";
    npm(&machine::root().join("tests/browser"), why)
}

/// Installs the pinned Node packages of a folder once into target/npm; returns where they are.
pub(crate) fn npm(folder: &Path, why: &str) -> Result<PathBuf> {
    let name = folder.file_name().context("a folder has a name")?;
    let place = machine::target().join("npm").join(name);
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let lists = ["package.json", "package-lock.json"];
    let wanted = lists.map(read).into_iter().collect::<Result<String>>()?;
    let stamp = place.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(place);
    }
    install(NODE)?;
    println!("Installing into {} for {why}.", place.display());
    std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    for list in lists {
        std::fs::copy(folder.join(list), place.join(list))
            .with_context(|| format!("cannot copy {list} to {}", place.display()))?;
    }
    // Scripts of packages are not run: none of these needs one.
    let quiet = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    step::run(Command::new("npm").args(quiet).current_dir(&place))?;
    // Written last: an installation that was interrupted is done again.
    std::fs::write(&stamp, &wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(place)
}

/// Builds a tool from crates.io into target/tools, unless it is there; returns its folder.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let tools = machine::target().join("tools");
    if !tools.join("bin").join(name).is_file() {
        println!(
            "Building {name} {version} into {} (some minutes, once).",
            tools.display()
        );
        let install = ["install", name, "--version", version, "--locked", "--root"];
        step::run(cargo::bare().args(install).arg(&tools))?;
    }
    Ok(tools.join("bin"))
}

fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("This machine lacks:");
    for need in &missing {
        println!("  {:14} {}", need.package, need.reason);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    apt(&packages)?;
    let still = missing.iter().find(|need| !(need.present)());
    still.map_or(Ok(()), |need| {
        bail!("{} was installed and is still not found", need.package)
    })
}

fn apt(packages: &[&str]) -> Result<()> {
    let packages = packages.join(" ");
    let by_hand = format!("apt-get update && apt-get install {packages}");
    if machine::program("apt-get").is_none() {
        bail!("there is no apt-get here; install the like of Debian's {packages}, then try again");
    }
    let sudo = if machine::is_superuser() {
        ""
    } else if machine::program("sudo").is_some() {
        "sudo "
    } else {
        bail!("only root may install packages; as root, run:\n  {by_hand}");
    };
    let options = "-y --no-install-recommends";
    for line in [
        format!("{sudo}apt-get update"),
        format!("{sudo}apt-get install {options} {packages}"),
    ] {
        println!("Running: {line}");
        let mut command = Command::new("sh");
        command
            .args(["-c", &line])
            .env("DEBIAN_FRONTEND", "noninteractive");
        step::run(&mut command).with_context(|| format!("as root, run:\n  {by_hand}\n"))?;
    }
    Ok(())
}
