//! The postings page: list, card, evidence, and the drawer below.

use crate::{
    components::{
        bits,
        card::{self, Card},
        drawer::Drawer,
        evidence::Evidence,
        scrubber::Scrubber,
        splitter::{Grows, Splitter},
        tabs::Tabs,
        virtual_list::{Kind, RowAt, Source, VirtualList},
    },
    dom,
    icons::Icon,
    shell::{Ask, Current, Drawn, Input, Panel, Shell, use_shell},
    state::{
        card::{self as words, OnScreen},
        commands::Action,
        export::Choice,
        format,
        spans::Owner,
        views::ViewState,
    },
    views::{self, use_view},
};
use ghostlight_api::{
    ViewData, ViewQuery,
    command::Preferences,
    view::{CardView, KnownView, PostingOrder, PostingRow, Subject},
};
use ghostlight_model::{FieldKey, RunId, run::RunStatus};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::{
    AttrValue, Callback, Event, Html, Properties, Reducible, classes, component, html,
    use_callback, use_effect_with, use_memo, use_mut_ref, use_reducer_eq, use_state_eq,
};

/// Height of a row of the list in CSS pixels; `app.css` says the same.
const POSTING_PX: u32 = 54;

/// Properties of [`Postings`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is selected.
    pub subject: Option<Subject>,
    /// The posting of the card on screen, for the list.
    pub current: Option<Current>,
    /// The part that a narrow window shows.
    pub panel: Panel,
    /// Folded parts: list, evidence with drawer.
    pub folded: (bool, bool),
    /// Moves the list when its number changes.
    pub nudge: (u32, i32),
    /// The tab of the drawer that was asked for.
    pub drawn: Drawn,
    /// The field that is to be edited.
    pub edit: Option<FieldKey>,
    /// The store's state: postings in the cache, or why it cannot be read.
    pub health: ViewState,
    /// Runs under way.
    pub running: u32,
}

/// Whose words are outlined, and a number that changes with each wish to see them.
#[derive(Debug, Clone, PartialEq, Default)]
struct Picked(Option<(Owner, u32)>);

impl Reducible for Picked {
    /// Another owner, and whether its words are to be shown though they are outlined already; `None` for nobody.
    type Action = Option<(Owner, bool)>;

    fn reduce(self: Rc<Self>, action: Self::Action) -> Rc<Self> {
        let Some((owner, show)) = action else {
            return Rc::default();
        };
        let (before, turn) = match &self.0 {
            Some((before, turn)) => (Some(before), *turn),
            None => (None, 0),
        };
        match show || before != Some(&owner) {
            true => Rc::new(Self(Some((owner, turn + 1)))),
            false => self,
        }
    }
}

