//! The dialog that shows a captured text: what changed since the capture before, or the whole of it. As text only.

use crate::{
    components::{bits, dialog::Modal},
    shell::{Ask, use_shell},
    state::{diff::changed_lines, format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{ViewData, ViewQuery, view::TextView};
use ghostlight_model::{CaptureId, Layer, Micros};
use similar::ChangeTag;
use yew::{Callback, Html, MouseEvent, Properties, component, html, use_memo, use_state_eq};

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
    // Once for a pair of texts, not for each time it is drawn.
    let changes = use_memo((earlier, state.clone()), |(earlier, state)| {
        let texts = text_of(earlier).zip(text_of(state));
        texts.map(|(old, new)| changed_lines(&old.text, &new.text, CONTEXT_LINES))
    });
    let too_much = matches!(*changes, Some(None));
    let marked = changes.as_ref().as_ref().and_then(Option::as_ref);
    let marked = marked.filter(|_| !*whole);
    let toggle = {
        let whole = whole.clone();
        Callback::from(move |_: MouseEvent| whole.set(!*whole))
    };
    let actions = html! {
        <>
            if props.before.is_some() && !too_much {
                <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={toggle}>{ if *whole { "What changed" } else { "Whole text" } }</button>
            }
            <button type="button" data-first="" class="pf-v6-c-button pf-m-secondary" onclick={shell.asks(Ask::Close)}>{ "Close" }</button>
        </>
    };
    let title = format!("Text seen on {}", format::date_time(props.at, shell.zone()));
    html! {
        <Modal {title} on_close={shell.asks(Ask::Close)} {actions}>
            { bits::render_view(&query, &state, || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> }, |data| match (&**data, marked) {
                (_, Some(groups)) => view_changes(groups),
                (ViewData::Text(view), None) => html! {
                    <>
                        if too_much { <p class="gl-small gl-dim">{ "Too much changed to mark it: the text is shown whole." }</p> }
                        { view_whole(view) }
                    </>
                },
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
fn view_changes(groups: &[Vec<(ChangeTag, String)>]) -> Html {
    if groups.is_empty() {
        return html! { <p class="gl-hint">{ "The text is the same, but for blanks." }</p> };
    }
    let line = |(tag, text): &(ChangeTag, String)| match tag {
        ChangeTag::Equal => html! { <p class="gl-captured__line gl-dim">{ text }</p> },
        ChangeTag::Delete => html! { <p class="gl-captured__line"><del>{ text }</del></p> },
        ChangeTag::Insert => html! { <p class="gl-captured__line"><ins>{ text }</ins></p> },
    };
    let group = |lines: &Vec<(ChangeTag, String)>| html! { <div class="gl-captured__part">{ for lines.iter().map(line) }</div> };
    html! {
        <div class="gl-captured" tabindex="0" role="region" aria-label="captured text">{ for groups.iter().map(group) }</div>
    }
}
