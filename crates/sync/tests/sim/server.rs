//! The server: real sessions above a log in memory, which is also what the client is compared with.

use crate::{
    net::Lost,
    world::{Answer, Dice, Happening, World, lines},
};
use ghostlight_model::{Epoch, Offset, StreamId};
use ghostlight_sync::{
    Millis,
    frame::{Accepted, Body, Position, Refused},
    session::{Action, Input, Limits, LogEvent, Page, Session},
};
use std::collections::BTreeMap;

/// Streams that the server writes; what users publish goes to the last two.
pub const STREAMS: [&str; 5] = ["run/a", "run/b", "posting/c", "posting/d", "posting/e"];

pub struct Server {
    pub up: bool,
    /// Counts restarts.
    pub life: u64,
    pub skew: u64,
    pub streams: BTreeMap<StreamId, Stream>,
    /// Every epoch that ever was.
    pub history: BTreeMap<(StreamId, Epoch), Past>,
    keys: BTreeMap<String, Accepted>,
    /// Every key in the order of its application.
    pub applied: Vec<String>,
    pub sessions: BTreeMap<usize, Seat>,
    pub limits: Limits,
    pub lost: Lost,
    /// Keys to be refused the first time.
    refused: BTreeMap<String, u32>,
    /// The final events are written.
    pub last_word: bool,
    bodies: u64,
}

/// A stream as it is now.
pub struct Stream {
    pub epoch: Epoch,
    pub first: u64,
    pub bodies: Vec<Body>,
}

/// An epoch as it was: every body, and up to where it was trimmed.
#[derive(Default)]
pub struct Past {
    pub bodies: Vec<Body>,
    pub trimmed: u64,
}

/// A session with its reading buffer and its alarm.
pub struct Seat {
    pub session: Session,
    buffer: Vec<u8>,
    alarm: Option<u64>,
    /// Where each stream stood at the last hint: a page that connections share is not older.
    hinted: BTreeMap<StreamId, Position>,
}

impl Server {
    pub fn new(dice: &mut Dice) -> Self {
        let small = dice.percent(30);
        let limits = Limits {
            window_bytes: if small { 300 } else { 4_000 },
            page_events: dice.between(1, 8) as usize,
            publishes: 2,
            ..Limits::default()
        };
        Self {
            up: true,
            life: 0,
            skew: dice.below(1_000_000),
            streams: BTreeMap::new(),
            history: BTreeMap::new(),
            keys: BTreeMap::new(),
            applied: Vec::new(),
            sessions: BTreeMap::new(),
            limits,
            lost: Lost::new(),
            refused: BTreeMap::new(),
            last_word: false,
            bodies: 0,
        }
    }

    fn page(&self, stream: &StreamId, from: u64, max_events: usize, max_bytes: usize) -> Page {
        let Some(log) = self.streams.get(stream) else {
            return Page::none();
        };
        let mut bytes = 0;
        let events = (from.max(log.first)..log.bodies.len() as u64)
            .take(max_events)
            .map(|offset| LogEvent {
                offset: Offset(offset),
                ts: None,
                body: log.bodies[offset as usize].clone(),
            })
            .take_while(|event| {
                let fits = bytes < max_bytes;
                bytes += event.body.get().len();
                fits
            })
            .collect();
        Page {
            epoch: log.epoch,
            first_retained: Offset(log.first),
            head: Offset(log.bodies.len() as u64),
            events,
        }
    }

    /// Where each stream stands.
    fn places(&self) -> BTreeMap<StreamId, Position> {
        let streams = self.streams.iter();
        streams
            .map(|(name, log)| {
                (
                    name.clone(),
                    Position::new(log.epoch.0, log.bodies.len() as u64),
                )
            })
            .collect()
    }

    /// Adds to a stream, which may be new, and to its history.
    fn store(&mut self, name: &StreamId, bodies: Vec<Body>, now: u64) -> Accepted {
        let stream = self.streams.entry(name.clone()).or_insert_with(|| Stream {
            epoch: Epoch(1_000 + now),
            first: 0,
            bodies: Vec::new(),
        });
        let past = self
            .history
            .entry((name.clone(), stream.epoch))
            .or_default();
        let first = stream.bodies.len() as u64;
        past.bodies.extend(bodies.iter().cloned());
        stream.bodies.extend(bodies);
        Accepted {
            key: String::new(),
            epoch: stream.epoch,
            first_offset: Offset(first),
            last_offset: Offset(stream.bodies.len() as u64 - 1),
            duplicate: false,
        }
    }

    pub fn trim(&mut self, name: &StreamId, count: u64) -> bool {
        let Some(stream) = self.streams.get_mut(name) else {
            return false;
        };
        stream.first = (stream.first + count).min(stream.bodies.len() as u64);
        let past = self.history.get_mut(&(name.clone(), stream.epoch)).unwrap();
        past.trimmed = stream.first;
        true
    }

