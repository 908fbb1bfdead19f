//! The navigation: only pages that exist.

use crate::{
    icons::Icon,
    shell::{Ask, Page, use_shell},
};
use yew::{Html, Properties, classes, component, html};

/// The pages, in order.
pub const PAGES: [(Page, Icon, &str); 5] = [
    (Page::Postings, Icon::Sheet, "Postings"),
    (Page::Runs, Icon::Pulse, "Runs"),
    (Page::Outbox, Icon::Up, "Outbox"),
    (Page::Exports, Icon::Folder, "Exports"),
    (Page::Settings, Icon::Sliders, "Settings"),
];

/// Properties of [`Nav`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The page shown.
    pub page: Page,
    /// Runs under way.
    pub running: u32,
}

/// See the module.
#[component]
pub fn Nav(props: &Props) -> Html {
    let shell = use_shell();
    let item = |(page, icon, label): (Page, Icon, &'static str)| {
        let on = page == props.page;
        let running = (page == Page::Runs && props.running > 0).then_some(props.running);
        html! {
            <button key={label} type="button" class={classes!("gl-nav__item", on.then_some("is-on"))} aria-current={on.then_some("page")} title={label} onclick={shell.asks(Ask::Go(page))}>
                { icon.draw() }
                <span class="gl-nav__label">{ label }</span>
                if let Some(running) = running {
                    <span class="gl-badge" title={format!("{running} under way")}>{ running }<span class="gl-unseen">{ " under way" }</span></span>
                }
            </button>
        }
    };
    html! { <nav class="gl-nav" aria-label="Pages">{ for PAGES.into_iter().map(item) }</nav> }
}
