//! The drawer below the card: event log, history, biography, receipt of what is selected above.

use crate::{
    components::{
        biography::Biography,
        bits,
        event_log::{EventLog, view_times},
        history::History,
        tabs::Tabs,
    },
    hooks::use_state_for,
    icons::Icon,
    shell::{Drawn, Shell, Tab, use_shell},
    state::{card, format, views::ViewState},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{ReceiptView, Subject},
};
use ghostlight_model::{
    PostingId,
    receipt::{FieldReceipt, LookResult, Looked, Outcome},
};
use yew::{AttrValue, Callback, Html, Properties, classes, component, html};

/// The tabs, in order.
const TABS: [(Tab, &str); 4] = [
    (Tab::EventLog, "Event log"),
    (Tab::History, "History"),
    (Tab::Biography, "Biography"),
    (Tab::Receipt, "Receipt"),
];

/// Properties of [`Drawer`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is selected.
    pub subject: Subject,
    /// The posting, once known.
    pub posting: Option<PostingId>,
    /// The tab that was asked for.
    pub drawn: Drawn,
}

/// See the module.
#[component]
pub fn Drawer(props: &Props) -> Html {
    let shell = use_shell();
    // What was asked for, until another tab is chosen.
    let (active, choose) = use_state_for(&props.drawn, || match props.drawn.turn {
        0 => Tab::EventLog,
        _ => props.drawn.tab,
    });
    let tabs: Vec<AttrValue> = TABS.map(|(_, label)| AttrValue::from(label)).into();
    let place = TABS.iter().position(|(tab, _)| *tab == active);
    let place = place.unwrap_or_default();
    let panel = match active {
        Tab::EventLog => {
            html! { <EventLog key="event-log" subject={props.subject.clone()} /> }
        }
        Tab::History => match props.posting {
            Some(posting) => {
                let field = (props.drawn.turn, props.drawn.field.clone());
                html! { <History key="history" {posting} {field} /> }
            }
            None => hint("History begins when the page has been read."),
        },
        Tab::Biography => match props.posting {
            Some(posting) => html! { <Biography key="biography" {posting} /> },
            None => hint("The biography begins when the page has been read."),
        },
        Tab::Receipt => html! { <Receipt key="receipt" subject={props.subject.clone()} /> },
    };
    let on_change = Callback::from(move |place: usize| {
        if let Some((tab, _)) = TABS.get(place) {
            choose.emit(*tab);
        }
    });
    html! {
        <section class="gl-drawer" aria-label="details">
            <div class="gl-drawer__bar">
                <Tabs id="drawer" label="details" {tabs} active={place} {on_change} />
                <span class="gl-fill"></span>
                { view_times(&shell) }
            </div>
            <div class="gl-drawer__panel" role="tabpanel" id="drawer-panel" aria-labelledby={format!("drawer-tab-{place}")}>{ panel }</div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct ReceiptProps {
    subject: Subject,
}

#[component]
fn Receipt(props: &ReceiptProps) -> Html {
    let shell = use_shell();
    let query = ViewQuery::Receipt(props.subject.clone());
    let state: ViewState = use_view(Some(query.clone()));
    bits::render_view(
        &query,
        &state,
        || html! { <div class="gl-pad">{ bits::skeleton(70) }</div> },
        |data| match &**data {
            ViewData::Receipt(Some(receipt)) => view_receipt(&shell, receipt),
            _ => hint("The receipt is written when every field has been looked for."),
        },
    )
}

fn view_receipt(shell: &Shell, receipt: &ReceiptView) -> Html {
    let (first, last, stored) = receipt.offsets;
    let missing = (last + 1).saturating_sub(first).saturating_sub(stored);
    let complete = missing == 0;
    let (icon, tone, words) = if complete {
        (Icon::Check, "gl-ok", "none missing".to_owned())
    } else {
        (
            Icon::Warning,
            "gl-warn",
            format!("{} missing", format::count(missing)),
        )
    };
    let ended = receipt
        .ended
        .map(|at| format!(" · ended {}", format::date_time(at, shell.zone())));
    html! {
        <div class="gl-receipt" tabindex="0" role="group" aria-label="receipt">
            <p class="gl-receipt__sum"><span class={tone}>{ icon.draw() }</span>{ format!("Offsets {first}–{last}, {}, {words}{}", format::plural(stored, "event", "events"), ended.unwrap_or_default()) }</p>
            <table class="gl-table">
                <thead><tr><th scope="col">{ "Field" }</th><th scope="col">{ "Result" }</th><th scope="col">{ "Looked in" }</th><th scope="col">{ "Reason" }</th></tr></thead>
                <tbody>{ for receipt.receipt.fields.iter().map(view_receipt_line) }</tbody>
            </table>
        </div>
    }
}

fn view_receipt_line(line: &FieldReceipt) -> Html {
    let (icon, tone, words) = match line.outcome {
        Outcome::Found => (Icon::Check, "gl-ok", "found"),
        Outcome::Conflict => (Icon::Two, "gl-warn", "two answers"),
        Outcome::NotFound => (Icon::Dashed, "gl-dim", "not found"),
    };
    let method = |looked: &Looked| {
        let tone = match looked.result {
            LookResult::Found(_) => Some("gl-ok"),
            LookResult::Failed(_) => Some("gl-warn"),
            LookResult::Nothing | LookResult::Skipped(_) => None,
        };
        let result = card::look_words(looked);
        html! { <span key={looked.method.word()} class={classes!("gl-look", tone)} title={result.clone()}>{ looked.method.label() }{ bits::unseen(&format!(": {result}")) }</span> }
    };
    let (skipped, used): (Vec<&Looked>, Vec<&Looked>) = line
        .looked
        .iter()
        .partition(|looked| matches!(looked.result, LookResult::Skipped(_)));
    html! {
        <tr key={line.field.name().to_owned()}>
            <th scope="row">{ line.field.label() }</th>
            <td class={tone}>{ icon.draw() }{ words }</td>
            <td>{ for used.into_iter().map(method) }{ view_skipped(&skipped) }</td>
            <td class="gl-dim">{ line.reason.clone().unwrap_or_default() }</td>
        </tr>
    }
}

/// Methods that had nothing to look at, in few words; which and why on demand.
fn view_skipped(skipped: &[&Looked]) -> Html {
    if skipped.is_empty() {
        return Html::default();
    }
    let line =
        |looked: &&Looked| format!("{}: {}", looked.method.label(), card::look_words(looked));
    let lines: Vec<String> = skipped.iter().map(line).collect();
    let count = format::plural(skipped.len() as u64, "other had", "others had");
    html! { <span class="gl-look gl-dim" title={lines.join("\n")}>{ format!("{count} nothing to look at") }{ bits::unseen(&format!(" ({})", lines.join("; "))) }</span> }
}

fn hint(words: &'static str) -> Html {
    html! { <p class="gl-hint">{ words }</p> }
}
