//! What the environment says of live features (SPEC C13): both shells read it here, by one rule.
//!
//! The variables themselves are read by the shells, once, when they start.

use ghostlight_api::live::{Environment, RECONNECT_FACTOR_MAX, RECONNECT_MS_MAX, Reconnecting};
use ghostlight_feed::backoff::Backoff;
use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

/// Whether there are live features at all.
pub const LIVE_VARIABLE: &str = "GHOSTLIGHT_LIVE";
/// Whether a feed tries again.
pub const RECONNECT_VARIABLE: &str = "GHOSTLIGHT_RECONNECT";
/// The longest first wait between two tries, in ms.
pub const BASE_VARIABLE: &str = "GHOSTLIGHT_RECONNECT_DELAY_MS";
/// By how much each further wait may be longer.
pub const FACTOR_VARIABLE: &str = "GHOSTLIGHT_RECONNECT_FACTOR";
/// The longest wait between two tries, in ms.
pub const CAP_VARIABLE: &str = "GHOSTLIGHT_MAX_RECONNECT_DELAY_MS";
/// How many of the latest events are held, or shown again.
pub const HISTORY_VARIABLE: &str = "GHOSTLIGHT_EVENT_HISTORY_LIMIT";
/// The most that it may name: `watch` holds their places in memory, 16 bytes each.
pub const HISTORY_MAX: u32 = 1_000_000;

/// Reads the variables; `variable` gives one as it is set, and an empty one is as good as none.
///
/// # Errors
/// Those of `variable`; and by `bad` what is expected of one that cannot be read, in a sentence that names it.
pub fn read<E>(
    variable: impl Fn(&str) -> Result<Option<String>, E>,
    bad: impl Fn(String) -> E,
) -> Result<Environment, E> {
    let text = |name: &str| -> Result<Option<String>, E> {
        let text = variable(name)?.map(|text| text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    };
    let ms = |name: &str| -> Result<Option<u32>, E> {
        let text = text(name)?;
        let ms = text.map(|text| number(name, &text, 1..=RECONNECT_MS_MAX, "milliseconds"));
        ms.transpose().map_err(&bad)
    };
    let live = text(LIVE_VARIABLE)?.map(|text| switch(LIVE_VARIABLE, &text));
    let factor = text(FACTOR_VARIABLE)?;
    let factor = factor.map(|text| {
        number(
            FACTOR_VARIABLE,
            &text,
            1.0..=RECONNECT_FACTOR_MAX,
            "a number",
        )
    });
    let history = text(HISTORY_VARIABLE)?;
    let history = history.map(|text| number(HISTORY_VARIABLE, &text, 1..=HISTORY_MAX, "a number"));
    let environment = Environment {
        live: live.transpose().map_err(&bad)?,
        base_ms: ms(BASE_VARIABLE)?,
        factor: factor.transpose().map_err(&bad)?,
        cap_ms: ms(CAP_VARIABLE)?,
        history: history.transpose().map_err(&bad)?,
    };
    if let (Some(base), Some(cap)) = (environment.base_ms, environment.cap_ms)
        && base > cap
    {
        return Err(bad(format!(
            "{BASE_VARIABLE}: {base} ms is longer than the {cap} ms of {CAP_VARIABLE}"
        )));
    }
    Ok(environment)
}

/// Whether [`RECONNECT_VARIABLE`] lets a feed try again; an empty text is as good as none.
///
/// # Errors
/// What is expected, in a sentence.
pub fn reconnects(text: &str) -> Result<bool, String> {
    match text.trim() {
        "" => Ok(true),
        text => switch(RECONNECT_VARIABLE, text),
    }
}

/// The waits of a connection, where a person set `set`.
pub fn backoff(environment: &Environment, set: Reconnecting) -> Backoff {
    let waits = environment.reconnecting(set);
    let (base, cap) = (u64::from(waits.base_ms), u64::from(waits.cap_ms));
    // Within the bounds of both; were they not, the usual ones are better than none.
    Backoff::new(base, waits.factor, cap).unwrap_or_default()
}

fn switch(name: &str, text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" | "yes" => Ok(true),
        "0" | "false" | "off" | "no" => Ok(false),
        _ => Err(format!(
            "{name}: 1, true or on, or 0, false or off, is expected"
        )),
    }
}

