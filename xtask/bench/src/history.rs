//! Histories at scale (SPEC E6): what a window asks of a posting's history in a data folder with many field changes; how
//! fast branches are merged; bundles of a thousand postings. One JSON object a figure.
//!
//! The folder is made by `ghostlight-seed`, or named by `--data`; with ten million changes:
//! `cargo xtask seed --rows 10000000`, then `cargo run --release -p ghostlight-bench -- --data target/seed-10000000
//! history`. Each question is asked as the window asks it, of many
//! random postings and again and again of the one with the longest history; `value` is the 99th percentile of the worse
//! of the two, in milliseconds, both stand beside it. Files are read through the system's cache, SQLite's own is cold.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Instant};

use ghostlight_api::{
    ViewData, ViewQuery,
    view::{PostingOrder, Range, Subject, TimelineFilter, VersionRow},
};
use ghostlight_engine::{
    Engine, Hooks, Host,
    export::{Cancel, Target, Watch},
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId, Source, commit::AuthorId, export::Filter,
};
use ghostlight_seed::{Dice, Plan, fill};
use ghostlight_store::{MergeRequest, NewBranch, PersonChange, Store, history::MergeChoice};

use crate::{Options, Outcome, figure};

/// SPEC E6, in ms.
const QUERY_MS_MAX: f64 = 50.0;
/// Random postings that are asked.
const POSTINGS: usize = 400;
/// How often the posting with the longest history is asked.
const ROUNDS: usize = 40;
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
    let longest = longest(&engine)?;
    queries(&engine, longest, "")?;
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

/// The posting with the longest history of all: in a folder of `ghostlight-seed`, the first one made.
pub(crate) fn longest(engine: &Engine) -> Outcome<PostingId> {
    let (total, _) = listed(engine, 0, 1)?;
    let mut best: Option<(u32, PostingId)> = None;
    for start in (0..total).step_by(500) {
        for posting in listed(engine, start, 500)?.1 {
            let versions = engine.hub().store().history(posting, 0, 1)?.total;
            best = best.max(Some((versions, posting)));
        }
    }
    let (versions, posting) = best.ok_or("the folder holds no posting")?;
    eprintln!("{total} postings; the longest history has {versions} versions");
    Ok(posting)
}

/// Milliseconds by question.
#[derive(Default)]
struct Times(BTreeMap<&'static str, Vec<f64>>);

impl Times {
    fn ask(&mut self, engine: &Engine, name: &'static str, query: ViewQuery) -> Outcome<ViewData> {
        let begun = Instant::now();
        let data = engine.view(&query);
        let took = begun.elapsed().as_secs_f64() * 1e3;
        self.0.entry(name).or_default().push(took);
        match data {
            ViewData::Failed(error) => Err(format!("{query:?}: {error:?}").into()),
            data => Ok(data),
        }
    }

    fn p99(&self, name: &str) -> f64 {
        let mut times = self.0.get(name).cloned().unwrap_or_default();
        times.sort_by(f64::total_cmp);
        let place = (times.len() * 99).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Prints how long each question takes, its name behind `prefix`.
pub(crate) fn queries(engine: &Engine, longest: PostingId, prefix: &str) -> Outcome<()> {
    let mut dice = Dice::of(7, 0);
    let (total, _) = listed(engine, 0, 1)?;
    let (mut random, mut long) = (Times::default(), Times::default());
    for _ in 0..POSTINGS {
        let start = dice.below(total as usize) as u32;
        for posting in listed(engine, start, 1)?.1 {
            ask_all(engine, posting, &mut dice, &mut random)?;
        }
    }
    for _ in 0..ROUNDS {
        ask_all(engine, longest, &mut dice, &mut long)?;
    }
    for name in long.0.keys() {
        let (random, long) = (random.p99(name), long.p99(name));
        let worse = random.max(long);
        let round = |ms: f64| (ms * 1e3).round() / 1e3;
        let told = serde_json::json!({
            "name": format!("{prefix}{name}"), "value": round(worse), "unit": "ms", "random_p99": round(random), "longest_p99": round(long),
            "goal": QUERY_MS_MAX, "ok": worse <= QUERY_MS_MAX,
        });
        println!("{told}");
    }
    Ok(())
}

/// All that a window asks of one posting's history.
fn ask_all(engine: &Engine, posting: PostingId, dice: &mut Dice, times: &mut Times) -> Outcome<()> {
    times.ask(
        engine,
        "open_posting_ms",
        ViewQuery::Card(Subject::Posting(posting)),
    )?;
    let branches = times.ask(engine, "branches_ms", ViewQuery::Branches(posting))?;
    let page = |filter: TimelineFilter, start: u32| ViewQuery::Timeline {
        posting,
        filter,
        range: Range { start, len: PAGE },
    };
    let all = TimelineFilter::default();
    let (total, first) = timeline(times.ask(engine, "timeline_page_ms", page(all.clone(), 0))?)?;
    let middle = dice.below(total as usize) as u32;
    let (_, deep) = timeline(times.ask(engine, "timeline_page_ms", page(all.clone(), middle))?)?;
    let before = deep.first().map(|row| row.at);
    let branch = match branches {
        ViewData::Branches(view) => view.branches.first().map(|branch| branch.name.clone()),
        _ => None,
    };
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
            branch,
            ..all.clone()
        },
    ];
    for filter in filters {
        times.ask(engine, "timeline_filtered_ms", page(filter, 0))?;
    }
    for field in [FieldKey::Title, FieldKey::Salary] {
        let blame = TimelineFilter {
            field: Some(field),
            ..all.clone()
        };
        let (total, _) = timeline(times.ask(engine, "blame_ms", page(blame.clone(), 0))?)?;
        times.ask(
            engine,
            "blame_ms",
            page(blame, dice.below(total as usize) as u32),
        )?;
    }
    if let (Some(after), Some(before)) = (first.first(), deep.last()) {
        let (before, after) = (before.id, after.id);
        times.ask(
            engine,
            "compare_ms",
            ViewQuery::Compare {
                posting,
                before,
                after,
            },
        )?;
    }
    Ok(())
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
        .import_bundle(&target.path)
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
