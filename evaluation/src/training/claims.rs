//! Trains what tells decisions and promises from remarks: labelled windows of the training half, of the samples, and
//! plain little chats written for it.
//!
//! Invariant: deterministic; the test half is never read, and each figure given is of windows left out of the training.

use super::{
    logistic::{Example, fit, left_out, probability},
    read::Read,
    titles::Titles,
};
use crate::{
    Error, data,
    gold::{self, Answered, Item, Label, Window},
    rouge::spearman,
};
use schemas::ContextMessage;
use std::path::Path;
use synthesis::{
    LINE_FEATURES, Source, TELLING_FEATURES,
    acts::{
        ANSWER_FEATURES, FEATURES, OPEN_FEATURES, QUESTION_FEATURES, answer_candidates,
        commitment_candidates, decision_candidates, open_candidates, question_candidates,
    },
    telling_candidates,
};

/// Pull of the weights towards nothing.
const DECAY: f64 = 0.003;
/// The same of lines that readers judged, of which there are few.
const READ_DECAY: f64 = 0.005;
/// Groups of windows that are left out in turn for the figures.
const FOLDS: usize = 20;
/// Thresholds that the figures are given for.
const THRESHOLDS: [f64; 9] = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// A little chat of `plain/chats.jsonl`; decisions and actions are indices of lines.
#[derive(serde::Deserialize)]
struct Plain {
    lines: Vec<Line>,
    decisions: Vec<usize>,
    actions: Vec<usize>,
}

/// A little chat of `plain/questions.jsonl`, by indices of lines.
#[derive(serde::Deserialize)]
struct Asking {
    lines: Vec<Line>,
    open: Vec<usize>,
    answered: Vec<PlainAnswer>,
}

#[derive(serde::Deserialize)]
struct PlainAnswer {
    question: usize,
    answers: Vec<usize>,
}

impl Asking {
    /// The same as the label of a window has it, message ids being indices of lines.
    fn label(&self) -> Label {
        let ids = |lines: &[usize]| lines.iter().map(|line| *line as i64).collect::<Vec<i64>>();
        let answered = self.answered.iter();
        Label {
            messages: self.lines.len(),
            open_questions: self.open.iter().map(|line| Item { ids: ids(&[*line]) }).collect(),
            answered_questions: answered
                .map(|asked| Answered { question: asked.question as i64, answers: ids(&asked.answers) })
                .collect(),
            ..Label::default()
        }
    }
}

#[derive(serde::Deserialize)]
struct Line {
    author: String,
    text: String,
}

/// Candidates of each kind, with what readers found.
#[derive(Default)]
struct Examples {
    decisions: Vec<Example<FEATURES>>,
    actions: Vec<Example<FEATURES>>,
    questions: Vec<Example<QUESTION_FEATURES>>,
    open: Vec<Example<OPEN_FEATURES>>,
    answers: Vec<Example<ANSWER_FEATURES>>,
    telling: Vec<Example<TELLING_FEATURES>>,
    idle: Vec<Example<TELLING_FEATURES>>,
    titles: Titles,
}

/// What was trained: a line of weights by name, and figures by threshold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trained {
    /// Lines of a name and its weights, in the order of its features.
    pub weights: String,
    /// For a person: precision and recall of windows left out of the training.
    pub figures: String,
    /// Number of the first day that was read line by line.
    first_read: usize,
}

