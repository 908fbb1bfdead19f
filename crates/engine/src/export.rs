//! Exports: rows of the store as the tables of [`ghostlight_report`].
//!
//! An [`Export`] says what, which rows, which columns and as what; [`Engine::export`] writes it, [`Engine::look`] says
//! beforehand what it would be. Rows come from one [`Snapshot`], so the file is what the store held at one moment.

use crate::{Engine, VERSION, store_error};
use ghostlight_api::{ApiError, ErrorCode};
use ghostlight_model::{
    Amount, FieldKey, FieldValue, Micros, Salary,
    export::{Filter, Format, What},
    run::RunLine,
};
pub use ghostlight_report::{
    Cancel, Failed, FileError, Look, Progress, Style, Target, Watch, Written,
};
use ghostlight_report::{Cell, Job, Source, name, table::RowFn};
use ghostlight_store::{
    Store, StoreError,
    snapshot::{
        ChangeExport, ChangePlace, EventExport, EventPlace, PostingExport, PostingPlace, Snapshot,
    },
};
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// Columns of an export at most: those of postings.
const COLUMNS_MAX: usize = 40;

/// The columns of each kind of export, in their order.
pub fn columns(what: What) -> &'static [&'static str] {
    match what {
        What::Postings => &[
            "posting",
            "title",
            "company",
            "location",
            "remote",
            "employment_type",
            "seniority",
            "salary",
            "salary_min",
            "salary_max",
            "salary_currency",
            "salary_period",
            "posted_at",
            "valid_through",
            "apply_url",
            "platform",
            "skills",
            "benefits",
            "remote_regions",
            "level",
            "doubt",
            "verdict",
            "verdict_note",
            "outcomes",
            "status",
            "first_seen",
            "updated",
            "version",
            "custom",
            "description",
        ],
        What::History => &CHANGE_COLUMNS,
        What::Events => &EVENT_COLUMNS,
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What.
    pub what: What,
    /// As what.
    pub format: Format,
    /// Which rows.
    pub filter: Filter,
    /// Columns by name, in this order; all if there is none.
    pub fields: Vec<String>,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// How CSV is dressed.
    pub style: Style,
}

impl Export {
    /// All of it.
    pub fn all(what: What, format: Format) -> Self {
        Self {
            what,
            format,
            filter: Filter::default(),
            fields: Vec::new(),
            limit: None,
            style: Style::default(),
        }
    }

    /// The columns by name.
    ///
    /// # Errors
    /// A column that there is not, one that is named twice, a filter that says nothing of what is exported.
    pub(crate) fn checked(&self) -> Result<Vec<&'static str>, ApiError> {
        let rule =
            |message: String, hint: String| Err(ApiError::new(ErrorCode::Rule, message, hint));
        let (what, known) = (self.what.word(), columns(self.what));
        if let Some(part) = self.filter.stray(self.what) {
            return rule(
                format!("The filter `{part}` says nothing of {what}."),
                "Leave it out, or export something else.".into(),
            );
        }
        if self.fields.is_empty() {
            return Ok(known.to_vec());
        }
        let mut chosen: Vec<&'static str> = Vec::new();
        for wanted in &self.fields {
            match known.iter().find(|name| *name == wanted) {
                Some(name) if !chosen.contains(name) => chosen.push(name),
                Some(name) => {
                    return rule(
                        format!("`{name}` is named twice."),
                        "Name each field once.".into(),
                    );
                }
                None => {
                    return rule(
                        format!("{what} have no field `{wanted}`."),
                        format!("There are {}.", known.join(", ")),
                    );
                }
            }
        }
        Ok(chosen)
    }

    fn job(&self, at: Micros) -> Job {
        Job {
            what: self.what,
            format: self.format,
            style: self.style,
            filter: self.filter.clone(),
            limit: self.limit,
            at,
            version: VERSION.into(),
        }
    }
}

/// How long a look in the window counts rows, and again how long it gathers the first of them. Both read nothing more
/// then, and say so: nobody waits longer for what changes with the next letter.
pub(crate) const LOOK_MAX: Duration = Duration::from_millis(250);

impl Engine {
    /// Writes an export, while the caller waits.
    ///
    /// # Errors
    /// What the file, the store or the request is refused for, or that it was cancelled; nothing is left then.
    pub fn export(
        &self,
        export: &Export,
        target: &Target,
        watch: &mut Watch<'_>,
    ) -> Result<Written, ExportError> {
        run(self.store(), export, self.shared.host.now(), target, watch)
    }

    /// What an export would be: rows, size, the first rows. Counts all rows, while the caller waits.
    ///
    /// # Errors
    /// As [`Engine::export`], but for the file.
    pub fn look(&self, export: &Export) -> Result<Look, ApiError> {
        self.look_within(export, None)
    }

