//! `ghostlight log`: a posting's history, latest first; a field's; two versions compared; its life.

use crate::{
    Global, biography,
    history::{posting, trouble, version, versions},
    output::{Exit, fail, print_line, whole},
};
use ghostlight_engine::Engine;
use ghostlight_model::{
    CommitId, Day, FieldKey, FieldValue, Micros, PostingId, Source,
    card::Standing,
    commit::{AuthorId, Commit, FieldChange},
};
use ghostlight_store::{Branch, TimelineFilter};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Commits read at a time.
const PAGE: u32 = 500;
/// A value takes so many characters of a line of text at most.
const VALUE_CHARS_MAX: usize = 60;
const DAY_US: i64 = 86_400_000_000;

/// Which versions to print.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A posting's id, or its web address
    posting: String,
    /// Only changes of this field: who said what, and when
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Only by this author: a name, or an id as --json prints it
    #[arg(long, value_name = "AUTHOR")]
    author: Option<String>,
    /// Only with a change by this source
    #[arg(long, value_name = "SOURCE", value_parser = ["user", "ai", "parsing"])]
    source: Option<String>,
    /// Only what is on this branch
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Only from this day on (YYYY-MM-DD, UTC)
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<Day>,
    /// Only up to this day, which counts
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Day>,
    /// So many at most
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    limit: Option<u32>,
    /// Print the fields in which two versions differ: numbers or ids
    #[arg(long, num_args = 2, value_names = ["VERSION", "VERSION"], conflicts_with_all = ["field", "branches"])]
    compare: Vec<String>,
    /// Print the branches
    #[arg(long)]
    branches: bool,
    /// Print the posting's life: looks with what changed, decisions, reposts, closings
    #[arg(long, conflicts_with_all = ["field", "author", "source", "branch", "since", "until", "compare", "branches"])]
    biography: bool,
}

fn day(text: &str) -> Result<Day, String> {
    let whole = Day::parse_prefix(text).filter(|_| text.trim().len() == 10);
    whole.ok_or_else(|| format!("{text:?} is not a day as YYYY-MM-DD"))
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let engine = global.engine_of_known()?;
    let posting = posting(&engine, &args.posting)?;
    let log = Log {
        json: global.json,
        engine,
        posting,
        names: BTreeMap::new(),
    };
    match &args.compare[..] {
        [before, after] => log.compare(before, after),
        _ if args.branches => log.branches(),
        _ if args.biography => log.biography(args.limit.unwrap_or(u32::MAX)),
        _ => log.timeline(args),
    }
}

struct Log {
    json: bool,
    engine: Engine,
    posting: PostingId,
    names: BTreeMap<String, String>,
}

impl Log {
    fn name(&mut self, author: &AuthorId) -> Result<String, Exit> {
        if let Some(name) = self.names.get(&author.0) {
            return Ok(name.clone());
        }
        let name = self.engine.hub().store().person(&author.0);
        let name = name.map_err(|e| trouble(&e))?;
        let name = name.unwrap_or_else(|| author.0.clone());
        self.names.insert(author.0.clone(), name.clone());
        Ok(name)
    }

    /// The author of an id, or the one of a name among those of the posting.
    fn author(&mut self, text: &str) -> Result<AuthorId, Exit> {
        for (_, author) in versions(&self.engine, self.posting)? {
            if self.name(&author)? == text {
                return Ok(author);
            }
        }
        Ok(AuthorId(text.to_owned()))
    }

    fn filter(&mut self, args: &Args) -> Result<TimelineFilter, Exit> {
        let begins = |day: Day| Micros(day.epoch_days() * DAY_US);
        let sources = [Source::User, Source::Ai, Source::Parsing];
        let author = args.author.as_deref();
        Ok(TimelineFilter {
            field: args.field.as_deref().map(FieldKey::from),
            author: author.map(|text| self.author(text)).transpose()?,
            source: sources
                .into_iter()
                .find(|source| Some(source.word()) == args.source.as_deref()),
            from: args.since.map(begins),
            before: args.until.map(|day| Micros(begins(day).0 + DAY_US)),
            branch: args.branch.clone(),
        })
    }

    fn timeline(mut self, args: &Args) -> Result<Exit, Exit> {
        let filter = self.filter(args)?;
        let line = versions(&self.engine, self.posting)?;
        let numbers: BTreeMap<CommitId, usize> = line.iter().map(|(id, _)| *id).zip(1..).collect();
        drop(line);
        let branches = self.engine.hub().store().branches(self.posting);
        let branches = branches.map_err(|e| trouble(&e))?;
        let mut printed = 0;
        let limit = args.limit.unwrap_or(u32::MAX);
        while printed < limit {
            let range = (printed, PAGE.min(limit - printed));
            let page = self
                .engine
                .hub()
                .store()
                .timeline(self.posting, &filter, range);
            let page = page.map_err(|e| trouble(&e))?;
            if page.rows.is_empty() {
                break;
            }
            for (id, commit) in &page.rows {
                let number = numbers.get(id).copied();
                self.version((*id, number), commit, &branches, filter.field.as_ref())?;
                printed += 1;
            }
        }
        match printed {
            0 => Err(fail(
                Exit::NothingFound,
                "no version of this posting is like that",
                Some("Leave out a filter."),
            )),
            _ => Ok(Exit::Done),
        }
    }

