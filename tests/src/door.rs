//! The gateway as its callers meet it.

use crate::{
    health::{free_port, readyz},
    patience::{PATIENCE, eventually},
    pipeline::Pipeline,
    process::Process,
};
use anyhow::Context;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_mins(1);

/// A gateway in a process of its own.
#[derive(Debug)]
pub struct Door {
    process: Process,
    port: u16,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The code of a problem; empty where it is none.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Where to go on.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it says.
    pub data: String,
}

impl Door {
    /// Starts a gateway of a pipeline, with further settings, and waits until it serves.
    ///
    /// # Errors
    /// It does not start.
    pub fn open(pipeline: &Pipeline, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let own =
            [("GISTMILL_GATEWAY__LISTEN", listen.as_str()), ("GISTMILL_GATEWAY__RATE_PER_MINUTE", "100000")];
        let process = pipeline.spawn("gateway", &["gateway", "run"], &[&own[..], variables].concat())?;
        let ready = || Ok(readyz(port)?.filter(|(status, _)| *status == 200));
        eventually("the gateway is ready", PATIENCE, ready)?;
        Ok(Self { process, port })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it logged.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        self.process.log()
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// It does not end.
    pub fn close(self) -> anyhow::Result<()> {
        self.process.stop(PATIENCE)
    }

    /// A key of a tenant, made with further arguments.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn key(pipeline: &Pipeline, tenant: &str, more: &[&str]) -> anyhow::Result<String> {
        let command = ["gateway", "key", "create", "--tenant", tenant, "--name", "test"];
        Ok(pipeline.gistmill(&[&command[..], more].concat())?.trim().to_owned())
    }

    fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<BufReader<TcpStream>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        // HTTP/1.0: an answer is not cut into chunks.
        let mut request = format!("{line} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        write!(stream, "{request}\r\n{body}")?;
        Ok(BufReader::new(stream))
    }

    fn head(reader: &mut BufReader<TcpStream>) -> anyhow::Result<(u16, BTreeMap<String, String>)> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { return Ok((status, headers)) };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
    }

    /// Calls it: `GET /path`, with headers and a body.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn call(&self, line: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<Answer> {
        let mut reader = self.send(line, headers, body)?;
        let (status, headers) = Self::head(&mut reader)?;
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        Ok(Answer { status, headers, body: String::from_utf8(bytes)? })
    }

    /// [`Door::call`] with a key.
    ///
    /// # Errors
    /// As there.
    pub fn call_as(
        &self,
        key: &str,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> anyhow::Result<Answer> {
        let bearer = format!("Bearer {key}");
        self.call(line, &[&[("Authorization", bearer.as_str())], headers].concat(), body)
    }

    /// Reads a thing as JSON.
    ///
    /// # Errors
    /// The answer is not 200.
    pub fn get(&self, key: &str, path: &str) -> anyhow::Result<Value> {
        let answer = self.call_as(key, &format!("GET {path}"), &[], "")?;
        anyhow::ensure!(answer.status == 200, "GET {path}: {answer:?}");
        Ok(answer.json())
    }

    /// Listens to events, after one of them or from now on.
    ///
    /// # Errors
    /// It is not let in.
    pub fn listen(&self, key: &str, after: Option<&str>) -> anyhow::Result<Listening> {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(after.map(|id| ("Last-Event-ID", id)));
        let mut reader = self.send("GET /api/v1/events", &headers, "")?;
        let (status, _) = Self::head(&mut reader)?;
        anyhow::ensure!(status == 200, "events are answered with {status}");
        Ok(Listening(reader))
    }
}

/// A stream of events.
#[derive(Debug)]
pub struct Listening(BufReader<TcpStream>);

impl Listening {
    /// The id that comes first, without an event.
    ///
    /// # Errors
    /// There is none.
    pub fn begins(&mut self) -> anyhow::Result<String> {
        let (mut id, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            anyhow::ensure!(self.0.read_line(&mut line)? > 0, "the stream ended before it began");
            match line.trim_end().split_once(':') {
                None if !id.is_empty() => return Ok(id),
                Some(("id", value)) => value.trim().clone_into(&mut id),
                _ => {}
            }
        }
    }

    /// The next event; none at the end of the stream.
    ///
    /// # Errors
    /// Nothing comes for a minute.
    pub fn hear(&mut self) -> anyhow::Result<Option<Heard>> {
        let (mut heard, mut line) = (Heard::default(), String::new());
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end().split_once(':') {
                None if !heard.name.is_empty() => return Ok(Some(heard)),
                Some(("id", value)) => value.trim().clone_into(&mut heard.id),
                Some(("event", value)) => value.trim().clone_into(&mut heard.name),
                Some(("data", value)) => value.trim().clone_into(&mut heard.data),
                _ => {}
            }
        }
    }
}
