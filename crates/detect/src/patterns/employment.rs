//! schema.org employment types from titles, labels, segments and sentences.

use super::{
    Found,
    header::{self, Segment},
    phrases::{Hit, Phrases},
    text::{Doc, Lang},
};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::{ops::Range, sync::LazyLock};

/// Weight of a place in the text, and the confidence it gives (thousandths, measured on the
/// labelled texts).
mod weight {
    pub const SEGMENT: i32 = 97;
    pub const LABEL: i32 = 95;
    pub const TITLE: i32 = 94;
    pub const HEAD_LINE: i32 = 92;
    pub const SENTENCE: i32 = 84;
    pub const WORD: i32 = 60;
}

fn confidence(weight: i32) -> Confidence {
    Confidence::new(match weight {
        96.. => 985,
        93.. => 975,
        90.. => 960,
        84.. => 965,
        70.. => 900,
        60.. => 860,
        _ => 550,
    })
}

/// A word and the type it names.
type Type = &'static str;
const FULL: Type = "FULL_TIME";
const PART: Type = "PART_TIME";
const CONTRACT: Type = "CONTRACTOR";
const TEMPORARY: Type = "TEMPORARY";
const INTERN: Type = "INTERN";
const VOLUNTEER: Type = "VOLUNTEER";
const PER_DIEM: Type = "PER_DIEM";
const OTHER: Type = "OTHER";

/// Words that name a type where one is expected.
#[rustfmt::skip]
static WORDS: LazyLock<Phrases<Type>> = LazyLock::new(|| {
    Phrases::new(&[
        ("full-time", FULL), ("full time", FULL), ("fulltime", FULL), ("full-time/", FULL), ("permanent", FULL), ("ft", FULL), ("vollzeit", FULL), ("festanstellung", FULL), ("unbefristet", FULL), ("temps plein", FULL), ("temps complet", FULL), ("plein temps", FULL), ("cdi", FULL), ("jornada completa", FULL), ("tiempo completo", FULL), ("indefinido", FULL), ("contrato indefinido", FULL), ("tempo integral", FULL),
        ("part-time", PART), ("part time", PART), ("parttime", PART), ("pt", PART), ("teilzeit", PART), ("werkstudent", PART), ("werkstudentin", PART), ("werkstudent:in", PART), ("werkstudierende", PART), ("werkstudierende:r", PART), ("werkstudierender", PART), ("werkstudent*in", PART), ("werkstudententätigkeit", PART), ("working student", PART), ("minijob", PART), ("mini-job", PART), ("midijob", PART), ("geringfügig", PART), ("aushilfe", PART), ("temps partiel", PART), ("mi-temps", PART), ("media jornada", PART), ("tiempo parcial", PART), ("jornada parcial", PART),
        ("contract", CONTRACT), ("contractor", CONTRACT), ("contractors", CONTRACT), ("contractual", CONTRACT), ("freelance", CONTRACT), ("freelancer", CONTRACT), ("independent contractor", CONTRACT), ("contract-to-hire", CONTRACT), ("contract to hire", CONTRACT), ("freiberuflich", CONTRACT), ("freie mitarbeit", CONTRACT), ("freiberufler", CONTRACT), ("indépendant", CONTRACT), ("autónomo", CONTRACT), ("1099", CONTRACT), ("c2c", CONTRACT), ("b2b contract", CONTRACT), ("contracting", CONTRACT),
        ("temporary", TEMPORARY), ("temp", TEMPORARY), ("seasonal", TEMPORARY), ("fixed-term", TEMPORARY), ("fixed term", TEMPORARY), ("befristet", TEMPORARY), ("zeitarbeit", TEMPORARY), ("cdd", TEMPORARY), ("intérim", TEMPORARY), ("interim", TEMPORARY), ("saisonnier", TEMPORARY), ("temporal", TEMPORARY), ("contrato temporal", TEMPORARY), ("maternity cover", TEMPORARY), ("limited-term", TEMPORARY),
        ("intern", INTERN), ("interns", INTERN), ("internship", INTERN), ("internships", INTERN), ("co-op", INTERN), ("praktikum", INTERN), ("praktikant", INTERN), ("praktikantin", INTERN), ("praktikant:in", INTERN), ("praktikant*in", INTERN), ("vollzeitpraktikum", INTERN), ("pflichtpraktikum", INTERN), ("stage", INTERN), ("stagiaire", INTERN), ("prácticas", INTERN), ("becario", INTERN), ("becaria", INTERN), ("estágio", INTERN),
        ("volunteer", VOLUNTEER), ("ehrenamt", VOLUNTEER), ("ehrenamtlich", VOLUNTEER), ("bénévole", VOLUNTEER), ("voluntario", VOLUNTEER), ("voluntariado", VOLUNTEER),
        ("per diem", PER_DIEM), ("per-diem", PER_DIEM), ("prn", PER_DIEM),
        ("alternance", OTHER), ("apprentissage", OTHER), ("contrat d'apprentissage", OTHER), ("contrat d’apprentissage", OTHER), ("apprenticeship", OTHER), ("ausbildung", OTHER), ("duales studium", OTHER), ("contrat de professionnalisation", OTHER), ("formación dual", OTHER),
    ])
});

