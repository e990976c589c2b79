//! Slips that are mended, and texts that are not.

use super::*;

#[test]
fn slips_are_mended() {
    for (text, wanted) in [
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":[1,2,],}"#, r#"{"a":[1,2]}"#),
        (r#"{a:1,b_2:'x "y"'}"#, r#"{"a":1,"b_2":"x \"y\""}"#),
        (r"{'it\'s':'\d'}", r#"{"it's":"\\d"}"#),
        ("{\"a\":\"one\ntwo\tthree\"}", r#"{"a":"one\ntwo\u0009three"}"#),
        (r#"{"a":"he said "yes", and left"}"#, r#"{"a":"he said \"yes\", and left"}"#),
        (r#"{"a":"\u0430\u04"}"#, r#"{"a":"\u0430\\u04"}"#),
        ("{\"a\":\"x\"\n\"b\":[1 2]}", r#"{"a":"x","b":[1,2]}"#),
        ("{\"a\":True, // yes\n \"b\":None /* no */}", r#"{"a":true,"b":null}"#),
        (r#"{"a":[{"b":1]}"#, r#"{"a":[{"b":1}]}"#),
        (r#"{"a":[1,2"#, r#"{"a":[1,2]}"#),
        (r#"{"a":1}}]"#, r#"{"a":1}"#),
        ("{\u{201c}a\u{201d}:\u{201c}x\u{201d}}", r#"{"a":"x"}"#),
        ("[-1.5e3, 0]", "[-1.5e3,0]"),
        ("[,1,,2]", "[1,2]"),
        ("[]", "[]"),
    ] {
        assert_eq!(json(text, 9).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_would_have_to_be_guessed_is_refused() {
    for text in [
        r#"{"a":"cut"#,
        r#"{"a":"#,
        r#"{"a""#,
        "{a b:1}",
        "[yes]",
        "[NaN]",
        "[1.]",
        "{1}}",
        "]",
        "",
        "[1] [2]",
        "/x",
        "[:1]",
        "{[1]:2}",
    ] {
        assert_eq!(json(text, 9), Err(Lost::Guess), "{text}");
    }
    assert_eq!(json("[[[", 2), Err(Lost::TooDeep));
}
