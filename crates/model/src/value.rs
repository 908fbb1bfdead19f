//! Field keys and the values they hold, with schema.org `JobPosting` as the vocabulary (SPEC B1).

use crate::time::Day;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One named fact of a posting. Stored and sent by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldKey {
    /// The job's title.
    Title,
    /// The hiring organisation.
    Company,
    /// One or several places.
    Location,
    /// `remote`, `hybrid` or `onsite`.
    Remote,
    /// schema.org employment types.
    EmploymentType,
    /// Where a remote worker may live.
    RemoteRegions,
    /// `intern` … `executive`.
    Seniority,
    /// Base pay, and apart from it bonus, equity and on-target earnings.
    Salary,
    /// Day of posting.
    PostedAt,
    /// Last day of validity.
    ValidThrough,
    /// Where to apply.
    ApplyUrl,
    /// The system that carries the posting.
    Platform,
    /// Skills asked for.
    Skills,
    /// Benefits offered.
    Benefits,
    /// The description, as text.
    Description,
    /// The analyst's own conclusion; never detected. Its note is the commit's message.
    Verdict,
    /// What became of it (`applied`, `heard_back`, `filled`, `reposted`); never detected. Each
    /// commit adds one, the history holds them all.
    Outcome,
    /// A user-defined field.
    Custom(String),
}

impl FieldKey {
    /// The detected fields in the order of the card.
    pub const DETECTED: [FieldKey; 15] = [
        FieldKey::Title,
        FieldKey::Company,
        FieldKey::Location,
        FieldKey::Remote,
        FieldKey::EmploymentType,
        FieldKey::Seniority,
        FieldKey::Salary,
        FieldKey::PostedAt,
        FieldKey::ValidThrough,
        FieldKey::ApplyUrl,
        FieldKey::Platform,
        FieldKey::Skills,
        FieldKey::Benefits,
        FieldKey::RemoteRegions,
        FieldKey::Description,
    ];

    /// The key as written in files and on wires.
    pub fn name(&self) -> &str {
        match self {
            FieldKey::Title => "title",
            FieldKey::Company => "company",
            FieldKey::Location => "location",
            FieldKey::Remote => "remote",
            FieldKey::EmploymentType => "employment_type",
            FieldKey::RemoteRegions => "remote_regions",
            FieldKey::Seniority => "seniority",
            FieldKey::Salary => "salary",
            FieldKey::PostedAt => "posted_at",
            FieldKey::ValidThrough => "valid_through",
            FieldKey::ApplyUrl => "apply_url",
            FieldKey::Platform => "platform",
            FieldKey::Skills => "skills",
            FieldKey::Benefits => "benefits",
            FieldKey::Description => "description",
            FieldKey::Verdict => "verdict",
            FieldKey::Outcome => "outcome",
            FieldKey::Custom(name) => name,
        }
    }

    /// The label a reader sees.
    pub fn label(&self) -> &str {
        match self {
            FieldKey::Title => "Title",
            FieldKey::Company => "Company",
            FieldKey::Location => "Location",
            FieldKey::Remote => "Remote",
            FieldKey::EmploymentType => "Employment",
            FieldKey::RemoteRegions => "Remote from",
            FieldKey::Seniority => "Seniority",
            FieldKey::Salary => "Salary",
            FieldKey::PostedAt => "Posted",
            FieldKey::ValidThrough => "Valid through",
            FieldKey::ApplyUrl => "Apply at",
            FieldKey::Platform => "Platform",
            FieldKey::Skills => "Skills",
            FieldKey::Benefits => "Benefits",
            FieldKey::Description => "Description",
            FieldKey::Verdict => "Verdict",
            FieldKey::Outcome => "Outcome",
            FieldKey::Custom(name) => name,
        }
    }
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<&str> for FieldKey {
    fn from(name: &str) -> Self {
        FieldKey::DETECTED
            .into_iter()
            .chain([FieldKey::Verdict, FieldKey::Outcome])
            .find(|key| key.name() == name)
            .unwrap_or_else(|| FieldKey::Custom(name.to_owned()))
    }
}

impl Serialize for FieldKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for FieldKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(FieldKey::from(String::deserialize(d)?.as_str()))
    }
}

/// A field's value. Stored and sent with its kind as the tag; [`FieldValue::to_json`] gives the
/// untagged form of the command-line contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// A line or a long text.
    Text(String),
    /// One word of a closed list (remote, seniority, verdict).
    Choice(String),
    /// Several words or lines (employment types, skills, benefits, regions).
    List(Vec<String>),
    /// Places.
    Places(Vec<Place>),
    /// Pay.
    Salary(Salary),
    /// A calendar day.
    Date(Day),
    /// An absolute URL.
    Url(String),
    /// A number, for user-defined fields.
    Number(Amount),
}

