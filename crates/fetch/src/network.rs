//! The network as the fetcher sees it: names to addresses, and where a checked address is dialled.
//!
//! [`SystemNetwork`] is the real one. Tests give their own [`Network`] to try the address rules
//! without a name server and without leaving the machine.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// An answer to a look-up, some time from now.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Names to addresses. One look-up per host and fetch; its answer is checked, then dialled.
pub trait Network: Debug + Send + Sync {
    /// All addresses of `host`, in the order to try. An empty answer counts as not found.
    fn lookup<'a>(&'a self, host: &'a str) -> Lookup<'a>;

    /// Where to dial for the address `checked`, which has passed the rules. The real network
    /// dials that very address; a simulated one leads it to a local server. The port counts only
    /// where the URL names none, and hosts that are IP addresses are dialled without asking.
    fn route(&self, checked: SocketAddr) -> SocketAddr {
        checked
    }
}

/// The operating system's resolver and the real network.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemNetwork;

impl Network for SystemNetwork {
    fn lookup<'a>(&'a self, host: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Answers any name with the addresses that were checked, so that connecting makes no second
/// look-up, whose answer could differ (DNS rebinding).
#[derive(Debug, Clone)]
pub(crate) struct Pinned(pub(crate) Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_answers_and_refuses() {
        // Numbers and an impossible name need no name server.
        let found = SystemNetwork.lookup("127.0.0.1").await.unwrap();
        assert_eq!(found, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
        assert!(SystemNetwork.lookup("no\0name").await.is_err());
        let same = SocketAddr::from(([8, 8, 8, 8], 443));
        assert_eq!(SystemNetwork.route(same), same);
    }
}
