//! A person's attention: every promise of the parent module, in simulated time.

use super::*;
use ghostlight_feed::connection::{
    Action, Config, Connection, Failure, FailureClass, Input, Transport,
};
use ghostlight_model::{
    Phase,
    event::EventBody,
    run::{NodeStatus, RunKind},
};

/// When the tests begin, by the wall; by the other clock it is 0.
const BEGAN: Micros = Micros(1_800_000_000_000_000);

fn at(ms: u64) -> Now {
    Now {
        at: Millis(ms),
        wall: wall(ms as i64),
    }
}

fn wall(ms: i64) -> Micros {
    Micros(BEGAN.0 + ms * 1_000)
}

fn attention() -> Attention {
    let mut attention = Attention::new(Notifications::default());
    attention.begin(BEGAN);
    attention
}

/// A feed of this name; another name is another feed.
fn of(name: &str) -> FeedName {
    FeedName {
        id: name.bytes().fold(0, |id, byte| id * 31 + i64::from(byte)),
        name: name.into(),
    }
}

fn changed(run: &str, offset: u64, ms: i64) -> StatusNews {
    StatusNews {
        run: RunId(run.into()),
        place: (1, offset),
        at: wall(ms),
        change: StatusChange {
            what: "Baker".into(),
            from: Some("sent".into()),
            to: Some("interview".into()),
        },
    }
}

fn status(state: State, attempt: u32) -> Status {
    Status {
        state,
        transport: Transport::WebSocket,
        attempt,
        next_try_at: None,
        connected_at: Some(Millis(0)),
        last_error: None,
        latency_ms: None,
    }
}

fn run(name: &str, started_ms: i64, status: RunStatus, ended_ms: i64) -> RunState {
    let mut state = RunState::new(RunId(name.into()), RunKind::Own, wall(started_ms));
    state.input = format!("{name}.html");
    state.status = status;
    state.updated = wall(ended_ms);
    if status != RunStatus::Running {
        state.ended = Some(wall(ended_ms));
    }
    state
}

fn finished(name: &str, ended_ms: i64) -> RunNews {
    RunNews::of(
        &run(name, ended_ms, RunStatus::Finished, ended_ms),
        None,
        false,
    )
}

fn begun_here(name: &str, started_ms: i64, ended_ms: i64) -> RunNews {
    RunNews::of(
        &run(name, started_ms, RunStatus::Finished, ended_ms),
        None,
        true,
    )
}

fn failed(name: &str, ended_ms: i64) -> RunNews {
    let mut state = RunState::new(RunId(name.into()), RunKind::Own, wall(ended_ms));
    state.apply(&event(
        name,
        "PARSE",
        Phase::Fail,
        ended_ms,
        &["login_wall"],
    ));
    RunNews::of(&state, None, false)
}

fn event(run: &str, node: &str, phase: Phase, ms: i64, errors: &[&str]) -> EventBody {
    EventBody {
        ts: wall(ms),
        run_id: RunId(run.into()),
        node: node.into(),
        phase,
        duration_ms: None,
        metrics: BTreeMap::new(),
        issues: errors
            .iter()
            .map(|code| {
                Issue::new(
                    code,
                    Severity::Error,
                    format!("it met {code}"),
                    Some("look at it"),
                )
            })
            .collect(),
        fact: None,
    }
}

/// A run that goes on after errors.
fn going(name: &str, ms: i64, errors: &[&str]) -> RunNews {
    let mut state = RunState::new(RunId(name.into()), RunKind::Own, wall(ms));
    let mut warned = event(name, "ENRICH", Phase::Fail, ms, errors);
    warned
        .issues
        .push(Issue::new("slow", Severity::Warning, "it is slow", None));
    state.apply(&warned);
    assert_eq!(
        state.node("ENRICH").map(|node| node.status),
        Some(NodeStatus::Failed)
    );
    RunNews::of(&state, None, false)
}

/// Ticks whenever it asks to, until `until`; what was said, with the times.
fn play(attention: &mut Attention, until: u64) -> Vec<(u64, Alert)> {
    let mut said = Vec::new();
    while let Some(next) = attention.next_wakeup().filter(|next| next.0 <= until) {
        let alerts = attention.tick(at(next.0));
        said.extend(alerts.into_iter().map(|alert| (next.0, alert)));
        assert_ne!(
            attention.next_wakeup(),
            Some(next),
            "a tick does what it was asked for"
        );
    }
    said
}

