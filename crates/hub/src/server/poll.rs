//! Long poll, `GET /v1/poll`: the next events of one stream, or the first that comes within the wait.

use super::{
    Shared,
    answers::{LOG_WAIT, answer, bad_request, json},
    asked::subscription,
    door::Admitted,
    driver::Driver,
};
use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use ghostlight_model::Offset;
use ghostlight_sync::{
    frame::{self, ClientFrame, Position, ServerFrame, Subscribed},
    names::Pattern,
    session::Limits,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::Instant;

/// How long a poll waits by default, in milliseconds: below the 30 s after which proxies give up.
const POLL_WAIT_MS: u64 = 25_000;
/// The longest wait that is taken, in milliseconds.
const POLL_WAIT_MS_MAX: u64 = 60_000;
/// Events in the answer of a poll by default.
const POLL_EVENTS: usize = 500;
/// The most that are taken.
const POLL_EVENTS_MAX: usize = 5_000;
/// Bytes of frames in the answer of a poll: what does not fit is in the next one. One event alone may be longer.
const POLL_BYTES_MAX: usize = 1 << 20;
/// The longest such event. Clients read 16 MiB (`docs/PROTOCOL.md`), and around it stands a little more. In place of a
/// longer one stands a gap that says so: an answer that nobody reads would be asked for again for ever.
const POLL_EVENT_BYTES_MAX: usize = (16 << 20) - (64 << 10);

#[derive(Deserialize)]
pub(super) struct PollQuery {
    stream: String,
    from: Option<String>,
    wait_ms: Option<u64>,
    max: Option<usize>,
}

/// The answer of a poll.
#[derive(Serialize)]
struct Polled {
    /// The frame.
    subscribed: Option<Box<RawValue>>,
    /// `event` and `gap` frames, in order.
    events: Vec<Box<RawValue>>,
    /// Absent while there is no such stream.
    next: Option<Position>,
    caught_up: bool,
}

pub(super) async fn get(
    State(app): Shared,
    Extension(Admitted(ticket)): Extension<Admitted>,
    query: Result<Query<PollQuery>, QueryRejection>,
) -> Response {
    let query = match query {
        Ok(Query(query)) => query,
        Err(problem) => return bad_request(&problem.body_text()),
    };
    let subscribe = match subscription(&query.stream, query.from.as_deref(), None) {
        Ok(subscribe) => subscribe,
        Err(response) => return *response,
    };
    if let Pattern::Prefix(_) = Pattern::of(&query.stream) {
        return bad_request(
            "a poll takes one stream; /v1/streams lists them with their next offsets",
        );
    }
    let max = query.max.unwrap_or(POLL_EVENTS).clamp(1, POLL_EVENTS_MAX);
    let wait = query.wait_ms.unwrap_or(POLL_WAIT_MS).min(POLL_WAIT_MS_MAX);
    let limits = app.config.limits;
    let limits = Limits {
        page_events: limits.page_events.min(max),
        ..limits
    };
    let mut driver = Driver::greeted(&app, limits, ticket);
    let asked = subscribe.from;
    driver.frame(&ClientFrame::Subscribe(subscribe));
    match collect(&mut driver, asked, max, Duration::from_millis(wait)).await {
        Ok(polled) => answer(StatusCode::OK, json(&polled)),
        Err(text) => answer(StatusCode::SERVICE_UNAVAILABLE, text),
    }
}

/// Collects what is there; where nothing is, waits for the first that comes. `Err` is an `error` frame.
async fn collect(
    driver: &mut Driver,
    asked: Option<Position>,
    max: usize,
    wait: Duration,
) -> Result<Polled, String> {
    let begun = Instant::now();
    let mut polled = Polled {
        subscribed: None,
        events: Vec::new(),
        next: None,
        caught_up: false,
    };
    let mut bytes = 0;
    let mut news = false;
    let mut head = None;
    while polled.events.len() < max {
        let until = match (polled.caught_up, news) {
            (false, _) => begun + LOG_WAIT,
            (true, false) => begun + wait,
            (true, true) => Instant::now(),
        };
        let Some(mut frame) = driver.next(until).await else {
            break;
        };
        let parsed = frame::parse_server(&frame.text);
        if let Ok(ServerFrame::Event(event)) = &parsed
            && frame.text.len() > POLL_EVENT_BYTES_MAX
        {
            frame.text = too_long(event, frame.text.len()).to_text();
        }
        let fits = bytes + frame.text.len() <= POLL_BYTES_MAX || polled.events.is_empty();
        match parsed {
            // The next poll begins with it.
            Ok(ServerFrame::Event(_) | ServerFrame::Gap(_)) if !fits => break,
            Ok(ServerFrame::Event(event)) => {
                polled.next = Some(Position {
                    epoch: event.epoch,
                    offset: Offset(event.offset.0 + 1),
                });
            }
            Ok(ServerFrame::Gap(gap)) => {
                polled.next = Some(Position {
                    epoch: gap.epoch,
                    offset: Offset(gap.to.0 + 1),
                });
            }
            // A new epoch behind events of the old one: the next poll finds it.
            Ok(ServerFrame::Subscribed(_)) if !polled.events.is_empty() => break,
            Ok(ServerFrame::Subscribed(told)) => {
                news |= told.epoch.0 > 0 && !told.recovered;
                polled.next = first_wanted(&told, asked);
                polled.subscribed = RawValue::from_string(frame.text).ok();
                head = Some(told.next_offset);
                polled.caught_up = false;
                continue;
            }
            Ok(ServerFrame::CaughtUp(_)) => {
                polled.caught_up = true;
                continue;
            }
            Ok(ServerFrame::Error(trouble)) if trouble.fatal => return Err(frame.text),
            _ => continue,
        }
        news = true;
        bytes += frame.text.len();
        if let Ok(raw) = RawValue::from_string(frame.text) {
            polled.events.push(raw);
        }
    }
    // The last event may have been the last there is, or came after the replay.
    polled.caught_up |= polled
        .next
        .zip(head)
        .is_some_and(|(next, head)| next.offset >= head);
    Ok(polled)
}

/// What stands in place of an event that is too long for any answer.
fn too_long(event: &frame::Event, size: usize) -> ServerFrame {
    ServerFrame::Gap(frame::Gap {
        stream: event.stream.clone(),
        epoch: event.epoch,
        from: event.offset,
        to: event.offset,
        reason: format!(
            "the event has {size} bytes, and the answer of a poll has room for {POLL_EVENT_BYTES_MAX}; over server-sent \
             events it can be had"
        ),
    })
}

/// Where the replay after `subscribed` begins.
fn first_wanted(told: &Subscribed, asked: Option<Position>) -> Option<Position> {
    let same = asked.filter(|asked| asked.epoch == told.epoch);
    let begin = same.map_or(Offset(0), |asked| asked.offset.min(told.next_offset));
    let offset = told.gap.map_or(begin, |gap| Offset(gap.to.0 + 1));
    (told.epoch.0 > 0).then_some(Position {
        epoch: told.epoch,
        offset,
    })
}
