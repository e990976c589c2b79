//! What came of an import, for people and for programs.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use runtime::SourceEnd;
use telegram_export_source::{Damage, Summary};

/// What is told of an import.
pub(super) struct Told<'a> {
    pub(super) summary: &'a Summary,
    /// How many of the messages given the group had before, or why that is not known; none where nobody asked.
    pub(super) known: Option<Result<u64, &'a str>>,
    pub(super) end: SourceEnd,
    /// It was followed: it has no end of its own.
    pub(super) follow: bool,
}

impl Told<'_> {
    /// Messages that this run gave and the group did not have.
    fn new_to_group(&self) -> Option<Result<u64, &str>> {
        let given = self.summary.given;
        match self.known? {
            _ if given == 0 => Some(Ok(0)),
            known => Some(known.map(|known| given.saturating_sub(known))),
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let summary = self.summary;
        let damaged = |damage: &Damage| serde_json::json!({ "id": damage.id, "line": damage.line, "reason": damage.reason });
        serde_json::json!({
            "finished": self.end == SourceEnd::Finished, "read": summary.read, "given": summary.given,
            "new": self.new_to_group().and_then(Result::ok),
            "edited": summary.edited, "deleted": summary.deleted, "skipped": summary.skipped,
            "repaired": summary.repaired, "damaged": summary.damaged.iter().map(damaged).collect::<Vec<_>>(),
            "zone_assumed": summary.zone_assumed, "zone_twice": summary.zone_twice,
            "time_zone": summary.time_zone, "future_date": summary.future_date, "topics": summary.topics,
            "notes": summary.notes,
            "bytes": summary.bytes, "first_sent_at": date(summary.first_sent_at),
            "last_sent_at": date(summary.last_sent_at),
        })
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.summary;
        let new = match self.new_to_group() {
            Some(Ok(new)) => format!(", {new} new to the group"),
            Some(Err(_)) | None => String::new(),
        };
        let read = counted(summary.read, "message", "messages");
        writeln!(out, "{read} read{new}; {} edited, {} deleted", summary.edited, summary.deleted)?;
        match summary.read - summary.given {
            0 => {}
            earlier => writeln!(out, "{}", counted(earlier, "was", "were") + " imported by an earlier run")?,
        }
        if let Some(Err(why)) = self.new_to_group() {
            writeln!(out, "how many of them are new to the group is not known: {why}")?;
        }
        self.write_faults(out)?;
        if !summary.notes.is_empty() {
            writeln!(out, "{}", summary.notes.join("; "))?;
        }
        self.write_zone(out)?;
        for (count, one, many) in [
            (summary.future_date, "is dated in the far future", "are dated in the far future"),
            (summary.topics, "forum topic", "forum topics"),
        ] {
            if count > 0 {
                writeln!(out, "{}", counted(count, one, many))?;
            }
        }
        if let (Some(first), Some(last)) = (date(summary.first_sent_at), date(summary.last_sent_at)) {
            writeln!(out, "from {first} to {last}")?;
        }
        match self.end {
            SourceEnd::Stopped if self.follow => writeln!(out, "stopped"),
            SourceEnd::Stopped => writeln!(out, "stopped early; the same command goes on from here"),
            SourceEnd::Finished => Ok(()),
        }
    }

    /// In which zone local times were taken.
    fn write_zone(&self, out: &mut dyn Write) -> io::Result<()> {
        let Summary { zone_assumed, zone_twice, time_zone, .. } = self.summary;
        let was = |count: u64| if count == 1 { "was" } else { "were" };
        if *zone_assumed > 0 {
            let was = was(*zone_assumed);
            writeln!(
                out,
                "{zone_assumed} had no time zone and {was} taken as {time_zone} (see --time-zone)"
            )?;
        }
        if *zone_twice > 0 {
            let was = was(*zone_twice);
            writeln!(out, "{zone_twice} of these happened twice that night and {was} taken as the first")?;
        }
        Ok(())
    }

    /// What was not imported or not as it stands in the file.
    fn write_faults(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "skipped: {}", self.summary.skipped_text())?;
        for Damage { id, line, reason } in &self.summary.damaged {
            match id {
                Some(id) => writeln!(out, "  message {id}, line {line}: {reason}")?,
                None => writeln!(out, "  line {line}: {reason}")?,
            }
        }
        match self.summary.damaged_more() {
            0 => {}
            more => writeln!(out, "  and {more} more")?,
        }
        if self.summary.repaired.is_empty() {
            return Ok(());
        }
        writeln!(out, "repaired: {}", by_name(&self.summary.repaired))
    }
}

