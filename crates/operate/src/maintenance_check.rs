//! Whether `gistmill maintain` runs: what has a retention is kept for ever where it does not, and nobody hears of that.

use super::{Check, Error, Level, Peers};
use jiff::Timestamp;
use state::MaintenanceRun;

const NAME: &str = "maintenance";
const RUN_IT: &str = "run `gistmill maintain`, each night by a timer: docs/DEPLOY.md has one for systemd and one for Kubernetes";
/// A job of each night is late after a night that was left out, and a half.
const OVERDUE_HOURS: i64 = 36;
const HOUR_MS: i64 = 3_600_000;
/// Runs that are looked at: those after the last one that ended were killed, or run.
const RUNS: i64 = 10;

/// The last run, its result, and whether the next one is overdue.
pub(super) fn check(peers: &Peers) -> Option<Check> {
    // That the database is away or not migrated is said by its own check.
    let (runs, tenants) = look(peers).ok()?;
    Some(judged(&runs, tenants, Timestamp::now().as_millisecond()))
}

/// The newest runs, and how many tenants have a retention.
fn look(peers: &Peers) -> Result<(Vec<MaintenanceRun>, usize), Error> {
    let store = &peers.store;
    let mut tenants = 0;
    for tenant_id in peers.wait(store.tenants())? {
        tenants += usize::from(peers.wait(store.retention(&tenant_id))?.days.is_some());
    }
    Ok((peers.wait(store.maintenance_runs(RUNS))?, tenants))
}

fn judged(runs: &[MaintenanceRun], tenants: usize, now_ms: i64) -> Check {
    let hours = |at_ms: i64| (now_ms - at_ms) / HOUR_MS;
    let of = match tenants {
        0 => "no tenant has a retention".to_owned(),
        1 => "1 tenant has a retention".to_owned(),
        many => format!("{many} tenants have a retention"),
    };
    let Some(newest) = runs.first() else {
        let finding = format!("has not run; {of}");
        return if tenants == 0 {
            Check::ok(NAME, finding)
        } else {
            Check::bad(NAME, Level::Warn, finding, RUN_IT)
        };
    };
    let Some((last, ended_at)) = runs.iter().find_map(|run| run.ended_at.map(|at| (run, at))) else {
        let finding = format!("began {} h ago and has not ended; {of}", hours(newest.began_at));
        return late(hours(newest.began_at), finding);
    };
    if last.outcome.as_deref() != Some("done") {
        let why = last.report["error"].as_str().unwrap_or("its report says why");
        let finding = format!("its last run failed {} h ago: {why}; {of}", hours(ended_at));
        return Check::bad(NAME, Level::Warn, finding, RUN_IT);
    }
    let rows: u64 = last.report["taken"]
        .as_object()
        .map_or(0, |taken| taken.values().filter_map(serde_json::Value::as_u64).sum());
    let finding = format!("ended {} h ago and took {rows} rows; {of}", hours(ended_at));
    late(hours(ended_at), finding)
}

fn late(hours: i64, finding: String) -> Check {
    if hours < OVERDUE_HOURS {
        Check::ok(NAME, finding)
    } else {
        Check::bad(NAME, Level::Warn, format!("overdue: {finding}"), RUN_IT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 100 * HOUR_MS;

    fn run(began: i64, ended: Option<i64>, outcome: Option<&str>) -> MaintenanceRun {
        MaintenanceRun {
            began_at: began * HOUR_MS,
            ended_at: ended.map(|at| at * HOUR_MS),
            outcome: outcome.map(str::to_owned),
            report: json!({ "taken": { "messages": 3, "digests": 1 }, "error": "no disk" }),
        }
    }

    #[test]
    fn a_job_that_runs_is_well_and_one_that_does_not_is_told() {
        let done = run(90, Some(91), Some("done"));
        for (runs, tenants, level, finding) in [
            (vec![], 0, Level::Ok, "has not run; no tenant has a retention"),
            (vec![], 2, Level::Warn, "has not run; 2 tenants have a retention"),
            (vec![done.clone()], 1, Level::Ok, "ended 9 h ago and took 4 rows; 1 tenant has a retention"),
            (
                vec![run(99, None, None), done.clone()],
                0,
                Level::Ok,
                "ended 9 h ago and took 4 rows; no tenant has a retention",
            ),
            (
                vec![run(60, Some(61), Some("done"))],
                1,
                Level::Warn,
                "overdue: ended 39 h ago and took 4 rows; 1 tenant has a retention",
            ),
            (
                vec![run(95, Some(95), Some("failed")), done],
                1,
                Level::Warn,
                "its last run failed 5 h ago: no disk; 1 tenant has a retention",
            ),
            (
                vec![run(50, None, None)],
                1,
                Level::Warn,
                "overdue: began 50 h ago and has not ended; 1 tenant has a retention",
            ),
        ] {
            let check = judged(&runs, tenants, NOW);
            assert_eq!((check.level, &*check.finding), (level, finding));
            assert_eq!(check.advice.is_some(), level == Level::Warn);
        }
    }
}
