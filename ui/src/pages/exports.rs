//! Exports (SPEC I1, E4): choose what to take away, see how it will look, and what became of each export.

use crate::{
    backend,
    components::{bits, imports::Imports},
    dom,
    icons::Icon,
    shell::{Shell, use_shell},
    state::{
        export::{Choice, KINDS, Part, parts_of},
        format,
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{CancelExport, ChooseTarget, ExportForm, ExportKind, RevealExport, StartExport},
    view::{ExportLook, ExportRow, ExportState},
};
use ghostlight_model::export::Format;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{EventTarget, HtmlInputElement, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, Html, InputEvent, MouseEvent, UseStateHandle, classes, component,
    html, use_state_eq,
};

/// See the module.
#[component]
pub fn Exports() -> Html {
    let shell = use_shell();
    let choice = use_state_eq(Choice::default);
    let form = choice.form();
    let query = form
        .as_ref()
        .ok()
        .map(|form| ViewQuery::ExportLook(Box::new(form.clone())));
    let state: ViewState = use_view(query.clone());
    let done = use_view(Some(ViewQuery::Exports));
    let look = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::ExportLook(look) => Some(look.clone()),
            _ => None,
        },
        _ => None,
    };
    let rows = match &done {
        ViewState::Ready(data) => match &**data {
            ViewData::Exports(rows) => rows.clone(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let problem = form.as_ref().err().cloned();
    html! {
        <section class="gl-page gl-exports" aria-label="exports">
            <div class="gl-bar"><h1 class="gl-head">{ "Exports" }</h1><span class="gl-dim">{ "As of one moment, whole or not at all. Nothing leaves this computer." }</span></div>
            <div class="gl-exports__body">
                <div class="gl-exports__form">
                    { view_form(&choice, look.as_ref()) }
                    if let Some(problem) = &problem { <p class="gl-small gl-bad" role="alert">{ problem }</p> }
                    { view_start(&shell, form.ok(), look.as_ref()) }
                </div>
                <div class="gl-exports__look" role="region" aria-label="preview" tabindex="0">
                    { match &query {
                        Some(query) => bits::render_view(query, &state, || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> }, |data| match &**data {
                            ViewData::ExportLook(look) => view_look(look),
                            _ => Html::default(),
                        }),
                        None => Html::default(),
                    } }
                </div>
            </div>
            { view_rows(&shell, &rows) }
            <Imports />
        </section>
    }
}

fn text_of(target: Option<EventTarget>) -> String {
    let Some(target) = target else {
        return String::new();
    };
    if let Some(select) = target.dyn_ref::<HtmlSelectElement>() {
        return select.value();
    }
    target
        .dyn_ref::<HtmlInputElement>()
        .map(HtmlInputElement::value)
        .unwrap_or_default()
}

fn view_form(choice: &UseStateHandle<Choice>, look: Option<&ExportLook>) -> Html {
    let set = |change: fn(&mut Choice, String)| {
        let choice = choice.clone();
        move |target: Option<EventTarget>| {
            let mut next = (*choice).clone();
            change(&mut next, text_of(target));
            choice.set(next);
        }
    };
    let on_kind = {
        let set = set(|choice, word| choice.choose(&word));
        Callback::from(move |event: Event| set(event.target()))
    };
    let on_format = {
        let set = set(|choice, word| {
            if let Some(format) = Format::of_word(&word) {
                choice.format = format;
            }
        });
        Callback::from(move |event: Event| set(event.target()))
    };
    let formats = [
        (Format::Csv, "CSV, for spreadsheets"),
        (Format::Json, "JSON, one document"),
        (Format::Jsonl, "JSONL, a row a line"),
        (Format::Md, "Markdown, to read"),
    ];
    let part = |part: &Part| {
        let (choice, name) = (choice.clone(), part.name);
        let id = format!("export-{name}");
        let value = choice.part(name).to_owned();
        let oninput = {
            let choice = choice.clone();
            Callback::from(move |event: InputEvent| {
                let mut next = (*choice).clone();
                next.set_part(name, text_of(event.target()));
                choice.set(next);
            })
        };
        html! {
            <>
                <label for={id.clone()}>{ part.label }</label>
                <input {id} type="text" autocomplete="off" spellcheck="false" placeholder={part.example} {value} {oninput} />
            </>
        }
    };
    html! {
        <form class="gl-form" onsubmit={|event: yew::SubmitEvent| event.prevent_default()}>
            <label for="export-what">{ "What" }</label>
            <select id="export-what" onchange={on_kind}>
                { for KINDS.iter().map(|(word, label)| html! { <option key={*word} value={*word} selected={choice.word() == *word}>{ *label }</option> }) }
            </select>
            if choice.what.is_some() {
                <label for="export-format">{ "As" }</label>
                <select id="export-format" onchange={on_format}>
                    { for formats.iter().map(|(format, label)| html! { <option key={format.word()} value={format.word()} selected={choice.format == *format}>{ *label }</option> }) }
                </select>
            }
            { for parts_of(choice.what).iter().map(part) }
            { view_fields(choice, look) }
            if choice.what.is_some() && choice.format == Format::Csv { { view_csv(choice) } }
        </form>
    }
}

fn view_csv(choice: &UseStateHandle<Choice>) -> Html {
    let flip = |change: fn(&mut Choice)| {
        let choice = choice.clone();
        Callback::from(move |_: Event| {
            let mut next = (*choice).clone();
            change(&mut next);
            choice.set(next);
        })
    };
    html! {
        <>
            <label class="gl-option" title="A text that a spreadsheet would run as a formula gets an apostrophe before it"><input type="checkbox" checked={choice.guard} onchange={flip(|choice| choice.guard = !choice.guard)} />{ "Guard against formulas" }</label>
            <label class="gl-option" title="Older versions of Excel read UTF-8 only with it"><input type="checkbox" checked={choice.bom} onchange={flip(|choice| choice.bom = !choice.bom)} />{ "Mark UTF-8 for Excel" }</label>
        </>
    }
}

/// The columns, all of them unless some are chosen.
fn view_fields(choice: &UseStateHandle<Choice>, look: Option<&ExportLook>) -> Html {
    let known = look.map(|look| look.known.clone()).unwrap_or_default();
    if known.is_empty() {
        return Html::default();
    }
    let one = |name: &String| {
        let on = choice.fields.is_empty() || choice.fields.contains(name);
        let (choice, known, own) = (choice.clone(), known.clone(), name.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            let mut next = (*choice).clone();
            next.toggle(&own, &known);
            choice.set(next);
        });
        html! { <button key={name.clone()} type="button" class="gl-toggle" aria-pressed={on.to_string()} {onclick}>{ name }</button> }
    };
    html! {
        <>
            <span>{ "Columns" }</span>
            <div class="gl-toggles" role="group" aria-label="columns">{ for known.iter().map(one) }</div>
        </>
    }
}

