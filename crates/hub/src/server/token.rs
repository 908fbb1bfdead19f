//! The secret that clients show, and where a data folder keeps it.

use ghostlight_store::private;
use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The file in the data folder.
const FILE: &str = "hub-token";
/// Random bytes in a new token; 256 bits cannot be guessed.
const NEW_BYTES: usize = 32;
/// Characters of a token that somebody chose. Shorter ones can be tried out over a network.
const CHARS_MIN: usize = 16;
/// Bytes of one at most: it travels in a header.
const BYTES_MAX: usize = 4_096;
/// Tokens of a file at most; one more is refused. Each greeting is compared with all of them.
pub const TOKENS_MAX: usize = 1_000;

/// The secret that clients show. It never prints by `Debug`.
#[derive(Clone)]
pub struct Token(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Nothing that can travel in a header and resists guessing.
    #[error(
        "a hub token has {CHARS_MIN} to {BYTES_MAX} characters, letters, digits and -._~+/= only"
    )]
    Shape,
    /// The file of the data folder.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of a list of tokens that is none.
    #[error("line {line}: {source}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: Box<TokenError>,
    },
    /// The same token in two lines: one of them was to be another.
    #[error("line {line} is the token of line {first} again")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// The line before it.
        first: usize,
    },
    /// A list without any.
    #[error("there is no token in it")]
    Empty,
    /// More than [`TOKENS_MAX`].
    #[error("there are more than {TOKENS_MAX} tokens in it")]
    TooMany,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a new hub token: {0}")]
    Random(String),
}

impl Token {
    /// A token that somebody chose.
    ///
    /// # Errors
    /// [`TokenError::Shape`] if it is too short, too long, or no `b68` of RFC 6750.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let sound = (CHARS_MIN..=BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
        sound
            .then(|| Self(text.to_owned()))
            .ok_or(TokenError::Shape)
    }

    /// The tokens of a file: one a line, but for empty lines and those that begin with `#`. There is one at least.
    ///
    /// # Errors
    /// The first line that is no token or repeats one, no token at all, or more than [`TOKENS_MAX`].
    pub fn list(text: &str) -> Result<Vec<Self>, TokenError> {
        let mut tokens: Vec<(usize, Self)> = Vec::new();
        // Some editors of Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let token = Self::new(line).map_err(|source| TokenError::Line {
                line: number,
                source: Box::new(source),
            })?;
            if let Some((first, _)) = tokens.iter().find(|(_, one)| one.is(line)) {
                return Err(TokenError::Twice {
                    line: number,
                    first: *first,
                });
            }
            if tokens.len() == TOKENS_MAX {
                return Err(TokenError::TooMany);
            }
            tokens.push((number, token));
        }
        match tokens.is_empty() {
            true => Err(TokenError::Empty),
            false => Ok(tokens.into_iter().map(|(_, token)| token).collect()),
        }
    }

    /// The token file of a data folder, made with a new token if there is none. Only its owner can read it.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn file_of(folder: &Path) -> Result<PathBuf, TokenError> {
        let path = folder.join(FILE);
        let failed = |source| TokenError::File {
            path: path.clone(),
            source,
        };
        if !path.try_exists().map_err(failed)? {
            match Self::random()?.save(folder, &path) {
                // Another process was faster: its token counts.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => done.map_err(failed)?,
            }
        }
        Ok(path)
    }

    fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; NEW_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| TokenError::Random(error.to_string()))?;
        Ok(Self(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// Writes beside and links, so that nobody ever reads half a token.
    fn save(&self, folder: &Path, path: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let beside = folder.join(format!("{FILE}.{}", std::process::id()));
        // Left by a process of the same number that was killed.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private::create_new(&beside)?;
        file.write_all(self.0.as_bytes())?;
        file.sync_all()?;
        // Windows neither links nor removes a file of which nobody else may have a handle.
        drop(file);
        let linked = fs::hard_link(&beside, path);
        fs::remove_file(&beside)?;
        linked
    }

    /// The text, to be shown to clients of the same user.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `shown` is this token, in a time that does not depend on where they differ: hashes are compared, and
    /// [`blake3::Hash`] compares in constant time.
    pub fn is(&self, shown: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(shown.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_token() {
        let token_of = |folder: &Path| {
            let file = Token::file_of(folder).unwrap();
            let mut tokens = Token::list(&fs::read_to_string(file).unwrap()).unwrap();
            tokens.remove(0)
        };
        let folder = tempfile::tempdir().unwrap();
        let first = token_of(folder.path());
        assert!(first.is(token_of(folder.path()).reveal()));
        assert_eq!(first.reveal().len(), 2 * NEW_BYTES);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = tempfile::tempdir().unwrap();
        assert!(!token_of(other.path()).is(first.reveal()));
        let file = fs::File::open(folder.path().join(FILE)).unwrap();
        assert_eq!(private::others(&file).unwrap(), None);
    }

    #[test]
    fn a_list_is_good_as_a_whole_or_names_its_line() {
        const A: &str = "0123456789abcdef";
        const B: &str = "fedcba9876543210";
        let list = Token::list(&format!("\u{feff}# of the studio\r\n\n {A} \n{B}")).unwrap();
        let texts: Vec<&str> = list.iter().map(Token::reveal).collect();
        assert_eq!(texts, [A, B]);
        let many = |count: usize| -> String {
            (0..count)
                .map(|n| format!("a-long-token-number-{n}\n"))
                .collect()
        };
        assert_eq!(Token::list(&many(TOKENS_MAX)).unwrap().len(), TOKENS_MAX);
        for (text, said) in [
            (String::new(), "no token"),
            ("# only this".into(), "no token"),
            (format!("{A}\n\nshort\n"), "line 3: a hub token has 16 to"),
            (format!("{A}\n{A} {B}\n"), "line 2: a hub token has"),
            (
                format!("{A}\n{B}\n{A}\n"),
                "line 3 is the token of line 1 again",
            ),
            (many(TOKENS_MAX + 1), "more than 1000"),
        ] {
            let error = Token::list(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
            assert!(
                !error.contains(A) && !error.contains("short"),
                "secret: {error}"
            );
        }
    }

    #[test]
    fn a_token_has_a_shape_and_does_not_print() {
        for (text, sound) in [
            ("0123456789abcdef", true),
            ("0123456789abcde", false),
            ("0123456789 abcdef", false),
            ("0123456789abcdef\n", false),
            ("", false),
        ] {
            assert_eq!(Token::new(text).is_ok(), sound, "{text:?}");
        }
        let token = Token::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeF"));
    }
}
