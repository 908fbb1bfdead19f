//! The notifications region: messages that stack, are announced, and go by themselves after five
//! seconds, but for errors. Which are shown is decided by [`crate::state::toasts`].

use crate::{
    dom,
    icons::Icon,
    state::toasts::{Toast, ToastKind, Toasts},
};
use yew::{Callback, Html, Properties, classes, component, html, use_effect_with};

/// Properties of [`ToastRegion`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The messages.
    pub toasts: Toasts,
    /// Called with the id of a message to remove.
    pub on_dismiss: Callback<u32>,
    /// Called to show all errors, or only the latest again.
    pub on_turn: Callback<()>,
}

/// See the module.
#[component]
pub fn ToastRegion(props: &Props) -> Html {
    let toasts = &props.toasts;
    let draw = |toast: &Toast| {
        html! { <One key={toast.id} toast={toast.clone()} on_dismiss={props.on_dismiss.clone()} /> }
    };
    let on_turn = props.on_turn.reform(|_| ());
    html! {
        <section class={classes!("gl-toasts", toasts.is_open().then_some("is-open"))} role="region" aria-label="notifications">
            <div role="status" aria-live="polite" aria-relevant="additions">{ for toasts.others().iter().map(draw) }</div>
            if let Some(words) = toasts.button() {
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" aria-expanded={toasts.is_open().to_string()} onclick={on_turn}>{ words }</button>
            }
            if let Some(words) = toasts.left_out() { <p class="gl-dim gl-small">{ words }</p> }
            <div role="alert" aria-live="assertive" aria-relevant="additions">{ for toasts.errors().iter().map(draw) }</div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    toast: Toast,
    on_dismiss: Callback<u32>,
}

#[component]
fn One(props: &OneProps) -> Html {
    let OneProps { toast, on_dismiss } = props;
    {
        let on_dismiss = on_dismiss.clone();
        use_effect_with((toast.id, toast.kind), move |(id, kind)| {
            let id = *id;
            if let Some(ms) = kind.stays_ms() {
                dom::after(ms, move || on_dismiss.emit(id));
            }
        });
    }
    let (icon, tone) = match toast.kind {
        ToastKind::Info => (Icon::Info, "gl-accent"),
        ToastKind::Success => (Icon::Check, "gl-ok"),
        ToastKind::Warning => (Icon::Warning, "gl-warn"),
        ToastKind::Error => (Icon::Cross, "gl-bad"),
    };
    let (id, on_dismiss) = (toast.id, on_dismiss.clone());
    html! {
        <div class={classes!("gl-toast", tone)}>
            { icon.draw() }
            <div class="gl-toast__text">
                <p class="gl-strong">{ &toast.title }if toast.times > 1 { <span class="gl-dim gl-num">{ format!(" {} times", toast.times) }</span> }</p>
                if !toast.body.is_empty() { <p>{ &toast.body }</p> }
            </div>
            <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label={format!("Dismiss: {}", toast.title)} onclick={move |_| on_dismiss.emit(id)}>{ Icon::Cross.draw() }</button>
        </div>
    }
}
