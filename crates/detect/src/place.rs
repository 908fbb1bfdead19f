//! Places: postal addresses and the usual ways to write a place in one line.

use ghostlight_model::Place;
use std::{collections::HashMap, sync::LazyLock};

/// Places kept of one posting; a posting for more is a list of branches.
pub(crate) const PLACES_MAX: usize = 50;

/// A place from the parts of a postal address; `None` if they say nothing.
pub(crate) fn from_parts(
    city: Option<&str>,
    region: Option<&str>,
    country: Option<&str>,
    text: &str,
) -> Option<Place> {
    let present = |part: Option<&str>| {
        part.map(str::trim)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
    };
    let (mut city, mut region, country) = (present(city), present(region), present(country));
    let code = country.as_deref().and_then(country_code);
    if code.is_none() && region.is_none() {
        // "Europe" or "Any location" in the country's place is a region.
        region = country.clone().filter(|c| !is_work_mode(c));
    }
    if city.as_deref().is_some_and(is_work_mode) {
        city = None;
    }
    let mut code = code;
    if code.is_none() && region.is_none() && city.as_deref().is_some_and(|c| c.len() > 3) {
        code = city.as_deref().and_then(country_code);
    }
    // "United States" as the city of the United States is no city.
    if city
        .as_deref()
        .is_some_and(|c| code.is_some() && country_code(c) == code && !is_city_state(c))
    {
        city = None;
    }
    let text = text.trim();
    if city.is_none() && region.is_none() && code.is_none() && text.is_empty() {
        return None;
    }
    let words = if text.is_empty() {
        [&city, &region, &country]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    } else {
        text.to_owned()
    };
    Some(Place {
        city,
        region,
        country: code.map(str::to_owned),
        text: words,
    })
}

/// The places a line names: `Berlin, Germany`, `Remote - US`, `New York, NY or London, UK`.
pub(crate) fn from_line(line: &str) -> Vec<Place> {
    split(line)
        .into_iter()
        .filter_map(one)
        .take(PLACES_MAX)
        .collect()
}

/// ISO 3166-1 alpha-2 of a country's code or usual name in English, French, German, Spanish.
pub(crate) fn country_code(name: &str) -> Option<&'static str> {
    let key = key(name);
    if key.len() == 2 {
        let upper = key.to_ascii_uppercase();
        if upper == "UK" {
            return Some("GB");
        }
        // Its perfect-hash map is asked for codes that authors invent ("EU"): take an answer only
        // if it is about the code that was asked for.
        return rust_iso3166::from_alpha2(&upper)
            .map(|c| c.alpha2)
            .filter(|code| *code == upper);
    }
    if key.len() == 3
        && key.is_ascii()
        && let Some(country) = rust_iso3166::from_alpha3(&key.to_ascii_uppercase())
        && country.alpha3.eq_ignore_ascii_case(&key)
    {
        return Some(country.alpha2);
    }
    COUNTRIES.get(key.as_str()).copied()
}

/// Separate places in one line. A slash or "or" separates only where it stands free.
fn split(line: &str) -> Vec<&str> {
    let mut parts = vec![line];
    for separator in [
        ";", "|", "\n", " / ", " • ", " · ", " or ", " OR ", " und ", " oder ", " & ",
    ] {
        parts = parts
            .into_iter()
            .flat_map(|part| part.split(separator))
            .collect();
    }
    parts
        .into_iter()
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .collect()
}

fn one(text: &str) -> Option<Place> {
    let text = strip_mode(text);
    if text.is_empty() {
        return None;
    }
    let parts: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .collect();
    let mut place = Place {
        text: text.to_owned(),
        ..Place::default()
    };
    match parts[..] {
        [] => return None,
        [only] => {
            let name = without_office(only);
            let dashed: Vec<&str> = name
                .split(" - ")
                .map(str::trim)
                .filter(|p| !p.is_empty())
                .collect();
            match dashed[..] {
                [first, second] if is_work_mode(second) => single(&mut place, first),
                [first, second] if is_work_mode(first) => single(&mut place, second),
                [first, second] => pair(&mut place, first, second),
                _ => single(&mut place, name),
            }
        }
        [city, last] => pair(&mut place, without_office(city), last),
        [city, .., region, last] => {
            place.city = Some(without_office(city).to_owned());
            match country_code(last) {
                Some(code) => {
                    place.country = Some(code.to_owned());
                    place.region = Some(region.to_owned());
                }
                None => place.region = Some(last.to_owned()),
            }
        }
    }
    Some(place)
}

