//! The parts' log files: their ends, and following them.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::part::Part;

/// How much of a log's end is looked at for its last lines.
const TAIL_BYTES_MAX: u64 = 1024 * 1024;

/// The last lines that a file has from an offset on; why not, if it cannot be read.
pub(crate) fn tail(path: &Path, from: u64, lines: usize) -> String {
    last_lines(path, from, lines)
        .map_or_else(|error| format!("(could not read {}: {error})", path.display()), |(text, _)| text)
}

/// The last lines of a file from an offset on, and the offset behind them.
fn last_lines(path: &Path, from: u64, lines: usize) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES_MAX).max(from);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let kept = all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n");
    Ok((kept, start + bytes.len() as u64))
}

/// What of the logs is wanted.
#[derive(Clone, Copy, Debug)]
pub struct LogRequest {
    /// One part only; all of them when `None`.
    pub part: Option<Part>,
    /// How many of each log's last lines to begin with.
    pub lines: usize,
    /// Go on with what is appended until the output is closed.
    pub follow: bool,
}

struct Followed {
    prefix: String,
    path: PathBuf,
    offset: u64,
}

/// Writes the ends of the logs; with more than one log each line begins with the part's name.
pub(crate) fn write(
    logs: Vec<(Part, PathBuf)>,
    request: LogRequest,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut followed = Vec::new();
    let alone = logs.len() == 1;
    for (part, path) in logs {
        let prefix = if alone { String::new() } else { format!("{part:<8} ") };
        let (text, offset) = match last_lines(&path, 0, request.lines) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), 0),
            other => other.map_err(|source| Error::File { action: "read", path: path.clone(), source })?,
        };
        write_lines(&prefix, &text, out)?;
        followed.push(Followed { prefix, path, offset });
    }
    if request.follow { follow(followed, out) } else { Ok(()) }
}

/// Ends only by an error, such as a closed output.
fn follow(mut followed: Vec<Followed>, out: &mut dyn Write) -> Result<(), Error> {
    loop {
        for log in &mut followed {
            let text = log.appended().map_err(|source| Error::File {
                action: "read",
                path: log.path.clone(),
                source,
            })?;
            write_lines(&log.prefix, &text, out)?;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn write_lines(prefix: &str, text: &str, out: &mut dyn Write) -> Result<(), Error> {
    text.lines()
        .try_for_each(|line| writeln!(out, "{prefix}{line}"))
        .and_then(|()| out.flush())
        .map_err(Error::Output)
}

impl Followed {
    /// The whole lines appended since the last look; a file that became shorter was begun anew.
    fn appended(&mut self) -> io::Result<String> {
        let length = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            other => other?.len(),
        };
        self.offset = if length < self.offset { 0 } else { self.offset };
        if length == self.offset {
            return Ok(String::new());
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
        let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if bytes.len() as u64 == TAIL_BYTES_MAX => bytes.len(),
            None => 0,
        };
        bytes.truncate(whole);
        self.offset += whole as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_those_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        fs::write(&path, "a\nb\nc\n").unwrap();
        assert_eq!(tail(&path, 0, 2), "b\nc");
        assert_eq!(tail(&path, 4, 2), "c");
        assert_eq!(tail(&path, 0, 9), "a\nb\nc");
        assert!(tail(&directory.path().join("none"), 0, 2).starts_with("(could not read"));
    }

    #[test]
    fn following_takes_whole_lines_and_survives_a_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        let mut log = Followed { prefix: String::new(), path: path.clone(), offset: 0 };
        assert_eq!(log.appended().unwrap(), "");
        fs::write(&path, "a\nb").unwrap();
        assert_eq!(log.appended().unwrap(), "a\n");
        fs::write(&path, "a\nbc\n").unwrap();
        assert_eq!(log.appended().unwrap(), "bc\n");
        fs::write(&path, "d\n").unwrap();
        assert_eq!(log.appended().unwrap(), "d\n");
    }

    #[test]
    fn several_logs_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let logs: Vec<_> = [Part::Kafka, Part::Postgres]
            .map(|part| (part, directory.path().join(part.name())))
            .into_iter()
            .collect();
        fs::write(&logs[0].1, "one\n").unwrap();
        let mut out = Vec::new();
        write(logs, LogRequest { part: None, lines: 5, follow: false }, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "kafka    one\n");
    }
}
