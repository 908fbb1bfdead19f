//! The data folder in the settings: how large it is, and old history put away from it or brought back (SPEC E6).

use crate::{
    backend,
    components::{bits, dialog::Modal},
    dom,
    icons::Icon,
    shell::{Ask, Dialog, Shell, use_shell},
    state::{format, storage, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    Command, ViewData, ViewQuery,
    command::{BringArchiveBack, StartArchive, StopArchive},
    view::{StorageState, StorageWork},
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlSelectElement;
use yew::{
    Callback, Event, Html, MouseEvent, Properties, TargetCast, classes, component, html,
    use_state_eq,
};

/// The group of the settings page.
#[component]
pub fn Storage() -> Html {
    let shell = use_shell();
    let days = use_state_eq(|| storage::AGE);
    let state: ViewState = use_view(Some(ViewQuery::Storage));
    let view = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Storage(view) => Some(view.clone()),
            _ => None,
        },
        _ => None,
    };
    let work = view.as_ref().and_then(|view| view.work.clone());
    let busy = work.as_ref().is_some_and(|work| !work.state.has_ended());
    let nothing = view.as_ref().is_none_or(|view| view.archives.files == 0);
    let onchange = {
        let days = days.clone();
        Callback::from(move |event: Event| {
            let chosen = event.target_dyn_into::<HtmlSelectElement>();
            if let Some(chosen) = chosen.and_then(|select| select.value().parse().ok()) {
                days.set(chosen);
            }
        })
    };
    let option = |(value, words): (u32, &'static str)| {
        html! { <option value={value.to_string()} selected={*days == value}>{ words }</option> }
    };
    let sizes = || match &view {
        Some(view) => view_sizes(
            format::bytes(view.database),
            storage::archived(&view.archives, shell.zone()),
        ),
        None => view_sizes("…".into(), "…".into()),
    };
    let sizes = bits::render_view(&ViewQuery::Storage, &state, sizes, |_| sizes());
    html! {
        <fieldset aria-label="old history">
            <legend>{ "Old history" }</legend>
            { sizes }
            <p class="gl-dim">{ "What old versions say can lie in compressed files beside the database. Cards, timelines, comparisons, undo and exports stay as they are." }</p>
            <div class="gl-storage__start">
                <label class="gl-option"><span class="gl-still">{ "Versions" }</span><select {onchange} aria-label="which versions to archive">{ for storage::AGES.into_iter().map(option) }</select></label>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={busy} onclick={shell.asks(Ask::Open(Dialog::Archive(*days)))}>{ "Archive…" }</button>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={busy || nothing} onclick={shell.asks(Ask::Open(Dialog::BringBack))}>{ "Bring back…" }</button>
            </div>
            // Said once it has ended, not at each step.
            <div class="gl-storage__work" role="status" aria-live={if busy { "off" } else { "polite" }}>{ work.as_ref().map(|work| view_work(&shell, work)).unwrap_or_default() }</div>
        </fieldset>
    }
}

fn view_sizes(database: String, archived: String) -> Html {
    html! {
        <dl class="gl-about">
            <div><dt>{ "Database" }</dt><dd class="gl-num">{ database }</dd></div>
            <div><dt>{ "Archived" }</dt><dd class="gl-num">{ archived }</dd></div>
        </dl>
    }
}

fn view_work(shell: &Shell, work: &StorageWork) -> Html {
    let (icon, tone) = match &work.state {
        StorageState::Moving | StorageState::Compacting => (Icon::Dot, "gl-accent"),
        StorageState::Done(done) if done.not_compacted.is_some() => (Icon::Check, "gl-warn"),
        StorageState::Done(_) => (Icon::Check, "gl-ok"),
        StorageState::Failed(_) => (Icon::Cross, "gl-bad"),
    };
    let hint = match &work.state {
        StorageState::Failed(error) => error.hint.clone(),
        StorageState::Done(done) => done
            .not_compacted
            .as_ref()
            .and_then(|error| error.hint.clone()),
        _ => None,
    };
    let moving = work.state == StorageState::Moving;
    let ended = work.state.has_ended();
    html! {
        <>
            <span class={tone}>{ icon.draw() }</span>
            <p>
                { storage::standing(work) }
                if let Some(hint) = hint { { " " }<span class="gl-dim">{ hint }</span> }
                if ended { { " " }<span class="gl-dim" title={format::date_time(work.began, shell.zone())}>{ format::ago(dom::now(), work.began, shell.zone()) }</span> }
            </p>
            if moving {
                <progress max={work.total.max(1).to_string()} value={work.done.to_string()} aria-label="progress of old history"></progress>
                <button type="button" class="gl-link" onclick={calls(shell, || StopArchive {})}>{ "Stop" }</button>
            }
        </>
    }
}