fn number<T: FromStr + PartialOrd + Display>(
    name: &str,
    text: &str,
    allowed: RangeInclusive<T>,
    what: &str,
) -> Result<T, String> {
    let number = text.parse().ok();
    number
        .filter(|number| allowed.contains(number))
        .ok_or_else(|| {
            let (least, most) = (allowed.start(), allowed.end());
            format!("{name}: {what} from {least} to {most} is expected")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(set: &[(&str, &str)]) -> Result<Environment, String> {
        let variable = |name: &str| -> Result<Option<String>, String> {
            let found = set.iter().find(|(set, _)| *set == name);
            Ok(found.map(|(_, text)| (*text).to_owned()))
        };
        read(variable, |why| why)
    }

    #[test]
    fn what_is_set_counts_and_nothing_else() {
        let nothing = Environment::default();
        assert_eq!(read_from(&[]), Ok(nothing));
        assert_eq!(
            read_from(&[(CAP_VARIABLE, " "), (LIVE_VARIABLE, "")]),
            Ok(nothing)
        );
        let all = [
            (LIVE_VARIABLE, "Off"),
            (BASE_VARIABLE, "2000"),
            (FACTOR_VARIABLE, "1.5"),
            (CAP_VARIABLE, " 9000 "),
            (HISTORY_VARIABLE, "250"),
        ];
        let read = Environment {
            live: Some(false),
            base_ms: Some(2_000),
            factor: Some(1.5),
            cap_ms: Some(9_000),
            history: Some(250),
        };
        assert_eq!(read_from(&all), Ok(read));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_is_expected() {
        for (set, parts) in [
            (&[(LIVE_VARIABLE, "maybe")][..], [LIVE_VARIABLE, "off"]),
            (
                &[(HISTORY_VARIABLE, "0")],
                [HISTORY_VARIABLE, "1 to 1000000"],
            ),
            (&[(BASE_VARIABLE, "soon")], [BASE_VARIABLE, "milliseconds"]),
            (
                &[(BASE_VARIABLE, "0")],
                [BASE_VARIABLE, "from 1 to 3600000"],
            ),
            (
                &[(CAP_VARIABLE, "3600001")],
                [CAP_VARIABLE, "from 1 to 3600000"],
            ),
            (
                &[(FACTOR_VARIABLE, "0.5")],
                [FACTOR_VARIABLE, "from 1 to 10"],
            ),
            (
                &[(FACTOR_VARIABLE, "NaN")],
                [FACTOR_VARIABLE, "from 1 to 10"],
            ),
            (
                &[(BASE_VARIABLE, "2000"), (CAP_VARIABLE, "1000")],
                [BASE_VARIABLE, CAP_VARIABLE],
            ),
        ] {
            let why = read_from(set).unwrap_err();
            assert!(parts.iter().all(|part| why.contains(part)), "{why}");
        }
    }

    /// The bounds that the window knows are those of the connection.
    #[test]
    fn what_a_person_may_set_is_what_a_connection_takes() {
        use ghostlight_api::live::RECONNECT_MS_MIN;
        use ghostlight_feed::backoff::{CAP_MAX_MS, FLOOR_MS};
        assert_eq!(u64::from(RECONNECT_MS_MIN), FLOOR_MS);
        assert_eq!(u64::from(RECONNECT_MS_MAX), CAP_MAX_MS);
        let nothing = Environment::default();
        assert_eq!(
            backoff(&nothing, Reconnecting::default()),
            Backoff::default()
        );
        for factor in [1.0, RECONNECT_FACTOR_MAX] {
            let waits = Reconnecting {
                base_ms: RECONNECT_MS_MIN,
                factor,
                cap_ms: RECONNECT_MS_MAX,
            };
            waits.check().unwrap();
            Backoff::new(waits.base_ms.into(), factor, waits.cap_ms.into()).unwrap();
        }
    }
}
