//! Publishing through a session: what is checked before it reaches the log, and the answer.

use super::{Action, Phase, Session, close};
use crate::{
    Millis,
    frame::{self, Accepted, ClientFrame, Publish, Refused, ServerFrame, code},
    names,
};

/// When to try again after too many publishes at once, in milliseconds; answers come within a commit or two.
const BUSY_RETRY_MS: u64 = 500;

impl Session {
    pub(super) fn publish(&mut self, publish: Publish, now: Millis) {
        if let Err((code, message)) = self.check(&publish) {
            let retry = code == code::BUSY;
            let refused = Refused {
                key: publish.key,
                code: code.to_owned(),
                message,
                retry,
                retry_after_ms: retry.then_some(BUSY_RETRY_MS),
            };
            return self.refuse(refused, now);
        }
        self.publishing.insert(publish.key.clone());
        self.out.push(Action::Append {
            key: publish.key,
            stream: publish.stream,
            bodies: publish.bodies,
        });
    }

    /// The principal has made as many requests as it may.
    pub(super) fn over(&mut self, text: &str, message: String, retry_after_ms: u64, now: Millis) {
        self.heard_at = now;
        self.pinged = None;
        let is_short = text.len() <= self.limits.max_frame_bytes;
        match frame::parse_client(text) {
            Ok(ClientFrame::Publish(publish)) if is_short && self.phase == Phase::Open => {
                let refused = Refused {
                    key: publish.key,
                    code: code::BUSY.to_owned(),
                    message,
                    retry: true,
                    retry_after_ms: Some(retry_after_ms),
                };
                self.refuse(refused, now);
            }
            _ => self.fatal(code::BUSY, message, close::BUSY, now),
        }
    }

    pub(super) fn published(
        &mut self,
        key: String,
        result: Result<Accepted, Refused>,
        now: Millis,
    ) {
        if !self.publishing.remove(&key) {
            return;
        }
        match result {
            Ok(accepted) => self.send(&ServerFrame::Accepted(accepted), now),
            Err(refused) => self.refuse(refused, now),
        }
    }

    fn refuse(&mut self, refused: Refused, now: Millis) {
        self.counts.refused += 1;
        self.send(&ServerFrame::Refused(refused), now);
    }

    fn check(&self, publish: &Publish) -> Result<(), (&'static str, String)> {
        let limits = &self.limits;
        if !names::is_key(&publish.key) {
            let message = format!("a key has 1 to {} characters", names::KEY_CHARS_MAX);
            return Err((code::BAD_KEY, message));
        }
        names::check_stream(&publish.stream.0)
            .map_err(|error| (code::BAD_STREAM, error.to_string()))?;
        if publish.bodies.len() > limits.max_bodies {
            let message = format!("at most {} bodies in one publish", limits.max_bodies);
            return Err((code::LIMIT, message));
        }
        let longest = publish.bodies.iter().map(|body| body.get().len()).max();
        if longest.is_some_and(|bytes| bytes > limits.max_body_bytes) {
            let message = format!("a body has at most {} bytes", limits.max_body_bytes);
            return Err((code::TOO_LARGE, message));
        }
        if self.publishing.contains(&publish.key) {
            let message = "the same key is being applied".to_owned();
            return Err((code::BUSY, message));
        }
        if self.publishing.len() >= limits.publishes {
            let message = format!("at most {} publishes without an answer", limits.publishes);
            return Err((code::BUSY, message));
        }
        Ok(())
    }
}
