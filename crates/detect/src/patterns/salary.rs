//! Pay: amounts and ranges with currency and period, told apart from other money by the words
//! around them.
//!
//! [`find`] scores every amount or range by what stands before and after it (tables of cues below,
//! languages mixed) and hands over the best as the salary, the next ones with less confidence.

use super::{
    Found,
    gazetteer::Kind,
    money::{Number, Suffix, numbers},
    phrases::Phrases,
    text::{Doc, Lang, trim},
};
use ghostlight_model::{Amount, Confidence, FieldKey, FieldValue, Period, Salary};
use std::sync::LazyLock;

/// Confidence by class, in thousandths, and what was measured (share right on the labelled texts).
mod sure {
    /// A range with currency beside a word of pay.
    pub const LABELLED_RANGE: u16 = 980;
    /// A range with currency in a heading line of segments.
    pub const HEADER: u16 = 975;
    /// One amount beside a word of pay.
    pub const LABELLED_AMOUNT: u16 = 900;
    /// One amount with fewer words of pay.
    pub const LIKELY_AMOUNT: u16 = 820;
    /// A range with currency and no word of pay.
    pub const BARE_RANGE: u16 = 790;
    /// One amount with a period ("$25/hr") and no word of pay.
    pub const BARE_AMOUNT: u16 = 700;
    /// What is taken off where the dollar's country or the period is inferred.
    pub const INFERRED: u16 = 5;
    /// The most a range after the first is given.
    pub const OTHER: u16 = 500;
}

/// Ranges handed over for one text; what follows is dropped.
const FOUND_MAX: usize = 12;

/// What words near money say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cue {
    Pay,
    OnTarget,
    /// Money of the employer: funding, revenue, customers.
    Business,
    /// Money for the employee that is no pay: bonus, stipend, budget.
    Extra,
}

