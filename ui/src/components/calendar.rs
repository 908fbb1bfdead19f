//! The input of a date: typing is the main way, and a small calendar stands beside it (WAI-ARIA *Date Picker Dialog*).
//!
//! Which day a key leads to stands in [`crate::state::calendar`].

use crate::{
    components::keys::press,
    dom::{self, Listener},
    icons::Icon,
    shell::use_shell,
    state::{
        calendar::{day_words, heads, month_words, months_on, place, step, week_start, weeks},
        commands::Action,
        format,
    },
};
use ghostlight_model::Day;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};
use yew::{
    AttrValue, Callback, FocusEvent, Html, InputEvent, KeyboardEvent, MouseEvent, NodeRef,
    Properties, TargetCast, classes, component, html, use_effect_with, use_node_ref, use_state_eq,
};

/// Properties of [`DayInput`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What the field is called, for the calendar's name.
    pub field: AttrValue,
    /// The input's accessible name.
    pub label: AttrValue,
    /// The input's id, where a label names it.
    #[prop_or_default]
    pub id: Option<AttrValue>,
    /// The id of what describes it.
    pub help: AttrValue,
    /// Whether the text is no date.
    pub invalid: Option<&'static str>,
    /// What is typed.
    pub text: String,
    /// The day that it means, if it means one.
    pub day: Option<Day>,
    /// Told of another text.
    pub on: Callback<String>,
}

/// See the module.
#[component]
pub fn DayInput(props: &Props) -> Html {
    let (whole, input) = (use_node_ref(), use_node_ref());
    let open = use_state_eq(|| false);
    let oninput = {
        let on = props.on.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                on.emit(input.value());
            }
        })
    };
    let onkeydown = {
        let open = open.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.alt_key() && event.key() == "ArrowDown" {
                event.prevent_default();
                event.stop_propagation();
                open.set(true);
            }
        })
    };
    let close = {
        let (input, open) = (input.clone(), open.clone());
        Callback::from(move |()| {
            // First, since a focus that goes with its element would leave the editor.
            let input = input.cast::<Element>();
            input.iter().for_each(dom::focus);
            open.set(false);
        })
    };
    let toggle = {
        let (open, close) = (open.clone(), close.clone());
        Callback::from(move |_: MouseEvent| match *open {
            true => close.emit(()),
            false => open.set(true),
        })
    };
    let on_choose = {
        let (on, close) = (props.on.clone(), close.clone());
        Callback::from(move |day: Day| {
            on.emit(day.to_string());
            close.emit(());
        })
    };
    let onfocusout = {
        let (whole, open) = (whole.clone(), open.clone());
        Callback::from(move |event: FocusEvent| {
            if !dom::focus_stays(&event, &whole) {
                open.set(false);
            }
        })
    };
    let name = format!("Choose a day for {}", props.field);
    html! {
        <div ref={whole.clone()} class="gl-day" {onfocusout}>
            <div class="gl-day__input">
                <input ref={input} id={props.id.clone()} data-first="" type="text" autocomplete="off" spellcheck="false" placeholder="2026-03-05" aria-label={props.label.clone()} aria-describedby={props.help.clone()} aria-invalid={props.invalid} value={props.text.clone()} {oninput} {onkeydown} />
                <button type="button" tabindex="-1" aria-label={name.clone()} aria-haspopup="dialog" aria-expanded={open.to_string()} title="Choose a day (Alt ↓)" onmousedown={keep_focus()} onclick={toggle}>{ Icon::Calendar.draw() }</button>
            </div>
            if *open { <Calendar {name} day={props.day} beside={whole} {on_choose} on_close={close} /> }
        </div>
    }
}

/// A press leaves the focus where it is: where it went to nothing, the editor would be left.
fn keep_focus() -> Callback<MouseEvent> {
    Callback::from(|event: MouseEvent| event.prevent_default())
}

#[derive(Properties, PartialEq)]
struct CalendarProps {
    name: AttrValue,
    /// The day that stands in the input.
    day: Option<Day>,
    /// What it stands beside.
    beside: NodeRef,
    on_choose: Callback<Day>,
    on_close: Callback<()>,
}

