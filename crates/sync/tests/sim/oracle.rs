//! What must be true in the end: the server's log is what the client is compared with.

use crate::{client::Record, world::World};
use ghostlight_model::StreamId;
use ghostlight_sync::{frame::Position, reception::GapReason};
use std::collections::BTreeMap;

impl World {
    /// Everything arrived that can.
    pub fn is_well(&self) -> bool {
        let disk = &self.client.disk;
        self.server.last_word
            && self.client.is_idle()
            && self.server.streams.iter().all(|(name, stream)| {
                let head = Position::new(stream.epoch.0, stream.bodies.len() as u64);
                let ours = disk.positions.get(name);
                // Of a stream without events a client need not know the epoch.
                ours == Some(&head) || (ours.is_none() && stream.bodies.is_empty())
            })
    }

    pub fn why_not(&self) -> String {
        let heads = self.server.streams.iter();
        let heads: Vec<_> = heads
            .map(|(name, one)| (&name.0, one.epoch.0, one.bodies.len()))
            .collect();
        let rows: Vec<_> = self
            .client
            .disk
            .rows
            .values()
            .map(|row| (&row.entry.key, row.held))
            .collect();
        format!(
            "server {heads:?}, client {:?}, outbox {rows:?}",
            self.client.disk.positions
        )
    }

    pub fn judge(&mut self) {
        assert!(self.is_well(), "{}", self.why_not());
        self.judge_log();
        self.judge_outbox();
        let counts = self.client_counts();
        let stats = &self.stats;
        let late = stats.dropped + stats.reordered + stats.freezes + stats.pauses;
        if late + stats.half_open + stats.offline + stats.clock_jumps == 0 {
            // So nothing is asked for twice, and nobody sends twice.
            assert_eq!(
                counts.fetches, 0,
                "nothing is late, and yet a hole was seen"
            );
            let sent_twice = counts.duplicates > 0 && stats.repeated == 0;
            assert!(!sent_twice, "{} events more than once", counts.duplicates);
        }
        self.stats.duplicates += counts.duplicates;
        self.stats.stale += counts.stale;
        self.stats.early += counts.early;
        self.stats.early_dropped += counts.early_dropped;
        self.stats.fetches += counts.fetches;
    }

    /// Events are the server's, in its order; what is missing is named, and truly gone.
    fn judge_log(&mut self) {
        let mut positions: BTreeMap<&StreamId, Position> = BTreeMap::new();
        for record in &self.client.disk.records {
            match record {
                Record::Epoch(stream, old, epoch) => {
                    let before = positions.insert(stream, Position::new(epoch.0, 0));
                    assert_eq!(before, *old, "{stream}");
                }
                Record::Event(event) => {
                    let position = positions.get_mut(&event.stream).unwrap();
                    assert_eq!(
                        (position.epoch, position.offset),
                        (event.epoch, event.offset),
                        "{}",
                        event.stream
                    );
                    let past = &self.server.history[&(event.stream.clone(), event.epoch)];
                    assert_eq!(
                        past.bodies[event.offset.0 as usize], event.body,
                        "{} {:?}",
                        event.stream, event.offset
                    );
                    position.offset.0 += 1;
                    self.stats.delivered += 1;
                }
                Record::Gap(stream, epoch, from, to, reason) => {
                    let position = positions.get_mut(stream).unwrap();
                    assert_eq!(
                        (position.epoch, position.offset.0),
                        (*epoch, *from),
                        "{stream}"
                    );
                    let past = &self.server.history[&(stream.clone(), *epoch)];
                    assert!(
                        *to < past.trimmed,
                        "{stream} {epoch:?}: gap {from}–{to} is a lie ({reason})"
                    );
                    assert!(
                        !matches!(reason, GapReason::Skipped(_)),
                        "the server skips nothing"
                    );
                    position.offset.0 = to + 1;
                    self.stats.gaps += 1;
                    self.stats.missing += to - from + 1;
                }
            }
        }
    }

    /// Each key once, and within a stream in the order in which the user published. What another process discarded may
    /// have been under way already: at most once.
    fn judge_outbox(&self) {
        let applied = &self.server.applied;
        let disk = &self.client.disk;
        let mut in_all = 0;
        for (key, _) in &disk.keys {
            let times = applied.iter().filter(|one| *one == key).count();
            let least = usize::from(!disk.discarded.contains(key));
            assert!((least..=1).contains(&times), "{key} applied {times} times");
            in_all += times;
        }
        assert_eq!(applied.len(), in_all);
        let mut last: BTreeMap<&StreamId, usize> = BTreeMap::new();
        for (key, stream) in &disk.keys {
            let Some(at) = applied.iter().position(|one| one == key) else {
                continue;
            };
            let before = last.insert(stream, at);
            assert!(
                before.is_none_or(|before| before < at),
                "{key} overtook another in {stream}"
            );
        }
    }
}