fn single(place: &mut Place, name: &str) {
    if let Some(code) =
        country_code(name).filter(|_| name.len() > 2 || matches!(name, "US" | "UK" | "EU"))
    {
        place.country = Some(code.to_owned());
        if is_city_state(name) {
            place.city = Some(name.to_owned());
        }
    } else if is_region(name) {
        place.region = Some(name.to_owned());
    } else if let Some(country) = us_state(name).filter(|_| name.len() > 2) {
        place.region = Some(name.to_owned());
        place.country = Some(country.to_owned());
    } else {
        place.city = Some(name.to_owned());
    }
}

/// `City, XX`: a state of the US or Canada goes before a country with the same code, as job
/// adverts write `San Francisco, CA` and `Wilmington, DE` far more often than the country.
fn pair(place: &mut Place, first: &str, last: &str) {
    let last = strip_mode(last);
    if let Some(country) =
        us_state(last).filter(|_| last != "DE" || !GERMAN_CITIES.contains(&first))
    {
        place.region = Some(last.to_owned());
        place.country = Some(country.to_owned());
    } else if let Some(code) = country_code(last) {
        place.country = Some(code.to_owned());
    } else if let Some(code) = country_code(first).filter(|_| first.len() > 2) {
        // "Germany - Berlin".
        place.country = Some(code.to_owned());
        place.city = Some(last.to_owned());
        return;
    } else if !last.is_empty() {
        place.region = Some(last.to_owned());
    }
    if us_state(first)
        .is_some_and(|_| first.len() > 2 && first != "New York" && first != "Washington")
        && place.region.is_none()
    {
        place.region = Some(first.to_owned());
    } else if !first.is_empty() && !is_work_mode(first) {
        place.city = Some(first.to_owned());
    }
}

/// Takes words of work mode from the ends: `Remote - Europe` → `Europe`, `Berlin (Hybrid)` → `Berlin`.
fn strip_mode(text: &str) -> &str {
    const WORDS: [&str; 18] = [
        "fully remote",
        "100% remote",
        "remote from",
        "remote within",
        "remote in",
        "remote",
        "hybrid",
        "on-site",
        "onsite",
        "on site",
        "in-office",
        "in office",
        "in person",
        "work from home",
        "home office",
        "based in",
        "anywhere in",
        "anywhere",
    ];
    let mut text = text.trim();
    loop {
        let before = text;
        text = text.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '-' | '–' | '—' | ',' | ':' | '/' | '|')
        });
        text = unwrap_brackets(text);
        for word in WORDS {
            if let Some(head) = text
                .get(..word.len())
                .filter(|h| h.eq_ignore_ascii_case(word))
            {
                let rest = &text[head.len()..];
                if !rest.starts_with(|c: char| c.is_alphanumeric()) {
                    text = rest;
                    break;
                }
            }
            let at = text.len().saturating_sub(word.len());
            if let Some(tail) = text.get(at..).filter(|t| t.eq_ignore_ascii_case(word)) {
                let rest = &text[..text.len() - tail.len()];
                if !rest.ends_with(|c: char| c.is_alphanumeric()) {
                    text = rest;
                    break;
                }
            }
        }
        if text == before {
            return text;
        }
    }
}

/// `(US)` → `US`; `Berlin ()` and an opening bracket left at the end are dropped.
fn unwrap_brackets(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'))
        && !inner.contains(['(', ')'])
    {
        return inner;
    }
    for mode in ["(remote)", "(hybrid)", "(onsite)", "(on-site)", "()"] {
        let at = text.len().saturating_sub(mode.len());
        if text.get(at..).is_some_and(|t| t.eq_ignore_ascii_case(mode)) {
            return &text[..at];
        }
        if text
            .get(..mode.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(mode))
        {
            return &text[mode.len()..];
        }
    }
    text
}

