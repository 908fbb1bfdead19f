//! Places of the world: a compact table of cities, countries and regions, and the scanner that
//! finds them in a text ([`mentions`]).
//!
//! `data/places.tsv` is searched where it lies (binary search over its lines), so nothing is
//! loaded or built at the start. Its facts come from GeoNames (CC BY 4.0), see its head.

use ghostlight_model::Place;

static TABLE: &str = include_str!("../../data/places.tsv");

/// Places named in a text are collected up to this number; what follows is not looked at.
const MENTIONS_MAX: usize = 2_000;
/// The longest name in the table has five words.
const NAME_WORDS_MAX: usize = 5;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    City,
    Region,
    Country,
}

/// A place named in a text.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    pub start: usize,
    pub end: usize,
    pub place: Place,
    pub kind: Kind,
    /// Its region or country is said beside it.
    pub full: bool,
    /// A common word too, or small: counts only beside a cue.
    pub needs_cue: bool,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: Kind,
    country: &'static str,
    region: &'static str,
    name: &'static str,
    population_thousands: u32,
    ambiguous: bool,
}

/// Every place named in `raw`, in order, without overlap.
pub(crate) fn mentions(raw: &str) -> Vec<Mention> {
    let words = words(raw);
    let (mut out, mut at) = (Vec::new(), 0);
    while at < words.len() && out.len() < MENTIONS_MAX {
        match mention_at(raw, &words, at, out.last()) {
            Some((mention, next)) => {
                out.push(mention);
                at = next.max(at + 1);
            }
            None => at += 1,
        }
    }
    out
}

/// Where a text is known to name a place ("Location: …"), the words themselves when the table does
/// not know them.
pub(crate) fn as_place(words: &str) -> Place {
    Place {
        city: Some(name_case(words)),
        text: words.to_owned(),
        ..Place::default()
    }
}

#[derive(Debug, Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    capital: bool,
}

/// Words of the text: runs of letters and digits.
fn words(raw: &str) -> Vec<Word> {
    let (mut out, mut open) = (Vec::with_capacity(raw.len() / 6), None);
    for (i, c) in raw.char_indices() {
        match (c.is_alphanumeric() || is_combining(c), open) {
            (true, None) => open = Some((i, c.is_uppercase())),
            (false, Some((start, capital))) => {
                out.push(Word {
                    start,
                    end: i,
                    capital,
                });
                open = None;
            }
            _ => {}
        }
    }
    if let Some((start, capital)) = open {
        out.push(Word {
            start,
            end: raw.len(),
            capital,
        });
    }
    out
}

fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// The place that begins at word `at`, and the word after it.
fn mention_at(
    raw: &str,
    words: &[Word],
    at: usize,
    last: Option<&Mention>,
) -> Option<(Mention, usize)> {
    if !words[at].capital {
        return None;
    }
    let known = longest(raw, words, at);
    if let Some((key, next)) = known {
        let abbreviation = key.len() <= 3 && next == at + 1;
        let upper = raw[words[at].start..words[next - 1].end]
            .chars()
            .all(|c| !c.is_lowercase());
        if !abbreviation || upper {
            return build(raw, words, at, next, &key, last);
        }
    }
    unknown_city(raw, words, at)
}

/// The longest name in the table that begins at word `at`: its key and the word after it.
fn longest(raw: &str, words: &[Word], at: usize) -> Option<(String, usize)> {
    let (mut key, mut best) = (String::new(), None);
    for next in at..(at + NAME_WORDS_MAX).min(words.len()) {
        if next > at {
            if !joins(&raw[words[next - 1].end..words[next].start]) {
                break;
            }
            key.push(' ');
        }
        key.push_str(&fold_word(&raw[words[next].start..words[next].end]));
        match probe(&key) {
            Probe::Exact => best = Some((key.clone(), next + 1)),
            Probe::Prefix => {}
            Probe::Absent => break,
        }
    }
    best
}

