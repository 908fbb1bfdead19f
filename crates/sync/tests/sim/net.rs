//! Connections that break: at any byte, in silence, slowly; and a relay that reorders and repeats events.

use crate::world::{Happening, World};
use std::collections::{BTreeMap, VecDeque};

/// One connection.
pub struct Link {
    pub attempt: u64,
    /// Bytes still flow.
    pub open: bool,
    /// Half-open: everything sent disappears and nobody is told.
    pub silent: bool,
    /// Nothing arrives before this time.
    pub frozen_until: u64,
    pub latency: u64,
    /// 0 for a fast one.
    pub bytes_per_s: u64,
    pub relay: Relay,
    down: Pipe,
    up: Pipe,
}

#[derive(Default)]
struct Pipe {
    /// When the last bytes arrive; later ones not before.
    ready_at: u64,
    /// What is on its way, and how many of the sender's bytes that is (none for a relay's repetition).
    chunks: VecDeque<(Vec<u8>, usize)>,
    /// So many bytes more, then the connection breaks.
    cut_in: Option<usize>,
}

/// What a broken relay does to event frames, in percent.
#[derive(Default, Clone)]
pub struct Relay {
    pub repeat: u64,
    pub hold: u64,
    pub lose: u64,
    held: Vec<String>,
}

impl Link {
    pub fn new(attempt: u64, latency: u64, bytes_per_s: u64, relay: Relay) -> Self {
        Self {
            attempt,
            open: true,
            silent: false,
            frozen_until: 0,
            latency,
            bytes_per_s,
            relay,
            down: Pipe::default(),
            up: Pipe::default(),
        }
    }

    fn pipe(&mut self, down: bool) -> &mut Pipe {
        if down { &mut self.down } else { &mut self.up }
    }

    /// Nothing of what the client sent is on its way any more.
    pub fn is_taken(&self) -> bool {
        self.up.chunks.is_empty()
    }

    /// The connection breaks after so many more bytes.
    pub fn cut_in(&mut self, down: bool, bytes: usize) {
        self.pipe(down).cut_in = Some(bytes);
    }
}

/// How often each event was lost: a relay loses the same one at most twice, so asking again helps.
pub type Lost = BTreeMap<String, u32>;

impl World {
    /// An event frame passes the relay; every other kind passes it unharmed.
    pub fn relay(&mut self, link: usize, text: String) {
        let relay = self.links[link].relay.clone();
        let quiet = self.healed || relay.repeat + relay.hold + relay.lose == 0;
        if quiet || !text.starts_with(r#"{"type":"event""#) {
            return self.transmit(link, true, text);
        }
        if self.dice.percent(relay.lose) {
            let times = self.server.lost.entry(text.clone()).or_default();
            if *times < 2 {
                *times += 1;
                self.stats.dropped += 1;
                self.note(|| format!("link {link} loses {text}"));
                return self.swallow(link, text.len());
            }
        }
        if self.dice.percent(relay.repeat) {
            self.stats.repeated += 1;
            self.wire(link, true, text.clone().into_bytes(), 0);
        }
        if self.dice.percent(relay.hold) {
            self.stats.reordered += 1;
            self.swallow(link, text.len());
            self.links[link].relay.held.push(text);
            let late = self.dice.between(1, 600);
            return self.after(late, Happening::Release { link });
        }
        self.transmit(link, true, text);
    }

    pub fn release(&mut self, link: usize) {
        if !self.links[link].relay.held.is_empty() {
            let text = self.links[link].relay.held.remove(0);
            self.wire(link, true, text.into_bytes(), 0);
        }
    }

    /// The relay took a frame and sends nothing on.
    fn swallow(&mut self, link: usize, written: usize) {
        self.chunk(link, true, self.now, (Vec::new(), written));
    }

    /// Puts a frame on the wire: its bytes arrive later, in order, perhaps in two parts, perhaps not all of them.
    pub fn transmit(&mut self, link: usize, down: bool, text: String) {
        let written = text.len();
        self.wire(link, down, text.into_bytes(), written);
    }

    fn wire(&mut self, link: usize, down: bool, mut bytes: Vec<u8>, written: usize) {
        let now = self.now;
        let split = self.dice.percent(10);
        let jitter = self.dice.below(5);
        let one = &mut self.links[link];
        if !one.open {
            return;
        }
        bytes.push(b'\n');
        let slow = (bytes.len() as u64 * 1_000)
            .checked_div(one.bytes_per_s)
            .unwrap_or(0);
        let latency = one.latency;
        let pipe = one.pipe(down);
        let mut cut = None;
        if let Some(left) = &mut pipe.cut_in {
            if bytes.len() > *left {
                bytes.truncate(*left);
                cut = Some(*left);
                pipe.cut_in = None;
            } else {
                *left -= bytes.len();
            }
        }
        let at = pipe.ready_at.max(now + latency + jitter) + slow;
        pipe.ready_at = at;
        if split && bytes.len() > 1 {
            let second = bytes.split_off(bytes.len() / 2);
            self.chunk(link, down, at, (bytes, 0));
            bytes = second;
        }
        self.chunk(link, down, at, (bytes, written));
        if let Some(part) = cut {
            self.note(|| format!("link {link} breaks {part} bytes into a frame"));
            self.stats.cut_in_frame += u64::from(part > 0);
            self.cut(link, at);
        }
    }

    fn chunk(&mut self, link: usize, down: bool, at: u64, chunk: (Vec<u8>, usize)) {
        let pipe = self.links[link].pipe(down);
        pipe.chunks.push_back(chunk);
        let at = at.max(pipe.ready_at);
        self.at(at, Happening::Bytes { link, down });
    }

    /// Both ends learn of it, at their own time.
    pub fn cut(&mut self, link: usize, at: u64) {
        self.stats.cuts += 1;
        // What is on its way before that still arrives.
        let one = &mut self.links[link];
        one.open = false;
        let latency = one.latency;
        let late = self.dice.below(latency + 1);
        self.at(at, Happening::Closed { link, client: true });
        self.at(
            at + late,
            Happening::Closed {
                link,
                client: false,
            },
        );
    }

    /// The next of what is on its way arrives.
    pub fn bytes(&mut self, link: usize, down: bool) {
        let one = &mut self.links[link];
        if one.silent {
            return;
        }
        let paused = if down { self.client.paused_until } else { 0 };
        let until = one.frozen_until.max(paused);
        if until > self.now {
            return self.at(until, Happening::Bytes { link, down });
        }
        let Some((bytes, written)) = one.pipe(down).chunks.pop_front() else {
            return;
        };
        if down {
            self.session_written(link, written);
            self.client_bytes(link, &bytes);
        } else {
            self.client_wrote(link);
            self.session_bytes(link, &bytes);
        }
    }

    pub fn closed(&mut self, link: usize, client: bool) {
        let one = &self.links[link];
        if one.silent {
            return;
        }
        // Not before what was frozen.
        if one.frozen_until > self.now {
            return self.at(one.frozen_until, Happening::Closed { link, client });
        }
        if client {
            self.client_closed(link, "the connection broke");
        } else {
            self.server.sessions.remove(&link);
        }
    }
}
