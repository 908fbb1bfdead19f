//! `ghostlight`: the command-line twin of the app, for scripts and servers.
//!
//! Same engine, same store, no window. Results go to standard output, messages and progress to
//! standard error; exit codes are 0 done, 1 not a posting, nothing found, a bundle refused, an export or
//! archiving stopped, 2 bad usage or unreadable input, 3 the store cannot be opened or written.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod analyze;
mod archive;
mod biography;
mod bundle;
mod demo_feed;
mod detect;
mod doctor;
mod edit;
mod export;
mod history;
mod hub;
mod log;
mod network;
mod output;
mod progress;
mod send;
mod tokens;
mod watch;

use clap::{Parser, Subcommand};
use ghostlight_engine::{DATABASE, Engine, Hooks, Host, ModelDefaults, host::PROJECT};
use output::{Exit, fail, variable};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Shows whether a job posting is real: fields with their evidence, signals, an assessment.
#[derive(Debug, Parser)]
#[command(name = "ghostlight", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 not a posting, nothing found, a bundle refused, an export or archiving \
                          stopped; 2 bad usage or unreadable input; 3 the store cannot be opened or written.";

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// The data folder
    #[arg(long, value_name = "DIR", global = true, env = "GHOSTLIGHT_DATA")]
    data: Option<PathBuf>,
    /// Print one JSON object a result
    #[arg(long, global = true)]
    json: bool,
    /// No progress and no notes on standard error
    #[arg(long, global = true)]
    quiet: bool,
    /// Use no model, even if one is configured
    #[arg(long, global = true)]
    no_model: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Analyse a posting: a file, a URL, or - for standard input
    Analyze(analyze::Args),
    /// Read one field from texts on standard input, one a line
    Detect(detect::Args),
    /// Change a posting's card: set or withdraw fields, undo, branch, merge, restore
    Edit(edit::Args),
    /// Print a posting's history, a field's, or what differs between two versions
    Log(log::Args),
    /// Put what old versions say into compressed files, or bring it back
    Archive(archive::Args),
    /// Check the data folder; --rebuild rebuilds every projection from the log
    Doctor(doctor::Args),
    /// Write postings, their history or events of runs to a file: CSV, JSON, JSONL, Markdown or a bundle
    Export(Box<export::Args>),
    /// Serve the data folder's streams to others; prints its address and token when ready
    Hub(hub::Serving),
    /// Serve a hub with invented runs, to try the live parts by hand
    DemoFeed(demo_feed::Args),
    /// Take over a bundle: everything in it, or nothing
    Import(bundle::Args),
    /// Check that a bundle is whole, naming the entry at fault
    Verify(bundle::Args),
    /// Follow a feed: each event once, in order, printed when it is on disk
    Watch(watch::Args),
}

/// A terminal: the clock and names, nothing else.
struct Terminal;
impl Host for Terminal {}

impl Global {
    fn engine(&self) -> Result<Engine, Exit> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => default_folder()?,
        };
        self.engine_in(&folder)
    }

    /// As [`Global::engine`] for a command that only looks at what is there: a mistyped folder is no new one.
    fn engine_of_known(&self) -> Result<Engine, Exit> {
        if let Some(folder) = self
            .data
            .as_ref()
            .filter(|one| !one.join(DATABASE).exists())
        {
            let message = format!("{}: there is no data of Ghostlight here", folder.display());
            let hint =
                "Check --data and GHOSTLIGHT_DATA; analyze, import and hub make a new folder.";
            return Err(fail(Exit::Usage, &message, Some(hint)));
        }
        self.engine()
    }

    fn engine_in(&self, folder: &Path) -> Result<Engine, Exit> {
        let hooks = Hooks::from_env_value(std::env::var("GHOSTLIGHT_TEST").ok().as_deref());
        let model = self.model()?;
        let engine = Engine::open(folder, Arc::new(Terminal), hooks)
            .map_err(|e| fail(Exit::Store, &e.to_string(), Some(e.hint())))?;
        engine.use_model(model);
        Ok(engine)
    }

    /// What options and environment say about the model; one that the settings name is used otherwise.
    fn model(&self) -> Result<ModelDefaults, Exit> {
        let text = |name: &str| -> Result<Option<String>, Exit> {
            let text = variable(name)?.map(|text| text.trim().to_owned());
            Ok(text.filter(|text| !text.is_empty()))
        };
        Ok(ModelDefaults {
            url: text("GHOSTLIGHT_MODEL_URL")?,
            name: text("GHOSTLIGHT_MODEL_NAME")?,
            key: text("GHOSTLIGHT_MODEL_KEY")?,
            off: self.no_model,
        })
    }
}

fn default_folder() -> Result<PathBuf, Exit> {
    let (qualifier, organisation, application) = PROJECT;
    match directories::ProjectDirs::from(qualifier, organisation, application) {
        // On Windows the one that does not wander from machine to machine; elsewhere they are the same.
        Some(dirs) => Ok(dirs.data_local_dir().to_owned()),
        None => Err(fail(
            Exit::Usage,
            "no home directory to keep data in",
            Some("Name a folder with --data."),
        )),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Analyze(args) => analyze::run(&cli.global, args),
        Command::Detect(args) => detect::run(&cli.global, &args),
        Command::Edit(args) => edit::run(&cli.global, args),
        Command::Log(args) => log::run(&cli.global, &args),
        Command::Archive(args) => archive::run(&cli.global, &args),
        Command::Doctor(args) => doctor::run(&cli.global, &args),
        Command::Export(args) => export::run(&cli.global, &args),
        Command::Hub(args) => hub::run(&cli.global, &args),
        Command::DemoFeed(args) => demo_feed::run(&cli.global, &args),
        Command::Import(args) => bundle::import(&cli.global, &args),
        Command::Verify(args) => bundle::verify(&cli.global, &args),
        Command::Watch(args) => watch::run(&cli.global, &args),
    };
    result.unwrap_or_else(|exit| exit).into()
}
