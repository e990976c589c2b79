//! A report as text: for a terminal, and as the section of a Markdown page. Pure.

use crate::{
    figures::Table,
    report::{Line, Report, Verdict},
    statistics::Spread,
};

/// Titles of the columns that say what a line took.
const COLUMNS: [&str; 7] =
    ["engine", "records", "records per CPU s", "CPU s", "broker CPU s", "wall s", "peak MiB"];

/// The report as a Markdown section that begins with `## NAME`; a terminal shows it as well.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("## {}\n\n", report.bench);
    text.push_str(&facts(report));
    if !report.lines.is_empty() {
        text.push('\n');
        text.push_str(&lines(report));
    }
    for of in &report.tables {
        text.push('\n');
        text.push_str(&figures(of));
    }
    if !report.targets.is_empty() {
        text.push('\n');
        text.push_str(&targets(report));
    }
    if !report.notes.is_empty() {
        text.push('\n');
        text.extend(report.notes.iter().map(|note| format!("- {note}\n")));
    }
    text
}

fn facts(report: &Report) -> String {
    let Report { machine, busyness, .. } = report;
    let asked = format!(
        "`{}`, {}, commit {}, {} build.\n",
        report.command, report.day, report.commit, report.profile
    );
    let machine = format!(
        "{} cores ({}), {} MiB, Linux {}. Load average {:.2} before and {:.2} after, {:.1} % of the time stolen.\n",
        machine.cores,
        machine.processor,
        machine.memory_mib,
        machine.kernel,
        busyness.load_before,
        busyness.load_after,
        busyness.stolen_percent
    );
    let versions: Vec<String> =
        report.versions.iter().map(|(what, version)| format!("{what} {version}")).collect();
    let versions = format!("{}.\n", versions.join(", "));
    let inputs = report.inputs.iter().map(|input| {
        let (records, sha256) = (input.records as f64, &input.sha256);
        let each = input.bytes as f64 / records.max(1.0);
        format!("Input: {} records of {each:.0} bytes, sha256 `{sha256}`.\n", grouped(records))
    });
    [asked, machine, versions].into_iter().chain(inputs).collect()
}

fn lines(report: &Report) -> String {
    let mut titles: Vec<String> = COLUMNS.iter().map(|title| (*title).to_owned()).collect();
    titles.extend(report.base.as_ref().map(|base| base.title.to_owned()));
    titles.push("output".to_owned());
    let rows = report.lines.iter().map(|line| cells(report, line));
    table(&std::iter::once(titles).chain(rows).collect::<Vec<_>>())
}

fn cells(report: &Report, line: &Line) -> Vec<String> {
    let told = |spread: Option<Spread>, digits: usize| {
        spread.map_or_else(|| "–".to_owned(), |spread| shown(spread, digits))
    };
    let mut cells = vec![
        line.name.clone(),
        grouped(line.records as f64),
        line.speed().map_or_else(|| "–".to_owned(), whole),
        told(line.spread(|run| Some(run.cpu_seconds)), 2),
        told(line.spread(|run| run.broker_cpu_seconds), 2),
        told(line.spread(|run| Some(run.wall_seconds)), 2),
        told(line.peak_mib(), 0),
    ];
    if report.base.is_some() {
        cells.push(report.share(line).map_or_else(|| "–".to_owned(), |share| format!("{share:.0} %")));
    }
    cells.push(match &line.verdict {
        Verdict::Right(what) => format!("right: {what}"),
        Verdict::Wrong(why) => format!("WRONG: {}", why.replace(['|', '\n'], " ")),
        Verdict::Missing(why) => format!("missing: {}", why.replace(['|', '\n'], " ")),
    });
    cells
}

fn figures(of: &Table) -> String {
    let titles = of.columns.iter().map(|column| column.title.to_owned());
    let mut rows = vec![std::iter::once(of.title.clone()).chain(titles).collect::<Vec<_>>()];
    for row in &of.rows {
        let cells = row.cells.iter().zip(&of.columns).map(|(cell, column)| {
            let shown =
                |spread| if column.digits == 0 { whole(spread) } else { shown(spread, column.digits) };
            cell.map_or_else(|| "–".to_owned(), shown)
        });
        rows.push(std::iter::once(row.name.clone()).chain(cells).collect());
    }
    table(&rows)
}

fn targets(report: &Report) -> String {
    let mut rows = vec![["target", "bound", "found", ""].map(str::to_owned).to_vec()];
    for target in &report.targets {
        let found =
            target.found.map_or_else(|| "–".to_owned(), |found| format!("{found:.2} {}", target.unit));
        rows.push(vec![target.what.clone(), target.bound.clone(), found, target.verdict().to_owned()]);
    }
    table(&rows)
}

