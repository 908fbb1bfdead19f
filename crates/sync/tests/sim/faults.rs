//! The script of a run: what is written when, and what goes wrong.

use crate::{
    server::STREAMS,
    world::{Happening, World},
};
use ghostlight_model::StreamId;
use ghostlight_sync::connection::Input;

/// Time from the end of the faults in which all must be well: 35 s until a half-open connection is found (C3), 36 s until
/// the next one works (C2), and room for an entry without an answer or a hole to be asked for once more.
const WELL_WITHIN_MS: u64 = 100_000;

/// Something goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Cut,
    HalfOpen,
    Freeze,
    Restart {
        new_epochs: bool,
    },
    ServerBack,
    /// New epochs under the sessions' hands.
    NewEpochs,
    Trim,
    ClientClock,
    ServerClock,
    ClientCrash,
    ClientBack,
    Offline,
    Online,
    /// Nothing reaches the server, for so many ms.
    Away(u64, How),
    Back(How),
    ClientPause,
    ReconnectNow,
}

/// How an absence looks to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Bytes wait, and arrive when it is over: the connection outlives it.
    Delayed,
    /// What was sent is gone, and nobody is told.
    Silent,
    /// The system says that there is no network, and when there is one again.
    Told,
}

/// A half-open connection is found within this (SPEC C3).
const FOUND_WITHIN_MS: u64 = 35_000;
/// And the next one works within this, counted from when it can (SPEC C2).
const BACK_WITHIN_MS: u64 = 36_000;
/// Where the system told that the network is back: a try of at most 5 s, and what is to be fetched.
const TOLD_WITHIN_MS: u64 = 6_000;

impl World {
    /// Nothing goes wrong but one absence of `ms`, at a known time; the server goes on writing all the while.
    pub fn script_absence(&mut self, ms: u64, how: How) {
        const BEGINS_MS: u64 = 5_000;
        self.calm = true;
        for _ in 0..200 {
            let at = self.dice.below(BEGINS_MS + ms);
            let stream = self.dice.below(3) as usize;
            self.at(at, Happening::Append(stream, 1));
        }
        for _ in 0..3 {
            let at = self.dice.below(BEGINS_MS + ms);
            let stream = self.dice.between(2, 4) as usize;
            self.at(at, Happening::Publish(stream));
        }
        self.at(BEGINS_MS, Happening::Fault(Fault::Away(ms, how)));
    }

    fn away(&mut self, ms: u64, how: How) {
        self.stats.offline += 1;
        self.client.online = false;
        let until = self.now + ms;
        if let Some(link) = self.live_link() {
            match how {
                How::Delayed => self.links[link].frozen_until = until,
                How::Silent | How::Told => self.links[link].silent = true,
            }
        }
        if how == How::Told {
            self.steer(Input::Network { online: false });
        }
        let found = self.now + FOUND_WITHIN_MS;
        self.deadline = match how {
            How::Told => until + TOLD_WITHIN_MS,
            How::Delayed | How::Silent => until.max(found) + BACK_WITHIN_MS,
        };
        self.at(until, Happening::Fault(Fault::Back(how)));
    }

    fn back(&mut self, how: How) {
        self.client.online = true;
        self.healed = true;
        self.server.last_word = true;
        if how == How::Told {
            self.steer(Input::Network { online: true });
        }
    }

    /// Writes down the whole run.
    pub fn script(&mut self) {
        let end = self.dice.between(2_000, 30_000);
        for _ in 0..self.dice.between(5, 20) {
            let at = self.dice.below(end);
            let stream = self.dice.below(3) as usize;
            let count = self.dice.between(1, 4);
            self.at(at, Happening::Append(stream, count));
        }
        for _ in 0..self.dice.below(8) {
            let at = self.dice.below(end);
            let stream = self.dice.between(2, 4) as usize;
            self.at(at, Happening::Publish(stream));
        }
        for _ in 0..self.dice.below(4) {
            let at = self.dice.below(end);
            self.at(at, Happening::Meddle);
        }
        for _ in 0..self.dice.between(1, 8) {
            let at = self.dice.below(end);
            let fault = self.any_fault();
            self.at(at, Happening::Fault(fault));
        }
        self.at(end, Happening::Heal);
    }

    fn any_fault(&mut self) -> Fault {
        match self.dice.below(100) {
            0..25 => Fault::Cut,
            25..35 => Fault::HalfOpen,
            35..45 => Fault::Freeze,
            45..53 => Fault::Restart { new_epochs: false },
            53..58 => Fault::Restart { new_epochs: true },
            58..62 => Fault::NewEpochs,
            62..75 => Fault::Trim,
            75..79 => Fault::ClientClock,
            79..82 => Fault::ServerClock,
            82..90 => Fault::ClientCrash,
            90..94 => Fault::Offline,
            94..97 => Fault::ClientPause,
            _ => Fault::ReconnectNow,
        }
    }

