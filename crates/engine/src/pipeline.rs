//! The pipeline: `FETCH PARSE EXTRACT DETECT ENRICH VALIDATE SCORE` over one input.
//!
//! Each step publishes its start, what it sees the moment it sees it, and its end. A step ends only
//! after all it published is durable, so what the window or a pipe was told is on disk.

mod enrich;

use crate::{
    Hooks, VERSION,
    asking::Models,
    host::{Host, sentences},
    input::{self, Acquired, Input, Refused, error},
    process::ProcessLock,
};
use enrich::Asking;
use ghostlight_detect::{
    Document, Format, NotReadable, judge, keys,
    patterns::reasons,
    signals::{Fingerprint, Gone, SignalInput, Similar, signals},
};
use ghostlight_fetch::Fetcher;
use ghostlight_hub::Hub;
use ghostlight_model::{
    Assessment, CaptureId, EventBody, FieldKey, FieldValue, Issue, Method, Micros, Observation,
    Offset, Phase, Place, PostingId, RunId, Severity, Signal, Step,
    card::receipt,
    commit::AuthorId,
    event::Fact,
    fuse::winners,
    keys::PostingKey,
    run::{INTERRUPTED, RunState},
};
use ghostlight_store::{FinishedRun, NewCapture, Pending, StoreError};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Another posting this much alike (SimHash share of equal bits) is reported to the signals.
const SIMILAR_MIN: f64 = 0.9;
/// At most so many similar postings are handed to the signals, the most alike first.
const SIMILAR_MAX: usize = 50;

/// What a run needs.
pub(crate) struct Pipeline {
    pub hub: Hub,
    pub host: Arc<dyn Host>,
    pub fetcher: Fetcher,
    pub models: Models,
    pub hooks: Hooks,
    /// Held as long as anybody works: the workers outlive the engine's handle.
    pub process: ProcessLock,
    pub debts: Debts,
}

/// What the store still owes its runs because it failed under them: stored with the next success,
/// so that no run looks for ever.
#[derive(Default)]
pub(crate) struct Debts(Mutex<Owed>);

