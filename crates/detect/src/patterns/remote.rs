//! Whether work is remote, hybrid or on site ([`find`]), and where a remote worker may live
//! ([`regions`]).

use super::{
    Found,
    gazetteer::Kind,
    header::{self, Segment},
    phrases::Phrases,
    text::{Doc, floor},
};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::{ops::Range, sync::LazyLock};

/// Where work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Remote,
    Hybrid,
    Onsite,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Mode::Remote => "remote",
            Mode::Hybrid => "hybrid",
            Mode::Onsite => "onsite",
        }
    }
}

/// Weight of a cue, and the confidence it gives (thousandths, measured on the labelled texts).
mod weight {
    pub const SEGMENT: i32 = 97;
    pub const LABEL: i32 = 94;
    pub const TITLE: i32 = 92;
    pub const STRONG: i32 = 85;
    pub const GOOD: i32 = 70;
    pub const WEAK: i32 = 45;
}

fn confidence(weight: i32) -> Confidence {
    Confidence::new(match weight {
        95.. => 980,
        90.. => 960,
        84.. => 960,
        78.. => 850,
        65.. => 600,
        _ => 550,
    })
}

/// Words that say it where only such a word is expected: a segment, a label's value, a title.
#[rustfmt::skip]
static WORDS: LazyLock<Phrases<Mode>> = LazyLock::new(|| {
    use Mode::*;
    Phrases::new(&[
        ("remote", Remote), ("remotely", Remote), ("fully remote", Remote), ("work from home", Remote), ("wfh", Remote), ("home office", Remote), ("homeoffice", Remote), ("home-office", Remote), ("telecommute", Remote), ("anywhere", Remote), ("télétravail", Remote), ("à distance", Remote), ("teletrabajo", Remote), ("remoto", Remote), ("en remoto", Remote),
        ("hybrid", Hybrid), ("hybride", Hybrid), ("hybrides", Hybrid), ("hybrides arbeitsmodell", Hybrid), ("híbrido", Hybrid), ("partially remote", Hybrid), ("part remote", Hybrid), ("flexible hybrid", Hybrid),
        ("onsite", Onsite), ("on-site", Onsite), ("on site", Onsite), ("in-office", Onsite), ("in office", Onsite), ("in-person", Onsite), ("in person", Onsite), ("vor ort", Onsite), ("präsenz", Onsite), ("sur site", Onsite), ("présentiel", Onsite), ("presencial", Onsite), ("office-based", Onsite), ("no remote", Onsite), ("not remote", Onsite),
    ])
});

