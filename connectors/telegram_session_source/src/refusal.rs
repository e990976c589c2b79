//! Why a request gives nothing, and why a session is over.
//!
//! Invariant: told apart by what is to be done, not by the words of an error.

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its owner has ended it, or it was unused for too long.
    LoggedOut,
    /// The account is deleted or banned.
    Banned,
    /// Its key was used from two machines at once, and Telegram has ended it.
    UsedTwice,
}

impl End {
    /// As it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Banned => "banned",
            Self::UsedTwice => "used_twice",
        }
    }

    /// What it means and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::LoggedOut => {
                "the session was ended in Telegram (Settings, Devices), or by itself after months without use; log in again"
            }
            Self::Banned => {
                "Telegram has deleted or banned the account; its owner can write to recover@telegram.org"
            }
            Self::UsedTwice => {
                "the session's key was used from two machines at once and Telegram has ended it; run one pipeline with it, and log in again"
            }
        }
    }
}

/// Why a request gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// So many seconds have to pass.
    #[error("Telegram asks to wait for {0}s")]
    Flood(u32),
    /// The session is over.
    #[error("the session is over: {}", .0.advice())]
    Ended(End),
    /// The account is not in the chat, or not any more.
    #[error("the chat cannot be read by this account: {0}")]
    NoAccess(String),
    /// The position is none of the server's.
    #[error("Telegram does not know the position")]
    BadPosition,
    /// It gave no answer in so many seconds: the connection is made anew, and what came by the old one may be lost.
    #[error("no answer in {0} s")]
    NoAnswer(u64),
    /// It could not be reached, or has trouble itself.
    #[error("could not reach Telegram: {0}")]
    Away(String),
    /// The account has a password beside the code.
    #[error("the account has a password")]
    PasswordNeeded,
    /// Anything else, by Telegram's name for it.
    #[error("Telegram refuses: {0}")]
    Refused(String),
}

/// A wait that is told without a number, in seconds.
const UNTOLD_WAIT: u32 = 60;

impl Refusal {
    /// Of an error of Telegram's: its code, its name without numbers, and the number of its name.
    pub(crate) fn of(code: i32, name: &str, value: Option<u32>) -> Self {
        let told = || value.map_or_else(|| name.to_owned(), |value| format!("{name} {value}"));
        match name {
            "AUTH_KEY_DUPLICATED" => Self::Ended(End::UsedTwice),
            "USER_DEACTIVATED" | "USER_DEACTIVATED_BAN" | "PHONE_NUMBER_BANNED" => Self::Ended(End::Banned),
            "SESSION_PASSWORD_NEEDED" => Self::PasswordNeeded,
            "AUTH_KEY_UNREGISTERED"
            | "AUTH_KEY_INVALID"
            | "AUTH_KEY_PERM_EMPTY"
            | "SESSION_REVOKED"
            | "SESSION_EXPIRED" => Self::Ended(End::LoggedOut),
            "PERSISTENT_TIMESTAMP_INVALID" | "PERSISTENT_TIMESTAMP_EMPTY" => Self::BadPosition,
            "CHANNEL_PRIVATE"
            | "CHANNEL_INVALID"
            | "CHAT_FORBIDDEN"
            | "CHAT_ID_INVALID"
            | "PEER_ID_INVALID"
            | "CHANNEL_PUBLIC_GROUP_NA"
            | "USER_BANNED_IN_CHANNEL"
            | "USER_NOT_PARTICIPANT" => Self::NoAccess(told()),
            _ if code == 420 => Self::Flood(value.unwrap_or(UNTOLD_WAIT)),
            _ if !(300..500).contains(&code) => Self::Away(told()),
            _ => Self::Refused(told()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_what_is_to_be_done() {
        let table = [
            (420, "FLOOD_WAIT", Some(86_400), Refusal::Flood(86_400)),
            (420, "FLOOD_PREMIUM_WAIT", Some(3), Refusal::Flood(3)),
            (420, "FLOOD_WAIT", None, Refusal::Flood(60)),
            (401, "AUTH_KEY_UNREGISTERED", None, Refusal::Ended(End::LoggedOut)),
            (401, "SESSION_REVOKED", None, Refusal::Ended(End::LoggedOut)),
            (401, "USER_DEACTIVATED_BAN", None, Refusal::Ended(End::Banned)),
            (406, "AUTH_KEY_DUPLICATED", None, Refusal::Ended(End::UsedTwice)),
            (401, "SESSION_PASSWORD_NEEDED", None, Refusal::PasswordNeeded),
            (400, "PERSISTENT_TIMESTAMP_INVALID", None, Refusal::BadPosition),
            (
                500,
                "PERSISTENT_TIMESTAMP_OUTDATED",
                None,
                Refusal::Away("PERSISTENT_TIMESTAMP_OUTDATED".to_owned()),
            ),
            (406, "CHANNEL_PRIVATE", None, Refusal::NoAccess("CHANNEL_PRIVATE".to_owned())),
            (-503, "Timeout", None, Refusal::Away("Timeout".to_owned())),
            (500, "INTERDC_CALL_ERROR", Some(2), Refusal::Away("INTERDC_CALL_ERROR 2".to_owned())),
            (400, "LIMIT_INVALID", None, Refusal::Refused("LIMIT_INVALID".to_owned())),
        ];
        for (code, name, value, refusal) in table {
            assert_eq!(Refusal::of(code, name, value), refusal, "{name}");
        }
    }
}
