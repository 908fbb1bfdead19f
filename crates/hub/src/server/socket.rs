//! A WebSocket connection: one task that reads, writes, and keeps the time of its [`Driver`].

use super::{
    App,
    accept::Progress,
    board::Mailbox,
    driver::{Driver, Outgoing},
    principal::Ticket,
};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use ghostlight_sync::{
    frame::{ServerFrame, Trouble, code},
    session::{Input, Limits, close},
};
use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// Bytes read from the socket at once. Small, because ten thousand connections each keep such a buffer.
const READ_BUFFER_BYTES: usize = 1 << 10;
/// Bytes written to the socket at once: a replay of small events needs one system call for some dozen of them.
const WRITE_BATCH_BYTES: usize = 8 << 10;
/// Time for the last frames and the closing handshake; then the socket is dropped.
const CLOSING: Duration = Duration::from_secs(1);
/// Bytes read and thrown away after a message that is not taken, so that its sender gets to read why it is cut.
const DISCARD_BYTES_MAX: u64 = 64 << 20;
/// Notices of the driver's own that may wait; beyond, the peer does not read and is cut.
const NOTICES_MAX: usize = 16;

/// Frames up to the session's limit are taken, and somewhat longer ones refused without ending the connection.
pub(super) fn config(limits: &Limits) -> WebSocketConfig {
    let longest = Some(limits.max_frame_bytes.saturating_mul(2));
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BATCH_BYTES)
        .max_message_size(longest)
        .max_frame_size(longest)
}

/// Serves a connection after its handshake, to its end.
pub(super) async fn serve<S>(stream: S, app: Arc<App>, ticket: Arc<Ticket>, progress: Progress)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limits = app.config.limits;
    let socket =
        WebSocketStream::from_raw_socket(stream, Role::Server, Some(config(&limits))).await;
    let driver = Driver::open(&app, limits, ticket);
    let mailbox = driver.mailbox();
    Connection {
        socket,
        driver,
        mailbox,
        progress,
        in_flight: 0,
    }
    .run()
    .await;
}

struct Connection<S> {
    socket: WebSocketStream<S>,
    driver: Driver,
    mailbox: Arc<Mailbox>,
    progress: Progress,
    /// Bytes of frames given to the socket and not reported as written.
    in_flight: usize,
}

/// What the socket did.
enum Io {
    Got(Message),
    Flushed,
    Gone,
    /// It broke a rule of WebSockets, or sends what is too long; the close code says which.
    Broken(CloseCode, String),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self) {
        while self.driver.closing.is_none() {
            let wake = self.driver.wake();
            tokio::select! {
                io = poll_fn(|cx| poll(&mut self.socket, &mut self.driver.outgoing, &mut self.in_flight, cx)) => match io {
                    Io::Got(message) => {
                        self.report_progress();
                        if self.got(message).is_break() { return }
                    }
                    Io::Flushed => {
                        self.progress.moved();
                        self.written(self.in_flight);
                        if self.driver.outgoing.is_empty() {
                            // A broadcast must not leave ten thousand empty queues behind.
                            self.driver.outgoing = VecDeque::new();
                        }
                    }
                    Io::Gone => return,
                    Io::Broken(code, why) => return Box::pin(self.refuse(code, why)).await,
                },
                () = self.mailbox.arrived() => {
                    self.report_progress();
                    self.driver.mail();
                }
                () = tokio::time::sleep_until(wake) => {
                    self.report_progress();
                    self.driver.input(Input::Tick);
                }
            }
        }
        Box::pin(self.close()).await;
    }

    /// Part of a long frame on a slow link: the peer is taking it, and must not be cut for standing still.
    fn report_progress(&mut self) {
        let moved = self.progress.moved();
        self.written(moved);
    }

    fn written(&mut self, bytes: usize) {
        let bytes = bytes.min(self.in_flight);
        self.in_flight -= bytes;
        if bytes > 0 {
            self.driver.input(Input::Written(bytes));
        }
    }

    fn got(&mut self, message: Message) -> std::ops::ControlFlow<()> {
        match message {
            Message::Text(text) => self.driver.text(&text),
            // A sign of life as good as any; the library has answered the ping.
            Message::Ping(_) | Message::Pong(_) => {
                self.driver.text(r#"{"type":"pong","nonce":0}"#);
            }
            Message::Binary(bytes) => self.notice(
                code::MALFORMED,
                format!(
                    "a binary message of {} bytes; frames are JSON in text messages",
                    bytes.len()
                ),
            ),
            Message::Close(_) => {}
            Message::Frame(_) => return std::ops::ControlFlow::Break(()),
        }
        std::ops::ControlFlow::Continue(())
    }

    /// An `error` frame that the session does not know of.
    fn notice(&mut self, code: &str, message: String) {
        let waiting = self
            .driver
            .outgoing
            .iter()
            .filter(|one| !one.counted)
            .count();
        if waiting >= NOTICES_MAX {
            self.driver.closing = Some((close::SLOW_READER, code::SLOW_READER));
            return;
        }
        let frame = trouble(code, message, false);
        let (text, kind) = (frame.to_text(), frame.kind());
        self.driver.outgoing.push_back(Outgoing {
            text,
            kind,
            event: None,
            counted: false,
        });
    }

    /// Says why nothing more is read.
    async fn refuse(&mut self, close: CloseCode, why: String) {
        let code = match close {
            CloseCode::Size => code::TOO_LARGE,
            _ => code::MALFORMED,
        };
        let frame = trouble(code, why, true);
        let goodbye = async {
            self.socket.send(Message::text(frame.to_text())).await?;
            self.socket.send(closing(close.into(), code)).await
        };
        if let Ok(Ok(())) = tokio::time::timeout(CLOSING, goodbye).await {
            // Closing a socket with unread bytes would take back what was just sent.
            let mut rest = self.socket.get_mut().take(DISCARD_BYTES_MAX);
            let mut nowhere = tokio::io::sink();
            let discard = tokio::io::copy(&mut rest, &mut nowhere);
            let _ = tokio::time::timeout(CLOSING, discard).await;
        }
    }

    /// Sends what is left and the close frame, and waits for the peer's.
    async fn close(&mut self) {
        let Some((code, reason)) = self.driver.closing else {
            return;
        };
        if reason == code::SLOW_READER {
            // It does not read; the close frame is all it may find room for.
            self.driver.outgoing.clear();
        }
        let goodbye = async {
            for frame in std::mem::take(&mut self.driver.outgoing) {
                self.socket.feed(Message::text(frame.text)).await?;
            }
            self.socket.send(closing(code, reason)).await?;
            while let Some(message) = self.socket.next().await {
                message?;
            }
            Ok::<(), Error>(())
        };
        // Either way it is over.
        let _ = tokio::time::timeout(CLOSING, goodbye).await;
    }
}

