//! A certificate authority of a stack's own, and what it issues.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef};

use crate::Error;
use crate::error::at;
use crate::files::write_private;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// For how long a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// For ten years from yesterday on.
    Long,
    /// On the first of January 2020, which is over.
    Over,
}

/// A certificate authority: its certificate and its key.
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A certificate with its key.
pub struct Issued {
    certificate: X509,
    key: PKey<Private>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

fn failed(what: &'static str) -> impl Fn(ErrorStack) -> Error {
    move |error| Error::Certificate { what, why: error.to_string() }
}

impl Authority {
    /// A new one, of that name.
    ///
    /// # Errors
    /// OpenSSL cannot.
    pub fn new(name: &str) -> Result<Self, Error> {
        let make = || {
            let key = key()?;
            let mut builder = builder(&key, name, Validity::Long)?;
            builder.set_issuer_name(&*common_name(name)?)?;
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.sign(&key, MessageDigest::sha256())?;
            Ok(Self { certificate: builder.build(), key })
        };
        make().map_err(failed("make a certificate authority"))
    }

    /// The one that a stack keeps in `directory`.
    ///
    /// # Errors
    /// There is none.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let read = |name: &str| {
            let path = directory.join(name);
            fs::read(&path).map_err(at("read", &path))
        };
        let (certificate, key) = (read(CERTIFICATE)?, read(KEY)?);
        let make = || {
            Ok(Self { certificate: X509::from_pem(&certificate)?, key: PKey::private_key_from_pem(&key)? })
        };
        make().map_err(failed("read a certificate authority"))
    }

    pub(crate) fn write(&self, directory: &Path) -> Result<(), Error> {
        write_private(&directory.join(CERTIFICATE), &self.pem()?)?;
        let key = self.key.private_key_to_pem_pkcs8().map_err(failed("write a key"))?;
        write_private(&directory.join(KEY), &key)
    }

    /// Its certificate, which clients are to trust.
    ///
    /// # Errors
    /// OpenSSL cannot.
    pub fn pem(&self) -> Result<Vec<u8>, Error> {
        self.certificate.to_pem().map_err(failed("write a certificate"))
    }

    /// Issues a certificate for a host, by address or by name; for a client `host` is only a name.
    ///
    /// # Errors
    /// OpenSSL cannot.
    pub fn issue(&self, host: &str, validity: Validity) -> Result<Issued, Error> {
        let make = || {
            let key = key()?;
            let mut builder = builder(&key, host, validity)?;
            builder.set_issuer_name(self.certificate.subject_name())?;
            let mut names = SubjectAlternativeName::new();
            let names = if host.parse::<IpAddr>().is_ok() { names.ip(host) } else { names.dns(host) };
            let names = names.build(&builder.x509v3_context(Some(&self.certificate), None))?;
            builder.append_extension(names)?;
            builder.sign(&self.key, MessageDigest::sha256())?;
            Ok(Issued { certificate: builder.build(), key })
        };
        make().map_err(failed("issue a certificate"))
    }
}

impl Issued {
    /// The certificate.
    ///
    /// # Errors
    /// OpenSSL cannot.
    pub fn pem(&self) -> Result<Vec<u8>, Error> {
        self.certificate.to_pem().map_err(failed("write a certificate"))
    }

    /// The key, readable to anyone.
    ///
    /// # Errors
    /// OpenSSL cannot.
    pub fn key_pem(&self) -> Result<Vec<u8>, Error> {
        self.key.private_key_to_pem_pkcs8().map_err(failed("write a key"))
    }

    /// The key, readable to who knows the passphrase.
    ///
    /// # Errors
    /// OpenSSL cannot.
    pub fn locked_key_pem(&self, passphrase: &str) -> Result<Vec<u8>, Error> {
        let written =
            self.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), passphrase.as_bytes());
        written.map_err(failed("write a key"))
    }
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?)?)
}

fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

/// A certificate but for issuer, extensions and signature.
fn builder(key: &PKey<Private>, name: &str, validity: Validity) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    // Version 3, counted from 0.
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&serial)?)?;
    let subject: &X509NameRef = &*common_name(name)?;
    builder.set_subject_name(subject)?;
    builder.set_pubkey(key)?;
    let (from, until) = match validity {
        Validity::Long => (Asn1Time::from_str("20200101000000Z")?, Asn1Time::days_from_now(3_650)?),
        Validity::Over => (Asn1Time::from_str("20200101000000Z")?, Asn1Time::from_str("20200102000000Z")?),
    };
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_issues_is_its_own_and_can_be_locked() {
        let directory = tempfile::tempdir().unwrap();
        Authority::new("test").unwrap().write(directory.path()).unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let issued = authority.issue("127.0.0.1", Validity::Long).unwrap();
        assert!(issued.certificate.verify(&authority.key).unwrap());
        let locked = issued.locked_key_pem("p;w").unwrap();
        assert!(PKey::private_key_from_pem_passphrase(&locked, b"other").is_err());
        assert!(PKey::private_key_from_pem_passphrase(&locked, b"p;w").unwrap().public_eq(&issued.key));
    }

    #[test]
    fn an_expired_certificate_has_expired() {
        let issued = Authority::new("test").unwrap().issue("localhost", Validity::Over).unwrap();
        let now = Asn1Time::days_from_now(0).unwrap();
        assert!(issued.certificate.not_after() < now);
    }
}
