//! The window as a whole: which page, which posting, which dialog; takes wishes ([`Ask`]) from all
//! components and does them.

use crate::{
    backend,
    components::{
        dialogs::Dialogs,
        digest::Digest,
        history, imports, keys,
        masthead::{Masthead, URL_BOX},
        model,
        nav::Nav,
        toasts::ToastRegion,
    },
    dom::{self, Listener},
    icons::Icon,
    pages::{exports::Exports, outbox::Outbox, postings::Postings, runs::Runs, settings::Settings},
    shell::{Ask, Current, Dialog, Drawn, Input, Page, Panel, Shell, Tab, ToastKind},
    state::{
        command_bar::Deed,
        commands::{Action, COMMANDS, Place, Press},
        export::Choice,
        format,
        keys::Keymap,
        monitor,
        toasts::Toasts,
        views::ViewState,
    },
    views::{self, Subscription},
};
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    command::{
        AnalyzeFiles, AnalyzeText, AnalyzeUrl, AppInfo, ChooseFiles, GetAppInfo, LoadSamples,
        Network, OpenExternal, Preferences, Reconnect, RetryRun, SetPreferences, Started,
        TestNotification, Theme,
    },
    live::Environment,
    view::{NOTICE_EVENT, Notice, OPENED_EVENT, Opened, PostingOrder, Range, Subject},
};
use ghostlight_model::{FieldKey, PostingId, RunId};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ClipboardEvent, KeyboardEvent};
use yew::{Callback, Component, Context, ContextProvider, Html, html};

/// What happens to the window.
#[derive(Debug)]
pub enum Msg {
    /// A component wishes something.
    Ask(Ask),
    /// The core told about itself.
    Info(Result<AppInfo, ApiError>),
    /// An analysis began, or could not.
    Started(Result<Started, ApiError>),
    /// The store's state changed.
    Health(ViewState),
    /// A key was pressed somewhere.
    Key(KeyboardEvent),
    /// Something was pasted somewhere.
    Pasted(ClipboardEvent),
    /// Something is dragged over the window, or no longer.
    Drag(bool),
    /// The core has something to say.
    Notice(Notice),
    /// All errors are shown, or only the latest again.
    TurnErrors,
    /// A toast goes.
    Dismiss(u32),
    /// The newest posting is known.
    First(ViewState),
}

/// What the window opens with.
enum First {
    /// Nothing is kept, as far as is known.
    Unknown,
    /// The newest posting is being read.
    Asked { _answer: Subscription },
    /// It was opened, or something else was.
    Settled,
}

