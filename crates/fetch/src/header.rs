//! The few reply headers that matter here: media type, charset, when to try again.

use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};

use crate::error::cut;

/// The longest wait a server may ask for, a week; a longer one is cut to it, since a schedule
/// should not be switched off by one reply.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The media type in lower case without parameters (`text/html`), and the `charset` parameter in
/// lower case without quotes (RFC 9110, section 8.3). An empty one counts as absent.
pub(crate) fn content_type(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return (None, None);
    };
    let value = String::from_utf8_lossy(value.as_bytes());
    let mut parts = value.split(';');
    let media_type = parts.next().and_then(filled);
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .and_then(|(_, label)| filled(label.trim().trim_matches(['"', '\''])));
    (media_type, charset)
}

/// The packing that is still on the body. The HTTP client drops the header where it unpacks, so
/// what is left is one that nobody asked for, and the bytes would be no page.
pub(crate) fn left_packed(headers: &HeaderMap) -> Option<String> {
    let packing = filled(&String::from_utf8_lossy(
        headers.get(CONTENT_ENCODING)?.as_bytes(),
    ))?;
    (packing != "identity").then(|| cut(&packing))
}

/// How long the server asks to wait (RFC 9110, section 10.2.3). A date is measured against the
/// reply's own `Date`, so that neither clock has to be right.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
            httpdate::parse_http_date(value)
                .ok()?
                .duration_since(now)
                .ok()?
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for (value, media_type, charset) in [
            ("text/html", Some("text/html"), None),
            ("Text/HTML; Charset=UTF-8", Some("text/html"), Some("utf-8")),
            (
                "text/html;charset=\"windows-1252\"",
                Some("text/html"),
                Some("windows-1252"),
            ),
            (
                "text/html; boundary=x; charset='koi8-r'",
                Some("text/html"),
                Some("koi8-r"),
            ),
            ("text/html; charset=", Some("text/html"), None),
            ("; charset=utf-8", None, Some("utf-8")),
            ("", None, None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]);
            let (found_type, found_charset) = content_type(&headers);
            assert_eq!(
                (found_type.as_deref(), found_charset.as_deref()),
                (media_type, charset),
                "{value}"
            );
        }
        assert_eq!(content_type(&HeaderMap::new()), (None, None));
    }

    #[test]
    fn waits() {
        let date = "Sat, 21 Nov 2026 10:00:00 GMT";
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999", Some(7 * 24 * 3600)),
            ("Sat, 21 Nov 2026 10:00:30 GMT", Some(30)),
            ("Sat, 21 Nov 2026 09:59:30 GMT", None),
            ("-5", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([
                (RETRY_AFTER, value.parse().unwrap()),
                (DATE, date.parse().unwrap()),
            ]);
            assert_eq!(
                retry_after(&headers),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
        let undated = HeaderMap::from_iter([(RETRY_AFTER, date.parse().unwrap())]);
        assert_eq!(retry_after(&undated), None);
    }
}
