//! Holes: when they are asked for again, how often, and when they become a recorded gap.
//!
//! A fetch is a `subscribe` from where the hole begins. It counts against the server only when it was answered and
//! the hole was still there behind the answer; a fetch without an answer (a slow link) is repeated without a verdict.

use super::{
    Action, Anomaly, Asked, GapReason, Limits, Receiver,
    track::{Fetch, Wait},
};
use crate::{
    Millis,
    frame::{CaughtUp, Echo},
    names::Pattern,
};
use ghostlight_model::{Offset, StreamId};

/// When a hole waits for its turn because too many are being fetched, it is looked at again after so many ms.
const TURN_MS: u64 = 250;
/// Fetches without an answer after which a person is told.
const SILENT_MAX: u32 = 1;
/// So many times [`Limits::stall_ms`] an answer may be behind other things that come.
const BEHIND_MAX: u64 = 4;

impl Receiver {
    pub(super) fn caught_up(&mut self, caught_up: CaughtUp, now: Millis) {
        self.heard_at = now;
        let id = caught_up.id.as_number();
        let asked = id.and_then(|id| self.asked.get(&id));
        let stream = match (asked, caught_up.stream) {
            (Some(Asked::Main(pattern @ Pattern::Prefix(_))), Some(stream))
                if stream.0 == pattern.text() =>
            {
                let pattern = stream.0;
                return self.out.push(Action::AllCaughtUp { pattern });
            }
            (_, Some(stream)) => stream,
            (Some(Asked::Main(Pattern::Exact(stream)) | Asked::Fetch(stream)), None) => {
                stream.clone()
            }
            _ => return,
        };
        let position = self.position(&stream);
        let (epoch, until) = (caught_up.epoch, caught_up.offset);
        let other = position.is_some_and(|known| epoch.is_some_and(|epoch| epoch != known.epoch));
        if other {
            return;
        }
        match self.tracks.get_mut(&stream) {
            Some(track) if position.is_some() && track.next() < until => {
                track.wait(now).see(until);
                self.settle(&stream, now);
            }
            _ => self.out.push(Action::CaughtUp { stream }),
        }
    }

    /// The server refused a subscription.
    pub(super) fn refused(&mut self, id: &Echo, code: String, message: String, now: Millis) {
        let asked = id
            .as_number()
            .and_then(|id| Some((id, self.asked.remove(&id)?)));
        let pattern = match asked {
            Some((_, Asked::Main(pattern))) => {
                self.wanted.insert(pattern.clone(), None);
                pattern.text()
            }
            Some((_, Asked::Fetch(stream))) => {
                self.fetching.remove(&stream);
                if let Some(wait) = self.wait_of(&stream) {
                    wait.fetch = None;
                    wait.progress_at = now;
                    wait.silent += 1;
                }
                stream.0
            }
            None => return,
        };
        self.out.push(Action::Anomaly(Anomaly::Refused {
            pattern,
            code,
            message,
        }));
    }

    fn wait_of(&mut self, stream: &StreamId) -> Option<&mut Wait> {
        self.tracks.get_mut(stream)?.wait.as_deref_mut()
    }

    /// Sees to it that a hole is looked at in time.
    pub(super) fn arm(&mut self, stream: &StreamId) {
        let Some(track) = self.tracks.get_mut(stream) else {
            return;
        };
        let next = track.next();
        let Some(wait) = track.wait.as_deref_mut() else {
            return;
        };
        let wanted = due(&self.limits, wait, next, self.heard_at);
        // An earlier time stays; looking too early only arms again.
        if wait.due.is_some_and(|due| due <= wanted) {
            return;
        }
        if let Some(due) = wait.due.replace(wanted) {
            self.due.remove(&(due, stream.clone()));
        }
        self.due.insert((wanted, stream.clone()));
    }

    pub(super) fn look_after_holes(&mut self, now: Millis) {
        while let Some((at, _)) = self.due.first()
            && *at <= now
        {
            let Some((_, stream)) = self.due.pop_first() else {
                return;
            };
            if let Some(wait) = self.wait_of(&stream) {
                wait.due = None;
                self.look_after(&stream, now);
            }
        }
    }

    fn look_after(&mut self, stream: &StreamId, now: Millis) {
        if !self.is_wanted(stream) {
            return self.forget_wait(stream);
        }
        // There may have been progress since it was armed.
        self.arm(stream);
        let Some(wait) = self.wait_of(stream) else {
            return;
        };
        if wait.due.is_some_and(|due| due > now) {
            return;
        }
        if let Some(due) = wait.due.take() {
            self.due.remove(&(due, stream.clone()));
        }
        self.fetch_or_give_up(stream, now);
    }

