//! A data folder with as many field changes as asked for: postings with captures, runs, edits by several people, branches
//! and merges, most histories short, some long, one with 20,000 versions. The same seed makes the same rows.
//!
//! Each posting is made in memory by the model's own rules and taken over by the store's own import, thousands in one
//! transaction, so the file is what the application would have written. Employers and people are invented.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod dice;
mod posting;
mod run;
mod words;

pub use dice::Dice;

use ghostlight_model::{PostingId, bundle::Piece, commit::AuthorId};
use ghostlight_store::{OpenOptions, Pending, Store, StoreError};
use posting::Wanted;
use std::{error::Error, path::Path, sync::mpsc, thread};

/// Versions of the longest history, where there are enough changes for it.
pub const LONGEST: u64 = 20_000;
/// Its changes, to have so many versions.
const LONGEST_CHANGES: u64 = 26_000;
/// Changes in one transaction: so many that each page of an index is written once for many rows of it. They are held in
/// memory, about a kilobyte each.
const TRANSACTION_CHANGES: u64 = 300_000;
/// Postings made ahead of the store; then their maker waits.
const AHEAD_MAX: usize = 64;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Field changes, or a few more.
    pub rows: u64,
    /// Of chance.
    pub seed: u64,
}

/// What is made so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Field changes.
    pub rows: u64,
    /// Commits.
    pub commits: u64,
    /// Postings.
    pub postings: u64,
    /// The posting with the longest history, and its versions.
    pub longest: Option<(PostingId, u64)>,
}

/// Fills a folder that holds no data yet; `told` hears of each transaction.
///
/// # Errors
/// If there is data already, or the store cannot be written.
pub fn fill(
    folder: &Path,
    plan: Plan,
    told: &mut dyn FnMut(Progress),
) -> Result<Progress, Box<dyn Error + Send + Sync>> {
    if folder.join(ghostlight_store::DATABASE).exists() {
        return Err(format!("{} holds data already; name a new folder", folder.display()).into());
    }
    let options = OpenOptions {
        bulk: true,
        ..OpenOptions::default()
    };
    let store = Store::open_with(folder, options, |_| {})?;
    for (id, name) in words::PEOPLE {
        store.put_person(AuthorId(id.into()), name.into()).wait()?;
    }
    let mut progress = Progress::default();
    thread::scope(|scope| -> Result<(), StoreError> {
        let (made, next) = mpsc::sync_channel(AHEAD_MAX);
        scope.spawn(move || make_all(plan, &made));
        let mut under_way: Option<Pending<_>> = None;
        let mut pieces: Vec<Vec<Piece>> = Vec::new();
        let (mut held, mut told_of) = (0, progress);
        for posting in next {
            progress.add(&posting);
            held += posting.changes;
            pieces.push(posting.pieces);
            if held >= TRANSACTION_CHANGES {
                let written = under_way.replace(import(&store, std::mem::take(&mut pieces)));
                written.map(Pending::wait).transpose()?;
                told(std::mem::replace(&mut told_of, progress));
                held = 0;
            }
        }
        under_way.map(Pending::wait).transpose()?;
        import(&store, pieces).wait()?;
        Ok(())
    })?;
    told(progress);
    Ok(progress)
}

impl Progress {
    fn add(&mut self, made: &posting::Made) {
        self.rows += made.changes;
        self.commits += made.commits;
        self.postings += 1;
        if self
            .longest
            .is_none_or(|(_, versions)| versions < made.commits)
        {
            self.longest = Some((made.posting, made.commits));
        }
    }
}

fn import(store: &Store, postings: Vec<Vec<Piece>>) -> Pending<ghostlight_store::Imported> {
    store.import(Box::new(move |take| {
        postings.into_iter().flatten().try_for_each(take)
    }))
}

/// Makes posting after posting until there are enough changes, or nobody takes them any more.
fn make_all(plan: Plan, made: &mpsc::SyncSender<posting::Made>) {
    let (mut rows, mut number) = (0, 0);
    while rows < plan.rows {
        let left = plan.rows - rows;
        let changes = match number {
            0 => LONGEST_CHANGES.min(left / 4),
            _ => size(&mut Dice::of(plan.seed ^ 0x5eed, number)).min(left),
        };
        let wanted = Wanted {
            seed: plan.seed,
            number,
            changes: changes.max(1),
        };
        let posting = posting::make(wanted);
        rows += posting.changes;
        number += 1;
        if made.send(posting).is_err() {
            return;
        }
    }
}

/// How many changes a posting has: most have few, some very many.
fn size(dice: &mut Dice) -> u64 {
    let (least, most) = match dice.below(100) {
        0..=59 => (15, 100),
        60..=94 => (100, 400),
        _ => (400, 1_500),
    };
    least + dice.roll() % (most - least)
}
