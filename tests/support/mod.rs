//! Drives the built window the way a person does: through WebKit's driver, by roles and accessible names.
//!
//! [`Launch`] says how to start the application, [`App`] is the running window. Every step has a time limit, because
//! the driver has none, and a wait that fails says what was last seen and leaves a picture in the folder named by
//! `E2E_SHOTS`. Needs a display and a message bus: `cargo xtask test` brings both.

#![allow(
    dead_code,
    reason = "a library for several test files, each of which uses a part of it"
)]

pub mod disk;
pub mod drag;
mod driver;
pub mod life;
pub mod long_page;
pub mod message_server;
pub mod process;
pub mod scroll;
pub mod server;
pub mod studio;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};

use driver::Driver;

/// How long one question to the driver may take; a picture of a busy page is the slowest of them.
const STEP_LIMIT: Duration = Duration::from_secs(20);

/// How long [`App::wait_until`] waits: a debug build on two busy cores, many times over.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// Time between two looks; below what a person notices, above what would keep the page from working.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How much of the page a failure message repeats, in characters.
const PAGE_TEXT_CHARS_MAX: usize = 2_000;

/// How to start the application.
#[derive(Debug, Clone)]
pub struct Launch {
    data: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Launch {
    /// On this data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_path_buf(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// With one more argument: a file or a URL to open.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With a variable such as `GHOSTLIGHT_TEST`.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Starts the application and connects to its window.
    pub async fn open(self) -> App {
        let driver = Driver::start(&self.env);
        let mut args = vec!["--data".to_owned(), self.data.display().to_string()];
        args.extend(self.args.iter().cloned());
        let client = driver
            .connect(env!("CARGO_BIN_EXE_ghostlight-desktop"), &args)
            .await;
        App {
            client,
            driver,
            launch: self,
            dead: Vec::new(),
        }
    }
}

/// What a look at the page found.
pub enum Look<T> {
    /// What was waited for.
    Done(T),
    /// Something else; told when the wait fails.
    Seen(String),
}

/// The running window. Ends with its value.
pub struct App {
    client: Client,
    driver: Driver,
    launch: Launch,
    /// Sessions with pages that died. The first driver's group holds the application.
    dead: Vec<(Client, Driver)>,
}

impl App {
    /// Goes on with the page that was loaded in place of one that died: the driver's session died with it.
    pub async fn attach_again(mut self) -> Self {
        // The application takes one session at a time: the old one ends once the driver is asked and sees what happened.
        self.wait_until("the end of the old session", async |client| {
            match client.execute("return true", Vec::new()).await {
                Err(_) => Look::Done(()),
                Ok(_) => Look::Seen("an answer".to_owned()),
            }
        })
        .await;
        let driver = Driver::start_at(&process::inspector());
        let client = driver.attach().await;
        let client = std::mem::replace(&mut self.client, client);
        self.dead
            .push((client, std::mem::replace(&mut self.driver, driver)));
        self
    }

    /// Ends the application without a farewell and starts it again on the same data: what was not safe on disk is lost.
    pub async fn restart(self) -> Self {
        let launch = self.launch.clone();
        self.close().await;
        launch.open().await
    }

    /// Kills the application, without a word to it before.
    pub fn kill(&self) {
        for core in process::own_processes(process::CORE) {
            process::kill(core);
        }
    }

    /// Ends the application and waits until it is gone.
    pub async fn close(self) {
        let Self {
            client,
            driver,
            dead,
            ..
        } = self;
        // The driver's answer is of no interest: its whole process group goes next.
        let _ = tokio::time::timeout(STEP_LIMIT, client.close()).await;
        drop((driver, dead));
    }

    /// The element with this `aria-label`, as soon as it is there.
    pub async fn named(&self, name: &str) -> Element {
        self.present(&format!("an element named `{name}`"), &by_name(name))
            .await
    }

    /// The element with this role, explicit or by its kind, and this accessible name (its label or its text).
    pub async fn role(&self, role: &str, name: &str) -> Element {
        self.present(&format!("a {role} named `{name}`"), &by_role(role, name))
            .await
    }

    /// How many elements have a label that begins so, now.
    pub async fn count_named(&self, beginning: &str) -> usize {
        let css = format!("[aria-label^={}]", css_string(beginning));
        self.step("count", self.client.find_all(Locator::Css(&css)))
            .await
            .len()
    }

    /// The text of a named element.
    pub async fn text_of(&self, name: &str) -> String {
        self.wait_for_text(name, |_| true).await
    }