#[derive(Default)]
struct Owed {
    failures: Vec<(RunId, &'static str, Issue)>,
    /// The store's trouble in a sentence, since its last success.
    trouble: Option<String>,
}

impl Debts {
    fn lock(&self) -> MutexGuard<'_, Owed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An accepted input; its first event is on disk.
pub(crate) struct Job {
    pub run: RunId,
    input: Input,
    label: String,
    location: Option<String>,
    began: Instant,
    started: EventBody,
}

/// Why a run ends early.
enum Stop {
    /// A step failed; the issue is published with it.
    Failed(Step, Issue),
    /// A fault of ours: the step that was under way panicked.
    Panicked,
    /// The store failed: nothing more can be published.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Store(error)
    }
}

type Metrics = Vec<(&'static str, serde_json::Value)>;

impl Pipeline {
    /// Makes the input's first run and puts its beginning on disk.
    pub fn accept(&self, input: Input) -> Result<Job, StoreError> {
        let run = RunId(self.host.new_id());
        self.settle_debts()?;
        let (label, location) = (input.label(), input.location());
        let began = Instant::now();
        let started = self.begin(&run, &label, location.clone(), 0)?;
        Ok(Job {
            run,
            input,
            label,
            location,
            began,
            started,
        })
    }

    /// Ends a job that was accepted and cannot be queued.
    pub fn turn_away(&self, job: &Job) -> Result<(), StoreError> {
        let issue = error(
            "busy",
            "Too many inputs are waiting already; this one was not begun.".into(),
            "Retry it when some are done.",
        );
        self.fail(&job.run, Step::Fetch.node(), issue)
    }

    /// Trouble with the store, in a sentence, since its last success.
    pub fn trouble(&self) -> Option<String> {
        self.debts.lock().trouble.clone()
    }

    /// Stores the failures that could not be stored before.
    fn settle_debts(&self) -> Result<(), StoreError> {
        let owed = std::mem::take(&mut self.debts.lock().failures);
        for (at, (run, node, issue)) in owed.iter().enumerate() {
            if let Err(error) = self.fail(run, node, issue.clone()) {
                self.debts.lock().failures.extend_from_slice(&owed[at..]);
                return Err(error);
            }
        }
        self.debts.lock().trouble = None;
        Ok(())
    }

    /// The store failed under a run: says so in the run as soon as the store can be written again.
    fn owe(&self, run: &RunId, step: Step, error: &StoreError) {
        let issue = input::error(error.code(), error.to_string(), error.hint());
        let mut debts = self.debts.lock();
        debts.failures.push((run.clone(), step.node(), issue));
        debts.trouble = Some(sentences(error));
        drop(debts);
        // Often the trouble is over already, for example another program's lock.
        let _ = self.settle_debts();
    }

    /// Ends a run whose process is gone.
    pub fn interrupted(&self, run: &RunState) -> Pending<Offset> {
        let node = run
            .nodes
            .last()
            .map_or(Step::Fetch.node(), |node| &node.node);
        let issue = error(
            INTERRUPTED,
            "Ghostlight stopped before this run ended; what it had seen until then is kept.".into(),
            "Retry it.",
        );
        self.publish_failure(&run.run_id, node, issue)
    }

    /// Runs a job; answers its runs, one for each posting of the input.
    pub fn run(
        &self,
        job: Job,
        observer: &mut dyn FnMut(&EventBody),
    ) -> Result<Vec<RunId>, StoreError> {
        let Job {
            run: first,
            input,
            label,
            location,
            began,
            started,
        } = job;
        observer(&started);
        let mut reporter = Reporter::new(self, first.clone(), started.ts, observer);
        let read = guarded(|| self.read(&mut reporter, input, &label, began));
        let parse_began = reporter.began;
        let (documents, source) = match reporter.settle(read)? {
            Some(read) => read,
            None => return Ok(vec![first]),
        };
        let mut runs = Vec::new();
        for document in documents {
            let run = if runs.is_empty() {
                first.clone()
            } else {
                RunId(self.host.new_id())
            };
            runs.push(run.clone());
            let mut reporter = Reporter::new(self, run.clone(), started.ts, observer);
            reporter.step = Step::Parse;
            if document.index > 0 {
                self.begin_another(&mut reporter, &label, location.clone(), &source, &document)?;
            } else {
                reporter.began = parse_began;
            }
            let read = guarded(|| self.read_posting(&mut reporter, &document, &source));
            reporter.settle(read)?;
        }
        Ok(runs)
    }

    fn begin(
        &self,
        run: &RunId,
        label: &str,
        location: Option<String>,
        index: u32,
    ) -> Result<EventBody, StoreError> {
        // What a run comes to depends on both.
        let pipeline = match self.models.name()? {
            Some(model) => format!("ghostlight {VERSION} with {model}"),
            None => format!("ghostlight {VERSION}"),
        };
        let started = Fact::Started {
            input: label.to_owned(),
            location,
            index,
            pipeline,
            process: self.process.name().to_owned(),
        };
        let event = self.event(run, Step::Fetch.node(), Phase::Start, Some(started));
        self.hub.publish(run.stream(), vec![event.clone()]).wait()?;
        Ok(event)
    }

    fn fail(&self, run: &RunId, node: &str, issue: Issue) -> Result<(), StoreError> {
        self.publish_failure(run, node, issue).wait()?;
        Ok(())
    }

    fn publish_failure(&self, run: &RunId, node: &str, issue: Issue) -> Pending<Offset> {
        let mut event = self.event(run, node, Phase::Fail, None);
        event.issues.push(issue);
        self.hub.publish(run.stream(), vec![event])
    }

    fn event(&self, run: &RunId, node: &str, phase: Phase, fact: Option<Fact>) -> EventBody {
        EventBody {
            ts: self.host.now(),
            run_id: run.clone(),
            node: node.to_owned(),
            phase,
            duration_ms: None,
            metrics: BTreeMap::new(),
            issues: Vec::new(),
            fact: fact.map(Box::new),
        }
    }

    /// `FETCH`, and of `PARSE` the part that tells how many postings there are.
    fn read(
        &self,
        reporter: &mut Reporter<'_>,
        input: Input,
        label: &str,
        began: Instant,
    ) -> Result<(Vec<Document>, Given), Stop> {
        reporter.began = began;
        let address = input.location();
        let acquired = match input.acquire(&self.fetcher) {
            Ok(acquired) => acquired,
            Err(refused) => return self.read_gone(reporter, address, refused),
        };
        let fetched_at = acquired.fetched_at.unwrap_or_else(|| self.host.now());
        let new = capture_of(&acquired, acquired.bytes.clone(), label, fetched_at);
        let capture = self.hub.store().put_capture(new).wait()?;
        self.hooks.pause(Step::Fetch.node());
        reporter.end(
            Step::Fetch,
            Some(Fact::Captured { capture }),
            fetch_metrics(&acquired),
        )?;
        reporter.start(Step::Parse);
        let documents = ghostlight_detect::open(&acquired.raw(label))
            .map_err(|e| Stop::Failed(Step::Parse, not_readable(label, &e)))?;
        // The rest of PARSE has a reporter for each posting; what this one published ends here.
        reporter.flush()?;
        let source = Given {
            label: label.to_owned(),
            acquired,
            capture,
            fetched_at,
            gone: None,
        };
        Ok((documents, source))
    }

    /// `FETCH` of what cannot be had. The page of a posting we know that is gone is a fact about
    /// that posting, so its last capture is read again, and `SCORE` adds the fact; anything else
    /// ends the run.
    fn read_gone(
        &self,
        reporter: &mut Reporter<'_>,
        address: Option<String>,
        refused: Refused,
    ) -> Result<(Vec<Document>, Given), Stop> {
        let Refused { issue, gone } = refused;
        let known = match (gone, address) {
            (Some(status), Some(url)) => {
                self.known_reading(&keys::of_url(&url), Gone::Status(status))?
            }
            _ => None,
        };
        let Some((document, source)) = known else {
            return Err(Stop::Failed(Step::Fetch, issue));
        };
        self.hooks.pause(Step::Fetch.node());
        reporter.issues.push(kept(issue, source.fetched_at));
        let status: Metrics = gone.iter().map(|s| ("status", (*s).into())).collect();
        reporter.end(Step::Fetch, None, status)?;
        reporter.start(Step::Parse);
        reporter.flush()?;
        Ok((vec![document], source))
    }

    /// The last capture of the posting that `keys` lead to, opened again; `None` where we know no
    /// such posting, or its bytes were removed.
    fn known_reading(
        &self,
        keys: &[PostingKey],
        how: Gone,
    ) -> Result<Option<(Document, Given)>, StoreError> {
        let store = self.hub.store();
        let Some(posting) = store.recognised(keys)? else {
            return Ok(None);
        };
        let capture = store.posting(posting)?.and_then(|known| known.run.capture);
        let Some(capture) = capture else {
            return Ok(None);
        };
        let Some(stored) = store.stored(capture)? else {
            return Ok(None);
        };
        let (label, fetched_at) = (stored.name.clone(), stored.fetched_at);
        let acquired = Acquired::from(stored);
        let documents = ghostlight_detect::open(&acquired.raw(&label)).unwrap_or_default();
        let source = Given {
            label,
            acquired,
            capture,
            fetched_at,
            gone: Some((posting, how)),
        };
        Ok(documents
            .into_iter()
            .next()
            .map(|document| (document, source)))
    }

    /// The events before `PARSE`'s end for a further posting of the same input.
    fn begin_another(
        &self,
        reporter: &mut Reporter<'_>,
        label: &str,
        location: Option<String>,
        source: &Given,
        document: &Document,
    ) -> Result<(), StoreError> {
        let started = self.begin(&reporter.run, label, location, document.index)?;
        (reporter.observer)(&started);
        reporter.started = started.ts;
        let captured = Fact::Captured {
            capture: source.capture,
        };
        reporter.end(Step::Fetch, Some(captured), vec![("shared", true.into())])?;
        reporter.start(Step::Parse);
        Ok(())
    }

    /// From `PARSE`'s end to `SCORE`'s. A page that says that its posting is not there any more is
    /// a fact about that posting, if we know it (see [`Self::read_gone`]).
    fn read_posting(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        source: &Given,
    ) -> Result<(), Stop> {
        let Err(issue) = judge::judge(document, &[]) else {
            return self.read_judged(reporter, document, source);
        };
        let removed = issue.code == judge::REMOVED_PAGE;
        let known = removed.then(|| self.known_removed(document, source));
        match known.transpose()?.flatten() {
            Some((document, source)) => {
                reporter.issues.push(kept(issue, source.fetched_at));
                self.read_judged(reporter, &document, &source)
            }
            None => Err(Stop::Failed(Step::Parse, issue)),
        }
    }

    fn known_removed(
        &self,
        document: &Document,
        source: &Given,
    ) -> Result<Option<(Document, Given)>, StoreError> {
        let Some(words) = judge::removed_words(document) else {
            return Ok(None);
        };
        // The words of such a page are the same for all postings of a site.
        let own = document.keys.iter().cloned();
        let own = own.filter(|key| !matches!(key, PostingKey::Text(_)));
        let typed = source.acquired.url.as_deref().map(keys::of_url);
        let keys: Vec<PostingKey> = typed.into_iter().flatten().chain(own).collect();
        self.known_reading(&keys, Gone::Said(words))
    }

    fn read_judged(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        source: &Given,
    ) -> Result<(), Stop> {
        let place = self.parse(reporter, document, source)?;
        let mut seen = self.extract(reporter, document, place)?;
        self.detect(reporter, document, place, &mut seen)?;
        let asking = self.enrich(reporter, document, place, &mut seen)?;
        let winners = self.validate(reporter, document, &seen, &asking)?;
        self.score(reporter, document, source, place, winners)
    }

    fn parse(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        source: &Given,
    ) -> Result<Origin, Stop> {
        let store = self.hub.store();
        let capture = if document.format == Format::AtsJson {
            // One posting of a board: its capture holds its own object.
            let bytes = document.source.clone().into_bytes();
            let new = capture_of(&source.acquired, bytes, &source.label, source.fetched_at);
            store.put_capture(new).wait()?
        } else {
            source.capture
        };
        store
            .put_layers(capture, document.visible.clone(), document.source.clone())
            .wait()?;
        let more = source.acquired.keys.iter();
        let more = more.filter(|key| !document.keys.contains(key));
        let keys: Vec<PostingKey> = document.keys.iter().chain(more).cloned().collect();
        let posting = match source.gone {
            Some((posting, _)) => posting,
            None => self.hub.identify(keys.clone()).wait()?,
        };
        let parsed = Fact::Parsed {
            capture,
            posting,
            keys,
            language: document.language.clone(),
            fingerprint: Fingerprint::of(&document.visible).map(|print| print.0),
        };
        self.hooks.pause(Step::Parse.node());
        reporter.issues.extend_from_slice(&document.issues);
        reporter.end(Step::Parse, Some(parsed), parse_metrics(document))?;
        Ok(Origin { capture, posting })
    }

    fn extract(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        place: Origin,
    ) -> Result<Vec<Observation>, Stop> {
        reporter.start(Step::Extract);
        let mut seen = Vec::new();
        document.extract(place.capture, reporter.now(), &mut |observation| {
            reporter.observed(Step::Extract, &observation);
            seen.push(observation);
        });
        self.hooks.pause(Step::Extract.node());
        reporter.end(
            Step::Extract,
            None,
            vec![("observations", seen.len().into())],
        )?;
        Ok(seen)
    }

    fn detect(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        place: Origin,
        seen: &mut Vec<Observation>,
    ) -> Result<(), Stop> {
        reporter.start(Step::Detect);
        let mut found = Vec::new();
        document.detect(place.capture, reporter.now(), seen, &mut |observation| {
            reporter.observed(Step::Detect, &observation);
            found.push(observation);
        });
        self.hooks.pause(Step::Detect.node());
        reporter.end(
            Step::Detect,
            None,
            vec![("observations", found.len().into())],
        )?;
        seen.append(&mut found);
        Ok(())
    }

    fn validate(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        seen: &[Observation],
        asking: &Asking,
    ) -> Result<Vec<Observation>, Stop> {
        reporter.start(Step::Validate);
        let mut receipt = receipt(
            seen,
            &looked_by(document.format),
            &reasons(&document.visible),
        );
        receipt.tell(Method::Model, |field| asking.result(field));
        let winners: Vec<Observation> = winners(seen)
            .into_values()
            .map(|won| won.observation.clone())
            .collect();
        self.hooks.pause(Step::Validate.node());
        let metrics = vec![("fields", winners.len().into())];
        reporter.end(Step::Validate, Some(Fact::Received(receipt)), metrics)?;
        Ok(winners)
    }

    fn score(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        source: &Given,
        place: Origin,
        winners: Vec<Observation>,
    ) -> Result<(), Stop> {
        reporter.start(Step::Score);
        let found = self.find_signals(document, source, place.posting, &winners)?;
        for signal in &found {
            reporter.signalled(signal);
        }
        let assessment = Assessment::of(&found);
        self.hooks.pause(Step::Score.node());
        reporter.flush()?;
        let mut event = self.event(&reporter.run, Step::Score.node(), Phase::End, None);
        event.duration_ms = Some(reporter.elapsed_ms());
        event.fact = Some(Box::new(Fact::Assessed {
            assessment,
            commit: None,
        }));
        event
            .metrics
            .insert("level".into(), assessment.level.word().into());
        let author = AuthorId(format!("pipeline@{VERSION}"));
        let finished = FinishedRun {
            posting: place.posting,
            winners,
            author,
            event: event.clone(),
        };
        let commit = self.hub.finish_run(finished).wait()?;
        event.fact = Some(Box::new(Fact::Assessed { assessment, commit }));
        (reporter.observer)(&event);
        Ok(())
    }

    fn find_signals(
        &self,
        document: &Document,
        source: &Given,
        posting: PostingId,
        winners: &[Observation],
    ) -> Result<Vec<Signal>, StoreError> {
        let fields: BTreeMap<FieldKey, Observation> = winners
            .iter()
            .map(|w| (w.field.clone(), w.clone()))
            .collect();
        let known = self.hub.store().posting(posting)?;
        let outcomes: Vec<String> = known
            .iter()
            .flat_map(|known| {
                known
                    .card
                    .outcomes
                    .iter()
                    .map(|outcome| outcome.word.clone())
            })
            .collect();
        Ok(signals(&SignalInput {
            document,
            fields: &fields,
            captured_at: source.fetched_at,
            first_seen: known.map_or(source.fetched_at, |known| known.first_seen),
            gone: source.gone.as_ref().map(|(_, how)| how),
            similar: &self.similar(posting, &document.visible)?,
            outcomes: &outcomes,
        }))
    }

    fn similar(&self, posting: PostingId, visible: &str) -> Result<Vec<Similar>, StoreError> {
        let Some(own) = Fingerprint::of(visible) else {
            return Ok(Vec::new());
        };
        let stored = self.hub.store().fingerprints(posting)?;
        let mut similar: Vec<Similar> = stored
            .into_iter()
            .map(|other| Similar {
                posting: other.posting,
                similarity: own.similarity(Fingerprint(other.fingerprint)),
                first_seen: other.first_seen,
                company: normalised_text(other.company),
                place: normalised_places(&other.place),
            })
            .filter(|other| other.similarity >= SIMILAR_MIN)
            .collect();
        similar.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        similar.truncate(SIMILAR_MAX);
        Ok(similar)
    }
}

/// The input a document came from.
struct Given {
    label: String,
    acquired: Acquired,
    capture: CaptureId,
    fetched_at: Micros,
    /// The posting whose page was found gone, and how; then this is its last capture.
    gone: Option<(PostingId, Gone)>,
}

/// Where a document's observations belong.
#[derive(Clone, Copy)]
struct Origin {
    capture: CaptureId,
    posting: PostingId,
}

/// Publishes one run's events and waits for them where a step ends.
struct Reporter<'a> {
    pipeline: &'a Pipeline,
    run: RunId,
    started: Micros,
    step: Step,
    began: Instant,
    issues: Vec<Issue>,
    pending: Vec<(Pending<Offset>, EventBody)>,
    observer: &'a mut dyn FnMut(&EventBody),
}

impl<'a> Reporter<'a> {
    fn new(
        pipeline: &'a Pipeline,
        run: RunId,
        started: Micros,
        observer: &'a mut dyn FnMut(&EventBody),
    ) -> Self {
        let (issues, pending) = (Vec::new(), Vec::new());
        Self {
            pipeline,
            run,
            started,
            step: Step::Fetch,
            began: Instant::now(),
            issues,
            pending,
            observer,
        }
    }

