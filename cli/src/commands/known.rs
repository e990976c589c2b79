//! Whether something is stored of a tenant and a group: a listing that is empty says so where the name is a slip.

use state::{GroupCount, Store};

use crate::printing::printable;

/// Names that a message lists.
const NAMES_SHOWN: usize = 10;

/// That nothing is stored of a tenant or a group, with the names there are; none where something is.
pub(super) async fn unknown(
    store: &Store,
    tenant: &str,
    group: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let tenants = store.tenants().await?;
    if !tenants.iter().any(|known| known == tenant) {
        return Ok(Some(told(&format!("tenant {}", printable(tenant)), "tenants", &tenants)));
    }
    let Some(group) = group else { return Ok(None) };
    let groups = store.message_counts(tenant).await?;
    let names: Vec<String> = groups.into_iter().map(|GroupCount { group_id, .. }| group_id).collect();
    if names.iter().any(|known| known == group) {
        return Ok(None);
    }
    Ok(Some(told(&format!("group {} of tenant {tenant}", printable(group)), "groups", &names)))
}

fn told(what: &str, kind: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!(
            "nothing is stored of {what}, nor of any other; `gistmill lag` shows what is on its way"
        );
    }
    let shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| printable(name)).collect();
    let more = match names.len().saturating_sub(NAMES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("nothing is stored of {what}; {kind} with messages: {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_told_with_those_there_are() {
        let names: Vec<String> = ["acme", "globex"].map(str::to_owned).to_vec();
        assert_eq!(
            told("tenant acmee", "tenants", &names),
            "nothing is stored of tenant acmee; tenants with messages: acme, globex"
        );
        let many: Vec<String> = (0..12).map(|n| format!("g{n}")).collect();
        assert!(told("group x", "groups", &many).ends_with("g8, g9 and 2 more"));
        assert!(told("tenant a", "tenants", &[]).contains("nor of any other"));
    }
}
