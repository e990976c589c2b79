//! Answers of the Bot API.

use serde_json::{Value, json};

/// What a call is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was done.
    Ok(Value),
    /// It was not done.
    Refused {
        /// HTTP status and `error_code`.
        code: u16,
        /// `description`.
        description: String,
        /// `parameters`, or null.
        parameters: Value,
    },
}

impl Answer {
    pub(crate) fn refused(code: u16, description: impl Into<String>) -> Self {
        Self::Refused { code, description: description.into(), parameters: Value::Null }
    }

    pub(crate) fn bad_request(what: &str) -> Self {
        Self::refused(400, format!("Bad Request: {what}"))
    }

    pub(crate) fn too_many(retry_after: u64) -> Self {
        Self::Refused {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after}"),
            parameters: json!({ "retry_after": retry_after }),
        }
    }

    pub(crate) fn migrated(chat: i64) -> Self {
        Self::Refused {
            code: 400,
            description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
            parameters: json!({ "migrate_to_chat_id": chat }),
        }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Ok(_) => 200,
            Self::Refused { code, .. } => *code,
        }
    }

    /// Seconds that the answer tells to wait.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Ok(_) => None,
            Self::Refused { parameters, .. } => parameters["retry_after"].as_u64(),
        }
    }

    pub(crate) fn body(&self) -> Value {
        match self {
            Self::Ok(result) => json!({ "ok": true, "result": result }),
            Self::Refused { code, description, parameters } => {
                let mut body = json!({ "ok": false, "error_code": code, "description": description });
                if !parameters.is_null() {
                    body["parameters"] = parameters.clone();
                }
                body
            }
        }
    }
}