/// Trains on the windows of `gold_dir` but its test half. What tells a post worth citing rests on the questions as the
/// weights in use see them: train, build and train again after a change.
pub fn claims(data_dir: &Path, gold_dir: &Path) -> Result<Trained, Error> {
    let mut windows = gold::windows(data_dir, gold_dir, Some("train"))?;
    windows.extend(gold::windows(data_dir, gold_dir, Some("samples"))?);
    let mut examples = Examples::default();
    for (number, window) in windows.iter().enumerate() {
        let source = Source::new(&window.state.messages, window.state.threads.as_ref());
        examples.claims(number, &source, &|id| {
            let label = &window.label;
            (
                label.decisions.iter().any(|item| item.ids.contains(&id)),
                label.actions.iter().any(|item| item.ids.contains(&id)),
            )
        });
        examples.questions(number, &source, &window.label);
        examples.telling(number, &source, &window.label);
        examples.titles.add(number, &source, &window.label);
    }
    let chats: Vec<Plain> = plain("chats.jsonl")?;
    for (number, chat) in chats.iter().enumerate() {
        let messages = messages(&chat.lines);
        let source = Source::new(&messages, None);
        let holds = |list: &[usize], id: i64| list.iter().any(|line| *line as i64 == id);
        examples.claims(windows.len() + number, &source, &|id| {
            (holds(&chat.decisions, id), holds(&chat.actions, id))
        });
    }
    let asking: Vec<Asking> = plain("questions.jsonl")?;
    for (number, chat) in asking.iter().enumerate() {
        let messages = messages(&chat.lines);
        let source = Source::new(&messages, None);
        examples.questions(windows.len() + chats.len() + number, &source, &chat.label());
    }
    let before = windows.len() + chats.len() + asking.len();
    let read = readings(data_dir, &gold_dir.join("../read"), before)?;
    let unseen = readings(data_dir, &gold_dir.join("../read/unseen"), 0)?;
    examples.answers.extend(read.answers);
    examples.open.extend(read.open);
    let mut trained = Trained { first_read: before, ..Trained::default() };
    trained.add("decision", &windows, &examples.decisions);
    trained.add("action", &windows, &examples.actions);
    trained.add("question", &windows, &examples.questions);
    trained.add("open", &windows, &examples.open);
    trained.add("answer", &windows, &examples.answers);
    trained.add("telling", &windows, &examples.telling);
    trained.add("idle", &windows, &examples.idle);
    trained.add_pulled("lone", &windows, &read.lone, READ_DECAY);
    trained.add_pulled("line", &windows, &read.lines, READ_DECAY);
    trained.rank("read", &left_out(&read.lines, FOLDS, READ_DECAY), &read.ratings);
    let weights = fit(read.lines.iter(), READ_DECAY);
    let judged = unseen.lines.iter().map(|line| (line, probability(&weights, &line.features)));
    trained.rank("unseen", &judged.collect::<Vec<_>>(), &unseen.ratings);
    let (weights, figures) = examples.titles.trained();
    trained.line("title", weights);
    trained.figures.push_str(&figures);
    Ok(trained)
}

/// What readers said of the days of a folder, numbered from `first` on.
fn readings(data_dir: &Path, folder: &Path, first: usize) -> Result<Read, Error> {
    let mut read = Read::default();
    for (number, (reading, state)) in gold::readings(data_dir, folder)?.iter().enumerate() {
        let source = Source::new(&state.messages, state.threads.as_ref());
        read.add(first + number, &source, reading);
    }
    Ok(read)
}

impl Examples {
    fn claims(&mut self, window: usize, source: &Source<'_>, found: &dyn Fn(i64) -> (bool, bool)) {
        let id = |sentence: usize| source.posts[source.sentences[sentence].post].message.id;
        for (candidate, features) in decision_candidates(source) {
            let right = found(id(candidate.sentence)).0;
            self.decisions.push(Example { window, features, right, weight: 1.0 });
        }
        for (candidate, features) in commitment_candidates(source) {
            let right = found(id(candidate.sentence)).1;
            self.actions.push(Example { window, features, right, weight: 1.0 });
        }
    }

    fn questions(&mut self, window: usize, source: &Source<'_>, label: &Label) {
        for (sentence, features) in question_candidates(source) {
            let at = source.sentences[sentence].post;
            let id = source.posts[at].message.id;
            let answered = label.answered_questions.iter().find(|asked| asked.question == id);
            let open = label.open_questions.iter().any(|item| item.ids.contains(&id));
            let right = answered.is_some() || open;
            self.questions.push(Example { window, features, right, weight: 1.0 });
            for (post, features) in answer_candidates(source, at).into_iter().filter(|_| right) {
                let id = source.posts[post].message.id;
                let right = answered.is_some_and(|asked| asked.answers.contains(&id));
                self.answers.push(Example { window, features, right, weight: 1.0 });
            }
        }
        for (sentence, features) in open_candidates(source) {
            let id = source.posts[source.sentences[sentence].post].message.id;
            let right = label.open_questions.iter().any(|item| item.ids.contains(&id));
            self.open.push(Example { window, features, right, weight: 1.0 });
        }
    }

