//! Bundles taken over (SPEC E4): chosen or dropped, verified, and what came of it, or the entry at fault.

use crate::{
    backend,
    components::bits,
    dom,
    icons::Icon,
    shell::{Ask, Shell, use_shell},
    state::{format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{CancelImport, ChooseBundle, StartImport},
    view::{ImportDone, ImportRow, ImportState, ImportedPosting, Subject},
};
use wasm_bindgen_futures::spawn_local;
use yew::{AttrValue, Callback, Html, MouseEvent, component, html};

/// The button, and the imports of this session.
#[component]
pub fn Imports() -> Html {
    let shell = use_shell();
    let state: ViewState = use_view(Some(ViewQuery::Imports));
    let rows = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Imports(rows) => rows.clone(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let busy = rows.iter().any(|row| !row.state.has_ended());
    let onclick = {
        let shell = shell.clone();
        Callback::from(move |_: MouseEvent| begin(&shell))
    };
    html! {
        <section class="gl-imports" aria-label="imports">
            <h2 class="gl-head">{ "From another Ghostlight" }</h2>
            <p class="gl-exports__start">
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={busy} {onclick}>{ Icon::Folder.draw() }{ "Import a bundle…" }</button>
                <span class="gl-dim">{ "Or drop it on the window. It is verified first, and taken over as a whole or not at all." }</span>
            </p>
            if !rows.is_empty() { <ul aria-live="polite">{ for rows.iter().map(|row| view_row(&shell, row)) }</ul> }
        </section>
    }
}

/// Asks which, and takes it over.
pub fn begin(shell: &Shell) {
    let shell = shell.clone();
    spawn_local(async move {
        let started = async {
            match backend::call(ChooseBundle {}).await? {
                Some(path) => backend::call(StartImport { path }).await.map(drop),
                None => Ok(()),
            }
        };
        if let Err(error) = started.await {
            shell.error(&error);
        }
    });
}

fn stop(shell: &Shell, id: u64) -> Callback<MouseEvent> {
    let shell = shell.clone();
    Callback::from(move |_| {
        let shell = shell.clone();
        spawn_local(async move {
            if let Err(error) = backend::call(CancelImport { id }).await {
                shell.error(&error);
            }
        });
    })
}

fn view_row(shell: &Shell, row: &ImportRow) -> Html {
    let file = row.path.rsplit(['/', '\\']).next().unwrap_or(&row.path);
    let (icon, tone, words) = match &row.state {
        ImportState::Verifying => (Icon::Dot, "gl-accent", "verifying".to_owned()),
        ImportState::Taking => (Icon::Dot, "gl-accent", "sound; taking it over".to_owned()),
        ImportState::Done(done) => (Icon::Check, "gl-ok", done_words(done)),
        ImportState::Cancelled => (
            Icon::Cross,
            "gl-dim",
            "stopped; nothing was taken over".to_owned(),
        ),
        ImportState::Failed(error) => (Icon::Cross, "gl-bad", format!("Not taken over. {error}")),
    };
    let hint = match &row.state {
        ImportState::Failed(error) => error.hint.clone(),
        _ => None,
    };
    let exact = format::date_time(row.began, shell.zone());
    html! {
        <li key={row.id.to_string()} class="gl-import" aria-label={AttrValue::from(format!("import {file}"))}>
            <span class={tone}>{ icon.draw() }</span>
            <div>
                <p><span class="gl-strong" title={row.path.clone()}>{ file.to_owned() }</span>{ " " }<span class="gl-dim" title={exact}>{ format::ago(dom::now(), row.began, shell.zone()) }</span></p>
                <p>{ words }{ " " }if let Some(hint) = hint { <span class="gl-dim">{ hint }</span> }</p>
                if !row.state.has_ended() {
                    <progress max={row.total.max(1).to_string()} value={row.pieces.to_string()} aria-label={format!("progress of {file}")}></progress>
                    { " " }<button type="button" class="gl-link" onclick={stop(shell, row.id)}>{ "Stop" }</button>
                }
                if let ImportState::Done(done) = &row.state { { view_done(shell, done) } }
            </div>
        </li>
    }
}

fn done_words(done: &ImportDone) -> String {
    let nothing = done.captures + done.events + done.observations + done.commits == 0;
    let postings = format::plural(done.postings, "posting", "postings");
    if nothing {
        return format!("{postings}: all of it was here already.");
    }
    format!(
        "{postings}, {} of them new: {}, {}, {}, {}.",
        format::count(done.new_postings),
        format::plural(done.commits, "version", "versions"),
        format::plural(done.captures, "capture", "captures"),
        format::plural(done.observations, "observation", "observations"),
        format::plural(done.events, "event", "events"),
    )
}

fn view_done(shell: &Shell, done: &ImportDone) -> Html {
    let more = done.postings.saturating_sub(done.listed.len() as u64);
    html! {
        <ul class="gl-import__postings">
            { for done.listed.iter().map(|one| view_posting(shell, one)) }
            if more > 0 { <li class="gl-dim">{ format!("and {} more in the list of postings", format::count(more)) }</li> }
        </ul>
    }
}

fn view_posting(shell: &Shell, one: &ImportedPosting) -> Html {
    let open = Ask::Select(Subject::Posting(one.posting));
    let branches = one.branches.join(", ");
    html! {
        <li key={one.posting.to_string()}>
            <button type="button" class="gl-link" onclick={shell.asks(open)}>{ &one.title }</button>
            if !one.branches.is_empty() {
                <span>{ " its history went on in both places: what came is on branch " }<span class="gl-chip">{ &branches }</span>{ bits::unseen("; merge it in the history") }</span>
            }
        </li>
    }
}
