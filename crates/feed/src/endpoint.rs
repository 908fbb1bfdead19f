//! Where a feed is: an address without its credentials, and the name the feed is stored under.

use crate::adapters::Kind;
use ghostlight_model::StreamId;
use ghostlight_sync::{
    frame::Secret,
    names::{NameError, Pattern},
};
use std::{fmt, net::IpAddr};
use url::Url;

/// The path of `ghostlight.v1`.
const HUB_PATH: &str = "/v1";

/// An address that no feed can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Not a URL at all.
    #[error(
        "{0} is no address of a feed ({why}); write it as ws://host:port/v1, or with wss://, http:// or https://",
        why = flaw(*.1)
    )]
    Unreadable(String, url::ParseError),
    /// Of another scheme.
    #[error("{0}: a feed's address begins with ws://, wss://, http:// or https://")]
    Scheme(String),
    /// It asks a hub for a stream that none can have.
    #[error(
        "?stream={0}: {1}; write ?stream=run/7 for one stream, ?stream=run/* for all that begin so, or leave it out"
    )]
    Stream(String, NameError),
}

/// The address of a feed. Credentials are taken out when it is read, so that none can be printed or stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    stream: Option<String>,
}

/// What is wrong with an address, in words.
fn flaw(error: url::ParseError) -> String {
    use url::ParseError as Flaw;
    match error {
        Flaw::RelativeUrlWithoutBase | Flaw::RelativeUrlWithCannotBeABaseBase => {
            "nothing like ws:// stands before it".into()
        }
        Flaw::EmptyHost => "it names no host".into(),
        Flaw::InvalidPort => "a port is a number up to 65535".into(),
        Flaw::IdnaError | Flaw::InvalidDomainCharacter => {
            "the host has characters that no name of a host has".into()
        }
        other => other.to_string(),
    }
}

impl Endpoint {
    /// Reads an address; also the token in its password part, if there is one.
    ///
    /// # Errors
    /// [`BadUrl`], whose text holds no credentials.
    pub fn parse(text: &str) -> Result<(Self, Option<Secret>), BadUrl> {
        let mut url = Url::parse(text).map_err(|e| BadUrl::Unreadable(shown(text), e))?;
        if !matches!(url.scheme(), "ws" | "wss" | "http" | "https") {
            return Err(BadUrl::Scheme(shown(text)));
        }
        let token = url.password().map(decoded).map(Secret);
        // Cannot fail for these schemes.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url.set_fragment(None);
        let stream = url.query_pairs().find(|(name, _)| name == "stream");
        let stream = stream.map(|(_, value)| value.into_owned());
        Ok((Self { url, stream }, token))
    }

    /// The stream or pattern in the address (`?stream=run/7`); everything without one.
    pub fn pattern(&self) -> &str {
        self.stream.as_deref().unwrap_or("*")
    }

    /// Whether a feed of this kind (if it is known) can have the stream that the address asks for.
    ///
    /// # Errors
    /// [`BadUrl::Stream`], with the rule that the name breaks; only a hub is asked for a stream.
    pub fn check(&self, kind: Option<Kind>) -> Result<(), BadUrl> {
        let is_hub = kind == Some(Kind::Hub) || (kind.is_none() && self.looks_like_hub());
        match Pattern::checked(self.pattern()) {
            Err(e) if is_hub => Err(BadUrl::Stream(self.pattern().escape_debug().collect(), e)),
            _ => Ok(()),
        }
    }

    /// Whether the address asks for `stream`; only a hub is asked for one.
    pub fn takes(&self, kind: Kind, stream: &StreamId) -> bool {
        kind != Kind::Hub || Pattern::of(self.pattern()).takes(stream)
    }

    /// The address, without credentials.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether events come by a WebSocket first.
    pub fn is_websocket(&self) -> bool {
        matches!(self.url.scheme(), "ws" | "wss")
    }

    /// Whether it names this computer, whose servers are there without any network.
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether the path is that of our own protocol, for servers that name no subprotocol.
    pub fn looks_like_hub(&self) -> bool {
        self.url.path().trim_end_matches('/').ends_with(HUB_PATH)
    }

    /// A stable name for what this feed stores: the same for the same address and kind, whatever the credentials; of a
    /// hub, whichever of its streams are asked for and by which transport. `localhost` is 127.0.0.1 (RFC 6761, 6.3).
    pub fn feed_id(&self, kind: Kind) -> String {
        let hub = match kind {
            Kind::Hub => self.websocket(Some(kind)),
            _ => None,
        };
        let mut url = hub.unwrap_or_else(|| self.url.clone());
        if url.host_str() == Some("localhost") {
            // Cannot fail for these schemes.
            let _ = url.set_host(Some("127.0.0.1"));
        }
        short_hash(&format!("{} {}", kind.word(), url.as_str()))
    }

    /// A stable name for the address alone.
    pub fn address_id(&self) -> String {
        short_hash(self.url.as_str())
    }

    /// The WebSocket of a hub, or of a foreign feed.
    pub(crate) fn websocket(&self, kind: Option<Kind>) -> Option<Url> {
        match kind {
            Some(Kind::Hub) => self.hub_url("").and_then(|url| with_scheme(url, true)),
            _ => self.is_websocket().then(|| self.url.clone()),
        }
    }

    /// A foreign feed's address for requests.
    pub(crate) fn http(&self) -> Option<Url> {
        with_scheme(self.url.clone(), false)
    }

    /// A hub's address for requests: `/v1` and `tail`.
    pub(crate) fn hub_http(&self, tail: &str) -> Option<Url> {
        self.hub_url(tail).and_then(|url| with_scheme(url, false))
    }

