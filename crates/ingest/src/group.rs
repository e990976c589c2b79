//! Whose messages they are.

const NAME_BYTES_MAX: usize = 128;

/// A name that would not survive as a part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} is not usable: give 1 to 128 letters, digits or any of . _ - : @ +")]
pub struct BadName {
    /// Whose name.
    pub what: &'static str,
    /// The name.
    pub name: String,
}

/// A group of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    tenant_id: String,
    group_id: String,
}

impl Group {
    /// A group of a tenant; both names become parts of the Kafka key.
    pub fn new(tenant_id: &str, group_id: &str) -> Result<Self, BadName> {
        Ok(Self { tenant_id: check_name("tenant", tenant_id)?, group_id: check_name("group", group_id)? })
    }

    /// Tenant that owns the group.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// Group inside the tenant.
    pub fn group_id(&self) -> &str {
        &self.group_id
    }

    /// A stable name of something that is read into this group.
    pub fn identity(&self, kind: &str, what: &str) -> String {
        format!("{kind}/{}/{}/{what}", self.tenant_id, self.group_id)
    }
}

/// The name, if it can be part of a key; `what` says whose it is.
pub fn check_name(what: &'static str, name: &str) -> Result<String, BadName> {
    let is_usable = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '@' | '+');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_usable) {
        return Err(BadName { what, name: name.to_owned() });
    }
    Ok(name.to_owned())
}
