//! The bodies of the commands that change a card: a person's edits.

use crate::{Engine, Handle, commands::check_note, store_error};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{EditField, Edited, FieldInput, KeepDraft},
};
use ghostlight_model::{
    FieldKey, FieldValue, PostingId, Source,
    card::Chosen,
    typed::{self, Beside, TypedError},
};
use ghostlight_store::{PersonChange, read::PostingCard};

impl Engine {
    fn posting_card(&self, posting: PostingId) -> Result<PostingCard, ApiError> {
        let found = self.store().posting(posting).map_err(|e| store_error(&e))?;
        found.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("Posting {posting} is not in the store."),
                "Choose another from the list.",
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

/// A value that cannot stand, as the edge shows it.
fn not_a_value(field: &FieldKey, error: &TypedError) -> ApiError {
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
        let by_person = current.filter(|chosen| chosen.source == Source::User);
        let stands = by_person.map(|chosen| &chosen.value) == edited.value.as_ref();
        // Withdrawing twice, or saving what a person saved already, changes nothing.
        if stands && c.field != FieldKey::Verdict {
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
