//! How deep brackets stand in each other, before anything that calls itself reads them.
//!
//! Invariant: of JSON the exact depth. What is not JSON is bounded where it is mended, which goes no deeper than it is told.

/// The depth of a text that should be JSON.
pub(super) fn of(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                most = most.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn brackets_in_strings_are_letters() {
        assert_eq!(of(r#"{"a":[[1],[2]],"b":"[[[[[\"[["}"#), 3);
        assert_eq!(of(r#"["]",["]",["]",[]]]]"#), 4);
        assert_eq!((of("1"), of(&"[".repeat(100_000))), (0, 100_000));
    }
}
