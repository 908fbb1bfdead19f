//! The assessment: level, sentence, what would change it, and the signals it rests on (SPEC A7).

use crate::{
    components::bits,
    icons::Icon,
    state::{format, spans::Owner},
};
use ghostlight_api::view::CardView;
use ghostlight_model::{Direction, Family, Signal, Strength, run::RunStatus};
use std::rc::Rc;
use yew::{Callback, Html, Properties, classes, component, html};

/// Properties of [`Assessment`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The card.
    pub card: Rc<CardView>,
    /// A signal's quote was clicked.
    pub on_pick: Callback<Owner>,
}

/// See the module.
#[component]
pub fn Assessment(props: &Props) -> Html {
    let card = &props.card;
    let independent = card
        .assessment
        .map_or(0, |a| u64::from(a.independent_signals));
    html! {
        <section class="gl-assessment" aria-label="assessment">
            <div class="gl-bar">
                <h2 class="gl-head">{ "Assessment" }</h2>
                if card.assessment.is_some() { <span class="gl-dim">{ format::plural(independent, "independent signal", "independent signals") }</span> }
            </div>
            <div class="gl-assessment__scroll" tabindex="0" role="group" aria-label="signals">
                { view_level(card) }
                <ul class="gl-signals">{ for card.signals.iter().map(|signal| view_signal(signal, &props.on_pick)) }</ul>
            </div>
        </section>
    }
}

fn view_level(card: &CardView) -> Html {
    let Some(assessment) = card.assessment else {
        let words = match card.status {
            Some(RunStatus::Failed) => "Not assessed: the analysis failed before it could be.",
            _ => "Assessed when the last step ends.",
        };
        return html! { <p class="gl-hint">{ words }</p> };
    };
    let changes: Vec<&str> = card
        .signals
        .iter()
        .map(|s| s.would_change.as_str())
        .filter(|s| !s.is_empty())
        .collect();
    html! {
        <div class={classes!("gl-level-box", bits::level_class(assessment.level))}>
            { bits::level(assessment.level) }
            <p>{ assessment.sentence() }</p>
            if !changes.is_empty() {
                <details>
                    <summary>{ "What would change this?" }</summary>
                    <ul>{ for changes.into_iter().map(|line| html! { <li key={line.to_owned()}>{ line.to_owned() }</li> }) }</ul>
                </details>
            }
        </div>
    }
}

fn view_signal(signal: &Signal, on_pick: &Callback<Owner>) -> Html {
    let (icon, tone, words) = match (signal.direction, signal.strength) {
        (Direction::For, _) => (Icon::Check, "gl-ok", "speaks for a real position"),
        (Direction::Against, Strength::Strong) => (Icon::TriangleFull, "gl-bad", "strong"),
        (Direction::Against, Strength::Weak) => (Icon::Triangle, "gl-warn", "weak"),
    };
    let quote = signal.evidence.as_ref().map(|evidence| {
        let (on_pick, owner) = (on_pick.clone(), Owner::Signal(signal.id.clone()));
        let words = format::shortened(&evidence.quote, 90);
        html! { <button type="button" class="gl-quote gl-link" title="Show these words in the text" onclick={move |_| on_pick.emit(owner.clone())}>{ format!("“{words}”") }</button> }
    });
    html! {
        <li key={signal.id.clone()} class="gl-signal">
            <span class={tone}>{ icon.draw() }</span>
            <div>
                <p>{ &signal.statement }</p>
                <p class="gl-small gl-dim">{ format!("{} · {words}", family(signal.family)) }</p>
                { quote.unwrap_or_default() }
                <details class="gl-small">
                    <summary>{ "Rule" }</summary>
                    <p>{ &signal.rule }</p>
                    <p class="gl-dim">{ format!("Source: {}", signal.rule_source) }</p>
                </details>
            </div>
        </li>
    }
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Board => "employer's board",
        Family::Dates => "dates",
        Family::Repost => "repost",
        Family::Text => "wording",
        Family::Outcome => "outcomes",
    }
}
