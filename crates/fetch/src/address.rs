//! Which kind of network an address belongs to, and which names may stand for private ones.
//!
//! [`AddressClass::of`] follows the IANA special-purpose registries (RFC 6890 and its updates).
//! Anything it cannot name as public counts as not public, so a new special range fails closed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The kind of network an IP address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClass {
    /// Reachable on the internet.
    Public,
    /// This very machine: `127.0.0.0/8`, `::1`.
    Loopback,
    /// A private network: RFC 1918, unique local IPv6 (RFC 4193), site-local, local NAT64 prefix.
    Private,
    /// One link only: `169.254.0.0/16` (cloud metadata lives there), `fe80::/10`.
    LinkLocal,
    /// A provider's inner network: `100.64.0.0/10` (RFC 6598).
    CarrierNat,
    /// Kept for examples in documents: RFC 5737, RFC 3849, RFC 9637.
    Documentation,
    /// Kept for measuring networks: `198.18.0.0/15` (RFC 2544).
    Benchmark,
    /// No particular host: `0.0.0.0/8`, `::`.
    Unspecified,
    /// A group of hosts: `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// Set aside by IANA, broadcast, or outside the unicast range.
    Reserved,
}

impl AddressClass {
    /// The class of `address`. An IPv6 address that carries an IPv4 address (mapped, compatible,
    /// NAT64 `64:ff9b::/96`, 6to4 `2002::/16`) has the class of the address it carries.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    /// Whether anybody on the internet can reach it.
    #[must_use]
    pub fn is_public(self) -> bool {
        self == Self::Public
    }

    /// Whether it can name one host at all; the others are refused even when typed.
    #[must_use]
    pub fn is_host(self) -> bool {
        !matches!(self, Self::Unspecified | Self::Multicast | Self::Reserved)
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [169, 254, ..] => Self::LinkLocal,
            [100, 64..=127, ..] => Self::CarrierNat,
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Documentation,
            [198, 18..=19, ..] => Self::Benchmark,
            // Protocol assignments (RFC 6890) and the withdrawn 6to4 relays (RFC 7526).
            [192, 0, 0, _] | [192, 88, 99, _] => Self::Reserved,
            [224..=239, ..] => Self::Multicast,
            [240..=255, ..] => Self::Reserved,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address.is_unspecified() {
            return Self::Unspecified;
        }
        if address.is_loopback() {
            return Self::Loopback;
        }
        if let Some(inner) = embedded_v4(address) {
            return Self::of_v4(inner);
        }
        match address.segments() {
            [0xff00..=0xffff, ..] => Self::Multicast,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xfec0..=0xfeff, ..] | [0xfc00..=0xfdff, ..] | [0x64, 0xff9b, 1, ..] => Self::Private,
            [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Self::Documentation,
            // IETF protocol assignments, Teredo among them, which hides an IPv4 address.
            [0x2001, 0..=0x01ff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "this computer itself",
            Self::Private => "a private network",
            Self::LinkLocal => "a link-local address",
            Self::CarrierNat => "a provider's inner network",
            Self::Documentation => "an address kept for documentation",
            Self::Benchmark => "an address kept for network tests",
            Self::Unspecified => "no particular host",
            Self::Multicast => "a multicast group",
            Self::Reserved => "a reserved address",
        })
    }
}

/// Whether `name` is one that stands for an inner network by its form, so that somebody who
/// types it means a private address: a single label (`wiki`), `localhost` and below (RFC 6761),
/// `.local` (RFC 6762), `.home.arpa` (RFC 8375), `.internal` (reserved by ICANN for this).
///
/// Every other name is public by its form, and may not lead to a private address.
#[must_use]
pub fn is_intranet_name(name: &str) -> bool {
    let name = bare(name);
    let below = |suffix: &str| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
    };
    !name.is_empty()
        && (!name.contains('.')
            || ["localhost", "local", "home.arpa", "internal"]
                .iter()
                .any(|s| below(s)))
}

/// Whether `name` means this computer without asking any name server (RFC 6761, section 6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = bare(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether the host of `url` may be a private address, provided that a person typed it.
pub(crate) fn may_be_private_when_typed(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => is_intranet_name(name),
        None => false,
    }
}

/// A name in lower case without the root's dot; the `url` crate has lowered it already.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        // Translated, RFC 2765; then NAT64, RFC 6052.
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4, RFC 3056.
        | [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::AddressClass::*;
    use super::*;

    #[test]
    fn each_range_has_its_class() {
        let table = [
            (
                Public,
                "8.8.8.8 93.184.215.14 1.1.1.1 172.15.255.255 172.32.0.0 100.63.255.255 100.128.0.0",
            ),
            (
                Public,
                "192.0.1.0 198.17.255.255 198.20.0.0 223.255.255.255 126.255.255.255 128.0.0.0 11.0.0.0",
            ),
            (
                Loopback,
                "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::",
            ),
            (
                Private,
                "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 ::ffff:10.0.0.1",
            ),
            (
                Private,
                "fc00::1 fdff:ffff::1 fec0::1 64:ff9b:1::a00:1 64:ff9b::a00:1 2002:a00:1::5 ::10.1.2.3",
            ),
            (Private, "::ffff:0:192.168.0.1"),
            (
                LinkLocal,
                "169.254.169.254 fe80::1 febf::1 ::ffff:169.254.169.254 2002:a9fe:a9fe::1",
            ),
            (CarrierNat, "100.64.0.0 100.127.255.255 64:ff9b::6440:1"),
            (
                Documentation,
                "192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 3fff::1 3fff:fff::1",
            ),
            (Benchmark, "198.18.0.0 198.19.255.255 ::ffff:198.18.0.1"),
            (Unspecified, "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0"),
            (Multicast, "224.0.0.1 239.255.255.255 ff02::1"),
            (
                Reserved,
                "240.0.0.1 255.255.255.255 192.0.0.8 192.88.99.1 2001::1 2001:2::1 100::1 4000::1 5f00::1",
            ),
            (
                Public,
                "2001:4860:4860::8888 2606:2800:21f:cb07:6820:80da:af6b:8b2c 3fff:1000::1 64:ff9b::808:808",
            ),
            (Public, "::ffff:8.8.8.8 2002:808:808::1 2001:200::1"),
        ];
        for (class, addresses) in table {
            for address in addresses.split(' ') {
                assert_eq!(
                    AddressClass::of(address.parse().unwrap()),
                    class,
                    "{address}"
                );
            }
        }
    }

    #[test]
    fn only_the_classes_of_one_host_can_be_typed() {
        for class in [
            Public,
            Loopback,
            Private,
            LinkLocal,
            CarrierNat,
            Documentation,
            Benchmark,
        ] {
            assert!(class.is_host(), "{class:?}");
        }
        for class in [Unspecified, Multicast, Reserved] {
            assert!(!class.is_host(), "{class:?}");
        }
    }

    #[test]
    fn intranet_names_are_known_by_their_form() {
        for name in [
            "localhost",
            "localhost.",
            "a.localhost",
            "wiki",
            "jobs.local",
            "hr.corp.internal",
            "nas.home.arpa",
        ] {
            assert!(is_intranet_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "example.com",
            "notlocal.example",
            "mylocal.net",
            "a.xlocal",
            "internal.example.org",
            ".local",
        ] {
            assert!(!is_intranet_name(name), "{name}");
        }
    }
}
