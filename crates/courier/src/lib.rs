//! Deliveries that wait in a queue: planned with the offset, tried by a courier beside the sink.
//!
//! Invariant: what is to be delivered, its row of the ledger and the offset are one transaction; `sending` is committed before a
//! try and how it ended after it. A try of which nobody knows how it ended is made again only where its receiver can tell that
//! it is the same.

mod backoff;
mod door;
mod judge;
mod round;
mod sink;
mod trip;

pub use door::{Admission, Answer, Door, Kind, Parcel};
pub use sink::DoorSink;
