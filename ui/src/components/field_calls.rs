//! What the edit of a field asks of the core: one call after the other, so that no draft overtakes the save that ends it;
//! and what was typed is still saved when its row is gone.

use crate::{
    backend, dom,
    state::edit::{Do, Edit},
};
use ghostlight_api::{
    ApiError,
    command::{EditField, Edited, KeepDraft},
};
use ghostlight_model::{FieldKey, PostingId};
use js_sys::Promise;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use yew::Callback;

/// The calls of one edit.
#[derive(Clone, Default)]
pub struct Calls(Rc<Line>);

#[derive(Default)]
struct Line {
    /// Ends with the latest call.
    latest: RefCell<Option<Promise>>,
    /// The edit whose row is gone: the answer that is on its way is for it.
    left: RefCell<Option<Left>>,
}

/// Who edits what, and who is told what could not be done.
#[derive(Clone)]
pub struct Place {
    /// The posting.
    pub posting: PostingId,
    /// Its field.
    pub field: FieldKey,
    /// Told when a draft cannot be kept, or what was typed cannot be saved after its row went.
    pub trouble: Callback<ApiError>,
}

/// What the core says to a save.
type Answer = Result<Edited, ApiError>;

struct Left {
    place: Place,
    edit: Edit,
}

impl Calls {
    /// Does what an edit asks for; what the core answers to a save goes to `answered`, with the save's key.
    pub fn perform(&self, place: Place, wish: Do, answered: Callback<(String, Answer)>) {
        let Place {
            posting,
            field,
            trouble,
        } = place;
        match wish {
            Do::Nothing => {}
            Do::Save {
                input,
                sure,
                message,
                key,
            } => {
                let request = EditField {
                    posting,
                    field,
                    input,
                    message,
                    override_warnings: sure,
                    key: key.clone(),
                };
                let calls = self.clone();
                self.queue(async move {
                    let answer = backend::call(request).await;
                    let left = calls.0.left.take();
                    match left {
                        Some(left) => calls.answered(left, &key, answer),
                        None => answered.emit((key, answer)),
                    }
                });
            }
            Do::Keep(text) => {
                let request = KeepDraft {
                    posting,
                    field,
                    text,
                };
                self.queue(async move {
                    if let Err(error) = backend::call(request).await {
                        trouble.emit(error);
                    }
                });
            }
        }
    }

    /// Takes over an edit whose row goes: what is typed is saved, or kept as a draft with the reason told.
    pub fn take_over(&self, place: Place, mut edit: Edit) {
        let wish = edit.settle(dom::fresh_key);
        self.go_on(Left { place, edit }, wish);
    }

    fn answered(&self, mut left: Left, key: &str, answer: Answer) {
        let wish = left.edit.answered(key, answer, dom::fresh_key);
        if let Some(error) = left.edit.failure() {
            left.place.trouble.emit(error.clone());
        }
        self.go_on(left, wish);
    }

    fn go_on(&self, left: Left, wish: Do) {
        let place = left.place.clone();
        if left.edit.is_sending() {
            self.0.left.replace(Some(left));
        }
        self.perform(place, wish, Callback::noop());
    }

    /// Makes a call once those before it are answered.
    fn queue(&self, call: impl Future<Output = ()> + 'static) {
        let before = self.0.latest.take();
        let latest = future_to_promise(async move {
            if let Some(before) = before {
                // It is always kept: its own answer went where it belongs.
                let _ = JsFuture::from(before).await;
            }
            call.await;
            Ok(JsValue::UNDEFINED)
        });
        self.0.latest.replace(Some(latest));
    }
}
