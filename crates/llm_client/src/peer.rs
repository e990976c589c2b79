//! One attempt at one provider.
//!
//! Invariant: the secret is in a header that is marked sensitive and nowhere else; redirects are not followed, since they would carry
//! it elsewhere; no more of an answer is read than is taken.

use crate::{
    oauth::Oauth,
    settings::{Error, ModerationSettings, ProviderSettings},
};
use http_reply::{ReadError, read, told};
use llm::{
    ChatRequest, Completion, Dialect, Failure, Usage,
    dialect::{HttpParts, Model, Reply, SecretPlace, Stream, moderation},
};
use reqwest::{
    Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Largest answer that is read.
const BYTES_MAX: usize = 4 << 20;
/// Most bytes of a stream: each token comes with some hundreds of its own.
const STREAM_BYTES_MAX: usize = 32 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a provider is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// To answer.
    Chat(&'a ChatRequest),
    /// What of these texts should not go out.
    Moderation(&'a [String]),
}

/// A provider as it is asked.
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) vendor: String,
    pub(crate) model: Model,
    pub(crate) timeout: Duration,
    waits: Waits,
    dialect: Dialect,
    url: String,
    http: reqwest::Client,
    key: Option<SecretString>,
    oauth: Option<Oauth>,
}

/// Waits for an answer that comes as a stream, besides the one for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waits {
    /// From the request to the first of the answer.
    pub(crate) first_token: Duration,
    /// From one of its pieces to the next.
    pub(crate) silence: Duration,
}

/// How an attempt failed, and what an operator may want to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    pub(crate) detail: Option<String>,
    /// What it took all the same, where the provider has told.
    pub(crate) usage: Option<Usage>,
}

impl Fault {
    pub(crate) fn of(failure: Failure) -> Self {
        Self { failure, detail: None, usage: None }
    }

    /// With what the transport says.
    pub(crate) fn told(failure: Failure, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::of(failure) }
    }

    /// A request that got no answer.
    pub(crate) fn of_connection(error: reqwest::Error) -> Self {
        let failure = match &error {
            error if error.is_timeout() => Failure::Timeout,
            error if error.is_connect() || error.is_builder() => Failure::Unreachable,
            _ => Failure::Broken,
        };
        Self::told(failure, told(error))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("model", &self.model.name)
            .finish_non_exhaustive()
    }
}

/// The client that all providers without authorities of their own share.
pub(crate) fn shared() -> Result<reqwest::Client, Error> {
    builder().build().map_err(|error| Error::Client(told(error)))
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
}

/// A client that trusts a provider's own authorities as well.
fn trusting(settings: &ProviderSettings, shared: &reqwest::Client) -> Result<reqwest::Client, Error> {
    let Some(path) = &settings.ca_file else { return Ok(shared.clone()) };
    let failed = |why: String| {
        settings.error(
            "ca_file",
            format!("could not use {}: {why}; expected certificates in PEM", path.display()),
        )
    };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(told(error)))?;
    if found.is_empty() {
        return Err(failed("there is none in it".to_owned()));
    }
    builder().tls_certs_merge(found).build().map_err(|error| failed(told(error)))
}

impl Peer {
    pub(crate) fn new(
        settings: &ProviderSettings,
        shared: &reqwest::Client,
        key: Option<SecretString>,
    ) -> Result<Self, Error> {
        settings.check()?;
        let http = trusting(settings, shared)?;
        let oauth = match (settings.dialect, &key) {
            (Dialect::GigaChat, Some(key)) => {
                let (url, scope) = (settings.oauth_address()?, settings.scope().to_owned());
                Some(Oauth::new(http.clone(), url, scope, key.clone()))
            }
            _ => None,
        };
        Ok(Self {
            name: settings.name.clone(),
            vendor: settings.vendor(),
            model: settings.model(),
            timeout: settings.timeout(),
            waits: settings.waits(),
            dialect: settings.dialect,
            url: settings.address()?,
            http,
            key,
            oauth,
        })
    }

    /// The same provider, asked for its judgement by another of its models.
    pub(crate) fn moderator(
        settings: &ProviderSettings,
        by: &ModerationSettings,
        shared: &reqwest::Client,
        key: Option<SecretString>,
    ) -> Result<Self, Error> {
        let peer = Self::new(settings, shared, key)?;
        let model = Model { name: by.model.clone(), stream: false, ..peer.model };
        Ok(Self { model, timeout: by.timeout(), ..peer })
    }

    /// Asks once, with a key of the tenant's own if there is one.
    pub(crate) async fn ask(
        &self,
        request: Ask<'_>,
        own: Option<&SecretString>,
    ) -> Result<Completion, Fault> {
        match (&self.oauth, own) {
            (None, own) => self.exchange(request, own.or(self.key.as_ref())).await,
            (Some(oauth), None) => self.ask_with_token(request, oauth).await,
            // Its token is not kept: keys of tenants come and go.
            (Some(oauth), Some(own)) => self.ask_with_token(request, &oauth.with_key(own.clone())).await,
        }
    }

