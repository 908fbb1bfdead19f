//! What the postings say. Employers, people and addresses are invented; `.example` belongs to nobody (RFC 2606).

use crate::dice::Dice;
use ghostlight_model::{
    FieldKey, FieldValue, Micros, Place,
    rules::{EMPLOYMENT_TYPES, OUTCOMES, REMOTE, SENIORITY, VERDICTS},
    value::{Amount, Period, Salary},
};

/// Those who edit: opaque id and invented name.
pub const PEOPLE: [(&str, &str); 8] = [
    ("seed-person-1", "Ada Lantern"),
    ("seed-person-2", "Bram Oriel"),
    ("seed-person-3", "Cleo Harrow"),
    ("seed-person-4", "Dov Quill"),
    ("seed-person-5", "Enid Marsh"),
    ("seed-person-6", "Fenn Tallow"),
    ("seed-person-7", "Gwen Sable"),
    ("seed-person-8", "Hal Bramble"),
];

const NAMES: [&str; 24] = [
    "Oriel",
    "Quill",
    "Lantern",
    "Harrow",
    "Bramble",
    "Tallow",
    "Sable",
    "Marsh",
    "Wick",
    "Alder",
    "Fathom",
    "Gantry",
    "Hollow",
    "Ingle",
    "Juniper",
    "Kestrel",
    "Loom",
    "Mortise",
    "Nettle",
    "Osier",
    "Pewter",
    "Rushlight",
    "Sedge",
    "Thimble",
];
const TRADES: [&str; 16] = [
    "Instruments",
    "Works",
    "Mills",
    "Cartography",
    "Optics",
    "Foundry",
    "Press",
    "Analytics",
    "Shipping",
    "Glass",
    "Orchards",
    "Archives",
    "Signals",
    "Textiles",
    "Bakery",
    "Observatory",
];
const ROLES: [&str; 20] = [
    "Lamplighter",
    "Cartographer",
    "Data Engineer",
    "Lens Grinder",
    "Typesetter",
    "Night Auditor",
    "Tide Analyst",
    "Backend Developer",
    "Bookbinder",
    "Signal Operator",
    "Archivist",
    "Product Designer",
    "Wheelwright",
    "Accountant",
    "Site Reliability Engineer",
    "Nurse",
    "Compositor",
    "Planner",
    "Glazier",
    "Registrar",
];
const PLACES: [(&str, &str); 12] = [
    ("Lyon", "FR"),
    ("Ghent", "BE"),
    ("Leeds", "GB"),
    ("Porto", "PT"),
    ("Graz", "AT"),
    ("Turku", "FI"),
    ("Kiel", "DE"),
    ("Trieste", "IT"),
    ("Cork", "IE"),
    ("Bergen", "NO"),
    ("Aarhus", "DK"),
    ("Gdynia", "PL"),
];
const SKILLS: [&str; 16] = [
    "sql",
    "rust",
    "ink",
    "python",
    "letterpress",
    "surveying",
    "dbt",
    "go",
    "typesetting",
    "patience",
    "kubernetes",
    "bookkeeping",
    "optics",
    "statistics",
    "welding",
    "latin",
];
const BENEFITS: [&str; 8] = [
    "30 days of leave",
    "a lantern of your own",
    "pension",
    "tram ticket",
    "four-day week",
    "library card",
    "meals",
    "relocation",
];
const SENTENCES: [&str; 10] = [
    "You keep the lamps of the old town lit.",
    "The work is quiet, and begins at dusk.",
    "We answer every letter within ten days.",
    "You will share a workshop with two others.",
    "Our instruments are used in eleven harbours.",
    "Experience with brass is welcome, and not required.",
    "We have looked for somebody since the spring.",
    "The position is new.",
    "Please tell us when you could begin.",
    "Salaries are the same for the same work.",
];
const MESSAGES: [&str; 8] = [
    "as the employer says",
    "from a phone call",
    "the page was unclear",
    "corrected",
    "checked against their own board",
    "a colleague knows them",
    "their letter of Monday",
    "",
];

