//! A `ghostlight.v1` session over requests: what a WebSocket would carry both ways, for networks that allow none.
//!
//! The frames of the client are carried out here: a `subscribe` becomes an event stream (`/v1/sse`) or polls
//! (`/v1/poll`, of many streams by `/v1/streams`), and what comes is told as the frames of a WebSocket. `welcome` is
//! said once the server has answered a request, and [`Report::Ready`] once it has answered a subscription: only then does
//! the feed count as connected.

use super::{
    Dial, MESSAGE_BYTES_MAX, Message, Outgoing, Report, Reports,
    event_stream::{Block, Event, data_of},
    network, protocol, request, sse, status_failure, too_long, words,
};
use ghostlight_model::{Epoch, Offset, StreamId};
use ghostlight_sync::{
    connection::Failure,
    frame::{
        self, Body, CaughtUp, ClientFrame, Echo, Position, ServerFrame, Subscribe, Subscribed,
        Welcome, event_place,
    },
    names::Pattern,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    panic::resume_unwind,
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::sleep,
};
use url::Url;

/// How long the server may hold a poll of one stream, in ms: half the heartbeat, whose silence would end the link.
const POLL_WAIT_MS: u64 = 15_000;
/// Streams in one answer of the list.
const LIST_MAX: usize = 1_000;
/// Events asked for in one poll; the server ends an answer at a MiB of its own accord.
const POLL_EVENTS: usize = 500;
/// Longest answer to a publish: one frame without bodies.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long the server may be silent, in ms; it comments its event streams every 15 s.
const HEARTBEAT_MS: u64 = 30_000;

/// How events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As an event stream.
    Events,
    /// By asking.
    Poll,
}

/// Runs until a request fails; the answer says why.
pub(super) async fn run(
    dial: Dial,
    mode: Mode,
    mut outgoing: mpsc::Receiver<Outgoing>,
    reports: &Reports,
) -> Failure {
    let session = match Session::open(dial, reports.clone()).await {
        Ok(session) => session,
        Err(failure) => return failure,
    };
    reports.tell(Report::Opened { subprotocol: None }).await;
    let mut running: JoinSet<Failure> = JoinSet::new();
    let mut publishing: JoinSet<Result<(), Failure>> = JoinSet::new();
    let mut by_id: HashMap<String, AbortHandle> = HashMap::new();
    let mut parts = Parts::default();
    loop {
        let frame = tokio::select! {
            frame = outgoing.recv() => frame,
            Some(ended) = running.join_next() => match ended {
                Ok(failure) => return failure,
                // Our own fault ends the link.
                Err(e) if e.is_panic() => resume_unwind(e.into_panic()),
                // Unsubscribed.
                Err(_) => continue,
            },
            Some(ended) = publishing.join_next() => match ended {
                Ok(Err(failure)) => return failure,
                Err(e) if e.is_panic() => resume_unwind(e.into_panic()),
                _ => continue,
            },
        };
        let Some(frame) = frame else {
            return network("the client is gone");
        };
        let Outgoing::Text(text) = frame else {
            continue;
        };
        match frame::parse_client(&text) {
            Ok(ClientFrame::Hello(_)) => session.tell(welcome()).await,
            Ok(ClientFrame::Subscribe(mut asked)) => {
                parts.positions.append(&mut asked.positions);
                parts.frames.push(text);
                if asked.more {
                    continue;
                }
                let session = session.clone();
                let parts = std::mem::take(&mut parts);
                let id = asked.id.get().to_owned();
                let task = running.spawn(async move {
                    match session.serve(mode, asked, parts).await {
                        Ok(()) => network("the server ended the event stream"),
                        Err(failure) => failure,
                    }
                });
                if let Some(old) = by_id.insert(id, task) {
                    old.abort();
                }
            }
            Ok(ClientFrame::Unsubscribe(gone)) => {
                if let Some(task) = by_id.remove(gone.id.get()) {
                    task.abort();
                }
                session.tell(ServerFrame::Unsubscribed(gone)).await;
            }
            Ok(ClientFrame::Publish(_)) => {
                let session = session.clone();
                publishing.spawn(async move { session.publish(text).await });
            }
            _ => {}
        }
    }
}

