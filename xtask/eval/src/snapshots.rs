//! Assessments of postings whose later fate is known: the confusion table of SPEC A7.
//!
//! `postings/snapshot/tech-salary-radar/DAY.csv` lists what a number of boards had open on a day.
//! Each posting of the first day is assessed as of that day, from its row alone, and labelled by
//! the last day: *closed* if its board is still listed and the posting is not, *open* if it is.
//! Other snapshots keep what is closed and so give no label.
//!
//! What the label is worth: *closed* says that the posting left its board, most often because
//! somebody was hired; it does not say that nobody was. A row has no text, so only dates, pay and
//! place can speak, and what the board says on the last day is the label, so it is no signal here.

use ghostlight_detect::{
    RawInput, open,
    signals::{SignalInput, signals},
};
use ghostlight_model::{
    Assessment, CaptureId, Day, FieldKey, Level, Micros, Observation, fuse::winners,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::{Path, PathBuf},
};

const MEANING: &str = "closed: on its board on the first day, not on the last, the board listed on \
                       both; open: on both. Assessed on the first day, from the row alone.";
const WEAKNESS: &str = "A posting that left its board was most often filled, which is no doubt \
                        about it; rows have no text, so only dates, pay and place speak.";

/// A row, by the names of the file's columns.
type Row = BTreeMap<String, String>;

/// How many postings of each assessment level turned out closed and open.
#[derive(Debug, Default, PartialEq)]
struct Confusion {
    /// Closed and open, by level.
    levels: BTreeMap<Level, (u32, u32)>,
    /// Of a board that the last day does not list.
    left_out: u32,
}

/// Prints the table, a JSON object a level and one for the whole.
pub(crate) fn print_confusion(root: &Path) -> Result<(), Box<dyn Error>> {
    let days = days(&root.join("postings/snapshot/tech-salary-radar"))?;
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return print_none("no snapshots");
    };
    let found = confusion(day_of(first)?, &rows(first)?, &rows(last)?)?;
    let (closed, open) = found.levels.values().fold((0, 0), |(closed, open), level| {
        (closed + level.0, open + level.1)
    });
    if closed == 0 || open == 0 {
        return print_none("the snapshots hold no posting of one of the labels");
    }
    for (level, (closed, open)) in &found.levels {
        println!(
            "{}",
            json!({ "name": format!("confusion/{}", level.word()), "closed": closed, "open": open,
                "closed_share": share(*closed, closed + open) })
        );
    }
    println!(
        "{}",
        json!({ "name": "confusion", "closed": closed, "open": open,
            "closed_share": share(closed, closed + open), "left_out": found.left_out,
            "first_day": day_of(first)?.to_string(), "last_day": day_of(last)?.to_string(),
            "label": MEANING, "weakness": WEAKNESS })
    );
    Ok(())
}

fn print_none(why: &str) -> Result<(), Box<dyn Error>> {
    eprintln!("THE CONFUSION TABLE HAS NO LABELLED ROWS: {why}.");
    println!(
        "{}",
        json!({ "name": "confusion", "closed": 0, "open": 0, "ok": false, "why": why })
    );
    Ok(())
}

/// The files of a snapshot's folder, by day; none if there is no such folder.
fn days(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path()));
    let mut days: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
    days.retain(|path| path.extension().is_some_and(|ext| ext == "csv"));
    days.sort();
    Ok(days)
}

fn day_of(file: &Path) -> Result<Day, Box<dyn Error>> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Day::parse_prefix(&name).ok_or_else(|| format!("{name}.csv is not named by a day"))?)
}

fn rows(file: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(file)?;
    Ok(reader.deserialize().collect::<Result<_, _>>()?)
}

