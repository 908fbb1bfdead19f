//! `ghostlight edit`: sets and withdraws fields, and works with the history of a card.

use crate::{
    Global, Terminal,
    history::{posting, refuse, trouble, version, versions},
    output::{Exit, fail, print_line},
};
use ghostlight_api::{
    Command, ViewData, ViewQuery,
    command::{
        CreateBranch, DeleteBranch, EditField, FieldInput, MergeBranch, MergeChoice, RecordOutcome,
        Redo, RestoreVersion, SwitchBranch, Undo, UndoMerge, Undone,
    },
    view::{MergeView, UnmergeSide},
};
use ghostlight_engine::{Engine, Handle, Host};
use ghostlight_model::{CommitId, FieldKey, FieldValue, PostingId, rules, typed};
use serde_json::{Value, json};

/// What to change.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("deed").multiple(false))]
pub(crate) struct Args {
    /// A posting's id, or its web address
    posting: String,
    /// Fields and what they are to be; FIELD= withdraws what a person said
    #[arg(value_name = "FIELD=VALUE", conflicts_with = "deed")]
    fields: Vec<String>,
    /// Why: kept with the change; of a verdict or an outcome the note
    #[arg(long, value_name = "TEXT", default_value = "")]
    message: String,
    /// Take back your latest change that is not taken back
    #[arg(long, group = "deed")]
    undo: bool,
    /// Undo your change before a merge, and leave the merge
    #[arg(long, requires = "undo")]
    past_merge: bool,
    /// Do again what you took back last
    #[arg(long, group = "deed")]
    redo: bool,
    /// Make a branch and switch to it
    #[arg(long, group = "deed", value_name = "NAME")]
    branch: Option<String>,
    /// Where the branch begins: a version's number or id
    #[arg(long, value_name = "VERSION", requires = "branch")]
    at: Option<String>,
    /// Switch to a branch: the card shows it, and edits and runs go there
    #[arg(long, group = "deed", value_name = "NAME")]
    switch: Option<String>,
    /// Delete a branch that is merged
    #[arg(long, group = "deed", value_name = "NAME")]
    delete_branch: Option<String>,
    /// Merge a branch into the one that is checked out
    #[arg(long, group = "deed", value_name = "NAME")]
    merge: Option<String>,
    /// In conflicts take the checked-out branch's value
    #[arg(long, requires = "merge", conflicts_with = "theirs")]
    ours: bool,
    /// In conflicts take the merged branch's value
    #[arg(long, requires = "merge")]
    theirs: bool,
    /// In a conflict take this value; FIELD= takes none
    #[arg(long, value_name = "FIELD=VALUE", requires = "merge")]
    set: Vec<String>,
    /// Bring back the values of a version: its number or id
    #[arg(long, group = "deed", value_name = "VERSION")]
    restore: Option<String>,
    /// Take back what a merge brought: its number or id
    #[arg(long, group = "deed", value_name = "VERSION")]
    undo_merge: Option<String>,
    /// The side of the merge that is to stand; without it the one that no other branch has
    #[arg(long, value_name = "VERSION", requires = "undo_merge")]
    keep: Option<String>,
}

pub(crate) fn run(global: &Global, args: Args) -> Result<Exit, Exit> {
    let engine = global.engine()?;
    let posting = posting(&engine, &args.posting)?;
    let editing = Editing {
        global,
        engine,
        posting,
        message: args.message.clone(),
    };
    if args.undo {
        let commit = editing.undo(args.past_merge)?;
        return editing.done(&json!({ "undone": about(&editing, commit)? }), "undone");
    }
    if args.redo {
        let commit = editing.call(Redo {
            posting,
            key: key(),
        })?;
        return editing.done(&json!({ "redone": about(&editing, commit)? }), "redone");
    }
    if let Some(name) = args.branch {
        let at = args.at.map(|text| editing.version(&text)).transpose()?;
        let new = CreateBranch {
            posting,
            name: name.clone(),
            at,
            switch: true,
        };
        editing.call(new)?;
        return editing.done(&json!({}), &format!("on branch {name}"));
    }
    if let Some(name) = args.switch {
        editing.call(SwitchBranch {
            posting,
            name: name.clone(),
        })?;
        return editing.done(&json!({}), &format!("on branch {name}"));
    }
    if let Some(name) = args.delete_branch {
        editing.call(DeleteBranch {
            posting,
            name: name.clone(),
        })?;
        return editing.done(
            &json!({ "deleted": name }),
            &format!("deleted branch {name}"),
        );
    }
    if let Some(from) = args.merge {
        let side = match (args.ours, args.theirs) {
            (true, _) => Some(MergeChoice::Ours),
            (_, true) => Some(MergeChoice::Theirs),
            _ => None,
        };
        return editing.merge(from, side, &args.set);
    }
    if let Some(text) = args.restore {
        let version = editing.version(&text)?;
        let restore = RestoreVersion {
            posting,
            version,
            looked_at: None,
            message: args.message,
            key: key(),
        };
        editing.call(restore)?;
        let restored = json!({ "restored": version.to_string() });
        return editing.done(&restored, &format!("restored version {text}"));
    }
    if let Some(text) = args.undo_merge {
        return editing.unmerge(&text, args.keep.as_deref());
    }
    editing.fields(&args.fields)
}

