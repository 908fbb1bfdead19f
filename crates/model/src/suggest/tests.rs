//! What is suggested, in which order, and how it is judged.

use super::*;
use crate::{
    card::{Alternative, Chosen, FieldState},
    commit::{AuthorId, Clock},
    ids::{CaptureId, CommitId, PostingId},
    observation::{Evidence, Layer, Observation},
};
use proptest::prelude::*;

fn text(words: &str) -> FieldValue {
    FieldValue::Text(words.into())
}

fn seen(words: &str, confidence: u16) -> Observation {
    Observation {
        field: FieldKey::Company,
        value: text(words),
        confidence: Confidence::new(confidence),
        source: Source::Parsing,
        method: Method::Pattern,
        evidence: None,
        capture: CaptureId([0; 16]),
        ts: Micros(0),
    }
}

fn field(standing: Option<(&str, u16, Source)>, others: &[(&str, u16, LostBecause)]) -> CardField {
    let chosen = standing.map(|(words, confidence, source)| Chosen {
        value: text(words),
        confidence: Confidence::new(confidence),
        source,
        method: if source == Source::User {
            Method::Manual
        } else {
            Method::Pattern
        },
        observation: None,
        author: None,
    });
    let alternative = |(words, confidence, because): &(&str, u16, LostBecause)| Alternative {
        observation: seen(words, *confidence),
        because: *because,
    };
    CardField {
        key: FieldKey::Company,
        state: FieldState::Found,
        chosen,
        alternatives: others.iter().map(alternative).collect(),
        looked: vec![],
        reason: None,
    }
}

#[derive(Default)]
struct World {
    employer: Vec<FieldValue>,
    precedents: Vec<Precedent>,
    tallies: BTreeMap<Origin, Tally>,
    dismissed: BTreeSet<[u8; 16]>,
    model: Vec<Observation>,
}

impl World {
    fn employer(words: &[&str]) -> Self {
        Self {
            employer: words.iter().map(|w| text(w)).collect(),
            ..Self::default()
        }
    }

    fn corrected(to: &[Option<&str>]) -> Self {
        let precedent = |to: &Option<&str>| Precedent {
            value: Some(text(to.unwrap_or("as it was"))),
            correct: to.is_none(),
        };
        Self {
            precedents: to.iter().map(precedent).collect(),
            ..Self::default()
        }
    }

    fn answered(mut self, origin: Origin, accepted: u32, dismissed: u32) -> Self {
        self.tallies.insert(
            origin,
            Tally {
                accepted,
                dismissed,
            },
        );
        self
    }

    /// Value, per mille, and how many say so, of each suggestion.
    fn of(&self, field: &CardField) -> Vec<(String, u16, u32)> {
        let suggestions = suggest(Known {
            field,
            model: &self.model,
            employer: &self.employer,
            precedents: &self.precedents,
            tallies: &self.tallies,
            dismissed: &self.dismissed,
        });
        let line = |s: Suggestion| {
            let count = s.voices.iter().map(|voice| voice.count).sum();
            (s.value.display(), s.confidence.thousandths(), count)
        };
        suggestions.into_iter().map(line).collect()
    }
}

fn said(words: &str, confidence: u16, count: u32) -> (String, u16, u32) {
    (words.to_owned(), confidence, count)
}

