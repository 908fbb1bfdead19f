//! The rules of keeping a token, with keychains that answer well, badly or not at all.

use super::*;
use std::{
    collections::BTreeMap,
    sync::{Condvar, MutexGuard},
};

/// What a keychain does when it is asked.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Absent,
    Locked,
    /// Takes secrets and forgets them.
    Leaky,
    /// Answers when the mood changes.
    Hangs,
    Panics,
}

/// A keychain of this test; the real one is tested where it is connected.
struct Chain {
    mood: Mutex<Mood>,
    changed: Condvar,
    kept: Mutex<BTreeMap<String, String>>,
}

impl Chain {
    fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(mood),
            changed: Condvar::new(),
            kept: Mutex::default(),
        })
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.changed.notify_all();
    }

    fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap().values().cloned().collect()
    }

    fn asked(&self) -> Result<MutexGuard<'_, BTreeMap<String, String>>, KeychainError> {
        let hangs = |mood: &mut Mood| *mood == Mood::Hangs;
        let mood = self.changed.wait_while(self.mood.lock().unwrap(), hangs);
        let mood = *mood.unwrap();
        match mood {
            Mood::Absent => Err(KeychainError::Absent("no bus".into())),
            Mood::Locked => Err(KeychainError::Locked("dismissed".into())),
            Mood::Panics => panic!("a fault of the keychain"),
            _ => Ok(self.kept.lock().unwrap()),
        }
    }
}

impl Keychain for Chain {
    fn get(&self, name: &str) -> Result<Option<String>, KeychainError> {
        Ok(self.asked()?.get(name).cloned())
    }

    fn put(&self, name: &str, secret: &str) -> Result<(), KeychainError> {
        let mut kept = self.asked()?;
        if *self.mood.lock().unwrap() != Mood::Leaky {
            kept.insert(name.into(), secret.into());
        }
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), KeychainError> {
        self.asked()?.remove(name);
        Ok(())
    }
}

struct Rig {
    folder: tempfile::TempDir,
    chain: Arc<Chain>,
    secrets: Secrets,
}

fn rig(mood: Mood) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::new(mood);
    let mut secrets = Secrets::of(folder.path(), Some(chain.clone()));
    // Only one that hangs is not waited for: a call that panics may take its time, as its trace is written.
    secrets.patience = Duration::from_secs(60);
    Rig {
        folder,
        chain,
        secrets,
    }
}

impl Rig {
    fn get(&self, feed: i64) -> Option<String> {
        self.secrets.get(feed).unwrap().map(|secret| secret.0)
    }

    /// Everything that stands in files.
    fn in_files(&self) -> String {
        let Ok(files) = fs::read_dir(self.folder.path().join(FEEDS.folder)) else {
            return String::new();
        };
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        texts.collect()
    }
}

#[test]
fn without_a_keychain_a_token_is_kept_in_a_file_replaced_and_forgotten() {
    for rig in [rig(Mood::Absent), {
        let mut rig = rig(Mood::Well);
        rig.secrets = Secrets::of(rig.folder.path(), None);
        rig
    }] {
        assert_eq!(rig.get(7), None);
        rig.secrets.put(7, "first").unwrap();
        rig.secrets.put(7, "second").unwrap();
        assert_eq!(rig.get(7).as_deref(), Some("second"));
        assert_eq!(rig.secrets.place(7), TokenPlace::File);
        assert_eq!(rig.secrets.place(8), TokenPlace::None);
        rig.secrets.settle(7);
        assert_eq!(rig.get(7).as_deref(), Some("second"));
        rig.secrets.put(7, "").unwrap();
        assert_eq!(rig.get(7), None);
        rig.secrets.forget(7).unwrap();
        for bad in ["two words", "line\n", "ü", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            let error = rig.secrets.put(7, bad).unwrap_err();
            assert_eq!(error.code, ErrorCode::Rule, "{bad:.20}");
        }
    }
}

