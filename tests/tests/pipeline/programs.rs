//! The programs of the pages for those who write and read events, run as they stand there.

use anyhow::Context;
use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tests::Pipeline;

/// How programs of a language are run.
pub(crate) struct Language {
    /// The name of its fence.
    pub(crate) fence: &'static str,
    /// What a file of it is called: Java's by its class, JavaScript's by its kind.
    file: fn(&str) -> String,
    /// What of its libraries has to lie beside it.
    beside: &'static [&'static str],
    /// None where the runtime or the libraries are not here.
    command: fn() -> Option<Command>,
}

pub(crate) const LANGUAGES: [Language; 4] = [
    Language { fence: "python", file: |name| format!("{name}.py"), beside: &[], command: python },
    Language { fence: "java", file: |name| format!("{name}.java"), beside: &[], command: java },
    Language { fence: "go", file: |_| "main.go".to_owned(), beside: &["go.mod", "go.sum"], command: go },
    Language { fence: "js", file: |name| format!("{name}.mjs"), beside: &["node_modules"], command: js },
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

/// A page with programs, the names of their files without an ending, and the topic that they speak to.
pub(crate) struct Page<'p> {
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
    pub(crate) name: &'static str,
    pub(crate) topic: &'p str,
}

/// Starts the page's program of a language; none where the language is not here.
pub(crate) fn start(
    pipeline: &Pipeline,
    page: &Page<'_>,
    language: &Language,
) -> anyhow::Result<Option<Child>> {
    let Language { fence, file, beside, command } = language;
    let Some(mut command) = command() else {
        eprintln!("skipped: the {fence} program of {}: its runtime or its libraries are not here", page.path);
        return Ok(None);
    };
    let folder = pipeline.directory().join(format!("{}-{fence}", page.name));
    fs::create_dir(&folder).context("could not make a folder")?;
    for name in *beside {
        let libraries = libraries(fence).context("the libraries have gone")?;
        symlink(libraries.join(name), folder.join(name)).context("could not link a library")?;
    }
    let file = file(page.name);
    fs::write(folder.join(&file), program(page.text, fence)?).context("could not write a program")?;
    let child = command
        .arg(&file)
        .current_dir(&folder)
        .envs(pipeline.stack.variables())
        .env("TOPIC", pipeline.topic(page.topic))
        .env("GROUP", pipeline.topic(&format!("reader-{fence}")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    child.map(Some).with_context(|| format!("could not start the {fence} program"))
}
