//! The client: connection, receiver and outbox wired together as the real driver does, above a disk in memory.

use crate::{
    net::{Link, Relay},
    server::STREAMS,
    world::{Dice, Happening, World, lines},
};
use ghostlight_model::{Epoch, StreamId};
use ghostlight_sync::{
    Millis,
    connection::{self, Connection, Failure, FailureClass, Transports},
    frame::{
        Beat, Body, ClientFrame, Echo, Event, Hello, Position, Secret, ServerFrame, parse_server,
    },
    outbox::{self, Entry, Outbox},
    reception::{self, Anomaly, GapReason, Receiver},
};
use std::collections::{BTreeMap, BTreeSet};

/// Writes queued for the disk above which nothing more is read from the socket.
const QUEUE_MAX: usize = 12;
/// How long something is held before the person tries it again.
const DECIDE_EVERY_MS: u64 = 3_000;
/// How long it takes at most to notice what another process wrote.
const NOTICE_MS: u64 = 250;

pub struct Client {
    connection: Connection,
    receiver: Receiver,
    outbox: Outbox,
    pub disk: Disk,
    /// Writes under way; a crash loses them.
    queue: Vec<Record>,
    committing: bool,
    /// The attempt and link in use.
    current: Option<(u64, usize)>,
    /// The latest ping asked for.
    pinged: Option<u64>,
    /// Attempts up to this one were given up: their sockets never open.
    given_up: u64,
    buffer: Vec<u8>,
    pub skew: u64,
    /// Counts crashes: what was under way for an earlier life is dropped.
    pub life: u64,
    pub running: bool,
    pub online: bool,
    /// Early events that this connection brought and that must not be missing afterwards.
    received: BTreeSet<(StreamId, Epoch, u64)>,
    /// Does not read before this time.
    pub paused_until: u64,
    alarm: Option<(u64, u64)>,
    config: connection::Config,
    limits: reception::Limits,
    patterns: Vec<&'static str>,
}

/// What survives a crash.
#[derive(Default)]
pub struct Disk {
    pub records: Vec<Record>,
    pub positions: BTreeMap<StreamId, Position>,
    pub rows: BTreeMap<u64, Row>,
    pub last_seq: u64,
    /// Every key ever used, with its stream, in order.
    pub keys: Vec<(String, StreamId)>,
    /// Those that another process discarded, maybe while they were under way.
    pub discarded: BTreeSet<String>,
}

pub struct Row {
    pub entry: Entry,
    pub held: bool,
}

/// One row of the client's log.
#[derive(Debug, Clone)]
pub enum Record {
    Event(Event),
    Gap(StreamId, Epoch, u64, u64, GapReason),
    Epoch(StreamId, Option<Position>, Epoch),
}

impl Client {
    pub fn new(dice: &mut Dice) -> Self {
        let config = connection::Config {
            transports: if dice.percent(50) {
                Transports::auto()
            } else {
                Transports::only(connection::Transport::WebSocket)
            },
            ..connection::Config::default()
        };
        let small = dice.percent(30);
        let limits = reception::Limits {
            early_events: if small { 2 } else { 1_024 },
            early_bytes: if small { 300 } else { 1 << 20 },
            fetches: dice.between(1, 3) as usize,
            ..reception::Limits::default()
        };
        let patterns = match dice.below(4) {
            0 => vec!["*"],
            1 => vec!["run/*", "posting/*"],
            2 => vec!["run/a", "*"],
            _ => STREAMS.to_vec(),
        };
        Self {
            connection: Connection::new(config.clone()),
            receiver: Receiver::new(limits, []).unwrap(),
            outbox: Outbox::new(outbox_limits()),
            disk: Disk::default(),
            queue: Vec::new(),
            committing: false,
            current: None,
            pinged: None,
            given_up: 0,
            buffer: Vec::new(),
            skew: dice.below(1_000_000),
            life: 0,
            running: false,
            online: true,
            received: BTreeSet::new(),
            paused_until: 0,
            alarm: None,
            config,
            limits,
            patterns,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.disk.rows.is_empty()
    }
}

fn outbox_limits() -> outbox::Limits {
    outbox::Limits {
        entries: 4,
        in_flight: 2,
        ..outbox::Limits::default()
    }
}

impl World {
    /// Starts, also again after a crash, from what is on disk.
    pub fn start_client(&mut self) {
        let client = &mut self.client;
        let positions = client.disk.positions.clone();
        client.connection = Connection::new(client.config.clone());
        client.receiver = Receiver::new(client.limits, positions).unwrap();
        client.outbox = Outbox::new(outbox_limits());
        client.running = true;
        client.given_up = 0;
        for pattern in client.patterns.clone() {
            client.receiver.subscribe(pattern);
        }
        let online = client.online;
        self.steer(connection::Input::Network { online });
        self.steer(connection::Input::Start);
        self.post(outbox::Input::Added);
    }

