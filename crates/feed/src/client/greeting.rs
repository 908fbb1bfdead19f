//! What a failure before the welcome says of the server.

use super::{Client, Memory};
use crate::Kind;
use ghostlight_sync::connection::{Failure, FailureClass, State};

impl<M: Memory> Client<M> {
    /// Whoever answers in another way than a hub, or hangs up on its greeting, may be another system.
    pub(super) fn unwelcome(&self, failure: Failure) -> Failure {
        let greeting = self.connection.status().state == State::Connecting;
        let other = match failure.class {
            FailureClass::Protocol => true,
            FailureClass::Network => self.reached && !self.is_asked_by_requests(),
            _ => false,
        };
        match self.kind == Some(Kind::Hub) && greeting && other {
            true => Failure {
                class: FailureClass::Unwelcome,
                ..failure
            },
            false => failure,
        }
    }
}
