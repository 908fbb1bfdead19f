//! The settings page: look, times, feeds, the model, notifications, and where the data is.

use crate::{
    components::{
        feeds::Feeds, keys::Keys, live::LiveSettings, model::ModelSettings, serving::Serving,
        storage::Storage, suggestions::AccuracyTable,
    },
    meter,
    shell::{Ask, Input, Shell, use_shell},
};
use ghostlight_api::{
    command::{AppInfo, LIVE_EVERY_MS_MAX, Notifications, Preferences, Theme, WeekStart},
    live::LOG_ROWS_MIN,
    view::ROWS_MAX,
};
use std::rc::Rc;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Event, Html, Properties, TargetCast, component, html};

/// Properties of [`Settings`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What the core says about itself, once it has.
    pub info: Option<Rc<AppInfo>>,
}

/// See the module.
#[component]
pub fn Settings(props: &Props) -> Html {
    let shell = use_shell();
    let now = shell.preferences.clone();
    let ask = shell.ask.clone();
    let prefer = move |change: fn(&mut Preferences)| {
        let (ask, mut next) = (ask.clone(), (*now).clone());
        change(&mut next);
        Callback::from(move |_| ask.emit(Ask::Prefer(next.clone())))
    };
    let on_live = {
        let (ask, now) = (shell.ask.clone(), shell.preferences.clone());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            let next = Preferences {
                live_every_ms: live_every(&input.value(), now.live_every_ms),
                ..(*now).clone()
            };
            // The box shows what counts, also where that is what it was before.
            input.set_value(&next.live_every_ms.to_string());
            ask.emit(Ask::Prefer(next));
        })
    };
    let theme = shell.preferences.theme;
    type Change = fn(&mut Preferences);
    let set: [(Theme, &str, Change); 3] = [
        (Theme::System, "As the system", |p| p.theme = Theme::System),
        (Theme::Light, "Light", |p| p.theme = Theme::Light),
        (Theme::Dark, "Dark", |p| p.theme = Theme::Dark),
    ];
    let option = |(value, label, change): (Theme, &'static str, Change)| {
        html! { <label key={label} class="gl-option"><input type="radio" name="theme" checked={theme == value} onchange={prefer(change)} />{ label }</label> }
    };
    let still = match meter::is_slow() {
        true => "It is off by itself for a minute: this computer draws too slowly for it now.",
        false => "New values stand there at once, whatever the system says.",
    };
    let notifications = &shell.preferences.notifications;
    let quiet = notifications.quiet;
    let switch = |(label, hint, on, change): Switch| {
        html! { <label key={label} class="gl-option"><input type="checkbox" checked={on} disabled={quiet} onchange={prefer(change)} />{ label }<span class="gl-dim">{ hint }</span></label> }
    };
    html! {
        <section class="gl-page gl-settings" aria-label="settings">
            <h1>{ "Settings" }</h1>
            <fieldset>
                <legend>{ "Theme" }</legend>
                { for set.into_iter().map(option) }
            </fieldset>
            <fieldset>
                <legend>{ "Motion and time" }</legend>
                <label class="gl-option"><input type="checkbox" checked={shell.preferences.reduce_motion} onchange={prefer(|p| p.reduce_motion = !p.reduce_motion)} />{ "Reduce motion" }<span class="gl-dim">{ still }</span></label>
                <label class="gl-option"><input type="checkbox" checked={shell.preferences.utc} onchange={prefer(|p| p.utc = !p.utc)} />{ "Times in UTC" }<span class="gl-dim">{ "Instead of this computer's local time." }</span></label>
                <label class="gl-option"><span class="gl-still">{ "Weeks begin on" }</span>{ view_weeks(&shell) }<span class="gl-dim">{ "In calendars." }</span></label>
            </fieldset>
            <fieldset>
                <legend>{ "Live lists" }</legend>
                <label class="gl-option"><span class="gl-still">{ "Update at most every" }</span><input type="number" class="gl-number" min="0" max={LIVE_EVERY_MS_MAX.to_string()} step="100" value={shell.preferences.live_every_ms.to_string()} onchange={on_live} />{ "ms" }<span class="gl-dim">{ "Postings, runs and events. 0 shows each change in the next frame." }</span></label>
                { view_log_rows(&shell) }
            </fieldset>
            <Keys />
            <LiveSettings />
            <Feeds />
            <fieldset>
                <legend>{ "Notifications" }</legend>
                <label class="gl-option"><input type="checkbox" checked={quiet} onchange={prefer(|p| p.notifications.quiet = !p.notifications.quiet)} />{ "Quiet" }<span class="gl-dim">{ "The system shows nothing of Ghostlight; the window still shows everything." }</span></label>
                { for switches(notifications).into_iter().map(switch) }
                <p class="gl-dim">{ "A click on a notification opens what it is about. If the test does not appear, the system was told not to disturb you, or shows no notifications." }</p>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={shell.asks(Ask::TestNotification)}>{ "Send a test notification" }</button>
            </fieldset>
            <ModelSettings />
            <Serving />
            <fieldset>
                <legend>{ "How right the methods were" }</legend>
                <AccuracyTable />
            </fieldset>
            <Storage />
            <fieldset>
                <legend>{ "Sample postings" }</legend>
                <p class="gl-dim">{ "Invented postings by invented employers, to try things with." }</p>
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={shell.asks(Ask::Analyse(Input::Samples))}>{ "Load the sample postings again" }</button>
            </fieldset>
            <fieldset>
                <legend>{ "About" }</legend>
                { view_about(props.info.as_deref()) }
            </fieldset>
        </section>
    }
}