/// Times, kinds and counts only.
fn short(said: &[(u64, Alert)]) -> Vec<(u64, Kind, usize)> {
    said.iter()
        .map(|(ms, alert)| (*ms, alert.kind, alert.count))
        .collect()
}

#[test]
fn a_lost_connection_is_said_once_and_so_is_its_return() {
    let mut attention = attention();
    attention.connection(&of("a"), &status(State::Connected, 0), at(0));
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(1_000));
    attention.connection(&of("a"), &status(State::Connecting, 2), at(3_000));
    assert_eq!(attention.next_wakeup(), Some(Millis(11_000)));
    let said = play(&mut attention, 60_000);
    assert_eq!(
        short(&said),
        [(13_000, Kind::ConnectionLost, 1)],
        "10 s, and 2 s for others of its kind"
    );
    attention.connection(&of("a"), &status(State::Reconnecting, 2), at(61_000));
    assert_eq!(play(&mut attention, 120_000), []);
    attention.connection(&of("a"), &status(State::Connected, 0), at(121_000));
    let said = play(&mut attention, 200_000);
    let back = Fact::ConnectionRestored {
        feed: of("a"),
        away_ms: 120_000,
    };
    assert_eq!(said[0].1.facts, [back]);
    assert_eq!(said.len(), 1);
    assert_eq!(attention.next_wakeup(), None);
}

#[test]
fn a_short_cut_is_said_by_nobody() {
    let mut attention = attention();
    for round in 0..20 {
        let begin = round * 30_000;
        attention.connection(&of("a"), &status(State::Reconnecting, 1), at(begin));
        attention.connection(&of("a"), &status(State::Connecting, 2), at(begin + 1_000));
        assert_eq!(play(&mut attention, begin + 9_999), []);
        attention.connection(&of("a"), &status(State::Connected, 0), at(begin + 9_999));
        assert_eq!(attention.next_wakeup(), None);
    }
}

#[test]
fn a_connection_back_before_the_loss_was_said_takes_it_back() {
    let mut attention = attention();
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(0));
    assert_eq!(
        attention.tick(at(10_000)),
        [],
        "decided, and waits for others of its kind"
    );
    attention.connection(&of("a"), &status(State::Polling, 0), at(11_000));
    assert_eq!(play(&mut attention, 100_000), []);
}

#[test]
fn failing_takes_the_place_of_lost() {
    let mut attention = attention();
    // Three failed tries within 10 s: nothing is said of a loss, now or later.
    for (ms, state, attempt) in [
        (0, State::Reconnecting, 1),
        (500, State::Connecting, 2),
        (600, State::Reconnecting, 2),
        (1_200, State::Connecting, 3),
        (1_300, State::Reconnecting, 3),
        (2_000, State::Connecting, 4),
    ] {
        attention.connection(&of("a"), &status(state, attempt), at(ms));
        assert_eq!(attention.tick(at(ms)), [], "{attempt} {state:?}");
    }
    attention.connection(&of("a"), &status(State::Reconnecting, 4), at(2_100));
    let said = play(&mut attention, 100_000);
    assert_eq!(short(&said), [(4_100, Kind::ConnectionFailing, 1)]);
    let Fact::ConnectionFailing { tries, refused, .. } = &said[0].1.facts[0] else {
        panic!("{said:?}");
    };
    assert_eq!((*tries, *refused), (3, false));
    for attempt in 5..50 {
        attention.connection(
            &of("a"),
            &status(State::Reconnecting, attempt),
            at(100_000 + u64::from(attempt)),
        );
    }
    assert_eq!(play(&mut attention, 300_000), [], "once an outage");
    attention.connection(&of("a"), &status(State::Connected, 0), at(300_000));
    assert_eq!(
        short(&play(&mut attention, 400_000)),
        [(302_000, Kind::ConnectionRestored, 1)]
    );
}

