//! The life of one feed's connection: open, welcome, heartbeat, back off, fall back, come back (SPEC C1–C4).
//!
//! [`Connection`] owns no socket. It says [`Action::Open`] with a number for the attempt; what the driver reports about
//! an older attempt is ignored, so a late answer of a connection given up does no harm.

mod config;
mod io;

pub use config::{
    Config, Failure, FailureClass, NoTransport, RETRY_AFTER_MAX_MS, State, Status, Transport,
    Transports,
};
pub use io::{Action, Input};

use crate::{Millis, backoff::Backoff};

/// When renewing a token was asked for and nothing came, it is asked for again after so many ms.
const REFRESH_AGAIN_MS: u64 = 30_000;
/// The shortest heartbeat that a server may ask for, in ms: less would be a load and no gain.
const HEARTBEAT_MIN_MS: u64 = 1_000;

/// Comments closer together than so many in the time of a heartbeat are none: a greeting of several lines, or words
/// beside events.
const BEATS_MAX: u64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Opening {
        attempt: u64,
        deadline: Millis,
        /// The transport is open, and `welcome` is waited for.
        reached: bool,
    },
    Up(Up),
    Waiting {
        until: Millis,
        /// The server asked to be left alone until then.
        asked: Millis,
    },
    Offline,
    Refused,
}

/// A welcomed connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Up {
    attempt: u64,
    ping_at: Millis,
    /// A ping waits for a sign of life until then.
    deadline: Option<Millis>,
    sent: Option<(u64, Millis)>,
    /// The ping is on its way, or there is none.
    out: bool,
    /// An event stream of another system, which need not say anything while nothing happens; TCP finds a peer that is
    /// gone. Until it shows a heartbeat.
    may_be_silent: bool,
    /// Its last comment.
    beat_at: Option<Millis>,
    probe: Option<Probe>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Probe {
    /// Under way, until when; or the next one begins then.
    attempt: Option<u64>,
    at: Millis,
    failed: u32,
}

/// One feed's connection.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    phase: Phase,
    transport: Transport,
    /// Tries that failed since the last connection that held ([`Config::stable_ms`]).
    failed: u32,
    /// … with this transport.
    failed_here: u32,
    heartbeat_ms: u64,
    online: bool,
    expires_at: Option<Millis>,
    refresh_at: Option<Millis>,
    next_attempt: u64,
    next_nonce: u64,
    connected_at: Option<Millis>,
    last_error: Option<Failure>,
    latency_ms: Option<u64>,
    told: Option<Status>,
    out: Vec<Action>,
}

impl Connection {
    /// Switched off until [`Input::Start`].
    pub fn new(config: Config) -> Self {
        Self {
            phase: Phase::Idle,
            transport: config.transports.best(),
            failed: 0,
            failed_here: 0,
            heartbeat_ms: config.heartbeat_ms,
            config,
            online: true,
            expires_at: None,
            refresh_at: None,
            next_attempt: 0,
            next_nonce: 0,
            connected_at: None,
            last_error: None,
            latency_ms: None,
            told: None,
            out: Vec::new(),
        }
    }

    /// Feeds one input; `draw` is a fresh random number. Returns what to do, in order.
    pub fn handle(&mut self, input: Input, now: Millis, draw: u64) -> Vec<Action> {
        self.take(input, now, draw);
        self.deadlines(now, draw);
        let status = self.status();
        if self.told.as_ref() != Some(&status) {
            self.told = Some(status.clone());
            self.out.push(Action::Status(status));
        }
        std::mem::take(&mut self.out)
    }

    /// When to call with [`Input::Tick`] if nothing else happens first.
    pub fn next_wake(&self) -> Option<Millis> {
        let phase = match &self.phase {
            Phase::Idle | Phase::Offline | Phase::Refused => return None,
            Phase::Opening { deadline, .. } => *deadline,
            Phase::Waiting { until, .. } => *until,
            Phase::Up(up) => {
                let probe = up.probe.map(|probe| probe.at);
                let own = [Some(up.ping_at), up.deadline, probe];
                own.into_iter().flatten().min().unwrap_or(up.ping_at)
            }
        };
        Some(self.refresh_at.map_or(phase, |refresh| refresh.min(phase)))
    }

