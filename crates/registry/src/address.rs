//! The registry's address, with the credentials taken out so that no message can carry them.

use crate::Error;
use reqwest::Url;
use secrecy::SecretString;

/// An address and the credentials that were in it.
pub(crate) struct Address {
    /// Without credentials.
    pub(crate) base: Url,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<SecretString>,
}

impl Address {
    /// The addresses of a list, parted by commas as clients of Kafka write it. A comma with no scheme after it belongs to
    /// an address, such as one in a password. There is at least one.
    pub(crate) fn parse_all(addresses: &str) -> Result<Vec<Self>, Error> {
        let mut parts: Vec<String> = Vec::new();
        for part in addresses.split(',') {
            let begins = ["http://", "https://"].iter().any(|scheme| part.trim_start().starts_with(scheme));
            match parts.last_mut() {
                Some(last) if !begins => *last = format!("{last},{part}"),
                _ => parts.push(part.to_owned()),
            }
        }
        parts.iter().map(|address| Self::parse(address.trim())).collect()
    }

    pub(crate) fn parse(address: &str) -> Result<Self, Error> {
        let invalid = |reason: String| Error::Address { address: without_credentials(address), reason };
        let mut base = Url::parse(address).map_err(|error| invalid(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid("expected http:// or https://".to_owned()));
        }
        let username = Some(base.username()).filter(|user| !user.is_empty()).map(percent_decoded);
        let password = base.password().map(|password| SecretString::from(percent_decoded(password)));
        // Both setters fail only for addresses without a host, which http and https never are.
        if base.set_username("").and_then(|()| base.set_password(None)).is_err() {
            return Err(invalid("it cannot carry credentials".to_owned()));
        }
        Ok(Self { base, username, password })
    }
}

fn without_credentials(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(_, host)| host).to_owned()
}

/// Undoes percent-encoding; what is not a valid escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape =
            (first == b'%').then(|| tail.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_addresses_without_telling_the_password() {
        for address in ["localhost:8081", "ftp://ann:secret@host", "", "http://", "http://ann:secret@"] {
            let error = Address::parse(address).err().map(|error| error.to_string()).expect("not an address");
            assert!(error.starts_with("could not use "), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_list_is_parted_where_an_address_begins() {
        let bases = |text| {
            let addresses = Address::parse_all(text).expect("addresses");
            addresses.iter().map(|address| address.base.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(bases("http://one:1/a, https://two"), ["http://one:1/a", "https://two/"]);
        assert_eq!(bases("http://ann:p,w@one"), ["http://one/"]);
        let error = Address::parse_all("http://one,http://").err().map(|error| error.to_string());
        let error = error.expect("no address");
        assert!(error.starts_with("could not use \"http://\" as the address"), "{error}");
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(percent_decoded("a%20b%zz%4"), "a b%zz%4");
        assert_eq!(percent_decoded("100%"), "100%");
    }
}
