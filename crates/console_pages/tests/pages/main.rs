//! Every page, filled by its own shape with harmless and with hostile text, as a browser reads it.
#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod filler;
mod parsed;

use console_pages::{
    Audit, Away, Calendar, Cost, Deliveries, DigestPage, Failure, Frame, Groups, Letter, LetterList, Letters,
    Login, MapPage, Mood, Page, Positions, Replay, SchemaRevisions, Search, Theme, TracePage, Transactions,
    Versions, Windows, csp, locale::Language,
};
use filler::Filler;
use parsed::Parsed;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Text that means something to a browser, or to the eye: markup, quotes, a direction override, characters without width.
const HOSTILE: &str =
    "<script>alert(1)</script>\"' onload=x &amp; &lt;b> \u{202e}\u{200b}\u{feff}--> ]]> {{7*7}}";
const PLAIN: &str = "x";
/// More than any enum of a view has variants.
const VARIANTS: usize = 8;

type Make = fn(Filler<'_>) -> Box<dyn Page>;

fn made<V: Page + DeserializeOwned + 'static>(filler: Filler<'_>) -> Box<dyn Page> {
    Box::new(V::deserialize(filler).expect("a view is of plain types"))
}

macro_rules! views {
    ($($view:ident),+) => {
        [$((stringify!($view), made::<$view> as Make)),+]
    };
}

fn views() -> [(&'static str, Make); 22] {
    views!(
        Audit,
        Away,
        Calendar,
        Cost,
        Deliveries,
        DigestPage,
        Failure,
        Groups,
        Letter,
        LetterList,
        Letters,
        Login,
        MapPage,
        Mood,
        Positions,
        Replay,
        SchemaRevisions,
        Search,
        TracePage,
        Transactions,
        Versions,
        Windows
    )
}

/// Calls back with each view in each language, full and empty, in each of its variants.
fn each(text: &str, look: &mut dyn FnMut(&str, &Frame, &str)) {
    for (name, make) in views() {
        for language in Language::ALL {
            for is_full in [true, false] {
                for variant in 0..VARIANTS {
                    let filler = Filler { text, is_full, variant };
                    let frame = frame(text, language, is_full);
                    let html = make(filler).html(&frame).expect("a page");
                    look(&format!("{name} {} {is_full} {variant}", language.code()), &frame, &html);
                }
            }
        }
    }
}

fn frame(text: &str, language: Language, is_full: bool) -> Frame {
    Frame {
        language,
        theme: if is_full { Theme::Dark } else { Theme::System },
        now_ms: 1_778_457_600_000,
        time_zone: "Europe/Moscow".to_owned(),
        tenant: is_full.then(|| text.to_owned()),
        reader: text.to_owned(),
        may_operate: is_full,
        may_administer: is_full,
        groups: vec![text.to_owned(); 2],
        path: text.to_owned(),
        query: text.to_owned(),
        form_token: text.to_owned(),
    }
}

fn parsed(name: &str, html: &str) -> Parsed {
    Parsed::of(html).unwrap_or_else(|why| panic!("{name}: {why}"))
}

#[test]
fn every_page_is_looked_at() {
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages")).expect("the pages");
    let mut pages = BTreeSet::new();
    for source in sources {
        let text = std::fs::read_to_string(source.expect("a file").path()).expect("a source");
        let named = text.split("impl Page for ").skip(1).filter_map(|rest| rest.split(' ').next());
        pages.extend(named.map(str::to_owned));
    }
    let known: BTreeSet<String> = views().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(pages, known);
}

#[test]
fn hostile_text_stays_text() {
    let mut plain = Vec::new();
    each(PLAIN, &mut |name, _, html| plain.push(format!("{:?}", parsed(name, html).skeleton())));
    let mut plain = plain.into_iter();
    each(HOSTILE, &mut |name, frame, html| {
        let page = parsed(name, html);
        assert_eq!(Some(format!("{:?}", page.skeleton())), plain.next(), "{name}");
        if frame.tenant.is_some() {
            let shown = page.texts.iter().any(|(_, text)| text.contains(HOSTILE));
            assert!(shown, "{name}: text is shown as it is");
        }
    });
}

#[test]
fn a_page_has_a_language_a_title_and_one_heading_and_runs_nothing() {
    each(HOSTILE, &mut |name, frame, html| {
        let page = parsed(name, html);
        assert!(html.starts_with("<!doctype html>"), "{name}");
        let lang = page.named("html").next().and_then(|it| it.attribute("lang"));
        assert_eq!(lang, Some(frame.language.code()), "{name}");
        let titled = page.texts.iter().any(|(within, text)| within == "title" && text.trim().len() > 10);
        assert!(titled, "{name}: title");
        assert_eq!(page.named("h1").count(), 1, "{name}: h1");
        assert_eq!(page.named("main").count(), 1, "{name}: main");
        assert_eq!((page.named("style").count(), page.named("script").count()), (0, 1), "{name}");
        assert!(page.named("script").all(|it| it.attribute("src").is_some()), "{name}");
        assert!(page.texts.iter().all(|(within, _)| within != "script"), "{name}");
        for element in &page.elements {
            let is_run = |it: &String| it == "style" || it.starts_with("on");
            assert!(!element.attributes.keys().any(is_run), "{name}: {element:?}");
            for link in ["href", "src", "action"].iter().filter_map(|it| element.attribute(it)) {
                let is_ours = link.starts_with('/') && !link.starts_with("//");
                assert!(is_ours || link.starts_with('#'), "{name}: {element:?}");
                assert!(link.is_ascii() && !link.contains(['<', '>', '"', '\'', ' ']), "{name}: {link}");
            }
        }
    });
    assert!(!csp().contains("unsafe"));
}

#[test]
fn forms_carry_their_token_and_labels_find_what_they_name() {
    each(PLAIN, &mut |name, _, html| {
        let page = parsed(name, html);
        let posts = page.named("form").filter(|it| it.attribute("method") == Some("post")).count();
        let tokens = page.named("input").filter(|it| it.attribute("name") == Some("form_token")).count();
        assert_eq!(posts, tokens, "{name}");
        let ids: Vec<&str> = page.elements.iter().filter_map(|it| it.attribute("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        for element in &page.elements {
            for name_of in ["for", "aria-labelledby", "aria-describedby"] {
                let found = element.attribute(name_of).is_none_or(|id| unique.contains(id));
                assert!(found, "{name}: {element:?}");
            }
        }
    });
}

/// Names that are the same in every language.
const NAMES: [&str; 15] = [
    "gistmill", "Kafka", "Postgres", "MODELS", "md", "Europe", "Moscow", "COMMIT", "ABORT", "Telegram",
    "UTC", "EN", "RU", "id", "Id",
];

#[test]
fn a_russian_page_has_no_english_word_and_an_english_one_no_russian() {
    each(PLAIN, &mut |name, frame, html| {
        let page = parsed(name, html);
        let own = page.texts.iter().filter(|(within, _)| !matches!(within.as_str(), "code" | "pre"));
        let told = ["aria-label", "placeholder", "title", "alt"];
        let told = page.elements.iter().flat_map(|it| told.iter().filter_map(|name| it.attribute(name)));
        let texts: Vec<&str> = own.map(|(_, text)| text.as_str()).chain(told).collect();
        let words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphabetic()));
        for word in words.filter(|word| word.chars().count() > 1 && !NAMES.contains(word)) {
            let is_latin = word.is_ascii();
            let is_own = matches!(word, "English" | "Русский");
            let is_right = is_latin == (frame.language == Language::English);
            assert!(is_own || is_right, "{name}: {word}");
        }
    });
}
