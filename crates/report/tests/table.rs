//! Tables as files: read back as they were, cancelled at every row, refused where they cannot be written.
#![allow(clippy::unwrap_used)]

use ghostlight_model::{
    Amount, FieldValue, Micros, Salary,
    export::{Filter, Format, What},
};
use ghostlight_report::{
    Cancel, Cell, Failed, FileError, Job, Progress, Source, Style, Target, Watch, Written, look,
    table::RowFn, unguard, write,
};
use proptest::prelude::*;
use std::{fs, ops::ControlFlow, path::Path};

/// Rows of two texts, in pages; it can break off.
struct Texts {
    rows: Vec<(String, String)>,
    page: usize,
    next: usize,
    fails_at: Option<usize>,
    /// Gives up on counting here, and on gathering.
    gives_up_at: Option<(u64, usize)>,
}

impl Texts {
    fn new(rows: Vec<(String, String)>, page: usize) -> Self {
        Self {
            rows,
            page,
            next: 0,
            fails_at: None,
            gives_up_at: None,
        }
    }

    fn numbered(n: usize, page: usize) -> Self {
        Self::new(
            (0..n)
                .map(|n| (format!("row {n}"), "x".repeat(100)))
                .collect(),
            page,
        )
    }
}

impl Source for Texts {
    type Error = String;

    fn columns(&self) -> &[&'static str] {
        &["title", "note"]
    }

    fn total(&mut self) -> Result<u64, String> {
        let all = self.rows.len() as u64;
        Ok(self.gives_up_at.map_or(all, |(counted, _)| counted))
    }

    fn is_cut(&self) -> bool {
        self.gives_up_at.is_some()
    }

    fn page(&mut self, row: &mut RowFn<'_>) -> Result<bool, String> {
        for (title, note) in self.rows.iter().skip(self.next).take(self.page) {
            if self.gives_up_at.is_some_and(|(_, most)| self.next >= most) {
                return Ok(false);
            }
            if self.fails_at == Some(self.next) {
                return Err("the store went away".into());
            }
            self.next += 1;
            if row(&[Cell::Text(title), Cell::Text(note)]) == ControlFlow::Break(()) {
                return Ok(false);
            }
        }
        Ok(self.next < self.rows.len())
    }
}

fn job(format: Format) -> Job {
    Job {
        what: What::Postings,
        format,
        style: Style::default(),
        filter: Filter {
            text: Some("lamp".into()),
            ..Filter::default()
        },
        limit: None,
        at: Micros(1_767_571_200_000_000),
        version: "0.1.0".into(),
    }
}

fn target(path: &Path) -> Target {
    Target {
        path: path.to_owned(),
        overwrite: false,
    }
}

fn export<S: Source>(source: &mut S, job: &Job, path: &Path) -> Result<Written, Failed<S::Error>> {
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    write(source, job, &target(path), &mut watch)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a reader of CSV finds, apostrophes undone.
fn read_csv(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes);
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| record.iter().map(|cell| unguard(cell).to_owned()).collect())
        .collect()
}

proptest! {
    #[test]
    fn any_text_comes_back(rows in prop::collection::vec((".*", "['=+@\"',;\r\n\tß-]{0,6}"), 0..20), page in 1_usize..7) {
        let folder = tempfile::tempdir().unwrap();
        let path = |format: Format| folder.path().join(format!("out.{}", format.word()));
        for format in Format::ALL {
            let written = export(&mut Texts::new(rows.clone(), page), &job(format), &path(format)).unwrap();
            prop_assert_eq!(written.rows, rows.len() as u64);
            prop_assert_eq!(written.bytes, fs::metadata(path(format)).unwrap().len());
        }
        let csv = read_csv(&fs::read(path(Format::Csv)).unwrap());
        prop_assert_eq!(&csv[0], &["title", "note"]);
        for (found, (title, note)) in csv[1..].iter().zip(&rows) {
            prop_assert_eq!(found, &[title.clone(), note.clone()]);
        }
        prop_assert_eq!(csv.len(), rows.len() + 1);
        let json: serde_json::Value = serde_json::from_slice(&fs::read(path(Format::Json)).unwrap()).unwrap();
        prop_assert_eq!(&json["metadata"]["count"], &serde_json::json!(rows.len()));
        let lines = fs::read_to_string(path(Format::Jsonl)).unwrap();
        let lines: Vec<serde_json::Value> = lines.split_terminator('\n').map(|l| serde_json::from_str(l).unwrap()).collect();
        prop_assert_eq!(json["rows"].as_array().unwrap(), &lines);
        for (line, (title, note)) in lines.iter().zip(&rows) {
            prop_assert_eq!(line, &serde_json::json!({"title": title, "note": note}));
        }
    }
}

