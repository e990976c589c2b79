//! Signatures of requests after Standard Webhooks (specification 1.0): HMAC with SHA-256 over `ID.TIMESTAMP.BODY`.
//!
//! Invariant: a secret is shown by no debug output and no error.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// What every secret begins with.
pub(crate) const PREFIX: &str = "whsec_";
/// Bytes of a secret: what the specification allows.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret of a webhook is whsec_ and 24 to 64 bytes in base64")]
pub struct SignError;

/// The secrets that hold.
pub struct Signer(Vec<hmac::Key>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.0.len()).finish()
    }
}

impl Signer {
    /// Takes secrets, the newest first.
    ///
    /// # Errors
    /// One is none.
    pub fn new(secrets: &[SecretString]) -> Result<Self, SignError> {
        secrets.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The value of `webhook-signature`: one signature for each secret. `timestamp` is in seconds.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let sign = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            context.update(format!("{id}.{timestamp}.").as_bytes());
            context.update(body);
            format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
        };
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

fn key(secret: &SecretString) -> Result<hmac::Key, SignError> {
    let text = secret.expose_secret().trim().strip_prefix(PREFIX).ok_or(SignError)?;
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| SignError)?;
    if !BYTES.contains(&bytes.len()) {
        return Err(SignError);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_published_example_is_signed_as_published() {
        let signer = Signer::new(&[SECRET.into()]).unwrap();
        let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_that_holds_signs() {
        let other = format!("whsec_{}", BASE64_STANDARD.encode([7; 32]));
        let both = Signer::new(&[other.clone().into(), SECRET.into()]).unwrap().sign("a", 1, b"{}");
        let one = |secret: &str| Signer::new(&[secret.into()]).unwrap().sign("a", 1, b"{}");
        assert_eq!(both, format!("{} {}", one(&other), one(SECRET)));
        assert!(!format!("{:?}", Signer::new(&[SECRET.into()])).contains("MfKQ"));
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for text in
            ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_*", "whsec_MfKQ9r8G KYqr"]
        {
            assert_eq!(Signer::new(&[text.into()]).err(), Some(SignError), "{text}");
        }
    }
}
