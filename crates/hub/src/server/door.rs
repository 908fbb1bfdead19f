//! The door: who may come in, before any route is asked.

use super::{
    App, Shared,
    accept::Link,
    answers::{bad_request, error, http_code},
    principal::{Over, Ticket, Who},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ghostlight_sync::frame::code;
use std::sync::Arc;

/// How long a browser remembers what pages of an allowed site may ask, in seconds.
const PREFLIGHT_S: &str = "600";
/// When to come again if there are too many connections, in seconds.
const FULL_RETRY_S: &str = "5";

/// Whose request it is, by the token in its header. Held as long as its connection or its answer lasts.
#[derive(Clone)]
pub(super) struct Admitted(pub(super) Arc<Ticket>);

/// The door, and behind it: an answer to a page of an allowed site says that the page may read it (Fetch Standard, CORS
/// protocol).
pub(super) async fn admit(State(app): Shared, request: Request, next: Next) -> Response {
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

#[cfg(test)]
mod tests {
    use super::*;

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
