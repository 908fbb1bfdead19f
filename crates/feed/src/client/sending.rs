//! What a person sends to a feed: once, now or not at all, and each is told what became of it.

use super::{Client, Memory};
use crate::{Update, transport::Outgoing};
use ghostlight_model::message::Message;
use ghostlight_sync::connection::{State, Transport};

/// Messages that the socket has not taken yet; a further one is refused.
const SENDING_MAX: usize = 16;

impl<M: Memory> Client<M> {
    /// Gives a message to the socket, or says why not.
    pub(super) fn send_message(&mut self, id: u64, message: &Message) {
        match self.sendable(message) {
            Ok(text) => {
                self.sending.insert(id);
                self.send(Outgoing::Message { id, text });
            }
            Err(why) => self.tell_sent(id, Err(why)),
        }
    }

    /// The frame that a message makes, if it can be sent now.
    fn sendable(&self, message: &Message) -> Result<String, String> {
        let open = self.connection.status().state == State::Connected;
        let Some(link) = self.link.as_ref().filter(|_| open) else {
            return Err("Not sent: the feed is not connected.".into());
        };
        let Some(adapter) = &self.adapter else {
            return Err("Not sent: it is not known yet which system the feed is.".into());
        };
        let Some(text) = adapter.outgoing(message) else {
            return Err(
                "Not sent: only a feed of typed messages takes what a person sends.".into(),
            );
        };
        if link.transport != Transport::WebSocket {
            return Err(
                "Not sent: this connection goes one way; messages need a WebSocket.".into(),
            );
        }
        if self.sending.len() >= SENDING_MAX {
            return Err(format!(
                "Not sent: the server does not read, and {SENDING_MAX} messages wait for it."
            ));
        }
        Ok(text)
    }

    /// The socket took it.
    pub(super) fn message_sent(&mut self, id: u64) {
        if self.sending.remove(&id) {
            self.tell_sent(id, Ok(()));
        }
    }

    /// The connection is over, with what was on its way into it.
    pub(super) fn sending_ended(&mut self) {
        for id in std::mem::take(&mut self.sending) {
            let why =
                "The connection ended while this was being sent; whether it arrived is not known.";
            self.tell_sent(id, Err(why.into()));
        }
    }

    fn tell_sent(&mut self, id: u64, outcome: Result<(), String>) {
        self.waiting.push(Update::Sent { id, outcome });
    }
}
