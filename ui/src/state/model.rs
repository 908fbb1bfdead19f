//! The model in words (SPEC A2, B6): what a run asked it, what it answered a person, where its key is; and its settings as
//! they are typed.

use crate::state::format;
use ghostlight_api::{
    command::{ModelAnswered, ModelForm},
    view::{CardView, ModelView, TokenPlace},
};
use ghostlight_model::{
    Amount, FieldKey, Source,
    card::{Chosen, FieldState},
    event::ModelUse,
};

/// The form as the settings stand; the key is not in it.
pub fn form_of(view: &ModelView) -> ModelForm {
    ModelForm {
        url: view.url.clone(),
        name: view.name.clone(),
        key: None,
        timeout_s: view.timeout_s,
        price_in: view.price_in,
        price_out: view.price_out,
    }
}

/// A price as typed; nothing is none, and so is what is no number.
pub fn price(typed: &str) -> Option<Amount> {
    let number: f64 = typed.trim().replace(',', ".").parse().ok()?;
    Amount::from_f64(number).filter(|_| number.is_finite())
}

/// A price for its box.
pub fn price_text(price: Option<Amount>) -> String {
    price.map(|price| price.to_string()).unwrap_or_default()
}

/// Seconds as typed; what is no number of them is 0, which the core refuses in words.
pub fn seconds(typed: &str) -> u16 {
    typed.trim().parse().unwrap_or(0)
}

/// Where the key is, or will be.
pub fn key_words(place: TokenPlace) -> &'static str {
    match place {
        TokenPlace::None => {
            "A key is kept in the system's keychain; where none answers, in a file that only you can read. Never in a log or an export."
        }
        TokenPlace::Keychain => "The key is in the system's keychain, and in no file.",
        TokenPlace::File => {
            "No keychain answered, so the key is in a file of the data folder that only you can read."
        }
        TokenPlace::Environment => "The key is that of the environment the program was started in.",
    }
}

/// What a run asked a model and what it took: `small-1 was asked for 3 fields: 1 200 tokens, 80 answered; cost 0.00022.`
pub fn use_words(usage: &ModelUse) -> String {
    let fields = format::plural(usage.asked.len() as u64, "field", "fields");
    let mut words = format!("{} was asked for {fields}", usage.model);
    if let (Some(asked), Some(answered)) = (usage.tokens_in, usage.tokens_out) {
        words.push_str(&format!(
            ": {} tokens, {} answered",
            format::count(asked.into()),
            format::count(answered.into())
        ));
    }
    if let Some(cost) = usage.cost_millionths {
        words.push_str(&format!("; cost {}", cost_words(cost)));
    }
    words + "."
}

/// Millionths as a decimal number with its first two figures.
fn cost_words(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    let first = text.find(|c: char| !matches!(c, '0' | '.')).unwrap_or(0);
    let point = text.find('.').unwrap_or(text.len());
    let end = (first + 2).max(point + 3).min(text.len());
    text[..end].to_owned()
}

/// What came of asking about a posting: a title and what stands below it.
pub fn answer_words(answered: &ModelAnswered) -> (String, String) {
    let labels: Vec<&str> = answered.offered.iter().map(FieldKey::label).collect();
    let title = match labels.as_slice() {
        [] => "The model has nothing to suggest".to_owned(),
        [one] => format!("The model suggests a value for {one}"),
        [all @ .., last] => format!(
            "The model suggests values for {} and {last}",
            all.join(", ")
        ),
    };
    let mut body = use_words(&answered.usage);
    for note in &answered.notes {
        body.push(' ');
        body.push_str(note);
    }
    (title, body)
}

/// Whether something on the card is missing or in conflict, so that a model could be asked.
pub fn has_gaps(card: &CardView) -> bool {
    let open = [
        FieldState::NotFound,
        FieldState::Conflict,
        FieldState::Failed,
    ];
    card.fields.iter().any(|field| open.contains(&field.state))
}

