//! The client's side of SCRAM (RFC 5802, RFC 7677), without channel binding, as Kafka has it.

use super::Mechanism;
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use std::num::NonZeroU32;

/// RFC 5802 wants at least 4,096; a server that names a number of this size would only keep this client busy.
const ITERATIONS_MAX: u32 = 10_000_000;
/// "n,,": no channel binding, nobody else's behalf.
const HEADER: &str = "n,,";

/// A conversation that has begun.
pub(super) struct Scram {
    algorithms: (hmac::Algorithm, pbkdf2::Algorithm, &'static digest::Algorithm),
    password: String,
    nonce: String,
    /// The client's first message without the header.
    first: String,
}

impl Scram {
    /// None for a mechanism that is not SCRAM.
    pub(super) fn new(mechanism: Mechanism, username: &str, password: &str, nonce: &str) -> Option<Self> {
        let algorithms = match mechanism {
            Mechanism::Plain => return None,
            Mechanism::ScramSha256 => (hmac::HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA256, &digest::SHA256),
            Mechanism::ScramSha512 => (hmac::HMAC_SHA512, pbkdf2::PBKDF2_HMAC_SHA512, &digest::SHA512),
        };
        let name = username.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={name},r={nonce}");
        Some(Self { algorithms, password: password.to_owned(), nonce: nonce.to_owned(), first })
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("{HEADER}{}", self.first)
    }

    /// The answer to the server's first message, and what the server has to answer to that.
    pub(super) fn last(&self, server_first: &str) -> Result<(String, String), String> {
        let field = |name: &str| {
            let found = server_first.split(',').find_map(|field| field.strip_prefix(name));
            found.ok_or_else(|| format!("the broker's challenge has no {name}"))
        };
        let nonce = field("r=")?;
        if !nonce.starts_with(&self.nonce) {
            return Err("the broker's challenge is for somebody else".to_owned());
        }
        let salt = BASE64.decode(field("s=")?).map_err(|_| "the broker's salt is not base64".to_owned())?;
        let iterations = field("i=")?.parse().ok().filter(|count| *count <= ITERATIONS_MAX);
        let iterations =
            iterations.and_then(NonZeroU32::new).ok_or("the broker's challenge has no usable i=")?;
        let without_proof = format!("c={},r={nonce}", BASE64.encode(HEADER));
        let signed = format!("{},{server_first},{without_proof}", self.first);
        let (proof, signature) = self.sign(&salt, iterations, &signed);
        Ok((format!("{without_proof},p={}", BASE64.encode(proof)), format!("v={}", BASE64.encode(signature))))
    }

    /// The client's proof and the server's signature.
    fn sign(&self, salt: &[u8], iterations: NonZeroU32, signed: &str) -> (Vec<u8>, Vec<u8>) {
        let (algorithm, derivation, digest) = self.algorithms;
        let mut salted = vec![0; digest.output_len()];
        pbkdf2::derive(derivation, iterations, salt, self.password.as_bytes(), &mut salted);
        let keyed = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(algorithm, key), text);
        let client_key = keyed(&salted, b"Client Key");
        let stored_key = digest::digest(digest, client_key.as_ref());
        let client_signature = keyed(stored_key.as_ref(), signed.as_bytes());
        let proof = client_key.as_ref().iter().zip(client_signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server_key = keyed(&salted, b"Server Key");
        (proof, keyed(server_key.as_ref(), signed.as_bytes()).as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_rfcs_example_is_reproduced() {
        let scram =
            Scram::new(Mechanism::ScramSha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO").expect("scram");
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server_first =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let expected = (
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
                .to_owned(),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".to_owned(),
        );
        assert_eq!(scram.last(server_first), Ok(expected));
    }

    #[test]
    fn a_challenge_that_is_wrong_is_not_answered() {
        let scram = Scram::new(Mechanism::ScramSha512, "a=b,c", "p", "abc").expect("scram");
        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=abc");
        let refusal = |text: &str| scram.last(text).expect_err("refused");
        assert_eq!(refusal("r=xyz,s=AA==,i=4096"), "the broker's challenge is for somebody else");
        assert_eq!(refusal("r=abcd,s=*,i=4096"), "the broker's salt is not base64");
        for text in ["r=abcd,s=AA==,i=0", "r=abcd,s=AA==,i=99999999999", "r=abcd,s=AA==,i=20000000"] {
            assert_eq!(refusal(text), "the broker's challenge has no usable i=");
        }
        assert_eq!(refusal("e=other-error"), "the broker's challenge has no r=");
        assert!(Scram::new(Mechanism::Plain, "a", "b", "c").is_none());
    }
}
