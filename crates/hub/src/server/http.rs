//! The routes: who may come in, and what each of them answers.

use super::{
    App,
    accept::Link,
    driver::Driver,
    principal::{Over, Ticket, Who},
    socket, sse,
};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ghostlight_model::{Offset, StreamId};
use ghostlight_sync::{
    frame::{
        self, ClientFrame, Echo, Position, Publish, ServerFrame, Subscribe, Subscribed, Trouble,
        code,
    },
    names::{self, Pattern},
    session::Limits,
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

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
/// Time for a poll to read what is there already, and for a publish to reach the disk.
const LOG_WAIT: Duration = Duration::from_secs(30);
/// Names in one answer of the list of streams.
const NAMES_MAX: usize = 1_000;
/// How long a body may take to arrive.
pub(super) const BODY_WAIT: Duration = Duration::from_secs(30);
/// How long a browser remembers what pages of an allowed site may ask, in seconds.
const PREFLIGHT_S: &str = "600";
/// When to come again if there are too many connections, in seconds.
const FULL_RETRY_S: &str = "5";

/// The error codes that only HTTP has.
mod http_code {
    pub const FORBIDDEN_ORIGIN: &str = "forbidden_origin";
    pub const NOT_FOUND: &str = "not_found";
    pub const BAD_REQUEST: &str = "bad_request";
}

pub(super) type Shared = State<Arc<App>>;

pub(super) fn router(app: Arc<App>) -> Router {
    let limit = DefaultBodyLimit::max(app.config.limits.max_frame_bytes);
    Router::new()
        .route("/v1", get(web_socket))
        .route("/v1/sse", get(sse::get).post(sse::post))
        .route("/v1/poll", get(poll))
        .route("/v1/streams", get(streams))
        .route("/v1/publish", post(publish))
        .route("/health/ready", get(ready))
        .route(
            "/health/live",
            get(async || answer(StatusCode::OK, r#"{"status":"live"}"#.into())),
        )
        .fallback(async || {
            error(
                StatusCode::NOT_FOUND,
                http_code::NOT_FOUND,
                "no such address",
            )
        })
        .method_not_allowed_fallback(async || {
            let text = "this address takes another method";
            error(StatusCode::METHOD_NOT_ALLOWED, http_code::BAD_REQUEST, text)
        })
        .layer(limit)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), admit))
        .with_state(app)
}

/// Whose request it is, by the token in its header. Held as long as its connection or its answer lasts.
#[derive(Clone)]
pub(super) struct Admitted(pub(super) Arc<Ticket>);

/// The door, and behind it: an answer to a page of an allowed site says that the page may read it (Fetch Standard, CORS
/// protocol).
async fn admit(State(app): Shared, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN);
    let origin = origin.filter(|_| is_own_origin(&app, request.headers()));
    let origin = origin.cloned();
    let mut response = door(&app, request, next).await;
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let exposed = HeaderValue::from_static("retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

/// Room, origin, token, quota.
async fn door(app: &App, request: Request, next: Next) -> Response {
    if request
        .extensions()
        .get::<Link>()
        .is_some_and(|link| link.full)
    {
        let text = format!(
            "{} connections are open, which is all this server takes",
            app.config.connections
        );
        let mut response = error(StatusCode::SERVICE_UNAVAILABLE, code::BUSY, &text);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static(FULL_RETRY_S));
        return response;
    }
    let path = request.uri().path();
    if path == "/health/live" {
        return next.run(request).await;
    }
    if !request.uri().query().is_none_or(is_text) {
        return bad_request("behind `%` stand two hexadecimal digits, and all of it is UTF-8");
    }
    if !is_own_origin(app, request.headers()) {
        let text = "pages of this site may not connect; --allow-origin names the sites that may";
        return error(StatusCode::FORBIDDEN, http_code::FORBIDDEN_ORIGIN, text);
    }
    match is_preflight(&request) {
        true => preflight(),
        false => admit_known(app, request, next).await,
    }
}

