//! Numbers and currencies in any locale's spelling: [`numbers`] finds every amount of a text for
//! the salary detector, [`first`] reads the one amount of a price string.

use super::{
    Money,
    phrases::is_whole,
    text::{ceil, floor, fold},
};
use ghostlight_model::{Amount, Confidence};

/// Amounts read from one text; what follows is not looked at. Postings have some dozens of numbers.
const NUMBERS_MAX: usize = 2_000;

/// How sure an amount is, measured on labelled price strings: right in 98 of 100.
const WITH_CURRENCY: Confidence = Confidence::new(970);
const WITHOUT_CURRENCY: Confidence = Confidence::new(900);

/// What stands after the digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    None,
    /// `k`, `T€`, thousand.
    Thousand,
    /// Indian lakh, `LPA`: a hundred thousand rupees.
    Lakh,
    /// Million and more: hardly ever pay.
    Big,
}

/// A number with what belongs to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    /// With a currency before it.
    pub start: usize,
    /// With suffix and a currency after it.
    pub end: usize,
    pub value: f64,
    pub suffix: Suffix,
    /// ISO 4217; a bare `$` is `USD` with `dollar_only`.
    pub currency: Option<&'static str>,
    pub dollar_only: bool,
}

/// Symbols and words of currencies, longest first where one ends with another.
#[rustfmt::skip]
const CURRENCIES: [(&str, &str); 75] = [
    ("us$", "USD"), ("usd$", "USD"), ("cad$", "CAD"), ("aud$", "AUD"), ("nzd$", "NZD"), ("sgd$", "SGD"), ("ca$", "CAD"), ("cdn$", "CAD"),
    ("au$", "AUD"), ("nz$", "NZD"), ("sg$", "SGD"), ("hk$", "HKD"), ("nt$", "TWD"), ("mx$", "MXN"), ("r$", "BRL"), ("c$", "CAD"), ("a$", "AUD"), ("s$", "SGD"),
    ("€", "EUR"), ("£", "GBP"), ("₹", "INR"), ("¥", "JPY"), ("₩", "KRW"), ("₪", "ILS"), ("₺", "TRY"), ("₽", "RUB"), ("₴", "UAH"), ("₫", "VND"), ("₱", "PHP"), ("₦", "NGN"), ("zł", "PLN"), ("zl", "PLN"),
    ("usd", "USD"), ("eur", "EUR"), ("gbp", "GBP"), ("chf", "CHF"), ("cad", "CAD"), ("aud", "AUD"), ("nzd", "NZD"), ("sgd", "SGD"), ("hkd", "HKD"), ("inr", "INR"), ("jpy", "JPY"), ("cny", "CNY"), ("rmb", "CNY"), ("krw", "KRW"),
    ("sek", "SEK"), ("nok", "NOK"), ("dkk", "DKK"), ("pln", "PLN"), ("czk", "CZK"), ("kč", "CZK"), ("huf", "HUF"), ("ron", "RON"), ("brl", "BRL"), ("mxn", "MXN"), ("zar", "ZAR"), ("ils", "ILS"), ("aed", "AED"), ("php", "PHP"), ("myr", "MYR"), ("twd", "TWD"), ("thb", "THB"), ("try", "TRY"), ("uah", "UAH"), ("idr", "IDR"),
    ("rs.", "INR"), ("rs", "INR"), ("euros", "EUR"), ("euro", "EUR"), ("dollars", "USD"), ("pounds", "GBP"), ("pesos", "MXN"), ("sfr.", "CHF"), ("fr.", "CHF"),
];

/// Every number of a folded text, in order.
pub(crate) fn numbers(fold: &str) -> Vec<Number> {
    let (mut out, mut at) = (Vec::new(), 0);
    let bytes = fold.as_bytes();
    while at < bytes.len() && out.len() < NUMBERS_MAX {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = digits_end(fold, at);
        if let Some(number) = number(fold, at, end) {
            at = number.end.max(end);
            out.push(number);
        } else {
            at = end;
        }
    }
    out
}

