//! A modal dialog: the engine's own `<dialog>`, which keeps the focus inside and the rest inert;
//! the focus goes back to where it was when the dialog ends.

use crate::{dom, icons::Icon};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement};
use yew::{
    AttrValue, Callback, Event, Html, MouseEvent, Properties, component, html, use_effect_with,
    use_node_ref,
};

/// Properties of [`Modal`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The heading, and the dialog's name.
    pub title: AttrValue,
    /// Called on Esc, on the close button and on a click outside.
    pub on_close: Callback<()>,
    /// Buttons below the content, the primary one first.
    #[prop_or_default]
    pub actions: Html,
    /// Whether its name is for screen readers only and it has no buttons: it is all content.
    #[prop_or_default]
    pub bare: bool,
    /// The content.
    pub children: Html,
}

/// See the module.
#[component]
pub fn Modal(props: &Props) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| {
            let before = dom::document().active_element();
            let dialog = node.cast::<HtmlDialogElement>();
            if let Some(dialog) = &dialog {
                let _ = dialog.show_modal();
                focus_first(dialog);
            }
            move || {
                // While it is open the rest is inert and takes no focus.
                if let Some(dialog) = &dialog {
                    dialog.close();
                }
                give_back(before);
            }
        });
    }
    let close = props.on_close.clone();
    let cancel = {
        let close = close.clone();
        Callback::from(move |event: Event| {
            // The window closes it by leaving it out, so that the focus goes back.
            event.prevent_default();
            close.emit(());
        })
    };
    let outside = {
        let (close, node) = (close.clone(), node.clone());
        Callback::from(move |event: MouseEvent| {
            let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
            if target.is_some() && target == node.cast::<Element>() {
                close.emit(());
            }
        })
    };
    if props.bare {
        return html! {
            <dialog class="gl-dialog is-bare" ref={node} role="dialog" aria-modal="true" aria-labelledby="gl-dialog-title" oncancel={cancel} onclick={outside}>
                <h2 id="gl-dialog-title" class="gl-unseen">{ props.title.clone() }</h2>
                { props.children.clone() }
            </dialog>
        };
    }
    html! {
        <dialog class="gl-dialog" ref={node} role="dialog" aria-modal="true" aria-labelledby="gl-dialog-title" oncancel={cancel} onclick={outside}>
            <div class="gl-dialog__box">
                <header class="gl-dialog__head">
                    <h2 id="gl-dialog-title">{ props.title.clone() }</h2>
                    <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label="Close" onclick={move |_| close.emit(())}>{ Icon::Cross.draw() }</button>
                </header>
                <div class="gl-dialog__body">{ props.children.clone() }</div>
                <footer class="gl-dialog__foot">{ props.actions.clone() }</footer>
            </div>
        </dialog>
    }
}

/// The first field to fill in, else the dialog's first button after the close button.
fn focus_first(dialog: &HtmlDialogElement) {
    let selectors = [
        "[data-first]",
        "textarea, input:checked, input",
        ".gl-dialog__foot button",
    ];
    let first = selectors
        .into_iter()
        .find_map(|selector| dialog.query_selector(selector).ok().flatten());
    if let Some(first) = first {
        dom::focus(&first);
    }
}

fn give_back(before: Option<Element>) {
    if let Some(before) = before.filter(|element| element.is_connected()) {
        dom::focus(&before);
    }
}
