//! Properties handed through to librdkafka; secrets among them are never printed.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::{collections::BTreeMap, fmt};

/// librdkafka properties.
#[derive(Clone, Default)]
pub struct Properties(pub BTreeMap<String, String>);

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden =
            |key: &str| ["password", "secret", "jaas", "key.pem"].iter().any(|word| key.contains(word));
        f.debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, if hidden(key) { "[redacted]" } else { value })))
            .finish()
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Map(BTreeMap<String, String>),
            Text(String),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Map(map) => return Ok(Self(map)),
            Form::Text(text) => text,
        };
        let pairs = text.split([';', '\n']).map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| D::Error::custom(format!("expected key=value;key=value, found {pair:?}")))?;
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        };
        Ok(Self(pairs.map(pair).collect::<Result<_, D::Error>>()?))
    }
}
