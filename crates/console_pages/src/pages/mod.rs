//! One module a page: its view, and how it is laid out.
//!
//! Invariant: views are plain data, and a page shows nothing that is not in its view or its frame.

/// The document of a view: its template between head and foot of the frame.
macro_rules! html {
    ($view:ty, $path:tt) => {
        fn html(&self, frame: &crate::Frame) -> Result<String, askama::Error> {
            #[derive(askama::Template)]
            #[template(path = $path)]
            struct Html<'a> {
                c: crate::context::Context<'a>,
                v: &'a $view,
            }
            askama::Template::render(&Html { c: crate::context::Context::of(frame, self), v: self })
        }
    };
}

mod audit;
mod away;
mod calendar;
mod cost;
mod deliveries;
mod digest;
mod failure;
mod groups;
mod letter;
mod letters;
mod lines;
mod login;
mod map;
mod mood;
mod positions;
mod replay;
mod schema_revisions;
mod search;
mod trace;
mod transactions;
mod versions;
mod windows;

pub use audit::{Audit, AuditLine};
pub use away::{Asked, Away, AwayProblem};
pub use calendar::{BlockedLine, Calendar};
pub use cost::{Cost, CostLine};
pub use deliveries::{Deliveries, DeliveryLine, DisabledTarget, MutedDelivery, UnknownDelivery};
pub use digest::{Block, DigestPage, Said, blocks, text_lines};
pub use failure::Failure;
pub use groups::{Group, Groups};
pub use letter::{Letter, LetterField};
pub use letters::{LetterKind, LetterLine, LetterList, Letters};
pub use lines::{DigestLine, VersionLine};
pub use login::{Login, LoginProblem};
pub use map::{Input, MapPage, Unit, UnitKind};
pub use mood::{Mood, MoodPoint, Participation};
pub use positions::{Outbox, PartitionPosition, Positions, UnitPosition};
pub use replay::{Replay, ReplayStep};
pub use schema_revisions::{Revision, SchemaRevisions, Subject};
pub use search::{Citation, DigestHit, MessageHit, Search};
pub use trace::{Step, TracePage};
pub use transactions::{Hanging, Running, Transactions};
pub use versions::{Side, Versions};
pub use windows::{Flight, Windows};
