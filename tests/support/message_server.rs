//! A server of typed messages on a real socket, written without any of ours: it greets, keeps what it is sent, and
//! answers each message with an `ack`. Some events make it rude.

#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio_tungstenite::tungstenite::{self, Message};

/// What it is sent after which it reads nothing any more, and says nothing.
pub const DEAF: &str = "be:deaf";
/// What it is sent after which it goes away without a word.
pub const GONE: &str = "be:gone";

/// The server; it answers until the test's process ends, or [`MessageServer::stop`].
pub struct MessageServer {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    sockets: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl MessageServer {
    pub fn start() -> Self {
        Self::at("127.0.0.1:0".parse().expect("an address"))
    }

    /// At an address where one was before.
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let server = Self {
            address: listener.local_addr().expect("its address"),
            received: Arc::default(),
            sockets: Arc::new(Mutex::new(Some(Vec::new()))),
        };
        let (received, sockets) = (Arc::clone(&server.received), Arc::clone(&server.sockets));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { continue };
                match &mut *sockets.lock().expect("sockets") {
                    Some(all) => all.push(socket.try_clone().expect("a second handle")),
                    None => return,
                }
                let received = Arc::clone(&received);
                thread::spawn(move || serve(socket, &received));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("ws://{}/messages", self.address)
    }

    /// The texts that came, in order, pings left out.
    pub fn received(&self) -> Vec<String> {
        self.received.lock().expect("what came").clone()
    }

    /// Cuts every connection and takes no other.
    pub fn stop(&self) {
        let sockets = self.sockets.lock().expect("sockets").take();
        for socket in sockets.into_iter().flatten() {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
        // The listener ends with the next that knocks.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(socket: TcpStream, received: &Mutex<Vec<String>>) {
    let _ = socket.set_nodelay(true);
    let Ok(mut socket) = tungstenite::accept(socket) else {
        return;
    };
    let greeting = json!({"type": "notification:new", "data": {"text": "welcome"}});
    let _ = socket.send(Message::text(greeting.to_string()));
    while let Ok(message) = socket.read() {
        // Pings are answered by the library.
        let Message::Text(text) = message else {
            continue;
        };
        received.lock().expect("what came").push(text.to_string());
        let read: Value = serde_json::from_str(&text).expect("JSON");
        match read["event"].as_str().expect("an event") {
            DEAF => thread::sleep(Duration::from_secs(600)),
            GONE => {
                let _ = socket.get_ref().shutdown(std::net::Shutdown::Both);
                return;
            }
            event => {
                let ack = json!({"type": "ack", "data": {"of": event, "with": read["data"]}});
                let _ = socket.send(Message::text(ack.to_string()));
            }
        }
    }
}
