//! Feeds in the settings: the list, and the dialog that sets one up or changes it.

use crate::{
    backend,
    components::{
        bits,
        connection::kind_words,
        dialog::Modal,
        run_view::{use_ticking, view_sign},
    },
    dom,
    icons::Icon,
    shell::{Ask, Dialog, Shell, ToastKind, use_shell},
    state::monitor,
    views::use_view,
};
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    command::{AddFeed, ChangeFeed, FeedForm, RemoveFeed},
    view::{FeedRow, LinkState, TokenPlace},
};
use std::future::Future;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, Html, InputEvent, Properties, SubmitEvent, component, html,
    use_state_eq,
};

/// Adapters: word and label.
const KINDS: [(&str, &str); 5] = [
    ("", "Find out"),
    ("hub", "Ghostlight hub"),
    ("workflow", "Workflow events"),
    ("typed", "Typed messages"),
    ("sse", "Event stream (SSE)"),
];
/// Transports, best first: word and label.
const TRANSPORTS: [(&str, &str); 3] = [
    ("websocket", "WebSocket"),
    ("sse", "Server-sent events"),
    ("poll", "Long poll"),
];

/// The list of feeds in the settings.
#[component]
pub fn Feeds() -> Html {
    let shell = use_shell();
    use_ticking(true);
    let query = ViewQuery::Feeds;
    let state = use_view(Some(query.clone()));
    html! {
        <fieldset aria-label="feeds">
            <legend>{ "Feeds" }</legend>
            <p class="gl-dim">{ "Runs that happen elsewhere: a hub of colleagues, or another system's events by WebSocket or server-sent events." }</p>
            { bits::render_view(&query, &state, || html! { <div>{ bits::skeleton(40) }</div> }, |data| match &**data {
                ViewData::Feeds(feeds) if feeds.is_empty() => html! { <p class="gl-dim">{ "None yet." }</p> },
                ViewData::Feeds(feeds) => html! { <div class="gl-feeds">{ for feeds.iter().map(|feed| view_line(&shell, feed)) }</div> },
                _ => Html::default(),
            }) }
            <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={shell.asks(Ask::Open(Dialog::Feed(None)))}>{ Icon::Plug.draw() }{ "Add a feed" }</button>
        </fieldset>
    }
}

fn view_line(shell: &Shell, feed: &FeedRow) -> Html {
    let sign = monitor::link_sign(&feed.link, dom::now());
    let switch = {
        let (shell, feed) = (shell.clone(), feed.clone());
        Callback::from(move |_| {
            let form = FeedForm {
                enabled: !feed.enabled,
                ..form_of(&feed)
            };
            send(
                &shell,
                None,
                backend::call(ChangeFeed {
                    id: feed.id,
                    feed: form,
                }),
            );
        })
    };
    html! {
        <div key={feed.id} class="gl-feedline" aria-label={format!("feed {}", feed.name)} role="group">
            <label class="gl-option" title={if feed.enabled { "Switch off: nothing is received" } else { "Switch on" }}><input type="checkbox" checked={feed.enabled} onchange={switch} aria-label={format!("{} is switched on", feed.name)} /></label>
            <div class="gl-cut">
                <p class="gl-cut"><span class="gl-strong">{ &feed.name }</span>{ " " }{ view_sign(&sign) }</p>
                <p class="gl-small gl-dim gl-cut" title={kind_words(feed)}>{ &feed.url }{ " · " }{ kind_words(feed) }</p>
            </div>
            <button type="button" class="gl-link" aria-label={format!("Details of {}", feed.name)} onclick={shell.asks(Ask::Open(Dialog::Connections(Some(feed.id))))}>{ "Details" }</button>
            <button type="button" class="gl-link" aria-label={format!("Change {}", feed.name)} onclick={shell.asks(Ask::Open(Dialog::Feed(Some(feed.id))))}>{ "Change" }</button>
        </div>
    }
}

fn form_of(feed: &FeedRow) -> FeedForm {
    FeedForm {
        name: feed.name.clone(),
        url: feed.url.clone(),
        kind: feed.kind.clone(),
        without: feed.without.clone(),
        refresh_ms: feed.refresh_ms,
        token: None,
        enabled: feed.enabled,
        publish: feed.publish,
    }
}

/// Properties of [`FeedDialog`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The feed to change; `None` sets up another.
    pub id: Option<i64>,
}

