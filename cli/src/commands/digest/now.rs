//! `gistmill digest now`: a digest of a span of a group's time that is on no schedule.
//!
//! Invariant: the request is a function of group, span, what is stored of it, and who asks: the same is asked for once,
//! and its digest stands beside those of the group's windows without a place among them.

use std::{io::Write, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use digest_request_source::{DigestRequestSource, asking};
use rendering::Extent;
use runtime::{Config, Host, SourceEnd};
use schemas::{DigestGenerateRequested, GroupSettings};
use state::{Answered, Store};
use telegram_export_source::Group;
use topology::Map;

use super::{Form, Which, show, span::Span, waiting::Waiting};
use crate::{assembly, exit::Exit, printing::printable, settings::Settings};

/// Time between two looks for the digest.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
pub(super) struct Now {
    /// Tenant that owns the group
    #[arg(long)]
    tenant: String,
    /// Group
    #[arg(long)]
    group: String,
    #[command(flatten)]
    span: Span,
    /// Who asks: part of the request's identity
    #[arg(long, value_name = "NAME", default_value = "operator")]
    requested_by: String,
    /// Deliver it by the group's channels too; otherwise nobody but you sees it
    #[arg(long)]
    deliver: bool,
    /// Longest wait for the digest, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, conflicts_with = "no_wait")]
    wait: u64,
    /// Ask, print the digest's id, and leave
    #[arg(long)]
    no_wait: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(now: &Now, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    // Both have to be names that a group can have.
    let (group, _) = (Group::new(&now.tenant, &now.group)?, Group::new(&now.tenant, &now.requested_by)?);
    if !assembly::trigger(&config)?.is_enabled_for(group.tenant_id()) {
        bail!(
            "digests are switched off for tenant {}: DIGEST_AGENT_ENABLED is off and DIGEST_AGENT_CANARY_TENANTS does \
             not name it",
            now.tenant
        );
    }
    let of_group = settings_of(&group, now, &config)?;
    let mut host = Host::new(config, 1)?;
    host.stop_on_signals();
    let store = host.store()?;
    let (request, before) = host.block_on(async {
        store.ready().await.context("could not read what is stored of the group")?;
        let request = request(&store, (&group, now), of_group).await?;
        let before = store.answered(&request).await?;
        anyhow::Ok((request, before))
    })?;
    if before.is_none() {
        let mut source = DigestRequestSource::new(request.clone());
        if host.drive(&mut source, &mut |_| {})? == SourceEnd::Stopped {
            bail!("stopped before the request was written");
        }
        if now.no_wait {
            return asked(&request, now.json, out);
        }
    }
    match before.map_or_else(|| wait(&host, &store, (&request, now)), |before| Ok(Some(before)))? {
        Some(answer) => told(&answer, now, out),
        None => bail!(
            "digest {} has not come within {} s: `gistmill lag` shows where it is, `gistmill dlq ls` whether it was \
             rejected; once it is there, `gistmill digest show` prints it, and so does this command",
            request.digest_id(),
            now.wait
        ),
    }
}

/// The group's settings as they hold now; without channels unless the digest is to be delivered.
fn settings_of(group: &Group, now: &Now, config: &Config) -> anyhow::Result<GroupSettings> {
    let key = format!("{}/{}", group.tenant_id(), group.group_id());
    let found = operate::newest_settings(config, &Map::embedded()?, &key)?.unwrap_or_default();
    Ok(if now.deliver { found } else { GroupSettings { channels: Vec::new(), ..found } })
}

async fn request(
    store: &Store,
    (group, now): (&Group, &Now),
    settings: GroupSettings,
) -> anyhow::Result<DigestGenerateRequested> {
    let (tenant, name) = (group.tenant_id(), group.group_id());
    let which = Which { tenant: tenant.to_owned(), group: Some(name.to_owned()) };
    let newest = store.digest_list(&which.filter(Some(1))).await?.pop();
    let clock_ms = jiff::Timestamp::now().as_millisecond();
    let bounds = now.span.bounds(clock_ms, newest.map(|newest| newest.window_end), &settings.time_zone)?;
    let Some(held) = store.held((tenant, name), (bounds.start_ms, bounds.end_ms)).await? else {
        bail!(
            "nobody wrote in {} {bounds}, as far as it is stored: `gistmill lag` shows what is on its way",
            printable(&format!("{tenant}/{name}"))
        );
    };
    Ok(asking((tenant, name), ((bounds.start_ms, bounds.end_ms), held), &now.requested_by, settings))
}

/// Waits for what comes of a request; none where that takes too long.
fn wait(
    host: &Host,
    store: &Store,
    (request, now): (&DigestGenerateRequested, &Now),
) -> anyhow::Result<Option<Answered>> {
    let window = &request.window;
    let (messages, people) = (window.message_count, window.participant_count);
    let mut waiting =
        Waiting::start(format!("waiting for the digest (messages: {messages}, people: {people})"));
    while waiting.elapsed() < Duration::from_secs(now.wait) {
        if host.stop().is_asked() {
            bail!(
                "stopped while waiting; the digest is made all the same: `gistmill digest show {}`",
                request.digest_id()
            );
        }
        if let Some(answer) = host.block_on(store.answered(request))? {
            return Ok(Some(answer));
        }
        waiting.goes_on();
        std::thread::park_timeout(LOOK_INTERVAL);
    }
    Ok(None)
}

fn asked(request: &DigestGenerateRequested, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (id, tenant) = (request.digest_id(), &request.tenant_id);
    if json {
        let DigestGenerateRequested { window_id, version, window, .. } = request;
        let value = serde_json::json!({ "digest_id": id, "window_id": window_id, "version": version,
            "window_start": window.window_start, "window_end": window.window_end,
            "message_count": window.message_count, "participant_count": window.participant_count });
        writeln!(out, "{value}")?;
    } else {
        writeln!(
            out,
            "asked for digest {id}; `gistmill digest show {id} --tenant {tenant}` prints it once it is there"
        )?;
    }
    Ok(Exit::Done)
}

fn told(answer: &Answered, now: &Now, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match answer {
        Answered::Digest(digest) => {
            show(digest, Form { json: now.json, extent: Extent::Glance, ..Form::default() }, out)
        }
        Answered::Blocked { reason, quality_score, missing_scopes } => {
            if now.json {
                let value = serde_json::json!({ "blocked": reason, "quality_score": quality_score,
                    "missing_scopes": missing_scopes });
                writeln!(out, "{value}")?;
                return Ok(Exit::Failed);
            }
            bail!("{}", why_blocked(reason, *quality_score, missing_scopes))
        }
    }
}

fn why_blocked(reason: &str, score: Option<f64>, missing_scopes: &[String]) -> String {
    match (reason, score) {
        ("missing_scope", _) => format!(
            "the digest was blocked: the group lacks scope {}; `gistmill group set --scopes` grants it",
            printable(&missing_scopes.join(","))
        ),
        ("low_quality", Some(score)) => format!(
            "the digest was blocked as low_quality: its score is {score:.2}; there may be too little to tell of so \
             short a time, try a longer one"
        ),
        _ => format!("the digest was blocked as {}", printable(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use state::Held;

    #[test]
    fn the_same_is_asked_for_once_and_goes_nowhere_unless_it_is_to_be_delivered() {
        let held = Held { source_partition: 1, source_offset: 9, messages: 3, participants: 2 };
        let ask = |held, channels: &[&str]| {
            let channels = channels.iter().map(|name| (*name).to_owned()).collect();
            let settings = GroupSettings { channels, ..GroupSettings::default() };
            asking(("acme", "qa"), ((5, 8), held), "ann", settings)
        };
        let request = ask(held, &[]);
        assert_eq!((request.delivery_channel.as_str(), request.version.as_str()), ("", "1.1"));
        assert_eq!((request.window.message_count, request.window.participant_count), (3, 2));
        assert_eq!(ask(held, &["file", "telegram"]).delivery_channel, "file,telegram");
        assert_eq!(ask(held, &[]).digest_id(), request.digest_id());
        assert_ne!(ask(Held { source_offset: 10, ..held }, &[]).digest_id(), request.digest_id());
    }

    #[test]
    fn a_block_is_told_with_what_to_do() {
        let scope = why_blocked("missing_scope", Some(0.7), &["DIGEST_READ".to_owned()]);
        assert!(scope.contains("lacks scope DIGEST_READ; `gistmill group set --scopes`"), "{scope}");
        let low = why_blocked("low_quality", Some(0.4), &[]);
        assert!(low.contains("low_quality: its score is 0.40"), "{low}");
        assert_eq!(why_blocked("quota", None, &[]), "the digest was blocked as quota");
    }
}
