//! What a run took and found. Invariant: counts, and paths of files; no name of a group or a person but those in paths.

use std::{collections::BTreeMap, io::Write, path::Path};

use serde::Serialize;

/// Paths that are told.
const PATHS_SHOWN: usize = 20;

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    dry_run: bool,
    /// Tenants that have a retention.
    pub(super) tenants: u64,
    taken: BTreeMap<&'static str, u64>,
    /// Digests with words of whose window no message is stored.
    #[serde(rename = "digests_without_messages")]
    pub(super) without_messages: u64,
    pub(super) files_without_digest: u64,
    #[serde(skip)]
    paths: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            tenants: 0,
            taken: BTreeMap::new(),
            without_messages: 0,
            files_without_digest: 0,
            paths: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn is_dry(&self) -> bool {
        self.dry_run
    }

    pub(super) fn add(&mut self, table: &'static str, rows: u64) {
        *self.taken.entry(table).or_default() += rows;
    }

    /// All that was taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken.values().sum()
    }

    #[cfg(test)]
    pub(super) fn count(&self, table: &str) -> u64 {
        self.taken.get(table).copied().unwrap_or_default()
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn without_digest(&mut self, path: &Path) {
        self.files_without_digest += 1;
        if self.paths.len() < PATHS_SHOWN {
            self.paths.push(path.display().to_string());
        }
    }

    pub(super) fn write(&self, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        if json {
            let mut value = serde_json::to_value(self)?;
            value["paths"] = self.paths.clone().into();
            writeln!(out, "{value}")?;
            return Ok(());
        }
        let verb = if self.dry_run { "would be taken" } else { "taken" };
        let tenants = match self.tenants {
            1 => "1 tenant has a retention".to_owned(),
            many => format!("{many} tenants have a retention"),
        };
        writeln!(out, "{tenants}")?;
        let some: Vec<_> = self.taken.iter().filter(|(_, rows)| **rows > 0).collect();
        for (table, rows) in &some {
            writeln!(out, "{rows:>10} {table} {verb}")?;
        }
        if some.is_empty() {
            writeln!(out, "nothing is past its time")?;
        }
        if self.without_messages > 0 {
            writeln!(out, "{:>10} digests have words and no message that is stored", self.without_messages)?;
        }
        if self.files_without_digest > 0 {
            let say = "files belong to no digest that is stored; look at them, then remove them by hand";
            writeln!(out, "{:>10} {say}", self.files_without_digest)?;
            self.paths.iter().try_for_each(|path| writeln!(out, "           {path}"))?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(report: &Report, json: bool) -> String {
        let mut out = Vec::new();
        report.write(json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_was_taken_and_what_belongs_to_nothing_is_told() {
        let mut report = Report::new(false);
        assert_eq!(shown(&report, false), "0 tenants have a retention\nnothing is past its time\n");
        report.tenants = 1;
        report.add("messages", 3);
        report.add("digests", 0);
        report.without_digest(Path::new("out/a/b.md"));
        report.without_messages = 2;
        report.note("the outbox was left alone".to_owned());
        let expected = "\
1 tenant has a retention
         3 messages taken
         2 digests have words and no message that is stored
         1 files belong to no digest that is stored; look at them, then remove them by hand
           out/a/b.md
the outbox was left alone
";
        assert_eq!(shown(&report, false), expected);
        let json: serde_json::Value = serde_json::from_str(&shown(&report, true)).unwrap();
        assert_eq!((&json["taken"]["messages"], &json["paths"][0]), (&3.into(), &"out/a/b.md".into()));
        assert_eq!(json["digests_without_messages"], 2);
    }
}
