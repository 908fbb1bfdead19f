//! Signals: facts that speak for or against a posting being real, with their evidence (SPEC A7).
//!
//! Each signal states a fact, the rule that was applied, where the rule comes from and what would
//! change it. What they add up to is decided in `ghostlight_model::assess`.

use crate::{Document, judge::REMOVED, phrases::Phrases, place, structured::evidence};
use ghostlight_model::{
    Day, Direction, Evidence, Family, FieldKey, FieldValue, Layer, Micros, Observation, PostingId,
    Signal, Strength,
};
use std::collections::BTreeMap;

/// Texts this alike (share of equal fingerprint bits) count as the same text with other dates or
/// names: three of 64 bits may differ, as in Manku et al. 2007 for near-duplicate web pages.
pub const SAME_TEXT: f64 = 0.95;

/// Age in days from which a posting counts as old: twice the average time to fill a position,
/// rounded up.
const OLD_DAYS: i64 = 90;

/// Age in days up to which a posting counts as recent.
const RECENT_DAYS: i64 = 30;

/// Captures closer together than this are one publication, not a repost.
const REPOST_DAYS: i64 = 7;

/// Words under which a fingerprint says nothing: a few common sentences would look alike.
const FINGERPRINT_WORDS_MIN: usize = 50;

/// Words of a shingle.
const SHINGLE_WORDS: usize = 3;

const OWN_RULE: &str = "Ghostlight rule";

/// What signals are read from.
#[derive(Debug)]
pub struct SignalInput<'a> {
    /// The document.
    pub document: &'a Document,
    /// The winning observation of each field.
    pub fields: &'a BTreeMap<FieldKey, Observation>,
    /// When this capture was made.
    pub captured_at: Micros,
    /// When this posting was first captured by this installation.
    pub first_seen: Micros,
    /// How the posting's page was found gone since this capture, where it was.
    pub gone: Option<&'a Gone>,
    /// Other stored postings with nearly the same text.
    pub similar: &'a [Similar],
    /// Outcomes the analyst recorded (`filled`, `reposted`, `heard_back`, …).
    pub outcomes: &'a [String],
}

/// How a posting's page was found gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// The server answered so: 404 or 410.
    Status(u16),
    /// The page says so, in these words.
    Said(String),
}

/// A stored posting with nearly the same text.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// Which posting.
    pub posting: PostingId,
    /// 0 to 1 (see [`Fingerprint::similarity`]).
    pub similarity: f64,
    /// When it was first captured.
    pub first_seen: Micros,
    /// The employer as detected there, normalised.
    pub company: Option<String>,
    /// The place as detected there, normalised.
    pub place: Option<String>,
}

/// A 64-bit SimHash of a text (Charikar 2002), to find near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a visible text, over its shingles of three words in lower case; `None`
    /// if it has fewer than 50 words, too short to compare.
    pub fn of(visible: &str) -> Option<Self> {
        let words: Vec<String> = visible
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_lowercase)
            .collect();
        if words.len() < FINGERPRINT_WORDS_MIN {
            return None;
        }
        let mut weights = [0_i64; 64];
        for shingle in words.windows(SHINGLE_WORDS) {
            let hash = hash(shingle);
            for (bit, weight) in weights.iter_mut().enumerate() {
                *weight += if hash >> bit & 1 == 1 { 1 } else { -1 };
            }
        }
        let bits = weights
            .iter()
            .enumerate()
            .filter(|(_, w)| **w > 0)
            .fold(0, |bits, (i, _)| bits | 1 << i);
        Some(Self(bits))
    }

    /// 1 for equal texts, about 0.5 for unrelated ones.
    pub fn similarity(self, other: Self) -> f64 {
        1.0 - f64::from((self.0 ^ other.0).count_ones()) / 64.0
    }
}

/// The signals of a posting, in the order they should be shown.
pub fn signals(input: &SignalInput<'_>) -> Vec<Signal> {
    let phrases = Phrases::new(&input.document.visible);
    let found = [
        gone_from_board(input, &phrases),
        valid_through_passed(input),
        posted_date_contradicts_first_seen(input),
        repeated_repost(input),
        outcome_filled(input),
        old_posting(input),
        no_pay_stated(input),
        vague_text(input, &phrases),
        evergreen_wording(&phrases),
        no_hiring_contact(input, &phrases),
        same_text_many_cities(input),
        pay_stated(input),
        recent_posting(input),
        deadline_ahead(input),
        contact_named(input, &phrases),
    ];
    found.into_iter().flatten().collect()
}

