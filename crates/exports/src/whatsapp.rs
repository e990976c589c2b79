//! WhatsApp's "Export chat": a text file, alone or in a zip, as Android and iPhones write it.
//!
//! It tells neither a zone nor ids nor whom a message answers. Invariant: nothing is guessed without being said: the
//! order of day and month is decided from the whole file and named, or asked for.

mod body;
mod head;
mod ids;
mod lines;
mod marks;
mod order;
mod words;

pub use order::DateOrder;

use crate::{
    Choice, Reader,
    entry::{Entry, Parts},
    error::Error,
    guard::Tally,
    plan::Plan,
    store::{Part, Store},
};
use body::Body;
use head::{Form, Stamp};
use ids::Ids;
use ingest::date;
use jiff::tz::TimeZone;
use lines::{Blocks, Found, Lines};
use order::{Dates, Undecided};

/// Messages of one file; WhatsApp itself exports 40,000 at most.
const MESSAGES_MAX: usize = 2_000_000;
/// Lines of another form behind the last of the own one that make a second export, not a quotation.
const FOREIGN_LINES: u64 = 10;
/// Lines between two ticks.
const TICK_LINES: u64 = 1000;
/// ms that tell messages of one minute apart, or of one second.
const STEPS_MAX: i64 = 999;

/// True where one of the first lines begins as a message does.
pub(crate) fn is_head(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.lines().take(50).any(|line| head::parse(line).is_some())
}

/// What a first reading found out.
#[derive(Debug)]
pub(crate) struct WhatsApp {
    part: Part,
    form: Form,
    order: DateOrder,
    why: &'static str,
}

impl Plan for WhatsApp {
    fn open(&self, store: &Store, zone: &TimeZone, tally: &Tally) -> Result<Box<dyn Reader>, Error> {
        let lines = Lines::open(store, &self.part, tally)?;
        let name = lines.name();
        let blocks = Blocks::new(lines, self.form);
        let (zone, order) = (zone.clone(), self.order);
        Ok(Box::new(Messages { blocks, name, form: self.form, order, zone, ids: Ids::default(), last: None }))
    }

    fn identity(&self) -> String {
        format!("whatsapp:{}", self.order.name())
    }

    fn notes(&self) -> Vec<String> {
        vec![format!("dates are {} ({})", self.order.words(), self.why)]
    }
}

/// Reads all of a file, to tell its form and the order of its dates.
pub(crate) fn survey(
    store: &Store,
    part: &Part,
    choice: &Choice,
    tick: &mut dyn FnMut(u64),
) -> Result<WhatsApp, Error> {
    let tally = Tally::default();
    let mut lines = Lines::open(store, part, &tally)?;
    let mut glue = Glue::default();
    let mut dates = Dates::default();
    while let Some(line) = lines.next()? {
        lines.tally.element();
        if line.number.is_multiple_of(TICK_LINES) {
            tick(tally.bytes());
        }
        let Some(head) = head::parse(&line.text) else { continue };
        if glue.take(&head, &line).map_err(|what| Error::Glued { path: lines.name(), what })? {
            let written =
                line.text[..line.text.len() - head.rest.len()].trim_matches(|c: char| !c.is_alphanumeric());
            dates.take(line.number, &head.stamp, written);
        }
    }
    let path = lines.name();
    let form = glue.finish().map_err(|what| Error::Glued { path: path.clone(), what })?;
    let Some(form) = form else { return Err(Error::Empty { path }) };
    match dates.decide(choice.date_order) {
        Ok((order, why)) => Ok(WhatsApp { part: part.clone(), form, order, why }),
        Err(Undecided::Both(example)) => Err(Error::DateOrder { path, example }),
        Err(Undecided::Misfit(order, line, example)) => {
            let todo = if choice.date_order.is_some() {
                "leave --date-order out, or give another"
            } else {
                "no order fits every date: is it two exports in one file?"
            };
            Err(Error::WrongDateOrder { path, order: order.words(), line, example, todo })
        }
    }
}

