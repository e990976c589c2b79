//! Ends transactions that hang.
//!
//! Invariant: only what a look has just found is ended, and each as the operator was told.

use super::{Error, HangingTransaction};
use kafka_admin::{Finished, Hanging, Outcome, finish};
use runtime::{Config, observe::connect};

/// Ends transactions, each as told.
///
/// # Errors
/// The broker is away, or this client may not write markers: it takes the permission `ClusterAction` on the cluster.
pub fn finish_transactions(
    config: &Config,
    wanted: &[(HangingTransaction, Outcome)],
) -> Result<Vec<Finished>, Error> {
    let wanted: Vec<(Hanging, Outcome)> =
        wanted.iter().map(|(transaction, outcome)| (transaction.hanging.clone(), *outcome)).collect();
    Ok(finish(&mut connect(config)?, &wanted)?)
}
