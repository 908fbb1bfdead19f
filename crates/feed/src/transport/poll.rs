//! Polling of a system that has JSON and no event stream (SPEC C4).
//!
//! It is asked again and again, on condition that something changed. What an answer holds may have been there the last
//! time: the client leaves out what it knows.

use super::{
    AGENT, Dial, Report, Reports, protocol,
    request::{self, JSON},
    status_failure, words,
};
use ghostlight_sync::connection::Failure;
use reqwest::{
    RequestBuilder, Response,
    header::{
        ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
        LAST_MODIFIED,
    },
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, convert::Infallible};
use tokio::time::sleep;

/// Events in one answer; one with more is refused, because no more are remembered.
pub(crate) const ANSWER_EVENTS_MAX: usize = 1 << 15;

/// Asks until an answer cannot be used; the failure says why.
pub(super) async fn run(dial: &Dial, reports: &Reports) -> Failure {
    match ask_again_and_again(dial, reports).await {
        Ok(never) => match never {},
        Err(failure) => failure,
    }
}

async fn ask_again_and_again(dial: &Dial, reports: &Reports) -> Result<Infallible, Failure> {
    let url = dial.endpoint.url();
    let client = request::client(dial, url).await?;
    let mut conditions = Conditions::default();
    let mut opened = false;
    loop {
        let asked = request::get(dial, &client, url.clone()).header(ACCEPT, JSON);
        let response = conditions
            .put_on(asked)
            .send()
            .await
            .map_err(words::broken)?;
        let events = match response.status().as_u16() {
            200 => {
                conditions = Conditions::of(response.headers());
                read(dial, response).await?
            }
            // Nothing there, or nothing new.
            204 | 304 => Vec::new(),
            _ => return Err(status_failure(response.status(), response.headers())),
        };
        match opened {
            false => reports.tell(Report::Opened { subprotocol: None }).await,
            true => reports.hint(Report::Alive),
        }
        opened = true;
        for event in events {
            reports.tell(Report::Polled(event)).await;
        }
        sleep(dial.poll_every).await;
    }
}

/// One look beside an event stream that has just begun: what happened before it, and since the last look, is in no other
/// place. A server that has nothing but the stream by now is let be.
pub(super) async fn look(dial: &Dial, client: &reqwest::Client, reports: &Reports) {
    let url = dial.endpoint.url();
    let asked = request::get(dial, client, url.clone()).header(ACCEPT, JSON);
    let Ok(response) = asked.send().await else {
        return;
    };
    if response.status().as_u16() != 200 {
        return;
    }
    for event in read(dial, response).await.unwrap_or_default() {
        reports.tell(Report::Polled(event)).await;
    }
}

/// What the server said of its last answer (RFC 9110, section 13).
#[derive(Debug, Default)]
struct Conditions {
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

impl Conditions {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            etag: headers.get(ETAG).cloned(),
            modified: headers.get(LAST_MODIFIED).cloned(),
        }
    }

    fn put_on(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(modified) = &self.modified {
            request = request.header(IF_MODIFIED_SINCE, modified);
        }
        request
    }
}

async fn read(dial: &Dial, response: Response) -> Result<Vec<String>, Failure> {
    if !request::is_json(&response) {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("no type");
        return Err(protocol(format!(
            "the server answers with {kind} instead of {JSON}"
        )));
    }
    let bytes = request::body(response, request::body_bytes_max(dial)).await?;
    events_of(&bytes)
        .map_err(|why| protocol(format!("{AGENT} cannot use the server's answer: {why}")))
}

/// The events of an answer, each as it was written: the elements of an array, also of the only array in an object that
/// is no event itself; else the object.
fn events_of(bytes: &[u8]) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Shape<'a> {
        #[serde(borrow)]
        run_id: Option<&'a RawValue>,
        #[serde(borrow, rename = "type")]
        kind: Option<&'a RawValue>,
        #[serde(borrow)]
        event: Option<&'a RawValue>,
    }
    let broken = |e: serde_json::Error| format!("not JSON: {e}");
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let text = text.trim();
    let elements: Vec<&RawValue> = match text.as_bytes().first() {
        Some(b'[') => serde_json::from_str(text).map_err(broken)?,
        Some(b'{') => {
            let shape: Shape = serde_json::from_str(text).map_err(broken)?;
            let members: BTreeMap<Cow<'_, str>, &RawValue> =
                serde_json::from_str(text).map_err(broken)?;
            let is_event = shape.run_id.or(shape.kind).or(shape.event).is_some();
            let mut arrays = members.values().filter(|raw| raw.get().starts_with('['));
            match (is_event, arrays.next(), arrays.next()) {
                (false, Some(array), None) => serde_json::from_str(array.get()).map_err(broken)?,
                _ => vec![serde_json::from_str(text).map_err(broken)?],
            }
        }
        _ => return Err("an array or an object of events is expected".into()),
    };
    if elements.len() > ANSWER_EVENTS_MAX {
        return Err(format!(
            "it has {} events, and the limit is {ANSWER_EVENTS_MAX}; ask for fewer in the address",
            elements.len()
        ));
    }
    Ok(elements
        .into_iter()
        .map(|raw| raw.get().to_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        for (answer, expected) in [
            ("[]", &[][..]),
            (r#" [{"a": 1} ,2]"#, &[r#"{"a": 1}"#, "2"]),
            (
                r#"{"run_id":"r","issues":[1]}"#,
                &[r#"{"run_id":"r","issues":[1]}"#],
            ),
            (
                r#"{"type":"t","data":[1]}"#,
                &[r#"{"type":"t","data":[1]}"#],
            ),
            (
                r#"{"total":2,"items":[{"n":1},{"n":2}]}"#,
                &[r#"{"n":1}"#, r#"{"n":2}"#],
            ),
            (r#"{"items":[]}"#, &[]),
            (r#"{"a":[],"b":[]}"#, &[r#"{"a":[],"b":[]}"#]),
        ] {
            assert_eq!(events_of(answer.as_bytes()).unwrap(), expected, "{answer}");
        }
        for (answer, why) in [
            ("", "is expected"),
            ("7", "is expected"),
            ("<html>", "is expected"),
            ("[1,", "not JSON"),
            ("{\"items\":[1}", "not JSON"),
        ] {
            let error = events_of(answer.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{answer}: {error}");
        }
        assert!(events_of(&[b'[', 0xff, b']']).is_err());
        let many = format!("[{}1]", "1,".repeat(ANSWER_EVENTS_MAX));
        assert!(
            events_of(many.as_bytes())
                .unwrap_err()
                .contains("the limit is")
        );
    }
}
