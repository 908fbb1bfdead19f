//! Histories at scale (SPEC E6): what a window asks of a posting's history in a data folder with many field changes; how
//! fast branches are merged; bundles of a thousand postings. One JSON object a figure.
//!
//! The folder is made by `ghostlight-seed`, or named by `--data`; with ten million changes:
//! `cargo xtask seed --rows 10000000`, then `cargo run --release -p ghostlight-bench -- --data target/seed-10000000
//! history`. Each question is asked as the window asks it: of many random postings, each asked for the first time; of the
//! one with the longest history again and again; and of that one by an engine that has just been opened and knows nothing
//! yet (`cold`). `value` is the 99th percentile of the worst of the three, in milliseconds; each stands beside it, and of
//! the long history how much of it was this thread's own work (`work`). The system's cache holds the files, as the figure
//! before has read them. Comparing and blaming stand beside a peer: the work of the same answer from all of the posting's
//! commits, read and folded; `ratio` is that by the median of the cold answers' work.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    path::Path,
    sync::Arc,
    time::Instant,
};

use ghostlight_api::{
    ViewData, ViewQuery,
    view::{PostingOrder, Range, Subject, TimelineFilter, VersionRow},
};
use ghostlight_engine::{
    Engine, Hooks, Host,
    export::{Cancel, Target, Watch},
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId, Source,
    commit::{AuthorId, Commit},
    export::Filter,
    history::{Dag, compare},
};
use ghostlight_seed::{Dice, Plan, fill};
use ghostlight_store::{MergeRequest, NewBranch, PersonChange, Store, history::MergeChoice};

use crate::{Options, Outcome, figure};

/// SPEC E6, in ms.
const QUERY_MS_MAX: f64 = 50.0;
/// Random postings that are asked.
const POSTINGS: usize = 400;
/// How often the posting with the longest history is asked: the 99th percentile is not the one time that somebody else
/// had the processor.
const ROUNDS: usize = 200;
/// How often each question about it is the first one.
const COLD_ROUNDS: usize = 100;
/// How often the peers answer; their median counts.
const PEER_ROUNDS: usize = 3;
/// Rows of a page, as the window asks for them.
const PAGE: u32 = 100;
/// Postings that are merged.
const MERGES: usize = 500;
/// Postings of the bundle.
const BUNDLED: u64 = 1_000;

/// A shell without a window.
pub(crate) struct Shell;
impl Host for Shell {}

/// Prints the figures.
///
/// # Errors
/// If the data cannot be made or read.
pub fn measure(options: &Options) -> Outcome<()> {
    let own = tempfile::tempdir()?;
    let made = own.path().join("data");
    let folder = options.data.as_deref().unwrap_or(&made);
    if options.data.is_none() {
        let begun = Instant::now();
        let plan = Plan {
            rows: options.rows,
            seed: 1,
        };
        let done = fill(folder, plan, &mut |p| {
            eprintln!("{:>10} of {} changes", p.rows, options.rows)
        })?;
        figure(
            "seed_changes_per_s",
            done.rows as f64 / begun.elapsed().as_secs_f64(),
            "changes/s",
            None,
        );
    }
    let engine = Engine::open(folder, Arc::new(Shell), Hooks::default())?;
    let size = size(&engine)?;
    queries(folder, &engine, &size, "")?;
    bundles(&engine, own.path())?;
    merges(&engine)
}

/// What the postings list shows from `start` on.
fn listed(engine: &Engine, start: u32, len: u32) -> Outcome<(u32, Vec<PostingId>)> {
    let order = PostingOrder::Title;
    match engine.view(&ViewQuery::Postings {
        order,
        range: Range { start, len },
    }) {
        ViewData::Postings(page) => Ok((
            page.total,
            page.rows.iter().map(|row| row.posting).collect(),
        )),
        other => Err(format!("no postings: {other:?}").into()),
    }
}

/// How much there is.
pub(crate) struct Size {
    postings: u32,
    commits: u64,
    /// The posting with the longest history of all, and its versions: in a folder of `ghostlight-seed`, the first one made.
    longest: (u32, PostingId),
}