/// `Munich Office`, `Paris HQ`, `San Francisco Office (HQ)` → the city.
fn without_office(text: &str) -> &str {
    const WORDS: [&str; 7] = [
        "(hq)",
        "hq",
        "headquarters",
        "office",
        "area",
        "metro",
        "region",
    ];
    let mut text = text.trim();
    loop {
        let at = WORDS.iter().find_map(|word| {
            let at = text.len().checked_sub(word.len())?;
            let tail = text.get(at..).filter(|t| t.eq_ignore_ascii_case(word))?;
            let head = &text[..text.len() - tail.len()];
            (head.len() > 2 && head.ends_with([' ', '-'])).then_some(at)
        });
        match at {
            Some(at) => text = text[..at].trim_end_matches([' ', '-', '–']),
            None => return text,
        }
    }
}

fn is_work_mode(text: &str) -> bool {
    matches!(
        key(text).as_str(),
        "remote"
            | "hybrid"
            | "onsite"
            | "on site"
            | "anywhere"
            | "worldwide"
            | "global"
            | "any location"
    )
}

fn is_city_state(name: &str) -> bool {
    matches!(
        key(name).as_str(),
        "singapore"
            | "monaco"
            | "luxembourg"
            | "hong kong"
            | "san marino"
            | "gibraltar"
            | "macau"
            | "djibouti"
    )
}

/// Whether `name` is a part of the world larger than a country.
pub(crate) fn is_region(name: &str) -> bool {
    matches!(
        key(name).as_str(),
        "europe"
            | "emea"
            | "apac"
            | "latam"
            | "namer"
            | "north america"
            | "south america"
            | "latin america"
            | "asia"
            | "africa"
            | "eu"
            | "european union"
            | "dach"
            | "nordics"
            | "middle east"
            | "americas"
            | "amer"
            | "mena"
            | "oceania"
            | "anywhere"
            | "worldwide"
            | "global"
            | "any location"
            | "eea"
            | "benelux"
            | "cee"
    )
}

/// The country of a state of the US or a province of Canada, by code or name.
fn us_state(name: &str) -> Option<&'static str> {
    if name.len() == 2 {
        return US_STATES
            .iter()
            .any(|(code, _)| *code == name)
            .then_some("US")
            .or_else(|| {
                CA_PROVINCES
                    .iter()
                    .any(|(code, _)| *code == name)
                    .then_some("CA")
            });
    }
    let key = key(name);
    if key == "georgia" {
        return None;
    }
    let has = |table: &[(&str, &str)]| table.iter().any(|(_, n)| *n == key);
    if has(&US_STATES) {
        Some("US")
    } else if has(&CA_PROVINCES) {
        Some("CA")
    } else {
        None
    }
}

const GERMAN_CITIES: [&str; 10] = [
    "Berlin",
    "Munich",
    "München",
    "Hamburg",
    "Köln",
    "Cologne",
    "Frankfurt",
    "Stuttgart",
    "Düsseldorf",
    "Leipzig",
];

const US_STATES: [(&str, &str); 51] = [
    ("AL", "alabama"),
    ("AK", "alaska"),
    ("AZ", "arizona"),
    ("AR", "arkansas"),
    ("CA", "california"),
    ("CO", "colorado"),
    ("CT", "connecticut"),
    ("DE", "delaware"),
    ("DC", "district of columbia"),
    ("FL", "florida"),
    ("GA", "georgia"),
    ("HI", "hawaii"),
    ("ID", "idaho"),
    ("IL", "illinois"),
    ("IN", "indiana"),
    ("IA", "iowa"),
    ("KS", "kansas"),
    ("KY", "kentucky"),
    ("LA", "louisiana"),
    ("ME", "maine"),
    ("MD", "maryland"),
    ("MA", "massachusetts"),
    ("MI", "michigan"),
    ("MN", "minnesota"),
    ("MS", "mississippi"),
    ("MO", "missouri"),
    ("MT", "montana"),
    ("NE", "nebraska"),
    ("NV", "nevada"),
    ("NH", "new hampshire"),
    ("NJ", "new jersey"),
    ("NM", "new mexico"),
    ("NY", "new york"),
    ("NC", "north carolina"),
    ("ND", "north dakota"),
    ("OH", "ohio"),
    ("OK", "oklahoma"),
    ("OR", "oregon"),
    ("PA", "pennsylvania"),
    ("RI", "rhode island"),
    ("SC", "south carolina"),
    ("SD", "south dakota"),
    ("TN", "tennessee"),
    ("TX", "texas"),
    ("UT", "utah"),
    ("VT", "vermont"),
    ("VA", "virginia"),
    ("WA", "washington"),
    ("WV", "west virginia"),
    ("WI", "wisconsin"),
    ("WY", "wyoming"),
];

