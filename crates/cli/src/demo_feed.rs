//! `ghostlight demo-feed`: a hub with invented runs, to try the live parts by hand.

use crate::{
    Global,
    hub::{self, Signal, Signals},
    output::{Exit, fail, number},
};
use ghostlight_engine::host::wall_clock;
use ghostlight_hub::Hub;
use ghostlight_model::{Micros, StreamId};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Runs that are under way at the same time.
const RUNS: usize = 4;
/// How often events are published; what is due by then goes together.
const TICK: Duration = Duration::from_millis(20);
/// Events published at once at most: after a suspended machine wakes up, the rest is not made up for.
const BURST_MAX: u64 = 10_000;

/// Employers that do not exist.
const EMPLOYERS: [&str; 6] = [
    "Brumelle Energies",
    "Sandlark Robotics",
    "Harrowgate Tea Works",
    "Nordfjell Datasenter",
    "Quillfeather Press",
    "Ostrava Loom Collective",
];

/// A step of the invented pipeline.
struct Node {
    name: &'static str,
    /// How long it says it took, in milliseconds, give or take a half.
    typical_ms: u64,
    /// What it scores.
    score: &'static str,
    /// What it leaves behind.
    artifact: Option<&'static str>,
}

const NODES: [Node; 5] = [
    Node {
        name: "collect",
        typical_ms: 900,
        score: "coverage",
        artifact: Some("postings.jsonl"),
    },
    Node {
        name: "clean",
        typical_ms: 250,
        score: "well_formed",
        artifact: None,
    },
    Node {
        name: "match",
        typical_ms: 1_600,
        score: "precision",
        artifact: Some("matches.parquet"),
    },
    Node {
        name: "score",
        typical_ms: 700,
        score: "confidence",
        artifact: Some("scores.json"),
    },
    Node {
        name: "report",
        typical_ms: 120,
        score: "completeness",
        artifact: Some("report.html"),
    },
];

/// How fast, and how to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = rate)]
    rate: u32,
    #[command(flatten)]
    hub: hub::Serving,
}

fn rate(text: &str) -> Result<u32, String> {
    number(text, &(1..=100_000))
}

/// Without a data folder it uses one of its own, which goes when it ends.
pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let signals = Signals::install_with_hangup()?;
    let own = match global.data {
        Some(_) => None,
        None => Some(
            tempfile::tempdir()
                .map_err(|e| fail(Exit::Store, &format!("no temporary folder: {e}"), None))?,
        ),
    };
    let engine = match &own {
        Some(own) => global.engine_in(own.path())?,
        None => global.engine()?,
    };
    let (server, mut tokens) = hub::serve(global, engine.hub(), &args.hub)?;
    let is_over = || match signals.next(Some(TICK)) {
        Some(Signal::Stop) => true,
        Some(Signal::Hangup) => {
            tokens.reload(&server);
            false
        }
        None => {
            tokens.look(&server);
            false
        }
    };
    let result = publish(engine.hub(), args.rate, is_over);
    server.stop();
    result.map(|()| Exit::Done)
}

/// Publishes at `rate` until it is over; asked in between, which takes its time.
fn publish(hub: &Hub, rate: u32, mut is_over: impl FnMut() -> bool) -> Result<(), Exit> {
    let mut feed = Feed::new(wall_clock());
    let mut done = 0;
    let mut begun = Instant::now();
    while !is_over() {
        let due = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        if due - done > BURST_MAX {
            (begun, done) = (Instant::now(), 0);
            continue;
        }
        let mut bodies: BTreeMap<StreamId, Vec<String>> = BTreeMap::new();
        for _ in done..due {
            let (stream, body) = feed.next(wall_clock());
            bodies.entry(stream).or_default().push(body.to_string());
        }
        done = due;
        let sent: Vec<_> = bodies
            .into_iter()
            .map(|(stream, bodies)| hub.publish_keyed(feed.key(), stream, bodies, wall_clock()))
            .collect();
        for pending in sent {
            pending
                .wait()
                .map_err(|e| fail(Exit::Store, &e.to_string(), Some(e.hint())))?;
        }
    }
    Ok(())
}

/// Invents events; the same seed invents the same.
struct Feed {
    dice: Dice,
    /// Names this start's runs and keys apart from those of earlier ones on the same folder.
    name: String,
    runs: Vec<Run>,
    made: u64,
    keys: u64,
}