/// Phrases of running text with their weight.
#[rustfmt::skip]
static PHRASES: LazyLock<Phrases<(Mode, i32)>> = LazyLock::new(|| {
    use Mode::*;
    use weight::*;
    Phrases::new(&[
        ("fully remote", (Remote, STRONG + 3)), ("100% remote", (Remote, STRONG + 3)), ("100 % remote", (Remote, STRONG + 3)), ("fully-remote", (Remote, STRONG + 3)), ("completely remote", (Remote, STRONG)), ("entirely remote", (Remote, STRONG)), ("remote-first", (Remote, STRONG)), ("remote first", (Remote, STRONG)), ("all-remote", (Remote, STRONG)), ("remote-only", (Remote, STRONG)), ("work from anywhere", (Remote, STRONG)), ("work remotely from", (Remote, GOOD)), ("remote position", (Remote, STRONG)), ("remote role", (Remote, STRONG)), ("remote job", (Remote, STRONG)), ("remote opportunity", (Remote, STRONG)), ("this is a remote", (Remote, STRONG)), ("this role is remote", (Remote, STRONG)), ("position is remote", (Remote, STRONG)), ("role is fully remote", (Remote, STRONG + 3)), ("remote within", (Remote, STRONG)), ("remote (us", (Remote, STRONG)), ("remote in the us", (Remote, STRONG)), ("remote from anywhere", (Remote, STRONG)), ("(remote)", (Remote, GOOD)), ("remote friendly", (Remote, GOOD - 8)), ("remote-friendly", (Remote, GOOD - 8)), ("remote work", (Remote, WEAK)), ("remote working", (Remote, WEAK)), ("work remotely", (Remote, WEAK + 5)), ("remote team", (Remote, GOOD)), ("remote company", (Remote, STRONG)), ("distributed team", (Remote, GOOD - 5)), ("fully distributed", (Remote, GOOD + 6)), ("distributed company", (Remote, GOOD)), ("work from home", (Remote, WEAK)), ("working from home", (Remote, WEAK)), ("#li-remote", (Remote, STRONG)), ("remote", (Remote, WEAK - 8)), ("remote ok", (Remote, GOOD)), ("location: remote", (Remote, STRONG)), ("remote eligible", (Remote, GOOD)), ("remote candidates", (Remote, WEAK)),
        ("télétravail complet", (Remote, STRONG)), ("100% télétravail", (Remote, STRONG)), ("full remote", (Remote, STRONG)), ("télétravail total", (Remote, STRONG)), ("vollständig remote", (Remote, STRONG)), ("komplett remote", (Remote, STRONG)), ("remote innerhalb", (Remote, STRONG)), ("rein remote", (Remote, STRONG)), ("100% homeoffice", (Remote, STRONG)), ("deutschlandweit remote", (Remote, STRONG)), ("100% remoto", (Remote, STRONG)), ("totalmente remoto", (Remote, STRONG)), ("teletrabajo 100%", (Remote, STRONG)), ("remoto", (Remote, WEAK)), ("remote arbeiten", (Remote, GOOD - 10)), ("remote-arbeit", (Remote, WEAK)), ("homeoffice", (Hybrid, WEAK)), ("home-office", (Hybrid, WEAK)), ("home office möglich", (Hybrid, GOOD)), ("möglichkeit zum homeoffice", (Hybrid, GOOD)), ("mobiles arbeiten", (Hybrid, WEAK)), ("télétravail", (Hybrid, WEAK)), ("télétravail partiel", (Hybrid, STRONG)), ("jours de télétravail", (Hybrid, STRONG)), ("teletrabajo", (Hybrid, WEAK)), ("días de teletrabajo", (Hybrid, STRONG)), ("modelo híbrido", (Hybrid, STRONG)), ("trabajo híbrido", (Hybrid, STRONG)), ("modalidad híbrida", (Hybrid, STRONG)),
        ("hybrid role", (Hybrid, STRONG)), ("hybrid position", (Hybrid, STRONG)), ("hybrid work", (Hybrid, GOOD + 8)), ("hybrid working", (Hybrid, GOOD + 8)), ("hybrid model", (Hybrid, GOOD + 8)), ("hybrid work model", (Hybrid, STRONG - 4)), ("hybrid schedule", (Hybrid, STRONG)), ("hybrid environment", (Hybrid, GOOD)), ("hybrid setup", (Hybrid, STRONG)), ("hybrid workplace", (Hybrid, GOOD + 8)), ("hybrid office", (Hybrid, STRONG)), ("hybrid in", (Hybrid, STRONG)), ("hybrid, based", (Hybrid, STRONG)), ("#li-hybrid", (Hybrid, STRONG)), ("hybrid culture", (Hybrid, GOOD)), ("hybrid team", (Hybrid, GOOD)), ("hybrid arrangement", (Hybrid, STRONG)), ("(hybrid)", (Hybrid, STRONG)), ("hybrid:", (Hybrid, STRONG + 3)), ("hybrides arbeitsmodell", (Hybrid, STRONG)), ("hybrides arbeiten", (Hybrid, GOOD + 8)), ("hybriden arbeitsmodell", (Hybrid, STRONG)), ("hybrid-modell", (Hybrid, STRONG)), ("hybrid opportunity", (Hybrid, STRONG)), ("hybrid remote", (Hybrid, STRONG)), ("remote-hybrid", (Hybrid, STRONG)), ("mode hybride", (Hybrid, STRONG)), ("travail hybride", (Hybrid, STRONG)), ("flexibilité hybride", (Hybrid, GOOD)), ("hybrid", (Hybrid, WEAK - 10)), ("hybrides modell", (Hybrid, STRONG)),
        ("based on site", (Onsite, STRONG)), ("based on-site", (Onsite, STRONG)), ("based onsite", (Onsite, STRONG)), ("work is on site", (Onsite, STRONG - 1)), ("work is on-site", (Onsite, STRONG - 1)), ("work is onsite", (Onsite, STRONG - 1)), ("work on site at", (Onsite, STRONG - 4)), ("fully on site", (Onsite, STRONG)), ("100% on site", (Onsite, STRONG)), ("role is on site", (Onsite, STRONG)), ("job is on site", (Onsite, STRONG)), ("position is on site", (Onsite, STRONG)),
        ("onsite role", (Onsite, STRONG + 2)), ("on-site role", (Onsite, STRONG + 2)), ("on site role", (Onsite, STRONG)), ("in-office role", (Onsite, STRONG + 2)), ("in office role", (Onsite, STRONG)), ("in-person role", (Onsite, STRONG + 2)), ("in person role", (Onsite, STRONG)), ("onsite position", (Onsite, STRONG + 2)), ("on-site position", (Onsite, STRONG + 2)), ("in-office position", (Onsite, STRONG + 2)), ("in-person position", (Onsite, STRONG + 2)), ("in person position", (Onsite, STRONG)), ("in-person job", (Onsite, STRONG)), ("on-site job", (Onsite, STRONG)), ("role is onsite", (Onsite, STRONG + 2)), ("role is on-site", (Onsite, STRONG + 2)), ("role is in-person", (Onsite, STRONG + 2)), ("role is in person", (Onsite, STRONG + 2)), ("role is in-office", (Onsite, STRONG + 2)), ("position is onsite", (Onsite, STRONG + 2)), ("position is on-site", (Onsite, STRONG + 2)), ("fully onsite", (Onsite, STRONG)), ("fully on-site", (Onsite, STRONG)), ("fully in-person", (Onsite, STRONG)), ("fully in person", (Onsite, STRONG)), ("fully in office", (Onsite, STRONG)), ("fully in-office", (Onsite, STRONG)), ("100% onsite", (Onsite, STRONG)), ("100% on-site", (Onsite, STRONG)), ("100% in-office", (Onsite, STRONG)), ("100% in-person", (Onsite, STRONG)), ("full-time on-site", (Onsite, STRONG)), ("full-time onsite", (Onsite, STRONG)), ("full-time in-office", (Onsite, STRONG)), ("full-time in-person", (Onsite, STRONG)), ("located onsite", (Onsite, STRONG)), ("located on-site", (Onsite, STRONG)), ("this is an in-office", (Onsite, STRONG + 2)), ("this is an on-site", (Onsite, STRONG + 2)), ("this is an onsite", (Onsite, STRONG + 2)), ("this is an in-person", (Onsite, STRONG + 2)), ("this is an in person", (Onsite, STRONG + 2)), ("will be in-office", (Onsite, STRONG)), ("will be in-person", (Onsite, STRONG)), ("will be on-site", (Onsite, STRONG)), ("will be onsite", (Onsite, STRONG)), ("required to be in office", (Onsite, STRONG)), ("required to be in the office", (Onsite, STRONG - 6)), ("be in office", (Onsite, GOOD - 6)), ("work on-site", (Onsite, GOOD + 5)), ("work onsite", (Onsite, GOOD + 5)), ("work in-person", (Onsite, GOOD + 5)), ("work in person", (Onsite, GOOD + 5)), ("working in-person", (Onsite, GOOD + 5)), ("working in person", (Onsite, GOOD)), ("in-person team", (Onsite, GOOD + 9)), ("in-person culture", (Onsite, GOOD + 5)), ("in-office culture", (Onsite, GOOD + 5)), ("in-person company", (Onsite, GOOD + 8)), ("in-office team", (Onsite, GOOD + 5)), ("in-person in", (Onsite, STRONG - 2)), ("in person in", (Onsite, STRONG - 2)), ("in-office in", (Onsite, STRONG - 2)), ("onsite in", (Onsite, STRONG - 2)), ("on-site in", (Onsite, STRONG - 2)), ("on-site at", (Onsite, GOOD)), ("onsite at", (Onsite, GOOD)), ("position in office", (Onsite, STRONG)), ("in our office full-time", (Onsite, STRONG)), ("not a remote", (Onsite, STRONG + 5)), ("not remote", (Onsite, STRONG + 5)), ("no remote", (Onsite, STRONG)), ("isn't remote", (Onsite, STRONG)), ("is not eligible for remote", (Onsite, STRONG)), ("remote work is not", (Onsite, STRONG)), ("in-person first", (Onsite, GOOD + 5)), ("office-first", (Onsite, GOOD)), ("#li-onsite", (Onsite, STRONG)), ("(on-site)", (Onsite, STRONG)), ("(onsite)", (Onsite, STRONG)), ("onsite", (Onsite, WEAK)), ("on-site", (Onsite, WEAK)), ("in-office", (Onsite, WEAK)), ("in-person", (Onsite, WEAK - 4)), ("in office", (Onsite, WEAK - 4)), ("in person", (Onsite, WEAK - 8)), ("on site", (Onsite, WEAK - 4)), ("in the office", (Onsite, WEAK - 10)), ("vor ort in", (Onsite, WEAK)), ("100% présentiel", (Onsite, STRONG)), ("100% presencial", (Onsite, STRONG)), ("modalidad presencial", (Onsite, STRONG)), ("trabajo presencial", (Onsite, STRONG)),
    ])
});

