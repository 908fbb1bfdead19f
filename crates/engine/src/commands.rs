//! The bodies of the commands the edge declares.

use crate::{
    Engine, FIRST_START, Input, Notification, VERSION, host::declined, samples, sending::not_sent,
    store_error,
};
use ghostlight_api::{
    ApiError, Command, ErrorCode, ViewData, ViewId,
    command::{
        AddFeed, AnalyzeFiles, AnalyzeText, AnalyzeUrl, AppInfo, ChangeFeed, ChooseFiles,
        DiscardEntry, DismissDigest, FeedDiagnostics, GetAppInfo, LoadSamples, Network,
        OpenExternal, Preferences, PullViews, Reconnect, RecordOutcome, RegisterViews, RemoveFeed,
        RetryEntry, RetryRun, SendMessage, SetPreferences, SetVerdict, Started, TestNotification,
    },
    view::{FeedRow, Subject},
};
use ghostlight_model::{CaptureId, FieldKey, FieldValue, PostingId, RunId, message::Message};
use ghostlight_store::{PersonChange, Store, StoreError};
use serde_json::{Map, Value};
use std::{path::PathBuf, sync::PoisonError};

/// Notes and messages may hold so many characters.
const NOTE_CHARS_MAX: usize = 4_000;
const PREFERENCES: &str = "preferences";

/// Answers one command.
pub trait Handle<C: Command> {
    /// The reply, or the error to show.
    fn handle(&self, command: C) -> Result<C::Reply, ApiError>;
}

impl Engine {
    /// Answers a command in its wire form.
    pub fn call<C: Command>(&self, request: &[u8]) -> Result<Vec<u8>, ApiError>
    where
        Self: Handle<C>,
    {
        ghostlight_api::encode(&self.handle(ghostlight_api::decode::<C>(request)?)?)
    }

    pub(crate) fn store(&self) -> &Store {
        self.shared.hub.store()
    }

    fn start_all(&self, inputs: Vec<Input>) -> Started {
        let mut started = Started {
            runs: Vec::new(),
            refused: Vec::new(),
        };
        for input in inputs {
            match self.start(input) {
                Ok(run) => started.runs.push(run),
                Err(refused) => started.refused.push(refused),
            }
        }
        started
    }

    fn commit_choice(
        &self,
        (posting, field): (PostingId, FieldKey),
        (word, note, key): (String, String, String),
    ) -> Result<(), ApiError> {
        check_note(&note)?;
        let change = PersonChange {
            posting,
            author: self.shared.author.clone(),
            message: note,
            field,
            value: Some(FieldValue::Choice(word)),
            key,
            now: self.shared.host.now(),
        };
        self.shared
            .hub
            .commit_change(change)
            .wait()
            .map_err(|e| store_error(&e))?;
        Ok(())
    }

    fn preferences(&self) -> Result<Preferences, ApiError> {
        stored_preferences(self.store()).map_err(|e| store_error(&e))
    }

    /// What the app was started with, for its first page; what was shown last, for one that is loaded anew.
    fn opening(&self) -> Option<Subject> {
        let opening = self.shared.opening.lock();
        let opening = opening.unwrap_or_else(PoisonError::into_inner).take();
        opening.or_else(|| self.shared.desk().shown())
    }

    /// The input of a run, to run it again: its URL, its capture, or its file.
    fn input_of(&self, run: &RunId) -> Result<Input, ApiError> {
        let state = self.store().run(run).map_err(|e| store_error(&e))?;
        let state = state.ok_or_else(|| not_there(format!("Run {run} is not in the store.")))?;
        match (state.location, state.capture) {
            (Some(url), _) if url.starts_with("http") => Ok(Input::Url(url)),
            (_, Some(capture)) => self.capture_input(capture, &state.input),
            (Some(path), None) => Ok(Input::File(PathBuf::from(path))),
            (None, None) => Err(not_there(format!(
                "Nothing was stored of {}: it stopped before its bytes were read.",
                state.input
            ))),
        }
    }

    fn capture_input(&self, capture: CaptureId, name: &str) -> Result<Input, ApiError> {
        let stored = self.store().stored(capture).map_err(|e| store_error(&e))?;
        let removed = || not_there(format!("The capture of {name} was removed."));
        stored.map(Input::Stored).ok_or_else(removed)
    }
}

/// Refuses a note or message that is too long.
pub(crate) fn check_note(note: &str) -> Result<(), ApiError> {
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err(ApiError::new(
            ErrorCode::Rule,
            format!("The note is longer than {NOTE_CHARS_MAX} characters."),
            "Shorten it; nothing was saved yet.",
        ));
    }
    Ok(())
}

/// The preferences; those of an older or damaged form fall back to the defaults, member by member.
pub(crate) fn stored_preferences(store: &Store) -> Result<Preferences, StoreError> {
    let stored = store.setting(PREFERENCES)?;
    Ok(stored.map_or_else(Preferences::default, |text| read_preferences(&text)))
}

