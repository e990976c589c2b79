//! One undisturbed run that the disturbed ones are held against, made once for all tests of the binary.

use schemas::{
    DigestBlocked, DigestContextPrepared, DigestDelivered, DigestPersisted, DigestReadyForDelivery,
    GroupWindowReady,
};
use std::{collections::BTreeSet, path::Path, sync::OnceLock};
use tests::{Chat, Isolation, PATIENCE, Pipeline, Seen, assert_equal, decode_all, read, settle};

/// What an undisturbed run left behind.
pub(crate) struct Undisturbed {
    pub(crate) chats: Vec<Chat>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) windows: Vec<GroupWindowReady>,
    pub(crate) contexts: Vec<DigestContextPrepared>,
    pub(crate) ready: Vec<DigestReadyForDelivery>,
    pub(crate) blocked: Vec<DigestBlocked>,
    pub(crate) persisted: Vec<DigestPersisted>,
    pub(crate) delivered: Vec<DigestDelivered>,
    pub(crate) export: String,
    pub(crate) message_rows: i64,
    pub(crate) digest_rows: i64,
    pub(crate) files: BTreeSet<String>,
}

/// The chats of every run that is compared.
pub(crate) fn chats() -> Vec<Chat> {
    vec![Chat::new("alpha", 30, 12), Chat::new("beta", 30, 12), Chat::new("gamma", 20, 12)]
}

/// Imports all chats, one after the other.
pub(crate) fn import(pipeline: &Pipeline, chats: &[Chat]) -> anyhow::Result<()> {
    for chat in chats {
        pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    }
    Ok(())
}

/// The canonical export.
pub(crate) fn export(pipeline: &Pipeline) -> anyhow::Result<String> {
    pipeline.gistmill(&["digest", "export", "--tenant", tests::TENANT, "--canonical"])
}

/// The undisturbed run; `None` without a stack.
pub(crate) fn undisturbed() -> Option<&'static Undisturbed> {
    static ONCE: OnceLock<Result<Option<Undisturbed>, String>> = OnceLock::new();
    let once = ONCE.get_or_init(|| run().map_err(|error| format!("{error:#}")));
    once.as_ref().expect("the undisturbed run").as_ref()
}

fn run() -> anyhow::Result<Option<Undisturbed>> {
    let Some(pipeline) = Pipeline::start("calm")? else { return Ok(None) };
    let chats = chats();
    let up = pipeline.up_without(&[])?;
    import(&pipeline, &chats)?;
    let live = settle(&pipeline)?.into_seen();
    let seen = read(&pipeline, Isolation::Committed)?;
    assert_equal(&live, &seen);
    up.stop(PATIENCE)?;
    let files = files(&pipeline)?;
    let run = Undisturbed {
        windows: decode_all(&pipeline, &seen, "group.window.ready.v1")?,
        contexts: decode_all(&pipeline, &seen, "digest.context.prepared.v1")?,
        ready: decode_all(&pipeline, &seen, "digest.ready_for_delivery.v1")?,
        blocked: decode_all(&pipeline, &seen, "digest.blocked.v1")?,
        persisted: decode_all(&pipeline, &seen, "digest.persisted.v1")?,
        delivered: decode_all(&pipeline, &seen, "digest.delivered.v1")?,
        export: export(&pipeline)?,
        message_rows: pipeline.rows.number("SELECT count(*) FROM messages")?,
        digest_rows: pipeline.rows.number("SELECT count(*) FROM digests")?,
        files,
        chats,
        seen,
    };
    pipeline.finish()?;
    Ok(Some(run))
}

/// Names of the files of a pipeline.
pub(crate) fn files(pipeline: &Pipeline) -> anyhow::Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    collect(&pipeline.files(), "", &mut files)?;
    Ok(files)
}

fn collect(directory: &Path, under: &str, files: &mut BTreeSet<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{under}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name);
        }
    }
    Ok(())
}
