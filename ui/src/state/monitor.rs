//! What the monitor says in words: connections, and runs that are silent.

use crate::state::format;
use ghostlight_api::{
    live::LiveSwitch,
    view::{DelayView, FeedHealth, Health, LinkState, LinkView, RunRow, RunView},
};
use ghostlight_model::{Micros, liveness::Liveness, run::RunStatus};

/// How something stands, for colour and icon; words always stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither.
    Plain,
    /// Going on.
    Busy,
    /// Not as it should be, and being worked on.
    Warn,
    /// Somebody has to act, or something was lost.
    Bad,
}

/// A tone and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// For colour and icon.
    pub tone: Tone,
    /// Few words.
    pub words: String,
    /// A sentence or two.
    pub title: String,
}

fn sign(tone: Tone, words: impl Into<String>, title: impl Into<String>) -> Sign {
    Sign {
        tone,
        words: words.into(),
        title: title.into(),
    }
}

/// What the window says above every page while feeds are offline; `None` while none is.
pub fn offline_words(health: &Health) -> Option<&'static str> {
    let mut feeds = health.feeds.iter();
    feeds.any(|feed| feed.link.state == LinkState::Offline).then_some(
        "This computer has no network. Everything that is stored can be read and edited; the feeds go on by themselves, \
         where they were, once there is one.",
    )
}

/// How a connection stands.
pub fn link_sign(link: &LinkView, now: Micros) -> Sign {
    let why = link.last_error.clone().unwrap_or_default();
    match link.state {
        LinkState::Off if link.last_error.is_some() => sign(
            Tone::Bad,
            "not connected",
            format!("{why} It is not tried again by itself."),
        ),
        LinkState::Off => sign(Tone::Plain, "switched off", "Nothing is received."),
        LinkState::Connecting if link.attempt > 1 => sign(
            Tone::Warn,
            format!("connecting, attempt {}", link.attempt),
            why,
        ),
        LinkState::Connecting => sign(Tone::Warn, "connecting", why),
        LinkState::Connected => sign(Tone::Good, "live", latency(link)),
        LinkState::Polling => sign(Tone::Good, "polling", latency(link)),
        LinkState::Reconnecting => sign(Tone::Warn, next_try(link, now), why),
        LinkState::Offline => sign(
            Tone::Bad,
            "offline",
            "This computer has no network. It connects by itself when there is one.",
        ),
        LinkState::Refused => sign(Tone::Bad, "token refused", why),
        LinkState::Stopped => sign(Tone::Bad, "stopped", why),
        LinkState::LiveOff => sign(
            Tone::Plain,
            "live features off",
            "Nothing is received or sent while all live features are switched off.",
        ),
    }
}

/// Why no message can be sent now, in a sentence; `None` if one can.
pub fn why_not_sendable(link: &LinkView) -> Option<String> {
    let why = match link.state {
        LinkState::Connected => return None,
        LinkState::Off => "This feed is switched off, so nothing can be sent.",
        LinkState::LiveOff => "All live features are switched off, so nothing can be sent.",
        LinkState::Polling => "This feed is polled, and that goes one way: nothing can be sent.",
        LinkState::Connecting
        | LinkState::Reconnecting
        | LinkState::Offline
        | LinkState::Refused
        | LinkState::Stopped => {
            "This feed is not connected. What you type stays; it can be sent once the feed is live."
        }
    };
    Some(why.into())
}

fn latency(link: &LinkView) -> String {
    match link.latency_ms {
        Some(ms) => format!("Events arrive as they happen; a ping takes {ms} ms."),
        None => "Events arrive as they happen.".into(),
    }
}

/// The most by which a source rounds the time of an event up, in milliseconds; what is earlier shows that clocks differ.
const ROUNDED_MS: f64 = 1.0;

/// How long a feed's events take to come here, and what that is worth: it is a difference of two clocks.
pub fn delay_words(delay: Option<&DelayView>) -> String {
    match delay {
        None => "not known: no event with a time of its own came live".into(),
        Some(delay) if delay.least_ms < -ROUNDED_MS => format!(
            "not known: an event came {} before its source says that it happened, so the clocks differ",
            format::elapsed(-delay.least_ms)
        ),
        Some(delay) => format!(
            "{} on average of {}, if the source's clock and this one agree",
            format::elapsed(delay.mean_ms),
            format::plural(
                delay.events,
                "event that came live",
                "events that came live"
            )
        ),
    }
}