/// See the module.
pub struct App {
    shell: Shell,
    info: Option<Rc<AppInfo>>,
    page: Page,
    subject: Option<Subject>,
    /// The run in the monitor.
    run: Option<RunId>,
    current: Option<Current>,
    panel: Panel,
    folded: (bool, bool),
    nudge: (u32, i32),
    /// The tab of the drawer that was asked for.
    drawn: Drawn,
    /// The field that is to be edited.
    edit: Option<FieldKey>,
    /// What the page of exports begins with, and a number that changes with each wish.
    export: (u32, Rc<Choice>),
    dialog: Option<Dialog>,
    /// A dialog asked for before its card was here.
    wanted: Option<Dialog>,
    toasts: Toasts,
    said: String,
    dragging: bool,
    health: ViewState,
    _health: Subscription,
    /// The posting that the window opens with.
    first: First,
    _listeners: [Listener; 4],
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        views::start();
        listen_to_core(ctx);
        ask_for_info(ctx);
        if !dom::is_online() {
            tell_network();
        }
        let health = Subscription::new(&ViewQuery::Health, ctx.link().callback(Msg::Health));
        Self {
            shell: Shell {
                preferences: Rc::default(),
                environment: Environment::default(),
                keys: Rc::default(),
                ask: ctx.link().callback(Msg::Ask),
            },
            info: None,
            page: Page::Postings,
            subject: None,
            run: None,
            current: None,
            panel: Panel::Card,
            folded: (false, false),
            nudge: (0, 0),
            drawn: Drawn {
                turn: 0,
                tab: Tab::EventLog,
                field: None,
            },
            edit: None,
            export: (0, Rc::default()),
            dialog: None,
            wanted: None,
            toasts: Toasts::default(),
            said: String::new(),
            dragging: false,
            health: ViewState::Loading,
            _health: health,
            first: First::Unknown,
            _listeners: listen_to_window(ctx),
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Ask(ask) => self.ask(ctx, ask),
            Msg::Info(Ok(info)) => self.informed(info),
            Msg::Started(Ok(started)) => self.started(started),
            Msg::Info(Err(error)) | Msg::Started(Err(error)) => self.error(&error),
            Msg::Health(state) => {
                self.health = state;
                self.look_for_first(ctx);
            }
            Msg::First(state) => self.open_first(&state),
            Msg::Key(event) => return self.key(ctx, &event),
            Msg::Pasted(event) => self.pasted(ctx, &event),
            Msg::Drag(over) => self.dragging = over,
            Msg::Notice(notice) => self.notice(notice),
            Msg::TurnErrors => self.toasts.turn(),
            Msg::Dismiss(id) => self.toasts.dismiss(id),
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let health = match &self.health {
            ViewState::Ready(data) => match &**data {
                ViewData::Health(health) => Some(health),
                _ => None,
            },
            _ => None,
        };
        let running = health.map_or(0, |health| health.running);
        let offline = health.and_then(monitor::offline_words);
        let page = match self.page {
            Page::Postings => html! {
                <Postings subject={self.subject.clone()} current={self.current.clone()} panel={self.panel} folded={self.folded} nudge={self.nudge} drawn={self.drawn.clone()} edit={self.edit.clone()} health={self.health.clone()} {running} />
            },
            Page::Runs => html! { <Runs run={self.run.clone()} nudge={self.nudge} /> },
            Page::Outbox => html! { <Outbox /> },
            Page::Exports => {
                html! { <Exports key={self.export.0} begin={self.export.1.clone()} /> }
            }
            Page::Settings => html! { <Settings info={self.info.clone()} /> },
        };
        html! {
            <ContextProvider<Shell> context={self.shell.clone()}>
                <div class="gl-app">
                    <Masthead health={self.health.clone()} />
                    <Nav page={self.page} {running} />
                    <main class="gl-main">
                        if let Some(words) = offline {
                            <p class="gl-offline" role="note" aria-label="no network">{ Icon::Warning.draw() }{ words }</p>
                        }
                        // On the page of the runs it stands with them.
                        if self.page != Page::Runs { <Digest page={self.page} /> }
                        { page }
                    </main>
                </div>
                <ToastRegion toasts={self.toasts.clone()} on_dismiss={ctx.link().callback(Msg::Dismiss)} on_turn={ctx.link().callback(|()| Msg::TurnErrors)} />
                <div class="gl-unseen" role="status" aria-live="polite">{ &self.said }</div>
                <Dialogs dialog={self.dialog.clone()} current={self.current.clone()} page={self.page} />
                if self.dragging { { view_drop() } }
            </ContextProvider<Shell>>
        }
    }
}

impl App {
    fn ask(&mut self, ctx: &Context<Self>, ask: Ask) {
        match ask {
            Ask::Go(Page::Exports) => self.begin_exports(),
            Ask::Go(page) => self.page = page,
            Ask::Export(choice) => self.export(*choice),
            Ask::Select(subject) => self.select(subject),
            Ask::Monitor(run) => {
                self.page = Page::Runs;
                self.run = Some(run);
            }
            Ask::Feed(feed) => self.show_feed(feed),
            Ask::Panel(panel) => self.panel = panel,
            Ask::History(field) => self.draw(Tab::History, Some(field)),
            Ask::Field(field) => self.show_field(field),
            Ask::Do(deed) => self.deed(ctx, deed),
            Ask::Edits => self.edit = None,
            Ask::Analyse(input) => self.analyse(ctx, input),
            Ask::Toast(kind, title, body) => self.toast(kind, title, body),
            Ask::Announce(words) => self.said = words,
            Ask::Open(dialog) => self.open(dialog),
            Ask::Close => self.dialog = None,
            Ask::Prefer(preferences) => self.prefer(preferences),
            Ask::TestNotification => self.test_notification(),
            Ask::Showing(current) => self.showing(current),
            Ask::Browse(url) => self.browse(url),
        }
    }

