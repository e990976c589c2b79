//! What a key may be used for, and the roles that people give.

use std::{fmt, str::FromStr};

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reads groups, messages, windows, digests and deliveries.
    DigestRead,
    /// Asks for digests, changes settings, reads the audit log and what models cost.
    DigestAdmin,
    /// Sends messages.
    MessagesWrite,
    /// Reads dead letters and lag.
    Operator,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DigestRead, Self::DigestAdmin, Self::MessagesWrite, Self::Operator];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DigestRead => "DIGEST_READ",
            Self::DigestAdmin => "DIGEST_ADMIN",
            Self::MessagesWrite => "MESSAGES_WRITE",
            Self::Operator => "OPERATOR",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name of no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope: expected DIGEST_READ, DIGEST_ADMIN, MESSAGES_WRITE or OPERATOR")]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A set of scopes by a name that people know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but what tells of the pipeline itself.
    Admin,
    /// Reads, and sends messages.
    Member,
    /// Reads.
    Viewer,
}

impl Role {
    /// All of them, from most to least.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// What it may do.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Owner => &Scope::ALL,
            Self::Admin => &[Scope::DigestRead, Scope::DigestAdmin, Scope::MessagesWrite],
            Self::Member => &[Scope::DigestRead, Scope::MessagesWrite],
            Self::Viewer => &[Scope::DigestRead],
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| "expected owner, admin, member or viewer".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_next_one_may() {
        for pair in Role::ALL.windows(2) {
            assert!(pair[1].scopes().iter().all(|scope| pair[0].scopes().contains(scope)), "{pair:?}");
            assert!(pair[0].scopes().len() > pair[1].scopes().len(), "{pair:?}");
        }
    }

    #[test]
    fn names_are_read_back_and_others_refused() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("digest_read".parse::<Scope>().is_err() && "root".parse::<Role>().is_err());
    }
}
