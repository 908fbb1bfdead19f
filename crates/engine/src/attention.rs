//! Attention: what deserves a person's attention outside the window (SPEC K1).
//!
//! [`Attention`] is pure bookkeeping. Connections and runs come in with the time, [`Attention::tick`] gives out what
//! is to be said now, and [`Attention::next_wakeup`] says when to tick again. What happens together is said together,
//! and a kind is said a few times a minute at most, so a batch of hundreds makes a handful of notifications. Nothing
//! is lost by what is folded or left out: the window shows all of it.

use ghostlight_api::command::Notifications;
use ghostlight_feed::connection::{State, Status};
use ghostlight_model::{
    Issue, Micros, RunId, Severity,
    foreign::StatusChange,
    run::{RunLine, RunState, RunStatus},
};
use ghostlight_sync::Millis;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A feed without connection for longer than this is said to be lost, in ms.
pub const LOST_AFTER_MS: u64 = 10_000;
/// After so many failed tries in a row, connecting is said to fail.
pub const FAILING_TRIES: u32 = 3;
/// What happens of a kind within this time of the first becomes one alert, in ms.
pub const GROUP_MS: u64 = 2_000;
/// Alerts of a kind in a minute. What comes beyond waits, and is folded into the next one.
pub const PER_MINUTE_MAX: usize = 3;
const MINUTE_MS: u64 = 60_000;
/// What is older than this when it arrives is no news: it came by catching up, and the digest tells it. In ms.
pub const LATE_MS: i64 = 5 * MINUTE_MS as i64;
/// A run that a person began so recently is one they are looking at while the window has the focus, in ms.
pub const JUST_STARTED_MS: i64 = MINUTE_MS as i64;
/// Facts an alert names; the others are counted.
pub const NAMED_MAX: usize = 3;
/// Facts a group holds by name while it waits; the others are counted.
const HELD_MAX: usize = 64;
/// Runs, and errors of runs, that are remembered as told. Beyond, the first are forgotten: [`LATE_MS`] has passed for
/// nearly all of them by then, and otherwise a run is counted twice.
const TOLD_MAX: usize = 4_096;
/// Feeds whose outage is followed at a time. A further one is shown in the window only.
const OUTAGES_MAX: usize = 256;

/// The time, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Of a clock that never goes back, for what lasts.
    pub at: Millis,
    /// Of the wall, to compare with the times of events.
    pub wall: Micros,
}

/// A feed: its number, and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedName {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
}

/// The kinds of alerts, each with a switch in [`Notifications`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A feed is without connection.
    ConnectionLost,
    /// Connecting fails again and again.
    ConnectionFailing,
    /// The connection is back.
    ConnectionRestored,
    /// A run ended well.
    RunFinished,
    /// A run failed.
    RunFailed,
    /// A run that goes on met an error.
    CriticalIssue,
    /// The status of an application changed.
    StatusChanged,
}

impl Kind {
    fn is_wanted(self, wanted: &Notifications) -> bool {
        let switch = match self {
            Kind::ConnectionLost => wanted.connection_lost,
            Kind::ConnectionFailing => wanted.connection_failing,
            Kind::ConnectionRestored => wanted.connection_restored,
            Kind::RunFinished => wanted.run_finished,
            Kind::RunFailed => wanted.run_failed,
            Kind::CriticalIssue => wanted.critical_issue,
            Kind::StatusChanged => wanted.status_change,
        };
        switch && !wanted.quiet
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A feed has had no connection for [`LOST_AFTER_MS`].
    ConnectionLost {
        /// Which.
        feed: FeedName,
        /// Whether there was one before.
        before: bool,
        /// The last failure, in plain words.
        why: Option<String>,
    },
    /// [`FAILING_TRIES`] tries failed, or the token is refused.
    ConnectionFailing {
        /// Which feed.
        feed: FeedName,
        /// How many tries failed.
        tries: u32,
        /// Whether the token is refused: nothing is tried until there is another.
        refused: bool,
        /// The last failure, in plain words.
        why: Option<String>,
    },
    /// A connection that was missed is back.
    ConnectionRestored {
        /// Which feed.
        feed: FeedName,
        /// How long it was away, in ms.
        away_ms: u64,
    },
    /// A run ended well.
    RunFinished {
        /// Which.
        run: RunId,
        /// What to call it.
        name: String,
        /// What came out, in a few words, where it is one of ours.
        outcome: Option<String>,
    },
    /// A run failed.
    RunFailed {
        /// Which.
        run: RunId,
        /// What to call it.
        name: String,
        /// What happened and what to do, in sentences.
        why: String,
    },
    /// A run that goes on met an error.
    CriticalIssue {
        /// Which.
        run: RunId,
        /// What to call it.
        name: String,
        /// What happened and what to do, in sentences.
        what: String,
    },
    /// The status of an application changed.
    StatusChanged {
        /// The run, or the stream of messages, that tells of it.
        run: RunId,
        /// What the application is called.
        name: String,
        /// The status before.
        from: Option<String>,
        /// The status now.
        to: Option<String>,
    },
}

impl Fact {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Fact::ConnectionLost { .. } => Kind::ConnectionLost,
            Fact::ConnectionFailing { .. } => Kind::ConnectionFailing,
            Fact::ConnectionRestored { .. } => Kind::ConnectionRestored,
            Fact::RunFinished { .. } => Kind::RunFinished,
            Fact::RunFailed { .. } => Kind::RunFailed,
            Fact::CriticalIssue { .. } => Kind::CriticalIssue,
            Fact::StatusChanged { .. } => Kind::StatusChanged,
        }
    }

    /// The feed it is about.
    pub fn feed(&self) -> Option<&FeedName> {
        match self {
            Fact::ConnectionLost { feed, .. }
            | Fact::ConnectionFailing { feed, .. }
            | Fact::ConnectionRestored { feed, .. } => Some(feed),
            _ => None,
        }
    }

    /// The run it is about.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Fact::RunFinished { run, .. }
            | Fact::RunFailed { run, .. }
            | Fact::CriticalIssue { run, .. }
            | Fact::StatusChanged { run, .. } => Some(run),
            _ => None,
        }
    }
}

