//! The sink against a real Postgres and a real folder.

#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../../crates/state/tests/postgres/database.rs"]
mod database;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../../crates/state/tests/postgres/samples.rs"]
mod samples;
#[cfg(test)]
mod support;
#[cfg(test)]
mod withdrawals;