#[rustfmt::skip]
static CUES: LazyLock<Phrases<Cue>> = LazyLock::new(|| {
    use Cue::*;
    Phrases::new(&[
        ("salary", Pay), ("salaries", Pay), ("compensation", Pay), ("pay", Pay), ("paid", Pay), ("pays", Pay), ("wage", Pay), ("wages", Pay), ("base", Pay), ("remuneration", Pay), ("earn", Pay), ("earnings", Pay),
        ("rate", Pay), ("hourly", Pay), ("annual", Pay), ("annually", Pay), ("annualized", Pay), ("per annum", Pay), ("package", Pay), ("comp", Pay), ("tc", Pay), ("ctc", Pay), ("cash", Pay), ("make", Pay), ("offer", Pay), ("offering", Pay), ("pay range", Pay), ("range", Pay), ("rémunéré", Pay),
        ("💰", Pay), ("💸", Pay), ("💵", Pay), ("💶", Pay), ("💷", Pay),
        ("gehalt", Pay), ("jahresgehalt", Pay), ("bruttojahresgehalt", Pay), ("gehaltsspanne", Pay), ("gehaltsrahmen", Pay), ("vergütung", Pay), ("vergütet", Pay), ("brutto", Pay), ("stundenlohn", Pay), ("lohn", Pay), ("verdienst", Pay), ("monatsgehalt", Pay), ("fixgehalt", Pay), ("einstiegsgehalt", Pay), ("zielgehalt", Pay), ("entgelt", Pay), ("jährlich", Pay), ("monatlich", Pay),
        ("salaire", Pay), ("rémunération", Pay), ("brut", Pay), ("bruts", Pay), ("brut annuel", Pay), ("package annuel", Pay), ("gratification", Pay), ("fixe", Pay), ("annuel", Pay),
        ("salario", Pay), ("sueldo", Pay), ("retribución", Pay), ("remuneración", Pay), ("bruto", Pay), ("brutos", Pay), ("anual", Pay), ("mensual", Pay), ("banda salarial", Pay), ("rango salarial", Pay),
        ("ote", OnTarget), ("on-target earnings", OnTarget), ("on target earnings", OnTarget), ("on-target", OnTarget), ("total target compensation", OnTarget), ("target earnings", OnTarget),
        ("raised", Business), ("raise", Business), ("funding", Business), ("funded", Business), ("series a", Business), ("series b", Business), ("series c", Business), ("series d", Business), ("seed", Business), ("valuation", Business), ("valued", Business), ("revenue", Business), ("arr", Business), ("mrr", Business), ("gmv", Business), ("investment", Business), ("invested", Business), ("investors", Business), ("aum", Business), ("assets under management", Business), ("customers", Business), ("clients", Business), ("sales", Business), ("deal", Business), ("deals", Business), ("deal size", Business), ("quota", Business), ("acv", Business), ("contracts", Business), ("contract value", Business), ("ad spend", Business), ("spend", Business), ("transactions", Business), ("processed", Business), ("market", Business), ("industry", Business), ("turnover", Business), ("umsatz", Business), ("finanzierung", Business), ("chiffre d'affaires", Business), ("levée", Business), ("levé", Business), ("facturación", Business), ("donated", Business), ("saved", Business), ("savings", Business), ("grants", Business), ("portfolio", Business), ("venture", Business), ("backed", Business), ("capital", Business), ("losses", Business), ("payments", Business), ("loans", Business), ("fine", Business), ("companies", Business), ("businesses", Business), ("accounts", Business), ("prize", Business), ("p&l", Business), ("price", Business), ("prices", Business), ("cost", Business), ("costs", Business), ("subscription", Business), ("per user", Business), ("per seat", Business), ("worth", Business),
        ("sign-on", Extra), ("signing bonus", Extra), ("sign-on bonus", Extra), ("signing", Extra), ("bonus", Extra), ("bonuses", Extra), ("referral", Extra), ("referral bonus", Extra), ("stipend", Extra), ("stipends", Extra), ("allowance", Extra), ("reimbursement", Extra), ("reimburse", Extra), ("reimbursed", Extra), ("budget", Extra), ("401k", Extra), ("401(k)", Extra), ("match", Extra), ("credit", Extra), ("credits", Extra), ("voucher", Extra), ("vouchers", Extra), ("donation", Extra), ("donations", Extra), ("wellness", Extra), ("gym", Extra), ("learning", Extra), ("education", Extra), ("tuition", Extra), ("development", Extra), ("home office", Extra), ("equipment", Extra), ("phone", Extra), ("internet", Extra), ("commuter", Extra), ("travel", Extra), ("lunch", Extra), ("meal", Extra), ("meals", Extra), ("insurance", Extra), ("coverage", Extra), ("deductible", Extra), ("fsa", Extra), ("hsa", Extra), ("fee", Extra), ("deposit", Extra), ("gift", Extra), ("laptop", Extra), ("relocation", Extra), ("housing", Extra), ("pto", Extra), ("perk", Extra), ("perks", Extra), ("fitness", Extra), ("family planning", Extra), ("fertility", Extra), ("commission", Extra), ("commissions", Extra), ("prämie", Extra), ("zuschuss", Extra), ("urlaubsgeld", Extra), ("weiterbildungsbudget", Extra), ("gutschein", Extra), ("prime", Extra), ("titres restaurant", Extra), ("ticket restaurant", Extra), ("tickets restaurant", Extra), ("participation", Extra), ("variable", Extra), ("subsidy", Extra), ("subsidies", Extra), ("rent", Extra), ("per diem", Extra), ("reward", Extra), ("rewards", Extra), ("discount", Extra), ("sachbezug", Extra), ("essenszuschuss", Extra), ("fahrtkostenzuschuss", Extra), ("guthaben", Extra), ("benefit", Extra), ("towards", Extra), ("toward", Extra),
    ])
});

