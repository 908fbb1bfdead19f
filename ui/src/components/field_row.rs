//! A row of the card: `source icon · label · value · confidence · state` (SPEC B2, B3), and below
//! it, on demand, the other answers and where was looked. The value is edited in its place ([`Edit`]): the row saves what
//! is typed, also when the editor is closed or the card goes to another posting.
//!
//! A new value glows and slides in, once: the class changes when a value comes while the run is live, and goes when it has
//! arrived, so that nothing moves again when motion is turned on.

use crate::{
    backend,
    components::{
        answers::{view_foot, view_more},
        bits,
        field_calls::{Calls, Place},
        field_editor::{FieldEditor, Typing},
        keys::press,
        suggestions::{Answer, Offers, SuggestionList},
    },
    dom,
    icons::Icon,
    meter,
    state::{
        card::{self, Shown},
        commands::Action,
        edit::{AUTO_SAVE_MS, Do, Edit, Worth},
        format,
        keys::Keymap,
        model,
        motion::MOTION_MS,
        suggest,
    },
};
use ghostlight_api::{
    ApiError,
    command::{DismissSuggestion, Edited},
    view::CardView,
};
use ghostlight_model::{
    FieldKey, FieldValue, Method, PostingId, Source,
    card::{CardField, Chosen, FieldState},
    suggest::{Suggestion, message},
    typed::Beside,
};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
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
    /// Edit it.
    Edit(FieldKey),
    /// Edit the row so many further down.
    EditNext(FieldKey, i32),
    /// Its editor closed; the row takes the focus.
    Edited(FieldKey),
    /// What is typed could not be kept as a draft, or not be saved when its posting went; or a suggestion could not be
    /// dismissed.
    Trouble(ApiError),
    /// Show how it came to be what it is.
    History(FieldKey),
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
    /// Counts the wishes to edit it.
    pub edits: u32,
    /// What is suggested for it, once that is known.
    pub offers: Offers,
    /// What to do.
    pub act: Callback<Act>,
    /// Which key does what.
    pub keys: Rc<Keymap>,
}

impl Props {
    fn field(&self) -> Option<&CardField> {
        self.card.fields.get(self.index)
    }

    fn value(&self) -> Option<&FieldValue> {
        let chosen = self.field()?.chosen.as_ref()?;
        Some(&chosen.value)
    }

    /// What was typed into it and not saved.
    fn draft(&self) -> Option<&str> {
        let field = self.field()?;
        let mut drafts = self.card.drafts.iter();
        let draft = drafts.find(|draft| draft.field == field.key)?;
        Some(&draft.text)
    }
}

impl PartialEq for Props {
    /// Only this row's field counts: the others of the card may change without redrawing it.
    fn eq(&self, other: &Self) -> bool {
        let same_flags = (
            self.selected,
            self.tab_stop,
            self.open,
            self.live,
            self.edits,
        ) == (
            other.selected,
            other.tab_stop,
            other.open,
            other.live,
            other.edits,
        );
        same_flags
            && self.act == other.act
            && self.offers == other.offers
            && self.keys == other.keys
            && self.card.posting == other.card.posting
            && (Rc::ptr_eq(&self.card, &other.card) && self.index == other.index
                || self.field() == other.field() && self.draft() == other.draft())
    }
}

/// What happens in a row.
pub enum Msg {
    /// Show the whole of a long text, or two lines.
    Whole,
    /// Edit the value.
    Edit,
    /// The person does something in the editor.
    Typing(Typing),
    /// Typing rests since so many changes.
    Rests(u32),
    /// Something was typed a while ago.
    Stash,
    /// The new value of this number has arrived.
    Arrived(u32),
    /// The core's answer about an edit of a posting, and the edit's key.
    Answered(PostingId, String, Result<Edited, ApiError>),
    /// Try again what could not be saved.
    Retry,
    /// Give up what was typed and not saved.
    GiveUp,
    /// Take another answer, with the reason; `None` withdraws the person's value.
    Choose(Option<FieldValue>, String),
    /// The person answers a suggestion.
    Answer(Answer),
}

/// See the module.
pub struct FieldRow {
    /// Counts new values; odd and even move by two equal animations, so that each begins anew.
    glows: u32,
    /// Whether the latest of them is on its way.
    arrives: bool,
    whole: bool,
    edit: Option<Edit>,
    /// Counts what is typed, so that only the last pause saves.
    typed: u32,
    /// What is typed will be kept soon.
    stashing: bool,
    calls: Calls,
    /// The suggestion that was dismissed last, to bring it back.
    dismissed: Option<Suggestion>,
}

