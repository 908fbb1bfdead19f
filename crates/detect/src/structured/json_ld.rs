//! JSON-LD: finds the job postings in the scripts of a page or in a JSON file.

use super::At;
use crate::{
    html::Page,
    json::{self, Node, Parsed, Value},
};

/// The JSON-LD of a page, script by script.
pub(crate) fn of_page(source: &str, page: &Page) -> Vec<Parsed> {
    page.scripts
        .iter()
        .map(|span| json::parse(source, span.clone()))
        .collect()
}

/// Every `JobPosting` in a document, in order, with pointers; none inside of another.
pub(crate) fn job_postings(document: &Node) -> Vec<At<'_>> {
    let mut found = Vec::new();
    collect(At::root(document), &mut found);
    found
}

/// Every `JobPosting` among microdata or RDFa items.
pub(crate) fn job_items(item: &Node) -> Vec<At<'_>> {
    let mut found = Vec::new();
    collect(At::item(item), &mut found);
    found
}

/// Whether a node's `@type` is schema.org's `JobPosting`, with or without vocabulary, alone or
/// among others.
pub(crate) fn is_job_posting(at: &At<'_>) -> bool {
    let Some(types) = at.get("@type").or_else(|| at.get("type")) else {
        return false;
    };
    types
        .each()
        .iter()
        .filter_map(|t| t.node.as_str())
        .any(|t| {
            t.split_ascii_whitespace().any(|word| {
                word.rsplit(['/', '#', ':'])
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case("JobPosting"))
            })
        })
}

/// The node that `{"@id": …}` refers to, where it is only a reference.
pub(crate) fn resolve<'a>(at: At<'a>, documents: &[&'a Node]) -> At<'a> {
    let Some(id) = at.get("@id").and_then(|id| id.text()) else {
        return at;
    };
    if at.node.members().len() > 2 || at.get("name").is_some() {
        return at;
    }
    documents
        .iter()
        .find_map(|document| by_id(At::root(document), &id))
        .unwrap_or(at)
}

fn by_id<'a>(at: At<'a>, id: &str) -> Option<At<'a>> {
    match &at.node.value {
        Value::Array(_) => at.each().into_iter().find_map(|element| by_id(element, id)),
        Value::Object(members) => {
            let this = members
                .iter()
                .any(|(k, v)| k == "@id" && v.as_str() == Some(id));
            if this && members.len() > 2 {
                return Some(at);
            }
            members.iter().find_map(|(key, _)| by_id(at.get(key)?, id))
        }
        _ => None,
    }
}

fn collect<'a>(at: At<'a>, found: &mut Vec<At<'a>>) {
    match &at.node.value {
        Value::Array(_) => at
            .each()
            .into_iter()
            .for_each(|element| collect(element, found)),
        Value::Object(_) if is_job_posting(&at) => found.push(at),
        Value::Object(members) => {
            for (key, node) in members
                .iter()
                .filter(|(_, n)| matches!(n.value, Value::Array(_) | Value::Object(_)))
            {
                collect(at.step(key, node), found);
            }
        }
        _ => {}
    }
}
