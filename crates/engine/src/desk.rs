//! The desk: which views the window shows, which are dirty, and when it may be pinged.
//!
//! Pure bookkeeping; the time is an argument. One ping is outstanding at most; the next goes out only after the window
//! has pulled, so a hidden window piles up nothing (DESIGN *How data flows* 4). A list that should not move with every
//! frame is pinged at most once in a while (SPEC C11): what changes too soon after a pull waits, and none is forgotten.
//! While more happens than anybody can follow, so is all that moves with it: drawing a screen of other rows in each
//! frame shows nothing more, and keeps two processors busy.

use ghostlight_api::view::{Ping, Subject, VIEWS_MAX, ViewId, ViewQuery};
use ghostlight_model::{PostingId, RunId};
use ghostlight_store::Changes;
use ghostlight_sync::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// In this time it is counted how much happens, and what moves is pinged once in it while that is a [`RUSH`]; in ms.
const RUSH_EVERY_MS: u64 = 100;
/// Events in [`RUSH_EVERY_MS`] of which nobody can follow each: some screens full.
const RUSH: u64 = 200;

/// The window's views. Starts with none.
#[derive(Debug, Default)]
pub struct Desk {
    views: BTreeMap<ViewId, View>,
    dirty: BTreeSet<ViewId>,
    /// Views that changed too soon after they were pulled, and when they become dirty.
    waiting: BTreeMap<ViewId, Millis>,
    outstanding: bool,
    /// What the window showed last; outlives its page.
    shown: Option<Subject>,
    /// Time between two pulls of a live list, in ms; 0 for each frame.
    live_every_ms: u64,
    /// The same for what moves by the runs of an origin that has its own.
    paces: BTreeMap<String, u64>,
    pace: Pace,
}

/// How much happens.
#[derive(Debug, Default)]
struct Pace {
    since: Millis,
    events: u64,
    rush: bool,
}

impl Pace {
    /// Counts `events`. A rush begins and ends with a whole stretch of time behind it; one without any ends it.
    fn count(&mut self, events: u64, now: Millis) {
        let passed = now.since(self.since);
        if passed >= RUSH_EVERY_MS {
            self.rush = self.events >= RUSH && passed < 2 * RUSH_EVERY_MS;
            (self.since, self.events) = (now, 0);
        }
        self.events = self.events.saturating_add(events);
    }
}

#[derive(Debug)]
struct View {
    query: ViewQuery,
    /// The posting behind a run's view, once known: a change of it concerns the view.
    posting: Option<PostingId>,
    pulled: Option<Millis>,
}

impl Desk {
    /// Replaces the views; those that are new are dirty. A window that registers is listening, so
    /// a ping that was outstanding for its predecessor no longer counts.
    pub fn register(&mut self, views: Vec<(ViewId, ViewQuery)>) -> Option<Ping> {
        let shown = views.iter().find_map(|(_, query)| subject_of(query));
        self.shown = shown.or(self.shown.take());
        let mut old = std::mem::take(&mut self.views);
        for (id, query) in views.into_iter().take(VIEWS_MAX) {
            let known = old.remove(&id).filter(|view| view.query == query);
            if known.is_none() {
                self.dirty.insert(id);
                self.waiting.remove(&id);
            }
            self.views.insert(
                id,
                known.unwrap_or(View {
                    query,
                    posting: None,
                    pulled: None,
                }),
            );
        }
        self.dirty.retain(|id| self.views.contains_key(id));
        self.waiting.retain(|id, _| self.views.contains_key(id));
        self.outstanding = false;
        self.next_ping()
    }

    /// What the window showed last: a page that is loaded anew goes on there.
    pub fn shown(&self) -> Option<Subject> {
        self.shown.clone()
    }