    /// What an indicator shows.
    pub fn status(&self) -> Status {
        let up = matches!(self.phase, Phase::Up(_));
        Status {
            state: match self.phase {
                Phase::Idle => State::Disconnected,
                Phase::Opening { .. } => State::Connecting,
                Phase::Up(_) if self.transport == Transport::LongPoll => State::Polling,
                Phase::Up(_) => State::Connected,
                Phase::Waiting { .. } => State::Reconnecting,
                Phase::Offline => State::Offline,
                Phase::Refused => State::Refused,
            },
            transport: self.transport,
            attempt: match self.phase {
                Phase::Opening { .. } => self.failed.saturating_add(1),
                _ if up => 0,
                _ => self.failed,
            },
            next_try_at: match self.phase {
                Phase::Waiting { until, .. } => Some(until),
                _ => None,
            },
            connected_at: self.connected_at,
            last_error: self.last_error.clone(),
            latency_ms: self.latency_ms.filter(|_| up),
        }
    }

    fn take(&mut self, input: Input, now: Millis, draw: u64) {
        match input {
            Input::Start if self.phase == Phase::Idle => self.try_or_wait_for_network(now),
            Input::Start | Input::Tick => {}
            Input::Stop => {
                self.close();
                self.phase = Phase::Idle;
                self.forget_failures();
            }
            Input::Opened { attempt } => {
                if let Phase::Opening {
                    attempt: current,
                    deadline,
                    reached,
                } = &mut self.phase
                    && *current == attempt
                {
                    *deadline = now.plus(self.config.connect_ms);
                    *reached = true;
                }
            }
            Input::Welcome {
                attempt,
                heartbeat_ms,
            } => self.welcome(attempt, heartbeat_ms, now),
            Input::Heard { attempt } => self.heard(attempt, now),
            Input::Beat { attempt } => self.beat(attempt, now),
            Input::Wrote { attempt } => self.wrote(attempt, now),
            Input::Pinged { attempt, nonce } => self.pinged(attempt, nonce, now),
            Input::Pong { attempt, nonce } => self.pong(attempt, nonce, now),
            Input::Failed { attempt, failure } => self.reported(attempt, failure, now, draw),
            Input::ProbeWorked { attempt } => self.probe_worked(attempt, now),
            Input::Network { online } => self.network(online, now),
            Input::ReconnectNow => self.reconnect(now),
            Input::Credentials { expires_at } => self.credentials(expires_at, now),
            Input::Instead { attempt, transport } => self.instead(attempt, transport, now),
            Input::Transports(transports) => self.configure(transports, now),
            Input::Backoff(backoff) => self.wait_by(backoff, now, draw),
        }
    }

    fn attempt(&self) -> Option<u64> {
        match self.phase {
            Phase::Opening { attempt, .. } | Phase::Up(Up { attempt, .. }) => Some(attempt),
            _ => None,
        }
    }

    fn up(&mut self, attempt: u64) -> Option<&mut Up> {
        match &mut self.phase {
            Phase::Up(up) if up.attempt == attempt => Some(up),
            _ => None,
        }
    }

    fn new_attempt(&mut self) -> u64 {
        self.next_attempt += 1;
        self.next_attempt
    }

    fn open(&mut self, now: Millis) {
        let attempt = self.new_attempt();
        self.phase = Phase::Opening {
            attempt,
            deadline: now.plus(self.config.connect_ms),
            reached: false,
        };
        let transport = self.transport;
        self.out.push(Action::Open { transport, attempt });
    }

    fn try_or_wait_for_network(&mut self, now: Millis) {
        if self.online || !self.config.follows_network {
            self.open(now);
        } else {
            self.phase = Phase::Offline;
        }
    }

