//! What a process and its children took of the machine, as the kernel counts it.

use crate::{error::Error, error::system, machine::value_of};
use std::{collections::BTreeMap, fs};

/// `USER_HZ`: the unit of `/proc/PID/stat` on every architecture that the product is built for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time and memory of a process tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// User and system time of all processes, those that have ended and were waited for too.
    pub(crate) cpu_seconds: f64,
    /// Greatest resident memory of each living process, added up.
    pub(crate) peak_bytes: u64,
}

/// A line of `/proc/PID/stat`, as far as it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

/// The usage of a process and of all below it.
pub(crate) fn usage(pid: u32) -> Result<Usage, Error> {
    let known = all_processes()?;
    let mut usage = Usage { cpu_seconds: 0.0, peak_bytes: 0 };
    let mut ticks = 0;
    for (found, stat) in known.iter().filter(|(found, _)| is_below(&known, **found, pid)) {
        ticks += stat.ticks;
        usage.peak_bytes += peak_bytes(*found).unwrap_or_default();
    }
    usage.cpu_seconds = ticks as f64 / TICKS_PER_SECOND;
    Ok(usage)
}

/// Whether a process goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It does.
    Going,
    /// It has ended, and nobody has waited for it.
    Over,
}

/// A process alone, whether it has ended or not.
pub(crate) fn life(pid: u32) -> Result<(Life, Usage), Error> {
    let path = format!("/proc/{pid}/stat");
    let line = fs::read_to_string(&path).map_err(system(format!("read {path}")))?;
    let life = if is_over(&line) { Life::Over } else { Life::Going };
    let ticks = parsed(&line).map_or(0, |stat| stat.ticks);
    let peak_bytes = peak_bytes(pid).unwrap_or_default();
    Ok((life, Usage { cpu_seconds: ticks as f64 / TICKS_PER_SECOND, peak_bytes }))
}

/// Resident memory of a process now, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64, Error> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(system(format!("read {path}")))?;
    Ok(bytes_of(&status, "VmRSS").unwrap_or_default())
}

fn is_over(line: &str) -> bool {
    line.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

fn all_processes() -> Result<BTreeMap<u32, Stat>, Error> {
    let entries = fs::read_dir("/proc").map_err(system("read /proc"))?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // One that ends meanwhile is none of ours: those are waited for.
    let stat = |pid| Some((pid, parsed(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?));
    Ok(pids.filter_map(stat).collect())
}

fn is_below(known: &BTreeMap<u32, Stat>, pid: u32, top: u32) -> bool {
    let mut at = Some(pid);
    // As many steps as there are processes: parents of a listing that changes meanwhile may form a ring.
    for _ in 0..=known.len() {
        match at {
            Some(found) if found == top => return true,
            Some(found) => at = known.get(&found).map(|stat| stat.parent),
            None => return false,
        }
    }
    false
}

/// The name of a program may hold spaces and brackets; what follows the last bracket is numbers.
fn parsed(line: &str) -> Option<Stat> {
    let (_, rest) = line.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)? + number(13)? + number(14)?;
    Some(Stat { parent: u32::try_from(number(1)?).ok()?, ticks })
}

fn peak_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    bytes_of(&status, "VmHWM")
}

fn bytes_of(status: &str, name: &str) -> Option<u64> {
    let kib: u64 = value_of(status, name)?.split(' ').next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_program_is_called() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5 6 7\n";
        assert_eq!(parsed(line), Some(Stat { parent: 7, ticks: 110 }));
        assert_eq!(parsed("42 (a"), None);
    }

    #[test]
    fn descendants_are_found_and_a_ring_ends() {
        let stat = |parent| Stat { parent, ticks: 0 };
        let known = BTreeMap::from([(2, stat(1)), (3, stat(2)), (4, stat(3)), (5, stat(6)), (6, stat(5))]);
        assert!([2, 3, 4].iter().all(|pid| is_below(&known, *pid, 2)));
        assert!(!is_below(&known, 2, 3));
        assert!(!is_below(&known, 5, 2));
    }

    #[test]
    fn a_process_that_has_ended_is_told_from_one_that_goes_on() {
        assert!(is_over("42 (a) b) Z 7 42"));
        assert!(!is_over("42 (Z) S 7 42"));
        let (life, _) = life(std::process::id()).expect("a Linux machine");
        assert_eq!(life, Life::Going);
    }

    #[test]
    fn this_process_has_memory() {
        let own = usage(std::process::id()).expect("a Linux machine");
        let resident = resident_bytes(std::process::id()).expect("a Linux machine");
        assert!(resident > 0 && own.peak_bytes >= resident / 2, "{own:?}, {resident}");
    }
}
