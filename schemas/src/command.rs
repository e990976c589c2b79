//! Commands that people write in a chat, and what is said to them.

use crate::{identity, record::record};
use serde::{Deserialize, Serialize};

/// What somebody asks the bot for, in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Command {
    /// [`Command::id_of`].
    pub id: String,
    /// `digest`, `help`, ...: without the slash and the bot's name.
    pub name: String,
    /// What follows the name; at most 64 characters.
    pub arguments: String,
    /// Channel that it came by, and is answered by.
    pub channel: String,
    /// Where it was written, in the channel's own terms: the target of the answer.
    pub chat: String,
    /// The message that it is, as the channel numbers it.
    pub message_id: i64,
    /// Who asks: the id of an author; empty when not told.
    pub asked_by: String,
    /// The person's own language, ISO 639-1; empty when not told.
    pub language: String,
    /// When it was sent, in ms.
    pub asked_at: i64,
    /// It is not carried out: too many came before it, which is what its answer says.
    pub is_over_limit: bool,
}

impl Command {
    /// Id of the command that a message is: `UUIDv5` of the source that hears it, the chat, and the message.
    pub fn id_of(source: &str, chat: i64, message_id: i64) -> String {
        let [chat, message_id] = [chat, message_id].map(|number| number.to_string());
        identity::identity_hash("command", &[source, &chat, &message_id]).to_string()
    }

    /// What is said to the person, in a group.
    pub fn answered(
        &self,
        (tenant_id, group_id): (&str, &str),
        language: &str,
        text: String,
    ) -> GroupCommandAnswered {
        GroupCommandAnswered {
            tenant_id: tenant_id.to_owned(),
            group_id: group_id.to_owned(),
            command_id: self.id.clone(),
            name: self.name.clone(),
            trace_id: identity::trace_id(&self.id),
            channel: self.channel.clone(),
            chat: self.chat.clone(),
            reply_to: Some(self.message_id),
            language: language.to_owned(),
            text,
            asked_at: self.asked_at,
        }
    }
}

/// What is said to somebody who wrote a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCommandAnswered {
    /// Tenant that owns the group; [`no_tenant`] where the chat is no group's.
    pub tenant_id: String,
    /// Group inside the tenant; the chat's id where it is no group's.
    pub group_id: String,
    /// `UUIDv5` of bot, chat, message.
    pub command_id: String,
    /// The command.
    pub name: String,
    /// Trace id of this command: 32 hex digits.
    pub trace_id: String,
    /// Channel of the answer.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// The message that is answered, as the channel numbers it.
    pub reply_to: Option<i64>,
    /// Language of the answer: `ru` or `en`.
    pub language: String,
    /// The answer, without markup.
    pub text: String,
    /// When the command was sent, in ms.
    pub asked_at: i64,
}

record!(GroupCommandAnswered, "group.command.answered.v1", "group.command.answered.v1",
    identity: |r| r.command_id.clone(),
    time: |r| r.asked_at,
    trace: |r| r.trace_id.clone(), check: crate::check::answered);

/// Who stands in for the tenant of a chat that is no group's: no name that a tenant can be given.
pub fn no_tenant(channel: &str) -> String {
    format!("~{channel}")
}