#[rustfmt::skip]
static LABELS: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("location", ()), ("locations", ()), ("work location", ()), ("job location", ()), ("workplace", ()), ("workplace type", ()), ("work type", ()), ("location type", ()), ("work model", ()), ("work arrangement", ()), ("work setting", ()), ("work mode", ()), ("work environment", ()), ("remote", ()), ("📍", ()), ("working model", ()), ("on-site/remote", ()), ("ort", ()), ("standort", ()), ("arbeitsort", ()), ("arbeitsmodell", ()), ("lieu", ()), ("localisation", ()), ("ubicación", ()), ("modalidad", ()), ("telework", ()), ("job type", ()), ("type", ()),
    ])
});

/// The mode a short text names, if any: the first such word, with "not" turned around.
pub(crate) fn word(fold: &str) -> Option<Mode> {
    let mut hits = WORDS.find(fold);
    let first = hits.next()?;
    Some(
        if first.tag == &Mode::Remote && negated(&fold[..first.start]) {
            Mode::Onsite
        } else {
            *first.tag
        },
    )
}

/// The length of the first such word, in bytes.
pub(crate) fn word_len(fold: &str) -> Option<usize> {
    WORDS.find(fold).next().map(|hit| hit.phrase.len())
}

/// The mode with the heaviest cue; the heaviest cue of another mode as the alternative.
pub(crate) fn find(doc: &Doc, segments: &[(Range<usize>, Segment)], sink: &mut dyn FnMut(Found)) {
    let mut cues = Vec::new();
    in_segments(doc, segments, &mut cues);
    in_title(doc, segments, &mut cues);
    in_labels(doc, &mut cues);
    in_text(doc, &mut cues);
    days(doc, &mut cues);
    let mut best: [Option<(i32, usize, usize)>; 3] = [None; 3];
    for (mode, weight, start, end) in cues {
        let slot = &mut best[mode as usize];
        if slot.is_none_or(|(w, ..)| weight > w) {
            *slot = Some((weight, start, end));
        }
    }
    let mut ranked: Vec<(Mode, (i32, usize, usize))> = [Mode::Remote, Mode::Hybrid, Mode::Onsite]
        .into_iter()
        .filter_map(|m| best[m as usize].map(|b| (m, b)))
        .collect();
    ranked.sort_by_key(|(_, (weight, start, _))| (-weight, *start));
    let close = matches!(ranked.as_slice(), [(_, (a, ..)), (_, (b, ..)), ..] if a - b < 4);
    for (rank, (mode, (weight, start, end))) in ranked.into_iter().enumerate() {
        let weight = match (rank, close) {
            (0, false) => weight,
            // Two modes said alike: which holds is open.
            (0, true) => weight.min(weight::GOOD),
            _ => weight.min(weight::WEAK),
        };
        sink(Found {
            field: FieldKey::Remote,
            value: FieldValue::Choice(mode.word().to_owned()),
            confidence: confidence(weight),
            start,
            end,
        });
    }
}