    /// Everything in memory is gone.
    pub fn crash_client(&mut self) {
        let client = &mut self.client;
        self.stats.crashes += 1;
        self.stats.lost_writes += client.queue.len() as u64;
        client.life += 1;
        client.running = false;
        client.queue.clear();
        client.committing = false;
        client.buffer.clear();
        client.received.clear();
        client.alarm = None;
        if let Some((_, link)) = client.current.take() {
            // The OS closes the socket.
            self.links[link].open = false;
            let latency = self.links[link].latency;
            self.after(
                latency,
                Happening::Closed {
                    link,
                    client: false,
                },
            );
        }
    }

    pub fn steer(&mut self, input: connection::Input) {
        if !self.client.running {
            return;
        }
        let (now, draw) = (self.client_now(), self.dice.draw());
        for action in self.client.connection.handle(input, now, draw) {
            self.connection_action(action);
        }
        self.set_client_alarm();
    }

    fn connection_action(&mut self, action: connection::Action) {
        use connection::Action;
        match action {
            Action::Open { attempt, transport } => {
                self.note(|| format!("client opens {transport:?} ({attempt})"));
                let late = self.dice.between(1, 80);
                let (life, server_life) = (self.client.life, self.server.life);
                self.after(
                    late,
                    Happening::Opening {
                        attempt,
                        life,
                        server_life,
                    },
                );
            }
            Action::Probe { attempt, .. } => {
                let late = self.dice.between(1, 80);
                let life = self.client.life;
                self.after(late, Happening::Probed { attempt, life });
            }
            Action::Close { attempt } => self.hang_up(attempt),
            Action::Ping { nonce } => {
                self.client.pinged = Some(nonce);
                self.client_sends(&ClientFrame::Ping(Beat {
                    nonce: Echo::number(nonce),
                }));
            }
            Action::RefreshToken => self.steer(connection::Input::Credentials { expires_at: None }),
            Action::Status(status) => self.note(|| {
                format!(
                    "client is {:?}, next try {:?}",
                    status.state, status.next_try_at
                )
            }),
        }
    }

    /// The client closes a connection of its own accord.
    fn hang_up(&mut self, attempt: u64) {
        self.client.given_up = self.client.given_up.max(attempt);
        let Some((_, link)) = self
            .client
            .current
            .take_if(|(current, _)| *current == attempt)
        else {
            return;
        };
        self.links[link].open = false;
        let latency = self.links[link].latency;
        self.after(
            latency,
            Happening::Closed {
                link,
                client: false,
            },
        );
        self.disconnected();
    }

    fn disconnected(&mut self) {
        self.client.received.clear();
        self.client.buffer.clear();
        self.client.receiver.disconnected();
        self.post(outbox::Input::Disconnected);
    }

    pub fn opening(&mut self, attempt: u64, life: u64, server_life: u64) {
        let given_up = attempt <= self.client.given_up;
        if life != self.client.life || !self.client.running || given_up {
            return;
        }
        if !self.client.online || !self.server.up || server_life != self.server.life {
            // Half of the time nothing answers at all.
            if self.dice.percent(50) {
                self.failed(attempt, "refused");
            }
            return;
        }
        let link = self.links.len();
        let new = self.new_link(attempt);
        self.links.push(new);
        self.client.current = Some((attempt, link));
        self.client.buffer.clear();
        self.stats.reconnects += 1;
        self.accept(link);
        self.steer(connection::Input::Opened { attempt });
        let token = Some(Secret("sim".into()));
        self.client_sends(&ClientFrame::Hello(Hello {
            version: 1,
            token,
            client: "sim".into(),
        }));
    }

    fn new_link(&mut self, attempt: u64) -> Link {
        let dice = &mut self.dice;
        if self.healed || self.calm {
            return Link::new(attempt, 5, 0, Relay::default());
        }
        let mut relay = Relay::default();
        if dice.percent(25) {
            relay.repeat = dice.below(30);
            relay.hold = dice.below(30);
            relay.lose = dice.below(15);
        }
        // 50 kbit/s and 500 ms.
        let slow = dice.percent(10);
        self.stats.slow_links += u64::from(slow);
        let (latency, rate) = if slow {
            (500, 6_250)
        } else {
            (dice.between(1, 100), 0)
        };
        let mut link = Link::new(attempt, latency, rate, relay);
        if dice.percent(50) {
            let bytes = dice.between(1, 3_000) as usize;
            link.cut_in(dice.percent(70), bytes);
        }
        link
    }

