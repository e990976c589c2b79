//! Deliveries that wait for an operator: nothing stands still for them, so that nobody hears of them otherwise.

use super::{Check, Error, Level, Peers};
use runtime::Config;

const NAME: &str = "deliveries";

/// Says what waits; where nothing does, only to those who deliver to people.
pub(super) fn check(config: &Config, peers: &Peers) -> Option<Check> {
    match waiting(peers) {
        Ok(waiting) if waiting.iter().all(Waiting::is_nothing) => {
            let finding = "none is unknown, and no target is disabled";
            config.telegram.token.is_some().then(|| Check::ok(NAME, finding))
        }
        Ok(waiting) => Some(judged(&waiting)),
        // That the database is away or not migrated is said by its own check.
        Err(_) => None,
    }
}

/// What waits of a tenant.
#[derive(Debug)]
struct Waiting {
    tenant_id: String,
    unknown: usize,
    disabled: usize,
}

impl Waiting {
    fn is_nothing(&self) -> bool {
        self.unknown + self.disabled == 0
    }
}

fn waiting(peers: &Peers) -> Result<Vec<Waiting>, Error> {
    let store = &peers.store;
    let mut found = Vec::new();
    for tenant_id in peers.wait(store.tenants())? {
        let unknown = peers.wait(store.unknown_deliveries(&tenant_id))?.len();
        let disabled = peers.wait(store.disabled_targets(&tenant_id))?.len();
        found.push(Waiting { tenant_id, unknown, disabled });
    }
    Ok(found)
}

fn judged(waiting: &[Waiting]) -> Check {
    let of = |waiting: &Waiting| {
        format!("{}: {} unknown, {} targets disabled", waiting.tenant_id, waiting.unknown, waiting.disabled)
    };
    let tenants: Vec<&Waiting> = waiting.iter().filter(|waiting| !waiting.is_nothing()).collect();
    let finding: Vec<String> = tenants.iter().map(|waiting| of(waiting)).collect();
    let commands: Vec<String> = tenants
        .iter()
        .map(|waiting| format!("`gistmill delivery ls --tenant {}`", waiting.tenant_id))
        .collect();
    let advice = format!("{} lists them and says how to settle them", commands.join(", "));
    Check::bad(NAME, Level::Warn, finding.join("; "), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told_by_tenant_with_the_command_that_lists_it() {
        let of = |tenant_id: &str, unknown, disabled| Waiting {
            tenant_id: tenant_id.to_owned(),
            unknown,
            disabled,
        };
        let check = judged(&[of("acme", 2, 0), of("beta", 0, 0), of("gamma", 0, 1)]);
        assert_eq!(check.level, Level::Warn);
        assert_eq!(
            check.finding,
            "acme: 2 unknown, 0 targets disabled; gamma: 0 unknown, 1 targets disabled"
        );
        let advice = "`gistmill delivery ls --tenant acme`, `gistmill delivery ls --tenant gamma` lists them and says \
                      how to settle them";
        assert_eq!(check.advice.as_deref(), Some(advice));
    }
}
