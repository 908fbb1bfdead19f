//! The dialogs of the history: two versions side by side, a version brought back, a new branch, a merge with its conflicts
//! (SPEC E2).

use crate::{
    backend,
    components::{bits, dialog::Modal, history::short_id},
    dom,
    shell::{Ask, Shell, ToastKind, use_shell},
    state::{format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    Command, ViewData, ViewQuery,
    command::{CreateBranch, MergeBranch, MergeChoice, RestoreVersion},
    view::{BranchRow, ConflictRow, DifferenceRow, MergeKind, MergeView, SaidView},
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, PostingId,
    typed::{self},
};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{
    Callback, Event, Html, InputEvent, MouseEvent, Properties, SubmitEvent, component, html,
    use_state_eq,
};

/// Above so many characters a text's differences are marked by line, not by word.
const WORD_DIFF_MAX: usize = 20_000;

/// Runs a command that a dialog asked for; the dialog goes when it is done.
fn finish<C: Command + 'static>(shell: &Shell, request: C, done: &'static str) {
    let shell = shell.clone();
    spawn_local(async move {
        match backend::call(request).await {
            Ok(_) => {
                shell.ask.emit(Ask::Close);
                shell.ask.emit(Ask::Announce(done.into()));
            }
            Err(error) => shell.error(&error),
        }
    });
}

/// Merges; a branch that only moved forward says how to go back, since there is no merge to take back.
fn merge(shell: &Shell, request: MergeBranch, [ours, theirs]: [String; 2], before: CommitId) {
    let shell = shell.clone();
    spawn_local(async move {
        match backend::call(request).await {
            Ok(done) => {
                shell.ask.emit(Ask::Close);
                if done.joined {
                    let said = Ask::Announce("The branches are merged.".into());
                    return shell.ask.emit(said);
                }
                let title = format!("{ours} moved forward to {theirs}");
                let body = format!(
                    "There is no merge to take back. To go back, restore version {} in the history.",
                    short_id(before)
                );
                shell.ask.emit(Ask::Toast(ToastKind::Info, title, body));
            }
            Err(error) => shell.error(&error),
        }
    });
}

fn cancel(shell: &Shell) -> Html {
    html! { <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button> }
}

/// Properties of [`Compare`].
#[derive(Properties, PartialEq)]
pub struct CompareProps {
    /// Of which posting.
    pub posting: PostingId,
    /// The one version.
    pub before: CommitId,
    /// The other.
    pub after: CommitId,
    /// Whether the first is to be brought back.
    pub restore: bool,
}

/// Two versions side by side; where one is to be brought back, that is one click.
#[component]
pub fn Compare(props: &CompareProps) -> Html {
    let shell = use_shell();
    // The same for every try.
    let key = use_state_eq(dom::fresh_key);
    let CompareProps {
        posting,
        before,
        after,
        restore,
    } = *props;
    let query = ViewQuery::Compare {
        posting,
        before,
        after,
    };
    let state: ViewState = use_view(Some(query.clone()));
    let branches: ViewState = use_view(Some(ViewQuery::Branches(posting)));
    let names = names_of(&branches, [before, after]);
    let on_restore = {
        let (shell, key) = (shell.clone(), (*key).clone());
        Callback::from(move |_: MouseEvent| {
            let request = RestoreVersion {
                posting,
                version: before,
                looked_at: Some(after),
                message: String::new(),
                key: key.clone(),
            };
            finish(&shell, request, "The version is brought back.");
        })
    };
    let actions = html! {
        <>
            if restore { <button type="button" data-first="" class="pf-v6-c-button pf-m-primary" onclick={on_restore}>{ "Restore" }</button> }
            <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ if restore { "Cancel" } else { "Close" } }</button>
        </>
    };
    let title = if restore {
        "Bring this version back?"
    } else {
        "Compare versions"
    };
    html! {
        <Modal {title} on_close={shell.asks(Ask::Close)} {actions}>
            if restore { <p class="gl-dim">{ "A new version gets these values back; nothing of the history goes." }</p> }
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> }, |data| match &**data {
                ViewData::Compare(rows) if rows.is_empty() => html! { <p class="gl-hint">{ "No field differs." }</p> },
                ViewData::Compare(rows) => view_differences(rows, &names),
                _ => Html::default(),
            }) }
        </Modal>
    }
}

/// How the columns of two versions are called: the current one is so called.
fn names_of(branches: &ViewState, versions: [CommitId; 2]) -> [String; 2] {
    let branches = match branches {
        ViewState::Ready(data) => match &**data {
            ViewData::Branches(view) => &view.branches[..],
            _ => &[],
        },
        _ => &[],
    };
    let is_current = |id: CommitId| {
        let mut branches = branches.iter();
        branches.any(|branch| branch.current && branch.head == id)
    };
    versions.map(|id| match is_current(id) {
        true => "Now".to_owned(),
        false => format!("Version {}", short_id(id)),
    })
}