/// The mode of a short text that is known to state it.
pub(crate) fn only(doc: &Doc) -> Option<Found> {
    let mode = word(&doc.fold)?;
    let hit = WORDS.find(&doc.fold).next()?;
    Some(Found {
        field: FieldKey::Remote,
        value: FieldValue::Choice(mode.word().to_owned()),
        confidence: confidence(weight::LABEL),
        start: hit.start,
        end: hit.end,
    })
}

type Cues = Vec<(Mode, i32, usize, usize)>;

fn in_segments(doc: &Doc, segments: &[(Range<usize>, Segment)], cues: &mut Cues) {
    for (span, kind) in segments {
        if matches!(kind, Segment::Role | Segment::Link) {
            continue;
        }
        let fold = &doc.fold[span.clone()];
        if let Some(mode) = word(fold) {
            cues.push((mode, weight::SEGMENT, span.start, span.end));
        }
    }
}

fn in_title(doc: &Doc, segments: &[(Range<usize>, Segment)], cues: &mut Cues) {
    let Some(line) = doc.head_line().filter(|_| segments.is_empty()) else {
        return;
    };
    let fold = &doc.fold[line.start..line.end];
    for hit in WORDS.find(fold) {
        let mode = if negated(&fold[..hit.start]) {
            Mode::Onsite
        } else {
            *hit.tag
        };
        cues.push((
            mode,
            weight::TITLE,
            line.start + hit.start,
            line.start + hit.end,
        ));
    }
}