    fn fetch_or_give_up(&mut self, stream: &StreamId, now: Millis) {
        let full = self.fetching.len() >= self.limits.fetches && !self.fetching.contains(stream);
        let patience = self.limits.attempts;
        let Some(track) = self.tracks.get_mut(stream) else {
            return;
        };
        let next = track.next();
        let Some(wait) = track.wait.as_deref_mut() else {
            return;
        };
        if full {
            let due = now.plus(TURN_MS);
            wait.due = Some(due);
            self.due.insert((due, stream.clone()));
            return;
        }
        if wait.fetch.as_ref().is_some_and(|fetch| fetch.seen > next) {
            wait.failed += 1;
            if wait.failed >= patience {
                let held = wait.early.first_key_value().map(|(offset, _)| *offset);
                let seen = held.into_iter().chain(wait.lowest).min();
                let until = seen.unwrap_or(wait.until());
                let times = wait.failed;
                return self.give_up(stream, next, until, times, now);
            }
            if wait.failed == 1 {
                let (stream, from) = (stream.clone(), next);
                self.out
                    .push(Action::Anomaly(Anomaly::Overdue { stream, from }));
            }
        } else if wait.fetch.is_some() {
            wait.silent += 1;
            if wait.silent == SILENT_MAX {
                let promised = wait.until();
                let stream = stream.clone();
                self.out
                    .push(Action::Anomaly(Anomaly::Stalled { stream, promised }));
            }
        }
        self.fetch(stream, now);
        self.arm(stream);
    }

    /// The server has what is behind and not what is before: that is a gap.
    fn give_up(&mut self, stream: &StreamId, next: Offset, until: Offset, times: u32, now: Millis) {
        let to = Offset(until.0.saturating_sub(1).max(next.0));
        self.note_gap(stream, next, to, GapReason::Skipped(times), now);
        self.settle(stream, now);
    }

    /// Subscribes again from where the hole begins.
    fn fetch(&mut self, stream: &StreamId, now: Millis) {
        let exact = Pattern::Exact(stream.clone());
        let beside = !self.wanted.contains_key(&exact);
        let before = self.wait_of(stream).and_then(|wait| wait.fetch.take());
        let old = match self.wanted.get(&exact) {
            Some(id) => *id,
            None => before.map(|fetch| fetch.id),
        };
        if let Some(old) = old {
            self.withdraw(old);
        }
        let id = self.new_id();
        if beside {
            self.asked.insert(id, Asked::Fetch(stream.clone()));
        } else {
            self.asked.insert(id, Asked::Main(exact.clone()));
            self.wanted.insert(exact, Some(id));
        }
        self.counts.fetches += 1;
        self.fetching.insert(stream.clone());
        if let Some(wait) = self.wait_of(stream) {
            wait.lowest = None;
            wait.fetch = Some(Fetch {
                id,
                beside,
                sent_at: now,
                confirmed: false,
                seen: Offset(0),
            });
        }
        self.ask_one(id, stream);
    }

    /// Nothing is missing any more, or what was is of no interest.
    pub(super) fn forget_wait(&mut self, stream: &StreamId) {
        let Some(wait) = self.tracks.get_mut(stream).and_then(|one| one.wait.take()) else {
            return;
        };
        self.early_bytes -= wait.early_bytes;
        if let Some(due) = wait.due {
            self.due.remove(&(due, stream.clone()));
        }
        self.fetching.remove(stream);
        if let Some(fetch) = wait.fetch.filter(|fetch| fetch.beside) {
            self.withdraw(fetch.id);
        }
    }

    /// Stops fetching for streams that nobody wants any more.
    pub(super) fn drop_unwanted(&mut self) {
        let waiting = self.tracks.iter().filter(|(_, track)| track.wait.is_some());
        let streams: Vec<StreamId> = waiting.map(|(stream, _)| stream.clone()).collect();
        for stream in &streams {
            if !self.is_wanted(stream) {
                self.forget_wait(stream);
            }
        }
    }
}

/// When a wait is to be looked at, by what is known now.
fn due(limits: &Limits, wait: &Wait, next: Offset, heard_at: Millis) -> Millis {
    match &wait.fetch {
        // The answer did not help.
        Some(fetch) if fetch.seen > next => {
            let doubled = limits.retry_ms.saturating_mul(1 << wait.failed.min(32));
            let since = fetch.sent_at.max(wait.progress_at);
            since.plus(doubled.min(limits.retry_cap_ms))
        }
        // While other things come, the answer may be on its way behind them; but not for ever.
        Some(fetch) => {
            let asked = fetch.sent_at.max(wait.progress_at);
            let behind = asked.plus(limits.stall_ms.saturating_mul(BEHIND_MAX));
            let silent = asked.max(heard_at).plus(limits.stall_ms);
            silent.min(behind)
        }
        None if wait.seen > next && wait.silent == 0 => wait.progress_at.plus(limits.grace_ms),
        None => wait.progress_at.max(heard_at).plus(limits.stall_ms),
    }
}
