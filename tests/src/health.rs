//! What a process says of itself over HTTP.

use anyhow::Context;
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A port that nothing listens on now.
///
/// # Errors
/// The system has none.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Status and body of `/readyz`; `None` while nobody listens.
///
/// # Errors
/// What answers is not HTTP.
pub fn readyz(port: u16) -> anyhow::Result<Option<(u16, String)>> {
    get(port, "/readyz")
}

/// The text of `/metrics`.
///
/// # Errors
/// Nobody listens, or what answers is not HTTP.
pub fn metrics(port: u16) -> anyhow::Result<String> {
    Ok(get(port, "/metrics")?.context("nobody serves metrics")?.1)
}

/// `HTTP/1.0`: an answer is not cut into chunks.
pub(crate) fn get(port: u16, path: &str) -> anyhow::Result<Option<(u16, String)>> {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return Ok(None) };
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no body")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    Ok(Some((status, body.to_owned())))
}

/// Whether a process is ready, and its line for each unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// `/readyz` answers 200.
    pub is_ready: bool,
    /// What it says.
    pub text: String,
}

impl Readiness {
    /// Asks the process whose health is served at a port; `None` while nobody listens.
    ///
    /// # Errors
    /// What answers is not HTTP.
    pub fn at(port: u16) -> anyhow::Result<Option<Self>> {
        Ok(readyz(port)?.map(|(status, text)| Self { is_ready: status == 200, text }))
    }

    /// What it says of a unit.
    pub fn of(&self, unit: &str) -> &str {
        let prefix = format!("{unit}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
    }
}
