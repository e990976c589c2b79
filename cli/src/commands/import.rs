//! `gistmill import`: a chat export, or lines as they come, into the pipeline.

use std::{
    io::{IsTerminal, Write, stderr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use runtime::{Host, Source, SourceEnd};
use telegram_export_source::{
    FeedOptions, FeedSource, FileOptions, FileSource, Group, Meter, Phase, Snapshot,
};

use crate::{exit::Exit, settings::Settings};

/// Read a chat export into the pipeline
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Telegram Desktop's result.json, JSON Lines, either gzipped, or `-` for JSON Lines on standard input
    file: PathBuf,
    /// Tenant that owns the group
    #[arg(long)]
    tenant: String,
    /// Group that the messages go to
    #[arg(long)]
    group: String,
    /// Which chat of a full export: its id or name
    #[arg(long, conflicts_with = "follow")]
    chat: Option<String>,
    /// Go on with what is appended: lane `live`, whose windows close as time passes
    #[arg(long)]
    follow: bool,
    /// Stable name of what is read; standard input and --follow need one to resume
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill import result.json --tenant acme --group team
  gistmill import result.json.gz --tenant acme --group qa --json
  gistmill import full/result.json --chat 'Team chat' --tenant acme --group team
  my-bridge | gistmill import - --follow --id bridge --tenant acme --group team

The same file imported again adds nothing; an interrupted import goes on where it stopped.

JSON Lines are objects, one a line, in the order in which things happened:
  {\"id\": 17, \"sent_at\": \"2026-03-02T10:00:00Z\", \"author\": {\"id\": \"u1\"}, \"text\": \"At 15:00?\"}
  {\"id\": 18, \"sent_at\": 1772445900000, \"author\": {\"id\": \"u2\"}, \"text\": \"Yes\", \"reply_to\": 17}
  {\"id\": 17, \"kind\": \"edited\", \"edited_at\": .., \"sent_at\": .., \"author\": .., \"text\": ..}
  {\"id\": 18, \"kind\": \"deleted\", \"deleted_at\": .., \"sent_at\": ..}
  {\"complete_until\": \"2026-03-02T12:00:00Z\"}    nothing older will come
A message needs `id` and `sent_at`: when it was first sent, with offset, or ms since the epoch.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    let group = Group::new(&arguments.tenant, &arguments.group)?;
    let meter = Meter::default();
    let reporter = Reporter::start(meter.clone());
    let end = if arguments.follow || arguments.file.as_os_str() == "-" {
        let path = (arguments.file.as_os_str() != "-").then(|| arguments.file.clone());
        let options = FeedOptions { group, path, id: arguments.id.clone(), follow: arguments.follow };
        drive(config, FeedSource::open(&options, meter.clone())?)?
    } else {
        let options = FileOptions { group, path: arguments.file.clone(), chat: arguments.chat.clone() };
        drive(config, FileSource::open(&options, meter.clone())?)?
    };
    reporter.finish();
    summary(&meter.snapshot(), end, arguments, out)?;
    Ok(verdict(end, arguments.follow))
}

/// What is followed has no end of its own: whoever stops it has had what was asked for.
fn verdict(end: SourceEnd, follow: bool) -> Exit {
    if end == SourceEnd::Finished || follow { Exit::Done } else { Exit::Failed }
}

fn drive<S: Source>(config: runtime::Config, mut source: S) -> anyhow::Result<SourceEnd> {
    let mut host = Host::new(config, 1)?;
    host.stop_on_signals();
    Ok(host.drive(&mut source, &mut |_| {})?)
}

fn summary(
    snapshot: &Snapshot,
    end: SourceEnd,
    arguments: &Arguments,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let summary = &snapshot.summary;
    let date =
        |ms: Option<i64>| ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|t| t.to_string());
    let (first, last) = (date(summary.first_sent_at), date(summary.last_sent_at));
    if arguments.json {
        let value = serde_json::json!({
            "finished": end == SourceEnd::Finished, "read": summary.read, "new": summary.new,
            "edited": summary.edited, "deleted": summary.deleted, "skipped": summary.skipped,
            "zone_assumed": summary.zone_assumed, "future_date": summary.future_date, "topics": summary.topics,
            "bytes": summary.bytes, "first_sent_at": first, "last_sent_at": last,
        });
        writeln!(out, "{value}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{} read, {} new; {} edited, {} deleted",
        counted(summary.read, "message", "messages"),
        summary.new,
        summary.edited,
        summary.deleted
    )?;
    writeln!(out, "skipped: {}", summary.skipped_text())?;
    for (count, one, many) in [
        (
            summary.zone_assumed,
            "had no time zone and was taken as UTC",
            "had no time zone and were taken as UTC",
        ),
        (summary.future_date, "is dated in the far future", "are dated in the far future"),
        (summary.topics, "forum topic", "forum topics"),
    ] {
        if count > 0 {
            writeln!(out, "{}", counted(count, one, many))?;
        }
    }
    if let (Some(first), Some(last)) = (first, last) {
        writeln!(out, "from {first} to {last}")?;
    }
    match end {
        SourceEnd::Stopped if arguments.follow => writeln!(out, "stopped")?,
        SourceEnd::Stopped => writeln!(out, "stopped early; the same command goes on from here")?,
        SourceEnd::Finished => {}
    }
    Ok(())
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Draws what the meter shows on a thread of its own: a bar in a terminal, a line every few seconds elsewhere.
struct Reporter {
    done: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Reporter {
    fn start(meter: Meter) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            if stderr().is_terminal() { draw_bar(&meter, &seen) } else { write_lines(&meter, &seen) }
        });
        Self { done, thread }
    }

    fn finish(self) {
        self.done.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // A reporter that failed leaves the summary, which says the same.
        drop(self.thread.join());
    }
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Checking => "checking",
        Phase::Reading => "importing",
        Phase::Done => "imported",
    }
}

fn draw_bar(meter: &Meter, done: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(
        "{msg:>24} {bar:32} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}",
    ) {
        bar.set_style(style);
    }
    let began = Instant::now();
    while !done.load(Ordering::Relaxed) {
        let snapshot = meter.snapshot();
        let rate = snapshot.summary.read as f64 / began.elapsed().as_secs_f64().max(0.001);
        bar.set_length(snapshot.bytes_total.unwrap_or(snapshot.bytes_done));
        bar.set_position(snapshot.bytes_done);
        bar.set_message(format!("{} {rate:.0} msg/s", verb(snapshot.phase)));
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn write_lines(meter: &Meter, done: &AtomicBool) {
    let began = Instant::now();
    while !done.load(Ordering::Relaxed) {
        std::thread::park_timeout(Duration::from_secs(5));
        let snapshot = meter.snapshot();
        let seconds = began.elapsed().as_secs_f64();
        let total = snapshot.bytes_total.map(|total| format!(" of {total}")).unwrap_or_default();
        let rate = snapshot.summary.read as f64 / seconds.max(0.001);
        let (verb, bytes) = (verb(snapshot.phase), snapshot.bytes_done);
        let read = counted(snapshot.summary.read, "message", "messages");
        // Progress that cannot be shown is no reason to stop.
        drop(writeln!(
            stderr(),
            "{verb}: {bytes}{total} bytes, {read}, {rate:.0} messages/s, {seconds:.0} s"
        ));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use telegram_export_source::Summary;

    use super::*;
    use crate::line::Line;

    fn told(summary_of: Summary, end: SourceEnd, flags: &[&str]) -> String {
        let line = ["import", "-", "--tenant", "acme", "--group", "team"].iter().chain(flags);
        let arguments = Line::<Arguments>::parse_from(line).arguments;
        let mut out = Vec::new();
        let snapshot = Snapshot { summary: summary_of, ..Snapshot::default() };
        summary(&snapshot, end, &arguments, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_followed_ends_well_when_it_is_stopped_and_a_file_does_not() {
        assert_eq!(verdict(SourceEnd::Stopped, true), Exit::Done);
        assert_eq!(verdict(SourceEnd::Stopped, false), Exit::Failed);
        assert_eq!(verdict(SourceEnd::Finished, false), Exit::Done);
        let text = told(Summary::default(), SourceEnd::Stopped, &[]);
        assert!(text.ends_with("\nstopped early; the same command goes on from here\n"), "{text}");
        assert!(told(Summary::default(), SourceEnd::Stopped, &["--follow"]).ends_with("\nstopped\n"));
    }

    #[test]
    fn one_is_told_as_one() {
        let ones =
            Summary { read: 1, new: 1, zone_assumed: 1, future_date: 1, topics: 1, ..Summary::default() };
        let expected = "\
1 message read, 1 new; 0 edited, 0 deleted
skipped: nothing
1 had no time zone and was taken as UTC
1 is dated in the far future
1 forum topic
";
        assert_eq!(told(ones, SourceEnd::Finished, &[]), expected);
        let twos = Summary { read: 2, future_date: 2, ..Summary::default() };
        let expected =
            "2 messages read, 0 new; 0 edited, 0 deleted\nskipped: nothing\n2 are dated in the far future\n";
        assert_eq!(told(twos, SourceEnd::Finished, &[]), expected);
    }
}
