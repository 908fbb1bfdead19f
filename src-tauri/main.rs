//! `ghostlight-desktop`: reads arguments and environment, then shows the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use ghostlight_desktop::{
    FeedDefaults, ModelDefaults, RECONNECT_VARIABLE, Start, environment, reconnects,
};
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
    prepare_webkit();
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
    let reconnects = text(RECONNECT_VARIABLE).map_or(Ok(true), |text| reconnects(&text))?;
    Ok(FeedDefaults {
        url: text("GHOSTLIGHT_FEED_URL"),
        token: text("GHOSTLIGHT_FEED_TOKEN"),
        environment: environment::read(|name| Ok(text(name)), |why| why)?,
        stays_off: !reconnects,
    })
}

/// A variable of the environment, unless it is empty.
fn text(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// What WebKit is to do differently here. Whoever sets one of these variables decides.
///
/// Where no GPU can be rendered with it paints on the CPU: it would emulate one otherwise, and compile a shader for each
/// kind of stroke the first time it is drawn, a third of a second on the first card (WebKitGTK's own variable, since
/// 2.46). And wasm is compiled at once, which takes no longer, instead of being interpreted first: the in-place
/// interpreter now and then loses its place at a branch and takes the page's process with it, and with the older one
/// pages stopped at things that cannot be (both seen with 2.50.6). Where nothing can be compiled it is interpreted.
#[cfg(target_os = "linux")]
fn prepare_webkit() {
    let render_nodes = std::fs::read_dir("/dev/dri")
        .into_iter()
        .flatten()
        .flatten();
    let has_gpu = render_nodes
        .filter_map(|node| node.file_name().into_string().ok())
        .any(|name| name.starts_with("renderD"));
    let mut wishes = Vec::new();
    if !has_gpu {
        wishes.push(("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1"));
    }
    if compiles() {
        wishes.extend([("JSC_useWasmIPInt", "0"), ("JSC_useWasmLLInt", "0")]);
    }
    for (name, value) in wishes {
        if std::env::var_os(name).is_some() {
            continue;
        }
        // SAFETY: the first line of the program; no other thread reads or writes the environment.
        #[expect(
            unsafe_code,
            reason = "the environment is all that WebKit reads this from"
        )]
        unsafe {
            std::env::set_var(name, value);
        }
    }
}

/// Whether WebKit may make machine code: nobody told it otherwise, nor does SELinux forbid it to everybody.
#[cfg(target_os = "linux")]
fn compiles() -> bool {
    let forbidden = std::fs::read_to_string("/sys/fs/selinux/booleans/deny_execmem");
    let forbidden = forbidden.is_ok_and(|text| text.starts_with('1'));
    let told = ["JSC_useJIT", "JSC_useBBQJIT", "JavaScriptCoreUseJIT"];
    !forbidden && told.iter().all(|name| std::env::var_os(name).is_none())
}
