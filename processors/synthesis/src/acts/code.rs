//! Recognises code, configuration and logs by their signs.
//!
//! Invariant: prose with a number, a path or a product's name in it is no code.

/// Signs per hundred characters from which a text is code.
const SIGNS_MIN: f64 = 5.0;
/// Beginnings of lines that only logs and traces have.
const TRACES: [&str; 7] =
    ["at java.", "at org.", "at com.", "Caused by:", "Traceback (", "Exception in", "java.lang."];

/// Whether a text is code, configuration, a log or a stack trace, mostly.
pub(super) fn looks_like_code(text: &str) -> bool {
    if text.lines().any(|line| TRACES.iter().any(|trace| line.trim_start().starts_with(trace))) {
        return true;
    }
    let signs =
        text.chars().filter(|c| matches!(c, '{' | '}' | '=' | ';' | '<' | '>' | '\\' | '_' | '$' | '|'));
    let length = text.chars().count();
    length > 20 && signs.count() as f64 * 100.0 / length as f64 >= SIGNS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_prose() {
        for code in [
            "props.put(\"name\", value); if (x == 1) { return; }",
            "Caused by: java.io.IOException: closed",
            "<dependency><groupId>a.b</groupId></dependency>",
        ] {
            assert!(looks_like_code(code), "{code}");
        }
        for prose in ["we ship version 4.2 on Thursday at 17:00", "берём машину на среду, 4 куба", "see a_b"]
        {
            assert!(!looks_like_code(prose), "{prose}");
        }
    }
}
