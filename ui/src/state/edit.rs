//! An edit of one field: what is typed, what it is worth, and what has to be done about it (SPEC B5).
//!
//! Pure: the row that owns an [`Edit`] keeps the timer, calls the core and hands its answers in. Nothing that was typed
//! is lost: it is saved, or kept as a draft with the reason why it is none, until the person gives it up.

use ghostlight_api::{
    ApiError,
    command::{Edited, FieldInput},
};
use ghostlight_model::{
    FieldKey, FieldValue,
    typed::{self, Beside, Editor},
};

/// Typing is saved when it rests for this long, and kept as a draft as often while it does not, in milliseconds.
pub const AUTO_SAVE_MS: i32 = 800;

/// What the typed text is worth.
#[derive(Debug, Clone, PartialEq)]
pub enum Worth {
    /// It is what is saved.
    Unchanged,
    /// It can be saved.
    Good(FieldValue),
    /// It can be saved if the person is sure of it: a sentence for each doubt.
    Doubtful(FieldValue, Vec<String>),
    /// It cannot be saved, for the reason in this sentence.
    Wrong(String),
}

/// What the row has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Do {
    /// Nothing.
    Nothing,
    /// Save; the answer goes to [`Edit::answered`].
    Save {
        /// What the field is to be.
        input: FieldInput,
        /// In spite of doubts.
        sure: bool,
        /// Why, for the history; empty for what is typed.
        message: String,
        /// The same for each try of the same text.
        key: String,
    },
    /// Keep the text as a draft, or give the draft up.
    Keep(Option<String>),
}

/// What is on its way to the core.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    text: Option<String>,
    sure: bool,
    message: String,
    key: String,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    field: FieldKey,
    /// The value that the text began with, or that was saved since.
    standing: Option<FieldValue>,
    /// It, as text.
    saved: String,
    beside: Beside,
    text: String,
    /// Whether the editor is open; what is typed outlives it.
    open: bool,
    /// Whether the person is sure in spite of the doubts.
    sure: bool,
    sending: Option<Sent>,
    /// What was tried last and failed, to be tried again.
    failed: Option<(Sent, ApiError)>,
    /// The draft that the core keeps.
    kept: Option<String>,
    /// What was saved, until the card shows it; the inner `None` withdrew it.
    done: Option<Option<FieldValue>>,
}

impl Edit {
    /// Opens an editor on what stands, or on what was typed before and not saved.
    pub fn begin(
        field: FieldKey,
        standing: Option<FieldValue>,
        beside: Beside,
        draft: Option<String>,
    ) -> Self {
        let saved = standing.as_ref().map(typed::text_of).unwrap_or_default();
        Self {
            field,
            standing,
            text: draft.clone().unwrap_or_else(|| saved.clone()),
            saved,
            beside,
            open: true,
            sure: false,
            sending: None,
            failed: None,
            kept: draft,
            done: None,
        }
    }

    /// A save of a value from elsewhere, without an editor, and why: another answer, a suggestion, or `None` to withdraw.
    pub fn choose(
        field: FieldKey,
        standing: Option<FieldValue>,
        value: Option<FieldValue>,
        (message, key): (String, String),
    ) -> (Self, Do) {
        let mut edit = Self::begin(field, standing, Beside::default(), None);
        edit.open = false;
        let sent = Sent {
            text: value.as_ref().map(typed::text_of),
            // Somebody looked at it and chose it.
            sure: true,
            message,
            key,
        };
        edit.text = sent.text.clone().unwrap_or_default();
        let wish = edit.send(sent);
        (edit, wish)
    }

    /// Which field.
    pub fn field(&self) -> &FieldKey {
        &self.field
    }

    /// How it is edited.
    pub fn editor(&self) -> Editor {
        Editor::of(&self.field, self.standing.as_ref())
    }

    /// The text in the editor.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the editor is open.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether it is on its way to the core.
    pub fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Why it could not be saved, though it can be tried again.
    pub fn failure(&self) -> Option<&ApiError> {
        self.failed.as_ref().map(|(_, error)| error)
    }

    /// The value to show in place of the card's: what is on its way, or was saved and is not on the card yet. The
    /// inner `None` is a withdrawal.
    pub fn shown(&self) -> Option<Option<FieldValue>> {
        if let Some(sent) = &self.sending {
            return Some(sent.text.as_deref().and_then(|text| self.read(text)));
        }
        self.done.clone()
    }

