//! Where the job is: every place named in the text, scored by the words around it.

use super::{
    Found,
    gazetteer::{self, Kind, Mention},
    header::{self, Segment},
    phrases::Phrases,
    text::{Doc, Lang, trim_by},
};
use ghostlight_model::{Confidence, FieldKey, FieldValue, Place};
use std::{ops::Range, sync::LazyLock};

/// Places handed over for one posting; postings name three or four.
const PLACES_MAX: usize = 8;

/// Scores by where and how a place is named; with [`confidence`] below they become confidences.
mod score {
    pub const SEGMENT: i32 = 96;
    pub const LABEL: i32 = 95;
    pub const HEAD_LINE: i32 = 93;
    /// "This role is based in …", "in our … office".
    pub const ROLE_CUE: i32 = 90;
    pub const TITLE: i32 = 86;
    pub const CUE: i32 = 80;
    pub const WEAK_CUE: i32 = 62;
    pub const NAMED: i32 = 30;
}

/// The most that places after the best are given, in thousandths: too little to contest it.
const ALTERNATIVE: u16 = 750;

/// Measured on the labelled texts, in thousandths.
fn confidence(score: i32) -> Confidence {
    Confidence::new(match score {
        95.. => 975,
        92.. => 965,
        88.. => 955,
        84.. => 930,
        78.. => 900,
        60.. => 750,
        45.. => 600,
        _ => 350,
    })
}

#[rustfmt::skip]
static LABELS: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("location", ()), ("locations", ()), ("job location", ()), ("work location", ()), ("office location", ()), ("primary location", ()), ("based in", ()), ("where", ()), ("place of work", ()), ("city", ()), ("office", ()), ("workplace", ()), ("📍", ()), ("duty station", ()), ("work site", ()), ("role location", ()), ("position location", ()), ("location of work", ()), ("base", ()), ("work location(s)", ()), ("location type", ()), ("office locations", ()), ("city/state", ()),
        ("ort", ()), ("arbeitsort", ()), ("standort", ()), ("standorte", ()), ("einsatzort", ()), ("dienstort", ()), ("stadt", ()), ("arbeitsplatz", ()), ("dein standort", ()), ("einsatzorte", ()),
        ("lieu", ()), ("lieu de travail", ()), ("lieu du poste", ()), ("localisation", ()), ("localité", ()), ("ville", ()), ("lieu de mission", ()), ("localisation du poste", ()), ("lieux", ()),
        ("ubicación", ()), ("lugar", ()), ("lugar de trabajo", ()), ("localidad", ()), ("localización", ()), ("ciudad", ()), ("sede", ()), ("población", ()),
    ])
});

/// What a word beside a place says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cue {
    /// The job itself is there.
    Role,
    /// Somebody or something is there.
    Based,
    /// The employer tells about itself or its customers.
    Blurb,
}

