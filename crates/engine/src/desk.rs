//! The desk: which views the window shows, which are dirty, and when it may be pinged.
//!
//! Pure bookkeeping. One ping is outstanding at most; the next goes out only after the window has
//! pulled, so a hidden window piles up nothing (DESIGN *How data flows* 4).

use ghostlight_api::view::{Ping, Subject, VIEWS_MAX, ViewId, ViewQuery};
use ghostlight_model::PostingId;
use ghostlight_store::Changes;
use std::collections::{BTreeMap, BTreeSet};

/// The window's views. Starts with none.
#[derive(Debug, Default)]
pub struct Desk {
    views: BTreeMap<ViewId, View>,
    dirty: BTreeSet<ViewId>,
    outstanding: bool,
}

#[derive(Debug)]
struct View {
    query: ViewQuery,
    /// The posting behind a run's view, once known: a change of it concerns the view.
    posting: Option<PostingId>,
}

impl Desk {
    /// Replaces the views; those that are new are dirty. A window that registers is listening, so
    /// a ping that was outstanding for its predecessor no longer counts.
    pub fn register(&mut self, views: Vec<(ViewId, ViewQuery)>) -> Option<Ping> {
        let mut old = std::mem::take(&mut self.views);
        for (id, query) in views.into_iter().take(VIEWS_MAX) {
            let known = old.remove(&id).filter(|view| view.query == query);
            if known.is_none() {
                self.dirty.insert(id);
            }
            self.views.insert(
                id,
                known.unwrap_or(View {
                    query,
                    posting: None,
                }),
            );
        }
        self.dirty.retain(|id| self.views.contains_key(id));
        self.outstanding = false;
        self.next_ping()
    }

    /// The queries of `ids`, which count as clean from now on.
    pub fn pull(&mut self, ids: &[ViewId]) -> Vec<(ViewId, ViewQuery)> {
        self.outstanding = false;
        ids.iter()
            .take(VIEWS_MAX)
            .filter_map(|id| {
                self.dirty.remove(id);
                self.views.get(id).map(|view| (*id, view.query.clone()))
            })
            .collect()
    }

    /// What is pinged after the window has its answer.
    pub fn pulled(&mut self) -> Option<Ping> {
        self.next_ping()
    }

    /// Remembers which posting a run's view turned out to be about. It is read once more: a change
    /// of the posting by another run, before the two were known to belong together, went unseen.
    pub fn resolve(&mut self, id: ViewId, posting: Option<PostingId>) {
        if let Some(view) = self.views.get_mut(&id)
            && view.posting != posting
        {
            view.posting = posting;
            self.dirty.insert(id);
        }
    }

    /// Marks the views that `changes` concern.
    pub fn changed(&mut self, changes: &Changes) -> Option<Ping> {
        let concerned = self
            .views
            .iter()
            .filter(|(_, view)| view.concerned_by(changes));
        self.dirty.extend(concerned.map(|(id, _)| *id));
        self.next_ping()
    }

    /// Marks the views of feeds: their connections are not in the store.
    pub fn feeds_changed(&mut self) -> Option<Ping> {
        let concerned = self.views.iter().filter(|(_, view)| view.shows_feeds());
        self.dirty.extend(concerned.map(|(id, _)| *id));
        self.next_ping()
    }

    /// Marks the list of exports: how far they are is not in the store.
    pub fn exports_changed(&mut self) -> Option<Ping> {
        let concerned = self.views.iter();
        let concerned = concerned.filter(|(_, view)| view.query == ViewQuery::Exports);
        self.dirty.extend(concerned.map(|(id, _)| *id));
        self.next_ping()
    }

    /// Marks what says of runs whether their source is alive, for the next ping.
    pub fn sources_changed(&mut self) {
        let concerned = self.views.iter();
        let concerned = concerned
            .filter(|(_, view)| matches!(view.query, ViewQuery::Run(_) | ViewQuery::Runs { .. }));
        self.dirty.extend(concerned.map(|(id, _)| *id));
    }

    /// Marks a view that has more to show than it was given.
    pub fn go_on(&mut self, id: ViewId) {
        if self.views.contains_key(&id) {
            self.dirty.insert(id);
        }
    }

    fn next_ping(&mut self) -> Option<Ping> {
        if self.outstanding || self.dirty.is_empty() {
            return None;
        }
        self.outstanding = true;
        let all = self.dirty.len() > VIEWS_MAX;
        Some(Ping {
            views: (!all).then(|| self.dirty.iter().copied().collect()),
        })
    }
}