/// Sentences that name the job's type.
#[rustfmt::skip]
static SENTENCES: LazyLock<Phrases<(Type, i32)>> = LazyLock::new(|| {
    use weight::*;
    Phrases::new(&[
        ("full-time position", (FULL, SENTENCE)), ("full-time role", (FULL, SENTENCE)), ("full-time job", (FULL, SENTENCE)), ("full-time opportunity", (FULL, SENTENCE)), ("full time position", (FULL, SENTENCE)), ("full time role", (FULL, SENTENCE)), ("full time job", (FULL, SENTENCE)), ("this is a full-time", (FULL, SENTENCE + 2)), ("this is a full time", (FULL, SENTENCE + 2)), ("this role is full-time", (FULL, SENTENCE + 2)), ("this role is a full-time", (FULL, SENTENCE + 2)), ("this position is full-time", (FULL, SENTENCE + 2)), ("is a full-time", (FULL, SENTENCE)), ("is a full time", (FULL, SENTENCE)), ("is full-time", (FULL, SENTENCE)), ("full-time, exempt", (FULL, SENTENCE)), ("full time exempt", (FULL, SENTENCE)), ("full-time exempt", (FULL, SENTENCE)), ("full-time in-person", (FULL, SENTENCE)), ("full-time in-office", (FULL, SENTENCE)), ("full-time on-site", (FULL, SENTENCE)), ("full-time onsite", (FULL, SENTENCE)), ("full-time remote", (FULL, SENTENCE)), ("full-time employee", (FULL, WORD + 4)), ("full-time employees", (FULL, WORD - 4)), ("full-time employment", (FULL, WORD + 8)), ("full-time hire", (FULL, WORD + 8)), ("full-time", (FULL, WORD)), ("full time", (FULL, WORD)), ("fulltime", (FULL, WORD)), ("permanent position", (FULL, WORD + 5)), ("permanent role", (FULL, WORD + 5)), ("permanent contract", (FULL, WORD + 2)),
        ("vollzeit", (FULL, WORD + 12)), ("in vollzeit", (FULL, WORD + 14)), ("festanstellung", (FULL, WORD)), ("unbefristete festanstellung", (FULL, WORD + 4)), ("unbefristeter arbeitsvertrag", (FULL, WORD)), ("temps plein", (FULL, WORD + 14)), ("temps complet", (FULL, WORD + 10)), ("contrat à durée indéterminée", (FULL, WORD)), ("cdi", (FULL, WORD)), ("jornada completa", (FULL, WORD + 12)), ("tiempo completo", (FULL, WORD + 10)), ("contrato indefinido", (FULL, WORD)),
        ("part-time position", (PART, SENTENCE)), ("part-time role", (PART, SENTENCE)), ("part time position", (PART, SENTENCE)), ("part time role", (PART, SENTENCE)), ("part-time job", (PART, SENTENCE)), ("this is a part-time", (PART, SENTENCE + 2)), ("this is a part time", (PART, SENTENCE + 2)), ("is a part-time", (PART, SENTENCE)), ("is part-time", (PART, SENTENCE)), ("part-time", (PART, WORD - 12)), ("part time", (PART, WORD - 14)), ("teilzeit", (PART, WORD - 8)), ("werkstudententätigkeit", (PART, WORD)), ("als werkstudent", (PART, WORD + 12)), ("minijob", (PART, WORD)), ("temps partiel", (PART, WORD)), ("media jornada", (PART, WORD)),
        ("contract role", (CONTRACT, SENTENCE)), ("contract position", (CONTRACT, SENTENCE)), ("contract basis", (CONTRACT, SENTENCE - 4)), ("contractor role", (CONTRACT, SENTENCE)), ("contractor position", (CONTRACT, SENTENCE)), ("independent contractor position", (CONTRACT, SENTENCE + 2)), ("independent contractor role", (CONTRACT, SENTENCE + 2)), ("as an independent contractor", (CONTRACT, SENTENCE - 4)), ("independent contractor", (CONTRACT, WORD + 10)), ("independent contractors", (CONTRACT, WORD)), ("freelance basis", (CONTRACT, SENTENCE)), ("freelance role", (CONTRACT, SENTENCE)), ("freelance position", (CONTRACT, SENTENCE)), ("month contract", (CONTRACT, SENTENCE - 6)), ("contract opportunity", (CONTRACT, SENTENCE - 4)), ("contract-to-hire", (CONTRACT, SENTENCE)), ("freelance", (CONTRACT, WORD - 16)), ("freiberuflich", (CONTRACT, WORD)), ("freie mitarbeit", (CONTRACT, WORD)),
        ("temporary position", (TEMPORARY, SENTENCE)), ("temporary role", (TEMPORARY, SENTENCE)), ("fixed-term contract", (TEMPORARY, SENTENCE - 4)), ("fixed term contract", (TEMPORARY, SENTENCE - 4)), ("fixed-term", (TEMPORARY, WORD)), ("seasonal position", (TEMPORARY, SENTENCE)), ("befristet auf", (TEMPORARY, WORD)), ("cdd", (TEMPORARY, WORD)), ("contrat à durée déterminée", (TEMPORARY, WORD)), ("maternity leave cover", (TEMPORARY, WORD)), ("maternity cover", (TEMPORARY, WORD)),
        ("this internship", (INTERN, SENTENCE)), ("internship program", (INTERN, WORD)), ("our internship", (INTERN, WORD)), ("as an intern", (INTERN, WORD + 10)), ("summer internship", (INTERN, WORD)), ("praktikum", (INTERN, WORD - 10)), ("pflichtpraktikum", (INTERN, WORD)), ("stage de fin d'études", (INTERN, WORD + 12)), ("stage de", (INTERN, WORD)), ("convention de stage", (INTERN, WORD)), ("beca", (INTERN, WORD - 15)),
        ("volunteer position", (VOLUNTEER, SENTENCE)), ("volunteer role", (VOLUNTEER, SENTENCE)), ("unpaid volunteer", (VOLUNTEER, SENTENCE)), ("per diem position", (PER_DIEM, SENTENCE)), ("on a per diem", (PER_DIEM, SENTENCE)),
        ("contrat d'apprentissage", (OTHER, WORD + 12)), ("contrat d’apprentissage", (OTHER, WORD + 12)), ("contrat en alternance", (OTHER, WORD + 12)), ("en alternance", (OTHER, WORD)), ("apprenticeship", (OTHER, WORD - 10)),
    ])
});

