//! An answer as vectors. Invariant: pure; what does not fit in every respect is an error that names it.

use crate::Error;
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    /// Some endpoints leave it out and keep the order.
    index: Option<usize>,
    /// JSON has no NaN: who has one writes `null`.
    embedding: Vec<Option<f64>>,
}

/// The vectors of an answer to so many texts, in the order of the texts.
pub(crate) fn vectors(bytes: &[u8], asked: usize, dimension: usize) -> Result<Vec<Vec<f32>>, Error> {
    let unreadable = |error: serde_json::Error| Error::Unreadable { detail: error.to_string() };
    let answer: Answer = serde_json::from_slice(bytes).map_err(unreadable)?;
    let given = answer.data.len();
    if given != asked {
        return Err(Error::Count { asked, given });
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; asked];
    for (place, entry) in answer.data.into_iter().enumerate() {
        let at = entry.index.unwrap_or(place);
        let free = vectors.get_mut(at).filter(|vector| vector.is_none());
        let free =
            free.ok_or_else(|| Error::Unreadable { detail: format!("index {at} is of no text, or twice") })?;
        *free = Some(vector(at, &entry.embedding, dimension)?);
    }
    Ok(vectors.into_iter().flatten().collect())
}

fn vector(at: usize, numbers: &[Option<f64>], wanted: usize) -> Result<Vec<f32>, Error> {
    if numbers.len() != wanted {
        return Err(Error::Dimension { wanted, given: numbers.len() });
    }
    let finite = |number: &Option<f64>| number.map(|it| it as f32).filter(|it| it.is_finite());
    numbers.iter().map(finite).collect::<Option<_>>().ok_or(Error::NotFinite { at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_put_into_the_order_of_the_texts() {
        let answer = r#"{"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}]}"#;
        assert_eq!(vectors(answer.as_bytes(), 2, 2), Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
        let unnumbered = r#"{"data": [{"embedding": [1, 2]}, {"embedding": [3, 4]}], "usage": {}}"#;
        assert_eq!(vectors(unnumbered.as_bytes(), 2, 2), Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_named() {
        for (answer, named) in [
            (r#"{"data": [{"embedding": [1, 2]}]}"#, "gave 1 vectors for 2 texts"),
            (r#"{"data": [{"embedding": [1, 2]}, {"embedding": [1]}]}"#, "a vector of 1 numbers"),
            (r#"{"data": [{"embedding": [1, 2]}, {"embedding": [1, null]}]}"#, "not finite, in vector 1"),
            (r#"{"data": [{"embedding": [1, 1e300]}, {"embedding": [1, 2]}]}"#, "not finite, in vector 0"),
            (r#"{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 0, "embedding": [1, 2]}]}"#, "twice"),
            (
                r#"{"data": [{"index": 7, "embedding": [1, 2]}, {"index": 0, "embedding": [1, 2]}]}"#,
                "index 7",
            ),
            (r#"{"error": "busy"}"#, "missing field `data`"),
            ("<html>", "could not read the answer"),
        ] {
            let error = vectors(answer.as_bytes(), 2, 2).expect_err(answer).to_string();
            assert!(error.contains(named), "{answer}: {error}");
        }
    }
}
