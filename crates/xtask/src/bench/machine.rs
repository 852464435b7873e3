//! What this machine is, as the report names it.

use std::fmt;
use std::fs;

use serde_json::{Value, json};

/// Processor, cores, memory.
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        let processor =
            field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
        let kib = field("/proc/meminfo", "MemTotal");
        let kib = kib
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .unwrap_or(0);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            processor,
            cores,
            memory_gib: kib.div_ceil(1 << 20),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "processor": self.processor, "cores": self.cores, "memory_gib": self.memory_gib })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores of {}, {} GiB",
            self.cores, self.processor, self.memory_gib
        )
    }
}