    /// As after restoring a backup: all streams begin anew, with some of what they had.
    pub fn new_epochs(&mut self, dice: &mut Dice, now: u64) {
        for (name, stream) in &mut self.streams {
            stream.epoch = Epoch(stream.epoch.0.max(1_000 + now) + 1);
            let kept = dice.below(stream.bodies.len() as u64 + 1) as usize;
            stream.bodies.truncate(kept);
            stream.first = stream.first.min(kept as u64);
            let past = Past {
                bodies: stream.bodies.clone(),
                trimmed: stream.first,
            };
            self.history.insert((name.clone(), stream.epoch), past);
        }
    }
}

/// Makes of a page one that was read earlier, but not before `known`, as when connections share it.
fn age(page: &mut Page, from: Offset, known: Position, dice: &mut Dice) -> bool {
    let least = known.offset.max(from).max(page.first_retained).0;
    if page.epoch != known.epoch || least >= page.head.0 {
        return false;
    }
    page.head = Offset(dice.between(least, page.head.0 - 1));
    page.events.retain(|event| event.offset < page.head);
    true
}

impl World {
    /// The server's own work adds events.
    pub fn append(&mut self, stream: usize, count: u64) {
        if !self.server.up {
            return;
        }
        let name = StreamId(STREAMS[stream].to_owned());
        let bodies = (0..count).map(|_| self.new_body()).collect();
        self.stats.events += count;
        self.server.store(&name, bodies, self.now);
        self.note(|| format!("server appends {count} to {name}"));
        self.hint(stream);
    }

    fn new_body(&mut self) -> Body {
        self.server.bodies += 1;
        let filler = if self.dice.percent(5) { 400 } else { 3 };
        Body::parse(format!("\"{:0filler$}\"", self.server.bodies)).unwrap()
    }

    /// Tells the sessions, a little later, or that hints were lost.
    pub fn hint(&mut self, stream: usize) {
        let lose = !self.healed && self.dice.percent(5);
        let links: Vec<usize> = self.server.sessions.keys().copied().collect();
        for link in links {
            let late = self.dice.below(3);
            let answer = if lose {
                Answer::HintsLost
            } else {
                Answer::Hint(stream)
            };
            self.stats.hints_lost += u64::from(lose);
            self.after(late, Happening::Answer { link, answer });
        }
    }

    pub fn accept(&mut self, link: usize) {
        let session = Session::new(
            self.server.limits,
            "sim".into(),
            format!("c{link}"),
            false,
            self.server_now(),
        );
        let seat = Seat {
            session,
            buffer: Vec::new(),
            alarm: None,
            hinted: BTreeMap::new(),
        };
        self.server.sessions.insert(link, seat);
        self.set_alarm(link);
    }

    fn give(&mut self, link: usize, input: Input<'_>) {
        let now = self.server_now();
        let Some(seat) = self.server.sessions.get_mut(&link) else {
            return;
        };
        for action in seat.session.handle(input, now) {
            self.session_action(link, action);
        }
        self.set_alarm(link);
    }

    fn set_alarm(&mut self, link: usize) {
        let skew = self.server.skew;
        let Some(seat) = self.server.sessions.get_mut(&link) else {
            return;
        };
        let wake = seat
            .session
            .next_wake()
            .map(|Millis(at)| at.saturating_sub(skew));
        // An earlier alarm looks again.
        if let Some(at) = wake
            && seat.alarm.is_none_or(|alarm| alarm > at)
        {
            seat.alarm = Some(at);
            self.at(at, Happening::SessionTick { link });
        }
    }

    pub fn session_tick(&mut self, link: usize) {
        if let Some(seat) = self.server.sessions.get_mut(&link) {
            seat.alarm = None;
            self.give(link, Input::Tick);
        }
    }

    pub fn session_bytes(&mut self, link: usize, bytes: &[u8]) {
        let Some(seat) = self.server.sessions.get_mut(&link) else {
            return;
        };
        for text in lines(&mut seat.buffer, bytes) {
            self.note(|| format!("server {link} ← {text}"));
            self.give(link, Input::Text(&text));
        }
    }

    pub fn session_written(&mut self, link: usize, bytes: usize) {
        self.give(link, Input::Written(bytes));
    }

