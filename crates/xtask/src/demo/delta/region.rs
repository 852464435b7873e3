//! One region's bank in the demo: its operator's folder, its process, and the commands that are given there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::demo::bank::{READY, free_port, janitor};
use crate::demo::printed::{self, Show};
use crate::demo::{call, words};
use crate::step;

/// What a region is called, and where it is.
pub(super) struct Place {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) province: &'static str,
    district: &'static str,
    /// The programme for which the shipped rules recognise outcomes there.
    pub(super) programme: &'static str,
}

/// The regions of the Delta.
pub(super) const PLACES: [Place; 4] = [
    Place {
        id: "shanghai",
        name: "上海",
        province: "31",
        district: "310110",
        programme: "marketing-sh",
    },
    Place {
        id: "jiangsu",
        name: "江苏",
        province: "32",
        district: "320106",
        programme: "marketing-js",
    },
    Place {
        id: "zhejiang",
        name: "浙江",
        province: "33",
        district: "330106",
        programme: "marketing-sh",
    },
    Place {
        id: "anhui",
        name: "安徽",
        province: "34",
        district: "340104",
        programme: "marketing-ah",
    },
];

/// A region. Commands run in its folder, where its bank is `bank`.
pub(super) struct Region {
    pub(super) place: &'static Place,
    folder: PathBuf,
    grpc: u16,
    http: u16,
    serving: Option<Serving>,
}

/// A server, and who stops it when the demo ends in any other way than ours.
struct Serving {
    server: Child,
    janitor: Child,
}

impl Region {
    /// A folder with nothing in it, and two free ports that stay the same.
    pub(super) fn new(root: &Path, place: &'static Place) -> Result<Self> {
        let folder = root.join(place.id);
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self {
            place,
            folder,
            grpc: free_port()?,
            http: free_port()?,
            serving: None,
        })
    }

    pub(super) fn id(&self) -> &'static str {
        self.place.id
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn origin(&self) -> String {
        format!("{}.demo/log", self.place.id)
    }

    pub(super) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    pub(super) fn grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    /// Writes a file into the region's folder.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Starts the bank, with the ledger's clock so many seconds ahead, and waits until it is ready.
    pub(super) fn start(&mut self, ahead_s: u64) -> Result<()> {
        let (grpc, http) = (self.grpc, self.http);
        let mut line = format!("serve bank --grpc 127.0.0.1:{grpc} --http 127.0.0.1:{http}");
        if ahead_s > 0 {
            line.push_str(&format!(" --clock-shift {ahead_s}"));
        }
        self.print(&line);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("bank.log"))?;
        let mut command = call(&self.folder, &words(&line));
        command.stdout(Stdio::piped()).stderr(log);
        let mut server = command.spawn().context("cannot start the server")?;
        let janitor = janitor(server.id(), &self.folder)?;
        let said = server.stdout.take().context("stdout is piped")?;
        self.serving = Some(Serving { server, janitor });
        let mut lines = BufReader::new(said).lines();
        let ready = lines.by_ref().map_while(Result::ok);
        let ready = ready.into_iter().find(|line| line.starts_with(READY));
        let Some(ready) = ready else {
            let log = fs::read_to_string(self.folder.join("bank.log")).unwrap_or_default();
            bail!(
                "the bank of {} ended before it was ready:\n{log}",
                self.id()
            );
        };
        print!("{}", printed::said(&ready, Show::All));
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(())
    }

    /// Stops the bank and waits until it is gone.
    pub(super) fn stop(&mut self) -> Result<()> {
        let Some(mut serving) = self.serving.take() else {
            return Ok(());
        };
        let pid = serving.server.id();
        println!("{} $ kill {pid}", self.place.name);
        step::run(Command::new("kill").arg(pid.to_string()))?;
        let status = serving.server.wait()?;
        // The janitor would remove the folder.
        serving.janitor.kill()?;
        serving.janitor.wait()?;
        ensure!(status.success(), "the bank of {}: {status}", self.id());
        Ok(())
    }

    /// Waits until the bank ends, by Ctrl-C or by itself.
    pub(super) fn wait(&mut self) -> Result<()> {
        let Some(serving) = &mut self.serving else {
            return Ok(());
        };
        let status = serving.server.wait()?;
        ensure!(status.success(), "the bank of {}: {status}", self.id());
        Ok(())
    }

    /// Prints a command, runs it, shows what it says and gives it back.
    pub(super) fn tell(&self, line: &str, show: Show) -> Result<String> {
        self.print(line);
        let said = self.ask(line)?;
        print!("{}", printed::said(&said, show));
        Ok(said)
    }

    /// The same, of a command that ends with 1 where it has found something; says whether it has.
    pub(super) fn finds(&self, line: &str, show: Show) -> Result<(String, bool)> {
        self.print(line);
        let output = self.call(line).stderr(Stdio::inherit()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{}", printed::said(&said, show));
        let code = output.status.code();
        ensure!(
            matches!(code, Some(0 | 1)) && !said.is_empty(),
            "`creditbank {line}` ended with {}",
            output.status
        );
        println!("  → exit code {}", i32::from(code == Some(1)));
        Ok((said, code == Some(1)))
    }

    /// Runs a command and gives back what it says.
    pub(super) fn ask(&self, line: &str) -> Result<String> {
        step::output(&mut self.call(line))
    }

    /// Runs a command that prints JSON, whether it finds something or not.
    pub(super) fn json(&self, line: &str) -> Result<Value> {
        let output = self.call(line).stderr(Stdio::inherit()).output()?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`creditbank {line}` gave no JSON"))
    }

    /// How commands know the bank, as one types it.
    pub(super) fn export(&self) -> String {
        let set = |(name, value): (&str, String)| format!(" {name}={value}");
        let variables: String = self.environment().map(set).concat();
        format!("export{variables}")
    }

    fn print(&self, line: &str) {
        println!("{} {}", self.place.name, printed::command(&words(line)));
    }

    fn call(&self, line: &str) -> Command {
        let mut command = call(&self.folder, &words(line));
        command.envs(self.environment());
        // What commands tell beside their results is for terminals.
        command.env("CREDITBANK_LOG", "warn");
        command
    }

    fn environment(&self) -> [(&'static str, String); 2] {
        [
            ("CREDITBANK_SERVER", self.grpc()),
            ("CREDITBANK_BANK", "bank/bank.pub".into()),
        ]
    }

    /// What the region's institutions are called, as `institution register` reads it.
    pub(super) fn institutions(&self) -> String {
        let Place {
            id, name, district, ..
        } = self.place;
        format!(
            "institution,name,role,categories,region\n\
             {id}-ou,{name}开放大学（示例）,institution,degree-course,{district}\n\
             {id}-window,{name}学分银行窗口（示例）,learner-agent,,{district}\n"
        )
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // As for the bank of the other demo: closing the pipe is the janitor's sign.
        if let Some(mut serving) = self.serving.take() {
            drop(serving.janitor.stdin.take());
            let _ = serving.server.wait();
            let _ = serving.janitor.wait();
        }
    }
}
