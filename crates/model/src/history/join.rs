//! Lists that both sides changed, merged element by element.

use crate::{
    commit::Clock,
    value::{FieldValue, Place},
};
use std::collections::BTreeMap;

/// When each element that was added on a side was added there, by key.
pub(super) type Added = BTreeMap<String, Clock>;

/// The elements' keys, in order.
pub(super) fn keys(value: &FieldValue) -> Vec<String> {
    match value {
        FieldValue::List(items) => items.iter().map(|item| key_of(item)).collect(),
        FieldValue::Places(places) => places.iter().map(key_of_place).collect(),
        _ => Vec::new(),
    }
}

/// By which an element is the same on both sides: its normalised words.
fn key_of(item: &str) -> String {
    let key = FieldValue::Text(item.to_owned()).normalised();
    match key.is_empty() {
        true => item.to_lowercase(),
        false => key,
    }
}

fn key_of_place(place: &Place) -> String {
    key_of(&place.name())
}

/// The list of both sides' additions and removals; `None` if the values are no lists of one kind, or
/// nothing would be left.
pub(super) fn join(
    base: Option<&FieldValue>,
    (a, added_a): (&FieldValue, &Added),
    (b, added_b): (&FieldValue, &Added),
) -> Option<FieldValue> {
    let added = |key: &String| {
        added_a
            .get(key)
            .into_iter()
            .chain(added_b.get(key))
            .min()
            .copied()
    };
    match (a, b) {
        (FieldValue::List(a), FieldValue::List(b)) => {
            let base = match base {
                Some(FieldValue::List(base)) => &base[..],
                _ => &[],
            };
            let joined = elements(base, (a, b), |item| key_of(item), added);
            (!joined.is_empty()).then_some(FieldValue::List(joined))
        }
        (FieldValue::Places(a), FieldValue::Places(b)) => {
            let base = match base {
                Some(FieldValue::Places(base)) => &base[..],
                _ => &[],
            };
            let joined = elements(base, (a, b), key_of_place, added);
            (!joined.is_empty()).then_some(FieldValue::Places(joined))
        }
        _ => None,
    }
}

/// In order of the base what neither side removed, then what either added, by clock and key.
fn elements<T: Clone + Ord>(
    base: &[T],
    (a, b): (&[T], &[T]),
    key: impl Fn(&T) -> String,
    added: impl Fn(&String) -> Option<Clock>,
) -> Vec<T> {
    let by_key = |items: &[T]| -> BTreeMap<String, T> {
        // Of two elements with one key the first counts.
        items
            .iter()
            .rev()
            .map(|item| (key(item), item.clone()))
            .collect()
    };
    let (in_base, in_a, in_b) = (by_key(base), by_key(a), by_key(b));
    let mut joined: Vec<T> = Vec::new();
    let mut done: Vec<String> = Vec::new();
    for item in base {
        let key = key(item);
        if done.contains(&key) {
            continue;
        }
        if let (Some(of_a), Some(of_b)) = (in_a.get(&key), in_b.get(&key)) {
            joined.push(spelling(in_base.get(&key), of_a, of_b).clone());
        }
        done.push(key);
    }
    let mut new: BTreeMap<(Option<Clock>, String), T> = BTreeMap::new();
    for (key, item) in in_a.iter().chain(&in_b) {
        if in_base.contains_key(key) {
            continue;
        }
        let (of_a, of_b) = (in_a.get(key).unwrap_or(item), in_b.get(key).unwrap_or(item));
        new.insert(
            (added(key), key.clone()),
            spelling(None, of_a, of_b).clone(),
        );
    }
    joined.extend(new.into_values());
    joined
}

/// Of two spellings of one element the one that is new; of two new ones the lesser.
fn spelling<'a, T: Ord>(base: Option<&T>, a: &'a T, b: &'a T) -> &'a T {
    match base {
        Some(base) if a == base => b,
        Some(base) if b == base => a,
        _ => a.min(b),
    }
}
