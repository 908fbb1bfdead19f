//! The editor of a field, in place of its value: an input that fits the field, what is wrong with the text in a sentence
//! while it is typed, and how it is understood (SPEC B5).
//!
//! It only draws an [`Edit`] and says what the person does; the row settles it. Keys typed here go nowhere else.

use crate::{
    components::{bits, calendar::DayInput},
    dom,
    icons::Icon,
    state::{
        card::{self, Shown},
        edit::{Edit, Worth},
        format,
    },
};
use ghostlight_model::{
    FieldKey, FieldValue,
    typed::{self, Editor},
};
use wasm_bindgen::JsCast;
use web_sys::{
    Element, EventTarget, FocusEvent, HtmlElement, HtmlInputElement, HtmlSelectElement,
    HtmlTextAreaElement,
};
use yew::{
    AttrValue, Callback, Event, Html, InputEvent, KeyboardEvent, MouseEvent, NodeRef, Properties,
    component, html, use_effect_with, use_node_ref, use_state_eq,
};

/// What the person does in the editor.
#[derive(Debug, Clone, PartialEq)]
pub enum Typing {
    /// The text is another.
    Text(String),
    /// Enter: it is done.
    Done,
    /// The focus goes elsewhere.
    Left,
    /// Esc: what is not saved is given up.
    GiveUp,
    /// It is meant as it stands, in spite of the doubts.
    Sure,
    /// The person's value goes.
    Withdraw,
    /// Tab: done, and on to the field so many further down.
    Go(i32),
}

/// Properties of [`FieldEditor`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is edited.
    pub edit: Edit,
    /// A value that a run found meanwhile.
    pub offer: Option<FieldValue>,
    /// Whether there is a person's value to withdraw.
    pub mine: bool,
    /// Told what the person does.
    pub on: Callback<Typing>,
    /// What stands below the input; what is done there is done in the editor.
    #[prop_or_default]
    pub children: Html,
}

/// See the module.
#[component]
pub fn FieldEditor(props: &Props) -> Html {
    let node = use_node_ref();
    use_effect_with((), {
        let node = node.clone();
        move |()| focus_first(&node)
    });
    let key = props.edit.field().name().to_owned();
    let help = format!("edit-{key}-help");
    let worth = props.edit.worth();
    html! {
        <div ref={node.clone()} class="gl-edit" onkeydown={on_key(props)} onclick={|event: MouseEvent| event.stop_propagation()} onfocusout={on_leave(props, node)}>
            <FieldInput field={props.edit.field().clone()} editor={props.edit.editor()} text={props.edit.text().to_owned()} label={format!("edit {key}")} help={help.clone()} wrong={matches!(worth, Worth::Wrong(_))} on={props.on.reform(Typing::Text)} />
            <div class="gl-edit__foot">
                <div id={help} class="gl-edit__says" aria-live="polite">{ view_says(props, &worth) }</div>
                { view_actions(props, &worth) }
            </div>
            { props.children.clone() }
        </div>
    }
}

/// Properties of [`FieldInput`].
#[derive(Properties, PartialEq)]
pub struct InputProps {
    /// Of which field.
    pub field: FieldKey,
    /// How it is typed.
    pub editor: Editor,
    /// What is typed.
    pub text: String,
    /// The accessible name.
    pub label: AttrValue,
    /// The id of what describes it.
    pub help: AttrValue,
    /// Whether the text is no value.
    pub wrong: bool,
    /// Told of another text.
    pub on: Callback<String>,
}