fn welcome() -> ServerFrame {
    ServerFrame::Welcome(Welcome {
        server: String::new(),
        session: String::new(),
        heartbeat_ms: HEARTBEAT_MS,
        max_frame_bytes: 1 << 20,
    })
}

/// The parts of a `subscribe` (`more`).
#[derive(Debug, Default)]
struct Parts {
    /// As they would go over a WebSocket.
    frames: Vec<String>,
    /// The places in all of them.
    positions: BTreeMap<StreamId, Position>,
}

#[derive(Debug, Clone)]
struct Session {
    dial: Dial,
    client: reqwest::Client,
    reports: Reports,
}

/// The answer of `/v1/poll`.
#[derive(Deserialize)]
struct Polled {
    subscribed: Option<Subscribed>,
    events: Vec<Body>,
    next: Option<Position>,
    #[serde(default)]
    caught_up: bool,
}

/// The answer of `/v1/streams`.
#[derive(Deserialize)]
struct Listed {
    streams: Vec<Row>,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct Row {
    stream: StreamId,
    epoch: Epoch,
    next_offset: Offset,
}

impl Session {
    /// Makes sure that the server is there and takes the token.
    async fn open(dial: Dial, reports: Reports) -> Result<Self, Failure> {
        let client = request::client(&dial, &address(&dial, "")?).await?;
        let session = Self {
            dial,
            client,
            reports,
        };
        let _: Listed = session.ask("/streams", &[("limit", "1".into())]).await?;
        Ok(session)
    }

    async fn tell(&self, frame: ServerFrame) {
        self.tell_text(frame.to_text()).await;
    }

    async fn tell_text(&self, text: String) {
        let message = Message::Text(text);
        self.reports.tell(Report::Message(message)).await;
    }

    async fn serve(&self, mode: Mode, asked: Subscribe, parts: Parts) -> Result<(), Failure> {
        match (mode, Pattern::of(&asked.stream)) {
            (Mode::Events, _) => self.events(&asked, parts).await,
            (Mode::Poll, Pattern::Exact(stream)) => {
                self.poll_one(&asked.id, &stream, asked.from).await
            }
            (Mode::Poll, Pattern::Prefix(prefix)) => {
                self.poll_many(&asked, &prefix, parts.positions).await
            }
        }
    }

    async fn events(&self, asked: &Subscribe, parts: Parts) -> Result<(), Failure> {
        let mut events = self.subscribe(asked, parts).await?;
        self.reports.tell(Report::Ready).await;
        while let Some(event) = events.next().await {
            let Event { kind, data, .. } = match event? {
                Block::Event(event) => event,
                // A hub's places stand in its frames.
                Block::Place(_) | Block::Comment => continue,
                Block::TooLong { bytes, size, .. } => {
                    let bytes = data_of(&bytes);
                    let text = String::from_utf8_lossy(&bytes);
                    let message = Message::TooLong {
                        id: None,
                        place: event_place(&text),
                        size,
                        limit: self.dial.max_frame_bytes,
                        bytes,
                    };
                    self.reports.tell(Report::Message(message)).await;
                    continue;
                }
                Block::Garbled { id, bytes } => {
                    let message = Message::Garbled { id, bytes };
                    self.reports.tell(Report::Message(message)).await;
                    continue;
                }
            };
            match kind.as_str() {
                "welcome" | "ping" => {}
                // The bulk; it carries no id of a subscription.
                "event" | "gap" => self.tell_text(data).await,
                _ => self.tell_text(with_id(data, &asked.id)).await,
            }
        }
        Ok(())
    }

