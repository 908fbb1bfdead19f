//! Suggestions: the list below a field, the dialog that accepts many at once, and how right the methods were (SPEC B6).
//!
//! A suggestion is a button in a list: arrows go from one to the next, Enter takes it, Delete dismisses it.

use crate::{
    backend,
    components::{bits, dialog::Modal},
    dom,
    icons::Icon,
    shell::{Ask, ToastKind, use_shell},
    state::{
        card::{self, Shown},
        format, suggest,
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::AcceptSuggestions,
    view::{CardView, Subject, SuggestionsView},
};
use ghostlight_model::{
    FieldKey, FieldValue, PostingId,
    suggest::{Accuracy, Suggestion},
};
use std::{collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, Html, KeyboardEvent, MouseEvent, NodeRef, Properties, component,
    html, use_node_ref, use_state_eq,
};

/// Characters of a value in a list.
const VALUE_CHARACTERS: usize = 120;

/// What a person does with a suggestion.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Takes it.
    Accept(Suggestion),
    /// Does not want to see it again.
    Dismiss(Suggestion),
    /// Wants to see it again after all.
    Again(Suggestion),
}

/// What a row knows of its field beyond the card.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offers {
    /// Suggestions, the surest first.
    pub suggestions: Vec<Suggestion>,
    /// Whose other postings they speak of.
    pub employer: AttrValue,
    /// How right the methods were for this field.
    pub accuracy: Vec<Accuracy>,
}

impl Offers {
    /// Those of one field.
    pub fn of(view: &SuggestionsView, field: &FieldKey) -> Self {
        let accuracy = view.accuracy.iter().filter(|one| one.field == *field);
        Self {
            suggestions: suggest::of_field(view, field),
            employer: view.employer.clone().into(),
            accuracy: accuracy.cloned().collect(),
        }
    }
}

/// The view of suggestions, once it is there.
pub fn view_of(state: &ViewState) -> Option<Rc<ViewData>> {
    match state {
        ViewState::Ready(data) if matches!(**data, ViewData::Suggestions(_)) => Some(data.clone()),
        _ => None,
    }
}

/// A value in one line.
fn line(field: &FieldKey, value: &FieldValue) -> String {
    let text = match card::shown(field, value) {
        Shown::Line(text) => text,
        Shown::Amount(amount, quiet) => format!("{amount} {quiet}"),
        _ => value.display(),
    };
    format::shortened(&text, VALUE_CHARACTERS)
}

/// Properties of [`SuggestionList`].
#[derive(Properties, PartialEq)]
pub struct ListProps {
    /// Of which field.
    pub field: FieldKey,
    /// What is suggested.
    pub offers: Offers,
    /// One that was dismissed just now.
    pub dismissed: Option<Suggestion>,
    /// Told what the person does.
    pub on: Callback<Answer>,
}

/// The suggestions of one field.
#[component]
pub fn SuggestionList(props: &ListProps) -> Html {
    let node = use_node_ref();
    if props.offers.suggestions.is_empty() && props.dismissed.is_none() {
        return Html::default();
    }
    let label = props.field.label().to_owned();
    let one = |suggestion: &Suggestion| view_suggestion(props, suggestion, &node);
    // The focus stays in the editor while the mouse is down: one that lost it would close under the click.
    let keep = Callback::from(|event: MouseEvent| event.prevent_default());
    html! {
        <div ref={node.clone()} class="gl-suggests" onmousedown={keep} onclick={|event: MouseEvent| event.stop_propagation()}>
            <p class="gl-suggests__head">{ "Suggestions" }<span class="gl-dim">{ "↑ ↓ choose · Enter use · Del dismiss" }</span></p>
            <ul aria-label={format!("suggestions for {label}")}>{ for props.offers.suggestions.iter().map(one) }</ul>
            { view_dismissed(props, &node) }
        </div>
    }
}

