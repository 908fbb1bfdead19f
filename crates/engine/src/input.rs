//! Inputs: files, URLs, text, standard input and stored captures, each with its cap.
//!
//! The page of a posting on a job system that publishes its postings as JSON is read there
//! ([`ats_api_url`]); where that does not answer with the posting, the page itself is read.

use ghostlight_detect::{Document, RawInput, keys};
use ghostlight_fetch::{FetchError, Fetched, Fetcher, ats_api_url, classify};
use ghostlight_model::{Issue, Micros, Severity, keys::PostingKey, system};
use ghostlight_store::NewCapture;
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
    /// A stored capture, to be read again: it keeps its time and address, so it stays the same
    /// capture.
    Stored(NewCapture),
}

/// Bytes and what is known about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acquired {
    pub bytes: Vec<u8>,
    /// When a stored capture arrived; `None` for what arrives now.
    pub fetched_at: Option<Micros>,
    pub url: Option<String>,
    pub final_url: Option<String>,
    pub http_status: Option<u16>,
    pub content_type: Option<String>,
    /// What the posting can be recognised by besides what its document says: the typed address,
    /// where a job system's answer was read in its place.
    pub keys: Vec<PostingKey>,
    /// For `FETCH`'s metrics: which was read, where there is a choice: the page, the job system's
    /// answer, or a stored capture.
    pub read: Option<&'static str>,
    /// For `FETCH`'s metrics: why the job system's answer was not read, a code.
    pub api_trouble: Option<&'static str>,
}

/// Why there are no bytes.
#[derive(Debug)]
pub(crate) struct Refused {
    pub issue: Issue,
    /// 404 or 410, where that is the reason.
    pub gone: Option<u16>,
}

impl From<Issue> for Refused {
    fn from(issue: Issue) -> Self {
        Self { issue, gone: None }
    }
}

impl From<&FetchError> for Refused {
    fn from(error: &FetchError) -> Self {
        let gone = match error {
            FetchError::Gone { status, .. } => Some(*status),
            _ => None,
        };
        Self {
            issue: self::error(error.code(), error.to_string(), error.hint()),
            gone,
        }
    }
}

impl Acquired {
    /// As detection takes it.
    pub fn raw<'a>(&'a self, name: &'a str) -> RawInput<'a> {
        RawInput {
            bytes: &self.bytes,
            name: Some(name),
            url: self.final_url.as_deref(),
            content_type: self.content_type.as_deref(),
        }
    }
}

impl From<NewCapture> for Acquired {
    fn from(stored: NewCapture) -> Self {
        Self {
            bytes: stored.bytes,
            fetched_at: Some(stored.fetched_at),
            url: stored.url,
            final_url: stored.final_url,
            http_status: stored.http_status,
            content_type: stored.content_type,
            read: Some("capture"),
            ..Self::default()
        }
    }
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
            Input::Stored(capture) => capture.name.clone(),
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
            Input::Text { .. } | Input::Stored(_) => None,
        }
    }

    /// Gets the bytes.
    pub(crate) fn acquire(self, fetcher: &Fetcher) -> Result<Acquired, Refused> {
        match self {
            Input::File(path) => Ok(read_file(&path)?),
            Input::Url(url) => fetch(fetcher, url.trim()),
            Input::Text { name, bytes } if bytes.len() as u64 > INPUT_BYTES_MAX => {
                Err(too_large(&name).into())
            }
            Input::Text { bytes, .. } => Ok(Acquired {
                bytes,
                ..Acquired::default()
            }),
            Input::Stored(capture) => Ok(capture.into()),
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
    // Asked before it is opened: Windows opens no folder, and says that access is denied.
    if path.is_dir() {
        return Err(error(
            "folder",
            format!("{name} is a folder, not a posting."),
            "Choose the files inside it.",
        ));
    }
    let file = File::open(path).map_err(|e| unreadable(&name, &e))?;
    Ok(Acquired {
        bytes: read_capped(&name, file)?,
        ..Acquired::default()
    })
}

fn fetch(fetcher: &Fetcher, typed: &str) -> Result<Acquired, Refused> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| unreadable(typed, &e))?;
    let acquired = runtime.block_on(fetch_posting(fetcher, typed));
    // A look-up that hangs in the system's resolver must not keep us.
    runtime.shutdown_timeout(Duration::from_millis(100));
    acquired
}