    fn start(&mut self, step: Step) {
        self.step = step;
        self.began = Instant::now();
        let event = self
            .pipeline
            .event(&self.run, step.node(), Phase::Start, None);
        self.publish(event);
    }

    /// When something is observed: never before the run began, even if the clock was set back, for
    /// that is how the card tells its observations from those of earlier runs.
    fn now(&self) -> Micros {
        self.pipeline.host.now().max(self.started)
    }

    fn observed(&mut self, step: Step, observation: &Observation) {
        let fact = Fact::Observed(observation.clone());
        let event = self
            .pipeline
            .event(&self.run, step.node(), Phase::Field, Some(fact));
        self.publish(event);
        self.pipeline.hooks.pause("field");
    }

    fn signalled(&mut self, signal: &Signal) {
        let fact = Fact::Signalled(signal.clone());
        let event = self
            .pipeline
            .event(&self.run, Step::Score.node(), Phase::Signal, Some(fact));
        self.publish(event);
    }

    fn end(&mut self, step: Step, fact: Option<Fact>, metrics: Metrics) -> Result<(), StoreError> {
        let mut event = self
            .pipeline
            .event(&self.run, step.node(), Phase::End, fact);
        event.duration_ms = Some(self.elapsed_ms());
        event.metrics = metrics
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect();
        event.issues = std::mem::take(&mut self.issues);
        self.publish(event);
        self.flush()
    }