impl Component for FieldRow {
    type Message = Msg;
    type Properties = Props;

    fn create(_: &Context<Self>) -> Self {
        Self {
            glows: 0,
            arrives: false,
            whole: false,
            edit: None,
            typed: 0,
            stashing: false,
            calls: Calls::default(),
            dismissed: None,
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Whole => self.whole = !self.whole,
            Msg::Edit => self.begin(ctx),
            Msg::Typing(typing) => self.typing(ctx, typing),
            Msg::Rests(typed) if typed == self.typed => self.settle(ctx),
            Msg::Rests(_) => return false,
            Msg::Stash => {
                self.stashing = false;
                let wish = self.edit.as_mut().map_or(Do::Nothing, Edit::stash);
                self.does(ctx, wish);
                return false;
            }
            Msg::Arrived(value) if value == self.glows => self.arrives = false,
            Msg::Arrived(_) => return false,
            Msg::Answered(posting, key, answer) => self.answered(ctx, posting, &key, answer),
            Msg::Retry => {
                let wish = self.edit.as_mut().map_or(Do::Nothing, Edit::retry);
                self.does(ctx, wish);
            }
            Msg::GiveUp => self.typing(ctx, Typing::GiveUp),
            Msg::Choose(value, why) => self.choose(ctx, value, why),
            Msg::Answer(answer) => self.answer(ctx, answer),
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
            self.arrives = true;
            meter::moves();
            let (link, value) = (ctx.link().clone(), self.glows);
            dom::after(MOTION_MS as i32, move || {
                link.send_message(Msg::Arrived(value))
            });
        }
        if new.card.posting != old.card.posting {
            self.dismissed = None;
            self.hand_over(old);
        } else if let Some(edit) = &mut self.edit {
            if !Rc::ptr_eq(&new.card, &old.card) {
                edit.card_came();
            }
            self.tidy();
        }
        if new.edits != old.edits && new.edits > 0 {
            self.begin(ctx);
        }
        true
    }

    fn destroy(&mut self, ctx: &Context<Self>) {
        self.hand_over(ctx.props());
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let Some(field) = ctx.props().field() else {
            return Html::default();
        };
        self.view_field(ctx, field)
    }
}

impl FieldRow {
    fn begin(&mut self, ctx: &Context<Self>) {
        let props = ctx.props();
        let Some(field) = props.field().filter(|_| props.card.posting.is_some()) else {
            return;
        };
        match &mut self.edit {
            Some(edit) => edit.reopen(),
            None => {
                self.edit = Some(Edit::begin(
                    field.key.clone(),
                    props.value().cloned(),
                    Beside::of(&props.card.fields),
                    props.draft().map(str::to_owned),
                ));
            }
        }
    }

    fn typing(&mut self, ctx: &Context<Self>, typing: Typing) {
        let Some(edit) = &mut self.edit else { return };
        let key = edit.field().clone();
        match typing {
            Typing::Text(text) => {
                edit.typed(text);
                self.typed += 1;
                let (link, typed) = (ctx.link().clone(), self.typed);
                dom::after(AUTO_SAVE_MS, move || link.send_message(Msg::Rests(typed)));
                if !std::mem::replace(&mut self.stashing, true) {
                    let link = ctx.link().clone();
                    dom::after(AUTO_SAVE_MS, move || link.send_message(Msg::Stash));
                }
            }
            Typing::Sure => {
                edit.be_sure();
                self.settle(ctx);
                // The button goes, and the focus with it.
                self.close_if_settled(ctx);
            }
            Typing::Done => {
                self.settle(ctx);
                self.close_if_settled(ctx);
            }
            Typing::Left => self.leave(ctx),
            Typing::Go(by) => {
                self.leave(ctx);
                ctx.props().act.emit(Act::EditNext(key, by));
            }
            Typing::GiveUp => {
                let wish = edit.give_up();
                self.does(ctx, wish);
                self.tidy();
                ctx.props().act.emit(Act::Edited(key));
            }
            Typing::Withdraw => {
                let wish = edit.withdraw(dom::fresh_key());
                self.does(ctx, wish);
                ctx.props().act.emit(Act::Edited(key));
            }
        }
    }

    /// What cannot be saved keeps the editor open, with the reason.
    fn close_if_settled(&mut self, ctx: &Context<Self>) {
        let Some(edit) = &mut self.edit else { return };
        if !matches!(edit.worth(), Worth::Wrong(_) | Worth::Doubtful(..)) {
            let key = edit.field().clone();
            edit.leave();
            self.tidy();
            ctx.props().act.emit(Act::Edited(key));
        }
    }

