//! Event streams over HTTP; [`event_stream`](super::event_stream) reads what they say.

use super::{
    Dial, Message, Report, Reports,
    event_stream::{Block, Event, Parser, TooLong},
    network, protocol, request, status_failure, words,
};
use crate::Kind;
use ghostlight_sync::connection::Failure;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use std::collections::VecDeque;
use url::Url;

/// The type of an event stream.
const EVENT_STREAM: &str = "text/event-stream";
/// What is asked for: a system without an event stream may answer with JSON, and is polled then.
const ACCEPTED: &str = "text/event-stream, application/json;q=0.5";

/// Runs a foreign event stream until it ends; the answer says why.
pub(super) async fn run(dial: &Dial, reports: &Reports) -> Failure {
    let Some(url) = dial.endpoint.http() else {
        return protocol("this address has no path for requests");
    };
    let client = match request::client(dial, &url).await {
        Ok(client) => client,
        Err(failure) => return failure,
    };
    let last = dial.last_event_id.as_deref();
    let response = match answer(dial, &client, url, last).await {
        Ok(response) => response,
        Err(failure) => return failure,
    };
    if dial.kind != Some(Kind::Sse) && request::is_json(&response) {
        reports.tell(Report::Json).await;
        return protocol(format!("the server has JSON and no {EVENT_STREAM}"));
    }
    let mut events = match events(dial, response, reports) {
        Ok(events) => events,
        Err(failure) => return failure,
    };
    reports.tell(Report::Opened { subprotocol: None }).await;
    loop {
        match events.next().await {
            Some(Ok(Block::Event(Event { kind, id, data }))) => {
                let message = Message::Event { kind, id, data };
                reports.tell(Report::Message(message)).await;
            }
            Some(Ok(Block::Place(id))) => {
                reports.tell(Report::Message(Message::Place(id))).await;
            }
            Some(Ok(Block::Garbled { id, bytes })) => {
                reports
                    .tell(Report::Message(Message::Garbled { id, bytes }))
                    .await;
            }
            Some(Err(failure)) => return failure,
            None => return network("the server ended the event stream"),
        }
    }
}

/// Opens an event stream.
pub(super) async fn open(
    dial: &Dial,
    client: &reqwest::Client,
    url: Url,
    last_event_id: Option<&str>,
    reports: &Reports,
) -> Result<Events, Failure> {
    let response = answer(dial, client, url, last_event_id).await?;
    events(dial, response, reports)
}

/// The answer to a request for an event stream, whatever its type.
async fn answer(
    dial: &Dial,
    client: &reqwest::Client,
    url: Url,
    last_event_id: Option<&str>,
) -> Result<reqwest::Response, Failure> {
    let mut asked = request::get(dial, client, url)
        .header(ACCEPT, ACCEPTED)
        .header(CACHE_CONTROL, "no-store");
    // The header is UTF-8 by the standard; an id that no header can hold is not resumed from.
    if let Some(id) = last_event_id.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok()) {
        asked = asked.header("Last-Event-ID", id);
    }
    let response = asked.send().await.map_err(words::broken)?;
    let status = response.status();
    if status.as_u16() != 200 {
        return Err(status_failure(status, response.headers()));
    }
    Ok(response)
}

/// The events of an answer, as they come.
fn events(dial: &Dial, response: reqwest::Response, reports: &Reports) -> Result<Events, Failure> {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("no type");
    if !kind.to_ascii_lowercase().starts_with(EVENT_STREAM) {
        return Err(protocol(format!(
            "the server answers with {kind}, which is no event stream ({EVENT_STREAM}); check the path of the address"
        )));
    }
    Ok(Events {
        response,
        parser: Parser::new(dial.max_frame_bytes),
        ready: VecDeque::new(),
        over: None,
        reports: reports.clone(),
    })
}

/// The events of an answer.
pub(super) struct Events {
    response: reqwest::Response,
    parser: Parser,
    /// Read and not taken yet: what one chunk of the answer held.
    ready: VecDeque<Block>,
    /// Why there are no more behind those.
    over: Option<Failure>,
    reports: Reports,
}

impl Events {
    /// The next one, or why there are no more; `None` at the end of the answer.
    pub async fn next(&mut self) -> Option<Result<Block, Failure>> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Some(Ok(block));
            }
            if let Some(failure) = self.over.take() {
                return Some(Err(failure));
            }
            let chunk = match self.response.chunk().await {
                Ok(chunk) => chunk?,
                Err(error) => return Some(Err(words::broken(error))),
            };
            self.reports.hint(Report::Alive);
            let ready = &mut self.ready;
            let read = self.parser.read(&chunk, |block| ready.push_back(block));
            // What was complete before it is told first.
            self.over = read.err().map(|TooLong(limit)| {
                protocol(format!(
                    "the server sent an event of more than {limit} bytes, which is the limit; nothing behind it can be \
                     received until the limit is raised"
                ))
            });
        }
    }
}
