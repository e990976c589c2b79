//! Calls on a thread of their own, so that one that never returns can be given up.
//!
//! librdkafka's `send_offsets_to_transaction` has a timeout and yet waits for ever when the coordinator goes away at the
//! wrong moment (seen with 2.12: the operation's own wait is infinite).

use crossbeam_channel::{Sender, bounded};
use std::time::Duration;

type Call = Box<dyn FnOnce() + Send>;

/// A thread that makes one call after another. Dropped while a call is stuck, it leaves the thread behind, which ends
/// with its call.
pub(super) struct Caller(Sender<Call>);

impl Caller {
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, calls) = bounded::<Call>(1);
        std::thread::Builder::new().name("producer calls".to_owned()).spawn(move || {
            for call in calls {
                call();
            }
        })?;
        Ok(Self(sender))
    }

    /// What `call` gives; `None` when it does not return in time. No other call may follow then.
    pub(super) fn call<T: Send + 'static>(
        &self,
        timeout: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = bounded(1);
        // Whoever has given the call up does not listen any more.
        let call = Box::new(move || drop(answer.send(call())));
        self.0.send_timeout(call, timeout).ok()?;
        answered.recv_timeout(timeout).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_does_not_return_is_given_up() {
        let caller = Caller::start().expect("a thread");
        assert_eq!(caller.call(Duration::from_mins(1), || 7), Some(7));
        let (release, held) = bounded::<()>(0);
        assert_eq!(caller.call(Duration::from_millis(10), move || held.recv().is_ok()), None);
        drop(release);
        drop(caller);
    }
}
