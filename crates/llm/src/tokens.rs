//! How many tokens a text is about, before anybody has counted them.
//!
//! Invariant: made to err upwards: what is reserved by it, and cut by it, fits. It is never more than the bytes of the text, which
//! no tokenizer over bytes exceeds. What a provider counts replaces it.

use crate::ChatRequest;

/// What each message of a request costs besides its text, in every dialect.
const PER_MESSAGE: u64 = 8;

/// Thousandths of a token that letters take at most in ordinary text. Held against the vocabularies `cl100k_base` and `o200k_base`
/// over the two sample chats, twenty messages at a time, the estimate is 1.4 to 1.5 times as many in English, and in Russian 1.1 to
/// 1.2 times by the older and 1.7 to 1.8 times by the newer. A single short message may be up to 15 in a hundred more than estimated.
const LATIN: u64 = 340;
const LATIN_CAPITAL: u64 = 450;
const LATIN_MARKED: u64 = 900;
const CYRILLIC: u64 = 620;
/// Capitals, and letters that Russian does not have.
const CYRILLIC_RARE: u64 = 1_200;
/// Some cut numbers digit by digit.
const DIGIT: u64 = 1_000;
/// Most spaces are part of the word that follows.
const SPACE: u64 = 150;
const MARK: u64 = 1_000;
/// A sign of its own, such as a Chinese one.
const SIGN: u64 = 1_500;
/// Others are cut into bytes.
const PER_BYTE: u64 = 1_000;

/// About how many tokens a text takes: rather too many.
pub fn estimate(text: &str) -> u64 {
    let thousandths: u64 = text.chars().map(thousandths).sum();
    thousandths.div_ceil(1_000).min(text.len() as u64)
}

/// About how many tokens a request takes, without its answer: instructions, turns and schema.
pub fn of_request(request: &ChatRequest) -> u64 {
    let turns: u64 = request.user.iter().map(|turn| PER_MESSAGE + estimate(&turn.text)).sum();
    let schema = request.schema.as_ref().map_or(0, |schema| PER_MESSAGE + estimate(&schema.to_string()));
    PER_MESSAGE + estimate(&request.system) + turns + schema
}

/// About how many it takes with the longest answer that it allows: what is to be reserved.
pub fn reserved(request: &ChatRequest) -> u64 {
    of_request(request) + u64::from(request.max_output_tokens)
}

fn thousandths(letter: char) -> u64 {
    match letter {
        'a'..='z' => LATIN,
        'A'..='Z' => LATIN_CAPITAL,
        '0'..='9' => DIGIT,
        ' ' => SPACE,
        '\u{c0}'..='\u{24f}' => LATIN_MARKED,
        'а'..='я' | 'ё' => CYRILLIC,
        '\u{400}'..='\u{4ff}' => CYRILLIC_RARE,
        '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => SIGN,
        _ if letter.is_ascii() => MARK,
        _ => PER_BYTE * letter.len_utf8() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Turn;
    use proptest::prelude::*;

    /// Texts, each with the tokens that the vocabularies `cl100k_base` and `o200k_base` make of it.
    const COUNTED: [(&str, u64, u64); 15] = [
        (
            "We decided to move the release to Thursday because the staging database is still being migrated.",
            17,
            17,
        ),
        (
            "Решили перенести релиз на четверг: база на стейджинге ещё мигрирует, и никто не хочет чинить это в пятницу вечером.",
            58,
            35,
        ),
        ("Аня, посмотри, пожалуйста, отчёт за третий квартал, там расхождение в 1 204 567 рублей.", 47, 30),
        (r#"{"title": "Release moved", "message_ids": [104, 105, 119], "owner": "Anna"}"#, 26, 26),
        ("ok", 1, 1),
        ("ну ок", 3, 2),
        ("https://example.com/path/to/page?id=12345&ref=abc", 15, 15),
        ("[2026-11-06 08:49] ann_k: +1 👍 спасибо!!", 25, 20),
        (
            "Завтра созвон в 10:30 по поводу найма, подготовьте вопросы кандидату и пришлите до шести вечера.",
            47,
            30,
        ),
        ("the quick brown fox jumps over the lazy dog while internationalization remains unsolved", 15, 15),
        ("КОНФИДЕНЦИАЛЬНО! НЕ ПЕРЕСЫЛАТЬ", 31, 19),
        ("我们决定把发布推迟到星期四", 14, 9),
        ("Straße, naïve, café, übermäßig, façade", 15, 12),
        ("Український текст: вирішили перенести реліз на четвер, бо їхня база ще мігрує.", 47, 25),
        ("kubectl get pods -n prod | grep -v Running", 11, 12),
    ];

    #[test]
    fn texts_of_both_languages_are_not_underestimated() {
        for (text, cl100k, o200k) in COUNTED {
            let estimated = estimate(text);
            let most = cl100k.max(o200k);
            assert!(estimated >= most, "{estimated} < {most}: {text}");
            assert!(estimated <= 3 * most, "{estimated} is far above {most}: {text}");
        }
    }

    #[test]
    fn a_request_is_its_parts_and_what_may_be_answered() {
        let mut request = ChatRequest {
            system: "abc".to_owned(),
            user: vec![Turn::user("1234")],
            schema: None,
            max_output_tokens: 100,
            temperature: None,
        };
        assert_eq!((of_request(&request), reserved(&request)), (22, 122));
        request.schema = Some(serde_json::json!({}));
        assert_eq!(of_request(&request), 32);
    }

    proptest! {
        #[test]
        fn it_is_monotonous_and_at_most_the_bytes(one in any::<String>(), other in any::<String>()) {
            let both = format!("{one}{other}");
            prop_assert!(estimate(&both) >= estimate(&one).max(estimate(&other)));
            prop_assert!(estimate(&both) <= both.len() as u64);
        }
    }
}