/// The month of a day, with the focus on one of its days. It lies above everything, so nothing moves for it.
#[component]
fn Calendar(props: &CalendarProps) -> Html {
    let shell = use_shell();
    let node = use_node_ref();
    let today = format::day(dom::now(), shell.zone());
    let start = week_start(shell.preferences.weeks, dom::week_start());
    let begin = props.day.unwrap_or(today);
    // The day that the keys are on, and whether the focus goes with it.
    let at = use_state_eq(|| (begin, true));
    let (day, follows) = *at;
    use_place(&node, &props.beside);
    {
        let node = node.clone();
        use_effect_with((day, follows), move |(_, follows)| {
            let cell = node.cast::<Element>().filter(|_| *follows);
            let cell = cell.and_then(|node| node.query_selector("td[tabindex='0']").ok().flatten());
            cell.iter().for_each(dom::focus);
        });
    }
    let onkeydown = {
        let (at, node) = (at.clone(), node.clone());
        let (choose, close) = (props.on_choose.clone(), props.on_close.clone());
        let keys = shell.keys.clone();
        Callback::from(move |event: KeyboardEvent| {
            let key = event.key();
            // As in the input: what the window does by its keys waits, but for the command bar.
            if keys.is(press(&event, &key), Action::Bar) {
                return;
            }
            event.stop_propagation();
            if event.ctrl_key() || event.meta_key() {
                return;
            }
            let on_day = event
                .target_dyn_into::<Element>()
                .is_some_and(|element| element.tag_name() == "TD");
            match key.as_str() {
                "Escape" => close.emit(()),
                "Tab" => go_round(&node, event.shift_key()),
                "Enter" | " " if on_day => choose.emit(day),
                _ => match step(day, &key, event.shift_key(), start).filter(|_| on_day) {
                    Some(to) => at.set((to, true)),
                    None => return,
                },
            }
            event.prevent_default();
        })
    };
    let month = |by: i32, name: &'static str| {
        let at = at.clone();
        let onclick = Callback::from(move |_: MouseEvent| at.set((months_on(day, by), false)));
        html! { <button type="button" aria-label={name} title={name} {onclick}>{ Icon::Right.draw() }</button> }
    };
    let cell = |(place, shown): (usize, &Option<Day>)| match shown {
        None => html! { <td key={place}></td> },
        Some(shown) => view_day(*shown, (day, props.day, today), &props.on_choose),
    };
    let week = |(place, week): (usize, &[Option<Day>; 7])| html! { <tr key={place}>{ for week.iter().enumerate().map(cell) }</tr> };
    html! {
        <div ref={node} class="gl-cal" popover="manual" role="dialog" aria-modal="true" aria-label={props.name.clone()} onmousedown={keep_focus()} {onkeydown}>
            <div class="gl-cal__head">
                { month(-1, "Previous month") }
                <span id="gl-cal-month" class="gl-strong" aria-live="polite">{ month_words(day) }</span>
                { month(1, "Next month") }
            </div>
            <table role="grid" aria-labelledby="gl-cal-month">
                <thead><tr>{ for heads(start).map(|(short, long)| html! { <th key={long} scope="col" abbr={long}>{ short }</th> }) }</tr></thead>
                <tbody>{ for weeks(day, start).iter().enumerate().map(week) }</tbody>
            </table>
        </div>
    }
}

fn view_day(
    shown: Day,
    (at, chosen, today): (Day, Option<Day>, Day),
    on_choose: &Callback<Day>,
) -> Html {
    let is_chosen = chosen == Some(shown);
    let is_today = shown == today;
    let class = classes!(
        "gl-cal__day",
        is_chosen.then_some("is-chosen"),
        is_today.then_some("is-today"),
    );
    let onclick = on_choose.reform(move |_: MouseEvent| shown);
    html! {
        <td key={shown.to_string()} {class} role="gridcell" tabindex={if shown == at { "0" } else { "-1" }} aria-label={day_words(shown)} aria-selected={is_chosen.to_string()} aria-current={is_today.then_some("date")} {onclick}>{ shown.day() }</td>
    }
}

/// Shows the calendar beside its input, and keeps it there while something scrolls or the window gets another size.
#[yew::hook]
fn use_place(calendar: &NodeRef, beside: &NodeRef) {
    let (calendar, beside) = (calendar.clone(), beside.clone());
    use_effect_with((), move |()| {
        if let Some(element) = calendar.cast::<Element>() {
            dom::show_above(&element);
        }
        let stand = move || stand(&calendar, &beside);
        stand();
        let again = stand.clone();
        let listeners = (
            Listener::within(&dom::document(), "scroll", move |_| stand()),
            Listener::new(&dom::window(), "resize", move |_| again()),
        );
        move || drop(listeners)
    });
}

fn stand(calendar: &NodeRef, beside: &NodeRef) {
    let (Some(calendar), Some(beside)) = (calendar.cast::<HtmlElement>(), beside.cast::<Element>())
    else {
        return;
    };
    let (input, own) = (
        beside.get_bounding_client_rect(),
        calendar.get_bounding_client_rect(),
    );
    let input = (input.left(), input.top(), input.bottom());
    let (left, top) = place(input, (own.width(), own.height()), dom::view_size());
    // Fails for no property of this name only.
    let _ = calendar.style().set_property("left", &format!("{left}px"));
    let _ = calendar.style().set_property("top", &format!("{top}px"));
}

/// Tab stays in the calendar: its two buttons and the day.
fn go_round(node: &NodeRef, back: bool) {
    let Some(calendar) = node.cast::<Element>() else {
        return;
    };
    let Ok(stops) = calendar.query_selector_all("button, td[tabindex='0']") else {
        return;
    };
    let stops: Vec<Element> = (0..stops.length())
        .filter_map(|place| stops.item(place)?.dyn_into().ok())
        .collect();
    let active = dom::document().active_element();
    let here = stops.iter().position(|stop| Some(stop) == active.as_ref());
    let next = match (here, back) {
        (Some(here), true) => (here + stops.len() - 1) % stops.len(),
        (Some(here), false) => (here + 1) % stops.len(),
        (None, _) => 0,
    };
    stops.get(next).into_iter().for_each(dom::focus);
}