fn in_labels(doc: &Doc, cues: &mut Cues) {
    for value in header::labelled(doc, &LABELS) {
        let fold = &doc.fold[value.clone()];
        let near = &fold[..floor(fold, 60)];
        let counted = near.contains(|c: char| c.is_ascii_digit())
            && ["day", "tag", "jour", "día"]
                .iter()
                .any(|w| near.contains(w));
        if let Some(mode) = word(near).filter(|mode| *mode == Mode::Hybrid || !counted) {
            let both = near.contains("hybrid") && mode != Mode::Hybrid;
            cues.push((
                if both { Mode::Hybrid } else { mode },
                weight::LABEL,
                value.start,
                value.end,
            ));
        }
    }
}

fn in_text(doc: &Doc, cues: &mut Cues) {
    let from = doc.below_head();
    for hit in PHRASES.find(&doc.fold[from..]) {
        let (start, end) = (from + hit.start, from + hit.end);
        let (mode, weight) = *hit.tag;
        if negated(doc.before(start, 14)) {
            if mode == Mode::Remote {
                cues.push((Mode::Onsite, weight.min(weight::STRONG) - 3, start, end));
            }
            continue;
        }
        let after = doc.after(end, 20);
        let other = [
            "sensing",
            "control",
            "access",
            "monitoring",
            "procedure",
            "desktop",
            "patient",
            "support",
            "customers",
            "cloud",
            "teams",
            "apps",
            "mobile",
            "vehicle",
            "systems",
            "infrastructure",
            "areas",
            "locations",
            "interview",
            "interviews",
            "events",
            "meetings",
            "workshops",
            "training",
            "onboarding",
            "daycare",
            "gym",
            "parking",
            "lunch",
            "meals",
            "office",
        ];
        let tail = after.trim_start();
        let bare = hit.phrase.len() <= 9;
        if bare && other.iter().any(|word| tail.starts_with(word)) {
            continue;
        }
        // "This role, part of …, is on-site": the job itself is spoken of.
        let clause = doc.before(start, 70);
        let clause = clause
            .rfind(['.', '!', '?', ';'])
            .map_or(clause, |i| &clause[i + 1..]);
        let weight = if bare && ABOUT_JOB.any(clause) {
            weight::STRONG - 1
        } else {
            weight
        };
        cues.push((mode, weight, start, end));
    }
}

/// Words that make a sentence one about the job.
#[rustfmt::skip]
static ABOUT_JOB: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("this role", ()), ("this position", ()), ("this job", ()), ("the role is", ()), ("the position is", ()), ("position will", ()), ("role will", ()), ("this is a", ()), ("this is an", ()), ("this opportunity", ()), ("diese stelle", ()), ("diese position", ()), ("ce poste", ()), ("le poste est", ()), ("este puesto", ()), ("el puesto es", ()),
    ])
});

