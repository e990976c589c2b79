//! Stands for `security` in a build without it: brokers that want neither encryption nor a login.

use crate::{
    Error,
    connection::{Connection, Stream},
};
use std::{collections::BTreeMap, io, net::TcpStream};

/// Nothing lies between this client and the broker's protocol.
#[derive(Debug, Default)]
pub(crate) struct Security {}

#[expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the build with security can fail, and has a state"
)]
impl Security {
    /// Refuses every other protocol.
    pub(crate) fn of(properties: &BTreeMap<String, String>) -> Result<Self, Error> {
        match properties.get("security.protocol") {
            Some(protocol) if !protocol.eq_ignore_ascii_case("plaintext") => {
                let why = format!("{protocol} is not built in here");
                Err(Error::Setting { setting: "security.protocol", why })
            }
            _ => Ok(Self {}),
        }
    }

    pub(crate) fn stream(&self, stream: TcpStream, _: &str) -> Result<Box<dyn Stream>, Error> {
        Ok(Box::new(stream))
    }

    pub(crate) fn log_in(&self, _: &mut Connection) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn lost(address: String, source: io::Error) -> Error {
        Error::Away { address, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_that_is_not_built_in_is_refused_before_anything_is_sent() {
        let properties = BTreeMap::from([("security.protocol".to_owned(), "SASL_SSL".to_owned())]);
        let error = Security::of(&properties).expect_err("refused").to_string();
        assert_eq!(error, "could not use security.protocol: SASL_SSL is not built in here");
    }
}
