//! Sending a message to a feed of typed messages, in the details of its connection, and what was sent.

use crate::{
    backend,
    icons::Icon,
    shell::use_shell,
    state::{
        format::{self, Zone},
        monitor,
    },
};
use ghostlight_api::{
    ApiError,
    command::SendMessage,
    view::{FeedRow, SentRow},
};
use ghostlight_model::message::Message;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, Properties, SubmitEvent, component, html,
    use_state_eq,
};

/// Properties of [`SendForm`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The feed, which takes messages.
    pub feed: FeedRow,
}

/// What is typed, and what became of the last attempt.
#[derive(Debug, Clone, PartialEq)]
enum Standing {
    Typing,
    Sending,
    Sent(String),
    Failed(ApiError),
}

/// The form, and below it what was sent.
#[component]
pub fn SendForm(props: &Props) -> Html {
    let shell = use_shell();
    let (event, data) = (use_state_eq(String::new), use_state_eq(|| "{}".to_owned()));
    let standing = use_state_eq(|| Standing::Typing);
    let id = props.feed.id;
    let closed = monitor::why_not_sendable(&props.feed.link);
    let read = Message::read(&event, &data);
    // A name that is still to be typed is no mistake.
    let bad = match event.is_empty() {
        true => Message::read("event", &data).err(),
        false => read.as_ref().err().cloned(),
    };
    let is_sending = *standing == Standing::Sending;
    let may_send = closed.is_none() && read.is_ok() && !is_sending;
    let on_event = {
        let (event, standing) = (event.clone(), standing.clone());
        Callback::from(move |e: InputEvent| {
            let input = e
                .target()
                .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            event.set(input.map(|input| input.value()).unwrap_or_default());
            standing.set(Standing::Typing);
        })
    };
    let on_data = {
        let (data, standing) = (data.clone(), standing.clone());
        Callback::from(move |e: InputEvent| {
            let area = e
                .target()
                .and_then(|t| t.dyn_into::<HtmlTextAreaElement>().ok());
            data.set(area.map(|area| area.value()).unwrap_or_default());
            standing.set(Standing::Typing);
        })
    };
    let submit = {
        let (event, data, standing) = (event.clone(), data.clone(), standing.clone());
        Callback::from(move |()| {
            if !may_send {
                return;
            }
            let request = SendMessage {
                feed: id,
                event: (*event).clone(),
                data: (*data).clone(),
            };
            let (name, standing) = (event.trim().to_owned(), standing.setter());
            standing.set(Standing::Sending);
            spawn_local(async move {
                standing.set(match backend::call(request).await {
                    Ok(()) => Standing::Sent(format!("{name} was sent.")),
                    Err(error) => Standing::Failed(error),
                });
            });
        })
    };
    let onsubmit = submit.reform(|event: SubmitEvent| event.prevent_default());
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            submit.emit(());
        }
    });
    let bad_event = bad.as_ref().filter(|bad| bad.is_about_event());
    let bad_data = bad.as_ref().filter(|bad| !bad.is_about_event());
    let (event_id, data_id) = (format!("send-event-{id}"), format!("send-data-{id}"));
    let help = format!("send-help-{id}");
    html! {
        <section class="gl-send" aria-label={format!("send a message to {}", props.feed.name)}>
            <h3 class="gl-send__head">{ "Send a message" }</h3>
            <form class="gl-form" {onsubmit}>
                <label for={event_id.clone()}>{ "Event" }</label>
                <input id={event_id} type="text" class="is-mono" spellcheck="false" autocomplete="off" placeholder="application:status_change" aria-invalid={bad_event.map(|_| "true")} aria-describedby={help.clone()} value={(*event).clone()} oninput={on_event} />
                <label for={data_id.clone()}>{ "Data" }</label>
                <textarea id={data_id} class="gl-area is-mono" rows="3" spellcheck="false" aria-invalid={bad_data.map(|_| "true")} aria-describedby={help.clone()} value={(*data).clone()} oninput={on_data} {onkeydown} />
                <div class="gl-send__line">
                    <button type="submit" class="pf-v6-c-button pf-m-primary pf-m-small" disabled={!may_send}>{ if is_sending { "Sending…" } else { "Send" } }</button>
                    <p id={help} class="gl-small" role="status">{ view_word(closed.as_deref(), bad.map(|bad| bad.to_string()), &standing) }</p>
                </div>
            </form>
            if !props.feed.sent.is_empty() {
                <table class="gl-table is-sent" aria-label={format!("sent to {}", props.feed.name)}>
                    <thead><tr>{ for ["Sent", "Event", "Data", "State"].map(|h| html! { <th scope="col">{ h }</th> }) }</tr></thead>
                    <tbody>{ for props.feed.sent.iter().map(|row| view_row(row, shell.zone())) }</tbody>
                </table>
            }
        </section>
    }
}

/// One line below the form: what hinders first, then what happened, then how it works.
fn view_word(closed: Option<&str>, bad: Option<String>, standing: &Standing) -> Html {
    match (standing, closed, bad) {
        (Standing::Failed(error), _, _) => {
            let hint = error.hint.clone().unwrap_or_default();
            html! { <span class="gl-bad">{ &error.message }{ " " }{ hint }</span> }
        }
        (_, _, Some(bad)) => html! { <span class="gl-bad">{ bad }</span> },
        (_, Some(closed), _) => html! { <span class="gl-dim">{ closed.to_owned() }</span> },
        (Standing::Sent(words), _, _) => {
            html! { <span class="gl-ok">{ Icon::Check.draw() }{ " " }{ words }</span> }
        }
        (Standing::Sending, _, _) => {
            html! { <span class="gl-dim">{ "On its way to the server." }</span> }
        }
        (Standing::Typing, _, _) => {
            html! { <span class="gl-dim">{ "Sent now and once. Ctrl Enter sends from the data." }</span> }
        }
    }
}

fn view_row(row: &SentRow, zone: Zone) -> Html {
    html! {
        <tr key={row.number}>
            <td class="gl-num" title={format::date_time(row.at, zone)}>{ format::clock(row.at, zone) }</td>
            <td class="gl-cut" title={row.event.clone()}>{ &row.event }</td>
            <td class="gl-cut is-mono" title={row.data.clone()}>{ &row.data }</td>
            <td>
                if let Some(problem) = &row.problem { <span class="gl-bad">{ problem }</span> } else { { "sent" } }
            </td>
        </tr>
    }
}
