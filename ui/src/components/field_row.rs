//! A row of the card: `source icon · label · value · confidence · state` (SPEC B2, B3), and below
//! it, on demand, the other answers and where was looked.
//!
//! A new value glows once: the class changes when a value comes while the run is live.

use crate::{
    components::bits,
    icons::Icon,
    state::{
        card::{self, Shown},
        format,
    },
};
use ghostlight_api::view::CardView;
use ghostlight_model::{
    FieldKey, Method, Observation, Source,
    card::{CardField, Chosen, FieldState},
};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::{
    Callback, Component, Context, Html, KeyboardEvent, MouseEvent, Properties, classes, html,
};

/// Characters that fit into a row's value, roughly; what does not is counted (`+3`).
const CHIP_CHARACTERS: usize = 27;

/// What the analyst does to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Select it and show its words.
    Show(FieldKey),
    /// Unfold or fold what lies below it.
    Toggle(FieldKey),
    /// Go to the row so many further down.
    Move(FieldKey, i32),
    /// Run the analysis again.
    Retry,
    /// Open a web address outside.
    Browse(String),
}

/// Properties of [`FieldRow`].
#[derive(Properties, Clone)]
pub struct Props {
    /// The card.
    pub card: Rc<CardView>,
    /// Which of its fields.
    pub index: usize,
    /// Whether it is selected.
    pub selected: bool,
    /// Whether Tab stops here.
    pub tab_stop: bool,
    /// Whether what lies below it is shown.
    pub open: bool,
    /// Whether the run is under way.
    pub live: bool,
    /// What to do.
    pub act: Callback<Act>,
}

impl Props {
    fn field(&self) -> Option<&CardField> {
        self.card.fields.get(self.index)
    }
}

impl PartialEq for Props {
    /// Only this row's field counts: the others of the card may change without redrawing it.
    fn eq(&self, other: &Self) -> bool {
        let same_flags = (self.selected, self.tab_stop, self.open, self.live)
            == (other.selected, other.tab_stop, other.open, other.live);
        same_flags
            && self.act == other.act
            && (Rc::ptr_eq(&self.card, &other.card) && self.index == other.index
                || self.field() == other.field())
    }
}

/// What happens in a row.
pub enum Msg {
    /// Show the whole of a long text, or two lines.
    Whole,
}

/// See the module.
pub struct FieldRow {
    /// Counts new values; odd and even glow by two equal animations, so that each begins anew.
    glows: u32,
    whole: bool,
}

impl Component for FieldRow {
    type Message = Msg;
    type Properties = Props;

    fn create(_: &Context<Self>) -> Self {
        Self {
            glows: 0,
            whole: false,
        }
    }

    fn update(&mut self, _: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Whole => self.whole = !self.whole,
        }
        true
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Props) -> bool {
        let new = ctx.props();
        let value = |props: &Props| {
            let chosen = props.field().and_then(|field| field.chosen.clone());
            chosen.map(|chosen| chosen.value)
        };
        let same_posting = new.card.run == old.card.run;
        let came = new.live || old.live;
        if came && same_posting && value(new).is_some() && value(new) != value(old) {
            self.glows += 1;
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let Some(field) = ctx.props().field() else {
            return Html::default();
        };
        self.view_field(ctx, field)
    }
}

impl FieldRow {
    fn view_field(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        let props = ctx.props();
        let key = field.key.name();
        let glow = match self.glows {
            0 => None,
            n if n % 2 == 0 => Some("is-new"),
            _ => Some("is-new-again"),
        };
        let class = classes!(
            "gl-field",
            state_class(field.state),
            props.selected.then_some("is-selected"),
            (field.key == FieldKey::Description).then_some("is-long"),
            glow,
        );
        html! {
            <div {class} id={format!("field-{key}")} role="group" aria-label={format!("field {key}")} tabindex={if props.tab_stop { "0" } else { "-1" }} aria-current={props.selected.then_some("true")} onclick={on_click(props, &field.key)} onkeydown={on_key(props, &field.key)}>
                <div class="gl-field__row">
                    { view_source(field) }
                    <span class="gl-field__label">{ field.key.label() }</span>
                    <div class="gl-field__value" role="group" aria-label={format!("value {key}")}>{ self.view_value(ctx, field) }</div>
                    <div class="gl-field__end">{ view_end(props, field) }</div>
                </div>
                if props.open { <div class="gl-field__more">{ view_more(field) }</div> }
            </div>
        }
    }