/// What is no preference is passed over, and the others count.
fn read_preferences(text: &str) -> Preferences {
    if let Ok(all) = serde_json::from_str(text) {
        return all;
    }
    let members = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let mut kept = Map::new();
    for (name, value) in members {
        if let Value::Object(parts) = value {
            let mut inner = Map::new();
            for (part, value) in parts {
                put_if_read(&mut inner, part, value, |inner| {
                    Map::from_iter([(name.clone(), Value::Object(inner))])
                });
            }
            put_if_read(&mut kept, name, Value::Object(inner), |kept| kept);
        } else {
            put_if_read(&mut kept, name, value, |kept| kept);
        }
    }
    serde_json::from_value(Value::Object(kept)).unwrap_or_default()
}

/// Adds a member, unless preferences that have it in its place cannot be read.
fn put_if_read(
    members: &mut Map<String, Value>,
    name: String,
    value: Value,
    in_place: impl Fn(Map<String, Value>) -> Map<String, Value>,
) {
    let mut with = members.clone();
    with.insert(name, value);
    let all = Value::Object(in_place(with.clone()));
    if serde_json::from_value::<Preferences>(all).is_ok() {
        *members = with;
    }
}

fn not_there(message: String) -> ApiError {
    ApiError::new(
        ErrorCode::NotFound,
        message,
        "Open the posting again from its source.",
    )
}

impl Handle<RegisterViews> for Engine {
    fn handle(&self, command: RegisterViews) -> Result<(), ApiError> {
        let ping = self.shared.desk().register(command.views);
        self.shared.ping(ping);
        Ok(())
    }
}

impl Handle<PullViews> for Engine {
    fn handle(&self, command: PullViews) -> Result<Vec<(ViewId, ViewData)>, ApiError> {
        // Views count as clean before they are read: a change in between is pinged again.
        let now = self.shared.uptime();
        let queries = self.shared.desk().pull(&command.ids, now);
        let views: Vec<(ViewId, ViewData)> = queries
            .iter()
            .map(|(id, query)| (*id, self.view(query)))
            .collect();
        let mut desk = self.shared.desk();
        for (id, data) in &views {
            match data {
                ViewData::Card(card) => desk.resolve(*id, card.posting),
                ViewData::Events(log) if log.looked.is_some_and(|(looked, all)| looked < all) => {
                    desk.go_on(*id);
                }
                ViewData::Known(known) if known.looked.is_some() => desk.go_on(*id),
                ViewData::FieldsCompared(compared) if compared.looked.is_some() => {
                    desk.go_on(*id);
                }
                _ => {}
            }
        }
        let ping = desk.pulled();
        drop(desk);
        self.shared.ping(ping);
        Ok(views)
    }
}

impl Handle<AnalyzeText> for Engine {
    fn handle(&self, command: AnalyzeText) -> Result<Started, ApiError> {
        let name = command.name.unwrap_or_else(|| "pasted text".into());
        Ok(self.start_all(vec![Input::Text {
            name,
            bytes: command.text.into_bytes(),
        }]))
    }
}

impl Handle<AnalyzeUrl> for Engine {
    fn handle(&self, command: AnalyzeUrl) -> Result<Started, ApiError> {
        // A refused address is said at once, beside the box it was typed in.
        if let Err(e) = ghostlight_fetch::classify(&command.url) {
            return Err(ApiError::new(ErrorCode::Input, e.to_string(), e.hint()));
        }
        Ok(self.start_all(vec![Input::Url(command.url)]))
    }
}

impl Handle<AnalyzeFiles> for Engine {
    fn handle(&self, command: AnalyzeFiles) -> Result<Started, ApiError> {
        Ok(self.start_all(
            command
                .paths
                .into_iter()
                .map(|p| Input::File(p.into()))
                .collect(),
        ))
    }
}

impl Handle<ChooseFiles> for Engine {
    fn handle(&self, _: ChooseFiles) -> Result<Vec<String>, ApiError> {
        let chosen = self.shared.host.choose_files()?;
        Ok(chosen
            .iter()
            .map(|path| path.display().to_string())
            .collect())
    }
}

impl Handle<RetryRun> for Engine {
    fn handle(&self, command: RetryRun) -> Result<Started, ApiError> {
        Ok(self.start_all(vec![self.input_of(&command.run)?]))
    }
}

impl Handle<SetVerdict> for Engine {
    fn handle(&self, c: SetVerdict) -> Result<(), ApiError> {
        self.commit_choice((c.posting, FieldKey::Verdict), (c.verdict, c.note, c.key))
    }
}

impl Handle<RecordOutcome> for Engine {
    fn handle(&self, c: RecordOutcome) -> Result<(), ApiError> {
        self.commit_choice((c.posting, FieldKey::Outcome), (c.outcome, c.note, c.key))
    }
}

impl Handle<LoadSamples> for Engine {
    fn handle(&self, _: LoadSamples) -> Result<Started, ApiError> {
        Ok(self.start_all(samples::inputs()))
    }
}