    /// What was typed.
    pub fn typed(&mut self, text: String) {
        self.sure &= self.text == text;
        self.text = text;
        self.failed = None;
    }

    /// What the text is worth now.
    pub fn worth(&self) -> Worth {
        if self.text == self.saved {
            return Worth::Unchanged;
        }
        match typed::read(&self.field, self.standing.as_ref(), &self.text) {
            Err(error) => Worth::Wrong(error.to_string()),
            Ok(value) if Some(&value) == self.standing.as_ref() => Worth::Unchanged,
            Ok(value) => {
                let doubts = typed::warnings(&self.field, &value, self.beside);
                match doubts.is_empty() || self.sure {
                    true => Worth::Good(value),
                    false => {
                        Worth::Doubtful(value, doubts.iter().map(ToString::to_string).collect())
                    }
                }
            }
        }
    }

    /// What to do once typing rests, and when the editor is left: save it, or keep it as a draft. `fresh` makes a key.
    pub fn settle(&mut self, fresh: impl FnOnce() -> String) -> Do {
        if self.sending.is_some() {
            // Its answer settles what was typed since.
            return Do::Nothing;
        }
        let withdrawal = |(sent, _): &(Sent, _)| sent.text.is_none();
        if self.text.is_empty() && self.failed.as_ref().is_some_and(withdrawal) {
            return self.retry();
        }
        match self.worth() {
            Worth::Unchanged => self.keep(None),
            Worth::Good(_) => {
                let text = Some(self.text.clone());
                let again = self.failed.take().map(|(sent, _)| sent);
                let again = again.filter(|sent| sent.text == text);
                let sent = again.unwrap_or_else(|| Sent {
                    text,
                    sure: self.sure,
                    message: String::new(),
                    key: fresh(),
                });
                self.send(sent)
            }
            Worth::Doubtful(..) | Worth::Wrong(_) => self.keep(Some(self.text.clone())),
        }
    }

    /// What to do while typing goes on: keep what could not be saved yet.
    pub fn stash(&mut self) -> Do {
        match &self.sending {
            Some(sent) if sent.text.as_deref() == Some(&self.text) => Do::Nothing,
            _ => self.keep((self.text != self.saved).then(|| self.text.clone())),
        }
    }

    /// The person is sure in spite of the doubts.
    pub fn be_sure(&mut self) {
        self.sure = true;
    }

    /// The editor closes; what is typed goes on being saved.
    pub fn leave(&mut self) {
        self.open = false;
    }

    /// The editor opens again on what is typed.
    pub fn reopen(&mut self) {
        self.open = true;
    }

    /// Tries again what failed.
    pub fn retry(&mut self) -> Do {
        match self.failed.take() {
            Some((sent, _)) => self.send(sent),
            None => Do::Nothing,
        }
    }

    /// The person gives up what is not saved. What is on its way counts as saved: it cannot be called back, but undone.
    pub fn give_up(&mut self) -> Do {
        let saved = match &self.sending {
            Some(sent) => sent.text.clone().unwrap_or_default(),
            None => self.saved.clone(),
        };
        self.text = saved;
        self.open = false;
        self.failed = None;
        self.keep(None)
    }

    /// The person withdraws the field's value: what machines found stands again.
    pub fn withdraw(&mut self, key: String) -> Do {
        self.open = false;
        self.text = String::new();
        self.send(Sent {
            text: None,
            sure: true,
            message: String::new(),
            key,
        })
    }

    /// The core's answer to what was sent by that key, and what to do next: what was typed meanwhile is settled. `fresh`
    /// makes a key.
    pub fn answered(
        &mut self,
        key: &str,
        answer: Result<Edited, ApiError>,
        fresh: impl FnOnce() -> String,
    ) -> Do {
        // Another one was of an edit that this one took the place of.
        let Some(sent) = self.sending.take_if(|sent| sent.key == key) else {
            return Do::Nothing;
        };
        match self.take(sent, answer) {
            Do::Nothing if self.failed.is_none() => self.settle(fresh),
            wish => wish,
        }
    }

