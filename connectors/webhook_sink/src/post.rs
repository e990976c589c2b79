//! Requests to receivers.
//!
//! Invariant: a request goes to an address of the public internet, over TLS, and to no other that an answer names; unless the
//! settings let it. No proxy of the environment is asked, and no answer is read beyond its bound.

use crate::{
    answer::answer,
    public::{NotPublic, Resolver, judge},
    signature::Signer,
};
use courier::Answer;
use delivery::{Breaker, now_ms};
use http_reply::{read, told};
use reqwest::{Certificate, Client, Url, header::CONTENT_TYPE, redirect};
use runtime::{HostError, config::Webhook};
use std::{
    collections::BTreeMap,
    error::Error as _,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest request with its answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const URL_BYTES_MAX: usize = 2_000;
/// Why an address is left alone.
const LEFT_ALONE: &str =
    "the address failed five times in a row: it is asked once in a while until it answers";

/// Posts to receivers.
#[derive(Debug, Clone)]
pub struct Poster {
    client: Client,
    settings: Webhook,
    /// By address: of a host that serves many, one that fails holds up no other, which may be another tenant's.
    breakers: Arc<Mutex<BTreeMap<String, Breaker>>>,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The same each time that it is repeated.
    pub id: &'a str,
    /// The same each time that it is repeated.
    pub body: &'a str,
}

impl Poster {
    /// A client; touches no network.
    ///
    /// # Errors
    /// The settings name certificates that are none, or there is no way to speak TLS.
    pub fn new(settings: &Webhook) -> Result<Self, HostError> {
        let resolver = Resolver { allow_private: settings.allow_private }.shared();
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("gistmill/", env!("CARGO_PKG_VERSION")))
            .retry(reqwest::retry::never())
            .redirect(redirect::Policy::none())
            .no_proxy()
            // Who is judged is who is connected to, each time.
            .pool_max_idle_per_host(0)
            .dns_resolver(resolver);
        let builder = match &settings.ca_location {
            Some(path) => builder.tls_certs_merge(authorities(path)?),
            None => builder,
        };
        let client = builder.build().map_err(|error| unable(told(error)))?;
        Ok(Self { client, settings: settings.clone(), breakers: Arc::default() })
    }

    /// The address of a webhook, if one may be posted to.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, url: &str) -> Result<Url, String> {
        check_url(url, &self.settings)
    }

    /// Takes the right to one request to an address.
    ///
    /// # Errors
    /// How long it is left alone, and why.
    pub(crate) fn admit(&self, url: &Url) -> Result<(), (Duration, &'static str)> {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(breaker) = breakers.get_mut(url.as_str()) else { return Ok(()) };
        breaker.take(Instant::now()).map_err(|wait| (wait, LEFT_ALONE))
    }

    /// Posts once.
    pub async fn post(&self, url: Url, signer: &Signer, message: Message<'_>) -> Answer {
        let address = url.as_str().to_owned();
        let answer = self.post_once(url, signer, message).await;
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if is_fault(&answer) {
            breakers.entry(address).or_default().failed(Instant::now());
        } else {
            breakers.remove(&address);
        }
        answer
    }

    async fn post_once(&self, url: Url, signer: &Signer, message: Message<'_>) -> Answer {
        let timestamp = now_ms() / 1_000;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signer.sign(message.id, timestamp, message.body.as_bytes()))
            .body(message.body.to_owned());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return failed(error),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        // What cannot be read of an answer takes nothing from what its status says.
        let body = read(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
        answer((status, &headers), &body, now_ms())
    }
}

