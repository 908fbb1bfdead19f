//! Which hosts may be asked: typed, by name, behind redirects, and when a name changes its mind.
//! Names and addresses are made up; every connection ends at a server on this machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::support::{MadeUpNetwork, Reply, Server, redirect, reply};
use ghostlight_fetch::{FetchError, Fetcher, Limits, PrivateAddresses, Setup};

const PUBLIC: &str = "93.184.215.14";

async fn page() -> Server {
    Server::start(|_| reply("200 OK", "", "the page")).await
}

fn fetcher(network: &Arc<MadeUpNetwork>, private_addresses: PrivateAddresses) -> Fetcher {
    let limits = Limits {
        private_addresses,
        ..Limits::default()
    };
    Fetcher::with_setup(
        limits,
        Setup {
            network: network.clone(),
            ..Setup::default()
        },
    )
    .unwrap()
}

/// Fetches `url` where `names` are known, and compares the error's code (`ok` for a page).
async fn check(names: &[(&str, &[&str])], url: &str, expected: &str) {
    let server = page().await;
    let network = MadeUpNetwork::new(server.address, names);
    let found = fetcher(&network, PrivateAddresses::WhenTyped)
        .get(url)
        .await;
    let code = found.as_ref().map_or_else(FetchError::code, |_| "ok");
    assert_eq!(code, expected, "{url} {names:?}: {found:?}");
    assert_eq!(
        server.requests().len(),
        usize::from(code == "ok"),
        "{url}: asked only when allowed"
    );
}

#[tokio::test]
async fn a_public_name_must_lead_to_public_addresses_only() {
    let name = "jobs.example.test";
    for (addresses, expected) in [
        (PUBLIC, "ok"),
        ("93.184.215.14 2606:4700::6810:84e5", "ok"),
        ("127.0.0.1", "private_address"),
        ("10.0.0.5", "private_address"),
        ("169.254.169.254", "private_address"),
        ("100.64.0.1", "private_address"),
        ("fd00::1", "private_address"),
        ("::ffff:192.168.0.1", "private_address"),
        ("64:ff9b::a00:1", "private_address"),
        ("192.0.2.1", "private_address"),
        ("93.184.215.14 10.0.0.5", "private_address"),
        ("0.0.0.0", "unusable_address"),
        ("224.0.0.1", "unusable_address"),
        ("", "dns"),
    ] {
        check(
            &[(name, &[addresses])],
            "http://jobs.example.test/1",
            expected,
        )
        .await;
    }
    check(&[], "http://jobs.example.test/1", "dns").await;
}

#[tokio::test]
async fn an_intranet_name_may_lead_inside_when_typed() {
    for name in ["wiki", "jobs.local", "hr.corp.internal", "nas.home.arpa"] {
        check(&[(name, &["10.0.0.5"])], &format!("http://{name}/1"), "ok").await;
        check(
            &[(name, &["0.0.0.0"])],
            &format!("http://{name}/1"),
            "unusable_address",
        )
        .await;
    }
}

#[tokio::test]
async fn a_typed_address_is_dialled_as_typed() {
    let server = page().await;
    let port = server.address.port();
    // Other spellings of 127.0.0.1, which the URL standard reads as such.
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "jobs.localhost",
    ] {
        let found = Fetcher::new(Limits::default())
            .unwrap()
            .get(&format!("http://{host}:{port}/"))
            .await;
        assert_eq!(found.unwrap().bytes, b"the page", "{host}");
    }
    for host in [
        "0.0.0.0",
        "[::]",
        "255.255.255.255",
        "224.0.0.1",
        "[ff02::1]",
    ] {
        check(&[], &format!("http://{host}:{port}/"), "unusable_address").await;
    }
}

#[tokio::test]
async fn localhost_is_never_looked_up() {
    let server = page().await;
    let network = MadeUpNetwork::new(server.address, &[("localhost", &[PUBLIC])]);
    fetcher(&network, PrivateAddresses::WhenTyped)
        .get("http://localhost/")
        .await
        .unwrap();
    assert!(network.looked_up.lock().unwrap().is_empty());
    let dialled: Vec<IpAddr> = network
        .dialled
        .lock()
        .unwrap()
        .iter()
        .map(SocketAddr::ip)
        .collect();
    assert_eq!(
        dialled,
        [
            "127.0.0.1".parse::<IpAddr>().unwrap(),
            "::1".parse().unwrap()
        ]
    );
}

#[tokio::test]
async fn a_server_for_others_fetches_nothing_private() {
    let server = page().await;
    let network = MadeUpNetwork::new(
        server.address,
        &[("wiki", &["10.0.0.5"]), ("jobs.example.test", &[PUBLIC])],
    );
    let strict = fetcher(&network, PrivateAddresses::Never);
    for url in [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://wiki/",
        "http://[fd00::1]/",
    ] {
        assert_eq!(
            strict.get(url).await.unwrap_err().code(),
            "private_address",
            "{url}"
        );
    }
    assert!(server.requests().is_empty());
    strict.get("http://jobs.example.test/").await.unwrap();
}

/// `http://jobs.example.test/` redirects to `target`; what does a fetch of it say?
async fn redirected(
    target: &'static str,
    names: &[(&str, &[&str])],
) -> (Result<Vec<u8>, FetchError>, Server) {
    let server = Server::start(move |path| match path {
        "/" => redirect(target),
        _ => reply("200 OK", "", "inner page"),
    })
    .await;
    let network = MadeUpNetwork::new(server.address, names);
    let found = fetcher(&network, PrivateAddresses::WhenTyped)
        .get("http://jobs.example.test/")
        .await;
    (found.map(|page| page.bytes), server)
}

