//! What is known of one feed while the application runs: how its connection stands, what came, what was caught up.
//!
//! Pure: news and times go in, rows for the window come out. [`crate::monitor`] keeps a board for each feed.

use crate::delays::Delays;
use ghostlight_api::view::{
    LinkState, LinkView, SENT_CHARS_MAX, SENT_MAX, SUBSCRIPTIONS_MAX, SentRow, StreamRow, Traffic,
};
use ghostlight_feed::connection::{Failure, FailureClass, State, Status};
use ghostlight_model::{Micros, StreamId, message::Message};
use ghostlight_store::ReceivedCount;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Seconds over which a rate is counted.
const RATE_SECONDS: i64 = 5;
/// Streams whose events are counted; the one that was silent longest makes room.
const STREAMS_MAX: usize = 1_000;
/// Streams that a digest knows by name; of further ones only the events are counted.
const DIGEST_STREAMS_MAX: usize = 2_000;
/// A feed that does not number its events cannot say when all is here. It counts as caught up once nothing came for so
/// long …
const SETTLED_AFTER_US: i64 = 2 * SECOND_US;
/// … or, where events never cease to come, so long after the connection.
const SETTLED_AT_LAST_US: i64 = 30 * SECOND_US;
const SECOND_US: i64 = 1_000_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Board {
    link: LinkView,
    /// When the feed was switched on.
    on: Micros,
    /// Time connected before the present connection, in microseconds.
    up_us: i64,
    /// Since when it is connected, while it is.
    up_since: Option<Micros>,
    traffic: Traffic,
    rate: Rate,
    delays: Delays,
    streams: BTreeMap<StreamId, Counted>,
    /// When the one that made room last had spoken last.
    forgotten: Option<Micros>,
    /// Since when events may have been missed: the last time it was known to be connected.
    away_since: Option<Micros>,
    catching_up: Option<CatchUp>,
    /// Whether the last outage was told in words.
    lost: bool,
    /// What a person sent, the latest first; the oldest of more than [`SENT_MAX`] goes.
    sent: VecDeque<SentRow>,
    sent_in_all: u64,
}

#[derive(Debug, Default)]
struct Counted {
    events: u64,
    rate: Rate,
    last: Micros,
}

/// What came since a connection, until everything from before it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatchUp {
    /// Since when events may have been missed; `None` on the very first connection.
    pub from: Option<Micros>,
    /// When the connection stood.
    pub began: Micros,
    /// Events stored since.
    pub events: u64,
    /// Offsets recorded as gone since.
    pub missing: u64,
    /// Streams with new events.
    pub streams: BTreeSet<StreamId>,
    /// When the last of them came, else when the connection stood.
    pub last: Micros,
}

/// What the board has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// The connection works again after an outage, for a feed that cannot say when all is caught up.
    Restored,
    /// Everything from before the connection is here.
    CaughtUp(CatchUp),
    /// What such a feed sent since the connection has come to rest; whether that is all cannot be known.
    Settled(CatchUp),
}

impl Board {
    /// For a feed that is switched on (or off) now and was last connected then.
    pub fn new(now: Micros, enabled: bool, last_connected: Option<Micros>) -> Self {
        Self {
            link: LinkView {
                state: match enabled {
                    true => LinkState::Connecting,
                    false => LinkState::Off,
                },
                transport: String::new(),
                attempt: 0,
                next_try: None,
                since: now,
                last_connected,
                last_error: None,
                latency_ms: None,
            },
            on: now,
            up_us: 0,
            up_since: None,
            traffic: Traffic::default(),
            rate: Rate::default(),
            delays: Delays::default(),
            streams: BTreeMap::new(),
            forgotten: None,
            away_since: last_connected,
            catching_up: None,
            lost: false,
            sent: VecDeque::new(),
            sent_in_all: 0,
        }
    }

