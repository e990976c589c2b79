//! The table of `stack status`: a line for each part.

use std::io::{self, Write};

use stack::{Health, Status};

pub(super) fn write_table(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<9} {:>7} {:>6} {:<10} {:>9} {:>9}", "PART", "PID", "PORT", "HEALTH", "RSS", "UPTIME")?;
    for part in &status.parts {
        let health = match part.health {
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
            Health::Stopped => "stopped",
        };
        let pid = part.pid.map_or_else(dash, |pid| pid.to_string());
        let rss = part.rss_bytes.map_or_else(dash, bytes);
        let uptime = part.uptime_seconds.map_or_else(dash, duration);
        writeln!(out, "{:<9} {pid:>7} {:>6} {health:<10} {rss:>9} {uptime:>9}", part.part, part.port)?;
    }
    writeln!(out, "data      {} in {}", bytes(status.data_bytes), status.data_dir.display())
}

fn dash() -> String {
    "-".to_owned()
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576..10_737_418_240 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{} GiB", bytes / 1_073_741_824),
    }
}

fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(bytes(2_048), "2 KiB");
        assert_eq!(bytes(400 * 1_048_576), "400 MiB");
        assert_eq!(bytes(12 * 1_073_741_824), "12 GiB");
        let times = [5, 65, 3_700, 90_000].map(duration);
        assert_eq!(times, ["5s", "1m05s", "1h01m", "1d01h"]);
    }
}
