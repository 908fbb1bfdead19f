//! Subscriptions of a session, and which streams they bring in.

use super::{
    Action, Listing, Session,
    cursor::{Cursor, Joining},
};
use crate::{
    Millis,
    frame::{CaughtUp, Echo, Position, ServerFrame, Subscribe, Subscribed, Unsubscribe, code},
    names::Pattern,
};
use ghostlight_model::{Epoch, Offset, StreamId};
use std::collections::BTreeMap;

/// Names asked for in one listing; the next ones follow.
const LIST_LIMIT: usize = 512;

#[derive(Debug)]
pub(super) struct Subscription {
    pub pattern: Pattern,
    /// Positions that came in parts (`more`); the subscription has not started yet.
    parts: Option<BTreeMap<StreamId, Position>>,
    /// With `*`: the first catching up is over and was told.
    caught_up: bool,
}

impl Session {
    pub(super) fn subscribe(&mut self, asked: Subscribe, now: Millis) {
        let pattern = match Pattern::checked(&asked.stream) {
            Ok(pattern) => pattern,
            Err(error) => {
                let message = format!("{:.80}: {error}", asked.stream);
                return self.trouble(code::BAD_STREAM, message, Some(asked.id), now);
            }
        };
        let mut positions = self.take_parts(&asked.id, &pattern);
        positions.extend(asked.positions);
        self.drop_subscription(&asked.id);
        if self.subscriptions.len() >= self.limits.subscriptions
            || positions.len() > self.limits.streams
        {
            let message = format!(
                "at most {} subscriptions and {} streams on one connection",
                self.limits.subscriptions, self.limits.streams
            );
            return self.trouble(code::LIMIT, message, Some(asked.id), now);
        }
        let mut subscription = Subscription {
            pattern: pattern.clone(),
            parts: None,
            caught_up: false,
        };
        if asked.more {
            subscription.parts = Some(positions);
            self.subscriptions.insert(asked.id, Box::new(subscription));
            return;
        }
        self.subscriptions
            .insert(asked.id.clone(), Box::new(subscription));
        match pattern {
            Pattern::Exact(stream) => {
                let joining = Joining {
                    id: asked.id,
                    again: asked.from.is_some(),
                    from: asked.from,
                };
                self.join(stream.clone(), joining, now);
                self.discover(&stream, now);
            }
            Pattern::Prefix(_) => self.join_many(asked.id, &pattern, positions, now),
        }
    }

    pub(super) fn unsubscribe(&mut self, asked: Unsubscribe, now: Millis) {
        if self.drop_subscription(&asked.id) {
            self.send(&ServerFrame::Unsubscribed(asked), now);
        } else {
            let message = "no subscription with this id".to_owned();
            self.trouble(code::NOT_SUBSCRIBED, message, Some(asked.id), now);
        }
    }

    fn take_parts(&mut self, id: &Echo, pattern: &Pattern) -> BTreeMap<StreamId, Position> {
        let earlier = self.subscriptions.get_mut(id);
        let earlier = earlier.filter(|earlier| earlier.pattern == *pattern);
        earlier
            .and_then(|earlier| earlier.parts.take())
            .unwrap_or_default()
    }

    fn join_many(
        &mut self,
        id: Echo,
        pattern: &Pattern,
        positions: BTreeMap<StreamId, Position>,
        now: Millis,
    ) {
        let subscribed = ServerFrame::Subscribed(Subscribed {
            id: id.clone(),
            stream: StreamId(pattern.text()),
            epoch: Epoch(0),
            next_offset: Offset(0),
            recovered: true,
            gap: None,
        });
        self.send(&subscribed, now);
        for (stream, position) in positions {
            // Also those that the server does not have (any more): their answer says so.
            if pattern.takes(&stream) && stream.0.len() <= crate::names::NAME_BYTES_MAX {
                let joining = Joining {
                    id: id.clone(),
                    from: Some(position),
                    again: false,
                };
                self.join(stream, joining, now);
            }
        }
        let known: Vec<StreamId> = self.cursors.keys().cloned().collect();
        for stream in known.into_iter().filter(|stream| pattern.takes(stream)) {
            self.join(stream, Joining::from_start(id.clone()), now);
        }
        self.untold = true;
        self.to_list.push_back(id);
    }