/// Whether the text between two words of a name may stand inside the name.
fn joins(gap: &str) -> bool {
    matches!(gap, " " | "-" | ". " | "'" | "’" | "." | "\u{a0}" | "‑")
}

fn build(
    raw: &str,
    words: &[Word],
    at: usize,
    next: usize,
    key: &str,
    last: Option<&Mention>,
) -> Option<(Mention, usize)> {
    let all: Vec<Entry> = entries(key).collect();
    let beside = qualifier(raw, words, next);
    let cities: Vec<&Entry> = all.iter().filter(|e| e.kind == Kind::City).collect();
    let matching = beside.as_ref().and_then(|q| {
        cities.iter().find(|e| {
            e.country == q.country
                && (q.region.is_empty() || e.region.is_empty() || e.region == q.region)
        })
    });
    let (start, mut end) = (words[at].start, words[next - 1].end);
    let said = &raw[start..end];
    if let (Some(q), Some(entry)) = (&beside, matching.or(cities.first())) {
        // "Cambridge, MA": the words beside the name decide which one it is, even an unknown one.
        let name = matching.map_or("", |e| e.name);
        end = q.end;
        let place = Place {
            city: Some(city_name(said, name)),
            region: (!q.region.is_empty())
                .then(|| q.region.to_owned())
                .or_else(|| some(entry.region).filter(|_| matching.is_some())),
            country: some(q.country),
            text: raw[start..end].to_owned(),
        };
        return Some((
            Mention {
                start,
                end,
                place,
                kind: Kind::City,
                full: true,
                needs_cue: false,
            },
            q.next,
        ));
    }
    let near = last
        .filter(|l| l.end + 40 > start)
        .and_then(|l| l.place.country.clone());
    let entry = *all
        .iter()
        .find(|e| e.kind != Kind::City && !e.ambiguous)
        .filter(|e| e.kind == Kind::Country || cities.is_empty())
        .or_else(|| {
            cities
                .iter()
                .copied()
                .find(|e| near.as_deref() == Some(e.country) && e.population_thousands > 100)
        })
        .or_else(|| cities.first().copied())
        .or(all.first())?;
    let place = Place {
        city: (entry.kind == Kind::City).then(|| city_name(said, entry.name)),
        region: some(entry.region),
        country: some(entry.country),
        text: said.to_owned(),
    };
    const SMALL_THOUSANDS: u32 = 60;
    let needs_cue = entry.ambiguous
        || (entry.kind == Kind::City && entry.population_thousands < SMALL_THOUSANDS);
    Some((
        Mention {
            start,
            end,
            place,
            kind: entry.kind,
            full: false,
            needs_cue,
        },
        next,
    ))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The table's name where the text abbreviates or is all capitals, else the words as written.
fn city_name(said: &str, name: &str) -> String {
    if !name.is_empty()
        && said.chars().filter(|c| c.is_alphabetic()).count() <= 5
        && fold_word(said) != fold_word(name)
    {
        return name.to_owned();
    }
    if fold_word(said).contains("bay area") || said.contains("City") && name == "New York" {
        return if name.is_empty() {
            said.to_owned()
        } else {
            name.to_owned()
        };
    }
    name_case(said)
}

/// `PARIS` → `Paris`; mixed case stays.
fn name_case(words: &str) -> String {
    if words.chars().any(char::is_lowercase) || words.chars().count() <= 3 {
        return words.to_owned();
    }
    let (mut out, mut start) = (String::with_capacity(words.len()), true);
    for c in words.chars() {
        if start {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        start = !c.is_alphanumeric();
    }
    out
}

/// A region or country said after a name.
struct Qualifier {
    country: &'static str,
    region: &'static str,
    end: usize,
    next: usize,
}

/// ", CA", ", Germany", " (UK)", ", California, United States" after word `next - 1`.
fn qualifier(raw: &str, words: &[Word], next: usize) -> Option<Qualifier> {
    let mut found: Option<Qualifier> = None;
    let mut at = next;
    // At most a region and a country, or a county between.
    for _ in 0..2 {
        let (Some(word), Some(previous)) = (words.get(at), at.checked_sub(1).map(|i| words[i]))
        else {
            break;
        };
        let gap = &raw[previous.end..word.start];
        let close = matches!(gap, ", " | "," | " , " | " (" | ", \u{a0}" | ",\u{a0}")
            || (gap == " " && found.is_none() && is_code(raw, *word));
        if !close {
            break;
        }
        let Some((entry, after)) = region_or_country(raw, words, at) else {
            break;
        };
        if found.as_ref().is_some_and(|f| f.country != entry.country) {
            break;
        }
        let end = words[after - 1].end;
        let region = match &found {
            Some(f) => f.region,
            None => entry.region,
        };
        found = Some(Qualifier {
            country: entry.country,
            region,
            end,
            next: after,
        });
        at = after;
    }
    found
}

/// "CA" after a blank only: two capitals that are a state of the US, and nothing else.
fn is_code(raw: &str, word: Word) -> bool {
    let said = &raw[word.start..word.end];
    said.len() == 2
        && state(said).is_some()
        && !matches!(
            said,
            "IN" | "OR" | "OK" | "ME" | "HI" | "ID" | "AL" | "DE" | "PA" | "MA" | "LA"
        )
}

fn region_or_country(raw: &str, words: &[Word], at: usize) -> Option<(Entry, usize)> {
    let word = words[at];
    let said = &raw[word.start..word.end];
    if !word.capital {
        return None;
    }
    if let Some((country, region)) = state(said).or_else(|| code(said)) {
        let entry = Entry {
            kind: Kind::Region,
            country,
            region,
            name: "",
            population_thousands: 0,
            ambiguous: false,
        };
        return Some((entry, at + 1));
    }
    let (key, next) = longest(raw, words, at)?;
    let entry = entries(&key).filter(|e| e.kind != Kind::City).last()?;
    Some((entry, next))
}

/// "Orrville, OH" and "Wetherby, United Kingdom": capitalised words the table does not know, then
/// a region or country.
fn unknown_city(raw: &str, words: &[Word], at: usize) -> Option<(Mention, usize)> {
    const WORDS_MAX: usize = 3;
    for next in at + 1..=(at + WORDS_MAX).min(words.len()) {
        let word = words[next - 1];
        if !word.capital || (next - 1 > at && !joins(&raw[words[next - 2].end..word.start])) {
            return None;
        }
        let said = &raw[words[at].start..word.end];
        if NOT_CITY.contains(&fold_word(&raw[words[at].start..words[at].end]).as_str()) {
            return None;
        }
        if raw[word.end..].starts_with(',')
            && let Some(q) = qualifier(raw, words, next)
        {
            let known_region = !q.region.is_empty() || next == at + 1;
            if !known_region || said.chars().count() < 3 {
                return None;
            }
            let start = words[at].start;
            let place = Place {
                city: Some(name_case(said)),
                region: some(q.region),
                country: some(q.country),
                text: raw[start..q.end].to_owned(),
            };
            let mention = Mention {
                start,
                end: q.end,
                place,
                kind: Kind::City,
                full: true,
                needs_cue: q.region.is_empty(),
            };
            return Some((mention, q.next));
        }
    }
    None
}

/// Capitalised words that begin a sentence or name something else before ", CA".
#[rustfmt::skip]
const NOT_CITY: [&str; 34] = [
    "in", "at", "from", "our", "the", "for", "this", "role", "based", "location", "office", "remote", "hybrid",
    "onsite", "and", "or", "near", "greater", "downtown", "to", "of", "with", "a", "an", "we", "you", "is",
    "united", "department", "county", "locations", "headquarters", "hq", "inc",
];

/// States and provinces by their two or three capitals.
fn state(said: &str) -> Option<(&'static str, &'static str)> {
    const US: &str = "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC";
    const CA: &str = "AB BC MB NB NL NS ON PE QC SK";
    const AU: &str = "NSW QLD VIC TAS ACT";
    if !(2..=3).contains(&said.len()) {
        return None;
    }
    let lower = said == "Ma" || said == "Ca";
    let upper = said.to_ascii_uppercase();
    let find = |list: &'static str| {
        list.split(' ')
            .find(|c| *c == said || (lower && *c == upper))
    };
    find(US)
        .map(|c| ("US", c))
        .or_else(|| find(CA).map(|c| ("CA", c)))
        .or_else(|| find(AU).map(|c| ("AU", c)))
}

/// Countries written by their code where a code is usual.
fn code(said: &str) -> Option<(&'static str, &'static str)> {
    const CODES: &str = "AU DE FR ES NL IE UK GB SG JP PL PT SE CH AT BE DK NO FI IT NZ";
    let found = CODES.split(' ').find(|c| *c == said)?;
    Some((if found == "UK" { "GB" } else { found }, ""))
}

enum Probe {
    Exact,
    Prefix,
    Absent,
}

fn probe(key: &str) -> Probe {
    let line = line_at(lower_bound(key));
    let found = line.split('\t').next().unwrap_or("");
    match found.strip_prefix(key) {
        Some("") => Probe::Exact,
        Some(rest) if rest.starts_with(' ') => Probe::Prefix,
        _ => Probe::Absent,
    }
}

fn entries(key: &str) -> impl Iterator<Item = Entry> {
    let from = lower_bound(key);
    let own = key.to_owned();
    let lines = TABLE[from..].lines();
    lines.map_while(move |line| {
        let (found, rest) = line.split_once('\t')?;
        (found == own && !own.is_empty()).then(|| parse(rest))
    })
}

fn parse(rest: &'static str) -> Entry {
    let mut parts = rest.split('\t');
    let head = parts.next().unwrap_or("");
    let (ambiguous, head) = head.strip_prefix('~').map_or((false, head), |h| (true, h));
    let (kind, country) = match head.as_bytes().first() {
        Some(b'=') => (Kind::Country, &head[1..]),
        Some(b'+') => (Kind::Region, &head[1..]),
        _ => (Kind::City, head),
    };
    let region = parts.next().unwrap_or("");
    let third = parts.next().unwrap_or("");
    let name = if kind == Kind::City {
        parts.next().unwrap_or("")
    } else {
        third
    };
    Entry {
        kind,
        country,
        region,
        name,
        population_thousands: third.parse().unwrap_or(0),
        ambiguous,
    }
}

/// Where the first line whose key is not less than `key` begins.
fn lower_bound(key: &str) -> usize {
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = line_start((low + high) / 2);
        let line = line_at(middle);
        let found = line.split('\t').next().unwrap_or("");
        if found < key {
            low = middle + line.len() + 1;
        } else {
            high = middle;
        }
    }
    low.min(TABLE.len())
}

fn line_start(at: usize) -> usize {
    TABLE.as_bytes()[..at]
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |i| i + 1)
}

fn line_at(start: usize) -> &'static str {
    let rest = TABLE.get(start..).unwrap_or("");
    rest.split('\n').next().unwrap_or("")
}

/// A word as the table's keys spell it: lower case, no accents, "saint" as "st".
fn fold_word(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => out.push('a'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' | 'ė' => out.push('e'),
            'ì'..='ï' | 'ī' | 'ı' => out.push('i'),
            'ñ' | 'ń' | 'ň' => out.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => out.push('o'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'š' | 'ś' | 'ş' | 'ș' => out.push('s'),
            'ž' | 'ź' | 'ż' => out.push('z'),
            'ł' => out.push('l'),
            'ř' => out.push('r'),
            'ť' | 'ţ' | 'ț' => out.push('t'),
            'ď' | 'đ' | 'ð' => out.push('d'),
            'ğ' => out.push('g'),
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            c if is_combining(c) => {}
            c => out.push(c),
        }
    }
    match out.as_str() {
        "saint" | "sankt" | "sainte" => "st".to_owned(),
        _ => out,
    }
}
