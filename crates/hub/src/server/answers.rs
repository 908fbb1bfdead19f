//! What the routes answer with: an `error` frame, JSON, and the codes that only HTTP has.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ghostlight_sync::frame::{ServerFrame, Trouble, code};
use serde::Serialize;
use std::time::Duration;

/// How long a body may take to arrive.
pub(super) const BODY_WAIT: Duration = Duration::from_secs(30);
/// Time for a poll to read what is there already, and for a publish to reach the disk.
pub(super) const LOG_WAIT: Duration = Duration::from_secs(30);

/// The error codes that only HTTP has.
pub(super) mod http_code {
    pub const FORBIDDEN_ORIGIN: &str = "forbidden_origin";
    pub const NOT_FOUND: &str = "not_found";
    pub const BAD_REQUEST: &str = "bad_request";
}

pub(super) fn late_body() -> Response {
    let text = format!("the body did not come within {} s", BODY_WAIT.as_secs());
    error(StatusCode::REQUEST_TIMEOUT, http_code::BAD_REQUEST, &text)
}

pub(super) fn unavailable() -> Response {
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

pub(super) fn answer(status: StatusCode, json: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, json).into_response()
}

pub(super) fn json(value: &impl Serialize) -> String {
    // Text keys and JSON bodies: nothing here can fail.
    serde_json::to_string(value).unwrap_or_default()
}
