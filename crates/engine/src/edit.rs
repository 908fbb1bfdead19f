//! The bodies of the commands that change a card: a person's edits, and what is done with their history.

use crate::{Engine, Handle, commands::check_note, store_error};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{
        CreateBranch, DeleteBranch, EditField, Edited, FieldInput, KeepDraft, MergeBranch,
        MergeChoice, MergeDone, Redo, RestoreVersion, SwitchBranch, Undo, UndoMerge, Undone,
    },
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId, Source,
    card::Chosen,
    commit::AuthorId,
    typed::{self, Beside, TypedError},
};
use ghostlight_store::{
    MergeRequest, NewBranch, PersonChange, RestoreRequest, StoreError, UnmergeRequest, history,
    read::PostingCard,
};
use std::collections::BTreeMap;

impl Engine {
    pub(crate) fn posting_card(&self, posting: PostingId) -> Result<PostingCard, ApiError> {
        let found = self.store().posting(posting).map_err(|e| store_error(&e))?;
        found.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("Posting {posting} is not in the store."),
                "It may have been removed; look again at what there is.",
            )
        })
    }

    fn put_draft(
        &self,
        posting: PostingId,
        field: FieldKey,
        text: Option<String>,
    ) -> Result<(), ApiError> {
        let now = self.shared.host.now();
        let kept = self.store().put_draft(posting, field, text, now).wait();
        kept.map_err(|e| store_error(&e))
    }
}

impl Engine {
    /// This person, with a key, now.
    pub(crate) fn by_me(&self, key: String) -> (AuthorId, String, Micros) {
        (self.shared.author.clone(), key, self.shared.host.now())
    }
}

/// A store's answer as the edge gives it.
fn answer<T>(done: Result<T, StoreError>) -> Result<T, ApiError> {
    done.map_err(|e| store_error(&e))
}

impl Handle<Undo> for Engine {
    fn handle(&self, c: Undo) -> Result<Undone, ApiError> {
        let by = self.by_me(c.key);
        if c.past_merge {
            return answer(self.store().undo(c.posting, by).wait()).map(Undone::Done);
        }
        let undone = answer(self.store().undo_to_merge(c.posting, by).wait())?;
        Ok(match undone {
            ghostlight_store::Undone::Done(id) => Undone::Done(id),
            ghostlight_store::Undone::MergeAbove(merge) => Undone::MergeAbove(merge),
        })
    }
}

impl Handle<Redo> for Engine {
    fn handle(&self, c: Redo) -> Result<CommitId, ApiError> {
        answer(self.store().redo(c.posting, self.by_me(c.key)).wait())
    }
}

impl Handle<CreateBranch> for Engine {
    fn handle(&self, c: CreateBranch) -> Result<CommitId, ApiError> {
        let new = NewBranch {
            posting: c.posting,
            name: c.name,
            at: c.at,
            switch: c.switch,
            now: self.shared.host.now(),
        };
        answer(self.store().create_branch(new).wait())
    }
}

impl Handle<SwitchBranch> for Engine {
    fn handle(&self, c: SwitchBranch) -> Result<(), ApiError> {
        answer(self.store().switch_branch(c.posting, c.name).wait())
    }
}

impl Handle<DeleteBranch> for Engine {
    fn handle(&self, c: DeleteBranch) -> Result<(), ApiError> {
        answer(self.store().delete_branch(c.posting, c.name).wait())
    }
}

impl Handle<MergeBranch> for Engine {
    fn handle(&self, c: MergeBranch) -> Result<MergeDone, ApiError> {
        check_note(&c.message)?;
        let current = self.posting_card(c.posting)?.card.fields;
        let mut resolutions = BTreeMap::new();
        for (field, choice) in c.resolutions {
            let stands = current.iter().find(|f| f.key == field);
            let stands = stands.and_then(|f| f.chosen.as_ref());
            let choice = match choice {
                MergeChoice::Ours => history::MergeChoice::Ours,
                MergeChoice::Theirs => history::MergeChoice::Theirs,
                MergeChoice::Base => history::MergeChoice::Base,
                MergeChoice::Text(text) => {
                    history::MergeChoice::Value(wanted(&field, FieldInput::Text(text), stands)?)
                }
                MergeChoice::Value(None) => history::MergeChoice::Value(None),
                MergeChoice::Value(Some(value)) => {
                    history::MergeChoice::Value(wanted(&field, FieldInput::Value(value), stands)?)
                }
            };
            resolutions.insert(field, choice);
        }
        let (author, key, now) = self.by_me(c.key);
        let done = self.store().merge(MergeRequest {
            posting: c.posting,
            from: c.from,
            looked_at: c.looked_at,
            resolutions,
            author,
            message: c.message,
            key,
            now,
        });
        let done = answer(done.wait())?;
        Ok(MergeDone {
            head: done.head,
            joined: done.joined,
        })
    }
}

