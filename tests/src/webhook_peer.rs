//! The receiver of webhooks as a peer whose sink is killed.

use crate::{
    door_kills::{Got, Peer},
    pipeline::{Pipeline, TENANT},
    receiver::{Answering, Receiver},
};
use anyhow::Context;
use std::time::Duration;

/// A master key: 32 bytes in base64.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Longer than a killed process is looked for.
const NEVER: Duration = Duration::from_secs(14);

/// What lets `webhook_sink` post to a receiver on this machine.
pub const TO_THIS_MACHINE: [(&str, &str); 3] = [
    ("GISTMILL_KEYS__MASTER", MASTER_KEY),
    ("GISTMILL_WEBHOOK__ALLOW_INSECURE", "true"),
    ("GISTMILL_WEBHOOK__ALLOW_PRIVATE", "true"),
];

/// Sets a webhook by command; the secret that is printed.
///
/// # Errors
/// The command fails.
pub fn set_webhook(pipeline: &Pipeline, group: &str, url: &str) -> anyhow::Result<String> {
    let arguments = ["webhook", "set", url, "--tenant", TENANT, "--group", group];
    let output = pipeline.output(&arguments, &TO_THIS_MACHINE)?;
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let secret = told.lines().find_map(|line| line.strip_prefix("secret: "));
    Ok(secret.with_context(|| format!("no secret: {told}{said}"))?.to_owned())
}

impl Peer for Receiver {
    const SINK: &'static str = "webhook_sink";
    const CHANNEL: &'static str = "webhook";
    const REPEATS: bool = true;

    fn variables(&self) -> Vec<(String, String)> {
        TO_THIS_MACHINE.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn receive(&self, pipeline: &Pipeline, group: &str) -> anyhow::Result<()> {
        let path = format!("/{group}");
        let secret = set_webhook(pipeline, group, &self.url(&path))?;
        self.know(&path, &secret);
        // Some are told that it did not work, although it came.
        self.answer_first(&path, vec![Answering::Status(500, ""), Answering::Status(204, "")]);
        Ok(())
    }

    fn got(&self) -> anyhow::Result<Vec<Got>> {
        let posted = self.posted().into_iter().map(|posted| {
            let verified = posted.verified.context("a secret")?;
            verified.map_err(|why| anyhow::anyhow!("the signature of {} does not hold: {why}", posted.id))?;
            Ok(Got { id: posted.id, text: posted.text })
        });
        posted.collect()
    }

    fn be_late(&self, is_late: bool) {
        self.answer_all(is_late.then_some(Answering::Slow(NEVER)));
    }
}
