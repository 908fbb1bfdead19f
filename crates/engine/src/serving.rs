//! Serving this folder's streams to other programs of this computer: the server of `ghostlight hub`, inside the app
//! (SPEC J1).
//!
//! It listens on the loopback address only. Other machines need a certificate, and a process that does not end with a
//! window: that is `ghostlight hub`. Tokens are those of the data folder's file `hub-token`, as there, so that a program
//! finds either with the same token.

use crate::{Engine, Handle, Shared, host::wall_clock, store_error};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{ServingForm, ServingToken, SetServing},
    view::{ServingView, ViewQuery},
};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, ServerError, Token, TokenFile, TokenFileError},
};
use ghostlight_model::system;
use ghostlight_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

/// The setting.
const SETTING: &str = "serving";
/// The port unless another is set: programs keep the address that they were given.
const PORT: u16 = 7443;
/// How often it is looked whether connections or the tokens' file changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// As stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    on: bool,
    port: u16,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            on: false,
            port: PORT,
        }
    }
}

/// The server of this process.
#[derive(Default)]
pub(crate) struct Serving {
    now: Mutex<Now>,
    /// Held while it is turned: one change at a time.
    turning: Mutex<()>,
}

#[derive(Default)]
struct Now {
    running: Option<Running>,
    trouble: Option<ApiError>,
    /// Whether a thread looks after connections and tokens: while it listens, and one.
    watched: bool,
}

struct Running {
    server: Server,
    tokens: TokenFile,
    /// Of the last look.
    connections: usize,
    told: Option<String>,
}

impl Serving {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it listens, if it does.
    fn port(&self) -> Option<u16> {
        let now = self.now();
        now.running
            .as_ref()
            .map(|running| running.server.address().port())
    }

    fn view(&self, store: &Store) -> Result<ServingView, StoreError> {
        let stored = stored(store)?;
        let now = self.now();
        let running = now.running.as_ref();
        Ok(ServingView {
            on: stored.on || running.is_some(),
            port: stored.port,
            url: running.map(|running| running.server.url()),
            connections: running.map_or(0, |running| {
                u32::try_from(running.connections).unwrap_or(u32::MAX)
            }),
            tokens: running.map(|running| running.tokens.path().display().to_string()),
            told: running.and_then(|running| running.told.clone()),
            trouble: now.trouble.clone(),
        })
    }

