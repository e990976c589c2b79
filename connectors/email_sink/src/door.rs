//! The door of mail: who gets a group's digests, and one try to send a letter.
//!
//! Invariant: nobody gets a letter who is not a recipient of the group when it is sent.

use crate::{
    CHANNEL,
    answer::nameless,
    letter,
    settings::Sender,
    smtp::{Smtp, TIMEOUT},
};
use courier::{Admission, Answer, Door, Kind, Parcel};
use delivery::Breaker;
use lettre::Address;
use runtime::{HostError, config::Email};
use schemas::{DigestBlocked, DigestReadyForDelivery, Version};
use state::{Batch, Due, Error, Store};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Why nothing is sent for a while.
const LEFT_ALONE: &str =
    "the mail server failed five times in a row: it is asked once in a while until it answers";
/// Words of failures that are the server's, not the letter's.
const OF_SERVER: &str = "mail server";

/// The door.
#[derive(Debug, Clone)]
pub struct Letters {
    store: Store,
    sender: Sender,
    smtp: Smtp,
    breaker: Arc<Mutex<Breaker>>,
}

impl Letters {
    /// A door with these settings; touches no network.
    ///
    /// # Errors
    /// Settings that cannot work, by name.
    pub fn new(settings: &Email, store: Store) -> Result<Self, HostError> {
        let sender = Sender::of(settings)?;
        let smtp = Smtp::new(settings, &sender)?;
        Ok(Self { store, sender, smtp, breaker: Arc::default() })
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is sent, and to whom; or why nothing is.
    async fn letter(&self, parcel: &Parcel) -> Result<(Address, Vec<u8>), Answer> {
        let of = (&*parcel.due.tenant_id, &*parcel.group_id);
        match self.store.is_mail_recipient(of, &parcel.due.chat).await {
            Ok(true) => {}
            Ok(false) => return Err(Answer::Refused("it is no recipient of the group any more".to_owned())),
            Err(error) => return Err(Answer::NotYet { why: error.describe(), after: None }),
        }
        letter::letter(parcel, &self.sender).map_err(Answer::Refused)
    }

    /// Notes whether the server did its part.
    fn note(&self, answer: &Answer) {
        let is_fault = match answer {
            Answer::Lost { .. } => true,
            // An answer with a code is an answer: of this recipient.
            Answer::NotYet { why, .. } => why.contains(OF_SERVER) && !why.contains("answers 4"),
            Answer::Delivered | Answer::Refused(_) | Answer::Gone(_) => false,
        };
        if is_fault {
            self.breaker().failed(Instant::now());
        } else {
            self.breaker().answered();
        }
    }
}

impl Door for Letters {
    const NAME: &'static str = "email_sink";
    const CHANNEL: &'static str = CHANNEL;
    // Nobody can tell a letter that comes twice from two letters.
    const REPEATABLE: bool = false;
    const LEASE: Duration = TIMEOUT.saturating_add(Duration::from_secs(20));
    const NO_TARGET: &'static str = "the group has no recipients: gistmill email add";

    type Way = ();

    async fn targets(&self, open: &mut Batch, of: (&str, &str)) -> Result<Vec<String>, Error> {
        open.mail_recipients(of.0, of.1).await
    }

    fn digest(&self, ready: &DigestReadyForDelivery, _: i64) -> String {
        letter::digest(ready)
    }

    fn withdrawal(&self, blocked: &DigestBlocked, _: i64) -> String {
        letter::withdrawal(blocked)
    }

    fn reference(&self, due: &Due, of: (&str, Version), kind: Kind) -> String {
        letter::message_id(due, of, kind, self.sender.from.email.domain())
    }

    async fn admit(&self, _: &Due) -> Result<Admission<()>, Error> {
        Ok(match self.breaker().take(Instant::now()) {
            Ok(()) => Admission::Go(()),
            Err(wait) => Admission::Hold { wait, why: LEFT_ALONE.to_owned() },
        })
    }

    async fn deliver(&self, parcel: &Parcel, (): ()) -> Answer {
        let (to, letter) = match self.letter(parcel).await {
            Ok(letter) => letter,
            // The server was not asked: nothing is known of it.
            Err(answer) => return answer,
        };
        let answer = self.smtp.send((&self.sender.from.email, to), &letter).await;
        self.note(&answer);
        nameless(answer, &parcel.due.chat)
    }

    fn breaker(&self) -> Option<(&'static str, bool)> {
        Some(("mail", self.breaker().has_tripped()))
    }
}
