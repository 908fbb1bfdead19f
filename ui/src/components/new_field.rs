//! The dialog for a field of the person's own: what its name comes to is said while it is typed (SPEC B1, B5).

use crate::{
    backend,
    components::{calendar::DayInput, dialog::Modal},
    dom,
    shell::{Ask, use_shell},
    state::{
        new_field::{Kind, Named},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{EditField, FieldInput},
    view::Subject,
};
use ghostlight_model::{FieldKey, FieldValue, PostingId};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{EventTarget, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::{
    Callback, Event, Html, InputEvent, Properties, SubmitEvent, UseStateHandle, component, html,
    use_state_eq,
};

/// Properties of [`NewField`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of which posting.
    pub posting: PostingId,
}

/// See the module.
#[component]
pub fn NewField(props: &Props) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    let (name, text) = (use_state_eq(String::new), use_state_eq(String::new));
    let kind = use_state_eq(Kind::default);
    // The same for every try.
    let key = use_state_eq(dom::fresh_key);
    let card = use_view(Some(ViewQuery::Card(Subject::Posting(posting))));
    let named = match &card {
        ViewState::Ready(data) => match &**data {
            ViewData::Card(card) => Named::of(&name, &card.fields),
            _ => Named::of(&name, &[]),
        },
        _ => Named::of(&name, &[]),
    };
    let field = match &named {
        Named::New(field, _) => Some(field.clone()),
        _ => None,
    };
    let read = kind.read(&FieldKey::Custom("-".into()), &text);
    let problem = read.as_ref().err().filter(|_| !text.is_empty());
    let ready = field.zip(read.as_ref().ok().cloned());
    // While it is not known which fields there are, none is added over one of them.
    let blocked = ready.is_none() || !matches!(card, ViewState::Ready(_));
    let onsubmit = {
        let (shell, key) = (shell.clone(), (*key).clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some((field, value)) = ready.clone() else {
                return;
            };
            let (shell, done) = (
                shell.clone(),
                format!("{} is a field of this posting now.", field.label()),
            );
            let request = EditField {
                posting,
                field,
                input: FieldInput::Value(value),
                message: String::new(),
                // Nothing is doubtful about a field that only its author knows.
                override_warnings: true,
                key: key.clone(),
            };
            spawn_local(async move {
                match backend::call(request).await {
                    Ok(_) => {
                        shell.ask.emit(Ask::Close);
                        shell.ask.emit(Ask::Announce(done));
                    }
                    Err(error) => shell.error(&error),
                }
            });
        })
    };
    let on_kind = {
        let kind = kind.clone();
        Callback::from(move |event: Event| kind.set(Kind::of_word(&typed_in(event.target()))))
    };
    let day = match &read {
        Ok(FieldValue::Date(day)) => Some(*day),
        _ => None,
    };
    let on_day = {
        let text = text.clone();
        Callback::from(move |typed: String| text.set(typed))
    };
    let wrong = matches!(named, Named::Known(_) | Named::Wrong(_));
    let actions = html! {
        <>
            <button type="submit" form="field-form" class="pf-v6-c-button pf-m-primary" disabled={blocked}>{ "Add the field" }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    html! {
        <Modal title="A field of your own" on_close={shell.asks(Ask::Close)} {actions}>
            <form id="field-form" class="gl-form" {onsubmit}>
                <label for="field-name">{ "Name" }</label>
                <input id="field-name" data-first="" type="text" autocomplete="off" spellcheck="false" aria-invalid={wrong.then_some("true")} aria-describedby="field-help" value={(*name).clone()} oninput={takes(&name)} />
                <p id="field-help" class={if wrong { "gl-small gl-bad" } else { "gl-small gl-dim" }} aria-live="polite">{ named.words() }</p>
                <label for="field-kind">{ "Kind" }</label>
                <select id="field-kind" onchange={on_kind}>
                    { for Kind::ALL.iter().map(|(one, word, label)| html! { <option key={*word} value={*word} selected={*kind == *one}>{ *label }</option> }) }
                </select>
                <label for="field-value">{ "Value" }</label>
                if *kind == Kind::Text {
                    <textarea id="field-value" class="gl-area" rows="3" aria-invalid={problem.is_some().then_some("true")} aria-describedby="field-value-help" value={(*text).clone()} oninput={takes(&text)} />
                } else if *kind == Kind::Date {
                    <DayInput id="field-value" field="the field" label="Value" help="field-value-help" invalid={problem.is_some().then_some("true")} text={(*text).clone()} {day} on={on_day} />
                } else {
                    <input id="field-value" type="text" autocomplete="off" placeholder={kind.example()} aria-invalid={problem.is_some().then_some("true")} aria-describedby="field-value-help" value={(*text).clone()} oninput={takes(&text)} />
                }
                <p id="field-value-help" class="gl-small gl-bad" aria-live="polite">{ problem.map(ToString::to_string).unwrap_or_default() }</p>
            </form>
        </Modal>
    }
}

fn takes(state: &UseStateHandle<String>) -> Callback<InputEvent> {
    let state = state.clone();
    Callback::from(move |event: InputEvent| state.set(typed_in(event.target())))
}

fn typed_in(target: Option<EventTarget>) -> String {
    let Some(target) = target else {
        return String::new();
    };
    if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
        return input.value();
    }
    if let Some(select) = target.dyn_ref::<HtmlSelectElement>() {
        return select.value();
    }
    let area = target.dyn_ref::<HtmlTextAreaElement>();
    area.map(HtmlTextAreaElement::value).unwrap_or_default()
}