    /// Lets go of what is open.
    fn close(&mut self) {
        if let Phase::Up(up) = self.phase
            && let Some(attempt) = up.probe.and_then(|probe| probe.attempt)
        {
            self.out.push(Action::Close { attempt });
        }
        if let Some(attempt) = self.attempt() {
            self.out.push(Action::Close { attempt });
        }
    }

    fn forget_failures(&mut self) {
        self.failed = 0;
        self.failed_here = 0;
    }

    /// At once, with the best transport, as if nothing had failed.
    fn reconnect(&mut self, now: Millis) {
        self.close();
        self.forget_failures();
        self.transport = self.config.transports.best();
        self.open(now);
    }

    fn network(&mut self, online: bool, now: Millis) {
        self.online = online;
        if !self.config.follows_network {
            return;
        }
        match self.phase {
            Phase::Offline | Phase::Waiting { .. } if online => self.reconnect(now),
            Phase::Opening { .. } | Phase::Up(_) | Phase::Waiting { .. } if !online => {
                self.close();
                self.phase = match self.config.reconnects {
                    true => Phase::Offline,
                    false => Phase::Idle,
                };
            }
            _ => {}
        }
    }

    fn credentials(&mut self, expires_at: Option<Millis>, now: Millis) {
        self.expires_at = expires_at;
        self.refresh_at = expires_at.map(|at| {
            let early = at.0.saturating_sub(self.config.refresh_before_ms);
            // A token that lives for less than that is not asked for all the time.
            Millis(early.max(now.0 + at.since(now) / 2))
        });
        if self.phase == Phase::Refused {
            self.forget_failures();
            self.try_or_wait_for_network(now);
        }
    }

    fn configure(&mut self, transports: Transports, now: Millis) {
        self.config.transports = transports;
        if self.config.transports.contains(self.transport) {
            self.plan_probe(now);
        } else if self.attempt().is_some() {
            self.reconnect(now);
        } else {
            self.transport = self.config.transports.best();
        }
    }

    fn instead(&mut self, attempt: u64, transport: Transport, now: Millis) {
        if self.attempt() != Some(attempt) || !self.config.transports.contains(transport) {
            return;
        }
        self.close();
        self.failed_here = 0;
        self.transport = transport;
        self.open(now);
    }

    fn wait_by(&mut self, backoff: Backoff, now: Millis, draw: u64) {
        self.config.backoff = backoff;
        if let Phase::Waiting { until, asked } = &mut self.phase {
            let delay = backoff.delay(self.failed.saturating_sub(1), draw);
            *until = now.plus(delay).max(*asked).min(*until);
        }
    }

    fn welcome(&mut self, attempt: u64, heartbeat_ms: Option<u64>, now: Millis) {
        if !matches!(self.phase, Phase::Opening { attempt: current, .. } if current == attempt) {
            return;
        }
        let own = self.config.heartbeat_ms;
        let asked = heartbeat_ms.unwrap_or(own).max(HEARTBEAT_MIN_MS);
        self.heartbeat_ms = own.min(asked);
        self.phase = Phase::Up(Up {
            attempt,
            ping_at: now.plus(self.heartbeat_ms),
            deadline: None,
            sent: None,
            out: true,
            may_be_silent: heartbeat_ms.is_none() && self.transport == Transport::Sse,
            beat_at: None,
            probe: None,
        });
        self.connected_at = Some(now);
        self.latency_ms = None;
        self.plan_probe(now);
    }

    /// While a better transport is allowed, it is probed for ever.
    fn plan_probe(&mut self, now: Millis) {
        let better = !self.config.transports.better(self.transport).is_empty();
        let at = now.plus(self.config.probe_ms);
        if let Phase::Up(up) = &mut self.phase {
            let running = up.probe.filter(|_| better);
            up.probe = better.then(|| {
                running.unwrap_or(Probe {
                    attempt: None,
                    at,
                    failed: 0,
                })
            });
        }
    }

