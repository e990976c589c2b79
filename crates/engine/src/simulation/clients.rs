//! The async side of a Lookup in the simulation: one thread, and answers that come when the die says so.

use super::world::World;
use crate::shapes::lookup::{Answering, Awaited, Clients};
use processor::{Request, Response};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Questions without an answer; clones are the same.
#[derive(Clone)]
pub(crate) struct Answers {
    asked: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
    runtime: Arc<tokio::runtime::Runtime>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { asked: Arc::default(), runtime: Arc::new(runtime) }
    }

    pub(crate) fn tasks(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    /// Answers some of the questions, in any order, and lets their tasks run.
    pub(crate) fn come(&self, world: &World) {
        for _ in 0..world.dice(4) {
            let mut asked = self.asked.lock().expect("nobody panics in it");
            if asked.is_empty() {
                break;
            }
            let index = world.dice(asked.len() as u64) as usize;
            // Whoever asked may be gone.
            asked.swap_remove(index).send(()).ok();
        }
        self.runtime.block_on(async {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        });
    }
}

impl Clients for Answers {
    fn answer(&self, _: Vec<Request>, awaited: Awaited) -> Answering<'_> {
        let (sender, receiver) = oneshot::channel();
        self.asked.lock().expect("nobody panics in it").push(sender);
        Box::pin(async move {
            awaited.is("the die".to_owned());
            // Without a sender there is no world left to answer.
            drop(receiver.await);
            Vec::<Response>::new()
        })
    }
}