#[test]
fn each_source_is_weighed_against_what_stands() {
    let empty = field(None, &[]);
    assert_eq!(World::default().of(&empty), []);
    // (3 + 1) / (3 + 2), and what one other says.
    let three = World::employer(&["Oriel", "oriel ", "ORIEL"]);
    assert_eq!(three.of(&empty), [said("Oriel", 800, 3)]);
    let split = World::employer(&["Oriel", "Oriel", "Quill"]);
    assert_eq!(
        split.of(&empty),
        [said("Oriel", 600, 2), said("Quill", 400, 1)]
    );
    // Odds 4 against a machine that is sure of something else by 9 to 1.
    let sure = field(Some(("Quill", 900, Source::Parsing)), &[]);
    assert_eq!(three.of(&sure), [said("Oriel", 308, 3)]);
    // 0.9 and 0.93 say different things.
    let other = [("Quill", 900, LostBecause::LessSure)];
    let two = field(Some(("Oriel", 930, Source::Parsing)), &other);
    assert_eq!(World::default().of(&two), [said("Quill", 404, 1)]);
    // Corrections are about what stands.
    let four = World::corrected(&[Some("Oriel Ltd"); 4]);
    assert_eq!(four.of(&sure), [said("Oriel Ltd", 833, 4)]);
    let doubted = World::corrected(&[Some("Oriel Ltd"), None, None]);
    assert_eq!(doubted.of(&sure), [said("Oriel Ltd", 400, 1)]);
    // Nothing beats a person's own value.
    let mine = field(Some(("Mine", 1000, Source::User)), &[]);
    for world in [three, four] {
        assert!(world.of(&mine).iter().all(|(_, sure, _)| *sure < 50));
    }
}

