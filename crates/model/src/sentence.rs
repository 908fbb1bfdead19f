//! Sentences of parts of sentences: libraries word their errors to stand behind a colon, people
//! read whole sentences. Made where a text is handed over: `api::ApiError::new` and
//! [`Issue::new`](crate::Issue::new).

/// `text` with a capital, unless it begins with a name such as a file's or an address, and a full
/// stop, unless it ends as a sentence does.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_word = first
        .chars()
        .all(|c| c.is_alphabetic() || c == '\'' || c == '-');
    let mut letters = text.chars();
    let mut out = match letters.next() {
        Some(letter) if is_word => letter.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if !out.is_empty() && !out.ends_with(['.', '?', '…']) {
        out.push('.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_sentences_and_sentences_stay() {
        for (text, want) in [
            ("the input is empty", "The input is empty."),
            ("über uns steht nichts", "Über uns steht nichts."),
            ("http://x.example/ refused", "http://x.example/ refused."),
            (
                "posting.html: the input is empty.",
                "posting.html: the input is empty.",
            ),
            ("Which one?", "Which one?"),
            (" cut short… ", "Cut short…"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), want);
        }
    }
}