    fn elapsed_ms(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }

    fn publish(&mut self, event: EventBody) {
        let stream = self.run.stream();
        let pending = self.pipeline.hub.publish(stream, vec![event.clone()]);
        self.pending.push((pending, event));
    }

    /// Waits until everything published is durable, and tells the observer.
    fn flush(&mut self) -> Result<(), StoreError> {
        for (pending, event) in self.pending.drain(..) {
            pending.wait()?;
            (self.observer)(&event);
        }
        Ok(())
    }

    /// Publishes a failure; `None` when the run ended by one.
    fn settle<T>(&mut self, result: Result<T, Stop>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Store(error)) => {
                self.pipeline.owe(&self.run, self.step, &error);
                Err(error)
            }
            Err(Stop::Panicked) => {
                let step = self.step;
                self.settle(Err(Stop::Failed(step, fault(step))))
            }
            Err(Stop::Failed(step, issue)) => {
                let mut event = self
                    .pipeline
                    .event(&self.run, step.node(), Phase::Fail, None);
                event.duration_ms = Some(self.elapsed_ms());
                event.issues.push(issue);
                self.publish(event);
                self.flush()?;
                Ok(None)
            }
        }
    }
}

/// Runs a part of the pipeline; a panic ends the run with a failure and nothing else.
fn guarded<T>(work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Stop::Panicked))
}

