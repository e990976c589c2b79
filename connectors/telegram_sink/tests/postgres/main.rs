//! The sink against a real Postgres and a Bot API server on the loopback address.

#[cfg(test)]
mod copies;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../../crates/state/tests/postgres/database.rs"]
mod database;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod muting;
#[cfg(test)]
mod personal;
#[cfg(test)]
mod refusals;
mod rich;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../../crates/state/tests/postgres/samples.rs"]
mod samples;
#[cfg(test)]
mod support;
#[cfg(test)]
mod unknown;
#[cfg(test)]
mod withdrawals;
