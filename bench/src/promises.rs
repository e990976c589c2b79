//! What the pipeline is to be able to do, and which benchmark says whether it is.
//!
//! Invariant: a promise that nothing measures is told as such, with the reason, and is never counted as kept.

use crate::{error::Error, report::Report, results, table::table};
use std::path::Path;

/// A promise.
struct Promise {
    /// By which targets name it.
    name: &'static str,
    what: &'static str,
    bound: &'static str,
    /// What measures it, or why nothing does.
    otherwise: &'static str,
}

const NO_KILLS: &str = "no benchmark kills; `tests/prove` and `tests/chaos` do, without a figure";

const PROMISES: [Promise; 15] = [
    Promise {
        name: "pass-through",
        what: "a processor that passes on: records per CPU s, of an exactly-once copy by hand",
        bound: "≥ 75 %",
        otherwise: "bench hop",
    },
    Promise {
        name: "window-client",
        what: "window_builder: records per CPU s, of a bare consumer",
        bound: "≥ 70 %",
        otherwise: "bench window",
    },
    Promise {
        name: "window-kafka-streams",
        what: "window_builder: records per CPU s, of Kafka Streams'",
        bound: "≥ 4 × (1 M records), ≥ 3 × (4 M)",
        otherwise: "bench window, with Kafka Streams",
    },
    Promise {
        name: "window-quix-streams",
        what: "window_builder: records per CPU s, of Quix Streams'",
        bound: "≥ 20 ×",
        otherwise: "bench window, with Quix Streams",
    },
    Promise {
        name: "window-memory",
        what: "window_builder: peak memory, of Kafka Streams'",
        bound: "≤ ¼",
        otherwise: "bench window, with Kafka Streams",
    },
    Promise {
        name: "window-close",
        what: "record that closes a window → row visible, at 20,000 records/s",
        bound: "p50 ≤ 30 ms, p99 ≤ 80 ms",
        otherwise: "bench hop",
    },
    Promise { name: "kill", what: "SIGKILL → all rows complete", bound: "≤ 12 s", otherwise: NO_KILLS },
    Promise {
        name: "commit",
        what: "commit of a small transaction, of what librdkafka needs",
        bound: "≤ 1.3 ×",
        otherwise: "no benchmark commits alone",
    },
    Promise {
        name: "hop",
        what: "latency of one hop at half load, exactly once",
        bound: "p50 ≤ 15 ms, p99 ≤ 40 ms",
        otherwise: "bench hop",
    },
    Promise {
        name: "chain-latency",
        what: "`window.ready` → `ready_for_delivery`, a window of 200 messages",
        bound: "p50 ≤ 250 ms, p99 ≤ 600 ms",
        otherwise: "no benchmark follows one window through the stages",
    },
    Promise {
        name: "sink",
        what: "postgres_sink: rows per second, of COPY → temporary table → upsert by hand",
        bound: "≥ 70 %",
        otherwise: "bench sink",
    },
    Promise {
        name: "memory",
        what: "memory of a processor, idle and at full load",
        bound: "≤ 40 MiB, ≤ 160 MiB",
        otherwise: "bench memory, window, import; whether it is flat over an hour, no benchmark tells",
    },
    Promise {
        name: "start",
        what: "start to first record; SIGKILL to first new output",
        bound: "≤ 1 s; ≤ session timeout + 2 s",
        otherwise: NO_KILLS,
    },
    Promise {
        name: "chain",
        what: "a chat of 78,744 messages or more: import → every digest",
        bound: "≤ 90 s",
        otherwise: "bench chain --records 80000",
    },
    Promise {
        name: "flat",
        what: "cost per message, from 10^5 to 10^7 messages and from 10 to 10,000 groups",
        bound: "flat",
        otherwise: "no benchmark grows the number of groups; what a longer job adds, bench window tells",
    },
];

/// Title of the section.
const TITLE: &str = "all";

/// The promises and the benchmarks that failed, as the first section of the page of results.
pub fn summary(promises: &str, failed: &[String]) -> String {
    let failed: Vec<String> =
        failed.iter().map(|failed| format!("- {}", failed.replace('\n', " "))).collect();
    format!("## {TITLE}\n\n{promises}\n{}\n", failed.join("\n"))
}

/// Puts that section into `RESULTS.md` of a folder.
///
/// # Errors
/// The file cannot be read or written.
pub fn write_summary(folder: &Path, summary: &str) -> Result<(), Error> {
    results::write(&folder.join("RESULTS.md"), TITLE, summary)
}

/// Each promise with what was found, as a table.
pub fn promises(reports: &[Report]) -> String {
    let mut rows = vec![["promise", "bound", "found", ""].map(str::to_owned).to_vec()];
    for promise in PROMISES {
        let targets = reports.iter().flat_map(|report| &report.targets);
        let mut any = false;
        for target in targets.filter(|target| target.promise == promise.name) {
            let found =
                target.found.map_or_else(|| "–".to_owned(), |found| format!("{found:.1} {}", target.unit));
            let bound = format!("{}: {}", promise.bound, target.what);
            rows.push(vec![promise.what.to_owned(), bound, found, target.verdict().to_owned()]);
            any = true;
        }
        if !any {
            let why = format!("not measured: {}", promise.otherwise);
            rows.push(vec![promise.what.to_owned(), promise.bound.to_owned(), "–".to_owned(), why]);
        }
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Target, table::tests::report};

    #[test]
    fn a_promise_is_met_missed_or_not_measured_and_says_why() {
        let mut window = report("window");
        window.targets = vec![
            Target::at_least("1000000 messages", 70.0, "%", Some(71.0)).of("window-client"),
            Target::at_least("of Kafka Streams", 4.0, "×", Some(3.0)).of("window-kafka-streams"),
            Target::at_most("no promise", 4.0, "×", Some(3.0)),
        ];
        let text = promises(&[window]);
        let row = |what: &str| text.lines().find(|line| line.contains(what)).expect("a row").to_owned();
        assert!(row("of a bare consumer").ends_with(&format!("{:<1$} |", "met", tail(&text))), "{text}");
        assert!(row("of Kafka Streams' ").contains("| 3.0 × "), "{text}");
        assert!(row("of Kafka Streams' ").contains("| missed"), "{text}");
        assert!(row("SIGKILL → all rows").contains("not measured: no benchmark kills"), "{text}");
        assert!(!text.contains("no promise"), "{text}");
        assert_eq!(text.lines().count(), PROMISES.len() + 2);
    }

    /// Width of the last column.
    fn tail(text: &str) -> usize {
        let first = text.lines().nth(1).expect("dashes");
        first.rsplit('|').nth(1).expect("a column").trim().len()
    }

    #[test]
    fn a_promise_is_there_once() {
        let mut names: Vec<_> = PROMISES.iter().map(|promise| promise.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PROMISES.len());
    }
}
