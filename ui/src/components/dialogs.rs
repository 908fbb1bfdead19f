//! The window's dialogs: paste, verdict, outcome, shortcuts.

use crate::{
    backend,
    components::{
        bits,
        capture::Capture,
        command_bar::CommandBar,
        connection::Connections,
        dialog::Modal,
        feeds::FeedDialog,
        keys::ChooseKey,
        merge::Merge,
        new_field::NewField,
        storage::{Archive, BringBack},
        suggestions::AcceptMany,
        unmerge::Unmerge,
        versions::{Compare, NewBranch},
    },
    dom,
    shell::{Ask, Current, Dialog, Input, Page, Shell, ToastKind, use_shell},
    state::{
        card::{OUTCOMES, VERDICTS, label_of},
        commands::{Command, Place},
        keys::in_words,
    },
};
use ghostlight_api::{
    ApiError,
    command::{DiscardEntry, RecordOutcome, SetVerdict},
};
use std::future::Future;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::{
    AttrValue, Callback, Html, KeyboardEvent, Properties, SubmitEvent, component, html,
    use_node_ref, use_state_eq,
};

/// A note's length at most, in characters, as the commands say.
const NOTE_MAX: &str = "4000";

/// Properties of [`Dialogs`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Which one is open.
    pub dialog: Option<Dialog>,
    /// The posting on screen.
    pub current: Option<Current>,
    /// The page on screen.
    pub page: Page,
}

/// The open dialog, if any.
#[component]
pub fn Dialogs(props: &Props) -> Html {
    match (props.dialog.clone(), &props.current) {
        (None, _) => Html::default(),
        (Some(Dialog::Bar), current) => {
            html! { <CommandBar current={current.clone()} page={props.page} /> }
        }
        (Some(Dialog::Paste), _) => html! { <Paste /> },
        (Some(Dialog::Connections(first)), _) => html! { <Connections {first} /> },
        (Some(Dialog::Feed(id)), _) => html! { <FeedDialog {id} /> },
        (Some(Dialog::Discard(feed, key, what)), _) => {
            html! { <Discard {feed} entry={key} {what} /> }
        }
        (Some(Dialog::Archive(days)), _) => html! { <Archive {days} /> },
        (Some(Dialog::BringBack), _) => html! { <BringBack /> },
        (Some(Dialog::Compare(posting, before, after)), _) => {
            html! { <Compare {posting} {before} {after} restore={false} /> }
        }
        (Some(Dialog::Capture(capture, before, at)), _) => {
            html! { <Capture {capture} {before} {at} /> }
        }
        (Some(Dialog::Restore(posting, before, after)), _) => {
            html! { <Compare {posting} {before} {after} restore={true} /> }
        }
        (Some(Dialog::Branch(posting, at)), _) => html! { <NewBranch {posting} {at} /> },
        (Some(Dialog::Merge(posting)), _) => html! { <Merge {posting} /> },
        (Some(Dialog::Unmerge(posting, merge, undoing)), _) => {
            html! { <Unmerge {posting} {merge} {undoing} /> }
        }
        (Some(Dialog::NewField(posting)), _) => html! { <NewField {posting} /> },
        (Some(Dialog::Suggestions(posting)), _) => html! { <AcceptMany {posting} /> },
        (Some(Dialog::Key(action)), _) => html! { <ChooseKey {action} /> },
        (Some(Dialog::Shortcuts), _) => html! { <Sheet page={props.page} /> },
        (Some(Dialog::Verdict), Some(current)) => {
            html! { <Choose what={What::Verdict} current={current.clone()} /> }
        }
        (Some(Dialog::Outcome), Some(current)) => {
            html! { <Choose what={What::Outcome} current={current.clone()} /> }
        }
        (Some(Dialog::Verdict | Dialog::Outcome), None) => Html::default(),
    }
}

