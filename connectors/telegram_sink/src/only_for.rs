//! Who alone sees a message.
//!
//! Invariant: whichever of the two fields a server knows, it is told the same person.

use serde::Serialize;

/// Who alone sees a message. A server that does not know the one field leaves it alone and takes the other.
#[derive(Debug, Serialize)]
pub(crate) struct OnlyFor {
    /// As servers from 10.3 on take it.
    ephemeral_message_parameters: EphemeralMessageParameters,
    /// As those of 10.2 did.
    receiver_user_id: i64,
}

#[derive(Debug, Serialize)]
struct EphemeralMessageParameters {
    receiver_user_id: i64,
}

impl OnlyFor {
    pub(crate) fn person(receiver_user_id: i64) -> Self {
        let ephemeral_message_parameters = EphemeralMessageParameters { receiver_user_id };
        Self { ephemeral_message_parameters, receiver_user_id }
    }
}
