//! A connection's life told as what happens and what is done about it.

use super::*;
use crate::backoff::Backoff;

struct Rig {
    connection: Connection,
    now: Millis,
    /// The latest attempt opened and probed.
    attempt: u64,
    probe: u64,
    /// How many `Status` came.
    told: usize,
}

impl Rig {
    fn new(config: Config) -> Self {
        Self {
            connection: Connection::new(config),
            now: Millis(0),
            attempt: 0,
            probe: 0,
            told: 0,
        }
    }

    fn started() -> Self {
        let mut rig = Self::new(Config::default());
        assert_eq!(rig.give(Input::Start), ["open WebSocket"]);
        rig
    }

    fn connected() -> Self {
        let mut rig = Self::started();
        rig.welcome();
        rig
    }

    /// What is done, without the attempts' numbers and statuses. The draw makes every delay the shortest.
    fn give(&mut self, input: Input) -> Vec<String> {
        let mut done = Vec::new();
        for action in self.connection.handle(input, self.now, 0) {
            match action {
                Action::Open { transport, attempt } => {
                    self.attempt = attempt;
                    done.push(format!("open {transport:?}"));
                }
                Action::Probe { transport, attempt } => {
                    self.probe = attempt;
                    done.push(format!("probe {transport:?}"));
                }
                Action::Close { .. } => done.push("close".into()),
                Action::Ping { .. } => done.push("ping".into()),
                Action::RefreshToken => done.push("refresh".into()),
                Action::Status(status) => {
                    self.told += 1;
                    assert_eq!(status, self.connection.status());
                }
            }
        }
        done
    }

    fn after(&mut self, ms: u64) -> Vec<String> {
        self.now = self.now.plus(ms);
        self.give(Input::Tick)
    }

    /// Ticks when asked to, at most `ms` from now; returns what was done and when.
    fn run(&mut self, ms: u64) -> Vec<(u64, String)> {
        let end = self.now.plus(ms);
        let mut done = Vec::new();
        while let Some(wake) = self.connection.next_wake().filter(|wake| *wake <= end) {
            assert!(wake > self.now, "asks for a tick in the past");
            self.now = wake;
            let at = self.now.0;
            done.extend(self.give(Input::Tick).into_iter().map(|one| (at, one)));
        }
        self.now = end;
        done
    }

    fn welcome(&mut self) -> Vec<String> {
        let attempt = self.attempt;
        self.give(Input::Opened { attempt });
        self.give(Input::Welcome {
            attempt,
            heartbeat_ms: None,
        })
    }

    fn fail(&mut self, class: FailureClass) -> Vec<String> {
        let failure = Failure::new(class, "m");
        let attempt = self.attempt;
        self.give(Input::Failed { attempt, failure })
    }

