//! Tabs with roving focus (WAI-ARIA *Tabs*, automatic activation): arrows, Home and End move.

use crate::dom;
use yew::{AttrValue, Callback, Html, KeyboardEvent, Properties, classes, component, html};

/// Properties of [`Tabs`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Begins the ids of tabs (`ID-tab-N`) and panel (`ID-panel`).
    pub id: AttrValue,
    /// Whether there is one panel for all tabs, `ID-panel`.
    #[prop_or(true)]
    pub has_panel: bool,
    /// The accessible name.
    pub label: AttrValue,
    /// The tabs' labels.
    pub tabs: Vec<AttrValue>,
    /// The active one.
    pub active: usize,
    /// Called with the new one.
    pub on_change: Callback<usize>,
}

/// The row of tabs; the panel is the caller's, with `role=tabpanel` and the ids above.
#[component]
pub fn Tabs(props: &Props) -> Html {
    let count = props.tabs.len().max(1);
    let onkeydown = {
        let (active, id, on_change) = (props.active, props.id.clone(), props.on_change.clone());
        Callback::from(move |event: KeyboardEvent| {
            let to = match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => (active + 1) % count,
                "ArrowLeft" | "ArrowUp" => (active + count - 1) % count,
                "Home" => 0,
                "End" => count - 1,
                _ => return,
            };
            event.prevent_default();
            on_change.emit(to);
            dom::focus_id(&format!("{id}-tab-{to}"));
        })
    };
    let tab = |(i, label): (usize, &AttrValue)| {
        let active = i == props.active;
        let on_change = props.on_change.clone();
        html! {
            <button
                key={i}
                type="button"
                role="tab"
                id={format!("{}-tab-{i}", props.id)}
                class={classes!("gl-tab", active.then_some("is-active"))}
                aria-selected={active.to_string()}
                aria-controls={props.has_panel.then(|| format!("{}-panel", props.id))}
                tabindex={if active { "0" } else { "-1" }}
                onclick={move |_| on_change.emit(i)}
            >{ label.clone() }</button>
        }
    };
    html! {
        <div class="gl-tabs" role="tablist" aria-label={props.label.clone()} {onkeydown}>
            { for props.tabs.iter().enumerate().map(tab) }
        </div>
    }
}