    /// A feed's connection in detail. What is being typed in a dialog stays: then the settings behind it show the feed.
    fn show_feed(&mut self, feed: i64) {
        match self.dialog {
            None | Some(Dialog::Shortcuts | Dialog::Connections(_)) => {
                self.dialog = Some(Dialog::Connections(Some(feed)));
            }
            Some(_) => self.page = Page::Settings,
        }
    }

    /// The page of exports, with nothing narrowed; what is filled in on it stays.
    fn begin_exports(&mut self) {
        if self.page != Page::Exports {
            self.export = (self.export.0 + 1, Rc::default());
            self.page = Page::Exports;
        }
    }

    /// The page of exports, filled in with what another page shows.
    fn export(&mut self, mut choice: Choice) {
        if let Some(current) = &self.current
            && let Some(posting) = current.posting
        {
            choice.call(posting, &current.title);
        }
        self.export = (self.export.0 + 1, Rc::new(choice));
        self.page = Page::Exports;
        // Where the focus was is gone with its page.
        dom::next_frame(|| dom::focus_id("export-what"));
    }

    fn informed(&mut self, info: AppInfo) {
        self.shell.environment = info.environment;
        self.apply(info.preferences.clone());
        if let Some(subject) = info.open.clone() {
            self.select(subject);
        }
        if let Some(notice) = info.notice.clone() {
            self.notice(notice);
        }
        self.info = Some(Rc::new(info));
        // The start is measured up to here: drawn, and ready for a click (DESIGN *Measuring*).
        dom::next_frame(|| dom::next_frame(|| spawn_local(backend::announce("interactive"))));
    }

    /// Shows a tab of the drawer, wherever the window is.
    fn draw(&mut self, tab: Tab, field: Option<FieldKey>) {
        self.page = Page::Postings;
        self.folded.1 = false;
        self.drawn = Drawn {
            turn: self.drawn.turn + 1,
            tab,
            field,
        };
    }

    /// From the history to the field, in the frame after the card is there. What no row has says so.
    fn show_field(&mut self, field: FieldKey) {
        self.page = Page::Postings;
        self.panel = Panel::Card;
        let shell = self.shell.clone();
        dom::next_frame(move || {
            let id = match &field {
                // They are no rows.
                FieldKey::Verdict | FieldKey::Outcome => "conclusions".to_owned(),
                field => format!("field-{field}"),
            };
            match dom::document().get_element_by_id(&id) {
                Some(row) => dom::focus(&row),
                None => {
                    let title = format!("{} is not on the card", field.label());
                    let body = "Nothing stands there now; its history is all there is.".to_owned();
                    shell.ask.emit(Ask::Toast(ToastKind::Info, title, body));
                }
            }
        });
    }