fn gone_from_board(input: &SignalInput<'_>, phrases: &Phrases<'_>) -> Option<Signal> {
    let rule = "A posting whose page is gone (HTTP 404 or 410) or says that it is closed can no longer be applied to.";
    let (statement, evidence, source) = match input.gone {
        Some(Gone::Status(status)) => (
            format!("The page answered with HTTP {status}: the posting is not there."),
            None,
            "RFC 9110, sections 15.5.5 and 15.5.11",
        ),
        Some(Gone::Said(words)) => (
            format!("The page now says that the posting is closed: \u{201c}{words}\u{201d}"),
            None,
            OWN_RULE,
        ),
        None => {
            let at = phrases.first_stated(REMOVED)?;
            (
                "The page itself says that the posting is closed.".to_owned(),
                phrases.sentence(at),
                OWN_RULE,
            )
        }
    };
    Some(Signal {
        id: "gone_from_board".into(),
        family: Family::Board,
        strength: Strength::Strong,
        direction: Direction::Against,
        statement,
        evidence,
        rule: rule.into(),
        rule_source: source.into(),
        would_change: "A later capture that shows the posting open again.".into(),
    })
}

fn valid_through_passed(input: &SignalInput<'_>) -> Option<Signal> {
    let (last, evidence) = date(input, &FieldKey::ValidThrough)?;
    let today = input.captured_at.day();
    let days = today.epoch_days() - last.epoch_days();
    (days > 0).then(|| Signal {
        id: "valid_through_passed".into(),
        family: Family::Dates,
        strength: Strength::Strong,
        direction: Direction::Against,
        statement: format!("The posting is valid through {last}; it was captured on {today}, {}.", later(days)),
        evidence,
        rule: "A posting is out of date after the day it names as its last.".into(),
        rule_source: "schema.org JobPosting validThrough; Google Search Central, \"Job posting\" guide: expired jobs are to be removed".into(),
        would_change: "A later last day in a new capture, or a correction of the date.".into(),
    })
}

fn posted_date_contradicts_first_seen(input: &SignalInput<'_>) -> Option<Signal> {
    let (posted, evidence) = date(input, &FieldKey::PostedAt)?;
    let seen = input.first_seen.day();
    let days = posted.epoch_days() - seen.epoch_days();
    // One day of tolerance: the posting's day is in its own time zone, ours in UTC.
    (days > 1).then(|| Signal {
        id: "posted_date_contradicts_first_seen".into(),
        family: Family::Dates,
        strength: Strength::Strong,
        direction: Direction::Against,
        statement: format!("The posting says it was posted on {posted}; it was first seen here on {seen}, {} earlier.", plural(days)),
        evidence,
        rule: "A posting cannot be older than the day it says it was posted; a moved date makes an old posting look new.".into(),
        rule_source: OWN_RULE.into(),
        would_change: "The first capture being of another posting, or a correction of the date.".into(),
    })
}

fn repeated_repost(input: &SignalInput<'_>) -> Option<Signal> {
    let week = REPOST_DAYS * 86_400_000_000;
    let mut times: Vec<i64> = same_employer(input)
        .filter(|s| s.place.is_none() || place_of(input).is_none() || s.place == place_of(input))
        .map(|s| s.first_seen.0)
        .filter(|time| (time - input.first_seen.0).abs() >= week)
        .collect();
    times.sort_unstable();
    times.dedup_by(|later, earlier| *later - *earlier < week);
    (times.len() >= 2).then(|| {
        let days: Vec<String> = times.iter().take(5).map(|t| Micros(*t).day().to_string()).collect();
        Signal {
            id: "repeated_repost".into(),
            family: Family::Repost,
            strength: Strength::Strong,
            direction: Direction::Against,
            statement: format!("The same employer published nearly the same text at {} other times: {}.", times.len(), days.join(", ")),
            evidence: None,
            rule: format!("At least two other postings by the same employer, {} % alike or more, first seen at least {REPOST_DAYS} days apart.", (SAME_TEXT * 100.0) as u32),
            rule_source: "Ghostlight rule; similarity by SimHash (Charikar 2002)".into(),
            would_change: "Evidence that each of them was a position of its own, for example a recorded hire.".into(),
        }
    })
}