/// The same with the real machine of a connection, whose server refuses.
#[test]
fn the_real_connections_third_failed_try_is_the_one_that_counts() {
    let mut connection = Connection::new(Config::default());
    let mut attention = attention();
    let mut now = 0;
    let mut input = Input::Start;
    let mut failed = 0;
    let mut up = false;
    while now < 60_000 {
        let mut opened = None;
        for action in connection.handle(input, Millis(now), 7) {
            match action {
                Action::Status(status) => attention.connection(&of("a"), &status, at(now)),
                Action::Open { attempt, .. } => opened = Some(attempt),
                _ => {}
            }
        }
        let said = attention.tick(at(now));
        if let Some(alert) = said.first() {
            let tries = match &alert.facts[0] {
                Fact::ConnectionFailing { tries, .. } => *tries,
                other => panic!("{other:?}"),
            };
            assert_eq!(tries, 3, "as decided, though more failed meanwhile");
            return;
        }
        let decided = attention.groups.contains_key(&Kind::ConnectionFailing);
        assert_eq!(decided, failed >= 3, "{failed} failed tries");
        let failure = Failure::new(FailureClass::Network, "refused");
        input = match opened {
            // The first is welcomed, and then cut.
            Some(attempt) if !up => {
                up = true;
                connection.handle(
                    Input::Welcome {
                        attempt,
                        heartbeat_ms: None,
                    },
                    Millis(now),
                    7,
                );
                Input::Failed { attempt, failure }
            }
            Some(attempt) => {
                failed += 1;
                Input::Failed { attempt, failure }
            }
            None => {
                let next = [connection.next_wake(), attention.next_wakeup()];
                now = next
                    .into_iter()
                    .flatten()
                    .min()
                    .map_or(60_000, |next| next.0);
                Input::Tick
            }
        };
    }
    panic!("nothing was said in a minute");
}

#[test]
fn a_refused_token_is_said_at_once() {
    let mut attention = attention();
    attention.connection(&of("a"), &status(State::Refused, 0), at(0));
    let said = play(&mut attention, 100_000);
    assert_eq!(short(&said), [(2_000, Kind::ConnectionFailing, 1)]);
    assert!(matches!(
        said[0].1.facts[0],
        Fact::ConnectionFailing { refused: true, .. }
    ));
}

#[test]
fn no_network_and_switched_off_are_no_outage() {
    let mut attention = attention();
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(0));
    attention.connection(&of("b"), &status(State::Reconnecting, 1), at(0));
    attention.connection(&of("a"), &status(State::Offline, 1), at(5_000));
    attention.connection(&of("b"), &status(State::Disconnected, 0), at(5_000));
    attention.connection(&of("c"), &status(State::Offline, 0), at(5_000));
    assert_eq!(play(&mut attention, 3_600_000), []);
    // The network is back: a new 10 s begin.
    attention.connection(&of("a"), &status(State::Connecting, 1), at(3_600_000));
    assert_eq!(attention.next_wakeup(), Some(Millis(3_610_000)));
    attention.connection(&of("a"), &status(State::Connected, 0), at(3_601_000));
    assert_eq!(play(&mut attention, 7_200_000), []);
}

#[test]
fn what_was_said_before_the_network_went_is_said_to_be_over() {
    let mut attention = attention();
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(0));
    assert_eq!(play(&mut attention, 20_000).len(), 1);
    attention.connection(&of("a"), &status(State::Offline, 1), at(20_000));
    attention.connection(&of("a"), &status(State::Connecting, 1), at(90_000));
    assert_eq!(play(&mut attention, 200_000), [], "it is lost still");
    attention.connection(&of("a"), &status(State::Connected, 0), at(200_000));
    assert_eq!(
        short(&play(&mut attention, 300_000)),
        [(202_000, Kind::ConnectionRestored, 1)]
    );
}

#[test]
fn a_connection_that_comes_and_goes_at_once_is_one_outage() {
    let mut attention = attention();
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(0));
    assert_eq!(
        short(&play(&mut attention, 20_000)),
        [(12_000, Kind::ConnectionLost, 1)]
    );
    attention.connection(&of("a"), &status(State::Connected, 0), at(20_000));
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(21_000));
    assert_eq!(
        play(&mut attention, 100_000),
        [],
        "neither back nor lost once more"
    );
    attention.connection(&of("a"), &status(State::Connected, 0), at(100_000));
    assert_eq!(
        short(&play(&mut attention, 200_000)),
        [(102_000, Kind::ConnectionRestored, 1)]
    );
}

