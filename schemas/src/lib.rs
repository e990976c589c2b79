//! The event contract: the wire types of every topic, their identities and the Confluent wire format.
//!
//! Invariant: a type that travels through Kafka is declared here and nowhere else, and matches its
//! `avro/*.avsc` field by field (a test encodes and decodes every example with both).

mod artifacts;
mod check;
mod command;
mod compatibility;
mod context;
mod delivery;
mod digest;
mod dlq;
mod fingerprint;
mod finite;
mod identity;
mod ingested;
mod knowledge;
mod places;
mod poll;
mod reasons;
mod record;
mod stage;
mod window;
mod wire;

pub use artifacts::{
    Emotions, MessageEmotion, ParticipantRole, ReplyLink, Roles, Segment, Segments, Thread, Threads, Topic,
    Topics,
};
pub use check::Invalid;
pub use command::{Command, GroupCommandAnswered, no_tenant};
pub use compatibility::{Incompatibility, check_mutually_readable};
pub use context::{ContextMessage, DigestContextPrepared, DigestGenerateRequested, HistoryMatch, history};
pub use delivery::{DigestBlocked, DigestDelivered, DigestPersisted, DigestReadyForDelivery};
pub use digest::{
    ANSWER_MARK, Action, Answer, Claim, Continuity, Digest, DigestThread, DigestTopic, EarlierMessage,
    LinkRef, Mood, Participant, Quality, Recall, StageRun, topic_outcome,
};
pub use dlq::{DigestDlq, RecordHeader};
pub use fingerprint::{Fingerprint, LEFT_OUT, normalised};
pub use identity::{
    Version, VersionError, digest_id, identity_hash, lane_id, run_id, span_id, trace_id, window_id,
};
pub use ingested::{
    Author, CHANNELS, DAY_MINUTES, END_OF_LANE, Entity, Forward, GroupMessageIngested, GroupSettings,
    LANGUAGES, LIVE_LANE, Media, Message, MessageKind, Reaction, WINDOW_HOURS, delivered_lane,
    is_delivered_lane,
};
pub use knowledge::{Home, Known};
pub use places::{Place, Places};
pub use poll::{Checklist, ChecklistItem, Poll, PollOption};
pub use reasons::is_of_all_readers;
pub use record::{RECORD_TYPES, Record, RecordType, record_type};
pub use stage::{DigestStageCompleted, DigestStageStarted, DigestState, outcome};
pub use window::{ASKED_SIZE_HOURS, GroupWindowReady, WindowRef, by_command};
pub use wire::{
    DecodeError, Decoder, EncodeError, Encoder, SchemaSource, SchemaSourceError, frame_schema_id,
};
