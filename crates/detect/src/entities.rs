//! HTML entities in names and texts.

use crate::text::is_blank;
use html5gum::{
    Span, State, Tokenizer,
    emitters::callback::{CallbackEmitter, CallbackEvent},
};
use std::{borrow::Cow, convert::Infallible};

/// Trimmed, blanks collapsed, and HTML entities decoded: the form of titles and names.
/// A second round undoes double escaping.
pub(crate) fn clean(text: &str) -> String {
    let once = decode_entities(text);
    let twice = decode_entities(&once);
    twice
        .split(is_blank)
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Decodes HTML entities, if there are any.
pub(crate) fn decode_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(decoded(text))
    }
}

/// By the WHATWG rules for text in which elements mean nothing (RCDATA).
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
        if let CallbackEvent::String { value } = event {
            out.extend_from_slice(value);
        }
        None::<Infallible>
    });
    let mut tokenizer = Tokenizer::new_with_emitter(text, emitter);
    tokenizer.set_state(State::RcData);
    let Ok(()) = tokenizer.finish();
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_decoded_and_nothing_else() {
        assert_eq!(
            clean("  R&amp;D   Lead &#8211; C++/C# (m/w/d) "),
            "R&D Lead – C++/C# (m/w/d)"
        );
        assert_eq!(clean("A &amp;amp; B"), "A & B");
        assert_eq!(clean("AT&T"), "AT&T");
    }
}