fn view_suggestion(props: &ListProps, suggestion: &Suggestion, node: &NodeRef) -> Html {
    let value = line(&suggestion.field, &suggestion.value);
    let why = suggest::why(suggestion, &props.offers.employer);
    let accept = {
        let (on, suggestion) = (props.on.clone(), suggestion.clone());
        Callback::from(move |_: MouseEvent| on.emit(Answer::Accept(suggestion.clone())))
    };
    let dismiss = {
        let (on, suggestion) = (props.on.clone(), suggestion.clone());
        let (node, field) = (node.clone(), props.field.clone());
        move |from: Option<Element>| {
            // Its button goes: the focus goes on to the next before it does.
            if let Some(from) = from {
                let next = neighbour(&node, &from, 1).or_else(|| neighbour(&node, &from, -1));
                leave(&node, &field, next);
            }
            on.emit(Answer::Dismiss(suggestion.clone()));
        }
    };
    let onkeydown = {
        let (node, field, dismiss) = (node.clone(), props.field.clone(), dismiss.clone());
        Callback::from(move |event: KeyboardEvent| {
            let from = event.target().and_then(|t| t.dyn_into::<Element>().ok());
            let Some(from) = from else { return };
            match event.key().as_str() {
                "ArrowDown" => neighbour(&node, &from, 1).iter().for_each(dom::focus),
                "ArrowUp" => leave(&node, &field, neighbour(&node, &from, -1)),
                "Delete" => dismiss(Some(from)),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let by_mouse = Callback::from(move |event: MouseEvent| {
        let button = event
            .current_target()
            .and_then(|t| t.dyn_into::<Element>().ok());
        let row = button.and_then(|button| button.parent_element());
        dismiss(row.and_then(|row| row.query_selector(".gl-suggest").ok().flatten()));
    });
    html! {
        <li key={format!("{value} {}", suggestion.confidence.thousandths())}>
            <button type="button" class="gl-suggest" aria-keyshortcuts="Delete" title={format!("Use {value}: {why}")} onclick={accept} {onkeydown}>
                <span class="gl-suggest__value gl-cut">{ value.clone() }</span>
                <span class="gl-suggest__why gl-cut">{ why.clone() }</span>
                { bits::confidence(suggestion.confidence) }
            </button>
            <button type="button" class="gl-suggest__no" tabindex="-1" aria-label={format!("Dismiss {value}")} title="Do not suggest this here again (Delete)" onclick={by_mouse}>{ Icon::Cross.draw() }</button>
        </li>
    }
}

/// The suggestion so many further down.
fn neighbour(node: &NodeRef, from: &Element, by: i32) -> Option<Element> {
    let all = node
        .cast::<Element>()?
        .query_selector_all(".gl-suggest")
        .ok()?;
    let at = (0..all.length()).find(|at| all.get(*at).as_ref() == Some(from.as_ref()))?;
    let to = at.checked_add_signed(by)?;
    all.get(to).and_then(|n| n.dyn_into::<Element>().ok())
}

/// Puts the focus on `next`, else on the editor that the list belongs to, else on the row.
fn leave(node: &NodeRef, field: &FieldKey, next: Option<Element>) {
    let editor = || {
        let list = node.cast::<Element>()?;
        let editor = list.closest(".gl-edit").ok().flatten()?;
        editor.query_selector("[data-first]").ok().flatten()
    };
    match next.or_else(editor) {
        Some(next) => dom::focus(&next),
        None => dom::focus_id(&format!("field-{field}")),
    }
}

fn view_dismissed(props: &ListProps, node: &NodeRef) -> Html {
    let Some(gone) = &props.dismissed else {
        return Html::default();
    };
    let (on, again) = (props.on.clone(), gone.clone());
    let (node, field) = (node.clone(), props.field.clone());
    let back = Callback::from(move |_: MouseEvent| {
        leave(&node, &field, None);
        on.emit(Answer::Again(again.clone()));
    });
    let value = line(&gone.field, &gone.value);
    html! {
        <p class="gl-suggests__gone" role="status"><span class="gl-dim">{ format!("“{value}” is not suggested here again.") }</span><button type="button" class="gl-link" onclick={back}>{ "Bring it back" }</button></p>
    }
}

/// How right the methods were for a field, a line each.
pub fn view_accuracy_of(accuracy: &[Accuracy]) -> Html {
    let line = |one: &Accuracy| {
        html! { <li key={one.method.word()}>{ suggest::accuracy_words(one) }</li> }
    };
    match accuracy {
        [] => Html::default(),
        some => {
            html! { <ul class="gl-judged gl-dim" aria-label="how right the methods were">{ for some.iter().map(line) }</ul> }
        }
    }
}

/// Properties of [`AcceptMany`].
#[derive(Properties, PartialEq)]
pub struct ManyProps {
    /// Of which posting.
    pub posting: PostingId,
}

/// The dialog that accepts the surest suggestions of a card at once: what it will do stands there before it does.
#[component]
pub fn AcceptMany(props: &ManyProps) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    // The same for every try.
    let key = use_state_eq(dom::fresh_key);
    let percent = use_state_eq(|| suggest::THRESHOLD);
    let left = use_state_eq(BTreeSet::<FieldKey>::new);
    let query = ViewQuery::Suggestions(posting);
    let state = use_view(Some(query.clone()));
    let card = use_view(Some(ViewQuery::Card(Subject::Posting(posting))));
    let known = (view_of(&state), card);
    let (view, card): (&SuggestionsView, &CardView) = match &known {
        (Some(view), ViewState::Ready(card)) => match (&**view, &**card) {
            (ViewData::Suggestions(view), ViewData::Card(card)) => (view, card),
            _ => return Html::default(),
        },
        _ => {
            let loading = || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> };
            return html! {
                <Modal title="Accept suggestions" on_close={shell.asks(Ask::Close)}>{ bits::render_view(&query, &state, loading, |_| loading()) }</Modal>
            };
        }
    };
    let offered = suggest::together(view, card, *percent);
    let chosen: Vec<&Suggestion> = offered
        .iter()
        .copied()
        .filter(|one| !left.contains(&one.field))
        .collect();
    let accept = {
        let request = AcceptSuggestions {
            posting,
            accept: chosen
                .iter()
                .map(|one| suggest::accepted(one, card))
                .collect(),
            key: (*key).clone(),
        };
        let (shell, key) = (shell.clone(), key.clone());
        let count = chosen.len() as u64;
        Callback::from(move |_: MouseEvent| {
            let (shell, key, request) = (shell.clone(), key.clone(), request.clone());
            spawn_local(async move {
                match backend::call(request).await {
                    Ok(_) => {
                        shell.ask.emit(Ask::Close);
                        let done =
                            format::plural(count, "suggestion accepted", "suggestions accepted");
                        let body = "Ctrl Z takes them back together.".to_owned();
                        shell.ask.emit(Ask::Toast(ToastKind::Success, done, body));
                    }
                    Err(error) => {
                        // Other choices are another change.
                        key.set(dom::fresh_key());
                        shell.error(&error);
                    }
                }
            });
        })
    };
    let on_percent = {
        let percent = percent.clone();
        Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            if let Some(value) = select.and_then(|select| select.value().parse().ok()) {
                percent.set(value);
            }
        })
    };
    let row = |one: &&Suggestion| {
        let one = *one;
        let field = one.field.clone();
        let stands = suggest::stands(card, &field).map(|value| line(&field, value));
        let toggle = {
            let (left, field) = (left.clone(), field.clone());
            Callback::from(move |_: Event| {
                let mut next = (*left).clone();
                if !next.remove(&field) {
                    next.insert(field.clone());
                }
                left.set(next);
            })
        };
        let value = line(&field, &one.value);
        html! {
            <tr key={field.name().to_owned()}>
                <th scope="row"><label class="gl-option"><input type="checkbox" checked={!left.contains(&field)} onchange={toggle} />{ field.label() }</label></th>
                <td>{ match stands { Some(stands) => html! { <span class="gl-struck">{ stands }</span> }, None => html! { <span class="gl-dim">{ "nothing" }</span> } } }</td>
                <td class="gl-strong">{ value }</td>
                <td class="gl-dim">{ suggest::why(one, &view.employer) }</td>
                <td>{ bits::confidence(one.confidence) }</td>
            </tr>
        }
    };
    let count = format::plural(chosen.len() as u64, "suggestion", "suggestions");
    let actions = html! {
        <>
            <button type="button" data-first="" class="pf-v6-c-button pf-m-primary" disabled={chosen.is_empty()} onclick={accept}>{ format!("Accept {count} above {} %", *percent) }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    let option = |n: u16| {
        html! { <option key={n.to_string()} value={n.to_string()} selected={n == *percent}>{ format!("{n} %") }</option> }
    };
    html! {
        <Modal title="Accept suggestions" on_close={shell.asks(Ask::Close)} {actions}>
            <p class="gl-many__bar"><label>{ "At least so sure: " }<select onchange={on_percent}>{ for suggest::THRESHOLDS.into_iter().map(option) }</select></label><span class="gl-dim">{ "What you typed yourself is left alone. One undo takes all of it back." }</span></p>
            if offered.is_empty() {
                <p class="gl-hint">{ format!("No suggestion is {} % sure. The others stand below their fields.", *percent) }</p>
            } else {
                <table class="gl-table gl-many">
                    <thead><tr><th scope="col">{ "Field" }</th><th scope="col">{ "Stands" }</th><th scope="col">{ "Will be" }</th><th scope="col">{ "Because" }</th><th scope="col">{ "Sure" }</th></tr></thead>
                    <tbody>{ for offered.iter().map(row) }</tbody>
                </table>
            }
        </Modal>
    }
}

/// How right the methods were, as a table of the settings.
#[component]
pub fn AccuracyTable() -> Html {
    let query = ViewQuery::Accuracy;
    let state = use_view(Some(query.clone()));
    let loading = || html! { <div class="gl-pad">{ bits::skeleton(50) }</div> };
    let row = |one: &Accuracy| {
        html! {
            <tr key={format!("{} {}", one.field, one.method.word())}>
                <th scope="row">{ one.field.label().to_owned() }</th>
                <td>{ one.method.label() }</td>
                <td class="gl-num">{ format::count(one.correct.into()) }</td>
                <td class="gl-num">{ format::count(one.wrong.into()) }</td>
                <td class="gl-num">{ format!("{} %", suggest::percent(one)) }</td>
            </tr>
        }
    };
    bits::render_view(&query, &state, loading, |data| match &**data {
        ViewData::Accuracy(rows) if !rows.is_empty() => html! {
            <table class="gl-table gl-accuracy">
                <thead><tr><th scope="col">{ "Field" }</th><th scope="col">{ "Read by" }</th><th scope="col">{ "Confirmed" }</th><th scope="col">{ "Corrected" }</th><th scope="col">{ "Right" }</th></tr></thead>
                <tbody>{ for rows.iter().map(row) }</tbody>
            </table>
        },
        _ => {
            html! { <p class="gl-dim">{ "Nobody has judged a value yet. Correct one on a card, or confirm it in the details of its row." }</p> }
        }
    })
}
