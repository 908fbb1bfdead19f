//! Suggestions for a card's fields: what the view shows, accepting and dismissing (SPEC B6). How they are weighed is
//! `model::suggest`'s, what they are made from `store::suggest`'s.

use crate::{Engine, Handle, edit::not_a_value, store_error};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{AcceptSuggestions, DismissSuggestion},
    view::SuggestionsView,
};
use ghostlight_model::{
    CommitId, FieldKey, PostingId,
    suggest::{self, Known},
    typed,
};
use ghostlight_store::{Acceptance, Accepted, Asked, Dismissal, StoreError};

impl Engine {
    /// Suggestions for all fields of a posting's card; `None` if it is not in the store.
    pub(crate) fn suggestions(
        &self,
        posting: PostingId,
    ) -> Result<Option<SuggestionsView>, StoreError> {
        let Some(found) = self.store().posting(posting)? else {
            return Ok(None);
        };
        let fields = found.card.fields.iter();
        let fields = fields.filter(|field| !matches!(field.key, FieldKey::Custom(_)));
        let asked: Vec<Asked> = fields
            .clone()
            .map(|field| Asked {
                field: field.key.clone(),
                machine: suggest::machine_value(field).map(|(v, method)| (v.clone(), method)),
            })
            .collect();
        let employer = found.summary.company;
        let heard = self.store().heard(posting, &employer, &asked)?;
        let model = self.model_offers(posting, found.run.capture)?;
        let (none, never) = Default::default();
        let suggestions = fields.flat_map(|field| {
            suggest::suggest(Known {
                field,
                model: model.get(&field.key).map_or(&[], Vec::as_slice),
                employer: heard.employer.get(&field.key).map_or(&[], Vec::as_slice),
                precedents: heard.precedents.get(&field.key).map_or(&[], Vec::as_slice),
                tallies: heard.tallies.get(&field.key).unwrap_or(&none),
                dismissed: heard.dismissed.get(&field.key).unwrap_or(&never),
            })
        });
        Ok(Some(SuggestionsView {
            suggestions: suggestions.collect(),
            employer,
            accuracy: heard.accuracy,
        }))
    }
}

impl Handle<AcceptSuggestions> for Engine {
    fn handle(&self, c: AcceptSuggestions) -> Result<Option<CommitId>, ApiError> {
        if c.accept.len() > FieldKey::DETECTED.len() {
            return Err(ApiError::new(
                ErrorCode::Rule,
                format!(
                    "{} suggestions are more than a card has fields.",
                    c.accept.len()
                ),
                "Accept one for each field.",
            ));
        }
        for one in &c.accept {
            typed::check(&one.field, &one.value).map_err(|e| not_a_value(&one.field, &e))?;
        }
        let (author, key, now) = self.by_me(c.key);
        let accepted = c.accept.into_iter().map(|one| Accepted {
            field: one.field,
            value: one.value,
            stood: one.stood,
            origin: one.origin,
        });
        let acceptance = Acceptance {
            posting: c.posting,
            author,
            accepted: accepted.collect(),
            key,
            now,
        };
        let done = self.store().accept(acceptance).wait();
        done.map_err(|e| store_error(&e))
    }
}

impl Handle<DismissSuggestion> for Engine {
    fn handle(&self, c: DismissSuggestion) -> Result<(), ApiError> {
        let dismissal = Dismissal {
            posting: c.posting,
            field: c.field,
            value: c.value,
            origin: c.origin,
            again: c.again,
            now: self.shared.host.now(),
        };
        let done = self.store().dismiss(dismissal).wait();
        done.map_err(|e| store_error(&e))
    }
}
