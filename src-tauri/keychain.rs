//! The system's keychain: the Secret Service over D-Bus, macOS's Keychain, Windows' Credential Manager.
//!
//! The store is opened for each call: a bus and a keychain come and go while the window is open. Calls may wait for a
//! person who is asked to unlock it; the engine makes them on threads that may.

use ghostlight_engine::secrets::{Keychain, KeychainError};
use keyring_core::{CredentialStore, Entry, Error};
use std::{collections::HashMap, sync::Arc};

/// Under which entries stand, for people who look into their keychain.
const SERVICE: &str = "Ghostlight";

/// See the module.
pub(crate) struct SystemKeychain;

impl Keychain for SystemKeychain {
    fn get(&self, name: &str) -> Result<Option<String>, KeychainError> {
        // As bytes: Windows would take the letters of a password as UTF-16, and half as many.
        match entry(name)?.get_secret() {
            Ok(secret) => match String::from_utf8(secret) {
                Ok(secret) => Ok(Some(secret)),
                Err(_) => Err(no_token()),
            },
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(reason(&error)),
        }
    }

    fn put(&self, name: &str, secret: &str) -> Result<(), KeychainError> {
        let put = entry(name)?.set_secret(secret.as_bytes());
        put.map_err(|error| reason(&error))
    }

    fn delete(&self, name: &str) -> Result<(), KeychainError> {
        match entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(reason(&error)),
        }
    }
}

fn entry(name: &str) -> Result<Entry, KeychainError> {
    // Whatever keeps it from being opened: nobody answers for it.
    let store = open().map_err(|error| KeychainError::Absent(error.to_string()))?;
    let label = HashMap::from([("label", "Ghostlight: token of a feed")]);
    let modifiers = cfg!(target_os = "linux").then_some(&label);
    let entry = store.build(SERVICE, name, modifiers);
    entry.map_err(|error| reason(&error))
}

fn open() -> Result<Arc<CredentialStore>, Error> {
    #[cfg(target_os = "linux")]
    let store = zbus_secret_service_keyring_store::Store::new()?;
    #[cfg(target_os = "macos")]
    let store = apple_native_keyring_store::keychain::Store::new()?;
    #[cfg(target_os = "windows")]
    let store = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

/// What the engine does depends on the kind only.
fn reason(error: &Error) -> KeychainError {
    match error {
        error if has_no_keyring(error) => {
            KeychainError::Absent("it has no default keyring to keep secrets in".into())
        }
        // As good as none for this one: it goes into a file.
        Error::TooLong(_, most) => {
            KeychainError::Absent(format!("this one takes no secret above {most} bytes"))
        }
        Error::NoStorageAccess(why) => KeychainError::Locked(why.to_string()),
        Error::PlatformFailure(why) if is_locked(&**why) => KeychainError::Locked(why.to_string()),
        // Never the secret itself: these errors carry one.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => no_token(),
        other => KeychainError::Failed(other.to_string()),
    }
}

fn no_token() -> KeychainError {
    KeychainError::Failed("what it holds is no token".into())
}

/// What a system says in an error of the keychain.
type Why = dyn std::error::Error + Send + Sync;

/// A Secret Service that was never set up, as on a server, is as good as none.
#[cfg(target_os = "linux")]
fn has_no_keyring(error: &Error) -> bool {
    let Error::NoStorageAccess(why) = error else {
        return false;
    };
    let why = why.downcast_ref::<secret_service::Error>();
    matches!(why, Some(secret_service::Error::NoResult))
}

#[cfg(target_os = "linux")]
fn is_locked(_: &Why) -> bool {
    false
}

/// `errSecNoSuchKeychain` and `errSecNoDefaultKeychain`: an account that has none.
#[cfg(target_os = "macos")]
fn has_no_keyring(error: &Error) -> bool {
    match error {
        Error::NoStorageAccess(why) | Error::PlatformFailure(why) => {
            matches!(status(&**why), Some(-25_294 | -25_307))
        }
        _ => false,
    }
}

/// `errSecInteractionNotAllowed`, `errSecAuthFailed`, `errSecUserCanceled`: nobody could be asked, or nobody wanted to.
#[cfg(target_os = "macos")]
fn is_locked(why: &Why) -> bool {
    matches!(status(why), Some(-25_308 | -25_293 | -128))
}

#[cfg(target_os = "macos")]
fn status(why: &Why) -> Option<i32> {
    let why = why.downcast_ref::<security_framework::base::Error>();
    why.map(|why| why.code())
}

/// The one reason that is told so: this logon has no credentials of its own, as that of a service or over a network.
#[cfg(target_os = "windows")]
fn has_no_keyring(error: &Error) -> bool {
    matches!(error, Error::NoStorageAccess(_))
}

#[cfg(target_os = "windows")]
fn is_locked(_: &Why) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
#[path = "keychain/tests.rs"]
mod tests;
