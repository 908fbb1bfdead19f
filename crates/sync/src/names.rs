//! Names of streams, and patterns that take several.

use ghostlight_model::StreamId;

/// Longest name of a stream or pattern, in bytes. Names are keys of every index; longer ones are refused.
pub const NAME_BYTES_MAX: usize = 200;

/// Longest idempotency key, in characters; longer ones are refused.
pub const KEY_CHARS_MAX: usize = 128;

/// Why a name is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or over the limit.
    #[error("a stream's name has 1 to {NAME_BYTES_MAX} bytes, not {0}")]
    Length(usize),
    /// A control character anywhere.
    #[error("a stream's name has no control characters")]
    Control,
    /// No `[a-z]+/` in front, nothing behind it, or a `*`.
    #[error("a stream is named `kind/name`, kind in small letters, without `*`")]
    Shape,
}

/// Whether `name` may be a stream of the hub: `[a-z]+/…`, at most [`NAME_BYTES_MAX`] bytes, no control characters, no `*`.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_stream(name: &str) -> Result<(), NameError> {
    check_text(name)?;
    let (kind, rest) = name.split_once('/').ok_or(NameError::Shape)?;
    let letters = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
    if letters && !rest.is_empty() && !name.contains('*') {
        Ok(())
    } else {
        Err(NameError::Shape)
    }
}

fn check_text(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        Err(NameError::Length(name.len()))
    } else if name.chars().any(char::is_control) {
        Err(NameError::Control)
    } else {
        Ok(())
    }
}

/// Whether `key` may be an idempotency key: 1 to [`KEY_CHARS_MAX`] characters.
pub fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().take(KEY_CHARS_MAX + 1).count() <= KEY_CHARS_MAX
}

/// What a subscription takes: one stream, or with `*` at its end all that begin so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// One stream.
    Exact(StreamId),
    /// Every stream whose name begins with this text; empty for all.
    Prefix(String),
}

impl Pattern {
    /// Reads a pattern without judging the name, as a client does with a foreign server's names.
    pub fn of(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(StreamId(text.to_owned())),
        }
    }

    /// Reads a pattern by the hub's rules.
    ///
    /// # Errors
    /// As [`check_stream`]; a prefix need not be complete, but follows the rules on length and control characters.
    pub fn checked(text: &str) -> Result<Self, NameError> {
        let pattern = Self::of(text);
        match &pattern {
            Self::Exact(stream) => check_stream(&stream.0)?,
            Self::Prefix(prefix) if prefix.contains('*') => return Err(NameError::Shape),
            Self::Prefix(_) => check_text(text)?,
        }
        Ok(pattern)
    }

    /// Whether it takes `stream`.
    pub fn takes(&self, stream: &StreamId) -> bool {
        match self {
            Self::Exact(one) => one == stream,
            Self::Prefix(prefix) => stream.0.starts_with(prefix.as_str()),
        }
    }

    /// As it is written in a `subscribe`.
    pub fn text(&self) -> String {
        match self {
            Self::Exact(stream) => stream.0.clone(),
            Self::Prefix(prefix) => format!("{prefix}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for (name, expected) in [
            ("run/1", Ok(())),
            ("posting/é ü", Ok(())),
            ("run/a/b", Ok(())),
            ("", Err(NameError::Length(0))),
            ("run", Err(NameError::Shape)),
            ("/1", Err(NameError::Shape)),
            ("run/", Err(NameError::Shape)),
            ("Run/1", Err(NameError::Shape)),
            ("run/*", Err(NameError::Shape)),
            ("run/a\nb", Err(NameError::Control)),
        ] {
            assert_eq!(check_stream(name), expected, "{name:?}");
        }
        let long = format!("run/{}", "x".repeat(NAME_BYTES_MAX));
        assert_eq!(check_stream(&long), Err(NameError::Length(204)));
    }

    #[test]
    fn patterns_take_what_they_name() {
        for (pattern, stream, takes) in [
            ("run/1", "run/1", true),
            ("run/1", "run/11", false),
            ("run/1*", "run/11", true),
            ("run/*", "posting/1", false),
            ("*", "posting/1", true),
        ] {
            let read = Pattern::checked(pattern).unwrap();
            assert_eq!(
                read.takes(&StreamId(stream.into())),
                takes,
                "{pattern} {stream}"
            );
            assert_eq!(read.text(), pattern);
        }
        for wrong in ["", "run", "r*n/*", "run/\u{7}*"] {
            assert!(Pattern::checked(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn keys_have_1_to_128_characters() {
        for (key, expected) in [("", false), ("k", true)] {
            assert_eq!(is_key(key), expected);
        }
        assert!(is_key(&"é".repeat(128)));
        assert!(!is_key(&"é".repeat(129)));
    }
}
