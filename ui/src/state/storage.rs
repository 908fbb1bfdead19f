//! Old history in words: how it is archived, and what came of it.

use super::format::{self, Zone};
use ghostlight_api::view::{
    ArchiveLook, ArchivesView, StorageDone, StorageKind, StorageState, StorageWork,
};

/// Ages to choose from: days, and in words.
pub const AGES: [(u32, &str); 4] = [
    (30, "older than 30 days"),
    (90, "older than 90 days"),
    (365, "older than a year"),
    (0, "of any age"),
];
/// The one to begin with, in days.
pub const AGE: u32 = 90;

/// An age in words.
pub fn age(days: u32) -> String {
    let known = AGES.iter().find(|(known, _)| *known == days);
    known.map_or_else(
        || format!("older than {}", format::plural(days.into(), "day", "days")),
        |(_, words)| (*words).to_owned(),
    )
}

/// What is archived.
pub fn archived(archives: &ArchivesView, zone: Zone) -> String {
    let (Some(oldest), Some(latest)) = (archives.oldest, archives.latest) else {
        return "nothing".into();
    };
    let (oldest, latest) = (format::day(oldest, zone), format::day(latest, zone));
    let when = match oldest == latest {
        true => format!("of {}", format::date(latest)),
        false => format!("from {} to {}", format::date(oldest), format::date(latest)),
    };
    format!(
        "{} {when}, in {} of {}",
        format::plural(archives.versions, "version", "versions"),
        format::plural(archives.files, "file", "files"),
        format::bytes(archives.bytes),
    )
}

/// What archiving would do.
pub fn would(look: &ArchiveLook) -> String {
    let at_least = if look.whole { "" } else { "At least " };
    let kept = match look.kept {
        0 => String::new(),
        1 => " 1 old version would stay, since cards are made from it.".into(),
        n => format!(
            " {} old versions would stay, since cards are made from them.",
            format::count(n)
        ),
    };
    match (look.versions, look.whole) {
        (0, true) => format!("There is nothing to archive.{kept}"),
        (0, false) => format!("The beginning of a large database was looked at.{kept}"),
        (n, _) => format!(
            "{at_least}{} would go, {} as they are now.{kept}",
            format::plural(n, "version", "versions"),
            format::bytes(look.bytes)
        ),
    }
}

/// How it stands.
pub fn standing(work: &StorageWork) -> String {
    let versions = format::plural(work.versions, "version", "versions");
    match (&work.state, work.kind) {
        (StorageState::Moving, StorageKind::Archive) => format!(
            "Archiving: {} of {} looked through, {versions} put away.",
            format::count(work.done),
            format::plural(work.total, "posting", "postings"),
        ),
        (StorageState::Moving, StorageKind::BringBack) => format!(
            "Bringing back: {} of {}, {versions} so far.",
            format::count(work.done),
            format::plural(work.total, "file", "files"),
        ),
        (StorageState::Compacting, _) => {
            "Giving the room back to the system. Saving waits for it.".into()
        }
        (StorageState::Done(done), StorageKind::Archive) => put_away(done),
        (StorageState::Done(done), StorageKind::BringBack) => brought_back(done),
        (StorageState::Failed(error), _) => {
            format!("{error} What was moved before stays moved, the rest is where it was.")
        }
    }
}

fn put_away(done: &StorageDone) -> String {
    let kept = match done.kept {
        0 => String::new(),
        n => format!(
            " {} in the database, since cards are made from {}.",
            match n {
                1 => "1 old version stays".to_owned(),
                n => format!("{} old versions stay", format::count(n)),
            },
            if n == 1 { "it" } else { "them" },
        ),
    };
    match (done.versions, done.stopped) {
        (0, true) => "Stopped. Nothing was archived.".into(),
        (0, false) => format!("There is nothing to archive.{kept}"),
        (n, true) => format!(
            "Stopped. {} archived; the rest is where it was.",
            were(n, "is", "are")
        ),
        (n, false) => format!("{} archived.{}{kept}", were(n, "is", "are"), room(done)),
    }
}

fn brought_back(done: &StorageDone) -> String {
    match (done.versions, done.stopped) {
        (0, true) => "Stopped. Everything is still archived.".into(),
        (0, false) => "There was nothing to bring back.".into(),
        (n, true) => format!(
            "Stopped. {} back in the database; the rest is still archived.",
            were(n, "is", "are")
        ),
        (n, false) => format!(
            "{} back in the database.{}",
            were(n, "is", "are"),
            room(done)
        ),
    }
}

fn were(n: u64, one: &str, many: &str) -> String {
    let verb = if n == 1 { one } else { many };
    format!("{} {verb}", format::plural(n, "version", "versions"))
}

