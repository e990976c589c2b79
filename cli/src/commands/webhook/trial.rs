//! A request to see whether a receiver takes one.

use std::io::Write;

use anyhow::{Context, bail};
use courier::Answer;
use delivery::now_ms;
use keys::Ring;
use runtime::Config;
use serde_json::json;
use state::{Store, WebhookSecret};
use webhook_sink::{Message, Poster, Signer, binding};

use super::{Name, none_there};
use crate::{
    commands::keys::sealed,
    exit::Exit,
    printing::{printable, when},
};

pub(super) async fn test(
    store: &Store,
    (ring, config): (&Ring, &Config),
    name: &Name,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let found = store.webhook(&name.tenant, name.group()).await?;
    let (url, secrets) = found
        .with_context(|| format!("could not try the webhook of {}: {}", name.told(), none_there(name)))?;
    let open = |secret: &WebhookSecret| {
        ring.open(&binding(&name.tenant, name.group(), &secret.key.id), &sealed(&secret.key))
    };
    let signer = Signer::new(&secrets.iter().map(open).collect::<Result<Vec<_>, _>>()?)?;
    let poster = Poster::new(&config.webhook)?;
    let url = poster
        .check(&url)
        .map_err(|why| anyhow::anyhow!("could not post to the webhook of {}: {why}", name.told()))?;
    let now = now_ms();
    let id = format!("test_{now}");
    let body = json!({
        "type": "webhook.test", "timestamp": when(now), "data": { "tenant": name.tenant, "group": name.group },
    });
    let body = body.to_string();
    match poster.post(url, &signer, Message { id: &id, body: &body }).await {
        Answer::Delivered => {
            writeln!(out, "the receiver took request {id}")?;
            Ok(Exit::Done)
        }
        Answer::NotYet { why, .. } | Answer::Lost { why, .. } | Answer::Refused(why) | Answer::Gone(why) => {
            bail!("the receiver did not take request {id}: {}", printable(&why))
        }
    }
}
