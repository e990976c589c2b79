//! Commands that administrators alone may give: who gave one, and what becomes of it.
//!
//! Invariant: such a command is in a group's log only where an administrator gave it. One that mutes a chat is in the database
//! before it is in the log, hence before any window closes that ends after it.

use crate::command::{said, words_for};
use commands::{Name, chat_of, muted_until};
use ingest::{Batch, Group, Origin};
use schemas::{Command, GroupCommandAnswered, GroupMessageIngested};
use state::Mute;

/// What Telegram says of whoever gave a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// An administrator, or the owner.
    Granted,
    /// Somebody else.
    Denied,
    /// It does not tell.
    Unseen,
}

/// A command of which nobody has asked yet whether it may be given.
#[derive(Debug)]
pub(crate) struct Asking {
    /// The command.
    pub(crate) command: Command,
    /// The chat.
    pub(crate) chat: i64,
    /// Who gave it, or the chat in whose name it was given.
    pub(crate) person: i64,
    /// Its group.
    pub(crate) group: Group,
    /// The update's id, and the source's clock.
    pub(crate) at: (u64, i64),
}

impl Asking {
    /// What is known without a question: administrators alone write in the name of their chat, and a private chat is its
    /// person's own; who writes in the name of another chat is nobody.
    pub(crate) fn known(&self) -> Option<Permission> {
        match self.person {
            person if person == self.chat => Some(Permission::Granted),
            1.. => None,
            _ => Some(Permission::Denied),
        }
    }

    /// What it changes, for the database.
    pub(crate) fn mute(&self) -> Option<Mute> {
        let Command { arguments, asked_at, message_id, chat, .. } = &self.command;
        let until_ms = muted_until(Name::of(&self.command.name)?, arguments, *asked_at)?;
        Some(Mute {
            tenant_id: self.group.tenant_id().to_owned(),
            group_id: self.group.group_id().to_owned(),
            chat: chat_of(chat).to_owned(),
            at_ms: *asked_at,
            message_id: *message_id,
            until_ms,
        })
    }

    /// Its place in the group's log.
    pub(crate) fn record(self, origin: &Origin) -> Vec<GroupMessageIngested> {
        let mut batch = Batch::default();
        batch.command(origin, self.at, self.command);
        batch.finish(origin)
    }

    /// What is said to who may not give it.
    pub(crate) fn refused(&self, permission: Permission) -> GroupCommandAnswered {
        let words = words_for(&self.command);
        let text = match permission {
            Permission::Unseen => words.administrators_unseen,
            Permission::Granted | Permission::Denied => words.administrators_alone,
        };
        said(&self.command, self.chat, text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: &str, arguments: &str, person: i64) -> Asking {
        let command = Command {
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            chat: "-1001/45".to_owned(),
            message_id: 5,
            asked_at: 1_000,
            language: "en".to_owned(),
            ..Command::default()
        };
        let group = Group::new("acme", "garden").expect("names");
        Asking { command, chat: -1001, person, group, at: (9, 1) }
    }

    #[test]
    fn an_administrator_without_a_name_needs_no_question_and_another_channel_is_nobody() {
        let known = |person| asking("mute", "", person).known();
        assert_eq!(known(-1001), Some(Permission::Granted));
        assert_eq!(known(-1009), Some(Permission::Denied));
        assert_eq!(known(7), None);
    }

    #[test]
    fn what_names_no_time_changes_nothing_and_a_chat_is_muted_without_its_topic() {
        assert_eq!(asking("mute", "for good", 7).mute(), None);
        let mute = asking("mute", "1h", 7).mute().expect("a mute");
        assert_eq!((&*mute.chat, mute.at_ms, mute.until_ms), ("-1001", 1_000, 3_601_000));
        assert_eq!(asking("unmute", "", 7).mute().map(|mute| mute.until_ms), Some(1_000));
    }

    #[test]
    fn who_may_not_is_told_so_and_what_would_help() {
        let said = |permission| asking("mute", "", 7).refused(permission).text;
        assert_eq!(said(Permission::Denied), "Administrators of this chat alone can do that.");
        assert!(said(Permission::Unseen).contains("make me one of them"));
    }
}
