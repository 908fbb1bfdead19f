//! Commands: name, request and reply, declared once for window, hub and tests.

use crate::{
    export::ExportForm,
    live::{Environment, Reconnecting},
    view::{Notice, Subject, ViewData, ViewId, ViewQuery},
};
use ghostlight_model::{
    Amount, CommitId, FieldKey, FieldValue, PostingId, RunId, event::ModelUse, suggest::Origin,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt};

/// A request with a name and a reply.
pub trait Command: Serialize + DeserializeOwned {
    /// The name by which it is called and permitted.
    const NAME: &'static str;
    /// What comes back.
    type Reply: Serialize + DeserializeOwned;
}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:literal $request:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? } -> $reply:ty;)*) => {
        /// The names of all commands.
        pub const COMMANDS: &[&str] = &[$($name),*];
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            pub struct $request { $($(#[$field_doc])* pub $field: $type),* }
            impl Command for $request {
                const NAME: &'static str = $name;
                type Reply = $reply;
            }
        )*
    };
}

commands! {
    /// Replaces the views the window shows. All are dirty at first.
    "register_views" RegisterViews {
        /// The views, numbered by the window; at most [`crate::view::VIEWS_MAX`].
        views: Vec<(ViewId, ViewQuery)>,
    } -> ();

    /// Pulls views by number; lets the core ping again.
    "pull_views" PullViews {
        /// Which; unknown numbers are left out of the reply.
        ids: Vec<ViewId>,
    } -> Vec<(ViewId, ViewData)>;

    /// Analyses text or a page's source that was pasted or dropped.
    "analyze_text" AnalyzeText {
        /// The text, up to 64 MiB.
        text: String,
        /// A file's name, where there is one.
        name: Option<String>,
    } -> Started;

    /// Fetches a URL and analyses what comes back.
    "analyze_url" AnalyzeUrl {
        /// As typed.
        url: String,
    } -> Started;

    /// Analyses files by path, as the file dialog gives them.
    "analyze_files" AnalyzeFiles {
        /// Absolute paths.
        paths: Vec<String>,
    } -> Started;

    /// Shows the system's file dialog. An empty list when it was dismissed.
    "choose_files" ChooseFiles {} -> Vec<String>;

    /// Runs the pipeline again over a run's capture, or fetches its URL again.
    "retry_run" RetryRun {
        /// Which run's input.
        run: RunId,
    } -> Started;

    /// Records the analyst's verdict as a commit.
    "set_verdict" SetVerdict {
        /// Of which posting.
        posting: PostingId,
        /// One of `open doubtful ghost closed unknown`.
        verdict: String,
        /// Why, up to 4,000 characters.
        note: String,
        /// Made by the caller; the same key twice is one commit.
        key: String,
    } -> ();

    /// Records an outcome (`applied heard_back filled reposted`) as a commit.
    "record_outcome" RecordOutcome {
        /// Of which posting.
        posting: PostingId,
        /// The outcome.
        outcome: String,
        /// Details, up to 4,000 characters.
        note: String,
        /// Made by the caller; the same key twice is one commit.
        key: String,
    } -> ();

    /// Records a person's value of a field as a commit, or withdraws it.
    "edit_field" EditField {
        /// Of which posting.
        posting: PostingId,
        /// Which field; outcomes are recorded by [`RecordOutcome`].
        field: FieldKey,
        /// What it is to be.
        input: FieldInput,
        /// Why, up to 4,000 characters; may be empty.
        message: String,
        /// Saves a value in spite of its warnings.
        override_warnings: bool,
        /// Made by the caller; the same key twice is one commit.
        key: String,
    } -> Edited;

    /// Keeps what is typed into a field and cannot be saved yet; it is offered back with the card, also after a crash.
    "keep_draft" KeepDraft {
        /// Of which posting.
        posting: PostingId,
        /// Which field.
        field: FieldKey,
        /// As typed; `None` gives it up.
        text: Option<String>,
    } -> ();

    /// Accepts suggestions as one change, which one undo takes back. Answers the commit; `None` if all of it stood
    /// already. Refused as stale if a person changed one of the fields since.
    "accept_suggestions" AcceptSuggestions {
        /// Of which posting.
        posting: PostingId,
        /// Which, at most one of a field.
        accept: Vec<AcceptedSuggestion>,
        /// Made by the caller; the same key twice is one commit.
        key: String,
    } -> Option<CommitId>;

    /// Dismisses a suggestion: it is not shown again, and its kind sinks in rank.
    "dismiss_suggestion" DismissSuggestion {
        /// Of which posting.
        posting: PostingId,
        /// Which field.
        field: FieldKey,
        /// The value that was suggested.
        value: FieldValue,
        /// The kind of source that suggested it first.
        origin: Origin,
        /// Takes a dismissal back instead.
        again: bool,
    } -> ();

    /// Takes back the person's latest change of a posting that is not taken back.
    "undo" Undo {
        /// Of which posting.
        posting: PostingId,
        /// Also if a merge stands above that change; else nothing is done then.
        past_merge: bool,
        /// Made by the caller; the same key twice is one undo.
        key: String,
    } -> Undone;

    /// Does again what the person took back last. Answers the new commit.
    "redo" Redo {
        /// Of which posting.
        posting: PostingId,
        /// Made by the caller; the same key twice is one redo.
        key: String,
    } -> CommitId;

    /// Makes a branch of a posting's history; one of that name at that place is no error. Answers its head.
    "create_branch" CreateBranch {
        /// Of which posting.
        posting: PostingId,
        /// Its name, as [`ghostlight_model::history::check_branch_name`] takes it.
        name: String,
        /// Where it begins; `None` is the head that is checked out.
        at: Option<CommitId>,
        /// Whether to check it out.
        switch: bool,
    } -> CommitId;

    /// Checks a branch out: the card shows it, and edits and runs go there.
    "switch_branch" SwitchBranch {
        /// Of which posting.
        posting: PostingId,
        /// Which branch.
        name: String,
    } -> ();

    /// Deletes a branch whose versions are all on another one.
    "delete_branch" DeleteBranch {
        /// Of which posting.
        posting: PostingId,
        /// Which branch.
        name: String,
    } -> ();

    /// Merges a branch into the one that is checked out. [`crate::ViewQuery::Merge`] shows what it comes to.
    "merge_branch" MergeBranch {
        /// Of which posting.
        posting: PostingId,
        /// The branch to merge.
        from: String,
        /// The heads that the preview showed, ours and theirs; refused as stale if one has moved. `None`
        /// takes them as they are.
        looked_at: Option<(CommitId, CommitId)>,
        /// What is decided about each field in conflict.
        resolutions: Vec<(FieldKey, MergeChoice)>,
        /// Why, up to 4,000 characters; kept if there were conflicts.
        message: String,
        /// Made by the caller; the same key twice is one merge.
        key: String,
    } -> MergeDone;

    /// Brings back the values of a version by a new commit. Answers that commit.
    "restore_version" RestoreVersion {
        /// Of which posting.
        posting: PostingId,
        /// Which version.
        version: CommitId,
        /// The head that was shown; refused as stale if it has moved. `None` takes it as it is.
        looked_at: Option<CommitId>,
        /// Why, up to 4,000 characters.
        message: String,
        /// Made by the caller; the same key twice is one commit.
        key: String,
    } -> CommitId;

    /// Takes a merge back by a new commit: what it brought to one of its sides goes again.
    /// [`crate::ViewQuery::Unmerge`] shows what that comes to. Answers that commit, which can be redone and undone.
    "undo_merge" UndoMerge {
        /// Of which posting.
        posting: PostingId,
        /// The merge.
        merge: CommitId,
        /// The side that is to stand: one of the merge's parents.
        keep: CommitId,
        /// The head that was shown; refused as stale if it has moved. `None` takes it as it is.
        looked_at: Option<CommitId>,
        /// Why, up to 4,000 characters.
        message: String,
        /// Made by the caller; the same key twice is one commit.
        key: String,
    } -> CommitId;

    /// Loads the sample postings that come with the application.
    "load_samples" LoadSamples {} -> Started;

    /// What the window needs to know once: version, data folder, platform, preferences.
    "app_info" GetAppInfo {} -> AppInfo;

    /// Stores the window's preferences, and acts by them. Those that cannot be are refused, and nothing changes.
    "set_preferences" SetPreferences {
        /// All of them.
        preferences: Preferences,
    } -> ();

    /// Sets up a feed and connects to it. Answers its number.
    "add_feed" AddFeed {
        /// What to follow.
        feed: FeedForm,
    } -> i64;

    /// Changes a feed; it is connected anew where that matters.
    "change_feed" ChangeFeed {
        /// Which.
        id: i64,
        /// What to follow.
        feed: FeedForm,
    } -> ();

    /// Removes a feed and its token. What it sent stays.
    "remove_feed" RemoveFeed {
        /// Which.
        id: i64,
    } -> ();

    /// Does not wait for the next try: of one feed, or of all that are not connected.
    "reconnect" Reconnect {
        /// Which; `None` is all.
        id: Option<i64>,
    } -> ();

    /// Sends a message to a feed of typed messages, now and once. Answers when the system has taken it for the server;
    /// an error says why it was not sent, or that this is not known.
    "send_message" SendMessage {
        /// To which feed.
        feed: i64,
        /// The event's name, as typed; [`ghostlight_model::message::Message::read`] says what is wrong with it.
        event: String,
        /// JSON, as typed.
        data: String,
    } -> ();

    /// The system says whether there is a network.
    "network" Network {
        /// There is.
        online: bool,
    } -> ();

    /// Lets an entry of the outbox be sent again.
    "retry_entry" RetryEntry {
        /// To which feed.
        feed: i64,
        /// Which entry.
        key: String,
    } -> ();

    /// Deletes an entry of the outbox: a person says that it need not be sent.
    "discard_entry" DiscardEntry {
        /// To which feed.
        feed: i64,
        /// Which entry.
        key: String,
    } -> ();

    /// Puts the digest away.
    "dismiss_digest" DismissDigest {
        /// Which.
        id: u64,
    } -> ();

    /// A text for a report about a feed's connection: versions, states, counters; no token, no event.
    "feed_diagnostics" FeedDiagnostics {
        /// Which.
        id: i64,
    } -> String;

    /// Opens a posting's web page in the system's browser (http and https only).
    "open_external" OpenExternal {
        /// The address.
        url: String,
    } -> ();

    /// Sets up the model, or changes it.
    "set_model" SetModel {
        /// Which, and where it answers.
        model: ModelForm,
    } -> ();

    /// Forgets the model and its key.
    "forget_model" ForgetModel {} -> ();

    /// Asks a model one small question about an invented posting, and says in a sentence what came of it. Changes
    /// nothing.
    "try_model" TryModel {
        /// Which, and where it answers; the key that is kept is used where none is given and the server is the same.
        model: ModelForm,
    } -> ModelTried;

    /// Asks the model for what is missing or in conflict on a posting's card. What it says is suggested, and changes
    /// nothing on the card.
    "ask_model" AskModel {
        /// Which posting.
        posting: PostingId,
    } -> ModelAnswered;

    /// Gives the system one notification to show, whatever the switches say.
    "test_notification" TestNotification {} -> ();

    /// Asks by the system's dialog where an export is to be; `None` when it was dismissed. The dialog itself asks
    /// whether a file that is there may be replaced.
    "choose_target" ChooseTarget {
        /// The name to begin with, as [`crate::view::ExportLook`] suggests it.
        name: String,
    } -> Option<String>;

    /// Begins an export; it goes on in the background. Answers its number in [`crate::view::ViewQuery::Exports`].
    "start_export" StartExport {
        /// What.
        export: ExportForm,
        /// The file, absolute.
        path: String,
        /// Whether a file that is there may be replaced.
        overwrite: bool,
    } -> u64;

    /// Stops an export; nothing of its file is left. One that has ended stays as it is.
    "cancel_export" CancelExport {
        /// Which.
        id: u64,
    } -> ();

    /// Shows the finished file of an export in the system's file manager.
    "reveal_export" RevealExport {
        /// Which.
        id: u64,
    } -> ();

    /// Asks by the system's dialog for a bundle; `None` when it was dismissed.
    "choose_bundle" ChooseBundle {} -> Option<String>;

    /// Begins to verify a bundle and to take it over; it goes on in the background. Answers its number in
    /// [`crate::view::ViewQuery::Imports`].
    "start_import" StartImport {
        /// The file, absolute.
        path: String,
    } -> u64;

    /// Stops an import; nothing of it was taken over then. One that has ended, or is being written as a whole, stays.
    "cancel_import" CancelImport {
        /// Which.
        id: u64,
    } -> ();

    /// Begins to put what old versions say into compressed files; it goes on in the background, as
    /// [`crate::view::ViewQuery::Storage`] shows.
    "start_archive" StartArchive {
        /// Versions older than so many days.
        older_than_days: u32,
    } -> ();

    /// Begins to bring all that is archived back into the database; likewise.
    "bring_archive_back" BringArchiveBack {} -> ();

    /// Stops archiving or bringing back behind the file it is at; what is moved stays moved.
    "stop_archive" StopArchive {} -> ();

    /// Lets other programs of this computer connect, or ends that. What is open is told that it ends.
    "set_serving" SetServing {
        /// How.
        serving: ServingForm,
    } -> ();

    /// The token with which they connect, to be handed to one of them.
    "serving_token" ServingToken {} -> String;
}

/// Whether other programs of this computer may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServingForm {
    /// Whether.
    pub on: bool,
    /// Where; 0 is any port that is free.
    pub port: u16,
}

