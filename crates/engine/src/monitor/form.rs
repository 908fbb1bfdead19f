//! What a person sets of one feed: read, checked, and as the store keeps it.

use super::{host_name, parse};
use crate::{
    feeds::feed::{
        Kind,
        connection::{Transport, Transports},
    },
    secrets,
};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{FEED_EVERY_MS_MAX, FeedForm},
};
use ghostlight_store::FeedSettings;

/// Settings and a token of its own, where one was typed.
pub(super) fn read_form(form: &FeedForm) -> Result<(FeedSettings, Option<String>), ApiError> {
    let (endpoint, in_url) = parse(form.url.trim())?;
    if let Some(kind) = form
        .kind
        .as_deref()
        .filter(|kind| Kind::of_word(kind).is_none())
    {
        return Err(unknown("adapter", kind));
    }
    transports_of(&form.without)?;
    if form.refresh_ms.is_some_and(|ms| ms > FEED_EVERY_MS_MAX) {
        return Err(ApiError::new(
            ErrorCode::Input,
            format!(
                "A feed is brought up to date at least every {} s.",
                FEED_EVERY_MS_MAX / 1_000
            ),
            "Give fewer milliseconds, or leave the box empty.",
        ));
    }
    let kind = form.kind.as_deref().and_then(Kind::of_word);
    endpoint.check(kind).map_err(|e| {
        ApiError::new(
            ErrorCode::Input,
            e.to_string(),
            "A stream is named like run/7; run/* takes all that begin so.",
        )
    })?;
    let name = form.name.trim();
    let settings = FeedSettings {
        name: match name.is_empty() {
            true => host_name(&endpoint),
            false => name.to_owned(),
        },
        url: endpoint.url().to_string(),
        kind: form.kind.clone(),
        enabled: form.enabled,
        publish: form.publish,
        transport: allowed(&form.without),
        refresh_ms: form.refresh_ms,
    };
    let token = form.token.clone().map(|token| token.trim().to_owned());
    let token = token.or(in_url.map(|secret| secret.0));
    if let Some(token) = &token {
        secrets::check(token)?;
    }
    Ok((settings, token))
}

fn unknown(what: &str, word: &str) -> ApiError {
    ApiError::new(
        ErrorCode::Input,
        format!("there is no {what} {word:?}"),
        "Choose one of the list.",
    )
}

/// Those of a hub that may be used, without some.
pub(super) fn transports_of(without: &[String]) -> Result<Transports, ApiError> {
    let off = without
        .iter()
        .map(|word| Transport::of_word(word).ok_or_else(|| unknown("transport", word)));
    let off = off.collect::<Result<Vec<_>, _>>()?;
    Transports::without(&off).map_err(|_| {
        ApiError::new(
            ErrorCode::Input,
            "Every transport is switched off.",
            "Leave at least one on; a feed can also be switched off as a whole, in the list.",
        )
    })
}

/// As the store keeps it: what may be used, so that an older version, which knows one transport, forces that one.
fn allowed(without: &[String]) -> Option<String> {
    let words = Transport::ALL.map(Transport::word);
    let allowed = words
        .iter()
        .filter(|word| !without.iter().any(|off| off == *word));
    let allowed: Vec<&str> = allowed.copied().collect();
    (allowed.len() < words.len()).then(|| allowed.join(","))
}

/// Back from [`allowed`]. What allows nothing that is known allows everything: a newer version may know more.
pub(super) fn without(allowed: Option<&str>) -> Vec<String> {
    let allowed: Vec<&str> = allowed
        .into_iter()
        .flat_map(|words| words.split(','))
        .collect();
    let words = Transport::ALL.map(Transport::word);
    match words.iter().any(|word| allowed.contains(word)) {
        true => words
            .iter()
            .filter(|word| !allowed.contains(word))
            .map(|word| (*word).to_owned())
            .collect(),
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_kept_as_those_that_may_be_used() {
        for (off, kept) in [
            (&[][..], None),
            (&["websocket"], Some("sse,poll")),
            (&["poll", "sse"], Some("websocket")),
        ] {
            let off: Vec<String> = off.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(allowed(&off).as_deref(), kept);
            let mut back = without(kept);
            back.sort();
            let mut off = off;
            off.sort();
            assert_eq!(back, off);
        }
        // What a newer version may have kept.
        assert_eq!(without(Some("pigeon")), Vec::<String>::new());
        assert_eq!(without(Some("pigeon,poll")), ["websocket", "sse"]);
    }
}
