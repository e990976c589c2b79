//! The exactly-once engine: the loop, the shapes a processor may have, and what is written besides their output.
//!
//! It knows neither Kafka nor a clock: a broker is an [`log::Log`], time an argument of [`Engine::turn`], and what is told
//! to metrics and traces a [`shapes::Witness`]. So the simulation, a model of a broker with a die, runs the same code
//! that runs on the real one.

pub mod cloud_events;
pub mod dead_letter;
mod exactly_once;
mod murmur2;
mod mutation;
mod next_action;
pub mod replayed;
pub mod shapes;
#[cfg(test)]
mod simulation;
pub mod wire_check;

pub use exactly_once::{Engine, Error, Limits, Observer, guard, let_through, log, shape};
pub use murmur2::murmur2_partition;
pub use shapes::outlet::chain;
