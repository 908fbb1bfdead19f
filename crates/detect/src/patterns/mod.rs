//! Patterns: values read from plain text, each with the words it rests on.
//!
//! One detector a file; each has its confidences in one table at its top and its vocabulary as
//! data (phrase, meaning), English, German, French and Spanish side by side. All of them look at
//! one [`text::Doc`], made once for a text: folded to lower case byte for byte, cut into lines, its
//! places found. There are no regular expressions: phrases are found by Aho-Corasick automata
//! built on first use, numbers, dates and names by scanners, so that a new process is quick.
//! The vocabularies are packed several entries a line, so rustfmt skips them.
//! Texts are read up to 256 kB ([`text::TEXT_BYTES_MAX`]); what follows is not looked at.

use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::ops::Range;

mod company;
mod dates;
mod employment;
mod gazetteer;
mod header;
mod links;
mod location;
mod money;
mod page;
mod phrases;
mod remote;
mod salary;
mod seniority;
mod terms;
mod text;
mod title;

use text::Doc;

#[cfg(test)]
mod tests;

/// A value found in a text: `text[start..end]` is its quote.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Which field.
    pub field: FieldKey,
    /// The value.
    pub value: FieldValue,
    /// How sure the pattern is.
    pub confidence: Confidence,
    /// First byte of the quote.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// What patterns know besides the text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// ISO 639-1 of the text, where known.
    pub language: Option<&'a str>,
    /// The page's URL, where known.
    pub url: Option<&'a str>,
    /// The page's `<title>` or the title known from structure.
    pub title: Option<&'a str>,
    /// What a page's layout says about its text; `None` for plain text.
    pub layout: Option<Layout<'a>>,
}

/// What the layout of a page says about its visible text; ranges are bytes of that text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout<'a> {
    /// First headings outside of navigation, those of the main area first.
    pub headings: &'a [Range<usize>],
    /// Second headings alike.
    pub subheadings: &'a [Range<usize>],
    /// Navigation and other parts of the frame, in order and apart.
    pub frames: &'a [Range<usize>],
    /// Ends of short elements that may be labels, in order.
    pub label_ends: &'a [usize],
    /// The page's `<title>`.
    pub page_title: Option<&'a str>,
    /// The title of its link preview (`og:title`).
    pub preview_title: Option<&'a str>,
}

/// Hands every value found in `text` to `sink`, the moment it is known.
pub fn find_all(text: &str, context: Context<'_>, sink: &mut dyn FnMut(Found)) {
    let mut doc = Doc::new(text, context.language);
    if let Some(layout) = context.layout {
        page::apply(&mut doc, layout);
    }
    let segments = header::segments(&doc);
    let title = title::find(&doc, context, &segments, sink);
    let mut employers: Vec<String> = Vec::new();
    company::find(&doc, &segments, &mut |found| {
        employers.push(text[found.start..found.end].to_owned());
        sink(found);
    });
    // An employer called like a town is no place.
    doc.mentions
        .retain(|m| m.full || !employers.contains(&m.place.text));
    location::find(&doc, &segments, sink);
    remote::find(&doc, &segments, sink);
    employment::find(&doc, &segments, sink);
    seniority::find(&doc, title, sink);
    salary::find(&doc, sink);
    dates::find(&doc, sink);
    links::find(&doc, context, sink);
    remote::regions(&doc, sink);
    terms::skills(&doc, sink);
    terms::benefits(&doc, sink);
    terms::description(&doc, sink);
}

/// Words of the text that say why a field has no value ("competitive salary"): field, sentence.
pub fn reasons(text: &str) -> Vec<(FieldKey, String)> {
    let doc = Doc::new(text, None);
    salary::unsaid(&doc)
        .map(|sentence| (FieldKey::Salary, sentence))
        .into_iter()
        .collect()
}

/// The one value of `field` in a short text that is known to state it, such as a table cell.
pub fn detect_one(field: &FieldKey, text: &str, currency_hint: Option<&str>) -> Option<Found> {
    let doc = Doc::new(text, None);
    match field {
        FieldKey::Salary => salary::only(&doc, currency_hint),
        FieldKey::Location => location::only(&doc),
        FieldKey::Remote => remote::only(&doc),
        FieldKey::EmploymentType => employment::only(&doc),
        FieldKey::Seniority => seniority::only(&doc),
        FieldKey::PostedAt | FieldKey::ValidThrough => dates::only(&doc, field),
        FieldKey::Custom(name) if name == "date" => dates::only(&doc, &FieldKey::PostedAt),
        _ => None,
    }
}

/// An amount of money (`ghostlight detect --field money`).
#[derive(Debug, Clone, PartialEq)]
pub struct Money {
    /// The amount.
    pub amount: ghostlight_model::Amount,
    /// ISO 4217, where the text or the hint says so.
    pub currency: Option<String>,
    /// How sure the pattern is.
    pub confidence: Confidence,
    /// First byte of the quote.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The first amount of money in `text`; `currency_hint` is an ISO 4217 code.
pub fn money(text: &str, currency_hint: Option<&str>) -> Option<Money> {
    money::first(text, currency_hint)
}