/// The input that fits a field; also used where a conflict is decided by typing.
#[component]
pub fn FieldInput(props: &InputProps) -> Html {
    let (label, help) = (props.label.clone(), props.help.clone());
    let text = props.text.clone();
    let invalid = props.wrong.then_some("true");
    let typed = {
        let on = props.on.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(text) = text_in(event.target()) {
                on.emit(text);
            }
        })
    };
    match props.editor {
        Editor::LongText => html! {
            <textarea data-first="" class="gl-area" rows="10" spellcheck="true" aria-label={label} aria-describedby={help} aria-invalid={invalid} value={text} oninput={typed} />
        },
        Editor::Choice(words) => view_choice(props, words),
        Editor::Choices(words) => view_choices(props, words),
        Editor::List => {
            html! { <Tags {label} {help} {invalid} {text} on={props.on.clone()} /> }
        }
        Editor::Day => {
            let day = match typed::read(&props.field, None, &text) {
                Ok(FieldValue::Date(day)) => Some(day),
                _ => None,
            };
            html! { <DayInput field={props.field.label().to_owned()} {label} {help} {invalid} {text} {day} on={props.on.clone()} /> }
        }
        editor => html! {
            <input data-first="" type="text" inputmode={input_mode(editor)} autocomplete="off" spellcheck="false" placeholder={example(&props.field, editor)} aria-label={label} aria-describedby={help} aria-invalid={invalid} value={text} oninput={typed} />
        },
    }
}

fn view_choice(props: &InputProps, words: &'static [&'static str]) -> Html {
    let on = props.on.clone();
    let onchange = Callback::from(move |event: Event| {
        let select = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
        if let Some(select) = select {
            on.emit(select.value());
        }
    });
    let now = props.text.as_str();
    html! {
        <select data-first="" aria-label={props.label.clone()} aria-describedby={props.help.clone()} {onchange}>
            if !words.contains(&now) { <option value="" selected={true} disabled={true}>{ "Choose…" }</option> }
            { for words.iter().map(|word| html! { <option key={*word} value={*word} selected={*word == now}>{ format::words(word) }</option> }) }
        </select>
    }
}

/// Several words of a set: a button each.
fn view_choices(props: &InputProps, words: &'static [&'static str]) -> Html {
    let chosen = match typed::read(&props.field, None, &props.text) {
        Ok(FieldValue::List(items)) => items,
        _ => Vec::new(),
    };
    let button = |(at, word): (usize, &&'static str)| {
        let pressed = chosen.iter().any(|item| item == word);
        let (on, word, chosen) = (props.on.clone(), *word, chosen.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            let mut items = chosen.clone();
            match pressed {
                true => items.retain(|item| item != word),
                false => items.push(word.to_owned()),
            }
            on.emit(typed::text_of(&FieldValue::List(items)));
        });
        html! {
            <button key={word} type="button" class="gl-toggle" data-first={(at == 0).then_some("")} aria-pressed={pressed.to_string()} {onclick}>
                if pressed { { Icon::Check.draw() } }{ format::words(word) }
            </button>
        }
    };
    html! { <div class="gl-toggles" role="group" aria-label={props.label.clone()}>{ for words.iter().enumerate().map(button) }</div> }
}

/// What is wrong, what is doubtful, or how the text is understood.
fn view_says(props: &Props, worth: &Worth) -> Html {
    if let Some(error) = props.edit.failure() {
        let hint = error.hint.clone().unwrap_or_default();
        return html! { <p class="gl-bad">{ Icon::Cross.draw() }{ format!("Not saved. {} {hint}", error.message) }</p> };
    }
    match worth {
        Worth::Wrong(why) => html! { <p class="gl-bad">{ Icon::Cross.draw() }{ why }</p> },
        Worth::Doubtful(_, doubts) => html! {
            { for doubts.iter().map(|doubt| html! { <p class="gl-warn">{ Icon::Warning.draw() }{ doubt }</p> }) }
        },
        Worth::Good(value) => html! {
            <p class="gl-dim">{ if props.edit.is_sending() { "Saving…" } else { "Saved when you pause." } }{ understood(props.edit.field(), value) }</p>
        },
        Worth::Unchanged if props.edit.is_sending() => {
            html! { <p class="gl-dim">{ "Saving…" }</p> }
        }
        Worth::Unchanged => html! { <p class="gl-dim">{ keys(props.edit.editor()) }</p> },
    }
}

/// How a text with a form of its own is understood.
pub fn understood(field: &FieldKey, value: &FieldValue) -> String {
    let shown = match card::shown(field, value) {
        Shown::Amount(amount, quiet) => format!("{amount} {quiet}"),
        _ if matches!(value, FieldValue::Places(_)) => value.display(),
        Shown::Line(line) if matches!(value, FieldValue::Date(_)) => line,
        _ => return String::new(),
    };
    format!(" Understood as {}.", shown.trim())
}

