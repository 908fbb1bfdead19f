//! The runs page: what was analysed, when, with what result. Enter opens a run's card.

use crate::{
    components::virtual_list::{Kind, RowAt, Source, VirtualList},
    dom,
    icons::Icon,
    shell::{Ask, Page, use_shell},
    state::format,
};
use ghostlight_api::{
    ViewData,
    view::{RunRow, Subject},
};
use ghostlight_model::run::RunStatus;
use yew::{Callback, Html, classes, component, html, use_state_eq};

/// Heights in CSS pixels; `app.css` says the same.
const RUN_PX: u32 = 36;
const HEADER_PX: u32 = 30;

/// See the module.
#[component]
pub fn Runs() -> Html {
    let shell = use_shell();
    let zone = shell.zone();
    let total = use_state_eq(|| 0u32);
    let on_total = {
        let total = total.clone();
        Callback::from(move |n| total.set(n))
    };
    let render = Callback::from(move |row: RowAt| match &*row.data {
        ViewData::Runs(page) => page
            .rows
            .get(row.at)
            .map(|run| view_run(run, zone))
            .unwrap_or_default(),
        _ => Html::default(),
    });
    let on_choose = {
        let ask = shell.ask.clone();
        Callback::from(move |row: RowAt| {
            if let ViewData::Runs(page) = &*row.data
                && let Some(run) = page.rows.get(row.at)
            {
                ask.emit(Ask::Go(Page::Postings));
                ask.emit(Ask::Select(Subject::Run(run.run.clone())));
            }
        })
    };
    let head = |label: &'static str| html! { <span role="columnheader">{ label }</span> };
    let header = html! {
        <div class="gl-runs__head gl-run" role="row" aria-rowindex="1">
            { for ["Status", "Input", "Posting", "Steps", "Fields", "Took", "Begun"].map(head) }
        </div>
    };
    let empty = html! { <p class="gl-hint">{ "Nothing has been analysed yet. Open a file, type an address or paste a text." }</p> };
    html! {
        <section class="gl-page gl-runs" aria-label="runs">
            <div class="gl-bar"><h1 class="gl-head">{ "Runs" }</h1><span class="gl-dim">{ format::plural((*total).into(), "run", "runs") }{ " · Enter opens the card" }</span></div>
            <VirtualList id="runs" source={Source::Runs} kind={Kind::Grid} label="runs" row_px={RUN_PX} header={Some((header, HEADER_PX))} {render} {on_choose} {empty} {on_total} />
        </section>
    }
}

fn view_run(run: &RunRow, zone: format::Zone) -> Html {
    let (icon, tone, status) = match run.status {
        RunStatus::Running => (Icon::Dot, "gl-accent", "running".to_owned()),
        RunStatus::Finished => (Icon::Check, "gl-ok", "done".to_owned()),
        RunStatus::Failed => {
            let node = run.failure.as_ref().map(|f| format!(" at {}", f.node));
            (
                Icon::Cross,
                "gl-bad",
                format!("failed{}", node.unwrap_or_default()),
            )
        }
    };
    let why = run.failure.as_ref().map(|f| f.issue.message.clone());
    let title = run
        .title
        .clone()
        .or_else(|| why.clone())
        .unwrap_or_default();
    let (done, all) = run.progress;
    let exact = format::date_time(run.started, zone);
    html! {
        <div class="gl-run" role="presentation">
            <span role="gridcell" class={classes!("gl-cut", tone)} title={why}>{ icon.draw() }{ status }</span>
            <span role="gridcell" class="gl-cut" title={run.input.clone()}>{ &run.input }</span>
            <span role="gridcell" class="gl-cut gl-dim" title={title.clone()}>{ title }</span>
            <span role="gridcell" class="gl-num">{ format!("{done} / {all}") }</span>
            <span role="gridcell" class="gl-num">{ run.fields_seen }</span>
            <span role="gridcell" class="gl-num">{ format::elapsed(run.duration_ms) }</span>
            <span role="gridcell" class="gl-dim" title={exact}>{ format::ago(dom::now(), run.started, zone) }</span>
        </div>
    }
}
