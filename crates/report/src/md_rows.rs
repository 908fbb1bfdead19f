//! Rows as Markdown, for people: a section a posting, a table of changes or events.
//!
//! What stands in a cell is a stranger's text: everything that Markdown would act upon is escaped, so that no page can
//! bring a picture, a link or a heading of its own.

use crate::{cell::Cell, table::Sheet};
use ghostlight_model::{FieldKey, export::What};
use std::io::{self, Write};

pub(crate) struct MdRows<W: Write> {
    out: W,
    labels: Vec<String>,
    /// The column that a section is named by; a table without one.
    title: Option<usize>,
    rows: u64,
    scratch: String,
    escaped: String,
}

impl<W: Write> MdRows<W> {
    pub fn begin(sheet: &Sheet<'_>, mut out: W) -> io::Result<Self> {
        let labels: Vec<String> = sheet.columns.iter().map(|name| label(name)).collect();
        let title = (sheet.job.what == What::Postings).then(|| {
            let named = sheet
                .columns
                .iter()
                .position(|name| *name == FieldKey::Title.name());
            named.unwrap_or(0)
        });
        let mut escaped = String::new();
        writeln!(out, "# Ghostlight: {}\n", sheet.job.what.word())?;
        let (at, version) = (sheet.job.at.to_rfc3339(), &sheet.job.version);
        writeln!(
            out,
            "{} rows, exported {at} by Ghostlight {version}.\n",
            sheet.count
        )?;
        for (name, value) in sheet.job.filter.parts() {
            escape(&value, &mut escaped);
            writeln!(out, "- {name}: {escaped}")?;
        }
        if title.is_none() {
            writeln!(out, "\n| {} |", labels.join(" | "))?;
            writeln!(out, "|{}", " --- |".repeat(labels.len()))?;
        }
        Ok(Self {
            out,
            labels,
            title,
            rows: 0,
            scratch: String::new(),
            escaped,
        })
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.rows += 1;
        match self.title {
            Some(title) => self.section(cells, title),
            None => self.line(cells),
        }
    }

    pub fn end(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn section(&mut self, cells: &[Cell<'_>], title: usize) -> io::Result<()> {
        let named = cells
            .get(title)
            .map_or("", |cell| cell.plain(&mut self.scratch));
        escape(named, &mut self.escaped);
        writeln!(self.out, "\n## {}. {}\n", self.rows, self.escaped)?;
        for (n, (label, cell)) in self.labels.iter().zip(cells).enumerate() {
            let plain = cell.plain(&mut self.scratch);
            if n != title && !plain.is_empty() {
                escape(plain, &mut self.escaped);
                writeln!(self.out, "- **{label}**: {}", self.escaped)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for cell in cells {
            escape(cell.plain(&mut self.scratch), &mut self.escaped);
            write!(self.out, "| {} ", self.escaped)?;
        }
        writeln!(self.out, "|")
    }
}

/// `posted_at` as `Posted`, `first_seen` as `First seen`.
fn label(name: &str) -> String {
    match FieldKey::from(name) {
        FieldKey::Custom(_) => {
            let words = name.replace('_', " ");
            let mut chars = words.chars();
            let first = chars.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        }
        known => known.label().to_owned(),
    }
}

/// On one line, with nothing that Markdown acts upon; an address by itself would become a link.
fn escape(text: &str, out: &mut String) {
    out.clear();
    for c in text.trim().chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '&' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}
