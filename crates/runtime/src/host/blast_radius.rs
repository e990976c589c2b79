//! What is said when the guard stops a unit: where, why, and the commands that lead past.

use super::supervisor::Failure;
use engine::{Error, guard::Tripped};

/// A unit and the topic whose inputs it rejected.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) unit: &'a str,
    pub(super) topic: &'a str,
}

impl At<'_> {
    /// The end of a loop of this unit.
    pub(super) fn ended(self, stop: Error) -> Failure {
        match stop {
            Error::BlastRadius(tripped) => self.tripped(&tripped),
            other => other.into(),
        }
    }

    /// The guard has stopped it. Started again it would meet the same inputs, and put more of them into the dead letters.
    pub(super) fn tripped(self, tripped: &Tripped) -> Failure {
        let Self { unit, topic } = self;
        let Tripped { seen, rejected, first } = tripped;
        let place = |rejected: &engine::guard::Rejected| {
            format!("{topic}/{}:{} {}", rejected.partition, rejected.offset, rejected.kind.reason)
        };
        let first_places: Vec<String> = first.iter().map(place).collect();
        let (partition, offset) = first.first().map_or((0, 0), |first| (first.partition, first.offset));
        let fingerprint = first.first().map(|first| first.kind.fingerprint).unwrap_or_default();
        Failure::Lasting(format!(
            "{rejected} of {seen} inputs were rejected, first {}: stopped instead of draining the topic into the \
             dead letters. Look at them with `gistmill tap {topic} --partition {partition} --from {offset} --limit 3`. \
             Where a schema or this version of {unit} is at fault, mend that and start again; where the inputs are, \
             they stay in the log: stop {unit} and let them through into the dead letters with `gistmill dlq drain {unit} \
             --topic {topic} --partition {partition} --fingerprint {fingerprint} --until OFFSET`, or go past them and lose \
             them with `gistmill reset {unit} --partition {partition} --to OFFSET`",
            first_places.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{dead_letter::FailureKind, guard::Rejected};
    use schemas::Fingerprint;

    #[test]
    fn a_tripped_guard_names_the_first_inputs_and_the_commands_that_lead_past() {
        let kind = FailureKind { reason: "wrong_magic", fingerprint: Fingerprint::default() };
        let rejected = |offset| Rejected { partition: 3, offset, kind };
        let tripped =
            Tripped { seen: 100, rejected: 100, first: vec![rejected(9), rejected(10), rejected(12)] };
        let at = At { unit: "window_builder", topic: "group.message.ingested.v1" };
        let Failure::Lasting(why) = at.ended(Error::BlastRadius(tripped)) else { panic!("it lasts") };
        for part in [
            "100 of 100 inputs were rejected, first group.message.ingested.v1/3:9 wrong_magic, \
             group.message.ingested.v1/3:10 wrong_magic, group.message.ingested.v1/3:12 wrong_magic: stopped",
            "`gistmill tap group.message.ingested.v1 --partition 3 --from 9 --limit 3`",
            "`gistmill dlq drain window_builder --topic group.message.ingested.v1 --partition 3 --fingerprint \
             0000000000000000 --until OFFSET`",
            "`gistmill reset window_builder --partition 3 --to OFFSET`",
        ] {
            assert!(why.contains(part), "{why}");
        }
        assert_eq!(at.ended(Error::Fatal("x".to_owned())), Failure::Passing("x".to_owned()));
    }
}
