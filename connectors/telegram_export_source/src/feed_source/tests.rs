//! Feeds that pause, stop, come again or are not what they were; the clock is stepped by hand.

use super::*;
use ingest::Group;
use schemas::GroupMessageIngested;
use std::{
    io::{Cursor, PipeWriter, Write},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

#[derive(Debug, Clone, Default)]
struct SteppedClock(Arc<AtomicI64>);

impl Clock for SteppedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn options(id: Option<&str>, follow: bool) -> FeedOptions {
    let group = Group::new("acme", "qa").expect("names");
    FeedOptions { group, path: None, id: id.map(str::to_owned), follow, skip_damaged: false }
}

fn line(id: i64) -> String {
    let sent_at = jiff::Timestamp::from_millisecond(1_000_000 + id).expect("a date");
    format!("{{\"id\": {id}, \"sent_at\": \"{sent_at}\", \"text\": \"t{id}\"}}\n")
}

fn lines(ids: std::ops::Range<i64>) -> String {
    ids.map(line).collect()
}

fn source(options: &FeedOptions, feed: Feed, clock: &SteppedClock) -> FeedSource<SteppedClock> {
    FeedSource::listen(options, Meter::default(), feed, clock.clone()).expect("a source")
}

fn fed(options: &FeedOptions, text: &str) -> FeedSource<SteppedClock> {
    source(options, Feed::until_end(Cursor::new(text.to_owned().into_bytes())), &SteppedClock::default())
}

/// A source over a pipe that stays open, on a clock.
fn piped(options: &FeedOptions) -> (FeedSource<SteppedClock>, PipeWriter, SteppedClock) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let clock = SteppedClock::default();
    (source(options, Feed::until_end(reader), &clock), writer, clock)
}

type Given = (Position, Vec<GroupMessageIngested>);

/// One call: records, or `None` for an idle or ended feed.
fn call<C: Clock>(source: &mut FeedSource<C>, from: Option<&Position>) -> Result<Option<Given>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(source.next(from)) {
        Ok(SourceBatch::Records { emissions, position }) => {
            let records = emissions.iter().map(|emission| emission.downcast().cloned().expect("its type"));
            Ok(Some((position, records.collect())))
        }
        Ok(SourceBatch::Idle(_) | SourceBatch::End) => Ok(None),
        Ok(SourceBatch::Parts { .. }) => panic!("a feed is read as one"),
        Err(error) => Err(error.to_string()),
    }
}

/// Calls until `count` messages and marks are there.
fn take<C: Clock>(source: &mut FeedSource<C>, mut from: Option<Position>, count: usize) -> Given {
    let mut all = Vec::new();
    let size = |records: &[GroupMessageIngested]| {
        records.iter().map(|record| record.messages.len().max(1)).sum::<usize>()
    };
    for _ in 0..1000 {
        if size(&all) >= count {
            break;
        }
        if let Some((position, records)) = call(source, from.as_ref()).expect("readable") {
            all.extend(records);
            from = Some(position);
        }
    }
    (from.expect("something was read"), all)
}

fn ids(records: &[GroupMessageIngested]) -> Vec<i64> {
    records.iter().flat_map(|record| &record.messages).map(|message| message.id).collect()
}

#[test]
fn an_import_from_a_pipe_is_cut_by_its_content_and_ends() {
    let options = options(Some("dump"), false);
    let mut source = fed(&options, &lines(0..2500));
    let (position, records) = take(&mut source, None, 2501);
    assert_eq!(ids(&records), (0..2500).collect::<Vec<_>>());
    assert_eq!(records.len(), 51);
    assert!(
        records[..50]
            .iter()
            .all(|record| record.messages.len() == 50 && record.lane == schemas::lane_id(&source.identity()))
    );
    assert_eq!(records[49].observed_at, 1_002_499);
    assert_eq!(records[50].complete_until, Some(schemas::END_OF_LANE));
    assert_eq!(
        call(&mut fed(&options, &lines(0..2500)), Some(&position)),
        Ok(None),
        "imported again: nothing new"
    );
}

#[test]
fn a_restarted_import_passes_over_what_is_committed() {
    let options = options(Some("dump"), false);
    let (position, first) =
        call(&mut fed(&options, &lines(0..1500)), None).expect("readable").expect("records");
    assert_eq!(ids(&first), (0..1000).collect::<Vec<_>>());
    let (_, rest) = take(&mut fed(&options, &lines(0..1500)), Some(position.clone()), 501);
    assert_eq!(ids(&rest), (1000..1500).collect::<Vec<_>>());
    let other = call(&mut fed(&options, &lines(5..1500)), Some(&position)).expect_err("another feed");
    assert!(other.contains("its first lines differ"), "{other}");
    let short = call(&mut fed(&options, &lines(0..10)), Some(&position)).expect_err("another feed");
    assert!(short.contains("it is shorter than what was read"), "{short}");
}

