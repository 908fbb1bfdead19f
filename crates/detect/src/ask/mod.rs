//! Asking a language model for the fields that the page's data and the patterns leave open (SPEC A2, A3).
//!
//! [`wanted`] says which fields these are; [`ask()`] puts the question to an [`Endpoint`] (any server that speaks
//! OpenAI's chat completions), reads the streamed answer and hands on each value the moment its part of the answer is
//! whole. [`request`] makes the question, [`stream`] turns what arrives into text, [`members`] that text into members of
//! one JSON object, [`values`] a member into a typed value, and [`quotes`] finds the words that it rests on.
//!
//! The text of a posting is somebody else's: what it makes a model say can only be a value of a field that was asked
//! for, of the field's own type, within the rules that hold for every other value. A value without words in the text
//! that bear it out is *ungrounded*.

mod members;
mod quotes;
mod request;
mod stream;
mod values;

#[cfg(test)]
mod tests;

pub use request::TEXT_BYTES_MAX;
pub use stream::error_words;

use crate::structured::evidence;
use ghostlight_model::{
    CaptureId, Confidence, FieldKey, FieldValue, Issue, Layer, Micros, Observation, Severity,
    Source, fuse, observation::Method,
};
use members::Members;
use quotes::Words;
use request::Form;
use std::collections::BTreeSet;
use stream::{Reply, Stream};

/// The longest answer that is read, in bytes of its text: a hundred times what the fields need. Then reading stops; the
/// members that are whole by then count.
pub const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Of an answer's text so much is kept with the run; the rest is left out, and the log says so.
pub const ANSWER_KEPT_BYTES_MAX: usize = 16 << 10;
/// Values of an answer that are told to be no values, an issue each; further ones are not listed.
const REFUSALS_MAX: usize = 20;

/// How sure a value is that stands in the text in so many words. Below what contests another answer
/// ([`fuse::CONFLICT_FLOOR`]), since how right a model is nobody knows before it has been measured: a value that only a
/// model gives wants a look.
const GROUNDED: Confidence = Confidence::new(780);
/// Likewise of a field whose words are a closed list, which the quoted words imply and do not hold.
const IMPLIED: Confidence = Confidence::new(700);
/// Of a value without words in the text.
const UNGROUNDED: Confidence = Confidence::new(300);

/// The fields that a model may be asked for. Not the description and the platform, which are read from the page itself,
/// nor where to apply: an address that a model makes up is one that a person may click.
pub const ASKABLE: [FieldKey; 12] = [
    FieldKey::Title,
    FieldKey::Company,
    FieldKey::Location,
    FieldKey::Remote,
    FieldKey::EmploymentType,
    FieldKey::Seniority,
    FieldKey::Salary,
    FieldKey::PostedAt,
    FieldKey::ValidThrough,
    FieldKey::Skills,
    FieldKey::Benefits,
    FieldKey::RemoteRegions,
];

/// A server that answers questions. Behind it are the network and the clock.
pub trait Endpoint {
    /// Posts `body` (JSON) and hands on what comes back piece by piece, until the end or until `piece` answers `false`.
    ///
    /// # Errors
    /// [`Refusal`] if there is no answer, or it breaks off.
    fn send(&self, body: &str, piece: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Refusal>;
}

/// Why an endpoint gave no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The server does not take the request as it is (400 or 422), in its own words: a plainer one may do.
    pub form: Option<String>,
    /// What happened and what to do.
    pub issue: Issue,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The model, by the server's name for it.
    pub model: &'a str,
    /// What a reader sees of the posting.
    pub text: &'a str,
    /// The fields, of [`ASKABLE`].
    pub fields: &'a [FieldKey],
    /// The capture of the text.
    pub capture: CaptureId,
    /// When it is asked.
    pub ts: Micros,
}

/// What came of a question. The values were handed on already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// The fields that the answer speaks of, with a value or without.
    pub answered: BTreeSet<FieldKey>,
    /// What deserves a look.
    pub issues: Vec<Issue>,
    /// Why the answer is not whole, if it is not.
    pub failure: Option<Issue>,
    /// The answer as it came, up to [`ANSWER_KEPT_BYTES_MAX`].
    pub answer: String,
    /// Tokens of the question, as the server counts them.
    pub tokens_in: Option<u32>,
    /// Tokens of the answer, likewise.
    pub tokens_out: Option<u32>,
}

/// The fields to ask for: those of [`ASKABLE`] that have no value yet or two, and no person's (`held`).
pub fn wanted(seen: &[Observation], held: &[FieldKey]) -> Vec<FieldKey> {
    let winners = fuse::winners(seen);
    let onsite = winners.get(&FieldKey::Remote).is_some_and(|won| {
        !won.conflict && won.observation.value == FieldValue::Choice("onsite".into())
    });
    let open = |field: &FieldKey| winners.get(field).is_none_or(|won| won.conflict);
    let moot = |field: &FieldKey| *field == FieldKey::RemoteRegions && onsite;
    let fields = ASKABLE.into_iter();
    fields
        .filter(|field| open(field) && !moot(field) && !held.contains(field))
        .collect()
}

/// Asks, and hands each value to `sink` the moment it is known.
///
/// A server that does not take the request is asked again in a plainer form, as long as there is one.
pub fn ask(
    endpoint: &dyn Endpoint,
    question: Question<'_>,
    sink: &mut dyn FnMut(Observation),
) -> Asked {
    let mut form = Form::default();
    let mut issues: Vec<Issue> = request::cut(question.text).into_iter().collect();
    loop {
        let mut reading = Reading::new(question);
        let body = request::body(question, form);
        let sent = endpoint.send(&body, &mut |bytes| reading.take(bytes, sink));
        let plainer = match &sent {
            Err(refusal) if !reading.has_begun() => {
                let said = refusal.form.as_deref();
                said.and_then(|said| form.plainer(said))
            }
            _ => None,
        };
        if let Some((plainer, without)) = plainer {
            issues.push(info(
                "model_form",
                format!("The server does not take {without}; it was asked without."),
            ));
            form = plainer;
            continue;
        }
        let mut asked = reading.end(sent.err().map(|refusal| refusal.issue), sink);
        issues.append(&mut asked.issues);
        return Asked { issues, ..asked };
    }
}

