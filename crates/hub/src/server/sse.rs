//! Event streams (SSE): `GET /v1/sse` for one subscription as its query names it, `POST /v1/sse` for one whose frames are
//! the body, so that many streams can be resumed.

use super::{
    Shared,
    answers::{BODY_WAIT, bad_request, error, late_body},
    asked::subscription,
    door::Admitted,
    driver::{Driver, Outgoing},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use ghostlight_sync::{
    frame::{self, ClientFrame, Echo, Position, ServerFrame, Subscribe, code},
    names::Pattern,
};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A comment line after so much silence, so that proxies and the client know the connection lives.
const COMMENT: Duration = Duration::from_secs(15);
/// What the client is told to wait before it connects again, in milliseconds.
const RETRY_MS: u64 = 2_000;
/// Bytes of all frames in a body together: places of as many streams as a session follows. Beyond, it is answered by
/// 413. One line of it at a time is held.
const BODY_BYTES_MAX: usize = 32 << 20;

#[derive(Deserialize)]
pub(super) struct SseQuery {
    stream: String,
    from: Option<String>,
}

pub(super) async fn get(
    State(app): Shared,
    Extension(Admitted(ticket)): Extension<Admitted>,
    headers: HeaderMap,
    query: Result<Query<SseQuery>, QueryRejection>,
) -> Response {
    let query = match query {
        Ok(Query(query)) => query,
        Err(problem) => return bad_request(&problem.body_text()),
    };
    let subscribe = match subscription(
        &query.stream,
        query.from.as_deref(),
        last_event_id(&headers),
    ) {
        Ok(subscribe) => subscribe,
        Err(response) => return *response,
    };
    let mut driver = Driver::greeted(&app, app.config.limits, ticket);
    driver.frame(&ClientFrame::Subscribe(subscribe));
    events(driver, &query.stream)
}

/// The frames of a `subscribe` as a WebSocket would bring them, one a line.
pub(super) async fn post(
    State(app): Shared,
    Extension(Admitted(ticket)): Extension<Admitted>,
    request: Request,
) -> Response {
    let max = app.config.limits.max_frame_bytes;
    let mut driver = Driver::greeted(&app, app.config.limits, ticket);
    match timeout(BODY_WAIT, subscribe(&mut driver, request, max)).await {
        Ok(Ok(stream)) => events(driver, &stream),
        Ok(Err(response)) => *response,
        Err(_) => late_body(),
    }
}

/// Hands the frames of a body to the session; the stream or pattern that they ask for.
async fn subscribe(
    driver: &mut Driver,
    request: Request,
    max: usize,
) -> Result<String, Box<Response>> {
    let mut parts = Parts::default();
    let (mut body, mut line, mut size) = (request.into_body().into_data_stream(), Vec::new(), 0);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| Box::new(bad_request(&e.to_string())))?;
        size += piece.len();
        for (number, part) in piece.split(|byte| *byte == b'\n').enumerate() {
            if number > 0 {
                parts.take(driver, &line)?;
                line.clear();
            }
            line.extend_from_slice(part);
            if line.len() > max || size > BODY_BYTES_MAX {
                let text = format!(
                    "a frame has at most {max} bytes, and all of them together {BODY_BYTES_MAX}"
                );
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                return Err(Box::new(error(status, code::TOO_LARGE, &text)));
            }
        }
    }
    parts.take(driver, &line)?;
    parts.whole()
}

/// The parts of one `subscribe`.
#[derive(Default)]
struct Parts {
    /// Its id, and its stream or pattern, from the first part on.
    of: Option<(Echo, String)>,
    /// The last one came.
    complete: bool,
}

impl Parts {
    fn take(&mut self, driver: &mut Driver, line: &[u8]) -> Result<(), Box<Response>> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let asked = read(line).map_err(|problem| {
            let text = format!("the body is no `subscribe` frame: {problem}");
            Box::new(error(StatusCode::BAD_REQUEST, code::MALFORMED, &text))
        })?;
        if let Err(problem) = Pattern::checked(&asked.stream) {
            let text = problem.to_string();
            return Err(Box::new(error(
                StatusCode::BAD_REQUEST,
                code::BAD_STREAM,
                &text,
            )));
        }
        let of = (asked.id.clone(), asked.stream.clone());
        if self.complete || *self.of.get_or_insert_with(|| of.clone()) != of {
            let text = "all frames of a body are parts of one `subscribe`; all but the last have \"more\": true";
            return Err(Box::new(bad_request(text)));
        }
        self.complete = !asked.more;
        driver.frame(&ClientFrame::Subscribe(asked));
        Ok(())
    }

    fn whole(self) -> Result<String, Box<Response>> {
        let of = self.of.filter(|_| self.complete);
        of.map(|(_, stream)| stream).ok_or_else(|| {
            Box::new(bad_request(
                "the body ends before the last part of its `subscribe`",
            ))
        })
    }
}

