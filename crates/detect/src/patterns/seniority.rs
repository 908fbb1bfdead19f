//! Seniority from the title; from the text, with less confidence, when the title is silent.

use super::{
    Found,
    phrases::{Hit, Phrases},
    text::Doc,
};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::sync::LazyLock;

/// Confidence in thousandths, measured on the labelled texts.
mod sure {
    /// One level in the title.
    pub const TITLE: u16 = 980;
    /// Several in the title ("Senior / Staff").
    pub const TITLE_MIXED: u16 = 790;
    /// A Roman numeral after the role.
    pub const NUMERAL: u16 = 700;
    /// The text calls the role so.
    pub const SENTENCE: u16 = 550;
    /// Years of experience asked for.
    pub const YEARS: u16 = 350;
}

/// Levels; where a title has several, the one further down this list wins, but for an intern,
/// who is one whatever else the title says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Junior,
    Mid,
    Senior,
    Lead,
    Staff,
    Principal,
    Head,
    Director,
    Vp,
    Executive,
    Intern,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Intern => "intern",
            Level::Junior => "junior",
            Level::Mid => "mid",
            Level::Senior => "senior",
            Level::Staff => "staff",
            Level::Lead => "lead",
            Level::Principal => "principal",
            Level::Head => "head",
            Level::Director => "director",
            Level::Vp => "vp",
            Level::Executive => "executive",
        }
    }
}

#[rustfmt::skip]
static WORDS: LazyLock<Phrases<Level>> = LazyLock::new(|| {
    use Level::*;
    Phrases::new(&[
        ("intern", Intern), ("interns", Intern), ("internship", Intern), ("praktikum", Intern), ("praktikant", Intern), ("praktikantin", Intern), ("praktikant:in", Intern), ("praktikant*in", Intern), ("stagiaire", Intern), ("becario", Intern), ("becaria", Intern), ("prácticas", Intern), ("co-op", Intern), ("pflichtpraktikum", Intern), ("stage", Intern),
        ("junior", Junior), ("jr", Junior), ("jr.", Junior), ("entry level", Junior), ("entry-level", Junior), ("graduate", Junior), ("new grad", Junior), ("new graduate", Junior), ("early career", Junior), ("early-career", Junior), ("trainee", Junior), ("berufseinsteiger", Junior), ("débutant", Junior), ("júnior", Junior), ("apprentice", Junior),
        ("mid-level", Mid), ("mid level", Mid), ("midlevel", Mid), ("mid-senior", Mid), ("mid/senior", Mid), ("intermediate", Mid), ("confirmé", Mid), ("semi senior", Mid), ("semi-senior", Mid), ("medior", Mid),
        ("senior", Senior), ("sr", Senior), ("sr.", Senior), ("snr", Senior), ("sénior", Senior), ("seniors", Senior),
        ("staff", Staff), ("principal", Principal), ("lead", Lead), ("teamleiter", Lead), ("teamleiterin", Lead), ("teamleiter:in", Lead), ("teamleitung", Lead), ("team leader", Lead), ("team-lead", Lead), ("chef d'équipe", Lead), ("líder", Lead),
        ("head", Head), ("head of", Head), ("abteilungsleiter", Head), ("abteilungsleiter:in", Head), ("bereichsleiter", Head), ("leiter", Head), ("leiterin", Head), ("responsable de service", Head),
        ("director", Director), ("directeur", Director), ("directrice", Director), ("direktor", Director), ("directora", Director),
        ("vp", Vp), ("svp", Vp), ("evp", Vp), ("avp", Vp), ("rvp", Vp), ("vice president", Vp), ("vice-president", Vp), ("vice président", Vp),
        ("ceo", Executive), ("cto", Executive), ("cfo", Executive), ("coo", Executive), ("cmo", Executive), ("cpo", Executive), ("cio", Executive), ("ciso", Executive), ("cro", Executive), ("chief", Executive), ("geschäftsführer", Executive), ("geschäftsführerin", Executive), ("geschäftsführer:in", Executive), ("président", Executive), ("general manager emea", Executive),
    ])
});

/// The title's level, else what the text says.
pub(crate) fn find(doc: &Doc, title: std::ops::Range<usize>, sink: &mut dyn FnMut(Found)) {
    if let Some(found) = in_title(doc, title.clone()) {
        sink(found);
        return;
    }
    if let Some(found) = in_text(doc, title.end) {
        sink(found);
    }
}

/// The level of a short text: a title or a table cell.
pub(crate) fn only(doc: &Doc) -> Option<Found> {
    in_title(doc, 0..doc.fold.len())
}

fn in_title(doc: &Doc, title: std::ops::Range<usize>) -> Option<Found> {
    let fold = &doc.fold[title.clone()];
    let hits: Vec<Hit<Level>> = WORDS.find(fold).filter(|h| is_level(h, fold)).collect();
    let Some(best) = hits.iter().max_by_key(|h| *h.tag).copied() else {
        return numeral(doc, title);
    };
    let usual = |a: Level, b: Level| {
        a == b || matches!(b, Level::Intern) || (matches!(a, Level::Senior) && b > Level::Senior)
    };
    let either = alternatives(fold);
    let mixed = hits.iter().any(|h| !usual(*h.tag, *best.tag)) || either;
    // "Senior/Lead": who applies must be the first at least.
    let best = if either && *best.tag != Level::Intern {
        hits.first().copied().unwrap_or(best)
    } else {
        best
    };
    let thousandths = if mixed {
        sure::TITLE_MIXED
    } else {
        sure::TITLE
    };
    Some(found(
        *best.tag,
        thousandths,
        title.start + best.start,
        title.start + best.end,
    ))
}

