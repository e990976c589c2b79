//! `OpenAI`'s moderations: texts and what of them should not go out, as many servers speak it.
//!
//! Invariant: each text has one judgement or there is none at all; of the provider's words only names of categories are kept, as labels.

use super::{HttpParts, Reply};
use crate::{Completion, Failure, Finish};
use serde_json::{Map, Value, json};

/// Most categories of a text that are told.
const CATEGORIES_MAX: usize = 20;
/// Most letters of a label.
const LABEL_MAX: usize = 40;
/// Of a text that is flagged without a category that is named.
const OTHER: &str = "other";

/// Asks what of these texts should not go out.
pub fn request(model: &str, texts: &[String]) -> HttpParts {
    let body = Map::from_iter([("model".to_owned(), json!(model)), ("input".to_owned(), json!(texts))]);
    HttpParts { path: "/moderations", ..super::openai::parts(body) }
}

/// The judgement: for each text the categories that it is flagged for, as JSON that [`judged`] reads.
///
/// # Errors
/// There is none, or it is of another number of texts.
pub fn answer(reply: &Reply<'_>, texts: usize) -> Result<Completion, Failure> {
    let body = reply.json()?;
    let results = body.get("results").and_then(Value::as_array).ok_or(Failure::Malformed)?;
    if results.len() != texts {
        return Err(Failure::Malformed);
    }
    let each: Vec<Vec<String>> =
        results.iter().map(categories).collect::<Option<_>>().ok_or(Failure::Malformed)?;
    let text = serde_json::to_string(&each).map_err(|_| Failure::Malformed)?;
    let (usage, model) = (super::openai::usage(&body), super::openai::model(&body));
    Ok(Completion { text, finish: Finish::Stop, usage, model })
}

/// The categories of each text, none for one that may go out.
pub fn judged(text: &str) -> Option<Vec<Vec<String>>> {
    serde_json::from_str(text).ok()
}

fn categories(result: &Value) -> Option<Vec<String>> {
    if !result.get("flagged")?.as_bool()? {
        return Some(Vec::new());
    }
    let named = result.get("categories").and_then(Value::as_object).into_iter().flatten();
    let mut labels: Vec<String> =
        named.filter(|(_, is_so)| **is_so == json!(true)).filter_map(|(name, _)| label(name)).collect();
    labels.sort_unstable();
    labels.dedup();
    labels.truncate(CATEGORIES_MAX);
    if labels.is_empty() {
        labels.push(OTHER.to_owned());
    }
    Some(labels)
}

/// A category as metrics and events name it: `self-harm/intent` is `self_harm_intent`.
fn label(name: &str) -> Option<String> {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let label: String = name.chars().take(LABEL_MAX).map(letter).collect();
    let label = label.trim_matches('_');
    (!label.is_empty()).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::SecretPlace;
    use super::*;

    fn answered(body: &Value, texts: usize) -> Result<Vec<Vec<String>>, Failure> {
        let (body, now) = (body.to_string(), "2026-11-06T08:49:37Z".parse().unwrap());
        let reply = Reply {
            status: 200,
            retry_after: None,
            retry_after_ms: None,
            date: None,
            now,
            body: body.as_bytes(),
        };
        answer(&reply, texts).map(|completion| judged(&completion.text).unwrap())
    }

    #[test]
    fn texts_are_asked_about_together() {
        let parts = request("omni", &["a".to_owned(), "b".to_owned()]);
        assert_eq!((parts.path, parts.secret), ("/moderations", SecretPlace::Bearer));
        assert_eq!(parts.body, json!({"model": "omni", "input": ["a", "b"]}));
    }

    #[test]
    fn each_text_has_its_categories_as_labels() {
        let clean = json!({"flagged": false, "categories": {"violence": false}, "category_scores": {"violence": 0.1}});
        let threat = json!({"flagged": true, "categories":
            {"violence": true, "harassment/threatening": true, "hate": false, "self-harm/intent": true}});
        let bare = json!({"flagged": true});
        let odd = json!({"flagged": true, "categories": {"Злое слово": true, "x".repeat(99): true}});
        let body = json!({"model": "omni-1", "results": [clean, threat, bare, odd]});
        let labels = [
            vec![],
            vec!["harassment_threatening".to_owned(), "self_harm_intent".to_owned(), "violence".to_owned()],
            vec!["other".to_owned()],
            vec!["x".repeat(40)],
        ];
        assert_eq!(answered(&body, 4), Ok(labels.to_vec()));
    }

    #[test]
    fn half_a_judgement_is_none() {
        let clean = json!({"flagged": false});
        for (body, texts) in [
            (json!({"results": [clean]}), 2),
            (json!({"results": [clean, clean]}), 1),
            (json!({"results": [{"categories": {}}]}), 1),
            (json!({"results": [{"flagged": "no"}]}), 1),
            (json!({}), 0),
        ] {
            assert_eq!(answered(&body, texts), Err(Failure::Malformed), "{body}");
        }
        assert_eq!(
            answered(&json!({"error": {"message": "x"}, "results": []}), 0),
            Err(Failure::ErrorInside)
        );
    }
}
