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
        match entry(name)?.get_password() {
            Ok(secret) => Ok(Some(secret)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(reason(&error)),
        }
    }

    fn put(&self, name: &str, secret: &str) -> Result<(), KeychainError> {
        let put = entry(name)?.set_password(secret);
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
        Error::NoStorageAccess(why) if has_no_keyring(&**why) => {
            KeychainError::Absent("it has no default keyring to keep secrets in".into())
        }
        Error::NoStorageAccess(why) => KeychainError::Locked(why.to_string()),
        // Never the secret itself: these errors carry one.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeychainError::Failed("what it holds is no token".into())
        }
        other => KeychainError::Failed(other.to_string()),
    }
}

/// A Secret Service that was never set up, as on a server, is as good as none.
#[cfg(target_os = "linux")]
fn has_no_keyring(why: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let why = why.downcast_ref::<secret_service::Error>();
    matches!(why, Some(secret_service::Error::NoResult))
}

#[cfg(not(target_os = "linux"))]
fn has_no_keyring(_: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
#[path = "keychain/tests.rs"]
mod tests;
