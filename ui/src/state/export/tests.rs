//! What is chosen, and what other pages hand over.

use super::*;
use ghostlight_model::Source;

fn parts(choice: &Choice) -> Vec<(&'static str, String)> {
    let form = choice.form().expect("a form");
    form.filter.parts()
}

fn is(parts: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let own = parts.iter();
    own.map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

#[test]
fn the_form_holds_what_fits_and_says_what_is_wrong() {
    let mut choice = Choice::default();
    choice.set_part("from", "2026-03-05".into());
    choice.set_part("until", "2026-03-05".into());
    choice.set_part("text", " Lyon ".into());
    choice.set_part("limit", "1,000".into());
    let form = choice.form().unwrap();
    assert_eq!(form.kind, ExportKind::Table(What::Postings, Format::Csv));
    assert_eq!(form.limit, Some(1_000));
    assert_eq!(
        parts(&choice),
        is(&[
            ("from", "2026-03-05T00:00:00.000Z"),
            ("until", "2026-03-06T00:00:00.000Z"),
            ("text", "Lyon"),
        ])
    );
    // What was typed for another kind says nothing here, but where it fits, too.
    choice.choose("history");
    assert_eq!(choice.form().unwrap().filter.text, None);
    choice.choose("events");
    let form = choice.form().unwrap();
    assert_eq!(form.filter.text.as_deref(), Some("Lyon"));
    assert_eq!(form.filter.stray(What::Events), None);
    for (name, typed, words) in [
        ("until", "soon", "not a day"),
        ("until", "2026-03-04", "after the last"),
        ("limit", "many", "“many” is not a number of rows"),
        ("limit", "0", "at least 1"),
        ("limit", "-1", "at least 1"),
    ] {
        let mut wrong = choice.clone();
        wrong.set_part(name, typed.into());
        let said = wrong.form().unwrap_err();
        assert!(said.contains(words), "{typed}: {said}");
    }
    choice.choose("bundle");
    assert_eq!(
        (choice.word(), choice.form().unwrap().kind),
        ("bundle", ExportKind::Bundle)
    );
}

#[test]
fn every_part_of_the_filter_can_be_chosen_where_it_fits() {
    for what in What::ALL {
        let mut choice = Choice::of(what);
        for part in parts_of(Some(what)) {
            let word = match (part.name, part.input) {
                ("limit", _) => continue,
                ("posting", _) => "0c4341ee70c45c1a361b4a11090a8abf",
                (_, Input::Day) => "2026-03-05T08:30Z",
                (_, Input::Word(words)) => words[0].0,
                _ => "x",
            };
            choice.take(part.name, Some(word.to_owned()));
            if part.input == Input::Found {
                choice.find(part.name, word.to_owned(), "");
            }
        }
        choice.set_part("until", "2026-03-05T08:31Z".into());
        let filter = choice.form().unwrap().filter;
        assert_eq!(filter.stray(what), None);
        // As many as the command line has: nothing else fits.
        let chosen = filter.parts().len();
        let shown = parts_of(Some(what)).len() - 1;
        assert_eq!(chosen, shown, "{what:?}: {filter:?}");
        let fitting = [6, 6, 10][What::ALL.iter().position(|one| *one == what).unwrap()];
        assert_eq!(shown, fitting, "{what:?}");
    }
}

#[test]
fn what_other_pages_show_is_taken_over_or_named() {
    let by_doubt = Choice::of_postings(PostingOrder::Doubt);
    assert_eq!(parts(&by_doubt), []);
    assert!(by_doubt.notes[0].contains("ordered by doubt"));
    assert_eq!(Choice::of_postings(PostingOrder::Recent), Choice::default());

    let posting = PostingId([7; 16]);
    let id = posting.to_string();
    let card = Choice::of_posting(posting, "Tide Reader");
    assert_eq!(parts(&card), is(&[("posting", &id)]));
    assert_eq!(card.found("posting").unwrap().words, "Tide Reader");

    let filter = TimelineFilter {
        field: Some(FieldKey::Salary),
        author: Some("person-1".into()),
        source: Some(Source::User),
        from: Some(Micros(20_000 * DAY_US - 3_600_000_000)),
        before: Some(Micros(20_001 * DAY_US)),
        branch: Some("try".into()),
    };
    let mut history = Choice::of_history(posting, &filter, Some("This is no day.".into()));
    assert_eq!(
        parts(&history),
        is(&[
            ("from", "2024-10-03T23:00:00.000Z"),
            ("until", "2024-10-05T00:00:00.000Z"),
            ("posting", &id),
            ("field", "salary"),
            ("author", "person-1"),
            ("source", "user"),
        ])
    );
    assert_eq!(history.part("until"), "2024-10-04", "the last day");
    assert_eq!(history.notes.len(), 2);
    history.call(PostingId([8; 16]), "Another");
    history.call(posting, "Tide Reader");
    assert_eq!(history.found("posting").unwrap().words, "Tide Reader");

    let runs = Choice::of_runs(&RunFilter {
        origin: Some("feed:3fa1".into()),
        status: Some(RunStatus::Failed),
        text: "night".into(),
    });
    assert_eq!(
        parts(&runs),
        is(&[
            ("origin", "feed:3fa1"),
            ("status", "failed"),
            ("named", "night")
        ])
    );
    let log = Choice::of_log(
        &RunId("hub/run/n".into()),
        "n",
        &EventFilter {
            node: Some("LOAD".into()),
            phase: Some("fail".into()),
            severity: Some(Severity::Warning),
            text: "row 7".into(),
            after: 3,
        },
    );
    assert_eq!(
        parts(&log),
        is(&[
            ("text", "row 7"),
            ("run", "hub/run/n"),
            ("node", "LOAD"),
            ("phase", "fail"),
            ("severity", "warning"),
        ])
    );
    assert!(log.notes[0].contains("cleared"));
    // Something else is no longer what that page showed.
    let mut other = log.clone();
    other.choose("postings");
    assert_eq!(other.notes, [""; 0]);
}

#[test]
fn a_field_that_no_card_has_is_remarked() {
    let mut choice = Choice::of(What::History);
    choice.set_part("field", "salary".into());
    assert_eq!(choice.remarks(), [""; 0]);
    choice.set_part("field", "salry".into());
    assert!(choice.remarks()[0].contains("`salry`"));
    choice.choose("events");
    assert_eq!(choice.remarks(), [""; 0]);
    let has = |name: &str, word: &str| usual(name).iter().any(|one| one == word);
    assert!(has("field", "verdict") && has("node", "SCORE") && has("phase", "fail"));
}

#[test]
fn columns_go_and_come_in_the_order_of_the_file() {
    let known: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
    let mut choice = Choice::default();
    choice.toggle("a", &known);
    assert_eq!(choice.fields, ["b", "c"]);
    choice.toggle("c", &known);
    choice.toggle("b", &known);
    assert_eq!(choice.fields, ["b"], "the last one stays");
    choice.toggle("a", &known);
    assert_eq!(choice.fields, ["a", "b"]);
    choice.toggle("c", &known);
    assert!(choice.fields.is_empty(), "all of them");
}
