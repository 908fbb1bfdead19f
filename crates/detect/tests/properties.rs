//! Whatever the bytes: no panic, every piece of evidence holds in its layer, and an end.
#![allow(clippy::unwrap_used)]

use ghostlight_detect::{Document, NotReadable, RawInput, judge::judge, open};
use ghostlight_model::{CaptureId, Layer, Micros, Observation};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Vec<(Document, Vec<Observation>)>, NotReadable> {
    let input = RawInput {
        bytes,
        name: None,
        url: Some("https://jobs.oriel.example/7"),
        content_type: None,
    };
    let mut read = Vec::new();
    for document in open(&input)? {
        let (capture, ts) = (CaptureId::of(&[]), Micros(0));
        let mut seen = Vec::new();
        document.extract(capture, ts, &mut |o| seen.push(o));
        let known = seen.clone();
        document.detect(capture, ts, &known, &mut |o| seen.push(o));
        let _ = judge(&document, &seen);
        read.push((document, seen));
    }
    Ok(read)
}

fn holds(document: &Document, observation: &Observation) -> bool {
    observation.evidence.as_ref().is_none_or(|evidence| {
        let layer = match evidence.layer {
            Layer::Visible => &document.visible,
            Layer::Source => &document.source,
        };
        evidence.holds_in(layer)
    })
}

#[track_caller]
fn all_hold(bytes: &[u8]) {
    for (document, seen) in read(bytes).unwrap_or_default() {
        for observation in &seen {
            assert!(holds(&document, observation), "{observation:?}");
        }
    }
}

/// Pieces that pages are made of, whole and broken.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<script type=application/ld+json>",
        "</script>",
        "{\"@type\":\"JobPosting\",",
        "\"title\":\"Night B\u{e4}cker &amp; Co\",",
        "\"baseSalary\":{\"value\":{\"minValue\":\"40,000\",\"maxValue\":5e4,\"unitText\":\"YEAR\"},\"currency\":\"EUR\"},",
        "\"jobLocation\":[{\"address\":{\"addressLocality\":\"K\u{f6}ln\",\"addressCountry\":\"DE\"}}],",
        "\"datePosted\":\"2026-01-0",
        "}",
        "]",
        "[",
        "{",
        ",",
        "\"",
        "<div itemscope itemtype=https://schema.org/JobPosting>",
        "<h1 itemprop=title>Night <b>Baker</b></h1>",
        "<meta itemprop=datePosted content='2026-01-02'>",
        "<div vocab=https://schema.org/ typeof=JobPosting>",
        "<span property=title>Baker",
        "</div>",
        "</span>",
        "<main>",
        "</main>",
        "<nav>",
        "<li>",
        "<p hidden>",
        "<title>Baker | Oriel",
        "</title>",
        "<!--",
        "-->",
        "<![CDATA[",
        "&quot;",
        "&lt;p&gt;",
        "\u{0}",
        "\u{feff}",
        "\\ud83d",
        "\\",
        "\n",
        " Berlin, Germany ",
        "\u{1f95f}",
        "{\"jobs\":[{\"title\":\"Baker\",\"absolute_url\":\"https://boards.greenhouse.io/oriel/jobs/1\",\"content\":\"",
        "\"}]}",
        "\u{20ac}45k\u{2013}55k a year",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        all_hold(&bytes);
    }

    #[test]
    fn evidence_of_broken_pages_holds(page in pieces()) {
        all_hold(page.as_bytes());
    }
}

/// Quadratic work on a megabyte would run for hours; the test runner's time limit is the assertion.
#[test]
fn megabytes_of_malice_come_to_an_end() {
    for piece in [
        "<div>",
        "<p hidden><li>",
        "<a b=c ",
        "<!--",
        "&amp;&quot;",
        "<script type=application/ld+json>{\"a\":",
        "<div itemscope itemprop=x>",
        "<b itemprop=title>x",
        "<nav><main>",
        "{\"a\":[",
        "\" \" ",
        "<!--{",
        "<table><tr><td>x",
        "word ",
        "</p></div>",
    ] {
        let page = format!(
            "<html><body itemscope itemtype=JobPosting>{}",
            piece.repeat(1_000_000 / piece.len())
        );
        all_hold(page.as_bytes());
    }
}
