//! The card: title, step indicator, fields in a fixed order, and what the analyst concluded.
//!
//! It can never be empty: without a card it says what it waits for, after a failure which step
//! failed, why, and what to do (SPEC B2).

use crate::{
    components::{
        bits,
        field_row::{Act, FieldRow},
        model,
        steps::Steps,
        suggestions::{self, Offers},
    },
    dom,
    icons::Icon,
    shell::{Ask, Dialog, Input, Shell, ToastKind, use_shell},
    state::{card, commands::Action, export::Choice, format, suggest},
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{CardView, SuggestionsView},
};
use ghostlight_model::{FieldKey, Micros, RunId, card::Verdict, run::RunStatus};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::{
    Callback, FocusEvent, Html, Properties, classes, component, html, use_callback,
    use_effect_with, use_state_eq,
};

/// Properties of [`Card`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What to show.
    pub card: Rc<CardView>,
    /// The selected field.
    pub selected: Option<FieldKey>,
    /// The field that is to be edited.
    pub edit: Option<FieldKey>,
    /// A field was selected; the flag asks to show its words.
    pub on_field: Callback<(FieldKey, bool)>,
    /// The moment of which it is, where it is not of now: nothing is edited then.
    pub as_of: Option<Micros>,
    /// Look back, or go back to now.
    pub on_replay: Callback<()>,
}

/// See the module.
#[component]
pub fn Card(props: &Props) -> Html {
    let shell = use_shell();
    let open = use_state_eq(|| None::<FieldKey>);
    // The field that is to be edited, and how many such wishes there were.
    let edited = use_state_eq(|| (None::<FieldKey>, 0_u32));
    let act = {
        let deps = (
            props.card.clone(),
            shell.clone(),
            props.on_field.clone(),
            open.clone(),
            edited.clone(),
            props.as_of.is_some(),
        );
        use_callback(
            deps,
            |act, (card, shell, on_field, open, edited, past)| match act {
                Act::Edit(_) if *past => {
                    let body = "Go back to now to edit it.".to_owned();
                    let title = "This is the card of an earlier moment".to_owned();
                    shell.ask.emit(Ask::Toast(ToastKind::Info, title, body));
                }
                Act::Show(key) => on_field.emit((key, true)),
                Act::Toggle(key) => {
                    let next = (open.as_ref() != Some(&key)).then_some(key);
                    open.set(next);
                }
                Act::Move(key, by) => {
                    if let Some(next) = neighbour(card, &key, by) {
                        dom::focus_id(&format!("field-{next}"));
                        on_field.emit((next, false));
                    }
                }
                Act::Edit(key) => {
                    on_field.emit((key.clone(), false));
                    edited.set((Some(key), edited.1 + 1));
                }
                Act::EditNext(key, by) => match neighbour(card, &key, by) {
                    Some(next) => {
                        on_field.emit((next.clone(), false));
                        edited.set((Some(next), edited.1 + 1));
                    }
                    None => dom::focus_id(&format!("field-{key}")),
                },
                // Only where the focus has nowhere else to be.
                Act::Edited(key) => dom::focus_id(&format!("field-{key}")),
                Act::History(key) => shell.ask.emit(Ask::History(key)),
                Act::Trouble(error) => shell.error(&error),
                Act::Retry => retry(shell, card.run.clone()),
                Act::Browse(url) => shell.ask.emit(Ask::Browse(url)),
            },
        )
    };
    {
        let (act, ask) = (act.clone(), shell.ask.clone());
        use_effect_with(props.edit.clone(), move |edit| {
            if let Some(key) = edit.clone() {
                act.emit(Act::Edit(key));
                ask.emit(Ask::Edits);
            }
        });
    }
    let card = &props.card;
    let live = card.status == Some(RunStatus::Running);
    // Asked for once the card is there, and not while a run changes it all the time.
    let suggested = use_view(card.posting.filter(|_| !live).map(ViewQuery::Suggestions));
    let suggested = suggestions::view_of(&suggested);
    let suggested = suggested.as_deref().and_then(|data| match data {
        ViewData::Suggestions(view) => Some(&**view),
        _ => None,
    });
    // The row with the focus is the selected one, also where the focus comes from elsewhere, as from the history.
    let onfocusin = {
        let (on_field, card) = (props.on_field.clone(), card.clone());
        Callback::from(move |event: FocusEvent| {
            let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
            let id = target.map(|target| target.id()).unwrap_or_default();
            let is_it = |key: &&FieldKey| id.strip_prefix("field-") == Some(key.name());
            if let Some(key) = card.fields.iter().map(|field| &field.key).find(is_it) {
                on_field.emit((key.clone(), false));
            }
        })
    };
    let stop = card
        .fields
        .iter()
        .position(|f| props.selected.as_ref() == Some(&f.key));
    let row = |(index, field): (usize, &ghostlight_model::card::CardField)| {
        html! {
            <FieldRow
                key={field.key.name().to_owned()}
                card={card.clone()}
                {index}
                selected={stop == Some(index)}
                tab_stop={stop.unwrap_or(0) == index}
                open={open.as_ref() == Some(&field.key)}
                {live}
                edits={if edited.0.as_ref() == Some(&field.key) { edited.1 } else { 0 }}
                offers={suggested.map_or_else(Offers::default, |view| Offers::of(view, &field.key))}
                act={act.clone()}
                keys={shell.keys.clone()}
            />
        }
    };
    html! {
        <article class="gl-card" aria-label="card" aria-busy={live.to_string()}>
            { view_head(&shell, card, suggested) }
            <Steps steps={card.steps.clone()} status={card.status} as_of={props.as_of} model={card.model.clone()}>{ view_replay(props) }</Steps>
            { view_failure(&shell, card) }
            <div class="gl-fields" {onfocusin}>{ for card.fields.iter().enumerate().map(row) }</div>
            { view_own(&shell, props) }
            { view_conclusions(&shell, card) }
        </article>
    }
}