    fn view_value(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        match (&field.chosen, field.state) {
            (Some(chosen), _) => self.view_chosen(ctx, field, chosen),
            (None, FieldState::Looking) => {
                bits::skeleton(40 + (field.key.name().len() as u32 * 13) % 45)
            }
            (None, FieldState::Failed) => {
                let words = field
                    .reason
                    .as_deref()
                    .unwrap_or("the analysis ended before it was found");
                html! { <span class="gl-cut" title={words.to_owned()}>{ words.to_owned() }</span> }
            }
            (None, _) => {
                let words = card::not_found_words(field);
                html! { <span class="gl-cut gl-dim" title={words.clone()}>{ words }</span> }
            }
        }
    }

    fn view_chosen(&self, ctx: &Context<Self>, field: &CardField, chosen: &Chosen) -> Html {
        match card::shown(&field.key, &chosen.value) {
            Shown::Line(text) => {
                html! { <span class="gl-cut" title={text.clone()}>{ text }</span> }
            }
            Shown::Amount(amount, quiet) => html! {
                <span class="gl-cut gl-num" title={format!("{amount} {quiet}")}><span class="gl-strong">{ amount }</span>{ " " }<span class="gl-dim">{ quiet }</span></span>
            },
            Shown::Chips(items) => view_chips(ctx.props(), field, &items),
            Shown::Link(url) => {
                let act = ctx.props().act.clone();
                let target = url.clone();
                let open = Callback::from(move |event: MouseEvent| {
                    event.stop_propagation();
                    act.emit(Act::Browse(target.clone()));
                });
                html! { <button type="button" class="gl-link" title={format!("Open {url} in the browser")} onclick={open}><span class="gl-cut">{ format::url(&url).to_owned() }</span>{ Icon::Out.draw() }</button> }
            }
            Shown::Long(text) => self.view_long(ctx, &text),
        }
    }

    fn view_long(&self, ctx: &Context<Self>, text: &str) -> Html {
        let toggle = ctx.link().callback(|event: MouseEvent| {
            event.stop_propagation();
            Msg::Whole
        });
        html! {
            <div class={classes!("gl-long", self.whole.then_some("is-whole"))}>
                <p>{ text.to_owned() }</p>
                <button type="button" class="gl-link" aria-expanded={self.whole.to_string()} onclick={toggle}>{ if self.whole { "show less" } else { "show all" } }</button>
            </div>
        }
    }
}

fn state_class(state: FieldState) -> &'static str {
    match state {
        FieldState::Looking => "is-looking",
        FieldState::Found => "is-found",
        FieldState::NotFound => "is-not-found",
        FieldState::Failed => "is-failed",
        FieldState::Conflict => "is-conflict",
    }
}

fn view_source(field: &CardField) -> Html {
    let (icon, word, title) = match &field.chosen {
        Some(chosen) => (
            source_icon(chosen.source, chosen.method),
            card::source_word(chosen.source, chosen.method),
            card::source_title(chosen.source, chosen.method),
        ),
        None => match field.state {
            FieldState::NotFound => (Icon::Dashed, "", "Not found".into()),
            FieldState::Failed => (Icon::Cross, "", "Failed".into()),
            _ => (Icon::Circle, "", "Still looking".into()),
        },
    };
    html! { <span class="gl-field__source" {title}>{ icon.draw() }<span class="gl-field__source-word">{ word }</span></span> }
}

/// The icon of a source.
pub fn source_icon(source: Source, method: Method) -> Icon {
    match (source, method) {
        (Source::User, _) => Icon::Pen,
        (Source::Ai, _) => Icon::Star,
        (Source::Parsing, Method::Pattern) => Icon::Lines,
        (Source::Parsing, _) => Icon::Braces,
    }
}

fn view_chips(props: &Props, field: &CardField, items: &[String]) -> Html {
    let fitting = card::chips_that_fit(items, CHIP_CHARACTERS);
    let more = items.len() - fitting;
    let (act, key) = (props.act.clone(), field.key.clone());
    let unfold = Callback::from(move |event: MouseEvent| {
        event.stop_propagation();
        act.emit(Act::Toggle(key.clone()));
    });
    html! {
        <span class="gl-chips">
            { for items.iter().take(fitting).map(|item| html! { <span key={item.clone()} class="gl-chip" title={item.clone()}>{ item }</span> }) }
            if more > 0 {
                <button type="button" class="gl-link" aria-expanded={props.open.to_string()} aria-label={format!("{more} more")} title={items[fitting..].join(", ")} onclick={unfold}>{ format!("+{more}") }</button>
            }
        </span>
    }
}