fn view_differences(rows: &[DifferenceRow], [before, after]: &[String; 2]) -> Html {
    let line = |row: &DifferenceRow| {
        let text = |said: &Option<SaidView>| said.as_ref().map(|said| said.value.display());
        let (old, new) = (text(&row.before), text(&row.after));
        let (left, right) = match (&old, &new) {
            (Some(old), Some(new)) => marked(old, new),
            _ => (view_plain(old.as_deref()), view_plain(new.as_deref())),
        };
        html! {
            <tr key={row.field.name().to_owned()}>
                <th scope="row">{ row.field.label() }</th>
                <td>{ left }</td>
                <td>{ right }</td>
            </tr>
        }
    };
    html! {
        <table class="gl-table gl-compare" aria-label="differences">
            <thead><tr><th scope="col">{ "Field" }</th><th scope="col">{ before }</th><th scope="col">{ after }</th></tr></thead>
            <tbody>{ for rows.iter().map(line) }</tbody>
        </table>
    }
}

fn view_plain(text: Option<&str>) -> Html {
    match text {
        Some(text) => html! { <span class="gl-said">{ text.to_owned() }</span> },
        None => html! { <span class="gl-dim">{ "nothing" }</span> },
    }
}

/// Both texts, with what only one of them has marked.
fn marked(before: &str, after: &str) -> (Html, Html) {
    let diff = match before.len() + after.len() <= WORD_DIFF_MAX {
        true => TextDiff::from_words(before, after),
        false => TextDiff::from_lines(before, after),
    };
    let side = |own: ChangeTag| {
        let parts = diff
            .iter_all_changes()
            .filter(|change| change.tag() == ChangeTag::Equal || change.tag() == own);
        let part = |change: similar::Change<&str>| {
            let text = change.value().to_owned();
            match (change.tag(), own) {
                (ChangeTag::Equal, _) => html! { { text } },
                (_, ChangeTag::Delete) => html! { <del>{ text }</del> },
                _ => html! { <ins>{ text }</ins> },
            }
        };
        html! { <span class="gl-said">{ for parts.map(part) }</span> }
    };
    (side(ChangeTag::Delete), side(ChangeTag::Insert))
}

/// Properties of [`NewBranch`].
#[derive(Properties, PartialEq)]
pub struct BranchProps {
    /// Of which posting.
    pub posting: PostingId,
    /// Where it begins; `None` is the current version.
    pub at: Option<CommitId>,
}

/// The name of a new branch.
#[component]
pub fn NewBranch(props: &BranchProps) -> Html {
    let shell = use_shell();
    let name = use_state_eq(String::new);
    let problem = ghostlight_model::history::check_branch_name(&name)
        .err()
        .filter(|_| !name.is_empty())
        .map(|error| error.to_string());
    let oninput = {
        let name = name.clone();
        Callback::from(move |event: InputEvent| {
            let input = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            name.set(input.map(|input| input.value()).unwrap_or_default());
        })
    };
    let onsubmit = {
        let (shell, name, posting, at) = (shell.clone(), name.clone(), props.posting, props.at);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let request = CreateBranch {
                posting,
                name: name.trim().to_owned(),
                at,
                switch: true,
            };
            finish(&shell, request, "The card shows the new branch.");
        })
    };
    let blocked = name.trim().is_empty() || problem.is_some();
    let actions = html! {
        <>
            <button type="submit" form="branch-form" class="pf-v6-c-button pf-m-primary" disabled={blocked}>{ "Begin the branch" }</button>
            { cancel(&shell) }
        </>
    };
    html! {
        <Modal title="New branch" on_close={shell.asks(Ask::Close)} {actions}>
            <form id="branch-form" class="gl-form" {onsubmit}>
                <label for="branch-name">{ "Name" }</label>
                <input id="branch-name" data-first="" type="text" autocomplete="off" spellcheck="false" aria-invalid={problem.is_some().then_some("true")} aria-describedby="branch-help" value={(*name).clone()} {oninput} />
                <p id="branch-help" class={if problem.is_some() { "gl-small gl-bad" } else { "gl-small gl-dim" }}>{ problem.unwrap_or_else(|| "What you change there leaves the other branches as they are, until you merge it.".into()) }</p>
            </form>
        </Modal>
    }
}

/// Properties of [`Merge`].
#[derive(Properties, PartialEq)]
pub struct MergeProps {
    /// Of which posting.
    pub posting: PostingId,
}