    fn leave(&mut self, ctx: &Context<Self>) {
        self.settle(ctx);
        if let Some(edit) = &mut self.edit {
            edit.leave();
        }
        self.tidy();
    }

    fn settle(&mut self, ctx: &Context<Self>) {
        let Some(edit) = &mut self.edit else { return };
        let wish = edit.settle(dom::fresh_key);
        self.does(ctx, wish);
    }

    fn choose(&mut self, ctx: &Context<Self>, value: Option<FieldValue>, why: String) {
        let props = ctx.props();
        let Some(field) = props.field() else { return };
        let standing = props.value().cloned();
        let by = (why, dom::fresh_key());
        let (edit, wish) = Edit::choose(field.key.clone(), standing, value, by);
        self.edit = Some(edit);
        self.does(ctx, wish);
    }

    fn answer(&mut self, ctx: &Context<Self>, answer: Answer) {
        match answer {
            Answer::Accept(one) => {
                let field = one.field.clone();
                let why = message(&[(field.clone(), suggest::origin_of(&one))]);
                self.choose(ctx, Some(one.value), why);
                ctx.props().act.emit(Act::Edited(field));
            }
            Answer::Dismiss(one) => {
                self.dismissed = Some(one.clone());
                dismiss(ctx.props(), one, false);
            }
            Answer::Again(one) => {
                self.dismissed = None;
                dismiss(ctx.props(), one, true);
            }
        }
    }

    /// What is suggested, below the editor or among the details.
    fn view_suggestions(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        let props = ctx.props();
        let mut offers = props.offers.clone();
        // It is gone at once, whenever the core's answer comes.
        let gone = |one: &Suggestion| {
            self.dismissed
                .as_ref()
                .is_some_and(|d| d.value == one.value)
        };
        offers.suggestions.retain(|one| !gone(one));
        let on = ctx.link().callback(Msg::Answer);
        html! { <SuggestionList field={field.key.clone()} {offers} dismissed={self.dismissed.clone()} {on} /> }
    }

    fn answered(
        &mut self,
        ctx: &Context<Self>,
        posting: PostingId,
        key: &str,
        answer: Result<Edited, ApiError>,
    ) {
        if ctx.props().card.posting != Some(posting) {
            return;
        }
        let Some(edit) = &mut self.edit else { return };
        let wish = edit.answered(key, answer, dom::fresh_key);
        let chosen = ctx.props().field().and_then(|field| field.chosen.as_ref());
        let by_person = chosen.filter(|chosen| chosen.source == Source::User);
        edit.card_shows(by_person.map(|chosen| &chosen.value));
        self.does(ctx, wish);
        self.tidy();
    }

    /// What was typed belongs to the posting that goes. Nobody is left to show why it was not saved, so the window says it.
    fn hand_over(&mut self, props: &Props) {
        let calls = std::mem::take(&mut self.calls);
        if let (Some(edit), Some(posting)) = (self.edit.take(), props.card.posting) {
            calls.take_over(place(props, posting, &edit), edit);
        }
    }

    fn does(&self, ctx: &Context<Self>, wish: Do) {
        let (Some(posting), Some(edit)) = (ctx.props().card.posting, &self.edit) else {
            return;
        };
        let link = ctx.link().clone();
        let answered = Callback::from(move |(key, answer)| {
            link.send_message(Msg::Answered(posting, key, answer));
        });
        let place = place(ctx.props(), posting, edit);
        self.calls.perform(place, wish, answered);
    }

    fn tidy(&mut self) {
        if self.edit.as_ref().is_some_and(Edit::is_over) {
            self.edit = None;
        }
    }

