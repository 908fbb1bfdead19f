//! `ghostlight detect`: one field from one text a line, for scripts and for measuring.

use crate::{
    Global,
    output::{Exit, fail, print_line},
};
use clap::ValueEnum;
use ghostlight_detect::patterns;
use ghostlight_model::FieldKey;
use serde_json::{Value, json};
use std::io::{self, BufRead};

/// A line longer than this (bytes) is refused: it is no text of one field.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The field
    #[arg(long, value_enum)]
    field: Field,
    /// The currency of an amount that names none (ISO 4217)
    #[arg(long, value_name = "CODE")]
    currency_hint: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Field {
    Salary,
    Money,
    Location,
    Remote,
    EmploymentType,
    Seniority,
    Date,
}

/// Prints `{"value", "confidence", "quote"}` or `null` for each line.
pub(crate) fn run(_global: &Global, args: &Args) -> Result<Exit, Exit> {
    let mut lines = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = io::Read::take(&mut lines, LINE_BYTES_MAX as u64 + 1);
        let read = bounded
            .read_until(b'\n', &mut line)
            .map_err(|e| fail(Exit::Usage, &format!("standard input: {e}"), None))?;
        if read == 0 {
            return Ok(Exit::Done);
        }
        if line.len() > LINE_BYTES_MAX {
            let message = format!("a line of standard input is longer than {LINE_BYTES_MAX} bytes");
            return Err(fail(
                Exit::Usage,
                &message,
                Some("Use `ghostlight analyze -` for whole pages."),
            ));
        }
        let text = String::from_utf8_lossy(&line);
        print_line(&detect(args, text.trim_end_matches(['\r', '\n'])).to_string())?;
    }
}

fn detect(args: &Args, text: &str) -> Value {
    let hint = args.currency_hint.as_deref();
    let key = match args.field {
        Field::Money => return money(text, hint),
        Field::Salary => FieldKey::Salary,
        Field::Location => FieldKey::Location,
        Field::Remote => FieldKey::Remote,
        Field::EmploymentType => FieldKey::EmploymentType,
        Field::Seniority => FieldKey::Seniority,
        Field::Date => FieldKey::PostedAt,
    };
    match patterns::detect_one(&key, text, hint) {
        Some(found) => json!({
            "value": found.value.to_json(),
            "confidence": found.confidence,
            "quote": text.get(found.start..found.end),
        }),
        None => Value::Null,
    }
}

fn money(text: &str, hint: Option<&str>) -> Value {
    match patterns::money(text, hint) {
        Some(money) => json!({
            "value": { "amount": money.amount, "currency": money.currency },
            "confidence": money.confidence,
            "quote": text.get(money.start..money.end),
        }),
        None => Value::Null,
    }
}
