//! `ghostlight-desktop`: reads arguments and environment, then shows the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use ghostlight_desktop::Start;
use std::{path::PathBuf, process::ExitCode};

/// Shows live whether a job posting is real.
#[derive(Debug, Parser)]
#[command(name = "ghostlight-desktop", version)]
struct Args {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "GHOSTLIGHT_DATA")]
    data: Option<PathBuf>,
    /// A file or URL to open
    #[arg(value_name = "FILE|URL")]
    open: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let test = std::env::var("GHOSTLIGHT_TEST").ok();
    match ghostlight_desktop::run(Start {
        data: args.data,
        open: args.open,
        test,
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ghostlight-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}