fn trouble(code: &str, message: String, fatal: bool) -> ServerFrame {
    ServerFrame::Error(Trouble {
        code: code.to_owned(),
        message,
        fatal,
        id: None,
    })
}

fn closing(code: u16, reason: &'static str) -> Message {
    let code = CloseCode::from(code);
    Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }))
}

/// Writes as much as the socket takes, then reads. Nothing is lost if it is dropped while pending: what was taken from
/// `outgoing` is in the socket's buffer.
fn poll<S>(
    socket: &mut WebSocketStream<S>,
    outgoing: &mut VecDeque<Outgoing>,
    in_flight: &mut usize,
    cx: &mut Context<'_>,
) -> Poll<Io>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = Pin::new(socket);
    while *in_flight < WRITE_BATCH_BYTES && !outgoing.is_empty() {
        match socket.as_mut().poll_ready(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Io::Gone),
            Poll::Pending => break,
        }
        let Some(frame) = outgoing.pop_front() else {
            break;
        };
        if frame.counted {
            *in_flight += frame.text.len();
        }
        if socket
            .as_mut()
            .start_send(Message::text(frame.text))
            .is_err()
        {
            return Poll::Ready(Io::Gone);
        }
    }
    // Also what the library itself has to say: pongs, and the answer to a close.
    match socket.as_mut().poll_flush(cx) {
        Poll::Ready(Ok(())) if *in_flight > 0 => return Poll::Ready(Io::Flushed),
        Poll::Ready(Err(_)) => return Poll::Ready(Io::Gone),
        Poll::Ready(Ok(())) | Poll::Pending => {}
    }
    match socket.as_mut().poll_next(cx) {
        Poll::Ready(Some(Ok(message))) => Poll::Ready(Io::Got(message)),
        Poll::Ready(Some(Err(error))) => Poll::Ready(match error {
            Error::Capacity(_) => {
                let longest = socket.get_config().max_message_size;
                let longest = longest.unwrap_or(usize::MAX);
                let why = format!("a message of more than {longest} bytes is not read to its end");
                Io::Broken(CloseCode::Size, why)
            }
            Error::Utf8(_) => Io::Broken(CloseCode::Invalid, error.to_string()),
            // It went without a word, or spoke after the last one.
            Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake
                | ProtocolError::ReceivedAfterClosing
                | ProtocolError::SendAfterClosing,
            ) => Io::Gone,
            Error::Protocol(_) => Io::Broken(CloseCode::Protocol, error.to_string()),
            _ => Io::Gone,
        }),
        Poll::Ready(None) => Poll::Ready(Io::Gone),
        Poll::Pending => Poll::Pending,
    }
}
