//! The parts of the stack and the ports they listen on; pure.

use std::fmt;

use serde::Serialize;

use crate::Error;

/// One long-running part of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Apache Kafka, broker and controller in one process.
    Kafka,
    /// Apicurio Registry with its Confluent-compatible API.
    Registry,
    /// Postgres, for the pipeline and for the registry's schemas.
    Postgres,
    /// Qdrant, for search: only in a stack that was asked to have it.
    Qdrant,
}

impl Part {
    /// Every part, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Kafka, Self::Registry, Self::Postgres, Self::Qdrant];

    /// The parts of a stack that has Qdrant, or has it not.
    pub(crate) fn of_stack(qdrant: bool) -> &'static [Self] {
        if qdrant { &Self::ALL } else { &[Self::Kafka, Self::Registry, Self::Postgres] }
    }

    /// The name in commands, file names and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Registry => "registry",
            Self::Postgres => "postgres",
            Self::Qdrant => "qdrant",
        }
    }

    /// The part of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The base port when none was ever asked for. It and its block lie below the range from which Linux takes the ports
/// of outgoing connections, so that nobody's connection can sit on one of them.
pub const DEFAULT_BASE_PORT: u16 = 29090;

/// How the ports are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortChoice {
    /// Those of the last start in this data directory, else [`DEFAULT_BASE_PORT`] and the six after it.
    #[default]
    Remembered,
    /// This port and the six after it.
    Base(u16),
    /// Those of the last start if still free, else any free block.
    Free,
}

/// A block of seven consecutive ports, named by its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    base: u16,
}

impl Ports {
    const COUNT: u16 = 7;

    pub(crate) fn from_base(base: u16) -> Result<Self, Error> {
        if !(1024..=u16::MAX - (Self::COUNT - 1)).contains(&base) {
            return Err(Error::BasePort { base });
        }
        Ok(Self { base })
    }

    pub(crate) fn base(self) -> u16 {
        self.base
    }

    pub(crate) fn kafka(self) -> u16 {
        self.base
    }

    pub(crate) fn controller(self) -> u16 {
        self.base + 1
    }

    pub(crate) fn registry(self) -> u16 {
        self.base + 2
    }

    pub(crate) fn registry_management(self) -> u16 {
        self.base + 3
    }

    pub(crate) fn postgres(self) -> u16 {
        self.base + 4
    }

    pub(crate) fn qdrant(self) -> u16 {
        self.base + 5
    }

    /// Where a secured broker knows clients by their certificate alone.
    pub(crate) fn kafka_by_certificate(self) -> u16 {
        self.base + 6
    }

    /// The port that clients of a part connect to.
    pub(crate) fn of(self, part: Part) -> u16 {
        match part {
            Part::Kafka => self.kafka(),
            Part::Registry => self.registry(),
            Part::Postgres => self.postgres(),
            Part::Qdrant => self.qdrant(),
        }
    }

    /// Every listener of a part with what it is for.
    pub(crate) fn listeners(self, part: Part) -> Vec<(u16, &'static str)> {
        match part {
            Part::Kafka => vec![
                (self.kafka(), "Kafka"),
                (self.controller(), "Kafka's controller"),
                (self.kafka_by_certificate(), "Kafka's log-in by certificate"),
            ],
            Part::Registry => vec![
                (self.registry(), "the registry"),
                (self.registry_management(), "the registry's management interface"),
            ],
            Part::Postgres => vec![(self.postgres(), "Postgres")],
            Part::Qdrant => vec![(self.qdrant(), "Qdrant")],
        }
    }

    fn all_free(self, is_free: &impl Fn(u16) -> bool) -> bool {
        (self.base..self.base + Self::COUNT).all(is_free)
    }
}

/// What is known when ports are planned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PortRequest {
    pub(crate) choice: PortChoice,
    /// The base port of the last start in this data directory.
    pub(crate) remembered: Option<u16>,
    /// Whether any part still runs on the remembered ports.
    pub(crate) running: bool,
    /// Where the search for free blocks begins; different for programs that search at once.
    pub(crate) seed: u32,
}

