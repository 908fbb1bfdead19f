//! What is typed becomes which value, and what is refused with which words.

use super::*;
use crate::value::{Amount, Period, Place, Salary};
use proptest::prelude::*;

fn typed(field: FieldKey, text: &str) -> Result<FieldValue, String> {
    read(&field, None, text).map_err(|e| e.to_string())
}

/// `min–max currency / period`, `-` where there is none.
fn pay(text: &str) -> String {
    match typed(FieldKey::Salary, text) {
        Ok(FieldValue::Salary(s)) => {
            let amount = |a: Option<Amount>| a.map_or("-".into(), |a| a.to_string());
            format!(
                "{} {} {} {}",
                amount(s.min),
                amount(s.max),
                s.currency.as_deref().unwrap_or("-"),
                s.period.map_or("-", Period::word)
            )
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => error,
    }
}

#[test]
fn pay_is_read_as_people_write_it() {
    for (text, want) in [
        ("48000–55000 EUR / year", "48000 55000 EUR year"),
        ("48 000 - 55 000 eur per year", "48000 55000 EUR year"),
        ("€48k–€55k a year", "48000 55000 EUR year"),
        ("48-55k EUR", "48000 55000 EUR -"),
        ("$25/hour", "25 25 USD hour"),
        ("25,50 EUR per hour", "25.50 25.50 EUR hour"),
        ("48.000,50 €", "48000.50 48000.50 EUR -"),
        ("1,234,567 USD p.a.", "1234567 1234567 USD year"),
        ("from 48'000 CHF yearly", "48000 - CHF year"),
        ("up to 60k GBP annually", "- 60000 GBP year"),
        ("from 3000 to 4000 zł monthly", "3000 4000 PLN month"),
        ("USD 3000 to USD 4000 / mo", "3000 4000 USD month"),
        ("17.125 EUR / h", "17125 17125 EUR hour"),
        ("17.1250 EUR / h", "17.125 17.125 EUR hour"),
        ("C$ 90k", "90000 90000 CAD -"),
        ("0", "0 0 - -"),
    ] {
        assert_eq!(pay(text), want, "{text}");
    }
    let extras = "48000 EUR / year; Bonus: 10 %, twice ; on-target: 70k\nequity: 0.1 %";
    let Ok(FieldValue::Salary(salary)) = typed(FieldKey::Salary, extras) else {
        panic!("{extras}");
    };
    assert_eq!(salary.bonus.as_deref(), Some("10 %, twice"));
    assert_eq!(salary.on_target.as_deref(), Some("70k"));
    assert_eq!(salary.equity.as_deref(), Some("0.1 %"));
}

#[test]
fn pay_that_cannot_stand_says_why_in_a_sentence() {
    for (text, words) in [
        ("", "empty"),
        ("   ", "empty"),
        ("-5 EUR", "negative"),
        ("60000–50000 EUR", "above the upper amount"),
        ("48000 XYZ", "XYZ is not a known currency"),
        ("48000 EUR USD", "not understood"),
        ("competitive", "\"competitive\" is not understood"),
        ("EUR / year", "not understood"),
        ("48000 55000 EUR", "not understood"),
        ("48000–", "not understood"),
        ("1 2 3 4", "not understood"),
        ("99999999999999999999 EUR", "too large"),
        ("48000 EUR; bonus", "bonus: 10 %"),
        ("48000 EUR; pension: yes", "bonus: 10 %"),
        ("48000 EUR / year / month", "not understood"),
    ] {
        let said = pay(text);
        assert!(said.contains(words), "{text}: {said}");
        assert!(said.ends_with('.'), "{text}: {said}");
    }
}

#[test]
fn days_are_read_where_there_is_one_reading() {
    for (text, want) in [
        ("2026-03-05", "2026-03-05"),
        (" 5.3.2026 ", "2026-03-05"),
        ("5 March 2026", "2026-03-05"),
        ("Mar 5, 2026", "2026-03-05"),
        ("25/03/2026", "2026-03-25"),
        ("03/25/2026", "2026-03-25"),
        ("4/4/2026", "2026-04-04"),
    ] {
        let day = typed(FieldKey::PostedAt, text).map(|value| text_of(&value));
        assert_eq!(day.as_deref(), Ok(want), "{text}");
    }
    for (text, words) in [
        ("03/05/2026", "two ways; write 2026-05-03 or 2026-03-05"),
        ("2026-02-30", "not a day"),
        ("soon", "not a day"),
        ("5.3.26", "not a day"),
        ("5 Ma 2026", "not a day"),
        ("99999-1-1", "not a day"),
    ] {
        let said = typed(FieldKey::PostedAt, text).unwrap_err();
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn places_name_their_parts() {
    for (text, want) in [
        ("Lyon, France", "Lyon, FR"),
        ("Lyon", "Lyon"),
        ("germany", "DE"),
        ("Austin, Texas, USA", "Austin, Texas, US"),
        ("Austin, Texas", "Austin, Texas"),
        (", Bavaria, DE", ", Bavaria, DE"),
        ("Lyon, FR; Paris, FR\nLyon, FR", "Lyon, FR; Paris, FR"),
        ("San Francisco, CA, ", "San Francisco, CA, "),
    ] {
        let places = typed(FieldKey::Location, text).map(|value| text_of(&value));
        assert_eq!(places.as_deref(), Ok(want), "{text}");
    }
    for (text, words) in [
        (
            "Lyon, Rhône, Atlantis",
            "\"Atlantis\" is not a known country",
        ),
        ("a, b, c, d", "not understood"),
        (",", "not understood"),
        (";", "empty"),
    ] {
        let said = typed(FieldKey::Location, text).unwrap_err();
        assert!(said.contains(words), "{text}: {said}");
    }
    let unknown = FieldValue::Places(vec![Place {
        country: Some("XX".into()),
        ..Place::default()
    }]);
    assert!(check(&FieldKey::Location, &unknown).is_err());
}

#[test]
fn words_and_lists_are_read() {
    for (field, text, want) in [
        (FieldKey::Remote, "On-Site", "onsite"),
        (FieldKey::Seniority, " VP ", "vp"),
        (
            FieldKey::EmploymentType,
            "full time, Contractor, full-time",
            "FULL_TIME, CONTRACTOR",
        ),
        (FieldKey::Skills, "SQL; dbt,\nsql", "SQL, dbt"),
        (
            FieldKey::Benefits,
            "\"Health, dental\", Pension",
            "\"Health, dental\", Pension",
        ),
        (FieldKey::Benefits, "\"a \"\"b\"\"\"", "a \"b\""),
        (
            FieldKey::Title,
            "  Senior\n Lamplighter ",
            "Senior Lamplighter",
        ),
        (
            FieldKey::ApplyUrl,
            " https://jobs.example/7 ",
            "https://jobs.example/7",
        ),
        (FieldKey::Custom("team".into()), "Light", "Light"),
    ] {
        let value = typed(field.clone(), text).map(|value| text_of(&value));
        assert_eq!(value.as_deref(), Ok(want), "{field} {text}");
    }
    for (field, text, words) in [
        (
            FieldKey::Remote,
            "somewhere",
            "is not one of: remote, hybrid, onsite",
        ),
        (
            FieldKey::EmploymentType,
            "full time, gig",
            "\"gig\" is not one of",
        ),
        (FieldKey::Skills, "\"SQL", "has no partner"),
        (FieldKey::Skills, ",;", "empty"),
        (
            FieldKey::ApplyUrl,
            "jobs.example/7",
            "begins with http:// or https://",
        ),
    ] {
        let said = typed(field.clone(), text).unwrap_err();
        assert!(said.contains(words), "{field} {text}: {said}");
    }
    let long = "x".repeat(LINE_CHARS_MAX + 1);
    assert!(
        typed(FieldKey::Title, &long)
            .unwrap_err()
            .contains("longer than 1000")
    );
    let many = "x1,".repeat(3) + &(0..=ITEMS_MAX).map(|n| format!("{n},")).collect::<String>();
    assert!(
        typed(FieldKey::Skills, &many)
            .unwrap_err()
            .contains("longer than 200 items")
    );
    let huge = "x".repeat(TEXT_BYTES_MAX + 1);
    assert!(typed(FieldKey::Description, &huge).is_err());
}

#[test]
fn a_user_defined_field_keeps_its_kind() {
    let field = FieldKey::Custom("head count".into());
    let number = FieldValue::Number(Amount::from_units(-3).unwrap());
    assert_eq!(text_of(&number), "-3");
    let read = |text| read(&field, Some(&number), text);
    assert_eq!(read("-3").unwrap(), number);
    assert_eq!(
        read("1 200,5").unwrap(),
        FieldValue::Number(Amount::from_f64(1200.5).unwrap())
    );
    assert!(read("three").is_err());
    let url = FieldValue::Url("https://a.example".into());
    assert!(super::read(&field, Some(&url), "ftp://a.example").is_err());
    for name in ["", " x", "a\nb", &"x".repeat(NAME_CHARS_MAX + 1)] {
        let said = typed(FieldKey::Custom(name.into()), "x").unwrap_err();
        assert!(said.contains("cannot be a field's name"), "{name}: {said}");
    }
}

#[test]
fn warnings_are_for_what_may_be_right_all_the_same() {
    let of = |text: &str| {
        let value = typed(FieldKey::Salary, text).unwrap();
        warnings(&FieldKey::Salary, &value, Beside::default()).len()
    };
    for (text, count) in [
        ("48000–55000 EUR / year", 0),
        ("4000 EUR / month", 0),
        ("25 EUR / hour", 0),
        ("400 EUR / day", 0),
        ("48000 EUR / hour", 1),
        ("25–30 EUR / year", 2),
        ("48000 EUR", 0),
        ("48000 / year", 0),
        ("1 XPF / year", 0),
    ] {
        assert_eq!(of(text), count, "{text}");
    }
    let value = typed(FieldKey::Salary, "48000 EUR / hour").unwrap();
    let said = warnings(&FieldKey::Salary, &value, Beside::default())[0].to_string();
    assert!(
        said.contains("above what is usual (7–961 EUR / hour)"),
        "{said}"
    );

    let day = |text| Day::parse_prefix(text);
    let beside = Beside {
        posted_at: day("2026-03-05"),
        valid_through: day("2026-04-05"),
    };
    let warned = |field: FieldKey, text: &str| {
        let value = typed(field.clone(), text).unwrap();
        warnings(&field, &value, beside).len()
    };
    assert_eq!(warned(FieldKey::PostedAt, "2026-04-06"), 1);
    assert_eq!(warned(FieldKey::PostedAt, "2026-04-05"), 0);
    assert_eq!(warned(FieldKey::ValidThrough, "2026-03-04"), 1);
    assert_eq!(warned(FieldKey::ValidThrough, "2027-01-01"), 0);
    assert_eq!(warned(FieldKey::Location, "San Francisco, CA"), 1);
    assert_eq!(warned(FieldKey::Location, "San Francisco, CA, US"), 0);
    assert_eq!(warned(FieldKey::Location, "Berlin, DE"), 0);
}

/// Text as people might type it: signs that mean something, and others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ,;\"'./:€$–-]{0,40}",
        "\\PC{0,40}",
        "(from |up to )?[0-9]{1,7}([.,][0-9]{1,4})?k?(-[0-9]{1,6}k?)? ?(EUR|usd|€)?( ?/ ?(year|h|month))?",
        "([A-Z][a-z]{2,8}(, )?){1,3}",
        "[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}",
    ]
}

fn salary() -> impl Strategy<Value = Salary> {
    let amount = (0i64..10_000_000_000_000).prop_map(Amount::from_ten_thousandths);
    let code = prop::sample::select(CURRENCIES.split_whitespace().collect::<Vec<_>>());
    let period = prop::sample::select(vec![
        Period::Hour,
        Period::Day,
        Period::Week,
        Period::Month,
        Period::Year,
    ]);
    let words = prop::option::of("[a-z0-9%]{1,6}( [a-z0-9%:,]{1,6})?");
    let amounts = (amount.clone(), amount, 0..4u8);
    let rest = (
        prop::option::of(code),
        prop::option::of(period),
        [words.clone(), words.clone(), words],
    );
    (amounts, rest).prop_map(
        |((a, b, which), (currency, period, [bonus, equity, on_target]))| {
            let (low, high) = (a.min(b), a.max(b));
            let (min, max) = match which {
                0 => (Some(low), None),
                1 => (None, Some(high)),
                2 => (Some(low), Some(low)),
                _ => (Some(low), Some(high)),
            };
            Salary {
                min,
                max,
                currency: currency.map(str::to_owned),
                period,
                bonus,
                equity,
                on_target,
            }
        },
    )
}

proptest! {
    /// Whatever is typed, there is an answer; and what is understood stays the same when the editor
    /// opens again.
    #[test]
    fn reading_what_was_read_changes_nothing(text in text(), n in 0..17usize) {
        let mut fields: Vec<FieldKey> = FieldKey::DETECTED.into();
        fields.extend([FieldKey::Verdict, FieldKey::Custom("team".into())]);
        let field = &fields[n];
        match read(field, None, &text) {
            Ok(value) => {
                let again = text_of(&value);
                prop_assert_eq!(read(field, Some(&value), &again), Ok(value), "{}", again);
            }
            Err(error) => prop_assert!(error.to_string().ends_with('.'), "{}", error),
        }
    }

    #[test]
    fn pay_survives_its_editor(salary in salary()) {
        let value = FieldValue::Salary(salary);
        let text = text_of(&value);
        prop_assert_eq!(read(&FieldKey::Salary, None, &text), Ok(value), "{}", text);
    }

    #[test]
    fn lists_survive_their_editor(items in prop::collection::vec("[a-zA-Z,;\"]{1,3}( [a-z,\"]{1,5})?", 1..6)) {
        let value = FieldValue::List(list::distinct(items));
        let text = text_of(&value);
        prop_assert_eq!(read(&FieldKey::Skills, None, &text), Ok(value), "{}", text);
    }

    #[test]
    fn numbers_survive_their_editor(n in any::<i64>()) {
        let value = FieldValue::Number(Amount::from_ten_thousandths(n.clamp(-i64::MAX, i64::MAX)));
        let text = text_of(&value);
        let field = FieldKey::Custom("n".into());
        prop_assert_eq!(read(&field, Some(&value), &text), Ok(value), "{}", text);
    }

    /// A machine's places may hold anything; what the editor shows of them is always readable.
    #[test]
    fn places_survive_their_editor(
        city in prop::option::of("[A-Z][a-z]{4,9}"),
        region in prop::option::of("[A-Z][a-z]{4,9}|CA|TX"),
        country in prop::option::of(prop::sample::select(vec!["FR", "US", "CA", "DE"])),
    ) {
        let mut place = Place { city, region, country: country.map(str::to_owned), text: "x".into() };
        place.text = place.name();
        let named = place.city.is_some() || place.region.is_some() || place.country.is_some();
        // A name that is a country's is read as one; no city of five letters and more here is.
        prop_assume!(place.city.as_deref().and_then(place::country).is_none());
        let value = FieldValue::Places(vec![place]);
        let text = text_of(&value);
        let read = read(&FieldKey::Location, None, &text);
        if named {
            prop_assert_eq!(read, Ok(value), "{}", text);
        } else {
            prop_assert!(read.is_ok());
        }
    }
}