#[rustfmt::skip]
static CUES: LazyLock<Phrases<Cue>> = LazyLock::new(|| {
    use Cue::*;
    Phrases::new(&[
        ("this role", Role), ("this position", Role), ("the role", Role), ("the position", Role), ("position is", Role), ("role is", Role), ("this is", Role), ("this job", Role), ("you", Role), ("you'll", Role), ("you’ll", Role), ("you’re", Role), ("you're", Role), ("candidate", Role), ("candidates", Role), ("applicants", Role), ("must", Role), ("on-site", Role), ("onsite", Role), ("in-person", Role), ("in person", Role), ("in-office", Role), ("in office", Role), ("hybrid", Role), ("days a week", Role), ("days per week", Role), ("days/week", Role), ("days", Role), ("relocate", Role), ("relocating", Role), ("reside", Role), ("residing", Role), ("live", Role), ("report to", Role), ("commute", Role), ("commutable", Role), ("commuting distance", Role), ("work from", Role), ("work out of", Role), ("working out of", Role), ("work in", Role), ("roles", Role), ("position", Role), ("role", Role), ("join", Role), ("joining", Role), ("am standort", Role), ("vor ort", Role), ("für unseren standort", Role), ("poste basé", Role), ("poste situé", Role), ("nos bureaux", Role), ("notre bureau", Role), ("oficina", Role), ("bureaux", Role), ("büro", Role), ("unserem büro", Role), ("presencial", Role),
        ("based", Based), ("based in", Based), ("located", Based), ("located in", Based), ("located at", Based), ("situated", Based), ("office in", Based), ("office", Based), ("offices", Based), ("hq", Based), ("headquarters", Based), ("basée", Based), ("basé", Based), ("située", Based), ("situés", Based), ("situé", Based), ("ubicada", Based), ("ubicado", Based), ("sitz", Based), ("standort", Based), ("standorten", Based), ("hiring in", Based), ("team in", Based), ("expanding", Based),
        ("founded", Blurb), ("backed", Blurb), ("raised", Blurb), ("headquartered", Blurb), ("investors", Blurb), ("customers", Blurb), ("clients", Blurb), ("offices in", Blurb), ("with offices", Blurb), ("employees across", Blurb), ("teams in", Blurb), ("across", Blurb), ("university", Blurb), ("festival", Blurb), ("markets", Blurb), ("residents", Blurb), ("for applicants", Blurb), ("fair chance", Blurb), ("ordinance", Blurb), ("privacy", Blurb), ("pursuant", Blurb), ("law", Blurb), ("laws", Blurb), ("act", Blurb), ("accommodation", Blurb), ("offsite", Blurb), ("offsites", Blurb), ("retreat", Blurb), ("retreats", Blurb), ("travel", Blurb), ("visit", Blurb), ("originally", Blurb), ("visa", Blurb), ("sponsor", Blurb), ("cities", Blurb), ("clientes", Blurb), ("gegründet", Blurb), ("fondée", Blurb), ("kunden", Blurb), ("fundada", Blurb),
    ])
});

/// The share of a span's letters that names places, filler words left out.
pub(crate) fn coverage(doc: &Doc, span: Range<usize>) -> f64 {
    const FILLERS: [&str; 22] = [
        "and", "or", "bay", "area", "office", "hq", "greater", "remote", "onsite", "on", "site",
        "hybrid", "in", "the", "downtown", "only", "metro", "region", "ok", "und", "et", "y",
    ];
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    let inside: Vec<&Mention> = within(doc, &span).collect();
    let named: usize = inside
        .iter()
        .map(|m| letters(&doc.raw[m.start..m.end]))
        .sum();
    if named == 0 {
        return 0.0;
    }
    let words = doc.fold[span].split(|c: char| !c.is_alphanumeric());
    let total: usize = words.filter(|w| !FILLERS.contains(w)).map(letters).sum();
    named as f64 / total.max(named) as f64
}

/// Every place with its score; the best together as the location, others with less confidence.
pub(crate) fn find(doc: &Doc, segments: &[(Range<usize>, Segment)], sink: &mut dyn FnMut(Found)) {
    let mut scored = score_all(doc, segments);
    scored.sort_by_key(|(score, mention)| (-score, mention.start));
    let Some(best) = scored.first().map(|(score, _)| *score) else {
        return;
    };
    let mut rest: &[(i32, Mention)] = &scored;
    let mut level = best;
    /// Groups handed over: the best and one alternative.
    const GROUPS_MAX: usize = 2;
    for _ in 0..GROUPS_MAX {
        let count = rest
            .iter()
            .take_while(|(score, _)| *score >= level - 3)
            .count();
        if let Some(mut found) = group(&rest[..count], level) {
            if level < best {
                found.confidence = found.confidence.min(Confidence::new(ALTERNATIVE));
            }
            sink(found);
        }
        rest = &rest[count..];
        match rest.first() {
            Some((score, _)) if *score > score::NAMED => level = *score,
            _ => break,
        }
    }
}

/// The places of a text that is known to name the location.
pub(crate) fn only(doc: &Doc) -> Option<Found> {
    let (start, end) = trim_by(doc.raw, 0, doc.raw.len(), char::is_whitespace);
    let all: Vec<(i32, Mention)> = doc
        .mentions
        .iter()
        .map(|m| (score::LABEL, m.clone()))
        .collect();
    group(&all, score::LABEL)
        .or_else(|| unknown(doc, start..end).and_then(|m| group(&[(score::CUE, m)], score::CUE)))
}

