//! Figures that need the store, the hub and the feed's client: one JSON object each, by the names in the documents.
//!
//! `ghostlight-bench [--rows N] [--data FOLDER] [ingest|export|history|hub|catch-up|reconnect]…` measures those parts, or
//! all. Hub and export are the program `ghostlight` beside this one, as `cargo xtask bench` builds it. The histories are
//! those of a folder with N changes that is made for it, or of a folder that `cargo xtask seed` made.

mod archive;
mod export;
mod feed;
mod history;
mod hub;
mod ingest;
mod program;

use std::{error::Error, path::PathBuf, process::ExitCode};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Field changes of the histories that are measured, where nobody says how many: made in a minute or two.
const ROWS: u64 = 1_000_000;

/// How large the data is, or where it is.
struct Options {
    rows: u64,
    data: Option<PathBuf>,
}

/// Measures one part and prints its figures.
type Measure = fn(&Options) -> Outcome<()>;

/// What can be measured.
const PARTS: [(&str, Measure); 7] = [
    ("ingest", |_| ingest::measure()),
    ("export", |_| export::measure()),
    ("history", history::measure),
    ("archive", archive::measure),
    ("hub", |_| hub::measure()),
    ("catch-up", |_| feed::catch_up()),
    ("reconnect", |_| feed::reconnect()),
];

fn main() -> ExitCode {
    let Some((options, asked)) = options(std::env::args().skip(1).collect()) else {
        eprintln!("ghostlight-bench: --rows takes a number, --data a folder");
        return ExitCode::from(2);
    };
    let names = PARTS.map(|(name, _)| name);
    if let Some(unknown) = asked.iter().find(|one| !names.contains(&one.as_str())) {
        eprintln!(
            "ghostlight-bench: `{unknown}` is none of {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    }
    for (name, measure) in PARTS {
        if !asked.is_empty() && !asked.iter().any(|one| one == name) {
            continue;
        }
        // The other figures are worth having all the same.
        if let Err(error) = measure(&options) {
            eprintln!("NOT MEASURED: {name}; {error}");
        }
    }
    ExitCode::SUCCESS
}

/// Flags and what is behind them, and the rest; `None` if one is wrong.
fn options(args: Vec<String>) -> Option<(Options, Vec<String>)> {
    let mut options = Options {
        rows: ROWS,
        data: None,
    };
    let (mut rest, mut args) = (Vec::new(), args.into_iter());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rows" => options.rows = args.next()?.parse().ok()?,
            "--data" => options.data = Some(args.next()?.into()),
            _ => rest.push(arg),
        }
    }
    Some((options, rest))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A figure without a peer; `goal` is the number that it is compared with, and whether it is met.
fn figure(name: &str, value: f64, unit: &str, goal: Option<(f64, bool)>) {
    let mut figure = serde_json::json!({
        "name": name, "value": (value * 1e3).round() / 1e3, "unit": unit,
    });
    if let Some((goal, ok)) = goal {
        figure["goal"] = goal.into();
        figure["ok"] = ok.into();
    }
    println!("{figure}");
}
