//! A capture that is read again: what the earlier reading saw must not stand beside or against
//! what is seen now.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CaptureId, FieldKey, Method, Micros, Observation, Phase, PostingId, RunId, Step,
    card::{CardField, FieldState, receipt},
    event::Fact,
    fuse::winners,
};
use ghostlight_store::Store;
use support::*;

/// A whole run over `capture`, a day after the one before; sees these fields by these methods.
fn read(store: &Store, n: i64, capture: CaptureId, saw: &[(FieldKey, &str, u16)]) -> PostingId {
    let run = RunId(format!("run-{n}"));
    let ts = DAY + n * 86_400_000_000;
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    let observations: Vec<Observation> = saw
        .iter()
        .map(|(field, text, confidence)| Observation {
            ts: Micros(ts + 3),
            ..seen(capture, field.clone(), text, *confidence)
        })
        .collect();
    let mut events = vec![
        started(&run, ts),
        parsed(&run, ts + 2, (capture, posting), None),
    ];
    events.extend(observations.iter().map(|seen| {
        let what = Fact::Observed(seen.clone());
        fact(&run, Step::Detect, Phase::Field, ts + 3, what)
    }));
    let looked = [
        (Method::Pattern, Ok(())),
        (Method::JsonLd, Err("plain text holds no page data".into())),
    ];
    let what = Fact::Received(receipt(&observations, &looked, &[]));
    events.push(fact(&run, Step::Validate, Phase::End, ts + 4, what));
    store.append(run.stream(), events).wait().unwrap();
    let won = winners(&observations).into_values();
    let won = won.map(|won| won.observation.clone()).collect();
    let end = finished(&run, posting, won, ts + 5);
    store.finish_run(end).wait().unwrap();
    posting
}

fn field(store: &Store, posting: PostingId, key: FieldKey) -> CardField {
    let card = store.posting(posting).unwrap().unwrap().card;
    card.fields.into_iter().find(|f| f.key == key).unwrap()
}

fn value(field: &CardField) -> Option<String> {
    field.chosen.as_ref().map(|c| c.value.display())
}

#[test]
fn what_is_seen_now_stands_alone_and_what_is_seen_no_more_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = store.put_capture(page("page", DAY)).wait().unwrap();
    let before = [
        (FieldKey::Title, "Night shift", 990),
        (FieldKey::Company, "Apply now", 900),
    ];
    let posting = read(&store, 1, first, &before);
    // The same page by better rules: another title, less sure of it, and no company.
    read(&store, 2, first, &[(FieldKey::Title, "Baker", 700)]);
    let title = field(&store, posting, FieldKey::Title);
    assert_eq!(value(&title).as_deref(), Some("Baker"));
    assert_eq!(title.alternatives, [], "no candidate of the first reading");
    let company = field(&store, posting, FieldKey::Company);
    assert_eq!(
        (value(&company), company.state),
        (None, FieldState::NotFound)
    );
    // Both are in the history, and a rebuild says the same.
    let history = store.history(posting, 0, 10).unwrap().rows;
    let taken_back = &history[0].changes;
    assert_eq!(history.len(), 2);
    assert!(
        taken_back
            .iter()
            .any(|c| c.field == FieldKey::Company && c.new.is_none())
    );
    assert!(!store.rebuild().wait().unwrap().drift);
}

#[test]
fn what_another_capture_said_or_a_person_decided_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = store.put_capture(page("page", DAY)).wait().unwrap();
    let later = store
        .put_capture(page("page, shorter", DAY))
        .wait()
        .unwrap();
    let whole = [
        (FieldKey::Title, "Baker", 990),
        (FieldKey::Company, "Oriel Bread", 900),
    ];
    let posting = read(&store, 1, first, &whole);
    read(&store, 2, later, &whole[..1]);
    let company = field(&store, posting, FieldKey::Company);
    assert_eq!(value(&company).as_deref(), Some("Oriel Bread"));
    // By hand: a person's value is never a reading's to take back.
    let by_hand = Some(ghostlight_model::FieldValue::Text("Oriel & Sons".into()));
    let change = decided(posting, FieldKey::Company, by_hand, ("k", DAY));
    store.commit_change(change).wait().unwrap();
    read(&store, 3, first, &whole[..1]);
    let company = field(&store, posting, FieldKey::Company);
    assert_eq!(value(&company).as_deref(), Some("Oriel & Sons"));
}

#[test]
fn a_stored_capture_comes_back_as_it_was_and_is_the_same_capture() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let new = page("page", DAY);
    let id = store.put_capture(new.clone()).wait().unwrap();
    let stored = store.stored(id).unwrap().unwrap();
    assert_eq!(stored, new);
    assert_eq!(store.put_capture(stored).wait().unwrap(), id);
    assert_eq!(store.stored(CaptureId([9; 16])).unwrap(), None);
}

#[test]
fn keys_lead_to_a_posting_only_where_it_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    assert_eq!(store.recognised(&[key(1)]).unwrap(), Some(posting));
    assert_eq!(store.recognised(&[key(2)]).unwrap(), None);
    assert_eq!(store.recognised(&[]).unwrap(), None);
}
