//! *As known then*: a slider over a run's events, above the card that it takes back to any of them (SPEC D4).
//!
//! The slider is the engine's own, so arrows, Home and End work as everywhere; Esc goes back to now.

use crate::{
    components::{bits, keys::press},
    dom,
    icons::Icon,
    shell::use_shell,
    state::{commands::Action, format, replay, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    view::{EventFilter, EventRow, KnownView, LogPage, Range, Subject},
};
use ghostlight_model::RunId;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, MouseEvent, Properties, TargetCast, classes,
    component, html, use_effect_with,
};

/// The slider's id.
const MOMENT: &str = "moment";

/// Properties of [`Scrubber`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The run.
    pub run: RunId,
    /// The event that is looked back to; beyond the last one, the last.
    pub offset: u64,
    /// What is shown: of that event, or of the one before while it is on its way.
    pub known: Option<Rc<KnownView>>,
    /// Why it cannot be shown.
    pub trouble: Option<ApiError>,
    /// Another event, or `None` for now.
    pub on: Callback<Option<u64>>,
}

/// See the module.
#[component]
pub fn Scrubber(props: &Props) -> Html {
    let shell = use_shell();
    let zone = shell.zone();
    use_effect_with((), |()| dom::focus_id(MOMENT));
    let log = use_view(Some(ViewQuery::Events {
        subject: Subject::Run(props.run.clone()),
        filter: EventFilter::default(),
        range: Range {
            start: 0,
            len: replay::MARKS_MAX,
        },
    }));
    let log: Option<&LogPage> = match &log {
        ViewState::Ready(data) => match &**data {
            ViewData::Events(log) => Some(log),
            _ => None,
        },
        _ => None,
    };
    let by_log = log.map(|log| u64::from(log.page.total));
    let total = by_log
        .or(props.known.as_ref().map(|k| k.total))
        .unwrap_or(1)
        .max(1);
    let offset = props.offset.min(total - 1);
    let at = log.and_then(|log| replay::event_at(log, offset));
    let oninput = {
        let on = props.on.clone();
        Callback::from(move |event: InputEvent| {
            let slider = event.target_dyn_into::<HtmlInputElement>();
            if let Some(to) = slider.and_then(|slider| slider.value().parse().ok()) {
                on.emit(Some(to));
            }
        })
    };
    let onkeydown = {
        let (on, keys) = (props.on.clone(), shell.keys.clone());
        Callback::from(move |event: KeyboardEvent| {
            // The slider's keys are not the window's.
            let key = event.key();
            let sheet = keys.is(press(&event, &key), Action::Sheet);
            if !event.ctrl_key() && !event.meta_key() && !sheet {
                event.stop_propagation();
            }
            if event.key() == "Escape" {
                event.prevent_default();
                on.emit(None);
            }
        })
    };
    let back = {
        let on = props.on.clone();
        Callback::from(move |_: MouseEvent| on.emit(None))
    };
    let words = at.map(replay::event_words).unwrap_or_default();
    html! {
        <section class="gl-past" aria-label="as known then" {onkeydown}>
            <div class="gl-past__bar">
                { Icon::Clock.draw() }
                { view_banner(props, zone) }
                <button type="button" class="pf-v6-c-button pf-m-primary pf-m-small" onclick={back}>{ "Back to now" }</button>
            </div>
            <div class="gl-past__track">
                <div class="gl-past__marks" aria-hidden="true">{ for log.into_iter().flat_map(replay::events).map(|event| view_mark(event, offset, total)) }</div>
                <input id={MOMENT} type="range" min="0" max={(total - 1).to_string()} step="1" value={offset.to_string()} aria-label="moment of the run" aria-valuetext={replay::value_text(offset, total, at, zone)} {oninput} />
            </div>
            <p class="gl-past__foot"><span class="gl-num">{ format!("{} / {}", format::count(offset + 1), format::count(total)) }</span><span class="gl-cut" title={words.clone()}>{ words.clone() }</span><span class="gl-dim">{ "Read only: what you edit is the present card." }</span></p>
        </section>
    }
}

fn view_banner(props: &Props, zone: format::Zone) -> Html {
    if let Some(error) = &props.trouble {
        let hint = error.hint.clone().unwrap_or_default();
        return html! { <p class="gl-bad" role="alert">{ format!("{} {hint}", error.message) }</p> };
    }
    let Some(known) = &props.known else {
        return html! { <p role="status">{ bits::unseen("Reading the log") }{ bits::skeleton(30) }</p> };
    };
    if let Some((done, all)) = known.looked {
        let done = format!(
            "Reading the log: {} of {} events",
            format::count(done),
            format::count(all)
        );
        return html! { <p role="status" class="gl-num">{ done }</p> };
    }
    let (time, fields) = replay::banner(&known.card, known.at, zone);
    html! { <p role="status"><span class="gl-strong gl-num">{ time }</span>{ format!(" — {fields}") }</p> }
}

fn view_mark(event: &EventRow, offset: u64, total: u64) -> Html {
    let place = format!("left:{:.3}%", replay::percent(event.offset, total));
    let known = (event.offset <= offset).then_some("is-known");
    html! { <span key={event.offset} class={classes!("gl-past__mark", replay::mark_class(event), known)} style={place}></span> }
}
