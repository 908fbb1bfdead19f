//! What a person decides about the conflicts of a merge (SPEC E2).
//!
//! A decision is about the values that were on screen. Where a branch moves meanwhile, it stands only in fields in which
//! none of them is another now; elsewhere it is asked again. What was typed stays, whatever is chosen.

use ghostlight_api::{
    command::MergeChoice,
    view::{ConflictRow, MergeView},
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue,
    typed::{self, Editor, TypedError},
};
use std::{collections::BTreeMap, rc::Rc};

/// What is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The checked-out branch's value.
    Ours,
    /// The other's.
    Theirs,
    /// What it was before both.
    Base,
    /// What is typed.
    Typed,
}

/// What became of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Nothing is decided.
    Open,
    /// It was decided about other values than those that stand there now.
    Anew,
    /// This is to stand.
    For(Way),
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    made: BTreeMap<FieldKey, (Way, Rc<MergeView>)>,
    texts: BTreeMap<FieldKey, String>,
    /// Where both branches stood first.
    first: Option<(CommitId, CommitId)>,
}

impl Decisions {
    /// What stands there is seen.
    pub fn see(&mut self, view: &MergeView) {
        self.first.get_or_insert((view.ours.head, view.theirs.head));
    }

    /// Which of both branches went on since they were seen first, by name.
    pub fn went_on<'a>(&self, view: &'a MergeView) -> Vec<&'a str> {
        let Some((ours, theirs)) = self.first else {
            return Vec::new();
        };
        let both = [(&view.ours, ours), (&view.theirs, theirs)].into_iter();
        both.filter(|(branch, first)| branch.head != *first)
            .map(|(branch, _)| branch.name.as_str())
            .collect()
    }

    /// Decides about a field as it stands in `view`.
    pub fn decide(&mut self, field: &FieldKey, way: Way, view: &Rc<MergeView>) {
        self.made.insert(field.clone(), (way, view.clone()));
    }

    /// Decides about all of them.
    pub fn decide_all(&mut self, way: Way, view: &Rc<MergeView>) {
        for conflict in &view.conflicts {
            self.decide(&conflict.field, way, view);
        }
    }

    /// Decides for another text.
    pub fn type_text(&mut self, field: &FieldKey, text: String, view: &Rc<MergeView>) {
        self.texts.insert(field.clone(), text);
        self.decide(field, Way::Typed, view);
    }

    /// What became of a conflict.
    pub fn of(&self, conflict: &ConflictRow) -> Decided {
        let Some((way, seen)) = self.made.get(&conflict.field) else {
            return Decided::Open;
        };
        let mut seen = seen.conflicts.iter();
        match seen.find(|seen| seen.field == conflict.field) {
            Some(seen) if same(seen, conflict) => Decided::For(*way),
            _ => Decided::Anew,
        }
    }

    /// The text of a conflict's editor: what was typed, else what stands on a side.
    pub fn text(&self, conflict: &ConflictRow) -> String {
        match self.texts.get(&conflict.field) {
            Some(text) => text.clone(),
            None => standing(conflict).map(typed::text_of).unwrap_or_default(),
        }
    }

    /// The value that is typed.
    ///
    /// # Errors
    /// Why it is none, in a sentence.
    pub fn typed(&self, conflict: &ConflictRow) -> Result<FieldValue, TypedError> {
        typed::read(&conflict.field, standing(conflict), &self.text(conflict))
    }

    /// How many conflicts are not decided, or decided by a text that is no value.
    pub fn open(&self, view: &MergeView) -> usize {
        let open = |conflict: &&ConflictRow| match self.of(conflict) {
            Decided::Open | Decided::Anew => true,
            Decided::For(Way::Typed) => self.typed(conflict).is_err(),
            Decided::For(_) => false,
        };
        view.conflicts.iter().filter(open).count()
    }

    /// How many are to be decided again.
    pub fn anew(&self, view: &MergeView) -> usize {
        let anew = |conflict: &&ConflictRow| self.of(conflict) == Decided::Anew;
        view.conflicts.iter().filter(anew).count()
    }

    /// What is decided, for the command.
    pub fn resolutions(&self, view: &MergeView) -> Vec<(FieldKey, MergeChoice)> {
        let choice = |conflict: &ConflictRow| {
            let choice = match self.of(conflict) {
                Decided::Open | Decided::Anew => return None,
                Decided::For(Way::Ours) => MergeChoice::Ours,
                Decided::For(Way::Theirs) => MergeChoice::Theirs,
                Decided::For(Way::Base) => MergeChoice::Base,
                // As it is understood here: by the kind of a side, where ours has nothing.
                Decided::For(Way::Typed) => MergeChoice::Value(Some(self.typed(conflict).ok()?)),
            };
            Some((conflict.field.clone(), choice))
        };
        view.conflicts.iter().filter_map(choice).collect()
    }
}

/// How a conflict's value is typed.
pub fn editor(conflict: &ConflictRow) -> Editor {
    Editor::of(&conflict.field, standing(conflict))
}