fn fault(step: Step) -> Issue {
    error(
        "fault",
        format!(
            "Ghostlight itself failed in {}; what was seen until then is kept.",
            step.node()
        ),
        "Please report it with the posting, if you may share it.",
    )
}

/// A refusal of `FETCH` or `PARSE` that does not end the run: the posting is known.
fn kept(refusal: Issue, captured: Micros) -> Issue {
    let hint = format!(
        "The card keeps what the capture of {} says. Look for the posting on the employer's own list of openings.",
        captured.day()
    );
    Issue {
        severity: Severity::Warning,
        hint: Some(hint),
        ..refusal
    }
}

fn capture_of(acquired: &Acquired, bytes: Vec<u8>, label: &str, fetched_at: Micros) -> NewCapture {
    NewCapture {
        bytes,
        fetched_at,
        name: label.to_owned(),
        url: acquired.url.clone(),
        final_url: acquired.final_url.clone(),
        http_status: acquired.http_status,
        content_type: acquired.content_type.clone(),
    }
}

fn fetch_metrics(acquired: &Acquired) -> Metrics {
    let mut metrics: Metrics = vec![("bytes", acquired.bytes.len().into())];
    if let Some(status) = acquired.http_status {
        metrics.push(("status", status.into()));
    }
    if let Some(content_type) = &acquired.content_type {
        metrics.push(("content_type", content_type.clone().into()));
    }
    let read = [("read", acquired.read), ("api", acquired.api_trouble)];
    metrics.extend(
        read.into_iter()
            .filter_map(|(name, word)| Some((name, word?.into()))),
    );
    metrics
}

