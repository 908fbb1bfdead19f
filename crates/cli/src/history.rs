//! What `edit` and `log` share: which posting and which version is meant, and errors of the edge.

use crate::output::{Exit, fail};
use ghostlight_api::{ApiError, ErrorCode};
use ghostlight_detect::keys;
use ghostlight_engine::{Engine, StoreError};
use ghostlight_model::{CommitId, PostingId, commit::AuthorId};

/// So many digits of a version's id at least name it.
const PREFIX_MIN: usize = 6;

/// The end for an error of the edge: what cannot be done as things stand is *nothing found*.
pub(crate) fn refuse(error: &ApiError) -> Exit {
    let exit = match error.code {
        ErrorCode::Rule | ErrorCode::Input | ErrorCode::Unsupported => Exit::Usage,
        ErrorCode::NotFound | ErrorCode::Declined | ErrorCode::Stale => Exit::NothingFound,
        _ => Exit::Store,
    };
    fail(exit, &error.message, error.hint.as_deref())
}

/// The end for an error of the store.
pub(crate) fn trouble(error: &StoreError) -> Exit {
    refuse(&ghostlight_engine::store_error(error))
}

/// The posting of an id or a web address.
pub(crate) fn posting(engine: &Engine, text: &str) -> Result<PostingId, Exit> {
    let store = engine.hub().store();
    let id = match text.parse::<PostingId>() {
        Ok(id) => Some(id),
        Err(error) => {
            let keys = keys::of_url(text);
            if keys.is_empty() {
                let hint = "Give a posting_id as `analyze --json` prints it, or the posting's web address.";
                return Err(fail(Exit::Usage, &error.to_string(), Some(hint)));
            }
            store.recognised(&keys).map_err(|e| trouble(&e))?
        }
    };
    let known = id.map(|id| store.posting(id)).transpose();
    match (id, known.map_err(|e| trouble(&e))?.flatten()) {
        (Some(id), Some(_)) => Ok(id),
        _ => Err(fail(
            Exit::NothingFound,
            &format!("posting {text} is not in the store"),
            Some("Analyse it first, or check the data folder."),
        )),
    }
}

/// The versions on the checked-out branch with their authors, oldest first; the first has number 1.
pub(crate) fn versions(
    engine: &Engine,
    posting: PostingId,
) -> Result<Vec<(CommitId, AuthorId)>, Exit> {
    let versions = engine.hub().store().version_ids(posting);
    versions.map_err(|e| trouble(&e))
}

/// The version that a number, an id or the beginning of an id names.
pub(crate) fn version(
    engine: &Engine,
    posting: PostingId,
    versions: &[(CommitId, AuthorId)],
    text: &str,
) -> Result<CommitId, Exit> {
    let unknown = || {
        fail(
            Exit::NothingFound,
            &format!("there is no version {text} of this posting"),
            Some("`ghostlight log` prints numbers and ids."),
        )
    };
    if let Ok(number) = text.parse::<usize>()
        && text.len() < PREFIX_MIN
    {
        let found = number.checked_sub(1).and_then(|at| versions.get(at));
        return found.map(|(id, _)| *id).ok_or_else(unknown);
    }
    if let Ok(id) = text.parse::<CommitId>() {
        let found = engine.hub().store().commit(posting, id);
        return found
            .map_err(|e| trouble(&e))?
            .map(|_| id)
            .ok_or_else(unknown);
    }
    let begins = |id: &CommitId| text.len() >= PREFIX_MIN && id.to_string().starts_with(text);
    let mut found = versions.iter().map(|(id, _)| *id).filter(begins);
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => Err(fail(
            Exit::Usage,
            &format!("several versions begin with {text}"),
            Some("Give more digits of the id."),
        )),
        (None, _) => Err(unknown()),
    }
}
