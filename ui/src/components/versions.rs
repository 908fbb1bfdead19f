//! The dialogs of the history: two versions side by side, a version brought back, a new branch (SPEC E2).

use crate::{
    backend,
    components::{
        bits,
        dialog::Modal,
        history::short_id,
        marked::{NOT_MARKED, view_plain, view_side},
    },
    dom,
    shell::{Ask, Shell, use_shell},
    state::{
        diff::{Diff, Side},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    Command, ViewData, ViewQuery,
    command::{CreateBranch, RestoreVersion},
    view::{DifferenceRow, SaidView},
};
use ghostlight_model::{CommitId, PostingId};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Html, InputEvent, MouseEvent, Properties, SubmitEvent, component, html, use_memo,
    use_state_eq,
};

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

/// The way out of a dialog.
pub fn cancel(shell: &Shell) -> Html {
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
    let rows = use_memo(state.clone(), differences);
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
                ViewData::Compare(_) => view_differences(&rows, &names),
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

/// A field that differs, and what differs in it where both versions have it.
struct Difference {
    row: DifferenceRow,
    diff: Option<Diff>,
}

fn differences(state: &ViewState) -> Vec<Difference> {
    let ViewState::Ready(data) = state else {
        return Vec::new();
    };
    let ViewData::Compare(rows) = &**data else {
        return Vec::new();
    };
    let difference = |row: &DifferenceRow| {
        let both = text_of(&row.before).zip(text_of(&row.after));
        Difference {
            diff: both.map(|(old, new)| Diff::of(old, new)),
            row: row.clone(),
        }
    };
    rows.iter().map(difference).collect()
}

fn text_of(said: &Option<SaidView>) -> Option<String> {
    said.as_ref().map(|said| said.value.display())
}

fn view_differences(rows: &[Difference], [before, after]: &[String; 2]) -> Html {
    let line = |Difference { row, diff }: &Difference| {
        let (left, right) = match diff {
            Some(diff) => (view_side(diff, Side::Before), view_side(diff, Side::After)),
            None => (
                view_plain(text_of(&row.before).as_deref()),
                view_plain(text_of(&row.after).as_deref()),
            ),
        };
        let not_marked = diff.as_ref().is_some_and(|diff| !diff.is_marked());
        html! {
            <tr key={row.field.name().to_owned()}>
                <th scope="row">{ row.field.label() }if not_marked { <p class="gl-small gl-dim">{ NOT_MARKED }</p> }</th>
                <td>{ left }</td>
                <td>{ right }</td>
            </tr>
        }
    };
    html! {
        <div tabindex="0" role="region" aria-label="what differs">
            <table class="gl-table gl-compare" aria-label="differences">
                <thead><tr><th scope="col">{ "Field" }</th><th scope="col">{ before }</th><th scope="col">{ after }</th></tr></thead>
                <tbody>{ for rows.iter().map(line) }</tbody>
            </table>
        </div>
    }
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
