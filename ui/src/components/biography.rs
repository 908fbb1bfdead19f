//! The biography of a posting (SPEC E5): one line of time over looks, decisions, reposts and closings, grouped by day, with
//! the quiet in between. Each entry opens what it is about: the captured text, the run, the version, the other posting.

use crate::{
    components::virtual_list::{Kind, RowAt, Source, VirtualList},
    shell::{Ask, Dialog, Shell, use_shell},
    state::{biography::words, format},
};
use ghostlight_api::{
    ViewData,
    view::{LifeEvent, LifeRow, LookRow, Subject, VersionRow},
};
use ghostlight_model::{Micros, PostingId};
use std::rc::Rc;
use yew::{Callback, Html, Properties, classes, component, html, use_callback, use_state_eq};

/// Height of a row in CSS pixels; `app.css` says the same.
const LIFE_PX: u32 = 44;

/// Properties of [`Biography`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Of which posting.
    pub posting: PostingId,
}

/// See the module.
#[component]
pub fn Biography(props: &Props) -> Html {
    let shell = use_shell();
    let posting = props.posting;
    let partly = use_state_eq(|| false);
    let on_page = {
        let partly = partly.clone();
        Callback::from(move |data: Rc<ViewData>| {
            if let ViewData::Biography(biography) = &*data {
                partly.set(biography.partly);
            }
        })
    };
    let zone = shell.zone();
    let render = use_callback(
        (zone, posting, shell.clone()),
        |row: RowAt, (zone, posting, shell)| match &*row.data {
            ViewData::Biography(biography) => biography
                .page
                .rows
                .get(row.at)
                .map(|life| view_life(shell, life, *zone, *posting))
                .unwrap_or_default(),
            _ => Html::default(),
        },
    );
    let empty = html! { <p class="gl-hint">{ "Nothing happened yet. The first look at the page begins it." }</p> };
    html! {
        <div class="gl-log">
            if *partly { <p class="gl-life__partly gl-small gl-dim">{ "Only the latest of a long life. All versions are in the history." }</p> }
            <VirtualList id="biography" source={Source::Biography(posting)} kind={Kind::Lines} label="biography" row_px={LIFE_PX} {render} {empty} {on_page} />
        </div>
    }
}

fn view_life(shell: &Shell, life: &LifeRow, zone: format::Zone, posting: PostingId) -> Html {
    let words = words(&life.what, life.at);
    if let LifeEvent::Quiet(since) = life.what {
        let exact = format!(
            "{} to {}",
            format::date_time(since, zone),
            format::date_time(life.at, zone)
        );
        return html! { <div class="gl-life is-quiet" title={exact}><span>{ words.title }</span></div> };
    }
    let exact = format::date_time(life.at, zone);
    let day = format::day(life.at, zone);
    let begins = life
        .above
        .is_none_or(|above| format::day(above, zone) != day);
    html! {
        <div class={classes!("gl-life", begins.then_some("begins-day"))}>
            <span class="gl-life__day gl-strong">{ if begins { format::date(day) } else { String::new() } }</span>
            <time class="gl-dim gl-num" title={exact}>{ clock(life.at, zone) }</time>
            <span class={words.tone}>{ words.icon.draw() }</span>
            <div class="gl-commit__text">
                <p class="gl-cut gl-life__title" title={words.title.clone()}>{ &words.title }</p>
                <p class="gl-cut gl-dim" title={words.detail.clone()}>{ &words.detail }</p>
            </div>
            <span class="gl-life__acts">{ view_acts(shell, life, posting) }</span>
        </div>
    }
}

/// `08:14`.
fn clock(at: Micros, zone: format::Zone) -> String {
    format::clock_short(at, zone).chars().take(5).collect()
}

fn view_acts(shell: &Shell, life: &LifeRow, posting: PostingId) -> Html {
    match &life.what {
        LifeEvent::Look(look) => view_look_acts(shell, look, life.at),
        LifeEvent::Decision(version) => view_decision_acts(shell, version, posting),
        LifeEvent::Repost(repost) => {
            let open = Ask::Select(Subject::Posting(repost.posting));
            view_act(shell, "Open", "Show that posting's card", open)
        }
        LifeEvent::Quiet(_) => Html::default(),
    }
}

fn view_look_acts(shell: &Shell, look: &LookRow, at: Micros) -> Html {
    let text = look.capture.map(|capture| {
        let dialog = Dialog::Capture(capture, look.before, at);
        let title = match look.before {
            Some(_) => "What changed in the captured text",
            None => "The captured text",
        };
        view_act(shell, "Text", title, Ask::Open(dialog))
    });
    let run = Ask::Monitor(look.run.clone());
    html! { <>{ text.unwrap_or_default() }{ view_act(shell, "Run", "Show the run with its log", run) }</> }
}

fn view_decision_acts(shell: &Shell, version: &VersionRow, posting: PostingId) -> Html {
    let Some(before) = version.parents.first() else {
        return Html::default();
    };
    let dialog = Dialog::Compare(posting, *before, version.id);
    view_act(
        shell,
        "Version",
        "What this version changed",
        Ask::Open(dialog),
    )
}

fn view_act(shell: &Shell, label: &'static str, title: &'static str, ask: Ask) -> Html {
    html! { <button type="button" class="gl-link gl-small" {title} onclick={shell.asks(ask)}>{ label }</button> }
}
