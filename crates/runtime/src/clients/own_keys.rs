//! The keys with which tenants pay providers themselves, opened when they are used.
//!
//! Invariant: a key that is there and does not open is not replaced by the operator's: somebody else would pay.

use crate::config::Keys;
use keys::{Binding, Ring, Sealed};
use secrecy::SecretString;
use state::{ProviderKey, Store};
use std::collections::BTreeMap;
use tracing::warn;

/// Opens keys. Cheap where no master key is set.
pub(crate) struct OwnKeys(Option<Ring>);

impl OwnKeys {
    /// With the master keys of the settings.
    pub(crate) fn new(settings: &Keys) -> Result<Self, keys::Error> {
        let ring = |master| Ring::new(master, &settings.former());
        settings.master.as_ref().map(ring).transpose().map(Self)
    }

    /// A tenant's own keys by provider; its users' are theirs alone. Fails with a label of a metric.
    pub(super) async fn of(
        &self,
        tenant_id: &str,
        store: &Store,
    ) -> Result<BTreeMap<String, SecretString>, &'static str> {
        let kept = store.provider_keys(tenant_id).await.map_err(|error| {
            warn!(error = error.describe(), "a model is not asked: the keys of its tenant could not be read");
            "keys_away"
        })?;
        let holds = |key: &&ProviderKey| key.revoked_at.is_none() && key.name.owner.is_empty();
        let mut opened = BTreeMap::new();
        for ProviderKey { name, key, .. } in kept.iter().filter(holds) {
            let ring = self.0.as_ref().ok_or("no_master_key")?;
            let binding = Binding {
                tenant_id: &name.tenant_id,
                owner: &name.owner,
                provider: &name.provider,
                id: &key.id,
            };
            let sealed = Sealed {
                master_id: key.master_id.clone(),
                salt: key.salt.clone(),
                nonce: key.nonce.clone(),
                ciphertext: key.ciphertext.clone(),
            };
            let secret = ring.open(&binding, &sealed).map_err(|error| {
                warn!(%error, provider = name.provider, "a model is not asked: the key of its tenant does not open");
                "key_not_opened"
            })?;
            opened.insert(name.provider.clone(), secret);
        }
        Ok(opened)
    }
}
