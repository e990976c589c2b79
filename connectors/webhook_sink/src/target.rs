//! The names of targets in the ledger: `tenant` for the webhook of all groups, `group/GROUP` for one of a group's own.
//!
//! Invariant: two webhooks of a tenant have two names.

const OF_TENANT: &str = "tenant";
const OF_GROUP: &str = "group/";

/// The name of a webhook in the ledger; an empty group is all of a tenant's.
pub fn name(group_id: &str) -> String {
    if group_id.is_empty() { OF_TENANT.to_owned() } else { format!("{OF_GROUP}{group_id}") }
}

/// The group of a name; empty for all of them.
pub(crate) fn group(name: &str) -> &str {
    name.strip_prefix(OF_GROUP).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_one_webhook() {
        for group_id in ["", "team", "tenant", "group/a", "a/b"] {
            assert_eq!(group(&name(group_id)), group_id);
        }
    }
}