#[test]
fn in_a_keychain_a_token_stands_in_no_file() {
    let rig = rig(Mood::Well);
    rig.secrets.put(7, "first-secret").unwrap();
    rig.secrets.put(7, "second-secret").unwrap();
    rig.secrets.put(8, "another-secret").unwrap();
    assert_eq!(rig.get(7).as_deref(), Some("second-secret"));
    assert_eq!(rig.secrets.place(7), TokenPlace::Keychain);
    assert_eq!(rig.chain.kept().len(), 2, "an entry for each feed");
    assert!(!rig.in_files().contains("secret"), "{}", rig.in_files());
    // Forgotten at once, whatever the keychain does; deleted there as soon as it works.
    rig.chain.is(Mood::Locked);
    rig.secrets.forget(7).unwrap();
    assert_eq!(rig.get(7), None);
    assert_eq!(rig.secrets.place(7), TokenPlace::None);
    rig.secrets.settle(8);
    assert_eq!(rig.chain.kept().len(), 2);
    rig.chain.is(Mood::Well);
    rig.secrets.settle(8);
    assert_eq!(rig.chain.kept(), ["another-secret"]);
    assert_eq!(rig.get(8).as_deref(), Some("another-secret"));
}

#[test]
fn a_token_in_a_file_moves_once_there_is_a_keychain_that_keeps_it() {
    let rig = rig(Mood::Absent);
    rig.secrets.put(1, "a-secret").unwrap();
    for mood in [Mood::Absent, Mood::Locked, Mood::Leaky, Mood::Panics] {
        rig.chain.is(mood);
        rig.secrets.settle(1);
        assert_eq!(rig.secrets.place(1), TokenPlace::File);
        assert_eq!(rig.get(1).as_deref(), Some("a-secret"));
    }
    rig.chain.is(Mood::Well);
    rig.secrets.settle(1);
    assert_eq!(rig.secrets.place(1), TokenPlace::Keychain);
    assert_eq!(rig.get(1).as_deref(), Some("a-secret"));
    assert!(!rig.in_files().contains("secret"));
    // Gone again, a new token is kept in a file; that is the one that counts, and moves in its turn.
    rig.chain.is(Mood::Absent);
    rig.secrets.put(1, "b-secret").unwrap();
    assert_eq!(rig.get(1).as_deref(), Some("b-secret"));
    rig.chain.is(Mood::Well);
    rig.secrets.settle(1);
    assert_eq!(rig.chain.kept(), ["b-secret"]);
    assert_eq!(rig.get(1).as_deref(), Some("b-secret"));
}

#[test]
fn a_keychain_that_does_not_give_its_token_is_told_and_nothing_is_lost() {
    let mut rig = rig(Mood::Well);
    rig.secrets.put(1, "a-secret").unwrap();
    for (mood, what, todo) in [
        (Mood::Absent, "no keychain answers", "Start"),
        (Mood::Locked, "is locked", "Unlock"),
        (Mood::Hangs, "no answer within", "Unlock"),
    ] {
        rig.chain.is(mood);
        if mood == Mood::Hangs {
            rig.secrets.patience = Duration::from_millis(50);
        }
        let error = rig.secrets.get(1).unwrap_err();
        let hint = error.hint.clone().unwrap();
        assert!(
            error.message.contains(what) && hint.contains(todo),
            "{error:?}"
        );
        assert!(!format!("{error:?}").contains("secret"));
    }
    // Nobody waits for one that hangs a second time.
    let error = rig.secrets.put(1, "b-secret").unwrap_err();
    assert!(error.message.contains("earlier question"), "{error}");
    rig.secrets.patience = Duration::from_secs(60);
    rig.chain.is(Mood::Well);
    while rig.secrets.hangs.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    // A new token that was not taken leaves the old one.
    for mood in [Mood::Locked, Mood::Panics] {
        rig.chain.is(mood);
        rig.secrets.put(1, "b-secret").unwrap_err();
        rig.chain.is(Mood::Well);
        assert_eq!(rig.get(1).as_deref(), Some("a-secret"));
    }
    rig.chain.kept.lock().unwrap().clear();
    let error = rig.secrets.get(1).unwrap_err();
    assert!(error.message.contains("no entry feed-"), "{error}");
    rig.secrets.put(1, "c-secret").unwrap();
    assert_eq!(rig.get(1).as_deref(), Some("c-secret"));
}

#[cfg(unix)]
#[test]
fn a_token_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let rig = rig(Mood::Absent);
    rig.secrets.put(1, "secret").unwrap();
    let path = rig.secrets.file(1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = rig.secrets.get(1).unwrap_err();
    assert!(
        error.message.contains("others may read this token"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("600"));
}