    fn take(&mut self, sent: Sent, answer: Result<Edited, ApiError>) -> Do {
        match answer {
            Ok(edited) if edited.saved => {
                self.standing = edited.value.clone();
                self.saved = edited
                    .value
                    .as_ref()
                    .map(typed::text_of)
                    .unwrap_or_default();
                if sent.text.as_deref().unwrap_or_default() == self.text {
                    self.text = self.saved.clone();
                }
                self.done = edited.commit.map(|_| edited.value);
                Do::Nothing
            }
            // The core has doubts that were not seen here: the card is another by now.
            Ok(edited) => {
                let hint = "Save it all the same, or correct it.";
                let error = ApiError::new(
                    ghostlight_api::ErrorCode::Rule,
                    edited.warnings.join(" "),
                    hint,
                );
                self.failed = Some((Sent { sure: true, ..sent }, error));
                self.keep(Some(self.text.clone()))
            }
            Err(error) => {
                // A withdrawal has no text to keep.
                let typed = sent.text.is_some() || !self.text.is_empty();
                self.failed = Some((sent, error));
                self.keep(typed.then(|| self.text.clone()))
            }
        }
    }

    /// The card came anew: it shows what was saved before.
    pub fn card_came(&mut self) {
        self.done = None;
    }

    /// The person's value on the card: it may have come before the answer.
    pub fn card_shows(&mut self, by_person: Option<&FieldValue>) {
        if self.done.as_ref().map(Option::as_ref) == Some(by_person) {
            self.done = None;
        }
    }