    fn view_field(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        let props = ctx.props();
        let key = field.key.name();
        let glow = match self.glows % 2 {
            0 => "is-new",
            _ => "is-new-again",
        };
        let class = classes!(
            "gl-field",
            state_class(field.state),
            props.selected.then_some("is-selected"),
            (field.key == FieldKey::Description).then_some("is-long"),
            self.arrives.then_some(glow),
            self.is_open().then_some("is-edited"),
        );
        html! {
            <div {class} id={format!("field-{key}")} role="group" aria-label={format!("field {key}")} tabindex={if props.tab_stop { "0" } else { "-1" }} aria-current={props.selected.then_some("true")} onclick={on_click(props, &field.key)} ondblclick={ctx.link().callback(|_: MouseEvent| Msg::Edit)} onkeydown={on_key(props, &field.key)}>
                <div class="gl-field__row">
                    { view_source(props, field) }
                    <span class="gl-field__label">{ field.key.label() }</span>
                    <div class="gl-field__value" role="group" aria-label={format!("value {key}")}>{ self.view_value(ctx, field) }</div>
                    if !self.is_open() {
                        <div class="gl-field__end">{ self.view_pen(ctx, field) }{ self.view_offer(ctx, field) }{ self.view_end(props, field) }</div>
                    }
                </div>
                { self.view_left(ctx) }
                if props.open { <div class="gl-field__more">{ view_more(ctx, field) }if !self.is_open() { { self.view_suggestions(ctx, field) } }{ view_foot(ctx, field) }</div> }
            </div>
        }
    }

    fn is_open(&self) -> bool {
        self.edit.as_ref().is_some_and(Edit::is_open)
    }

    fn view_pen(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        if ctx.props().card.posting.is_none() {
            return Html::default();
        }
        let name = format!("Edit {}", field.key.label());
        let edit = ctx.link().callback(|event: MouseEvent| {
            event.stop_propagation();
            Msg::Edit
        });
        html! { <button type="button" class="gl-pen" tabindex="-1" aria-label={name.clone()} title={format!("{name} (Enter)")} onclick={edit}>{ Icon::Pen.draw() }</button> }
    }

    /// What is on its way, else what the card says.
    fn view_end(&self, props: &Props, field: &CardField) -> Html {
        match self.edit.as_ref().and_then(Edit::shown) {
            Some(_) => html! {
                <span class="gl-state" role="group" aria-label={format!("state {}", field.key.name())}>{ Icon::Dot.draw() }{ "saving" }</span>
            },
            None => view_end(props, field),
        }
    }

    /// What was typed and is not saved, once the editor is closed: why, and what can be done.
    fn view_left(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let (text, why, failed) = match &self.edit {
            Some(edit) if edit.is_open() || edit.shown().is_some() => return Html::default(),
            Some(edit) => match (edit.failure(), edit.worth()) {
                (Some(error), _) => (edit.text(), error.to_string(), true),
                (None, Worth::Wrong(why)) => (edit.text(), why, false),
                (None, Worth::Doubtful(_, doubts)) => (edit.text(), doubts.join(" "), false),
                (None, Worth::Good(_) | Worth::Unchanged) => return Html::default(),
            },
            None => match props.draft() {
                Some(text) => (text, "It was typed and not saved.".into(), false),
                None => return Html::default(),
            },
        };
        let on = |msg: fn() -> Msg| {
            ctx.link().callback(move |event: MouseEvent| {
                event.stop_propagation();
                msg()
            })
        };
        html! {
            <div class="gl-field__left" role="status">
                { Icon::Warning.draw() }
                <p><span class="gl-strong">{ format!("Not saved: “{}”. ", format::shortened(text, 120)) }</span>{ why }</p>
                if failed { <button type="button" class="gl-link" onclick={on(|| Msg::Retry)}>{ Icon::Again.draw() }{ "Retry" }</button> }
                <button type="button" class="gl-link" onclick={on(|| Msg::Edit)}>{ "Go on typing" }</button>
                <button type="button" class="gl-link" onclick={on(|| Msg::GiveUp)}>{ "Discard" }</button>
            </div>
        }
    }

    fn view_value(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        if let Some(edit) = &self.edit {
            if edit.is_open() {
                return view_editor(ctx, field, edit, self.view_suggestions(ctx, field));
            }
            match edit.shown() {
                Some(Some(value)) => return self.view_shown(ctx, field, &value),
                Some(None) => return html! { <span class="gl-cut gl-dim">{ "withdrawn" }</span> },
                None => {}
            }
        }
        match (&field.chosen, field.state) {
            (Some(chosen), _) => self.view_shown(ctx, field, &chosen.value),
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

    /// Where nothing was found: the surest suggestion in few words, which opens all of them.
    fn view_offer(&self, ctx: &Context<Self>, field: &CardField) -> Html {
        let props = ctx.props();
        let dismissed = self.dismissed.as_ref().map(|one| &one.value);
        let mut offers = props.offers.suggestions.iter();
        let first = offers.find(|one| Some(&one.value) != dismissed);
        let Some(first) = first.filter(|_| field.chosen.is_none()) else {
            return Html::default();
        };
        let (act, key) = (props.act.clone(), field.key.clone());
        let unfold = Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            act.emit(Act::Toggle(key.clone()));
        });
        let words = format!(
            "Suggested: {}",
            format::shortened(&first.value.display(), 30)
        );
        html! { <button type="button" class="gl-link gl-offer" aria-expanded={props.open.to_string()} onclick={unfold}><span class="gl-cut">{ words }</span></button> }
    }