fn next_try(link: &LinkView, now: Micros) -> String {
    match link.next_try {
        Some(at) => format!("next try in {}", seconds_until(at, now)),
        None => "reconnecting".into(),
    }
}

/// `4 s`, rounded up, so that nothing happens before the count is over.
pub fn seconds_until(at: Micros, now: Micros) -> String {
    let left = at.0.saturating_sub(now.0).max(0);
    let seconds = left.saturating_add(999_999) / 1_000_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// What the indicator in the masthead shows, and the feed it speaks of.
pub fn indicator(health: &Health, now: Micros) -> (Sign, Option<i64>) {
    if let Some(trouble) = &health.trouble {
        return (
            sign(Tone::Bad, format!("Trouble: {trouble}"), trouble.clone()),
            None,
        );
    }
    if !health.hub_live {
        let words = "Trouble: the embedded hub does not answer";
        return (
            sign(Tone::Bad, words, "Restart Ghostlight if this stays."),
            None,
        );
    }
    if let Some(off) = live_off(health.live) {
        return (off, None);
    }
    if let Some(worst) = worst(&health.feeds, now) {
        return worst;
    }
    let cached = format!(
        "{} in the cache of this computer",
        format::plural(health.postings.into(), "posting", "postings")
    );
    let shown = match (health.running, health.feeds.len()) {
        (0, 0) => sign(Tone::Good, "Ready · embedded hub", cached),
        (n, 0) => sign(Tone::Busy, format!("Analysing {n} · embedded hub"), cached),
        (_, 1) => sign(
            Tone::Good,
            format!("Live · {}", health.feeds[0].name),
            latency(&health.feeds[0].link),
        ),
        (_, n) => sign(Tone::Good, format!("Live · {n} feeds"), cached),
    };
    (shown, None)
}

/// What a person switched off is no trouble.
fn live_off(live: LiveSwitch) -> Option<Sign> {
    let who = match live {
        LiveSwitch::On => return None,
        LiveSwitch::Off => "They are switched off in the settings",
        LiveSwitch::OffByEnvironment => "GHOSTLIGHT_LIVE switches them off",
    };
    let title = format!(
        "{who}: no feed is connected, and nothing is sent. Everything that is stored can be read."
    );
    Some(sign(Tone::Plain, "Live features off", title))
}

/// The feed that needs attention most, if one does.
fn worst(feeds: &[FeedHealth], now: Micros) -> Option<(Sign, Option<i64>)> {
    let down = feeds.iter().filter(|feed| !feed.link.state.is_up());
    let worst = down.max_by_key(|feed| link_sign(&feed.link, now).tone)?;
    let of_feed = link_sign(&worst.link, now);
    let words = match worst.link.state {
        LinkState::Offline => "Offline · no network".to_owned(),
        LinkState::Connecting => format!("Connecting to {}", worst.name),
        LinkState::Reconnecting => format!("Reconnecting to {} · {}", worst.name, of_feed.words),
        _ => format!("Trouble: {} · {}", worst.name, of_feed.words),
    };
    let title = match of_feed.title.is_empty() {
        true => words.clone(),
        false => of_feed.title,
    };
    Some((sign(of_feed.tone, words, title), Some(worst.id)))
}

/// How a run stands.
pub fn run_sign(run: &RunRow, now: Micros) -> Sign {
    let line = &run.line;
    match line.status {
        RunStatus::Finished => sign(Tone::Good, "done", "The run ended well."),
        RunStatus::Failed => {
            let at = line.failure.as_ref().map(|failure| &failure.node);
            let at = at.filter(|node| !node.is_empty());
            let words = at.map_or("failed".to_owned(), |node| format!("failed at {node}"));
            let why = line.failure.as_ref().map(|f| f.issue.message.clone());
            sign(Tone::Bad, words, why.unwrap_or_default())
        }
        RunStatus::Open => sign(
            Tone::Plain,
            "messages",
            "A stream of messages, without an end.",
        ),
        RunStatus::Running => going_on(run, now),
    }
}

fn going_on(run: &RunRow, now: Micros) -> Sign {
    let Some(pulse) = &run.pulse else {
        let title = "Its source is not followed, so how it stands now is not known.";
        return sign(Tone::Plain, "not followed", title);
    };
    let (liveness, since) = pulse.at(now);
    let lasted = format::elapsed(now.ms_since(since));
    let node = pulse.node.as_deref().unwrap_or_default();
    let (done, all) = run.line.progress;
    let usual = pulse.p99_ms.map(format::elapsed).unwrap_or_default();
    match liveness {
        Liveness::Quiet => sign(
            Tone::Busy,
            format!("{done} / {all}"),
            format!(
                "{node} is under way, silent for {lasted}; it takes up to {usual} in 99 of 100 cases."
            ),
        ),
        Liveness::Stalled => sign(
            Tone::Warn,
            format!("stalled {lasted}"),
            format!(
                "{node} is silent for longer than the {usual} it takes in 99 of 100 cases; its source is alive."
            ),
        ),
        Liveness::Dead => sign(
            Tone::Bad,
            format!("source lost {lasted} ago"),
            "The source gives no sign of life, so the run may go on unseen.",
        ),
        Liveness::NotEnoughHistory => sign(
            Tone::Busy,
            format!("{done} / {all}"),
            format!(
                "{node} is under way, silent for {lasted}. It was seen {} before, too seldom to say whether it is stalled.",
                format::plural(pulse.durations.into(), "time", "times")
            ),
        ),
        Liveness::Between => match &run.line.stopped_at {
            Some(node) => sign(
                Tone::Warn,
                format!("stopped at {node}"),
                format!(
                    "{node} failed {lasted} ago and no step began since. The source did not say that the run ended."
                ),
            ),
            None => sign(
                Tone::Busy,
                format!("{done} / {all}"),
                format!(
                    "No step is under way since {lasted}. The source did not say that the run ended."
                ),
            ),
        },
    }
}

/// A sign without what counts: `stalled 12.3 s` as `stalled`, so that a screen reader hears changes of state only.
pub fn spoken(sign: &Sign) -> String {
    let words = sign.words.split_whitespace();
    let said = words.take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    said.collect::<Vec<_>>().join(" ")
}

/// What is stored of a run's stream, in words.
pub fn extent_sign(run: &RunView) -> Sign {
    let extent = &run.extent;
    let Some((_, first, last)) = extent.current else {
        return sign(Tone::Plain, "nothing stored yet", "");
    };
    let range = format!("offsets {first}\u{2013}{last}");
    let so_far = match (extent.restarts, run.row.line.ended) {
        (0, Some(_)) => "",
        (0, None) => " so far",
        _ => " since the source began anew",
    };
    match (extent.missing, extent.proven) {
        (0, Some(true)) => sign(
            Tone::Good,
            format!("complete{so_far}: {range}"),
            "The source numbers its events, and every number is stored.",
        ),
        (0, proven) => sign(
            Tone::Plain,
            format!(
                "{} received",
                format::plural(last - first + 1, "event", "events")
            ),
            match proven {
                None => {
                    "Its feed is no longer set up, so whether the source numbers its events, and with that whether \
                         all arrived, is not known."
                }
                _ => {
                    "This source does not number its events, so whether all arrived cannot be proven."
                }
            },
        ),
        (n, _) => sign(
            Tone::Warn,
            format!("{} missing of {range}", format::count(n)),
            format!(
                "{} will not come; the log shows where.",
                format::plural(n, "event", "events")
            ),
        ),
    }
}

/// JSON for reading: indented; what is none stays as it is.
pub fn pretty(body: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(body);
    value
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| body.to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ghostlight_api::view::{Extent, NodeRow};
    use ghostlight_model::{
        RunId,
        liveness::Pulse,
        run::{Attempt, NodeStatus, RunKind, RunLine},
    };

    const SECOND: i64 = 1_000_000;

    fn link(state: LinkState) -> LinkView {
        LinkView {
            state,
            transport: "websocket".into(),
            attempt: 2,
            next_try: (state == LinkState::Reconnecting).then_some(Micros(14 * SECOND)),
            since: Micros(0),
            last_connected: None,
            last_error: Some("connection refused".into()),
            latency_ms: Some(12),
        }
    }

    fn health(states: &[LinkState]) -> Health {
        let feeds = states.iter().enumerate().map(|(n, state)| FeedHealth {
            id: n as i64,
            name: format!("feed {n}"),
            link: link(*state),
        });
        Health {
            hub_live: true,
            running: 0,
            postings: 3,
            trouble: None,
            live: LiveSwitch::On,
            feeds: feeds.collect(),
        }
    }

    #[test]
    fn the_indicator_speaks_of_the_feed_that_needs_attention_most() {
        use LinkState::*;
        for (states, tone, words, feed) in [
            (&[][..], Tone::Good, "Ready · embedded hub", None),
            (&[Connected], Tone::Good, "Live · feed 0", None),
            (&[Connected, Polling], Tone::Good, "Live · 2 feeds", None),
            (
                &[Connected, Reconnecting],
                Tone::Warn,
                "Reconnecting to feed 1 · next try in 4 s",
                Some(1),
            ),
            (
                &[Refused, Connecting],
                Tone::Bad,
                "Trouble: feed 0 · token refused",
                Some(0),
            ),
            (&[Offline], Tone::Bad, "Offline · no network", Some(0)),
        ] {
            let (sign, of) = indicator(&health(states), Micros(10 * SECOND + 1));
            assert_eq!((sign.tone, sign.words.as_str(), of), (tone, words, feed));
        }
        let mut broken = health(&[Connected]);
        broken.trouble = Some("the disk is full".into());
        assert_eq!(
            indicator(&broken, Micros(0)).0.words,
            "Trouble: the disk is full"
        );
    }

    #[test]
    fn live_features_that_are_switched_off_are_said_and_are_no_trouble() {
        for (live, part) in [
            (LiveSwitch::Off, "in the settings"),
            (LiveSwitch::OffByEnvironment, "GHOSTLIGHT_LIVE"),
        ] {
            let off = Health {
                live,
                ..health(&[])
            };
            let (sign, of) = indicator(&off, Micros(0));
            assert_eq!((sign.tone, of), (Tone::Plain, None));
            assert_eq!(sign.words, "Live features off");
            assert!(sign.title.contains(part), "{}", sign.title);
        }
        let feed = link(LinkState::LiveOff);
        let sign = link_sign(&feed, Micros(0));
        assert_eq!(
            (sign.tone, sign.words.as_str()),
            (Tone::Plain, "live features off")
        );
        assert!(why_not_sendable(&feed).is_some());
    }

    #[test]
    fn the_banner_is_there_while_a_feed_has_no_network() {
        use LinkState::*;
        assert!(offline_words(&health(&[Connected, Offline])).is_some());
        assert_eq!(
            offline_words(&health(&[Connected, Reconnecting, Refused])),
            None
        );
        assert_eq!(offline_words(&health(&[])), None);
    }

    #[test]
    fn a_feed_that_failed_and_is_not_tried_again_is_not_switched_off() {
        let mut ended = link(LinkState::Off);
        ended.last_error = None;
        assert_eq!(link_sign(&ended, Micros(0)).words, "switched off");
        ended.last_error = Some("The connection broke.".into());
        let sign = link_sign(&ended, Micros(0));
        assert_eq!(
            (sign.tone, sign.words.as_str(), sign.title.as_str()),
            (
                Tone::Bad,
                "not connected",
                "The connection broke. It is not tried again by itself."
            )
        );
    }

    #[test]
    fn a_delay_of_two_clocks_is_shown_only_where_it_makes_sense() {
        let said = |mean_ms, least_ms| {
            delay_words(Some(&DelayView {
                events: 340,
                mean_ms,
                least_ms,
            }))
        };
        assert_eq!(
            said(12.4, 3.0),
            "12 ms on average of 340 events that came live, if the source's clock and this one agree"
        );
        assert!(
            said(0.2, -0.9).starts_with("0.2 ms"),
            "a time that was rounded"
        );
        let ahead = said(40.0, -2_500.0);
        assert!(
            ahead.contains("an event came 2.5 s before") && ahead.contains("clocks differ"),
            "{ahead}"
        );
        assert!(!ahead.contains("40"), "{ahead}");
        assert!(delay_words(None).starts_with("not known"));
    }

    #[test]
    fn a_countdown_is_over_when_it_says_so() {
        for (left_us, words) in [
            (-1, "0 s"),
            (1, "1 s"),
            (SECOND, "1 s"),
            (29 * SECOND + 5, "30 s"),
            (61 * SECOND, "1 min 01 s"),
        ] {
            assert_eq!(seconds_until(Micros(left_us), Micros(0)), words);
        }
    }

    fn row(status: RunStatus, pulse: Option<Pulse>) -> RunRow {
        RunRow {
            line: RunLine {
                run_id: RunId("r".into()),
                kind: RunKind::Foreign,
                status,
                name: "song".into(),
                posting: None,
                started: Micros(0),
                updated: Micros(0),
                ended: None,
                progress: (2, 5),
                fields: 0,
                issues: 0,
                running: None,
                stopped_at: None,
                failure: None,
            },
            title: None,
            origin: "feed:f".into(),
            source: "studio".into(),
            pulse,
        }
    }

    #[test]
    fn a_silent_run_says_how_it_stands() {
        let pulse = |node: Option<&str>, p99_ms, lost| Pulse {
            node: node.map(str::to_owned),
            last: Micros(0),
            durations: 7,
            p99_ms,
            lost,
        };
        let now = Micros(60 * SECOND);
        for (pulse, tone, words) in [
            (
                Some(pulse(Some("FIX"), Some(90_000.0), None)),
                Tone::Busy,
                "2 / 5",
            ),
            (
                Some(pulse(Some("FIX"), Some(30_000.0), None)),
                Tone::Warn,
                "stalled 30.0 s",
            ),
            (Some(pulse(Some("FIX"), None, None)), Tone::Busy, "2 / 5"),
            (
                Some(pulse(Some("FIX"), None, Some(Micros(48 * SECOND)))),
                Tone::Bad,
                "source lost 12.0 s ago",
            ),
            (Some(pulse(None, None, None)), Tone::Busy, "2 / 5"),
            (None, Tone::Plain, "not followed"),
        ] {
            let sign = run_sign(&row(RunStatus::Running, pulse), now);
            assert_eq!((sign.tone, sign.words.as_str()), (tone, words), "{sign:?}");
            // Each says since when, unless nothing is known.
            let since = [
                "silent for 1 min 00 s",
                "since 1 min 00 s",
                "stalled 30.0 s",
                "lost 12.0 s ago",
            ];
            let text = format!("{} {}", sign.words, sign.title);
            let is_told = since.iter().any(|lasted| text.contains(lasted));
            assert_eq!(is_told, tone != Tone::Plain, "{sign:?}");
        }
        let usual = pulse(Some("FIX"), Some(1.0), None);
        let stalled = row(RunStatus::Running, Some(usual));
        assert_eq!(spoken(&run_sign(&stalled, now)), "stalled");
        assert_eq!(run_sign(&row(RunStatus::Failed, None), now).words, "failed");
    }

    /// A run of a feed that goes on, with these steps done.
    pub fn run(nodes: &[(&str, Option<f64>)], missing: u64, proven: Option<bool>) -> RunView {
        let rows = nodes.iter().map(|(node, duration_ms)| NodeRow {
            node: (*node).into(),
            status: NodeStatus::Done,
            started: Micros(0),
            duration_ms: *duration_ms,
            attempts: 1,
            issues: 0,
            missing: vec![],
            ended: duration_ms
                .map(|ms| Attempt {
                    number: 1,
                    duration_ms: Some(ms),
                    failed: false,
                })
                .into_iter()
                .collect(),
        });
        RunView {
            row: row(RunStatus::Running, None),
            feed: None,
            link: None,
            nodes: rows.collect(),
            scores: vec![],
            artifacts: vec![],
            issues: vec![],
            extent: Extent {
                current: Some((5, 0, 412)),
                missing,
                proven,
                ..Extent::default()
            },
            left_out: 0,
            phases: vec![],
            more_phases: false,
        }
    }

    #[test]
    fn complete_is_said_only_where_it_is_a_fact() {
        for (missing, proven, words, why) in [
            (
                0,
                Some(true),
                "complete so far: offsets 0–412",
                "every number is stored",
            ),
            (
                4,
                Some(true),
                "4 missing of offsets 0–412",
                "4 events will not come",
            ),
            (
                4,
                None,
                "4 missing of offsets 0–412",
                "4 events will not come",
            ),
            (
                0,
                Some(false),
                "413 events received",
                "does not number its events",
            ),
            (0, None, "413 events received", "no longer set up"),
        ] {
            let sign = extent_sign(&run(&[], missing, proven));
            assert_eq!(sign.words, words);
            assert!(sign.title.contains(why), "{sign:?}");
            assert_eq!(
                sign.title.contains("does not number"),
                proven == Some(false)
            );
        }
    }

    #[test]
    fn json_is_indented_and_the_rest_left_alone() {
        assert_eq!(pretty("{\"a\":1}"), "{\n  \"a\": 1\n}");
        assert_eq!(pretty("no json"), "no json");
    }
}
