//! Tokens that are refused, expire in mid-stream and are renewed: a real hub on a real socket, and a client that asks
//! for its token again.
#![allow(clippy::unwrap_used, reason = "tests")]

use ghostlight_engine::{
    feeds::{
        FeedEntry, News, Options, Store, Tokens, Watching,
        feed::{
            Ended, Endpoint, Kind, Secret, Settings,
            backoff::Backoff,
            connection::{State, Transport, Transports},
        },
    },
    host::wall_clock,
};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, Token},
};
use ghostlight_model::StreamId;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than anything here takes; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);
const STREAM: &str = "run/1";

/// Where the token is kept: each answer in its turn, the last one for ever.
struct Kept {
    answers: Mutex<VecDeque<Result<Option<Secret>, String>>>,
    asked: Mutex<usize>,
}

impl Kept {
    fn new(answers: &[Result<&str, &str>]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| match answer {
            Ok(token) => Ok(Some(Secret((*token).into()))),
            Err(why) => Err((*why).to_owned()),
        });
        Arc::new(Self {
            answers: Mutex::new(answers.collect()),
            asked: Mutex::default(),
        })
    }

    /// What is answered from now on.
    fn renew(&self, token: &str) {
        *self.answers.lock().unwrap() = VecDeque::from([Ok(Some(Secret(token.into())))]);
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl Tokens for Kept {
    fn token(&self) -> Result<Option<Secret>, String> {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            0 | 1 => answers.front().cloned().unwrap_or(Ok(None)),
            _ => answers.pop_front().unwrap(),
        }
    }
}

struct Rig {
    hub: Hub,
    server: Server,
    store: Store,
    settings: Settings,
    published: u64,
    _folders: [TempDir; 2],
}