fn keys(editor: Editor) -> &'static str {
    match editor {
        Editor::LongText => "Saved when you pause. Ctrl Enter: done · Esc: give up",
        Editor::List => "Enter or comma: add · Backspace: remove the last · Esc: give up",
        Editor::Choices(_) => "Saved when you pause. Space: choose · Esc: done",
        Editor::Day => "Saved when you pause. Enter: done · Alt ↓: calendar · Esc: give up",
        _ => "Saved when you pause. Enter: done · Tab: next field · Esc: give up",
    }
}

fn view_actions(props: &Props, worth: &Worth) -> Html {
    let does = |typing: Typing| {
        let on = props.on.clone();
        Callback::from(move |_: MouseEvent| on.emit(typing.clone()))
    };
    let offer = props.offer.as_ref().map(|value| {
        let text = typed::text_of(value);
        let shown = format::shortened(&value.display(), 60);
        html! { <button type="button" class="gl-link" title="A run found this while you were typing" onclick={does(Typing::Text(text))}>{ format!("Use “{shown}”, just found") }</button> }
    });
    html! {
        <div class="gl-edit__acts">
            { offer.unwrap_or_default() }
            if matches!(worth, Worth::Doubtful(..)) {
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={does(Typing::Sure)}>{ "Save all the same" }</button>
            }
            if props.mine {
                <button type="button" class="gl-link" title="What was found on the page stands again" onclick={does(Typing::Withdraw)}>{ "Withdraw my value" }</button>
            }
        </div>
    }
}

fn input_mode(editor: Editor) -> Option<&'static str> {
    match editor {
        Editor::Url => Some("url"),
        Editor::Number => Some("decimal"),
        _ => None,
    }
}

fn example(field: &FieldKey, editor: Editor) -> &'static str {
    match (editor, field) {
        (Editor::Salary, _) => "48000–55000 EUR / year",
        (Editor::Places, _) => "Lyon, FR; Remote",
        (Editor::Url, _) => "https://…",
        (_, FieldKey::Title) => "The job's title",
        (_, FieldKey::Company) => "Who hires",
        _ => "",
    }
}

fn text_in(target: Option<EventTarget>) -> Option<String> {
    let target = target?;
    if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
        return Some(input.value());
    }
    target
        .dyn_ref::<HtmlTextAreaElement>()
        .map(HtmlTextAreaElement::value)
}