#[component]
fn Paste() -> Html {
    let shell = use_shell();
    let node = use_node_ref();
    let empty = use_state_eq(|| false);
    let onsubmit = {
        let (ask, node, empty) = (shell.ask.clone(), node.clone(), empty.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = node.cast::<HtmlTextAreaElement>().map(|area| area.value());
            let text = text.filter(|text| !text.trim().is_empty());
            empty.set(text.is_none());
            if let Some(text) = text {
                ask.emit(Ask::Close);
                ask.emit(Ask::Analyse(Input::Text(text)));
            }
        })
    };
    let actions = html! {
        <>
            <button type="submit" form="paste-form" class="pf-v6-c-button pf-m-primary">{ "Analyse" }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    html! {
        <Modal title="Paste a posting" on_close={shell.asks(Ask::Close)} {actions}>
            <form id="paste-form" {onsubmit}>
                <label for="paste-text">{ "The posting's text, or the source of its page" }</label>
                <textarea ref={node} id="paste-text" data-first="" class="gl-area" rows="12" spellcheck="false" aria-invalid={empty.then_some("true")} aria-describedby="paste-help" />
                <p id="paste-help" class="gl-small gl-dim">{ if *empty { "There is no text yet: paste it into the box above." } else { "Nothing leaves this computer. Up to 64 MB." } }</p>
            </form>
        </Modal>
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Verdict,
    Outcome,
}

#[derive(Properties, PartialEq)]
struct ChooseProps {
    what: What,
    current: Current,
}

/// One of several words with a sentence each, and a note.
#[component]
fn Choose(props: &ChooseProps) -> Html {
    let shell = use_shell();
    let node = use_node_ref();
    let stands = props
        .current
        .verdict
        .clone()
        .filter(|_| props.what == What::Verdict);
    let word = use_state_eq(|| {
        stands
            .as_ref()
            .map(|(word, _)| word.clone())
            .unwrap_or_default()
    });
    // The same key for every try, so that a second click is not a second commit.
    let key = use_state_eq(dom::fresh_key);
    let (title, options): (&str, &[(&str, &str, &str)]) = match props.what {
        What::Verdict => ("Your verdict", &VERDICTS),
        What::Outcome => ("Record an outcome", &OUTCOMES),
    };
    let submit = {
        let (shell, node, word, key) = (shell.clone(), node.clone(), word.clone(), key.clone());
        let (what, current) = (props.what, props.current.clone());
        Callback::from(move |()| {
            let note = node.cast::<HtmlTextAreaElement>().map(|area| area.value());
            let note = note.unwrap_or_default().trim().to_owned();
            send(
                &shell,
                what,
                &current,
                (*word).clone(),
                note,
                (*key).clone(),
            );
        })
    };
    let onsubmit = submit.reform(|event: SubmitEvent| event.prevent_default());
    // Hands stay on the keyboard: Enter in the note records, as it does elsewhere in the dialog.
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            submit.emit(());
        }
    });
    let option = |(stored, label, sentence): &(&'static str, &'static str, &'static str)| {
        let (stored, word) = (*stored, word.clone());
        let chosen = *word == stored;
        let first = chosen || (word.is_empty() && stored == options[0].0);
        html! {
            <label key={stored} class="gl-choice">
                <input type="radio" name="choice" value={stored} checked={chosen} required={true} data-first={first.then_some("")} onchange={move |_| word.set(stored.to_owned())} />
                <span class="gl-strong">{ *label }</span>
                <span class="gl-dim">{ *sentence }</span>
            </label>
        }
    };
    let actions = html! {
        <>
            <button type="submit" form="choose-form" class="pf-v6-c-button pf-m-primary" disabled={word.is_empty()}>{ "Record" }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    let note = stands.map(|(_, note)| note).unwrap_or_default();
    html! {
        <Modal title={AttrValue::from(title)} on_close={shell.asks(Ask::Close)} {actions}>
            <form id="choose-form" {onsubmit}>
                <fieldset class="gl-choices">
                    <legend class="gl-dim">{ &props.current.title }</legend>
                    { for options.iter().map(option) }
                </fieldset>
                <label for="choice-note">{ "Note" }</label>
                <textarea ref={node} id="choice-note" class="gl-area" rows="3" maxlength={NOTE_MAX} defaultvalue={note} {onkeydown} aria-describedby="choice-help" />
                <p id="choice-help" class="gl-small gl-dim">{ "Kept in the history of this posting. Enter records, Shift Enter begins a new line." }</p>
            </form>
        </Modal>
    }
}