/// Who gave a machine's value, in full, where a model did: its name, if the latest run asked it.
pub fn by_words(card: &CardView, chosen: &Chosen) -> Option<String> {
    if chosen.source != Source::Ai {
        return None;
    }
    let seen = chosen.observation.as_ref();
    let of_run = seen
        .zip(card.began)
        .is_some_and(|(seen, began)| seen.ts >= began);
    let name = card.model.as_ref().filter(|_| of_run);
    let name = name.map_or_else(String::new, |usage| format!(" {}", usage.model));
    let ground = match is_ungrounded(chosen) {
        true => " · ungrounded: no words of the posting bear it out",
        false => "",
    };
    Some(format!("AI · model{name}{ground}"))
}

/// Whether it is a model's value without words in the text.
pub fn is_ungrounded(chosen: &Chosen) -> bool {
    let seen = chosen.observation.as_ref();
    seen.is_some_and(ghostlight_model::Observation::is_ungrounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::{CaptureId, Confidence, FieldValue, Method, Micros, Observation};

    fn usage() -> ModelUse {
        ModelUse {
            model: "small-1".into(),
            asked: vec![FieldKey::Company, FieldKey::Salary],
            tokens_in: Some(1_200),
            tokens_out: Some(80),
            cost_millionths: Some(228),
        }
    }

    #[test]
    fn what_it_took_is_told_as_far_as_it_is_known() {
        let whole =
            "small-1 was asked for 2 fields: 1\u{202f}200 tokens, 80 answered; cost 0.00022.";
        assert_eq!(use_words(&usage()), whole);
        let bare = ModelUse {
            tokens_in: None,
            cost_millionths: None,
            asked: vec![FieldKey::Company],
            ..usage()
        };
        assert_eq!(use_words(&bare), "small-1 was asked for 1 field.");
        for (millionths, words) in [
            (0, "0.00"),
            (7, "0.000007"),
            (12_345, "0.012"),
            (1_234_567, "1.23"),
            (98_765_432, "98.76"),
        ] {
            assert_eq!(cost_words(millionths), words);
        }
    }

    #[test]
    fn what_it_suggests_is_named() {
        let words = |offered: &[FieldKey]| {
            let answered = ModelAnswered {
                usage: usage(),
                offered: offered.to_vec(),
                notes: vec!["It is so.".into()],
            };
            answer_words(&answered)
        };
        assert_eq!(words(&[]).0, "The model has nothing to suggest");
        assert_eq!(
            words(&[FieldKey::Salary]).0,
            "The model suggests a value for Salary"
        );
        let (title, body) = words(&[FieldKey::Company, FieldKey::Skills, FieldKey::Salary]);
        assert_eq!(
            title,
            "The model suggests values for Company, Skills and Salary"
        );
        assert!(body.ends_with("cost 0.00022. It is so."), "{body}");
    }

    #[test]
    fn a_model_is_named_where_it_was_this_runs() {
        let chosen = |ts: i64, source: Source| Chosen {
            value: FieldValue::Text("Oriel".into()),
            confidence: Confidence::new(300),
            source,
            method: Method::Model,
            observation: Some(Observation {
                field: FieldKey::Company,
                value: FieldValue::Text("Oriel".into()),
                confidence: Confidence::new(300),
                source,
                method: Method::Model,
                evidence: None,
                capture: CaptureId([0; 16]),
                ts: Micros(ts),
            }),
            author: None,
        };
        let card = CardView {
            model: Some(usage()),
            began: Some(Micros(10)),
            ..CardView::default()
        };
        let mark = " · ungrounded: no words of the posting bear it out";
        let words = |ts, source| by_words(&card, &chosen(ts, source));
        assert_eq!(
            words(11, Source::Ai),
            Some(format!("AI · model small-1{mark}"))
        );
        assert_eq!(words(9, Source::Ai), Some(format!("AI · model{mark}")));
        assert_eq!(words(11, Source::Parsing), None);
    }

    #[test]
    fn prices_and_seconds_are_read_leniently() {
        assert_eq!(price(" 0,15 "), Amount::from_f64(0.15));
        assert_eq!(price_text(price("0.60")), "0.60");
        for typed in ["", "free", "NaN", "inf"] {
            assert_eq!(price(typed), None, "{typed}");
        }
        assert_eq!(
            (seconds(" 45 "), seconds("soon"), seconds("-1")),
            (45, 0, 0)
        );
    }
}
