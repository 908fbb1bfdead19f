//! The dialog that shows a captured text: what changed since the capture before, or the whole of it. As text only.

use crate::{
    components::{bits, dialog::Modal},
    shell::{Ask, use_shell},
    state::{format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{ViewData, ViewQuery, view::TextView};
use ghostlight_model::{CaptureId, Layer, Micros};
use similar::{ChangeTag, TextDiff};
use yew::{Callback, Html, MouseEvent, Properties, component, html, use_state_eq};

/// Texts of more lines are shown whole: marking what changed would hold the window up.
const MARKED_LINES_MAX: usize = 4_000;
/// Lines that did not change around those that did.
const CONTEXT_LINES: usize = 1;

/// Properties of [`Capture`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Which.
    pub capture: CaptureId,
    /// The one before, to show what changed.
    pub before: Option<CaptureId>,
    /// When it was looked at.
    pub at: Micros,
}

fn visible(capture: CaptureId) -> ViewQuery {
    let layer = Layer::Visible;
    ViewQuery::Text { capture, layer }
}

fn text_of(state: &ViewState) -> Option<&TextView> {
    match state {
        ViewState::Ready(data) => match &**data {
            ViewData::Text(view) => Some(view),
            _ => None,
        },
        _ => None,
    }
}

/// See the module.
#[component]
pub fn Capture(props: &Props) -> Html {
    let shell = use_shell();
    let whole = use_state_eq(|| false);
    let query = visible(props.capture);
    let state: ViewState = use_view(Some(query.clone()));
    let earlier: ViewState = use_view(props.before.map(visible));
    let texts = text_of(&earlier).zip(text_of(&state));
    let marked = texts
        .filter(|(old, new)| {
            let lines = old.text.lines().count().max(new.text.lines().count());
            lines <= MARKED_LINES_MAX
        })
        .filter(|_| !*whole);
    let toggle = {
        let whole = whole.clone();
        Callback::from(move |_: MouseEvent| whole.set(!*whole))
    };
    let actions = html! {
        <>
            if props.before.is_some() {
                <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={toggle}>{ if *whole { "What changed" } else { "Whole text" } }</button>
            }
            <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Close" }</button>
        </>
    };
    let title = format!("Text seen on {}", format::date_time(props.at, shell.zone()));
    html! {
        <Modal {title} on_close={shell.asks(Ask::Close)} {actions}>
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> }, |data| match (&**data, marked) {
                (_, Some((old, new))) => view_changes(&old.text, &new.text),
                (ViewData::Text(view), None) => view_whole(view),
                _ => Html::default(),
            }) }
        </Modal>
    }
}

fn view_whole(view: &TextView) -> Html {
    let shown = view.text.len() as u64;
    html! {
        <div class="gl-captured" tabindex="0" role="region" aria-label="captured text">
            <p class="gl-captured__line">{ &view.text }</p>
            if shown < view.total_bytes { <p class="gl-dim">{ format!("The first {} of {}.", format::bytes(shown), format::bytes(view.total_bytes)) }</p> }
        </div>
    }
}

/// The lines that changed, with their neighbours; what lies between is left out.
fn view_changes(old: &str, new: &str) -> Html {
    let diff = TextDiff::from_lines(old, new);
    let groups = diff.grouped_ops(CONTEXT_LINES);
    if groups.is_empty() {
        return html! { <p class="gl-hint">{ "The text is the same, but for blanks." }</p> };
    }
    let line = |change: similar::Change<&str>| {
        let text = change.value().trim_end().to_owned();
        match change.tag() {
            ChangeTag::Equal => html! { <p class="gl-captured__line gl-dim">{ text }</p> },
            ChangeTag::Delete => html! { <p class="gl-captured__line"><del>{ text }</del></p> },
            ChangeTag::Insert => html! { <p class="gl-captured__line"><ins>{ text }</ins></p> },
        }
    };
    let group = |ops: &Vec<similar::DiffOp>| {
        let changes = ops.iter().flat_map(|op| diff.iter_changes(op));
        html! { <div class="gl-captured__part">{ for changes.map(line) }</div> }
    };
    html! {
        <div class="gl-captured" tabindex="0" role="region" aria-label="captured text">{ for groups.iter().map(group) }</div>
    }
}