impl View {
    fn shows_feeds(&self) -> bool {
        matches!(
            self.query,
            ViewQuery::Feeds | ViewQuery::Health | ViewQuery::Digest | ViewQuery::Outbox { .. }
        )
    }

    fn concerned_by(&self, changes: &Changes) -> bool {
        if changes.everything {
            return !self.query.is_immutable();
        }
        let known = self
            .posting
            .is_some_and(|posting| changes.postings.contains(&posting));
        match &self.query {
            ViewQuery::Postings { .. } => !changes.postings.is_empty(),
            ViewQuery::Runs { .. } | ViewQuery::Health => !changes.is_empty(),
            ViewQuery::Feeds => !changes.streams.is_empty() || changes.outbox,
            ViewQuery::Quarantine { .. } => !changes.streams.is_empty(),
            ViewQuery::Outbox { .. } => changes.outbox,
            ViewQuery::Digest | ViewQuery::Exports | ViewQuery::ExportLook(_) => false,
            ViewQuery::Run(run) => changes.runs.contains(run),
            ViewQuery::Card(subject)
            | ViewQuery::Receipt(subject)
            | ViewQuery::Events { subject, .. } => known || touches(subject, changes),
            ViewQuery::History { posting, .. } => changes.postings.contains(posting),
            // A layer is written before a card names its capture, and never changes.
            ViewQuery::Text { .. } | ViewQuery::EventBody { .. } => false,
        }
    }
}

fn touches(subject: &Subject, changes: &Changes) -> bool {
    match subject {
        Subject::Run(run) => changes.runs.contains(run),
        Subject::Posting(posting) => changes.postings.contains(posting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::view::{Range, RunFilter};
    use ghostlight_model::RunId;

    fn runs(names: &[&str]) -> Changes {
        Changes {
            runs: names.iter().map(|n| RunId((*n).into())).collect(),
            ..Changes::default()
        }
    }

    fn card(run: &str) -> ViewQuery {
        ViewQuery::Card(Subject::Run(RunId(run.into())))
    }

    fn ping(ids: &[u32]) -> Option<Ping> {
        Some(Ping {
            views: Some(ids.iter().map(|id| ViewId(*id)).collect()),
        })
    }

    #[test]
    fn one_ping_is_outstanding_until_the_window_pulls() {
        let mut desk = Desk::default();
        let all = ViewQuery::Runs {
            filter: RunFilter::default(),
            range: Range { start: 0, len: 10 },
        };
        assert_eq!(
            desk.register(vec![(ViewId(1), card("a")), (ViewId(2), all)]),
            ping(&[1, 2])
        );
        assert_eq!(desk.changed(&runs(&["a"])), None, "one is outstanding");
        assert_eq!(desk.pull(&[ViewId(1), ViewId(2), ViewId(9)]).len(), 2);
        assert_eq!(desk.pulled(), None);
        assert_eq!(desk.changed(&runs(&["b"])), ping(&[2]));
        assert_eq!(desk.changed(&runs(&["a"])), None);
        desk.pull(&[ViewId(2)]);
        assert_eq!(
            desk.pulled(),
            ping(&[1]),
            "what changed meanwhile is pinged next"
        );
    }

    #[test]
    fn a_runs_card_follows_its_posting_once_known() {
        let mut desk = Desk::default();
        desk.register(vec![(ViewId(1), card("a"))]);
        desk.pull(&[ViewId(1)]);
        let posting = PostingId([7; 16]);
        let changes = Changes {
            postings: [posting].into(),
            ..Changes::default()
        };
        assert_eq!(desk.changed(&changes), None);
        desk.resolve(ViewId(1), Some(posting));
        assert_eq!(
            desk.pulled(),
            ping(&[1]),
            "what went unseen until now is read"
        );
        desk.pull(&[ViewId(1)]);
        desk.resolve(ViewId(1), Some(posting));
        assert_eq!(desk.pulled(), None);
        assert_eq!(desk.changed(&changes), ping(&[1]));
    }

    #[test]
    fn registering_the_same_views_again_dirties_nothing() {
        let mut desk = Desk::default();
        desk.register(vec![(ViewId(1), card("a"))]);
        desk.pull(&[ViewId(1)]);
        assert_eq!(desk.register(vec![(ViewId(1), card("a"))]), None);
        assert_eq!(desk.register(vec![(ViewId(1), card("b"))]), ping(&[1]));
    }
}
