//! The tokens of a hub that serves: read at the start, and again when their file changes or SIGHUP comes.
//!
//! A file counts as a whole: what is refused in it is said, and the tokens that were good stay good. So a file that is
//! being written locks nobody out.

use crate::{
    Global,
    output::{Exit, fail, variable},
};
use ghostlight_hub::server::{Server, Token, TokenError};
use ghostlight_model::system;
use ghostlight_store::private;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// The environment variable with a token of one's own choosing.
const TOKEN_VARIABLE: &str = "GHOSTLIGHT_HUB_TOKEN";
/// Time between two looks at the file. A change is taken when two looks see the same: then nobody is writing.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes of a token file at most; a longer one is another file by mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The good tokens, and where they come from.
pub(crate) struct Tokens {
    /// `None`: the environment's, for as long as the process lives.
    file: Option<PathBuf>,
    good: Vec<Token>,
    /// The file as it was when it was last read, whether or not it was taken.
    read: Option<Stamp>,
    /// As it was at the last look, if that was another.
    seen: Option<Stamp>,
    looked: Instant,
    quiet: bool,
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
enum Trouble {
    File(io::Error),
    /// These can read it besides its owner.
    Open(String),
    TooLong,
    List(TokenError),
}

impl Tokens {
    /// The environment's token, else those of a file; without a name that of the data folder, which is made if there is
    /// none.
    pub fn of(global: &Global, folder: &Path, named: Option<&Path>) -> Result<Self, Exit> {
        let mut tokens = Self {
            file: None,
            good: Vec::new(),
            read: None,
            seen: None,
            looked: Instant::now(),
            quiet: global.quiet,
        };
        match (variable(TOKEN_VARIABLE)?, named) {
            (Some(_), Some(_)) => {
                let message = format!("--tokens and {TOKEN_VARIABLE} both name tokens");
                return Err(fail(Exit::Usage, &message, Some("Leave one of them out.")));
            }
            (Some(text), None) => {
                let token = Token::new(&text);
                let token = token.map_err(|error| {
                    fail(Exit::Usage, &format!("{TOKEN_VARIABLE}: {error}"), None)
                })?;
                tokens.good.push(token);
                return Ok(tokens);
            }
            (None, _) => {}
        }
        let file = match named {
            Some(file) => file.to_owned(),
            None => Token::file_of(folder).map_err(not_made)?,
        };
        tokens.read = stamp(&file).ok();
        tokens.good = read(&file).map_err(|trouble| trouble.at_start(&file, named.is_some()))?;
        tokens.file = Some(file);
        Ok(tokens)
    }

    /// Those that are good; there is always one.
    pub fn good(&self) -> &[Token] {
        &self.good
    }

    /// Reads the file again if it has changed.
    pub fn look(&mut self, server: &Server) {
        if self.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.looked = Instant::now();
        let Some(file) = &self.file else { return };
        let now = stamp(file).ok();
        if now == self.read {
            self.seen = None;
        } else if now.is_some() && self.seen != now {
            self.seen = now;
        } else {
            self.reload(server);
        }
    }

    /// Reads the file now.
    pub fn reload(&mut self, server: &Server) {
        let Some(file) = &self.file else {
            let said = format!("the token is that of {TOKEN_VARIABLE}, and stays as it is");
            return self.note(&said);
        };
        (self.read, self.seen) = (stamp(file).ok(), None);
        match read(file) {
            Ok(tokens) => self.put(server, tokens),
            Err(trouble) => {
                let file = file.display();
                eprintln!("ghostlight: {file}: {trouble}; the tokens stay as they were");
            }
        }
    }

    fn put(&mut self, server: &Server, tokens: Vec<Token>) {
        // First the new ones: whoever has both is never without.
        let added = without(&tokens, &self.good);
        let gone = without(&self.good, &tokens);
        for token in &added {
            server.allow((*token).clone());
        }
        for token in &gone {
            server.revoke(token);
        }
        let said = format!(
            "tokens read again: {} added, {} withdrawn, {} good",
            added.len(),
            gone.len(),
            tokens.len()
        );
        self.good = tokens;
        self.note(&said);
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("ghostlight: {text}");
        }
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

fn read(path: &Path) -> Result<Vec<Token>, Trouble> {
    let file = File::open(path).map_err(Trouble::File)?;
    // Only its owner may be able to read it (SPEC C13).
    if let Some(others) = private::others(&file).map_err(Trouble::File)? {
        return Err(Trouble::Open(others));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(Trouble::File)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Trouble::TooLong);
    }
    Token::list(&text).map_err(Trouble::List)
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

impl Trouble {
    fn at_start(&self, file: &Path, named: bool) -> Exit {
        let hint = match named {
            true => "A token file has one token a line; lines that begin with # do not count.",
            false => "Remove the file to have a new token made, or set GHOSTLIGHT_HUB_TOKEN.",
        };
        let exit = match (self, named) {
            (Self::File(_), false) => Exit::Store,
            _ => Exit::Usage,
        };
        fail(exit, &format!("{}: {self}", file.display()), Some(hint))
    }
}

fn not_made(error: TokenError) -> Exit {
    fail(Exit::Store, &format!("hub-token: {error}"), None)
}