    /// Many places fit into no query: they are the body. A server that takes none sends everything from the beginning, and
    /// what is stored is dropped.
    async fn subscribe(&self, asked: &Subscribe, parts: Parts) -> Result<sse::Events, Failure> {
        let mut url = address(&self.dial, "/sse")?;
        if !parts.positions.is_empty() {
            let frames = parts.frames.join("\n");
            let posted = request::post(&self.dial, &self.client, url.clone(), frames);
            if let Some(events) = sse::post(&self.dial, posted, &self.reports).await? {
                return Ok(events);
            }
        }
        url.query_pairs_mut().append_pair("stream", &asked.stream);
        if let Some(from) = asked.from {
            url.query_pairs_mut().append_pair("from", &place(from));
        }
        sse::open(&self.dial, &self.client, url, None, &self.reports).await
    }

    /// One stream: the server holds each request until there is something.
    async fn poll_one(
        &self,
        id: &Echo,
        stream: &StreamId,
        mut from: Option<Position>,
    ) -> Result<(), Failure> {
        let mut told = None;
        // The first answer is to say at once that there is one.
        let mut wait_ms = 0;
        loop {
            let polled = self.poll(stream, from, wait_ms).await?;
            if std::mem::replace(&mut wait_ms, POLL_WAIT_MS) == 0 {
                self.reports.tell(Report::Ready).await;
            }
            from = self.pass(id, stream, polled, from, &mut told).await;
        }
    }

    /// Many streams: their list shows which of them grew.
    async fn poll_many(
        &self,
        asked: &Subscribe,
        prefix: &str,
        mut have: BTreeMap<StreamId, Position>,
    ) -> Result<(), Failure> {
        let mut told: BTreeMap<StreamId, Option<Epoch>> = BTreeMap::new();
        let pattern = StreamId(asked.stream.clone());
        self.tell(subscribed(asked.id.clone(), pattern.clone()))
            .await;
        let (mut first, mut ready) = (true, false);
        loop {
            let mut after: Option<StreamId> = None;
            loop {
                let listed = self.list(prefix, after.as_ref()).await?;
                after = listed.streams.last().map(|row| row.stream.clone());
                for row in listed.streams {
                    let head = Position {
                        epoch: row.epoch,
                        offset: row.next_offset,
                    };
                    let told = told.entry(row.stream.clone()).or_default();
                    // Also if the server stands before us: its answer says what it lost.
                    while have.get(&row.stream) != Some(&head) {
                        let from = have.get(&row.stream).copied();
                        let polled = self.poll(&row.stream, from, 0).await?;
                        if !std::mem::replace(&mut ready, true) {
                            self.reports.tell(Report::Ready).await;
                        }
                        let next = self.pass(&asked.id, &row.stream, polled, from, told).await;
                        let Some(next) = next.filter(|next| Some(*next) != from) else {
                            break;
                        };
                        have.insert(row.stream.clone(), next);
                        // What came since the list was read waits for the next, or a busy stream would be all there is.
                        if next >= head {
                            break;
                        }
                    }
                }
                if !listed.more || after.is_none() {
                    break;
                }
            }
            if std::mem::take(&mut first) {
                if !std::mem::replace(&mut ready, true) {
                    self.reports.tell(Report::Ready).await;
                }
                self.tell(caught_up(asked.id.clone(), pattern.clone(), None))
                    .await;
            }
            sleep(self.dial.poll_every).await;
        }
    }

    /// Tells what a poll brought as a WebSocket would have; the next place to ask from.
    async fn pass(
        &self,
        id: &Echo,
        stream: &StreamId,
        polled: Polled,
        from: Option<Position>,
        told: &mut Option<Epoch>,
    ) -> Option<Position> {
        if let Some(mut subscribed) = polled.subscribed {
            // Each poll is a subscription of its own; only what it says anew is told.
            if *told != Some(subscribed.epoch) || !subscribed.recovered {
                *told = Some(subscribed.epoch);
                subscribed.id = id.clone();
                self.tell(ServerFrame::Subscribed(subscribed)).await;
            }
        }
        let brought = !polled.events.is_empty();
        let limit = self.dial.max_frame_bytes;
        for event in polled.events {
            match event.get() {
                long if long.len() > limit => {
                    let message = too_long(long, limit);
                    self.reports.tell(Report::Message(message)).await;
                }
                text => self.tell_text(text.to_owned()).await,
            }
        }
        let next = polled.next.or(from);
        if polled.caught_up && (brought || from.is_none()) {
            self.tell(caught_up(id.clone(), stream.clone(), next)).await;
        }
        next
    }

