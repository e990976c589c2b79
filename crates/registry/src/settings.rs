//! One registry's settings for `schema_registry_converter`, and its errors in the words of ours.
//!
//! Invariant: each settings has one address. The crate asks the next of its addresses after every failure, an answer
//! such as "no such schema" included; whom to ask next is decided by [`crate::Client`].

use crate::{
    Error, Options,
    address::Address,
    error::{Cause, ErrorBody, Peer},
};
use reqwest::{StatusCode, header};
use schema_registry_converter::{
    async_impl::schema_registry::SrSettings, error::SRCError, schema_registry_common::RawError,
};
use secrecy::{ExposeSecret, SecretString};
use std::{error::Error as _, time::Duration};

/// What requests accept and carry.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How the crate begins to tell an answer that is an error; the number follows.
const ANSWERED: &str = "HTTP request to schema registry failed with status ";

/// The HTTP client of all requests, the crate's and ours.
pub(crate) fn http(options: &Options) -> Result<reqwest::ClientBuilder, Error> {
    let accepted = (header::ACCEPT, header::HeaderValue::from_static(MEDIA_TYPE));
    Ok(reqwest::Client::builder()
        .timeout(options.timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
        .default_headers([accepted].into_iter().collect())
        .tls_certs_merge(options.authorities()?))
}

/// The crate's settings for an address, with the user that the options or the address name.
pub(crate) fn settings(
    options: &Options,
    address: &Address,
    user: Option<(&str, Option<&SecretString>)>,
) -> Result<SrSettings, Error> {
    let root = address.base.as_str().trim_end_matches('/');
    let mut builder = SrSettings::new_builder(root.to_owned());
    if let Some((name, password)) = user {
        builder.set_basic_authorization(name, password.map(ExposeSecret::expose_secret));
    }
    builder.set_timeout(options.timeout).build_with(http(options)?).map_err(|error| Error::Unreachable {
        address: address.base.to_string(),
        source: Cause::of(error.source().unwrap_or(&error)),
    })
}

/// What an error of the crate says, told apart as the errors of our own requests are.
pub(crate) fn told(peer: &Peer<'_>, what: &str, error: &SRCError) -> Error {
    let not_the_api =
        |source| Error::Answer { what: what.to_owned(), address: peer.address.to_owned(), source };
    let Some(source) = error.source() else {
        // An answer without what was asked for, told in words alone.
        return not_the_api(Cause::text(error.error.clone()));
    };
    if let Some(http) = source.downcast_ref::<reqwest::Error>() {
        return if http.is_decode() { not_the_api(Cause::of(http)) } else { Error::unanswered(peer, http) };
    }
    match (status(&error.error), source.downcast_ref::<RawError>()) {
        (Some(status), Some(raw)) => Error::answered(peer, what, status, body(status, raw)),
        _ => not_the_api(Cause::of(error)),
    }
}

fn status(text: &str) -> Option<StatusCode> {
    let number = text.strip_prefix(ANSWERED)?.get(..3)?;
    StatusCode::from_bytes(number.as_bytes()).ok()
}

/// A body that is not the API's has the code 0, which the crate gives it, and words of the crate's own.
fn body(status: StatusCode, raw: &RawError) -> ErrorBody {
    if raw.error_code == 0 {
        return ErrorBody::of_status(status);
    }
    ErrorBody { error_code: i64::from(raw.error_code), message: raw.message.clone() }
}
