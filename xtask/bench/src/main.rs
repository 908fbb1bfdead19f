//! Figures that need the store, the hub and the feed's client: one JSON object each, by the names in the documents.
//!
//! `ghostlight-bench [ingest|export|hub|catch-up|reconnect]…` measures those parts, or all. Hub and export are the program
//! `ghostlight` beside this one, as `cargo xtask bench` builds it.

mod export;
mod feed;
mod hub;
mod ingest;
mod program;

use std::{error::Error, process::ExitCode};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures one part and prints its figures.
type Measure = fn() -> Outcome<()>;

/// What can be measured.
const PARTS: [(&str, Measure); 5] = [
    ("ingest", ingest::measure),
    ("export", export::measure),
    ("hub", hub::measure),
    ("catch-up", feed::catch_up),
    ("reconnect", feed::reconnect),
];

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
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
        if let Err(error) = measure() {
            eprintln!("NOT MEASURED: {name}; {error}");
        }
    }
    ExitCode::SUCCESS
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
