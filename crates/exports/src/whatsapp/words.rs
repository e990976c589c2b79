//! What phones write into an export in their own language.
//!
//! A word that is missing here is no fault: a line then counts as text. What is told by its form (brackets, marks, the
//! names that WhatsApp gives to files) needs no word.

use super::marks::{is_blank, is_mark};

/// Half of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Morning,
    Afternoon,
}

const MORNING: [&str; 17] = [
    "am",
    "vm",
    "上午",
    "凌晨",
    "早上",
    "오전",
    "午前",
    "ص",
    "قظ",
    "πμ",
    "öö",
    "sa",
    "pg",
    "dop",
    "πρωί",
    "पूर्वाह्न",
    "dp",
];
const AFTERNOON: [&str; 17] = [
    "pm",
    "nm",
    "下午",
    "中午",
    "晚上",
    "오후",
    "午後",
    "م",
    "بظ",
    "μμ",
    "ös",
    "ch",
    "ptg",
    "odp",
    "μεσημέρι",
    "अपराह्न",
    "mp",
];
/// Words around a time that say nothing.
const EMPTY: [&str; 12] = ["", "um", "uhr", "à", "klo", "kl", "at", "hs", "h", "в", "o", "las"];

/// A text that no phone writes beside a time.
#[derive(Debug)]
pub(super) struct Other;

/// What the text beside a time says of it.
pub(super) fn half(text: &str) -> Result<Option<Half>, Other> {
    let plain: String =
        text.chars().filter(|c| !is_mark(*c) && !is_blank(*c) && !matches!(c, '.' | ',' | '،')).collect();
    let plain = plain.to_lowercase();
    if MORNING.contains(&plain.as_str()) {
        return Ok(Some(Half::Morning));
    }
    if AFTERNOON.contains(&plain.as_str()) {
        return Ok(Some(Half::Afternoon));
    }
    if EMPTY.contains(&plain.as_str()) { Ok(None) } else { Err(Other) }
}

const DELETED: [&str; 27] = [
    "this message was deleted",
    "you deleted this message",
    "diese nachricht wurde gelöscht",
    "du hast diese nachricht gelöscht",
    "se eliminó este mensaje",
    "este mensaje fue eliminado",
    "eliminaste este mensaje",
    "ce message a été supprimé",
    "vous avez supprimé ce message",
    "questo messaggio è stato eliminato",
    "hai eliminato questo messaggio",
    "esta mensagem foi apagada",
    "mensagem apagada",
    "você apagou esta mensagem",
    "данное сообщение удалено",
    "это сообщение удалено",
    "сообщение удалено",
    "вы удалили данное сообщение",
    "вы удалили это сообщение",
    "це повідомлення видалено",
    "ви видалили це повідомлення",
    "dit bericht is verwijderd",
    "u hebt dit bericht verwijderd",
    "ta wiadomość została usunięta",
    "usunięto tę wiadomość",
    "bu mesaj silindi",
    "bu mesajı sildiniz",
];

/// True where the text stands for one that was deleted.
pub(super) fn is_deleted(text: &str) -> bool {
    text.len() < 200 && DELETED.contains(&plain(text).as_str())
}

const EDITED: [&str; 13] = [
    "this message was edited",
    "diese nachricht wurde bearbeitet",
    "se editó este mensaje",
    "ce message a été modifié",
    "questo messaggio è stato modificato",
    "mensagem editada",
    "esta mensagem foi editada",
    "сообщение изменено",
    "данное сообщение изменено",
    "це повідомлення відредаговано",
    "dit bericht is bewerkt",
    "ta wiadomość została edytowana",
    "bu mesaj düzenlendi",
];

/// True for what stands in `<>` after a text that was changed.
pub(super) fn is_edited(text: &str) -> bool {
    text.len() < 200 && EDITED.contains(&plain(text).as_str())
}

const ATTACHED: [&str; 12] = [
    "file attached",
    "datei angehängt",
    "archivo adjunto",
    "fichier joint",
    "file allegato",
    "arquivo anexado",
    "файл добавлен",
    "файл прикреплён",
    "файл додано",
    "bestand bijgevoegd",
    "plik dołączony",
    "dosya ekli",
];

