//! Phrases that tell how something is said: advice, condition, courtesy; folded and between spaces, Russian and English.

/// Speaks to somebody about what that one does.
pub(in crate::acts) const SECOND_PERSON: &[&str] = &[
    " you ",
    " your ",
    " you're ",
    " you'll ",
    " ты ",
    " вы ",
    " тебе ",
    " вам ",
    " тебя ",
    " вас ",
    " твой ",
    " твоя ",
    " ваш ",
    " ваша ",
    " ваши ",
    " вами ",
    " тобой ",
    " попробуй ",
    " попробуйте ",
    " посмотри ",
    " посмотрите ",
    " делай ",
    " делайте ",
    " используй ",
    " используйте ",
    " бери ",
    " смотри ",
    " смотрите ",
];

/// Holds only under a condition.
pub(in crate::acts) const CONDITION: &[&str] = &[
    " if ",
    " unless ",
    " when ",
    " in case ",
    " если ",
    " когда ",
    " либо ",
    " допустим ",
    " например ",
    " иначе ",
    " вдруг ",
    " бы ",
];

/// Says what one may or ought to do, without saying who.
pub(in crate::acts) const ADVICE: &[&str] = &[
    " should ",
    " need to ",
    " have to ",
    " must ",
    " better ",
    " can ",
    " можно ",
    " надо ",
    " нужно ",
    " стоит ",
    " лучше ",
    " следует ",
    " придется ",
    " достаточно ",
    " рекомендую ",
    " советую ",
    " необходимо ",
];

/// Thanks and politeness.
pub(in crate::acts) const COURTESY: &[&str] = &[
    " thanks ",
    " thank you ",
    " thx ",
    " cheers ",
    " спасибо ",
    " благодарю ",
    " спс ",
    " пасиб ",
    " понял ",
    " поняла ",
    " ясно ",
    " понятно ",
    " буду рад ",
    " буду благодарен ",
    " буду признателен ",
];

/// Will try, look or read for oneself: what follows advice, not a promise.
pub(in crate::acts) const TRY: &[&str] = &[
    " i'll try ",
    " will try ",
    " i'll check it out ",
    " i'll have a look ",
    " i'll take a look ",
    " i'll read ",
    " попробую ",
    " попробуем ",
    " проверю ",
    " почитаю ",
    " поизучаю ",
    " изучу ",
    " гляну ",
    " посмотрю ",
    " поищу ",
    " поковыряю ",
    " потыкаю ",
    " погуглю ",
    " поэкспериментирую ",
    " подумаю ",
    " буду пробовать ",
    " учту ",
    " попытаюсь ",
    " постараюсь ",
];

/// Speaks of what is always so.
pub(in crate::acts) const HABIT: &[&str] = &[
    " usually ",
    " always ",
    " often ",
    " sometimes ",
    " every time ",
    " обычно ",
    " всегда ",
    " часто ",
    " иногда ",
    " каждый раз ",
    " в принципе ",
    " как правило ",
    " вообще ",
    " просто ",
];

/// Signs of a smile or a laugh.
pub(in crate::acts) const LAUGHS: &[&str] =
    &["))", ":)", ":D", "xD", "XD", "😂", "😁", "😄", "🤣", "ахах", "хаха", "lol", "haha", "😅"];
