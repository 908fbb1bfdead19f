//! The history of a posting: a DAG of commits, merged by field, undone and restored by new commits
//! (SPEC E1–E3, DESIGN *The data*).
//!
//! What a version holds is the fold of its ancestors ([`Dag::state`]). Nothing here is remembered
//! beside the commits: what can be undone, by whom, and why not is read from them alone.

mod compare;
mod dag;
mod join;
mod merge;
mod outline;
pub mod packed;
mod undo;

pub use compare::{Difference, compare, restore};
pub use dag::Dag;
pub use merge::{Clash, Join, Merge, Resolution, Side, Unsettled, merge};
pub use outline::{Outline, Touch};
pub use undo::{Reversal, Stacks, Stuck, merge_above, redo, stacks, undo, unmerge};

use crate::{
    card::Standing,
    commit::FieldChange,
    ids::ObservationId,
    observation::{Confidence, Method, Source},
    value::{FieldKey, FieldValue},
};

/// A branch's name may hold so many characters.
pub const BRANCH_CHARS_MAX: usize = 60;

/// A posting may have so many branches; more are refused.
pub const BRANCHES_MAX: usize = 100;

/// A text that cannot be a branch's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a branch's name: 1 to {BRANCH_CHARS_MAX} letters, digits and - _ . /, with a letter or digit first"
)]
pub struct BranchNameError(String);

/// Whether `name` can be a branch's.
///
/// # Errors
/// [`BranchNameError`] says what a name is made of.
pub fn check_branch_name(name: &str) -> Result<(), BranchNameError> {
    let sign = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let begins = name.chars().next().is_some_and(char::is_alphanumeric);
    match begins && name.chars().count() <= BRANCH_CHARS_MAX && name.chars().all(sign) {
        true => Ok(()),
        false => Err(BranchNameError(name.chars().take(80).collect())),
    }
}

/// What is said of a field, without who said it when.
#[derive(Debug, Clone, PartialEq)]
struct Claim {
    value: FieldValue,
    confidence: Confidence,
    source: Source,
    method: Method,
    observation: Option<ObservationId>,
}

impl Claim {
    fn of(standing: &Standing) -> Self {
        Self {
            value: standing.value.clone(),
            confidence: standing.confidence,
            source: standing.source,
            method: standing.method,
            observation: standing.observation,
        }
    }

    /// A person's, with nothing but their word.
    fn of_person(value: FieldValue) -> Self {
        Self {
            value,
            confidence: Confidence::FULL,
            source: Source::User,
            method: Method::Manual,
            observation: None,
        }
    }
}

/// The change that makes `field` hold `claim`.
fn change_to(field: &FieldKey, old: Option<FieldValue>, claim: Option<Claim>) -> FieldChange {
    // A withdrawal is a person's: somebody merges, undoes or restores.
    let (new, said) = match claim {
        Some(claim) => (Some(claim.value.clone()), claim),
        None => (None, Claim::of_person(FieldValue::Text(String::new()))),
    };
    FieldChange {
        field: field.clone(),
        old,
        new,
        confidence: said.confidence,
        source: said.source,
        method: said.method,
        observation: said.observation,
    }
}

#[cfg(test)]
mod tests;