#[rustfmt::skip]
static LABELS: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("employment type", ()), ("employment", ()), ("job type", ()), ("job types", ()), ("type", ()), ("type of employment", ()), ("position type", ()), ("contract type", ()), ("contract", ()), ("work schedule", ()), ("schedule", ()), ("time type", ()), ("work type", ()), ("employment status", ()), ("status", ()), ("job status", ()), ("appointment type", ()), ("commitment", ()), ("hours", ()), ("role type", ()), ("engagement", ()), ("type of contract", ()), ("duration", ()),
        ("arbeitszeit", ()), ("anstellungsart", ()), ("beschäftigungsart", ()), ("vertragsart", ()), ("art", ()), ("art der anstellung", ()), ("beschäftigung", ()), ("umfang", ()), ("anstellung", ()), ("arbeitszeitmodell", ()), ("arbeitsverhältnis", ()),
        ("type de contrat", ()), ("type d'emploi", ()), ("type d’emploi", ()), ("contrat", ()), ("temps de travail", ()), ("durée du travail", ()), ("rythme", ()),
        ("tipo de contrato", ()), ("tipo de empleo", ()), ("jornada", ()), ("jornada laboral", ()), ("contrato", ()), ("tipo de jornada", ()),
    ])
});

/// The type a short text names, if any.
pub(crate) fn word(fold: &str) -> Option<Type> {
    WORDS.find(fold).next().map(|h| *h.tag)
}

