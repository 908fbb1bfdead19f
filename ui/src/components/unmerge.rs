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
    command::UndoMerge,
    view::{ReversalView, UnmergeSide},
};
use ghostlight_model::{CommitId, PostingId};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Event, Html, MouseEvent, Properties, component, html, use_state_eq};

/// Properties of [`Unmerge`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of which posting.
    pub posting: PostingId,
    /// The merge.
    pub merge: CommitId,
    /// The current version.
    pub head: CommitId,
}

/// See the module.
#[component]
pub fn Unmerge(props: &Props) -> Html {
    let shell = use_shell();
    let Props {
        posting,
        merge,
        head,
    } = *props;
    let chosen = use_state_eq(|| None::<CommitId>);
    // The same for every try.
    let key = use_state_eq(dom::fresh_key);
    let query = ViewQuery::Unmerge { posting, merge };
    let state: ViewState = use_view(Some(query.clone()));
    let sides: &[UnmergeSide] = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Unmerge(sides) => sides,
            _ => &[],
        },
        _ => &[],
    };
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
                    looked_at: Some(head),
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
            <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Cancel" }</button>
        </>
    };
    let on_choose = {
        let chosen = chosen.clone();
        Callback::from(move |version: CommitId| chosen.set(Some(version)))
    };
    html! {
        <Modal title="Take this merge back?" on_close={shell.asks(Ask::Close)} {actions}>
            <p class="gl-dim">{ "A new version gets the values of one side back, in the fields that the merge changed there. Nothing of the history goes, and redo merges again." }</p>
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> }, |data| match &**data {
                ViewData::Unmerge(sides) => html! {
                    <fieldset class="gl-choices gl-unmerge" aria-label="sides of the merge">
                        <legend>{ "As it was on the side of" }</legend>
                        { for sides.iter().map(|side| view_side(&shell, side, keep, &on_choose)) }
                    </fieldset>
                },
                _ => Html::default(),
            }) }
        </Modal>
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
