//! Documents end to end: bytes in, layers, keys and structured observations out. The employers and
//! texts are ours.
#![allow(clippy::unwrap_used)]

use ghostlight_detect::{
    Document, Format, NotReadable, RawInput, document::SOURCE_BYTES_MAX, open,
};
use ghostlight_model::{CaptureId, FieldKey, Layer, Micros, Observation, observation::Method};
use serde_json::{Value, json};

const URL: &str = "https://jobs.oriel.example/night-baker?utm_source=x";

fn document(bytes: &[u8]) -> Document {
    open(&RawInput {
        bytes,
        name: None,
        url: Some(URL),
        content_type: None,
    })
    .unwrap()
    .remove(0)
}

fn extract(document: &Document) -> Vec<Observation> {
    let mut seen = Vec::new();
    document.extract(CaptureId::of(&[]), Micros(0), &mut |o| seen.push(o));
    for observation in &seen {
        let evidence = observation
            .evidence
            .as_ref()
            .expect("structured values have evidence");
        let layer = if evidence.layer == Layer::Source {
            &document.source
        } else {
            &document.visible
        };
        assert!(evidence.holds_in(layer), "{observation:?}");
    }
    seen
}

fn best(seen: &[Observation], key: &str) -> Option<Value> {
    let of_key = seen.iter().filter(|o| o.field.name() == key);
    of_key
        .max_by_key(|o| o.confidence)
        .map(|o| o.value.to_json())
}

#[track_caller]
fn check(page: &str, want: &[(&str, Value)]) {
    let seen = extract(&document(page.as_bytes()));
    for (key, value) in want {
        let got = best(&seen, key).unwrap_or(Value::Null);
        assert_eq!(&got, value, "{key} of {page}");
    }
}

fn script(json: &str) -> String {
    format!(
        "<!doctype html><title>Night Baker | Oriel Bread</title><script type=\"application/ld+json\">{json}</script><p>Bread.</p>"
    )
}

const JOB: &str = r#"{"@context":"https://schema.org","@type":"JobPosting","title":"Night Baker","datePosted":"2026-10-01T08:00:00+02:00","validThrough":"2026-12-01","hiringOrganization":{"@type":"Organization","name":"Oriel Bread"},"employmentType":["FULL_TIME","PART_TIME"],"jobLocation":{"@type":"Place","address":{"@type":"PostalAddress","addressLocality":"Berlin","addressRegion":"Berlin","addressCountry":"DE"}},"baseSalary":{"@type":"MonetaryAmount","currency":"EUR","value":{"@type":"QuantitativeValue","minValue":38000,"maxValue":"44,000.00","unitText":"YEAR"}},"description":"<p>Knead.</p><ul><li>Bake</li></ul>"}"#;

fn wanted() -> Vec<(&'static str, Value)> {
    vec![
        ("title", json!("Night Baker")),
        ("company", json!("Oriel Bread")),
        ("posted_at", json!("2026-10-01")),
        ("valid_through", json!("2026-12-01")),
        ("employment_type", json!(["FULL_TIME", "PART_TIME"])),
        (
            "location",
            json!([{"city": "Berlin", "region": "Berlin", "country": "DE", "text": "Berlin, Berlin, DE"}]),
        ),
        (
            "salary",
            json!({"min": 38000, "max": 44000, "currency": "EUR", "period": "year"}),
        ),
        ("description", json!("Knead.\n\n- Bake")),
    ]
}

