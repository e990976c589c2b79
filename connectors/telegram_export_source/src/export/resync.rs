//! Where a list of messages goes on after a damaged element.
//!
//! Invariant: nothing inside a text is taken for the start of an element: there quotation marks are escaped, and an
//! element of an indented file begins a line.

/// Longest pattern beside the indentation: what has to be in memory after its first byte.
pub(super) const PATTERN_BYTES: usize = 128;

/// What follows the damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// An element, at this byte.
    Element(usize),
    /// The end of the list, at this byte.
    End(usize),
    /// The messages of another chat: where the list ended is not to be seen.
    OtherChat,
}

/// The first thing in `bytes` that an undamaged list goes on with; `indent` is what its elements begin their lines with.
pub(super) fn find(bytes: &[u8], indent: Option<&[u8]>) -> Option<Next> {
    (0..bytes.len()).find_map(|at| match bytes[at] {
        b'\n' => match indent {
            Some(indent) if !indent.is_empty() => line(bytes, at + 1, indent),
            _ => None,
        },
        b'{' if indent.is_none_or(<[u8]>::is_empty) => compact(bytes, at),
        b'"' => is_list(&bytes[at..]).then_some(Next::OtherChat),
        _ => None,
    })
}

/// A line that begins an element (`  {`, then a name: objects inside elements are further to the right), or ends the
/// list (`]`, further to the left).
fn line(bytes: &[u8], start: usize, indent: &[u8]) -> Option<Next> {
    let rest = &bytes[start..];
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match rest.get(blank) {
        Some(b'{') if &rest[..blank] == indent => {
            let first = rest[blank + 1..].trim_ascii_start().first();
            matches!(first, Some(b'"' | b'}')).then_some(Next::Element(start + blank))
        }
        Some(b']') if blank < indent.len() => Some(Next::End(start + blank)),
        _ => None,
    }
}

/// `,{"id":1,"type":`, as all that tells an element of a file without lines from an object inside one.
fn compact(bytes: &[u8], at: usize) -> Option<Next> {
    if !matches!(bytes[..at].trim_ascii_end().last(), Some(b',' | b'[')) {
        return None;
    }
    let id = after_name(&bytes[at + 1..], b"\"id\"")?.trim_ascii_start();
    let digits = id.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let next = id[digits..].trim_ascii_start().strip_prefix(b",")?;
    after_name(next, b"\"type\"").filter(|_| digits > 0).map(|_| Next::Element(at))
}

/// `"messages": [`
fn is_list(rest: &[u8]) -> bool {
    after_name(rest, b"\"messages\"").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"["))
}

/// What follows a name and its colon.
fn after_name<'a>(rest: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    rest.trim_ascii_start().strip_prefix(name)?.trim_ascii_start().strip_prefix(b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indented_list_goes_on_at_its_own_indentation() {
        let rest = "x\"},\n    {\n     \"id\": 9\n    },\n   {\r\n    \"id\": 2";
        let at = rest.rfind("{\r").expect("there");
        assert_eq!(find(rest.as_bytes(), Some(b"   ")), Some(Next::Element(at)));
        let rest = "x\"\n    ]\n   },\n   {\"id\" : 2},\n  ]";
        let at = rest.find("{\"id").expect("there");
        assert_eq!(find(rest.as_bytes(), Some(b"   ")), Some(Next::Element(at)));
        assert_eq!(find(b"x\"\n   }\n  ],\n   {\"id\": 2", Some(b"   ")), Some(Next::End(10)));
        assert_eq!(find(b"x\\n   {\\n    \\\"id\\\": 2", Some(b"   ")), None, "inside a text");
        assert_eq!(find(b"\n   {\n    oops", Some(b"   ")), None);
    }

    #[test]
    fn a_compact_list_goes_on_at_an_id_and_a_type() {
        let rest = br#"x"},{"id":1},{"id":12, "type":"message"}"#;
        assert_eq!(find(rest, None), Some(Next::Element(13)));
        assert_eq!(find(br#"x"},"a":{"id":12,"type":"y"}"#, None), None, "a member, not an element");
    }

    #[test]
    fn another_chat_is_not_entered() {
        assert_eq!(find(b"x},\n \"messages\": [\n   {\n    \"id\": 1", Some(b"   ")), Some(Next::OtherChat));
        assert_eq!(find(br#"x},{"messages":[{"id":1,"type":"message""#, None), Some(Next::OtherChat));
    }
}
