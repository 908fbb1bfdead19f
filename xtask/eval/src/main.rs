//! `ghostlight-eval DATA_ROOT`: detection measured on labelled postings.
//!
//! Reads `truth/*.jsonl` and what they name, reads each posting as `ghostlight analyze --no-model`
//! does, and prints one JSON object a figure (see [`figures`]): exact share per field and method,
//! wrong-but-confident share, expected calibration error, CPU per page, and the assessments of
//! postings whose later fate is known ([`snapshots`]). [`truth`] holds the rules by which a label
//! is compared with a card.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cards;
mod figures;
mod snapshots;
mod truth;

use cards::Cards;
use figures::Tally;
use std::{path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(root) = args.next().map(PathBuf::from) else {
        eprintln!("usage: ghostlight-eval DATA_ROOT [NOISE_TSV]");
        return ExitCode::from(2);
    };
    let noise = args.next().map(PathBuf::from);
    match evaluate(&root, noise.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ghostlight-eval: {error}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate(
    root: &std::path::Path,
    noise: Option<&std::path::Path>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut cards = Cards::new(root);
    let mut tally = Tally::default();
    for (file, case) in truth::cases(root, noise)? {
        let found = cards.of(&case)?;
        let card = truth::pick(root, &case, &found);
        for claim in truth::claims(&case) {
            tally.add(&file, &claim, truth::compare(&claim, card));
        }
    }
    tally.print();
    cards.print_cpu();
    figures::print_prices(root)?;
    snapshots::print_confusion(root)
}