/// The day that weeks begin with, to be chosen.
fn view_weeks(shell: &Shell) -> Html {
    const DAYS: [(WeekStart, &str, &str); 4] = [
        (WeekStart::Locale, "locale", "as the system's region"),
        (WeekStart::Monday, "monday", "Monday"),
        (WeekStart::Saturday, "saturday", "Saturday"),
        (WeekStart::Sunday, "sunday", "Sunday"),
    ];
    let now = shell.preferences.clone();
    let ask = shell.ask.clone();
    let onchange = Callback::from(move |event: Event| {
        let word = event.target_dyn_into::<HtmlSelectElement>();
        let word = word.map(|select| select.value()).unwrap_or_default();
        if let Some((weeks, ..)) = DAYS.into_iter().find(|(_, name, _)| *name == word) {
            ask.emit(Ask::Prefer(Preferences {
                weeks,
                ..(*now).clone()
            }));
        }
    });
    let option = |(weeks, word, label): (WeekStart, &'static str, &'static str)| {
        html! { <option key={word} value={word} selected={shell.preferences.weeks == weeks}>{ label }</option> }
    };
    html! { <select {onchange}>{ for DAYS.into_iter().map(option) }</select> }
}

/// How much of a log is held while its end is followed.
fn view_log_rows(shell: &Shell) -> Html {
    let given = shell.environment.history.is_some();
    let (ask, now) = (shell.ask.clone(), shell.preferences.clone());
    let onchange = Callback::from(move |event: Event| {
        let Some(input) = event.target_dyn_into::<HtmlInputElement>() else {
            return;
        };
        let next = Preferences {
            log_rows: log_rows(&input.value(), now.log_rows),
            ..(*now).clone()
        };
        // The box shows what counts, also where that is what it was before.
        input.set_value(&next.log_rows.to_string());
        ask.emit(Ask::Prefer(next));
    });
    let hint = match given {
        true => "GHOSTLIGHT_EVENT_HISTORY_LIMIT says so.",
        false => "While its end is followed; further up is read from the disk as you scroll.",
    };
    html! {
        <label class="gl-option"><span class="gl-still">{ "A log holds the latest" }</span><input type="number" class="gl-number" min={LOG_ROWS_MIN.to_string()} max={ROWS_MAX.to_string()} step="50" disabled={given} value={shell.log_rows().to_string()} {onchange} aria-label="Rows that a log holds" />{ "rows" }<span class="gl-dim">{ hint }</span></label>
    }
}