    pub fn fault(&mut self, fault: Fault) {
        self.note(|| format!("--- {fault:?}"));
        match fault {
            Fault::Cut => {
                if let Some(link) = self.live_link() {
                    self.cut(link, self.now);
                }
            }
            Fault::HalfOpen => {
                if let Some(link) = self.live_link() {
                    self.links[link].silent = true;
                    self.stats.half_open += 1;
                }
            }
            Fault::Freeze => {
                if let Some(link) = self.live_link() {
                    let until = self.now + self.dice.between(100, 20_000);
                    self.links[link].frozen_until = until;
                    self.stats.freezes += 1;
                }
            }
            Fault::Restart { new_epochs } => self.restart(new_epochs),
            Fault::ServerBack => self.server.up = true,
            Fault::NewEpochs => self.new_epochs(),
            Fault::Trim => {
                let stream = StreamId(STREAMS[self.dice.below(5) as usize].to_owned());
                let count = self.dice.between(1, 12);
                self.stats.trims += u64::from(self.server.trim(&stream, count));
            }
            Fault::ClientClock => {
                self.client.skew += self.dice.between(1_000, 600_000);
                self.stats.clock_jumps += 1;
                self.steer(Input::Tick);
            }
            Fault::ServerClock => {
                self.server.skew += self.dice.between(1_000, 600_000);
                self.stats.clock_jumps += 1;
                for link in self.server.sessions.keys().copied().collect::<Vec<_>>() {
                    self.session_tick(link);
                }
            }
            Fault::ClientCrash if self.client.running => {
                self.crash_client();
                let late = self.dice.between(10, 3_000);
                self.after(late, Happening::Fault(Fault::ClientBack));
            }
            Fault::ClientBack if !self.client.running => self.start_client(),
            Fault::ClientCrash | Fault::ClientBack => {}
            Fault::Offline => self.offline(),
            Fault::Online => {
                self.client.online = true;
                self.steer(Input::Network { online: true });
            }
            Fault::Away(ms, how) => self.away(ms, how),
            Fault::Back(how) => self.back(how),
            Fault::ClientPause => {
                self.client.paused_until = self.now + self.dice.between(100, 40_000);
                self.stats.pauses += 1;
            }
            Fault::ReconnectNow => self.steer(Input::ReconnectNow),
        }
    }

    fn live_link(&self) -> Option<usize> {
        self.links.iter().rposition(|link| link.open)
    }

    fn offline(&mut self) {
        self.stats.offline += 1;
        self.client.online = false;
        // Cables do not say goodbye.
        if let Some(link) = self.live_link() {
            self.links[link].silent = true;
        }
        self.steer(Input::Network { online: false });
        let late = self.dice.between(10, 5_000);
        self.after(late, Happening::Fault(Fault::Online));
    }

    /// Killed: sessions and what was not on disk are gone, sockets are reset or just fall silent.
    fn restart(&mut self, new_epochs: bool) {
        if !self.server.up {
            return;
        }
        self.stats.restarts += 1;
        self.server.up = false;
        self.server.life += 1;
        self.server.sessions.clear();
        for link in 0..self.links.len() {
            if self.links[link].open {
                self.links[link].open = false;
                if self.dice.percent(30) {
                    self.links[link].silent = true;
                }
                self.after(1, Happening::Closed { link, client: true });
            }
        }
        if new_epochs {
            self.new_epochs();
        }
        let late = self.dice.between(10, 4_000);
        self.after(late, Happening::Fault(Fault::ServerBack));
    }

    fn new_epochs(&mut self) {
        self.stats.new_epochs += 1;
        let now = self.now;
        self.server.new_epochs(&mut self.dice, now);
        for stream in 0..STREAMS.len() {
            self.hint(stream);
        }
    }

    /// No new faults. What is broken stays so until somebody notices.
    pub fn heal(&mut self) {
        self.note(|| "--- the faults stop".to_owned());
        self.healed = true;
        self.deadline = self.now + WELL_WITHIN_MS;
        self.server.up = true;
        self.client.online = true;
        self.client.paused_until = 0;
        if !self.client.running {
            self.start_client();
        }
        self.steer(Input::Network { online: true });
        self.retry_held();
        self.after(1_000, Happening::LastWord);
    }

    /// An event that a relay loses at the end of its stream is noticed by the next one, so there is one.
    pub fn last_word(&mut self) {
        if self.stats.dropped > 0 {
            for stream in 0..STREAMS.len() {
                self.append(stream, 1);
            }
        }
        self.server.last_word = true;
    }
}