    /// The connection changed. `proven`: whether the feed says when all is caught up.
    pub fn status(
        &mut self,
        status: &Status,
        next_try: Option<Micros>,
        proven: bool,
        now: Micros,
    ) -> Option<Word> {
        let state = link_state(status.state);
        let (was_up, is_up) = (self.link.state.is_up(), state.is_up());
        let first = self.traffic.connects.0 == 0;
        if status.state == State::Connecting && (first || self.link.state != LinkState::Connecting)
        {
            self.traffic.connects.0 += 1;
        }
        if state != self.link.state {
            self.link.since = now;
        }
        self.link.state = state;
        self.link.transport = status.transport.word().to_owned();
        self.link.attempt = status.attempt;
        self.link.next_try = next_try;
        self.link.last_error = status.last_error.as_ref().map(failure_words);
        self.link.latency_ms = status.latency_ms;
        match (was_up, is_up) {
            (false, true) => self.connected(proven, now),
            (true, false) => {
                self.disconnected(now);
                None
            }
            _ => None,
        }
    }

    fn connected(&mut self, proven: bool, now: Micros) -> Option<Word> {
        self.traffic.connects.1 += 1;
        self.up_since = Some(now);
        // What was cut off while it was catching up goes on: the absence is not over before all is here.
        // Of a feed that never says when that is, the very first connection is no absence, and one that was cut begins one.
        let unfinished = self.catching_up.take();
        let unfinished = unfinished.filter(|one| proven || one.from.is_some());
        self.catching_up = Some(CatchUp {
            last: now,
            ..unfinished.unwrap_or_else(|| CatchUp {
                from: self.away_since,
                began: now,
                events: 0,
                missing: 0,
                streams: BTreeSet::new(),
                last: now,
            })
        });
        let again = std::mem::take(&mut self.lost);
        (again && !proven).then_some(Word::Restored)
    }

    fn disconnected(&mut self, now: Micros) {
        if let Some(since) = self.up_since.take() {
            self.up_us += now.0.saturating_sub(since.0).max(0);
        }
        self.link.last_connected = Some(now);
        self.away_since = Some(now);
        self.lost = true;
    }

    /// It was switched off, or ended by a fault.
    pub fn ended(&mut self, state: LinkState, why: Option<String>, now: Micros) {
        if self.link.state.is_up() {
            self.disconnected(now);
        }
        self.link.state = state;
        self.link.since = now;
        self.link.next_try = None;
        self.link.latency_ms = None;
        if why.is_some() {
            self.link.last_error = why;
        }
    }

    /// Events became durable.
    pub fn stored(&mut self, count: &ReceivedCount, now: Micros) {
        self.traffic.events += count.stored;
        self.traffic.duplicates += count.duplicates;
        self.traffic.missing = self.traffic.missing.saturating_add(count.missing);
        self.rate.add(count.stored, now);
        if count.stored > 0 {
            self.traffic.last_event = Some(now);
        }
        for (stream, events) in &count.streams {
            self.make_room_for(stream);
            let counted = self.streams.entry(stream.clone()).or_default();
            counted.events += events;
            counted.rate.add(*events, now);
            counted.last = now;
        }
        if let Some(catch_up) = &mut self.catching_up {
            catch_up.events += count.stored;
            if count.stored > 0 {
                catch_up.last = now;
            }
            catch_up.missing = catch_up.missing.saturating_add(count.missing);
            for (stream, _) in &count.streams {
                if catch_up.streams.len() < DIGEST_STREAMS_MAX {
                    catch_up.streams.insert(stream.clone());
                }
            }
        }
    }

    /// How long events took to come here. What is caught up was not under way all that time, so it does not count.
    pub fn delayed(&mut self, delays: Delays) {
        if self.catching_up.is_none() {
            self.delays.add(delays);
        }
    }

