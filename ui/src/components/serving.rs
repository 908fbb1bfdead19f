//! Other programs of this computer that may connect, in the settings (SPEC J1).

use crate::{
    backend,
    components::bits,
    icons::Icon,
    shell::{Shell, use_shell},
    state::format,
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{ServingForm, ServingToken, SetServing},
    view::ServingView,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Event, Html, MouseEvent, TargetCast, UseStateHandle, component, html, use_state_eq,
};

/// The group of the settings page.
#[component]
pub fn Serving() -> Html {
    let shell = use_shell();
    let state = use_view(Some(ViewQuery::Serving));
    let busy = use_state_eq(|| false);
    let body = bits::render_view(
        &ViewQuery::Serving,
        &state,
        || html! { <div>{ bits::skeleton(48) }</div> },
        |data| match &**data {
            ViewData::Serving(view) => view_form(&shell, &busy, view),
            _ => Html::default(),
        },
    );
    html! {
        <fieldset aria-label="other programs">
            <legend>{ "Other programs" }</legend>
            <p class="gl-dim">{ "Programs of this computer can follow what runs here and publish their own runs, with a token, while this window is open. For other machines, or without a window, there is " }<code>{ "ghostlight hub" }</code>{ "." }</p>
            { body }
        </fieldset>
    }
}

fn view_form(shell: &Shell, busy: &UseStateHandle<bool>, view: &ServingView) -> Html {
    let form = ServingForm {
        on: view.on,
        port: view.port,
    };
    let on_switch = {
        let (shell, busy) = (shell.clone(), busy.clone());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            let on = input.checked();
            // It shows what is so, not what was asked for: that may be refused.
            input.set_checked(form.on);
            set(&shell, &busy, ServingForm { on, ..form });
        })
    };
    let on_port = {
        let (shell, busy) = (shell.clone(), busy.clone());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            match input.value().trim().parse() {
                Ok(port) => set(&shell, &busy, ServingForm { port, ..form }),
                Err(_) => {
                    input.set_value(&form.port.to_string());
                    shell.error(&not_a_port());
                }
            }
        })
    };
    let retry = {
        let (shell, busy) = (shell.clone(), busy.clone());
        Callback::from(move |_: MouseEvent| set(&shell, &busy, form))
    };
    html! {
        <>
            <label class="gl-option"><input type="checkbox" checked={view.on} disabled={**busy} onchange={on_switch} />{ "Let programs of this computer connect" }</label>
            <label class="gl-option"><span class="gl-still">{ "Port" }</span><input type="number" class="gl-number is-port" aria-label="port for other programs" min="0" max="65535" value={view.port.to_string()} disabled={**busy} onchange={on_port} /><span class="gl-dim">{ "0 takes any that is free, another one at each start." }</span></label>
            <div class="gl-storage__work" role="status" aria-label="whether programs can connect">{ view_standing(view) }</div>
            if let Some(url) = &view.url {
                <div class="gl-storage__start">
                    <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={copies(shell, url.clone())}>{ "Copy the address" }</button>
                    <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={copies_token(shell)}>{ "Copy the token" }</button>
                </div>
            } else if view.on {
                <div class="gl-storage__start">
                    <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={**busy} onclick={retry}>{ "Try again" }</button>
                </div>
            }
            if let Some(file) = &view.tokens {
                <p class="gl-small gl-dim">{ "Tokens stand in " }<code>{ file }</code>{ ", one a line. A line that is added is good a second later; whoever used one that is taken away is cut." }</p>
            }
        </>
    }
}

fn view_standing(view: &ServingView) -> Html {
    let trouble = view.trouble.as_ref().map(|error| {
        html! {
            <>
                <span class="gl-bad">{ Icon::Cross.draw() }</span>
                <p>{ &error.message }if let Some(hint) = &error.hint { { " " }<span class="gl-dim">{ hint }</span> }</p>
            </>
        }
    });
    let listening = view.url.as_ref().map(|url| {
        let connected = match view.connections {
            0 => "nobody is connected".to_owned(),
            n => format!("{} open", format::plural(n.into(), "connection", "connections")),
        };
        html! {
            <>
                <span class="gl-ok">{ Icon::Check.draw() }</span>
                <p>{ "Listening at " }<code>{ url }</code>{ format!("; {connected}.") }if let Some(told) = &view.told { { " " }<span class="gl-dim">{ told }</span> }</p>
            </>
        }
    });
    html! { <>{ trouble }{ listening }</> }
}

fn not_a_port() -> ghostlight_api::ApiError {
    ghostlight_api::ApiError::new(
        ghostlight_api::ErrorCode::Rule,
        "A port is a number from 0 to 65535.",
        "Nothing was changed.",
    )
}

fn set(shell: &Shell, busy: &UseStateHandle<bool>, serving: ServingForm) {
    busy.set(true);
    let (shell, busy) = (shell.clone(), busy.clone());
    let call = backend::call(SetServing { serving });
    spawn_local(async move {
        if let Err(error) = call.await {
            shell.error(&error);
        }
        busy.set(false);
    });
}

fn copies(shell: &Shell, text: String) -> Callback<MouseEvent> {
    let shell = shell.clone();
    Callback::from(move |_| {
        let (shell, text) = (shell.clone(), text.clone());
        spawn_local(async move {
            shell
                .copy(
                    &text,
                    "The address",
                    "Programs connect there, with the token.",
                )
                .await;
        });
    })
}

fn copies_token(shell: &Shell) -> Callback<MouseEvent> {
    let shell = shell.clone();
    Callback::from(move |_| {
        let shell = shell.clone();
        let call = backend::call(ServingToken {});
        spawn_local(async move {
            match call.await {
                Ok(token) => {
                    let note = "Whoever has it reads and publishes everything here.";
                    shell.copy(&token, "The token", note).await;
                }
                Err(error) => shell.error(&error),
            }
        });
    })
}
