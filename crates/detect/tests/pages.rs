//! Pages without structured data: what headings, labelled rows and menus say, through `open`.
#![allow(clippy::unwrap_used)]

use ghostlight_detect::{RawInput, open};
use ghostlight_model::{CaptureId, FieldKey, Layer, Micros, Observation, fuse::fuse};

/// Every observation of the first document of `bytes`.
fn read(bytes: &[u8]) -> Vec<Observation> {
    let input = RawInput {
        bytes,
        name: None,
        url: None,
        content_type: None,
    };
    let documents = open(&input).unwrap();
    let (capture, ts) = (CaptureId::of(&[bytes]), Micros(0));
    let mut known = Vec::new();
    documents[0].extract(capture, ts, &mut |o| known.push(o));
    let mut all = known.clone();
    documents[0].detect(capture, ts, &known, &mut |o| all.push(o));
    for observation in &all {
        if let Some(evidence) = observation
            .evidence
            .as_ref()
            .filter(|e| e.layer == Layer::Visible)
        {
            assert!(evidence.holds_in(&documents[0].visible), "{observation:?}");
        }
    }
    all
}

/// The winner's words and whether it is contested.
fn card(all: &[Observation], field: &FieldKey) -> (String, bool) {
    let of: Vec<&Observation> = all.iter().filter(|o| o.field == *field).collect();
    let fused = fuse(&of);
    let words = fused.winner.map(|w| of[w].value.display());
    (words.unwrap_or_else(|| "-".to_owned()), fused.conflict)
}

const BODY: &str = "<p>We bake at night and the town eats in the morning.</p>";

#[test]
fn headings_and_rows_say_more_than_menus() {
    let menu = "<div class=nav><a>Home</a> | <a>Depots</a> | <a>Contact</a></div>";
    for (page, title, company) in [
        (
            format!(
                "<title>Vacancy: Team Lead</title>{menu}<h1>Team Lead</h1><table><tr><td>Employer:</td><td>Oriel Bread Ltd</td></tr></table>{BODY}"
            ),
            "Team Lead",
            "Oriel Bread Ltd",
        ),
        (
            format!(
                "<title>Night Baker</title><p>Home | Jobs | Blog</p><h1>Night Baker</h1><dl><dt>Company</dt><dd>Oriel Bread</dd></dl>{BODY}"
            ),
            "Night Baker",
            "Oriel Bread",
        ),
        (
            format!(
                "<title>Night Baker at Oriel</title><h1>Careers at Oriel</h1><h2>Night Baker</h2><p>Oriel Bread · Leeds, UK · Full-time</p>{BODY}"
            ),
            "Night Baker",
            "Oriel Bread",
        ),
        (
            format!(
                "<title>Job details</title><h1>Night Baker</h1><div><span>Employer</span><span>Oriel Bread</span></div><div><span>Department</span><span>Bakery</span></div>{BODY}"
            ),
            "Night Baker",
            "Oriel Bread",
        ),
        (
            format!("<title>x</title><h1>Night Engineer</h1><p>Oriel Bread, Leeds, UK</p>{BODY}"),
            "Night Engineer",
            "Oriel Bread",
        ),
    ] {
        let all = read(format!("<!DOCTYPE html><html><body>{page}</body></html>").as_bytes());
        assert_eq!(card(&all, &FieldKey::Title).0, title, "{page}");
        assert_eq!(card(&all, &FieldKey::Company).0, company, "{page}");
    }
}

#[test]
fn the_level_of_a_team_lead_is_read_from_the_heading() {
    for (heading, want) in [
        ("Warehouse Team Lead (Nights)", "lead"),
        ("Team Lead", "lead"),
        ("Lead Baker", "lead"),
        ("Lead Generation Clerk", "-"),
    ] {
        let page = format!("<title>{heading}</title><p>Home | Jobs</p><h1>{heading}</h1>{BODY}");
        let all = read(format!("<html><body>{page}</body></html>").as_bytes());
        assert_eq!(card(&all, &FieldKey::Seniority).0, want, "{heading}");
    }
}

#[test]
fn a_place_in_the_text_does_not_contest_the_known_town() {
    let page = r#"<script type="application/ld+json">{"@type":"JobPosting","title":"Baker","jobLocation":{"@type":"Place","address":{"addressLocality":"Berlin","addressCountry":"DE"}}}</script><h1>Baker</h1><p>You work from our office in Hamburg or in Berlin.</p>"#;
    let all = read(format!("<html><body>{page}</body></html>").as_bytes());
    assert_eq!(
        card(&all, &FieldKey::Location),
        ("Berlin, DE".to_owned(), false)
    );
    let stated = page.replace("<p>You", "<p>Location: Hamburg, Germany</p><p>You");
    let all = read(format!("<html><body>{stated}</body></html>").as_bytes());
    assert!(
        card(&all, &FieldKey::Location).1,
        "a labelled town contests"
    );
}

#[test]
fn the_composed_head_of_a_job_is_not_read_again() {
    let job = br#"{"jobs":[{"id":1,"title":"Senior Baker","absolute_url":"https://boards.greenhouse.io/oriel/jobs/1","location":{"name":"Leeds, UK"},"updated_at":"2026-11-01T00:00:00Z","first_published":"2026-11-01T00:00:00Z","content":"We bake at night."}]}"#;
    let all = read(job);
    let patterns: Vec<&str> = all
        .iter()
        .filter(|o| o.method.word() == "pattern")
        .map(|o| o.field.name())
        .collect();
    for field in ["title", "location", "posted_at"] {
        assert!(!patterns.contains(&field), "{field} in {patterns:?}");
    }
    assert!(patterns.contains(&"seniority"));
}

#[test]
fn an_element_of_a_list_is_one_item() {
    for (skills, want) in [
        (
            r#"["Rye, wheat and spelt","Ovens"]"#,
            "Rye, wheat and spelt, Ovens",
        ),
        (r#""Rye, Ovens""#, "Rye, Ovens"),
    ] {
        let page = format!(
            r#"<html><body><script type="application/ld+json">{{"@type":"JobPosting","title":"Baker","skills":{skills}}}</script><h1>Baker</h1></body></html>"#
        );
        let all = read(page.as_bytes());
        let found = all.iter().find(|o| o.field == FieldKey::Skills).unwrap();
        assert_eq!(found.value.display(), want);
        let ghostlight_model::FieldValue::List(items) = &found.value else {
            panic!("a list");
        };
        assert_eq!(items.len(), 2, "{items:?}");
    }
}

#[test]
fn on_site_and_monthly_pay_are_read_surely() {
    for (text, field, want) in [
        (
            "Cook\n\nThe job is based on site in Leeds.",
            FieldKey::Remote,
            "onsite",
        ),
        (
            "Cook\n\nThis is an on-site role.",
            FieldKey::Remote,
            "onsite",
        ),
        (
            "Cook\n\nThe work is on site at our depot.",
            FieldKey::Remote,
            "onsite",
        ),
        (
            "Keeper\n\nPay: £2,300 per month, food and coal besides.",
            FieldKey::Salary,
            "2\u{202f}300 GBP / month",
        ),
    ] {
        let all = read(text.as_bytes());
        assert_eq!(card(&all, &field).0, want, "{text}");
        let best = all
            .iter()
            .filter(|o| o.field == field)
            .map(|o| o.confidence.thousandths())
            .max();
        assert!(best >= Some(800), "{text}: {best:?}");
    }
}
