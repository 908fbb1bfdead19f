//! A field of the person's own: what a name that is typed for it comes to, and which kinds of values it can have
//! (SPEC B1, B5).

use ghostlight_model::{
    Amount, Day, FieldKey, FieldValue,
    card::CardField,
    fuzzy::Wanted,
    typed::{self, TypedError},
};

/// Letters by which a name may be longer or shorter than the one it is taken for.
const SLIP_MAX: usize = 2;

/// What a typed name comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Nothing is typed.
    Empty,
    /// Nobody knows such a field: it becomes one of the person's own. Perhaps another was meant.
    New(FieldKey, Option<FieldKey>),
    /// There is such a field.
    Known(FieldKey),
    /// It cannot be a name.
    Wrong(String),
}

impl Named {
    /// Of what is typed, for a card with these fields.
    pub fn of(text: &str, card: &[CardField]) -> Self {
        let name = text.trim();
        if name.is_empty() {
            return Self::Empty;
        }
        let known = known(card);
        let is_it = |key: &&FieldKey| {
            [key.name(), key.label()]
                .iter()
                .any(|n| folded(n) == folded(name))
        };
        if let Some(key) = known.iter().find(is_it) {
            return Self::Known(key.clone());
        }
        let field = FieldKey::Custom(name.to_owned());
        match typed::check(&field, &FieldValue::Text("-".into())) {
            Err(error) => Self::Wrong(error.to_string()),
            Ok(()) => {
                let like = known.into_iter().find(|key| is_like(name, key));
                Self::New(field, like)
            }
        }
    }

    /// In a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Empty => "What the card has no field for, such as head count.".into(),
            Self::New(field, like) => {
                let meant = like
                    .as_ref()
                    .map(|key| format!(" If you mean {}, edit its row.", key.label()));
                format!(
                    "No field is called “{}”: it becomes a field of your own, on this posting.{}",
                    field.label(),
                    meant.unwrap_or_default()
                )
            }
            Self::Known(FieldKey::Verdict) => {
                "The verdict has a dialog of its own: press V on the card.".into()
            }
            Self::Known(FieldKey::Outcome) => {
                "Outcomes have a dialog of their own: Outcome… on the card.".into()
            }
            Self::Known(key) => format!("{} is on the card already: edit its row.", key.label()),
            Self::Wrong(why) => why.clone(),
        }
    }
}

/// The fields there are: those that every card has, those with a dialog of their own, and this card's.
fn known(card: &[CardField]) -> Vec<FieldKey> {
    let own = card.iter().map(|field| field.key.clone());
    let all = FieldKey::DETECTED.into_iter();
    all.chain([FieldKey::Verdict, FieldKey::Outcome])
        .chain(own)
        .collect()
}

/// As a name is compared: `Valid through` is `valid_through`.
fn folded(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c == '_' || c == '-');
    let words: Vec<String> = words
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join(" ")
}

/// Whether it may be a slip of the other.
fn is_like(name: &str, key: &FieldKey) -> bool {
    let name = folded(name);
    let near = |other: String| {
        other.chars().count().abs_diff(name.chars().count()) <= SLIP_MAX
            && Wanted::of(&name).score(&other).is_some()
    };
    [key.name(), key.label()]
        .into_iter()
        .any(|other| near(folded(other)))
}

/// What a field of one's own holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A text of any length.
    #[default]
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// One line.
    Choice,
}

impl Kind {
    /// All of them, with their word and how the form calls them.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Text, "text", "Text"),
        (Self::Number, "number", "Number"),
        (Self::Date, "date", "Date"),
        (Self::Choice, "choice", "Choice, one line"),
    ];

    /// Of its word.
    pub fn of_word(word: &str) -> Self {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == word);
        found.map_or(Self::Text, |(kind, ..)| *kind)
    }

    /// An example of what is typed.
    pub fn example(self) -> &'static str {
        match self {
            Self::Text | Self::Choice => "",
            Self::Number => "12",
            Self::Date => "2026-03-31",
        }
    }

    /// The value that a text is.
    ///
    /// # Errors
    /// The sentence for below the box.
    pub fn read(self, field: &FieldKey, text: &str) -> Result<FieldValue, TypedError> {
        // A field of one's own is read as what stands in it; this stands for that.
        let stands = match self {
            Self::Text => None,
            Self::Number => Amount::from_units(0).map(FieldValue::Number),
            Self::Date => Day::new(2000, 1, 1).map(FieldValue::Date),
            Self::Choice => Some(FieldValue::Choice(String::new())),
        };
        typed::read(field, stands.as_ref(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::card::FieldState;

    fn own(name: &str) -> CardField {
        CardField {
            key: FieldKey::Custom(name.into()),
            state: FieldState::Found,
            chosen: None,
            alternatives: Vec::new(),
            looked: Vec::new(),
            reason: None,
        }
    }

    #[test]
    fn a_name_is_known_new_or_none() {
        let card = [own("Head count")];
        let new = |name: &str, like| Named::New(FieldKey::Custom(name.into()), like);
        for (text, expected) in [
            ("", Named::Empty),
            ("  ", Named::Empty),
            ("team", new("team", None)),
            (" shift plan ", new("shift plan", None)),
            ("salary", Named::Known(FieldKey::Salary)),
            ("Valid through", Named::Known(FieldKey::ValidThrough)),
            ("VALID_THROUGH", Named::Known(FieldKey::ValidThrough)),
            ("posted", Named::Known(FieldKey::PostedAt)),
            ("verdict", Named::Known(FieldKey::Verdict)),
            ("outcome", Named::Known(FieldKey::Outcome)),
            (
                "head count",
                Named::Known(FieldKey::Custom("Head count".into())),
            ),
            ("salery", new("salery", Some(FieldKey::Salary))),
            (
                "head counts",
                new("head counts", Some(FieldKey::Custom("Head count".into()))),
            ),
        ] {
            assert_eq!(Named::of(text, &card), expected, "{text:?}");
        }
        let long = "x".repeat(500);
        for wrong in [long.as_str(), "a\nb", "a\u{7}b"] {
            assert!(
                matches!(Named::of(wrong, &card), Named::Wrong(why) if !why.is_empty()),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn what_a_name_comes_to_is_said() {
        for (text, words) in [
            ("team", "“team”: it becomes a field of your own"),
            ("salery", "If you mean Salary, edit its row"),
            ("salary", "Salary is on the card already"),
            ("verdict", "press V"),
        ] {
            let said = Named::of(text, &[]).words();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_text_is_read_as_its_kind() {
        let field = FieldKey::Custom("n".into());
        for (word, text, good) in [
            ("text", "two\nlines", true),
            ("number", "12", true),
            ("number", "twelve", false),
            ("date", "2026-03-31", true),
            ("date", "soon", false),
            ("choice", "night", true),
            ("choice", "", false),
        ] {
            let read = Kind::of_word(word).read(&field, text);
            assert_eq!(read.is_ok(), good, "{word} {text:?}: {read:?}");
        }
        let number = Kind::Number.read(&field, "12").unwrap();
        assert!(matches!(number, FieldValue::Number(_)));
    }
}