/// The value of digits with separators, in whichever locale's spelling makes sense.
pub(crate) fn value(token: &str) -> Option<f64> {
    let token: String = token
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .collect();
    let decimal = decimal_at(&token);
    let mut plain = String::with_capacity(token.len());
    for (i, c) in token.char_indices() {
        match c {
            '.' | ',' if Some(i) == decimal => plain.push('.'),
            '.' | ',' => {}
            digit => plain.push(digit),
        }
    }
    plain.parse().ok()
}

/// Where the decimal separator stands: the last of two kinds, or a single one that is not followed
/// by exactly three digits.
fn decimal_at(token: &str) -> Option<usize> {
    let last = token.rfind(['.', ','])?;
    let digits = token.len() - last - 1;
    let mark = &token[last..=last];
    let other = if mark == "." { "," } else { "." };
    let repeated = token.matches(mark).count() > 1;
    let mixed = token.contains(other);
    match (mixed, repeated) {
        (_, true) => None,
        (true, false) => Some(last),
        (false, false) if digits == 3 && last > 0 && last <= 3 && !token.starts_with('0') => None,
        (false, false) => (digits > 0).then_some(last),
    }
}

/// Where the digits that begin at `at` end: separators count while digits follow them.
fn digits_end(fold: &str, at: usize) -> usize {
    let mut end = at;
    loop {
        let run = fold[end..].bytes().take_while(u8::is_ascii_digit).count();
        end += run;
        let mut rest = fold[end..].chars();
        let Some(mark) = rest.next() else { return end };
        let after = rest.as_str();
        let following = after.bytes().take_while(u8::is_ascii_digit).count();
        let grouped = match mark {
            '.' | ',' => following > 0,
            '\'' | '’' | '\u{a0}' | '\u{202f}' | '\u{2009}' | ' ' => run <= 3 && following == 3,
            _ => false,
        };
        if !grouped {
            return end;
        }
        end += mark.len_utf8();
    }
}

fn number(fold: &str, at: usize, end: usize) -> Option<Number> {
    let before = currency_before(fold, at);
    let start = before.map_or(at, |(start, _)| start);
    let glued = fold[..start]
        .chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '#');
    if glued {
        return None;
    }
    let (suffix, suffix_end) = suffix(fold, end);
    let after = currency_after(fold, suffix_end, suffix == Suffix::Thousand);
    if suffix == Suffix::None
        && after.is_none()
        && fold[end..].starts_with(|c: char| c.is_alphabetic() || c == '%')
    {
        return None;
    }
    let raw_value = value(&fold[at..end])?;
    let factor = match suffix {
        Suffix::None => 1.0,
        Suffix::Thousand => 1e3,
        Suffix::Lakh => 1e5,
        Suffix::Big => 1e6,
    };
    let code = |c: Option<(usize, &'static str)>| c.map(|(_, code)| code);
    let plain_dollar = code(before) == Some("$");
    let (currency, dollar_only) = match (code(before), code(after)) {
        (Some("$"), Some(code)) if code != "$" => (Some(code), false),
        (Some("$"), _) => (Some("USD"), plain_dollar),
        (Some(code), _) => (Some(code), false),
        (None, Some("$")) => (Some("USD"), true),
        (None, Some(code)) => (Some(code), false),
        (None, None) => (
            if suffix == Suffix::Lakh {
                Some("INR")
            } else {
                None
            },
            false,
        ),
    };
    Some(Number {
        start,
        end: after.map_or(suffix_end, |(end, _)| end),
        value: raw_value * factor,
        suffix,
        currency,
        dollar_only,
    })
}

/// A currency that ends right before `at`, at most two blanks between: where it begins, its code.
fn currency_before(fold: &str, at: usize) -> Option<(usize, &'static str)> {
    let head = &fold[floor(fold, at.saturating_sub(16))..at];
    let trimmed = head.trim_end_matches([' ', '\u{a0}', '\u{202f}']);
    if head.len() - trimmed.len() > 4 {
        return None;
    }
    let tail_end = at - (head.len() - trimmed.len());
    let fits = |word: &str| trimmed.ends_with(word) && is_start(fold, tail_end - word.len(), word);
    let long = CURRENCIES.iter().find(|(word, _)| fits(word));
    if let Some((word, code)) = long {
        return Some((tail_end - word.len(), code));
    }
    let dollar = trimmed.strip_suffix('$')?;
    let start = tail_end - 1;
    // "CAD $80,000": the code before the sign says which dollar.
    let spaced = dollar.trim_end_matches([' ', '\u{a0}']);
    let code = CURRENCIES
        .iter()
        .skip(32)
        .find(|(word, _)| spaced.ends_with(word) && word.len() == 3);
    match code {
        Some((word, code)) => {
            let begin = start - (dollar.len() - spaced.len()) - word.len();
            Some(if is_start(fold, begin, word) {
                (begin, *code)
            } else {
                (start, "$")
            })
        }
        None => Some((start, "$")),
    }
}