#[test]
fn feeds_that_go_together_are_said_together() {
    let mut attention = attention();
    for (n, feed) in ["a", "b", "c", "d"].iter().enumerate() {
        attention.connection(
            &of(feed),
            &status(State::Reconnecting, 1),
            at(n as u64 * 400),
        );
    }
    let said = play(&mut attention, 60_000);
    assert_eq!(short(&said), [(12_000, Kind::ConnectionLost, 4)]);
    assert_eq!(said[0].1.facts.len(), NAMED_MAX);
    for feed in ["a", "b", "c", "d"] {
        attention.connection(&of(feed), &status(State::Connected, 0), at(60_000));
    }
    assert_eq!(
        short(&play(&mut attention, 90_000)),
        [(62_000, Kind::ConnectionRestored, 4)]
    );
}

#[test]
fn runs_that_end_together_are_said_together() {
    let mut attention = attention();
    attention.run(finished("a", 100), at(100));
    attention.run(failed("x", 150), at(150));
    attention.run(finished("b", 2_000), at(2_000));
    let said = play(&mut attention, 60_000);
    assert_eq!(
        short(&said),
        [(2_100, Kind::RunFinished, 2), (2_150, Kind::RunFailed, 1)]
    );
    let Fact::RunFailed { name, why, .. } = &said[1].1.facts[0] else {
        panic!("{said:?}");
    };
    assert_eq!(why, "It met login_wall. Look at it.");
    assert_eq!(name, "x", "a run without input is called by its id");
    let Fact::RunFinished { name, .. } = &said[0].1.facts[0] else {
        panic!("{said:?}");
    };
    assert_eq!(name, "a.html");
}

#[test]
fn a_batch_of_hundreds_makes_a_handful() {
    let mut attention = attention();
    let mut said = Vec::new();
    for n in 0..600_u64 {
        let ms = n * 250;
        said.extend(play(&mut attention, ms));
        attention.run(begun_here(&format!("r{n:03}"), 0, ms as i64), at(ms));
    }
    said.extend(play(&mut attention, 600_000));
    let all: usize = said.iter().map(|(_, alert)| alert.count).sum();
    assert_eq!(all, 600, "each is counted once");
    assert!(said.len() <= PER_MINUTE_MAX * 4, "{:?}", short(&said));
    for window in said.windows(PER_MINUTE_MAX + 1) {
        assert!(
            window[PER_MINUTE_MAX].0 - window[0].0 >= MINUTE_MS,
            "{:?}",
            short(window)
        );
    }
}

#[test]
fn a_run_that_ends_is_told_once_however_often_it_changes() {
    let mut attention = attention();
    for ms in [0, 10, 5_000, 100_000] {
        attention.run(finished("a", 0), at(ms));
    }
    assert_eq!(
        short(&play(&mut attention, 400_000)),
        [(2_000, Kind::RunFinished, 1)]
    );
    let state = run("a", 0, RunStatus::Finished, 0);
    assert!(!attention.may_be_news(&state.run_id, state.ended));
    assert!(attention.may_be_news(&RunId("b".into()), Some(wall(0))));
}

#[test]
fn catching_up_after_an_absence_tells_nothing_old() {
    // An hour of a feed's past arrives at once, an hour after the start.
    let now = at(3_600_000);
    let mut attention = attention();
    for n in 0..5_000 {
        let ms = i64::from(n) * 720;
        attention.run(finished(&format!("f{n}"), ms), now);
        attention.run(failed(&format!("x{n}"), ms), now);
    }
    // Each is a run that ended in the last five minutes of it.
    let recent = (0..5_000)
        .filter(|n| 3_600_000 - n * 720 <= LATE_MS)
        .count();
    let said = play(&mut attention, 3_700_000);
    assert_eq!(
        short(&said),
        [
            (3_602_000, Kind::RunFinished, recent),
            (3_602_000, Kind::RunFailed, recent)
        ]
    );
    // What ended before anybody watched is none either, however recent it is.
    let mut attention = self::attention();
    attention.run(finished("a", -1), at(0));
    assert_eq!(attention.next_wakeup(), None);
    // A clock that is ahead is no reason to be silent.
    attention.run(finished("b", 3_600_000), at(0));
    assert_eq!(play(&mut attention, 10_000).len(), 1);
}