    fn heard(&mut self, attempt: u64, now: Millis) {
        let duplex = self.transport == Transport::WebSocket;
        let heartbeat_ms = self.heartbeat_ms;
        if let Some(up) = self.up(attempt) {
            up.deadline = None;
            if !duplex {
                up.ping_at = now.plus(heartbeat_ms);
            }
        }
    }

    /// Two comments as far apart as those of a heartbeat are one: it has a rhythm that our patience fits.
    fn beat(&mut self, attempt: u64, now: Millis) {
        self.heard(attempt, now);
        let rhythm = self.heartbeat_ms / BEATS_MAX..=self.heartbeat_ms;
        if let Some(up) = self.up(attempt) {
            let apart = up.beat_at.replace(now).map(|before| now.since(before));
            up.may_be_silent &= !apart.is_some_and(|apart| rhythm.contains(&apart));
        }
    }

    fn wrote(&mut self, attempt: u64, now: Millis) {
        let pong_ms = self.config.pong_ms;
        if let Some(up) = self.up(attempt)
            && let Some(deadline) = up.deadline.as_mut().filter(|_| !up.out)
        {
            *deadline = (*deadline).max(now.plus(pong_ms));
        }
    }

    /// From here on only the server can put the end off.
    fn pinged(&mut self, attempt: u64, nonce: u64, now: Millis) {
        let pong_ms = self.config.pong_ms;
        if let Some(up) = self.up(attempt)
            && !up.out
            && up.sent.is_some_and(|(sent, _)| sent == nonce)
        {
            up.out = true;
            if let Some(deadline) = &mut up.deadline {
                *deadline = now.plus(pong_ms);
            }
        }
    }

    fn pong(&mut self, attempt: u64, nonce: u64, now: Millis) {
        self.heard(attempt, now);
        let sent = self.up(attempt).and_then(|up| up.sent);
        if let Some((_, at)) = sent.filter(|(sent, _)| *sent == nonce) {
            self.latency_ms = Some(now.since(at));
        }
    }

    fn reported(&mut self, attempt: u64, failure: Failure, now: Millis, draw: u64) {
        if self.attempt() == Some(attempt) {
            self.fail(failure, now, draw);
        } else if let Phase::Up(Up {
            probe: Some(probe), ..
        }) = &mut self.phase
            && probe.attempt == Some(attempt)
        {
            probe_failed(probe, &self.config, now, draw);
        }
    }

    fn probe_worked(&mut self, attempt: u64, now: Millis) {
        let Phase::Up(up) = self.phase else { return };
        let Some(probe) = up.probe.filter(|probe| probe.attempt == Some(attempt)) else {
            return;
        };
        let current = up.attempt;
        self.out.push(Action::Close { attempt: current });
        self.transport = self.probed(probe.failed);
        self.forget_failures();
        self.open(now);
    }

    /// Better transports have turns.
    fn probed(&self, failed: u32) -> Transport {
        let better = self.config.transports.better(self.transport);
        let turn = failed as usize % better.len().max(1);
        better.get(turn).copied().unwrap_or(self.transport)
    }

    fn fail(&mut self, failure: Failure, now: Millis, draw: u64) {
        let was_up = matches!(self.phase, Phase::Up(_));
        if let Phase::Up(Up {
            probe:
                Some(Probe {
                    attempt: Some(attempt),
                    ..
                }),
            ..
        }) = self.phase
        {
            self.out.push(Action::Close { attempt });
        }
        let (class, asked_ms) = (failure.class, failure.retry_after_ms);
        self.last_error = Some(failure);
        if matches!(class, FailureClass::Credentials | FailureClass::Version) {
            self.failed = self.failed.saturating_add(1);
            self.phase = Phase::Refused;
            return;
        }
        let since = self.connected_at.map_or(0, |at| now.since(at));
        // One that welcomes us and hangs up would else be called again at once, for ever.
        if was_up && since >= self.config.stable_ms {
            self.failed = 0;
        }
        // A server that complains about us each time may understand us by another transport.
        if was_up && class != FailureClass::Protocol {
            self.failed_here = 0;
        }
        let before = self.failed;
        self.failed = self.failed.saturating_add(1);
        if !self.config.reconnects {
            self.phase = Phase::Idle;
            return;
        }
        if !self.online && self.config.follows_network {
            self.phase = Phase::Offline;
            return;
        }
        let asked_ms = asked_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
        let delay = self.config.backoff.delay(before, draw);
        let asked = now.plus(asked_ms);
        self.failed_here = self.failed_here.saturating_add(1);
        if self.failed_here >= self.config.fallback_after {
            self.failed_here = 0;
            self.transport = self.config.transports.after(self.transport);
        }
        self.phase = Phase::Waiting {
            until: now.plus(delay).max(asked),
            asked,
        };
    }

