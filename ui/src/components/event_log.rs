//! The event log (SPEC D3): newest last, follows the newest until scrolled up, filtered, each event's body on demand.

use crate::{
    components::{
        bits,
        virtual_list::{Kind, RowAt, Source, VirtualList},
    },
    hooks::use_state_for,
    icons::Icon,
    shell::{Ask, Shell, use_shell},
    state::{export::Choice, format, monitor, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::Preferences,
    view::{EventFilter, EventRow, LogPage, LogRow, Subject},
};
use ghostlight_model::{Micros, RunId, Severity};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, Html, InputEvent, Properties, classes, component, html,
    use_callback,
};

/// Height of a row in CSS pixels; `app.css` says the same.
const EVENT_PX: u32 = 21;

/// Properties of [`EventLog`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of what.
    pub subject: Subject,
    /// Begins the ids, where several logs are on screen.
    #[prop_or(AttrValue::Static("event-log"))]
    pub id: AttrValue,
    /// Its accessible name.
    #[prop_or(AttrValue::Static("event log"))]
    pub label: AttrValue,
    /// What people call the run.
    #[prop_or_default]
    pub name: AttrValue,
    /// Steps to choose from; with none there is no bar of filters.
    #[prop_or_default]
    pub nodes: Vec<AttrValue>,
    /// Phases to choose from.
    #[prop_or_default]
    pub phases: Vec<AttrValue>,
    /// Whether there are further ones, which can be found by text only.
    #[prop_or_default]
    pub more_phases: bool,
    /// When the run began, for relative times.
    #[prop_or_default]
    pub started: Option<Micros>,
}

/// The event whose body is shown.
type Open = (RunId, u64, u64);

/// See the module.
#[component]
pub fn EventLog(props: &Props) -> Html {
    let shell = use_shell();
    let (filter, on_filter) = use_state_for(&props.subject, EventFilter::default);
    let (opened, open) = use_state_for(&props.subject, || None::<Open>);
    let (page, set_page) = use_state_for(&props.subject, || None::<(u32, Option<(u32, u32)>)>);
    let zone = shell.zone();
    let since = props.started.filter(|_| shell.preferences.relative);
    // The list is drawn again only if one of these is another: a page comes with every frame.
    let render = use_callback((zone, since), |row: RowAt, (zone, since)| {
        match &*row.data {
            ViewData::Events(log) => log
                .page
                .rows
                .get(row.at)
                .map(|row| view_row(row, *zone, *since))
                .unwrap_or_default(),
            _ => Html::default(),
        }
    });
    let on_page = use_callback(set_page, |data: Rc<ViewData>, page| {
        if let ViewData::Events(log) = &*data {
            page.emit(Some((log.page.total, log.looked)));
        }
    });
    let on_choose = use_callback(
        (opened.clone(), open.clone()),
        |row: RowAt, (opened, open)| {
            if let ViewData::Events(log) = &*row.data
                && let Some(place) = place(log, row.at)
            {
                open.emit(match opened.as_ref() == Some(&place) {
                    true => None,
                    false => Some(place),
                });
            }
        },
    );
    let empty = match filter == EventFilter::default() {
        true => html! { <p class="gl-hint">{ "The first event appears when a run begins." }</p> },
        false => html! { <p class="gl-hint">{ "No event is like that." }</p> },
    };
    let on_close = open.reform(|()| None);
    let chosen = opened
        .as_ref()
        .map(|(_, epoch, offset)| AttrValue::from(format!("{epoch}.{offset}")));
    let source = Source::Events(props.subject.clone(), filter.clone());
    html! {
        <div class="gl-log">
            if !props.nodes.is_empty() {
                { view_filters(&shell, props, &filter, page, &on_filter) }
            }
            <VirtualList id={props.id.clone()} {source} kind={Kind::Log} label={props.label.clone()} tail={shell.log_rows()} row_px={EVENT_PX} {render} {empty} {on_choose} {on_page} {chosen} />
            if let Some(opened) = &opened {
                <Body key={format!("{}.{}", opened.1, opened.2)} place={opened.clone()} {on_close} />
            }
        </div>
    }
}

fn place(log: &LogPage, at: usize) -> Option<Open> {
    match log.page.rows.get(at)? {
        LogRow::Event(event) => Some((log.run.clone()?, event.epoch, event.offset)),
        LogRow::Gap { .. } | LogRow::Restart { .. } => None,
    }
}

