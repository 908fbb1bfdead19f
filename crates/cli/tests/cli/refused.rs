//! Bad input: each ends with its code and a sentence that says what and what next, and nothing is lost.

use crate::program::{Done, Ghostlight, fixture};
use crate::server::{Reply, Server, refusing_url};
use serde_json::{Value, json};
use std::io::Write;

/// No input may take more memory than this, in bytes.
const MEMORY_MAX: u64 = 400 * 1024 * 1024;

/// The most that is read of a file, standard input or a paste, in bytes.
const INPUT_MAX: usize = 64 * 1024 * 1024;

/// The most that is read of a web page, in bytes.
const PAGE_MAX: usize = 8 * 1024 * 1024;

#[test]
fn files_that_are_no_postings_say_so_and_nothing_is_lost() {
    let ghostlight = Ghostlight::new();
    let inputs = tempfile::tempdir().unwrap();
    let (good, _) = ghostlight.analyze(&fixture("full.html"));
    assert_eq!(good.code, 0);
    let made = |name: &str, bytes: &[u8]| {
        let path = inputs.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let picture = made(
        "picture.png",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0",
    );
    let zeros = made("zeros.html", &[0; 10_000]);
    let json = made("other.json", br#"{"weather": [{"day": 1, "rain": true}]}"#);
    let absent = inputs
        .path()
        .join("absent.html")
        .to_str()
        .unwrap()
        .to_owned();
    let folder = inputs.path().to_str().unwrap().to_owned();
    for (input, code, issue, node, words) in [
        (
            fixture("empty.html"),
            2,
            "empty",
            "PARSE",
            ["empty", "paste"],
        ),
        (picture, 2, "binary", "PARSE", ["picture.png", "HTML"]),
        (zeros, 2, "binary", "PARSE", ["zeros.html", "HTML"]),
        (
            json,
            1,
            "unknown_json",
            "PARSE",
            ["other.json", "Greenhouse"],
        ),
        (
            fixture("login-wall.html"),
            1,
            "login_wall",
            "PARSE",
            ["sign in", "save"],
        ),
        (
            fixture("captcha.html"),
            1,
            "captcha",
            "PARSE",
            ["check", "browser"],
        ),
        (
            fixture("not-a-posting.html"),
            1,
            "not_a_posting",
            "PARSE",
            ["posting", "job"],
        ),
        (
            fixture("removed.html"),
            1,
            "removed",
            "PARSE",
            ["no such posting", "saved copy"],
        ),
        (absent, 2, "unreadable", "FETCH", ["absent.html", "exists"]),
        (folder, 2, "folder", "FETCH", ["folder", "files inside"]),
    ] {
        let (done, objects) = ghostlight.analyze(&input);
        done.refused(&input, code, &words);
        is_failure(&objects, node, issue);
    }
    assert_eq!(ghostlight.healthy()["postings"], 1);
}

#[test]
fn damaged_encodings_are_read_and_said() {
    let ghostlight = Ghostlight::new();
    for (name, title, salary, code) in [
        (
            "latin1-declared-utf8.html",
            "Pastry Chef",
            2150,
            "wrong_charset",
        ),
        (
            "invalid-utf8.html",
            "Lighthouse Keeper",
            2300,
            "invalid_utf8",
        ),
    ] {
        let (done, objects) = ghostlight.analyze(&fixture(name));
        assert_eq!(done.code, 0, "{done:?}");
        let object = &objects[0];
        assert_eq!(object["fields"]["title"]["value"], title);
        assert_eq!(object["fields"]["salary"]["value"]["min"], salary);
        let issue = &object["issues"][0];
        assert_eq!(
            (&issue["node"], &issue["code"]),
            (&json!("PARSE"), &json!(code)),
            "{name}"
        );
        assert!(!issue["hint"].is_null(), "{name}: {issue}");
    }
}

#[test]
fn fifty_megabytes_of_page_take_bounded_memory() {
    let page = std::fs::read_to_string(fixture("full.html")).unwrap();
    let filler = "<p>Another harbour asks, and another answer is there in time.</p>\n";
    let many = filler.repeat(50_000_000 / filler.len());
    let page = page.replace("</main>", &format!("{many}</main>"));
    assert!(page.len() > 50_000_000);
    let done = Ghostlight::new().run_with(&["analyze", "-", "--json"], page.as_bytes());
    eprintln!("50 MB of HTML: {} MB at most", done.peak / 1_000_000);
    no_panic("50 MB", &done);
    assert_eq!(done.code, 0, "{}", done.err);
    let object = done.objects().remove(0);
    assert_eq!(
        object["fields"]["title"]["value"],
        "Senior Backend Engineer"
    );
}

#[test]
fn a_line_of_a_gigabyte_is_not_read_to_its_end() {
    let done = crate::program::finish(
        Ghostlight::new().command(&["analyze", "-", "--json"]),
        |stdin| {
            let chunk = vec![b'x'; 1 << 20];
            (0..1024).try_for_each(|_| stdin.write_all(&chunk))
        },
    );
    eprintln!(
        "1 GB on standard input: {} MB at most",
        done.peak / 1_000_000
    );
    done.refused("1 GB", 2, &["standard input", "64 MiB", "split"]);
    assert!(done.peak < MEMORY_MAX, "{} bytes", done.peak);

    let detect = crate::program::finish(
        Ghostlight::new().command(&["detect", "--field", "salary"]),
        |stdin| {
            let chunk = vec![b'x'; 1 << 20];
            (0..1024).try_for_each(|_| stdin.write_all(&chunk))
        },
    );
    detect.refused("1 GB", 2, &["line", "analyze -"]);
    assert!(detect.peak < MEMORY_MAX, "{} bytes", detect.peak);
}

#[test]
fn a_file_beyond_the_cap_is_refused() {
    let inputs = tempfile::tempdir().unwrap();
    let path = inputs.path().join("huge.html");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"<h1>Job</h1>").unwrap();
    file.set_len(INPUT_MAX as u64 + 1).unwrap();
    let (done, objects) = Ghostlight::new().analyze(path.to_str().unwrap());
    done.refused("a huge file", 2, &["huge.html", "64 MiB", "split"]);
    is_failure(&objects, "FETCH", "too_large");
    assert!(done.peak < MEMORY_MAX, "{} bytes", done.peak);
}

#[test]
fn nesting_without_end_is_no_danger() {
    let deep = 100_000;
    let page = std::fs::read_to_string(fixture("full.html")).unwrap();
    let nested = format!("{}1{}", "[".repeat(deep), "]".repeat(deep));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(deep), "}".repeat(deep));
    let ghostlight = Ghostlight::new();
    for (what, input) in [("arrays", &nested), ("objects", &objects)] {
        let done = ghostlight.run_with(&["analyze", "-", "--json"], input.as_bytes());
        no_panic(what, &done);
        assert_eq!(done.code, 1, "{what}: {}", done.err);
        assert!(
            done.err.to_lowercase().contains("standard input") || done.err.contains("posting"),
            "{}",
            done.err
        );
    }
    // In a page, such data is passed over and the rest is read.
    let data = |inside: &str| {
        let script = format!(r#"<script type="application/ld+json">{inside}</script></head>"#);
        page.replace("</head>", &script)
    };
    let elements = page.replace("<h2>The work</h2>", &"<div>".repeat(deep));
    for input in [data(&nested), data(&objects), elements] {
        let done = ghostlight.run_with(&["analyze", "-", "--json"], input.as_bytes());
        no_panic("in a page", &done);
        assert_eq!(done.code, 0, "{}", done.err);
        assert_eq!(
            done.objects()[0]["fields"]["company"]["value"],
            "Quillmarsh Instruments"
        );
    }
    ghostlight.healthy();
}

#[test]
fn addresses_that_cannot_be_fetched_say_why() {
    let server = Server::start(|path| match path {
        "/gone" => Reply::status("410 Gone"),
        "/broken" => Reply::status("500 Internal Server Error"),
        "/loop" => Reply::redirect("/loop"),
        "/inside" => Reply::redirect("http://10.0.0.7/payroll"),
        "/metadata" => Reply::redirect("http://169.254.169.254/latest/"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/large" => Reply::page(vec![b'x'; PAGE_MAX + 1]),
        path if path.starts_with("/hop") => {
            let n: u32 = path[4..].parse().unwrap_or(0);
            Reply::redirect(&format!("/hop{}", n + 1))
        }
        _ => Reply::status("404 Not Found"),
    });
    let ghostlight = Ghostlight::new();
    let (good, _) = ghostlight.analyze(&fixture("full.html"));
    assert_eq!(good.code, 0);
    for (url, issue, words) in [
        (
            "file:///etc/passwd".to_owned(),
            "scheme",
            ["file:", "drop it"],
        ),
        (
            "javascript:alert(1)".to_owned(),
            "scheme",
            ["javascript:", "https://"],
        ),
        ("http://".to_owned(), "bad_url", ["http://", "https://"]),
        (refusing_url(), "refused", ["refused", "try again"]),
        (server.url("/missing"), "not_found", ["404", "taken down"]),
        (server.url("/gone"), "gone", ["410", "taken down"]),
        (server.url("/broken"), "server_error", ["500", "try again"]),
        (server.url("/loop"), "redirect_loop", ["circle", "save"]),
        (
            server.url("/hop0"),
            "too_many_redirects",
            ["More than 5", "save"],
        ),
        (
            server.url("/inside"),
            "private_address",
            ["10.0.0.7", "own network"],
        ),
        (
            server.url("/metadata"),
            "private_address",
            ["169.254.169.254", "own network"],
        ),
        (server.url("/file"), "bad_redirect", ["file:", "browser"]),
        (server.url("/large"), "too_large", ["8 MiB", "save"]),
    ] {
        let (done, objects) = ghostlight.analyze(&url);
        done.refused(&url, 2, &words);
        is_failure(&objects, "FETCH", issue);
    }
    assert_eq!(ghostlight.healthy()["postings"], 1);
}

#[test]
fn a_page_of_the_largest_size_is_read() {
    let page = std::fs::read_to_string(fixture("full.html")).unwrap();
    let filler = " ".repeat(PAGE_MAX - page.len());
    let page = page.replace("</main>", &format!("{filler}</main>"));
    assert_eq!(page.len(), PAGE_MAX);
    let server = Server::start(move |_| Reply::page(page.clone()));
    let (done, objects) = Ghostlight::new().analyze(&server.url("/jobs/1"));
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        objects[0]["fields"]["title"]["value"],
        "Senior Backend Engineer"
    );
}

/// One object that names the failed step, and no field that says nothing.
fn is_failure(objects: &[Value], node: &str, issue: &str) {
    assert_eq!(objects.len(), 1);
    let object = &objects[0];
    let found = &object["issues"][0];
    assert_eq!(
        (&found["node"], &found["code"], &found["severity"]),
        (&json!(node), &json!(issue), &json!("error"))
    );
    assert!(found["message"].is_string() && found["hint"].is_string());
    assert_eq!(object["assessment"], Value::Null);
    let step = object["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&step["node"], &step["phase"]),
        (&json!(node), &json!("fail"))
    );
    for (key, field) in object["fields"].as_object().unwrap() {
        assert_eq!(field["state"], "failed", "{key}");
        assert!(field["reason"].is_string(), "{key}: {field}");
    }
}

fn no_panic(what: &str, done: &Done) {
    assert!(!done.err.contains("panicked"), "{what}: {}", done.err);
    assert!(done.peak < MEMORY_MAX, "{what}: {} bytes", done.peak);
}
