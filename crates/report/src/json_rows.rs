//! Rows as JSON: one document with its metadata, or a line a row.

use crate::{cell::Cell, table::Sheet};
use serde_json::{json, value::RawValue};
use std::io::{self, Write};

pub(crate) struct JsonRows<W: Write> {
    out: W,
    /// `"name":`, escaped.
    keys: Vec<String>,
    /// Whether rows are elements of the document, and not lines of their own.
    document: bool,
    rows: u64,
    line: Vec<u8>,
    scratch: String,
}

impl<W: Write> JsonRows<W> {
    pub fn begin(sheet: &Sheet<'_>, mut out: W, document: bool) -> io::Result<Self> {
        if document {
            let filters = sheet.job.filter.parts().into_iter();
            let filters: serde_json::Map<_, _> = filters
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            let metadata = json!({
                "what": sheet.job.what.word(),
                "exported_at": sheet.job.at.to_rfc3339(),
                "ghostlight": sheet.job.version,
                "filters": filters,
                "limit": sheet.job.limit,
                "fields": sheet.columns,
                "count": sheet.count,
            });
            write!(out, "{{\"metadata\":{metadata},\n\"rows\":[")?;
        }
        let keys = sheet.columns.iter();
        Ok(Self {
            out,
            keys: keys.map(|name| format!("{}:", json!(name))).collect(),
            document,
            rows: 0,
            line: Vec::new(),
            scratch: String::new(),
        })
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line.clear();
        if self.document {
            self.line
                .extend(if self.rows == 0 { &b"\n"[..] } else { b",\n" });
        }
        for (n, (key, cell)) in self.keys.iter().zip(cells).enumerate() {
            self.line.push(if n == 0 { b'{' } else { b',' });
            self.line.extend(key.as_bytes());
            value(cell, &mut self.line, &mut self.scratch)?;
        }
        self.line.push(b'}');
        if !self.document {
            self.line.push(b'\n');
        }
        self.rows += 1;
        self.out.write_all(&self.line)
    }

    pub fn end(mut self) -> io::Result<W> {
        if self.document {
            self.out.write_all(b"\n]}\n")?;
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

fn value(cell: &Cell<'_>, out: &mut Vec<u8>, scratch: &mut String) -> io::Result<()> {
    match *cell {
        Cell::Empty => out.extend(b"null"),
        Cell::Int(_) | Cell::Share(_) => out.extend(cell.plain(scratch).as_bytes()),
        Cell::Amount(amount) => serde_json::to_writer(out, &amount.to_json())?,
        Cell::Value(value) => serde_json::to_writer(out, &value.to_json())?,
        Cell::Json(text) => match serde_json::from_str::<&RawValue>(text) {
            // Line ends outside of strings are blanks to JSON; inside of them they are escaped.
            Ok(raw) => out.extend(
                raw.get()
                    .bytes()
                    .map(|b| if b == b'\n' || b == b'\r' { b' ' } else { b }),
            ),
            // A source may send what is none: its text is kept all the same.
            Err(_) => serde_json::to_writer(out, text)?,
        },
        Cell::Text(_) | Cell::Time(_) | Cell::Id(_) => {
            serde_json::to_writer(out, cell.plain(scratch))?
        }
    }
    Ok(())
}
