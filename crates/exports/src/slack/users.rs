//! Who is who in a workspace.

use crate::{
    error::Error,
    guard::Tally,
    json::{Element, Json},
    store::{Part, Store},
};
use serde::Deserialize;
use std::collections::HashMap;

/// People of a workspace that are kept.
const USERS_MAX: usize = 200_000;
/// Longest name that is kept, in characters; Slack allows 80.
const NAME_CHARS_MAX: usize = 100;

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    name: Option<String>,
    real_name: Option<String>,
    #[serde(default)]
    is_bot: bool,
    profile: Option<Profile>,
}

/// How a person wants to be called.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Profile {
    display_name: Option<String>,
    real_name: Option<String>,
    name: Option<String>,
}

impl Profile {
    pub(super) fn shown(&self) -> Option<&str> {
        let names = [&self.display_name, &self.real_name, &self.name];
        names.into_iter().flatten().map(String::as_str).find(|name| !name.trim().is_empty())
    }
}

/// Names by id.
#[derive(Debug, Default)]
pub(super) struct Users(HashMap<String, (String, bool)>);

impl Users {
    pub(super) fn read(store: &Store, part: &Part, tally: &Tally) -> Result<Self, Error> {
        let mut users = HashMap::new();
        let Some(mut json) = Json::open(store, part, tally, None)? else { return Ok(Self::default()) };
        while let Some(user) = json.next::<User>()? {
            let Element::Read(user) = user else { continue };
            if users.len() >= USERS_MAX {
                continue;
            }
            let shown = user.profile.as_ref().and_then(Profile::shown);
            let shown = shown.or(user.real_name.as_deref()).or(user.name.as_deref()).unwrap_or(&user.id);
            let name = shown.chars().filter(|c| *c != '\0').take(NAME_CHARS_MAX).collect();
            users.insert(user.id, (name, user.is_bot));
        }
        Ok(Self(users))
    }

    pub(super) fn name(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(|(name, _)| name.as_str())
    }

    pub(super) fn is_bot(&self, id: &str) -> bool {
        id == "USLACKBOT" || self.0.get(id).is_some_and(|(_, is_bot)| *is_bot)
    }
}