    /// As [`Engine::look`], in a moment: what could not be counted until then is not, see [`Look::whole`].
    pub(crate) fn look_in_a_moment(&self, export: &Export) -> Result<Look, ApiError> {
        self.look_within(export, Some(LOOK_MAX))
    }

    fn look_within(&self, export: &Export, most: Option<Duration>) -> Result<Look, ApiError> {
        let columns = export.checked()?;
        let look = || {
            let mut rows = Rows::of(self.store(), export, columns)?;
            rows.most = most;
            ghostlight_report::look(&mut rows, &export.job(self.shared.host.now()))
        };
        look().map_err(|error: StoreError| store_error(&error))
    }

    /// A file name that says what is inside, for an export of now.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn export_name(&self, export: &Export) -> Result<String, ApiError> {
        self.named(export.what, &export.filter, export.format.word())
    }

    /// As [`Engine::export_name`], with any ending. A posting is called by its title, a run by its name.
    pub(crate) fn named(
        &self,
        what: What,
        filter: &Filter,
        ending: &str,
    ) -> Result<String, ApiError> {
        let store = self.store();
        let title = |id| Ok(store.posting(id)?.map(|found| found.summary.title));
        let name = |id| Ok(store.run(id)?.map(|run| RunLine::of(&run).name));
        let called = match (filter.posting, &filter.run) {
            (Some(id), _) => title(id),
            (None, Some(id)) => name(id),
            (None, None) => Ok(None),
        };
        let called = called.map_err(|error: StoreError| store_error(&error))?;
        let at = self.shared.host.now();
        Ok(name::suggested(what, filter, called.as_deref(), at, ending))
    }
}

/// Bounds what a snapshot reads from now on.
pub(crate) fn read_within(snapshot: &Snapshot, most: Duration) -> Result<(), StoreError> {
    let until = Instant::now() + most;
    snapshot.read_until(move || Instant::now() >= until)
}