/// Columns as wide as their widest cell, so that the source can be read as well as the page.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(&piped(cells));
        if number == 0 {
            text.push_str(&piped(widths.iter().map(|width| "-".repeat(*width))));
        }
    }
    text
}

fn piped(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// `1.25 (1.20–1.31)`; of a single run the figure alone.
fn shown(spread: Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    if min.to_bits() == max.to_bits() {
        return format!("{median:.digits$}");
    }
    format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
}

fn whole(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    if min.to_bits() == max.to_bits() {
        return grouped(median);
    }
    format!("{} ({}–{})", grouped(median), grouped(min), grouped(max))
}

/// `1,234,567`.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        figures::{Column, Row},
        fingerprint::Fingerprint,
        machine::{Busyness, Machine},
        report::{Base, Target, tests::line},
    };

    pub(crate) fn report(bench: &'static str) -> Report {
        let machine = Machine {
            cores: 2,
            processor: "A processor".to_owned(),
            memory_mib: 24_000,
            kernel: "6.1.0".to_owned(),
        };
        let mut missing = Line::new("kafka_streams", 1_000_000);
        missing.verdict = Verdict::Missing("mvn | failed\nfor good".to_owned());
        let mut wrong = line("other", 1_000_000, &[1.0]);
        wrong.verdict = Verdict::Wrong("1 rows are missing".to_owned());
        Report {
            bench,
            command: format!("gistmill bench {bench}"),
            day: "2026-11-30".to_owned(),
            commit: "abc".to_owned(),
            profile: "release",
            machine,
            busyness: Busyness { load_before: 0.1, load_after: 1.5, stolen_percent: 0.25 },
            versions: vec![("Apache Kafka".to_owned(), "4.3.1".to_owned())],
            inputs: vec![Fingerprint {
                records: 1_000_000,
                bytes: 250_000_000,
                sha256: "00ff".to_owned(),
                partitions: Vec::new(),
            }],
            lines: vec![
                line("consumer", 1_000_000, &[1.0]),
                line("window_builder", 1_000_000, &[2.0, 2.5, 4.0]),
                missing,
                wrong,
            ],
            tables: vec![Table {
                title: "process".to_owned(),
                columns: vec![Column { title: "CPU s", digits: 1 }, Column { title: "peak MiB", digits: 0 }],
                rows: vec![Row { name: "writer".to_owned(), cells: vec![Spread::of([1.0, 2.0, 4.0]), None] }],
            }],
            base: Some(Base { name: "consumer".to_owned(), title: "of L0" }),
            targets: vec![
                Target::at_least("records per CPU s, of L0", 70.0, "%", Some(40.0)),
                Target::at_least("of Kafka Streams", 4.0, "×", None),
            ],
            notes: vec!["A note.".to_owned()],
        }
    }

    #[test]
    fn a_report_tells_figures_what_is_missing_and_what_is_missed() {
        let text = markdown(&report("window"));
        let expected = [
            "## window\n\n`gistmill bench window`, 2026-11-30, commit abc, release build.\n",
            "2 cores (A processor), 24000 MiB, Linux 6.1.0. Load average 0.10 before and 1.50 after, 0.2 % of the",
            "Apache Kafka 4.3.1.\nInput: 1,000,000 records of 250 bytes, sha256 `00ff`.\n",
            "| consumer       | 1,000,000 | 1,000,000 ",
            "| 400,000 (250,000–500,000) | 2.50 (2.00–4.00) | 1.00 ",
            "| 40 %  | right: 9 rows",
            "| missing: mvn   failed for good |",
            "| WRONG: 1 rows are missing ",
            "| process | CPU s         | peak MiB |\n",
            "| writer  | 2.0 (1.0–4.0) | –        |\n",
            "| records per CPU s, of L0 | ≥ 70 % | 40.00 % | missed       |",
            "| –       | not measured |",
            "\n- A note.\n",
        ];
        for part in expected {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        let wrong = text.lines().find(|line| line.starts_with("| other")).expect("the line of an engine");
        assert!(wrong.contains("| –                         | –"), "{wrong}");
    }

    #[test]
    fn columns_of_a_table_are_as_wide_as_their_cells() {
        let rows = vec![vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "–".to_owned()]];
        assert_eq!(table(&rows), "| a   | bb |\n| --- | -- |\n| ccc | –  |\n");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!([0.0, 999.0, 1_000.0, 1_234_567.4].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