/// What an event's issues can be asked for.
const SEVERITIES: [(Severity, &str); 3] = [
    (Severity::Info, "with any issue"),
    (Severity::Warning, "with warnings or errors"),
    (Severity::Error, "with errors"),
];

fn view_filters(
    shell: &Shell,
    props: &Props,
    filter: &EventFilter,
    page: Option<(u32, Option<(u32, u32)>)>,
    on_filter: &Callback<EventFilter>,
) -> Html {
    let id = &props.id;
    let select = |part: &'static str,
                  label: &'static str,
                  all: &'static str,
                  now: &Option<String>,
                  options: Html,
                  set: fn(&mut EventFilter, Option<String>)| {
        let (filter, on_filter) = (filter.clone(), on_filter.clone());
        let onchange = Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            let value = select.map(|s| s.value()).filter(|value| !value.is_empty());
            let mut next = filter.clone();
            set(&mut next, value);
            on_filter.emit(next);
        });
        html! {
            <label class="gl-order"><span class="gl-unseen">{ label }</span>
                <select id={format!("{id}-{part}")} {onchange} aria-label={label}>
                    <option value="" selected={now.is_none()}>{ all }</option>
                    { options }
                </select>
            </label>
        }
    };
    let option = |now: &Option<String>, value: &str| {
        let value = value.to_owned();
        let selected = now.as_deref() == Some(value.as_str());
        html! { <option key={value.clone()} value={value.clone()} {selected}>{ value.clone() }</option> }
    };
    let nodes = html! { { for props.nodes.iter().map(|node| option(&filter.node, node)) } };
    let phases = html! {
        <>
            { for props.phases.iter().map(|phase| option(&filter.phase, phase)) }
            if props.more_phases { <option disabled=true>{ "further ones: find them by text" }</option> }
        </>
    };
    let severity = filter.severity.map(|least| least.word().to_owned());
    let severities = html! {
        { for SEVERITIES.iter().map(|(least, words)| {
            let value = least.word();
            html! { <option key={value} {value} selected={filter.severity == Some(*least)}>{ *words }</option> }
        }) }
    };
    let set_severity = |filter: &mut EventFilter, value: Option<String>| {
        filter.severity = value.and_then(|value| Severity::of_word(&value));
    };
    let on_text = {
        let (filter, on_filter) = (filter.clone(), on_filter.clone());
        Callback::from(move |event: InputEvent| {
            let input = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let text = input.map(|input| input.value()).unwrap_or_default();
            on_filter.emit(EventFilter {
                text,
                ..filter.clone()
            });
        })
    };
    let whole = page.map_or(0, |(total, looked)| {
        looked.map_or(total.saturating_add(filter.after), |(_, all)| all)
    });
    let on_clear = {
        let (filter, on_filter) = (filter.clone(), on_filter.clone());
        Callback::from(move |_| {
            let after = if filter.after > 0 { 0 } else { whole };
            on_filter.emit(EventFilter {
                after,
                ..filter.clone()
            });
        })
    };
    let export = match &props.subject {
        Subject::Run(run) => {
            let wish = Ask::Export(Box::new(Choice::of_log(run, &props.name, filter)));
            html! { <button type="button" class="gl-link gl-small" title="Take these events away as a file" onclick={shell.asks(wish)}>{ "Export these…" }</button> }
        }
        Subject::Posting(_) => Html::default(),
    };
    html! {
        <div class="gl-log__bar" role="group" aria-label="filters of the log">
            { select("node", "Step", "every step", &filter.node, nodes, |f, v| f.node = v) }
            { select("phase", "Phase", "every phase", &filter.phase, phases, |f, v| f.phase = v) }
            { select("severity", "Issues", "with or without issues", &severity, severities, set_severity) }
            <input class="gl-log__find" type="search" placeholder="Find in the log" aria-label="Find in the log" value={filter.text.clone()} oninput={on_text} />
            <span class="gl-fill gl-small gl-dim gl-cut" role="status">{ found_words(filter, page) }</span>
            <button type="button" class="gl-link gl-small" title={if filter.after > 0 { "Show what was cleared; it is still stored" } else { "Hide what is here now; it stays stored" }} onclick={on_clear}>{ if filter.after > 0 { "Show all" } else { "Clear view" } }</button>
            { export }
            { view_times(shell) }
        </div>
    }
}