/// What is said at once: facts of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The kind.
    pub kind: Kind,
    /// The first ones, at least one and at most [`NAMED_MAX`].
    pub facts: Vec<Fact>,
    /// How many there are in all.
    pub count: usize,
}

/// How a run stands, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunNews {
    run: RunId,
    name: String,
    by_person: bool,
    started: Micros,
    updated: Micros,
    standing: Standing,
}

/// A message of a stream that tells of a change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusNews {
    /// The run, or the stream of messages.
    pub run: RunId,
    /// Epoch and offset of the message.
    pub place: (u64, u64),
    /// When.
    pub at: Micros,
    /// What it tells.
    pub change: StatusChange,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Going { errors: Vec<(String, String)> },
    Finished { at: Micros, outcome: Option<String> },
    Failed { at: Micros, why: String },
}

impl RunNews {
    /// Of a run, called by its posting's title once that is known. `by_person` says that it was begun in this window.
    pub fn of(state: &RunState, title: Option<String>, by_person: bool) -> Self {
        let at = state.ended.unwrap_or(state.updated);
        let standing = match state.status {
            RunStatus::Running | RunStatus::Open => Standing::Going {
                errors: errors(state),
            },
            RunStatus::Finished => Standing::Finished {
                at,
                outcome: outcome(state),
            },
            RunStatus::Failed => Standing::Failed {
                at,
                why: state
                    .failure
                    .as_ref()
                    .map(|f| sentences(&f.issue))
                    .unwrap_or_default(),
            },
        };
        let title = title.filter(|title| !title.trim().is_empty());
        Self {
            run: state.run_id.clone(),
            name: title.unwrap_or_else(|| RunLine::of(state).name),
            by_person,
            started: state.started,
            updated: state.updated,
            standing,
        }
    }
}

/// The errors of a run so far, by code: the first of each.
fn errors(state: &RunState) -> Vec<(String, String)> {
    let issues = state.nodes.iter().flat_map(|node| &node.issues);
    let mut errors: Vec<(String, String)> = Vec::new();
    for issue in issues.filter(|issue| issue.severity == Severity::Error) {
        if errors.iter().all(|(code, _)| *code != issue.code) {
            errors.push((issue.code.clone(), sentences(issue)));
        }
    }
    errors
}

fn sentences(issue: &Issue) -> String {
    let hint = issue.hint.as_deref().unwrap_or_default();
    format!("{} {hint}", issue.message).trim_end().to_owned()
}

fn outcome(state: &RunState) -> Option<String> {
    let level = state.assessment.as_ref()?.level.label();
    let fields = match state.fields_found() {
        1 => "1 field".to_owned(),
        n => format!("{n} fields"),
    };
    Some(format!("{level}, {fields} found."))
}

