//! An answer without what models put around JSON: thoughts, fences, a sentence before and after.
//!
//! Invariant: what is taken is a piece of the answer, unchanged.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// The piece that should be JSON. None where there is no bracket, or only thoughts without an end.
pub(super) fn json(text: &str) -> Option<&str> {
    let text = without_thoughts(text.trim_start_matches('\u{feff}'))?;
    let start = text.find(['{', '['])?;
    let text = &text[start..];
    Some(&text[..end(text).unwrap_or_else(|| text.trim_end().trim_end_matches('`').trim_end().len())])
}

/// What follows the last thought. Some models' template opens it, so that only its end is seen.
fn without_thoughts(text: &str) -> Option<&str> {
    match text.rfind(CLOSE) {
        Some(end) => Some(&text[end + CLOSE.len()..]),
        None if text.trim_start().starts_with(OPEN) => None,
        None => Some(text),
    }
}

/// Where the bracket that a text begins with is closed; none when it is not.
fn end(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 && !in_string {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_the_json_is_left_out() {
        for (text, wanted) in [
            ("{\"a\":1}", Some("{\"a\":1}")),
            ("\u{feff}```json\n{\"a\":1}\n```", Some("{\"a\":1}")),
            ("Here it is:\n```\n[1]\n```\nShall I go on?", Some("[1]")),
            ("<think>{\"no\":1}</think>\n{\"a\":\"}\"}", Some("{\"a\":\"}\"}")),
            ("so {1}, yes</think>{\"a\":1}", Some("{\"a\":1}")),
            ("{\"a\":\"\\\"}\"} {\"b\":2}", Some("{\"a\":\"\\\"}\"}")),
            ("```json\n{\"a\":1\n```", Some("{\"a\":1")),
            ("<think>I wonder about {\"a\":1}", None),
            ("I cannot do that.", None),
            ("", None),
        ] {
            assert_eq!(json(text), wanted, "{text}");
        }
    }
}