impl Rig {
    fn new(token: &str) -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let hub = Hub::open(folders[0].path()).unwrap();
        let config = Config::new(([127, 0, 0, 1], 0).into(), good(token), wall_clock);
        let server = Server::start(hub.clone(), config).unwrap();
        let store = Store::open(folders[1].path(), |_| {}).unwrap();
        let url = format!("{}?stream={STREAM}", server.url());
        let (endpoint, _) = Endpoint::parse(&url).unwrap();
        let mut settings = Settings::new(endpoint, None);
        settings.kind = Some(Kind::Hub);
        settings.connection.backoff = Backoff::new(1, 1.0, 4).unwrap();
        Self {
            hub,
            server,
            store,
            settings,
            published: 0,
            _folders: folders,
        }
    }

    fn watch(&self, kept: &Arc<Kept>) -> Watching {
        let options = Options {
            tokens: Some(kept.clone()),
            ..Options::default()
        };
        Watching::start(&self.store, self.settings.clone(), options).unwrap()
    }

    fn publish(&mut self, count: u64) {
        for _ in 0..count {
            let body = format!(r#"{{"n":{}}}"#, self.published);
            let (key, stream) = (format!("k{}", self.published), StreamId(STREAM.into()));
            let done = self
                .hub
                .publish_keyed(key, stream, vec![body], wall_clock());
            done.wait().unwrap();
            self.published += 1;
        }
    }

    /// Each event once, in order, and no gap.
    fn assert_complete(&self) {
        let feed = self.settings.endpoint.feed_id(Kind::Hub);
        let mut bodies = Vec::new();
        let mut after = 0;
        loop {
            let page = self.store.feed_log(&feed, after, 512).unwrap();
            if page.is_empty() {
                break;
            }
            for entry in page {
                match entry {
                    FeedEntry::Event { seq, event, .. } => {
                        after = seq;
                        bodies.push(event.body);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        let expected = (0..self.published).map(|n| format!(r#"{{"n":{n}}}"#));
        assert_eq!(bodies, expected.collect::<Vec<_>>());
    }
}

fn good(token: &str) -> Token {
    Token::new(token).unwrap()
}

/// Takes news until `done` says so; a state that the client was in is told each time.
fn until(watching: &Watching, what: &str, mut done: impl FnMut(&News) -> bool) {
    let begun = Instant::now();
    loop {
        match watching.next(Some(LIMIT.saturating_sub(begun.elapsed()))) {
            Some(news) if done(&news) => return,
            Some(news @ (News::Ended(_) | News::Failed(_))) => panic!("{what}: {news:?}"),
            Some(_) => {}
            None => panic!("waited for {what}"),
        }
    }
}

/// Waits until so many events more are durable; no state may be among `never`.
fn stored(watching: &Watching, mut count: u64, never: &[State]) {
    until(watching, &format!("{count} events"), |news| {
        match news {
            News::Stored(stored) => count -= stored.stored,
            News::Status(status) => assert!(!never.contains(&status.state), "{status:?}"),
            _ => {}
        }
        count == 0
    });
}

#[test]
fn a_token_renewed_where_it_is_kept_is_used_and_nothing_is_lost() {
    for transport in [Transport::WebSocket, Transport::Sse, Transport::LongPoll] {
        let token = |n: u32| format!("the-token-number-{n:04}");
        let mut rig = Rig::new(&token(0));
        rig.settings.connection.transports = Transports::only(transport);
        let kept = Kept::new(&[Ok(&token(0))]);
        let watching = rig.watch(&kept);
        rig.publish(10);
        stored(&watching, 10, &[State::Refused]);
        for n in 0..5 {
            // In mid-stream: before, while and after the old one is cut.
            rig.publish(10);
            rig.server.allow(good(&token(n + 1)));
            kept.renew(&token(n + 1));
            rig.publish(10);
            rig.server.revoke(&good(&token(n)));
            rig.publish(10);
            stored(&watching, 30, &[State::Refused, State::Disconnected]);
        }
        // At the start, and once for each that was refused.
        assert_eq!(kept.asked(), 6, "{transport:?}");
        rig.assert_complete();
    }
}

/// A JSON Web Token that expires so many seconds from now; its signature is none, and the hub does not look.
fn web_token(name: &str, lives_s: u64) -> String {
    let now = u64::try_from(wall_clock().0).unwrap() / 1_000_000;
    let claims = format!(r#"{{"name":"{name}","exp":{}}}"#, now + lives_s);
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in claims.as_bytes().chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (n, byte)| {
            bits | u32::from(*byte) << (16 - 8 * n)
        });
        for n in 0..=three.len() {
            text.push(digits[(bits >> (18 - 6 * n)) as usize & 63].into());
        }
    }
    format!("e30.{text}.c2lnbmF0dXJl")
}

#[test]
fn a_token_is_renewed_before_it_expires_without_a_new_connection() {
    // Asked for at half of its life, since that is shorter than the usual minute before.
    let (old, new) = (web_token("old", 2), web_token("new", 3_600));
    let mut rig = Rig::new(&old);
    rig.settings.connection.transports = Transports::only(Transport::WebSocket);
    rig.server.allow(good(&new));
    let kept = Kept::new(&[Ok(&old), Ok(&new)]);
    let watching = rig.watch(&kept);
    rig.publish(3);
    stored(&watching, 3, &[]);
    let begun = Instant::now();
    while rig.server.connections_of(&good(&new)) == 0 {
        assert!(begun.elapsed() < LIMIT, "no renewal");
        thread::sleep(Duration::from_millis(5));
    }
    // The same connection is the new token's, and outlives the old one.
    rig.server.revoke(&good(&old));
    rig.publish(3);
    let others = [
        State::Reconnecting,
        State::Connecting,
        State::Refused,
        State::Disconnected,
    ];
    stored(&watching, 3, &others);
    assert_eq!((kept.asked(), rig.server.sessions()), (2, 1));
    rig.assert_complete();
}

#[test]
fn without_another_token_a_refusal_is_the_end_and_is_told() {
    let (right, wrong) = ("the-right-token-0001", "the-wrong-token-0001");
    for (answers, asked, why) in [
        // The same again.
        (vec![Ok(wrong)], 2, "unauthorized"),
        // Others, none of them good: not for ever.
        (
            vec![
                Ok(wrong),
                Ok("wrong-token-0002"),
                Ok("wrong-token-0003"),
                Ok("wrong-token-0004"),
                Ok("x"),
            ],
            4,
            "unauthorized",
        ),
        // It cannot be had any more.
        (
            vec![Ok(wrong), Err("the keychain is locked")],
            2,
            "the keychain is locked",
        ),
    ] {
        let rig = Rig::new(right);
        let kept = Kept::new(&answers);
        let watching = rig.watch(&kept);
        let mut was_told = false;
        until(&watching, "the end", |news| match news {
            News::Status(status) if status.state == State::Refused => {
                was_told = true;
                false
            }
            News::Ended(Ended::Refused(said)) => {
                assert!(was_told && said.to_lowercase().contains(why), "{said}");
                assert!(!said.contains(wrong), "{said}");
                true
            }
            _ => false,
        });
        assert_eq!(kept.asked(), asked, "{answers:?}");
    }
    // None from the beginning: nothing is tried.
    let rig = Rig::new(right);
    let watching = rig.watch(&Kept::new(&[Err("the keychain is locked")]));
    until(
        &watching,
        "the end",
        |news| matches!(news, News::Ended(Ended::Token(why)) if why == "the keychain is locked"),
    );
    assert_eq!(rig.server.sessions(), 0);
}
