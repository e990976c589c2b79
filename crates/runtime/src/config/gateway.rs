//! Settings of the HTTP door, with their defaults.

use garde::Validate;
use serde::Deserialize;
use std::net::SocketAddr;

/// The HTTP door: `gistmill gateway run`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// Address that it listens on. Default: `127.0.0.1:8080`; TLS is a proxy's before it.
    #[garde(skip)]
    pub listen: SocketAddr,
    /// Requests of a key in a minute, at once or spread. Default: 100.
    #[garde(range(min = 1, max = 1_000_000))]
    pub rate_per_minute: u32,
    /// Largest body of a request in bytes. Default: 4 MiB.
    #[garde(range(min = 1_024, max = 64 << 20))]
    pub body_bytes_max: usize,
    /// Connections at once; more wait to be accepted. Default: 1,024.
    #[garde(range(min = 1, max = 65_536))]
    pub connections_max: usize,
    /// Longest time in s for the answer to a request to begin. Default: 30.
    #[garde(range(min = 1, max = 3_600))]
    pub request_timeout_s: u64,
    /// Longest time in s that requests get to end in once the process is asked to stop. Default: 10.
    #[garde(range(max = 3_600))]
    pub drain_s: u64,
    /// Listeners to `/api/v1/events` at once. Default: 100.
    #[garde(range(min = 1, max = 65_536))]
    pub listeners_max: usize,
    /// Origins whose pages may call it, with commas between them, such as `https://console.example.org`. Default: none.
    #[garde(skip)]
    pub cors_origins: String,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            rate_per_minute: 100,
            body_bytes_max: 4 << 20,
            connections_max: 1_024,
            request_timeout_s: 30,
            drain_s: 10,
            listeners_max: 100,
            cors_origins: String::new(),
        }
    }
}
