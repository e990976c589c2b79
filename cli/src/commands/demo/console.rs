//! The console over the demo's digests, for as long as somebody looks at it.
//!
//! Invariant: it listens where the settings say, or on a free port of this machine; its key ends with the day.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use anyhow::Context;
use gateway::Role;
use runtime::{Config, Host};
use state::Store;

use super::{TENANT, pages::heading};
use crate::commands::gateway::{Wanted, mint};

/// Says where the console is and which key opens it, and serves it until it is interrupted.
pub(super) fn serve(
    config: &Config,
    (store, host): (&Store, &Host),
    operator: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let wanted = Wanted { tenant: TENANT, name: "demo", scopes: Role::Owner.scopes(), days: Some(1) };
    let key = host.block_on(mint(store, &wanted, operator))?;
    let mut config = config.clone();
    config.gateway.listen = free(config.gateway.listen)?;
    writeln!(out, "\n{}", heading("The console"))?;
    writeln!(out, "  http://{}/console", config.gateway.listen)?;
    writeln!(out, "  {}  opens it for a day", key.text)?;
    writeln!(out, "  Ctrl-C ends the demo; its data stays")?;
    out.flush()?;
    Ok(gateway::run(config)?)
}

/// The address, if nobody listens there; else a free port of this machine.
fn free(wanted: SocketAddr) -> anyhow::Result<SocketAddr> {
    if TcpListener::bind(wanted).is_ok() {
        return Ok(wanted);
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.context("could not find a free port for the console")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_left_to_whoever_has_it() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = taken.local_addr().unwrap();
        assert_ne!(free(address).unwrap().port(), address.port());
        drop(taken);
        assert_eq!(free(address).unwrap(), address);
    }
}