#[rustfmt::skip]
static PERIODS: LazyLock<Phrases<Period>> = LazyLock::new(|| {
    use Period::*;
    Phrases::new(&[
        ("per hour", Hour), ("/hr", Hour), ("/hour", Hour), ("/ hr", Hour), ("/ hour", Hour), ("/h", Hour), ("an hour", Hour), ("hourly", Hour), ("hr", Hour), ("p/h", Hour), ("ph", Hour), ("p.h.", Hour), ("per hr", Hour), ("pro stunde", Hour), ("die stunde", Hour), ("/std", Hour), ("/stunde", Hour), ("stundenlohn", Hour), ("stündlich", Hour), ("par heure", Hour), ("/heure", Hour), ("de l'heure", Hour), ("horaire", Hour), ("por hora", Hour), ("la hora", Hour), ("/hora", Hour), ("hora", Hour),
        ("per day", Day), ("/day", Day), ("/ day", Day), ("a day", Day), ("daily", Day), ("day rate", Day), ("daily rate", Day), ("pro tag", Day), ("/tag", Day), ("tagessatz", Day), ("par jour", Day), ("/jour", Day), ("/j", Day), ("tjm", Day), ("al día", Day), ("por día", Day), ("/día", Day), ("p.d.", Day),
        ("per week", Week), ("/week", Week), ("/wk", Week), ("/ week", Week), ("a week", Week), ("weekly", Week), ("pro woche", Week), ("wöchentlich", Week), ("par semaine", Week), ("por semana", Week), ("semanal", Week),
        ("per month", Month), ("/month", Month), ("/ month", Month), ("/mo", Month), ("/mth", Month), ("a month", Month), ("monthly", Month), ("pcm", Month), ("p.m.", Month), ("pro monat", Month), ("im monat", Month), ("/monat", Month), ("monatlich", Month), ("monatsgehalt", Month), ("mtl", Month), ("mensuel", Month), ("mensuels", Month), ("par mois", Month), ("/mois", Month), ("mensuelle", Month), ("al mes", Month), ("por mes", Month), ("/mes", Month), ("mensual", Month), ("mensuales", Month), ("/mês", Month),
        ("per year", Year), ("/year", Year), ("/ year", Year), ("/yr", Year), ("/ yr", Year), ("a year", Year), ("yearly", Year), ("annual", Year), ("annually", Year), ("annum", Year), ("per annum", Year), ("annualized", Year), ("annualised", Year), ("p.a.", Year), ("p.a", Year), ("pa", Year), ("/annum", Year), ("per yr", Year), ("/y", Year), ("pro jahr", Year), ("im jahr", Year), ("/jahr", Year), ("jährlich", Year), ("jahresgehalt", Year), ("bruttojahresgehalt", Year), ("jahresbrutto", Year), ("jahresbruttogehalt", Year), ("jahreszielgehalt", Year), ("par an", Year), ("/an", Year), ("annuel", Year), ("annuels", Year), ("annuelle", Year), ("l'an", Year), ("al año", Year), ("por año", Year), ("/año", Year), ("anual", Year), ("anuales", Year), ("brutos/año", Year), ("lpa", Year), ("ctc", Year), ("base salary", Year), ("salary range", Year),
    ])
});

/// An amount or a range, before its surroundings are judged.
#[derive(Debug, Clone)]
struct Pay {
    start: usize,
    end: usize,
    min: f64,
    max: f64,
    range: bool,
    currency: Option<&'static str>,
    dollar_only: bool,
    score: i32,
    labelled: bool,
    header: bool,
    on_target: bool,
    period: Option<Period>,
}

/// The text's pay: the best first, others with less confidence.
pub(crate) fn find(doc: &Doc, sink: &mut dyn FnMut(Found)) {
    let mut pays: Vec<Pay> = candidates(doc);
    for pay in &mut pays {
        judge(doc, pay);
    }
    const ACCEPTED: i32 = 40;
    pays.retain(|pay| pay.score >= ACCEPTED);
    // A stable sort: of equals the first in the text wins.
    pays.sort_by_key(|pay| -pay.score);
    let best: Option<(f64, f64)> = pays.first().map(|p| (p.min, p.max));
    for (rank, pay) in pays.iter().take(FOUND_MAX).enumerate() {
        if rank > 0 && best == Some((pay.min, pay.max)) {
            continue;
        }
        let guessed = pay.dollar_only && currency(doc, pay) != pay.currency;
        let confidence = confidence(pay, rank, guessed);
        if let Some(value) = value(doc, pay, rank == 0) {
            sink(Found {
                field: FieldKey::Salary,
                value,
                confidence,
                start: pay.start,
                end: pay.end,
            });
        }
    }
}

/// Pay in a text that is known to state pay: the first amount or range, cues or not.
pub(crate) fn only(doc: &Doc, hint: Option<&str>) -> Option<Found> {
    let mut pays = pays(&doc.fold, &numbers(&doc.fold), true);
    for pay in &mut pays {
        judge(doc, pay);
    }
    // Without a sign of money the text is known to be pay all the same.
    pays.retain(|pay| {
        if pay.currency.is_some() {
            pay.score > -20
        } else {
            pay.max >= 7.0
        }
    });
    let pay = pays.into_iter().max_by_key(|pay| (pay.range, pay.score))?;
    let value = value(doc, &pay, true)?;
    let value = match (value, hint) {
        (FieldValue::Salary(salary), Some(hint)) if pay.currency.is_none() || pay.dollar_only => {
            FieldValue::Salary(Salary {
                currency: Some(hint.to_owned()),
                ..salary
            })
        }
        (value, _) => value,
    };
    let thousandths = if pay.currency.is_some() {
        sure::LABELLED_RANGE
    } else {
        sure::BARE_RANGE
    };
    Some(Found {
        field: FieldKey::Salary,
        value,
        confidence: Confidence::new(thousandths),
        start: pay.start,
        end: pay.end,
    })
}