    pub fn probed(&mut self, attempt: u64, life: u64) {
        if life != self.client.life {
            return;
        }
        if self.server.up && self.client.online {
            self.steer(connection::Input::ProbeWorked { attempt });
        } else {
            self.failed(attempt, "no answer to the probe");
        }
    }

    fn failed(&mut self, attempt: u64, message: &str) {
        let failure = Failure::new(FailureClass::Network, message);
        self.steer(connection::Input::Failed { attempt, failure });
    }

    pub fn client_closed(&mut self, link: usize, why: &str) {
        let Some((attempt, _)) = self.client.current.take_if(|(_, current)| *current == link)
        else {
            return;
        };
        self.note(|| format!("client loses link {link}"));
        self.disconnected();
        self.failed(attempt, why);
    }

    pub fn client_wrote(&mut self, link: usize) {
        if self
            .client
            .current
            .is_some_and(|(_, current)| current == link)
        {
            let attempt = self.links[link].attempt;
            self.steer(connection::Input::Wrote { attempt });
            // The network took everything, so also the ping, if there was one.
            if let Some(nonce) = self.client.pinged.filter(|_| self.links[link].is_taken()) {
                self.steer(connection::Input::Pinged { attempt, nonce });
            }
        }
    }

    fn client_sends(&mut self, frame: &ClientFrame) {
        if let Some((_, link)) = self.client.current {
            let text = frame.to_text();
            self.note(|| format!("client {link} → {text}"));
            self.transmit(link, false, text);
        }
    }

    pub fn client_bytes(&mut self, link: usize, bytes: &[u8]) {
        for text in self.receive(link, bytes) {
            // A frame may have ended the connection.
            if self
                .client
                .current
                .is_none_or(|(_, current)| current != link)
            {
                return;
            }
            self.note(|| format!("client {link} ← {text}"));
            let attempt = self.links[link].attempt;
            self.steer(connection::Input::Heard { attempt });
            self.client_frame(attempt, parse_server(&text).unwrap());
        }
    }

    fn receive(&mut self, link: usize, bytes: &[u8]) -> impl Iterator<Item = String> + use<> {
        let ours = self
            .client
            .current
            .is_some_and(|(_, current)| current == link);
        let found = if ours {
            lines(&mut self.client.buffer, bytes)
        } else {
            Default::default()
        };
        found.into_iter()
    }

    fn client_frame(&mut self, attempt: u64, frame: ServerFrame) {
        let now = self.client_now();
        match frame {
            ServerFrame::Welcome(welcome) => {
                let heartbeat_ms = Some(welcome.heartbeat_ms);
                self.steer(connection::Input::Welcome {
                    attempt,
                    heartbeat_ms,
                });
                // A small limit, so that positions take several frames.
                let actions = self.client.receiver.connected(700, now);
                self.receive_actions(actions);
                self.post(outbox::Input::Connected {
                    max_frame_bytes: welcome.max_frame_bytes,
                });
            }
            ServerFrame::Ping(beat) => self.client_sends(&ClientFrame::Pong(beat)),
            ServerFrame::Pong(beat) => {
                let nonce = beat.nonce.as_number().unwrap();
                self.steer(connection::Input::Pong { attempt, nonce });
            }
            ServerFrame::Accepted(accepted) => self.post(outbox::Input::Accepted(accepted)),
            ServerFrame::Refused(refused) => self.post(outbox::Input::Refused(refused)),
            ServerFrame::Error(trouble) if trouble.fatal => {}
            frame => {
                self.remember(&frame);
                let actions = self.client.receiver.frame(frame, now);
                self.receive_actions(actions);
            }
        }
    }

    /// What came is not missing, as long as the buffer is large enough.
    fn remember(&mut self, frame: &ServerFrame) {
        let client = &mut self.client;
        let large = client.limits.early_events > 2;
        if let ServerFrame::Event(event) = frame
            && large
        {
            let key = (event.stream.clone(), event.epoch, event.offset.0);
            client.received.insert(key);
        }
    }

