//! Event streams over HTTP; [`event_stream`](super::event_stream) reads what they say.

use super::{
    Dial, Message, Report, Reports,
    event_stream::{Block, Event, Parser},
    network, poll, protocol, request, status_failure, words,
};
use crate::Kind;
use ghostlight_sync::connection::Failure;
use reqwest::{
    RequestBuilder,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use std::{collections::VecDeque, future};
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
    let look = async {
        if dial.looks {
            poll::look(dial, &client, reports).await;
        }
        future::pending().await
    };
    tokio::select! {
        failure = follow(&mut events, dial, reports) => failure,
        failure = look => failure,
    }
}

/// Tells what comes; why nothing comes any more.
async fn follow(events: &mut Events, dial: &Dial, reports: &Reports) -> Failure {
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
            Some(Ok(Block::TooLong { id, bytes, size })) => {
                let message = Message::TooLong {
                    id,
                    place: None,
                    bytes,
                    size,
                    limit: dial.max_frame_bytes,
                };
                reports.tell(Report::Message(message)).await;
            }
            Some(Ok(Block::Comment)) => reports.hint(Report::Beat),
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

/// The same by a request with a body; `None` if this server takes none here, so that it is asked without.
pub(super) async fn post(
    dial: &Dial,
    asked: RequestBuilder,
    reports: &Reports,
) -> Result<Option<Events>, Failure> {
    let response = stream_of(asked).send().await.map_err(words::broken)?;
    match response.status().as_u16() {
        200 => events(dial, response, reports).map(Some),
        // Who it is, how much it may ask, and whether the server works, is the same without a body.
        401 | 403 | 429 | 500 | 502.. => Err(status_failure(response.status(), response.headers())),
        _ => Ok(None),
    }
}

/// A request for an event stream.
fn stream_of(asked: RequestBuilder) -> RequestBuilder {
    asked
        .header(ACCEPT, ACCEPTED)
        .header(CACHE_CONTROL, "no-store")
}

/// The answer to a request for an event stream, whatever its type.
async fn answer(
    dial: &Dial,
    client: &reqwest::Client,
    url: Url,
    last_event_id: Option<&str>,
) -> Result<reqwest::Response, Failure> {
    let mut asked = stream_of(request::get(dial, client, url));
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
        reports: reports.clone(),
    })
}

/// The events of an answer.
pub(super) struct Events {
    response: reqwest::Response,
    parser: Parser,
    /// Read and not taken yet: what one chunk of the answer held.
    ready: VecDeque<Block>,
    reports: Reports,
}

impl Events {
    /// The next one, or why there are no more; `None` at the end of the answer.
    pub async fn next(&mut self) -> Option<Result<Block, Failure>> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Some(Ok(block));
            }
            let chunk = match self.response.chunk().await {
                Ok(chunk) => chunk?,
                Err(error) => return Some(Err(words::broken(error))),
            };
            self.reports.hint(Report::Alive);
            let ready = &mut self.ready;
            self.parser.read(&chunk, |block| ready.push_back(block));
        }
    }
}