/// Whether a browser asks what a page of an allowed site may ask. It shows no token then.
fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, cache-control, content-type, last-event-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The door behind the origin's: token and quota.
async fn admit_known(app: &App, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let shown = bearer(request.headers());
    let known = match shown {
        Shown::Token(shown) => app.principals.recognise(shown),
        Shown::Nothing | Shown::Other => None,
    };
    let who = known.unwrap_or(Who::Strangers);
    // Also before a wrong token is looked at a second time: guessing has a pace.
    if let Err(over) = app.principals.request(who, app.now()) {
        return too_many(&over);
    }
    if known.is_none() && !(path == "/v1" && matches!(shown, Shown::Nothing)) {
        return unauthorized();
    }
    match app.principals.enter(who) {
        Ok(ticket) => {
            request.extensions_mut().insert(Admitted(Arc::new(ticket)));
            next.run(request).await
        }
        Err(over) => too_many(&over),
    }
}

/// Whether a query decodes without a loss; readers of forms replace what does not.
fn is_text(query: &str) -> bool {
    let (mut rest, mut bytes) = (query.as_bytes(), Vec::with_capacity(query.len()));
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match (first, behind) {
            (b'%', [high, low, ..]) => {
                let digits = [high, low].map(|one| char::from(*one).to_digit(16));
                let [Some(high), Some(low)] = digits else {
                    return false;
                };
                rest = &behind[2..];
                (high * 16 + low) as u8
            }
            (b'%', _) => return false,
            _ => first,
        });
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// A principal wants more than it may have.
fn too_many(over: &Over) -> Response {
    let mut response = error(StatusCode::TOO_MANY_REQUESTS, code::BUSY, &over.to_string());
    let seconds = HeaderValue::from(over.retry_s());
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

enum Shown<'a> {
    Nothing,
    Token(&'a str),
    Other,
}

/// The token of RFC 6750, section 2.1.
fn bearer(headers: &HeaderMap) -> Shown<'_> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return if headers.contains_key(header::AUTHORIZATION) {
            Shown::Other
        } else {
            Shown::Nothing
        };
    };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Shown::Token(token.trim())
        }
        _ => Shown::Other,
    }
}

