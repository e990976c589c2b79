//! The settings of one client, in one ordered map.
//!
//! Invariants: the last word on a property holds, under whichever of its names it was given; no setting passes through
//! `ClientConfig::config_map`, whose values are sanitised: passwords would be replaced by a placeholder.

use crate::{Properties, aliases::canonical, secrets};
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};
use std::{collections::BTreeMap, fmt};

/// Settings of one client.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a property, over what was set before.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.0.insert(canonical(name).to_owned(), value.into());
        self
    }

    /// Sets several.
    pub fn set_all(&mut self, pairs: &[(&str, &str)]) -> &mut Self {
        for (name, value) in pairs {
            self.set(name, *value);
        }
        self
    }

    /// Lays an operator's properties over what was set before.
    pub fn overlay(&mut self, properties: &Properties) -> &mut Self {
        for (name, value) in &properties.0 {
            self.set(name, value);
        }
        self
    }

    /// The settings of a client whose context hears [`Complaints`](crate::Complaints): some reasons for which a broker
    /// closes a connection are no errors to librdkafka, and are told at the level that this sets.
    pub fn listening(self) -> ClientConfig {
        let mut config = ClientConfig::from(self);
        config.set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// The value of a property; none when nobody set it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(canonical(name)).map(String::as_str)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &str, value: &str| {
            if secrets::is_harmless(name) { value.to_owned() } else { secrets::REDACTED.to_owned() }
        };
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, shown(name, value)))).finish()
    }
}

impl From<Settings> for ClientConfig {
    fn from(settings: Settings) -> Self {
        settings.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_reaches_the_client() {
        let properties = Properties::from_pairs([("sasl.password", "hunter2"), ("ssl.key.password", "p;w")]);
        let mut settings = Settings::new();
        settings.overlay(&properties);
        let config = ClientConfig::from(settings);
        assert_eq!(config.get("sasl.password"), Some("hunter2"));
        assert_eq!(config.get("ssl.key.password"), Some("p;w"));
    }

    #[test]
    fn the_last_word_holds_under_whichever_name() {
        let mut settings = Settings::new();
        settings.overlay(&Properties::from_pairs([("request.required.acks", "0")])).set("acks", "all");
        assert_eq!(settings.get("request.required.acks"), Some("all"));
        assert_eq!(settings.0.len(), 1);
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut settings = Settings::new();
        settings.set("sasl.username", "ann").set("sasl.password", "hunter2");
        assert_eq!(format!("{settings:?}"), r#"{"sasl.password": "[redacted]", "sasl.username": "ann"}"#);
    }
}
