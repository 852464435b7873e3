//! Named steps of the append pipeline and of a key's rotation, so that tests can end the process at any of them.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A moment between two effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The plan is made; nothing is written.
    Planned,
    /// The plan is durable; nobody knows.
    Written,
    /// The checkpoint is signed, in memory.
    Signed,
    /// The anchor has advanced; no caller has an answer.
    Anchored,
    /// Readers see the new head; no caller has an answer.
    Published,
    /// The callers were answered.
    Answered,
    /// An erasure entry is committed; keys and payloads are still there.
    ErasureLogged,
    /// The learner's key is gone; payloads are still there.
    ErasureKeyGone,
    /// Payloads and names are gone; their bytes may still be in the files.
    ErasureRowsGone,
    /// A new key of the bank lies beside the old one; nobody uses it.
    RotationKeyMade,
    /// The log admits the new key.
    RotationAnnounced,
    /// Some learners' keys are wrapped anew.
    RotationRewrapped,
    /// The new key has taken over.
    RotationSwitched,
    /// The log says that the old key is gone.
    RotationRetired,
}

impl Step {
    /// All steps, in the order in which they happen.
    pub const ALL: [Self; 14] = [
        Self::Planned,
        Self::Written,
        Self::Signed,
        Self::Anchored,
        Self::Published,
        Self::Answered,
        Self::ErasureLogged,
        Self::ErasureKeyGone,
        Self::ErasureRowsGone,
        Self::RotationKeyMade,
        Self::RotationAnnounced,
        Self::RotationRewrapped,
        Self::RotationSwitched,
        Self::RotationRetired,
    ];

    /// Whether it is a step of an append.
    pub fn is_of_append(self) -> bool {
        self as u8 <= Self::Answered as u8
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Written => "written",
            Self::Signed => "signed",
            Self::Anchored => "anchored",
            Self::Published => "published",
            Self::Answered => "answered",
            Self::ErasureLogged => "erasure-logged",
            Self::ErasureKeyGone => "erasure-key-gone",
            Self::ErasureRowsGone => "erasure-rows-gone",
            Self::RotationKeyMade => "rotation-key-made",
            Self::RotationAnnounced => "rotation-announced",
            Self::RotationRewrapped => "rotation-rewrapped",
            Self::RotationSwitched => "rotation-switched",
            Self::RotationRetired => "rotation-retired",
        }
    }
}

/// Ends the process at the nth time that a step is reached, as if it were killed there: `written:3`.
#[derive(Debug, Clone)]
pub struct StepTrap {
    step: Step,
    left: Arc<AtomicU64>,
}

impl StepTrap {
    /// Ends the process, if this is the step and the time.
    pub fn reach(&self, step: Step) {
        if step == self.step && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}

impl FromStr for StepTrap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let step = Step::ALL
            .into_iter()
            .find(|step| step.name() == name)
            .ok_or_else(|| format!("no step {name}"))?;
        let nth: u64 = nth.parse().map_err(|_| format!("not a number: {nth}"))?;
        Ok(Self {
            step,
            left: Arc::new(AtomicU64::new(nth.max(1))),
        })
    }
}
