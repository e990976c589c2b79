//! A real Prometheus that holds a process against the alerts of `deploy/prometheus`, in which a second stands for a minute.

use crate::{
    health::{free_port, get},
    patience::{PATIENCE, eventually},
    process::Process,
};
use anyhow::Context;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// The server, for as long as this lives.
#[derive(Debug)]
pub struct Prometheus {
    _process: Process,
    port: u16,
}

impl Prometheus {
    /// Starts one that asks the process whose metrics are served at `target` each second; `None`, said on standard error, where
    /// the program is not installed.
    ///
    /// # Errors
    /// It does not answer.
    pub fn start(directory: &Path, target: u16) -> anyhow::Result<Option<Self>> {
        let mut version = Command::new("prometheus");
        if version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            eprintln!("skipped: prometheus is not here");
            return Ok(None);
        }
        let (port, folder) = (free_port()?, directory.join("prometheus"));
        fs::create_dir_all(&folder)?;
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus/rules.yml");
        fs::write(folder.join("rules.yml"), hurried(&fs::read_to_string(rules)?))?;
        let settings = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
             scrape_configs: [{{job_name: gistmill, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
        );
        fs::write(folder.join("prometheus.yml"), settings)?;
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn");
        let process = Process::spawn("prometheus", command, directory)?;
        eventually("prometheus is ready", PATIENCE, || {
            Ok(get(port, "/-/ready")?.filter(|(status, _)| *status == 200))
        })?;
        Ok(Some(Self { _process: process, port }))
    }

    /// Names of the alerts that fire.
    ///
    /// # Errors
    /// It does not answer.
    pub fn firing(&self) -> anyhow::Result<BTreeSet<String>> {
        let (_, body) = get(self.port, "/api/v1/alerts")?.context("prometheus does not listen")?;
        let answer: Value = serde_json::from_str(&body).context("could not read the alerts")?;
        let alerts = answer["data"]["alerts"].as_array().context("no alerts")?;
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        Ok(firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect())
    }
}

/// Rules in which every time is a sixtieth: ranges, waits, and what times are held against.
fn hurried(rules: &str) -> String {
    let mut hurried = String::with_capacity(rules.len());
    let mut rest = rules;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(begin);
        let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (number, after) = number.split_at(digits);
        hurried.push_str(before);
        let is_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        let value: u64 = number.parse().unwrap_or_default();
        let unit = after.chars().next().filter(|unit| !is_word && "mh".contains(*unit));
        let ends = |text: &str| !text.starts_with(|c: char| c.is_alphanumeric());
        match unit {
            // How often something fails in a time depends on waits that nobody hurries.
            Some(_) if before.ends_with("gistmill_recoveries_total[") => {
                hurried.push_str(number);
                rest = after;
                continue;
            }
            Some('h') if ends(&after[1..]) => hurried.push_str(&(value * 60).to_string()),
            Some('m') if ends(&after[1..]) => hurried.push_str(number),
            _ if before.ends_with("> ") && value >= 60 => {
                hurried.push_str(&(value / 60).to_string());
                rest = after;
                continue;
            }
            _ => {
                hurried.push_str(number);
                rest = after;
                continue;
            }
        }
        hurried.push('s');
        rest = &after[1..];
    }
    hurried.push_str(rest);
    hurried
}

#[cfg(test)]
mod tests {
    use super::hurried;

    #[test]
    fn times_are_hurried_and_nothing_else() {
        for (rule, expected) in [
            ("for: 5m\n", "for: 5s\n"),
            ("rate(a_total[30m])) > 0.2", "rate(a_total[30s])) > 0.2"),
            ("unless b offset 15m))", "unless b offset 15s))"),
            ("rate(c[1h])", "rate(c[60s])"),
            ("quantile(0.9, rate(d[15m]))) > 900", "quantile(0.9, rate(d[15s]))) > 15"),
            ("time() - e > 129600", "time() - e > 2160"),
            ("increase(f[10m])) > 5", "increase(f[10s])) > 5"),
            ("gistmill_recoveries_total[10m]", "gistmill_recoveries_total[10m]"),
            ("g == 1 # h2 2mm", "g == 1 # h2 2mm"),
        ] {
            assert_eq!(hurried(rule), expected, "{rule}");
        }
    }
}
