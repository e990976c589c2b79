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
    pub(super) end: SourceEnd,
    /// It was followed: it has no end of its own.
    pub(super) follow: bool,
}

impl Told<'_> {
    pub(super) fn json(&self) -> serde_json::Value {
        let summary = self.summary;
        let damaged = |damage: &Damage| serde_json::json!({ "id": damage.id, "line": damage.line, "reason": damage.reason });
        serde_json::json!({
            "finished": self.end == SourceEnd::Finished, "read": summary.read, "new": summary.new,
            "edited": summary.edited, "deleted": summary.deleted, "skipped": summary.skipped,
            "repaired": summary.repaired, "damaged": summary.damaged.iter().map(damaged).collect::<Vec<_>>(),
            "zone_assumed": summary.zone_assumed, "zone_twice": summary.zone_twice,
            "time_zone": summary.time_zone, "future_date": summary.future_date, "topics": summary.topics,
            "bytes": summary.bytes, "first_sent_at": date(summary.first_sent_at),
            "last_sent_at": date(summary.last_sent_at),
        })
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.summary;
        writeln!(
            out,
            "{} read, {} new; {} edited, {} deleted",
            counted(summary.read, "message", "messages"),
            summary.new,
            summary.edited,
            summary.deleted
        )?;
        self.write_faults(out)?;
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

    fn told(summary: &Summary, end: SourceEnd, follow: bool) -> String {
        let mut out = Vec::new();
        Told { summary, end, follow }.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn how_it_ended_is_told() {
        let text = told(&Summary::default(), SourceEnd::Stopped, false);
        assert!(text.ends_with("\nstopped early; the same command goes on from here\n"), "{text}");
        assert!(told(&Summary::default(), SourceEnd::Stopped, true).ends_with("\nstopped\n"));
    }

    #[test]
    fn one_is_told_as_one() {
        let ones = Summary {
            read: 1,
            new: 1,
            zone_assumed: 1,
            time_zone: "UTC".to_owned(),
            future_date: 1,
            topics: 1,
            ..Summary::default()
        };
        let expected = "\
1 message read, 1 new; 0 edited, 0 deleted
skipped: nothing
1 had no time zone and was taken as UTC (see --time-zone)
1 is dated in the far future
1 forum topic
";
        assert_eq!(told(&ones, SourceEnd::Finished, false), expected);
        let twos = Summary {
            read: 2,
            future_date: 2,
            zone_assumed: 2,
            zone_twice: 2,
            time_zone: "Europe/Berlin".to_owned(),
            ..Summary::default()
        };
        let expected = "\
2 messages read, 0 new; 0 edited, 0 deleted
skipped: nothing
2 had no time zone and were taken as Europe/Berlin (see --time-zone)
2 of these happened twice that night and were taken as the first
2 are dated in the far future
";
        assert_eq!(told(&twos, SourceEnd::Finished, false), expected);
    }

    #[test]
    fn damage_is_named_and_repairs_are_counted() {
        let damage = |id, line| Damage { id, line, reason: "it ends".to_owned() };
        let summary = Summary {
            read: 3,
            new: 3,
            skipped: [("damaged", 7)].into(),
            damaged: vec![damage(Some(4), 58), damage(None, 70)],
            repaired: [("hex_escape", 2), ("nul", 1)].into(),
            ..Summary::default()
        };
        let expected = "\
3 messages read, 3 new; 0 edited, 0 deleted
skipped: damaged 7
  message 4, line 58: it ends
  line 70: it ends
  and 5 more
repaired: hex_escape 2, nul 1
";
        assert_eq!(told(&summary, SourceEnd::Finished, false), expected);
        let json = Told { summary: &summary, end: SourceEnd::Finished, follow: false }.json();
        assert_eq!(json["damaged"][0], serde_json::json!({"id": 4, "line": 58, "reason": "it ends"}));
        assert_eq!(json["repaired"]["hex_escape"], 2);
    }
}