fn found_words(filter: &EventFilter, page: Option<(u32, Option<(u32, u32)>)>) -> String {
    let Some((total, looked)) = page else {
        return String::new();
    };
    let shown = format::count(total.into());
    match looked {
        Some((looked, all)) if looked < all => {
            format!(
                "{shown} found, looked through {} of {}",
                format::count(looked.into()),
                format::count(all.into())
            )
        }
        Some((_, all)) => format!("{shown} of {}", format::count(all.into())),
        None if filter.after > 0 => format!("{shown} since the view was cleared"),
        None => format::plural(total.into(), "row", "rows"),
    }
}

/// Local time, UTC, or since the run's start, in turn.
pub fn view_times(shell: &Shell) -> Html {
    let now = &*shell.preferences;
    let (words, utc, relative) = match (now.utc, now.relative) {
        (false, false) => ("Local time", true, false),
        (true, false) => ("UTC", false, true),
        (_, true) => ("Since start", false, false),
    };
    let next = Preferences {
        utc,
        relative,
        ..now.clone()
    };
    html! {
        <button type="button" class="gl-link" title="Show times in local time, in UTC, or since the start of the run" onclick={shell.asks(Ask::Prefer(next))}>{ words }</button>
    }
}

fn view_row(row: &LogRow, zone: format::Zone, since: Option<Micros>) -> Html {
    match row {
        LogRow::Event(event) => view_event(event, zone, since),
        LogRow::Gap {
            from, to, reason, ..
        } => {
            let words = match from == to {
                true => format!("gap: offset {from} is missing · {reason}"),
                false => format!("gap: offsets {from}\u{2013}{to} are missing · {reason}"),
            };
            html! { <div class="gl-event is-gap" title={words.clone()}><span class="gl-cut">{ Icon::Warning.draw() }{ words }</span></div> }
        }
        LogRow::Restart { epoch } => {
            let at = format::date_time(Micros(i64::try_from(*epoch).unwrap_or(0)), zone);
            let words =
                format!("the source began its log anew ({at}); what is above is of the one before");
            html! { <div class="gl-event is-gap" title={words.clone()}><span class="gl-cut">{ Icon::Again.draw() }{ words }</span></div> }
        }
    }
}

fn view_event(event: &EventRow, zone: format::Zone, since: Option<Micros>) -> Html {
    let failed = event.phase == "fail" || event.severity == Some(Severity::Error);
    let issue = event.severity.is_some_and(|worst| worst > Severity::Info);
    let class = classes!(
        "gl-event",
        (failed || issue).then_some("has-issue"),
        failed.then_some("is-failed"),
        (event.phase == "start").then_some("is-quiet")
    );
    let took = event.duration_ms.map(format::elapsed).unwrap_or_default();
    let time = match since {
        Some(start) => format::since(start, event.ts),
        None => format::clock(event.ts, zone),
    };
    html! {
        <div {class} title={format!("offset {} · {}", event.offset, event.ts.to_rfc3339())}>
            <span class="gl-num gl-dim">{ time }</span>
            <span class="gl-cut">{ &event.node }</span>
            <span class="gl-cut">{ &event.phase }</span>
            <span class="gl-num gl-event__took">{ took }</span>
            <span class="gl-cut">
                if failed { { Icon::Cross.draw() } } else if issue { { Icon::Warning.draw() } } else if event.severity.is_some() { { Icon::Info.draw() } }
                { &event.summary }
            </span>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct BodyProps {
    place: Open,
    on_close: Callback<()>,
}

/// One event, verbatim.
#[component]
fn Body(props: &BodyProps) -> Html {
    let (run, epoch, offset) = props.place.clone();
    let query = ViewQuery::EventBody { run, epoch, offset };
    let state: ViewState = use_view(Some(query.clone()));
    let close = props.on_close.clone();
    html! {
        <section class="gl-body" aria-label="event">
            <header class="gl-bar">
                <span class="gl-head">{ format!("Event {offset}, as it was sent") }</span>
                <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label="Close the event" onclick={move |_| close.emit(())}>{ Icon::Cross.draw() }</button>
            </header>
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(60) }</div> }, |data| match &**data {
                ViewData::EventBody(body) => html! { <pre tabindex="0">{ monitor::pretty(body) }</pre> },
                _ => Html::default(),
            }) }
        </section>
    }
}
