//! Labels, and the rules by which a label is compared with a card.

use crate::cards::{Card, Winner};
use serde_json::Value;
use std::{collections::HashSet, fs, io, path::Path, rc::Rc};

/// One labelled value.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The label's name: a field, or a part of one such as `salary_min`.
    pub label: String,
    /// What is expected.
    pub want: Value,
}

/// How a card answers a claim.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Right, wrong, or not there.
    pub verdict: Verdict,
    /// What stands in the field, if anything does.
    pub winner: Option<Winner>,
}

/// Right, wrong, or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Exact,
    Wrong,
    Missing,
}

const LABELS: [&str; 13] = [
    "title",
    "company",
    "location",
    "location_city",
    "employment_type",
    "remote",
    "seniority",
    "posted_at",
    "valid_through",
    "salary_min",
    "salary_max",
    "salary_currency",
    "salary_period",
];

/// All cases with the name of their truth file, without those listed as label noise.
pub(crate) fn cases(root: &Path, noise: Option<&Path>) -> io::Result<Vec<(String, Value)>> {
    let noise: HashSet<String> = match noise {
        Some(path) => fs::read_to_string(path)?
            .lines()
            .filter_map(|line| line.split('\t').next())
            .map(str::to_owned)
            .collect(),
        None => HashSet::new(),
    };
    let mut names: Vec<_> = fs::read_dir(root.join("truth"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".jsonl"))
        .collect();
    names.sort();
    let mut cases = Vec::new();
    for name in names {
        let set = name
            .trim_end_matches(".jsonl")
            .trim_end_matches(['_', '1', '2'])
            .to_owned();
        for line in fs::read_to_string(root.join("truth").join(&name))?.lines() {
            let case: Value = serde_json::from_str(line)?;
            if !noise.contains(case["id"].as_str().unwrap_or_default()) {
                cases.push((set.clone(), case));
            }
        }
    }
    Ok(cases)
}

/// The labels that claim something about the posting's own text: no place in "Remote", no expiry
/// that somebody computed, no year the text lacks.
pub(crate) fn claims(case: &Value) -> Vec<Claim> {
    let Some(expected) = case["expected"].as_object() else {
        return Vec::new();
    };
    let dateless = case.get("captured_at").is_some();
    let computed = case["note"]
        .as_str()
        .is_some_and(|note| note.contains("computed"));
    expected
        .iter()
        .filter(|(label, want)| LABELS.contains(&label.as_str()) && !want.is_null())
        .filter(|(_, want)| want.as_str() != Some(""))
        .filter(|(label, _)| !(dateless && matches!(label.as_str(), "posted_at" | "valid_through")))
        .filter(|(label, _)| !(computed && label.as_str() == "valid_through" && sixty_days(case)))
        .filter(|(label, want)| !is_place(label) || place(want).is_some())
        .map(|(label, want)| Claim {
            label: label.clone(),
            want: want.clone(),
        })
        .collect()
}

/// Whether the expiry is about 60 days after the posting, as feeds compute it when they have none.
fn sixty_days(case: &Value) -> bool {
    let day = |key: &str| {
        case["expected"][key]
            .as_str()
            .and_then(ghostlight_model::Day::parse_prefix)
    };
    match (day("posted_at"), day("valid_through")) {
        (Some(from), Some(to)) => (58..64).contains(&(to.epoch_days() - from.epoch_days())),
        _ => false,
    }
}

/// The card of a case among those of its file.
pub(crate) fn pick<'a>(
    root: &Path,
    case: &Value,
    cards: &'a Rc<Vec<Option<Card>>>,
) -> Option<&'a Card> {
    if cards.len() == 1 {
        return cards[0].as_ref();
    }
    if let Some(row) = case["row_id"].as_str() {
        return cards.get(row_of(root, case, row)?)?.as_ref();
    }
    let title = case["expected"]["title"].as_str().map(squash);
    let hits: Vec<&Card> = cards
        .iter()
        .flatten()
        .filter(|card| {
            title.is_some() && card.get("title").map(|w| squash(&text(&w.value))) == title
        })
        .collect();
    if let [only] = hits[..] {
        return Some(only);
    }
    let pointer = case["pointer"].as_str().and_then(index_of);
    let index = pointer
        .or(case["index"].as_u64())
        .and_then(|i| usize::try_from(i).ok());
    match index.and_then(|i| cards.get(i)) {
        Some(card) => card.as_ref(),
        None => hits.first().copied(),
    }
}

fn row_of(root: &Path, case: &Value, row: &str) -> Option<usize> {
    let path = root.join(case["file"].as_str()?);
    let mut reader = csv::Reader::from_path(path).ok()?;
    reader
        .records()
        .position(|record| record.is_ok_and(|r| r.iter().any(|cell| cell == row)))
}

/// The last number of a pointer such as `/jobs/3` or `/jobs/3/data`.
fn index_of(pointer: &str) -> Option<u64> {
    pointer.rsplit('/').find_map(|part| part.parse().ok())
}

/// Compares a claim with the card.
pub(crate) fn compare(claim: &Claim, card: Option<&Card>) -> Answer {
    let field = match claim.label.as_str() {
        label if label.starts_with("salary_") => "salary",
        label if is_place(label) => "location",
        label => label,
    };
    let winner = card.and_then(|card| card.get(field)).cloned();
    let verdict = match &winner {
        None if claim.want == Value::Bool(false) => Verdict::Exact,
        None => Verdict::Missing,
        Some(winner) => verdict(claim, &winner.value),
    };
    Answer { verdict, winner }
}

