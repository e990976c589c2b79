//! Kafka and the registry of `topology plan` and `apply`.
//!
//! Invariant: what no flag says is the configuration's, so that the map is applied to the broker that all other commands
//! talk to.

use clap::Args;
use runtime::Config;
use topology::{Prefix, broker::Options};

use crate::settings::Settings;

/// Kafka and the registry, and how to treat them.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Kafka's address. Default: the configuration's
    #[arg(long, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// The schema registry's address. Default: the configuration's
    #[arg(long, value_name = "URL")]
    registry_url: Option<String>,
    /// Put before the names of topics and groups. Default: the configuration's
    #[arg(long, value_name = "NAME")]
    prefix: Option<Prefix>,
    /// A librdkafka property, such as `security.protocol=SASL_SSL`, over those of the configuration; may be repeated
    #[arg(long = "kafka-property", value_name = "NAME=VALUE", value_parser = property)]
    properties: Vec<(String, String)>,
    /// Replicas of new topics; -1 leaves it to the broker
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    replication_factor: i32,
    /// Let the map shorten the retention of topics, which deletes records
    #[arg(long)]
    lower_retention: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Target {
    /// The configuration with the flags over it.
    pub(super) fn options(&self, settings: &Settings) -> anyhow::Result<Options> {
        Ok(self.over(&settings.config()?))
    }

    fn over(&self, config: &Config) -> Options {
        let brokers = self.brokers.as_deref().unwrap_or(&config.kafka.brokers);
        let mut registry = config.registry_options();
        if let Some(url) = &self.registry_url {
            registry.url = url.clone().into();
        }
        let mut options = Options::new(brokers, registry);
        options.prefix = self.prefix.as_ref().unwrap_or(&config.prefix).clone();
        options.properties.clone_from(&config.kafka.properties);
        options.properties.0.extend(self.properties.iter().cloned());
        options.replication_factor = self.replication_factor;
        options.lower_retention = self.lower_retention;
        options
    }
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "expected NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn options(flags: &[&str]) -> Options {
        let mut config = Config::default()
            .at("file:1", "http://file/", "postgres://file/gistmill")
            .expect("a configuration");
        config.prefix = "file".parse().expect("a prefix");
        let properties = [("security.protocol", "SSL"), ("client.id", "file")];
        config.kafka.properties.0 =
            properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        Line::<Target>::parse_from(["plan"].iter().chain(flags)).arguments.over(&config)
    }

    #[test]
    fn what_no_flag_says_is_the_configurations() {
        let options = options(&[]);
        assert_eq!((options.brokers.as_str(), options.prefix.as_str()), ("file:1", "file"));
        assert_eq!(options.properties.0["security.protocol"], "SSL");
    }

    #[test]
    fn flags_come_before_the_configuration() {
        let options =
            options(&["--brokers", "flag:1", "--prefix", "flag", "--kafka-property", "client.id=flag"]);
        assert_eq!((options.brokers.as_str(), options.prefix.as_str()), ("flag:1", "flag"));
        let properties: Vec<_> = options.properties.0.values().map(String::as_str).collect();
        assert_eq!(properties, ["flag", "SSL"]);
    }

    #[test]
    fn properties_are_pairs() {
        assert_eq!(property("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert_eq!(property("a"), Err("expected NAME=VALUE".to_owned()));
    }
}
