//! One look of an operator: what the log, `/readyz`, `lag` and `doctor` say at a time, and whether that is what they
//! should.

use std::{fmt::Write, process::Output};
use tests::Readiness;

/// Lines of a log that are shown of one step; how many there are more is said.
const LOG_LINES_SHOWN: usize = 40;
/// Checks of `doctor` that depend on the machine: its disk may be nearly full.
const OF_THE_MACHINE: &str = "files";

/// What a command has said, and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) code: Option<i32>,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Self { text: texts.concat(), code: output.status.code() }
    }
}

/// What all four say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// Lines of the log since the step began.
    pub(crate) log: String,
    pub(crate) readiness: Option<Readiness>,
    pub(crate) lag: Said,
    pub(crate) doctor: Said,
}

/// What each of the four has to say, in these words, and what none may say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected<'a> {
    pub(crate) log: &'a [&'a str],
    pub(crate) readyz: &'a [&'a str],
    pub(crate) lag: &'a [&'a str],
    pub(crate) doctor: &'a [&'a str],
    /// Checks of `doctor` that are not well; of every other one that it is, is expected too.
    pub(crate) unwell: &'a [&'a str],
    /// Checks that may be either.
    pub(crate) perhaps_unwell: &'a [&'a str],
    /// Words that call something broken which is not.
    pub(crate) nowhere: &'a [&'a str],
}

impl Look {
    /// The log, `/readyz`, `lag` and `doctor`, by name and text.
    fn texts(&self) -> [(&'static str, &str); 4] {
        let readyz = self.readiness.as_ref().map_or("(nobody listens)", |found| found.text.as_str());
        [("the log", &self.log), ("/readyz", readyz), ("lag", &self.lag.text), ("doctor", &self.doctor.text)]
    }

    /// What is missing or untrue, a sentence each.
    pub(crate) fn untrue(&self, expected: &Expected<'_>) -> Vec<String> {
        let wanted = [expected.log, expected.readyz, expected.lag, expected.doctor];
        let mut untrue = Vec::new();
        for ((name, text), words) in self.texts().into_iter().zip(wanted) {
            let text = spaced_once(text);
            let missing = words.iter().filter(|word| !text.contains(**word));
            untrue.extend(missing.map(|word| format!("{name} does not say {word:?}")));
            let wrong = expected.nowhere.iter().filter(|word| text.contains(**word));
            untrue.extend(wrong.map(|word| format!("{name} says {word:?}")));
        }
        for (name, line) in self.unwell() {
            let is_expected = expected.unwell.contains(&name) || expected.perhaps_unwell.contains(&name);
            if name != OF_THE_MACHINE && !is_expected {
                untrue.push(format!("doctor calls what is well not so: {line}"));
            }
        }
        for name in expected.unwell {
            if !self.unwell().iter().any(|(found, _)| found == name) {
                untrue.push(format!("doctor does not call {name} unwell"));
            }
        }
        untrue
    }

    /// Checks of `doctor` that warn or fail: name and line.
    fn unwell(&self) -> Vec<(&str, &str)> {
        let lines =
            self.doctor.text.lines().filter(|line| line.starts_with("FAIL") || line.starts_with("warn"));
        lines.map(|line| (line[4..].trim_start().split("  ").next().unwrap_or_default(), line)).collect()
    }

    /// As it stands in the transcript.
    pub(crate) fn shown(&self) -> Result<String, std::fmt::Error> {
        let mut shown = String::new();
        let lines: Vec<&str> = self.log.lines().collect();
        let more = lines.len().saturating_sub(LOG_LINES_SHOWN);
        writeln!(shown, "--- the log of up, since the step began: {} lines", lines.len())?;
        lines.iter().take(LOG_LINES_SHOWN).try_for_each(|line| writeln!(shown, "{line}"))?;
        if more > 0 {
            writeln!(shown, "... and {more} more lines")?;
        }
        let ready =
            self.readiness.as_ref().map_or("nobody listens", |it| if it.is_ready { "200" } else { "503" });
        let code = |said: &Said| said.code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        let heads = [
            format!("--- curl /readyz: {ready}"),
            format!("--- gistmill lag: exit code {}", code(&self.lag)),
            format!("--- gistmill doctor: exit code {}", code(&self.doctor)),
        ];
        for (head, (_, text)) in heads.iter().zip(self.texts().into_iter().skip(1)) {
            writeln!(shown, "{head}\n{}", text.trim_end())?;
        }
        Ok(shown)
    }
}

/// A text with each run of spaces as one: how wide the columns of a table are says nothing.
fn spaced_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}
