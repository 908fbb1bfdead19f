//! The dialog that takes a merge back: which of its sides is to stand, and what each would change (SPEC E3).

use crate::{
    backend,
    components::{bits, dialog::Modal, history::short_id},
    dom,
    shell::{Ask, Shell, use_shell},
    state::{biography::change_words, format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{Undo, UndoMerge},
    view::{ReversalView, UnmergeSide, UnmergeView},
};
use ghostlight_model::{CommitId, PostingId};
use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, Event, Html, MouseEvent, Properties, component, html, use_effect_with, use_state_eq,
};

/// Properties of [`Unmerge`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of which posting.
    pub posting: PostingId,
    /// The merge.
    pub merge: CommitId,
    /// Whether an undo met it: then what the person did before it can be undone from here.
    pub undoing: bool,
}

/// See the module. What it shows is of now: where the branch goes on meanwhile, the sides are shown anew, and what is
/// chosen stays.
#[component]
pub fn Unmerge(props: &Props) -> Html {
    let shell = use_shell();
    let Props {
        posting,
        merge,
        undoing,
    } = *props;
    let chosen = use_state_eq(|| None::<CommitId>);
    // The same for every try.
    let key = use_state_eq(dom::fresh_key);
    let query = ViewQuery::Unmerge { posting, merge };
    let state: ViewState = use_view(Some(query.clone()));
    let view = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Unmerge(view) => Some(view),
            _ => None,
        },
        _ => None,
    };
    let head = view.map(|view| view.head);
    let first = use_state_eq(|| None::<CommitId>);
    {
        let first = first.clone();
        use_effect_with(head, move |head| {
            if first.is_none() {
                first.set(*head);
            }
        });
    }
    let went_on = first.is_some() && head.is_some() && head != *first;
    let sides = view.map_or(&[][..], |view| &view.sides);
    // The side that went on is meant as a rule, but a person may mean the other.
    let keep = (*chosen).or_else(|| UnmergeSide::own(sides));
    let can = |side: &&UnmergeSide| {
        Some(side.version) == keep && matches!(side.back, ReversalView::Ready(_))
    };
    let ready = sides.iter().find(can).map(|side| side.version);
    let onclick = {
        let (shell, key) = (shell.clone(), (*key).clone());
        Callback::from(move |_: MouseEvent| {
            if let Some(keep) = ready {
                let request = UndoMerge {
                    posting,
                    merge,
                    keep,
                    looked_at: head,
                    message: String::new(),
                    key: key.clone(),
                };
                take_back(&shell, request);
            }
        })
    };
    let actions = html! {
        <>
            <button type="button" class="pf-v6-c-button pf-m-primary" disabled={ready.is_none()} {onclick}>{ "Take back" }</button>
            if undoing { <UndoBefore {posting} /> }
            <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    let on_choose = {
        let chosen = chosen.clone();
        Callback::from(move |version: CommitId| chosen.set(Some(version)))
    };
    html! {
        <Modal title="Take this merge back?" on_close={shell.asks(Ask::Close)} {actions}>
            if undoing { <p class="gl-unmerge__why">{ "This merge came after your latest change, so it would be taken back first." }</p> }
            <p class="gl-dim">{ "A new version gets the values of one side back, in the fields that the merge changed there. Nothing of the history goes, and redo merges again." }</p>
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> }, |data| match &**data {
                ViewData::Unmerge(UnmergeView { sides, .. }) => html! {
                    <fieldset class="gl-choices gl-unmerge" aria-label="sides of the merge">
                        <legend>{ "As it was on the side of" }</legend>
                        { for sides.iter().map(|side| view_side(&shell, side, keep, &on_choose)) }
                    </fieldset>
                },
                _ => Html::default(),
            }) }
            <p class="gl-small gl-warn" role="status">{ if went_on { "The branch went on while this was open; it shows what stands now." } else { "" } }</p>
        </Modal>
    }
}

#[derive(Properties, PartialEq)]
struct BeforeProps {
    posting: PostingId,
}

/// The way past the merge: the person's own change before it, where that can be undone.
#[component]
fn UndoBefore(props: &BeforeProps) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    let key = use_state_eq(dom::fresh_key);
    let state: ViewState = use_view(Some(ViewQuery::Branches(posting)));
    let undo = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Branches(view) => Some(&view.undo),
            _ => None,
        },
        _ => None,
    };
    let (can, title) = match undo {
        Some(ReversalView::Ready(changes)) => (true, change_words(changes)),
        Some(ReversalView::No(error)) => (false, error.message.clone()),
        None => (false, String::new()),
    };
    let onclick = {
        let (shell, key) = (shell.clone(), (*key).clone());
        Callback::from(move |_: MouseEvent| {
            let (shell, key) = (shell.clone(), key.clone());
            spawn_local(async move {
                let undo = Undo {
                    posting,
                    past_merge: true,
                    key,
                };
                match backend::call(undo).await {
                    Ok(_) => {
                        shell.ask.emit(Ask::Close);
                        shell.ask.emit(Ask::Announce("Taken back.".into()));
                    }
                    Err(error) => shell.error(&error),
                }
            });
        })
    };
    html! {
        <button type="button" class="pf-v6-c-button pf-m-secondary" disabled={!can} {title} {onclick}>{ "Undo my change before it" }</button>
    }
}

fn view_side(
    shell: &Shell,
    side: &UnmergeSide,
    keep: Option<CommitId>,
    on_choose: &Callback<CommitId>,
) -> Html {
    let version = side.version;
    let (can, words) = match &side.back {
        ReversalView::Ready(changes) => (true, change_words(changes)),
        ReversalView::No(error) => (false, error.message.clone()),
    };
    let onchange = on_choose.reform(move |_: Event| version);
    let zone = shell.zone();
    let from = match side.branches.as_slice() {
        [] => "this branch".to_owned(),
        names => names.join(", "),
    };
    let exact = format::date_time(side.at, zone);
    html! {
        <label key={version.to_string()} class="gl-choice">
            <input type="radio" name="unmerge" disabled={!can} checked={can && keep == Some(version)} {onchange} />
            <span class="gl-unmerge__side">
                <span class="gl-strong">{ from }</span>
                <span class="gl-dim" title={exact}>{ format!("version {} by {}, {}", short_id(version), format::author(&side.author), format::ago(dom::now(), side.at, zone)) }</span>
                <span class="gl-said">{ words }</span>
            </span>
        </label>
    }
}

fn take_back(shell: &Shell, request: UndoMerge) {
    let shell = shell.clone();
    spawn_local(async move {
        match backend::call(request).await {
            Ok(_) => {
                shell.ask.emit(Ask::Close);
                shell
                    .ask
                    .emit(Ask::Announce("The merge is taken back.".into()));
            }
            Err(error) => shell.error(&error),
        }
    });
}