/// What that did to the data folder.
fn room(done: &StorageDone) -> String {
    if let Some(error) = &done.not_compacted {
        return format!(
            " The room could not be given back to the system: {error} The database uses it for what comes."
        );
    }
    let (before, after) = done.bytes;
    match before.cmp(&after) {
        std::cmp::Ordering::Greater => {
            format!(
                " The data folder is {} smaller.",
                format::bytes(before - after)
            )
        }
        std::cmp::Ordering::Less => {
            format!(
                " The data folder is {} larger.",
                format::bytes(after - before)
            )
        }
        std::cmp::Ordering::Equal => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::{ApiError, ErrorCode};
    use ghostlight_model::Micros;

    fn work(kind: StorageKind, state: StorageState) -> StorageWork {
        StorageWork {
            kind,
            state,
            done: 3,
            total: 12,
            versions: 1_204,
            began: Micros(0),
        }
    }

    fn done(versions: u64, kept: u64, bytes: (u64, u64), stopped: bool) -> StorageState {
        StorageState::Done(Box::new(StorageDone {
            versions,
            files: 1,
            kept,
            bytes,
            not_compacted: None,
            stopped,
        }))
    }

    #[test]
    fn each_state_is_said_in_words() {
        use StorageKind::{Archive, BringBack};
        let full = ApiError::new(ErrorCode::Store, "The disk is full.", "Free some space.");
        let not_compacted = StorageState::Done(Box::new(StorageDone {
            versions: 2,
            files: 1,
            kept: 0,
            bytes: (10, 10),
            not_compacted: Some(full.clone()),
            stopped: false,
        }));
        for (kind, state, words) in [
            (
                Archive,
                StorageState::Moving,
                "Archiving: 3 of 12 postings looked through, 1,204 versions put away.",
            ),
            (
                BringBack,
                StorageState::Moving,
                "Bringing back: 3 of 12 files, 1,204 versions so far.",
            ),
            (
                Archive,
                StorageState::Compacting,
                "Giving the room back to the system. Saving waits for it.",
            ),
            (
                Archive,
                done(1_204, 31, (9_000_000, 4_000_000), false),
                "1,204 versions are archived. The data folder is 5.0 MB smaller. 31 old versions stay in the database, \
                 since cards are made from them.",
            ),
            (
                Archive,
                done(0, 1, (9, 9), false),
                "There is nothing to archive. 1 old version stays in the database, since cards are made from it.",
            ),
            (
                Archive,
                done(0, 0, (9, 9), true),
                "Stopped. Nothing was archived.",
            ),
            (
                Archive,
                done(1, 0, (9, 9), true),
                "Stopped. 1 version is archived; the rest is where it was.",
            ),
            (
                BringBack,
                done(1_204, 0, (4_000_000, 9_000_000), false),
                "1,204 versions are back in the database. The data folder is 5.0 MB larger.",
            ),
            (
                BringBack,
                done(0, 0, (9, 9), false),
                "There was nothing to bring back.",
            ),
            (
                BringBack,
                done(0, 0, (9, 9), true),
                "Stopped. Everything is still archived.",
            ),
            (
                BringBack,
                done(7, 0, (9, 9), true),
                "Stopped. 7 versions are back in the database; the rest is still archived.",
            ),
            (
                Archive,
                StorageState::Failed(full),
                "The disk is full. What was moved before stays moved, the rest is where it was.",
            ),
            (
                Archive,
                not_compacted,
                "2 versions are archived. The room could not be given back to the system: The disk is full. The \
                 database uses it for what comes.",
            ),
        ] {
            let said = standing(&work(kind, state));
            assert_eq!(said.replace('\u{202f}', ","), words);
        }
    }

    #[test]
    fn what_is_archived_is_said_with_its_days() {
        let utc = Zone { minutes: 0 };
        assert_eq!(archived(&ArchivesView::default(), utc), "nothing");
        const DAY: i64 = 86_400_000_000;
        let some = ArchivesView {
            files: 2,
            bytes: 1_500,
            versions: 1,
            oldest: Some(Micros(20_000 * DAY)),
            latest: Some(Micros(20_000 * DAY + 5)),
        };
        let words = archived(&some, utc);
        assert_eq!(words, "1 version of 4 Oct 2024, in 2 files of 2 kB");
        let more = ArchivesView {
            latest: Some(Micros(20_100 * DAY)),
            ..some
        };
        let words = archived(&more, utc);
        assert!(
            words.starts_with("1 version from 4 Oct 2024 to 12 Jan 2025"),
            "{words}"
        );
    }

    #[test]
    fn what_would_go_is_said_before() {
        let look = |versions, kept, whole| {
            let look = ArchiveLook {
                versions,
                bytes: 1_204_000,
                kept,
                whole,
            };
            would(&look).replace('\u{202f}', ",")
        };
        for (said, words) in [
            (
                look(1_204, 31, true),
                "1,204 versions would go, 1.2 MB as they are now. 31 old versions would stay, since cards are made from \
                 them.",
            ),
            (
                look(1, 1, true),
                "1 version would go, 1.2 MB as they are now. 1 old version would stay, since cards are made from it.",
            ),
            (
                look(20_000, 0, false),
                "At least 20,000 versions would go, 1.2 MB as they are now.",
            ),
            (look(0, 0, true), "There is nothing to archive."),
            (
                look(0, 2, false),
                "The beginning of a large database was looked at. 2 old versions would stay, since cards are made from \
                 them.",
            ),
        ] {
            assert_eq!(said, words);
        }
    }

    #[test]
    fn an_age_has_words() {
        assert!(AGES.iter().any(|(days, _)| *days == AGE));
        assert_eq!(age(365), "older than a year");
        assert_eq!(age(7), "older than 7 days");
    }
}
