//! What each detector must read and must leave alone, as tables of composed sentences with
//! fictitious employers; and what holds for any text at all.

use super::*;
use ghostlight_model::FieldKey::{self, *};
use proptest::prelude::*;

/// The likeliest value of a field, in the form of the command line, with its quote.
fn best(text: &str, field: &FieldKey) -> Option<(serde_json::Value, String, u16)> {
    best_with(text, Context::default(), field)
}

fn best_with(
    text: &str,
    context: Context<'_>,
    field: &FieldKey,
) -> Option<(serde_json::Value, String, u16)> {
    let mut best: Option<Found> = None;
    find_all(text, context, &mut |found| {
        if found.field == *field
            && best
                .as_ref()
                .is_none_or(|b| found.confidence > b.confidence)
        {
            best = Some(found);
        }
    });
    best.map(|f| {
        (
            f.value.to_json(),
            text[f.start..f.end].to_owned(),
            f.confidence.thousandths(),
        )
    })
}

/// `min max currency period` of the likeliest pay, or `-`.
fn pay(text: &str) -> String {
    let Some((value, ..)) = best(text, &Salary) else {
        return "-".to_owned();
    };
    let part = |key: &str| match &value[key] {
        serde_json::Value::String(s) => s.clone(),
        serde_json::Value::Null => "?".to_owned(),
        other => other.to_string(),
    };
    format!(
        "{} {} {} {}",
        part("min"),
        part("max"),
        part("currency"),
        part("period")
    )
}

