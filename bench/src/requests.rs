//! Windows that are ready, for the shortest hop of the pipeline, and what `digest_trigger` has to make of them.
//!
//! Invariant: the oracle compares whole windows, and knows each record by the offset that it names.

pub(crate) use crate::watcher::READY;
use crate::{
    error::Error,
    generator::{BEGIN_MS, HOUR_MS, PARTITIONS, TENANT},
    sender::Outgoing,
    steady::Passed,
    testbed::Testbed,
    watcher::Shipped,
};
use engine::murmur2_partition;
use schemas::{
    DigestGenerateRequested, Encoder, GroupSettings, GroupWindowReady, LIVE_LANE, Record as _, WindowRef,
    window_id,
};
use std::time::Duration;
use topology::Prefix;

pub(crate) const REQUESTED: &str = "digest.generate.requested.v1";
const CHATS: u64 = 200;
/// More than what is too little for a digest.
const MESSAGES_MIN: u64 = 5;

/// So many windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows(pub(crate) u64);

impl Windows {
    fn one(number: u64) -> GroupWindowReady {
        let group_id = format!("chat{}", number % CHATS);
        let window_start = BEGIN_MS + (number / CHATS) as i64 * HOUR_MS;
        GroupWindowReady {
            window_id: window_id(TENANT, &group_id, 1, window_start),
            tenant_id: TENANT.to_owned(),
            size_hours: 1,
            window_start,
            window_end: window_start + HOUR_MS,
            revision: 1,
            lane: LIVE_LANE.to_owned(),
            message_count: (MESSAGES_MIN + number % 90) as i32,
            participant_count: (1 + number % 5) as i32,
            scopes: vec!["DIGEST_READ".to_owned()],
            settings: GroupSettings { window_hours: vec![1], ..GroupSettings::default() },
            source_partition: murmur2_partition(format!("{TENANT}/{group_id}").as_bytes(), PARTITIONS),
            source_offset: number as i64,
            group_id,
        }
    }

    /// All as they are written.
    pub(crate) fn encoded(self, bed: &Testbed, prefix: &Prefix) -> Result<Vec<Outgoing>, Error> {
        let encoder = Encoder::<GroupWindowReady>::new(bed.schema_id::<GroupWindowReady>(prefix, READY)?)?;
        let outgoing = |number| {
            let window = Self::one(number);
            let mut value = Vec::new();
            encoder.encode(&window, &mut value)?;
            Ok::<_, Error>(Outgoing { partition: window.source_partition, key: window.key(), value })
        };
        (0..self.0).map(outgoing).collect()
    }

    /// Holds requests to the windows: each is asked for once, whole.
    pub(crate) fn held_to<'a>(
        self,
        values: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Result<String, String>, Error> {
        let Self(count) = self;
        let mut decoder = Shipped::<DigestGenerateRequested>::decoder();
        let mut asked = vec![false; count as usize];
        for value in values {
            let request = decoder.decode(Some(value))?;
            let number = request.window.source_offset;
            let known = if let Ok(at) = usize::try_from(number) { asked.get_mut(at) } else { None };
            let Some(known) = known else {
                return Ok(Err(format!("window {number} was never told")));
            };
            if std::mem::replace(known, true) {
                return Ok(Err(format!("window {number} was asked for twice")));
            }
            if !is_asked_for(&Self::one(number as u64), &request) {
                return Ok(Err(format!("the request for window {number} is another one")));
            }
        }
        let missing = asked.iter().filter(|asked| !**asked).count();
        Ok(if missing == 0 {
            Ok(format!("{count} requests"))
        } else {
            Err(format!("{missing} requests are missing"))
        })
    }

    /// How long each request took.
    pub(crate) fn times(passed: &Passed) -> Result<Vec<Duration>, Error> {
        let mut decoder = Shipped::<DigestGenerateRequested>::decoder();
        let mut times = Vec::with_capacity(passed.seen.len());
        for (seen, value) in &passed.seen {
            let number = decoder.decode(Some(value))?.window.source_offset;
            let sent = usize::try_from(number).ok().and_then(|number| passed.sent.get(number));
            times.extend(sent.map(|sent| seen.saturating_duration_since(*sent)));
        }
        Ok(times)
    }
}

fn is_asked_for(window: &GroupWindowReady, request: &DigestGenerateRequested) -> bool {
    request.window == WindowRef::from(window)
        && (&request.tenant_id, &request.group_id) == (&window.tenant_id, &window.group_id)
        && request.window_id == window.window_id
        && request.version == "1.0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use digest_trigger::DigestTrigger;
    use processor::{Event, Outcome, Processor as _, SourcePosition};

    fn requests(count: u64) -> Vec<DigestGenerateRequested> {
        let request = |number: u64| {
            let window = Windows::one(number);
            let (version, id) = ("1.0".to_owned(), window.window_id.clone());
            DigestGenerateRequested {
                tenant_id: window.tenant_id.clone(),
                group_id: window.group_id.clone(),
                trace_id: schemas::trace_id(&format!("{id}/{version}")),
                window_id: id,
                version,
                delivery_channel: "file".to_owned(),
                requested_by: "schedule".to_owned(),
                window: WindowRef::from(&window),
            }
        };
        (0..count).map(request).collect()
    }

    fn held(requests: &[DigestGenerateRequested], count: u64) -> Result<String, String> {
        let encoder = Encoder::<DigestGenerateRequested>::new(1).expect("a schema");
        let encoded = requests.iter().map(|request| {
            let mut value = Vec::new();
            encoder.encode(request, &mut value).expect("encoded");
            value
        });
        let values: Vec<_> = encoded.collect();
        Windows(count).held_to(values.iter().map(Vec::as_slice)).expect("decoded")
    }

    #[test]
    fn each_window_is_asked_for_once_and_whole() {
        let mut all = requests(300);
        assert_eq!(held(&all, 300), Ok("300 requests".to_owned()));
        assert_eq!(held(&all[1..], 300), Err("1 requests are missing".to_owned()));
        assert_eq!(held(&all, 299), Err("window 299 was never told".to_owned()));
        all.push(all[7].clone());
        assert_eq!(held(&all, 300), Err("window 7 was asked for twice".to_owned()));
        all.pop();
        all[3].window.message_count += 1;
        assert_eq!(held(&all, 300), Err("the request for window 3 is another one".to_owned()));
    }

    #[test]
    fn windows_are_ones_that_readers_take() {
        for number in [0, 1, 299] {
            let window = Windows::one(number);
            assert_eq!(window.check(0), Ok(()), "{window:?}");
            let source = SourcePosition { topic: "t".into(), partition: 0, offset: 0, append_time_ms: 0 };
            let outcome = DigestTrigger::default().process(&Event { value: window, source });
            assert!(matches!(outcome, Ok(Outcome::Emit(emissions)) if emissions.len() == 1));
        }
    }
}
