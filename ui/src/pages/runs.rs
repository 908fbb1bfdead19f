//! The monitor: runs of this computer and of every feed, the chosen one beside those that are pinned.

use crate::{
    components::{
        digest::Digest,
        run_view::{RunPane, open_run, tone_class, tone_icon, use_ticking},
        virtual_list::{Kind, RowAt, Source, VirtualList},
    },
    dom,
    icons::Icon,
    shell::{Ask, Dialog, Page, Shell, use_shell},
    state::{
        export::Choice,
        format,
        monitor::{self, Sign, Tone},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{RunFilter, RunRow},
};
use ghostlight_model::{
    RunId,
    run::{RunKind, RunStatus},
};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, Html, InputEvent, Properties, classes, component, html,
    use_state_eq,
};

/// Height of a row in CSS pixels; `app.css` says the same.
const RUN_PX: u32 = 54;
/// Runs that stay on screen beside the chosen one.
const PINNED_MAX: usize = 2;

/// Properties of [`Runs`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The chosen run.
    pub run: Option<RunId>,
    /// Moves the list when its number changes.
    pub nudge: (u32, i32),
}

/// See the module.
#[component]
pub fn Runs(props: &Props) -> Html {
    let shell = use_shell();
    let filter = use_state_eq(RunFilter::default);
    let pinned = use_state_eq(Vec::<RunId>::new);
    let on_filter = {
        let filter = filter.clone();
        Callback::from(move |next: RunFilter| filter.set(next))
    };
    let on_pin = {
        let (pinned, shell) = (pinned.clone(), shell.clone());
        Callback::from(move |run: RunId| {
            let mut next = (*pinned).clone();
            if let Some(at) = next.iter().position(|one| *one == run) {
                next.remove(at);
            } else {
                next.push(run);
                if next.len() > PINNED_MAX {
                    next.remove(0);
                    let words =
                        format!("{PINNED_MAX} runs are kept on screen; the first was let go.");
                    shell.ask.emit(Ask::Announce(words));
                }
            }
            pinned.set(next);
        })
    };
    let mut shown: Vec<RunId> = (*pinned).clone();
    if let Some(run) = &props.run
        && !shown.contains(run)
    {
        shown.push(run.clone());
    }
    let wide = shown.len() <= 1;
    let pane = |run: &RunId| {
        let is_pinned = pinned.contains(run);
        let compared = pinned.iter().find(|one| *one != run).cloned();
        html! { <RunPane key={run.0.clone()} run={run.clone()} pinned={is_pinned} on_pin={on_pin.clone()} {compared} {wide} /> }
    };
    html! {
        <div class="gl-monitor">
            <List run={props.run.clone()} nudge={props.nudge} filter={(*filter).clone()} {on_filter} />
            <div class="gl-monitor__main">
                <Digest page={Page::Runs} />
                <div class="gl-monitor__panes" style={format!("--panes:{}", shown.len().max(1))}>
                    { for shown.iter().map(pane) }
                    if shown.is_empty() { { view_none(&shell) } }
                </div>
            </div>
        </div>
    }
}

fn view_none(shell: &Shell) -> Html {
    html! {
        <div class="gl-welcome">
            <h1>{ "Choose a run" }</h1>
            <p>{ "Select one in the list to see its steps, its scores and its log. Pin it to keep it beside the next one." }</p>
            <p>{ "Runs that happen elsewhere appear here once their feed is set up." }</p>
            <div class="gl-welcome__actions"><button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Open(Dialog::Feed(None)))}>{ Icon::Plug.draw() }{ " Add a feed" }</button></div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ListProps {
    run: Option<RunId>,
    nudge: (u32, i32),
    filter: RunFilter,
    on_filter: Callback<RunFilter>,
}

#[component]
fn List(props: &ListProps) -> Html {
    let shell = use_shell();
    use_ticking(true);
    let total = use_state_eq(|| 0u32);
    let on_total = {
        let total = total.clone();
        Callback::from(move |n| total.set(n))
    };
    let zone = shell.zone();
    let tick = dom::now().0 / 1_000_000;
    let render = yew::use_callback((zone, tick), |row: RowAt, (zone, _)| match &*row.data {
        ViewData::Runs(page) => page
            .rows
            .get(row.at)
            .map(|run| view_run(run, *zone))
            .unwrap_or_default(),
        _ => Html::default(),
    });
    let on_choose = {
        let ask = shell.ask.clone();
        Callback::from(move |row: RowAt| {
            if let Some(run) = run_at(&row) {
                ask.emit(Ask::Monitor(run));
            }
        })
    };
    let on_enter = {
        let (shell, run) = (shell.clone(), props.run.clone());
        Callback::from(move |()| {
            if let Some(run) = &run {
                open_run(&shell, run);
            }
        })
    };
    let chosen = props.run.as_ref().map(|run| AttrValue::from(run.0.clone()));
    let is_all = props.filter == RunFilter::default();
    let empty = match is_all {
        true => {
            html! { <p class="gl-hint">{ "Nothing has run yet. Open a file, type an address, or add a feed in the settings." }</p> }
        }
        false => html! { <p class="gl-hint">{ "No run is like that." }</p> },
    };
    let export = Ask::Export(Box::new(Choice::of_runs(&props.filter)));
    html! {
        <section class="gl-runlist" aria-label="runs">
            <div class="gl-bar">
                <h1 class="gl-head">{ "Runs" }</h1><span class="gl-dim gl-num gl-fill">{ format::count((*total).into()) }</span>
                <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label="Export these…" title="Take the events of these runs away as a file" onclick={shell.asks(export)}>{ Icon::Save.draw() }</button>
            </div>
            <Filters filter={props.filter.clone()} on_filter={props.on_filter.clone()} />
            <VirtualList id="runs" source={Source::Runs(props.filter.clone())} kind={Kind::Listbox} label="runs" row_px={RUN_PX} {render} {on_choose} {on_enter} {chosen} nudge={props.nudge} {empty} {on_total} />
        </section>
    }
}

