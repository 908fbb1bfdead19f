//! The top bar: name, the intake (address, file, paste), the connection, the theme.

use crate::{
    components::{bits, connection::Indicator},
    icons::{self, Icon},
    shell::{Ask, Dialog, Input, Shell, use_shell},
    state::{commands::Action, views::ViewState},
};
use ghostlight_api::command::Theme;
use web_sys::HtmlInputElement;
use yew::{Callback, Html, Properties, SubmitEvent, component, html, use_node_ref, use_state_eq};

/// The id of the address box, for the shortcut.
pub const URL_BOX: &str = "url-box";

/// Properties of [`Masthead`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The health view.
    pub health: ViewState,
}

/// See the module.
#[component]
pub fn Masthead(props: &Props) -> Html {
    let shell = use_shell();
    html! {
        <header class="gl-mast">
            <span class="gl-logo">{ icons::orb() }<span class="gl-logo__name">{ "Ghostlight" }</span></span>
            <Intake />
            { view_find(&shell) }
            <Indicator health={props.health.clone()} />
            <ThemeSwitch />
        </header>
    }
}

/// The way into the command bar for a mouse.
fn view_find(shell: &Shell) -> Html {
    let title = "Find a posting, a run, a field or a command";
    let title = shell.keys.hint(title, Action::Bar);
    html! {
        <button type="button" class="gl-find" {title} onclick={shell.asks(Ask::Open(Dialog::Bar))}>
            { Icon::Search.draw() }<span class="gl-wide">{ "Find or do" }</span>{ for shell.keys.words(Action::Bar).iter().take(1).map(|key| bits::key(key)) }
        </button>
    }
}

/// Address box, *Open file* and *Paste*.
#[component]
fn Intake() -> Html {
    let shell = use_shell();
    let node = use_node_ref();
    let problem = use_state_eq(|| false);
    let onsubmit = {
        let (ask, node, problem) = (shell.ask.clone(), node.clone(), problem.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(input) = node.cast::<HtmlInputElement>() else {
                return;
            };
            let url = input.value().trim().to_owned();
            problem.set(url.is_empty());
            if !url.is_empty() {
                input.set_value("");
                let _ = input.blur();
                ask.emit(Ask::Analyse(Input::Url(url)));
            }
        })
    };
    html! {
        <div class="gl-intake">
            <form class="gl-intake__form" {onsubmit} role="search" aria-label="analyse an address">
                <input ref={node} id={URL_BOX} type="text" inputmode="url" spellcheck="false" autocomplete="off" placeholder={if *problem { "An address begins with https://" } else { "Address of a posting" }} aria-label="Address of a posting" aria-invalid={problem.then_some("true")} />
                <button type="submit" class="pf-v6-c-button pf-m-primary pf-m-small">{ "Analyse" }</button>
            </form>
            <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" title={shell.keys.hint("Open a saved page or a text file", Action::OpenFile)} aria-label="Open file" onclick={shell.asks(Ask::Analyse(Input::Files))}>{ Icon::Folder.draw() }<span class="gl-wide">{ "Open file" }</span></button>
            <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" title={shell.keys.hint("Paste a posting's text, here or with Ctrl V anywhere", Action::Paste)} aria-label="Paste" onclick={shell.asks(Ask::Open(Dialog::Paste))}>{ Icon::Clipboard.draw() }<span class="gl-wide">{ "Paste" }</span></button>
        </div>
    }
}

/// System, light, dark, in turn.
#[component]
fn ThemeSwitch() -> Html {
    let shell = use_shell();
    let (icon, now, next) = match shell.preferences.theme {
        Theme::System => (Icon::Half, "as the system", Theme::Light),
        Theme::Light => (Icon::Sun, "light", Theme::Dark),
        Theme::Dark => (Icon::Moon, "dark", Theme::System),
    };
    let mut preferences = (*shell.preferences).clone();
    preferences.theme = next;
    let name = format!("Theme: {now}");
    html! {
        <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label={name.clone()} title={name} onclick={shell.asks(Ask::Prefer(preferences))}>{ icon.draw() }</button>
    }
}
