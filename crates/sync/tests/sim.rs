//! Client, server and a hostile network in one thread, from one seed, in simulated time.
//!
//! One seed decides the workload, the faults and every delay. At the end the faults stop, and within the bounds of
//! SPEC C2 and C3 what the client stored must be the server's log minus exactly the gaps that it recorded, and every
//! outbox entry applied once, in order.
//!
//! `GHOSTLIGHT_SEEDS=N` runs N seeds (10,000 unless set), `GHOSTLIGHT_SEED=S` replays one and prints its trace.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "sim/client.rs"]
mod client;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/net.rs"]
mod net;
#[path = "sim/oracle.rs"]
mod oracle;
#[path = "sim/server.rs"]
mod server;
#[path = "sim/world.rs"]
mod world;

use faults::How;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::{Stats, World};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 10_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64, trace: bool) -> Stats {
    let mut world = World::new(seed, trace);
    world.run();
    world.stats
}

/// Runs seeds 0 up to and without `seeds` on all cores.
///
/// # Errors
/// A seed that fails; why was printed by its panic.
fn run_all(seeds: u64) -> Result<Stats, u64> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let share = |first: usize| -> Result<Stats, u64> {
        let mut all = Stats::default();
        for seed in (first as u64..seeds).step_by(cores) {
            let run = catch_unwind(AssertUnwindSafe(|| run(seed, false)));
            all.add(&run.map_err(|_| seed)?);
        }
        Ok(all)
    };
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..cores)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        let mut all = Stats::default();
        for one in shares {
            all.add(&one.join().expect("panics are caught")?);
        }
        Ok(all)
    })
}

#[test]
fn nothing_is_lost_repeated_or_reordered() {
    if let Some(seed) = number("GHOSTLIGHT_SEED") {
        let stats = run(seed, true);
        println!("{stats:?}");
        return;
    }
    let seeds = number("GHOSTLIGHT_SEEDS").unwrap_or(SEEDS);
    let all = match run_all(seeds) {
        Ok(all) => all,
        Err(seed) => panic!(
            "seed {seed} fails; replay it with: \
             GHOSTLIGHT_SEED={seed} cargo test -p ghostlight-sync --test sim -- --nocapture"
        ),
    };
    println!("{seeds} seeds: {all:?}");
    if seeds >= SEEDS {
        for (name, count) in all.list() {
            assert!(
                count > 0,
                "{name} never happened in {seeds} seeds: the test proves less than it says"
            );
        }
    }
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [1, 77, 4_242] {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
}

/// Without this client for `seconds`; how much longer it took until everything was there, in ms.
fn absent(seconds: u64, how: How, seed: u64) -> u64 {
    let mut world = World::new(seed, false);
    world.script_absence(seconds * 1_000, how);
    world.play();
    let stats = world.stats;
    assert_eq!(
        (stats.offline, stats.gaps, stats.dropped),
        (1, 0, 0),
        "{how:?} {seed}"
    );
    assert!(stats.delivered >= 200, "{how:?} {seed}: {stats:?}");
    world.now - (5_000 + seconds * 1_000)
}

#[test]
fn an_absence_of_5_30_and_60_seconds_costs_nothing() {
    for seconds in [5, 30, 60] {
        for how in [How::Delayed, How::Silent, How::Told] {
            for seed in 0..60 {
                let late = absent(seconds, how, seed);
                // A connection that outlives it is gone on with at once.
                if how == How::Delayed && seconds == 5 {
                    assert!(late < 1_000, "{late} ms after {seconds} s, seed {seed}");
                }
            }
        }
    }
}

#[test]
fn offline_for_a_day_costs_nothing() {
    for how in [How::Silent, How::Told] {
        for seed in 0..20 {
            absent(86_400, how, seed);
        }
    }
}
