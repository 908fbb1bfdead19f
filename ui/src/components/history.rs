//! The history of a posting: its versions with filters, undo and redo, branches; any version compared or brought back
//! (SPEC E1–E3).

use crate::{
    backend,
    components::{
        bits,
        calendar::DayInput,
        virtual_list::{Kind, RowAt, Source, VirtualList},
    },
    dom,
    hooks::use_state_for,
    icons::Icon,
    shell::{Ask, Dialog, Shell, ToastKind, use_shell},
    state::{
        biography::{change_says, change_words, kind_word},
        commands::Action,
        export::Choice,
        format,
        timeline::{self, Narrowed, When},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    command::{Redo, SwitchBranch, Undo, Undone},
    view::{BranchesView, ChangeRow, ReversalView, TimelinePartsView, VersionRow},
};
use ghostlight_model::{CommitId, FieldKey, Micros, PostingId, Source as Said};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlSelectElement};
use yew::{
    AttrValue, Callback, Event, FocusEvent, Html, KeyboardEvent, MouseEvent, Properties, classes,
    component, html, use_callback, use_memo,
};

/// Height of a row in CSS pixels; `app.css` says the same.
const VERSION_PX: u32 = 44;

/// Properties of [`History`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of which posting.
    pub posting: PostingId,
    /// The field whose changes are to be shown, if one was asked for; counted, so that the same can be asked for again.
    pub field: (u32, Option<FieldKey>),
}

/// See the module.
#[component]
pub fn History(props: &Props) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    let (narrowed, on_narrow) = use_state_for(&(posting, props.field.clone()), || Narrowed {
        field: props.field.1.clone(),
        ..Narrowed::default()
    });
    let parts_state: ViewState = use_view(Some(ViewQuery::TimelineParts(posting)));
    let query = ViewQuery::Branches(posting);
    let state: ViewState = use_view(Some(query));
    // The tools stand there together: one that came later would move the others from under a pointer.
    let stand = ![&parts_state, &state].contains(&&ViewState::Loading);
    let parts = use_memo(parts_state, parts_of);
    let branches = match &state {
        ViewState::Ready(data) => match &**data {
            ViewData::Branches(branches) => Some((**branches).clone()),
            _ => None,
        },
        _ => None,
    };
    let head = branches.as_ref().and_then(head_of);
    // The version that another one is to be compared with, and when it was made.
    let (first, mark) = use_state_for(&posting, || None::<Marked>);
    let onkeydown = {
        let mark = mark.clone();
        let marking = first.is_some();
        Callback::from(move |event: KeyboardEvent| {
            if marking && event.key() == "Escape" {
                event.prevent_default();
                mark.emit(None);
            }
        })
    };
    let zone = shell.zone();
    let render = use_callback(
        (zone, posting, head, shell.clone(), first, mark.clone()),
        |row: RowAt, (zone, posting, head, shell, first, mark)| match &*row.data {
            ViewData::Timeline(page) => {
                let pair = (*first, mark);
                let version = page.rows.get(row.at);
                version
                    .map(|version| view_version(shell, version, *zone, (*posting, *head), pair))
                    .unwrap_or_default()
            }
            _ => Html::default(),
        },
    );
    let (filter, wrong) = narrowed.filter(zone, format::day(dom::now(), zone));
    let empty = match narrowed == Narrowed::default() {
        true => {
            html! { <p class="gl-hint">{ "No change yet. A finished analysis or an edit is the first." }</p> }
        }
        false => html! { <p class="gl-hint">{ "No change is like that." }</p> },
    };
    let export = Ask::Export(Box::new(Choice::of_history(
        posting,
        &filter,
        wrong.clone(),
    )));
    let source = Source::Timeline(posting, filter);
    html! {
        <div class="gl-log" {onkeydown}>
            if let Some(first) = first { { view_marking(first, &mark) } }
            <div class="gl-log__bar" role="group" aria-label="history tools">
                if stand {
                    { branches.as_ref().map(|branches| view_branches(&shell, posting, branches)).unwrap_or_default() }
                    { view_filters(&narrowed, &parts, &on_narrow) }
                    { view_days(&narrowed, wrong, &on_narrow) }
                    <button type="button" class="gl-link gl-small" title="Take these changes away as a file" onclick={shell.asks(export)}>{ "Export these…" }</button>
                    <span class="gl-fill"></span>
                    { branches.as_ref().map(|branches| view_reversals(&shell, posting, branches)).unwrap_or_default() }
                }
            </div>
            <VirtualList id="history" {source} kind={Kind::Lines} label="history" row_px={VERSION_PX} {render} {empty} />
        </div>
    }
}