    fn deadlines(&mut self, now: Millis, draw: u64) {
        match self.phase {
            Phase::Opening {
                attempt,
                deadline,
                reached,
            } if now >= deadline => {
                self.out.push(Action::Close { attempt });
                let seconds = self.config.connect_ms as f64 / 1_000.0;
                let failure = match reached {
                    true => Failure::new(
                        FailureClass::Unwelcome,
                        format!("the server was reached and sent no welcome within {seconds} s"),
                    ),
                    false => {
                        Failure::timeout(&format!("the server did not answer within {seconds} s"))
                    }
                };
                self.fail(failure, now, draw);
            }
            Phase::Waiting { until, .. } if now >= until => self.open(now),
            Phase::Up(up) => self.look_after(up, now, draw),
            _ => {}
        }
        let running = !matches!(self.phase, Phase::Idle | Phase::Refused | Phase::Offline);
        if running && self.refresh_at.is_some_and(|at| now >= at) {
            self.refresh_at = Some(now.plus(REFRESH_AGAIN_MS));
            self.out.push(Action::RefreshToken);
        }
    }

    fn look_after(&mut self, mut up: Up, now: Millis, draw: u64) {
        if up.deadline.is_some_and(|deadline| now >= deadline) {
            let attempt = up.attempt;
            self.out.push(Action::Close { attempt });
            let message = "the server has fallen silent";
            return self.fail(Failure::timeout(message), now, draw);
        }
        match up.deadline {
            // One question at a time: another would put the end of this one's patience off.
            Some(deadline) if now >= up.ping_at => up.ping_at = deadline,
            None if now >= up.ping_at && up.may_be_silent => {
                up.ping_at = now.plus(self.heartbeat_ms);
            }
            None if now >= up.ping_at => {
                if self.transport == Transport::WebSocket {
                    self.next_nonce += 1;
                    up.sent = Some((self.next_nonce, now));
                    up.out = false;
                    self.out.push(Action::Ping {
                        nonce: self.next_nonce,
                    });
                }
                // The other transports cannot ask; the server has its own heartbeat there.
                up.ping_at = now.plus(self.heartbeat_ms);
                up.deadline = Some(now.plus(self.config.pong_ms));
            }
            _ => {}
        }
        if let Some(probe) = up.probe.as_mut().filter(|probe| now >= probe.at) {
            if let Some(attempt) = probe.attempt {
                self.out.push(Action::Close { attempt });
                probe_failed(probe, &self.config, now, draw);
            } else {
                let attempt = self.new_attempt();
                let transport = self.probed(probe.failed);
                probe.attempt = Some(attempt);
                probe.at = now.plus(2 * self.config.connect_ms);
                self.out.push(Action::Probe { transport, attempt });
            }
        }
        self.phase = Phase::Up(up);
    }
}

/// The next probe comes later, spread by up to half.
fn probe_failed(probe: &mut Probe, config: &Config, now: Millis, draw: u64) {
    probe.attempt = None;
    probe.failed = probe.failed.saturating_add(1);
    let grown = config.probe_ms.saturating_mul(1 << probe.failed.min(32));
    let longest = grown.min(config.probe_cap_ms);
    probe.at = now.plus(longest - draw % (longest / 2 + 1));
}

#[cfg(test)]
mod tests;