/// What an address has to be like.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(text: &str, settings: &Webhook) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no address: {error}"))?;
    match url.scheme() {
        "https" => {}
        "http" if settings.allow_insecure => {}
        "http" => return Err("it begins with http://, and only https:// is posted to".to_owned()),
        scheme => return Err(format!("it begins with {scheme}:, and only https:// is posted to")),
    }
    if text.len() > URL_BYTES_MAX {
        return Err(format!("it has more than {URL_BYTES_MAX} bytes"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a user or a password in it: requests are signed instead".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let (Ok(address), false) = (host.parse::<IpAddr>(), settings.allow_private) {
        judge(address).map_err(|error| error.to_string())?;
    }
    Ok(url)
}

/// An answer that the receiver has not given, or that tells of a fault of its own.
fn is_fault(answer: &Answer) -> bool {
    match answer {
        Answer::Lost { .. } => true,
        // What it asks for is no fault.
        Answer::NotYet { after, .. } => after.is_none(),
        Answer::Delivered | Answer::Refused(_) | Answer::Gone(_) => false,
    }
}

/// What a request came to that was not answered.
fn failed(error: reqwest::Error) -> Answer {
    if let Some(not_public) = not_public(&error) {
        return Answer::Refused(format!("nothing was posted: {not_public}"));
    }
    let was_sent = !error.is_connect() && !error.is_builder();
    let why = told(error);
    if was_sent { Answer::Lost { why, after: None } } else { Answer::NotYet { why, after: None } }
}

fn not_public(error: &reqwest::Error) -> Option<NotPublic> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<NotPublic>() {
            return Some(*found);
        }
        cause = error.source();
    }
    None
}

fn authorities(path: &str) -> Result<Vec<Certificate>, HostError> {
    let failed = |why: String| unable(format!("could not use webhook.ca_location {path}: {why}"));
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| failed(told(error)))?;
    if found.is_empty() { Err(failed("there is no certificate in it".to_owned())) } else { Ok(found) }
}

pub(crate) fn unable(why: String) -> HostError {
    HostError::Start { what: "post to webhooks", why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_https_and_of_the_public_internet() {
        let strict = Webhook::default();
        assert!(check_url("https://hooks.example.org/a?b=c", &strict).is_ok());
        assert!(check_url("https://hooks.example.org:8443/", &strict).is_ok());
        for url in [
            "",
            "hooks.example.org",
            "http://hooks.example.org/",
            "ftp://hooks.example.org/",
            "file:///etc/passwd",
            "https://user:secret@hooks.example.org/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/",
        ] {
            let refused = check_url(url, &strict);
            assert!(refused.is_err(), "{url}");
            assert!(!refused.unwrap_err().contains("secret"), "{url}");
        }
        assert!(check_url(&format!("https://a.example/{}", "x".repeat(2_000)), &strict).is_err());
        let insecure = Webhook { allow_insecure: true, ..Webhook::default() };
        assert!(check_url("http://hooks.example.org/", &insecure).is_ok());
        assert!(check_url("http://127.0.0.1/", &insecure).is_err());
        let open = Webhook { allow_insecure: true, allow_private: true, ..Webhook::default() };
        assert!(check_url("http://127.0.0.1:9/", &open).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_resolved() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let settings = Webhook { allow_insecure: true, ..Webhook::default() };
        let poster = Poster::new(&settings).unwrap();
        let signer = Signer::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()]).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let url = poster.check(&url).unwrap();
        let answer = poster.post(url.clone(), &signer, Message { id: "a", body: "{}" }).await;
        let Answer::Refused(why) = &answer else { panic!("{answer:?}") };
        assert!(why.ends_with("is not an address of the public internet"), "{why}");
        let nobody = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(nobody.is_err(), "nothing was connected to");
        assert_eq!(poster.admit(&url), Ok(()), "who is refused is not left alone");
    }

    #[tokio::test]
    async fn an_address_that_fails_again_and_again_is_left_alone_and_others_are_not() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let settings = Webhook { allow_insecure: true, allow_private: true, ..Webhook::default() };
        let poster = Poster::new(&settings).unwrap();
        let signer = Signer::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()]).unwrap();
        // Nobody listens at port 1.
        let url = poster.check("http://127.0.0.1:1/").unwrap();
        for _ in 0..5 {
            assert_eq!(poster.admit(&url), Ok(()));
            let answer = poster.post(url.clone(), &signer, Message { id: "a", body: "{}" }).await;
            assert!(matches!(answer, Answer::NotYet { after: None, .. }), "{answer:?}");
        }
        assert!(poster.admit(&url).is_err());
        for other in ["http://127.0.0.1:2/", "http://127.0.0.1:1/of-another-tenant"] {
            assert_eq!(poster.admit(&poster.check(other).unwrap()), Ok(()), "{other}");
        }
    }
}