/// The dialog that sets up or changes a feed.
#[component]
pub fn FeedDialog(props: &Props) -> Html {
    let query = ViewQuery::Feeds;
    let state = use_view(Some(query.clone()));
    let shell = use_shell();
    match props.id {
        None => html! { <Form feed={None::<FeedRow>} /> },
        Some(id) => bits::render_view(&query, &state, Html::default, |data| match &**data {
            ViewData::Feeds(feeds) => match feeds.iter().find(|feed| feed.id == id) {
                Some(feed) => html! { <Form key={id} feed={Some(feed.clone())} /> },
                None => {
                    let actions = html! { <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Close" }</button> };
                    html! { <Modal title="Feed" on_close={shell.asks(Ask::Close)} {actions}><p>{ "This feed was removed." }</p></Modal> }
                }
            },
            _ => Html::default(),
        }),
    }
}

#[derive(Properties, PartialEq)]
struct FormProps {
    feed: Option<FeedRow>,
}

#[component]
fn Form(props: &FormProps) -> Html {
    let shell = use_shell();
    let problem = use_state_eq(|| None::<ApiError>);
    let removing = use_state_eq(|| false);
    // What the feed was when the dialog opened: it goes on changing under the form.
    let feed = use_state_eq(|| props.feed.clone());
    let form = use_state_eq(|| match &props.feed {
        Some(feed) => form_of(feed),
        None => FeedForm::default(),
    });
    let change = |set: fn(&mut FeedForm, String)| {
        let form = form.clone();
        Callback::from(move |typed: String| {
            let mut next = (*form).clone();
            set(&mut next, typed);
            form.set(next);
        })
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let on_url = change(|form, text| form.url = text).reform(typed);
    let on_name = change(|form, text| form.name = text).reform(typed);
    let on_token = change(|form, text| form.token = Some(text)).reform(typed);
    let on_kind =
        change(|form, word| form.kind = (!word.is_empty()).then_some(word)).reform(chosen);
    let on_transport = change(turn_transport);
    let on_refresh = change(|form, text| form.refresh_ms = refresh(&text)).reform(left);
    let on_publish =
        change(|form, _| form.publish = !form.publish).reform(|_: Event| String::new());
    let onsubmit = {
        let (shell, problem, feed, form) =
            (shell.clone(), problem.clone(), feed.clone(), form.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let form = FeedForm {
                token: form.token.clone().and_then(some),
                ..(*form).clone()
            };
            let problem = Some(problem.setter());
            match feed.as_ref().map(|feed| feed.id) {
                Some(id) => send(
                    &shell,
                    problem,
                    backend::call(ChangeFeed { id, feed: form }),
                ),
                None => send(&shell, problem, backend::call(AddFeed { feed: form })),
            }
        })
    };
    let on_remove = {
        let (shell, removing, feed) = (shell.clone(), removing.clone(), feed.clone());
        Callback::from(move |_| {
            let Some(feed) = &*feed else { return };
            if *removing {
                send(&shell, None, backend::call(RemoveFeed { id: feed.id }));
                shell.ask.emit(Ask::Close);
            } else {
                removing.set(true);
            }
        })
    };
    let token = feed.as_ref().map_or(TokenPlace::None, |feed| feed.token);
    let is_refused = feed
        .as_ref()
        .is_some_and(|feed| feed.link.state == LinkState::Refused);
    let token_hint = match token {
        _ if is_refused => "A new token: the server refused the last one",
        TokenPlace::None => "Only if the server asks for one",
        TokenPlace::Environment => "The environment gives one; what is typed here goes before it",
        TokenPlace::Keychain | TokenPlace::File => "A token is kept; leave this empty to keep it",
    };
    let title = match feed.is_some() {
        true => "Change a feed",
        false => "Add a feed",
    };
    let actions = html! {
        <>
            <button type="submit" form="feed-form" class="pf-v6-c-button pf-m-primary">{ if feed.is_some() { "Save" } else { "Add and connect" } }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
            if feed.is_some() {
                <span class="gl-fill"></span>
                <button type="button" class="gl-link gl-bad" onclick={on_remove}>{ if *removing { "Remove: its events stay, its token goes" } else { "Remove…" } }</button>
            }
        </>
    };
    html! {
        <Modal title={AttrValue::from(title)} on_close={shell.asks(Ask::Close)} {actions}>
            <form id="feed-form" class="gl-form" {onsubmit}>
                <label for="feed-url">{ "Address" }</label>
                <input id="feed-url" data-first={(!is_refused).then_some("")} type="text" inputmode="url" spellcheck="false" autocomplete="off" placeholder="ws://127.0.0.1:7300/v1" aria-invalid={problem.is_some().then_some("true")} aria-describedby="feed-problem" value={form.url.clone()} oninput={on_url} />
                <p id="feed-problem" role="alert" class="gl-bad">
                    if let Some(error) = &*problem { { &error.message }{ " " }{ error.hint.clone().unwrap_or_default() } }
                </p>
                <label for="feed-name">{ "Name" }</label>
                <input id="feed-name" type="text" maxlength="80" autocomplete="off" placeholder="As the server is called" value={form.name.clone()} oninput={on_name} />
                <label for="feed-token">{ "Token" }</label>
                <input id="feed-token" data-first={is_refused.then_some("")} aria-describedby="feed-token-place" type="password" autocomplete="off" placeholder={token_hint} value={form.token.clone().unwrap_or_default()} oninput={on_token} />
                <label for="feed-kind">{ "System" }</label>
                { view_select("feed-kind", on_kind, &KINDS, form.kind.as_deref()) }
                <span class="gl-form__top">{ "Transports" }</span>
                { view_transports(&form.without, &on_transport) }
                <label for="feed-refresh">{ "Update at most every" }</label>
                <span class="gl-option"><input id="feed-refresh" type="number" class="gl-number" step="any" placeholder="–" aria-describedby="feed-refresh-hint" value={form.refresh_ms.map(|ms| ms.to_string()).unwrap_or_default()} onchange={on_refresh} />{ "ms" }<span id="feed-refresh-hint" class="gl-dim">{ "What moves by its events. Empty: as the settings say of all." }</span></span>
                <label class="gl-option"><input type="checkbox" checked={form.publish} onchange={on_publish} />{ "Send finished runs of this computer to this hub" }</label>
                <p id="feed-token-place" class="gl-small gl-dim">{ token_words(token) }</p>
            </form>
        </Modal>
    }
}

/// Which transports of a hub may be used. The last one cannot be switched off, and says so.
fn view_transports(without: &[String], on_turn: &Callback<String>) -> Html {
    let last = without.len() + 1 >= TRANSPORTS.len();
    let option = |(word, label): &(&'static str, &'static str)| {
        let word = *word;
        let on = !without.iter().any(|off| off == word);
        let title = (on && last).then_some("One of them has to be left");
        let on_turn = on_turn.clone();
        let onchange = Callback::from(move |_: Event| on_turn.emit(word.to_owned()));
        html! { <label key={word} class="gl-option" {title}><input type="checkbox" checked={on} disabled={on && last} {onchange} />{ *label }</label> }
    };
    let hint = match last {
        true => {
            "One of them has to be left. Another system than a hub has one of its own, which stays."
        }
        false => {
            "The best that works, of those that are on. Another system than a hub has one of its own, which stays."
        }
    };
    html! {
        <>
            <div class="gl-choices" role="group" aria-label="transports of a hub" aria-describedby="feed-transports">{ for TRANSPORTS.iter().map(option) }</div>
            <p id="feed-transports" class="gl-small gl-dim">{ hint }</p>
        </>
    }
}

/// Switches a transport off, or on again.
fn turn_transport(form: &mut FeedForm, word: String) {
    match form.without.iter().position(|off| *off == word) {
        Some(at) => {
            form.without.remove(at);
        }
        None => form.without.push(word),
    }
}

/// Where the token is, or will be.
fn token_words(place: TokenPlace) -> &'static str {
    match place {
        TokenPlace::None => {
            "A token is kept in the system's keychain; where none answers, in a file that only you can read. Never in a log or an export."
        }
        TokenPlace::Keychain => "The token is in the system's keychain, and in no file.",
        TokenPlace::File => {
            "No keychain answered, so the token is in a file of the data folder that only you can read. It moves into the keychain once there is one."
        }
        TokenPlace::Environment => {
            "The token is that of the environment the program was started in; none is kept."
        }
    }
}

