//! The document of everything under `/api/v1`, made of the code that serves it.

use crate::{
    api::{
        self, ask, audit, claims, cost, deliveries, digests, events, groups, lag, letters, messages, search,
        settings, windows,
    },
    app::{StartError, set},
    problem::ProblemBody,
    scope::Scope,
};
use axum::http::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Ref, RefOr,
        schema::{ArrayItems, Schema},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// Name of the one way to say who calls.
const KEY: &str = "key";
/// What the name of a page's schema begins with, before that of its rows.
const PAGE: &str = "Page_";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "gistmill",
        description = "Groups, their messages and digests. Everything is of the tenant of the key. Times are RFC 3339.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "where the gateway listens")),
    paths(
        api::openapi_json,
        groups::list, groups::one,
        settings::show, settings::change,
        messages::list, messages::post,
        ask::ask, digests::list, digests::one,
        claims::one,
        events::listen,
        windows::list,
        search::find,
        deliveries::list,
        letters::list, letters::kinds, letters::one,
        lag::show, cost::show, audit::list,
    ),
    components(schemas(ProblemBody)),
    modifiers(&Keys, &Rows)
)]
struct Document;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("gm_PREFIX_SECRET")
            .description(Some("A key of a tenant: `gistmill gateway key create`"));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(KEY, SecurityScheme::Http(key.build()));
    }
}

/// Rows of pages are told by name: written out, a generated client would have a second type of each.
struct Rows;

impl Modify for Rows {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = &mut document.components else { return };
        for (name, schema) in &mut components.schemas {
            let (Some(row), RefOr::T(Schema::Object(page))) = (name.strip_prefix(PAGE), schema) else {
                continue;
            };
            if let Some(RefOr::T(Schema::Array(rows))) = page.properties.get_mut("items") {
                rows.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(row))));
            }
        }
    }
}

/// The document (`OpenAPI` 3.1) as indented JSON with a final newline.
///
/// # Errors
/// It cannot be written as JSON, which is a fault of this program.
pub fn document() -> Result<String, serde_json::Error> {
    Ok(Document::openapi().to_pretty_json()? + "\n")
}

/// What each operation of the document asks for.
#[derive(Debug)]
pub(crate) struct Operations(BTreeMap<String, BTreeMap<Method, Option<Scope>>>);

impl Operations {
    /// Those of the document.
    ///
    /// # Errors
    /// An operation does not say which scope it asks for.
    pub(crate) fn of_document() -> Result<Self, StartError> {
        let document = serde_json::to_value(Document::openapi()).map_err(set("write the document"))?;
        let mut paths = BTreeMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let mut operations = BTreeMap::new();
            for (method, operation) in item.as_object().into_iter().flatten() {
                let scope =
                    scope(operation).map_err(|why| set("read the document")(format!("{path}: {why}")))?;
                let method = method.to_uppercase().parse().map_err(set("read the document"))?;
                operations.insert(method, scope);
            }
            paths.insert(path.clone(), operations);
        }
        Ok(Self(paths))
    }

    pub(crate) fn of(&self, path: &str) -> Option<BTreeMap<Method, Option<Scope>>> {
        self.0.get(path).cloned()
    }

    pub(crate) fn paths(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }
}

/// The one scope of an operation; none where it says that everybody may call it.
fn scope(operation: &Value) -> Result<Option<Scope>, String> {
    let security = operation["security"].as_array().ok_or("no security is told")?;
    match security.as_slice() {
        [nobody] if nobody.as_object().is_some_and(serde_json::Map::is_empty) => Ok(None),
        [needed] => match needed[KEY].as_array().map(Vec::as_slice) {
            Some([Value::String(scope)]) => scope.parse().map(Some).map_err(|why| format!("{why}")),
            _ => Err("one scope has to be told".to_owned()),
        },
        _ => Err("one way has to be told".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_says_which_scope_it_asks_for() {
        let operations = Operations::of_document().unwrap();
        let scopes: BTreeSet<Option<Scope>> =
            operations.0.values().flat_map(|of| of.values().copied()).collect();
        assert_eq!(scopes.len(), Scope::ALL.len() + 1, "{scopes:?}");
        let public: Vec<&String> = operations
            .0
            .iter()
            .filter(|(_, of)| of.values().any(Option::is_none))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(public, ["/api/v1/openapi.json"]);
    }

    #[test]
    fn an_operation_that_says_nothing_is_refused() {
        for (security, is_read) in [
            (serde_json::json!({ "security": [{}] }), true),
            (serde_json::json!({ "security": [{ "key": ["OPERATOR"] }] }), true),
            (serde_json::json!({ "security": [{ "key": [] }] }), false),
            (serde_json::json!({ "security": [{ "key": ["ROOT"] }] }), false),
            (serde_json::json!({ "security": [{}, { "key": ["OPERATOR"] }] }), false),
            (serde_json::json!({}), false),
        ] {
            assert_eq!(scope(&security).is_ok(), is_read, "{security}");
        }
    }

    #[test]
    fn each_operation_has_a_name_of_its_own_and_each_row_is_told_by_name() {
        let document: Value = serde_json::from_str(&document().unwrap()).unwrap();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|item| {
            item.as_object().unwrap().values().map(|operation| operation["operationId"].as_str().unwrap())
        });
        let operations: Vec<&str> = operations.collect();
        let names: BTreeSet<&str> = operations.iter().copied().collect();
        assert_eq!(names.len(), operations.len(), "a generated client loses operations: {operations:?}");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, page) in schemas.iter().filter(|(name, _)| name.starts_with(PAGE)) {
            let row = name.trim_start_matches(PAGE);
            let told = &page["properties"]["items"]["items"]["$ref"];
            assert_eq!(told, &format!("#/components/schemas/{row}"), "{name}");
            assert!(schemas.contains_key(row), "{name}");
        }
    }

    #[test]
    fn the_document_that_is_kept_is_the_one_that_is_served() {
        let kept =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json")).unwrap();
        assert!(kept == document().unwrap(), "run `gistmill gateway openapi --write docs/openapi.json`");
    }

    #[test]
    fn the_document_is_of_openapi_3_1() {
        let document: Value = serde_json::from_str(&document().unwrap()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    }
}
