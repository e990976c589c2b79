//! `gistmill verify`: digests held against the log.

use std::io::Write;

use anyhow::bail;
use clap::{Args, builder::NonEmptyStringValueParser};
use operate::{DigestSeen, Finding, Report, VerifyOptions};
use window_builder::WindowBuilder;

use crate::{exit::Exit, printing::printable, settings::Settings};

/// Hold digests against the log: each citation back to its record, each row to its event
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Id of a digest, as `digest ls --json` has it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    digest: Option<String>,
    /// All digests that are stored or announced
    #[arg(long)]
    all: bool,
    /// Of this tenant only
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill verify --all
  gistmill verify 6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11       its stage runs, and where each message lies that it cites
  gistmill verify --all --tenant acme --json | jq '.findings[]'

Wrong is: a message that is cited and was not there; one that is stored otherwise than its record says; one that was changed or
deleted within the horizon without a revision of its window; a digest without its event, or otherwise than it says; an event
without its digest; an event twice. Exit code 1 where anything is. What retention, an erasure or a withdrawal took, and what is
on its way, is told apart. After a `reset` that read again, events are there twice: they have the same ids.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let WindowBuilder { grace_ms, horizon_ms } = WindowBuilder::default();
    let options = VerifyOptions {
        digest: arguments.digest.clone(),
        tenant: arguments.tenant.clone(),
        grace_and_horizon_ms: (grace_ms, horizon_ms),
    };
    let report = operate::verify(&settings.config()?, &options)?;
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        for line in lines(&report) {
            writeln!(out, "{line}")?;
        }
    }
    match report.findings.len() {
        0 => Ok(Exit::Done),
        1 => bail!("1 thing is not as the log says"),
        many => bail!("{many} things are not as the log says"),
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(digest) = &report.digest {
        lines.extend(seen(digest));
    }
    lines.extend(report.findings.iter().map(found));
    for (what, count) in &report.taken {
        lines.push(format!("taken: {count} {what}"));
    }
    for (what, count) in &report.pending {
        lines.push(format!("on its way: {count} {what}"));
    }
    lines.push(format!(
        "{} digests, {} events, {} citations in {} records of group.message.ingested: {}",
        report.digests,
        report.events,
        report.citations,
        report.records,
        if report.findings.is_empty() { "all as the log says" } else { "not all as the log says" }
    ));
    lines
}

fn seen(digest: &DigestSeen) -> Vec<String> {
    let mut lines =
        vec![format!("digest {}  {}", digest.digest_id, digest.event.as_deref().unwrap_or("no event"))];
    for run in &digest.runs {
        let (stage, outcome, model) = (&run.stage, &run.outcome, printable(&run.model_id));
        lines.push(format!("  {stage:<16} {outcome:<9} {model}, {} tokens  run {}", run.tokens, run.run_id));
    }
    for cite in &digest.cites {
        lines.push(format!(
            "  message {} revision {}  group.message.ingested.v1 {}:{}  {}",
            cite.message_id, cite.revision, cite.partition, cite.offset, cite.outcome
        ));
    }
    lines
}

fn found(finding: &Finding) -> String {
    let kind = serde_json::to_value(finding.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    format!(
        "WRONG {}: digest {} of {}/{}: {}",
        kind.unwrap_or_default(),
        finding.digest_id,
        printable(&finding.tenant_id),
        printable(&finding.group_id),
        printable(&finding.detail)
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use operate::FindingKind;
    use std::collections::BTreeMap;

    use super::*;
    use crate::line::Line;

    #[test]
    fn one_or_all() {
        let parsed = |words: &[&str]| Line::<Arguments>::try_parse_from(["verify"].iter().chain(words));
        assert!(parsed(&[]).is_err() && parsed(&["x", "--all"]).is_err());
        assert!(parsed(&["x"]).is_ok() && parsed(&["--all", "--tenant", "acme"]).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_and_what_was_taken_stands_apart() {
        let finding = Finding {
            kind: FindingKind::DanglingCitation,
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            digest_id: "d1".to_owned(),
            detail: "message 7 was not there as of 2:17".to_owned(),
        };
        let report = Report {
            digests: 3,
            findings: vec![finding],
            taken: BTreeMap::from([("records of cited messages", 2)]),
            ..Report::default()
        };
        let told = lines(&report);
        assert_eq!(
            told[0],
            "WRONG dangling_citation: digest d1 of acme/qa: message 7 was not there as of 2:17"
        );
        assert_eq!(told[1], "taken: 2 records of cited messages");
        assert!(told[2].ends_with("not all as the log says"));
    }
}
