//! Small pieces drawn in many places: confidence, skeletons, errors, levels, page states.

use crate::{
    icons::Icon,
    state::{format, views::ViewState},
    views,
};
use ghostlight_api::{ApiError, ViewData, ViewQuery};
use ghostlight_model::{Confidence, Level};
use std::rc::Rc;
use yew::{Callback, Html, classes, html};

/// Confidence as a bar, a number and a word.
pub fn confidence(confidence: Confidence) -> Html {
    let tone = match confidence.thousandths() {
        800.. => "is-sure",
        500.. => "is-unsure",
        _ => "is-doubtful",
    };
    let number = format::confidence(confidence);
    html! {
        <span class={classes!("gl-confidence", tone)}>
            <span class="gl-confidence__bar" role="meter" aria-label="confidence" aria-valuemin="0" aria-valuemax="1" aria-valuenow={number.clone()} aria-valuetext={format!("{number}, {}", confidence.word())}>
                <span style={format!("width:{}%", f64::from(confidence.thousandths()) / 10.0)}></span>
            </span>
            <span class="gl-num">{ number }</span>
            <span class="gl-confidence__word">{ confidence.word() }</span>
        </span>
    }
}

/// A grey bar where something will stand, `width` per cent wide.
pub fn skeleton(width: u32) -> Html {
    html! { <span class="gl-skeleton" style={format!("width:{width}%")} aria-hidden="true"></span> }
}

/// An error with what to do and a button to try again.
pub fn trouble(error: &ApiError, retry: Callback<()>) -> Html {
    html! {
        <div class="gl-trouble" role="alert">
            <span class="gl-bad">{ Icon::Cross.draw() }</span>
            <div>
                <p class="gl-strong">{ &error.message }</p>
                if let Some(hint) = &error.hint { <p class="gl-dim">{ hint }</p> }
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={move |_| retry.emit(())}>
                    { Icon::Again.draw() }{ "Try again" }
                </button>
            </div>
        </div>
    }
}

/// The four states of a view in one place: loading, failed, ready; empty is up to `ready`.
pub fn render_view(
    query: &ViewQuery,
    state: &ViewState,
    loading: impl FnOnce() -> Html,
    ready: impl FnOnce(&Rc<ViewData>) -> Html,
) -> Html {
    match state {
        ViewState::Loading => loading(),
        ViewState::Ready(data) => ready(data),
        ViewState::Failed(error) => {
            let query = query.clone();
            trouble(error, Callback::from(move |()| views::retry(&query)))
        }
    }
}

/// A level of doubt as icon and words.
pub fn level(level: Level) -> Html {
    html! {
        <span class={classes!("gl-level", level_class(level))}>{ level_icon(level).draw() }{ level.label() }</span>
    }
}

/// The icon of a level.
pub fn level_icon(level: Level) -> Icon {
    match level {
        Level::NoSignals => Icon::Check,
        Level::Unclear => Icon::Question,
        Level::SomeDoubt => Icon::Triangle,
        Level::StrongDoubt => Icon::TriangleFull,
    }
}

/// The colour of a level.
pub fn level_class(level: Level) -> &'static str {
    match level {
        Level::NoSignals => "gl-ok",
        Level::Unclear => "gl-dim",
        Level::SomeDoubt => "gl-warn",
        Level::StrongDoubt => "gl-bad",
    }
}

/// Words for screen readers only.
pub fn unseen(words: &str) -> Html {
    html! { <span class="gl-unseen">{ words.to_owned() }</span> }
}

/// A key on a keyboard.
pub fn key(name: &str) -> Html {
    html! { <kbd class="gl-key" aria-hidden="true">{ name.to_owned() }</kbd> }
}
