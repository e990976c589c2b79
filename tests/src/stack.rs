//! The stack that tests run on, as the environment names it.

use std::path::PathBuf;

/// Addresses of a stack and the binary under test.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Kafka's bootstrap servers.
    pub brokers: String,
    /// Root of the registry's Confluent API.
    pub registry_url: String,
    /// Postgres as the application role.
    pub postgres_url: String,
    /// Postgres as the owner of the schemas.
    pub owner_url: String,
    /// The `gistmill` under test.
    pub binary: PathBuf,
    /// How to log in, as further variables; none on an open stack.
    pub log_in: Vec<(String, String)>,
}

impl Stack {
    /// The stack of `GISTMILL_KAFKA__BROKERS` and its neighbours; `None`, said on standard error, where one is missing.
    pub fn from_environment() -> Option<Self> {
        Some(Self {
            brokers: variable("GISTMILL_KAFKA__BROKERS")?,
            registry_url: variable("GISTMILL_REGISTRY__URL")?,
            postgres_url: variable("GISTMILL_POSTGRES__URL")?,
            owner_url: variable("GISTMILL_POSTGRES__OWNER_URL")?,
            binary: variable("TEST_GISTMILL_BINARY")?.into(),
            log_in: Vec::new(),
        })
    }

    /// The variables that point a `gistmill` at this stack.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let addresses = [
            ("GISTMILL_KAFKA__BROKERS", self.brokers.as_str()),
            ("GISTMILL_REGISTRY__URL", &self.registry_url),
            ("GISTMILL_POSTGRES__URL", &self.postgres_url),
            ("GISTMILL_POSTGRES__OWNER_URL", &self.owner_url),
        ];
        addresses.into_iter().chain(self.log_in.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests are pointed at a stack through the environment")]
    let value = std::env::var(name).ok();
    if value.is_none() {
        eprintln!("skipped: {name} is not set");
    }
    value
}