    fn deed(&mut self, ctx: &Context<Self>, deed: Deed) {
        match deed {
            Deed::Do(action) => {
                // What is about the posting is done where it is seen.
                let mut table = COMMANDS.iter();
                let line = table.find(|line| line.action == Some(action));
                if line.is_some_and(|line| line.place == Place::Postings) {
                    self.page = Page::Postings;
                }
                self.act(ctx, action);
            }
            Deed::Edit(field) => {
                self.page = Page::Postings;
                self.panel = Panel::Card;
                self.edit = Some(field);
            }
            Deed::FieldHistory(field) => {
                self.draw(Tab::History, Some(field));
                focus_drawer();
            }
            Deed::Switch(name) => {
                if let Some(posting) = self.posting() {
                    history::switch(&self.shell, posting, name);
                }
            }
            Deed::Feed(feed) => self.show_feed(feed),
            Deed::Show(Subject::Run(run)) => self.ask(ctx, Ask::Monitor(run)),
            Deed::Show(subject) => self.select(subject),
        }
        // Where the focus was may be gone with its page.
        dom::next_frame(|| {
            if !dom::has_focus() {
                dom::focus_at(".gl-nav [aria-current]");
            }
        });
    }

    fn select(&mut self, subject: Subject) {
        // A run from elsewhere has no card: the monitor shows it.
        if let Subject::Run(run) = &subject
            && run.place().is_some()
        {
            self.page = Page::Runs;
            self.run = Some(run.clone());
            return;
        }
        self.page = Page::Postings;
        if self.panel == Panel::List {
            self.panel = Panel::Card;
        }
        if self.subject.as_ref() != Some(&subject) {
            self.current = None;
            self.wanted = None;
            // The list shows the choice at once, before the card is here.
            if let Subject::Posting(posting) = &subject {
                self.current = Some(Current {
                    subject: subject.clone(),
                    posting: Some(*posting),
                    title: String::new(),
                    verdict: None,
                    ended: false,
                    run: None,
                    url: None,
                    fields: Vec::new(),
                });
            }
            self.subject = Some(subject);
        }
    }

    /// As long as nothing was opened: what is kept is worth more than an empty card.
    fn look_for_first(&mut self, ctx: &Context<Self>) {
        let (First::Unknown, ViewState::Ready(data)) = (&self.first, &self.health) else {
            return;
        };
        if self.subject.is_some() {
            self.first = First::Settled;
            return;
        }
        if !matches!(&**data, ViewData::Health(health) if health.postings > 0) {
            return;
        }
        let newest = ViewQuery::Postings {
            order: PostingOrder::Recent,
            range: Range { start: 0, len: 1 },
        };
        let answer = Subscription::new(&newest, ctx.link().callback(Msg::First));
        self.first = First::Asked { _answer: answer };
    }

    /// Opens it, unless something else was opened meanwhile.
    fn open_first(&mut self, state: &ViewState) {
        let (First::Asked { .. }, ViewState::Ready(data)) = (&self.first, state) else {
            return;
        };
        self.first = First::Settled;
        if let (ViewData::Postings(page), None, Page::Postings) =
            (&**data, &self.subject, self.page)
            && let Some(row) = page.rows.first()
        {
            self.select(Subject::Posting(row.posting));
        }
    }

    fn analyse(&mut self, ctx: &Context<Self>, input: Input) {
        match input {
            Input::Url(url) => start(ctx, backend::call(AnalyzeUrl { url })),
            Input::Text(text) => {
                let length = format::plural(text.chars().count() as u64, "character", "characters");
                self.toast(ToastKind::Info, "Analysing pasted text".into(), length);
                start(ctx, backend::call(AnalyzeText { text, name: None }));
            }
            Input::Again(run) => start(ctx, backend::call(RetryRun { run })),
            Input::Samples => start(ctx, backend::call(LoadSamples {})),
            Input::Files => start(ctx, choose_and_analyse()),
        }
    }

    fn started(&mut self, started: Started) {
        if let Some(run) = started.runs.first() {
            self.select(Subject::Run(run.clone()));
        }
        if started.runs.len() > 1 {
            let title = format!(
                "Analysing {}",
                format::plural(started.runs.len() as u64, "posting", "postings")
            );
            self.toast(
                ToastKind::Info,
                title,
                "They appear in the list as they are read.".into(),
            );
        }
        for error in &started.refused {
            self.error(error);
        }
    }

