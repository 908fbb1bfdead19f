//! Requests over HTTP, and what every answer to one is held to.

use super::{AGENT, Dial, protocol, words};
use ghostlight_sync::connection::Failure;
use reqwest::{
    Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use std::time::Duration;
use url::Url;

/// The type of an answer in JSON.
pub(super) const JSON: &str = "application/json";
/// What an answer may have beyond its events' 1 MiB, as a multiple of the frame limit.
const BODY_FRAMES_MAX: usize = 4;

/// How long nothing may come before TCP asks whether the peer is still there, how often it asks again, and how many times
/// without an answer: together as long as a heartbeat takes to find a half-open connection.
const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;

/// A client for requests to `url`; redirects are not followed, because the token would go with them.
pub(super) async fn client(dial: &Dial, url: &Url) -> Result<reqwest::Client, Failure> {
    let failed = |e: &(dyn std::error::Error + 'static)| words::insecure(&words::place(url), e);
    let mut builder = reqwest::Client::builder()
        .user_agent(AGENT)
        .tcp_keepalive(KEEPALIVE)
        .tcp_keepalive_interval(KEEPALIVE_AGAIN)
        .tcp_keepalive_retries(KEEPALIVE_TRIES)
        .redirect(reqwest::redirect::Policy::none());
    builder = match url.scheme() {
        "https" => {
            let config = dial.tls.trusting().await.map_err(|e| failed(&*e))?;
            builder.tls_backend_preconfigured(config)
        }
        _ => builder.tls_backend_preconfigured(crate::tls::plain().map_err(|e| failed(&e))?),
    };
    builder.build().map_err(|e| failed(&e))
}

/// A request with the token.
pub(super) fn get(dial: &Dial, client: &reqwest::Client, url: Url) -> reqwest::RequestBuilder {
    with_token(dial, client.get(url))
}

/// A request with the token and a JSON text.
pub(super) fn post(
    dial: &Dial,
    client: &reqwest::Client,
    url: Url,
    json: String,
) -> reqwest::RequestBuilder {
    let request = client.post(url).header(CONTENT_TYPE, "application/json");
    with_token(dial, request.body(json))
}

fn with_token(dial: &Dial, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let bearer = dial.token.as_ref().and_then(|token| {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    });
    match bearer {
        Some(value) => request.header(AUTHORIZATION, value),
        None => request,
    }
}

/// The longest answer that is taken, in bytes.
pub(super) fn body_bytes_max(dial: &Dial) -> usize {
    dial.max_frame_bytes.saturating_mul(BODY_FRAMES_MAX)
}

/// A body of at most `limit` bytes.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words::broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            return Err(protocol(format!(
                "the server's answer is longer than {limit} bytes, which is the limit"
            )));
        }
    }
    Ok(bytes)
}

/// Whether a response is JSON, by its type.
pub(super) fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(JSON) || kind.to_ascii_lowercase().ends_with("+json")
}
