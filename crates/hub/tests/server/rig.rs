//! A server on a folder of its own, and a client that speaks JSON. Everything that waits has a bound.

use futures_util::{SinkExt, StreamExt};
use ghostlight_hub::{
    Hub,
    server::{Config, Limits, Server, Token},
};
use ghostlight_model::{Micros, StreamId};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{future::Future, net::SocketAddr, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
    },
};

pub const TOKEN: &str = "a-token-for-tests-0001";

/// What is waited for longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not come"),
    }
}

pub struct Rig {
    pub hub: Hub,
    pub server: Option<Server>,
    pub address: SocketAddr,
    _folder: TempDir,
}

/// Events are stored at this time, and epochs begin with it.
pub fn clock() -> Micros {
    Micros(1_700_000_000_000_000)
}

impl Rig {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(|config| change(&mut config.limits))
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path()).unwrap();
        let mut config = Config::new(
            ([127, 0, 0, 1], 0).into(),
            Token::new(TOKEN).unwrap(),
            clock,
        );
        change(&mut config);
        let server = Server::start(hub.clone(), config).unwrap();
        let address = server.address();
        Self {
            hub,
            server: Some(server),
            address,
            _folder: folder,
        }
    }

    /// Publishes past the sockets.
    pub fn put(&self, stream: &str, key: &str, bodies: &[&str]) {
        let bodies = bodies.iter().map(|body| (*body).to_owned()).collect();
        let stream = StreamId(stream.to_owned());
        self.hub
            .publish_keyed(key.to_owned(), stream, bodies, clock())
            .wait()
            .unwrap();
    }

    /// Publishes the numbers `range` as bodies `{"n":…}`, each by itself.
    pub fn count(&self, stream: &str, range: std::ops::Range<u32>) {
        for n in range {
            self.put(
                stream,
                &format!("{stream} {n}"),
                &[&format!(r#"{{"n":{n}}}"#)],
            );
        }
    }

    pub async fn connect(&self) -> Client {
        self.dial(&[("sec-websocket-protocol", "ghostlight.v1")])
            .await
            .unwrap()
    }

    pub async fn dial(&self, headers: &[(&str, &str)]) -> Result<Client, tungstenite::Error> {
        let mut request = format!("ws://{}/v1", self.address).into_client_request()?;
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(self.address).await?;
        let (socket, response) = soon("the handshake", client_async(request, stream)).await?;
        let protocol = response.headers().get("sec-websocket-protocol");
        let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
        Ok(Client { socket, protocol })
    }

    /// A client that was greeted.
    pub async fn client(&self) -> Client {
        let mut client = self.connect().await;
        client
            .send(json!({"type": "hello", "version": 1, "token": TOKEN, "client": "test"}))
            .await;
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    pub async fn http(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        soon(path, sender.send_request(request)).await.unwrap()
    }

    /// With the token.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        json_of(
            self.http(
                "GET",
                path,
                &[("authorization", &format!("Bearer {TOKEN}"))],
                "",
            )
            .await,
        )
        .await
    }

    /// With the token.
    pub async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        json_of(
            self.http(
                "POST",
                path,
                &[("authorization", &format!("Bearer {TOKEN}"))],
                body,
            )
            .await,
        )
        .await
    }
}

pub async fn json_of(response: Response<Incoming>) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = soon("the body", response.into_body().collect())
        .await
        .unwrap()
        .to_bytes();
    let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{bytes:?}"));
    (status, value)
}

pub struct Client<S = TcpStream> {
    pub socket: WebSocketStream<S>,
    /// What the server chose.
    pub protocol: Option<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn send(&mut self, frame: Value) {
        self.text(&frame.to_string()).await;
    }

    pub async fn text(&mut self, text: &str) {
        soon(
            "room to write",
            self.socket.send(Message::text(text.to_owned())),
        )
        .await
        .unwrap();
    }

    pub async fn subscribe(&mut self, id: u64, stream: &str, from: Option<(u64, u64)>) {
        let mut frame = json!({"type": "subscribe", "id": id, "stream": stream});
        if let Some((epoch, offset)) = from {
            frame["from"] = json!({"epoch": epoch, "offset": offset});
        }
        self.send(frame).await;
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Ok(frame) => frame,
            Err(closed) => panic!("closed instead: {closed:?}"),
        }
    }

    /// The next frame, or how the server closed.
    pub async fn frame(&mut self) -> Result<Value, Option<(u16, String)>> {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| (frame.code.into(), frame.reason.to_string())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Frames up to the first of this type, that one included.
    pub async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.next().await);
            if frames.last().unwrap()["type"] == kind {
                return frames;
            }
        }
    }

    /// Skips to the first of this type.
    pub async fn skip_to(&mut self, kind: &str) -> Value {
        self.until(kind).await.pop().unwrap()
    }

    /// How the server closed; frames before it are skipped.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            if let Err(closed) = self.frame().await {
                return closed;
            }
        }
    }
}

/// `(offset, n)` of the events among frames.
pub fn events(frames: &[Value]) -> Vec<(u64, u64)> {
    let events = frames.iter().filter(|frame| frame["type"] == "event");
    events
        .map(|event| {
            (
                event["offset"].as_u64().unwrap(),
                event["body"]["n"].as_u64().unwrap(),
            )
        })
        .collect()
}