fn neighbour(card: &CardView, key: &FieldKey, by: i32) -> Option<FieldKey> {
    let at = card.fields.iter().position(|field| field.key == *key)?;
    let to = at.checked_add_signed(by as isize)?;
    card.fields.get(to).map(|field| field.key.clone())
}

fn retry(shell: &Shell, run: Option<RunId>) {
    if let Some(run) = run {
        shell.ask.emit(Ask::Analyse(Input::Again(run)));
    }
}

fn view_head(shell: &Shell, card: &CardView, suggested: Option<&SuggestionsView>) -> Html {
    let company = card
        .fields
        .iter()
        .find(|field| field.key == FieldKey::Company)
        .and_then(|field| field.chosen.as_ref())
        .map(|chosen| chosen.value.display());
    let zone = shell.zone();
    let captured = card.captured_at.map(|at| {
        let exact = format::date_time(at, zone);
        html! { <span title={exact}>{ format!("captured {}", format::ago(dom::now(), at, zone)) }</span> }
    });
    let link = card.url.clone().map(|url| view_link(shell, url));
    // Without an address, what it was given says where it came from.
    let input = link
        .is_none()
        .then(|| html! { <span class="gl-cut" title={card.input.clone()}>{ &card.input }</span> });
    let version = (card.version > 0).then(|| {
        let title = format::plural(card.version.into(), "change recorded", "changes recorded");
        html! { <span class="gl-num" {title}>{ format!("v{}", card.version) }</span> }
    });
    let verdict = card.verdict.as_ref().map(view_verdict_pill);
    let export = card.posting.map(|posting| {
        let wish = Ask::Export(Box::new(Choice::of_posting(posting, &card.title)));
        html! { <button type="button" class="gl-link" title="Take this posting away as a file" onclick={shell.asks(wish)}>{ "Export…" }</button> }
    });
    let parts = [
        verdict,
        company.map(|c| html! { <span>{ c }</span> }),
        captured,
        link,
        input,
        version,
        export,
    ];
    html! {
        <header class="gl-card__head">
            <h1 title={card.title.clone()}>{ &card.title }</h1>
            <div class="gl-card__tools">
                { view_suggested(shell, card, suggested) }
                { model::view_ask(card) }
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={card.posting.is_none()} onclick={shell.asks(Ask::Open(Dialog::Outcome))}>{ "Outcome…" }</button>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={card.posting.is_none()} onclick={shell.asks(Ask::Open(Dialog::Verdict))}>{ "Verdict…" }{ for shell.keys.words(Action::Verdict).iter().take(1).map(|key| bits::key(key)) }</button>
            </div>
            <p class="gl-card__sub">{ for parts.into_iter().flatten() }</p>
        </header>
    }
}

