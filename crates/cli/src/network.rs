//! Whether there is a network, for `watch`: whether the system knows a way to the server, or to anywhere.
//!
//! The window hears it from its page, which asks the system. Here it is asked by connecting a UDP socket: that sends
//! nothing, and fails where no route leads. It needs no library, and no word of a service that may not run.

use ghostlight_engine::feeds::{
    Remote,
    feed::{Command, Endpoint},
};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket},
    thread,
    time::Duration,
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Addresses that nobody has (RFC 5737, RFC 3849): a way there is a way to everywhere.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];
/// Any port: nothing is sent.
const PORT: u16 = 9;

/// Tells a feed when the network goes and comes back, for as long as the program runs. One on this computer needs none.
///
/// # Errors
/// If no thread can be started.
pub(crate) fn listen(endpoint: &Endpoint, remote: Remote) -> io::Result<()> {
    let url = endpoint.url();
    let host = url
        .host_str()
        .map(|host| host.trim_matches(['[', ']']).to_owned());
    let Some(host) = host.filter(|_| !endpoint.is_loopback()) else {
        return Ok(());
    };
    let listen = move || {
        let mut heard = Heard::default();
        loop {
            if let Some(online) = heard.now(is_online(&host)) {
                remote.command(Command::Network { online });
            }
            thread::sleep(LOOK_EVERY);
        }
    };
    let thread = thread::Builder::new().name("network".into());
    thread.spawn(listen).map(drop)
}

/// What was told last; a network is there until it is known that there is none.
struct Heard(bool);

impl Default for Heard {
    fn default() -> Self {
        Self(true)
    }
}

impl Heard {
    /// What is to be told now; the same twice is no news, and would have a feed that waits try again at once.
    fn now(&mut self, online: bool) -> Option<bool> {
        (std::mem::replace(&mut self.0, online) != online).then_some(online)
    }
}

/// A network without a way out still has a way to what is in it; its names are only asked for then.
fn is_online(host: &str) -> bool {
    let elsewhere = ELSEWHERE.into_iter().map(|ip| SocketAddr::new(ip, PORT));
    let named = || (host, PORT).to_socket_addrs().into_iter().flatten();
    elsewhere.into_iter().any(has_way) || named().any(has_way)
}

fn has_way(to: SocketAddr) -> bool {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let connected = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect(to));
    match connected {
        Ok(()) => true,
        // Also where there is no IPv6 at all.
        Err(_) if to.is_ipv6() => false,
        // Whatever else forbids to ask, it does not say that there is no network.
        Err(error) => !matches!(
            error.kind(),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_told() {
        let mut heard = Heard::default();
        let told = [true, false, false, true, true].map(|online| heard.now(online));
        assert_eq!(told, [None, Some(false), None, Some(true), None]);
    }

    #[test]
    fn there_is_always_a_way_to_this_computer() {
        assert!(has_way(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT)));
        assert!(is_online("localhost"));
    }
}
