//! The tokens of a hub that serves: the environment's, or those of a file, which is read again when it changes or SIGHUP
//! comes.

use crate::{
    Global,
    output::{Exit, fail, variable},
};
use ghostlight_hub::server::{Reread, Server, Token, TokenError, TokenFile, TokenFileError};
use std::path::{Path, PathBuf};

/// The environment variable with a token of one's own choosing.
const TOKEN_VARIABLE: &str = "GHOSTLIGHT_HUB_TOKEN";

/// The good tokens, and where they come from.
pub(crate) struct Tokens {
    from: From,
    quiet: bool,
}

enum From {
    /// Stays for as long as the process lives.
    Environment(Token),
    File(TokenFile),
}

impl Tokens {
    /// The environment's token, else those of a file; without a name that of the data folder, which is made if there is
    /// none.
    pub fn of(global: &Global, folder: &Path, named: Option<&Path>) -> Result<Self, Exit> {
        let from = match (variable(TOKEN_VARIABLE)?, named) {
            (Some(_), Some(_)) => {
                let message = format!("--tokens and {TOKEN_VARIABLE} both name tokens");
                return Err(fail(Exit::Usage, &message, Some("Leave one of them out.")));
            }
            (Some(text), None) => {
                let token = Token::new(&text);
                From::Environment(token.map_err(|error| {
                    fail(Exit::Usage, &format!("{TOKEN_VARIABLE}: {error}"), None)
                })?)
            }
            (None, Some(file)) => From::File(open(file.to_owned(), true)?),
            (None, None) => From::File(open(Token::file_of(folder).map_err(not_made)?, false)?),
        };
        Ok(Self {
            from,
            quiet: global.quiet,
        })
    }

    /// Those that are good; there is always one.
    pub fn good(&self) -> &[Token] {
        match &self.from {
            From::Environment(token) => std::slice::from_ref(token),
            From::File(file) => file.good(),
        }
    }

    /// Reads the file again if it has changed.
    pub fn look(&mut self, server: &Server) {
        if let From::File(file) = &mut self.from
            && let Some(reread) = file.look(server)
        {
            let said = words(file, reread);
            self.tell(said);
        }
    }

    /// Reads the file now.
    pub fn reload(&mut self, server: &Server) {
        match &mut self.from {
            From::Environment(_) => {
                let said = format!("the token is that of {TOKEN_VARIABLE}, and stays as it is");
                self.note(&said);
            }
            From::File(file) => {
                let reread = file.reload(server);
                let said = words(file, reread);
                self.tell(said);
            }
        }
    }

    fn tell(&self, said: Result<String, String>) {
        match said {
            Ok(said) => self.note(&said),
            Err(trouble) => eprintln!("ghostlight: {trouble}"),
        }
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("ghostlight: {text}");
        }
    }
}

/// What another reading of a file came to; or why it was not taken, which is said also where quiet is asked for.
fn words(file: &TokenFile, reread: Result<Reread, TokenFileError>) -> Result<String, String> {
    let file = file.path().display();
    reread
        .map(|reread| reread.to_string())
        .map_err(|trouble| format!("{file}: {trouble}; the tokens stay as they were"))
}

/// Reads the file that was named, or that of the data folder.
fn open(file: PathBuf, named: bool) -> Result<TokenFile, Exit> {
    TokenFile::open(file.clone()).map_err(|trouble| {
        let hint = match named {
            true => "A token file has one token a line; lines that begin with # do not count.",
            false => "Remove the file to have a new token made, or set GHOSTLIGHT_HUB_TOKEN.",
        };
        let exit = match (&trouble, named) {
            (TokenFileError::File(_), false) => Exit::Store,
            _ => Exit::Usage,
        };
        let message = format!("{}: {trouble}", file.display());
        fail(exit, &message, Some(hint))
    })
}

fn not_made(error: TokenError) -> Exit {
    fail(Exit::Store, &format!("hub-token: {error}"), None)
}
