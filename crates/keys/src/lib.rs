//! Secrets of tenants and users, sealed so that a database without the master key gives nothing.
//!
//! Each secret is sealed with AES-256-GCM under a key of its own, which HKDF-SHA-256 (RFC 5869) derives from the master key and a salt
//! that is random for each sealing. What is sealed is bound to its row: under another tenant, owner, provider or id it does not open.
//!
//! Invariant: a secret leaves this crate as a `SecretString` only, and no error holds a piece of one.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::fmt;

/// Bytes of a master key and of a salt.
pub const KEY_BYTES: usize = 32;
const SCHEME: &[u8] = b"gistmill provider key 1";
const NAME: &[u8] = b"gistmill master key id 1";

/// Why a secret was not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A master key that is none.
    #[error(
        "a master key is {KEY_BYTES} random bytes in base64: make one with `openssl rand -base64 {KEY_BYTES}`"
    )]
    MasterKey,
    /// It was sealed under a master key that is not here.
    #[error("the secret was sealed under the master key {0}, which is not given: add it to the former ones")]
    UnknownMaster(String),
    /// It was changed, or belongs to another row.
    #[error("the sealed secret does not open: it was changed, or it is another row's")]
    NotOpened,
    /// The system gives no random bytes.
    #[error("could not seal a secret: the system gives no random bytes")]
    NoRandom,
}

/// What a sealed secret is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Tenant that it belongs to.
    pub tenant_id: &'a str,
    /// User inside the tenant; empty for the tenant's own.
    pub owner: &'a str,
    /// Provider that it opens.
    pub provider: &'a str,
    /// Id of the row: another one each time that a secret is set.
    pub id: &'a [u8],
}

/// A secret as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Name of the master key: eight digits that are derived from it and tell nothing of it.
    pub master_id: String,
    /// Random for this sealing.
    pub salt: Vec<u8>,
    /// Random for this sealing.
    pub nonce: Vec<u8>,
    /// The secret, with the tag of authentication at its end.
    pub ciphertext: Vec<u8>,
}

struct Master {
    id: String,
    key: SecretBox<[u8; KEY_BYTES]>,
}

/// The master keys: one that seals, and former ones that only open.
pub struct Ring {
    current: Master,
    former: Vec<Master>,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("current", &self.current.id).finish_non_exhaustive()
    }
}

impl Ring {
    /// Takes master keys, each [`KEY_BYTES`] bytes in base64. Spaces and line ends around them are left out.
    ///
    /// # Errors
    /// One is none.
    pub fn new(current: &SecretString, former: &[SecretString]) -> Result<Self, Error> {
        let former = former.iter().map(Master::read).collect::<Result<_, _>>()?;
        Ok(Self { current: Master::read(current)?, former })
    }

    /// Name of the master key that seals.
    pub fn master_id(&self) -> &str {
        &self.current.id
    }

    /// Whether a secret is sealed under a former master key.
    pub fn is_former(&self, sealed: &Sealed) -> bool {
        sealed.master_id != self.current.id
    }

    /// Seals a secret for its row.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(&self, binding: &Binding<'_>, secret: &SecretString) -> Result<Sealed, Error> {
        let salt: [u8; KEY_BYTES] = random()?;
        let nonce: [u8; NONCE_LEN] = random()?;
        let key = self.current.derive(&salt)?;
        let mut text = secret.expose_secret().as_bytes().to_vec();
        let aad = Aad::from(bound(binding, &self.current.id));
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .map_err(|_| Error::NotOpened)?;
        Ok(Sealed {
            master_id: self.current.id.clone(),
            salt: salt.to_vec(),
            nonce: nonce.to_vec(),
            ciphertext: text,
        })
    }

    /// Opens what was sealed for this row.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<SecretString, Error> {
        let masters = std::iter::once(&self.current).chain(&self.former);
        let master = masters.into_iter().find(|master| master.id == sealed.master_id);
        let master = master.ok_or_else(|| Error::UnknownMaster(sealed.master_id.clone()))?;
        let nonce = Nonce::try_assume_unique_for_key(&sealed.nonce).map_err(|_| Error::NotOpened)?;
        let key = master.derive(&sealed.salt)?;
        let mut text = sealed.ciphertext.clone();
        let aad = Aad::from(bound(binding, &master.id));
        let opened = key.open_in_place(nonce, aad, &mut text).map_err(|_| Error::NotOpened)?;
        let length = opened.len();
        text.truncate(length);
        String::from_utf8(text).map(SecretString::from).map_err(|_| Error::NotOpened)
    }

    /// Seals under the current master key what a former one sealed; none when it is the current one's already.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn reseal(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Option<Sealed>, Error> {
        if !self.is_former(sealed) {
            return Ok(None);
        }
        self.seal(binding, &self.open(binding, sealed)?).map(Some)
    }
}

impl Master {
    fn read(text: &SecretString) -> Result<Self, Error> {
        let bytes = SecretBox::new(Box::new(
            BASE64_STANDARD.decode(text.expose_secret().trim()).map_err(|_| Error::MasterKey)?,
        ));
        let key: [u8; KEY_BYTES] =
            bytes.expose_secret().as_slice().try_into().map_err(|_| Error::MasterKey)?;
        let mut name = [0; 4];
        expand(&key, &[], NAME, &mut name)?;
        let id = format!("{:08x}", u32::from_be_bytes(name));
        Ok(Self { id, key: SecretBox::new(Box::new(key)) })
    }

