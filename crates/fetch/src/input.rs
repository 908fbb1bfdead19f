//! What a person typed or a page linked to, made into a URL that may be fetched, or refused.

use url::Url;

use crate::error::{FetchError, cut};

/// The longest URL taken, in bytes, typed or in a redirect; a longer one is [`FetchError::BadUrl`].
/// RFC 9110, section 4.1, asks for 8,000 at least; real job links with tracking stay below 4,000.
pub const URL_BYTES_MAX: usize = 8_192;

/// Makes a URL of `input`, which may have blanks around it.
///
/// # Errors
/// - [`FetchError::Scheme`] for anything but `http` and `https`.
/// - [`FetchError::BadUrl`] for what is no URL, has no host, is longer than [`URL_BYTES_MAX`],
///   holds blanks or control characters, or carries a user name or password.
pub fn classify(input: &str) -> Result<Url, FetchError> {
    let input = input.trim();
    let bad = |why: &'static str| FetchError::BadUrl {
        input: cut(input),
        why,
    };
    if input.is_empty() {
        return Err(bad("it is empty"));
    }
    if input.len() > URL_BYTES_MAX {
        return Err(bad("it is longer than 8,192 bytes"));
    }
    // The URL standard drops line breaks silently, which would join two pasted lines into one.
    if input.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(bad(
            "it holds a blank or a line break, so it may be more than one address",
        ));
    }
    let url = Url::parse(input).map_err(|error| bad(reason(error)))?;
    check_scheme(&url, input)?;
    check_parts(&url).map_err(bad)?;
    Ok(url)
}

/// The rules for a URL that hold for a typed one and for a redirect alike: a host is there, and
/// no user name or password, which would be sent to whoever answers and end up in logs.
pub(crate) fn check_parts(url: &Url) -> Result<(), &'static str> {
    if url.as_str().len() > URL_BYTES_MAX {
        return Err("it is longer than 8,192 bytes");
    }
    if url
        .host_str()
        .is_none_or(|host| host.trim_matches('.').is_empty())
    {
        return Err("it has no host name");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password, which are not sent");
    }
    Ok(())
}

fn check_scheme(url: &Url, input: &str) -> Result<(), FetchError> {
    let scheme = url.scheme();
    if matches!(scheme, "http" | "https") {
        return Ok(());
    }
    // `example.com:8080/x` and `localhost:8080` parse as a scheme and a path.
    let port_follows = url.path().starts_with(|c: char| c.is_ascii_digit());
    if scheme.contains('.') || (port_follows && !input.contains("://")) {
        return Err(FetchError::BadUrl {
            input: cut(input),
            why: "it does not begin with http:// or https://",
        });
    }
    Err(FetchError::Scheme {
        scheme: cut(scheme),
    })
}

fn reason(error: url::ParseError) -> &'static str {
    match error {
        url::ParseError::RelativeUrlWithoutBase => "it does not begin with http:// or https://",
        url::ParseError::EmptyHost => "it has no host name",
        url::ParseError::InvalidPort => "its port is no number from 0 to 65535",
        url::ParseError::InvalidIpv4Address | url::ParseError::InvalidIpv6Address => {
            "its IP address is malformed"
        }
        url::ParseError::IdnaError | url::ParseError::InvalidDomainCharacter => {
            "its host name is malformed"
        }
        _ => "it is malformed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_are_taken() {
        for (input, expected) in [
            ("https://jobs.example.com/1", "https://jobs.example.com/1"),
            (
                "  HTTP://Example.COM/A?b=c#d\n",
                "http://example.com/A?b=c#d",
            ),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://[::1]:9/", "http://[::1]:9/"),
            (
                "https://münchen.example/",
                "https://xn--mnchen-3ya.example/",
            ),
        ] {
            assert_eq!(classify(input).unwrap().as_str(), expected, "{input}");
        }
    }

    #[test]
    fn the_rest_is_refused_with_code_and_sentence() {
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        for (input, code, says) in [
            ("file:///etc/passwd", "scheme", "file:"),
            ("FILE:///etc/passwd", "scheme", "file:"),
            ("javascript:alert(1)", "scheme", "javascript:"),
            ("data:text/html,<p>x", "scheme", "data:"),
            ("ftp://example.com/", "scheme", "ftp:"),
            ("mailto:a@example.com", "scheme", "mailto:"),
            (r"C:\pages\job.html", "scheme", "c:"),
            ("", "bad_url", "empty"),
            ("   ", "bad_url", "empty"),
            ("example.com/jobs/1", "bad_url", "http://"),
            ("example.com:8080/jobs", "bad_url", "http://"),
            ("localhost:8080/jobs", "bad_url", "http://"),
            ("https://", "bad_url", "no host"),
            ("https://./", "bad_url", "no host"),
            ("https://example.com:99999/", "bad_url", "port"),
            ("http://[::1/", "bad_url", "malformed"),
            ("http://1.2.3.4.5/", "bad_url", "malformed"),
            (
                "https://a.example/x https://b.example/y",
                "bad_url",
                "more than one",
            ),
            (
                "https://a.example/x\nhttps://b.example/y",
                "bad_url",
                "more than one",
            ),
            ("https://a.example/\u{0}", "bad_url", "more than one"),
            ("https://ann:secret@example.com/", "bad_url", "password"),
            ("https://ann@example.com/", "bad_url", "user name"),
            (long.as_str(), "bad_url", "8,192"),
        ] {
            let error = classify(input).unwrap_err();
            assert_eq!(error.code(), code, "{input}");
            assert!(error.to_string().contains(says), "{input}: {error}");
            assert!(
                error.is_permanent() && error.hint().ends_with('.'),
                "{input}"
            );
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = classify("https://ann:secret@example.com/").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