/// Which branch to merge, what comes of it, and what has to be decided.
#[component]
pub fn Merge(props: &MergeProps) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    let from = use_state_eq(|| None::<String>);
    let key = use_state_eq(dom::fresh_key);
    let choices = use_state_eq(BTreeMap::<FieldKey, MergeChoice>::new);
    let branches: ViewState = use_view(Some(ViewQuery::Branches(posting)));
    let others: Vec<BranchRow> = match &branches {
        ViewState::Ready(data) => match &**data {
            ViewData::Branches(view) => view
                .branches
                .iter()
                .filter(|branch| !branch.current)
                .cloned()
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let named = (*from)
        .clone()
        .or_else(|| others.first().map(|branch| branch.name.clone()));
    let query = named.map(|from| ViewQuery::Merge { posting, from });
    let state: ViewState = use_view(query.clone());
    let view = match (&query, &state) {
        (Some(_), ViewState::Ready(data)) => match &**data {
            ViewData::Merge(view) => Some((**view).clone()),
            _ => None,
        },
        _ => None,
    };
    let on_from = {
        let (from, choices) = (from.clone(), choices.clone());
        Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            choices.set(BTreeMap::new());
            from.set(select.map(|select| select.value()));
        })
    };
    let open = view.as_ref().map_or(0, |view| undecided(view, &choices));
    let ready = view
        .as_ref()
        .is_some_and(|view| view.kind != MergeKind::Nothing)
        && open == 0;
    let on_merge = {
        let (shell, key, view) = (shell.clone(), (*key).clone(), view.clone());
        let choices = (*choices).clone();
        Callback::from(move |_: MouseEvent| {
            let Some(view) = &view else { return };
            let decided = view.conflicts.iter().filter_map(|conflict| {
                let choice = choices.get(&conflict.field)?;
                Some((conflict.field.clone(), choice.clone()))
            });
            let request = MergeBranch {
                posting,
                from: view.theirs.name.clone(),
                looked_at: Some((view.ours.head, view.theirs.head)),
                resolutions: decided.collect(),
                message: String::new(),
                key: key.clone(),
            };
            let names = [&view.ours, &view.theirs].map(|branch| branch.name.clone());
            merge(&shell, request, names, view.ours.head);
        })
    };
    let actions = html! {
        <>
            <button type="button" class="pf-v6-c-button pf-m-primary" disabled={!ready} onclick={on_merge}>{ if open > 0 { format!("Merge ({open} to decide)") } else { "Merge".into() } }</button>
            { cancel(&shell) }
        </>
    };
    let options = others.iter().map(|branch| {
        html! { <option key={branch.name.clone()} value={branch.name.clone()}>{ &branch.name }</option> }
    });
    let trouble = match (&query, &state) {
        (Some(query), ViewState::Failed(error)) => {
            let query = query.clone();
            bits::trouble(error, Callback::from(move |()| crate::views::retry(&query)))
        }
        _ => Html::default(),
    };
    html! {
        <Modal title="Merge branches" on_close={shell.asks(Ask::Close)} {actions}>
            <p class="gl-merge__from">
                <label for="merge-from">{ "Bring the changes of" }</label>
                <select id="merge-from" data-first="" onchange={on_from}>{ for options }</select>
                if let Some(view) = &view { <span>{ "into " }<span class="gl-strong">{ &view.ours.name }</span></span> }
            </p>
            { trouble }
            if let Some(view) = &view { { view_merge(view, &choices) } }
        </Modal>
    }
}

/// How many conflicts are not decided, or decided by a text that is no value.
fn undecided(view: &MergeView, choices: &BTreeMap<FieldKey, MergeChoice>) -> usize {
    let open = view
        .conflicts
        .iter()
        .filter(|conflict| match choices.get(&conflict.field) {
            None => true,
            Some(MergeChoice::Text(text)) => {
                typed::read(&conflict.field, current(conflict), text).is_err()
            }
            Some(_) => false,
        });
    open.count()
}

fn current(conflict: &ConflictRow) -> Option<&FieldValue> {
    conflict.ours.as_ref().map(|said| &said.value)
}

