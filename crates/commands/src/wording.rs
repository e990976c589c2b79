//! What the bot says, in Russian and English.
//!
//! Invariant: plain text without markup; a message is within what a chat takes.

use crate::{Name, mute, settings};
use text::Language;

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    about: &'static str,
    start_in_a_group: &'static str,
    start_elsewhere: &'static str,
    start_alone: &'static str,
    commands: &'static str,
    /// How to ask for a digest.
    pub digest_usage: &'static str,
    /// Digests are switched off for the group's tenant.
    pub switched_off: &'static str,
    /// The chat is no group's.
    pub not_linked: &'static str,
    /// Nobody knows when the person wrote last.
    pub missed_unknown: &'static str,
    /// Who asks is no person.
    pub missed_by_nobody: &'static str,
    pub(crate) settings: settings::Words,
    /// The bot may not write to the person alone.
    pub open_me: &'static str,
    /// The chat is a group's from now on.
    pub linked: &'static str,
    /// The chat is another group's.
    pub linked_to_another: &'static str,
    /// No chat can be linked by this code.
    pub no_such_code: &'static str,
    /// A chat with one person is no group's.
    pub link_in_a_group: &'static str,
    /// Said once where too many codes were tried.
    pub too_many_codes: &'static str,
    empty_window: &'static str,
    low_quality: &'static str,
    missing_scope: &'static str,
    not_made: &'static str,
    /// Said once where too many commands came.
    pub too_many: &'static str,
    /// A time that is none.
    pub mute_usage: &'static str,
    /// The chat gets digests again.
    pub unmuted: &'static str,
    /// It gets none anyway.
    pub not_posted_here: &'static str,
    /// A command of who runs the chat, by somebody else.
    pub administrators_alone: &'static str,
    /// The same, where nobody can be asked who that is.
    pub administrators_unseen: &'static str,
    /// Digests come to the person.
    pub subscribed: &'static str,
    /// They do not any more.
    pub unsubscribed: &'static str,
    /// What a button says that ends it.
    pub unsubscribe_button: &'static str,
    /// Where it is asked for.
    pub subscribe_in_a_group: &'static str,
    /// The bot may not write to the person.
    pub subscribe_open_me: &'static str,
    /// The person is not known to be in the chat.
    pub subscribe_not_there: &'static str,
    /// There are as many as there may be.
    pub subscribers_too_many: &'static str,
    muted: &'static str,
    muted_then: &'static str,
    muted_for_good: &'static str,
    of: fn(Name) -> &'static str,
}