/// What a person sets of a feed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedForm {
    /// What people call it; empty takes the host's name.
    pub name: String,
    /// Its address; a password in it is taken for the token.
    pub url: String,
    /// The adapter; `None` finds out.
    pub kind: Option<String>,
    /// The transports of a hub that are not to be used: `websocket sse poll`, at most two of them. Another system has
    /// one of its own, which stays.
    pub without: Vec<String>,
    /// What moves by its events (lists of runs, its runs and their logs) is brought up to date at most once in so many
    /// ms, up to [`FEED_EVERY_MS_MAX`]; 0 for each frame, `None` as [`Preferences::live_every_ms`] says.
    pub refresh_ms: Option<u32>,
    /// A new token; `None` leaves the one that is kept, an empty text forgets it.
    pub token: Option<String>,
    /// Whether to connect.
    pub enabled: bool,
    /// Whether runs that end here are sent to it.
    pub publish: bool,
}

impl Default for FeedForm {
    /// Of a feed that is to be added: nothing is said of it yet, and it will be connected.
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            kind: None,
            without: Vec::new(),
            refresh_ms: None,
            token: None,
            enabled: true,
            publish: false,
        }
    }
}

impl fmt::Debug for FeedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret, and the address may hold one.
        f.debug_struct("FeedForm")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a person sets of the model.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelForm {
    /// Where it answers, such as `https://host/v1`.
    pub url: String,
    /// Its server's name for it.
    pub name: String,
    /// A new key; `None` leaves the one that is kept, an empty text forgets it.
    pub key: Option<String>,
    /// How long a question may take, in seconds; from 1 to [`MODEL_TIMEOUT_S_MAX`].
    pub timeout_s: u16,
    /// What a million tokens of questions cost, in a currency of one's own choosing.
    pub price_in: Option<Amount>,
    /// What a million tokens of answers cost, in the same.
    pub price_out: Option<Amount>,
}

