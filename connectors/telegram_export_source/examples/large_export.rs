//! Writes a large export, whole or damaged, and reads it as an import does: time, messages, peak of resident memory.
//!
//! `cargo run --release -p telegram_export_source --example large_export -- write FILE MIB [damaged]` or `.. -- html
//! FOLDER MESSAGES` (pages as Telegram Desktop writes them), then `.. -- read FILE`. Invariant: what is written is a function of the arguments.

#[path = "../src/tests/html_pages.rs"]
#[expect(clippy::expect_used, reason = "of tests")]
mod html_pages;

use runtime::{Source, SourceBatch};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    time::Instant,
};
use telegram_export_source::{FileOptions, FileSource, Group, Meter};

const WORDS: [&str; 12] = [
    "release",
    "сборка",
    "failed",
    "again",
    "кто",
    "дежурит",
    "tomorrow",
    "at",
    "noon",
    "проверю",
    "the",
    "cache",
];
/// One element of so many is damaged, where that is wished.
const DAMAGED_EVERY: u64 = 10_000;
/// One of so many has a slip that is repaired.
const SLIP_EVERY: u64 = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["write", path, mib] => write(Path::new(path), mib, false),
        ["write", path, mib, "damaged"] => write(Path::new(path), mib, true),
        ["html", folder, messages] => write_html(Path::new(folder), messages),
        ["read", path] => read(Path::new(path)),
        _ => Err("large_export write FILE MIB [damaged] | html FOLDER MESSAGES | read FILE".to_owned()),
    };
    let told = match &done {
        Ok(text) => writeln!(io::stdout(), "{text}"),
        Err(text) => writeln!(io::stderr(), "{text}"),
    };
    if done.is_ok() && told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(path: &Path, mib: &str, is_damaged: bool) -> Result<String, String> {
    let bytes = mib.parse::<u64>().map_err(|error| format!("{mib}: {error}"))? * 1024 * 1024;
    let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut out = BufWriter::new(file);
    let written = write_export(&mut out, bytes, is_damaged).map_err(|error| error.to_string())?;
    Ok(format!("{written} messages in {}", path.display()))
}

/// As Telegram Desktop indents: a blank a level, the id first.
fn write_export(out: &mut impl Write, bytes: u64, is_damaged: bool) -> io::Result<u64> {
    let head = "{\n \"name\": \"Large\",\n \"type\": \"private_supergroup\",\n \"id\": 7,\n \"messages\": [";
    out.write_all(head.as_bytes())?;
    let (mut written, mut id) = (head.len() as u64, 0_u64);
    while written < bytes {
        id += 1;
        let element = element(id, is_damaged);
        out.write_all(element.as_bytes())?;
        written += element.len() as u64;
    }
    out.write_all(b"\n ]\n}")?;
    out.flush()?;
    Ok(id)
}

fn write_html(folder: &Path, messages: &str) -> Result<String, String> {
    let count = messages.parse::<u64>().map_err(|error| format!("{messages}: {error}"))?;
    let parse =
        |id| serde_json::from_str(element(id, false).trim_start_matches(',').replace("\\x", "").as_str());
    let messages: Result<Vec<serde_json::Value>, _> = (1..=count).map(parse).collect();
    let messages = messages.map_err(|error| error.to_string())?;
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    for (name, page) in html_pages::pages("Large", &messages) {
        std::fs::write(folder.join(name), page).map_err(|error| error.to_string())?;
    }
    Ok(format!("{count} messages in {}", folder.display()))
}

fn element(id: u64, is_damaged: bool) -> String {
    let words = (0..5 + id % 17).map(|word| WORDS[((id * 7 + word * 5) % WORDS.len() as u64) as usize]);
    let mut text = words.collect::<Vec<_>>().join(" ");
    match id {
        _ if is_damaged && id.is_multiple_of(DAMAGED_EVERY) => text.push_str(" \"so\" he said"),
        _ if id.is_multiple_of(SLIP_EVERY) => text.push_str("\\x0c"),
        _ => {}
    }
    let comma = if id == 1 { "" } else { "," };
    let (time, user) = (1_600_000_000 + id * 7, id % 50);
    format!(
        "{comma}\n  {{\n   \"id\": {id},\n   \"type\": \"message\",\n   \"date\": \"2020-09-13T12:26:40\",\n   \
         \"date_unixtime\": \"{time}\",\n   \"from\": \"Member {user}\",\n   \"from_id\": \"user{user}\",\n   \
         \"text\": \"{text}\",\n   \"text_entities\": [\n    {{\n     \"type\": \"plain\",\n     \"text\": \"{text}\"\n    \
         }}\n   ]\n  }}"
    )
}

fn read(path: &Path) -> Result<String, String> {
    let began = Instant::now();
    let group = Group::new("bench", "large").map_err(|error| error.to_string())?;
    let path = path.to_owned();
    let options =
        FileOptions { group, path, chat: None, time_zone: None, date_order: None, skip_damaged: true };
    let meter = Meter::default();
    let mut source = FileSource::open(&options, meter.clone()).map_err(|error| error.to_string())?;
    let checked = began.elapsed().as_secs_f64();
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let mut position = None;
    loop {
        match runtime.block_on(source.next(position.as_ref())).map_err(|error| error.to_string())? {
            SourceBatch::Records { position: after, .. } => position = Some(after),
            SourceBatch::Idle(_) => {}
            SourceBatch::Parts { .. } => return Err("a file is read as one".to_owned()),
            SourceBatch::End => break,
        }
    }
    let summary = meter.snapshot().summary;
    Ok(format!(
        "{} messages, skipped {}, repaired {:?}; checked in {checked:.1} s, all in {:.1} s; peak {}",
        summary.read,
        summary.skipped_text(),
        summary.repaired,
        began.elapsed().as_secs_f64(),
        peak().unwrap_or_else(|| "unknown".to_owned()),
    ))
}

/// Peak of resident memory, as the kernel counts it.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
