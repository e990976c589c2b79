//! A session's key: sealed in the database as keys of providers are, open in memory alone.
//!
//! Invariant: neither Debug nor any message shows it.

use base64::{Engine, prelude::BASE64_STANDARD};
use keys::{Binding, Ring, Sealed};
use secrecy::{ExposeSecret, SecretString};
use state::{KeyName, SealedKey};

/// Bytes of an authorization key of MTProto.
const KEY_BYTES: usize = 256;
/// The provider that a session's key is kept for.
const PROVIDER: &str = "telegram session";
const SCHEME: &str = "1";

/// What logs an account in: the datacenter that it lives in, and the key that was agreed on there.
pub struct SessionKey {
    /// Number of the datacenter.
    pub dc: i32,
    /// The key.
    pub key: Box<[u8; KEY_BYTES]>,
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionKey").field("dc", &self.dc).finish_non_exhaustive()
    }
}

impl Drop for SessionKey {
    fn drop(&mut self) {
        self.key.fill(0);
    }
}

impl SessionKey {
    /// As it is sealed.
    fn encode(&self) -> SecretString {
        SecretString::from(format!("{SCHEME}:{}:{}", self.dc, BASE64_STANDARD.encode(self.key.as_slice())))
    }

    fn decode(text: &SecretString) -> Option<Self> {
        let (dc, key) = text.expose_secret().strip_prefix(SCHEME)?.strip_prefix(':')?.split_once(':')?;
        let key: [u8; KEY_BYTES] = BASE64_STANDARD.decode(key).ok()?.try_into().ok()?;
        Some(Self { dc: dc.parse().ok()?, key: Box::new(key) })
    }

    /// Seals it for the row of an account.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(&self, ring: &Ring, name: &KeyName) -> Result<SealedKey, keys::Error> {
        let id = keys::row_id()?;
        let Sealed { master_id, salt, nonce, ciphertext } = ring.seal(&binding(name, &id), &self.encode())?;
        Ok(SealedKey { id: id.to_vec(), master_id, salt, nonce, ciphertext })
    }

    /// Opens what was sealed for the row of an account.
    ///
    /// # Errors
    /// What was sealed under a master key that is not given, was changed, or is no session's.
    pub fn open(ring: &Ring, name: &KeyName, key: &SealedKey) -> Result<Self, keys::Error> {
        let sealed = Sealed {
            master_id: key.master_id.clone(),
            salt: key.salt.clone(),
            nonce: key.nonce.clone(),
            ciphertext: key.ciphertext.clone(),
        };
        let opened = ring.open(&binding(name, &key.id), &sealed)?;
        Self::decode(&opened).ok_or(keys::Error::NotOpened)
    }
}

/// Whose key it is: that of an account of a tenant.
pub fn key_name(tenant_id: &str, user: i64) -> KeyName {
    KeyName { tenant_id: tenant_id.to_owned(), owner: format!("user{user}"), provider: PROVIDER.to_owned() }
}

/// The account of a key's owner; none for a key that is no session's.
pub fn account_of(name: &KeyName) -> Option<i64> {
    name.owner.strip_prefix("user").filter(|_| name.provider == PROVIDER)?.parse().ok()
}

/// What a key is sealed with, beside its bytes.
pub fn binding<'a>(name: &'a KeyName, id: &'a [u8]) -> Binding<'a> {
    Binding { tenant_id: &name.tenant_id, owner: &name.owner, provider: &name.provider, id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(byte: u8, former: &[u8]) -> Ring {
        let master = |byte: u8| SecretString::from(BASE64_STANDARD.encode([byte; 32]));
        Ring::new(&master(byte), &former.iter().map(|byte| master(*byte)).collect::<Vec<_>>()).expect("keys")
    }

    #[test]
    fn a_key_opens_in_its_row_and_under_a_former_master_key_and_shows_nothing() {
        let key = SessionKey { dc: 2, key: Box::new([0xab; KEY_BYTES]) };
        let name = key_name("acme", 42);
        let sealed = key.seal(&ring(1, &[]), &name).expect("sealed");
        assert!(!sealed.ciphertext.windows(8).any(|bytes| bytes == [0xab; 8]));
        let opened = SessionKey::open(&ring(2, &[1]), &name, &sealed).expect("opened");
        assert_eq!((opened.dc, *opened.key), (2, [0xab; KEY_BYTES]));
        for other in [key_name("acme", 43), key_name("other", 42)] {
            assert_eq!(SessionKey::open(&ring(1, &[]), &other, &sealed).err(), Some(keys::Error::NotOpened));
        }
        let unknown = SessionKey::open(&ring(2, &[]), &name, &sealed).err();
        assert!(matches!(unknown, Some(keys::Error::UnknownMaster(_))), "{unknown:?}");
        assert_eq!(format!("{opened:?}"), "SessionKey { dc: 2, .. }");
    }

    #[test]
    fn an_account_is_told_from_other_keys() {
        assert_eq!(account_of(&key_name("acme", 42)), Some(42));
        let other = KeyName { provider: "pro".to_owned(), ..key_name("acme", 42) };
        assert_eq!(account_of(&other), None);
    }
}
