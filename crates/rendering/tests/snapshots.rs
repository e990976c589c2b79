//! The three renderings of one English and one Russian digest, byte for byte.

use proptest::prelude::*;
use rendering::{Extent, View, json, mail, markdown, terminal};
use schemas::{
    Action, Claim, Digest, DigestThread, DigestTopic, GroupSettings, LinkRef, Mood, Participant, Quality,
    WindowRef,
};

fn claim(text: &str, message_ids: &[i64]) -> Claim {
    Claim { text: text.to_owned(), message_ids: message_ids.to_vec() }
}

fn english() -> Digest {
    Digest {
        language: "en".to_owned(),
        headline: "Release 4.2 moves to Thursday".to_owned(),
        summary: vec![claim("Hannah: we're shipping Thursday, everybody awake", &[14])],
        topics: vec![DigestTopic {
            title: "release".to_owned(),
            keywords: vec!["release".to_owned(), "freeze".to_owned()],
            message_count: 9,
            threads: vec![DigestThread {
                title: "Does Friday still make sense?".to_owned(),
                message_count: 9,
                claims: vec![claim("Rui: I need *one and a half* days after freeze", &[12, 13])],
                message_ids: Vec::new(),
            }],
            message_ids: Vec::new(),
            story: Vec::new(),
            outcome: None,
        }],
        decisions: vec![claim("Hannah: shipping Thursday then", &[14])],
        questions: vec![claim("Maria: why didn't the alert fire?", &[40])],
        actions: vec![Action {
            text: "I'll have the regression checklist ready".to_owned(),
            owner: Some("Rui Tanaka".to_owned()),
            due: Some("by Wednesday noon".to_owned()),
            message_ids: vec![17],
            due_date: None,
        }],
        mood: Mood {
            label: "mixed".to_owned(),
            positive: 0.25,
            negative: 0.2,
            neutral: 0.55,
            message_ids: vec![15],
        },
        participants: vec![Participant {
            author_id: "user1".to_owned(),
            name: "Hannah Cole".to_owned(),
            role: "decider".to_owned(),
            message_count: 5,
            did: vec![claim("shipping Thursday then", &[14])],
        }],
        links: vec![LinkRef { url: "https://ci.example/builds/4417".to_owned(), message_ids: vec![1, 9] }],
        message_count: 120,
        participant_count: 9,
        quality: Quality { score: 0.81, ..Quality::default() },
        answers: Vec::new(),
        continuity: None,
        weaknesses: Vec::new(),
        claims_dropped: 0,
        facts_struck: 0,
        recalls: Vec::new(),
    }
}

fn russian() -> Digest {
    Digest {
        language: "ru".to_owned(),
        headline: "Переносим ящики за гаражи".to_owned(),
        decisions: Vec::new(),
        message_count: 21,
        participant_count: 3,
        ..english()
    }
}

fn window(hours: i32, zone: &str) -> WindowRef {
    WindowRef {
        size_hours: hours,
        window_start: 1_772_409_600_000,
        window_end: 1_772_409_600_000 + i64::from(hours) * 3_600_000,
        revision: 1,
        lane: "live".to_owned(),
        message_count: 120,
        participant_count: 9,
        settings: GroupSettings { time_zone: zone.to_owned(), ..GroupSettings::default() },
        source_partition: 0,
        source_offset: 1,
    }
}

fn view<'a>(digest: &'a Digest, window: &'a WindowRef) -> View<'a> {
    View {
        tenant_id: "acme",
        group_id: "team",
        digest_id: "d-1",
        version: "1.0",
        window,
        digest,
        extent: Extent::Page,
    }
}

/// Of two decisions of a topic the first answers what its title asks; what was said on the way is not on the page.
#[test]
fn a_decision_stands_behind_its_question_and_without_its_arguments() {
    let mut digest = english();
    let later = claim("Rui: the checklist has two pages", &[22]);
    let refused = claim("Cy: if we ship on Friday instead", &[12]);
    let answered = claim("Who has the key? — Ann: it hangs in the hall", &[18, 19]);
    digest.decisions.push(later);
    digest.topics[0] = DigestTopic {
        title: "Does Friday still make sense?".to_owned(),
        message_ids: vec![12, 13, 14, 18, 19, 22],
        story: vec![refused, answered],
        outcome: Some("decided".to_owned()),
        ..digest.topics[0].clone()
    };
    let window = window(24, "UTC");
    let page = markdown(&view(&digest, &window));
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(lines[0], r"- Does Friday still make sense? — Hannah: shipping Thursday then \[#14\]");
    assert_eq!(lines[1], r"- Rui: the checklist has two pages \[#22\]");
    assert!(lines[2].contains("Who has the key?") && !page.contains("Cy: if we ship"), "{page}");
    assert_eq!(page.matches("Does Friday").count(), 1, "{page}");
}

#[test]
fn english_markdown() {
    insta::assert_snapshot!(markdown(&view(&english(), &window(24, "UTC"))));
}

#[test]
fn russian_markdown_of_a_shorter_window() {
    insta::assert_snapshot!(markdown(&view(&russian(), &window(6, "Europe/Moscow"))));
}

