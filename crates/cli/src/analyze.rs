//! `ghostlight analyze`: one posting, or every posting of a board's answer.

use crate::{
    Global,
    output::{Exit, fail, print_line},
    progress,
};
use ghostlight_engine::{Input, input::read_capped, report::Ending};
use ghostlight_model::{Assessment, Confidence, EventBody, FieldKey, Phase, Salary, Step};
use indicatif::ProgressBar;
use serde_json::Value;
use std::io;

/// What to analyse.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file, an http(s) URL, or - for standard input
    #[arg(value_name = "FILE|URL|-")]
    input: String,
    /// Print the run's events as they become durable, one JSON object a line, the result last
    #[arg(long)]
    jsonl: bool,
}

pub(crate) fn run(global: &Global, args: Args) -> Result<Exit, Exit> {
    let input = input(&args.input)?;
    let engine = global.engine()?;
    let progress = bar(global, &args);
    let mut printed = Ok(());
    let runs = engine.analyze(input, &mut |event| {
        show_progress(&progress, event);
        if args.jsonl && printed.is_ok() {
            printed = json_line(event).and_then(|line| print_line(&line));
        }
    });
    progress.finish_and_clear();
    printed?;
    let runs = runs.map_err(|e| fail(Exit::Store, &e.to_string(), Some(e.hint())))?;
    let mut worst = Exit::Done;
    for run in &runs {
        let (report, ending) = engine
            .report(run)
            .map_err(|e| fail(Exit::Store, &e.message, e.hint.as_deref()))?;
        worst = worst.max(exit_of(ending));
        if global.json || args.jsonl {
            print_line(&report.to_string())?;
        } else {
            print_card(&report)?;
        }
        print_issues(&report, global.quiet);
    }
    Ok(worst)
}

/// A URL has a scheme that is no Windows drive; anything else is a file.
fn input(text: &str) -> Result<Input, Exit> {
    if text == "-" {
        let bytes = read_capped("standard input", io::stdin().lock())
            .map_err(|issue| fail(Exit::Usage, &issue.message, issue.hint.as_deref()))?;
        return Ok(Input::Text {
            name: "standard input".into(),
            bytes,
        });
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let is_url = scheme.is_some_and(|scheme| {
        scheme.len() > 1
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    if is_url && !std::path::Path::new(text).exists() {
        return Ok(Input::Url(text.to_owned()));
    }
    Ok(Input::File(text.into()))
}

fn exit_of(ending: Ending) -> Exit {
    match ending {
        Ending::Found => Exit::Done,
        Ending::NothingFound => Exit::NothingFound,
        Ending::Unreadable => Exit::Usage,
    }
}

fn json_line(event: &EventBody) -> Result<String, Exit> {
    serde_json::to_string(event).map_err(|e| fail(Exit::Usage, &format!("an event: {e}"), None))
}

/// One bar for all steps.
fn bar(global: &Global, args: &Args) -> ProgressBar {
    let shown = !global.quiet && !args.jsonl;
    let bar = progress::bar(shown, "{bar:14} {msg} {elapsed}");
    bar.set_length(Step::ALL.len() as u64);
    bar
}

fn show_progress(bar: &ProgressBar, event: &EventBody) {
    match event.phase {
        Phase::Start => bar.set_message(event.node.clone()),
        Phase::End => bar.inc(1),
        _ => {}
    }
}

/// A card as text: one line a field.
fn print_card(report: &Value) -> Result<(), Exit> {
    if report["posting_id"].is_null() {
        // There is no card to show: the issue says which step failed, why, and what to do.
        return Ok(());
    }
    for key in FieldKey::DETECTED {
        print_line(&field_line(&key, &report["fields"][key.name()]))?;
    }
    if let Ok(assessment) = serde_json::from_value::<Assessment>(report["assessment"].clone()) {
        print_line(&format!(
            "{:14} {} — {}",
            "Assessment",
            assessment.level.label(),
            assessment.sentence()
        ))?;
    }
    for signal in report["signals"].as_array().into_iter().flatten() {
        let statement = signal["statement"].as_str().unwrap_or_default();
        let strength = signal["strength"].as_str().unwrap_or_default();
        let direction = signal["direction"].as_str().unwrap_or_default();
        print_line(&format!("  {strength:6} {direction:7} {statement}"))?;
    }
    Ok(())
}

fn field_line(key: &FieldKey, field: &Value) -> String {
    let state = field["state"].as_str().unwrap_or_default();
    if field["value"].is_null() {
        let reason = field["reason"]
            .as_str()
            .map(|r| format!(" — {r}"))
            .unwrap_or_default();
        return format!("{:14} {}{reason}", key.label(), state.replace('_', " "));
    }
    let share = field["confidence"].as_f64().unwrap_or_default();
    let word = Confidence::new((share * 1000.0).round() as u16).word();
    let two = if state == "conflict" {
        ", two answers"
    } else {
        ""
    };
    let method = field["method"].as_str().unwrap_or_default();
    let value = shown(&field["value"]);
    format!(
        "{:14} {value}  ({share:.2} {word}, {method}{two})",
        key.label()
    )
}

/// A JSON value on one line of at most 100 characters.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(place) if place.contains_key("city") => ["city", "region", "country"]
            .iter()
            .filter_map(|part| place[*part].as_str())
            .collect::<Vec<_>>()
            .join(", "),
        // In the words of the window.
        Value::Object(_) => serde_json::from_value::<Salary>(value.clone())
            .map(|pay| pay.display())
            .unwrap_or_else(|_| value.to_string()),
        other => other.to_string(),
    };
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 100 {
        return line.chars().take(99).chain(['…']).collect();
    }
    line
}

/// Errors always, notes and warnings unless `quiet`.
fn print_issues(report: &Value, quiet: bool) {
    for issue in report["issues"].as_array().into_iter().flatten() {
        if quiet && issue["severity"] != "error" {
            continue;
        }
        let (node, message) = (&issue["node"], &issue["message"]);
        eprintln!(
            "ghostlight: {}: {}",
            node.as_str().unwrap_or_default(),
            message.as_str().unwrap_or_default()
        );
        if let Some(hint) = issue["hint"].as_str() {
            eprintln!("  {hint}");
        }
    }
}
