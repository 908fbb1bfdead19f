//! [`Fetcher::ask`]: one question to a model's endpoint, its answer streamed piece by piece.
//!
//! The endpoint is the analyst's own setting, so it may be on this very computer or in a private network, as a feed
//! may. It is never left: no redirect is followed, so neither the key nor the posting goes anywhere else. A key goes over
//! an unencrypted connection only where that stays within such a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, sleep, timeout};
use url::{Host, Url};

use crate::address::{AddressClass, is_localhost};
use crate::error::FetchError;
use crate::fetcher::{Fetcher, no_request};
use crate::header::{left_packed, retry_after};
use crate::redirect::is_redirect;

/// How long a question takes at most, from the call to the last byte (SPEC A5).
pub const ASK_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer, after decompression; then it ends with an error. A whole answer has some kilobytes, each token
/// some hundred bytes around it.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Bytes that are read of what a server says when it refuses; the rest is not looked at.
const REFUSAL_BYTES_MAX: usize = 16 << 10;
/// The wait before the one further try, where the server names none.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A question to a model's endpoint.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Where chat completions are asked for; see [`model_url`].
    pub url: &'a Url,
    /// The key, sent as `Authorization: Bearer`; without one there is no such header.
    pub key: Option<&'a str>,
    /// JSON.
    pub body: &'a str,
    /// From the call to the last byte, a further try included.
    pub timeout: Duration,
}

/// Why there is no answer, or no whole one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The server was not reached, or what it sent broke off.
    #[error(transparent)]
    Fetch(FetchError),
    /// The key would be readable on the way.
    #[error(
        "the key was not sent to {host}: the address begins with http:, so anybody on the way could read it"
    )]
    KeyInTheOpen {
        /// The endpoint's host.
        host: String,
    },
    /// 401 or 403.
    #[error("{host} refuses the key ({status}){}", told(.said))]
    Key {
        /// The endpoint's host.
        host: String,
        /// The status.
        status: u16,
        /// What the server says.
        said: String,
    },
    /// 404: no such path, or no such model.
    #[error("{host} knows no such model or address (404){}", told(.said))]
    Unknown {
        /// The endpoint's host.
        host: String,
        /// What the server says.
        said: String,
    },
    /// 429: too many requests, or no credit left.
    #[error("{host} takes no more questions for now (429){}{}", wait(.retry_after), told(.said))]
    Busy {
        /// The endpoint's host.
        host: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// What the server says.
        said: String,
    },
    /// 400 or 422: it does not take the question as it is.
    #[error("{host} does not take the question{}", told(.said))]
    Form {
        /// The endpoint's host.
        host: String,
        /// What the server says.
        said: String,
    },
    /// A redirect: the endpoint is somewhere else.
    #[error("{host} sends questions on to another address, which is not followed")]
    Moved {
        /// The endpoint's host.
        host: String,
    },
    /// Any other status than success.
    #[error("{host} answered {status}{}", told(.said))]
    Status {
        /// The endpoint's host.
        host: String,
        /// The status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// What the server says.
        said: String,
    },
    /// The time is over.
    #[error("{host} gave no whole answer within {} s{}", .after.as_secs_f32(), if *.begun { ", though it began one" } else { "" })]
    Timeout {
        /// The endpoint's host.
        host: String,
        /// The limit that passed.
        after: Duration,
        /// Whether anything of an answer came.
        begun: bool,
    },
    /// More bytes than are read.
    #[error("{host} sends more than {} MB, the most that is read of an answer", ANSWER_BYTES_MAX >> 20)]
    TooLarge {
        /// The endpoint's host.
        host: String,
    },
}

