//! A web server that answers with exact bytes, and a network that leads every name to it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ghostlight_fetch::{Lookup, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
pub enum Reply {
    /// Sends the bytes and closes.
    Bytes(Vec<u8>),
    /// Sends the bytes in pieces of so many, each by itself, and closes.
    Pieces(Vec<u8>, usize),
    /// Sends the bytes, and nothing more for ever.
    Stalls(Vec<u8>),
    /// Sends the bytes, then one more byte at each interval, for ever.
    Drip(Vec<u8>, Duration),
    /// Reads the request and never answers.
    Silence,
}

type Lines = Arc<Mutex<Vec<String>>>;

/// A server on 127.0.0.1 for as long as the test's runtime lives.
pub struct Server {
    pub address: SocketAddr,
    requests: Lines,
    bodies: Lines,
}

impl Server {
    /// `reply` gets the path of each request.
    pub async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let (reply, seen) = (Arc::new(reply), (requests.clone(), bodies.clone()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, reply.clone(), seen.clone()));
            }
        });
        Self {
            address,
            requests,
            bodies,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of the requests so far, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies of the requests that had one.
    pub fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

async fn serve<R: Fn(&str) -> Reply>(
    mut stream: TcpStream,
    reply: Arc<R>,
    (seen, bodies): (Lines, Lines),
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    if let Some(length) = length {
        let mut body = vec![0; length.parse().unwrap()];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let body = String::from_utf8(body).unwrap();
        bodies.lock().unwrap().push(body);
    }
    seen.lock().unwrap().push(head);
    // The client may hang up in the middle, which is the point of some tests.
    let _ = answer(&mut stream, reply(&path)).await;
}

async fn answer(stream: &mut TcpStream, reply: Reply) -> io::Result<()> {
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Pieces(bytes, size) => {
            stream.set_nodelay(true)?;
            for piece in bytes.chunks(size) {
                stream.write_all(piece).await?;
                stream.flush().await?;
                tokio::task::yield_now().await;
            }
        }
        Reply::Stalls(bytes) => {
            stream.write_all(&bytes).await?;
            std::future::pending::<()>().await;
        }
        Reply::Drip(bytes, every) => {
            stream.write_all(&bytes).await?;
            loop {
                tokio::time::sleep(every).await;
                stream.write_all(b".").await?;
            }
        }
        Reply::Silence => std::future::pending().await,
    }
    stream.shutdown().await
}

/// A reply with a `Content-Length`. `headers` are whole lines, each with its `\r\n`.
pub fn reply(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Reply::Bytes([head.as_bytes(), body].concat())
}

pub fn redirect(to: &str) -> Reply {
    reply("302 Found", &format!("Location: {to}\r\n"), "")
}

/// Names with made-up addresses; whatever is dialled, the connection goes to `server`.
#[derive(Debug)]
pub struct MadeUpNetwork {
    server: SocketAddr,
    /// Answers by name, the first to the first look-up and so on; the last one stays.
    names: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub looked_up: Mutex<Vec<String>>,
    pub dialled: Mutex<Vec<SocketAddr>>,
}

impl MadeUpNetwork {
    /// `names` is a table of name and answers; an answer is a list of addresses with blanks.
    pub fn new(server: SocketAddr, names: &[(&str, &[&str])]) -> Arc<Self> {
        let addresses = |answer: &&str| {
            answer
                .split_whitespace()
                .map(|text| text.parse().unwrap())
                .collect()
        };
        let names = names
            .iter()
            .map(|(name, answers)| (name.to_string(), answers.iter().map(addresses).collect()));
        Arc::new(Self {
            server,
            names: Mutex::new(names.collect()),
            looked_up: Mutex::default(),
            dialled: Mutex::default(),
        })
    }
}

impl Network for MadeUpNetwork {
    fn lookup<'a>(&'a self, host: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            if host == "never.example.test" {
                return std::future::pending().await;
            }
            self.looked_up.lock().unwrap().push(host.to_owned());
            match self.names.lock().unwrap().get_mut(host) {
                Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
                Some(answers) => Ok(answers[0].clone()),
                None => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
            }
        })
    }

    fn route(&self, checked: SocketAddr) -> SocketAddr {
        self.dialled.lock().unwrap().push(checked);
        self.server
    }
}