/// One answer, as far as it has come.
struct Reading<'a> {
    question: Question<'a>,
    words: Words<'a>,
    stream: Stream,
    members: Members,
    asked: Asked,
    refused: usize,
    too_long: bool,
}

impl<'a> Reading<'a> {
    fn new(question: Question<'a>) -> Self {
        Self {
            question,
            words: Words::of(request::shown(question.text)),
            stream: Stream::default(),
            members: Members::default(),
            asked: Asked::default(),
            refused: 0,
            too_long: false,
        }
    }

    fn has_begun(&self) -> bool {
        self.stream.has_begun()
    }

    /// The next bytes; whether more are wanted.
    fn take(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Observation)) -> bool {
        let text = self.stream.push(bytes);
        self.read(&text, sink);
        !self.too_long && !self.stream.is_done()
    }

    fn read(&mut self, text: &str, sink: &mut dyn FnMut(Observation)) {
        if self.members.len() + text.len() > ANSWER_BYTES_MAX {
            self.too_long = true;
            return;
        }
        for (name, value) in self.members.push(text) {
            self.member(&name, &value, sink);
        }
    }

    fn member(&mut self, name: &str, value: &serde_json::Value, sink: &mut dyn FnMut(Observation)) {
        let field = FieldKey::from(name);
        let is_new =
            self.question.fields.contains(&field) && self.asked.answered.insert(field.clone());
        if !is_new {
            return self.refuse(format!(
                "The model answers {:?}, which it was not asked for, or not twice.",
                short(name)
            ));
        }
        match values::read(&field, value) {
            Ok(None) => {}
            Ok(Some(answer)) => sink(self.observation(field, answer)),
            Err(why) => {
                let label = field.label();
                self.refuse(format!(
                    "The model's answer for {label} is no value of it: {why}"
                ));
            }
        }
    }

    fn observation(&self, field: FieldKey, answer: values::Answer) -> Observation {
        let (value, span) = self.words.ground(&field, answer);
        let evidence = span.and_then(|span| {
            let text = self.question.text;
            evidence(text, Layer::Visible, span, None)
        });
        let confidence = match (&evidence, &value) {
            (None, _) => UNGROUNDED,
            (Some(_), FieldValue::Choice(_)) => IMPLIED,
            (Some(_), _) if field == FieldKey::EmploymentType => IMPLIED,
            (Some(_), _) => GROUNDED,
        };
        Observation {
            field,
            value,
            confidence,
            source: Source::Ai,
            method: Method::Model,
            evidence,
            capture: self.question.capture,
            ts: self.question.ts,
        }
    }

    fn refuse(&mut self, message: String) {
        self.refused += 1;
        if self.refused <= REFUSALS_MAX {
            let issue = Issue::new("model_value", Severity::Warning, message, None);
            self.asked.issues.push(issue);
        }
    }

    /// No more comes: what stopped it, if that was not the answer's own end.
    fn end(mut self, stopped: Option<Issue>, sink: &mut dyn FnMut(Observation)) -> Asked {
        let Reply {
            text,
            trouble,
            finish,
            tokens_in,
            tokens_out,
        } = std::mem::take(&mut self.stream).end();
        self.read(&text, sink);
        let broken = self.members.broken();
        if broken > 0 {
            self.refuse(format!(
                "{broken} parts of the model's answer are no JSON and were passed over."
            ));
        }
        let mut asked = self.asked;
        let failure = match trouble {
            _ if stopped.is_some() => stopped,
            Some(trouble) => Some(trouble),
            None if self.too_long => Some(failed(
                "model_answer_long",
                format!("The model's answer is longer than {} kB; reading stopped there.", ANSWER_BYTES_MAX >> 10),
                "Choose another model in the settings.",
            )),
            None if finish.as_deref() == Some("length") => Some(failed(
                "model_answer_cut",
                "The model's answer was cut by the server, for it reached the number of tokens allowed there.".into(),
                "Raise that limit at the server, or choose a model that answers shorter.",
            )),
            None if self.members.is_whole() => None,
            None if self.members.len() == 0 => Some(failed(
                "model_answer_empty",
                "The model answered nothing.".into(),
                "Try again; if it stays so, choose another model in the settings.",
            )),
            None => Some(failed(
                "model_answer",
                "What the model answered is no JSON object, or not a whole one.".into(),
                "The answer is kept with the run. Choose a model that can follow a JSON schema.",
            )),
        };
        asked.failure = failure;
        let kept = self.members.text();
        asked.answer = crate::text::cut(kept, ANSWER_KEPT_BYTES_MAX).to_owned();
        if asked.answer.len() < kept.len() {
            asked.issues.push(info(
                "model_answer_kept",
                format!(
                    "Of the model's answer of {} bytes the first {} are kept.",
                    kept.len(),
                    asked.answer.len()
                ),
            ));
        }
        (asked.tokens_in, asked.tokens_out) = (tokens_in, tokens_out);
        asked
    }
}

fn info(code: &str, message: String) -> Issue {
    Issue::new(code, Severity::Info, message, None)
}

fn failed(code: &str, message: String, hint: &str) -> Issue {
    Issue::new(code, Severity::Error, message, Some(hint))
}

/// For a message: at most 80 characters.
fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