/// Chooses the block of ports. Only [`PortChoice::Free`] looks whether they are free.
pub(crate) fn plan(request: PortRequest, is_free: impl Fn(u16) -> bool) -> Result<Ports, Error> {
    match (request.remembered, request.choice) {
        (Some(running), PortChoice::Base(asked)) if request.running && running != asked => {
            Err(Error::OtherPorts { running, asked })
        }
        (Some(base), _) if request.running => Ports::from_base(base),
        (_, PortChoice::Base(base)) => Ports::from_base(base),
        (remembered, PortChoice::Remembered) => Ports::from_base(remembered.unwrap_or(DEFAULT_BASE_PORT)),
        (remembered, PortChoice::Free) => {
            let remembered = remembered.map(Ports::from_base).transpose()?;
            match remembered.filter(|ports| ports.all_free(&is_free)) {
                Some(ports) => Ok(ports),
                None => free_block(request.seed, is_free),
            }
        }
    }
}

/// Searches 20000 to 32000, below the range of outgoing connections, in steps of ten from a place given by the seed.
fn free_block(seed: u32, is_free: impl Fn(u16) -> bool) -> Result<Ports, Error> {
    const BLOCKS: u32 = 1200;
    (0..BLOCKS)
        .map(|step| Ports { base: 20_000 + ((seed + step) % BLOCKS) as u16 * 10 })
        .find(|ports| ports.all_free(&is_free))
        .ok_or(Error::BasePort { base: 20_000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(choice: PortChoice, remembered: Option<u16>, running: bool) -> PortRequest {
        PortRequest { choice, remembered, running, seed: 7 }
    }

    fn base(request: PortRequest, taken: &[u16]) -> Result<u16, String> {
        plan(request, |port| !taken.contains(&port)).map(Ports::base).map_err(|error| error.to_string())
    }

    #[test]
    fn the_remembered_block_wins_over_the_default() {
        assert_eq!(base(request(PortChoice::Remembered, None, false), &[]), Ok(DEFAULT_BASE_PORT));
        assert_eq!(base(request(PortChoice::Remembered, Some(4000), false), &[]), Ok(4000));
        assert_eq!(base(request(PortChoice::Base(5000), Some(4000), false), &[]), Ok(5000));
    }

    #[test]
    fn a_running_stack_keeps_its_ports() {
        assert_eq!(base(request(PortChoice::Base(4000), Some(4000), true), &[4000]), Ok(4000));
        assert_eq!(base(request(PortChoice::Free, Some(4000), true), &[4000]), Ok(4000));
        let refused = base(request(PortChoice::Base(5000), Some(4000), true), &[]);
        assert!(refused.is_err_and(|message| message.contains("from 4000 on")));
    }

    #[test]
    fn free_ports_are_remembered_while_they_stay_free() {
        assert_eq!(base(request(PortChoice::Free, Some(4000), false), &[]), Ok(4000));
        assert_eq!(base(request(PortChoice::Free, Some(4000), false), &[4003]), Ok(20_070));
        assert_eq!(base(request(PortChoice::Free, None, false), &[20_074]), Ok(20_080));
    }

    #[test]
    fn a_block_beyond_the_last_port_is_refused() {
        assert!(base(request(PortChoice::Base(65_529), None, false), &[]).is_ok());
        assert!(base(request(PortChoice::Base(65_530), None, false), &[]).is_err());
        assert!(base(request(PortChoice::Base(80), None, false), &[]).is_err());
    }

    #[test]
    fn every_listener_has_a_port_of_its_own() -> Result<(), Error> {
        let ports = Ports::from_base(100 * 100)?;
        let mut all: Vec<u16> =
            Part::ALL.iter().flat_map(|part| ports.listeners(*part)).map(|(port, _)| port).collect();
        all.sort_unstable();
        assert_eq!(all, [10_000, 10_001, 10_002, 10_003, 10_004, 10_005, 10_006]);
        Ok(())
    }
}
