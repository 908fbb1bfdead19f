//! Words of structured data and what they mean: employment types, work modes, pay periods,
//! numbers, days. Tables, so that a new spelling is one line.

use ghostlight_model::{Amount, Day, Period, Salary};

/// The schema.org employment types that `text` names, in the order of the table.
///
/// Source of the values: Google's JobPosting documentation and schema.org `employmentType`.
pub(crate) fn employment_types(text: &str) -> Vec<String> {
    let squashed = squash(text);
    let words = spaced(text);
    let mut found: Vec<&str> = Vec::new();
    for (needle, value) in EMPLOYMENT {
        let hit = match needle.strip_prefix(' ') {
            Some(_) => words.contains(needle),
            None => squashed.contains(needle),
        };
        if hit && !found.contains(value) {
            found.push(value);
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

/// A needle with a blank before it is a whole word or a word's beginning; others are looked for
/// with blanks and punctuation removed.
const EMPLOYMENT: &[(&str, &str)] = &[
    ("fulltime", "FULL_TIME"),
    (" ft ", "FULL_TIME"),
    ("vollzeit", "FULL_TIME"),
    ("tempsplein", "FULL_TIME"),
    ("tempscomplet", "FULL_TIME"),
    ("jornadacompleta", "FULL_TIME"),
    ("tiempocompleto", "FULL_TIME"),
    ("tempopieno", "FULL_TIME"),
    ("tempointegral", "FULL_TIME"),
    ("voltijd", "FULL_TIME"),
    ("fulltid", "FULL_TIME"),
    ("heltid", "FULL_TIME"),
    ("pełnyetat", "FULL_TIME"),
    ("parttime", "PART_TIME"),
    (" pt ", "PART_TIME"),
    ("teilzeit", "PART_TIME"),
    ("tempspartiel", "PART_TIME"),
    ("mediajornada", "PART_TIME"),
    ("jornadaparcial", "PART_TIME"),
    ("tiempoparcial", "PART_TIME"),
    ("tempoparziale", "PART_TIME"),
    ("tempoparcial", "PART_TIME"),
    ("deeltijd", "PART_TIME"),
    ("deltid", "PART_TIME"),
    (" contract ", "CONTRACTOR"),
    (" contractor", "CONTRACTOR"),
    (" contracted ", "CONTRACTOR"),
    (" freelance", "CONTRACTOR"),
    (" freiberuf", "CONTRACTOR"),
    (" indépendant", "CONTRACTOR"),
    (" autónomo", "CONTRACTOR"),
    (" b2b ", "CONTRACTOR"),
    (" temporary ", "TEMPORARY"),
    (" temp ", "TEMPORARY"),
    ("fixedterm", "TEMPORARY"),
    (" seasonal ", "TEMPORARY"),
    (" befristet", "TEMPORARY"),
    ("zeitarbeit", "TEMPORARY"),
    (" cdd ", "TEMPORARY"),
    ("duréedéterminée", "TEMPORARY"),
    (" intérim", "TEMPORARY"),
    (" interim ", "TEMPORARY"),
    (" temporal ", "TEMPORARY"),
    (" intern ", "INTERN"),
    (" interns ", "INTERN"),
    (" internship", "INTERN"),
    (" praktik", "INTERN"),
    (" stage ", "INTERN"),
    (" stagiaire", "INTERN"),
    (" prácticas ", "INTERN"),
    (" becari", "INTERN"),
    (" volunteer", "VOLUNTEER"),
    (" ehrenamt", "VOLUNTEER"),
    (" bénévol", "VOLUNTEER"),
    (" voluntari", "VOLUNTEER"),
    ("perdiem", "PER_DIEM"),
];

/// `remote`, `hybrid` or `onsite`, where `text` names one of them as its work mode.
pub(crate) fn work_mode(text: &str) -> Option<&'static str> {
    let words = spaced(text);
    let squashed = squash(text);
    let any = |needles: &[&str]| {
        needles.iter().any(|n| {
            if n.starts_with(' ') {
                words.contains(n)
            } else {
                squashed.contains(n)
            }
        })
    };
    if any(&[" hybrid", " hybride ", " híbrido "]) {
        Some("hybrid")
    } else if any(&[
        " remote",
        "telecommut",
        "telework",
        "workfromhome",
        " wfh ",
        "homeoffice",
        "télétravail",
        "teletrabajo",
        " remoto ",
        " distributed ",
    ]) {
        Some("remote")
    } else if any(&[
        "onsite",
        "inoffice",
        "inperson",
        "vorort",
        " présentiel ",
        " presencial ",
    ]) {
        Some("onsite")
    } else {
        None
    }
}

/// What pay is paid for, from `unitText` and its like (`YEAR`, `per hour`, `1 MONTH`, `P1Y`).
pub(crate) fn period(text: &str) -> Option<Period> {
    const PERIODS: [(&str, Period); 30] = [
        ("year", Period::Year),
        ("annual", Period::Year),
        ("annum", Period::Year),
        ("yr", Period::Year),
        ("p1y", Period::Year),
        ("jahr", Period::Year),
        ("jährlich", Period::Year),
        ("année", Period::Year),
        ("annuel", Period::Year),
        ("/an", Period::Year),
        ("año", Period::Year),
        ("anual", Period::Year),
        ("anno", Period::Year),
        ("month", Period::Month),
        ("monat", Period::Month),
        ("mois", Period::Month),
        ("mensuel", Period::Month),
        ("mes", Period::Month),
        ("p1m", Period::Month),
        ("biweek", Period::Week),
        ("week", Period::Week),
        ("woche", Period::Week),
        ("semaine", Period::Week),
        ("semana", Period::Week),
        ("hour", Period::Hour),
        ("hr", Period::Hour),
        ("stunde", Period::Hour),
        ("heure", Period::Hour),
        ("hora", Period::Hour),
        ("pt1h", Period::Hour),
    ];
    let lower = text.trim().to_lowercase();
    if lower.contains("biweek") || lower.contains("bi-week") || lower.contains("two weeks") {
        return None;
    }
    let named = PERIODS
        .iter()
        .find(|(word, _)| lower.contains(word))
        .map(|(_, period)| *period);
    named.or_else(|| {
        let day = ["day", "daily", "tag", "jour", "día", "p1d"]
            .iter()
            .any(|w| lower.contains(w));
        day.then_some(Period::Day)
    })
}

/// The period that an amount without one can only mean, in currencies where a year's pay has five
/// digits or more and an hour's pay two.
pub(crate) fn likely_period(salary: &Salary) -> Option<Period> {
    const LIKE_THE_DOLLAR: [&str; 8] = ["USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SGD"];
    let amount = salary.min.or(salary.max)?.to_f64();
    LIKE_THE_DOLLAR
        .contains(&salary.currency.as_deref()?)
        .then_some(())?;
    match amount {
        a if a >= 15_000.0 => Some(Period::Year),
        a if (7.0..150.0).contains(&a) => Some(Period::Hour),
        _ => None,
    }
}

/// An amount as structured data writes it: `150000`, `"150,000.00"`, `"€ 45.000"`, `"$150K"`.
pub(crate) fn amount(text: &str) -> Option<Amount> {
    amounts(text).into_iter().next()
}

/// All amounts in `text`, at most eight.
pub(crate) fn amounts(text: &str) -> Vec<Amount> {
    let chars: Vec<char> = text.chars().take(500).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() && found.len() < 8 {
        if !chars[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < chars.len()
            && (chars[at].is_ascii_digit()
                || (matches!(
                    chars[at],
                    '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}'
                ) && chars.get(at + 1).is_some_and(char::is_ascii_digit)
                    && groups(&chars, at)))
        {
            at += 1;
        }
        let digits: String = chars[start..at].iter().collect();
        let thousands = matches!(chars.get(at), Some('k' | 'K'))
            && !chars.get(at + 1).is_some_and(|c| c.is_alphanumeric());
        if let Some(value) = number(&digits) {
            let value = if thousands { value * 1000.0 } else { value };
            found.extend(Amount::from_f64(value));
        }
    }
    found
}

/// A blank groups digits only before exactly three of them.
fn groups(chars: &[char], at: usize) -> bool {
    if !chars[at].is_whitespace() {
        return true;
    }
    let following = chars[at + 1..]
        .iter()
        .take_while(|c| c.is_ascii_digit())
        .count();
    following == 3
}

/// A number with separators; the last one is a decimal sign unless three digits follow it.
fn number(text: &str) -> Option<f64> {
    let last = text.rfind(['.', ',']);
    let decimal = last.filter(|at| {
        let sign = &text[*at..*at + 1];
        let fraction = text.len() - at - 1;
        text.matches(sign).count() == 1 && (fraction != 3 || text.starts_with("0."))
    });
    let keep = |s: &str| s.chars().filter(char::is_ascii_digit).collect::<String>();
    let plain = match decimal {
        Some(at) => format!("{}.{}", keep(&text[..at]), keep(&text[at + 1..])),
        None => keep(text),
    };
    plain.parse().ok()
}

/// An ISO 4217 code named by `text`: the code itself or an unmistakable sign.
pub(crate) fn currency(text: &str) -> Option<String> {
    const SIGNS: [(&str, &str); 22] = [
        ("US$", "USD"),
        ("CA$", "CAD"),
        ("C$", "CAD"),
        ("AU$", "AUD"),
        ("A$", "AUD"),
        ("NZ$", "NZD"),
        ("S$", "SGD"),
        ("HK$", "HKD"),
        ("R$", "BRL"),
        ("MX$", "MXN"),
        ("€", "EUR"),
        ("£", "GBP"),
        ("¥", "JPY"),
        ("₹", "INR"),
        ("₪", "ILS"),
        ("zł", "PLN"),
        ("₩", "KRW"),
        ("₺", "TRY"),
        ("₴", "UAH"),
        ("Kč", "CZK"),
        ("$", "USD"),
        ("euro", "EUR"),
    ];
    const CODES: [&str; 62] = [
        "USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK",
        "PLN", "CZK", "HUF", "RON", "BGN", "ISK", "TRY", "UAH", "RUB", "ILS", "AED", "SAR", "QAR",
        "KWD", "EGP", "ZAR", "NGN", "KES", "GHS", "MAD", "SGD", "HKD", "TWD", "KRW", "THB", "MYR",
        "IDR", "PHP", "VND", "PKR", "BDT", "LKR", "BRL", "MXN", "ARS", "CLP", "COP", "PEN", "UYU",
        "CRC", "DOP", "GTQ", "RSD", "GEL", "AMD", "KZT", "JOD", "BHD", "OMR",
    ];
    let upper = text.to_uppercase();
    let code = upper
        .split(|c: char| !c.is_ascii_alphabetic())
        .find(|w| CODES.contains(w));
    code.map(str::to_owned).or_else(|| {
        SIGNS
            .iter()
            .find(|(sign, _)| text.contains(sign))
            .map(|(_, code)| (*code).to_owned())
    })
}

/// The day `text` names, as written: ISO 8601 and the usual unmistakable forms. Where day and
/// month could be exchanged it is `None`.
pub(crate) fn day(text: &str) -> Option<Day> {
    let text = text.trim();
    Day::parse_prefix(text)
        .or_else(|| compact(text))
        .or_else(|| numeric(text))
        .or_else(|| worded(text))
}

/// The UTC day of an epoch time in seconds or milliseconds (from 2001 on).
pub(crate) fn epoch_day(value: f64) -> Option<Day> {
    let micros = match value {
        v if (1.0e9..1.0e10).contains(&v) => v * 1e6,
        v if (1.0e12..1.0e13).contains(&v) => v * 1e3,
        _ => return None,
    };
    Some(ghostlight_model::Micros(micros as i64).day())
}

fn compact(text: &str) -> Option<Day> {
    let head = text
        .get(..8)
        .filter(|h| h.bytes().all(|b| b.is_ascii_digit()))?;
    let ends = text[8..].chars().next().is_none_or(|c| !c.is_ascii_digit());
    ends.then(|| {
        Day::new(
            head[..4].parse().ok()?,
            head[4..6].parse().ok()?,
            head[6..].parse().ok()?,
        )
    })?
}

fn numeric(text: &str) -> Option<Day> {
    let date = text.split([' ', 'T', ',']).next()?;
    let sign = date.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(sign, '/' | '.' | '-') {
        return None;
    }
    let parts: Vec<u16> = date
        .split(sign)
        .filter(|p| !p.is_empty())
        .map(|p| p.parse().ok())
        .collect::<Option<_>>()?;
    let [a, b, c] = parts[..] else { return None };
    let day =
        |y: u16, m: u16, d: u16| Day::new(y as i16, u8::try_from(m).ok()?, u8::try_from(d).ok()?);
    match (a, b, c) {
        (1900..=9999, _, _) => day(a, b, c),
        (_, _, 1900..=9999) if sign == '.' || a > 12 => day(c, b, a),
        (_, _, 1900..=9999) if b > 12 || a == b => day(c, a, b),
        _ => None,
    }
}

fn worded(text: &str) -> Option<Day> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "ene", "janv", "jän"],
        &["feb", "fév", "fev"],
        &["mar", "mär"],
        &["apr", "avr", "abr"],
        &["may", "mai"],
        &["jun", "juin"],
        &["jul", "juil"],
        &["aug", "aoû", "ago"],
        &["sep"],
        &["oct", "okt"],
        &["nov"],
        &["dec", "dez", "déc", "dic"],
    ];
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(8)
        .collect();
    let month = words.iter().find_map(|w| {
        let at = MONTHS
            .iter()
            .position(|names| names.iter().any(|n| w.starts_with(n)));
        at.filter(|_| w.chars().all(char::is_alphabetic))
            .map(|at| at as u8 + 1)
    })?;
    let number = |w: &&str| {
        w.trim_end_matches(|c: char| c.is_alphabetic())
            .parse::<i16>()
            .ok()
    };
    let numbers: Vec<i16> = words.iter().filter_map(number).collect();
    let year = *numbers.iter().find(|n| (1900..=2200).contains(*n))?;
    let day = *numbers.iter().find(|n| (1..=31).contains(*n))?;
    Day::new(year, month, u8::try_from(day).ok()?)
}

