//! `cargo xtask run`: builds Ghostlight and shows it.
//!
//! With a display the window opens. Without one the same job runs in the terminal, on the project's sample postings,
//! and a picture of the window is taken on a virtual display.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::build::{self, Built, Hooks};
use crate::display::Display;
use crate::ui::Profile;
use crate::{Failure, Result, Verb, proc, setup, workspace};

pub const VERB: Verb = Verb {
    name: "run",
    usage: "[FILE|URL]",
    about: "build Ghostlight and open its window (without a display: analyse in the terminal)",
    run,
};

/// The size for which the window is designed; the picture shows nothing but the window.
const WINDOW_SIZE: &str = "1280x800";

/// How long the window may take until the picture is taken as it is. A debug build on two cores needs a few seconds.
const SETTLE_LIMIT: Duration = Duration::from_secs(40);

/// Time between two looks at the window; two equal ones in a row mean that it has settled.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// An empty page has one colour or two; a drawn window, with smoothed letters, has hundreds.
const COLOURS_OF_A_DRAWN_WINDOW: u32 = 64;

fn run(args: &[String]) -> Result<ExitCode> {
    let input = match args {
        [] => None,
        [one] if !one.starts_with('-') => Some(one.as_str()),
        _ => return Err(Failure::new("give one file or URL, or nothing")),
    };
    setup::ensure()?;
    let built = build::programs(Profile::Dev, Hooks::Off)?;
    if has_display() {
        open_window(&built, input)
    } else {
        run_in_terminal(&built, input)
    }
}

/// Windows and macOS always have one.
fn has_display() -> bool {
    let set = |variable: &str| env::var_os(variable).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn open_window(built: &Built, input: Option<&str>) -> Result<ExitCode> {
    let status = proc::status(started_here(&built.desktop).args(input))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run_in_terminal(built: &Built, input: Option<&str>) -> Result<ExitCode> {
    eprintln!("\nThere is no display here, so the analysis runs in the terminal.\n");
    let data = fresh_data_folder()?;
    let inputs = match input {
        Some(input) => vec![input.to_owned()],
        None => samples()?,
    };
    let mut worst = 0;
    for input in inputs {
        let mut analyse = started_here(&built.command_line);
        let status = proc::status(analyse.arg("--data").arg(&data).arg("analyze").arg(&input))?;
        worst = worst.max(status.code().unwrap_or(1));
    }
    let picture = workspace::target().join("ghostlight-window.png");
    take_picture(built, &data, &picture)?;
    println!("\nThe window looks like this: {}", picture.display());
    Ok(u8::try_from(worst).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Programs that get a file of the caller's must run where the caller is.
fn started_here(program: &Path) -> Command {
    Command::new(program)
}

/// Empty at each start: the samples are analysed anew, and nobody's own data is touched.
fn fresh_data_folder() -> Result<PathBuf> {
    let data = workspace::target().join("run-data");
    if data.exists() {
        fs::remove_dir_all(&data).map_err(Failure::because(data.display()))?;
    }
    fs::create_dir_all(&data).map_err(Failure::because(data.display()))?;
    Ok(data)
}

/// The sample postings of the project, in every form that can be dropped on the window.
fn samples() -> Result<Vec<String>> {
    let files = workspace::files_below(&workspace::root().join("samples"), &[])?;
    let is_posting = |file: &PathBuf| {
        file.extension()
            .is_some_and(|kind| ["html", "json", "txt"].iter().any(|known| kind == *known))
    };
    Ok(files
        .iter()
        .filter(|file| is_posting(file))
        .map(|file| file.display().to_string())
        .collect())
}

/// Starts the application on a display of its own and keeps what the screen shows once it stops changing.
fn take_picture(built: &Built, data: &Path, picture: &Path) -> Result<()> {
    let display = Display::start(WINDOW_SIZE)?;
    let mut app = display
        .furnish(Command::new(&built.desktop).arg("--data").arg(data))
        .spawn()
        .map_err(Failure::because(built.desktop.display()))?;
    let taken = wait_for_settled_screen(&display, picture);
    let ended = app
        .try_wait()
        .map_err(Failure::because(built.desktop.display()))?;
    proc::end(&mut app);
    match ended {
        Some(status) => Err(Failure::new(format!(
            "the application ended by itself ({status}) before its picture was taken"
        ))),
        None => taken,
    }
}

fn wait_for_settled_screen(display: &Display, picture: &Path) -> Result<()> {
    let start = Instant::now();
    let mut before = String::new();
    while start.elapsed() < SETTLE_LIMIT {
        std::thread::sleep(LOOK_EVERY);
        let now = look(display, picture)?;
        if now == before && colours(&now) >= COLOURS_OF_A_DRAWN_WINDOW {
            return Ok(());
        }
        before = now;
    }
    if colours(&before) < COLOURS_OF_A_DRAWN_WINDOW {
        return Err(Failure::new(format!(
            "the window stayed empty for {} s; what it showed: {}",
            SETTLE_LIMIT.as_secs(),
            picture.display()
        )));
    }
    Ok(())
}

/// Takes a picture of the whole screen and returns `COLOURS SIGNATURE` of it.
fn look(display: &Display, picture: &Path) -> Result<String> {
    let mut import = Command::new("import");
    let taken = proc::quiet_output(display.furnish(import.args(["-window", "root"]).arg(picture)));
    taken.ok_or_else(|| {
        Failure::new("ImageMagick's `import` cannot take a picture of the screen")
    })?;
    proc::quiet_output(
        Command::new("identify")
            .args(["-format", "%k %#"])
            .arg(picture),
    )
    .ok_or_else(|| {
        Failure::new(format!(
            "ImageMagick's `identify` cannot read {}",
            picture.display()
        ))
    })
}

fn colours(look: &str) -> u32 {
    look.split(' ')
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}