#[test]
fn an_error_of_a_run_that_goes_on_is_told_once_a_code() {
    let mut attention = attention();
    attention.run(going("a", 0, &["no_model"]), at(0));
    attention.run(going("a", 100, &["no_model", "quota"]), at(100));
    attention.run(going("b", 200, &["no_model"]), at(200));
    attention.run(going("a", 300, &["no_model", "quota", "no_model"]), at(300));
    let said = play(&mut attention, 100_000);
    assert_eq!(short(&said), [(2_000, Kind::CriticalIssue, 3)]);
    let what = |fact: &Fact| match fact {
        Fact::CriticalIssue { what, .. } => what.clone(),
        other => panic!("{other:?}"),
    };
    let words: Vec<String> = said[0].1.facts.iter().map(what).collect();
    assert_eq!(words[1], "It met quota. Look at it.", "a warning is none");
}

#[test]
fn errors_known_before_the_start_or_met_long_ago_are_not_told() {
    let mut attention = attention();
    attention.seen(going("a", -60_000, &["no_model"]));
    attention.run(going("a", 1_000, &["no_model"]), at(1_000));
    attention.run(going("b", -1, &["no_model"]), at(1_000));
    attention.run(going("b", 2_000, &["no_model"]), at(2_000));
    assert_eq!(attention.next_wakeup(), None);
    attention.run(going("a", 3_000, &["no_model", "quota"]), at(3_000));
    assert_eq!(
        short(&play(&mut attention, 10_000)),
        [(5_000, Kind::CriticalIssue, 1)]
    );
}

#[test]
fn a_failure_takes_the_place_of_the_error_before_it() {
    let mut attention = attention();
    attention.run(going("a", 0, &["no_model"]), at(0));
    attention.run(failed("a", 500), at(500));
    assert_eq!(
        short(&play(&mut attention, 10_000)),
        [(2_500, Kind::RunFailed, 1)]
    );
}

#[test]
fn who_looks_at_the_window_is_told_only_what_they_do_not_see() {
    let mut attention = attention();
    attention.focus(true);
    attention.run(begun_here("seen", 0, 50), at(50));
    assert_eq!(attention.next_wakeup(), None);
    attention.run(
        begun_here("long ago", 0, JUST_STARTED_MS + 1),
        at(JUST_STARTED_MS as u64 + 1),
    );
    attention.run(finished("of a feed", 60_100), at(60_100));
    attention.run(failed("failed", 60_200), at(60_200));
    attention.connection(&of("a"), &status(State::Refused, 0), at(60_300));
    let said = play(&mut attention, 100_000);
    assert_eq!(
        short(&said),
        [
            (62_001, Kind::RunFinished, 2),
            (62_200, Kind::RunFailed, 1),
            (62_300, Kind::ConnectionFailing, 1),
        ]
    );
    // Without the focus it is told, unless they look when it is to be said.
    attention.focus(false);
    attention.run(begun_here("b", 200_000, 200_100), at(200_100));
    assert_eq!(play(&mut attention, 210_000).len(), 1);
    attention.run(begun_here("c", 300_000, 300_100), at(300_100));
    attention.focus(true);
    assert_eq!(play(&mut attention, 310_000), []);
}

#[test]
fn a_change_of_status_is_told_once_and_nothing_old() {
    let mut attention = attention();
    attention.status_changed(changed("m", 0, -1), at(0));
    attention.status_changed(changed("m", 1, 0), at(LATE_MS as u64 + 1));
    assert_eq!(attention.next_wakeup(), None, "from before, and too late");
    let later = LATE_MS as u64 + 100;
    for _ in 0..3 {
        attention.status_changed(changed("m", 2, later as i64), at(later));
    }
    attention.status_changed(changed("other", 2, later as i64), at(later));
    let said = play(&mut attention, later + 60_000);
    assert_eq!(short(&said), [(later + GROUP_MS, Kind::StatusChanged, 2)]);
    assert!(matches!(&said[0].1.facts[0], Fact::StatusChanged { name, .. } if name == "Baker"));
}