#[test]
fn json_ld_in_the_forms_of_the_wild() {
    let graph = format!(
        r#"{{"@context":"https://schema.org","@graph":[{{"@type":"BreadcrumbList"}},{JOB}]}}"#
    );
    let nested = format!(r#"{{"@type":"WebPage","mainEntity":{JOB}}}"#);
    let (head, tail) = JOB.split_at(JOB.len() - 1);
    for json in [
        JOB.to_owned(),
        graph,
        nested,
        format!("[{{\"@type\":\"Organization\",\"name\":\"Other\"}},{JOB}]"),
        format!("{{\"@type\":\"WebSite\"}}{JOB}"),
        format!("{head},{tail}"),
        format!("//<![CDATA[\n{JOB}\n//]]>"),
        format!("<!--\n{JOB}\n-->"),
        format!("/* posting */ {JOB}"),
        format!("\u{feff}{JOB}"),
        JOB.replace("\"JobPosting\"", "[\"JobPosting\",\"Thing\"]"),
        JOB.replace("\"JobPosting\"", "\"http://schema.org/JobPosting\""),
        JOB.replace("<p>Knead.", "<p>\n\tKnead."),
        JOB.replace("Night Baker", "Night&#32;Baker"),
        JOB.replace('"', "&quot;"),
        JOB.replace(
            "{\"@type\":\"Organization\",\"name\":\"Oriel Bread\"}",
            "\"Oriel Bread\"",
        ),
        JOB.replace("\"2026-10-01T08:00:00+02:00\"", "1790838000000"),
    ] {
        check(&script(&json), &wanted());
    }
}

#[test]
fn a_posting_cut_off_keeps_what_was_there() {
    let at = JOB.find("\"jobLocation\"").unwrap();
    check(
        &script(&JOB[..at]),
        &[
            ("title", json!("Night Baker")),
            ("company", json!("Oriel Bread")),
            ("location", Value::Null),
        ],
    );
}

#[test]
fn evidence_is_the_value_in_the_source_with_its_pointer() {
    let document = document(script(&format!("[{JOB}]")).as_bytes());
    let seen = extract(&document);
    let of = |key: FieldKey| {
        seen.iter()
            .find(|o| o.field == key && o.method == Method::JsonLd)
            .unwrap()
            .evidence
            .clone()
            .unwrap()
    };
    let title = of(FieldKey::Title);
    assert_eq!(
        (title.quote.as_str(), title.pointer.as_deref()),
        ("Night Baker", Some("/0/title"))
    );
    assert_eq!(
        of(FieldKey::Company).pointer.as_deref(),
        Some("/0/hiringOrganization/name")
    );
    assert_eq!(
        of(FieldKey::Location).pointer.as_deref(),
        Some("/0/jobLocation/address")
    );
}

#[test]
fn pay_in_its_many_forms() {
    let year = |min: u32, max: u32, currency: &str| json!({"min": min, "max": max, "currency": currency, "period": "year"});
    for (pay, want) in [
        (
            r#""baseSalary":{"currency":"USD","minValue":"90000","maxValue":"110000","unitText":"YEAR"}"#,
            year(90000, 110000, "USD"),
        ),
        (
            r#""baseSalary":{"currency":"USD","value":"90000-110000"}"#,
            year(90000, 110000, "USD"),
        ),
        (
            r#""baseSalary":"$90,000 - $110,000 per year""#,
            year(90000, 110000, "USD"),
        ),
        (
            r#""baseSalary":{"value":{"value":95000,"unitText":"ANNUAL","currency":"GBP"}}"#,
            year(95000, 95000, "GBP"),
        ),
        (
            r#""baseSalary":[{"currency":"CHF","value":{"minValue":"110'000","maxValue":"90'000","unitText":"YEAR"}}]"#,
            year(90000, 110000, "CHF"),
        ),
        (
            r#""baseSalary":90000,"salaryCurrency":"EUR""#,
            year(90000, 90000, "EUR"),
        ),
        (
            r#""estimatedSalary":{"currency":"USD","value":{"minValue":19.5,"maxValue":22,"unitText":"HOUR"}}"#,
            json!({"min": 19.5, "max": 22, "currency": "USD", "period": "hour"}),
        ),
        (r#""baseSalary":{"currency":"USD"}"#, Value::Null),
        (
            r#""baseSalary":{"currency":"USD","value":{"minValue":0,"maxValue":0}}"#,
            Value::Null,
        ),
    ] {
        check(
            &script(&format!(
                r#"{{"@type":"JobPosting","title":"Baker",{pay}}}"#
            )),
            &[("salary", want)],
        );
    }
}

#[test]
fn places_and_remote_in_their_many_forms() {
    let city = |city: &str, country: &str, text: &str| json!([{"city": city, "region": null, "country": country, "text": text}]);
    for (member, key, want) in [
        (
            r#""jobLocation":"Lyon, France""#,
            "location",
            city("Lyon", "FR", "Lyon, France"),
        ),
        (
            r#""jobLocation":{"address":"Lyon, France"}"#,
            "location",
            city("Lyon", "FR", "Lyon, France"),
        ),
        (
            r#""jobLocation":[{"address":[{"addressLocality":"Lyon","addressCountry":{"name":"France"}}]}]"#,
            "location",
            city("Lyon", "FR", "Lyon, France"),
        ),
        (
            r#""jobLocationType":"TELECOMMUTE""#,
            "remote",
            json!("remote"),
        ),
        (
            r#""jobLocationType":"telecommute","applicantLocationRequirements":[{"@type":"Country","name":"DE"},{"name":"FR"}]"#,
            "remote_regions",
            json!(["DE", "FR"]),
        ),
        (
            r#""skills":"ovens, dough; starters","jobBenefits":["bread","sleep"]"#,
            "benefits",
            json!(["bread", "sleep"]),
        ),
        (
            r#""url":"/jobs/7#apply""#,
            "apply_url",
            json!("https://jobs.oriel.example/jobs/7#apply"),
        ),
    ] {
        check(
            &script(&format!(
                r#"{{"@type":"JobPosting","title":"Baker",{member}}}"#
            )),
            &[(key, want)],
        );
    }
}

#[test]
fn an_organisation_may_be_named_by_reference() {
    let json = r##"{"@graph":[{"@type":"Organization","@id":"#o","name":"Oriel Bread"},{"@type":"JobPosting","title":"Baker","hiringOrganization":{"@id":"#o"}}]}"##;
    check(&script(json), &[("company", json!("Oriel Bread"))]);
}

#[test]
fn of_several_postings_the_page_s_own_is_taken() {
    let json = r#"[{"@type":"JobPosting","title":"Day Baker"},{"@type":"JobPosting","title":"Night Baker"}]"#;
    let document = document(script(json).as_bytes());
    assert_eq!(
        best(&extract(&document), "title"),
        Some(json!("Night Baker"))
    );
    assert_eq!(document.issues[0].code, "several_postings");
}

#[test]
fn microdata_and_rdfa() {
    let microdata = r#"<body itemscope itemtype="http://schema.org/JobPosting"><h1 itemprop="title">Night Baker</h1>
      <span itemprop="hiringOrganization" itemscope itemtype="http://schema.org/Organization"><b itemprop="name">Oriel Bread</b></span>
      <span itemprop="jobLocation" itemscope itemtype="http://schema.org/Place"><span itemprop="address" itemscope itemtype="http://schema.org/PostalAddress">
      <i itemprop="addressLocality">Berlin</i>, <i itemprop="addressRegion">Berlin</i>, <meta itemprop="addressCountry" content="DE">Germany</span></span>
      <meta itemprop="employmentType" content="FULL_TIME, PART_TIME"><time itemprop="datePosted" datetime="2026-10-01">1 October</time>
      <time itemprop="validThrough">2026-12-01</time>
      <span itemprop="baseSalary" itemscope itemtype="http://schema.org/MonetaryAmount"><meta itemprop="currency" content="EUR"><span itemprop="value" itemscope itemtype="http://schema.org/QuantitativeValue">
      <meta itemprop="minValue" content="38000"><meta itemprop="maxValue" content="44000"><meta itemprop="unitText" content="YEAR"></span></span>
      <div itemprop="description"><p>Knead.</p><ul><li>Bake</li></ul></div></body>"#;
    check(microdata, &wanted());
    let mut rdfa = microdata
        .replace("itemprop=", "property=")
        .replace(" itemscope itemtype=\"http://schema.org/", " typeof=\"");
    rdfa = rdfa.replace("<body ", "<body vocab=\"https://schema.org/\" ");
    check(&rdfa, &wanted());
    let methods: Vec<Method> = extract(&document(rdfa.as_bytes()))
        .iter()
        .map(|o| o.method)
        .collect();
    assert!(methods.contains(&Method::Rdfa) && !methods.contains(&Method::Microdata));
}

#[test]
fn the_head_is_the_last_resort() {
    let page = r#"<title>Night Baker - Oriel Bread | Careers</title><meta property="og:site_name" content="Oriel Bread Careers"><link rel=canonical href="https://jobs.lever.co/oriel/0001"><p>Bread.</p>"#;
    check(
        page,
        &[
            ("title", json!("Night Baker")),
            ("company", json!("Oriel Bread")),
            ("platform", json!("Lever")),
        ],
    );
    assert!(
        extract(&document(page.as_bytes()))
            .iter()
            .all(|o| o.method == Method::OpenGraph)
    );
}

const BOARDS: &str = r#"{"ashby":{"jobs":[{"id":"a1","title":"Night Baker","employmentType":"FullTime","location":"Berlin Office","secondaryLocations":[{"location":"Vienna","address":{"postalAddress":{"addressCountry":"Austria","addressLocality":"Vienna"}}}],
 "publishedAt":"2026-10-01T10:22:24.111+00:00","isListed":false,"isRemote":false,"workplaceType":"Hybrid","address":{"postalAddress":{"addressCountry":"Germany","addressLocality":"Berlin"}},
 "jobUrl":"https://jobs.ashbyhq.com/oriel-bread/a1","applyUrl":"https://jobs.ashbyhq.com/oriel-bread/a1/application","descriptionHtml":"<p>Knead &amp; bake.</p>",
 "compensation":{"compensationTiers":[{"components":[{"summary":"Offers Equity","compensationType":"EquityPercentage","minValue":null}]}],"summaryComponents":[{"compensationType":"Salary","interval":"1 HOUR","currencyCode":"EUR","minValue":17.5,"maxValue":21}]}}]},
 "greenhouse":[{"id":4001,"internal_job_id":9,"title":"Day Baker &amp; Seller","absolute_url":"https://boards.greenhouse.io/orielbread/jobs/4001","location":{"name":"Remote - United States"},"first_published":"2026-09-02T12:00:00-04:00","updated_at":"2026-10-02T12:00:00-04:00",
 "company_name":"Oriel Bread","content":"&lt;p&gt;Sell bread.&lt;/p&gt;","metadata":[{"name":"Employment Type","value":"Part-time","value_type":"single_select"}],"pay_input_ranges":[{"min_cents":4000000,"max_cents":5200000,"currency_type":"USD","title":"Annual pay"}]}],
 "lever":[{"id":"l-1","text":"Oven Engineer","categories":{"location":"Lyon","commitment":"Contract","allLocations":["Lyon","Paris"]},"country":"FR","workplaceType":"remote","hostedUrl":"https://jobs.lever.co/oriel/l-1","createdAt":1790000000000,
 "salaryRange":{"min":50000,"max":60000,"currency":"EUR","interval":"per-year-salary"},"descriptionPlain":"Mend ovens.","lists":[{"text":"Duties","content":"<li>Mend</li><li>Clean</li>"}]}]}"#;

