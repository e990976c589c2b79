//! An encrypted stream to a broker that is who it says it is.

use super::{Pem, Tls};
use crate::Error;
use openssl::pkey::PKey;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime, pem::PemObject},
};
use std::{net::TcpStream, path::Path, sync::Arc};

/// Where systems keep whom they trust, in the order in which librdkafka looks.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/tls/certs/ca-bundle.trust.crt",
    "/etc/ssl/certs/ca-certificates.crt",
];

/// An encrypted stream; its handshake is made by the first request.
pub(super) type Encrypted = StreamOwned<ClientConnection, TcpStream>;

/// Encrypts a connection to a host.
pub(super) fn encrypt(stream: TcpStream, host: &str, tls: &Tls) -> Result<Encrypted, Error> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| unusable("bootstrap.servers", format!("{host}: {error}")))?;
    let connection = ClientConnection::new(Arc::new(config(tls)?), name)
        .map_err(|error| unusable("security.protocol", error.to_string()))?;
    Ok(StreamOwned::new(connection, stream))
}

fn unusable(setting: &'static str, why: String) -> Error {
    Error::Setting { setting, why }
}

fn config(tls: &Tls) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(tls)?), Arc::clone(&provider))
        .build()
        .map_err(|error| unusable("ssl.ca.location", error.to_string()))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("security.protocol", error.to_string()))?;
    // The name alone can be left unchecked, as librdkafka lets it: `dangerous` is rustls' word for any verifier of one's
    // own.
    let verifier: Arc<dyn ServerCertVerifier> =
        if tls.checks_names { verifier } else { Arc::new(AnyName(verifier)) };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some((certificate, key)) = &tls.identity else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates("ssl.certificate.location", certificate)?;
    let key = private_key(key, tls.passphrase.as_deref())?;
    builder.with_client_auth_cert(chain, key).map_err(|error| unusable("ssl.key.location", error.to_string()))
}

fn private_key(pem: &Pem, passphrase: Option<&str>) -> Result<PrivateKeyDer<'static>, Error> {
    let text = match pem {
        Pem::File(path) => {
            std::fs::read(path).map_err(|error| unusable("ssl.key.location", error.to_string()))?
        }
        Pem::Text(text) => text.clone().into_bytes(),
    };
    let Some(passphrase) = passphrase else {
        let key = PrivateKeyDer::from_pem_slice(&text);
        return key.map_err(|error| {
            unusable("ssl.key.location", format!("{error}; a key with a passphrase needs ssl.key.password"))
        });
    };
    // rustls reads no key that is locked; librdkafka's own library does.
    let unlocked = PKey::private_key_from_pem_passphrase(&text, passphrase.as_bytes());
    let der = unlocked.and_then(|key| key.private_key_to_pkcs8());
    // What the library says quotes neither key nor passphrase, but names its own source lines.
    let der = der.map_err(|_| unusable("ssl.key.password", "it does not open the key".to_owned()))?;
    Ok(PrivatePkcs8KeyDer::from(der).into())
}

fn roots(tls: &Tls) -> Result<RootCertStore, Error> {
    let setting = "ssl.ca.location";
    let authorities = tls.authorities.clone().or_else(|| {
        let found = SYSTEM_AUTHORITIES.iter().find(|path| Path::new(path).exists());
        found.map(|path| Pem::File(path.into()))
    });
    let none = || unusable(setting, "it is not set, and this system keeps no list of its own".to_owned());
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(setting, &authorities.ok_or_else(none)?)?);
    if added == 0 {
        return Err(unusable(setting, "it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn certificates(setting: &'static str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = match pem {
        Pem::File(path) => CertificateDer::pem_file_iter(path).and_then(Iterator::collect),
        Pem::Text(text) => CertificateDer::pem_slice_iter(text.as_bytes()).collect(),
    };
    read.map_err(|error| unusable(setting, error.to_string()))
}

/// Whoever a trusted certificate is for.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::symm::Cipher;

    const KEY: &str = include_str!("fixtures/server.key");

    #[test]
    fn a_locked_key_is_opened_by_its_passphrase_and_by_no_other() {
        let key = PKey::private_key_from_pem(KEY.as_bytes()).expect("a key");
        let locked = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"p;w").expect("locked");
        let locked = Pem::Text(String::from_utf8(locked).expect("text"));
        let opened = private_key(&locked, Some("p;w")).expect("opened");
        assert_eq!(opened.secret_der(), key.private_key_to_pkcs8().expect("a key"));
        let why = |passphrase| private_key(&locked, passphrase).err().map(|error| error.to_string());
        let wrong = "could not use ssl.key.password: it does not open the key";
        assert_eq!(why(Some("other")).as_deref(), Some(wrong));
        let missing = why(None).unwrap_or_default();
        assert!(missing.ends_with("a key with a passphrase needs ssl.key.password"), "{missing}");
    }
}
