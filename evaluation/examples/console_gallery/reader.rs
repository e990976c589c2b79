//! Pages of readers, of a sample.

use crate::{
    Named,
    sample::{Day, Sample, ZONE},
};
use console_pages::{
    Away, BlockedLine, Calendar, Citation, DeliveryLine, DigestHit, DigestPage, Failure, Group, Groups,
    Login, LoginProblem, MessageHit, Mood, MoodPoint, Participation, Search, Side, Versions,
};

const HOUR_MS: i64 = 3_600_000;

pub(crate) fn pages(sample: &Sample) -> Vec<Named> {
    let day = &sample.days[1];
    vec![
        ("login", Box::new(Login { problem: Some(LoginProblem::WrongKey), next: "/console".to_owned() })),
        ("failure", Box::new(failure())),
        ("groups", Box::new(groups(sample))),
        ("groups_empty", Box::new(Groups::default())),
        ("calendar", Box::new(calendar(sample))),
        ("calendar_empty", Box::new(Calendar { digests: vec![], blocked: vec![], ..calendar(sample) })),
        ("digest", Box::new(digest(sample, day))),
        ("digest_withdrawn", Box::new(withdrawn(sample, day))),
        ("versions", Box::new(versions(sample, day))),
        ("search", Box::new(search(sample))),
        ("search_first", Box::new(Search::default())),
        ("away", Box::new(away(sample))),
        ("mood", Box::new(mood(sample))),
    ]
}

fn failure() -> Failure {
    Failure {
        status: 404,
        detail: "6f0c2c0e".to_owned(),
        request_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
    }
}

fn groups(sample: &Sample) -> Groups {
    let newest = sample.days.last().map(|day| day.line.clone());
    let messages = sample.days.iter().map(|day| i64::from(day.line.message_count)).sum();
    let told = Group { group_id: sample.group.clone(), messages: Some(messages), newest };
    let quiet = Group { group_id: "on-call".to_owned(), messages: Some(2), newest: None };
    Groups { groups: vec![told, quiet] }
}

fn calendar(sample: &Sample) -> Calendar {
    let first = &sample.days[0].line;
    let (year, month) = if first.language == "ru" { (2026, 4) } else { (2026, 3) };
    let mut digests = sample.lines();
    // A month that is told in halves of days too.
    for line in sample.lines() {
        let half = line.window_start_ms + 12 * HOUR_MS;
        for (from, to, part) in [(line.window_start_ms, half, 2), (half, line.window_end_ms, 3)] {
            let message_count = line.message_count * part / 5;
            digests.push(console_pages::DigestLine {
                size_hours: 12,
                window_start_ms: from,
                window_end_ms: to,
                message_count,
                ..line.clone()
            });
        }
    }
    let blocked = BlockedLine {
        window_id: "w".to_owned(),
        window_start_ms: first.window_start_ms - 24 * HOUR_MS,
        window_end_ms: first.window_start_ms,
        reason: "too_small".to_owned(),
        message_count: 3,
    };
    Calendar {
        group_id: sample.group.clone(),
        time_zone: ZONE.to_owned(),
        year,
        month,
        digests,
        blocked: vec![blocked],
        has_earlier: true,
        has_later: false,
    }
}

fn digest(sample: &Sample, day: &Day) -> DigestPage {
    let sent = DeliveryLine {
        digest_id: day.line.digest_id.clone(),
        version: day.line.version.clone(),
        channel: "telegram".to_owned(),
        chat: "-1001234567890/45".to_owned(),
        part: 1,
        status: "sent".to_owned(),
        at_ms: day.line.window_end_ms + 4_000,
    };
    DigestPage {
        line: day.line.clone(),
        time_zone: ZONE.to_owned(),
        blocks: day.blocks(),
        messages: day.said(),
        chat_address: day.chat_address(),
        versions: vec![day.version(6), day.before(&sample.group).version(0)],
        deliveries: vec![sent],
        before: Some(sample.days[0].line.digest_id.clone()),
        after: Some(sample.days[2].line.digest_id.clone()),
    }
}