    /// Adds a stream to a subscription, unless it is there already.
    pub(super) fn join(&mut self, stream: StreamId, joining: Joining, now: Millis) {
        if !self.cursors.contains_key(&stream) && self.cursors.len() >= self.limits.streams {
            if !self.told_full {
                self.told_full = true;
                let message = format!(
                    "at most {} streams on one connection: {stream} and others are not followed",
                    self.limits.streams
                );
                self.trouble(code::LIMIT, message, Some(joining.id), now);
            }
            return;
        }
        let from = joining.from.map_or(Offset(0), |from| from.offset);
        let entry = self.cursors.entry(stream.clone());
        let cursor = entry.or_insert_with(|| Box::new(Cursor::new(from)));
        if cursor.join(joining) {
            self.queue(&stream);
        }
    }

    /// A stream of a listing or hint: every pattern that takes it gets it.
    fn discover(&mut self, stream: &StreamId, now: Millis) {
        let started = self.subscriptions.iter();
        let ids: Vec<Echo> = started
            .filter(|(_, one)| one.parts.is_none() && one.pattern.takes(stream))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.join(stream.clone(), Joining::from_start(id), now);
        }
    }

    pub(super) fn listed(&mut self, request: u64, streams: Vec<StreamId>, more: bool, now: Millis) {
        let Some(listing) = self.listing.take_if(|listing| listing.request == request) else {
            return;
        };
        for stream in &streams {
            self.discover(stream, now);
        }
        let last = streams.into_iter().next_back();
        if let Some(last) = last.filter(|_| more && self.subscriptions.contains_key(&listing.id)) {
            self.list(listing.id, listing.prefix, Some(last));
        }
    }

    pub(super) fn list_next(&mut self) {
        while self.listing.is_none()
            && let Some(id) = self.to_list.pop_front()
        {
            let pattern = self.subscriptions.get(&id).map(|one| &one.pattern);
            if let Some(Pattern::Prefix(prefix)) = pattern {
                let prefix = prefix.clone();
                self.list(id, prefix, None);
            }
        }
    }

    fn list(&mut self, id: Echo, prefix: String, after: Option<StreamId>) {
        let request = self.request();
        self.out.push(Action::List {
            request,
            prefix: prefix.clone(),
            after,
            limit: LIST_LIMIT,
        });
        self.listing = Some(Listing {
            request,
            id,
            prefix,
        });
    }

    pub(super) fn appended(&mut self, stream: &StreamId, epoch: Epoch, head: Offset, now: Millis) {
        match self.cursors.get_mut(stream) {
            None => self.discover(stream, now),
            Some(cursor) => {
                cursor.learn(epoch, head);
                if cursor.is_behind(epoch, head) {
                    self.queue(stream);
                }
            }
        }
    }

    pub(super) fn hints_lost(&mut self) {
        let streams: Vec<StreamId> = self.cursors.keys().cloned().collect();
        for stream in &streams {
            self.queue(stream);
        }
        let all = self.subscriptions.iter();
        let started = all.filter(|(_, one)| one.parts.is_none());
        let wide = started.filter(|(_, one)| matches!(one.pattern, Pattern::Prefix(_)));
        let ids: Vec<Echo> = wide.map(|(id, _)| id.clone()).collect();
        self.listing = None;
        self.to_list = ids.into();
    }

    /// The first time that nothing waits any more, each `*` is told so.
    pub(super) fn all_caught_up(&mut self, now: Millis) {
        self.untold = false;
        let waiting = self.subscriptions.iter_mut().filter(|(_, one)| {
            !one.caught_up && one.parts.is_none() && matches!(one.pattern, Pattern::Prefix(_))
        });
        let mut told = Vec::new();
        for (id, one) in waiting {
            one.caught_up = true;
            told.push((id.clone(), one.pattern.text()));
        }
        for (id, pattern) in told {
            let caught_up = CaughtUp {
                id,
                stream: Some(StreamId(pattern)),
                epoch: None,
                offset: Offset(0),
            };
            self.send(&ServerFrame::CaughtUp(caught_up), now);
        }
    }

    /// Ends a subscription and lets go of streams that no other one takes.
    fn drop_subscription(&mut self, id: &Echo) -> bool {
        let Some(dropped) = self.subscriptions.remove(id) else {
            return false;
        };
        let others = &self.subscriptions;
        let kept = |stream: &StreamId| others.values().any(|one| one.pattern.takes(stream));
        match &dropped.pattern {
            Pattern::Exact(stream) => {
                if kept(stream) {
                    self.cursors
                        .get_mut(stream)
                        .into_iter()
                        .for_each(|one| one.leave(id));
                } else {
                    self.cursors.remove(stream);
                }
            }
            Pattern::Prefix(_) => self.cursors.retain(|stream, cursor| {
                cursor.leave(id);
                !dropped.pattern.takes(stream) || kept(stream)
            }),
        }
        true
    }
}