    fn session_action(&mut self, link: usize, action: Action) {
        let late = self.dice.below(4);
        match action {
            Action::Send { text, .. } => {
                self.note(|| format!("server {link} → {text}"));
                self.relay(link, text);
            }
            Action::Authenticate(token) => {
                assert!(token.is_some());
                self.after(
                    late,
                    Happening::Answer {
                        link,
                        answer: Answer::Authenticated,
                    },
                );
            }
            Action::Read {
                request,
                stream,
                from,
                max_events,
                max_bytes,
                known,
            } => {
                // What it was when it was asked for: hints may overtake the answer.
                let mut page = self.server.page(&stream, from.0, max_events, max_bytes);
                let hinted = self.server.sessions[&link].hinted.get(&stream).copied();
                if let Some(known) = known.map(|known| hinted.map_or(known, |at| at.max(known)))
                    && self.dice.percent(50)
                {
                    self.stats.shared += u64::from(age(&mut page, from, known, &mut self.dice));
                }
                self.after(
                    late,
                    Happening::Answer {
                        link,
                        answer: Answer::Page(request, page),
                    },
                );
            }
            Action::List {
                request,
                prefix,
                after,
                ..
            } => {
                let names = self.server.streams.keys();
                let names = names.filter(|one| one.0.starts_with(&prefix));
                let mut names: Vec<_> = names
                    .filter(|one| after.as_ref().is_none_or(|after| *one > after))
                    .cloned()
                    .collect();
                let more = names.len() > 2;
                names.truncate(2);
                self.after(
                    late,
                    Happening::Answer {
                        link,
                        answer: Answer::Listed(request, names, more),
                    },
                );
            }
            Action::Append {
                key,
                stream,
                bodies,
            } => {
                let late = late * 5;
                self.after(
                    late,
                    Happening::Answer {
                        link,
                        answer: Answer::Append {
                            key,
                            stream,
                            bodies,
                        },
                    },
                );
            }
            Action::Close { code, reason } => {
                self.note(|| format!("server {link} closes: {code} {reason}"));
                self.stats.session_cuts += 1;
                self.server.sessions.remove(&link);
                let at = self.now + self.links[link].latency;
                self.links[link].open = false;
                self.at(at, Happening::Closed { link, client: true });
            }
        }
    }

    pub fn answer(&mut self, link: usize, answer: Answer) {
        if !self.server.sessions.contains_key(&link) {
            return;
        }
        match answer {
            Answer::Page(request, page) => self.give(link, Input::Page { request, page }),
            Answer::Listed(request, streams, more) => self.give(
                link,
                Input::Listed {
                    request,
                    streams,
                    more,
                },
            ),
            Answer::Authenticated => self.give(link, Input::Authenticated),
            Answer::HintsLost => {
                let places = self.server.places();
                if let Some(seat) = self.server.sessions.get_mut(&link) {
                    seat.hinted = places;
                }
                self.give(link, Input::HintsLost);
            }
            Answer::Hint(stream) => {
                let name = StreamId(STREAMS[stream].to_owned());
                let Some(log) = self.server.streams.get(&name) else {
                    return;
                };
                let (epoch, head) = (log.epoch, Offset(log.bodies.len() as u64));
                if let Some(seat) = self.server.sessions.get_mut(&link) {
                    let place = Position {
                        epoch,
                        offset: head,
                    };
                    seat.hinted.insert(name.clone(), place);
                }
                let wants = self.server.sessions[&link].session.wants(&name);
                if wants {
                    self.give(
                        link,
                        Input::Appended {
                            stream: &name,
                            epoch,
                            head,
                        },
                    );
                }
            }
            Answer::Append {
                key,
                stream,
                bodies,
            } => {
                let result = self.apply(&key, &stream, bodies);
                self.give(link, Input::Published { key, result });
                let number = STREAMS.iter().position(|one| *one == stream.0).unwrap();
                self.hint(number);
            }
        }
    }

    /// Once a key; some are refused at first, for now or for good.
    fn apply(
        &mut self,
        key: &str,
        stream: &StreamId,
        bodies: Vec<Body>,
    ) -> Result<Accepted, Refused> {
        if let Some(before) = self.server.keys.get(key) {
            self.stats.applied_again += 1;
            return Ok(Accepted {
                duplicate: true,
                ..before.clone()
            });
        }
        let times = self.server.refused.entry(key.to_owned()).or_default();
        *times += 1;
        if *times == 1 && !self.healed && self.dice.percent(15) {
            let retry = self.dice.percent(60);
            let retry_after_ms = self.dice.percent(50).then_some(700);
            return Err(Refused {
                key: key.to_owned(),
                code: "sim".into(),
                message: "refused by the dice".into(),
                retry,
                retry_after_ms,
            });
        }
        let accepted = Accepted {
            key: key.to_owned(),
            ..self.server.store(stream, bodies, self.now)
        };
        self.server.applied.push(key.to_owned());
        self.server.keys.insert(key.to_owned(), accepted.clone());
        Ok(accepted)
    }
}