/// A version that another one is to be compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Marked {
    id: CommitId,
    at: Micros,
}

/// What is to be done next, and the way out.
fn view_marking(first: Marked, mark: &Callback<Option<Marked>>) -> Html {
    let stop = mark.reform(|_: MouseEvent| None);
    html! {
        <p class="gl-marking gl-small" role="status">
            { Icon::Two.draw() }
            <span>{ format!("Comparing version {}: choose another one.", short_id(first.id)) }</span>
            <button type="button" class="gl-link" onclick={stop}>{ "Cancel" }</button>
        </p>
    }
}

/// As many digits of a version as people read out.
pub fn short_id(id: CommitId) -> String {
    id.to_string().chars().take(8).collect()
}

/// The head of the checked-out branch.
fn head_of(branches: &BranchesView) -> Option<CommitId> {
    let mut all = branches.branches.iter();
    all.find(|branch| branch.current).map(|branch| branch.head)
}

fn parts_of(state: &ViewState) -> Rc<TimelinePartsView> {
    match state {
        ViewState::Ready(data) => match &**data {
            ViewData::TimelineParts(parts) => Rc::new(parts.clone()),
            _ => Rc::default(),
        },
        _ => Rc::default(),
    }
}

/// By field, author, source and time. Fields of the person's own are those of this history.
fn view_filters(
    narrowed: &Narrowed,
    parts: &TimelinePartsView,
    on_narrow: &Callback<Narrowed>,
) -> Html {
    let changed = |set: fn(&mut Narrowed, Option<String>)| {
        let (narrowed, on_narrow) = (narrowed.clone(), on_narrow.clone());
        Callback::from(move |event: Event| {
            let mut next = narrowed.clone();
            set(&mut next, chosen(&event).filter(|value| !value.is_empty()));
            on_narrow.emit(next);
        })
    };
    let on_field = changed(|next, value| next.field = value.map(|v| FieldKey::from(v.as_str())));
    let on_author = changed(|next, value| next.author = value);
    let on_source = changed(|next, value| {
        next.source =
            value.and_then(|value| SOURCES.iter().find(|(_, w, _)| *w == value).map(|s| s.0));
    });
    let on_when = changed(|next, value| {
        next.when = When::of_word(value.as_deref().unwrap_or_default(), &next.when);
    });
    let mut fields: Vec<FieldKey> = FieldKey::DETECTED
        .into_iter()
        .chain([FieldKey::Verdict, FieldKey::Outcome])
        .collect();
    for field in parts.fields.iter().chain(&narrowed.field) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    let more = (parts.more > 0).then(|| {
        let words = format!("{} more: ghostlight log", format::count(parts.more.into()));
        html! { <option value="" disabled={true}>{ words }</option> }
    });
    let when = narrowed.when.word();
    html! {
        <>
            <label class="gl-order"><span class="gl-unseen">{ "Field" }</span><select aria-label="Field" onchange={on_field}>
                <option value="" selected={narrowed.field.is_none()}>{ "every field" }</option>
                { for fields.iter().map(|field| html! { <option key={field.name().to_owned()} value={field.name().to_owned()} selected={narrowed.field.as_ref() == Some(field)}>{ field.label() }</option> }) }
                { more.clone().unwrap_or_default() }
            </select></label>
            <label class="gl-order"><span class="gl-unseen">{ "Author" }</span><select aria-label="Author" onchange={on_author}>
                <option value="" selected={narrowed.author.is_none()}>{ "everybody" }</option>
                { for parts.authors.iter().map(|author| html! { <option key={author.id.clone()} value={author.id.clone()} selected={narrowed.author.as_ref() == Some(&author.id)}>{ format::author(&author.name) }</option> }) }
                { more.unwrap_or_default() }
            </select></label>
            <label class="gl-order"><span class="gl-unseen">{ "Source" }</span><select aria-label="Source" onchange={on_source}>
                <option value="" selected={narrowed.source.is_none()}>{ "every source" }</option>
                { for SOURCES.iter().map(|(source, word, label)| html! { <option key={*word} value={*word} selected={narrowed.source == Some(*source)}>{ *label }</option> }) }
            </select></label>
            <label class="gl-order"><span class="gl-unseen">{ "When" }</span><select aria-label="When" onchange={on_when}>
                { for When::ALL.iter().map(|(word, label)| html! { <option key={*word} value={*word} selected={*word == when}>{ *label }</option> }) }
            </select></label>
        </>
    }
}