/// Fields that a page states and a machine reads.
pub const READ: [FieldKey; 11] = [
    FieldKey::Title,
    FieldKey::Company,
    FieldKey::Location,
    FieldKey::Remote,
    FieldKey::EmploymentType,
    FieldKey::Seniority,
    FieldKey::Salary,
    FieldKey::PostedAt,
    FieldKey::ValidThrough,
    FieldKey::Skills,
    FieldKey::Benefits,
];
/// Fields that people edit.
pub const EDITED: [FieldKey; 14] = [
    FieldKey::Title,
    FieldKey::Company,
    FieldKey::Location,
    FieldKey::Remote,
    FieldKey::EmploymentType,
    FieldKey::Seniority,
    FieldKey::Salary,
    FieldKey::PostedAt,
    FieldKey::ValidThrough,
    FieldKey::Skills,
    FieldKey::Benefits,
    FieldKey::Description,
    FieldKey::Verdict,
    FieldKey::ApplyUrl,
];

/// An invented employer.
pub fn employer(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(&NAMES), dice.pick(&TRADES))
}

/// Its part of an address.
pub fn slug(employer: &str) -> String {
    employer.to_lowercase().replace(' ', "-")
}

/// Why somebody edits.
pub fn message(dice: &mut Dice) -> String {
    (*dice.pick(&MESSAGES)).to_owned()
}

/// Something that may stand in this field.
pub fn value(dice: &mut Dice, field: &FieldKey, employer: &str, now: Micros) -> FieldValue {
    let words = |dice: &mut Dice, from: &[&str], most: usize| {
        let many = dice.below(most) + 1;
        let first = dice.below(from.len());
        let chosen = (0..many).map(|n| from[(first + 3 * n) % from.len()].to_owned());
        let mut chosen: Vec<String> = chosen.collect();
        chosen.sort();
        chosen.dedup();
        FieldValue::List(chosen)
    };
    match field {
        FieldKey::Company => FieldValue::Text(match dice.percent(70) {
            true => employer.to_owned(),
            false => format!("{employer} Ltd"),
        }),
        FieldKey::Location => {
            let (city, country) = *dice.pick(&PLACES);
            FieldValue::Places(vec![Place {
                city: Some(city.into()),
                region: None,
                country: Some(country.into()),
                text: format!("{city}, {country}"),
            }])
        }
        FieldKey::Remote => choice(dice, &REMOTE),
        FieldKey::Seniority => choice(dice, &SENIORITY),
        FieldKey::Verdict => choice(dice, &VERDICTS),
        FieldKey::Outcome => choice(dice, &OUTCOMES),
        FieldKey::EmploymentType => words(dice, &EMPLOYMENT_TYPES, 2),
        FieldKey::Salary => {
            let from = 28_000 + 500 * dice.below(100) as i64;
            let to = from + 500 * (1 + dice.below(40) as i64);
            FieldValue::Salary(Salary {
                min: Amount::from_units(from),
                max: Amount::from_units(to),
                currency: Some("EUR".into()),
                period: Some(Period::Year),
                ..Salary::default()
            })
        }
        FieldKey::PostedAt => day(now, -(dice.below(60) as i64)),
        FieldKey::ValidThrough => day(now, dice.below(90) as i64),
        FieldKey::ApplyUrl => {
            let number = dice.below(1_000_000);
            FieldValue::Url(format!("https://{}.example/apply/{number}", slug(employer)))
        }
        FieldKey::Skills => words(dice, &SKILLS, 6),
        FieldKey::Benefits => words(dice, &BENEFITS, 4),
        FieldKey::Description => {
            let many = 2 + dice.below(4);
            let sentences: Vec<&str> = (0..many).map(|_| *dice.pick(&SENTENCES)).collect();
            FieldValue::Text(sentences.join(" "))
        }
        _ => FieldValue::Text(format!("{} {}", dice.pick(&ROLES), 1 + dice.below(9))),
    }
}

fn choice(dice: &mut Dice, from: &[&str]) -> FieldValue {
    FieldValue::Choice((*dice.pick(from)).to_owned())
}

fn day(now: Micros, days: i64) -> FieldValue {
    FieldValue::Date(Micros(now.0 + days * 86_400_000_000).day())
}
