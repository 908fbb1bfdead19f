//! The secret that clients show, and where a data folder keeps it.

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

    /// The token of a data folder, made at the first call and the same ever after. Only its owner can read the file.
    ///
    /// # Errors
    /// If the file cannot be read or made, or holds no token.
    pub fn of_folder(folder: &Path) -> Result<Self, TokenError> {
        let path = folder.join(FILE);
        let failed = |source| TokenError::File {
            path: path.clone(),
            source,
        };
        match fs::read_to_string(&path) {
            Ok(text) => Self::new(text.trim()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let token = Self::random()?;
                match token.save(folder, &path) {
                    // Another process was faster: its token counts.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        let text = fs::read_to_string(&path).map_err(failed)?;
                        Self::new(text.trim())
                    }
                    done => done.map(|()| token).map_err(failed),
                }
            }
            Err(error) => Err(failed(error)),
        }
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
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(self.0.as_bytes())?;
        file.sync_all()?;
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
        let folder = tempfile::tempdir().unwrap();
        let first = Token::of_folder(folder.path()).unwrap();
        let again = Token::of_folder(folder.path()).unwrap();
        assert!(first.is(again.reveal()));
        assert_eq!(first.reveal().len(), 2 * NEW_BYTES);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = tempfile::tempdir().unwrap();
        assert!(!Token::of_folder(other.path()).unwrap().is(first.reveal()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join(FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
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