impl AskError {
    /// A stable name of the kind of error, in `snake_case`; kinds can be added.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.code(),
            Self::KeyInTheOpen { .. } => "model_key_open",
            Self::Key { .. } => "model_key",
            Self::Unknown { .. } => "model_unknown",
            Self::Busy { .. } => "model_busy",
            Self::Form { .. } => "model_refused",
            Self::Moved { .. } => "model_moved",
            Self::Status { .. } => "model_status",
            Self::Timeout { .. } => "model_timeout",
            Self::TooLarge { .. } => "model_answer_long",
        }
    }

    /// What the analyst can do next, in plain sentences.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Fetch(FetchError::Refused { .. }) => {
                "Check that the model's server runs, and its address in the settings."
            }
            Self::Fetch(FetchError::BrokenReply { .. }) => {
                "Try again; if it stays so, look at the server's own log."
            }
            Self::Fetch(_) | Self::Moved { .. } => "Check the model's address in the settings.",
            Self::KeyInTheOpen { .. } => {
                "Write the address with https:, or forget the key if the server wants none."
            }
            Self::Key { .. } => {
                "Give a key that holds, in the settings or in GHOSTLIGHT_MODEL_KEY."
            }
            Self::Unknown { .. } => {
                "Check the model's name and the address in the settings; most servers want one that ends in /v1."
            }
            Self::Busy { .. } => {
                "Wait a while, then try again; or look at what is left with whoever runs the server."
            }
            Self::Form { .. } => {
                "Choose another model in the settings, or look at the server's own log."
            }
            Self::Status { .. } => "Try again later; if it stays so, look at the server's own log.",
            Self::Timeout { .. } => {
                "Try again, choose a quicker model, or allow more time in the settings."
            }
            Self::TooLarge { .. } => "Choose another model in the settings.",
        }
    }

    /// What the server says against the form of the question (400 or 422): a plainer one may do.
    #[must_use]
    pub fn form(&self) -> Option<&str> {
        match self {
            Self::Form { said, .. } => Some(said),
            _ => None,
        }
    }

    /// When to try once more, if the server may answer then: it asked to wait, or has trouble of its own. Not after a
    /// lost connection or timeout, since the answer may have been made and paid for.
    fn again_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            Self::Status {
                status: 500 | 502 | 503,
                retry_after,
                ..
            } => Some(retry_after.unwrap_or(AGAIN_AFTER)),
            _ => None,
        }
    }
}

/// Where chat completions are asked for, from an address as people write it: `https://host/v1`, with or without the
/// path `/chat/completions` behind it. Credentials and fragments are taken out.
///
/// # Errors
/// Why it is no address, as a sentence that holds no credentials.
pub fn model_url(typed: &str) -> Result<Url, String> {
    let wrong =
        |why: &str| format!("This is no address of a model ({why}); write it as https://host/v1.");
    let mut url = Url::parse(typed.trim()).map_err(|e| wrong(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it begins neither with http:// nor with https://"));
    }
    if url.password().is_some() || !url.username().is_empty() {
        return Err(wrong("a key has its own place"));
    }
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    if !path.ends_with("/chat/completions") {
        let path = format!("{path}/chat/completions");
        url.set_path(&path);
    }
    Ok(url)
}

impl Fetcher {
    /// Asks a model's endpoint and hands on the answer's bytes as they come, until the end or until `piece` answers
    /// `false`. A server that is busy or has trouble of its own is asked once more if there is time.
    ///
    /// # Errors
    /// [`AskError`]; after some of the answer was handed on only [`AskError::Timeout`], [`AskError::TooLarge`] or a
    /// [`FetchError::BrokenReply`].
    pub async fn ask(
        &self,
        ask: Ask<'_>,
        piece: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), AskError> {
        let mut begun = false;
        let tries = async {
            let began = Instant::now();
            let first = self.ask_once(ask, &mut begun, piece).await;
            let Err(error) = &first else { return first };
            let left = ask.timeout.saturating_sub(began.elapsed());
            match error.again_after() {
                Some(wait) if wait < left => sleep(wait).await,
                _ => return first,
            }
            self.ask_once(ask, &mut begun, piece).await
        };
        let ended = timeout(ask.timeout, tries).await;
        ended.unwrap_or_else(|_| {
            Err(AskError::Timeout {
                host: host(ask.url),
                after: ask.timeout,
                begun,
            })
        })
    }

    async fn ask_once(
        &self,
        ask: Ask<'_>,
        begun: &mut bool,
        piece: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), AskError> {
        let response = self.send(ask).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response, ask.url).await);
        }
        if let Some(packing) = left_packed(response.headers()) {
            let source = format!("it is packed as “{packing}”, which was not offered").into();
            let url = Box::new(ask.url.clone());
            return Err(AskError::Fetch(FetchError::BrokenReply { url, source }));
        }
        let mut response = response;
        let mut read = 0;
        loop {
            let next = response.chunk().await;
            let next = next.map_err(|e| AskError::Fetch(self.failure(e, ask.url)))?;
            let Some(bytes) = next else { return Ok(()) };
            *begun |= !bytes.is_empty();
            read += bytes.len();
            if read > ANSWER_BYTES_MAX {
                return Err(AskError::TooLarge {
                    host: host(ask.url),
                });
            }
            if !piece(&bytes) {
                return Ok(());
            }
        }
    }

    /// The request, up to the headers of the reply.
    async fn send(&self, ask: Ask<'_>) -> Result<Response, AskError> {
        let addresses = self.endpoint(ask.url).await.map_err(AskError::Fetch)?;
        let open = ask.url.scheme() == "http";
        let leaves = addresses.iter().any(|a| AddressClass::of(*a).is_public());
        if ask.key.is_some() && open && leaves {
            return Err(AskError::KeyInTheOpen {
                host: host(ask.url),
            });
        }
        let client = self.client(ask.url, &addresses).await;
        let request = client
            .map_err(AskError::Fetch)?
            .post(ask.url.clone())
            .header(ACCEPT, "text/event-stream, application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(ask.body.to_owned());
        let request = match ask.key.and_then(bearer) {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        };
        let sent = request.send().await;
        sent.map_err(|error| AskError::Fetch(self.failure(error, ask.url)))
    }

    /// The addresses of the endpoint; any that one host can have.
    async fn endpoint(&self, url: &Url) -> Result<Vec<IpAddr>, FetchError> {
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain(name)) if is_localhost(name) => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Some(Host::Domain(name)) => self.lookup(name, url).await?,
            None => return Err(no_request()),
        };
        for &address in &addresses {
            let class = AddressClass::of(address);
            if !class.is_host() {
                return Err(FetchError::UnusableAddress {
                    host: host(url),
                    address,
                    class,
                });
            }
        }
        Ok(addresses)
    }

    async fn refusal(&self, response: Response, url: &Url) -> AskError {
        let (status, headers) = (response.status(), response.headers().clone());
        let said = words(response).await;
        refusal(status, &headers, host(url), said)
    }
}

