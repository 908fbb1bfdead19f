//! The routes, and what those answer that have no file of their own.

use super::{
    App, Shared,
    accept::Link,
    answers::{
        BODY_WAIT, LOG_WAIT, answer, bad_request, error, http_code, json, late_body, unavailable,
    },
    door::{Admitted, admit},
    driver::Driver,
    poll, socket, sse,
};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::Response,
    routing::{get, post},
};
use ghostlight_model::{Offset, StreamId};
use ghostlight_sync::{
    frame::{self, ClientFrame, Publish, ServerFrame, code},
    names,
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

/// Names in one answer of the list of streams.
const NAMES_MAX: usize = 1_000;

pub(super) fn router(app: Arc<App>) -> Router {
    let limit = DefaultBodyLimit::max(app.config.limits.max_frame_bytes);
    Router::new()
        .route("/v1", get(web_socket))
        .route("/v1/sse", get(sse::get).post(sse::post))
        .route("/v1/poll", get(poll::get))
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
