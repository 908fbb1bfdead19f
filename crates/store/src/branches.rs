//! Branches of a posting that came with a bundle (SPEC E4): which of those here move, which are made, and how an end is
//! called that went on beside.
//!
//! A bundle says which branches its folder had ([`take_over`]). Nothing here moves but along its own history: to what
//! the branch of the same name came to there. What is checked out stays so. A bundle of the first format says nothing
//! of branches; then ends of histories are all there is to go by ([`name_ends`]).

use crate::{
    error::StoreError,
    history::{Branch, MAIN, branches, declined, move_branch, switch, tip},
    writer::Batch,
};
use ghostlight_model::{
    CommitId, Micros, PostingId,
    bundle::{BranchPiece, BranchesPiece},
    history::{BRANCH_CHARS_MAX, BRANCHES_MAX, Dag},
};
use std::collections::BTreeMap;

/// What an import calls the end of a history that went on beside a branch here: this alone if that is [`MAIN`], and
/// with the branch's name behind it otherwise.
pub const IMPORTED: &str = "imported";
/// Characters that the number behind such a name may take: a sign and up to [`BRANCHES_MAX`].
const NUMBER_CHARS: usize = 4;

/// Takes over the branches that a bundle says a posting had; its commits are here. Whether a branch went on here and
/// there.
///
/// A posting without branches gets them as they are, with what is checked out. Otherwise one that is not here is made,
/// one that is ahead of ours of the same name moves it there, and of two that went on the other one's end gets a name
/// of its own, unless it is on a branch already. What an import called so there is made here only where it holds
/// something that no branch here does.
///
/// # Errors
/// [`StoreError::Declined`] if there would be more than [`BRANCHES_MAX`].
pub(crate) fn take_over(batch: &Batch<'_>, came: &BranchesPiece) -> Result<bool, StoreError> {
    let posting = came.posting;
    let sqlite = |e: rusqlite::Error| batch.sqlite(&e);
    let mut here = Here::of(batch, posting).map_err(sqlite)?;
    if here.heads.is_empty() {
        for branch in &came.branches {
            here.put(batch, branch.name.clone(), branch)?;
        }
        if came.checkout != MAIN {
            switch(batch, posting, &came.checkout).map_err(sqlite)?;
        }
        return Ok(false);
    }
    let mut came: Vec<&BranchPiece> = came.branches.iter().collect();
    // Those that people made say what is known; then those that imports made are compared with it.
    came.sort_by_key(|branch| is_of_import(&branch.name));
    let mut beside = Vec::new();
    for branch in came {
        if is_of_import(&branch.name) && here.has(branch.head) {
            continue;
        }
        match here.heads.get(&branch.name).copied() {
            Some(head) if here.dag.is_ancestor(branch.head, head) => {}
            Some(head) if !here.dag.is_ancestor(head, branch.head) => beside.push(branch),
            _ => here.put(batch, branch.name.clone(), branch)?,
        }
    }
    for branch in &beside {
        if !here.has(branch.head) {
            let name = here.name_beside(&branch.name, branch.head);
            here.put(batch, name, branch)?;
        }
    }
    Ok(!beside.is_empty())
}

/// Gives every end that no branch stands on a name: it is a branch of its own. Beyond [`BRANCHES_MAX`] an end has no
/// name, and is there all the same.
pub(crate) fn name_rest(
    batch: &Batch<'_>,
    posting: PostingId,
    ends: &[CommitId],
) -> Result<(), StoreError> {
    let mut here = Here::of(batch, posting).map_err(|e| batch.sqlite(&e))?;
    let mut nameless = ends.to_vec();
    nameless.retain(|end| !here.heads.values().any(|head| head == end));
    let clock = |end: &CommitId| here.dag.get(*end).map(|commit| commit.clock);
    nameless.sort_by_key(|end| std::cmp::Reverse((clock(end), *end)));
    for end in nameless {
        if here.heads.len() >= BRANCHES_MAX {
            break;
        }
        let name = match here.heads.is_empty() {
            true => MAIN.to_owned(),
            false => here.free_name(IMPORTED, |_| false),
        };
        let line = here.dag.line(&[end]);
        let began = line.first().map(|(_, commit)| commit.clock.wall);
        let branch = BranchPiece {
            name: name.clone(),
            head: end,
            created: began.unwrap_or(Micros(0)),
        };
        here.put(batch, name, &branch)?;
    }
    Ok(())
}

