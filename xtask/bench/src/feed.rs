//! What a feed's client takes: `catch_up_1m_s` after an absence, `reconnect_*_ms` after a restart of the hub.
//!
//! The client is the one that the program and the window have ([`Watching`]), its database on the same disk; the hub
//! is a process of its own.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ghostlight_engine::feeds::{
    News, Options, Store, Watching,
    feed::{Endpoint, Kind, Secret, Settings, connection::State},
};
use ghostlight_model::{Micros, StreamId};

use crate::{
    Outcome, figure,
    program::{Hub, TOKEN},
};

/// Events missed.
const MISSED: u64 = 1_000_000;
/// Events there before, so that the client has a place to go on from.
const BEFORE: u64 = 1_000;
/// Runs that they belong to.
const RUNS: u64 = 8;
/// Events in one publish, which has them all or none.
const BATCH: u64 = 500;
/// Restarts of the hub.
const RESTARTS: usize = 20;
/// Clients that are there at each.
const CLIENTS: usize = 5;
/// How long a connection holds before the hub goes: over 5 s, so that each restart is one after quiet times and not one
/// of a series, for which a client waits longer and longer.
const HELD: Duration = Duration::from_secs(6);
/// How long the hub is away: long enough that the second or third try of most fails.
const DOWN: Duration = Duration::from_secs(1);
/// SPEC C2: in 95 of 100 cases, in ms.
const RECONNECT_P95_MS: f64 = 30_000.0;
/// SPEC C2: at worst, in ms.
const RECONNECT_MAX_MS: f64 = 36_000.0;
/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(180);

/// Prints how long a client takes for a million events that it missed, until they are on its disk.
///
/// # Errors
/// If there is no hub, a store cannot be used, or events do not come.
pub fn catch_up() -> Outcome<()> {
    let (ours, theirs) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let store = Store::open(ours.path(), |_| {})?;
    fill(theirs.path(), 0, BEFORE)?;
    let hub = Hub::start(theirs.path(), 0)?;
    let settings = settings(&hub)?;
    receive(&store, &settings, BEFORE)?;
    let port = hub.address.port();
    drop(hub);
    fill(theirs.path(), BEFORE, MISSED)?;
    let hub = Hub::start(theirs.path(), port)?;
    let took = receive(&store, &settings, MISSED)?.as_secs_f64();
    drop(hub);
    figure("catch_up_1m_s", took, "s", None);
    figure(
        "catch_up_events_per_s",
        (MISSED as f64 / took).round(),
        "events/s",
        None,
    );
    Ok(())
}

fn settings(hub: &Hub) -> Outcome<Settings> {
    let (endpoint, _) = Endpoint::parse(&hub.url())?;
    let mut settings = Settings::new(endpoint, Some(Secret(TOKEN.into())));
    settings.kind = Some(Kind::Hub);
    Ok(settings)
}

/// Publishes `count` events into a hub's folder.
fn fill(folder: &Path, from: u64, count: u64) -> Outcome<()> {
    let store = Store::open(folder, |_| {})?;
    let mut last = None;
    for first in (from..from + count).step_by(BATCH as usize) {
        let run = first / BATCH % RUNS;
        let bodies = (first..first + BATCH).map(|n| {
            format!(
                r#"{{"ts":{},"run_id":"run-{run}","node":"DETECT","phase":"end","duration_ms":{},"metrics":{{"rows":{n}}}}}"#,
                1_767_571_200_000_000 + n,
                n % 4_000
            )
        });
        let stream = StreamId(format!("run/run-{run}"));
        let now = Micros(1_767_571_200_000_000);
        let next = store.publish(format!("fill-{first}"), stream, bodies.collect(), now);
        // One transaction fills while the other is written.
        if let Some(last) = last.replace(next) {
            last.wait()?;
        }
    }
    if let Some(last) = last {
        last.wait()?;
    }
    Ok(())
}

/// The time until `count` new events are durable, from a standing start.
fn receive(store: &Store, settings: &Settings, count: u64) -> Outcome<Duration> {
    let begun = Instant::now();
    let watching = Watching::start(store, settings.clone(), Options::default())?;
    let mut stored = 0;
    while stored < count {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        match watching.next(Some(left)) {
            Some(News::Stored(some)) => stored += some.stored,
            Some(News::Failed(error)) => return Err(error.into()),
            Some(News::Ended(why)) => return Err(why.to_string().into()),
            Some(_) => {}
            None => return Err(format!("{stored} of {count} events came").into()),
        }
    }
    Ok(begun.elapsed())
}

/// Prints how long clients take to be connected again, from when the restarted hub accepts connections.
///
/// # Errors
/// If there is no hub, or a client does not come back.
pub fn reconnect() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut hub = Some(Hub::start(folder.path(), 0)?);
    let (mut clients, mut port) = (Vec::new(), 0);
    for _ in 0..CLIENTS {
        let hub = hub.as_ref().ok_or("no hub")?;
        port = hub.address.port();
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), |_| {})?;
        let mut watching = Watching::start(&store, settings(hub)?, Options::default())?;
        connected(&mut watching)?;
        clients.push((folder, store, watching));
    }
    let mut times = Vec::new();
    for _ in 0..RESTARTS {
        thread::sleep(HELD);
        drop(hub.take());
        thread::sleep(DOWN);
        hub = Some(Hub::start(folder.path(), port)?);
        let back = Instant::now();
        // Each is waited for by a thread, so that none is seen late because another one is.
        let took = thread::scope(|scope| {
            let waits: Vec<_> = clients
                .iter_mut()
                .map(|(.., watching)| {
                    scope.spawn(move || match connected(watching) {
                        Ok(()) => Ok(back.elapsed()),
                        Err(error) => Err(error.to_string()),
                    })
                })
                .collect();
            let took = waits
                .into_iter()
                .map(|wait| wait.join().unwrap_or_else(|_| Err("it panicked".into())));
            took.collect::<Result<Vec<_>, _>>()
        })?;
        times.extend(took.iter().map(|one| one.as_secs_f64() * 1e3));
    }
    drop(hub);
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]
    };
    figure("reconnect_p50_ms", at(0.5), "ms", None);
    let (p95, most) = (at(0.95), at(1.0));
    figure(
        "reconnect_p95_ms",
        p95,
        "ms",
        Some((RECONNECT_P95_MS, p95 <= RECONNECT_P95_MS)),
    );
    figure(
        "reconnect_max_ms",
        most,
        "ms",
        Some((RECONNECT_MAX_MS, most <= RECONNECT_MAX_MS)),
    );
    Ok(())
}

/// Waits until a client is connected, after it was not.
fn connected(watching: &mut Watching) -> Outcome<()> {
    let begun = Instant::now();
    let mut was_away = false;
    loop {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        match watching.next(Some(left)) {
            Some(News::Status(status)) if status.state != State::Connected => was_away = true,
            Some(News::Status(_)) if was_away => return Ok(()),
            Some(News::Ended(why)) => return Err(why.to_string().into()),
            Some(News::Failed(error)) => return Err(error.into()),
            Some(_) => {}
            None => return Err("a client did not come back".into()),
        }
    }
}