fn group(scored: &[(i32, Mention)], level: i32) -> Option<Found> {
    let mut places: Vec<&Mention> = Vec::new();
    for (_, mention) in scored {
        let same = |m: &&Mention| {
            m.place.city == mention.place.city
                && (m.place.city.is_some() || m.place.country == mention.place.country)
        };
        if !places.iter().any(same) && places.len() < PLACES_MAX {
            places.push(mention);
        }
    }
    // A country or region beside one of its cities says nothing more.
    let cities = places.iter().any(|m| m.kind == Kind::City);
    if cities {
        places.retain(|m| m.kind == Kind::City);
    }
    // "Ponce City Market, Atlanta, GA": a name said in full overrules one read from a word beside it.
    const BESIDE_BYTES: usize = 60;
    let full: Vec<&Mention> = places.iter().copied().filter(|m| m.full).collect();
    let overruled = |m: &&Mention| {
        let other = |f: &&Mention| {
            f.start.abs_diff(m.start) <= BESIDE_BYTES && f.place.country != m.place.country
        };
        !m.full && m.kind == Kind::City && full.iter().any(other)
    };
    places.retain(|m| !overruled(m));
    places.sort_by_key(|m| m.start);
    let first = places.first()?;
    let value = FieldValue::Places(
        places
            .iter()
            .map(|m| m.place.clone())
            .collect::<Vec<Place>>(),
    );
    Some(Found {
        field: FieldKey::Location,
        value,
        confidence: confidence(level),
        start: first.start,
        end: first.end,
    })
}

fn score_all(doc: &Doc, segments: &[(Range<usize>, Segment)]) -> Vec<(i32, Mention)> {
    let mut out: Vec<(i32, Mention)> = Vec::new();
    let title = doc.head_line().map_or(0..0, |line| line.start..line.end);
    let mut values: Vec<(Range<usize>, i32)> = header::labelled(doc, &LABELS)
        .into_iter()
        .map(|v| (v, score::LABEL))
        .collect();
    values.extend(
        segments
            .iter()
            .filter(|(_, kind)| *kind == Segment::Place)
            .map(|(span, _)| (span.clone(), score::SEGMENT)),
    );
    values.extend(
        head_lines(doc)
            .into_iter()
            .map(|span| (span, score::HEAD_LINE)),
    );
    for (value, score) in &values {
        if within(doc, value).next().is_none()
            && let Some(mention) = unknown(doc, value.clone())
        {
            // English labels are followed by much else; a value on a line of its own by headings.
            let same_line = doc
                .before(value.start, 2)
                .trim_end()
                .ends_with([':', '-', '–']);
            let less = if doc.lang == Lang::En || !same_line && *score == score::LABEL {
                30
            } else {
                4
            };
            out.push((score - less, mention));
        }
    }
    let mut previous: Option<(i32, usize)> = None;
    for mention in &doc.mentions {
        let value = values
            .iter()
            .find(|(span, _)| span.start <= mention.start && mention.end <= span.end);
        let score = match value {
            Some((_, score)) if mention.kind == Kind::City => *score,
            Some((_, score)) => score - 12,
            None if title.contains(&mention.start) && segments.is_empty() => {
                in_title(doc, mention, &title)
            }
            None => in_text(doc, mention),
        };
        // "New York, London or Berlin": what holds for the first holds for the next.
        let score = match previous {
            Some((before, end))
                if before > score
                    && continues(&doc.fold, end, mention.start)
                    && mention.kind == Kind::City =>
            {
                before - 1
            }
            _ => score,
        };
        previous = Some((score, mention.end));
        if score > 0 {
            out.push((score, mention.clone()));
        }
    }
    count_repeats(&mut out);
    out
}

/// A place named again and again is likelier to be the place.
fn count_repeats(scored: &mut [(i32, Mention)]) {
    let names: Vec<Option<String>> = scored.iter().map(|(_, m)| m.place.city.clone()).collect();
    for (score, mention) in scored.iter_mut() {
        let times = names
            .iter()
            .filter(|n| n.is_some() && **n == mention.place.city)
            .count();
        let more = i32::try_from(times.saturating_sub(1).min(4)).unwrap_or(0);
        // Never into the next class.
        *score += if *score < score::CUE { more * 2 } else { 0 };
    }
}