fn verdict(claim: &Claim, got: &Value) -> Verdict {
    let want = &claim.want;
    let right = match claim.label.as_str() {
        "salary_min" | "salary_max" => match amount(got, &claim.label[7..]) {
            Some(got) => want.as_f64().is_some_and(|want| (got - want).abs() < 0.51),
            None => return Verdict::Missing,
        },
        "salary_currency" | "salary_period" => match got[&claim.label[7..]].as_str() {
            Some(got) => squash(got) == squash(&text(want)),
            None => return Verdict::Missing,
        },
        label if is_place(label) => place(want).is_some_and(|want| has_place(got, &want)),
        "employment_type" => {
            let want = employment(&text(want));
            got.as_array()
                .is_some_and(|types| types.iter().any(|t| text(t).to_uppercase() == want))
        }
        "remote" => match want.as_bool() {
            Some(want) => (text(got) == "remote") == want,
            None => squash(&text(got)) == squash(&text(want)),
        },
        "posted_at" | "valid_through" => text(got).get(..10) == text(want).get(..10),
        "seniority" => squash(&text(got)) == seniority(&squash(&text(want))),
        _ => squash(&text(got)) == squash(&text(want)),
    };
    if right {
        Verdict::Exact
    } else {
        Verdict::Wrong
    }
}

fn amount(salary: &Value, end: &str) -> Option<f64> {
    let other = if end == "min" { "max" } else { "min" };
    salary[end].as_f64().or_else(|| salary[other].as_f64())
}

fn employment(word: &str) -> String {
    match word {
        "contract" => "CONTRACTOR".into(),
        "internship" => "INTERN".into(),
        other => other.to_uppercase(),
    }
}

fn seniority(word: &str) -> String {
    match word {
        "internship" => "intern".into(),
        "entry" => "junior".into(),
        other => other.into(),
    }
}

fn is_place(label: &str) -> bool {
    matches!(label, "location" | "location_city")
}

#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Country(String),
    City(String),
}

/// What a location label claims; `None` where it only says remote or hybrid.
fn place(want: &Value) -> Option<Wanted> {
    let whole = text(want);
    let first = whole.split(['|', ';']).next().unwrap_or_default();
    let head = first.split(',').next().unwrap_or_default();
    let lower = head.to_lowercase();
    let words = if first.contains(',') && !lower.contains("remote") && !lower.contains("hybrid") {
        head
    } else {
        first
    };
    let squashed = squash(words);
    let kept: Vec<&str> = squashed
        .split(' ')
        .filter(|word| !word.is_empty() && !FILLER.contains(word))
        .collect();
    let name = kept.join(" ");
    if name.is_empty() {
        return None;
    }
    Some(match country(&name) {
        Some(code) => Wanted::Country(code.to_owned()),
        None => Wanted::City(city(&name).to_owned()),
    })
}

const FILLER: [&str; 14] = [
    "fully",
    "100",
    "remote",
    "hybrid",
    "onsite",
    "on",
    "site",
    "office",
    "hq",
    "headquarters",
    "based",
    "anywhere",
    "worldwide",
    "the",
];

fn has_place(got: &Value, want: &Wanted) -> bool {
    got.as_array().into_iter().flatten().take(8).any(|place| {
        let part = |key: &str| place[key].as_str().map(squash).unwrap_or_default();
        let code = country(&part("country")).map_or(part("country").to_uppercase(), str::to_owned);
        match want {
            Wanted::Country(want) => *want == code,
            Wanted::City(want) => ["city", "region", "text"]
                .iter()
                .any(|key| !part(key).is_empty() && city(&part(key)) == want),
        }
    })
}

fn city(name: &str) -> &str {
    match name {
        "new york city" | "nyc" => "new york",
        "sf" | "san francisco bay area" | "bay area" => "san francisco",
        "bangalore" => "bengaluru",
        "kraków" => "krakow",
        "washington dc" | "washington d c" => "washington",
        "münchen" => "munich",
        "greater london" => "london",
        other => other,
    }
}

fn country(name: &str) -> Option<&'static str> {
    const COUNTRIES: [(&str, &str); 36] = [
        ("us", "US"),
        ("usa", "US"),
        ("u s", "US"),
        ("united states", "US"),
        ("united states of america", "US"),
        ("uk", "GB"),
        ("united kingdom", "GB"),
        ("canada", "CA"),
        ("germany", "DE"),
        ("france", "FR"),
        ("india", "IN"),
        ("philippines", "PH"),
        ("singapore", "SG"),
        ("poland", "PL"),
        ("spain", "ES"),
        ("portugal", "PT"),
        ("ireland", "IE"),
        ("netherlands", "NL"),
        ("mexico", "MX"),
        ("brazil", "BR"),
        ("australia", "AU"),
        ("japan", "JP"),
        ("israel", "IL"),
        ("argentina", "AR"),
        ("colombia", "CO"),
        ("italy", "IT"),
        ("sweden", "SE"),
        ("switzerland", "CH"),
        ("hong kong", "HK"),
        ("south korea", "KR"),
        ("taiwan", "TW"),
        ("austria", "AT"),
        ("belgium", "BE"),
        ("denmark", "DK"),
        ("norway", "NO"),
        ("finland", "FI"),
    ];
    COUNTRIES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, code)| *code)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn squash(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
