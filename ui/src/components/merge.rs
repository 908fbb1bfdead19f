//! The dialog that merges a branch: what comes of it, and what has to be decided where both changed a field (SPEC E2).
//!
//! What is decided stands in [`crate::state::merge`]. Each side is shown in full, with what differs from before both.

use crate::{
    backend,
    components::{
        bits,
        dialog::Modal,
        field_editor::{self, FieldInput},
        history::short_id,
        marked::{NOT_MARKED, is_long, view_plain, view_side},
        versions::cancel,
    },
    dom,
    icons::Icon,
    shell::{Ask, Shell, ToastKind, use_shell},
    state::{
        diff::{Diff, Side},
        format,
        merge::{self, Decided, Decisions, Way},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::MergeBranch,
    view::{BranchRow, ConflictRow, MergeKind, MergeView, SaidView},
};
use ghostlight_model::{CommitId, PostingId};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlSelectElement;
use yew::{
    Callback, Event, Html, KeyboardEvent, MouseEvent, Properties, UseStateHandle, component, html,
    use_effect_with, use_memo, use_state, use_state_eq,
};

/// Properties of [`Merge`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of which posting.
    pub posting: PostingId,
}

/// What merging comes to, and what each side of each conflict makes of what was before both.
struct Seen {
    view: Rc<MergeView>,
    diffs: Vec<Diffs>,
}

/// Of ours and of theirs; `None` where there is nothing to compare.
type Diffs = [Option<Diff>; 2];

impl Seen {
    fn of(state: &ViewState) -> Option<Self> {
        let ViewState::Ready(data) = state else {
            return None;
        };
        let ViewData::Merge(view) = &**data else {
            return None;
        };
        let diffs = view.conflicts.iter().map(diffs).collect();
        let view = Rc::new((**view).clone());
        Some(Self { view, diffs })
    }
}

fn diffs(conflict: &ConflictRow) -> Diffs {
    let base = match conflict.bases.as_slice() {
        [Some(base)] => Some(base.display()),
        _ => None,
    };
    [&conflict.ours, &conflict.theirs].map(|said| {
        let said = said.as_ref().map(|said| said.value.display());
        base.clone()
            .zip(said)
            .map(|(base, said)| Diff::of(base, said))
    })
}

/// See the module.
#[component]
pub fn Merge(props: &Props) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    let from = use_state_eq(|| None::<String>);
    let key = use_state_eq(dom::fresh_key);
    let decisions = use_state(Decisions::default);
    let branches: ViewState = use_view(Some(ViewQuery::Branches(posting)));
    let others = others(&branches);
    let named = (*from)
        .clone()
        .or_else(|| others.first().map(|branch| branch.name.clone()));
    let query = named.clone().map(|from| ViewQuery::Merge { posting, from });
    let state: ViewState = use_view(query.clone());
    let seen = use_memo(state.clone(), Seen::of);
    let view = seen.as_ref().as_ref().map(|seen| &seen.view);
    {
        let (decisions, view) = (decisions.clone(), view.cloned());
        let heads = view.as_ref().map(|v| (v.ours.head, v.theirs.head));
        use_effect_with((named, heads), move |_| {
            if let Some(view) = view {
                let mut next = (*decisions).clone();
                next.see(&view);
                decisions.set(next);
            }
        });
    }
    let on_from = {
        let (from, decisions) = (from.clone(), decisions.clone());
        Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            decisions.set(Decisions::default());
            from.set(select.map(|select| select.value()));
        })
    };
    let open = view.map_or(0, |view| decisions.open(view));
    let ready = view.is_some_and(|view| view.kind != MergeKind::Nothing) && open == 0;
    let on_merge = {
        let (shell, key, view) = (shell.clone(), (*key).clone(), view.cloned());
        let decisions = decisions.clone();
        Callback::from(move |_: MouseEvent| {
            let Some(view) = &view else { return };
            let request = MergeBranch {
                posting,
                from: view.theirs.name.clone(),
                looked_at: Some((view.ours.head, view.theirs.head)),
                resolutions: decisions.resolutions(view),
                message: String::new(),
                key: key.clone(),
            };
            let names = [&view.ours, &view.theirs].map(|branch| branch.name.clone());
            send(&shell, request, names, view.ours.head);
        })
    };
    let actions = html! {
        <>
            <button type="button" class="pf-v6-c-button pf-m-primary" disabled={!ready} onclick={on_merge}>{ if open > 0 { format!("Merge ({open} to decide)") } else { "Merge".into() } }</button>
            { cancel(&shell) }
            // Beside the buttons it is in sight wherever the conflicts are scrolled, and moves none of them.
            <span class="gl-merge__moved gl-small gl-warn" role="status">{ view.map(|view| went_on(view, &decisions)).unwrap_or_default() }</span>
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
                if let Some(view) = view { <span>{ "into " }<span class="gl-strong">{ &view.ours.name }</span></span> }
            </p>
            { trouble }
            if let Some(seen) = &*seen { { view_merge(seen, &decisions) } }
        </Modal>
    }
}