fn candidates(doc: &Doc) -> Vec<Pay> {
    pays(&doc.fold, &numbers(&doc.fold), false)
}

/// Numbers joined to ranges, the rest alone. A number without currency counts only inside a range
/// whose other end has one, or where `lone` or a word of pay stands before it.
fn pays(fold: &str, numbers: &[Number], lone: bool) -> Vec<Pay> {
    let (mut out, mut i) = (Vec::new(), 0);
    while i < numbers.len() {
        let first = numbers[i];
        let range = numbers
            .get(i + 1)
            .and_then(|second| range(fold, first, *second));
        match range {
            Some(pay) => {
                out.push(pay);
                i += 2;
            }
            None => {
                if (first.currency.is_some() || lone) && first.suffix != Suffix::Big {
                    out.push(single(first));
                }
                i += 1;
            }
        }
    }
    out
}

fn single(n: Number) -> Pay {
    Pay {
        start: n.start,
        end: n.end,
        min: n.value,
        max: n.value,
        range: false,
        currency: n.currency,
        dollar_only: n.dollar_only,
        score: 0,
        labelled: false,
        header: false,
        on_target: false,
        period: None,
    }
}

/// Two numbers as one range: "$120-150k", "45 à 50 K€", "$45/hr - $50/hr".
fn range(fold: &str, a: Number, b: Number) -> Option<Pay> {
    const GAP_BYTES_MAX: usize = 40;
    if b.start < a.end
        || b.start - a.end > GAP_BYTES_MAX
        || a.suffix == Suffix::Big
        || b.suffix == Suffix::Big
    {
        return None;
    }
    let joined = joiner(&fold[a.end..b.start])?;
    let both = a.currency.is_some() && b.currency.is_some();
    if joined == Join::And && !both && !opened(fold, a.start) {
        return None;
    }
    let (mut min, mut max) = (a.value, b.value);
    match (a.suffix, b.suffix) {
        (Suffix::None, Suffix::Thousand) if min < 1_000.0 => min *= 1e3,
        (Suffix::Thousand, Suffix::None) if max < 1_000.0 => max *= 1e3,
        (Suffix::None, Suffix::Lakh) if min < 1_000.0 => min *= 1e5,
        _ => {}
    }
    // "80-100,000": the first number leaves its thousands out.
    if min < 1_000.0 && max >= 20_000.0 && max / min > 100.0 && min * 1e3 <= max {
        min *= 1e3;
    }
    let currency = match (a.currency, b.currency) {
        (Some(x), Some(y)) if x != y && !a.dollar_only && !b.dollar_only => return None,
        (Some(_), Some(y)) if a.dollar_only => Some(y),
        (Some(x), _) => Some(x),
        (None, y) => y,
    };
    let years = |v: f64| (1900.0..2100.0).contains(&v);
    let plausible = min > 0.0 && min <= max && max / min <= 30.0;
    let bare = currency.is_none() && (max < 1_000.0 || (years(min) && years(max)));
    if !plausible || bare {
        return None;
    }
    let dollar_only =
        currency == Some("USD") && [a, b].iter().all(|n| n.currency.is_none() || n.dollar_only);
    Some(Pay {
        start: a.start,
        end: b.end,
        min,
        max,
        range: true,
        currency,
        dollar_only,
        score: 0,
        labelled: false,
        header: false,
        on_target: false,
        period: period_in(&fold[a.end..b.start]),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    To,
    And,
}

/// Whether the words between two numbers make a range of them.
fn joiner(gap: &str) -> Option<Join> {
    let mut rest = gap.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '\\' | ')' | '(' | '+' | ',')
    });
    // Periods and markers said after the first number.
    for word in [
        "per year",
        "per hour",
        "per annum",
        "per month",
        "an hour",
        "a year",
        "annually",
        "/hour",
        "/year",
        "/hr",
        "/yr",
        "/h",
        "hourly",
        "gross",
        "brutto",
        "base",
        "/month",
        "/ hour",
        "/ hr",
        "per hr",
        "/annum",
        "/mo",
        "p.a.",
        "usd",
        "eur",
    ] {
        rest = rest
            .strip_prefix(word)
            .unwrap_or(rest)
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\\' | ')' | ','));
    }
    match rest.trim() {
        "-" | "–" | "—" | "−" | "‐" | "‑" | "--" | "to" | "bis" | "bis zu" | "à" | "up to"
        | "jusqu'à" | "~" | "›" | "a" | "hasta" | "- up to" | "through" | "up to a maximum of" => {
            Some(Join::To)
        }
        "and" | "und" | "et" | "y" | "&" | "e" => Some(Join::And),
        _ => None,
    }
}

