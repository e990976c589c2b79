//! Secrets of webhooks: made, replaced, sealed anew. Invariant: one is printed when it is made and never again.

use std::io::Write;

use anyhow::bail;
use keys::Ring;
use secrecy::{ExposeSecret, SecretString};
use state::{SealedKey, Store};
use webhook_sink::{binding, new_secret};

use super::{Name, none_there, told};
use crate::commands::keys::{kept, sealed};

/// A new secret, and the same sealed for its row.
pub(super) fn made(ring: &Ring, name: &Name) -> anyhow::Result<(SecretString, SealedKey)> {
    let (secret, id) = (new_secret()?, ::keys::row_id()?);
    let sealed = ring.seal(&binding(&name.tenant, name.group(), &id), &secret)?;
    Ok((secret, kept(&id, sealed)))
}

pub(super) fn print_secret(secret: &SecretString, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "secret: {}", secret.expose_secret())?;
    writeln!(out, "it is not shown again; give it to the receiver")?;
    Ok(())
}

pub(super) async fn rotate(
    store: &Store,
    ring: &Ring,
    (name, hours): (&Name, i64),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (secret, sealed) = made(ring, name)?;
    let hours = i32::try_from(hours)?;
    if !store.rotate_webhook(name.of(), &sealed, hours).await? {
        bail!("could not replace the secret of {}: {}", name.told(), none_there(name));
    }
    if hours > 0 {
        writeln!(out, "requests of {} are signed with the former secret too for {hours} hours", name.told())?;
    }
    print_secret(&secret, out)
}

/// Seals anew what a former master key sealed of a tenant's webhooks; how many were, and those that do not open.
pub(crate) async fn reseal(
    store: &Store,
    ring: &Ring,
    tenant: &str,
    out: &mut dyn Write,
) -> anyhow::Result<(usize, usize)> {
    let (mut done, mut unopened) = (0, 0);
    for webhook in store.webhooks(tenant).await? {
        let found = store.webhook(tenant, &webhook.group_id).await?;
        for secret in found.map(|(_, secrets)| secrets).unwrap_or_default() {
            match ring.reseal(&binding(tenant, &webhook.group_id, &secret.key.id), &sealed(&secret.key)) {
                Ok(None) => {}
                Ok(Some(anew)) => {
                    let (of, anew) = ((tenant, &*webhook.group_id), kept(&secret.key.id, anew));
                    done += usize::from(store.reseal_webhook(of, &secret.key, &anew).await?);
                }
                Err(error) => {
                    unopened += 1;
                    let owner = told(tenant, &webhook.group_id);
                    writeln!(out, "the secret of the webhook of {owner}: {error}")?;
                }
            }
        }
    }
    Ok((done, unopened))
}
