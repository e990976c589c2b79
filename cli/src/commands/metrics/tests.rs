//! The page of metrics, and the rules and dashboards of `deploy` held against the list.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use runtime::Kind;
use serde_json::Value;

use super::{metrics_catalogue, page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of series that a process may expose.
fn series() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for family in metrics_catalogue() {
        match family.kind {
            Kind::Counter | Kind::Gauge => drop(names.insert(family.name.to_owned())),
            Kind::Histogram(_) => {
                names.extend(["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", family.name)));
            }
        }
    }
    names
}

/// Words of a query that name metrics of the product.
fn named(query: &str) -> BTreeSet<String> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != ':');
    let is_ours = |word: &&str| ["digest_", "gistmill_", "process_"].iter().any(|one| word.starts_with(one));
    words.filter(is_ours).map(str::to_owned).collect()
}

fn queries(panel: &Value, found: &mut Vec<String>) {
    match panel {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if ["expr", "query", "definition"].contains(&name.as_str()) => {
                        found.push(text.clone());
                    }
                    _ => queries(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

fn dashboards() -> Vec<(String, Value)> {
    let files = fs::read_dir(root().join("deploy/grafana")).expect("a folder").flatten();
    let json = files.filter(|file| file.path().extension().is_some_and(|end| end == "json"));
    json.map(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        let value = serde_json::from_str(&fs::read_to_string(file.path()).expect("readable")).expect("JSON");
        (name, value)
    })
    .collect()
}

#[test]
fn the_page_of_metrics_is_up_to_date() {
    assert!(text("docs/METRICS.md") == page(), "run `gistmill metrics --write docs/METRICS.md`");
}

#[test]
fn every_metric_of_a_rule_or_dashboard_exists() {
    let series = series();
    let mut used = BTreeSet::new();
    let rules = text("deploy/prometheus/rules.yml");
    let expressions = rules.lines().filter(|line| !line.trim_start().starts_with('#'));
    for name in expressions.flat_map(named) {
        assert!(series.contains(&name), "deploy/prometheus/rules.yml: no metric {name}");
        used.insert(name);
    }
    for (file, dashboard) in dashboards() {
        let mut found = Vec::new();
        queries(&dashboard, &mut found);
        assert!(!found.is_empty(), "{file} asks nothing");
        for name in found.iter().flat_map(|query| named(query)) {
            assert!(series.contains(&name), "deploy/grafana/{file}: no metric {name}");
            used.insert(name);
        }
    }
    for name in ["gistmill_lag_records", "gistmill_dead_letters_total", "digest_quality_score_bucket"] {
        assert!(used.contains(name), "nobody looks at {name}");
    }
}

#[test]
fn every_alert_has_its_heading_in_the_runbook() {
    let (rules, runbook) = (text("deploy/prometheus/rules.yml"), text("docs/RUNBOOK.md"));
    let values = |key: &str| -> Vec<String> {
        let of_key = |line: &str| line.trim().trim_start_matches("- ").strip_prefix(key).map(str::to_owned);
        rules.lines().filter_map(of_key).map(|value| value.trim().to_owned()).collect()
    };
    let (alerts, pages) = (values("alert:"), values("runbook_url:"));
    assert!(alerts.len() > 10, "{alerts:?}");
    assert_eq!(alerts.len(), pages.len(), "each alert has a runbook_url");
    for (alert, page) in alerts.iter().zip(&pages) {
        let anchor = page.split_once("docs/RUNBOOK.md#").map(|(_, anchor)| anchor);
        assert_eq!(anchor, Some(alert.to_lowercase().as_str()), "{alert}: {page}");
        assert!(runbook.contains(&format!("\n## {alert}\n")), "docs/RUNBOOK.md has no heading {alert}");
    }
    let headings: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let unknown: Vec<&&str> =
        headings.iter().filter(|heading| !alerts.iter().any(|alert| alert == **heading)).collect();
    assert!(unknown.is_empty(), "headings without an alert: {unknown:?}");
}