fn outcome_filled(input: &SignalInput<'_>) -> Option<Signal> {
    input
        .outcomes
        .iter()
        .any(|o| o == "filled")
        .then(|| Signal {
            id: "outcome_filled".into(),
            family: Family::Outcome,
            strength: Strength::Strong,
            direction: Direction::Against,
            statement: "It is recorded here that the position was filled.".into(),
            evidence: None,
            rule: "A filled position is not open.".into(),
            rule_source: OWN_RULE.into(),
            would_change: "Withdrawing the recorded outcome.".into(),
        })
}

fn old_posting(input: &SignalInput<'_>) -> Option<Signal> {
    let (posted, evidence) = date(input, &FieldKey::PostedAt)?;
    let days = input.captured_at.day().epoch_days() - posted.epoch_days();
    (days > OLD_DAYS).then(|| Signal {
        id: "old_posting".into(),
        family: Family::Dates,
        strength: Strength::Weak,
        direction: Direction::Against,
        statement: format!("The posting was {} old when it was captured.", plural(days)),
        evidence,
        rule: format!("Older than {OLD_DAYS} days: more than twice the average time to fill a position (42 days)."),
        rule_source: "Ghostlight rule; SHRM, Human Capital Benchmarking Report 2016, for the average".into(),
        would_change: "A newer day of posting, or a statement that applications are still read.".into(),
    })
}

fn no_pay_stated(input: &SignalInput<'_>) -> Option<Signal> {
    if input.fields.contains_key(&FieldKey::Salary) {
        return None;
    }
    let location = input.fields.get(&FieldKey::Location)?;
    let FieldValue::Places(places) = &location.value else {
        return None;
    };
    let day = date(input, &FieldKey::PostedAt).map_or(input.captured_at.day(), |(day, _)| day);
    let (name, law) = places.iter().find_map(|place| pay_law(place, day))?;
    Some(Signal {
        id: "no_pay_stated".into(),
        family: Family::Text,
        strength: Strength::Weak,
        direction: Direction::Against,
        statement: format!("No pay was found in the posting, for a position in {name}, where pay transparency law applies."),
        evidence: location.evidence.clone(),
        rule: "Where the law asks employers to state pay to applicants, a posting usually states it. The law has exceptions, for example for small employers.".into(),
        rule_source: law.into(),
        would_change: "A stated pay, a place without such a law, or an exception that applies.".into(),
    })
}

fn vague_text(input: &SignalInput<'_>, phrases: &Phrases<'_>) -> Option<Signal> {
    let text = &input.document.visible;
    let words = text.split_whitespace().take(2000).count();
    // Shorter texts are excerpts or chat messages; longer ones name something somewhere.
    if !(60..2000).contains(&words) {
        return None;
    }
    let items = text
        .lines()
        .filter(|line| line.trim_start().starts_with(['-', '•', '*', '·']))
        .count();
    let concrete = items + phrases.count(CONCRETE);
    (concrete < 3).then(|| Signal {
        id: "vague_text".into(),
        family: Family::Text,
        strength: Strength::Weak,
        direction: Direction::Against,
        statement: format!("The text of {words} words names few concrete duties or requirements ({concrete} found)."),
        evidence: None,
        rule: "Fewer than three list items and words of duties or requirements in a text of 60 words or more.".into(),
        rule_source: OWN_RULE.into(),
        would_change: "A fuller text, for example the employer's own page instead of an excerpt.".into(),
    })
}

fn evergreen_wording(phrases: &Phrases<'_>) -> Option<Signal> {
    let at = phrases.first(EVERGREEN)?;
    Some(Signal {
        id: "evergreen_wording".into(),
        family: Family::Text,
        strength: Strength::Weak,
        direction: Direction::Against,
        statement: "The wording invites applications for later rather than for one open position.".into(),
        evidence: phrases.sentence(at),
        rule: "Phrases such as \"talent pool\", \"always hiring\" or \"future opportunities\" in English, French, German or Spanish.".into(),
        rule_source: OWN_RULE.into(),
        would_change: "A statement that names a position to be filled and when.".into(),
    })
}