/// An idempotency key of this call.
fn key() -> String {
    format!("cli-{}", Terminal.new_id())
}

/// The commit that an undo or redo was about.
fn about(editing: &Editing<'_>, commit: CommitId) -> Result<Value, Exit> {
    let store = editing.engine.hub().store();
    let commit = store
        .commit(editing.posting, commit)
        .map_err(|e| trouble(&e))?;
    let about = commit.and_then(|commit| commit.purpose.about());
    Ok(json!(about.map(|id| id.to_string())))
}

/// `FIELD=VALUE` in its parts.
fn pair(text: &str) -> Result<(FieldKey, &str), Exit> {
    let parts = text
        .split_once('=')
        .map(|(name, value)| (name.trim(), value));
    match parts.filter(|(name, _)| !name.is_empty()) {
        Some((name, value)) => Ok((FieldKey::from(name), value)),
        None => Err(fail(
            Exit::Usage,
            &format!("{text:?} is not FIELD=VALUE"),
            Some("Write for example title=\"Data engineer\", or title= to withdraw it."),
        )),
    }
}

/// A posting that is being edited.
struct Editing<'a> {
    global: &'a Global,
    engine: Engine,
    posting: PostingId,
    message: String,
}

impl Editing<'_> {
    fn call<C: Command>(&self, command: C) -> Result<C::Reply, Exit>
    where
        Engine: Handle<C>,
    {
        self.engine.handle(command).map_err(|e| refuse(&e))
    }

    fn version(&self, text: &str) -> Result<CommitId, Exit> {
        let versions = versions(&self.engine, self.posting)?;
        version(&self.engine, self.posting, &versions, text)
    }

    /// What the card holds now, for the kinds of user-defined fields.
    fn current(&self, field: &FieldKey) -> Result<Option<FieldValue>, Exit> {
        let card = self.engine.hub().store().posting(self.posting);
        let card = card.map_err(|e| trouble(&e))?;
        let fields = card.map(|card| card.card.fields).unwrap_or_default();
        let found = fields.into_iter().find(|f| f.key == *field);
        Ok(found.and_then(|f| f.chosen).map(|chosen| chosen.value))
    }

    fn fields(&self, given: &[String]) -> Result<Exit, Exit> {
        if given.is_empty() {
            return Err(fail(
                Exit::Usage,
                "nothing to do",
                Some("Name fields as FIELD=VALUE, or see `ghostlight edit --help`."),
            ));
        }
        let mut pairs = Vec::new();
        for text in given {
            let (field, value) = pair(text)?;
            // All of them are looked at before the first is saved.
            self.look_at(&field, value)?;
            pairs.push((field, value));
        }
        let mut saved = Vec::new();
        for (field, value) in pairs {
            saved.push(self.field(field, value)?);
        }
        let words = saved_words(&saved);
        self.done(&json!({ "saved": saved }), &words)
    }

    fn look_at(&self, field: &FieldKey, value: &str) -> Result<(), Exit> {
        if *field == FieldKey::Outcome {
            let word = FieldValue::Choice(value.trim().to_owned());
            let known = rules::check(field, &word);
            return known.map_err(|e| fail(Exit::Usage, &e.to_string(), None));
        }
        if value.is_empty() {
            return Ok(());
        }
        match typed::read(field, self.current(field)?.as_ref(), value) {
            Ok(_) => Ok(()),
            Err(error) => Err(fail(
                Exit::Usage,
                &format!("{field}: {error}"),
                Some("Nothing was saved."),
            )),
        }
    }

    /// Saves one field; a warning is said and does not keep it from being saved.
    fn field(&self, field: FieldKey, value: &str) -> Result<Value, Exit> {
        if field == FieldKey::Outcome {
            self.call(RecordOutcome {
                posting: self.posting,
                outcome: value.trim().to_owned(),
                note: self.message.clone(),
                key: key(),
            })?;
            return Ok(json!({ "field": field, "value": value.trim(), "warnings": [] }));
        }
        if let (FieldKey::Custom(name), false) = (&field, self.global.quiet)
            && self.current(&field)?.is_none()
        {
            eprintln!("ghostlight: {name} is a new field of your own");
        }
        let input = match value.is_empty() {
            true => FieldInput::Withdraw,
            false => FieldInput::Text(value.to_owned()),
        };
        let edited = self.call(EditField {
            posting: self.posting,
            field: field.clone(),
            input,
            message: self.message.clone(),
            override_warnings: true,
            key: key(),
        })?;
        if !self.global.quiet {
            for warning in &edited.warnings {
                eprintln!("ghostlight: {field}: {warning}");
            }
        }
        Ok(json!({
            "field": field,
            "value": edited.value.map(|value| value.to_json()),
            "commit": edited.commit.map(|id| id.to_string()),
            "warnings": edited.warnings,
        }))
    }

    fn merge(&self, from: String, side: Option<MergeChoice>, set: &[String]) -> Result<Exit, Exit> {
        let query = ViewQuery::Merge {
            posting: self.posting,
            from: from.clone(),
        };
        let preview = match self.engine.view(&query) {
            ViewData::Merge(preview) => preview,
            ViewData::Failed(error) => return Err(refuse(&error)),
            _ => return Err(fail(Exit::Store, "the merge could not be looked at", None)),
        };
        let mut resolutions = Vec::new();
        for text in set {
            let (field, value) = pair(text)?;
            let choice = match value.is_empty() {
                true => MergeChoice::Value(None),
                false => MergeChoice::Text(value.to_owned()),
            };
            resolutions.push((field, choice));
        }
        for conflict in &preview.conflicts {
            let decided = resolutions
                .iter()
                .any(|(field, _)| *field == conflict.field);
            if let (false, Some(side)) = (decided, &side) {
                resolutions.push((conflict.field.clone(), side.clone()));
            }
        }
        let decided = |field: &FieldKey| resolutions.iter().any(|(known, _)| known == field);
        if !preview
            .conflicts
            .iter()
            .all(|conflict| decided(&conflict.field))
        {
            return Err(self.open_conflicts(&preview));
        }
        let done = self.call(MergeBranch {
            posting: self.posting,
            from: from.clone(),
            looked_at: Some((preview.ours.head, preview.theirs.head)),
            resolutions,
            message: self.message.clone(),
            key: key(),
        })?;
        if done.joined {
            let merged = json!({ "merged": from, "joined": true });
            return self.done(&merged, &format!("merged {from}"));
        }
        let before = preview.ours.head;
        let merged = json!({ "merged": from, "joined": false, "before": before.to_string() });
        let words = format!(
            "moved forward to {from}, which makes no merge to take back; --restore {} brings back what was before",
            self.number(before)?
        );
        self.done(&merged, &words)
    }

    /// Takes back the latest change; a merge above it is named, and nothing is done.
    fn undo(&self, past_merge: bool) -> Result<CommitId, Exit> {
        let undone = self.call(Undo {
            posting: self.posting,
            past_merge,
            key: key(),
        })?;
        let merge = match undone {
            Undone::Done(commit) => return Ok(commit),
            Undone::MergeAbove(merge) => merge,
        };
        let number = self.number(merge)?;
        Err(fail(
            Exit::NothingFound,
            &format!(
                "a merge, version {number}, came after your latest change; nothing was undone"
            ),
            Some(&format!(
                "Take the merge back with --undo-merge {number}, or undo your change before it with --undo --past-merge."
            )),
        ))
    }

    /// What people call a version: its number on the checked-out branch, else its id.
    fn number(&self, version: CommitId) -> Result<String, Exit> {
        let versions = versions(&self.engine, self.posting)?;
        let place = versions.iter().position(|(id, _)| *id == version);
        Ok(place.map_or_else(|| version.to_string(), |place| (place + 1).to_string()))
    }

    fn unmerge(&self, text: &str, keep: Option<&str>) -> Result<Exit, Exit> {
        let merge = self.version(text)?;
        let keep = match keep {
            Some(text) => self.version(text)?,
            None => self.own_side(merge)?,
        };
        self.call(UndoMerge {
            posting: self.posting,
            merge,
            keep,
            looked_at: None,
            message: self.message.clone(),
            key: key(),
        })?;
        let undone = json!({ "undone": merge.to_string(), "kept": keep.to_string() });
        self.done(&undone, &format!("undid the merge {text}"))
    }

    /// The side of a merge that went on, where the branches tell.
    fn own_side(&self, merge: CommitId) -> Result<CommitId, Exit> {
        let query = ViewQuery::Unmerge {
            posting: self.posting,
            merge,
        };
        let sides = match self.engine.view(&query) {
            ViewData::Unmerge(view) => view.sides,
            ViewData::Failed(error) => return Err(refuse(&error)),
            _ => return Err(fail(Exit::Store, "the merge could not be looked at", None)),
        };
        UnmergeSide::own(&sides).ok_or_else(|| {
            let sides: Vec<String> = sides.iter().map(|s| s.version.to_string()).collect();
            fail(
                Exit::Usage,
                "no branch says which side of the merge is to stand",
                Some(&format!(
                    "Repeat with --keep {}.",
                    sides.join(" or --keep ")
                )),
            )
        })
    }

    /// Says what is in conflict: nothing was merged.
    fn open_conflicts(&self, preview: &MergeView) -> Exit {
        let value = |said: &Option<ghostlight_api::view::SaidView>| {
            said.as_ref().map(|said| said.value.clone())
        };
        for conflict in &preview.conflicts {
            let (ours, theirs) = (value(&conflict.ours), value(&conflict.theirs));
            let bases: Vec<Value> = conflict.bases.iter().map(in_json).collect();
            let line = match self.global.json {
                true => json!({
                    "conflict": conflict.field, "ours": in_json(&ours), "theirs": in_json(&theirs),
                    "bases": bases,
                })
                .to_string(),
                false => {
                    let words = |v: &Option<FieldValue>| {
                        v.as_ref().map_or("nothing".to_owned(), FieldValue::display)
                    };
                    format!(
                        "{}: ours {} | theirs {}",
                        conflict.field,
                        words(&ours),
                        words(&theirs)
                    )
                }
            };
            if let Err(exit) = print_line(&line) {
                return exit;
            }
        }
        fail(
            Exit::NothingFound,
            &format!(
                "{} fields are in conflict; nothing was merged",
                preview.conflicts.len()
            ),
            Some("Repeat with --ours, --theirs, or --set FIELD=VALUE for each."),
        )
    }

    /// Prints where the card stands now.
    fn done(&self, what: &Value, words: &str) -> Result<Exit, Exit> {
        let branches = self.engine.hub().store().branches(self.posting);
        let branches = branches.map_err(|e| trouble(&e))?;
        let current = branches.iter().find(|branch| branch.current);
        let version = versions(&self.engine, self.posting)?.len();
        let branch = current.map(|branch| branch.name.as_str());
        if !self.global.json {
            let branch = branch.unwrap_or_default();
            print_line(&format!("{words}; {branch} is at version {version}"))?;
            return Ok(Exit::Done);
        }
        let mut object = json!({
            "posting_id": self.posting.to_string(), "branch": branch,
            "head": current.map(|branch| branch.head.to_string()), "version": version,
        });
        if let (Some(object), Some(what)) = (object.as_object_mut(), what.as_object()) {
            object.extend(what.clone());
        }
        print_line(&object.to_string())?;
        Ok(Exit::Done)
    }
}

/// How many fields were saved, and which were as they should be already: of these no version is made.
fn saved_words(saved: &[Value]) -> String {
    // An outcome is a new one each time, and tells no commit.
    let stood = saved
        .iter()
        .filter(|one| one["commit"] == Value::Null && one.get("commit").is_some());
    let stood: Vec<&str> = stood.filter_map(|one| one["field"].as_str()).collect();
    let count = saved.len() - stood.len();
    let is = if stood.len() == 1 { "is" } else { "are" };
    let stood = stood.join(", ");
    match (count, stood.is_empty()) {
        (0, false) => format!("nothing changed: {stood} {is} as you said before"),
        (_, true) => format!("saved {count} of {count} fields"),
        (_, false) => format!(
            "saved {count} of {} fields; {stood} {is} as you said before",
            saved.len()
        ),
    }
}

fn in_json(value: &Option<FieldValue>) -> Value {
    value.as_ref().map_or(Value::Null, FieldValue::to_json)
}
