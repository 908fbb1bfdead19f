//! `ENRICH`: the model is asked for what the steps before it left open, and the run goes on whatever comes of it.

use super::{Metrics, Origin, Pipeline, Reporter, Stop};
use crate::asking::{self, About, Current};
use ghostlight_detect::{Document, ask};
use ghostlight_model::{
    FieldKey, Issue, Observation, Phase, PostingId, Source, Step, event::Fact, receipt::LookResult,
};
use ghostlight_store::StoreError;
use std::collections::BTreeSet;

/// What became of asking a model.
#[derive(Default)]
pub(super) struct Asking {
    /// Why none was asked at all.
    skipped: Option<String>,
    asked: Vec<FieldKey>,
    /// The fields that the answer speaks of.
    answered: BTreeSet<FieldKey>,
    /// Why the answer is not whole.
    failed: Option<String>,
}

impl Asking {
    fn skipped(why: &str) -> Self {
        Self {
            skipped: Some(why.to_owned()),
            ..Self::default()
        }
    }

    /// What the receipt says of a field for which a model gave no value.
    pub(super) fn result(&self, field: &FieldKey) -> LookResult {
        match (&self.skipped, &self.failed) {
            _ if !ask::ASKABLE.contains(field) => {
                LookResult::Skipped("a model is not asked for this".into())
            }
            (Some(why), _) => LookResult::Skipped(why.clone()),
            _ if !self.asked.contains(field) => LookResult::Skipped("not needed".into()),
            (None, Some(why)) if !self.answered.contains(field) => LookResult::Failed(why.clone()),
            _ => LookResult::Nothing,
        }
    }
}

impl Pipeline {
    /// Asks the model for what is missing or in conflict. That none is set up is a normal state, said in the log and the
    /// receipt; that it fails is said there too, and the run goes on without it.
    pub(super) fn enrich(
        &self,
        reporter: &mut Reporter<'_>,
        document: &Document,
        place: Origin,
        seen: &mut Vec<Observation>,
    ) -> Result<Asking, Stop> {
        reporter.start(Step::Enrich);
        self.hooks.pause(Step::Enrich.node());
        let skip = |reporter: &mut Reporter<'_>, why: &str| -> Result<Asking, Stop> {
            reporter.end(Step::Enrich, None, vec![("skipped", why.into())])?;
            Ok(Asking::skipped(why))
        };
        // Before the model, whose key may have to be asked of a person.
        let fields = ask::wanted(seen, &self.held(place.posting)?);
        if fields.is_empty() {
            return skip(reporter, "nothing is missing or in conflict");
        }
        let model = match self.models.current()? {
            Current::None(why) => return skip(reporter, why),
            Current::Unusable(issue) => {
                let asking = Asking::skipped(issue.message.trim_end_matches('.'));
                reporter.failed(Step::Enrich, issue, None, Metrics::new())?;
                return Ok(asking);
            }
            Current::Model(model) => model,
        };
        let about = About {
            text: &document.visible,
            fields: &fields,
            capture: place.capture,
            ts: reporter.now(),
        };
        let known = seen.len();
        let (asked, usage) = model.ask(about, &mut |mut observation| {
            observation.ts = reporter.now();
            reporter.observed(Step::Enrich, &observation);
            seen.push(observation);
        });
        let metrics = asking::metrics(&usage, seen.len() - known);
        reporter.issues.extend(asked.issues);
        let fact = Some(Fact::Answered {
            usage,
            answer: asked.answer,
        });
        let failed = asked.failure.as_ref();
        let failed = failed.map(|issue| issue.message.trim_end_matches('.').to_owned());
        match asked.failure {
            None => reporter.end(Step::Enrich, fact, metrics)?,
            Some(issue) => reporter.failed(Step::Enrich, issue, fact, metrics)?,
        }
        Ok(Asking {
            skipped: None,
            asked: fields,
            answered: asked.answered,
            failed,
        })
    }

    /// The fields of a known posting that hold a person's value: no model is asked for these.
    fn held(&self, posting: PostingId) -> Result<Vec<FieldKey>, StoreError> {
        let known = self.hub.store().posting(posting)?;
        let fields = known.into_iter().flat_map(|known| known.card.fields);
        let held = fields.filter(|field| {
            let chosen = field.chosen.as_ref();
            chosen.is_some_and(|chosen| chosen.source == Source::User)
        });
        Ok(held.map(|field| field.key).collect())
    }
}

impl Reporter<'_> {
    /// Publishes the failure of a step without which the run goes on.
    fn failed(
        &mut self,
        step: Step,
        issue: Issue,
        fact: Option<Fact>,
        metrics: Metrics,
    ) -> Result<(), StoreError> {
        let mut event = self
            .pipeline
            .event(&self.run, step.node(), Phase::Fail, fact);
        event.duration_ms = Some(self.elapsed_ms());
        event.metrics = metrics
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect();
        event.issues.push(issue);
        event.issues.append(&mut self.issues);
        self.publish(event);
        self.flush()
    }
}