fn negated(before: &str) -> bool {
    let words = before.trim_end();
    [
        "not",
        "no",
        "non",
        "isn't",
        "isn’t",
        "never",
        "not a",
        "not fully",
        "not a fully",
        "cannot be",
        "nicht",
        "pas de",
        "pas",
        "sin",
        "kein",
        "not be",
        "without",
    ]
    .iter()
    .any(|w| words.ends_with(w) && !words[..words.len() - w.len()].ends_with(char::is_alphanumeric))
}

/// "3 days a week in the office": five is on site, fewer is hybrid.
fn days(doc: &Doc, cues: &mut Cues) {
    #[rustfmt::skip]
    static DAYS: LazyLock<Phrases<()>> = LazyLock::new(|| {
        Phrases::new(&[("days", ()), ("days/week", ()), ("day", ()), ("tage", ()), ("tagen", ()), ("jours", ()), ("días", ()), ("x/week", ()), ("x per week", ()), ("x a week", ()), ("times a week", ()), ("times per week", ()), ("days/wk", ())])
    });
    const OFFICE: [&str; 22] = [
        "office",
        "on-site",
        "onsite",
        "on site",
        "in-person",
        "in person",
        "hq",
        "headquarters",
        "vor ort",
        "büro",
        "standort",
        "bureau",
        "présentiel",
        "presencial",
        "oficina",
        "sur site",
        "our space",
        "studio",
        "lab",
        "campus",
        "workplace",
        "at our",
    ];
    const HOME: [&str; 8] = [
        "from home",
        "remote",
        "wfh",
        "télétravail",
        "homeoffice",
        "home office",
        "teletrabajo",
        "mobil",
    ];
    const WEEK: [&str; 14] = [
        "week",
        "office",
        "hq",
        "woche",
        "semaine",
        "semana",
        "/wk",
        "hybrid",
        "on-site",
        "onsite",
        "in-office",
        "in office",
        "in-person",
        "in person",
    ];
    for hit in DAYS.find(&doc.fold) {
        let Some(count) = count_before(doc.before(hit.start, 24)) else {
            continue;
        };
        let (start, end) = doc.sentence(hit.start, hit.end, 90);
        let sentence = &doc.fold[start..end];
        let near = format!(
            "{}{}{}",
            doc.before(hit.start, 50),
            hit.phrase,
            doc.after(hit.end, 70)
        );
        if !WEEK.iter().any(|w| near.contains(w))
            || sentence.contains("vacation")
            || sentence.contains("pto")
            || sentence.contains("urlaub")
        {
            continue;
        }
        // What the days are spent at stands after them, or else before.
        let place = |text: &str| {
            let at = |words: &[&str]| words.iter().filter_map(|w| text.find(w)).min();
            match (at(&OFFICE), at(&HOME)) {
                (Some(o), Some(h)) => Some(o < h),
                (Some(_), None) => Some(true),
                (None, Some(_)) => Some(false),
                _ => None,
            }
        };
        let at_office = place(doc.after(hit.end, 70)).or_else(|| place(doc.before(hit.start, 50)));
        let cue = match (at_office, count) {
            (Some(true), 5..=7) => Some((Mode::Onsite, weight::STRONG + 2)),
            (Some(_), 1..=4) => Some((Mode::Hybrid, weight::STRONG + 1)),
            (Some(false), _) => Some((Mode::Remote, weight::GOOD)),
            _ => None,
        };
        if let Some((mode, weight)) = cue {
            cues.push((mode, weight, hit.start, hit.end));
        }
    }
}