fn run_at(row: &RowAt) -> Option<RunId> {
    match &*row.data {
        ViewData::Runs(page) => page.rows.get(row.at).map(|run| run.line.run_id.clone()),
        _ => None,
    }
}

/// Where runs are from, and how that is called.
pub fn sources(feeds: &ViewState) -> Vec<(String, String)> {
    let mut sources = vec![
        ("local".to_owned(), "this computer".to_owned()),
        ("hub".to_owned(), "published here".to_owned()),
    ];
    if let ViewState::Ready(data) = feeds
        && let ViewData::Feeds(feeds) = &**data
    {
        let known = feeds.iter();
        sources.extend(known.filter_map(|feed| Some((feed.origin.clone()?, feed.name.clone()))));
    }
    sources
}

#[derive(Properties, PartialEq)]
struct FiltersProps {
    filter: RunFilter,
    on_filter: Callback<RunFilter>,
}

/// Source, state and name.
#[component]
fn Filters(props: &FiltersProps) -> Html {
    let sources = sources(&use_view(Some(ViewQuery::Feeds)));
    const STATES: [(RunStatus, &str); 4] = [
        (RunStatus::Running, "under way"),
        (RunStatus::Finished, "done"),
        (RunStatus::Failed, "failed"),
        (RunStatus::Open, "messages"),
    ];
    let change = |change: fn(&mut RunFilter, String)| {
        let (filter, on_filter) = (props.filter.clone(), props.on_filter.clone());
        Callback::from(move |value: String| {
            let mut next = filter.clone();
            change(&mut next, value);
            on_filter.emit(next);
        })
    };
    let selected = |event: Event| {
        let select = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
        select.map(|s| s.value()).unwrap_or_default()
    };
    let on_source = change(|filter, value| filter.origin = (!value.is_empty()).then_some(value))
        .reform(selected);
    let on_state = change(|filter, value| {
        filter.status = STATES
            .iter()
            .find(|(status, _)| status.word() == value)
            .map(|(status, _)| *status);
    })
    .reform(selected);
    let on_text = change(|filter, value| filter.text = value).reform(|event: InputEvent| {
        let input = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
        input.map(|input| input.value()).unwrap_or_default()
    });
    let source_option = |(origin, name): &(String, String)| {
        let selected = props.filter.origin.as_ref() == Some(origin);
        html! { <option key={origin.clone()} value={origin.clone()} {selected}>{ name.clone() }</option> }
    };
    let state_option = |(status, label): &(RunStatus, &'static str)| {
        html! { <option key={*label} value={status.word()} selected={props.filter.status == Some(*status)}>{ *label }</option> }
    };
    html! {
        <div class="gl-runlist__filters" role="group" aria-label="filters of the runs">
            <input type="search" placeholder="Find a run" aria-label="Find a run" value={props.filter.text.clone()} oninput={on_text} />
            <div class="gl-runlist__selects">
                <label class="gl-order"><select aria-label="Source" onchange={on_source}><option value="" selected={props.filter.origin.is_none()}>{ "all sources" }</option>{ for sources.iter().map(source_option) }</select></label>
                <label class="gl-order"><select aria-label="State" onchange={on_state}><option value="" selected={props.filter.status.is_none()}>{ "every state" }</option>{ for STATES.iter().map(state_option) }</select></label>
            </div>
        </div>
    }
}

fn view_run(run: &RunRow, zone: format::Zone) -> Html {
    let now = dom::now();
    let line = &run.line;
    let sign = short_sign(run, monitor::run_sign(run, now));
    let until = match (line.ended, line.status) {
        (Some(ended), _) => ended,
        (None, RunStatus::Running) if run.pulse.is_some() => now,
        (None, _) => line.updated,
    };
    let lasted = format::elapsed(until.ms_since(line.started));
    let name = run
        .title
        .clone()
        .filter(|_| line.kind == RunKind::Own)
        .unwrap_or_else(|| line.name.clone());
    let exact = format::date_time(line.started, zone);
    html! {
        <>
            <span class="gl-posting__line">
                <span class="gl-posting__title gl-cut" title={line.name.clone()}>{ name }</span>
                <span class={classes!("gl-posting__status", tone_class(sign.tone))} title={sign.title.clone()}>{ tone_icon(sign.tone).draw() }{ &sign.words }</span>
            </span>
            <span class="gl-posting__line">
                <span class="gl-cut gl-dim">{ &run.source }<span class="gl-unseen">{ ", " }</span>{ " · " }<span title={exact}>{ format::ago(now, line.started, zone) }</span></span>
                <span class="gl-dim gl-num">{ lasted }</span>
            </span>
        </>
    }
}

/// In the list a run under way says which step.
fn short_sign(run: &RunRow, sign: Sign) -> Sign {
    match (&run.line.running, sign.tone) {
        (Some(node), Tone::Busy) => Sign {
            words: format!("{node} {}", sign.words),
            ..sign
        },
        _ => sign,
    }
}
