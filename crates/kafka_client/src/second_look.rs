//! What is wrong with a broker's certificate. librdkafka only says that it was not accepted, so it is looked at once more,
//! by the same library and rules.

use crate::Properties;
use certificate::Fault;
use openssl::{
    error::ErrorStack,
    ssl::{SslConnector, SslMethod, SslVerifyMode},
    x509::{X509, X509Ref, X509StoreContextRef},
};
use std::{
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Longest wait for the broker, which has answered a moment ago.
const WAIT: Duration = Duration::from_secs(3);

/// Looks at the certificate of `broker`, `host:port`, as a client of these properties does.
pub(crate) fn fault(broker: &str, properties: &Properties) -> Fault {
    look(broker, properties).unwrap_or(Fault::Other(None))
}

/// None when the broker does not answer, the properties cannot be used, or the certificate is accepted.
fn look(broker: &str, properties: &Properties) -> Option<Fault> {
    let (host, _) = broker.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = Arc::new(Mutex::new(None));
    let connector = connector(properties, Arc::clone(&found)).ok()?;
    let mut connection = connector.configure().ok()?;
    connection.set_verify_hostname(properties.get("ssl.endpoint.identification.algorithm") != Some("none"));
    let stream = connect(broker)?;
    // Whether the handshake fails is of no interest: what was found on the way is.
    drop(connection.connect(host, stream));
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// True when `broker`, `host:port`, answers a greeting of TLS in kind. Whom it trusts is of no interest here.
pub(crate) fn speaks_tls(broker: &str) -> bool {
    let greet = || {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).ok()?;
        builder.set_verify(SslVerifyMode::NONE);
        let mut greeting = builder.build().configure().ok()?;
        greeting.set_verify_hostname(false);
        greeting.connect("localhost", connect(broker)?).ok()
    };
    greet().is_some()
}

fn connect(broker: &str) -> Option<TcpStream> {
    let stream = broker.to_socket_addrs().ok()?.find_map(|at| TcpStream::connect_timeout(&at, WAIT).ok())?;
    stream.set_read_timeout(Some(WAIT)).ok()?;
    stream.set_write_timeout(Some(WAIT)).ok()?;
    Some(stream)
}

fn connector(properties: &Properties, found: Arc<Mutex<Option<Fault>>>) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    match properties.get("ssl.ca.location") {
        None | Some("probe") => {}
        Some(path) if Path::new(path).is_dir() => {
            builder.load_verify_locations(None, Some(Path::new(path)))?;
        }
        Some(path) => builder.set_ca_file(path)?,
    }
    if let Some(pem) = properties.get("ssl.ca.pem") {
        for authority in X509::stack_from_pem(pem.as_bytes())? {
            builder.cert_store_mut().add_cert(authority)?;
        }
    }
    builder.set_verify_callback(SslVerifyMode::PEER, move |is_good, context| {
        if !is_good {
            found.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| of(context));
        }
        is_good
    });
    Ok(builder.build())
}

/// The fault that OpenSSL has just found.
fn of(context: &X509StoreContextRef) -> Fault {
    const EXPIRED: i32 = 10;
    const NOT_YET: i32 = 9;
    const HOST: i32 = 62;
    const ADDRESS: i32 = 64;
    const AUTHORITY: [i32; 5] = [2, 18, 19, 20, 21];
    let why = context.error();
    let other = || Fault::Other(Some(why.error_string().to_owned()));
    let Some(certificate) = context.current_cert() else { return other() };
    match why.as_raw() {
        EXPIRED => Fault::Expired(certificate.not_after().to_string()),
        NOT_YET => Fault::NotYet(certificate.not_before().to_string()),
        HOST | ADDRESS => Fault::Host(Some(names(certificate))),
        code if AUTHORITY.contains(&code) => Fault::Authority(Some(name(certificate.issuer_name()))),
        _ => other(),
    }
}

fn name(name: &openssl::x509::X509NameRef) -> String {
    let value = |entry: &openssl::x509::X509NameEntryRef| entry.data().to_string();
    let parts: Vec<String> = name.entries().filter_map(|entry| value(entry).ok()).collect();
    format!("{:?}", parts.join(", "))
}

/// The hosts that a certificate is for.
fn names(certificate: &X509Ref) -> String {
    let alternatives = certificate.subject_alt_names();
    let of = |name: &openssl::x509::GeneralNameRef| {
        let address = name.ipaddress().map(|bytes| match <[u8; 4]>::try_from(bytes) {
            Ok(four) => std::net::Ipv4Addr::from(four).to_string(),
            Err(_) => <[u8; 16]>::try_from(bytes)
                .map_or_else(|_| "an address".to_owned(), |all| std::net::Ipv6Addr::from(all).to_string()),
        });
        name.dnsname().map(str::to_owned).or(address)
    };
    let names: Vec<String> = alternatives.iter().flatten().filter_map(of).collect();
    if names.is_empty() { name(certificate.subject_name()) } else { names.join(", ") }
}