const EN: Words = Words {
    about: "This bot sums up what was said in a chat: decisions, questions, who does what, with a link to each message.",
    start_in_a_group: "This chat is read, and its digests come here when their time is over.",
    start_elsewhere: "This chat is linked to no group yet, so that nothing of it is read or kept. Whoever runs the bot makes a \
                      code for it; write it here: /link CODE.",
    start_alone: "Add me to a group to read along there.",
    commands: "Commands:",
    digest_usage: "Say how far back, from 5 minutes to 7 days: /digest 90m, /digest 3h, /digest 2d.",
    switched_off: "Digests are switched off here.",
    not_linked: "This works in a chat that is linked to a group.",
    missed_unknown: "I know of nothing that you wrote here. Ask for a time instead: /digest 3h.",
    missed_by_nobody: "I answer this to a person alone. Write it as yourself, not in the name of a group or channel.",
    settings: settings::EN,
    open_me: "The answer is for you alone, and I may not write to you yet: open a chat with me, press Start, then ask here again.",
    linked: "This chat is linked: what is written from now on is read, and /digest makes a digest of it.",
    linked_to_another: "This chat is linked already, to another group. Whoever runs the bot can unlink it: gistmill group unlink.",
    no_such_code: "No chat is linked by this code: it is mistyped, was used, or its time is over. Whoever runs the bot makes a new \
                   one: gistmill group link --code. Write it here: /link CODE.",
    link_in_a_group: "A group's chat is linked there: write /link CODE in it.",
    too_many_codes: "That was a lot of codes. Wait an hour, then try again.",
    empty_window: "Nobody has written in that time.",
    low_quality: "There is too little to tell of that time. Try a longer one: /digest 24h.",
    missing_scope: "This group is not granted digests. Whoever runs the bot can grant them.",
    not_made: "There is no digest of that time",
    too_many: "That was a lot of commands. Wait a minute, then ask again.",
    mute_usage: "Say for how long, from 5 minutes to 30 days: /mute 8h, /mute 3d; or /mute alone, until /unmute.",
    unmuted: "Digests are posted here again. Those of the time until now are not: /digest 24h makes one.",
    not_posted_here: "The digests of this group do not come to this chat.",
    administrators_alone: "Administrators of this chat alone can do that.",
    administrators_unseen: "Administrators of this chat alone can do that, and Telegram does not tell me who they are: make me one of them, \
                            then write it again.",
    subscribed: "The digests of this group come to our private chat from now on. /unsubscribe ends that, and so does the button below each.",
    unsubscribed: "No more digests come to our private chat.",
    unsubscribe_button: "Unsubscribe",
    subscribe_in_a_group: "Write /subscribe in the group's chat.",
    subscribe_open_me: "I may not write to you yet: open a chat with me and press Start.",
    subscribe_not_there: "Digests of a group are for those who are in its chat, and Telegram does not tell me that you are.",
    subscribers_too_many: "This group has as many subscribers as it may have.",
    muted: "No digests are posted here until ",
    muted_then: "Commands are still answered; /unmute ends this earlier.",
    muted_for_good: "No digests are posted here any more. Commands are still answered; /unmute ends this.",
    of: |name| match name {
        Name::Subscribe => "its digests in a private chat too, for you alone",
        Name::Unsubscribe => "no more of them",
        Name::Mute => "no digests here for a while: /mute 8h, /mute 3d; administrators alone",
        Name::Unmute => "digests here again; administrators alone",
        Name::Start => "what this bot is for",
        Name::Missed => "a digest since you last wrote, for you alone",
        Name::Settings => "what holds for this group",
        Name::Link => "links this chat by a code that whoever runs the bot has made",
        Name::Digest => "a digest of the last day; /digest 3h of the last three hours",
        Name::Help => "this list",
    },
};

const RU: Words = Words {
    about: "Этот бот пересказывает, о чём говорили в чате: решения, вопросы, кто что делает, со ссылкой на каждое сообщение.",
    start_in_a_group: "Этот чат читается, и сводки приходят сюда, когда заканчивается их время.",
    start_elsewhere: "Этот чат ещё не связан ни с одной группой: из него ничего не читается и не хранится. Тот, у кого работает бот, \
                      даст код; напишите его здесь: /link КОД.",
    start_alone: "Добавьте меня в группу, чтобы я читал её.",
    commands: "Команды:",
    digest_usage: "Скажите, за какое время, от 5 минут до 7 дней: /digest 90м, /digest 3ч, /digest 2д.",
    switched_off: "Сводки здесь выключены.",
    not_linked: "Это работает в чате, который связан с группой.",
    missed_unknown: "Я не знаю, когда вы здесь писали. Спросите за время: /digest 3ч.",
    missed_by_nobody: "На это я отвечаю только человеку. Напишите от своего имени, а не от имени группы или канала.",
    settings: settings::RU,
    open_me: "Ответ только для вас, а писать вам я пока не могу: откройте чат со мной, нажмите «Запустить» и спросите здесь снова.",
    linked: "Чат связан: то, что пишут с этого момента, читается, и /digest делает из этого сводку.",
    linked_to_another: "Этот чат уже связан с другой группой. Развязать его может тот, у кого работает бот: gistmill group unlink.",
    no_such_code: "По этому коду чат не связать: в нём опечатка, он использован или истёк. Новый делает тот, у кого работает бот: \
                   gistmill group link --code. Напишите его здесь: /link КОД.",
    link_in_a_group: "Чат группы связывают в нём самом: напишите там /link КОД.",
    too_many_codes: "Слишком много кодов. Подождите час и попробуйте снова.",
    empty_window: "За это время никто ничего не написал.",
    low_quality: "За это время почти не о чем рассказать. Попробуйте взять больше: /digest 24ч.",
    missing_scope: "Этой группе сводки не разрешены. Разрешить их может тот, у кого работает бот.",
    not_made: "Сводки за это время нет",
    too_many: "Слишком много команд. Подождите минуту и спросите снова.",
    mute_usage: "Скажите, на сколько, от 5 минут до 30 дней: /mute 8ч, /mute 3д; или просто /mute, до /unmute.",
    unmuted: "Сводки снова приходят сюда. За прошедшее время не придут: её сделает /digest 24ч.",
    not_posted_here: "Сводки этой группы в этот чат не приходят.",
    administrators_alone: "Это могут только администраторы чата.",
    administrators_unseen: "Это могут только администраторы чата, а Telegram не говорит мне, кто они: сделайте меня администратором и \
                            напишите снова.",
    subscribed: "Сводки этой группы теперь приходят и в наш личный чат. Отписаться: /unsubscribe или кнопка под сводкой.",
    unsubscribed: "В личный чат сводки больше не приходят.",
    unsubscribe_button: "Отписаться",
    subscribe_in_a_group: "Напишите /subscribe в чате группы.",
    subscribe_open_me: "Писать вам я пока не могу: откройте чат со мной и нажмите «Запустить».",
    subscribe_not_there: "Сводки группы – для тех, кто в её чате, а Telegram не говорит мне, что вы там.",
    subscribers_too_many: "У этой группы уже столько подписчиков, сколько может быть.",
    muted: "Сводки не приходят сюда до ",
    muted_then: "На команды я отвечаю; вернуть сводки раньше: /unmute.",
    muted_for_good: "Сводки сюда больше не приходят. На команды я отвечаю; вернуть сводки: /unmute.",
    of: |name| match name {
        Name::Subscribe => "сводки этой группы и в личный чат, только для вас",
        Name::Unsubscribe => "больше не присылать их",
        Name::Mute => "сводок здесь пока не будет: /mute 8ч, /mute 3д; только для администраторов",
        Name::Unmute => "сводки здесь снова будут; только для администраторов",
        Name::Start => "для чего этот бот",
        Name::Missed => "сводка с тех пор, как вы писали, только для вас",
        Name::Settings => "что действует для этой группы",
        Name::Link => "связать этот чат по коду, который сделал тот, у кого работает бот",
        Name::Digest => "сводка за последние сутки; /digest 3ч – за три часа",
        Name::Help => "этот список",
    },
};

