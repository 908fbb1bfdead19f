//! The world: time, dice, what happens next, and the numbers at the end.

use crate::{client::Client, faults::Fault, net::Link, server::Server};
use ghostlight_sync::{Millis, session};
use oorandom::Rand64;
use std::collections::{BTreeMap, VecDeque};

macro_rules! stats {
    ($($name:ident),+ $(,)?) => {
        /// How often what happened, so that a run in which nothing happens is noticed.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub struct Stats { $(pub $name: u64,)+ }

        impl Stats {
            pub fn add(&mut self, other: &Self) { $(self.$name += other.$name;)+ }
            pub fn list(&self) -> Vec<(&'static str, u64)> { vec![$((stringify!($name), self.$name),)+] }
        }
    };
}

stats!(
    events,
    delivered,
    cuts,
    cut_in_frame,
    half_open,
    freezes,
    slow_links,
    restarts,
    new_epochs,
    trims,
    gaps,
    missing,
    duplicates,
    reordered,
    repeated,
    dropped,
    stale,
    early,
    early_dropped,
    fetches,
    clock_jumps,
    hints_lost,
    shared,
    crashes,
    lost_writes,
    offline,
    pauses,
    published,
    applied_again,
    retried,
    held,
    released_elsewhere,
    held_elsewhere,
    discarded_elsewhere,
    session_cuts,
    reconnects,
);

/// A run takes some hundreds of steps; a machine that asks for the same tick for ever takes more than this.
const STEPS_MAX: u64 = 100_000;

/// What happens at some time.
#[derive(Debug)]
pub enum Happening {
    /// Of the script.
    Fault(Fault),
    /// The server appends so many events to the stream.
    Append(usize, u64),
    /// The user publishes something to the stream.
    Publish(usize),
    /// The person tries what the server refused again.
    Decide,
    /// Another process on the same data folder decides about an entry of the outbox.
    Meddle,
    /// The client notices that somebody else wrote to its disk.
    Noticed {
        life: u64,
    },
    /// Faults stop.
    Heal,
    /// Each stream grows once more, so that a loss at its end is noticed.
    LastWord,
    /// Bytes reach the client (`true`) or the server.
    Bytes {
        link: usize,
        down: bool,
    },
    /// An end learns that the connection is gone.
    Closed {
        link: usize,
        client: bool,
    },
    /// An attempt to connect comes to something.
    Opening {
        attempt: u64,
        life: u64,
        server_life: u64,
    },
    Probed {
        attempt: u64,
        life: u64,
    },
    ClientTick {
        life: u64,
        number: u64,
    },
    /// The client's writer is done with what was queued.
    Commit {
        life: u64,
    },
    /// The client's disk answers the outbox.
    Loaded {
        life: u64,
        request: u64,
        after: u64,
        limit: usize,
        except: Vec<ghostlight_model::StreamId>,
    },
    SessionTick {
        link: usize,
    },
    /// The server's log answers a session.
    Answer {
        link: usize,
        answer: Answer,
    },
    /// A relay lets go of a frame that it held back.
    Release {
        link: usize,
    },
}

/// An answer of the log.
#[derive(Debug)]
pub enum Answer {
    Page(u64, session::Page),
    Listed(u64, Vec<ghostlight_model::StreamId>, bool),
    Append {
        key: String,
        stream: ghostlight_model::StreamId,
        bodies: Vec<ghostlight_sync::frame::Body>,
    },
    Hint(usize),
    HintsLost,
    Authenticated,
}

pub struct World {
    pub now: u64,
    pub dice: Dice,
    queue: BTreeMap<(u64, u64), Happening>,
    next: u64,
    pub server: Server,
    pub client: Client,
    pub links: Vec<Link>,
    pub healed: bool,
    /// Connections are good ones: only the script breaks them.
    pub calm: bool,
    /// Not before this time is everything expected to be well.
    pub deadline: u64,
    pub stats: Stats,
    trace: bool,
}

pub struct Dice(Rand64);

impl Dice {
    /// 0 up to and without `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.rand_range(0..n.max(1))
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn draw(&mut self) -> u64 {
        self.0.rand_u64()
    }
}

impl World {
    pub fn new(seed: u64, trace: bool) -> Self {
        let mut dice = Dice(Rand64::new(u128::from(seed) + 1));
        let server = Server::new(&mut dice);
        let client = Client::new(&mut dice);
        Self {
            now: 0,
            dice,
            queue: BTreeMap::new(),
            next: 0,
            server,
            client,
            links: Vec::new(),
            healed: false,
            calm: false,
            deadline: u64::MAX,
            stats: Stats::default(),
            trace,
        }
    }

    pub fn run(&mut self) {
        self.script();
        self.play();
    }

    /// What the script says, to its end.
    pub fn play(&mut self) {
        let mut steps = 0;
        self.start_client();
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            self.now = at;
            steps += 1;
            assert!(steps < STEPS_MAX, "it never comes to rest");
            self.happen(happening);
            if self.healed && self.is_well() {
                break;
            }
            assert!(
                self.now <= self.deadline,
                "not well in time after the faults stopped: {}",
                self.why_not()
            );
        }
        self.judge();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Fault(fault) => self.fault(fault),
            Happening::Append(stream, count) => self.append(stream, count),
            Happening::Publish(stream) => self.publish(stream),
            Happening::Decide => self.retry_held(),
            Happening::Meddle => self.meddle(),
            Happening::Noticed { life } => self.noticed(life),
            Happening::Heal => self.heal(),
            Happening::LastWord => self.last_word(),
            Happening::Bytes { link, down } => self.bytes(link, down),
            Happening::Closed { link, client } => self.closed(link, client),
            Happening::Opening {
                attempt,
                life,
                server_life,
            } => self.opening(attempt, life, server_life),
            Happening::Probed { attempt, life } => self.probed(attempt, life),
            Happening::ClientTick { life, number } => self.client_tick(life, number),
            Happening::Commit { life } => self.commit(life),
            Happening::Loaded {
                life,
                request,
                after,
                limit,
                except,
            } => self.loaded(life, request, after, limit, &except),
            Happening::SessionTick { link } => self.session_tick(link),
            Happening::Answer { link, answer } => self.answer(link, answer),
            Happening::Release { link } => self.release(link),
        }
    }

    pub fn after(&mut self, ms: u64, happening: Happening) {
        self.at(self.now + ms, happening);
    }

    pub fn at(&mut self, at: u64, happening: Happening) {
        self.next += 1;
        self.queue.insert((at.max(self.now), self.next), happening);
    }

    pub fn note(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>8} {}", self.now, what());
        }
    }

    /// The client's clock, which jumps.
    pub fn client_now(&self) -> Millis {
        Millis(self.now + self.client.skew)
    }

    /// The server's clock, which jumps too.
    pub fn server_now(&self) -> Millis {
        Millis(self.now + self.server.skew)
    }
}

/// Takes whole lines out of what arrived; what is left is the beginning of the next frame.
pub fn lines(buffer: &mut Vec<u8>, bytes: &[u8]) -> VecDeque<String> {
    let mut lines = VecDeque::new();
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        match part.strip_suffix(b"\n") {
            Some(end) => {
                buffer.extend_from_slice(end);
                lines.push_back(String::from_utf8(std::mem::take(buffer)).unwrap());
            }
            None => buffer.extend_from_slice(part),
        }
    }
    lines
}
