//! Short reactions: agreement, acknowledgement, and the replies that are no answers.

use super::phrases::Family;
use crate::source::{Post, Source};

const AGREE_MAX_TOKENS: usize = 14;

pub(super) const AGREES: &[&str] = &[
    " ok ",
    " okay ",
    " yes ",
    " yep ",
    " yeah ",
    " sure ",
    " fine ",
    " agreed ",
    " deal ",
    " fair ",
    " makes sense ",
    " works for me ",
    " sounds good ",
    " will do ",
    " perfect ",
    " great ",
    " of course ",
    " go ",
    " love it ",
    " +1 ",
    " 1 ",
    " no objection ",
    " done ",
    " good ",
    " i can live with ",
    " bless you ",
    " thank you ",
    " thanks ",
    " on it ",
    " clear ",
    " да ",
    " ок ",
    " окей ",
    " ага ",
    " угу ",
    " хорошо ",
    " согласен ",
    " согласна ",
    " договорились ",
    " принято ",
    " я за ",
    " за ",
    " поддерживаю ",
    " давай ",
    " давайте ",
    " супер ",
    " отлично ",
    " ладно ",
    " разумно ",
    " годится ",
    " идет ",
    " без проблем ",
    " конечно ",
    " буду ",
    " согласовано ",
    " понял ",
    " поняла ",
    " спасибо ",
    " норм ",
    " вот это ",
];
pub(super) const ACKNOWLEDGES: &[&str] = &[
    " thanks ",
    " thank you ",
    " thx ",
    " got it ",
    " that worked ",
    " works ",
    " it works ",
    " clear ",
    " worked ",
    " did it ",
    " solved ",
    " спасибо ",
    " понял ",
    " поняла ",
    " ясно ",
    " понятно ",
    " записал ",
    " записала ",
    " заработало ",
    " помогло ",
    " получилось ",
];
const THANKS: &[&str] =
    &[" thanks ", " thank you ", " thx ", " many thanks ", " спасибо ", " благодарю ", " большое спасибо "];
pub(super) const NO_ANSWER: &[&str] = &[
    " no idea ",
    " don't know ",
    " dont know ",
    " not sure ",
    " no clue ",
    " not me ",
    " dunno ",
    " beats me ",
    " good question ",
    " hard to say ",
    " who knows ",
    " nobody knows ",
    " same question ",
    " i wonder ",
    " can't say ",
    " couldn't say ",
    " will ask ",
    " ask around ",
    " have to check ",
    " need to check ",
    " don't understand ",
    " не знаю ",
    " без понятия ",
    " не в курсе ",
    " понятия не ",
    " не уверен ",
    " не уверена ",
    " хороший вопрос ",
    " не помню ",
    " не у меня ",
    " хз ",
    " никто не знает ",
    " надо узнать ",
    " надо уточнить ",
    " сложно сказать ",
    " не сравнивал ",
    " не сравнивала ",
    " не пробовал ",
    " не пробовала ",
    " не сталкивался ",
    " не сталкивалась ",
    " не пользовался ",
    " не пользовалась ",
    " слишком расплывчатый ",
    " надо конкретику ",
    " нужна конкретика ",
    " мало информации ",
    " интересный таск ",
    " интересный вопрос ",
    " посмотрю ",
    " погугли ",
    " лет ми гугл ",
    " ссылка из гугла ",
    " понял тебя ",
    " понял вас ",
    " надо смотреть ",
    " ты попробуй ",
    " что ты подразумеваешь ",
    " что вы подразумеваете ",
    " что ты имеешь в виду ",
    " что вы имеете в виду ",
    " what do you mean ",
    " не смогу помочь ",
    " не подскажу ",
    " never tried ",
    " haven't tried ",
    " never used ",
    " haven't used ",
    " too vague ",
    " need more details ",
    " google it ",
    " let me google ",
    " can't help ",
    " will have a look ",
];
pub(super) const NO_ANSWER_OPENERS: &[&str] = &[
    " me too ",
    " me neither ",
    " same here ",
    " я тоже ",
    " и я ",
    " тоже ",
    " сам не ",
    " сама не ",
    " не я ",
];

/// Whether a post agrees with, thanks for or accepts what was said before it.
pub fn agrees(source: &Source<'_>, post: &Post<'_>) -> bool {
    let text = post.message.text.trim();
    if text.starts_with(['👍', '✅', '👌', '🫡', '🙋', '💯']) || text.starts_with("+1") {
        return true;
    }
    let Some(first) = source.sentences[post.sentences.clone()].first() else { return false };
    first.length <= AGREE_MAX_TOKENS && first.phrases.starts(Family::Agrees)
}

/// Whether a post says that the question before it is answered.
pub(super) fn acknowledges(source: &Source<'_>, post: &Post<'_>) -> bool {
    source.sentences[post.sentences.clone()].iter().any(|sentence| sentence.phrases.has(Family::Acknowledges))
}

/// Whether a post only thanks, be it for something that it names.
pub(super) fn thanks(source: &Source<'_>, post: &Post<'_>) -> bool {
    let mut sentences = source.sentences[post.sentences.clone()].iter();
    let first =
        sentences.next().is_some_and(|first| THANKS.iter().any(|word| first.padded.starts_with(word)));
    first && sentences.next().is_none()
}

/// Whether a post reacts to a question without answering it: "no idea", "я тоже".
pub fn declines_to_answer(source: &Source<'_>, post: &Post<'_>) -> bool {
    let sentences = &source.sentences[post.sentences.clone()];
    sentences.iter().any(|sentence| sentence.phrases.has(Family::NoAnswer))
        || sentences.first().is_some_and(|first| first.phrases.starts(Family::NoAnswerOpener))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn check(text: &str) -> (bool, bool, bool) {
        let messages = [message(1, "A", text)];
        let source = Source::new(&messages, None);
        let post = &source.posts[0];
        (agrees(&source, post), acknowledges(&source, post), declines_to_answer(&source, post))
    }

    #[test]
    fn reactions() {
        assert_eq!(check("ok, fine with me"), (true, false, false));
        assert_eq!(check("👍"), (true, false, false));
        assert_eq!(check("got it, thanks"), (false, true, false));
        assert_eq!(check("Я тоже. Там два пункта"), (false, false, true));
        assert_eq!(check("honestly no idea"), (false, false, true));
        assert_eq!(check("the table is in the hall"), (false, false, false));
    }
}