pub(crate) fn size(engine: &Engine) -> Outcome<Size> {
    let (postings, _) = listed(engine, 0, 1)?;
    let (mut commits, mut best): (u64, Option<(u32, PostingId)>) = (0, None);
    for start in (0..postings).step_by(500) {
        for posting in listed(engine, start, 500)?.1 {
            let versions = engine.hub().store().history(posting, 0, 1)?.total;
            commits += u64::from(versions);
            best = best.max(Some((versions, posting)));
        }
    }
    let longest = best.ok_or("the folder holds no posting")?;
    eprintln!(
        "{postings} postings with {commits} commits; the longest history has {} versions",
        longest.0
    );
    Ok(Size {
        postings,
        commits,
        longest,
    })
}

/// By question milliseconds on the clock, and of those the thread's own: the rest is others' on a machine that is shared.
#[derive(Default)]
struct Times(BTreeMap<&'static str, (Vec<f64>, Vec<f64>)>);

impl Times {
    fn ask(&mut self, engine: &Engine, name: &'static str, query: ViewQuery) -> Outcome<ViewData> {
        let (begun, worked) = (Instant::now(), thread_ms());
        let data = engine.view(&query);
        let (took, worked) = (begun.elapsed().as_secs_f64() * 1e3, thread_ms() - worked);
        let (clock, work) = self.0.entry(name).or_default();
        clock.push(took);
        work.push(worked);
        match data {
            ViewData::Failed(error) => Err(format!("{query:?}: {error:?}").into()),
            data => Ok(data),
        }
    }

    fn clock(&self, name: &str, of_100: usize) -> f64 {
        Self::percentile(self.0.get(name).map(|times| &times.0), of_100)
    }

    fn work(&self, name: &str, of_100: usize) -> f64 {
        Self::percentile(self.0.get(name).map(|times| &times.1), of_100)
    }

    fn percentile(times: Option<&Vec<f64>>, of_100: usize) -> f64 {
        let mut times = times.cloned().unwrap_or_default();
        times.sort_by(f64::total_cmp);
        let place = (times.len() * of_100).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Prints how long each question takes, its name behind `prefix`.
pub(crate) fn queries(folder: &Path, engine: &Engine, size: &Size, prefix: &str) -> Outcome<()> {
    let (mut dice, (versions, longest)) = (Dice::of(7, 0), size.longest);
    let (mut random, mut long) = (Times::default(), Times::default());
    for _ in 0..POSTINGS {
        let start = dice.below(size.postings as usize) as u32;
        for posting in listed(engine, start, 1)?.1 {
            for question in questions(engine, posting, &mut dice)? {
                random.ask(engine, question.0, question.1)?;
            }
        }
    }
    for _ in 0..ROUNDS {
        for question in questions(engine, longest, &mut dice)? {
            long.ask(engine, question.0, question.1)?;
        }
    }
    let cold = cold(folder, engine, longest)?;
    let peers = peers(engine, longest)?;
    for name in long.0.keys() {
        let round = |ms: f64| (ms * 1e3).round() / 1e3;
        let p99 = |times: &Times| round(times.clock(name, 99));
        let p50 = |times: &Times| round(times.clock(name, 50));
        let worst = [&random, &long, &cold].into_iter().map(p99);
        let worst = worst.fold(0.0, f64::max);
        let mut told = serde_json::json!({
            "name": format!("{prefix}{name}"), "value": worst, "unit": "ms",
            "random_p50": p50(&random), "random_p99": p99(&random),
            "longest_p50": p50(&long), "longest_p99": p99(&long),
            "cold_p50": p50(&cold), "cold_p99": p99(&cold),
            "longest_work_p99": round(long.work(name, 99)), "cold_work_p99": round(cold.work(name, 99)),
            "postings": size.postings, "commits": size.commits, "longest": versions,
            "goal": QUERY_MS_MAX, "ok": worst <= QUERY_MS_MAX,
        });
        if let Some(ms) = peers.get(name) {
            told["peer"] = "all commits read and folded".into();
            told["peer_value"] = round(*ms).into();
            told["ratio"] = round(ms / cold.work(name, 50)).into();
        }
        println!("{told}");
    }
    Ok(())
}

/// Each question about one posting as the first one that an engine is asked.
fn cold(folder: &Path, engine: &Engine, posting: PostingId) -> Outcome<Times> {
    let (mut times, mut dice) = (Times::default(), Dice::of(9, 0));
    for round in 0..COLD_ROUNDS {
        let all = questions(engine, posting, &mut dice)?;
        let names: BTreeSet<&str> = all.iter().map(|(name, _)| *name).collect();
        for name in names {
            let of_name = all.iter().filter(|question| question.0 == name);
            let of_name: Vec<_> = of_name.collect();
            let (name, query) = of_name[round % of_name.len()].clone();
            let fresh = Engine::open(folder, Arc::new(Shell), Hooks::default())?;
            times.ask(&fresh, name, query)?;
        }
    }
    Ok(times)
}

/// What this thread has worked so far, in milliseconds; 0 where nobody says.
fn thread_ms() -> f64 {
    #[cfg(unix)]
    {
        let worked = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        worked.tv_sec as f64 * 1e3 + worked.tv_nsec as f64 / 1e6
    }
    #[cfg(not(unix))]
    0.0
}

/// Milliseconds of work for the same answers from all commits, by question.
fn peers(engine: &Engine, posting: PostingId) -> Outcome<BTreeMap<&'static str, f64>> {
    let store = engine.hub().store();
    let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for _ in 0..PEER_ROUNDS {
        let begun = thread_ms();
        let all = store.history(posting, 0, u32::MAX)?.rows;
        let dag = Dag::new(all.into_iter().map(|commit| (commit.id(), commit)));
        let read = thread_ms() - begun;
        let mut took = |name, begun: f64| {
            times
                .entry(name)
                .or_default()
                .push(read + thread_ms() - begun);
        };
        let begun = thread_ms();
        let line: Vec<CommitId> = dag.commits().map(|(id, _)| id).collect();
        let middle = line[line.len() / 2];
        black_box(compare(
            &dag.state(&[middle]),
            &dag.state(&line[line.len() - 1..]),
        ));
        took("compare_ms", begun);
        let begun = thread_ms();
        let by = |commit: &Commit| commit.changes.iter().any(|c| c.field == FieldKey::Title);
        black_box(dag.commits().filter(|(_, commit)| by(commit)).count());
        took("blame_ms", begun);
    }
    let medians = times.into_iter();
    Ok(medians
        .map(|(name, times)| (name, crate::median(times)))
        .collect())
}

/// All that a window asks of one posting's history, by the name of the figure.
fn questions(
    engine: &Engine,
    posting: PostingId,
    dice: &mut Dice,
) -> Outcome<Vec<(&'static str, ViewQuery)>> {
    let page = |filter: TimelineFilter, start: u32| ViewQuery::Timeline {
        posting,
        filter,
        range: Range { start, len: PAGE },
    };
    // What is asked for is known without asking for a whole history, so that the first question is the first one.
    let all = TimelineFilter::default();
    let (total, first) = timeline(engine.view(&page(all.clone(), 0)))?;
    let middle = dice.below(total as usize) as u32;
    let (_, deep) = timeline(engine.view(&page(all.clone(), middle)))?;
    let before = deep.first().map(|row| row.at);
    let branches = engine.hub().store().branches(posting)?;
    let filters = [
        TimelineFilter {
            author: first.first().map(|row| row.author_id.clone()),
            ..all.clone()
        },
        TimelineFilter {
            source: Some(Source::User),
            ..all.clone()
        },
        TimelineFilter {
            source: Some(Source::Parsing),
            ..all.clone()
        },
        TimelineFilter {
            from: before,
            ..all.clone()
        },
        TimelineFilter {
            before,
            ..all.clone()
        },
        TimelineFilter {
            branch: branches.first().map(|branch| branch.name.clone()),
            ..all.clone()
        },
    ];
    let mut asked = vec![
        (
            "open_posting_ms",
            ViewQuery::Card(Subject::Posting(posting)),
        ),
        ("branches_ms", ViewQuery::Branches(posting)),
        ("timeline_page_ms", page(all.clone(), 0)),
        ("timeline_page_ms", page(all.clone(), middle)),
    ];
    asked.extend(filters.map(|filter| ("timeline_filtered_ms", page(filter, 0))));
    for field in [FieldKey::Title, FieldKey::Salary] {
        let blame = TimelineFilter {
            field: Some(field),
            ..all.clone()
        };
        asked.push(("blame_ms", page(blame.clone(), 0)));
        // Deep in it: a field is one of a dozen that change.
        asked.push((
            "blame_ms",
            page(blame, dice.below(total as usize / 12 + 1) as u32),
        ));
    }
    if let (Some(after), Some(before)) = (first.first(), deep.last()) {
        let (before, after) = (before.id, after.id);
        let compare = ViewQuery::Compare {
            posting,
            before,
            after,
        };
        asked.push(("compare_ms", compare));
    }
    Ok(asked)
}

fn timeline(data: ViewData) -> Outcome<(u32, Vec<VersionRow>)> {
    match data {
        ViewData::Timeline(page) => Ok((page.total, page.rows)),
        other => Err(format!("no timeline: {other:?}").into()),
    }
}

/// A thousand postings into a bundle, and out of it into an empty folder.
fn bundles(engine: &Engine, folder: &Path) -> Outcome<()> {
    let target = Target {
        path: folder.join("postings.ghostlight.zip"),
        overwrite: true,
    };
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    let begun = Instant::now();
    let (written, counts) = engine
        .export_bundle(&Filter::default(), Some(BUNDLED), &target, &mut watch)
        .map_err(|e| e.told().message)?;
    let (took, postings) = (begun.elapsed().as_secs_f64(), counts.postings as f64);
    figure(
        "bundle_kb_per_posting",
        written.bytes as f64 / 1e3 / postings,
        "kB",
        None,
    );
    figure("bundle_export_per_s", postings / took, "postings/s", None);
    let other = Engine::open(&folder.join("other"), Arc::new(Shell), Hooks::default())?;
    let begun = Instant::now();
    let taken = other
        .import_bundle(&target.path, &Cancel::default(), Arc::new(|_| {}))
        .map_err(|e| e.told().message)?;
    let took = begun.elapsed().as_secs_f64();
    figure(
        "bundle_import_per_s",
        taken.postings.len() as f64 / took,
        "postings/s",
        None,
    );
    eprintln!(
        "{} commits and {} events in the bundle",
        counts.commits, counts.events
    );
    Ok(())
}

/// Merges of branches that went apart by an edit each, one durable commit a merge, queued one behind the other.
fn merges(engine: &Engine) -> Outcome<()> {
    let store = engine.hub().store();
    let mut dice = Dice::of(8, 0);
    let (total, _) = listed(engine, 0, 1)?;
    let mut postings = Vec::new();
    for _ in 0..MERGES {
        postings.extend(listed(engine, dice.below(total as usize) as u32, 1)?.1);
    }
    postings.sort();
    postings.dedup();
    let now = Host::now(&Shell);
    let mut requests = Vec::with_capacity(postings.len());
    for posting in postings {
        requests.push(apart(store, posting, now)?);
    }
    let begun = Instant::now();
    let pending: Vec<_> = requests
        .into_iter()
        .map(|request| store.merge(request))
        .collect();
    let many = pending.len();
    for merge in pending {
        merge.wait()?;
    }
    figure(
        "merge_per_s",
        many as f64 / begun.elapsed().as_secs_f64(),
        "merges/s",
        None,
    );
    Ok(())
}

/// A branch with an edit, and another edit where it began; asks for the merge of the two.
fn apart(store: &Store, posting: PostingId, now: Micros) -> Outcome<MergeRequest> {
    let (name, current) = (format!("bench-{}", now.0), current(store, posting)?);
    let edit = |field: FieldKey, words: &str| PersonChange {
        posting,
        author: AuthorId("bench".into()),
        message: String::new(),
        key: format!("bench-{posting}-{}-{}", field.name(), now.0),
        field,
        value: Some(FieldValue::Text(words.into())),
        now,
    };
    let branch = NewBranch {
        posting,
        name: name.clone(),
        at: None,
        switch: true,
        now,
    };
    let _head: CommitId = store.create_branch(branch).wait()?;
    store
        .commit_change(edit(FieldKey::Title, "Lamplighter, at night"))
        .wait()?;
    store.switch_branch(posting, current).wait()?;
    store
        .commit_change(edit(FieldKey::Company, "Oriel Night Works"))
        .wait()?;
    Ok(MergeRequest {
        posting,
        from: name,
        looked_at: None,
        resolutions: BTreeMap::<FieldKey, MergeChoice>::new(),
        author: AuthorId("bench".into()),
        message: String::new(),
        key: format!("bench-merge-{posting}-{}", now.0),
        now,
    })
}

fn current(store: &Store, posting: PostingId) -> Outcome<String> {
    let branches = store.branches(posting)?.into_iter();
    let current = branches.into_iter().find(|branch| branch.current);
    Ok(current.ok_or("a posting without a branch")?.name)
}