/// Keys of the editor; none of them is a shortcut of the window.
fn on_key(props: &Props) -> Callback<KeyboardEvent> {
    let (on, editor) = (props.on.clone(), props.edit.editor());
    Callback::from(move |event: KeyboardEvent| {
        let command = event.ctrl_key() || event.meta_key();
        if !command {
            event.stop_propagation();
        }
        if event.is_composing() {
            return;
        }
        let down = event.key() == "ArrowDown" && !on_button(&event);
        let moves = command || !matches!(editor, Editor::LongText | Editor::Choice(_));
        if down && moves && focus_suggestion(&event) {
            return event.prevent_default();
        }
        let typing = match event.key().as_str() {
            // A button says what it does; there is no text to give up.
            "Escape" if matches!(editor, Editor::Choices(_)) => Typing::Done,
            "Escape" => Typing::GiveUp,
            "Enter" if editor == Editor::LongText && !command => return,
            "Enter" if on_button(&event) => return,
            "Enter" => Typing::Done,
            "Tab" if event.shift_key() => Typing::Go(-1),
            "Tab" if !on_button(&event) => Typing::Go(1),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        on.emit(typing);
    })
}

/// Goes on to the suggestions below the input, if there are any.
fn focus_suggestion(event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    let editor = element.and_then(|element| element.closest(".gl-edit").ok().flatten());
    let first = editor.and_then(|e| e.query_selector(".gl-suggest").ok().flatten());
    first.iter().for_each(dom::focus);
    first.is_some()
}

fn on_button(event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    element.is_some_and(|element| element.tag_name() == "BUTTON")
}

/// Told when the focus goes to another part of this window; another window keeps it open.
fn on_leave(props: &Props, node: NodeRef) -> Callback<FocusEvent> {
    let on = props.on.clone();
    Callback::from(move |event: FocusEvent| {
        if !dom::focus_stays(&event, &node) {
            on.emit(Typing::Left);
        }
    })
}

fn focus_first(node: &NodeRef) {
    let first = node
        .cast::<Element>()
        .and_then(|editor| editor.query_selector("[data-first]").ok().flatten());
    let Some(first) = first else { return };
    if let Some(element) = first.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
    if let Some(input) = first.dyn_ref::<HtmlInputElement>() {
        input.select();
    }
}

#[derive(Properties, PartialEq)]
struct TagsProps {
    label: AttrValue,
    help: AttrValue,
    invalid: Option<&'static str>,
    text: String,
    on: Callback<String>,
}

/// A list of one's own words: a chip each, and an input for the next.
#[component]
fn Tags(props: &TagsProps) -> Html {
    // The items and the one that is being typed, with the text that they make: another text is from elsewhere.
    let own = use_state_eq(|| (props.text.clone(), items_of(&props.text), String::new()));
    let (items, pending) = match own.0 == props.text {
        true => (own.1.clone(), own.2.clone()),
        false => (items_of(&props.text), String::new()),
    };
    let say = {
        let on = props.on.clone();
        move |items: Vec<String>, pending: String| {
            let mut all = items.clone();
            all.extend(Some(pending.trim().to_owned()).filter(|word| !word.is_empty()));
            let text = typed::text_of(&FieldValue::List(all));
            own.set((text.clone(), items, pending));
            on.emit(text);
        }
    };
    let oninput = {
        let (items, say) = (items.clone(), say.clone());
        Callback::from(move |event: InputEvent| {
            let text = text_in(event.target()).unwrap_or_default();
            // A comma, also one of a pasted list, ends an item.
            let mut parts: Vec<String> = text.split([',', '\n']).map(str::to_owned).collect();
            let rest = parts.pop().unwrap_or_default();
            let mut all = items.clone();
            let whole = parts.iter().map(|part| part.trim().to_owned());
            all.extend(whole.filter(|part| !part.is_empty()));
            say(all, rest);
        })
    };
    let onkeydown = {
        let (items, pending, say) = (items.clone(), pending.clone(), say.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Enter" if !pending.trim().is_empty() => {
                event.prevent_default();
                event.stop_propagation();
                let mut all = items.clone();
                all.push(pending.trim().to_owned());
                say(all, String::new());
            }
            "Backspace" if pending.is_empty() && !items.is_empty() => {
                event.prevent_default();
                say(items[..items.len() - 1].to_vec(), String::new());
            }
            _ => {}
        })
    };
    let chip = |(at, item): (usize, &String)| {
        let (items, pending, say) = (items.clone(), pending.clone(), say.clone());
        let remove = Callback::from(move |_: MouseEvent| {
            let mut all = items.clone();
            all.remove(at);
            say(all, pending.clone());
        });
        html! {
            <span key={format!("{at}-{item}")} class="gl-chip gl-tag">
                <span class="gl-cut" title={item.clone()}>{ item }</span>
                <button type="button" aria-label={format!("Remove {item}")} title={format!("Remove {item}")} onclick={remove}>{ Icon::Cross.draw() }</button>
            </span>
        }
    };
    html! {
        <div class="gl-tags">
            { for items.iter().enumerate().map(chip) }
            <input data-first="" type="text" autocomplete="off" spellcheck="false" placeholder="Add…" aria-label={props.label.clone()} aria-describedby={props.help.clone()} aria-invalid={props.invalid} value={pending} {oninput} {onkeydown} />
            { bits::unseen(&format::plural(items.len() as u64, "item", "items")) }
        </div>
    }
}

fn items_of(text: &str) -> Vec<String> {
    match typed::read(&FieldKey::Skills, None, text) {
        Ok(FieldValue::List(items)) => items,
        _ => Vec::new(),
    }
}
