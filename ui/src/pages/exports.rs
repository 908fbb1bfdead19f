//! Exports (SPEC I1, E4): choose what to take away, see how it will look, and what became of each export.

use crate::{
    backend,
    components::{bits, calendar::DayInput, chooser::Chooser, imports::Imports},
    dom,
    icons::Icon,
    pages::runs::sources,
    shell::{Shell, use_shell},
    state::{
        export::{Choice, Found, Input, KINDS, Part, day, parts_of, usual},
        format,
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{CancelExport, ChooseTarget, RevealExport, StartExport},
    export::{ExportForm, ExportKind},
    view::{AuthorRow, ExportLook, ExportRow, ExportState},
};
use ghostlight_model::{
    Micros, PostingId,
    export::{Filter, Format, What},
};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{EventTarget, HtmlInputElement, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, Html, InputEvent, MouseEvent, Properties, UseStateHandle, classes,
    component, hook, html, use_effect_with, use_mut_ref, use_state_eq,
};

/// How long a form stands as it is before the core is asked what it comes to, in milliseconds: not for each letter.
const SETTLE_MS: i32 = 200;

/// Properties of [`Exports`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What it begins with.
    pub begin: Rc<Choice>,
}

/// See the module.
#[component]
pub fn Exports(props: &Props) -> Html {
    let shell = use_shell();
    let choice = use_state_eq(|| (*props.begin).clone());
    let form = choice.form();
    let settled = use_settled(form.as_ref().ok().cloned());
    let query = settled.map(|form| ViewQuery::ExportLook(Box::new(form)));
    let state: ViewState = use_view(query.clone());
    let done = use_view(Some(ViewQuery::Exports));
    let look = use_look(query.as_ref(), &state);
    let look = look.as_ref().filter(|(seen, _)| what(seen) == choice.what);
    let rows = match &done {
        ViewState::Ready(data) => match &**data {
            ViewData::Exports(rows) => rows.clone(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let problem = form.as_ref().err().cloned();
    // What was seen of another form is no answer for this one.
    let ready = form.ok().and_then(|form| {
        let (seen, look) = look?;
        (*seen == form).then(|| (form, look.clone()))
    });
    let preview = match (&query, &state, look) {
        _ if problem.is_some() => {
            html! { <p class="gl-hint">{ "What is chosen is shown here once the form is right." }</p> }
        }
        (Some(query), ViewState::Failed(_), _) => {
            bits::render_view(query, &state, Html::default, |_| Html::default())
        }
        (_, _, Some((seen, look))) => {
            let all = seen.filter == Filter::default();
            html! { <div class={classes!(ready.is_none().then_some("is-stale"))}>{ view_look(look, all) }</div> }
        }
        (_, _, None) => html! { <div class="gl-pad">{ bits::skeleton(70) }</div> },
    };
    html! {
        <section class="gl-page gl-exports" aria-label="exports">
            <div class="gl-bar"><h1 class="gl-head">{ "Exports" }</h1><span class="gl-dim">{ "As of one moment, whole or not at all. Nothing leaves this computer." }</span></div>
            <div class="gl-exports__body">
                <div class="gl-exports__form">
                    <Form choice={choice.clone()} known={look.map(|(_, look)| look.known.clone()).unwrap_or_default()} />
                    <div class="gl-exports__foot">
                        { for choice.remarks().iter().map(view_remark) }
                        if let Some(problem) = &problem { <p class="gl-exports__fault gl-small gl-bad" role="alert">{ problem }</p> }
                        { view_start(&shell, ready) }
                    </div>
                </div>
                <div class="gl-exports__look" role="region" aria-label="preview" tabindex="0">{ preview }</div>
            </div>
            { view_rows(&shell, &rows) }
            <Imports />
        </section>
    }
}

/// The form, once it has stood as it is for a moment; the first one at once.
#[hook]
fn use_settled(form: Option<ExportForm>) -> Option<ExportForm> {
    let settled = use_state_eq(|| form.clone());
    let turn = use_mut_ref(|| 0_u32);
    {
        let settled = settled.setter();
        use_effect_with(form, move |form| {
            let now = {
                let mut turn = turn.borrow_mut();
                *turn += 1;
                *turn
            };
            let (form, later) = (form.clone(), Rc::clone(&turn));
            dom::after(SETTLE_MS, move || {
                if *later.borrow() == now {
                    settled.set(form);
                }
            });
            // One that is gone waits for nothing.
            move || *turn.borrow_mut() += 1
        });
    }
    (*settled).clone()
}

/// What the core answered last, and of which form; what was shown before stands until the next is there.
#[hook]
fn use_look(query: Option<&ViewQuery>, state: &ViewState) -> Option<(ExportForm, ExportLook)> {
    let last = use_mut_ref(|| None::<(ExportForm, ExportLook)>);
    if let (Some(ViewQuery::ExportLook(form)), ViewState::Ready(data)) = (query, state)
        && let ViewData::ExportLook(look) = &**data
    {
        *last.borrow_mut() = Some(((**form).clone(), look.clone()));
    }
    last.borrow().clone()
}

/// Of what a form is: then its columns are those that there are to choose from.
fn what(form: &ExportForm) -> Option<What> {
    match form.kind {
        ExportKind::Table(what, _) => Some(what),
        ExportKind::Bundle => None,
    }
}

fn view_remark(remark: &String) -> Html {
    html! { <p class="gl-exports__remark gl-small" role="note">{ Icon::Info.draw() }<span>{ remark }</span></p> }
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

#[derive(Properties, PartialEq)]
struct FormProps {
    choice: UseStateHandle<Choice>,
    /// Columns that there are.
    known: Vec<String>,
}

#[component]
fn Form(props: &FormProps) -> Html {
    let choice = &props.choice;
    let parts = parts_of(choice.what);
    let has = |input| parts.iter().any(|part: &Part| part.input == input);
    let authors = use_authors(has(Input::Author), choice.posting());
    let feeds = use_view(has(Input::Origin).then_some(ViewQuery::Feeds));
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
        let id = AttrValue::from(format!("export-{}", part.name));
        let input = match part.input {
            Input::Text(example) => view_text(choice, part, &id, example, &[]),
            Input::Usual => view_text(choice, part, &id, "any", &usual(part.name)),
            Input::Day => view_day(choice, part, &id),
            Input::Word(words) => {
                let words: Vec<_> = words
                    .iter()
                    .map(|(word, label)| ((*word).to_owned(), (*label).to_owned()))
                    .collect();
                view_words(choice, part, &id, &words)
            }
            Input::Author => view_words(choice, part, &id, &authors),
            Input::Origin => view_words(choice, part, &id, &sources(&feeds)),
            Input::Found => view_found(choice, part, &id),
        };
        let help = (part.name == "until").then(|| html! { <span id="export-days-help" class="gl-small gl-dim gl-exports__days">{ "Days of UTC; the last one is included." }</span> });
        html! { <><label for={id}>{ part.label }</label>{ input }{ help }</> }
    };
    html! {
        <form class="gl-form" aria-label="what to export" onsubmit={|event: yew::SubmitEvent| event.prevent_default()}>
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
            { for parts.iter().map(part) }
            { view_fields(choice, &props.known) }
            if choice.what.is_some() && choice.format == Format::Csv { { view_csv(choice) } }
        </form>
    }
}

/// Who can be chosen, id and name: of one posting all who changed it, else persons who have a name here.
#[hook]
fn use_authors(wanted: bool, posting: Option<PostingId>) -> Vec<(String, String)> {
    let query = match posting {
        Some(posting) => ViewQuery::TimelineParts(posting),
        None => ViewQuery::Authors,
    };
    let state = use_view(wanted.then_some(query));
    let authors = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::TimelineParts(parts) => &parts.authors[..],
            ViewData::Authors(authors) => authors,
            _ => &[],
        },
        _ => &[],
    };
    let named = |author: &AuthorRow| (author.id.clone(), format::author(&author.name));
    authors.iter().map(named).collect()
}

/// Types into a part.
fn types(choice: &UseStateHandle<Choice>, part: &Part) -> Callback<String> {
    let (choice, name) = (choice.clone(), part.name);
    Callback::from(move |text: String| {
        let mut next = (*choice).clone();
        next.set_part(name, text);
        choice.set(next);
    })
}

fn view_text(
    choice: &UseStateHandle<Choice>,
    part: &Part,
    id: &AttrValue,
    example: &'static str,
    usual: &[String],
) -> Html {
    let oninput = types(choice, part).reform(|event: InputEvent| text_of(event.target()));
    let value = choice.part(part.name).to_owned();
    let list = (!usual.is_empty()).then(|| format!("{id}-usual"));
    html! {
        <>
            <input id={id.clone()} list={list.clone()} type="text" autocomplete="off" spellcheck="false" placeholder={example} {value} {oninput} />
            if let Some(list) = list { <datalist id={list}>{ for usual.iter().map(|word| html! { <option key={word.clone()} value={word.clone()} /> }) }</datalist> }
        </>
    }
}

fn view_day(choice: &UseStateHandle<Choice>, part: &Part, id: &AttrValue) -> Html {
    let text = choice.part(part.name).to_owned();
    let typed = text.trim();
    let day = day(typed).ok();
    let invalid = (!typed.is_empty() && day.is_none() && Micros::from_rfc3339(typed).is_none())
        .then_some("true");
    html! { <DayInput id={id.clone()} field={part.label} label={part.label} help="export-days-help" {invalid} {text} {day} on={types(choice, part)} /> }
}

fn view_words(
    choice: &UseStateHandle<Choice>,
    part: &Part,
    id: &AttrValue,
    words: &[(String, String)],
) -> Html {
    let onchange = types(choice, part).reform(|event: Event| text_of(event.target()));
    let now = choice.part(part.name);
    let option = |(word, label): &(String, String)| html! { <option key={word.clone()} value={word.clone()} selected={word == now}>{ label }</option> };
    // What was taken over from elsewhere is there, whether it is known here or not.
    let unknown = !now.is_empty() && !words.iter().any(|(word, _)| word == now);
    html! {
        <select id={id.clone()} {onchange}>
            <option value="" selected={now.is_empty()}>{ "any" }</option>
            { for words.iter().map(option) }
            if unknown { { option(&(now.to_owned(), now.to_owned())) } }
        </select>
    }
}

fn view_found(choice: &UseStateHandle<Choice>, part: &Part, id: &AttrValue) -> Html {
    let on = {
        let (choice, name, id) = (choice.clone(), part.name, id.clone());
        Callback::from(move |found: Option<Found>| {
            let mut next = (*choice).clone();
            next.set_found(name, found);
            choice.set(next);
            let id = id.clone();
            dom::next_frame(move || dom::focus_id(&id));
        })
    };
    let found = choice.found(part.name).cloned();
    html! { <Chooser key={part.name} id={id.clone()} label={part.label} runs={part.name == "run"} {found} {on} /> }
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
fn view_fields(choice: &UseStateHandle<Choice>, known: &[String]) -> Html {
    if known.is_empty() {
        return Html::default();
    }
    let one = |name: &String| {
        let on = choice.fields.is_empty() || choice.fields.contains(name);
        let (choice, known, own) = (choice.clone(), known.to_vec(), name.clone());
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

fn view_start(shell: &Shell, ready: Option<(ExportForm, ExportLook)>) -> Html {
    let words = ready.as_ref().map(|(form, look)| size_words(form, look));
    // Rows that could not be counted in a moment are looked for by the export.
    let blocked = !ready
        .as_ref()
        .is_some_and(|(_, look)| look.rows > 0 || !look.whole);
    let onclick = {
        let shell = shell.clone();
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

/// So many rows, or postings of a bundle.
fn rows_words(kind: ExportKind, rows: u64) -> String {
    match kind {
        ExportKind::Bundle => format::plural(rows, "posting", "postings"),
        ExportKind::Table(..) => format::plural(rows, "row", "rows"),
    }
}

/// How much it would be.
fn size_words(form: &ExportForm, look: &ExportLook) -> String {
    let rows = rows_words(form.kind, look.rows);
    let bytes = format::bytes(look.bytes);
    match (look.whole, look.rows) {
        (true, _) => format!("{rows}, about {bytes}"),
        (false, 0) => "None was found in a moment; the export looks at all there is".into(),
        (false, _) => format!("At least {rows} and {bytes}; more than can be counted in a moment"),
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

/// How it would look; `all` says that nothing was narrowed.
fn view_look(look: &ExportLook, all: bool) -> Html {
    if look.rows == 0 {
        let words = match (look.whole, all) {
            (true, true) => "There is nothing yet: it comes with the first posting or run.",
            (true, false) => "Nothing is like that.",
            (false, _) => "There is much to look at. What is like that is in the file.",
        };
        return html! { <p class="gl-hint">{ words }</p> };
    }
    if look.columns.is_empty() {
        return html! { <p class="gl-hint">{ "A bundle holds the postings with their pages, observations, runs and history. Another Ghostlight takes it over below, or on its command line: ghostlight import FILE." }</p> };
    }
    let cells = |row: &Vec<String>| {
        html! { <tr>{ for row.iter().map(|cell| html! { <td><span class="gl-cut" title={cell.clone()}>{ cell }</span></td> }) }</tr> }
    };
    let first = look.first.len() as u64;
    let shown = match (first < look.rows, look.whole) {
        (true, true) => format!("The first {first} of {} rows", format::count(look.rows)),
        (_, false) => format!("The first {}", format::plural(first, "row", "rows")),
        (false, true) => format!("All of it, {}", format::plural(first, "row", "rows")),
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
    let (icon, tone, words) = match &row.state {
        ExportState::Running => (Icon::Dot, "gl-accent", running_words(row)),
        ExportState::Done => (
            Icon::Check,
            "gl-ok",
            format!(
                "{}, {}",
                rows_words(row.kind, row.rows),
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

fn running_words(row: &ExportRow) -> String {
    match row.kind {
        ExportKind::Bundle => {
            let (done, all) = (format::bytes(row.rows), format::bytes(row.total));
            format!("{done} of about {all} before packing")
        }
        ExportKind::Table(..) => {
            let (done, all) = (format::count(row.rows), format::count(row.total));
            format!("{done} of {all} rows")
        }
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