/// See the module.
#[derive(Debug)]
pub struct Attention {
    /// What ended before is not news.
    since: Micros,
    wanted: Notifications,
    focused: bool,
    /// By the feed's number.
    outages: BTreeMap<i64, Outage>,
    groups: BTreeMap<Kind, Group>,
    /// When a kind was last said, at most [`PER_MINUTE_MAX`] times, oldest first.
    said: BTreeMap<Kind, VecDeque<Millis>>,
    ended: Told<RunId>,
    errors: Told<(RunId, String)>,
    changes: Told<(RunId, (u64, u64))>,
}

/// A feed that should be connected and is not.
#[derive(Debug)]
struct Outage {
    feed: FeedName,
    began: Millis,
    /// Since when it counts; `None` while the system says that there is no network.
    since: Option<Millis>,
    tries: u32,
    refused: bool,
    before: bool,
    why: Option<String>,
    decided: Option<Kind>,
    /// Whether a person was told.
    shown: bool,
}

/// Facts of a kind that wait to be said together.
#[derive(Debug)]
struct Group {
    since: Millis,
    held: Vec<Held>,
    /// Those beyond [`HELD_MAX`], by `just_started`.
    more: [usize; 2],
}

#[derive(Debug)]
struct Held {
    fact: Fact,
    just_started: bool,
}

impl Attention {
    /// Nothing happened yet.
    pub fn new(wanted: Notifications) -> Self {
        Self {
            since: Micros::default(),
            wanted,
            focused: false,
            outages: BTreeMap::new(),
            groups: BTreeMap::new(),
            said: BTreeMap::new(),
            ended: Told::default(),
            errors: Told::default(),
            changes: Told::default(),
        }
    }

    /// From now on somebody watches; what ended before is no news.
    pub fn begin(&mut self, since: Micros) {
        self.since = since;
    }

    /// The switches were changed. What waits goes by the new ones.
    pub fn prefer(&mut self, wanted: Notifications) {
        self.wanted = wanted;
    }

    /// Whether the window has the focus.
    pub fn focus(&mut self, focused: bool) {
        self.focused = focused;
    }

    /// A feed's connection changed. One that is taken away must be told as [`State::Disconnected`].
    pub fn connection(&mut self, feed: &FeedName, status: &Status, now: Now) {
        match status.state {
            State::Connected | State::Polling => self.connected(feed, now),
            State::Disconnected => {
                self.outages.remove(&feed.id);
                self.withdraw(feed.id);
            }
            State::Offline => self.offline(feed.id),
            State::Connecting | State::Reconnecting | State::Refused => {
                self.away(feed, status, now);
            }
        }
    }

    /// A run's stream grew.
    pub fn run(&mut self, news: RunNews, now: Now) {
        let RunNews {
            run,
            name,
            by_person,
            started,
            updated,
            standing,
        } = news;
        match standing {
            Standing::Going { errors } => {
                let late = self.is_late(updated, now);
                for (code, what) in errors {
                    if self.errors.insert((run.clone(), code)) && !late {
                        let (run, name) = (run.clone(), name.clone());
                        self.hold(Fact::CriticalIssue { run, name, what }, false, now);
                    }
                }
            }
            Standing::Finished { at, outcome } => {
                let just_started = by_person && age_ms(started, now) <= JUST_STARTED_MS;
                let news = self.is_news(&run, at, now);
                if news && !(just_started && self.focused) {
                    self.hold(Fact::RunFinished { run, name, outcome }, just_started, now);
                }
            }
            Standing::Failed { at, why } => {
                // The failure says it.
                self.drop_held(Kind::CriticalIssue, |fact| fact.run() == Some(&run));
                if self.is_news(&run, at, now) {
                    self.hold(Fact::RunFailed { run, name, why }, false, now);
                }
            }
        }
    }

    /// A message told of a change of status; the same message twice is one.
    pub fn status_changed(&mut self, news: StatusNews, now: Now) {
        let StatusNews {
            run,
            place,
            at,
            change,
        } = news;
        let is_new = self.changes.insert((run.clone(), place));
        if !is_new || self.is_late(at, now) {
            return;
        }
        let StatusChange { what, from, to } = change;
        let name = match what.is_empty() {
            true => "an application".to_owned(),
            false => what,
        };
        let fact = Fact::StatusChanged {
            run,
            name,
            from,
            to,
        };
        self.hold(fact, false, now);
    }

    /// A run as it stood before anybody watched: what it says is known.
    pub fn seen(&mut self, news: RunNews) {
        match news.standing {
            Standing::Going { errors } => {
                for (code, _) in errors {
                    self.errors.insert((news.run.clone(), code));
                }
            }
            Standing::Finished { .. } | Standing::Failed { .. } => {
                self.ended.insert(news.run);
            }
        }
    }

