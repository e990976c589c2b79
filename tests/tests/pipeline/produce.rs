//! The programs of docs/PRODUCE.md, run as they stand there, in the languages that this machine has.

use anyhow::{Context, ensure};
use schemas::{DigestDlq, GroupWindowReady};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tests::{Pipeline, decode_all, partition_of, settle};

const INGESTED: &str = "group.message.ingested.v1";

/// How a program of the page is run.
struct Language {
    /// The name of its fence.
    fence: &'static str,
    file: &'static str,
    group: &'static str,
    /// What of its libraries has to lie beside it.
    beside: &'static [&'static str],
    /// None where the runtime or the libraries are not here.
    command: fn() -> Option<Command>,
}

const LANGUAGES: [Language; 4] = [
    Language { fence: "python", file: "source.py", group: "from-python", beside: &[], command: python },
    Language { fence: "java", file: "Source.java", group: "from-java", beside: &[], command: java },
    Language { fence: "go", file: "main.go", group: "from-go", beside: &["go.mod", "go.sum"], command: go },
    Language {
        fence: "js",
        file: "source.mjs",
        group: "from-javascript",
        beside: &["node_modules"],
        command: js,
    },
];

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// Libraries of a language, where `tests/produce/prepare` has got them.
fn libraries(fence: &str) -> Option<PathBuf> {
    variable("TEST_GISTMILL_CLIENTS").map(|clients| clients.join(fence)).filter(|folder| folder.is_dir())
}

fn python() -> Option<Command> {
    variable("TEST_GISTMILL_PYTHON").map(Command::new)
}

fn java() -> Option<Command> {
    let jars = libraries("java")?.join("*");
    let mut command = Command::new("java");
    command.arg("-cp").arg(jars);
    Some(command)
}

fn go() -> Option<Command> {
    libraries("go")?;
    let mut command = Command::new("go");
    command.arg("run");
    Some(command)
}

fn js() -> Option<Command> {
    libraries("js").map(|_| Command::new("node"))
}

/// The program of a language, as the page has it.
fn program(page: &str, fence: &str) -> anyhow::Result<String> {
    let (_, rest) = page.split_once(&format!("\n```{fence}\n")).context("the page has no such program")?;
    let (program, _) = rest.split_once("\n```\n").context("the program has no end")?;
    Ok(format!("{program}\n"))
}

fn start(pipeline: &Pipeline, page: &str, language: &Language) -> anyhow::Result<Option<Child>> {
    let Language { fence, file, beside, command, .. } = language;
    let Some(mut command) = command() else {
        eprintln!(
            "skipped: the {fence} program of docs/PRODUCE.md: its runtime or its libraries are not here"
        );
        return Ok(None);
    };
    let folder = pipeline.directory().join(fence);
    fs::create_dir(&folder).context("could not make a folder")?;
    for name in *beside {
        let libraries = libraries(fence).context("the libraries have gone")?;
        symlink(libraries.join(name), folder.join(name)).context("could not link a library")?;
    }
    fs::write(folder.join(file), program(page, fence)?).context("could not write a program")?;
    let child = command
        .arg(file)
        .current_dir(&folder)
        .envs(pipeline.stack.variables())
        .env("TOPIC", pipeline.topic(INGESTED))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    child.map(Some).with_context(|| format!("could not start the {fence} program"))
}

#[test]
fn each_program_of_the_page_is_a_source() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("produce")? else { return Ok(()) };
    let page = include_str!("../../../docs/PRODUCE.md");
    let mut running = Vec::new();
    for language in &LANGUAGES {
        if let Some(child) = start(&pipeline, page, language)? {
            running.push((language, child));
        }
    }
    let mut expected = BTreeMap::new();
    for (language, child) in running {
        let ended = child.wait_with_output().context("could not wait for a program")?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.success(), "{} ended with {}: {said}", language.file, ended.status);
        expected.insert(language.group.to_owned(), 2);
    }
    let _up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();
    let ready: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    let counts: BTreeMap<String, i32> = ready.into_iter().map(|r| (r.group_id, r.message_count)).collect();
    assert_eq!(counts, expected);
    for record in seen.iter().filter(|seen| seen.topic == INGESTED) {
        assert_eq!(record.partition, partition_of(record.key_text().as_bytes(), 4), "{}", record.key_text());
    }
    assert_eq!(decode_all::<DigestDlq>(&pipeline, &seen, "digest.dlq.v1")?, []);
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, 2 * expected.len() as i64);
    pipeline.finish()
}
