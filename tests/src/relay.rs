//! Something between a client and its peer that can fall silent: connections stay open, and nothing comes through.

use anyhow::Context;
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Time between two looks at whether it speaks again.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A relay on a port of its own, for as long as the process lives.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    is_silent: Arc<AtomicBool>,
}

impl Relay {
    /// Relays to `peer`, as `host:port`.
    ///
    /// # Errors
    /// The system has no port or no thread.
    pub fn to(peer: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("could not find a port")?;
        let address = listener.local_addr()?;
        let is_silent = Arc::new(AtomicBool::new(false));
        let (peer, silent) = (peer.to_owned(), Arc::clone(&is_silent));
        thread::Builder::new().name("relay".to_owned()).spawn(move || {
            for client in listener.incoming().flatten() {
                if let Err(error) = join(client, &peer, &silent) {
                    eprintln!("relay to {peer}: {error:#}");
                }
            }
        })?;
        Ok(Self { address, is_silent })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nothing through, or all that waits and what comes.
    pub fn fall_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }
}

/// Joins a client with the peer, one thread each way.
fn join(client: TcpStream, peer: &str, is_silent: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let server = TcpStream::connect(peer).context("could not reach the peer")?;
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        let is_silent = Arc::clone(is_silent);
        thread::Builder::new().name("relay".to_owned()).spawn(move || pass_on(from, to, &is_silent))?;
    }
    Ok(())
}

/// Passes on until one side has ended.
fn pass_on(mut from: TcpStream, mut to: TcpStream, is_silent: &AtomicBool) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while is_silent.load(Ordering::Relaxed) {
            thread::park_timeout(LOOK_INTERVAL);
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    to.shutdown(Shutdown::Both).unwrap_or_default();
}
