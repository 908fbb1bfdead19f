//! A web server for tests: on this machine, answering each path with exact bytes.

#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What a path is answered with.
pub struct Reply {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl Reply {
    /// A web page.
    pub fn page(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: "200 OK",
            headers: "Content-Type: text/html; charset=utf-8\r\n".to_owned(),
            body: body.into(),
        }
    }

    /// Nothing but a status, such as `404 Not Found`.
    pub fn status(status: &'static str) -> Self {
        Self {
            status,
            headers: String::new(),
            body: Vec::new(),
        }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self {
            status: "302 Found",
            headers: format!("Location: {to}\r\n"),
            body: Vec::new(),
        }
    }
}

/// Answers until the test's process ends.
pub struct Server {
    address: SocketAddr,
}

impl Server {
    /// `reply` gets the path of each request.
    pub fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be bound");
        let address = listener.local_addr().expect("a bound port has an address");
        let reply = Arc::new(reply);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let reply = Arc::clone(&reply);
                // A client that hangs up in the middle is the point of some tests.
                std::thread::spawn(move || drop(answer(stream, &*reply)));
            }
        });
        Self { address }
    }

    /// The address of a path, as a person would type it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn answer(mut stream: TcpStream, reply: &impl Fn(&str) -> Reply) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    // The client sends no body; its headers end at an empty line.
    for line in lines.by_ref() {
        if line?.is_empty() {
            break;
        }
    }
    let Reply {
        status,
        headers,
        body,
    } = reply(first.split(' ').nth(1).unwrap_or("/"));
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

/// An address of this machine where nobody listens.
pub fn refusing_url() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be bound");
    let address = listener.local_addr().expect("a bound port has an address");
    drop(listener);
    format!("http://{address}/")
}
