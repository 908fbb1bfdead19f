//! `watch --send`: messages from the command line or standard input to a feed of typed messages.
//!
//! A thread of its own takes one message after the other: it waits for the connection, sends, waits for the answer, and
//! only then reads the next line, so that a pipe is read no faster than the feed takes. A message is sent at most once.

use crate::{
    Global,
    output::{Exit, fail, write_all},
};
use ghostlight_engine::feeds::Remote;
use ghostlight_model::message::{BadMessage, MESSAGE_BYTES_MAX, Message};
use serde_json::json;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    str::FromStr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// What `--send` names.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// A message.
    One(Message),
    /// Lines of standard input.
    Lines,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Lines);
        }
        let (event, data) = text.split_once('=').unwrap_or((text, ""));
        let message = Message::read(event, data).map_err(|bad| bad.to_string())?;
        Ok(Self::One(message))
    }
}

/// What is sent, seen from the thread that follows the feed.
pub(crate) struct Sender {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connected: bool,
    /// The feed is not followed any more.
    over: bool,
    /// Something was not sent.
    failed: bool,
    /// A message that was given is not dealt with yet; lines that nobody wrote do not count.
    busy: bool,
    answer: Option<(u64, Result<(), String>)>,
}

impl Sender {
    /// Begins to send. Without anything to send there is none.
    pub fn start(global: &Global, given: &[Given], remote: Remote) -> Result<Option<Self>, Exit> {
        if given.is_empty() {
            return Ok(None);
        }
        let shared = Arc::<Shared>::default();
        shared.state().busy = true;
        let work = Work {
            shared: Arc::clone(&shared),
            remote,
            json: global.json,
            quiet: global.quiet,
            last: 0,
        };
        let given = given.to_vec();
        let thread = thread::Builder::new().name("watch-send".into());
        match thread.spawn(move || work.run(given)) {
            // A read of standard input may never return, so it is not waited for.
            Ok(_) => Ok(Some(Self { shared })),
            Err(e) => Err(fail(Exit::Usage, &format!("cannot send: {e}"), None)),
        }
    }

    /// The feed is connected, or not.
    pub fn connected(&self, is: bool) {
        self.shared.state().connected = is;
        self.shared.changed.notify_all();
    }

    /// What became of a message.
    pub fn answered(&self, id: u64, outcome: Result<(), String>) {
        self.shared.state().answer = Some((id, outcome));
        self.shared.changed.notify_all();
    }

    /// Nothing more is sent; what was given and still waits is said. Whether all was sent.
    pub fn end(self) -> bool {
        let mut state = self.shared.state();
        state.over = true;
        self.shared.changed.notify_all();
        while state.busy {
            state = self.shared.wait(state);
        }
        !state.failed
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }
}

struct Work {
    shared: Arc<Shared>,
    remote: Remote,
    json: bool,
    quiet: bool,
    last: u64,
}

impl Work {
    fn run(mut self, given: Vec<Given>) {
        for one in given {
            match one {
                Given::One(message) => self.send(message),
                Given::Lines => self.lines(),
            }
        }
        self.idle(true);
    }

    /// Whether something is in hand that the end of the feed would leave unsent.
    fn idle(&self, is: bool) {
        self.shared.state().busy = !is;
        self.shared.changed.notify_all();
    }

    fn lines(&mut self) {
        let mut input = BufReader::new(io::stdin());
        let mut number = 0_u64;
        loop {
            self.idle(true);
            let line = match next_line(&mut input) {
                Ok(Some(line)) => line,
                Ok(None) => return self.idle(false),
                Err(e) => {
                    self.refuse(&format!("standard input: {e}"));
                    return self.idle(false);
                }
            };
            number += 1;
            {
                let mut state = self.shared.state();
                if state.over {
                    return;
                }
                state.busy = true;
            }
            match line {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => match Message::of_line(&text) {
                    Ok(message) => self.send(message),
                    Err(bad) => self.refuse(&format!("standard input, line {number}: {bad}")),
                },
                Err(bad) => self.refuse(&format!("standard input, line {number}: {bad}")),
            }
        }
    }

    fn send(&mut self, message: Message) {
        let outcome = self.outcome(&message);
        self.shared.state().failed |= outcome.is_err();
        if self.json {
            // A reader that went away ends the program by the thread that prints events.
            let _ = write_all(json_line(&message, &outcome).as_bytes());
        } else if let Err(why) = outcome {
            say(&format!("{}: {why}", message.event()));
        } else if !self.quiet {
            say(&format!("sent: {}", message.event()));
        }
    }

    fn outcome(&mut self, message: &Message) -> Result<(), String> {
        self.last += 1;
        let mut state = self.shared.state();
        while !state.connected && !state.over {
            state = self.shared.wait(state);
        }
        if state.over {
            return Err("Not sent: the feed is not followed any more.".into());
        }
        state.answer = None;
        drop(state);
        self.remote.send(self.last, message.clone())?;
        let mut state = self.shared.state();
        loop {
            match state.answer.take() {
                Some((id, outcome)) if id == self.last => return outcome,
                _ if state.over => {
                    return Err(
                        "The feed ended meanwhile; whether this was sent is not known.".into(),
                    );
                }
                _ => state = self.shared.wait(state),
            }
        }
    }

    fn refuse(&self, why: &str) {
        self.shared.state().failed = true;
        say(why);
    }
}

/// One line of JSON with its end. The data is verbatim, but for line ends between its tokens.
fn json_line(message: &Message, outcome: &Result<(), String>) -> String {
    let (event, data) = (
        json!(message.event()),
        message.data().replace(['\n', '\r'], " "),
    );
    match outcome {
        Ok(()) => format!(r#"{{"type":"sent","event":{event},"data":{data}}}"#) + "\n",
        Err(why) => {
            let why = json!(why);
            format!(r#"{{"type":"not_sent","event":{event},"data":{data},"error":{why}}}"#) + "\n"
        }
    }
}

fn say(text: &str) {
    // Nobody reads it: then it need not be said.
    let _ = writeln!(io::stderr(), "ghostlight: {text}");
}

/// The next line without its end. One that is too long is read to its end, and not kept.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Result<String, BadMessage>>> {
    let mut line = Vec::new();
    let most = MESSAGE_BYTES_MAX + 2;
    let read = input
        .by_ref()
        .take(most as u64)
        .read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    let mut bytes = read;
    while line.last() != Some(&b'\n') && bytes >= most {
        let mut rest = Vec::new();
        let more = input
            .by_ref()
            .take(most as u64)
            .read_until(b'\n', &mut rest)?;
        bytes += more;
        if more == 0 || rest.last() == Some(&b'\n') {
            break;
        }
    }
    if bytes > most {
        return Ok(Some(Err(BadMessage::TooLong(bytes))));
    }
    let text = String::from_utf8(line);
    Ok(Some(text.map_err(|_| {
        BadMessage::NotAMessage("this is no UTF-8".into())
    })))
}
