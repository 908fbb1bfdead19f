//! Two versions by field, and going back to one of them.

use super::{Claim, change_to, dag::Dag, undo::note};
use crate::{
    card::{Committed, Standing},
    commit::{Commit, FieldChange, Purpose},
    ids::CommitId,
    observation::Source,
    value::{FieldKey, FieldValue},
};
use std::collections::BTreeSet;

use super::Reversal;

/// A field that two versions say different things about.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Which field.
    pub field: FieldKey,
    /// What stands in the one.
    pub before: Option<Standing>,
    /// What stands in the other.
    pub after: Option<Standing>,
}

/// The fields that differ between two versions: by value, or by whether a person says so.
pub fn compare(before: &Committed, after: &Committed) -> Vec<Difference> {
    let fields: BTreeSet<&FieldKey> = before.values.keys().chain(after.values.keys()).collect();
    let differs = |a: Option<&Standing>, b: Option<&Standing>| {
        let said = |s: Option<&Standing>| s.map(|s| (s.value.clone(), s.source == Source::User));
        said(a) != said(b)
    };
    fields
        .into_iter()
        .map(|field| (field, before.values.get(field), after.values.get(field)))
        .filter(|(_, a, b)| differs(*a, *b))
        .map(|(field, a, b)| Difference {
            field: field.clone(),
            before: a.cloned(),
            after: b.cloned(),
        })
        .collect()
}

/// What brings back the values of `version` at `head`; outcomes stay. `None` if nothing differs.
///
/// A machine's value that the machines do not stand by any more is brought back as a person's, who
/// decides for it: else what was found since would stand all the same.
pub fn restore(dag: &Dag, head: CommitId, version: CommitId, message: &str) -> Option<Reversal> {
    let (now, then) = (dag.state(&[head]), dag.state(&[version]));
    let changes = back_to(&dag.line(&[head]), compare(&now, &then));
    let message = note(&changes, &then).unwrap_or_else(|| message.to_owned());
    (!changes.is_empty()).then_some(Reversal {
        purpose: Purpose::Restore(version),
        message,
        changes,
    })
}

/// The changes that make each field what it is in `after`, on a line that ends with what it is in `before`.
pub(super) fn back_to(
    line: &[(CommitId, &Commit)],
    differences: Vec<Difference>,
) -> Vec<FieldChange> {
    let change = |difference: Difference| {
        let old = difference.before.map(|s| s.value);
        let claim = difference.after.as_ref().map(Claim::of);
        let claim = claim.map(|claim| match claim.source {
            Source::User => claim,
            _ if found_last(line, &difference.field) == Some(&claim.value) => claim,
            _ => Claim {
                observation: claim.observation,
                ..Claim::of_person(claim.value)
            },
        });
        change_to(&difference.field, old, claim)
    };
    differences.into_iter().map(change).collect()
}

/// What a machine said last of a field.
fn found_last<'a>(line: &[(CommitId, &'a Commit)], field: &FieldKey) -> Option<&'a FieldValue> {
    let changes = line.iter().rev().flat_map(|(_, commit)| &commit.changes);
    let mut by_machine = changes.filter(|c| c.field == *field && c.source != Source::User);
    by_machine.next().and_then(|change| change.new.as_ref())
}