/// What was typed as rows, within bounds; what is no number changes nothing.
fn log_rows(typed: &str, now: u16) -> u16 {
    let typed = typed
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|rows| rows.is_finite());
    typed.map_or(now, |rows| {
        rows.clamp(LOG_ROWS_MIN.into(), ROWS_MAX.into()).round() as u16
    })
}

/// What was typed as milliseconds, within bounds; what is no number changes nothing.
fn live_every(typed: &str, now: u16) -> u16 {
    let typed = typed.trim().parse::<f64>().ok().filter(|ms| ms.is_finite());
    typed.map_or(now, |ms| {
        ms.clamp(0.0, LIVE_EVERY_MS_MAX.into()).round() as u16
    })
}

/// Label, hint, whether it is on, and what turns it.
type Switch = (&'static str, &'static str, bool, fn(&mut Preferences));

fn switches(now: &Notifications) -> [Switch; 7] {
    [
        (
            "Connection lost",
            "A feed is without connection for more than 10 s.",
            now.connection_lost,
            |p| p.notifications.connection_lost = !p.notifications.connection_lost,
        ),
        (
            "Connecting fails",
            "Three tries failed, or the token is refused.",
            now.connection_failing,
            |p| p.notifications.connection_failing = !p.notifications.connection_failing,
        ),
        (
            "Connected again",
            "After one of the two.",
            now.connection_restored,
            |p| p.notifications.connection_restored = !p.notifications.connection_restored,
        ),
        (
            "Run finished",
            "Not for one you just started and watch.",
            now.run_finished,
            |p| p.notifications.run_finished = !p.notifications.run_finished,
        ),
        ("Run failed", "With the reason.", now.run_failed, |p| {
            p.notifications.run_failed = !p.notifications.run_failed
        }),
        (
            "Error in a run",
            "The run goes on.",
            now.critical_issue,
            |p| p.notifications.critical_issue = !p.notifications.critical_issue,
        ),
        (
            "Status changed",
            "Of an application, as a feed tells it.",
            now.status_change,
            |p| p.notifications.status_change = !p.notifications.status_change,
        ),
    ]
}

fn view_about(info: Option<&AppInfo>) -> Html {
    let Some(info) = info else {
        return html! { <p class="gl-dim">{ "The core has not answered yet." }</p> };
    };
    html! {
        <dl class="gl-about">
            <div><dt>{ "Version" }</dt><dd class="gl-num">{ &info.version }</dd></div>
            <div><dt>{ "Platform" }</dt><dd>{ &info.platform }</dd></div>
            <div><dt>{ "Data folder" }</dt><dd><code>{ &info.data_folder }</code></dd></div>
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_within_bounds() {
        for (typed, kept) in [
            ("100", 100),
            (" 120.4 ", 120),
            ("0", 50),
            ("-1", 50),
            ("501", 500),
            ("1e9", 500),
            ("", 77),
            ("many", 77),
        ] {
            assert_eq!(log_rows(typed, 77), kept, "{typed:?}");
        }
    }

    #[test]
    fn milliseconds_are_kept_within_bounds() {
        for (typed, kept) in [
            ("0", 0),
            (" 250 ", 250),
            ("1e3", 1_000),
            ("5001", LIVE_EVERY_MS_MAX),
            ("99999999999", LIVE_EVERY_MS_MAX),
            ("-5", 0),
            ("", 7),
            ("fast", 7),
            ("NaN", 7),
        ] {
            assert_eq!(live_every(typed, 7), kept, "{typed:?}");
        }
    }
}