fn check(cases: &[(&str, &str)], read: impl Fn(&str) -> String) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let got = read(text);
            (got != *expected).then(|| format!("{text:?}: want {expected:?}, got {got:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pay_is_read_in_many_spellings() {
    check(
        &[
            ("Editor\n\nSalary: $80k-100k", "80000 100000 USD year"),
            (
                "Editor\n\nThe salary range is €48.000 – 55.000.",
                "48000 55000 EUR year",
            ),
            (
                "Editor\n\nPay: £40,000 to £50,000 per annum",
                "40000 50000 GBP year",
            ),
            ("Editor\n\nWe pay $25.50/hr", "25.5 25.5 USD hour"),
            (
                "Editor\n\nUSD 120,000 - 150,000 annually",
                "120000 150000 USD year",
            ),
            ("Editor\n\nSalary CHF 80'000", "80000 80000 CHF year"),
            (
                "Monteur\n\nRémunération : 45 à 50 K€ selon profil",
                "45000 50000 EUR year",
            ),
            (
                "Monteur\n\nGehalt zwischen 3.500 und 4.200 € brutto im Monat",
                "3500 4200 EUR month",
            ),
            ("Editor\n\nCTC: 12-18 LPA", "1200000 1800000 INR year"),
            (
                "Editor\n\nSalary: ₹8,00,000 - ₹12,00,000 per year",
                "800000 1200000 INR year",
            ),
            (
                "Editor\n\nbase salary between $120,000 and $140,000",
                "120000 140000 USD year",
            ),
            (
                "Editor\n\nCompensation Range\n\n$95,000 — $110,000 USD",
                "95000 110000 USD year",
            ),
            (
                "Editor\n\nThe base pay is $70,000.00/year to $82,500.00/year",
                "70000 82500 USD year",
            ),
            (
                "Editor\n\nSalary: CAD $90,000 - $105,000",
                "90000 105000 CAD year",
            ),
            ("Editor\n\nSalary: up to £65k", "? 65000 GBP year"),
            ("Editor\n\nSalary: from $70k", "70000 ? USD year"),
            ("Editor\n\nDay rate: £450 - £500 per day", "450 500 GBP day"),
            (
                "Gärtner\n\nStundenlohn: 17,50 € pro Stunde",
                "17.5 17.5 EUR hour",
            ),
            (
                "Gärtner\n\nJahresgehalt: 60.000 bis 70.000 Euro brutto",
                "60000 70000 EUR year",
            ),
            (
                "Gärtner\n\nBruttojahresgehalt von 55k bis 65k €",
                "55000 65000 EUR year",
            ),
            ("Gärtner\n\nGehalt: ab 50.000 € p.a.", "50000 ? EUR year"),
            (
                "Jardinier\n\nSalaire : 1 900 € à 2 100 € brut par mois",
                "1900 2100 EUR month",
            ),
            (
                "Jardinier\n\nSalaire annuel brut de 32 000 € à 36 000 €",
                "32000 36000 EUR year",
            ),
            (
                "Jardinero\n\nSalario: entre 24.000 y 28.000 € brutos anuales",
                "24000 28000 EUR year",
            ),
            (
                "Jardinero\n\nSalario: 1.500€ - 1.800€ al mes",
                "1500 1800 EUR month",
            ),
            (
                "Gärtner\n\nVergütung: EUR 90.000 und EUR 110.000 Bruttojahresgehalt",
                "90000 110000 EUR year",
            ),
            (
                "Editor\n\nWynagrodzenie: pay 15 000 - 18 000 PLN per month",
                "15000 18000 PLN month",
            ),
            (
                "Moonlit Bakery | Baker | $30 - 45k + tips | Onsite",
                "30000 45000 USD year",
            ),
        ],
        pay,
    );
}

#[test]
fn money_that_is_no_pay_is_left_alone() {
    check(
        &[
            ("Editor\n\nWe raised a $30M Series B last year.", "-"),
            ("Editor\n\nWe closed $30,000,000 in funding.", "-"),
            ("Editor\n\n$500 referral bonus for every friend", "-"),
            ("Editor\n\n401k with 4% match", "-"),
            (
                "Editor\n\nOur customers process over $1 billion in payments",
                "-",
            ),
            ("Editor\n\nYou own a budget of $250,000", "-"),
            ("Editor\n\n$1,000 annual learning stipend", "-"),
            ("Editor\n\nFrom 2019 to 2023 we grew to 150 people", "-"),
            (
                "Editor\n\nWe have 10,000 customers and $5,000,000 in annual revenue",
                "-",
            ),
            ("Editor\n\nSalary: competitive", "-"),
            // Pay beside other money.
            (
                "Editor\n\nWe raised $12M. Salary: $60,000 - $70,000 plus a $2,000 signing bonus.",
                "60000 70000 USD year",
            ),
        ],
        pay,
    );
}

#[test]
fn extras_stand_apart_from_base_pay() {
    let (value, ..) = best(
        "Editor\n\nSalary: $100,000 - $120,000 base + 10% bonus, 0.5% equity",
        &Salary,
    )
    .unwrap();
    assert_eq!(value["min"], 100_000);
    assert_eq!(value["bonus"], "10% bonus");
    assert_eq!(value["equity"], "0.5% equity");
    let (value, ..) = best("Seller\n\nCompensation: $180K - $200K OTE", &Salary).unwrap();
    assert!(value["on_target"].as_str().unwrap().contains("OTE"));
}

#[test]
fn the_dollar_is_the_dollar_of_the_country() {
    check(
        &[
            (
                "Editor\n\nLocation: Toronto, Canada\n\nSalary: $80,000 - $90,000",
                "80000 90000 CAD year",
            ),
            (
                "Editor\n\nLocation: Sydney, Australia\n\nSalary: $80,000 - $90,000",
                "80000 90000 AUD year",
            ),
            (
                "Editor\n\nLocation: Austin, TX\n\nSalary: $80,000 - $90,000",
                "80000 90000 USD year",
            ),
        ],
        pay,
    );
}

#[test]
fn reasons_quote_the_sentence() {
    let cases = [
        (
            "Editor\n\nWe offer a competitive salary. Apply now.",
            "We offer a competitive salary.",
        ),
        (
            "Editor\n\nPay commensurate with experience",
            "Pay commensurate with experience",
        ),
        (
            "Gärtner\n\nGehalt nach Vereinbarung.",
            "Gehalt nach Vereinbarung.",
        ),
        (
            "Jardinier\n\nRémunération selon profil",
            "Rémunération selon profil",
        ),
    ];
    for (text, sentence) in cases {
        assert_eq!(reasons(text), vec![(Salary, sentence.to_owned())], "{text}");
    }
    assert_eq!(reasons("Editor\n\nSalary: $80,000"), vec![]);
}

/// `City, Region, CC; …` of the likeliest location, or `-`.
fn places(text: &str) -> String {
    let Some((value, ..)) = best(text, &Location) else {
        return "-".to_owned();
    };
    let name = |place: &serde_json::Value| {
        ["city", "region", "country"]
            .iter()
            .filter_map(|k| place[*k].as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    value
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn places_are_read() {
    check(
        &[
            ("Editor\n\nLocation: Portland, OR", "Portland, OR, US"),
            ("Editor\n\nLocation: Berlin, Germany", "Berlin, BE, DE"),
            ("Editor\n\nLocation\n\nCharlotte", "Charlotte, NC, US"),
            (
                "Editor\n\nThis role is based in our San Francisco office.",
                "San Francisco, CA, US",
            ),
            (
                "Editor\n\nYou will work out of our New York City HQ three days a week.",
                "New York, NY, US",
            ),
            ("Editor (Mexico City)\n\nHello there.", "Mexico City, MX"),
            ("Editor - Lyon\nFable Press\n\nHello there.", "Lyon, FR"),
            (
                "Editor\n\nFor Sunnyvale, CA-based roles: the range is fine.",
                "Sunnyvale, CA, US",
            ),
            (
                "Editor\n\nLocations: London, Paris or Berlin",
                "London, GB; Paris, FR; Berlin, BE, DE",
            ),
            (
                "Editor\n\nIn-person in Tiny Falls, OH",
                "Tiny Falls, OH, US",
            ),
            ("Gärtner (m/w/d)\n\nArbeitsort: München", "München, BY, DE"),
            (
                "Gärtner (m/w/d)\nHagebutte GmbH\nHamburg\nVollzeit · Veröffentlicht am 02.10.2025",
                "Hamburg, HH, DE",
            ),
            (
                "Jardinier H/F\nMaison Tilleul\nLieu : SEVRES\n\nBonjour",
                "Sevres, FR",
            ),
            (
                "Jardinier H/F\n\nLieu : Trifouillis-les-Oies",
                "Trifouillis-les-Oies",
            ),
            ("Jardinero\n\nUbicación: Madrid, España", "Madrid, ES"),
            (
                "Moonlit Bakery | Baker | Cambridge, MA | Onsite",
                "Cambridge, MA, US",
            ),
            (
                "Moonlit Bakery | Baker | Cambridge, UK | Onsite",
                "Cambridge, GB",
            ),
            (
                "Editor\n\nLocation: Bengaluru, India (hybrid)",
                "Bengaluru, IN",
            ),
        ],
        places,
    );
}

#[test]
fn common_words_are_no_places_without_a_cue() {
    check(
        &[
            (
                "Editor\n\nAbout Northwood\n\nNorthwood prints. Northwood binds. You work in our Northwood office.",
                "-",
            ),
            ("Editor\n\nLocation\n\nYour Work Starts Here", "-"),
            (
                "Editor\n\nReading and writing. Nice to have: Mobile. Bath is optional.",
                "-",
            ),
            ("Editor\n\nLocation: Reading, UK", "Reading, GB"),
            ("Editor\n\nOur office in Nice, France", "Nice, FR"),
        ],
        places,
    );
}

fn text_of(field: FieldKey) -> impl Fn(&str) -> String {
    move |text| match best(text, &field) {
        Some((serde_json::Value::String(s), ..)) => s,
        Some((serde_json::Value::Array(items), ..)) => items
            .iter()
            .filter_map(|i| i.as_str())
            .collect::<Vec<_>>()
            .join("+"),
        _ => "-".to_owned(),
    }
}

#[test]
fn the_mode_of_work_is_read() {
    check(
        &[
            ("Editor (Remote)\n\nHello.", "remote"),
            ("Editor\n\nThis is a fully remote position.", "remote"),
            ("Editor\n\nThis role is not remote.", "onsite"),
            ("Editor\n\nNo remote work, sorry: no remote.", "onsite"),
            ("Editor\n\nYou spend 3 days a week in the office.", "hybrid"),
            ("Editor\n\nFive days a week in our office.", "onsite"),
            ("Editor\n\nWe are a remote-first company.", "remote"),
            ("Editor\n\nThis position is on-site.", "onsite"),
            (
                "Editor\n\nThis hybrid position needs two days per week from home.",
                "hybrid",
            ),
            ("Editor\n\nLocation: Hybrid, Boston, MA", "hybrid"),
            ("Moonlit Bakery | Baker | Boston | REMOTE OK", "remote"),
            ("Moonlit Bakery | Baker | Boston | No remote", "onsite"),
            (
                "Gärtner (m/w/d), hybrides Arbeitsmodell\n\nHallo.",
                "hybrid",
            ),
            ("Gärtner\n\nDu arbeitest vollständig remote.", "remote"),
            ("Gärtner\n\nHybrid: 3 Tage pro Woche vor Ort", "hybrid"),
            ("Jardinier\n\nPoste en télétravail complet.", "remote"),
            ("Jardinier\n\n2 jours de télétravail par semaine", "hybrid"),
            ("Jardinero\n\nModalidad: presencial", "onsite"),
            ("Jardinero\n\nTrabajo 100% remoto", "remote"),
            (
                "Engineer\n\nYou build remote sensing and hybrid cloud systems.",
                "-",
            ),
        ],
        text_of(Remote),
    );
}

#[test]
fn regions_of_remote_work_are_read() {
    check(
        &[
            ("Editor\n\nRemote (US only)", "US"),
            ("Editor\n\nWork from anywhere in Europe", "Europe"),
            ("Editor\n\nRemote - Canada or Germany", "CA+DE"),
            ("Editor\n\nRemote work makes us happy", "-"),
        ],
        text_of(RemoteRegions),
    );
}

#[test]
fn employment_types_are_read() {
    check(
        &[
            ("Editor\n\nEmployment type: Full-time", "FULL_TIME"),
            ("Editor (Part-Time)\n\nHello", "PART_TIME"),
            ("Editor, Contract\n\nHello", "CONTRACTOR"),
            (
                "Contracts Manager\n\nThis full-time position is fun.",
                "FULL_TIME",
            ),
            (
                "Stage Technician\n\nThis is a temporary position.",
                "TEMPORARY",
            ),
            ("Editing Intern\n\nHello", "INTERN"),
            (
                "Editor\n\nThis is a part-time independent contractor position",
                "PART_TIME+CONTRACTOR",
            ),
            (
                "Editor\n\nJob Types: Full-time, Contract",
                "FULL_TIME+CONTRACTOR",
            ),
            ("Nurse\n\nSchedule: Per diem", "PER_DIEM"),
            ("Moonlit Bakery | Baker | Boston | FULLTIME", "FULL_TIME"),
            ("Gärtner\n\nArbeitszeit: Teilzeit", "PART_TIME"),
            ("Gärtner (m/w/d) in Vollzeit\n\nHallo", "FULL_TIME"),
            ("Werkstudent Garten\n\nHallo", "PART_TIME"),
            ("Praktikum im Garten\n\nHallo", "INTERN"),
            ("Jardinier\n\nType de contrat : CDI", "FULL_TIME"),
            ("Jardinier\n\nType de contrat : CDD", "TEMPORARY"),
            ("Jardinier\n\nContrat en alternance", "OTHER"),
            ("Jardinier\n\nAlternance, Temps plein", "FULL_TIME"),
            ("Jardinero\n\nJornada completa", "FULL_TIME"),
            (
                "Editor\n\nYou need five years of full-time experience",
                "FULL_TIME",
            ),
        ],
        text_of(EmploymentType),
    );
    // Experience asked for is hardly a type.
    let (_, _, thousandths) = best(
        "Editor\n\nYou need five years of full-time experience",
        &EmploymentType,
    )
    .unwrap();
    assert!(thousandths < 600, "{thousandths}");
}

#[test]
fn seniority_is_read_from_the_title() {
    check(
        &[
            ("Senior Editor", "senior"),
            ("Sr. Editor", "senior"),
            ("Editor II", "mid"),
            ("Junior Editor", "junior"),
            ("Staff Editor", "staff"),
            ("Chief of Staff", "-"),
            ("Member of Technical Staff", "-"),
            ("Head of Editing", "head"),
            ("Director, Editing", "director"),
            ("VP of Editing", "vp"),
            ("Chief Editing Officer", "executive"),
            ("Executive Assistant to the CEO", "-"),
            ("Senior Director of Editing", "director"),
            ("Senior/Lead Editor", "senior"),
            ("CEO Associate Intern", "intern"),
            ("Lead Generation Specialist", "-"),
            ("Praktikant Redaktion (m/w/d)", "intern"),
        ],
        text_of(Seniority),
    );
}

#[test]
fn titles_are_the_first_line_or_the_role() {
    check(
        &[
            (
                "Editor, Fables (m/f/d)\nFable Press\n\nHello",
                "Editor, Fables (m/f/d)",
            ),
            ("\u{feff}  Editor | Fables\n\nHello", "Editor | Fables"),
            (
                "Fable Press | Senior Editor and Designer | Paris | Onsite",
                "Senior Editor and Designer",
            ),
        ],
        text_of(Title),
    );
    let context = Context {
        title: Some("Editor of Fables - Fable Press"),
        ..Context::default()
    };
    let (title, ..) = best_with(
        "Skip to content\nMenu\nEditor of Fables\nHello",
        context,
        &Title,
    )
    .unwrap();
    assert_eq!(title, "Editor of Fables");
}

#[test]
fn employers_are_read() {
    check(
        &[
            ("Editor\nFable Press\n\nHello", "Fable Press"),
            (
                "Editor\nDepartment of Tales\nOffice of Fables\n\nOpen & closing dates\n01/02/2025 to 01/09/2025",
                "Office of Fables",
            ),
            (
                "Fable Press (YC S31) | Editor | Paris | Onsite",
                "Fable Press",
            ),
            (
                "Fable Press - https://fable.example | Editor | Paris | Onsite",
                "Fable Press",
            ),
            (
                "Paris, France | Fable Press | Full-time | Onsite",
                "Fable Press",
            ),
            ("Editor\n\nCompany: Fable Press", "Fable Press"),
            (
                "Editor\n\nABOUT FABLE\n\nFABLE prints. FABLE binds.",
                "FABLE",
            ),
            (
                "Editor\n\nFable Press is hiring an editor. Fable Press is old. Fable Press is fun.",
                "Fable Press",
            ),
            ("Editor\n\nAbout the role\n\nYou edit.", "-"),
        ],
        text_of(Company),
    );
}

#[test]
fn dates_are_read_after_their_labels() {
    check(
        &[
            ("Editor\n\nPosted on 2025-10-20", "2025-10-20"),
            ("Editor\n\nJob Posted: 07/17/2025", "2025-07-17"),
            ("Editor\n\nJob Posted: 10/16/25", "2025-10-16"),
            ("Editor\n\nDate posted: October 1st, 2025", "2025-10-01"),
            (
                "Editor\n\nOpen & closing dates\n03/14/2025 to 03/28/2025",
                "2025-03-14",
            ),
            (
                "Gärtner und die Rosen\n\nVeröffentlicht am 06.10.2025",
                "2025-10-06",
            ),
            ("Gärtner\n\nOnline seit: 1. August 2025", "2025-08-01"),
            (
                "Jardinier dans les roses\n\nPublié le 03/10/2025",
                "2025-10-03",
            ),
            (
                "Jardinier\n\nDate de publication : 20 octobre 2025",
                "2025-10-20",
            ),
            (
                "Jardinero para las rosas\n\nFecha de publicación: 5 de mayo de 2025",
                "2025-05-05",
            ),
            ("Editor\n\nPosted 3 days ago", "-"),
            ("Editor\n\nPosted on 31.02.2025", "-"),
        ],
        text_of(PostedAt),
    );
    check(
        &[
            (
                "Editor\n\nOpen & closing dates\n03/14/2025 to 03/28/2025",
                "2025-03-28",
            ),
            (
                "Editor\n\nWe will accept applications for the role until November 10th, 2025",
                "2025-11-10",
            ),
            ("Editor\n\nApply by 30 June 2025.", "2025-06-30"),
            ("Gärtner\n\nBewerbungsfrist: 31.12.2025", "2025-12-31"),
            (
                "Jardinier\n\nDate limite de candidature : 15/11/2025 pour les roses",
                "2025-11-15",
            ),
            (
                "Jardinero\n\nFecha límite: 15 de noviembre de 2025",
                "2025-11-15",
            ),
            ("Editor\n\nThe contract runs until November 10th, 2025", "-"),
        ],
        text_of(ValidThrough),
    );
}

#[test]
fn links_and_systems_are_read() {
    let text = "Editor\n\nSee https://fable.example/about. Apply at https://boards.greenhouse.io/fable/jobs/1.";
    assert_eq!(
        text_of(ApplyUrl)(text),
        "https://boards.greenhouse.io/fable/jobs/1"
    );
    assert_eq!(text_of(Platform)(text), "greenhouse");
    let context = Context {
        url: Some("https://jobs.lever.co/fable/1"),
        ..Context::default()
    };
    assert_eq!(
        best_with("Editor\n\nHello", context, &Platform).unwrap().0,
        "lever"
    );
    assert_eq!(
        text_of(Platform)("Editor\n\nhttps://notgreenhouse.io/x"),
        "-"
    );
}

#[test]
fn skills_and_benefits_are_listed_once_in_order() {
    let text = "Editor\n\nYou know Rust, Go and C++. We go far. Rust again; PostgreSQL. We offer health insurance and stock options.";
    assert_eq!(text_of(Skills)(text), "Rust+Go+C+++PostgreSQL");
    assert_eq!(text_of(Benefits)(text), "Health insurance+Stock options");
    assert_eq!(
        text_of(Skills)("Editor\n\nGo to market. In the spring we excel. R us. C. Smith"),
        "-"
    );
}

#[test]
fn single_values_are_read_without_labels() {
    let cases = [
        (
            Salary,
            "80k-100k USD",
            r#"{"currency":"USD","max":100000,"min":80000,"period":"year"}"#,
        ),
        (Remote, "Hybrid", r#""hybrid""#),
        (EmploymentType, "Full time", r#"["FULL_TIME"]"#),
        (PostedAt, "12.03.2025", r#""2025-03-12""#),
        (Seniority, "Senior Editor", r#""senior""#),
    ];
    for (field, text, expected) in cases {
        let found = detect_one(&field, text, None).unwrap();
        assert_eq!(found.value.to_json().to_string(), expected, "{text}");
    }
    let found = detect_one(&Salary, "80,000", Some("EUR")).unwrap();
    assert_eq!(found.value.to_json()["currency"], "EUR");
    assert_eq!(
        detect_one(&Location, "Paris, France", None)
            .unwrap()
            .value
            .to_json()[0]["country"],
        "FR"
    );
    assert_eq!(detect_one(&Salary, "nothing", None), None);
}

#[test]
fn amounts_are_read_in_any_locale() {
    let cases = [
        ("$1,234.56", Some(("1234.56", Some("USD")))),
        ("1.234,56 €", Some(("1234.56", Some("EUR")))),
        ("1 234,56 EUR", Some(("1234.56", Some("EUR")))),
        ("CHF 1'234.50", Some(("1234.50", Some("CHF")))),
        ("₹1,00,000", Some(("100000", Some("INR")))),
        ("35€ 99", Some(("35.99", Some("EUR")))),
        ("free", Some(("0", None))),
        ("50% off", None),
        ("", None),
        ("no price", None),
        ("from 1.234.567,89 zł", Some(("1234567.89", Some("PLN")))),
    ];
    for (text, expected) in cases {
        let got = money(text, None).map(|m| (m.amount.to_string(), m.currency));
        let want = expected.map(|(a, c)| (a.to_owned(), c.map(str::to_owned)));
        assert_eq!(got, want, "{text}");
    }
}

#[test]
fn long_texts_are_read_to_the_bound() {
    let text = format!(
        "Editor\n\n{}\nSalary: $80,000",
        "words and words ".repeat(20_000)
    );
    assert!(text.len() > text::TEXT_BYTES_MAX);
    assert_eq!(pay(&text), "-");
}

/// Text like a posting's: words the detectors know, marks, digits, letters of many scripts.
fn posting_like() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("Salary: ".to_owned()),
        Just("$".to_owned()),
        Just("€".to_owned()),
        Just("k".to_owned()),
        Just(" - ".to_owned()),
        Just("–".to_owned()),
        Just("Location: ".to_owned()),
        Just("Paris".to_owned()),
        Just(", CA".to_owned()),
        Just("İstanbul".to_owned()),
        Just("Remote".to_owned()),
        Just(" | ".to_owned()),
        Just("\n".to_owned()),
        Just("About ".to_owned()),
        Just("posted on ".to_owned()),
        Just("5 days a week in the office".to_owned()),
        Just("https://".to_owned()),
        Just("www.ß.é".to_owned()),
        Just("until ".to_owned()),
        Just("ẞ".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("İ".to_owned()),
        Just("per hour".to_owned()),
        Just("OTE".to_owned()),
        Just("equity".to_owned()),
        "[0-9.,' /]{1,8}",
        "\\PC{0,6}",
        "[A-Z][a-z]{0,5} ",
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_gives_valid_spans(text in prop_oneof![posting_like(), any::<String>()]) {
        find_all(&text, Context { title: Some("Editor"), url: Some("https://x.example"), ..Context::default() }, &mut |found| {
            assert!(found.start <= found.end && found.end <= text.len());
            assert!(text.get(found.start..found.end).is_some(), "{found:?}");
        });
        reasons(&text);
        for field in [Salary, Location, Remote, EmploymentType, Seniority, PostedAt] {
            if let Some(found) = detect_one(&field, &text, Some("EUR")) {
                assert!(text.get(found.start..found.end).is_some(), "{found:?}");
            }
        }
        if let Some(money) = money(&text, None) {
            assert!(text.get(money.start..money.end).is_some(), "{money:?}");
        }
    }
}
