//! A file of tokens: read when serving begins, and again when it changes.
//!
//! A file counts as a whole: what is refused in it is said, and the tokens that were good stay good. So a file that is
//! being written locks nobody out.

use super::{Server, Token, TokenError};
use ghostlight_model::system;
use ghostlight_store::private;
use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// Time between two looks at the file. A change is taken when two looks see the same: then nobody is writing.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes of a token file at most; a longer one is another file by mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The good tokens of a file.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    good: Vec<Token>,
    /// The file as it was when it was last read, whether or not it was taken.
    read: Option<Stamp>,
    /// As it was at the last look, if that was another.
    seen: Option<Stamp>,
    looked: Instant,
}

/// What tells a file from itself as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    len: u64,
    #[cfg(unix)]
    inode: u64,
}

/// Why a file is not taken.
#[derive(Debug)]
pub enum TokenFileError {
    /// The system does not let us read it.
    File(io::Error),
    /// These can read it besides its owner.
    Open(String),
    /// It is longer than any list of tokens.
    TooLong,
    /// What stands in it.
    List(TokenError),
}

/// What another reading of a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reread {
    /// Tokens that are good from now on.
    pub added: usize,
    /// Tokens that are good no more; who showed one was cut.
    pub withdrawn: usize,
    /// All that are good.
    pub good: usize,
}

impl TokenFile {
    /// Reads a file. There is one token in it at least.
    ///
    /// # Errors
    /// As [`TokenFileError`].
    pub fn open(path: PathBuf) -> Result<Self, TokenFileError> {
        let read = stamp(&path).ok();
        let good = read_tokens(&path)?;
        Ok(Self {
            path,
            good,
            read,
            seen: None,
            looked: Instant::now(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Those that are good; there is always one.
    pub fn good(&self) -> &[Token] {
        &self.good
    }

    /// Reads the file again if it has changed, and lets `server` know; `None` if it has not.
    pub fn look(&mut self, server: &Server) -> Option<Result<Reread, TokenFileError>> {
        if self.looked.elapsed() < LOOK_EVERY {
            return None;
        }
        self.looked = Instant::now();
        let now = stamp(&self.path).ok();
        if now == self.read {
            self.seen = None;
            return None;
        }
        if now.is_some() && self.seen != now {
            self.seen = now;
            return None;
        }
        Some(self.reload(server))
    }

    /// Reads the file now.
    ///
    /// # Errors
    /// As [`TokenFileError`]; the tokens stay as they were then.
    pub fn reload(&mut self, server: &Server) -> Result<Reread, TokenFileError> {
        (self.read, self.seen) = (stamp(&self.path).ok(), None);
        let tokens = read_tokens(&self.path)?;
        // First the new ones: whoever has both is never without.
        let added = without(&tokens, &self.good);
        let gone = without(&self.good, &tokens);
        for token in &added {
            server.allow((*token).clone());
        }
        for token in &gone {
            server.revoke(token);
        }
        let reread = Reread {
            added: added.len(),
            withdrawn: gone.len(),
            good: tokens.len(),
        };
        self.good = tokens;
        Ok(reread)
    }
}

/// Those of `these` that are not among the others.
fn without<'a>(these: &'a [Token], others: &[Token]) -> Vec<&'a Token> {
    let is_other = |token: &&Token| !others.iter().any(|other| other.is(token.reveal()));
    these.iter().filter(is_other).collect()
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(file)?;
    Ok(Stamp {
        modified: metadata.modified()?,
        len: metadata.len(),
        #[cfg(unix)]
        inode: std::os::unix::fs::MetadataExt::ino(&metadata),
    })
}

fn read_tokens(path: &Path) -> Result<Vec<Token>, TokenFileError> {
    let file = File::open(path).map_err(TokenFileError::File)?;
    // Only its owner may be able to read it (SPEC C13).
    if let Some(others) = private::others(&file).map_err(TokenFileError::File)? {
        return Err(TokenFileError::Open(others));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(TokenFileError::File)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(TokenFileError::TooLong);
    }
    Token::list(&text).map_err(TokenFileError::List)
}

impl fmt::Display for TokenFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => f.write_str(&system::words(error)),
            Self::Open(others) => write!(
                f,
                "others than its owner can read it ({others}); {}",
                private::REMEDY
            ),
            Self::TooLong => write!(f, "longer than {FILE_BYTES_MAX} bytes"),
            Self::List(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TokenFileError {}

impl fmt::Display for Reread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tokens read again: {} added, {} withdrawn, {} good",
            self.added, self.withdrawn, self.good
        )
    }
}
