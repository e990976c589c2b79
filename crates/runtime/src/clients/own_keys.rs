//! The keys with which tenants and users pay providers themselves, opened when they are used.
//!
//! Invariant: a key that is there and does not open, or that paid for a part of a window and is gone, is not replaced by another:
//! somebody else would pay.

use crate::config::Keys;
use keys::{Binding, Ring, Sealed};
use processor::{ModelQuestion, Payer};
use secrecy::SecretString;
use state::{ProviderKey, Store};
use std::collections::BTreeMap;
use tracing::warn;

/// Opens keys. Cheap where no master key is set.
pub(crate) struct OwnKeys(Option<Ring>);

/// Keys for a question, by provider, and whose each is.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) secrets: BTreeMap<String, SecretString>,
    payers: BTreeMap<String, Payer>,
}

impl Opened {
    /// Whose key a provider is called with.
    pub(super) fn payer(&self, provider: &str) -> Payer {
        self.payers.get(provider).copied().unwrap_or(Payer::Operator)
    }
}

impl OwnKeys {
    /// With the master keys of the settings.
    pub(crate) fn new(settings: &Keys) -> Result<Self, keys::Error> {
        let ring = |master| Ring::new(master, &settings.former());
        settings.master.as_ref().map(ring).transpose().map(Self)
    }

    /// The keys for a question: for each provider that of the user who asked, else the tenant's. Fails with a label of a metric.
    pub(super) async fn of(&self, question: &ModelQuestion, store: &Store) -> Result<Opened, &'static str> {
        let kept = store.provider_keys(&question.tenant_id).await.map_err(|error| {
            warn!(error = error.describe(), "a model is not asked: the keys of its tenant could not be read");
            "keys_away"
        })?;
        let chosen = chosen(&kept, question)?;
        let mut opened = Opened::default();
        for (key, payer) in chosen {
            opened.secrets.insert(key.name.provider.clone(), self.open(key)?);
            opened.payers.insert(key.name.provider.clone(), payer);
        }
        Ok(opened)
    }

    fn open(&self, ProviderKey { name, key, .. }: &ProviderKey) -> Result<SecretString, &'static str> {
        let ring = self.0.as_ref().ok_or("no_master_key")?;
        let binding =
            Binding { tenant_id: &name.tenant_id, owner: &name.owner, provider: &name.provider, id: &key.id };
        let sealed = Sealed {
            master_id: key.master_id.clone(),
            salt: key.salt.clone(),
            nonce: key.nonce.clone(),
            ciphertext: key.ciphertext.clone(),
        };
        ring.open(&binding, &sealed).map_err(|error| {
            warn!(%error, provider = name.provider, "a model is not asked: the key of its tenant or user does not open");
            "key_not_opened"
        })
    }
}

/// Whose key it is for a question; nobody's where it is another user's.
fn payer(key: &ProviderKey, user: Option<&str>) -> Option<Payer> {
    match (key.name.owner.as_str(), user) {
        ("", _) => Some(Payer::Tenant),
        (owner, Some(user)) if owner == user => Some(Payer::User),
        _ => None,
    }
}

/// One key for each provider, the user's before the tenant's. Fails where the one that paid for the beginning of the window is gone.
fn chosen<'k>(
    kept: &'k [ProviderKey],
    question: &ModelQuestion,
) -> Result<Vec<(&'k ProviderKey, Payer)>, &'static str> {
    let user = question.user_id.as_deref();
    let of_question = kept.iter().filter_map(|key| payer(key, user).map(|payer| (key, payer)));
    let (gone, held): (Vec<_>, Vec<_>) = of_question.partition(|(key, _)| key.revoked_at.is_some());
    let is_of = |keys: &[(&ProviderKey, Payer)], paid: Payer| keys.iter().any(|(_, payer)| *payer == paid);
    match question.paid_before.filter(|paid| *paid != Payer::Operator) {
        Some(paid) if is_of(&held, paid) => {}
        Some(paid) if is_of(&gone, paid) => return Err("key_revoked"),
        Some(_) => return Err("key_erased"),
        None => {}
    }
    let mut by_provider: BTreeMap<&str, (&ProviderKey, Payer)> = BTreeMap::new();
    for (key, payer) in held {
        let one = by_provider.entry(&key.name.provider).or_insert((key, payer));
        if payer > one.1 {
            *one = (key, payer);
        }
    }
    Ok(by_provider.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use state::{KeyName, SealedKey};

    fn key(owner: &str, provider: &str, revoked_at: Option<i64>) -> ProviderKey {
        let of = |text: &str| text.to_owned();
        let name = KeyName { tenant_id: of("acme"), owner: of(owner), provider: of(provider) };
        let key =
            SealedKey { id: vec![], master_id: of("m"), salt: vec![], nonce: vec![], ciphertext: vec![] };
        ProviderKey { name, key, purpose: of("digests"), consented_at: 1, revoked_at }
    }

    fn question(user: Option<&str>, paid_before: Option<Payer>) -> ModelQuestion {
        ModelQuestion {
            tenant_id: "acme".to_owned(),
            group_id: "garden".to_owned(),
            user_id: user.map(str::to_owned),
            paid_before,
            stage: "writer",
            prompt: "part/1",
            system: String::new(),
            turns: Vec::new(),
            schema: "{}",
            output_tokens_max: 1,
        }
    }

    type Told = Result<Vec<(String, String)>, &'static str>;

    fn told(kept: &[ProviderKey], question: &ModelQuestion) -> Told {
        let one = |(key, _): (&ProviderKey, Payer)| (key.name.provider.clone(), key.name.owner.clone());
        chosen(kept, question).map(|keys| keys.into_iter().map(one).collect())
    }

    #[test]
    fn the_key_of_who_asked_goes_before_the_tenants_and_nobody_elses_is_used() {
        let kept =
            [key("", "base", None), key("", "pro", None), key("ann", "pro", None), key("bo", "base", None)];
        let keys = |of: &[(&str, &str)]| -> Told {
            Ok(of.iter().map(|(provider, owner)| ((*provider).to_owned(), (*owner).to_owned())).collect())
        };
        assert_eq!(told(&kept, &question(Some("ann"), None)), keys(&[("base", ""), ("pro", "ann")]));
        assert_eq!(told(&kept, &question(Some("bo"), None)), keys(&[("base", "bo"), ("pro", "")]));
        assert_eq!(told(&kept, &question(None, None)), keys(&[("base", ""), ("pro", "")]));
        let revoked = [key("", "pro", None), key("ann", "pro", Some(5))];
        assert_eq!(told(&revoked, &question(Some("ann"), None)), keys(&[("pro", "")]));
    }

    #[test]
    fn nobody_else_pays_for_the_rest_of_a_window_whose_key_is_gone() {
        let ann = |paid| question(Some("ann"), Some(paid));
        let (tenants, revoked) = (key("", "pro", None), key("ann", "pro", Some(5)));
        assert_eq!(told(&[tenants.clone(), revoked], &ann(Payer::User)), Err("key_revoked"));
        assert_eq!(told(std::slice::from_ref(&tenants), &ann(Payer::User)), Err("key_erased"));
        assert_eq!(told(&[], &ann(Payer::Tenant)), Err("key_erased"));
        assert_eq!(told(&[key("", "pro", Some(5))], &ann(Payer::Tenant)), Err("key_revoked"));
        assert!(told(&[tenants], &ann(Payer::Tenant)).is_ok());
        assert!(told(&[], &ann(Payer::Operator)).is_ok());
    }
}