fn view_start(shell: &Shell, form: Option<ExportForm>, look: Option<&ExportLook>) -> Html {
    let is_bundle = |form: &ExportForm| form.kind == ExportKind::Bundle;
    let bundle = form.as_ref().is_some_and(is_bundle);
    let words = look.map(|look| {
        let rows = match bundle {
            true => format::plural(look.rows, "posting", "postings"),
            false => format::plural(look.rows, "row", "rows"),
        };
        format!("{rows}, about {}", format::bytes(look.bytes))
    });
    let ready = form.zip(look.cloned()).filter(|(_, look)| look.rows > 0);
    let blocked = ready.is_none();
    let onclick = {
        let (shell, ready) = (shell.clone(), ready.clone());
        Callback::from(move |_: MouseEvent| {
            if let Some((form, look)) = ready.clone() {
                begin(&shell, form, look.name);
            }
        })
    };
    html! {
        <p class="gl-exports__start">
            <button type="button" class="pf-v6-c-button pf-m-primary" disabled={blocked} {onclick}>{ "Export…" }</button>
            <span class="gl-dim" role="status">{ words.unwrap_or_default() }</span>
        </p>
    }
}

/// Asks where to; the dialog has asked whether a file there may be replaced.
fn begin(shell: &Shell, export: ExportForm, name: String) {
    let shell = shell.clone();
    spawn_local(async move {
        let started = async {
            let Some(path) = backend::call(ChooseTarget { name }).await? else {
                return Ok(());
            };
            let request = StartExport {
                export,
                path,
                overwrite: true,
            };
            backend::call(request).await.map(drop)
        };
        if let Err(error) = started.await {
            shell.error(&error);
        }
    });
}