    fn version(
        &mut self,
        (id, number): (CommitId, Option<usize>),
        commit: &Commit,
        branches: &[Branch],
        field: Option<&FieldKey>,
    ) -> Result<(), Exit> {
        let author = self.name(&commit.author)?;
        let changes = commit.changes.iter();
        let changes: Vec<&FieldChange> = changes
            .filter(|change| field.is_none_or(|field| change.field == *field))
            .collect();
        let here = branches.iter().filter(|branch| branch.head == id);
        let here: Vec<&str> = here.map(|branch| branch.name.as_str()).collect();
        let is_run = commit.purpose.is_plain() && commit.author.is_pipeline();
        let kind = if is_run { "run" } else { commit.purpose.word() };
        if self.json {
            let parents: Vec<String> = commit.parents.iter().map(CommitId::to_string).collect();
            let settled: Vec<&FieldKey> = commit.settled.iter().map(|c| &c.field).collect();
            let line = json!({
                "id": id.to_string(), "version": number, "parents": parents, "branches": here,
                "author": author, "author_id": commit.author, "at": commit.clock.wall.to_rfc3339(),
                "kind": kind, "about": commit.purpose.about().map(|id| id.to_string()),
                "message": commit.message, "settled": settled,
                "changes": changes.iter().map(|c| change_json(c)).collect::<Vec<_>>(),
            });
            return print_line(&line.to_string());
        }
        let number = number.map_or("-".to_owned(), |n| n.to_string());
        let at = commit.clock.wall.to_rfc3339();
        let id = id.to_string();
        let mut line = format!(
            "{number:>4}  {}  {}  {kind:<7}  {author}",
            &id[..10],
            &at[..19]
        );
        if !here.is_empty() {
            line = format!("{line}  [{}]", here.join(", "));
        }
        if !commit.message.is_empty() {
            line = format!("{line}  {}", short(&commit.message));
        }
        print_line(&line)?;
        for change in changes {
            let (old, new) = (words(&change.old), words(&change.new));
            print_line(&format!("      {}: {old} → {new}", change.field))?;
        }
        Ok(())
    }

    fn compare(self, before: &str, after: &str) -> Result<Exit, Exit> {
        let all = versions(&self.engine, self.posting)?;
        let of = |text: &str| version(&self.engine, self.posting, &all, text);
        let found = self
            .engine
            .hub()
            .store()
            .compare(self.posting, of(before)?, of(after)?);
        for difference in found.map_err(|e| trouble(&e))? {
            let value = |standing: &Option<Standing>| standing.as_ref().map(|s| s.value.clone());
            let (old, new) = (value(&difference.before), value(&difference.after));
            let line = match self.json {
                true => json!({
                    "field": difference.field, "before": in_json(&old), "after": in_json(&new),
                })
                .to_string(),
                false => format!("{}: {} → {}", difference.field, words(&old), words(&new)),
            };
            print_line(&line)?;
        }
        Ok(Exit::Done)
    }

    fn biography(self, limit: u32) -> Result<Exit, Exit> {
        match biography::print(&self.engine, self.posting, self.json, limit)? {
            true => Ok(Exit::Done),
            false => Err(fail(
                Exit::NothingFound,
                "nothing is known of this posting's life",
                None,
            )),
        }
    }

    fn branches(self) -> Result<Exit, Exit> {
        let branches = self.engine.hub().store().branches(self.posting);
        for branch in branches.map_err(|e| trouble(&e))? {
            let at = branch.updated.to_rfc3339();
            let line = match self.json {
                true => json!({
                    "name": branch.name, "head": branch.head.to_string(),
                    "current": branch.current, "updated": at,
                })
                .to_string(),
                false => {
                    let mark = if branch.current { "*" } else { " " };
                    let head = branch.head.to_string();
                    format!("{mark} {}  {}  {}", branch.name, &head[..10], &at[..19])
                }
            };
            print_line(&line)?;
        }
        Ok(Exit::Done)
    }
}

fn in_json(value: &Option<FieldValue>) -> Value {
    value.as_ref().map_or(Value::Null, FieldValue::to_json)
}

fn change_json(change: &FieldChange) -> Value {
    json!({
        "field": change.field, "old": in_json(&change.old), "new": in_json(&change.new),
        "confidence": change.confidence, "source": change.source.word(),
    })
}

fn words(value: &Option<FieldValue>) -> String {
    value
        .as_ref()
        .map_or("nothing".to_owned(), |value| short(&value.display()))
}

/// On one line.
fn short(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(VALUE_CHARS_MAX)
        .collect();
    match line.len() < text.len() {
        true => format!("{line}…"),
        false => line,
    }
}