/// The length of the first such word, in bytes.
pub(crate) fn word_len(fold: &str) -> Option<usize> {
    WORDS.find(fold).next().map(|hit| hit.phrase.len())
}

/// The types with the heaviest cue.
pub(crate) fn find(doc: &Doc, segments: &[(Range<usize>, Segment)], sink: &mut dyn FnMut(Found)) {
    let mut cues: Vec<(i32, Type, usize, usize)> = Vec::new();
    let mut words = |span: Range<usize>, weight: i32, keep: &dyn Fn(&Hit<Type>, &str) -> bool| {
        let fold = &doc.fold[span.clone()];
        for hit in WORDS.find(fold).filter(|h| keep(h, fold)) {
            cues.push((
                weight,
                *hit.tag,
                span.start + hit.start,
                span.start + hit.end,
            ));
        }
    };
    for (span, kind) in segments {
        if matches!(
            kind,
            Segment::Employment | Segment::Remote | Segment::Other | Segment::Place | Segment::Pay
        ) {
            words(span.clone(), weight::SEGMENT, &|_, _| true);
        }
    }
    if let Some(line) = doc.head_line().filter(|_| segments.is_empty()) {
        words(
            line.start..line.end,
            weight::TITLE,
            &|hit, title| match hit.phrase {
                "stage" => doc.lang == Lang::Fr && title_word(hit, title),
                _ => title_word(hit, title),
            },
        );
    }
    for value in header::labelled(doc, &LABELS) {
        words(value, weight::LABEL, &|h, _| {
            !matches!(h.phrase, "stage" | "temp")
        });
    }
    const HEAD_LINE_BYTES_MAX: usize = 80;
    for line in header::block(doc)
        .iter()
        .filter(|l| l.end - l.start <= HEAD_LINE_BYTES_MAX)
    {
        words(line.start..line.end, weight::HEAD_LINE, &|h, fold| {
            let is_label = doc.page.is_some() && fold[h.end..].starts_with([':', '\t']);
            !is_label && h.start < 40 && (h.phrase.len() > 4 || fold.len() < 30)
        });
    }
    in_text(doc, &mut cues);
    emit(cues, sink);
}

/// The type of a short text that is known to state it.
pub(crate) fn only(doc: &Doc) -> Option<Found> {
    let cues = WORDS
        .find(&doc.fold)
        .map(|h| (weight::LABEL, *h.tag, h.start, h.end))
        .collect();
    let mut found = None;
    emit(cues, &mut |f| found = found.take().or(Some(f)));
    found
}

