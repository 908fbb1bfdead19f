//! Where an event stream goes on (HTML Living Standard, *Server-sent events*, *last event ID string*): the same whatever
//! its events are.

use super::Effect;
use crate::{Cursor, Item, transport::Message};

/// Longest id that is kept, in bytes; with a longer one the stream goes on from the one before.
const ID_BYTES_MAX: usize = 1_024;

/// The last id that was given.
pub(super) struct LastId {
    /// Never empty.
    id: Option<String>,
}

impl LastId {
    pub fn new(cursor: Option<Cursor>) -> Self {
        let cursor = cursor.filter(|cursor| !cursor.id.is_empty());
        Self {
            id: cursor.map(|cursor| cursor.id),
        }
    }

    /// What is to be stored behind a message that gave this id: nothing, unless it is another one.
    pub fn given(&mut self, id: Option<String>) -> Option<Effect> {
        // An empty one says that there is none any more.
        let id = id.filter(|id| id.len() <= ID_BYTES_MAX)?;
        if id == self.id.as_deref().unwrap_or_default() {
            return None;
        }
        self.id = (!id.is_empty()).then(|| id.clone());
        Some(Effect::Store(Item::Cursor(Cursor { id })))
    }

    pub fn get(&self) -> Option<String> {
        self.id.clone()
    }
}

/// The id that came with a message; `None` if it came by no event stream, or without one.
pub(super) fn id_of(message: &Message) -> Option<String> {
    match message {
        Message::Event { id, .. } | Message::Garbled { id, .. } | Message::TooLong { id, .. } => {
            id.clone()
        }
        Message::Place(id) => Some(id.clone()),
        Message::Text(_) | Message::Binary(_) => None,
    }
}