    /// Waits until a named element's text satisfies `good`, and returns the text.
    pub async fn wait_for_text(&self, name: &str, good: impl Fn(&str) -> bool) -> String {
        let xpath = by_name(name);
        self.wait_until(
            &format!("the right text in `{name}`"),
            async |client| match text_at(client, &xpath).await {
                Ok(text) if good(&text) => Look::Done(text),
                Ok(text) => Look::Seen(format!("the text {text:?}")),
                Err(error) => Look::Seen(error.to_string()),
            },
        )
        .await
    }

    /// Waits until no element has this name any more.
    pub async fn wait_until_gone(&self, name: &str) {
        let xpath = by_name(name);
        self.wait_until(&format!("`{name}` to go away"), async |client| match client
            .find_all(Locator::XPath(&xpath))
            .await
        {
            Ok(found) if found.is_empty() => Look::Done(()),
            Ok(found) => Look::Seen(format!("{} of them", found.len())),
            Err(error) => Look::Seen(error.to_string()),
        })
        .await
    }

    /// Clicks on the element with this role and name.
    pub async fn click(&self, role: &str, name: &str) {
        let element = self.role(role, name).await;
        self.step(name, element.click()).await;
    }

    /// Types into the element with this name.
    pub async fn type_into(&self, name: &str, text: &str) {
        let element = self.named(name).await;
        self.step(name, element.send_keys(text)).await;
    }

    /// Presses and releases one key where the focus is.
    pub async fn press(&self, key: Key) {
        self.press_char(key.into()).await;
    }

    /// Presses and releases the key of one character where the focus is.
    pub async fn press_char(&self, value: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.step("a key", self.client.perform_actions(keys)).await;
    }

