//! Below a row of the card, on demand: who says so, the other answers with the reason they lost, where was looked, and
//! how right the methods were.

use crate::{
    components::{
        bits,
        field_row::{Act, FieldRow, Msg, source_title},
        suggestions::view_accuracy_of,
    },
    icons::Icon,
    state::{
        card::{self, Shown},
        format,
    },
};
use ghostlight_model::{
    FieldKey, FieldValue, Method, Observation, Source,
    card::{CardField, Chosen},
    suggest::{Origin, message},
};
use yew::{Callback, Context, Html, MouseEvent, html};

/// Below the row: who says so, the other answers with the reason they lost, where was looked.
pub(super) fn view_more(ctx: &Context<FieldRow>, field: &CardField) -> Html {
    let stands = field
        .chosen
        .as_ref()
        .map(|chosen| view_stands(ctx, field, chosen));
    let other = |alternative: &ghostlight_model::card::Alternative| {
        view_answer(
            ctx,
            &alternative.observation,
            alternative.because.sentence(),
        )
    };
    html! {
        <>
            if field.chosen.is_some() || !field.alternatives.is_empty() {
                <ul class="gl-answers" aria-label={format!("answers for {}", field.key.label())}>
                    { stands.unwrap_or_default() }
                    { for field.alternatives.iter().map(other) }
                </ul>
            }
            if !field.looked.is_empty() {
                <dl class="gl-looked">
                    { for field.looked.iter().map(|looked| html! {
                        <div key={looked.method.word()}><dt>{ looked.method.label() }</dt><dd>{ card::look_words(looked) }</dd></div>
                    }) }
                </dl>
            } else if field.chosen.is_none() {
                <p class="gl-dim">{ "No method has looked for it in this capture." }</p>
            }
        </>
    }
}

/// Below all of it: how right the methods were, and the way to the history.
pub(super) fn view_foot(ctx: &Context<FieldRow>, field: &CardField) -> Html {
    html! {
        <>
            { view_accuracy_of(&ctx.props().offers.accuracy) }
            <p class="gl-field__links">{ view_history_link(ctx, field) }</p>
        </>
    }
}

/// A button that takes an answer, with the reason, or withdraws the person's.
fn view_choice(
    ctx: &Context<FieldRow>,
    words: &'static str,
    value: Option<FieldValue>,
    why: String,
) -> Html {
    if ctx.props().card.posting.is_none() {
        return Html::default();
    }
    let choose = ctx.link().callback(move |event: MouseEvent| {
        event.stop_propagation();
        Msg::Choose(value.clone(), why.clone())
    });
    html! { <button type="button" class="gl-link" onclick={choose}>{ words }</button> }
}

fn view_history_link(ctx: &Context<FieldRow>, field: &CardField) -> Html {
    let (act, key) = (ctx.props().act.clone(), field.key.clone());
    let show = Callback::from(move |event: MouseEvent| {
        event.stop_propagation();
        act.emit(Act::History(key.clone()));
    });
    html! { <button type="button" class="gl-link" onclick={show}>{ "History of this field" }</button> }
}

fn view_stands(ctx: &Context<FieldRow>, field: &CardField, chosen: &Chosen) -> Html {
    let quote = card::evidence_of(field).map(|evidence| format::shortened(&evidence.quote, 160));
    html! {
        <li key="stands" class="gl-answer is-standing">
            <span class="gl-answer__value">{ format::shortened(&full(&field.key, chosen), 400) }</span>
            <span class="gl-answer__why gl-ok">{ Icon::Check.draw() }{ "stands" }</span>
            <span class="gl-answer__from gl-dim">{ source_title(ctx.props(), chosen) }</span>
            if chosen.source == Source::User {
                { view_choice(ctx, "Withdraw", None, String::new()) }
            } else {
                <span class="gl-answer__end">{ bits::confidence(chosen.confidence) }{ view_choice(ctx, "Confirm", Some(chosen.value.clone()), String::new()) }</span>
            }
            if let Some(quote) = quote { <q class="gl-quote">{ quote }</q> }
        </li>
    }
}

fn full(key: &FieldKey, chosen: &Chosen) -> String {
    match card::shown(key, &chosen.value) {
        Shown::Line(text) => text,
        _ => chosen.value.display(),
    }
}

fn view_answer(ctx: &Context<FieldRow>, observation: &Observation, because: &str) -> Html {
    let quote = observation
        .evidence
        .as_ref()
        .map(|e| format::shortened(&e.quote, 160));
    let origin = match observation.method {
        Method::Model => Origin::Model,
        _ => Origin::Alternative,
    };
    let why = message(&[(observation.field.clone(), origin)]);
    let unquoted = match observation.is_ungrounded() {
        true => "ungrounded: no words of the posting bear it out",
        false => "no words quoted",
    };
    html! {
        <li key={observation.id().to_string()} class="gl-answer">
            <span class="gl-answer__value">{ format::shortened(&observation.value.display(), 400) }</span>
            <span class="gl-answer__why">{ because.to_owned() }</span>
            <span class="gl-answer__from gl-dim">{ card::source_title(observation.source, observation.method) }</span>
            <span class="gl-answer__end">{ bits::confidence(observation.confidence) }{ view_choice(ctx, "Use this", Some(observation.value.clone()), why) }</span>
            if let Some(quote) = quote { <q class="gl-quote">{ quote }</q> } else { <span class="gl-dim">{ unquoted }</span> }
        </li>
    }
}
