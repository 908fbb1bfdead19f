//! Lists: items with commas, semicolons or line ends between them; one that holds such a sign stands
//! in quotation marks, and a mark within is doubled.

use super::{TypedError, line, short};
use std::collections::BTreeSet;

const SEPARATORS: [char; 3] = [',', ';', '\n'];

/// The items of `text`, each as one line, without empty ones.
pub(super) fn read(text: &str) -> Result<Vec<String>, TypedError> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (item, behind) = match rest.strip_prefix('"') {
            Some(quoted) => until_quote(quoted)?,
            None => {
                let end = rest.find(SEPARATORS).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        let item = line(&item)?;
        if !item.is_empty() {
            items.push(item);
        }
        rest = behind.trim_start_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
    }
    Ok(items)
}

/// A quoted item and what is behind its closing mark; more behind it than a separator belongs to it.
fn until_quote(quoted: &str) -> Result<(String, &str), TypedError> {
    let mut item = String::new();
    let mut rest = quoted;
    loop {
        let Some(end) = rest.find('"') else {
            return Err(TypedError::Quote(short(quoted)));
        };
        item.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(behind) => {
                item.push('"');
                rest = behind;
            }
            None => break,
        }
    }
    let end = rest.find(SEPARATORS).unwrap_or(rest.len());
    item.push_str(&rest[..end]);
    Ok((item, &rest[end..]))
}

/// Without those that were there before, whatever their case.
pub(super) fn distinct(mut items: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(item.to_lowercase()));
    items
}

/// As [`read`] takes it.
pub(super) fn text_of(items: &[String]) -> String {
    let item = |item: &String| match item.contains(SEPARATORS) || item.starts_with('"') {
        true => format!("\"{}\"", item.replace('"', "\"\"")),
        false => item.clone(),
    };
    items.iter().map(item).collect::<Vec<_>>().join(", ")
}