/// Tells one export from two in one file.
#[derive(Debug, Default)]
struct Glue {
    form: Option<Form>,
    first: Option<(Stamp, String)>,
    second: Option<String>,
    last: Option<Stamp>,
    /// The first line stood there again, at this line.
    again: Option<u64>,
    foreign: u64,
    foreign_from: Option<(u64, Form)>,
}

impl Glue {
    /// True when the line is one of the export; an error says what begins where.
    fn take(&mut self, head: &head::Head<'_>, line: &lines::Line) -> Result<bool, String> {
        let form = *self.form.get_or_insert(head.form);
        if head.form != form {
            self.foreign += 1;
            self.foreign_from.get_or_insert((line.number, head.form));
            return Ok(false);
        }
        (self.foreign, self.foreign_from) = (0, None);
        if self.again.take().is_some_and(|at| at > 0 && self.second.as_ref() == Some(&line.text)) {
            return Err(format!("the first lines come again at line {}", line.number - 1));
        }
        match (&self.first, &self.second) {
            (None, _) => self.first = Some((head.stamp, line.text.clone())),
            (Some(_), None) => self.second = Some(line.text.clone()),
            (Some((stamp, text)), Some(_)) if *text == line.text && self.last != Some(*stamp) => {
                self.again = Some(line.number);
            }
            _ => {}
        }
        self.last = Some(head.stamp);
        Ok(true)
    }

    fn finish(self) -> Result<Option<Form>, String> {
        match (self.form, self.foreign_from) {
            (Some(form), Some((line, other))) if self.foreign >= FOREIGN_LINES => Err(format!(
                "it begins as {} writes it and goes on from line {line} as {} does",
                form.name(),
                other.name()
            )),
            (form, _) => Ok(form),
        }
    }
}

struct Messages {
    blocks: Blocks,
    name: String,
    form: Form,
    order: DateOrder,
    zone: TimeZone,
    ids: Ids,
    /// Stamp of the last message, and how many had it.
    last: Option<(Stamp, i64)>,
}

impl Messages {
    fn entry(&mut self, stamp: Stamp, text: &str) -> Result<Entry, Error> {
        let said = match body::read(self.form, text) {
            Body::System => return Ok(Entry::Skipped("service")),
            Body::Deleted => return Ok(Entry::Skipped("deleted")),
            Body::Said(said) => said,
        };
        let time = self.order.time(&stamp).and_then(|time| date::local(time, &self.zone));
        let Some((sent_at, zone)) = time else { return Ok(Entry::Skipped("bad_date")) };
        if self.ids.count() >= MESSAGES_MAX {
            let what = format!("more than {MESSAGES_MAX} messages");
            return Err(Error::TooLarge { path: self.name.clone(), what });
        }
        let body::Said { author, text, media, key } = *said;
        let parts = Parts { sent_at, author: Some(author), text, media, ..Parts::default() };
        if parts.is_silent() {
            return Ok(Entry::Skipped("no_text"));
        }
        let id = self.ids.next(sent_at, &key);
        Ok(Parts { id, sent_at: sent_at + self.step(stamp), ..parts }.entry(zone))
    }

    /// ms since the first message with this stamp: what was said in one minute stays in its order.
    fn step(&mut self, stamp: Stamp) -> i64 {
        let step = match self.last {
            Some((last, step)) if last == stamp => (step + 1).min(STEPS_MAX),
            _ => 0,
        };
        self.last = Some((stamp, step));
        step
    }
}

impl Reader for Messages {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        match self.blocks.next()? {
            None => Ok(None),
            Some(Found::Stray) => Ok(Some(Entry::Skipped("bad_shape"))),
            Some(Found::Block(block)) => self.entry(block.stamp, &block.text).map(Some),
        }
    }
}