/// See the module.
#[component]
pub fn Postings(props: &Props) -> Html {
    let shell = use_shell();
    let picked = use_reducer_eq(Picked::default);
    let panes = use_state_eq(|| shell.preferences.panes);
    {
        let panes = panes.clone();
        use_effect_with(shell.preferences.panes, move |stored| panes.set(*stored));
    }
    {
        let pick = picked.dispatcher();
        use_effect_with(props.subject.clone(), move |_| pick.dispatch(None));
    }
    let query = props.subject.clone().map(ViewQuery::Card);
    let state = use_view(query.clone());
    let present = use_memo(state.clone(), card_of);
    use_announce(&shell, props.subject.as_ref(), present.as_ref().as_ref());
    // An earlier run that was opened is looked back at itself, though the card is the posting's.
    let run = match &props.subject {
        Some(Subject::Run(run)) => Some(run.clone()),
        _ => present.as_ref().as_ref().and_then(|card| card.run.clone()),
    };
    let past = use_past(run);
    let card = match &past.known {
        Some((_, card)) => Rc::new(Some(card.clone())),
        None => present.clone(),
    };

    // The same callbacks all the time: with others every row of the card would be drawn anew at each choice.
    let pick = use_callback(
        (picked.dispatcher(), shell.ask.clone()),
        |(owner, show): (Owner, bool), (picked, ask)| {
            picked.dispatch(Some((owner, show)));
            if show {
                ask.emit(Ask::Panel(Panel::Evidence));
            }
        },
    );
    let on_field = use_callback(pick.clone(), |(key, show): (FieldKey, bool), pick| {
        pick.emit((Owner::Field(key), show));
    });
    let on_pick = use_callback(
        (pick, shell.ask.clone()),
        |owner: Owner, (pick, ask)| match owner {
            Owner::Field(key) => {
                pick.emit((Owner::Field(key.clone()), false));
                ask.emit(Ask::Panel(Panel::Card));
                dom::next_frame(move || dom::focus_id(&format!("field-{key}")));
            }
            Owner::Signal(_) => pick.emit((owner, true)),
        },
    );
    let selected = picked.0.as_ref().and_then(|(owner, _)| match owner {
        Owner::Field(key) => Some(key.clone()),
        Owner::Signal(_) => None,
    });
    let posting = present.as_ref().as_ref().and_then(|card| card.posting);
    let on_screen = use_mut_ref(OnScreen::default);
    let middle = match (&query, &*card) {
        (Some(_), Some(card)) => {
            let as_of = past.known.as_ref().map(|(known, _)| known.at);
            let on_replay = past.toggle.clone();
            html! { <>{ past.scrubber }<Card key={on_screen.borrow_mut().number(card)} card={card.clone()} {selected} edit={props.edit.clone()} {on_field} {as_of} {on_replay} /></> }
        }
        (Some(query), None) => {
            bits::render_view(query, &state, card::view_loading, |_| card::view_loading())
        }
        (None, _) => html! { <Welcome health={props.health.clone()} /> },
    };
    let aside = match &*card {
        Some(card) => {
            html! { <Evidence key={evidence_key(card)} card={card.clone()} selected={picked.0.clone()} {on_pick} /> }
        }
        None => {
            html! { <aside class="gl-evidence is-empty" aria-label="evidence"><p class="gl-hint">{ "The posting's words and the signals appear here." }</p></aside> }
        }
    };
    let resize = |index: usize| {
        let panes = panes.clone();
        Callback::from(move |size: u16| {
            let mut sizes = *panes;
            sizes[index] = size;
            panes.set(sizes);
        })
    };
    let keep = {
        let (shell, panes) = (shell.clone(), panes.clone());
        Callback::from(move |()| {
            let preferences = Preferences {
                panes: *panes,
                ..(*shell.preferences).clone()
            };
            shell.ask.emit(Ask::Prefer(preferences));
        })
    };
    let panel = match props.panel {
        Panel::List => "list",
        Panel::Card => "card",
        Panel::Evidence => "evidence",
    };
    let [list_px, evidence_px, drawer_px] = *panes;
    let style =
        format!("--gl-list:{list_px}px;--gl-evidence:{evidence_px}px;--gl-drawer:{drawer_px}px");
    let (list_folded, evidence_folded) = props.folded;
    let class = classes!(
        "gl-postings",
        list_folded.then_some("is-list-folded"),
        evidence_folded.then_some("is-evidence-folded"),
    );
    html! {
        <div {class} data-panel={panel} {style}>
            { view_panels(&shell, props.panel) }
            <List current={props.current.clone()} nudge={props.nudge} running={props.running} />
            <Splitter label="width of the list" grows={Grows::Right} size={list_px} bounds={(200, 420)} on_size={resize(0)} on_done={keep.clone()} />
            <div class="gl-middle" id="panel-card">{ middle }</div>
            <Splitter label="width of the evidence" grows={Grows::Left} size={evidence_px} bounds={(260, 560)} on_size={resize(1)} on_done={keep.clone()} />
            { aside }
            if let Some(subject) = props.subject.clone() {
                <Splitter label="height of the details" grows={Grows::Up} size={drawer_px} bounds={(90, 480)} on_size={resize(2)} on_done={keep} />
                <Drawer {subject} {posting} drawn={props.drawn.clone()} />
            }
        </div>
    }
}

/// A look back at the card's run.
struct Past {
    /// What was known then, and its card, in which nothing can be edited.
    known: Option<(Rc<KnownView>, Rc<CardView>)>,
    /// Begins to look back, at the end of the run, or goes back to now.
    toggle: Callback<()>,
    /// Where it is looked back to, while it is.
    scrubber: Html,
}

