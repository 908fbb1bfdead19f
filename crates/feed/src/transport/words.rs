//! Why a server could not be reached, in words for people: what happened, to which server, what to do. What a library
//! said stands behind them, where it says more.

use super::{network, protocol};
use ghostlight_model::system::own_words;
use ghostlight_sync::connection::Failure;
use std::{error::Error, io};
use url::Url;

/// How a person lets this computer trust an authority.
const TRUST: &str = if cfg!(all(unix, not(target_vendor = "apple"))) {
    "if it is your organisation's own, add it to this computer's trusted authorities, or name its file in SSL_CERT_FILE"
} else {
    "if it is your organisation's own, add it to this computer's trusted authorities"
};

/// A server in a message: its host and port.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// No address for a name.
pub(super) fn unknown_host(host: &str, error: &dyn Error) -> Failure {
    network(format!(
        "no address is known for the name {host}; check how it is written, and this computer's network ({})",
        own_words(error)
    ))
}

/// No connection to an address.
pub(super) fn unreached(place: &str, error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    network(match error.kind() {
        Kind::ConnectionRefused => format!(
            "nothing answers at {place}: the connection is refused; check that the server runs, and its port"
        ),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
            format!("there is no way to {place} from here; check this computer's network")
        }
        Kind::TimedOut => {
            format!("{place} does not answer; check that the server runs, and its port")
        }
        _ => format!("{place} cannot be reached ({})", own_words(error)),
    })
}

/// No TLS with a server.
pub(super) fn insecure(place: &str, error: &(dyn Error + 'static)) -> Failure {
    network(match cause::<rustls::Error>(error) {
        Some(error) => tls(place, error),
        None => match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => not_tls(place),
            _ => format!("no safe connection to {place} ({})", root(error)),
        },
    })
}

fn not_tls(place: &str) -> String {
    format!(
        "what answers at {place} does not speak TLS; check the port, and whether this server has wss and https at all"
    )
}

fn tls(place: &str, error: &rustls::Error) -> String {
    use rustls::{CertificateError as Certificate, Error as Tls};
    let about = |what: &str| format!("the certificate of {place} {what}");
    match error {
        Tls::InvalidCertificate(Certificate::UnknownIssuer) => about(&format!(
            "is not trusted: this computer does not know the authority that issued it; {TRUST}"
        )),
        Tls::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            about(
                "has expired; it has to be renewed on the server, unless this computer's clock is wrong",
            )
        }
        Tls::InvalidCertificate(
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. },
        ) => about("is not valid yet; check this computer's clock"),
        Tls::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => about("was issued for another name; use the name that it was issued for"),
        Tls::InvalidCertificate(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            about(
                "is that of an authority itself, which no server may show; have one issued for this server by it",
            )
        }
        Tls::InvalidCertificate(other) => about(&format!("is not valid ({other})")),
        Tls::InvalidMessage(_) => not_tls(place),
        // What the verifier says where it finds none.
        Tls::General(what) if what.starts_with("No CA certificates") => format!(
            "no certificate can be checked, that of {place} neither: this computer has no list of trusted authorities; \
             install it (ca-certificates), or name a file of them in SSL_CERT_FILE"
        ),
        other => format!("no safe connection to {place} ({other})"),
    }
}

/// A request that got no answer, or an answer that broke off.
pub(super) fn broken(error: reqwest::Error) -> Failure {
    let place = error.url().map_or_else(|| "the server".to_owned(), place);
    let host = error
        .url()
        .and_then(Url::host_str)
        .unwrap_or_default()
        .to_owned();
    let error = error.without_url();
    if let Some(tls) = cause::<rustls::Error>(&error) {
        return insecure(&place, tls);
    }
    if !error.is_connect() {
        return network(match error.is_request() {
            true => format!(
                "what answers at {place} gave no answer that can be read; check the address and its port ({})",
                root(&error)
            ),
            false => format!("the connection to {place} broke ({})", root(&error)),
        });
    }
    // The library has no type for it.
    let looked_up = chain(&error).any(|one| one.to_string().starts_with("dns error"));
    match cause::<io::Error>(&error) {
        _ if looked_up => unknown_host(&host, root(&error)),
        Some(error) => unreached(&place, error),
        None => network(format!("{place} cannot be reached ({})", root(&error))),
    }
}

/// Whoever answers a request for a WebSocket with something that is no answer.
pub(super) fn no_websocket(place: &str, detail: &(dyn Error + 'static)) -> Failure {
    protocol(format!(
        "what answers at {place} has no WebSocket; check the address and its port ({})",
        root(detail)
    ))
}

/// Whoever takes a connection and says nothing.
pub(super) fn hung_up(place: &str) -> Failure {
    network(format!(
        "{place} took the connection and closed it without an answer; check the address and its port"
    ))
}

/// An error and everything behind it, also what an error of the system carries.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |one: &&'a (dyn Error + 'static)| {
        let one: &'a (dyn Error + 'static) = *one;
        let carried = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match carried {
            Some(carried) => Some(carried as &(dyn Error + 'static)),
            None => one.source(),
        }
    })
}

/// The last of a kind behind an error: the one nearest to the cause.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).filter_map(|one| one.downcast_ref()).last()
}

/// What all began with.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{CertificateError as Certificate, Error as Tls};

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_with_the_way_out() {
        let other = rustls::OtherError(std::sync::Arc::new(io::Error::other("CaUsedAsEndEntity")));
        for (error, words) in [
            (
                Tls::InvalidCertificate(Certificate::UnknownIssuer),
                ["h:7 is not trusted", "authorities"],
            ),
            (
                Tls::InvalidCertificate(Certificate::Expired),
                ["h:7 has expired", "clock"],
            ),
            (
                Tls::InvalidCertificate(Certificate::NotValidYet),
                ["not valid yet", "clock"],
            ),
            (
                Tls::InvalidCertificate(Certificate::NotValidForName),
                ["another name", "use the name"],
            ),
            (
                Tls::InvalidCertificate(Certificate::Other(other)),
                ["an authority itself", "issued for this server"],
            ),
            (
                Tls::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                ["h:7 does not speak TLS", "the port"],
            ),
            (
                Tls::General("No CA certificates were loaded from the system".into()),
                ["no list of trusted authorities", "SSL_CERT_FILE"],
            ),
        ] {
            // As it comes from a socket, and as it comes by itself.
            let carried = io::Error::new(io::ErrorKind::InvalidData, error.clone());
            for failure in [insecure("h:7", &carried), insecure("h:7", &error)] {
                let message = failure.message;
                assert!(words.iter().all(|word| message.contains(word)), "{message}");
                assert!(!message.contains("Certificate("), "{message}");
            }
        }
    }

    #[test]
    fn why_nobody_answers_is_said_with_the_way_out() {
        for (kind, words) in [
            (
                io::ErrorKind::ConnectionRefused,
                ["nothing answers at h:7", "its port"],
            ),
            (
                io::ErrorKind::NetworkUnreachable,
                ["no way to h:7", "network"],
            ),
            (io::ErrorKind::TimedOut, ["h:7 does not answer", "its port"]),
        ] {
            let message = unreached("h:7", &kind.into()).message;
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
        }
    }
}
