//! The processes of the window under test: the application's own, and WebKit's for its page.

use std::collections::HashMap;
use std::process::Command;

/// The application's program.
pub const CORE: &str = "ghostlight-desktop";
/// WebKit's program for a page.
pub const PAGE: &str = "WebKitWebProcess";

/// Processes of this program that descend from this one: other windows of this machine are none of ours.
pub fn own_processes(program: &str) -> Vec<u32> {
    let mut parents = HashMap::new();
    let mut named = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let read =
            |name: &str| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parents.insert(pid, parent.unwrap_or(0));
        if read("cmdline")
            .split('\0')
            .next()
            .is_some_and(|path| path.contains(program))
        {
            named.push(pid);
        }
    }
    let own = std::process::id();
    let descends = |pid: &u32| {
        std::iter::successors(parents.get(pid), |parent| parents.get(*parent))
            .any(|ancestor| *ancestor == own)
    };
    named.retain(descends);
    named
}

/// Ends a process without a farewell (SIGKILL).
pub fn kill(process: u32) {
    let mut kill = Command::new("kill");
    let killed = kill.args(["-KILL", &process.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
}

/// Where the application listens for whoever inspects its pages: its driver said so when it started it.
pub fn inspector() -> String {
    const VARIABLE: &str = "WEBKIT_INSPECTOR_SERVER=";
    let core = own_processes(CORE);
    let core = core.first().expect("the application runs");
    let environment = std::fs::read(format!("/proc/{core}/environ")).unwrap_or_default();
    let environment = String::from_utf8_lossy(&environment);
    let mut variables = environment.split('\0');
    let address = variables.find_map(|variable| variable.strip_prefix(VARIABLE));
    address.expect("the driver gave an address").to_owned()
}
