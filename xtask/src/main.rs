//! `cargo xtask VERB`: the one door for set-up, build, run and checks, the same on a desk and in CI.
//!
//! Each verb is a module with a `VERB` constant: its name, its usage and its function. Adding a verb means
//! one module and one line in [`VERBS`]. What verbs share: [`proc`] (running programs), [`workspace`]
//! (where things are), [`display`] (a virtual display), [`toolchain`] (which systems our compiler builds for), [`wasm`]
//! (which compiler builds for the window).

mod bench;
mod build;
mod display;
mod eval;
mod icons;
mod platforms;
mod proc;
mod run;
mod seed;
mod setup;
mod soak;
mod style;
mod test;
mod tidy;
mod toolchain;
mod ui;
mod wasm;
mod workspace;

use std::process::ExitCode;

/// Every verb there is, in the order in which somebody new meets them.
const VERBS: &[Verb] = &[
    run::VERB,
    test::VERB,
    build::VERB,
    setup::VERB,
    tidy::VERB,
    eval::VERB,
    bench::VERB,
    seed::VERB,
    soak::VERB,
    platforms::VERB,
    icons::VERB,
];

/// One thing that `cargo xtask` can do.
struct Verb {
    /// The word on the command line.
    name: &'static str,
    /// What may follow the name.
    usage: &'static str,
    /// One sentence for the list of verbs.
    about: &'static str,
    /// Does it; gets the arguments after the name.
    run: fn(&[String]) -> Result<ExitCode>,
}

/// What an xtask function returns; every failure is a sentence for the person at the terminal.
type Result<T> = std::result::Result<T, Failure>;

/// Why a verb stopped: what happened, to what, and what to do.
#[derive(Debug)]
struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Failure {
    /// Takes the sentence as it is.
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// `context: cause`, for use with `map_err`.
    fn because<E: std::fmt::Display>(context: impl std::fmt::Display) -> impl FnOnce(E) -> Self {
        move |cause| Self(format!("{context}: {cause}"))
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(verb) = args
        .first()
        .and_then(|name| VERBS.iter().find(|verb| verb.name == name))
    else {
        return list_verbs(args.first());
    };
    match (verb.run)(&args[1..]) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("\nxtask {}: {failure}", verb.name);
            ExitCode::FAILURE
        }
    }
}

/// Prints the verbs; asked for nothing or for help that is an answer, for an unknown verb it is an error.
fn list_verbs(asked: Option<&String>) -> ExitCode {
    let known = asked.is_none_or(|word| matches!(word.as_str(), "help" | "--help" | "-h"));
    if let (false, Some(word)) = (known, asked) {
        eprintln!("xtask: there is no verb `{word}`. These exist:\n");
    }
    for verb in VERBS {
        eprintln!(
            "  cargo xtask {:<9} {:<26} {}",
            verb.name, verb.usage, verb.about
        );
    }
    if known {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}

/// Refuses arguments that a verb does not know, so that a typing error is not silently ignored.
fn check_flags(args: &[String], known: &[&str]) -> Result<()> {
    match args.iter().find(|arg| !known.contains(&arg.as_str())) {
        None => Ok(()),
        Some(arg) if known.is_empty() => Err(Failure::new(format!(
            "`{arg}`: this verb takes no arguments"
        ))),
        Some(arg) => Err(Failure::new(format!(
            "`{arg}` is not known here; use {}",
            known.join(" or ")
        ))),
    }
}
