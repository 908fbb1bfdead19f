//! The contract of DESIGN *Command line*: keys, types, exit codes, order of events.

use crate::program::{Done, Ghostlight, fixture};
use crate::server::{Reply, Server};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

const FIELDS: [&str; 15] = [
    "title",
    "company",
    "location",
    "remote",
    "employment_type",
    "remote_regions",
    "seniority",
    "salary",
    "posted_at",
    "valid_through",
    "apply_url",
    "platform",
    "skills",
    "benefits",
    "description",
];

const NODES: [&str; 7] = [
    "FETCH", "PARSE", "EXTRACT", "DETECT", "ENRICH", "VALIDATE", "SCORE",
];

#[test]
fn analyze_prints_one_object_with_the_agreed_keys_and_types() {
    let (done, objects) = Ghostlight::new().analyze(&fixture("full.html"));
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(objects.len(), 1);
    let object = &objects[0];
    has_keys(
        object,
        &[
            "assessment",
            "fields",
            "input",
            "issues",
            "posting_id",
            "run_id",
            "signals",
            "steps",
        ],
    );
    assert!(object["posting_id"].is_string() && object["run_id"].is_string());
    assert_eq!(
        object["input"],
        json!({ "source": "full.html", "index": 0 })
    );
    let fields = object["fields"].as_object().unwrap();
    assert_eq!(fields.len(), FIELDS.len());
    for key in FIELDS {
        is_field(key, &fields[key]);
    }
    let value = |key: &str| object["fields"][key]["value"].clone();
    for (key, expected) in [
        ("title", json!("Senior Backend Engineer")),
        ("company", json!("Quillmarsh Instruments")),
        ("remote", json!("hybrid")),
        ("employment_type", json!(["FULL_TIME"])),
        ("seniority", json!("senior")),
        ("posted_at", json!("2026-11-02")),
        ("valid_through", json!("2030-12-31")),
        ("platform", Value::Null),
        ("skills", json!(["Rust", "PostgreSQL", "Kubernetes"])),
    ] {
        assert_eq!(value(key), expected, "{key}");
    }
    let salary = value("salary");
    for (key, expected) in [
        ("min", json!(72000)),
        ("max", json!(88000)),
        ("currency", json!("EUR")),
        ("period", json!("year")),
    ] {
        assert_eq!(salary[key], expected, "{salary}");
    }
    let place = &value("location")[0];
    assert_eq!(place["city"], "Dublin");
    assert_eq!(place["country"], "IE");
    for key in ["region", "text"] {
        assert!(place.get(key).is_some(), "{place}");
    }
    let assessment = &object["assessment"];
    assert!(assessment["level"].is_string() && assessment["score"].is_number());
    assert!(assessment["independent_signals"].is_u64());
    for signal in object["signals"].as_array().unwrap() {
        for key in ["id", "family", "statement"] {
            assert!(signal[key].is_string(), "{key}: {signal}");
        }
        assert!(["strong", "weak"].contains(&signal["strength"].as_str().unwrap()));
        assert!(["for", "against"].contains(&signal["direction"].as_str().unwrap()));
        assert!(signal.get("evidence").is_some(), "{signal}");
    }
    let steps = object["steps"].as_array().unwrap();
    let nodes: Vec<&str> = steps.iter().map(|s| s["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, NODES);
    for step in steps {
        assert_eq!(step["phase"], "end");
        assert!(step["duration_ms"].is_number());
    }
    assert_eq!(object["issues"], json!([]));
    assert_eq!(done.err, "", "a good run says nothing on standard error");
}

fn is_field(key: &str, field: &Value) {
    for member in ["value", "confidence", "source", "method", "evidence"] {
        assert!(field.get(member).is_some(), "{key}: {member} in {field}");
    }
    assert!(field["alternatives"].is_array(), "{key}: {field}");
    match field["state"].as_str().unwrap() {
        "found" | "conflict" => {
            let confidence = field["confidence"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&confidence), "{key}: {confidence}");
            assert!(["parsing", "ai", "user"].contains(&field["source"].as_str().unwrap()));
            assert!(field["method"].is_string(), "{key}");
            let evidence = &field["evidence"];
            assert!(
                ["visible", "source"].contains(&evidence["layer"].as_str().unwrap()),
                "{key}: {evidence}"
            );
            let (start, end) = (
                evidence["start"].as_u64().unwrap(),
                evidence["end"].as_u64().unwrap(),
            );
            let quote = evidence["quote"].as_str().unwrap();
            assert_eq!(end - start, quote.len() as u64, "{key}: {evidence}");
        }
        "not_found" => assert_eq!(field["value"], Value::Null, "{key}"),
        other => panic!("{key}: state {other}"),
    }
}

#[test]
fn what_is_absent_or_disputed_is_said_in_json_too() {
    let ghostlight = Ghostlight::new();
    let (_, objects) = ghostlight.analyze(&fixture("no-dates.html"));
    let salary = &objects[0]["fields"]["salary"];
    assert_eq!(salary["state"], "not_found");
    let reason = salary["reason"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("competitive salary"), "{reason}");

    let (done, objects) = ghostlight.analyze(&fixture("conflict.html"));
    assert_eq!(done.code, 0);
    let company = &objects[0]["fields"]["company"];
    assert_eq!(company["state"], "conflict");
    assert_eq!(company["value"], "Sandlark Logistics GmbH");
    let others = company["alternatives"].as_array().unwrap();
    let other = others
        .iter()
        .find(|other| other["value"] == "Sandlark Freight Holding AG")
        .unwrap();
    assert_eq!(other["method"], "microdata");
    assert!(other["because"].is_string());
}

#[test]
fn a_board_gives_one_object_a_posting() {
    let ghostlight = Ghostlight::new();
    let (done, objects) = ghostlight.analyze(&fixture("ashby-board.json"));
    assert_eq!(done.code, 0, "{done:?}");
    let titles: Vec<&Value> = objects
        .iter()
        .map(|object| &object["fields"]["title"]["value"])
        .collect();
    assert_eq!(
        titles,
        ["Senior Firmware Engineer", "Customer Support Intern"]
    );
    for (index, object) in objects.iter().enumerate() {
        assert_eq!(object["input"]["index"], index);
    }
    assert_ne!(objects[0]["posting_id"], objects[1]["posting_id"]);
    assert_ne!(objects[0]["run_id"], objects[1]["run_id"]);
    assert_eq!(ghostlight.healthy()["postings"], 2);
}

#[test]
fn jsonl_streams_the_events_in_order_and_the_object_last() {
    let done = Ghostlight::new().run(&["analyze", &fixture("full.html"), "--jsonl"]);
    assert_eq!(done.code, 0, "{done:?}");
    let mut lines = done.objects();
    let object = lines.pop().unwrap();
    assert_eq!(
        object["fields"]["title"]["value"],
        "Senior Backend Engineer"
    );
    run_is_whole(&lines, object["run_id"].as_str().unwrap());
    let fields = lines.iter().filter(|event| event["phase"] == "field");
    assert!(fields.count() >= 14, "fields are events");
}

#[test]
fn jsonl_of_a_board_streams_each_run() {
    let done = Ghostlight::new().run(&["analyze", &fixture("greenhouse.json"), "--jsonl"]);
    assert_eq!(done.code, 0, "{done:?}");
    let (objects, events): (Vec<Value>, Vec<Value>) = done
        .objects()
        .into_iter()
        .partition(|line| line.get("fields").is_some());
    assert_eq!(objects.len(), 2);
    for object in objects {
        let run = object["run_id"].as_str().unwrap();
        let own: Vec<Value> = events
            .iter()
            .filter(|event| event["run_id"] == run)
            .cloned()
            .collect();
        run_is_whole(&own, run);
    }
}

/// All events of one run: each step begins and ends once, in order, from `FETCH` to `SCORE`.
fn run_is_whole(events: &[Value], run: &str) {
    for event in events {
        assert_eq!(event["run_id"], run, "{event}");
        assert!(
            !event["ts"].is_null() && event["node"].is_string(),
            "{event}"
        );
    }
    let of = |phase: &str| -> Vec<&str> {
        let events = events.iter().filter(|event| event["phase"] == phase);
        events
            .map(|event| event["node"].as_str().unwrap())
            .collect()
    };
    assert_eq!(of("start"), NODES);
    assert_eq!(of("end"), NODES);
    let (first, last) = (events.first().unwrap(), events.last().unwrap());
    assert_eq!(
        (&first["node"], &first["phase"]),
        (&json!("FETCH"), &json!("start"))
    );
    assert_eq!(
        (&last["node"], &last["phase"]),
        (&json!("SCORE"), &json!("end"))
    );
    let mut order: Vec<&str> = events.iter().map(|e| e["node"].as_str().unwrap()).collect();
    order.dedup();
    assert_eq!(order, NODES, "no step's events stand among another's");
    for event in events.iter().filter(|event| event["phase"] == "end") {
        assert!(event["duration_ms"].is_number(), "{event}");
    }
}

#[test]
fn text_and_standard_input_are_read_as_files_are() {
    let ghostlight = Ghostlight::new();
    let page = std::fs::read(fixture("full.html")).unwrap();
    let done = ghostlight.run_with(&["analyze", "-", "--json"], &page);
    assert_eq!(done.code, 0, "{done:?}");
    let object = done.objects().remove(0);
    assert_eq!(object["input"]["source"], "standard input");
    assert_eq!(
        object["fields"]["company"]["value"],
        "Quillmarsh Instruments"
    );

    let done = ghostlight.run(&["analyze", &fixture("full.html")]);
    for words in [
        "Senior Backend Engineer",
        "72 000–88 000 EUR / year",
        "json_ld",
        "Assessment",
        "not found",
    ] {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    // Both captures are of one posting.
    assert_eq!(ghostlight.healthy()["postings"], 1);
}

#[test]
fn detect_answers_a_line_for_a_line() {
    let ghostlight = Ghostlight::new();
    let detect = |field: &str, lines: &str| -> Vec<Value> {
        let done = ghostlight.run_with(&["detect", "--field", field], lines.as_bytes());
        assert_eq!(done.code, 0, "{field}: {done:?}");
        done.objects()
    };
    let salaries = detect(
        "salary",
        "Salary: €48,000 to €55,000 per year\nnothing here\r\n\n$30 - $35 per hour",
    );
    assert_eq!(salaries.len(), 4);
    has_keys(&salaries[0], &["confidence", "quote", "value"]);
    let value = &salaries[0]["value"];
    assert_eq!(
        (
            &value["min"],
            &value["max"],
            &value["currency"],
            &value["period"]
        ),
        (&json!(48000), &json!(55000), &json!("EUR"), &json!("year"))
    );
    assert_eq!((&salaries[1], &salaries[2]), (&Value::Null, &Value::Null));
    assert_eq!(salaries[3]["value"]["period"], "hour");

    let money = &detect("money", "1.234,56 €")[0];
    assert_eq!(money["value"]["currency"], "EUR");
    assert_eq!(money["value"]["amount"].as_f64(), Some(1234.56));
    for (field, line, expected) in [
        ("remote", "This role is fully remote.", json!("remote")),
        ("employment_type", "Full-time", json!(["FULL_TIME"])),
        ("seniority", "Senior Data Engineer", json!("senior")),
        ("date", "Posted on 2 November 2026", json!("2026-11-02")),
    ] {
        assert_eq!(detect(field, line)[0]["value"], expected, "{field}");
    }
    assert_eq!(
        detect("location", "Berlin, Germany")[0]["value"][0]["country"],
        "DE"
    );
    let hinted = ghostlight.run_with(
        &["detect", "--field", "money", "--currency-hint", "SEK"],
        b"45 000",
    );
    assert_eq!(hinted.objects()[0]["value"]["currency"], "SEK");
}

#[test]
fn doctor_tells_the_state_and_rebuilds_without_a_difference() {
    let ghostlight = Ghostlight::new();
    let (_, before) = ghostlight.analyze(&fixture("full.html"));
    let found = ghostlight.healthy();
    has_keys(
        &found,
        &[
            "archives", "database", "healthy", "model", "postings", "problems", "rebuilt",
            "running",
        ],
    );
    assert_eq!(
        (&found["postings"], &found["running"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(found["rebuilt"], Value::Null);
    let done = ghostlight.run(&["doctor", "--rebuild", "--json"]);
    assert_eq!(done.code, 0, "{done:?}");
    let rebuilt = &done.objects()[0]["rebuilt"];
    assert_eq!(rebuilt["drift"], false, "{rebuilt}");
    assert_eq!(rebuilt["postings"], 1);
    // The same page again is the same posting.
    let (_, after) = ghostlight.analyze(&fixture("full.html"));
    assert_eq!(before[0]["posting_id"], after[0]["posting_id"]);
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    let ghostlight = Ghostlight::new();
    for args in [
        &["analyze"][..],
        &["detect"],
        &["detect", "--field", "colour"],
        &["conjure"],
        &["doctor", "--unknown"],
    ] {
        let done = ghostlight.run(args);
        assert_eq!(done.code, 2, "{args:?}: {done:?}");
        assert_eq!(done.out, "", "{args:?}");
        assert!(done.err.contains("--help"), "{args:?}: {}", done.err);
    }
    for args in [&["--help"][..], &["analyze", "--help"], &["--version"]] {
        let Done { code, out, .. } = ghostlight.run(args);
        assert_eq!(code, 0, "{args:?}");
        assert!(!out.is_empty(), "{args:?}");
    }
}

#[test]
fn quiet_leaves_out_notes_but_not_errors() {
    let ghostlight = Ghostlight::new();
    let noted = fixture("invalid-utf8.html");
    let loud = ghostlight.run(&["analyze", &noted, "--json"]);
    assert!(loud.err.contains("PARSE"), "{}", loud.err);
    let quiet = ghostlight.run(&["--quiet", "analyze", &noted, "--json"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));

    let failed = ghostlight.run(&["--quiet", "analyze", &fixture("login-wall.html"), "--json"]);
    failed.refused("a login wall", 1, &["sign in"]);
    assert_eq!(failed.objects()[0]["issues"][0]["code"], "login_wall");
}

fn has_keys(object: &Value, keys: &[&str]) {
    let found: Vec<&str> = object
        .as_object()
        .unwrap_or_else(|| panic!("an object: {object}"))
        .keys()
        .map(String::as_str)
        .collect();
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, keys);
}

#[test]
fn a_page_that_is_gone_is_a_signal_of_the_posting_we_know() {
    let taken_down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&taken_down);
    let page = std::fs::read(fixture("full.html")).unwrap();
    let server = Server::start(move |_| match is_down.load(Ordering::SeqCst) {
        true => Reply::status("404 Not Found"),
        false => Reply::page(page.clone()),
    });
    let ghostlight = Ghostlight::new();
    let url = server.url("/jobs/4821");
    let (_, before) = ghostlight.analyze(&url);
    taken_down.store(true, Ordering::SeqCst);
    let (done, after) = ghostlight.analyze(&url);
    assert_eq!(done.code, 0, "{done:?}");
    let signal = |objects: &[Value]| {
        let signals = objects[0]["signals"].as_array().unwrap();
        signals.iter().any(|s| s["id"] == "gone_from_board")
    };
    assert!(signal(&after) && !signal(&before));
    assert_eq!(after[0]["posting_id"], before[0]["posting_id"]);
    let titles = [&after, &before].map(|o| o[0]["fields"]["title"]["value"].clone());
    assert_eq!(titles[0], titles[1]);
    let issue = &after[0]["issues"][0];
    assert_eq!(
        (&issue["node"], &issue["code"], &issue["severity"]),
        (&json!("FETCH"), &json!("not_found"), &json!("warning"))
    );
    assert!(done.err.contains("404"), "{}", done.err);
}
