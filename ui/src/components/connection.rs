//! The connection indicator (SPEC C9): a dot with icon and words in the masthead; behind it the details of every feed.

use crate::{
    backend,
    components::{
        bits,
        dialog::Modal,
        run_view::{tone_class, tone_icon, use_ticking, view_sign},
        send_message::SendForm,
    },
    dom,
    icons::Icon,
    shell::{Ask, Dialog, Page, Shell, use_shell},
    state::{
        format,
        monitor::{self, Tone},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{FeedDiagnostics, Reconnect},
    view::{FeedRow, Health, LinkState, LinkView, Range, StreamRow},
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::{
    Callback, Html, MouseEvent, NodeRef, Properties, UseStateSetter, classes, component, html,
    use_effect_with, use_node_ref, use_state_eq,
};

/// Properties of [`Indicator`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The health view.
    pub health: ViewState,
}

/// The dot, its words, and *Reconnect now* while a feed is not connected.
#[component]
pub fn Indicator(props: &Props) -> Html {
    let shell = use_shell();
    let health = health_of(&props.health);
    let counts = health.is_some_and(|h| h.feeds.iter().any(|feed| feed.link.next_try.is_some()));
    use_ticking(counts);
    let (tone, words, title, feed) = match (&props.health, health) {
        (ViewState::Failed(error), _) => {
            (Tone::Bad, "Trouble".to_owned(), error.message.clone(), None)
        }
        (_, Some(health)) => {
            let (sign, feed) = monitor::indicator(health, dom::now());
            (sign.tone, sign.words, sign.title, feed)
        }
        _ => (
            Tone::Plain,
            "Starting".to_owned(),
            "Waiting for the embedded hub".to_owned(),
            None,
        ),
    };
    // What is read out must not count down: only the state, not the seconds.
    let spoken = words
        .split(" · next try")
        .next()
        .unwrap_or(&words)
        .to_owned();
    let on_details = shell.asks(Ask::Open(Dialog::Connections(feed)));
    html! {
        <div class={classes!("gl-connection", tone_class(tone), (tone == Tone::Warn).then_some("is-pulsing"))} role="group" aria-label="connection">
            <button type="button" class="gl-connection__button" title={format!("{title} Click for details.")} aria-label={format!("{words}. Details of the connections")} onclick={on_details}>
                <span class="gl-dot" aria-hidden="true"></span>
                { tone_icon(tone).draw() }
                <span class="gl-connection__words gl-num" aria-hidden="true">{ words }</span>
            </button>
            <span class="gl-unseen" role="status" aria-live={if tone == Tone::Bad { "assertive" } else { "polite" }}>{ spoken }</span>
            <ReconnectNow wanted={feed.is_some()} />
        </div>
    }
}

/// How long *Reconnect now* keeps its place after the feed came back, in milliseconds: longer than a press that was on its
/// way. As long as the pointer or the focus is on it, it stays.
const PLACE_KEPT_MS: i32 = 2_000;

#[derive(Properties, PartialEq)]
struct ReconnectNowProps {
    /// Whether a feed waits for its next try.
    wanted: bool,
}

/// *Reconnect now*. A feed comes back by itself at any moment, and a press must not land on what would move there.
#[component]
fn ReconnectNow(props: &ReconnectNowProps) -> Html {
    let shell = use_shell();
    let button = use_node_ref();
    let kept = use_state_eq(|| false);
    let wanted = props.wanted;
    {
        let (kept, button) = (kept.clone(), button.clone());
        use_effect_with(wanted, move |wanted| {
            let over = Rc::new(Cell::new(false));
            match wanted {
                true => kept.set(true),
                false => let_go(button, kept.setter(), over.clone()),
            }
            move || over.set(true)
        });
    }
    if !wanted && !*kept {
        return Html::default();
    }
    let onclick = Callback::from(move |_: MouseEvent| {
        if wanted {
            reconnect(&shell, None);
        }
    });
    let class = classes!(
        "pf-v6-c-button",
        "pf-m-secondary",
        "pf-m-small",
        (!wanted).then_some("is-idle"),
    );
    html! {
        <button ref={button} type="button" {class} aria-disabled={(!wanted).then_some("true")} {onclick}>{ Icon::Again.draw() }<span class="gl-wide">{ "Reconnect now" }</span></button>
    }
}

/// Gives the button's place up once nobody is on it, unless it is wanted again before.
fn let_go(button: NodeRef, kept: UseStateSetter<bool>, over: Rc<Cell<bool>>) {
    dom::after(PLACE_KEPT_MS, move || {
        let element = button.cast::<Element>();
        let busy = element.is_some_and(|e| e.matches(":hover, :focus").unwrap_or(false));
        match (over.get(), busy) {
            (true, _) => {}
            (false, true) => let_go(button, kept, over),
            (false, false) => kept.set(false),
        }
    });
}

fn health_of(state: &ViewState) -> Option<&Health> {
    match state {
        ViewState::Ready(data) => match &**data {
            ViewData::Health(health) => Some(health),
            _ => None,
        },
        _ => None,
    }
}

fn reconnect(shell: &Shell, id: Option<i64>) {
    let shell = shell.clone();
    spawn_local(async move {
        if let Err(error) = backend::call(Reconnect { id }).await {
            shell.error(&error);
        }
    });
}

/// Properties of [`Connections`].
#[derive(Properties, PartialEq)]
pub struct ConnectionsProps {
    /// The feed to show first.
    pub first: Option<i64>,
}

/// The dialog behind the indicator.
#[component]
pub fn Connections(props: &ConnectionsProps) -> Html {
    let shell = use_shell();
    use_ticking(true);
    let query = ViewQuery::Feeds;
    let state = use_view(Some(query.clone()));
    let to_settings = {
        let ask = shell.ask.clone();
        Callback::from(move |_| {
            ask.emit(Ask::Close);
            ask.emit(Ask::Go(Page::Settings));
        })
    };
    let actions = html! {
        <>
            <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Close" }</button>
            <button type="button" class="gl-link" onclick={to_settings}>{ "Feeds in the settings" }</button>
        </>
    };
    html! {
        <Modal title="Connections" on_close={shell.asks(Ask::Close)} {actions}>
            <p class="gl-dim">{ "The embedded hub is this computer's own store; it needs no network." }</p>
            { bits::render_view(&query, &state, || html! { <div>{ bits::skeleton(60) }</div> }, |data| match &**data {
                ViewData::Feeds(feeds) if feeds.is_empty() => html! { <p class="gl-hint">{ "No feed is set up. Add one in the settings to watch runs that happen elsewhere." }</p> },
                ViewData::Feeds(feeds) => view_feeds(feeds, props.first),
                _ => Html::default(),
            }) }
        </Modal>
    }
}

fn view_feeds(feeds: &[FeedRow], first: Option<i64>) -> Html {
    let mut feeds: Vec<&FeedRow> = feeds.iter().collect();
    feeds.sort_by_key(|feed| (Some(feed.id) != first, !feed.enabled));
    let only = feeds.len() == 1;
    html! { { for feeds.into_iter().map(|feed| html! { <Details key={feed.id} feed={feed.clone()} open={only || Some(feed.id) == first} /> }) } }
}

#[derive(Properties, PartialEq)]
struct DetailsProps {
    feed: FeedRow,
    open: bool,
}

/// One feed: its state on one line, the rest on demand.
#[component]
fn Details(props: &DetailsProps) -> Html {
    let shell = use_shell();
    let feed = &props.feed;
    let now = dom::now();
    let sign = monitor::link_sign(&feed.link, now);
    let id = feed.id;
    let on_reconnect = {
        let shell = shell.clone();
        Callback::from(move |_| reconnect(&shell, Some(id)))
    };
    let on_copy = {
        let shell = shell.clone();
        Callback::from(move |_| copy(&shell, id))
    };
    let show_quarantine = use_state_eq(|| false);
    let on_quarantine = {
        let show = show_quarantine.clone();
        Callback::from(move |_| show.set(!*show))
    };
    html! {
        <details class="gl-feed" open={props.open} aria-label={format!("feed {}", feed.name)}>
            <summary><span class="gl-strong">{ &feed.name }</span>{ " " }{ view_sign(&sign) }</summary>
            <dl class="gl-facts">
                { fact("Address", html! { <code>{ &feed.url }</code> }) }
                { fact("System", html! { { kind_words(feed) } }) }
                { fact("Transport", html! { { transport_words(&feed.link, &feed.without) } }) }
                { fact("Attempt", html! { { if feed.link.attempt == 0 { "–".to_owned() } else { feed.link.attempt.to_string() } } }) }
                { fact("Next try", html! { { feed.link.next_try.map_or("–".to_owned(), |at| format!("in {}", monitor::seconds_until(at, now))) } }) }
                { fact("Last connected", html! { { last_connected(&shell, feed) } }) }
                { fact("Last error", html! { { feed.link.last_error.clone().unwrap_or_else(|| "none".into()) } }) }
                { fact("Latency", html! { { feed.link.latency_ms.map_or("–".to_owned(), |ms| format!("{ms} ms there and back")) } }) }
                { fact("Event latency", html! { { monitor::delay_words(feed.traffic.delay.as_ref()) } }) }
                { fact("Events", html! { { format!("{} since the start, {:.1} a second", format::count(feed.traffic.events), feed.traffic.rate) } }) }
                { fact("Gaps", html! { { gap_words(feed) } }) }
                if feed.publish { { fact("To send", html! { { format!("{} waiting, {} refused", format::count(feed.traffic.waiting), format::count(feed.traffic.held)) } }) } }
                { fact("Connected", html! { { format!("{:.0} % of the time; {} of {} tries worked", feed.traffic.uptime_percent, feed.traffic.connects.1, feed.traffic.connects.0) } }) }
                { fact("Set aside", html! { <>{ format::plural(feed.traffic.quarantined, "message that could not be read", "messages that could not be read") }{ " " }<button type="button" class="gl-link" aria-expanded={show_quarantine.to_string()} onclick={on_quarantine}>{ if *show_quarantine { "Hide" } else { "Show" } }</button></> }) }
            </dl>
            if *show_quarantine { <Quarantine feed={id} /> }
            { view_streams(&feed.traffic.streams) }
            if feed.takes_messages { <SendForm feed={feed.clone()} /> }
            <p class="gl-feed__tools">
                if feed.link.state == LinkState::Refused { <button type="button" class="pf-v6-c-button pf-m-primary pf-m-small" onclick={shell.asks(Ask::Open(Dialog::Feed(Some(id))))}>{ Icon::Plug.draw() }{ "Give a new token" }</button> }
                if feed.enabled { <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={on_reconnect}>{ Icon::Again.draw() }{ "Reconnect now" }</button> }
                <button type="button" class="gl-link" onclick={shell.asks(Ask::Open(Dialog::Feed(Some(id))))}>{ "Settings of this feed" }</button>
                <button type="button" class="gl-link" onclick={on_copy}>{ "Copy a report" }</button>
            </p>
        </details>
    }
}

fn fact(name: &'static str, value: Html) -> Html {
    html! { <div key={name}><dt>{ name }</dt><dd>{ value }</dd></div> }
}

/// What is known of the system behind a feed.
pub fn kind_words(feed: &FeedRow) -> String {
    let system = match feed.kind.as_deref() {
        Some("hub") => "a Ghostlight hub",
        Some("workflow") => "workflow events",
        Some("typed") => "typed messages",
        Some("sse") => "an event stream",
        Some(other) => other,
        None => return "not known yet".to_owned(),
    };
    match feed.proven {
        true => format!("{system}; what is missing is named"),
        false => {
            format!("{system}; it does not number its events, so that all arrived cannot be proven")
        }
    }
}

fn gap_words(feed: &FeedRow) -> String {
    match (feed.traffic.missing, feed.proven) {
        (0, true) => "none since the start".to_owned(),
        (0, false) => "none known".to_owned(),
        (n, _) => format!(
            "{} since the start; the log says where",
            format::plural(n, "missing event", "missing events")
        ),
    }
}

fn transport_words(link: &LinkView, without: &[String]) -> String {
    let words = match link.transport.as_str() {
        "websocket" => "WebSocket",
        "sse" => "server-sent events",
        "poll" => "long poll",
        "" => "–",
        other => other,
    };
    match without {
        [] => words.to_owned(),
        _ if link.transport.is_empty() => words.to_owned(),
        // Only a hub has them all.
        off if off.contains(&link.transport) => {
            format!("{words}; this system has no other, whatever is set")
        }
        [_, _, ..] => format!("{words}, the only one that is on"),
        [_] => format!("{words}, one of those that are on"),
    }
}

fn last_connected(shell: &Shell, feed: &FeedRow) -> String {
    match (feed.link.state.is_up(), feed.link.last_connected) {
        (true, _) => format!(
            "now, since {}",
            format::date_time(feed.link.since, shell.zone())
        ),
        (false, Some(at)) => format::ago(dom::now(), at, shell.zone()),
        (false, None) => "never".to_owned(),
    }
}

fn view_streams(streams: &[StreamRow]) -> Html {
    if streams.is_empty() {
        return Html::default();
    }
    let line = |row: &StreamRow| {
        html! {
            <tr key={row.stream.clone()}>
                <th scope="row" class="gl-cut" title={row.stream.clone()}>{ &row.stream }</th>
                <td class="gl-num">{ format::count(row.events) }</td>
                <td class="gl-num">{ format!("{:.1} / s", row.rate) }</td>
                <td>{ format::ago(dom::now(), row.last, Default::default()) }</td>
            </tr>
        }
    };
    html! {
        <table class="gl-table is-streams">
            <thead><tr>{ for ["Stream", "Events", "Rate", "Last"].map(|h| html! { <th scope="col">{ h }</th> }) }</tr></thead>
            <tbody>{ for streams.iter().map(line) }</tbody>
        </table>
    }
}

#[derive(Properties, PartialEq)]
struct QuarantineProps {
    feed: i64,
}

/// Messages shown of a quarantine, the latest.
const QUARANTINE_SHOWN: u32 = 50;

/// Messages that could not be read.
#[component]
fn Quarantine(props: &QuarantineProps) -> Html {
    let shell = use_shell();
    let query = ViewQuery::Quarantine {
        feed: props.feed,
        range: Range {
            start: 0,
            len: QUARANTINE_SHOWN,
        },
    };
    let state = use_view(Some(query.clone()));
    bits::render_view(
        &query,
        &state,
        || html! { <div>{ bits::skeleton(60) }</div> },
        |data| match &**data {
            ViewData::Quarantine(page) if page.rows.is_empty() => {
                html! { <p class="gl-hint">{ "Every message could be read." }</p> }
            }
            ViewData::Quarantine(page) => html! {
                <ul class="gl-quarantine" aria-label="messages set aside">
                    { for page.rows.iter().map(|row| html! {
                        <li key={row.id}><p><span class="gl-dim">{ format::date_time(row.at, shell.zone()) }</span>{ " " }{ &row.reason }</p><pre>{ format::shortened(&row.message, 600) }</pre></li>
                    }) }
                    if page.total as usize > page.rows.len() { <li class="gl-dim">{ format!("{} in all; these are the latest", format::count(page.total.into())) }</li> }
                </ul>
            },
            _ => Html::default(),
        },
    )
}

fn copy(shell: &Shell, id: i64) {
    let shell = shell.clone();
    spawn_local(async move {
        match backend::call(FeedDiagnostics { id }).await {
            Ok(report) => {
                let note = "It holds no token and no event.";
                shell.copy(&report, "The report", note).await;
            }
            Err(error) => shell.error(&error),
        }
    });
}