fn view_select(
    id: &'static str,
    onchange: Callback<Event>,
    options: &[(&'static str, &'static str)],
    now: Option<&str>,
) -> Html {
    let option = |(word, label): &(&'static str, &'static str)| {
        let selected = now.unwrap_or_default() == *word;
        html! { <option key={*word} value={*word} {selected}>{ *label }</option> }
    };
    html! { <select {id} {onchange}>{ for options.iter().map(option) }</select> }
}

fn typed(event: InputEvent) -> String {
    let input = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}

/// What stands in a box when it is left.
fn left(event: Event) -> String {
    let input = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}

/// Milliseconds as typed; nothing, or what is no number, is none of its own. The core refuses too many with a sentence.
fn refresh(typed: &str) -> Option<u32> {
    let ms = typed.trim().parse::<f64>().ok()?;
    // What is out of bounds becomes the nearest.
    ms.is_finite().then_some(ms.round() as u32)
}

fn chosen(event: Event) -> String {
    let select = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
    select.map(|select| select.value()).unwrap_or_default()
}

/// Sends a change. What is wrong with it stands in the form where there is one, else in a message.
fn send<T: 'static>(
    shell: &Shell,
    problem: Option<yew::UseStateSetter<Option<ApiError>>>,
    call: impl Future<Output = Result<T, ApiError>> + 'static,
) {
    let shell = shell.clone();
    spawn_local(async move {
        match (call.await, problem) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => {
                shell.ask.emit(Ask::Close);
                shell.ask.emit(Ask::Toast(
                    ToastKind::Success,
                    "Feed saved".into(),
                    "Whether it is connected stands in the list of feeds.".into(),
                ));
            }
            (Err(error), Some(problem)) => problem.set(Some(error)),
            (Err(error), None) => shell.error(&error),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_its_own_is_read_as_typed() {
        for (typed, ms) in [
            ("", None),
            ("  ", None),
            ("fast", None),
            ("NaN", None),
            ("0", Some(0)),
            (" 250.4 ", Some(250)),
            ("-3", Some(0)),
            ("1e99", Some(u32::MAX)),
        ] {
            assert_eq!(refresh(typed), ms, "{typed:?}");
        }
    }

    #[test]
    fn a_transport_is_switched_off_and_on_again() {
        let mut form = FeedForm::default();
        turn_transport(&mut form, "sse".into());
        turn_transport(&mut form, "poll".into());
        assert_eq!(form.without, ["sse", "poll"]);
        turn_transport(&mut form, "sse".into());
        assert_eq!(form.without, ["poll"]);
    }
}