/// The number before "days"; of "2–3" the first.
fn count_before(before: &str) -> Option<u32> {
    #[rustfmt::skip]
    const NAMES: [(&str, u32); 20] = [
        ("one", 1), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("ein", 1), ("zwei", 2), ("drei", 3), ("vier", 4), ("fünf", 5),
        ("deux", 2), ("trois", 3), ("quatre", 4), ("cinq", 5), ("dos", 2), ("tres", 3), ("cuatro", 4), ("cinco", 5), ("un", 1), ("six", 6),
    ];
    let mut found = None;
    for word in before
        .rsplit(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(3)
    {
        let number = word
            .parse()
            .ok()
            .filter(|n| (1..=7).contains(n))
            .or_else(|| {
                NAMES
                    .iter()
                    .find(|(name, _)| *name == word)
                    .map(|(_, n)| *n)
            });
        match number {
            Some(number) => found = Some(number),
            None if found.is_some()
                || !matches!(
                    word,
                    "to" | "or" | "full" | "bis" | "à" | "a" | "business" | "working" | "work"
                ) =>
            {
                break;
            }
            None => {}
        }
    }
    found
}

/// Regions that are no countries.
#[rustfmt::skip]
static REGIONS: LazyLock<Phrases<&'static str>> = LazyLock::new(|| {
    Phrases::new(&[
        ("worldwide", "Worldwide"), ("anywhere in the world", "Worldwide"), ("global", "Worldwide"), ("globally", "Worldwide"), ("europe", "Europe"), ("europa", "Europe"), ("eu", "EU"), ("european union", "EU"), ("emea", "EMEA"), ("apac", "APAC"), ("latam", "LATAM"), ("latin america", "LATAM"), ("south america", "South America"), ("north america", "North America"), ("americas", "Americas"), ("asia", "Asia"), ("africa", "Africa"), ("dach", "DACH"), ("nordics", "Nordics"), ("us time zones", "US time zones"), ("us timezones", "US time zones"), ("eu timezones", "EU time zones"), ("european time zones", "EU time zones"), ("cet", "CET"), ("est", "EST"), ("pst", "PST"), ("us only", "US"), ("usa only", "US"), ("us-based", "US"), ("u.s.", "US"), ("us", "US"),
    ])
});

/// Where a remote worker may live: the regions and countries said right after "remote".
pub(crate) fn regions(doc: &Doc, sink: &mut dyn FnMut(Found)) {
    #[rustfmt::skip]
    static OPENERS: LazyLock<Phrases<()>> = LazyLock::new(|| {
        Phrases::new(&[
            ("remote", ()), ("remotely", ()), ("fully remote", ()), ("remote position", ()), ("remote role", ()), ("anywhere in", ()), ("anywhere within", ()), ("work from anywhere", ()), ("télétravail", ()), ("remoto", ()), ("remote innerhalb", ()), ("remote within", ()), ("remote in", ()), ("remote from", ()),
        ])
    });
    const NEAR_BYTES: usize = 36;
    const REGIONS_MAX: usize = 12;
    for hit in OPENERS.find(&doc.fold) {
        let line = &doc.lines[doc.line_at(hit.start)];
        let after = doc.after(hit.end, NEAR_BYTES);
        // "Remote (…)", "Remote - …", "Remote, …", "remote within …": else the words are about something else.
        let opened = after
            .trim_start()
            .starts_with(['(', '-', '–', ',', ':', '/'])
            || hit.phrase.contains(' ')
            || [" in ", " within ", " from ", " across ", " anywhere "]
                .iter()
                .any(|w| after.starts_with(w));
        if !opened || negated(doc.before(hit.start, 14)) {
            continue;
        }
        let stop = after
            .find(['.', ';', '\n', '|', ')'])
            .unwrap_or(after.len());
        let span = hit.end..(hit.end + stop).min(line.end.max(hit.end));
        let mut names: Vec<(usize, usize, String)> = REGIONS
            .find(&doc.fold[span.clone()])
            .map(|h| {
                (
                    span.start + h.start,
                    span.start + h.end,
                    (*h.tag).to_owned(),
                )
            })
            // "us" the pronoun is in small letters.
            .filter(|(s, e, name)| name != "US" || &doc.raw[*s..*e] != "us")
            .collect();
        let countries = doc.mentions.iter().filter(|m| {
            m.start >= span.start && m.end <= span.end && m.kind == Kind::Country && !m.needs_cue
        });
        names
            .extend(countries.filter_map(|m| m.place.country.clone().map(|c| (m.start, m.end, c))));
        names.sort();
        let (Some(first), Some(last)) = (names.first(), names.last()) else {
            continue;
        };
        let (start, end) = (first.0, last.1.max(first.1));
        let mut list: Vec<String> = Vec::new();
        for (_, _, name) in names.iter().take(REGIONS_MAX) {
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
        sink(Found {
            field: FieldKey::RemoteRegions,
            value: FieldValue::List(list),
            confidence: Confidence::new(750),
            start,
            end,
        });
        return;
    }
}
