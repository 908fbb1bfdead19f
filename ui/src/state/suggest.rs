//! Suggestions in words, and which of them are accepted together (SPEC B6). How they are weighed is `model::suggest`'s.

use crate::state::format;
use ghostlight_api::{
    command::AcceptedSuggestion,
    view::{CardView, SuggestionsView},
};
use ghostlight_model::{
    FieldKey, FieldValue, Source,
    card::CardField,
    suggest::{Accuracy, Origin, Suggestion, Voice},
};

/// How sure suggestions are that can be accepted together, in percent.
pub const THRESHOLDS: [u16; 4] = [70, 80, 90, 95];
/// The one that is offered first.
pub const THRESHOLD: u16 = 80;

/// Characters of the words of a posting that a suggestion rests on.
const QUOTE_CHARACTERS: usize = 90;

/// Who suggests it, in words.
pub fn voice_words(voice: &Voice, employer: &str) -> String {
    let (count, of) = (u64::from(voice.count), u64::from(voice.of));
    match voice.origin {
        Origin::Alternative => match voice.method {
            Some(method) => format!("also read in this posting: {}", method.label()),
            None => "also read in this posting".into(),
        },
        Origin::Employer if count == of => format!(
            "{} of {employer} {}",
            format::plural(count, "other posting", "other postings"),
            if count == 1 { "says so" } else { "say so" }
        ),
        Origin::Employer => format!(
            "{} of {} other postings of {employer} say so",
            format::count(count),
            format::count(of)
        ),
        Origin::Correction if count == of => {
            let times = format::plural(count, "time", "times");
            format!("corrected to this {times} before")
        }
        Origin::Correction => format!(
            "corrected to this {} of {} times before",
            format::count(count),
            format::count(of)
        ),
        Origin::Model => "from the model".into(),
    }
}

/// All who suggest it, the surest first.
pub fn why(suggestion: &Suggestion, employer: &str) -> String {
    let voices = suggestion.voices.iter();
    let words = |voice: &Voice| {
        let words = voice_words(voice, employer);
        match (voice.origin, &suggestion.quote) {
            (Origin::Model, Some(quote)) => {
                format!("{words}: “{}”", format::shortened(quote, QUOTE_CHARACTERS))
            }
            (Origin::Model, None) => {
                format!("{words}, ungrounded: no words of the posting bear it out")
            }
            _ => words,
        }
    };
    voices.map(words).collect::<Vec<_>>().join(" · ")
}

/// The kind of source that an answer to it counts for.
pub fn origin_of(suggestion: &Suggestion) -> Origin {
    let first = suggestion.voices.first();
    first.map_or(Origin::Alternative, |voice| voice.origin)
}

/// A field's suggestions, the surest first.
pub fn of_field(view: &SuggestionsView, field: &FieldKey) -> Vec<Suggestion> {
    let all = view.suggestions.iter();
    all.filter(|one| one.field == *field).cloned().collect()
}

/// The surest suggestion of each field, of those that are at least so sure (percent). A field with a person's value, or
/// with something typed and not saved, is left to its person.
pub fn together<'a>(
    view: &'a SuggestionsView,
    card: &CardView,
    percent: u16,
) -> Vec<&'a Suggestion> {
    let mut found: Vec<&Suggestion> = Vec::new();
    for one in &view.suggestions {
        let sure = one.confidence.thousandths() >= percent * 10;
        let taken = found.iter().any(|other| other.field == one.field);
        let typed = card.drafts.iter().any(|draft| draft.field == one.field);
        let mine = field(card, &one.field).and_then(|field| field.chosen.as_ref());
        let mine = mine.is_some_and(|chosen| chosen.source == Source::User);
        if sure && !taken && !typed && !mine {
            found.push(one);
        }
    }
    found
}

/// What stands in a field.
pub fn stands<'a>(card: &'a CardView, key: &FieldKey) -> Option<&'a FieldValue> {
    let chosen = field(card, key)?.chosen.as_ref()?;
    Some(&chosen.value)
}

fn field<'a>(card: &'a CardView, key: &FieldKey) -> Option<&'a CardField> {
    card.fields.iter().find(|field| field.key == *key)
}

/// What is asked of the core to accept it.
pub fn accepted(suggestion: &Suggestion, card: &CardView) -> AcceptedSuggestion {
    AcceptedSuggestion {
        field: suggestion.field.clone(),
        value: suggestion.value.clone(),
        stood: stands(card, &suggestion.field).cloned(),
        origin: origin_of(suggestion),
    }
}

/// How right a method was, in words.
pub fn accuracy_words(accuracy: &Accuracy) -> String {
    let (correct, all) = (accuracy.correct, accuracy.correct + accuracy.wrong);
    format!(
        "{}: right in {} of {}",
        accuracy.method.label(),
        format::count(correct.into()),
        format::plural(
            all.into(),
            "value that was judged",
            "values that were judged"
        )
    )
}

