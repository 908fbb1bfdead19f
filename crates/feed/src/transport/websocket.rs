//! A WebSocket (RFC 6455) on sockets and TLS of our own.

use super::{
    AGENT, Dial, MESSAGE_BYTES_MAX, Message, Outgoing, Report, Reports, causes, network, protocol,
    too_long, words,
};
use crate::Kind;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use ghostlight_sync::{
    connection::{Failure, FailureClass},
    frame::{SUBPROTOCOL, code},
    session::close,
};
use rustls::pki_types::ServerName;
use std::{future, io};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    sync::mpsc,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        client::IntoClientRequest,
        error::{CapacityError, ProtocolError},
        handshake::{
            client::{Response, generate_request},
            derive_accept_key,
            machine::TryParse,
        },
        http::{HeaderValue, StatusCode, header},
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};
use url::Url;

/// Read at once, in bytes: a batch of events, and small beside the message limit.
const READ_BUFFER_BYTES: usize = 64 << 10;
/// What waits for a server that does not read, in bytes: more than any frame of ours. Answers to its pings wait here too;
/// where there is no room, only the last one is remembered, as RFC 6455 allows (section 5.5.3).
const WRITE_BUFFER_BYTES_MAX: usize = 16 << 20;
/// Longest head of an answer to the handshake; a longer one ends the try.
const ANSWER_BYTES_MAX: usize = 16 << 10;

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// Runs until the connection ends; the answer says why.
pub(super) async fn run(
    dial: &Dial,
    outgoing: mpsc::Receiver<Outgoing>,
    reports: &Reports,
) -> Failure {
    let Some(url) = dial.endpoint.websocket(dial.kind) else {
        return protocol("this kind of feed has no WebSocket at an http address");
    };
    let (socket, subprotocol) = match open(dial, &url).await {
        Ok(opened) => opened,
        Err(failure) => return failure,
    };
    reports.tell(Report::Opened { subprotocol }).await;
    let (to, from) = socket.split();
    tokio::select! {
        failure = read(from, dial.max_frame_bytes, reports) => failure,
        failure = write(to, outgoing, reports) => failure,
    }
}

type Opened = (WebSocketStream<Box<dyn Socket>>, Option<String>);

/// Our subprotocol is offered where a hub may be. A server that chooses none is taken as well, on this connection: what
/// it sends at once is sent to nobody else.
async fn open(dial: &Dial, url: &Url) -> Result<Opened, Failure> {
    let bad = |e: &dyn std::error::Error| protocol(format!("{url}: {}", causes(e)));
    let offer = matches!(dial.kind, None | Some(Kind::Hub));
    let mut request = url.as_str().into_client_request().map_err(|e| bad(&e))?;
    let headers = request.headers_mut();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    if offer {
        let name = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    if let Some(token) = &dial.token {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.0));
        let mut value =
            value.map_err(|_| protocol("the token has characters that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    let (request, key) = generate_request(request).map_err(|e| bad(&e))?;
    let mut socket = connect(dial, url).await?;
    let place = words::place(url);
    let broke = |_| words::hung_up(&place);
    socket.write_all(&request).await.map_err(broke)?;
    socket.flush().await.map_err(broke)?;
    let (response, behind) = answer(&mut socket, &place).await?;
    let subprotocol = accepted(&response, &key, offer)?;
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = READ_BUFFER_BYTES;
    let most = MESSAGE_BYTES_MAX.max(dial.max_frame_bytes);
    config.max_message_size = Some(most);
    config.max_frame_size = Some(most);
    config.max_write_buffer_size = WRITE_BUFFER_BYTES_MAX;
    let socket =
        WebSocketStream::from_partially_read(socket, behind, Role::Client, Some(config)).await;
    Ok((socket, subprotocol))
}

/// The answer to the handshake, and what came behind it.
async fn answer(socket: &mut Box<dyn Socket>, place: &str) -> Result<(Response, Vec<u8>), Failure> {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES_MAX);
    loop {
        let read = socket.read_buf(&mut bytes).await;
        if read.map_err(|_| words::hung_up(place))? == 0 {
            return Err(words::hung_up(place));
        }
        match Response::try_parse(&bytes) {
            Ok(Some((size, response))) => {
                let behind = bytes.split_off(size);
                return Ok((response, behind));
            }
            Ok(None) if bytes.len() < ANSWER_BYTES_MAX => {}
            Ok(None) => {
                return Err(protocol(format!(
                    "the head of the server's answer is longer than {ANSWER_BYTES_MAX} bytes, which is the limit"
                )));
            }
            Err(error) => return Err(words::no_websocket(place, &error)),
        }
    }
}

/// The subprotocol that the server chose, if its answer opens a WebSocket (RFC 6455, section 4.1).
fn accepted(response: &Response, key: &str, offered: bool) -> Result<Option<String>, Failure> {
    let status: StatusCode = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(super::status_failure(status, response.headers()));
    }
    let header = |name| -> Option<&str> { response.headers().get(name)?.to_str().ok() };
    let says = |name, word: &str| {
        let mut words = header(name).unwrap_or_default().split(',');
        words.any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
        return Err(protocol(
            "the server switches to another protocol than WebSocket",
        ));
    }
    let expected = derive_accept_key(key.as_bytes());
    if header(header::SEC_WEBSOCKET_ACCEPT) != Some(expected.as_str()) {
        return Err(protocol("the server answers another handshake than ours"));
    }
    if let Some(extension) = header(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err(protocol(format!(
            "the server switches on {extension}, which was not asked for"
        )));
    }
    match header(header::SEC_WEBSOCKET_PROTOCOL) {
        None => Ok(None),
        Some(SUBPROTOCOL) if offered => Ok(Some(SUBPROTOCOL.to_owned())),
        Some(other) => Err(protocol(format!(
            "the server chose the subprotocol {other}, which was not offered"
        ))),
    }
}

