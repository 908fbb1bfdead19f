//! *While you were away* (SPEC C10): above every page in a line or two, on that of the runs with the runs themselves.

use crate::{
    backend,
    components::run_view::view_sign,
    dom,
    icons::Icon,
    shell::{Ask, Page, use_shell},
    state::{digest, format, monitor, views::ViewState},
    views::use_view,
};
use ghostlight_api::{ViewData, ViewQuery, command::DismissDigest, view::RunRow};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, classes, component, html};

/// Properties of [`Digest`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Where it stands.
    pub page: Page,
}

/// See the module. Nothing while there is none.
#[component]
pub fn Digest(props: &Props) -> Html {
    let shell = use_shell();
    let state = use_view(Some(ViewQuery::Digest));
    let ViewState::Ready(data) = &state else {
        return Html::default();
    };
    let ViewData::Digest(Some(shown)) = &**data else {
        return Html::default();
    };
    let id = shown.id;
    let on_dismiss = {
        let shell = shell.clone();
        Callback::from(move |_| {
            let shell = shell.clone();
            spawn_local(async move {
                if let Err(error) = backend::call(DismissDigest { id }).await {
                    shell.error(&error);
                }
            });
        })
    };
    let is_short = props.page != Page::Runs;
    let now = dom::now();
    let run = |row: &RunRow| {
        let (shell, run) = (shell.clone(), row.line.run_id.clone());
        html! {
            <li key={row.line.run_id.0.clone()}><button type="button" class="gl-link" onclick={move |_| shell.ask.emit(Ask::Monitor(run.clone()))}>{ &row.line.name }</button>{ " " }{ view_sign(&monitor::run_sign(row, now)) }</li>
        }
    };
    html! {
        <section class={classes!("gl-digest", is_short.then_some("is-short"))} aria-label="while you were away">
            <div class="gl-digest__text">
                <h2 class="gl-head">{ "While you were away" }if shown.place.1 > 1 { <span class="gl-dim gl-num">{ format!("{} of {}", shown.place.0, shown.place.1) }</span> }</h2>
                // The next one takes the place of the one that was put away.
                <p aria-live="polite">{ digest::words(shown, shell.zone()) }</p>
                if shown.left_out > 0 {
                    <p class="gl-dim gl-small">{ format!("{} left out; what they told is in the list of runs.", format::plural(shown.left_out, "earlier summary was", "earlier summaries were")) }</p>
                }
                if !is_short { <ul class="gl-digest__runs">{ for shown.runs.iter().map(run) }</ul> }
            </div>
            if is_short { <button type="button" class="gl-link" onclick={shell.asks(Ask::Go(Page::Runs))}>{ "Show the runs" }</button> }
            <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label="Put the summary away" onclick={on_dismiss}>{ Icon::Cross.draw() }</button>
        </section>
    }
}
