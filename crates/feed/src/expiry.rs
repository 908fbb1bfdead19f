//! When a token expires, as far as it says so itself: a JSON Web Token does (RFC 7519, `exp`), any other is opaque.
//!
//! Nothing is verified: that is the server's part. A wrong `exp` only makes us ask for a new token too early or too late.

use ghostlight_sync::frame::Secret;

/// The time of expiry, in seconds since 1970-01-01 UTC.
pub(crate) fn expiry(token: &Secret) -> Option<u64> {
    let mut parts = token.0.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims: serde_json::Value = serde_json::from_slice(&base64_url(claims)?).ok()?;
    let exp = claims.get("exp")?;
    // RFC 7519 allows fractions of a second.
    exp.as_u64().or_else(|| {
        let seconds = exp.as_f64().filter(|seconds| *seconds >= 0.0)?;
        Some(seconds as u64)
    })
}

/// RFC 4648, section 5, without padding, as RFC 7515 has it.
fn base64_url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for four in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for byte in four {
            bits = bits << 6 | u32::from(digit(*byte)?);
        }
        let missing = 4 - four.len() as u32;
        let three = (bits << (6 * missing)).to_be_bytes();
        bytes.extend_from_slice(match four.len() {
            4 => &three[1..],
            3 => &three[1..3],
            2 => &three[1..2],
            _ => return None,
        });
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_web_token_says_when_it_expires_and_nothing_else_does() {
        // The example of RFC 7519, section 3.1.
        let example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
            dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        for (token, expected) in [
            (example, Some(1_300_819_380)),
            // {"exp":1.9e9} and {"exp":-1}, {"exp":"soon"}, {}
            ("a.eyJleHAiOjEuOWU5fQ.b", Some(1_900_000_000)),
            ("a.eyJleHAiOi0xfQ.b", None),
            ("a.eyJleHAiOiJzb29uIn0.b", None),
            ("a.e30.b", None),
            ("a.e30", None),
            ("a.e30.b.c", None),
            ("a.e.b", None),
            ("a.\u{e4}\u{e4}.b", None),
            ("a..b", None),
            ("0123456789abcdef", None),
            ("", None),
        ] {
            assert_eq!(expiry(&Secret(token.into())), expected, "{token}");
        }
    }
}