/// A word of letters must not continue another word; a sign may stand anywhere.
fn is_start(fold: &str, at: usize, word: &str) -> bool {
    !word.starts_with(char::is_alphabetic)
        || !fold[..at]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric)
}

/// A currency right after `at`, at most one blank between: where it ends, its code.
fn currency_after(fold: &str, at: usize, after_suffix: bool) -> Option<(usize, &'static str)> {
    let rest = &fold[at..floor(fold, at + 14)];
    let trimmed = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}', '(']);
    let blanks = rest.len() - trimmed.len();
    if blanks > 4 {
        return None;
    }
    let begin = at + blanks;
    // "45keur": the letters of the suffix stand right before.
    let glued = after_suffix && blanks == 0;
    let fits = |word: &str| {
        trimmed.starts_with(word)
            && (is_whole(fold, begin, begin + word.len())
                || glued && !trimmed[word.len()..].starts_with(char::is_alphanumeric))
            && !followed_by_number(fold, begin + word.len(), word)
    };
    if let Some((word, code)) = CURRENCIES.iter().find(|(word, _)| fits(word)) {
        return Some((begin + word.len(), code));
    }
    (trimmed.starts_with('$') && !followed_by_number(fold, begin + 1, "$"))
        .then_some((begin + 1, "$"))
}

/// "40 € 50": the sign belongs to the number after it, when nothing stands between.
fn followed_by_number(fold: &str, at: usize, word: &str) -> bool {
    let sign = !word.starts_with(char::is_alphabetic);
    sign && fold[at..].starts_with(|c: char| c.is_ascii_digit())
}

fn suffix(fold: &str, at: usize) -> (Suffix, usize) {
    #[rustfmt::skip]
    const WORDS: [(&str, Suffix); 25] = [
        ("thousand", Suffix::Thousand), ("tausend", Suffix::Thousand), ("tsd", Suffix::Thousand), ("mil", Suffix::Thousand),
        ("lakhs", Suffix::Lakh), ("lakh", Suffix::Lakh), ("lacs", Suffix::Lakh), ("lac", Suffix::Lakh), ("lpa", Suffix::Lakh),
        ("millionen", Suffix::Big), ("millions", Suffix::Big), ("million", Suffix::Big), ("milliarden", Suffix::Big),
        ("billions", Suffix::Big), ("billion", Suffix::Big), ("trillion", Suffix::Big), ("mio", Suffix::Big), ("mrd", Suffix::Big), ("mm", Suffix::Big),
        ("mn", Suffix::Big), ("bn", Suffix::Big), ("cr", Suffix::Big), ("m", Suffix::Big), ("b", Suffix::Big), ("mds", Suffix::Big),
    ];
    let rest = &fold[at..floor(fold, at + 16)];
    let trimmed = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let begin = at + rest.len() - trimmed.len();
    let thousand =
        trimmed.starts_with('k') || trimmed.starts_with("t€") || trimmed.starts_with("teur");
    if trimmed.starts_with("teur") {
        return (Suffix::Thousand, begin + 1);
    }
    if thousand {
        let after = &fold[begin + 1..];
        let alone = !after.starts_with(char::is_alphanumeric)
            || after.starts_with("eur")
            || after.starts_with("usd");
        if alone {
            return (Suffix::Thousand, begin + 1);
        }
    }
    let word = WORDS
        .iter()
        .find(|(word, _)| trimmed.starts_with(word) && is_whole(fold, begin, begin + word.len()));
    word.map_or((Suffix::None, at), |(word, suffix)| {
        (*suffix, begin + word.len())
    })
}