/// The longest that a question to a model may take, in seconds.
pub const MODEL_TIMEOUT_S_MAX: u16 = 300;

impl fmt::Debug for ModelForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is a secret, and the address may hold one.
        f.debug_struct("ModelForm")
            .field("name", &self.name)
            .field("timeout_s", &self.timeout_s)
            .finish_non_exhaustive()
    }
}

/// What came of trying a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTried {
    /// What it answered, in a sentence.
    pub sentence: String,
    /// What deserves a look, a sentence each.
    pub notes: Vec<String>,
}

/// What came of asking a model about a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelAnswered {
    /// What it was asked for, and at what price.
    pub usage: ModelUse,
    /// The fields that it gives a value.
    pub offered: Vec<FieldKey>,
    /// What deserves a look, a sentence each.
    pub notes: Vec<String>,
}

/// What a field is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FieldInput {
    /// As typed; read by [`ghostlight_model::typed::read`].
    Text(String),
    /// A value from elsewhere: a suggestion, a chip, a picker.
    Value(FieldValue),
    /// The person's value goes, and what machines found stands again.
    Withdraw,
}

/// A suggestion that is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptedSuggestion {
    /// Which field.
    pub field: FieldKey,
    /// What it is to be.
    pub value: FieldValue,
    /// What stood there when it was looked at.
    pub stood: Option<FieldValue>,
    /// The kind of source that suggested it first.
    pub origin: Origin,
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// Whether it stands; `false` if there are warnings that were not overridden. Nothing changed then.
    pub saved: bool,
    /// The commit; `None` if the value stood there already.
    pub commit: Option<CommitId>,
    /// The value as it was understood; `None` if it was withdrawn.
    pub value: Option<FieldValue>,
    /// What deserves a second look, a sentence each.
    pub warnings: Vec<String>,
}

