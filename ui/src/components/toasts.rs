//! The notifications region: messages that stack, are announced, and go by themselves after five
//! seconds, but for errors.

use crate::{
    dom,
    icons::Icon,
    shell::{Toast, ToastKind},
};
use yew::{Callback, Html, Properties, classes, component, html, use_effect_with};

/// How long a message stays, in milliseconds (SPEC K1).
const STAY_MS: i32 = 5_000;

/// Properties of [`Toasts`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The messages, oldest first.
    pub toasts: Vec<Toast>,
    /// Called with the id of a message to remove.
    pub on_dismiss: Callback<u32>,
}

/// See the module.
#[component]
pub fn Toasts(props: &Props) -> Html {
    let of = |errors: bool| {
        let chosen = props
            .toasts
            .iter()
            .filter(move |t| (t.kind == ToastKind::Error) == errors);
        let on_dismiss = props.on_dismiss.clone();
        chosen.map(move |toast| {
            html! { <One key={toast.id} toast={toast.clone()} on_dismiss={on_dismiss.clone()} /> }
        })
    };
    html! {
        <section class="gl-toasts" role="region" aria-label="notifications">
            <div role="status" aria-live="polite" aria-relevant="additions">{ for of(false) }</div>
            <div role="alert" aria-live="assertive" aria-relevant="additions">{ for of(true) }</div>
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
            if *kind != ToastKind::Error {
                dom::after(STAY_MS, move || on_dismiss.emit(id));
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
                <p class="gl-strong">{ &toast.title }</p>
                if !toast.body.is_empty() { <p>{ &toast.body }</p> }
            </div>
            <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label={format!("Dismiss: {}", toast.title)} onclick={move |_| on_dismiss.emit(id)}>{ Icon::Cross.draw() }</button>
        </div>
    }
}