    /// A token that is not taken is replaced and the request sent again: nothing was generated for it.
    async fn ask_with_token(&self, request: Ask<'_>, oauth: &Oauth) -> Result<Completion, Fault> {
        let token = oauth.token(None).await?;
        match self.exchange(request, Some(&token)).await {
            Err(Fault { failure: Failure::Unauthorized, .. }) => {
                let other = oauth.token(Some(&token)).await?;
                self.exchange(request, Some(&other)).await
            }
            outcome => outcome,
        }
    }

    async fn exchange(&self, ask: Ask<'_>, secret: Option<&SecretString>) -> Result<Completion, Fault> {
        match ask {
            Ask::Chat(request) => self.chat(request, secret).await,
            Ask::Moderation(texts) => {
                let response = self.send(&moderation::request(&self.model.name, texts), secret).await?;
                let head = Head::of(&response);
                let body = body(response).await?;
                moderation::answer(&head.reply(&body), texts.len()).map_err(Fault::of)
            }
        }
    }

    async fn chat(&self, request: &ChatRequest, secret: Option<&SecretString>) -> Result<Completion, Fault> {
        let begun = Instant::now();
        let parts = self.dialect.request(&self.model, request);
        let response = self.send(&parts, secret);
        let response = if self.model.stream {
            let response = timeout_at(begun + self.waits.first_token, response).await;
            response.map_err(|_| Fault::of(Failure::NoFirstToken))??
        } else {
            response.await?
        };
        let head = Head::of(&response);
        if head.status == 200 && head.is_stream {
            let mut stream = self.dialect.stream(request);
            let read = self.read(response, &mut stream, begun).await;
            let usage = stream.usage();
            let ended = read.and_then(|()| stream.end().map_err(Fault::of));
            return ended.map_err(|fault| Fault { usage, ..fault });
        }
        let body = body(response).await?;
        self.dialect.answer(&head.reply(&body)).map_err(Fault::of)
    }

    async fn send(&self, parts: &HttpParts, secret: Option<&SecretString>) -> Result<Response, Fault> {
        let mut request = self.http.post(format!("{}{}", self.url, parts.path)).json(&parts.body);
        for (name, value) in &parts.headers {
            request = request.header(*name, *value);
        }
        if let Some(secret) = secret {
            let (name, value) = header(parts.secret, secret)?;
            request = request.header(name, value);
        }
        request.send().await.map_err(Fault::of_connection)
    }

    /// Reads events up to the terminal one. What only keeps the connection does not end a silence.
    async fn read(&self, mut response: Response, stream: &mut Stream, begun: Instant) -> Result<(), Fault> {
        let (mut bytes, mut signs) = (0, 0);
        let mut until = begun + self.waits.first_token;
        loop {
            let silence = if signs == 0 { Failure::NoFirstToken } else { Failure::Silent };
            let chunk = timeout_at(until, response.chunk()).await.map_err(|_| Fault::of(silence))?;
            let Some(chunk) = chunk.map_err(Fault::of_connection)? else { return Ok(()) };
            bytes += chunk.len();
            if bytes > STREAM_BYTES_MAX {
                return Err(Fault::of(Failure::TooLarge));
            }
            if stream.push(&chunk).map_err(Fault::of)? {
                return Ok(());
            }
            if stream.signs() > signs {
                signs = stream.signs();
                until = Instant::now() + self.waits.silence;
            }
        }
    }
}

fn header(place: SecretPlace, secret: &SecretString) -> Result<(HeaderName, HeaderValue), Fault> {
    let (name, value) = match place {
        SecretPlace::Bearer => (AUTHORIZATION, format!("Bearer {}", secret.expose_secret())),
        SecretPlace::Header(name) => (HeaderName::from_static(name), secret.expose_secret().to_owned()),
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| Fault::of(Failure::Unauthorized))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The body of an answer.
pub(crate) async fn body(response: Response) -> Result<Vec<u8>, Fault> {
    read(response, BYTES_MAX).await.map_err(|error| match error {
        ReadError::TooLong => Fault::of(Failure::TooLarge),
        ReadError::Broken(detail) => Fault::told(Failure::Broken, detail),
    })
}

/// What is read of an answer before its body.
pub(crate) struct Head {
    status: u16,
    is_stream: bool,
    headers: HeaderMap,
    now: jiff::Timestamp,
}

impl Head {
    pub(crate) fn of(response: &Response) -> Self {
        let headers = response.headers().clone();
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_stream = kind.starts_with("text/event-stream");
        Self { status: response.status().as_u16(), is_stream, headers, now: jiff::Timestamp::now() }
    }

    pub(crate) fn reply<'a>(&'a self, body: &'a [u8]) -> Reply<'a> {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        Reply {
            status: self.status,
            retry_after: header("retry-after"),
            retry_after_ms: header("retry-after-ms"),
            date: header("date"),
            now: self.now,
            body,
        }
    }
}