const CA_PROVINCES: [(&str, &str); 10] = [
    ("ON", "ontario"),
    ("QC", "quebec"),
    ("BC", "british columbia"),
    ("AB", "alberta"),
    ("MB", "manitoba"),
    ("SK", "saskatchewan"),
    ("NS", "nova scotia"),
    ("NB", "new brunswick"),
    ("NL", "newfoundland and labrador"),
    ("PE", "prince edward island"),
];

/// Two-letter code of the US state that `region` names.
pub(crate) fn us_state_code(region: &str) -> Option<&'static str> {
    let name = key(region);
    US_STATES
        .iter()
        .find(|(code, n)| *code == region.trim() || *n == name)
        .map(|(code, _)| *code)
}

/// Lower case, dots removed, other punctuation as single blanks.
fn key(name: &str) -> String {
    let lower = name.to_lowercase().replace('.', "");
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

static COUNTRIES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let official = rust_iso3166::ALL_ALPHA2
        .iter()
        .filter_map(|code| rust_iso3166::from_alpha2(code));
    let official = official.map(|country| {
        // "Netherlands (Kingdom of the)", "Iran (Islamic Republic of)": the short name goes before.
        let short = country
            .name
            .split(['(', ','])
            .next()
            .unwrap_or(country.name);
        (key(short), country.alpha2)
    });
    official
        .chain(USUAL_NAMES.iter().map(|(name, code)| (key(name), *code)))
        .collect()
});

