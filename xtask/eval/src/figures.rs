//! Figures: one JSON object each, by the names of the documents.

use crate::truth::{Answer, Claim, Verdict};
use ghostlight_detect::patterns;
use serde_json::json;
use std::{collections::BTreeMap, path::Path};

/// A value this confident (0 to 1) and wrong counts as wrong-but-confident.
const CONFIDENT: f64 = 0.8;
/// Equal-width bins of the calibration error.
const BINS: usize = 10;

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    n: u32,
    exact: u32,
    confident_wrong: u32,
}

impl Count {
    fn add(&mut self, answer: &Answer) {
        let confidence = answer.winner.as_ref().map_or(0.0, |w| w.confidence);
        self.n += 1;
        self.exact += u32::from(answer.verdict == Verdict::Exact);
        self.confident_wrong +=
            u32::from(answer.verdict == Verdict::Wrong && confidence >= CONFIDENT);
    }

    fn share(self) -> f64 {
        f64::from(self.exact) / f64::from(self.n.max(1))
    }

    fn print(self, name: &str, goal: Option<f64>) {
        println!(
            "{}",
            json!({ "name": name, "value": round(self.share()), "unit": "share", "n": self.n,
                "confident_wrong": round(f64::from(self.confident_wrong) / f64::from(self.n.max(1))),
                "goal": goal, "ok": goal.map(|goal| self.share() >= goal) })
        );
    }
}

/// Everything counted so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_file: BTreeMap<String, Count>,
    by_field: BTreeMap<String, Count>,
    by_method: BTreeMap<&'static str, Count>,
    by_group: BTreeMap<&'static str, Count>,
    bins: [(u32, f64, u32); BINS],
}

impl Tally {
    /// Counts one claim.
    pub fn add(&mut self, file: &str, claim: &Claim, answer: Answer) {
        let group = if file.starts_with("text") {
            "text"
        } else {
            "structured"
        };
        self.by_group.entry(group).or_default().add(&answer);
        self.by_file
            .entry(file.to_owned())
            .or_default()
            .add(&answer);
        self.by_field
            .entry(format!("{group}/{}", claim.label))
            .or_default()
            .add(&answer);
        if let Some(winner) = &answer.winner {
            self.by_method
                .entry(winner.method.word())
                .or_default()
                .add(&answer);
            let bin = ((winner.confidence * BINS as f64) as usize).min(BINS - 1);
            let (n, confidence, exact) = &mut self.bins[bin];
            *n += 1;
            *confidence += winner.confidence;
            *exact += u32::from(answer.verdict == Verdict::Exact);
        }
    }

    /// Prints all figures.
    pub fn print(&self) {
        for (file, count) in &self.by_file {
            count.print(&format!("exact/{file}"), None);
        }
        for (field, count) in &self.by_field {
            count.print(&format!("exact_field/{field}"), None);
        }
        for (method, count) in &self.by_method {
            count.print(&format!("exact_where_found/{method}"), None);
        }
        for (group, count) in &self.by_group {
            let goal = if *group == "text" { 0.90 } else { 0.95 };
            count.print(&format!("exact_{group}"), Some(goal));
        }
        let all = self.by_group.values().fold(Count::default(), |a, b| Count {
            n: a.n + b.n,
            exact: a.exact + b.exact,
            confident_wrong: a.confident_wrong + b.confident_wrong,
        });
        let share = f64::from(all.confident_wrong) / f64::from(all.n.max(1));
        println!(
            "{}",
            json!({ "name": "confident_wrong", "value": round(share), "unit": "share", "n": all.n,
                "goal": 0.02, "ok": share <= 0.02 })
        );
        let error = self.calibration_error();
        println!(
            "{}",
            json!({ "name": "calibration_error", "value": round(error), "unit": "share",
                "bins": BINS, "goal": 0.05, "ok": error <= 0.05 })
        );
    }

    /// Expected calibration error over equal-width bins (Naeini et al. 2015).
    fn calibration_error(&self) -> f64 {
        let n: u32 = self.bins.iter().map(|bin| bin.0).sum();
        let gap = |(_, confidence, exact): &(u32, f64, u32)| (confidence - f64::from(*exact)).abs();
        self.bins.iter().map(gap).sum::<f64>() / f64::from(n.max(1))
    }
}

/// Amounts read from labelled price strings not marked as known failures.
pub(crate) fn print_prices(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .from_path(root.join("prices/price_strings.tsv"))?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(input), Some(amount), Some(list)) =
        (column("input"), column("amount"), column("list"))
    else {
        return Err("prices/price_strings.tsv lacks a column".into());
    };
    let mut count = Count::default();
    for record in reader.records() {
        let record = record?;
        let cell = |at: usize| record.get(at).unwrap_or_default();
        if cell(list).contains("XFAIL") {
            continue;
        }
        let want: Option<f64> = cell(amount).parse().ok();
        let got = patterns::money(cell(input), None).map(|money| money.amount.to_f64());
        count.n += 1;
        count.exact += u32::from(match (want, got) {
            (None, None) => true,
            (Some(want), Some(got)) => (want - got).abs() < 0.005,
            _ => false,
        });
    }
    count.print("exact_amounts", Some(0.97));
    Ok(())
}

fn round(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}
