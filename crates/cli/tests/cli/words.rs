//! Errors as people read them: what happened, to what, what to do; what a library says stands behind that at most.

use crate::{
    hub::Running,
    program::{Ghostlight, finish, fixture},
    server::{Reply, Server},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
};

/// What libraries say to programmers.
const RAW: [&str; 9] = [
    "os error",
    "invalid digit",
    "socket address syntax",
    "CaUsedAsEndEntity",
    "InvalidContentType",
    "error sending request",
    "relative URL",
    "httparse",
    "no items found",
];

fn is_for_people(what: &str, text: &str) {
    for raw in RAW {
        assert!(!text.contains(raw), "{what}: {raw:?} in {text}");
    }
}

/// A server that answers the first bytes of everybody with these and hangs up.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let _ = socket.read(&mut [0; 4_096]);
            let _ = socket.write_all(bytes);
        }
    });
    address
}

#[test]
fn why_a_feed_cannot_be_followed() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap().to_string();
    drop(closed);
    let web = Server::start(|path| match path {
        "/page" => Reply::page("<h1>hello</h1>"),
        "/moved" => Reply::redirect("/page"),
        _ => Reply::status("404 Not Found"),
    });
    let (ssh, mute) = (answering(b"SSH-2.0-server\r\n"), answering(b""));
    let page = web.url("/page");
    let ws = |url: &str| url.replace("http://", "ws://");
    let ghostlight = Ghostlight::new();
    for (url, words) in [
        (
            "ws://no-such-host.invalid/x".to_owned(),
            ["no-such-host.invalid", "how it is written"],
        ),
        (
            "http://no-such-host.invalid/x".to_owned(),
            ["no-such-host.invalid", "how it is written"],
        ),
        (format!("ws://{nobody}/x"), ["nothing answers", "its port"]),
        (
            format!("http://{nobody}/x"),
            ["nothing answers", "its port"],
        ),
        (format!("wss://{ssh}/x"), ["does not speak TLS", "the port"]),
        (
            format!("https://{ssh}/x"),
            ["does not speak TLS", "the port"],
        ),
        (format!("ws://{ssh}/x"), ["has no WebSocket", "its port"]),
        (
            format!("http://{ssh}/x"),
            ["no answer that can be read", "its port"],
        ),
        (format!("ws://{mute}/x"), ["without an answer", "its port"]),
        (page.clone(), ["no event stream", "the path"]),
        (ws(&page), ["HTTP 200", "check it"]),
        (web.url("/none"), ["HTTP 404", "the path"]),
        (web.url("/moved"), ["another address", "use it"]),
        (
            "foo".to_owned(),
            ["nothing like ws://", "ws://host:port/v1"],
        ),
        ("ws://".to_owned(), ["no host", "ws://host:port/v1"]),
        ("ws://h:99999/".to_owned(), ["65535", "ws://host:port/v1"]),
    ] {
        let mut command = ghostlight.command(&["watch", &url]);
        command.env("GHOSTLIGHT_RECONNECT", "0");
        let done = finish(command, |_| Ok(()));
        done.refused(&url, 2, &words);
        is_for_people(&url, &done.err);
    }
}

#[test]
fn what_is_wrong_with_a_command_or_a_file() {
    let ghostlight = Ghostlight::new();
    assert_eq!(ghostlight.analyze(&fixture("full.html")).0.code, 0);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (there, nothing, page) = (file("there"), file("nothing"), fixture("full.html"));
    fs::write(&there, "").unwrap();
    let no_file = "there is no such file";
    for (args, code, words) in [
        (vec!["verify", &nothing], 2, [no_file, "Check the name"]),
        (vec!["import", &nothing], 2, [no_file, "Check the name"]),
        (
            vec!["analyze", &nothing],
            2,
            [no_file, "Check that the file"],
        ),
        (
            vec!["hub", "--tokens", &nothing],
            2,
            [no_file, "one token a line"],
        ),
        (
            vec!["hub", "--tls-cert", &nothing, "--tls-key", &nothing],
            2,
            [no_file, "nothing"],
        ),
        (
            vec!["hub", "--tls-cert", &page, "--tls-key", &page],
            2,
            ["full.html", "PEM"],
        ),
        (
            vec!["hub", "--listen", "here"],
            2,
            ["127.0.0.1:7443", "port"],
        ),
        (
            vec!["hub", "--connections", "0"],
            2,
            ["whole number", "1000000"],
        ),
        (
            vec!["hub", "--requests-each", "x"],
            2,
            ["whole number", "1000000"],
        ),
        (
            vec!["demo-feed", "--rate", "x"],
            2,
            ["whole number", "100000"],
        ),
        (
            vec!["watch", "ws://h/", "--count", "x"],
            2,
            ["whole number", "1 on"],
        ),
        (
            vec!["export", "--format", "csv", "--limit", "x"],
            2,
            ["whole number", "--limit"],
        ),
        (
            vec!["archive", "--older-than", "x"],
            2,
            ["whole number", "--older-than"],
        ),
        (
            vec!["export", "--format", "csv", "-o", &there],
            2,
            ["already", "--overwrite"],
        ),
        (
            vec!["archive", "--restore", "nope"],
            1,
            ["nope", "look again"],
        ),
    ] {
        let done = ghostlight.run(&args);
        let what = args.join(" ");
        done.refused(&what, code, &words);
        is_for_people(&what, &done.err);
        // What only the window has.
        assert!(
            !done.err.to_lowercase().contains("reload"),
            "{what}: {}",
            done.err
        );
    }
}

