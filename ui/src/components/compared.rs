//! A run beside one that is pinned (SPEC D5): durations, scores and fields, live, and what only one of them has.

use crate::{
    components::bits,
    state::{
        compare::{self, Amount, Difference, FieldWord, LINES_MAX, Unmatched},
        format,
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{FieldPairRow, FieldSide, FieldsComparedView, RunView},
};
use std::rc::Rc;
use yew::{Html, Properties, classes, component, html};

/// Properties of [`Compared`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// This run.
    pub run: Rc<RunView>,
    /// The pinned one.
    pub other: Rc<RunView>,
}

/// See the module.
#[component]
pub fn Compared(props: &Props) -> Html {
    let (run, other) = (&props.run, &props.other);
    let id = |run: &RunView| run.row.line.run_id.clone();
    let ours = id(run).place().is_none() && id(other).place().is_none();
    let query = ViewQuery::FieldsCompared {
        this: id(run),
        other: id(other),
    };
    let state = use_view(ours.then(|| query.clone()));
    let fields = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::FieldsCompared(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    };
    let times = compare::durations(run, other);
    let scores = compare::scores(run, other);
    let rows = fields.map_or(&[][..], |fields| fields.rows.as_slice());
    let unmatched = compare::unmatched(&times, &scores, rows);
    let plain = |value: f64| format!("{value:.3}");
    html! {
        <div class="gl-runpane__scroll" tabindex="0" role="group" aria-label="comparison">
            <p class="gl-dim">{ format!("This run beside {}: steps by name and attempt, scores and fields by name.", other.row.line.name) }</p>
            { view_unmatched(&unmatched) }
            { view_differences("Step", &times, format::elapsed) }
            if !scores.is_empty() { { view_differences("Score", &scores, plain) } }
            if ours {
                { bits::render_view(&query, &state, || html! { <div>{ bits::skeleton(60) }</div> }, |data| match &**data {
                    ViewData::FieldsCompared(fields) => view_fields(fields),
                    _ => Html::default(),
                }) }
            } else {
                <p class="gl-hint">{ "Fields are compared between two runs of this computer." }</p>
            }
        </div>
    }
}

/// What only one of the two has.
fn view_unmatched(found: &Unmatched) -> Html {
    if *found == Unmatched::default() {
        return html! { <p class="gl-dim">{ "Whatever one of them has, the other has too." }</p> };
    }
    let side = |label: &'static str, names: &[String]| match names.is_empty() {
        true => Html::default(),
        false => html! { <div key={label}><dt>{ label }</dt><dd>{ names.join(", ") }</dd></div> },
    };
    html! {
        <dl class="gl-facts" aria-label="without a match">
            { side("Only this run", &found.this) }
            { side("Only pinned", &found.other) }
            if found.more > 0 { <div key="more"><dt>{ "Further" }</dt><dd>{ format!("{} more in the tables", format::count(found.more as u64)) }</dd></div> }
        </dl>
    }
}

fn view_differences(what: &'static str, lines: &[Difference], show: fn(f64) -> String) -> Html {
    let cell = |amount: Amount| match amount {
        Amount::Is(value) => show(value),
        Amount::Absent | Amount::Untold => "–".to_owned(),
    };
    let line = |line: &Difference| {
        // What is the same as it is shown is the same.
        let by = line.by().filter(|by| show(by.abs()) != show(0.0));
        let tone = by.map(|by| if by > 0.0 { "gl-warn" } else { "gl-ok" });
        let words = match (by, line.this, line.other) {
            (Some(by), ..) => {
                let sign = if by > 0.0 { '+' } else { '\u{2212}' };
                format!("{sign}{}", show(by.abs()))
            }
            (None, Amount::Is(_), Amount::Is(_)) => "the same".into(),
            (None, Amount::Absent, _) | (None, _, Amount::Absent) => "only one".into(),
            (None, ..) => "not yet".into(),
        };
        html! {
            <tr key={line.name.clone()}>
                <th scope="row">{ &line.name }</th>
                <td class="gl-num">{ cell(line.this) }</td>
                <td class="gl-num">{ cell(line.other) }</td>
                <td class={classes!("gl-num", (what == "Step").then_some(tone).flatten())}>{ words }</td>
            </tr>
        }
    };
    let more = lines.len().saturating_sub(LINES_MAX);
    html! {
        <>
            <table class="gl-table is-compared">
                { view_head(what) }
                <tbody>{ for lines.iter().take(LINES_MAX).map(line) }</tbody>
            </table>
            { view_more(more as u64, "in the event log") }
        </>
    }
}

fn view_head(what: &'static str) -> Html {
    html! { <thead><tr>{ for [what, "This run", "Pinned", "Difference"].map(|h| html! { <th scope="col">{ h }</th> }) }</tr></thead> }
}

fn view_more(more: u64, place: &'static str) -> Html {
    match more {
        0 => Html::default(),
        n => {
            html! { <p class="gl-dim gl-small">{ format!("{} more {place}", format::count(n)) }</p> }
        }
    }
}

/// What each run found by itself; what a person decided since is on the card.
fn view_fields(fields: &FieldsComparedView) -> Html {
    if fields.rows.is_empty() {
        return html! { <p class="gl-hint">{ "Neither of them has found a field so far." }</p> };
    }
    let cell = |found: &FieldSide| {
        let (value, notes) = compare::found_words(found);
        let dim = found.value.is_none().then_some("gl-dim");
        html! { <td class={classes!("gl-compared", dim)}><span>{ value }</span>if !notes.is_empty() { <span class="gl-dim gl-small gl-num">{ notes }</span> }</td> }
    };
    let line = |row: &FieldPairRow| {
        let word = compare::field_word(row);
        let tone = (word == FieldWord::Other).then_some("gl-warn");
        html! {
            <tr key={row.field.name().to_owned()}>
                <th scope="row">{ row.field.label() }</th>
                { cell(&row.this) }
                { cell(&row.other) }
                <td class={classes!("gl-num", tone)}>{ word.words() }</td>
            </tr>
        }
    };
    html! {
        <>
            <table class="gl-table is-compared is-fields" aria-label="fields of the two runs">
                { view_head("Field") }
                <tbody>{ for fields.rows.iter().map(line) }</tbody>
            </table>
            { view_more(fields.left_out, "on the cards") }
            if let Some((looked, total)) = fields.looked {
                <p class="gl-dim gl-small" role="status">{ format!("read {} of {} events so far", format::count(looked), format::count(total)) }</p>
            }
        </>
    }
}