    /// A run that nobody asked for: its end is not told.
    pub fn ignore(&mut self, run: RunId) {
        self.drop_held(Kind::RunFinished, |fact| fact.run() == Some(&run));
        self.ended.insert(run);
    }

    /// Whether a run's state may hold news; an end that was told is none, nor one before anybody watched.
    pub fn may_be_news(&self, run: &RunId, ended: Option<Micros>) -> bool {
        let before = ended.is_some_and(|at| at < self.since);
        !before && !self.ended.contains(run)
    }

    /// What is to be said now.
    pub fn tick(&mut self, now: Now) -> Vec<Alert> {
        let lost = |outage: &Outage| outage.lost_at().is_some_and(|at| at <= now.at);
        let over = self.outages.iter().filter(|(_, outage)| lost(outage));
        let feeds: Vec<i64> = over.map(|(feed, _)| *feed).collect();
        for feed in feeds {
            self.decide(feed, Kind::ConnectionLost, now);
        }
        let due = self.groups.iter();
        let due = due.filter(|(kind, group)| self.due(**kind, group) <= now.at);
        let due: Vec<Kind> = due.map(|(kind, _)| *kind).collect();
        due.into_iter()
            .filter_map(|kind| self.say(kind, now))
            .collect()
    }

    /// When to tick if nothing else happens first.
    pub fn next_wakeup(&self) -> Option<Millis> {
        let lost = self.outages.values().filter_map(Outage::lost_at);
        let due = self
            .groups
            .iter()
            .map(|(kind, group)| self.due(*kind, group));
        lost.chain(due).min()
    }

    fn connected(&mut self, feed: &FeedName, now: Now) {
        self.withdraw(feed.id);
        let Some(outage) = self.outages.remove(&feed.id) else {
            return;
        };
        if outage.shown || outage.tries >= FAILING_TRIES {
            let fact = Fact::ConnectionRestored {
                feed: feed.clone(),
                away_ms: now.at.since(outage.began),
            };
            self.hold(fact, false, now);
        }
    }

    /// The window has a banner for this; the clock stands still, and what was said stays said.
    fn offline(&mut self, feed: i64) {
        let Some(outage) = self.outages.get_mut(&feed) else {
            return;
        };
        outage.since = None;
        // With the network back, tries are counted anew.
        outage.tries = 0;
        if !outage.shown {
            outage.decided = None;
            self.withdraw(feed);
        }
    }

    fn away(&mut self, feed: &FeedName, status: &Status, now: Now) {
        if !self.outages.contains_key(&feed.id) {
            if self.outages.len() >= OUTAGES_MAX {
                return;
            }
            // It was back for so short a time that nobody was told: the same outage goes on.
            let went_on = self.withdraw(feed.id) > 0;
            let outage = Outage {
                feed: feed.clone(),
                began: now.at,
                since: None,
                tries: 0,
                refused: false,
                before: status.connected_at.is_some(),
                why: None,
                decided: went_on.then_some(Kind::ConnectionLost),
                shown: went_on,
            };
            self.outages.insert(feed.id, outage);
        }
        let Some(outage) = self.outages.get_mut(&feed.id) else {
            return;
        };
        outage.since.get_or_insert(now.at);
        outage.tries = outage.tries.max(failed_tries(status));
        if let Some(failure) = &status.last_error {
            outage.why = Some(crate::board::failure_words(failure));
        }
        outage.refused = status.state == State::Refused;
        let failing = outage.tries >= FAILING_TRIES || outage.refused;
        if failing && outage.decided != Some(Kind::ConnectionFailing) {
            self.decide(feed.id, Kind::ConnectionFailing, now);
        }
    }

    /// Decides to say that a feed is lost or failing; the latter takes the place of the former.
    fn decide(&mut self, feed: i64, kind: Kind, now: Now) {
        self.withdraw(feed);
        let Some(outage) = self.outages.get_mut(&feed) else {
            return;
        };
        outage.decided = Some(kind);
        let (feed, why) = (outage.feed.clone(), outage.why.clone());
        let fact = match kind {
            Kind::ConnectionFailing => Fact::ConnectionFailing {
                feed,
                tries: outage.tries,
                refused: outage.refused,
                why,
            },
            _ => Fact::ConnectionLost {
                feed,
                before: outage.before,
                why,
            },
        };
        self.hold(fact, false, now);
    }

    fn is_late(&self, at: Micros, now: Now) -> bool {
        at < self.since || age_ms(at, now) > LATE_MS
    }