impl FieldValue {
    /// The value as the command line prints it: a string, a list, or an object.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            FieldValue::Text(s) | FieldValue::Choice(s) | FieldValue::Url(s) => json!(s),
            FieldValue::List(items) => json!(items),
            FieldValue::Places(places) => json!(places),
            FieldValue::Salary(salary) => salary.to_json(),
            FieldValue::Date(day) => json!(day),
            FieldValue::Number(n) => n.to_json(),
        }
    }

    /// Lower-cased text without punctuation or repeated blanks: two values that normalise alike
    /// say the same thing.
    pub fn normalised(&self) -> String {
        fn squash(text: &str) -> String {
            let lower = text.to_lowercase();
            let words = lower.split(|c: char| !c.is_alphanumeric() && c != '+' && c != '#');
            words
                .filter(|w| !w.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        }
        fn sorted(mut items: Vec<String>) -> String {
            items.sort();
            items.dedup();
            items.join("|")
        }
        match self {
            FieldValue::Text(s) | FieldValue::Choice(s) => squash(s),
            FieldValue::Url(s) => s.trim_end_matches('/').to_owned(),
            FieldValue::List(items) => sorted(items.iter().map(|i| squash(i)).collect()),
            FieldValue::Places(places) => {
                sorted(places.iter().map(|p| squash(&p.name())).collect())
            }
            FieldValue::Salary(s) => s.normalised(),
            FieldValue::Date(day) => day.to_string(),
            FieldValue::Number(n) => n.to_string(),
        }
    }

    /// One line for lists, logs and terminals.
    pub fn display(&self) -> String {
        match self {
            FieldValue::Text(s) | FieldValue::Choice(s) | FieldValue::Url(s) => s.clone(),
            FieldValue::List(items) => items.join(", "),
            FieldValue::Places(places) => places
                .iter()
                .map(Place::name)
                .collect::<Vec<_>>()
                .join("; "),
            FieldValue::Salary(salary) => salary.display(),
            FieldValue::Date(day) => day.to_string(),
            FieldValue::Number(n) => n.to_string(),
        }
    }
}

/// A place: parts where known, and the words it came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    /// City or town.
    pub city: Option<String>,
    /// State, province, Land, county.
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The words as written.
    pub text: String,
}

impl Place {
    /// `City, Region, CC` from the parts that are known, else the words.
    pub fn name(&self) -> String {
        let parts: Vec<&str> = [&self.city, &self.region, &self.country]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if parts.is_empty() {
            self.text.clone()
        } else {
            parts.join(", ")
        }
    }
}

/// Money or a plain number in ten-thousandths, so that no float enters a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(i64);

impl Amount {
    const PER_UNIT: i64 = 10_000;

    /// A whole number of units; `None` beyond ±9.2 × 10¹⁴.
    pub fn from_units(units: i64) -> Option<Self> {
        units.checked_mul(Self::PER_UNIT).map(Self)
    }

    /// The nearest amount to `value`; `None` if it is not finite or too large.
    pub fn from_f64(value: f64) -> Option<Self> {
        let scaled = (value * Self::PER_UNIT as f64).round();
        (scaled.is_finite() && scaled.abs() < 9.0e18).then_some(Self(scaled as i64))
    }

    /// The amount in ten-thousandths.
    pub fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// From ten-thousandths.
    pub fn from_ten_thousandths(n: i64) -> Self {
        Self(n)
    }

    /// For arithmetic that ends on screen.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::PER_UNIT as f64
    }

    /// An integer where it is one, else a decimal.
    pub fn to_json(self) -> serde_json::Value {
        if self.0 % Self::PER_UNIT == 0 {
            serde_json::json!(self.0 / Self::PER_UNIT)
        } else {
            serde_json::json!(self.to_f64())
        }
    }

    /// With blanks between thousands (ISO 31-0), as the card shows it.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (sign, plain) = plain
            .strip_prefix('-')
            .map_or(("", plain.as_str()), |p| ("-", p));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let mut grouped = String::from(sign);
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                grouped.push('\u{202f}');
            }
            grouped.push(digit);
        }
        if !fraction.is_empty() {
            grouped.push('.');
            grouped.push_str(fraction);
        }
        grouped
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let n = self.0.unsigned_abs();
        let (whole, rest) = (n / Self::PER_UNIT as u64, n % Self::PER_UNIT as u64);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{rest:04}");
        let fraction = fraction.trim_end_matches('0');
        write!(f, "{sign}{whole}.{fraction:0<2}")
    }
}

