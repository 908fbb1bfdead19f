//! A run over a posting as the pipeline leaves it: a capture with its texts, observations, and the events of all steps.

use crate::{dice::Dice, words};
use ghostlight_model::{
    Assessment, CommitId, ContentHash, EventBody, FieldKey, FieldValue, Method, Micros,
    Observation, Offset, Phase, PostingId, RunId, Source, Step,
    bundle::{CapturePiece, EventPiece, ObservationPiece, Piece, StreamPiece},
    card::receipt,
    event::Fact,
    ids::Epoch,
    keys::PostingKey,
    observation::{Confidence, Evidence, Layer},
};
use std::collections::BTreeMap;

/// What a run saw, before its commit is known.
pub struct Seen {
    /// Whose.
    pub run: RunId,
    /// One a field.
    pub observations: Vec<Observation>,
    /// When it began.
    pub began: Micros,
    page: String,
    capture: CapturePiece,
}

/// Reads a page that states these values.
pub fn read(
    dice: &mut Dice,
    name: &str,
    (url, began): (&str, Micros),
    stated: &BTreeMap<FieldKey, FieldValue>,
) -> Seen {
    let mut page = String::new();
    let mut spans = Vec::new();
    for (field, value) in stated {
        page.push_str(field.label());
        page.push_str(": ");
        let (start, words) = (page.len(), value.display());
        page.push_str(&words);
        page.push('\n');
        spans.push((field, value, start, words));
    }
    let content = ContentHash::of_bytes(page.as_bytes());
    let mut capture = CapturePiece {
        id: ghostlight_model::CaptureId([0; 16]),
        content,
        visible: Some(content),
        source: Some(content),
        fetched_at: began,
        name: url.to_owned(),
        url: Some(url.to_owned()),
        final_url: Some(url.to_owned()),
        http_status: Some(200),
        content_type: Some("text/plain".into()),
    };
    capture.id = capture.computed_id();
    let observations = spans
        .into_iter()
        .map(|(field, value, start, quote)| Observation {
            field: field.clone(),
            value: value.clone(),
            confidence: Confidence::new(700 + dice.below(300) as u16),
            source: Source::Parsing,
            method: Method::Pattern,
            evidence: Some(Evidence {
                layer: Layer::Visible,
                start: start as u32,
                end: (start + quote.len()) as u32,
                quote,
                pointer: None,
            }),
            capture: capture.id,
            ts: began,
        });
    Seen {
        run: RunId(name.to_owned()),
        observations: observations.collect(),
        began,
        page,
        capture,
    }
}

impl Seen {
    /// All of it, once its commit is known.
    pub fn pieces(
        self,
        posting: PostingId,
        key: &PostingKey,
        commit: Option<CommitId>,
        out: &mut Vec<Piece>,
    ) {
        let events = self.events(posting, key, commit);
        out.push(Piece::Content(
            self.capture.content,
            Some(self.page.into_bytes()),
        ));
        out.push(Piece::Capture(self.capture));
        let seen = self.observations.into_iter();
        out.extend(seen.map(|observation| {
            Piece::Observation(ObservationPiece {
                posting,
                observation,
            })
        }));
        out.push(Piece::Stream(StreamPiece {
            run: self.run.clone(),
            epoch: Epoch(u64::try_from(self.began.0).unwrap_or(0)),
        }));
        for (offset, event) in events.into_iter().enumerate() {
            // Strings and numbers only: serialising them cannot fail.
            let body = serde_json::to_string(&event).unwrap_or_default();
            out.push(Piece::Event(EventPiece {
                run: self.run.clone(),
                offset: Offset(offset as u64),
                body,
            }));
        }
    }

    fn events(
        &self,
        posting: PostingId,
        key: &PostingKey,
        commit: Option<CommitId>,
    ) -> Vec<EventBody> {
        let capture = self.capture.id;
        let mut log = Log {
            run: &self.run,
            now: self.began.0,
            events: Vec::new(),
        };
        let print = u64::from_le_bytes(std::array::from_fn(|n| self.capture.content.0[n]));
        log.start(
            Step::Fetch,
            Some(Fact::Started {
                input: self.capture.name.clone(),
                location: self.capture.url.clone(),
                index: 0,
                pipeline: "ghostlight 0.1.0".into(),
                process: "seed".into(),
            }),
        );
        log.end(
            Step::Fetch,
            Some(Fact::Captured { capture }),
            vec![("status", 200.into())],
        );
        log.start(Step::Parse, None);
        log.end(
            Step::Parse,
            Some(Fact::Parsed {
                capture,
                posting,
                keys: vec![key.clone()],
                language: Some("en".into()),
                fingerprint: Some(print),
            }),
            vec![("visible_bytes", self.page.len().into())],
        );
        log.start(Step::Extract, None);
        log.end(Step::Extract, None, vec![("observations", 0.into())]);
        log.start(Step::Detect, None);
        for seen in &self.observations {
            log.push(
                Step::Detect,
                Phase::Field,
                Some(Fact::Observed(seen.clone())),
                vec![],
            );
        }
        log.end(
            Step::Detect,
            None,
            vec![("observations", self.observations.len().into())],
        );
        log.start(Step::Enrich, None);
        log.end(
            Step::Enrich,
            None,
            vec![("skipped", "no model is configured".into())],
        );
        log.start(Step::Validate, None);
        let looked = [
            (Method::Pattern, Ok(())),
            (Method::Model, Err("no model is configured".to_owned())),
        ];
        let receipt = receipt(&self.observations, &looked, &[]);
        log.end(
            Step::Validate,
            Some(Fact::Received(receipt)),
            vec![("fields", self.observations.len().into())],
        );
        log.start(Step::Score, None);
        let assessment = Assessment::of(&[]);
        let level = assessment.level.word();
        log.end(
            Step::Score,
            Some(Fact::Assessed { assessment, commit }),
            vec![("level", level.into())],
        );
        log.events
    }
}

/// Events of one run, a few milliseconds apart.
struct Log<'a> {
    run: &'a RunId,
    now: i64,
    events: Vec<EventBody>,
}

impl Log<'_> {
    fn start(&mut self, step: Step, fact: Option<Fact>) {
        self.push(step, Phase::Start, fact, vec![]);
    }

    fn end(&mut self, step: Step, fact: Option<Fact>, metrics: Vec<(&str, serde_json::Value)>) {
        self.push(step, Phase::End, fact, metrics);
    }

    fn push(
        &mut self,
        step: Step,
        phase: Phase,
        fact: Option<Fact>,
        metrics: Vec<(&str, serde_json::Value)>,
    ) {
        self.now += 1_250;
        self.events.push(EventBody {
            ts: Micros(self.now),
            run_id: self.run.clone(),
            node: step.node().into(),
            duration_ms: (phase == Phase::End).then_some(1.25),
            phase,
            metrics: metrics
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            issues: Vec::new(),
            fact: fact.map(Box::new),
        });
    }
}

/// What a page states at first.
pub fn first_page(dice: &mut Dice, employer: &str, now: Micros) -> BTreeMap<FieldKey, FieldValue> {
    let fields = words::READ.iter();
    fields
        .map(|field| (field.clone(), words::value(dice, field, employer, now)))
        .collect()
}

/// The same page later: some of it is said anew.
pub fn next_page(
    dice: &mut Dice,
    stated: &mut BTreeMap<FieldKey, FieldValue>,
    employer: &str,
    now: Micros,
) {
    for _ in 0..1 + dice.below(5) {
        let field = dice.pick(&words::READ).clone();
        let value = words::value(dice, &field, employer, now);
        stated.insert(field, value);
    }
}
