//! Pay: amounts, currency and period in one line, and apart from it bonus, equity and on-target
//! earnings: `48000–55000 EUR / year; bonus: 10 %; equity: 0.1 %; on target: 70000`.

use super::{TypedError, line, number, plausible, short};
use crate::{
    rules::RuleError,
    value::{Amount, Period, Salary},
};

const EXAMPLE: &str = "48000–55000 EUR / year";

/// Signs and words of currencies; a bare `$` is taken for the dollar of the USA.
const SIGNS: [(&str, &str); 10] = [
    ("US$", "USD"),
    ("C$", "CAD"),
    ("A$", "AUD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("$", "USD"),
    ("₹", "INR"),
    ("¥", "JPY"),
    ("zł", "PLN"),
    ("euro", "EUR"),
];

/// Words of periods; those with blanks come first.
const PERIODS: [(&str, Period); 28] = [
    ("p.a.", Period::Year),
    ("p. a.", Period::Year),
    ("p.m.", Period::Month),
    ("annually", Period::Year),
    ("annual", Period::Year),
    ("yearly", Period::Year),
    ("annum", Period::Year),
    ("years", Period::Year),
    ("year", Period::Year),
    ("yr", Period::Year),
    ("monthly", Period::Month),
    ("months", Period::Month),
    ("month", Period::Month),
    ("mo", Period::Month),
    ("weekly", Period::Week),
    ("weeks", Period::Week),
    ("week", Period::Week),
    ("wk", Period::Week),
    ("daily", Period::Day),
    ("days", Period::Day),
    ("day", Period::Day),
    ("hourly", Period::Hour),
    ("hours", Period::Hour),
    ("hour", Period::Hour),
    ("hr", Period::Hour),
    ("h", Period::Hour),
    ("y", Period::Year),
    ("a", Period::Year),
];

/// Pay as typed.
pub(super) fn read(text: &str) -> Result<Salary, TypedError> {
    let mut parts = text.split([';', '\n']);
    let mut salary = base(parts.next().unwrap_or_default())?;
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        let extra = part
            .split_once(':')
            .map(|(name, said)| (name.trim().to_lowercase(), said));
        let target = match extra.as_ref().map(|(name, _)| name.as_str()) {
            Some("bonus") => &mut salary.bonus,
            Some("equity") => &mut salary.equity,
            Some("on target" | "on-target" | "ote") => &mut salary.on_target,
            _ => return Err(not_understood(part, "bonus: 10 %")),
        };
        let said = line(extra.map(|(_, said)| said).unwrap_or_default())?;
        if said.is_empty() {
            return Err(not_understood(part, "bonus: 10 %"));
        }
        *target = Some(said);
    }
    Ok(salary)
}

/// What is read so far of the base pay.
#[derive(Default)]
struct Base {
    amounts: Vec<(Amount, bool)>,
    from: bool,
    up_to: bool,
    range: bool,
    currency: Option<String>,
    period: Option<Period>,
}

fn base(text: &str) -> Result<Salary, TypedError> {
    let mut read = Base::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        rest = read.take(rest)?.trim_start();
    }
    read.salary(text)
}