/// Names in use that ISO 3166 does not list, and the usual ones in other languages.
const USUAL_NAMES: &[(&str, &str)] = &[
    ("usa", "US"),
    ("u s a", "US"),
    ("united states", "US"),
    ("the united states", "US"),
    ("united states of america", "US"),
    ("états unis", "US"),
    ("vereinigte staaten", "US"),
    ("estados unidos", "US"),
    ("united kingdom", "GB"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("scotland", "GB"),
    ("wales", "GB"),
    ("northern ireland", "GB"),
    ("royaume uni", "GB"),
    ("vereinigtes königreich", "GB"),
    ("grossbritannien", "GB"),
    ("großbritannien", "GB"),
    ("reino unido", "GB"),
    ("deutschland", "DE"),
    ("allemagne", "DE"),
    ("alemania", "DE"),
    ("frankreich", "FR"),
    ("francia", "FR"),
    ("spanien", "ES"),
    ("espagne", "ES"),
    ("españa", "ES"),
    ("italien", "IT"),
    ("italie", "IT"),
    ("italia", "IT"),
    ("österreich", "AT"),
    ("autriche", "AT"),
    ("schweiz", "CH"),
    ("suisse", "CH"),
    ("svizzera", "CH"),
    ("suiza", "CH"),
    ("niederlande", "NL"),
    ("the netherlands", "NL"),
    ("netherlands", "NL"),
    ("holland", "NL"),
    ("pays bas", "NL"),
    ("nederland", "NL"),
    ("belgien", "BE"),
    ("belgique", "BE"),
    ("belgië", "BE"),
    ("luxemburg", "LU"),
    ("polen", "PL"),
    ("pologne", "PL"),
    ("polska", "PL"),
    ("polonia", "PL"),
    ("portugal", "PT"),
    ("irland", "IE"),
    ("irlande", "IE"),
    ("republic of ireland", "IE"),
    ("schweden", "SE"),
    ("suède", "SE"),
    ("sverige", "SE"),
    ("norwegen", "NO"),
    ("norge", "NO"),
    ("dänemark", "DK"),
    ("danmark", "DK"),
    ("danemark", "DK"),
    ("finnland", "FI"),
    ("suomi", "FI"),
    ("finlande", "FI"),
    ("czech republic", "CZ"),
    ("tschechien", "CZ"),
    ("slovakia", "SK"),
    ("ungarn", "HU"),
    ("hongrie", "HU"),
    ("rumänien", "RO"),
    ("roumanie", "RO"),
    ("griechenland", "GR"),
    ("kroatien", "HR"),
    ("russia", "RU"),
    ("turkey", "TR"),
    ("türkiye", "TR"),
    ("türkei", "TR"),
    ("brasil", "BR"),
    ("brésil", "BR"),
    ("brasilien", "BR"),
    ("méxico", "MX"),
    ("mexiko", "MX"),
    ("mexique", "MX"),
    ("perú", "PE"),
    ("kanada", "CA"),
    ("canadá", "CA"),
    ("japón", "JP"),
    ("korea", "KR"),
    ("south korea", "KR"),
    ("republic of korea", "KR"),
    ("taiwan", "TW"),
    ("hong kong sar", "HK"),
    ("vietnam", "VN"),
    ("uae", "AE"),
    ("emirates", "AE"),
    ("vae", "AE"),
    ("bolivia", "BO"),
    ("venezuela", "VE"),
    ("iran", "IR"),
    ("syria", "SY"),
    ("tanzania", "TZ"),
    ("moldova", "MD"),
    ("laos", "LA"),
    ("ivory coast", "CI"),
    ("macedonia", "MK"),
    ("prc", "CN"),
    ("chine", "CN"),
    ("indien", "IN"),
    ("inde", "IN"),
    ("india", "IN"),
    ("australien", "AU"),
    ("australie", "AU"),
    ("marruecos", "MA"),
    ("maroc", "MA"),
    ("palestine", "PS"),
    ("kosovo", "XK"),
    ("democratic republic of the congo", "CD"),
    ("cape verde", "CV"),
    ("swaziland", "SZ"),
    ("brunei", "BN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn show(place: &Place) -> String {
        let part = |p: &Option<String>| p.clone().unwrap_or("-".into());
        format!(
            "{}/{}/{}",
            part(&place.city),
            part(&place.region),
            part(&place.country)
        )
    }

    #[test]
    fn lines_are_read() {
        for (line, want) in [
            ("Berlin, Germany", "Berlin/-/DE"),
            ("San Francisco, CA", "San Francisco/CA/US"),
            ("Berlin, DE", "Berlin/-/DE"),
            ("Toronto, Ontario, Canada", "Toronto/Ontario/CA"),
            ("Remote - US", "-/-/US"),
            ("Remote (US)", "-/-/US"),
            ("US-Remote", "-/-/US"),
            ("Remote", ""),
            ("Remote - Europe", "-/Europe/-"),
            ("Europe - Anywhere", "-/Europe/-"),
            ("Hybrid - Bangalore, India", "Bangalore/-/IN"),
            ("Munich Office", "Munich/-/-"),
            ("San Francisco Office (HQ)", "San Francisco/-/-"),
            ("Mexico City Headquarters ", "Mexico City/-/-"),
            ("London, UK or Paris, France", "London/-/GB Paris/-/FR"),
            ("New York, NY | Austin, TX", "New York/NY/US Austin/TX/US"),
            ("Germany", "-/-/DE"),
            ("Singapore", "Singapore/-/SG"),
            ("Oregon", "-/Oregon/US"),
            ("Berlin (Hybrid)", "Berlin/-/-"),
            ("München", "München/-/-"),
        ] {
            let got: Vec<String> = from_line(line).iter().map(show).collect();
            assert_eq!(got.join(" "), want, "{line}");
        }
    }

    #[test]
    fn countries_by_code_and_name() {
        for (name, want) in [
            ("US", "US"),
            ("usa", "US"),
            ("United States", "US"),
            ("U.S.A.", "US"),
            ("uk", "GB"),
            ("DEU", "DE"),
            ("Deutschland", "DE"),
            ("Türkiye", "TR"),
            ("United Kingdom of Great Britain and Northern Ireland", "GB"),
            ("Viet Nam", "VN"),
            ("South Korea", "KR"),
            ("Netherlands", "NL"),
        ] {
            assert_eq!(country_code(name), Some(want), "{name}");
        }
        for name in ["Atlantis", "EU", "XX", "EUR"] {
            assert_eq!(country_code(name), None, "{name}");
        }
    }

    #[test]
    fn parts_become_a_place() {
        let place = from_parts(Some("Munich "), Some("Bavaria"), Some("Germany"), "").unwrap();
        assert_eq!(
            (show(&place).as_str(), place.text.as_str()),
            ("Munich/Bavaria/DE", "Munich, Bavaria, Germany")
        );
        assert_eq!(
            show(&from_parts(Some(""), None, Some("Europe"), "EMEA").unwrap()),
            "-/Europe/-"
        );
        assert_eq!(from_parts(None, Some(" "), None, ""), None);
    }
}