    /// Whether the end of a run is to be told; from now on it is not.
    fn is_news(&mut self, run: &RunId, at: Micros, now: Now) -> bool {
        self.ended.insert(run.clone()) && !self.is_late(at, now)
    }

    fn hold(&mut self, fact: Fact, just_started: bool, now: Now) {
        let group = self.groups.entry(fact.kind()).or_insert_with(|| Group {
            since: now.at,
            held: Vec::new(),
            more: [0; 2],
        });
        if group.held.len() < HELD_MAX {
            group.held.push(Held { fact, just_started });
        } else {
            group.more[usize::from(just_started)] += 1;
        }
    }

    /// Takes back what waits to be said of a feed; answers how much.
    fn withdraw(&mut self, feed: i64) -> usize {
        let kinds = [
            Kind::ConnectionLost,
            Kind::ConnectionFailing,
            Kind::ConnectionRestored,
        ];
        let of_feed =
            |kind| self.drop_held(kind, |fact| fact.feed().is_some_and(|of| of.id == feed));
        kinds.map(of_feed).iter().sum()
    }

    fn drop_held(&mut self, kind: Kind, which: impl Fn(&Fact) -> bool) -> usize {
        let Some(group) = self.groups.get_mut(&kind) else {
            return 0;
        };
        let before = group.held.len();
        group.held.retain(|held| !which(&held.fact));
        let dropped = before - group.held.len();
        if group.count() == 0 {
            self.groups.remove(&kind);
        }
        dropped
    }

    fn due(&self, kind: Kind, group: &Group) -> Millis {
        let together = group.since.plus(GROUP_MS);
        let said = self.said.get(&kind);
        let full = said.filter(|said| said.len() >= PER_MINUTE_MAX);
        let first = full.and_then(|said| said.front());
        first.map_or(together, |first| together.max(first.plus(MINUTE_MS)))
    }

    fn say(&mut self, kind: Kind, now: Now) -> Option<Alert> {
        let mut group = self.groups.remove(&kind)?;
        if self.focused && kind == Kind::RunFinished {
            group.held.retain(|held| !held.just_started);
            group.more[1] = 0;
        }
        if !kind.is_wanted(&self.wanted) || group.held.is_empty() {
            return None;
        }
        let said = self.said.entry(kind).or_default();
        said.push_back(now.at);
        while said.len() > PER_MINUTE_MAX {
            said.pop_front();
        }
        let count = group.count();
        let facts = group.held.into_iter().map(|held| held.fact);
        let facts: Vec<Fact> = facts.collect();
        for outage in facts.iter().filter_map(|fact| fact.feed()) {
            if let Some(outage) = self.outages.get_mut(&outage.id) {
                outage.shown = true;
            }
        }
        let facts = facts.into_iter().take(NAMED_MAX).collect();
        Some(Alert { kind, facts, count })
    }
}

impl Outage {
    /// When it is to be said to be lost.
    fn lost_at(&self) -> Option<Millis> {
        let undecided = self.since.filter(|_| self.decided.is_none());
        undecided.map(|since| since.plus(LOST_AFTER_MS))
    }
}

impl Group {
    fn count(&self) -> usize {
        self.held.len() + self.more[0] + self.more[1]
    }
}

/// Tries to connect that failed. The machine counts a connection that broke as the first failure, and a try that is
/// under way as one already.
fn failed_tries(status: &Status) -> u32 {
    let broke = u32::from(status.connected_at.is_some());
    let under_way = u32::from(status.state == State::Connecting);
    status.attempt.saturating_sub(broke + under_way)
}

/// How long ago, in ms; what a clock ahead of ours calls the future is now.
fn age_ms(then: Micros, now: Now) -> i64 {
    (now.wall.0.saturating_sub(then.0) / 1_000).max(0)
}

/// What was told, up to [`TOLD_MAX`].
#[derive(Debug)]
struct Told<T> {
    known: BTreeSet<T>,
    order: VecDeque<T>,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self {
            known: BTreeSet::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T: Ord + Clone> Told<T> {
    /// Whether it is new.
    fn insert(&mut self, one: T) -> bool {
        if !self.known.insert(one.clone()) {
            return false;
        }
        self.order.push_back(one);
        if self.order.len() > TOLD_MAX
            && let Some(first) = self.order.pop_front()
        {
            self.known.remove(&first);
        }
        true
    }

    fn contains(&self, one: &T) -> bool {
        self.known.contains(one)
    }
}

#[cfg(test)]
mod tests;