impl FromStr for Amount {
    type Err = std::num::ParseFloatError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from_f64(text.parse()?).unwrap_or_default())
    }
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            self.to_json().serialize(s)
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let value = f64::deserialize(d)?;
            Amount::from_f64(value).ok_or_else(|| serde::de::Error::custom("amount out of range"))
        } else {
            i64::deserialize(d).map(Self)
        }
    }
}

/// What an amount of pay is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Per hour.
    Hour,
    /// Per day.
    Day,
    /// Per week.
    Week,
    /// Per month.
    Month,
    /// Per year.
    Year,
}

impl Period {
    /// The word used in files and on screen.
    pub fn word(self) -> &'static str {
        match self {
            Period::Hour => "hour",
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
            Period::Year => "year",
        }
    }
}

/// Pay as stated. Base pay stands in `min` and `max`; the rest stands apart from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Salary {
    /// Lower end, or the only amount.
    pub min: Option<Amount>,
    /// Upper end, or the only amount.
    pub max: Option<Amount>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// What the amounts are paid for.
    pub period: Option<Period>,
    /// Bonus, in the words of the posting.
    pub bonus: Option<String>,
    /// Equity, in the words of the posting.
    pub equity: Option<String>,
    /// On-target earnings, in the words of the posting.
    pub on_target: Option<String>,
}

impl Salary {
    /// `{min, max, currency, period}` and, where stated, `bonus`, `equity`, `on_target`.
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::json!({
            "min": self.min.map(Amount::to_json),
            "max": self.max.map(Amount::to_json),
            "currency": self.currency,
            "period": self.period.map(Period::word),
        });
        for (key, text) in [
            ("bonus", &self.bonus),
            ("equity", &self.equity),
            ("on_target", &self.on_target),
        ] {
            if let Some(text) = text {
                object[key] = serde_json::json!(text);
            }
        }
        object
    }

    /// `48 000–55 000 EUR / year`.
    pub fn display(&self) -> String {
        let amounts = match (self.min, self.max) {
            (Some(min), Some(max)) if min != max => format!("{}–{}", min.grouped(), max.grouped()),
            (Some(amount), Some(_)) => amount.grouped(),
            (Some(min), None) => format!("from {}", min.grouped()),
            (None, Some(max)) => format!("up to {}", max.grouped()),
            (None, None) => "not stated".to_owned(),
        };
        let currency = self
            .currency
            .as_ref()
            .map(|c| format!(" {c}"))
            .unwrap_or_default();
        let period = self
            .period
            .map(|p| format!(" / {}", p.word()))
            .unwrap_or_default();
        format!("{amounts}{currency}{period}")
    }

    fn normalised(&self) -> String {
        let amount = |a: Option<Amount>| a.map(|a| a.to_string()).unwrap_or_default();
        format!(
            "{}-{} {} {}",
            amount(self.min.or(self.max)),
            amount(self.max.or(self.min)),
            self.currency.as_deref().unwrap_or(""),
            self.period.map_or("", Period::word)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_exactly() {
        for (value, plain, grouped) in [
            (48_000.0, "48000", "48\u{202f}000"),
            (17.5, "17.50", "17.50"),
            (-1234.125, "-1234.125", "-1\u{202f}234.125"),
            (0.0, "0", "0"),
        ] {
            let amount = Amount::from_f64(value).unwrap();
            assert_eq!(amount.to_string(), plain);
            assert_eq!(amount.grouped(), grouped);
            let json = serde_json::to_string(&amount).unwrap();
            assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), amount);
        }
        assert_eq!(Amount::from_f64(f64::NAN), None);
        assert_eq!(Amount::from_f64(1e300), None);
        assert_eq!(Amount::from_units(i64::MAX), None);
    }

    #[test]
    fn keys_keep_their_names() {
        for key in FieldKey::DETECTED {
            assert_eq!(FieldKey::from(key.name()), key);
        }
        assert_eq!(FieldKey::from("team"), FieldKey::Custom("team".into()));
    }

    #[test]
    fn values_that_say_the_same_normalise_alike() {
        let text = |s: &str| FieldValue::Text(s.into()).normalised();
        assert_eq!(
            text("Data  Engineer (m/w/d)"),
            text("data engineer - M/W/D")
        );
        assert_ne!(text("C++ developer"), text("C developer"));
        let list = |items: &[&str]| {
            FieldValue::List(items.iter().map(|s| (*s).into()).collect()).normalised()
        };
        assert_eq!(list(&["SQL", "dbt"]), list(&["dbt", "sql", "SQL"]));
    }
}
