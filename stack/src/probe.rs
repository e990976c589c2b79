//! Light questions to each part over its own protocol: a listening socket alone proves little.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::part::{Part, Ports};
use crate::secure::{ADMIN, Secure};

/// Bound of one question; a healthy part answers within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Bound of a question to the registry, whose first answers wait for classes to be loaded.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// The parts, and how they are met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers<'a> {
    pub(crate) ports: Ports,
    pub(crate) secure: Option<&'a Secure>,
}

/// Whether a part answers.
pub(crate) fn is_healthy(part: Part, peers: Peers<'_>) -> bool {
    let Peers { ports, secure } = peers;
    match part {
        Part::Kafka => kafka(ports.kafka(), secure).unwrap_or(false),
        // It says so of itself a moment before its own port is open.
        Part::Registry => {
            registry(ports.registry_management()).unwrap_or(false)
                && connect(ports.registry(), TIMEOUT).is_ok()
        }
        Part::Postgres => postgres(ports.postgres()).unwrap_or(false),
        Part::Qdrant => qdrant(ports.qdrant()).unwrap_or(false),
    }
}

/// Whether a port of 127.0.0.1 can be listened on.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn connect(port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// The connection itself, or TLS over it.
fn over(stream: TcpStream, secure: Option<&Secure>) -> io::Result<Box<dyn Stream>> {
    match secure {
        None => Ok(Box::new(stream)),
        Some(secure) => secure.over(stream).map(|stream| Box::new(stream) as _).map_err(io::Error::other),
    }
}

/// `ApiVersions` version 0. The broker answers requests only once it is unfenced, so an answer means ready.
fn kafka(port: u16, secure: Option<&Secure>) -> io::Result<bool> {
    const REQUEST: &[u8] = b"\0\0\0\x12\0\x12\0\0\0\0\0\x07\0\x08gistmill";
    let mut stream = over(connect(port, TIMEOUT)?, secure)?;
    stream.write_all(REQUEST)?;
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    let [_, _, _, _, correlation @ .., error_high, error_low] = answer;
    Ok(correlation == [0, 0, 0, 7] && [error_high, error_low] == [0, 0])
}

/// A startup message of protocol 3.0; the server authenticates (`R`) only once it accepts connections.
fn postgres(port: u16) -> io::Result<bool> {
    const STARTUP: &[u8] = b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    const TERMINATE: &[u8] = b"X\0\0\0\x04";
    let mut stream = connect(port, TIMEOUT)?;
    stream.write_all(STARTUP)?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    stream.write_all(TERMINATE)?;
    Ok(kind == *b"R")
}

/// The preface of HTTP/2 with empty settings, answered by settings: it serves gRPC.
fn qdrant(port: u16) -> io::Result<bool> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const SETTINGS: u8 = 4;
    let mut stream = connect(port, TIMEOUT)?;
    stream.write_all(PREFACE)?;
    let mut frame = [0; 9];
    stream.read_exact(&mut frame)?;
    Ok(frame[3] == SETTINGS)
}

fn registry(management_port: u16) -> io::Result<bool> {
    Ok(http(management_port, "GET", "/health/ready", None, None)?.status == 200)
}

/// An answer over HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// One request over a connection of its own. The body is as sent, chunk sizes included.
pub(crate) fn http(
    port: u16,
    method: &str,
    path: &str,
    json: Option<&str>,
    secure: Option<&Secure>,
) -> io::Result<Answer> {
    let mut stream = over(connect(port, HTTP_TIMEOUT)?, secure)?;
    let body = json.unwrap_or_default();
    let length = body.len();
    let log_in = secure.map_or_else(String::new, |secure| {
        let user = format!("{ADMIN}:{}", secure.admin_password());
        format!("Authorization: Basic {}\r\n", openssl::base64::encode_block(user.as_bytes()))
    });
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nAccept: */*\r\n{log_in}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse_answer(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse_answer(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::net::Shutdown;
    use std::thread;

    use super::*;

    /// A server that reads `expects` bytes, answers once and closes.
    fn server(expects: usize, answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; expects];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(answer).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).ok();
        });
        port
    }

    #[test]
    fn kafka_is_healthy_when_it_answers_the_question_without_error() {
        assert!(kafka(server(22, b"\0\0\0\x06\0\0\0\x07\0\0"), None).unwrap());
        assert!(!kafka(server(22, b"\0\0\0\x06\0\0\0\x07\0\x23"), None).unwrap());
        assert!(kafka(server(22, b"\0\0"), None).is_err());
    }

    #[test]
    fn postgres_is_healthy_when_it_authenticates() {
        assert!(postgres(server(41, b"R\0\0\0\x08\0\0\0\0")).unwrap());
        assert!(!postgres(server(41, b"E\0\0\0\x08\0\0\0\0")).unwrap());
    }

    #[test]
    fn qdrant_is_healthy_when_it_speaks_http_2() {
        assert!(qdrant(server(33, b"\0\0\x06\x04\0\0\0\0\0")).unwrap());
        assert!(!qdrant(server(33, b"HTTP/1.1 ")).unwrap());
    }

    #[test]
    fn http_answers_are_read_by_status_and_body() {
        let ready = parse_answer("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}").unwrap();
        assert_eq!(ready, Answer { status: 200, body: "{}".to_owned() });
        assert_eq!(parse_answer("HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap().status, 503);
        assert_eq!(parse_answer("SSH-2.0-x\r\n\r\n"), None);
    }

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