/// A value of the field, for its kind.
fn standing(conflict: &ConflictRow) -> Option<&FieldValue> {
    let sides = [&conflict.ours, &conflict.theirs].into_iter().flatten();
    let base = conflict.bases.iter().flatten();
    sides.map(|said| &said.value).chain(base).next()
}

/// Whether the same values stand there.
fn same(one: &ConflictRow, other: &ConflictRow) -> bool {
    let values = |row: &ConflictRow| {
        let side = |said: &Option<ghostlight_api::view::SaidView>| {
            said.as_ref().map(|said| said.value.clone())
        };
        (side(&row.ours), side(&row.theirs), row.bases.clone())
    };
    values(one) == values(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::view::{BranchRow, MergeKind, SaidView};
    use ghostlight_model::{Confidence, Micros, Source};

    fn said(text: &str) -> Option<SaidView> {
        (!text.is_empty()).then(|| SaidView {
            value: FieldValue::Text(text.into()),
            confidence: Confidence::default(),
            source: Source::User,
            author: "you".into(),
            at: Micros(0),
        })
    }

    fn branch(name: &str, head: u8) -> BranchRow {
        BranchRow {
            name: name.into(),
            head: CommitId([head; 32]),
            updated: Micros(0),
            author: "you".into(),
            current: name == "main",
        }
    }

    /// Conflicts as `(field, ours, theirs)`, with both heads.
    fn view(heads: (u8, u8), conflicts: &[(FieldKey, &str, &str)]) -> Rc<MergeView> {
        let row = |(field, ours, theirs): &(FieldKey, &str, &str)| ConflictRow {
            field: field.clone(),
            bases: vec![said("before").map(|said| said.value)],
            ours: said(ours),
            theirs: said(theirs),
        };
        Rc::new(MergeView {
            ours: branch("main", heads.0),
            theirs: branch("other", heads.1),
            kind: MergeKind::Join,
            settled: Vec::new(),
            conflicts: conflicts.iter().map(row).collect(),
        })
    }

    #[test]
    fn a_decision_is_about_what_was_seen() {
        let (title, company) = (FieldKey::Title, FieldKey::Company);
        let first = view(
            (1, 1),
            &[(title.clone(), "A", "B"), (company.clone(), "C", "D")],
        );
        let mut made = Decisions::default();
        made.see(&first);
        assert_eq!((made.open(&first), made.anew(&first)), (2, 0));
        made.decide_all(Way::Theirs, &first);
        assert_eq!((made.open(&first), made.went_on(&first)), (0, vec![]));

        // Their title is another: that alone is asked again.
        let next = view(
            (1, 2),
            &[(title.clone(), "A", "B2"), (company.clone(), "C", "D")],
        );
        made.see(&next);
        assert_eq!(made.went_on(&next), ["other"]);
        assert_eq!(made.of(&next.conflicts[0]), Decided::Anew);
        assert_eq!(made.of(&next.conflicts[1]), Decided::For(Way::Theirs));
        assert_eq!((made.open(&next), made.anew(&next)), (1, 1));
        assert_eq!(
            made.resolutions(&next),
            [(company.clone(), MergeChoice::Theirs)]
        );
        made.decide(&title, Way::Theirs, &next);
        assert_eq!((made.open(&next), made.anew(&next)), (0, 0));

        // A conflict that was none before is open.
        let more = view((1, 3), &[(FieldKey::Remote, "onsite", "remote")]);
        assert_eq!((made.open(&more), made.anew(&more)), (1, 0));
    }

    #[test]
    fn what_is_typed_stays_whatever_is_chosen_and_whatever_moves() {
        let about = FieldKey::Description;
        let first = view((1, 1), &[(about.clone(), "Ours\nis two lines", "Theirs")]);
        let mut made = Decisions::default();
        assert_eq!(made.text(&first.conflicts[0]), "Ours\nis two lines");
        made.type_text(&about, "Both\n\nof them".into(), &first);
        made.decide(&about, Way::Base, &first);
        assert_eq!(
            made.resolutions(&first),
            [(about.clone(), MergeChoice::Base)]
        );
        made.decide(&about, Way::Typed, &first);
        let text = FieldValue::Text("Both\n\nof them".into());
        let choice = MergeChoice::Value(Some(text));
        assert_eq!(made.resolutions(&first), [(about.clone(), choice)]);
        let next = view((2, 1), &[(about.clone(), "Ours again", "Theirs")]);
        assert_eq!(made.of(&next.conflicts[0]), Decided::Anew);
        assert_eq!(made.text(&next.conflicts[0]), "Both\n\nof them");
        // No value: it cannot be merged.
        made.type_text(&about, "  ".into(), &next);
        assert_eq!(made.open(&next), 1);
    }

    #[test]
    fn each_kind_has_its_editor_even_where_a_side_has_nothing() {
        let editor_of = |field: FieldKey, ours: &str| {
            editor(&view((1, 1), &[(field, ours, "Theirs")]).conflicts[0])
        };
        assert_eq!(editor_of(FieldKey::Description, "x"), Editor::LongText);
        assert!(matches!(editor_of(FieldKey::Remote, ""), Editor::Choice(_)));
        let own = FieldKey::Custom("notes".into());
        assert_eq!(editor_of(own, ""), Editor::LongText);
    }
}