#[tokio::test]
async fn a_public_page_can_not_redirect_inside() {
    let names: &[(&str, &[&str])] = &[
        ("jobs.example.test", &[PUBLIC]),
        ("inner.example.test", &["192.168.1.1"]),
        ("wiki", &["10.0.0.5"]),
        ("hr.internal", &["10.0.0.6"]),
    ];
    for (target, host) in [
        ("http://127.0.0.1/admin", "127.0.0.1"),
        ("http://2130706433/admin", "127.0.0.1"),
        ("http://[::1]/admin", "[::1]"),
        ("http://[::ffff:10.0.0.1]/admin", "[::ffff:a00:1]"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://localhost/admin", "localhost"),
        ("http://inner.example.test/admin", "inner.example.test"),
        ("http://wiki/admin", "wiki"),
        ("http://hr.internal/admin", "hr.internal"),
    ] {
        let (found, server) = redirected(target, names).await;
        let error = found.unwrap_err();
        assert_eq!(error.code(), "private_address", "{target}");
        let text = error.to_string();
        assert!(
            text.contains("http://jobs.example.test/ redirects to ") && text.contains(host),
            "{text}"
        );
        assert!(error.is_permanent());
        assert_eq!(server.requests().len(), 1, "{target} is not asked");
    }
    let (found, _) = redirected("http://0.0.0.0/admin", names).await;
    assert_eq!(found.unwrap_err().code(), "unusable_address");
}

#[tokio::test]
async fn a_public_page_can_redirect_to_another() {
    let names: &[(&str, &[&str])] = &[
        ("jobs.example.test", &[PUBLIC]),
        ("ats.example.test", &["8.8.4.4"]),
    ];
    let (found, server) = redirected("http://ats.example.test/1", names).await;
    assert_eq!(found.unwrap(), b"inner page");
    assert!(server.requests()[1].contains("\r\nhost: ats.example.test\r\n"));
}

#[tokio::test]
async fn a_typed_inner_page_can_redirect_within_its_host_only() {
    let server = Server::start(|path| match path {
        "/same" => redirect("/page"),
        "/other" => redirect("http://printer/page"),
        "/literal" => redirect("http://10.0.0.5/page"),
        _ => reply("200 OK", "", "the page"),
    })
    .await;
    let network = MadeUpNetwork::new(
        server.address,
        &[("wiki", &["10.0.0.5"]), ("printer", &["10.0.0.9"])],
    );
    let fetcher = fetcher(&network, PrivateAddresses::WhenTyped);
    assert_eq!(
        fetcher.get("http://wiki/same").await.unwrap().bytes,
        b"the page"
    );
    for path in ["/other", "/literal"] {
        let error = fetcher
            .get(&format!("http://wiki{path}"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "private_address", "{path}");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let server = Server::start(|path| match path {
        "/1" => redirect("/2"),
        _ => reply("200 OK", "", "the page"),
    })
    .await;
    // A rebinding name: public when it is checked, this machine ever after.
    let network = MadeUpNetwork::new(
        server.address,
        &[("jobs.example.test", &[PUBLIC, "127.0.0.1"])],
    );
    let fetcher = fetcher(&network, PrivateAddresses::WhenTyped);
    assert_eq!(
        fetcher
            .get("http://jobs.example.test/1")
            .await
            .unwrap()
            .bytes,
        b"the page"
    );
    assert_eq!(
        *network.looked_up.lock().unwrap(),
        ["jobs.example.test"],
        "one look-up for two hops"
    );
    let dialled = network.dialled.lock().unwrap().clone();
    assert_eq!(
        dialled,
        [SocketAddr::new(PUBLIC.parse().unwrap(), 80); 2],
        "the checked address is dialled"
    );
    let error = fetcher.get("http://jobs.example.test/1").await.unwrap_err();
    assert_eq!(error.code(), "private_address", "a new fetch asks anew");
}

#[tokio::test]
async fn only_the_first_sixteen_addresses_are_dialled_and_all_are_checked() {
    let server = page().await;
    let many = |last: &str| (1..=40).map(|n| format!("8.8.8.{n} ")).collect::<String>() + last;
    let network = MadeUpNetwork::new(
        server.address,
        &[
            ("many.example.test", &[many("").as_str()]),
            ("bad.example.test", &[many("10.0.0.1").as_str()]),
        ],
    );
    let fetcher = fetcher(&network, PrivateAddresses::WhenTyped);
    fetcher.get("http://many.example.test/").await.unwrap();
    assert_eq!(network.dialled.lock().unwrap().len(), 16);
    assert_eq!(
        fetcher
            .get("http://bad.example.test/")
            .await
            .unwrap_err()
            .code(),
        "private_address"
    );
}

#[tokio::test]
async fn the_silent_are_not_confused_with_the_refused() {
    let server = Server::start(|_| Reply::Bytes(Vec::new())).await;
    let network = MadeUpNetwork::new(server.address, &[("jobs.example.test", &[PUBLIC])]);
    let error = fetcher(&network, PrivateAddresses::WhenTyped)
        .get("http://jobs.example.test/")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "broken_reply");
}
