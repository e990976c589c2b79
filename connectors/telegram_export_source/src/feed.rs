//! Lines as they come: a thread that blocks on standard input or waits for a file to grow, and a bounded channel.

use crate::lines::Line;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    thread,
    time::Duration,
};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TryRecvError};

/// Lines on their way; each is at most 4 MiB.
const LINES_MAX: usize = 64;
/// How long a file that has stopped growing is left alone.
const GROW_WAIT: Duration = Duration::from_millis(100);

/// The listening end.
#[derive(Debug)]
pub(crate) struct Feed {
    lines: Receiver<io::Result<Line>>,
}

/// What the feed has now.
#[derive(Debug)]
pub(crate) enum Next {
    Line(Line),
    Nothing,
    End,
    Failed(io::Error),
}

impl Feed {
    /// Lines of `input` until it ends.
    pub(crate) fn until_end(input: impl Read + Send + 'static) -> Self {
        Self::spawn(move |lines| read(BufReader::new(input), &lines, |_| Ok(false)))
    }

    /// Lines of a file for as long as somebody listens; a last line without its end is waited for.
    pub(crate) fn growing(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let watched = file.try_clone()?;
        Ok(Self::spawn(move |lines| {
            read(BufReader::new(file), &lines, |taken| {
                thread::sleep(GROW_WAIT);
                if watched.metadata()?.len() < taken {
                    return Err(io::Error::other("the file became shorter"));
                }
                Ok(!lines.is_closed())
            });
        }))
    }

    fn spawn(body: impl FnOnce(Sender<io::Result<Line>>) + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel(LINES_MAX);
        thread::spawn(move || body(sender));
        Self { lines }
    }

    /// What comes within `wait`. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, wait: Duration) -> Next {
        let received = match self.lines.try_recv() {
            Ok(line) => Some(line),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) if wait.is_zero() => return Next::Nothing,
            Err(TryRecvError::Empty) => match tokio::time::timeout(wait, self.lines.recv()).await {
                Ok(received) => received,
                Err(_) => return Next::Nothing,
            },
        };
        match received {
            Some(Ok(line)) => Next::Line(line),
            Some(Err(error)) => Next::Failed(error),
            None => Next::End,
        }
    }
}

/// Sends lines until the input ends and `grows` (asked with the bytes taken) says that nothing follows.
fn read(mut input: impl BufRead, lines: &Sender<io::Result<Line>>, grows: impl Fn(u64) -> io::Result<bool>) {
    let mut line = Line::default();
    let mut taken = 0;
    loop {
        let sent = match line.read(&mut input) {
            Ok(true) => {
                taken += line.taken;
                lines.blocking_send(Ok(std::mem::take(&mut line)))
            }
            Ok(false) => match grows(taken + line.taken) {
                Ok(true) => continue,
                Ok(false) if line.taken > 0 => lines.blocking_send(Ok(std::mem::take(&mut line))),
                Ok(false) => return,
                Err(error) => lines.blocking_send(Err(error)),
            },
            Err(error) => lines.blocking_send(Err(error)),
        };
        if sent.is_err() || lines.is_closed() {
            return;
        }
    }
}