/// In a title some words are names of things ("Contracts Manager", "Stage Technician"): those
/// count only between marks.
fn title_word(hit: &Hit<Type>, title: &str) -> bool {
    let before = title[..hit.start].trim_end();
    let after = title[hit.end..].trim_start();
    let opened =
        before.is_empty() || before.ends_with(['(', '[', '-', '–', '—', ',', '|', '/', ':', '·']);
    let closed =
        after.is_empty() || after.starts_with([')', ']', '-', '–', ',', '|', '/', ';', '·', ':']);
    match hit.phrase {
        "contract" => {
            let noun = [
                "manager", "admin", "special", "attorney", "lawyer", "analyst", "nego", "compl",
                "counsel", "law",
            ];
            let job = before.is_empty() && !noun.iter().any(|word| after.starts_with(word));
            let told = closed || after.starts_with("role") || after.starts_with("to ");
            (opened && (told || job)) || (closed && before.ends_with("month"))
        }
        "temp" | "temporary" | "permanent" | "volunteer" | "co-op" | "interim" | "seasonal"
        | "contracting" => opened,
        "stage" => opened,
        "ft" | "pt" | "temporal" => true,
        "1099" => false,
        _ => true,
    }
}

fn in_text(doc: &Doc, cues: &mut Vec<(i32, Type, usize, usize)>) {
    let from = doc.below_head();
    for hit in SENTENCES.find(&doc.fold[from..]) {
        let (start, end) = (from + hit.start, from + hit.end);
        let (kind, weight) = *hit.tag;
        let after = doc.after(end, 22);
        let tail = after.trim_start();
        let before = doc.before(start, 24);
        // Experience asked for, colleagues, benefits: not this job.
        let other = [
            "experience",
            "equivalent",
            "staff",
            "team",
            "professional experience",
            "work experience",
            "offer",
            "students",
            "conversion",
            "offers",
            "engineers",
            "commitments",
            "industry",
        ]
        .iter()
        .any(|w| tail.starts_with(w))
            || [
                "years of",
                "convert to",
                "benefits for",
                "lead to",
                "eligible for",
                "not a",
                "all of our",
                "potential for",
            ]
            .iter()
            .any(|w| before.trim_end().ends_with(w));
        cues.push((if other { 30 } else { weight }, kind, start, end));
    }
}

/// The heaviest types together, in order of appearance; the next kind as an alternative.
fn emit(mut cues: Vec<(i32, Type, usize, usize)>, sink: &mut dyn FnMut(Found)) {
    // An apprenticeship is no type of schema.org's: a type said beside it says more.
    const OTHER_LESS: i32 = 22;
    for cue in cues.iter_mut().filter(|cue| cue.1 == OTHER) {
        cue.0 -= OTHER_LESS;
    }
    cues.sort_by_key(|(weight, _, start, _)| (-weight, *start));
    let Some(&(best, first, start, end)) = cues.first() else {
        return;
    };
    const KINDS_MAX: usize = 4;
    let mut kinds: Vec<String> = Vec::new();
    for (weight, kind, at, _) in &cues {
        // "part-time independent contractor position": two words of one phrase.
        const PHRASE_BYTES: usize = 24;
        let beside = *weight >= weight::SENTENCE - 4 && at.abs_diff(start) <= PHRASE_BYTES;
        let together = if best >= weight::HEAD_LINE {
            *weight >= weight::HEAD_LINE && best - weight <= 3
        } else {
            *kind == first || beside
        };
        if together && !kinds.iter().any(|k| k == kind) && kinds.len() < KINDS_MAX {
            kinds.push((*kind).to_owned());
        }
    }
    sink(Found {
        field: FieldKey::EmploymentType,
        value: FieldValue::List(kinds),
        confidence: confidence(best),
        start,
        end,
    });
    if let Some((weight, kind, start, end)) = cues
        .iter()
        .find(|(weight, kind, ..)| best - weight > 3 && *kind != first)
    {
        let value = FieldValue::List(vec![(*kind).to_owned()]);
        sink(Found {
            field: FieldKey::EmploymentType,
            value,
            confidence: confidence((*weight).min(weight::WORD)),
            start: *start,
            end: *end,
        });
    }
}