/// True for what stands in `()` after the name of a file.
pub(super) fn is_attached(text: &str) -> bool {
    text.len() < 100 && ATTACHED.contains(&plain(text).as_str())
}

/// Stems of words for "left out".
const OMITTED: [&str; 26] = [
    "omitted",
    "weggelassen",
    "ausgeschlossen",
    "omitid",
    "oculto",
    "oculta",
    "omis",
    "absent",
    "omess",
    "omesso",
    "ocultad",
    "отсутству",
    "пропущен",
    "без медиа",
    "опущен",
    "пропущено",
    "weggelaten",
    "pominięt",
    "dahil edilmedi",
    "edilmedi",
    "略",
    "含まれていません",
    "생략",
    "utelat",
    "udelad",
    "vynech",
];
/// Stems of words for an attachment, and its kind.
const KINDS: [(&str, &str); 30] = [
    ("video note", "video_message"),
    ("image", "photo"),
    ("photo", "photo"),
    ("bild", "photo"),
    ("foto", "photo"),
    ("imagen", "photo"),
    ("imagem", "photo"),
    ("immagine", "photo"),
    ("изображен", "photo"),
    ("фото", "photo"),
    ("afbeelding", "photo"),
    ("obraz", "photo"),
    ("video", "video_file"),
    ("vídeo", "video_file"),
    ("видео", "video_file"),
    ("audio", "voice_message"),
    ("áudio", "voice_message"),
    ("аудио", "voice_message"),
    ("sticker", "sticker"),
    ("figurinha", "sticker"),
    ("стикер", "sticker"),
    ("gif", "animation"),
    ("document", "file"),
    ("dokument", "file"),
    ("документ", "file"),
    ("contact", "contact"),
    ("kontakt", "contact"),
    ("contato", "contact"),
    ("контакт", "contact"),
    ("画像", "photo"),
];

/// The kind of the attachment that a few words say was left out.
pub(super) fn omitted(text: &str) -> Option<&'static str> {
    let plain = plain(text);
    if plain.chars().count() > 40 || plain.split_whitespace().count() > 5 || plain.contains('\n') {
        return None;
    }
    OMITTED.iter().any(|stem| plain.contains(stem)).then(|| kind_named(&plain))
}

fn kind_named(plain: &str) -> &'static str {
    KINDS.iter().find(|(stem, _)| plain.contains(stem)).map_or("file", |(_, kind)| kind)
}

/// The kind of a file by its name.
pub(super) fn kind_of_file(name: &str) -> &'static str {
    let lower = name.to_lowercase();
    match lower.rsplit('.').next().unwrap_or_default() {
        "webp" => "sticker",
        "jpg" | "jpeg" | "png" | "heic" => "photo",
        "mp4" | "mov" | "3gp" => "video_file",
        "opus" | "m4a" | "amr" | "ogg" => "voice_message",
        "mp3" | "aac" | "wav" => "audio_file",
        "gif" => "animation",
        "vcf" => "contact",
        _ => "file",
    }
}

/// Stems of the notice that a chat is encrypted, which iPhones put into the mouth of a person.
const ENCRYPTED: [&str; 11] = [
    "end-to-end encrypt",
    "ende-zu-ende-verschlüssel",
    "cifrado de extremo a extremo",
    "cifrados de extremo a extremo",
    "chiffrés de bout en bout",
    "crittografati end-to-end",
    "criptografia de ponta a ponta",
    "сквозным шифрованием",
    "наскрізним шифруванням",
    "end-to-end versleuteld",
    "uçtan uca şifreli",
];

/// True for the notice with which an export begins.
pub(super) fn is_notice(text: &str) -> bool {
    let plain = plain(text);
    text.len() > 60 && text.len() < 600 && ENCRYPTED.iter().any(|stem| plain.contains(stem))
}

/// Lower case, without marks, without the last full stop.
fn plain(text: &str) -> String {
    let plain: String =
        text.chars().filter(|c| !is_mark(*c)).map(|c| if is_blank(c) { ' ' } else { c }).collect();
    plain.trim().trim_end_matches(['.', '。']).to_lowercase()
}
