//! Updates on their way to whoever takes them.

use crate::{Item, Update};
use std::collections::VecDeque;

/// Items in a batch; the store's writer takes as many in a transaction.
const BATCH_ITEMS_MAX: usize = 512;
/// Bytes of bodies that wait to be stored; beyond, sockets are not read.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// What nobody took yet, in order.
#[derive(Default)]
pub(super) struct Waiting {
    updates: VecDeque<Update>,
    items: usize,
    bytes: usize,
}

impl Waiting {
    pub fn has_room(&self) -> bool {
        self.items < BATCH_ITEMS_MAX && self.bytes < WAITING_BYTES_MAX
    }

    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    pub fn store(&mut self, item: Item) {
        self.items += 1;
        self.bytes += bytes(&item);
        match self.updates.back_mut() {
            Some(Update::Batch(batch)) => batch.push(item),
            _ => self.updates.push_back(Update::Batch(vec![item])),
        }
    }

    pub fn push(&mut self, update: Update) {
        // They come as often as items do at most, so they count as such.
        self.items += 1;
        self.updates.push_back(update);
    }

    pub fn next(&mut self) -> Option<Update> {
        let update = self.updates.pop_front()?;
        match &update {
            Update::Batch(items) => {
                self.items = self.items.saturating_sub(items.len());
                self.bytes = self.bytes.saturating_sub(items.iter().map(bytes).sum());
            }
            _ => self.items = self.items.saturating_sub(1),
        }
        Some(update)
    }
}

fn bytes(item: &Item) -> usize {
    match item {
        Item::Event { body, .. } => body.get().len(),
        Item::Quarantined { message, .. } => message.len(),
        _ => 0,
    }
}