/// "between", "zwischen", "entre" right before the first number.
fn opened(fold: &str, at: usize) -> bool {
    let head = fold[..at].trim_end();
    [
        "between", "zwischen", "entre", "from", "von", "de", "range of", "tra",
    ]
    .iter()
    .any(|word| head.ends_with(word))
}

/// A range from here on with a currency is hardly anything but a year's pay.
const YEARLY_MIN: f64 = 15_000.0;

/// Scores the words around an amount.
fn judge(doc: &Doc, pay: &mut Pay) {
    let before = doc.before(pay.start, 110);
    let near_before = &before[super::text::ceil(before, before.len().saturating_sub(48))..];
    let after = doc.after(pay.end, 70);
    let heading = doc.heading_before(pay.start);
    let beginning = before.trim().len() < 24;
    let mut score = if pay.range { 30 } else { 0 };
    let pay_word = |text: &str| {
        CUES.find(text)
            .any(|h| matches!(h.tag, Cue::Pay | Cue::OnTarget))
    };
    // Compounds and inflections of German and Romance words of pay.
    let stem = |text: &str| {
        [
            "gehalt", "vergüt", "lohn", "verdien", "salari", "rémun", "retribu", "sueldo",
        ]
        .iter()
        .any(|s| text.contains(s))
    };
    let labelled_before = pay_word(before)
        || stem(before)
        || (beginning && stem(heading))
        || (beginning && pay_word(heading));
    let explicit = period_after(after).or(pay.period);
    let labelled_after = CUES
        .find(&after[..after.find(['.', ';']).unwrap_or(after.len())])
        .any(|h| {
            matches!(h.tag, Cue::OnTarget)
                || matches!(
                    h.phrase,
                    "salary"
                        | "base"
                        | "base salary"
                        | "brutto"
                        | "gross"
                        | "bruto"
                        | "brutos"
                        | "brut"
                        | "jahresgehalt"
                        | "bruttojahresgehalt"
                        | "pay"
                        | "compensation"
                        | "per annum"
                        | "annually"
                        | "jährlich"
                )
        });
    pay.labelled = labelled_before || labelled_after || explicit.is_some();
    score += if labelled_before { 40 } else { 0 };
    score += if labelled_after || stem(&after[..super::text::floor(after, 30)]) {
        20
    } else {
        0
    };
    score += match (explicit.is_some(), pay.range) {
        (true, true) => 25,
        (true, false) => 40,
        _ => 0,
    };
    score += if pay.range && pay.currency.is_some() && pay.max >= YEARLY_MIN {
        15
    } else {
        0
    };
    pay.header = in_header(doc, pay);
    score += if pay.header { 45 } else { 0 };
    score += if before.contains("salary")
        || before.contains("base")
        || heading.contains("salary")
        || before.contains("compensation")
    {
        8
    } else {
        0
    };
    score -= penalty(near_before, after, pay);
    score -= if pay.currency.is_none() {
        if labelled_before { 20 } else { 70 }
    } else {
        0
    };
    pay.on_target = on_target(near_before, after);
    score -= if pay.on_target { 12 } else { 0 };
    pay.period = explicit.or_else(|| period_before(before, heading));
    let (period, fits) = plausible(pay);
    pay.period = pay.period.filter(|_| fits).or(period);
    score -= if pay.period.is_none() { 60 } else { 0 };
    pay.score = score;
}

/// On-target earnings say so right beside the amount, and base pay does not follow.
fn on_target(before: &str, after: &str) -> bool {
    let right = &after[..super::text::floor(after, 24)];
    let target = |text: &str| CUES.find(text).any(|h| *h.tag == Cue::OnTarget);
    (target(right) && !right.trim_start().starts_with("base"))
        || (target(before) && !before.contains("base"))
}

