//! A server that speaks OpenAI's chat completions over a real socket, written without any of ours: it streams what a test
//! wants it to say in odd pieces, refuses, stalls and breaks off.

#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use serde_json::{Value, json};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

/// Bytes of each piece that is sent by itself: no line, no letter of several bytes ends there.
const PIECE: usize = 7;

/// What the server does with a question.
pub enum Act {
    /// Streams this text, then says that it ends.
    Says(String),
    /// Streams this text, waits for the word, and streams the rest.
    Waits(String, Receiver<()>, String),
    /// Streams this text, and nothing more.
    Stalls(String),
    /// Streams this text and hangs up.
    HangsUp(String),
    /// Streams this text and says that the number of tokens is reached.
    Stops(String),
    /// Answers with this status and, as an error of the protocol, these words.
    Refuses(&'static str, &'static str),
}

impl Act {
    /// Says an object.
    pub fn object(object: &Value) -> Self {
        Self::Says(object.to_string())
    }
}

/// A request: its head in lower case, its body.
pub type Asked = (String, Value);

/// The server; it answers until the test's process ends.
pub struct ModelServer {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ModelServer {
    /// `act` gets each request's body and how many there were before it.
    pub fn start(act: impl Fn(&Value, usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (act, seen) = (Arc::new(act), Arc::clone(&asked));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (act, seen) = (Arc::clone(&act), Arc::clone(&seen));
                // Whoever asks may hang up in the middle.
                thread::spawn(move || drop(serve(socket, &*act, &seen)));
            }
        });
        Self { address, asked }
    }

    /// One that always says the same.
    pub fn saying(object: Value) -> Self {
        Self::start(move |_, _| Act::object(&object))
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("what came").clone()
    }
}

/// The fields that a question asks for.
pub fn fields(body: &Value) -> Vec<String> {
    let words = body["messages"][1]["content"].as_str().expect("a question");
    let line = words.lines().next().expect("its fields");
    let names = line.strip_prefix("Fields: ").expect("its fields");
    names.split(", ").map(str::to_owned).collect()
}

fn serve(
    mut socket: TcpStream,
    act: &(impl Fn(&Value, usize) -> Act + ?Sized),
    seen: &Mutex<Vec<Asked>>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    socket.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body)?;
    let nth = {
        let mut seen = seen.lock().expect("what came");
        seen.push((head, body.clone()));
        seen.len() - 1
    };
    match act(&body, nth) {
        Act::Refuses(status, words) => {
            let body = json!({ "error": { "message": words, "type": "x" } }).to_string();
            let length = body.len();
            write!(
                socket,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
        }
        Act::Says(text) => {
            begin(&mut socket)?;
            say(&mut socket, &text)?;
            end(&mut socket, "stop")
        }
        Act::Waits(before, go, after) => {
            begin(&mut socket)?;
            say(&mut socket, &before)?;
            let _ = go.recv();
            say(&mut socket, &after)?;
            end(&mut socket, "stop")
        }
        Act::Stops(text) => {
            begin(&mut socket)?;
            say(&mut socket, &text)?;
            end(&mut socket, "length")
        }
        Act::HangsUp(text) => {
            begin(&mut socket)?;
            say(&mut socket, &text)
        }
        Act::Stalls(text) => {
            begin(&mut socket)?;
            say(&mut socket, &text)?;
            let (_open, never) = channel::<()>();
            let _ = never.recv_timeout(Duration::from_secs(600));
            Ok(())
        }
    }
}

fn begin(socket: &mut TcpStream) -> io::Result<()> {
    socket.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
    )
}

fn say(socket: &mut TcpStream, text: &str) -> io::Result<()> {
    let chars: Vec<char> = text.chars().collect();
    for part in chars.chunks(11) {
        let part: String = part.iter().collect();
        event(
            socket,
            &json!({ "choices": [{ "index": 0, "delta": { "content": part } }] }),
        )?;
    }
    Ok(())
}

fn end(socket: &mut TcpStream, reason: &str) -> io::Result<()> {
    event(
        socket,
        &json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }),
    )?;
    event(
        socket,
        &json!({ "choices": [], "usage": { "prompt_tokens": 1200, "completion_tokens": 80 } }),
    )?;
    pieces(socket, b"data: [DONE]\n\n")?;
    socket.write_all(b"0\r\n\r\n")
}

fn event(socket: &mut TcpStream, data: &Value) -> io::Result<()> {
    pieces(socket, format!("data: {data}\n\n").as_bytes())
}

fn pieces(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        write!(socket, "{:x}\r\n", piece.len())?;
        socket.write_all(piece)?;
        socket.write_all(b"\r\n")?;
        socket.flush()?;
    }
    Ok(())
}