fn view_look(look: &ExportLook) -> Html {
    if look.rows == 0 {
        return html! { <p class="gl-hint">{ "Nothing is like that." }</p> };
    }
    if look.columns.is_empty() {
        return html! { <p class="gl-hint">{ "A bundle holds the postings with their pages, observations, runs and history. Another Ghostlight takes it over below, or on its command line: ghostlight import FILE." }</p> };
    }
    let cells = |row: &Vec<String>| {
        html! { <tr>{ for row.iter().map(|cell| html! { <td><span class="gl-cut" title={cell.clone()}>{ cell }</span></td> }) }</tr> }
    };
    let first = look.first.len() as u64;
    let shown = match first < look.rows {
        true => format!("The first {first} of {} rows", format::count(look.rows)),
        false => format!("All of it, {}", format::plural(first, "row", "rows")),
    };
    html! {
        <>
            <p class="gl-dim gl-small">{ format!("{shown}, as {}", look.name) }</p>
            <table class="gl-table gl-preview">
                <thead><tr>{ for look.columns.iter().map(|name| html! { <th scope="col">{ name }</th> }) }</tr></thead>
                <tbody>{ for look.first.iter().map(cells) }</tbody>
            </table>
        </>
    }
}

fn view_rows(shell: &Shell, rows: &[ExportRow]) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    html! {
        <section class="gl-exports__done" aria-label="exports so far">
            <h2 class="gl-head">{ "This session" }</h2>
            <ul>{ for rows.iter().map(|row| view_row(shell, row)) }</ul>
        </section>
    }
}

fn view_row(shell: &Shell, row: &ExportRow) -> Html {
    let id = row.id;
    let file = row.path.rsplit(['/', '\\']).next().unwrap_or(&row.path);
    let what = match row.kind {
        ExportKind::Bundle => "postings",
        ExportKind::Table(..) => "rows",
    };
    let (icon, tone, words) = match &row.state {
        ExportState::Running if row.kind == ExportKind::Bundle => (
            Icon::Dot,
            "gl-accent",
            format!(
                "{} of about {} before packing",
                format::bytes(row.rows),
                format::bytes(row.total)
            ),
        ),
        ExportState::Running => (
            Icon::Dot,
            "gl-accent",
            format!(
                "{} of {} {what}",
                format::count(row.rows),
                format::count(row.total)
            ),
        ),
        ExportState::Done => (
            Icon::Check,
            "gl-ok",
            format!(
                "{} {what}, {}",
                format::count(row.rows),
                format::bytes(row.bytes)
            ),
        ),
        ExportState::Cancelled => (
            Icon::Cross,
            "gl-dim",
            "stopped; nothing is left of it".into(),
        ),
        ExportState::Failed(error) => (Icon::Cross, "gl-bad", error.to_string()),
    };
    // What went wrong is read to its end, and what to do stands behind it.
    let hint = match &row.state {
        ExportState::Failed(error) => error.hint.clone(),
        _ => None,
    };
    let said = match &row.state {
        ExportState::Failed(_) => {
            html! { <p class="gl-exports__fault">{ words }if let Some(hint) = hint { { " " }<span class="gl-dim">{ hint }</span> }</p> }
        }
        _ => html! { <span class="gl-cut">{ words }</span> },
    };
    let action = match row.state {
        ExportState::Running => {
            view_action(shell, "Stop", move |shell| run(shell, CancelExport { id }))
        }
        ExportState::Done => view_action(shell, "Show the file", move |shell| {
            run(shell, RevealExport { id })
        }),
        ExportState::Cancelled | ExportState::Failed(_) => Html::default(),
    };
    let progress = match row.state {
        ExportState::Running => html! {
            <progress max={row.total.max(1).to_string()} value={row.rows.to_string()} aria-label={format!("progress of {file}")}></progress>
        },
        _ => Html::default(),
    };
    let exact = format::date_time(row.began, shell.zone());
    html! {
        <li key={id.to_string()} class="gl-exports__row" aria-label={AttrValue::from(format!("export {file}"))}>
            <span class={classes!(tone)}>{ icon.draw() }</span>
            <span class="gl-cut gl-strong" title={row.path.clone()}>{ file.to_owned() }</span>
            { said }
            { progress }
            <span class="gl-dim gl-exports__when" title={exact}>{ format::ago(dom::now(), row.began, shell.zone()) }</span>
            { action }
        </li>
    }
}

fn view_action(shell: &Shell, words: &'static str, does: impl Fn(&Shell) + 'static) -> Html {
    let shell = shell.clone();
    let onclick = Callback::from(move |_: MouseEvent| does(&shell));
    html! { <button type="button" class="gl-link" {onclick}>{ words }</button> }
}

fn run<C: ghostlight_api::Command + 'static>(shell: &Shell, request: C) {
    let shell = shell.clone();
    spawn_local(async move {
        if let Err(error) = backend::call(request).await {
            shell.error(&error);
        }
    });
}