fn by_name(counts: &BTreeMap<&'static str, u64>) -> String {
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    parts.join(", ")
}

fn date(ms: Option<i64>) -> Option<String> {
    ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|time| time.to_string())
}

/// A number of things.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(summary: &Summary, known: Option<Result<u64, &str>>, end: SourceEnd) -> String {
        let mut out = Vec::new();
        Told { summary, known, end, follow: false }.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn how_it_ended_is_told() {
        let text = told(&Summary::default(), None, SourceEnd::Stopped);
        assert!(text.ends_with("\nstopped early; the same command goes on from here\n"), "{text}");
        let mut out = Vec::new();
        let summary = &Summary::default();
        Told { summary, known: None, end: SourceEnd::Stopped, follow: true }.write(&mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with("\nstopped\n"));
    }

    #[test]
    fn what_is_new_is_new_to_the_group_or_not_claimed() {
        let first = |summary: &Summary, known| {
            let text = told(summary, known, SourceEnd::Finished);
            text.lines().take_while(|line| !line.starts_with("skipped")).collect::<Vec<_>>().join("\n")
        };
        let overlap = Summary { read: 8, given: 8, ..Summary::default() };
        assert_eq!(first(&overlap, Some(Ok(4))), "8 messages read, 4 new to the group; 0 edited, 0 deleted");
        let json =
            Told { summary: &overlap, known: Some(Ok(4)), end: SourceEnd::Finished, follow: false }.json();
        assert_eq!((&json["read"], &json["given"], &json["new"]), (&8.into(), &8.into(), &4.into()));
        assert_eq!(first(&overlap, None), "8 messages read; 0 edited, 0 deleted");
        assert_eq!(
            first(&overlap, Some(Err("could not reach it"))),
            "8 messages read; 0 edited, 0 deleted\nhow many of them are new to the group is not known: could not reach it"
        );
        let resumed = Summary { read: 8, given: 3, ..Summary::default() };
        assert_eq!(
            first(&resumed, Some(Ok(1))),
            "8 messages read, 2 new to the group; 0 edited, 0 deleted\n5 were imported by an earlier run"
        );
        let again = Summary { read: 8, ..Summary::default() };
        assert_eq!(
            first(&again, Some(Err("could not reach it"))),
            "8 messages read, 0 new to the group; 0 edited, 0 deleted\n8 were imported by an earlier run"
        );
    }

    #[test]
    fn one_is_told_as_one() {
        let ones = Summary {
            read: 1,
            given: 1,
            zone_assumed: 1,
            time_zone: "UTC".to_owned(),
            future_date: 1,
            topics: 1,
            ..Summary::default()
        };
        let expected = "\
1 message read, 1 new to the group; 0 edited, 0 deleted
skipped: nothing
1 had no time zone and was taken as UTC (see --time-zone)
1 is dated in the far future
1 forum topic
";
        assert_eq!(told(&ones, Some(Ok(0)), SourceEnd::Finished), expected);
        let twos = Summary {
            read: 2,
            given: 2,
            future_date: 2,
            zone_assumed: 2,
            zone_twice: 2,
            time_zone: "Europe/Berlin".to_owned(),
            ..Summary::default()
        };
        let expected = "\
2 messages read, 0 new to the group; 0 edited, 0 deleted
skipped: nothing
2 had no time zone and were taken as Europe/Berlin (see --time-zone)
2 of these happened twice that night and were taken as the first
2 are dated in the far future
";
        assert_eq!(told(&twos, Some(Ok(2)), SourceEnd::Finished), expected);
    }

    #[test]
    fn damage_is_named_and_repairs_are_counted() {
        let damage = |id, line| Damage { id, line, reason: "it ends".to_owned() };
        let summary = Summary {
            read: 3,
            given: 3,
            skipped: [("damaged", 7)].into(),
            damaged: vec![damage(Some(4), 58), damage(None, 70)],
            repaired: [("hex_escape", 2), ("nul", 1)].into(),
            ..Summary::default()
        };
        let expected = "\
3 messages read, 3 new to the group; 0 edited, 0 deleted
skipped: damaged 7
  message 4, line 58: it ends
  line 70: it ends
  and 5 more
repaired: hex_escape 2, nul 1
";
        assert_eq!(told(&summary, Some(Ok(0)), SourceEnd::Finished), expected);
        let json = Told { summary: &summary, known: None, end: SourceEnd::Finished, follow: false }.json();
        assert_eq!(json["damaged"][0], serde_json::json!({"id": 4, "line": 58, "reason": "it ends"}));
        assert_eq!(json["repaired"]["hex_escape"], 2);
    }
}
