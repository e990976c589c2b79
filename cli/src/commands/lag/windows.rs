//! Windows that are closed and not delivered: whose they are, and which unit has them before it.

use std::{collections::BTreeMap, io::Write};

use operate::{Lag, PartitionLag, Records};

/// Topics whose records each stand for a window on its way; blocked ones have come to their end.
fn holds_windows(topic: &str) -> bool {
    topic == "group.window.ready.v1" || (topic.starts_with("digest.") && topic != "digest.blocked.v1")
}

/// Stands for the tenants of a distance that was not read.
const UNREAD: &str = "(not split)";

/// A line for each tenant and unit, in the order of the flow.
pub(super) fn print(lag: &Lag, out: &mut dyn Write) -> std::io::Result<()> {
    let mut is_empty = true;
    for unit in &lag.units {
        let waiting = waiting(unit.partitions.iter().filter(|partition| holds_windows(&partition.topic)));
        for (tenant, count) in waiting {
            if std::mem::take(&mut is_empty) {
                writeln!(out, "{:>9}  {:<20}  TENANT", "WINDOWS", "BEFORE")?;
            }
            writeln!(out, "{count:>9}  {:<20}  {tenant}", unit.unit)?;
        }
    }
    if is_empty {
        writeln!(out, "every closed window that is known of is delivered or blocked")?;
    }
    Ok(())
}

fn waiting<'a>(partitions: impl Iterator<Item = &'a PartitionLag>) -> BTreeMap<&'a str, Records> {
    let mut waiting: BTreeMap<&str, Records> = BTreeMap::new();
    for partition in partitions.filter(|partition| partition.consumable.count > 0) {
        if partition.consumable.is_estimate {
            let sum = waiting.entry(UNREAD).or_default();
            *sum = *sum + partition.consumable;
        }
        for (tenant, count) in &partition.tenants {
            let sum = waiting.entry(tenant).or_default();
            *sum = *sum + Records { count: *count, is_estimate: false };
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    use operate::UnitLag;

    use super::*;

    fn unit(name: &str, topic: &str, consumable: Records, tenants: &[(&str, u64)]) -> UnitLag {
        let partition = PartitionLag {
            topic: topic.to_owned(),
            partition: 0,
            position: Some(0),
            consumable,
            to_stable: 0,
            to_end: 0,
            seconds: 0.0,
            open_transaction_seconds: None,
            tenants: tenants.iter().map(|(tenant, count)| ((*tenant).to_owned(), *count)).collect(),
            problem: None,
        };
        UnitLag {
            unit: name.to_owned(),
            kind: "processor",
            members: 1,
            consumable,
            to_stable: 0,
            to_end: 0,
            seconds: 0.0,
            open_transaction_seconds: None,
            tenants: BTreeMap::new(),
            partitions: vec![partition],
        }
    }

    #[test]
    fn windows_are_told_by_tenant_and_by_the_unit_that_has_them_before_it() {
        let counted = |count| Records { count, is_estimate: false };
        let units = vec![
            unit("window_builder", "group.message.ingested.v1", counted(9), &[("acme", 9)]),
            unit("context_builder", "digest.generate.requested.v1", counted(3), &[("acme", 2), ("zoo", 1)]),
            unit(
                "roles",
                "digest.stage.emotion.completed.v1",
                Records { count: 20_000, is_estimate: true },
                &[],
            ),
            unit("postgres_sink", "digest.blocked.v1", counted(4), &[("acme", 4)]),
        ];
        let shown = |lag: &Lag| {
            let mut out = Vec::new();
            print(lag, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let expected = "  WINDOWS  BEFORE                TENANT
        2  context_builder       acme
        1  context_builder       zoo
   ~20000  roles                 (not split)
";
        assert_eq!(shown(&Lag { units, ..Lag::default() }), expected);
        assert_eq!(shown(&Lag::default()), "every closed window that is known of is delivered or blocked\n");
    }
}
