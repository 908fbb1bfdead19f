//! A WebSocket (RFC 6455) on sockets and TLS of our own.

use super::{AGENT, Dial, Message, Outgoing, Report, Reports, causes, network, protocol};
use crate::Kind;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use ghostlight_sync::{
    connection::{Failure, FailureClass},
    frame::SUBPROTOCOL,
    session::close,
};
use rustls::pki_types::ServerName;
use std::{future, io};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        error::{CapacityError, ProtocolError, SubProtocolError},
        http::{HeaderValue, StatusCode, header},
        protocol::{CloseFrame, WebSocketConfig},
    },
};
use url::Url;

/// Read at once, in bytes: a batch of events, and small beside the message limit.
const READ_BUFFER_BYTES: usize = 64 << 10;

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
        failure = read(from, reports) => failure,
        failure = write(to, outgoing, reports) => failure,
    }
}

type Opened = (WebSocketStream<Box<dyn Socket>>, Option<String>);

/// With our subprotocol where a hub may be; a server that knows none is asked again without.
async fn open(dial: &Dial, url: &Url) -> Result<Opened, Failure> {
    let offer = matches!(dial.kind, None | Some(Kind::Hub));
    match handshake(dial, url, offer).await {
        Err(Refusal::NoSubprotocol) => handshake(dial, url, false).await,
        other => other,
    }
    .map_err(|refusal| match refusal {
        Refusal::NoSubprotocol => protocol("the server insists on a subprotocol"),
        Refusal::Failure(failure) => failure,
    })
}

enum Refusal {
    NoSubprotocol,
    Failure(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

async fn handshake(dial: &Dial, url: &Url, offer: bool) -> Result<Opened, Refusal> {
    let bad = |e: &dyn std::error::Error| protocol(format!("{url}: {}", causes(e)));
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
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = READ_BUFFER_BYTES;
    config.max_message_size = Some(dial.max_frame_bytes);
    config.max_frame_size = Some(dial.max_frame_bytes);
    let socket = connect(dial, url).await?;
    let (socket, response) = client_async_with_config(request, socket, Some(config))
        .await
        .map_err(refused)?;
    let subprotocol = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    let subprotocol = subprotocol.and_then(|name| name.to_str().ok());
    Ok((socket, subprotocol.map(str::to_owned)))
}

fn refused(error: tungstenite::Error) -> Refusal {
    match error {
        tungstenite::Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol,
        )) => Refusal::NoSubprotocol,
        tungstenite::Error::Http(response) => {
            let status: StatusCode = response.status();
            let reason = status.canonical_reason().unwrap_or_default();
            super::status_failure(status.as_u16(), reason).into()
        }
        other => ended(other).into(),
    }
}

async fn connect(dial: &Dial, url: &Url) -> Result<Box<dyn Socket>, Failure> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(protocol(format!("{url} names no host")));
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let failed = |e: io::Error| network(format!("{host}:{port} cannot be reached: {e}"));
    let socket = TcpStream::connect((host, port)).await.map_err(failed)?;
    // Frames are small and wait for nobody.
    socket.set_nodelay(true).map_err(failed)?;
    if url.scheme() != "wss" {
        return Ok(Box::new(socket));
    }
    let unsafe_ = |e: &dyn std::error::Error| {
        network(format!(
            "no safe connection to {host}:{port}: {}",
            causes(e)
        ))
    };
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
    reports: &Reports,
) -> Failure {
    use tungstenite::Message as Frame;
    while let Some(frame) = socket.next().await {
        let report = match frame {
            Ok(Frame::Text(text)) => Report::Message(Message::Text(text.as_str().to_owned())),
            Ok(Frame::Binary(bytes)) => Report::Message(Message::Binary(bytes.to_vec())),
            Ok(Frame::Pong(nonce)) => match <[u8; 8]>::try_from(nonce.as_ref()) {
                Ok(nonce) => Report::Pong(u64::from_be_bytes(nonce)),
                Err(_) => Report::Alive,
            },
            Ok(Frame::Ping(_) | Frame::Frame(_)) => Report::Alive,
            Ok(Frame::Close(why)) => return closed(why),
            Err(error) => return ended(error),
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
            Outgoing::Message { id, .. } => Some(*id),
            Outgoing::Text(_) | Outgoing::Ping(_) => None,
        };
        let frame = match one {
            Outgoing::Text(text) | Outgoing::Message { text, .. } => {
                tungstenite::Message::text(text)
            }
            Outgoing::Ping(nonce) => {
                tungstenite::Message::Ping(nonce.to_be_bytes().to_vec().into())
            }
        };
        if socket.send(frame).await.is_err() {
            // Why it closed may still be on its way in; reading says it.
            return future::pending().await;
        }
        match sent {
            // Somebody waits for it.
            Some(id) => reports.tell(Report::Sent(id)).await,
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
        close::PROTOCOL => FailureClass::Protocol,
        _ => FailureClass::Network,
    };
    Failure { class, message }
}

fn ended(error: tungstenite::Error) -> Failure {
    use tungstenite::Error;
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => protocol(format!(
            "the server sent a message of {size} bytes, and the limit is {max_size}; nothing behind it can be \
             received until the limit is raised"
        )),
        Error::Io(e) => network(format!("the connection broke: {e}")),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => network("the connection broke without a good-bye"),
        other => protocol(format!("the server breaks the WebSocket protocol: {other}")),
    }
}