    /// The key of one secret.
    fn derive(&self, salt: &[u8]) -> Result<LessSafeKey, Error> {
        let mut key = SecretBox::new(Box::new([0; KEY_BYTES]));
        expand(
            self.key.expose_secret(),
            salt,
            SCHEME,
            secrecy::ExposeSecretMut::expose_secret_mut(&mut key),
        )?;
        let key = UnboundKey::new(&AES_256_GCM, key.expose_secret()).map_err(|_| Error::NotOpened)?;
        Ok(LessSafeKey::new(key))
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(key: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Error> {
    let extracted = Salt::new(HKDF_SHA256, salt).extract(key);
    let info = [info];
    let expanded = extracted.expand(&info, Length(out.len())).map_err(|_| Error::NotOpened)?;
    expanded.fill(out).map_err(|_| Error::NotOpened)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    Ok(bytes)
}

/// The id of a row that is about to be written.
///
/// # Errors
/// The system gives no random bytes.
pub fn row_id() -> Result<[u8; 16], Error> {
    random()
}

/// What is authenticated along with a secret: each part with its length before it, so that none runs into the next.
fn bound(binding: &Binding<'_>, master_id: &str) -> Vec<u8> {
    let parts = [
        SCHEME,
        master_id.as_bytes(),
        binding.tenant_id.as_bytes(),
        binding.owner.as_bytes(),
        binding.provider.as_bytes(),
        binding.id,
    ];
    parts
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-open-sesame-0123456789";
    const ROW: Binding<'static> = Binding { tenant_id: "acme", owner: "ann", provider: "pro", id: &[7; 16] };

    fn master(byte: u8) -> SecretString {
        BASE64_STANDARD.encode([byte; KEY_BYTES]).into()
    }

    fn ring(current: u8, former: &[u8]) -> Ring {
        Ring::new(&master(current), &former.iter().map(|byte| master(*byte)).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_row_and_in_no_other() {
        let ring = ring(1, &[]);
        let sealed = ring.seal(&ROW, &SECRET.into()).unwrap();
        assert_eq!(ring.open(&ROW, &sealed).unwrap().expose_secret(), SECRET);
        for other in [
            Binding { tenant_id: "acm", ..ROW },
            Binding { tenant_id: "acmea", owner: "nn", ..ROW },
            Binding { owner: "", ..ROW },
            Binding { provider: "base", ..ROW },
            Binding { id: &[8; 16], ..ROW },
        ] {
            assert_eq!(ring.open(&other, &sealed).err(), Some(Error::NotOpened), "{other:?}");
        }
    }

    #[test]
    fn a_changed_bit_anywhere_does_not_open() {
        let ring = ring(1, &[]);
        let sealed = ring.seal(&ROW, &SECRET.into()).unwrap();
        let parts: [fn(&mut Sealed) -> &mut Vec<u8>; 3] =
            [|sealed| &mut sealed.salt, |sealed| &mut sealed.nonce, |sealed| &mut sealed.ciphertext];
        for part in parts {
            for bit in 0..part(&mut sealed.clone()).len() * 8 {
                let mut changed = sealed.clone();
                part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(ring.open(&ROW, &changed).err(), Some(Error::NotOpened));
            }
        }
        for length in 0..sealed.ciphertext.len() {
            let cut = Sealed { ciphertext: sealed.ciphertext[..length].to_vec(), ..sealed.clone() };
            assert_eq!(ring.open(&ROW, &cut).err(), Some(Error::NotOpened));
        }
    }

    #[test]
    fn the_same_secret_is_never_the_same_bytes_and_nothing_shows_it() {
        let ring = ring(1, &[]);
        let (one, two) = (ring.seal(&ROW, &SECRET.into()).unwrap(), ring.seal(&ROW, &SECRET.into()).unwrap());
        assert!(one.salt != two.salt && one.nonce != two.nonce && one.ciphertext != two.ciphertext);
        let shown = format!("{one:?} {ring:?}");
        assert!(!shown.contains("sesame") && !one.ciphertext.windows(6).any(|bytes| bytes == b"sesame"));
    }

    #[test]
    fn a_new_master_key_opens_and_replaces_what_a_former_one_sealed() {
        let before = ring(1, &[]).seal(&ROW, &SECRET.into()).unwrap();
        let both = ring(2, &[1]);
        assert!(both.is_former(&before) && both.master_id() != before.master_id);
        let after = both.reseal(&ROW, &before).unwrap().unwrap();
        assert_eq!(both.reseal(&ROW, &after), Ok(None));
        assert_eq!(ring(2, &[]).open(&ROW, &after).unwrap().expose_secret(), SECRET);
        let unknown = Error::UnknownMaster(before.master_id.clone());
        assert_eq!(ring(2, &[]).open(&ROW, &before).err(), Some(unknown));
        // Whoever renames the master key of a row gets nothing by it.
        let renamed = Sealed { master_id: both.master_id().to_owned(), ..before };
        assert_eq!(both.open(&ROW, &renamed).err(), Some(Error::NotOpened));
    }

    #[test]
    fn a_master_key_is_32_bytes_in_base64() {
        for text in ["", "hunter2", "AAAA", "not base64 at all, but long enough to be"] {
            assert_eq!(Ring::new(&text.into(), &[]).err(), Some(Error::MasterKey), "{text}");
        }
        let spaced = SecretString::from(format!(" {}\n", master(1).expose_secret()));
        assert_eq!(Ring::new(&spaced, &[]).unwrap().master_id(), ring(1, &[]).master_id());
    }
}