/// "Senior/Staff", "Junior or Senior".
fn alternatives(fold: &str) -> bool {
    [
        "senior/",
        "senior /",
        "/senior",
        "/ senior",
        "junior/",
        "(senior)",
        "senior or",
        "senior to",
        "and senior",
        "staff/",
        "staff /",
    ]
    .iter()
    .any(|w| fold.contains(w))
}

/// Words that mean a level elsewhere, but not here.
fn is_level(hit: &Hit<Level>, title: &str) -> bool {
    let before = title[..hit.start].trim_end();
    let after = title[hit.end..].trim_start();
    let any = |text: &str, words: &[&str]| words.iter().any(|w| text.starts_with(w));
    match hit.phrase {
        "staff" => {
            !before.ends_with("of")
                && !before.ends_with("technical")
                && !any(
                    after,
                    &["accountant", "writer", "augmentation", "training", "nurse"],
                )
        }
        "lead" => !any(
            after,
            &["gen", "to ", "time", "qualification", "development rep"],
        ),
        "chief" => {
            !any(after, &["of staff"])
                && !before.ends_with("to the")
                && !before.contains("assistant")
        }
        "ceo" | "cto" | "cfo" | "coo" | "cmo" | "cpo" | "cio" | "cro" | "ciso" => {
            !before.contains("assistant")
                && !any(after, &["'s", "office", "staff"])
                && !before.ends_with("to the")
                && !before.ends_with("to")
                && !before.ends_with("office of the")
        }
        "head" => {
            any(after, &["of", "-", "–", ",", "coach", "chef", "engineer"])
                || after.is_empty()
                || before.is_empty()
        }
        "graduate" => !any(
            after,
            &["school", "admission", "student", "program manager"],
        ),
        "principal" => !before.ends_with("assistant"),
        "director" => !before.ends_with("assistant to the"),
        "stage" => before.is_empty() || before.ends_with(['-', '–', '(', '|', ':']),
        "associate" => false,
        _ => true,
    }
}

/// "Engineer II": one is junior, two mid, three senior.
fn numeral(doc: &Doc, title: std::ops::Range<usize>) -> Option<Found> {
    let raw = &doc.raw[title.clone()];
    let mut at = 0;
    for word in raw.split(|c: char| !c.is_alphanumeric()) {
        let level = match word {
            "I" | "L1" => Some(Level::Junior),
            "II" | "L2" => Some(Level::Mid),
            "III" | "L3" | "IV" => Some(Level::Senior),
            _ => None,
        };
        // A numeral comes after the role, not first.
        if let Some(level) = level.filter(|_| at > 3) {
            return Some(found(
                level,
                sure::NUMERAL,
                title.start + at,
                title.start + at + word.len(),
            ));
        }
        at += word.len();
        at += raw[at..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

fn in_text(doc: &Doc, from: usize) -> Option<Found> {
    #[rustfmt::skip]
    static SENTENCES: LazyLock<Phrases<Level>> = LazyLock::new(|| {
        use Level::*;
        Phrases::new(&[
            ("entry-level position", Junior), ("entry level position", Junior), ("entry-level role", Junior), ("junior position", Junior), ("junior role", Junior), ("junior developer", Junior), ("junior engineer", Junior),
            ("mid-level", Mid), ("mid level", Mid), ("senior role", Senior), ("senior position", Senior), ("senior-level", Senior), ("a senior", Senior), ("senior engineers", Senior), ("senior developer", Senior), ("senior engineer", Senior), ("seniority: senior", Senior), ("seniority level: entry", Junior), ("staff-level", Staff), ("principal-level", Principal), ("as an intern", Intern), ("this internship", Intern), ("mit berufserfahrung", Mid), ("berufseinsteiger", Junior), ("profil junior", Junior), ("profil senior", Senior), ("débutant accepté", Junior),
        ])
    });
    if let Some(hit) = SENTENCES.find(&doc.fold[from..]).next() {
        return Some(found(
            *hit.tag,
            sure::SENTENCE,
            from + hit.start,
            from + hit.end,
        ));
    }
    let at = [
        "years of experience",
        "years' experience",
        "years experience",
        "years of professional",
        "years of relevant",
        "jahre berufserfahrung",
        "ans d'expérience",
        "años de experiencia",
    ]
    .iter()
    .filter_map(|w| doc.fold[from..].find(w))
    .min()?
        + from;
    let before = doc.before(at, 12).trim_end_matches(['+', ' ']);
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let years: u32 = before[before.len() - digits..].parse().ok()?;
    let level = match years {
        0..=1 => Level::Junior,
        2..=4 => Level::Mid,
        5..=30 => Level::Senior,
        _ => return None,
    };
    Some(found(level, sure::YEARS, at, at + 5))
}

fn found(level: Level, thousandths: u16, start: usize, end: usize) -> Found {
    Found {
        field: FieldKey::Seniority,
        value: FieldValue::Choice(level.word().to_owned()),
        confidence: Confidence::new(thousandths),
        start,
        end,
    }
}