fn confusion(day: Day, first: &[Row], last: &[Row]) -> Result<Confusion, Box<dyn Error>> {
    let boards: BTreeSet<_> = last.iter().map(board).collect();
    let still_there: BTreeSet<&str> = last.iter().map(|row| cell(row, "job_uid")).collect();
    let mut found = Confusion::default();
    for row in first {
        if !boards.contains(&board(row)) {
            found.left_out += 1;
            continue;
        }
        let level = assess(&posting(row), day)?;
        let (closed, open) = found.levels.entry(level).or_default();
        match still_there.contains(cell(row, "job_uid")) {
            true => *open += 1,
            false => *closed += 1,
        }
    }
    Ok(found)
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn board(row: &Row) -> (&str, &str) {
    (cell(row, "source"), cell(row, "company"))
}

/// A row as schema.org's `JobPosting`; what the row leaves empty is left out.
fn posting(row: &Row) -> Value {
    let mut posting = json!({ "@type": "JobPosting", "title": cell(row, "title"),
        "hiringOrganization": { "@type": "Organization", "name": cell(row, "company") } });
    for (column, member) in [
        ("published_at", "datePosted"),
        ("employment_type", "employmentType"),
    ] {
        if !cell(row, column).is_empty() {
            posting[member] = cell(row, column).into();
        }
    }
    if !cell(row, "location").is_empty() {
        posting["jobLocation"] = json!({ "@type": "Place", "address": cell(row, "location") });
    }
    let amount = |column| cell(row, column).parse::<f64>().ok();
    if let (Some(min), Some(max)) = (amount("salary_min"), amount("salary_max")) {
        let period = cell(row, "interval").trim_start_matches("1 ");
        posting["baseSalary"] = json!({ "@type": "MonetaryAmount",
            "currency": cell(row, "currency"),
            "value": { "minValue": min, "maxValue": max, "unitText": period } });
    }
    posting
}

/// The level that the signals of `posting` amounted to on `day`, its first capture.
fn assess(posting: &Value, day: Day) -> Result<Level, Box<dyn Error>> {
    let json = posting.to_string();
    let input = RawInput {
        bytes: json.as_bytes(),
        name: None,
        url: None,
        content_type: Some("application/json"),
    };
    let documents = open(&input)?;
    let document = documents.first().ok_or("a row without a posting")?;
    let captured_at = Micros(day.epoch_days() * 86_400_000_000);
    let (capture, mut seen) = (CaptureId([0; 16]), Vec::new());
    document.extract(capture, captured_at, &mut |observation| {
        seen.push(observation)
    });
    let known = seen.clone();
    document.detect(capture, captured_at, &known, &mut |observation| {
        seen.push(observation)
    });
    let fields: BTreeMap<FieldKey, Observation> = winners(&seen)
        .into_iter()
        .map(|(field, won)| (field.clone(), won.observation.clone()))
        .collect();
    let found = signals(&SignalInput {
        document,
        fields: &fields,
        captured_at,
        first_seen: captured_at,
        gone: None,
        similar: &[],
        outcomes: &[],
    });
    Ok(Assessment::of(&found).level)
}

fn share(part: u32, whole: u32) -> f64 {
    (f64::from(part) / f64::from(whole.max(1)) * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, company: &str, published: &str) -> Row {
        [
            ("job_uid", id),
            ("source", "lever"),
            ("company", company),
            ("title", "Lamp Keeper"),
            ("location", "Denver, Colorado, United States"),
            ("published_at", published),
        ]
        .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
        .into()
    }

    #[test]
    fn a_posting_is_labelled_by_the_last_day_and_assessed_on_the_first() {
        let (old, new) = ("2025-01-02T08:00:00Z", "2026-07-10T08:00:00Z");
        let mut paid = row("4", "oriel", new);
        for (column, cell) in [
            ("salary_min", "50000.0"),
            ("salary_max", "60000.0"),
            ("currency", "USD"),
            ("interval", "1 YEAR"),
        ] {
            paid.insert(column.into(), cell.into());
        }
        let first = [
            row("1", "oriel", old),
            row("2", "oriel", old),
            row("3", "oriel", new),
            paid,
            row("5", "a board that is listed no more", old),
        ];
        let last = [row("2", "oriel", old), row("9", "oriel", new)];
        let day = Day::parse_prefix("2026-07-18").unwrap();
        let found = confusion(day, &first, &last).unwrap();
        // Old without pay where the law asks for it; new without pay; new with pay.
        let levels = [
            (Level::SomeDoubt, (1, 1)),
            (Level::Unclear, (1, 0)),
            (Level::NoSignals, (1, 0)),
        ];
        assert_eq!(
            found,
            Confusion {
                levels: levels.into(),
                left_out: 1
            }
        );
    }
}
