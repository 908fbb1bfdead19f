//! Known currencies, and what pay is usual in some of them.

use super::Warning;
use crate::value::{Amount, Period, Salary};

/// The codes of ISO 4217 for money in use (list one; no metals, no test codes), with a blank between.
pub const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
    BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF \
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL \
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG \
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS \
    UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// Pay for a year of full time that is usual, in whole units: from an eighth of a low full-time wage
/// (part time, internships) to what only few are paid. Rough by design: it is to catch a wrong period
/// or a nought too many, and a warning can always be overridden. Levels: OECD, *Average annual wages*
/// and *Real minimum wages*; ILOSTAT where the OECD has none.
const YEARLY: [(&str, i64, i64); 44] = [
    ("AED", 15_000, 6_000_000),
    ("ARS", 1_000_000, 2_000_000_000),
    ("AUD", 6_000, 3_000_000),
    ("BGN", 3_000, 1_500_000),
    ("BRL", 5_000, 5_000_000),
    ("CAD", 5_000, 3_000_000),
    ("CHF", 6_000, 3_000_000),
    ("CLP", 1_500_000, 1_500_000_000),
    ("CNY", 8_000, 15_000_000),
    ("COP", 4_000_000, 4_000_000_000),
    ("CZK", 50_000, 25_000_000),
    ("DKK", 40_000, 15_000_000),
    ("EGP", 15_000, 30_000_000),
    ("EUR", 4_000, 2_000_000),
    ("GBP", 4_000, 2_000_000),
    ("HKD", 25_000, 20_000_000),
    ("HUF", 700_000, 500_000_000),
    ("IDR", 10_000_000, 15_000_000_000),
    ("ILS", 15_000, 6_000_000),
    ("INR", 60_000, 100_000_000),
    ("ISK", 1_000_000, 200_000_000),
    ("JPY", 500_000, 200_000_000),
    ("KES", 60_000, 60_000_000),
    ("KRW", 5_000_000, 2_500_000_000),
    ("MXN", 20_000, 30_000_000),
    ("MYR", 6_000, 6_000_000),
    ("NGN", 150_000, 600_000_000),
    ("NOK", 50_000, 15_000_000),
    ("NZD", 6_000, 2_500_000),
    ("PHP", 40_000, 60_000_000),
    ("PKR", 120_000, 200_000_000),
    ("PLN", 10_000, 5_000_000),
    ("RON", 8_000, 5_000_000),
    ("SAR", 12_000, 6_000_000),
    ("SEK", 50_000, 15_000_000),
    ("SGD", 5_000, 3_000_000),
    ("THB", 30_000, 40_000_000),
    ("TRY", 60_000, 80_000_000),
    ("TWD", 80_000, 50_000_000),
    ("UAH", 25_000, 40_000_000),
    ("USD", 4_000, 3_000_000),
    ("UYU", 60_000, 60_000_000),
    ("VND", 20_000_000, 20_000_000_000),
    ("ZAR", 12_000, 20_000_000),
];

/// Whether `code` is one of [`CURRENCIES`].
pub(super) fn is_currency(code: &str) -> bool {
    CURRENCIES.split_whitespace().any(|known| known == code)
}

/// What a full-time year has of a period: 2,080 hours, 260 days, 52 weeks.
fn of_year(period: Period) -> i64 {
    match period {
        Period::Hour => 2_080,
        Period::Day => 260,
        Period::Week => 52,
        Period::Month => 12,
        Period::Year => 1,
    }
}

/// Amounts outside of the table; without currency or period nothing is said.
pub(super) fn look(salary: &Salary) -> Vec<Warning> {
    let (Some(currency), Some(period)) = (&salary.currency, salary.period) else {
        return Vec::new();
    };
    let Some((_, low, high)) = YEARLY.iter().find(|(code, ..)| code == currency) else {
        return Vec::new();
    };
    // An hour's pay is never for a part of an hour: its low end is that of full time.
    let part = if period == Period::Year || period == Period::Month {
        1
    } else {
        4
    };
    let n = of_year(period);
    let (low, high) = ((low * part / n).max(1), high / n);
    let name = |units: i64| Amount::from_units(units).unwrap_or_default().grouped();
    let usual = format!(
        "{}–{} {currency} / {}",
        name(low),
        name(high),
        period.word()
    );
    let mut amounts: Vec<Amount> = salary.min.into_iter().chain(salary.max).collect();
    amounts.dedup();
    amounts
        .into_iter()
        .filter_map(|amount| {
            let below = amount < Amount::from_units(low)?;
            let above = amount > Amount::from_units(high)?;
            (below || above).then(|| Warning::Pay {
                amount: format!("{} {currency} / {}", amount.grouped(), period.word()),
                below,
                usual: usual.clone(),
            })
        })
        .collect()
}