#[test]
fn each_job_of_a_board_is_a_document() {
    let documents = open(&RawInput {
        bytes: BOARDS.as_bytes(),
        name: Some("board.json"),
        url: None,
        content_type: None,
    })
    .unwrap();
    let want = [
        (
            "ats:ashby/oriel-bread/a1",
            "Night Baker",
            "oriel bread",
            "2026-10-01",
            "FULL_TIME",
            "hybrid",
            json!({"min": 17.5, "max": 21, "currency": "EUR", "period": "hour", "equity": "Offers Equity"}),
            "Berlin Vienna",
        ),
        (
            "ats:greenhouse/orielbread/4001",
            "Day Baker & Seller",
            "Oriel Bread",
            "2026-09-02",
            "PART_TIME",
            "remote",
            json!({"min": 40000, "max": 52000, "currency": "USD", "period": "year"}),
            "US",
        ),
        (
            "ats:lever/oriel/l-1",
            "Oven Engineer",
            "oriel",
            "2026-09-21",
            "CONTRACTOR",
            "remote",
            json!({"min": 50000, "max": 60000, "currency": "EUR", "period": "year"}),
            "Lyon Paris",
        ),
    ];
    assert_eq!(documents.len(), want.len());
    for (i, (document, (key, title, company, posted, kind, remote, salary, places))) in
        documents.iter().zip(want).enumerate()
    {
        assert_eq!(
            (document.format, document.index as usize),
            (Format::AtsJson, i)
        );
        assert_eq!(document.keys[0].stored(), key);
        let seen = extract(document);
        assert!(seen.iter().all(|o| o.method == Method::AtsApi));
        let got = |key: &str| best(&seen, key).unwrap_or_default();
        assert_eq!(
            (got("title"), got("company"), got("posted_at")),
            (json!(title), json!(company), json!(posted))
        );
        assert_eq!(
            (got("employment_type"), got("remote"), got("salary")),
            (json!([kind]), json!(remote), salary)
        );
        let names: Vec<String> = got("location")
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                p["city"]
                    .as_str()
                    .or(p["country"].as_str())
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(names.join(" "), places);
        for words in [title, "Employment type:", "Salary:", posted] {
            assert!(
                document.visible.contains(words),
                "{words} in {}",
                document.visible
            );
        }
        assert!(document.source.starts_with('{') && BOARDS.contains(&document.source));
        let pointers: Vec<_> = seen
            .iter()
            .filter_map(|o| o.evidence.as_ref()?.pointer.clone())
            .collect();
        assert!(
            pointers
                .iter()
                .all(|p| !p.starts_with("/jobs") && p.starts_with('/')),
            "{pointers:?}"
        );
    }
    assert_eq!(documents[0].issues[0].code, "unlisted");
    assert!(documents[2].visible.contains("- Mend\n- Clean"));
}