    fn make_room_for(&mut self, stream: &StreamId) {
        if self.streams.len() < STREAMS_MAX || self.streams.contains_key(stream) {
            return;
        }
        let silent = self.streams.iter().min_by_key(|(_, counted)| counted.last);
        if let Some((silent, last)) = silent.map(|(stream, counted)| (stream.clone(), counted.last))
        {
            self.streams.remove(&silent);
            self.forgotten = Some(last);
        }
    }

    /// A message was set aside.
    pub fn quarantined(&mut self, in_all: u64) {
        self.traffic.quarantined = in_all;
    }

    /// Everything from before the connection is here.
    pub fn caught_up(&mut self) -> Option<Word> {
        self.catching_up.take().map(Word::CaughtUp)
    }

    /// Time passed. `proven` as in [`Board::status`]: then it is the feed that says when all is here.
    pub fn settled(&mut self, proven: bool, now: Micros) -> Option<Word> {
        let catch_up = self.catching_up.as_ref();
        let catch_up = catch_up.filter(|_| !proven && self.link.state.is_up())?;
        let rests = now.0.saturating_sub(catch_up.last.0) >= SETTLED_AFTER_US;
        let lasts = now.0.saturating_sub(self.up_since?.0) >= SETTLED_AT_LAST_US;
        (rests || lasts).then(|| self.catching_up.take().map(Word::Settled))?
    }

    /// A person sent a message, or tried to.
    pub fn sent(&mut self, message: &Message, problem: Option<String>, now: Micros) {
        self.sent_in_all += 1;
        let data = message.data();
        let mut shown: String = data.chars().take(SENT_CHARS_MAX).collect();
        if shown.len() < data.len() {
            shown.push('…');
        }
        self.sent.truncate(SENT_MAX - 1);
        self.sent.push_front(SentRow {
            number: self.sent_in_all,
            at: now,
            event: message.event().to_owned(),
            data: shown,
            problem,
        });
    }

    /// What a person sent, the latest first.
    pub fn sent_rows(&self) -> Vec<SentRow> {
        self.sent.iter().cloned().collect()
    }

    /// How the connection stands.
    pub fn link(&self, now: Micros) -> LinkView {
        let mut link = self.link.clone();
        if link.state.is_up() {
            link.last_connected = Some(now);
        }
        link
    }

    /// Since when a stream has been silent here, by our clock.
    ///
    /// Of one that has not spoken since the feed was switched on it is only known that it is silent for as long as that,
    /// or for longer if its source's own time of its latest event, `told`, says so.
    pub fn silent_since(&self, stream: &StreamId, told: Micros) -> Micros {
        match (self.streams.get(stream), self.forgotten) {
            (Some(counted), _) => counted.last,
            (None, None) => told.min(self.on),
            // It may be one that made room: then it spoke last at some time up to that.
            (None, Some(last)) => told.clamp(self.on.min(last), last),
        }
    }

    /// Whether a rate is shown that falls by itself.
    pub fn is_counting(&self, now: Micros) -> bool {
        self.rate.last_second() >= now.0.div_euclid(SECOND_US) - RATE_SECONDS - 1
    }

    /// What came.
    pub fn traffic(&self, now: Micros) -> Traffic {
        let on_us = (now.0 - self.on.0).max(1);
        let up_us = self.up_us + self.up_since.map_or(0, |since| (now.0 - since.0).max(0));
        let mut streams: Vec<(&StreamId, &Counted)> = self.streams.iter().collect();
        streams.sort_by_key(|(_, counted)| std::cmp::Reverse(counted.last));
        let streams = streams.into_iter().take(SUBSCRIPTIONS_MAX);
        Traffic {
            rate: self.rate.at(now),
            delay: self.delays.view(),
            uptime_percent: (up_us as f64 * 100.0 / on_us as f64).min(100.0),
            streams: streams
                .map(|(stream, counted)| StreamRow {
                    stream: stream.0.clone(),
                    events: counted.events,
                    rate: counted.rate.at(now),
                    last: counted.last,
                })
                .collect(),
            ..self.traffic.clone()
        }
    }
}

