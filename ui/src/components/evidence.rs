//! The evidence pane: the posting's text with all quoted words marked (SPEC B7), and below it the
//! assessment with its signals.

use crate::{
    components::{assessment::Assessment, bits, text_layer::TextLayer},
    icons::Icon,
    state::{
        card, format,
        spans::{Owner, spans_of},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{CardView, TextView},
};
use ghostlight_model::Layer;
use std::rc::Rc;
use yew::{
    Callback, Html, Properties, classes, component, html, use_effect_with, use_memo, use_state_eq,
};

/// Properties of [`Evidence`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The card whose words are shown.
    pub card: Rc<CardView>,
    /// Whose words to outline and scroll to; the number changes with each wish.
    pub selected: Option<(Owner, u32)>,
    /// Marked words, or a signal's quote, were clicked.
    pub on_pick: Callback<Owner>,
}

/// See the module.
#[component]
pub fn Evidence(props: &Props) -> Html {
    let chosen = use_state_eq(|| None::<Layer>);
    let layer = chosen.unwrap_or_else(|| card::first_layer(&props.card));
    {
        // Words in the other layer bring it to the front.
        let (chosen, card) = (chosen.setter(), props.card.clone());
        use_effect_with(props.selected.clone(), move |selected| {
            let owner = selected.as_ref().map(|(owner, _)| owner);
            let wanted = owner.and_then(|owner| card::layer_for(&card, owner, layer));
            if wanted.is_some() {
                chosen.set(wanted);
            }
        });
    }
    let query = props
        .card
        .capture
        .map(|capture| ViewQuery::Text { capture, layer });
    let state = use_view(query.clone());
    let spans = use_memo(
        (props.card.clone(), state.clone(), layer),
        |(card, state, layer)| match state {
            ViewState::Ready(data) => match &**data {
                ViewData::Text(text) => Rc::new(spans_of(card::quotes(card), *layer, &text.text)),
                _ => Rc::default(),
            },
            _ => Rc::default(),
        },
    );
    let body = match &query {
        None => {
            html! { <p class="gl-hint">{ "The words appear here as soon as the page is stored." }</p> }
        }
        Some(query) => bits::render_view(query, &state, view_loading, |data| {
            if matches!(&**data, ViewData::Text(text) if text.text.trim().is_empty()) {
                return html! { <p class="gl-hint">{ "There are no words in this layer." }</p> };
            }
            html! {
                <>
                    <TextLayer text={data.clone()} spans={(*spans).clone()} selected={props.selected.clone()} mono={layer == Layer::Source} on_pick={props.on_pick.clone()} />
                    { view_cut(data) }
                </>
            }
        }),
    };
    html! {
        <aside class="gl-evidence" aria-label="evidence">
            <div class="gl-evidence__text">
                <div class="gl-bar">
                    <h2 class="gl-head">{ "Evidence" }</h2>
                    { view_switch(layer, &Callback::from(move |to| chosen.set(Some(to)))) }
                </div>
                { body }
            </div>
            <Assessment card={props.card.clone()} on_pick={props.on_pick.clone()} />
        </aside>
    }
}

fn view_switch(layer: Layer, set: &Callback<Layer>) -> Html {
    let option = |to: Layer, label: &'static str, title: &'static str| {
        let set = set.clone();
        let on = layer == to;
        html! { <button key={label} type="button" class={classes!("gl-switch__option", on.then_some("is-on"))} aria-pressed={on.to_string()} {title} onclick={move |_| set.emit(to)}>{ label }</button> }
    };
    html! {
        <div class="gl-switch" role="group" aria-label="text layer">
            { option(Layer::Visible, "Visible", "What a reader sees") }
            { option(Layer::Source, "Source", "The page's source with its data") }
        </div>
    }
}

fn view_cut(data: &ViewData) -> Html {
    let ViewData::Text(TextView {
        text, total_bytes, ..
    }) = data
    else {
        return Html::default();
    };
    let shown = text.len() as u64;
    if shown >= *total_bytes {
        return Html::default();
    }
    html! { <p class="gl-hint">{ Icon::Info.draw() }{ format!("Shown are the first {} of {}.", format::bytes(shown), format::bytes(*total_bytes)) }</p> }
}

fn view_loading() -> Html {
    html! { <div class="gl-text is-loading">{ for [94u32, 88, 97, 62, 91, 85, 40].into_iter().map(bits::skeleton) }</div> }
}
