//! `gistmill maintain`: takes what is kept no longer, each night.
//!
//! Invariant: what a tenant's retention takes is marked before it is taken, in batches that are each a transaction; killed, the
//! next run goes on. What is no longer known by a row is a file or a point of the index, so that rows go first.

mod files;
mod report;

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, builder::NonEmptyStringValueParser};
use jiff::Timestamp;
use runtime::{Config, Host, Stop};
use serde_json::json;
use state::{AuditChange, Maintainer, OutboxPlace, Schema, Store};
use topology::Map;
use vector_index::Index;

use super::{audit, known};
use crate::{exit::Exit, settings::Settings};
use report::Report;

/// Take what is past its retention, and what is kept for no one
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Of this tenant only, without the outbox; `doctor` does not count such a run
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// Show what would be taken
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill maintain --dry-run
  gistmill maintain
  gistmill maintain --tenant acme --json

Of each tenant with a retention (`gistmill tenant set`): messages sent before it with their words and names, digests whose window
begins before it with files and ledger, points of the index. Of all: rows of the outbox that were published a week ago, answers of
models after 90 days, link codes and reservations that ran out, and on Kafka the marks of posts, settings and requests for digests
after 30 days. The audit log stays. Then it counts what belongs to nothing.
Meant to run each night, beside a running pipeline; needs the owner of the tables (GISTMILL_POSTGRES__OWNER_URL) and, for files, the
folder that file_sink writes to. Killed, the next run goes on; of two at once the second is refused.";

/// How long a write that is made once is known on Kafka, in ms: nobody tries one again after a month.
const MARKS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    let url = Settings::owner_url(&config)?;
    let schema = Schema::of_prefix(config.prefix.as_str())?;
    let host = Host::new(config.clone(), 1)?;
    host.stop_on_signals();
    let store = host.store()?;
    host.block_on(store.ready()).context("could not begin maintenance")?;
    let Some(mut maintainer) = host.block_on(Maintainer::connect(url, &schema))? else {
        bail!(
            "another `gistmill maintain` runs in this database: nothing was done; it takes what there is to take"
        )
    };
    let mut report = Report::new(arguments.dry_run);
    // The broker is asked by clients that block, before anything of the store is under way.
    let map = Map::embedded()?;
    let published = match operate::outbox_published(&config, &map) {
        Ok(published) => published,
        Err(error) => {
            report.note(format!("the outbox was left alone: how far it was published is not known: {error}"));
            None
        }
    };
    let is_whole = arguments.tenant.is_none();
    if is_whole {
        forget_marks(&config, &map, &mut report);
    }
    let index = config.qdrant.url.as_ref().map(|_| qdrant_sink::index(&config)).transpose()?;
    let actor = settings.operator();
    let (stop, outbox) = (host.stop(), published.filter(|_| is_whole));
    let mut job = Job { config, store, index, stop, actor, report, failed: Vec::new() };
    let ended = host.block_on(async {
        let run = if is_whole && !arguments.dry_run { Some(maintainer.begin_run().await?) } else { None };
        let done = job.all(&mut maintainer, arguments.tenant.as_deref(), outbox).await;
        if let Some(run) = run {
            let outcome = if done.is_ok() { "done" } else { "failed" };
            let mut said = serde_json::to_value(&job.report)?;
            if let Err(error) = &done {
                said["error"] = format!("{error:#}").into();
            }
            maintainer.end_run(run, outcome, &said).await?;
        }
        done
    });
    job.report.write(arguments.json, out)?;
    ended.map(|()| Exit::Done)
}

/// Forgets on Kafka what was written once and is not tried again; the next run does what cannot be done now.
fn forget_marks(config: &Config, map: &Map, report: &mut Report) {
    let before = Timestamp::now().as_millisecond() - MARKS_KEPT_MS;
    match operate::forget_marks(config, map, before, report.is_dry()) {
        Ok(marks) => report.add("marks", marks),
        Err(error) => report.note(format!("marks of writes on Kafka were left alone: {error}")),
    }
}

/// A run under way.
struct Job {
    config: Config,
    store: Store,
    index: Option<Index>,
    stop: Stop,
    actor: String,
    report: Report,
    /// What could not be done beside the database, and is done by the next run.
    failed: Vec<String>,
}