async fn connect(dial: &Dial, url: &Url) -> Result<Box<dyn Socket>, Failure> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(protocol(format!("{url} names no host")));
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let place = words::place(url);
    let failed = |e: io::Error| words::unreached(&place, &e);
    let addresses = lookup_host((host, port)).await;
    let addresses: Vec<_> = addresses
        .map_err(|e| words::unknown_host(host, &e))?
        .collect();
    let socket = TcpStream::connect(&addresses[..]).await.map_err(failed)?;
    // Frames are small and wait for nobody.
    socket.set_nodelay(true).map_err(failed)?;
    if url.scheme() != "wss" {
        return Ok(Box::new(socket));
    }
    let unsafe_ = |e: &(dyn std::error::Error + 'static)| words::insecure(&place, e);
    let config = dial.tls.trusting().await.map_err(|e| unsafe_(&*e))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|e| unsafe_(&e))?;
    let connector = TlsConnector::from(std::sync::Arc::new(config));
    let socket = connector
        .connect(name, socket)
        .await
        .map_err(|e| unsafe_(&e))?;
    Ok(Box::new(socket))
}

async fn read(
    mut socket: impl Stream<Item = Result<tungstenite::Message, tungstenite::Error>> + Unpin,
    limit: usize,
    reports: &Reports,
) -> Failure {
    use tungstenite::Message as Frame;
    while let Some(frame) = socket.next().await {
        let report = match frame {
            Ok(Frame::Text(text)) if text.len() > limit => Report::Message(too_long(&text, limit)),
            Ok(Frame::Text(text)) => Report::Message(Message::Text(text.as_str().to_owned())),
            Ok(Frame::Binary(bytes)) => {
                // None is read; its beginning is what is kept.
                let kept = bytes.len().min(limit);
                Report::Message(Message::Binary(bytes[..kept].to_vec()))
            }
            Ok(Frame::Pong(nonce)) => match <[u8; 8]>::try_from(nonce.as_ref()) {
                Ok(nonce) => Report::Pong(u64::from_be_bytes(nonce)),
                Err(_) => Report::Alive,
            },
            Ok(Frame::Ping(_) | Frame::Frame(_)) => Report::Alive,
            Ok(Frame::Close(why)) => return closed(why),
            Err(error) => {
                // What is known of the message that ends the connection is remembered.
                let message = match &error {
                    tungstenite::Error::Utf8(_) => Some(Message::Garbled {
                        id: None,
                        bytes: Vec::new(),
                    }),
                    tungstenite::Error::Capacity(CapacityError::MessageTooLong {
                        size,
                        max_size,
                    }) => Some(Message::TooLong {
                        id: None,
                        place: None,
                        bytes: Vec::new(),
                        size: *size,
                        limit: *max_size,
                    }),
                    _ => None,
                };
                if let Some(message) = message {
                    reports.tell(Report::Message(message)).await;
                }
                return ended(error);
            }
        };
        reports.tell(report).await;
    }
    closed(None)
}

async fn write(
    mut socket: impl Sink<tungstenite::Message, Error = tungstenite::Error> + Unpin,
    mut outgoing: mpsc::Receiver<Outgoing>,
    reports: &Reports,
) -> Failure {
    while let Some(one) = outgoing.recv().await {
        let sent = match &one {
            Outgoing::Message { id, .. } => Some(Report::Sent(*id)),
            Outgoing::Ping { nonce, .. } => Some(Report::Pinged(*nonce)),
            Outgoing::Text(_) => None,
        };
        let frame = match one {
            Outgoing::Text(text)
            | Outgoing::Message { text, .. }
            | Outgoing::Ping {
                text: Some(text), ..
            } => tungstenite::Message::text(text),
            Outgoing::Ping { nonce, text: None } => {
                tungstenite::Message::Ping(nonce.to_be_bytes().to_vec().into())
            }
        };
        if socket.send(frame).await.is_err() {
            // Why it closed may still be on its way in; reading says it.
            return future::pending().await;
        }
        match sent {
            // Somebody waits for it.
            Some(report) => reports.tell(report).await,
            None => reports.hint(Report::Wrote),
        }
    }
    future::pending().await
}

fn closed(why: Option<CloseFrame>) -> Failure {
    let Some(why) = why else {
        return network("the server closed the connection");
    };
    let (code, reason) = (u16::from(why.code), why.reason.as_str());
    let message = format!("the server closed the connection ({code} {reason})");
    let class = match code {
        close::UNAUTHORIZED => FailureClass::Credentials,
        close::PROTOCOL if reason == code::VERSION => FailureClass::Version,
        close::PROTOCOL => FailureClass::Protocol,
        _ => FailureClass::Network,
    };
    Failure::new(class, message)
}

fn ended(error: tungstenite::Error) -> Failure {
    use tungstenite::Error;
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => protocol(format!(
            "the server sent a message of {size} bytes, and a connection ends at more than {max_size}; nothing behind \
             it can be received by a WebSocket"
        )),
        Error::Utf8(_) => protocol("the server sent a text message that is not UTF-8"),
        Error::Io(e) => network(format!("the connection broke: {e}")),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => network("the connection broke without a good-bye"),
        other => protocol(format!("the server breaks the WebSocket protocol: {other}")),
    }
}