/// A failure in the window's words, with the way out where there is one.
pub(crate) fn failure_words(failure: &Failure) -> String {
    match failure.class {
        FailureClass::Unwelcome => format!(
            "{}. If it is no Ghostlight hub, change the feed and choose what it is under System.",
            failure.message
        ),
        _ => failure.message.clone(),
    }
}

/// The state as the window knows it.
pub(crate) fn link_state(state: State) -> LinkState {
    match state {
        State::Disconnected => LinkState::Off,
        State::Connecting => LinkState::Connecting,
        State::Connected => LinkState::Connected,
        State::Polling => LinkState::Polling,
        State::Reconnecting => LinkState::Reconnecting,
        State::Offline => LinkState::Offline,
        State::Refused => LinkState::Refused,
    }
}

/// Events a second over the last whole seconds.
#[derive(Debug, Default)]
struct Rate {
    /// Second and events in it, oldest first.
    seconds: Vec<(i64, u64)>,
}

impl Rate {
    fn add(&mut self, events: u64, now: Micros) {
        let second = now.0.div_euclid(SECOND_US);
        match self.seconds.last_mut() {
            Some((last, count)) if *last >= second => *count += events,
            _ => self.seconds.push((second, events)),
        }
        self.seconds.retain(|(at, _)| *at >= second - RATE_SECONDS);
    }

    /// The latest second with events; long ago if there was none.
    fn last_second(&self) -> i64 {
        self.seconds
            .last()
            .map_or(i64::MIN / 2, |(second, _)| *second)
    }

