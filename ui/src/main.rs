//! The window: a Yew frontend that sees `model` and `api` only.
//!
//! [`app`] holds which page, posting and dialog are shown; [`pages`] compose [`components`];
//! [`views`] is the one place where rows come in, [`backend`] the one that calls the core.
//! What can be decided without a browser stands in [`state`] and is tested on the host.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod app;
mod backend;
mod components;
mod dom;
mod fault;
mod hooks;
mod icons;
mod meter;
mod pages;
mod shell;
mod state;
mod views;

fn main() {
    fault::show_panics();
    // Not the whole body: the error screen stands there too.
    if let Some(root) = dom::document().get_element_by_id("app") {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
