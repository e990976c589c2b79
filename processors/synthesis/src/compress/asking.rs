//! Takes off what stands before a question: whoever knows may tell the one who asks.
//!
//! Invariant: nothing goes but words of asking, and only where the question itself follows them.

mod lexis;

use lexis::{ASKED, ASKS_FOR, BESIDE_ASKING, LEAVE_FOR, MAY_ASK, NAMES_A_QUESTION, WANTS_TELLING};
use text::{Token, tokenize};

/// Bytes at a text's start that are looked at.
const HEAD_CHARS: usize = 160;
/// Least words of a question that stands without what was before it.
const ASKED_WORDS_MIN: usize = 4;
/// Most words before a question.
const WORDS_MAX: usize = 14;

/// The text from its question on, where only words of asking stand before it.
pub(super) fn without_request(text: &str) -> Option<&str> {
    let end = text.char_indices().nth(HEAD_CHARS).map_or(text.len(), |(at, _)| at);
    let head = &text[..end];
    let tokens = tokenize(head);
    let of_asking = |token: &&Token| is(WANTS_TELLING, token) || is(BESIDE_ASKING, token);
    let run = tokens.iter().take(WORDS_MAX).take_while(of_asking).count();
    let wants = tokens[..run].iter().position(|token| is(WANTS_TELLING, token))?;
    let asked = (wants + 1..=run).rev().find(|at| asks_from(&tokens[*at..]) && whole(head, &tokens[..=*at]));
    let with_preposition =
        |at: usize| if at > wants + 1 && is(ASKS_FOR, &tokens[at - 1]) { at - 1 } else { at };
    let start = asked.map(|at| tokens[with_preposition(at)].range.start);
    let start = start.or_else(|| after_named(head, &tokens[..run]));
    start.filter(|start| *start < text.len()).map(|start| &text[start..])
}

/// The text from the question on that one of its clauses asks to be told, where that has a few words: what stands before
/// it is how the asker came to it.
pub(crate) fn from_request(text: &str) -> Option<&str> {
    let starts = super::clauses(text).into_iter().map(|clause| clause.start);
    let mut asked = starts.filter_map(|start| without_request(text[start..].trim_start()));
    asked.rfind(|asked| tokenize(asked).len() >= ASKED_WORDS_MIN)
}

/// Whether a text asks for nothing but leave to ask.
pub(crate) fn only_asks(text: &str) -> bool {
    let tokens = tokenize(text);
    let of_asking =
        |token: &Token| [WANTS_TELLING, BESIDE_ASKING, MAY_ASK].iter().any(|list| is(list, token));
    tokens.iter().any(|token| is(LEAVE_FOR, token)) && tokens.iter().all(of_asking)
}

/// Whether a question starts here: with its word, with one after a preposition, or with one that `ли` follows.
fn asks_from(tokens: &[Token]) -> bool {
    let Some(first) = tokens.first() else { return false };
    let second = tokens.get(1);
    let follows = |list: &[&str]| second.is_some_and(|second| is(list, second));
    is(ASKED, first) || follows(&["ли"]) || (is(ASKS_FOR, first) && follows(ASKED))
}

/// Where a text goes on after a first clause that only says that a question comes.
fn after_named(head: &str, run: &[Token]) -> Option<usize> {
    let last = run.iter().rposition(|token| is(NAMES_A_QUESTION, token))?;
    let end = run[last].range.end;
    let mark = head[end..].trim_start();
    mark.starts_with([',', ':', '-', '–', '—', '.']).then_some(end)
}

/// Whether no sentence ends among these words.
fn whole(head: &str, tokens: &[Token]) -> bool {
    let gaps = tokens.windows(2).map(|pair| &head[pair[0].range.end..pair[1].range.start]);
    gaps.into_iter().all(|gap| !gap.contains('?'))
}

fn is(list: &[&str], token: &Token) -> bool {
    list.contains(&token.text.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_asks_to_be_told_goes() {
        for (text, wanted) in [
            ("Просветите меня, пожалуйста, как отправить параметр", "как отправить параметр"),
            (
                "Интересует такой вопрос, всегда ли нужно оборачивать запрос",
                "всегда ли нужно оборачивать запрос",
            ),
            ("может кто сможет подсказать в чем проблема?", "в чем проблема?"),
            ("Подскажите с чем может быть связана ошибка", "с чем может быть связана ошибка"),
            ("У меня вопрос по ходу, есть ли смысл", "есть ли смысл"),
            ("Кто-нибудь знает, можно ли это исправить?", "можно ли это исправить?"),
            ("could someone please tell me why the build fails?", "why the build fails?"),
            ("I was wondering how the key is kept", "how the key is kept"),
        ] {
            assert_eq!(without_request(text), Some(wanted), "{text}");
        }
        assert_eq!(without_request("Такой вопросик - gateway падает"), Some(" - gateway падает"));
    }

    #[test]
    fn how_the_asker_came_to_it_goes() {
        let text = "Недавно в чате, подскажите, можно ли в запрос вставить элемент массива";
        assert_eq!(from_request(text), Some("можно ли в запрос вставить элемент массива"));
        assert_eq!(from_request("The gateway fails, does anyone know why?"), None);
        assert_eq!(from_request("Можно ли в запрос вставить элемент массива?"), None);
    }

    #[test]
    fn leave_to_ask_is_no_question() {
        for text in ["Могу задать еще вопрос?", "Можно вопрос?", "may I ask a question?"]
        {
            assert!(only_asks(text), "{text}");
        }
        for text in
            ["Можно вопрос по шлюзу?", "Кто может?", "Кто-нибудь знает?", "Does anyone know the key?", ""]
        {
            assert!(!only_asks(text), "{text}");
        }
    }

    #[test]
    fn what_says_more_stays() {
        for text in [
            "Кто-нибудь использует ansible для тестов?",
            "Есть ли у кого опыт работы с k6?",
            "Может быть, завтра",
            "Как это сделать?",
            "Who can restart the gateway?",
            "Не знаю",
            "Тут не как в прошлый раз",
            "Может стоит перезапустить шлюз?",
            "Есть кто? Как дела",
        ] {
            assert_eq!(without_request(text), None, "{text}");
        }
    }
}