/// Names the ends of a history whose branches a bundle says nothing of. A branch that one end goes on from moves there,
/// the one that is checked out first; the rest as [`name_rest`].
pub(crate) fn name_ends(
    batch: &Batch<'_>,
    posting: PostingId,
    ends: &[CommitId],
) -> Result<(), StoreError> {
    let sqlite = |e: rusqlite::Error| batch.sqlite(&e);
    let dag = tip(batch.tx, batch.touched.outlines(), posting)
        .map_err(sqlite)?
        .dag;
    let mut standing = branches(batch.tx, posting).map_err(sqlite)?;
    standing.sort_by_key(|branch| !branch.current);
    let mut nameless: Vec<CommitId> = ends.to_vec();
    nameless.retain(|end| !standing.iter().any(|branch| branch.head == *end));
    for Branch {
        name,
        head,
        created,
        ..
    } in &standing
    {
        let mut behind = nameless.iter().filter(|end| dag.is_ancestor(*head, **end));
        let (next, other) = (behind.next().copied(), behind.next());
        if let (Some(next), None) = (next, other) {
            move_branch(batch, (posting, name), next, *created).map_err(sqlite)?;
            nameless.retain(|end| *end != next);
        }
    }
    name_rest(batch, posting, ends)
}

/// The branches of a posting here, as they become.
struct Here {
    posting: PostingId,
    heads: BTreeMap<String, CommitId>,
    checkout: String,
    dag: Dag,
}

impl Here {
    fn of(batch: &Batch<'_>, posting: PostingId) -> rusqlite::Result<Self> {
        let tip = tip(batch.tx, batch.touched.outlines(), posting)?;
        let heads = branches(batch.tx, posting)?.into_iter();
        Ok(Self {
            posting,
            heads: heads.map(|branch| (branch.name, branch.head)).collect(),
            checkout: tip.branch,
            dag: tip.dag,
        })
    }

    /// Whether a commit is on a branch.
    fn has(&self, commit: CommitId) -> bool {
        let heads: Vec<CommitId> = self.heads.values().copied().collect();
        self.dag.is_on(commit, &heads)
    }

    /// Makes a branch, or moves it.
    fn put(
        &mut self,
        batch: &Batch<'_>,
        name: String,
        branch: &BranchPiece,
    ) -> Result<(), StoreError> {
        if !self.heads.contains_key(&name) && self.heads.len() >= BRANCHES_MAX {
            return Err(declined(
                format!(
                    "posting {} would have more than {BRANCHES_MAX} branches with those of the bundle; nothing was taken over",
                    self.posting
                ),
                "Delete branches that are merged, then import it again.",
            ));
        }
        move_branch(batch, (self.posting, &name), branch.head, branch.created)
            .map_err(|e| batch.sqlite(&e))?;
        self.heads.insert(name, branch.head);
        Ok(())
    }

    /// A name for the end of what went on beside the branch `name`. The branch that an earlier import made for it goes
    /// on there, unless it is checked out: a card changes by no import of another branch.
    fn name_beside(&self, name: &str, end: CommitId) -> String {
        let base = match name == MAIN || is_of_import(name) {
            true => IMPORTED.to_owned(),
            false => format!("{IMPORTED}-{name}"),
        };
        let base: String = base.chars().take(BRANCH_CHARS_MAX - NUMBER_CHARS).collect();
        self.free_name(&base, |name| {
            let head = self
                .heads
                .get(name)
                .filter(|_| self.checkout.as_str() != name);
            head.is_some_and(|head| self.dag.is_ancestor(*head, end))
        })
    }

    /// `base`, or else the first number behind it that no branch has, or that `fits`.
    fn free_name(&self, base: &str, fits: impl Fn(&str) -> bool) -> String {
        let mut name = base.to_owned();
        let mut number = 1;
        while self.heads.contains_key(&name) && !fits(&name) {
            number += 1;
            name = format!("{base}-{number}");
        }
        name
    }
}

/// Whether an import gave a branch its name.
fn is_of_import(name: &str) -> bool {
    let rest = name.strip_prefix(IMPORTED);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