fn send(shell: &Shell, what: What, current: &Current, word: String, note: String, key: String) {
    let Some(posting) = current.posting.filter(|_| !word.is_empty()) else {
        return;
    };
    let done = format!("{} recorded", label_of(&word));
    let title = current.title.clone();
    shell.ask.emit(Ask::Close);
    match what {
        What::Verdict => {
            let request = SetVerdict {
                posting,
                verdict: word,
                note,
                key,
            };
            tell(shell, done, title, backend::call(request));
        }
        What::Outcome => {
            let request = RecordOutcome {
                posting,
                outcome: word,
                note,
                key,
            };
            tell(shell, done, title, backend::call(request));
        }
    }
}

fn tell(
    shell: &Shell,
    done: String,
    title: String,
    call: impl Future<Output = Result<(), ApiError>> + 'static,
) {
    let shell = shell.clone();
    spawn_local(async move {
        match call.await {
            Ok(()) => shell.ask.emit(Ask::Toast(ToastKind::Success, done, title)),
            Err(error) => shell.error(&error),
        }
    });
}

#[derive(Properties, PartialEq)]
struct DiscardProps {
    feed: i64,
    entry: String,
    what: String,
}

/// Whether an entry of the outbox is to be sent at all.
#[component]
fn Discard(props: &DiscardProps) -> Html {
    let shell = use_shell();
    let confirm = {
        let (shell, feed, key) = (shell.clone(), props.feed, props.entry.clone());
        let what = props.what.clone();
        Callback::from(move |_: yew::MouseEvent| {
            shell.ask.emit(Ask::Close);
            let request = DiscardEntry {
                feed,
                key: key.clone(),
            };
            tell(
                &shell,
                "Discarded".into(),
                what.clone(),
                backend::call(request),
            );
        })
    };
    let actions = html! {
        <>
            <button type="button" class="pf-v6-c-button pf-m-primary" onclick={confirm}>{ "Discard" }</button>
            <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Keep it" }</button>
        </>
    };
    html! {
        <Modal title="Discard this entry?" on_close={shell.asks(Ask::Close)} {actions}>
            <p class="gl-strong">{ &props.what }</p>
            <p>{ "It is not sent to the hub. The run itself stays on this computer." }</p>
        </Modal>
    }
}

#[derive(Properties, PartialEq)]
struct SheetProps {
    page: Page,
}

/// The shortcuts of the present page.
#[component]
fn Sheet(props: &SheetProps) -> Html {
    let shell = use_shell();
    let shown = |place: Place| match place {
        Place::Everywhere => true,
        Place::Lists | Place::Focused => !matches!(props.page, Page::Settings | Page::Outbox),
        Place::Postings => props.page == Page::Postings,
    };
    let has_keys =
        |(command, keys): &(&Command, Vec<&str>)| !keys.is_empty() && shown(command.place);
    let line = |(command, keys): (&'static Command, Vec<&str>)| {
        html! {
            <div key={command.title}>
                <dt>{ for keys.iter().map(|keys| html! { <kbd key={(*keys).to_owned()} class="gl-key">{ in_words(keys) }</kbd> }) }</dt>
                <dd>{ command.title }</dd>
            </div>
        }
    };
    let rest = match shell.preferences.single_keys {
        true => "Single keys rest while you type.",
        false => "Single keys are turned off.",
    };
    let actions = html! { <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Close" }</button> };
    html! {
        <Modal title="Keyboard shortcuts" on_close={shell.asks(Ask::Close)} {actions}>
            <dl class="gl-sheet">
                { for shell.keys.lines().filter(has_keys).map(line) }
            </dl>
            <p class="gl-small gl-dim">{ rest }{ " Other keys can be chosen in the settings." }{ bits::unseen(" Press Escape to close.") }</p>
        </Modal>
    }
}
