//! The machine that a result is of, and how busy others kept it meanwhile.

use crate::error::{Error, system};
use serde::Serialize;
use std::fs::read_to_string;

/// Load average above which a result is not written: something else is running.
const LOAD_MAX: f64 = 1.0;

/// What the machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Processors that this process may run on.
    pub cores: usize,
    /// Their name, as the kernel tells it.
    pub processor: String,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Release of the kernel.
    pub kernel: String,
}

impl Machine {
    /// This machine.
    pub fn look() -> Result<Self, Error> {
        let kernel = read("/proc/sys/kernel/osrelease")?.trim().to_owned();
        let processors = read("/proc/cpuinfo")?;
        let processor = value_of(&processors, "model name").unwrap_or("unknown").to_owned();
        let memory = read("/proc/meminfo")?;
        let kib =
            value_of(&memory, "MemTotal").and_then(|value| value.split(' ').next()?.parse::<u64>().ok());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { cores, processor, memory_mib: kib.unwrap_or_default() / 1024, kernel })
    }
}

fn read(path: &str) -> Result<String, Error> {
    read_to_string(path).map_err(system(format!("read {path}")))
}

/// The value of the first line `name : value`.
pub(crate) fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

/// How busy the machine was, whoever kept it so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Busyness {
    /// Load average of the minute before the start.
    pub load_before: f64,
    /// Load average of the last minute, the benchmark's own work in it.
    pub load_after: f64,
    /// Share of all processor time that the hypervisor gave to others meanwhile, in percent.
    pub stolen_percent: f64,
}

/// A look at the machine before the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    load: f64,
    stolen: (u64, u64),
}

impl Before {
    /// Looks now.
    pub(crate) fn look() -> Result<Self, Error> {
        Ok(Self { load: load()?, stolen: stolen()? })
    }

    /// Refuses a machine that is busy already.
    pub(crate) fn is_quiet(self) -> Result<(), Error> {
        if self.load > LOAD_MAX { Err(Error::Busy { load: self.load, most: LOAD_MAX }) } else { Ok(()) }
    }

    /// What has happened since.
    pub(crate) fn until_now(self) -> Result<Busyness, Error> {
        let (stolen, all) = stolen()?;
        let passed = all.saturating_sub(self.stolen.1).max(1);
        let taken = stolen.saturating_sub(self.stolen.0);
        let stolen_percent = taken as f64 * 100.0 / passed as f64;
        Ok(Busyness { load_before: self.load, load_after: load()?, stolen_percent })
    }
}

fn load() -> Result<f64, Error> {
    Ok(load_of(&read("/proc/loadavg")?).unwrap_or(f64::INFINITY))
}

fn load_of(text: &str) -> Option<f64> {
    text.split(' ').next()?.parse().ok()
}

fn stolen() -> Result<(u64, u64), Error> {
    Ok(stolen_of(&read("/proc/stat")?).unwrap_or_default())
}

/// Stolen time and all time of all processors, in ticks. What guests get is part of what users get.
fn stolen_of(text: &str) -> Option<(u64, u64)> {
    let times = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
    let times: Vec<u64> = times.filter_map(|time| time.parse().ok()).collect();
    Some((*times.get(7)?, times.iter().sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(load_of("0.42 1.00 2.00 1/234 5678\n"), Some(0.42));
        let stat = "cpu  100 1 50 800 20 0 5 24 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(stolen_of(stat), Some((24, 1_000)));
        assert_eq!(value_of("MemTotal:       16 kB\nMemFree: 3 kB\n", "MemFree"), Some("3 kB"));
        assert_eq!(value_of("model name\t: A B\n", "model name"), Some("A B"));
        assert!(Machine::look().is_ok_and(|machine| machine.cores > 0 && machine.memory_mib > 0));
    }

    #[test]
    fn a_busy_machine_is_told_apart() {
        let at = |load| Before { load, stolen: (0, 0) }.is_quiet();
        assert!(at(1.0).is_ok());
        let told = at(1.01).map_err(|error| error.to_string());
        assert!(told.is_err_and(|told| told.contains("1.01") && told.contains("--anyway")));
    }
}