fn no_hiring_contact(input: &SignalInput<'_>, phrases: &Phrases<'_>) -> Option<Signal> {
    let has_link = input
        .fields
        .get(&FieldKey::ApplyUrl)
        .is_some_and(|o| o.confidence.thousandths() >= 800);
    let words = input.document.visible.split_whitespace().take(100).count();
    if has_link || words < 60 || contact(input, phrases).is_some() || phrases.first(APPLY).is_some()
    {
        return None;
    }
    Some(Signal {
        id: "no_hiring_contact".into(),
        family: Family::Text,
        strength: Strength::Weak,
        direction: Direction::Against,
        statement: "The posting names no contact, no e-mail address and no way to apply.".into(),
        evidence: None,
        rule: "A posting that wants applications says where to send them.".into(),
        rule_source: OWN_RULE.into(),
        would_change: "A contact or an application link in a fuller capture.".into(),
    })
}

fn same_text_many_cities(input: &SignalInput<'_>) -> Option<Signal> {
    let mut places: Vec<&String> = same_employer(input)
        .filter_map(|s| s.place.as_ref())
        .collect();
    let own = place_of(input);
    places.retain(|p| Some(*p) != own.as_ref());
    places.sort();
    places.dedup();
    (places.len() >= 3).then(|| Signal {
        id: "same_text_many_cities".into(),
        family: Family::Repost,
        strength: Strength::Weak,
        direction: Direction::Against,
        statement: format!(
            "The same employer published nearly the same text for {} other places.",
            places.len()
        ),
        evidence: None,
        rule: "Nearly the same text for at least three other places.".into(),
        rule_source: OWN_RULE.into(),
        would_change: "Evidence that there is a position in each place.".into(),
    })
}

fn pay_stated(input: &SignalInput<'_>) -> Option<Signal> {
    let salary = input.fields.get(&FieldKey::Salary)?;
    Some(favourable(
        "pay_stated",
        Family::Text,
        format!("The posting states its pay: {}.", salary.value.display()),
        salary.evidence.clone(),
        "An employer who states pay has usually set a budget for the position.",
        "The statement of pay being about something else.",
    ))
}

fn recent_posting(input: &SignalInput<'_>) -> Option<Signal> {
    let (posted, evidence) = date(input, &FieldKey::PostedAt)?;
    let days = input.captured_at.day().epoch_days() - posted.epoch_days();
    (-1..=RECENT_DAYS).contains(&days).then(|| {
        favourable(
            "recent_posting",
            Family::Dates,
            format!("The posting was {} old when it was captured.", plural(days.max(0))),
            evidence,
            "Most positions are filled within six weeks, so a posting of the last 30 days is likely open.",
            "An earlier capture of the same posting.",
        )
    })
}

fn deadline_ahead(input: &SignalInput<'_>) -> Option<Signal> {
    let (last, evidence) = date(input, &FieldKey::ValidThrough)?;
    (last >= input.captured_at.day()).then(|| {
        favourable(
            "deadline_ahead",
            Family::Dates,
            format!("The posting names a last day that had not passed: {last}."),
            evidence,
            "A posting with a last day ahead is meant to be open until then.",
            "The day passing, or being moved again and again.",
        )
    })
}

fn contact_named(input: &SignalInput<'_>, phrases: &Phrases<'_>) -> Option<Signal> {
    let evidence = contact(input, phrases)?;
    Some(favourable(
        "contact_named",
        Family::Text,
        "The posting names somebody to write to or to ask.".into(),
        Some(evidence),
        "Somebody who answers for a posting stands behind it.",
        "The contact being unknown to the employer.",
    ))
}

fn favourable(
    id: &str,
    family: Family,
    statement: String,
    evidence: Option<Evidence>,
    rule: &str,
    would_change: &str,
) -> Signal {
    Signal {
        id: id.into(),
        family,
        strength: Strength::Weak,
        direction: Direction::For,
        statement,
        evidence,
        rule: rule.into(),
        rule_source: OWN_RULE.into(),
        would_change: would_change.into(),
    }
}

