//! One Tauri command for each command of the edge: bytes in, the engine's answer out.

use crate::Core;
use ghostlight_api::{ApiError, Command, command as api};
use ghostlight_engine::{Engine, Handle};
use tauri::{
    AppHandle, Manager, Runtime,
    ipc::{Invoke, InvokeBody, Request, Response},
};

/// Answers `C` on a thread that may block.
async fn answer<C, R>(app: AppHandle<R>, request: &Request<'_>) -> Result<Response, ApiError>
where
    C: Command,
    R: Runtime,
    Engine: Handle<C>,
{
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err(ApiError::internal(format!(
            "{} was not called with bytes",
            C::NAME
        )));
    };
    let bytes = bytes.clone();
    let work = move || app.state::<Core>().wait()?.call::<C>(&bytes);
    // A panic in one command is an error reply; the rest keeps running.
    let reply = tauri::async_runtime::spawn_blocking(work).await;
    reply
        .unwrap_or_else(|e| Err(ApiError::internal(format!("{} stopped: {e}", C::NAME))))
        .map(Response::new)
}

macro_rules! commands {
    ($($name:ident: $request:ident),* $(,)?) => {
        $(
            #[tauri::command]
            async fn $name<R: Runtime>(
                app: AppHandle<R>,
                request: Request<'_>,
            ) -> Result<Response, ApiError> {
                answer::<api::$request, R>(app, &request).await
            }
        )*

        /// Dispatches the window's calls.
        pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$($name),*]
        }

        #[cfg(test)]
        const HANDLED: &[(&str, &str)] =
            &[$((stringify!($name), <api::$request as Command>::NAME)),*];
    };
}

commands! {
    register_views: RegisterViews,
    pull_views: PullViews,
    analyze_text: AnalyzeText,
    analyze_url: AnalyzeUrl,
    analyze_files: AnalyzeFiles,
    choose_files: ChooseFiles,
    retry_run: RetryRun,
    set_verdict: SetVerdict,
    record_outcome: RecordOutcome,
    edit_field: EditField,
    keep_draft: KeepDraft,
    accept_suggestions: AcceptSuggestions,
    dismiss_suggestion: DismissSuggestion,
    undo: Undo,
    redo: Redo,
    create_branch: CreateBranch,
    switch_branch: SwitchBranch,
    delete_branch: DeleteBranch,
    merge_branch: MergeBranch,
    restore_version: RestoreVersion,
    undo_merge: UndoMerge,
    load_samples: LoadSamples,
    app_info: GetAppInfo,
    set_preferences: SetPreferences,
    add_feed: AddFeed,
    change_feed: ChangeFeed,
    remove_feed: RemoveFeed,
    reconnect: Reconnect,
    send_message: SendMessage,
    network: Network,
    retry_entry: RetryEntry,
    discard_entry: DiscardEntry,
    dismiss_digest: DismissDigest,
    feed_diagnostics: FeedDiagnostics,
    open_external: OpenExternal,
    set_model: SetModel,
    forget_model: ForgetModel,
    try_model: TryModel,
    ask_model: AskModel,
    test_notification: TestNotification,
    choose_target: ChooseTarget,
    start_export: StartExport,
    cancel_export: CancelExport,
    reveal_export: RevealExport,
    choose_bundle: ChooseBundle,
    start_import: StartImport,
    cancel_import: CancelImport,
    start_archive: StartArchive,
    bring_archive_back: BringArchiveBack,
    stop_archive: StopArchive,
    set_serving: SetServing,
    serving_token: ServingToken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_command_is_handled_and_permitted() {
        let names: Vec<&str> = HANDLED.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ghostlight_api::COMMANDS);
        assert!(
            HANDLED
                .iter()
                .all(|(function, declared)| function == declared)
        );
        let capability: serde_json::Value =
            serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        let permitted: Vec<&str> = capability["permissions"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|p| p.as_str()?.strip_prefix("allow-"))
            .collect();
        let expected: Vec<String> = names.iter().map(|name| name.replace('_', "-")).collect();
        assert_eq!(permitted, expected, "capabilities/main.json");
    }
}
