//! Says to a broker who this client is (SASL), before anything else is asked.

use super::{Login, Mechanism, scram::Scram};
use crate::{Error, connection::Connection};
use aws_lc_rs::rand::{self, SystemRandom};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use kafka_protocol::{
    ResponseError,
    messages::{SaslAuthenticateRequest, SaslHandshakeRequest},
    protocol::StrBytes,
};

/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

pub(super) fn log_in(connection: &mut Connection, login: &Login) -> Result<(), Error> {
    let refused = |connection: &Connection, why: String| Error::Login {
        address: connection.address().to_owned(),
        username: login.username.clone(),
        why,
    };
    let mechanism = login.mechanism.name();
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let answer = connection.call(&handshake)?;
    if answer.error_code != 0 {
        let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
        let why = format!("it does not take {mechanism}, but {}", offered.join(", "));
        return Err(refused(connection, why));
    }
    let nonce = nonce().map_err(|why| refused(connection, why))?;
    match Scram::new(login.mechanism, &login.username, &login.password, &nonce) {
        None => {
            debug_assert_eq!(login.mechanism, Mechanism::Plain);
            let said = format!("\0{}\0{}", login.username, login.password);
            say(connection, said.into_bytes(), login).map(drop)
        }
        Some(scram) => {
            let challenge = say(connection, scram.first().into_bytes(), login)?;
            let (last, signature) = scram.last(&challenge).map_err(|why| refused(connection, why))?;
            if say(connection, last.into_bytes(), login)? == signature {
                return Ok(());
            }
            Err(refused(
                connection,
                "the broker does not know the password either: it is another one".to_owned(),
            ))
        }
    }
}

/// One message and its answer.
fn say(connection: &mut Connection, message: Vec<u8>, login: &Login) -> Result<String, Error> {
    let answer = connection.call(&SaslAuthenticateRequest::default().with_auth_bytes(message.into()))?;
    let Some(code) = ResponseError::try_from_code(answer.error_code) else {
        return Ok(String::from_utf8_lossy(&answer.auth_bytes).into_owned());
    };
    let why = answer.error_message.map_or_else(|| code.to_string(), |why| why.as_str().to_owned());
    Err(Error::Login { address: connection.address().to_owned(), username: login.username.clone(), why })
}

fn nonce() -> Result<String, String> {
    let mut bytes = [0; NONCE_BYTES];
    rand::SecureRandom::fill(&SystemRandom::new(), &mut bytes)
        .map_err(|_| "the system has no random numbers".to_owned())?;
    Ok(STANDARD_NO_PAD.encode(bytes))
}
