//! Redirects by hand: where a reply leads, and whether going there is allowed.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use crate::error::{FetchError, UrlChain, cut};
use crate::input::check_parts;

/// Whether the status is one that names another address (RFC 9110, section 15.4). The others of
/// the family (300, 304, 305, 306) name none that could be followed.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The next URL after `chain`, whose first is the typed one and whose last gave this reply.
/// The address rules come later, when the host is looked up.
pub(crate) fn next_url(
    chain: &[Url],
    headers: &HeaderMap,
    redirects_max: usize,
) -> Result<Url, FetchError> {
    let (Some(typed), Some(from)) = (chain.first(), chain.last()) else {
        return Err(FetchError::Setup {
            source: "a redirect without a request".into(),
        });
    };
    let to = target(from, headers)?;
    let lengthened = || UrlChain(chain.iter().chain([&to]).cloned().collect());
    // Who typed http has accepted a page that anybody on the way can read; who typed https has not.
    if from.scheme() == "https" && to.scheme() == "http" && typed.scheme() == "https" {
        return Err(FetchError::Downgrade {
            from: Box::new(from.clone()),
            to: Box::new(to),
        });
    }
    if chain.iter().any(|seen| same_request(seen, &to)) {
        return Err(FetchError::RedirectLoop {
            chain: lengthened(),
        });
    }
    if chain.len() > redirects_max {
        return Err(FetchError::TooManyRedirects {
            limit: redirects_max,
            chain: lengthened(),
        });
    }
    Ok(to)
}

fn target(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let location = headers
        .get(LOCATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let location = location.unwrap_or_default();
    let bad = |why| FetchError::BadRedirect {
        from: Box::new(from.clone()),
        location: cut(&location),
        why,
    };
    if location.trim().is_empty() {
        return Err(bad("it names no address"));
    }
    let to = from
        .join(location.trim())
        .map_err(|_| bad("the address is malformed"))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(bad("only http and https are followed"));
    }
    check_parts(&to).map_err(bad)?;
    Ok(to)
}

/// The fragment never reaches the server, so it makes no new request.
fn same_request(a: &Url, b: &Url) -> bool {
    let bare = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chain: &[&str], location: Option<&str>, expected: Result<&str, &str>) {
        let chain: Vec<Url> = chain.iter().map(|url| url.parse().unwrap()).collect();
        let headers = location.map(|value| (LOCATION, value.parse().unwrap()));
        let found = next_url(&chain, &HeaderMap::from_iter(headers), 2);
        let found = found.as_ref().map(Url::as_str).map_err(FetchError::code);
        assert_eq!(found, expected, "{location:?}");
    }

    #[test]
    fn where_a_reply_leads() {
        let a = "https://a.example/x/y?q";
        check(&[a], Some("/z"), Ok("https://a.example/z"));
        check(&[a], Some(" z "), Ok("https://a.example/x/z"));
        check(&[a], Some("//b.example/"), Ok("https://b.example/"));
        check(&[a], Some("http://a.example/"), Err("downgrade"));
        check(
            &["http://a.example/", a],
            Some("http://b.example/"),
            Ok("http://b.example/"),
        );
        check(
            &["http://a.example/"],
            Some("https://a.example/"),
            Ok("https://a.example/"),
        );
        check(&[a], Some("?q#other"), Err("redirect_loop"));
        check(&[a, "https://a.example/2"], Some(a), Err("redirect_loop"));
        check(
            &[a, "https://a.example/2"],
            Some("/3"),
            Ok("https://a.example/3"),
        );
        check(
            &[a, "https://a.example/2", "https://a.example/3"],
            Some("/4"),
            Err("too_many_redirects"),
        );
        for bad in [
            None,
            Some(""),
            Some("javascript:x"),
            Some("file:///etc"),
            Some("https://"),
            Some("https://u:p@b.example/"),
        ] {
            check(&[a], bad, Err("bad_redirect"));
        }
    }
}