    /// The hub's address and `tail`, with the query but for the stream.
    fn hub_url(&self, tail: &str) -> Option<Url> {
        let mut url = self.url.clone();
        let path = url.path().trim_end_matches('/');
        let base = ["/sse", "/poll"].iter().find_map(|end| {
            let base = path.strip_suffix(end)?;
            base.ends_with(HUB_PATH).then_some(base)
        });
        let path = format!("{}{tail}", base.unwrap_or(path));
        let rest: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "stream" && name != "from")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        url.set_path(&path);
        Some(url)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

fn with_scheme(mut url: Url, websocket: bool) -> Option<Url> {
    let secure = matches!(url.scheme(), "wss" | "https");
    let scheme = match (websocket, secure) {
        (true, true) => "wss",
        (true, false) => "ws",
        (false, true) => "https",
        (false, false) => "http",
    };
    url.set_scheme(scheme).ok()?;
    Some(url)
}

/// What may be printed of a text that did not read as an address: nothing before an `@`, where credentials stand.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{}", host.chars().take(200).collect::<String>()),
        None => text.chars().take(200).collect(),
    }
}

fn decoded(password: &str) -> String {
    // A query string is the one place where `url` decodes percent signs for us; `+` stays itself.
    let query = format!("p={}", password.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// 64 bits, in hexadecimal: a data folder has tens of feeds.
fn short_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap().0
    }

    #[test]
    fn credentials_leave_the_address() {
        for (text, token, left) in [
            ("ws://h:1/v1", None, "ws://h:1/v1"),
            (
                "wss://:s%2Fe%20t@h/v1?a=b#f",
                Some("s/e t"),
                "wss://h/v1?a=b",
            ),
            ("http://me:a+b@h/x", Some("a+b"), "http://h/x"),
            ("ws://me@h/v1", None, "ws://h/v1"),
        ] {
            let (endpoint, found) = Endpoint::parse(text).unwrap();
            assert_eq!(found, token.map(|token| Secret(token.into())), "{text}");
            assert_eq!(endpoint.to_string(), left);
        }
    }

    #[test]
    fn a_bad_address_is_named_without_its_secret() {
        for text in ["ftp://me:hush@h/", "ws://me:hush@h:port/", "nothing"] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(
                !error.contains("hush") && error.contains("ws://"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_hub_is_not_asked_for_a_stream_that_none_can_have() {
        for bad in ["bad", "run/a*b", "", "RUN/x", "run/a%00b"] {
            let endpoint = parse(&format!("ws://h/v1?stream={bad}"));
            for kind in [None, Some(Kind::Hub)] {
                let why = endpoint.check(kind).unwrap_err().to_string();
                assert!(why.contains("?stream="), "{why}");
            }
            assert_eq!(endpoint.check(Some(Kind::Workflow)), Ok(()), "{bad}");
            let elsewhere = parse(&format!("ws://h/feed?stream={bad}"));
            assert_eq!(elsewhere.check(None), Ok(()), "{bad}");
            assert!(elsewhere.check(Some(Kind::Hub)).is_err(), "{bad}");
        }
        for good in [
            "",
            "?stream=*",
            "?stream=run/*",
            "?stream=run/7",
            "?stream=run/a%20b",
        ] {
            assert_eq!(parse(&format!("ws://h/v1{good}")).check(None), Ok(()));
        }
    }

    #[test]
    fn this_computer_is_known_by_its_names() {
        for (host, own) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("0.0.0.0", false),
            ("127.0.0.1.example", false),
            ("hub.example", false),
        ] {
            let endpoint = parse(&format!("ws://{host}/v1"));
            assert_eq!(endpoint.is_loopback(), own, "{host}");
        }
    }

    #[test]
    fn a_feed_keeps_its_name() {
        let id = parse("ws://h:1/v1").feed_id(Kind::Hub);
        assert_eq!(id.len(), 16);
        assert_eq!(parse("WS://u:p@H:1/v1/#x").feed_id(Kind::Hub), id);
        assert_eq!(parse("ws://h:1/v1?stream=run/7").feed_id(Kind::Hub), id);
        assert_eq!(parse("http://h:1/v1/sse").feed_id(Kind::Hub), id);
        let own = ["ws://localhost:1/v1", "http://127.0.0.1:1/v1"];
        let own = own.map(|address| parse(address).feed_id(Kind::Hub));
        assert_eq!(own[0], own[1]);
        for other in ["ws://h:2/v1", "wss://h:1/v1", "ws://h:1/v1?team=2"] {
            assert_ne!(parse(other).feed_id(Kind::Hub), id, "{other}");
        }
        assert_ne!(parse("ws://h:1/v1").feed_id(Kind::Typed), id);
    }

    #[test]
    fn a_hub_has_three_addresses() {
        for (text, socket, events) in [
            (
                "ws://h:1/v1?stream=run/7",
                "ws://h:1/v1",
                "http://h:1/v1/sse",
            ),
            ("https://h/a/v1/", "wss://h/a/v1", "https://h/a/v1/sse"),
            (
                "http://h/v1/sse?stream=x&k=1",
                "ws://h/v1?k=1",
                "http://h/v1/sse?k=1",
            ),
        ] {
            let endpoint = parse(text);
            assert_eq!(
                endpoint.websocket(Some(Kind::Hub)).unwrap().as_str(),
                socket
            );
            assert_eq!(endpoint.hub_http("/sse").unwrap().as_str(), events);
        }
        assert_eq!(parse("ws://h/v1?stream=run/7").pattern(), "run/7");
        assert_eq!(parse("ws://h/v1").pattern(), "*");
    }
}