/// How many suggestions are sure enough to be accepted together, with the way to do so.
fn view_suggested(shell: &Shell, card: &CardView, view: Option<&SuggestionsView>) -> Html {
    let (Some(view), Some(posting)) = (view, card.posting) else {
        return Html::default();
    };
    let count = suggest::together(view, card, suggest::THRESHOLD).len() as u64;
    if count == 0 {
        return Html::default();
    }
    let words = format::plural(count, "suggestion", "suggestions");
    let title = format!(
        "{words} above {} %: look at them, and accept them together",
        suggest::THRESHOLD
    );
    html! { <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" {title} onclick={shell.asks(Ask::Open(Dialog::Suggestions(posting)))}>{ format!("Accept {words}…") }</button> }
}

/// The way to earlier moments of the run.
fn view_replay(props: &Props) -> Html {
    if props.card.run.is_none() {
        return Html::default();
    }
    let on = props.on_replay.clone();
    let pressed = props.as_of.is_some().to_string();
    html! { <button type="button" id="replay" class="gl-link gl-replay" aria-pressed={pressed} title="See the card as it was known at any moment of its run" onclick={move |_| on.emit(())}>{ Icon::Clock.draw() }{ "Replay" }</button> }
}

fn view_link(shell: &Shell, url: String) -> Html {
    let shown = format::shortened(format::url(&url), 48);
    let title = format!("Open {url} in the browser");
    html! { <button type="button" class="gl-link" {title} onclick={shell.asks(Ask::Browse(url))}><span class="gl-cut">{ shown }</span>{ Icon::Out.draw() }</button> }
}

fn view_verdict_pill(verdict: &Verdict) -> Html {
    let title = format!("Your verdict. {}", verdict.note);
    html! { <span class="gl-chip is-accent" {title}>{ Icon::Pen.draw() }{ card::label_of(&verdict.word) }</span> }
}

fn view_failure(shell: &Shell, card: &CardView) -> Html {
    let Some(failure) = &card.failure else {
        return Html::default();
    };
    let again = {
        let (shell, run) = (shell.clone(), card.run.clone());
        Callback::from(move |_| retry(&shell, run.clone()))
    };
    html! {
        <section class="gl-banner is-bad" role="alert" aria-label="analysis failed">
            { Icon::Cross.draw() }
            <div>
                <p class="gl-strong">{ format!("{} failed. {}", failure.node, failure.issue.message) }</p>
                if let Some(hint) = &failure.issue.hint { <p>{ hint }</p> }
            </div>
            <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={card.run.is_none()} onclick={again}>{ Icon::Again.draw() }{ "Retry" }</button>
        </section>
    }
}

/// The way to a field of one's own.
fn view_own(shell: &Shell, props: &Props) -> Html {
    let Some(posting) = props.card.posting.filter(|_| props.as_of.is_none()) else {
        return Html::default();
    };
    html! {
        <p class="gl-fields__own"><button type="button" class="gl-link gl-small" title="A field that only this posting has" onclick={shell.asks(Ask::Open(Dialog::NewField(posting)))}>{ "Add a field…" }</button></p>
    }
}

fn view_conclusions(shell: &Shell, card: &CardView) -> Html {
    if card.verdict.is_none() && card.outcomes.is_empty() {
        return Html::default();
    }
    let zone = shell.zone();
    let line = |key: String, label: String, note: &str, at| {
        let exact = format::date_time(at, zone);
        html! {
            <li {key}><span class="gl-strong">{ label }</span>{ " " }<span>{ note.to_owned() }</span>{ " " }<span class="gl-dim" title={exact}>{ format::ago(dom::now(), at, zone) }</span></li>
        }
    };
    html! {
        <section id="conclusions" tabindex="-1" class={classes!("gl-conclusions")} aria-label="your conclusions">
            <h2 class="gl-head">{ "Your conclusions" }</h2>
            <ul>
                if let Some(verdict) = &card.verdict { { line("verdict".into(), format!("Verdict: {}", card::label_of(&verdict.word)), &verdict.note, verdict.at) } }
                { for card.outcomes.iter().enumerate().map(|(i, o)| line(format!("{i}-{}", o.at.0), card::label_of(&o.word), &o.note, o.at)) }
            </ul>
        </section>
    }
}

/// What stands where the card will be, while it is on its way.
pub fn view_loading() -> Html {
    let row = |i: u32| {
        html! { <div key={i} class="gl-field is-looking"><div class="gl-field__row"><span></span>{ bits::skeleton(60) }{ bits::skeleton(30 + (i * 29) % 50) }<span></span></div></div> }
    };
    html! {
        <div class="gl-card is-loading" aria-busy="true">
            <header class="gl-card__head"><h1>{ "Reading the card" }</h1><p class="gl-card__sub">{ bits::skeleton(40) }</p></header>
            <div class="gl-fields">{ for (0..12).map(row) }</div>
        </div>
    }
}

/// The title a field gives, for announcements.
pub fn summary(card: &CardView) -> String {
    let (found, all) = card::fields_found(card);
    let level = card
        .assessment
        .map_or(String::new(), |a| format!(" {}.", a.level.label()));
    match (&card.failure, card.status) {
        (Some(failure), _) => format!("Analysis of {} failed at {}.", card.title, failure.node),
        (None, Some(RunStatus::Finished)) => {
            format!(
                "Analysis of {} finished: {found} of {all} fields found.{level}",
                card.title
            )
        }
        _ => format!("Analysing {}.", card.title),
    }
}