fn parse_metrics(document: &Document) -> Metrics {
    let mut metrics: Metrics = vec![("visible_bytes", document.visible.len().into())];
    if let Some(language) = &document.language {
        metrics.push(("language", language.clone().into()));
    }
    metrics
}

fn not_readable(label: &str, e: &NotReadable) -> Issue {
    let (code, hint) = match e {
        NotReadable::Empty => ("empty", "Save the page again, or paste its text."),
        NotReadable::Binary { .. } => (
            "binary",
            "Give an HTML page, a text, or a job system's JSON answer.",
        ),
        NotReadable::UnknownJson { .. } => (
            "unknown_json",
            "Give the JSON answer of Greenhouse, Lever or Ashby, or the page itself.",
        ),
    };
    error(code, format!("{label}: {e}."), hint)
}

/// A stored employer's name as the signals compare it.
fn normalised_text(name: String) -> Option<String> {
    (!name.is_empty()).then(|| FieldValue::Text(name).normalised())
}

/// Stored places (`A, B; C, D`) as the signals compare them.
fn normalised_places(places: &str) -> Option<String> {
    let place = |text: &str| Place {
        text: text.to_owned(),
        ..Place::default()
    };
    let places: Vec<Place> = places
        .split("; ")
        .filter(|p| !p.is_empty())
        .map(place)
        .collect();
    (!places.is_empty()).then(|| FieldValue::Places(places).normalised())
}

/// Which methods have anything to look at in a document of this format.
fn looked_by(format: Format) -> Vec<(Method, Result<(), String>)> {
    Method::AUTOMATIC
        .into_iter()
        .map(|method| {
            let had = match (method, format) {
                // Field by field it is told by [`Asking`].
                (Method::Pattern | Method::Model, _) => Ok(()),
                (Method::AtsApi, Format::AtsJson) => Ok(()),
                (Method::AtsApi, _) => Err("this is no job system's answer".to_owned()),
                (_, Format::Html) => Ok(()),
                (_, Format::Text) => Err("plain text holds no page data".to_owned()),
                (_, Format::AtsJson) => Err("a job system's answer is no page".to_owned()),
            };
            (method, had)
        })
        .collect()
}