    /// Begins to listen in place of what listened before. If it cannot, that goes on.
    fn begin(&self, hub: &Hub, folder: &Path, port: u16) -> Result<(), ApiError> {
        let file = Token::file_of(folder).map_err(|error| refusal(&error.to_string()))?;
        let tokens = TokenFile::open(file.clone()).map_err(|trouble| not_taken(&file, &trouble))?;
        let Some((first, others)) = tokens.good().split_first() else {
            return Err(ApiError::internal("a token file without a token was read"));
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = Server::start(hub.clone(), Config::new(listen, first.clone(), wall_clock))
            .map_err(|error| not_started(&error))?;
        for token in others {
            server.allow(token.clone());
        }
        let running = Running {
            server,
            tokens,
            connections: 0,
            told: None,
        };
        let before = {
            let mut now = self.now();
            now.trouble = None;
            now.running.replace(running)
        };
        stop(before);
        Ok(())
    }

    fn end(&self) {
        let before = {
            let mut now = self.now();
            now.trouble = None;
            now.running.take()
        };
        stop(before);
    }

    /// Whether a thread has to be started for [`Serving::look`].
    fn to_be_watched(&self) -> bool {
        let mut now = self.now();
        let starts = now.running.is_some() && !now.watched;
        now.watched |= starts;
        starts
    }

    /// Whether something changed that a person sees: who is connected, or what the tokens' file says. `None` if there is
    /// nothing to look after any more.
    fn look(&self) -> Option<bool> {
        let mut now = self.now();
        let Now {
            running,
            trouble,
            watched,
        } = &mut *now;
        let Some(running) = running else {
            *watched = false;
            return None;
        };
        let connections = running.server.sessions();
        let mut changed = connections != running.connections;
        running.connections = connections;
        if let Some(reread) = running.tokens.look(&running.server) {
            changed = true;
            match reread {
                Ok(reread) => (running.told, *trouble) = (Some(reread.to_string()), None),
                Err(error) => {
                    (running.told, *trouble) =
                        (None, Some(not_taken(running.tokens.path(), &error)));
                }
            }
        }
        Some(changed)
    }
}

/// Says goodbye to everybody who is connected: seconds at most, and under no lock.
fn stop(running: Option<Running>) {
    if let Some(running) = running {
        running.server.stop();
    }
}

fn stored(store: &Store) -> Result<Stored, StoreError> {
    let text = store.setting(SETTING)?;
    // What an older or newer version wrote and this one cannot read is off.
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

fn refusal(message: &str) -> ApiError {
    ApiError::new(
        ErrorCode::Declined,
        message,
        "Nobody can connect until that is mended; the window itself works as before.",
    )
}

fn not_taken(file: &Path, trouble: &TokenFileError) -> ApiError {
    ApiError::new(
        ErrorCode::Declined,
        format!("The tokens of {} were not taken: {trouble}", file.display()),
        "Mend the file, one token a line; tokens that were good before stay good. Without the file a new token is made when serving is turned on.",
    )
}

fn not_started(error: &ServerError) -> ApiError {
    match error {
        ServerError::InUse(address) => ApiError::new(
            ErrorCode::Declined,
            format!("Port {} is in use by another program", address.port()),
            "Choose another port, 0 for any that is free, or end that program.",
        ),
        ServerError::Listen { listen, source } => ApiError::new(
            ErrorCode::Declined,
            format!(
                "The system does not let this program listen on port {}: {}",
                listen.port(),
                system::words(source)
            ),
            "Choose a port from 1024 up, or 0 for any that is free.",
        ),
        ServerError::Insecure(_) | ServerError::Tls { .. } | ServerError::Threads(_) => {
            refusal(&error.to_string())
        }
    }
}

impl Engine {
    /// Serves if that is wanted, for as long as the engine is open. A window does; a command does not.
    ///
    /// # Errors
    /// If the setting cannot be read. That nobody can connect is no error: the settings say why.
    pub fn serve_if_wanted(&self) -> Result<(), ApiError> {
        let shared = &self.shared;
        let stored = stored(shared.hub.store()).map_err(|e| store_error(&e))?;
        if stored.on
            && let Err(error) = shared.serve(stored.port)
        {
            tracing::warn!(%error, "other programs cannot connect");
            shared.serving.now().trouble = Some(error);
        }
        Ok(())
    }

    pub(crate) fn serving_view(&self) -> Result<ServingView, StoreError> {
        self.shared.serving.view(self.shared.hub.store())
    }
}

impl Shared {
    /// Begins to listen, and to look after who connects.
    fn serve(self: &Arc<Self>, port: u16) -> Result<(), ApiError> {
        self.serving.begin(&self.hub, &self.folder, port)?;
        if self.serving.to_be_watched() {
            self.spawn_serving_watch();
        }
        Ok(())
    }

    /// Tells the window of connections, and the server of tokens; ends with the serving.
    fn spawn_serving_watch(self: &Arc<Self>) {
        let shared = Arc::downgrade(self);
        let watch = move || {
            while let Some(shared) = Weak::upgrade(&shared) {
                match shared.serving.look() {
                    None => break,
                    Some(true) => shared.serving_changed(),
                    Some(false) => {}
                }
                drop(shared);
                thread::sleep(LOOK_EVERY);
            }
        };
        let spawned = thread::Builder::new().name("serving".into()).spawn(watch);
        if let Err(error) = spawned {
            self.serving.now().watched = false;
            tracing::error!(%error, "the thread that looks after connections could not be started");
        }
    }

    fn serving_changed(&self) {
        let ping = self.desk().turned(&ViewQuery::Serving);
        self.ping(ping);
    }
}

impl Handle<SetServing> for Engine {
    fn handle(&self, command: SetServing) -> Result<(), ApiError> {
        let shared = &self.shared;
        let ServingForm { on, port } = command.serving;
        let _one = shared.serving.turning.lock();
        let before = stored(shared.hub.store()).map_err(|e| store_error(&e))?;
        let listens = shared.serving.port();
        let stays = listens == Some(port) || (listens.is_some() && before.port == port);
        match on {
            true if stays => {}
            true => shared.serve(port)?,
            false => shared.serving.end(),
        }
        let text = serde_json::to_string(&Stored { on, port })
            .map_err(|e| ApiError::internal(format!("storing how to serve: {e}")))?;
        let put = shared.hub.store().put_setting(SETTING, text).wait();
        shared.serving_changed();
        put.map_err(|e| store_error(&e))
    }
}

impl Handle<ServingToken> for Engine {
    fn handle(&self, _: ServingToken) -> Result<String, ApiError> {
        let now = self.shared.serving.now();
        let token = now.running.as_ref();
        let token = token.and_then(|running| running.tokens.good().first());
        token.map(|token| token.reveal().to_owned()).ok_or_else(|| {
            ApiError::new(
                ErrorCode::Declined,
                "Nobody can connect now, so there is no token to copy.",
                "Turn it on first.",
            )
        })
    }
}