impl Base {
    /// Takes one thing from the start of `text` and gives what is behind it.
    fn take<'a>(&mut self, text: &'a str) -> Result<&'a str, TypedError> {
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return self.amount(text);
        }
        if let Some(rest) = text.strip_prefix(['-', '–', '—', '−']) {
            if self.amounts.is_empty() {
                return Err(RuleError::SalaryNegative.into());
            }
            self.range = true;
            return Ok(rest);
        }
        if let Some(rest) = text.strip_prefix(['/', '~']) {
            return Ok(rest);
        }
        let lower = text.to_lowercase();
        // A letter whose lower case is longer or shorter would move what is behind it.
        if lower.len() == text.len() {
            for (words, period) in &PERIODS[..3] {
                if lower.starts_with(words) {
                    return self.period(*period, text, words.len());
                }
            }
        }
        for (sign, code) in SIGNS {
            if let Some(rest) = text.strip_prefix(sign)
                && !(sign == "euro" && rest.starts_with(char::is_alphabetic))
            {
                return self.currency(code, text, rest);
            }
        }
        let end = text
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.word(word, text, rest)
    }

    fn word<'a>(
        &mut self,
        word: &str,
        text: &'a str,
        rest: &'a str,
    ) -> Result<&'a str, TypedError> {
        let lower = word.to_lowercase();
        match lower.as_str() {
            "per" | "an" | "each" | "about" | "circa" => return Ok(rest),
            // "a year" and "/ a".
            "a" if !rest.trim().is_empty() && self.period.is_none() => return Ok(rest),
            "from" | "min" | "at" | "least" if self.amounts.is_empty() => {
                self.from = true;
                return Ok(rest);
            }
            "up" | "max" | "until" => {
                self.up_to = true;
                return Ok(rest);
            }
            "to" => {
                self.range = !self.up_to;
                return Ok(rest);
            }
            "euros" => return self.currency("EUR", text, rest),
            _ => {}
        }
        if let Some((_, period)) = PERIODS.iter().find(|(known, _)| *known == lower) {
            return self.period(*period, text, word.len());
        }
        let code = word.to_uppercase();
        if plausible::is_currency(&code) {
            return self.currency(&code, text, rest);
        }
        // Three capitals are meant as a code.
        match word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase()) {
            true => Err(TypedError::Currency(code)),
            false => Err(not_understood(text, EXAMPLE)),
        }
    }

    fn amount<'a>(&mut self, text: &'a str) -> Result<&'a str, TypedError> {
        let fail = || TypedError::Number(short(text));
        let (amount, rest) = number::scan(text).ok_or_else(fail)?;
        let thousands = rest.strip_prefix(['k', 'K']);
        let thousands = thousands.filter(|rest| !rest.starts_with(char::is_alphabetic));
        let amount = match thousands {
            Some(_) => times_thousand(amount).ok_or_else(fail)?,
            None => amount,
        };
        let follows = self.amounts.is_empty() || (self.amounts.len() == 1 && self.range);
        if !follows {
            return Err(not_understood(text, EXAMPLE));
        }
        self.amounts.push((amount, thousands.is_some()));
        Ok(thousands.unwrap_or(rest))
    }

    fn currency<'a>(
        &mut self,
        code: &str,
        text: &str,
        rest: &'a str,
    ) -> Result<&'a str, TypedError> {
        match &self.currency {
            Some(other) if other != code => Err(not_understood(text, EXAMPLE)),
            _ => {
                self.currency = Some(code.to_owned());
                Ok(rest)
            }
        }
    }

    fn period<'a>(
        &mut self,
        period: Period,
        text: &'a str,
        len: usize,
    ) -> Result<&'a str, TypedError> {
        match self.period {
            Some(other) if other != period => Err(not_understood(text, EXAMPLE)),
            _ => {
                self.period = Some(period);
                Ok(&text[len..])
            }
        }
    }

    fn salary(self, text: &str) -> Result<Salary, TypedError> {
        let (min, max) = match self.amounts[..] {
            [] => return Err(not_understood(text, EXAMPLE)),
            [(only, _)] if self.range => {
                return Err(not_understood(
                    text,
                    if only == Amount::default() {
                        EXAMPLE
                    } else {
                        "from 48000 EUR / year"
                    },
                ));
            }
            [(only, _)] if self.from => (Some(only), None),
            [(only, _)] if self.up_to => (None, Some(only)),
            [(only, _)] => (Some(only), Some(only)),
            [(min, false), (max, true)] if min < max && is_short(min) => {
                // 48–55k
                (times_thousand(min), Some(max))
            }
            [(min, _), (max, _), ..] => (Some(min), Some(max)),
        };
        Ok(Salary {
            min,
            max,
            currency: self.currency,
            period: self.period,
            ..Salary::default()
        })
    }
}

fn times_thousand(amount: Amount) -> Option<Amount> {
    let n = amount.ten_thousandths().checked_mul(1_000)?;
    Some(Amount::from_ten_thousandths(n))
}

/// Below a thousand.
fn is_short(amount: Amount) -> bool {
    Amount::from_units(1_000).is_some_and(|thousand| amount < thousand)
}

fn not_understood(part: &str, example: &'static str) -> TypedError {
    TypedError::NotUnderstood {
        part: short(part.trim()),
        example,
    }
}

/// As [`read`] takes it.
pub(super) fn text_of(salary: &Salary) -> String {
    let amounts = match (salary.min, salary.max) {
        (Some(min), Some(max)) if min == max => number::text_of(min),
        (Some(min), Some(max)) => format!("{}–{}", number::text_of(min), number::text_of(max)),
        (Some(min), None) => format!("from {}", number::text_of(min)),
        (None, Some(max)) => format!("up to {}", number::text_of(max)),
        (None, None) => String::new(),
    };
    let mut text = amounts;
    if let Some(currency) = &salary.currency {
        text = format!("{text} {currency}");
    }
    if let Some(period) = salary.period {
        text = format!("{text} / {}", period.word());
    }
    for (name, said) in [
        ("bonus", &salary.bonus),
        ("equity", &salary.equity),
        ("on target", &salary.on_target),
    ] {
        if let Some(said) = said {
            text = format!("{text}; {name}: {}", said.replace([';', '\n'], ","));
        }
    }
    text
}