/// The days that are meant, where they are typed.
fn view_days(narrowed: &Narrowed, wrong: Option<String>, on_narrow: &Callback<Narrowed>) -> Html {
    let When::Days { from, until } = &narrowed.when else {
        return Html::default();
    };
    let typed = |set: fn(&mut When, String)| {
        let (narrowed, on_narrow) = (narrowed.clone(), on_narrow.clone());
        Callback::from(move |text: String| {
            let mut next = narrowed.clone();
            set(&mut next.when, text);
            on_narrow.emit(next);
        })
    };
    let on_from = typed(|when, text| {
        if let When::Days { from, .. } = when {
            *from = text;
        }
    });
    let on_until = typed(|when, text| {
        if let When::Days { until, .. } = when {
            *until = text;
        }
    });
    let input = |name: &'static str, field: &'static str, text: &str, on: Callback<String>| {
        let day = timeline::day(text);
        let invalid = day.is_err().then_some("true");
        let day = day.ok().flatten();
        html! { <DayInput {field} label={name} help="history-days-help" {invalid} text={text.to_owned()} {day} {on} /> }
    };
    html! {
        <div class="gl-log__days" role="group" aria-label="days">
            <span class="gl-dim">{ "from" }</span>
            { input("From", "the first day", from, on_from) }
            <span class="gl-dim">{ "to" }</span>
            { input("To", "the last day", until, on_until) }
            <span id="history-days-help" class="gl-small gl-bad" role="status">{ wrong.unwrap_or_default() }</span>
        </div>
    }
}

/// Sources with their word and how the filter calls them.
const SOURCES: [(Said, &str, &str); 3] = [
    (Said::User, "user", "typed by people"),
    (Said::Parsing, "parsing", "found on pages"),
    (Said::Ai, "ai", "from the model"),
];

fn chosen(event: &Event) -> Option<String> {
    let select = event.target()?.dyn_into::<HtmlSelectElement>().ok()?;
    Some(select.value())
}

fn view_branches(shell: &Shell, posting: PostingId, branches: &BranchesView) -> Html {
    let current = branches.branches.iter().find(|branch| branch.current);
    let name = current
        .map(|branch| branch.name.clone())
        .unwrap_or_default();
    let onchange = {
        let shell = shell.clone();
        Callback::from(move |event: Event| {
            if let Some(name) = chosen(&event) {
                switch(&shell, posting, name);
            }
        })
    };
    let others: Vec<&str> = branches
        .branches
        .iter()
        .filter(|branch| !branch.current)
        .map(|branch| branch.name.as_str())
        .collect();
    let merge = match others.as_slice() {
        [] => Html::default(),
        _ => {
            html! { <button type="button" class="gl-link gl-small" title="Bring another branch's changes into this one" onclick={shell.asks(Ask::Open(Dialog::Merge(posting)))}>{ "Merge…" }</button> }
        }
    };
    html! {
        <>
            <label class="gl-order"><span class="gl-unseen">{ "Branch" }</span>
                <select aria-label="Branch" {onchange}>
                    { for branches.branches.iter().map(|branch| html! { <option key={branch.name.clone()} value={branch.name.clone()} selected={branch.name == name}>{ format!("on {}", branch.name) }</option> }) }
                </select>
            </label>
            <button type="button" class="gl-link gl-small" disabled={current.is_none()} title="Try something without changing this branch" onclick={shell.asks(Ask::Open(Dialog::Branch(posting, None)))}>{ "New branch…" }</button>
            { merge }
        </>
    }
}