/// The branches that can be merged into the checked-out one.
fn others(state: &ViewState) -> Vec<BranchRow> {
    let ViewState::Ready(data) = state else {
        return Vec::new();
    };
    let ViewData::Branches(view) = &**data else {
        return Vec::new();
    };
    let others = view.branches.iter().filter(|branch| !branch.current);
    others.cloned().collect()
}

/// Merges; a branch that only moved forward says how to go back, since there is no merge to take back.
fn send(shell: &Shell, request: MergeBranch, [ours, theirs]: [String; 2], before: CommitId) {
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

/// That a branch moved under the dialog, and what that asks for.
fn went_on(view: &MergeView, decisions: &Decisions) -> String {
    let moved = decisions.went_on(view);
    if moved.is_empty() {
        return String::new();
    }
    let again = match decisions.anew(view) {
        0 => "".to_owned(),
        1 => " What you decided about one field was about other values: choose again.".to_owned(),
        n => {
            format!(" What you decided about {n} fields was about other values: choose again.")
        }
    };
    format!(
        "{} went on while this was open; it shows what stands now.{again}",
        moved.join(" and ")
    )
}

fn words(view: &MergeView) -> String {
    match view.kind {
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
    }
}

fn view_merge(seen: &Seen, decisions: &UseStateHandle<Decisions>) -> Html {
    let view = &seen.view;
    let all = |way: Way| {
        let (decisions, view) = (decisions.clone(), view.clone());
        Callback::from(move |_: MouseEvent| {
            let mut next = (*decisions).clone();
            next.decide_all(way, &view);
            decisions.set(next);
        })
    };
    let conflicts = view.conflicts.iter().zip(&seen.diffs).enumerate();
    html! {
        <>
            <p class="gl-dim" role="status">{ words(view) }</p>
            if view.conflicts.len() > 1 {
                <p class="gl-merge__all">
                    <button type="button" class="gl-link" onclick={all(Way::Ours)}>{ format!("Take all of {}", view.ours.name) }</button>
                    <button type="button" class="gl-link" onclick={all(Way::Theirs)}>{ format!("Take all of {}", view.theirs.name) }</button>
                </p>
            }
            { for conflicts.map(|(at, (conflict, diffs))| view_conflict(view, (at, conflict, diffs), decisions)) }
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

/// A way to decide, as it is drawn.
struct Choice<'a> {
    /// The radio's id.
    id: String,
    /// What it is called.
    name: &'a str,
    /// By whom, where somebody said it.
    by: Option<String>,
    /// What it says; `None` for nothing.
    text: Option<String>,
    /// That, with what differs from before both.
    shown: Html,
}

fn view_conflict(
    view: &Rc<MergeView>,
    (at, conflict, diffs): (usize, &ConflictRow, &Diffs),
    decisions: &UseStateHandle<Decisions>,
) -> Html {
    let field = &conflict.field;
    let decided = decisions.of(conflict);
    let group = format!("merge-{at}");
    let radio = |id: &str, way: Way| {
        let (decisions, field, view) = (decisions.clone(), field.clone(), view.clone());
        let onchange = Callback::from(move |_: Event| {
            let mut next = (*decisions).clone();
            next.decide(&field, way, &view);
            decisions.set(next);
        });
        html! { <input type="radio" id={id.to_owned()} name={group.clone()} checked={decided == Decided::For(way)} {onchange} /> }
    };
    let option = |way: Way, choice: Choice| {
        let Choice { id, name, by, .. } = &choice;
        html! {
            <div key={id.clone()} class="gl-choice">
                { radio(id, way) }
                <label for={id.clone()} class="gl-conflict__who"><span class="gl-strong gl-cut" title={name.to_string()}>{ name.to_string() }</span>if let Some(by) = by { <span class="gl-dim gl-small gl-cut">{ by }</span> }</label>
                { view_said(field.label(), &choice) }
            </div>
        }
    };
    let side = |said: &Option<SaidView>, diff: &Option<Diff>, id: &str, name| {
        let text = said.as_ref().map(|said| said.value.display());
        let by = said.as_ref();
        Choice {
            id: format!("{group}-{id}"),
            name,
            by: by.map(|said| format!("by {}", format::author(&said.author))),
            // Where nothing is as it was there is nothing to mark.
            shown: match diff {
                Some(diff) if diff.has_both() => view_side(diff, Side::Both),
                _ => view_plain(text.as_deref()),
            },
            text,
        }
    };
    let base = match conflict.bases.as_slice() {
        [one] => {
            let text = one.as_ref().map(|value| value.display());
            let choice = Choice {
                id: format!("{group}-base"),
                name: "before both",
                by: None,
                shown: view_plain(text.as_deref()),
                text,
            };
            option(Way::Base, choice)
        }
        _ => Html::default(),
    };
    let not_marked = diffs.iter().flatten().any(|diff| !diff.is_marked());
    let typed = format!("{group}-typed");
    html! {
        <fieldset key={field.name().to_owned()} class="gl-choices gl-conflict" aria-label={format!("conflict {}", field.name())}>
            <legend>{ field.label() }</legend>
            if decided == Decided::Anew { <p class="gl-small gl-warn">{ Icon::Warning.draw() }{ "What you decided was about other values than those that stand here now." }</p> }
            if not_marked { <p class="gl-small gl-dim">{ NOT_MARKED }</p> }
            { option(Way::Ours, side(&conflict.ours, &diffs[0], "ours", &view.ours.name)) }
            { option(Way::Theirs, side(&conflict.theirs, &diffs[1], "theirs", &view.theirs.name)) }
            { base }
            <div class="gl-choice">
                { radio(&typed, Way::Typed) }
                <label for={typed.clone()} class="gl-conflict__who gl-strong">{ "as typed" }</label>
                if decided == Decided::For(Way::Typed) { { view_editor(view, (conflict, &typed), decisions) } } else { <span class="gl-dim">{ "something else" }</span> }
            </div>
        </fieldset>
    }
}

/// What a choice says. A short one chooses when it is clicked on; a long one scrolls, and can be marked and copied.
fn view_said(field: &str, choice: &Choice) -> Html {
    match &choice.text {
        Some(text) if is_long(text) => {
            let label = format!("{field}, {}", choice.name);
            html! { <div class="gl-conflict__text" tabindex="0" role="region" aria-label={label}>{ choice.shown.clone() }</div> }
        }
        _ => {
            html! { <label for={choice.id.clone()} class="gl-conflict__value">{ choice.shown.clone() }</label> }
        }
    }
}

/// The editor that fits the field, and what is wrong with its text. Esc leaves it; the text stays.
fn view_editor(
    view: &Rc<MergeView>,
    (conflict, radio): (&ConflictRow, &str),
    decisions: &UseStateHandle<Decisions>,
) -> Html {
    let field = &conflict.field;
    let on = {
        let (decisions, field, view) = (decisions.clone(), field.clone(), view.clone());
        Callback::from(move |text: String| {
            let mut next = (*decisions).clone();
            next.type_text(&field, text, &view);
            decisions.set(next);
        })
    };
    let onkeydown = {
        let radio = radio.to_owned();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && !event.default_prevented() && !event.is_composing() {
                event.prevent_default();
                event.stop_propagation();
                dom::focus_id(&radio);
            }
        })
    };
    let help = format!("{radio}-help");
    let (tone, says) = match decisions.typed(conflict) {
        Err(error) => ("gl-small gl-bad", error.to_string()),
        Ok(value) => ("gl-small gl-dim", field_editor::understood(field, &value)),
    };
    let label = format!("{} as typed", field.label());
    html! {
        <div class="gl-edit" {onkeydown}>
            <FieldInput field={field.clone()} editor={merge::editor(conflict)} text={decisions.text(conflict)} {label} help={help.clone()} wrong={tone.ends_with("bad")} {on} />
            <p id={help} class={tone} aria-live="polite">{ says }</p>
        </div>
    }
}
