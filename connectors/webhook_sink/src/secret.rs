//! Secrets of webhooks: made here, sealed for their row.
//!
//! Invariant: a secret is sealed for its tenant, group and row, and opens nowhere else.

use crate::{CHANNEL, signature::PREFIX};
use aws_lc_rs::rand;
use base64::{Engine, prelude::BASE64_STANDARD};
use keys::{Binding, Ring, Sealed};
use secrecy::SecretString;
use state::{SealedKey, WebhookSecret};

/// Bytes of a secret that is made here.
const BYTES: usize = 32;

/// The system gives no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("could not make a secret: the system gives no random bytes")]
pub struct SecretError;

/// A new secret.
///
/// # Errors
/// The system gives no random bytes.
pub fn new_secret() -> Result<SecretString, SecretError> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|_| SecretError)?;
    Ok(format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)).into())
}

/// What the secret of a webhook is bound to; an empty group is all of the tenant's.
pub fn binding<'a>(tenant_id: &'a str, group_id: &'a str, id: &'a [u8]) -> Binding<'a> {
    Binding { tenant_id, owner: group_id, provider: CHANNEL, id }
}

/// Opens the secrets of a webhook.
pub(crate) fn open(
    ring: &Ring,
    (tenant_id, group_id): (&str, &str),
    secrets: &[WebhookSecret],
) -> Result<Vec<SecretString>, keys::Error> {
    let open = |secret: &WebhookSecret| {
        ring.open(&binding(tenant_id, group_id, &secret.key.id), &sealed(&secret.key))
    };
    secrets.iter().map(open).collect()
}

fn sealed(key: &SealedKey) -> Sealed {
    Sealed {
        master_id: key.master_id.clone(),
        salt: key.salt.clone(),
        nonce: key.nonce.clone(),
        ciphertext: key.ciphertext.clone(),
    }
}