fn refusal(status: StatusCode, headers: &HeaderMap, host: String, said: String) -> AskError {
    let retry_after = retry_after(headers);
    match status.as_u16() {
        status @ (401 | 403) => AskError::Key { host, status, said },
        404 => AskError::Unknown { host, said },
        429 => AskError::Busy {
            host,
            retry_after,
            said,
        },
        400 | 422 => AskError::Form { host, said },
        _ if is_redirect(status) => AskError::Moved { host },
        status => AskError::Status {
            host,
            status,
            retry_after,
            said,
        },
    }
}

/// What the server says about it, a line of at most 300 characters.
async fn words(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > REFUSAL_BYTES_MAX {
            bytes.truncate(REFUSAL_BYTES_MAX);
            break;
        }
    }
    said(&String::from_utf8_lossy(&bytes))
}

/// The words in an error's JSON (`{"error": {"message": "…"}}`); a page of HTML says nothing.
fn said(body: &str) -> String {
    let body = body.trim();
    let message = ghostlight_detect::ask::error_words(body);
    let text = match message {
        Some(message) => message,
        None if body.starts_with(['<', '{']) => String::new(),
        None => body.to_owned(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// As a header that is left out of what a program prints.
fn bearer(key: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}

fn told(said: &str) -> String {
    match said.trim_end_matches('.') {
        "" => String::new(),
        said => format!(": “{said}”"),
    }
}

fn wait(retry_after: &Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| {
        format!(", try again in {} s", wait.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (typed, url) in [
            (
                "https://api.example.com/v1",
                "https://api.example.com/v1/chat/completions",
            ),
            (
                " http://127.0.0.1:11434/v1/ ",
                "http://127.0.0.1:11434/v1/chat/completions",
            ),
            (
                "https://h/openai/v1/chat/completions",
                "https://h/openai/v1/chat/completions",
            ),
            (
                "https://h/deploy?api-version=1#x",
                "https://h/deploy/chat/completions?api-version=1",
            ),
            (
                "http://localhost:8080",
                "http://localhost:8080/chat/completions",
            ),
        ] {
            assert_eq!(model_url(typed).unwrap().as_str(), url);
        }
        for typed in [
            "",
            "api.example.com/v1",
            "ftp://h/v1",
            "https://:secret@h/v1",
            "file:///v1",
        ] {
            let error = model_url(typed).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_a_server_says_is_one_line() {
        assert_eq!(
            said(r#"{"error": {"message": "no\n such \u0007model"}}"#),
            "no such model"
        );
        assert_eq!(said("<html>sorry</html>"), "");
        assert_eq!(said(" out of  memory "), "out of memory");
        assert_eq!(said(&"x".repeat(1_000)).len(), 300);
    }
}
