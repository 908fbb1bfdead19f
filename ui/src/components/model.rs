//! The model in the settings, and asking it about a posting (SPEC A2, B6).

use crate::{
    backend,
    components::bits,
    icons::Icon,
    shell::{Ask, Shell, ToastKind, use_shell},
    state::{model, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    command::{AskModel, ForgetModel, MODEL_TIMEOUT_S_MAX, ModelForm, SetModel, TryModel},
    view::{CardView, ModelView, TokenPlace},
};
use ghostlight_model::PostingId;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Html, InputEvent, MouseEvent, Properties, SubmitEvent, UseStateHandle, component,
    html, use_state, use_state_eq,
};

/// What was done last in the settings, and what came of it.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Busy(&'static str),
    Well(String),
    Badly(ApiError),
}

fn view_of(state: &ViewState) -> Option<ModelView> {
    match state {
        ViewState::Ready(data) => match &**data {
            ViewData::Model(view) => Some((**view).clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The group of the settings page.
#[component]
pub fn ModelSettings() -> Html {
    let state = use_view(Some(ViewQuery::Model));
    // What is typed and not saved; `None` shows what stands.
    let typed = use_state(|| None::<ModelForm>);
    let said = use_state_eq(|| None::<Said>);
    let Some(view) = view_of(&state) else {
        let waits = || html! { <div class="gl-model">{ bits::skeleton(62) }</div> };
        let body = bits::render_view(&ViewQuery::Model, &state, waits, |_| Html::default());
        return html! { <fieldset aria-label="model"><legend>{ "Model" }</legend>{ body }</fieldset> };
    };
    let form = typed
        .as_ref()
        .map_or_else(|| model::form_of(&view), Clone::clone);
    let busy = matches!(*said, Some(Said::Busy(_)));
    let is_set = !view.url.is_empty();
    let onsubmit = {
        let (typed, said, form) = (typed.clone(), said.clone(), form.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let call = backend::call(SetModel {
                model: form.clone(),
            });
            let typed = typed.clone();
            tell(&said, "Saving…", async move {
                call.await?;
                typed.set(None);
                Ok("Saved. Runs ask it for what their own reading leaves open.".to_owned())
            });
        })
    };
    let on_try = {
        let (said, form) = (said.clone(), form.clone());
        Callback::from(move |_: MouseEvent| {
            let call = backend::call(TryModel {
                model: form.clone(),
            });
            tell(&said, "Asking it about a test posting…", async move {
                let tried = call.await?;
                let mut words = tried.sentence;
                for note in tried.notes {
                    words.push(' ');
                    words.push_str(&note);
                }
                Ok(words)
            });
        })
    };
    let on_forget = {
        let (typed, said) = (typed.clone(), said.clone());
        Callback::from(move |_: MouseEvent| {
            let call = backend::call(ForgetModel {});
            let typed = typed.clone();
            tell(&said, "Forgetting…", async move {
                call.await?;
                typed.set(None);
                Ok("Forgotten, and its key with it. Runs ask no model.".to_owned())
            });
        })
    };
    let change = |set: fn(&mut ModelForm, &str)| {
        let (typed, form) = (typed.clone(), form.clone());
        Callback::from(move |event: InputEvent| {
            let mut next = form.clone();
            set(&mut next, &text_of(&event));
            typed.set(Some(next));
        })
    };
    let key_hint = match view.key {
        TokenPlace::None => "Only if the server asks for one",
        TokenPlace::Environment => "The environment gives one",
        TokenPlace::Keychain | TokenPlace::File => "A key is kept; leave this empty to keep it",
    };
    let number = |price| model::price_text(price);
    html! {
        <fieldset aria-label="model">
            <legend>{ "Model" }</legend>
            <p class="gl-dim">{ "A language model can be asked for what page data and text leave open. It is sent the text of the posting, so choose a server you trust with it; one on this computer will do. What it says is marked, and never goes before what stands in the posting." }</p>
            { view_outside(&view) }
            <form id="model-form" class="gl-form gl-model" {onsubmit}>
                <label for="model-url">{ "Address" }</label>
                <input id="model-url" type="text" inputmode="url" spellcheck="false" autocomplete="off" placeholder="https://api.example.com/v1, or http://127.0.0.1:11434/v1" value={form.url.clone()} oninput={change(|form, text| form.url = text.to_owned())} />
                <label for="model-name">{ "Model" }</label>
                <input id="model-name" type="text" maxlength="200" spellcheck="false" autocomplete="off" placeholder="The server's name for it" value={form.name.clone()} oninput={change(|form, text| form.name = text.to_owned())} />
                <label for="model-key">{ "Key" }</label>
                <input id="model-key" type="password" autocomplete="off" aria-describedby="model-key-place" placeholder={key_hint} value={form.key.clone().unwrap_or_default()} oninput={change(|form, text| form.key = (!text.is_empty()).then(|| text.to_owned()))} />
                <p id="model-key-place" class="gl-small gl-dim">{ model::key_words(view.key) }</p>
                <label for="model-time">{ "Time" }</label>
                <span class="gl-option"><input id="model-time" type="number" class="gl-number" min="1" max={MODEL_TIMEOUT_S_MAX.to_string()} value={form.timeout_s.to_string()} oninput={change(|form, text| form.timeout_s = model::seconds(text))} />{ "s" }<span class="gl-dim">{ "A question takes no longer; then the run goes on without." }</span></span>
                <label for="model-price-in">{ "Prices" }</label>
                <span class="gl-option"><input id="model-price-in" type="text" inputmode="decimal" class="gl-number" aria-label="price of a million tokens asked" placeholder="0.15" value={number(form.price_in)} onchange={on_price(&typed, &form, |form, price| form.price_in = price)} /><input type="text" inputmode="decimal" class="gl-number" aria-label="price of a million tokens answered" placeholder="0.60" value={number(form.price_out)} onchange={on_price(&typed, &form, |form, price| form.price_out = price)} /><span class="gl-dim">{ "For a million tokens asked, and answered. May be empty." }</span></span>
            </form>
            <div class="gl-storage__start">
                <button type="submit" form="model-form" class="pf-v6-c-button pf-m-primary pf-m-small" disabled={busy || typed.is_none()}>{ "Save the model" }</button>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={busy || form.url.is_empty()} onclick={on_try}>{ "Try it" }</button>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={busy || !is_set} onclick={on_forget}>{ "Forget" }</button>
            </div>
            <div class="gl-storage__work" role="status" aria-label="what the model said">{ said.as_ref().map(view_said).unwrap_or_default() }</div>
        </fieldset>
    }
}

/// What the environment or the command line say instead.
fn view_outside(view: &ModelView) -> Html {
    let words = match (&view.unused, &view.instead) {
        (Some(why), _) => format!("Now {why}."),
        (None, Some(other)) => {
            format!(
                "Now {other} is used instead: the environment the program was started in says so."
            )
        }
        (None, None) => return Html::default(),
    };
    html! { <p class="gl-warn">{ words }</p> }
}

fn view_said(said: &Said) -> Html {
    let (icon, tone, words, hint) = match said {
        Said::Busy(words) => (Icon::Dot, "gl-accent", (*words).to_owned(), None),
        Said::Well(words) => (Icon::Check, "gl-ok", words.clone(), None),
        Said::Badly(error) => (
            Icon::Cross,
            "gl-bad",
            error.message.clone(),
            error.hint.clone(),
        ),
    };
    html! {
        <>
            <span class={tone}>{ icon.draw() }</span>
            <p>{ words }if let Some(hint) = hint { { " " }<span class="gl-dim">{ hint }</span> }</p>
        </>
    }
}

/// Says that something is under way, and then what came of it.
fn tell(
    said: &UseStateHandle<Option<Said>>,
    busy: &'static str,
    work: impl Future<Output = Result<String, ApiError>> + 'static,
) {
    said.set(Some(Said::Busy(busy)));
    let said = said.setter();
    spawn_local(async move {
        said.set(Some(match work.await {
            Ok(words) => Said::Well(words),
            Err(error) => Said::Badly(error),
        }));
    });
}

/// A price counts once it is typed: half a number is none.
fn on_price(
    typed: &UseStateHandle<Option<ModelForm>>,
    form: &ModelForm,
    set: fn(&mut ModelForm, Option<ghostlight_model::Amount>),
) -> Callback<yew::Event> {
    let (typed, form) = (typed.clone(), form.clone());
    Callback::from(move |event: yew::Event| {
        let mut next = form.clone();
        let input = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
        let Some(input) = input else { return };
        set(&mut next, model::price(&input.value()));
        typed.set(Some(next));
    })
}

fn text_of(event: &InputEvent) -> String {
    let input = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}

/// Asks the model about a posting; what it suggests stands on the card, and a message says so.
pub fn ask(shell: &Shell, posting: PostingId, done: Callback<()>) {
    shell.ask.emit(Ask::Announce("Asking the model".into()));
    let (shell, call) = (shell.clone(), backend::call(AskModel { posting }));
    spawn_local(async move {
        match call.await {
            Ok(answered) => {
                let (title, body) = model::answer_words(&answered);
                shell.ask.emit(Ask::Toast(ToastKind::Info, title, body));
            }
            Err(error) => shell.error(&error),
        }
        done.emit(());
    });
}

/// Properties of [`AskButton`].
#[derive(Properties, PartialEq)]
pub struct AskProps {
    /// Of which posting.
    pub posting: PostingId,
    /// Whether its card has gaps.
    pub gaps: bool,
}

/// The button that asks about a posting, where a model is set up and the card leaves something open.
#[component]
pub fn AskButton(props: &AskProps) -> Html {
    let shell = use_shell();
    let state = use_view(Some(ViewQuery::Model));
    let busy = use_state_eq(|| false);
    let usable = view_of(&state).is_some_and(|view| {
        view.unused.is_none() && (view.instead.is_some() || !view.url.is_empty())
    });
    if !usable || !props.gaps {
        return Html::default();
    }
    let onclick = {
        let (shell, busy, posting) = (shell.clone(), busy.clone(), props.posting);
        Callback::from(move |_: MouseEvent| {
            busy.set(true);
            let busy = busy.setter();
            ask(&shell, posting, Callback::from(move |()| busy.set(false)));
        })
    };
    let words = if *busy { "Asking…" } else { "Ask the model" };
    html! { <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={*busy} title="For what is missing or in conflict here; what it says is suggested" {onclick}>{ words }</button> }
}

/// The button of a card that is no past one.
pub fn view_ask(card: &CardView) -> Html {
    match card.posting {
        Some(posting) => {
            html! { <AskButton key={posting.to_string()} {posting} gaps={model::has_gaps(card)} /> }
        }
        None => Html::default(),
    }
}
