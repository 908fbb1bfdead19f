//! The command bar (SPEC K2): one field that finds commands, the fields of the card, branches, feeds, postings and runs,
//! and does what is chosen (WAI-ARIA *Combobox* with a listbox). The focus stays in the field.
//!
//! What there is for what is typed stands in [`crate::state::command_bar`].

use crate::{
    components::{bits, dialog::Modal, keys::press},
    dom,
    icons::Icon,
    shell::{Ask, Current, Page, Shell, use_shell},
    state::{
        command_bar::{Deed, Group, LINES_MAX, Line, Now, lines},
        commands::{Action, Press},
        format,
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{BranchesView, FeedRow, FoundView},
};
use ghostlight_model::fuzzy;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, MouseEvent, Properties, UseStateHandle, classes,
    component, html, use_effect_with, use_mut_ref, use_state_eq,
};

/// Lines that Page up and Page down move by.
const PAGE: i64 = 8;
const LIST: &str = "command-list";

/// Properties of [`CommandBar`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The posting on screen.
    pub current: Option<Current>,
    /// The page on screen.
    pub page: Page,
}

/// See the module.
#[component]
pub fn CommandBar(props: &Props) -> Html {
    let shell = use_shell();
    let typed = use_state_eq(String::new);
    // The chosen line by what it does; the first one until a key moves on.
    let chosen = use_state_eq(|| None::<Deed>);
    let found = use_found(&typed);
    let branches = use_branches(props.current.as_ref());
    let feeds = use_feeds();
    let now = Now {
        page: props.page,
        current: props.current.as_ref(),
        branches: branches.as_ref(),
        feeds: &feeds,
        preferences: &shell.preferences,
        keys: &shell.keys,
    };
    let (lines, all) = lines(&typed, &now, &found.rows);
    let place = chosen.as_ref().and_then(|deed| place_of(&lines, deed));
    let active = place.unwrap_or(0).min(lines.len().saturating_sub(1));
    use_effect_with((active, lines.len()), |(active, _)| reveal(*active));

    let oninput = {
        let (typed, chosen) = (typed.clone(), chosen.clone());
        Callback::from(move |event: InputEvent| {
            let input = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            chosen.set(None);
            typed.set(input.map(|input| input.value()).unwrap_or_default());
        })
    };
    let onkeydown = {
        let (shell, lines, chosen) = (shell.clone(), lines.clone(), chosen.clone());
        Callback::from(move |event: KeyboardEvent| key(&shell, &event, &lines, active, &chosen))
    };
    let option = |(place, line): (usize, &Line)| view_line(&shell, line, place, place == active);
    let id = lines.get(active).map(|_| line_id(active));
    let words = said(lines.len(), all, found.partly);
    html! {
        <Modal title="Find or do" bare={true} on_close={shell.asks(Ask::Close)}>
            <div class="gl-command">
                <div class="gl-command__field">
                    { Icon::Search.draw() }
                    <input data-first="" type="text" role="combobox" aria-label="Find or do" aria-expanded="true" aria-controls={LIST} aria-autocomplete="list" aria-haspopup="listbox" aria-activedescendant={id} autocomplete="off" spellcheck="false" maxlength={fuzzy::CHARS_MAX.to_string()} placeholder="A posting, a run, a field or a command" value={(*typed).clone()} {oninput} {onkeydown} />
                    { bits::key("Esc") }
                </div>
                <ul id={LIST} class="gl-command__list" role="listbox" aria-label="found">{ for lines.iter().enumerate().map(option) }</ul>
                if lines.is_empty() { <p class="gl-hint">{ "Nothing is called that. A word less, or the beginning of one, finds more." }</p> }
                <p class="gl-command__foot gl-small gl-dim" role="status">{ words }</p>
            </div>
        </Modal>
    }
}

/// What the store finds; what it found before, until the answer is here.
#[yew::hook]
fn use_found(typed: &str) -> FoundView {
    let before = use_mut_ref(|| FoundView {
        rows: Vec::new(),
        partly: false,
    });
    let text = typed.trim().to_owned();
    let query = (!text.is_empty()).then_some(ViewQuery::Find { text });
    let state: ViewState = use_view(query.clone());
    let mut before = before.borrow_mut();
    match (&query, &state) {
        (None, _) => before.rows.clear(),
        (Some(_), ViewState::Ready(data)) => {
            if let ViewData::Found(found) = &**data {
                *before = found.clone();
            }
        }
        // What the store cannot tell leaves the commands.
        (Some(_), ViewState::Failed(_)) => before.rows.clear(),
        (Some(_), ViewState::Loading) => {
            let wanted = fuzzy::Wanted::of(typed);
            before.rows.retain_mut(|row| {
                let score = wanted.score(&format!("{} {}", row.title, row.detail));
                row.score = score.unwrap_or_default();
                score.is_some()
            });
        }
    }
    before.clone()
}

