//! Rows as CSV (RFC 4180): UTF-8, lines end with CR LF, a header names the columns.

use crate::{
    cell::{Cell, needs_guard},
    table::{Sheet, Style},
};
use csv::{ByteRecord, Terminator, Writer, WriterBuilder};
use std::io::{self, Write};

/// What is collected before it goes on to the file.
const BUFFER_BYTES: usize = 64 * 1024;
/// The mark that Excel takes for UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

pub(crate) struct CsvRows<W: Write> {
    out: Writer<W>,
    style: Style,
    scratch: String,
    guarded: String,
}

impl<W: Write> CsvRows<W> {
    pub fn begin(sheet: &Sheet<'_>, mut out: W) -> io::Result<Self> {
        if sheet.style.bom {
            out.write_all(BOM)?;
        }
        let mut out = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .buffer_capacity(BUFFER_BYTES)
            .from_writer(out);
        out.write_record(sheet.columns).map_err(io_error)?;
        Ok(Self {
            out,
            style: sheet.style,
            scratch: String::new(),
            guarded: String::new(),
        })
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for cell in cells {
            let plain = cell.plain(&mut self.scratch);
            if self.style.guard && cell.is_text() && needs_guard(plain) {
                self.guarded.clear();
                self.guarded.push('\'');
                self.guarded.push_str(plain);
                self.out.write_field(&self.guarded).map_err(io_error)?;
            } else {
                self.out.write_field(plain).map_err(io_error)?;
            }
        }
        // Ends the record.
        self.out
            .write_byte_record(&ByteRecord::new())
            .map_err(io_error)
    }

    pub fn end(self) -> io::Result<W> {
        self.out.into_inner().map_err(|e| e.into_error())
    }
}

/// What the system said, with its kind: that is how a full disk is told from other trouble.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
