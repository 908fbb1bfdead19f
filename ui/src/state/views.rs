//! The table of views the window shows: numbers, subscribers, rows and what is dirty.
//!
//! A pure machine: the hub in [`crate::views`] feeds it subscriptions, pings and pulled rows, and
//! does the calls it asks for. Old rows stand until new ones come; equal rows wake nobody.

use ghostlight_api::{
    ApiError, ErrorCode, ViewData, ViewId, ViewQuery,
    view::{Ping, VIEWS_MAX},
};
use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

/// Immutable text layers kept after their view is gone. (At most 2 MB each.)
const TEXTS_KEPT: usize = 4;

/// What a view has to show.
#[derive(Debug, Clone, Default)]
pub enum ViewState {
    /// Nothing yet.
    #[default]
    Loading,
    /// Rows.
    Ready(Rc<ViewData>),
    /// An error, with what to do.
    Failed(ApiError),
}

impl PartialEq for ViewState {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (ViewState::Loading, ViewState::Loading) => true,
            (ViewState::Ready(a), ViewState::Ready(b)) => Rc::ptr_eq(a, b),
            (ViewState::Failed(a), ViewState::Failed(b)) => a == b,
            _ => false,
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct ViewTable {
    last: u32,
    entries: BTreeMap<ViewId, Entry>,
    texts: VecDeque<(ViewQuery, Rc<ViewData>)>,
    set_changed: bool,
    must_answer: bool,
}

#[derive(Debug)]
struct Entry {
    query: ViewQuery,
    subscribers: u32,
    state: ViewState,
    dirty: bool,
    registered: bool,
}

/// The next call to make.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Register exactly these views.
    Register(Vec<(ViewId, ViewQuery)>),
    /// Pull these; an empty list only lets the core ping again.
    Pull(Vec<ViewId>),
}

impl ViewTable {
    /// One more subscriber of `query`; equal queries share a view.
    pub fn subscribe(&mut self, query: &ViewQuery) -> ViewId {
        if let Some((id, entry)) = self.entries.iter_mut().find(|(_, e)| e.query == *query) {
            entry.subscribers += 1;
            return *id;
        }
        self.last += 1;
        let id = ViewId(self.last);
        let kept = self.kept_text(query);
        let full = self.entries.values().filter(|e| e.is_live()).count() >= VIEWS_MAX;
        let state = match kept {
            Some(data) => ViewState::Ready(data),
            None if full => ViewState::Failed(too_many()),
            None => ViewState::Loading,
        };
        let entry = Entry {
            query: query.clone(),
            subscribers: 1,
            state,
            dirty: false,
            registered: false,
        };
        self.set_changed |= entry.is_live();
        self.entries.insert(id, entry);
        id
    }

    /// One subscriber less; a view without any is dropped.
    pub fn unsubscribe(&mut self, id: ViewId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.subscribers = entry.subscribers.saturating_sub(1);
        if entry.subscribers == 0 {
            self.set_changed |= entry.registered;
            self.entries.remove(&id);
        }
    }

    /// What a view has to show.
    pub fn state(&self, id: ViewId) -> ViewState {
        self.entries
            .get(&id)
            .map(|e| e.state.clone())
            .unwrap_or_default()
    }

    /// What a query would show if subscribed now.
    pub fn peek(&self, query: &ViewQuery) -> ViewState {
        let entry = self.entries.values().find(|e| e.query == *query);
        match (entry, self.kept_text(query)) {
            (Some(entry), _) => entry.state.clone(),
            (None, Some(data)) => ViewState::Ready(data),
            (None, None) => ViewState::Loading,
        }
    }

    /// The core says that views changed.
    pub fn pinged(&mut self, ping: &Ping) {
        self.must_answer = true;
        for (id, entry) in &mut self.entries {
            let named = ping.views.as_ref().is_none_or(|ids| ids.contains(id));
            entry.dirty |= named && entry.is_live();
        }
    }

    /// Asks for a view again, after a failure.
    pub fn retry(&mut self, query: &ViewQuery) {
        for entry in self.entries.values_mut().filter(|e| e.query == *query) {
            entry.state = ViewState::Loading;
            entry.dirty = entry.registered;
            self.set_changed |= !entry.registered;
        }
    }