/// Confidence and state; a button for what lies below the row.
fn view_end(props: &Props, field: &CardField) -> Html {
    let key = field.key.name();
    let words = card::state_words(field.state);
    let seen = match field.state {
        FieldState::Looking => html! { <>{ Icon::Dot.draw() }{ words }</> },
        FieldState::Failed => html! { <>{ Icon::Cross.draw() }{ words }</> },
        FieldState::Conflict => html! { <>{ Icon::Two.draw() }{ words }</> },
        FieldState::Found | FieldState::NotFound => bits::unseen(words),
    };
    let confidence = match (&field.chosen, field.state) {
        (Some(chosen), FieldState::Found) if chosen.source == Source::User => {
            html! { <span class="gl-dim">{ "yours" }</span> }
        }
        (Some(chosen), FieldState::Found | FieldState::Conflict) => {
            bits::confidence(chosen.confidence)
        }
        _ => Html::default(),
    };
    html! {
        <>
            { confidence }
            <span class="gl-state" role="group" aria-label={format!("state {key}")}>{ seen }</span>
            { view_unfold(props, field) }
        </>
    }
}

fn view_unfold(props: &Props, field: &CardField) -> Html {
    let (act, key) = (props.act.clone(), field.key.clone());
    let label = field.key.label();
    let toggle = {
        let act = act.clone();
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            act.emit(Act::Toggle(key.clone()));
        })
    };
    let expanded = props.open.to_string();
    match field.state {
        FieldState::Looking => Html::default(),
        FieldState::Failed => {
            let retry = Callback::from(move |event: MouseEvent| {
                event.stop_propagation();
                act.emit(Act::Retry);
            });
            html! { <button type="button" class="gl-link" title="Run the analysis again" onclick={retry}>{ Icon::Again.draw() }{ "Retry" }</button> }
        }
        FieldState::NotFound => html! {
            <button type="button" class="gl-link" aria-expanded={expanded} aria-label={format!("Where was {label} looked for?")} onclick={toggle}>{ "where?" }</button>
        },
        FieldState::Conflict => html! {
            <button type="button" class="gl-link" aria-expanded={expanded} aria-label={format!("Compare the answers for {label}")} onclick={toggle}>{ "compare" }</button>
        },
        FieldState::Found => {
            let others = field.alternatives.len();
            let name = format!(
                "Details of {label}, {}",
                format::plural(others as u64, "other answer", "other answers")
            );
            html! {
                <button type="button" class="gl-unfold" aria-expanded={expanded} aria-label={name.clone()} title={name} onclick={toggle}>
                    if others > 0 { <span class="gl-num">{ format!("+{others}") }</span> }
                    { Icon::Down.draw() }
                </button>
            }
        }
    }
}

/// Below the row: who says so, the other answers with the reason they lost, where was looked.
fn view_more(field: &CardField) -> Html {
    let stands = field
        .chosen
        .as_ref()
        .map(|chosen| view_stands(field, chosen));
    let other = |alternative: &ghostlight_model::card::Alternative| {
        view_answer(&alternative.observation, alternative.because.sentence())
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

fn view_stands(field: &CardField, chosen: &Chosen) -> Html {
    let quote = card::evidence_of(field).map(|evidence| format::shortened(&evidence.quote, 160));
    html! {
        <li key="stands" class="gl-answer is-standing">
            <span class="gl-answer__value">{ format::shortened(&full(&field.key, chosen), 400) }</span>
            <span class="gl-answer__why gl-ok">{ Icon::Check.draw() }{ "stands" }</span>
            <span class="gl-answer__from gl-dim">{ card::source_title(chosen.source, chosen.method) }</span>
            { bits::confidence(chosen.confidence) }
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

fn view_answer(observation: &Observation, because: &str) -> Html {
    let quote = observation
        .evidence
        .as_ref()
        .map(|e| format::shortened(&e.quote, 160));
    html! {
        <li key={observation.id().to_string()} class="gl-answer">
            <span class="gl-answer__value">{ format::shortened(&observation.value.display(), 400) }</span>
            <span class="gl-answer__why">{ because.to_owned() }</span>
            <span class="gl-answer__from gl-dim">{ card::source_title(observation.source, observation.method) }</span>
            { bits::confidence(observation.confidence) }
            if let Some(quote) = quote { <q class="gl-quote">{ quote }</q> } else { <span class="gl-dim">{ "no words quoted" }</span> }
        </li>
    }
}

fn on_click(props: &Props, key: &FieldKey) -> Callback<MouseEvent> {
    let (act, key) = (props.act.clone(), key.clone());
    Callback::from(move |_| act.emit(Act::Show(key.clone())))
}

fn on_key(props: &Props, key: &FieldKey) -> Callback<KeyboardEvent> {
    let (act, key) = (props.act.clone(), key.clone());
    Callback::from(move |event: KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let on_button = event
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .is_some_and(|element| element.tag_name() == "BUTTON");
        let wish = match event.key().as_str() {
            "ArrowDown" => Act::Move(key.clone(), 1),
            "ArrowUp" => Act::Move(key.clone(), -1),
            "Enter" if on_button => return,
            "Enter" | "e" | "E" => Act::Show(key.clone()),
            "a" | "A" => Act::Toggle(key.clone()),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        act.emit(wish);
    })
}
