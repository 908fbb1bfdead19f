//! File names that say what is inside.

use ghostlight_model::{
    Micros,
    export::{Filter, What},
};

/// Characters of each part of a filter that a name shows.
const PART_CHARS_MAX: usize = 24;
/// Parts of a filter that a name shows.
const PARTS_MAX: usize = 4;

/// `ghostlight-postings-some-doubt-2026-11-26.csv`: what, which, and the day. `called` says how people call the posting or
/// run of a filter, if they do.
pub fn suggested(
    what: What,
    filter: &Filter,
    called: Option<&str>,
    at: Micros,
    ending: &str,
) -> String {
    let mut parts = vec!["ghostlight".to_owned(), what.word().to_owned()];
    let shown = filter
        .parts()
        .into_iter()
        .filter_map(|(name, value)| match name {
            "from" => filter.from.map(|from| format!("from-{}", from.day())),
            // Itself not included: the last day is the one of the moment before.
            "until" => filter
                .until
                .map(|until| format!("to-{}", Micros(until.0.saturating_sub(1)).day())),
            "posting" | "run" => {
                let called = called.map(slug).filter(|slug| !slug.is_empty());
                Some(called.unwrap_or_else(|| slug(&value)))
            }
            _ => Some(slug(&value)).filter(|slug| !slug.is_empty()),
        });
    parts.extend(shown.take(PARTS_MAX));
    parts.push(at.day().to_string());
    format!("{}.{ending}", parts.join("-"))
}

/// Letters and digits, everything else a dash: a name that every system takes.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(PART_CHARS_MAX) {
        match c.is_alphanumeric() {
            true => out.extend(c.to_lowercase()),
            false if !out.ends_with('-') => out.push('-'),
            false => {}
        }
    }
    out.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::{RunId, Severity};

    #[test]
    fn a_name_says_what_is_inside() {
        let at = Micros(1_767_571_200_000_000);
        let none = Filter::default();
        assert_eq!(
            suggested(What::History, &none, None, at, "jsonl"),
            "ghostlight-history-2026-01-05.jsonl"
        );
        let some = Filter {
            from: Some(Micros(at.0 - 86_400_000_000)),
            until: Some(at),
            text: Some("../Data & \"Büro\"\n".into()),
            level: Some("some_doubt".into()),
            ..Filter::default()
        };
        assert_eq!(
            suggested(What::Postings, &some, None, at, "csv"),
            "ghostlight-postings-from-2026-01-04-to-2026-01-04-data-büro-some-doubt-2026-01-05.csv"
        );
        let of_run = Filter {
            run: Some(RunId("feed:3fa1/run/nightly".into())),
            severity: Some(Severity::Warning),
            ..Filter::default()
        };
        let name = |called| suggested(What::Events, &of_run, called, at, "md");
        assert_eq!(
            name(Some("Nightly: Lyon")),
            "ghostlight-events-nightly-lyon-warning-2026-01-05.md"
        );
        for called in [None, Some("…")] {
            assert_eq!(
                name(called),
                "ghostlight-events-feed-3fa1-run-nightly-warning-2026-01-05.md"
            );
        }
    }
}