#[test]
fn a_batch_is_given_again_when_the_position_goes_back() {
    let mut source = fed(&options(Some("dump"), false), &lines(0..2500));
    let first = call(&mut source, None).expect("readable").expect("records");
    let second = call(&mut source, Some(&first.0)).expect("readable").expect("records");
    assert_eq!(call(&mut source, None).expect("readable").expect("records"), first);
    assert_eq!(call(&mut source, Some(&first.0)).expect("readable").expect("records"), second);
    let (_, third) = take(&mut source, Some(second.0), 501);
    assert_eq!(ids(&third), (2000..2500).collect::<Vec<_>>());
}

#[test]
fn what_another_process_has_read_meanwhile_is_passed_over() {
    let options = options(Some("dump"), false);
    let (mut first, mut second) = (fed(&options, &lines(0..3500)), fed(&options, &lines(0..3500)));
    let (position, _) = call(&mut first, None).expect("readable").expect("records");
    let (position, _) = call(&mut second, Some(&position)).expect("readable").expect("records");
    let (_, records) = call(&mut first, Some(&position)).expect("readable").expect("records");
    assert_eq!(ids(&records), (2000..3000).collect::<Vec<_>>());
}

#[test]
fn a_bad_line_stops_an_import_after_the_lines_before_it() {
    let mut source = fed(&options(Some("dump"), false), &format!("{}nonsense\n{}", lines(0..3), line(3)));
    let (position, records) = call(&mut source, None).expect("readable").expect("records");
    assert_eq!(ids(&records), [0, 1, 2]);
    let error = call(&mut source, Some(&position)).expect_err("a bad line");
    assert!(error.starts_with("line 4 of standard input is not a message"), "{error}");
    assert!(error.ends_with("feed all again with the same --id"), "{error}");
    let error =
        call(&mut fed(&options(Some("dump"), false), "{\n \"messages\": []}"), None).expect_err("an export");
    assert!(error.contains("give an export as a file"), "{error}");
}

#[test]
fn the_live_lane_passes_over_bad_lines() {
    let mut source = fed(&options(None, true), &format!("{}nonsense\n\n{}", line(1), line(2)));
    let (_, records) = take(&mut source, None, 2);
    assert_eq!(ids(&records), [1, 2]);
    assert!(records.iter().all(|record| record.lane == LIVE_LANE));
    assert_eq!(source.meter.snapshot().summary.skipped_text(), "bad_line 1");
}

#[test]
fn the_live_lane_is_marked_each_minute_while_the_group_talks() {
    let (source, mut writer, clock) = piped(&options(None, true));
    let mut source = source.waiting(Duration::from_millis(5));
    clock.0.store(5 * HOUR_MS, Ordering::SeqCst);
    writer.write_all(line(1).as_bytes()).expect("written");
    let (position, records) = take(&mut source, None, 1);
    assert_eq!((ids(&records), records[0].observed_at), (vec![1], 5 * HOUR_MS));
    assert_eq!(call(&mut source, Some(&position)), Ok(None), "no minute has passed");
    clock.0.fetch_add(MINUTE_MS, Ordering::SeqCst);
    let (marked, records) = take(&mut source, Some(position), 1);
    assert_eq!(records[0].complete_until, Some(5 * HOUR_MS + MINUTE_MS));
    assert_eq!(call(&mut source, Some(&marked)), Ok(None));
    let (restarted, mut restarted_writer, clock) = piped(&options(None, true));
    let mut restarted = restarted.waiting(Duration::from_millis(5));
    clock.0.store(29 * HOUR_MS, Ordering::SeqCst);
    assert_eq!(call(&mut restarted, Some(&marked)), Ok(None), "what waits for it comes first");
    clock.0.fetch_add(MINUTE_MS, Ordering::SeqCst);
    let (position, records) = take(&mut restarted, Some(marked), 1);
    assert_eq!(
        records[0].complete_until,
        Some(29 * HOUR_MS + MINUTE_MS),
        "the position remembers the message"
    );
    clock.0.store(31 * HOUR_MS, Ordering::SeqCst);
    let (position, records) = take(&mut restarted, Some(position), 1);
    assert_eq!(records[0].complete_until, Some(31 * HOUR_MS), "a day of 25 hours is closed");
    clock.0.fetch_add(HOUR_MS, Ordering::SeqCst);
    assert_eq!(call(&mut restarted, Some(&position)), Ok(None), "nothing is open any more");
    restarted_writer.write_all(line(2).as_bytes()).expect("written");
    assert_eq!(
        ids(&take(&mut restarted, Some(position), 1).1),
        [2],
        "a pipe goes on, it does not start again"
    );
}

