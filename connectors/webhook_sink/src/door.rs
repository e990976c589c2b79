//! The door of webhooks: whose address gets a digest, and one try to post it there.
//!
//! Invariant: what is posted is decided by the record alone, where to by what holds when it is tried.

use crate::{
    CHANNEL, document,
    post::{Message, Poster, TIMEOUT, unable},
    secret,
    signature::Signer,
    target,
};
use courier::{Admission, Answer, Door, Kind, Parcel};
use keys::Ring;
use reqwest::Url;
use runtime::{Config, HostError};
use schemas::{DigestBlocked, DigestReadyForDelivery, Version};
use state::{Batch, Due, Error, Store};
use std::{sync::Arc, time::Duration};

/// How long a webhook is left alone of which the secret does not open.
const SEALED_WAIT: Duration = Duration::from_mins(1);

/// The door.
#[derive(Debug, Clone)]
pub struct Webhooks {
    store: Store,
    poster: Poster,
    ring: Arc<Ring>,
}

/// Where a request goes, and what it is signed with.
#[derive(Debug)]
pub struct Way {
    url: Url,
    signer: Signer,
}

impl Webhooks {
    /// A door with the settings' master key; touches no network.
    ///
    /// # Errors
    /// There is no master key, or no way to speak TLS.
    pub fn new(config: &Config, store: Store) -> Result<Self, HostError> {
        let missing = "keys.master is not set: give 32 random bytes in base64 in GISTMILL_KEYS__MASTER";
        let master = config.keys.master.as_ref().ok_or_else(|| unable(missing.to_owned()))?;
        let ring = Ring::new(master, &config.keys.former()).map_err(|error| unable(error.to_string()))?;
        Ok(Self { store, poster: Poster::new(&config.webhook)?, ring: Arc::new(ring) })
    }
}

impl Door for Webhooks {
    const NAME: &'static str = "webhook_sink";
    const CHANNEL: &'static str = CHANNEL;
    // Its receiver knows a request by its id.
    const REPEATABLE: bool = true;
    const LEASE: Duration = TIMEOUT.saturating_add(Duration::from_secs(10));
    const NO_TARGET: &'static str = "no webhook is set for the group or its tenant: gistmill webhook set";

    type Way = Way;

    async fn targets(&self, open: &mut Batch, of: (&str, &str)) -> Result<Vec<String>, Error> {
        let group = open.webhook_of(of.0, of.1).await?;
        Ok(group.iter().map(|group| target::name(group)).collect())
    }

    fn digest(&self, ready: &DigestReadyForDelivery, appended_ms: i64) -> String {
        document::digest(ready, appended_ms)
    }

    fn withdrawal(&self, blocked: &DigestBlocked, appended_ms: i64) -> String {
        document::withdrawal(blocked, appended_ms)
    }

    /// No dot is in it: it parts what is signed.
    fn reference(&self, _: &Due, (digest_id, version): (&str, Version), kind: Kind) -> String {
        let Version { revision, attempt } = version;
        match kind {
            Kind::New | Kind::Edited => format!("{digest_id}_{revision}_{attempt}"),
            Kind::Withdrawn => format!("{digest_id}_{revision}_{attempt}_withdrawn"),
        }
    }

    async fn admit(&self, due: &Due) -> Result<Admission<Way>, Error> {
        let group_id = target::group(&due.chat);
        let Some((url, secrets)) = self.store.webhook(&due.tenant_id, group_id).await? else {
            return Ok(Admission::Refused("the webhook was removed".to_owned()));
        };
        let url = match self.poster.check(&url) {
            Ok(url) => url,
            Err(why) => {
                return Ok(Admission::Refused(format!("the address of the webhook will not do: {why}")));
            }
        };
        let opened = secret::open(&self.ring, (&due.tenant_id, group_id), &secrets);
        let signer = opened.map_err(|error| error.to_string()).and_then(|opened| {
            if opened.is_empty() {
                return Err("the webhook has no secret: gistmill webhook rotate".to_owned());
            }
            Signer::new(&opened).map_err(|error| error.to_string())
        });
        let signer = match signer {
            Ok(signer) => signer,
            Err(why) => return Ok(Admission::Hold { wait: SEALED_WAIT, why }),
        };
        if let Err((wait, why)) = self.poster.admit(&url) {
            return Ok(Admission::Hold { wait, why: why.to_owned() });
        }
        Ok(Admission::Go(Way { url, signer }))
    }

    async fn deliver(&self, parcel: &Parcel, way: Way) -> Answer {
        let body = document::body(parcel.kind, &parcel.payload);
        let message = Message { id: &parcel.reference, body: &body };
        self.poster.post(way.url, &way.signer, message).await
    }
}