/// The words of a language.
pub fn words(language: Language) -> &'static Words {
    match language {
        Language::Ru => &RU,
        Language::En => &EN,
    }
}

impl Words {
    /// What the bot is for, and whether the chat is a group's.
    pub fn start(&self, is_linked: bool) -> String {
        let state = if is_linked { self.start_in_a_group } else { self.start_elsewhere };
        self.introduced(state)
    }

    /// The same in a chat with one person.
    pub fn start_alone(&self) -> String {
        self.introduced(self.start_alone)
    }

    /// Why there is no digest, by the reason of `digest.blocked`.
    pub fn blocked(&self, reason: &str) -> String {
        match reason {
            "empty_window" => self.empty_window.to_owned(),
            "low_quality" => self.low_quality.to_owned(),
            "missing_scope" => self.missing_scope.to_owned(),
            other => format!("{} ({other}).", self.not_made),
        }
    }

    /// That no digests are posted, until when in the group's time zone.
    pub fn muted(&self, until_ms: i64, time_zone: &str) -> String {
        match mute::told(until_ms, time_zone) {
            Some(until) => format!("{}{until}. {}", self.muted, self.muted_then),
            None => self.muted_for_good.to_owned(),
        }
    }

    fn introduced(&self, state: &str) -> String {
        format!("{}\n\n{state}\n\n{}", self.about, self.help())
    }

    /// The commands that there are.
    pub fn help(&self) -> String {
        let line = |name: Name| format!("/{} – {}", name.as_str(), (self.of)(name));
        let lines: Vec<String> = Name::ALL.into_iter().map(line).collect();
        format!("{}\n{}", self.commands, lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_each_command_and_no_other() {
        for language in [Language::Ru, Language::En] {
            let help = words(language).help();
            let named: Vec<&str> = help.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
            let known: Vec<String> = Name::ALL.iter().map(|name| format!("/{}", name.as_str())).collect();
            assert_eq!(named, known);
        }
    }

    #[test]
    fn a_chat_is_told_whether_it_is_read() {
        let [linked, not] = [true, false].map(|is_linked| words(Language::En).start(is_linked));
        assert!(
            linked.contains("This chat is read") && linked.ends_with(&words(Language::En).help()),
            "{linked}"
        );
        assert!(not.contains("linked to no group") && !not.contains("This chat is read"), "{not}");
    }
}