#[test]
fn a_spreadsheet_gets_no_formula_and_keeps_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let risky = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "-5", "x=1"];
    let rows: Vec<(String, String)> = risky.map(|text| (text.to_owned(), String::new())).into();
    let guarded = folder.path().join("guarded.csv");
    export(
        &mut Texts::new(rows.clone(), 3),
        &job(Format::Csv),
        &guarded,
    )
    .unwrap();
    let expected =
        "title,note\r\n'=1+1,\r\n'+x,\r\n'-x,\r\n'@x,\r\n'\tx,\r\n\"'\rx\",\r\n-5,\r\nx=1,\r\n";
    assert_eq!(fs::read_to_string(&guarded).unwrap(), expected);
    let bare = Job {
        style: Style {
            bom: true,
            guard: false,
        },
        ..job(Format::Csv)
    };
    let path = folder.path().join("bare.csv");
    export(&mut Texts::new(rows, 3), &bare, &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("\u{feff}title,note\r\n=1+1,\r\n"),
        "{text}"
    );
}

/// One row with a cell of each kind.
struct Kinds;

impl Source for Kinds {
    type Error = String;

    fn columns(&self) -> &[&'static str] {
        &[
            "title", "pay", "list", "at", "share", "number", "nothing", "body", "broken",
        ]
    }