fn continues(fold: &str, from: usize, to: usize) -> bool {
    from <= to && to - from <= 12 && {
        let gap = fold[from..to].trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, ',' | '/' | ';' | '&' | '|' | '(' | ')')
        });
        matches!(
            gap,
            "" | "or" | "and" | "und" | "oder" | "et" | "ou" | "y" | "o" | "and/or"
        )
    }
}

fn within<'d>(doc: &'d Doc, span: &Range<usize>) -> impl Iterator<Item = &'d Mention> {
    let (start, end) = (span.start, span.end);
    let from = doc.mentions.partition_point(|m| m.start < start);
    doc.mentions[from..]
        .iter()
        .take_while(move |m| m.start < end)
}

/// Lines under the title that consist of a place, or stand where one is expected.
fn head_lines(doc: &Doc) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let block = header::block(doc);
    for (i, line) in block.iter().enumerate() {
        // "1 March 2026": a month, not the town.
        if doc.page.is_some() && super::dates::is_dated(&doc.fold[line.start..line.end]) {
            continue;
        }
        for (span, kind) in header::pieces(doc, *line, |c| matches!(c, '|' | '·' | '•' | '–'))
        {
            if kind == Segment::Place && coverage(doc, span.clone()) > 0.8 {
                out.push(span);
            }
        }
        // "Employer / Hendaye / Part-time · 3 May": the line before the type is the place.
        let next_is_type = block.get(i + 1).is_some_and(|next| {
            header::split(doc, *next, |c| matches!(c, '|' | '·' | '•'))
                .first()
                .is_some_and(|(_, k)| *k == Segment::Employment)
                || super::dates::is_dated(&doc.fold[next.start..next.end])
        });
        let short = line.end - line.start <= 40
            && !doc
                .line(*line)
                .contains(|c: char| c.is_ascii_digit() || ":.!?|·".contains(c));
        if i >= 1 && next_is_type && short && out.is_empty() {
            out.push(line.start..line.end);
        }
    }
    out
}

/// A place said in a labelled value that the table does not know.
fn unknown(doc: &Doc, span: Range<usize>) -> Option<Mention> {
    const WORDS_MAX: usize = 6;
    let stop = doc.raw[span.clone()]
        .find(['|', ';', '(', '/', '·', '.'])
        .map_or(span.end, |i| span.start + i);
    let (start, end) = trim_by(doc.raw, span.start, stop, |c| {
        c.is_whitespace() || c.is_ascii_digit() || ",:-–".contains(c)
    });
    let words = &doc.raw[start..end];
    let capital = words.chars().next().is_some_and(char::is_uppercase);
    let plain = super::remote::word(&doc.fold[start..end]).is_none()
        && super::employment::word(&doc.fold[start..end]).is_none()
        && !header::ROLES.any(&doc.fold[start..end]);
    let none = [
        "flexible",
        "various",
        "multiple",
        "anywhere",
        "worldwide",
        "global",
        "n/a",
        "tbd",
        "deutschlandweit",
    ]
    .iter()
    .any(|w| doc.fold[start..end].contains(w));
    // Words of sentences and headings, which names of towns do not hold.
    const SENTENCE: [&str; 30] = [
        "your", "our", "you", "we", "the", "this", "is", "are", "here", "location", "role", "job",
        "team", "and", "with", "for", "will", "what", "who", "why", "how", "about", "wir", "unser",
        "unsere", "nous", "notre", "votre", "para", "nuestra",
    ];
    let none = none
        || doc.fold[start..end]
            .split_whitespace()
            .any(|w| SENTENCE.contains(&w));
    let named = capital
        && plain
        && !none
        && words.split_whitespace().count() <= WORDS_MAX
        && words.len() >= 3;
    named.then(|| Mention {
        start,
        end,
        place: gazetteer::as_place(words),
        kind: Kind::City,
        full: false,
        needs_cue: true,
    })
}

/// In the title: between brackets or after a dash, or a large city anywhere.
fn in_title(doc: &Doc, mention: &Mention, title: &Range<usize>) -> i32 {
    let head = doc.fold[title.start..mention.start].trim_end();
    let tail = doc.fold[mention.end..title.end.max(mention.end)].trim_start();
    let opened = head.ends_with(['(', '[', '-', '–', '—', ',', '/', '|', '@', ':', '·'])
        || head.ends_with(" in")
        || head.ends_with(" à");
    let closed =
        tail.is_empty() || tail.starts_with([')', ']', '-', '–', ',', '/', '|', '·', ';', '&']);
    let score = match (opened && closed, mention.needs_cue, mention.full) {
        (true, _, _) => score::TITLE,
        (false, false, _) | (_, _, true) => score::TITLE - 8,
        _ => return 0,
    };
    if mention.kind == Kind::City {
        score
    } else {
        score - 22
    }
}