/// An e-mail address that is for applicants, or words that introduce a contact person.
fn contact(input: &SignalInput<'_>, phrases: &Phrases<'_>) -> Option<Evidence> {
    email(&input.document.visible).or_else(|| phrases.sentence(phrases.first(CONTACT)?))
}

fn email(text: &str) -> Option<Evidence> {
    const NOT_FOR_APPLICANTS: [&str; 9] = [
        "accommodat",
        "privacy",
        "gdpr",
        "noreply",
        "no-reply",
        "abuse",
        "legal",
        "datenschutz",
        "press",
    ];
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    for (at, _) in text.match_indices('@').take(50) {
        let local = text[..at].len()
            - text[..at]
                .chars()
                .rev()
                .take(64)
                .take_while(|c| part(*c))
                .count();
        let domain = at
            + 1
            + text[at + 1..]
                .chars()
                .take(100)
                .take_while(|c| part(*c))
                .count();
        let address = text[local..domain].trim_end_matches(['.', '-']);
        let has_domain = address[at - local + 1..]
            .split('.')
            .filter(|label| !label.is_empty())
            .count()
            >= 2;
        let lower = address.to_lowercase();
        if local < at && has_domain && !NOT_FOR_APPLICANTS.iter().any(|w| lower.contains(w)) {
            return evidence(text, Layer::Visible, local..local + address.len(), None);
        }
    }
    None
}

