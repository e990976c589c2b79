//! One connection to one broker: a request, then its answer.
//!
//! Invariant: every wait is bounded, and so is the size of an answer.

use crate::{Error, requests::Request, security::Security};
use kafka_protocol::{
    messages::{ApiVersionsRequest, DescribeProducersRequest, RequestHeader, ResponseHeader},
    protocol::{Decodable, Encodable, HeaderVersion, StrBytes},
};
use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// What a connection reads from and writes to.
pub(crate) trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A connection that has been answered on once.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    address: String,
    correlation: i32,
}

impl Connection {
    /// Connects as the broker wants it, and asks whether it knows the requests about transactions.
    pub(crate) fn open(address: &str, security: &Security) -> Result<Self, Error> {
        let away = |source| Error::Away { address: address.to_owned(), source };
        let stream = security.stream(connect(address).map_err(away)?, address)?;
        let mut connection = Self { stream, address: address.to_owned(), correlation: 0 };
        security.log_in(&mut connection)?;
        let versions = connection.call(&ApiVersionsRequest::default())?;
        let knows = |key| versions.api_keys.iter().any(|known| known.api_key == key);
        if !knows(DescribeProducersRequest::KEY) {
            return Err(Error::TooOld {
                address: address.to_owned(),
                request: DescribeProducersRequest::NAME,
            });
        }
        Ok(connection)
    }

    /// `host:port`.
    #[cfg(feature = "security")]
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// One request and its answer.
    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Result<R::Answer, Error> {
        self.correlation = self.correlation.wrapping_add(1);
        let frame = frame(request, self.correlation).map_err(|why| Error::unreadable(R::NAME, &why))?;
        let answer = self.exchange(&frame).map_err(|source| Security::lost(self.address.clone(), source))?;
        let unreadable =
            |why: String| Error::unreadable(format!("the answer of {} to {}", self.address, R::NAME), &why);
        decode::<R>(&answer, self.correlation).map_err(unreadable)
    }

    fn exchange(&mut self, frame: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(frame)?;
        self.stream.flush()?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > ANSWER_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what answers there is not kafka"));
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok(answer)
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Length, header, request.
fn frame<R: Request>(request: &R, correlation: i32) -> Result<Vec<u8>, String> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(R::VERSION)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str("gistmill")));
    let mut frame = vec![0; 4];
    header
        .encode(&mut frame, R::header_version(R::VERSION))
        .and_then(|()| request.encode(&mut frame, R::VERSION))
        .map_err(|error| error.to_string())?;
    let length = i32::try_from(frame.len() - 4).map_err(|_| "the request is too long".to_owned())?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

fn decode<R: Request>(answer: &[u8], correlation: i32) -> Result<R::Answer, String> {
    let mut rest = answer;
    let header = ResponseHeader::decode(&mut rest, R::Answer::header_version(R::VERSION))
        .map_err(|error| error.to_string())?;
    if header.correlation_id != correlation {
        return Err("it answers another request".to_owned());
    }
    R::Answer::decode(&mut rest, R::VERSION).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// A server that answers every request with the same bytes.
    fn server(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut length = [0; 4];
            while stream.read_exact(&mut length).is_ok() {
                let mut request = vec![0; i32::from_be_bytes(length) as usize];
                stream.read_exact(&mut request).expect("a request");
                stream.write_all(answer).expect("an answer");
            }
        });
        address
    }

    fn refusal(address: &str) -> String {
        let error = Connection::open(address, &Security::default()).map(|_| ()).expect_err("refused");
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {source}")
    }

    #[test]
    fn a_broker_that_does_not_know_the_requests_is_named() {
        let only_metadata = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x03\0\0\0\x0c";
        let address = server(only_metadata);
        assert_eq!(
            refusal(&address),
            format!("kafka at {address} does not know DescribeProducersRequest: it is older than 3.0: ")
        );
    }

    #[test]
    fn what_is_not_kafka_is_said() {
        let address = server(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert_eq!(
            refusal(&address),
            format!("could not reach kafka at {address}: what answers there is not kafka")
        );
        let answer_to_another = server(b"\0\0\0\x0a\0\0\0\x09\0\0\0\0\0\0");
        assert!(refusal(&answer_to_another).contains("it answers another request"));
    }

    #[test]
    fn nobody_is_away() {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let error = Connection::open(&port.to_string(), &Security::default()).map(|_| ()).expect_err("away");
        assert!(error.is_away(), "{error}");
    }
}