fn withdrawn(sample: &Sample, day: &Day) -> DigestPage {
    let mut page = digest(sample, &day.before(&sample.group));
    page.line.headline.clear();
    page.blocks.clear();
    page.versions = vec![day.version(6), day.before(&sample.group).version(0)];
    page
}

fn versions(sample: &Sample, day: &Day) -> Versions {
    let before = day.before(&sample.group);
    let side = |day: &Day| Side {
        digest_id: day.line.digest_id.clone(),
        version: day.line.version.clone(),
        lines: day.text(),
    };
    Versions {
        group_id: sample.group.clone(),
        window_id: day.line.window_id.clone(),
        time_zone: ZONE.to_owned(),
        window_start_ms: day.line.window_start_ms,
        window_end_ms: day.line.window_end_ms,
        language: day.line.language.clone(),
        versions: vec![day.version(6), before.version(0)],
        old: side(&before),
        new: side(day),
    }
}

fn search(sample: &Sample) -> Search {
    let words: Vec<String> = sample.query.split(' ').map(|word| word.chars().take(6).collect()).collect();
    let holds = |text: &str| words.iter().any(|word| text.to_lowercase().contains(word.as_str()));
    let marked = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric());
        parts.filter(|part| holds(part)).map(str::to_owned).collect()
    };
    let messages = sample.days.iter().flat_map(|day| {
        let cites = Citation { digest_id: day.line.digest_id.clone(), headline: day.line.headline.clone() };
        day.said()
            .into_iter()
            .filter(|said| holds(&said.text))
            .enumerate()
            .map(move |(at, said)| (at, said, cites.clone()))
    });
    let hit = |(at, said, cites): (usize, console_pages::Said, Citation)| MessageHit {
        group_id: sample.group.clone(),
        message_id: said.message_id,
        author: said.author,
        sent_at_ms: said.sent_at_ms,
        matches: marked(&said.text),
        snippet: said.text,
        digests: if at % 2 == 0 { vec![cites] } else { Vec::new() },
    };
    let digest = |day: &Day| DigestHit {
        group_id: sample.group.clone(),
        digest_id: day.line.digest_id.clone(),
        window_start_ms: day.line.window_start_ms,
        window_end_ms: day.line.window_end_ms,
        headline: day.line.headline.clone(),
        snippet: day.text().into_iter().find(|line| holds(line)).unwrap_or_default(),
        matches: marked(&day.text().join(" ")),
    };
    Search {
        query: sample.query.to_owned(),
        group_id: String::new(),
        has_words: true,
        messages: messages.map(hit).take(8).collect(),
        digests: sample.days.iter().take(2).map(digest).collect(),
    }
}

fn away(sample: &Sample) -> Away {
    Away {
        group_id: sample.group.clone(),
        time_zone: ZONE.to_owned(),
        since: "2026-03-02T18:30".to_owned(),
        digests: Some(sample.lines()),
        may_ask: true,
        ..Away::default()
    }
}

/// Three weeks with the shares of the sample's days, so that there is a chart to look at.
fn mood(sample: &Sample) -> Mood {
    let points = (0..21_i64).map(|at| {
        let day = &sample.days[at as usize % sample.days.len()];
        let mood = &day.state.digest.as_ref().expect("a digest").mood;
        let part = 0.4 + 0.6 * f64::from((at * 7 % 10) as i32) / 10.0;
        MoodPoint {
            digest_id: day.line.digest_id.clone(),
            window_start_ms: sample.days[0].line.window_start_ms - (20 - at) * 24 * HOUR_MS,
            positive: mood.positive * part,
            negative: mood.negative * (1.4 - part),
            message_count: (f64::from(day.line.message_count) * part) as i32,
            participant_count: day.line.participant_count,
        }
    });
    let digest = sample.days[1].state.digest.as_ref().expect("a digest");
    let people = digest.participants.iter().map(|person| Participation {
        name: person.name.clone(),
        messages: i64::from(person.message_count),
        windows: 1 + i64::from(person.message_count) % 3,
        role: person.role.clone(),
    });
    Mood {
        group_id: sample.group.clone(),
        time_zone: ZONE.to_owned(),
        points: points.collect(),
        people: people.collect(),
    }
}