/// What speaks against pay: the employer's money before or right after, extras beside the amount.
fn penalty(before: &str, after: &str, pay: &Pay) -> i32 {
    // A clause ends at these; what stands beyond says nothing about the amount.
    let clause = before
        .rfind(['.', ';', '!', '?', '•'])
        .map_or(before, |i| &before[super::text::ceil(before, i + 1)..]);
    let right = &after[..after.find(['.', ';', '+', ',', '(']).unwrap_or(after.len())];
    let right = &right[..super::text::floor(right, 30)];
    let mut total = 0;
    let last_pay = CUES
        .find(clause)
        .filter(|h| *h.tag == Cue::Pay)
        .map(|h| h.end)
        .next_back()
        .unwrap_or(0);
    for hit in CUES.find(clause).filter(|h| h.start >= last_pay) {
        total += match hit.tag {
            Cue::Business => 45,
            Cue::Extra if !pay.range => 60,
            Cue::Extra => 15,
            _ => 0,
        };
    }
    let plus = right.trim_start().starts_with("plus")
        || right.trim_start().starts_with("and")
        || right.trim_start().starts_with("with")
        || right.trim_start().starts_with("depending");
    let opens = pay.range && right.trim_start().starts_with("base");
    for hit in CUES.find(right) {
        total += match hit.tag {
            Cue::Business if !plus && !pay.range => 45,
            Cue::Business if !plus => 15,
            Cue::Extra if !plus && !opens && !pay.range => 60,
            Cue::Extra if !plus && !opens && hit.start < 14 && hit.phrase != "variable" => 35,
            _ => 0,
        };
    }
    total
        + if after.starts_with('+') && !pay.range {
            20
        } else {
            0
        }
}

/// Whether the amount stands in a first line of segments, or in the heading lines as a line of
/// its own.
fn in_header(doc: &Doc, pay: &Pay) -> bool {
    let index = doc.line_at(pay.start);
    let Some(line) = doc.lines.get(index).copied() else {
        return false;
    };
    let text = doc.line(line);
    let segments = text.matches('|').count() >= 2 || text.matches(" · ").count() >= 2;
    let alone =
        (pay.range || pay.min >= YEARLY_MIN) && line.end - line.start <= pay.end - pay.start + 12;
    (index <= 3 && segments) || (index <= 6 && alone) || (index == 0 && pay.range)
}

/// The period said within the words that follow, before another number or sentence begins.
fn period_after(after: &str) -> Option<Period> {
    let stop = after
        .find(|c: char| c.is_ascii_digit() || "$€£;".contains(c))
        .unwrap_or(after.len())
        .min(super::text::floor(after, 44));
    let near = &after[..stop];
    let near = near.find(". ").map_or(near, |i| &near[..i]);
    PERIODS
        .find(near)
        .find(|h| !matches!(h.phrase, "base salary" | "salary range"))
        .map(|h| *h.tag)
}

fn period_before(before: &str, heading: &str) -> Option<Period> {
    let near = before
        .rfind(['.', '!', '?'])
        .map_or(before, |i| &before[i + 1..]);
    let last = PERIODS.find(near).next_back().map(|h| *h.tag);
    last.or_else(|| {
        (before.trim().len() < 24)
            .then(|| PERIODS.find(heading).next_back().map(|h| *h.tag))
            .flatten()
    })
}

fn period_in(gap: &str) -> Option<Period> {
    PERIODS.find(gap).next().map(|h| *h.tag)
}

/// How many of a currency's units are worth about one US dollar, for telling an hourly from a
/// yearly amount only (2025, rounded to one digit).
#[rustfmt::skip]
const UNITS_PER_DOLLAR: [(&str, f64); 22] = [
    ("INR", 80.0), ("JPY", 140.0), ("KRW", 1_300.0), ("CNY", 7.0), ("SEK", 10.0), ("NOK", 10.0), ("DKK", 7.0), ("PLN", 4.0), ("CZK", 20.0), ("HUF", 350.0), ("MXN", 18.0),
    ("BRL", 5.0), ("ZAR", 18.0), ("TWD", 30.0), ("THB", 33.0), ("PHP", 55.0), ("RUB", 80.0), ("UAH", 40.0), ("TRY", 40.0), ("IDR", 16_000.0), ("VND", 25_000.0), ("ILS", 3.5),
];