impl Job {
    async fn all(
        &mut self,
        maintainer: &mut Maintainer,
        only: Option<&str>,
        published: Option<OutboxPlace>,
    ) -> anyhow::Result<()> {
        if let Some(tenant) = only
            && let Some(unknown) = known::unknown(&self.store, tenant, None).await?
            && !maintainer.tenants().await?.iter().any(|known| known == tenant)
        {
            bail!("{unknown}");
        }
        for tenant in maintainer.tenants().await? {
            if only.is_none_or(|only| only == tenant) {
                self.tenant(maintainer, &tenant).await?;
            }
        }
        if let Some(published) = published {
            if self.report.is_dry() {
                self.report.add("outbox", maintainer.look_outbox(published).await?);
            } else {
                let (stop, report) = (&self.stop, &mut self.report);
                let mut go_on = |table, rows| {
                    report.add(table, rows);
                    !stop.is_asked()
                };
                maintainer.take_outbox(published, &mut go_on).await?;
            }
        }
        if self.stop.is_asked() {
            bail!("stopped between two batches: the next run goes on");
        }
        if let Some(first) = self.failed.first() {
            bail!("rows were taken, and not all that belongs to them; mend it and run this again: {first}");
        }
        Ok(())
    }

    async fn tenant(&mut self, maintainer: &mut Maintainer, tenant: &str) -> anyhow::Result<()> {
        let due = maintainer.due(tenant).await?;
        self.report.tenants += u64::from(due.is_some());
        if self.report.is_dry() {
            for (table, rows) in maintainer.look(tenant, due).await? {
                self.report.add(table, rows);
            }
        } else {
            let before = self.report.taken();
            self.take(maintainer, (tenant, due)).await?;
            self.put_on_record((tenant, due), before).await;
        }
        // That the index or a folder is away is no reason to keep what other tenants want taken.
        if let Err(error) = self.points((tenant, due)).await {
            self.failed.push(error.to_string());
        }
        self.report.without_messages += maintainer.digests_without_messages(tenant).await?;
        let digests = maintainer.digests(tenant).await?;
        if let Err(error) =
            files::sweep(&self.config.files.directory, (tenant, due), &digests, &mut self.report)
        {
            self.failed.push(format!("{error:#}"));
        }
        Ok(())
    }

    /// Points of the index, of which Postgres holds no rows.
    async fn points(&mut self, (tenant, due): (&str, Option<i64>)) -> Result<(), vector_index::Error> {
        let (Some(index), Some(before)) = (&self.index, due) else { return Ok(()) };
        if index.is_there().await? {
            let points = index.count_before(tenant, before).await?;
            self.report.add("points", points);
            if points > 0 && !self.report.is_dry() {
                index.delete_before(tenant, before).await?;
            }
        }
        Ok(())
    }

    /// Takes rows, once the mark is raised: sinks write nothing from before it then.
    async fn take(
        &mut self,
        maintainer: &mut Maintainer,
        (tenant, due): (&str, Option<i64>),
    ) -> anyhow::Result<()> {
        if let Some(before) = due {
            maintainer.raise(tenant, before).await?;
        }
        let (stop, report) = (&self.stop, &mut self.report);
        let mut go_on = |table, rows| {
            report.add(table, rows);
            !stop.is_asked()
        };
        if !maintainer.take((tenant, due), &mut go_on).await? {
            bail!("stopped between two batches: the next run goes on");
        }
        Ok(())
    }

    async fn put_on_record(&self, (tenant, due): (&str, Option<i64>), before: u64) {
        let rows = self.report.taken() - before;
        if rows == 0 {
            return;
        }
        let after = json!({ "rows": rows, "sent_before": due.map(crate::printing::when) });
        let change = AuditChange {
            tenant_id: tenant,
            actor: &self.actor,
            action: "maintain",
            subject: tenant,
            before: None,
            after: Some(&after),
        };
        audit::record(&self.store, &change).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    #[test]
    fn a_tenant_that_is_named_is_not_empty() {
        let parsed = |words: &[&str]| Line::<Arguments>::try_parse_from(["maintain"].iter().chain(words));
        assert!(parsed(&["--tenant", ""]).is_err());
        let all = parsed(&[]).unwrap().arguments;
        assert!(all.tenant.is_none() && !all.dry_run && !all.json);
    }
}
