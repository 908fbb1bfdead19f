//! The tokens of a hub that serves: changed in their file, on SIGHUP and without, and what is refused in it.

use crate::{hub::Running, program::Ghostlight};
use serde_json::json;
use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

const A: &str = "token-of-the-archive";
const B: &str = "token-of-the-bakery-";
const C: &str = "token-of-the-cinema-";
/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(30);

struct Rig {
    ghostlight: Ghostlight,
    folder: tempfile::TempDir,
}

impl Rig {
    fn new(tokens: &str) -> Self {
        let rig = Self {
            ghostlight: Ghostlight::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        rig.write(tokens);
        rig
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    /// As people do who care: written beside, and moved.
    fn write(&self, tokens: &str) {
        let beside = self.folder.path().join("beside");
        fs::write(&beside, tokens).unwrap();
        fs::set_permissions(&beside, Permissions::from_mode(0o600)).unwrap();
        fs::rename(beside, self.file()).unwrap();
    }

    fn err(&self) -> PathBuf {
        self.folder.path().join("err")
    }

    fn start(&self) -> Running {
        let file = self.file();
        let mut command = self.ghostlight.command(&["hub", "--tokens"]);
        command.arg(file).stderr(File::create(self.err()).unwrap());
        Running::start(command)
    }

    /// Waits until the hub has said this so many times.
    fn said(&self, words: &str, times: usize) {
        let begun = Instant::now();
        loop {
            let err = fs::read_to_string(self.err()).unwrap();
            if err.matches(words).count() >= times {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{words:?} is not in {err:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn answers(hub: &Running, token: &str) -> String {
    let answer = hub.greet(token).next();
    answer["type"].as_str().unwrap().to_owned()
}

#[test]
fn tokens_are_added_and_withdrawn_while_clients_are_connected() {
    let rig = Rig::new(&format!("# the first two\n{A}\n{B}\n"));
    let hub = rig.start();
    assert_eq!(hub.token, A, "the first is told");
    let mut a = hub.client();
    let mut b = hub.greet(B);
    assert_eq!(b.next()["type"], "welcome");
    assert_eq!(answers(&hub, C), "error");
    rig.write(&format!("{B}\n{C}\n"));
    hub.tell("HUP");
    rig.said("1 added, 1 withdrawn, 2 good", 1);
    let cut = a.skip_to("error");
    assert_eq!(
        (&cut["code"], &cut["fatal"]),
        (&json!("unauthorized"), &json!(true))
    );
    // Who stays is not disturbed.
    b.send(json!({"type": "ping", "nonce": 7}));
    assert_eq!(b.skip_to("pong")["nonce"], 7);
    assert_eq!(answers(&hub, C), "welcome");
    assert_eq!(answers(&hub, A), "error");
    // Without a signal as well, when the file rests.
    rig.write(&format!("{A}\n{B}\n{C}\n"));
    rig.said("1 added, 0 withdrawn, 3 good", 1);
    assert_eq!(answers(&hub, A), "welcome");
    assert_eq!(hub.signal("TERM"), (Some(0), String::new()));
}

#[test]
fn what_is_refused_in_the_file_is_said_and_the_old_ones_stay() {
    let rig = Rig::new(A);
    let hub = rig.start();
    let mut a = hub.client();
    let stay = "the tokens stay as they were";
    for (round, (tokens, words)) in [
        (
            format!("{A}\nshort\n"),
            "line 2: a hub token has 16 to 4096",
        ),
        (format!("{B}\n{B}\n"), "line 2 is the token of line 1 again"),
        (String::new(), "there is no token in it"),
        ("x".repeat((1 << 20) + 1), "longer than 1048576 bytes"),
    ]
    .into_iter()
    .enumerate()
    {
        rig.write(&tokens);
        hub.tell("HUP");
        rig.said(words, 1);
        rig.said(stay, round + 1);
    }
    fs::set_permissions(rig.file(), Permissions::from_mode(0o644)).unwrap();
    hub.tell("HUP");
    rig.said("others than its owner can read it (mode 644)", 1);
    fs::remove_file(rig.file()).unwrap();
    hub.tell("HUP");
    rig.said("there is no such file", 1);
    a.send(json!({"type": "ping", "nonce": 8}));
    assert_eq!(a.skip_to("pong")["nonce"], 8);
    assert_eq!(answers(&hub, A), "welcome");
    assert_eq!(answers(&hub, B), "error");
    rig.write(B);
    hub.tell("HUP");
    rig.said("1 added, 1 withdrawn, 1 good", 1);
    assert_eq!(answers(&hub, B), "welcome");
    let err = fs::read_to_string(rig.err()).unwrap();
    assert!(
        !err.contains(A) && !err.contains("short"),
        "no secret is said: {err}"
    );
    hub.kill();
}

#[test]
fn the_folders_own_file_is_read_again_too() {
    let ghostlight = Ghostlight::new();
    let hub = Running::start(ghostlight.command(&["hub"]));
    let file = ghostlight.data.path().join("hub-token");
    let both = format!(
        "{}{A}\n",
        fs::read_to_string(&file).unwrap().trim().to_owned() + "\n"
    );
    fs::write(&file, both).unwrap();
    hub.tell("HUP");
    let begun = Instant::now();
    while answers(&hub, A) != "welcome" {
        assert!(begun.elapsed() < PATIENCE, "the second token is not taken");
    }
    hub.client();
    hub.kill();
    // And is what counts at the next start.
    let hub = Running::start(ghostlight.command(&["hub"]));
    assert_eq!(answers(&hub, A), "welcome");
}

#[test]
fn without_good_tokens_a_hub_does_not_start() {
    let rig = Rig::new(A);
    let file = rig.file();
    let start = |file: &Path, token: Option<&str>| {
        let mut command = rig.ghostlight.command(&["hub", "--tokens"]);
        command.arg(file);
        command.envs(token.map(|token| ("GHOSTLIGHT_HUB_TOKEN", token)));
        crate::program::finish(command, |_| Ok(()))
    };
    let done = start(&file, Some(B));
    done.refused("two sources", 2, &["--tokens and GHOSTLIGHT_HUB_TOKEN"]);
    let nowhere = rig.folder.path().join("nowhere");
    start(&nowhere, None).refused(
        "no file",
        2,
        &["nowhere: there is no such file", "one token a line"],
    );
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    start(&file, None).refused("an open file", 2, &["mode 640", "chmod 600"]);
    rig.write("# nobody\n");
    start(&file, None).refused("an empty file", 2, &["there is no token in it"]);
}