/// What is decided about a field in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MergeChoice {
    /// The checked-out branch's value.
    Ours,
    /// The other branch's value.
    Theirs,
    /// What it was before both.
    Base,
    /// As typed; read by [`ghostlight_model::typed::read`].
    Text(String),
    /// This value, or none.
    Value(Option<FieldValue>),
}

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeDone {
    /// Where the checked-out branch stands now.
    pub head: CommitId,
    /// Whether that is a commit that joins two; else the branch only moved forward.
    pub joined: bool,
}

/// What became of an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undone {
    /// The new commit.
    Done(CommitId),
    /// Nothing was done: this merge stands above the person's latest change. [`UndoMerge`] takes it back.
    MergeAbove(CommitId),
}

/// What analysis began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The runs, in the order of the input; those of a large input follow as it is read.
    pub runs: Vec<RunId>,
    /// What could not be begun, a sentence each.
    pub refused: Vec<crate::ApiError>,
}

/// What the window needs to know once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppInfo {
    /// The version.
    pub version: String,
    /// Where the data is.
    pub data_folder: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The window's preferences.
    pub preferences: Preferences,
    /// What to show first: what the app was started with, or what a page before this one showed last.
    pub open: Option<Subject>,
    /// Whether this is the first start on this data folder.
    pub first_start: bool,
    /// Why this page was loaded, if something happened to the one before it.
    pub notice: Option<Notice>,
    /// What the environment says of live features, in place of the preferences.
    pub environment: Environment,
}