    fn open(&mut self, dialog: Dialog) {
        let about_posting = matches!(dialog, Dialog::Verdict | Dialog::Outcome);
        let known = self.current.as_ref().is_some_and(|c| c.posting.is_some());
        if !about_posting || known {
            self.dialog = Some(dialog);
        } else if self.subject.is_some() && !self.current.as_ref().is_some_and(|c| c.ended) {
            // The card is on its way: a key pressed a moment early still counts.
            self.wanted = Some(dialog);
        } else {
            let body = "Choose a posting in the list, then give its verdict.".to_owned();
            self.toast(ToastKind::Info, "No posting is selected".into(), body);
        }
    }

    fn showing(&mut self, current: Current) {
        let settled = current.posting.is_some() || current.ended;
        self.current = Some(current);
        if settled && let Some(dialog) = self.wanted.take() {
            self.open(dialog);
        }
    }

    fn prefer(&mut self, preferences: Preferences) {
        self.apply(preferences.clone());
        let shell = self.shell.clone();
        spawn_local(async move {
            if let Err(error) = backend::call(SetPreferences { preferences }).await {
                shell.error(&error);
            }
        });
    }

    /// `boot.js` reads these before the first paint of the next start.
    fn apply(&mut self, preferences: Preferences) {
        let theme = match preferences.theme {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        dom::remember("theme", theme);
        dom::remember("still", if preferences.reduce_motion { "1" } else { "" });
        dom::apply_look();
        let keys = Keymap::of(&preferences);
        if keys != *self.shell.keys {
            self.shell.keys = Rc::new(keys);
        }
        self.shell.preferences = Rc::new(preferences);
    }

    fn test_notification(&mut self) {
        let shell = self.shell.clone();
        spawn_local(async move {
            match backend::call(TestNotification {}).await {
                Ok(()) => {
                    let body = "The system decides whether and where to show it.".to_owned();
                    let sent = "Test notification sent".to_owned();
                    shell.ask.emit(Ask::Toast(ToastKind::Info, sent, body));
                }
                Err(error) => shell.error(&error),
            }
        });
    }

    fn browse(&mut self, url: String) {
        let shell = self.shell.clone();
        spawn_local(async move {
            if let Err(error) = backend::call(OpenExternal { url }).await {
                shell.error(&error);
            }
        });
    }

    fn error(&mut self, error: &ApiError) {
        let hint = error.hint.clone().unwrap_or_default();
        self.toast(ToastKind::Error, error.message.clone(), hint);
    }

    fn notice(&mut self, notice: Notice) {
        let kind = match notice.kind.as_str() {
            "success" => ToastKind::Success,
            "warning" => ToastKind::Warning,
            "error" => ToastKind::Error,
            _ => ToastKind::Info,
        };
        self.toast(kind, notice.title, notice.body);
    }

    fn toast(&mut self, kind: ToastKind, title: String, body: String) {
        self.toasts.add(kind, title, body);
    }

    fn key(&mut self, ctx: &Context<Self>, event: &KeyboardEvent) -> bool {
        let key = event.key();
        let press = Press {
            typing: dom::is_typing(event.target()),
            in_dialog: dom::dialog_is_open(),
            on_postings: self.page == Page::Postings,
            on_runs: self.page == Page::Runs,
            ..keys::press(event, &key)
        };
        let action = self.shell.keys.action_of(press);
        let Some(action) = action.filter(|_| !event.default_prevented()) else {
            return false;
        };
        event.prevent_default();
        self.act(ctx, action);
        true
    }

    /// The posting on screen, once known.
    fn posting(&self) -> Option<PostingId> {
        self.current.as_ref().and_then(|current| current.posting)
    }

    fn take_back(&self, redo: bool) {
        if let Some(posting) = self.posting() {
            history::take_back(&self.shell, posting, redo);
        }
    }

    fn act(&mut self, ctx: &Context<Self>, action: Action) {
        match action {
            Action::Bar => self.open(Dialog::Bar),
            Action::OpenFile => self.analyse(ctx, Input::Files),
            Action::FocusUrl => dom::focus_id(URL_BOX),
            Action::Paste => self.open(Dialog::Paste),
            Action::Again => {
                if let Some(run) = self
                    .current
                    .as_ref()
                    .and_then(|current| current.run.clone())
                {
                    self.analyse(ctx, Input::Again(run));
                }
            }
            Action::Samples => self.analyse(ctx, Input::Samples),
            Action::Next => self.nudge = (self.nudge.0 + 1, 1),
            Action::Previous => self.nudge = (self.nudge.0 + 1, -1),
            Action::Verdict => self.open(Dialog::Verdict),
            Action::Outcome => self.open(Dialog::Outcome),
            Action::WebPage => {
                if let Some(url) = self
                    .current
                    .as_ref()
                    .and_then(|current| current.url.clone())
                {
                    self.browse(url);
                }
            }
            Action::AskModel => {
                if let Some(posting) = self.posting() {
                    model::ask(&self.shell, posting, Callback::noop());
                }
            }
            Action::Undo => self.take_back(false),
            Action::Redo => self.take_back(true),
            Action::EventLog | Action::History | Action::Biography | Action::Receipt => {
                let tab = match action {
                    Action::EventLog => Tab::EventLog,
                    Action::History => Tab::History,
                    Action::Biography => Tab::Biography,
                    _ => Tab::Receipt,
                };
                self.draw(tab, None);
                focus_drawer();
            }
            Action::NewBranch | Action::Merge | Action::NewField => {
                let dialog = self.posting().map(|posting| match action {
                    Action::Merge => Dialog::Merge(posting),
                    Action::NewField => Dialog::NewField(posting),
                    _ => Dialog::Branch(posting, None),
                });
                self.dialog = dialog.or(self.dialog.take());
            }
            Action::FoldList => self.folded.0 = !self.folded.0,
            Action::FoldEvidence => self.folded.1 = !self.folded.1,
            Action::GoPostings => self.page = Page::Postings,
            Action::GoRuns => self.page = Page::Runs,
            Action::GoOutbox => self.page = Page::Outbox,
            Action::GoExports => self.begin_exports(),
            Action::Import => {
                self.page = Page::Exports;
                imports::begin(&self.shell);
            }
            Action::GoSettings => self.page = Page::Settings,
            Action::Connections => self.open(Dialog::Connections(None)),
            Action::Reconnect => self.reconnect(),
            Action::AddFeed => self.open(Dialog::Feed(None)),
            Action::Light => self.set(|preferences| preferences.theme = Theme::Light),
            Action::Dark => self.set(|preferences| preferences.theme = Theme::Dark),
            Action::AsSystem => self.set(|preferences| preferences.theme = Theme::System),
            Action::Still => self.set(|preferences| preferences.reduce_motion ^= true),
            Action::Utc => self.set(|preferences| preferences.utc ^= true),
            Action::Quiet => self.set(|preferences| preferences.notifications.quiet ^= true),
            Action::TestNotification => self.test_notification(),
            Action::Sheet => self.open(Dialog::Shortcuts),
            // The field that has the focus does these.
            Action::FieldWords | Action::FieldAnswers | Action::FieldHistory => {}
        }
    }

    fn set(&mut self, change: impl FnOnce(&mut Preferences)) {
        let mut preferences = (*self.shell.preferences).clone();
        change(&mut preferences);
        self.prefer(preferences);
    }

    fn reconnect(&self) {
        let shell = self.shell.clone();
        spawn_local(async move {
            if let Err(error) = backend::call(Reconnect { id: None }).await {
                shell.error(&error);
            }
        });
    }

    /// Text pasted outside a box is analysed at once; the toast says so.
    fn pasted(&mut self, ctx: &Context<Self>, event: &ClipboardEvent) {
        if dom::is_typing(event.target()) || dom::dialog_is_open() {
            return;
        }
        let text = event
            .clipboard_data()
            .and_then(|data| data.get_data("text/plain").ok());
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return;
        };
        event.prevent_default();
        let line = text.trim();
        let is_address = line.starts_with("https://") || line.starts_with("http://");
        if is_address && !line.contains(char::is_whitespace) {
            self.toast(
                ToastKind::Info,
                "Analysing the pasted address".into(),
                line.to_owned(),
            );
            self.analyse(ctx, Input::Url(line.to_owned()));
        } else {
            self.analyse(ctx, Input::Text(text));
        }
    }
}

