//! PatternFly's style sheet, cut down to what the window uses: a token that nothing refers to, and a rule for a class
//! that no page has, cost time at every start and never show.
//!
//! Works line by line on the sheets as npm brings them, one declaration a line; [`pruned`] refuses others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Failure, Result};

/// The sheet without rules for unknown classes and without custom properties that are never read.
///
/// `users` are our own style sheets, which read tokens; `markup` is all text that names classes.
///
/// # Errors
/// If the sheet is not laid out as expected: then this must be written anew, not skipped.
pub fn pruned(sheet: &str, users: &str, markup: &str) -> Result<String> {
    if !sheet.contains("\n  --") {
        return Err(Failure::new(
            "PatternFly's style sheet does not have one declaration a line any more",
        ));
    }
    let known = names_in(markup);
    let rules: Vec<&str> = rules(sheet)
        .filter(|rule| can_match(rule, &known))
        .collect();
    let read = read_properties(&rules, users);
    let kept = rules
        .iter()
        .flat_map(|rule| rule.lines())
        .filter(|line| declared(line).is_none_or(|name| read.contains(name)));
    Ok(kept.fold(String::new(), |sheet, line| sheet + line + "\n"))
}

/// Each rule at the top level, with its braces.
fn rules(sheet: &str) -> impl Iterator<Item = &str> {
    sheet
        .split_inclusive("\n}\n")
        .filter(|rule| !rule.trim().is_empty())
}

/// Whether a rule's selector can match with these classes. A selector that excludes is kept: it matches without them.
fn can_match(rule: &str, known: &BTreeSet<&str>) -> bool {
    let selector = rule.split('{').next().unwrap_or_default();
    if selector.contains(":not(") || selector.trim_start().starts_with('@') {
        return true;
    }
    let mut alternatives = alternatives(selector);
    alternatives.any(|one| classes(one).all(|class| known.contains(class)))
}

/// The parts of a selector between commas that are not inside brackets.
fn alternatives(selector: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    selector.split(move |c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    })
}

/// The classes that must all be there; those of `:is(…)` and `:where(…)` with several choices need not be.
fn classes(selector: &str) -> impl Iterator<Item = &str> {
    let certain = if selector.contains(',') { "" } else { selector };
    certain.split('.').skip(1).map(|rest| {
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        &rest[..end]
    })
}

/// The custom properties that are read, straight or through another that is.
fn read_properties<'a>(rules: &[&'a str], users: &'a str) -> BTreeSet<&'a str> {
    let mut behind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut waiting: Vec<&str> = reads(users).collect();
    for line in rules.iter().flat_map(|rule| rule.lines()) {
        match declared(line) {
            Some(name) => behind.entry(name).or_default().extend(reads(line)),
            None => waiting.extend(reads(line)),
        }
    }
    let mut read = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if read.insert(name) {
            waiting.extend(behind.get(name).into_iter().flatten());
        }
    }
    read
}

/// The custom property that a line declares.
fn declared(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start().split_once(':')?;
    name.starts_with("--").then_some(name)
}

/// The custom properties that a text reads.
fn reads(text: &str) -> impl Iterator<Item = &str> {
    text.split("var(").skip(1).map(|rest| {
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        &rest[..end]
    })
}

fn names_in(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !is_name(c)).collect()
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SHEET: &str = "\
:root {
  --far: 1px;
  --near: var(--far);
  --unused: var(--near);
  color: red;
}
.used,
.absent {
  margin: var(--near);
}
.absent {
  margin: var(--unused);
}
:is(.absent, .used) {
  top: 0;
}
.used:not(.absent) {
  left: 0;
}
@media print {
  .absent {
    top: 0;
  }
}
";

    #[test]
    fn what_nothing_reads_or_matches_goes_and_the_rest_stays() {
        let kept = pruned(SHEET, "a { left: var(--own) }", "class=\"used\"").unwrap();
        for stays in [
            "--far: 1px",
            "--near:",
            "color: red",
            ".used,",
            ":is(.absent, .used)",
            ":not(.absent)",
            "@media print",
        ] {
            assert!(kept.contains(stays), "{stays} is gone:\n{kept}");
        }
        assert!(!kept.contains("--unused"), "{kept}");
        assert_eq!(kept.matches("margin:").count(), 1, "{kept}");
    }

    #[test]
    fn what_our_own_sheets_read_stays_with_all_behind_it() {
        let kept = pruned(SHEET, "a { left: var(--unused, 1px) }", "").unwrap();
        assert!(kept.contains("--unused: var(--near)"), "{kept}");
    }

    #[test]
    fn another_layout_is_refused() {
        assert!(pruned(":root{--a:1px}", "", "").is_err());
    }
}