/// The window's preferences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light, dark, or what the system says.
    pub theme: Theme,
    /// Motion off, whatever the system says.
    pub reduce_motion: bool,
    /// Widths of list and evidence pane and height of the drawer, in CSS pixels.
    pub panes: [u16; 3],
    /// Times in UTC instead of local time.
    pub utc: bool,
    /// Times in a log since the start of its run.
    pub relative: bool,
    /// The day that a calendar's weeks begin with.
    pub weeks: WeekStart,
    /// Live lists (postings, runs, events) are brought up to date at most once in so many ms, up to
    /// [`LIVE_EVERY_MS_MAX`]; 0 for each frame.
    pub live_every_ms: u16,
    /// Rows of a log that are held while its end is followed: from [`LOG_ROWS_MIN`](crate::live::LOG_ROWS_MIN) to
    /// [`ROWS_MAX`](crate::view::ROWS_MAX), beyond which the nearer end counts. Those before are read from the disk.
    pub log_rows: u16,
    /// Live features are off: no feed is connected, whatever the feeds' own switches say.
    pub live_off: bool,
    /// How long feeds wait between two tries.
    pub reconnecting: Reconnecting,
    /// Which notifications the system is given.
    pub notifications: Notifications,
    /// Whether shortcuts that are a single character act (WCAG 2.1.4).
    pub single_keys: bool,
    /// The keys that a person chose, by the name of the command: as the window's table writes them, or empty for none.
    /// Names and keys that a version does not know are kept and mean nothing there.
    pub keys: BTreeMap<String, String>,
}

/// The day that weeks begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeekStart {
    /// What the system's language and region say; Monday where they say nothing.
    #[default]
    Locale,
    /// Monday.
    Monday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// The longest time between two updates of a live list, in ms. A greater one counts as this.
pub const LIVE_EVERY_MS_MAX: u16 = 5_000;

/// The longest time between two updates of what moves by one feed's events, in ms.
pub const FEED_EVERY_MS_MAX: u32 = 60_000;

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            reduce_motion: false,
            panes: [240, 330, 176],
            utc: false,
            relative: false,
            weeks: WeekStart::Locale,
            live_every_ms: 0,
            log_rows: 100,
            live_off: false,
            reconnecting: Reconnecting::default(),
            notifications: Notifications::default(),
            single_keys: true,
            keys: BTreeMap::new(),
        }
    }
}

/// Which notifications the system is given (SPEC K1): a switch for each kind, and one for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notifications {
    /// None at all, whatever the other switches say.
    pub quiet: bool,
    /// A feed is without connection for more than a moment.
    pub connection_lost: bool,
    /// Several tries to connect failed, or the token is refused.
    pub connection_failing: bool,
    /// A connection that was missed is back.
    pub connection_restored: bool,
    /// A run ended well.
    pub run_finished: bool,
    /// A run failed.
    pub run_failed: bool,
    /// A run that goes on met an error.
    pub critical_issue: bool,
    /// A feed told that the status of an application changed.
    pub status_change: bool,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            quiet: false,
            connection_lost: true,
            connection_failing: true,
            connection_restored: true,
            run_finished: true,
            run_failed: true,
            critical_issue: true,
            status_change: true,
        }
    }
}

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// What the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}
