//! An encrypted stream to a broker that is who it says it is.

use super::{Pem, Tls};
use crate::Error;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
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
    let key = match key {
        Pem::File(path) => PrivateKeyDer::from_pem_file(path),
        Pem::Text(text) => PrivateKeyDer::from_pem_slice(text.as_bytes()),
    };
    let key = key.map_err(|error| {
        unusable("ssl.key.location", format!("{error}; it has to be PEM without a passphrase"))
    })?;
    builder.with_client_auth_cert(chain, key).map_err(|error| unusable("ssl.key.location", error.to_string()))
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