/// A run under way.
struct Run {
    id: String,
    employer: &'static str,
    node: usize,
    /// Whether its node has started.
    started: bool,
    /// How it ended, once only that is left to say.
    ended: Option<&'static str>,
}

impl Feed {
    fn new(seed: Micros) -> Self {
        let name = format!("demo-{:x}", seed.0);
        Self {
            dice: Dice(seed.0.unsigned_abs() | 1),
            name,
            runs: Vec::new(),
            made: 0,
            keys: 0,
        }
    }

    /// A key that was never used.
    fn key(&mut self) -> String {
        self.keys += 1;
        format!("{}/{}", self.name, self.keys)
    }

    /// The next event of one of the runs.
    fn next(&mut self, now: Micros) -> (StreamId, Value) {
        while self.runs.len() < RUNS {
            self.made += 1;
            self.runs.push(Run {
                id: format!("{}-{}", self.name, self.made),
                employer: EMPLOYERS[self.dice.below(EMPLOYERS.len() as u64) as usize],
                node: 0,
                started: false,
                ended: None,
            });
        }
        let at = self.dice.below(self.runs.len() as u64) as usize;
        let run = &mut self.runs[at];
        let stream = StreamId(format!("run/{}", run.id));
        let (body, over) = run.step(&mut self.dice, now);
        if over {
            self.runs.swap_remove(at);
        }
        (stream, body)
    }
}

impl Run {
    /// The next event, and whether it was the last.
    fn step(&mut self, dice: &mut Dice, now: Micros) -> (Value, bool) {
        if let Some(phase) = self.ended {
            // About the run as a whole: with it the run is over.
            let body = json!({"ts": now, "run_id": self.id, "node": "run", "phase": phase});
            return (body, true);
        }
        let node = &NODES[self.node];
        let mut body = json!({"ts": now, "run_id": self.id, "node": node.name});
        if !self.started {
            self.started = true;
            body["phase"] = json!("start");
            body["metrics"] =
                json!({"employer": self.employer, "expects": node.artifact.as_slice()});
            return (body, false);
        }
        self.started = false;
        body["duration_ms"] = json!(node.typical_ms / 2 + dice.below(node.typical_ms));
        // One in forty nodes fails, and its run with it.
        if dice.below(40) == 0 {
            body["phase"] = json!("fail");
            body["issues"] = json!([{
                "code": "source_gone", "severity": "error",
                "message": format!("The board of {} did not answer.", self.employer),
                "hint": "Try the run again later.",
            }]);
            self.ended = Some("fail");
            return (body, false);
        }
        body["phase"] = json!("end");
        let score = 0.5 + dice.below(500) as f64 / 1_000.0;
        let mut metrics = json!({"scores": {node.score: score}, "items": dice.below(400)});
        if let Some(artifact) = node.artifact {
            metrics["artifacts"] = json!([{
                "name": artifact, "version": 1 + dice.below(3),
                "uri": format!("demo://{}/{artifact}", self.id), "sha256": dice.digits(64),
            }]);
        }
        body["metrics"] = metrics;
        if score < 0.6 {
            body["issues"] = json!([{
                "code": "low_score", "severity": "warning",
                "message": format!("{} is low for {}.", node.score, self.employer),
            }]);
        }
        self.node += 1;
        self.ended = (self.node == NODES.len()).then_some("end");
        (body, false)
    }
}

/// Numbers that look random (xorshift64, Marsaglia 2003); nothing here needs better ones.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| format!("{:x}", self.below(16)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::EventBody;

    #[test]
    fn invented_runs_read_as_events_and_end() {
        let mut feed = Feed::new(Micros(1_700_000_000_000_000));
        let mut phases: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..2_000 {
            let (stream, body) = feed.next(Micros(5));
            let event: EventBody = serde_json::from_value(body).unwrap();
            assert_eq!(event.run_id.stream(), stream);
            *phases.entry(event.phase.word().to_owned()).or_default() += 1;
        }
        assert!(
            ["start", "end", "fail"]
                .iter()
                .all(|phase| phases[*phase] > 0),
            "{phases:?}"
        );
        assert!(feed.made > 100, "{} runs", feed.made);
        assert!(feed.key() != feed.key());
    }
}
