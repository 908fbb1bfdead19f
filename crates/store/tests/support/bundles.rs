//! Postings of a few words, what a bundle of them holds, and branches.

use super::{decided, fact, finished, key, page, parsed, seen, started};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, Observation, Phase, PostingId, RunId, Step,
    bundle::Piece, event::Fact,
};
use ghostlight_store::{Imported, Store, StoreError, history::NewBranch};
use std::ops::ControlFlow;

/// Analyses page `n` at `ts`; its words are its title.
pub fn analyse(store: &Store, run: &str, n: usize, (words, ts): (&str, i64)) -> PostingId {
    let run = RunId(run.into());
    let capture = store.put_capture(page(words, ts)).wait().unwrap();
    store
        .put_layers(capture, words.into(), format!("<p>{words}</p>"))
        .wait()
        .unwrap();
    let posting = store.identify(vec![key(n)]).wait().unwrap();
    let title = Observation {
        ts: Micros(ts),
        ..seen(capture, FieldKey::Title, words, 900)
    };
    let observed = fact(
        &run,
        Step::Detect,
        Phase::Field,
        ts,
        Fact::Observed(title.clone()),
    );
    let events = vec![
        started(&run, ts),
        parsed(&run, ts, (capture, posting), None),
        observed,
    ];
    store.append(run.stream(), events).wait().unwrap();
    store
        .finish_run(finished(&run, posting, vec![title], ts))
        .wait()
        .unwrap();
    posting
}

/// Somebody decides on the title.
pub fn decide(store: &Store, posting: PostingId, words: &str, (key, ts): (&str, i64)) -> CommitId {
    let value = Some(FieldValue::Text(words.into()));
    store
        .commit_change(decided(posting, FieldKey::Title, value, (key, ts)))
        .wait()
        .unwrap()
}

/// All that a bundle of these postings holds.
pub fn pieces(store: &Store, postings: &[PostingId]) -> Vec<Piece> {
    let mut all = Vec::new();
    let snapshot = store.snapshot().unwrap();
    snapshot
        .pieces(postings, &mut |piece| {
            all.push(piece);
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

/// Takes these pieces over.
pub fn import(store: &Store, pieces: Vec<Piece>) -> Result<Imported, StoreError> {
    store
        .import(Box::new(move |take| pieces.into_iter().try_for_each(take)))
        .wait()
}

/// Makes a branch of what is checked out, and checks it out.
pub fn branch(store: &Store, posting: PostingId, name: &str, ts: i64) -> CommitId {
    let new = NewBranch {
        posting,
        name: name.into(),
        at: None,
        switch: true,
        now: Micros(ts),
    };
    store.create_branch(new).wait().unwrap()
}

/// Checks a branch out.
pub fn switch(store: &Store, posting: PostingId, name: &str) {
    store.switch_branch(posting, name.into()).wait().unwrap();
}
