//! The messages of the notifications region: which are on screen, and which go (SPEC K1).
//!
//! An error stays until a person dismisses it. When there are many, the latest are on screen and the others behind a
//! button; the same error again is counted instead of stacked.

/// How long a message that is no error stays, in ms.
const STAY_MS: i32 = 5_000;
/// Messages on screen at most, unless a person opens the rest. The oldest that is no error goes.
const SHOWN_MAX: usize = 6;
/// Errors among them; earlier ones are behind a button.
const ERRORS_SHOWN_MAX: usize = 4;
/// Errors that are kept. Beyond, the oldest goes and is counted.
const ERRORS_MAX: usize = 100;

/// How a toast looks and how long it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToastKind {
    /// Worth knowing.
    Info,
    /// Done.
    Success,
    /// Worth a look.
    Warning,
    /// Stays until dismissed.
    Error,
}

impl ToastKind {
    /// After how many milliseconds such a toast goes by itself; `None` for one that stays.
    pub fn stays_ms(self) -> Option<i32> {
        (self != ToastKind::Error).then_some(STAY_MS)
    }
}

/// A message for the notifications region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// Given by [`Toasts::add`].
    pub id: u32,
    /// How it looks.
    pub kind: ToastKind,
    /// What happened.
    pub title: String,
    /// What it means and what to do.
    pub body: String,
    /// How often it was said; the same error again is no second toast.
    pub times: u32,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toasts {
    /// Oldest first.
    errors: Vec<Toast>,
    /// Oldest first.
    others: Vec<Toast>,
    /// Errors that went because there were too many, since there was none.
    left_out: u32,
    last: u32,
    /// Whether all errors are on screen.
    is_open: bool,
}

impl Toasts {
    /// A new one.
    pub fn add(&mut self, kind: ToastKind, title: String, body: String) {
        self.last += 1;
        let mut toast = Toast {
            id: self.last,
            kind,
            title,
            body,
            times: 1,
        };
        if kind == ToastKind::Error {
            let same = |other: &Toast| other.title == toast.title && other.body == toast.body;
            if let Some(at) = self.errors.iter().position(same) {
                // Under a new id, so that it is announced again.
                toast.times += self.errors.remove(at).times;
            }
            self.errors.push(toast);
            if self.errors.len() > ERRORS_MAX {
                self.errors.remove(0);
                self.left_out += 1;
            }
        } else {
            self.others.push(toast);
        }
        let room = SHOWN_MAX - self.errors.len().min(ERRORS_SHOWN_MAX);
        let too_many = self.others.len().saturating_sub(room);
        self.others.drain(..too_many);
    }

    /// This one goes: it has been there long enough, or a person has seen it.
    pub fn dismiss(&mut self, id: u32) {
        self.others.retain(|toast| toast.id != id);
        self.errors.retain(|toast| toast.id != id);
        if self.hidden_if_closed() == 0 {
            self.is_open = false;
        }
        if self.errors.is_empty() {
            self.left_out = 0;
        }
    }

    /// Puts all errors on screen, or only the latest again.
    pub fn turn(&mut self) {
        self.is_open = !self.is_open && self.hidden_if_closed() > 0;
    }

    /// Those on screen that are no errors, oldest first.
    pub fn others(&self) -> &[Toast] {
        &self.others
    }

    /// The errors on screen, oldest first.
    pub fn errors(&self) -> &[Toast] {
        match self.is_open {
            true => &self.errors,
            false => &self.errors[self.hidden_if_closed()..],
        }
    }

    /// What the button says that shows the other errors, or takes them from the screen again; `None` without any.
    pub fn button(&self) -> Option<String> {
        match (self.hidden_if_closed(), self.is_open) {
            (0, _) => None,
            (_, true) => Some("Show only the latest errors".to_owned()),
            (1, false) => Some("and 1 more error".to_owned()),
            (more, false) => Some(format!("and {more} more errors")),
        }
    }

    /// Whether all errors are on screen.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// What became of errors beyond all bounds; `None` where none is missing.
    pub fn left_out(&self) -> Option<String> {
        match self.left_out {
            0 => None,
            1 => Some("1 earlier error is not kept.".to_owned()),
            more => Some(format!("{more} earlier errors are not kept.")),
        }
    }