/// The tab that was asked for, once it is drawn.
fn focus_drawer() {
    dom::next_frame(|| dom::focus_at(".gl-drawer [role=tab][aria-selected=true]"));
}

fn view_drop() -> Html {
    html! {
        <div class="gl-drop" aria-hidden="true">
            <div class="gl-drop__box">{ Icon::Folder.draw() }<p>{ "Drop to analyse" }</p><p class="gl-small">{ "HTML, plain text or an ATS answer" }</p></div>
        </div>
    }
}

/// Shows the file dialog and analyses what was chosen; nothing if it was dismissed.
async fn choose_and_analyse() -> Result<Started, ApiError> {
    let paths = backend::call(ChooseFiles {}).await?;
    if paths.is_empty() {
        return Ok(Started {
            runs: Vec::new(),
            refused: Vec::new(),
        });
    }
    backend::call(AnalyzeFiles { paths }).await
}

fn start(
    ctx: &Context<App>,
    call: impl std::future::Future<Output = Result<Started, ApiError>> + 'static,
) {
    let done = ctx.link().callback(Msg::Started);
    spawn_local(async move { done.emit(call.await) });
}

fn ask_for_info(ctx: &Context<App>) {
    let done = ctx.link().callback(Msg::Info);
    spawn_local(async move { done.emit(backend::call(GetAppInfo {}).await) });
}

