//! Live features as a whole, in the settings: off and on, and how long a feed waits between two tries.

use crate::shell::{Ask, use_shell};
use ghostlight_api::{
    command::Preferences,
    live::{Environment, Reconnecting},
};
use web_sys::HtmlInputElement;
use yew::{Callback, Event, Html, TargetCast, component, html, use_state_eq};

/// The boxes of a wait: accessible name, and the variable that goes before what is typed.
const BOXES: [(&str, &str); 3] = [
    (
        "Longest first wait, in seconds",
        "GHOSTLIGHT_RECONNECT_DELAY_MS",
    ),
    ("Growth of the waits", "GHOSTLIGHT_RECONNECT_FACTOR"),
    (
        "Longest wait, in seconds",
        "GHOSTLIGHT_MAX_RECONNECT_DELAY_MS",
    ),
];

/// See the module.
#[component]
pub fn LiveSettings() -> Html {
    let shell = use_shell();
    // What is typed and cannot stand yet.
    let typed = use_state_eq(|| None::<[String; 3]>);
    let environment = shell.environment;
    let now = shell.preferences.clone();
    let on_switch = {
        let (ask, now) = (shell.ask.clone(), now.clone());
        Callback::from(move |_: Event| {
            ask.emit(Ask::Prefer(Preferences {
                live_off: !now.live_off,
                ..(*now).clone()
            }));
        })
    };
    let on = environment.live.unwrap_or(!now.live_off);
    let hint = match environment.live {
        Some(_) => "GHOSTLIGHT_LIVE says so, for as long as this window is open.",
        None if on => "The feeds below are followed, each by its own switch.",
        None => {
            "No feed is connected, and nothing is sent or notified. What is stored can be read; what waits in the outbox waits on."
        }
    };
    let set = texts(now.reconnecting);
    let shown = (*typed).clone().unwrap_or(set);
    let problem = typed.as_ref().and_then(|typed| waits(typed).err());
    let on_wait = |at: usize| {
        let (ask, now, typed, shown) =
            (shell.ask.clone(), now.clone(), typed.clone(), shown.clone());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            let mut next = shown.clone();
            next[at] = input.value();
            match waits(&next) {
                Err(_) => typed.set(Some(next)),
                Ok(reconnecting) => {
                    typed.set(None);
                    // The box shows what counts, also where that is what it was before.
                    input.set_value(&texts(reconnecting)[at]);
                    ask.emit(Ask::Prefer(Preferences {
                        reconnecting,
                        ..(*now).clone()
                    }));
                }
            }
        })
    };
    let given = texts(environment.reconnecting(now.reconnecting));
    let fixed = fixed(&environment);
    let view_box = |at: usize| {
        let (name, variable) = BOXES[at];
        let value = if fixed[at] { &given[at] } else { &shown[at] };
        let title = fixed[at].then(|| format!("{variable} says so"));
        let invalid = (problem.is_some() && !fixed[at]).then_some("true");
        html! { <input key={name} type="number" class="gl-number" step="any" aria-label={name} {title} aria-invalid={invalid} aria-describedby="waits-problem" disabled={fixed[at]} value={value.clone()} onchange={on_wait(at)} /> }
    };
    let named: Vec<&str> = (0..3)
        .filter(|at| fixed[*at])
        .map(|at| BOXES[at].1)
        .collect();
    html! {
        <fieldset aria-label="live features">
            <legend>{ "Live features" }</legend>
            <label class="gl-option"><input type="checkbox" checked={on} disabled={environment.live.is_some()} onchange={on_switch} aria-label="Live features" /><span class="gl-still">{ "Follow feeds" }</span><span class="gl-dim">{ hint }</span></label>
            <div class="gl-option" role="group" aria-label="waits between two tries"><span class="gl-still">{ "Try again within" }</span>{ view_box(0) }<span class="gl-still">{ "s, each time" }</span>{ view_box(1) }<span class="gl-still">{ "times as long, at most" }</span>{ view_box(2) }<span class="gl-still">{ "s" }</span></div>
            <p id="waits-problem" role="alert" class="gl-bad">{ problem.unwrap_or_default() }</p>
            <p class="gl-dim">
                { "A feed that is lost is tried again at a random moment within that time, not sooner than after half a second." }
                if !named.is_empty() { { format!(" {} of the environment this window was started in decides what cannot be changed here.", named.join(", ")) } }
            </p>
        </fieldset>
    }
}

/// Which of the boxes the environment decides.
fn fixed(environment: &Environment) -> [bool; 3] {
    [
        environment.base_ms.is_some(),
        environment.factor.is_some(),
        environment.cap_ms.is_some(),
    ]
}

/// As the boxes show them: seconds, times, seconds.
fn texts(waits: Reconnecting) -> [String; 3] {
    let seconds = |ms: u32| (f64::from(ms) / 1_000.0).to_string();
    [
        seconds(waits.base_ms),
        waits.factor.to_string(),
        seconds(waits.cap_ms),
    ]
}

/// What the boxes say, or what is wrong with it, in a sentence.
fn waits(typed: &[String; 3]) -> Result<Reconnecting, String> {
    let number = |at: usize| {
        let number = typed[at].trim().replace(',', ".").parse::<f64>().ok();
        number.filter(|number| number.is_finite())
    };
    let (Some(base), Some(factor), Some(cap)) = (number(0), number(1), number(2)) else {
        return Err("A number is expected in each of the three boxes.".into());
    };
    // What is out of bounds stays so.
    let ms = |seconds: f64| (seconds * 1_000.0).round() as u32;
    let waits = Reconnecting {
        base_ms: ms(base),
        factor,
        cap_ms: ms(cap),
    };
    waits.check().map(|()| waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(texts: [&str; 3]) -> Result<Reconnecting, String> {
        waits(&texts.map(str::to_owned))
    }

    #[test]
    fn what_is_typed_is_read_or_refused_with_a_sentence() {
        let usual = Reconnecting::default();
        assert_eq!(texts(usual), ["1", "2", "30"]);
        assert_eq!(waits(&texts(usual)), Ok(usual));
        let read = Reconnecting {
            base_ms: 750,
            factor: 1.5,
            cap_ms: 3_600_000,
        };
        assert_eq!(typed([" 0,75", "1.5 ", "3600"]), Ok(read));
        for (texts, part) in [
            (["", "2", "30"], "A number"),
            (["soon", "2", "30"], "A number"),
            (["1", "NaN", "30"], "A number"),
            (["-1", "2", "30"], "0.5 to 3,600"),
            (["0.4", "2", "30"], "0.5 to 3,600"),
            (["1", "2", "1e99"], "0.5 to 3,600"),
            (["31", "2", "30"], "first wait"),
            (["1", "11", "30"], "1 to 10 times"),
        ] {
            let why = typed(texts).unwrap_err();
            assert!(why.contains(part), "{texts:?}: {why}");
        }
    }
}
