//! `gistmill dlq park | discard | reopen`: what becomes of letters whose inputs are not written again.

use std::{collections::BTreeSet, io::Write};

use anyhow::bail;
use clap::{Args, builder::NonEmptyStringValueParser};
use operate::{LetterPlace, LetterSelection, SettlePlan};
use serde_json::json;
use state::{AuditChange, LetterState, Settling};

use super::selecting::Narrowing;
use crate::{
    commands::audit,
    exit::Exit,
    printing::{reading_bar, show_progress},
    settings::Settings,
};

/// Places that a dry run names.
const EXAMPLES: usize = 5;

/// Which letters, and whether to do it.
#[derive(Debug, Args)]
pub(super) struct Meant {
    /// Where they lie, as `ls` prints it
    #[arg(value_name = "PARTITION:OFFSET")]
    places: Vec<LetterPlace>,
    #[command(flatten)]
    narrowing: Narrowing,
    /// Do it; else only show what would be done
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Leaves letters for later.
#[derive(Debug, Args)]
pub(super) struct Park {
    #[command(flatten)]
    meant: Meant,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

/// Gives letters up for good.
#[derive(Debug, Args)]
pub(super) struct Discard {
    #[command(flatten)]
    meant: Meant,
    /// Why; it is kept with each, and in the audit log
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: String,
}

/// Takes back what became of letters.
#[derive(Debug, Args)]
pub(super) struct Reopen {
    #[command(flatten)]
    meant: Meant,
}

impl Meant {
    /// Which letters, if any is named: nobody means all of them by saying nothing.
    pub(super) fn selection(&self) -> anyhow::Result<LetterSelection> {
        named(self.narrowing.selection(&self.places)?)
    }
}

/// A selection that names something.
pub(super) fn named(selection: LetterSelection) -> anyhow::Result<LetterSelection> {
    if selection.is_all() {
        bail!(
            "say which letters: --fingerprint (`gistmill dlq stat` prints them), --unit, --tenant, --since, --until, \
             or places as `gistmill dlq ls` prints them"
        );
    }
    Ok(selection)
}

pub(super) fn park(arguments: &Park, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let to = To { state: LetterState::Parked, from: &[LetterState::Open], reason: &arguments.reason };
    settle(&arguments.meant, to, settings, out)
}

pub(super) fn discard(arguments: &Discard, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let from = &[LetterState::Open, LetterState::Parked];
    let to = To { state: LetterState::Discarded, from, reason: &arguments.reason };
    settle(&arguments.meant, to, settings, out)
}

pub(super) fn reopen(arguments: &Reopen, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let from = &[LetterState::Replayed, LetterState::Parked, LetterState::Discarded];
    settle(&arguments.meant, To { state: LetterState::Open, from, reason: "" }, settings, out)
}

/// What letters in some states become.
#[derive(Clone, Copy)]
struct To<'a> {
    state: LetterState,
    from: &'a [LetterState],
    reason: &'a str,
}

fn settle(meant: &Meant, to: To<'_>, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, selection) = (settings.config()?, meant.selection()?);
    let from: BTreeSet<LetterState> = to.from.iter().copied().collect();
    let bar = reading_bar();
    let plan = operate::plan_settling(&config, &selection, &from, &mut |done, total| {
        show_progress(&bar, done, total);
    });
    bar.finish_and_clear();
    let plan = plan?;
    if meant.yes {
        let actor = settings.operator();
        operate::settle(&config, &plan, Settling { state: to.state, reason: to.reason, actor: &actor })?;
        let after = json!({ "letters": plan.count(), "which": selection, "reason": to.reason });
        let change = AuditChange {
            tenant_id: selection.tenant.as_deref().unwrap_or_default(),
            actor: &actor,
            action: verb(to.state),
            subject: selection.fingerprint.as_deref().unwrap_or("dead letters"),
            before: None,
            after: Some(&after),
        };
        audit::record_of(settings, &change)?;
    }
    if meant.json {
        let object = json!({
            "state": to.state, "letters": plan.count(), "before": plan.before,
            "examples": plan.examples(EXAMPLES), "done": meant.yes,
        });
        writeln!(out, "{object}")?;
    } else {
        writeln!(out, "{}", told(&plan, to.state, meant.yes))?;
    }
    if !meant.yes {
        bail!("nothing was changed; --yes does it");
    }
    Ok(Exit::Done)
}

fn verb(state: LetterState) -> &'static str {
    match state {
        LetterState::Open => "dlq reopen",
        LetterState::Replayed => "dlq replay",
        LetterState::Parked => "dlq park",
        LetterState::Discarded => "dlq discard",
    }
}

fn told(plan: &SettlePlan, state: LetterState, is_done: bool) -> String {
    let before: Vec<String> = plan.before.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let examples: Vec<String> = plan.examples(EXAMPLES).iter().map(ToString::to_string).collect();
    let (would, count, more) = (
        if is_done { "are" } else { "would be" },
        plan.count(),
        if plan.count() > examples.len() { ", …" } else { "" },
    );
    format!("{count} letters ({}; {}{more}) {would} {state}", before.join(", "), examples.join(" "))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    #[test]
    fn nothing_is_discarded_without_a_reason_and_nothing_settled_without_saying_which() {
        let discard = |words: &[&str]| Line::<Discard>::try_parse_from(["discard"].iter().chain(words));
        assert!(discard(&["2:17"]).is_err() && discard(&["2:17", "--reason", ""]).is_err());
        let parsed = discard(&["2:17", "--reason", "a test"]).unwrap().arguments;
        assert_eq!(parsed.meant.selection().unwrap().places.len(), 1);
        let park = Line::<Park>::try_parse_from(["park"]).unwrap().arguments;
        let refused = park.meant.selection().unwrap_err().to_string();
        assert!(refused.starts_with("say which letters: --fingerprint"), "{refused}");
    }
}