    fn receive_actions(&mut self, actions: Vec<reception::Action>) {
        use reception::Action;
        for action in actions {
            match action {
                Action::Deliver(event) => self.write(Record::Event(event)),
                Action::Gap {
                    stream,
                    epoch,
                    from,
                    to,
                    reason,
                } => {
                    for offset in from.0..=to.0 {
                        let key = (stream.clone(), epoch, offset);
                        let here = self.client.received.contains(&key);
                        assert!(!here, "{stream}: {offset} is here and called missing");
                    }
                    self.write(Record::Gap(stream, epoch, from.0, to.0, reason));
                }
                Action::EpochStarted { stream, old, epoch } => {
                    self.write(Record::Epoch(stream, old, epoch))
                }
                Action::Send(frame) => self.client_sends(&frame),
                Action::CaughtUp { .. } | Action::AllCaughtUp { .. } => {}
                Action::SetAside(event) => panic!("no server here loses its end: {event:?}"),
                // The network can be that slow or lose that much; nothing else is the server's fault here.
                Action::Anomaly(Anomaly::Stalled { .. } | Anomaly::Overdue { .. }) => {}
                Action::Anomaly(anomaly) => panic!("{anomaly}"),
            }
        }
        self.set_client_alarm();
    }

    fn write(&mut self, record: Record) {
        self.client.queue.push(record);
        if self.client.queue.len() > QUEUE_MAX {
            self.client.paused_until = self.client.paused_until.max(self.now + 20);
            self.stats.pauses += 1;
        }
        if !self.client.committing {
            self.client.committing = true;
            let late = self.dice.between(1, 40);
            let life = self.client.life;
            self.after(late, Happening::Commit { life });
        }
    }

    pub fn commit(&mut self, life: u64) {
        if life != self.client.life {
            return;
        }
        let client = &mut self.client;
        client.committing = false;
        for record in client.queue.drain(..) {
            client.disk.store(record);
        }
    }

    pub fn publish(&mut self, stream: usize) {
        let disk = &mut self.client.disk;
        disk.last_seq += 1;
        let seq = disk.last_seq;
        let (key, stream) = (format!("key-{seq}"), StreamId(STREAMS[stream].to_owned()));
        disk.keys.push((key.clone(), stream.clone()));
        let count = self.dice.between(1, 2);
        let bodies = (0..count)
            .map(|n| Body::parse(format!("\"published {seq} {n}\"")).unwrap())
            .collect();
        let entry = Entry {
            seq,
            key,
            stream,
            before: None,
            bodies,
        };
        disk.rows.insert(seq, Row { entry, held: false });
        self.stats.published += 1;
        self.post(outbox::Input::Added);
    }

    /// The person decides: everything held is tried again, and again as long as it is seen to be held.
    pub fn retry_held(&mut self) {
        let rows = self.client.disk.rows.values().filter(|row| row.held);
        let keys: Vec<String> = rows.map(|row| row.entry.key.clone()).collect();
        if !keys.is_empty() {
            self.after(DECIDE_EVERY_MS, Happening::Decide);
        }
        for key in keys {
            self.post(outbox::Input::Retry { key });
        }
    }

    /// Another process on the same data folder holds, releases or discards an entry. Ours notices a while later, or at
    /// its next start.
    pub fn meddle(&mut self) {
        let disk = &mut self.client.disk;
        let nth = self.dice.below(disk.rows.len() as u64) as usize;
        let Some((&seq, row)) = disk.rows.iter_mut().nth(nth) else {
            return;
        };
        let mut decide = false;
        match self.dice.below(3) {
            0 if row.held => {
                row.held = false;
                self.stats.released_elsewhere += 1;
            }
            0 | 1 => {
                (row.held, decide) = (true, true);
                self.stats.held_elsewhere += 1;
            }
            _ => {
                disk.discarded.insert(row.entry.key.clone());
                disk.rows.remove(&seq);
                self.stats.discarded_elsewhere += 1;
            }
        }
        if decide {
            self.after(DECIDE_EVERY_MS, Happening::Decide);
        }
        let (late, life) = (self.dice.between(0, NOTICE_MS), self.client.life);
        self.after(late, Happening::Noticed { life });
    }

    /// Somebody else wrote to the disk.
    pub fn noticed(&mut self, life: u64) {
        if life == self.client.life {
            self.post(outbox::Input::Changed);
        }
    }

    fn post(&mut self, input: outbox::Input) {
        if !self.client.running {
            return;
        }
        let (now, draw) = (self.client_now(), self.dice.draw());
        for action in self.client.outbox.handle(input, now, draw) {
            self.outbox_action(action);
        }
        self.set_client_alarm();
    }

