//! A posting or a run that is looked for by a few letters of its title or name (WAI-ARIA *Combobox* with a listbox).

use crate::{
    icons::Icon,
    state::{export::Found, format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{FoundRow, Subject},
};
use ghostlight_model::fuzzy;
use web_sys::HtmlInputElement;
use yew::{
    AttrValue, Callback, FocusEvent, Html, InputEvent, KeyboardEvent, MouseEvent, Properties,
    TargetCast, classes, component, html, use_node_ref, use_state_eq,
};

/// Lines that are offered at a time; a letter more finds others.
const OFFERED_MAX: usize = 8;

/// Properties of [`Chooser`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The id of what takes the focus.
    pub id: AttrValue,
    /// What it is called.
    pub label: AttrValue,
    /// Whether runs are looked for; else postings.
    pub runs: bool,
    /// What is chosen.
    pub found: Option<Found>,
    /// Told of another choice.
    pub on: Callback<Option<Found>>,
}

/// See the module.
#[component]
pub fn Chooser(props: &Props) -> Html {
    match &props.found {
        Some(found) => view_chosen(props, found),
        None => {
            html! { <Search id={props.id.clone()} label={props.label.clone()} runs={props.runs} found={None::<Found>} on={props.on.clone()} /> }
        }
    }
}

fn view_chosen(props: &Props, found: &Found) -> Html {
    // A title may not be known here; the id is.
    let words = match found.words.is_empty() {
        true => &found.id,
        false => &found.words,
    };
    let onclick = props.on.reform(|_: MouseEvent| None);
    let label = format!("{}: {words}. Any other", props.label);
    html! {
        <div class="gl-chosen">
            <span class="gl-cut" title={words.clone()}>{ words }</span>
            <button id={props.id.clone()} type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label={label} title="Not this one" {onclick}>{ Icon::Cross.draw() }</button>
        </div>
    }
}

#[component]
fn Search(props: &Props) -> Html {
    let whole = use_node_ref();
    let typed = use_state_eq(String::new);
    let active = use_state_eq(|| 0_usize);
    let open = use_state_eq(|| false);
    let text = typed.trim().to_owned();
    let query = (!text.is_empty()).then_some(ViewQuery::Find { text });
    let state: ViewState = use_view(query.clone());
    let (lines, partly) = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Found(found) => (lines(&found.rows, props.runs), found.partly),
            _ => (Vec::new(), false),
        },
        _ => (Vec::new(), false),
    };
    let shown = *open && query.is_some();
    let at = (*active).min(lines.len().saturating_sub(1));
    let list = format!("{}-list", props.id);
    let oninput = {
        let (typed, active, open) = (typed.clone(), active.clone(), open.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                typed.set(input.value());
                active.set(0);
                open.set(true);
            }
        })
    };
    let onkeydown = {
        let (on, lines, active, open) = (
            props.on.clone(),
            lines.clone(),
            active.clone(),
            open.clone(),
        );
        Callback::from(move |event: KeyboardEvent| {
            if event.is_composing() {
                return;
            }
            let count = lines.len();
            match event.key().as_str() {
                "ArrowDown" if count > 0 => active.set((at + 1) % count),
                "ArrowUp" if count > 0 => active.set((at + count - 1) % count),
                "Enter" if shown => match lines.get(at) {
                    Some((found, _)) => on.emit(Some(found.clone())),
                    None => return,
                },
                "Escape" if shown => open.set(false),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let onfocusout = {
        let (whole, open) = (whole.clone(), open.clone());
        Callback::from(move |event: FocusEvent| {
            if !crate::dom::focus_stays(&event, &whole) {
                open.set(false);
            }
        })
    };
    let line = |(n, (found, detail)): (usize, &(Found, String))| {
        let onclick = {
            let (on, found) = (props.on.clone(), found.clone());
            Callback::from(move |_: MouseEvent| on.emit(Some(found.clone())))
        };
        // A press would take the focus out of the input, and close the list before the click.
        let onmousedown = Callback::from(|event: MouseEvent| event.prevent_default());
        html! {
            <li key={found.id.clone()} id={format!("{list}-{n}")} role="option" aria-selected={(n == at).to_string()} class={classes!("gl-chooser__line", (n == at).then_some("is-active"))} {onclick} {onmousedown}>
                <span class="gl-cut" title={found.words.clone()}>{ &found.words }</span>
                <span class="gl-cut gl-dim gl-small">{ detail }</span>
            </li>
        }
    };
    let chosen = (shown && !lines.is_empty()).then(|| format!("{list}-{at}"));
    let (any, what) = match props.runs {
        true => ("any run; a part of its name", "run"),
        false => ("any posting; a part of its title", "posting"),
    };
    let none = match &state {
        ViewState::Loading => "Looking…".to_owned(),
        ViewState::Failed(error) => error.message.clone(),
        ViewState::Ready(_) if partly => {
            format!("No recent {what} is called that; of older ones type how they begin.")
        }
        ViewState::Ready(_) => format!("No {what} is called that."),
    };
    html! {
        <div ref={whole} class="gl-chooser" {onfocusout}>
            <input id={props.id.clone()} type="text" role="combobox" aria-expanded={shown.to_string()} aria-controls={list.clone()} aria-autocomplete="list" aria-haspopup="listbox" aria-activedescendant={chosen} autocomplete="off" spellcheck="false" maxlength={fuzzy::CHARS_MAX.to_string()} placeholder={any} value={(*typed).clone()} {oninput} {onkeydown} />
            <div class="gl-chooser__pop" hidden={!shown}>
                <ul id={list.clone()} role="listbox" aria-label={format!("found for {}", props.label)}>{ for lines.iter().enumerate().map(line) }</ul>
                if lines.is_empty() { <p class="gl-small gl-dim" role="status">{ none }</p> }
            </div>
        </div>
    }
}

/// What is offered, and where it is from.
fn lines(rows: &[FoundRow], runs: bool) -> Vec<(Found, String)> {
    let wanted = rows.iter().filter_map(|row| {
        let id = match (&row.subject, runs) {
            (Subject::Run(run), true) => run.0.clone(),
            (Subject::Posting(posting), false) => posting.to_string(),
            _ => return None,
        };
        let words = format::shortened(&row.title, 200);
        Some((Found { id, words }, row.detail.clone()))
    });
    wanted.take(OFFERED_MAX).collect()
}