#[test]
fn each_kind_has_its_switch_and_quiet_is_for_all() {
    type Switch = fn(&mut Notifications) -> &mut bool;
    let switches: [(Kind, Switch); 7] = [
        (Kind::ConnectionLost, |n| &mut n.connection_lost),
        (Kind::ConnectionFailing, |n| &mut n.connection_failing),
        (Kind::ConnectionRestored, |n| &mut n.connection_restored),
        (Kind::RunFinished, |n| &mut n.run_finished),
        (Kind::RunFailed, |n| &mut n.run_failed),
        (Kind::CriticalIssue, |n| &mut n.critical_issue),
        (Kind::StatusChanged, |n| &mut n.status_change),
    ];
    let all = |attention: &mut Attention| -> BTreeSet<Kind> {
        attention.connection(&of("a"), &status(State::Reconnecting, 1), at(0));
        attention.connection(&of("b"), &status(State::Reconnecting, 4), at(0));
        attention.run(finished("f", 0), at(0));
        attention.run(failed("x", 0), at(0));
        attention.run(going("g", 0, &["no_model"]), at(0));
        attention.status_changed(changed("m", 0, 0), at(0));
        let mut said = play(attention, 20_000);
        attention.connection(&of("b"), &status(State::Connected, 0), at(20_000));
        said.extend(play(attention, 30_000));
        said.into_iter().map(|(_, alert)| alert.kind).collect()
    };
    let everything: BTreeSet<Kind> = switches.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(all(&mut attention()), everything);
    for (kind, switch) in switches {
        let mut wanted = Notifications::default();
        *switch(&mut wanted) = false;
        let mut attention = attention();
        attention.prefer(wanted);
        let mut expected = everything.clone();
        expected.remove(&kind);
        assert_eq!(all(&mut attention), expected);
    }
    let mut attention = attention();
    attention.prefer(Notifications {
        quiet: true,
        ..Notifications::default()
    });
    assert_eq!(all(&mut attention), BTreeSet::new());
    // What was quiet stays untold.
    attention.prefer(Notifications::default());
    attention.run(finished("f", 0), at(31_000));
    assert_eq!(play(&mut attention, 60_000), []);
}

#[test]
fn a_loss_that_was_not_wanted_makes_no_return() {
    let mut attention = attention();
    attention.prefer(Notifications {
        connection_lost: false,
        ..Notifications::default()
    });
    attention.connection(&of("a"), &status(State::Reconnecting, 1), at(0));
    assert_eq!(play(&mut attention, 60_000), []);
    attention.connection(&of("a"), &status(State::Connected, 0), at(60_000));
    assert_eq!(attention.next_wakeup(), None);
}

#[test]
fn a_run_nobody_asked_for_is_not_told() {
    let mut attention = attention();
    attention.run(finished("early", 0), at(0));
    for name in ["early", "later"] {
        attention.ignore(RunId(name.into()));
    }
    attention.run(finished("later", 100), at(100));
    assert_eq!(attention.next_wakeup(), None);
}

#[test]
fn everything_that_is_remembered_has_a_bound() {
    let mut attention = attention();
    for n in 0..TOLD_MAX * 2 {
        attention.run(finished(&format!("f{n}"), 0), at(0));
        attention.run(going(&format!("g{n}"), 0, &["no_model"]), at(0));
        attention.status_changed(changed("m", n as u64, 0), at(0));
        attention.connection(
            &of(&format!("feed {n}")),
            &status(State::Reconnecting, 1),
            at(0),
        );
    }
    assert_eq!(attention.ended.known.len(), TOLD_MAX);
    assert_eq!(attention.errors.known.len(), TOLD_MAX);
    assert_eq!(attention.changes.known.len(), TOLD_MAX);
    assert_eq!(attention.outages.len(), OUTAGES_MAX);
    assert!(
        attention
            .groups
            .values()
            .all(|group| group.held.len() == HELD_MAX)
    );
    let said = play(&mut attention, 30_000);
    assert_eq!(said[0].1.count, TOLD_MAX * 2, "the others are counted");
}
