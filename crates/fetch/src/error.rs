//! Everything that can go wrong on the way to a page, as facts ([`FetchError`]).
//!
//! The text says what happened, to what; [`FetchError::hint`] what the analyst can do;
//! [`FetchError::code`] is what a screen or a log acts upon, so that nobody matches text.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use crate::address::AddressClass;
use crate::tls;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Longest piece of outside text repeated in a message, in characters; the rest is cut with `…`.
const SHOWN_CHARS_MAX: usize = 200;

/// Why a page was not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// What was typed is no URL that can be fetched.
    #[error("“{input}” can't be fetched: {why}")]
    BadUrl {
        /// What was typed, cut, without a password.
        input: String,
        /// The reason, as a clause.
        why: &'static str,
    },
    /// The URL is of a kind that is never fetched (`file:`, `javascript:`, `data:` …).
    #[error("an address that begins with {scheme}: is not fetched, only http and https are")]
    Scheme {
        /// The scheme, in lower case, without the colon.
        scheme: String,
    },
    /// The host is, or its name leads to, an address that is not on the public internet, and
    /// nobody typed that very host.
    #[error("{}", private_address(.host, *.address, *.class, .redirected_from.as_deref()))]
    PrivateAddress {
        /// The host as the URL names it.
        host: String,
        /// The first of its addresses that is not public.
        address: IpAddr,
        /// What kind of address that is.
        class: AddressClass,
        /// The page that redirected there; `None` for the URL that was asked for.
        redirected_from: Option<Box<Url>>,
    },
    /// The address can't be one host's: unspecified, multicast or reserved.
    #[error("{host} is at {address}, which is {class}: no page can be there")]
    UnusableAddress {
        /// The host as the URL names it.
        host: String,
        /// The address.
        address: IpAddr,
        /// What kind of address that is.
        class: AddressClass,
    },
    /// No address is known for the name.
    #[error("no address was found for the name {host}")]
    Dns {
        /// The name that was looked up.
        host: String,
        /// What the resolver said, if it said anything.
        source: Option<Cause>,
    },
    /// The host is there and accepts no connection on that port.
    #[error("{} refused the connection", shown(.url))]
    Refused {
        /// What was asked for.
        url: Box<Url>,
        /// What the system said.
        source: Cause,
    },
    /// No connection came about, for another reason than those named here.
    #[error("{} can't be reached", shown(.url))]
    Unreachable {
        /// What was asked for.
        url: Box<Url>,
        /// What the system said.
        source: Cause,
    },
    /// The secure connection could not be made: certificate, name or protocol.
    #[error("the secure connection to {} failed: {}", shown(.url), tls::words(&**.source))]
    Tls {
        /// What was asked for.
        url: Box<Url>,
        /// What the TLS library said.
        source: Cause,
    },
    /// A time limit passed.
    #[error("{}: {stage} within {} s", shown(.url), .after.as_secs_f32())]
    Timeout {
        /// The hop that was under way.
        url: Box<Url>,
        /// The limit that passed.
        after: Duration,
        /// What was being waited for.
        stage: Stage,
    },
    /// More redirects than are followed.
    #[error("more than {limit} redirects: {chain}")]
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
        /// The typed URL and every target, the last one not asked for.
        chain: UrlChain,
    },
    /// A redirect to a URL that was asked for already.
    #[error("the redirects go round in a circle: {chain}")]
    RedirectLoop {
        /// The typed URL and every target; the last one stands in it twice.
        chain: UrlChain,
    },
    /// A redirect to nowhere, or to what may not be fetched.
    #[error("{} redirects to “{location}”, which can't be followed: {why}", shown(.from))]
    BadRedirect {
        /// The page that redirects.
        from: Box<Url>,
        /// The target as it was given, cut, without a password.
        location: String,
        /// The reason, as a clause.
        why: &'static str,
    },
    /// A redirect from https to http, though https was typed.
    #[error("{} redirects to {}, which is not encrypted", shown(.from), shown(.to))]
    Downgrade {
        /// The page that redirects.
        from: Box<Url>,
        /// Its target.
        to: Box<Url>,
    },
    /// 404 or 410: the page is not there (any more). This is evidence, not only a fault.
    #[error("{} answered {status}: {}", shown(.url), if *.status == 410 { "the page was removed for good" } else { "there is no such page" })]
    Gone {
        /// 404 or 410.
        status: u16,
        /// The URL that answered so, after redirects.
        url: Box<Url>,
    },
    /// 401 or 407: the page is behind a login.
    #[error("{} answered {status}: it wants a login", shown(.url))]
    NeedsLogin {
        /// 401 or 407.
        status: u16,
        /// The URL that answered so.
        url: Box<Url>,
    },
    /// 403: the server does not give the page to us.
    #[error("{} answered 403: it does not give this page to programs or to this network", shown(.url))]
    Forbidden {
        /// The URL that answered so.
        url: Box<Url>,
    },
    /// 451: withheld for legal reasons (RFC 7725).
    #[error("{} answered 451: the page is withheld for legal reasons", shown(.url))]
    LegallyWithheld {
        /// The URL that answered so.
        url: Box<Url>,
    },
    /// 429: too many requests from here.
    #[error("{} answered 429: too many requests from here{}", shown(.url), wait(.retry_after))]
    RateLimited {
        /// The URL that answered so.
        url: Box<Url>,
        /// How long the server asks to wait, a week at most.
        retry_after: Option<Duration>,
    },
    /// 500 to 599: the server has trouble.
    #[error("{} answered {status}: the server has trouble{}", shown(.url), wait(.retry_after))]
    ServerError {
        /// 500 to 599.
        status: u16,
        /// The URL that answered so.
        url: Box<Url>,
        /// How long the server asks to wait, a week at most.
        retry_after: Option<Duration>,
    },
    /// Another status than success.
    #[error("{} answered {status}, which is no page", shown(.url))]
    Status {
        /// The status.
        status: u16,
        /// The URL that answered so.
        url: Box<Url>,
    },
    /// The body is larger than the cap; reading stopped there and nothing was kept.
    #[error("{} sends more than {}, the most that is read", shown(.url), size(*.limit))]
    TooLarge {
        /// The cap, in bytes after decompression.
        limit: usize,
        /// The URL that sends it.
        url: Box<Url>,
    },
    /// The reply breaks off, is no HTTP, has too many headers, or can't be decompressed.
    #[error("{} sent a broken reply: {source}", shown(.url))]
    BrokenReply {
        /// The URL that sent it.
        url: Box<Url>,
        /// What is wrong with it.
        source: Cause,
    },
    /// The fetcher itself could not be set up.
    #[error("the HTTP client could not be set up: {source}")]
    Setup {
        /// The cause.
        source: Cause,
    },
}

