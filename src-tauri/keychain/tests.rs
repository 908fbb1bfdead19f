//! Against a real Secret Service (gnome-keyring) on a message bus of the test's own. The bus is named by the
//! environment, so each part runs in a process of its own with that environment.

use super::*;
use ghostlight_api::{
    ViewData, ViewQuery,
    command::{AddFeed, FeedForm, RemoveFeed},
    view::{FeedRow, LinkState, TokenPlace},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, Token},
};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Far longer than any of this takes.
const LIMIT: Duration = Duration::from_secs(60);
/// Names the folder of the test in the process that has the bus.
const FOLDER: &str = "GHOSTLIGHT_KEYCHAIN_TEST";
const TOKEN: &str = "a-token-for-the-keychain";

/// A bus with nothing on it, and what was started there.
struct Bus {
    address: String,
    folder: tempfile::TempDir,
    children: Vec<Child>,
}

impl Bus {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // No services that the system would start by itself: each test says what is there.
        let config = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:dir={}</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.path().display()
        );
        fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts (`cargo xtask setup` installs it)");
        let mut address = String::new();
        let output = daemon.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut address).unwrap();
        Self {
            address: address.trim().to_owned(),
            folder,
            children: vec![daemon],
        }
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let home = self.folder.path();
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_RUNTIME_DIR", home)
            .env_remove("DISPLAY")
            .env_remove("GNOME_KEYRING_CONTROL")
            .env(FOLDER, home);
        command
    }

    /// A keychain whose keyring is unlocked by `password`, and made by it at the first time.
    fn unlock(&mut self, password: &str) {
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts (`cargo xtask setup` installs it)");
        let mut typed = keyring.stdin.take().unwrap();
        typed.write_all(password.as_bytes()).unwrap();
        drop(typed);
        self.children.push(keyring);
    }

    /// Ends what was started last.
    fn end_keychain(&mut self) {
        let mut keyring = self.children.pop().unwrap();
        keyring.kill().unwrap();
        keyring.wait().unwrap();
    }

    /// Runs an ignored test of this file where this bus is the session's.
    fn run(&self, test: &str) {
        let name = format!("keychain::tests::{test}");
        let said = self.folder.path().join("said");
        let log = fs::File::create(&said).unwrap();
        let mut child = self
            .command(env::current_exe().unwrap())
            .args(["--exact", &name, "--ignored", "--nocapture"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if begun.elapsed() > 2 * LIMIT => break None,
                None => thread::sleep(Duration::from_millis(10)),
            }
        };
        let (_, _) = (child.kill(), child.wait());
        let said = fs::read_to_string(said).unwrap();
        assert!(
            status.is_some_and(|status| status.success()) && said.contains("1 passed"),
            "{name}: {status:?}: {said}",
        );
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for mut child in self.children.drain(..).rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited for {what}");
}

/// A shell with the real keychain, and no window.
struct Shell;

impl Host for Shell {
    fn keychain(&self) -> Option<Arc<dyn Keychain>> {
        Some(Arc::new(SystemKeychain))
    }
}

/// A data folder on which an engine runs; the folder of the test outlives the process.
fn engine() -> (Engine, std::path::PathBuf) {
    let data = Path::new(&env::var_os(FOLDER).unwrap()).join("ghostlight");
    fs::create_dir_all(&data).unwrap();
    let engine = Engine::open(&data, Arc::new(Shell), Hooks::default()).unwrap();
    (engine, data)
}

fn feed(engine: &Engine) -> Option<FeedRow> {
    match engine.view(&ViewQuery::Feeds) {
        ViewData::Feeds(feeds) => feeds.into_iter().next(),
        _ => None,
    }
}

fn hub(folder: &Path) -> Server {
    let hub = Hub::open(folder).unwrap();
    let token = Token::new(TOKEN).unwrap();
    let clock = ghostlight_engine::host::wall_clock;
    Server::start(hub, Config::new(([127, 0, 0, 1], 0).into(), token, clock)).unwrap()
}

fn form(url: String) -> FeedForm {
    FeedForm {
        name: "Studio".into(),
        url,
        token: Some(TOKEN.into()),
        ..FeedForm::default()
    }
}

/// Everything below a folder that has the token in it.
fn files_with_token(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_token(&path));
        } else if fs::read(&path).is_ok_and(|bytes| {
            bytes
                .windows(TOKEN.len())
                .any(|text| text == TOKEN.as_bytes())
        }) {
            found.push(path);
        }
    }
    found
}

#[test]
#[ignore = "run by a_token_moves_into_the_keychain_that_came, with its bus"]
fn no_keychain_and_a_file() {
    let error = SystemKeychain.get("feed-1").unwrap_err();
    assert!(matches!(error, KeychainError::Absent(_)), "{error}");
    let (engine, data) = engine();
    let server = hub(&data.join("hub"));
    engine
        .handle(AddFeed {
            feed: form(server.url()),
        })
        .unwrap();
    let live = wait_for("a connection", || {
        feed(&engine).filter(|feed| feed.link.state == LinkState::Connected)
    });
    assert_eq!(live.token, TokenPlace::File);
    assert_eq!(files_with_token(&data.join("feed-tokens")).len(), 1);
}