impl Handle<GetAppInfo> for Engine {
    fn handle(&self, _: GetAppInfo) -> Result<AppInfo, ApiError> {
        Ok(AppInfo {
            version: VERSION.into(),
            data_folder: self.folder().display().to_string(),
            platform: std::env::consts::OS.into(),
            preferences: self.preferences()?,
            open: self.opening(),
            first_start: self.shared.first_start,
            notice: self.shared.for_next_page().take(),
            environment: self.shared.monitor.environment(),
        })
    }
}

impl Handle<SetPreferences> for Engine {
    fn handle(&self, command: SetPreferences) -> Result<(), ApiError> {
        let reconnecting = command.preferences.reconnecting.check();
        reconnecting.map_err(|why| {
            ApiError::new(
                ErrorCode::Input,
                why,
                "Nothing was saved; the settings say what may stand there.",
            )
        })?;
        let text = serde_json::to_string(&command.preferences)
            .map_err(|e| ApiError::internal(format!("storing preferences: {e}")))?;
        self.store()
            .put_setting(PREFERENCES, text)
            .wait()
            .map_err(|e| store_error(&e))?;
        self.shared.live_every(&command.preferences);
        self.shared
            .attending
            .prefer(command.preferences.notifications.clone());
        self.shared.monitor.prefer(&command.preferences)
    }
}

impl Handle<AddFeed> for Engine {
    fn handle(&self, command: AddFeed) -> Result<i64, ApiError> {
        self.shared.monitor.add(command.feed)
    }
}

impl Handle<ChangeFeed> for Engine {
    fn handle(&self, command: ChangeFeed) -> Result<(), ApiError> {
        self.shared.monitor.change(command.id, command.feed)
    }
}

impl Handle<RemoveFeed> for Engine {
    fn handle(&self, command: RemoveFeed) -> Result<(), ApiError> {
        self.shared.monitor.remove(command.id)
    }
}

impl Handle<Reconnect> for Engine {
    fn handle(&self, command: Reconnect) -> Result<(), ApiError> {
        self.shared.monitor.reconnect(command.id)
    }
}

impl Handle<SendMessage> for Engine {
    fn handle(&self, command: SendMessage) -> Result<(), ApiError> {
        let message = Message::read(&command.event, &command.data);
        let message = message.map_err(|bad| not_sent(&bad.to_string()))?;
        self.shared.monitor.send(command.feed, message)
    }
}

impl Handle<Network> for Engine {
    fn handle(&self, command: Network) -> Result<(), ApiError> {
        self.shared.monitor.network(command.online);
        Ok(())
    }
}

impl Handle<RetryEntry> for Engine {
    fn handle(&self, command: RetryEntry) -> Result<(), ApiError> {
        self.shared.monitor.retry(command.feed, &command.key)
    }
}

impl Handle<DiscardEntry> for Engine {
    fn handle(&self, command: DiscardEntry) -> Result<(), ApiError> {
        self.shared.monitor.discard(command.feed, &command.key)
    }
}

impl Handle<DismissDigest> for Engine {
    fn handle(&self, command: DismissDigest) -> Result<(), ApiError> {
        self.shared.monitor.dismiss(command.id);
        Ok(())
    }
}

impl Handle<FeedDiagnostics> for Engine {
    fn handle(&self, command: FeedDiagnostics) -> Result<String, ApiError> {
        let rows = self.shared.monitor.rows().map_err(|e| store_error(&e))?;
        let feed = rows.into_iter().find(|feed| feed.id == command.id);
        let feed = feed.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("Feed {} is not set up.", command.id),
                "It may have been removed; look again at what there is.",
            )
        })?;
        let report = serde_json::json!({
            "ghostlight": VERSION,
            "system": std::env::consts::OS,
            "at": self.shared.host.now().to_rfc3339(),
            "feed": FeedRow { sent: Vec::new(), ..feed },
        });
        serde_json::to_string_pretty(&report)
            .map_err(|e| ApiError::internal(format!("writing the report: {e}")))
    }
}

impl Handle<OpenExternal> for Engine {
    fn handle(&self, command: OpenExternal) -> Result<(), ApiError> {
        let url = ghostlight_fetch::classify(&command.url)
            .map_err(|e| ApiError::new(ErrorCode::Input, e.to_string(), e.hint()))?;
        self.shared.host.open_external(url.as_str())
    }
}

impl Handle<TestNotification> for Engine {
    fn handle(&self, _: TestNotification) -> Result<(), ApiError> {
        let host = &self.shared.host;
        if !host.notifies() {
            return Err(declined("show notifications"));
        }
        host.notify(&Notification::test());
        Ok(())
    }
}

impl Engine {
    /// Loads the samples if this data folder has never been used, and remembers that it was.
    pub fn welcome(&self) -> Result<(), ApiError> {
        if !self.shared.first_start || !self.shared.pipeline.hooks.offers_samples() {
            return Ok(());
        }
        self.store()
            .put_setting(FIRST_START, "1".into())
            .wait()
            .map_err(|e| store_error(&e))?;
        let samples = self.start_all(samples::inputs());
        self.shared.attending.ignore(samples.runs);
        Ok(())
    }
}
