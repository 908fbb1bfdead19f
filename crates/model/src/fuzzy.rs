//! Finding by a few typed words: whether a text answers them, and how well.
//!
//! Every wanted word must be in the text: as a word of its own, as the beginning of one, inside one, as the first letters
//! of several, or as one with a slip. The order of the words does not matter; it is told apart from a better answer only.

/// Words of a query that count; further ones are left out.
pub const WORDS_MAX: usize = 8;
/// Characters of a query that count; further ones are left out.
pub const CHARS_MAX: usize = 100;

/// A word of its own.
const WHOLE: u32 = 100;
/// The beginning of a word.
const BEGINS: u32 = 80;
/// The first letters of several words.
const INITIALS: u32 = 55;
/// Inside of a word.
const INSIDE: u32 = 45;
/// The beginning of a word, with a slip.
const SLIP: u32 = 30;
/// More for the text's first word.
const FIRST: u32 = 8;
/// More for a text that begins with all that was typed.
const ALL: u32 = 40;
/// Letters of a word from which one slip is forgiven, and from which two are.
const SLIPS_FROM: [usize; 2] = [4, 8];

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
    all: String,
}

impl Wanted {
    /// Of what somebody typed.
    pub fn of(typed: &str) -> Self {
        let typed: String = typed.chars().take(CHARS_MAX).collect();
        let words: Vec<String> = words_of(&typed).take(WORDS_MAX).collect();
        let all = words.join(" ");
        Self { words, all }
    }

    /// Whether there is nothing to look for; every text answers that.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How well a text answers, the greater the better; `None` if a word is not in it.
    pub fn score(&self, text: &str) -> Option<u32> {
        let words: Vec<String> = words_of(text).collect();
        let mut sum = 0;
        for wanted in &self.words {
            sum += best(wanted, &words).filter(|grade| *grade > 0)?;
        }
        let begins = words.join(" ").starts_with(&self.all) && !self.is_empty();
        // Of two texts that hold the same, the shorter one says it more plainly.
        let short = 20_u32.saturating_sub(words.len() as u32);
        Some(sum + short + if begins { ALL } else { 0 })
    }
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn best(wanted: &str, words: &[String]) -> Option<u32> {
    let single = words.iter().enumerate().map(|(place, word)| {
        let grade = grade(wanted, word);
        match (grade, place) {
            (0, _) => 0,
            (grade, 0) => grade + FIRST,
            (grade, _) => grade,
        }
    });
    let initials = match are_initials(wanted, words) {
        true => INITIALS,
        false => 0,
    };
    single.chain([initials]).max()
}

fn grade(wanted: &str, word: &str) -> u32 {
    if word == wanted {
        WHOLE
    } else if word.starts_with(wanted) {
        BEGINS
    } else if wanted.len() > 1 && word.contains(wanted) {
        INSIDE
    } else if begins_with_slips(wanted, word) {
        SLIP
    } else {
        0
    }
}

/// Whether the letters are the first ones of words that follow each other.
fn are_initials(wanted: &str, words: &[String]) -> bool {
    let letters: Vec<char> = wanted.chars().collect();
    if letters.len() < 2 {
        return false;
    }
    let firsts: Vec<char> = words
        .iter()
        .filter_map(|word| word.chars().next())
        .collect();
    firsts.windows(letters.len()).any(|run| run == letters)
}

/// Whether `word` begins with `wanted`, but for a letter too many, too few, wrong, or two in the wrong order. The first
/// letter counts.
fn begins_with_slips(wanted: &str, word: &str) -> bool {
    let wanted: Vec<char> = wanted.chars().collect();
    let slips = SLIPS_FROM.iter().filter(|from| wanted.len() >= **from);
    let slips = slips.count();
    if slips == 0 || !word.starts_with(wanted[0]) {
        return false;
    }
    let word: Vec<char> = word.chars().take(wanted.len() + slips).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (i, w) in wanted.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, c) in word.iter().enumerate() {
            let mut cost = (row[j] + usize::from(w != c))
                .min(row[j + 1] + 1)
                .min(next[j] + 1);
            if i > 0 && j > 0 && *w == word[j - 1] && wanted[i - 1] == *c {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.iter().any(|cost| *cost <= slips)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_found_in_any_order_and_shape() {
        for (typed, text) in [
            ("export", "Go to the exports"),
            ("brnach new", "New branch"),
            ("gtt", "Go to the exports"),
            ("ünter", "Analyst · Günter & Söhne"),
            ("data acme", "Acme GmbH Senior Data Engineer"),
            ("enigneer", "Senior Engineer"),
            ("engineerr", "Senior Engineers"),
            ("", "anything"),
            ("  –  ", "anything"),
        ] {
            assert!(
                Wanted::of(typed).score(text).is_some(),
                "{typed:?} in {text:?}"
            );
        }
        for (typed, text) in [
            ("export now", "Go to the exports"),
            ("rnu", "Runs"),
            ("x", "Next"),
            ("salary", "Verdict"),
            ("data", ""),
        ] {
            assert_eq!(Wanted::of(typed).score(text), None, "{typed:?} in {text:?}");
        }
    }

    #[test]
    fn the_better_answer_has_the_greater_score() {
        for (typed, texts) in [
            ("run", ["Run", "Runs", "Show the runs", "Overrun", "Cut"]),
            (
                "data",
                [
                    "Data engineer",
                    "Database",
                    "Big data",
                    "Metadata",
                    "Dtaa engineer",
                ],
            ),
            (
                "undo",
                [
                    "Undo",
                    "Undo your latest change",
                    "Undone",
                    "To undo",
                    "Udno",
                ],
            ),
        ] {
            let wanted = Wanted::of(typed);
            let scores = texts.map(|text| wanted.score(text).unwrap_or_default());
            let mut sorted = scores;
            sorted.sort_by(|a, b| b.cmp(a));
            assert_eq!(scores, sorted, "{typed}: {texts:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_is_too_odd(typed in ".{0,300}", text in ".{0,300}") {
            let _ = Wanted::of(&typed).score(&text);
        }

        #[test]
        fn every_text_answers_its_own_words(words in proptest::collection::vec("[a-zäé0-9]{1,9}", 1..6)) {
            let text = words.join(" ");
            prop_assert!(Wanted::of(&text).score(&text).is_some());
        }
    }
}