    /// The next call, registrations before pulls; `None` when there is nothing to do.
    pub fn next_call(&mut self) -> Option<Call> {
        if std::mem::take(&mut self.set_changed) {
            let live = self.entries.iter_mut().filter(|(_, e)| e.is_live());
            let views = live.take(VIEWS_MAX).map(|(id, entry)| {
                // New ones are pulled at once, without waiting for the ping about them.
                entry.dirty |= !entry.registered;
                entry.registered = true;
                (*id, entry.query.clone())
            });
            return Some(Call::Register(views.collect()));
        }
        let answer = std::mem::take(&mut self.must_answer);
        let dirty: Vec<ViewId> = self
            .entries
            .iter()
            .filter(|(_, e)| e.dirty)
            .map(|(id, _)| *id)
            .collect();
        if dirty.is_empty() && !answer {
            return None;
        }
        self.entries
            .values_mut()
            .for_each(|entry| entry.dirty = false);
        Some(Call::Pull(dirty))
    }

    /// Rows have come. Returns the views whose state changed.
    pub fn pulled(&mut self, rows: Vec<(ViewId, ViewData)>) -> Vec<ViewId> {
        let mut changed = Vec::new();
        for (id, data) in rows {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let state = match (data, &entry.state) {
                (ViewData::Failed(error), _) => ViewState::Failed(error),
                (data, ViewState::Ready(old)) if **old == data => continue,
                (data, _) => ViewState::Ready(Rc::new(data)),
            };
            if let (true, ViewState::Ready(data)) = (entry.query.is_immutable(), &state) {
                self.texts.push_front((entry.query.clone(), data.clone()));
                self.texts.truncate(TEXTS_KEPT);
                // Immutable: it need not be watched any longer.
                entry.registered = false;
                self.set_changed = true;
            }
            entry.state = state;
            changed.push(id);
        }
        changed
    }

    /// A call failed: the views it was for say so. Those that have rows keep them if `keep`.
    pub fn failed(&mut self, call: &Call, error: &ApiError) -> Vec<ViewId> {
        let ids: Vec<ViewId> = match call {
            Call::Register(views) => views.iter().map(|(id, _)| *id).collect(),
            Call::Pull(ids) => ids.clone(),
        };
        for id in &ids {
            if let Some(entry) = self.entries.get_mut(id) {
                // A ping that came meanwhile stands: what failed is pulled again for it.
                entry.registered &= matches!(call, Call::Pull(_));
                entry.dirty &= entry.registered;
                entry.state = ViewState::Failed(error.clone());
            }
        }
        ids
    }

    fn kept_text(&self, query: &ViewQuery) -> Option<Rc<ViewData>> {
        let kept = self.texts.iter().find(|(text, _)| text == query);
        kept.map(|(_, data)| data.clone())
    }
}

impl Entry {
    /// Whether the core has to know of it: not a text that is here already, nor one refused.
    fn is_live(&self) -> bool {
        match &self.state {
            ViewState::Ready(_) => !self.query.is_immutable(),
            ViewState::Failed(error) => error.code != ErrorCode::Busy,
            ViewState::Loading => true,
        }
    }
}

