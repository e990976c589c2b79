//! What waits for an operator, or for another try.

use std::io::{self, Write};

use serde_json::json;
use state::{MutedDelivery, Store, UnknownDelivery, WaitingDelivery};

use crate::{
    exit::Exit,
    printing::{printable, when},
};

/// Most digests of muted chats that are listed.
const MUTED_MAX: i64 = 1_000;

pub(super) async fn list(
    store: &Store,
    tenant: &str,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let (unknown, disabled) =
        (store.unknown_deliveries(tenant).await?, store.disabled_targets(tenant).await?);
    let waiting = store.waiting_deliveries(tenant).await?;
    if json {
        let told = json!({ "unknown": unknown, "disabled_targets": disabled, "waiting": waiting });
        writeln!(out, "{told}")?;
        return Ok(Exit::Done);
    }
    for delivery in &unknown {
        writeln!(out, "{}", line(delivery))?;
    }
    for target in &disabled {
        let (chat, why) = (printable(&target.chat), printable(&target.reason));
        writeln!(out, "disabled  {}  {chat}  {why}", target.channel)?;
    }
    for delivery in &waiting {
        writeln!(out, "{}", waiting_line(delivery))?;
    }
    if unknown.is_empty() && disabled.is_empty() && waiting.is_empty() {
        // What is said of a listing is no part of it.
        drop(writeln!(io::stderr(), "every delivery of tenant {} is settled", printable(tenant)));
    }
    Ok(Exit::Done)
}

pub(super) async fn list_muted(
    store: &Store,
    tenant: &str,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let muted = store.muted_deliveries(tenant, MUTED_MAX).await?;
    if json {
        writeln!(out, "{}", json!({ "muted": muted }))?;
        return Ok(Exit::Done);
    }
    for MutedDelivery { group_id, digest_id, version, channel, chat, .. } in &muted {
        let (chat, group) = (printable(chat), printable(group_id));
        writeln!(out, "muted  {digest_id}  version {version}  {channel} {chat}  group {group}")?;
    }
    if muted.is_empty() {
        drop(writeln!(io::stderr(), "no digest of tenant {} was kept from a muted chat", printable(tenant)));
    }
    Ok(Exit::Done)
}

/// What is known of a delivery, on one line.
fn line(delivery: &UnknownDelivery) -> String {
    let since = delivery.sending_at.map_or_else(String::new, |at| format!("  since {}", when(at)));
    let why = delivery.error.as_ref().map_or_else(String::new, |why| format!("  {}", printable(why)));
    format!(
        "unknown  {}  version {} part {}  {} {}  group {}{since}{why}",
        delivery.digest_id,
        delivery.version,
        delivery.part,
        delivery.channel,
        printable(&delivery.chat),
        printable(&delivery.group_id),
    )
}

/// What waits to be tried again, on one line.
fn waiting_line(delivery: &WaitingDelivery) -> String {
    let why = delivery.said.as_ref().map_or_else(String::new, |why| format!("  {}", printable(why)));
    format!(
        "waiting  {}  version {}  {} {}  group {}  tries {}  next {}{why}",
        delivery.digest_id,
        delivery.version,
        delivery.channel,
        printable(&delivery.chat),
        printable(&delivery.group_id),
        delivery.tries,
        when(delivery.next_at),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_unknown_and_why() {
        let delivery = UnknownDelivery {
            group_id: "team".to_owned(),
            digest_id: "d1".to_owned(),
            window_id: "w1".to_owned(),
            version: "1.0".to_owned(),
            channel: "telegram".to_owned(),
            chat: "-1001".to_owned(),
            part: 2,
            error: Some("operation timed out".to_owned()),
            sending_at: Some(0),
        };
        assert_eq!(
            line(&delivery),
            "unknown  d1  version 1.0 part 2  telegram -1001  group team  since 1970-01-01T00:00:00.000Z  operation \
             timed out"
        );
    }
}