/// In running text: by the words before and after.
fn in_text(doc: &Doc, mention: &Mention) -> i32 {
    let before = clause(doc.before(mention.start, 90));
    let after = doc.after(mention.end, 60);
    let (role, based, blurb) = cues(before);
    let tail = after.trim_start_matches([' ', ',', '\u{a0}', '-']);
    let office = [
        "office",
        "hq",
        "headquarters",
        "hub",
        "campus",
        "studio",
        "based",
        "site",
        "büro",
    ]
    .iter()
    .any(|w| tail.starts_with(w));
    let our = [
        "our", "the", "out of", "from", "at", "in", "unserem", "notre", "this",
    ]
    .iter()
    .any(|w| before.trim_end().ends_with(w));
    let place_of = prepositions(before);
    let days = after.contains("days")
        || after.contains("in-person")
        || after.contains("on-site")
        || after.contains("onsite")
        || after.contains("hybrid")
        || after.contains("in-office")
        || after.contains("full-time")
        || after.contains("relocat");
    // "37540 Tours": a postcode.
    let code = before
        .trim_end()
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .count();
    let mut score = match (place_of, office) {
        _ if (4..=5).contains(&code) && mention.kind == Kind::City => score::CUE - 6,
        (_, true) if our && (role || days) => score::ROLE_CUE,
        (_, true) if our => score::ROLE_CUE - 2,
        (_, true) if tail.starts_with("based") => {
            score::CUE
                + if role || tail.starts_with("based role") || tail.starts_with("based candid") {
                    8
                } else {
                    0
                }
        }
        (true, _) if role && (based || days) => score::ROLE_CUE,
        (true, _) if role => score::CUE + 3,
        (true, _) if based => score::CUE + if days { 8 } else { 0 },
        (_, true) => score::WEAK_CUE + 8,
        (true, _) if days => score::CUE,
        (true, _) => 40,
        _ => score::NAMED - 8,
    };
    score -= if blurb { 26 } else { 0 };
    score -= if mention.kind == Kind::City { 0 } else { 22 };
    score += if mention.full { 3 } else { 0 };
    let doubtful = mention.needs_cue && score < score::WEAK_CUE;
    if doubtful { 0 } else { score }
}

/// The words after the last end of a sentence.
fn clause(before: &str) -> &str {
    let stop = [". ", "! ", "? ", "; "]
        .iter()
        .filter_map(|s| before.rfind(s).map(|i| i + 2))
        .max();
    stop.map_or(before, |i| &before[i..])
}

fn cues(before: &str) -> (bool, bool, bool) {
    let (mut role, mut based, mut blurb) = (false, false, false);
    for hit in CUES.find(before) {
        match hit.tag {
            Cue::Role => role = true,
            Cue::Based => based = true,
            Cue::Blurb => blurb = true,
        }
    }
    (role, based, blurb)
}

/// Whether the words before end with a preposition of place, articles and adjectives left out.
fn prepositions(before: &str) -> bool {
    const FILLERS: [&str; 18] = [
        "the",
        "our",
        "downtown",
        "central",
        "beautiful",
        "sunny",
        "lovely",
        "either",
        "greater",
        "metro",
        "heart",
        "of",
        "north",
        "south",
        "east",
        "west",
        "a",
        "new",
    ];
    let mut words = before.split_whitespace().rev();
    let word = words.find(|w| !FILLERS.contains(w)).unwrap_or("");
    matches!(
        word.trim_matches(|c: char| !c.is_alphabetic()),
        "in" | "at"
            | "near"
            | "from"
            | "to"
            | "around"
            | "within"
            | "à"
            | "en"
            | "bei"
            | "am"
            | "im"
            | "aus"
            | "nach"
            | "standort"
            | "location"
            | "office"
            | "sur"
            | "for"
    )
}