fn listen_to_core(ctx: &Context<App>) {
    let link = ctx.link().clone();
    let (opened, noticed, drag) = (link.clone(), link.clone(), link);
    spawn_local(async move {
        let heard = backend::listen(OPENED_EVENT, move |event: Opened| {
            let ask = match event {
                Opened::Subject(subject) => Ask::Select(subject),
                Opened::Feed(feed) => Ask::Feed(feed),
                Opened::Imports => Ask::Go(Page::Exports),
            };
            opened.send_message_batch(vec![Msg::Drag(false), Msg::Ask(ask)]);
        });
        let _ = heard.await;
        let heard = backend::listen(NOTICE_EVENT, move |notice: Notice| {
            noticed.send_message(Msg::Notice(notice));
        });
        let _ = heard.await;
        for (event, over) in [
            ("tauri://drag-enter", true),
            ("tauri://drag-leave", false),
            ("tauri://drag-drop", false),
        ] {
            let drag = drag.clone();
            let seen = move |_: serde_json::Value| drag.send_message(Msg::Drag(over));
            let _ = backend::listen(event, seen).await;
        }
    });
}

/// The system's word on the network goes to the core, which owns the connections.
fn tell_network() {
    let online = dom::is_online();
    spawn_local(async move {
        // Without an answer the connections go on by themselves.
        let _ = backend::call(Network { online }).await;
    });
}

fn listen_to_window(ctx: &Context<App>) -> [Listener; 4] {
    let key: Callback<KeyboardEvent> = ctx.link().callback(Msg::Key);
    let paste: Callback<ClipboardEvent> = ctx.link().callback(Msg::Pasted);
    let document = dom::document();
    [
        Listener::new(&document, "keydown", move |event| {
            if let Ok(event) = event.dyn_into() {
                key.emit(event);
            }
        }),
        Listener::new(&document, "paste", move |event| {
            if let Ok(event) = event.dyn_into() {
                paste.emit(event);
            }
        }),
        Listener::new(&dom::window(), "online", |_| tell_network()),
        Listener::new(&dom::window(), "offline", |_| tell_network()),
    ]
}
