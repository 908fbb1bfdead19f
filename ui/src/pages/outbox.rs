//! The outbox (SPEC C6): what waits to be sent to other hubs, why, and what a person can do about it.

use crate::{
    backend,
    components::{
        bits,
        connection::kind_words,
        run_view::{use_ticking, view_sign},
        virtual_list::{Kind, RowAt, Source, VirtualList},
    },
    dom,
    icons::Icon,
    shell::{Ask, Dialog, Shell, use_shell},
    state::{format, monitor},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::RetryEntry,
    view::{FeedRow, LinkState, OutboxRow, OutboxWhy},
};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, classes, component, html};

/// Height of a row in CSS pixels; `app.css` says the same.
const ENTRY_PX: u32 = 54;

/// See the module.
#[component]
pub fn Outbox() -> Html {
    let shell = use_shell();
    use_ticking(true);
    let query = ViewQuery::Feeds;
    let state = use_view(Some(query.clone()));
    html! {
        <section class="gl-page gl-outbox" aria-label="outbox">
            <div class="gl-bar"><h1 class="gl-head">{ "Outbox" }</h1><span class="gl-dim">{ "Kept on this computer until the hub has it; sent in order, applied once." }</span></div>
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(50) }</div> }, |data| match &**data {
                ViewData::Feeds(feeds) => {
                    let hubs: Vec<&FeedRow> = feeds.iter().filter(|feed| feed.publish || feed.traffic.waiting + feed.traffic.held > 0).collect();
                    match hubs.is_empty() {
                        true => view_none(&shell),
                        false => html! { { for hubs.into_iter().map(|hub| html! { <ForHub key={hub.id} hub={hub.clone()} /> }) } },
                    }
                }
                _ => Html::default(),
            }) }
        </section>
    }
}

fn view_none(shell: &Shell) -> Html {
    html! {
        <div class="gl-welcome">
            <h1>{ "Nothing is sent anywhere" }</h1>
            <p>{ "Finished runs can be sent to a hub of colleagues. Choose it among your feeds and switch sending on; what waits for it stands here." }</p>
            <div class="gl-welcome__actions"><button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Go(crate::shell::Page::Settings))}>{ "Feeds in the settings" }</button></div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ForHubProps {
    hub: FeedRow,
}

/// What waits for one hub.
#[component]
fn ForHub(props: &ForHubProps) -> Html {
    let shell = use_shell();
    let hub = &props.hub;
    let zone = shell.zone();
    let id = hub.id;
    let live_off = hub.link.state == LinkState::LiveOff;
    let render = {
        let shell = shell.clone();
        Callback::from(move |row: RowAt| match &*row.data {
            ViewData::Outbox(page) => page
                .rows
                .get(row.at)
                .map(|entry| view_entry(&shell, (id, live_off), entry, zone))
                .unwrap_or_default(),
            _ => Html::default(),
        })
    };
    let sign = monitor::link_sign(&hub.link, dom::now());
    let held = hub.traffic.held;
    let paused = !hub.publish || !hub.enabled;
    let empty =
        html! { <p class="gl-hint">{ "Nothing waits. Runs that end are sent by themselves." }</p> };
    html! {
        <section class="gl-outbox__hub" aria-label={format!("outbox of {}", hub.name)}>
            <header class="gl-bar">
                <span title={kind_words(hub)}><span class="gl-strong">{ &hub.name }</span>{ " " }{ view_sign(&sign) }</span>
                <span class="gl-dim">
                    { format::plural(hub.traffic.waiting, "entry waits", "entries wait") }
                    if live_off { <span class="gl-warn">{ " · all live features are switched off, in the settings" }</span> }
                    if paused { <span class="gl-warn">{ " · sending is switched off" }</span> }
                    if held > 0 { <span class="gl-bad">{ format!(" · {} refused", format::count(held)) }</span> }
                </span>
            </header>
            <VirtualList id={format!("outbox-{id}")} source={Source::Outbox(id)} kind={Kind::Lines} label={format!("entries for {}", hub.name)} row_px={ENTRY_PX} {render} {empty} />
        </section>
    }
}

fn view_entry(
    shell: &Shell,
    (feed, live_off): (i64, bool),
    entry: &OutboxRow,
    zone: format::Zone,
) -> Html {
    let (icon, tone, why) = match &entry.why {
        OutboxWhy::Turn if live_off => (
            Icon::Circle,
            "gl-dim",
            "waits until live features are switched on again".to_owned(),
        ),
        OutboxWhy::Turn => (
            Icon::Circle,
            "gl-dim",
            "waits for its turn or for the connection".to_owned(),
        ),
        OutboxWhy::Retrying(why) => (
            Icon::Half,
            "gl-warn",
            format!("not taken now, sent again by itself: {why}"),
        ),
        OutboxWhy::Held(why) => (Icon::Cross, "gl-bad", format!("refused: {why}")),
        OutboxWhy::BehindHeld => (
            Icon::Circle,
            "gl-warn",
            "waits behind one that was refused".to_owned(),
        ),
    };
    let can_retry = matches!(entry.why, OutboxWhy::Held(_) | OutboxWhy::Retrying(_));
    let retry = {
        let (shell, key) = (shell.clone(), entry.key.clone());
        Callback::from(move |_| {
            let (shell, key) = (shell.clone(), key.clone());
            spawn_local(async move {
                if let Err(error) = backend::call(RetryEntry { feed, key }).await {
                    shell.error(&error);
                }
            });
        })
    };
    let discard = Dialog::Discard(feed, entry.key.clone(), entry.what.clone());
    let exact = format::date_time(entry.at, zone);
    html! {
        <div class="gl-entry">
            <div class="gl-cut">
                <p class="gl-cut"><span class="gl-strong">{ &entry.what }</span><span class="gl-dim" title={exact}>{ format!(" · {} · {}", format::bytes(entry.bytes), format::ago(dom::now(), entry.at, zone)) }</span></p>
                <p class={classes!("gl-cut", tone)} title={why.clone()}>{ icon.draw() }{ " " }{ why }</p>
            </div>
            if can_retry { <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" aria-label={format!("Try again: {}", entry.what)} onclick={retry}>{ Icon::Again.draw() }{ "Try again" }</button> }
            <button type="button" class="gl-link" aria-label={format!("Discard {}", entry.what)} onclick={shell.asks(Ask::Open(discard))}>{ "Discard…" }</button>
        </div>
    }
}
