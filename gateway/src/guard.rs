//! Who may call an operation.
//!
//! Invariant: which scope an operation asks for is what the document says of it. A key that is unknown, wrong, revoked or over is
//! answered alike, after as much work.

use crate::{app::App, key::Key, observe::Seen, problem::Problem, scope::Scope};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{collections::BTreeMap, sync::Arc};
use tracing::warn;

/// A route, and what each of its methods asks for; nothing where everybody may call it.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) app: App,
    pub(crate) path: &'static str,
    pub(crate) operations: BTreeMap<Method, Option<Scope>>,
}

/// Whose key a request came with.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The tenant as which everything is read and written.
    pub(crate) tenant_id: Arc<str>,
    /// What is shown of the key.
    pub(crate) prefix: Arc<str>,
    scopes: Arc<[String]>,
}

impl Caller {
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|name| name == scope.as_str())
    }

    /// How the audit log and requests for digests name it.
    pub(crate) fn actor(&self) -> String {
        format!("key-{}", self.prefix)
    }
}

/// Lets a request through to its operation, or says why not.
pub(crate) async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    if let Some(seen) = request.extensions().get::<Seen>() {
        seen.is_at(guard.path);
    }
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let scope = match guard.operations.get(method) {
        None => return not_allowed(&guard),
        Some(None) => return next.run(request).await,
        Some(Some(scope)) => *scope,
    };
    let caller = match caller(&guard.app, request.headers()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let left = match guard.app.0.limits.take(&caller.prefix) {
        Ok(left) => left,
        Err(left) => {
            let detail = format!("this key has no request left; the next one in {} s", left.reset_s);
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
            let mut response = problem.retry_after(left.reset_s).into_response();
            left.tell(response.headers_mut());
            return response;
        }
    };
    let mut response = if caller.may(scope) {
        request.extensions_mut().insert(caller);
        next.run(request).await
    } else {
        let detail = format!("the key lacks scope {scope}");
        Problem::forbidden("missing_scope", detail).into_response()
    };
    left.tell(response.headers_mut());
    response
}

fn not_allowed(guard: &Guard) -> Response {
    let mut response = Problem::of_status(StatusCode::METHOD_NOT_ALLOWED).into_response();
    let names: Vec<&str> = guard.operations.keys().map(Method::as_str).collect();
    if let Ok(names) = names.join(", ").parse() {
        response.headers_mut().insert(header::ALLOW, names);
    }
    response
}

/// The caller by the key of a request.
async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    let refused = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "there is no key that holds: Authorization: Bearer gm_…",
        )
    };
    let key = presented(headers).ok_or_else(refused)?;
    holder(app, &key).await?.ok_or_else(refused)
}

/// Whose key it is; none for one that is unknown, wrong, revoked or over.
pub(crate) async fn holder(app: &App, key: &Key) -> Result<Option<Caller>, Problem> {
    let found = app.0.store.presented_api_key(key.prefix()).await?;
    let is_it = key.is(found.as_ref().map(|found| &found.secret_hash[..]));
    let Some(found) = found.filter(|found| is_it && found.holds) else { return Ok(None) };
    if found.is_stale
        && let Err(error) = app.0.store.touch_api_key(&found.tenant_id, key.prefix()).await
    {
        warn!(error = error.describe(), "could not note that a key was used");
    }
    let (tenant_id, scopes) = (found.tenant_id.into(), found.scopes.into());
    Ok(Some(Caller { tenant_id, prefix: key.prefix().into(), scopes }))
}

fn presented(headers: &HeaderMap) -> Option<Key> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Key::read(key.trim()))?
}
