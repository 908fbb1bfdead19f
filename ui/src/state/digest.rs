//! *While you were away* in words.

use crate::state::format;
use ghostlight_api::view::DigestView;

/// What happened, and whether that is all.
pub fn words(digest: &DigestView, zone: format::Zone) -> String {
    let mut parts = vec![format::plural(digest.events, "event", "events")];
    for (n, one, many) in [
        (digest.began, "run began", "runs began"),
        (digest.finished, "ended well", "ended well"),
        (digest.failed, "failed", "failed"),
    ] {
        if n > 0 {
            parts.push(format::plural(n.into(), one, many));
        }
    }
    let missing = match digest.missing {
        0 if !digest.proven => {
            "it does not number its events, so whether that is all cannot be proven".to_owned()
        }
        0 => "nothing is missing".to_owned(),
        n => format!(
            "{} not on the server any more",
            format::plural(n, "event is", "events are")
        ),
    };
    format!(
        "{}, {} to {}: {}; {missing}.",
        digest.source,
        format::date_time(digest.from, zone),
        format::clock_short(digest.until, zone),
        parts.join(" · "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::Micros;

    #[test]
    fn that_nothing_is_missing_is_said_only_where_it_is_a_fact() {
        let minute = |n: i64| Micros(1_700_000_000_000_000 + n * 60_000_000);
        let digest = DigestView {
            id: 1,
            place: (1, 1),
            left_out: 0,
            source: "Studio".into(),
            from: minute(0),
            until: minute(9),
            events: 12,
            took_ms: 8.0,
            missing: 0,
            proven: true,
            began: 1,
            finished: 0,
            failed: 2,
            runs: vec![],
        };
        let said = |digest: &DigestView| words(digest, format::Zone::default());
        let proven = said(&digest);
        assert!(proven.starts_with("Studio, "), "{proven}");
        assert!(
            proven.ends_with("12 events · 1 run began · 2 failed; nothing is missing."),
            "{proven}"
        );
        let gone = said(&DigestView {
            missing: 3,
            ..digest.clone()
        });
        assert!(
            gone.ends_with("3 events are not on the server any more."),
            "{gone}"
        );
        let unknown = said(&DigestView {
            proven: false,
            events: 0,
            began: 0,
            failed: 0,
            ..digest
        });
        assert!(
            unknown.ends_with(
                "0 events; it does not number its events, so whether that is all cannot be proven."
            ),
            "{unknown}"
        );
    }
}