    fn state(&self) -> State {
        self.connection.status().state
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn it_connects_and_stops() {
    let mut rig = Rig::new(Config::default());
    assert_eq!(rig.state(), State::Disconnected);
    assert_eq!(rig.connection.next_wake(), None);
    assert_eq!(rig.give(Input::Start), ["open WebSocket"]);
    assert_eq!(rig.give(Input::Start), NOTHING);
    assert_eq!(
        (rig.state(), rig.connection.status().attempt),
        (State::Connecting, 1)
    );
    rig.welcome();
    let status = rig.connection.status();
    assert_eq!((status.state, status.attempt), (State::Connected, 0));
    assert_eq!(status.connected_at, Some(Millis(0)));
    assert_eq!(rig.told, 2);
    assert_eq!(rig.give(Input::Stop), ["close"]);
    assert_eq!(rig.state(), State::Disconnected);
}

#[test]
fn without_reconnecting_an_end_is_the_end_until_somebody_asks() {
    for how in ["a try fails", "it breaks", "it times out", "no network"] {
        let mut rig = Rig::new(Config {
            reconnects: false,
            ..Config::default()
        });
        rig.give(Input::Start);
        match how {
            "a try fails" => rig.fail(FailureClass::Network),
            "it times out" => rig.after(5_000),
            "it breaks" => {
                rig.welcome();
                rig.fail(FailureClass::Network)
            }
            _ => {
                rig.welcome();
                rig.give(Input::Network { online: false })
            }
        };
        assert_eq!(rig.state(), State::Disconnected, "{how}");
        let known = rig.connection.status().last_error.is_some();
        assert_eq!(known, how != "no network", "{how}");
        assert_eq!(rig.connection.status().attempt, u32::from(known), "{how}");
        assert_eq!(rig.give(Input::Network { online: true }), NOTHING, "{how}");
        assert_eq!(rig.run(600_000), [], "{how}");
        assert_eq!(rig.give(Input::ReconnectNow), ["open WebSocket"], "{how}");
    }
}

#[test]
fn a_try_that_does_not_answer_times_out() {
    let mut rig = Rig::started();
    assert_eq!(rig.after(4_999), NOTHING);
    assert_eq!(rig.after(1), ["close"]);
    let status = rig.connection.status();
    assert_eq!(status.state, State::Reconnecting);
    assert_eq!(status.next_try_at, Some(Millis(5_500)));
    assert_eq!(status.last_error.unwrap().class, FailureClass::Timeout);
    // Open, but not welcomed: as long again.
    assert_eq!(rig.after(500), ["open WebSocket"]);
    rig.now = rig.now.plus(4_000);
    let attempt = rig.attempt;
    rig.give(Input::Opened { attempt });
    assert_eq!(rig.after(4_999), NOTHING);
    assert_eq!(rig.after(1), ["close"]);
    let status = rig.connection.status();
    assert_eq!(status.attempt, 2);
    // It was reached, and may be another system.
    let error = status.last_error.unwrap();
    assert_eq!(error.class, FailureClass::Unwelcome);
    assert!(error.message.contains("no welcome within 5 s"), "{error:?}");
}

#[test]
fn delays_grow_and_a_connection_that_holds_resets_them() {
    let mut connection = Connection::new(Config::default());
    let mut now = Millis(0);
    let mut longest = Vec::new();
    connection.handle(Input::Start, now, 0);
    for attempt in 1..=8 {
        let failure = Failure::timeout("m");
        // The draw that gives the longest delay of n tries.
        let span = (1_000u64 << (attempt - 1)).min(30_000) - 500;
        connection.handle(Input::Failed { attempt, failure }, now, span);
        let until = connection.status().next_try_at.unwrap();
        longest.push(until.since(now));
        now = until;
        connection.handle(Input::Tick, now, 0);
    }
    assert_eq!(
        longest,
        [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
    );
    connection.handle(
        Input::Welcome {
            attempt: 9,
            heartbeat_ms: None,
        },
        now,
        0,
    );
    now = now.plus(5_000);
    let failure = Failure::timeout("m");
    connection.handle(
        Input::Failed {
            attempt: 9,
            failure,
        },
        now,
        500,
    );
    assert_eq!(connection.status().next_try_at, Some(now.plus(1_000)));
}

#[test]
fn a_server_that_welcomes_and_hangs_up_is_given_longer_each_time() {
    for class in [FailureClass::Protocol, FailureClass::Network] {
        let mut rig = Rig::connected();
        for attempt in 1..4 {
            rig.run(4_999);
            rig.fail(class);
            assert_eq!(rig.connection.status().attempt, attempt, "{class:?}");
            rig.run(500);
            rig.welcome();
        }
        rig.run(5_000);
        rig.fail(class);
        assert_eq!(rig.connection.status().attempt, 1, "{class:?}");
    }
}

#[test]
fn only_a_server_that_complains_is_tried_by_another_transport() {
    for (class, then) in [
        (FailureClass::Network, Transport::WebSocket),
        (FailureClass::Protocol, Transport::Sse),
    ] {
        let mut rig = Rig::connected();
        for _ in 0..5 {
            rig.fail(class);
            rig.run(500);
            rig.welcome();
        }
        assert_eq!(rig.connection.status().transport, then, "{class:?}");
    }
}

#[test]
fn silence_is_found_within_35_seconds() {
    let mut rig = Rig::connected();
    let done = rig.run(60_000);
    assert_eq!(done[0], (30_000, "ping".to_owned()));
    assert_eq!(done[1], (35_000, "close".to_owned()));
    assert_eq!(done[2], (35_500, "open WebSocket".to_owned()));
}

#[test]
fn any_bytes_are_a_sign_of_life_and_a_pong_measures() {
    let mut rig = Rig::connected();
    assert_eq!(rig.after(30_000), ["ping"]);
    rig.now = rig.now.plus(4_000);
    let attempt = rig.attempt;
    rig.give(Input::Heard { attempt });
    assert_eq!(rig.after(2_000), NOTHING);
    rig.give(Input::Pong { attempt, nonce: 1 });
    assert_eq!(rig.connection.status().latency_ms, Some(6_000));
    // A pong that we did not ask for measures nothing.
    rig.give(Input::Pong { attempt, nonce: 9 });
    assert_eq!(rig.connection.status().latency_ms, Some(6_000));
    // Bytes going out slowly keep it alive as well, as long as the ping waits behind them.
    assert_eq!(rig.after(24_000), ["ping"]);
    for _ in 0..5 {
        rig.now = rig.now.plus(4_000);
        rig.give(Input::Wrote { attempt });
    }
    assert_eq!(rig.state(), State::Connected);
    rig.give(Input::Pinged { attempt, nonce: 2 });
    for _ in 0..4 {
        rig.now = rig.now.plus(1_000);
        assert_eq!(rig.give(Input::Wrote { attempt }), NOTHING);
    }
    assert_eq!(rig.after(1_000), ["close"]);
}

/// SPEC C3: what we write says nothing about a server that is gone.
#[test]
fn writing_does_not_put_off_the_end_of_a_ping_that_is_out() {
    let mut rig = Rig::connected();
    let attempt = rig.attempt;
    let (mut ended, mut nonce) = (None, 0);
    for at in (250..60_000).step_by(250) {
        rig.now = Millis(at);
        let mut done = rig.give(Input::Tick);
        done.extend(rig.give(Input::Wrote { attempt }));
        if done.contains(&"ping".to_owned()) {
            nonce += 1;
            rig.give(Input::Pinged { attempt, nonce });
        }
        if ended.is_none() && done.contains(&"close".to_owned()) {
            ended = Some(at);
        }
    }
    assert_eq!(ended, Some(35_000));
    // On a transport that cannot ask, there is no ping that could be waiting.
    let mut rig = Rig::new(Config {
        transports: Transports::only(Transport::Sse),
        ..Config::default()
    });
    rig.give(Input::Start);
    let attempt = rig.attempt;
    rig.give(Input::Welcome {
        attempt,
        heartbeat_ms: Some(30_000),
    });
    for at in (1_000..35_000).step_by(1_000) {
        rig.now = Millis(at);
        assert_eq!(rig.give(Input::Wrote { attempt }), NOTHING);
    }
    assert_eq!(rig.after(1_000), ["close"]);
}

/// Another system promises no comments: a day without an event is none without a connection.
#[test]
fn an_event_stream_may_be_silent_until_it_shows_a_heartbeat() {
    let streams = |heartbeat_ms| {
        let mut rig = Rig::new(Config {
            transports: Transports::only(Transport::Sse),
            ..Config::default()
        });
        rig.give(Input::Start);
        let attempt = rig.attempt;
        rig.give(Input::Welcome {
            attempt,
            heartbeat_ms,
        });
        rig
    };
    let beats = |rig: &mut Rig, times: &[u64]| {
        let attempt = rig.attempt;
        for at in times {
            assert_eq!(rig.run(at - rig.now.0), [], "before {at}");
            assert_eq!(rig.give(Input::Beat { attempt }), NOTHING, "at {at}");
        }
    };
    const DAY: u64 = 86_400_000;
    for (times, deadline) in [
        (&[][..], None),
        // A greeting, of one comment and of several.
        (&[0], None),
        (&[0, 1, 2, 900], None),
        // Slower than our patience.
        (&[0, 45_000, 90_000], None),
        // A heartbeat, from its second comment on.
        (&[15_000], None),
        (&[15_000, 30_000], Some(65_000)),
        (&[0, 1_000], Some(36_000)),
        (&[0, 30_000, 75_000 - 12_000], Some(98_000)),
        (&[0, 45_000, 46_000], Some(81_000)),
    ] {
        let mut rig = streams(None);
        beats(&mut rig, times);
        let ended = rig.run(DAY).first().map(|(at, what)| (*at, what.clone()));
        let expected = deadline.map(|at| (at, "close".to_owned()));
        assert_eq!(ended, expected, "{times:?}");
    }
    // What it sends is no heartbeat.
    let mut rig = streams(None);
    let attempt = rig.attempt;
    for _ in 0..20 {
        rig.run(20_000);
        rig.give(Input::Heard { attempt });
    }
    assert_eq!(rig.run(DAY), []);
    // The next connection has to show its own.
    let mut rig = streams(None);
    beats(&mut rig, &[15_000, 30_000]);
    let done = rig.run(40_000);
    assert_eq!(done[1].1, "open Sse");
    rig.welcome();
    assert_eq!(rig.run(DAY), []);
    // A hub comments its streams, and need not show that first.
    let mut rig = streams(Some(30_000));
    assert_eq!(rig.run(DAY)[0], (35_000, "close".to_owned()));
}

/// A server that sends is there, whether it answers pings or not; once it falls silent, that is found as soon as ever.
#[test]
fn a_server_that_sends_and_never_answers_is_kept_until_it_falls_silent() {
    for silent_at in [61_000, 64_000, 89_000, 90_000, 91_000] {
        let mut rig = Rig::connected();
        let attempt = rig.attempt;
        let (mut ended, mut nonce) = (None, 0);
        for at in (500..200_000).step_by(500) {
            rig.now = Millis(at);
            let mut done = Vec::new();
            if at <= silent_at && at % 1_000 == 0 {
                done.extend(rig.give(Input::Heard { attempt }));
            }
            done.extend(rig.give(Input::Tick));
            if done.contains(&"ping".to_owned()) {
                nonce += 1;
                rig.give(Input::Pinged { attempt, nonce });
            }
            if done.contains(&"close".to_owned()) {
                ended = Some(at);
                break;
            }
        }
        let silence = ended.unwrap() - silent_at;
        assert!(
            (5_000..=35_000).contains(&silence),
            "{silent_at}: {silence}"
        );
    }
}

#[test]
fn reports_about_an_older_attempt_do_nothing() {
    let mut rig = Rig::started();
    let old = rig.attempt;
    rig.fail(FailureClass::Network);
    rig.after(500);
    for input in [
        Input::Opened { attempt: old },
        Input::Welcome {
            attempt: old,
            heartbeat_ms: None,
        },
        Input::Heard { attempt: old },
        Input::Wrote { attempt: old },
        Input::Pinged {
            attempt: old,
            nonce: 0,
        },
        Input::Pong {
            attempt: old,
            nonce: 0,
        },
        Input::ProbeWorked { attempt: old },
        Input::Failed {
            attempt: old,
            failure: Failure::timeout("late"),
        },
    ] {
        assert_eq!(rig.give(input), NOTHING);
        assert_eq!(rig.state(), State::Connecting);
    }
}

#[test]
fn the_server_may_ask_for_a_shorter_heartbeat() {
    for (asked, expected) in [
        (Some(10_000), 10_000),
        (Some(90_000), 30_000),
        (Some(0), 1_000),
        (None, 30_000),
    ] {
        let mut rig = Rig::started();
        let attempt = rig.attempt;
        rig.give(Input::Welcome {
            attempt,
            heartbeat_ms: asked,
        });
        assert_eq!(rig.run(expected), [(expected, "ping".to_owned())]);
    }
}

#[test]
fn a_heartbeat_shorter_than_the_patience_finds_silence_as_well() {
    let mut rig = Rig::started();
    let attempt = rig.attempt;
    rig.give(Input::Welcome {
        attempt,
        heartbeat_ms: Some(2_000),
    });
    assert_eq!(rig.after(2_000), ["ping"]);
    rig.give(Input::Wrote { attempt });
    // No second ping, which would have a patience of its own.
    assert_eq!(rig.run(5_000), [(7_000, "close".to_owned())]);
}

#[test]
fn a_server_says_when_to_come_again() {
    for (asked_ms, expected) in [
        (None, 500),
        (Some(20_000), 20_000),
        (Some(u64::MAX), RETRY_AFTER_MAX_MS),
        // Our own patience is longer than that.
        (Some(1), 500),
    ] {
        let mut rig = Rig::started();
        let attempt = rig.attempt;
        let failure = Failure {
            retry_after_ms: asked_ms,
            ..Failure::new(FailureClass::Network, "busy")
        };
        rig.give(Input::Failed { attempt, failure });
        let wake = rig.connection.next_wake().unwrap();
        assert_eq!(wake.since(rig.now), expected, "{asked_ms:?}");
    }
}

#[test]
fn refused_credentials_stop_everything_until_a_person_acts() {
    for class in [FailureClass::Credentials, FailureClass::Version] {
        let mut rig = Rig::started();
        assert_eq!(rig.fail(class), NOTHING);
        assert_eq!(rig.state(), State::Refused);
        assert_eq!(rig.connection.status().attempt, 1);
        assert_eq!(rig.connection.next_wake(), None);
        assert_eq!(rig.after(3_600_000), NOTHING);
    }
    let mut rig = Rig::started();
    rig.fail(FailureClass::Credentials);
    assert_eq!(
        rig.give(Input::Credentials { expires_at: None }),
        ["open WebSocket"]
    );
    rig.fail(FailureClass::Credentials);
    assert_eq!(rig.give(Input::ReconnectNow), ["open WebSocket"]);
}

#[test]
fn a_token_is_renewed_before_it_expires() {
    let mut rig = Rig::connected();
    let expires_at = Some(Millis(130_000));
    rig.give(Input::Credentials { expires_at });
    let done = rig.run(75_000);
    let refreshed: Vec<_> = done.iter().filter(|one| one.1 == "refresh").collect();
    assert_eq!(refreshed, [&(70_000, "refresh".to_owned())], "{done:?}");
    let mut rig = Rig::connected();
    // One that lives shorter than that is renewed at half its life, not at once and for ever.
    rig.give(Input::Credentials {
        expires_at: Some(Millis(20_000)),
    });
    assert_eq!(rig.run(15_000), [(10_000, "refresh".to_owned())]);
    rig.give(Input::Stop);
    assert_eq!(rig.connection.next_wake(), None);
}

#[test]
fn offline_waits_for_the_network_and_not_for_the_clock() {
    let mut rig = Rig::connected();
    assert_eq!(rig.give(Input::Network { online: false }), ["close"]);
    assert_eq!(rig.state(), State::Offline);
    assert_eq!(rig.connection.next_wake(), None);
    assert_eq!(
        rig.give(Input::Network { online: true }),
        ["open WebSocket"]
    );
    assert_eq!(rig.give(Input::Network { online: true }), NOTHING);
    // A person may try all the same; if it fails, it is the network.
    rig.give(Input::Network { online: false });
    assert_eq!(rig.give(Input::ReconnectNow), ["open WebSocket"]);
    rig.fail(FailureClass::Network);
    assert_eq!(rig.state(), State::Offline);
    // Waiting ends at once when the network is back.
    let mut rig = Rig::started();
    rig.fail(FailureClass::Network);
    assert_eq!(
        rig.give(Input::Network { online: true }),
        ["open WebSocket"]
    );
    // Started without a network.
    let mut rig = Rig::new(Config::default());
    rig.give(Input::Network { online: false });
    assert_eq!(rig.give(Input::Start), NOTHING);
    assert_eq!(rig.state(), State::Offline);
    // A server on this machine needs none.
    let mut rig = Rig::new(Config {
        follows_network: false,
        ..Config::default()
    });
    rig.give(Input::Network { online: false });
    assert_eq!(rig.give(Input::Start), ["open WebSocket"]);
}

#[test]
fn it_falls_back_after_five_failures_and_probes_its_way_up() {
    let mut rig = Rig::started();
    let mut opened = Vec::new();
    for _ in 0..11 {
        rig.fail(FailureClass::Network);
        opened.extend(rig.run(500));
    }
    let opened: Vec<String> = opened.into_iter().map(|(_, what)| what).collect();
    assert_eq!(opened[3], "open WebSocket");
    assert_eq!(opened[4], "open Sse");
    assert_eq!(opened[8], "open Sse");
    assert_eq!(opened[9], "open LongPoll");
    rig.welcome();
    assert_eq!(rig.state(), State::Polling);
    // The better ones have turns, at growing distances.
    let start = rig.now.0;
    assert_eq!(
        rig.run(5_000),
        [(start + 5_000, "probe WebSocket".to_owned())]
    );
    let attempt = rig.probe;
    let failure = Failure::timeout("m");
    assert_eq!(rig.give(Input::Failed { attempt, failure }), NOTHING);
    assert_eq!(rig.state(), State::Polling);
    assert_eq!(rig.run(10_000), [(start + 15_000, "probe Sse".to_owned())]);
    // No answer: given up after 10 s, the connection stays.
    let attempt = rig.attempt;
    rig.give(Input::Heard { attempt });
    assert_eq!(rig.run(10_000), [(start + 25_000, "close".to_owned())]);
    rig.give(Input::Heard { attempt });
    assert_eq!(
        rig.run(20_000),
        [(start + 45_000, "probe WebSocket".to_owned())]
    );
    let attempt = rig.probe;
    assert_eq!(
        rig.give(Input::ProbeWorked { attempt }),
        ["close", "open WebSocket"]
    );
    rig.welcome();
    assert_eq!(rig.state(), State::Connected);
    assert_eq!(rig.run(30_000).len(), 1, "no probe any more, one ping");
}

#[test]
fn the_worst_transport_gives_way_to_the_best() {
    let mut rig = Rig::new(Config {
        transports: Transports::without(&[Transport::Sse]).unwrap(),
        fallback_after: 1,
        ..Config::default()
    });
    rig.give(Input::Start);
    let mut opened = Vec::new();
    for _ in 0..3 {
        rig.fail(FailureClass::Network);
        opened.extend(rig.run(500).into_iter().map(|(_, what)| what));
    }
    assert_eq!(opened, ["open LongPoll", "open WebSocket", "open LongPoll"]);
    // By hand: the best again, at once.
    assert_eq!(rig.give(Input::ReconnectNow), ["close", "open WebSocket"]);
    let all = [Transport::WebSocket, Transport::Sse, Transport::LongPoll];
    assert_eq!(Transports::without(&all), Err(NoTransport));
}

#[test]
fn a_transport_can_be_forced_while_it_runs() {
    let mut rig = Rig::connected();
    let only = |transport| Input::Transports(Transports::only(transport));
    assert_eq!(rig.give(only(Transport::WebSocket)), NOTHING);
    assert_eq!(rig.give(only(Transport::Sse)), ["close", "open Sse"]);
    rig.welcome();
    assert_eq!(rig.run(20_000), [], "nothing better is allowed");
    // Allowed again: probed.
    rig.give(Input::Transports(Transports::auto()));
    assert_eq!(rig.run(5_000)[0].1, "probe WebSocket");
    assert_eq!(rig.give(Input::Stop), ["close", "close"]);
    rig.give(only(Transport::LongPoll));
    assert_eq!(rig.connection.status().transport, Transport::LongPoll);
}

#[test]
fn other_waits_count_at_once_and_a_servers_wish_goes_on_counting() {
    let backoff = |base, cap| Input::Backoff(Backoff::new(base, 1.0, cap).unwrap());
    let longest = u64::MAX / 2;
    for (retry_after_ms, waits, shorter) in [(None, 60_000, 500), (Some(20_000), 60_000, 20_000)] {
        let mut rig = Rig::started();
        rig.give(backoff(60_000, 60_000));
        let failure = Failure {
            retry_after_ms,
            ..Failure::new(FailureClass::Network, "m")
        };
        let failed = Input::Failed {
            attempt: rig.attempt,
            failure,
        };
        // The draw that makes the delay the longest.
        let draw = longest - longest % 59_501 + 59_500;
        rig.connection.handle(failed, rig.now, draw);
        let next = |rig: &Rig| rig.connection.status().next_try_at;
        assert_eq!(next(&rig), Some(Millis(waits)));
        rig.give(backoff(500, 500));
        assert_eq!(next(&rig), Some(Millis(shorter)));
        // Longer ones are for the waits to come.
        rig.connection
            .handle(backoff(60_000, 60_000), rig.now, draw);
        assert_eq!(next(&rig), Some(Millis(shorter)));
        assert_eq!(rig.after(shorter), ["open WebSocket"]);
        let failed = Input::Failed {
            attempt: rig.attempt,
            failure: Failure::new(FailureClass::Network, "m"),
        };
        rig.connection.handle(failed, rig.now, draw);
        assert_eq!(next(&rig), Some(rig.now.plus(60_000)));
    }
}

#[test]
fn what_the_server_has_instead_is_gone_on_with_and_the_better_one_is_probed() {
    let mut rig = Rig::new(Config {
        transports: Transports::one_way(),
        ..Config::default()
    });
    assert_eq!(rig.give(Input::Start), ["open Sse"]);
    let late = rig.attempt;
    let instead = |attempt, transport| Input::Instead { attempt, transport };
    // What is not allowed is not gone on with.
    assert_eq!(rig.give(instead(late, Transport::WebSocket)), NOTHING);
    assert_eq!(
        rig.give(instead(late, Transport::LongPoll)),
        ["close", "open LongPoll"]
    );
    assert_eq!(rig.give(instead(late, Transport::Sse)), NOTHING);
    rig.welcome();
    assert_eq!(rig.state(), State::Polling);
    assert_eq!(rig.run(5_000), [(5_000, "probe Sse".to_owned())]);
    let attempt = rig.probe;
    assert_eq!(
        rig.give(Input::ProbeWorked { attempt }),
        ["close", "open Sse"]
    );
    rig.welcome();
    assert_eq!(rig.state(), State::Connected);
    // Nothing is better than that, and polling has its turn again when it fails.
    assert_eq!(rig.run(20_000), []);
    for _ in 0..5 {
        rig.fail(FailureClass::Network);
        rig.run(500);
    }
    assert_eq!(rig.connection.status().transport, Transport::LongPoll);
}

#[test]
fn a_connection_lost_while_probing_gives_the_probe_up() {
    let mut rig = Rig::new(Config {
        fallback_after: 1,
        ..Config::default()
    });
    rig.give(Input::Start);
    rig.fail(FailureClass::Network);
    rig.run(500);
    rig.welcome();
    rig.run(5_000);
    assert_eq!(rig.fail(FailureClass::Network), ["close"]);
    // Its answer comes too late.
    let attempt = rig.probe;
    assert_eq!(rig.give(Input::ProbeWorked { attempt }), NOTHING);
}

#[test]
fn transports_without_a_way_up_are_listened_to() {
    let mut rig = Rig::new(Config {
        transports: Transports::only(Transport::Sse),
        ..Config::default()
    });
    rig.give(Input::Start);
    let attempt = rig.attempt;
    rig.give(Input::Welcome {
        attempt,
        heartbeat_ms: Some(30_000),
    });
    rig.now = rig.now.plus(20_000);
    rig.give(Input::Heard { attempt });
    assert_eq!(rig.run(34_999), []);
    assert_eq!(rig.after(1), ["close"]);
}

#[test]
fn a_suspended_machine_asks_before_it_gives_up() {
    let mut rig = Rig::connected();
    assert_eq!(rig.after(8 * 3_600_000), ["ping"]);
    assert_eq!(rig.after(5_000), ["close"]);
}

/// SPEC C2: back within 30 s of the server's return in 95 of 100 cases, 36 s at worst.
#[test]
fn it_is_back_soon_after_the_server() {
    let mut random = oorandom::Rand64::new(7);
    let mut late = 0;
    for case in 0..1_000 {
        let outage = random.rand_range(0..600_000);
        let mut connection = Connection::new(Config {
            backoff: Backoff::default(),
            ..Config::default()
        });
        let mut attempt = 0;
        let mut actions = connection.handle(Input::Start, Millis(0), random.rand_u64());
        let mut now = Millis(0);
        let back = loop {
            for action in std::mem::take(&mut actions) {
                if let Action::Open {
                    attempt: opened, ..
                } = action
                {
                    attempt = opened;
                }
            }
            // Half of the outages refuse at once, half say nothing.
            if connection.status().state == State::Connecting && now.0 >= outage {
                break now.0 - outage;
            }
            if case % 2 == 0 && connection.status().state == State::Connecting {
                let failure = Failure::timeout("refused");
                let failed = Input::Failed { attempt, failure };
                actions = connection.handle(failed, now, random.rand_u64());
            } else {
                now = connection.next_wake().unwrap();
                actions = connection.handle(Input::Tick, now, random.rand_u64());
            }
        };
        assert!(back <= 36_000, "{back} ms after an outage of {outage} ms");
        late += usize::from(back > 30_000);
    }
    assert!(late <= 50, "{late} of 1,000 took more than 30 s");
}