    fn at(&self, now: Micros) -> f64 {
        let second = now.0.div_euclid(SECOND_US);
        // The present second has only begun.
        let whole = second - RATE_SECONDS..second;
        let counted = self.seconds.iter().filter(|(at, _)| whole.contains(at));
        counted.map(|(_, count)| *count).sum::<u64>() as f64 / RATE_SECONDS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_feed::connection::Transport;

    fn at(seconds: i64) -> Micros {
        Micros(seconds * SECOND_US)
    }

    fn status(state: State) -> Status {
        Status {
            state,
            transport: Transport::WebSocket,
            attempt: 0,
            next_try_at: None,
            connected_at: None,
            last_error: None,
            latency_ms: None,
        }
    }

    fn count(stream: &str, events: u64, missing: u64) -> ReceivedCount {
        ReceivedCount {
            stored: events,
            duplicates: 0,
            missing,
            streams: vec![(StreamId(stream.into()), events)],
        }
    }

    #[test]
    fn another_system_at_a_hubs_address_is_told_with_the_way_out() {
        let mut board = Board::new(at(0), true, None);
        let failed = |class| Status {
            last_error: Some(Failure::new(class, "no welcome")),
            ..status(State::Reconnecting)
        };
        board.status(&failed(FailureClass::Unwelcome), None, true, at(1));
        let told = board.link(at(1)).last_error.unwrap();
        assert!(
            told.starts_with("no welcome. If it is no Ghostlight hub"),
            "{told}"
        );
        assert!(told.contains("System") && !told.contains("--"), "{told}");
        board.status(&failed(FailureClass::Network), None, true, at(2));
        assert_eq!(board.link(at(2)).last_error.as_deref(), Some("no welcome"));
    }

    #[test]
    fn a_stream_that_made_room_is_silent_since_it_spoke_at_most() {
        let mut board = Board::new(at(100), true, None);
        for n in 0..=STREAMS_MAX as i64 {
            board.stored(&count(&format!("run/{n}"), 1, 0), at(200 + n));
        }
        let since = |run: &str, told| board.silent_since(&StreamId(run.into()), told);
        assert_eq!(since("run/1", at(0)), at(201));
        // The first one made room: its source's word counts, between the start and when it spoke here.
        assert_eq!(since("run/0", at(0)), at(100));
        assert_eq!(since("run/0", at(150)), at(150));
        assert_eq!(since("run/0", at(9_000)), at(200));
    }

    #[test]
    fn what_is_caught_up_after_an_outage_is_told_once() {
        let mut board = Board::new(at(0), true, None);
        board.status(&status(State::Connecting), None, true, at(0));
        assert_eq!(
            board.status(&status(State::Connected), None, true, at(1)),
            None
        );
        let first = board.caught_up();
        assert!(matches!(
            first,
            Some(Word::CaughtUp(CatchUp {
                from: None,
                events: 0,
                ..
            }))
        ));
        board.stored(&count("run/a", 5, 0), at(2));
        assert_eq!(
            board.status(&status(State::Reconnecting), Some(at(5)), true, at(3)),
            None
        );
        assert_eq!(board.link(at(4)).next_try, Some(at(5)));
        board.status(&status(State::Connecting), None, true, at(8));
        board.status(&status(State::Connected), None, true, at(9));
        board.stored(&count("run/a", 13, 4), at(9));
        let Some(Word::CaughtUp(caught)) = board.caught_up() else {
            panic!("nothing caught up")
        };
        assert_eq!(
            (caught.from, caught.events, caught.missing),
            (Some(at(3)), 13, 4)
        );
        assert_eq!(board.caught_up(), None);
        let traffic = board.traffic(at(10));
        assert_eq!((traffic.events, traffic.missing), (18, 4));
        assert_eq!(traffic.connects, (2, 2));
        assert_eq!(traffic.uptime_percent, 30.0);
    }

    #[test]
    fn an_absence_is_over_when_all_is_here_however_often_the_line_breaks() {
        let mut board = Board::new(at(100), true, Some(at(0)));
        board.status(&status(State::Connected), None, true, at(101));
        board.stored(&count("run/a", 3, 0), at(101));
        board.status(&status(State::Reconnecting), None, true, at(102));
        board.status(&status(State::Connected), None, true, at(103));
        board.stored(&count("run/b", 4, u64::MAX), at(103));
        board.stored(&count("run/b", 0, 9), at(103));
        let Some(Word::CaughtUp(caught)) = board.caught_up() else {
            panic!("nothing caught up")
        };
        assert_eq!(
            (caught.from, caught.events, caught.streams.len()),
            (Some(at(0)), 7, 2)
        );
        assert_eq!(caught.missing, u64::MAX);
    }

    #[test]
    fn a_feed_that_cannot_prove_anything_is_restored_and_told_of_once_it_rests() {
        let mut board = Board::new(at(0), true, Some(at(-60)));
        let up = |board: &mut Board, now| board.status(&status(State::Connected), None, false, now);
        assert_eq!(up(&mut board, at(1)), None);
        assert_eq!(board.settled(false, at(2)), None, "it may have more to say");
        board.stored(&count("typed/a", 3, 0), at(2));
        assert_eq!(board.settled(false, at(3)), None);
        assert_eq!(board.settled(true, at(9)), None, "a hub says it itself");
        let Some(Word::Settled(caught)) = board.settled(false, at(4)) else {
            panic!("it rests")
        };
        assert_eq!((caught.from, caught.events), (Some(at(-60)), 3));
        assert_eq!(board.settled(false, at(9)), None, "once");
        board.status(&status(State::Reconnecting), None, false, at(10));
        assert_eq!(up(&mut board, at(20)), Some(Word::Restored));
        // Cut off while it was not at rest yet: the absence is one.
        board.status(&status(State::Reconnecting), None, false, at(21));
        assert_eq!(board.settled(false, at(30)), None, "nothing can come");
        assert_eq!(up(&mut board, at(40)), Some(Word::Restored));
        // One that never rests is told of all the same.
        let mut told = (41..=70).filter_map(|second| {
            board.stored(&count("typed/a", 1, 0), at(second));
            board.settled(false, at(second))
        });
        let Some(Word::Settled(caught)) = told.next() else {
            panic!("it is told of")
        };
        assert_eq!((caught.from, caught.events), (Some(at(10)), 30));
        assert_eq!(told.next(), None);
    }

    #[test]
    fn the_first_absence_of_such_a_feed_is_told_however_soon_it_comes() {
        let mut board = Board::new(at(0), true, None);
        let up = |board: &mut Board, now| board.status(&status(State::Connected), None, false, now);
        up(&mut board, at(1));
        board.stored(&count("typed/a", 3, 0), at(1));
        board.status(&status(State::Reconnecting), None, false, at(2));
        up(&mut board, at(9));
        board.stored(&count("typed/a", 1, 0), at(9));
        let Some(Word::Settled(caught)) = board.settled(false, at(11)) else {
            panic!("it rests")
        };
        assert_eq!(
            (caught.from, caught.began, caught.events),
            (Some(at(2)), at(9), 1)
        );
    }

    #[test]
    fn what_was_caught_up_is_no_delay() {
        let mut board = Board::new(at(0), true, None);
        let took = |board: &mut Board, ms: i64| {
            let mut delays = Delays::default();
            delays.count(Micros(0), Micros(ms * 1_000));
            board.delayed(delays);
        };
        board.status(&status(State::Connected), None, true, at(1));
        took(&mut board, 900_000);
        assert_eq!(board.traffic(at(2)).delay, None, "it waited for us");
        board.caught_up();
        took(&mut board, 40);
        took(&mut board, 60);
        let delay = board.traffic(at(2)).delay.unwrap();
        assert_eq!(
            (delay.events, delay.mean_ms, delay.least_ms),
            (2, 50.0, 40.0)
        );
        board.status(&status(State::Reconnecting), None, true, at(3));
        board.status(&status(State::Connected), None, true, at(4));
        took(&mut board, 5_000);
        assert_eq!(board.traffic(at(5)).delay.unwrap().events, 2);
    }

    #[test]
    fn rates_are_of_the_last_whole_seconds() {
        let mut board = Board::new(at(0), true, None);
        for second in 0..20 {
            board.stored(&count("run/a", 10, 0), at(second));
        }
        assert_eq!(board.traffic(at(20)).rate, 10.0);
        assert_eq!(board.traffic(at(23)).rate, 4.0);
        assert_eq!(board.traffic(at(90)).rate, 0.0);
        assert!(board.is_counting(at(25)) && !board.is_counting(at(26)));
    }

    #[test]
    fn what_was_sent_is_kept_shortened_and_bounded() {
        let mut board = Board::new(at(0), true, None);
        for n in 0..SENT_MAX as i64 + 2 {
            let data = format!("\"{}{n}\"", "é".repeat(SENT_CHARS_MAX));
            let message = Message::read("ack", &data).unwrap();
            let problem = (n % 2 == 1).then(|| "Not sent.".to_owned());
            board.sent(&message, problem, at(n));
        }
        let rows = board.sent_rows();
        assert_eq!(rows.len(), SENT_MAX);
        let (first, last) = (&rows[0], &rows[SENT_MAX - 1]);
        assert_eq!((first.number, last.number), (SENT_MAX as u64 + 2, 3));
        assert_eq!(
            (&first.problem, &last.problem),
            (&Some("Not sent.".into()), &None)
        );
        assert_eq!(first.data.chars().count(), SENT_CHARS_MAX + 1);
        assert!(first.data.ends_with("é…"), "{}", first.data);
    }

    #[test]
    fn streams_without_end_are_bounded() {
        let mut board = Board::new(at(0), true, None);
        for n in 0..3_000 {
            board.stored(&count(&format!("run/{n}"), 1, 0), at(n));
        }
        assert_eq!(board.streams.len(), STREAMS_MAX);
        let traffic = board.traffic(at(3_000));
        assert_eq!(traffic.events, 3_000);
        assert_eq!(traffic.streams.len(), SUBSCRIPTIONS_MAX);
        assert_eq!(traffic.streams[0].stream, "run/2999");
    }
}
