//! `ghostlight-desktop`: reads arguments and environment, then shows the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use ghostlight_desktop::{FeedDefaults, ModelDefaults, Start};
use std::{path::PathBuf, process::ExitCode};

/// Shows live whether a job posting is real.
#[derive(Debug, Parser)]
#[command(name = "ghostlight-desktop", version)]
struct Args {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "GHOSTLIGHT_DATA")]
    data: Option<PathBuf>,
    /// Use no model, even if one is configured
    #[arg(long)]
    no_model: bool,
    /// A file or URL to open
    #[arg(value_name = "FILE|URL")]
    open: Option<String>,
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    paint_without_a_gpu();
    let args = Args::parse();
    let test = std::env::var("GHOSTLIGHT_TEST").ok();
    let feeds = match feeds() {
        Ok(feeds) => feeds,
        Err(message) => {
            eprintln!("ghostlight-desktop: {message}");
            return ExitCode::from(2);
        }
    };
    match ghostlight_desktop::run(Start {
        data: args.data,
        open: args.open,
        feeds,
        model: ModelDefaults {
            url: text("GHOSTLIGHT_MODEL_URL"),
            name: text("GHOSTLIGHT_MODEL_NAME"),
            key: text("GHOSTLIGHT_MODEL_KEY"),
            off: args.no_model,
        },
        test,
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ghostlight-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the environment says about feeds (SPEC C13).
fn feeds() -> Result<FeedDefaults, String> {
    const DELAY: &str = "GHOSTLIGHT_MAX_RECONNECT_DELAY_MS";
    let max_delay_ms = match text(DELAY).map(|ms| ms.parse()) {
        None => None,
        Some(Ok(ms)) => Some(ms),
        Some(Err(_)) => return Err(format!("{DELAY}: milliseconds are expected")),
    };
    Ok(FeedDefaults {
        url: text("GHOSTLIGHT_FEED_URL"),
        token: text("GHOSTLIGHT_FEED_TOKEN"),
        max_delay_ms,
    })
}

/// A variable of the environment, unless it is empty.
fn text(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// Lets WebKit paint on the CPU where no GPU can be rendered with. It would emulate one otherwise, and compile a shader
/// for each kind of stroke the first time it is drawn: a third of a second on the first card. Whoever sets the variable
/// decides; it is one of WebKitGTK's own, since 2.46.
#[cfg(target_os = "linux")]
fn paint_without_a_gpu() {
    const CPU_PAINTING: &str = "WEBKIT_SKIA_ENABLE_CPU_RENDERING";
    let render_nodes = std::fs::read_dir("/dev/dri")
        .into_iter()
        .flatten()
        .flatten();
    let has_gpu = render_nodes
        .filter_map(|node| node.file_name().into_string().ok())
        .any(|name| name.starts_with("renderD"));
    if has_gpu || std::env::var_os(CPU_PAINTING).is_some() {
        return;
    }
    // SAFETY: the first line of the program; no other thread reads or writes the environment.
    #[expect(
        unsafe_code,
        reason = "the environment is all that WebKit reads this from"
    )]
    unsafe {
        std::env::set_var(CPU_PAINTING, "1");
    }
}