/// Looks back at a run; another run begins with now.
#[yew::hook]
fn use_past(run: Option<RunId>) -> Past {
    let wanted = use_state_eq(|| None::<(RunId, u64)>);
    let shown = use_mut_ref(|| None::<Rc<KnownView>>);
    let offset = match (&*wanted, &run) {
        (Some((of, offset)), Some(run)) if of == run => Some(*offset),
        _ => None,
    };
    let asked = run.clone().zip(offset);
    let query = asked.map(|(run, offset)| ViewQuery::Known { run, offset });
    let state = use_view(query);
    let mut trouble = None;
    match (&state, offset) {
        (_, None) => *shown.borrow_mut() = None,
        (ViewState::Ready(data), _) => {
            if let ViewData::Known(known) = &**data {
                *shown.borrow_mut() = Some(Rc::new((**known).clone()));
            }
        }
        (ViewState::Failed(error), _) => trouble = Some(error.clone()),
        // What was shown before stands until the next is there.
        (ViewState::Loading, _) => {}
    }
    let known = shown.borrow().clone();
    let go = {
        let (wanted, run) = (wanted.clone(), run.clone());
        Callback::from(move |to: Option<u64>| {
            wanted.set(run.clone().zip(to));
            if to.is_none() {
                dom::next_frame(|| dom::focus_id("replay"));
            }
        })
    };
    let toggle = {
        let go = go.clone();
        Callback::from(move |()| go.emit(offset.is_none().then_some(u64::MAX)))
    };
    let scrubber = match (run, offset) {
        (Some(run), Some(offset)) => {
            html! { <Scrubber {run} {offset} known={known.clone()} {trouble} on={go} /> }
        }
        _ => Html::default(),
    };
    let known = known.map(|known| {
        let card = CardView {
            posting: None,
            drafts: Vec::new(),
            ..known.card.clone()
        };
        (known, Rc::new(card))
    });
    Past {
        known,
        toggle,
        scrubber,
    }
}

fn card_of(state: &ViewState) -> Option<Rc<CardView>> {
    match state {
        ViewState::Ready(data) => match &**data {
            ViewData::Card(card) => Some(Rc::new((**card).clone())),
            _ => None,
        },
        _ => None,
    }
}

/// Each run has words of its own.
fn evidence_key(card: &CardView) -> String {
    let run = card.run.as_ref().map(ToString::to_string);
    let posting = card.posting.map(|posting| posting.to_string());
    run.or(posting).unwrap_or_default()
}

/// Tells the window whose card is shown, and screen readers when its run ends.
#[yew::hook]
fn use_announce(shell: &Shell, subject: Option<&Subject>, card: Option<&Rc<CardView>>) {
    let before = use_mut_ref(|| None::<(Option<ghostlight_model::RunId>, Option<RunStatus>)>);
    let ask = shell.ask.clone();
    let deps = (subject.cloned(), card.cloned());
    use_effect_with(deps, move |(subject, card)| {
        let (Some(subject), Some(card)) = (subject, card) else {
            return;
        };
        ask.emit(Ask::Showing(Current {
            subject: subject.clone(),
            posting: card.posting,
            title: card.title.clone(),
            verdict: card
                .verdict
                .as_ref()
                .map(|v| (v.word.clone(), v.note.clone())),
            ended: card.status != Some(RunStatus::Running),
            run: card.run.clone(),
            url: card.url.clone(),
            fields: card.fields.iter().map(|field| field.key.clone()).collect(),
        }));
        let now = Some((card.run.clone(), card.status));
        let ended = card.status != Some(RunStatus::Running);
        // A quick run may have ended before its card was first drawn.
        let just_begun = matches!(subject, Subject::Run(_));
        let was_running =
            matches!(&*before.borrow(), Some((run, Some(RunStatus::Running))) if *run == card.run);
        let is_news = *before.borrow() != now && (was_running || just_begun);
        if ended && is_news {
            ask.emit(Ask::Announce(card::summary(card)));
        }
        *before.borrow_mut() = now;
    });
}

