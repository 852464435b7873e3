//! What the system says of this process, under the names that Prometheus' own clients use.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

/// Bytes of a page of memory, and ticks of the processor's clock a second: fixed for user space on Linux.
const PAGE_BYTES: u64 = 4096;
const TICKS_A_SECOND: u64 = 100;

/// What each name means.
pub(crate) fn describe() {
    let cpu = "process_cpu_seconds_total";
    describe_counter!(cpu, Unit::Seconds, "Processor time, whole seconds.");
    for (name, help) in [
        ("process_resident_memory_bytes", "Resident memory."),
        ("process_open_fds", "Open file descriptors."),
        ("process_max_fds", "File descriptors that may be open."),
        ("process_threads", "Threads."),
    ] {
        describe_gauge!(name, help);
    }
}

/// Measures it now. What the system does not say is left as it was.
pub(crate) fn sample() {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    if let Some((ticks, threads)) = times(&read("stat")) {
        counter!("process_cpu_seconds_total").absolute(ticks / TICKS_A_SECOND);
        gauge!("process_threads").set(threads as f64);
    }
    let pages = read("statm")
        .split(' ')
        .nth(1)
        .and_then(|it| it.parse::<u64>().ok());
    if let Some(pages) = pages {
        gauge!("process_resident_memory_bytes").set(pages.saturating_mul(PAGE_BYTES) as f64);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(open.count() as f64);
    }
    if let Some(most) = open_files_max(&read("limits")) {
        gauge!("process_max_fds").set(most as f64);
    }
}

/// Ticks in user and system mode, and threads: behind the name of the program, which may hold anything.
fn times(stat: &str) -> Option<(u64, u64)> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let threads = fields.nth(4)?.parse().ok()?;
    Some((user.saturating_add(system), threads))
}

fn open_files_max(limits: &str) -> Option<u64> {
    let line = limits.lines().find(|it| it.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_of_a_process_is_read() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0 17 0 99 1";
        assert_eq!(times(stat), Some((400, 17)));
        assert_eq!(times("12 (short"), None);
        let limits = "Limit  Soft  Hard  Units\nMax open files            1024                 4096                 files\n";
        assert_eq!(open_files_max(limits), Some(1024));
        assert!(times(&std::fs::read_to_string("/proc/self/stat").expect("Linux")).is_some());
    }
}