/// Lower case, letters and digits only.
fn squash(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// Lower-case words with a blank around each. `FullTime` is one word, `FULL_TIME` two.
fn spaced(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    words.fold(String::from(" "), |out, word| out + word + " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn employment_types_of_many_spellings() {
        for (text, want) in [
            ("FULL_TIME", "FULL_TIME"),
            ("Full-time", "FULL_TIME"),
            ("FullTime", "FULL_TIME"),
            ("FULL_TIME, PART_TIME", "FULL_TIME PART_TIME"),
            ("Vollzeit / Teilzeit", "FULL_TIME PART_TIME"),
            ("Temps plein", "FULL_TIME"),
            ("Jornada completa", "FULL_TIME"),
            ("Contract", "CONTRACTOR"),
            ("Internship", "INTERN"),
            ("International", ""),
            ("Internal", ""),
            ("Temporary", "TEMPORARY"),
            ("Per diem", "PER_DIEM"),
            ("Template", ""),
            ("Contractual benefits", ""),
        ] {
            assert_eq!(employment_types(text).join(" "), want, "{text}");
        }
    }

    #[test]
    fn amounts_of_many_spellings() {
        for (text, want) in [
            ("150000", "150000"),
            ("150,000", "150000"),
            ("150.000", "150000"),
            ("45,5", "45.50"),
            ("$1,234.50", "1234.50"),
            ("1.234,50 €", "1234.50"),
            ("CHF 120'000", "120000"),
            ("$150K – $350K", "150000 350000"),
            ("45 000", "45000"),
            ("17.25 - 22.75", "17.25 22.75"),
            ("none", ""),
        ] {
            let got: Vec<String> = amounts(text).iter().map(ToString::to_string).collect();
            assert_eq!(got.join(" "), want, "{text}");
        }
    }

    #[test]
    fn days_of_many_spellings() {
        for (text, want) in [
            ("2026-01-02", "2026-01-02"),
            ("2026-01-02T23:59:59-08:00", "2026-01-02"),
            ("20260102", "2026-01-02"),
            ("2026/1/2", "2026-01-02"),
            ("13.01.2026", "2026-01-13"),
            ("02.01.2026", "2026-01-02"),
            ("01/13/2026", "2026-01-13"),
            ("13/01/2026", "2026-01-13"),
            ("01/02/2026", "-"),
            ("January 2, 2026", "2026-01-02"),
            ("2 janvier 2026", "2026-01-02"),
            ("Fri, 02 Jan 2026 10:00:00 GMT", "2026-01-02"),
            ("soon", "-"),
            ("2026-13-01", "-"),
        ] {
            assert_eq!(
                day(text).map_or("-".into(), |d| d.to_string()),
                want,
                "{text}"
            );
        }
        assert_eq!(
            epoch_day(1_745_529_600_000.0)
                .map(|d| d.to_string())
                .as_deref(),
            Some("2025-04-24")
        );
    }

    #[test]
    fn periods_modes_and_currencies() {
        for (text, want) in [
            ("YEAR", "year"),
            ("1 HOUR", "hour"),
            ("per month", "month"),
            ("DAY", "day"),
            ("WEEK", "week"),
            ("NONE", "-"),
            ("BIWEEKLY", "-"),
        ] {
            assert_eq!(period(text).map_or("-", Period::word), want, "{text}");
        }
        for (text, want) in [
            ("TELECOMMUTE", "remote"),
            ("Remote - US", "remote"),
            ("Hybrid", "hybrid"),
            ("OnSite", "onsite"),
            ("Berlin", "-"),
        ] {
            assert_eq!(work_mode(text).unwrap_or("-"), want, "{text}");
        }
        for (text, want) in [
            ("USD", "USD"),
            ("usd", "USD"),
            ("€", "EUR"),
            ("CA$", "CAD"),
            ("", "-"),
            ("TRY", "TRY"),
        ] {
            assert_eq!(currency(text).as_deref().unwrap_or("-"), want, "{text}");
        }
    }
}