    async fn poll(
        &self,
        stream: &StreamId,
        from: Option<Position>,
        wait_ms: u64,
    ) -> Result<Polled, Failure> {
        let mut query = vec![
            ("stream", stream.0.clone()),
            ("wait_ms", wait_ms.to_string()),
            ("max", POLL_EVENTS.to_string()),
        ];
        query.extend(from.map(|from| ("from", place(from))));
        self.ask("/poll", &query).await
    }

    async fn list(&self, prefix: &str, after: Option<&StreamId>) -> Result<Listed, Failure> {
        let mut query = vec![
            ("prefix", prefix.to_owned()),
            ("limit", LIST_MAX.to_string()),
        ];
        query.extend(after.map(|after| ("after", after.0.clone())));
        self.ask("/streams", &query).await
    }

    /// Publishes by a request; the answer is the frame that a WebSocket would bring.
    async fn publish(&self, frame: String) -> Result<(), Failure> {
        let url = address(&self.dial, "/publish")?;
        let request = request::post(&self.dial, &self.client, url, frame);
        let mut response = request.send().await.map_err(words::broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(words::broken)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES_MAX {
                break;
            }
        }
        let answer = String::from_utf8(bytes).unwrap_or_default();
        match frame::parse_server(&answer) {
            Ok(ServerFrame::Accepted(_) | ServerFrame::Refused(_)) => {
                self.tell_text(answer).await;
                Ok(())
            }
            // A refusal without its key: what became of the entry is told by sending it again.
            _ => Err(status_failure(status, &headers)),
        }
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        tail: &str,
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        let mut url = address(&self.dial, tail)?;
        url.query_pairs_mut().extend_pairs(query);
        let request = request::get(&self.dial, &self.client, url);
        let response = request.send().await.map_err(words::broken)?;
        let status = response.status();
        if status.as_u16() != 200 {
            return Err(status_failure(status, response.headers()));
        }
        self.reports.hint(Report::Alive);
        let limit = MESSAGE_BYTES_MAX.max(request::body_bytes_max(&self.dial));
        let bytes = request::body(response, limit).await?;
        serde_json::from_slice(&bytes)
            .map_err(|e| protocol(format!("the server's answer to {tail} cannot be read: {e}")))
    }
}

fn address(dial: &Dial, tail: &str) -> Result<Url, Failure> {
    let url = dial.endpoint.hub_http(tail);
    url.ok_or_else(|| protocol("this address has no path for requests"))
}

fn place(position: Position) -> String {
    format!("{}.{}", position.epoch.0, position.offset.0)
}

fn subscribed(id: Echo, stream: StreamId) -> ServerFrame {
    ServerFrame::Subscribed(Subscribed {
        id,
        stream,
        epoch: Epoch(0),
        next_offset: Offset(0),
        recovered: true,
        gap: None,
    })
}

fn caught_up(id: Echo, stream: StreamId, at: Option<Position>) -> ServerFrame {
    ServerFrame::CaughtUp(CaughtUp {
        id,
        stream: Some(stream),
        epoch: at.map(|at| at.epoch),
        offset: at.map_or(Offset(0), |at| at.offset),
    })
}

/// The server's own id of the subscription becomes ours.
fn with_id(text: String, id: &Echo) -> String {
    let frame = match frame::parse_server(&text) {
        Ok(ServerFrame::Subscribed(told)) => ServerFrame::Subscribed(Subscribed {
            id: id.clone(),
            ..told
        }),
        Ok(ServerFrame::CaughtUp(told)) => ServerFrame::CaughtUp(CaughtUp {
            id: id.clone(),
            ..told
        }),
        Ok(ServerFrame::Error(mut told)) => {
            told.id = told.id.map(|_| id.clone());
            ServerFrame::Error(told)
        }
        _ => return text,
    };
    frame.to_text()
}
