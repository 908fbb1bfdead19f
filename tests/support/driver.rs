//! WebKit's driver as a process of the test's own, ended together with the application that it started.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// How long driver and application may take to start, together, on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long a killed application may take to be gone: until then it holds its database.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Time between two attempts.
const RETRY_EVERY: Duration = Duration::from_millis(50);

/// A running driver; leads a process group that the application belongs to.
pub struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// Starts it on a free port. The application inherits its environment, hence `env` here.
    pub fn start(env: &[(String, String)]) -> Self {
        Self::run(env, &[])
    }

    /// Starts one for an application that runs already, and listens at this address for whoever inspects its pages.
    pub fn start_at(target: &str) -> Self {
        Self::run(&[], &[format!("--target={target}")])
    }

    fn run(env: &[(String, String)], args: &[String]) -> Self {
        let port = free_port();
        let mut command = Command::new("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .args(args)
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        // With either of these the driver's screenshot never comes back.
        command
            .env_remove("WEBKIT_DISABLE_COMPOSITING_MODE")
            .env_remove("WEBKIT_DISABLE_DMABUF_RENDERER");
        command
            .envs(env.iter().map(|(name, value)| (name, value)))
            .process_group(0);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("WebKitWebDriver starts (package webkit2gtk-driver; `cargo xtask setup` installs it)");
        let driver = Self { child, port };
        driver.wait_for_port();
        driver
    }

    /// Lets the driver start the application, and opens a session on its window.
    pub async fn connect(&self, binary: &str, args: &[String]) -> Client {
        let options = json!({ "binary": binary, "args": args });
        let options = ("webkitgtk:browserOptions".to_owned(), options);
        let wanted = serde_json::Map::from_iter([options]);
        self.session(&format!("{binary} {args:?}"), wanted).await
    }

    /// Opens a session on the window of an application that runs already.
    pub async fn attach(&self) -> Client {
        self.session("the running window", serde_json::Map::new())
            .await
    }

    async fn session(&self, what: &str, capabilities: Capabilities) -> Client {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let address = format!("http://127.0.0.1:{}", self.port);
        let session = builder.capabilities(capabilities).connect(&address);
        match tokio::time::timeout(START_LIMIT, session).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => panic!("{what}: the driver opened no session: {error}"),
            Err(_) => panic!(
                "{what}: showed no window within {} s",
                START_LIMIT.as_secs()
            ),
        }
    }

    fn wait_for_port(&self) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(
                start.elapsed() < START_LIMIT,
                "WebKitWebDriver does not listen on port {}",
                self.port
            );
            std::thread::sleep(RETRY_EVERY);
        }
    }
}

impl Drop for Driver {
    /// Ends the whole group: an application that outlived its driver would keep the data folder and the display.
    fn drop(&mut self) {
        let group = self.child.id();
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{group}")])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
        let start = Instant::now();
        while group_has_members(group) && start.elapsed() < END_LIMIT {
            std::thread::sleep(RETRY_EVERY);
        }
    }
}

/// Signal 0 asks only whether somebody could be reached.
fn group_has_members(group: u32) -> bool {
    let asked = Command::new("kill")
        .args(["-0", "--", &format!("-{group}")])
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// Free at this moment; tests that need one run one after the other.
fn free_port() -> u16 {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of this machine can be bound");
    listener
        .local_addr()
        .expect("a bound port has an address")
        .port()
}