#[test]
#[ignore = "run by a_token_moves_into_the_keychain_that_came, with its bus"]
fn the_keychain_that_came() {
    wait_for("the keychain", || SystemKeychain.get("feed-1").ok());
    assert_eq!(SystemKeychain.get("feed-1"), Ok(None));
    let (engine, data) = engine();
    engine.follow_feeds(Default::default()).unwrap();
    let moved = wait_for("the token in the keychain", || {
        feed(&engine).filter(|feed| feed.token == TokenPlace::Keychain)
    });
    // The file went only after the keychain gave the token back.
    assert_eq!(files_with_token(&data), [] as [std::path::PathBuf; 0]);
    // What is read from there is what the hub takes; a new token replaces the old one.
    let server = hub(&data.join("hub"));
    let change = ghostlight_api::command::ChangeFeed {
        id: moved.id,
        feed: form(server.url()),
    };
    engine.handle(change).unwrap();
    wait_for("a connection", || {
        feed(&engine).filter(|feed| feed.link.state == LinkState::Connected)
    });
    assert_eq!(files_with_token(&data), [] as [std::path::PathBuf; 0]);
}

#[test]
#[ignore = "run by a_token_moves_into_the_keychain_that_came, with its bus"]
fn the_keychain_that_is_locked_or_gone() {
    let (engine, _) = engine();
    engine.follow_feeds(Default::default()).unwrap();
    let told = wait_for("what is wrong", || {
        feed(&engine).filter(|feed| feed.link.state == LinkState::Stopped)
    });
    assert_eq!(told.token, TokenPlace::Keychain, "it is not forgotten");
    let error = told.link.last_error.unwrap();
    assert!(
        error.contains("keychain") && error.contains("connect again"),
        "{error}"
    );
}

#[test]
#[ignore = "run by a_token_moves_into_the_keychain_that_came, with its bus"]
fn the_keychain_is_there_again() {
    let name = wait_for("the keychain", || SystemKeychain.get("feed-1").ok());
    assert_eq!(name, None);
    let (engine, data) = engine();
    let id = feed(&engine).unwrap().id;
    let server = hub(&data.join("hub"));
    // The same server at another port would be another one; so its address is changed with its token.
    let change = ghostlight_api::command::ChangeFeed {
        id,
        feed: form(server.url()),
    };
    engine.handle(change).unwrap();
    wait_for("a connection", || {
        feed(&engine).filter(|feed| feed.link.state == LinkState::Connected)
    });
    engine.handle(RemoveFeed { id }).unwrap();
    // Nothing of it stays, in the keychain neither.
    wait_for("an empty folder", || {
        let left = fs::read_dir(data.join("feed-tokens")).unwrap().count();
        (left == 0).then_some(())
    });
}

#[test]
#[ignore = "run by a_locked_keychain_is_told, with its bus"]
fn a_keychain_that_nobody_unlocks() {
    wait_for("the keychain", || SystemKeychain.put("feed-1", TOKEN).ok());
    assert_eq!(SystemKeychain.get("feed-1"), Ok(Some(TOKEN.into())));
    let service =
        secret_service::blocking::SecretService::connect(secret_service::EncryptionType::Dh)
            .unwrap();
    service.get_default_collection().unwrap().lock().unwrap();
    // Nothing can show a prompt here, which is as if it was dismissed.
    for error in [
        SystemKeychain.get("feed-1").unwrap_err(),
        SystemKeychain.put("feed-1", "another").unwrap_err(),
        SystemKeychain.put("feed-2", "another").unwrap_err(),
        SystemKeychain.delete("feed-1").unwrap_err(),
    ] {
        assert!(matches!(error, KeychainError::Locked(_)), "{error:?}");
        assert!(!error.to_string().contains(TOKEN));
    }
}

#[test]
#[ignore = "run by a_keychain_that_was_never_set_up_is_none, with its bus"]
fn a_keychain_without_a_keyring() {
    let answered = wait_for("the keychain", || {
        let answered = SystemKeychain.put("feed-1", TOKEN);
        // Nobody has the name on the bus yet: who asks first learns it from the library, who asks later from the bus.
        let not_there = ["no secret service provider", "was not provided by any"];
        let waits = answered.as_ref().is_err_and(|error| {
            let said = error.to_string();
            not_there.iter().any(|words| said.contains(words))
        });
        (!waits).then_some(answered)
    });
    let error = answered.unwrap_err();
    assert!(
        matches!(&error, KeychainError::Absent(why) if why.contains("keyring")),
        "{error}"
    );
}

#[test]
fn a_token_moves_into_the_keychain_that_came() {
    let mut bus = Bus::start();
    bus.run("no_keychain_and_a_file");
    bus.unlock("a password");
    bus.run("the_keychain_that_came");
    bus.end_keychain();
    bus.run("the_keychain_that_is_locked_or_gone");
    bus.unlock("a password");
    bus.run("the_keychain_is_there_again");
}

#[test]
fn a_locked_keychain_is_told() {
    let mut bus = Bus::start();
    bus.unlock("a password");
    bus.run("a_keychain_that_nobody_unlocks");
}

#[test]
fn a_keychain_that_was_never_set_up_is_none() {
    let mut bus = Bus::start();
    let keyring = bus
        .command("gnome-keyring-daemon")
        .args(["--foreground", "--components=secrets"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("gnome-keyring-daemon starts (`cargo xtask setup` installs it)");
    bus.children.push(keyring);
    bus.run("a_keychain_without_a_keyring");
}
