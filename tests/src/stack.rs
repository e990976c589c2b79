//! The stack that tests run on, as the environment names it.

use crate::Properties;
use kafka_admin::Cluster;
use rdkafka::ClientConfig;
use registry::{Client, Options};
use std::{collections::BTreeMap, path::PathBuf};

/// Variables by which a secured stack is logged in to.
const LOG_IN: [&str; 4] =
    ["GISTMILL_KAFKA__PROPERTIES", "GISTMILL_REGISTRY__USERNAME", "GISTMILL_REGISTRY__PASSWORD", CA_LOCATION];
const CA_LOCATION: &str = "GISTMILL_REGISTRY__CA_LOCATION";

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
            log_in: LOG_IN.iter().filter_map(|name| Some(((*name).to_owned(), given(name)?))).collect(),
        })
    }

    /// Settings of a Kafka client of this stack, with its log-in.
    pub fn client(&self) -> ClientConfig {
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &self.brokers);
        settings.extend(self.properties());
        settings
    }

    /// A connection to this stack's brokers, with its log-in.
    ///
    /// # Errors
    /// No broker answers.
    pub fn cluster(&self) -> anyhow::Result<Cluster> {
        Ok(Cluster::connect(&self.brokers, &self.properties())?)
    }

    /// A client of this stack's registry, with its log-in.
    ///
    /// # Errors
    /// The log-in is none.
    pub fn registry(&self) -> anyhow::Result<Client> {
        let mut options = Options::new(&self.registry_url);
        options.username = self.logged_in("GISTMILL_REGISTRY__USERNAME");
        options.password = self.logged_in("GISTMILL_REGISTRY__PASSWORD").map(Into::into);
        options.ca_location = self.logged_in(CA_LOCATION);
        Ok(Client::new(options)?)
    }

    /// Whether clients have to log in here, which programs as the documents show them do not; said on standard error.
    pub fn skips_foreign_clients(&self) -> bool {
        if !self.log_in.is_empty() {
            eprintln!("skipped: the programs of the documents do not log in");
        }
        !self.log_in.is_empty()
    }

    fn properties(&self) -> BTreeMap<String, String> {
        Properties::of(self).map(Properties::into_map).unwrap_or_default()
    }

    fn logged_in(&self, name: &str) -> Option<String> {
        self.log_in.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
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

fn given(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests are pointed at a stack through the environment")]
    std::env::var(name).ok()
}

fn variable(name: &str) -> Option<String> {
    let value = given(name);
    if value.is_none() {
        eprintln!("skipped: {name} is not set");
    }
    value
}