#[test]
fn what_stands_was_decided_against_or_dismissed_is_not_suggested() {
    let others = [
        ("Quill", 900, LostBecause::PersonDecided),
        ("mine!", 900, LostBecause::LessSure),
        (" ", 900, LostBecause::BreaksRule),
    ];
    let mine = field(Some(("Mine", 1000, Source::User)), &others);
    assert_eq!(World::employer(&["quill", "MINE"]).of(&mine), []);
    let mut world = World::employer(&["Oriel", "Quill"]);
    world.dismissed.insert(value_key(&text("oriel")));
    assert_eq!(world.of(&field(None, &[])), [said("Quill", 500, 1)]);
    let many: Vec<String> = (0..20).map(|n| format!("Oriel {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        World::employer(&many).of(&field(None, &[])).len(),
        SUGGESTIONS_MAX
    );
}

#[test]
fn answers_move_the_rank_of_their_kind_and_few_do_not_overrule() {
    let empty = field(None, &[("Quill", 700, LostBecause::Ungrounded)]);
    let world = || World::employer(&["Oriel"]);
    assert_eq!(
        world().of(&empty),
        [said("Quill", 700, 1), said("Oriel", 667, 1)]
    );
    let once = world().answered(Origin::Alternative, 0, 1);
    assert_eq!(
        once.of(&empty),
        [said("Oriel", 667, 1), said("Quill", 651, 1)]
    );
    // One dismissal does not bring down what is well founded.
    let founded = World::employer(&["Oriel"; 9]).answered(Origin::Employer, 0, 1);
    assert!(founded.of(&empty)[0].1 > 800);
    let never = World::employer(&["Oriel"; 9]).answered(Origin::Employer, 0, 40);
    assert_eq!(never.of(&empty)[0].0, "Quill");
    let always = world().answered(Origin::Employer, 40, 0);
    assert_eq!(always.of(&empty)[0], said("Oriel", 957, 1));
    // Beyond the bound more answers say nothing new.
    let bound = world()
        .answered(Origin::Employer, ANSWERS_MAX, 0)
        .of(&empty);
    assert_eq!(
        world().answered(Origin::Employer, u32::MAX, 0).of(&empty),
        bound
    );
}

fn commit(author: &str, message: &str, purpose: Purpose, change: (Source, Option<&str>)) -> Commit {
    let (source, value) = change;
    Commit {
        posting: PostingId([1; 16]),
        parents: vec![],
        author: AuthorId(author.into()),
        clock: Clock {
            wall: Micros(7),
            counter: 0,
        },
        message: message.into(),
        changes: vec![crate::commit::FieldChange {
            field: FieldKey::Company,
            old: None,
            new: value.map(text),
            confidence: Confidence::FULL,
            source,
            method: if source == Source::User {
                Method::Manual
            } else {
                Method::Pattern
            },
            observation: None,
        }],
        purpose,
        settled: vec![],
    }
}

fn run(value: &str) -> Commit {
    commit(
        "pipeline@1",
        "",
        Purpose::Plain,
        (Source::Parsing, Some(value)),
    )
}

fn person(message: &str, value: Option<&str>) -> Commit {
    commit("person-7", message, Purpose::Plain, (Source::User, value))
}

fn back(source: Source, value: Option<&str>) -> Commit {
    let purpose = Purpose::Undo(CommitId([9; 32]));
    commit("person-7", "", purpose, (source, value))
}

/// Machine's value, person's value, whether it was right, and by which suggestion.
fn judged(commits: &[Commit]) -> Option<(Option<String>, String, bool, Option<Origin>)> {
    let mut all = judgements(commits);
    assert!(all.len() <= 1);
    all.pop().map(|j| {
        let correct = j.is_correct();
        (
            j.machine.map(|(v, _)| v.display()),
            j.value.display(),
            correct,
            j.origin,
        )
    })
}

#[test]
fn a_judgement_is_a_persons_value_that_stands() {
    let accepts = message(&[(FieldKey::Company, Origin::Employer)]);
    let some = |machine: &str, value: &str, correct, origin| {
        Some((Some(machine.to_owned()), value.to_owned(), correct, origin))
    };
    assert_eq!(judged(&[run("Quill")]), None);
    let edited = [run("Quill"), person("", Some("Oriel"))];
    assert_eq!(judged(&edited), some("Quill", "Oriel", false, None));
    let confirmed = [run("Quill"), person("", Some("quill"))];
    assert_eq!(judged(&confirmed), some("Quill", "quill", true, None));
    let accepted = [run("Quill"), person(&accepts, Some("Oriel"))];
    assert_eq!(
        judged(&accepted),
        some("Quill", "Oriel", false, Some(Origin::Employer))
    );
    // Where the machines said nothing an acceptance counts, and no method.
    let filled = [person(&accepts, Some("Oriel"))];
    assert_eq!(
        judged(&filled),
        Some((None, "Oriel".into(), false, Some(Origin::Employer)))
    );
    // Undone it is none; done again it counts as before.
    let undone = [
        run("Quill"),
        person(&accepts, Some("Oriel")),
        back(Source::Parsing, Some("Quill")),
    ];
    assert_eq!(judged(&undone), None);
    let redone = [undone.as_slice(), &[back(Source::User, Some("Oriel"))]].concat();
    assert_eq!(judged(&redone), judged(&accepted));
    let withdrawn = [run("Quill"), person("", Some("Oriel")), person("", None)];
    assert_eq!(judged(&withdrawn), None);
    let emptied = [person("", Some("Oriel")), back(Source::User, None)];
    assert_eq!(judged(&emptied), None);
}

#[test]
fn a_message_says_which_kind_suggested_which_field() {
    let accepted = [
        (FieldKey::Company, Origin::Employer),
        (FieldKey::Salary, Origin::Alternative),
        (FieldKey::Remote, Origin::Employer),
    ];
    let words = message(&accepted);
    assert_eq!(
        words,
        "Suggested by another answer of this posting: salary; \
         other postings of the employer: company, remote"
    );
    for (field, origin) in accepted {
        assert_eq!(accepted_from(&words, &field), Some(origin));
    }
    for (message, field) in [
        (words.as_str(), FieldKey::Title),
        ("as the employer says", FieldKey::Company),
        ("Suggested by a friend: company", FieldKey::Company),
        ("Suggested by ", FieldKey::Company),
    ] {
        assert_eq!(accepted_from(message, &field), None, "{message}");
    }
}

proptest! {
    /// Whatever is known, a suggestion is no certainty, differs from what stands, comes once, and in order.
    #[test]
    fn suggestions_are_in_order_and_each_is_another_value(
        standing in proptest::option::of(("[ab]{1,2}", 0_u16..=1000)),
        others in proptest::collection::vec(("[ab ]{0,2}", 0_u16..=1000), 0..6),
        employer in proptest::collection::vec("[ab]{1,2}", 0..8),
        past in proptest::collection::vec(("[ab]{1,2}", any::<bool>()), 0..8),
        answers in proptest::collection::vec((0_u32..2000, 0_u32..2000), 4),
    ) {
        let others: Vec<_> = others.iter().map(|(w, c)| (w.as_str(), *c, LostBecause::LessSure)).collect();
        let standing = standing.as_ref().map(|(w, c)| (w.as_str(), *c, Source::Parsing));
        let field = field(standing, &others);
        let mut world = World::employer(&employer.iter().map(String::as_str).collect::<Vec<_>>());
        world.precedents = past
            .iter()
            .map(|(w, correct)| Precedent { value: Some(text(w)), correct: *correct })
            .collect();
        for (origin, (accepted, dismissed)) in Origin::ALL.into_iter().zip(answers) {
            world.tallies.insert(origin, Tally { accepted, dismissed });
        }
        let found = world.of(&field);
        prop_assert!(found.len() <= SUGGESTIONS_MAX);
        prop_assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        prop_assert!(found.iter().all(|(_, sure, _)| (10..=990).contains(sure)));
        let mut values: Vec<&String> = found.iter().map(|(value, _, _)| value).collect();
        values.sort();
        values.dedup();
        prop_assert_eq!(values.len(), found.len());
        prop_assert!(found.iter().all(|(value, _, _)| standing.is_none_or(|(w, _, _)| w != value)));
        // A dismissed one is gone, and nothing else is.
        if let Some((first, _, _)) = found.first() {
            world.dismissed.insert(value_key(&text(first)));
            let left = world.of(&field);
            prop_assert!(left.iter().all(|(value, _, _)| value != first));
            prop_assert!(found[1..].iter().all(|one| left.contains(one)));
        }
    }
}

#[test]
fn a_model_is_a_source_of_its_own_with_its_words_and_its_rank() {
    let by_model = |words: &str, confidence: u16, quote: Option<&str>| Observation {
        source: Source::Ai,
        method: Method::Model,
        evidence: quote.map(|quote| Evidence {
            layer: Layer::Visible,
            start: 3,
            end: 3 + quote.len() as u32,
            quote: quote.into(),
            pointer: None,
        }),
        ..seen(words, confidence)
    };
    let mut world = World {
        model: vec![
            by_model("Quill", 780, Some("the people of Quill")),
            by_model("Oriel", 300, None),
        ],
        ..World::default()
    };
    let empty = field(None, &[]);
    let shown = |world: &World| {
        let known = Known {
            field: &empty,
            model: &world.model,
            employer: &[],
            precedents: &[],
            tallies: &world.tallies,
            dismissed: &world.dismissed,
        };
        suggest(known)
    };
    let all = shown(&world);
    let origins: Vec<Origin> = all.iter().map(|one| one.voices[0].origin).collect();
    assert_eq!(origins, [Origin::Model, Origin::Model]);
    assert_eq!(all[0].quote.as_deref(), Some("the people of Quill"));
    assert_eq!(
        (all[1].quote.as_deref(), all[1].confidence.thousandths()),
        (None, 300)
    );
    // Its kind sinks with what is dismissed of it, and rises with what is accepted.
    let plain = all[0].confidence;
    world = world.answered(Origin::Model, 0, 4);
    assert!(shown(&world)[0].confidence < plain);
    world = world.answered(Origin::Model, 8, 0);
    assert!(shown(&world)[0].confidence > plain);
    // What lost in a run speaks as the model as well; a dismissed value does not come back.
    let mut lost = field(
        Some(("Umber", 700, Source::Parsing)),
        &[("Quill", 650, LostBecause::LessSure)],
    );
    lost.alternatives[0].observation = by_model("Quill", 650, Some("of Quill"));
    let known = Known {
        field: &lost,
        model: &[],
        employer: &[],
        precedents: &[],
        tallies: &BTreeMap::new(),
        dismissed: &BTreeSet::new(),
    };
    assert_eq!(suggest(known)[0].voices[0].origin, Origin::Model);
    world.dismissed.insert(value_key(&text("Quill")));
    assert!(shown(&world).iter().all(|one| one.value != text("Quill")));
    // What its acceptance is called in the history is read back.
    let words = message(&[(FieldKey::Company, Origin::Model)]);
    assert_eq!(words, "Suggested by the model: company");
    assert_eq!(
        accepted_from(&words, &FieldKey::Company),
        Some(Origin::Model)
    );
}