    fn outbox_action(&mut self, action: outbox::Action) {
        use outbox::Action;
        let disk = &mut self.client.disk;
        let mut hold = |key: &str, held| {
            let row = disk.rows.values_mut().find(|row| row.entry.key == key);
            row.into_iter().for_each(|row| row.held = held);
        };
        match action {
            Action::Load {
                request,
                after,
                limit,
                except,
            } => {
                let late = self.dice.below(10);
                let life = self.client.life;
                self.after(
                    late,
                    Happening::Loaded {
                        life,
                        request,
                        after,
                        limit,
                        except,
                    },
                );
            }
            Action::Send(frame) => self.client_sends(&frame),
            Action::Done(accepted) => {
                disk.rows.retain(|_, row| row.entry.key != accepted.key);
            }
            Action::Hold { key, .. } => {
                self.stats.held += 1;
                hold(&key, true);
                self.after(DECIDE_EVERY_MS, Happening::Decide);
            }
            Action::Release { key } => {
                self.stats.retried += 1;
                hold(&key, false);
            }
            Action::Delete { .. } | Action::CannotDiscard { .. } => panic!("nobody discards"),
        }
    }

    pub fn loaded(
        &mut self,
        life: u64,
        request: u64,
        after: u64,
        limit: usize,
        except: &[StreamId],
    ) {
        if life != self.client.life || !self.client.running {
            return;
        }
        let rows = &self.client.disk.rows;
        let held: Vec<&StreamId> = rows
            .values()
            .filter(|row| row.held)
            .map(|row| &row.entry.stream)
            .collect();
        let free = |stream: &StreamId| !held.contains(&stream) && !except.contains(stream);
        let mut last = BTreeMap::new();
        let entries = rows.values().map(|row| Entry {
            before: last.insert(&row.entry.stream, row.entry.seq),
            ..row.entry.clone()
        });
        let mut entries: Vec<Entry> = entries
            .filter(|one| one.seq > after && free(&one.stream))
            .collect();
        let more = entries.len() > limit;
        entries.truncate(limit);
        self.post(outbox::Input::Loaded {
            request,
            entries,
            more,
        });
    }

    fn set_client_alarm(&mut self) {
        let client = &mut self.client;
        let wakes = [
            client.connection.next_wake(),
            client.receiver.next_wake(),
            client.outbox.next_wake(),
        ];
        let Some(Millis(at)) = wakes.into_iter().flatten().min() else {
            return;
        };
        let at = at.saturating_sub(client.skew).max(self.now);
        // An earlier alarm looks again.
        if client.alarm.is_none_or(|(alarm, _)| alarm > at) {
            let number = client.alarm.map_or(0, |(_, number)| number) + 1;
            client.alarm = Some((at, number));
            let life = client.life;
            self.at(at, Happening::ClientTick { life, number });
        }
    }

    pub fn client_tick(&mut self, life: u64, number: u64) {
        if life != self.client.life
            || self
                .client
                .alarm
                .is_none_or(|(_, current)| current != number)
        {
            return;
        }
        // The number goes on, so that an alarm replaced by an earlier one is not taken for the next.
        self.client.alarm = Some((u64::MAX, number));
        self.steer(connection::Input::Tick);
        let now = self.client_now();
        let actions = self.client.receiver.tick(now);
        self.receive_actions(actions);
        self.post(outbox::Input::Tick);
    }

    pub fn client_counts(&self) -> reception::Counts {
        self.client.receiver.counts()
    }
}

impl Disk {
    /// Refuses what a real store would refuse.
    fn store(&mut self, record: Record) {
        match &record {
            Record::Event(event) => {
                let position = self
                    .positions
                    .get_mut(&event.stream)
                    .expect("an epoch begins before its events");
                assert_eq!(
                    (event.epoch, event.offset),
                    (position.epoch, position.offset),
                    "{}: repeated, reordered or lost",
                    event.stream
                );
                position.offset.0 += 1;
            }
            Record::Gap(stream, epoch, from, to, _) => {
                let position = self
                    .positions
                    .get_mut(stream)
                    .expect("an epoch begins before its gaps");
                assert_eq!(
                    (*epoch, *from),
                    (position.epoch, position.offset.0),
                    "{stream}: a gap that is not here"
                );
                position.offset.0 = to + 1;
            }
            Record::Epoch(stream, old, epoch) => {
                assert_eq!(
                    self.positions.get(stream),
                    old.as_ref(),
                    "{stream}: the old position"
                );
                assert!(
                    old.is_none_or(|old| old.epoch < *epoch),
                    "{stream}: epochs grow"
                );
                self.positions
                    .insert(stream.clone(), Position::new(epoch.0, 0));
            }
        }
        self.records.push(record);
    }
}