    /// A value that a run found while somebody types: an offer, never put in the place of what is typed.
    pub fn offer<'a>(&self, on_card: Option<&'a FieldValue>) -> Option<&'a FieldValue> {
        on_card.filter(|value| {
            self.open
                && self.sending.is_none()
                && self.done.is_none()
                && Some(*value) != self.standing.as_ref()
        })
    }

    /// Whether there is nothing left of it: closed, and all of it saved or given up.
    pub fn is_over(&self) -> bool {
        !self.open
            && self.sending.is_none()
            && self.failed.is_none()
            && self.done.is_none()
            && self.worth() == Worth::Unchanged
    }

    fn read(&self, text: &str) -> Option<FieldValue> {
        typed::read(&self.field, self.standing.as_ref(), text).ok()
    }

    fn send(&mut self, sent: Sent) -> Do {
        // With the save the core gives it up.
        self.kept = None;
        let input = sent
            .text
            .clone()
            .map_or(FieldInput::Withdraw, FieldInput::Text);
        let wish = Do::Save {
            input,
            sure: sent.sure,
            message: sent.message.clone(),
            key: sent.key.clone(),
        };
        self.sending = Some(sent);
        wish
    }

    /// Keeps `draft`, unless it is kept already.
    fn keep(&mut self, draft: Option<String>) -> Do {
        if self.kept == draft {
            return Do::Nothing;
        }
        self.kept.clone_from(&draft);
        Do::Keep(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::ErrorCode;
    use ghostlight_model::CommitId;

    fn salary() -> Edit {
        let standing = typed::read(&FieldKey::Salary, None, "48000-55000 EUR / year").ok();
        Edit::begin(FieldKey::Salary, standing, Beside::default(), None)
    }

    fn settle(edit: &mut Edit, key: &str) -> Do {
        edit.settle(|| key.to_owned())
    }

    /// The core's answer, behind which nothing is to be settled.
    fn answered(edit: &mut Edit, answer: Result<Edited, ApiError>) -> Do {
        let key = edit.sending.as_ref().map(|sent| sent.key.clone());
        let key = key.unwrap_or_default();
        edit.answered(&key, answer, || panic!("nothing else is to be saved"))
    }

    fn saves(text: &str, key: &str) -> Do {
        Do::Save {
            input: FieldInput::Text(text.into()),
            sure: false,
            message: String::new(),
            key: key.into(),
        }
    }

    fn saved(edit: &Edit, text: &str) -> Result<Edited, ApiError> {
        Ok(Edited {
            saved: true,
            commit: Some(CommitId([1; 32])),
            value: edit.read(text),
            warnings: Vec::new(),
        })
    }

    fn offline() -> Result<Edited, ApiError> {
        Err(ApiError::new(
            ErrorCode::Store,
            "The disk is full.",
            "Free some space.",
        ))
    }

    #[test]
    fn what_is_typed_is_saved_once_it_rests_and_shown_at_once() {
        let mut edit = salary();
        assert_eq!(edit.worth(), Worth::Unchanged);
        assert_eq!(settle(&mut edit, "a"), Do::Nothing);
        edit.typed("50k-60k EUR per year".into());
        assert_eq!(settle(&mut edit, "a"), saves("50k-60k EUR per year", "a"));
        assert_eq!(edit.shown(), Some(edit.read("50k-60k EUR per year")));
        // More is typed while it is on its way: saved next, not lost.
        edit.typed("50k-65k EUR per year".into());
        assert_eq!(settle(&mut edit, "b"), Do::Nothing);
        let answer = saved(&edit, "50k-60k EUR per year");
        assert_eq!(
            edit.answered("z", offline(), String::new),
            Do::Nothing,
            "of another edit"
        );
        let next = edit.answered("a", answer, || "b".to_owned());
        assert_eq!(next, saves("50k-65k EUR per year", "b"));
        let answer = saved(&edit, "50k-65k EUR per year");
        assert_eq!(answered(&mut edit, answer), Do::Nothing);
        edit.leave();
        let earlier = edit.read("50k-60k EUR per year");
        edit.card_shows(earlier.as_ref());
        assert!(
            edit.shown().is_some() && !edit.is_over(),
            "the card does not show it yet"
        );
        let now = edit.read("50k-65k EUR per year");
        edit.card_shows(now.as_ref());
        assert!(edit.is_over());
    }

    #[test]
    fn what_cannot_be_saved_is_kept_with_its_reason_until_it_is_given_up() {
        let mut edit = salary();
        edit.typed("60k-50k EUR".into());
        assert!(matches!(edit.worth(), Worth::Wrong(why) if why.contains("above the upper")));
        assert_eq!(settle(&mut edit, "a"), Do::Keep(Some("60k-50k EUR".into())));
        assert_eq!(settle(&mut edit, "a"), Do::Nothing, "it is kept already");
        edit.leave();
        assert!(!edit.is_over());
        edit.reopen();
        assert_eq!(edit.give_up(), Do::Keep(None));
        assert!(edit.is_over());
        // A draft from before a restart begins where it was left.
        let mut edit = Edit::begin(
            FieldKey::PostedAt,
            None,
            Beside::default(),
            Some("soon".into()),
        );
        assert_eq!(edit.text(), "soon");
        assert_eq!(settle(&mut edit, "a"), Do::Nothing);
        edit.typed("2026-03-05".into());
        assert_eq!(settle(&mut edit, "a"), saves("2026-03-05", "a"));
    }

    #[test]
    fn typing_without_a_rest_is_kept_and_what_is_saved_later_is_no_draft() {
        let mut edit = salary();
        assert_eq!(edit.stash(), Do::Nothing);
        edit.typed("50k".into());
        assert_eq!(edit.stash(), Do::Keep(Some("50k".into())));
        assert_eq!(edit.stash(), Do::Nothing, "it is kept already");
        edit.typed("50k EUR per year".into());
        settle(&mut edit, "a");
        assert_eq!(edit.stash(), Do::Nothing, "it is on its way");
        // What is typed meanwhile is kept until it can be sent, and given up with the rest.
        edit.typed("50k EUR per yea".into());
        let kept = Do::Keep(Some("50k EUR per yea".into()));
        assert_eq!(edit.stash(), kept);
        let answer = saved(&edit, "50k EUR per year");
        assert_eq!(answered(&mut edit, answer), Do::Nothing);
        assert_eq!(edit.give_up(), Do::Keep(None));
        edit.card_came();
        assert!(edit.is_over());
    }

    #[test]
    fn a_withdrawal_that_fails_is_made_again_and_takes_no_text_with_it() {
        let mut edit = salary();
        let wish = edit.withdraw("a".into());
        assert_eq!(
            answered(&mut edit, offline()),
            Do::Nothing,
            "nothing to keep"
        );
        assert_eq!(settle(&mut edit, "b"), wish, "its row goes");
        edit.reopen();
        edit.typed("50k EUR per year".into());
        let kept = Do::Keep(Some("50k EUR per year".into()));
        assert_eq!(edit.stash(), kept);
        let gone = Edited {
            saved: true,
            commit: Some(CommitId([2; 32])),
            value: None,
            warnings: Vec::new(),
        };
        let next = edit.answered("a", Ok(gone), || "b".to_owned());
        assert_eq!(next, saves("50k EUR per year", "b"));
    }

    #[test]
    fn what_is_on_its_way_is_not_given_up_any_more() {
        let mut edit = salary();
        edit.typed("50k EUR per year".into());
        settle(&mut edit, "a");
        assert_eq!(edit.give_up(), Do::Nothing);
        let answer = saved(&edit, "50k EUR per year");
        assert_eq!(
            answered(&mut edit, answer),
            Do::Nothing,
            "the old value is not saved"
        );
        edit.card_came();
        assert!(edit.is_over());
        // If it cannot be saved it stands there with the reason.
        let mut edit = salary();
        edit.typed("50k EUR per year".into());
        settle(&mut edit, "a");
        assert_eq!(edit.give_up(), Do::Nothing);
        let kept = Do::Keep(Some("50k EUR per year".into()));
        assert_eq!(answered(&mut edit, offline()), kept);
        assert_eq!(edit.give_up(), Do::Keep(None));
        assert!(edit.is_over());
    }

    #[test]
    fn a_doubt_does_not_block_whoever_is_sure() {
        let mut edit = salary();
        edit.typed("48000 EUR per hour".into());
        assert!(matches!(edit.worth(), Worth::Doubtful(_, doubts) if doubts.len() == 1));
        assert!(matches!(settle(&mut edit, "a"), Do::Keep(Some(_))));
        edit.be_sure();
        assert!(matches!(
            settle(&mut edit, "a"),
            Do::Save { sure: true, .. }
        ));
        let _ = answered(&mut edit, offline());
        edit.typed("49000 EUR per hour".into());
        assert!(
            matches!(edit.worth(), Worth::Doubtful(..)),
            "sure of that one only"
        );
    }

    #[test]
    fn a_failure_keeps_the_text_and_tries_again_by_the_same_key() {
        let mut edit = salary();
        edit.typed("50k EUR per year".into());
        settle(&mut edit, "a");
        let kept = Do::Keep(Some("50k EUR per year".into()));
        assert_eq!(answered(&mut edit, offline()), kept);
        edit.leave();
        assert_eq!(
            edit.failure().map(|e| e.message.as_str()),
            Some("The disk is full.")
        );
        assert_eq!((edit.shown(), edit.is_over()), (None, false));
        assert_eq!(edit.retry(), saves("50k EUR per year", "a"));
        let _ = answered(&mut edit, offline());
        assert_eq!(settle(&mut edit, "b"), saves("50k EUR per year", "a"));
        let answer = saved(&edit, "50k EUR per year");
        let _ = answered(&mut edit, answer);
        edit.card_came();
        assert!(edit.is_over());
    }

    #[test]
    fn what_a_run_finds_meanwhile_is_an_offer() {
        let mut edit = salary();
        let found = edit.read("51k EUR per year");
        assert_eq!(edit.offer(found.as_ref()), found.as_ref());
        assert_eq!(edit.text(), "48000\u{2013}55000 EUR / year");
        edit.typed(found.as_ref().map(typed::text_of).unwrap_or_default());
        assert!(matches!(edit.worth(), Worth::Good(_)));
        let standing = edit.read("48000-55000 EUR / year");
        assert_eq!(edit.offer(standing.as_ref()), None);
    }

    #[test]
    fn another_answer_is_taken_and_a_value_withdrawn_without_an_editor() {
        let other = typed::read(&FieldKey::Company, None, "Quill & Sons").ok();
        let why = ("because".to_owned(), "a".to_owned());
        let (mut edit, wish) = Edit::choose(FieldKey::Company, None, other.clone(), why);
        assert!(matches!(wish, Do::Save { sure: true, ref message, .. } if message == "because"));
        let _ = answered(&mut edit, offline());
        assert_eq!(edit.retry(), wish, "with the same reason");
        assert_eq!((edit.is_open(), edit.shown()), (false, Some(other.clone())));
        let answer = saved(&edit, "Quill & Sons");
        let _ = answered(&mut edit, answer);
        edit.card_came();
        assert!(edit.is_over());

        let (mut edit, wish) = Edit::choose(FieldKey::Company, other, None, Default::default());
        assert!(matches!(
            wish,
            Do::Save {
                input: FieldInput::Withdraw,
                ..
            }
        ));
        assert_eq!(edit.shown(), Some(None));
        let gone = Edited {
            saved: true,
            commit: Some(CommitId([2; 32])),
            value: None,
            warnings: Vec::new(),
        };
        assert_eq!(answered(&mut edit, Ok(gone)), Do::Nothing);
        edit.card_came();
        assert!(edit.is_over());
    }
}