/// The period an amount suggests by its size, and whether the stated one fits the amount.
fn plausible(pay: &Pay) -> (Option<Period>, bool) {
    let units = pay
        .currency
        .and_then(|c| UNITS_PER_DOLLAR.iter().find(|(code, _)| *code == c))
        .map_or(1.0, |(_, u)| *u);
    let dollars = pay.max / units;
    let period = match dollars {
        d if d < 5.0 => None,
        d if d < 250.0 => Some(Period::Hour),
        d if d < 1_200.0 => Some(Period::Day),
        d if d < 13_000.0 => Some(Period::Month),
        d if d <= 3_000_000.0 => Some(Period::Year),
        _ => None,
    };
    let fits = match pay.period {
        Some(Period::Hour) => (2.0..1_000.0).contains(&dollars),
        Some(Period::Day) => (20.0..5_000.0).contains(&dollars),
        Some(Period::Week) => (80.0..20_000.0).contains(&dollars),
        Some(Period::Month) => (150.0..60_000.0).contains(&dollars),
        Some(Period::Year) => (2_500.0..5_000_000.0).contains(&dollars),
        None => false,
    };
    (period, fits)
}

fn confidence(pay: &Pay, rank: usize, guessed: bool) -> Confidence {
    let class = match (pay.header, pay.range, pay.labelled) {
        (true, true, _) => sure::HEADER,
        (_, true, true) => sure::LABELLED_RANGE,
        (_, true, false) => sure::BARE_RANGE,
        (_, false, true) if pay.score >= 70 => sure::LABELLED_AMOUNT,
        (_, false, true) if pay.score >= 45 => sure::LIKELY_AMOUNT,
        (_, false, _) => sure::BARE_AMOUNT,
    };
    let class = if pay.currency.is_none() {
        class.min(sure::BARE_AMOUNT)
    } else {
        class
    };
    let class = if pay.dollar_only {
        class - sure::INFERRED
    } else {
        class
    };
    let class = if guessed {
        class.min(sure::BARE_RANGE)
    } else {
        class
    };
    let class = if pay.score < 60 {
        class.min(sure::BARE_RANGE)
    } else {
        class
    };
    Confidence::new(if rank == 0 {
        class
    } else {
        class.min(sure::OTHER)
    })
}

fn value(doc: &Doc, pay: &Pay, primary: bool) -> Option<FieldValue> {
    let (min, max) = ends(doc, pay);
    let mut salary = Salary {
        min: min.and_then(Amount::from_f64),
        max: max.and_then(Amount::from_f64),
        currency: currency(doc, pay).map(str::to_owned),
        period: pay.period,
        ..Salary::default()
    };
    if salary.min.is_none() && salary.max.is_none() {
        return None;
    }
    if primary {
        extras(doc, pay, &mut salary);
    }
    Some(FieldValue::Salary(salary))
}

/// "up to" and "from" leave one end open.
fn ends(doc: &Doc, pay: &Pay) -> (Option<f64>, Option<f64>) {
    if pay.range {
        return (Some(pay.min), Some(pay.max));
    }
    let head = doc.before(pay.start, 24).trim_end();
    let up = [
        "up to", "bis zu", "bis", "jusqu'à", "hasta", "max", "maximum",
    ]
    .iter()
    .any(|w| head.ends_with(w));
    let from = [
        "from",
        "starting at",
        "ab",
        "minimum",
        "at least",
        "mindestens",
        "à partir de",
        "desde",
        "from a",
    ]
    .iter()
    .any(|w| head.ends_with(w));
    let open = doc.after(pay.end, 2).starts_with('+');
    match (up, from || open) {
        (true, _) => (None, Some(pay.max)),
        (_, true) => (Some(pay.min), None),
        _ => (Some(pay.min), Some(pay.max)),
    }
}

/// A bare dollar is the dollar of the one country the text places the job in.
fn currency(doc: &Doc, pay: &Pay) -> Option<&'static str> {
    const DOLLARS: [(&str, &str); 5] = [
        ("CA", "CAD"),
        ("AU", "AUD"),
        ("NZ", "NZD"),
        ("SG", "SGD"),
        ("HK", "HKD"),
    ];
    if pay.currency.is_none() && matches!(doc.lang, Lang::De | Lang::Fr | Lang::Es) {
        // Pay without a sign, in a language of the euro area and with no other country named.
        const EURO: [&str; 10] = ["DE", "FR", "ES", "AT", "BE", "LU", "IT", "NL", "PT", "IE"];
        let mut named = doc
            .mentions
            .iter()
            .filter(|m| !m.needs_cue)
            .filter_map(|m| m.place.country.as_deref());
        return named.all(|c| EURO.contains(&c)).then_some("EUR");
    }
    if !pay.dollar_only {
        return pay.currency;
    }
    let places = doc
        .mentions
        .iter()
        .filter(|m| m.kind == Kind::City && (m.full || !m.needs_cue) || m.kind == Kind::Country);
    let mut countries: Vec<&str> = places.filter_map(|m| m.place.country.as_deref()).collect();
    countries.sort_unstable();
    countries.dedup();
    let said = |code: &str| {
        DOLLARS
            .iter()
            .find(|(country, _)| *country == code)
            .map(|(_, currency)| *currency)
    };
    match countries.as_slice() {
        [one] => said(one).or(pay.currency),
        _ => pay.currency,
    }
}