impl FetchError {
    /// A stable name of the kind of error, in `snake_case`; kinds can be added.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => "bad_url",
            Self::Scheme { .. } => "scheme",
            Self::PrivateAddress { .. } => "private_address",
            Self::UnusableAddress { .. } => "unusable_address",
            Self::Dns { .. } => "dns",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::RedirectLoop { .. } => "redirect_loop",
            Self::BadRedirect { .. } => "bad_redirect",
            Self::Downgrade { .. } => "downgrade",
            Self::Gone { status: 410, .. } => "gone",
            Self::Gone { .. } => "not_found",
            Self::NeedsLogin { .. } => "needs_login",
            Self::Forbidden { .. } => "forbidden",
            Self::LegallyWithheld { .. } => "legally_withheld",
            Self::RateLimited { .. } => "rate_limited",
            Self::ServerError { .. } => "server_error",
            Self::Status { .. } => "http_status",
            Self::TooLarge { .. } => "too_large",
            Self::BrokenReply { .. } => "broken_reply",
            Self::Setup { .. } => "setup",
        }
    }

    /// Whether trying the same again later is no use.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::RateLimited { .. }
            | Self::ServerError { .. }
            | Self::BrokenReply { .. } => false,
            // Request timeout and too early (RFC 8470) ask for another try.
            Self::Status { status, .. } => !matches!(status, 408 | 425),
            _ => true,
        }
    }

    /// How long the server asked to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::ServerError { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// What the analyst can do next, in plain sentences.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Scheme { scheme } if scheme == "file" || scheme.len() == 1 => {
                "To analyse a file, open it or drop it on the window."
            }
            Self::BadUrl { .. } | Self::Scheme { .. } => {
                "Paste one full address as the browser shows it, for example https://jobs.example.com/123."
            }
            Self::PrivateAddress {
                redirected_from: Some(_),
                ..
            } => {
                "A page on the internet should not lead into your own network. If you trust it, type the address it leads to yourself."
            }
            Self::PrivateAddress { .. } => {
                "If this is a page of your own network, type its IP address, or save it in a browser and open the file."
            }
            Self::UnusableAddress { .. } => "Check the address for a typing mistake.",
            Self::Dns { .. } => {
                "Check the name for a typing mistake, and that this computer is online."
            }
            Self::Refused { .. } | Self::Unreachable { .. } => {
                "Check that the page opens in a browser, then try again."
            }
            Self::Tls { .. } => {
                "Open the page in a browser to see whether its certificate is valid there; if so, save it and open the file. \
                 An authority of your organisation's own has to be among this computer's trusted ones."
            }
            Self::Timeout { .. } => {
                "Try again later, or save the page in a browser and open the file."
            }
            Self::TooManyRedirects { .. } | Self::RedirectLoop { .. } => {
                "The page may want cookies or a login. Open it in a browser, save it, and open the file."
            }
            Self::BadRedirect { .. } | Self::Downgrade { .. } => {
                "Open the page in a browser and see where it leads; then paste that address, or save the page and open the file."
            }
            Self::Gone { .. } => {
                "The posting may have been taken down, which is a fact worth noting. Check the address for a typing mistake, and the employer's own list of openings."
            }
            Self::NeedsLogin { .. } | Self::Forbidden { .. } | Self::LegallyWithheld { .. } => {
                "If you can see the page in your browser, save it there and open the file, or paste its text."
            }
            Self::RateLimited { .. } | Self::ServerError { .. } => "Wait a while, then try again.",
            Self::Status { .. } | Self::BrokenReply { .. } => {
                "Check that the page opens in a browser; if it does, save it there and open the file."
            }
            Self::TooLarge { .. } => {
                "Check that the address leads to one posting, not a download. If it does, save the page and open the file, or paste its text."
            }
            Self::Setup { .. } => {
                "This is a fault of the program or its settings; check the added certificates."
            }
        }
    }
}