/// The law that asks for pay in postings for `place` on `day`: the place's name and its citation.
fn pay_law(place: &ghostlight_model::Place, day: Day) -> Option<(&'static str, &'static str)> {
    // In the EU, applicants are to be told the pay before the interview, "for example in a
    // published job vacancy notice"; member states apply it from 7 June 2026.
    const EU: [&str; 27] = [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
        "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ];
    let country = place.country.as_deref();
    if country.is_some_and(|c| EU.contains(&c)) && day >= Day::new(2026, 6, 7)? {
        return Some((
            "the European Union",
            "Directive (EU) 2023/970, Article 5(1)",
        ));
    }
    if country.is_some_and(|c| c != "US") {
        return None;
    }
    let code = place::us_state_code(place.region.as_deref()?)?;
    let (_, name, law, (year, month, first)) =
        US_PAY_LAWS.iter().find(|(state, ..)| *state == code)?;
    (day >= Day::new(*year, *month, *first)?).then_some((name, law))
}

type StateLaw = (&'static str, &'static str, &'static str, (i16, u8, u8));

/// State, name, statute, first day of effect.
const US_PAY_LAWS: [StateLaw; 11] = [
    (
        "CO",
        "Colorado",
        "Colorado Revised Statutes § 8-5-201",
        (2021, 1, 1),
    ),
    (
        "CA",
        "California",
        "California Labor Code § 432.3",
        (2023, 1, 1),
    ),
    (
        "WA",
        "Washington",
        "Revised Code of Washington 49.58.110",
        (2023, 1, 1),
    ),
    (
        "NY",
        "New York",
        "New York Labor Law § 194-b",
        (2023, 9, 17),
    ),
    (
        "DC",
        "the District of Columbia",
        "D.C. Wage Transparency Omnibus Amendment Act of 2023",
        (2024, 6, 30),
    ),
    (
        "MD",
        "Maryland",
        "Maryland Code, Labor and Employment § 3-304.2",
        (2024, 10, 1),
    ),
    (
        "IL",
        "Illinois",
        "Illinois Equal Pay Act, 820 ILCS 112/10",
        (2025, 1, 1),
    ),
    (
        "MN",
        "Minnesota",
        "Minnesota Statutes § 181.173",
        (2025, 1, 1),
    ),
    (
        "NJ",
        "New Jersey",
        "New Jersey Statutes 34:6B-23",
        (2025, 6, 1),
    ),
    ("VT", "Vermont", "21 Vermont Statutes § 495t", (2025, 7, 1)),
    (
        "MA",
        "Massachusetts",
        "Massachusetts General Laws c. 149, § 105F",
        (2025, 10, 29),
    ),
];

fn same_employer<'a>(input: &'a SignalInput<'_>) -> impl Iterator<Item = &'a Similar> {
    let company = input
        .fields
        .get(&FieldKey::Company)
        .map(|o| o.value.normalised());
    input
        .similar
        .iter()
        .filter(move |s| s.similarity >= SAME_TEXT && company.is_some() && s.company == company)
}

fn place_of(input: &SignalInput<'_>) -> Option<String> {
    input
        .fields
        .get(&FieldKey::Location)
        .map(|o| o.value.normalised())
}

fn date(input: &SignalInput<'_>, key: &FieldKey) -> Option<(Day, Option<Evidence>)> {
    let observation = input.fields.get(key)?;
    match observation.value {
        FieldValue::Date(day) => Some((day, observation.evidence.clone())),
        _ => None,
    }
}

fn plural(days: i64) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

fn later(days: i64) -> String {
    format!("{} later", plural(days))
}

/// FNV-1a over the words, mixed so that short words fill all bits (the finaliser of MurmurHash3).
fn hash(words: &[String]) -> u64 {
    let bytes = words.iter().flat_map(|w| w.bytes().chain([0]));
    let mut h = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    h = (h ^ h >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ h >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ h >> 33
}

const EVERGREEN: &[&str] = &[
    "talent pool",
    "talent community",
    "talent network",
    "talent pipeline",
    "always hiring",
    "always looking for",
    "always on the lookout for",
    "future opportunities",
    "future openings",
    "future positions",
    "future roles",
    "evergreen",
    "expression of interest",
    "general application",
    "speculative application",
    "not an active opening",
    "not a current opening",
    "pipeline requisition",
    "no immediate opening",
    "may not be a current opening",
    "continuously accepting applications",
    "vivier de talents",
    "vivier de candidats",
    "candidature spontanée",
    "candidatures spontanées",
    "futures opportunités",
    "opportunités futures",
    "talentpool",
    "talent-pool",
    "initiativbewerbung",
    "zukünftige positionen",
    "künftige stellen",
    "bewerberpool",
    "bolsa de trabajo",
    "bolsa de empleo",
    "futuras oportunidades",
    "candidatura espontánea",
    "futuras vacantes",
];

const CONCRETE: &[&str] = &[
    "years",
    "degree",
    "bachelor",
    "diploma",
    "certificate",
    "licence",
    "license",
    "experience",
    "knowledge",
    "skills",
    "required",
    "requirements",
    "must have",
    "responsible for",
    "responsibilities",
    "duties",
    "you will",
    "report to",
    "reports to",
    "proficiency",
    "fluent",
    "tasks",
    "aufgaben",
    "erfahrung",
    "kenntnisse",
    "ausbildung",
    "studium",
    "verantwortlich",
    "profil",
    "anforderungen",
    "missions",
    "expérience",
    "compétences",
    "diplôme",
    "maîtrise",
    "responsable de",
    "funciones",
    "experiencia",
    "conocimientos",
    "titulación",
    "requisitos",
    "responsabilidades",
];

const CONTACT: &[&str] = &[
    "contact person",
    "your contact",
    "hiring manager:",
    "recruiter:",
    "please contact",
    "questions? contact",
    "for questions, contact",
    "contact us at",
    "ansprechpartner",
    "ansprechpartnerin",
    "ihre ansprechperson",
    "bei fragen",
    "votre contact",
    "personne à contacter",
    "contactez",
    "persona de contacto",
    "contacto:",
];

const APPLY: &[&str] = &[
    "apply",
    "application form",
    "apply now",
    "apply here",
    "submit your",
    "send your",
    "bewerben",
    "bewerbung",
    "jetzt bewerben",
    "postuler",
    "candidature",
    "candidatez",
    "inscribirse",
    "aplicar",
    "envía tu",
    "solicitar",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RawInput, open};
    use ghostlight_model::{
        Assessment, CaptureId, Confidence, Level, Place, Salary, Source, observation::Method,
    };

    const TODAY: i64 = 20_778; // 2026-11-21

    fn at(days: i64) -> Micros {
        Micros((TODAY + days) * 86_400_000_000)
    }

    fn day(days: i64) -> FieldValue {
        FieldValue::Date(at(days).day())
    }

    fn place(region: &str, country: &str) -> FieldValue {
        let place = Place {
            region: Some(region.into()),
            country: Some(country.into()),
            ..Place::default()
        };
        FieldValue::Places(vec![place])
    }

    struct Case {
        text: String,
        fields: Vec<(FieldKey, FieldValue)>,
        gone: Option<Gone>,
        first_seen: i64,
        similar: Vec<Similar>,
        outcomes: Vec<String>,
    }

    fn case(text: &str, fields: Vec<(FieldKey, FieldValue)>) -> Case {
        Case {
            text: text.into(),
            fields,
            gone: None,
            first_seen: 0,
            similar: vec![],
            outcomes: vec![],
        }
    }

    fn run(case: &Case) -> Vec<Signal> {
        let input = RawInput {
            bytes: case.text.as_bytes(),
            name: None,
            url: None,
            content_type: None,
        };
        let document = open(&input).unwrap().remove(0);
        let fields = case.fields.iter().map(|(key, value)| {
            let observation = Observation {
                field: key.clone(),
                value: value.clone(),
                confidence: Confidence::FULL,
                source: Source::Parsing,
                method: Method::JsonLd,
                evidence: None,
                capture: CaptureId::of(&[]),
                ts: Micros(0),
            };
            (key.clone(), observation)
        });
        let fields: BTreeMap<_, _> = fields.collect();
        let found = signals(&SignalInput {
            document: &document,
            fields: &fields,
            captured_at: at(0),
            first_seen: at(case.first_seen),
            gone: case.gone.as_ref(),
            similar: &case.similar,
            outcomes: &case.outcomes,
        });
        for signal in &found {
            assert!(
                signal
                    .evidence
                    .as_ref()
                    .is_none_or(|e| e.holds_in(&document.visible)),
                "{signal:?}"
            );
            assert!(
                [
                    &signal.rule,
                    &signal.rule_source,
                    &signal.would_change,
                    &signal.statement
                ]
                .iter()
                .all(|t| !t.is_empty())
            );
        }
        found
    }

    fn ids(case: &Case) -> String {
        run(case)
            .iter()
            .map(|s| s.id.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn each_signal_has_its_fact() {
        let apply = "Apply at the counter.";
        for (text, fields, want) in [
            ("This position has been filled.", vec![], "gone_from_board"),
            (
                "The advert stays until the position has been filled.",
                vec![],
                "",
            ),
            (
                "Diese Stelle ist bereits besetzt.",
                vec![],
                "gone_from_board",
            ),
            ("Cette offre a été pourvue.", vec![], "gone_from_board"),
            ("La oferta ha caducado.", vec![], "gone_from_board"),
            (
                apply,
                vec![(FieldKey::ValidThrough, day(-1))],
                "valid_through_passed",
            ),
            (
                apply,
                vec![(FieldKey::ValidThrough, day(0))],
                "deadline_ahead",
            ),
            (apply, vec![(FieldKey::PostedAt, day(-91))], "old_posting"),
            (apply, vec![(FieldKey::PostedAt, day(-90))], ""),
            (
                apply,
                vec![(FieldKey::PostedAt, day(-30))],
                "recent_posting",
            ),
            (
                apply,
                vec![(FieldKey::Location, place("CO", "US"))],
                "no_pay_stated",
            ),
            (apply, vec![(FieldKey::Location, place("Texas", "US"))], ""),
            (
                apply,
                vec![(FieldKey::Location, place("Bayern", "DE"))],
                "no_pay_stated",
            ),
            (
                apply,
                vec![
                    (FieldKey::Location, place("Bayern", "DE")),
                    (FieldKey::PostedAt, day(-365)),
                ],
                "old_posting",
            ),
            (
                apply,
                vec![
                    (FieldKey::Location, place("CO", "US")),
                    (FieldKey::Salary, FieldValue::Salary(Salary::default())),
                ],
                "pay_stated",
            ),
            ("Join our talent pool.", vec![], "evergreen_wording"),
            (
                "Initiativbewerbung willkommen.",
                vec![],
                "evergreen_wording",
            ),
            (
                "Write to Ada at ada@oriel.example.",
                vec![],
                "contact_named",
            ),
            ("Ask privacy@oriel.example about your data.", vec![], ""),
        ] {
            assert_eq!(ids(&case(text, fields)), want, "{text}");
        }
    }

    #[test]
    fn a_gone_page_needs_no_words() {
        for (gone, fact) in [
            (Gone::Status(404), "HTTP 404"),
            (
                Gone::Said("This job is closed.".into()),
                "This job is closed.",
            ),
        ] {
            let gone = Case {
                gone: Some(gone),
                ..case("Night Baker", vec![])
            };
            assert_eq!(ids(&gone), "gone_from_board");
            assert!(run(&gone)[0].statement.contains(fact), "{fact}");
        }
    }

    #[test]
    fn a_date_after_the_first_capture_is_a_contradiction() {
        for (first_seen, want) in [
            (-40, "posted_date_contradicts_first_seen recent_posting"),
            (-11, "recent_posting"),
        ] {
            let moved = Case {
                first_seen,
                ..case("Apply.", vec![(FieldKey::PostedAt, day(-10))])
            };
            assert_eq!(ids(&moved), want, "{first_seen}");
        }
    }

    #[test]
    fn reposts_count_by_employer_time_and_place() {
        let other = |company: &str, days: i64, place: &str, similarity: f64| Similar {
            posting: PostingId::of(&[&days.to_le_bytes(), place.as_bytes()]),
            similarity,
            first_seen: at(days),
            company: Some(company.into()),
            place: Some(place.into()),
        };
        let fields = || vec![(FieldKey::Company, FieldValue::Text("Oriel Bread".into()))];
        let with = |similar: Vec<Similar>| {
            ids(&Case {
                similar,
                ..case("Apply.", fields())
            })
        };
        let own = "oriel bread";
        assert_eq!(
            with(vec![
                other(own, -60, "berlin", 1.0),
                other(own, -30, "berlin", 0.96)
            ]),
            "repeated_repost"
        );
        assert_eq!(
            with(vec![
                other(own, -60, "berlin", 1.0),
                other(own, -59, "berlin", 1.0)
            ]),
            ""
        );
        assert_eq!(
            with(vec![
                other(own, -60, "berlin", 1.0),
                other("another", -30, "berlin", 1.0)
            ]),
            ""
        );
        assert_eq!(
            with(vec![
                other(own, -60, "berlin", 0.9),
                other(own, -30, "berlin", 0.9)
            ]),
            ""
        );
        let cities: Vec<Similar> = ["bonn", "kiel", "ulm"]
            .iter()
            .map(|p| other(own, -1, p, 1.0))
            .collect();
        assert_eq!(with(cities), "same_text_many_cities");
    }

    #[test]
    fn vague_and_unreachable_texts() {
        let vague =
            "We are a great family and everything here is exciting and dynamic and fun. ".repeat(6);
        assert_eq!(ids(&case(&vague, vec![])), "vague_text no_hiring_contact");
        let concrete = format!(
            "{vague}\n- Knead the dough\n- Bake 300 loaves\n- Clean the ovens\nApply at the counter."
        );
        assert_eq!(ids(&case(&concrete, vec![])), "");
    }

    #[test]
    fn signals_of_two_families_add_up_to_strong_doubt() {
        let outcomes = vec!["filled".to_owned()];
        let closed = Case {
            outcomes,
            ..case(
                "This job has expired.",
                vec![(FieldKey::ValidThrough, day(-5))],
            )
        };
        let found = run(&closed);
        assert_eq!(found.len(), 3);
        assert_eq!(Assessment::of(&found).level, Level::StrongDoubt);
    }

    #[test]
    fn fingerprints_tell_the_same_text_from_another() {
        let text = |city: &str| {
            let body: String = (0..120)
                .map(|i| format!("word{} follows thing{} ", i * 7 % 101, i * 13 % 89))
                .collect();
            format!("Night baker in {city}. {body}")
        };
        let (a, b) = (
            Fingerprint::of(&text("Berlin")).unwrap(),
            Fingerprint::of(&text("Bonn")).unwrap(),
        );
        assert!(a.similarity(b) >= SAME_TEXT, "{}", a.similarity(b));
        let other: String = (0..200)
            .map(|i| format!("other{} matter{} ", i * 3 % 97, i * 5 % 83))
            .collect();
        assert!(a.similarity(Fingerprint::of(&other).unwrap()) < 0.8);
        assert_eq!(Fingerprint::of("too short to say"), None);
    }
}