/// Bonus, equity and on-target earnings, in the posting's own words.
fn extras(doc: &Doc, pay: &Pay, salary: &mut Salary) {
    const WORDS_BYTES_MAX: usize = 120;
    let (start, end) = doc.sentence(pay.start, pay.end, WORDS_BYTES_MAX);
    let tail = &doc.fold[pay.end..end];
    let clip = |at: usize| {
        let from = pay.end + at;
        let stop = doc.raw[from..end]
            .find([',', ';', '(', ')', '|', '\n'])
            .map_or(end, |i| from + i);
        let (s, e) = trim(doc.raw, from, stop);
        doc.raw[s..e]
            .trim_start_matches(['+', ' '])
            .trim_end_matches('.')
            .to_owned()
    };
    let find = |words: &[&str]| words.iter().filter_map(|w| tail.find(w)).min();
    let lead = |at: usize| tail[..at].rfind(['+', ',', '&']).map_or(at, |i| i + 1);
    salary.bonus = find(&["bonus", "commission", "prämie"])
        .map(|at| clip(lead(at)))
        .filter(|w| !w.is_empty());
    salary.equity = find(&[
        "equity",
        "stock option",
        "rsu",
        "options",
        "esop",
        "shares",
        "bspce",
    ])
    .map(|at| clip(lead(at)))
    .filter(|w| !w.is_empty());
    if pay.on_target {
        let (s, e) = trim(
            doc.raw,
            start.max(pay.start),
            end.min(super::text::floor(doc.raw, pay.end + 30)),
        );
        salary.on_target = Some(doc.raw[s..e].trim_end_matches(['.', ',']).to_owned());
    }
}

/// Sentences that say why no amount stands in the text.
#[rustfmt::skip]
static UNSAID: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("competitive salary", ()), ("competitive pay", ()), ("competitive compensation", ()), ("competitive base", ()), ("competitive package", ()), ("competitive wage", ()), ("market salary", ()), ("market rate", ()), ("attractive salary", ()), ("attractive compensation", ()), ("commensurate with experience", ()), ("commensurate with your experience", ()), ("salary commensurate", ()), ("depending on experience", ()), ("depends on experience", ()), ("doe", ()), ("salary negotiable", ()), ("negotiable salary", ()), ("salary: negotiable", ()), ("to be discussed", ()), ("salary on application", ()), ("undisclosed", ()), ("competitive remuneration", ()),
        ("gehalt nach vereinbarung", ()), ("nach vereinbarung", ()), ("attraktives gehalt", ()), ("attraktive vergütung", ()), ("leistungsgerechte vergütung", ()), ("marktgerechte vergütung", ()), ("wettbewerbsfähiges gehalt", ()), ("faire vergütung", ()), ("übertarifliche bezahlung", ()), ("gehaltsvorstellung", ()),
        ("selon profil", ()), ("selon expérience", ()), ("selon le profil", ()), ("rémunération attractive", ()), ("salaire à négocier", ()), ("à négocier", ()), ("salaire compétitif", ()), ("rémunération compétitive", ()),
        ("salario competitivo", ()), ("según experiencia", ()), ("según valía", ()), ("a convenir", ()), ("salario a convenir", ()), ("retribución competitiva", ()),
    ])
});

/// The sentence that says in words what an amount would say, if one stands in the text.
pub(crate) fn unsaid(doc: &Doc) -> Option<String> {
    let hit = UNSAID.find(&doc.fold).next()?;
    let (start, end) = doc.sentence(hit.start, hit.end, 160);
    let (start, end) = trim(doc.raw, start, end);
    Some(
        doc.raw[start..end]
            .trim_start_matches(['-', '•', '*', ' '])
            .to_owned(),
    )
}
