//! `ghostlight.v1` (`docs/PROTOCOL.md`): epochs and offsets, so that completeness is a fact.

use super::{Adapter, Effect, Start, not_text, quarantined};
use crate::{
    Item,
    transport::{AGENT, Message, Outgoing},
};
use ghostlight_model::StreamId;
use ghostlight_sync::{
    Millis,
    connection::{Failure, FailureClass},
    frame::{
        self, Beat, ClientFrame, Echo, Hello, Position, Secret, ServerFrame, Trouble, VERSION, code,
    },
    names::Pattern,
    outbox,
    reception::{Action, Receiver, TooManyPositions},
};
use std::collections::VecDeque;

/// A hub: the reception machine behind its frames.
pub(super) struct Hub {
    token: Option<Secret>,
    /// This connection was welcomed; a later welcome answers a token that was renewed.
    welcomed: bool,
    /// The one stream that is followed; `None` for many.
    single: Option<StreamId>,
    receiver: Receiver,
    aside: Aside,
}

/// Places remembered whose message was set aside. At the bound the oldest is forgotten: if its message comes once more,
/// it is set aside once more.
const ASIDE_MAX: usize = 1_000;

/// The places whose message was set aside, whatever connection it came by, so that a replay does it no second time.
#[derive(Default)]
struct Aside(VecDeque<(StreamId, Position)>);

impl Aside {
    /// Whether it is the first message of this place.
    fn is_new(&mut self, place: &(StreamId, Position)) -> bool {
        let is_new = !self.0.contains(place);
        if is_new {
            self.0.push_back(place.clone());
            if self.0.len() > ASIDE_MAX {
                self.0.pop_front();
            }
        }
        is_new
    }
}

impl Hub {
    pub fn new(start: Start) -> Result<Self, TooManyPositions> {
        let mut receiver = Receiver::new(start.limits, start.positions)?;
        let single = match Pattern::of(&start.pattern) {
            Pattern::Exact(stream) => Some(stream),
            Pattern::Prefix(_) => None,
        };
        // Not connected yet, so there is nothing to send.
        receiver.subscribe(&start.pattern);
        Ok(Self {
            token: start.token,
            welcomed: false,
            single,
            receiver,
            aside: Aside::default(),
        })
    }

    fn frame(&mut self, frame: ServerFrame, now: Millis) -> Vec<Effect> {
        match frame {
            ServerFrame::Welcome(_) if self.welcomed => Vec::new(),
            ServerFrame::Welcome(welcome) => {
                self.welcomed = true;
                let actions = self.receiver.connected(welcome.max_frame_bytes, now);
                let welcomed = [
                    Effect::Welcomed(Some(welcome.heartbeat_ms)),
                    Effect::Outbox(outbox::Input::Connected {
                        max_frame_bytes: welcome.max_frame_bytes,
                    }),
                ];
                welcomed.into_iter().chain(self.effects(actions)).collect()
            }
            ServerFrame::Ping(beat) => vec![send(ClientFrame::Pong(beat))],
            ServerFrame::Pong(beat) => beat
                .nonce
                .as_number()
                .map(Effect::Pong)
                .into_iter()
                .collect(),
            ServerFrame::Error(trouble) if trouble.fatal => vec![Effect::Fail(failure(&trouble))],
            ServerFrame::Error(trouble) if trouble.id.is_none() => {
                let Trouble { code, message, .. } = trouble;
                vec![Effect::Notice(format!(
                    "the server reports {code}: {message}"
                ))]
            }
            ServerFrame::Accepted(accepted) => {
                vec![Effect::Outbox(outbox::Input::Accepted(accepted))]
            }
            ServerFrame::Refused(refused) => vec![Effect::Outbox(outbox::Input::Refused(refused))],
            frame => {
                let actions = self.receiver.frame(frame, now);
                self.effects(actions).collect()
            }
        }
    }

    /// The log goes on behind a gap with the reason. One that we are behind already was told before.
    fn too_long(
        &mut self,
        message: &Message,
        place: (StreamId, Position),
        sizes: (usize, usize),
        now: Millis,
    ) -> Vec<Effect> {
        if self.receiver.position(&place.0) > Some(place.1) {
            return Vec::new();
        }
        let is_new = self.aside.is_new(&place);
        let reason = not_text(message).unwrap_or_default();
        let actions = self.receiver.too_long(place, sizes, now);
        let set_aside = is_new.then(|| quarantined(message, reason));
        set_aside.into_iter().chain(self.effects(actions)).collect()
    }