/// The first amount of a price string (see [`super::money`]).
pub(crate) fn first(text: &str, hint: Option<&str>) -> Option<Money> {
    /// A price string is a line; more is not looked at.
    const PRICE_BYTES_MAX: usize = 4096;
    let text = &text[..floor(text, PRICE_BYTES_MAX)];
    let fold = fold(text);
    let (start, end, amount) = split_by_sign(&fold)
        .or_else(|| price(&fold))
        .or_else(|| free(&fold))?;
    let inside = fold[start..end].contains('€').then_some("EUR");
    let sign = inside.or_else(|| {
        currency_before(&fold, start)
            .or_else(|| currency_after(&fold, end, false))
            .map(|(_, code)| code)
    });
    let currency = match (sign, hint) {
        (Some("$"), Some(hint)) if hint.len() == 3 => Some(hint.to_owned()),
        (Some("$"), _) => Some("USD".to_owned()),
        (Some(code), _) => Some(code.to_owned()),
        (None, hint) => hint.filter(|h| h.len() == 3).map(str::to_owned),
    };
    let confidence = if sign.is_some() {
        WITH_CURRENCY
    } else {
        WITHOUT_CURRENCY
    };
    let before = currency_before(&fold, start).map_or(start, |(s, _)| s);
    let after = currency_after(&fold, end, false).map_or(end, |(e, _)| e);
    Some(Money {
        amount: Amount::from_f64(amount)?,
        currency,
        confidence,
        start: before,
        end: after,
    })
}

/// "35€ 99" and "35€99": the sign as the decimal separator.
fn split_by_sign(fold: &str) -> Option<(usize, usize, f64)> {
    let sign = fold.find('€')?;
    if fold.matches('€').count() != 1 {
        return None;
    }
    let head = fold[..sign].trim_end();
    let start = head
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |i| ceil(head, i + 1));
    let tail = &fold[sign + '€'.len_utf8()..];
    let spaced = tail.trim_start();
    let digits = spaced.bytes().take_while(u8::is_ascii_digit).count();
    let fits = if spaced.len() == tail.len() {
        (1..=2).contains(&digits)
    } else {
        digits == 2
    };
    let whole = &head[start..];
    if !fits || whole.is_empty() {
        return None;
    }
    let end = fold.len() - spaced.len() + digits;
    let amount = format!("{whole}.{}", &spaced[..digits]).parse().ok()?;
    Some((start, end, amount))
}

/// The first run of digits and separators that is no percentage.
fn price(fold: &str) -> Option<(usize, usize, f64)> {
    let mut at = 0;
    while let Some(found) = fold[at..].find(|c: char| c.is_ascii_digit()) {
        let digit = at + found;
        let point =
            fold[..digit].ends_with('.') && !fold[..digit - 1].ends_with(char::is_alphanumeric);
        let end = price_end(fold, digit);
        if fold[end..].trim_start().starts_with('%') {
            at = end;
            continue;
        }
        let start = if point { digit - 1 } else { digit };
        let token: String = fold[start..end]
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let three_decimals = ["kd", "kwd", "omr", "bhd", "jod", "tnd", "dt", "lyd"];
        let unit = fold[end..].trim_start();
        let amount = match token.rsplit_once('.') {
            Some((whole, fraction)) if fraction.len() == 3 && three_decimals.contains(&unit) => {
                format!("{}.{fraction}", whole.replace([',', '.'], ""))
                    .parse()
                    .ok()
            }
            _ if point => token.replace(',', "").parse().ok(),
            _ => value(&token),
        };
        return amount.map(|amount| (start, end, amount));
    }
    None
}

/// Like [`digits_end`], but blanks group freely ("36. 24", "120 000 000").
fn price_end(fold: &str, at: usize) -> usize {
    let mut end = at;
    for (i, c) in fold[at..].char_indices() {
        match c {
            '0'..='9' => end = at + i + 1,
            '.' | ',' | '\'' | '’' => {}
            c if c.is_whitespace() => {}
            _ => break,
        }
    }
    end
}

fn free(fold: &str) -> Option<(usize, usize, f64)> {
    let at = fold.find("free")?;
    Some((at, at + 4, 0.0))
}