/// What was being waited for when a time limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The name's addresses.
    Lookup,
    /// The connection.
    Connect,
    /// The first line and headers of the reply.
    Reply,
    /// The rest of the body.
    Body,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "its name was not found",
            Self::Connect => "no connection came about",
            Self::Reply => "the server did not answer",
            Self::Body => "the server did not finish sending the page",
        })
    }
}

/// The typed URL and the redirects that followed, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlChain(pub Vec<Url>);

impl fmt::Display for UrlChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, url) in self.0.iter().enumerate() {
            let arrow = if at > 0 { " → " } else { "" };
            write!(f, "{arrow}{}", shown(url))?;
        }
        Ok(())
    }
}

/// Outside text for a message: without a user name or password, and not too long.
pub(crate) fn cut(text: &str) -> String {
    let text = without_userinfo(text);
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Drops what stands between `//` and the last `@` of the authority, parsed or not.
fn without_userinfo(text: &str) -> String {
    let Some(start) = text.find("//").map(|at| at + 2) else {
        return text.to_owned();
    };
    let rest = &text[start..];
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{}…{}", &text[..start], &rest[at..]),
        None => text.to_owned(),
    }
}

fn shown(url: &Url) -> String {
    cut(url.as_str())
}

fn private_address(host: &str, address: IpAddr, class: AddressClass, from: Option<&Url>) -> String {
    // An IP address as host is its own address; saying it twice helps nobody.
    let place = if host.trim_matches(['[', ']']).parse() == Ok(address) {
        format!("{host}, which is {class}")
    } else {
        format!("{host}, whose address {address} is {class}")
    };
    match from {
        Some(from) => format!(
            "{} redirects to {place}; that host was not typed, so it is not asked",
            shown(from)
        ),
        None => format!("{place}, not a public one, so it is not asked"),
    }
}

fn wait(retry_after: &Option<Duration>) -> String {
    retry_after
        .map(|wait| format!("; it asks to wait {} s", wait.as_secs()))
        .unwrap_or_default()
}

fn size(bytes: usize) -> String {
    const MIB: usize = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_is_cut_and_loses_passwords() {
        assert_eq!(
            cut("https://ann:pw@h.example/x@y"),
            "https://…@h.example/x@y"
        );
        assert_eq!(cut("https://a@b@h.example"), "https://…@h.example");
        assert_eq!(cut("https://h.example/x@y"), "https://h.example/x@y");
        assert_eq!(cut("//ann:pw@h.example"), "//…@h.example");
        assert_eq!(cut(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
        assert_eq!(cut(&"é".repeat(200)), "é".repeat(200));
    }

    #[test]
    fn sentences() {
        let url = || Box::new("https://jobs.example.com/1".parse::<Url>().unwrap());
        let address: IpAddr = "10.0.0.5".parse().unwrap();
        let private = |host: &str, from| FetchError::PrivateAddress {
            host: host.into(),
            address,
            class: AddressClass::Private,
            redirected_from: from,
        };
        let minute = Some(Duration::from_secs(60));
        for (error, text) in [
            (
                private("10.0.0.5", Some(url())),
                "https://jobs.example.com/1 redirects to 10.0.0.5, which is a private network; that host was not typed, so it is not asked",
            ),
            (
                private("jobs.example.com", None),
                "jobs.example.com, whose address 10.0.0.5 is a private network, not a public one, so it is not asked",
            ),
            (
                FetchError::Timeout {
                    url: url(),
                    after: Duration::from_millis(1500),
                    stage: Stage::Reply,
                },
                "https://jobs.example.com/1: the server did not answer within 1.5 s",
            ),
            (
                FetchError::TooLarge {
                    limit: 8 << 20,
                    url: url(),
                },
                "https://jobs.example.com/1 sends more than 8 MiB, the most that is read",
            ),
            (
                FetchError::RateLimited {
                    url: url(),
                    retry_after: minute,
                },
                "https://jobs.example.com/1 answered 429: too many requests from here; it asks to wait 60 s",
            ),
            (
                FetchError::Gone {
                    status: 404,
                    url: url(),
                },
                "https://jobs.example.com/1 answered 404: there is no such page",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