/// Sends a command; what it does shows in the view.
fn calls<C: Command + 'static>(
    shell: &Shell,
    request: impl Fn() -> C + 'static,
) -> Callback<MouseEvent> {
    let shell = shell.clone();
    Callback::from(move |_| {
        let (shell, call) = (shell.clone(), backend::call(request()));
        spawn_local(async move {
            if let Err(error) = call.await {
                shell.error(&error);
            }
        });
    })
}

/// Sends a command and closes the dialog that asked for it.
fn confirms<C: Command + 'static>(
    shell: &Shell,
    request: impl Fn() -> C + 'static,
) -> Callback<MouseEvent> {
    let (begin, ask) = (calls(shell, request), shell.ask.clone());
    Callback::from(move |event| {
        ask.emit(Ask::Close);
        begin.emit(event);
    })
}

/// Properties of [`Archive`].
#[derive(Properties, PartialEq)]
pub struct ArchiveProps {
    /// Versions older than so many days.
    pub days: u32,
}

/// Whether to archive.
#[component]
pub fn Archive(props: &ArchiveProps) -> Html {
    let shell = use_shell();
    let older_than_days = props.days;
    let query = ViewQuery::ArchiveLook { older_than_days };
    let state: ViewState = use_view(Some(query.clone()));
    let look = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::ArchiveLook(look) => Some(*look),
            _ => None,
        },
        _ => None,
    };
    // While it is counted, and where it could not be, whoever knows what they want may go on.
    let nothing = look.is_some_and(|look| look.versions == 0 && look.whole);
    let confirm = confirms(&shell, move || StartArchive { older_than_days });
    let confirm = Callback::from(move |event: MouseEvent| {
        if !nothing {
            confirm.emit(event);
        }
    });
    let class = classes!(
        "pf-v6-c-button",
        "pf-m-primary",
        nothing.then_some("pf-m-aria-disabled")
    );
    // It keeps the focus that it has got, also when there turns out to be nothing to do.
    let actions = html! {
        <>
            <button type="button" data-first="" {class} aria-disabled={nothing.then_some("true")} onclick={confirm}>{ "Archive" }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    html! {
        <Modal title={format!("Archive versions {}?", storage::age(props.days))} on_close={shell.asks(Ask::Close)} {actions}>
            <div class="gl-paragraphs">
                <p class="gl-strong" role="status">{ match (look, &state) {
                    (Some(look), _) => storage::would(&look),
                    (None, ViewState::Failed(error)) => error.message.clone(),
                    (None, _) => "Counting what would go…".into(),
                } }</p>
                <p>{ "What these versions say goes into compressed files in the folder " }<code>{ "archive" }</code>{ " of the data folder. Nothing is deleted, and it can be brought back. Versions that a card is made from stay in the database." }</p>
                <p>{ "When you copy the data folder, copy the archive folder with it: one is not whole without the other." }</p>
                <p class="gl-dim">{ "A large database takes minutes, and at the end saving waits until its file is made smaller." }</p>
            </div>
        </Modal>
    }
}

/// Whether to bring back.
#[component]
pub fn BringBack() -> Html {
    let shell = use_shell();
    let confirm = confirms(&shell, || BringArchiveBack {});
    let actions = html! {
        <>
            <button type="button" data-first="" class="pf-v6-c-button pf-m-primary" onclick={confirm}>{ "Bring back" }</button>
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    html! {
        <Modal title="Bring archived history back?" on_close={shell.asks(Ask::Close)} {actions}>
            <p>{ "Each archive file is checked, what it holds goes back into the database, and then the file is removed. The database grows by several times the size of the files." }</p>
        </Modal>
    }
}