#[yew::hook]
fn use_branches(current: Option<&Current>) -> Option<BranchesView> {
    let posting = current.and_then(|current| current.posting);
    let state: ViewState = use_view(posting.map(ViewQuery::Branches));
    match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Branches(view) => Some((**view).clone()),
            _ => None,
        },
        _ => None,
    }
}

#[yew::hook]
fn use_feeds() -> Vec<FeedRow> {
    let state: ViewState = use_view(Some(ViewQuery::Feeds));
    match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Feeds(feeds) => feeds.clone(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn place_of(lines: &[Line], deed: &Deed) -> Option<usize> {
    lines.iter().position(|line| line.deed == *deed)
}

fn line_id(place: usize) -> String {
    format!("command-{place}")
}

/// How many there are, for eyes and screen readers.
fn said(shown: usize, all: usize, partly: bool) -> String {
    let mut words = match (shown, all) {
        (0, _) => "Nothing found".to_owned(),
        (_, all) if all > LINES_MAX => format!("The best {shown} of {all}"),
        (shown, _) => format::plural(shown as u64, "line", "lines"),
    };
    if partly {
        words.push_str(" · of older postings only those whose title begins so");
    }
    words
}

fn key(
    shell: &Shell,
    event: &KeyboardEvent,
    lines: &[Line],
    active: usize,
    chosen: &UseStateHandle<Option<Deed>>,
) {
    let (at, count) = (active as i64, lines.len() as i64);
    let to = match event.key().as_str() {
        _ if event.is_composing() || count == 0 => None,
        "ArrowDown" => Some((at + 1) % count),
        "ArrowUp" => Some((at + count - 1) % count),
        "PageDown" => Some((at + PAGE).min(count - 1)),
        "PageUp" => Some((at - PAGE).max(0)),
        _ => None,
    };
    if let Some(to) = to {
        event.prevent_default();
        chosen.set(lines.get(to as usize).map(|line| line.deed.clone()));
        return;
    }
    let key = event.key();
    if key == "Enter" && !event.is_composing() {
        event.prevent_default();
        if let Some(line) = lines.get(active) {
            choose(shell, line);
        }
    }
    // The key that opened it, unless it types something.
    let again = Press {
        typing: true,
        ..press(event, &key)
    };
    if shell.keys.action_of(again) == Some(Action::Bar) {
        event.prevent_default();
        shell.ask.emit(Ask::Close);
    }
}

/// The bar goes first and gives the focus back; what is done may take it again.
fn choose(shell: &Shell, line: &Line) {
    if let Some(reason) = &line.blocked {
        shell.ask.emit(Ask::Announce(reason.clone()));
        return;
    }
    shell.ask.emit(Ask::Close);
    let (ask, deed) = (shell.ask.clone(), line.deed.clone());
    dom::next_frame(move || ask.emit(Ask::Do(deed)));
}

fn view_line(shell: &Shell, line: &Line, place: usize, active: bool) -> Html {
    let onclick = {
        let (shell, line) = (shell.clone(), line.clone());
        Callback::from(move |_: MouseEvent| choose(&shell, &line))
    };
    // A press would take the focus out of the field.
    let onmousedown = Callback::from(|event: MouseEvent| event.prevent_default());
    let icon = match line.group {
        Group::Command => Icon::Right,
        Group::Field => Icon::Pen,
        Group::Posting => Icon::Sheet,
        Group::Run => Icon::Pulse,
        Group::Branch => Icon::Two,
        Group::Feed => Icon::Plug,
    };
    let class = classes!(
        "gl-command__line",
        active.then_some("is-active"),
        line.blocked.is_some().then_some("is-blocked"),
    );
    let right = match &line.blocked {
        Some(reason) => html! { <span class="gl-command__why">{ reason }</span> },
        None => html! { { for line.keys.iter().map(|key| bits::key(key)) } },
    };
    html! {
        <li key={place} id={line_id(place)} {class} role="option" aria-selected={active.to_string()} aria-disabled={line.blocked.is_some().then_some("true")} {onclick} {onmousedown}>
            { icon.draw() }
            <span class="gl-command__text gl-cut"><span class="gl-command__title">{ &line.title }</span>{ " " }<span class="gl-dim">{ &line.detail }</span></span>
            <span class="gl-command__right">{ right }</span>
            if line.group != Group::Command { <span class="gl-command__group gl-small gl-dim">{ line.group.word() }</span> }
        </li>
    }
}

fn reveal(place: usize) {
    if let Some(line) = dom::document().get_element_by_id(&line_id(place)) {
        dom::reveal(&line);
    }
}