fn view_merge(
    view: &MergeView,
    choices: &yew::UseStateHandle<BTreeMap<FieldKey, MergeChoice>>,
) -> Html {
    let words = match view.kind {
        MergeKind::Nothing => format!(
            "All of {} is on {} already: there is nothing to merge.",
            view.theirs.name, view.ours.name
        ),
        MergeKind::Forward => format!(
            "{} only moves forward to {}. That makes no version of its own to take back: to go back later, restore \
             version {} in the history.",
            view.ours.name,
            view.theirs.name,
            short_id(view.ours.head)
        ),
        MergeKind::Join if view.conflicts.is_empty() => {
            "Both went on, and no field was changed by both: nothing has to be decided.".into()
        }
        MergeKind::Join => format!(
            "Both changed {}: choose what stands.",
            format::plural(view.conflicts.len() as u64, "field", "fields")
        ),
    };
    let all = |choice: MergeChoice| {
        let (choices, fields) = (
            choices.clone(),
            view.conflicts
                .iter()
                .map(|conflict| conflict.field.clone())
                .collect::<Vec<_>>(),
        );
        Callback::from(move |_: MouseEvent| {
            let taken = fields.iter().map(|field| (field.clone(), choice.clone()));
            choices.set(taken.collect());
        })
    };
    html! {
        <>
            <p class="gl-dim" role="status">{ words }</p>
            if view.conflicts.len() > 1 {
                <p class="gl-merge__all">
                    <button type="button" class="gl-link" onclick={all(MergeChoice::Ours)}>{ format!("Take all of {}", view.ours.name) }</button>
                    <button type="button" class="gl-link" onclick={all(MergeChoice::Theirs)}>{ format!("Take all of {}", view.theirs.name) }</button>
                </p>
            }
            { for view.conflicts.iter().map(|conflict| view_conflict(view, conflict, choices)) }
            if !view.settled.is_empty() {
                <details class="gl-merge__settled">
                    <summary>{ format!("{} settled without you", format::plural(view.settled.len() as u64, "field is", "fields are")) }</summary>
                    <ul>{ for view.settled.iter().map(|(field, value)| html! {
                        <li key={field.name().to_owned()}><span class="gl-strong">{ field.label() }</span>{ ": " }{ value.as_ref().map_or("withdrawn".into(), |value| format::shortened(&value.display(), 200)) }</li>
                    }) }</ul>
                </details>
            }
        </>
    }
}

fn view_conflict(
    view: &MergeView,
    conflict: &ConflictRow,
    choices: &yew::UseStateHandle<BTreeMap<FieldKey, MergeChoice>>,
) -> Html {
    let field = &conflict.field;
    let name = field.name().to_owned();
    let now = choices.get(field);
    let choose = |choice: MergeChoice| {
        let (choices, field) = (choices.clone(), field.clone());
        Callback::from(move |_: Event| {
            let mut next = (*choices).clone();
            next.insert(field.clone(), choice.clone());
            choices.set(next);
        })
    };
    let option = |choice: MergeChoice, label: String, value: Option<String>| {
        let checked = now == Some(&choice);
        let word = label.clone();
        html! {
            <label key={word} class="gl-choice">
                <input type="radio" name={format!("merge-{name}")} {checked} onchange={choose(choice)} />
                <span class="gl-strong">{ label }</span>
                <span class="gl-said">{ value.unwrap_or_else(|| "nothing".into()) }</span>
            </label>
        }
    };
    let said = |said: &Option<SaidView>| {
        said.as_ref().map(|said| {
            let value = format::shortened(&said.value.display(), 400);
            format!("{value} — {}", format::author(&said.author))
        })
    };
    let base = match conflict.bases.as_slice() {
        [one] => {
            let shown = one
                .as_ref()
                .map(|value| format::shortened(&value.display(), 400));
            option(MergeChoice::Base, "before both".into(), shown)
        }
        _ => Html::default(),
    };
    let text = match now {
        Some(MergeChoice::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let begin = current(conflict).map(typed::text_of).unwrap_or_default();
    let problem = text.as_ref().and_then(|text| {
        let read = typed::read(field, current(conflict), text);
        read.err().map(|error| error.to_string())
    });
    let oninput = {
        let (choices, field) = (choices.clone(), field.clone());
        Callback::from(move |event: InputEvent| {
            let input = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let mut next = (*choices).clone();
            let text = input.map(|input| input.value()).unwrap_or_default();
            next.insert(field.clone(), MergeChoice::Text(text));
            choices.set(next);
        })
    };
    html! {
        <fieldset key={name.clone()} class="gl-choices" aria-label={format!("conflict {name}")}>
            <legend>{ field.label() }</legend>
            { option(MergeChoice::Ours, view.ours.name.clone(), said(&conflict.ours)) }
            { option(MergeChoice::Theirs, view.theirs.name.clone(), said(&conflict.theirs)) }
            { base }
            <label class="gl-choice">
                <input type="radio" name={format!("merge-{name}")} checked={text.is_some()} onchange={choose(MergeChoice::Text(begin.clone()))} />
                <span class="gl-strong">{ "as typed" }</span>
                <input type="text" class="gl-merge__typed" autocomplete="off" aria-label={format!("{} as typed", field.label())} aria-invalid={problem.is_some().then_some("true")} value={text.unwrap_or(begin)} {oninput} />
            </label>
            if let Some(problem) = problem { <p class="gl-small gl-bad">{ problem }</p> }
        </fieldset>
    }
}
