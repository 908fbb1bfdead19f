//! `ghostlight log --biography`: the life of a posting, latest first: looks, decisions, reposts, closings, and the quiet in
//! between.

use crate::{
    history::refuse,
    output::{Exit, print_line},
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{BiographyPage, ChangeRow, LifeEvent, LifeRow, LookRow, ROWS_MAX, Range, SignalMark},
};
use ghostlight_engine::Engine;
use ghostlight_model::{Micros, PostingId};
use serde_json::{Value, json};

const DAY_US: i64 = 86_400_000_000;

/// Prints the rows, at most `limit` of them; says whether there was any.
pub(crate) fn print(
    engine: &Engine,
    posting: PostingId,
    as_json: bool,
    limit: u32,
) -> Result<bool, Exit> {
    let mut printed = 0;
    while printed < limit {
        let len = ROWS_MAX.min(limit - printed);
        let rows = rows(engine, posting, printed, len)?.page.rows;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            print_line(&match as_json {
                true => in_json(row).to_string(),
                false => in_words(row),
            })?;
        }
        printed += rows.len() as u32;
    }
    Ok(printed > 0)
}

fn rows(engine: &Engine, posting: PostingId, start: u32, len: u32) -> Result<BiographyPage, Exit> {
    let range = Range { start, len };
    match engine.view(&ViewQuery::Biography { posting, range }) {
        ViewData::Biography(page) => Ok(page),
        ViewData::Failed(error) => Err(refuse(&error)),
        _ => Err(refuse(&ghostlight_api::ApiError::internal(
            "a biography was answered by another view",
        ))),
    }
}

fn in_json(row: &LifeRow) -> Value {
    let mut line = match &row.what {
        LifeEvent::Look(look) => look_json(look),
        LifeEvent::Decision(version) => json!({
            "type": "decision", "version": version.id.to_string(), "kind": version.kind,
            "author": version.author, "message": version.message,
            "changes": changes_json(&version.changes),
        }),
        LifeEvent::Repost(repost) => json!({
            "type": "repost", "posting_id": repost.posting.to_string(), "title": repost.title,
            "place": repost.place, "alike_percent": repost.alike_percent,
        }),
        LifeEvent::Quiet(since) => json!({
            "type": "quiet", "since": since.to_rfc3339(), "days": days(*since, row.at),
        }),
    };
    line["at"] = json!(row.at.to_rfc3339());
    line
}

fn look_json(look: &LookRow) -> Value {
    let marks = |marks: &[SignalMark]| {
        let marks = marks.iter();
        marks
            .map(|m| json!({ "id": m.id, "statement": m.statement, "against": m.against }))
            .collect::<Vec<_>>()
    };
    json!({
        "type": "look", "run_id": look.run, "status": look.status.word(), "url": look.url,
        "capture": look.capture.map(|id| id.to_string()), "first": look.first,
        "text": look.text.map(|text| json!({
            "words_added": text.added, "words_removed": text.removed, "words": text.words,
        })),
        "changes": changes_json(&look.changes),
        "posted_moved": look.moved.map(|(from, to)| json!([from, to])),
        "closed": look.closed, "reopened": look.reopened, "failure": look.failure,
        "signals_new": marks(&look.appeared), "signals_gone": marks(&look.went),
    })
}

fn changes_json(changes: &[ChangeRow]) -> Vec<Value> {
    let change = |c: &ChangeRow| json!({ "field": c.field, "old": c.old, "new": c.new });
    changes.iter().map(change).collect()
}

fn days(since: Micros, until: Micros) -> i64 {
    (until.0 - since.0) / DAY_US
}

fn in_words(row: &LifeRow) -> String {
    let at = row.at.to_rfc3339();
    let words = match &row.what {
        LifeEvent::Look(look) => format!("look      {}", look_words(look)),
        LifeEvent::Decision(version) => {
            let changes = change_words(&version.changes);
            format!("{:<8}  {}  {changes}", version.kind, version.author)
        }
        LifeEvent::Repost(repost) => {
            let why = match repost.alike_percent {
                Some(percent) => format!("text {percent} % the same"),
                None => "same title".to_owned(),
            };
            format!("repost    {}  {} ({why})", repost.posting, repost.title)
        }
        LifeEvent::Quiet(since) => {
            return format!(
                "                     {} days without a look",
                days(*since, row.at)
            );
        }
    };
    format!("{}  {words}", &at[..19])
}

fn look_words(look: &LookRow) -> String {
    let text = look.text.filter(|text| text.added + text.removed > 0);
    let parts = [
        look.first.then(|| "first seen".to_owned()),
        look.failure.clone(),
        look.closed.clone(),
        look.reopened.then(|| "open again".to_owned()),
        look.moved
            .map(|(from, to)| format!("day of posting moved from {from} to {to}")),
        text.map(|text| format!("text: {} words new, {} gone", text.added, text.removed)),
        (!look.first && !look.changes.is_empty()).then(|| change_words(&look.changes)),
        (look.first && !look.changes.is_empty())
            .then(|| format!("{} fields found", look.changes.len())),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "unchanged".to_owned(),
        false => parts.join("; "),
    }
}

fn change_words(changes: &[ChangeRow]) -> String {
    let word = |text: &str| {
        if text.is_empty() {
            "nothing".to_owned()
        } else {
            text.to_owned()
        }
    };
    let one = |c: &ChangeRow| format!("{}: {} → {}", c.field, word(&c.old), word(&c.new));
    changes.iter().map(one).collect::<Vec<_>>().join("; ")
}
