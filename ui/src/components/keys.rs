//! The keys of the window (SPEC B5): the section of the settings that lists them, and the dialog in which another key is
//! pressed for a command. What a key may be stands in [`crate::state::keys`].

use crate::{
    components::{bits, dialog::Modal},
    dom,
    shell::{Ask, Dialog, Shell, ToastKind, use_shell},
    state::{
        commands::{Action, Command, Press},
        keys::{Own, Recorded, can_go_without, in_words, line_of, with},
    },
};
use ghostlight_api::command::Preferences;
use yew::{
    Callback, Html, KeyboardEvent, MouseEvent, Properties, SubmitEvent, classes, component, html,
    use_state_eq,
};

/// The section of the settings.
#[component]
pub fn Keys() -> Html {
    let shell = use_shell();
    let single = shell.preferences.single_keys;
    let on_single = {
        let shell = shell.clone();
        Callback::from(move |_| prefer(&shell, |p| p.single_keys ^= true))
    };
    let on_all = {
        let shell = shell.clone();
        Callback::from(move |_: MouseEvent| {
            prefer(&shell, |p| p.keys.clear());
            let said = "Every command has its first key again.";
            shell.ask.emit(Ask::Announce(said.into()));
        })
    };
    let keys = shell.keys.clone();
    let lines = keys.all().filter_map(|(line, keys)| {
        let action = line.action?;
        Some(view_line(&shell, line, action, &keys))
    });
    html! {
        <fieldset class="gl-keys">
            <legend>{ "Keys" }</legend>
            <label class="gl-option"><input type="checkbox" checked={single} onchange={on_single} />{ "Single-key shortcuts" }<span class="gl-dim">{ "Off: only keys with Ctrl and function keys act." }</span></label>
            <ul class="gl-keys__list" aria-label="keys of the commands" tabindex="0">{ for lines }</ul>
            <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={shell.preferences.keys.is_empty()} onclick={on_all}>{ "Reset all keys" }</button>
        </fieldset>
    }
}

fn view_line(shell: &Shell, line: &'static Command, action: Action, keys: &[(&str, bool)]) -> Html {
    let title = line.title;
    let reset = shell.preferences.keys.contains_key(line.id).then(|| {
        let shell = shell.clone();
        let onclick = Callback::from(move |_: MouseEvent| reset(&shell, action));
        html! { <button type="button" class="gl-link gl-small" aria-label={format!("Reset the key of {title}")} {onclick}>{ "Reset" }</button> }
    });
    let cap = |(keys, acts): &(&str, bool)| {
        let class = classes!("gl-key", (!acts).then_some("is-off"));
        html! { <kbd key={(*keys).to_owned()} {class}>{ in_words(keys) }if !acts { { bits::unseen(", off") } }</kbd> }
    };
    let change = shell.asks(Ask::Open(Dialog::Key(action)));
    html! {
        <li key={line.id}>
            <span class="gl-cut">{ title }</span>
            <span class="gl-keys__caps">if keys.is_empty() { <span class="gl-dim">{ "no key" }</span> } else { { for keys.iter().map(cap) } }</span>
            <span class="gl-keys__reset">{ reset }</span>
            <button type="button" id={format!("key-{}", line.id)} class="gl-link gl-small" aria-label={format!("Change the key of {title}")} onclick={change}>{ "Change…" }</button>
        </li>
    }
}

/// Its own first key again, unless another command has that now.
fn reset(shell: &Shell, action: Action) {
    match shell.keys.reset(&shell.preferences.keys, action) {
        Ok(own) => {
            choose(shell, own);
            // The button goes, and the focus with it.
            if let Some(line) = line_of(action) {
                dom::focus_id(&format!("key-{}", line.id));
            }
        }
        Err(why) => {
            let toast = Ask::Toast(ToastKind::Warning, "The key is not free".into(), why);
            shell.ask.emit(toast);
        }
    }
}

fn choose(shell: &Shell, own: Own) {
    prefer(shell, |preferences| preferences.keys = own);
}

fn prefer(shell: &Shell, change: impl FnOnce(&mut Preferences)) {
    let mut preferences = (*shell.preferences).clone();
    change(&mut preferences);
    shell.ask.emit(Ask::Prefer(preferences));
}

/// Properties of [`ChooseKey`].
#[derive(Properties, PartialEq)]
pub struct ChooseProps {
    /// The command that gets another key.
    pub action: Action,
}

/// The dialog in which a key is pressed.
#[component]
pub fn ChooseKey(props: &ChooseProps) -> Html {
    let shell = use_shell();
    let action = props.action;
    let pressed = use_state_eq(|| None::<Result<String, String>>);
    let onkeydown = {
        let (shell, pressed) = (shell.clone(), pressed.clone());
        Callback::from(move |event: KeyboardEvent| {
            match shell.keys.record(press(&event, &event.key()), action) {
                Recorded::OfTheDialog => return,
                Recorded::Waiting => {}
                Recorded::Refused(why) => pressed.set(Some(Err(why))),
                Recorded::Keys(keys) => pressed.set(Some(Ok(keys))),
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let keep = {
        let shell = shell.clone();
        move |keys: &str| {
            choose(&shell, with(&shell.preferences.keys, action, keys));
            shell.ask.emit(Ask::Close);
        }
    };
    let chosen = pressed.as_ref().and_then(|pressed| pressed.clone().ok());
    let onsubmit = {
        let (chosen, keep) = (chosen.clone(), keep.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(keys) = &chosen {
                keep(keys);
            }
        })
    };
    let none = Callback::from(move |_: MouseEvent| keep(""));
    let title = line_of(action).map_or("", |line| line.title);
    let now = shell.keys.words(action).join(", ");
    let (class, words) = match pressed.as_ref() {
        None if now.is_empty() => ("gl-dim", "It has no key now.".to_owned()),
        None => ("gl-dim", format!("Its key now: {now}")),
        Some(Ok(_)) => ("gl-dim", "Enter keeps it.".to_owned()),
        Some(Err(why)) => ("gl-bad", why.clone()),
    };
    let shown = chosen.as_deref().map(in_words).unwrap_or_default();
    let actions = html! {
        <>
            <button type="submit" form="choose-key" class="pf-v6-c-button pf-m-primary" disabled={chosen.is_none()}>{ "Keep" }</button>
            if can_go_without(action) { <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={none}>{ "No key" }</button> }
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    html! {
        <Modal title="Another key" on_close={shell.asks(Ask::Close)} {actions}>
            <form id="choose-key" class="gl-choosekey" {onsubmit}>
                <label for="new-key">{ title }</label>
                <input id="new-key" data-first="" type="text" readonly=true autocomplete="off" placeholder="Press a key" value={shown} aria-invalid={matches!(pressed.as_ref(), Some(Err(_))).then_some("true")} aria-describedby="new-key-help" {onkeydown} />
                <p id="new-key-help" {class} role="status">{ words }</p>
            </form>
        </Modal>
    }
}

/// A key press, wherever it is.
pub fn press<'a>(event: &KeyboardEvent, key: &'a str) -> Press<'a> {
    let (ctrl, meta) = (event.ctrl_key(), event.meta_key());
    Press {
        key,
        ctrl: ctrl != meta,
        shift: event.shift_key(),
        other: event.alt_key() || (ctrl && meta),
        typing: false,
        in_dialog: false,
        on_postings: false,
        on_runs: false,
    }
}