    fn view_shown(&self, ctx: &Context<Self>, field: &CardField, value: &FieldValue) -> Html {
        match card::shown(&field.key, value) {
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

fn place(props: &Props, posting: PostingId, edit: &Edit) -> Place {
    let act = props.act.clone();
    Place {
        posting,
        field: edit.field().clone(),
        trouble: Callback::from(move |error| act.emit(Act::Trouble(error))),
    }
}

/// Dismisses a suggestion, or takes that back.
fn dismiss(props: &Props, suggestion: Suggestion, again: bool) {
    let Some(posting) = props.card.posting else {
        return;
    };
    let request = DismissSuggestion {
        posting,
        origin: suggest::origin_of(&suggestion),
        field: suggestion.field,
        value: suggestion.value,
        again,
    };
    let act = props.act.clone();
    spawn_local(async move {
        if let Err(error) = backend::call(request).await {
            act.emit(Act::Trouble(error));
        }
    });
}

fn view_editor(ctx: &Context<FieldRow>, field: &CardField, edit: &Edit, below: Html) -> Html {
    let chosen = field.chosen.as_ref();
    let offer = edit.offer(chosen.map(|chosen| &chosen.value)).cloned();
    let mine = chosen.is_some_and(|chosen| chosen.source == Source::User);
    let on = ctx.link().callback(Msg::Typing);
    html! { <FieldEditor edit={edit.clone()} {offer} {mine} {on}>{ below }</FieldEditor> }
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

fn view_source(props: &Props, field: &CardField) -> Html {
    let (icon, word, title) = match &field.chosen {
        Some(chosen) => (
            source_icon(chosen.source, chosen.method),
            card::source_word(chosen.source, chosen.method),
            source_title(props, chosen),
        ),
        None => match field.state {
            FieldState::NotFound => (Icon::Dashed, "", "Not found".into()),
            FieldState::Failed => (Icon::Cross, "", "Failed".into()),
            _ => (Icon::Circle, "", "Still looking".into()),
        },
    };
    html! { <span class="gl-field__source" {title}>{ icon.draw() }<span class="gl-field__source-word">{ word }</span></span> }
}

/// Who says so, in full; a model by its name.
pub(super) fn source_title(props: &Props, chosen: &Chosen) -> String {
    let by_model = model::by_words(&props.card, chosen);
    by_model.unwrap_or_else(|| card::source_title(chosen.source, chosen.method))
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
        (Some(chosen), FieldState::Found | FieldState::Conflict) => html! {
            <>
                if model::is_ungrounded(chosen) {
                    <span class="gl-ungrounded" title="No words of the posting bear it out">{ "ungrounded" }</span>
                }
                { bits::confidence(chosen.confidence) }
            </>
        },
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

fn on_click(props: &Props, key: &FieldKey) -> Callback<MouseEvent> {
    let (act, key) = (props.act.clone(), key.clone());
    Callback::from(move |_| act.emit(Act::Show(key.clone())))
}

fn on_key(props: &Props, key: &FieldKey) -> Callback<KeyboardEvent> {
    let (act, key, keys) = (props.act.clone(), key.clone(), props.keys.clone());
    Callback::from(move |event: KeyboardEvent| {
        let on_button = event
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .is_some_and(|element| element.tag_name() == "BUTTON");
        let name = event.key();
        let pressed = press(&event, &name);
        let plain = !pressed.ctrl && !pressed.other;
        // In an editor they are of the editor.
        let own = keys
            .of_a_field(pressed)
            .filter(|_| !dom::is_typing(event.target()));
        let wish = match (name.as_str(), own) {
            ("ArrowDown", _) if plain => Act::Move(key.clone(), 1),
            ("ArrowUp", _) if plain => Act::Move(key.clone(), -1),
            ("Enter", _) if on_button => return,
            ("Enter" | "F2", _) if plain => Act::Edit(key.clone()),
            (_, Some(Action::FieldWords)) => Act::Show(key.clone()),
            (_, Some(Action::FieldAnswers)) => Act::Toggle(key.clone()),
            (_, Some(Action::FieldHistory)) => Act::History(key.clone()),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        act.emit(wish);
    })
}
