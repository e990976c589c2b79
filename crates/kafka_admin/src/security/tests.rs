//! A broker of a few requests behind TLS and a login: what it takes to be let in, and what is said where one is not.

use super::*;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

const AUTHORITY: &str = include_str!("fixtures/ca.pem");
const OTHER_AUTHORITY: &str = include_str!("fixtures/other_ca.pem");
/// For the name kafka.test.
const CERTIFICATE: &str = include_str!("fixtures/server.pem");
const KEY: &str = include_str!("fixtures/server.key");

const API_VERSIONS: i16 = 18;
const HANDSHAKE: i16 = 17;
const AUTHENTICATE: i16 = 36;

/// Serves one client, which has to log in as `ann` with `s;e%c`; gives the address.
fn broker(is_encrypted: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        if !is_encrypted {
            return serve(stream);
        }
        let chain =
            CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes()).collect::<Result<_, _>>().expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
        serve(StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a server"), stream));
    });
    address
}

fn serve(mut stream: impl Read + Write) {
    let mut length = [0; 4];
    while stream.read_exact(&mut length).is_ok() {
        let mut request = vec![0; i32::from_be_bytes(length) as usize];
        if stream.read_exact(&mut request).is_err() {
            return;
        }
        let key = i16::from_be_bytes([request[0], request[1]]);
        let body = match key {
            // Everything that is asked for is known.
            API_VERSIONS => [&[0, 0, 0, 0, 0, 1][..], &61_i16.to_be_bytes(), &[0, 0, 0, 0]].concat(),
            HANDSHAKE => [&[0, 0][..], &1_i32.to_be_bytes(), b"\0\x05PLAIN"].concat(),
            AUTHENTICATE if request.ends_with(b"\0\0\0\x0a\0ann\0s;e%c") => {
                [&[0, 0, 0xff, 0xff][..], &[0; 4], &[0; 8]].concat()
            }
            _ => [&[0, 58][..], b"\0\x05wrong", &[0; 4], &[0; 8]].concat(),
        };
        let answer = [&((body.len() + 4) as i32).to_be_bytes()[..], &request[4..8], &body].concat();
        if stream.write_all(&answer).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn open(address: &str, more: &[(&str, &str)]) -> Result<(), String> {
    let base = [
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.pem", AUTHORITY),
        ("ssl.endpoint.identification.algorithm", "none"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "ann"),
        ("sasl.password", "s;e%c"),
    ];
    let properties = base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let opened =
        Security::of(&properties.collect()).and_then(|security| Connection::open(address, &security));
    opened.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn who_is_trusted_and_has_the_password_is_let_in() {
    assert_eq!(open(&broker(true), &[]), Ok(()));
    assert_eq!(open(&broker(false), &[("security.protocol", "sasl_plaintext")]), Ok(()));
}

#[test]
fn every_refusal_names_the_settings_to_look_at() {
    for (more, expected) in [
        (("ssl.ca.pem", OTHER_AUTHORITY), "could not agree on encryption"),
        (("ssl.endpoint.identification.algorithm", "https"), "could not agree on encryption"),
        (("sasl.password", "x"), "could not log in"),
        (("sasl.mechanism", "SCRAM-SHA-256"), "could not log in"),
    ] {
        let error = open(&broker(true), &[more]).expect_err("refused");
        assert!(error.starts_with(expected), "{more:?}: {error}");
        let setting = if expected.contains("log in") { "sasl.password" } else { "ssl.ca.location" };
        assert!(error.contains(setting), "{error}");
        assert!(!error.contains("s;e%c"), "{error}");
    }
}