    /// Presses a key while another one is held.
    pub async fn chord(&self, held: Key, value: char) {
        let held: char = held.into();
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: held });
        self.step("keys", self.client.perform_actions(keys)).await;
    }

    /// The text of the open dialog, as soon as there is one.
    pub async fn text_of_dialog(&self) -> String {
        self.wait_until("a dialog", async |client| {
            match text_at(client, "//dialog[@open]").await {
                Ok(text) => Look::Done(text),
                Err(error) => Look::Seen(error.to_string()),
            }
        })
        .await
    }

    /// Runs a script in the page and returns its answer.
    pub async fn script(&self, script: &str) -> serde_json::Value {
        self.step("a script", self.client.execute(script, Vec::new()))
            .await
    }

    /// Runs a script that answers later, by calling its last argument.
    pub async fn script_async(
        &self,
        script: &str,
        arguments: Vec<serde_json::Value>,
    ) -> serde_json::Value {
        let answer = self.client.execute_async(script, arguments);
        self.step("a script that answers later", answer).await
    }

    /// Types a text where the focus is.
    pub async fn type_keys(&self, text: &str) {
        let keys = text
            .chars()
            .fold(KeyActions::new("keyboard".to_owned()), |keys, value| {
                keys.then(KeyAction::Down { value })
                    .then(KeyAction::Up { value })
            });
        self.step("keys", self.client.perform_actions(keys)).await;
    }

    /// Makes the window so large, in pixels, frame included.
    pub async fn resize(&self, width: u32, height: u32) {
        self.step("a new size", self.client.set_window_size(width, height))
            .await;
    }

    /// Clicks on the first element at an XPath, for what has no name of its own.
    pub async fn click_at(&self, what: &str, xpath: &str) {
        let element = self.present(what, xpath).await;
        self.step(what, element.click()).await;
    }

    /// Types into the first element at an XPath.
    pub async fn type_at(&self, what: &str, xpath: &str, text: &str) {
        let element = self.present(what, xpath).await;
        // The driver types no line feed; the key does.
        let text = text.replace('\n', &char::from(Key::Enter).to_string());
        self.step(what, element.send_keys(&text)).await;
    }

    /// Keeps a picture of the page as `NAME.png`, of what it shows now and not a frame ago.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        self.painted().await;
        let png = self.step("a picture", self.client.screenshot()).await;
        save_picture(name, &png)
    }

    /// Keeps a picture of the whole screen as `NAME.png`, for what is no page: a dialog of the system.
    pub fn screen(&self, name: &str) {
        let taken = std::process::Command::new("import")
            .args(["-window", "root", "png:-"])
            .output()
            .expect("import starts (package imagemagick; `cargo xtask setup` installs it)");
        save_picture(name, &taken.stdout);
    }

    /// Waits until what the page is now has been painted.
    pub async fn painted(&self) {
        let drawn = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(null), 30)));";
        self.script_async(drawn, Vec::new()).await;
    }

    /// Waits until a script answers `true`.
    pub async fn is_true(&self, what: &str, script: &str) {
        self.wait_until(what, async |client| {
            match client.execute(script, Vec::new()).await {
                Ok(serde_json::Value::Bool(true)) => Look::Done(()),
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
    }

    /// Looks again and again until `probe` is content; fails with what was last seen, the page's text and a picture.
    pub async fn wait_until<T>(&self, what: &str, probe: impl AsyncFn(&Client) -> Look<T>) -> T {
        let start = Instant::now();
        let mut last = "nothing yet".to_owned();
        while start.elapsed() < WAIT_LIMIT {
            match tokio::time::timeout(STEP_LIMIT, probe(&self.client)).await {
                Ok(Look::Done(value)) => return value,
                Ok(Look::Seen(seen)) => last = seen,
                Err(_) => {
                    last = format!("no answer from the driver for {} s", STEP_LIMIT.as_secs())
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.fail(&format!(
            "waited {} s for {what}; last seen: {last}",
            WAIT_LIMIT.as_secs()
        ))
        .await
    }

    /// Waits for the first element at an XPath.
    async fn present(&self, what: &str, xpath: &str) -> Element {
        self.wait_until(what, async |client| {
            match client.find(Locator::XPath(xpath)).await {
                Ok(element) => Look::Done(element),
                Err(error) => Look::Seen(error.to_string()),
            }
        })
        .await
    }

    /// One question to the driver, with its time limit; an error is the test's failure.
    async fn step<T>(&self, what: &str, answer: impl Future<Output = Result<T, CmdError>>) -> T {
        match tokio::time::timeout(STEP_LIMIT, answer).await {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => self.fail(&format!("{what}: {error} ({error:?})")).await,
            Err(_) => {
                self.fail(&format!(
                    "{what}: no answer from the driver for {} s",
                    STEP_LIMIT.as_secs()
                ))
                .await
            }
        }
    }

    async fn fail(&self, message: &str) -> ! {
        let page = match tokio::time::timeout(STEP_LIMIT, text_at(&self.client, "//body")).await {
            Ok(Ok(text)) => text.chars().take(PAGE_TEXT_CHARS_MAX).collect(),
            Ok(Err(error)) => format!("(cannot be read: {error})"),
            Err(_) => "(the driver does not answer)".to_owned(),
        };
        let fault = text_at(&self.client, "//*[@id='fault' and not(@hidden)]//pre");
        let fault = match tokio::time::timeout(STEP_LIMIT, fault).await {
            Ok(Ok(details)) => format!("the window's fault: {details}\n"),
            // There is none.
            Ok(Err(_)) | Err(_) => String::new(),
        };
        let picture = match tokio::time::timeout(STEP_LIMIT, self.client.screenshot()).await {
            Ok(Ok(png)) => save_picture(&format!("failed-{}", file_name(message)), &png)
                .display()
                .to_string(),
            _ => "none could be taken".to_owned(),
        };
        panic!("{message}\n{fault}picture: {picture}\nthe page's text:\n{page}");
    }
}

async fn text_at(client: &Client, xpath: &str) -> Result<String, CmdError> {
    // Not the driver's own notion of text: it takes what is cut off by an ellipsis for hidden.
    let element = client.find(Locator::XPath(xpath)).await?;
    Ok(element.prop("innerText").await?.unwrap_or_default())
}

/// Where pictures go: `E2E_SHOTS`, or a folder of cargo's for a run by hand.
fn save_picture(name: &str, png: &[u8]) -> PathBuf {
    let folder = std::env::var_os("E2E_SHOTS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-shots"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    let path = folder.join(name).with_extension("png");
    std::fs::write(&path, png).expect("a picture can be written");
    path
}

/// A file name out of a message: short, and without characters that mean something to a shell.
fn file_name(message: &str) -> String {
    let dashed: String = message
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    dashed
        .split('-')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

fn by_name(name: &str) -> String {
    format!("//*[@aria-label={}]", xpath_string(name))
}

/// Elements have roles by their kind; those that the window uses are known here.
fn by_role(role: &str, name: &str) -> String {
    let kind = match role {
        "button" => "self::button or self::summary",
        "link" => "self::a[@href]",
        "textbox" => "self::textarea or self::input[not(@type) or @type='text' or @type='url']",
        "searchbox" => "self::input[@type='search']",
        "checkbox" => "self::input[@type='checkbox']",
        "heading" => "self::h1 or self::h2 or self::h3 or self::h4",
        "listitem" => "self::li",
        _ => "false()",
    };
    let name = xpath_string(name);
    format!(
        "//*[@role='{role}' or (not(@role) and ({kind}))][@aria-label={name} or (not(@aria-label) and normalize-space(.)={name})]"
    )
}

/// XPath knows no escapes: a text with both kinds of quotes is put together from parts.
fn xpath_string(text: &str) -> String {
    if !text.contains('"') {
        return format!("\"{text}\"");
    }
    let parts: Vec<String> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    format!("concat({})", parts.join(", '\"', "))
}

fn css_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