    fn total(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn page(&mut self, row: &mut RowFn<'_>) -> Result<bool, String> {
        let pay = FieldValue::Salary(Salary {
            min: Amount::from_f64(-17.5),
            currency: Some("EUR".into()),
            ..Salary::default()
        });
        let list = FieldValue::List(vec!["-a".into(), "b".into()]);
        let _ = row(&[
            Cell::Text("<img src=x> | [a](b)\n# c"),
            Cell::Value(&pay),
            Cell::Value(&list),
            Cell::Time(Micros(0)),
            Cell::Share(930),
            Cell::Int(-3),
            Cell::Empty,
            Cell::Json("{\"a\":\n [1, \"\\n\"]}"),
            Cell::Json("no json"),
        ]);
        Ok(false)
    }
}

#[test]
fn each_kind_of_cell_keeps_its_type_where_the_format_has_types() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    export(&mut Kinds, &job(Format::Jsonl), &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let row: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(row["pay"]["min"], -17.5);
    assert_eq!(row["list"], serde_json::json!(["-a", "b"]));
    assert_eq!(row["at"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(
        (&row["share"], &row["number"]),
        (&0.93.into(), &(-3).into())
    );
    assert_eq!(row["nothing"], serde_json::Value::Null);
    assert_eq!(row["body"], serde_json::json!({"a": [1, "\n"]}));
    assert_eq!(row["broken"], "no json");
    let markdown = folder.path().join("out.md");
    export(&mut Kinds, &job(Format::Md), &markdown).unwrap();
    let text = fs::read_to_string(&markdown).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("## 1. "))
        .unwrap();
    assert_eq!(line, "## 1. \\<img src=x\\> \\| \\[a\\](b) \\# c");
    let csv = folder.path().join("out.csv");
    export(&mut Kinds, &job(Format::Csv), &csv).unwrap();
    let text = fs::read_to_string(&csv).unwrap();
    assert!(
        text.contains("'-a, b") && text.contains(",0.93,-3,,"),
        "{text}"
    );
}

#[test]
fn cancelled_at_any_row_nothing_is_left_and_nothing_is_replaced() {
    let rows = 60;
    for stop in 0..=rows {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, "before").unwrap();
        let cancel = Cancel::default();
        let mut seen = Progress::default();
        let mut progress = |now: Progress| {
            assert!(now.rows > seen.rows && now.bytes >= seen.bytes && now.total == rows);
            seen = now;
            if now.rows >= stop {
                cancel.cancel();
            }
        };
        if stop == 0 {
            cancel.cancel();
        }
        let mut watch = Watch {
            cancel: &cancel,
            progress: &mut progress,
        };
        let over = Target {
            path: path.clone(),
            overwrite: true,
        };
        let failed = write(
            &mut Texts::numbered(rows as usize, 1),
            &job(Format::Csv),
            &over,
            &mut watch,
        );
        assert_eq!(failed, Err(Failed::Cancelled));
        assert_eq!(seen.rows, stop);
        assert_eq!(names(folder.path()), ["out.csv"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    }
}

#[test]
fn rows_that_break_off_leave_nothing() {
    for at in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let mut source = Texts {
            fails_at: Some(at),
            ..Texts::numbered(20, 3)
        };
        let failed = export(
            &mut source,
            &job(Format::Json),
            &folder.path().join("out.json"),
        );
        assert_eq!(failed, Err(Failed::Source("the store went away".into())));
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_if_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    fs::write(&path, "before").unwrap();
    let refused = export(&mut Texts::numbered(3, 1), &job(Format::Csv), &path);
    assert_eq!(
        refused,
        Err(Failed::File(FileError::Exists { path: path.clone() }))
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    // One that comes meanwhile is not replaced either.
    fs::remove_file(&path).unwrap();
    let mut progress = |_| fs::write(&path, "meanwhile").unwrap();
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut progress,
    };
    let refused = write(
        &mut Texts::numbered(1, 1),
        &job(Format::Csv),
        &target(&path),
        &mut watch,
    );
    assert_eq!(
        refused,
        Err(Failed::File(FileError::Exists { path: path.clone() }))
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "meanwhile");
    assert_eq!(names(folder.path()), ["out.csv"]);
    let over = Target {
        path: path.clone(),
        overwrite: true,
    };
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    write(
        &mut Texts::numbered(1, 1),
        &job(Format::Csv),
        &over,
        &mut watch,
    )
    .unwrap();
    assert_eq!(read_csv(&fs::read(&path).unwrap()).len(), 2);
    assert_eq!(names(folder.path()), ["out.csv"]);
}

// Elsewhere a file that is open is replaced, and its reader keeps the old one.
#[cfg(windows)]
#[test]
fn a_file_that_another_program_has_open_stays_and_is_named() {
    use std::os::windows::fs::OpenOptionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    fs::write(&path, "before").unwrap();
    // As spreadsheets do: others may read it, and not replace it.
    let mut options = fs::OpenOptions::new();
    let open = options.read(true).share_mode(1).open(&path).unwrap();
    let over = Target {
        path: path.clone(),
        overwrite: true,
    };
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    let mut rows = Texts::numbered(1, 1);
    let refused = write(&mut rows, &job(Format::Csv), &over, &mut watch);
    assert_eq!(
        refused.map(|_| ()),
        Err(Failed::File(FileError::Held { path: path.clone() }))
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(names(folder.path()), ["out.csv"]);
    drop(open);
    write(&mut rows, &job(Format::Csv), &over, &mut watch).unwrap();
}

#[test]
fn a_target_that_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/out.csv");
    let job = job(Format::Csv);
    let refused = export(&mut Texts::numbered(3, 1), &job, &missing);
    assert!(
        matches!(&refused, Err(Failed::File(FileError::NoFolder { path })) if path.ends_with("no")),
        "{refused:?}"
    );
    for path in [
        folder.path(),
        Path::new(""),
        Path::new("/"),
        Path::new(".."),
    ] {
        let refused = export(&mut Texts::numbered(3, 1), &job, path);
        assert!(
            matches!(refused, Err(Failed::File(FileError::NoFile { .. }))),
            "{path:?}: {refused:?}"
        );
    }
}

#[test]
fn a_look_shows_the_first_rows_and_the_size() {
    let folder = tempfile::tempdir().unwrap();
    for (rows, limit) in [
        (0, None),
        (7, None),
        (150, Some(20)),
        (5_000, None),
        (5_000, Some(3_000)),
    ] {
        for format in Format::ALL {
            let job = Job {
                limit,
                ..job(format)
            };
            let seen = look(&mut Texts::numbered(rows, 64), &job).unwrap();
            let path = folder
                .path()
                .join(format!("{rows}-{limit:?}.{}", format.word()));
            let written = export(&mut Texts::numbered(rows, 64), &job, &path).unwrap();
            assert_eq!(seen.rows, written.rows);
            let off =
                (seen.bytes as f64 - written.bytes as f64).abs() / written.bytes.max(1) as f64;
            assert!(
                off < 0.05,
                "{format:?} {rows}: {} for {}",
                seen.bytes,
                written.bytes
            );
            assert_eq!(seen.first.len() as u64, written.rows.min(10));
            let file = fs::read_to_string(&path).unwrap();
            let same = seen
                .text
                .chars()
                .zip(file.chars())
                .take_while(|(a, b)| a == b)
                .count();
            assert!(
                same >= file.chars().count().min(1_000),
                "{format:?}: {same}"
            );
        }
    }
}

#[test]
fn a_look_that_gave_up_says_so_and_never_says_less_than_it_saw() {
    let look_at = |gives_up_at, limit| {
        let mut source = Texts {
            gives_up_at,
            ..Texts::numbered(500, 100)
        };
        let job = Job {
            limit,
            ..job(Format::Csv)
        };
        let look = look(&mut source, &job).unwrap();
        (look.rows, look.whole, look.first.len())
    };
    assert_eq!(look_at(None, None), (500, true, 10));
    // Counting came to nothing, and rows were seen.
    assert_eq!(look_at(Some((0, 500)), None), (200, false, 10));
    assert_eq!(look_at(Some((0, 3)), None), (3, false, 3));
    assert_eq!(look_at(Some((0, 0)), None), (0, false, 0));
    // It was counted further than it was looked.
    assert_eq!(look_at(Some((450, 3)), None), (450, false, 3));
    // Enough for who wants no more.
    assert_eq!(look_at(Some((450, 500)), Some(20)), (20, true, 10));
    assert_eq!(look_at(Some((5, 500)), Some(20)), (20, false, 10));
}