    fn hidden_if_closed(&self) -> usize {
        self.errors.len().saturating_sub(ERRORS_SHOWN_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(toasts: &[Toast]) -> Vec<&str> {
        toasts.iter().map(|toast| toast.title.as_str()).collect()
    }

    fn add(toasts: &mut Toasts, kind: ToastKind, titles: &[&str]) {
        for title in titles {
            toasts.add(kind, (*title).to_owned(), String::new());
        }
    }

    #[test]
    fn an_error_stays_and_everything_else_goes_after_five_seconds() {
        for (kind, stays) in [
            (ToastKind::Info, Some(5_000)),
            (ToastKind::Success, Some(5_000)),
            (ToastKind::Warning, Some(5_000)),
            (ToastKind::Error, None),
        ] {
            assert_eq!(kind.stays_ms(), stays);
        }
    }

    #[test]
    fn a_new_message_takes_the_place_of_the_oldest_that_is_no_error() {
        let mut toasts = Toasts::default();
        add(&mut toasts, ToastKind::Error, &["e"]);
        add(
            &mut toasts,
            ToastKind::Info,
            &["1", "2", "3", "4", "5", "6"],
        );
        assert_eq!(titles(toasts.others()), ["2", "3", "4", "5", "6"]);
        assert_eq!(titles(toasts.errors()), ["e"]);
        // An error takes such a place too, and errors leave some to the others.
        add(&mut toasts, ToastKind::Error, &["f", "g", "h", "i", "j"]);
        assert_eq!(titles(toasts.others()), ["5", "6"]);
        let third = toasts.others()[0].id;
        toasts.dismiss(third);
        toasts.dismiss(third);
        assert_eq!(titles(toasts.others()), ["6"]);
    }

    #[test]
    fn no_error_makes_room_for_another() {
        let mut toasts = Toasts::default();
        let all = ["a", "b", "c", "d", "e", "f", "g"];
        add(&mut toasts, ToastKind::Error, &all);
        assert_eq!(titles(toasts.errors()), ["d", "e", "f", "g"]);
        assert_eq!(toasts.button().as_deref(), Some("and 3 more errors"));
        toasts.turn();
        assert_eq!(titles(toasts.errors()), all);
        assert_eq!(
            toasts.button().as_deref(),
            Some("Show only the latest errors")
        );
        for id in 1..=2 {
            toasts.dismiss(id);
        }
        assert!(toasts.is_open());
        toasts.turn();
        assert_eq!(toasts.button().as_deref(), Some("and 1 more error"));
        // Those that were behind come forward.
        toasts.dismiss(7);
        assert_eq!(titles(toasts.errors()), ["c", "d", "e", "f"]);
        assert_eq!(toasts.button(), None);
        toasts.turn();
        assert!(!toasts.is_open(), "there is nothing to open");
    }

    #[test]
    fn the_same_error_again_is_counted() {
        let mut toasts = Toasts::default();
        add(&mut toasts, ToastKind::Error, &["a", "b", "a", "a"]);
        let told: Vec<(&str, u32)> = toasts
            .errors()
            .iter()
            .map(|toast| (toast.title.as_str(), toast.times))
            .collect();
        assert_eq!(told, [("b", 1), ("a", 3)]);
        toasts.add(ToastKind::Error, "a".into(), "for another reason".into());
        assert_eq!(toasts.errors().len(), 3);
        // What is not an error is said again.
        add(&mut toasts, ToastKind::Info, &["i", "i"]);
        assert_eq!(toasts.others().len(), 2);
    }

    #[test]
    fn errors_beyond_all_bounds_are_counted() {
        let mut toasts = Toasts::default();
        let all: Vec<String> = (0..ERRORS_MAX + 2).map(|n| n.to_string()).collect();
        for title in &all {
            toasts.add(ToastKind::Error, title.clone(), String::new());
        }
        toasts.turn();
        assert_eq!(titles(toasts.errors()), all[2..]);
        assert_eq!(
            toasts.left_out().as_deref(),
            Some("2 earlier errors are not kept.")
        );
        for id in 1..=all.len() as u32 {
            toasts.dismiss(id);
        }
        assert_eq!((toasts.errors().len(), toasts.left_out()), (0, None));
    }
}