    /// The queries of `ids`, which count as clean from now on.
    pub fn pull(&mut self, ids: &[ViewId], now: Millis) -> Vec<(ViewId, ViewQuery)> {
        self.outstanding = false;
        ids.iter()
            .take(VIEWS_MAX)
            .filter_map(|id| {
                self.dirty.remove(id);
                self.waiting.remove(id);
                let view = self.views.get_mut(id)?;
                view.pulled = Some(now);
                Some((*id, view.query.clone()))
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

    /// Marks the views that `changes` concern: a throttled one as soon as it may be pinged.
    pub fn changed(&mut self, changes: &Changes, now: Millis) -> Option<Ping> {
        self.pace.count(changes.events, now);
        let concerned = self.views.iter();
        let concerned = concerned.filter(|(_, view)| view.concerned_by(changes));
        let of_changes = self.pace_of_changes(changes);
        for (id, view) in concerned {
            let own = match (view.run(), &view.query) {
                (Some(run), _) => self.pace_of(run),
                (None, ViewQuery::Runs { .. }) => of_changes,
                (None, _) => None,
            };
            let due = view.due(self.live_every_ms, own, self.pace.rush);
            // What another feed changed is not put off.
            let due = self.waiting.get(id).map_or(due, |before| due.min(*before));
            self.waiting.insert(*id, due);
        }
        self.tick(now)
    }

    /// The shortest time of those whose runs changed; `None` if one of them has none of its own, or something else changed.
    fn pace_of_changes(&self, changes: &Changes) -> Option<u64> {
        if changes.everything || self.paces.is_empty() {
            return None;
        }
        let own = changes.runs.iter().map(|run| self.pace_of(run));
        own.collect::<Option<Vec<u64>>>()?.into_iter().min()
    }

    /// The time of the feed that a run is of, in ms, if it has its own.
    fn pace_of(&self, run: &RunId) -> Option<u64> {
        let (origin, _) = run.place().filter(|_| !self.paces.is_empty())?;
        self.paces.get(origin).copied()
    }

    /// Sets the times of the origins that have their own. What waits already is not put off.
    pub fn set_paces(&mut self, paces: BTreeMap<String, u64>) {
        self.paces = paces;
    }

    /// Marks what has waited long enough.
    pub fn tick(&mut self, now: Millis) -> Option<Ping> {
        let dirty = &mut self.dirty;
        self.waiting.retain(|id, due| {
            let waits = *due > now;
            if !waits {
                dirty.insert(*id);
            }
            waits
        });
        self.next_ping()
    }

    /// When to tick if nothing changes first.
    pub fn next_wakeup(&self) -> Option<Millis> {
        self.waiting.values().min().copied()
    }

    /// Sets the time between two pulls of a live list, in ms; 0 for each frame.
    pub fn set_live_every(&mut self, ms: u64, now: Millis) -> Option<Ping> {
        self.live_every_ms = ms;
        for (id, due) in &mut self.waiting {
            if let Some(view) = self.views.get(id) {
                // Those of a feed with a time of its own are shown once too early at worst.
                *due = view.due(ms, None, self.pace.rush).min(*due);
            }
        }
        self.tick(now)
    }

    /// Marks the views of feeds: their connections are not in the store.
    pub fn feeds_changed(&mut self) -> Option<Ping> {
        let concerned = self.views.iter().filter(|(_, view)| view.shows_feeds());
        self.dirty.extend(concerned.map(|(id, _)| *id));
        self.next_ping()
    }

    /// Marks a view of what is not in the store: how far exports are, who is connected.
    pub fn turned(&mut self, query: &ViewQuery) -> Option<Ping> {
        let concerned = self.views.iter();
        let concerned = concerned.filter(|(_, view)| view.query == *query);
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
    /// The run that it shows, or whose log.
    fn run(&self) -> Option<&RunId> {
        match &self.query {
            ViewQuery::Run(run)
            | ViewQuery::Events {
                subject: Subject::Run(run),
                ..
            } => Some(run),
            _ => None,
        }
    }

    /// When a change of it may be pinged: by the time of the feed that it is about, in ms, where that has `own`.
    fn due(&self, live_every_ms: u64, own: Option<u64>, rush: bool) -> Millis {
        let every = match own {
            Some(own) => own,
            None if self.is_live_list() => live_every_ms,
            None => 0,
        };
        let every = match rush && self.moves_in_a_rush() {
            true => every.max(RUSH_EVERY_MS),
            false => every,
        };
        self.pulled.map_or(Millis(0), |pulled| pulled.plus(every))
    }

    /// Whether each event of some run is a change of it.
    fn moves_in_a_rush(&self) -> bool {
        let one = matches!(
            self.query,
            ViewQuery::Run(_)
                | ViewQuery::FieldsCompared { .. }
                | ViewQuery::Health
                | ViewQuery::Feeds
        );
        one || self.is_live_list()
    }

    /// Whether it is a list in which rows move by themselves.
    fn is_live_list(&self) -> bool {
        matches!(
            self.query,
            ViewQuery::Postings { .. } | ViewQuery::Runs { .. } | ViewQuery::Events { .. }
        )
    }

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
            ViewQuery::Postings { .. } | ViewQuery::Accuracy => !changes.postings.is_empty(),
            ViewQuery::Runs { .. } | ViewQuery::Health => !changes.is_empty(),
            ViewQuery::Feeds => !changes.streams.is_empty() || changes.outbox,
            ViewQuery::Quarantine { .. } => !changes.streams.is_empty(),
            ViewQuery::Outbox { .. } => changes.outbox,
            ViewQuery::Digest
            | ViewQuery::Exports
            | ViewQuery::Imports
            | ViewQuery::Storage
            | ViewQuery::Model
            | ViewQuery::Serving
            | ViewQuery::ExportLook(_)
            | ViewQuery::Authors
            | ViewQuery::ArchiveLook { .. }
            // As of when it was asked for: the lines stay where they are while somebody chooses.
            | ViewQuery::Find { .. } => false,
            ViewQuery::Run(run) => changes.runs.contains(run),
            ViewQuery::FieldsCompared { this, other } => {
                changes.runs.contains(this) || changes.runs.contains(other)
            }
            ViewQuery::Card(subject)
            | ViewQuery::Receipt(subject)
            | ViewQuery::Events { subject, .. } => known || touches(subject, changes),
            ViewQuery::Timeline { posting, .. }
            | ViewQuery::TimelineParts(posting)
            | ViewQuery::Biography { posting, .. }
            | ViewQuery::Branches(posting)
            | ViewQuery::Suggestions(posting)
            | ViewQuery::Merge { posting, .. }
            | ViewQuery::Unmerge { posting, .. } => changes.postings.contains(posting),
            // A layer is written before a card names its capture, and never changes.
            ViewQuery::Text { .. }
            | ViewQuery::EventBody { .. }
            | ViewQuery::Compare { .. }
            // What was known then is known; a log that is read bit by bit goes on by itself.
            | ViewQuery::Known { .. } => false,
        }
    }
}

/// What a view fills the window with.
fn subject_of(query: &ViewQuery) -> Option<Subject> {
    match query {
        ViewQuery::Card(subject) => Some(subject.clone()),
        ViewQuery::Run(run) => Some(Subject::Run(run.clone())),
        _ => None,
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

    /// Where time does not matter.
    const T0: Millis = Millis(0);

    fn runs(names: &[&str]) -> Changes {
        Changes {
            runs: names.iter().map(|n| RunId((*n).into())).collect(),
            ..Changes::default()
        }
    }

    fn card(run: &str) -> ViewQuery {
        ViewQuery::Card(Subject::Run(RunId(run.into())))
    }

    fn list() -> ViewQuery {
        ViewQuery::Runs {
            filter: RunFilter::default(),
            range: Range { start: 0, len: 10 },
        }
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
        assert_eq!(desk.changed(&runs(&["a"]), T0), None, "one is outstanding");
        assert_eq!(desk.pull(&[ViewId(1), ViewId(2), ViewId(9)], T0).len(), 2);
        assert_eq!(desk.pulled(), None);
        assert_eq!(desk.changed(&runs(&["b"]), T0), ping(&[2]));
        assert_eq!(desk.changed(&runs(&["a"]), T0), None);
        desk.pull(&[ViewId(2)], T0);
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
        desk.pull(&[ViewId(1)], T0);
        let posting = PostingId([7; 16]);
        let changes = Changes {
            postings: [posting].into(),
            ..Changes::default()
        };
        assert_eq!(desk.changed(&changes, T0), None);
        desk.resolve(ViewId(1), Some(posting));
        assert_eq!(
            desk.pulled(),
            ping(&[1]),
            "what went unseen until now is read"
        );
        desk.pull(&[ViewId(1)], T0);
        desk.resolve(ViewId(1), Some(posting));
        assert_eq!(desk.pulled(), None);
        assert_eq!(desk.changed(&changes, T0), ping(&[1]));
    }

    #[test]
    fn registering_the_same_views_again_dirties_nothing() {
        let mut desk = Desk::default();
        desk.register(vec![(ViewId(1), card("a"))]);
        desk.pull(&[ViewId(1)], T0);
        assert_eq!(desk.register(vec![(ViewId(1), card("a"))]), None);
        assert_eq!(desk.register(vec![(ViewId(1), card("b"))]), ping(&[1]));
    }

    #[test]
    fn what_was_shown_last_outlives_its_page() {
        let mut desk = Desk::default();
        desk.register(vec![(ViewId(1), ViewQuery::Health)]);
        assert_eq!(desk.shown(), None);
        desk.register(vec![(ViewId(1), ViewQuery::Health), (ViewId(2), card("a"))]);
        let shown = Some(Subject::Run(RunId("a".into())));
        assert_eq!(desk.shown(), shown);
        // The next page begins with nothing.
        desk.register(vec![(ViewId(1), ViewQuery::Health)]);
        assert_eq!(desk.shown(), shown);
    }

    #[test]
    fn a_live_list_is_pinged_at_most_once_in_its_time_and_a_card_at_once() {
        let mut desk = Desk::default();
        assert_eq!(desk.set_live_every(1_000, T0), None);
        desk.register(vec![(ViewId(1), list()), (ViewId(2), card("a"))]);
        desk.pull(&[ViewId(1), ViewId(2)], Millis(10));
        assert_eq!(desk.changed(&runs(&["a"]), Millis(20)), ping(&[2]));
        desk.pull(&[ViewId(2)], Millis(30));
        assert_eq!(
            (desk.pulled(), desk.next_wakeup()),
            (None, Some(Millis(1_010)))
        );
        // Many changes are one.
        for ms in 40..100 {
            assert_eq!(desk.changed(&runs(&["b"]), Millis(ms)), None);
        }
        assert_eq!(desk.tick(Millis(1_009)), None);
        assert_eq!(desk.tick(Millis(1_010)), ping(&[1]));
        desk.pull(&[ViewId(1)], Millis(1_020));
        assert_eq!((desk.pulled(), desk.next_wakeup()), (None, None));
        // After a quiet time the first change is shown at once.
        assert_eq!(desk.changed(&runs(&["b"]), Millis(9_000)), ping(&[1]));
    }

    #[test]
    fn a_feed_with_a_time_of_its_own_moves_what_is_about_it_by_that_and_nothing_else() {
        let mut desk = Desk::default();
        desk.set_live_every(1_000, T0);
        desk.set_paces([("feed:slow".to_owned(), 5_000), ("feed:fast".to_owned(), 0)].into());
        let run = |id| ViewQuery::Run(RunId(id));
        let views = [
            list(),
            run("feed:slow/run/a".into()),
            run("feed:fast/run/a".into()),
            run("a".into()),
        ];
        let views = (1..).map(ViewId).zip(views).collect();
        desk.register(views);
        let all = [ViewId(1), ViewId(2), ViewId(3), ViewId(4)];
        let mut changed = |runs_of: &[&str], waits: u64, seen: &[u32]| {
            desk.pull(&all, Millis(100_000));
            assert_eq!(desk.pulled(), None);
            let now = Millis(100_000 + waits);
            let early = match waits {
                0 => None,
                _ => desk.changed(&runs(runs_of), Millis(100_001)),
            };
            assert_eq!(early, None, "{runs_of:?}");
            let ping_now = match waits {
                0 => desk.changed(&runs(runs_of), now),
                _ => {
                    assert_eq!(desk.tick(Millis(now.0 - 1)), None, "{runs_of:?}");
                    desk.tick(now)
                }
            };
            assert_eq!(ping_now, ping(seen), "{runs_of:?}");
            desk.pull(&all, now);
            desk.pulled();
        };
        changed(&["feed:slow/run/a"], 5_000, &[1, 2]);
        changed(&["feed:slow/run/other"], 5_000, &[1]);
        changed(&["feed:fast/run/a"], 0, &[1, 3]);
        changed(&["feed:slow/run/b", "feed:fast/run/b"], 0, &[1]);
        // One that has no time of its own moves the list as the setting says.
        changed(&["feed:slow/run/b", "feed:other/run/b"], 1_000, &[1]);
        changed(&["a"], 0, &[4]);
    }

    #[test]
    fn in_a_rush_what_moves_is_pinged_ten_times_a_second_and_before_and_after_in_each_frame() {
        let mut desk = Desk::default();
        let run = ViewQuery::Run(RunId("a".into()));
        desk.register(vec![(ViewId(1), list()), (ViewId(2), run)]);
        desk.pull(&[ViewId(1), ViewId(2)], T0);
        // A window that pulls at once, while so many events come every 10 ms: how often it pulls.
        let mut pulls = |each: u64, from: u64, to: u64| {
            let mut pulls = 0;
            for now in (from..to).step_by(10) {
                let changes = Changes {
                    events: each,
                    ..runs(&["a"])
                };
                let ping = desk.changed(&changes, Millis(now));
                let ping = ping.or_else(|| desk.tick(Millis(now)));
                if ping.is_some() {
                    desk.pull(&[ViewId(1), ViewId(2)], Millis(now));
                    assert_eq!(desk.pulled(), None);
                    pulls += 1;
                }
            }
            pulls
        };
        assert_eq!(pulls(19, 10, 1_100), 109, "just no rush");
        assert_eq!(pulls(100, 1_100, 1_200), 10, "it is known afterwards");
        assert_eq!(pulls(100, 1_200, 3_200), 20);
        assert_eq!(pulls(1, 3_200, 3_400), 11, "and so is its end");
        assert_eq!(pulls(1, 3_400, 4_400), 100);
        assert_eq!(pulls(100, 4_400, 5_400), 19);
        // The last change waits, and is shown though nothing comes any more.
        assert_eq!(desk.changed(&runs(&["a"]), Millis(5_395)), None);
        assert_eq!(desk.next_wakeup(), Some(Millis(5_490)));
        assert_eq!(desk.tick(Millis(5_489)), None);
        assert_eq!(desk.tick(Millis(5_490)), ping(&[1, 2]));
        desk.pull(&[ViewId(1), ViewId(2)], Millis(5_491));
        assert_eq!((desk.pulled(), desk.next_wakeup()), (None, None));
        // Nothing for a while is no rush either.
        assert_eq!(desk.changed(&runs(&["a"]), Millis(5_900)), ping(&[1, 2]));
    }

    #[test]
    fn other_rows_of_a_list_are_shown_at_once_and_so_is_a_shorter_time() {
        let mut desk = Desk::default();
        desk.set_live_every(5_000, T0);
        desk.register(vec![(ViewId(1), list())]);
        desk.pull(&[ViewId(1)], T0);
        assert_eq!(desk.changed(&runs(&["a"]), Millis(1)), None);
        // Scrolled: another query under the same number.
        let next = ViewQuery::Runs {
            filter: RunFilter::default(),
            range: Range { start: 10, len: 10 },
        };
        assert_eq!(desk.register(vec![(ViewId(1), next)]), ping(&[1]));
        assert_eq!(desk.next_wakeup(), None);
        desk.pull(&[ViewId(1)], Millis(2));
        assert_eq!(desk.changed(&runs(&["a"]), Millis(3)), None);
        assert_eq!(desk.set_live_every(0, Millis(4)), ping(&[1]));
        desk.pull(&[ViewId(1)], Millis(5));
        assert_eq!(
            desk.changed(&runs(&["a"]), Millis(5)),
            ping(&[1]),
            "each frame"
        );
        // What is not shown any more does not wake anybody.
        desk.pull(&[ViewId(1)], Millis(6));
        desk.set_live_every(5_000, Millis(6));
        assert_eq!(desk.changed(&runs(&["a"]), Millis(7)), None);
        assert_eq!(desk.register(Vec::new()), None);
        assert_eq!(desk.next_wakeup(), None);
    }

    /// Changes at times drawn from a seed, and a window that pulls a while after each ping.
    #[test]
    fn the_last_change_is_never_swallowed() {
        for seed in 1..2_000_u64 {
            let mut state = seed;
            let mut draw = |below: u64| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33) % below
            };
            let every = [0, 1, 50, 1_000][draw(4) as usize];
            let mut desk = Desk::default();
            desk.set_live_every(every, T0);
            let mut now = 0;
            let mut pull_at = desk.register(vec![(ViewId(1), list())]).map(|_| 1);
            let (mut changed, mut shown, mut pinged) = (None, None, None);
            let mut left = 20;
            let mut change_at = Some(draw(200));
            loop {
                let wakeup = desk.next_wakeup().map(|at| at.0);
                let Some(next) = [change_at, pull_at, wakeup].into_iter().flatten().min() else {
                    break;
                };
                now = now.max(next);
                let mut ping = None;
                if pull_at.is_some_and(|at| at <= now) {
                    pull_at = None;
                    desk.pull(&[ViewId(1)], Millis(now));
                    shown = Some(now);
                    ping = desk.pulled();
                } else if change_at.is_some_and(|at| at <= now) {
                    left -= 1;
                    change_at = (left > 0).then(|| now + 1 + draw(400));
                    changed = Some(now);
                    ping = desk.changed(&runs(&["a"]), Millis(now));
                } else {
                    ping = ping.or(desk.tick(Millis(now)));
                }
                if ping.is_some() {
                    assert!(pull_at.is_none(), "seed {seed}: one is outstanding");
                    let since = shown.map_or(u64::MAX, |shown| now - shown);
                    assert!(
                        since >= every,
                        "seed {seed}: {since} ms after the last pull"
                    );
                    pinged = Some(now);
                    pull_at = Some(now + 1 + draw(60));
                }
            }
            assert!(
                shown > changed,
                "seed {seed}: changed {changed:?}, pinged {pinged:?}, shown {shown:?}"
            );
        }
    }
}