/// Checks a branch out.
pub fn switch(shell: &Shell, posting: PostingId, name: String) {
    let shell = shell.clone();
    spawn_local(async move {
        let words = format!("The card shows {name} now; edits go there.");
        match backend::call(SwitchBranch { posting, name }).await {
            Ok(()) => shell.ask.emit(Ask::Announce(words)),
            Err(error) => shell.error(&error),
        }
    });
}

fn view_reversals(shell: &Shell, posting: PostingId, branches: &BranchesView) -> Html {
    let button = |redo: bool, reversal: &ReversalView| {
        let (ready, title) = match reversal {
            _ if !redo && branches.merge_above.is_some() => (
                true,
                "Take back the merge, your change before it…".to_owned(),
            ),
            ReversalView::Ready(changes) => (true, change_words(changes)),
            ReversalView::No(error) => (false, error.message.clone()),
        };
        let (word, action) = match redo {
            false => ("Undo", Action::Undo),
            true => ("Redo", Action::Redo),
        };
        let title = shell.keys.hint(&title, action);
        let shell = shell.clone();
        let onclick = Callback::from(move |_: MouseEvent| take_back(&shell, posting, redo));
        html! { <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" disabled={!ready} {title} {onclick}>{ word }</button> }
    };
    html! { <>{ button(false, &branches.undo) }{ button(true, &branches.redo) }</> }
}

/// Undoes the person's latest change, or does it again; says what became of it, or why not. A merge above it is not
/// passed over: what to do about it is asked.
pub fn take_back(shell: &Shell, posting: PostingId, redo: bool) {
    let key = dom::fresh_key();
    let undo = Undo {
        posting,
        past_merge: false,
        key: key.clone(),
    };
    let shell = shell.clone();
    spawn_local(async move {
        let done: Result<Undone, ApiError> = match redo {
            false => backend::call(undo).await,
            true => backend::call(Redo { posting, key }).await.map(Undone::Done),
        };
        match done {
            Ok(Undone::Done(_)) => {
                let words = if redo { "Done again." } else { "Taken back." };
                shell.ask.emit(Ask::Announce(words.into()));
            }
            Ok(Undone::MergeAbove(merge)) => {
                let dialog = Dialog::Unmerge(posting, merge, true);
                shell.ask.emit(Ask::Open(dialog));
            }
            Err(error) => {
                let hint = error.hint.clone().unwrap_or_default();
                let toast = Ask::Toast(ToastKind::Warning, error.message, hint);
                shell.ask.emit(toast);
            }
        }
    });
}

fn view_version(
    shell: &Shell,
    version: &VersionRow,
    zone: format::Zone,
    (posting, head): (PostingId, Option<CommitId>),
    (first, mark): (Option<Marked>, &Callback<Option<Marked>>),
) -> Html {
    let icon = match (version.kind.as_str(), version.by_person) {
        ("merge", _) => Icon::Two,
        (_, true) => Icon::Pen,
        (_, false) => Icon::Pulse,
    };
    let exact = format::date_time(version.at, zone);
    let id = version.id;
    let is_head = head == Some(id);
    let short = short_id(id);
    let pair = view_pair(shell, posting, version, (first, mark));
    let compare = head.filter(|_| !is_head).map(|head| {
        let dialog = Dialog::Compare(posting, id, head);
        html! { <button type="button" class="gl-link gl-small" title="What is different now" onclick={shell.asks(Ask::Open(dialog))}>{ "Compare" }</button> }
    });
    let restore = head.filter(|_| !is_head).map(|head| {
        let dialog = Dialog::Restore(posting, id, head);
        html! { <button type="button" class="gl-link gl-small" title="Bring these values back by a new version" onclick={shell.asks(Ask::Open(dialog))}>{ "Restore…" }</button> }
    });
    let unmerge = head.filter(|_| version.kind == "merge").map(|_| {
        let dialog = Dialog::Unmerge(posting, id, false);
        html! { <button type="button" class="gl-link gl-small" title="Bring back what one side said, by a new version" onclick={shell.asks(Ask::Open(dialog))}>{ "Take back…" }</button> }
    });
    html! {
        <div class="gl-commit">
            { icon.draw() }
            <div class="gl-commit__text">
                <p class="gl-cut">
                    <span class="gl-strong">{ format::author(&version.author) }</span>{ " " }
                    <span>{ kind_word(&version.kind) }{ " " }{ &version.message }</span>
                    { for version.branches.iter().map(|name| html! { <span key={name.clone()} class="gl-chip">{ name }</span> }) }
                </p>
                { view_changes(shell, &version.changes) }
            </div>
            <span class={classes!("gl-commit__acts", first.is_some().then_some("is-choosing"))}>
                { pair }
                { compare.unwrap_or_default() }
                { restore.unwrap_or_default() }
                { unmerge.unwrap_or_default() }
                if !is_head { <button type="button" class="gl-link gl-small" title="A branch that begins here" onclick={shell.asks(Ask::Open(Dialog::Branch(posting, Some(id))))}>{ "Branch…" }</button> } else { { bits::unseen("current version") } }
            </span>
            <span class="gl-dim" title={exact}>{ format::ago(dom::now(), version.at, zone) }</span>
            <code class="gl-dim" title={AttrValue::from(id.to_string())}>{ short }</code>
        </div>
    }
}

/// What a version changed; each field's name leads to the field.
fn view_changes(shell: &Shell, changes: &[ChangeRow]) -> Html {
    let one = |(at, change): (usize, &ChangeRow)| {
        let label = change.field.label();
        let says = format!(": {}", change_says(change));
        html! {
            <span key={change.field.name().to_owned()}>
                if at > 0 { { " · " } }
                <button type="button" class="gl-commit__field" title={format!("Show {label} on the card")} onclick={shell.asks(Ask::Field(change.field.clone()))}>{ label }</button>
                { says }
            </span>
        }
    };
    // A field that the line cuts off is brought into it by the focus; without the focus it begins at its beginning again.
    let onfocusout = Callback::from(|event: FocusEvent| {
        let button = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        let line = button.and_then(|button| button.closest("p").ok().flatten());
        line.iter().for_each(|line| line.set_scroll_left(0));
    });
    html! { <p class="gl-cut gl-dim" title={change_words(changes)} {onfocusout}>{ for changes.iter().enumerate().map(one) }</p> }
}

/// Marks a version for comparing, or compares it with the marked one, the older on the left.
fn view_pair(
    shell: &Shell,
    posting: PostingId,
    version: &VersionRow,
    (first, mark): (Option<Marked>, &Callback<Option<Marked>>),
) -> Html {
    let own = Marked {
        id: version.id,
        at: version.at,
    };
    let (label, title, does): (_, _, Callback<MouseEvent>) = match first {
        None => (
            "Compare with…",
            "Then choose the version to compare it with",
            mark.reform(move |_| Some(own)),
        ),
        Some(first) if first.id == own.id => (
            "Not this one",
            "Compare nothing",
            mark.reform(|_: MouseEvent| None),
        ),
        Some(first) => {
            let (old, new) = match first.at <= own.at {
                true => (first.id, own.id),
                false => (own.id, first.id),
            };
            let (ask, mark) = (shell.ask.clone(), mark.clone());
            let does = Callback::from(move |_: MouseEvent| {
                mark.emit(None);
                ask.emit(Ask::Open(Dialog::Compare(posting, old, new)));
            });
            ("With this one", "What differs between the two", does)
        }
    };
    html! { <button type="button" class="gl-link gl-small" {title} onclick={does}>{ label }</button> }
}