#[test]
fn a_backlog_that_waits_for_a_restart_comes_before_the_first_promise() {
    let (source, mut writer, clock) = piped(&options(None, true));
    let mut source = source.waiting(Duration::from_millis(5));
    clock.0.store(5 * HOUR_MS, Ordering::SeqCst);
    writer.write_all(line(1).as_bytes()).expect("written");
    let (position, _) = take(&mut source, None, 1);
    let (restarted, mut writer, clock) = piped(&options(None, true));
    let mut restarted = restarted.waiting(Duration::from_millis(5));
    clock.0.store(6 * HOUR_MS, Ordering::SeqCst);
    assert_eq!(call(&mut restarted, Some(&position)), Ok(None), "the bridge has not connected yet");
    let mut position = position;
    for id in 2..6 {
        clock.0.fetch_add(MINUTE_MS - 1, Ordering::SeqCst);
        writer.write_all(line(id).as_bytes()).expect("written");
        let (after, records) = take(&mut restarted, Some(position), 1);
        assert_eq!(
            (ids(&records), records.last().and_then(|record| record.complete_until)),
            (vec![id], None)
        );
        assert_eq!(call(&mut restarted, Some(&after)), Ok(None), "no minute without a line yet");
        position = after;
    }
    clock.0.fetch_add(MINUTE_MS, Ordering::SeqCst);
    let (_, records) = take(&mut restarted, Some(position), 1);
    assert_eq!(records[0].complete_until, Some(6 * HOUR_MS + 5 * MINUTE_MS - 4));
}

#[test]
fn a_lone_message_is_promised_complete_after_the_longest_day_even_by_a_process_that_starts_later() {
    let (source, mut writer, clock) = piped(&options(None, true));
    let mut source = source.waiting(Duration::from_millis(5));
    writer.write_all(line(1).as_bytes()).expect("written");
    let (position, _) = take(&mut source, None, 1);
    clock.0.store(25 * HOUR_MS - 1, Ordering::SeqCst);
    let (position, _) = take(&mut source, Some(position), 1);
    let (restarted, _writer, clock) = piped(&options(None, true));
    let mut restarted = restarted.waiting(Duration::from_millis(5));
    clock.0.store(90 * HOUR_MS, Ordering::SeqCst);
    assert_eq!(call(&mut restarted, Some(&position)), Ok(None));
    clock.0.fetch_add(MINUTE_MS, Ordering::SeqCst);
    let (position, records) = take(&mut restarted, Some(position), 1);
    assert_eq!(records[0].complete_until, Some(90 * HOUR_MS + MINUTE_MS));
    clock.0.fetch_add(HOUR_MS, Ordering::SeqCst);
    assert_eq!(call(&mut restarted, Some(&position)), Ok(None));
}

#[test]
fn a_feed_that_marks_itself_is_not_marked_by_the_clock() {
    let (source, mut writer, clock) = piped(&options(Some("replayed"), true));
    let mut source = source.waiting(Duration::from_millis(5));
    writer
        .write_all(format!("{}{{\"complete_until\": \"1970-01-01T00:33:20Z\"}}\n", line(1)).as_bytes())
        .expect("written");
    let (position, records) = take(&mut source, None, 2);
    assert_eq!(records.last().and_then(|record| record.complete_until), Some(2_000_000));
    clock.0.fetch_add(10 * MINUTE_MS, Ordering::SeqCst);
    assert_eq!(call(&mut source, Some(&position)), Ok(None));
}

#[test]
fn a_growing_file_is_followed_and_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("feed.jsonl");
    let options = FeedOptions { path: Some(path.clone()), ..options(Some("log"), true) };
    let mut file = std::fs::File::create(&path).expect("a file");
    let (whole, half) = (line(2), line(3));
    file.write_all(format!("{}{whole}{}", line(1), &half[..9]).as_bytes()).expect("written");
    let mut source = FeedSource::open(&options, Meter::default()).expect("a source");
    let (position, records) = take(&mut source, None, 2);
    assert_eq!(ids(&records), [1, 2], "half a line waits for its end");
    file.write_all(&half.as_bytes()[9..]).expect("written");
    let (last, records) = take(&mut source, Some(position.clone()), 1);
    assert_eq!(ids(&records), [3]);
    let mut restarted = FeedSource::open(&options, Meter::default()).expect("a source");
    assert_eq!(ids(&take(&mut restarted, Some(position.clone()), 1).1), [3]);
    file.set_len(10).expect("cut");
    let shortened = (0..1000).find_map(|_| call(&mut source, Some(&last)).err());
    assert!(shortened.is_some_and(|error| error.contains("the file became shorter")));
}

#[test]
fn feeds_need_a_name_where_a_restart_reads_them_again() {
    let refused = |options: &FeedOptions| options.identity().expect_err("refused").to_string();
    assert!(refused(&options(None, false)).starts_with("standard input needs --id NAME"));
    let file = FeedOptions { path: Some("x.jsonl".into()), ..options(None, true) };
    assert!(refused(&file).starts_with("x.jsonl needs --id NAME"));
    assert!(refused(&options(Some("a/b"), true)).contains("--id \"a/b\" is not usable"));
    assert_eq!(options(None, true).identity().expect("a name"), "follow/acme/qa/stdin");
    assert_eq!(options(Some("n"), false).identity().expect("a name"), "import/acme/qa/id:n");
    let absent = FeedOptions { path: Some("/absent".into()), ..options(Some("n"), true) };
    assert!(matches!(FeedSource::open(&absent, Meter::default()), Err(Error::Missing { .. })));
}