impl Handle<RestoreVersion> for Engine {
    fn handle(&self, c: RestoreVersion) -> Result<CommitId, ApiError> {
        check_note(&c.message)?;
        let (author, key, now) = self.by_me(c.key);
        let done = self.store().restore(RestoreRequest {
            posting: c.posting,
            version: c.version,
            looked_at: c.looked_at,
            author,
            message: c.message,
            key,
            now,
        });
        answer(done.wait())
    }
}

impl Handle<UndoMerge> for Engine {
    fn handle(&self, c: UndoMerge) -> Result<CommitId, ApiError> {
        check_note(&c.message)?;
        let (author, key, now) = self.by_me(c.key);
        let done = self.store().unmerge(UnmergeRequest {
            posting: c.posting,
            merge: c.merge,
            keep: c.keep,
            looked_at: c.looked_at,
            author,
            message: c.message,
            key,
            now,
        });
        answer(done.wait())
    }
}

/// A value that cannot stand, as the edge shows it.
pub(crate) fn not_a_value(field: &FieldKey, error: &TypedError) -> ApiError {
    ApiError::new(
        ErrorCode::Rule,
        error.to_string(),
        format!(
            "Correct {}; nothing was saved, and what was there stands.",
            field.label()
        ),
    )
}

/// The value to save; `None` to withdraw.
fn wanted(
    field: &FieldKey,
    input: FieldInput,
    current: Option<&Chosen>,
) -> Result<Option<FieldValue>, ApiError> {
    let refuse = |error: TypedError| not_a_value(field, &error);
    match input {
        FieldInput::Text(text) => {
            let current = current.map(|chosen| &chosen.value);
            typed::read(field, current, &text).map(Some).map_err(refuse)
        }
        FieldInput::Value(value) => {
            typed::check(field, &value).map_err(refuse)?;
            Ok(Some(value))
        }
        FieldInput::Withdraw => Ok(None),
    }
}

impl Handle<KeepDraft> for Engine {
    fn handle(&self, c: KeepDraft) -> Result<(), ApiError> {
        self.put_draft(c.posting, c.field, c.text)
    }
}

impl Handle<EditField> for Engine {
    fn handle(&self, c: EditField) -> Result<Edited, ApiError> {
        check_note(&c.message)?;
        if c.field == FieldKey::Outcome {
            return Err(ApiError::new(
                ErrorCode::Rule,
                "Outcomes are recorded one by one, not edited.",
                "Record another outcome instead.",
            ));
        }
        let found = self.posting_card(c.posting)?;
        let field = found.card.fields.iter().find(|field| field.key == c.field);
        let current = field.and_then(|field| field.chosen.as_ref());
        let value = wanted(&c.field, c.input, current)?;
        let warnings = value.as_ref().map(|value| {
            typed::warnings(&c.field, value, Beside::of(&found.card.fields))
                .iter()
                .map(ToString::to_string)
                .collect()
        });
        let mut edited = Edited {
            saved: false,
            commit: None,
            value,
            warnings: warnings.unwrap_or_default(),
        };
        if !edited.warnings.is_empty() && !c.override_warnings {
            return Ok(edited);
        }
        // Withdrawing twice, or saving what a person saved already, changes nothing.
        let stands = match c.field {
            FieldKey::Verdict => {
                let verdict = found.card.verdict.as_ref();
                let said = verdict.map(|v| (v.word.clone(), v.note.as_str()));
                let wanted = edited.value.as_ref();
                said == wanted.map(|value| (value.display(), c.message.as_str()))
            }
            _ => {
                let by_person = current.filter(|chosen| chosen.source == Source::User);
                by_person.map(|chosen| &chosen.value) == edited.value.as_ref()
            }
        };
        if stands {
            self.put_draft(c.posting, c.field, None)?;
            edited.saved = true;
            return Ok(edited);
        }
        let change = PersonChange {
            posting: c.posting,
            author: self.shared.author.clone(),
            message: c.message,
            field: c.field,
            value: edited.value.clone(),
            key: c.key,
            now: self.shared.host.now(),
        };
        let commit = self.shared.hub.commit_change(change).wait();
        edited.commit = Some(commit.map_err(|e| store_error(&e))?);
        edited.saved = true;
        Ok(edited)
    }
}