/// The share that was right, in whole percent.
pub fn percent(accuracy: &Accuracy) -> u32 {
    let all = (accuracy.correct + accuracy.wrong).max(1);
    (accuracy.correct * 200 + all) / (2 * all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::view::DraftRow;
    use ghostlight_model::{
        Confidence, Method, Micros,
        card::{Chosen, FieldState},
    };

    fn voice(origin: Origin, count: u32, of: u32) -> Voice {
        Voice {
            origin,
            count,
            of,
            method: Some(Method::Pattern),
        }
    }

    fn suggestion(field: FieldKey, words: &str, sure: u16) -> Suggestion {
        Suggestion {
            field,
            value: FieldValue::Text(words.into()),
            confidence: Confidence::new(sure),
            voices: vec![voice(Origin::Employer, 3, 3)],
            quote: None,
        }
    }

    #[test]
    fn a_models_suggestion_names_its_words_or_that_there_are_none() {
        let mut one = suggestion(FieldKey::Company, "Quill", 700);
        one.voices = vec![voice(Origin::Model, 1, 1)];
        assert_eq!(
            why(&one, ""),
            "from the model, ungrounded: no words of the posting bear it out"
        );
        one.quote = Some("the people of Quill".into());
        one.voices.push(voice(Origin::Employer, 1, 1));
        assert_eq!(
            why(&one, "Quill"),
            "from the model: “the people of Quill” · 1 other posting of Quill says so"
        );
    }

    #[test]
    fn sources_are_told_in_plain_words() {
        let cases = [
            (
                voice(Origin::Employer, 1, 1),
                "1 other posting of Oriel says so",
            ),
            (
                voice(Origin::Employer, 3, 3),
                "3 other postings of Oriel say so",
            ),
            (
                voice(Origin::Employer, 3, 5),
                "3 of 5 other postings of Oriel say so",
            ),
            (
                voice(Origin::Correction, 1, 1),
                "corrected to this 1 time before",
            ),
            (
                voice(Origin::Correction, 4, 5),
                "corrected to this 4 of 5 times before",
            ),
            (
                voice(Origin::Alternative, 1, 1),
                "also read in this posting: text",
            ),
        ];
        for (voice, words) in cases {
            assert_eq!(voice_words(&voice, "Oriel"), words);
        }
    }

    #[test]
    fn what_is_accepted_together_is_the_surest_of_each_field_that_nobody_decided() {
        let chosen = |source| {
            Some(Chosen {
                value: FieldValue::Text("Quill".into()),
                confidence: Confidence::new(700),
                source,
                method: Method::Pattern,
                observation: None,
                author: None,
            })
        };
        let field = |key, chosen| CardField {
            key,
            state: FieldState::Found,
            chosen,
            alternatives: vec![],
            looked: vec![],
            reason: None,
        };
        let card = CardView {
            fields: vec![
                field(FieldKey::Company, chosen(Source::Parsing)),
                field(FieldKey::Title, chosen(Source::User)),
            ],
            drafts: vec![DraftRow {
                field: FieldKey::Benefits,
                text: "Tea".into(),
                at: Micros(0),
            }],
            ..CardView::default()
        };
        let view = SuggestionsView {
            suggestions: vec![
                suggestion(FieldKey::Title, "Printer", 990),
                suggestion(FieldKey::Company, "Quill Ltd", 800),
                suggestion(FieldKey::Company, "Quill & Co", 790),
                suggestion(FieldKey::Platform, "Harbour Jobs", 799),
                suggestion(FieldKey::Benefits, "Tea", 990),
            ],
            employer: "Quill".into(),
            accuracy: vec![],
        };
        let values = |percent| -> Vec<String> {
            let all = together(&view, &card, percent);
            all.iter().map(|one| one.value.display()).collect()
        };
        assert_eq!(values(80), ["Quill Ltd"]);
        assert_eq!(values(70), ["Quill Ltd", "Harbour Jobs"]);
        assert_eq!(values(90), Vec::<String>::new());
        let asked = accepted(&view.suggestions[1], &card);
        assert_eq!(asked.stood, Some(FieldValue::Text("Quill".into())));
        assert_eq!(accepted(&view.suggestions[3], &card).stood, None);
    }

    #[test]
    fn accuracy_is_a_count_and_a_share() {
        let accuracy = |correct, wrong| Accuracy {
            field: FieldKey::Company,
            method: Method::Pattern,
            correct,
            wrong,
        };
        assert_eq!(
            accuracy_words(&accuracy(12, 1)),
            "text: right in 12 of 13 values that were judged"
        );
        assert_eq!(
            accuracy_words(&accuracy(0, 1)),
            "text: right in 0 of 1 value that was judged"
        );
        let shares = [(0, 0), (1, 0), (1, 2), (2, 1)].map(|(c, w)| percent(&accuracy(c, w)));
        assert_eq!(shares, [0, 100, 33, 67]);
    }
}