    /// It is set aside once. An event of which it can be told which one it is is asked for once more; then its place is a
    /// gap with the reason.
    fn unreadable(&mut self, message: &Message, reason: String, now: Millis) -> Vec<Effect> {
        let place = match message {
            Message::Text(text) => frame::event_place(text),
            Message::Garbled { bytes, .. } => frame::event_place(&String::from_utf8_lossy(bytes)),
            _ => None,
        };
        let Some(place) = place else {
            return vec![quarantined(message, reason)];
        };
        if self.receiver.position(&place.0) > Some(place.1) {
            return Vec::new();
        }
        let is_new = self.aside.is_new(&place);
        let again = (!is_new).then(|| reason.clone());
        let actions = self.receiver.unreadable(place, again, now);
        let set_aside = is_new.then(|| quarantined(message, reason));
        set_aside.into_iter().chain(self.effects(actions)).collect()
    }

    fn effects(&self, actions: Vec<Action>) -> impl Iterator<Item = Effect> {
        actions.into_iter().filter_map(|action| {
            Some(match action {
                Action::Deliver(event) => Effect::Store(Item::Event {
                    stream: event.stream,
                    epoch: event.epoch,
                    offset: event.offset,
                    ts: event.ts,
                    body: event.body,
                }),
                Action::Gap {
                    stream,
                    epoch,
                    from,
                    to,
                    reason,
                } => Effect::Store(Item::Gap {
                    stream,
                    epoch,
                    from,
                    to,
                    reason: reason.to_string(),
                }),
                Action::SetAside(event) => set_aside(event),
                Action::EpochStarted { stream, epoch, .. } => {
                    Effect::Store(Item::Epoch { stream, epoch })
                }
                Action::Send(frame) => send(frame),
                Action::CaughtUp { stream } => {
                    return (self.single.as_ref() == Some(&stream)).then_some(Effect::CaughtUp);
                }
                Action::AllCaughtUp { .. } => Effect::CaughtUp,
                Action::Anomaly(anomaly) => Effect::Notice(anomaly.to_string()),
            })
        })
    }
}

impl Adapter for Hub {
    fn opened(&mut self) -> Vec<Effect> {
        self.show_token()
    }

    fn renew(&mut self, token: Option<Secret>) {
        self.token = token;
    }

    fn show_token(&mut self) -> Vec<Effect> {
        vec![send(ClientFrame::Hello(Hello {
            version: VERSION,
            token: self.token.clone(),
            client: AGENT.to_owned(),
        }))]
    }

    fn message(&mut self, message: Message, now: Millis) -> Vec<Effect> {
        let text = match &message {
            Message::Text(text) => text,
            Message::TooLong {
                place: Some(place),
                size,
                limit,
                ..
            } => return self.too_long(&message, place.clone(), (*size, *limit), now),
            Message::Garbled { .. } | Message::TooLong { .. } => {
                let reason = not_text(&message).unwrap_or_default();
                return self.unreadable(&message, reason, now);
            }
            _ => {
                return vec![quarantined(
                    &message,
                    "a binary message; this protocol has none",
                )];
            }
        };
        match frame::parse_server(text) {
            Ok(frame) => self.frame(frame, now),
            // Also of an unknown type: a newer server may say more than we know.
            Err(error) => self.unreadable(&message, error.to_string(), now),
        }
    }

    fn ping(&self, nonce: u64) -> Option<String> {
        let nonce = Echo::number(nonce);
        Some(ClientFrame::Ping(Beat { nonce }).to_text())
    }

    fn tick(&mut self, now: Millis) -> Vec<Effect> {
        let actions = self.receiver.tick(now);
        self.effects(actions).collect()
    }

    fn next_wake(&self) -> Option<Millis> {
        self.receiver.next_wake()
    }

    fn closed(&mut self) {
        self.welcomed = false;
        self.receiver.disconnected();
    }
}

fn set_aside(event: frame::Event) -> Effect {
    let reason = format!(
        "{}: the server lost the end of its log and gave offset {} of epoch {} to another event; it has to begin a new \
         epoch",
        event.stream.0, event.offset.0, event.epoch.0
    );
    let text = ServerFrame::Event(event).to_text();
    quarantined(&Message::Text(text), reason)
}

fn send(frame: ClientFrame) -> Effect {
    Effect::Send(Outgoing::Text(frame.to_text()))
}

fn failure(trouble: &Trouble) -> Failure {
    let Trouble { code, message, .. } = trouble;
    let class = match code.as_str() {
        code::UNAUTHORIZED => FailureClass::Credentials,
        code::VERSION => FailureClass::Version,
        code::HELLO_FIRST | code::MALFORMED => FailureClass::Protocol,
        _ => FailureClass::Network,
    };
    Failure::new(
        class,
        format!("the server ends the connection ({code}): {message}"),
    )
}