/// In a narrow window one part is shown at a time; `app.css` shows these tabs only there.
fn view_panels(shell: &Shell, panel: Panel) -> Html {
    const PANELS: [(Panel, &str); 3] = [
        (Panel::List, "List"),
        (Panel::Card, "Card"),
        (Panel::Evidence, "Evidence"),
    ];
    let active = PANELS.iter().position(|(p, _)| *p == panel).unwrap_or(1);
    let ask = shell.ask.clone();
    let on_change = Callback::from(move |tab: usize| {
        if let Some((panel, _)) = PANELS.get(tab) {
            ask.emit(Ask::Panel(*panel));
        }
    });
    let tabs: Vec<AttrValue> = PANELS.map(|(_, label)| AttrValue::from(label)).into();
    html! { <div class="gl-panels"><Tabs id="panel" has_panel={false} label="parts" {tabs} {active} {on_change} /></div> }
}

#[derive(Properties, PartialEq)]
struct ListProps {
    current: Option<Current>,
    nudge: (u32, i32),
    running: u32,
}

#[component]
fn List(props: &ListProps) -> Html {
    let shell = use_shell();
    let order = use_state_eq(PostingOrder::default);
    let total = use_state_eq(|| None::<u32>);
    let on_total = {
        let total = total.clone();
        Callback::from(move |n| total.set(Some(n)))
    };
    let on_order = {
        let order = order.clone();
        Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            order.set(match select.map(|s| s.value()).as_deref() {
                Some("doubt") => PostingOrder::Doubt,
                Some("title") => PostingOrder::Title,
                _ => PostingOrder::Recent,
            });
        })
    };
    let zone = shell.zone();
    let render = Callback::from(move |row: RowAt| match &*row.data {
        ViewData::Postings(page) => page
            .rows
            .get(row.at)
            .map(|row| view_posting(row, zone))
            .unwrap_or_default(),
        _ => Html::default(),
    });
    let on_choose = {
        let ask = shell.ask.clone();
        Callback::from(move |row: RowAt| {
            if let ViewData::Postings(page) = &*row.data
                && let Some(row) = page.rows.get(row.at)
            {
                ask.emit(Ask::Select(Subject::Posting(row.posting)));
            }
        })
    };
    let on_enter = {
        let ask = shell.ask.clone();
        Callback::from(move |()| {
            ask.emit(Ask::Panel(Panel::Card));
            dom::next_frame(|| dom::focus_id("field-title"));
        })
    };
    let chosen = props.current.as_ref().and_then(|c| c.posting);
    let chosen = chosen.map(|posting| AttrValue::from(posting.to_string()));
    let count = match *total {
        None => "Postings".to_owned(),
        Some(n) => format::plural(n.into(), "posting", "postings"),
    };
    let empty = if props.running > 0 {
        html! { <p class="gl-hint">{ "The first posting appears here as soon as it has been read." }</p> }
    } else {
        html! { <p class="gl-hint">{ "Postings you check are kept here, also offline." }</p> }
    };
    let option = |value: &'static str, this: PostingOrder, label: &'static str| {
        html! { <option key={value} {value} selected={*order == this}>{ label }</option> }
    };
    let export = Ask::Export(Box::new(Choice::of_postings(*order)));
    html! {
        <section class="gl-postlist" aria-label="postings">
            <div class="gl-bar">
                <span class="gl-fill">{ count }</span>
                <button type="button" class="pf-v6-c-button pf-m-plain pf-m-small" aria-label="Export these…" title="Take these postings away as a file" onclick={shell.asks(export)}>{ Icon::Save.draw() }</button>
                <label class="gl-order"><span class="gl-unseen">{ "Order" }</span>
                    <select onchange={on_order}>
                        { option("recent", PostingOrder::Recent, "by date") }
                        { option("doubt", PostingOrder::Doubt, "by doubt") }
                        { option("title", PostingOrder::Title, "by title") }
                    </select>
                </label>
            </div>
            <VirtualList id="postings" source={Source::Postings(*order)} kind={Kind::Listbox} label="postings" row_px={POSTING_PX} {render} {on_choose} {on_enter} {chosen} nudge={props.nudge} {empty} {on_total} />
        </section>
    }
}