/// The posting at `typed`: from its job system where that answers, else its page.
async fn fetch_posting(fetcher: &Fetcher, typed: &str) -> Result<Acquired, Refused> {
    let api = classify(typed).ok().and_then(|url| ats_api_url(&url));
    let Some(api) = api else {
        return fetch_page(fetcher, typed).await;
    };
    let keys = keys::of_url(typed);
    let answer = fetcher.get(api.as_str()).await;
    let trouble = match &answer {
        Ok(answer) => match own_job(answer, &keys) {
            Some(job) => return Ok(of_api(typed, answer, job, keys)),
            None => "no_such_job",
        },
        Err(error) => error.code(),
    };
    let page = fetch_page(fetcher, typed).await?;
    // A job system that has no such job any more sends its visitors to the list of the others.
    if let Err(error @ FetchError::Gone { .. }) = &answer
        && !same_job(page.final_url.as_deref(), &keys)
    {
        return Err(error.into());
    }
    Ok(Acquired {
        api_trouble: Some(trouble),
        read: Some("page"),
        ..page
    })
}

async fn fetch_page(fetcher: &Fetcher, typed: &str) -> Result<Acquired, Refused> {
    let page = fetcher.get(typed).await.map_err(|e| Refused::from(&e))?;
    Ok(Acquired {
        content_type: content_type(&page),
        bytes: page.bytes,
        url: Some(typed.to_owned()),
        final_url: Some(page.final_url.into()),
        http_status: Some(page.status),
        ..Acquired::default()
    })
}

/// Of a job system's answer the one job: as with a board's file, its capture holds its own object.
fn of_api(typed: &str, answer: &Fetched, job: Document, keys: Vec<PostingKey>) -> Acquired {
    Acquired {
        bytes: job.source.into_bytes(),
        url: Some(typed.to_owned()),
        final_url: Some(answer.final_url.to_string()),
        http_status: Some(answer.status),
        content_type: content_type(answer),
        keys,
        read: Some("ats_api"),
        ..Acquired::default()
    }
}

/// The job that `keys` name: the one that says so itself, or the only one if it names no job id at
/// all (Greenhouse gives an employer's own address for it).
fn own_job(answer: &Fetched, keys: &[PostingKey]) -> Option<Document> {
    let raw = RawInput {
        bytes: &answer.bytes,
        name: None,
        url: Some(answer.final_url.as_str()),
        content_type: answer.content_type.as_deref(),
    };
    let is_job_id = |key: &&PostingKey| matches!(key, PostingKey::Ats { .. });
    let wanted = keys.iter().find(is_job_id)?;
    let mut jobs = ghostlight_detect::open(&raw).ok()?;
    jobs.retain(|job| job.format == ghostlight_detect::Format::AtsJson);
    let at = match &jobs[..] {
        [only] if !only.keys.iter().any(|key| is_job_id(&key)) => 0,
        jobs => jobs.iter().position(|job| job.keys.contains(wanted))?,
    };
    Some(jobs.swap_remove(at))
}

fn same_job(url: Option<&str>, keys: &[PostingKey]) -> bool {
    url.is_some_and(|url| keys::of_url(url).first() == keys.first())
}

fn content_type(fetched: &Fetched) -> Option<String> {
    let charset = fetched.charset.as_ref().map(|c| format!("; charset={c}"));
    let media = fetched.content_type.as_ref()?;
    Some(format!("{media}{}", charset.unwrap_or_default()))
}

fn unreadable(name: &str, e: &std::io::Error) -> Issue {
    error(
        "unreadable",
        format!("The input {name:?} cannot be read: {}.", system::words(e)),
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

/// An error of a step: what happened and what to do.
pub(crate) fn error(code: &str, message: String, hint: &str) -> Issue {
    Issue::new(code, Severity::Error, message, Some(hint))
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
    fn a_folder_or_a_missing_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_file(folder.path()).unwrap_err().code, "folder");
        assert_eq!(
            read_file(&folder.path().join("none")).unwrap_err().code,
            "unreadable"
        );
    }
}