#[test]
fn a_data_folder_that_is_a_file_is_named() {
    let (ghostlight, folder) = (Ghostlight::new(), tempfile::tempdir().unwrap());
    let there = folder.path().join("there");
    fs::write(&there, "").unwrap();
    let mut command = std::process::Command::new(ghostlight.command(&[]).get_program());
    command
        .args(["analyze", &fixture("full.html")])
        .env("GHOSTLIGHT_DATA", &there);
    let done = finish(command, |_| Ok(()));
    done.refused(
        "a file",
        3,
        &["there: this is a file, not a folder", "--data"],
    );
    is_for_people("a file", &done.err);
}

/// An authority of one's own and a certificate that it issued: `NAME-ca.pem`, `NAME.pem`, `NAME.key`.
fn authority(folder: &Path, name: &str) {
    let mut about = CertificateParams::new(Vec::new()).unwrap();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    about.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    about
        .distinguished_name
        .push(DnType::CommonName, format!("{name} authority"));
    let key = KeyPair::generate().unwrap();
    let authority = about.self_signed(&key).unwrap();
    let issuer = Issuer::new(about, key);
    let server_key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let server = CertificateParams::new(names).unwrap();
    let server = server.signed_by(&server_key, &issuer).unwrap();
    let write =
        |end: &str, text: String| fs::write(folder.join(format!("{name}{end}")), text).unwrap();
    write("-ca.pem", authority.pem());
    write(".pem", server.pem());
    write(".key", server_key.serialize_pem());
}

/// As on a network with an authority of its own: feeds and pages trust whom the system, or SSL_CERT_FILE, says.
#[cfg(target_os = "linux")]
#[test]
fn an_authority_of_ones_own_is_trusted_where_the_system_is_told_to() {
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    authority(files.path(), "ours");
    authority(files.path(), "theirs");
    fs::write(file("none.pem"), "").unwrap();
    let serving = Ghostlight::new();
    let (cert, key) = (file("ours.pem"), file("ours.key"));
    let hub = Running::start(serving.command(&["hub", "--tls-cert", &cert, "--tls-key", &key]));
    let run = |args: &[&str], trusted: &str| {
        let client = Ghostlight::new();
        let mut command = client.command(args);
        command
            .env("SSL_CERT_FILE", file(trusted))
            .env_remove("SSL_CERT_DIR")
            .env("GHOSTLIGHT_FEED_TOKEN", &hub.token)
            .env("GHOSTLIGHT_RECONNECT", "off");
        finish(command, |_| Ok(()))
    };
    let page = hub
        .url
        .replace("wss:", "https:")
        .replace("/v1", "/health/live");
    for url in [hub.url.clone(), hub.url.replace("127.0.0.1", "localhost")] {
        let done = run(&["watch", &url, "--json", "--idle", "0.3"], "ours-ca.pem");
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.out.contains(r#""state":"connected""#), "{done:?}");
        for (trusted, words) in [
            ("theirs-ca.pem", ["is not trusted", "SSL_CERT_FILE"]),
            (
                "none.pem",
                ["no list of trusted authorities", "SSL_CERT_FILE"],
            ),
        ] {
            let done = run(&["watch", &url], trusted);
            done.refused(&url, 2, &words);
            is_for_people(&url, &done.err);
        }
    }
    // The page is no posting, and it was read.
    let issue = |trusted: &str| {
        let done = run(&["analyze", &page, "--json"], trusted);
        is_for_people(&page, &done.err);
        done.objects()[0]["issues"][0]["code"].clone()
    };
    assert_eq!(issue("ours-ca.pem"), "unknown_json");
    assert_eq!(issue("theirs-ca.pem"), "tls");
}