#[test]
fn other_systems_are_known_by_usual_members() {
    let json = r#"{"results":[{"id":7,"name":"Night Baker","company":{"name":"Oriel Bread"},"location":{"city":"Graz","country":"at","remote":true},"releasedDate":"2026-10-01T00:00:00Z","typeOfEmployment":{"label":"Full-time"},"url":"https://oriel.example/7","salary_min":38000,"salary_max":44000,"currency":"EUR"}]}"#;
    let seen = extract(&document(json.as_bytes()));
    for (key, want) in [
        ("title", json!("Night Baker")),
        ("company", json!("Oriel Bread")),
        (
            "location",
            json!([{"city": "Graz", "region": null, "country": "AT", "text": "Graz, at"}]),
        ),
        ("remote", json!("remote")),
        ("posted_at", json!("2026-10-01")),
        ("employment_type", json!(["FULL_TIME"])),
        (
            "salary",
            json!({"min": 38000, "max": 44000, "currency": "EUR", "period": "year"}),
        ),
    ] {
        assert_eq!(best(&seen, key), Some(want), "{key}");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let refused = |bytes: &[u8], name: &str| {
        open(&RawInput {
            bytes,
            name: Some(name),
            url: None,
            content_type: None,
        })
        .unwrap_err()
        .to_string()
    };
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(100_000);
    for (bytes, name, want) in [
        (b"".as_slice(), "a.txt", "the input is empty"),
        (b" \r\n\t ", "a.txt", "the input is empty"),
        (b"\xef\xbb\xbf ", "a.txt", "the input is empty"),
        (
            b"<html><body></body></html>",
            "a.html",
            "the input is empty",
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "a.png",
            "the input is a PNG picture, not text",
        ),
        (
            b"%PDF-1.7\n%\xe2\xe3",
            "a.pdf",
            "the input is a PDF document, not text",
        ),
        (
            b"{\"weather\":\"fog\",\"wind\":3}",
            "a.json",
            "the JSON is an object with the members weather, wind; expected",
        ),
        (
            b"{\"jobs\":[],\"meta\":{}}",
            "a.json",
            "the job board lists no jobs",
        ),
        (deep.as_bytes(), "a.json", "nested deeper than 128"),
        (deep_object.as_bytes(), "a.txt", "nested deeper than 128"),
    ] {
        let got = refused(bytes, name);
        assert!(got.contains(want), "{got}");
    }
    assert!(
        matches!(open(&RawInput { bytes: b"PK\x03\x04....word/", name: None, url: None, content_type: None }), Err(NotReadable::Binary { kind }) if kind.contains("DOCX"))
    );
}

#[test]
fn damaged_text_is_read_with_an_issue() {
    let codes = |bytes: &[u8], content_type: Option<&str>| {
        let input = RawInput {
            bytes,
            name: None,
            url: None,
            content_type,
        };
        open(&input).unwrap()[0]
            .issues
            .iter()
            .map(|i| i.code.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        codes(
            b"Night B\xe4cker in Berlin",
            Some("text/plain; charset=utf-8")
        ),
        ["invalid_utf8"]
    );
    assert_eq!(
        codes(
            "Nachtbäcker".as_bytes(),
            Some("text/plain; charset=iso-8859-1")
        ),
        ["wrong_charset"]
    );
    assert_eq!(codes("Night Baker".as_bytes(), None), Vec::<String>::new());
}

#[test]
fn fifty_megabytes_of_html_are_bounded() {
    let page = format!(
        "<html><title>Night Baker</title>{}",
        "<p>Knead the dough and bake.</p>".repeat(1_600_000)
    );
    assert!(page.len() > 50_000_000);
    let document = document(page.as_bytes());
    assert!(document.source.len() <= SOURCE_BYTES_MAX && document.visible.len() <= 4 << 20);
    let codes: Vec<&str> = document.issues.iter().map(|i| i.code.as_str()).collect();
    assert_eq!(codes, ["source_truncated", "text_truncated"]);
}

#[test]
fn keys_and_language() {
    let page = "<html lang=en><link rel=canonical href=/night-baker><p>Wir suchen zum nächsten Monat eine Bäckerin oder einen Bäcker für die Nachtschicht in unserer Backstube in Berlin. Sie kneten den Teig, backen das Brot und reinigen die Öfen, bevor der Laden am Morgen öffnet und die ersten Kunden kommen.</p>";
    let document = document(page.as_bytes());
    assert_eq!(document.language.as_deref(), Some("de"));
    let keys: Vec<String> = document.keys.iter().map(|k| k.stored()).collect();
    assert_eq!(keys[0], "url:https://jobs.oriel.example/night-baker");
    assert!(keys[1].starts_with("text:"));
}

#[test]
fn plain_text_keeps_its_lines() {
    let document = document(b"Night Baker\r\nOriel Bread\r\n\r\nBerlin");
    assert_eq!(
        (document.format, document.visible.as_str()),
        (Format::Text, "Night Baker\nOriel Bread\n\nBerlin")
    );
}

#[test]
fn an_address_that_several_jobs_share_identifies_none_of_them() {
    let board = |first: &str, second: &str| {
        let job = |id: u32, url: &str| {
            format!(
                r#"{{"id": {id}, "title": "Night Porter {id}", "absolute_url": "{url}",
                    "location": {{"name": "Dublin"}}, "content": "Keep the doors.",
                    "updated_at": "2026-11-01T08:00:00Z"}}"#
            )
        };
        format!(r#"{{"jobs": [{}, {}]}}"#, job(1, first), job(2, second))
    };
    let keys = |text: &str| -> Vec<String> {
        let input = RawInput {
            bytes: text.as_bytes(),
            name: None,
            url: None,
            content_type: None,
        };
        let documents = open(&input).unwrap();
        documents
            .iter()
            .flat_map(|d| d.keys.iter().map(|k| k.stored()))
            .collect()
    };
    let shared = keys(&board(
        "https://marl.example/careers",
        "https://marl.example/careers#top",
    ));
    assert!(
        shared.iter().all(|key| !key.starts_with("url:")),
        "{shared:?}"
    );
    let routes = keys(&board(
        "https://marl.example/careers#/job/1",
        "https://marl.example/careers#/job/2",
    ));
    assert_eq!(
        routes.iter().filter(|key| key.starts_with("url:")).count(),
        2,
        "{routes:?}"
    );
}
