//! One step of a chore: a heading with the time so far, a command, and what its failure means.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A chore in progress: prints a heading before each step and a summary at the end.
pub(crate) struct Steps {
    started: Instant,
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        Self {
            started: now(),
            done: Vec::new(),
        }
    }

    /// Runs one step under its heading. At a failure, tells what had passed.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        println!("\n== {} {name}", clock(self.started.elapsed()));
        let started = now();
        let result = work();
        let elapsed = started.elapsed();
        match &result {
            Ok(_) => self.done.push((name, elapsed)),
            Err(_) => self.summary(Some((name, elapsed))),
        }
        result.with_context(|| format!("{name} failed"))
    }

    /// Prints what was done and how long each step took.
    pub(crate) fn finish(&self) {
        self.summary(None);
    }

    fn summary(&self, failed: Option<(&str, Duration)>) {
        println!("\n== {} summary", clock(self.started.elapsed()));
        for (name, elapsed) in &self.done {
            println!("   ok      {}  {name}", clock(*elapsed));
        }
        if let Some((name, elapsed)) = failed {
            println!("   FAILED  {}  {name}", clock(elapsed));
        }
    }
}

/// A command that ended badly; its exit code becomes ours.
#[derive(Debug)]
pub(crate) struct Failed {
    command: String,
    code: Option<i32>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "`{}` ended with exit code {code}", self.command),
            None => write!(f, "`{}` was ended by a signal", self.command),
        }
    }
}

impl std::error::Error for Failed {}

/// Runs a command to its end; anything but success is an error that keeps the exit code.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failed {
        command: line,
        code: status.code(),
    }
    .into())
}

/// Runs a command to its end and gives what it printed on stdout; a failure prints it and is an error as in [`run`].
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start `{line}`"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    print!("{said}");
    Err(Failed {
        command: line,
        code: output.status.code(),
    }
    .into())
}

/// The command as one would type it, its program without its folder.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The exit code that tells of this error: the failed command's own, otherwise 1.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    let code = error
        .downcast_ref::<Failed>()
        .and_then(|failed| failed.code);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The present, for measuring how long something takes.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the one clock of xtask")]
    Instant::now()
}

fn clock(elapsed: Duration) -> String {
    let tenths = elapsed.as_millis() / 100;
    format!(
        "{:02}:{:02}.{}",
        tenths / 600,
        tenths / 10 % 60,
        tenths % 10
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_of_a_failed_command_survives_its_context() {
        let error = run(Command::new("sh").args(["-c", "exit 42"]))
            .context("a step")
            .unwrap_err();
        assert_eq!(exit_code(&error), 42);
        assert_eq!(
            format!("{error:#}"),
            "a step: `sh -c exit 42` ended with exit code 42"
        );
    }

    #[test]
    fn what_a_command_says_is_given_and_its_failure_is_an_error() {
        let say = |script: &str| output(Command::new("sh").args(["-c", script]));
        assert_eq!(say("echo 认定").unwrap(), "认定\n");
        assert_eq!(exit_code(&say("exit 3").unwrap_err()), 3);
    }

    #[test]
    fn a_command_that_cannot_start_is_an_error() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(exit_code(&error), 1);
    }

    #[test]
    fn the_clock_shows_minutes_seconds_and_tenths() {
        assert_eq!(clock(Duration::from_millis(754_321)), "12:34.3");
    }
}