fn unauthorized() -> Response {
    let text = "this needs `Authorization: Bearer` and the hub's token";
    let mut response = error(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED, text);
    let challenge = HeaderValue::from_static("Bearer realm=\"ghostlight\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Browsers name the site of the page in `Origin`; programs send none. Only our own address and those allowed may come.
fn is_own_origin(app: &App, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let port = app.address.port();
    let own = [format!("//{}", app.address), format!("//localhost:{port}")];
    let rest = origin
        .strip_prefix("http:")
        .or_else(|| origin.strip_prefix("https:"));
    rest.is_some_and(|rest| own.iter().any(|own| own == rest))
        || app.config.origins.iter().any(|allowed| allowed == origin)
}

async fn web_socket(State(app): Shared, mut request: Request) -> Response {
    let extensions = request.extensions();
    let (link, admitted) = (extensions.get::<Link>(), extensions.get::<Admitted>());
    let Some((link, Admitted(ticket))) = link.cloned().zip(admitted.cloned()) else {
        return error(
            StatusCode::INTERNAL_SERVER_ERROR,
            code::UNAVAILABLE,
            "no connection",
        );
    };
    let offered = offered_protocols(request.headers());
    if !offered.is_empty() && !offered.iter().any(|one| one == frame::SUBPROTOCOL) {
        let text = format!(
            "this server speaks {} and none of {}",
            frame::SUBPROTOCOL,
            offered.join(", ")
        );
        return error(StatusCode::BAD_REQUEST, code::VERSION, &text);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let mut response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(problem) => {
            let mut response = error(
                StatusCode::UPGRADE_REQUIRED,
                http_code::BAD_REQUEST,
                &problem.to_string(),
            );
            response
                .headers_mut()
                .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            return response;
        }
    };
    if !offered.is_empty() {
        let protocol = HeaderValue::from_static(frame::SUBPROTOCOL);
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    tokio::spawn(async move {
        match upgrade.await {
            Ok(stream) => socket::serve(TokioIo::new(stream), app, ticket, link.progress).await,
            Err(error) => tracing::debug!(%error, "a WebSocket was not opened"),
        }
    });
    response
}

fn offered_protocols(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let texts = all.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .map(|one| one.trim().to_owned())
        .collect()
}

/// A subscription as SSE and poll ask for it. `last` names the last event had, `from` the next one wanted.
pub(super) fn subscription(
    stream: &str,
    from: Option<&str>,
    last: Option<&str>,
) -> Result<Subscribe, Box<Response>> {
    if let Err(problem) = Pattern::checked(stream) {
        return Err(Box::new(error(
            StatusCode::BAD_REQUEST,
            code::BAD_STREAM,
            &problem.to_string(),
        )));
    }
    let read = |text: &str| {
        position(text).ok_or_else(|| {
            Box::new(bad_request(&format!(
                "{text:?} is no place; expected EPOCH.OFFSET, two whole numbers"
            )))
        })
    };
    let last = last.filter(|last| !last.is_empty());
    let from = match (last, from) {
        (Some(last), _) => {
            let had = read(last)?;
            Some(Position {
                offset: Offset(had.offset.0.saturating_add(1)),
                ..had
            })
        }
        (None, Some(from)) => Some(read(from)?),
        (None, None) => None,
    };
    Ok(Subscribe {
        id: Echo::number(1),
        stream: stream.to_owned(),
        from,
        positions: Default::default(),
        more: false,
    })
}

/// `EPOCH.OFFSET`
fn position(text: &str) -> Option<Position> {
    let (epoch, offset) = text.split_once('.')?;
    Some(Position::new(epoch.parse().ok()?, offset.parse().ok()?))
}

#[derive(Deserialize)]
struct PollQuery {
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

async fn poll(
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

#[derive(Deserialize)]
struct StreamsQuery {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Streams {
    streams: Vec<StreamRow>,
    more: bool,
}

#[derive(Serialize)]
struct StreamRow {
    stream: StreamId,
    epoch: ghostlight_model::Epoch,
    next_offset: Offset,
}

async fn streams(
    State(app): Shared,
    query: Result<Query<StreamsQuery>, QueryRejection>,
) -> Response {
    let query = match query {
        Ok(Query(query)) => query,
        Err(problem) => return bad_request(&problem.body_text()),
    };
    if query.prefix.len() > names::NAME_BYTES_MAX {
        return bad_request("a stream's name is not that long");
    }
    let limit = query.limit.unwrap_or(NAMES_MAX).clamp(1, NAMES_MAX);
    let after = query.after.map(StreamId);
    let found = tokio::task::spawn_blocking(move || {
        app.board.streams(&query.prefix, after.as_ref(), limit + 1)
    });
    let Ok(Ok(found)) = found.await else {
        return unavailable();
    };
    let more = found.len() > limit;
    let rows = found.into_iter().take(limit).map(|info| StreamRow {
        stream: info.stream,
        epoch: info.epoch,
        next_offset: info.head,
    });
    answer(
        StatusCode::OK,
        json(&Streams {
            streams: rows.collect(),
            more,
        }),
    )
}

async fn publish(
    State(app): Shared,
    Extension(Admitted(ticket)): Extension<Admitted>,
    request: Request,
) -> Response {
    let bytes = match whole_body(request, app.config.limits.max_frame_bytes).await {
        Ok(bytes) => bytes,
        Err(response) => return *response,
    };
    let publish = match publish_frame(&bytes) {
        Ok(publish) => ClientFrame::Publish(publish),
        Err(problem) => {
            let text = format!("the body is no `publish` frame: {problem}");
            return error(StatusCode::BAD_REQUEST, code::MALFORMED, &text);
        }
    };
    let mut driver = Driver::greeted(&app, app.config.limits, ticket);
    driver.frame(&publish);
    let until = Instant::now() + LOG_WAIT;
    while let Some(frame) = driver.next(until).await {
        match frame::parse_server(&frame.text) {
            Ok(ServerFrame::Accepted(_)) => return answer(StatusCode::OK, frame.text),
            Ok(ServerFrame::Refused(refused)) => return answer(refusal(&refused.code), frame.text),
            Ok(ServerFrame::Error(trouble)) => {
                let status = match trouble.code.as_str() {
                    code::TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                    code::MALFORMED => StatusCode::BAD_REQUEST,
                    _ => StatusCode::SERVICE_UNAVAILABLE,
                };
                return answer(status, frame.text);
            }
            _ => {}
        }
    }
    unavailable()
}

/// The body of a request, of at most `max` bytes (the router's limit), if it comes in time.
async fn whole_body(request: Request, max: usize) -> Result<Bytes, Box<Response>> {
    let too_large = || {
        let text = format!("a publish has at most {max} bytes");
        Box::new(error(StatusCode::PAYLOAD_TOO_LARGE, code::TOO_LARGE, &text))
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    // Nobody has to send it first.
    if length.is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    match timeout(BODY_WAIT, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(problem)) if problem.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Ok(Err(problem)) => Err(Box::new(bad_request(&problem.body_text()))),
        Err(_) => Err(Box::new(late_body())),
    }
}

pub(super) fn late_body() -> Response {
    let text = format!("the body did not come within {} s", BODY_WAIT.as_secs());
    error(StatusCode::REQUEST_TIMEOUT, http_code::BAD_REQUEST, &text)
}

/// The frame in the body of a request; its `type` may be left out.
fn publish_frame(bytes: &[u8]) -> Result<Publish, String> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: Option<String>,
    }
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err("it is no object".to_owned());
    }
    let read = serde_json::from_slice(bytes).and_then(|Kind { kind }| match kind.as_deref() {
        None | Some("publish") => serde_json::from_slice(bytes),
        Some(other) => Err(serde::de::Error::custom(format!("its type is {other:?}"))),
    });
    read.map_err(|problem: serde_json::Error| problem.to_string())
}

fn refusal(code: &str) -> StatusCode {
    match code {
        super::CONFLICT => StatusCode::CONFLICT,
        code::BUSY | code::UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        code::TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    }
}

async fn ready(State(app): Shared) -> Response {
    if *app.stopping.borrow() {
        return unavailable();
    }
    let check = tokio::task::spawn_blocking(move || app.board.check()).await;
    match check {
        Ok(Ok(())) => answer(StatusCode::OK, r#"{"status":"ready"}"#.into()),
        _ => unavailable(),
    }
}

fn unavailable() -> Response {
    error(
        StatusCode::SERVICE_UNAVAILABLE,
        code::UNAVAILABLE,
        "the server cannot use its log, or stops",
    )
}

pub(super) fn bad_request(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, http_code::BAD_REQUEST, message)
}

/// An `error` frame as the body of a response.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let frame = ServerFrame::Error(Trouble {
        code: code.to_owned(),
        message: message.to_owned(),
        fatal: true,
        id: None,
    });
    answer(status, frame.to_text())
}