fn read(line: &[u8]) -> Result<Subscribe, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    match frame::parse_client(text) {
        Ok(ClientFrame::Subscribe(asked)) => Ok(asked),
        Ok(_) => Err("its type is another".to_owned()),
        Err(problem) => Err(problem.to_string()),
    }
}

/// What a session that has subscribed says, as it comes.
fn events(driver: Driver, stream: &str) -> Response {
    // Ids name a place in one stream; of several, none would say enough.
    let with_ids = matches!(Pattern::of(stream), Pattern::Exact(_));
    let begin = Bytes::from(format!("retry: {RETRY_MS}\n\n"));
    let lines = stream::unfold(
        (driver, Some(begin)),
        move |(mut driver, begin)| async move {
            if let Some(begin) = begin {
                return Some((Ok::<_, std::convert::Infallible>(begin), (driver, None)));
            }
            let bytes = match driver.next(Instant::now() + COMMENT).await {
                Some(frame) => sse_event(&frame, with_ids).into(),
                None if driver.closing.is_some() => return None,
                None => Bytes::from_static(b": still here\n\n"),
            };
            Some((Ok(bytes), (driver, None)))
        },
    );
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(lines)).into_response()
}

/// One event of SSE. The id is the last place that the frame settles, so that a resume begins behind it.
fn sse_event(frame: &Outgoing, with_id: bool) -> String {
    let mut text = String::with_capacity(frame.text.len() + 64);
    if let Some(place) = settled(frame).filter(|_| with_id) {
        text += &format!("id: {}.{}\n", place.epoch.0, place.offset.0);
    }
    text += &format!("event: {}\n", frame.kind);
    // A body may have line ends between its tokens.
    for line in frame.text.split(['\n', '\r']) {
        text += "data: ";
        text += line;
        text.push('\n');
    }
    text.push('\n');
    text
}

fn settled(frame: &Outgoing) -> Option<Position> {
    if frame.event.is_some() || !matches!(frame.kind, "gap" | "subscribed") {
        return frame.event;
    }
    match frame::parse_server(&frame.text) {
        Ok(ServerFrame::Gap(gap)) => Some(Position {
            epoch: gap.epoch,
            offset: gap.to,
        }),
        Ok(ServerFrame::Subscribed(told)) => told.gap.map(|gap| Position {
            epoch: told.epoch,
            offset: gap.to,
        }),
        _ => None,
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sse_event_names_the_place_it_settles() {
        let frame = |text: &str, kind, event| Outgoing {
            text: text.into(),
            kind,
            event,
            counted: true,
        };
        let gap = r#"{"type":"gap","stream":"run/1","epoch":5,"from":1,"to":3,"reason":"r"}"#;
        let joined = r#"{"type":"subscribed","id":1,"stream":"run/1","epoch":5,"next_offset":9,"recovered":true}"#;
        for (frame, with_id, expected) in [
            (
                frame("{}", "event", Some(Position::new(5, 7))),
                true,
                "id: 5.7\nevent: event\ndata: {}\n\n".into(),
            ),
            (
                frame("{}", "event", Some(Position::new(5, 7))),
                false,
                "event: event\ndata: {}\n\n".into(),
            ),
            (
                frame("{\n\"a\":\r1}", "event", None),
                true,
                "event: event\ndata: {\ndata: \"a\":\ndata: 1}\n\n".into(),
            ),
            (
                frame(gap, "gap", None),
                true,
                format!("id: 5.3\nevent: gap\ndata: {gap}\n\n"),
            ),
            (
                frame(joined, "subscribed", None),
                true,
                format!("event: subscribed\ndata: {joined}\n\n"),
            ),
        ] {
            assert_eq!(sse_event(&frame, with_id), expected);
        }
    }
}
