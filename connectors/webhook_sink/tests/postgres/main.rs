//! The sink against a real Postgres and a receiver on the loopback address.

#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../../crates/state/tests/postgres/database.rs"]
mod database;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod failures;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../../crates/state/tests/postgres/samples.rs"]
mod samples;
#[cfg(test)]
mod support;