fn view_posting(row: &PostingRow, zone: format::Zone) -> Html {
    let place = [&row.company, &row.place]
        .into_iter()
        .filter(|s| !s.is_empty());
    let place = place.cloned().collect::<Vec<_>>().join(" · ");
    let place = if place.is_empty() {
        "employer not known".to_owned()
    } else {
        place
    };
    let now = dom::now();
    let exact = format::date_time(row.updated, zone);
    html! {
        <>
            <span class="gl-posting__title gl-cut" title={row.title.clone()}>{ &row.title }</span>
            <span class="gl-posting__line">
                <span class="gl-cut gl-dim" title={place.clone()}>{ place }</span>
                { view_status(row) }
                <span class="gl-unseen" title={exact}>{ format!(", {}", format::ago(now, row.updated, zone)) }</span>
            </span>
        </>
    }
}

/// The one thing worth knowing of a posting in the list.
fn view_status(row: &PostingRow) -> Html {
    match (row.progress, &row.failure, &row.verdict, row.level) {
        (Some((found, all)), ..) => html! {
            <span class="gl-posting__status gl-accent gl-num" title="Fields found so far">{ Icon::Dot.draw() }{ format!("{found} / {all}") }</span>
        },
        (None, Some(failure), ..) => html! {
            <span class="gl-posting__status gl-bad" title={failure.clone()}>{ Icon::Cross.draw() }{ "failed" }</span>
        },
        (None, None, Some(verdict), _) => html! {
            <span class="gl-posting__status gl-accent" title="Your verdict">{ Icon::Pen.draw() }{ words::label_of(verdict).to_lowercase() }</span>
        },
        (None, None, None, Some(level)) => html! {
            <span class={classes!("gl-posting__status", bits::level_class(level))}>{ bits::level_icon(level).draw() }{ level.label().to_lowercase() }</span>
        },
        (None, None, None, None) => {
            html! { <span class="gl-posting__status gl-dim">{ "not assessed" }</span> }
        }
    }
}

#[derive(Properties, PartialEq)]
struct WelcomeProps {
    health: ViewState,
}

/// What stands in the middle when nothing is selected.
#[component]
fn Welcome(props: &WelcomeProps) -> Html {
    let shell = use_shell();
    let known = match &props.health {
        ViewState::Loading => return card::view_loading(),
        ViewState::Failed(error) => {
            let retry = Callback::from(|()| views::retry(&ViewQuery::Health));
            return bits::trouble(error, retry);
        }
        ViewState::Ready(data) => match &**data {
            ViewData::Health(health) => health.postings,
            _ => 0,
        },
    };
    let keys = |action| shell.keys.words(action).into_iter().next();
    if known > 0 {
        let next = keys(Action::Next).map(|key| html! { <>{ ", or press " }<kbd class="gl-key">{ key }</kbd>{ " for the next" }</> });
        return html! {
            <div class="gl-welcome">
                <h1>{ "Choose a posting" }</h1>
                <p>{ "Select one in the list" }{ next }{ ". Drop a saved page anywhere to check another." }</p>
            </div>
        };
    }
    let sheet = keys(Action::Sheet).map(|key| format!(" Press {key} for the keyboard shortcuts."));
    html! {
        <div class="gl-welcome">
            { crate::icons::orb() }
            <h1>{ "Check your first posting" }</h1>
            <p>{ "Give Ghostlight a job posting and it shows what the page says, how sure that is, the words it came from, and which facts suggest that nobody means to fill the position." }</p>
            <ul class="gl-ways">
                <li>{ Icon::Folder.draw() }<span>{ "Drop a saved page here, or open it: HTML, plain text or an ATS answer." }</span></li>
                <li>{ Icon::Right.draw() }<span>{ "Type its address into the box above." }</span></li>
                <li>{ Icon::Clipboard.draw() }<span>{ "Copy its text and press " }<kbd class="gl-key">{ "Ctrl V" }</kbd>{ "." }</span></li>
            </ul>
            <div class="gl-welcome__actions">
                <button type="button" class="pf-v6-c-button pf-m-primary" onclick={shell.asks(Ask::Analyse(Input::Files))}>{ "Open a file" }</button>
                <button type="button" class="gl-link" onclick={shell.asks(Ask::Analyse(Input::Samples))}>{ "Load the sample postings" }</button>
            </div>
            <p class="gl-small gl-dim">{ "Everything stays on this computer." }{ sheet }</p>
        </div>
    }
}