#[test]
fn english_terminal() {
    insta::assert_snapshot!(terminal(&view(&english(), &window(24, "UTC")), 60, false));
}

#[test]
fn russian_terminal_in_colour() {
    let text = terminal(&view(&russian(), &window(24, "UTC")), 44, true);
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn everything_of_an_english_digest() {
    let (digest, window) = (english(), window(24, "UTC"));
    insta::assert_snapshot!(markdown(&View { extent: Extent::Everything, ..view(&digest, &window) }));
}

#[test]
fn a_glance_is_short_says_nothing_twice_and_counts_what_it_leaves_out() {
    let claims = |from: i64| {
        let text = |id| format!("Ann: {id} {}", "word ".repeat(12));
        (from..from + 9).map(|id| claim(&text(id), &[id])).collect::<Vec<_>>()
    };
    let digest = Digest {
        headline: "Hannah: shipping Thursday…".to_owned(),
        decisions: [claim("Hannah: shipping Thursday then", &[14])].into_iter().chain(claims(20)).collect(),
        summary: claims(40),
        questions: claims(60),
        ..english()
    };
    let window = window(24, "UTC");
    let glance = View { extent: Extent::Glance, ..view(&digest, &window) };
    let text = terminal(&glance, 80, false);
    assert_eq!(text.matches("shipping Thursday").count(), 1, "{text}");
    assert!(text.lines().count() <= 14, "{text}");
    let ids = |text: &str| text.matches("[#").count();
    assert_eq!(ids(&text), 6, "{text}");
    let left_out = 9 + 9 + 9 + 1 - 6;
    assert!(text.ends_with(&format!("    and {left_out} more\n")), "{text}");
}

#[test]
fn references_lead_to_the_chat_where_it_is_known() {
    let mut window = window(24, "UTC");
    window.settings.chat = Some("-1001234".to_owned());
    let text = markdown(&view(&english(), &window));
    assert!(text.contains("[#14](https://t.me/c/1234/14)"), "{text}");
    window.settings.chat = Some("@team".to_owned());
    assert!(markdown(&view(&english(), &window)).contains("\\[#14\\]"));
}

#[test]
fn pages_are_short_say_nothing_twice_and_count_what_they_leave_out() {
    let claims =
        |from: i64| (from..from + 40).map(|id| claim(&"word ".repeat(30), &[id])).collect::<Vec<_>>();
    for (message_count, most) in [(20, 1_500), (500, 3_500)] {
        let digest = Digest {
            summary: claims(0),
            decisions: claims(0),
            questions: claims(100),
            message_count,
            ..english()
        };
        let text = markdown(&view(&digest, &window(24, "UTC")));
        assert!(text.chars().count() <= most, "{}", text.chars().count());
        assert_eq!(text.matches("\\[#1\\]").count(), 1);
        assert!(text.contains("and 32 more") || text.contains("and 3"), "{text}");
    }
}

#[test]
fn a_page_of_few_lines_has_no_headings() {
    let digest = Digest {
        topics: Vec::new(),
        links: Vec::new(),
        questions: Vec::new(),
        actions: Vec::new(),
        summary: vec![claim("Ann: the pump works", &[1])],
        decisions: vec![claim("Bob: we keep it", &[2])],
        message_count: 12,
        ..english()
    };
    let text = markdown(&view(&digest, &window(24, "UTC")));
    assert!(
        !text.contains("## ") && text.lines().filter(|line| line.starts_with("- ")).count() == 2,
        "{text}"
    );
}

#[test]
fn both_forms_of_a_mail_have_the_same_lines() {
    for digest in [english(), russian()] {
        let mail = mail(&view(&digest, &window(24, "UTC")), "footer");
        let html = mail.html.replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&");
        let shown = tags_out(&html);
        for line in mail.text.lines().filter(|line| !line.trim().is_empty() && *line != "-- ") {
            let words = line.trim().trim_start_matches("• ");
            assert!(shown.contains(words), "{words} is not in {shown}");
        }
    }
}

/// What stands between tags.
fn tags_out(html: &str) -> String {
    let after = |part: &str| part.split_once('>').map_or_else(String::new, |(_, text)| text.to_owned());
    html.split('<').map(after).collect()
}

#[test]
fn english_json() {
    insta::assert_snapshot!(json(&view(&english(), &window(24, "UTC"))));
}

proptest! {
    #[test]
    fn any_text_renders_without_control_characters(text in any::<String>(), start in any::<i64>(), width in 0usize..200) {
        let digest = Digest { headline: text.clone(), summary: vec![claim(&text, &[1])], ..english() };
        let window = WindowRef { window_start: start, window_end: start.wrapping_add(1), ..window(24, &text) };
        let view = view(&digest, &window);
        prop_assert!(!terminal(&view, width, false).contains(|c: char| c.is_control() && c != '\n'));
        let escape = '\u{1b}';
        prop_assert!(!markdown(&view).contains(escape));
        prop_assert!(json(&view).ends_with('\n'));
    }
}