    fn telling(&mut self, window: usize, source: &Source<'_>, label: &Label) {
        for (post, features) in telling_candidates(source, source.questions()) {
            let id = source.posts[post].message.id;
            self.telling.push(Example { window, features, right: cites(label, id), weight: 1.0 });
            let right = label.noise.contains(&id);
            self.idle.push(Example { window, features, right, weight: 1.0 });
        }
    }
}

/// Whether a digest should cite a message: it must, or it tells what a reader listed.
fn cites(label: &Label, id: i64) -> bool {
    let mut items = label.decisions.iter().chain(&label.open_questions);
    label.must_mention.contains(&id)
        || items.any(|item| item.ids.contains(&id))
        || label.actions.iter().any(|item| item.ids.contains(&id))
        || label.answered_questions.iter().any(|asked| asked.answers.contains(&id))
}

fn plain<T: serde::de::DeserializeOwned>(file: &str) -> Result<Vec<T>, Error> {
    data::json_lines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("plain").join(file))
}

/// One message a minute.
fn messages(lines: &[Line]) -> Vec<ContextMessage> {
    let message = |(line, id): (&Line, i64)| ContextMessage::plain(id, id * 60_000, &line.author, &line.text);
    lines.iter().zip(0..).map(message).collect()
}

impl Trained {
    fn add<const COUNT: usize>(&mut self, name: &str, windows: &[Window], examples: &[Example<COUNT>]) {
        self.add_pulled(name, windows, examples, DECAY);
    }

    fn add_pulled<const COUNT: usize>(
        &mut self,
        name: &str,
        windows: &[Window],
        examples: &[Example<COUNT>],
        decay: f64,
    ) {
        self.line(name, fit(examples.iter(), decay));
        self.tell(name, windows, &left_out(examples, FOLDS, decay));
    }

    /// How the mean of a page's lines, each with the probability that it is right, ranks the pages beside their readers.
    fn rank(&mut self, days: &str, judged: &[(&Example<LINE_FEATURES>, f64)], ratings: &[(usize, f64)]) {
        let pairs = ratings.iter().filter_map(|(window, rating)| {
            let of: Vec<f64> =
                judged.iter().filter(|(line, _)| line.window == *window).map(|(_, p)| *p).collect();
            (!of.is_empty()).then(|| (of.iter().sum::<f64>() / of.len() as f64, *rating))
        });
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let (figure, count) = (spearman(&pairs), pairs.len());
        self.figures
            .extend([format!("line {days}: Spearman {figure:.2} with the ratings of {count} days\n")]);
    }

    fn line<const COUNT: usize>(&mut self, name: &str, weights: [f64; COUNT]) {
        let numbers = weights.map(|weight| format!("{weight:.4}"));
        self.weights.extend([name, " ", &numbers.join(" "), "\n"]);
    }

    /// Precision and recall with each window judged by weights of other ones.
    fn tell<const COUNT: usize>(
        &mut self,
        kind: &str,
        windows: &[Window],
        judged: &[(&Example<COUNT>, f64)],
    ) {
        for split in ["samples", "train", "plain", "read"] {
            let of_split = |example: &Example<COUNT>| match windows.get(example.window) {
                Some(window) => window.label.group() == split,
                None if example.window >= self.first_read => split == "read",
                None => split == "plain",
            };
            let all = judged.iter().filter(|(example, _)| of_split(example) && example.right).count();
            for threshold in THRESHOLDS {
                let listed = judged.iter().filter(|(example, p)| of_split(example) && *p >= threshold);
                let (mut right, mut wrong) = (0, 0);
                for (example, _) in listed {
                    if example.right { right += 1 } else { wrong += 1 }
                }
                self.figures.extend([format!(
                    "{kind} {split} from {threshold:.2}: {right} right of {all}, {wrong} wrong\n"
                )]);
            }
        }
    }
}
