//! One registry: its requests through `schema_registry_converter` where that has them, and ours where it has not.
//!
//! Invariant: of nothing that was answered is anything remembered here, so that a failure is asked again.

use crate::{
    Error, Options,
    address::Address,
    error::{Cause, ErrorBody, Peer},
    settings::{self, MEDIA_TYPE},
};
use reqwest::{Method, RequestBuilder, Url, header};
use schema_registry_converter::{
    async_impl::schema_registry::{self as converter, SrSettings},
    error::SRCError,
    schema_registry_common::{SchemaType, SrCall, SuppliedSchema},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};

/// One of the registries that share their schemas.
pub(crate) struct Node {
    settings: SrSettings,
    http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<SecretString>,
    ca_location: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct SchemaBody<'a> {
    pub(crate) schema: &'a str,
}

impl Node {
    pub(crate) fn new(options: &Options, mut address: Address) -> Result<Self, Error> {
        let username = options.username.clone().or(address.username.take());
        let password = options.password.clone().or(address.password.take());
        let user = username.as_deref().map(|name| (name, password.as_ref()));
        let settings = settings::settings(options, &address, user)?;
        let http = settings::http(options)?.build().map_err(|error| Error::Unreachable {
            address: address.base.to_string(),
            source: Cause::of(&error),
        })?;
        let ca_location = options.ca_location.clone();
        Ok(Self { settings, http, base: address.base, username, password, ca_location })
    }

    /// The JSON of the schema with this id.
    pub(crate) async fn schema_by_id(&self, id: u32) -> Result<String, Error> {
        let answer = converter::get_schema_by_id(id, &self.settings).await;
        self.told(&format!("read schema {id}"), answer).map(|found| found.schema)
    }

    /// The JSON of a version of a subject.
    pub(crate) async fn schema_of_version(&self, subject: &str, version: u32) -> Result<String, Error> {
        let call = SrCall::GetBySubjectAndVersion(&self.escaped(subject), version);
        let what = format!("read version {version} of {subject}");
        let answer = self.told(&what, converter::perform_sr_call(&self.settings, call).await)?;
        answer.schema.ok_or_else(|| self.lacks(&what, "schema"))
    }

    /// Registers a schema under a subject, or finds it there.
    pub(crate) async fn register(&self, subject: &str, avsc: &str) -> Result<u32, Error> {
        let schema = SuppliedSchema::new(None, SchemaType::Avro, avsc.to_owned());
        let answer = converter::post_schema(&self.settings, self.escaped(subject), schema).await;
        self.told(&format!("register a schema under {subject}"), answer).map(|registered| registered.id)
    }

    /// Id of a schema that is registered under a subject.
    pub(crate) async fn lookup(&self, subject: &str, avsc: &str) -> Result<u32, Error> {
        let what = format!("look up a schema under {subject}");
        let body = serde_json::json!(SchemaBody { schema: avsc }).to_string();
        let subject = self.escaped(subject);
        let call = SrCall::PostForVersion(&subject, &body);
        let answer = self.told(&what, converter::perform_sr_call(&self.settings, call).await)?;
        answer.id.ok_or_else(|| self.lacks(&what, "id"))
    }

    pub(crate) async fn subjects(&self) -> Result<Vec<String>, Error> {
        self.told("list subjects", converter::get_all_subjects(&self.settings).await)
    }

    pub(crate) async fn versions(&self, subject: &str) -> Result<Vec<u32>, Error> {
        let answer = converter::get_all_versions(&self.settings, self.escaped(subject)).await;
        self.told(&format!("list the versions of {subject}"), answer)
    }

    /// A request that the crate does not have: of compatibility, as the subject's own rule says.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let request = self.http.request(method, self.url(path)).header(header::ACCEPT, MEDIA_TYPE);
        match &self.username {
            Some(user) => request.basic_auth(user, self.password.as_ref().map(ExposeSecret::expose_secret)),
            None => request,
        }
    }

    /// What a request of ours is answered.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        request: RequestBuilder,
    ) -> Result<T, Error> {
        let peer = self.peer();
        let unanswered = |error| Error::unanswered(&peer, &error);
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(|error| Error::Answer {
                what: what.to_owned(),
                address: self.base.to_string(),
                source: Cause::of(&error),
            });
        }
        let body: ErrorBody =
            serde_json::from_str(&response.text().await.map_err(unanswered)?).unwrap_or_default();
        let body = if body.message.is_empty() { ErrorBody::of_status(status) } else { body };
        Err(Error::answered(&peer, what, status, body))
    }

    fn told<T>(&self, what: &str, answer: Result<T, SRCError>) -> Result<T, Error> {
        answer.map_err(|error| settings::told(&self.peer(), what, &error))
    }

    fn lacks(&self, what: &str, field: &str) -> Error {
        let source = Cause::text(format!("it has no field {field:?}"));
        Error::Answer { what: what.to_owned(), address: self.base.to_string(), source }
    }

    fn peer(&self) -> Peer<'_> {
        Peer {
            address: self.base.as_str(),
            username: self.username.as_deref(),
            ca_location: self.ca_location.as_deref(),
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// A subject as a segment of a path; the crate escapes slashes alone.
    fn escaped(&self, subject: &str) -> String {
        let url = self.url(&[subject]);
        url.path_segments().and_then(Iterator::last).unwrap_or(subject).to_owned()
    }
}
