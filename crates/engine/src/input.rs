//! Inputs: files, URLs, text and standard input, each with its cap.

use ghostlight_fetch::{FetchError, Fetcher};
use ghostlight_model::{Issue, Severity};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

/// A file, standard input or a paste may hold so many bytes; reading stops there.
pub const INPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Something to analyse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// A web page, as typed.
    Url(String),
    /// Text or a page's source at hand.
    Text {
        /// What to call it.
        name: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// Bytes and what is known about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acquired {
    pub bytes: Vec<u8>,
    pub url: Option<String>,
    pub final_url: Option<String>,
    pub http_status: Option<u16>,
    pub content_type: Option<String>,
}

impl Input {
    /// What it is called on screen.
    pub fn label(&self) -> String {
        match self {
            Input::File(path) => path.file_name().map_or_else(
                || path.display().to_string(),
                |n| n.to_string_lossy().into_owned(),
            ),
            Input::Url(url) => url.trim().to_owned(),
            Input::Text { name, .. } => name.clone(),
        }
    }

    /// Where it can be read again.
    pub fn location(&self) -> Option<String> {
        match self {
            Input::File(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Some(path.display().to_string())
            }
            Input::Url(url) => Some(url.trim().to_owned()),
            Input::Text { .. } => None,
        }
    }

    /// Gets the bytes.
    pub(crate) fn acquire(self, fetcher: &Fetcher) -> Result<Acquired, Issue> {
        match self {
            Input::File(path) => read_file(&path),
            Input::Url(url) => fetch(fetcher, url.trim()),
            Input::Text { name, bytes } if bytes.len() as u64 > INPUT_BYTES_MAX => {
                Err(too_large(&name))
            }
            Input::Text { bytes, .. } => Ok(Acquired {
                bytes,
                ..Acquired::default()
            }),
        }
    }
}

/// Reads to the end or to the cap.
///
/// # Errors
/// The issue to show: unreadable, or larger than [`INPUT_BYTES_MAX`].
pub fn read_capped(name: &str, from: impl Read) -> Result<Vec<u8>, Issue> {
    let mut bytes = Vec::new();
    from.take(INPUT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(name, &e))?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        return Err(too_large(name));
    }
    Ok(bytes)
}

fn read_file(path: &Path) -> Result<Acquired, Issue> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| unreadable(&name, &e))?;
    let metadata = file.metadata().map_err(|e| unreadable(&name, &e))?;
    if metadata.is_dir() {
        return Err(error(
            "folder",
            format!("{name} is a folder, not a posting."),
            "Choose the files inside it.",
        ));
    }
    Ok(Acquired {
        bytes: read_capped(&name, file)?,
        ..Acquired::default()
    })
}

fn fetch(fetcher: &Fetcher, url: &str) -> Result<Acquired, Issue> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| unreadable(url, &e))?;
    let fetched = runtime.block_on(fetcher.get(url));
    // A look-up that hangs in the system's resolver must not keep us.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let fetched = fetched.map_err(|e| fetch_issue(&e))?;
    let charset = fetched
        .charset
        .map(|c| format!("; charset={c}"))
        .unwrap_or_default();
    Ok(Acquired {
        bytes: fetched.bytes,
        url: Some(url.to_owned()),
        final_url: Some(fetched.final_url.to_string()),
        http_status: Some(fetched.status),
        content_type: fetched.content_type.map(|t| format!("{t}{charset}")),
    })
}

fn fetch_issue(e: &FetchError) -> Issue {
    error(e.code(), e.to_string(), e.hint())
}

fn unreadable(name: &str, e: &std::io::Error) -> Issue {
    error(
        "unreadable",
        format!("{name} cannot be read: {e}."),
        "Check that the file exists and that you may read it.",
    )
}

fn too_large(name: &str) -> Issue {
    error(
        "too_large",
        format!(
            "{name} is larger than the cap of 64 MiB for files, standard input and pastes; reading stopped there."
        ),
        "Give the posting alone, or split the file.",
    )
}

/// An error as the screen shows it: what happened and what to do, each a whole sentence.
pub(crate) fn error(code: &str, message: String, hint: &str) -> Issue {
    in_sentences(Issue {
        code: code.into(),
        severity: Severity::Error,
        message,
        hint: Some(hint.to_owned()),
    })
}

/// Libraries word their errors as parts of a sentence; people read whole ones.
pub(crate) fn in_sentences(issue: Issue) -> Issue {
    Issue {
        message: sentence(&issue.message),
        hint: issue.hint.as_deref().map(sentence),
        ..issue
    }
}

/// With a capital, unless it begins with a name such as a file's or an address, and a full stop.
fn sentence(text: &str) -> String {
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
    fn reading_stops_at_the_cap() {
        let endless = std::io::repeat(b'x');
        let issue = read_capped("standard input", endless).unwrap_err();
        assert_eq!(issue.code, "too_large");
        assert!(issue.message.contains("64 MiB"));
        assert_eq!(read_capped("f", &b"abc"[..]).unwrap(), b"abc");
    }

    #[test]
    fn errors_read_as_sentences() {
        for (text, want) in [
            ("the input is empty", "The input is empty."),
            ("http://x.example/ refused", "http://x.example/ refused."),
            (
                "posting.html: the input is empty.",
                "posting.html: the input is empty.",
            ),
            ("", ""),
        ] {
            assert_eq!(sentence(text), want);
        }
    }

    #[test]
    fn a_folder_or_a_missing_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_file(folder.path()).unwrap_err().code, "folder");
        assert_eq!(
            read_file(&folder.path().join("none")).unwrap_err().code,
            "unreadable"
        );
    }
}