/// Writes an export of `store`; as [`Engine::export`].
pub(crate) fn run(
    store: &Store,
    export: &Export,
    at: Micros,
    target: &Target,
    watch: &mut Watch<'_>,
) -> Result<Written, ExportError> {
    let columns = export.checked().map_err(ExportError::Refused)?;
    let mut rows = Rows::of(store, export, columns)?;
    Ok(ghostlight_report::write(
        &mut rows,
        &export.job(at),
        target,
        watch,
    )?)
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportError {
    /// It was cancelled.
    Cancelled,
    /// The request breaks a rule.
    Refused(ApiError),
    /// The file cannot be written.
    File(FileError),
    /// The store cannot be read.
    Store(StoreError),
}

impl ExportError {
    /// As the edge shows it.
    pub fn told(&self) -> ApiError {
        match self {
            Self::Cancelled => ApiError::new(
                ErrorCode::Input,
                "The export was cancelled; nothing was left.",
                "Start it again when you want to.",
            ),
            Self::Refused(error) => error.clone(),
            Self::File(error) => ApiError::new(ErrorCode::Input, error.to_string(), error.hint()),
            Self::Store(error) => store_error(error),
        }
    }
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failed<StoreError>> for ExportError {
    fn from(failed: Failed<StoreError>) -> Self {
        match failed {
            Failed::Cancelled => Self::Cancelled,
            Failed::File(error) => Self::File(error),
            Failed::Source(error) => Self::Store(error),
        }
    }
}

/// Rows of one snapshot.
struct Rows {
    snapshot: Snapshot,
    filter: Filter,
    columns: Vec<&'static str>,
    at: Place,
    /// How long to count, and how long to gather rows; all of them if there is nothing said.
    most: Option<Duration>,
    /// Whether counting ended early.
    cut: bool,
}

/// Where the next page goes on; `None` at the beginning.
enum Place {
    Postings(Option<PostingPlace>),
    Changes(Option<ChangePlace>),
    Events(Option<EventPlace>),
}

impl Rows {
    fn of(store: &Store, export: &Export, columns: Vec<&'static str>) -> Result<Self, StoreError> {
        Ok(Self {
            snapshot: store.snapshot()?,
            filter: export.filter.clone(),
            columns,
            at: match export.what {
                What::Postings => Place::Postings(None),
                What::History => Place::Changes(None),
                What::Events => Place::Events(None),
            },
            most: None,
            cut: false,
        })
    }
}

impl Source for Rows {
    type Error = StoreError;

    fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    fn total(&mut self) -> Result<u64, StoreError> {
        let what = match self.at {
            Place::Postings(_) => What::Postings,
            Place::Changes(_) => What::History,
            Place::Events(_) => What::Events,
        };
        let Some(most) = self.most else {
            return self.snapshot.count(what, &self.filter);
        };
        read_within(&self.snapshot, most)?;
        let count = self.snapshot.count(what, &self.filter)?;
        self.cut = self.snapshot.is_cut();
        read_within(&self.snapshot, most)?;
        Ok(count)
    }

    fn is_cut(&self) -> bool {
        self.cut
    }

    fn page(&mut self, row: &mut RowFn<'_>) -> Result<bool, StoreError> {
        let (snapshot, filter, columns) = (&self.snapshot, &self.filter, &self.columns);
        match &mut self.at {
            Place::Postings(at) => {
                let wanted = |field: &str| needs(columns, field);
                *at = snapshot.postings(filter, *at, &wanted, &mut |posting| {
                    posting_row(&posting, columns, row)
                })?;
                Ok(at.is_some())
            }
            Place::Changes(at) => {
                let cells = chosen(columns, &CHANGE_CELLS);
                *at = snapshot.changes(filter, at.take(), &mut |change| {
                    pick(&cells, row, |cell| cell(&change))
                })?;
                Ok(at.is_some())
            }
            Place::Events(at) => {
                let cells = chosen(columns, &EVENT_CELLS);
                *at = snapshot.events(filter, *at, &mut |event| {
                    pick(&cells, row, |cell| cell(&event))
                })?;
                Ok(at.is_some())
            }
        }
    }
}

/// Hands on the chosen cells of a row, without a list of its own.
fn pick<'a, C: Copy>(
    columns: &[C],
    row: &mut RowFn<'_>,
    cell: impl Fn(C) -> Cell<'a>,
) -> ControlFlow<()> {
    let mut cells = [Cell::Empty; COLUMNS_MAX];
    for (place, column) in cells.iter_mut().zip(columns) {
        *place = cell(*column);
    }
    row(&cells[..columns.len()])
}

/// Whether a card's field is needed for the columns.
fn needs(columns: &[&'static str], field: &str) -> bool {
    match FieldKey::from(field) {
        FieldKey::Custom(_) => columns.contains(&"custom"),
        FieldKey::Salary => columns.iter().any(|name| name.starts_with("salary")),
        _ => columns.contains(&field),
    }
}

fn posting_row(
    posting: &PostingExport<'_>,
    columns: &[&'static str],
    row: &mut RowFn<'_>,
) -> ControlFlow<()> {
    let value = |key: &str| -> Option<&FieldValue> {
        let field = posting
            .fields
            .iter()
            .find(|field| field.key.name() == key)?;
        field.chosen.as_ref().map(|chosen| &chosen.value)
    };
    let salary = match value("salary") {
        Some(FieldValue::Salary(salary)) => Some(salary),
        _ => None,
    };
    let custom = custom(posting);
    let outcomes: Vec<&str> = posting
        .card
        .outcomes
        .iter()
        .map(|outcome| outcome.word.as_str())
        .collect();
    let outcomes = outcomes.join(", ");
    pick(columns, row, |name| match name {
        "posting" => Cell::Id(&posting.posting.0),
        "level" => Cell::text(posting.level),
        "doubt" if posting.doubt < 0 => Cell::Empty,
        "doubt" => Cell::Int(posting.doubt),
        "status" => Cell::Text(posting.status),
        "first_seen" => Cell::Time(posting.first_seen),
        "updated" => Cell::Time(posting.updated),
        "version" => Cell::Int(posting.version),
        "verdict" => Cell::text(
            posting
                .card
                .verdict
                .as_ref()
                .map(|verdict| verdict.word.as_str()),
        ),
        "verdict_note" => Cell::text(
            posting
                .card
                .verdict
                .as_ref()
                .map(|verdict| verdict.note.as_str()),
        ),
        "outcomes" if outcomes.is_empty() => Cell::Empty,
        "outcomes" => Cell::Text(&outcomes),
        "custom" => custom.as_deref().map_or(Cell::Empty, Cell::Json),
        "salary_min" | "salary_max" | "salary_currency" | "salary_period" => {
            salary.map_or(Cell::Empty, |pay| pay_cell(pay, name))
        }
        field => value_cell(value(field)),
    })
}

fn pay_cell<'a>(pay: &'a Salary, name: &str) -> Cell<'a> {
    let amount = |amount: Option<Amount>| amount.map_or(Cell::Empty, Cell::Amount);
    match name {
        "salary_min" => amount(pay.min),
        "salary_max" => amount(pay.max),
        "salary_currency" => Cell::text(pay.currency.as_deref()),
        _ => Cell::text(pay.period.map(|period| period.word())),
    }
}

/// The user-defined fields as one JSON object: each posting has others, so they cannot be columns.
fn custom(posting: &PostingExport<'_>) -> Option<String> {
    let custom = posting
        .fields
        .iter()
        .filter(|field| matches!(field.key, FieldKey::Custom(_)));
    let values: serde_json::Map<_, _> = custom
        .filter_map(|field| {
            Some((
                field.key.name().to_owned(),
                field.chosen.as_ref()?.value.to_json(),
            ))
        })
        .collect();
    (!values.is_empty()).then(|| serde_json::Value::Object(values).to_string())
}

/// How a column's cell is made of a change.
type ChangeCell = for<'a> fn(&'a ChangeExport<'a>) -> Cell<'a>;
/// How a column's cell is made of an event.
type EventCell = for<'a> fn(&'a EventExport<'a>) -> Cell<'a>;

/// The columns of a history. There are millions of rows: a column is looked up once a page and not for each of them.
const CHANGE_CELLS: [(&str, ChangeCell); 11] = [
    ("posting", |change| Cell::Id(&change.posting.0)),
    ("field", |change| Cell::Text(change.field)),
    ("old", |change| value_cell(change.old.as_ref())),
    ("new", |change| value_cell(change.new.as_ref())),
    ("confidence", |change| Cell::Share(change.confidence)),
    ("source", |change| Cell::Text(change.source)),
    ("author", |change| Cell::Text(change.author)),
    ("name", |change| Cell::text(change.name)),
    ("time", |change| Cell::Time(change.at)),
    ("commit", |change| Cell::Id(&change.commit.0)),
    ("message", |change| Cell::Text(change.message)),
];
const CHANGE_COLUMNS: [&str; CHANGE_CELLS.len()] = names(&CHANGE_CELLS);

/// The columns of events, as those of a history.
const EVENT_CELLS: [(&str, EventCell); 8] = [
    ("origin", |event| Cell::Text(event.origin)),
    ("stream", |event| Cell::Text(event.stream)),
    ("epoch", |event| Cell::Int(event.epoch)),
    ("offset", |event| Cell::Int(event.offset)),
    ("time", |event| Cell::Time(event.ts)),
    ("node", |event| Cell::Text(event.node)),
    ("phase", |event| Cell::Text(event.phase)),
    ("body", |event| Cell::Json(event.body)),
];
const EVENT_COLUMNS: [&str; EVENT_CELLS.len()] = names(&EVENT_CELLS);

const fn names<C: Copy, const N: usize>(cells: &[(&'static str, C); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = cells[at].0;
        at += 1;
    }
    names
}

/// What makes the cells of the chosen columns, in their order.
fn chosen<C: Copy>(columns: &[&'static str], cells: &[(&'static str, C)]) -> Vec<C> {
    let makes = |name| cells.iter().find(|cell| cell.0 == name).map(|cell| cell.1);
    columns.iter().filter_map(|name| makes(*name)).collect()
}

fn value_cell(value: Option<&FieldValue>) -> Cell<'_> {
    value.map_or(Cell::Empty, Cell::Value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hooks, Host};
    use ghostlight_model::{Epoch, Offset, StreamId};
    use ghostlight_store::{LogEvent, Received};
    use std::sync::Arc;

    struct Quiet;

    impl Host for Quiet {}

    #[test]
    fn a_look_that_has_no_time_says_at_least_and_one_that_has_counts() {
        const EVENTS: u64 = 5_000;
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path(), Arc::new(Quiet), Hooks::default()).unwrap();
        let many = (0..EVENTS).map(|n| Received::Event {
            stream: StreamId("run/many".into()),
            epoch: Epoch(1),
            event: LogEvent {
                offset: Offset(n),
                ts: Micros(n as i64),
                body: format!("{{\"node\":\"LOAD\",\"phase\":\"progress\",\"row\":{n}}}"),
            },
        });
        engine.store().receive("x", many.collect()).wait().unwrap();
        let filters = [
            Filter {
                node: Some("LOAD".into()),
                ..Filter::default()
            },
            Filter {
                text: Some("load".into()),
                ..Filter::default()
            },
        ];
        for filter in filters {
            let export = Export {
                filter,
                ..Export::all(What::Events, Format::Csv)
            };
            let look = engine.look_within(&export, Some(Duration::ZERO)).unwrap();
            assert!(!look.whole && look.rows < EVENTS, "{look:?}");
            let look = engine.look(&export).unwrap();
            assert_eq!(
                (look.rows, look.whole, look.first.len()),
                (EVENTS, true, 10)
            );
        }
    }
}