fn answer(status: StatusCode, json: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, json).into_response()
}

fn json(value: &impl Serialize) -> String {
    // Text keys and JSON bodies: nothing here can fail.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_two_whole_numbers() {
        for (text, expected) in [
            ("5.42", Some(Position::new(5, 42))),
            ("5", None),
            ("5.", None),
            ("-5.1", None),
            ("5.1.2", None),
            ("18446744073709551616.0", None),
        ] {
            assert_eq!(position(text), expected, "{text}");
        }
    }

    #[test]
    fn a_query_is_text() {
        for (query, expected) in [
            ("stream=run/1&from=5.1", true),
            ("stream=run/%C3%A9", true),
            ("stream=run/%ff", false),
            ("stream=run/%zz", false),
            ("stream=run/%4", false),
            ("stream=run/%", false),
            ("", true),
        ] {
            assert_eq!(is_text(query), expected, "{query}");
        }
    }

    #[test]
    fn the_header_shows_one_token() {
        for (values, expected) in [
            (&[][..], 0),
            (&["Bearer abc"], 1),
            (&["bearer abc"], 1),
            (&["Basic abc"], 2),
            (&["Bearer"], 2),
            (&["Bearer abc", "Bearer abc"], 2),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            let shown = match bearer(&headers) {
                Shown::Nothing => 0,
                Shown::Token(token) => {
                    assert_eq!(token, "abc");
                    1
                }
                Shown::Other => 2,
            };
            assert_eq!(shown, expected, "{values:?}");
        }
    }
}
