//! The tests for Windows, on Linux under Wine (<https://www.winehq.org>): the store, feeds, hub, reports, engine and
//! command line, linked by MinGW. A second opinion on paths, locks, sockets and processes, and no Windows.

use super::{own_folder, script};
use crate::{Failure, Result, proc, setup, workspace};

/// The loader of Windows programs, in Debian's and Ubuntu's package of the same name.
const WINE: &str = "wine";

/// Wine itself, and its part for 64 bit.
const WINE_PACKAGES: &[&str] = &["wine", "wine64"];

/// What is tested: where the code differs by system. The window's shell is not: its web view is not there under Wine.
const PACKAGES: &[&str] = &[
    "ghostlight-store",
    "ghostlight-feed",
    "ghostlight-hub",
    "ghostlight-report",
    "ghostlight-engine",
    "ghostlight-cli",
];

/// Tests with an authority of their own: Wine's lists of trusted certificates take none for one process.
const SKIPPED: &[&str] = &[
    "our_client_follows_our_hub_over_tls",
    "a_job_systems_answer_is_read_in_place_of_its_page",
    "a_job_that_its_system_does_not_have_any_more_is_gone_from_the_board",
    "where_the_job_system_does_not_answer_with_the_job_the_page_is_read",
];

/// Rust's standard library takes its random numbers from this library since Windows 10; Wine has it since version 9.
const RANDOM_LIBRARY: &str = "bcryptprimitives.dll";

/// The one function of it that is called, for older Wine, by the function that Wine has always had.
const RANDOM_SOURCE: &str = "#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T left) {
  while (left > 0) {
    ULONG now = left > 0x10000000 ? 0x10000000 : (ULONG)left;
    if (!RtlGenRandom(bytes, now)) return FALSE;
    bytes += now;
    left -= now;
  }
  return TRUE;
}
";

/// Runs one test program; what Wine itself has to say is of no use to a reader.
const RUNNER: &str = "#!/bin/sh
export WINEDEBUG=-all
exec wine \"$@\"
";

/// Builds and runs the tests for `target`.
///
/// # Errors
/// If Wine cannot be had, or a test fails.
pub fn test(target: &str, c_compiler: &str) -> Result<()> {
    ensure_wine()?;
    let runner = script("wine-runner", RUNNER)?;
    let mut tests = proc::cargo();
    tests
        .args(["test", "--no-fail-fast", "--target", target])
        .env(
            format!(
                "CARGO_TARGET_{}_RUNNER",
                target.to_uppercase().replace('-', "_")
            ),
            runner,
        )
        .env("WINEPREFIX", own_folder().join("wine"))
        .env("WINEPATH", random_library(c_compiler)?);
    for package in PACKAGES {
        tests.args(["--package", package]);
    }
    tests.args(["--lib", "--bins", "--tests", "--"]);
    for name in SKIPPED {
        tests.args(["--skip", name]);
    }
    proc::run(&mut tests)
}

fn ensure_wine() -> Result<()> {
    if proc::find(WINE).is_some() {
        return Ok(());
    }
    if !setup::has_apt() {
        return Err(Failure::new(
            "wine is missing; install it for 64 bit by hand, then run this again",
        ));
    }
    setup::install_packages(WINE_PACKAGES, "Wine, for tests of the programs for Windows")
}

/// Makes [`RANDOM_LIBRARY`]; the folder it is in, by the name that Windows programs see it under.
fn random_library(c_compiler: &str) -> Result<String> {
    let folder = own_folder().join("library");
    let source = folder.join("random.c");
    workspace::write_if_changed(&source, RANDOM_SOURCE.as_bytes())?;
    proc::run(
        proc::program(c_compiler)
            .args(["-shared", "-o"])
            .arg(folder.join(RANDOM_LIBRARY))
            .arg(source)
            .arg("-ladvapi32"),
    )?;
    Ok(format!("Z:{}", folder.display()).replace('/', "\\"))
}