fn too_many() -> ApiError {
    ApiError::new(
        ErrorCode::Busy,
        format!("The window shows {VIEWS_MAX} things already."),
        "Close a pane, then try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::{
        live::LiveSwitch,
        view::{Health, TextView},
    };
    use ghostlight_model::{CaptureId, Layer};

    fn health(postings: u32) -> ViewData {
        ViewData::Health(Health {
            hub_live: true,
            running: 0,
            postings,
            trouble: None,
            live: LiveSwitch::On,
            feeds: Vec::new(),
        })
    }

    fn text_query(n: u8) -> ViewQuery {
        ViewQuery::Text {
            capture: CaptureId([n; 16]),
            layer: Layer::Visible,
        }
    }

    fn text() -> ViewData {
        ViewData::Text(TextView {
            layer: Layer::Visible,
            text: "words".into(),
            total_bytes: 5,
        })
    }

    fn ping(ids: &[ViewId]) -> Ping {
        Ping {
            views: Some(ids.to_vec()),
        }
    }

    #[test]
    fn equal_queries_share_a_view_and_the_last_leaver_drops_it() {
        let mut table = ViewTable::default();
        let a = table.subscribe(&ViewQuery::Health);
        let b = table.subscribe(&ViewQuery::Health);
        assert_eq!(a, b);
        assert_eq!(
            table.next_call(),
            Some(Call::Register(vec![(a, ViewQuery::Health)]))
        );
        assert_eq!(table.next_call(), Some(Call::Pull(vec![a])));
        assert_eq!(table.next_call(), None);
        table.unsubscribe(a);
        assert_eq!(table.next_call(), None);
        table.unsubscribe(b);
        assert_eq!(table.next_call(), Some(Call::Register(vec![])));
    }

    #[test]
    fn a_ping_is_always_answered_and_old_rows_stand_meanwhile() {
        let mut table = ViewTable::default();
        let id = table.subscribe(&ViewQuery::Health);
        table.next_call();
        table.next_call();
        assert_eq!(table.pulled(vec![(id, health(1))]), vec![id]);
        let before = table.state(id);
        table.pinged(&ping(&[id, ViewId(99)]));
        assert_eq!(table.next_call(), Some(Call::Pull(vec![id])));
        assert_eq!(table.state(id), before);
        // The same rows again wake nobody.
        assert_eq!(table.pulled(vec![(id, health(1))]), vec![]);
        assert_eq!(table.pulled(vec![(id, health(2))]), vec![id]);
        // A ping about a view that is gone still lets the core go on.
        table.unsubscribe(id);
        table.next_call();
        table.pinged(&ping(&[id]));
        assert_eq!(table.next_call(), Some(Call::Pull(vec![])));
        assert_eq!(table.next_call(), None);
    }

    #[test]
    fn a_text_is_pulled_once_and_kept_for_a_while() {
        let mut table = ViewTable::default();
        let id = table.subscribe(&text_query(1));
        table.next_call();
        table.next_call();
        table.pulled(vec![(id, text())]);
        assert_eq!(table.next_call(), Some(Call::Register(vec![])));
        table.pinged(&Ping { views: None });
        assert_eq!(table.next_call(), Some(Call::Pull(vec![])));
        table.unsubscribe(id);
        assert!(matches!(table.peek(&text_query(1)), ViewState::Ready(_)));
        let again = table.subscribe(&text_query(1));
        assert!(matches!(table.state(again), ViewState::Ready(_)));
        assert_eq!(table.next_call(), None);
        // Others push it out.
        for n in 2..=5 {
            let id = table.subscribe(&text_query(n));
            table.pulled(vec![(id, text())]);
        }
        table.unsubscribe(again);
        assert!(matches!(table.peek(&text_query(1)), ViewState::Loading));
    }

    #[test]
    fn failures_are_said_and_can_be_tried_again() {
        let mut table = ViewTable::default();
        let id = table.subscribe(&ViewQuery::Health);
        let error = ApiError::internal("no");
        let call = table.next_call().unwrap();
        assert_eq!(table.failed(&call, &error), vec![id]);
        assert_eq!(table.state(id), ViewState::Failed(error.clone()));
        table.retry(&ViewQuery::Health);
        assert!(matches!(table.next_call(), Some(Call::Register(_))));
        assert_eq!(table.next_call(), Some(Call::Pull(vec![id])));
        table.pulled(vec![(id, ViewData::Failed(error.clone()))]);
        assert_eq!(table.state(id), ViewState::Failed(error));
        table.retry(&ViewQuery::Health);
        let pull = Call::Pull(vec![id]);
        assert_eq!(table.next_call(), Some(pull.clone()));
        // What is said while a call is on its way to fail is no part of the failure.
        table.pinged(&ping(&[id]));
        table.failed(&pull, &ApiError::internal("no"));
        assert_eq!(table.next_call(), Some(pull));
        assert_eq!(table.next_call(), None);
    }

    #[test]
    fn a_failure_without_a_hint_survives_the_way_to_the_window() {
        use ghostlight_api::{
            decode, encode,
            view::{Page, RunRow},
        };
        use ghostlight_model::{
            Issue, Micros, RunId, Severity,
            run::{Failure, RunKind, RunLine, RunState, RunStatus},
        };
        let row = |hint: Option<&str>| {
            let mut run = RunState::new(RunId("r".into()), RunKind::Own, Micros(0));
            run.status = RunStatus::Failed;
            run.failure = Some(Failure {
                node: "PARSE".into(),
                issue: Issue {
                    code: "empty".into(),
                    severity: Severity::Error,
                    message: "The file is empty.".into(),
                    hint: hint.map(str::to_owned),
                },
            });
            RunRow {
                line: RunLine::of(&run),
                title: None,
                origin: "local".into(),
                source: "this computer".into(),
                pulse: None,
            }
        };
        let rows = vec![row(None), row(Some("Choose another."))];
        let sent = vec![(
            ViewId(1),
            ViewData::Runs(Page {
                total: 2,
                start: 0,
                rows,
            }),
        )];
        let bytes = encode(&sent).unwrap();
        assert_eq!(decode::<Vec<(ViewId, ViewData)>>(&bytes), Ok(sent));
    }

    #[test]
    fn beyond_the_bound_a_view_says_so() {
        let mut table = ViewTable::default();
        for n in 0..VIEWS_MAX as u8 {
            table.subscribe(&text_query(n));
        }
        let id = table.subscribe(&ViewQuery::Health);
        assert!(matches!(table.state(id), ViewState::Failed(_)));
        let Some(Call::Register(views)) = table.next_call() else {
            panic!("no registration");
        };
        assert_eq!(views.len(), VIEWS_MAX);
    }
}
